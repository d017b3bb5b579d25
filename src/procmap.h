/* Which process of the universe holds which logical rank.
 *
 * One map per process, the same everywhere outside a move.  world.c changes it; communicators and
 * groups read it.  Memory: two integers per process of the universe.
 */
#ifndef HMF__PROCMAP_H
#define HMF__PROCMAP_H

#include <stdbool.h>

#include <mpi.h>

#include "hmf/status.h"

struct hmf__procmap {
    MPI_Comm universe;  /* all processes; MPI_COMM_NULL before init and after fini */
    MPI_Group group;    /* of the universe */
    int nprocs;         /* N+S */
    int nranks;         /* N */
    int proc;           /* mine */
    int rank;           /* mine, -1: none */
    int *proc_of;       /* nranks */
    int *rank_of;       /* nprocs, -1: holds none */
    int *node_of;       /* nprocs: a number that those on one node have in common */
    bool made_up;       /* nodes are not real: for tests, HMF_TEST_NODE_SIZE processes on each */
};

extern struct hmf__procmap hmf__procmap __attribute__((visibility("hidden")));

/* Collective over the real MPI_COMM_WORLD: duplicates it and sets the map.
 * HMF_ERR_ARG (a process number out of range or twice), HMF_ERR_NOMEM, HMF_ERR_MPI. */
hmf_status_t hmf__procmap_init(int nranks, const int *proc_of);

/* Local.  HMF_ERR_ARG leaves the old map. check only tells whether set would do. */
hmf_status_t hmf__procmap_check(const int *proc_of);
hmf_status_t hmf__procmap_set(const int *proc_of);

void hmf__procmap_fini(void);

/* Processes of a real group in its order (n numbers), or the logical ranks that they hold, -1 for a
 * process outside the universe or without a rank. MPI error code. */
int hmf__procmap_procs(MPI_Group real, int n, int *procs);
int hmf__procmap_ranks(MPI_Group real, int n, int *ranks);

/* Real group of the processes that hold these logical ranks now, or, by `proc_of`, at another
 * time. */
int hmf__procmap_group(const int *ranks, int n, const int *proc_of, MPI_Group *out);

#endif
