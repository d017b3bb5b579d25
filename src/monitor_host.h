/* monitor_host.h - how a host is: load, pressure, memory, heat, memory errors, who else wants it, and
 * whether somebody has announced its end.
 *
 * Files are read below a root, "" for the real ones, so that tests can lay out a host of their own.
 * What cannot be read is unknown, never an error.  What follows from it is decide.c's. */
#ifndef HMF_MONITOR_HOST_H
#define HMF_MONITOR_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "monitor_topology.h"

enum hmf__host_flag {
    HMF__HOST_OWNER = 1,        /* its owner is back */
    HMF__HOST_ILL = 2,          /* the health command says so */
    HMF__HOST_DRAINED = 4,      /* the batch system takes it out of service */
    HMF__HOST_HOT = 8,          /* it slows down because of heat, or is about to */
    HMF__HOST_ECC = 16          /* memory errors were counted since the last sample */
};

struct hmf__host_sample {       /* NAN: not known */
    double cores;               /* that this process may run on; slower kinds count as a part of one */
    double quota;               /* how many of them its control group may use at once; INFINITY: all */
    double running;             /* threads that run or could, now */
    double load;                /* the same, mean of a minute */
    double psi_cpu, psi_memory; /* part of the last 10 s in which some waited for a core, and all
                                   for memory; 0 to 1 */
    double memory_free;         /* part that is available; ... */
    double memory;              /* ... of so many bytes */
    double clock;               /* clock rate as a part of the highest */
    double ends_at_s;           /* announced end, seconds since 1970; INFINITY: none */
    uint32_t flags;             /* enum hmf__host_flag */
    char reason[80];            /* of flags or the end; "" */
};

struct hmf__host {
    char root[256];
    char owner[40];             /* HMF_OWNER: user to whom the host belongs, "" nobody */
    char notice[300];           /* HMF_NOTICE: file with the time of the host's end, %h in it
                                   being its name; "" none */
    char cgroup[300];           /* where the CPU control group's files are, "" unknown */
    struct hmf__topology topology;  /* threads 0: not looked at yet */
    bool counted;               /* the counters below have been read once */
    double heat, ecc;
    double throttled_s;         /* of the control group, so far */
    double ends_at_s;           /* from the health command */
    uint32_t flags;             /* from commands */
    bool drained;               /* the batch system's word */
    char reason[80];
};

/* Reads HMF_MONITOR_ROOT, HMF_OWNER, HMF_NOTICE. */
void hmf__host_open(struct hmf__host *h);

/* wall_s: now, seconds since 1970. */
void hmf__host_read(struct hmf__host *h, double wall_s, struct hmf__host_sample *out);

/* Seconds for which this process's control group was denied the CPU so far; 0: not known. */
double hmf__host_throttled(struct hmf__host *h);

void hmf__host_put(struct hmf__buf *out, const struct hmf__host_sample *s);
void hmf__host_get(struct hmf__buf *in, struct hmf__host_sample *s);

/* What the health command said: exit status 0 the host is well, 1 it is ill, others say nothing; a
 * line "ends SECONDS [reason]" announces an end, seconds since 1970 or, with a +, from now on. */
void hmf__host_health(struct hmf__host *h, int exit_status, const char *output, double wall_s);

/* What the batch system's command said (exit status 0, else nothing is known and it stays as it was): the host, by
 * $SLURMD_NODENAME or its own name, full or short, is on its way out of service, or not any more. */
void hmf__host_batch(struct hmf__host *h, int exit_status, const char *output);

/* Whether `scontrol -o show node` says in `output` that a host is on its way out: its line
 * "NodeName=HOST ... State=IDLE+DRAIN ...".  1, or 0, -1: the host is not there. */
int hmf__host_drained(const char *output, const char *host);

/* As on the wire and in frames: doubles by their bits. */
void hmf__put_double(struct hmf__buf *out, double v);
double hmf__get_double(struct hmf__buf *in);

#endif
