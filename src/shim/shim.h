/*
 * What the wrappers of MPI functions share. Each wrapper is a branch on the phase, a look at the
 * handle, and the PMPI call; all that takes longer is out of line.
 *
 * The program's calls come through outer.c, which lets threads pass one by one where there are
 * several (gate.h); from here on MPI_Recv and its like mean the wrapper itself (inner.h).
 *
 * Handles that are not ours (a library's own real communicators, requests on them) pass unchanged,
 * so that code below the program, ROMIO for one, can call MPI_ functions by their plain names.
 */
#ifndef HMF__SHIM_SHIM_H
#define HMF__SHIM_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#include <mpi.h>

#include "hmf/status.h"
#include "shim/fn.h"
#include "shim/inner.h"
#include "startup.h"
#include "vcomm.h"
#include "vfile.h"
#include "vreq.h"
#include "vwin.h"

#define hmf__likely(x) __builtin_expect(!!(x), 1)
#define hmf__unlikely(x) __builtin_expect(!!(x), 0)

/* For a collective call: also counts it. */
static inline MPI_Comm hmf__coll_real(MPI_Comm comm)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);

    if (hmf__unlikely(v == NULL))
        return comm;
    hmf__vcomm_bump(&v->collectives);
    return v->real;
}

/* After a blocking send: counts the message. */
static inline int hmf__sent(int rc, int dest, MPI_Comm comm)
{
    if (hmf__likely(rc == MPI_SUCCESS && dest != MPI_PROC_NULL))
        hmf__count_sent(comm);
    return rc;
}

/* A call on a communicator of ours that has no real one: in a process that left, or during a
 * replay on one that was freed since. Says so and gives the error code. */
int hmf__shim_no_comm(int fn, MPI_Comm comm);

/* A communication call after the rank has left. Gives MPI_ERR_COMM. */
int hmf__shim_left(int fn);

/* Window and RMA calls in a phase that is not normal. False: return MPI_ERR_WIN. */
bool hmf__shim_window(int fn);

/* A local question to a window or file of ours without a real one: nothing to do in a replay, else
 * the error code. */
int hmf__shim_no_window(int fn);
int hmf__shim_no_file(int fn);

/* An error of our own: raised on the communicator's error handler, and returned. `text` is the one
 * of hmf__fail. */
int hmf__shim_raise(MPI_Comm comm, int code, int fn);
int hmf__shim_status_to_mpi(hmf_status_t status);

/* Begins a request on a communicator of ours. False: return *rc. In a replay the request is marked
 * HMF__VREQ_REPLAY and no PMPI call must be made. *rc is MPI_SUCCESS after it. */
bool hmf__vreq_begin(int kind, int fn, MPI_Comm comm, MPI_Request *request, struct hmf__vreq **q,
                     int *rc);
/* The same for a persistent request, whose making is local. */
bool hmf__vreq_begin_init(int kind, int fn, MPI_Comm comm, MPI_Request *request,
                          struct hmf__vreq **q, int *rc);
/* The same for requests of windows, files, and generalised ones. */
bool hmf__vreq_begin_other(int kind, int fn, MPI_Request *request, struct hmf__vreq **q, int *rc);

/* After the PMPI call: gives the program its handle, or drops the request on an error. Each
 * gives rc. */
int hmf__vreq_end(struct hmf__vreq *q, int rc, MPI_Request *request);
int hmf__vreq_end_send(struct hmf__vreq *q, int rc, MPI_Request *request);
int hmf__vreq_end_init(struct hmf__vreq *q, int rc, MPI_Request *request);

/* Receives the matched message as `bytes` packed bytes. Gives an MPI error code. */
int hmf__shim_take_bytes(void *data, uint64_t bytes, MPI_Message *message);

/* Puts a packed message into the program's buffer as MPI_Recv would. Gives MPI_SUCCESS or
 * MPI_ERR_TRUNCATE or another code; nothing is raised. status may be MPI_STATUS_IGNORE. */
int hmf__shim_deliver(const void *data, uint64_t bytes, int source, int tag, void *buf, int count,
                      MPI_Datatype type, MPI_Status *status);

/* A persistent receive is started and its message lies in a stash: takes it, the request is
 * done. */
bool hmf__p2p_from_stash(struct hmf__vreq *q);

/* A status that says: message of `bytes` from source with tag. */
void hmf__shim_set_status(MPI_Status *status, int source, int tag, uint64_t bytes);

#endif
