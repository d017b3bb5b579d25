/* Masks of elements, and the walk over a type that makes them; see padding.h. */
#include "config.h"

#include "padding.h"

#include "base.h"
#include "depend.h"

enum {
    MASKED = 4096, /* bytes of an element that gets a mask */
    REPEAT = 4096  /* bytes that a mask of small elements is repeated up to */
};

struct mask {
    uint32_t type;
    size_t bytes; /* whole elements */
    unsigned char *v;
};

struct hmf__padding {
    const struct hmf__types *t;
    uint32_t type;
    struct mask *masks; /* of the type itself, if it is small; else of the small ones in it */
    size_t nmasks;
    struct hmf__padding_word *words; /* of the first mask */
    uint32_t nwords;
    uint8_t *known; /* per type, so far as asked for: DENSE, HOLEY */
};

enum { DENSE = 1, HOLEY = 2 };

/* Bytes of a long double that hold its value. */
static uint64_t value_bytes(const struct hmf__types *t, uint64_t size)
{
    return t->abi.ldouble == HMF__LD_X87 && size > 10 ? 10 : size;
}

static bool dense(struct hmf__padding *p, uint32_t id);

/* Asks for all parts, even if the first has told. */
static bool find_dense(struct hmf__padding *p, uint32_t id)
{
    const struct hmf__types *t = p->t;
    const struct hmf__type *y = &t->v[id];
    uint64_t at = 0, scalar = y->kind == HMF__KIND_COMPLEX ? y->size / 2 : y->size;
    bool good = true;

    switch (y->kind) {
    case HMF__KIND_ARRAY:
        return dense(p, y->elem);
    case HMF__KIND_STRUCT:
        for (uint32_t f = 0; f < y->nfields; f++) {
            good &= dense(p, y->fields[f].type) && y->fields[f].offset == at;
            at += t->v[y->fields[f].type].size;
        }
        return good && at == y->size;
    case HMF__KIND_UNION:
        for (uint32_t f = 0; f < y->nfields; f++)
            good &= dense(p, y->fields[f].type) && t->v[y->fields[f].type].size == y->size;
        return good;
    case HMF__KIND_BITS:
    case HMF__KIND_TRANSIENT:
    case HMF__KIND_POINTER:
    case HMF__KIND_FUNCTION:
    case HMF__KIND_HANDLE:
        return false;
    case HMF__KIND_FLOAT:
    case HMF__KIND_COMPLEX:
        return !hmf__type_is_ldouble(y) || value_bytes(t, scalar) == scalar;
    default:
        return true;
    }
}

/* Are all bits of an element values?  After all was asked once, nothing is written here. */
static bool dense(struct hmf__padding *p, uint32_t id)
{
    if (!p->known[id])
        p->known[id] = find_dense(p, id) ? DENSE : HOLEY;
    return p->known[id] == DENSE;
}

/* ---- clearing by the type ---- */

/* Bytes [lo, hi) of the element are to be cleared, at `to`, which stands for its first byte. */
struct range {
    const struct hmf__padding *p;
    const char *element; /* where discriminants are read; NULL: a mask is being made */
    char *to;
    uint64_t lo, hi;
    struct hmf__around around[HMF__MAX_DEPTH + 1];
    int naround;
};

static void zero(const struct range *r, uint64_t from, uint64_t to)
{
    from = from > r->lo ? from : r->lo;
    to = to < r->hi ? to : r->hi;
    if (from < to)
        memset(r->to + from, 0, (size_t)(to - from));
}

static void keep_bits(const struct range *r, uint64_t at, unsigned char mask)
{
    if (at >= r->lo && at < r->hi)
        r->to[at] = (char)(r->to[at] & mask);
}

static const struct mask *mask_of(const struct hmf__padding *p, uint32_t type)
{
    for (size_t i = 0; i < p->nmasks; i++)
        if (p->masks[i].type == type)
            return &p->masks[i];
    return NULL;
}

/* Mask bytes [at, end) of the element, as far as they are in the range. */
static void apply(const struct range *r, const struct mask *m, uint64_t at, uint64_t end)
{
    uint64_t from = at > r->lo ? at : r->lo, to = end < r->hi ? end : r->hi;

    for (size_t n, in; from < to; from += n) {
        in = (size_t)((from - at) % m->bytes);
        n = m->bytes - in < to - from ? m->bytes - in : (size_t)(to - from);
        hmf__padding_apply(m->v + in, r->to + from, n);
    }
}

static void clear(struct range *r, uint32_t id, uint64_t at);

static void clear_array(struct range *r, const struct hmf__type *y, uint64_t at)
{
    const struct mask *m = r->element ? mask_of(r->p, y->elem) : NULL;
    uint64_t each = r->p->t->v[y->elem].size, end = at + y->size;

    if (m) {
        apply(r, m, at, end);
        return;
    }
    if (at < r->lo)
        at += (r->lo - at) / each * each;
    for (; at < end && at < r->hi; at += each)
        clear(r, y->elem, at);
}

/* The first field of a run of bit-fields is f; returns the one behind it, *end: its first byte. */
static uint32_t clear_bits(const struct range *r, const struct hmf__type *y, uint32_t f, uint64_t at,
                           uint64_t *end)
{
    const struct hmf__types *t = r->p->t;
    uint64_t byte = y->fields[f].offset;
    unsigned char mask = 0;

    for (; f < y->nfields && t->v[y->fields[f].type].kind == HMF__KIND_BITS; f++) {
        const struct hmf__type *x = &t->v[y->fields[f].type];
        uint64_t bit = 8 * y->fields[f].offset + (uint64_t)y->fields[f].value;
        for (uint64_t n = x->unnamed ? 0 : x->count; n; n--, bit++) {
            for (; byte < bit / 8; byte++, mask = 0)
                keep_bits(r, at + byte, mask);
            mask |= (unsigned char)(t->abi.big_endian ? 0x80 >> bit % 8 : 1 << bit % 8);
        }
    }
    if (mask)
        keep_bits(r, at + byte++, mask);
    *end = byte;
    return f;
}

static void clear_struct(struct range *r, uint32_t id, uint64_t at)
{
    const struct hmf__type *y = &r->p->t->v[id];
    uint64_t done = 0; /* up to there all is as it should be */

    r->around[r->naround++] = (struct hmf__around){id, at};
    for (uint32_t f = 0; f < y->nfields;) {
        const struct hmf__field *field = &y->fields[f];
        zero(r, at + done, at + field->offset);
        if (r->p->t->v[field->type].kind == HMF__KIND_BITS) {
            f = clear_bits(r, y, f, at, &done);
            continue;
        }
        clear(r, field->type, at + field->offset);
        done = field->offset + r->p->t->v[field->type].size;
        f++;
    }
    zero(r, at + done, at + y->size);
    r->naround--;
}

static void clear_union(struct range *r, uint32_t id, uint64_t at)
{
    const struct hmf__types *t = r->p->t;
    const struct hmf__type *y = &t->v[id];
    struct hmf__place place;
    uint32_t k = HMF__NO_BRANCH;

    if (hmf__depend_union(t, r->around, r->naround, id, at, &place))
        k = hmf__depend_choose(y, hmf__depend_load(&place, t->abi.big_endian, r->element));
    if (k == HMF__NO_BRANCH) /* the walk or the restore says so */
        return;
    clear(r, y->fields[k].type, at);
    zero(r, at + t->v[y->fields[k].type].size, at + y->size);
}

static void clear(struct range *r, uint32_t id, uint64_t at)
{
    const struct hmf__types *t = r->p->t;
    const struct hmf__type *y = &t->v[id];

    if (at >= r->hi || at + y->size <= r->lo || r->p->known[id] == DENSE)
        return;
    const struct mask *m = r->element ? mask_of(r->p, id) : NULL;
    if (m) {
        apply(r, m, at, at + y->size);
        return;
    }
    switch (y->kind) {
    case HMF__KIND_ARRAY:
        clear_array(r, y, at);
        break;
    case HMF__KIND_STRUCT:
        clear_struct(r, id, at);
        break;
    case HMF__KIND_UNION:
        clear_union(r, id, at);
        break;
    case HMF__KIND_COMPLEX:
        zero(r, at + value_bytes(t, y->size / 2), at + y->size / 2);
        zero(r, at + y->size / 2 + value_bytes(t, y->size / 2), at + y->size);
        break;
    case HMF__KIND_FLOAT:
        zero(r, at + value_bytes(t, y->size), at + y->size);
        break;
    default: /* transient, pointers */
        zero(r, at, at + y->size);
    }
}

/* ---- making masks ---- */

static hmf_status_t add_mask(struct hmf__padding *p, uint32_t id)
{
    size_t size = (size_t)p->t->v[id].size, n = size < REPEAT ? REPEAT / size : 1;
    struct range r = {.p = p, .hi = size};
    void *more = hmf__realloc(p->masks, (p->nmasks + 1) * sizeof *p->masks);

    if (!more)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a mask of an element");
    p->masks = more;
    if (!(r.to = hmf__malloc(n * size)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a mask of an element");
    memset(r.to, 0xff, size);
    clear(&r, id, 0);
    for (size_t i = 1; i < n; i++)
        memcpy(r.to + i * size, r.to, size);
    p->masks[p->nmasks++] = (struct mask){id, n * size, (unsigned char *)r.to};
    return HMF_OK;
}

static hmf_status_t make_words(struct hmf__padding *p)
{
    const struct mask *m = mask_of(p, p->type);
    uint64_t size = p->t->v[p->type].size, v;

    if (!m || size % 8)
        return HMF_OK;
    if (!(p->words = hmf__malloc((size_t)size / 8 * sizeof *p->words)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a mask of an element");
    for (uint32_t i = 0; i < size; i += 8) {
        memcpy(&v, m->v + i, 8);
        if (~v)
            p->words[p->nwords++] = (struct hmf__padding_word){i, v};
    }
    return HMF_OK;
}

/* Masks for this type, or for what arrays in it hold. */
static hmf_status_t add_masks(struct hmf__padding *p, uint32_t id)
{
    const struct hmf__type *y = &p->t->v[id];
    hmf_status_t rc = HMF_OK;

    if (dense(p, id) || mask_of(p, id))
        return HMF_OK;
    if (y->size <= MASKED && !y->choice)
        return add_mask(p, id);
    if (y->kind == HMF__KIND_ARRAY)
        return add_masks(p, y->elem);
    for (uint32_t f = 0; f < y->nfields && rc == HMF_OK; f++)
        if (p->t->v[y->fields[f].type].size)
            rc = add_masks(p, y->fields[f].type);
    return rc;
}

hmf_status_t hmf__padding_new(const struct hmf__types *t, uint32_t id, struct hmf__padding **out)
{
    struct hmf__padding *p = NULL;
    hmf_status_t rc;

    *out = NULL;
    if (!t->v[id].size)
        return HMF_OK;
    if (!(p = hmf__calloc(1, sizeof *p)) || !(p->known = hmf__calloc(t->n, 1))) {
        hmf__padding_free(p);
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a mask of an element");
    }
    p->t = t;
    p->type = id;
    bool none = dense(p, id);
    rc = none ? HMF_OK : add_masks(p, id);
    if (rc == HMF_OK && !none)
        rc = make_words(p);
    if (none || rc != HMF_OK)
        hmf__padding_free(p);
    else
        *out = p;
    return rc;
}

void hmf__padding_free(struct hmf__padding *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->nmasks; i++)
        hmf__free(p->masks[i].v);
    hmf__free(p->masks);
    hmf__free(p->words);
    hmf__free(p->known);
    hmf__free(p);
}

/* ---- using them ---- */

const struct hmf__padding_word *hmf__padding_words(const struct hmf__padding *p, uint32_t *n)
{
    *n = p ? p->nwords : 0;
    return p ? p->words : NULL;
}

static void copy_masked(const struct mask *m, const char *from, uint64_t in, char *to, size_t bytes)
{
    for (size_t n, i; bytes; bytes -= n, from += n, to += n, in = 0) {
        n = m->bytes - in < bytes ? (size_t)(m->bytes - in) : bytes;
        const unsigned char *mask = m->v + in;
        for (i = 0; i + 8 <= n; i += 8) {
            uint64_t v, k;
            memcpy(&v, from + i, 8);
            memcpy(&k, mask + i, 8);
            v &= k;
            memcpy(to + i, &v, 8);
        }
        for (; i < n; i++)
            to[i] = (char)(from[i] & mask[i]);
    }
}

void hmf__padding_copy(const struct hmf__padding *p, const void *from, uint64_t offset, void *to,
                       size_t bytes)
{
    const struct mask *m = mask_of(p, p->type);
    uint64_t each = p->t->v[p->type].size, end = offset + bytes;
    const char *first = from;

    if (m) {
        copy_masked(m, first + offset, offset % m->bytes, to, bytes);
        return;
    }
    memcpy(to, first + offset, bytes);
    for (uint64_t at = offset / each * each; at < end; at += each) {
        struct range r = {.p = p, .element = first + at, .lo = at < offset ? offset - at : 0,
                          .hi = end - at < each ? end - at : each};
        r.to = (char *)to + (int64_t)(at - offset);
        clear(&r, p->type, 0);
    }
}

void hmf__padding_clear(const struct hmf__padding *p, void *elements, uint64_t count)
{
    uint64_t each = p->t->v[p->type].size;
    const struct mask *m = mask_of(p, p->type);
    char *at = elements;

    if (m) {
        uint64_t bytes = count * each;
        for (size_t n; bytes; bytes -= n, at += n) {
            n = m->bytes < bytes ? m->bytes : (size_t)bytes;
            hmf__padding_apply(m->v, at, n);
        }
        return;
    }
    for (; count; count--, at += each) {
        struct range r = {.p = p, .element = at, .to = at, .hi = each};
        clear(&r, p->type, 0);
    }
}
