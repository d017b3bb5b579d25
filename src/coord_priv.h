/* coord_priv.h - what the files of the coordinator share (see coord.h).
 *
 *   coord.c         from wave to wave, and what goes wrong on the way
 *   coord_ask.c     wishes in their queue; which spare takes which rank
 *   coord_drain.c   nodes that are to be empty
 *   coord_decide.c  what the policies want
 *   coord_cost.c    what a move will cost, and what it did cost
 *   coord_view.c    the live graph and the policies, for the control socket
 *   coord_report.c  what the control socket and the events say */
#ifndef HMF_COORD_PRIV_H
#define HMF_COORD_PRIV_H

#include "coord.h"

#include "costs.h"
#include "schedule.h"

#define HMF__COORD_KIND 64
#define HMF__OFFER_NS                                                                              \
    (5ull * 1000000000) /* a spare sleeps in poll(): it answers at once or not at all */

enum phase { IDLE, NEGOTIATE, HOLD, CUT, WORK, JOIN, RESTORE, COMMIT, ABORT };
enum spare { NOT_SPARE, FREE, PROMISED, USED, GONE };

struct wish { struct wish *next; struct hmf__ask ask; };

struct cand {                   /* a move that is being negotiated */
    struct hmf__ask ask;
    int to;                     /* process asked, -1: none */
    enum { ASKING, ACCEPTED, FAILED } state;
    enum hmf__stage stage;
    uint64_t bytes;             /* of the rank's state, when it has arrived */
    double glance_bytes, expected_bytes;    /* before */
    struct hmf__phases predicted, measured;
};

/* Since the job began, over all coordinators. */
struct totals {
    uint64_t moves, stays, checkpoints, failed_checkpoints, bytes, moving_ns, holding_ns;
};

struct hmf__coord {
    struct hmf__agent *a;
    enum phase phase;
    uint8_t *spare;             /* nprocs: enum spare */
    struct wish *first, **last;
    struct hmf__op op;
    struct cand *cands;         /* the moves of this operation; [nranks] */
    int ncands;
    uint64_t token[8];          /* control requests that wait for a checkpoint */
    int ntokens;
    bool wave_up;               /* COMMIT: the tree has answered */
    bool taken;                 /* the spares have been told to take their ranks */
    int cuts;                   /* polls that were tried in this operation */
    uint64_t deadline_ns;       /* NEGOTIATE, RESTORE: limit of the phase */
    uint64_t begun_ns, last_checkpoint_ns;
    uint64_t entered_ns[ABORT + 1];  /* when each phase of this operation began */
    uint64_t epoch;
    struct hmf__schedule schedule;
    struct hmf__decide *decide; /* NULL: nobody but those who ask decides about moves */
    struct said { uint64_t at_ns; int action, must; char policy[24]; }
        *said;                  /* nranks: the last decision events */
    bool unasked;               /* the checkpoint of this operation is the schedule's wish alone */
    bool ending;
    bool *drained;              /* nprocs: its node is not to be moved to */
    struct hmf__costs *costs;
    char (*kind)[HMF__COORD_KIND];  /* nprocs: what kind of host each process is on */
    bool keeps_costs;           /* they are read from and written to a file */
    double saved_s;             /* when they were, seconds since 1970; 0: never */
    struct { uint64_t token; char node[64]; } drain;   /* who waits until a node is empty */
    struct totals totals;
    double began_s;             /* seconds since 1970 */
};

static inline const char *hmf__coord_node(struct hmf__coord *c, int proc)
{
    return c->a->addrs[proc].node;
}

static inline void hmf__coord_enter(struct hmf__coord *c, enum phase phase)
{
    c->phase = phase;
    c->entered_ns[phase] = hmf__now_ns();
}

/* Seconds since 1970. */
double hmf__coord_wall_s(void);

/* The operation is over, one way or the other: on to the next wish. */
void hmf__coord_idle(struct hmf__coord *c);

/* ---- coord_ask.c ---- */

/* Is it wished for already, or under way? */
int hmf__coord_known(struct hmf__coord *c, const struct hmf__ask *ask);
void hmf__coord_put_wish(struct hmf__coord *c, const struct hmf__ask *ask);

/* Begins with the first wish, if nothing else is under way. */
void hmf__coord_kick(struct hmf__coord *c);

/* Asks the next spare for the move; settle: when nobody is being asked any more, go, or give up. */
void hmf__coord_ask_spare(struct hmf__coord *c, struct cand *m);
void hmf__coord_settle(struct hmf__coord *c);

/* The move to this process; NULL if there is none. */
struct cand *hmf__coord_cand_to(struct hmf__coord *c, int proc);

/* ---- coord_drain.c ---- */

/* Tells who waits for a node to be empty, when nothing is on its way any more. */
void hmf__coord_settle_drain(struct hmf__coord *c);

/* ---- coord_decide.c ---- */

hmf_status_t hmf__coord_new_decide(struct hmf__coord *c);
void hmf__coord_decide(struct hmf__coord *c, uint64_t now_ns);

/* Which processes can take a rank; nprocs. */
void hmf__coord_free_spares(const struct hmf__coord *c, bool *free);

/* A rank that was asked to move stays: do not ask again at once. */
void hmf__coord_refused(struct hmf__coord *c, const struct cand *m);

/* ---- coord_cost.c ---- */

hmf_status_t hmf__coord_new_costs(struct hmf__coord *c);
void hmf__coord_free_costs(struct hmf__coord *c);

/* A rank's move to a process, as costs.h wants it; its texts are borrowed. */
struct hmf__costs_move hmf__coord_costs_move(struct hmf__coord *c, int rank, int to);

/* The move will begin; it has been. */
void hmf__coord_predict(struct hmf__coord *c, struct cand *m);
void hmf__coord_learn(struct hmf__coord *c, struct cand *m, int from);
/* If they have not been saved for so long. */
void hmf__coord_save_costs(struct hmf__coord *c, double at_least_s);

void hmf__coord_put_costs(struct hmf__coord *c, struct hmf__buf *out);
void hmf__coord_get_costs(struct hmf__coord *c, struct hmf__buf *in);

/* ---- coord_report.c ---- */

extern const char *const hmf__coord_phase_name[];

/* To the log, and to who asked by the control socket. */
void hmf__coord_answer(struct hmf__coord *c, const struct hmf__ask *ask, int ok, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void hmf__coord_answer_checkpoint(struct hmf__coord *c, int ok, const char *text);

void hmf__coord_stay_event(struct hmf__coord *c, const struct cand *m, const char *phase,
                           const char *why);
void hmf__coord_move_event(struct hmf__coord *c, const struct cand *m, int from);
void hmf__coord_end_event(struct hmf__coord *c);

/* Milliseconds from the beginning of one phase of this operation to that of another. */
double hmf__coord_ms(const struct hmf__coord *c, enum phase from, enum phase to);

#endif
