/* Translation between groups of logical ranks and groups of processes; see vgroup.h. */
#include "config.h"

#include "vgroup.h"

#include "base.h"
#include "procmap.h"

/* The group over the universe in which rank r stands for logical rank r. */
int hmf__group_of_members(const struct hmf__members *m, MPI_Group *out)
{
    return PMPI_Group_incl(hmf__procmap.group, m->n, m->rank, out);
}

int hmf__group_from_procs(MPI_Group procs, MPI_Group *logical)
{
    int n, rc, *ranks;

    *logical = MPI_GROUP_NULL;
    rc = PMPI_Group_size(procs, &n);
    if (rc != MPI_SUCCESS)
        return rc;
    ranks = hmf__malloc((size_t) n * sizeof(int));
    if (ranks == NULL)
        return MPI_ERR_NO_MEM;
    rc = hmf__procmap_ranks(procs, n, ranks);
    for (int i = 0; rc == MPI_SUCCESS && i < n; i++)
        if (ranks[i] < 0)
            rc = MPI_ERR_GROUP;
    if (rc == MPI_SUCCESS)
        rc = PMPI_Group_incl(hmf__procmap.group, n, ranks, logical);
    hmf__free(ranks);
    return rc;
}

int hmf__group_of_comm(MPI_Comm c, MPI_Group *out)
{
    struct hmf__vcomm *v = hmf__vcomm_of(c);
    MPI_Group real;
    int rc;

    if (v != NULL && v->members != NULL && v->kind != HMF__COMM_FOREIGN)
        return hmf__group_of_members(v->members, out);
    /* Not ours, or with members outside the job: what can be named by ranks is. */
    rc = PMPI_Comm_group(hmf__comm_real(c), &real);
    if (rc != MPI_SUCCESS || hmf__procmap.universe == MPI_COMM_NULL) {
        *out = rc == MPI_SUCCESS ? real : MPI_GROUP_NULL;
        return rc;
    }
    rc = hmf__group_from_procs(real, out);
    if (rc == MPI_SUCCESS)
        PMPI_Group_free(&real);
    else
        *out = real;
    return MPI_SUCCESS;
}

int hmf__group_of_remote(MPI_Comm c, MPI_Group *out)
{
    struct hmf__vcomm *v = hmf__vcomm_of(c);

    if (v != NULL && v->kind == HMF__COMM_INTER && v->remote != NULL)
        return hmf__group_of_members(v->remote, out);
    return PMPI_Comm_remote_group(hmf__comm_real(c), out);
}

int hmf__group_to_procs(MPI_Group logical, MPI_Group *procs)
{
    int n, rc, *ranks;

    *procs = MPI_GROUP_NULL;
    rc = PMPI_Group_size(logical, &n);
    if (rc != MPI_SUCCESS)
        return rc;
    if (n == 0 || hmf__procmap.universe == MPI_COMM_NULL) {
        *procs = logical == MPI_GROUP_EMPTY ? MPI_GROUP_EMPTY : MPI_GROUP_NULL;
        return *procs == MPI_GROUP_EMPTY ? MPI_SUCCESS
                                         : PMPI_Group_excl(logical, 0, NULL, procs);
    }
    ranks = hmf__malloc((size_t) n * sizeof(int));
    if (ranks == NULL)
        return MPI_ERR_NO_MEM;
    rc = hmf__procmap_procs(logical, n, ranks);
    for (int i = 0; rc == MPI_SUCCESS && i < n; i++)
        if (ranks[i] < 0 || ranks[i] >= hmf__procmap.nranks)
            rc = MPI_ERR_GROUP;
    if (rc == MPI_SUCCESS)
        rc = hmf__procmap_group(ranks, n, hmf__procmap.proc_of, procs);
    hmf__free(ranks);
    return rc;
}

int hmf__group_rank(MPI_Group logical, int *rank)
{
    int mine = hmf__vcomm_world.rank;

    if (hmf__procmap.universe == MPI_COMM_NULL || mine < 0)
        return PMPI_Group_rank(logical, rank);
    return PMPI_Group_translate_ranks(hmf__procmap.group, 1, &mine, logical, rank);
}
