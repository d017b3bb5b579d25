/* Ends of arrays of things with pointers: what stands there must not be looked into; see walk.h. */
#include "config.h"

#include "walk.h"

#include "base.h"

static size_t end_hash(uintptr_t addr, uint32_t type)
{
    return (size_t)((((uint64_t)addr ^ type) * HMF__GOLDEN) >> 32);
}

bool hmf__walk_is_end(const struct hmf__walk *w, const void *addr, uint32_t type)
{
    if (!w->nends)
        return false;
    size_t mask = w->ends_size - 1;
    for (size_t h = end_hash((uintptr_t)addr, type) & mask; w->ends[h].addr; h = (h + 1) & mask)
        if (w->ends[h].addr == (uintptr_t)addr && w->ends[h].type == type)
            return true;
    return false;
}

static void put_end(struct hmf__end *ends, size_t mask, struct hmf__end end)
{
    size_t h = end_hash(end.addr, end.type) & mask;

    while (ends[h].addr)
        h = (h + 1) & mask;
    ends[h] = end;
}

hmf_status_t hmf__walk_add_end(struct hmf__walk *w, const struct hmf__shape *s, const char *addr)
{
    if (2 * (w->nends + 1) > w->ends_size) {
        size_t size = w->ends_size ? 2 * w->ends_size : 64;
        struct hmf__end *ends = hmf__calloc(size, sizeof *ends);
        if (!ends)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a list of arrays");
        for (size_t i = 0; i < w->ends_size; i++)
            if (w->ends[i].addr)
                put_end(ends, size - 1, w->ends[i]);
        hmf__free(w->ends);
        w->ends = ends;
        w->ends_size = size;
    }
    put_end(w->ends, w->ends_size - 1, (struct hmf__end){(uintptr_t)addr + s->bytes, s->type});
    w->nends++;
    return HMF_OK;
}
