/* schedule.c - when the job should go to disk by itself (see schedule.h). */
#include "config.h"

#include "schedule.h"

#include <math.h>
#include <string.h>

#include "base.h"

#define UNKNOWN_COST_S 1.0
#define AGAIN_S 10.0            /* the end is asked for again when it did not come to pass */
#define LONGEST_S 1e9

static double seconds(const char *name, double lo, double hi)
{
    double v;

    if (hmf__param_double(name, lo, hi, 0, &v)) {
        hmf__log(HMF__LOG_ERROR, "%s: doing without", hmf_error_text());
        return 0;
    }
    return v;
}

void hmf__schedule_init(struct hmf__schedule *s, uint64_t now_ns, double wall_s)
{
    memset(s, 0, sizeof *s);
    s->last_ns = now_ns;
    s->interval_s = seconds("HMF_INTERVAL", 0, LONGEST_S);
    s->mtbf_s = seconds("HMF_MTBF", 0, LONGEST_S);
    s->end_s = seconds("HMF_END_TIME", 0, 1e11);
    if (s->end_s == 0)
        s->end_s = seconds("SLURM_JOB_END_TIME", 0, 1e11);
    if (hmf__param_double("HMF_END_MARGIN", 0, LONGEST_S, 60, &s->margin_s)) {
        hmf__log(HMF__LOG_ERROR, "%s: taking 60", hmf_error_text());
        s->margin_s = 60;
    }
    if (s->end_s > 0 && s->end_s <= wall_s) {
        hmf__log(HMF__LOG_WARN, "the job's time limit is over already (%.0f s ago): it is not looked at",
                 wall_s - s->end_s);
        s->end_s = 0;
    } else if (s->end_s > 0 && s->margin_s > (s->end_s - wall_s) / 2) {
        /* A job that ends at once, is started again and ends at once would never get anywhere. */
        s->margin_s = (s->end_s - wall_s) / 10;
        hmf__log(HMF__LOG_INFO, "the job ends in %.0f s: the last checkpoint begins %.0f s before",
                 s->end_s - wall_s, s->margin_s);
    }
}

double hmf__schedule_best(double cost_s, double mtbf_s)
{
    double x = cost_s / (2 * mtbf_s);

    if (x >= 1)
        return mtbf_s;
    return sqrt(2 * cost_s * mtbf_s) * (1 + sqrt(x) / 3 + x / 9) - cost_s;
}

static double left(uint64_t since_ns, double span_s, uint64_t now_ns)
{
    return span_s - (double)(now_ns - since_ns) * 1e-9;
}

enum hmf__due hmf__schedule_next(const struct hmf__schedule *s, uint64_t now_ns, double wall_s,
                                 uint64_t *in_ns)
{
    enum hmf__due due = HMF__DUE_NOTHING;
    double in_s = LONGEST_S, span = s->interval_s;

    if (span == 0 && s->mtbf_s > 0)
        span = hmf__schedule_best(s->cost_s > 0 ? s->cost_s : UNKNOWN_COST_S, s->mtbf_s);
    if (span > 0) {
        due = HMF__DUE_CHECKPOINT;
        in_s = left(s->last_ns, span, now_ns);
    }
    if (s->end_s > 0) {
        double end_in_s = s->end_s - s->margin_s - 2 * s->cost_s - wall_s;
        if (s->end_asked_ns && left(s->end_asked_ns, AGAIN_S, now_ns) > end_in_s)
            end_in_s = left(s->end_asked_ns, AGAIN_S, now_ns);
        if (end_in_s <= in_s) {
            due = HMF__DUE_END;
            in_s = end_in_s;
        }
    }
    *in_ns = in_s > 0 ? (uint64_t)(in_s * 1e9) : 0;
    return due;
}

void hmf__schedule_begun(struct hmf__schedule *s, uint64_t now_ns)
{
    s->last_ns = now_ns;
}

void hmf__schedule_taken(struct hmf__schedule *s, uint64_t now_ns, uint64_t held_ns)
{
    s->last_ns = now_ns;
    s->cost_s = (double)held_ns * 1e-9;
}
