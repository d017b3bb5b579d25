/* Compiling and running plans; see plan.h.  The loops over scalars are in convert.c. */
#include "config.h"

#include "plan.h"

#include "base.h"
#include "bits.h"
#include "convert.h"
#include "depend.h"
#include "shuffle.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A CHOICE is followed, for each branch, by a BRANCH with what to do if it holds. */
enum code { COPY, SWAP, INT, FLOAT, ZERO, LOOP, BITS, CHOICE, BRANCH };

enum {
    WRITE_OUT = 16, /* ops that an array of structs may become before it is a loop */
    BLOCK = 128     /* elements that all ops go over before the next ones: they stay in cache */
};

struct op {
    enum code code;
    uint8_t from_size, to_size; /* of one scalar */
    bool is_signed;
    bool from_swap, to_swap;    /* that side's byte order is not this machine's */
    uint32_t nbody;             /* LOOP: ops that follow */
    uint64_t from, to;          /* offsets in the element */
    uint64_t n;                 /* scalars (COPY, ZERO: bytes; LOOP: turns) */
    uint64_t from_stride, to_stride; /* LOOP */
    /* BITS: where in the bytes, how many; is_signed is the writer's */
    uint8_t from_bit, to_bit, from_width, to_width;
    bool to_signed;
    uint32_t type;              /* CHOICE: the writer's union */
    struct hmf__place place;    /* CHOICE: its discriminant ... */
    int loops;                  /* ... counted from so many loops further out */
};

struct hmf__plan {
    const struct hmf__types *w, *r;
    uint32_t wid, rid;
    bool same;
    struct op *ops;
    uint32_t nops, cap;
    uint32_t join; /* while compiling: ops from here on may be lengthened */
    /* while compiling: the writer's structs around, offsets counted from the loop they are in */
    struct hmf__around around[HMF__MAX_DEPTH + 1];
    int loop_of[HMF__MAX_DEPTH + 1], naround, nloops;
    struct hmf__shuffle *shuffle; /* where bytes only move: for all records but the last few */
};

/* ---- compiling ---- */

static bool same_layout(const struct hmf__types *w, uint32_t wid, const struct hmf__types *r,
                        uint32_t rid)
{
    const struct hmf__type *a = &w->v[wid], *b = &r->v[rid];
    bool endian = w->abi.big_endian == r->abi.big_endian;

    if (a->size != b->size)
        return false;
    switch (a->kind) {
    case HMF__KIND_ARRAY:
        return same_layout(w, a->elem, r, b->elem);
    case HMF__KIND_BITS:
        return endian && a->count == b->count && a->is_signed == b->is_signed;
    case HMF__KIND_STRUCT:
    case HMF__KIND_UNION:
        for (uint32_t f = 0; f < a->nfields; f++)
            if (a->fields[f].offset != b->fields[f].offset ||
                (a->kind == HMF__KIND_STRUCT && a->fields[f].value != b->fields[f].value) ||
                !same_layout(w, a->fields[f].type, r, b->fields[f].type))
                return false;
        return true;
    case HMF__KIND_FLOAT:
    case HMF__KIND_COMPLEX:
        return endian && (a->size <= 8 || a->number == b->number) &&
               (!hmf__type_is_ldouble(a) || w->abi.ldouble == r->abi.ldouble);
    case HMF__KIND_INT:
        return a->size == 1 || endian;
    case HMF__KIND_TRANSIENT: /* to be cleared */
        return false;
    default: /* characters, bytes; pointers: zero on both sides */
        return true;
    }
}

static hmf_status_t add(struct hmf__plan *p, const struct op *op)
{
    struct op *last = p->nops > p->join ? &p->ops[p->nops - 1] : NULL;

    /* lengthen the last run where this one continues it on both sides (zeros are not read) */
    if (last && op->code == last->code && (op->code == COPY || op->code == SWAP ||
                                           op->code == ZERO) &&
        op->from_size == last->from_size && op->to == last->to + last->n * last->to_size &&
        (op->code == ZERO || op->from == last->from + last->n * last->from_size)) {
        last->n += op->n;
        return HMF_OK;
    }
    if (p->nops == p->cap) {
        uint32_t cap = p->cap ? 2 * p->cap : 8;
        void *ops = hmf__realloc(p->ops, cap * sizeof *p->ops);
        if (!ops)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a conversion plan");
        p->ops = ops;
        p->cap = cap;
    }
    p->ops[p->nops++] = *op;
    return HMF_OK;
}

/* One op for `n` leaves in a row. */
static hmf_status_t compile_leaf(struct hmf__plan *p, const struct hmf__type *a,
                                 const struct hmf__type *b, uint64_t from, uint64_t to, uint64_t n)
{
    struct op op = {.from = from, .to = to, .n = n, .is_signed = a->is_signed};
    uint64_t from_size = a->size, to_size = b->size;
    bool swap = p->w->abi.big_endian != p->r->abi.big_endian;

    if (a->kind == HMF__KIND_COMPLEX) {
        from_size /= 2;
        to_size /= 2;
        op.n *= 2;
    }
    op.from_size = (uint8_t)from_size; /* of a scalar: at most 32 */
    op.to_size = (uint8_t)to_size;
    op.from_swap = p->w->abi.big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    op.to_swap = p->r->abi.big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    if (hmf__kind_refers(a->kind) || a->kind == HMF__KIND_TRANSIENT) {
        op.code = ZERO;
        op.from_size = op.to_size = 1;
        op.n = n * to_size;
    } else if (hmf__type_is_ldouble(a) &&
               (p->w->abi.ldouble != p->r->abi.ldouble || from_size != to_size ||
                (swap && p->w->abi.ldouble != HMF__LD_DOUBLE))) {
        op.code = FLOAT;
    } else if (from_size != to_size) {
        op.code = INT;
    } else if (swap && from_size > 1) {
        op.code = SWAP;
    } else {
        op.code = COPY;
        op.from_size = op.to_size = 1;
        op.n *= from_size;
    }
    return add(p, &op);
}

static hmf_status_t compile(struct hmf__plan *p, uint32_t wid, uint32_t rid, uint64_t from,
                            uint64_t to);

/* A bit-field; the first of several in a row also clears the bytes of all of them. */
static hmf_status_t compile_bits(struct hmf__plan *p, const struct hmf__type *a,
                                 const struct hmf__type *b, uint32_t f, uint64_t from, uint64_t to)
{
    const struct hmf__type *x = &p->w->v[a->fields[f].type], *y = &p->r->v[b->fields[f].type];
    struct op op = {.code = BITS, .from = from + a->fields[f].offset,
                    .to = to + b->fields[f].offset, .n = 1,
                    .from_bit = (uint8_t)a->fields[f].value, .to_bit = (uint8_t)b->fields[f].value,
                    .from_width = (uint8_t)x->count, .to_width = (uint8_t)y->count,
                    .is_signed = x->is_signed, .to_signed = y->is_signed};
    hmf_status_t rc;

    if (f == 0 || p->r->v[b->fields[f - 1].type].kind != HMF__KIND_BITS) {
        uint32_t last = f;
        while (last + 1 < b->nfields && p->r->v[b->fields[last + 1].type].kind == HMF__KIND_BITS)
            last++;
        uint64_t end = b->fields[last].offset +
                       ((uint64_t)b->fields[last].value + p->r->v[b->fields[last].type].count +
                        7) / 8;
        struct op clear = {.code = ZERO, .from_size = 1, .to_size = 1, .from = from,
                           .to = op.to, .n = end - b->fields[f].offset};
        if (clear.n && (rc = add(p, &clear)) != HMF_OK)
            return rc;
    }
    return x->unnamed ? HMF_OK : add(p, &op);
}

static hmf_status_t compile_struct(struct hmf__plan *p, uint32_t wid, uint32_t rid, uint64_t from,
                                   uint64_t to)
{
    const struct hmf__type *a = &p->w->v[wid], *b = &p->r->v[rid];
    hmf_status_t rc = HMF_OK;

    p->loop_of[p->naround] = p->nloops;
    p->around[p->naround++] = (struct hmf__around){wid, from};
    for (uint32_t f = 0; f < a->nfields && rc == HMF_OK; f++) {
        enum hmf__kind kind = p->w->v[a->fields[f].type].kind;
        if (kind == HMF__KIND_BITS)
            rc = compile_bits(p, a, b, f, from, to);
        else if (kind != HMF__KIND_FLEX) /* a block of its own */
            rc = compile(p, a->fields[f].type, b->fields[f].type, from + a->fields[f].offset,
                         to + b->fields[f].offset);
    }
    p->naround--;
    return rc;
}

static hmf_status_t compile_union(struct hmf__plan *p, uint32_t wid, uint32_t rid, uint64_t from,
                                  uint64_t to)
{
    const struct hmf__type *a = &p->w->v[wid], *b = &p->r->v[rid];
    struct op op = {.code = CHOICE, .from = from, .to = to, .n = 1, .type = wid};
    struct op clear = {.code = ZERO, .from_size = 1, .to_size = 1, .to = to, .n = b->size};
    struct op branch = {.code = BRANCH, .n = 1};
    hmf_status_t rc;

    if (!hmf__depend_union(p->w, p->around, p->naround, wid, from, &op.place))
        return hmf__fail(HMF_ERR_FORMAT, "the discriminant of a union is in no integer field of "
                         "a struct around it");
    if (a->len != HMF__LEN_FIXED)
        op.loops = p->nloops - p->loop_of[p->naround - 1 - (int)a->len_up];
    if ((rc = add(p, &clear)) != HMF_OK)
        return rc;
    uint32_t at = p->nops;
    rc = add(p, &op);
    for (uint32_t f = 0; f < a->nfields && rc == HMF_OK; f++) {
        uint32_t begin = p->nops;
        if ((rc = add(p, &branch)) != HMF_OK)
            break;
        p->join = p->nops;
        rc = compile(p, a->fields[f].type, b->fields[f].type, from, to);
        p->ops[begin].nbody = p->nops - begin - 1;
    }
    if (rc == HMF_OK)
        p->ops[at].nbody = p->nops - at - 1;
    p->join = p->nops;
    return rc;
}

static hmf_status_t compile_one(struct hmf__plan *p, uint32_t wid, uint32_t rid, uint64_t from,
                                uint64_t to)
{
    return p->w->v[wid].kind == HMF__KIND_UNION ? compile_union(p, wid, rid, from, to)
                                                : compile_struct(p, wid, rid, from, to);
}

static hmf_status_t compile(struct hmf__plan *p, uint32_t wid, uint32_t rid, uint64_t from,
                            uint64_t to)
{
    uint64_t count, same_count;
    hmf_status_t rc = HMF_OK;

    hmf__types_flatten(p->w, wid, &wid, &count);
    hmf__types_flatten(p->r, rid, &rid, &same_count);
    const struct hmf__type *a = &p->w->v[wid], *b = &p->r->v[rid];
    if (a->kind == HMF__KIND_FSTRING || a->kind == HMF__KIND_CSTRING ||
        a->kind == HMF__KIND_OPAQUE) {
        struct op op = {.code = COPY, .from_size = 1, .to_size = 1, .from = from, .to = to,
                        .n = a->size * count};
        return add(p, &op);
    }
    if (a->kind != HMF__KIND_STRUCT && a->kind != HMF__KIND_UNION)
        return compile_leaf(p, a, b, from, to, count);
    if (count == 1 || count * a->nleaves <= WRITE_OUT) {
        for (uint64_t i = 0; i < count && rc == HMF_OK; i++, from += a->size, to += b->size)
            rc = compile_one(p, wid, rid, from, to);
        return rc;
    }
    struct op loop = {.code = LOOP, .from = from, .to = to, .n = count, .from_stride = a->size,
                      .to_stride = b->size};
    uint32_t at = p->nops;
    if ((rc = add(p, &loop)) != HMF_OK)
        return rc;
    p->join = p->nops;
    p->nloops++;
    rc = compile_one(p, wid, rid, 0, 0);
    p->nloops--;
    p->ops[at].nbody = p->nops - at - 1;
    p->join = p->nops;
    return rc;
}

/* Write into map where each byte of the target comes from; false: bytes are not only moved. */
static bool paint(const struct op *ops, uint32_t nops, uint64_t from, uint64_t to, int16_t *map)
{
    for (uint32_t i = 0; i < nops; i++) {
        const struct op *op = &ops[i];
        uint64_t size = op->from_size, bytes = op->n * size;
        switch (op->code) {
        case COPY:
        case SWAP:
        case ZERO:
            for (uint64_t k = 0; k < bytes; k++)
                map[to + op->to + k] =
                    op->code == ZERO ? HMF__SHUFFLE_ZERO
                                     : (int16_t)(from + op->from +
                                                 (op->code == SWAP ? k / size * size + size - 1 -
                                                                         k % size
                                                                   : k));
            break;
        case LOOP:
            for (uint64_t k = 0; k < op->n; k++)
                if (!paint(op + 1, op->nbody, from + op->from + k * op->from_stride,
                           to + op->to + k * op->to_stride, map))
                    return false;
            i += op->nbody;
            break;
        default:
            return false;
        }
    }
    return true;
}

static hmf_status_t make_shuffle(struct hmf__plan *p)
{
    uint64_t from_size = p->w->v[p->wid].size, to_size = p->r->v[p->rid].size;
    int16_t map[HMF__SHUFFLE_MAX];

    if (from_size > HMF__SHUFFLE_MAX || to_size > HMF__SHUFFLE_MAX)
        return HMF_OK;
    if (p->nops == 1 && p->ops[0].n * p->ops[0].to_size == to_size)
        return HMF_OK; /* dense: the loops of convert.c are as fast */
    for (uint64_t i = 0; i < to_size; i++)
        map[i] = HMF__SHUFFLE_ANY;
    if (!paint(p->ops, p->nops, 0, 0, map))
        return HMF_OK;
    return hmf__shuffle_make(map, (uint32_t)from_size, (uint32_t)to_size, &p->shuffle);
}

hmf_status_t hmf__plan_make(const struct hmf__types *w, uint32_t wid, const struct hmf__types *r,
                            uint32_t rid, struct hmf__plan **out)
{
    struct hmf__plan *p = hmf__calloc(1, sizeof *p);
    hmf_status_t rc = HMF_OK;

    if (!p)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a conversion plan");
    p->w = w;
    p->r = r;
    p->wid = wid;
    p->rid = rid;
    p->same = same_layout(w, wid, r, rid);
    if (!p->same)
        rc = compile(p, wid, rid, 0, 0);
    if (rc == HMF_OK && !p->same)
        rc = make_shuffle(p);
    if (rc != HMF_OK) {
        hmf__plan_free(p);
        return rc;
    }
    *out = p;
    return HMF_OK;
}

void hmf__plan_free(struct hmf__plan *p)
{
    if (!p)
        return;
    hmf__shuffle_free(p->shuffle);
    hmf__free(p->ops);
    hmf__free(p);
}

bool hmf__plan_same(const struct hmf__plan *p)
{
    return p->same;
}

/* ---- running ---- */

struct run {
    const struct hmf__plan *plan;
    const char *from; /* all elements, to tell which one is wrong */
    uint64_t from_stride, to_stride;
};

static hmf_status_t does_not_fit(const struct run *run, const struct op *op, const char *at)
{
    const struct hmf__plan *p = run->plan;
    uint64_t offset = (uint64_t)(at - run->from);
    char path[200], value[40], text[80];
    uint64_t v = op->code == BITS
                     ? hmf__bits_load(p->w->abi.big_endian, at, op->from_bit, op->from_width,
                                      op->is_signed)
                     : hmf__convert_load(op->from_size, op->is_signed, op->from_swap, at);

    snprintf(value, sizeof value, op->is_signed ? "%" PRId64 : "%" PRIu64, v);
    hmf__layout_path(p->w, p->wid, at - offset % run->from_stride, offset % run->from_stride,
                     op->from_bit, path, sizeof path);
    bool bits = op->code == BITS;
    return hmf__fail(HMF_ERR_RANGE, "element %llu%s%s of %s: the value %s does not fit into %u "
                     "%s", (unsigned long long)(offset / run->from_stride),
                     *path ? ", field " : "", path + (*path == '.'),
                     hmf__type_text(p->w, p->wid, text, sizeof text), value,
                     bits ? op->to_width : op->to_size, bits ? "bits" : "bytes");
}

/* A run of scalars in each of `rows` elements. */
static hmf_status_t run_scalars(const struct run *run, const struct op *op, const char *from,
                                char *to, uint64_t rows)
{
    uint64_t turns = rows, n = op->n, bad = HMF__ALL_GOOD;
    size_t fs = op->from_size, ts = op->to_size;
    size_t from_turn = (size_t)run->from_stride, to_turn = (size_t)run->to_stride;

    if (n * fs == from_turn && n * ts == to_turn) { /* dense over the elements */
        n *= rows;
        turns = 1;
    } else if (n < 8 && n < rows) { /* few in each: go over the elements with each */
        turns = n;
        n = rows;
        size_t f = fs, t = ts;
        fs = from_turn;
        ts = to_turn;
        from_turn = f;
        to_turn = t;
    }
    for (; turns; turns--, from += from_turn, to += to_turn) {
        switch (op->code) {
        case SWAP:
            hmf__convert_swap(op->from_size, from, fs, to, ts, n);
            break;
        case INT:
            bad = hmf__convert_int(op->is_signed, op->from_size, op->from_swap, from, fs,
                                   op->to_size, op->to_swap, to, ts, n);
            if (bad != HMF__ALL_GOOD)
                return does_not_fit(run, op, from + bad * fs);
            break;
        default:
            bad = hmf__convert_ldouble(&run->plan->w->abi, from, fs, &run->plan->r->abi, to, ts,
                                       n);
            if (bad != HMF__ALL_GOOD)
                return hmf__fail(HMF_ERR_RANGE, "element %llu: a long double does not fit into "
                                 "this machine's", (unsigned long long)(
                                     (uint64_t)(from + bad * fs - run->from) / run->from_stride));
        }
    }
    return HMF_OK;
}

static void run_bytes(const struct run *run, const struct op *op, const char *from, char *to,
                      uint64_t rows)
{
    size_t n = (size_t)op->n;

    for (; rows; rows--, from += run->from_stride, to += run->to_stride) {
        if (op->code == ZERO)
            memset(to, 0, n);
        else if (n == 8)
            memcpy(to, from, 8);
        else if (n == 4)
            memcpy(to, from, 4);
        else if (n == 1)
            *to = *from;
        else
            memcpy(to, from, n);
    }
}

static hmf_status_t run_bits(const struct run *run, const struct op *op, const char *from,
                             char *to, uint64_t rows)
{
    bool from_big = run->plan->w->abi.big_endian, to_big = run->plan->r->abi.big_endian;

    for (; rows; rows--, from += run->from_stride, to += run->to_stride) {
        uint64_t v = hmf__bits_load(from_big, from, op->from_bit, op->from_width, op->is_signed);
        if (!hmf__bits_fit(v, op->is_signed, op->to_width, op->to_signed))
            return does_not_fit(run, op, from);
        hmf__bits_store(to_big, to, op->to_bit, op->to_width, v);
    }
    return HMF_OK;
}

/* What offsets of ops count from: the first of the rows, in a loop the turn in it. */
struct frame {
    const char *from;
    const struct frame *outer;
};

static hmf_status_t run_ops(const struct run *run, const struct op *ops, uint32_t nops,
                            const struct frame *frame, char *to, uint64_t rows);

static hmf_status_t run_choice(const struct run *run, const struct op *op,
                               const struct frame *frame, char *to, uint64_t rows)
{
    const struct hmf__plan *p = run->plan;
    const struct frame *place = frame;
    hmf_status_t rc = HMF_OK;
    char path[200];

    for (int k = 0; k < op->loops; k++)
        place = place->outer;
    for (uint64_t i = 0; i < rows && rc == HMF_OK; i++, to += run->to_stride) {
        struct frame row = {frame->from + i * run->from_stride, frame->outer};
        uint64_t value = hmf__depend_load(&op->place, p->w->abi.big_endian,
                                          place->from + i * run->from_stride);
        uint32_t holds = hmf__depend_choose(&p->w->v[op->type], value);
        if (holds == HMF__NO_BRANCH) {
            uint64_t offset = (uint64_t)(row.from + op->from - run->from);
            hmf__layout_path(p->w, p->wid, NULL, offset % run->from_stride, 0, path, sizeof path);
            return hmf__fail(HMF_ERR_RANGE, "element %llu%s%s: the discriminant of a union is "
                             "%lld, which selects no branch",
                             (unsigned long long)(offset / run->from_stride),
                             *path ? ", around " : "", path + (*path == '.'), (long long)value);
        }
        const struct op *b = op + 1;
        while (holds--)
            b += b->nbody + 1;
        /* frames further out must be of the same row */
        struct frame outer[HMF__MAX_DEPTH + 2];
        int n = 0;
        for (const struct frame *f = frame->outer; f && n <= HMF__MAX_DEPTH; f = f->outer, n++) {
            outer[n] = (struct frame){f->from + i * run->from_stride, NULL};
            if (n)
                outer[n - 1].outer = &outer[n];
        }
        row.outer = n ? &outer[0] : NULL;
        rc = run_ops(run, b + 1, b->nbody, &row, to, 1);
    }
    return rc;
}

static hmf_status_t run_ops(const struct run *run, const struct op *ops, uint32_t nops,
                            const struct frame *frame, char *to, uint64_t rows)
{
    const char *from = frame->from;
    hmf_status_t rc = HMF_OK;

    for (uint32_t i = 0; i < nops && rc == HMF_OK; i++) {
        const struct op *op = &ops[i];
        switch (op->code) {
        case COPY:
        case ZERO:
            run_bytes(run, op, from + op->from, to + op->to, rows);
            break;
        case LOOP:
            for (uint64_t k = 0; k < op->n && rc == HMF_OK; k++) {
                struct frame turn = {from + op->from + k * op->from_stride, frame};
                rc = run_ops(run, op + 1, op->nbody, &turn, to + op->to + k * op->to_stride, rows);
            }
            i += op->nbody;
            break;
        case BITS:
            rc = run_bits(run, op, from + op->from, to + op->to, rows);
            break;
        case CHOICE:
            rc = run_choice(run, op, frame, to, rows);
            i += op->nbody;
            break;
        default:
            rc = run_scalars(run, op, from + op->from, to + op->to, rows);
        }
    }
    return rc;
}

hmf_status_t hmf__plan_run(const struct hmf__plan *p, const void *from, void *to, uint64_t n)
{
    struct run run = {p, from, p->w->v[p->wid].size, p->r->v[p->rid].size};
    const char *f = from;
    char *t = to;

    if (p->same) {
        memcpy(to, from, (size_t)(n * run.from_stride));
        return HMF_OK;
    }
    if (p->shuffle) {
        uint64_t done = hmf__shuffle_run(p->shuffle, f, t, n);
        f += done * run.from_stride;
        t += done * run.to_stride;
        n -= done;
    }
    uint64_t block = p->nops == 1 ? n : BLOCK; /* one op needs no blocks */
    for (hmf_status_t rc = HMF_OK; n;) {
        uint64_t rows = n < block ? n : block;
        struct frame frame = {f, NULL};
        if ((rc = run_ops(&run, p->ops, p->nops, &frame, t, rows)) != HMF_OK)
            return rc;
        f += rows * run.from_stride;
        t += rows * run.to_stride;
        n -= rows;
    }
    return HMF_OK;
}
