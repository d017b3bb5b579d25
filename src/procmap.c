/* The map logical rank <-> process, and translation between groups and lists of ranks.
 * Leaves to others what the map is used for. */
#include "config.h"

#include "procmap.h"

#include "base.h"

#include <string.h>

struct hmf__procmap hmf__procmap = {
    .universe = MPI_COMM_NULL, .group = MPI_GROUP_NULL, .proc = -1, .rank = -1
};

/* The inverse of a map, checked: every number in range, none twice. */
static hmf_status_t invert(int nprocs, int nranks, const int *proc_of, int *rank_of)
{
    for (int p = 0; p < nprocs; p++)
        rank_of[p] = -1;
    for (int r = 0; r < nranks; r++) {
        int p = proc_of[r];

        if (p < 0 || p >= nprocs)
            return hmf__fail(HMF_ERR_ARG, "rank %d cannot be on process %d: there are %d processes",
                             r, p, nprocs);
        if (rank_of[p] >= 0)
            return hmf__fail(HMF_ERR_ARG, "ranks %d and %d are both given to process %d",
                             rank_of[p], r, p);
        rank_of[p] = r;
    }
    return HMF_OK;
}

/* The lowest process on a node is its number. */
static hmf_status_t find_nodes(struct hmf__procmap *m)
{
    MPI_Comm node;
    long each = 0;
    int mine = m->proc, rc = MPI_SUCCESS;

    m->node_of = hmf__calloc((size_t) m->nprocs, sizeof(int));
    if (m->node_of == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the nodes of %d processes", m->nprocs);
    if (hmf__param_int("HMF_TEST_NODE_SIZE", 0, 1000000, 0, &each) == HMF_OK && each > 0) {
        m->made_up = true;
        mine = m->proc - m->proc % (int) each;
    } else {
        rc = PMPI_Comm_split_type(m->universe, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
        if (rc == MPI_SUCCESS) {
            rc = PMPI_Bcast(&mine, 1, MPI_INT, 0, node);
            PMPI_Comm_free(&node);
        }
    }
    if (rc == MPI_SUCCESS)
        rc = PMPI_Allgather(&mine, 1, MPI_INT, m->node_of, 1, MPI_INT, m->universe);
    return rc == MPI_SUCCESS ? HMF_OK
        : hmf__fail(HMF_ERR_MPI, "MPI does not tell which processes share a node (%d)", rc);
}

hmf_status_t hmf__procmap_init(int nranks, const int *proc_of)
{
    struct hmf__procmap *m = &hmf__procmap;
    hmf_status_t status;

    if (m->universe != MPI_COMM_NULL)
        return hmf__fail(HMF_ERR_STATE, "the universe is set up already");
    if (PMPI_Comm_dup(MPI_COMM_WORLD, &m->universe) != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "MPI_Comm_dup of the world of all processes failed");
    /* What fails inside the library is reported, it does not end the job. */
    PMPI_Comm_set_errhandler(m->universe, MPI_ERRORS_RETURN);
    PMPI_Comm_set_name(m->universe, "hmf universe");
    PMPI_Comm_group(m->universe, &m->group);
    PMPI_Comm_size(m->universe, &m->nprocs);
    PMPI_Comm_rank(m->universe, &m->proc);
    m->rank = -1;
    if (nranks < 1 || nranks > m->nprocs) {
        status = hmf__fail(HMF_ERR_ARG, "%d ranks do not fit on %d processes", nranks, m->nprocs);
        goto fini;
    }
    m->proc_of = hmf__malloc((size_t) nranks * sizeof(int));
    m->rank_of = hmf__malloc((size_t) m->nprocs * sizeof(int));
    if (m->proc_of == NULL || m->rank_of == NULL) {
        status = hmf__fail(HMF_ERR_NOMEM, "no memory for the map of %d processes", m->nprocs);
        goto fini;
    }
    m->nranks = nranks;
    status = hmf__procmap_set(proc_of);
    if (status == HMF_OK)
        status = find_nodes(m);
    if (status == HMF_OK)
        return HMF_OK;
fini:
    hmf__procmap_fini();
    return status;
}

hmf_status_t hmf__procmap_check(const int *proc_of)
{
    int *inverse = hmf__malloc((size_t) hmf__procmap.nprocs * sizeof(int));
    hmf_status_t status;

    if (inverse == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the map of %d processes",
                         hmf__procmap.nprocs);
    status = invert(hmf__procmap.nprocs, hmf__procmap.nranks, proc_of, inverse);
    hmf__free(inverse);
    return status;
}

hmf_status_t hmf__procmap_set(const int *proc_of)
{
    struct hmf__procmap *m = &hmf__procmap;
    int *inverse = hmf__malloc((size_t) m->nprocs * sizeof(int));
    hmf_status_t status;

    if (inverse == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the map of %d processes", m->nprocs);
    status = invert(m->nprocs, m->nranks, proc_of, inverse);
    if (status == HMF_OK) {
        memmove(m->proc_of, proc_of, (size_t) m->nranks * sizeof(int));
        memcpy(m->rank_of, inverse, (size_t) m->nprocs * sizeof(int));
        m->rank = m->rank_of[m->proc];
    }
    hmf__free(inverse);
    return status;
}

void hmf__procmap_fini(void)
{
    struct hmf__procmap *m = &hmf__procmap;

    if (m->group != MPI_GROUP_NULL)
        PMPI_Group_free(&m->group);
    if (m->universe != MPI_COMM_NULL)
        PMPI_Comm_free(&m->universe);
    hmf__free(m->proc_of);
    hmf__free(m->rank_of);
    hmf__free(m->node_of);
    *m = (struct hmf__procmap) {
        .universe = MPI_COMM_NULL, .group = MPI_GROUP_NULL, .proc = -1, .rank = -1
    };
}

int hmf__procmap_procs(MPI_Group real, int n, int *procs)
{
    int *index = hmf__malloc((size_t) n * sizeof(int));
    int rc;

    if (index == NULL)
        return MPI_ERR_NO_MEM;
    for (int i = 0; i < n; i++)
        index[i] = i;
    rc = PMPI_Group_translate_ranks(real, n, index, hmf__procmap.group, procs);
    hmf__free(index);
    for (int i = 0; rc == MPI_SUCCESS && i < n; i++)
        if (procs[i] == MPI_UNDEFINED)
            procs[i] = -1;
    return rc;
}

int hmf__procmap_ranks(MPI_Group real, int n, int *ranks)
{
    int rc = hmf__procmap_procs(real, n, ranks);

    for (int i = 0; rc == MPI_SUCCESS && i < n; i++)
        if (ranks[i] >= 0)
            ranks[i] = hmf__procmap.rank_of[ranks[i]];
    return rc;
}

int hmf__procmap_group(const int *ranks, int n, const int *proc_of, MPI_Group *out)
{
    int *procs = hmf__malloc((size_t) n * sizeof(int));
    int rc;

    if (procs == NULL)
        return MPI_ERR_NO_MEM;
    for (int i = 0; i < n; i++)
        procs[i] = proc_of[ranks[i]];
    rc = PMPI_Group_incl(hmf__procmap.group, n, procs, out);
    hmf__free(procs);
    return rc;
}
