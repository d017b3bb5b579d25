/* job.h - this process's part in the job: the one handle that stands for it, its beginning and end.
 *
 * The shim's MPI_Init and MPI_Finalize call init and finalize; auto.c is what programs call; move.c
 * does the main thread's part of an operation. */
#ifndef HMF_JOB_H
#define HMF_JOB_H

#include <stdbool.h>

#include "agent.h"
#include "check.h"
#include "check_level.h"
#include "state.h"

struct hmf__job {
    struct hmf__agent agent;
    bool up;                    /* between MPI_Init and MPI_Finalize: agent and world exist */
    bool can_stop;              /* the agent runs on every process: requests can be served */
    bool newcomer;              /* this process took its rank over from another */

    /* auto layer */
    hmf_state_t *state;         /* NULL outside auto_init .. auto_done */
    bool read_done;             /* auto_read was called */
    bool owns_mpi;              /* auto_init called MPI_Init */
    bool left;                  /* auto_poll said AUTO_MIGR: the rank lives elsewhere, or on disk */
    bool on_disk;               /* ... on disk */
    bool protect;               /* the checkpoint directory holds a state that could not be read */
    bool wrote;                 /* checkpoints were written or read: mark the end */
    char *dir;                  /* checkpoint directory */
    long keep;
    bool behind;                /* checkpoints are written behind the program's back */
    struct hmf__levels levels;  /* where they lie */
    uint64_t start_us;          /* CPU time when the program's start-up began */
    uint64_t state_bytes;       /* newcomer: of the state that it took over; ... */
    uint64_t carried_ns[4];     /* ... how long its start-up, and those of xfer.h took */
    uint64_t since_ns;          /* ... when it began what it does now */
    uint64_t id;                /* of this run, equal on all processes */
    struct hmf__check_job check;
};

/* The job handle of this process.  The library's only global: MPI itself is one per process. */
extern struct hmf__job hmf__job;

/* Called by the shim after PMPI_Init, collective over the real MPI_COMM_WORLD.  Decides from
 * HMF_SPARES and HMF_SPARE_HOSTS who is a spare.  In a spare it returns when the process has got
 * a rank; if the job ends before, it finalises MPI and ends the process with status 0.
 * A bad setting is reported and ignored; whatever else fails is reported and leaves a job that
 * runs without moves, or on plain MPI.  Always HMF_OK. */
hmf_status_t hmf__job_init(int *argc, char ***argv);

/* Called by the shim before PMPI_Finalize.  Waits until all ranks have come here.  True: a
 * process has died meanwhile, and PMPI_Finalize must not be called, since it would wait for that
 * process for ever. */
bool hmf__job_finalize(void);

/* CPU time of this thread. */
uint64_t hmf__job_cpu_us(void);

/* The process is of no use any more (its move was undone after its program had started): waits
 * for the job's end, finalises MPI and ends with status 0.  Does not return. */
void hmf__job_park(struct hmf__job *j) __attribute__((noreturn));

/* Main thread: waits until the order goes beyond `after` in operation `epoch`; returns the new
 * order, HMF__WAVE_ABORT also when that operation is over.  MPI makes progress meanwhile. */
uint32_t hmf__job_wait_order(struct hmf__job *j, uint64_t epoch, uint32_t after);

/* Has that wave of the operation come here, though it may have been undone since?  The others are in
 * the collective calls that it begins, or will be: a rank that was frozen when both orders came must
 * enter them all the same, or MPI would wait for it. */
int hmf__job_begun(struct hmf__job *j, uint64_t epoch, uint32_t wave);

/* Waits while this process, which was stopped for long, does not know whether it is still a rank
 * (pulse.h). */
void hmf__job_wait_fence(struct hmf__job *j);

/* Main thread, at poll `cut`: waits for what comes of it.  True: the operation goes on at a later
 * poll. */
bool hmf__job_moved_on(struct hmf__job *j, uint64_t epoch, uint64_t cut);

/* 1 if the operation was given up: for loops that wait for MPI. */
int hmf__job_given_up(struct hmf__job *j, uint64_t epoch);

/* Takes a signal for requests (on), or gives it back; a handler of the program's own is left
 * alone. */
void hmf__job_signal(int sig, int on);

/* Collective over the actives: the worst status of all, with its text. */
hmf_status_t hmf__job_agree(hmf_status_t mine);

/* The checkpoint layer's handle, brought up to date with who this process is now. */
struct hmf__check_job *hmf__job_check(struct hmf__job *j);

/* Collective over the actives: waits for a checkpoint that is written in the background; one that
 * failed is logged. */
void hmf__job_settle(struct hmf__job *j);

#endif
