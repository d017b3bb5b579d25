/* auto.h - the automatic layer of libhmf-mpi: what most programs need, and all of it.
 *
 * Names and meanings follow section 5.3 of the report "Graph models and process migration in
 * heterogeneous distributed systems" (Dartmouth College): a program registers its typed state,
 * reads an earlier one if there is one, and polls in its main loop.
 *
 *     auto_init(argv[0]);
 *     auto_track("u", u, n * sizeof *u, u_type, 1);
 *     auto_track("step", &step, sizeof step, step_type, 1);
 *     if (!auto_read(AUTO_ALL))
 *         ...initial values...
 *     for (; step < steps; step++) {
 *         if (auto_poll(AUTO_ALL) & AUTO_MIGR)
 *             break;                                  // lives elsewhere now: go to auto_done
 *         ...one step...
 *     }
 *     auto_done();
 *
 * Rules
 *  - auto_init, the registrations, auto_read and auto_done are called by every rank.
 *  - Every rank calls auto_poll equally often, with the same masks in the same order: all ranks
 *    stop at the same poll.  The poll stands where the registered state says all that is needed
 *    to run the rest of the loop: at its top.
 *  - A process whose rank has left (AUTO_MIGR) must not communicate any more; it goes to
 *    auto_done and MPI_Finalize, where it waits for the end of the job.
 *  - Nothing is communicated between auto_read and the first auto_poll: a newcomer comes there
 *    alone, while the others stand in their poll.  (A move of such a program is undone with a
 *    message that names the call.)
 *  - A collective call may be begun before a poll and completed after it.  If some ranks begin it
 *    before and others after (a nonblocking one, or MPI_Bcast, which its root may leave early),
 *    a rank on that communicator moves at the first later poll that no such call spans; the same
 *    for a checkpoint, of which messages under way are no part either.  After 64 polls or
 *    HMF_TIMEOUT without one it is given up, and the communicator named.
 *  - A pointer that the program sets anew or swaps is itself a variable: register it (its
 *    address, with typePOINTER), not only what it points to now.
 *  - A checkpoint is continued on as many ranks as wrote it, or on any number if each variable was
 *    declared a part of a global array or equal on all ranks (hmf/partition.h).
 *  - A file that stays open across polls is registered too (hmf/openfile.h).
 *  - What the program does between MPI_Init and auto_read is done again by a newcomer, with the
 *    communication of its predecessor replayed.  It must be the same code on every rank's newcomer.
 *
 * Return values are 0 for success or an hmf_status_t (hmf/status.h) unless said otherwise; the
 * reason is printed on standard error once, and hmf_error_text() has it.  No function ends the
 * program.
 *
 * Threads: call these functions from one thread, the one that called MPI_Init.  Above
 * MPI_THREAD_FUNNELED the others may be inside MPI meanwhile (at SERIALIZED not: a poll counts as
 * a call): they are held until the operation is over.  One that stays in a call which cannot be
 * interrupted (a collective call that others make after the poll) makes it refused by name.
 * Threads that communicate are started after auto_read, by a newcomer too, from what is in
 * registered variables: see to it that these say at a poll where a thread has to go on.  A thread of
 * a rank that moves may wait in MPI_Recv, MPI_Probe, MPI_Wait: the newcomer's does so again.  In
 * the process that is left its calls return MPI_ERR_COMM.
 */
#ifndef AUTO_H
#define AUTO_H

#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AUTO_CHKP 1     /* a checkpoint: the job's state goes to disk, the job goes on */
#define AUTO_MIGR 2     /* a move: this rank now lives elsewhere */
#define AUTO_ALL (AUTO_CHKP | AUTO_MIGR)

/* A registered variable.  The structure and what it points to belong to the program and stay
 * valid until it is removed. */
typedef struct var_elem {
    char *v_name;       /* unique name */
    void *v_data;       /* address */
    size_t v_data_len;  /* bytes: the size of the described type, or a multiple (an array of it) */
    int *v_type_list;   /* type description (typemap.h) */
    int v_list_len;     /* ints in it */
} var_elem_t;

/* Begins.  `program` (argv[0]) names the state on disk: <name>.hmf in the working directory
 * unless HMF_DIR says otherwise.  A program that has not called MPI_Init has it called here, and
 * a spare then waits here for a rank.  Installs the handlers of SIGUSR1 (checkpoint), SIGUSR2
 * (move this process's rank) and SIGTERM (checkpoint and end) unless the program has its own.
 * Collective over all ranks.
 * HMF_ERR_STATE: called twice.  HMF_ERR_ARG, HMF_ERR_NOMEM, HMF_ERR_MPI. */
int auto_init(const char *program);

/* Registers the variable that *elem describes; the contents of *elem are copied, its address
 * identifies it for auto_remove.  Not collective, but every rank registers the same names in
 * start-up.
 * HMF_ERR_STATE (before auto_init), HMF_ERR_ARG, HMF_ERR_NAME (name or address registered already),
 * HMF_ERR_TYPE (a wrong description: the text names the position), HMF_ERR_NOMEM. */
int auto_register(var_elem_t *elem);

/* The same without a structure of one's own; undone by auto_untrack with the same address. */
int auto_track(const char *name, void *data, size_t data_len, int *type_list, int list_len);
int auto_untrack(void *data);

/* Takes a variable out: by its structure (data NULL) or by its address (elem NULL); by name.
 * HMF_ERR_NOTFOUND, HMF_ERR_STATE. */
int auto_remove(var_elem_t *elem, void *data);
int auto_remove_name(const char *name);

/* After the registrations, once: returns 1 if there was an earlier state, and the variables hold
 * it; else 0, and the variables are as they were.  Earlier state is a message from the process
 * that held this rank (AUTO_MIGR in mask), or the newest whole checkpoint of this program
 * (AUTO_CHKP).  Collective over all ranks unless this process is a newcomer.
 * A checkpoint that cannot be read (damaged, other variables, other number of ranks) is reported
 * with its reason; an older whole one is taken instead if there is one.  When none fits, 0 is
 * returned, and the files are kept: checkpoints into that directory are then refused until
 * HMF_RESTART=never says that the old state may go. */
int auto_read(int mask);

/* Serves requests that mask allows, here and nowhere else.  Returns 0 when nothing happened (or
 * only other ranks moved), AUTO_CHKP when a checkpoint was taken, AUTO_MIGR when this rank lives
 * elsewhere, AUTO_CHKP | AUTO_MIGR when the whole job went to disk to end here.  Idle: a few
 * nanoseconds. Called in the wrong order it reports that once and returns 0. */
int auto_poll(int mask);

/* Ends: all variables are taken out.  If auto_init called MPI_Init, MPI_Finalize is called here,
 * which waits for all ranks.  HMF_ERR_STATE: without auto_init. */
int auto_done(void);

#ifdef __cplusplus
}
#endif
#endif
