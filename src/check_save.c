/*
 * Writing a checkpoint of a whole job, synchronously; the steps are used by check_async.c as well.
 *
 * Step by step ("agree" is where all ranks learn of a failure and leave together):
 *
 *     rank 0                         every rank
 *     lock, clear away leftovers,
 *     make gen-N.tmp        agree
 *                                    write rank-R.h5, sync, read its header back
 *                           agree    gather sizes and seals
 *     manifest, sync, sync the
 *     directory, rename, sync
 *     the parent            agree
 *     remove old generations
 */
#include "config.h"

#include "check.h"

#include "base.h"
#include "check_dir.h"
#include "check_global.h"
#include "check_manifest.h"
#include "check_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* How long another node may take to see a directory that rank 0 has made. */
#define VISIBLE_NS 2000000000ull

/* Rank 0: directory, lock, the next number, its temporary directory. */
static hmf_status_t prepare(struct hmf__check_job *job, uint64_t *generation)
{
    char path[HMF__DIR_PATH_MAX];
    struct hmf__dir_list list;
    hmf_status_t rc = hmf__dir_make(job->dir);
    if (rc == HMF_OK)
        rc = hmf__check_take_lock(job);
    if (rc == HMF_OK)
        rc = hmf__dir_list(job->dir, &list);
    if (rc != HMF_OK)
        return rc;
    uint64_t next = 1, finished;
    bool there;
    if (list.ngenerations != 0)
        next = list.generations[0] + 1;
    /* Numbers go on behind a finished job's last, though its generations may have been deleted. */
    if (hmf__dir_get_finished(job->dir, &there, &finished) == HMF_OK && there && finished >= next)
        next = finished + 1;
    for (size_t i = 0; i < list.ntemporaries && rc == HMF_OK; i++)
        rc = hmf__dir_remove(job->dir, list.temporaries[i], true);
    hmf__dir_list_fini(&list);
    if (rc == HMF_OK)
        rc = hmf__dir_generation(job->dir, next, true, path);
    if (rc == HMF_OK)
        rc = hmf__dir_make(path);
    *generation = next;
    return rc;
}

/* The other ranks: the directory that rank 0 has made, as soon as this node sees it. */
static hmf_status_t wait_visible(const struct hmf__check_job *job, uint64_t generation)
{
    char path[HMF__DIR_PATH_MAX];
    struct stat st;
    struct timespec pause = {0, 1000000};
    hmf_status_t rc = hmf__dir_generation(job->dir, generation, true, path);
    if (rc != HMF_OK)
        return rc;
    for (uint64_t start = hmf__now_ns(); stat(path, &st) != 0;) {
        if (errno != ENOENT || hmf__now_ns() - start > VISIBLE_NS)
            return hmf__fail(HMF_ERR_IO, "cannot see the directory %s that rank 0 has made (%s): "
                             "HMF_DIR must be on a file system that all nodes share", path,
                             strerror(errno));
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 100000000)
            pause.tv_nsec *= 2;
    }
    return HMF_OK;
}

hmf_status_t hmf__save_begin(struct hmf__check_job *job, hmf_status_t rc, uint64_t *generation)
{
    *generation = 0;
    if (rc == HMF_OK)
        rc = hmf__check_arguments(job);
    if (rc == HMF_OK)
        rc = hmf__check_open(job);
    if (rc == HMF_OK && job->rank == 0)
        rc = prepare(job, generation);
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK)
        rc = job->bcast(job->ctx, generation, sizeof *generation);
    return rc;
}

hmf_status_t hmf__save_part(const struct hmf__check_job *job, struct hmf__io *io,
                            const struct hmf__file_source *source, uint64_t generation,
                            const char *suffix, struct hmf__file_seal *seal)
{
    char path[HMF__DIR_PATH_MAX], *end;
    struct hmf__file *f;
    struct hmf__file_label label = {
        .program = job->program, .generation = generation, .rank = job->rank,
        .nranks = job->nranks
    };
    hmf_status_t rc = hmf__dir_part(job->dir, generation, true, job->rank, path);
    if (rc != HMF_OK)
        return rc;
    end = path + strlen(path);
    snprintf(end, sizeof path - (size_t)(end - path), "%s", suffix);
    if (job->rank != 0)
        rc = wait_visible(job, generation);
    if (rc == HMF_OK)
        rc = hmf__file_write(io, path, &label, source, seal);
    if (rc == HMF_OK)
        rc = hmf__file_open(path, seal, &f);
    if (rc == HMF_OK)
        hmf__file_close(f);
    return rc;
}

hmf_status_t hmf__save_publish(const struct hmf__check_job *job, struct hmf__io *io,
                               struct hmf__global *global, uint64_t generation,
                               struct hmf__file_seal *seals)
{
    char path[HMF__DIR_PATH_MAX];
    struct hmf__manifest m = {
        .program = (char *)(uintptr_t)job->program, .generation = generation,
        .nranks = job->nranks, .seals = seals
    };
    hmf_status_t rc = hmf__dir_generation(job->dir, generation, true, path);
    if (rc == HMF_OK && global != NULL)
        rc = hmf__global_write(global, job, io, path, generation, &m.global);
    if (rc == HMF_OK)
        rc = hmf__manifest_write(path, &m);
    if (rc == HMF_OK)
        rc = hmf__dir_publish(job->dir, generation);
    return rc;
}

/* Failures to remove are only told: the new generation counts. */
void hmf__save_remove_old(const struct hmf__check_job *job, uint64_t newest)
{
    struct hmf__dir_list list;
    int kept = 1;
    if (hmf__dir_clear_finished(job->dir) != HMF_OK)
        hmf__log(HMF__LOG_WARN, "%s", hmf_error_text());
    if (hmf__dir_list(job->dir, &list) != HMF_OK)
        return;
    for (size_t i = 0; i < list.ngenerations; i++) {
        uint64_t g = list.generations[i];
        char path[HMF__DIR_PATH_MAX];
        struct hmf__manifest *m;
        if (g >= newest)
            continue;
        if (kept >= job->keep) {
            if (hmf__dir_remove(job->dir, g, false) != HMF_OK)
                hmf__log(HMF__LOG_WARN, "%s", hmf_error_text());
            continue;
        }
        if (!hmf__check_is_damaged(job, g) && hmf__dir_generation(job->dir, g, false,
                                                                  path) == HMF_OK
            && hmf__manifest_read(path, &m) == HMF_OK) {
            hmf__manifest_free(m);
            kept++;
        }
    }
    hmf__dir_list_fini(&list);
}

void hmf__save_discard(const struct hmf__check_job *job, uint64_t generation)
{
    char text[HMF__CHECK_TEXT_MAX];
    snprintf(text, sizeof text, "%s", hmf_error_text());
    if (hmf__dir_remove(job->dir, generation, true) != HMF_OK)
        hmf__log(HMF__LOG_INFO, "%s", hmf_error_text());
    hmf__fail(HMF_ERR_IO, "%s", text);
}

hmf_status_t hmf__save_source(const hmf_image_t *image, struct hmf__file_source *source)
{
    memset(source, 0, sizeof(*source));
    source->meta = hmf_image_meta(image, &source->meta_len);
    source->nsegments = hmf_image_nsegments(image);
    source->segments = hmf__calloc(source->nsegments, sizeof(*source->segments));
    if (source->segments == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to write a checkpoint");
    for (size_t i = 0; i < source->nsegments; i++)
        source->segments[i] = *hmf_image_segment(image, i);
    return HMF_OK;
}

/* This rank's part, then everybody's seal in the manifest. */
static hmf_status_t save(struct hmf__check_job *job, const struct hmf__file_source *source,
                         struct hmf__global *global, uint64_t generation)
{
    struct hmf__file_seal seal = {0, 0}, *seals = NULL;
    hmf_status_t rc = HMF_OK;
    if (job->rank == 0) {
        seals = hmf__calloc((size_t)job->nranks, sizeof(*seals));
        if (seals == NULL)
            rc = hmf__fail(HMF_ERR_NOMEM, "no memory for the manifest");
    }
    if (rc == HMF_OK && job->hold->io == NULL)
        rc = hmf__io_new(&job->hold->io);
    if (rc == HMF_OK)
        rc = hmf__save_part(job, job->hold->io, source, generation, "", &seal);
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK) {
        rc = job->gather(job->ctx, &seal, sizeof seal, seals);
        if (rc == HMF_OK && job->rank == 0)
            rc = hmf__save_publish(job, job->hold->io, global, generation, seals);
        rc = hmf__check_agree(job, rc);
    }
    hmf__free(seals);
    return rc;
}

hmf_status_t hmf__check_write(struct hmf__check_job *job, const hmf_image_t *image, uint64_t *out)
{
    uint64_t generation;
    struct hmf__file_source source;
    struct hmf__global *global = NULL;
    /* One that is still being written comes first; whether it failed has been asked for, or
       never is. */
    (void)hmf__check_complete(job, &generation);
    hmf_status_t rc = hmf__save_begin(job, hmf__save_source(image, &source), &generation);
    if (rc == HMF_OK) {
        rc = hmf__global_make(job, image, &global);
        if (rc == HMF_OK)
            rc = save(job, &source, global, generation);
        hmf__global_free(global);
        if (rc != HMF_OK && job->rank == 0)
            hmf__save_discard(job, generation);
    }
    if (rc == HMF_OK) {
        if (job->rank == 0)
            hmf__save_remove_old(job, generation);
        *out = generation;
    }
    hmf__free(source.segments);
    return rc;
}
