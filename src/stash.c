/* Lists of drained messages; see stash.h. */
#include "config.h"

#include "stash.h"

#include <string.h>

/* Tag and source of a message come from a probe, so they are never wildcards. */
#define STASH_MAX_BYTES ((uint64_t) 1 << 40)

size_t hmf__stash_total;

struct hmf__stashed *hmf__stash_new(int source, int tag, uint64_t bytes)
{
    struct hmf__stashed *m;

    if (bytes > STASH_MAX_BYTES)
        return NULL;
    m = hmf__malloc(sizeof(*m) + (size_t) bytes);
    if (m == NULL)
        return NULL;
    m->next = NULL;
    m->source = source;
    m->tag = tag;
    m->bytes = bytes;
    return m;
}

void hmf__stash_put(struct hmf__vcomm *v, struct hmf__stashed *m)
{
    m->next = NULL;
    *v->stash_tail = m;
    v->stash_tail = &m->next;
    v->stash_count++;
    __atomic_fetch_add(&hmf__stash_total, 1, __ATOMIC_RELAXED);
}

static struct hmf__stashed **locate(struct hmf__vcomm *v, int source, int tag)
{
    struct hmf__stashed **at = &v->stash;

    while (*at != NULL && ((source != MPI_ANY_SOURCE && (*at)->source != source)
                           || (tag != MPI_ANY_TAG && (*at)->tag != tag)))
        at = &(*at)->next;
    return at;
}

struct hmf__stashed *hmf__stash_find(struct hmf__vcomm *v, int source, int tag)
{
    return *locate(v, source, tag);
}

struct hmf__stashed *hmf__stash_take(struct hmf__vcomm *v, int source, int tag)
{
    struct hmf__stashed **at = locate(v, source, tag);
    struct hmf__stashed *m = *at;

    if (m == NULL)
        return NULL;
    *at = m->next;
    if (m->next == NULL)
        v->stash_tail = at;
    m->next = NULL;
    v->stash_count--;
    __atomic_fetch_sub(&hmf__stash_total, 1, __ATOMIC_RELAXED);
    return m;
}

void hmf__stash_free(struct hmf__stashed *m)
{
    hmf__free(m);
}

void hmf__stash_clear(struct hmf__vcomm *v)
{
    struct hmf__stashed *m, *next;

    for (m = v->stash; m != NULL; m = next) {
        next = m->next;
        hmf__free(m);
        __atomic_fetch_sub(&hmf__stash_total, 1, __ATOMIC_RELAXED);
    }
    v->stash = NULL;
    v->stash_tail = &v->stash;
    v->stash_count = 0;
}

hmf_status_t hmf__stash_pack(const struct hmf__vcomm *v, struct hmf__buf *b)
{
    hmf__buf_put_u32(b, (uint32_t) v->stash_count);
    for (const struct hmf__stashed *m = v->stash; m != NULL; m = m->next) {
        hmf__buf_put_i32(b, m->source);
        hmf__buf_put_i32(b, m->tag);
        hmf__buf_put_u64(b, m->bytes);
        hmf__buf_put_bytes(b, m->data, (size_t) m->bytes);
    }
    return b->status;
}

hmf_status_t hmf__stash_unpack(struct hmf__vcomm *v, struct hmf__buf *b)
{
    uint32_t n = hmf__buf_get_u32(b);
    int senders = v->remote_size > 0 ? v->remote_size : v->size;

    for (uint32_t i = 0; i < n && b->status == HMF_OK; i++) {
        int source = hmf__buf_get_i32(b), tag = hmf__buf_get_i32(b);
        uint64_t bytes = hmf__buf_get_u64(b);
        struct hmf__stashed *m;

        if (b->status != HMF_OK)
            break;
        if (source < 0 || source >= senders || tag < 0 || bytes > hmf__buf_left(b))
            return hmf__fail(HMF_ERR_FORMAT, "kept message %u of communicator %u: source %d, "
                             "tag %d, %llu bytes cannot be", i, v->id, source, tag,
                             (unsigned long long) bytes);
        m = hmf__stash_new(source, tag, bytes);
        if (m == NULL)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a kept message of %llu bytes",
                             (unsigned long long) bytes);
        memcpy(m->data, hmf__buf_get_bytes(b, (size_t) bytes), (size_t) bytes);
        hmf__stash_put(v, m);
    }
    return b->status;
}
