/* How real communicators get into the table of virtual ones and out of it: the creating calls of
 * the program end here, and MPI_Comm_free.  Declared in vcomm.h.
 */
#include "config.h"

#include "vcomm.h"

#include "base.h"
#include "procmap.h"
#include "vattr.h"

/* Logical ranks of a real group; *outside is set if a process holds none. */
static int members_of(MPI_Group group, struct hmf__members **out, bool *outside)
{
    int n, rc, *ranks;

    rc = PMPI_Group_size(group, &n);
    if (rc != MPI_SUCCESS)
        return rc;
    ranks = hmf__malloc((size_t) n * sizeof(int));
    if (ranks == NULL)
        return MPI_ERR_NO_MEM;
    rc = hmf__procmap_ranks(group, n, ranks);
    for (int i = 0; rc == MPI_SUCCESS && i < n; i++)
        if (ranks[i] < 0)
            *outside = true;
    if (rc == MPI_SUCCESS) {
        *out = hmf__members_share(ranks, n);
        if (*out == NULL)
            rc = MPI_ERR_NO_MEM;
    }
    hmf__free(ranks);
    return rc;
}

/* Everything about `v` that its real communicator tells. */
static int describe(struct hmf__vcomm *v, MPI_Comm real)
{
    bool outside = false;
    MPI_Group group;
    int inter, rc;

    rc = PMPI_Comm_test_inter(real, &inter);
    if (rc == MPI_SUCCESS)
        rc = PMPI_Comm_rank(real, &v->rank);
    if (rc == MPI_SUCCESS)
        rc = PMPI_Comm_group(real, &group);
    if (rc != MPI_SUCCESS)
        return rc;
    rc = members_of(group, &v->members, &outside);
    PMPI_Group_free(&group);
    if (rc == MPI_SUCCESS && inter) {
        rc = PMPI_Comm_remote_group(real, &group);
        if (rc != MPI_SUCCESS)
            return rc;
        rc = members_of(group, &v->remote, &outside);
        PMPI_Group_free(&group);
    }
    if (rc != MPI_SUCCESS)
        return rc;
    v->size = v->members->n;
    v->remote_size = v->remote != NULL ? v->remote->n : 0;
    v->kind = outside ? HMF__COMM_FOREIGN : inter ? HMF__COMM_INTER : HMF__COMM_INTRA;
    return MPI_SUCCESS;
}

static hmf_status_t enter(MPI_Comm real, unsigned flags, struct hmf__vcomm **out)
{
    uint32_t id = hmf__vcomm_next_id();
    struct hmf__vcomm *v;
    hmf_status_t status = hmf__vcomm_insert(id, &v);
    int rc;

    if (status != HMF_OK)
        return status;
    rc = describe(v, real);
    if (rc != MPI_SUCCESS) {
        v->flags = 0;
        hmf__vcomm_destroy(v);
        return rc == MPI_ERR_NO_MEM
            ? hmf__fail(HMF_ERR_NOMEM, "no memory for the members of a communicator")
            : hmf__fail(HMF_ERR_MPI, "MPI does not tell the members of a new communicator "
                        "(%d)", rc);
    }
    v->flags |= flags;
    v->real = real;
    hmf__vcomm_set_next_id(id + 1);
    *out = v;
    return HMF_OK;
}

/* Name of the n-th child of a communicator; siblings of one split differ in their first member. */
static uint64_t child_gid(const struct hmf__vcomm *parent, uint64_t n, const struct hmf__vcomm *v)
{
    uint64_t first = (uint64_t) v->members->rank[0];

    if (v->remote != NULL && v->remote->rank[0] < v->members->rank[0])
        first = (uint64_t) v->remote->rank[0];
    return hmf__vcomm_mix(hmf__vcomm_mix(parent->gid, n), first);
}

hmf_status_t hmf__vcomm_adopt(MPI_Comm real, MPI_Comm parent, unsigned flags, MPI_Comm *out)
{
    struct hmf__vcomm *p = hmf__vcomm_of(parent), *v;
    hmf_status_t status = HMF_OK;
    uint64_t n;

    *out = MPI_COMM_NULL;
    if (p == NULL) {
        *out = real;
        return HMF_OK;
    }
    hmf__vcomm_lock();
    n = ++p->children;
    if (real != MPI_COMM_NULL) {
        status = enter(real, flags, &v);
        if (status == HMF_OK) {
            v->gid = child_gid(p, n, v);
            *out = hmf__vcomm_handle(v);
        }
    }
    hmf__vcomm_unlock();
    return status;
}

/* One name for all members, made by the first member of the first group. */
static int agree_gid(MPI_Comm real, struct hmf__vcomm *v)
{
    bool first = v->remote == NULL || v->members->rank[0] < v->remote->rank[0];
    uint64_t gid = hmf__vcomm_mix((uint64_t) v->members->rank[0] << 32 | v->id,
                                  UINT64_C(0x67726f7570));
    int rc;

    if (v->remote == NULL) {
        rc = PMPI_Bcast(&gid, sizeof(gid), MPI_BYTE, 0, real);
    } else {
        int root = v->rank == 0 ? MPI_ROOT : MPI_PROC_NULL;

        /* There and back, so that the others of the first group hear it as well. */
        rc = PMPI_Bcast(&gid, sizeof(gid), MPI_BYTE, first ? root : 0, real);
        if (rc == MPI_SUCCESS)
            rc = PMPI_Bcast(&gid, sizeof(gid), MPI_BYTE, first ? 0 : root, real);
    }
    v->gid = gid;
    return rc;
}

hmf_status_t hmf__vcomm_adopt_group(MPI_Comm real, MPI_Comm *out)
{
    struct hmf__vcomm *v;
    hmf_status_t status;
    int rc;

    *out = MPI_COMM_NULL;
    if (real == MPI_COMM_NULL)
        return HMF_OK;
    hmf__vcomm_lock();
    status = enter(real, 0, &v);
    hmf__vcomm_unlock();
    if (status != HMF_OK)
        return status;
    rc = agree_gid(real, v);
    if (rc != MPI_SUCCESS) {
        hmf__vcomm_lock();
        v->flags = 0;
        hmf__vcomm_destroy(v);
        hmf__vcomm_unlock();
        return hmf__fail(HMF_ERR_MPI, "a broadcast over a new communicator failed (%d)", rc);
    }
    *out = hmf__vcomm_handle(v);
    return HMF_OK;
}

hmf_status_t hmf__vcomm_adopt_idup(MPI_Comm parent, MPI_Comm *out, MPI_Comm **where)
{
    struct hmf__vcomm *p = hmf__vcomm_of(parent), *v;
    hmf_status_t status;

    *out = MPI_COMM_NULL;
    if (p == NULL)
        return hmf__fail(HMF_ERR_ARG, "not a communicator of this library");
    hmf__vcomm_lock();
    status = hmf__vcomm_insert(hmf__vcomm_next_id(), &v);
    if (status == HMF_OK) {
        hmf__vcomm_set_next_id(v->id + 1);
        v->kind = p->kind;
        v->rank = p->rank;
        v->size = p->size;
        v->remote_size = p->remote_size;
        v->members = p->members;
        v->remote = p->remote;
        if (v->members != NULL)
            v->members->refs++;
        if (v->remote != NULL)
            v->remote->refs++;
        v->flags |= p->flags & HMF__COMM_NODE;
        v->gid = child_gid(p, ++p->children, v);
        *where = &v->real;
        *out = hmf__vcomm_handle(v);
    }
    hmf__vcomm_unlock();
    return status;
}

hmf_status_t hmf__vcomm_adopt_foreign(MPI_Comm real, MPI_Comm *out)
{
    struct hmf__vcomm *v;
    hmf_status_t status;

    *out = MPI_COMM_NULL;
    if (real == MPI_COMM_NULL)
        return HMF_OK;
    hmf__vcomm_lock();
    status = enter(real, 0, &v);
    if (status == HMF_OK) {
        v->kind = HMF__COMM_FOREIGN;
        v->gid = hmf__vcomm_mix(v->id, UINT64_C(0x666f72));
        *out = hmf__vcomm_handle(v);
    }
    hmf__vcomm_unlock();
    return status;
}

/* Nobody needs it any more.  MPI_Comm_free of Open MPI is local, so a deferred one is no
 * deadlock. */
static int drop(struct hmf__vcomm *v, bool disconnect)
{
    MPI_Comm real = v->real;
    int rc = MPI_SUCCESS;

    hmf__vcomm_lock();
    hmf__vcomm_destroy(v);
    hmf__vcomm_unlock();
    if (real != MPI_COMM_NULL)
        rc = disconnect ? PMPI_Comm_disconnect(&real) : PMPI_Comm_free(&real);
    return rc;
}

int hmf__vcomm_free(MPI_Comm *c, bool disconnect)
{
    struct hmf__vcomm *v = hmf__vcomm_of(*c);
    bool last;
    int rc;

    if (v == NULL || v->flags & (HMF__COMM_FIXED | HMF__COMM_FREED) || v->real == MPI_COMM_NULL)
        return MPI_ERR_COMM;
    rc = hmf__attr_delete_all(*c);
    if (rc != MPI_SUCCESS)
        return rc;
    *c = MPI_COMM_NULL;
    hmf__vcomm_lock();
    last = --v->refs == 0;
    if (!last)
        v->flags |= HMF__COMM_FREED;
    hmf__vcomm_unlock();
    return last ? drop(v, disconnect) : MPI_SUCCESS;
}

void hmf__vcomm_hold(struct hmf__vcomm *v)
{
    hmf__vcomm_lock();
    v->refs++;
    hmf__vcomm_unlock();
}

void hmf__vcomm_release(struct hmf__vcomm *v)
{
    bool last;

    hmf__vcomm_lock();
    last = --v->refs == 0;
    hmf__vcomm_unlock();
    if (last)
        drop(v, false);
}
