/* Leaves and offsets of a type: where a leaf lies, which leaf lies there, what it is called.
 * Descends by value only, so the depth is bounded by HMF__MAX_DEPTH.  Knows no values. */
#include "config.h"

#include "type.h"

#include "depend.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The way down from an element: the structs around, and the element itself if it is known. */
struct way {
    const struct hmf__types *t;
    const char *memory;
    uint64_t at; /* in the element */
    struct hmf__around around[HMF__MAX_DEPTH + 1];
    int n;
};

/* The last field that begins at or before this bit. */
static uint32_t field_by_bit(const struct hmf__type *y, uint64_t bit)
{
    uint32_t lo = 0, hi = y->nfields;

    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (8 * y->fields[mid].offset + (uint64_t)y->fields[mid].value <= bit)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static uint32_t branch(const struct way *w, uint32_t u)
{
    struct hmf__place p;
    uint32_t k;

    if (!w->memory || !hmf__depend_union(w->t, w->around, w->n, u, w->at, &p))
        return 0;
    k = hmf__depend_choose(&w->t->v[u], hmf__depend_load(&p, w->t->abi.big_endian, w->memory));
    return k == HMF__NO_BRANCH ? 0 : k;
}

/* The field of struct or union `id` at this offset (or bit of it): false if there is none. */
static bool step(struct way *w, uint32_t id, uint64_t offset, unsigned bit, uint32_t *field)
{
    const struct hmf__type *y = &w->t->v[id];

    if (y->kind == HMF__KIND_UNION) {
        *field = branch(w, id);
        return true;
    }
    *field = field_by_bit(y, 8 * offset + bit);
    if (offset < y->fields[*field].offset)
        return false;
    if (w->n <= HMF__MAX_DEPTH)
        w->around[w->n++] = (struct hmf__around){id, w->at};
    w->at += y->fields[*field].offset;
    return true;
}

static bool has_fields(const struct hmf__type *y)
{
    return y->kind == HMF__KIND_STRUCT || y->kind == HMF__KIND_UNION;
}

uint64_t hmf__layout_offset(const struct hmf__types *t, uint32_t id, uint64_t leaf)
{
    uint64_t at = 0;

    if (leaf >= t->v[id].nleaves)
        return t->v[id].size;
    for (;;) {
        const struct hmf__type *y = &t->v[id];
        if (y->kind == HMF__KIND_ARRAY) {
            const struct hmf__type *e = &t->v[y->elem];
            at += leaf / e->nleaves * e->size;
            leaf %= e->nleaves;
            id = y->elem;
        } else if (has_fields(y)) {
            uint32_t f = 0;
            while (leaf >= t->v[y->fields[f].type].nleaves)
                leaf -= t->v[y->fields[f++].type].nleaves;
            at += y->fields[f].offset;
            id = y->fields[f].type;
        } else { /* FSTRING: characters; others: the leaf itself */
            return at + leaf;
        }
    }
}

bool hmf__layout_leaf(const struct hmf__types *t, uint32_t id, const void *memory,
                      uint64_t offset, uint64_t *leaf)
{
    struct way w = {.t = t, .memory = memory};
    uint64_t n = 0;

    if (!offset && t->v[id].size) { /* the element itself, whatever it begins with */
        *leaf = 0;
        return true;
    }
    for (;;) {
        const struct hmf__type *y = &t->v[id];
        if (offset >= y->size)
            return false;
        if (y->kind == HMF__KIND_ARRAY) {
            const struct hmf__type *e = &t->v[y->elem];
            n += offset / e->size * e->nleaves;
            w.at += offset / e->size * e->size;
            offset %= e->size;
            id = y->elem;
        } else if (has_fields(y)) {
            uint32_t f;
            if (!step(&w, id, offset, 0, &f))
                return false;
            for (uint32_t i = 0; i < f; i++)
                n += t->v[y->fields[i].type].nleaves;
            offset -= y->fields[f].offset;
            id = y->fields[f].type;
        } else {
            *leaf = y->kind == HMF__KIND_FSTRING ? n + offset : n;
            return offset == 0 || y->kind == HMF__KIND_FSTRING;
        }
    }
}

static bool is_char(const struct hmf__type *y)
{
    return y->kind == HMF__KIND_CSTRING || (y->kind == HMF__KIND_INT && y->size == 1);
}

bool hmf__layout_holds(const struct hmf__types *t, uint32_t id, uint64_t count,
                       const void *memory, uint64_t offset, uint32_t want, uint64_t *room)
{
    struct way w = {.t = t, .memory = memory};
    const struct hmf__type *y = &t->v[want];
    bool chars = is_char(y), any = y->kind == HMF__KIND_VOID;

    for (bool outermost = true;; outermost = false) {
        y = &t->v[id];
        /* here: `count` elements of type id, not an array, begin at offset 0 */
        if (!y->size || offset / y->size >= count)
            return false;
        count -= offset / y->size;
        if (!outermost)
            w.at += offset / y->size * y->size;
        else if (memory) /* one element is what is looked into */
            w.memory += offset / y->size * y->size;
        offset %= y->size;
        if (offset == 0 && (t->classes[id] == want || (chars && is_char(y)) || any)) {
            *room = count;
            return true;
        }
        if (y->kind == HMF__KIND_FSTRING) {
            *room = (y->size - offset) + (count - 1) * y->size;
            return chars;
        }
        uint32_t f;
        if (!has_fields(y) || !step(&w, id, offset, 0, &f))
            return false;
        offset -= y->fields[f].offset;
        hmf__types_flatten(t, y->fields[f].type, &id, &count);
    }
}

/* Text at *n of buf; false: it is full. */
__attribute__((format(printf, 4, 5))) static bool put(char *buf, size_t size, size_t *n,
                                                      const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int m = vsnprintf(buf + *n, size - *n, fmt, ap);
    va_end(ap);
    if (m < 0 || (size_t)m >= size - *n)
        return false;
    *n += (size_t)m;
    return true;
}

/* Anonymous members have no part in a path. */
static bool put_field(char *buf, size_t size, size_t *n, const struct hmf__field *f)
{
    return !f->name || !*f->name || put(buf, size, n, ".%s", f->name);
}

const char *hmf__layout_path(const struct hmf__types *t, uint32_t id, const void *memory,
                             uint64_t offset, unsigned bit, char *buf, size_t size)
{
    struct way w = {.t = t, .memory = memory};
    bool room = size > 0;
    size_t n = 0;

    if (size)
        buf[0] = '\0';
    while (room) {
        const struct hmf__type *y = &t->v[id];
        uint32_t f;
        if (offset >= y->size)
            break;
        if (y->kind == HMF__KIND_ARRAY) {
            uint64_t each = t->v[y->elem].size;
            room = put(buf, size, &n, "[%llu]", (unsigned long long)(offset / each));
            w.at += offset / each * each;
            offset %= each;
            id = y->elem;
        } else if (has_fields(y) && step(&w, id, offset, bit, &f)) {
            room = put_field(buf, size, &n, &y->fields[f]);
            offset -= y->fields[f].offset;
            id = y->fields[f].type;
        } else {
            break;
        }
    }
    return buf;
}

const char *hmf__layout_leaf_path(const struct hmf__types *t, uint32_t id, uint64_t leaf,
                                  char *buf, size_t size)
{
    bool room = size > 0;
    size_t n = 0;

    if (size)
        buf[0] = '\0';
    while (room && leaf < t->v[id].nleaves) {
        const struct hmf__type *y = &t->v[id];
        uint32_t f = 0;
        if (y->kind == HMF__KIND_ARRAY) {
            uint64_t each = t->v[y->elem].nleaves;
            room = put(buf, size, &n, "[%llu]", (unsigned long long)(leaf / each));
            leaf %= each;
            id = y->elem;
        } else if (has_fields(y)) {
            while (leaf >= t->v[y->fields[f].type].nleaves)
                leaf -= t->v[y->fields[f++].type].nleaves;
            room = put_field(buf, size, &n, &y->fields[f]);
            id = y->fields[f].type;
        } else {
            break;
        }
    }
    return buf;
}
