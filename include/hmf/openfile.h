/* Open files as part of a rank's state: a FILE * or a descriptor on a regular file goes with the
 * rank when it moves, and is there again when a checkpoint is continued.
 *
 * What is recorded is the file's path, how it is open, and the position; on the other side the
 * file is opened again and put there.  The contents are not carried: the file has to be reachable
 * under the same path, as on a file system that the nodes share.
 *
 *     FILE *log = NULL;
 *
 *     hmf_openfile_track("log", &log);
 *     if (!auto_read(AUTO_ALL))
 *         log = fopen("run.log", "w");    // not before auto_read: "w" would empty the file
 *
 * What is buffered for writing is written out, and synced, when the state is taken.  A file is
 * reopened without being emptied or created: "w" becomes "write from the position on".  Nothing is
 * cut off either, unless the file is said to be the rank's own (hmf_openfile_own): a program that is
 * continued from a checkpoint writes again, at the same place, what it had written after it; into
 * a file opened for appending it writes those lines a second time.
 *
 * In a checkpoint, and for hmf inspect, such a variable is a struct { path, mode, offset }; mode is
 * as in fopen, "" for NULL, with a c for a file of one's own that ends there.
 *
 * What cannot be carried is refused when the state is taken, by the variable's name, and the
 * checkpoint or move does not take place: pipes, sockets, terminals, devices, directories; a file
 * that was deleted, renamed over or moved; memory streams; a FILE that two tracked variables share.
 * Not carried: characters pushed back with ungetc, buffering and orientation of the stream,
 * locks, the number of a descriptor (the variable has the new one), and that two descriptors
 * share one position.
 */
#ifndef HMF_OPENFILE_H
#define HMF_OPENFILE_H

#include "hmf/status.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Register a variable that holds a stream, or a descriptor, between auto_init and auto_read, on
 * every rank; NULL, or a negative descriptor, is a value like others.
 *   name  as for auto_track; unique among all registered variables
 *   file  the variable's address, valid until untracked or auto_done
 * Restoring overwrites the variable; what it held before is not closed.
 * Not collective.  HMF_ERR_STATE (before auto_init), HMF_ERR_ARG, HMF_ERR_NAME (name or variable
 * registered already), HMF_ERR_NOMEM. */
hmf_status_t hmf_openfile_track(const char *name, FILE **file);
hmf_status_t hmf_openfile_track_fd(const char *name, int *fd);

/* Say that this rank, through this variable, is the only one that writes the file: when a
 * checkpoint is continued, what was written after it is cut off, so that a log that is appended to
 * has each line once.  To be said each time that it is tracked, before auto_read.  Without effect
 * on files open for reading only, and on those whose position, other than for appending only, was
 * not at the end.  Undefined for a file that several write: lines of others may be lost.
 * Not collective.  HMF_ERR_NOTFOUND (no such name is tracked), HMF_ERR_STATE. */
hmf_status_t hmf_openfile_own(const char *name);

/* Take it out again; the file stays open.  HMF_ERR_NOTFOUND, HMF_ERR_STATE. */
hmf_status_t hmf_openfile_untrack(const char *name);

/* Reasons for which a checkpoint or move then fails: HMF_ERR_UNSUPPORTED (not a regular file,
 * shared), HMF_ERR_NOTFOUND (no such file any more, on either side), HMF_ERR_MISMATCH (the file is
 * shorter than the recorded position), HMF_ERR_IO, HMF_ERR_LIMIT (a path of 4096 bytes). */

#ifdef __cplusplus
}
#endif
#endif
