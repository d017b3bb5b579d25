/* costs.h - what a move costs, phase by phase: learned from what was measured, told for moves to come.
 *
 * A cost is a line over x, bytes (or the time of an iteration, for the time until all ranks have stopped).  Lines have
 * names: of a link between two hosts, of a program's start-up on a kind of host, of the conversion between two data
 * formats.  A line goes straight between the medians of its last measurements of each size (factors of eight; older
 * ones count less).  Beyond the largest size, and without measurements, it follows a more general one: a
 * link the other direction, that the links between hosts of these kinds, those a link of 1 GB/s.  Two measurements on
 * end that are wrong by a factor of two make it forget the rest.
 *
 * Pure computation.  One handle, one thread at a time.  Unit: microseconds and bytes. */
#ifndef HMF_COSTS_H
#define HMF_COSTS_H

#include "hmf/graph.h"

#include "base.h"

enum hmf__phase {
    HMF__PHASE_NEGOTIATE,       /* which spare takes the rank */
    HMF__PHASE_STOP,            /* all ranks to the same poll */
    HMF__PHASE_DRAIN,           /* messages at rest; communicators packed and sent to the newcomer */
    HMF__PHASE_JOIN,            /* new communicators */
    HMF__PHASE_CREATE,          /* the newcomer's start-up, until its first poll */
    HMF__PHASE_CAPTURE,         /* the state's blocks are found */
    HMF__PHASE_TRANSFER,        /* bytes carried */
    HMF__PHASE_TRANSLATE,       /* converted, pointers set */
    HMF__PHASE_COMMIT,
    HMF__PHASES
};

/* "negotiate", "stop", ... */
extern const char *const hmf__phase_name[HMF__PHASES];

struct hmf__phases { double us[HMF__PHASES]; };   /* NAN: not known */

/* The sum of what is known. */
double hmf__phases_total(const struct hmf__phases *p);

struct hmf__costs_move {
    const char *program;
    int nranks;
    const char *from, *to;              /* names of hosts */
    const char *from_kind, *to_kind;    /* of what kind they are, "" not known */
    const char *from_data, *to_data;    /* data formats */
    double bytes;                       /* of state */
    double step_us;                     /* an iteration; 0: not known */
    double start_us;                    /* the program's start-up elsewhere; 0: not known */
};

struct hmf__costs;

/* NULL: out of memory. */
struct hmf__costs *hmf__costs_new(void);
void hmf__costs_free(struct hmf__costs *c);   /* NULL is fine */

/* In each of these `c` may be NULL: then nothing is known. */
void hmf__costs_predict(const struct hmf__costs *c, const struct hmf__costs_move *m,
                        struct hmf__phases *out);
/* Phases that are NAN teach nothing.  wall_s: now, seconds since 1970. */
void hmf__costs_learn(struct hmf__costs *c, const struct hmf__costs_move *m,
                      const struct hmf__phases *measured, double wall_s);

/* T(M_ij, k) = (S_i + R_j) + t_ij k of the move's hosts: *fixed_us and *us_per_byte. */
void hmf__costs_link(const struct hmf__costs *c, const struct hmf__costs_move *m, double *fixed_us,
                     double *us_per_byte);
/* x_ab of the move's data formats, us a byte. */
double hmf__costs_rate(const struct hmf__costs *c, const struct hmf__costs_move *m);
/* How large the state really is, when a glance says `bytes`: what is behind pointers is guessed until it has been
 * captured once. */
double hmf__costs_bytes(const struct hmf__costs *c, const char *program, double bytes);
void hmf__costs_learn_bytes(struct hmf__costs *c, const char *program, double glance, double bytes,
                            double wall_s);

/* S_i, the part of the fixed time for which the sender is busy. */
double hmf__costs_send(const struct hmf__costs *c, const char *host);

/* Measured by themselves, not by a move. */
void hmf__costs_learn_link(struct hmf__costs *c, const struct hmf__costs_move *m, double bytes,
                           double us, double wall_s);
void hmf__costs_learn_send(struct hmf__costs *c, const char *host, double us, double wall_s);
void hmf__costs_learn_rate(struct hmf__costs *c, const char *from_data, const char *to_data,
                           double bytes, double us, double wall_s);
/* When the link between these hosts was measured last, seconds since 1970; 0: never. */
double hmf__costs_link_age(const struct hmf__costs *c, const char *from, const char *to);

/* costs_graph.c: the components of the edge of that move, whose sum is the prediction, at its two vertices, the
 * process, and the graph's translations.  HMF_ERR_NOMEM. */
hmf_status_t hmf__costs_components(const struct hmf__costs *c, const struct hmf__costs_move *m, hmf_graph_t *g,
                                   struct hmf_process *process, struct hmf_vertex *here,
                                   struct hmf_vertex *there, struct hmf_edge *e);

/* As text, a line of it for each line: for files and for the next coordinator.  hmf__costs_take adds what
 * is there; of a line that both have the newer one stays.  HMF_ERR_FORMAT (nothing was taken),
 * HMF_ERR_NOMEM. */
void hmf__costs_put(const struct hmf__costs *c, struct hmf__buf *out);
hmf_status_t hmf__costs_take(struct hmf__costs *c, const char *text, size_t len);

/* costs_file.c: the same in a file that all jobs of a cluster share.  Lines older than 30 days are left
 * out.  load: HMF_ERR_NOTFOUND (no file), HMF_ERR_FORMAT, _VERSION, _CHECKSUM (of no use: the next save
 * replaces it), HMF_ERR_IO, _NOMEM.  save: what other jobs have written meanwhile stays, if it is newer;
 * who reads at the same time sees the old or the new file.  HMF_ERR_IO, HMF_ERR_NOMEM. */
hmf_status_t hmf__costs_load(struct hmf__costs *c, const char *path, double wall_s);
hmf_status_t hmf__costs_save(struct hmf__costs *c, const char *path, double wall_s);
/* The file's name (HMF_COSTS; default: by cluster, in the user's cache); "": none is wanted. */
void hmf__costs_path(char *path, size_t len);

#endif
