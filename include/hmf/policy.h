/* Policies: whether a process should leave the vertex where it is, and for which one.
 *
 * A policy is a pure function of a graph (hmf/graph.h), a short history of moves and a few facts
 * about the process; it keeps nothing and does nothing.  The running job and the simulator call the
 * same ones.  A policy has a name; several named together ("eviction,degradation,least-cost") are
 * asked in that order, and the first that wants to move is heard.  A name with a slash is a shared
 * object of the user's.  Around every policy stands the same guard: no move for a small gain, none
 * back to where it just left, not too many, none to a suspected host.  doc/policies.md has each
 * policy with an example.
 *
 * Units as in hmf/graph.h.  Nothing here is collective or touches MPI.  Threads: all functions may
 * be called from any thread, loading from one at a time.
 */
#ifndef HMF_POLICY_H
#define HMF_POLICY_H

#include "hmf/graph.h"
#include "hmf/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a policy is given ---- */

/* The last moves of the process, oldest first, and for how many decisions on end it has wanted one.
 * Zero-initialised: none. */
enum { HMF_HISTORY_MOVES = 16 };
struct hmf_history {
    size_t n;
    size_t wanted;
    struct hmf_history_move {
        double at_us;
        size_t from, to;
    } move[HMF_HISTORY_MOVES];
};

/* Note a move that happened; the oldest one is dropped when there are too many. */
void hmf_history_add(struct hmf_history *h, double at_us, size_t from, size_t to);

/* Note what was decided, after every decision: a gain counts when it was there several times. */
struct hmf_decision;
void hmf_history_decided(struct hmf_history *h, const struct hmf_decision *d);

struct hmf_policy_options {
    double hysteresis;     /* gain asked for, as a part of what staying costs */
    double min_gain_us;    /* and at least that much */
    double confirm;        /* in so many decisions on end: one measurement may be noise */
    double settle_us;      /* how long a vertex that was left is not gone back to */
    double max_moves;      /* so many moves ... */
    double window_us;      /* ... within that time; at most HMF_HISTORY_MOVES are remembered */
    double quarantine_us;  /* how long a suspected host gets nothing new */
    double threshold; /* weight from which "threshold" leaves, and "disk" calls a host overloaded */
    double real_time;      /* largest weight of a host in a real-time phase */
    double margin_us;      /* how long before a known end a host is empty */
    double rise; /* "degradation": what staying costs more at the end than at the notice */
};

/* hysteresis 0.1, min_gain 0, confirm 5, settle 30 s, 4 moves in 10 minutes, quarantine 1 hour,
 * threshold 1.5, real_time 1.2, margin 1 s, rise 10. */
void hmf_policy_options_init(struct hmf_policy_options *o);

/* Another active rank, for exchanges. */
struct hmf_policy_peer {
    int rank;
    size_t vertex;
    double share;  /* its part of the work, 1: as much as anybody */
    double weight; /* of its vertex, now */
};

struct hmf_policy_input {
    const hmf_graph_t *graph;   /* of this process; the active vertex is where it is */
    double now_us;
    double remaining_us;        /* work that is left, on an undisturbed host of speed 1 */
    const struct hmf_history *history;
    const struct hmf_policy_options *options;
    size_t request;             /* "manual": where the operator wants it; HMF_NO_VERTEX: nowhere */
    size_t home;                /* "home": where it belongs; HMF_NO_VERTEX: nowhere */
    const char *needs; /* resources that this phase needs, separated by commas; NULL: none */
    int real_time;              /* 1: a phase with real-time needs */
    double notice_us;           /* since when an end of the active vertex is known */
    double ends_at_us;          /* that end; INFINITY: none is known */
    double share;               /* this rank's part of the work */
    const struct hmf_policy_peer *peers;
    size_t npeers;
};

/* Everything unset: 0, NULL, INFINITY, HMF_NO_VERTEX, share 1; graph, history and options as given.
 */
void hmf_policy_input_init(struct hmf_policy_input *in, const hmf_graph_t *graph,
                           const struct hmf_history *history,
                           const struct hmf_policy_options *options);

/* ---- what it answers ---- */

enum hmf_action { HMF_STAY, HMF_GO, HMF_SWAP };

struct hmf_decision {
    enum hmf_action action;
    size_t to; /* HMF_GO: there; HMF_SWAP: the other rank's vertex; HMF_STAY: the active one */
    int peer;           /* HMF_SWAP: the other rank */
    int must;           /* 1: it must leave, the guard asks only whether it can */
    int anyway;         /* 1: whatever the gain, but not beyond the limits on moves */
    int wanted;         /* set by the guard: for the gain it would have moved */
    double stay_us;     /* what staying costs */
    double go_us;       /* what the best other choice costs; INFINITY: there is none */
    double move_us;     /* the part of it that the move is */
    char why[240];      /* one line with the numbers that made it */
};

/* ---- policies ---- */

#define HMF_POLICY_ABI 1u

struct hmf_policy {
    unsigned abi;      /* HMF_POLICY_ABI */
    const char *name;  /* without commas and slashes */
    const char *help;  /* one line */
    /* Decide.  *out comes as "stay"; a policy fills in what it knows.  It must not keep pointers to
     * the input.  A status other than HMF_OK makes the caller stay. */
    hmf_status_t (*decide)(const struct hmf_policy_input *in, struct hmf_decision *out);
};

/* A shared object exports   const struct hmf_policy *hmf_policy_plugin(void);   by this name.  What
 * it returns stays valid and unchanged while the object is loaded. */
#define HMF_POLICY_PLUGIN "hmf_policy_plugin"
typedef const struct hmf_policy *(*hmf_policy_plugin_t)(void);

/* The built-in ones by number, NULL behind the last. */
const struct hmf_policy *hmf_policy_at(size_t i);

/* Policies to be asked one after the other. */
typedef struct hmf_policies hmf_policies_t;

/* From names separated by commas; one with a slash is the path of a shared object, which runs with
 * the caller's rights.  HMF_ERR_NAME (the text lists those there are), HMF_ERR_IO (a shared object
 * cannot be loaded), HMF_ERR_VERSION (it is of another interface), HMF_ERR_ARG (empty),
 * HMF_ERR_NOMEM. */
hmf_status_t hmf_policies_new(const char *names, hmf_policies_t **p);
void hmf_policies_free(hmf_policies_t *p); /* also unloads; NULL is fine */

/* Ask them, then the guard.  *out is set whatever happens, to "stay" on an error.
 * HMF_ERR_ARG (input without a graph, history or options; or a policy answers what is no vertex or
 * peer), and what a policy returns. */
hmf_status_t hmf_policies_decide(const hmf_policies_t *p, const struct hmf_policy_input *in,
                                 struct hmf_decision *out);

/* ---- for those who write policies ---- */

/* Why vertex v may not be gone to now, NULL if it may: it is the active one or a file server, has
 * no free place, lacks what is needed, is suspected, was left just before, or its weight is
 * infinite. */
const char *hmf_policy_objection(const struct hmf_policy_input *in, size_t v);

#ifdef __cplusplus
}
#endif
#endif
