/* Ends of arrays: where a pointer may lead that is one past the end; see walk.h.
 *
 * What stands at such an address must not be looked into where the elements hold pointers, so these
 * ends are in a hash table, also those of arrays within other things.  Only types that some pointer
 * without a length leads to count: a length says that something is there.
 */
#include "config.h"

#include "walk.h"

#include "base.h"

#include <string.h>

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

static hmf_status_t add_end(struct hmf__walk *w, const char *addr, uint32_t type)
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
    put_end(w->ends, w->ends_size - 1, (struct hmf__end){(uintptr_t)addr, type});
    w->nends++;
    return HMF_OK;
}

/* ---- what is known of a type ---- */

enum { KNOWN = 1, POINTED = 2, INNER = 4, TAIL = 8 };

static bool is_char(const struct hmf__type *y)
{
    return (y->kind == HMF__KIND_INT && y->size == 1) || y->kind == HMF__KIND_FSTRING;
}

hmf_status_t hmf__walk_find_pointed(struct hmf__walk *w)
{
    const struct hmf__types *t = w->types;
    uint64_t count;
    uint32_t elem;

    if (!(w->about = hmf__calloc(t->n, sizeof *w->about)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory to look through %u types", t->n);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct hmf__type *y = &t->v[i];
        if (y->kind != HMF__KIND_POINTER || y->weak || y->len != HMF__LEN_FIXED)
            continue;
        hmf__types_flatten(t, y->elem, &elem, &count);
        w->about[t->classes[elem]] |= POINTED;
        w->chars_pointed |= is_char(&t->v[elem]);
    }
    return HMF_OK;
}

static bool pointed(const struct hmf__walk *w, uint32_t type)
{
    return w->about[w->types->classes[type]] & POINTED ||
           (w->chars_pointed && is_char(&w->types->v[type]));
}

/* What holds for an element of this type, nested by value: INNER, some array of things with
 * pointers has an end that a pointer may lead to; TAIL, it ends with an array that has one. */
static uint8_t about(struct hmf__walk *w, uint32_t id)
{
    const struct hmf__type *y = &w->types->v[id];
    uint64_t count;
    uint32_t elem;

    if (w->about[id] & KNOWN)
        return w->about[id];
    w->about[id] |= KNOWN;
    if (y->kind == HMF__KIND_ARRAY) {
        hmf__types_flatten(w->types, id, &elem, &count);
        uint8_t of = about(w, elem) & (INNER | TAIL);
        if (pointed(w, elem) && count > 1)
            of |= TAIL | (w->types->v[elem].nslots ? INNER : 0);
        w->about[id] |= of;
    } else if (y->kind == HMF__KIND_FSTRING) {
        w->about[id] |= w->chars_pointed ? TAIL : 0;
    } else if (y->kind == HMF__KIND_STRUCT || y->kind == HMF__KIND_UNION) {
        uint8_t all = 0;
        for (uint32_t f = 0; f < y->nfields; f++) {
            uint8_t of = about(w, y->fields[f].type);
            bool last = y->fields[f].offset + w->types->v[y->fields[f].type].size == y->size;
            all |= (of & INNER) | (last ? of & TAIL : 0);
        }
        w->about[id] |= all;
    }
    return w->about[id];
}

void hmf__walk_shape_ends(struct hmf__walk *w, struct hmf__shape *s)
{
    uint8_t of = about(w, s->type);
    bool array = (s->count > 1 || s->exact) && pointed(w, s->type);

    s->tail = s->count && (array || s->count > 1 || of & TAIL);
    s->ends = s->nslots && (array || of & INNER);
    if (s->ends)
        w->rows = true;
    if (array && s->nslots)
        w->in_rows[s->type] = true;
}

/* Ends of the arrays within an element. */
static hmf_status_t add_inner(struct hmf__walk *w, uint32_t id, const char *addr)
{
    const struct hmf__type *y = &w->types->v[id];
    hmf_status_t rc = HMF_OK;
    uint64_t count;
    uint32_t elem;

    if (!(about(w, id) & INNER))
        return HMF_OK;
    if (y->kind != HMF__KIND_ARRAY) {
        for (uint32_t f = 0; f < y->nfields && rc == HMF_OK; f++)
            rc = add_inner(w, y->fields[f].type, addr + y->fields[f].offset);
        return rc;
    }
    hmf__types_flatten(w->types, id, &elem, &count);
    for (uint64_t i = 0; i < count && rc == HMF_OK && about(w, elem) & INNER; i++)
        rc = add_inner(w, elem, addr + i * w->types->v[elem].size);
    if (rc != HMF_OK || !pointed(w, elem) || !w->types->v[elem].nslots || count < 2)
        return rc;
    elem = w->types->classes[elem];
    w->in_rows[elem] = true;
    return add_end(w, addr + y->size, elem);
}

hmf_status_t hmf__walk_note_ends(struct hmf__walk *w, const struct hmf__shape *s, const char *addr)
{
    hmf_status_t rc = HMF_OK;

    if (s->count > 1 || s->exact)
        rc = add_end(w, addr + s->bytes, s->type);
    for (uint64_t i = 0; i < s->count && rc == HMF_OK && about(w, s->type) & INNER; i++)
        rc = add_inner(w, s->type, addr + i * w->types->v[s->type].size);
    return rc;
}
