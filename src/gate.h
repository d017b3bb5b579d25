/* The gate that threads pass on their way into MPI, where a program has several (above
 * MPI_THREAD_FUNNELED).
 *
 * The main thread, the one that called MPI_Init, is the one that polls. When it stops, the others must
 * be outside of MPI before communicators and requests are touched, and must stay there until the
 * operation is over; then they find the new communicators. Who waits for another rank's program (in
 * a receive, a wait, a probe, a send) does so in pieces, shim/threads.c, and is held between two
 * of them like anybody who comes in. So what remains inside are short calls, and collective ones:
 * those end when all members have come: until then who has not come yet may go on, and only collective
 * calls that nobody has begun are held.
 *
 * A thread says that it is inside by a plain store; whoever shuts the gate makes the kernel put the
 * fence into it (membarrier), as agent.h does for the count of polls.
 */
#ifndef HMF__GATE_H
#define HMF__GATE_H

#include <stdbool.h>
#include <stdint.h>

#include <mpi.h>

#include "hmf/status.h"
#include "vcomm.h"

/* False up to MPI_THREAD_FUNNELED: the wrappers look at nothing else. */
extern bool hmf__gate_on HMF__HIDDEN;

/* The calling thread is the main one; `provided` as MPI_Init_thread gave it. */
void hmf__gate_init(int provided);

/* ---- any thread, with hmf__gate_on ---- */

bool hmf__gate_is_main(void);

/* Not the main thread, and not within a call already? */
bool hmf__gate_outside(void);

/* Waits at a gate that is shut, then the thread is inside of `fn`; on `comm` if that is a
 * collective call, else MPI_COMM_NULL. False: it was inside already, or it is the main thread: there is
 * nothing to leave. */
bool hmf__gate_enter(int fn, MPI_Comm comm);
void hmf__gate_leave(void);

/* Between two pieces of `fn`, until `fn` is 0: what the thread is about, seen from the program.  `must_end`:
 * the rank cannot leave before this is over, so its gate lets the pieces pass. */
void hmf__gate_within(int fn, bool must_end);

/* ---- the main thread ---- */

/* Shuts the gate and waits for up to limit_ns until nobody is inside.  `leaving`: this rank goes, so
 * sends that have begun must end.  The gate stays shut in any case.  HMF_ERR_BUSY names the call
 * that does not end.  Local; without threads nothing. */
hmf_status_t hmf__gate_shut(bool leaving, uint64_t limit_ns);

/* The same together with all ranks of `inner`, all of which stand in the same poll: lets go on who is
 * behind in collective calls, until no thread is inside anywhere and none is behind.  All get the same
 * status and text.  Collective with hmf__gate_on, which is the same everywhere. `leaving` is that of
 * the last hmf__gate_shut. */
hmf_status_t hmf__gate_settle(MPI_Comm inner, uint64_t limit_ns);

void hmf__gate_open(void);

#endif
