/* monitor_slow.c - which ranks are slow (see monitor_slow.h for the method). */
#include "config.h"

#include "monitor_slow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

#define SHIFT 0.18232155679395462       /* log 1.2: what is to be found */
#define SIGMA_MIN 0.01
#define LEARN 0.02                      /* how fast a slow drift becomes usual */
#define SAME 0.7                        /* so much of the growth in CPU time: it is work */

hmf_status_t hmf__slow_init(struct hmf__slow *s, int n)
{
    size_t cap = n > HMF__SLOW_NOISE ? (size_t)n : HMF__SLOW_NOISE;

    memset(s, 0, sizeof *s);
    s->rank = hmf__calloc((size_t)n, sizeof *s->rank);
    s->scratch = hmf__calloc(cap, sizeof *s->scratch);
    if (!s->rank || !s->scratch) {
        hmf__slow_fini(s);
        return hmf__fail(HMF_ERR_NOMEM, "no memory to watch the progress of %d ranks", n);
    }
    s->n = n;
    s->sigma = SIGMA_MIN;
    return HMF_OK;
}

void hmf__slow_fini(struct hmf__slow *s)
{
    hmf__free(s->rank);
    hmf__free(s->scratch);
    s->rank = NULL;
    s->scratch = NULL;
    s->n = 0;
}

void hmf__slow_forget(struct hmf__slow *s, int i)
{
    unsigned long heavier = s->rank[i].heavier;

    s->rank[i] = (struct hmf__slow_rank){.heavier = heavier};
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The lower one of two in the middle: of two ranks the faster is as it should be.  NAN of none. */
static double median(double *v, int n)
{
    if (!n)
        return NAN;
    qsort(v, (size_t)n, sizeof *v, ascending);
    return v[(n - 1) / 2];
}

static double median_of(const double *v, int n)
{
    double copy[HMF__SLOW_RECENT > HMF__SLOW_WARM ? HMF__SLOW_RECENT : HMF__SLOW_WARM];

    memcpy(copy, v, (size_t)n * sizeof *v);
    return median(copy, n);
}

static bool usable(double v)
{
    return isfinite(v) && v > 0;
}

/* What all ranks have in common this round: relative to their bases if those are known. */
static double common(struct hmf__slow *s, const double *v, bool cpu)
{
    int n = 0, warm = 0;

    for (int i = 0; i < s->n; i++)
        warm += s->rank[i].nfirst >= HMF__SLOW_WARM && usable(v[i]);
    for (int i = 0; i < s->n; i++) {
        const struct hmf__slow_rank *r = &s->rank[i];
        bool known = r->nfirst >= HMF__SLOW_WARM;
        double base = known ? cpu ? r->base_cpu : r->base : 0;
        if (usable(v[i]) && known == (warm > 0) && isfinite(base))
            s->scratch[n++] = log(v[i]) - base;
    }
    /* With one rank there is nothing to compare with but its own past. */
    return s->n < 2 ? 0 : median(s->scratch, n);
}

static void learn(struct hmf__slow_rank *r, double e, double e_cpu)
{
    r->first[r->nfirst] = e;
    r->first_cpu[r->nfirst] = e_cpu;
    if (++r->nfirst < HMF__SLOW_WARM)
        return;
    r->base = median_of(r->first, HMF__SLOW_WARM);
    r->base_cpu = 0;
    for (int k = 0; k < HMF__SLOW_WARM; k++)
        if (!isfinite(r->first_cpu[k]))
            r->base_cpu = NAN;
    if (isfinite(r->base_cpu))
        r->base_cpu = median_of(r->first_cpu, HMF__SLOW_WARM);
}

static double recent(const struct hmf__slow_rank *r, const double *ring)
{
    int n = r->nrecent < HMF__SLOW_RECENT ? r->nrecent : HMF__SLOW_RECENT;

    for (int k = 0; k < n; k++)
        if (!isfinite(ring[k]))
            return NAN;
    return n ? median_of(ring, n) : 0;
}

/* What it does now is usual from now on. */
static void accept(struct hmf__slow_rank *r)
{
    double cpu = recent(r, r->recent_cpu);

    r->base += recent(r, r->recent);
    r->base_cpu += isfinite(cpu) ? cpu : 0;
    r->sum = r->below = 0;
    r->waited = 0;
    r->nrecent = 0;
}

static void judge(struct hmf__slow *s, struct hmf__slow_rank *r, double e, double e_cpu, bool ill)
{
    double k = fmax(SHIFT / 2, s->sigma), h = fmax(0.4, 6 * s->sigma);
    double most = fmax(0.12, 2 * s->sigma);

    r->recent[r->nrecent % HMF__SLOW_RECENT] = e;
    r->recent_cpu[r->nrecent % HMF__SLOW_RECENT] = e_cpu;
    r->nrecent++;
    r->sum = fmax(0, r->sum + fmin(e - k, most));
    r->below = fmax(0, r->below + fmin(-e - k, most));
    if (r->sum > h) {
        double grown = recent(r, r->recent), worked = recent(r, r->recent_cpu);
        bool work = !ill && !r->slow && isfinite(worked) && worked > SAME * grown;
        r->sum = fmin(r->sum, h + 2 * most);
        /* Not at once: its neighbours may turn out to be as slow. */
        if (work && ++r->waited > HMF__SLOW_WARM) {
            accept(r);
            r->heavier++;
        }
        r->slow |= !work;
    } else if (r->sum == 0) {
        r->slow = false;
        r->waited = 0;
    }
    if (r->below > h && !r->slow && r->nrecent >= HMF__SLOW_RECENT)
        accept(r);                         /* less work, or a better place than it had */
    if (!r->slow && r->sum < h / 4) {
        double limit = 2 * s->sigma;
        r->base += LEARN * fmax(-limit, fmin(limit, e));
        if (isfinite(e_cpu))
            r->base_cpu += LEARN * fmax(-limit, fmin(limit, e_cpu));
    }
}

static void note_noise(struct hmf__slow *s, double e)
{
    s->noise[s->nnoise++ % HMF__SLOW_NOISE] = fabs(e);
}

static void measure_noise(struct hmf__slow *s)
{
    int n = s->nnoise < HMF__SLOW_NOISE ? (int)s->nnoise : HMF__SLOW_NOISE;

    if (n < 2 * HMF__SLOW_WARM || (s->rounds % 8 && s->rounds > 4 * HMF__SLOW_WARM))
        return;
    memcpy(s->scratch, s->noise, (size_t)n * sizeof *s->noise);
    s->sigma = fmax(SIGMA_MIN, 1.4826 * median(s->scratch, n));
}

void hmf__slow_round(struct hmf__slow *s, const double *busy, const double *cpu,
                     const double *excuse, const bool *ill)
{
    double c = common(s, busy, false), c_cpu = common(s, cpu, true);

    for (int i = 0; i < s->n; i++) {
        struct hmf__slow_rank *r = &s->rank[i];
        double e, e_cpu;
        if (!usable(busy[i]) || !isfinite(c))
            continue;
        e = log(busy[i]) - c;
        e_cpu = usable(cpu[i]) && isfinite(c_cpu) ? log(cpu[i]) - c_cpu : NAN;
        if (r->nfirst < HMF__SLOW_WARM) {
            learn(r, e, e_cpu);
            if (r->nfirst == HMF__SLOW_WARM)
                for (int k = 0; k < HMF__SLOW_WARM; k++)
                    note_noise(s, r->first[k] - r->base);
            continue;
        }
        if (!r->slow)
            note_noise(s, e - r->base);
        if (excuse && excuse[i] > 0 && e > r->base) {
            double usual = exp(c + r->base);
            e = r->base + log(fmax(usual, busy[i] - excuse[i]) / usual);
        }
        judge(s, r, e - r->base, e_cpu - r->base_cpu, ill && ill[i]);
    }
    s->rounds++;
    measure_noise(s);
}

double hmf__slow_residual(const struct hmf__slow *s, int i)
{
    return recent(&s->rank[i], s->rank[i].recent);
}

double hmf__slow_factor(const struct hmf__slow *s, int i)
{
    return s->rank[i].slow ? fmax(1, exp(hmf__slow_residual(s, i))) : 1;
}
