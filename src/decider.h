/* decider.h - who decides about the moves of which rank (HMF_DECIDER).
 *
 *   central   the coordinator, about all
 *   host      on each host the process with the lowest rank there, about the ranks of its host
 *   self      each process about its own rank
 *
 * Policies are the same functions on the same graph (decide.h) whoever calls them.  What differs is who has the
 * facts: the coordinator collects them in any case, and sends them on as a view, once in an interval, down a tree of
 * the deciders.  Deciders feed their own decide.h with it and ask the coordinator for moves like anybody else; it gives
 * each spare away once, so two that want the same place do no harm.  Who decides follows from where the ranks are,
 * so all know it without a message: a rank that moves takes its office along, or leaves it to the next one on the
 * host.  Who is new in it asks for the state: moves of the past, what is usual for each rank, costs.
 *
 * Agent thread only. */
#ifndef HMF_DECIDER_H
#define HMF_DECIDER_H

#include "agent.h"
#include "monitor.h"

struct hmf__costs;
struct hmf__decide;
struct hmf__decider;

enum hmf__who { HMF__WHO_CENTRAL, HMF__WHO_HOST, HMF__WHO_SELF };

/* Reads HMF_DECIDER.  a's addresses are known.  HMF_ERR_NOMEM. */
hmf_status_t hmf__decider_new(struct hmf__agent *a, struct hmf__decider **out);
void hmf__decider_free(struct hmf__agent *a);

/* The process that decides about the rank; -1: none is alive. */
int hmf__decider_of(const struct hmf__agent *a, int rank);

/* What everybody decides with; the costs are borrowed.  As hmf__decide_new. */
hmf_status_t hmf__decider_decide(const struct hmf__agent *a, const struct hmf__costs *costs,
                                 struct hmf__decide **out);

/* ---- in the coordinator ---- */

/* To be told with the next view; s is as it was counted. */
void hmf__decider_note(struct hmf__agent *a, const struct hmf__sample *s);
/* Something has changed that deciders cannot see, or one of them is new: the next view says all. */
void hmf__decider_news(struct hmf__agent *a);
/* A round of its own, about the ranks that are its own to decide about, and a view for the others.  `state` writes
 * what hmf__decide_get reads after the costs' text. */
int hmf__decider_round(struct hmf__agent *a, struct hmf__decide *d, const struct hmf__costs *costs,
                       const bool *free, uint64_t now_ns, double wall_s, struct hmf__ask *asks, int max);

/* ---- in the others ---- */

void hmf__decider_view(struct hmf__agent *a, struct hmf__buf *in);

/* Any thread: what it costs, in this process: rounds, moves asked for, frames sent, seconds of CPU (views included),
 * bytes of the frames. */
struct hmf__decider_cost { unsigned long rounds, asks, frames; double cpu_s, bytes; };
struct hmf__decider_cost hmf__decider_cost(struct hmf__agent *a);

#endif
