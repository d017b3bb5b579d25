/* Memory of shared windows: a second view of the pages that MPI shares between the processes of a
 * node. The program works in the view, whose address stays when a move gives the window other
 * pages. */
#ifndef HMF__VWINMEM_H
#define HMF__VWINMEM_H

#include <mpi.h>

#include "vwin.h"

/* Local, after PMPI_Win_allocate_shared gave v->real on v->members: fills parts, view, base.
 * HMF_ERR_UNSUPPORTED: MPI's memory cannot be seen twice; base is then MPI's own. */
hmf_status_t hmf__vwinmem_open(struct hmf__vwin *v);

/* Newcomer: a view of private pages of the same shape, for the parts that are set. */
hmf_status_t hmf__vwinmem_reserve(struct hmf__vwin *v);

/* The own part goes to the pages of `real`; when all have done so (`comm`: its members) the view
 * shows them.  Collective. */
hmf_status_t hmf__vwinmem_turn(struct hmf__vwin *v, MPI_Win real, MPI_Comm comm);

void hmf__vwinmem_close(struct hmf__vwin *v);

#endif
