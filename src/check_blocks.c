/*
 * Hashes of the blocks of written files; see check_blocks.h.
 */
#include "config.h"

#include "check_blocks.h"

#include "base.h"

#include <string.h>

#ifdef HAVE_XXHASH
#include <xxhash.h>

bool hmf__blocks_can(void)
{
    return true;
}

void hmf__blocks_hash(const void *bytes, struct hmf__block *out)
{
    XXH128_hash_t h = XXH3_128bits(bytes, HMF__BLOCK_BYTES);
    *out = (struct hmf__block){.hash = {h.low64, h.high64}, .known = true};
}
#else
bool hmf__blocks_can(void)
{
    return false;
}

void hmf__blocks_hash(const void *bytes, struct hmf__block *out)
{
    (void)bytes;
    memset(out, 0, sizeof(*out));
}
#endif

struct hmf__blocks *hmf__blocks_new(uint64_t bytes)
{
    struct hmf__blocks *b = hmf__calloc(1, sizeof(*b));
    if (b == NULL)
        return NULL;
    b->bytes = bytes;
    b->n = (size_t)(bytes / HMF__BLOCK_BYTES);
    b->v = hmf__calloc(b->n, sizeof(*b->v));
    if (b->v == NULL && b->n != 0) {
        hmf__free(b);
        return NULL;
    }
    return b;
}

void hmf__blocks_free(struct hmf__blocks *b)
{
    while (b != NULL) {
        struct hmf__blocks *older = b->older;
        hmf__free(b->v);
        hmf__free(b);
        b = older;
    }
}

const struct hmf__block *hmf__blocks_same(const struct hmf__blocks *b, size_t i,
                                          const struct hmf__block *block)
{
    if (b == NULL || i >= b->n || !b->v[i].known || !block->known)
        return NULL;
    return memcmp(b->v[i].hash, block->hash, sizeof block->hash) == 0 ? &b->v[i] : NULL;
}

void hmf__blocks_push(struct hmf__blocks **list, struct hmf__blocks *b, int most)
{
    b->older = *list;
    *list = b;
    for (struct hmf__blocks **at = &b->older; *at != NULL; most--) {
        if (most > 0 && (*at)->generation != b->generation) {
            at = &(*at)->older;
            continue;
        }
        struct hmf__blocks *gone = *at;
        *at = gone->older;
        gone->older = NULL;
        hmf__blocks_free(gone);
    }
}

const struct hmf__blocks *hmf__blocks_find(const struct hmf__blocks *list, uint64_t generation)
{
    while (list != NULL && list->generation != generation)
        list = list->older;
    return list;
}
