/*
 * The start-up phase: the calls between MPI_Init and auto_read.
 *
 * A process that may have to hand its rank to a newcomer records what each communicating call of
 * this phase gave to the program. The newcomer runs the same start-up code; the same calls take
 * their results from that record and communicate nothing. The wrappers of src/shim call the
 * lower half of this file; job and world call the upper half.
 */
#ifndef HMF_STARTUP_H
#define HMF_STARTUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mpi.h>

#include "base.h"
#include "hmf/status.h"

/* What the wrappers must know with one load: 0 means go straight to MPI. */
enum hmf__shim_phase {
    HMF__PHASE_NORMAL = 0,
    HMF__PHASE_RECORD,      /* start-up of a process whose rank may move later */
    HMF__PHASE_REPLAY,      /* start-up of a newcomer */
    HMF__PHASE_LEFT         /* the rank lives elsewhere: communication is an error */
};

/* volatile is not needed: only the main thread changes it, outside MPI calls. */
extern int hmf__shim_phase __attribute__((visibility("hidden")));

/* Local. Begins the phase: record 1 keeps a log of at most HMF_STARTUP_LIMIT bytes, 0 none. */
void hmf__startup_begin(int record);

/* Newcomer, local, after hmf__startup_unpack: the phase begins as replay. */
void hmf__startup_replay(void);

/* Newcomer, local, called by auto_read: the record must be used up. HMF_ERR_MISMATCH when a
 * replay failed or left something over: the text names the calls. The phase goes on until the
 * first auto_poll, so that a call in between, which no other rank would answer, is found and not
 * waited for. */
hmf_status_t hmf__startup_read(void);

/* Local: the phase is over, at auto_read, or at a newcomer's first auto_poll. The log stays for
 * later moves. */
void hmf__startup_end(void);

/* The text of the first call that did not fit the log during replay, NULL if all did so far. */
const char *hmf__startup_failed(void);

/* Called with the text at the first failure of a replay; need not return. NULL (the default): the
 * failing call returns an MPI error code to the program. The job layer sets it. */
extern void (*hmf__startup_on_failure)(const char *text) __attribute__((visibility("hidden")));

/* Source, local: is there a log to pack? HMF_ERR_LIMIT when it was dropped, with what to do. */
hmf_status_t hmf__startup_movable(void);

/* Source: appends the log. HMF_ERR_LIMIT when it was dropped for its size, with what to do. */
hmf_status_t hmf__startup_pack(struct hmf__buf *out);

/* Newcomer: takes the log of its predecessor (copied) and keeps it for its own successors. */
hmf_status_t hmf__startup_unpack(const void *data, size_t len_bytes);

/* The process gave its rank away: from now on communication calls are errors that name the call. */
void hmf__startup_leave(void);

void hmf__startup_fini(void);

/* ---- used by the wrappers ----
 *
 * A wrapper does, in every phase but the normal one:
 *     if (!hmf__startup_enter(&c, fn, comm, root, tag)) return c.rc;
 *     if (c.live) c.rc = PMPI_...;
 *     hmf__out_...(&c, ...) for each output;          records it, or fills it in
 *     return hmf__startup_return(&c);
 */

struct hmf__vcomm;
struct hmf__vreq;

struct hmf__startup_call {
    int fn;                     /* enum hmf__fn */
    int rc;                     /* MPI error code of the call */
    bool live;                  /* the call communicates for real */
    bool record;                /* outputs are appended to `entry` */
    bool replay;                /* outputs are taken from `entry` */
    bool quiet;                 /* an unsuccessful test: equal ones are counted, not stored */
    uint32_t comm_id;
    int key[2];                 /* peer or root, and tag: must be the same in the replay */
    struct hmf__vcomm *vcomm;   /* NULL: no communicator */
    const MPI_Status *status;   /* the last status that passed, for hmf__out_got */
    struct hmf__buf entry;
};

/* Outputs of a request that come with its completion; the arguments of the call follow. */
struct hmf__startup_out {
    void (*visit)(struct hmf__startup_call *c, const void *out);
    MPI_Datatype held;          /* our duplicate of the output's datatype, or MPI_DATATYPE_NULL */
};

/* False: do not go on, return c->rc (the process has left, the replay failed). */
bool hmf__startup_enter(struct hmf__startup_call *c, int fn, MPI_Comm comm, int key0, int key1);
bool hmf__startup_enter_any(struct hmf__startup_call *c, int fn); /* no communicator */
int hmf__startup_return(struct hmf__startup_call *c);

bool hmf__out_is_root(const struct hmf__startup_call *c, int root);
int hmf__out_rank(const struct hmf__startup_call *c);
void hmf__out_val(struct hmf__startup_call *c, void *value, size_t size);
void hmf__out_status(struct hmf__startup_call *c, MPI_Status *status);
void hmf__out_buf(struct hmf__startup_call *c, void *buf, int count, MPI_Datatype type);
void hmf__out_got(struct hmf__startup_call *c, void *buf, int count, MPI_Datatype type);
void hmf__out_all(struct hmf__startup_call *c, void *buf, int count, MPI_Datatype type);
void hmf__out_var(struct hmf__startup_call *c, void *buf, const int *counts, const int *displs,
                  MPI_Datatype type);
void hmf__out_varw(struct hmf__startup_call *c, void *buf, const int *counts, const int *displs,
                   const MPI_Datatype *types);
void hmf__out_nall(struct hmf__startup_call *c, void *buf, int count, MPI_Datatype type);
void hmf__out_nvar(struct hmf__startup_call *c, void *buf, const int *counts, const int *displs,
                   MPI_Datatype type);
void hmf__out_nvarw(struct hmf__startup_call *c, void *buf, const int *counts,
                    const MPI_Aint *displs, const MPI_Datatype *types);
void hmf__out_mine(struct hmf__startup_call *c, void *buf, const int *counts, MPI_Datatype type);

/* This call cannot be replayed: recording ends, a later move of this rank is refused naming it. */
void hmf__out_void(struct hmf__startup_call *c);
void hmf__startup_void(int fn);

/* Does an output of so many bytes still fit; and that one did not. */
bool hmf__startup_room(size_t bytes);
void hmf__startup_too_big(int fn);

/* A communicator that a constructor gave: its number is logged; in a replay *comm is looked up. */
void hmf__out_comm(struct hmf__startup_call *c, MPI_Comm *comm);

/* The outputs of request `q`, to be visited when it completes. NULL: no memory (recording ends),
 * or nothing is logged. */
void *hmf__out_new(struct hmf__vreq *q, size_t size,
                   void (*visit)(struct hmf__startup_call *c, const void *out));
void hmf__out_hold(struct hmf__startup_out *out, MPI_Datatype *type);
void hmf__out_free(struct hmf__startup_out *out);

#endif
