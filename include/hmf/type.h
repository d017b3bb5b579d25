/* User types: descriptions with a number of their own, 10000 and up.
 *
 * A user type number may stand wherever a description may, in particular behind typePOINTER in
 * its own description or in one that it refers to: that is how recursive and mutually recursive
 * types are written.  The registry is the process's; definitions stay until undefined.
 *
 *     static const int node[] = { -2, typeINT, typePOINTER, 10000 };
 *     static const char *const fields[] = { "value", "next", NULL };
 *     hmf_type_define(10000, "node", node, 4, fields, NULL);
 *
 * Not collective.  Threads: all functions may be called from any thread.
 */
#ifndef HMF_TYPE_H
#define HMF_TYPE_H

#include "hmf/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The layout of a struct as the compiler made it, for a type whose layout is not the natural one
 * (packed, over-aligned), and for generated descriptions. */
struct hmf_type_layout {
    size_t size, align;     /* sizeof and _Alignof the struct */
    const size_t *offsets;  /* offsetof each field of the outermost struct, in order */
    size_t noffsets;        /* as many as the struct has fields */
};

/* For a bit-field, which has no offsetof: where compilers put it, behind the field before it. */
#define HMF_TYPE_BITS_OFFSET ((size_t)-1)

/* Define a user type.
 *   number       10000 .. INT_MAX
 *   name         the C name, for messages and files; 1 to 1023 bytes
 *   desc         desc_len ints; may name user types that are defined later
 *   field_names  or NULL: all fields and branches of unions in the order of the description, ended
 *                by NULL; "" for an anonymous member
 *   layout       or NULL: natural alignment; else desc must begin with a struct
 * Everything is copied.  Defining the same again is fine.
 * HMF_ERR_ARG (number, name, layout), HMF_ERR_NAME (number in use for something else),
 * HMF_ERR_NOMEM.  The description itself is checked where the type is used, since it may refer to
 * types not yet defined; hmf_type_check does it at once. */
hmf_status_t hmf_type_define(int number, const char *name, const int *desc, size_t desc_len,
                             const char *const *field_names,
                             const struct hmf_type_layout *layout);

/* Forget a user type.  Variables registered with it keep it.  HMF_ERR_NOTFOUND. */
hmf_status_t hmf_type_undefine(int number);

/* Is this a valid description, and how large is the type?  size_bytes may be NULL.
 * HMF_ERR_TYPE (hmf_error_text() tells the position), HMF_ERR_LIMIT, HMF_ERR_NOMEM. */
hmf_status_t hmf_type_check(const int *desc, size_t desc_len, size_t *size_bytes);

#ifdef __cplusplus
}
#endif
#endif
