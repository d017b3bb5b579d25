/* How much there is behind pointers that do not say, and whether it is in use: from the table of
 * heap blocks.
 *
 * The walk first takes each such pointer to lead to one element, as without that table.  When it
 * has looked into everything, the blocks that hold more than what was found in them are extended:
 * a candidate is added that covers the whole block, so that the smaller one comes to lie within
 * it.  Then the walk goes on with what that leads to.  Doing it late lets the largest type that
 * leads to a block decide what it is, whichever pointer was found first.
 */
#include "config.h"

#include "walk.h"

#include "base.h"
#include "heap.h"
#include "statepriv.h"


/* The block around p, looked for no further than p's region of memory. */
static bool find_block(struct hmf__walk *w, const void *p, struct hmf__heap_block *b)
{
    uintptr_t lowest = hmf__walk_readable(w, p, 1, NULL) && w->last_region ? w->last_region->lo
                                                                          : (uintptr_t)p;

    return hmf__heap_find(p, lowest, b);
}

enum hmf__where hmf__walk_where(struct hmf__walk *w, const void *p, uint64_t *room)
{
    uintptr_t a = (uintptr_t)p;
    struct hmf__heap_block b;

    if (find_block(w, p, &b)) {
        if (room)
            *room = b.start + b.size - a;
        return HMF__WHERE_INSIDE;
    }
    if (find_block(w, (const char *)p - 1, &b) && b.start + b.size == a)
        return HMF__WHERE_BEHIND;
    if (hmf__heap_around(p) ||
        (hmf__heap_is_complete() && a >= w->heap_lo && a < w->heap_hi))
        return HMF__WHERE_DEAD;
    return HMF__WHERE_OUTSIDE;
}

hmf_status_t hmf__walk_check_variables(struct hmf__walk *w)
{
    for (size_t i = 0; i < w->state->nvars; i++) {
        const struct hmf__var *v = &w->state->vars[i].var;
        uint64_t room = UINT64_MAX;
        switch (hmf__walk_where(w, v->addr, &room)) {
        case HMF__WHERE_BEHIND:
        case HMF__WHERE_DEAD:
            return hmf__fail(HMF_ERR_POINTER, "variable %s at %p lies in the heap where no block "
                             "is in use: remove it before its memory is freed", v->name, v->addr);
        default:
            if (v->size > room)
                return hmf__fail(HMF_ERR_POINTER, "variable %s has %zu bytes, but the heap block "
                                 "at %p only %llu", v->name, v->size, v->addr,
                                 (unsigned long long)room);
        }
    }
    return HMF_OK;
}

/* ---- extending ---- */

struct entry { /* a block that holds more than the candidate found in it */
    struct hmf__heap_block block; /* start 0: free */
    size_t cand;                  /* who is to be extended: of the largest type so far */
};

struct blocks { /* by open addressing */
    struct entry *v;
    size_t n, size;
};

static struct entry *place_of(const struct blocks *t, uintptr_t start)
{
    size_t h = (size_t)((uint64_t)start * HMF__GOLDEN >> 20) & (t->size - 1);

    while (t->v[h].block.start && t->v[h].block.start != start)
        h = (h + 1) & (t->size - 1);
    return &t->v[h];
}

static hmf_status_t make_room(struct blocks *t)
{
    struct blocks more = {.n = t->n, .size = t->size ? 2 * t->size : 64};

    if (2 * (t->n + 1) <= t->size)
        return HMF_OK;
    if (!(more.v = hmf__big_zeros(more.size * sizeof *more.v)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a list of %zu heap blocks", t->n);
    for (size_t i = 0; i < t->size; i++)
        if (t->v[i].block.start)
            *place_of(&more, t->v[i].block.start) = t->v[i];
    hmf__big_free(t->v, t->size * sizeof *t->v);
    *t = more;
    return HMF_OK;
}

/* Could candidate c stand for more elements than it has? */
static bool is_open(const struct hmf__walk *w, size_t c)
{
    const struct hmf__shape *s = &w->shapes[w->cands[c].shape];
    enum hmf__kind kind = w->types->v[s->type].kind;

    return c >= w->state->nvars && s->count == 1 && s->bytes && !s->exact &&
           kind != HMF__KIND_CSTRING && kind != HMF__KIND_VOID && !w->types->v[s->type].flex &&
           !w->cands[c].merged;
}

static bool larger(const struct hmf__walk *w, size_t c, size_t d)
{
    const struct hmf__type *a = &w->types->v[w->shapes[w->cands[c].shape].type];
    const struct hmf__type *b = &w->types->v[w->shapes[w->cands[d].shape].type];

    return a->size != b->size ? a->size > b->size : a->depth > b->depth;
}

static hmf_status_t note_open(struct hmf__walk *w, struct blocks *t, size_t c)
{
    struct hmf__heap_block b;
    hmf_status_t rc;

    if (!is_open(w, c) || !find_block(w, w->cands[c].addr, &b))
        return HMF_OK;
    if ((uintptr_t)w->cands[c].addr == b.start && b.size / 2 < w->shapes[w->cands[c].shape].bytes)
        return HMF_OK; /* the block is this one element */
    if ((rc = make_room(t)) != HMF_OK)
        return rc;
    struct entry *e = place_of(t, b.start);
    if (!e->block.start) {
        *e = (struct entry){b, c};
        t->n++;
    } else if (larger(w, c, e->cand)) {
        e->cand = c;
    }
    return HMF_OK;
}

static hmf_status_t extend(struct hmf__walk *w, const struct entry *e)
{
    const struct hmf__cand *c = &w->cands[e->cand];
    const struct hmf__shape s = w->shapes[c->shape];
    const char *from = (const char *)e->block.start;
    uint64_t before = (uint64_t)(c->addr - from), count;
    uint32_t shape;
    hmf_status_t rc;

    if (hmf__walk_described(w, from, e->cand))
        return HMF_OK;
    if (before % s.bytes)
        from = c->addr;
    count = (e->block.size - (uint64_t)((uintptr_t)from - e->block.start)) / s.bytes;
    if (count < 2)
        return HMF_OK;
    if ((rc = hmf__walk_shape(w, s.type, count, s.inner, false, &shape)) != HMF_OK)
        return rc;
    return hmf__walk_add(w, from, shape);
}

hmf_status_t hmf__walk_extend(struct hmf__walk *w)
{
    struct blocks t = {0};
    hmf_status_t rc = HMF_OK;

    for (; w->extended < w->ncands && rc == HMF_OK; w->extended++)
        rc = note_open(w, &t, w->extended);
    for (size_t i = 0; i < t.size && rc == HMF_OK; i++)
        if (t.v[i].block.start)
            rc = extend(w, &t.v[i]);
    hmf__big_free(t.v, t.size * sizeof *t.v);
    return rc;
}
