/* monitor.h - what each agent sees of its process and host, and tells the coordinator once in a
 * while.
 *
 * Exists only if HMF_POLICY asks for decisions.  Samples go up the tree of the ranks (agent.h), each
 * agent adding its own to those that came from below; spares and processes that have left send
 * theirs to the coordinator.  Of the processes of a host one looks at the host: the lowest that
 * lives.  What follows from samples is decide.h's.  Agent thread only. */
#ifndef HMF_MONITOR_H
#define HMF_MONITOR_H

#include "monitor_host.h"
#include "progress.h"

struct hmf__agent;
struct hmf__monitor;

struct hmf__sample {
    int32_t proc, rank;         /* rank -1: it holds none */
    /* Since the sample before, in whole iterations; all 0 while there was none. */
    uint64_t polls;
    double span_s;              /* time between the first and the last of these polls */
    double wait_s;              /* part of it that was inside MPI */
    /* Since the sample before. */
    double part_cpu;            /* of the time the main thread was on a CPU */
    double part_delay;          /* ... it could have run, but had none; the kernel adds a wait when it
                                   is over, so this may be above 1 after too little */
    double part_throttled;      /* ... its control group was denied the CPU; NAN: not known */
    double late_s;              /* how much later than it wanted to the agent woke up */
    double memory;              /* of the rank's state, bytes, about */
    bool bound;                 /* it may use less than half of the host's cores */
    bool has_host;
    struct hmf__host_sample host;
};

/* 1 if HMF_POLICY wants decisions (not "none", not "manual"). */
int hmf__monitor_wanted(void);

/* Called by the main thread before the agent's thread starts; the calling thread is the one that is
 * watched, from hmf__monitor_watch on. */
hmf_status_t hmf__monitor_new(struct hmf__monitor **out);
void hmf__monitor_free(struct hmf__monitor *m);
void hmf__monitor_watch(struct hmf__monitor *m);    /* NULL: no more */

/* Seconds between samples (HMF_MONITOR_INTERVAL). */
double hmf__monitor_interval(const struct hmf__monitor *m);

/* In how many ms to tick again; -1: m is NULL. */
int hmf__monitor_timer(const struct hmf__monitor *m, uint64_t now_ns);
void hmf__monitor_tick(struct hmf__agent *a, uint64_t now_ns);

/* Samples from below. */
void hmf__monitor_pass(struct hmf__agent *a, struct hmf__buf *in);

void hmf__sample_put(struct hmf__buf *out, const struct hmf__sample *s);
/* HMF_ERR_FORMAT: damaged, or a process or rank that is not there. */
hmf_status_t hmf__sample_get(struct hmf__buf *in, int nprocs, int nranks, struct hmf__sample *s);

#endif
