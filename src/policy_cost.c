/* Policies that compare costs: none, manual, threshold, least-cost, balance, swap, home. */
#include "config.h"

#include "policy_priv.h"

#include <math.h>

hmf_status_t hmf__policy_none(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    hmf__policy_say(d, "stays on %s, as always", hmf__policy_here(in));
    return HMF_OK;
}

/* The operator's word goes before every gain; an infinite weight does not yield to it. */
hmf_status_t hmf__policy_manual(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    struct hmf_outlook o;

    if (in->request == HMF_NO_VERTEX || in->request == hmf_graph_active(in->graph)) {
        hmf__policy_say(d, "stays on %s, nobody asked for a move", hmf__policy_here(in));
    } else if (hmf_graph_outlook(in->graph, in->request, in->now_us, in->remaining_us, &o)) {
        hmf__policy_say(d, "stays on %s, no way leads to %s", hmf__policy_here(in),
                        hmf__policy_name(in, in->request));
    } else {
        hmf__policy_go(d, in->request, &o);
        d->must = 1;
        hmf__policy_say(d, "goes from %s to %s as asked, the move costs %s", hmf__policy_here(in),
                        hmf__policy_name(in, in->request), hmf__policy_time(o.move_us));
    }
    return HMF_OK;
}

hmf_status_t hmf__policy_least_cost(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    struct hmf_outlook o;
    size_t v = hmf__policy_best(in, HMF__HOSTS, &o);

    if (v == HMF_NO_VERTEX) {
        hmf__policy_say(d, "stays on %s for %s, there is no other place", hmf__policy_here(in),
                        hmf__policy_time(d->stay_us));
    } else if (o.total_us < d->stay_us) {
        hmf__policy_go(d, v, &o);
        d->must = isinf(d->stay_us) && isinf(hmf_graph_vertex_weight(
                                           in->graph, hmf_graph_active(in->graph), in->now_us));
        hmf__policy_say(d, "%s costs %s, %s costs %s with a move of %s", hmf__policy_here(in),
                        hmf__policy_time(d->stay_us), hmf__policy_name(in, v),
                        hmf__policy_time(o.total_us), hmf__policy_time(o.move_us));
    } else {
        d->go_us = o.total_us;
        d->move_us = o.move_us;
        hmf__policy_say(d,
                        "stays on %s for %s, the best other place is %s for %s with a move of %s",
                        hmf__policy_here(in), hmf__policy_time(d->stay_us), hmf__policy_name(in, v),
                        hmf__policy_time(o.total_us), hmf__policy_time(o.move_us));
    }
    return HMF_OK;
}

hmf_status_t hmf__policy_threshold(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    double w = hmf_graph_vertex_weight(in->graph, hmf_graph_active(in->graph), in->now_us);

    if (w > in->options->threshold)
        return hmf__policy_least_cost(in, d);
    hmf__policy_say(d, "stays on %s, its weight %.3g is within %.3g", hmf__policy_here(in), w,
                    in->options->threshold);
    return HMF_OK;
}

/* The least loaded host, ours counted where it would be; the active one's load has ours already. */
hmf_status_t hmf__policy_balance(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    const struct hmf_vertex *here = hmf_graph_vertex(in->graph, hmf_graph_active(in->graph));
    double mine = fmax(1, here->load) / (here->cores * here->speed), least = mine;
    size_t best = HMF_NO_VERTEX;
    struct hmf_outlook o;

    for (size_t v = 0; v < hmf_graph_count(in->graph); v++) {
        const struct hmf_vertex *x = hmf_graph_vertex(in->graph, v);
        double there = (x->load + 1) / (x->cores * x->speed);
        if (x->kind == HMF_VERTEX_HOST && there < least && !hmf_policy_objection(in, v)) {
            least = there;
            best = v;
        }
    }
    if (best == HMF_NO_VERTEX ||
        hmf_graph_outlook(in->graph, best, in->now_us, in->remaining_us, &o)) {
        hmf__policy_say(d, "stays on %s, load %.3g per core and speed, no host would have less",
                        here->name, mine);
        return HMF_OK;
    }
    hmf__policy_go(d, best, &o);
    hmf__policy_say(d, "%s has load %.3g per core and speed, %s would have %.3g; costs %s and %s",
                    here->name, mine, hmf__policy_name(in, best), least,
                    hmf__policy_time(d->stay_us), hmf__policy_time(o.total_us));
    return HMF_OK;
}

/* Ranks wait for each other, so the slower of the two is what counts, before and after. */
hmf_status_t hmf__policy_swap(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    size_t here = hmf_graph_active(in->graph);
    double w = hmf_graph_vertex_weight(in->graph, here, in->now_us), before = 0;
    const struct hmf_policy_peer *best = NULL;

    for (size_t k = 0; k < in->npeers; k++) {
        const struct hmf_policy_peer *p = &in->peers[k];
        const struct hmf_vertex *x = hmf_graph_vertex(in->graph, p->vertex);
        if (!x || p->vertex == here || !hmf_vertex_offers(x, in->needs) || isinf(p->weight))
            continue;
        double move = hmf_graph_edge_weight(in->graph, here, p->vertex) +
                      hmf_graph_edge_weight(in->graph, p->vertex, here);
        double now = fmax(in->share * w, p->share * p->weight) * in->remaining_us;
        double after = fmax(in->share * p->weight, p->share * w) * in->remaining_us + move;
        if (after < now && after < d->go_us) {
            best = p;
            before = now;
            d->go_us = after;
            d->move_us = move;
        }
    }
    if (!best) {
        hmf__policy_say(d, "stays on %s, no exchange among %zu ranks gains anything",
                        hmf__policy_here(in), in->npeers);
        return HMF_OK;
    }
    d->action = HMF_SWAP;
    d->to = best->vertex;
    d->peer = best->rank;
    d->stay_us = before;
    hmf__policy_say(d,
                    "with rank %d on %s: shares %.3g and %.3g, weights %.3g and %.3g, %s as it is, "
                    "%s exchanged",
                    best->rank, hmf__policy_name(in, best->vertex), in->share, best->share, w,
                    best->weight, hmf__policy_time(before), hmf__policy_time(d->go_us));
    return HMF_OK;
}

/* Home is gone back to when it costs no more than staying: the gain is that the guest has left. */
hmf_status_t hmf__policy_home(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    struct hmf_outlook o;
    const char *why;

    if (in->home == HMF_NO_VERTEX || in->home == hmf_graph_active(in->graph)) {
        hmf__policy_say(d, "stays on %s, it is at home", hmf__policy_here(in));
    } else if ((why = hmf_policy_objection(in, in->home))) {
        hmf__policy_say(d, "stays on %s, its home %s %s", hmf__policy_here(in),
                        hmf__policy_name(in, in->home), why);
    } else if (hmf_graph_outlook(in->graph, in->home, in->now_us, in->remaining_us, &o)) {
        hmf__policy_say(d, "stays on %s, no way leads home to %s", hmf__policy_here(in),
                        hmf__policy_name(in, in->home));
    } else if (o.total_us <= d->stay_us) {
        hmf__policy_go(d, in->home, &o);
        d->anyway = 1;
        hmf__policy_say(d, "%s costs %s, home %s only %s", hmf__policy_here(in),
                        hmf__policy_time(d->stay_us), hmf__policy_name(in, in->home),
                        hmf__policy_time(o.total_us));
    } else {
        d->go_us = o.total_us;
        hmf__policy_say(d, "stays on %s for %s, home %s would cost %s", hmf__policy_here(in),
                        hmf__policy_time(d->stay_us), hmf__policy_name(in, in->home),
                        hmf__policy_time(o.total_us));
    }
    return HMF_OK;
}
