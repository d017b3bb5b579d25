/* coord.h - the coordinator: takes wishes one after the other and leads the job through the
 * waves of each (agent.h).  It lives in the agent of the process that holds logical rank 0; when
 * that rank moves, the newcomer's agent takes over.  Agent thread only. */
#ifndef HMF_COORD_H
#define HMF_COORD_H

#include "agent.h"

hmf_status_t hmf__coord_new(struct hmf__agent *a);
void hmf__coord_free(struct hmf__coord *c);

/* A wish; an answer or newcomer's progress; what a wave brought back. */
void hmf__coord_ask(struct hmf__coord *c, struct hmf__buf *in);
void hmf__coord_offer(struct hmf__coord *c, int from, struct hmf__buf *in);
void hmf__coord_newcomer(struct hmf__coord *c, int from, struct hmf__buf *in);
void hmf__coord_wave_done(struct hmf__coord *c, uint32_t kind, const struct hmf__report *sum);

void hmf__coord_lost(struct hmf__coord *c, int peer, const char *why);
void hmf__coord_tick(struct hmf__coord *c, uint64_t now_ns);
int hmf__coord_busy(const struct hmf__coord *c);

/* Samples of the agents (monitor.h). */
void hmf__coord_samples(struct hmf__coord *c, struct hmf__buf *in);

/* A newcomer tells how long its parts took; the main thread what it measured at the start (costs.h). */
void hmf__coord_carried(struct hmf__coord *c, int from, struct hmf__buf *in);
void hmf__coord_costs(struct hmf__coord *c, struct hmf__buf *in);

/* What was decided last about each rank, with its numbers; "" if nobody decides (decide.h). */
void hmf__coord_explain(struct hmf__coord *c, struct hmf__buf *out);

/* Asks for the checkpoint that is due by the schedule (schedule.h); returns in how many ms to call
 * it again at the latest, -1: not before something happens. */
int hmf__coord_timer(struct hmf__coord *c, uint64_t now_ns);

/* A checkpoint that lay in the nodes' directories was copied to HMF_DIR, or was not: an event. */
void hmf__coord_flushed(struct hmf__agent *a, struct hmf__buf *in);

/* The live graph: a line a place, rank and host; or that of one rank as JSON (hmf/graph.h).  Policies:
 * `names`, if not "", decide from now on; a line says which do.  HMF_ERR_STATE: the job measures nothing
 * (no HMF_POLICY); HMF_ERR_NAME and so on (hmf/policy.h): no such policy, nothing changes; HMF_ERR_NOMEM. */
hmf_status_t hmf__coord_graph(struct hmf__coord *c, int rank, struct hmf__buf *out);
hmf_status_t hmf__coord_policy(struct hmf__coord *c, const char *names, struct hmf__buf *out);

/* All ranks have finished: tell everybody. */
void hmf__coord_end(struct hmf__coord *c);

/* The job begins: its first event. */
void hmf__coord_started(struct hmf__coord *c);

/* A node is to be empty, and is not moved to any more; or may be used again.  Whoever waits by
 * `token` is told when the last rank has left it, or which ones stay and why; 0: nobody waits. */
void hmf__coord_drain(struct hmf__coord *c, const char *node, uint64_t token);
void hmf__coord_resume(struct hmf__coord *c, const char *node, uint64_t token);

/* The newcomer that holds rank 0 now is the coordinator. */
hmf_status_t hmf__coord_take_over(struct hmf__agent *a, struct hmf__buf *in);

/* A few lines of text on who is where, for the control socket. */
void hmf__coord_status(struct hmf__coord *c, struct hmf__buf *out);

#endif
