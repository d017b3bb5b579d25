/* rundir.h - the directory in which a job's control socket lies, for the job and for the command.
 *
 * $HMF_RUN_DIR, else $XDG_RUNTIME_DIR/hmf where that can be written, else /tmp/hmf-<uid>.
 * The path may be of any length: a socket's own address is limited to 107 characters, so sockets
 * are bound and reached through the open directory. */
#ifndef HMF_RUNDIR_H
#define HMF_RUNDIR_H

#include <limits.h>
#include <sys/un.h>

/* Opens the directory; `path` becomes its name, also on failure. With `create` it is made if it
 * is missing. -1 with errno: EPERM if it is not a directory of the user (root may open any without
 * `create`) or is open to others, since somebody else could answer in our place there. */
int hmf__rundir_open(char path[PATH_MAX], int create);

/* The address of the socket `name` in the directory; -1 with ENAMETOOLONG. It is good as long as
 * `dirfd` is open, and in this process only. */
int hmf__rundir_address(struct sockaddr_un *sun, int dirfd, const char *name);

#endif
