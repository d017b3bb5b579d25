/* The graph on which moves are decided: places to run with what running there costs, and moves
 * between them with what they cost.
 *
 * One graph per process that can move.  Vertices are hosts, disks and file servers; a directed
 * edge i -> j says that a move is possible.  Exactly one vertex is active: the process is there.
 * The model and its names (S_i, R_j, t_ij, N_ij, CR_i, CC_j, VAR, VAW, x_ab, F_ij, W_i) are those
 * of the Dartmouth report on graph models and process migration in heterogeneous distributed
 * systems, section 3; doc/policies.md tells the model in full.
 *
 * Units: times and costs in microseconds (fields end in _us), amounts in bytes.  A vertex weight
 * W is a cost per time, microseconds per microsecond: the time that a unit of work takes there,
 * 1 being an undisturbed host of speed 1.  INFINITY is a value like others: it says "not allowed"
 * or "must leave".  Times are on any one clock that the caller keeps.
 *
 * Nothing here is collective or touches MPI.  Threads: one graph, one thread at a time; reading
 * by several threads at once is fine.  Out-of-range vertex numbers are HMF_ERR_ARG where a status
 * is returned, and give INFINITY or NULL where not.
 */
#ifndef HMF_GRAPH_H
#define HMF_GRAPH_H

#include "hmf/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HMF_NO_VERTEX ((size_t)-1)
#define HMF_GRAPH_VERTICES_MAX 1024 /* vertices of one graph */

typedef struct hmf_graph hmf_graph_t;

/* ---- weights of vertices as functions of time ---- */

/* W(t) = base                                      before rise_from_us
 *        base + rise_per_us * (t - rise_from_us)   from then on (graceful degradation)
 *        infinite            while infinite_from_us <= t < infinite_until_us
 * An owner who comes back, a shutdown or a failure makes it infinite from a time on. */
struct hmf_weight {
    double base;              /* >= 0, may be INFINITY */
    double rise_per_us;       /* >= 0 and finite */
    double rise_from_us;
    double infinite_from_us;  /* INFINITY: never */
    double infinite_until_us; /* INFINITY: for ever */
};

/* The weight that is w at all times. */
struct hmf_weight hmf_weight_constant(double w);

/* W(t). */
double hmf_weight_at(const struct hmf_weight *w, double t_us);

/* Integral of W over [from, from + duration]: what being there costs for that long.  INFINITY if
 * the weight is infinite in between; 0 for a duration <= 0. */
double hmf_weight_cost(const struct hmf_weight *w, double from_us, double duration_us);

/* How long `work` (time on an undisturbed host of speed 1) takes from that time on: the d with
 * integral of 1/W over [from, from + d] = work.  Nothing is done while W is infinite.  INFINITY if
 * it never gets done. */
double hmf_weight_elapsed(const struct hmf_weight *w, double from_us, double work_us);

/* ---- vertices ---- */

enum hmf_vertex_kind {
    HMF_VERTEX_HOST,  /* runs processes */
    HMF_VERTEX_DISK,  /* keeps a process that does not run; its weight is the price of waiting */
    HMF_VERTEX_SERVER /* only handed through: a file server as intermediate host */
};

struct hmf_vertex {
    char name[64];             /* unique, printable, not empty */
    enum hmf_vertex_kind kind;
    struct hmf_weight weight;  /* W_i(t) */
    double send_us;            /* S_i: sending one message */
    double receive_us;         /* R_i: receiving one message */
    double remove_us;          /* CR_i: removing the context of a process that leaves */
    double create_us;          /* CC_i: creating the context of a process that comes */
    double negotiations;       /* n_i: messages that i sends to agree on a move */
    double compile_us;         /* compiling the program here, where has_code is 0 */
    double speed;              /* > 0, in units of the reference host */
    double cores;              /* > 0 */
    double load;               /* runnable processes of others */
    double slots;              /* free places (spare processes) */
    double response_us;        /* how fast it answered the question for a place */
    double suspected_at_us;    /* when it was last suspected to be ill; INFINITY: never */
    int has_code;              /* 1: a program for this machine is there */
    int real_time;             /* 1: fit for phases with real-time needs */
    char data[32];             /* name of the data format; "": keeps bytes as they come */
    char resources[128];       /* what it has to offer, words separated by commas */
};

/* A host without name: weight 1, all costs 0, speed 1, one core, one free place, code there. */
void hmf_vertex_init(struct hmf_vertex *v);

/* W that speed, cores, load and `more` further processes of ours make:
 * max(1, (load + more) / cores) / speed. */
double hmf_vertex_expected(const struct hmf_vertex *v, double more);

/* Whether the vertex offers all of the words in `needs` (separated by commas; NULL, "": none). */
int hmf_vertex_offers(const struct hmf_vertex *v, const char *needs);

/* ---- edges ---- */

struct hmf_edge {
    size_t from, to;
    double weight_us;   /* E_ij as given, may be INFINITY; negative: made up from its components */
    double us_per_byte; /* t_ij; per byte, where the report counts bits */
    size_t q0, q1;      /* the state is written from -> q0 and read q1 -> to; both HMF_NO_VERTEX:
                           directly, q0 = to and q1 = from */
};

/* An edge that is made up from components, direct, with that t_ij. */
struct hmf_edge hmf_edge_between(size_t from, size_t to, double us_per_byte);

/* ---- the process ---- */

/* To a disk or server everything is written while the process stands still, whatever the mechanism;
 * from there nothing can be copied in advance. */
enum hmf_mechanism {
    HMF_MOVE_WHOLE,       /* everything while it stands still */
    HMF_MOVE_PRECOPY,     /* copied while it runs; what was dirtied is copied again, the last
                             round while it stands still */
    HMF_MOVE_ON_REFERENCE /* runs at once, each page comes when it is touched */
};

struct hmf_process {
    enum hmf_mechanism mechanism;
    double state_bytes;        /* what there is to move */
    double page_bytes;         /* largest unit of transfer; 0: everything in one message */
    double touched;            /* part of the state that is touched after a move, 0 to 1 */
    double dirty_bytes_per_us; /* how fast the running process dirties its state */
    double precopy_rounds;     /* rounds while it runs, 0 to 64; fewer if nothing is left */
    double message_bytes;      /* k: size of a negotiation message, and of a request for a page */
    double forwarded;          /* f_ij: messages that the source forwards later, ... */
    double forwarded_bytes;    /* ... each of this length */
    double links, link_us;     /* links to mend, and the time that each takes */
    double calls, call_bytes;  /* calls that still run on the source: there and back */
    double code_bytes;         /* the program, sent where has_code is 0 */
    int demand_translation;    /* 1: only what is touched is translated */
};

/* Nothing to move, mechanism whole, everything touched, messages of 64 bytes. */
void hmf_process_init(struct hmf_process *p);

/* ---- making a graph ---- */

/* A graph without vertices.  HMF_ERR_NOMEM. */
hmf_status_t hmf_graph_new(hmf_graph_t **g);
hmf_status_t hmf_graph_copy(const hmf_graph_t *g, hmf_graph_t **copy);
void hmf_graph_free(hmf_graph_t *g); /* NULL is fine */

/* Add a vertex; *index, if asked for, is its number (0, 1, ...).  The first one is active.
 * HMF_ERR_ARG (a field out of range), HMF_ERR_NAME (the name is there), HMF_ERR_LIMIT,
 * HMF_ERR_NOMEM. */
hmf_status_t hmf_graph_add(hmf_graph_t *g, const struct hmf_vertex *v, size_t *index);

/* Replace vertex i.  HMF_ERR_ARG, HMF_ERR_NAME. */
hmf_status_t hmf_graph_set(hmf_graph_t *g, size_t i, const struct hmf_vertex *v);

/* Add the edge, or replace the one between these vertices.  HMF_ERR_ARG, HMF_ERR_NOMEM. */
hmf_status_t hmf_graph_connect(hmf_graph_t *g, const struct hmf_edge *e);

/* x_ab: converting from data format a to b costs that much per byte.  Replaces what was said
 * before of the pair.  HMF_ERR_ARG, HMF_ERR_NOMEM. */
hmf_status_t hmf_graph_translation(hmf_graph_t *g, const char *a, const char *b,
                                   double us_per_byte);

/* The process that the graph is of, and where it is.  HMF_ERR_ARG. */
hmf_status_t hmf_graph_set_process(hmf_graph_t *g, const struct hmf_process *p);
hmf_status_t hmf_graph_set_active(hmf_graph_t *g, size_t i);

/* ---- asking ---- */

size_t hmf_graph_count(const hmf_graph_t *g);
size_t hmf_graph_active(const hmf_graph_t *g); /* HMF_NO_VERTEX in an empty graph */
/* Borrowed until the graph changes; NULL if there is none. */
const struct hmf_vertex *hmf_graph_vertex(const hmf_graph_t *g, size_t i);
const struct hmf_edge *hmf_graph_edge(const hmf_graph_t *g, size_t from, size_t to);
const struct hmf_process *hmf_graph_process(const hmf_graph_t *g);
size_t hmf_graph_find(const hmf_graph_t *g, const char *name); /* HMF_NO_VERTEX: none */

/* ---- costs of edges ---- */

/* T(M_ij, k) = S_i + t_ij k + R_j.  Without an edge i -> j the rate of j -> i is taken (a message
 * can go where a move may not); without either INFINITY. */
double hmf_graph_message(const hmf_graph_t *g, size_t i, size_t j, double bytes);

/* x_ab per byte: 0 if a and b are one format or either is ""; as given; else through the external
 * format c with the smallest x_ac + x_cb; INFINITY if there is no way. */
double hmf_graph_rate(const hmf_graph_t *g, const char *a, const char *b);

/* What a move over one edge is made of.  total_us is the edge's weight E_ij, the sum of all above
 * it (or as given, the others then being 0). */
struct hmf_edge_cost {
    double negotiation_us;             /* N_ij */
    double removal_us;                 /* CR_i */
    double creation_us;                /* CC_j */
    double write_bytes, write_us;      /* VAW_i,q0; the bytes are no part of the sum */
    double read_bytes, read_us;        /* VAR_q1,j; likewise */
    double between_us;                 /* q0 -> q1 if they differ */
    double translation_us;             /* TRANSLATE_ij = bytes written x_i,q0 + bytes read x_q1,j */
    double code_us;                    /* sending and compiling the program */
    double forwarding_us;              /* F_ij */
    double residual_us;                /* links, and calls that still run on the source */
    double total_us;
    double overlap_us;                 /* part of the total during which the process runs on */
};

/* HMF_ERR_ARG (no such vertex), HMF_ERR_NOTFOUND (no edge i -> j). */
hmf_status_t hmf_graph_cost(const hmf_graph_t *g, size_t i, size_t j, struct hmf_edge_cost *cost);

/* E_ij: the total of it; INFINITY without an edge. */
double hmf_graph_edge_weight(const hmf_graph_t *g, size_t i, size_t j);

/* W_i(t); INFINITY if there is no such vertex. */
double hmf_graph_vertex_weight(const hmf_graph_t *g, size_t i, double t_us);

/* ---- routes and outlooks ---- */

/* The cheapest way from one vertex to another: edges need not satisfy the triangle inequality.
 * Hosts of infinite weight at t are not passed (they may be the ends), disks and file servers are.
 * path gets the vertices with both ends, at most cap; *n how many there are.  Of equal ways the
 * one with fewer moves.
 * HMF_ERR_ARG, HMF_ERR_NOTFOUND (no way of finite weight), HMF_ERR_LIMIT (cap too small; *n and
 * *weight_us are set), HMF_ERR_NOMEM. */
hmf_status_t hmf_graph_route(const hmf_graph_t *g, size_t from, size_t to, double t_us,
                             size_t *path, size_t cap, size_t *n, double *weight_us);

/* What staying at the active vertex, or going elsewhere, costs over the remaining time:
 *   stay:  integral of W_i over [now, now + remaining]
 *   go:    E(route) + integral of W_j over as long, from the arrival on (infinite at a file
 *          server, which cannot keep a process); what the process gets done while it is copied in
 *          advance is taken off the remaining time. */
struct hmf_outlook {
    double move_us;  /* 0 for staying */
    double run_us;
    double total_us;
    size_t next;     /* the first vertex of the route behind the active one */
    size_t moves;    /* edges of the route */
};

/* HMF_ERR_ARG, HMF_ERR_NOTFOUND (no way there), HMF_ERR_NOMEM.  Infinite totals are a result. */
hmf_status_t hmf_graph_outlook(const hmf_graph_t *g, size_t to, double now_us, double remaining_us,
                               struct hmf_outlook *outlook);

/* ---- as text ---- */

/* Read a graph from JSON text (doc/policies.md describes it; no NUL needed behind it).  `where`
 * names the text in messages.
 * HMF_ERR_FORMAT (the text says which line or which field), HMF_ERR_NAME, HMF_ERR_ARG,
 * HMF_ERR_LIMIT, HMF_ERR_NOMEM, HMF_ERR_UNSUPPORTED (built without a JSON library). */
hmf_status_t hmf_graph_parse(const char *json, size_t len, const char *where, hmf_graph_t **g);

/* The same of a file.  Also HMF_ERR_IO. */
hmf_status_t hmf_graph_load(const char *path, hmf_graph_t **g);

/* As JSON that hmf_graph_parse reads back unchanged; *text is for hmf_graph_text_free.
 * HMF_ERR_NOMEM, HMF_ERR_UNSUPPORTED. */
hmf_status_t hmf_graph_json(const hmf_graph_t *g, char **text);

/* As a drawing for Graphviz, at time t: the active vertex dark, weights in the vertices and at the
 * edges that lead away from it, infinite edges dashed.  HMF_ERR_NOMEM. */
hmf_status_t hmf_graph_dot(const hmf_graph_t *g, double t_us, char **text);

void hmf_graph_text_free(char *text);

/* Names of the enumerations, as in JSON: "host", "disk", "server"; "whole", "precopy",
 * "on-reference".  "?" for other values. */
const char *hmf_vertex_kind_name(enum hmf_vertex_kind kind);
const char *hmf_mechanism_name(enum hmf_mechanism mechanism);

#ifdef __cplusplus
}
#endif
#endif
