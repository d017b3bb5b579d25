/* Fuzzer over the control socket: whatever is written to it is answered or refused, and changes nothing.  A job of one
 * process, whose main thread is nowhere, gets mutated requests; its status must stay as it is.
 *   fuzz_control -n RUNS FILE...     HMF_SEED=n for other mutations */
#include "config.h"

#include "agent.h"
#include "control.h"
#include "rundir.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t seed;

static unsigned rnd(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % n);
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* Writes the bytes, by pieces or at once, and reads what comes; its length. */
static size_t talk(const char *name, const void *data, size_t len, char *got, size_t room)
{
    struct sockaddr_un sun;
    char path[PATH_MAX];
    int dir = hmf__rundir_open(path, 0), fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t n = 0, piece = 1 + rnd(400);
    ssize_t k;

    if (dir < 0 || fd < 0 || hmf__rundir_address(&sun, dir, name) || connect(fd, (struct sockaddr *)&sun, sizeof sun))
        die("the job is not there any more");
    close(dir);
    for (size_t at = 0; at < len; at += piece)
        if (send(fd, (const char *)data + at, len - at < piece ? len - at : piece, MSG_NOSIGNAL) < 0)
            break;                        /* it has heard enough */
    shutdown(fd, SHUT_WR);
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 60000) != 1)
            die("no answer within a minute");
        k = recv(fd, got + n, room - 1 - n, 0);
        if (k <= 0 || n + (size_t)k >= room - 1)
            break;
        n += (size_t)k;
    }
    close(fd);
    got[n] = 0;
    return n;
}

static size_t mutate(unsigned char *p, size_t n, size_t room)
{
    for (unsigned i = rnd(6); i > 0; i--)
        switch (rnd(5)) {
        case 0: if (n) p[rnd((unsigned)n)] = (unsigned char)rnd(256); break;
        case 1: if (n) p[rnd((unsigned)n)] ^= (unsigned char)(1u << rnd(8)); break;
        case 2: if (n > 1) n = rnd((unsigned)n); break;
        case 3: if (n < room) p[n++] = "\n 0-9%"[rnd(6)]; break;
        default:
            while (n < room && rnd(200))
                p[n++] = 'x';
        }
    if (n < room && rnd(4))
        p[n++] = '\n';
    return n;
}

/* "refusals" are counted in the last line, and ages pass: what is compared is who is where. */
static void cut(char *status)
{
    for (char *p; (p = strstr(status, " polls")) || (p = strstr(status, "totals"));)
        *p = 0;
}

int main(int argc, char **argv)
{
    static char before[65536], after[65536];
    static struct hmf__agent a;
    struct hmf__net_addr self;
    uint8_t secret[HMF__NET_SECRET] = {1};
    char dir[] = "/tmp/hmf-fuzz-XXXXXX", name[64];
    long runs = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    const char *given = getenv("HMF_SEED");
    int map = 0;

    seed = (given ? strtoull(given, NULL, 10) : 1) * 0x9e3779b97f4a7c15ull | 1;
    if (argc < 4 || strcmp(argv[1], "-n") || !mkdtemp(dir))
        die("usage: fuzz_control -n RUNS FILE...");
    setenv("HMF_RUN_DIR", dir, 1);
    setenv("HMF_LOG", "error", 1);
    hmf__net_self(&self);
    if (hmf__agent_open(&a, &self, 1))
        die("agent");
    a.nprocs = a.nranks = 1;
    a.proc_of = &map;
    a.limit_ns = a.start_limit_ns = 1000000000;
    a.program = hmf__strdup("fuzz");
    a.role = HMF__ROLE_ACTIVE;
    if (hmf__agent_start(&a, &self, secret))
        die("agent");
    snprintf(name, sizeof name, "fuzz.%ld.sock", (long)getpid());
    talk(name, "status\n", 7, before, sizeof before);
    cut(before);
    if (strncmp(before, "job fuzz", 8))
        die("no status");
    for (long i = 0; i < runs; i++) {
        unsigned char data[4096];
        FILE *f = fopen(argv[3 + i % (argc - 3)], "rb");
        size_t n = f ? fread(data, 1, 1024, f) : 0;
        if (f)
            fclose(f);
        n = mutate(data, n, sizeof data);
        talk(name, data, n, after, sizeof after);
    }
    talk(name, "status\n", 7, after, sizeof after);
    cut(after);
    if (strcmp(before, after)) {
        fprintf(stderr, "fuzz_control: the job was changed:\n%s---\n%s", before, after);
        return 1;
    }
    hmf__agent_stop(&a);
    hmf__free(a.program);
    rmdir(dir);
    printf("%ld requests\n", runs);
    return 0;
}
