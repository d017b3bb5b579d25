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

#include "coord_priv.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "decide.h"
#include "decider.h"
#include "wave.h"

double hmf__coord_wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
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
    hmf__schedule_init(&c->schedule, hmf__now_ns(), hmf__coord_wall_s());
    c->began_s = hmf__coord_wall_s();
    if (hmf__coord_new_costs(c)) {
        hmf__coord_free(c);
        return HMF_ERR_NOMEM;
    }
    if (a->monitor && hmf__coord_new_decide(c))
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
    hmf__free(c->said);
    hmf__decide_free(c->decide);
    hmf__coord_free_costs(c);
    hmf__free(c->cands);
    hmf__free(c->spare);
    hmf__free(c);
}

int hmf__coord_busy(const struct hmf__coord *c)
{
    return c && c->phase != IDLE;
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

void hmf__coord_idle(struct hmf__coord *c)
{
    c->phase = IDLE;
    hmf__coord_settle_drain(c);
    c->ncands = 0;
    hmf__op_clear(&c->op);
    hmf__coord_kick(c);
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
        hmf__coord_refused(c, m);
        hmf__coord_answer(c, &m->ask, 0, "rank %d stays on %s: the move to %s was undone: %s",
                          m->ask.rank, hmf__coord_node(c, c->a->proc_of[m->ask.rank]),
                          hmf__coord_node(c, m->to), text);
        hmf__coord_stay_event(c, m, hmf__coord_phase_name[c->phase], text);
        if (!c->taken) {
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
            hmf__coord_answer_checkpoint(c, 0, line);
    }
    hmf__coord_enter(c, ABORT);
    hmf__wave_start(c->a, HMF__WAVE_ABORT, &c->op, text);
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

/* All stand at the same poll. */
static void stopped(struct hmf__coord *c, const struct hmf__report *sum)
{
    if (sum->open && ++c->cuts < HMF__CUTS && hmf__now_ns() - c->begun_ns < c->a->limit_ns) {
        c->op.cut = sum->hi + 1;
        hmf__wave_start(c->a, HMF__WAVE_CUT, &c->op, "");
        return;
    }
    hmf__coord_enter(c, WORK);
    c->wave_up = false;
    /* If something spans every poll, the ranks find out what it is; no spare is spent on that. */
    c->taken = !sum->open && c->op.kind == HMF__OP_MOVE;
    if (c->taken)
        take(c);
    hmf__wave_start(c->a, HMF__WAVE_WORK, &c->op, "");
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
    hmf__coord_enter(c, JOIN);
    direct(c, HMF__WAVE_JOIN);
    hmf__wave_start(c->a, HMF__WAVE_JOIN, &c->op, "");
}

static void commit(struct hmf__coord *c)
{
    if (!all_at(c, HMF__STAGE_RESTORED))
        return;
    hmf__coord_enter(c, COMMIT);
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
    hmf__coord_put_costs(c, &out);
    if (c->decide)
        hmf__decide_put(c->decide, hmf__now_ns(), &out);
    if (c->drain.node[0] && c->drain.token)
        hmf__control_answer(a->control, c->drain.token, 0,
                            "rank 0 has just moved, and who leads the job with it: ask there");
    for (struct wish *w = c->first; w; w = w->next) {
        if (w->ask.token)
            hmf__coord_answer(c, &w->ask, 0, "rank 0 has just moved to %s: ask there",
                   hmf__coord_node(c, a->proc_of[0]));
        else
            hmf__ask_put(&out, &w->ask);
    }
    if (out.status || hmf__net_send(a->net, a->proc_of[0], HMF__F_HANDOVER, out.data, out.len))
        hmf__log(HMF__LOG_ERROR,
                 "the coordinator cannot hand over to %s: no more moves or checkpoints",
                 hmf__coord_node(c, a->proc_of[0]));
    hmf__buf_fini(&out);
    a->coord = NULL;
    hmf__control_stop(a);
    hmf__coord_free(c);
}

static void committed(struct hmf__coord *c)
{
    struct hmf__agent *a = c->a;
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
                if (c->decide) {
                    hmf__decide_moved(c->decide, m->ask.rank, c->op.moves[k].from, m->to, hmf__now_ns());
                    hmf__decider_news(a);
                }
                c->spare[c->op.moves[k].from] = USED;
                hmf__coord_answer(c, &m->ask, 1, "rank %d moved from %s to %s in %.1f ms",
                                  m->ask.rank, hmf__coord_node(c, c->op.moves[k].from),
                                  hmf__coord_node(c, m->to),
                                  (double)(hmf__now_ns() - c->begun_ns) * 1e-6);
                hmf__coord_learn(c, m, c->op.moves[k].from);
                hmf__coord_move_event(c, m, c->op.moves[k].from);
            }
    }
    hmf__log(HMF__LOG_DEBUG,
             "the move took: stopping %.1f, drain and start of the newcomers %.1f, "
             "communicators %.1f, their start-up and state %.1f, commit %.1f ms",
             hmf__coord_ms(c, HOLD, WORK), hmf__coord_ms(c, WORK, JOIN),
             hmf__coord_ms(c, JOIN, RESTORE), hmf__coord_ms(c, RESTORE, COMMIT),
             (double)(hmf__now_ns() - c->entered_ns[COMMIT]) * 1e-6);
    hmf__coord_save_costs(c, 10);
    if (mine) {
        hmf__coord_settle_drain(c);
        hand_over(c);
    } else {
        hmf__coord_idle(c);
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
            hmf__coord_answer_checkpoint(c, 0, line);
            hmf__coord_idle(c);
            return;
        }
        fail(c, (hmf_status_t)sum->status, sum->text);
        return;
    }
    switch (kind) {
    case HMF__WAVE_HOLD:
        c->op.cut = sum->hi;
        hmf__coord_enter(c, CUT);
        hmf__wave_start(c->a, HMF__WAVE_CUT, &c->op, "");
        break;
    case HMF__WAVE_CUT:
        if (sum->lo != sum->hi) {
            char text[200];
            snprintf(text, sizeof text,
                     "the ranks stopped at different polls (%llu to %llu): every rank "
                     "must call auto_poll with the same masks in the same order",
                     (unsigned long long)sum->lo, (unsigned long long)sum->hi);
            fail(c, HMF_ERR_TIMEOUT, text);
            break;
        }
        stopped(c, sum);
        break;
    case HMF__WAVE_WORK:
        if (c->op.kind == HMF__OP_CHECKPOINT) {
            char line[100];
            uint64_t now = hmf__now_ns();
            hmf__schedule_taken(&c->schedule, now, now - c->begun_ns);
            snprintf(line, sizeof line, "checkpoint taken in %.1f ms",
                     (double)(now - c->begun_ns) * 1e-6);
            hmf__coord_answer_checkpoint(c, 1, line);
            c->ending |= c->op.stop != 0;
            hmf__coord_idle(c);
            break;
        }
        if (!c->taken) {
            fail(c, HMF_ERR_BUSY, "a collective call spans every poll that was tried");
            break;
        }
        c->wave_up = true;
        c->deadline_ns = hmf__now_ns() + c->a->limit_ns;
        join(c);
        break;
    case HMF__WAVE_JOIN:
        hmf__coord_enter(c, RESTORE);
        c->deadline_ns = hmf__now_ns() + c->a->start_limit_ns;
        commit(c);
        break;
    case HMF__WAVE_COMMIT:
        c->wave_up = true;
        c->deadline_ns = hmf__now_ns() + c->a->limit_ns;
        committed(c);
        break;
    default:
        hmf__coord_idle(c);
        break;
    }
}

void hmf__coord_newcomer(struct hmf__coord *c, int from, struct hmf__buf *in)
{
    struct hmf__report r;
    uint64_t epoch = hmf__buf_get_u64(in);
    uint32_t stage = hmf__buf_get_u32(in);
    struct cand *m = hmf__coord_cand_to(c, from);

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
    struct cand *m = hmf__coord_cand_to(c, peer);

    if (c->spare[peer] != NOT_SPARE)
        c->spare[peer] = GONE;
    if (!m || c->phase == IDLE || c->phase == ABORT)
        return;
    if (c->phase == NEGOTIATE) {
        hmf__coord_ask_spare(c, m);
        hmf__coord_settle(c);
    } else if (c->phase == COMMIT) {
        hmf__log(HMF__LOG_ERROR, "rank %d is lost: its process on %s ended just after the move: %s",
                 m->ask.rank, hmf__coord_node(c, peer), why);
        m->stage = HMF__STAGE_COMMITTED;
        committed(c);
    } else {
        char text[300];
        snprintf(text, sizeof text, "the process on %s that was to take it is gone: %s",
                 hmf__coord_node(c, peer), why);
        fail(c, HMF_ERR_TIMEOUT, text);
    }
}

void hmf__coord_tick(struct hmf__coord *c, uint64_t now_ns)
{
    if (c && c->decide)
        hmf__coord_decide(c, now_ns);
    if (!c || now_ns < c->deadline_ns)
        return;
    if (c->phase == NEGOTIATE) {
        c->deadline_ns = now_ns + HMF__OFFER_NS;
        for (int i = 0; i < c->ncands; i++)
            if (c->cands[i].state == ASKING) {
                hmf__log(HMF__LOG_WARN, "spare process %d on %s does not answer", c->cands[i].to,
                         hmf__coord_node(c, c->cands[i].to));
                c->spare[c->cands[i].to] = GONE;
                hmf__coord_ask_spare(c, &c->cands[i]);
            }
        hmf__coord_settle(c);
    } else if (c->phase == RESTORE || (c->phase == WORK && c->wave_up)) {
        char text[200];
        snprintf(text, sizeof text, "a newcomer did not come to auto_read and take its state in time "
                 "(HMF_STARTUP_TIMEOUT %.0f s)", (double)c->a->start_limit_ns * 1e-9);
        fail(c, HMF_ERR_TIMEOUT, text);
    } else if (c->phase == COMMIT && c->wave_up) {
        for (int i = 0; i < c->ncands; i++)
            if (c->cands[i].state == ACCEPTED && c->cands[i].stage < HMF__STAGE_COMMITTED) {
                hmf__log(HMF__LOG_ERROR, "rank %d has not confirmed that it runs on %s",
                         c->cands[i].ask.rank, hmf__coord_node(c, c->cands[i].to));
                c->cands[i].stage = HMF__STAGE_COMMITTED;
            }
        committed(c);
    }
}

int hmf__coord_timer(struct hmf__coord *c, uint64_t now_ns)
{
    struct hmf__ask ask = {.kind = HMF__OP_CHECKPOINT, .source = HMF__ASK_SCHEDULE, .rank = -1};
    uint64_t in_ns;
    enum hmf__due due;

    if (!c || c->phase != IDLE || c->ending)
        return -1;
    due = hmf__schedule_next(&c->schedule, now_ns, hmf__coord_wall_s(), &in_ns);
    if (due == HMF__DUE_NOTHING)
        return -1;
    if (in_ns > 0)                         /* not longer than a minute: somebody may set the clock */
        return in_ns > 60000000000ull ? 60000 : (int)(in_ns / 1000000) + 1;
    if (!atomic_load(&c->a->polls))
        return 1000;                       /* the program is not in its loop yet */
    if (due == HMF__DUE_END) {
        hmf__log(HMF__LOG_WARN,
                 "the job's time limit is %.0f s away: it goes to disk and ends; the same "
                 "command continues it",
                 c->schedule.end_s - hmf__coord_wall_s());
        c->schedule.end_asked_ns = now_ns;
        ask.stop = 1;
    }
    hmf__coord_put_wish(c, &ask);
    hmf__coord_kick(c);
    return -1;
}

/* Who still waits for a move is told that the job was faster. */
static void give_up_wishes(struct hmf__coord *c)
{
    const char *why = "the job has come to its end";

    for (int i = 0; c->phase == NEGOTIATE && i < c->ncands; i++) {
        hmf__coord_answer(c, &c->cands[i].ask, 0, "rank %d stays: %s", c->cands[i].ask.rank, why);
        hmf__coord_stay_event(c, &c->cands[i], hmf__coord_phase_name[c->phase], why);
    }
    for (struct wish *w = c->first; w; w = w->next)
        if (w->ask.token)
            hmf__coord_answer(c, &w->ask, 0, "the request comes too late: %s", why);
}

void hmf__coord_end(struct hmf__coord *c)
{
    struct hmf__agent *a = c ? c->a : NULL;
    bool some_lost = false;
    uint8_t flag;

    if (!c)
        return;
    /* Ranks that run to their end have moved, even if the hosts that they left do not say so any more. */
    for (int i = 0; c->phase == COMMIT && i < c->ncands; i++)
        c->cands[i].stage = HMF__STAGE_COMMITTED;
    if (c->phase == COMMIT) {
        c->wave_up = true;
        committed(c);
        if (!(c = a->coord))
            return;
    }
    c->ending = true;
    give_up_wishes(c);
    for (int p = 0; p < c->a->nprocs; p++)
        some_lost |= c->spare[p] == GONE || (c->a->recovers && c->spare[p] == USED);
    flag = some_lost;
    hmf__coord_end_event(c);
    hmf__coord_save_costs(c, 0);
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
    hmf__coord_get_costs(c, in);
    if (c->decide && hmf__decide_get(c->decide, hmf__now_ns(), in))
        hmf__log(HMF__LOG_WARN, "%s", hmf_error_text());
    while (hmf__buf_left(in) > 0 && !in->status)
        hmf__coord_ask(c, in);
    /* Everybody may have finished while the office was on its way. */
    hmf__wave_finished(a, -1);
    return HMF_OK;
}
