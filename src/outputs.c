/*
 * The outputs of MPI calls in the start-up log: recorded from the program's memory, or put there in
 * a replay. Every function does nothing for a call that is neither, or that failed.
 */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "shim/shim.h"

static bool busy(const struct hmf__startup_call *c)
{
    return (c->record || c->replay) && c->rc == MPI_SUCCESS;
}

bool hmf__out_is_root(const struct hmf__startup_call *c, int root)
{
    return root == MPI_ROOT || (c->vcomm != NULL && root == c->vcomm->rank &&
                                c->vcomm->kind == HMF__COMM_INTRA);
}

int hmf__out_rank(const struct hmf__startup_call *c)
{
    return c->vcomm != NULL ? c->vcomm->rank : 0;
}

void hmf__out_val(struct hmf__startup_call *c, void *value, size_t size)
{
    const void *from;

    if (!busy(c))
        return;
    if (c->record)
        hmf__buf_put_bytes(&c->entry, value, size);
    else if ((from = hmf__buf_get_bytes(&c->entry, size)) != NULL)
        memcpy(value, from, size);
}

void hmf__shim_set_status(MPI_Status *status, int source, int tag, uint64_t bytes)
{
    if (status == MPI_STATUS_IGNORE)
        return;
    memset(status, 0, sizeof *status);
    status->MPI_SOURCE = source;
    status->MPI_TAG = tag;
    status->MPI_ERROR = MPI_SUCCESS;
    PMPI_Status_set_elements_x(status, MPI_BYTE, (MPI_Count) bytes);
    PMPI_Status_set_cancelled(status, 0);
}

static uint64_t status_bytes(const MPI_Status *status)
{
    MPI_Count n = 0;

    PMPI_Get_elements_x(status, MPI_BYTE, &n);
    return n == MPI_UNDEFINED || n < 0 ? 0 : (uint64_t) n;
}

/* The caller passes a status of its own where the program ignores it. */
void hmf__out_status(struct hmf__startup_call *c, MPI_Status *status)
{
    if (!busy(c))
        return;
    c->status = status;
    if (c->record) {
        int cancelled = 0;

        PMPI_Test_cancelled(status, &cancelled);
        hmf__buf_put_i32(&c->entry, status->MPI_SOURCE);
        hmf__buf_put_i32(&c->entry, status->MPI_TAG);
        hmf__buf_put_i32(&c->entry, status->MPI_ERROR);
        hmf__buf_put_i32(&c->entry, cancelled);
        hmf__buf_put_u64(&c->entry, status_bytes(status));
    } else {
        int source = hmf__buf_get_i32(&c->entry), tag = hmf__buf_get_i32(&c->entry);
        int error = hmf__buf_get_i32(&c->entry), cancelled = hmf__buf_get_i32(&c->entry);

        hmf__shim_set_status(status, source, tag, hmf__buf_get_u64(&c->entry));
        status->MPI_ERROR = error;
        PMPI_Status_set_cancelled(status, cancelled);
    }
}

/* Elements of `type` that lie one after the other, packed with their length before them. */
static void elements(struct hmf__startup_call *c, void *buf, MPI_Count count, MPI_Datatype type)
{
    MPI_Count size = 0;
    int position = 0, bytes;

    PMPI_Type_size_x(type, &size);
    if (count <= 0 || size <= 0)
        return;
    if (count > INT_MAX || size > INT_MAX / count) {
        if (c->record)
            hmf__startup_too_big(c->fn);
        return;
    }
    bytes = (int) (size * count);
    if (c->record) {
        void *to;

        if (!hmf__startup_room((size_t) bytes)) {
            hmf__startup_too_big(c->fn);
            return;
        }
        hmf__buf_put_u64(&c->entry, (uint64_t) bytes);
        to = hmf__buf_space(&c->entry, (size_t) bytes);
        if (to != NULL)
            PMPI_Pack(buf, (int) count, type, to, bytes, &position, MPI_COMM_SELF);
    } else {
        uint64_t had = hmf__buf_get_u64(&c->entry);
        const void *from = hmf__buf_get_bytes(&c->entry, (size_t) had);

        /* The other length shows when the call ends. */
        if (from == NULL || had != (uint64_t) bytes)
            c->entry.status = HMF_ERR_MISMATCH;
        else
            PMPI_Unpack(from, bytes, &position, buf, (int) count, type, MPI_COMM_SELF);
    }
}

void hmf__out_buf(struct hmf__startup_call *c, void *buf, int count, MPI_Datatype type)
{
    if (busy(c) && buf != MPI_IN_PLACE && type != MPI_DATATYPE_NULL)
        elements(c, buf, count, type);
}

void hmf__out_got(struct hmf__startup_call *c, void *buf, int count, MPI_Datatype type)
{
    MPI_Count size = 0, n;

    if (!busy(c) || c->status == NULL || type == MPI_DATATYPE_NULL)
        return;
    PMPI_Type_size_x(type, &size);
    if (size <= 0)
        return;
    /* A last element that was filled in part is stored whole: what is behind it was there
     * before. */
    n = ((MPI_Count) status_bytes(c->status) + size - 1) / size;
    elements(c, buf, n < count ? n : count, type);
}

static int peers(const struct hmf__startup_call *c)
{
    if (c->vcomm == NULL)
        return 0;
    return c->vcomm->kind == HMF__COMM_INTRA ? c->vcomm->size : c->vcomm->remote_size;
}

/* Neighbours on the way in. */
static int neighbours(const struct hmf__startup_call *c)
{
    MPI_Comm real = c->vcomm != NULL ? c->vcomm->real : MPI_COMM_NULL;
    int kind = MPI_UNDEFINED, n = 0, out, weighted;

    if (real == MPI_COMM_NULL || PMPI_Topo_test(real, &kind) != MPI_SUCCESS)
        return 0;
    if (kind == MPI_CART && PMPI_Cartdim_get(real, &n) == MPI_SUCCESS)
        return 2 * n;
    if (kind == MPI_GRAPH && PMPI_Graph_neighbors_count(real, c->vcomm->rank, &n) == MPI_SUCCESS)
        return n;
    if (kind == MPI_DIST_GRAPH &&
        PMPI_Dist_graph_neighbors_count(real, &n, &out, &weighted) == MPI_SUCCESS)
        return n;
    return 0;
}

static void segments(struct hmf__startup_call *c, int n, void *buf, const int *counts,
                     const int *displs, MPI_Datatype type)
{
    MPI_Aint lb, extent = 0;

    PMPI_Type_get_extent(type, &lb, &extent);
    for (int i = 0; i < n; i++)
        elements(c, (char *) buf + displs[i] * extent, counts[i], type);
}

void hmf__out_all(struct hmf__startup_call *c, void *buf, int count, MPI_Datatype type)
{
    if (busy(c))
        elements(c, buf, (MPI_Count) count * peers(c), type);
}

void hmf__out_var(struct hmf__startup_call *c, void *buf, const int *counts, const int *displs,
                  MPI_Datatype type)
{
    if (busy(c))
        segments(c, peers(c), buf, counts, displs, type);
}

void hmf__out_varw(struct hmf__startup_call *c, void *buf, const int *counts, const int *displs,
                   const MPI_Datatype *types)
{
    if (busy(c))
        for (int i = 0; i < peers(c); i++)
            elements(c, (char *) buf + displs[i], counts[i], types[i]);
}

void hmf__out_nall(struct hmf__startup_call *c, void *buf, int count, MPI_Datatype type)
{
    if (busy(c))
        elements(c, buf, (MPI_Count) count * neighbours(c), type);
}

void hmf__out_nvar(struct hmf__startup_call *c, void *buf, const int *counts, const int *displs,
                   MPI_Datatype type)
{
    if (busy(c))
        segments(c, neighbours(c), buf, counts, displs, type);
}

void hmf__out_nvarw(struct hmf__startup_call *c, void *buf, const int *counts,
                    const MPI_Aint *displs, const MPI_Datatype *types)
{
    if (busy(c)) {
        int n = neighbours(c);

        for (int i = 0; i < n; i++)
            elements(c, (char *) buf + displs[i], counts[i], types[i]);
    }
}

void hmf__out_mine(struct hmf__startup_call *c, void *buf, const int *counts, MPI_Datatype type)
{
    if (busy(c) && c->vcomm != NULL)
        elements(c, buf, counts[c->vcomm->rank], type);
}

void hmf__out_void(struct hmf__startup_call *c)
{
    if (c->record)
        hmf__startup_void(c->fn);
}

void hmf__out_comm(struct hmf__startup_call *c, MPI_Comm *comm)
{
    const uint32_t none = UINT32_MAX;
    struct hmf__vcomm *v;
    uint32_t id;

    if (!busy(c))
        return;
    if (c->record) {
        v = *comm == MPI_COMM_NULL ? NULL : hmf__vcomm_of(*comm);
        hmf__buf_put_u32(&c->entry, v != NULL ? v->id : none);
        return;
    }
    id = hmf__buf_get_u32(&c->entry);
    v = id == none ? NULL : hmf__vcomm_by_id(id);
    if (id != none && v == NULL)
        c->entry.status = HMF_ERR_MISMATCH;
    *comm = v != NULL ? hmf__vcomm_handle(v) : MPI_COMM_NULL;
}

void *hmf__out_new(struct hmf__vreq *q, size_t size,
                   void (*visit)(struct hmf__startup_call *c, const void *out))
{
    struct hmf__startup_out *out;

    if (hmf__shim_phase != HMF__PHASE_RECORD && hmf__shim_phase != HMF__PHASE_REPLAY)
        return NULL;
    out = hmf__calloc(1, size);
    if (out == NULL) {
        hmf__startup_void(q->fn);
        return NULL;
    }
    out->visit = visit;
    out->held = MPI_DATATYPE_NULL;
    q->out = out;
    return out;
}

/* The program may free its datatype before the request completes. */
void hmf__out_hold(struct hmf__startup_out *out, MPI_Datatype *type)
{
    if (type == NULL || *type == MPI_DATATYPE_NULL)
        return;
    if (PMPI_Type_dup(*type, &out->held) == MPI_SUCCESS)
        *type = out->held;
    else
        out->held = MPI_DATATYPE_NULL;
}

void hmf__out_free(struct hmf__startup_out *out)
{
    if (out == NULL)
        return;
    if (out->held != MPI_DATATYPE_NULL)
        PMPI_Type_free(&out->held);
    hmf__free(out);
}
