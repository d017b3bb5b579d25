/* Policies of what a phase of the process needs: affinity, real-time. */
#include "config.h"

#include "policy_priv.h"

/* Only hosts that have the resources are finite: a candidate without them has an objection. */
hmf_status_t hmf__policy_affinity(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    const struct hmf_vertex *here = hmf_graph_vertex(in->graph, hmf_graph_active(in->graph));
    struct hmf_outlook o;
    size_t v;

    if (!in->needs || !in->needs[0]) {
        hmf__policy_say(d, "stays on %s, nothing special is needed", here->name);
    } else if (hmf_vertex_offers(here, in->needs)) {
        hmf__policy_say(d, "stays on %s, which has %s", here->name, in->needs);
    } else if ((v = hmf__policy_best(in, HMF__HOSTS, &o)) == HMF_NO_VERTEX) {
        hmf__policy_say(d, "stays on %s, no free host has %s", here->name, in->needs);
    } else {
        hmf__policy_go(d, v, &o);
        d->must = 1;
        hmf__policy_say(d, "leaves %s, which lacks %s, for %s: the move costs %s, the rest %s",
                        here->name, in->needs, hmf__policy_name(in, v), hmf__policy_time(o.move_us),
                        hmf__policy_time(o.run_us));
    }
    return HMF_OK;
}

/* In the phase the weight counts, not what the move costs. */
hmf_status_t hmf__policy_real_time(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    size_t here = hmf_graph_active(in->graph), best = HMF_NO_VERTEX;
    const struct hmf_vertex *at = hmf_graph_vertex(in->graph, here);
    double w = hmf_graph_vertex_weight(in->graph, here, in->now_us), least = in->options->real_time;
    struct hmf_outlook o, x;

    if (!in->real_time) {
        hmf__policy_say(d, "stays on %s, this is no real-time phase", at->name);
        return HMF_OK;
    }
    if (at->real_time && w <= least) {
        hmf__policy_say(d, "stays on %s, which is fit for it, weight %.3g within %.3g", at->name, w,
                        least);
        return HMF_OK;
    }
    for (size_t v = 0; v < hmf_graph_count(in->graph); v++) {
        double there = hmf_graph_vertex_weight(in->graph, v, in->now_us);
        if (!hmf_graph_vertex(in->graph, v)->real_time || hmf_policy_objection(in, v) ||
            there > least || (there == least && best != HMF_NO_VERTEX) ||
            hmf_graph_outlook(in->graph, v, in->now_us, in->remaining_us, &x))
            continue;
        least = there;
        best = v;
        o = x;
    }
    if (best == HMF_NO_VERTEX) {
        hmf__policy_say(d, "stays on %s, weight %.3g, no host fit for real time is within %.3g",
                        at->name, w, in->options->real_time);
        return HMF_OK;
    }
    hmf__policy_go(d, best, &o);
    d->must = 1;
    hmf__policy_say(d, "leaves %s, weight %.3g%s, for %s, weight %.3g: the move costs %s", at->name,
                    w, at->real_time ? "" : " and not fit for real time",
                    hmf__policy_name(in, best), least, hmf__policy_time(o.move_us));
    return HMF_OK;
}
