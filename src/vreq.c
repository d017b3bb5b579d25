/*
 * The requests of this process: their memory, their order, and what happens to them at a cut.
 * Completing them for the program is in shim/complete.c, making them in the wrappers.
 */
#include "config.h"

#include "vreq.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "shim/shim.h"
#include "stash.h"
#include "vmsg.h"

enum { BATCH = 64 };

static struct {
    struct hmf__vreq *first, *last;
    struct hmf__vreq *idle;         /* free list, linked by next */
    void *batches;                  /* every batch's first element holds the link to the next */
    uint64_t serial;
    bool threads;
    bool locked;
    size_t orphans;
} reqs;

struct batch {
    void *next;
    struct hmf__vreq q[BATCH];
};

static inline void lock(void)
{
    if (hmf__unlikely(reqs.threads))
        while (__atomic_test_and_set(&reqs.locked, __ATOMIC_ACQUIRE))
            ;
}

static inline void unlock(void)
{
    if (hmf__unlikely(reqs.threads))
        __atomic_clear(&reqs.locked, __ATOMIC_RELEASE);
}

void hmf__vreq_threads(bool multiple)
{
    reqs.threads = multiple;
}

static __attribute__((noinline, cold)) bool more(void)
{
    struct batch *b = hmf__malloc(sizeof *b);

    if (b == NULL)
        return false;
    b->next = reqs.batches;
    reqs.batches = b;
    for (int i = BATCH - 1; i >= 0; i--) {
        b->q[i].magic = 0;
        b->q[i].next = reqs.idle;
        reqs.idle = &b->q[i];
    }
    return true;
}

static inline void link_last(struct hmf__vreq *q)
{
    q->next = NULL;
    q->prev = reqs.last;
    if (reqs.last != NULL)
        reqs.last->next = q;
    else
        reqs.first = q;
    reqs.last = q;
}

static inline void unlink_it(struct hmf__vreq *q)
{
    if (q->prev != NULL)
        q->prev->next = q->next;
    else
        reqs.first = q->next;
    if (q->next != NULL)
        q->next->prev = q->prev;
    else
        reqs.last = q->prev;
}

struct hmf__vreq *hmf__vreq_new(int kind, int fn, struct hmf__vcomm *vcomm)
{
    struct hmf__vreq *q;

    lock();
    if (hmf__unlikely(reqs.idle == NULL) && !more()) {
        unlock();
        hmf__fail(HMF_ERR_NOMEM, "no memory for a request");
        return NULL;
    }
    q = reqs.idle;
    reqs.idle = q->next;
    link_last(q);
    q->serial = ++reqs.serial;
    unlock();
    q->magic = HMF__VREQ_MAGIC;
    q->real = MPI_REQUEST_NULL;
    q->flags = HMF__VREQ_ACTIVE | HMF__VREQ_LISTED;
    q->kind = (short) kind;
    q->fn = (short) fn;
    q->vcomm = vcomm;
    q->datatype = MPI_DATATYPE_NULL;
    q->error = MPI_SUCCESS;
    q->newcomm = NULL;
    q->greq = NULL;
    q->out = NULL;
    q->made_on = MPI_COMM_NULL;
    if (vcomm != NULL && !(vcomm->flags & HMF__COMM_FIXED))
        hmf__vcomm_hold(vcomm);
    return q;
}

void hmf__vreq_drop(struct hmf__vreq *q)
{
    struct hmf__vcomm *v = q->vcomm;

    if (hmf__unlikely(q->out != NULL))
        hmf__out_free(q->out);
    if (hmf__unlikely(q->flags & HMF__VREQ_OWNTYPE))
        PMPI_Type_free(&q->datatype);
    if (hmf__unlikely(q->greq != NULL))
        hmf__free(q->greq);
    q->magic = 0;
    lock();
    unlink_it(q);
    q->next = reqs.idle;
    reqs.idle = q;
    unlock();
    if (v != NULL && !(v->flags & HMF__COMM_FIXED))
        hmf__vcomm_release(v);
}

struct hmf__vreq *hmf__vreq_first(void)
{
    return reqs.first;
}

struct hmf__vreq *hmf__vreq_known(const void *handle)
{
    uintptr_t at = (uintptr_t) handle;

    for (struct batch *b = reqs.batches; b != NULL; b = b->next) {
        uintptr_t from = (uintptr_t) b->q;

        if (at >= from && at - from < sizeof b->q && (at - from) % sizeof b->q[0] == 0)
            return hmf__vreq_of((MPI_Request) (uintptr_t) handle);
    }
    return NULL;
}

struct hmf__vreq *hmf__vreq_by_serial(uint64_t serial)
{
    struct hmf__vreq *q = reqs.first;

    while (q != NULL && q->serial != serial)
        q = q->next;
    return q;
}

uint64_t hmf__vreq_next_serial(void)
{
    return reqs.serial + 1;
}

void hmf__vreq_set_serial(uint64_t next)
{
    reqs.serial = next - 1;
}

void hmf__vreq_to_end(struct hmf__vreq *q)
{
    lock();
    if (reqs.last != q) {
        unlink_it(q);
        link_last(q);
    }
    unlock();
}

void hmf__vreq_finish(struct hmf__vreq *q, MPI_Request *request, bool cancelled)
{
    if ((q->flags & (HMF__VREQ_COUNTED | HMF__VREQ_ACTIVE | HMF__VREQ_DONE)) ==
            (HMF__VREQ_COUNTED | HMF__VREQ_ACTIVE) && !cancelled)
        hmf__count_received_v(q->vcomm);
    if (q->flags & HMF__VREQ_PERSISTENT) {
        q->flags &= ~(unsigned) (HMF__VREQ_ACTIVE | HMF__VREQ_DONE | HMF__VREQ_CANCEL |
                                 HMF__VREQ_REPLAY);
        return;
    }
    *request = MPI_REQUEST_NULL;
    hmf__vreq_drop(q);
}

const char *hmf__vreq_text(const struct hmf__vreq *q, char *buf, size_t len)
{
    char name[160], peer[40];

    if (q->vcomm == NULL) {
        snprintf(buf, len, "%s", hmf__fn_name(q->fn));
    } else if (q->kind == HMF__VREQ_SEND || q->kind == HMF__VREQ_RECV) {
        snprintf(peer, sizeof peer, q->peer == MPI_ANY_SOURCE ? "any rank" : "rank %d", q->peer);
        snprintf(buf, len, "%s %s %s with tag %d on %s", hmf__fn_name(q->fn),
                 q->kind == HMF__VREQ_SEND ? "to" : "from", peer, q->tag,
                 hmf__vcomm_text(q->vcomm, name, sizeof name));
    } else {
        snprintf(buf, len, "%s on %s", hmf__fn_name(q->fn),
                 hmf__vcomm_text(q->vcomm, name, sizeof name));
    }
    return buf;
}

/* MPI_Type_free while requests are pending: rare, so a walk is cheaper than a dup at each post. */
void hmf__vreq_keep_type(MPI_Datatype datatype)
{
    lock();
    for (struct hmf__vreq *q = reqs.first; q != NULL; q = q->next) {
        bool needs = q->kind == HMF__VREQ_RECV || (q->flags & HMF__VREQ_PERSISTENT);

        if (!needs || q->datatype != datatype || (q->flags & HMF__VREQ_OWNTYPE))
            continue;
        if (PMPI_Type_dup(datatype, &q->datatype) == MPI_SUCCESS)
            q->flags |= HMF__VREQ_OWNTYPE;
    }
    unlock();
}

/* Recycles requests that the program has let go, when they are complete. */
static void reap(void)
{
    struct hmf__vreq *next;

    for (struct hmf__vreq *q = reqs.first; q != NULL && reqs.orphans > 0; q = next) {
        MPI_Request none = MPI_REQUEST_NULL;
        MPI_Status status;
        int flag = 1, cancelled = 0;
        bool persistent = q->flags & HMF__VREQ_PERSISTENT;

        next = q->next;
        if (!(q->flags & HMF__VREQ_ORPHAN))
            continue;
        if (!(q->flags & (HMF__VREQ_DONE | HMF__VREQ_REPLAY))) {
            if (PMPI_Test(&q->real, &flag, &status) != MPI_SUCCESS)
                flag = 1;
            else if (flag)
                PMPI_Test_cancelled(&status, &cancelled);
        }
        if (!flag)
            continue;
        reqs.orphans--;
        hmf__vreq_finish(q, &none, cancelled);
        if (!persistent)
            continue;
        if (q->real != MPI_REQUEST_NULL)
            PMPI_Request_free(&q->real);
        hmf__vreq_drop(q);
    }
}

void hmf__vreq_orphan(struct hmf__vreq *q)
{
    q->flags |= HMF__VREQ_ORPHAN;
    lock();
    reqs.orphans++;
    unlock();
    if (!reqs.threads)
        reap();
}

/* The outcome of a request that ended before the program asked for it. */
static void keep_outcome(struct hmf__vreq *q, int rc)
{
    int cancelled = 0;

    q->error = rc;
    q->status.MPI_ERROR = rc;
    if (rc == MPI_SUCCESS)
        PMPI_Test_cancelled(&q->status, &cancelled);
    if ((q->flags & HMF__VREQ_COUNTED) && !cancelled)
        hmf__count_received_v(q->vcomm);
    q->flags |= HMF__VREQ_DONE;
}

static bool suspendable(const struct hmf__vreq *q)
{
    return q->kind == HMF__VREQ_RECV && (q->flags & HMF__VREQ_ACTIVE) &&
           !(q->flags & (HMF__VREQ_DONE | HMF__VREQ_REPLAY | HMF__VREQ_REPOST)) &&
           q->real != MPI_REQUEST_NULL;
}

/* The communicator that a pending duplication makes. */
static struct hmf__vcomm *unmade(const struct hmf__vreq *q)
{
    return q->kind == HMF__VREQ_IDUP && q->newcomm != NULL && (q->flags & HMF__VREQ_ACTIVE) &&
           !(q->flags & (HMF__VREQ_DONE | HMF__VREQ_REPLAY)) ? (void *) q->newcomm : NULL;
}

static void mark_unmade(void)
{
    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        v->flags &= ~(uint32_t) HMF__COMM_UNMADE;
    for (struct hmf__vreq *q = reqs.first; q != NULL; q = q->next)
        if (unmade(q) != NULL)
            unmade(q)->flags |= HMF__COMM_UNMADE;
}

hmf_status_t hmf__vreq_suspend(void)
{
    hmf_status_t status;

    reap();
    mark_unmade();
    /* Latest first: a message that arrives meanwhile then goes to the receive that MPI would
     * give it to, never to a later one while an earlier one is already gone. */
    for (struct hmf__vreq *q = reqs.last; q != NULL; q = q->prev) {
        int cancelled = 0, rc;

        if (!suspendable(q))
            continue;
        /* Open MPI does not survive the cancelling of what the program has cancelled already. */
        if (!(q->flags & (HMF__VREQ_MATCHED | HMF__VREQ_CANCEL)) && q->peer != MPI_PROC_NULL)
            PMPI_Cancel(&q->real);
        rc = PMPI_Wait(&q->real, &q->status);
        if (rc == MPI_SUCCESS)
            PMPI_Test_cancelled(&q->status, &cancelled);
        if (cancelled && !(q->flags & HMF__VREQ_CANCEL))
            q->flags |= HMF__VREQ_REPOST;
        else
            keep_outcome(q, rc);
    }
    status = hmf__vmsg_suspend();
    return status;
}

size_t hmf__vreq_sends_pending(void)
{
    size_t left = 0;

    for (struct hmf__vreq *q = reqs.first; q != NULL; q = q->next) {
        int flag = 0, rc;

        if (q->kind == HMF__VREQ_RECV || q->kind == HMF__VREQ_GREQ || !(q->flags & HMF__VREQ_ACTIVE) ||
            (q->flags & (HMF__VREQ_DONE | HMF__VREQ_REPLAY)))
            continue;
        /* Others may begin it after the cut: it goes on where it is. */
        if ((q->kind == HMF__VREQ_COLL || q->kind == HMF__VREQ_IDUP) &&
            (q->vcomm->flags & HMF__COMM_STILL))
            continue;
        rc = PMPI_Test(&q->real, &flag, &q->status);
        if ((rc != MPI_SUCCESS || flag) && unmade(q) != NULL)
            unmade(q)->flags &= ~(uint32_t) HMF__COMM_UNMADE;
        if (rc != MPI_SUCCESS || flag)
            keep_outcome(q, rc);
        else
            left++;
    }
    if (left == 0)
        reap();
    return left;
}

/* The real communicator was replaced: a persistent request is made again on the new one. */
static int remake(struct hmf__vreq *q)
{
    typedef int make_send(const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);
    make_send *make = PMPI_Send_init;
    MPI_Comm real = q->vcomm->real;
    int rc;

    if (q->made_on == real)
        return MPI_SUCCESS;
    if (q->real != MPI_REQUEST_NULL)
        PMPI_Request_free(&q->real);
    if (q->kind == HMF__VREQ_RECV) {
        rc = PMPI_Recv_init(q->buf, q->count, q->datatype, q->peer, q->tag, real, &q->real);
    } else {
        if (q->fn == HMF__FN_Bsend_init)
            make = PMPI_Bsend_init;
        else if (q->fn == HMF__FN_Ssend_init)
            make = PMPI_Ssend_init;
        else if (q->fn == HMF__FN_Rsend_init)
            make = PMPI_Rsend_init;
        rc = make(q->buf, q->count, q->datatype, q->peer, q->tag, real, &q->real);
    }
    if (rc == MPI_SUCCESS)
        q->made_on = real;
    return rc;
}

hmf_status_t hmf__vreq_resume(bool moved)
{
    hmf_status_t status = HMF_OK;
    char text[400];

    for (struct hmf__vreq *q = reqs.first; q != NULL; q = q->next) {
        struct hmf__stashed *m;
        int rc = MPI_SUCCESS;

        if (q->vcomm == NULL || q->vcomm->real == MPI_COMM_NULL)
            continue;
        if (moved && (q->flags & HMF__VREQ_PERSISTENT) &&
            (q->kind == HMF__VREQ_SEND || q->kind == HMF__VREQ_RECV))
            rc = remake(q);
        if (!(q->flags & HMF__VREQ_REPOST))
            continue;
        q->flags &= ~(unsigned) HMF__VREQ_REPOST;
        m = q->vcomm->stash != NULL ? hmf__stash_take(q->vcomm, q->peer, q->tag) : NULL;
        if (m != NULL) {
            q->error = hmf__shim_deliver(m->data, m->bytes, m->source, m->tag, q->buf, q->count,
                                         q->datatype, &q->status);
            q->flags |= HMF__VREQ_DONE;
            hmf__stash_free(m);
            continue;
        }
        if (rc == MPI_SUCCESS)
            rc = q->flags & HMF__VREQ_PERSISTENT
                     ? PMPI_Start(&q->real)
                     : PMPI_Irecv(q->buf, q->count, q->datatype, q->peer, q->tag, q->vcomm->real,
                                  &q->real);
        if (rc != MPI_SUCCESS) {
            hmf__shim_set_status(&q->status, MPI_ANY_SOURCE, MPI_ANY_TAG, 0);
            q->status.MPI_ERROR = q->error = rc;
            q->flags |= HMF__VREQ_DONE;
            status = hmf__fail(HMF_ERR_MPI, "%s could not be posted again (MPI error %d)",
                               hmf__vreq_text(q, text, sizeof text), rc);
        }
    }
    return status;
}

void hmf__vreq_end_replay(void)
{
    for (struct hmf__vreq *q = reqs.first; q != NULL; q = q->next) {
        if (!(q->flags & HMF__VREQ_REPLAY))
            continue;
        if (q->flags & HMF__VREQ_PERSISTENT) {
            q->flags &= ~(unsigned) (HMF__VREQ_ACTIVE | HMF__VREQ_REPLAY);
            continue;
        }
        hmf__shim_set_status(&q->status, MPI_ANY_SOURCE, MPI_ANY_TAG, 0);
        q->error = MPI_SUCCESS;
        q->flags = (q->flags & ~(unsigned) HMF__VREQ_REPLAY) | HMF__VREQ_DONE;
    }
}

void hmf__vreq_fini(void)
{
    hmf__vmsg_fini();
    for (struct hmf__vreq *q = reqs.first; q != NULL; q = q->next) {
        if (q->out != NULL)
            hmf__out_free(q->out);
        if (q->flags & HMF__VREQ_OWNTYPE)
            PMPI_Type_free(&q->datatype);
        hmf__free(q->greq);
    }
    while (reqs.batches != NULL) {
        struct batch *b = reqs.batches;

        reqs.batches = b->next;
        hmf__free(b);
    }
    memset(&reqs, 0, sizeof reqs);
}
