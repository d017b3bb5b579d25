/* Slot programs: small arrays are written out, large ones become loops. */
#include "config.h"

#include "slots.h"

#include "base.h"

enum {
    WRITE_OUT = 64,  /* slots that an array may have and still be written out */
    CHOICES_OUT = 4  /* elements likewise, if they hold unions */
};

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
    struct hmf__around around[HMF__MAX_DEPTH + 1]; /* offsets count from the loop they are in */
    int loop_of[HMF__MAX_DEPTH + 1];
    int naround, nloops;
};

static int loops_to(const struct maker *m, uint32_t up)
{
    return m->nloops - m->loop_of[m->naround - 1 - (int)up];
}

static hmf_status_t no_field(void)
{
    return hmf__fail(HMF_ERR_TYPE, "the length of a counted pointer is in no integer field of "
                     "a struct around it here");
}

/* The number that pointer node y speaks of, by several fields. */
static hmf_status_t find_expression(const struct maker *m, const struct hmf__type *y,
                                    struct hmf__slot_length *out)
{
    struct hmf__term terms[HMF__MAX_EXPR];
    uint32_t n = hmf__length_terms(m->t, m->around, m->naround, y, terms);

    if (!n)
        return no_field();
    if (!(out->expr = hmf__malloc(sizeof *out->expr)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a list of pointers");
    out->expr->n = n;
    for (uint32_t i = 0; i < n; i++) {
        bool field = terms[i].code == HMF__TERM_FIELD;
        out->expr->of[i].term = terms[i];
        out->expr->of[i].loops = field ? loops_to(m, terms[i].up) : 0;
        if (field)
            out->place = terms[i].place;
    }
    return HMF_OK;
}

/* Where the number is that pointer node y speaks of. */
static hmf_status_t find_length(const struct maker *m, const struct hmf__type *y,
                                struct hmf__slot_length *out)
{
    if (y->nexpr)
        return find_expression(m, y, out);
    if (!hmf__depend_field(m->t, m->around, m->naround, y->len_up, y->len_field, &out->place))
        return no_field();
    out->loops = loops_to(m, y->len_up);
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
        goto drop;
    if ((rc = add(m->out, &op, &at)) == HMF_OK)
        return rc;
drop:
    hmf__free(op.length.expr);
    hmf__free(op.inner.expr);
    return rc;
}

static hmf_status_t make(struct maker *m, uint32_t id, uint64_t offset);

static hmf_status_t make_loop(struct maker *m, const struct hmf__type *y, uint64_t offset)
{
    struct hmf__slotop op = {.offset = offset, .code = HMF__SLOT_LOOP, .turns = y->count,
                             .stride = m->t->v[y->elem].size};
    uint32_t at;
    hmf_status_t rc = add(m->out, &op, &at);

    m->nloops++;
    if (rc == HMF_OK)
        rc = make(m, y->elem, 0);
    m->nloops--;
    if (rc == HMF_OK)
        m->out->ops[at].nbody = m->out->nops - at - 1;
    m->out->flat = false;
    return rc;
}

static hmf_status_t make_choice(struct maker *m, uint32_t id, uint64_t offset)
{
    const struct hmf__type *y = &m->t->v[id];
    struct hmf__slotop op = {.offset = offset, .code = HMF__SLOT_CHOICE, .type = id};
    struct hmf__slotop branch = {.offset = offset, .code = HMF__SLOT_BRANCH, .type = id};
    hmf_status_t rc;
    uint32_t at, begin;

    m->out->flat = false;
    if (!hmf__depend_union(m->t, m->around, m->naround, id, offset, &op.length.place))
        return hmf__fail(HMF_ERR_TYPE, "the discriminant of a union is in no integer field of a "
                         "struct around it here");
    if (y->len != HMF__LEN_FIXED)
        op.length.loops = loops_to(m, y->len_up);
    if ((rc = add(m->out, &op, &at)) != HMF_OK)
        return rc;
    for (uint32_t f = 0; f < y->nfields && rc == HMF_OK; f++) {
        if ((rc = add(m->out, &branch, &begin)) != HMF_OK)
            break;
        rc = make(m, y->fields[f].type, offset);
        m->out->ops[begin].nbody = m->out->nops - begin - 1;
    }
    m->out->ops[at].nbody = m->out->nops - at - 1;
    return rc;
}

static hmf_status_t make(struct maker *m, uint32_t id, uint64_t offset)
{
    const struct hmf__type *y = &m->t->v[id];
    hmf_status_t rc = HMF_OK;

    if (!y->nslots && !y->choice)
        return HMF_OK;
    if (hmf__kind_refers(y->kind))
        return make_slot(m, id, offset);
    if (y->kind == HMF__KIND_UNION)
        return make_choice(m, id, offset);
    if (y->kind == HMF__KIND_STRUCT) {
        m->loop_of[m->naround] = m->nloops;
        m->around[m->naround++] = (struct hmf__around){id, offset};
        for (uint32_t f = 0; f < y->nfields && rc == HMF_OK; f++)
            rc = make(m, y->fields[f].type, offset + y->fields[f].offset);
        m->naround--;
        return rc;
    }
    if (y->nslots > WRITE_OUT || (y->choice && y->count > CHOICES_OUT))
        return make_loop(m, y, offset);
    for (uint64_t i = 0; i < y->count && rc == HMF_OK; i++)
        rc = make(m, y->elem, offset + i * m->t->v[y->elem].size);
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
    for (uint32_t i = 0; i < s->nops; i++) {
        hmf__free(s->ops[i].length.expr);
        hmf__free(s->ops[i].inner.expr);
    }
    hmf__free(s->ops);
    memset(s, 0, sizeof *s);
}

struct visitor {
    const struct hmf__types *t;
    hmf__slot_cb *visit;
    void *ctx;
};

/* No base: in a branch that does not hold.  Depth is that of arrays and unions in a type. */
static hmf_status_t each(const struct visitor *v, const struct hmf__slotop *ops, uint32_t n,
                         const struct hmf__slot_frame *frame)
{
    char *base = frame->base;
    hmf_status_t rc = HMF_OK;

    for (uint32_t i = 0; i < n && rc == HMF_OK; i++) {
        const struct hmf__slotop *op = &ops[i];
        char *at = base ? base + op->offset : NULL;
        struct hmf__slot_frame in = {NULL, frame};
        switch (op->code) {
        case HMF__SLOT:
            rc = v->visit(v->ctx, at, op, frame);
            break;
        case HMF__SLOT_LOOP:
            for (uint64_t k = 0; k < op->turns && rc == HMF_OK; k++) {
                in.base = at ? at + k * op->stride : NULL;
                rc = each(v, op + 1, op->nbody, &in);
            }
            i += op->nbody;
            break;
        case HMF__SLOT_CHOICE: {
            uint32_t holds = HMF__NO_BRANCH;
            struct hmf__slot_frame none = {NULL, frame->outer};
            if (at)
                holds = hmf__depend_choose(&v->t->v[op->type],
                                           hmf__slot_number(&op->length, at, op, frame));
            if (at && holds == HMF__NO_BRANCH)
                rc = v->visit(v->ctx, at, op, frame);
            const struct hmf__slotop *b = op + 1;
            for (uint32_t k = 0; b < op + 1 + op->nbody && rc == HMF_OK; k++) {
                rc = each(v, b + 1, b->nbody, k == holds ? frame : &none);
                b += b->nbody + 1;
            }
            i += op->nbody;
            break;
        }
        case HMF__SLOT_BRANCH: /* within a choice only */
            break;
        }
    }
    return rc;
}

hmf_status_t hmf__slots_each(const struct hmf__slots *s, const struct hmf__types *t, char *base,
                             hmf__slot_cb *visit, void *ctx)
{
    struct visitor v = {t, visit, ctx};
    struct hmf__slot_frame frame = {base, NULL};

    return each(&v, s->ops, s->nops, &frame);
}

uint64_t hmf__slot_expression(const struct hmf__slot_length *l, const char *slot,
                              const struct hmf__slotop *op, const struct hmf__slot_frame *frame)
{
    struct hmf__term terms[HMF__MAX_EXPR];
    const void *bases[HMF__MAX_EXPR];
    const struct hmf__slot_expr *e = l->expr;

    for (uint32_t i = 0; i < e->n; i++) {
        const struct hmf__slot_frame *f = frame;
        for (int k = 0; k < e->of[i].loops && f; k++)
            f = f->outer;
        terms[i] = e->of[i].term;
        bases[i] = f ? f->base : slot - op->offset;
    }
    return hmf__length_number(terms, e->n, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, bases);
}

/* Slots of one turn over these ops. */
static uint64_t count_slots(const struct hmf__slotop *ops, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (ops[i].code == HMF__SLOT_LOOP) {
            sum += ops[i].turns * count_slots(&ops[i + 1], ops[i].nbody);
            i += ops[i].nbody;
        } else {
            sum += ops[i].code == HMF__SLOT;
        }
    }
    return sum;
}

uint64_t hmf__slots_offset(const struct hmf__slots *s, uint64_t k)
{
    const struct hmf__slotop *op = s->ops;
    uint64_t base = 0;

    for (;;) {
        if (op->code == HMF__SLOT && !k--)
            return base + op->offset;
        if (op->code != HMF__SLOT_LOOP) {
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
