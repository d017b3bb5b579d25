/* Files opened through MPI in the program's hands: handles of ours, behind each a real file that is
 * opened again when one of its ranks moves, with its view, pointers and atomicity.
 *
 * It is opened again before the commit, so that a file that cannot be reached from the newcomer's
 * node undoes the move. A file that the program wants deleted when it is closed is deleted by us:
 * MPI would do it when the old one is closed.
 *
 * This file: the table, what forbids a move, opening again.  vfilepack.c: on the way to a newcomer.
 */
#ifndef HMF__VFILE_H
#define HMF__VFILE_H

#include <mpi.h>

#include "base.h"
#include "varena.h"
#include "vcomm.h"

enum {
    HMF__FILE_GHOST = 1,    /* closed since, a replay comes by */
    HMF__FILE_SPLIT = 2,    /* a split collective (MPI_File_..._begin) is open */
    HMF__FILE_SHARED = 4    /* its shared pointer has been used by this rank */
};

/* What a file is like besides its name: of the old one, or as a newcomer was told. */
struct hmf__vfile_look {
    MPI_Offset at, disp;        /* at: in etypes, MPI_File_get_position */
    MPI_Offset shared_at;
    int atomic;
    MPI_Datatype etype, filetype; /* ours to free unless they have a name; MPI_DATATYPE_NULL */
    char datarep[MPI_MAX_DATAREP_STRING];
    MPI_Errhandler handler;
    char *handler_text;         /* newcomer: its function is known only when the program runs */
};

/* Begins as a struct hmf__varena_slot. */
struct hmf__vfile {
    MPI_File real;          /* MPI_FILE_NULL: closed, or of a replay */
    struct hmf__vfile *next;
    uint32_t serial;        /* number of its creation at this logical rank */
    uint32_t flags;
    uint64_t gid;           /* equal at all members, unique in the job */
    struct hmf__members *members;
    int rank;
    int amode;              /* as the program gave it */
    char *name;
    MPI_Info info;
    MPI_File prepared;      /* takes its place at the commit */
    struct hmf__vfile_look *look; /* newcomer, until the commit */
};

extern struct hmf__varena hmf__vfiles HMF__HIDDEN;

/* The file behind a handle, NULL for MPI's own. */
static inline struct hmf__vfile *hmf__vfile_of(MPI_File f)
{
    return (uintptr_t) f - hmf__vfiles.begin < hmf__vfiles.span ? (struct hmf__vfile *) (void *) f
                                                                : NULL;
}

static inline MPI_File hmf__file_real(MPI_File f)
{
    struct hmf__vfile *v = hmf__vfile_of(f);

    if (v == NULL)
        return f;
    return v->real != NULL ? v->real : MPI_FILE_NULL;
}

static inline void hmf__file_mark(MPI_File f, unsigned set, unsigned clear)
{
    struct hmf__vfile *v = hmf__vfile_of(f);

    if (v != NULL)
        v->flags = (v->flags & ~clear) | set;
}

/* A newcomer's start-up opens it too. */
static inline bool hmf__vfile_startup(const struct hmf__vfile *v)
{
    return v->serial < hmf__vfiles.startup;
}

/* Local, after a call that was collective over `comm`, which is one of ours: a file without the
 * real one yet.  NULL: HMF_ERR_NOMEM, HMF_ERR_LIMIT. */
struct hmf__vfile *hmf__vfile_new(MPI_Comm comm, const char *name, int amode, MPI_Info info);

/* Replay: the one with this number; a ghost if it was closed since. NULL: no memory. */
struct hmf__vfile *hmf__vfile_replayed(uint32_t serial, MPI_Comm comm, const char *name);

struct hmf__vfile *hmf__vfile_by_serial(uint32_t serial);

/* Out of the table; not with the real file. */
void hmf__vfile_drop(struct hmf__vfile *v);

/* What is asked of MPI when the file is opened for the first time. */
int hmf__vfile_amode(int amode);

/* "file "name" open on 4 ranks". Gives buf. */
const char *hmf__vfile_text(const struct hmf__vfile *v, char *buf, size_t len);

/* Local, at the cut: HMF_ERR_BUSY, HMF_ERR_UNSUPPORTED, naming the file. */
hmf_status_t hmf__vfile_movable(void);

/* Collective over the members of each file, at the cut: what was written can be read elsewhere. */
hmf_status_t hmf__vfile_rest(void);

/* Local, newcomer, before anything is built: can it reach the files? HMF_ERR_IO. */
hmf_status_t hmf__vfile_check(void);

/* Collective over the members of each file that has one in `moved`: opens `prepared`.  HMF_ERR_IO,
 * HMF_ERR_MPI: what was opened is closed again. */
hmf_status_t hmf__vfile_build(MPI_Comm inner, const bool *moved);

/* Local but for the closing of files, in one order: with the processes that leave. */
void hmf__vfile_commit(void);
void hmf__vfile_drop_prepared(void);
void hmf__vfile_leave(void);

void hmf__vfile_fini(void);

/* ---- on the way to a newcomer ---- */

/* Reads and frees the look of a file that is open. */
hmf_status_t hmf__vfile_look(const struct hmf__vfile *v, struct hmf__vfile_look *out);
void hmf__vfile_look_free(struct hmf__vfile_look *look);

hmf_status_t hmf__vfile_pack(struct hmf__buf *b);
hmf_status_t hmf__vfile_rehearsed(void);
hmf_status_t hmf__vfile_unpack(struct hmf__buf *b);

#endif
