/* Asking policies by name, and the guard around them.  What each policy does is in policy_cost.c,
 * policy_need.c and policy_leave.c; shared objects are policy_load.c's. */
#include "config.h"

#include "policy_priv.h"

#include "base.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct hmf_policy builtin[] = {
#define ENTRY(id, name, help) {HMF_POLICY_ABI, name, help, hmf__policy_##id},
    HMF__POLICIES(ENTRY)
#undef ENTRY
};

const struct hmf_policy *hmf_policy_at(size_t i)
{
    return i < sizeof builtin / sizeof builtin[0] ? &builtin[i] : NULL;
}

void hmf_history_add(struct hmf_history *h, double at_us, size_t from, size_t to)
{
    if (h->n == HMF_HISTORY_MOVES)
        memmove(h->move, h->move + 1, --h->n * sizeof h->move[0]);
    h->move[h->n++] = (struct hmf_history_move){at_us, from, to};
}

void hmf_history_decided(struct hmf_history *h, const struct hmf_decision *d)
{
    h->wanted = d->action == HMF_STAY && d->wanted ? h->wanted + 1 : 0;
}

void hmf_policy_options_init(struct hmf_policy_options *o)
{
    *o = (struct hmf_policy_options){.hysteresis = 0.1,
                                     .confirm = 5,
                                     .settle_us = 30e6,
                                     .max_moves = 4,
                                     .window_us = 600e6,
                                     .quarantine_us = 3600e6,
                                     .threshold = 1.5,
                                     .real_time = 1.2,
                                     .margin_us = 1e6,
                                     .rise = 10};
}

void hmf_policy_input_init(struct hmf_policy_input *in, const hmf_graph_t *graph,
                           const struct hmf_history *history,
                           const struct hmf_policy_options *options)
{
    *in = (struct hmf_policy_input){.graph = graph, .history = history, .options = options,
                                    .request = HMF_NO_VERTEX, .home = HMF_NO_VERTEX,
                                    .ends_at_us = INFINITY, .share = 1};
}

/* ---- what policies share ---- */

/* Whether the process left v less than settle_us ago. */
static int just_left(const struct hmf_policy_input *in, size_t v)
{
    for (size_t i = 0; i < in->history->n; i++)
        if (in->history->move[i].from == v &&
            in->now_us - in->history->move[i].at_us < in->options->settle_us)
            return 1;
    return 0;
}

/* Objections that hold even for a process that must leave. */
static const char *hard_objection(const struct hmf_policy_input *in, size_t v)
{
    const struct hmf_vertex *x = hmf_graph_vertex(in->graph, v);

    if (!x)
        return "is no vertex";
    if (v == hmf_graph_active(in->graph))
        return "is where it is";
    if (x->kind == HMF_VERTEX_SERVER)
        return "is a file server";
    if (x->kind == HMF_VERTEX_HOST && x->slots < 1)
        return "has no free place";
    if (x->kind == HMF_VERTEX_HOST && !hmf_vertex_offers(x, in->needs))
        return "lacks what is needed";
    if (in->now_us >= x->suspected_at_us &&
        in->now_us < x->suspected_at_us + in->options->quarantine_us)
        return "is in quarantine";
    if (isinf(hmf_weight_at(&x->weight, in->now_us)))
        return "is not allowed";
    return NULL;
}

const char *hmf_policy_objection(const struct hmf_policy_input *in, size_t v)
{
    const char *why = hard_objection(in, v);

    if (!why && just_left(in, v) &&
        isfinite(hmf_graph_vertex_weight(in->graph, hmf_graph_active(in->graph), in->now_us)))
        why = "was left just before";
    return why;
}

size_t hmf__policy_best(const struct hmf_policy_input *in, unsigned kinds, struct hmf_outlook *o)
{
    struct hmf_outlook x;
    size_t best = HMF_NO_VERTEX;

    for (size_t v = 0; v < hmf_graph_count(in->graph); v++) {
        if (!(kinds & 1u << hmf_graph_vertex(in->graph, v)->kind) || hmf_policy_objection(in, v) ||
            hmf_graph_outlook(in->graph, v, in->now_us, in->remaining_us, &x) ||
            isinf(x.total_us) || (best != HMF_NO_VERTEX && x.total_us >= o->total_us))
            continue;
        best = v;
        *o = x;
    }
    return best;
}

double hmf__policy_stay(const struct hmf_policy_input *in)
{
    struct hmf_outlook o;

    if (hmf_graph_outlook(in->graph, hmf_graph_active(in->graph), in->now_us, in->remaining_us, &o))
        return INFINITY;
    return o.total_us;
}

const char *hmf__policy_name(const struct hmf_policy_input *in, size_t v)
{
    const struct hmf_vertex *x = hmf_graph_vertex(in->graph, v);

    return x ? x->name : "nowhere";
}

const char *hmf__policy_here(const struct hmf_policy_input *in)
{
    return hmf__policy_name(in, hmf_graph_active(in->graph));
}

const char *hmf__policy_time(double us)
{
    static _Thread_local char text[8][24];
    static _Thread_local unsigned next;
    char *t = text[next++ % 8];

    if (isinf(us))
        snprintf(t, sizeof text[0], "infinite");
    else if (fabs(us) < 1000)
        snprintf(t, sizeof text[0], "%.3g us", us);
    else if (fabs(us) < 999.5e3)
        snprintf(t, sizeof text[0], "%.3g ms", us / 1e3);
    else
        snprintf(t, sizeof text[0], "%.4g s", us / 1e6);
    return t;
}

void hmf__policy_say(struct hmf_decision *d, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(d->why, sizeof d->why, fmt, ap);
    va_end(ap);
}

void hmf__policy_go(struct hmf_decision *d, size_t to, const struct hmf_outlook *o)
{
    d->action = HMF_GO;
    d->to = to;
    d->move_us = o->move_us;
    d->go_us = o->total_us;
}

/* ---- the guard ---- */

static void stay(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    d->action = HMF_STAY;
    d->to = hmf_graph_active(in->graph);
    d->must = d->anyway = d->wanted = 0;
}

/* Why the move is not made, in front of the policy's own words. */
static void hold_back(const struct hmf_policy_input *in, struct hmf_decision *d, const char *why)
{
    char said[sizeof d->why];

    memcpy(said, d->why, sizeof said);
    snprintf(d->why, sizeof d->why, "stays, %s (%.120s)", why, said);
    stay(in, d);
}

static void guard(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    const struct hmf_policy_options *o = in->options;
    const char *objection =
        d->must ? hard_objection(in, d->to)
                : d->action == HMF_GO ? hmf_policy_objection(in, d->to) : NULL;
    char why[160];
    size_t recent = 0;

    if (objection && d->action == HMF_GO) {
        snprintf(why, sizeof why, "%s %s", hmf__policy_name(in, d->to), objection);
        hold_back(in, d, why);
        return;
    }
    if (d->must)
        return;
    for (size_t i = 0; i < in->history->n; i++)
        recent += in->now_us - in->history->move[i].at_us < o->window_us;
    double gain = d->stay_us - d->go_us;
    if ((double)recent >= o->max_moves) {
        snprintf(why, sizeof why, "it moved %zu times in %s", recent,
                 hmf__policy_time(o->window_us));
        hold_back(in, d, why);
    } else if (!d->anyway && isfinite(d->stay_us) &&
               (gain < o->hysteresis * d->stay_us || gain < o->min_gain_us)) {
        snprintf(why, sizeof why, "a gain of %s of %s is too small", hmf__policy_time(gain),
                 hmf__policy_time(d->stay_us));
        hold_back(in, d, why);
    } else if (!d->anyway && (double)in->history->wanted + 1 < o->confirm) {
        snprintf(why, sizeof why, "the gain was seen %zu of %g times", in->history->wanted + 1,
                 o->confirm);
        hold_back(in, d, why);
        d->wanted = 1;
    }
}

static hmf_status_t check_answer(const struct hmf_policy *p, const struct hmf_policy_input *in,
                                 struct hmf_decision *d)
{
    size_t n = hmf_graph_count(in->graph), k = 0;

    d->why[sizeof d->why - 1] = '\0';
    if (d->action < HMF_STAY || d->action > HMF_SWAP || (d->action != HMF_STAY && d->to >= n))
        return hmf__fail(HMF_ERR_ARG, "policy %s answers action %d to vertex %zu of %zu", p->name,
                         (int)d->action, d->to, n);
    if (isnan(d->stay_us) || isnan(d->go_us) || isnan(d->move_us))
        return hmf__fail(HMF_ERR_ARG, "policy %s answers with costs that are no numbers", p->name);
    while (d->action == HMF_SWAP && k < in->npeers &&
           (in->peers[k].rank != d->peer || in->peers[k].vertex != d->to))
        k++;
    if (d->action == HMF_SWAP && k == in->npeers)
        return hmf__fail(HMF_ERR_ARG, "policy %s swaps with rank %d on %s, which is not there",
                         p->name, d->peer, hmf__policy_name(in, d->to));
    return HMF_OK;
}

hmf_status_t hmf_policies_decide(const hmf_policies_t *p, const struct hmf_policy_input *in,
                                 struct hmf_decision *out)
{
    struct hmf_decision d, first = {0};
    hmf_status_t rc = HMF_OK;

    memset(out, 0, sizeof *out);
    out->to = HMF_NO_VERTEX;
    if (!in->graph || !in->history || !in->options || !hmf_graph_count(in->graph))
        return hmf__fail(HMF_ERR_ARG,
                         "a decision needs a graph with vertices, a history and options");
    for (size_t i = 0; i < p->n; i++) {
        memset(&d, 0, sizeof d);
        stay(in, &d);
        d.stay_us = hmf__policy_stay(in);
        d.go_us = INFINITY;
        if ((rc = p->policy[i].what->decide(in, &d)) ||
            (rc = check_answer(p->policy[i].what, in, &d)))
            break;
        if (d.action == HMF_STAY)
            stay(in, &d);
        else
            guard(in, &d);
        char said[sizeof d.why];
        memcpy(said, d.why, sizeof said);
        snprintf(d.why, sizeof d.why, "%.40s: %.190s", p->policy[i].what->name, said);
        /* Of those who stay the first explains, but one that would rather go. */
        if (!i || d.action != HMF_STAY || (d.wanted && !first.wanted))
            first = d;
        if (d.action != HMF_STAY)
            break;
    }
    if (rc) {
        stay(in, out);
        out->stay_us = hmf__policy_stay(in);
        out->go_us = INFINITY;
        snprintf(out->why, sizeof out->why, "stays: %.200s", hmf_error_text());
        return rc;
    }
    *out = first;
    return HMF_OK;
}
