/* Running a model: events, decisions, moves, work, losses, step by step; see sim.h. */
#include "config.h"

#include "sim.h"

#include "base.h"
#include "graph_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is known of a rank while the model runs. */
struct runner {
    double work_us, done_us, saved_us; /* saved: by the last checkpoint */
    double blocked_from_us, blocked_until_us;
    size_t at, to;                     /* `to` while it moves, else HMF_NO_VERTEX */
    int lost;                          /* waits for a place to start again */
    double end_us;                     /* INFINITY while it is not done */
    char needs[64];
    int real_time;
    struct hmf_history history;
};

struct place {
    double load;
    struct hmf_weight weight;
    int owner, failed;
    double notice_us, ends_at_us, suspected_at_us;
    double places; /* for ranks, free or not */
    size_t ranks;  /* there, or on the way there */
};

struct sim {
    const struct hmf__sim_model *m;
    hmf_graph_t *g;          /* as policies see it */
    struct runner *rank;
    struct place *place;
    struct hmf_policy_peer *peer;
    double now, next_decision, next_checkpoint, held_until;
    size_t next_event;
    uint64_t random;
    struct hmf__sim_result r;
};

void hmf__sim_init(struct hmf__sim_model *m)
{
    memset(m, 0, sizeof *m);
    m->step_us = 0.1e6;
    m->decide_us = 1e6;
    m->limit_us = 1e11;
    m->restart_us = 60e6;
    m->seed = 1;
    hmf_policy_options_init(&m->options);
}

void hmf__sim_fini(struct hmf__sim_model *m)
{
    hmf_graph_free(m->graph);
    hmf__free(m->rank);
    hmf__free(m->event);
    hmf__free(m->policy);
}

/* ---- noise: near enough to normal, alike on all machines ---- */

static double uniform(struct sim *s)
{
    uint64_t z = s->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static double noisy(struct sim *s)
{
    double sum = -6;

    if (s->m->noise == 0)
        return 1;
    for (int i = 0; i < 12; i++)
        sum += uniform(s);
    return fmax(0.05, 1 + s->m->noise * sum);
}

/* ---- weights ---- */

static double contention(const struct sim *s, size_t i, size_t ranks)
{
    const struct hmf_vertex *v = &s->m->graph->vertex[i];

    if (v->kind != HMF_VERTEX_HOST)
        return 1;
    return fmax(1, (s->place[i].load + (double)ranks) / v->cores) / v->speed;
}

static struct hmf_weight weight_with(const struct sim *s, size_t i, size_t ranks, double factor)
{
    const struct place *p = &s->place[i];
    struct hmf_weight w = p->weight;

    factor *= contention(s, i, ranks);
    w.base *= factor;
    w.rise_per_us *= factor;
    if (p->owner || p->failed)
        w = hmf_weight_constant(INFINITY);
    return w;
}

static double true_weight(const struct sim *s, size_t i)
{
    struct hmf_weight w = weight_with(s, i, s->place[i].ranks, 1);

    return hmf_weight_at(&w, s->now);
}

/* ---- events, losses ---- */

static void apply(struct sim *s, const struct hmf__sim_event *e)
{
    struct place *p = &s->place[e->vertex < s->g->n ? e->vertex : 0];

    if (e->what & HMF__SIM_LOAD)
        p->load = e->load;
    if (e->what & HMF__SIM_WEIGHT)
        p->weight = e->weight;
    if (e->what & HMF__SIM_OWNER)
        p->owner = e->owner;
    if (e->what & HMF__SIM_ENDS) {
        p->notice_us = s->now;
        p->ends_at_us = e->ends_at_us;
    }
    if (e->what & HMF__SIM_FAILS)
        p->ends_at_us = s->now;
    if (e->what & HMF__SIM_SUSPECTED)
        p->suspected_at_us = s->now;
    if (e->what & HMF__SIM_NEEDS)
        memcpy(s->rank[e->rank].needs, e->needs, sizeof e->needs);
    if (e->what & HMF__SIM_REAL_TIME)
        s->rank[e->rank].real_time = e->real_time;
}

/* A rank that is lost takes the whole job back to the last checkpoint, or only itself if ranks do
 * not wait for each other. */
static void lose(struct sim *s, struct runner *r)
{
    if (r->to != HMF_NO_VERTEX)
        s->place[r->to].ranks--;
    else
        s->place[r->at].ranks--;
    r->to = HMF_NO_VERTEX;
    r->lost = 1;
    s->r.losses++;
    for (size_t k = 0; k < s->m->nranks; k++) {
        struct runner *x = &s->rank[k];
        if (s->m->independent && x != r)
            continue;
        s->r.lost_us += x->done_us - x->saved_us;
        x->done_us = x->saved_us;
        x->end_us = INFINITY;
    }
    r->blocked_from_us = s->now;
    r->blocked_until_us = INFINITY;
}

static void fail_places(struct sim *s)
{
    for (size_t i = 0; i < s->g->n; i++) {
        if (s->place[i].failed || s->place[i].ends_at_us > s->now)
            continue;
        s->place[i].failed = 1;
        for (size_t k = 0; k < s->m->nranks; k++) {
            struct runner *r = &s->rank[k];
            /* One that moves is at its source until it has arrived; one bound for here has its
             * source. */
            if (!r->lost && r->at == i && isinf(r->end_us)) {
                lose(s, r);
            } else if (!r->lost && r->to == i) {
                s->place[i].ranks--;
                s->place[r->at].ranks++;
                r->to = HMF_NO_VERTEX;
            }
        }
    }
}

static int has_room(const struct sim *s, size_t i)
{
    const struct hmf_vertex *v = &s->m->graph->vertex[i];

    return v->kind == HMF_VERTEX_HOST && isfinite(true_weight(s, i)) &&
           s->place[i].places - (double)s->place[i].ranks >= 1;
}

/* Lost ranks start again on the best place that has room. */
static void start_again(struct sim *s)
{
    for (size_t k = 0; k < s->m->nranks; k++) {
        struct runner *r = &s->rank[k];
        size_t best = HMF_NO_VERTEX;
        for (size_t i = 0; r->lost && i < s->g->n; i++)
            if (has_room(s, i) && hmf_vertex_offers(&s->g->vertex[i], r->needs) &&
                (best == HMF_NO_VERTEX || true_weight(s, i) < true_weight(s, best)))
                best = i;
        if (best == HMF_NO_VERTEX)
            continue;
        r->lost = 0;
        r->at = best;
        r->blocked_until_us = fmax(s->now, r->blocked_from_us) + s->m->restart_us;
        s->place[best].ranks++;
    }
}

static void arrive(struct sim *s)
{
    for (size_t k = 0; k < s->m->nranks; k++) {
        struct runner *r = &s->rank[k];
        if (r->to == HMF_NO_VERTEX || r->blocked_until_us > s->now)
            continue;
        hmf_history_add(&r->history, s->now, r->at, r->to);
        r->at = r->to;
        r->to = HMF_NO_VERTEX;
    }
}

/* ---- decisions ---- */

/* The graph as this rank sees it: itself where it is, one more of us elsewhere. */
static void show(struct sim *s, struct runner *r)
{
    for (size_t i = 0; i < s->g->n; i++) {
        struct hmf_vertex *v = &s->g->vertex[i];
        struct place *p = &s->place[i];
        v->weight = weight_with(s, i, p->ranks + (i != r->at), noisy(s));
        v->load = p->load + (double)p->ranks;
        v->slots = fmax(0, p->places - (double)p->ranks);
        v->suspected_at_us = p->suspected_at_us;
    }
    s->g->active = r->at;
}

static size_t show_peers(struct sim *s, const struct runner *me)
{
    size_t n = 0;

    for (size_t k = 0; k < s->m->nranks; k++) {
        const struct runner *x = &s->rank[k];
        if (x == me || x->lost || x->to != HMF_NO_VERTEX || isfinite(x->end_us) ||
            x->blocked_until_us > s->now)
            continue;
        s->peer[n++] = (struct hmf_policy_peer){(int)k, x->at, s->m->rank[k].share,
                                                true_weight(s, x->at)};
    }
    return n;
}

static void begin_move(struct sim *s, struct runner *r, size_t to, double move_us)
{
    struct hmf_edge_cost c = {0};

    s->g->active = r->at;
    (void)hmf_graph_cost(s->g, r->at, to, &c); /* no edge: several moves, nothing overlaps */
    r->blocked_from_us = s->now + fmin(c.overlap_us, move_us);
    r->blocked_until_us = s->now + move_us;
    r->to = to;
    s->place[r->at].ranks--;
    s->place[to].ranks++;
    s->r.moving_us += r->blocked_until_us - r->blocked_from_us;
    s->r.moves++;
}

static hmf_status_t decide(struct sim *s, const hmf_policies_t *policies, hmf__sim_cb tell,
                           void *ctx)
{
    for (size_t k = 0; k < s->m->nranks; k++) {
        struct runner *r = &s->rank[k];
        struct hmf_policy_input in;
        struct hmf_decision d;
        if (r->lost || r->to != HMF_NO_VERTEX || isfinite(r->end_us) ||
            r->blocked_until_us > s->now)
            continue;
        show(s, r);
        hmf_policy_input_init(&in, s->g, &r->history, &s->m->options);
        in.now_us = s->now;
        in.remaining_us = (r->work_us - r->done_us) * s->m->rank[k].share;
        in.home = s->m->rank[k].home;
        in.needs = r->needs;
        in.real_time = r->real_time;
        in.notice_us = s->place[r->at].notice_us;
        in.ends_at_us = s->place[r->at].ends_at_us;
        in.share = s->m->rank[k].share;
        in.peers = s->peer;
        in.npeers = show_peers(s, r);
        hmf_status_t rc = hmf_policies_decide(policies, &in, &d);
        if (rc)
            return rc;
        s->r.decisions++;
        hmf_history_decided(&r->history, &d);
        if (tell)
            tell(ctx, s->now, k, &d);
        if (d.action == HMF_GO) {
            begin_move(s, r, d.to, d.move_us);
        } else if (d.action == HMF_SWAP) {
            struct runner *x = &s->rank[d.peer];
            size_t mine = r->at;
            double there = hmf_graph_edge_weight(s->g, mine, x->at);
            double back = hmf_graph_edge_weight(s->g, x->at, mine);
            begin_move(s, r, x->at, there);
            begin_move(s, x, mine, back);
        }
    }
    return HMF_OK;
}

/* ---- work ---- */

static double rate(const struct sim *s, size_t k)
{
    const struct runner *r = &s->rank[k];
    double w;

    if (r->lost || s->now < s->held_until || s->g->vertex[r->at].kind != HMF_VERTEX_HOST ||
        (s->now >= r->blocked_from_us && s->now < r->blocked_until_us))
        return 0;
    w = true_weight(s, r->at);
    return w > 0 ? 1 / (w * s->m->rank[k].share) : 0;
}

static int work(struct sim *s)
{
    double dt = s->m->step_us, slowest = INFINITY;
    int busy = 0;

    for (size_t k = 0; k < s->m->nranks; k++)
        if (isinf(s->rank[k].end_us))
            slowest = fmin(slowest, rate(s, k));
    for (size_t k = 0; k < s->m->nranks; k++) {
        struct runner *r = &s->rank[k];
        if (isfinite(r->end_us))
            continue;
        double v = s->m->independent ? rate(s, k) : slowest, left = r->work_us - r->done_us;
        if (v * dt >= left) {
            r->done_us = r->work_us;
            r->end_us = s->now + left / v;
            s->place[r->at].ranks -= s->m->independent != 0;
        } else {
            r->done_us += v * dt;
            busy = 1;
        }
    }
    return busy;
}

static void checkpoint(struct sim *s)
{
    for (size_t k = 0; k < s->m->nranks; k++)
        s->rank[k].saved_us = s->rank[k].done_us;
    s->held_until = s->now + s->m->checkpoint_cost_us;
    s->next_checkpoint += s->m->checkpoint_us;
}

/* ---- from beginning to end ---- */

static hmf_status_t check_model(const struct hmf__sim_model *m)
{
    size_t n = m->graph ? hmf_graph_count(m->graph) : 0;

    if (!n || !m->nranks)
        return hmf__fail(HMF_ERR_ARG, "a model needs a graph and ranks");
    if (!(m->step_us > 0 && m->decide_us > 0 && m->limit_us / m->step_us <= 1e8))
        return hmf__fail(HMF_ERR_ARG,
                         "step_us %g, decide_us %g and limit_us %g: give more than 0, and at most "
                         "1e8 steps",
                         m->step_us, m->decide_us, m->limit_us);
    if (!(m->noise >= 0 && m->noise <= 1 && m->checkpoint_us >= 0 && m->checkpoint_cost_us >= 0 &&
          m->restart_us >= 0))
        return hmf__fail(HMF_ERR_ARG,
                         "noise, checkpoint or restart times of the model are below 0, or noise "
                         "above 1");
    for (size_t k = 0; k < m->nranks; k++)
        if (m->rank[k].at >= n || m->graph->vertex[m->rank[k].at].kind != HMF_VERTEX_HOST ||
            !(m->rank[k].work_us > 0 && m->rank[k].share > 0) || isinf(m->rank[k].work_us))
            return hmf__fail(HMF_ERR_ARG, "rank %zu: give it a host, and work and share above 0",
                             k);
    for (size_t e = 0; e < m->nevents; e++)
        if ((m->event[e].what & (HMF__SIM_NEEDS | HMF__SIM_REAL_TIME)
                 ? m->event[e].rank >= m->nranks : m->event[e].vertex >= n))
            return hmf__fail(HMF_ERR_ARG, "event %zu is of a vertex or rank that is not there", e);
    return HMF_OK;
}

static hmf_status_t set_up(struct sim *s, const struct hmf__sim_model *m,
                           enum hmf_mechanism mechanism)
{
    hmf_status_t rc = hmf_graph_copy(m->graph, &s->g);

    if (rc)
        return rc;
    s->m = m;
    s->g->process.mechanism = mechanism;
    s->rank = hmf__calloc(m->nranks, sizeof *s->rank);
    s->peer = hmf__calloc(m->nranks, sizeof *s->peer);
    s->place = hmf__calloc(s->g->n, sizeof *s->place);
    if (!s->rank || !s->peer || !s->place)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to run a model of %zu ranks", m->nranks);
    for (size_t i = 0; i < s->g->n; i++) {
        const struct hmf_vertex *v = &s->g->vertex[i];
        s->place[i] = (struct place){.load = v->load, .weight = v->weight, .places = v->slots,
                                     .ends_at_us = INFINITY, .suspected_at_us = v->suspected_at_us};
    }
    for (size_t k = 0; k < m->nranks; k++) {
        struct runner *r = &s->rank[k];
        *r = (struct runner){.work_us = m->rank[k].work_us, .at = m->rank[k].at,
                             .to = HMF_NO_VERTEX, .end_us = INFINITY,
                             .real_time = m->rank[k].real_time};
        memcpy(r->needs, m->rank[k].needs, sizeof r->needs);
        s->place[r->at].ranks++;
        s->place[r->at].places++;
    }
    s->random = m->seed;
    s->next_checkpoint = m->checkpoint_us > 0 ? m->checkpoint_us : INFINITY;
    return HMF_OK;
}

hmf_status_t hmf__sim_run(const struct hmf__sim_model *m, const hmf_policies_t *policies,
                          enum hmf_mechanism mechanism, hmf__sim_cb tell, void *ctx,
                          struct hmf__sim_result *result)
{
    struct sim s = {0};
    hmf_status_t rc = check_model(m);

    if (rc || (rc = set_up(&s, m, mechanism)))
        goto free_sim;
    for (uint64_t step = 0;; step++) {
        s.now = (double)step * m->step_us;
        if (s.now >= m->limit_us)
            break;
        while (s.next_event < m->nevents && m->event[s.next_event].at_us <= s.now)
            apply(&s, &m->event[s.next_event++]);
        arrive(&s);
        fail_places(&s);
        start_again(&s);
        if (s.now >= s.next_checkpoint)
            checkpoint(&s);
        if (s.now >= s.next_decision) {
            if ((rc = decide(&s, policies, tell, ctx)))
                goto free_sim;
            s.next_decision += m->decide_us;
        }
        if (!work(&s)) {
            s.r.finished = 1;
            break;
        }
    }
    s.r.end_us = s.r.finished ? 0 : m->limit_us;
    for (size_t k = 0; s.r.finished && k < m->nranks; k++)
        s.r.end_us = fmax(s.r.end_us, s.rank[k].end_us);
    *result = s.r;

free_sim:
    hmf_graph_free(s.g);
    hmf__free(s.rank);
    hmf__free(s.peer);
    hmf__free(s.place);
    return rc;
}
