/* pulse.c - heartbeats of the ranks (see pulse.h). */
#include "config.h"

#include "pulse.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "events.h"

#define LONGEST_NS 5000000000ull        /* between beats */
#define SOON_NS 20000000ull
#define NEIGHBOURS (1 + HMF__WAVE_DEGREE)

enum news { SILENT, BACK, LOST, HUNG };

struct neighbour {
    int proc;                   /* -1: none */
    uint64_t heard_ns;
    bool silent, lost;          /* has been said */
};

struct hmf__pulse {
    uint64_t period_ns, silence_ns;
    uint64_t next_ns, last_ns;  /* next beat; last look at the clock */
    uint64_t lost_ns;           /* since when a rank is known to be lost; 0: none is */
    struct neighbour near[NEIGHBOURS];   /* the parent, then the children */
    struct hmf__beat *beat;     /* nranks */
    bool *fresh;                /* nranks: heard from below since the last beat */
    uint64_t polls;             /* own, at the last beat */
    uint8_t *state;             /* nprocs: enum hmf__pulse_state, as far as it has been said here */
    bool hung;                  /* has been told */
};

hmf_status_t hmf__pulse_new(struct hmf__agent *a)
{
    struct hmf__pulse *p = hmf__calloc(1, sizeof *p);
    double silence = 60;

    if (hmf__param_double("HMF_SILENCE", 0, 1e6, 60, &silence) && a->proc == 0)
        hmf__log(HMF__LOG_ERROR, "%s: taking 60 seconds", hmf_error_text());
    if (p) {
        p->beat = hmf__calloc((size_t)a->nranks, sizeof *p->beat);
        p->fresh = hmf__calloc((size_t)a->nranks, sizeof *p->fresh);
        p->state = hmf__calloc((size_t)a->nprocs, 1);
    }
    a->pulse = p;
    if (!p || !p->beat || !p->fresh || !p->state) {
        hmf__pulse_free(a);
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the heartbeats of %d ranks", a->nranks);
    }
    p->silence_ns = (uint64_t)(silence * 1e9);
    p->period_ns = p->silence_ns / 4 < LONGEST_NS ? p->silence_ns / 4 : LONGEST_NS;
    p->last_ns = hmf__now_ns();
    p->next_ns = p->last_ns + p->period_ns;
    for (int i = 0; i < NEIGHBOURS; i++)
        p->near[i].proc = -1;
    return HMF_OK;
}

void hmf__pulse_free(struct hmf__agent *a)
{
    struct hmf__pulse *p = a->pulse;

    if (!p)
        return;
    hmf__free(p->beat);
    hmf__free(p->fresh);
    hmf__free(p->state);
    hmf__free(p);
    a->pulse = NULL;
}

const struct hmf__beat *hmf__pulse_of(const struct hmf__agent *a, int rank)
{
    return a->pulse && a->pulse->beat[rank].heard_ns ? &a->pulse->beat[rank] : NULL;
}

uint64_t hmf__pulse_silence(const struct hmf__agent *a)
{
    return a->pulse && a->pulse->silence_ns ? a->pulse->silence_ns : 3600ull * 1000000000;
}

enum hmf__pulse_state hmf__pulse_state(const struct hmf__agent *a, int proc)
{
    return a->pulse ? (enum hmf__pulse_state)a->pulse->state[proc] : HMF__PULSE_RUNNING;
}

static int rank_of(const struct hmf__agent *a, int proc)
{
    for (int r = 0; r < a->nranks; r++)
        if (a->proc_of[r] == proc)
            return r;
    return -1;
}

/* ---- news of a neighbour -------------------- */

/* The rank that process `proc` was to take in the last move, -1: none. */
static int hung_rank(const struct hmf__agent *a, int proc)
{
    const struct hmf__move *m = hmf__op_enters(&a->op, proc);

    return m ? m->rank : -1;
}

static bool anybody_silent(const struct hmf__agent *a)
{
    for (int r = 0; r < a->nranks; r++)
        if (a->pulse->state[a->proc_of[r]] == HMF__PULSE_SILENT)
            return true;
    return false;
}

/* The coordinator says it, to the log and as an event; or, if the coordinator is who it is about, the
 * process that has noticed. */
static void say(struct hmf__agent *a, enum news what, int peer, const char *why)
{
    static const char *const event[] = {"silent", "back", "lost", "lost"};
    static const enum hmf__pulse_state after[] = {HMF__PULSE_SILENT, HMF__PULSE_RUNNING,
                                                  HMF__PULSE_LOST, HMF__PULSE_LOST};
    struct hmf__pulse *p = a->pulse;
    int rank = rank_of(a, peer), n = 0;
    int *there;

    if (what == HUNG)
        rank = hung_rank(a, peer);
    if (rank < 0 || (what >= LOST && p->state[peer] == HMF__PULSE_LOST))
        return;
    if (what == HUNG && anybody_silent(a))
        return;                            /* it is waited for: what becomes of it decides */
    if (what >= LOST)
        hmf__log(HMF__LOG_ERROR, "rank %d is lost: process %d on %s: %s; the job cannot go on without it: "
                 "continue it from its last checkpoint", rank, peer, a->addrs[peer].node, why);
    else
        hmf__log(HMF__LOG_WARN, "rank %d in process %d on %s %s", rank, peer, a->addrs[peer].node, why);
    p->state[peer] = after[what];
    hmf__events_begin(a->events, event[what]);
    hmf__events_int(a->events, "rank", rank);
    hmf__events_text(a->events, "node", a->addrs[peer].node);
    hmf__events_int(a->events, "process", peer);
    hmf__events_text(a->events, "reason", why);
    there = hmf__calloc((size_t)a->nranks, sizeof *there);
    for (int r = 0; there && r < a->nranks; r++)
        if (!strcmp(a->addrs[a->proc_of[r]].node, a->addrs[peer].node))
            there[n++] = r;
    if (there)
        hmf__events_ints(a->events, "ranks_there", there, n);
    hmf__free(there);
    hmf__events_end(a->events);
}

static void tell(struct hmf__agent *a, enum news what, int peer, const char *why)
{
    struct hmf__buf out = HMF__BUF_INIT;

    if (what >= LOST && !a->pulse->lost_ns)
        a->pulse->lost_ns = hmf__now_ns();
    if (what == BACK)
        a->pulse->lost_ns = 0;
    if (a->coord || a->coordinator == peer) {
        say(a, what, peer, why);
        return;
    }
    hmf__buf_put_u32(&out, what);
    hmf__buf_put_i32(&out, peer);
    hmf__buf_put_string(&out, why);
    if (out.status || hmf__net_send(a->net, a->coordinator, HMF__F_NEWS, out.data, out.len))
        say(a, what, peer, why);
    hmf__buf_fini(&out);
}

void hmf__pulse_told(struct hmf__agent *a, struct hmf__buf *in)
{
    uint32_t what = hmf__buf_get_u32(in);
    int32_t peer = hmf__buf_get_i32(in);
    char *why = hmf__buf_get_string(in, 400);

    if (why && what <= HUNG && peer >= 0 && peer < a->nprocs && a->coord && a->pulse)
        say(a, (enum news)what, peer, why);
    hmf__free(why);
}

void hmf__pulse_lost(struct hmf__agent *a, int peer, const char *why)
{
    if (a->pulse && a->role == HMF__ROLE_ACTIVE && rank_of(a, peer) >= 0)
        tell(a, LOST, peer, why);
}

/* ---- who is near -------------------- */

static struct neighbour *near_of(struct hmf__pulse *p, int proc)
{
    for (int i = 0; i < NEIGHBOURS; i++)
        if (p->near[i].proc == proc)
            return &p->near[i];
    return NULL;
}

static void look_around(struct hmf__agent *a, uint64_t now)
{
    struct hmf__pulse *p = a->pulse;

    for (int i = 0; i < NEIGHBOURS; i++) {
        long r = i ? (long)a->rank * HMF__WAVE_DEGREE + i : (a->rank - 1) / HMF__WAVE_DEGREE;
        int proc = (i ? r < a->nranks : a->rank > 0) ? a->proc_of[r] : -1;
        if (p->near[i].proc != proc)
            p->near[i] = (struct neighbour){.proc = proc, .heard_ns = now};
    }
}

/* While an operation stops the ranks its own limit holds. */
static void fence(struct hmf__agent *a, bool on)
{
    pthread_mutex_lock(&a->lock);
    a->fenced = on;
    if (a->order != HMF__WAVE_HOLD && a->order != HMF__WAVE_CUT)
        hmf__agent_limit(a, on ? 0 : UINT64_MAX);
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

static void heard(struct hmf__agent *a, int from)
{
    struct neighbour *n = near_of(a->pulse, from);

    if (!n)
        return;
    if (n->silent)
        tell(a, BACK, from, "is heard again");
    n->heard_ns = hmf__now_ns();
    n->silent = n->lost = false;
    if (a->fenced)
        fence(a, false);
}

static void judge(struct hmf__agent *a, uint64_t now)
{
    struct hmf__pulse *p = a->pulse;
    char why[100];

    /* Who has been stopped itself, alone or together with the whole job, has heard nobody. */
    if (now - p->last_ns > 2 * p->period_ns) {
        bool alone = true;
        for (int i = 0; i < NEIGHBOURS; i++) {
            p->near[i].heard_ns = now;
            alone &= p->near[i].proc < 0;
        }
        if (a->recovers && !alone && now - p->last_ns > p->silence_ns)
            fence(a, true);                /* the beat that follows is answered at once */
    }
    for (int i = 0; i < NEIGHBOURS; i++) {
        struct neighbour *n = &p->near[i];
        uint64_t quiet = n->proc < 0 || n->heard_ns > now ? 0 : now - n->heard_ns;
        if (quiet > p->silence_ns / 2 && !n->silent) {
            snprintf(why, sizeof why, "has been silent for %.1f s", (double)quiet * 1e-9);
            n->silent = true;
            tell(a, SILENT, n->proc, why);
        }
        if (quiet > p->silence_ns && !n->lost) {
            snprintf(why, sizeof why, "it has been silent for %.1f s (HMF_SILENCE)", (double)quiet * 1e-9);
            n->lost = true;
            tell(a, LOST, n->proc, why);
        }
    }
}

/* The ranks cannot come back from a move that was undone (see pulse.h). */
static void look_at_building(struct hmf__agent *a, uint64_t now)
{
    char why[160];
    bool stuck;

    pthread_mutex_lock(&a->lock);
    stuck = a->building && a->order == HMF__WAVE_ABORT && now > a->undone_ns + a->limit_ns;
    pthread_mutex_unlock(&a->lock);
    if (!stuck || a->pulse->hung || !a->op.nmoves)
        return;
    a->pulse->hung = true;
    snprintf(why, sizeof why, "it hangs while communicators are made with it, and rank %d cannot come out of "
             "MPI: a move of rank %d was undone %.0f s ago", a->rank, (int)a->op.moves[0].rank,
             (double)(now - a->undone_ns) * 1e-9);
    tell(a, HUNG, a->op.moves[0].to, why);
}

/* ---- beats -------------------- */

static void beat_self(struct hmf__agent *a, uint64_t now)
{
    struct hmf__pulse *p = a->pulse;
    struct hmf__beat *b = &p->beat[a->rank];
    uint64_t polls = atomic_load_explicit(&a->polls, memory_order_relaxed);

    b->step_s = b->heard_ns && polls > p->polls
                    ? (double)(now - b->heard_ns) * 1e-9 / (double)(polls - p->polls) : 0;
    b->heard_ns = now;
    b->polls = p->polls = polls;
    b->rss_kib = hmf__agent_resident_kib();
    b->state_bytes = hmf__agent_state_bytes(a);
    b->start_us = a->size.start_us;
    p->fresh[a->rank] = true;
}

static void send_up(struct hmf__agent *a)
{
    struct hmf__pulse *p = a->pulse;
    struct hmf__buf out = HMF__BUF_INIT;

    for (int r = 0; r < a->nranks; r++) {
        if (!p->fresh[r])
            continue;
        hmf__buf_put_i32(&out, r);
        hmf__buf_put_u64(&out, p->beat[r].polls);
        hmf__buf_put_u64(&out, (uint64_t)(p->beat[r].step_s * 1e9));
        hmf__buf_put_u64(&out, p->beat[r].rss_kib);
        hmf__buf_put_u64(&out, p->beat[r].state_bytes);
        hmf__buf_put_u64(&out, p->beat[r].start_us);
        p->fresh[r] = false;
    }
    if (!out.status)
        hmf__net_send(a->net, p->near[0].proc, HMF__F_PULSE, out.data, out.len);
    hmf__buf_fini(&out);
}

/* How fast the ranks are, for pictures and dashboards. */
static void steps_event(struct hmf__agent *a)
{
    double *ms = hmf__calloc((size_t)a->nranks, sizeof *ms);
    bool any = false;

    for (int r = 0; ms && r < a->nranks; r++) {
        ms[r] = a->pulse->beat[r].step_s * 1e3;
        any |= ms[r] > 0;
    }
    if (any) {
        hmf__events_begin(a->events, "steps");
        hmf__events_reals(a->events, "step_ms", ms, a->nranks);
        hmf__events_end_often(a->events);
    }
    hmf__free(ms);
}

void hmf__pulse_beat(struct hmf__agent *a, int from, struct hmf__buf *in)
{
    struct hmf__pulse *p = a->pulse;

    while (p && hmf__buf_left(in)) {
        int32_t r = hmf__buf_get_i32(in);
        struct hmf__beat b = {.heard_ns = hmf__now_ns(), .polls = hmf__buf_get_u64(in),
                              .step_s = (double)hmf__buf_get_u64(in) * 1e-9,
                              .rss_kib = hmf__buf_get_u64(in),
                              .state_bytes = hmf__buf_get_u64(in),
                              .start_us = hmf__buf_get_u64(in)};
        if (in->status)
            return;
        if (r >= 0 && r < a->nranks && r != a->rank) {
            p->beat[r] = b;
            p->fresh[r] = true;
        }
    }
    hmf__net_send(a->net, from, HMF__F_PULSE_BACK, NULL, 0);
    if (p)
        heard(a, from);
}

/* Not at once: variables are registered one after the other. */
void hmf__pulse_soon(struct hmf__agent *a)
{
    uint64_t soon = hmf__now_ns() + SOON_NS;

    if (a->pulse && a->pulse->next_ns > soon)
        a->pulse->next_ns = soon;
}

void hmf__pulse_back(struct hmf__agent *a, int from)
{
    if (a->pulse)
        heard(a, from);
}

int hmf__pulse_tick(struct hmf__agent *a, uint64_t now)
{
    struct hmf__pulse *p = a->pulse;

    if (!p || !p->silence_ns || a->ending || a->role != HMF__ROLE_ACTIVE)
        return -1;
    if (now >= p->next_ns) {
        look_around(a, now);
        judge(a, now);
        look_at_building(a, now);
        p->last_ns = now;
        p->next_ns = now + p->period_ns;
        beat_self(a, now);
        if (a->rank > 0)
            send_up(a);
        else if (hmf__events_to_file(a->events))
            steps_event(a);
        if (a->recovers && p->lost_ns && now > p->lost_ns + a->limit_ns) {
            hmf__log(HMF__LOG_ERROR, "a rank of this job has been lost for %.0f s (HMF_TIMEOUT) and nobody ended the "
                     "job: this process ends", (double)a->limit_ns * 1e-9);
            _exit(1);
        }
    }
    return (int)((p->next_ns - now) / 1000000) + 1;
}
