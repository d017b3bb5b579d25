/*
 * What the parts of the collective layer share. Not for other files than check.c and check_save.c,
 * check_async.c, check_behind.c, check_flush.c, check_global.c, check_load.c, check_local.c,
 * check_locate.c, check_reshape.c, check_reuse.c.
 */
#ifndef HMF_CHECK_PRIV_H
#define HMF_CHECK_PRIV_H

#include "check.h"
#include "check_file.h"
#include "check_io.h"
#include "check_level.h"
#include "check_reuse.h"

#include <stdbool.h>

#define HMF__CHECK_TEXT_MAX 1024

struct hmf__async;                      /* check_async.c */
struct hmf__flush;                      /* check_flush.c */
struct hmf__global;                     /* check_global.h */
struct hmf__local;                      /* check_local.h */
struct hmf__manifest;                   /* check_manifest.h */

struct hmf__check_hold {
    int lock;                           /* descriptor, -1: not held */
    struct hmf__io *io;
    struct hmf__async *async;
    struct hmf__blocks *blocks;         /* of this rank's parts, newest first; HMF_INCREMENTAL */
    enum {HMF__CLONE_UNKNOWN, HMF__CLONE_YES, HMF__CLONE_NO} clones;    /* rank 0's, of the directory */
    struct hmf__flush *flush;
    struct hmf__local *local;           /* NULL: levels are not used */
    bool no_local;                      /* the last checkpoint in the nodes' directories failed: the
                                           next goes to HMF_DIR */
    uint64_t *damaged;                /* generations that a restart found damaged: they do not count
                                           among those to keep */
    size_t ndamaged;
};

/* Makes job->hold if it is not there. */
hmf_status_t hmf__check_open(struct hmf__check_job *job);
hmf_status_t hmf__check_arguments(const struct hmf__check_job *job);
hmf_status_t hmf__check_take_lock(struct hmf__check_job *job);

/* Collective: all ranks get the worst status and its text, which names the rank. */
hmf_status_t hmf__check_agree(struct hmf__check_job *job, hmf_status_t mine);

bool hmf__check_is_damaged(const struct hmf__check_job *job, uint64_t generation);
void hmf__check_note_damaged(struct hmf__check_job *job, uint64_t generation);

/* ---- steps of writing (check_save.c) ---- */

/* What a part is called in HMF_DIR while it is written in the background. */
#define HMF__SAVE_PART ".part"

/* A generation to be written, the same on all ranks but for `local`. */
struct hmf__save {
    uint64_t generation;
    struct hmf__reuse reuse;
    enum hmf__level level;
    bool flush;                         /* to be copied on to HMF_DIR */
    const char *local;                  /* this node's directory; NULL at the level `shared` */
};

/* Collective: the next generation's number and level, and the directories for it. On failure
   nothing is left; save->level says what was tried. */
enum hmf__save_how {
    HMF__SAVE_BY_LEVEL,
    HMF__SAVE_BEHIND,                   /* by level, but what goes on to HMF_DIR goes there at once */
    HMF__SAVE_SHARED
};
hmf_status_t hmf__save_begin(struct hmf__check_job *job, hmf_status_t mine, enum hmf__save_how how,
                             struct hmf__save *save);
/* Collective: all of the rest, synchronously. */
hmf_status_t hmf__save_rest(struct hmf__check_job *job, const hmf_image_t *image,
                            const struct hmf__file_source *source, struct hmf__save *save);
/* This rank's part, its name followed by suffix; dir, program and the like come from the job,
   blocks are hold->blocks. May run in another thread. */
hmf_status_t hmf__save_part(const struct hmf__check_job *job, struct hmf__io *io,
                            struct hmf__blocks **blocks, const struct hmf__file_source *source,
                             const struct hmf__save *save,
                            const char *suffix, struct hmf__file_seal *seal);
/* As soon as this node sees a directory that rank 0 has made. */
hmf_status_t hmf__save_await_dir(const struct hmf__check_job *job, uint64_t generation,
                                 unsigned form);
/* Rank 0: global.h5 if there is anything for it (else NULL), manifest and rename. *global_seal: of
   0 bytes if there is none. */
hmf_status_t hmf__save_publish(const struct hmf__check_job *job, struct hmf__io *io,
                               struct hmf__global *global, const struct hmf__save *save,
                               struct hmf__file_seal *seals, struct hmf__file_seal *global_seal);
/* Rank 0: what is too old goes. */
void hmf__save_remove_old(const struct hmf__check_job *job);
/* Rank 0: a generation that failed; keeps the error's text. */
void hmf__save_discard(const struct hmf__check_job *job, const struct hmf__save *save);

/* A copy for a thread, with strings of its own, and without what the job holds. */
hmf_status_t hmf__save_job_init(struct hmf__check_job *copy, const struct hmf__check_job *job);
void hmf__save_job_fini(struct hmf__check_job *copy);

/* The image's segments as a source; free source->segments. */
hmf_status_t hmf__save_source(const hmf_image_t *image, struct hmf__file_source *source);

/* Waits for the writing thread and frees what it had. */
void hmf__async_free(struct hmf__async *async);

/* ---- steps of reading (check_load.c) ---- */

/* What a restart knows of a generation from its manifest, on every rank. */
struct hmf__check_seals {
    uint64_t generation;
    int nranks;                         /* that wrote it */
    bool local;                         /* its parts lie in the nodes' directories */
    struct hmf__file_seal global;
    struct hmf__file_seal *parts;       /* of each of them */
};

/* Opens the part of a rank that wrote it and compares what it says of itself. */
hmf_status_t hmf__check_open_part(const struct hmf__check_job *job,
                                  const struct hmf__check_seals *seals, int rank,
                                  struct hmf__file **out);

/* Restores, collectively, on another number of ranks or for other parts (check_reshape.c).
   *other: whether that is so; if not, nothing was done. Parts that lie in the nodes' directories are
   gathered in HMF_DIR for it. manifest: rank 0's. */
hmf_status_t hmf__check_reshape(struct hmf__check_job *job, const struct hmf__check_seals *seals,
                                const struct hmf__manifest *manifest, hmf_state_t *state,
                                bool *other);

#endif
