/* hmf_job.c - reaching a running job through its control socket (see hmf_job.h and src/control.h). */
#include "config.h"

#include "hmf_job.h"
#include "rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_LIMIT_S 900
#define ANSWER_LIMIT ((size_t)64 << 20)

static int is_socket_name(const char *name, const char *job)
{
    size_t n = strlen(name);

    return n > 5 && !strcmp(name + n - 5, ".sock") && (!job || strstr(name, job));
}

/* Connects to the socket; -1 with errno when nobody listens. */
static int reach(int dir, const char *name)
{
    struct sockaddr_un sun;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (hmf__rundir_address(&sun, dir, name) ||
        connect(fd, (struct sockaddr *)&sun, sizeof sun)) {
        close(fd);
        return -1;
    }
    return fd;
}

enum { MAX_JOBS = 64 };

/* The names of the sockets that somebody listens at, without ".sock"; returns how many. */
static int running_jobs(int dir, const char *job, char name[MAX_JOBS][NAME_MAX + 1])
{
    int list = dir < 0 ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = list < 0 ? NULL : fdopendir(list);
    struct dirent *e;
    int n = 0, fd;

    while (d && n < MAX_JOBS && (e = readdir(d))) {
        if (!is_socket_name(e->d_name, job) || (fd = reach(dir, e->d_name)) < 0)
            continue;                     /* left behind by a job that was killed */
        close(fd);
        snprintf(name[n++], NAME_MAX + 1, "%.*s", (int)(strlen(e->d_name) - 5), e->d_name);
    }
    if (d)
        closedir(d);
    return n;
}

int hmf_job_list(const char *job, int json)
{
    char path[PATH_MAX], name[MAX_JOBS][NAME_MAX + 1];
    int dir = hmf__rundir_open(path, 0), n = running_jobs(dir, job, name);

    if (json)
        putchar('[');
    for (int i = 0; i < n && json; i++) {
        fputs(i ? ", " : "", stdout);
        hmf_put_json(name[i]);
    }
    if (json)
        puts("]");
    for (int i = 0; i < n && !json; i++)
        puts(name[i]);
    if (dir >= 0)
        close(dir);
    return n == 0;
}

/* A connection to the only job, or to the one whose name contains `job`; -1 if that is none or
 * several. */
int hmf_job_find(const char *job)
{
    char path[PATH_MAX], name[MAX_JOBS][NAME_MAX + 1], file[NAME_MAX + 8];
    int dir = hmf__rundir_open(path, 0), why = errno, n = running_jobs(dir, job, name), fd = -1;

    if (dir < 0 && why != ENOENT)
        fprintf(stderr, "hmf: %s cannot be used (%s): it must be a directory of yours, mode 0700\n",
                path, strerror(why));
    else if (n == 0)
        fprintf(stderr, "hmf: no running job%s%s in %s: run hmf on the node of rank 0, as the job's owner\n",
                job ? " named " : "", job ? job : "", path);
    if (n > 1) {
        fprintf(stderr, "hmf: %d jobs run; choose one with --job:\n", n);
        for (int i = 0; i < n; i++)
            fprintf(stderr, "  %s\n", name[i]);
    }
    if (n == 1) {
        snprintf(file, sizeof file, "%s.sock", name[0]);
        fd = reach(dir, file);
    }
    if (dir >= 0)
        close(dir);
    return fd;
}

char *hmf_job_ask(int fd, const char *line)
{
    struct timeval limit = {.tv_sec = ANSWER_LIMIT_S};
    size_t len = 0, room = 65536, n = strlen(line);
    char *got = malloc(room), *more;
    ssize_t k = 1;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (got && send(fd, line, n, MSG_NOSIGNAL) != (ssize_t)n) {
        perror("hmf: the job does not take the request");
        free(got);
        return NULL;
    }
    while (got && len < ANSWER_LIMIT && k > 0) {
        if (room - len < 4096) {
            more = realloc(got, room *= 2);
            if (!more)
                break;
            got = more;
        }
        k = recv(fd, got + len, room - len - 1, 0);
        len += k > 0 ? (size_t)k : 0;
    }
    if (!got || !len) {
        fprintf(stderr, "hmf: the job gave no answer (it may have ended)\n");
        free(got);
        return NULL;
    }
    got[len] = 0;
    return got;
}

char *hmf_job_answer(const char *job, const char *line, int *ok)
{
    int fd = hmf_job_find(job);
    char *got;

    if (fd < 0)
        return NULL;
    got = hmf_job_ask(fd, line);
    close(fd);
    *ok = got && strncmp(got, "error ", 6);
    if (got && (!*ok || !strncmp(got, "ok ", 3)))
        memmove(got, got + (*ok ? 3 : 6), strlen(got + (*ok ? 3 : 6)) + 1);
    return got;
}

char *hmf_job_question(const char *job, const char *line)
{
    int ok;
    char *got = hmf_job_answer(job, line, &ok);

    if (got && !ok) {
        fprintf(stderr, "hmf: %s", got);
        free(got);
        return NULL;
    }
    return got;
}
