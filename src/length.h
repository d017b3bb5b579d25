/* Numbers that are said by expressions over fields: how many elements stand behind a pointer or a
 * struct.  In a type they are the words of their description (typemap.h); here they become terms
 * in postfix order, once per type, and are worked out for each element.
 *
 * Signed 64-bit arithmetic; what does not fit, a division by zero included, is no number.
 * Images do not hold them: the numbers of elements themselves are there.
 */
#ifndef HMF__LENGTH_H
#define HMF__LENGTH_H

#include "depend.h"
#include "type.h"

enum { HMF__MAX_EXPR = 64 }; /* words of one expression */

enum hmf__termcode {
    HMF__TERM_FIELD,
    HMF__TERM_NUMBER,
    HMF__TERM_ADD, /* this and the following take the two values before */
    HMF__TERM_SUB,
    HMF__TERM_MUL,
    HMF__TERM_DIV
};

struct hmf__term {
    enum hmf__termcode code;
    struct hmf__place place; /* FIELD ... */
    uint32_t up;             /* ... of the struct so many further out */
    int64_t number;          /* NUMBER */
};

/* Is this word the beginning of an expression that is more than a field's number? */
bool hmf__length_begins(int word);

/* The terms of the length of y (a pointer, or a flexible array), with these structs around.
 * At most HMF__MAX_EXPR are put into out; 0: some field is not there or no integer. */
uint32_t hmf__length_terms(const struct hmf__types *t, const struct hmf__around *around, int n,
                           const struct hmf__type *y, struct hmf__term *out);

/* The number; bases[i]: what the i-th term's offset counts from.  UINT64_MAX: there is none, or it
 * is negative. */
uint64_t hmf__length_number(const struct hmf__term *terms, uint32_t n, bool big_endian,
                            const void *const *bases);

/* Both at once, where everything lies in one element.  false: as for terms. */
bool hmf__length_of(const struct hmf__types *t, uint32_t type, const struct hmf__type *y,
                    const void *element, uint64_t *out);

#endif
