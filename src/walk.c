/* The worklist walk; see walk.h. */
#include "config.h"

#include "walk.h"

#include "base.h"
#include "heap.h"
#include "padding.h"
#include "statepriv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

hmf_status_t hmf__walk_grow(void *pv, size_t *cap, size_t used, size_t need, size_t each)
{
    void **v = pv;
    size_t more = *cap, bytes;

    if (need <= *cap)
        return HMF_OK;
    if (!more)
        more = 1024;
    while (more < need)
        if (hmf__mul_overflow(more, 2, &more))
            return hmf__fail(HMF_ERR_LIMIT, "too many blocks");
    if (hmf__mul_overflow(more, each, &bytes))
        return hmf__fail(HMF_ERR_LIMIT, "too many blocks");
    void *p = hmf__big_alloc(bytes);
    if (!p)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the list of %zu blocks", need);
    if (used)
        memcpy(p, *v, used * each);
    hmf__big_free(*v, *cap * each);
    *v = p;
    *cap = more;
    return HMF_OK;
}

const struct hmf__slots *hmf__walk_slots(const struct hmf__walk *w, uint32_t type)
{
    return w->slots[type];
}

static hmf_status_t make_slots(struct hmf__walk *w, uint32_t type)
{
    struct hmf__slots *s = hmf__malloc(sizeof *s);
    hmf_status_t rc;

    if (!s)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a list of pointers");
    if ((rc = hmf__slots_make(w->types, type, s)) != HMF_OK) {
        hmf__free(s);
        return rc;
    }
    w->slots[type] = s; /* from here on fini frees it */
    for (uint32_t i = 0; i < s->nops; i++) {
        struct hmf__slotop *op = &s->ops[i];
        if (op->code != HMF__SLOT)
            continue;
        const struct hmf__type *y = &w->types->v[op->type];
        uint64_t count = 1;
        uint32_t elem = y->elem;
        if (y->weak) {
            elem = w->types->void_id;
            count = HMF__WALK_WEAK;
        }
        if (w->types->v[elem].kind == HMF__KIND_CSTRING || op->length.place.size ||
            op->inner.place.size || op->outer)
            op->target = HMF__NO_SHAPE; /* it is found at each pointer */
        else if ((rc = hmf__walk_get_shape(w, elem, count, 0, false, &op->target)) != HMF_OK)
            return rc;
        else
            op->small = w->shapes[op->target].bytes < HMF__WALK_SMALL &&
                        w->shapes[op->target].bytes;
    }
    return HMF_OK;
}

/* ---- the walk itself ---- */

/* What is not found at once: another region, a grain that another candidate has, large blocks. */
__attribute__((noinline)) static hmf_status_t visit_rare(struct hmf__walk *w, const char *slot,
                                                         const struct hmf__slotop *op,
                                                         const struct hmf__slot_frame *frame,
                                                         const char *q)
{
    uint32_t shape = op->target, id;
    hmf_status_t rc;

    if (shape == HMF__NO_SHAPE &&
        (rc = hmf__walk_special_shape(w, slot, op, frame, &q, &shape)) != HMF_OK)
        return rc;
    if ((rc = hmf__walk_find(w, q, shape, &id)) == HMF_OK)
        w->refs[w->nrefs++] = id;
    return rc;
}

/* One slot, which holds q: find or add what it points to. */
__attribute__((always_inline)) static inline hmf_status_t visit(struct hmf__walk *w,
                                                                const char *slot, const char *q,
                                                                const struct hmf__slotop *op,
                                                                const struct hmf__slot_frame *frame)
{
    const struct hmf__region *r = w->last_region;

    if (!q) {
        w->refs[w->nrefs++] = 0;
        return HMF_OK;
    }
    if (!op->small || !r || !r->ids || (uintptr_t)q - r->lo >= r->hi - r->lo)
        return visit_rare(w, slot, op, frame, q);
    uint32_t *place = &r->ids[((uintptr_t)q - r->lo) / HMF__GRAIN], id = *place;
    if (!id) {
        hmf_status_t rc = hmf__walk_new_cand(w, q, op->target);
        if (rc != HMF_OK)
            return rc;
        *place = id = (uint32_t)w->ncands;
    } else if (w->cands[id - 1].addr != q || w->cands[id - 1].shape != op->target) {
        return visit_rare(w, slot, op, frame, q);
    }
    w->refs[w->nrefs++] = id;
    return HMF_OK;
}

static hmf_status_t no_branch(struct hmf__walk *w, const char *at, const struct hmf__slotop *op,
                              const struct hmf__slot_frame *frame)
{
    const struct hmf__cand *c = &w->cands[w->current];
    uint64_t value = hmf__slot_number(&op->length, at, op, frame);
    char path[400], text[40];

    snprintf(text, sizeof text, op->length.place.is_signed ? "%" PRId64 : "%" PRIu64, value);
    return hmf__fail(HMF_ERR_RANGE, "union %s: its discriminant is %s, which selects no branch: "
                     "set it, or describe that branch",
                     hmf__walk_path(w, w->current, (uint64_t)(at - c->addr), path, sizeof path),
                     text);
}

static hmf_status_t visit_cb(void *ctx, char *slot, const struct hmf__slotop *op,
                             const struct hmf__slot_frame *frame)
{
    struct hmf__walk *w = ctx;

    if (op->code == HMF__SLOT_CHOICE)
        return no_branch(w, slot, op, frame);
    if (slot)
        return visit(w, slot, hmf__slot_load(slot), op, frame);
    w->refs[w->nrefs++] = 0; /* in a branch that does not hold */
    return HMF_OK;
}

/* The elements behind a struct with a flexible array member. */
static hmf_status_t look_behind(struct hmf__walk *w, size_t c, const struct hmf__type *y)
{
    const char *addr = w->cands[c].addr;
    const struct hmf__field *f = &y->fields[y->nfields - 1];
    const struct hmf__type *flex = &w->types->v[f->type];
    struct hmf__tail tail = {(uint32_t)c, 0};
    uint32_t shape;
    hmf_status_t rc;
    char path[400];

    uint64_t n;

    if (!hmf__length_of(w->types, (uint32_t)(y - w->types->v), flex, addr, &n))
        return hmf__fail(HMF_ERR_TYPE, "the length of a flexible array member is in no integer "
                         "field");
    if (n > HMF__MAX_SIZE ||
        (rc = hmf__walk_get_shape(w, flex->elem, n, 0, true, &shape)) == HMF_ERR_LIMIT)
        return hmf__fail(HMF_ERR_POINTER, "array %s has a length that is negative or far too large",
                         hmf__walk_path(w, c, f->offset, path, sizeof path));
    if (rc != HMF_OK)
        return rc;
    if (c < w->state->nvars &&
        w->shapes[shape].bytes > w->state->vars[c].var.size - f->offset)
        return hmf__fail(HMF_ERR_RANGE, "variable %s is registered with %zu bytes, too few for the "
                         "%llu elements that it has: register the whole of it",
                         w->state->vars[c].var.name, w->state->vars[c].var.size,
                         (unsigned long long)n);
    if (n && (rc = hmf__walk_find(w, addr + f->offset, shape, &tail.ref)) != HMF_OK)
        return rc;
    if (w->ntails == w->tails_cap) {
        rc = hmf__walk_grow(&w->tails, &w->tails_cap, w->ntails, w->ntails + 1, sizeof *w->tails);
        if (rc != HMF_OK)
            return rc;
    }
    w->tails[w->ntails++] = tail;
    w->unsure = true; /* it lies close to its head */
    return HMF_OK;
}

hmf_status_t hmf__walk_new_merge(struct hmf__walk *w, size_t c, const struct hmf__merge *m)
{
    hmf_status_t rc;

    if (w->nmerges == w->merges_cap &&
        (rc = hmf__walk_grow(&w->merges, &w->merges_cap, w->nmerges, w->nmerges + 1,
                             sizeof *w->merges)) != HMF_OK)
        return rc;
    w->merges[w->nmerges++] = *m;
    w->cands[c].merged = (uint32_t)w->nmerges;
    return HMF_OK;
}

/* Record that c is one past the end of an array and was not read. */
static hmf_status_t merge_end(struct hmf__walk *w, size_t c)
{
    return hmf__walk_new_merge(w, c, &(struct hmf__merge){.unread = true});
}

/* A weak pointer may lead to what was freed. */
static bool is_weak(const struct hmf__walk *w, const struct hmf__shape *s)
{
    return s->count == HMF__WALK_WEAK && w->types->v[s->type].kind == HMF__KIND_VOID;
}

/* An array of no elements: nothing of it is looked at, it may lead anywhere. */
static bool is_empty(const struct hmf__walk *w, const struct hmf__shape *s)
{
    return !s->count && w->types->v[s->type].kind != HMF__KIND_VOID;
}

/* Does the candidate lie in one heap block that is in use, if in the heap at all? */
static hmf_status_t check_block(struct hmf__walk *w, size_t c, const struct hmf__shape *s,
                                bool *skip)
{
    char why[120];
    uint64_t room;

    switch (hmf__walk_where(w, w->cands[c].addr, &room)) {
    case HMF__WHERE_INSIDE:
        if (s->bytes <= room)
            return HMF_OK;
        snprintf(why, sizeof why, "leads to %llu bytes, but the heap block there has only %llu",
                 (unsigned long long)s->bytes, (unsigned long long)room);
        return hmf__walk_bad(w, c, why);
    case HMF__WHERE_BEHIND: /* overlap.c tells of what, and if there is such an array */
        if (s->exact && w->types->v[s->type].kind != HMF__KIND_CSTRING)
            return hmf__walk_bad(w, c, "should have elements, but leads just behind a heap block");
        w->unsure = *skip = true;
        return merge_end(w, c);
    case HMF__WHERE_DEAD:
        return hmf__walk_bad(w, c, hmf__walk_freed);
    default:
        return HMF_OK;
    }
}

/* Is the candidate's memory there, and what of it has been seen?  *skip: it is not to be read. */
static hmf_status_t check_memory(struct hmf__walk *w, size_t c, const struct hmf__shape *s,
                                 bool *skip)
{
    const char *addr = w->cands[c].addr;
    hmf_status_t rc;

    if (s->nslots && hmf__walk_is_end(w, addr, s->type)) {
        w->unsure = *skip = true;
        return merge_end(w, c);
    }
    if (w->tracked && !is_weak(w, s) && !is_empty(w, s) &&
        (rc = check_block(w, c, s, skip)) != HMF_OK)
        return rc;
    if (*skip)
        return HMF_OK;
    if (s->bytes && !hmf__walk_readable(w, addr, s->bytes, NULL)) {
        /* one past the end of something at the end of a mapping? overlap.c will tell */
        w->unsure = *skip = true;
        if (!s->nslots)
            return HMF_OK;
        return hmf__walk_bad(w, c, "leads to memory that is not there: is it initialised?");
    }
    if (s->bytes)
        hmf__walk_cover(w, addr, s->bytes + s->tail);
    else
        w->unsure = true; /* void, or an array of no elements */
    return HMF_OK;
}

static hmf_status_t look_into(struct hmf__walk *w, size_t c)
{
    const char *addr = w->cands[c].addr;
    const struct hmf__shape s = w->shapes[w->cands[c].shape]; /* shapes may move */
    char *copy = c < w->batch_end ? w->copies[c - w->batch_begin] : NULL;
    bool skip = false;
    hmf_status_t rc;

    w->current = c;
    if (c >= w->state->nvars && (rc = check_memory(w, c, &s, &skip)) != HMF_OK)
        return rc;
    if (skip) {
        w->unstaged = true;
        return HMF_OK;
    }
    if (w->types->v[s.type].flex && (rc = look_behind(w, c, &w->types->v[s.type])) != HMF_OK)
        return rc;
    if (!s.nslots && !w->types->v[s.type].choice)
        return HMF_OK;
    if (!w->slots[s.type] && (rc = make_slots(w, s.type)) != HMF_OK)
        return rc;
    size_t need;
    if (hmf__add_overflow(w->nrefs, (size_t)s.nslots, &need))
        return hmf__fail(HMF_ERR_LIMIT, "too many pointers");
    if (need > w->refs_cap &&
        (rc = hmf__walk_grow(&w->refs, &w->refs_cap, w->nrefs, need, sizeof *w->refs)) != HMF_OK)
        return rc;
    const struct hmf__slots *p = w->slots[s.type];
    uint64_t each = w->types->v[s.type].size;
    if (!copy && p->flat && s.count && (rc = hmf__walk_copy(w, c, &s)) != HMF_OK)
        return rc;
    for (uint64_t i = 0; i < s.count; i++, addr += each) {
        if (!p->flat) {
            rc = hmf__slots_each(p, w->types, (char *)(uintptr_t)addr, visit_cb, w);
            if (rc != HMF_OK)
                return rc;
            continue;
        }
        const char *from = copy ? copy : addr;
        for (uint32_t k = 0; k < p->nops; k++)
            if ((rc = visit(w, addr + p->ops[k].offset, hmf__slot_load(from + p->ops[k].offset),
                            &p->ops[k], NULL)) != HMF_OK)
                return rc;
    }
    if (copy)
        hmf__padding_put(w->stages[s.type].words, w->stages[s.type].nwords, copy);
    return HMF_OK;
}

/* Variables are believed to be there.  Small ones share a grain: overlap.c compares them. */
static void cover_variables(struct hmf__walk *w)
{
    for (size_t i = 0; i < w->state->nvars; i++) {
        const struct hmf__shape *s = &w->shapes[w->cands[i].shape];
        hmf__walk_readable(w, w->cands[i].addr, s->bytes, NULL);
        if (s->bytes && s->bytes < HMF__WALK_SMALL) { /* where visit looks for them */
            struct hmf__region *r = hmf__walk_region(w, w->cands[i].addr);
            uint32_t *place = r ? &r->ids[((uintptr_t)w->cands[i].addr - r->lo) / HMF__GRAIN]
                                : NULL;
            if (place && !*place)
                *place = (uint32_t)(i + 1);
        }
        bool before = w->unsure;
        hmf__walk_cover(w, w->cands[i].addr, s->bytes + s->tail);
        if (w->last_region && w->last_region->cover)
            w->unsure = before;
    }
}

static hmf_status_t begin(struct hmf__walk *w, hmf_state_t *state)
{
    size_t size = 1024, expect = state->last_ncands > state->nvars ? state->last_ncands
                                                                     : state->nvars;
    uint32_t id;
    hmf_status_t rc;

    memset(w, 0, sizeof *w);
    w->state = state;
    w->types = &state->types;
    w->tracked = hmf__heap_on();
    if ((rc = hmf__types_classes(w->types)) != HMF_OK)
        return rc;
    if (!(w->slots = hmf__calloc(w->types->n, sizeof *w->slots)) ||
        !(w->stages = hmf__calloc(w->types->n, sizeof *w->stages)) ||
        !(w->in_rows = hmf__calloc(w->types->n, sizeof *w->in_rows)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory to look through %u types", w->types->n);
    if ((rc = hmf__walk_find_pointed(w)) != HMF_OK)
        return rc;
    while (size / 2 < state->nvars + 1)
        size *= 2;
    if ((rc = hmf__walk_rehash(w, size)) != HMF_OK ||
        (rc = hmf__walk_grow(&w->cands, &w->cands_cap, 0, expect + 1, sizeof *w->cands)) !=
            HMF_OK ||
        (rc = hmf__walk_grow(&w->refs, &w->refs_cap, 0, state->last_nrefs + 1, sizeof *w->refs)) !=
            HMF_OK)
        return rc;
    for (size_t i = 0; i < state->nvars; i++) {
        const struct hmf__var *v = &state->vars[i].var;
        uint32_t shape;
        if ((rc = hmf__walk_get_shape(w, v->type, v->count, 0, false, &shape)) != HMF_OK)
            return rc;
        if ((rc = hmf__walk_find_in_table(w, v->addr, shape, &id)) != HMF_OK)
            return rc;
    }
    return HMF_OK;
}

static bool has_pointers(const struct hmf__walk *w)
{
    for (size_t i = 0; i < w->state->nvars; i++) {
        const struct hmf__shape *s = &w->shapes[w->cands[i].shape];
        if (s->nslots || w->types->v[s->type].flex)
            return true;
    }
    return false;
}

hmf_status_t hmf__walk_run(struct hmf__walk *w, hmf_state_t *state)
{
    hmf_status_t rc = begin(w, state);

    if (rc != HMF_OK)
        return rc;
    size_t known = 0; /* candidates whose end is recorded */
    if (has_pointers(w))
        cover_variables(w);
    if (w->tracked && (rc = hmf__walk_check_variables(w)) != HMF_OK)
        return rc;
    for (size_t c = 0;; c++) {
        if (c == w->ncands && w->tracked && (rc = hmf__walk_extend(w)) != HMF_OK)
            return rc;
        if (c == w->ncands)
            break;
        if (w->rows)
            for (; known < w->ncands; known++)
                if (w->shapes[w->cands[known].shape].ends &&
                    (rc = hmf__walk_note_ends(w, &w->shapes[w->cands[known].shape],
                                              w->cands[known].addr)) != HMF_OK)
                    return rc;
        if (c == w->batch_end)
            hmf__walk_batch(w, c);
        if ((rc = look_into(w, c)) != HMF_OK)
            return rc;
    }
    state->last_ncands = w->ncands;
    state->last_nrefs = w->nrefs;
    hmf__walk_remember(w);
    return hmf__walk_overlaps(w);
}

void hmf__walk_fini(struct hmf__walk *w)
{
    for (uint32_t i = 0; w->slots && i < w->types->n; i++)
        if (w->slots[i]) {
            hmf__slots_fini(w->slots[i]);
            hmf__free(w->slots[i]);
        }
    hmf__free(w->slots);
    hmf__free(w->in_rows);
    hmf__free(w->about);
    hmf__walk_stages_free(w);
    hmf__big_free(w->cands, w->cands_cap * sizeof *w->cands);
    hmf__big_free(w->refs, w->refs_cap * sizeof *w->refs);
    hmf__big_free(w->merges, w->merges_cap * sizeof *w->merges);
    hmf__big_free(w->tails, w->tails_cap * sizeof *w->tails);
    hmf__free(w->tail_bits);
    hmf__big_free(w->table, w->table_size * sizeof *w->table);
    hmf__free(w->shapes);
    hmf__free(w->shape_table);
    hmf__free(w->ends);
    hmf__walk_regions_free(w);
    memset(w, 0, sizeof *w);
}
