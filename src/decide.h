/* decide.h - the running job decides by itself: from samples to wishes.
 *
 * Takes the samples of all agents (monitor.h), keeps what is known of ranks and hosts, builds for
 * each rank the graph of places it could be in (hmf/graph.h), asks the policies that HMF_POLICY
 * names (hmf/policy.h), and answers with moves to be asked for.  Whoever holds it (the coordinator)
 * asks for them as anybody else would, and says what became of them.  Pure computation on what it is
 * given; times are in nanoseconds of one monotonic clock.
 *
 *   samples -> ranks, hosts -> weights -> graph of a rank -> policies -> wish
 */
#ifndef HMF_DECIDE_H
#define HMF_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "hmf/policy.h"
#include "costs.h"
#include "monitor.h"
#include "monitor_slow.h"
#include "op.h"

#define HMF__DECIDE_PLACES 32   /* hosts looked at for one rank: the best ones */

struct hmf__decide_host {
    char name[64];
    char kind[64];              /* what kind of host, "": not known */
    char data[16];              /* its data format */
    bool known;                 /* a sample has come */
    struct hmf__host_sample s;  /* the last one */
    double running;             /* smoothed */
    double noticed_us;          /* since when an end is known; INFINITY: none is */
    double suspected_us;        /* when it was last suspected; INFINITY: never */
    char reason[80];            /* why */
    double weight;              /* W as it is; of a rank that runs there like the others */
    double weight_more;         /* W with one process more */
    int free;                   /* spares there that are free */
    double response_us;         /* age of its last sample */
    uint64_t seen_ns;
};

struct hmf__decide_rank {
    int proc;
    bool fresh;                 /* a sample since the last round */
    double step_s;              /* from poll to poll */
    double busy_s, cpu_s;       /* computed, and worked on a CPU, per iteration of that sample */
    double queued_s;            /* waited for a core, per iteration: in MPI or not, nobody knows */
    double wait;                /* part of the time, smoothed */
    double cpu, delay;          /* parts, smoothed: the contention is 1 + delay / cpu */
    double throttled, stopped;  /* parts, smoothed */
    double late_s;              /* smoothed */
    bool bound;                 /* to some of the host's cores */
    double bytes;               /* what there is to move, about */
    double weight;              /* W of its place */
    struct hmf_history history;
    uint64_t not_before_ns;     /* after a failure */
    double back_off_s;
    struct hmf_decision last;
    char said[sizeof ((struct hmf_decision *)0)->why];
};

struct hmf__decide {
    int nranks, nprocs, nhosts;
    int *host_of;               /* nprocs */
    double *throttled;          /* nprocs: the last sample's, NAN */
    struct hmf__decide_host *host;
    struct hmf__decide_rank *rank;
    struct hmf__slow slow;
    hmf_policies_t *policies;
    char policy[200];           /* their names, as they were given */
    struct hmf_policy_options options;
    double remaining_s;         /* HMF_REMAINING; 0: as long again as it has run */
    uint64_t began_ns;          /* of the job */
    uint64_t interval_ns, next_ns;
    uint64_t skip_until_ns;     /* samples that an operation has disturbed */
    unsigned long rounds, asked;
    bool quiet;                 /* others say what becomes of hosts */
    double *busy, *cpu, *queued;    /* nranks: scratch of a round */
    bool *ill;
    const struct hmf__costs *costs; /* borrowed; NULL: nothing is known of what moves cost */
    const char *program;        /* borrowed */
};

/* `host_of` (copied): which host each process is on, 0 to nhosts - 1; `names` (copied): of hosts.
 * Reads HMF_POLICY and HMF_POLICY_*, HMF_REMAINING.  HMF_ERR_NAME, HMF_ERR_IO, HMF_ERR_VERSION (a
 * policy), HMF_ERR_NOMEM. */
hmf_status_t hmf__decide_new(int nranks, int nprocs, int nhosts, const int *host_of,
                             const char *const *names, double interval_s, uint64_t now_ns,
                             struct hmf__decide **out);
void hmf__decide_free(struct hmf__decide *d);

void hmf__decide_sample(struct hmf__decide *d, const struct hmf__sample *s, uint64_t now_ns);

/* In how many ms a round is due. */
int hmf__decide_timer(const struct hmf__decide *d, uint64_t now_ns);

/* How much longer the job is taken to run. */
double hmf__decide_remaining_us(const struct hmf__decide *d, uint64_t now_ns);

/* A round: `proc_of` says who is where (nranks), `free` which processes are free spares (nprocs), `mine` which
 * ranks are to be decided about (nranks; NULL: all).  Up to `max` wishes are written; returns how many. */
int hmf__decide_round(struct hmf__decide *d, const int *proc_of, const bool *free, const bool *mine,
                      uint64_t now_ns, double wall_s, struct hmf__ask *asks, int max);

/* A rank has moved, whoever asked for it; or stayed although a policy asked it to move (taken: only since there was no
 * free place any more, which the next round will see). */
void hmf__decide_moved(struct hmf__decide *d, int rank, int from_proc, int to_proc, uint64_t now_ns);
void hmf__decide_refused(struct hmf__decide *d, int rank, bool taken, uint64_t now_ns);

/* An operation is under way: what ranks do meanwhile is no measure. */
void hmf__decide_disturbed(struct hmf__decide *d, uint64_t now_ns);

/* Other policies from now on; "auto" is what most want.  HMF_ERR_NAME, HMF_ERR_IO, HMF_ERR_VERSION,
 * HMF_ERR_LIMIT (too many names): those that were stay. */
hmf_status_t hmf__decide_policy(struct hmf__decide *d, const char *names);

/* One line a rank and one a host: the last decision with its numbers. */
void hmf__decide_explain(const struct hmf__decide *d, struct hmf__buf *out);

/* What the next coordinator, or another decider, has to know: past moves, and what is usual for each rank.  It
 * replaces what was known of these. */
void hmf__decide_put(const struct hmf__decide *d, uint64_t now_ns, struct hmf__buf *out);
/* Damage leaves what was there.  HMF_ERR_FORMAT. */
hmf_status_t hmf__decide_get(struct hmf__decide *d, uint64_t now_ns, struct hmf__buf *in);

/* decide_graph.c: weights of hosts and places, and the graph of a rank.  Vertex 0 is where it is;
 * *host says which host each of the others is (HMF_NO_VERTEX is no entry: at most cap). */
void hmf__decide_weights(struct hmf__decide *d, const int *proc_of, const bool *free,
                         uint64_t now_ns);
hmf_status_t hmf__decide_graph(struct hmf__decide *d, int rank, uint64_t now_ns, double wall_s,
                               hmf_graph_t **g, int *host, int cap);

#endif
