/* Weights of vertices as functions of time: value, integral, and the time that work takes.  All in
 * closed form, so that a decision costs the same whatever the horizon is. */
#include "config.h"

#include "hmf/graph.h"

#include <math.h>

struct hmf_weight hmf_weight_constant(double w)
{
    return (struct hmf_weight){w, 0, 0, INFINITY, INFINITY};
}

/* Without the infinite part. */
static double finite_part(const struct hmf_weight *w, double t)
{
    return w->base + (t > w->rise_from_us ? w->rise_per_us * (t - w->rise_from_us) : 0);
}

double hmf_weight_at(const struct hmf_weight *w, double t_us)
{
    if (t_us >= w->infinite_from_us && t_us < w->infinite_until_us)
        return INFINITY;
    return finite_part(w, t_us);
}

double hmf_weight_cost(const struct hmf_weight *w, double from_us, double duration_us)
{
    double to = from_us + duration_us, rising;

    if (!(duration_us > 0))
        return 0;
    if (isinf(w->base) || (from_us < w->infinite_until_us && to > w->infinite_from_us))
        return INFINITY;
    if (isinf(duration_us))
        return w->base > 0 || w->rise_per_us > 0 ? INFINITY : 0;
    rising = fmax(0, to - fmax(from_us, w->rise_from_us));
    double start = fmax(0, from_us - w->rise_from_us); /* how long it had risen at `from` */
    return w->base * duration_us + w->rise_per_us * rising * (start + rising / 2);
}

/* From t on with nothing infinite in the way: the duration for `work`. */
static double run(const struct hmf_weight *w, double t, double work)
{
    double spent = 0;

    if (t < w->rise_from_us || w->rise_per_us == 0) {
        double first = w->rise_per_us == 0 ? INFINITY : w->rise_from_us - t;
        if (w->base * work <= first)
            return w->base * work;
        work -= first / w->base;
        t = w->rise_from_us;
        spent = first;
    }
    /* dx = dt / (a + r t)  =>  t = a (e^(r x) - 1) / r; from weight 0 it would never get going
     * by this formula, though work at weight 0 takes no time. */
    double a = finite_part(w, t);
    return a > 0 ? spent + a * expm1(w->rise_per_us * work) / w->rise_per_us : spent;
}

/* How much gets done from t during d. */
static double done(const struct hmf_weight *w, double t, double d)
{
    double flat = w->rise_per_us == 0 ? d : fmin(d, fmax(0, w->rise_from_us - t));
    double work = flat > 0 ? flat / w->base : 0;

    if (d > flat)
        work += log(finite_part(w, t + d) / finite_part(w, t + flat)) / w->rise_per_us;
    return work;
}

double hmf_weight_elapsed(const struct hmf_weight *w, double from_us, double work_us)
{
    double t = from_us;

    if (!(work_us > 0))
        return 0;
    if (isinf(w->base) || isinf(work_us))
        return INFINITY;
    if (t < w->infinite_from_us) {
        double d = run(w, t, work_us);
        if (t + d <= w->infinite_from_us)
            return d;
        work_us -= done(w, t, w->infinite_from_us - t);
        t = w->infinite_from_us;
    }
    if (t < w->infinite_until_us)
        t = w->infinite_until_us;
    return isinf(t) ? INFINITY : t - from_us + run(w, t, work_us);
}
