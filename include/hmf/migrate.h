/* Sending single objects to another process: over MPI, or over a descriptor to any other program.
 *
 * The receiver may run on another kind of machine: values arrive as they were, whatever its sizes and
 * byte order, or HMF_ERR_RANGE names the one that does not fit.  What the object's pointers lead to
 * comes with it.
 *
 *     hmf_object_new("list", &head, sizeof head, type, 3, NULL, &o);
 *     if (rank == 0)
 *         st = hmf_migrate_send(o, 1, TAG, MPI_COMM_WORLD, 60);
 *     else if (rank == 1)
 *         st = hmf_migrate_recv(o, 0, TAG, MPI_COMM_WORLD, 60);
 *
 * Receiving unpacks into a host object (hmf/object.h), whose name may differ; its attributes become
 * the sender's.  hmf_migrate_take gives an image instead, for those who do not know yet what comes.
 * limit_s: longest wait for the peer in seconds; < 0: for ever.
 *
 * Statuses of all of them:
 *   HMF_ERR_ARG, HMF_ERR_NOMEM
 *   HMF_ERR_MPI      an MPI call failed (where the communicator's error handler lets it return)
 *   HMF_ERR_TIMEOUT  the peer did not come within limit_s
 *   sending          what hmf_object_write_memory returns
 *   receiving        HMF_ERR_FORMAT, _VERSION, _CHECKSUM (what came is no object), and what
 *                    hmf_translate_unpack returns
 * One object, one thread at a time; needs the thread level that the program's use of MPI needs.
 */
#ifndef HMF_MIGRATE_H
#define HMF_MIGRATE_H

#include "hmf/object.h"
#include "hmf/status.h"

#include <mpi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* To a rank of the communicator.  The object may be used and freed as soon as the call returns.
 * After HMF_ERR_TIMEOUT the message may still arrive, and its memory is not given back. */
hmf_status_t hmf_migrate_send(const hmf_object_t *object, int dest, int tag, MPI_Comm comm,
                              double limit_s);

/* From a rank, or MPI_ANY_SOURCE; tag may be MPI_ANY_TAG. */
hmf_status_t hmf_migrate_recv(hmf_object_t *object, int source, int tag, MPI_Comm comm,
                              double limit_s);
hmf_status_t hmf_migrate_take(int source, int tag, MPI_Comm comm, double limit_s,
                              hmf_object_t **image);

/* The same over a descriptor: a pipe or a socket to another program, which need not know MPI; it reads
 * with this, or with hmf_object_read_fd.  Also HMF_ERR_IO; HMF_ERR_NOTFOUND: the other end was
 * closed before an object began. */
hmf_status_t hmf_migrate_send_fd(const hmf_object_t *object, int fd, double limit_s);
hmf_status_t hmf_migrate_recv_fd(hmf_object_t *object, int fd, double limit_s);

#ifdef __cplusplus
}
#endif
#endif
