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

/* Collective over the actives, all of which stand in the same poll.  Suspends receives
 * (hmf__vreq_suspend), drains, and lets sends end (hmf__vreq_sends_pending).  All get the same
 * status: HMF_OK; HMF_ERR_BUSY, some collective call spans the cut (text names the communicator);
 * HMF_ERR_TIMEOUT, messages that were sent did not come within HMF_TIMEOUT (text names the
 * communicator); HMF_ERR_NOMEM; HMF_ERR_MPI.  Also after an error commit or rollback must follow:
 * they resume the receives.  What is in stashes stays there and is received from there. */
hmf_status_t hmf__drain_run(void);

#endif
