/* Bringing point-to-point traffic to rest at a cut: the middle part of a move.
 *
 * When every active rank stands in the same poll nobody sends any more.  Pending receives are
 * cancelled and remembered, every message under way is received into a stash, so that pending sends
 * end.  Afterwards no real communicator of the program carries
 * anything, and all of them may be replaced.
 */
#ifndef HMF__DRAIN_H
#define HMF__DRAIN_H

#include "hmf/status.h"

#include "vcomm.h"

/* Collective over the actives, all of which stand in the same poll.  Suspends receives
 * (hmf__vreq_suspend), drains, and lets sends end (hmf__vreq_sends_pending).  All get the same
 * status: HMF_OK; HMF_ERR_BUSY, some collective call spans the cut (text names the communicator);
 * HMF_ERR_TIMEOUT, messages that were sent did not come within HMF_TIMEOUT (text names the
 * communicator); HMF_ERR_NOMEM; HMF_ERR_MPI.  Also after an error commit or rollback must follow:
 * they resume the receives.  What is in stashes stays there and is received from there. */
hmf_status_t hmf__drain_run(void);

/* The question without the work, for a checkpoint, which holds no messages.  Collective over the
 * actives; the same status for all: HMF_OK if no message is under way or kept in a stash and no
 * collective call spans the cut, else HMF_ERR_BUSY with the communicator's name. HMF_ERR_MPI. */
hmf_status_t hmf__drain_quiet(void);

/* The question of both whether anything spans the poll, put to this rank alone: the sum of all ranks'
 * answers is 0 (mod 2^64) if all members of each communicator have begun equally many collective
 * calls, and, with `messages`, if none is under way or in a stash.  Communicators that stay as they are
 * (HMF__COMM_STILL) are left out. */
uint64_t hmf__drain_open(bool messages);

/* Local: what this rank adds to a sum that is 0 (mod 2^64) if all members of each communicator have made
 * equally many collective calls on it. */
uint64_t hmf__drain_collectives(void);

/* Is the communicator one whose traffic must come to rest? */
static inline bool hmf__drain_counts(const struct hmf__vcomm *v)
{
    return v->kind != HMF__COMM_FOREIGN && v->real != MPI_COMM_NULL;
}

#endif
