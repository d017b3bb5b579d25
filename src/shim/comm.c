/*
 * Functions that make or end communicators. The real call is made, its result becomes a virtual
 * communicator (vcomm.h), and its number goes to the start-up log; a replay looks it up by that
 * number.
 */
#include "config.h"

#include <stdio.h>

#include "procmap.h"
#include "shim/shim.h"
#include "vattr.h"
#include "vgroup.h"
#include "vnode.h"

/* The result of a call that was collective over `parent`. A pointer, since the call that sets it
 * is an argument beside it. */
static int adopt(int rc, MPI_Comm *made, MPI_Comm parent, unsigned flags, int fn, MPI_Comm *out)
{
    MPI_Comm real = *made;
    hmf_status_t status;

    *out = MPI_COMM_NULL;
    if (rc != MPI_SUCCESS)
        return rc;
    status = hmf__vcomm_adopt(real, parent, flags, out);
    if (status == HMF_OK)
        return MPI_SUCCESS;
    if (real != MPI_COMM_NULL)
        PMPI_Comm_free(&real);
    return hmf__shim_raise(parent, hmf__shim_status_to_mpi(status), fn);
}

/* A constructor is: CTOR(name, handle of the parent, new handle, PMPI call on real_ giving into
 * new_). */
#define CTOR(name, parent, out, flags, call)                                        \
    struct hmf__startup_call c;                                                     \
    MPI_Comm new_ = MPI_COMM_NULL, real_;                                           \
                                                                                    \
    if (!hmf__startup_enter(&c, HMF__FN_##name, parent, 0, 0))                      \
        return c.rc;                                                                \
    if (c.live) {                                                                   \
        real_ = hmf__coll_real(parent);                                             \
        c.rc = adopt(call, &new_, parent, flags, HMF__FN_##name, out);               \
    }                                                                               \
    hmf__out_comm(&c, out);                                                         \
    return hmf__startup_return(&c)

#define OURS(comm) (hmf__vcomm_of(comm) != NULL)

static int dup_with(int fn, MPI_Comm comm, const MPI_Info *info, MPI_Comm *newcomm)
{
    struct hmf__startup_call c;
    MPI_Comm real, new = MPI_COMM_NULL;
    int rc = MPI_SUCCESS;

    if (!hmf__startup_enter(&c, fn, comm, 0, 0))
        return c.rc;
    if (c.live) {
        real = hmf__coll_real(comm);
        c.rc = info != NULL ? PMPI_Comm_dup_with_info(real, *info, &new)
                            : PMPI_Comm_dup(real, &new);
        c.rc = adopt(c.rc, &new, comm, 0, fn, newcomm);
    }
    hmf__out_comm(&c, newcomm);
    if (c.rc == MPI_SUCCESS && *newcomm != MPI_COMM_NULL)
        rc = hmf__attr_copy(comm, *newcomm);
    if (hmf__startup_return(&c) != MPI_SUCCESS)
        return c.rc;
    if (rc != MPI_SUCCESS) {
        hmf__vcomm_free(newcomm, false);
        return hmf__shim_raise(comm, rc, fn);
    }
    return MPI_SUCCESS;
}

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *newcomm)
{
    if (!OURS(comm))
        return PMPI_Comm_dup(comm, newcomm);
    return dup_with(HMF__FN_Comm_dup, comm, NULL, newcomm);
}

int MPI_Comm_dup_with_info(MPI_Comm comm, MPI_Info info, MPI_Comm *newcomm)
{
    if (!OURS(comm))
        return PMPI_Comm_dup_with_info(comm, info, newcomm);
    return dup_with(HMF__FN_Comm_dup_with_info, comm, &info, newcomm);
}

int MPI_Comm_idup(MPI_Comm comm, MPI_Comm *newcomm, MPI_Request *request)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);
    struct hmf__startup_call c;
    struct hmf__vreq *q;
    MPI_Comm *where = NULL;
    int rc;

    if (v == NULL)
        return PMPI_Comm_idup(comm, newcomm, request);
    if (!hmf__vreq_begin(HMF__VREQ_IDUP, HMF__FN_Comm_idup, comm, request, &q, &rc))
        return rc;
    /* The handle is known at once; what follows here is the log's entry for it. */
    if (!hmf__startup_enter(&c, HMF__FN_Comm_idup, comm, 0, 0)) {
        hmf__vreq_drop(q);
        return c.rc;
    }
    if (c.live) {
        hmf_status_t status = hmf__vcomm_adopt_idup(comm, newcomm, &where);

        if (status != HMF_OK)
            c.rc = hmf__shim_raise(comm, hmf__shim_status_to_mpi(status), HMF__FN_Comm_idup);
        else
            c.rc = PMPI_Comm_idup(hmf__coll_real(comm), q->newcomm = where, &q->real);
    }
    hmf__out_comm(&c, newcomm);
    if (c.rc == MPI_SUCCESS)
        c.rc = hmf__attr_copy(comm, *newcomm);
    rc = hmf__startup_return(&c);
    return hmf__vreq_end(q, rc, request);
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *newcomm)
{
    if (!OURS(comm))
        return PMPI_Comm_split(comm, color, key, newcomm);
    CTOR(Comm_split, comm, newcomm, 0, PMPI_Comm_split(real_, color, key, &new_));
}

static int of_node(MPI_Comm real, int split_type, int key, MPI_Info info, MPI_Comm *out)
{
    if (!hmf__procmap.made_up)
        return PMPI_Comm_split_type(real, split_type, key, info, out);
    return PMPI_Comm_split(real, split_type == MPI_UNDEFINED ? MPI_UNDEFINED
                                 : hmf__procmap.node_of[hmf__procmap.proc], key, out);
}

int MPI_Comm_split_type(MPI_Comm comm, int split_type, int key, MPI_Info info, MPI_Comm *newcomm)
{
    struct hmf__startup_call c;
    MPI_Comm new = MPI_COMM_NULL;

    if (!OURS(comm))
        return PMPI_Comm_split_type(comm, split_type, key, info, newcomm);
    if (!hmf__startup_enter(&c, HMF__FN_Comm_split_type, comm, 0, 0))
        return c.rc;
    if (c.live) {
        int rc = of_node(hmf__coll_real(comm), split_type, key, info, &new);

        c.rc = adopt(rc, &new, comm, split_type == MPI_UNDEFINED ? 0 : HMF__COMM_NODE,
                     HMF__FN_Comm_split_type, newcomm);
        if (rc == MPI_SUCCESS)
            rc = hmf__vnode_note(*newcomm != MPI_COMM_NULL ? hmf__vcomm_of(*newcomm) : NULL, comm,
                             split_type, key);
        if (c.rc == MPI_SUCCESS)
            c.rc = rc;
    }
    hmf__out_comm(&c, newcomm);
    return hmf__startup_return(&c);
}

static int with_group(MPI_Comm real, MPI_Group group, const int *tag, MPI_Comm *out)
{
    MPI_Group procs;
    int rc = hmf__group_to_procs(group, &procs);

    if (rc != MPI_SUCCESS)
        return rc;
    rc = tag != NULL ? PMPI_Comm_create_group(real, procs, *tag, out)
                     : PMPI_Comm_create(real, procs, out);
    if (procs != MPI_GROUP_EMPTY && procs != MPI_GROUP_NULL)
        PMPI_Group_free(&procs);
    return rc;
}

int MPI_Comm_create(MPI_Comm comm, MPI_Group group, MPI_Comm *newcomm)
{
    if (!OURS(comm))
        return PMPI_Comm_create(comm, group, newcomm);
    CTOR(Comm_create, comm, newcomm, 0, with_group(real_, group, NULL, &new_));
}

int MPI_Comm_create_group(MPI_Comm comm, MPI_Group group, int tag, MPI_Comm *newcomm)
{
    struct hmf__startup_call c;
    MPI_Comm new = MPI_COMM_NULL;

    if (!OURS(comm))
        return PMPI_Comm_create_group(comm, group, tag, newcomm);
    if (!hmf__startup_enter(&c, HMF__FN_Comm_create_group, comm, 0, tag))
        return c.rc;
    if (c.live) {
        *newcomm = MPI_COMM_NULL;
        c.rc = with_group(hmf__comm_real(comm), group, &tag, &new);
        if (c.rc == MPI_SUCCESS && new != MPI_COMM_NULL) {
            hmf_status_t status = hmf__vcomm_adopt_group(new, newcomm);

            c.rc = hmf__shim_raise(comm, hmf__shim_status_to_mpi(status),
                                   HMF__FN_Comm_create_group);
        }
    }
    hmf__out_comm(&c, newcomm);
    return hmf__startup_return(&c);
}

int MPI_Cart_create(MPI_Comm old_comm, int ndims, const int dims[], const int periods[],
                    int reorder, MPI_Comm *comm_cart)
{
    if (!OURS(old_comm))
        return PMPI_Cart_create(old_comm, ndims, dims, periods, reorder, comm_cart);
    CTOR(Cart_create, old_comm, comm_cart, 0,
         PMPI_Cart_create(real_, ndims, dims, periods, reorder, &new_));
}

int MPI_Cart_sub(MPI_Comm comm, const int remain_dims[], MPI_Comm *new_comm)
{
    if (!OURS(comm))
        return PMPI_Cart_sub(comm, remain_dims, new_comm);
    CTOR(Cart_sub, comm, new_comm, 0, PMPI_Cart_sub(real_, remain_dims, &new_));
}

int MPI_Graph_create(MPI_Comm comm_old, int nnodes, const int index[], const int edges[],
                     int reorder, MPI_Comm *comm_graph)
{
    if (!OURS(comm_old))
        return PMPI_Graph_create(comm_old, nnodes, index, edges, reorder, comm_graph);
    CTOR(Graph_create, comm_old, comm_graph, 0,
         PMPI_Graph_create(real_, nnodes, index, edges, reorder, &new_));
}

int MPI_Dist_graph_create(MPI_Comm comm_old, int n, const int nodes[], const int degrees[],
                          const int targets[], const int weights[], MPI_Info info, int reorder,
                          MPI_Comm *newcomm)
{
    if (!OURS(comm_old))
        return PMPI_Dist_graph_create(comm_old, n, nodes, degrees, targets, weights, info, reorder,
                                      newcomm);
    CTOR(Dist_graph_create, comm_old, newcomm, 0,
         PMPI_Dist_graph_create(real_, n, nodes, degrees, targets, weights, info, reorder, &new_));
}

int MPI_Dist_graph_create_adjacent(MPI_Comm comm_old, int indegree, const int sources[],
                                   const int sourceweights[], int outdegree,
                                   const int destinations[], const int destweights[],
                                   MPI_Info info, int reorder, MPI_Comm *comm_dist_graph)
{
    if (!OURS(comm_old))
        return PMPI_Dist_graph_create_adjacent(comm_old, indegree, sources, sourceweights,
                                               outdegree, destinations, destweights, info, reorder,
                                               comm_dist_graph);
    CTOR(Dist_graph_create_adjacent, comm_old, comm_dist_graph, 0,
         PMPI_Dist_graph_create_adjacent(real_, indegree, sources, sourceweights, outdegree,
                                         destinations, destweights, info, reorder, &new_));
}

int MPI_Intercomm_create(MPI_Comm local_comm, int local_leader, MPI_Comm bridge_comm,
                         int remote_leader, int tag, MPI_Comm *newintercomm)
{
    struct hmf__startup_call c;
    MPI_Comm new = MPI_COMM_NULL;

    if (!OURS(local_comm))
        return PMPI_Intercomm_create(local_comm, local_leader, hmf__comm_real(bridge_comm),
                                     remote_leader, tag, newintercomm);
    if (!hmf__startup_enter(&c, HMF__FN_Intercomm_create, local_comm, local_leader, tag))
        return c.rc;
    if (c.live) {
        *newintercomm = MPI_COMM_NULL;
        c.rc = PMPI_Intercomm_create(hmf__coll_real(local_comm), local_leader,
                                     hmf__comm_real(bridge_comm), remote_leader, tag, &new);
        if (c.rc == MPI_SUCCESS && new != MPI_COMM_NULL) {
            hmf_status_t status = hmf__vcomm_adopt_group(new, newintercomm);

            c.rc = hmf__shim_raise(local_comm, hmf__shim_status_to_mpi(status),
                                   HMF__FN_Intercomm_create);
        }
    }
    hmf__out_comm(&c, newintercomm);
    return hmf__startup_return(&c);
}

int MPI_Intercomm_merge(MPI_Comm intercomm, int high, MPI_Comm *newintercomm)
{
    if (!OURS(intercomm))
        return PMPI_Intercomm_merge(intercomm, high, newintercomm);
    CTOR(Intercomm_merge, intercomm, newintercomm, 0,
         PMPI_Intercomm_merge(real_, high, &new_));
}

/* ---- communicators with processes outside the job ---- */

/* After the call; `comm` may be MPI_COMM_WORLD where the function takes none. */
static int foreign(int rc, MPI_Comm real, MPI_Comm comm, int fn, MPI_Comm *out)
{
    hmf_status_t status;

    *out = MPI_COMM_NULL;
    if (rc != MPI_SUCCESS || real == MPI_COMM_NULL)
        return rc;
    status = hmf__vcomm_adopt_foreign(real, out);
    if (status != HMF_OK)
        *out = real; /* it works all the same; the text was for a move */
    (void) comm;
    (void) fn;
    return rc;
}

static bool may_connect(int fn)
{
    if (hmf__shim_phase == HMF__PHASE_LEFT) {
        hmf__shim_left(fn);
        return false;
    }
    hmf__startup_void(fn);
    return true;
}

int MPI_Comm_accept(const char *port_name, MPI_Info info, int root, MPI_Comm comm,
                    MPI_Comm *newcomm)
{
    MPI_Comm new = MPI_COMM_NULL;
    int rc;

    if (!may_connect(HMF__FN_Comm_accept))
        return MPI_ERR_COMM;
    rc = PMPI_Comm_accept(port_name, info, root, hmf__coll_real(comm), &new);
    return foreign(rc, new, comm, HMF__FN_Comm_accept, newcomm);
}

int MPI_Comm_connect(const char *port_name, MPI_Info info, int root, MPI_Comm comm,
                     MPI_Comm *newcomm)
{
    MPI_Comm new = MPI_COMM_NULL;
    int rc;

    if (!may_connect(HMF__FN_Comm_connect))
        return MPI_ERR_COMM;
    rc = PMPI_Comm_connect(port_name, info, root, hmf__coll_real(comm), &new);
    return foreign(rc, new, comm, HMF__FN_Comm_connect, newcomm);
}

int MPI_Comm_join(int fd, MPI_Comm *intercomm)
{
    MPI_Comm new = MPI_COMM_NULL;
    int rc;

    if (!may_connect(HMF__FN_Comm_join))
        return MPI_ERR_COMM;
    rc = PMPI_Comm_join(fd, &new);
    return foreign(rc, new, MPI_COMM_WORLD, HMF__FN_Comm_join, intercomm);
}

int MPI_Comm_spawn(const char *command, char *argv[], int maxprocs, MPI_Info info, int root,
                   MPI_Comm comm, MPI_Comm *intercomm, int array_of_errcodes[])
{
    MPI_Comm new = MPI_COMM_NULL;
    int rc;

    if (!may_connect(HMF__FN_Comm_spawn))
        return MPI_ERR_COMM;
    rc = PMPI_Comm_spawn(command, argv, maxprocs, info, root, hmf__coll_real(comm), &new,
                         array_of_errcodes);
    return foreign(rc, new, comm, HMF__FN_Comm_spawn, intercomm);
}

int MPI_Comm_spawn_multiple(int count, char *array_of_commands[], char **array_of_argv[],
                            const int array_of_maxprocs[], const MPI_Info array_of_info[],
                            int root, MPI_Comm comm, MPI_Comm *intercomm, int array_of_errcodes[])
{
    MPI_Comm new = MPI_COMM_NULL;
    int rc;

    if (!may_connect(HMF__FN_Comm_spawn_multiple))
        return MPI_ERR_COMM;
    rc = PMPI_Comm_spawn_multiple(count, array_of_commands, array_of_argv, array_of_maxprocs,
                                  array_of_info, root, hmf__coll_real(comm), &new,
                                  array_of_errcodes);
    return foreign(rc, new, comm, HMF__FN_Comm_spawn_multiple, intercomm);
}

/* ---- the end of one ---- */

static int end(int fn, MPI_Comm *comm, bool disconnect)
{
    int rc;

    if (*comm == MPI_COMM_NULL || !OURS(*comm))
        return disconnect ? PMPI_Comm_disconnect(comm) : PMPI_Comm_free(comm);
    /* Neither has anything to free, but a program that tidies up after AUTO_MIGR is right. */
    if (hmf__shim_phase == HMF__PHASE_LEFT ||
        (hmf__comm_real(*comm) == MPI_COMM_NULL && hmf__shim_phase == HMF__PHASE_REPLAY)) {
        *comm = MPI_COMM_NULL;
        return MPI_SUCCESS;
    }
    rc = hmf__vcomm_free(comm, disconnect);
    return rc == MPI_SUCCESS ? rc : hmf__shim_raise(*comm, rc, fn);
}

int MPI_Comm_free(MPI_Comm *comm)
{
    return end(HMF__FN_Comm_free, comm, false);
}

int MPI_Comm_disconnect(MPI_Comm *comm)
{
    return end(HMF__FN_Comm_disconnect, comm, true);
}
