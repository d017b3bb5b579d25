/*
 * Calls that may wait for another rank's program, as threads make them where there are several: in
 * pieces, each a call of its own, so that a thread can be held between two of them (gate.h). What such
 * a call has posted is a request like others meanwhile: it is taken back at a cut, and posted again.
 */
#include "config.h"

#include <sched.h>

#include "gate.h"
#include "shim/shim.h"

/* Waiting by asking: gives way when nothing comes. */
struct turn { unsigned n; };

static void next_turn(struct turn *t)
{
    if (++t->n > 64)
        sched_yield();
}

/* What has no communicator of ours, and the start-up with its log of calls, goes in one piece. */
#define IN_ONE_PIECE(comm, fn, call)                                                               \
    if (hmf__shim_phase != HMF__PHASE_NORMAL || hmf__vcomm_of(comm) == NULL) {                     \
        int rc_;                                                                                   \
        hmf__gate_enter(fn, MPI_COMM_NULL);                                                        \
        rc_ = call;                                                                                \
        hmf__gate_leave();                                                                         \
        return rc_;                                                                                \
    }

/* One piece of `fn`: makes a request, which is none of the program's. */
#define POST(fn, request, call)                                                                    \
    ({                                                                                             \
        struct hmf__vreq *q_;                                                                      \
        int post_rc_;                                                                              \
        hmf__gate_enter(fn, MPI_COMM_NULL);                                                        \
        post_rc_ = call;                                                                           \
        q_ = post_rc_ == MPI_SUCCESS ? hmf__vreq_of(*(request)) : NULL;                            \
        if (q_ != NULL)                                                                            \
            q_->flags |= HMF__VREQ_THREAD;                                                         \
        hmf__gate_leave();                                                                         \
        post_rc_;                                                                                  \
    })

/* Pieces of `fn` until `done`, an expression over what `call` gave, or an error. */
#define UNTIL(done, fn, call)                                                                      \
    ({                                                                                             \
        struct turn turn_ = {0};                                                                   \
        int until_rc_;                                                                             \
        for (;; next_turn(&turn_)) {                                                               \
            hmf__gate_enter(fn, MPI_COMM_NULL);                                                    \
            until_rc_ = call;                                                                      \
            hmf__gate_leave();                                                                     \
            if (until_rc_ != MPI_SUCCESS || (done))                                                \
                break;                                                                             \
        }                                                                                          \
        until_rc_;                                                                                 \
    })

/* ---- completion: nothing has happened to the program's requests until it is done ---- */

int hmf__in_pieces_Wait(MPI_Request *request, MPI_Status *status)
{
    int flag = 0;

    return UNTIL(flag, HMF__FN_Wait, MPI_Test(request, &flag, status));
}

int hmf__in_pieces_Waitall(int n, MPI_Request requests[], MPI_Status *statuses)
{
    int flag = 0;

    return UNTIL(flag, HMF__FN_Waitall, MPI_Testall(n, requests, &flag, statuses));
}

int hmf__in_pieces_Waitany(int n, MPI_Request requests[], int *index, MPI_Status *status)
{
    int flag = 0;

    return UNTIL(flag, HMF__FN_Waitany, MPI_Testany(n, requests, index, &flag, status));
}

int hmf__in_pieces_Waitsome(int n, MPI_Request requests[], int *count, int indices[],
                            MPI_Status statuses[])
{
    return UNTIL(*count != 0, HMF__FN_Waitsome, MPI_Testsome(n, requests, count, indices, statuses));
}

/* ---- receives and probes ---- */

int hmf__in_pieces_Recv(void *buf, int count, MPI_Datatype datatype, int source, int tag,
                        MPI_Comm comm, MPI_Status *status)
{
    MPI_Request request = MPI_REQUEST_NULL;
    int flag = 0, rc;

    IN_ONE_PIECE(comm, HMF__FN_Recv, MPI_Recv(buf, count, datatype, source, tag, comm, status))
    rc = POST(HMF__FN_Recv, &request,
              MPI_Irecv(buf, count, datatype, source, tag, comm, &request));
    return rc != MPI_SUCCESS ? rc : UNTIL(flag, HMF__FN_Recv, MPI_Test(&request, &flag, status));
}

int hmf__in_pieces_Probe(int source, int tag, MPI_Comm comm, MPI_Status *status)
{
    int flag = 0;

    IN_ONE_PIECE(comm, HMF__FN_Probe, MPI_Probe(source, tag, comm, status))
    return UNTIL(flag, HMF__FN_Probe, MPI_Iprobe(source, tag, comm, &flag, status));
}

int hmf__in_pieces_Mprobe(int source, int tag, MPI_Comm comm, MPI_Message *message,
                          MPI_Status *status)
{
    int flag = 0;

    IN_ONE_PIECE(comm, HMF__FN_Mprobe, MPI_Mprobe(source, tag, comm, message, status))
    return UNTIL(flag, HMF__FN_Mprobe, MPI_Improbe(source, tag, comm, &flag, message, status));
}

/* ---- sends: cannot be made twice, so they must end before the rank leaves ---- */

#define SEND(name, post)                                                                           \
    int hmf__in_pieces_##name(const void *buf, int count, MPI_Datatype datatype, int dest,         \
                              int tag, MPI_Comm comm)                                              \
    {                                                                                              \
        MPI_Request request = MPI_REQUEST_NULL;                                                    \
        int flag = 0, rc;                                                                          \
                                                                                                   \
        IN_ONE_PIECE(comm, HMF__FN_##name, MPI_##name(buf, count, datatype, dest, tag, comm))      \
        hmf__gate_enter(HMF__FN_##name, MPI_COMM_NULL);                                            \
        hmf__gate_within(HMF__FN_##name, true);                                                    \
        hmf__gate_leave();                                                                         \
        rc = POST(HMF__FN_##name, &request, post(buf, count, datatype, dest, tag, comm, &request));\
        if (rc == MPI_SUCCESS)                                                                     \
            rc = UNTIL(flag, HMF__FN_##name, MPI_Test(&request, &flag, MPI_STATUS_IGNORE));        \
        hmf__gate_within(-1, false);                                                               \
        return rc;                                                                                 \
    }

SEND(Send, MPI_Isend)
SEND(Ssend, MPI_Issend)
SEND(Rsend, MPI_Irsend)

int hmf__in_pieces_Sendrecv(const void *sendbuf, int sendcount, MPI_Datatype sendtype, int dest,
                            int sendtag, void *recvbuf, int recvcount, MPI_Datatype recvtype,
                            int source, int recvtag, MPI_Comm comm, MPI_Status *status)
{
    MPI_Request r[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    int flag = 0, rc;

    IN_ONE_PIECE(comm, HMF__FN_Sendrecv,
                 MPI_Sendrecv(sendbuf, sendcount, sendtype, dest, sendtag, recvbuf, recvcount,
                              recvtype, source, recvtag, comm, status))
    hmf__gate_enter(HMF__FN_Sendrecv, MPI_COMM_NULL);
    hmf__gate_within(HMF__FN_Sendrecv, true);
    hmf__gate_leave();
    rc = POST(HMF__FN_Sendrecv, &r[0],
              MPI_Irecv(recvbuf, recvcount, recvtype, source, recvtag, comm, &r[0]));
    if (rc == MPI_SUCCESS)
        rc = POST(HMF__FN_Sendrecv, &r[1],
                  MPI_Isend(sendbuf, sendcount, sendtype, dest, sendtag, comm, &r[1]));
    if (rc == MPI_SUCCESS)
        rc = UNTIL(flag, HMF__FN_Sendrecv, MPI_Test(&r[1], &flag, MPI_STATUS_IGNORE));
    flag = 0;
    if (rc == MPI_SUCCESS)
        rc = UNTIL(flag, HMF__FN_Sendrecv, MPI_Test(&r[0], &flag, status));
    hmf__gate_within(-1, false);
    return rc;
}

/* What is sent is copied first, since the answer comes into the same place. */
int hmf__in_pieces_Sendrecv_replace(void *buf, int count, MPI_Datatype datatype, int dest,
                                    int sendtag, int source, int recvtag, MPI_Comm comm,
                                    MPI_Status *status)
{
    int size = 0, position = 0, rc;
    void *copy = NULL;

    IN_ONE_PIECE(comm, HMF__FN_Sendrecv_replace,
                 MPI_Sendrecv_replace(buf, count, datatype, dest, sendtag, source, recvtag, comm,
                                      status))
    rc = PMPI_Pack_size(count, datatype, MPI_COMM_SELF, &size);
    if (rc == MPI_SUCCESS && (copy = hmf__malloc((size_t) size + 1)) == NULL)
        rc = MPI_ERR_NO_MEM;
    if (rc == MPI_SUCCESS)
        rc = PMPI_Pack(buf, count, datatype, copy, size, &position, MPI_COMM_SELF);
    if (rc == MPI_SUCCESS)
        rc = hmf__in_pieces_Sendrecv(copy, position, MPI_PACKED, dest, sendtag, buf, count,
                                     datatype, source, recvtag, comm, status);
    else
        rc = hmf__shim_raise(comm, rc, HMF__FN_Sendrecv_replace);
    hmf__free(copy);
    return rc;
}
