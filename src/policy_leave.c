/* Policies of leaving in time: first-response, eviction, degradation, disk. */
#include "config.h"

#include "policy_priv.h"

#include <math.h>

static double weight_here(const struct hmf_policy_input *in)
{
    return hmf_graph_vertex_weight(in->graph, hmf_graph_active(in->graph), in->now_us);
}

/* Whether the active vertex may not be used any more, or will not be soon. */
static int must_leave(const struct hmf_policy_input *in)
{
    return isinf(weight_here(in)) || in->ends_at_us - in->now_us <= in->options->margin_us;
}

/* There is no time to compare: who answered first is taken for the least loaded. */
hmf_status_t hmf__policy_first_response(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    struct hmf_outlook o, x;
    size_t best = HMF_NO_VERTEX;

    if (!must_leave(in) && isinf(in->ends_at_us)) {
        hmf__policy_say(d, "stays on %s, it need not be left", hmf__policy_here(in));
        return HMF_OK;
    }
    for (size_t v = 0; v < hmf_graph_count(in->graph); v++) {
        const struct hmf_vertex *at = hmf_graph_vertex(in->graph, v);
        if (at->kind != HMF_VERTEX_HOST || hmf_policy_objection(in, v) ||
            hmf_graph_outlook(in->graph, v, in->now_us, in->remaining_us, &x))
            continue;
        double now = at->response_us;
        double then = best == HMF_NO_VERTEX ? 0 : hmf_graph_vertex(in->graph, best)->response_us;
        if (best == HMF_NO_VERTEX || now < then || (now == then && x.move_us < o.move_us)) {
            best = v;
            o = x;
        }
    }
    if (best == HMF_NO_VERTEX) {
        hmf__policy_say(d, "must leave %s, and no host accepts", hmf__policy_here(in));
        return HMF_OK;
    }
    hmf__policy_go(d, best, &o);
    d->must = 1;
    hmf__policy_say(d, "must leave %s, %s answered first in %s, the move costs %s",
                    hmf__policy_here(in), hmf__policy_name(in, best),
                    hmf__policy_time(hmf_graph_vertex(in->graph, best)->response_us),
                    hmf__policy_time(o.move_us));
    return HMF_OK;
}

/* To the cheapest host; without one, to the disk. */
static hmf_status_t leave(const struct hmf_policy_input *in, struct hmf_decision *d,
                          const char *reason)
{
    struct hmf_outlook o;
    size_t v = hmf__policy_best(in, HMF__HOSTS, &o);

    if (v == HMF_NO_VERTEX)
        v = hmf__policy_best(in, HMF__DISKS, &o);
    if (v == HMF_NO_VERTEX) {
        hmf__policy_say(d, "must leave %s, %s, and there is no other place", hmf__policy_here(in),
                        reason);
        return HMF_OK;
    }
    hmf__policy_go(d, v, &o);
    d->must = 1;
    hmf__policy_say(d, "leaves %s, %s, for %s: the move costs %s, the rest %s",
                    hmf__policy_here(in), reason, hmf__policy_name(in, v),
                    hmf__policy_time(o.move_us), hmf__policy_time(o.run_us));
    return HMF_OK;
}

hmf_status_t hmf__policy_eviction(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    double w = weight_here(in);

    if (isinf(w) && hmf_graph_vertex(in->graph, hmf_graph_active(in->graph))->kind ==
                        HMF_VERTEX_HOST)
        return leave(in, d, "whose weight is infinite");
    hmf__policy_say(d, "stays on %s, its weight is %.3g", hmf__policy_here(in), w);
    return HMF_OK;
}

/* From the notice on the weight rises at a constant rate, to (1 + rise) times itself at the end. It
 * leaves when that exceeds the weight elsewhere by the hysteresis, and in any case when only the
 * move and the margin fit before the end. */
hmf_status_t hmf__policy_degradation(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    const struct hmf_policy_options *p = in->options;
    double w = weight_here(in), left = in->ends_at_us - in->now_us;
    struct hmf_outlook o;
    size_t v;

    if (isinf(in->ends_at_us)) {
        hmf__policy_say(d, "stays on %s, no end of it is known", hmf__policy_here(in));
        return HMF_OK;
    }
    v = hmf__policy_best(in, HMF__HOSTS, &o);
    if (v == HMF_NO_VERTEX)
        v = hmf__policy_best(in, HMF__DISKS, &o);
    if (v == HMF_NO_VERTEX) {
        hmf__policy_say(d, "must leave %s in %s, and there is no other place", hmf__policy_here(in),
                        hmf__policy_time(left));
        return HMF_OK;
    }
    if (in->remaining_us * w <= left) {
        d->go_us = o.total_us;
        hmf__policy_say(d, "stays on %s, the work ends in %s, before %s does in %s",
                        hmf__policy_here(in), hmf__policy_time(in->remaining_us * w),
                        hmf__policy_here(in), hmf__policy_time(left));
        return HMF_OK;
    }
    double span = in->ends_at_us - in->notice_us;
    double part = span > 0 ? fmin(1, (in->now_us - in->notice_us) / span) : 1;
    double risen = w * (1 + p->rise * part),
           there = hmf_graph_vertex_weight(in->graph, v, in->now_us);
    if (left <= o.move_us + p->margin_us || risen >= there * (1 + p->hysteresis)) {
        hmf__policy_go(d, v, &o);
        d->must = 1;
        hmf__policy_say(
            d,
            "leaves %s, which ends in %s, for %s: weight risen to %.3g, there %.3g, the "
            "move costs %s",
            hmf__policy_here(in), hmf__policy_time(left), hmf__policy_name(in, v), risen, there,
            hmf__policy_time(o.move_us));
        return HMF_OK;
    }
    d->go_us = o.total_us;
    d->move_us = o.move_us;
    hmf__policy_say(d, "stays on %s, which ends in %s: weight risen to %.3g, on %s it is %.3g",
                    hmf__policy_here(in), hmf__policy_time(left), risen, hmf__policy_name(in, v),
                    there);
    return HMF_OK;
}

/* Every host above the limit is as if infinite; then the disk is what remains.  Back when one is
 * below the limit by the hysteresis. */
hmf_status_t hmf__policy_disk(const struct hmf_policy_input *in, struct hmf_decision *d)
{
    const struct hmf_policy_options *p = in->options;
    size_t here = hmf_graph_active(in->graph), v;
    int waiting = hmf_graph_vertex(in->graph, here)->kind == HMF_VERTEX_DISK;
    double limit = p->threshold * (waiting ? 1 - p->hysteresis : 1), least = INFINITY;
    struct hmf_outlook o;

    if (!waiting)
        least = weight_here(in);
    for (v = 0; v < hmf_graph_count(in->graph); v++)
        if (hmf_graph_vertex(in->graph, v)->kind == HMF_VERTEX_HOST && !hmf_policy_objection(in, v))
            least = fmin(least, hmf_graph_vertex_weight(in->graph, v, in->now_us));
    if (waiting && least <= limit && (v = hmf__policy_best(in, HMF__HOSTS, &o)) != HMF_NO_VERTEX) {
        hmf__policy_go(d, v, &o);
        d->anyway = 1;
        hmf__policy_say(d, "goes from %s to %s, weights are down to %.3g", hmf__policy_here(in),
                        hmf__policy_name(in, v), least);
    } else if (!waiting && least > limit &&
               (v = hmf__policy_best(in, HMF__DISKS, &o)) != HMF_NO_VERTEX) {
        hmf__policy_go(d, v, &o);
        d->anyway = 1;
        hmf__policy_say(d, "goes from %s to %s, the least weight of a host is %.3g, above %.3g",
                        hmf__policy_here(in), hmf__policy_name(in, v), least, limit);
    } else {
        hmf__policy_say(d, "stays on %s, the least weight of a host is %.3g, the limit %.3g",
                        hmf__policy_here(in), least, limit);
    }
    return HMF_OK;
}
