/* move.h - the main thread's part in an operation: from the poll at which it stops until it goes
 * on. */
#ifndef HMF_MOVE_H
#define HMF_MOVE_H

#include "job.h"

/* auto_poll's slow path: poll number `n` is at or past the limit.  Returns AUTO_* bits. */
int hmf__move_poll(struct hmf__job *j, uint64_t n, int mask);

/* A spare that has been given a rank: takes what its predecessor packed and builds the
 * communicators. HMF_OK: MPI_Init may return. */
hmf_status_t hmf__move_enter(struct hmf__job *j);

/* The newcomer in auto_read: takes the image into the registered variables. Does not return when
 * the move is undone (the process parks). */
void hmf__move_restore(struct hmf__job *j);

/* The newcomer in its first auto_poll: says that it has come, and is the rank from the commit
 * on.  Not before, since a program that communicates in between would wait for ranks that stand
 * in their poll. */
void hmf__move_confirm(struct hmf__job *j);

/* The newcomer's program did something else than coming to auto_read: the move is off.  Does not
 * return. */
void hmf__move_refuse(struct hmf__job *j, const char *what) __attribute__((noreturn));

#endif
