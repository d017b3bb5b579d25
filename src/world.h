/* The virtual world: logical ranks, the processes that hold them, and how both change at a move.
 *
 * universe   all N+S processes; never changes
 * actives    the N processes that hold logical ranks 0..N-1 now, in this order
 *
 * world.c owns the map rank -> process and the replacing of all real communicators; vcomm.c owns
 * the table of virtual ones; drain.c brings messages to rest.  Which rank goes where, and when,
 * is the job layer's business.
 */
#ifndef HMF__WORLD_H
#define HMF__WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include <mpi.h>

#include "base.h"
#include "vcomm.h"

/* After PMPI_Init.  Collective over the real MPI_COMM_WORLD; `proc_of_rank` (nranks process
 * numbers, equal everywhere) is copied.  HMF_ERR_ARG, HMF_ERR_NOMEM, HMF_ERR_MPI. */
hmf_status_t hmf__world_init(int nranks, const int *proc_of_rank);

/* Frees everything that PMPI_Finalize would miss.  Local. Calls of the program pass through after
 * it. */
void hmf__world_fini(void);

/* Private communicators of the library.  inner: the actives in order of logical rank,
 * MPI_COMM_NULL in spares and processes that left. */
MPI_Comm hmf__world_universe(void);
MPI_Comm hmf__world_inner(void);

int hmf__world_proc(void);          /* number of this process in the universe */
int hmf__world_nprocs(void);        /* N+S */
int hmf__world_rank(void);          /* logical rank of this process, -1 if none */
int hmf__world_size(void);          /* N */
int hmf__world_proc_of(int rank);   /* -1 if there is no such rank */
int hmf__world_rank_of(int proc);   /* -1 if the process holds none */

/* Local: may this process take part in a move now?  HMF_ERR_UNSUPPORTED or HMF_ERR_BUSY with a text
 * that names the window, file, communicator or request that forbids it. */
hmf_status_t hmf__world_movable(void);

/* Objects that a move cannot carry (windows, files, ...). `kind` is a word for messages ("window"),
 * `name` may be NULL (the file's name, say) and is copied.  add: HMF_ERR_NOMEM.  Removing an
 * unknown object does nothing. */
hmf_status_t hmf__world_object_add(const char *kind, const void *handle, const char *name);
void hmf__world_object_remove(const void *handle);

/* Local, at the poll where all might stop, for a move to the map `new_proc_of` or (NULL) a checkpoint:
 * notes which communicators stay as they are, and gives what the sum over all ranks must be 0 of
 * if nothing forbids the operation that may be over at a later poll (hmf__drain_open). */
uint64_t hmf__world_open(const int *new_proc_of);

/* Collective over the actives at a cut: see hmf__drain_run. */
hmf_status_t hmf__world_drain(void);

/* Collective over the actives at a cut for a checkpoint: see hmf__drain_quiet. */
hmf_status_t hmf__world_quiet(void);

/* Builds new real communicators beside the old ones for the map `new_proc_of` (N process numbers).
 * Collective over the new members: stayers after hmf__world_drain, newcomers after
 * hmf__world_unpack; who leaves does not call it.  Status is local: the job layer agrees on it
 * before commit or rollback.  HMF_ERR_NOMEM, HMF_ERR_MPI, HMF_ERR_STATE. */
hmf_status_t hmf__world_prepare(const int *new_proc_of);

/* After prepare, local, on every stayer and newcomer.  commit: the new communicators take the
 * place of the old, which are freed; then suspended receives are resumed.  rollback (also without
 * prepare, on every active after a drain): the new ones are dropped, the old stay, receives are
 * resumed; a newcomer is a spare again. */
void hmf__world_commit(void);
void hmf__world_rollback(void);

/* Source, at the cut after the drain: everything a newcomer needs (communicators, stashes,
 * counters, start-up log) is appended to `b`. HMF_ERR_NOMEM, HMF_ERR_LIMIT (start-up log dropped),
 * HMF_ERR_BUSY (a request of the leaving rank is pending),
 * HMF_ERR_UNSUPPORTED (a communicator or attribute of it that only its own variables know). */
hmf_status_t hmf__world_pack(struct hmf__buf *b);

/* Newcomer, before prepare: becomes logical rank `rank`.  HMF_ERR_FORMAT, HMF_ERR_NOMEM,
 * HMF_ERR_STATE; the process is then a spare as before. */
hmf_status_t hmf__world_unpack(int rank, const int *proc_of_old, const void *data, size_t len);

/* Everybody who was not in prepare (sources, spares, processes that left): tells the map that has
 * been committed, so that rank_of and proc_of stay true.  Local. */
void hmf__world_set_map(const int *proc_of);

/* Source after the commit: its rank lives elsewhere.  The old communicators are freed, every
 * handle of the program now resolves to MPI_COMM_NULL. */
void hmf__world_leave(void);
bool hmf__world_has_left(void);

#endif
