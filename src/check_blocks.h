/*
 * What a file that we have written holds, block by block, by which the next file of its kind is
 * made of it: only blocks that differ are written (HMF_INCREMENTAL).
 *
 * Kept in memory alone, so it is known of files that this process has written. Equality is decided
 * by 128 bits of XXH3: by chance two blocks that differ agree once in 2^128, where CRC32C would
 * once in 2^32. It is no defence against somebody who makes such blocks on purpose.
 */
#ifndef HMF_CHECK_BLOCKS_H
#define HMF_CHECK_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HMF__BLOCK_BYTES 16384u

struct hmf__block {
    uint64_t hash[2];
    uint32_t crc;                       /* CRC32C, if `summed` */
    bool known, summed;
};

struct hmf__blocks {
    uint64_t generation, bytes;         /* of the file */
    uint32_t seal;
    size_t n;                           /* whole blocks; the rest is written anew every time */
    struct hmf__block *v;
    struct hmf__blocks *older;
};

/* Whether there is a hash: it is left out where the library was built without it. */
bool hmf__blocks_can(void);

/* Of a file of that many bytes, nothing known yet. NULL: no memory. */
struct hmf__blocks *hmf__blocks_new(uint64_t bytes);
/* That one and all older ones. */
void hmf__blocks_free(struct hmf__blocks *b);

/* The hash of HMF__BLOCK_BYTES bytes. */
void hmf__blocks_hash(const void *bytes, struct hmf__block *out);
/* The i-th block of b if it is known to have that hash, else NULL. b may be NULL. */
const struct hmf__block *hmf__blocks_same(const struct hmf__blocks *b, size_t i,
                                          const struct hmf__block *block);

/* Puts b before the others; of these it frees one of the same generation and all but `most`. */
void hmf__blocks_push(struct hmf__blocks **list, struct hmf__blocks *b, int most);
const struct hmf__blocks *hmf__blocks_find(const struct hmf__blocks *list, uint64_t generation);

#endif
