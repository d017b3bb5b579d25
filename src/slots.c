/* Slot programs: small arrays are written out, large ones become loops. */
#include "config.h"

#include "slots.h"

#include "base.h"

enum { WRITE_OUT = 64 }; /* slots that an array may have and still be written out */

static hmf_status_t add(struct hmf__slots *s, const struct hmf__slotop *op, uint32_t *at)
{
    if (s->nops == s->cap) {
        uint32_t cap = s->cap ? 2 * s->cap : 8;
        void *ops = hmf__realloc(s->ops, cap * sizeof *s->ops);
        if (!ops)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a list of pointers");
        s->ops = ops;
        s->cap = cap;
    }
    *at = s->nops;
    s->ops[s->nops++] = *op;
    return HMF_OK;
}

struct maker {
    const struct hmf__types *t;
    struct hmf__slots *out;
    struct around { /* structs around the place at hand */
        uint32_t type;
        uint64_t offset;
    } around[HMF__MAX_DEPTH + 1];
    int naround, first; /* those before `first` are outside of a loop: offsets there differ */
};

/* Where the length is that pointer node y speaks of. */
static hmf_status_t find_length(const struct maker *m, const struct hmf__type *y,
                                struct hmf__slot_length *out)
{
    int i = m->naround - 1 - (int)y->len_up;

    if (y->len_up > HMF__MAX_DEPTH || i < m->first)
        return hmf__fail(HMF_ERR_TYPE, "the length of a counted pointer is in a struct that holds "
                         "it in a large array, or that is not around it here");
    const struct hmf__type *s = &m->t->v[m->around[i].type];
    if (y->len_field >= s->nfields)
        return hmf__fail(HMF_ERR_TYPE, "the length of a counted pointer is in no field");
    const struct hmf__type *f = &m->t->v[s->fields[y->len_field].type];
    if (f->kind != HMF__KIND_INT)
        return hmf__fail(HMF_ERR_TYPE, "the length of a counted pointer is no integer");
    *out = (struct hmf__slot_length){m->around[i].offset + s->fields[y->len_field].offset,
                                     (uint8_t)f->size, f->is_signed};
    return HMF_OK;
}

static hmf_status_t make_slot(struct maker *m, uint32_t id, uint64_t offset)
{
    const struct hmf__type *y = &m->t->v[id];
    struct hmf__slotop op = {.offset = offset, .type = id,
                             .function = y->kind == HMF__KIND_FUNCTION,
                             .handle = y->kind == HMF__KIND_HANDLE ? (int)y->number : 0};
    hmf_status_t rc;
    uint32_t at, elem;
    uint64_t n;

    if (y->len == HMF__LEN_FIELD && (rc = find_length(m, y, &op.length)) != HMF_OK)
        return rc;
    op.outer = y->len == HMF__LEN_OUTER;
    hmf__types_flatten(m->t, y->elem, &elem, &n);
    if (m->t->v[elem].kind == HMF__KIND_POINTER && m->t->v[elem].len == HMF__LEN_OUTER &&
        (rc = find_length(m, &m->t->v[elem], &op.inner)) != HMF_OK)
        return rc;
    return add(m->out, &op, &at);
}

static hmf_status_t make(struct maker *m, uint32_t id, uint64_t offset)
{
    const struct hmf__type *y = &m->t->v[id];
    hmf_status_t rc = HMF_OK;
    uint32_t at;

    if (!y->nslots)
        return HMF_OK;
    if (hmf__kind_refers(y->kind))
        return make_slot(m, id, offset);
    if (y->kind == HMF__KIND_STRUCT) {
        m->around[m->naround++] = (struct around){id, offset};
        for (uint32_t f = 0; f < y->nfields && rc == HMF_OK; f++)
            rc = make(m, y->fields[f].type, offset + y->fields[f].offset);
        m->naround--;
        return rc;
    }
    uint64_t each = m->t->v[y->elem].size;
    if (y->nslots <= WRITE_OUT) {
        for (uint64_t i = 0; i < y->count && rc == HMF_OK; i++)
            rc = make(m, y->elem, offset + i * each);
        return rc;
    }
    m->out->flat = false;
    rc = add(m->out, &(struct hmf__slotop){.offset = offset, .turns = y->count, .stride = each},
             &at);
    int first = m->first;
    m->first = m->naround;
    if (rc == HMF_OK)
        rc = make(m, y->elem, 0);
    m->first = first;
    if (rc == HMF_OK)
        m->out->ops[at].nbody = m->out->nops - at - 1;
    return rc;
}

hmf_status_t hmf__slots_make(const struct hmf__types *t, uint32_t id, struct hmf__slots *out)
{
    struct maker m = {.t = t, .out = out};

    memset(out, 0, sizeof *out);
    out->flat = true;
    hmf_status_t rc = make(&m, id, 0);
    if (rc != HMF_OK)
        hmf__slots_fini(out);
    return rc;
}

void hmf__slots_fini(struct hmf__slots *s)
{
    hmf__free(s->ops);
    memset(s, 0, sizeof *s);
}

/* Depth is that of arrays in a type: bounded. */
static hmf_status_t each(const struct hmf__slotop *ops, uint32_t n, char *base,
                         hmf__slot_cb *visit, void *ctx)
{
    hmf_status_t rc = HMF_OK;

    for (uint32_t i = 0; i < n && rc == HMF_OK; i++) {
        const struct hmf__slotop *op = &ops[i];
        if (!op->turns) {
            rc = visit(ctx, base + op->offset, op);
            continue;
        }
        for (uint64_t k = 0; k < op->turns && rc == HMF_OK; k++)
            rc = each(op + 1, op->nbody, base + op->offset + k * op->stride, visit, ctx);
        i += op->nbody;
    }
    return rc;
}

hmf_status_t hmf__slots_each(const struct hmf__slots *s, char *base, hmf__slot_cb *visit,
                             void *ctx)
{
    return each(s->ops, s->nops, base, visit, ctx);
}

/* Slots of one turn over these ops. */
static uint64_t count_slots(const struct hmf__slotop *ops, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        sum += ops[i].turns ? ops[i].turns * count_slots(&ops[i + 1], ops[i].nbody) : 1;
        i += ops[i].nbody;
    }
    return sum;
}

uint64_t hmf__slots_offset(const struct hmf__slots *s, uint64_t k)
{
    const struct hmf__slotop *op = s->ops;
    uint64_t base = 0;

    for (;;) {
        if (!op->turns) {
            if (!k--)
                return base + op->offset;
            op++;
            continue;
        }
        uint64_t each_turn = count_slots(op + 1, op->nbody), all = op->turns * each_turn;
        if (k >= all) {
            k -= all;
            op += op->nbody + 1;
        } else {
            base += op->offset + k / each_turn * op->stride;
            k %= each_turn;
            op++;
        }
    }
}
