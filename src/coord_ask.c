/* coord_ask.c - wishes in their queue, and which spare takes which rank. */
#include "config.h"

#include "coord_priv.h"

#include <string.h>

#include "control.h"
#include "wave.h"

#define SAME_SIGNAL_NS 1000000000ull     /* mpirun signals every rank: that is one wish */

int hmf__coord_known(struct hmf__coord *c, const struct hmf__ask *ask)
{
    for (struct wish *w = c->first; w; w = w->next)
        if (w->ask.kind == ask->kind && !ask->token &&
            (ask->kind == HMF__OP_MOVE ? w->ask.rank == ask->rank : w->ask.stop >= ask->stop))
            return 1;
    /* From the commit on the rank runs in its new place: what comes now is a wish to go on from
     * there. */
    if (ask->kind == HMF__OP_MOVE && !ask->token && c->phase != COMMIT)
        for (int i = 0; i < c->ncands; i++)
            if (c->cands[i].ask.rank == ask->rank && c->cands[i].state != FAILED)
                return 1;
    /* mpirun passes a signal on to every rank, one after the other. */
    return ask->kind == HMF__OP_CHECKPOINT && ask->source == HMF__ASK_SIGNAL && !ask->stop &&
           c->last_checkpoint_ns && hmf__now_ns() - c->last_checkpoint_ns < SAME_SIGNAL_NS;
}

void hmf__coord_put_wish(struct hmf__coord *c, const struct hmf__ask *ask)
{
    struct wish *w = hmf__malloc(sizeof *w);

    if (!w) {
        hmf__coord_answer(c, ask, 0, "no memory to take the request");
        return;
    }
    w->next = NULL;
    w->ask = *ask;
    *c->last = w;
    c->last = &w->next;
}

void hmf__coord_ask(struct hmf__coord *c, struct hmf__buf *in)
{
    struct hmf__ask ask;

    if (hmf__ask_get(in, &ask))
        return;
    if (ask.kind == HMF__OP_MOVE && (ask.rank < 0 || ask.rank >= c->a->nranks)) {
        hmf__coord_answer(c, &ask, 0, "no move: there is no rank %d, ranks are 0 to %d", ask.rank,
               c->a->nranks - 1);
        return;
    }
    if (c->ending) {
        hmf__coord_answer(c, &ask, 0, "the request comes too late: the job is at its end");
        return;
    }
    if (hmf__coord_known(c, &ask))
        return;
    hmf__coord_put_wish(c, &ask);
    hmf__coord_kick(c);
}

/* Takes the wishes of one kind out of the queue. */
static int take_wishes(struct hmf__coord *c, uint32_t kind)
{
    int n = 0;

    for (struct wish **p = &c->first; *p;) {
        struct wish *w = *p;
        if (w->ask.kind != kind) {
            p = &w->next;
            continue;
        }
        if (kind == HMF__OP_CHECKPOINT) {
            c->op.stop |= w->ask.stop;
            c->op.wait |= w->ask.token != 0;
            c->unasked &= w->ask.source == HMF__ASK_SCHEDULE;
            if (w->ask.token && c->ntokens < (int)(sizeof c->token / sizeof *c->token))
                c->token[c->ntokens++] = w->ask.token;
            n++;
        } else {
            int twice = 0;
            for (int i = 0; i < n; i++)
                twice |= c->cands[i].ask.rank == w->ask.rank;
            if (twice || n == c->a->nranks) {
                hmf__coord_answer(c, &w->ask, 0, "rank %d is asked to move twice at once",
                                  w->ask.rank);
            } else {
                memset(&c->cands[n], 0, sizeof c->cands[n]);
                c->cands[n].ask = w->ask;
                c->cands[n].to = -1;
                n++;
            }
        }
        *p = w->next;
        hmf__free(w);
    }
    c->last = &c->first;
    while (*c->last)
        c->last = &(*c->last)->next;
    return n;
}

/* ---- negotiation -------------------- */

/* The next spare to ask: on the wanted node, else first on another node than the rank's own. */
static int choose(struct hmf__coord *c, const struct cand *m)
{
    int from = c->a->proc_of[m->ask.rank], same = -1;

    for (int p = 0; p < c->a->nprocs; p++) {
        if (c->spare[p] != FREE || c->drained[p])
            continue;
        if (m->ask.node[0]) {
            if (!strcmp(m->ask.node, hmf__coord_node(c, p)))
                return p;
        } else if (!hmf__net_same_host(c->a->net, p, from)) {
            return p;
        } else if (same < 0) {
            same = p;
        }
    }
    return same;
}

static void refuse(struct hmf__coord *c, struct cand *m)
{
    int nfree = 0, nspare = 0;

    for (int p = 0; p < c->a->nprocs; p++) {
        nspare += c->spare[p] != NOT_SPARE;
        nfree += c->spare[p] == FREE && !c->drained[p];
    }
    m->state = FAILED;
    m->to = -1;
    hmf__coord_stay_event(c, m, "negotiating",
                          m->ask.node[0] ? "no free spare there" : "no spare is free");
    hmf__coord_refused(c, m);
    if (m->ask.node[0])
        hmf__coord_answer(c, &m->ask, 0,
                          "rank %d stays on %s: no free spare on %s (%d of %d spares are free)",
                          m->ask.rank, hmf__coord_node(c, c->a->proc_of[m->ask.rank]), m->ask.node,
                          nfree, nspare);
    else
        hmf__coord_answer(
            c, &m->ask, 0,
            "rank %d stays on %s: no spare is free (%d of %d); start the job with more "
            "(HMF_SPARES), or checkpoint it",
            m->ask.rank, hmf__coord_node(c, c->a->proc_of[m->ask.rank]), nfree, nspare);
}

void hmf__coord_ask_spare(struct hmf__coord *c, struct cand *m)
{
    while ((m->to = choose(c, m)) >= 0) {
        struct hmf__buf out = HMF__BUF_INIT;
        hmf_status_t st;
        hmf__buf_put_u64(&out, c->op.epoch);
        hmf__buf_put_i32(&out, m->ask.rank);
        st = out.status ? out.status
                        : hmf__net_send(c->a->net, m->to, HMF__F_RESERVE, out.data, out.len);
        hmf__buf_fini(&out);
        if (!st) {
            c->spare[m->to] = PROMISED;
            m->state = ASKING;
            return;
        }
        c->spare[m->to] = GONE;
    }
    refuse(c, m);
}

static void hold(struct hmf__coord *c)
{
    hmf__coord_enter(c, HOLD);
    hmf__wave_start(c->a, HMF__WAVE_HOLD, &c->op, "");
}

/* When nobody is being asked any more: go, or give up. */
void hmf__coord_settle(struct hmf__coord *c)
{
    int n = 0;

    for (int i = 0; i < c->ncands; i++) {
        if (c->cands[i].state == ASKING)
            return;
        n += c->cands[i].state == ACCEPTED;
    }
    c->op.moves = n ? hmf__calloc((size_t)n, sizeof *c->op.moves) : NULL;
    if (!c->op.moves) {
        hmf__coord_idle(c);
        return;
    }
    for (int i = 0; i < c->ncands; i++)
        if (c->cands[i].state == ACCEPTED) {
            int rank = c->cands[i].ask.rank;
            c->op.moves[c->op.nmoves++] =
                (struct hmf__move){rank, c->a->proc_of[rank], c->cands[i].to};
            hmf__coord_predict(c, &c->cands[i]);
        }
    hold(c);
}

void hmf__coord_kick(struct hmf__coord *c)
{
    if (c->phase != IDLE || !c->first || c->ending)
        return;
    memset(&c->op, 0, sizeof c->op);
    c->op.epoch = ++c->epoch;
    c->op.kind = c->first->ask.kind;
    c->begun_ns = hmf__now_ns();
    c->ncands = c->cuts = 0;
    c->taken = false;
    c->unasked = true;
    if (c->op.kind == HMF__OP_CHECKPOINT) {
        take_wishes(c, c->op.kind);
        c->last_checkpoint_ns = c->begun_ns;
        hmf__schedule_begun(&c->schedule, c->begun_ns);
        hold(c);
        return;
    }
    c->ncands = take_wishes(c, c->op.kind);
    hmf__coord_enter(c, NEGOTIATE);
    c->deadline_ns = hmf__now_ns() + HMF__OFFER_NS;
    for (int i = 0; i < c->ncands; i++)
        hmf__coord_ask_spare(c, &c->cands[i]);
    hmf__coord_settle(c);
}

struct cand *hmf__coord_cand_to(struct hmf__coord *c, int proc)
{
    for (int i = 0; i < c->ncands; i++)
        if (c->cands[i].to == proc && c->cands[i].state != FAILED)
            return &c->cands[i];
    return NULL;
}

void hmf__coord_offer(struct hmf__coord *c, int from, struct hmf__buf *in)
{
    uint64_t epoch = hmf__buf_get_u64(in);
    struct cand *m = hmf__coord_cand_to(c, from);
    char *refusal;

    (void)hmf__buf_get_i32(in);
    if (c->phase != NEGOTIATE || epoch != c->op.epoch || !m || m->state != ASKING)
        return;
    refusal = hmf__buf_get_string(in, 400);
    if (refusal && !refusal[0]) {
        m->state = ACCEPTED;
    } else {
        hmf__log(HMF__LOG_INFO, "spare process %d on %s does not take rank %d: %s", from,
                 hmf__coord_node(c, from), m->ask.rank, refusal ? refusal : "its answer is damaged");
        c->spare[from] = USED;
        hmf__coord_ask_spare(c, m);
    }
    hmf__free(refusal);
    hmf__coord_settle(c);
}
