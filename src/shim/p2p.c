/*
 * Receives and probes. Messages that a drain took out of MPI lie in the stash of their
 * communicator; every receive looks there before the wire, since what is there was sent earlier.
 *
 * Sends are generated; nonblocking ones are in the generated code too.
 */
#include "config.h"

#include "shim/shim.h"
#include "shim/timed.h"
#include "vbuffer.h"
#include "stash.h"
#include "vmsg.h"

/* Was a message taken from MPI by a call with this code? A truncated one was. */
static inline bool arrived(int rc)
{
    int class = MPI_SUCCESS;

    if (hmf__likely(rc == MPI_SUCCESS))
        return true;
    PMPI_Error_class(rc, &class);
    return class == MPI_ERR_TRUNCATE;
}

static inline struct hmf__stashed *stashed(struct hmf__vcomm *v, int source, int tag)
{
    if (hmf__likely(hmf__stash_total == 0) || v->stash == NULL)
        return NULL;
    return hmf__stash_take(v, source, tag);
}

static int deliver(struct hmf__vcomm *v, struct hmf__stashed *m, void *buf, int count,
                   MPI_Datatype datatype, MPI_Status *status, int fn)
{
    int rc = hmf__shim_deliver(m->data, m->bytes, m->source, m->tag, buf, count, datatype, status);

    hmf__stash_free(m);
    return rc == MPI_SUCCESS ? rc : hmf__shim_raise(hmf__vcomm_handle(v), rc, fn);
}

static inline int receive(struct hmf__vcomm *v, void *buf, int count, MPI_Datatype datatype,
                          int source, int tag, MPI_Status *status)
{
    struct hmf__stashed *m = stashed(v, source, tag);
    int rc;

    if (hmf__unlikely(m != NULL))
        return deliver(v, m, buf, count, datatype, status, HMF__FN_Recv);
    rc = PMPI_Recv(buf, count, datatype, source, tag, v->real, status);
    if (source != MPI_PROC_NULL && arrived(rc))
        hmf__count_received_v(v);
    return rc;
}

static __attribute__((noinline, cold)) int slow_recv(void *buf, int count, MPI_Datatype datatype,
                                                     int source, int tag, MPI_Comm comm,
                                                     MPI_Status *status)
{
    MPI_Status own, *s = status == MPI_STATUS_IGNORE ? &own : status;
    struct hmf__startup_call c;

    if (!hmf__startup_enter(&c, HMF__FN_Recv, comm, source, tag))
        return c.rc;
    if (c.live)
        c.rc = receive(c.vcomm, buf, count, datatype, source, tag, s);
    hmf__out_status(&c, s);
    hmf__out_got(&c, buf, count, datatype);
    return hmf__startup_return(&c);
}

int MPI_Recv(void *buf, int count, MPI_Datatype datatype, int source, int tag, MPI_Comm comm,
             MPI_Status *status)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);

    if (hmf__unlikely(v == NULL))
        return PMPI_Recv(buf, count, datatype, source, tag, comm, status);
    if (hmf__likely(hmf__shim_phase == HMF__PHASE_NORMAL))
        return receive(v, buf, count, datatype, source, tag, status);
    return slow_recv(buf, count, datatype, source, tag, comm, status);
}

bool hmf__p2p_from_stash(struct hmf__vreq *q)
{
    struct hmf__stashed *m = stashed(q->vcomm, q->peer, q->tag);

    if (m == NULL)
        return false;
    q->error = hmf__shim_deliver(m->data, m->bytes, m->source, m->tag, q->buf, q->count,
                                 q->datatype, &q->status);
    q->flags |= HMF__VREQ_DONE;
    hmf__stash_free(m);
    return true;
}

int MPI_Irecv(void *buf, int count, MPI_Datatype datatype, int source, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);
    struct hmf__vreq *q;
    int rc;

    if (hmf__unlikely(v == NULL))
        return PMPI_Irecv(buf, count, datatype, source, tag, comm, request);
    if (!hmf__vreq_begin(HMF__VREQ_RECV, HMF__FN_Irecv, comm, request, &q, &rc))
        return rc;
    q->buf = buf;
    q->count = count;
    q->datatype = datatype;
    q->peer = source;
    q->tag = tag;
    if (source != MPI_PROC_NULL)
        q->flags |= HMF__VREQ_COUNTED;
    if (hmf__unlikely((hmf__stash_total > 0 && hmf__p2p_from_stash(q)) ||
                      (q->flags & HMF__VREQ_REPLAY)))
        return hmf__vreq_end(q, MPI_SUCCESS, request);
    rc = PMPI_Irecv(buf, count, datatype, source, tag, v->real, &q->real);
    return hmf__vreq_end(q, rc, request);
}

int MPI_Recv_init(void *buf, int count, MPI_Datatype datatype, int source, int tag, MPI_Comm comm,
                  MPI_Request *request)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);
    struct hmf__vreq *q;
    int rc;

    if (v == NULL)
        return PMPI_Recv_init(buf, count, datatype, source, tag, comm, request);
    if (!hmf__vreq_begin_init(HMF__VREQ_RECV, HMF__FN_Recv_init, comm, request, &q, &rc))
        return rc;
    q->buf = buf;
    q->count = count;
    q->datatype = datatype;
    q->peer = source;
    q->tag = tag;
    if (source != MPI_PROC_NULL)
        q->flags |= HMF__VREQ_COUNTED;
    rc = PMPI_Recv_init(buf, count, datatype, source, tag, v->real, &q->real);
    return hmf__vreq_end_init(q, rc, request);
}

/* Sends while the message to receive is here already: the send must not wait for our receive. */
static int exchange_stashed(struct hmf__vcomm *v, struct hmf__stashed *m, const void *sendbuf,
                            int sendcount, MPI_Datatype sendtype, int dest, int sendtag,
                            void *recvbuf, int recvcount, MPI_Datatype recvtype,
                            MPI_Status *status, int fn)
{
    MPI_Request request;
    int rc, send_rc;

    send_rc = PMPI_Isend(sendbuf, sendcount, sendtype, dest, sendtag, v->real, &request);
    rc = deliver(v, m, recvbuf, recvcount, recvtype, status, fn);
    if (send_rc == MPI_SUCCESS)
        send_rc = PMPI_Wait(&request, MPI_STATUS_IGNORE);
    return send_rc != MPI_SUCCESS ? send_rc : rc;
}

static int sendrecv(struct hmf__vcomm *v, const void *sendbuf, int sendcount,
                    MPI_Datatype sendtype, int dest, int sendtag, void *recvbuf, int recvcount,
                    MPI_Datatype recvtype, int source, int recvtag, MPI_Status *status)
{
    struct hmf__stashed *m = stashed(v, source, recvtag);
    int rc;

    if (hmf__unlikely(m != NULL))
        rc = exchange_stashed(v, m, sendbuf, sendcount, sendtype, dest, sendtag, recvbuf,
                              recvcount, recvtype, status, HMF__FN_Sendrecv);
    else
        rc = PMPI_Sendrecv(sendbuf, sendcount, sendtype, dest, sendtag, recvbuf, recvcount,
                           recvtype, source, recvtag, v->real, status);
    if (arrived(rc)) {
        if (dest != MPI_PROC_NULL)
            hmf__count_sent_v(v);
        if (m == NULL && source != MPI_PROC_NULL)
            hmf__count_received_v(v);
    }
    return rc;
}

int MPI_Sendrecv(const void *sendbuf, int sendcount, MPI_Datatype sendtype, int dest, int sendtag,
                 void *recvbuf, int recvcount, MPI_Datatype recvtype, int source, int recvtag,
                 MPI_Comm comm, MPI_Status *status)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);
    MPI_Status own, *s = status == MPI_STATUS_IGNORE ? &own : status;
    struct hmf__startup_call c;

    if (hmf__unlikely(v == NULL))
        return PMPI_Sendrecv(sendbuf, sendcount, sendtype, dest, sendtag, recvbuf, recvcount,
                             recvtype, source, recvtag, comm, status);
    if (hmf__likely(hmf__shim_phase == HMF__PHASE_NORMAL))
        return sendrecv(v, sendbuf, sendcount, sendtype, dest, sendtag, recvbuf, recvcount,
                        recvtype, source, recvtag, status);
    if (!hmf__startup_enter(&c, HMF__FN_Sendrecv, comm, source, recvtag))
        return c.rc;
    if (c.live)
        c.rc = sendrecv(v, sendbuf, sendcount, sendtype, dest, sendtag, recvbuf, recvcount,
                        recvtype, source, recvtag, s);
    hmf__out_status(&c, s);
    hmf__out_got(&c, recvbuf, recvcount, recvtype);
    return hmf__startup_return(&c);
}

static int replace(struct hmf__vcomm *v, void *buf, int count, MPI_Datatype datatype, int dest,
                   int sendtag, int source, int recvtag, MPI_Status *status)
{
    struct hmf__stashed *m = stashed(v, source, recvtag);
    int rc;

    if (hmf__unlikely(m != NULL)) {
        int size = 0, position = 0;
        void *copy = NULL;

        rc = PMPI_Pack_size(count, datatype, MPI_COMM_SELF, &size);
        if (rc == MPI_SUCCESS && (copy = hmf__malloc((size_t) size)) == NULL)
            rc = MPI_ERR_NO_MEM;
        if (rc == MPI_SUCCESS)
            rc = PMPI_Pack(buf, count, datatype, copy, size, &position, MPI_COMM_SELF);
        if (rc == MPI_SUCCESS) {
            rc = exchange_stashed(v, m, copy, position, MPI_PACKED, dest, sendtag, buf, count,
                                  datatype, status, HMF__FN_Sendrecv_replace);
        } else {
            hmf__fail(HMF_ERR_NOMEM, "no memory for a copy of %d bytes", size);
            hmf__shim_raise(hmf__vcomm_handle(v), rc, HMF__FN_Sendrecv_replace);
            hmf__stash_free(m);
        }
        hmf__free(copy);
    } else {
        rc = PMPI_Sendrecv_replace(buf, count, datatype, dest, sendtag, source, recvtag, v->real,
                                   status);
    }
    if (arrived(rc)) {
        if (dest != MPI_PROC_NULL)
            hmf__count_sent_v(v);
        if (m == NULL && source != MPI_PROC_NULL)
            hmf__count_received_v(v);
    }
    return rc;
}

int MPI_Sendrecv_replace(void *buf, int count, MPI_Datatype datatype, int dest, int sendtag,
                         int source, int recvtag, MPI_Comm comm, MPI_Status *status)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);
    MPI_Status own, *s = status == MPI_STATUS_IGNORE ? &own : status;
    struct hmf__startup_call c;

    if (hmf__unlikely(v == NULL))
        return PMPI_Sendrecv_replace(buf, count, datatype, dest, sendtag, source, recvtag, comm,
                                     status);
    if (hmf__likely(hmf__shim_phase == HMF__PHASE_NORMAL))
        return replace(v, buf, count, datatype, dest, sendtag, source, recvtag, status);
    if (!hmf__startup_enter(&c, HMF__FN_Sendrecv_replace, comm, source, recvtag))
        return c.rc;
    if (c.live)
        c.rc = replace(v, buf, count, datatype, dest, sendtag, source, recvtag, s);
    hmf__out_status(&c, s);
    hmf__out_got(&c, buf, count, datatype);
    return hmf__startup_return(&c);
}

static bool probe_stash(struct hmf__vcomm *v, int source, int tag, MPI_Status *status)
{
    struct hmf__stashed *m;

    if (hmf__likely(hmf__stash_total == 0) || v->stash == NULL)
        return false;
    m = hmf__stash_find(v, source, tag);
    if (m == NULL)
        return false;
    hmf__shim_set_status(status, m->source, m->tag, m->bytes);
    return true;
}

int MPI_Probe(int source, int tag, MPI_Comm comm, MPI_Status *status)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);
    MPI_Status own, *s = status == MPI_STATUS_IGNORE ? &own : status;
    struct hmf__startup_call c;

    if (v == NULL)
        return PMPI_Probe(source, tag, comm, status);
    if (!hmf__startup_enter(&c, HMF__FN_Probe, comm, source, tag))
        return c.rc;
    if (c.live && !probe_stash(v, source, tag, s))
        c.rc = PMPI_Probe(source, tag, v->real, s);
    hmf__out_status(&c, s);
    return hmf__startup_return(&c);
}

int MPI_Iprobe(int source, int tag, MPI_Comm comm, int *flag, MPI_Status *status)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);
    MPI_Status own, *s = status == MPI_STATUS_IGNORE ? &own : status;
    struct hmf__startup_call c;

    if (v == NULL)
        return PMPI_Iprobe(source, tag, comm, flag, status);
    if (!hmf__startup_enter(&c, HMF__FN_Iprobe, comm, source, tag))
        return c.rc;
    if (c.live) {
        *flag = 1;
        if (!probe_stash(v, source, tag, s))
            c.rc = PMPI_Iprobe(source, tag, v->real, flag, s);
    }
    hmf__out_val(&c, flag, sizeof *flag);
    if (*flag)
        hmf__out_status(&c, s);
    c.quiet = !*flag;
    return hmf__startup_return(&c);
}

/* Both matched probes; `flag` is NULL for the blocking one. */
static int mprobe(int fn, int source, int tag, MPI_Comm comm, int *flag, MPI_Message *message,
                  MPI_Status *status)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);
    MPI_Status own, *s = status == MPI_STATUS_IGNORE ? &own : status;
    struct hmf__startup_call c;
    struct hmf__stashed *m = NULL;
    MPI_Message real = MPI_MESSAGE_NULL;
    int found = 1;

    if (!hmf__startup_enter(&c, fn, comm, source, tag))
        return c.rc;
    *message = MPI_MESSAGE_NULL;
    if (c.live) {
        m = stashed(v, source, tag);
        if (m != NULL)
            hmf__shim_set_status(s, m->source, m->tag, m->bytes);
        else if (flag != NULL)
            c.rc = PMPI_Improbe(source, tag, v->real, &found, &real, s);
        else
            c.rc = PMPI_Mprobe(source, tag, v->real, &real, s);
        if (real == MPI_MESSAGE_NO_PROC)
            *message = MPI_MESSAGE_NO_PROC;
        else if (c.rc == MPI_SUCCESS && found && m == NULL)
            hmf__count_received_v(v);
    }
    hmf__out_val(&c, &found, sizeof found);
    if (found)
        hmf__out_status(&c, s);
    c.quiet = !found;
    if (c.replay && source == MPI_PROC_NULL)
        *message = MPI_MESSAGE_NO_PROC;
    if (c.rc == MPI_SUCCESS && found && *message != MPI_MESSAGE_NO_PROC) {
        *message = hmf__vmsg_new(v, real, m, s);
        if (*message == MPI_MESSAGE_NULL) {
            hmf__fail(HMF_ERR_NOMEM, "no memory for a matched message");
            c.rc = hmf__shim_raise(comm, MPI_ERR_NO_MEM, fn);
        } else {
            hmf__vmsg_of(*message)->replay = c.replay;
        }
    }
    if (flag != NULL)
        *flag = found;
    return hmf__startup_return(&c);
}

int MPI_Mprobe(int source, int tag, MPI_Comm comm, MPI_Message *message, MPI_Status *status)
{
    if (hmf__vcomm_of(comm) == NULL)
        return PMPI_Mprobe(source, tag, comm, message, status);
    return mprobe(HMF__FN_Mprobe, source, tag, comm, NULL, message, status);
}

int MPI_Improbe(int source, int tag, MPI_Comm comm, int *flag, MPI_Message *message,
                MPI_Status *status)
{
    if (hmf__vcomm_of(comm) == NULL)
        return PMPI_Improbe(source, tag, comm, flag, message, status);
    return mprobe(HMF__FN_Improbe, source, tag, comm, flag, message, status);
}

int MPI_Mrecv(void *buf, int count, MPI_Datatype type, MPI_Message *message, MPI_Status *status)
{
    struct hmf__vmsg *g = hmf__vmsg_of(*message);
    MPI_Status own, *s = status == MPI_STATUS_IGNORE ? &own : status;
    struct hmf__startup_call c;

    if (g == NULL)
        return PMPI_Mrecv(buf, count, type, message, status);
    if (!hmf__startup_enter(&c, HMF__FN_Mrecv, hmf__vcomm_handle(g->vcomm), 0, 0))
        return c.rc;
    if (c.live && g->m != NULL) {
        c.rc = deliver(g->vcomm, g->m, buf, count, type, s, HMF__FN_Mrecv);
        g->m = NULL;
    } else if (c.live) {
        c.rc = PMPI_Mrecv(buf, count, type, &g->real, s);
    }
    hmf__out_status(&c, s);
    hmf__out_got(&c, buf, count, type);
    *message = MPI_MESSAGE_NULL;
    hmf__vmsg_drop(g);
    return hmf__startup_return(&c);
}

int MPI_Imrecv(void *buf, int count, MPI_Datatype type, MPI_Message *message,
               MPI_Request *request)
{
    struct hmf__vmsg *g = hmf__vmsg_of(*message);
    struct hmf__vreq *q;
    int rc;

    if (g == NULL)
        return PMPI_Imrecv(buf, count, type, message, request);
    if (!hmf__vreq_begin(HMF__VREQ_RECV, HMF__FN_Imrecv, hmf__vcomm_handle(g->vcomm), request, &q,
                         &rc))
        return rc;
    q->buf = buf;
    q->count = count;
    q->datatype = type;
    q->peer = g->status.MPI_SOURCE;
    q->tag = g->status.MPI_TAG;
    q->flags |= HMF__VREQ_MATCHED; /* and not COUNTED: the probe did */
    if (g->m != NULL) {
        q->error = hmf__shim_deliver(g->m->data, g->m->bytes, g->m->source, g->m->tag, buf, count,
                                     type, &q->status);
        q->flags |= HMF__VREQ_DONE;
    } else if (!g->replay) {
        rc = PMPI_Imrecv(buf, count, type, &g->real, &q->real);
    }
    *message = MPI_MESSAGE_NULL;
    hmf__vmsg_drop(g);
    return hmf__vreq_end(q, rc, request);
}

int MPI_Buffer_attach(void *buffer, int size)
{
    int rc = PMPI_Buffer_attach(buffer, size);

    if (rc == MPI_SUCCESS)
        hmf__vbuffer = (struct hmf__vbuffer) {buffer, size, false};
    return rc;
}

int MPI_Buffer_detach(void *buffer, int *size)
{
    int rc = PMPI_Buffer_detach(buffer, size);

    if (rc == MPI_SUCCESS)
        hmf__vbuffer = (struct hmf__vbuffer) {NULL, 0, false};
    return rc;
}
