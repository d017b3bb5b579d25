/* progress.c - what the kernel knows of the main thread (see progress.h). */
#include "config.h"

#include "progress.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Thread_local struct hmf__watch *hmf__watched __attribute__((tls_model("initial-exec")));

void hmf__thread_open(struct hmf__thread *t)
{
    char path[64];
    clockid_t clock;

    t->clock = pthread_getcpuclockid(pthread_self(), &clock) ? CLOCK_PROCESS_CPUTIME_ID : clock;
    snprintf(path, sizeof path, "/proc/self/task/%ld/schedstat", (long)syscall(SYS_gettid));
    t->schedstat_fd = open(path, O_RDONLY | O_CLOEXEC);
}

void hmf__thread_read(const struct hmf__thread *t, double *cpu_s, double *delay_s)
{
    struct timespec at;
    unsigned long long run_ns, delay_ns;
    char text[80];
    ssize_t n;

    *cpu_s = *delay_s = 0;
    if (!clock_gettime(t->clock, &at))
        *cpu_s = (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
    if (t->schedstat_fd < 0)
        return;
    n = pread(t->schedstat_fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%llu %llu", &run_ns, &delay_ns) == 2)
        *delay_s = (double)delay_ns * 1e-9;
}

void hmf__thread_close(struct hmf__thread *t)
{
    if (t->schedstat_fd >= 0)
        close(t->schedstat_fd);
    t->schedstat_fd = -1;
}
