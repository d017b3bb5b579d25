/* What must be known of a communicator, besides its members, to build another one like it:
 * topology, name, error handler.  Read from the real communicator, sent to a newcomer as bytes.
 */
#ifndef HMF__VPLAN_H
#define HMF__VPLAN_H

#include <mpi.h>

#include "base.h"

enum hmf__vplan_errors {
    HMF__ERRORS_FATAL,
    HMF__ERRORS_RETURN,
    HMF__ERRORS_OTHER /* the program's own: a newcomer's start-up code sets it */
};

struct hmf__vplan {
    int topology;   /* MPI_UNDEFINED, MPI_CART, MPI_GRAPH, MPI_DIST_GRAPH */
    int weighted;   /* distributed graph */
    int n;          /* dimensions, nodes, indegree */
    int m;          /* same as n, edges, outdegree */
    int errors;     /* enum hmf__vplan_errors */
    int *a, *b;     /* n: dims, index, sources; m: periods, edges, destinations */
    int *wa, *wb;   /* weights of sources and destinations, NULL unless weighted */
    char name[MPI_MAX_OBJECT_NAME];
};

/* HMF_ERR_NOMEM, HMF_ERR_MPI; *out is to be freed by hmf__vplan_free (NULL is allowed there). */
hmf_status_t hmf__vplan_read(MPI_Comm real, struct hmf__vplan **out);
void hmf__vplan_free(struct hmf__vplan *p);

void hmf__vplan_pack(const struct hmf__vplan *p, struct hmf__buf *b);
/* HMF_ERR_FORMAT for bytes that no plan of a communicator of `size` ranks has. */
hmf_status_t hmf__vplan_unpack(struct hmf__buf *b, int size, struct hmf__vplan **out);

/* Equal at all members for two communicators with the same Cartesian topology or none; a graph
 * gives 0: it is never taken for another one. */
uint64_t hmf__vplan_hash(const struct hmf__vplan *p);

/* Collective over `plain`: puts the topology on a copy of it. `plain` stays. MPI error code. */
int hmf__vplan_apply(const struct hmf__vplan *p, MPI_Comm plain, MPI_Comm *out);

#endif
