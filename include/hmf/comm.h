/* hmf/comm.h - what a program may ask about its communicators beyond MPI.
 *
 * Not collective.  From MPI_Init to MPI_Finalize, by any thread that may call MPI.
 */
#ifndef HMF_COMM_H
#define HMF_COMM_H

#include <mpi.h>

#include "hmf/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How often the members of `comm` have changed since it was made.  Those of a communicator that
 * MPI_Comm_split_type made of MPI_COMM_TYPE_SHARED do when ranks move to other nodes: its size and
 * the ranks in it are then others, as if it had been made anew at the poll.  A program that keeps
 * something by these numbers asks after each auto_poll.  All other communicators keep their members,
 * those derived from such a one too: 0.
 * HMF_ERR_ARG: not a communicator of the program. */
hmf_status_t hmf_comm_changes(MPI_Comm comm, unsigned *changes);

#ifdef __cplusplus
}
#endif
#endif
