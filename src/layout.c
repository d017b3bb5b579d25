/* Leaves and offsets of a type: where a leaf lies, which leaf lies there, what it is called.
 * Descends by value only, so the depth is bounded by HMF__MAX_DEPTH.  Knows no values. */
#include "config.h"

#include "type.h"

#include <stdio.h>
#include <string.h>

/* The last field that begins at or before what `key` says; fields are sorted by both. */
static uint32_t field_by_offset(const struct hmf__type *y, uint64_t offset)
{
    uint32_t lo = 0, hi = y->nfields;

    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (y->fields[mid].offset <= offset)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
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
        } else if (y->kind == HMF__KIND_STRUCT) {
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

bool hmf__layout_leaf(const struct hmf__types *t, uint32_t id, uint64_t offset, uint64_t *leaf)
{
    uint64_t n = 0;

    for (;;) {
        const struct hmf__type *y = &t->v[id];
        if (offset >= y->size)
            return false;
        if (y->kind == HMF__KIND_ARRAY) {
            const struct hmf__type *e = &t->v[y->elem];
            n += offset / e->size * e->nleaves;
            offset %= e->size;
            id = y->elem;
        } else if (y->kind == HMF__KIND_STRUCT) {
            uint32_t f = field_by_offset(y, offset);
            if (offset < y->fields[f].offset)
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

bool hmf__layout_holds(const struct hmf__types *t, uint32_t id, uint64_t count, uint64_t offset,
                       uint32_t want, uint64_t *room)
{
    const struct hmf__type *w = &t->v[want];
    bool chars = is_char(w);

    for (;;) {
        const struct hmf__type *y = &t->v[id];
        /* here: `count` elements of type id, not an array, begin at offset 0 */
        if (!y->size || offset / y->size >= count)
            return false;
        count -= offset / y->size;
        offset %= y->size;
        if (offset == 0 && (t->classes[id] == want || (chars && is_char(y)) ||
                            w->kind == HMF__KIND_VOID)) {
            *room = count;
            return true;
        }
        if (y->kind == HMF__KIND_FSTRING) {
            *room = (y->size - offset) + (count - 1) * y->size;
            return chars;
        }
        if (y->kind != HMF__KIND_STRUCT)
            return false;
        uint32_t f = field_by_offset(y, offset);
        if (offset < y->fields[f].offset)
            return false;
        offset -= y->fields[f].offset;
        hmf__types_flatten(t, y->fields[f].type, &id, &count);
    }
}

const char *hmf__layout_path(const struct hmf__types *t, uint32_t id, uint64_t offset, char *buf,
                             size_t size)
{
    size_t n = 0;

    if (!size)
        return buf;
    buf[0] = '\0';
    for (;;) {
        const struct hmf__type *y = &t->v[id];
        int m;
        if (offset >= y->size)
            return buf;
        if (y->kind == HMF__KIND_ARRAY) {
            const struct hmf__type *e = &t->v[y->elem];
            m = snprintf(buf + n, size - n, "[%llu]", (unsigned long long)(offset / e->size));
            offset %= e->size;
            id = y->elem;
        } else if (y->kind == HMF__KIND_STRUCT) {
            uint32_t f = field_by_offset(y, offset);
            if (offset < y->fields[f].offset)
                return buf;
            m = snprintf(buf + n, size - n, ".%s", y->fields[f].name);
            offset -= y->fields[f].offset;
            id = y->fields[f].type;
        } else {
            return buf;
        }
        if (m < 0 || (size_t)m >= size - n)
            return buf;
        n += (size_t)m;
    }
}
