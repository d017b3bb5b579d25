/* The worklist walk; see walk.h.  Overlaps are sorted out in overlap.c, paths made in walkpath.c. */
#include "config.h"

#include "walk.h"

#include "base.h"
#include "depend.h"
#include "function.h"
#include "handle.h"
#include "heap.h"
#include "statepriv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    SMALL = 4096,         /* bytes of candidates that go into the regions' ids */
    NO_SHAPE = UINT32_MAX
};
#define GOLDEN 0x9e3779b97f4a7c15u

/* ---- growing arrays; big ones come from huge pages ---- */

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

/* ---- shapes ---- */

static uint32_t shape_hash(uint32_t type, uint64_t count, uint64_t inner, bool exact)
{
    return (uint32_t)(((count + inner * 31 + exact) * 0x9e3779b1u + type) * GOLDEN >> 32);
}

static hmf_status_t rehash_shapes(struct hmf__walk *w)
{
    uint32_t size = w->shape_mask ? 2 * (w->shape_mask + 1) : 64;
    uint32_t *table = hmf__calloc(size, sizeof *table);

    if (!table)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for %u shapes of blocks", w->nshapes);
    for (uint32_t i = 0; i < w->nshapes; i++) {
        const struct hmf__shape *s = &w->shapes[i];
        uint32_t h = shape_hash(s->type, s->count, s->inner, s->exact) & (size - 1);
        while (table[h])
            h = (h + 1) & (size - 1);
        table[h] = i + 1;
    }
    hmf__free(w->shape_table);
    w->shape_table = table;
    w->shape_mask = size - 1;
    return HMF_OK;
}

hmf_status_t hmf__walk_shape(struct hmf__walk *w, uint32_t type, uint64_t count, uint64_t inner,
                             bool exact, uint32_t *out)
{
    struct hmf__shape s = {.count = count, .inner = inner, .type = type, .exact = exact};
    const struct hmf__type *y = &w->types->v[type];
    hmf_status_t rc;

    if (hmf__mul_overflow_u64(count, y->size, &s.bytes) || s.bytes > HMF__MAX_SIZE)
        return hmf__fail(HMF_ERR_LIMIT, "a block of %llu elements is too large",
                         (unsigned long long)count);
    s.nslots = s.count * y->nslots;
    if (2 * (w->nshapes + 1) > w->shape_mask && (rc = rehash_shapes(w)) != HMF_OK)
        return rc;
    uint32_t h = shape_hash(s.type, s.count, s.inner, s.exact) & w->shape_mask;
    for (; w->shape_table[h]; h = (h + 1) & w->shape_mask) {
        const struct hmf__shape *have = &w->shapes[w->shape_table[h] - 1];
        if (have->type == s.type && have->count == s.count && have->inner == s.inner &&
            have->exact == s.exact) {
            *out = w->shape_table[h] - 1;
            return HMF_OK;
        }
    }
    if (w->nshapes == w->shapes_cap) {
        uint32_t cap = w->shapes_cap ? 2 * w->shapes_cap : 32;
        void *v = hmf__realloc(w->shapes, cap * sizeof *w->shapes);
        if (!v)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for %u shapes of blocks", cap);
        w->shapes = v;
        w->shapes_cap = cap;
    }
    if (s.nslots && s.count > 1)
        w->rows = w->in_rows[type] = true;
    w->shapes[w->nshapes] = s;
    *out = w->nshapes++;
    w->shape_table[h] = w->nshapes;
    return HMF_OK;
}

/* The shape of `count` objects of type id, which may be an array. */
static hmf_status_t get_shape(struct hmf__walk *w, uint32_t id, uint64_t count, uint64_t inner,
                              bool exact, uint32_t *out)
{
    uint64_t each;
    uint32_t elem;

    hmf__types_flatten(w->types, id, &elem, &each);
    if (hmf__mul_overflow_u64(count, each, &each))
        return hmf__fail(HMF_ERR_LIMIT, "a block of %llu elements is too large",
                         (unsigned long long)count);
    return hmf__walk_shape(w, w->types->classes[elem], each, inner,
                           exact && w->tracked && each == 1, out);
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
            op->target = NO_SHAPE; /* it is found at each pointer */
        else if ((rc = get_shape(w, elem, count, 0, false, &op->target)) != HMF_OK)
            return rc;
        else
            op->small = w->shapes[op->target].bytes < SMALL && w->shapes[op->target].bytes;
    }
    return HMF_OK;
}

/* ---- address -> candidate ---- */

static size_t home(const struct hmf__walk *w, const void *addr)
{
    return (size_t)((uint64_t)(uintptr_t)addr * GOLDEN >> w->table_shift);
}

static void put_id(const struct hmf__walk *w, uint32_t *table, size_t size, uint32_t id)
{
    size_t h = home(w, w->cands[id - 1].addr);

    while (table[h])
        h = (h + 1) & (size - 1);
    table[h] = id;
}

static hmf_status_t rehash(struct hmf__walk *w, size_t size)
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

/* A new candidate; the caller has found its place in ids or table. */
static inline hmf_status_t add_cand(struct hmf__walk *w, const void *addr, uint32_t shape)
{
    if (__builtin_expect(w->ncands == w->cands_cap, 0)) {
        if (w->ncands >= UINT32_MAX - 2)
            return hmf__fail(HMF_ERR_LIMIT, "the state has more than 4294967293 blocks");
        hmf_status_t rc = hmf__walk_grow(&w->cands, &w->cands_cap, w->ncands, w->ncands + 1,
                                   sizeof *w->cands);
        if (rc != HMF_OK)
            return rc;
    }
    w->cands[w->ncands++] = (struct hmf__cand){addr, shape, 0};
    return HMF_OK;
}

/* The candidate (addr, shape) by the hash table; added if it is new.  *id: 1 + its number. */
static hmf_status_t find_in_table(struct hmf__walk *w, const char *q, uint32_t shape, uint32_t *id)
{
    size_t h = home(w, q), mask = w->table_size - 1;
    hmf_status_t rc;

    for (; (*id = w->table[h]); h = (h + 1) & mask)
        if (w->cands[*id - 1].addr == q && w->cands[*id - 1].shape == shape)
            return HMF_OK;
    if ((rc = add_cand(w, q, shape)) != HMF_OK)
        return rc;
    *id = w->table[h] = (uint32_t)w->ncands;
    if (2 * ++w->table_used > w->table_size)
        return rehash(w, 2 * w->table_size);
    return HMF_OK;
}

hmf_status_t hmf__walk_add(struct hmf__walk *w, const char *addr, uint32_t shape)
{
    uint32_t id;

    return find_in_table(w, addr, shape, &id);
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

/* ---- ends of arrays of things with pointers ---- */

static size_t end_hash(uintptr_t addr, uint32_t type)
{
    return (size_t)((((uint64_t)addr ^ type) * GOLDEN) >> 32);
}

static bool is_end(const struct hmf__walk *w, const void *addr, uint32_t type)
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

static hmf_status_t add_end(struct hmf__walk *w, const struct hmf__shape *s, const char *addr)
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

/* ---- the walk itself ---- */

static const char freed[] = "leads into the heap where no block is in use: was it freed, or never "
                            "set?";

static hmf_status_t bad_pointer(struct hmf__walk *w, const char *slot, const void *target,
                                const char *why)
{
    char path[400];

    return hmf__fail(HMF_ERR_POINTER, "pointer %s = %p %s",
                     hmf__walk_path(w, w->current, (uint64_t)(slot - w->cands[w->current].addr),
                                    path, sizeof path), target, why);
}

hmf_status_t hmf__walk_bad(struct hmf__walk *w, size_t c, const char *why)
{
    char path[400];

    return hmf__fail(HMF_ERR_POINTER, "pointer %s = %p %s",
                     hmf__walk_path(w, c, UINT64_MAX, path, sizeof path),
                     (const void *)w->cands[c].addr, why);
}

/* The shape behind a pointer to a string. */
static hmf_status_t string_shape(struct hmf__walk *w, const char *slot, const char *q,
                                 uint32_t type, uint32_t *out)
{
    uint64_t room;

    if (!hmf__walk_readable(w, q, 1, &room))
        return bad_pointer(w, slot, q, "leads to memory that is not there: is it initialised?");
    if (w->tracked) {
        uint64_t in_block = room;
        enum hmf__where place = hmf__walk_where(w, q, &in_block);
        if (place == HMF__WHERE_DEAD)
            return bad_pointer(w, slot, q, freed);
        room = in_block < room ? in_block : room;
    }
    size_t max = room > SIZE_MAX ? SIZE_MAX : (size_t)room, len = strnlen(q, max);
    if (len == max)
        return bad_pointer(w, slot, q, "should be a string, but no NUL ends it");
    return get_shape(w, type, len + 1, 0, true, out);
}

/* A length from the field that holds it. */
static hmf_status_t load_length(struct hmf__walk *w, const char *slot,
                                const struct hmf__slotop *op, const struct hmf__slot_length *l,
                                const struct hmf__slot_frame *frame, const char *q, uint64_t *out)
{
    uint64_t n = hmf__slot_number(l, slot, op, frame);

    if (n > HMF__MAX_SIZE)
        return bad_pointer(w, slot, q, "has a length that is negative or far too large");
    *out = n;
    return HMF_OK;
}

/* The shape behind a pointer whose elements are counted at run time. */
static hmf_status_t counted_shape(struct hmf__walk *w, const char *slot,
                                  const struct hmf__slotop *op,
                                  const struct hmf__slot_frame *frame, const char *q,
                                  uint32_t *out)
{
    uint64_t count = 1, inner = 0;
    hmf_status_t rc;

    if (op->length.place.size &&
        (rc = load_length(w, slot, op, &op->length, frame, q, &count)) != HMF_OK)
        return rc;
    if (op->inner.place.size &&
        (rc = load_length(w, slot, op, &op->inner, frame, q, &inner)) != HMF_OK)
        return rc;
    if (op->outer)
        count = w->shapes[w->cands[w->current].shape].inner;
    rc = get_shape(w, w->types->v[op->type].elem, count, inner, op->length.place.size || op->outer,
                   out);
    return rc == HMF_ERR_LIMIT ? bad_pointer(w, slot, q, "has a length that is far too large") : rc;
}

static hmf_status_t special_shape(struct hmf__walk *w, const char *slot,
                                  const struct hmf__slotop *op,
                                  const struct hmf__slot_frame *frame, const char **q,
                                  uint32_t *out)
{
    uint32_t elem = w->types->v[op->type].elem;

    if (op->function) { /* the name stands for it */
        hmf_function_t f;
        memcpy(&f, slot, sizeof f);
        const char *name = hmf__function_name(f);
        if (!name)
            return bad_pointer(w, slot, *q, "is a function without a name: see "
                               "hmf_function_define, or link with -rdynamic");
        *q = name;
    }
    if (op->handle) { /* a text stands for it */
        const char *text;
        char path[400];
        hmf_status_t rc = hmf__handle_text(op->handle, *q, &text);
        if (rc != HMF_OK)
            return hmf__fail_prefix(rc, "%s", hmf__walk_path(w, w->current, (uint64_t)(slot -
                                    w->cands[w->current].addr), path, sizeof path));
        *q = text;
    }
    if (w->types->v[elem].kind == HMF__KIND_CSTRING)
        return string_shape(w, slot, *q, elem, out);
    return counted_shape(w, slot, op, frame, *q, out);
}

/* The candidate (q, shape), added if it is new, where visit would find it.  *id: 1 + its number. */
static hmf_status_t find_cand(struct hmf__walk *w, const char *q, uint32_t shape, uint32_t *id)
{
    const struct hmf__shape *s = &w->shapes[shape];

    if (s->bytes && s->bytes < SMALL) {
        struct hmf__region *r = hmf__walk_region(w, q);
        uint32_t *place = r ? &r->ids[((uintptr_t)q - r->lo) / HMF__GRAIN] : NULL;
        if (place && !*place) {
            hmf_status_t rc = add_cand(w, q, shape);
            if (rc != HMF_OK)
                return rc;
            *place = (uint32_t)w->ncands;
        }
        if (place && w->cands[*place - 1].addr == q && w->cands[*place - 1].shape == shape) {
            *id = *place;
            return HMF_OK;
        }
    }
    return find_in_table(w, q, shape, id);
}

/* What is not found at once: another region, a grain that another candidate has, large blocks. */
__attribute__((noinline)) static hmf_status_t visit_rare(struct hmf__walk *w, const char *slot,
                                                         const struct hmf__slotop *op,
                                                         const struct hmf__slot_frame *frame,
                                                         const char *q)
{
    uint32_t shape = op->target, id;
    hmf_status_t rc;

    if (shape == NO_SHAPE && (rc = special_shape(w, slot, op, frame, &q, &shape)) != HMF_OK)
        return rc;
    if ((rc = find_cand(w, q, shape, &id)) == HMF_OK)
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
        hmf_status_t rc = add_cand(w, q, op->target);
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
    if (n > HMF__MAX_SIZE || (rc = get_shape(w, flex->elem, n, 0, true, &shape)) == HMF_ERR_LIMIT)
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
    if (n && (rc = find_cand(w, addr + f->offset, shape, &tail.ref)) != HMF_OK)
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

/* Record that c is one past the end of an array and was not read. */
static hmf_status_t merge_end(struct hmf__walk *w, size_t c)
{
    if (w->nmerges == w->merges_cap) {
        hmf_status_t rc = hmf__walk_grow(&w->merges, &w->merges_cap, w->nmerges, w->nmerges + 1,
                                   sizeof *w->merges);
        if (rc != HMF_OK)
            return rc;
    }
    w->merges[w->nmerges++] = (struct hmf__merge){.unread = true};
    w->cands[c].merged = (uint32_t)w->nmerges;
    return HMF_OK;
}

/* A weak pointer may lead to what was freed. */
static bool is_weak(const struct hmf__walk *w, const struct hmf__shape *s)
{
    return s->count == HMF__WALK_WEAK && w->types->v[s->type].kind == HMF__KIND_VOID;
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
        w->unsure = *skip = true;
        return merge_end(w, c);
    case HMF__WHERE_DEAD:
        return hmf__walk_bad(w, c, freed);
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

    if (s->nslots && is_end(w, addr, s->type)) {
        w->unsure = *skip = true;
        return merge_end(w, c);
    }
    if (w->tracked && !is_weak(w, s) && (rc = check_block(w, c, s, skip)) != HMF_OK)
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
        hmf__walk_cover(w, addr, s->bytes + (s->count > 1));
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
    for (uint32_t k = 0; copy && k < p->nops; k++)
        hmf__slot_store(copy + p->ops[k].offset, NULL);
    return HMF_OK;
}

/* Variables are believed to be there.  Small ones share a grain: overlap.c compares them. */
static void cover_variables(struct hmf__walk *w)
{
    for (size_t i = 0; i < w->state->nvars; i++) {
        const struct hmf__shape *s = &w->shapes[w->cands[i].shape];
        hmf__walk_readable(w, w->cands[i].addr, s->bytes, NULL);
        if (s->bytes && s->bytes < SMALL) { /* where visit looks for them */
            struct hmf__region *r = hmf__walk_region(w, w->cands[i].addr);
            uint32_t *place = r ? &r->ids[((uintptr_t)w->cands[i].addr - r->lo) / HMF__GRAIN]
                                : NULL;
            if (place && !*place)
                *place = (uint32_t)(i + 1);
        }
        bool before = w->unsure;
        hmf__walk_cover(w, w->cands[i].addr, s->bytes + (s->count > 1));
        if (w->last_region && w->last_region->cover)
            w->unsure = before;
    }
}

static bool holds_pointers_in_row(const struct hmf__walk *w, size_t c)
{
    const struct hmf__shape *s = &w->shapes[w->cands[c].shape];

    return s->nslots && s->count > 1;
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
    while (size / 2 < state->nvars + 1)
        size *= 2;
    if ((rc = rehash(w, size)) != HMF_OK ||
        (rc = hmf__walk_grow(&w->cands, &w->cands_cap, 0, expect + 1, sizeof *w->cands)) !=
            HMF_OK ||
        (rc = hmf__walk_grow(&w->refs, &w->refs_cap, 0, state->last_nrefs + 1, sizeof *w->refs)) !=
            HMF_OK)
        return rc;
    for (size_t i = 0; i < state->nvars; i++) {
        const struct hmf__var *v = &state->vars[i].var;
        uint32_t shape;
        if ((rc = get_shape(w, v->type, v->count, 0, false, &shape)) != HMF_OK)
            return rc;
        if ((rc = find_in_table(w, v->addr, shape, &id)) != HMF_OK)
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
                if (holds_pointers_in_row(w, known) &&
                    (rc = add_end(w, &w->shapes[w->cands[known].shape],
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
