/*
 * The slow side of the wrappers: beginning and handing out requests, calls in a process that has
 * left, errors of our own, and delivery of messages that are already here.
 */
#include "config.h"

#include "gate.h"
#include "shim/shim.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

int hmf__shim_left(int fn)
{
    static unsigned char told[HMF__FN_COUNT];

    /* It is how the other threads of such a process learn of it. */
    if (hmf__gate_on && !hmf__gate_is_main())
        return MPI_ERR_COMM;
    if (fn >= 0 && fn < HMF__FN_COUNT && !told[fn]) {
        told[fn] = 1;
        hmf__log(HMF__LOG_ERROR, "%s was called in a process whose rank lives elsewhere: after"
                 " AUTO_MIGR go to auto_done and MPI_Finalize", hmf__fn_name(fn));
    }
    return MPI_ERR_COMM;
}

int hmf__shim_no_comm(int fn, MPI_Comm comm)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);
    char name[160];

    if (hmf__shim_phase == HMF__PHASE_LEFT)
        return hmf__shim_left(fn);
    if (v != NULL && (v->flags & HMF__COMM_GHOST))
        hmf__log(HMF__LOG_WARN, "%s on %s, which the rank has freed since: a new process can only"
                 " ask it for rank, size and group", hmf__fn_name(fn),
                 hmf__vcomm_text(v, name, sizeof name));
    return MPI_ERR_COMM;
}

bool hmf__shim_window(int fn)
{
    if (hmf__shim_phase == HMF__PHASE_LEFT) {
        hmf__shim_left(fn);
        return false;
    }
    hmf__startup_void(fn);
    return true;
}

int hmf__shim_status_to_mpi(hmf_status_t status)
{
    switch (status) {
    case HMF_OK: return MPI_SUCCESS;
    case HMF_ERR_NOMEM: return MPI_ERR_NO_MEM;
    case HMF_ERR_ARG: return MPI_ERR_ARG;
    default: return MPI_ERR_OTHER;
    }
}

int hmf__shim_raise(MPI_Comm comm, int code, int fn)
{
    MPI_Comm real = hmf__comm_real(comm);

    if (code == MPI_SUCCESS)
        return code;
    if (code == MPI_ERR_NO_MEM || code == MPI_ERR_OTHER)
        hmf__log(HMF__LOG_ERROR, "%s: %s", hmf__fn_name(fn), hmf_error_text());
    if (real != MPI_COMM_NULL)
        PMPI_Comm_call_errhandler(real, code);
    return code;
}

static bool fresh(int kind, int fn, struct hmf__vcomm *v, struct hmf__vreq **q, int *rc)
{
    *rc = MPI_SUCCESS;
    *q = hmf__vreq_new(kind, fn, v);
    if (hmf__likely(*q != NULL))
        return true;
    *rc = hmf__shim_raise(v != NULL ? hmf__vcomm_handle(v) : MPI_COMM_WORLD, MPI_ERR_NO_MEM, fn);
    return false;
}

static __attribute__((noinline, cold)) bool begin_slow(int kind, int fn, struct hmf__vcomm *v,
                                                       struct hmf__vreq **q, int *rc)
{
    if (hmf__shim_phase == HMF__PHASE_LEFT) {
        *rc = hmf__shim_left(fn);
        return false;
    }
    if (kind == HMF__VREQ_RMA)
        hmf__startup_void(fn);
    if (!fresh(kind, fn, v, q, rc))
        return false;
    if (hmf__shim_phase == HMF__PHASE_REPLAY && v != &hmf__vcomm_self &&
        kind != HMF__VREQ_GREQ && kind != HMF__VREQ_RMA)
        (*q)->flags |= HMF__VREQ_REPLAY;
    return true;
}

bool hmf__vreq_begin(int kind, int fn, MPI_Comm comm, MPI_Request *request, struct hmf__vreq **q,
                     int *rc)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);

    (void) request;
    if (hmf__likely(hmf__shim_phase == HMF__PHASE_NORMAL))
        return fresh(kind, fn, v, q, rc);
    return begin_slow(kind, fn, v, q, rc);
}

bool hmf__vreq_begin_init(int kind, int fn, MPI_Comm comm, MPI_Request *request,
                          struct hmf__vreq **q, int *rc)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);

    (void) request;
    if (hmf__shim_phase == HMF__PHASE_LEFT) {
        *rc = hmf__shim_left(fn);
        return false;
    }
    if (!fresh(kind, fn, v, q, rc))
        return false;
    (*q)->flags |= HMF__VREQ_PERSISTENT;
    (*q)->flags &= ~(unsigned) HMF__VREQ_ACTIVE;
    (*q)->made_on = v != NULL ? v->real : MPI_COMM_NULL;
    return true;
}

bool hmf__vreq_begin_other(int kind, int fn, MPI_Request *request, struct hmf__vreq **q, int *rc)
{
    (void) request;
    if (hmf__likely(hmf__shim_phase == HMF__PHASE_NORMAL))
        return fresh(kind, fn, NULL, q, rc);
    return begin_slow(kind, fn, NULL, q, rc);
}

int hmf__vreq_end(struct hmf__vreq *q, int rc, MPI_Request *request)
{
    if (hmf__likely(rc == MPI_SUCCESS)) {
        *request = (MPI_Request) (void *) q;
    } else {
        *request = MPI_REQUEST_NULL;
        hmf__vreq_drop(q);
    }
    return rc;
}

int hmf__vreq_end_send(struct hmf__vreq *q, int rc, MPI_Request *request)
{
    if (hmf__likely(rc == MPI_SUCCESS && q->peer != MPI_PROC_NULL) &&
        !(q->flags & HMF__VREQ_REPLAY))
        hmf__count_sent_v(q->vcomm);
    return hmf__vreq_end(q, rc, request);
}

int hmf__vreq_end_init(struct hmf__vreq *q, int rc, MPI_Request *request)
{
    return hmf__vreq_end(q, rc, request);
}

/* Bytes as one datatype, since a count is an int. */
static int byte_type(uint64_t bytes, int *count, MPI_Datatype *type)
{
    const uint64_t block = UINT64_C(1) << 30;
    int lengths[2] = {1, (int) (bytes % block)};
    MPI_Aint displs[2] = {0, (MPI_Aint) (bytes - bytes % block)};
    MPI_Datatype types[2] = {MPI_DATATYPE_NULL, MPI_PACKED};
    MPI_Datatype giga;
    int rc;

    *count = (int) bytes;
    *type = MPI_PACKED;
    if (bytes <= INT_MAX)
        return MPI_SUCCESS;
    *count = 1;
    rc = PMPI_Type_contiguous((int) block, MPI_PACKED, &giga);
    if (rc == MPI_SUCCESS) {
        rc = PMPI_Type_contiguous((int) (bytes / block), giga, &types[0]);
        PMPI_Type_free(&giga);
    }
    if (rc == MPI_SUCCESS) {
        rc = PMPI_Type_create_struct(2, lengths, displs, types, type);
        PMPI_Type_free(&types[0]);
    }
    return rc == MPI_SUCCESS ? PMPI_Type_commit(type) : rc;
}

/* MPI itself unpacks, by a message to ourselves: so parts of elements, truncation and the count in
 * the status come out exactly as from the wire. */
int hmf__shim_deliver(const void *data, uint64_t bytes, int source, int tag, void *buf, int count,
                      MPI_Datatype type, MPI_Status *status)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER; /* two would take each other's message */
    static MPI_Comm self = MPI_COMM_NULL;
    MPI_Datatype sendtype;
    MPI_Status own = { 0 };
    int n, rc;

    rc = byte_type(bytes, &n, &sendtype);
    if (rc != MPI_SUCCESS)
        return rc;
    pthread_mutex_lock(&one);
    if (self == MPI_COMM_NULL) {
        rc = PMPI_Comm_dup(MPI_COMM_SELF, &self);
        if (rc == MPI_SUCCESS)
            PMPI_Comm_set_errhandler(self, MPI_ERRORS_RETURN);
    }
    if (rc == MPI_SUCCESS)
        rc = PMPI_Sendrecv(data, n, sendtype, 0, 0, buf, count, type, 0, 0, self, &own);
    pthread_mutex_unlock(&one);
    if (sendtype != MPI_PACKED)
        PMPI_Type_free(&sendtype);
    own.MPI_SOURCE = source;
    own.MPI_TAG = tag;
    own.MPI_ERROR = rc;
    if (status != MPI_STATUS_IGNORE)
        *status = own;
    return rc;
}

int hmf__shim_take_bytes(void *data, uint64_t bytes, MPI_Message *message)
{
    MPI_Datatype type;
    int n, rc = byte_type(bytes, &n, &type);

    if (rc != MPI_SUCCESS)
        return rc;
    rc = PMPI_Mrecv(data, n, type, message, MPI_STATUS_IGNORE);
    if (type != MPI_PACKED)
        PMPI_Type_free(&type);
    return rc;
}
