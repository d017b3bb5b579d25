/* op.c - encoding of operations and wishes (see op.h). */
#include "config.h"

#include "op.h"

#include <stdio.h>
#include <string.h>

hmf_status_t hmf__ask_put(struct hmf__buf *out, const struct hmf__ask *ask)
{
    hmf__buf_put_u32(out, ask->kind);
    hmf__buf_put_u32(out, ask->source);
    hmf__buf_put_u32(out, ask->stop);
    hmf__buf_put_i32(out, ask->rank);
    hmf__buf_put_u64(out, ask->token);
    hmf__buf_put_string(out, ask->node);
    return out->status;
}

hmf_status_t hmf__ask_get(struct hmf__buf *in, struct hmf__ask *out)
{
    char *node;

    out->kind = hmf__buf_get_u32(in);
    out->source = hmf__buf_get_u32(in);
    out->stop = hmf__buf_get_u32(in);
    out->rank = hmf__buf_get_i32(in);
    out->token = hmf__buf_get_u64(in);
    node = hmf__buf_get_string(in, sizeof out->node - 1);
    if (!node)
        return in->status ? in->status : HMF_ERR_FORMAT;
    snprintf(out->node, sizeof out->node, "%s", node);
    hmf__free(node);
    if (in->status || (out->kind != HMF__OP_CHECKPOINT && out->kind != HMF__OP_MOVE))
        return hmf__fail(HMF_ERR_FORMAT, "a request between agents is damaged");
    return HMF_OK;
}

hmf_status_t hmf__op_put(struct hmf__buf *out, const struct hmf__op *op)
{
    hmf__buf_put_u64(out, op->epoch);
    hmf__buf_put_u32(out, op->kind);
    hmf__buf_put_u32(out, op->stop);
    hmf__buf_put_u32(out, op->wait);
    hmf__buf_put_u64(out, op->cut);
    hmf__buf_put_u32(out, op->nmoves);
    for (uint32_t i = 0; i < op->nmoves; i++) {
        hmf__buf_put_i32(out, op->moves[i].rank);
        hmf__buf_put_i32(out, op->moves[i].from);
        hmf__buf_put_i32(out, op->moves[i].to);
    }
    return out->status;
}

static int outside(int32_t v, int n)
{
    return v < 0 || v >= n;
}

hmf_status_t hmf__op_get(struct hmf__buf *in, int nranks, int nprocs, struct hmf__op *out)
{
    struct hmf__op op = {0};

    op.epoch = hmf__buf_get_u64(in);
    op.kind = hmf__buf_get_u32(in);
    op.stop = hmf__buf_get_u32(in);
    op.wait = hmf__buf_get_u32(in);
    op.cut = hmf__buf_get_u64(in);
    op.nmoves = hmf__buf_get_u32(in);
    if (in->status || (op.kind != HMF__OP_CHECKPOINT && op.kind != HMF__OP_MOVE) ||
        op.nmoves > (uint32_t)nranks)
        return hmf__fail(HMF_ERR_FORMAT, "the plan of an operation is damaged");
    if (op.nmoves && !(op.moves = hmf__calloc(op.nmoves, sizeof *op.moves)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a plan of %u moves", op.nmoves);
    for (uint32_t i = 0; i < op.nmoves; i++) {
        struct hmf__move *m = &op.moves[i];
        m->rank = hmf__buf_get_i32(in);
        m->from = hmf__buf_get_i32(in);
        m->to = hmf__buf_get_i32(in);
        if (outside(m->rank, nranks) || outside(m->from, nprocs) || outside(m->to, nprocs)) {
            hmf__op_clear(&op);
            return hmf__fail(HMF_ERR_FORMAT, "the plan of an operation is damaged");
        }
    }
    *out = op;
    return HMF_OK;
}

hmf_status_t hmf__op_copy(const struct hmf__op *op, struct hmf__op *out)
{
    struct hmf__op copy = *op;

    copy.moves = NULL;
    if (op->nmoves) {
        copy.moves = hmf__malloc(op->nmoves * sizeof *op->moves);
        if (!copy.moves)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a plan of %u moves", op->nmoves);
        memcpy(copy.moves, op->moves, op->nmoves * sizeof *op->moves);
    }
    *out = copy;
    return HMF_OK;
}

void hmf__op_clear(struct hmf__op *op)
{
    hmf__free(op->moves);
    memset(op, 0, sizeof *op);
}

const struct hmf__move *hmf__op_leaves(const struct hmf__op *op, int proc)
{
    for (uint32_t i = 0; i < op->nmoves; i++)
        if (op->moves[i].from == proc)
            return &op->moves[i];
    return NULL;
}

const struct hmf__move *hmf__op_enters(const struct hmf__op *op, int proc)
{
    for (uint32_t i = 0; i < op->nmoves; i++)
        if (op->moves[i].to == proc)
            return &op->moves[i];
    return NULL;
}
