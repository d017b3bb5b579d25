/* monitor_command.h - a command of the user's that says how a host is, run now and then.
 *
 * It runs beside the agent, which never waits for it: what it wrote is looked at when it has ended, and
 * one that takes longer than its limit is killed and says nothing. */
#ifndef HMF_MONITOR_COMMAND_H
#define HMF_MONITOR_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct hmf__command {
    const char *line;           /* for /bin/sh; "": none */
    uint64_t every_ns, next_ns, limit_ns;
    pid_t pid;                  /* 0: it does not run */
    int fd;
    size_t len;
    char said[16384];
};

/* The command is in the environment variable `name`, or else `dflt`, which is borrowed; it is run every
 * `every_s`. */
void hmf__command_init(struct hmf__command *c, const char *name, const char *dflt, double every_s);
void hmf__command_fini(struct hmf__command *c);

/* Starts it if it is time to.  True: it has ended, with this exit status (-1: killed) and output. */
bool hmf__command_run(struct hmf__command *c, uint64_t now_ns, int *status, char *said, size_t len);

#endif
