/* Records converted by moving bytes only (swaps, copies, other offsets), sixteen at a time.
 *
 * A program of loads, byte shuffles and stores is made from a map of bytes and run over many
 * records; where the processor has no byte shuffle there is none, and the caller's own way is
 * taken.  Knows nothing of types.
 */
#ifndef HMF__SHUFFLE_H
#define HMF__SHUFFLE_H

#include "hmf/status.h"

#include <stdint.h>

struct hmf__shuffle;

enum {
    HMF__SHUFFLE_MAX = 256, /* bytes of a record that it is worth for */
    HMF__SHUFFLE_ZERO = -1,  /* in the map: the byte becomes zero ... */
    HMF__SHUFFLE_ANY = -2    /* ... or does not matter */
};

/* map[i], i < to_size: which byte of the source record byte i of the target is.
 * *out becomes NULL where it cannot be done or would not pay.  HMF_ERR_NOMEM. */
hmf_status_t hmf__shuffle_make(const int16_t *map, uint32_t from_size, uint32_t to_size,
                               struct hmf__shuffle **out);
void hmf__shuffle_free(struct hmf__shuffle *s);

/* Convert the first of n records, as many as can be without touching memory outside of them;
 * returns how many.  Bytes that do not matter are overwritten. */
uint64_t hmf__shuffle_run(const struct hmf__shuffle *s, const char *from, char *to, uint64_t n);

#endif
