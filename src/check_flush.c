/*
 * Copies generations from the nodes' directories to HMF_DIR; see check_flush.h.
 *
 * The parts gather in gen-N.tmp, each under its name when it is synced and compared, and rank 0
 * publishes them as those of any other generation: gen-N is there whole or not at all.
 */
#include "config.h"

#include "check_flush.h"

#include "base.h"
#include "check_behind.h"
#include "check_manifest.h"
#include "check_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (1u << 20)

struct hmf__flush {
    struct hmf__behind behind;
    struct hmf__check_job job;          /* for the thread, with strings of its own */
    uint64_t generation;
    char from[HMF__DIR_PATH_MAX];
    struct hmf__file_seal mine, global;
    struct hmf__file_seal *seals;       /* rank 0's */
    size_t rate;
    atomic_bool hurry;
    uint64_t begun_ns;
};

/* ---- copying a file ---- */

static hmf_status_t cannot(const char *what, const char *path)
{
    return hmf__fail(HMF_ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

/* Sleeps as long as the bytes so far should have taken longer. */
static void hold_back(uint64_t begun, uint64_t bytes, size_t rate, const atomic_bool *hurry)
{
    while (rate != 0 && (hurry == NULL || !atomic_load(hurry))) {
        double early = (double)bytes / (double)rate - (double)(hmf__now_ns() - begun) * 1e-9;
        if (early <= 0)
            return;
        struct timespec pause = {0, early > 0.05 ? 50000000 : (long)(early * 1e9)};
        nanosleep(&pause, NULL);
    }
}

static hmf_status_t copy_bytes(const char *from, const char *to, uint64_t bytes, size_t rate,
                               const atomic_bool *hurry)
{
    uint64_t begun = hmf__now_ns();
    hmf_status_t rc = HMF_OK;
    unsigned char *buffer = hmf__malloc(CHUNK);
    int in = -1, out = -1;
    if (buffer == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to copy %s", from);
    in = hmf__sys_open(from, O_RDONLY, 0);
    if (in < 0)
        rc = cannot("open", from);
    else if ((out = hmf__sys_open(to, O_WRONLY | O_CREAT | O_TRUNC, 0666)) < 0)
        rc = cannot("create", to);
    for (uint64_t at = 0; at < bytes && rc == HMF_OK; at += CHUNK) {
        size_t n = bytes - at < CHUNK ? (size_t)(bytes - at) : CHUNK;
        if (hmf__sys_pread(in, buffer, n, at) != 0)
            rc = cannot("read", from);
        else if (hmf__sys_pwrite(out, buffer, n, at) != 0)
            rc = cannot("write", to);
        else
            hold_back(begun, at + n, rate, hurry);
    }
    if (rc == HMF_OK && hmf__sys_fsync(out) != 0)
        rc = cannot("sync", to);
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) != 0 && rc == HMF_OK)
        rc = cannot("write", to);
    hmf__free(buffer);
    return rc;
}

static hmf_status_t check_copy(const struct hmf__check_job *job, uint64_t generation, int nranks,
                               int rank, const char *path, const struct hmf__file_seal *seal)
{
    struct hmf__file *f;
    hmf_status_t rc = hmf__file_open(path, seal, &f);
    if (rc != HMF_OK)
        return rc;
    rc = hmf__file_verify(f);
    if (rc == HMF_OK && (f->generation != generation || f->rank != rank || f->nranks != nranks
                         || strcmp(f->program, job->program) != 0))
        rc = hmf__fail(HMF_ERR_FORMAT, "%s is another part: it was put there by mistake", path);
    hmf__file_close(f);
    return rc;
}

hmf_status_t hmf__flush_part(const struct hmf__check_job *job, uint64_t generation, int nranks,
                             int rank, const char *from, const struct hmf__file_seal *seal,
                             size_t rate, const atomic_bool *hurry)
{
    char path[HMF__DIR_PATH_MAX], tmp[HMF__DIR_PATH_MAX + 8];
    hmf_status_t rc = hmf__dir_part(job->dir, generation, true, rank, path);
    if (rc == HMF_OK && job->rank != 0)
        rc = hmf__save_await_dir(job, generation, HMF__DIR_TMP);
    if (rc != HMF_OK)
        return rc;
    snprintf(tmp, sizeof tmp, "%s.part", path);
    rc = copy_bytes(from, tmp, seal->bytes, rate, hurry);
    if (rc == HMF_OK)
        rc = check_copy(job, generation, nranks, rank, tmp, seal);
    if (rc == HMF_OK && hmf__sys_rename(tmp, path) != 0)
        rc = cannot("rename", tmp);
    return rc;
}

/* ---- rank 0's steps ---- */

hmf_status_t hmf__flush_make(const struct hmf__check_job *job, uint64_t generation)
{
    char path[HMF__DIR_PATH_MAX];
    hmf_status_t rc = hmf__dir_remove(job->dir, generation, HMF__DIR_TMP);
    if (rc == HMF_OK)
        rc = hmf__dir_name(job->dir, generation, HMF__DIR_TMP, path);
    return rc == HMF_OK ? hmf__dir_make(path) : rc;
}

hmf_status_t hmf__flush_publish(const struct hmf__check_job *job, uint64_t generation, int nranks,
                                const struct hmf__file_seal *seals,
                                const struct hmf__file_seal *global)
{
    char path[HMF__DIR_PATH_MAX], from[HMF__DIR_PATH_MAX + 16], to[HMF__DIR_PATH_MAX + 16];
    struct hmf__manifest m = {
        .program = (char *)(uintptr_t)job->program, .generation = generation, .nranks = nranks,
        .level = HMF__LEVEL_SHARED, .seals = (struct hmf__file_seal *)(uintptr_t)seals,
        .global = *global
    };
    hmf_status_t rc = hmf__dir_name(job->dir, generation, HMF__DIR_LOCAL, path);
    snprintf(from, sizeof from, "%s/global.h5", path);
    if (rc == HMF_OK)
        rc = hmf__dir_name(job->dir, generation, HMF__DIR_TMP, path);
    snprintf(to, sizeof to, "%s/global.h5", path);
    if (rc == HMF_OK && global->bytes != 0)
        rc = copy_bytes(from, to, global->bytes, 0, NULL);
    if (rc == HMF_OK && global->bytes != 0)
        rc = check_copy(job, generation, nranks, nranks, to, global);
    if (rc == HMF_OK)
        rc = hmf__manifest_write(path, &m);
    return rc == HMF_OK ? hmf__dir_publish(job->dir, generation, HMF__DIR_TMP) : rc;
}

/* ---- behind the program's back ---- */

static hmf_status_t copy_mine(void *ctx)
{
    struct hmf__flush *f = ctx;
    return hmf__flush_part(&f->job, f->generation, f->job.nranks, f->job.rank, f->from, &f->mine,
                           f->rate, &f->hurry);
}

static hmf_status_t publish(void *ctx)
{
    struct hmf__flush *f = ctx;
    char path[HMF__DIR_PATH_MAX];
    hmf_status_t rc = HMF_OK;
    for (int r = 1; r < f->job.nranks && rc == HMF_OK; r++) {
        rc = hmf__dir_part(f->job.dir, f->generation, true, r, path);
        if (rc == HMF_OK)
            rc = hmf__behind_await(&f->behind, path, r);
    }
    if (rc == HMF_OK)
        rc = hmf__flush_publish(&f->job, f->generation, f->job.nranks, f->seals, &f->global);
    double seconds = (double)(hmf__now_ns() - f->begun_ns) * 1e-9;
    if (rc == HMF_OK)
        hmf__log(HMF__LOG_INFO, "checkpoint generation %" PRIu64 " is in %s as well, after %.1f s",
                 f->generation, f->job.dir, seconds);
    if (rc == HMF_OK && f->job.flushed != NULL)
        f->job.flushed(f->job.ctx, f->generation, HMF_OK, seconds);
    return rc;
}

static void forget(struct hmf__flush *f)
{
    hmf__save_job_fini(&f->job);
    hmf__free(f->seals);
    f->seals = NULL;
}

uint64_t hmf__flush_generation(const struct hmf__flush *f)
{
    return f != NULL && f->behind.under_way ? f->generation : 0;
}

void hmf__flush_free(struct hmf__flush *f)
{
    if (f == NULL)
        return;
    atomic_store(&f->hurry, true);
    hmf__behind_fini(&f->behind);
    forget(f);
    hmf__free(f);
}

/* Rank 0: said once, and the program's events have it as well. */
static void complain(struct hmf__check_job *job, const struct hmf__flush *f, hmf_status_t rc)
{
    if (job->rank != 0)
        return;
    hmf__log(HMF__LOG_WARN, "checkpoint generation %" PRIu64 " could not be copied to %s: %s; it "
             "stays in the nodes' directories", f->generation, job->dir, hmf_error_text());
    if (job->flushed != NULL)
        job->flushed(job->ctx, f->generation, rc, 0);
    if (hmf__dir_remove(job->dir, f->generation, HMF__DIR_TMP) != HMF_OK)
        hmf__log(HMF__LOG_INFO, "%s", hmf_error_text());
}

void hmf__flush_attend(struct hmf__check_job *job, bool wait)
{
    struct hmf__flush *f = job->hold != NULL ? job->hold->flush : NULL;
    if (f == NULL || !f->behind.under_way)
        return;
    int look = hmf__behind_look(&f->behind);
    if (wait)
        atomic_store(&f->hurry, true);
    else if (job->least(job->ctx, &look, 1) != HMF_OK || look == HMF__BEHIND_BUSY)
        return;
    hmf_status_t rc = hmf__behind_complete(&f->behind, job);
    if (rc != HMF_OK)
        complain(job, f, rc);
    else if (job->rank == 0)
        hmf__save_remove_old(job);
    forget(f);
}

/* On success f->behind may be started. */
static hmf_status_t prepare(struct hmf__check_job *job, struct hmf__flush *f,
                            const struct hmf__save *save, const struct hmf__file_seal *seals)
{
    size_t bytes = (size_t)job->nranks * sizeof(*seals);
    hmf_status_t rc = hmf__save_job_init(&f->job, job);
    if (rc == HMF_OK)
        rc = hmf__local_path(save->local, save->generation, false, job->rank, f->from);
    if (rc != HMF_OK || job->rank != 0)
        return rc;
    f->seals = hmf__malloc(bytes);
    if (f->seals == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the manifest");
    memcpy(f->seals, seals, bytes);
    return hmf__flush_make(job, save->generation);
}

void hmf__flush_begin(struct hmf__check_job *job, const struct hmf__save *save,
                      const struct hmf__file_seal *mine, const struct hmf__file_seal *seals,
                      const struct hmf__file_seal *global)
{
    hmf__flush_attend(job, true);       /* two at once would take twice the disk's time */
    struct hmf__flush *f = job->hold->flush;
    hmf_status_t rc = HMF_OK;
    if (f == NULL) {
        f = job->hold->flush = hmf__calloc(1, sizeof(*f));
        if (f != NULL)
            hmf__behind_init(&f->behind);
        else
            rc = hmf__fail(HMF_ERR_NOMEM, "no memory for a thread");
    }
    if (rc == HMF_OK) {
        f->generation = save->generation;
        f->mine = *mine;
        f->global = *global;
        f->rate = job->levels->flush_rate;
        f->begun_ns = hmf__now_ns();
        atomic_store(&f->hurry, false);
        f->behind.part = copy_mine;
        f->behind.whole = publish;
        f->behind.ctx = f;
        f->behind.rank = job->rank;
        rc = prepare(job, f, save, seals);
    }
    rc = hmf__check_agree(job, rc);     /* gen-N.tmp is there, too */
    if (rc == HMF_OK)
        rc = hmf__check_agree(job, hmf__behind_start(&f->behind));
    if (rc == HMF_OK)
        return;
    if (f != NULL) {
        hmf__behind_stop(&f->behind);
        rc = hmf__check_agree(job, rc); /* nobody writes there any more */
        complain(job, f, rc);
        forget(f);
    }
}
