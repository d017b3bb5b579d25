/*
 * Checkpoints of a whole job: collective over its ranks, all or nothing.
 *
 * How the ranks talk is the caller's: three callbacks. With MPI they are an allreduce and the like;
 * tests give them threads, a serial program nothing to do. Every function here is collective over
 * the job's ranks in the same order, and returns the same status on each; the error's text, which
 * names the rank that found it, is in every rank's hmf_error_text(). None of them aborts, prints
 * errors or leaves a rank waiting: what waits are only the callbacks.
 *
 * Not thread safe: one thread per rank uses a job.
 */
#ifndef HMF_CHECK_INTERNAL_H
#define HMF_CHECK_INTERNAL_H

#include "image.h"
#include "state.h"

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hmf__check_hold;                 /* what is kept between calls: lock, buffers */
struct hmf__levels;

#define HMF__TRADE_MAX ((size_t)1 << 20)

struct hmf__check_job {
    int rank, nranks;
    const char *dir;                    /* the checkpoint directory, made when it is missing */
    const char *program;                /* its name: a checkpoint of another program is refused */
    int keep;                           /* generations to keep, at least 1 */
    void *ctx;
    /* The worst status of all ranks and its text, on every rank. text: this rank's in, the worst
       one out, always ended by NUL. The worst is the largest number. HMF_ERR_PEER and the like if
       the ranks cannot talk; everything then ends with that status. */
    hmf_status_t (*agree)(void *ctx, hmf_status_t mine, char *text, size_t text_len);
    /* len bytes of each rank, in order of rank, to rank 0 (all: nranks * len bytes; else
       unused). */
    hmf_status_t (*gather)(void *ctx, const void *mine, size_t len, void *all);
    /* len bytes of rank 0 to all. */
    hmf_status_t (*bcast)(void *ctx, void *data, size_t len);
    /* ---- only for levels (NULL without): */
    const struct hmf__levels *levels;   /* check_level.h */
    /* Sends out_len bytes to rank `to` while it gets in_len from rank `from`, both at most
       HMF__TRADE_MAX; -1: nobody, and nothing. The other side has a call that matches. */
    hmf_status_t (*trade)(void *ctx, int to, const void *out, size_t out_len, int from, void *in,
                          size_t in_len);
    /* Of each of n numbers the least of all ranks, on every rank. */
    hmf_status_t (*least)(void *ctx, int *numbers, size_t n);
    /* Rank 0, in any thread, may be NULL: that generation was copied to HMF_DIR, or was not (the
       text is hmf_error_text()). */
    void (*flushed)(void *ctx, uint64_t generation, hmf_status_t status, double seconds);
    bool to_shared;                     /* the next one goes to dir, whatever its number */
    /* ---- */
    /* The same on all ranks of this run, unlike any other run's; 0: none. By it a rank 0 that has
       moved knows its own lock. */
    uint64_t job_id;
    struct hmf__check_hold *hold;       /* NULL at first; ended by hmf__check_release */
};

/* Writes a new generation of all ranks' images. When it returns HMF_OK the generation is on
   disk, its headers were read back, and generations beyond the newest `keep` are removed; else
   nothing has changed but what is removed by the next write. HMF_ERR_IO, HMF_ERR_BUSY (another job
   uses the directory), HMF_ERR_HDF5, HMF_ERR_NOMEM, HMF_ERR_LIMIT, and what the callbacks return.
   */
hmf_status_t hmf__check_write(struct hmf__check_job *job, const hmf_image_t *image,
                              uint64_t *generation);

/* The same without waiting for the disk: copies the image into memory of its own, which is
   reused, and writes from there in the background. The image may be freed and the program go on
   when it returns. The generation appears by itself once all ranks' parts are on disk. One that is
   under way is waited for first, so memory is bounded by one image; without memory for the copy it
   is HMF_ERR_NOMEM, and hmf__check_write may still work. An image of more than HMF_ASYNC_MEMORY
   bytes (default: no limit) is written synchronously, and so is every one where the HDF5 library is
   not thread safe. If one that was waited for has failed, rank 0 logs it as a warning. */
hmf_status_t hmf__check_begin(struct hmf__check_job *job, const hmf_image_t *image,
                              uint64_t *generation);

/* Not collective, cheap: whether this rank still writes in the background. */
bool hmf__check_busy(const struct hmf__check_job *job);

/* Waits for what hmf__check_begin has begun and says how it ended; the number in *generation, 0 if
   nothing was under way. Call it before a rank moves and at the end. The statuses of
   hmf__check_write. */
hmf_status_t hmf__check_complete(struct hmf__check_job *job, uint64_t *generation);

/* Waits until what is being copied from the nodes' directories is in dir; how it went is logged.
   Call it before a rank moves and at the end. */
void hmf__check_settle(struct hmf__check_job *job);

/* Looks for a generation to restart from: that number, or -1: the newest complete one, which is
   none if the job finished after it. Takes the directory's lock. HMF_ERR_NOTFOUND: there is none
   (with -1: start afresh); HMF_ERR_MISMATCH: it is another program's or of another number of ranks;
   HMF_ERR_FORMAT and the like: there are generations, but none is intact; HMF_ERR_BUSY. */
hmf_status_t hmf__check_find(struct hmf__check_job *job, long wanted, uint64_t *generation);

/* Restores the registered variables from that generation. Every byte of every part is verified, and
   names and types compared, on all ranks before any variable is changed: HMF_ERR_NOTFOUND,
   HMF_ERR_FORMAT, HMF_ERR_VERSION, HMF_ERR_CHECKSUM (damage: an older generation may do),
   HMF_ERR_MISMATCH leave them as they were. After another error they are unspecified. */
hmf_status_t hmf__check_read(struct hmf__check_job *job, uint64_t generation, hmf_state_t *state);

/* Both of the above: the newest generation (or the wanted one, and no other) that is intact. One
   that is damaged is named in a warning, and the next older one is used. HMF_ERR_NOTFOUND: there is
   none, start afresh. Any other status: there is one, but the job must not start without it. */
hmf_status_t hmf__check_load(struct hmf__check_job *job, long wanted, hmf_state_t *state,
                             uint64_t *generation);

/* The job ends normally: later starts begin afresh. The generations stay, for who wants one by its
   number. The next checkpoint ends it. */
hmf_status_t hmf__check_finished(struct hmf__check_job *job);

/* Not collective: ends what the job holds, the lock among it. For a rank 0 that leaves its
   process, and at the end. The job can be used again afterwards. */
void hmf__check_release(struct hmf__check_job *job);

#endif
