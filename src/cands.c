/* From addresses to candidates: those in the regions' ids, and a hash table for all others; see walk.h. */
#include "config.h"

#include "walk.h"

#include "base.h"
#include "statepriv.h"

#include <string.h>

static size_t home(const struct hmf__walk *w, const void *addr)
{
    return (size_t)((uint64_t)(uintptr_t)addr * HMF__GOLDEN >> w->table_shift);
}

static void put_id(const struct hmf__walk *w, uint32_t *table, size_t size, uint32_t id)
{
    size_t h = home(w, w->cands[id - 1].addr);

    while (table[h])
        h = (h + 1) & (size - 1);
    table[h] = id;
}

hmf_status_t hmf__walk_rehash(struct hmf__walk *w, size_t size)
{
    uint32_t *table = hmf__big_alloc(size * sizeof *table), *old = w->table;

    if (!table)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a table of %zu blocks", size / 2);
    memset(table, 0, size * sizeof *table);
    w->table_shift = 64 - __builtin_ctzll(size);
    for (size_t i = 0; i < w->table_size; i++)
        if (old[i])
            put_id(w, table, size, old[i]);
    hmf__big_free(old, w->table_size * sizeof *table);
    w->table = table;
    w->table_size = size;
    return HMF_OK;
}

hmf_status_t hmf__walk_find_in_table(struct hmf__walk *w, const char *q, uint32_t shape,
                                     uint32_t *id)
{
    size_t h = home(w, q), mask = w->table_size - 1;
    hmf_status_t rc;

    for (; (*id = w->table[h]); h = (h + 1) & mask)
        if (w->cands[*id - 1].addr == q && w->cands[*id - 1].shape == shape)
            return HMF_OK;
    if ((rc = hmf__walk_new_cand(w, q, shape)) != HMF_OK)
        return rc;
    *id = w->table[h] = (uint32_t)w->ncands;
    if (2 * ++w->table_used > w->table_size)
        return hmf__walk_rehash(w, 2 * w->table_size);
    return HMF_OK;
}

hmf_status_t hmf__walk_add(struct hmf__walk *w, const char *addr, uint32_t shape)
{
    uint32_t id;

    return hmf__walk_find_in_table(w, addr, shape, &id);
}

/* Does candidate o, which begins where a heap block does, say more of it than c? */
static bool describes(const struct hmf__walk *w, uint32_t o, size_t c)
{
    const struct hmf__shape *s = &w->shapes[w->cands[o].shape];
    const struct hmf__shape *t = &w->shapes[w->cands[c].shape];
    const struct hmf__type *a = &w->types->v[s->type], *b = &w->types->v[t->type];

    if (o == c || !s->bytes)
        return false;
    if (o < w->state->nvars || s->exact || s->count > 1 || a->flex)
        return true;
    return a->size != b->size ? a->size > b->size : a->depth > b->depth;
}

bool hmf__walk_described(struct hmf__walk *w, const char *start, size_t c)
{
    struct hmf__region *r = hmf__walk_region(w, start);
    uint32_t id = r ? r->ids[((uintptr_t)start - r->lo) / HMF__GRAIN] : 0;

    if (id && w->cands[id - 1].addr == start && describes(w, id - 1, c))
        return true;
    for (size_t h = home(w, start); (id = w->table[h]); h = (h + 1) & (w->table_size - 1))
        if (w->cands[id - 1].addr == start && describes(w, id - 1, c))
            return true;
    return false;
}

hmf_status_t hmf__walk_find(struct hmf__walk *w, const char *q, uint32_t shape, uint32_t *id)
{
    const struct hmf__shape *s = &w->shapes[shape];

    if (s->bytes && s->bytes < HMF__WALK_SMALL) {
        struct hmf__region *r = hmf__walk_region(w, q);
        uint32_t *place = r ? &r->ids[((uintptr_t)q - r->lo) / HMF__GRAIN] : NULL;
        if (place && !*place) {
            hmf_status_t rc = hmf__walk_new_cand(w, q, shape);
            if (rc != HMF_OK)
                return rc;
            *place = (uint32_t)w->ncands;
        }
        if (place && w->cands[*place - 1].addr == q && w->cands[*place - 1].shape == shape) {
            *id = *place;
            return HMF_OK;
        }
    }
    return hmf__walk_find_in_table(w, q, shape, id);
}
