/* monitor_slow.h - which ranks are slow, told from how long they compute per iteration.
 *
 * Two things that are not slowness look like it: ranks whose share of the work is larger, and
 * phases in which all ranks have more to do.  So a rank is compared with its own past and with the
 * others at the same time: with y = log(time computed per iteration), the residual of rank i is
 *
 *   e_i = y_i - base_i - c        base_i: what it usually takes more than the others
 *                                 c: median over the ranks of y - base, this round's phase
 *
 * and its sum  S = max(0, S + e - k)  (E. S. Page, Continuous inspection schemes, Biometrika 41,
 * 1954: CUSUM) raises the alarm at h.  k is half the shift to find, log 1.2.  The noise is known
 * by the median absolute deviation, which the slow ones do not spoil; what one round adds is
 * limited, so that one hiccup of the system is no alarm; k and h grow with the noise.
 *
 * A third thing: the work of one rank grows.  Then it also uses more CPU time per iteration, which
 * a rank that is throttled, stopped or shares its core does not.  A slower clock looks the same as
 * more work, unless something is known of the place (all ranks there are slow, it is hot): the
 * caller says so. */
#ifndef HMF_MONITOR_SLOW_H
#define HMF_MONITOR_SLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "hmf/status.h"

enum { HMF__SLOW_WARM = 8, HMF__SLOW_RECENT = 5, HMF__SLOW_NOISE = 256 };

struct hmf__slow_rank {
    int nfirst;                         /* rounds of the beginning that were seen */
    double first[HMF__SLOW_WARM], first_cpu[HMF__SLOW_WARM];
    double base, base_cpu;              /* NAN base_cpu: the CPU time is not known */
    double sum, below;                  /* S, and the same for being faster than usual */
    int waited;                         /* rounds with an alarm that growing work explains */
    int nrecent;                        /* rounds; the ring holds the last ones */
    double recent[HMF__SLOW_RECENT], recent_cpu[HMF__SLOW_RECENT];
    bool slow;
    unsigned long heavier;              /* how often its work grew */
};

struct hmf__slow {
    int n;
    struct hmf__slow_rank *rank;
    double noise[HMF__SLOW_NOISE];      /* |e| of those that are not slow */
    unsigned long nnoise, rounds;
    double sigma;
    double *scratch;                    /* n, at least HMF__SLOW_NOISE */
};

hmf_status_t hmf__slow_init(struct hmf__slow *s, int n);
void hmf__slow_fini(struct hmf__slow *s);

/* Rank i is somewhere else now: what it usually takes is learned anew. */
void hmf__slow_forget(struct hmf__slow *s, int i);

/* One round.  busy[i]: seconds that rank i computed per iteration, NAN: nothing new; cpu[i]: CPU
 * seconds of it, NAN: not known; ill[i]: something else says that its place is bad (NULL: nothing
 * does); excuse[i]: seconds per iteration that have another reason, in so far as it took longer (NULL:
 * none). */
void hmf__slow_round(struct hmf__slow *s, const double *busy, const double *cpu,
                     const double *excuse, const bool *ill);

/* How many times as long as usual an iteration takes; 1: it is not slow. */
double hmf__slow_factor(const struct hmf__slow *s, int i);

/* Median of its last residuals, alarm or not: near 0 for one that is as always. */
double hmf__slow_residual(const struct hmf__slow *s, int i);

#endif
