/* Finding and reading the fields that others depend on; see depend.h. */
#include "config.h"

#include "depend.h"

#include "bits.h"
#include "convert.h"

static bool integer(const struct hmf__types *t, uint32_t id, uint64_t offset, int64_t bit,
                    struct hmf__place *out)
{
    const struct hmf__type *y = &t->v[id];

    *out = (struct hmf__place){.offset = offset, .size = (uint8_t)y->size,
                               .is_signed = y->is_signed};
    if (y->kind == HMF__KIND_BITS && !y->unnamed && y->count && bit >= 0 && bit < 8) {
        out->bit = (uint8_t)bit;
        out->width = (uint8_t)y->count;
        return true;
    }
    return y->kind == HMF__KIND_INT;
}

bool hmf__depend_field(const struct hmf__types *t, const struct hmf__around *around, int n,
                       uint32_t up, uint32_t field, struct hmf__place *out)
{
    return hmf__depend_path(t, around, n, up, field, NULL, 0, out);
}

bool hmf__depend_path(const struct hmf__types *t, const struct hmf__around *around, int n,
                      uint32_t up, uint32_t field, const int32_t *steps, uint32_t nsteps,
                      struct hmf__place *out)
{
    if (up >= (uint32_t)n)
        return false;
    const struct hmf__around *a = &around[n - 1 - (int)up];
    const struct hmf__type *s = &t->v[a->type];
    if (s->kind != HMF__KIND_STRUCT || field >= s->nfields)
        return false;
    const struct hmf__field *f = &s->fields[field];
    uint64_t offset = a->offset + f->offset;
    int64_t bit = f->value;
    uint32_t id = f->type;
    for (uint32_t i = 0; i < nsteps; i++) {
        const struct hmf__type *y = &t->v[id];
        if (y->kind == HMF__KIND_STRUCT && steps[i] >= 0 && (uint32_t)steps[i] < y->nfields) {
            offset += y->fields[steps[i]].offset;
            bit = y->fields[steps[i]].value;
            id = y->fields[steps[i]].type;
        } else if (y->kind == HMF__KIND_ARRAY && steps[i] >= 0 && (uint64_t)steps[i] < y->count) {
            offset += (uint64_t)steps[i] * t->v[y->elem].size;
            bit = 0;
            id = y->elem;
        } else {
            return false;
        }
    }
    return integer(t, id, offset, bit, out);
}

/* The integer that an object of type id begins with. */
static uint32_t first_leaf(const struct hmf__types *t, uint32_t id)
{
    for (;;) {
        const struct hmf__type *y = &t->v[id];
        if (y->kind == HMF__KIND_ARRAY)
            id = y->elem;
        else if ((y->kind == HMF__KIND_STRUCT || y->kind == HMF__KIND_UNION) &&
                 !y->fields[0].offset)
            id = y->fields[0].type;
        else
            return id;
    }
}

bool hmf__depend_leads(const struct hmf__types *t, const struct hmf__type *y)
{
    const struct hmf__type *first = &t->v[first_leaf(t, y->fields[0].type)];

    if (first->kind != HMF__KIND_INT)
        return false;
    for (uint32_t i = 1; i < y->nfields; i++)
        if (t->v[first_leaf(t, y->fields[i].type)].number != first->number)
            return false;
    return true;
}

bool hmf__depend_union(const struct hmf__types *t, const struct hmf__around *around, int n,
                       uint32_t u, uint64_t offset, struct hmf__place *out)
{
    const struct hmf__type *y = &t->v[u];

    if (y->len == HMF__LEN_FIXED)
        return integer(t, first_leaf(t, y->fields[0].type), offset, 0, out);
    return hmf__depend_path(t, around, n, y->len_up, y->len_field, y->expr + HMF__PATH_STEPS,
                            y->nexpr ? y->nexpr - HMF__PATH_STEPS : 0, out);
}

uint64_t hmf__depend_load(const struct hmf__place *p, bool big_endian, const void *element)
{
    const char *at = (const char *)element + p->offset;

    if (p->width)
        return hmf__bits_load(big_endian, at, p->bit, p->width, p->is_signed);
    return hmf__convert_load(p->size, p->is_signed,
                             big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__), at);
}

uint32_t hmf__depend_choose(const struct hmf__type *y, uint64_t value)
{
    uint32_t told = y->nfields - y->otherwise;

    for (uint32_t i = 0; i < told; i++)
        if ((uint64_t)y->fields[i].value == value)
            return i;
    return y->otherwise ? told : HMF__NO_BRANCH;
}
