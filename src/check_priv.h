/*
 * What the parts of the collective layer share. Not for other files than check.c and check_save.c,
 * check_async.c, check_load.c, check_global.c, check_reshape.c.
 */
#ifndef HMF_CHECK_PRIV_H
#define HMF_CHECK_PRIV_H

#include "check.h"
#include "check_file.h"
#include "check_io.h"

#include <stdbool.h>

#define HMF__CHECK_TEXT_MAX 1024

struct hmf__async;                      /* check_async.c */
struct hmf__global;                     /* check_global.h */

struct hmf__check_hold {
    int lock;                           /* descriptor, -1: not held */
    struct hmf__io *io;
    struct hmf__async *async;
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

/* ---- steps of writing (check_save.c); none but save_begin is collective ---- */

/* Rank 0 makes the next generation's temporary directory; everyone learns its number. */
hmf_status_t hmf__save_begin(struct hmf__check_job *job, hmf_status_t mine, uint64_t *generation);
/* This rank's part, its name followed by suffix; dir, program and the like come from the job.
   May run in another thread. */
hmf_status_t hmf__save_part(const struct hmf__check_job *job, struct hmf__io *io,
                            const struct hmf__file_source *source, uint64_t generation,
                            const char *suffix, struct hmf__file_seal *seal);
/* Rank 0: global.h5 if there is anything for it (else NULL), manifest and rename; then what is too
   old goes. */
hmf_status_t hmf__save_publish(const struct hmf__check_job *job, struct hmf__io *io,
                               struct hmf__global *global, uint64_t generation,
                               struct hmf__file_seal *seals);
void hmf__save_remove_old(const struct hmf__check_job *job, uint64_t newest);
/* Rank 0: a generation that failed; keeps the error's text. */
void hmf__save_discard(const struct hmf__check_job *job, uint64_t generation);

/* The image's segments as a source; free source->segments. */
hmf_status_t hmf__save_source(const hmf_image_t *image, struct hmf__file_source *source);

/* Waits for the writing thread and frees what it had. */
void hmf__async_free(struct hmf__async *async);

/* ---- steps of reading (check_load.c) ---- */

/* What a restart knows of a generation from its manifest, on every rank. */
struct hmf__check_seals {
    uint64_t generation;
    int nranks;                         /* that wrote it */
    struct hmf__file_seal global;
    struct hmf__file_seal *parts;       /* of each of them */
};

/* Opens the part of a rank that wrote it and compares what it says of itself. */
hmf_status_t hmf__check_open_part(const struct hmf__check_job *job,
                                  const struct hmf__check_seals *seals, int rank,
                                  struct hmf__file **out);

/* Restores, collectively, on another number of ranks or for other parts (check_reshape.c).
   *other: whether that is so; if not, nothing was done. */
hmf_status_t hmf__check_reshape(struct hmf__check_job *job, const struct hmf__check_seals *seals,
                                hmf_state_t *state, bool *other);

#endif
