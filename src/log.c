/* Log lines on stderr.  What is worth a line is decided by the callers. */
#include "config.h"

#include "base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int log_rank = -1;
static atomic_int log_level = -1; /* -1: HMF_LOG not read yet */

static int level_from_environment(void)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    const char *value = getenv("HMF_LOG");

    if (!value || !*value)
        return HMF__LOG_WARN;
    for (int i = 0; i < 4; i++)
        if (!strcmp(value, names[i]))
            return i;
    fprintf(stderr, "hmf: HMF_LOG=%s is not one of error, warn, info, debug: using warn\n", value);
    return HMF__LOG_WARN;
}

bool hmf__log_wants(enum hmf__log_level level)
{
    int have = atomic_load_explicit(&log_level, memory_order_relaxed);

    if (have < 0) {
        int mine = level_from_environment();
        int expected = -1;
        atomic_compare_exchange_strong(&log_level, &expected, mine);
        have = mine;
    }
    return (int)level <= have;
}

void hmf__log_identity(int logical_rank)
{
    atomic_store(&log_rank, logical_rank);
}

void hmf__log(enum hmf__log_level level, const char *fmt, ...)
{
    if (!hmf__log_wants(level))
        return;

    int saved = errno;
    char line[1400], host[65] = "?";
    size_t n;
    int rank = atomic_load(&log_rank);
    va_list ap;

    if (gethostname(host, sizeof host))
        strcpy(host, "?");
    host[sizeof host - 1] = '\0';
    if (rank >= 0)
        n = (size_t)snprintf(line, sizeof line, "hmf rank %d on %s: ", rank, host);
    else
        n = (size_t)snprintf(line, sizeof line, "hmf process %ld on %s: ", (long)getpid(), host);
    va_start(ap, fmt);
    int m = vsnprintf(line + n, sizeof line - n - 1, fmt, ap);
    va_end(ap);
    if (m > 0)
        n += (size_t)m < sizeof line - n - 1 ? (size_t)m : sizeof line - n - 2;
    line[n++] = '\n';
    /* one write, so that lines of several ranks do not mix; nothing to do when it fails */
    ssize_t put = write(STDERR_FILENO, line, n);
    (void)put;
    errno = saved;
}
