/*
 * Checkpoints that are written behind the program's back; see hmf__check_begin in check.h.
 *
 * The program is held for one copy of its state. A thread per rank then makes the rank's part as in
 * a synchronous checkpoint (check_behind.h): in HMF_DIR as rank-R.h5.part, which is renamed to
 * rank-R.h5 when it is synced, and rank 0's thread reads sizes and seals from the headers. A part in
 * a node's directory cannot be seen from there: what appears in HMF_DIR is rank-R.done, which has
 * its size and seal. A copy for a partner needs messages, so a checkpoint at that level is written
 * synchronously; one at the level `shared` goes straight to HMF_DIR, since that is behind the
 * program's back already.
 */
#include "config.h"

#include "check.h"

#include "base.h"
#include "check_behind.h"
#include "check_dir.h"
#include "check_flush.h"
#include "check_global.h"
#include "check_priv.h"
#include "check_skel.h"
#include "check_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct hmf__async {
    /* the copy of the image; the memory is kept for the next one */
    unsigned char *memory;
    size_t memory_bytes;
    struct hmf__file_source source;
    struct iovec *iov;                  /* one per segment */
    struct hmf__global *global;         /* rank 0's; NULL: nothing for it */

    struct hmf__behind behind;
    struct hmf__check_job job;          /* for the thread, with strings of its own */
    struct hmf__io *io;
    struct hmf__blocks **blocks;        /* the job's; only the thread's while one is under way */
    struct hmf__save save;
    struct hmf__file_seal seal;         /* of this rank's part */
};

static void forget_source(struct hmf__async *a)
{
    hmf__free((void *)(uintptr_t)a->source.meta);
    hmf__free(a->source.segments);
    hmf__free(a->iov);
    hmf__save_job_fini(&a->job);
    hmf__global_free(a->global);
    memset(&a->source, 0, sizeof a->source);
    a->iov = NULL;
    a->global = NULL;
}

void hmf__async_free(struct hmf__async *a)
{
    if (a == NULL)
        return;
    hmf__behind_fini(&a->behind);
    forget_source(a);
    hmf__io_free(a->io);
    hmf__big_free(a->memory, a->memory_bytes);
    hmf__free(a);
}

static struct hmf__async *async_of(struct hmf__check_job *job)
{
    struct hmf__async *a = job->hold->async;
    if (a != NULL)
        return a;
    a = hmf__calloc(1, sizeof(*a));
    if (a == NULL)
        return NULL;
    hmf__behind_init(&a->behind);
    job->hold->async = a;
    return a;
}

/* ---- the copy ---- */

static hmf_status_t copy_image(struct hmf__async *a, const struct hmf__check_job *job,
                               const hmf_image_t *image)
{
    struct hmf__file_source from;
    hmf_status_t rc = hmf__save_source(image, &from);
    if (rc != HMF_OK)
        return rc;
    forget_source(a);
    uint64_t total = 0;
    for (size_t i = 0; i < from.nsegments; i++)
        total += from.segments[i].bytes;
    if (total > SIZE_MAX)
        goto no_memory;
    if (total > a->memory_bytes) {
        hmf__big_free(a->memory, a->memory_bytes);
        a->memory_bytes = 0;
        a->memory = hmf__big_alloc((size_t)total);
        if (a->memory == NULL)
            goto no_memory;
        a->memory_bytes = (size_t)total;
    }
    unsigned char *meta = hmf__malloc(from.meta_len);
    a->source = (struct hmf__file_source){meta, from.meta_len, from.nsegments, from.segments};
    a->iov = hmf__calloc(from.nsegments, sizeof(*a->iov));
    if (meta == NULL || a->iov == NULL || hmf__save_job_init(&a->job, job) != HMF_OK) {
        forget_source(a);
        return hmf__fail(HMF_ERR_NOMEM, "no memory to copy the state for a checkpoint");
    }
    memcpy(meta, from.meta, from.meta_len);
    unsigned char *to = a->memory;
    for (size_t i = 0; i < from.nsegments; i++) {
        struct hmf__segment *s = &from.segments[i];
        a->iov[i] = (struct iovec){to, (size_t)s->bytes};
        for (size_t k = 0; k < s->niov; k++) {
            hmf__segment_copy(s, k, 0, to, s->iov[k].iov_len);
            to += s->iov[k].iov_len;
        }
        s->padding = NULL;
        s->iov = &a->iov[i];
        s->niov = 1;
    }
    return HMF_OK;

no_memory:
    hmf__free(from.segments);
    return hmf__fail(HMF_ERR_NOMEM, "no memory for a copy of the state (%" PRIu64 " bytes)", total);
}

/* ---- the thread ---- */

/* rank-R.done of a part in a node's directory. */
static hmf_status_t done_path(const struct hmf__async *a, int rank, const char *suffix, char *path)
{
    char dir[HMF__DIR_PATH_MAX];
    hmf_status_t rc = hmf__dir_name(a->job.dir, a->save.generation, HMF__DIR_LOCAL | HMF__DIR_TMP,
                                    dir);
    if (rc == HMF_OK
        && snprintf(path, HMF__DIR_PATH_MAX, "%s/rank-%05d.done%s", dir, rank, suffix)
               >= HMF__DIR_PATH_MAX)
        rc = hmf__fail(HMF_ERR_LIMIT, "the path %.64s... is too long", dir);
    return rc;
}

static hmf_status_t announce(const struct hmf__async *a)
{
    char path[HMF__DIR_PATH_MAX], tmp[HMF__DIR_PATH_MAX], text[48];
    hmf_status_t rc = done_path(a, a->job.rank, "", path);
    if (rc == HMF_OK)
        rc = done_path(a, a->job.rank, ".part", tmp);
    if (rc == HMF_OK && a->job.rank != 0)
        rc = hmf__save_await_dir(&a->job, a->save.generation, HMF__DIR_LOCAL | HMF__DIR_TMP);
    if (rc != HMF_OK)
        return rc;
    int n = snprintf(text, sizeof text, "%" PRIu64 " %08" PRIx32 "\n", a->seal.bytes, a->seal.seal);
    int fd = hmf__sys_open(tmp, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool ok = fd >= 0 && hmf__sys_pwrite(fd, text, (size_t)n, 0) == 0;
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    if (!ok || hmf__sys_rename(tmp, path) != 0)
        return hmf__fail(HMF_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    return HMF_OK;
}

/* Rank 0: reads and removes it. */
static hmf_status_t read_done(const char *path, struct hmf__file_seal *seal)
{
    char text[49] = "";
    int fd = hmf__sys_open(path, O_RDONLY, 0);
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return hmf__fail(HMF_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    if (sscanf(text, "%" SCNu64 " %" SCNx32, &seal->bytes, &seal->seal) != 2)
        return hmf__fail(HMF_ERR_FORMAT, "%s makes no sense", path);
    return hmf__sys_unlink(path) == 0 ? HMF_OK
        : hmf__fail(HMF_ERR_IO, "cannot remove %s: %s", path, strerror(errno));
}

/* Rank 0: the seal of a rank's part as soon as it is there. */
static hmf_status_t await_part(struct hmf__async *a, int rank, struct hmf__file_seal *seal)
{
    char path[HMF__DIR_PATH_MAX];
    struct hmf__file *f;
    bool local = a->save.local != NULL;
    hmf_status_t rc = local ? done_path(a, rank, "", path)
        : hmf__dir_part(a->job.dir, a->save.generation, true, rank, path);
    if (rc == HMF_OK)
        rc = hmf__behind_await(&a->behind, path, rank);
    if (rc == HMF_OK && local)
        return read_done(path, seal);
    if (rc == HMF_OK)
        rc = hmf__file_open(path, NULL, &f);
    if (rc != HMF_OK)
        return rc;
    *seal = (struct hmf__file_seal){f->bytes, f->seal};
    if (f->generation != a->save.generation || f->rank != rank || f->nranks != a->job.nranks)
        rc = hmf__fail(HMF_ERR_FORMAT, "%s is not what rank %d wrote", path, rank);
    hmf__file_close(f);
    return rc;
}

static hmf_status_t publish(void *ctx)
{
    struct hmf__async *a = ctx;
    struct hmf__file_seal global, *seals = hmf__calloc((size_t)a->job.nranks, sizeof(*seals));
    hmf_status_t rc = HMF_OK;
    if (seals == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the manifest");
    seals[0] = a->seal;
    for (int i = a->save.local != NULL ? 0 : 1; i < a->job.nranks && rc == HMF_OK; i++)
        rc = await_part(a, i, &seals[i]);
    if (rc == HMF_OK)
        rc = hmf__save_publish(&a->job, a->io, a->global, &a->save, seals, &global);
    hmf__free(seals);
    return rc;
}

/* The part under a temporary name, which it loses when it is synced and checked. */
static hmf_status_t write_part(void *ctx)
{
    struct hmf__async *a = ctx;
    char path[HMF__DIR_PATH_MAX], tmp[HMF__DIR_PATH_MAX + 8];
    hmf_status_t rc;
    if (a->save.local != NULL) {
        rc = hmf__save_part(&a->job, a->io, a->blocks, &a->source, &a->save, "", &a->seal);
        return rc == HMF_OK ? announce(a) : rc;
    }
    rc = hmf__save_part(&a->job, a->io, a->blocks, &a->source, &a->save, HMF__SAVE_PART,
                       &a->seal);
    if (rc == HMF_OK)
        rc = hmf__dir_part(a->job.dir, a->save.generation, true, a->job.rank, path);
    if (rc != HMF_OK)
        return rc;
    snprintf(tmp, sizeof tmp, "%s" HMF__SAVE_PART, path);
    if (hmf__sys_rename(tmp, path) != 0)
        return hmf__fail(HMF_ERR_IO, "cannot rename %s: %s", tmp, strerror(errno));
    return HMF_OK;
}

/* ---- the calls ---- */

bool hmf__check_busy(const struct hmf__check_job *job)
{
    const struct hmf__async *a = job->hold != NULL ? job->hold->async : NULL;
    return a != NULL && a->behind.under_way
        && hmf__behind_look(&a->behind) == HMF__BEHIND_BUSY;
}

hmf_status_t hmf__check_complete(struct hmf__check_job *job, uint64_t *generation)
{
    struct hmf__async *a = job->hold != NULL ? job->hold->async : NULL;
    *generation = 0;
    if (a == NULL || !a->behind.under_way)
        return HMF_OK;
    hmf_status_t rc = hmf__behind_complete(&a->behind, job);
    if (rc == HMF_OK)
        *generation = a->save.generation;
    job->hold->no_local = rc != HMF_OK && a->save.local != NULL;
    if (job->rank == 0 && rc == HMF_OK)
        hmf__save_remove_old(job);
    else if (job->rank == 0)
        hmf__save_discard(job, &a->save);
    return rc;
}

/* Everything that the thread needs, while the program is held; collective. */
static hmf_status_t ready(struct hmf__check_job *job, const hmf_image_t *image,
                          const struct hmf__save *save)
{
    struct hmf__async *a = async_of(job);
    hmf_status_t rc = HMF_OK;
    if (a == NULL)
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to write in the background");
    if (rc == HMF_OK && a->io == NULL && (rc = hmf__io_new(&a->io)) == HMF_OK)
        hmf__io_alone(a->io);
    if (rc == HMF_OK)
        rc = copy_image(a, job, image);
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK)
        rc = hmf__global_make(job, image, &a->global);
    if (rc != HMF_OK)
        return rc;
    a->save = *save;
    a->blocks = &job->hold->blocks;
    a->job.hold = job->hold;            /* the nodes' table: read only */
    a->behind.part = write_part;
    a->behind.whole = publish;
    a->behind.ctx = a;
    a->behind.rank = job->rank;
    rc = hmf__check_agree(job, hmf__behind_start(&a->behind));
    if (rc == HMF_OK)
        return rc;
    hmf__behind_stop(&a->behind);
    return hmf__check_agree(job, rc);   /* nobody writes any more: rank 0 may remove it all */
}

hmf_status_t hmf__check_begin(struct hmf__check_job *job, const hmf_image_t *image, uint64_t *out)
{
    size_t limit;
    uint64_t previous;
    struct hmf__save save;
    if (hmf__check_complete(job, &previous) != HMF_OK && job->rank == 0)
        hmf__log(HMF__LOG_WARN, "a checkpoint in the background failed: %s", hmf_error_text());
    hmf_status_t rc = hmf__param_size("HMF_ASYNC_MEMORY", 0, SIZE_MAX, SIZE_MAX, &limit);
    /* One rank over its limit makes all synchronous: the two ways do not mix. */
    bool synchronous = hmf_image_bytes(image) > limit || !hmf__skel_thread_safe();
    rc = hmf__check_agree(job, rc != HMF_OK ? rc : synchronous ? HMF_ERR_LIMIT : HMF_OK);
    if (rc == HMF_ERR_LIMIT)
        return hmf__check_write(job, image, out);
    if (rc != HMF_OK)
        return rc;
    rc = hmf__save_begin(job, HMF_OK, HMF__SAVE_BEHIND, &save);
    if (rc == HMF_OK && save.level == HMF__LEVEL_PARTNER) {
        if (job->rank == 0)
            hmf__save_discard(job, &save);
        return hmf__check_write(job, image, out);
    }
    if (rc != HMF_OK && save.level != HMF__LEVEL_SHARED)
        return hmf__check_write(job, image, out);       /* it knows what to do about that */
    if (rc != HMF_OK)
        return rc;
    rc = ready(job, image, &save);
    if (rc == HMF_OK)
        *out = save.generation;
    else if (job->rank == 0)
        hmf__save_discard(job, &save);
    return rc;
}
