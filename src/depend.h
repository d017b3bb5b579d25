/* Fields that other parts of a type depend on: numbers of elements, and discriminants that tell
 * which branch of a union holds.
 *
 * Where such a field lies is found once per type, by what stands around the part at hand; its value
 * is read from each element.  Works on any ABI.  Trusts nothing: types may come from an image.
 */
#ifndef HMF__DEPEND_H
#define HMF__DEPEND_H

#include "type.h"

#include <stdbool.h>
#include <stdint.h>

/* A struct around the place at hand: its type and its offset in the element. */
struct hmf__around {
    uint32_t type;
    uint64_t offset;
};

/* An integer in an element. */
struct hmf__place {
    uint64_t offset;
    uint8_t size;  /* bytes; 0: there is none */
    uint8_t bit;   /* bit-field: see bits.h ... */
    uint8_t width; /* ... 0: a whole integer */
    bool is_signed;
};

enum { HMF__NO_BRANCH = UINT32_MAX };

/* The integer field `field` of the up-th of the n structs around (the last one is the innermost).
 * false: there is no such field, or it is no integer. */
bool hmf__depend_field(const struct hmf__types *t, const struct hmf__around *around, int n,
                       uint32_t up, uint32_t field, struct hmf__place *out);

/* The same of what lies within that field: each step is the number of a struct's field or the index
 * of an array's element. */
bool hmf__depend_path(const struct hmf__types *t, const struct hmf__around *around, int n,
                      uint32_t up, uint32_t field, const int32_t *steps, uint32_t nsteps,
                      struct hmf__place *out);

enum { HMF__PATH_STEPS = 3 }; /* words of typePATH before the second step */

/* The discriminant of union u, which lies at `offset`; as above. */
bool hmf__depend_union(const struct hmf__types *t, const struct hmf__around *around, int n,
                       uint32_t u, uint64_t offset, struct hmf__place *out);

/* The number in an element of the ABI at hand. */
uint64_t hmf__depend_load(const struct hmf__place *p, bool big_endian, const void *element);

/* The branch of union y that a discriminant selects; HMF__NO_BRANCH: none. */
uint32_t hmf__depend_choose(const struct hmf__type *y, uint64_t value);

/* All branches of union y begin with the same integer type, as they must if that is the
 * discriminant. */
bool hmf__depend_leads(const struct hmf__types *t, const struct hmf__type *y);

#endif
