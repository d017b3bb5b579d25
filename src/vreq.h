/*
 * Virtual requests: what the program holds where MPI gives it an MPI_Request.
 *
 * A virtual request remembers enough of the call that made it to be finished early, cancelled and
 * posted again when the communicators underneath are replaced at a move. Requests that MPI made
 * on handles that are not ours (a library's own real communicator) are passed through untouched;
 * hmf__vreq_of() tells them apart.
 *
 * The wrappers of src/shim make, complete and free these; the drain calls suspend, sends_pending
 * and resume. What is in a communicator (real handle, stash) belongs to vcomm.h.
 */
#ifndef HMF_VREQ_H
#define HMF_VREQ_H

#include <stdbool.h>
#include <stdint.h>

#include <mpi.h>

#include "base.h"

struct hmf__vcomm;

enum hmf__vreq_kind {
    HMF__VREQ_SEND,     /* Isend and its modes, Send_init and its modes */
    HMF__VREQ_RECV,     /* Irecv, Imrecv, Recv_init */
    HMF__VREQ_COLL,     /* nonblocking and persistent collectives */
    HMF__VREQ_IDUP,     /* Comm_idup: completion makes a communicator known */
    HMF__VREQ_IO,       /* MPI-IO */
    HMF__VREQ_RMA,      /* Rput and the like */
    HMF__VREQ_GREQ      /* generalised */
};

enum hmf__vreq_flag {
    HMF__VREQ_PERSISTENT = 1 << 0,
    HMF__VREQ_ACTIVE     = 1 << 1,  /* posted or started, not yet returned by a completion call */
    HMF__VREQ_DONE       = 1 << 2,  /* finished early: `status` and `error` hold the outcome */
    HMF__VREQ_COUNTED    = 1 << 3,  /* its completion is a message that the drain counts */
    HMF__VREQ_CANCEL     = 1 << 4,  /* the program called MPI_Cancel */
    HMF__VREQ_REPOST     = 1 << 5,  /* taken back at a cut, to be posted again */
    HMF__VREQ_OWNTYPE    = 1 << 6,  /* `datatype` is a duplicate of ours, freed with the request */
    HMF__VREQ_REPLAY     = 1 << 7,  /* made during replay: outcome comes from the start-up log */
    HMF__VREQ_LISTED     = 1 << 8,  /* in the list of requests */
    HMF__VREQ_ORPHAN     = 1 << 9,  /* MPI_Request_free was called while active */
    HMF__VREQ_MATCHED    = 1 << 10, /* made by Imrecv: it has its message and is never taken back */
    HMF__VREQ_FULFILLED  = 1 << 11, /* generalised: MPI_Grequest_complete was called */
    HMF__VREQ_THREAD     = 1 << 12, /* of a blocking call that a thread makes in pieces */
    HMF__VREQ_SPECIAL    = HMF__VREQ_DONE | HMF__VREQ_CANCEL | HMF__VREQ_REPOST |
                           HMF__VREQ_REPLAY
};

#define HMF__VREQ_MAGIC UINT64_C(0x716572764d484d31)

struct hmf__startup_out;

/* The functions of a generalised request; its extra state is `buf`. */
struct hmf__greq {
    MPI_Grequest_query_function *query;
    MPI_Grequest_free_function *free;
    MPI_Grequest_cancel_function *cancel;
};

struct hmf__vreq {
    uint64_t magic;             /* HMF__VREQ_MAGIC; first word, never that of a real request */
    MPI_Request real;           /* MPI_REQUEST_NULL when MPI holds nothing of this request */
    unsigned flags;             /* enum hmf__vreq_flag */
    short kind;                 /* enum hmf__vreq_kind */
    short fn;                   /* enum hmf__fn: the call that made it, for messages and reposts */
    struct hmf__vcomm *vcomm;   /* NULL: no virtual communicator involved (io, rma, generalised) */
    void *buf;                  /* the program's buffer, borrowed */
    int count;
    int peer;                   /* destination or source, rank in vcomm */
    int tag;
    int error;                  /* MPI error code of an early end */
    MPI_Datatype datatype;      /* borrowed unless HMF__VREQ_OWNTYPE */
    struct hmf__vreq *next;     /* all requests in posting order, oldest first */
    struct hmf__vreq *prev;
    MPI_Status status;          /* of an early end */
    struct hmf__greq *greq;     /* generalised; else NULL */
    MPI_Comm *newcomm;          /* Comm_idup: the first word of its hmf__vcomm */
    struct hmf__startup_out *out; /* outputs to log or replay; NULL outside the start-up phase */
    MPI_Comm made_on;           /* persistent: the real communicator it was made on */
    uint64_t serial;            /* names the request, equal on no other of this process */
};

/* The virtual request behind a handle, NULL for MPI_REQUEST_NULL and for handles of MPI itself. */
static inline struct hmf__vreq *hmf__vreq_of(MPI_Request request)
{
    struct hmf__vreq *q = (struct hmf__vreq *) (void *) request;
    return q != NULL && request != MPI_REQUEST_NULL && q->magic == HMF__VREQ_MAGIC ? q : NULL;
}

/* At a cut, local, no message is sent: takes back every pending receive. A receive that could not
 * be taken back has its message, and keeps its outcome until the program asks for it; the others
 * wait for hmf__vreq_resume. Sends stay posted. */
hmf_status_t hmf__vreq_suspend(void);

/* Local: gives MPI a chance to progress and returns how many sends, nonblocking collectives (on
 * communicators that will be replaced) and requests of windows and files are not yet done. The
 * drain receives between its calls, so that each ends; its outcome is kept until the program
 * asks. */
size_t hmf__vreq_sends_pending(void);

/* After commit or rollback, local: receives that were taken back are matched against the stashes
 * in posting order, else posted on the communicator that is real now; persistent requests of a
 * communicator that was replaced are made anew. `moved` says whether any was. HMF_ERR_MPI: a
 * receive could not be posted again; its request ends with that error. */
hmf_status_t hmf__vreq_resume(bool moved);

/* Frees all; requests that the program has forgotten are dropped. */
void hmf__vreq_fini(void);

/* ---- used by the wrappers ---- */

/* With MPI_THREAD_MULTIPLE list and free list are guarded by a lock. */
void hmf__vreq_threads(bool multiple);

/* A new active request at the end of the list, NULL without memory. */
struct hmf__vreq *hmf__vreq_new(int kind, int fn, struct hmf__vcomm *vcomm);

/* Takes the request out of the list and recycles it. */
void hmf__vreq_drop(struct hmf__vreq *q);

/* The program frees a datatype: requests that still need it get a duplicate first. */
void hmf__vreq_keep_type(MPI_Datatype datatype);

/* A request of the program was completed by PMPI or by us: counts the message, unless cancelled,
 * then recycles the request (*request = MPI_REQUEST_NULL) or makes a persistent one inactive. */
void hmf__vreq_finish(struct hmf__vreq *q, MPI_Request *request, bool cancelled);

/* A persistent request is started: it gets its place at the end of the posting order. */
void hmf__vreq_to_end(struct hmf__vreq *q);

/* The program lets go of an active request: it goes on, and is recycled when found complete. */
void hmf__vreq_orphan(struct hmf__vreq *q);

/* auto_read of a newcomer: what its start-up phase left pending was completed by its
 * predecessor. */
void hmf__vreq_end_replay(void);

/* The oldest request, then q->next. */
struct hmf__vreq *hmf__vreq_first(void);

/* "MPI_Irecv from rank 3 with tag 7 on MPI_COMM_WORLD": for messages. Gives buf. */
const char *hmf__vreq_text(const struct hmf__vreq *q, char *buf, size_t len);

/* ---- for moves of the rank that has them ---- */

/* Is this address a request of ours? Reads no other memory than our own. NULL: no. */
struct hmf__vreq *hmf__vreq_known(const void *handle);

/* By the number of creation; a newcomer's start-up gives the same numbers. */
struct hmf__vreq *hmf__vreq_by_serial(uint64_t serial);
uint64_t hmf__vreq_next_serial(void);
void hmf__vreq_set_serial(uint64_t next);

/* vreqpack.c: all requests of the rank for a newcomer, at the cut, after the drain or (to see if it
 * would do) before it. HMF_ERR_BUSY, HMF_ERR_UNSUPPORTED: names one that cannot be carried. */
hmf_status_t hmf__vreq_pack(struct hmf__buf *b, bool drained);

/* Newcomer, before the image: requests that its start-up did not make exist, empty. */
hmf_status_t hmf__vreq_shells(struct hmf__buf *b);
/* After it, with the same bytes: they are what they were. */
hmf_status_t hmf__vreq_fill(struct hmf__buf *b);

#endif
