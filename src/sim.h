/* The simulator: policies and mechanisms on a model of hosts, loads over time and network, to
 * compare when a job would end and how often it would move.  It asks the same policies on the same
 * graph as a running job does.  Nothing here is random but the noise on what policies see, and that
 * follows from the seed.  Models as JSON are sim_json.c's; units as in hmf/graph.h.
 *
 * All hosts do what the graph's vertices say, times what their load makes of it:
 *     W_i(t) = weight_i(t) * max(1, (load_i + ranks there) / cores_i) / speed_i
 * Ranks that wait for each other (the default) all get on as fast as the slowest.
 */
#ifndef HMF__SIM_H
#define HMF__SIM_H

#include "hmf/graph.h"
#include "hmf/policy.h"

#include <stdint.h>

struct hmf__sim_rank {
    size_t at, home;   /* vertices */
    double work_us;    /* on an undisturbed host of speed 1, for share 1 */
    double share;      /* times this */
    char needs[64];
    int real_time;
};

/* From at_us on. What `what` does not name stays. */
struct hmf__sim_event {
    double at_us;
    unsigned what;
    size_t vertex, rank;
    double load, ends_at_us;
    struct hmf_weight weight;
    int owner, real_time;
    char needs[64];
};
enum {
    HMF__SIM_LOAD = 1,       /* processes of others on the vertex */
    HMF__SIM_WEIGHT = 2,     /* another weight function */
    HMF__SIM_OWNER = 4,      /* owner != 0: infinite while he is there */
    HMF__SIM_ENDS = 8,       /* notice: the vertex fails at ends_at_us */
    HMF__SIM_FAILS = 16,     /* it fails, without notice */
    HMF__SIM_SUSPECTED = 32, /* it is suspected to be ill */
    HMF__SIM_NEEDS = 64,     /* the rank needs these resources */
    HMF__SIM_REAL_TIME = 128 /* the rank enters or leaves a real-time phase */
};

struct hmf__sim_model {
    hmf_graph_t *graph;           /* owned; slots count places beside those of the ranks there */
    struct hmf__sim_rank *rank;   /* owned */
    size_t nranks;
    struct hmf__sim_event *event; /* owned, by time */
    size_t nevents;
    char (*policy)[128];          /* owned: names as hmf_policies_new takes them */
    size_t npolicies;
    enum hmf_mechanism mechanism[3];
    size_t nmechanisms;           /* 0: the graph's own */
    double step_us;               /* of the simulated clock */
    double decide_us;             /* policies are asked so often */
    double limit_us;              /* when it is given up */
    double noise;                 /* standard deviation of seen weights, as a part of them */
    double checkpoint_us;         /* so often; 0: never */
    double checkpoint_cost_us;    /* the job stands still for so long */
    double restart_us;            /* from the loss of a rank until it runs again */
    uint64_t seed;
    int independent;              /* 1: ranks do not wait for each other */
    struct hmf_policy_options options;
};

struct hmf__sim_result {
    int finished;       /* 0: given up at limit_us */
    double end_us;
    double moving_us;   /* time that ranks stood still for moves, all together */
    double lost_us;     /* work done twice after losses */
    size_t moves, losses, decisions;
};

/* Told of each decision. */
typedef void (*hmf__sim_cb)(void *ctx, double at_us, size_t rank, const struct hmf_decision *d);

/* Everything empty, defaults set (step 0.1 s, decisions every 1 s, limit 1e5 s). */
void hmf__sim_init(struct hmf__sim_model *m);
void hmf__sim_fini(struct hmf__sim_model *m);

/* One policy with one mechanism; the model is not changed.  HMF_ERR_ARG (a model that makes no
 * sense), what policies return, HMF_ERR_NOMEM. */
hmf_status_t hmf__sim_run(const struct hmf__sim_model *m, const hmf_policies_t *policies,
                          enum hmf_mechanism mechanism, hmf__sim_cb tell, void *ctx,
                          struct hmf__sim_result *result);

/* A model from a JSON file, or text.  As hmf_graph_load. */
hmf_status_t hmf__sim_load(const char *path, struct hmf__sim_model *m);
hmf_status_t hmf__sim_parse(const char *json, size_t len, const char *where,
                            struct hmf__sim_model *m);

#endif
