/* Are a writer's and a reader's type the same but for layout?  A worklist of pairs, so that
 * recursive types end. */
#include "config.h"

#include "plan.h"

#include "base.h"

#include <string.h>

struct pair {
    uint32_t w, r;
};

struct matcher {
    const struct hmf__types *w, *r;
    uint32_t *map;
    struct pair *todo;
    size_t n, cap;
};

static hmf_status_t push(struct matcher *m, uint32_t w, uint32_t r)
{
    if (m->n == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 32;
        void *v = hmf__realloc(m->todo, cap * sizeof *m->todo);
        if (!v)
            return hmf__fail(HMF_ERR_NOMEM, "no memory to compare types");
        m->todo = v;
        m->cap = cap;
    }
    m->todo[m->n++] = (struct pair){w, r};
    return HMF_OK;
}

static hmf_status_t differ(const struct matcher *m, struct pair p)
{
    char a[160], b[160];

    return hmf__fail(HMF_ERR_MISMATCH, "saved as %s, registered as %s",
                     hmf__type_text(m->w, p.w, a, sizeof a),
                     hmf__type_text(m->r, p.r, b, sizeof b));
}

static hmf_status_t match_fields(struct matcher *m, struct pair p)
{
    const struct hmf__type *a = &m->w->v[p.w], *b = &m->r->v[p.r];
    hmf_status_t rc = HMF_OK;

    for (uint32_t f = 0; f < a->nfields && rc == HMF_OK; f++) {
        struct pair q = {a->fields[f].type, b->fields[f].type};
        const struct hmf__type *x = &m->w->v[q.w], *y = &m->r->v[q.r];
        if (x->kind != y->kind || (x->count != y->count && x->kind != HMF__KIND_BITS) ||
            x->unnamed != y->unnamed ||
            (!x->nfields && x->elem == HMF__TYPE_NONE && x->number != y->number))
            return hmf__fail_prefix(differ(m, q), "field %s", b->fields[f].name);
        if (x->kind != HMF__KIND_BITS) /* their values must fit, not their widths */
            rc = push(m, q.w, q.r);
    }
    return rc;
}

/* Does the same discriminant select the same branches? */
static bool same_choice(const struct hmf__type *a, const struct hmf__type *b)
{
    bool same = a->len == b->len && a->len_field == b->len_field && a->len_up == b->len_up &&
                a->otherwise == b->otherwise && a->nexpr == b->nexpr &&
                (!a->nexpr || !memcmp(a->expr, b->expr, a->nexpr * sizeof *a->expr));

    for (uint32_t f = 0; f < a->nfields; f++)
        same &= a->fields[f].value == b->fields[f].value;
    return same;
}

static hmf_status_t match_pair(struct matcher *m, struct pair p)
{
    const struct hmf__type *a = &m->w->v[p.w], *b = &m->r->v[p.r];
    uint32_t representative = m->r->classes[p.r];
    uint64_t na, nb;

    if (m->map[p.w] == representative)
        return HMF_OK;
    if (m->map[p.w] != HMF__TYPE_NONE)
        return hmf__fail_prefix(differ(m, p), "one saved type stands for two registered ones");
    m->map[p.w] = representative;
    if (a->kind != b->kind || a->nfields != b->nfields)
        return differ(m, p);
    switch (a->kind) {
    case HMF__KIND_ARRAY:
        return a->count == b->count ? push(m, a->elem, b->elem) : differ(m, p);
    case HMF__KIND_HANDLE:
        if (a->number != b->number)
            return differ(m, p);
        return push(m, a->elem, b->elem);
    case HMF__KIND_POINTER:
    case HMF__KIND_FUNCTION:
        hmf__types_flatten(m->w, a->elem, &p.w, &na);
        hmf__types_flatten(m->r, b->elem, &p.r, &nb);
        return push(m, p.w, p.r);
    case HMF__KIND_STRUCT:
        return match_fields(m, p);
    case HMF__KIND_UNION:
        return same_choice(a, b) ? match_fields(m, p) : differ(m, p);
    case HMF__KIND_FLEX:
        return a->len_field == b->len_field ? push(m, a->elem, b->elem) : differ(m, p);
    case HMF__KIND_FSTRING:
    case HMF__KIND_OPAQUE:
        return a->count == b->count ? HMF_OK : differ(m, p);
    case HMF__KIND_CSTRING:
    case HMF__KIND_VOID:
    case HMF__KIND_TRANSIENT: /* what is not saved may be anything */
        return HMF_OK;
    default:
        return a->number == b->number ? HMF_OK : differ(m, p);
    }
}

hmf_status_t hmf__types_match(const struct hmf__types *w, uint32_t wid,
                              const struct hmf__types *r, uint32_t rid, uint32_t *map)
{
    struct matcher m = {.w = w, .r = r, .map = map};
    hmf_status_t rc = push(&m, wid, rid);

    while (rc == HMF_OK && m.n)
        rc = match_pair(&m, m.todo[--m.n]);
    hmf__free(m.todo);
    return rc;
}
