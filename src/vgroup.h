/* Groups in program hands name logical ranks.
 *
 * An MPI_Group of the program is a real group over the universe in which universe rank r stands for
 * *logical rank* r, wherever that rank runs.  So all functions that take and give only groups pass
 * through unchanged and groups survive any move.  The functions here translate where a group meets
 * a communicator, window, or file.
 */
#ifndef HMF__VGROUP_H
#define HMF__VGROUP_H

#include <mpi.h>

#include "vcomm.h"

/* All return an MPI error code and are local; a group given out is the caller's to free by
 * PMPI_Group_free.  MPI_GROUP_EMPTY comes out for MPI_GROUP_EMPTY. */

/* MPI_Comm_group and MPI_Comm_remote_group; `c` as the program holds it. */
int hmf__group_of_comm(MPI_Comm c, MPI_Group *out);
int hmf__group_of_remote(MPI_Comm c, MPI_Group *out);

/* Logical group -> group of the processes that hold these ranks now, for PMPI_Comm_create and
 * friends. */
int hmf__group_to_procs(MPI_Group logical, MPI_Group *procs);

/* Group of processes -> logical group. MPI_ERR_GROUP if a process in it holds no rank. */
int hmf__group_from_procs(MPI_Group procs, MPI_Group *logical);

/* Of a list of logical ranks, for MPI_Win_get_group and MPI_File_get_group. */
int hmf__group_of_members(const struct hmf__members *m, MPI_Group *out);

/* MPI_Group_rank: position of this process's logical rank, or MPI_UNDEFINED. */
int hmf__group_rank(MPI_Group logical, int *rank);

#endif
