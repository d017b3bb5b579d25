/* rundir.c - see rundir.h. */
#include "config.h"

#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

int hmf__rundir_open(char path[PATH_MAX], int create)
{
    const char *given, *run;
    struct stat st;
    int fd, n;

    hmf__param_string("HMF_RUN_DIR", NULL, &given);
    hmf__param_string("XDG_RUNTIME_DIR", NULL, &run);
    if (given)
        n = snprintf(path, PATH_MAX, "%s", given);
    else if (run && !access(run, W_OK))
        n = snprintf(path, PATH_MAX, "%s/hmf", run);
    else
        n = snprintf(path, PATH_MAX, "/tmp/hmf-%u", (unsigned)getuid());
    if (n < 0 || n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (create && mkdir(path, 0700) && errno != EEXIST)
        return -1;
    fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    /* Root may ask a user's job; a job never trusts a directory that is another's. */
    if (fstat(fd, &st) || (st.st_mode & 077) ||
        (st.st_uid != getuid() && (create || getuid() != 0))) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

int hmf__rundir_address(struct sockaddr_un *sun, int dirfd, const char *name)
{
    int n;

    *sun = (struct sockaddr_un){.sun_family = AF_UNIX};
    n = snprintf(sun->sun_path, sizeof sun->sun_path, "/proc/self/fd/%d/%s", dirfd, name);
    if (n < 0 || (size_t)n >= sizeof sun->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}
