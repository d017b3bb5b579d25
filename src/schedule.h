/* schedule.h - when the job should go to disk by itself: at intervals, and before the batch system
 * ends it.
 *
 * Pure arithmetic on given times; who asks for the checkpoint is the coordinator.  The best interval
 * for a cost C of a checkpoint and a mean time between failures M is J. W. Young's sqrt(2 C M)
 * (CACM 17, 1974), refined by J. T. Daly (Future Generation Computer Systems 22, 2006, eq. 37). */
#ifndef HMF_SCHEDULE_H
#define HMF_SCHEDULE_H

#include <stdint.h>

enum hmf__due { HMF__DUE_NOTHING, HMF__DUE_CHECKPOINT, HMF__DUE_END };

struct hmf__schedule {
    double interval_s;      /* HMF_INTERVAL; 0: none */
    double mtbf_s;          /* HMF_MTBF; 0: unknown. Taken if there is no interval */
    double end_s;           /* when the batch system ends the job, seconds since 1970; 0: never */
    double margin_s;        /* HMF_END_MARGIN: before that, besides the time to write */
    double cost_s;          /* how long the last checkpoint held the job; 0: there was none */
    uint64_t last_ns;       /* the last checkpoint, or the beginning; monotonic clock */
    uint64_t end_asked_ns;  /* when the end was asked for; 0: not yet */
};

/* Reads the settings; what is wrong with them is logged and left out.  `wall_s`: now, seconds since
 * 1970. */
void hmf__schedule_init(struct hmf__schedule *s, uint64_t now_ns, double wall_s);

/* Seconds from one checkpoint's end to the next one's begin that cost least in the long run. */
double hmf__schedule_best(double cost_s, double mtbf_s);

/* What is due next and in how many ns; 0: now. */
enum hmf__due hmf__schedule_next(const struct hmf__schedule *s, uint64_t now_ns, double wall_s,
                                 uint64_t *in_ns);

/* A checkpoint was begun, and one has held the job for so long. */
void hmf__schedule_begun(struct hmf__schedule *s, uint64_t now_ns);
void hmf__schedule_taken(struct hmf__schedule *s, uint64_t now_ns, uint64_t held_ns);

#endif
