/* Attributes of virtual communicators.
 *
 * They live with the virtual communicator, not with the real one: a move replaces the real one
 * without any callback of the program being run, and callbacks see the handle that the program
 * knows. All functions return MPI error codes, are local, and take handles as the program holds
 * them. Key values are numbers of our own in order of creation, far above MPI's, so that a
 * newcomer's are the same; behind each is one of MPI without callbacks, for handles not ours.
 */
#ifndef HMF__VATTR_H
#define HMF__VATTR_H

#include <mpi.h>

#include "base.h"
#include "vcomm.h"

int hmf__attr_keyval_create(MPI_Comm_copy_attr_function *copy, MPI_Comm_delete_attr_function *del,
                            int *keyval, void *extra);
int hmf__attr_keyval_free(int *keyval);

/* True if `keyval` is one of the program's and `c` is ours: then the three below serve it, else
 * PMPI. */
int hmf__attr_is_ours(MPI_Comm c, int keyval);

int hmf__attr_set(MPI_Comm c, int keyval, void *value);
int hmf__attr_get(MPI_Comm c, int keyval, void *value, int *flag);
int hmf__attr_delete(MPI_Comm c, int keyval);

/* MPI_Comm_dup, idup: runs the copy callbacks from `from` to `to`. On an error of a callback the
 * attributes copied so far stay with `to`, whose freeing deletes them. */
int hmf__attr_copy(MPI_Comm from, MPI_Comm to);

/* Runs all delete callbacks of `c`, newest first; stops at the first error.  MPI_Finalize does it
 * for MPI_COMM_SELF first, as the standard says. */
int hmf__attr_delete_all(MPI_Comm c);

/* MPI's own key value behind one of ours; others come back as they are. */
int hmf__attr_real(int keyval);

/* auto_read has come: key values made from now on, no start-up phase makes again. */
void hmf__attr_started(void);

/* All key values and attributes for a newcomer, callbacks by name, and back in its process: `values`
 * false only reads, true makes key values and puts attributes in place, without callbacks.  What
 * the newcomer's start-up has set and nobody changed since keeps the value that it has there.
 * HMF_ERR_UNSUPPORTED (a callback without a name), HMF_ERR_FORMAT, HMF_ERR_NOTFOUND (no such
 * function), HMF_ERR_MISMATCH, HMF_ERR_NOMEM, HMF_ERR_MPI. */
hmf_status_t hmf__attr_pack(struct hmf__buf *b);
hmf_status_t hmf__attr_unpack(struct hmf__buf *b, bool values);

/* Drops all attributes without calling back: the rank they belonged to lives elsewhere. */
void hmf__attr_forget(struct hmf__vcomm *v);

#endif
