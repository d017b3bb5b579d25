/* agent.h - the sleeping thread of every process that always answers.
 *
 * The main thread belongs to the program: it computes, or is blocked inside MPI.  The agent owns
 * the sockets (net.h), takes part in the waves by which the job agrees (below), watches for lost
 * processes, takes signals and control requests, and in the process that holds logical rank 0 it is
 * also the coordinator (coord.h).  It never calls MPI.
 *
 * A wave goes down the tree of active ranks and comes back up with the worst status and the
 * largest number of all.  Ranks form a tree of degree HMF__WAVE_DEGREE in logical order, so a wave
 * takes O(log N) steps.  Waves of one operation, in order:
 *
 *   HOLD     stop at the next poll; up: the number of the poll at which this rank will stop
 *   CUT      stop at poll c = the largest of these; up: when the main thread is there, and whether
 *            anything spans this poll: then the cut is moved on to the next one, HMF__CUTS
 *            polls and HMF_TIMEOUT at the most
 *   WORK     do it: write the checkpoint, or drain messages and pack for the newcomers; up: done
 *   JOIN     (move) build the new communicators together with the newcomers; up: done
 *   COMMIT   (move) the newcomers have their images: switch;  or
 *   ABORT    at any time before: everybody resumes as before
 */
#ifndef HMF_AGENT_H
#define HMF_AGENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "net.h"
#include "op.h"

#define HMF__WAVE_DEGREE 8
#define HMF__CUTS 64

enum hmf__frame {          /* kinds of frames between agents; append only */
    HMF__F_ASK = 1,        /* anybody -> coordinator: a wish */
    HMF__F_RESERVE,        /* coordinator -> spare: will you take this rank? */
    HMF__F_OFFER,          /* spare -> coordinator: yes, or why not */
    HMF__F_RELEASE,        /* coordinator -> spare: not needed after all */
    HMF__F_TAKE,           /* coordinator -> spare: you take it; plan and map */
    HMF__F_WAVE,           /* down the tree */
    HMF__F_UP,             /* up the tree */
    HMF__F_DIRECT,         /* coordinator -> newcomer: the wave it takes part in (JOIN, COMMIT, ABORT) */
    HMF__F_NEWCOMER,       /* newcomer -> coordinator: how far it is, with status */
    HMF__F_FINISHED,       /* up the tree: all below here have finished */
    HMF__F_END,            /* down the tree, and to spares and left ones: the job is over */
    HMF__F_HANDOVER,       /* old coordinator -> new one: spares, epoch, waiting wishes */
    HMF__F_ANSWER,         /* coordinator -> asker: what became of a wish with a token */
    HMF__F_PULSE,          /* up the tree: heartbeats of those below (pulse.h) */
    HMF__F_PULSE_BACK,     /* its answer */
    HMF__F_NEWS,           /* anybody -> coordinator: a rank is silent, back, or lost */
    HMF__F_RETIRE,         /* coordinator -> spare: your node is wanted empty, end */
    HMF__F_SAMPLES,        /* up the tree: what agents see of their processes and hosts */
    HMF__F_CARRIED,        /* newcomer -> coordinator: how long its parts took */
    HMF__F_VIEW,           /* down the tree of deciders: what they decide with (decider.h) */
    HMF__F_VIEW_WANTED,    /* decider -> coordinator: it is new, and knows nothing yet */
    /* from the main thread of the same process */
    HMF__F_L_DONE = 64,    /* its part of a wave is done: epoch, wave, report */
    HMF__F_L_NEWCOMER,     /* newcomer's progress, to be sent on: epoch, stage, report */
    HMF__F_L_FINISHED,     /* the program is at MPI_Finalize */
    HMF__F_L_ASK,          /* the program asks */
    HMF__F_L_CARRIED,      /* newcomer: to be sent on */
    HMF__F_L_STATE,        /* there is news of the rank's state, see struct hmf__size */
    HMF__F_L_COSTS,        /* what was measured at the start */
    HMF__F_L_FLUSHED       /* a checkpoint is in HMF_DIR, too: generation, status, us, text */
};

enum hmf__wave_kind {
    HMF__WAVE_HOLD = 1, HMF__WAVE_CUT, HMF__WAVE_WORK, HMF__WAVE_JOIN, HMF__WAVE_COMMIT,
    HMF__WAVE_ABORT
};

enum hmf__stage { HMF__STAGE_PACKED = 1, HMF__STAGE_JOINED, HMF__STAGE_RESTORED, HMF__STAGE_COMMITTED };

/* What a wave brings back. */
struct hmf__report {
    uint32_t status;            /* worst hmf_status_t */
    int32_t rank;               /* whose it is, -1 if OK */
    uint64_t lo, hi;            /* smallest and largest poll number */
    uint64_t open;              /* CUT: the sum over all ranks is 0 (mod 2^64) if nothing that
                                 * forbids the operation spans the poll */
    char text[400];             /* "rank 3 on n12: ..." */
};

enum hmf__role { HMF__ROLE_ACTIVE, HMF__ROLE_SPARE, HMF__ROLE_INCOMING, HMF__ROLE_LEFT, HMF__ROLE_LOST };

/* How large the rank's state is, as far as that is known without looking at every block.  Written by the main
 * thread when variables are registered or captured. */
struct hmf__size {
    uint64_t flat;              /* bytes of the registered variables themselves */
    bool open;                  /* there is more behind pointers: what the process has grown by */
    uint64_t captured;          /* bytes when it was last captured, 0: never was; ... */
    uint64_t resident_kib;      /* ... and what was resident then, or when the program began */
    uint64_t start_us;          /* CPU time of the program's start-up, until auto_read */
};

struct hmf__coord;
struct hmf__control;
struct hmf__events;
struct hmf__pulse;
struct hmf__monitor;
struct hmf__decider;
struct hmf__agent;

struct hmf__wave {              /* this process's part in the present wave; agent thread only */
    uint32_t kind;              /* 0: none */
    uint64_t epoch;
    int parent;                 /* process, -1 at the root */
    int child[HMF__WAVE_DEGREE];
    uint32_t waiting;           /* bit i: child i has not answered; bit 31: the main thread has not */
    uint64_t deadline_ns;       /* of the main thread's part */
    struct hmf__report sum;
};

struct hmf__agent {
    /* fixed at start */
    int proc, nprocs, nranks;
    uint64_t limit_ns;          /* HMF_TIMEOUT */
    uint64_t start_limit_ns;    /* HMF_STARTUP_TIMEOUT */
    bool recovers;              /* MPI goes on when a process ends: who has no rank need not stay */
    uint64_t id;                /* of this run */
    char *program;
    struct hmf__net_addr *addrs;    /* nprocs */

    /* touched by auto_poll without a lock: see hmf__agent_count */
    _Atomic uint64_t polls;     /* polls begun; written by the main thread only */
    _Atomic uint64_t limit;     /* first poll number that must look at `order` */
    bool membarrier;            /* else the limit is always 0 */

    pthread_mutex_t lock;       /* guards what follows, up to "agent thread only" */
    pthread_cond_t changed;
    enum hmf__role role;
    int rank;                   /* logical, -1 */
    int *proc_of;               /* nranks: logical rank -> process */
    struct hmf__op op;          /* plan of the present operation */
    uint32_t order;             /* newest wave the main thread is to follow, 0 none; of op.epoch */
    uint32_t begun;             /* newest wave before an ABORT; of begun_epoch */
    uint64_t begun_epoch;
    char verdict[400];          /* ABORT: why */
    bool finished;              /* the main thread is at its end */
    bool ending;                /* END has come */
    bool some_lost;             /* ... and a process had died before: MPI_Finalize would wait for it */
    bool at_end;                /* the main thread waits for END, or needs to no more */
    bool retired;               /* the process ends before the job does, in order */
    bool free;                  /* ... and the agent has nothing to do for others any more */
    bool stop;                  /* the agent thread is to end */
    bool fenced;                /* no poll is passed before a neighbour is heard: pulse.h */
    bool building;              /* the main thread is inside MPI, making communicators with others */
    uint64_t undone_ns;         /* when the last ABORT came */
    struct hmf__size size;
    struct hmf__local { struct hmf__local *next; unsigned kind; size_t len; uint8_t data[]; }
        *inbox, **inbox_tail;

    /* agent thread only */
    pthread_t thread;
    int wake_fd;                /* eventfd: the inbox has something, or stop */
    int signal_fd[2];           /* pipe written by the signal handlers */
    struct hmf__net *net;
    struct hmf__wave wave;
    uint32_t finished_below;    /* bit i: child i's subtree has finished */
    bool finished_sent;
    uint64_t ended_ns;          /* when END came */
    bool move_on;               /* INCOMING: SIGUSR2 has come already */
    uint64_t reserved;          /* SPARE: epoch it is promised to, 0 none */
    int coordinator;            /* process that wishes go to, as far as is known here */
    struct hmf__buf early;      /* wishes that came before the office did */
    int leader;                 /* INCOMING: the process that leads the move, to which progress is told */
    struct hmf__coord *coord;   /* NULL unless this process holds logical rank 0 */
    struct hmf__control *control;
    struct hmf__events *events;
    struct hmf__pulse *pulse;
    struct hmf__monitor *monitor;   /* NULL: nobody wants to know (HMF_POLICY) */
    struct hmf__decider *decider;   /* there if monitor is */
    bool running;
};

/* Main thread: counts a poll.  0: nothing is asked; else the poll's number, and `order` says
 * what to do.
 *
 * The count must be visible before the limit is looked at, or the agent could take a rank to
 * stand at an earlier poll than it does.  A fence here would cost more than all the rest; so the
 * agent, when it stops a rank, makes the kernel issue one in this thread (membarrier).  Where
 * the kernel cannot, the limit stays 0, and every poll takes the lock. */
static inline uint64_t hmf__agent_count(struct hmf__agent *a)
{
    uint64_t n = atomic_load_explicit(&a->polls, memory_order_relaxed) + 1;

    atomic_store_explicit(&a->polls, n, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    return __builtin_expect(n < atomic_load_explicit(&a->limit, memory_order_relaxed), 1) ? 0 : n;
}

/* Agent: sets the limit so that a count read after it is the main thread's last before it sees
 * the limit. */
void hmf__agent_limit(struct hmf__agent *a, uint64_t limit);

/* Two steps, since the port must be told to the others before the thread starts.  open: sockets and
 * locks; the address to be told is left in *self.  start: `all` (copied) is everybody's address;
 * the fields "fixed at start", role, rank and proc_of have been set by the caller.  Not
 * collective. */
hmf_status_t hmf__agent_open(struct hmf__agent *a, struct hmf__net_addr *self, int local);
hmf_status_t hmf__agent_start(struct hmf__agent *a, const struct hmf__net_addr *all,
                              const uint8_t secret[HMF__NET_SECRET]);
/* Main thread: the process is to end before the job does.  Waits until nobody needs its agent: answers of
 * those below it have been passed on, and the coordinator's office is handed over. */
void hmf__agent_retire(struct hmf__agent *a);
/* Sends what is queued (at most 5 s), ends the thread and frees what open and start made. */
void hmf__agent_stop(struct hmf__agent *a);

/* Main thread: the size has changed.  Any thread: what it comes to now, in bytes. */
void hmf__agent_resize(struct hmf__agent *a, const struct hmf__size *size);
uint64_t hmf__agent_state_bytes(struct hmf__agent *a);
/* Resident memory of this process. */
uint64_t hmf__agent_resident_kib(void);

/* Async-signal-safe: the process got signal `sig`. */
void hmf__agent_signal(struct hmf__agent *a, int sig);

/* Main thread -> agent: as if a frame had come from oneself. */
hmf_status_t hmf__agent_tell(struct hmf__agent *a, unsigned kind, const void *data, size_t len);
/* The outcome of this thread's part: `what` is the wave (HMF__F_L_DONE) or stage
 * (HMF__F_L_NEWCOMER); the text of a bad status is this thread's hmf_error_text(). */
void hmf__agent_report(struct hmf__agent *a, unsigned kind, uint64_t epoch, uint32_t what,
                       hmf_status_t status, uint64_t poll);
/* The same for the wave CUT, with what spans the poll. */
void hmf__agent_report_cut(struct hmf__agent *a, uint64_t epoch, hmf_status_t status, uint64_t poll,
                           uint64_t open);
hmf_status_t hmf__agent_ask(struct hmf__agent *a, const struct hmf__ask *ask);

#endif
