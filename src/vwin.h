/* Windows in the program's hands: handles of ours, behind each a real window that is replaced when
 * one of its ranks moves.
 *
 * A window is known by its members (logical ranks), by what it was made of, and by the state of
 * its epochs.  It is made anew after the commit, when a newcomer has its memory.  So that the
 * memory stays where the ranks that do not move have it, MPI_Win_allocate gives memory of ours
 * (a real window made by MPI_Win_create over it), and MPI_Win_allocate_shared a second view of MPI's
 * shared memory, under which the pages can be changed (vwinmem.h).
 *
 * At the cut: epochs of fences without an access in them go on; locks are given back and taken
 * again; open epochs of post and start, and accesses after the last fence, forbid the move.
 *
 * This file: the table, epochs, and building.  vwinpack.c: on the way to a newcomer.
 */
#ifndef HMF__VWIN_H
#define HMF__VWIN_H

#include <mpi.h>

#include "base.h"
#include "varena.h"
#include "vcomm.h"
#include "vlocal.h"

enum hmf__vwin_flavor {
    HMF__WIN_CREATE, HMF__WIN_ALLOCATE, HMF__WIN_SHARED, HMF__WIN_DYNAMIC
};

enum {
    HMF__WIN_GHOST = 2,     /* freed since, a replay comes by */
    HMF__WIN_OWNED = 4,     /* `base` is memory of ours */
    HMF__WIN_FENCED = 8,    /* the last fence has opened an epoch */
    HMF__WIN_STARTED = 16, HMF__WIN_POSTED = 32, /* epochs of start and post are open */
    HMF__WIN_RAW = 64,      /* no registered variable covers its memory: the bytes go along */
    HMF__WIN_RESTED = 128,  /* its locks have been given back for the cut */
    HMF__WIN_NAMED = 256    /* by the program */
};

struct hmf__vwin_lock {
    int rank;               /* -1: all */
    int type, assert;
};

struct hmf__vwin_region {
    void *base;
    MPI_Aint size;
};

/* One rank's part of a shared window, for MPI_Win_shared_query. */
struct hmf__vwin_part {
    int64_t at, size;       /* bytes from the begin of the view */
    int32_t unit, pad;
};

/* Begins as a struct hmf__varena_slot. */
struct hmf__vwin {
    MPI_Win real;           /* MPI_WIN_NULL: freed, of a replay, or it could not be built again */
    struct hmf__vwin *next;
    uint64_t accesses;      /* since the last fence */
    uint32_t serial;        /* number of its creation at this logical rank */
    uint32_t flags;
    enum hmf__vwin_flavor flavor;
    int fn;                 /* enum hmf__fn: the call that made it */
    uint64_t gid;           /* equal at all members, unique in the job */
    struct hmf__members *members;
    int rank;
    void *base;
    MPI_Aint size;
    int unit;
    int mpi_flavor, model;  /* for MPI_Win_get_attr */
    MPI_Info info;
    MPI_Errhandler handler; /* newcomer, until it is built; else MPI_ERRHANDLER_NULL */
    char *handler_text;     /* newcomer, until settled: its function is known only then */
    char *name;             /* newcomer, until it is built */
    unsigned attributes;    /* set by the program */
    struct hmf__vwin_lock *locks;
    int nlocks;
    struct hmf__vwin_region *regions; /* attached to a dynamic one */
    int nregions;
    struct hmf__vwin_part *parts; /* shared: of all members */
    char *view;             /* shared: what the program sees; NULL: one member */
    size_t view_bytes;
    MPI_Win old;            /* while building: the one before; else MPI_WIN_NULL */
    struct hmf__vlocal_pointer begin, end; /* on the way: the first and the last element */
    const void *raw;        /* newcomer, until settled: the bytes of its memory, if they came along */
};

extern struct hmf__varena hmf__vwins HMF__HIDDEN;

/* The window behind a handle, NULL for MPI's own. */
static inline struct hmf__vwin *hmf__vwin_of(MPI_Win w)
{
    return (uintptr_t) w - hmf__vwins.begin < hmf__vwins.span ? (struct hmf__vwin *) (void *) w
                                                              : NULL;
}

static inline MPI_Win hmf__win_real(MPI_Win w)
{
    struct hmf__vwin *v = hmf__vwin_of(w);

    if (v == NULL)
        return w;
    return v->real != NULL ? v->real : MPI_WIN_NULL;
}

/* The same for an access, which it counts. */
static inline MPI_Win hmf__win_access(MPI_Win w)
{
    struct hmf__vwin *v = hmf__vwin_of(w);

    if (v == NULL)
        return w;
    v->accesses++;
    return v->real != NULL ? v->real : MPI_WIN_NULL;
}

/* A newcomer's start-up makes it too. */
static inline bool hmf__vwin_startup(const struct hmf__vwin *v)
{
    return v->serial < hmf__vwins.startup;
}

/* Local, after a call that was collective over `comm`, which is one of ours.  A window without
 * memory and real window yet.  NULL: HMF_ERR_NOMEM, HMF_ERR_LIMIT. */
struct hmf__vwin *hmf__vwin_new(MPI_Comm comm, enum hmf__vwin_flavor flavor, int fn, MPI_Info info);

/* Replay: the one with this number; a ghost if it was freed since. NULL: no memory. */
struct hmf__vwin *hmf__vwin_replayed(uint32_t serial, MPI_Comm comm);

struct hmf__vwin *hmf__vwin_by_serial(uint32_t serial);

/* Out of the table, with the memory that is ours; not with the real window. */
void hmf__vwin_drop(struct hmf__vwin *v);

/* "window 3 "name" made by MPI_Win_create on 4 ranks". Gives buf. */
const char *hmf__vwin_text(const struct hmf__vwin *v, char *buf, size_t len);

/* Epochs, as the calls that open and close them say. False: no memory (the call went well). */
bool hmf__vwin_lock(struct hmf__vwin *v, int rank, int type, int assert);
void hmf__vwin_unlock(struct hmf__vwin *v, int rank);

bool hmf__vwin_attach(struct hmf__vwin *v, void *base, MPI_Aint size);
void hmf__vwin_detach(struct hmf__vwin *v, const void *base);

/* Local, at the cut: HMF_ERR_BUSY (an epoch is open), HMF_ERR_UNSUPPORTED, naming the window. */
hmf_status_t hmf__vwin_movable(void);

/* Local, at the cut: gives locks back, all accesses are complete at their targets. Resume takes
 * them again, and goes without saying after a rollback or a build. */
void hmf__vwin_rest(void);
void hmf__vwin_resume(void);

/* Local, at the cut for a checkpoint: completes accesses under locks at their targets. */
void hmf__vwin_flush(void);

/* Local, before anything is built: would shared windows stay on one node, with their members? */
hmf_status_t hmf__vwin_check(const bool *moved, const int *new_proc_of);

/* After the commit.  Collective over the members of each window that has one in `moved`; `inner` is
 * the communicator of the new places.  leave is the part of the processes that have left, and does
 * not return before the others have built.  What could not be built is said in the log, and its
 * window is MPI_WIN_NULL. */
void hmf__vwin_build(MPI_Comm inner, const bool *moved);
void hmf__vwin_leave(void);

void hmf__vwin_fini(void);

/* ---- on the way to a newcomer ---- */

/* Source; `drained`: for good, with the bytes of those marked HMF__WIN_RAW. */
hmf_status_t hmf__vwin_pack(struct hmf__buf *b, bool drained);

/* Source, rehearsal, after the capture: marks what registered variables do not cover, and refuses
 * what the newcomer's program could not get at. */
hmf_status_t hmf__vwin_rehearsed(void);

/* Newcomer, before its program starts: the windows exist, without memory. */
hmf_status_t hmf__vwin_unpack(struct hmf__buf *b);

/* Newcomer, with the image in place: memory and contents. */
hmf_status_t hmf__vwin_settle(void);

#endif
