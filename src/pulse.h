/* pulse.h - heartbeats of the ranks, and what is done about a rank that is gone or silent.
 *
 * Every few seconds each rank's agent tells its parent in the tree of ranks (agent.h) that it lives, with
 * how far its program is; the parent passes on what it knows of those below, and answers.  So the
 * coordinator knows all ranks by O(1) messages a process, and every process notices when a
 * neighbour is silent for HMF_SILENCE seconds, though its connection stands: a frozen host, a cut link.
 *
 * A job that has lost a rank cannot go on.  The loss is logged and becomes an event; where MPI goes on
 * by itself (recovery, see settings.h) the process that sees it ends after HMF_TIMEOUT, unless
 * the launcher was faster: so nobody computes on alone.  A process that was itself stopped for so long
 * that the others may have taken it for lost passes no further poll before it has heard a neighbour (the
 * fence): a host that thaws after its ranks have been started again elsewhere does not compute on beside
 * them, but finds its neighbours gone and ends.
 *
 * MPI makes communicators without a limit of time.  If a move was undone because a newcomer hangs in
 * there, and it is not back after another HMF_TIMEOUT, the ranks will not come out again either: the
 * newcomer's node is told as lost.  Agent thread only. */
#ifndef HMF_PULSE_H
#define HMF_PULSE_H

#include "agent.h"

struct hmf__pulse;

/* What is known of a rank. */
struct hmf__beat {
    uint64_t heard_ns;      /* when; 0: never */
    uint64_t polls;
    double step_s;          /* mean time from poll to poll since the beat before; 0: unknown */
    uint64_t rss_kib;       /* memory that the process has resident */
    uint64_t state_bytes;   /* of the rank's state, about */
    uint64_t start_us;      /* of the program's start-up */
};

hmf_status_t hmf__pulse_new(struct hmf__agent *a);
void hmf__pulse_free(struct hmf__agent *a);

/* Beats when it is time; in how many ms to be called again at the latest, -1: never. */
int hmf__pulse_tick(struct hmf__agent *a, uint64_t now_ns);

/* The next beat has news and should not wait. */
void hmf__pulse_soon(struct hmf__agent *a);

void hmf__pulse_beat(struct hmf__agent *a, int from, struct hmf__buf *in);
void hmf__pulse_back(struct hmf__agent *a, int from);

/* Process `peer` is gone. */
void hmf__pulse_lost(struct hmf__agent *a, int peer, const char *why);
/* Somebody tells the coordinator so. */
void hmf__pulse_told(struct hmf__agent *a, struct hmf__buf *in);

/* HMF_SILENCE in ns, which the process knows from its start; an hour if it is 0, for ever. */
uint64_t hmf__pulse_silence(const struct hmf__agent *a);

enum hmf__pulse_state { HMF__PULSE_RUNNING, HMF__PULSE_SILENT, HMF__PULSE_LOST };
/* At the coordinator: what has been told of a process that holds a rank. */
enum hmf__pulse_state hmf__pulse_state(const struct hmf__agent *a, int proc);

/* NULL: nothing is known of that rank. */
const struct hmf__beat *hmf__pulse_of(const struct hmf__agent *a, int rank);

#endif
