/* wave.h - how the agents agree: orders go down a tree of ranks, reports come back up (agent.h
 * names the waves).  Used by agent.c and coord.c, on the agent thread, without the lock held. */
#ifndef HMF_WAVE_H
#define HMF_WAVE_H

#include "agent.h"

/* Root: begins a wave.  `why` is the reason of an ABORT, else "". */
void hmf__wave_start(struct hmf__agent *a, uint32_t kind, const struct hmf__op *op,
                     const char *why);

/* A wave or a report has come from another agent. */
void hmf__wave_down(struct hmf__agent *a, int from, struct hmf__buf *in);
void hmf__wave_up(struct hmf__agent *a, int from, struct hmf__buf *in);

/* A wave of the operation a->op has come: what it begins is collective, so the main thread does its
 * part even if the wave is undone before it looks (hmf__job_begun).  With the lock held. */
void hmf__wave_begun(struct hmf__agent *a, uint32_t kind);

/* The main thread's part in a wave is done (kinds ARRIVED and DONE). */
void hmf__wave_local(struct hmf__agent *a, struct hmf__buf *in);

/* An order that reaches a newcomer outside the tree. */
void hmf__wave_direct(struct hmf__agent *a, struct hmf__buf *in);
hmf_status_t hmf__wave_send_direct(struct hmf__agent *a, int proc, uint32_t kind,
                                   const struct hmf__op *op, const char *why);

/* A process is gone; time has passed. */
void hmf__wave_lost(struct hmf__agent *a, int peer, const char *why);
void hmf__wave_tick(struct hmf__agent *a, uint64_t now_ns);

/* The program of this process is at its end; all below a child are.  Then: the job is over. */
void hmf__wave_finished(struct hmf__agent *a, int from);
void hmf__wave_end(struct hmf__agent *a, bool some_lost);

void hmf__report_put(struct hmf__buf *out, const struct hmf__report *r);
void hmf__report_get(struct hmf__buf *in, struct hmf__report *out);
/* "rank 3 on n12: <text of this thread's last error>" */
void hmf__report_fill(struct hmf__agent *a, struct hmf__report *r, hmf_status_t status);

#endif
