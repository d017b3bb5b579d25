/* Error handlers of the program are called with the program's handles.
 *
 * MPI calls the function of a handler with the real communicator, window or file. So MPI is given
 * a function of ours, one for each of the program's, that finds the handle in the program's hands
 * and calls on. There are so many; a handler beyond that gets MPI's handle.
 */
#ifndef HMF__VERROR_H
#define HMF__VERROR_H

#include <mpi.h>

enum hmf__verror_kind { HMF__VERROR_COMM, HMF__VERROR_WIN, HMF__VERROR_FILE };

/* MPI_..._create_errhandler of that kind. MPI error code. */
int hmf__verror_create(enum hmf__verror_kind kind, void (*function)(void), MPI_Errhandler *out);

#endif
