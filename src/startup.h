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

extern int hmf__shim_phase;

/* Local. Begins the phase: record 1 keeps a log of at most HMF_STARTUP_LIMIT bytes, 0 none. */
void hmf__startup_begin(int record);

/* Newcomer, local, after hmf__startup_unpack: the phase begins as replay. */
void hmf__startup_replay(void);

/* Local, called by auto_read: the phase is over. The log stays for later moves. HMF_ERR_MISMATCH
 * when a replay failed or left something over: the text names the calls. */
hmf_status_t hmf__startup_end(void);

/* The text of the first call that did not fit the log during replay, NULL if all did so far. */
const char *hmf__startup_failed(void);

/* Source: appends the log. HMF_ERR_LIMIT when it was dropped for its size, with what to do. */
hmf_status_t hmf__startup_pack(struct hmf__buf *out);

/* Newcomer: takes the log of its predecessor (copied) and keeps it for its own successors. */
hmf_status_t hmf__startup_unpack(const void *data, size_t len_bytes);

/* The process gave its rank away: from now on communication calls are errors that name the call. */
void hmf__startup_leave(void);

void hmf__startup_fini(void);

#endif
