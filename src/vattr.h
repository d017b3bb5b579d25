/* Attributes of virtual communicators.
 *
 * They live with the virtual communicator, not with the real one: a move replaces the real one
 * without any callback of the program being run, and callbacks see the handle that the program
 * knows. All functions return MPI error codes, are local, and take handles as the program holds
 * them. Key values are real key values of MPI without callbacks, so they never clash with others.
 */
#ifndef HMF__VATTR_H
#define HMF__VATTR_H

#include <mpi.h>

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

/* Has `v` an attribute that was set after the start-up phase?  A newcomer cannot get it: its
 * value is an address in this process, and nobody sets it there again. */
bool hmf__attr_late(const struct hmf__vcomm *v, int *keyval);

/* Drops all attributes without calling back: the rank they belonged to lives elsewhere. */
void hmf__attr_forget(struct hmf__vcomm *v);

#endif
