/* decide.c - the running job decides by itself (see decide.h): what is known, the rounds, and what
 * became of the wishes. */
#include "config.h"

#include "decide.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMOOTH 0.3              /* weight of a new sample */
#define FIRST_BACK_OFF_S 5
#define LONGEST_BACK_OFF_S 600
#define LEAST_REMAINING_S 10
#define LATE_S 0.005
#define RUNNING_S 10

/* ---- life -------------------- */

static void option(const char *name, double lo, double hi, double *v)
{
    double given;

    if (hmf__param_double(name, lo, hi, *v, &given))
        hmf__log(HMF__LOG_ERROR, "%s: taking %g", hmf_error_text(), *v);
    else
        *v = given;
}

static void read_options(struct hmf__decide *d)
{
    struct hmf_policy_options *o = &d->options;
    double s;

    hmf_policy_options_init(o);
    /* What comes here is smoothed, and slowness confirmed: not as often as for raw weights. */
    o->confirm = 3;
    option("HMF_POLICY_CONFIRM", 1, 1000, &o->confirm);
    option("HMF_POLICY_HYSTERESIS", 0, 10, &o->hysteresis);
    option("HMF_POLICY_MAX_MOVES", 0, HMF_HISTORY_MOVES, &o->max_moves);
    option("HMF_POLICY_THRESHOLD", 1, 1000, &o->threshold);
    s = o->window_us * 1e-6;
    option("HMF_POLICY_WINDOW", 0, 1e9, &s);
    o->window_us = s * 1e6;
    s = o->quarantine_us * 1e-6;
    option("HMF_POLICY_QUARANTINE", 0, 1e9, &s);
    o->quarantine_us = s * 1e6;
    s = 10;                                /* the others must come to their poll, too */
    option("HMF_POLICY_MARGIN", 0, 1e9, &s);
    o->margin_us = s * 1e6;
    option("HMF_REMAINING", 0, 1e9, &d->remaining_s);
}

hmf_status_t hmf__decide_new(int nranks, int nprocs, int nhosts, const int *host_of,
                             const char *const *names, double interval_s, uint64_t now_ns,
                             struct hmf__decide **out)
{
    struct hmf__decide *d = hmf__calloc(1, sizeof *d);
    const char *policy = NULL;
    hmf_status_t st;

    *out = NULL;
    if (!d)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to decide about %d ranks", nranks);
    d->nranks = nranks;
    d->nprocs = nprocs;
    d->nhosts = nhosts;
    d->began_ns = now_ns;
    d->interval_ns = (uint64_t)(interval_s * 1e9);
    d->next_ns = now_ns + d->interval_ns;
    d->program = "";
    d->host_of = hmf__calloc((size_t)nprocs, sizeof *d->host_of);
    d->throttled = hmf__calloc((size_t)nprocs, sizeof *d->throttled);
    d->host = hmf__calloc((size_t)nhosts, sizeof *d->host);
    d->rank = hmf__calloc((size_t)nranks, sizeof *d->rank);
    d->busy = hmf__calloc((size_t)nranks, sizeof *d->busy);
    d->cpu = hmf__calloc((size_t)nranks, sizeof *d->cpu);
    d->queued = hmf__calloc((size_t)nranks, sizeof *d->queued);
    d->ill = hmf__calloc((size_t)nranks, sizeof *d->ill);
    if (!d->queued || !d->host_of || !d->throttled || !d->host || !d->rank || !d->busy || !d->cpu || !d->ill) {
        st = hmf__fail(HMF_ERR_NOMEM, "no memory to decide about %d ranks", nranks);
        goto free_all;
    }
    memcpy(d->host_of, host_of, (size_t)nprocs * sizeof *host_of);
    for (int p = 0; p < nprocs; p++)
        d->throttled[p] = NAN;
    for (int h = 0; h < nhosts; h++) {
        struct hmf__decide_host *x = &d->host[h];
        snprintf(x->name, sizeof x->name, "%s", names[h]);
        /* Names are names of vertices. */
        for (int k = 0; k < h; k++)
            if (!strcmp(d->host[k].name, x->name))
                snprintf(x->name, sizeof x->name, "%.50s#%d", names[h], h);
        x->weight = x->weight_more = 1;
        x->running = NAN;
        x->noticed_us = x->suspected_us = INFINITY;
        x->seen_ns = now_ns;
    }
    for (int r = 0; r < nranks; r++)
        d->rank[r] = (struct hmf__decide_rank){.proc = -1, .weight = 1, .back_off_s = FIRST_BACK_OFF_S};
    if ((st = hmf__slow_init(&d->slow, nranks)))
        goto free_all;
    read_options(d);
    hmf__param_string("HMF_POLICY", "manual", &policy);
    if ((st = hmf__decide_policy(d, policy)))
        goto free_all;
    *out = d;
    return HMF_OK;

free_all:
    hmf__decide_free(d);
    return st;
}

hmf_status_t hmf__decide_policy(struct hmf__decide *d, const char *names)
{
    /* What most want, under one name. */
    const char *meant = strcmp(names, "auto") ? names : "eviction,degradation,least-cost";
    hmf_policies_t *policies;
    hmf_status_t st = strlen(names) < sizeof d->policy ? hmf_policies_new(meant, &policies)
                          : hmf__fail(HMF_ERR_LIMIT, "the names of policies are longer than %zu bytes",
                                      sizeof d->policy - 1);

    if (st)
        return st;
    hmf_policies_free(d->policies);
    d->policies = policies;
    snprintf(d->policy, sizeof d->policy, "%s", names);
    return HMF_OK;
}

void hmf__decide_free(struct hmf__decide *d)
{
    if (!d)
        return;
    hmf_policies_free(d->policies);
    hmf__slow_fini(&d->slow);
    hmf__free(d->ill);
    hmf__free(d->queued);
    hmf__free(d->cpu);
    hmf__free(d->busy);
    hmf__free(d->rank);
    hmf__free(d->host);
    hmf__free(d->throttled);
    hmf__free(d->host_of);
    hmf__free(d);
}

/* ---- what is known -------------------- */

static double smooth(double old, double new)
{
    return old + SMOOTH * (new - old);
}

static void suspect(const struct hmf__decide *d, struct hmf__decide_host *x, double now_us, const char *why)
{
    if (isinf(x->suspected_us) && !d->quiet)
        hmf__log(HMF__LOG_WARN, "host %s is suspected to be ill: %s; ranks do not go there for a while",
                 x->name, why);
    x->suspected_us = now_us;
    snprintf(x->reason, sizeof x->reason, "%s", why);
}

static void host_sample(const struct hmf__decide *d, struct hmf__decide_host *x,
                        const struct hmf__host_sample *s, uint64_t now_ns)
{
    /* One look at the run queue says little: the mean of about RUNNING_S. */
    double part = 1 - exp(-(double)(now_ns - x->seen_ns) * 1e-9 / RUNNING_S);
    double now_us = (double)now_ns * 1e-3;
    uint32_t ill = HMF__HOST_ILL | HMF__HOST_HOT | HMF__HOST_ECC;

    x->running = isnan(x->running) ? s->running
                                   : x->running + part * (s->running - x->running);
    x->s = *s;
    x->known = true;
    x->seen_ns = now_ns;
    if (s->flags & ill)
        suspect(d, x, now_us, s->reason);
    if (isinf(s->ends_at_s))
        x->noticed_us = INFINITY;
    else if (isinf(x->noticed_us)) {
        x->noticed_us = now_us;
        hmf__log(d->quiet ? HMF__LOG_DEBUG : HMF__LOG_WARN, "host %s: %s", x->name, s->reason);
    }
}

void hmf__decide_sample(struct hmf__decide *d, const struct hmf__sample *s, uint64_t now_ns)
{
    /* The main thread had neither a core nor a wish for one: it slept, or its process is being stopped,
     * but then its agent oversleeps too. */
    double idle = 1 - s->part_cpu - s->part_delay;
    struct hmf__decide_rank *k;
    double denied;

    d->throttled[s->proc] = s->part_throttled;
    if (s->has_host)
        host_sample(d, &d->host[d->host_of[s->proc]], &s->host, now_ns);
    if (s->rank < 0 || now_ns < d->skip_until_ns)
        return;
    k = &d->rank[s->rank];
    k->bytes = s->memory;
    k->bound = s->bound;
    if (s->polls == 0)
        return;
    denied = isfinite(s->part_throttled) ? fmin(s->part_throttled, s->part_delay) : 0;
    k->cpu = k->cpu > 0 ? smooth(k->cpu, s->part_cpu) : s->part_cpu;
    k->delay = smooth(k->delay, s->part_delay - denied);
    k->wait = smooth(k->wait, s->wait_s / s->span_s);
    k->throttled = isfinite(s->part_throttled) ? smooth(k->throttled, s->part_throttled) : 0;
    k->late_s = smooth(k->late_s, s->late_s);
    /* Waits are counted late: only the mean over several samples says something. */
    k->stopped += SMOOTH / 2 * ((k->late_s > LATE_S ? idle : 0) - k->stopped);
    /* Waiting for a core is the host's weight, which all there share (a rank that is bound to one has
     * that to itself); what a control group denies is not. */
    double busy = s->span_s - s->wait_s;
    double queued = s->bound ? 0 : s->part_delay - denied;
    /* Time of which the kernel knows neither: asleep in MPI, as far as that goes; else stopped. */
    double stopped = fmax(0, idle) * s->span_s - s->wait_s;
    double worked = fmax(0.01, 1 - fmax(0, stopped) / fmax(busy, 1e-9) - denied);
    k->step_s = s->span_s / (double)s->polls;
    k->busy_s = busy / (double)s->polls;
    k->queued_s = queued * s->span_s / (double)s->polls;
    k->cpu_s = k->busy_s * worked;
    k->fresh = true;
}

/* A host on which all ranks are slower at once is slow itself, whatever uses the time. */
static void look_at_hosts(struct hmf__decide *d)
{
    for (int h = 0; h < d->nhosts; h++) {
        int n = 0, up = 0;
        bool hot = d->host[h].known && (d->host[h].s.flags & HMF__HOST_HOT);
        for (int r = 0; r < d->nranks; r++)
            if (d->rank[r].proc >= 0 && d->host_of[d->rank[r].proc] == h) {
                n++;
                up += hmf__slow_residual(&d->slow, r) > 0.09;
            }
        for (int r = 0; r < d->nranks; r++)
            if (d->rank[r].proc >= 0 && d->host_of[d->rank[r].proc] == h)
                d->ill[r] = hot || (n > 1 && up == n);
    }
}

static void look_at_progress(struct hmf__decide *d)
{
    bool any = false;

    for (int r = 0; r < d->nranks; r++) {
        struct hmf__decide_rank *k = &d->rank[r];
        d->busy[r] = k->fresh ? k->busy_s : NAN;
        d->queued[r] = k->queued_s;
        d->cpu[r] = k->fresh && k->cpu_s > 0 ? k->cpu_s : NAN;
        any |= k->fresh;
        k->fresh = false;
    }
    if (!any)
        return;
    look_at_hosts(d);
    hmf__slow_round(&d->slow, d->busy, d->cpu, d->queued, d->ill);
}

/* ---- rounds -------------------- */

int hmf__decide_timer(const struct hmf__decide *d, uint64_t now_ns)
{
    if (!d)
        return -1;
    return now_ns >= d->next_ns ? 0 : (int)((d->next_ns - now_ns) / 1000000) + 1;
}

double hmf__decide_remaining_us(const struct hmf__decide *d, uint64_t now_ns)
{
    double run_s = (double)(now_ns - d->began_ns) * 1e-9;

    /* Nobody knows: then the best bet is as long again as it has run, by which no choice costs more
     * than twice the best one (ski rental: Karlin, Manasse, Rudolph, Sleator, Algorithmica 3, 1988). */
    return 1e6 * (d->remaining_s > 0 ? d->remaining_s : fmax(run_s, LEAST_REMAINING_S));
}

static void say(struct hmf__decide_rank *k, int rank, const struct hmf_decision *what)
{
    bool news = what->action != k->last.action || what->must != k->last.must;

    /* Each round says the same: a line when something changes, all of them for who asks for them. */
    if (what->action == HMF_GO)
        hmf__log(HMF__LOG_INFO, "rank %d: %s", rank, what->why);
    else if (news || hmf__log_wants(HMF__LOG_DEBUG))
        hmf__log(HMF__LOG_DEBUG, "rank %d: %s", rank, what->why);
    memcpy(k->said, what->why, sizeof k->said);
    k->last = *what;
}

/* Moves are remembered by hosts, policies know vertices. */
static struct hmf_history by_vertex(const struct hmf_history *by_host, const int *host, size_t n)
{
    struct hmf_history out = *by_host;

    for (size_t i = 0; i < out.n; i++) {
        size_t from = HMF_NO_VERTEX, to = HMF_NO_VERTEX;
        for (size_t v = n; v-- > 0;) {
            from = (size_t)host[v] == by_host->move[i].from && v ? v : from;
            to = (size_t)host[v] == by_host->move[i].to ? v : to;
        }
        out.move[i].from = from;
        out.move[i].to = to;
    }
    return out;
}

/* True: *ask is a wish. */
static bool decide(struct hmf__decide *d, int rank, uint64_t now_ns, double wall_s,
                   struct hmf__ask *ask)
{
    struct hmf__decide_rank *k = &d->rank[rank];
    struct hmf__decide_host *here = &d->host[d->host_of[k->proc]], *to;
    struct hmf_policy_input in;
    struct hmf_decision what;
    struct hmf_history history;
    hmf_graph_t *g = NULL;
    int host[HMF__DECIDE_PLACES];

    if (hmf__decide_graph(d, rank, now_ns, wall_s, &g, host, HMF__DECIDE_PLACES)) {
        hmf__log(HMF__LOG_ERROR, "no decision about rank %d: %s", rank, hmf_error_text());
        return false;
    }
    history = by_vertex(&k->history, host, hmf_graph_count(g));
    hmf_policy_input_init(&in, g, &history, &d->options);
    in.now_us = (double)now_ns * 1e-3;
    in.remaining_us = hmf__decide_remaining_us(d, now_ns);
    if (isfinite(here->noticed_us)) {
        in.notice_us = here->noticed_us;
        in.ends_at_us = in.now_us + (here->s.ends_at_s - wall_s) * 1e6;
    }
    if (hmf_policies_decide(d->policies, &in, &what))
        hmf__log(HMF__LOG_ERROR, "rank %d: %s", rank, what.why);
    hmf_history_decided(&k->history, &what);
    say(k, rank, &what);
    hmf_graph_free(g);
    if (what.action != HMF_GO)
        return false;
    to = &d->host[host[what.to]];
    to->free--;
    *ask = (struct hmf__ask){.kind = HMF__OP_MOVE, .source = HMF__ASK_POLICY, .rank = rank};
    snprintf(ask->node, sizeof ask->node, "%.*s", (int)strcspn(to->name, "#"), to->name);
    d->asked++;
    return true;
}

int hmf__decide_round(struct hmf__decide *d, const int *proc_of, const bool *free, const bool *mine,
                      uint64_t now_ns, double wall_s, struct hmf__ask *asks, int max)
{
    int n = 0;

    if (now_ns < d->next_ns)
        return 0;
    d->next_ns = now_ns + d->interval_ns;
    d->rounds++;
    for (int r = 0; r < d->nranks; r++)
        d->rank[r].proc = proc_of[r];
    look_at_progress(d);
    hmf__decide_weights(d, proc_of, free, now_ns);
    for (int r = 0; r < d->nranks && n < max; r++)
        if ((!mine || mine[r]) && now_ns >= d->rank[r].not_before_ns &&
            decide(d, r, now_ns, wall_s, &asks[n]))
            n++;
    return n;
}

/* ---- what became of it -------------------- */

/* A rank in another place: nothing of what was seen of it holds, but what it did before. */
static void begin_anew(struct hmf__decide *d, int rank, int proc)
{
    struct hmf__decide_rank *k = &d->rank[rank];

    *k = (struct hmf__decide_rank){.proc = proc, .weight = 1, .bytes = k->bytes, .history = k->history,
                                   .last = k->last, .back_off_s = FIRST_BACK_OFF_S};
    k->history.wanted = 0;
    hmf__slow_forget(&d->slow, rank);
}

void hmf__decide_moved(struct hmf__decide *d, int rank, int from_proc, int to_proc, uint64_t now_ns)
{
    struct hmf__decide_rank *k = &d->rank[rank];
    double now_us = (double)now_ns * 1e-3;

    /* Moves on one host are moves from place to place: none of them is gone back to. */
    hmf_history_add(&k->history, now_us, (size_t)d->host_of[from_proc],
                    (size_t)d->host_of[to_proc]);
    /* Where a place is slow and not only this process, nobody should come. */
    if (d->host_of[from_proc] != d->host_of[to_proc] && hmf__slow_factor(&d->slow, rank) > 1)
        suspect(d, &d->host[d->host_of[from_proc]], now_us, "a rank was slow there");
    begin_anew(d, rank, to_proc);
    hmf__decide_disturbed(d, now_ns);
}

void hmf__decide_refused(struct hmf__decide *d, int rank, bool taken, uint64_t now_ns)
{
    struct hmf__decide_rank *k = &d->rank[rank];

    if (taken)
        return;
    k->not_before_ns = now_ns + (uint64_t)(k->back_off_s * 1e9);
    k->back_off_s = fmin(2 * k->back_off_s, LONGEST_BACK_OFF_S);
}

void hmf__decide_disturbed(struct hmf__decide *d, uint64_t now_ns)
{
    /* The sample of the time around it comes up to an interval later, the tree takes another. */
    d->skip_until_ns = now_ns + 2 * d->interval_ns;
    for (int r = 0; r < d->nranks; r++)
        d->rank[r].fresh = false;
}

/* ---- words -------------------- */

static void line(struct hmf__buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void line(struct hmf__buf *out, const char *fmt, ...)
{
    char text[700];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    hmf__buf_put_bytes(out, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

void hmf__decide_explain(const struct hmf__decide *d, struct hmf__buf *out)
{
    for (int r = 0; r < d->nranks; r++) {
        const struct hmf__decide_rank *k = &d->rank[r];
        line(out, "rank %d node %s weight %.3g slow %.3g iteration %.4g ms waits %.0f %% contention "
             "%.2f moves %zu: %s\n", r, k->proc < 0 ? "?" : d->host[d->host_of[k->proc]].name,
             k->weight, hmf__slow_factor(&d->slow, r), k->busy_s * 1e3, k->wait * 100,
             k->cpu > 0 ? 1 + k->delay / k->cpu : 1, k->history.n,
             k->said[0] ? k->said : "nothing was decided yet");
    }
    for (int h = 0; h < d->nhosts; h++) {
        const struct hmf__decide_host *x = &d->host[h];
        line(out, "host %s weight %.3g with one more %.3g free %d cores %.3g running %.1f%s%s\n",
             x->name, x->weight, x->weight_more, x->free, x->s.cores, x->running,
             isfinite(x->suspected_us) ? ", suspected: " : x->s.reason[0] ? ", " : "",
             isfinite(x->suspected_us) ? x->reason : x->s.reason);
    }
}

/* ---- to the next coordinator -------------------- */

void hmf__decide_put(const struct hmf__decide *d, uint64_t now_ns, struct hmf__buf *out)
{
    double now_us = (double)now_ns * 1e-3;

    hmf__put_double(out, (double)(now_ns - d->began_ns) * 1e-9);
    for (int r = 0; r < d->nranks; r++) {
        const struct hmf__decide_rank *k = &d->rank[r];
        const struct hmf__slow_rank *s = &d->slow.rank[r];
        hmf__buf_put_u32(out, (uint32_t)k->history.n);
        for (size_t i = 0; i < k->history.n; i++) {
            hmf__put_double(out, now_us - k->history.move[i].at_us);
            hmf__buf_put_u32(out, (uint32_t)k->history.move[i].from);
            hmf__buf_put_u32(out, (uint32_t)k->history.move[i].to);
        }
        hmf__put_double(out, k->not_before_ns > now_ns ? (double)(k->not_before_ns - now_ns) * 1e-9 : 0);
        hmf__put_double(out, k->back_off_s);
        hmf__buf_put_u8(out, s->nfirst == HMF__SLOW_WARM);
        hmf__put_double(out, s->base);
        hmf__put_double(out, s->base_cpu);
    }
    for (int h = 0; h < d->nhosts; h++)
        hmf__put_double(out, now_us - d->host[h].suspected_us);
    hmf__buf_put_string(out, d->policy);
}

hmf_status_t hmf__decide_get(struct hmf__decide *d, uint64_t now_ns, struct hmf__buf *in)
{
    double now_us = (double)now_ns * 1e-3, run_s = hmf__get_double(in);
    char *policy;

    if (run_s > 0 && run_s * 1e9 < (double)now_ns)
        d->began_ns = now_ns - (uint64_t)(run_s * 1e9);
    for (int r = 0; r < d->nranks && !in->status; r++) {
        struct hmf__decide_rank *k = &d->rank[r];
        struct hmf__slow_rank *s = &d->slow.rank[r];
        uint32_t n = hmf__buf_get_u32(in);
        size_t moves = k->history.n, to = moves ? k->history.move[moves - 1].to : HMF_NO_VERTEX;
        double wait_s, back_off_s, base, base_cpu;
        bool known;
        k->history.n = 0;
        for (uint32_t i = 0; i < n && n <= HMF_HISTORY_MOVES; i++) {
            double at_us = now_us - hmf__get_double(in);
            uint32_t from = hmf__buf_get_u32(in), at = hmf__buf_get_u32(in);
            if (!in->status)
                hmf_history_add(&k->history, at_us, from, at);
        }
        if (k->history.n && (k->history.n != moves || k->history.move[moves - 1].to != to))
            begin_anew(d, r, k->proc);     /* it has moved since this was last told */
        wait_s = hmf__get_double(in);
        back_off_s = hmf__get_double(in);
        if (!in->status && wait_s > 0 && wait_s <= LONGEST_BACK_OFF_S)
            k->not_before_ns = now_ns + (uint64_t)(wait_s * 1e9);
        if (!in->status && back_off_s >= FIRST_BACK_OFF_S && back_off_s <= 2 * LONGEST_BACK_OFF_S)
            k->back_off_s = back_off_s;
        known = hmf__buf_get_u8(in) != 0;
        base = hmf__get_double(in);
        base_cpu = hmf__get_double(in);
        if (known && isfinite(base) && !in->status) {
            s->base = base;
            s->base_cpu = base_cpu;
            s->nfirst = HMF__SLOW_WARM;
        }
    }
    for (int h = 0; h < d->nhosts; h++) {
        double age_us = hmf__get_double(in);
        if (isfinite(age_us) && !in->status)
            d->host[h].suspected_us = now_us - age_us;
    }
    policy = hmf__buf_get_string(in, sizeof d->policy - 1);
    if (policy && strcmp(policy, d->policy) && hmf__decide_policy(d, policy))
        hmf__log(HMF__LOG_ERROR, "HMF_POLICY: %s; the job goes on with %s", hmf_error_text(), d->policy);
    hmf__free(policy);
    return in->status ? hmf__fail(HMF_ERR_FORMAT, "what the last coordinator knew is damaged") : HMF_OK;
}
