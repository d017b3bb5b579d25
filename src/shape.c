/* What pointers lead to, as shapes (an element type and a count); see walk.h.  Most shapes
 * are told by a type alone; those of strings, counted pointers, functions and handles here, at
 * each pointer. */
#include "config.h"

#include "walk.h"

#include "base.h"
#include "function.h"
#include "handle.h"

#include <stdio.h>
#include <string.h>

static uint32_t shape_hash(uint32_t type, uint64_t count, uint64_t inner, bool exact)
{
    return (uint32_t)(((count + inner * 31 + exact) * 0x9e3779b1u + type) * HMF__GOLDEN >> 32);
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
    hmf__walk_shape_ends(w, &s);
    w->shapes[w->nshapes] = s;
    *out = w->nshapes++;
    w->shape_table[h] = w->nshapes;
    return HMF_OK;
}

hmf_status_t hmf__walk_get_shape(struct hmf__walk *w, uint32_t id, uint64_t count, uint64_t inner,
                                 bool exact, uint32_t *out)
{
    uint64_t each;
    uint32_t elem;

    hmf__types_flatten(w->types, id, &elem, &each);
    if (hmf__mul_overflow_u64(count, each, &each))
        return hmf__fail(HMF_ERR_LIMIT, "a block of %llu elements is too large",
                         (unsigned long long)count);
    return hmf__walk_shape(w, w->types->classes[elem], each, inner,
                           exact, out);
}

const char hmf__walk_freed[] = "leads into the heap where no block is in use: was it freed, or "
                               "never set?";

static hmf_status_t bad_pointer(struct hmf__walk *w, const char *slot, const void *target,
                                const char *why)
{
    char path[400];

    return hmf__fail(HMF_ERR_POINTER, "pointer %s = %p %s",
                     hmf__walk_path(w, w->current, (uint64_t)(slot - w->cands[w->current].addr),
                                    path, sizeof path),
                     target, why);
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
            return bad_pointer(w, slot, q, hmf__walk_freed);
        room = in_block < room ? in_block : room;
    }
    size_t max = room > SIZE_MAX ? SIZE_MAX : (size_t)room, len = strnlen(q, max);
    if (len == max)
        return bad_pointer(w, slot, q, "should be a string, but no NUL ends it");
    return hmf__walk_get_shape(w, type, len + 1, 0, true, out);
}

/* A length from the field that holds it. */
static hmf_status_t load_length(struct hmf__walk *w, const char *slot, const struct hmf__slotop *op,
                                const struct hmf__slot_length *l,
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
                                  const struct hmf__slotop *op, const struct hmf__slot_frame *frame,
                                  const char *q, uint32_t *out)
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
    rc = hmf__walk_get_shape(w, w->types->v[op->type].elem, count, inner,
                             op->length.place.size || op->outer, out);
    return rc == HMF_ERR_LIMIT ? bad_pointer(w, slot, q, "has a length that is far too large") : rc;
}

hmf_status_t hmf__walk_special_shape(struct hmf__walk *w, const char *slot,
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
            return bad_pointer(w, slot, *q,
                               "is a function without a name: see "
                               "hmf_function_define, or link with -rdynamic");
        *q = name;
    }
    if (op->handle) { /* a text stands for it */
        const char *text;
        char path[400];
        hmf_status_t rc = hmf__handle_text(op->handle, *q, &text);
        if (rc != HMF_OK)
            return hmf__fail_prefix(rc, "%s",
                                    hmf__walk_path(w, w->current,
                                                   (uint64_t)(slot - w->cands[w->current].addr),
                                                   path, sizeof path));
        *q = text;
    }
    if (w->types->v[elem].kind == HMF__KIND_CSTRING)
        return string_shape(w, slot, *q, elem, out);
    return counted_shape(w, slot, op, frame, *q, out);
}
