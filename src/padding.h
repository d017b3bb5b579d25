/* What of an element is no value: padding between and in fields, the rest of a union, transient
 * fields; and pointers, which are saved as references.  In an image these bytes and bits are zero:
 * what a program never set has no business there, and equal states make equal images.
 *
 * Copying costs no more than memcpy for elements of up to a few KiB: a mask says which bits stay.
 * For this process's own layout only.
 */
#ifndef HMF__PADDING_H
#define HMF__PADDING_H

#include "type.h"

#include <stdbool.h>
#include <string.h>

struct hmf__padding;

/* For elements of a type whose table outlives it; *out is NULL where all bytes are values.
 * HMF_ERR_NOMEM. */
hmf_status_t hmf__padding_new(const struct hmf__types *t, uint32_t id, struct hmf__padding **out);
void hmf__padding_free(struct hmf__padding *p); /* NULL is fine */

/* Copy `bytes` bytes that begin `offset` bytes behind the first of some elements at `from`. */
void hmf__padding_copy(const struct hmf__padding *p, const void *from, uint64_t offset, void *to,
                       size_t bytes);

/* Clear in place: whole elements. */
void hmf__padding_clear(const struct hmf__padding *p, void *elements, uint64_t count);

/* To clear one element inline: what becomes of some of its words. */
struct hmf__padding_word {
    uint32_t offset;
    uint64_t mask;
};

/* Those words of an element that change; *n 0: it has no mask, or its size is no multiple of 8. */
const struct hmf__padding_word *hmf__padding_words(const struct hmf__padding *p, uint32_t *n);

static inline void hmf__padding_put(const struct hmf__padding_word *words, uint32_t n, char *at)
{
    uint64_t v;

    for (uint32_t i = 0; i < n; i++) {
        memcpy(&v, at + words[i].offset, 8);
        v &= words[i].mask;
        memcpy(at + words[i].offset, &v, 8);
    }
}

static inline void hmf__padding_apply(const unsigned char *mask, char *at, size_t bytes)
{
    size_t i = 0;

    for (uint64_t v, m; i + 8 <= bytes; i += 8) {
        memcpy(&v, at + i, 8);
        memcpy(&m, mask + i, 8);
        v &= m;
        memcpy(at + i, &v, 8);
    }
    for (; i < bytes; i++)
        at[i] = (char)(at[i] & mask[i]);
}

#endif
