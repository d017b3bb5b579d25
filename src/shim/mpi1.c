/*
 * Functions that MPI 3.0 removed and that Open MPI still has when it was built to be compatible.
 */
#include "config.h"

#include "shim/shim.h"

#if !OMPI_OMIT_MPI1_COMPAT_DECLS

int MPI_Errhandler_get(MPI_Comm comm, MPI_Errhandler *errhandler)
{
    return MPI_Comm_get_errhandler(comm, errhandler);
}

int MPI_Errhandler_set(MPI_Comm comm, MPI_Errhandler errhandler)
{
    return MPI_Comm_set_errhandler(comm, errhandler);
}

#endif
