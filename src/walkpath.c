/* The path by which the walk came to a block, as a C expression: for messages only; see walk.h. */
#include "config.h"

#include "walk.h"

#include "base.h"
#include "statepriv.h"

#include <stdio.h>

enum { HOPS = 8 };

struct hop {
    size_t cand;
    uint64_t slot; /* which slot of it leads on */
};

/* For each candidate who first led to it; one pass over the refs found so far. */
static struct hop *find_parents(const struct hmf__walk *w)
{
    struct hop *parent = hmf__malloc(w->ncands * sizeof *parent);
    size_t at = 0;

    for (size_t c = 0; parent && c < w->ncands; c++)
        parent[c].cand = SIZE_MAX;
    for (size_t c = 0; parent && c < w->ncands && at < w->nrefs; c++) {
        if (w->cands[c].merged && w->merges[w->cands[c].merged - 1].unread)
            continue;
        uint64_t n = w->shapes[w->cands[c].shape].nslots;
        for (uint64_t k = 0; k < n && at < w->nrefs; k++, at++) {
            uint32_t to = w->refs[at];
            if (to > w->state->nvars && to <= w->ncands && parent[to - 1].cand == SIZE_MAX)
                parent[to - 1] = (struct hop){c, k};
        }
    }
    return parent;
}

/* Offset of slot k in a candidate's memory. */
static uint64_t slot_offset(const struct hmf__walk *w, size_t c, uint64_t k)
{
    const struct hmf__shape *s = &w->shapes[w->cands[c].shape];
    uint64_t per = w->types->v[s->type].nslots;

    return k / per * w->types->v[s->type].size + hmf__slots_offset(w->slots[s->type], k % per);
}

static size_t put_place(const struct hmf__walk *w, size_t c, uint64_t offset, char *buf,
                        size_t size, size_t n)
{
    const struct hmf__shape *s = &w->shapes[w->cands[c].shape];
    uint64_t each = w->types->v[s->type].size;
    const char *field;
    char path[300];

    if (c < w->state->nvars) {
        const struct hmf__var *v = &w->state->vars[c].var;
        n += (size_t)snprintf(buf + n, size - n, "%s", v->name);
        each = w->types->v[v->type].size;
        if (v->count > 1 && n < size)
            n += (size_t)snprintf(buf + n, size - n, "[%llu]",
                                  (unsigned long long)(offset / each));
        field = hmf__layout_path(w->types, v->type, (const char *)v->addr + offset - offset % each,
                                 offset % each, 0, path, sizeof path);
        if (n < size)
            n += (size_t)snprintf(buf + n, size - n, "%s", field);
        return n < size ? n : size - 1;
    }
    field = hmf__layout_path(w->types, s->type,
                             each ? w->cands[c].addr + offset - offset % each : NULL,
                             each ? offset % each : 0, 0, path, sizeof path);
    if (s->count > 1 || !*field)
        n += (size_t)snprintf(buf + n, size - n, "[%llu]%s",
                              (unsigned long long)(each ? offset / each : 0), field);
    else
        n += (size_t)snprintf(buf + n, size - n, "->%s", field + (*field == '.'));
    return n < size ? n : size - 1;
}

const char *hmf__walk_path(const struct hmf__walk *w, size_t c, uint64_t offset, char *buf,
                           size_t size)
{
    struct hop *parent = find_parents(w), hops[HOPS];
    size_t n = 0, nhops = 0, total = 0;
    bool self = offset != UINT64_MAX; /* else: the pointer that leads to c */

    if (!parent) {
        snprintf(buf, size, "(no memory to tell which)");
        return buf;
    }
    size_t root = c;
    for (struct hop h = parent[c]; h.cand != SIZE_MAX; h = parent[h.cand]) {
        if (nhops < HOPS)
            hops[nhops++] = h;
        total++;
        root = h.cand;
    }
    buf[0] = '\0';
    if (total > nhops) { /* the variable, a gap, the last hops */
        n += (size_t)snprintf(buf, size, "%s->...(%zu more)...", w->state->vars[root].var.name,
                              total - nhops);
        if (n >= size)
            n = size - 1;
    }
    while (nhops--)
        n = put_place(w, hops[nhops].cand, slot_offset(w, hops[nhops].cand, hops[nhops].slot), buf,
                      size, n);
    if (self)
        put_place(w, c, offset, buf, size, n);
    hmf__free(parent);
    return buf;
}
