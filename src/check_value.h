/*
 * Values of an image's types as text and compared, whatever machine wrote them.
 * Knows nothing of files; pointers are left to the caller, who knows where they lead.
 */
#ifndef HMF_CHECK_VALUE_H
#define HMF_CHECK_VALUE_H

#include "type.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text of the k-th pointer of a row, or (HMF__VALUE_TAIL) of where the elements behind it are; the
   row is the caller's. */
#define HMF__VALUE_TAIL UINT64_MAX
typedef void hmf__value_pointer(void *ctx, uint64_t slot, char *text, size_t len);

/* One row of that type as text, cut to len. */
void hmf__value_text(const struct hmf__types *types, uint32_t type, const unsigned char *row,
                     hmf__value_pointer *pointer, void *ctx, char *text, size_t len);

/* One side of a comparison. */
struct hmf__value_side {
    const struct hmf__types *types;
    uint32_t type;
    const unsigned char *row;
    hmf__value_pointer *pointer;
    void *ctx;
};

/* Compares two rows, calls back for each leaf that differs, and returns how many do. Types of
   another shape are one difference. */
typedef void hmf__value_differs(void *ctx, const char *path, const char *a, const char *b);
uint64_t hmf__value_compare(const struct hmf__value_side *a, const struct hmf__value_side *b,
                            double absolute, double relative, hmf__value_differs *differs,
                            void *ctx);

#endif
