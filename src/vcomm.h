/* Virtual communicators: the handles that the program holds.
 *
 * MPI_COMM_WORLD, MPI_COMM_SELF and everything derived from them stand for a fixed list of
 * *logical* ranks.  The real communicator behind a handle is replaced when a rank moves, the handle
 * stays.  A derived handle is the address of a struct hmf__vcomm inside one reserved range of
 * addresses (the arena), so that telling ours from a foreign handle is a comparison and never
 * reads memory that is not ours.
 *
 * This file owns the table of communicators, who their members are and how to tell them apart in
 * the whole job.  It leaves the building of real communicators to world.c, message stashes to
 * stash.c, attributes to vattr.c, groups to vgroup.c.
 */
#ifndef HMF__VCOMM_H
#define HMF__VCOMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mpi.h>

#include "hmf/status.h"

struct hmf__stashed;
struct hmf__attr;

/* A list of logical world ranks; equal lists are shared between communicators. */
struct hmf__members {
    struct hmf__members *next; /* all lists of this process */
    uint64_t hash;
    uint32_t refs;
    int n;
    int rank[];
};

enum hmf__vcomm_kind {
    HMF__COMM_INTRA, /* dup, split, create, create_group, merge, ... */
    HMF__COMM_INTER, /* has a remote group inside the job */
    HMF__COMM_FOREIGN /* a member is outside the job (spawn, connect): cannot be rebuilt */
};

enum {
    HMF__COMM_NODE = 1,     /* made by MPI_Comm_split_type: its meaning is bound to a node */
    HMF__COMM_FREED = 2,    /* the program has freed it, requests of it are still pending */
    HMF__COMM_GHOST = 4,    /* freed, kept for the start-up log; real is MPI_COMM_NULL */
    HMF__COMM_FIXED = 8,    /* WORLD and SELF: not in the arena, never freed */
    HMF__COMM_STARTUP = 16, /* made while the start-up phase was recorded */
    HMF__COMM_STILL = 32,   /* at a cut: no member moves, so it is not replaced */
    HMF__COMM_UNMADE = 64   /* in a drain: its MPI_Comm_idup is not complete, MPI may not be asked */
};

/* First word `real`: resolving a handle touches one cache line. */
struct hmf__vcomm {
    MPI_Comm real;      /* what PMPI gets; MPI_COMM_NULL: ghost, or the rank has left */
    MPI_Comm prepared;  /* what takes its place at the commit; MPI_COMM_NULL outside a move */
    uint64_t sent;      /* point-to-point messages sent on it by this rank (not to MPI_PROC_NULL) */
    uint64_t received;  /* ... received or taken into a stash */
    uint64_t collectives; /* collective calls begun on it by this rank */
    uint32_t magic;
    uint32_t flags;
    uint32_t id;        /* number of its creation at this logical rank; the newcomer has the same */
    uint32_t refs;      /* the program's handle and pending requests */
    uint64_t gid;       /* equal at all members, unique in the job */
    uint64_t children;  /* collective creations from it so far: the next child's gid */
    enum hmf__vcomm_kind kind;
    int rank;           /* mine in it */
    int size;           /* of the local group */
    int remote_size;    /* 0 unless an intercommunicator */
    struct hmf__members *members;
    struct hmf__members *remote;
    struct hmf__members *callers; /* of a node's: who may be in it, in order; else NULL */
    struct hmf__members *were;    /* within a move: the members that it had, if others come */
    uint64_t call_gid, was_gid;
    unsigned changes;             /* how often its members became others */
    struct hmf__stashed *stash, **stash_tail; /* messages drained and not yet received, in order */
    size_t stash_count;
    struct hmf__attr *attrs;                  /* set by the program, newest first */
    struct hmf__vcomm *prev, *next;           /* live ones in order of id; WORLD first */
    void *plan;                               /* newcomer: how to build it, else NULL */
};

#define HMF__HIDDEN __attribute__((visibility("hidden")))

extern struct hmf__vcomm hmf__vcomm_world HMF__HIDDEN; /* real is MPI_COMM_WORLD before init */
extern struct hmf__vcomm hmf__vcomm_self HMF__HIDDEN;
extern uintptr_t hmf__vcomm_begin HMF__HIDDEN; /* the arena; span 0 before init and after fini */
extern uintptr_t hmf__vcomm_span HMF__HIDDEN;
extern bool hmf__vcomm_threads HMF__HIDDEN;    /* MPI_THREAD_MULTIPLE: counters are then atomic */

/* The real communicator behind `c`.  Anything that is not ours comes back as it is, so the function
 * may be called at any time, before MPI_Init and after MPI_Finalize too. */
static inline MPI_Comm hmf__comm_real(MPI_Comm c)
{
    if (c == MPI_COMM_WORLD)
        return hmf__vcomm_world.real;
    if ((uintptr_t) c - hmf__vcomm_begin < hmf__vcomm_span)
        return ((struct hmf__vcomm *) (void *) c)->real;
    return c;
}

/* The virtual communicator that `c` is a handle of, or NULL.  A freed handle gives a structure
 * whose real is MPI_COMM_NULL. */
static inline struct hmf__vcomm *hmf__vcomm_of(MPI_Comm c)
{
    if (c == MPI_COMM_WORLD)
        return &hmf__vcomm_world;
    if ((uintptr_t) c - hmf__vcomm_begin < hmf__vcomm_span)
        return (struct hmf__vcomm *) (void *) c;
    return c == MPI_COMM_SELF ? &hmf__vcomm_self : NULL;
}

/* The handle that the program holds of `v`. */
static inline MPI_Comm hmf__vcomm_handle(const struct hmf__vcomm *v)
{
    if (v == &hmf__vcomm_world)
        return MPI_COMM_WORLD;
    if (v == &hmf__vcomm_self)
        return MPI_COMM_SELF;
    return (MPI_Comm) (void *) v;
}

static inline void hmf__vcomm_bump(uint64_t *counter)
{
    if (__builtin_expect(hmf__vcomm_threads, 0))
        __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
    else
        ++*counter;
}

/* Counting for the drain.  Sent: once per message when the send is started, whatever its mode, not
 * for MPI_PROC_NULL; for a persistent send at each start.  Received: once per message when a
 * receive completes (not when it was cancelled or came from MPI_PROC_NULL), at the match for
 * matched probes. Messages taken out of a stash are not counted again: the drain has done it.
 * Handles that are not ours are not counted.  The _v forms take the structure (may be NULL). */
static inline void hmf__count_sent_v(struct hmf__vcomm *v)
{
    if (v != NULL)
        hmf__vcomm_bump(&v->sent);
}

static inline void hmf__count_received_v(struct hmf__vcomm *v)
{
    if (v != NULL)
        hmf__vcomm_bump(&v->received);
}

static inline void hmf__count_sent(MPI_Comm c)
{
    hmf__count_sent_v(hmf__vcomm_of(c));
}

static inline void hmf__count_received(MPI_Comm c)
{
    hmf__count_received_v(hmf__vcomm_of(c));
}

/* Once for each collective call of the program on `c`, blocking or not, when it is made; creating a
 * communicator is one.  At a cut all members must have made equally many: a collective that spans
 * the cut is found by this and refused. */
static inline void hmf__count_collective(MPI_Comm c)
{
    struct hmf__vcomm *v = hmf__vcomm_of(c);

    if (v != NULL)
        hmf__vcomm_bump(&v->collectives);
}

/* Wraps `real`, just created by a call that was collective over `parent` (dup, split, create, cart,
 * graph, dist_graph, split_type, intercommunicator merge), and gives the program's handle.  Local.
 * Every caller of such a call must pass here, also the one that got MPI_COMM_NULL (that comes
 * back as MPI_COMM_NULL), since the calls on a parent are counted.  `flags` 0 or HMF__COMM_NODE.
 * HMF_ERR_NOMEM, HMF_ERR_LIMIT (too many communicators), HMF_ERR_MPI: `*out` is then
 * MPI_COMM_NULL and `real` is still the caller's. */
hmf_status_t hmf__vcomm_adopt(MPI_Comm real, MPI_Comm parent, unsigned flags, MPI_Comm *out);

/* The same for MPI_Comm_create_group and MPI_Intercomm_create, which are collective over the new
 * communicator only: agrees on its name by a short exchange.  Collective over `real`; not called by
 * those who got none. */
hmf_status_t hmf__vcomm_adopt_group(MPI_Comm real, MPI_Comm *out);

/* For MPI_Comm_idup: makes the virtual communicator at the time of the call; PMPI_Comm_idup is to
 * store the real one at `*where`, which stays valid until the virtual one is freed. */
hmf_status_t hmf__vcomm_adopt_idup(MPI_Comm parent, MPI_Comm *out, MPI_Comm **where);

/* For communicators with members outside the job (MPI_Comm_spawn, connect, accept, join).  They
 * work, and forbid moves as long as they exist. */
hmf_status_t hmf__vcomm_adopt_foreign(MPI_Comm real, MPI_Comm *out);

/* The program frees `*c` (MPI_Comm_free, MPI_Comm_disconnect with `disconnect`): runs the delete
 * callbacks of its attributes, frees the real communicator as soon as no request holds it, sets
 * `*c` to MPI_COMM_NULL.  Gives the MPI error code of callbacks or of PMPI; the communicator is not
 * freed if a callback refuses.  Must not be called for handles that are not ours. */
int hmf__vcomm_free(MPI_Comm *c, bool disconnect);

/* A pending request needs its communicator after the program has freed the handle. */
void hmf__vcomm_hold(struct hmf__vcomm *v);
void hmf__vcomm_release(struct hmf__vcomm *v);

/* The communicator with this creation number, for the start-up replay; a ghost if it was freed
 * since: members, rank and size are right, real is MPI_COMM_NULL.  NULL: there never was one. 0
 * is WORLD, 1 is SELF. */
struct hmf__vcomm *hmf__vcomm_by_id(uint32_t id);

/* Creation number that the next communicator will get. */
uint32_t hmf__vcomm_next_id(void);

/* Between these the communicators made are marked HMF__COMM_STARTUP and outlive MPI_Comm_free as
 * ghosts (the start-up log may name them).  startup.c calls it. */
void hmf__vcomm_recording(bool on);

/* Fortran's integers.  Ours lie above all of Open MPI's; others go through PMPI. */
MPI_Fint hmf__vcomm_c2f(MPI_Comm c);
MPI_Comm hmf__vcomm_f2c(MPI_Fint f);

/* "MPI_COMM_WORLD", "communicator 4 (name)": for messages. Gives buf. */
const char *hmf__vcomm_text(const struct hmf__vcomm *v, char *buf, size_t len);

/* Live communicators in order of id: for (v = hmf__vcomm_first(); v; v = v->next). */
static inline struct hmf__vcomm *hmf__vcomm_first(void)
{
    return &hmf__vcomm_world;
}
size_t hmf__vcomm_count(void);

/* For world.c.  Start and end of the table; a new entry with members given (NULL members: not
 * known yet), and with a number given by a predecessor. */
hmf_status_t hmf__vcomm_init(int world_size, int world_rank, bool threads);
void hmf__vcomm_fini(void);
hmf_status_t hmf__vcomm_insert(uint32_t id, struct hmf__vcomm **out);
void hmf__vcomm_set_next_id(uint32_t id);

/* Takes it out of the table, without callbacks, without PMPI; a ghost stays if it is of the
 * start-up phase. ghost: makes it one in any case. */
void hmf__vcomm_destroy(struct hmf__vcomm *v);
void hmf__vcomm_ghost(struct hmf__vcomm *v);
struct hmf__vcomm *hmf__vcomm_ghosts(void); /* list by next */

/* What communicators that are gone had counted: the sums of a process never go down. */
extern uint64_t hmf__vcomm_gone_sent HMF__HIDDEN;
extern uint64_t hmf__vcomm_gone_received HMF__HIDDEN;

/* Guards the table with MPI_THREAD_MULTIPLE, does nothing otherwise. Not recursive; the functions
 * of this last part do not take it. */
void hmf__vcomm_lock(void);
void hmf__vcomm_unlock(void);

/* Shared member lists.  share: finds or makes the list; each gives one reference to put back. */
struct hmf__members *hmf__members_share(const int *ranks, int n);
void hmf__members_put(struct hmf__members *m);
int hmf__members_index(const struct hmf__members *m, int rank); /* -1 if it is not in */

/* Mixing of 64-bit names; never gives 0. */
uint64_t hmf__vcomm_mix(uint64_t a, uint64_t b);

#endif
