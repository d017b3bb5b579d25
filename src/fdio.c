/* Reading and writing descriptors; see fdio.h. */
#include "config.h"

#include "fdio.h"

#include "base.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* After poll() says so, a pipe takes as much without blocking. */
enum { PIECE = PIPE_BUF };

/* Wait until the descriptor is ready. */
static hmf_status_t wait_for(int fd, short events, double limit_s)
{
    struct pollfd p = {.fd = fd, .events = events};
    uint64_t end = limit_s < 0 ? 0 : hmf__now_ns() + (uint64_t)(limit_s * 1e9);

    for (;;) {
        uint64_t now = hmf__now_ns();
        int ms = -1;
        if (limit_s >= 0) {
            uint64_t left = end > now ? (end - now + 999999) / 1000000 : 0;
            ms = left > INT_MAX ? INT_MAX : (int)left;
        }
        int n = poll(&p, 1, ms);
        if (n > 0)
            return HMF_OK; /* also for errors: read and write tell which */
        if (n < 0 && errno != EINTR)
            return hmf__fail(HMF_ERR_IO, "cannot wait for descriptor %d: %s", fd,
                             strerror(errno));
        if (n == 0 && ms != INT_MAX)
            return hmf__fail(HMF_ERR_TIMEOUT, "descriptor %d: nothing could be %s for %g seconds",
                             fd, events & POLLIN ? "read" : "written", limit_s);
    }
}

hmf_status_t hmf__fd_read(int fd, void *data, size_t len, double limit_s, size_t *done)
{
    char *p = data;
    size_t got = 0;
    hmf_status_t rc = HMF_OK;

    while (got < len) {
        if (limit_s >= 0 && (rc = wait_for(fd, POLLIN, limit_s)) != HMF_OK)
            break;
        ssize_t n = read(fd, p + got, len - got);
        if (n > 0) {
            got += (size_t)n;
        } else if (n == 0) {
            rc = hmf__fail(HMF_ERR_FORMAT, "descriptor %d: the data end %zu bytes too early", fd,
                           len - got);
            break;
        } else if (errno == EAGAIN) {
            if ((rc = wait_for(fd, POLLIN, limit_s)) != HMF_OK)
                break;
        } else if (errno != EINTR) {
            rc = hmf__fail(HMF_ERR_IO, "cannot read from descriptor %d: %s", fd, strerror(errno));
            break;
        }
    }
    if (done)
        *done = got;
    return rc;
}

/* write(2), but EPIPE without the signal that would end the program. */
static ssize_t write_quietly(int fd, const void *data, size_t len)
{
    sigset_t pipe, before, pending;
    int saved;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    ssize_t n = write(fd, data, len);
    saved = errno;
    if (n < 0 && saved == EPIPE && !sigismember(&pending, SIGPIPE)) {
        static const struct timespec now = {0, 0};
        while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return n;
}

hmf_status_t hmf__fd_write(int fd, const void *data, size_t len, double limit_s)
{
    const char *p = data;
    hmf_status_t rc;

    while (len) {
        size_t piece = limit_s >= 0 && len > PIECE ? PIECE : len;
        if (limit_s >= 0 && (rc = wait_for(fd, POLLOUT, limit_s)) != HMF_OK)
            return rc;
        ssize_t n = write_quietly(fd, p, piece);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            if ((rc = wait_for(fd, POLLOUT, limit_s)) != HMF_OK)
                return rc;
        } else if (n == 0 || errno != EINTR) {
            return hmf__fail(HMF_ERR_IO, "cannot write to descriptor %d: %s", fd,
                             n ? strerror(errno) : "it takes nothing");
        }
    }
    return HMF_OK;
}
