/* settings.h - what the environment says about a job, agreed on by all its processes.
 *
 * Launchers do not carry HMF_* variables to other nodes by themselves: those of process 0 count. */
#ifndef HMF_SETTINGS_H
#define HMF_SETTINGS_H

#include <stdbool.h>

#include "hmf/status.h"

struct hmf__settings {
    int nranks;                 /* processes that are not spares */
    int *proc_of;               /* nranks: owned by the caller (hmf__free) */
    bool recovers;              /* MPI goes on when a process ends early: HMF_RECOVERY, else as Open MPI says */
    double timeout_s, startup_timeout_s;
    char program[64];           /* file name of the executable, for messages and socket names */
};

/* Collective over the real MPI_COMM_WORLD, whose size and this process's rank are given.  Copies
 * process 0's HMF_* variables into the environment of the others (those that are set there
 * already stay), then reads them.  A wrong value is reported by process 0, and the default is used.
 * HMF_ERR_NOMEM, HMF_ERR_MPI. */
hmf_status_t hmf__settings_read(struct hmf__settings *out, int proc, int nprocs);

#endif
