/* coord.c - the coordinator (see coord.h).
 *
 *   IDLE -> NEGOTIATE -> HOLD -> CUT -> WORK -> JOIN -> RESTORE -> COMMIT -> IDLE
 *              |           \______\_______\______\_________\
 *              v                        ABORT -> IDLE
 *            refused
 *
 * A checkpoint goes IDLE -> HOLD -> CUT -> WORK -> IDLE.  Whatever fails before COMMIT ends in
 * ABORT, after which every rank runs on where it was. */
#include "config.h"

#include "coord.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "decide.h"
#include "events.h"
#include "monitor.h"
#include "pulse.h"
#include "schedule.h"
#include "wave.h"

#define OFFER_NS (5ull * 1000000000)     /* a spare sleeps in poll(): it answers at once or not at all */
#define SAME_SIGNAL_NS 1000000000ull     /* mpirun signals every rank: that is one wish */

enum phase { IDLE, NEGOTIATE, HOLD, CUT, WORK, JOIN, RESTORE, COMMIT, ABORT };
enum spare { NOT_SPARE, FREE, PROMISED, USED, GONE };

struct wish { struct wish *next; struct hmf__ask ask; };

struct cand {                   /* a move that is being negotiated */
    struct hmf__ask ask;
    int to;                     /* process asked, -1: none */
    enum { ASKING, ACCEPTED, FAILED } state;
    enum hmf__stage stage;
    uint64_t bytes;             /* of the rank's state, when it has arrived */
};

/* Since the job began, over all coordinators. */
struct totals { uint64_t moves, stays, checkpoints, failed_checkpoints, bytes, moving_ns, holding_ns; };

struct hmf__coord {
    struct hmf__agent *a;
    enum phase phase;
    uint8_t *spare;             /* nprocs: enum spare */
    struct wish *first, **last;
    struct hmf__op op;
    struct cand *cands;         /* the moves of this operation; [nranks] */
    int ncands;
    uint64_t token[8];          /* control requests that wait for a checkpoint */
    int ntokens;
    bool wave_up;               /* COMMIT: the tree has answered */
    uint64_t deadline_ns;       /* NEGOTIATE, RESTORE: limit of the phase */
    uint64_t begun_ns, last_checkpoint_ns;
    uint64_t entered_ns[ABORT + 1];  /* when each phase of this operation began */
    uint64_t epoch;
    struct hmf__schedule schedule;
    struct hmf__decide *decide; /* NULL: nobody but those who ask decides about moves */
    bool unasked;               /* the checkpoint of this operation is the schedule's wish alone */
    bool ending;
    bool *drained;              /* nprocs: its node is not to be moved to */
    struct { uint64_t token; char node[64]; } drain;   /* who waits until a node is empty */
    struct totals totals;
    double began_s;             /* seconds since 1970 */
};

static void kick(struct hmf__coord *c);
static const char *node_of(struct hmf__coord *c, int proc);
static void decide(struct hmf__coord *c, uint64_t now_ns);

static const char *const phase_name[] = {"idle", "negotiating", "stopping", "stopping", "working",
                                         "joining", "restoring", "committing", "undoing"};

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void enter(struct hmf__coord *c, enum phase phase)
{
    c->phase = phase;
    c->entered_ns[phase] = hmf__now_ns();
}

/* Hosts are those whose processes reach each other by loopback. */
static hmf_status_t new_decide(struct hmf__coord *c)
{
    struct hmf__agent *a = c->a;
    int *host_of = hmf__calloc((size_t)a->nprocs, sizeof *host_of), n = 0;
    int *first = hmf__calloc((size_t)a->nprocs, sizeof *first);
    const char **names = hmf__calloc((size_t)a->nprocs, sizeof *names);
    hmf_status_t st = HMF_ERR_NOMEM;

    if (!host_of || !first || !names) {
        hmf__fail(st, "no memory for the hosts of %d processes", a->nprocs);
        goto free_lists;
    }
    for (int p = 0; p < a->nprocs; p++) {
        while (host_of[p] < n && !hmf__net_same_host(a->net, first[host_of[p]], p))
            host_of[p]++;
        if (host_of[p] == n) {
            first[n] = p;
            names[n++] = node_of(c, p);
        }
    }
    st = hmf__decide_new(a->nranks, a->nprocs, n, host_of, names, hmf__monitor_interval(a->monitor),
                         hmf__now_ns(), &c->decide);

free_lists:
    hmf__free(names);
    hmf__free(first);
    hmf__free(host_of);
    return st;
}

hmf_status_t hmf__coord_new(struct hmf__agent *a)
{
    struct hmf__coord *c = hmf__calloc(1, sizeof *c);

    if (c) {
        c->spare = hmf__calloc((size_t)a->nprocs, 1);
        c->cands = hmf__calloc((size_t)a->nranks, sizeof *c->cands);
        c->drained = hmf__calloc((size_t)a->nprocs, sizeof *c->drained);
    }
    if (!c || !c->spare || !c->cands || !c->drained) {
        hmf__coord_free(c);
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the coordinator of %d processes", a->nprocs);
    }
    c->a = a;
    c->last = &c->first;
    memset(c->spare, FREE, (size_t)a->nprocs);
    for (int r = 0; r < a->nranks; r++)
        c->spare[a->proc_of[r]] = NOT_SPARE;
    hmf__schedule_init(&c->schedule, hmf__now_ns(), wall_s());
    c->began_s = wall_s();
    if (a->monitor && new_decide(c))
        hmf__log(HMF__LOG_ERROR, "HMF_POLICY: %s; nobody decides about moves but who asks for them",
                 hmf_error_text());
    a->coord = c;
    return HMF_OK;
}

void hmf__coord_free(struct hmf__coord *c)
{
    if (!c)
        return;
    while (c->first) {
        struct wish *w = c->first;
        c->first = w->next;
        hmf__free(w);
    }
    hmf__op_clear(&c->op);
    hmf__free(c->drained);
    hmf__decide_free(c->decide);
    hmf__free(c->cands);
    hmf__free(c->spare);
    hmf__free(c);
}

int hmf__coord_busy(const struct hmf__coord *c)
{
    return c && c->phase != IDLE;
}

/* ---- answers -------------------- */

static void answer(struct hmf__coord *c, const struct hmf__ask *ask, int ok, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void answer(struct hmf__coord *c, const struct hmf__ask *ask, int ok, const char *fmt, ...)
{
    char text[700];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    hmf__log(ok ? HMF__LOG_INFO : HMF__LOG_WARN, "%s", text);
    if (ask->token)
        hmf__control_answer(c->a->control, ask->token, ok, text);
}

static double ms(const struct hmf__coord *c, enum phase from, enum phase to);

static void checkpoint_event(struct hmf__coord *c, int ok, const char *text)
{
    struct hmf__events *e = c->a->events;
    uint64_t held = hmf__now_ns() - c->begun_ns;

    *(ok ? &c->totals.checkpoints : &c->totals.failed_checkpoints) += 1;
    c->totals.holding_ns += ok ? held : 0;
    hmf__events_begin(e, ok ? "checkpoint" : "no-checkpoint");
    hmf__events_int(e, "epoch", (int64_t)c->op.epoch);
    hmf__events_text(e, "asked_by", c->unasked ? "schedule" : "operator");
    hmf__events_int(e, "stop", c->op.stop != 0);
    hmf__events_real(e, "total_ms", (double)held * 1e-6);
    if (!ok)
        hmf__events_text(e, "reason", text);
    hmf__events_end(e);
}

static void answer_checkpoint(struct hmf__coord *c, int ok, const char *text)
{
    checkpoint_event(c, ok, text);
    struct hmf__ask ask = {.kind = HMF__OP_CHECKPOINT};

    answer(c, &ask, ok, "%s", text);
    for (int i = 0; i < c->ntokens; i++)
        hmf__control_answer(c->a->control, c->token[i], ok, text);
    c->ntokens = 0;
}

static const char *node_of(struct hmf__coord *c, int proc)
{
    return c->a->addrs[proc].node;
}

static const char *asked_by(const struct hmf__ask *ask)
{
    static const char *const source[] = {"signal", "program", "operator", "schedule", "policy"};

    return ask->source < sizeof source / sizeof *source ? source[ask->source] : "other";
}

/* A rank that was asked to move stays. */
static void stay_event(struct hmf__coord *c, const struct cand *m, const char *phase, const char *why)
{
    struct hmf__events *e = c->a->events;

    c->totals.stays++;
    hmf__events_begin(e, "stay");
    hmf__events_int(e, "epoch", (int64_t)c->op.epoch);
    hmf__events_int(e, "rank", m->ask.rank);
    hmf__events_text(e, "node", node_of(c, c->a->proc_of[m->ask.rank]));
    if (m->to >= 0)
        hmf__events_text(e, "to", node_of(c, m->to));
    hmf__events_text(e, "asked_by", asked_by(&m->ask));
    hmf__events_text(e, "phase", phase);
    hmf__events_text(e, "reason", why);
    hmf__events_real(e, "total_ms", (double)(hmf__now_ns() - c->begun_ns) * 1e-6);
    hmf__events_end(e);
}

static void release(struct hmf__coord *c, int proc)
{
    struct hmf__buf out = HMF__BUF_INIT;

    hmf__buf_put_u64(&out, c->op.epoch);
    if (!out.status)
        hmf__net_send(c->a->net, proc, HMF__F_RELEASE, out.data, out.len);
    hmf__buf_fini(&out);
    if (c->spare[proc] == PROMISED)
        c->spare[proc] = FREE;
}

static void settle_drain(struct hmf__coord *c);

static void idle(struct hmf__coord *c)
{
    c->phase = IDLE;
    settle_drain(c);
    c->ncands = 0;
    hmf__op_clear(&c->op);
    kick(c);
}

static void refused(struct hmf__coord *c, const struct cand *m)
{
    if (c->decide)
        hmf__decide_refused(c->decide, m->ask.rank, hmf__now_ns());
}

/* The operation fails as a whole: before TAKE the spares stay free, after it they are spent,
 * since the program runs in them already. */
static void fail(struct hmf__coord *c, hmf_status_t status, const char *why)
{
    char text[500];

    snprintf(text, sizeof text, "%s", why);
    for (int i = 0; i < c->ncands; i++) {
        struct cand *m = &c->cands[i];
        if (m->state != ACCEPTED)
            continue;
        refused(c, m);
        answer(c, &m->ask, 0, "rank %d stays on %s: the move to %s was undone: %s", m->ask.rank,
               node_of(c, c->a->proc_of[m->ask.rank]), node_of(c, m->to), text);
        stay_event(c, m, phase_name[c->phase], text);
        if (c->phase == HOLD || c->phase == CUT) {
            release(c, m->to);
        } else {
            if (c->spare[m->to] == PROMISED)
                c->spare[m->to] = USED;
            hmf__wave_send_direct(c->a, m->to, HMF__WAVE_ABORT, &c->op, text);
        }
    }
    if (c->op.kind == HMF__OP_CHECKPOINT) {
        char line[700];
        snprintf(line, sizeof line, "no checkpoint was taken: %s", text);
        if (c->unasked && status == HMF_ERR_STATE)
            hmf__log(HMF__LOG_INFO, "%s", line);   /* the job is at its end: nobody misses it */
        else
            answer_checkpoint(c, 0, line);
    }
    enter(c, ABORT);
    hmf__wave_start(c->a, HMF__WAVE_ABORT, &c->op, text);
}

/* ---- wishes -------------------- */

static int known(struct hmf__coord *c, const struct hmf__ask *ask)
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

static void put_wish(struct hmf__coord *c, const struct hmf__ask *ask)
{
    struct wish *w = hmf__malloc(sizeof *w);

    if (!w) {
        answer(c, ask, 0, "no memory to take the request");
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
        answer(c, &ask, 0, "no move: there is no rank %d, ranks are 0 to %d", ask.rank,
               c->a->nranks - 1);
        return;
    }
    if (c->ending) {
        answer(c, &ask, 0, "the request comes too late: the job is at its end");
        return;
    }
    if (known(c, &ask))
        return;
    put_wish(c, &ask);
    kick(c);
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
                answer(c, &w->ask, 0, "rank %d is asked to move twice at once", w->ask.rank);
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
            if (!strcmp(m->ask.node, node_of(c, p)))
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
    stay_event(c, m, "negotiating", m->ask.node[0] ? "no free spare there" : "no spare is free");
    refused(c, m);
    if (m->ask.node[0])
        answer(c, &m->ask, 0, "rank %d stays on %s: no free spare on %s (%d of %d spares are free)",
               m->ask.rank, node_of(c, c->a->proc_of[m->ask.rank]), m->ask.node, nfree, nspare);
    else
        answer(c, &m->ask, 0, "rank %d stays on %s: no spare is free (%d of %d); start the job with more "
               "(HMF_SPARES), or checkpoint it", m->ask.rank,
               node_of(c, c->a->proc_of[m->ask.rank]), nfree, nspare);
}

static void ask_spare(struct hmf__coord *c, struct cand *m)
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
    enter(c, HOLD);
    hmf__wave_start(c->a, HMF__WAVE_HOLD, &c->op, "");
}

/* When nobody is being asked any more: go, or give up. */
static void settle(struct hmf__coord *c)
{
    int n = 0;

    for (int i = 0; i < c->ncands; i++) {
        if (c->cands[i].state == ASKING)
            return;
        n += c->cands[i].state == ACCEPTED;
    }
    c->op.moves = n ? hmf__calloc((size_t)n, sizeof *c->op.moves) : NULL;
    if (!c->op.moves) {
        idle(c);
        return;
    }
    for (int i = 0; i < c->ncands; i++)
        if (c->cands[i].state == ACCEPTED) {
            int rank = c->cands[i].ask.rank;
            c->op.moves[c->op.nmoves++] =
                (struct hmf__move){rank, c->a->proc_of[rank], c->cands[i].to};
        }
    hold(c);
}

static void kick(struct hmf__coord *c)
{
    if (c->phase != IDLE || !c->first || c->ending)
        return;
    memset(&c->op, 0, sizeof c->op);
    c->op.epoch = ++c->epoch;
    c->op.kind = c->first->ask.kind;
    c->begun_ns = hmf__now_ns();
    c->ncands = 0;
    c->unasked = true;
    if (c->op.kind == HMF__OP_CHECKPOINT) {
        take_wishes(c, c->op.kind);
        c->last_checkpoint_ns = c->begun_ns;
        hmf__schedule_begun(&c->schedule, c->begun_ns);
        hold(c);
        return;
    }
    c->ncands = take_wishes(c, c->op.kind);
    enter(c, NEGOTIATE);
    c->deadline_ns = hmf__now_ns() + OFFER_NS;
    for (int i = 0; i < c->ncands; i++)
        ask_spare(c, &c->cands[i]);
    settle(c);
}

static struct cand *cand_to(struct hmf__coord *c, int proc)
{
    for (int i = 0; i < c->ncands; i++)
        if (c->cands[i].to == proc && c->cands[i].state != FAILED)
            return &c->cands[i];
    return NULL;
}

void hmf__coord_offer(struct hmf__coord *c, int from, struct hmf__buf *in)
{
    uint64_t epoch = hmf__buf_get_u64(in);
    struct cand *m = cand_to(c, from);
    char *refusal;

    (void)hmf__buf_get_i32(in);
    if (c->phase != NEGOTIATE || epoch != c->op.epoch || !m || m->state != ASKING)
        return;
    refusal = hmf__buf_get_string(in, 400);
    if (refusal && !refusal[0]) {
        m->state = ACCEPTED;
    } else {
        hmf__log(HMF__LOG_INFO, "spare process %d on %s does not take rank %d: %s", from,
                 node_of(c, from), m->ask.rank, refusal ? refusal : "its answer is damaged");
        c->spare[from] = USED;
        ask_spare(c, m);
    }
    hmf__free(refusal);
    settle(c);
}

/* ---- from wave to wave -------------------- */

static void take(struct hmf__coord *c)
{
    for (int i = 0; i < c->ncands; i++) {
        struct hmf__buf out = HMF__BUF_INIT;
        if (c->cands[i].state != ACCEPTED)
            continue;
        hmf__op_put(&out, &c->op);
        for (int r = 0; r < c->a->nranks; r++)
            hmf__buf_put_i32(&out, c->a->proc_of[r]);
        if (!out.status)
            hmf__net_send(c->a->net, c->cands[i].to, HMF__F_TAKE, out.data, out.len);
        hmf__buf_fini(&out);
    }
}

static int all_at(struct hmf__coord *c, enum hmf__stage stage)
{
    for (int i = 0; i < c->ncands; i++)
        if (c->cands[i].state == ACCEPTED && c->cands[i].stage < stage)
            return 0;
    return 1;
}

static void direct(struct hmf__coord *c, uint32_t kind)
{
    for (int i = 0; i < c->ncands; i++)
        if (c->cands[i].state == ACCEPTED)
            hmf__wave_send_direct(c->a, c->cands[i].to, kind, &c->op, "");
}

static void join(struct hmf__coord *c)
{
    if (!c->wave_up || !all_at(c, HMF__STAGE_PACKED))
        return;
    enter(c, JOIN);
    direct(c, HMF__WAVE_JOIN);
    hmf__wave_start(c->a, HMF__WAVE_JOIN, &c->op, "");
}

static void commit(struct hmf__coord *c)
{
    if (!all_at(c, HMF__STAGE_RESTORED))
        return;
    enter(c, COMMIT);
    c->wave_up = false;
    direct(c, HMF__WAVE_COMMIT);
    hmf__wave_start(c->a, HMF__WAVE_COMMIT, &c->op, "");
}

static void hand_over(struct hmf__coord *c)
{
    struct hmf__agent *a = c->a;
    struct hmf__buf out = HMF__BUF_INIT;

    hmf__buf_put_u64(&out, c->epoch);
    hmf__buf_put_bytes(&out, c->spare, (size_t)a->nprocs);
    hmf__buf_put_u64(&out, hmf__now_ns() - c->schedule.last_ns);
    hmf__buf_put_u64(&out, (uint64_t)(c->schedule.cost_s * 1e9));
    for (int p = 0; p < a->nprocs; p++)
        hmf__buf_put_u8(&out, c->drained[p]);
    hmf__buf_put_bytes(&out, &c->totals, sizeof c->totals);
    hmf__buf_put_u64(&out, (uint64_t)(c->began_s * 1e6));
    if (c->decide)
        hmf__decide_put(c->decide, hmf__now_ns(), &out);
    for (struct wish *w = c->first; w; w = w->next) {
        if (w->ask.token)
            answer(c, &w->ask, 0, "rank 0 has just moved to %s: ask there",
                   node_of(c, a->proc_of[0]));
        else
            hmf__ask_put(&out, &w->ask);
    }
    if (out.status || hmf__net_send(a->net, a->proc_of[0], HMF__F_HANDOVER, out.data, out.len))
        hmf__log(HMF__LOG_ERROR, "the coordinator cannot hand over to %s: no more moves or checkpoints",
                 node_of(c, a->proc_of[0]));
    hmf__buf_fini(&out);
    a->coord = NULL;
    hmf__control_stop(a);
    hmf__coord_free(c);
}

static double ms(const struct hmf__coord *c, enum phase from, enum phase to)
{
    return (double)(c->entered_ns[to] - c->entered_ns[from]) * 1e-6;
}

static void move_event(struct hmf__coord *c, const struct cand *m, int from)
{
    struct hmf__events *e = c->a->events;
    uint64_t now = hmf__now_ns();

    c->totals.moves++;
    c->totals.bytes += m->bytes;
    c->totals.moving_ns += now - c->begun_ns;
    hmf__events_begin(e, "move");
    hmf__events_int(e, "epoch", (int64_t)c->op.epoch);
    hmf__events_int(e, "rank", m->ask.rank);
    hmf__events_text(e, "from", node_of(c, from));
    hmf__events_text(e, "to", node_of(c, m->to));
    hmf__events_int(e, "from_process", from);
    hmf__events_int(e, "to_process", m->to);
    hmf__events_text(e, "asked_by", asked_by(&m->ask));
    hmf__events_int(e, "poll", (int64_t)c->op.cut);
    hmf__events_int(e, "bytes", (int64_t)m->bytes);
    hmf__events_real(e, "total_ms", (double)(now - c->begun_ns) * 1e-6);
    hmf__events_real(e, "negotiate_ms", (double)(c->entered_ns[HOLD] - c->begun_ns) * 1e-6);
    hmf__events_real(e, "stop_ms", ms(c, HOLD, WORK));
    hmf__events_real(e, "drain_ms", ms(c, WORK, JOIN));
    hmf__events_real(e, "join_ms", ms(c, JOIN, RESTORE));
    hmf__events_real(e, "restore_ms", ms(c, RESTORE, COMMIT));
    hmf__events_real(e, "commit_ms", (double)(now - c->entered_ns[COMMIT]) * 1e-6);
    hmf__events_end(e);
}

static void committed(struct hmf__coord *c)
{
    bool mine = false;

    if (!c->wave_up || !all_at(c, HMF__STAGE_COMMITTED))
        return;
    for (int i = 0; i < c->ncands; i++) {
        struct cand *m = &c->cands[i];
        if (m->state != ACCEPTED)
            continue;
        c->spare[m->to] = NOT_SPARE;
        mine |= m->ask.rank == 0;
        for (uint32_t k = 0; k < c->op.nmoves; k++)
            if (c->op.moves[k].rank == m->ask.rank) {
                if (c->decide)
                    hmf__decide_moved(c->decide, m->ask.rank, c->op.moves[k].from, m->to,
                                      (double)(hmf__now_ns() - c->begun_ns) * 1e-9, hmf__now_ns());
                c->spare[c->op.moves[k].from] = USED;
                answer(c, &m->ask, 1, "rank %d moved from %s to %s in %.1f ms", m->ask.rank,
                       node_of(c, c->op.moves[k].from), node_of(c, m->to),
                       (double)(hmf__now_ns() - c->begun_ns) * 1e-6);
                move_event(c, m, c->op.moves[k].from);
            }
    }
    hmf__log(HMF__LOG_DEBUG, "the move took: stopping %.1f, drain and start of the newcomers %.1f, "
             "communicators %.1f, their start-up and state %.1f, commit %.1f ms",
             ms(c, HOLD, WORK), ms(c, WORK, JOIN), ms(c, JOIN, RESTORE), ms(c, RESTORE, COMMIT),
             (double)(hmf__now_ns() - c->entered_ns[COMMIT]) * 1e-6);
    if (mine) {
        settle_drain(c);
        hand_over(c);
    } else {
        idle(c);
    }
}

void hmf__coord_wave_done(struct hmf__coord *c, uint32_t kind, const struct hmf__report *sum)
{
    if (!c)
        return;
    if (sum->status && kind != HMF__WAVE_ABORT && kind != HMF__WAVE_COMMIT) {
        if (kind == HMF__WAVE_WORK && c->op.kind == HMF__OP_CHECKPOINT) {
            /* The ranks have agreed on the failure and run on already. */
            char line[700];
            snprintf(line, sizeof line, "no checkpoint was taken, the job goes on: %s", sum->text);
            answer_checkpoint(c, 0, line);
            idle(c);
            return;
        }
        fail(c, (hmf_status_t)sum->status, sum->text);
        return;
    }
    switch (kind) {
    case HMF__WAVE_HOLD:
        c->op.cut = sum->hi;
        enter(c, CUT);
        hmf__wave_start(c->a, HMF__WAVE_CUT, &c->op, "");
        break;
    case HMF__WAVE_CUT:
        if (sum->lo != sum->hi) {
            char text[200];
            snprintf(text, sizeof text, "the ranks stopped at different polls (%llu to %llu): every rank "
                     "must call auto_poll with the same masks in the same order",
                     (unsigned long long)sum->lo, (unsigned long long)sum->hi);
            fail(c, HMF_ERR_TIMEOUT, text);
            break;
        }
        enter(c, WORK);
        c->wave_up = false;
        take(c);
        hmf__wave_start(c->a, HMF__WAVE_WORK, &c->op, "");
        break;
    case HMF__WAVE_WORK:
        if (c->op.kind == HMF__OP_CHECKPOINT) {
            char line[100];
            uint64_t now = hmf__now_ns();
            hmf__schedule_taken(&c->schedule, now, now - c->begun_ns);
            snprintf(line, sizeof line, "checkpoint taken in %.1f ms",
                     (double)(now - c->begun_ns) * 1e-6);
            answer_checkpoint(c, 1, line);
            c->ending |= c->op.stop != 0;
            idle(c);
            break;
        }
        c->wave_up = true;
        c->deadline_ns = hmf__now_ns() + c->a->limit_ns;
        join(c);
        break;
    case HMF__WAVE_JOIN:
        enter(c, RESTORE);
        c->deadline_ns = hmf__now_ns() + c->a->start_limit_ns;
        commit(c);
        break;
    case HMF__WAVE_COMMIT:
        c->wave_up = true;
        c->deadline_ns = hmf__now_ns() + c->a->limit_ns;
        committed(c);
        break;
    default:
        idle(c);
        break;
    }
}

void hmf__coord_newcomer(struct hmf__coord *c, int from, struct hmf__buf *in)
{
    struct hmf__report r;
    uint64_t epoch = hmf__buf_get_u64(in);
    uint32_t stage = hmf__buf_get_u32(in);
    struct cand *m = cand_to(c, from);

    hmf__report_get(in, &r);
    if (!m || epoch != c->op.epoch || c->phase < WORK || c->phase == ABORT)
        return;
    if (r.status) {
        if (c->phase != COMMIT)
            fail(c, (hmf_status_t)r.status, r.text);
        return;
    }
    m->stage = stage;
    if (stage == HMF__STAGE_RESTORED)
        m->bytes = r.hi;
    if (c->phase == WORK)
        join(c);
    else if (c->phase == RESTORE)
        commit(c);
    else if (c->phase == COMMIT)
        committed(c);
}

/* ---- what goes wrong -------------------- */

void hmf__coord_lost(struct hmf__coord *c, int peer, const char *why)
{
    struct cand *m = cand_to(c, peer);

    if (c->spare[peer] != NOT_SPARE)
        c->spare[peer] = GONE;
    if (!m || c->phase == IDLE || c->phase == ABORT)
        return;
    if (c->phase == NEGOTIATE) {
        ask_spare(c, m);
        settle(c);
    } else if (c->phase == COMMIT) {
        hmf__log(HMF__LOG_ERROR, "rank %d is lost: its process on %s ended just after the move: %s",
                 m->ask.rank, node_of(c, peer), why);
        m->stage = HMF__STAGE_COMMITTED;
        committed(c);
    } else {
        char text[300];
        snprintf(text, sizeof text, "the process on %s that was to take it is gone: %s",
                 node_of(c, peer), why);
        fail(c, HMF_ERR_TIMEOUT, text);
    }
}

void hmf__coord_tick(struct hmf__coord *c, uint64_t now_ns)
{
    if (c && c->decide)
        decide(c, now_ns);
    if (!c || now_ns < c->deadline_ns)
        return;
    if (c->phase == NEGOTIATE) {
        c->deadline_ns = now_ns + OFFER_NS;
        for (int i = 0; i < c->ncands; i++)
            if (c->cands[i].state == ASKING) {
                hmf__log(HMF__LOG_WARN, "spare process %d on %s does not answer", c->cands[i].to,
                         node_of(c, c->cands[i].to));
                c->spare[c->cands[i].to] = GONE;
                ask_spare(c, &c->cands[i]);
            }
        settle(c);
    } else if (c->phase == RESTORE || (c->phase == WORK && c->wave_up)) {
        char text[200];
        snprintf(text, sizeof text, "a newcomer did not come to auto_read and take its state in time "
                 "(HMF_STARTUP_TIMEOUT %.0f s)", (double)c->a->start_limit_ns * 1e-9);
        fail(c, HMF_ERR_TIMEOUT, text);
    } else if (c->phase == COMMIT && c->wave_up) {
        for (int i = 0; i < c->ncands; i++)
            if (c->cands[i].state == ACCEPTED && c->cands[i].stage < HMF__STAGE_COMMITTED) {
                hmf__log(HMF__LOG_ERROR, "rank %d has not confirmed that it runs on %s",
                         c->cands[i].ask.rank, node_of(c, c->cands[i].to));
                c->cands[i].stage = HMF__STAGE_COMMITTED;
            }
        committed(c);
    }
}

void hmf__coord_samples(struct hmf__coord *c, struct hmf__buf *in)
{
    struct hmf__sample s;

    while (c->decide && hmf__buf_left(in) > 0 &&
           !hmf__sample_get(in, c->a->nprocs, c->a->nranks, &s))
        hmf__decide_sample(c->decide, &s, hmf__now_ns());
}

void hmf__coord_explain(struct hmf__coord *c, struct hmf__buf *out)
{
    if (c && c->decide)
        hmf__decide_explain(c->decide, out);
}

/* What the policies want is asked for like anything else. */
static void decide(struct hmf__coord *c, uint64_t now_ns)
{
    int nprocs = c->a->nprocs, n = 0;
    struct hmf__ask asks[16];
    bool *free;

    if (c->phase != IDLE || c->ending) {
        hmf__decide_disturbed(c->decide, now_ns);
        return;
    }
    if (hmf__decide_timer(c->decide, now_ns) || !atomic_load(&c->a->polls) ||
        !(free = hmf__calloc((size_t)nprocs, sizeof *free)))
        return;
    for (int p = 0; p < nprocs; p++)
        free[p] = c->spare[p] == FREE && !c->drained[p];
    n = hmf__decide_round(c->decide, c->a->proc_of, free, now_ns, wall_s(), asks,
                          sizeof asks / sizeof asks[0]);
    hmf__free(free);
    for (int i = 0; i < n; i++)
        if (!known(c, &asks[i]))
            put_wish(c, &asks[i]);
    if (n)
        kick(c);
}

int hmf__coord_timer(struct hmf__coord *c, uint64_t now_ns)
{
    struct hmf__ask ask = {.kind = HMF__OP_CHECKPOINT, .source = HMF__ASK_SCHEDULE, .rank = -1};
    uint64_t in_ns;
    enum hmf__due due;

    if (!c || c->phase != IDLE || c->ending)
        return -1;
    due = hmf__schedule_next(&c->schedule, now_ns, wall_s(), &in_ns);
    if (due == HMF__DUE_NOTHING)
        return -1;
    if (in_ns > 0)                         /* not longer than a minute: somebody may set the clock */
        return in_ns > 60000000000ull ? 60000 : (int)(in_ns / 1000000) + 1;
    if (!atomic_load(&c->a->polls))
        return 1000;                       /* the program is not in its loop yet */
    if (due == HMF__DUE_END) {
        hmf__log(HMF__LOG_WARN, "the job's time limit is %.0f s away: it goes to disk and ends; the same "
                 "command continues it", c->schedule.end_s - wall_s());
        c->schedule.end_asked_ns = now_ns;
        ask.stop = 1;
    }
    put_wish(c, &ask);
    kick(c);
    return -1;
}

static void end_event(struct hmf__coord *c)
{
    struct hmf__events *e = c->a->events;

    hmf__events_begin(e, "end");
    hmf__events_text(e, "how", c->totals.checkpoints && c->schedule.end_asked_ns ? "time limit" : "finished");
    hmf__events_real(e, "seconds", wall_s() - c->began_s);
    hmf__events_int(e, "moves", (int64_t)c->totals.moves);
    hmf__events_int(e, "stays", (int64_t)c->totals.stays);
    hmf__events_int(e, "checkpoints", (int64_t)c->totals.checkpoints);
    hmf__events_int(e, "bytes", (int64_t)c->totals.bytes);
    hmf__events_end(e);
}

void hmf__coord_end(struct hmf__coord *c)
{
    bool some_lost = false;
    uint8_t flag;

    if (!c)
        return;
    c->ending = true;
    for (int p = 0; p < c->a->nprocs; p++)
        some_lost |= c->spare[p] == GONE || (c->a->recovers && c->spare[p] == USED);
    flag = some_lost;
    end_event(c);
    for (int p = 0; p < c->a->nprocs; p++)
        if (c->spare[p] != NOT_SPARE && c->spare[p] != GONE && p != c->a->proc)
            hmf__net_send(c->a->net, p, HMF__F_END, &flag, 1);
    hmf__wave_end(c->a, some_lost);
}

hmf_status_t hmf__coord_take_over(struct hmf__agent *a, struct hmf__buf *in)
{
    struct hmf__coord *c;
    const void *spare, *totals;
    hmf_status_t st = hmf__coord_new(a);

    if (st)
        return st;
    c = a->coord;
    c->epoch = hmf__buf_get_u64(in);
    spare = hmf__buf_get_bytes(in, (size_t)a->nprocs);
    if (spare)
        memcpy(c->spare, spare, (size_t)a->nprocs);
    c->schedule.last_ns = hmf__now_ns() - hmf__buf_get_u64(in);
    c->schedule.cost_s = (double)hmf__buf_get_u64(in) * 1e-9;
    for (int p = 0; p < a->nprocs; p++)
        c->drained[p] = hmf__buf_get_u8(in) != 0;
    totals = hmf__buf_get_bytes(in, sizeof c->totals);
    if (totals)
        memcpy(&c->totals, totals, sizeof c->totals);
    c->began_s = (double)hmf__buf_get_u64(in) * 1e-6;
    if (c->decide && hmf__decide_get(c->decide, hmf__now_ns(), in))
        hmf__log(HMF__LOG_WARN, "%s", hmf_error_text());
    while (hmf__buf_left(in) > 0 && !in->status)
        hmf__coord_ask(c, in);
    /* Everybody may have finished while the office was on its way. */
    hmf__wave_finished(a, -1);
    return HMF_OK;
}

/* ---- nodes that are to be empty -------------------- */

/* A full host name and its first part mean the same. */
static bool is_node(const char *node, const char *name)
{
    size_t n = strlen(name);

    return !strncmp(node, name, n) && (!node[n] || (node[n] == '.' && !strchr(name, '.')));
}

static void retire_spares(struct hmf__coord *c, const char *node)
{
    for (int p = 0; p < c->a->nprocs; p++)
        if (c->a->recovers && c->spare[p] == FREE && is_node(node_of(c, p), node) &&
            !hmf__net_send(c->a->net, p, HMF__F_RETIRE, NULL, 0))
            c->spare[p] = USED;
}

/* Tells who waits for a node to be empty, when nothing is on its way any more. */
static void settle_drain(struct hmf__coord *c)
{
    struct hmf__ask ask = {.token = c->drain.token};
    char stay[200] = "";
    size_t len = 0;

    if (!c->drain.node[0])
        return;
    for (struct wish *w = c->first; w; w = w->next)
        if (w->ask.kind == HMF__OP_MOVE && is_node(node_of(c, c->a->proc_of[w->ask.rank]), c->drain.node))
            return;
    for (int r = 0; r < c->a->nranks; r++)
        if (is_node(node_of(c, c->a->proc_of[r]), c->drain.node) && len < sizeof stay - 16)
            len += (size_t)snprintf(stay + len, sizeof stay - len, "%s%d", len ? ", " : "", r);
    if (!len)
        retire_spares(c, c->drain.node);
    hmf__events_begin(c->a->events, len ? "not-drained" : "drained");
    hmf__events_text(c->a->events, "node", c->drain.node);
    if (len)
        hmf__events_text(c->a->events, "ranks", stay);
    hmf__events_end(c->a->events);
    if (len)
        answer(c, &ask, 0, "%s is not empty: rank %s stays there; 'hmf events' says why; nothing more is moved to it",
               c->drain.node, stay);
    else
        answer(c, &ask, 1, "%s is empty%s", c->drain.node,
               c->a->recovers ? " and may be switched off" : ": its processes wait for the job's end");
    c->drain.node[0] = 0;
}

/* Marks the processes of a node; returns how many there are. */
static int mark(struct hmf__coord *c, const char *node, bool drained)
{
    int n = 0;

    for (int p = 0; p < c->a->nprocs; p++)
        if (is_node(node_of(c, p), node)) {
            c->drained[p] = drained;
            n++;
        }
    hmf__events_begin(c->a->events, drained ? "drain" : "resume");
    hmf__events_text(c->a->events, "node", node);
    hmf__events_int(c->a->events, "processes", n);
    hmf__events_end(c->a->events);
    return n;
}

void hmf__coord_drain(struct hmf__coord *c, const char *node, uint64_t token)
{
    struct hmf__ask ask = {.kind = HMF__OP_MOVE, .source = HMF__ASK_CONTROL, .token = token};

    if (c->drain.node[0]) {
        answer(c, &ask, 0, "%s is being drained: ask again when it is", c->drain.node);
        return;
    }
    if (c->ending || !mark(c, node, true)) {
        answer(c, &ask, 0, c->ending ? "the job is at its end" : "no process of this job is on %s", node);
        return;
    }
    ask.token = 0;                         /* the answer is about the node, not about each rank */
    snprintf(c->drain.node, sizeof c->drain.node, "%s", node);
    c->drain.token = token;
    for (ask.rank = 0; ask.rank < c->a->nranks; ask.rank++)
        if (is_node(node_of(c, c->a->proc_of[ask.rank]), node) && !known(c, &ask))
            put_wish(c, &ask);
    if (c->phase == IDLE && !c->first)
        settle_drain(c);
    else
        kick(c);
}

void hmf__coord_resume(struct hmf__coord *c, const char *node, uint64_t token)
{
    struct hmf__ask ask = {.token = token};
    int n = mark(c, node, false), nfree = 0;

    for (int p = 0; p < c->a->nprocs; p++)
        nfree += c->spare[p] == FREE && is_node(node_of(c, p), node);
    if (n)
        answer(c, &ask, 1, "%s may be used again: %d of its %d processes can take a rank", node, nfree, n);
    else
        answer(c, &ask, 0, "no process of this job is on %s", node);
}

void hmf__coord_started(struct hmf__coord *c)
{
    struct hmf__agent *a = c->a;
    const char **node = hmf__calloc((size_t)a->nprocs, sizeof *node);
    int n = 0;

    if (!node)
        return;
    hmf__events_begin(a->events, "start");
    hmf__events_int(a->events, "ranks", a->nranks);
    hmf__events_int(a->events, "processes", a->nprocs);
    for (int r = 0; r < a->nranks; r++)
        node[r] = node_of(c, a->proc_of[r]);
    hmf__events_texts(a->events, "nodes", node, a->nranks);
    for (int p = 0; p < a->nprocs; p++)
        if (c->spare[p] != NOT_SPARE)
            node[n++] = node_of(c, p);
    hmf__events_texts(a->events, "spares", node, n);
    hmf__events_end(a->events);
    hmf__free(node);
}

void hmf__coord_status(struct hmf__coord *c, struct hmf__buf *out)
{
    static const char *const spare[] = {"", "free", "promised", "left", "gone"};
    const struct totals *t = &c->totals;
    char line[400];
    int n;

    n = snprintf(line, sizeof line, "job %s ranks %d processes %d %s\n", c->a->program, c->a->nranks,
                 c->a->nprocs, phase_name[c->phase]);
    hmf__buf_put_bytes(out, line, (size_t)n);
    for (int r = 0; r < c->a->nranks; r++) {
        int p = c->a->proc_of[r];
        const struct hmf__beat *b = hmf__pulse_of(c->a, r);
        n = snprintf(line, sizeof line, "rank %d node %s process %d pid %d", r, node_of(c, p), p,
                     (int)c->a->addrs[p].pid);
        hmf__buf_put_bytes(out, line, (size_t)n);
        if (b) {
            n = snprintf(line, sizeof line, " polls %llu step_ms %.4f memory_kib %llu age_s %.1f",
                         (unsigned long long)b->polls, b->step_s * 1e3, (unsigned long long)b->rss_kib,
                         (double)(hmf__now_ns() - b->heard_ns) * 1e-9);
            hmf__buf_put_bytes(out, line, (size_t)n);
        }
        hmf__buf_put_bytes(out, "\n", 1);
    }
    for (int p = 0; p < c->a->nprocs; p++)
        if (c->spare[p] != NOT_SPARE) {
            n = snprintf(line, sizeof line, "spare node %s process %d pid %d %s%s\n", node_of(c, p), p,
                         (int)c->a->addrs[p].pid, spare[c->spare[p]], c->drained[p] ? " drained" : "");
            hmf__buf_put_bytes(out, line, (size_t)n);
        }
    n = snprintf(line, sizeof line, "totals moves %llu stays %llu checkpoints %llu failed_checkpoints %llu bytes %llu "
                 "moving_s %.6f holding_s %.6f running_s %.3f\n", (unsigned long long)t->moves,
                 (unsigned long long)t->stays, (unsigned long long)t->checkpoints,
                 (unsigned long long)t->failed_checkpoints, (unsigned long long)t->bytes,
                 (double)t->moving_ns * 1e-9, (double)t->holding_ns * 1e-9, wall_s() - c->began_s);
    hmf__buf_put_bytes(out, line, (size_t)n);
}
