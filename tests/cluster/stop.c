/* Preloaded into the processes of a job by tests/cluster/steps.sh: one of them waits at a given step of a move, so that the test
 * can freeze it, its host or its link there, and nowhere else.
 *
 * HMF_TEST_STOP = "HOST WHERE KIND NUMBER FOLDER": the first process on HOST whose agent sends (WHERE "send") or gets ("recv") a
 * frame of that kind (enum hmf__frame in agent.h; NUMBER: which wave or stage, 0: any), or whose main thread sends piece NUMBER
 * of its image ("image"), writes FOLDER/reached and waits there until FOLDER/go is there.  It looks at the frames as they go
 * through libc and MPI: the library itself has nothing of this. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <mpi.h>

enum { HELLO = 24, HEADER = 8, F_NEWCOMER = 9, TAG_IMAGE = 3 };
#define MAGIC 0x31464d48u

static char where[8], folder[400];
static unsigned kind, number;
static int here = -1;

static int armed(const char *what)
{
    if (here < 0) {
        const char *given = getenv("HMF_TEST_STOP");
        char host[64], mine[64] = "";

        gethostname(mine, sizeof mine - 1);
        here = given && sscanf(given, "%63s %7s %u %u %399s", host, where, &kind, &number, folder) == 5 &&
               !strcmp(host, mine);
    }
    return here && !strcmp(where, what);
}

static void stop(void)
{
    char path[420];
    int fd;

    here = 0;
    snprintf(path, sizeof path, "%s/reached", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;                            /* another process of this host was first */
    dprintf(fd, "%ld\n", (long)getpid());
    close(fd);
    snprintf(path, sizeof path, "%s/go", folder);
    while (access(path, F_OK))
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static uint32_t get(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Lengths and kinds of frames have the network's order, what is in them the other one. */
static uint32_t get_inside(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Is the frame among those in the buffer, which begins with one? */
static int among(const uint8_t *p, size_t n)
{
    size_t at = n >= HELLO && get(p) == MAGIC ? HELLO : 0;

    for (; at + HEADER <= n; at += HEADER + get(p + at)) {
        uint32_t len = get(p + at), k = get(p + at + 4), off = k == F_NEWCOMER ? 8 : 0;
        if (len > n || at + HEADER + len > n)
            return 0;
        if (k != kind)
            continue;
        if (!number || (len >= off + 4 && get_inside(p + at + HEADER + off) == number))
            return 1;
    }
    return 0;
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    static ssize_t (*real)(int, const void *, size_t, int);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "send");
    if (armed("send") && among(data, len))
        stop();
    return real(fd, data, len, flags);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    static ssize_t (*real)(int, void *, size_t, int);
    ssize_t n;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "recv");
    n = real(fd, data, len, flags);
    if (n > 0 && armed("recv") && among(data, (size_t)n))
        stop();
    return n;
}

int PMPI_Isend(const void *buf, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *req)
{
    static int (*real)(const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);
    static unsigned pieces;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "PMPI_Isend");
    if (tag == TAG_IMAGE && armed("image") && ++pieces == number)
        stop();
    return real(buf, n, type, to, tag, comm, req);
}
