/* monitor_command.c - running a command beside the agent (see monitor_command.h). */
#include "config.h"

#include "monitor_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"

#define LIMIT_NS (10ull * 1000000000)

extern char **environ;

void hmf__command_init(struct hmf__command *c, const char *name, const char *dflt, double every_s)
{
    memset(c, 0, sizeof *c);
    hmf__param_string(name, dflt, &c->line);
    c->every_ns = (uint64_t)(every_s * 1e9);
    c->fd = -1;
}

static void end(struct hmf__command *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->pid = 0;
}

void hmf__command_fini(struct hmf__command *c)
{
    if (c->pid > 0) {
        kill(-c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    end(c);
}

static void start(struct hmf__command *c, uint64_t now_ns)
{
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)(uintptr_t)c->line, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none;
    int pipes[2];

    c->next_ns = now_ns + c->every_ns;
    c->limit_ns = now_ns + LIMIT_NS;
    c->len = 0;
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
        return;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, pipes[1], 1);
    posix_spawnattr_init(&attr);
    /* The agent blocks all signals; the command has its own group, so that all of it can be killed. */
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    if (posix_spawn(&c->pid, argv[0], &files, &attr, argv, environ))
        c->pid = 0;
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    close(pipes[1]);
    c->fd = pipes[0];
    if (!c->pid)
        end(c);
}

static void take(struct hmf__command *c)
{
    char rest[4096];
    ssize_t n;

    while ((n = read(c->fd, rest, sizeof rest)) > 0) {
        size_t room = sizeof c->said - 1 - c->len, k = (size_t)n < room ? (size_t)n : room;
        memcpy(c->said + c->len, rest, k);
        c->len += k;
    }
    c->said[c->len] = '\0';
}

bool hmf__command_run(struct hmf__command *c, uint64_t now_ns, int *status, char *said, size_t len)
{
    int how = 0;
    pid_t got;

    if (!c->line || !c->line[0])
        return false;
    if (!c->pid) {
        if (now_ns >= c->next_ns)
            start(c, now_ns);
        return false;
    }
    take(c);
    got = waitpid(c->pid, &how, WNOHANG);
    if (!got) {
        if (now_ns < c->limit_ns)
            return false;
        kill(-c->pid, SIGKILL);            /* its end is seen the next time */
        return false;
    }
    take(c);
    end(c);
    /* A program that waits for any child may have taken this one away. */
    *status = got > 0 && WIFEXITED(how) ? WEXITSTATUS(how) : -1;
    snprintf(said, len, "%s", c->said);
    return true;
}
