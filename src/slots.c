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

static hmf_status_t make(const struct hmf__types *t, uint32_t id, uint64_t offset,
                         struct hmf__slots *s)
{
    const struct hmf__type *y = &t->v[id];
    hmf_status_t rc = HMF_OK;
    uint32_t at;

    if (!y->nslots)
        return HMF_OK;
    if (y->kind == HMF__KIND_POINTER)
        return add(s, &(struct hmf__slotop){.offset = offset, .type = id}, &at);
    if (y->kind == HMF__KIND_STRUCT) {
        for (uint32_t f = 0; f < y->nfields && rc == HMF_OK; f++)
            rc = make(t, y->fields[f].type, offset + y->fields[f].offset, s);
        return rc;
    }
    uint64_t each = t->v[y->elem].size;
    if (y->nslots <= WRITE_OUT) {
        for (uint64_t i = 0; i < y->count && rc == HMF_OK; i++)
            rc = make(t, y->elem, offset + i * each, s);
        return rc;
    }
    s->flat = false;
    rc = add(s, &(struct hmf__slotop){.offset = offset, .turns = y->count, .stride = each}, &at);
    if (rc == HMF_OK)
        rc = make(t, y->elem, 0, s);
    if (rc == HMF_OK)
        s->ops[at].nbody = s->nops - at - 1;
    return rc;
}

hmf_status_t hmf__slots_make(const struct hmf__types *t, uint32_t id, struct hmf__slots *out)
{
    memset(out, 0, sizeof *out);
    out->flat = true;
    hmf_status_t rc = make(t, id, 0, out);
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
