/*
 * Writing a checkpoint of a whole job, synchronously; the steps are used by check_async.c as well.
 *
 * Step by step ("agree" is where all ranks learn of a failure and leave together):
 *
 *     rank 0                         every rank
 *     lock, clear away leftovers,
 *     make gen-N.tmp        agree    with levels: clear away the same in the node's directory
 *                                    write rank-R.h5, sync, read its header back
 *                           agree    gather sizes and seals; to partners: copies, compared
 *     manifest, sync, sync the
 *     directory, rename, sync
 *     the parent            agree
 *     remove old generations         copy on to HMF_DIR
 *
 * With the parts in the nodes' directories gen-N.tmp is gen-N.local.tmp, and has the manifest only.
 */
#include "config.h"

#include "check.h"

#include "base.h"
#include "check_dir.h"
#include "check_flush.h"
#include "check_global.h"
#include "check_local.h"
#include "check_manifest.h"
#include "check_priv.h"
#include "check_reuse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How long another node may take to see a directory that rank 0 has made. */
#define VISIBLE_NS 2000000000ull

/* What rank 0 has decided, as all ranks are told. */
struct decision {
    uint64_t generation, nlive;
    int level;
    bool flush, levels;                 /* levels: this job uses them, whatever this one's is */
    struct hmf__reuse reuse;
};

static unsigned form_of(enum hmf__level level)
{
    return HMF__DIR_TMP | (level == HMF__LEVEL_SHARED ? 0 : HMF__DIR_LOCAL);
}

/* What a job that died has left, or an attempt that failed; but not what is being copied. */
static hmf_status_t clear(const struct hmf__check_job *job, const struct hmf__dir_list *list)
{
    hmf_status_t rc = HMF_OK;
    for (size_t i = 0; i < list->ntemporaries && rc == HMF_OK; i++) {
        if (list->temporaries[i] != hmf__flush_generation(job->hold->flush))
            rc = hmf__dir_remove(job->dir, list->temporaries[i], HMF__DIR_TMP);
    }
    for (size_t i = 0; i < list->nlocal_temporaries && rc == HMF_OK; i++)
        rc = hmf__dir_remove(job->dir, list->local_temporaries[i], HMF__DIR_LOCAL | HMF__DIR_TMP);
    return rc;
}

/* Rank 0: directory, lock, the next number, its level and temporary directory. */
static hmf_status_t prepare(struct hmf__check_job *job, enum hmf__save_how how,
                            struct decision *d, struct hmf__dir_list *list)
{
    char path[HMF__DIR_PATH_MAX];
    hmf_status_t rc = hmf__dir_make(job->dir);
    if (rc == HMF_OK)
        rc = hmf__check_take_lock(job);
    if (rc == HMF_OK)
        rc = hmf__dir_list(job->dir, list);
    if (rc != HMF_OK)
        return rc;
    uint64_t next = hmf__dir_newest(list) + 1, finished;
    bool there;
    /* Numbers go on behind a finished job's last, though its generations may have been deleted. */
    if (hmf__dir_get_finished(job->dir, &there, &finished) == HMF_OK && there && finished >= next)
        next = finished + 1;
    d->generation = next;
    d->levels = job->levels != NULL && job->levels->root != NULL;
    if (d->levels && how != HMF__SAVE_SHARED && !job->to_shared && !job->hold->no_local)
        d->level = hmf__levels_of(job->levels, next, &d->flush);
    if (d->flush && how == HMF__SAVE_BEHIND) {
        d->level = HMF__LEVEL_SHARED;
        d->flush = false;
    }
    d->nlive = list->nlocals;
    rc = clear(job, list);
    if (rc == HMF_OK && !d->levels)
        hmf__reuse_choose(job, list, next, &d->reuse);
    if (rc == HMF_OK)
        rc = hmf__dir_name(job->dir, next, form_of(d->level), path);
    return rc == HMF_OK ? hmf__dir_make(path) : rc;
}

/* The nodes' directories: what is left over goes, and there is one for the new generation. */
static hmf_status_t prepare_nodes(struct hmf__check_job *job, const struct decision *d,
                                  const struct hmf__dir_list *list)
{
    char path[HMF__DIR_PATH_MAX];
    size_t bytes = (size_t)d->nlive * sizeof(uint64_t);
    uint64_t *live = NULL;
    hmf_status_t rc = hmf__local_open(job, &job->hold->local);
    if (rc != HMF_OK)
        return rc;
    struct hmf__local *l = job->hold->local;
    live = hmf__malloc(bytes);
    rc = hmf__check_agree(job, live == NULL ? hmf__fail(HMF_ERR_NOMEM, "no memory for a list of "
                                                        "generations") : HMF_OK);
    if (rc != HMF_OK)
        goto free_live;
    if (job->rank == 0 && bytes != 0)
        memcpy(live, list->locals, bytes);
    rc = bytes != 0 ? job->bcast(job->ctx, live, bytes) : HMF_OK;
    if (rc != HMF_OK)
        goto free_live;
    if (l->mine == 0)
        rc = hmf__local_sweep(l, live, (size_t)d->nlive);
    if (rc == HMF_OK && l->mine == 0 && d->level != HMF__LEVEL_SHARED) {
        rc = hmf__dir_name(l->dir, d->generation, 0, path);
        if (rc == HMF_OK)
            rc = hmf__dir_make(path);
    }
    rc = hmf__check_agree(job, rc);

free_live:
    hmf__free(live);
    return rc;
}

hmf_status_t hmf__save_await_dir(const struct hmf__check_job *job, uint64_t generation,
                                 unsigned form)
{
    char path[HMF__DIR_PATH_MAX];
    struct stat st;
    struct timespec pause = {0, 1000000};
    hmf_status_t rc = hmf__dir_name(job->dir, generation, form, path);
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

hmf_status_t hmf__save_begin(struct hmf__check_job *job, hmf_status_t rc, enum hmf__save_how how,
                             struct hmf__save *save)
{
    struct decision d = {.level = HMF__LEVEL_SHARED};
    struct hmf__dir_list list = {0};
    *save = (struct hmf__save){.level = HMF__LEVEL_SHARED};
    if (rc == HMF_OK)
        rc = hmf__check_arguments(job);
    if (rc == HMF_OK)
        rc = hmf__check_open(job);
    rc = hmf__check_agree(job, rc);
    if (rc != HMF_OK)
        return rc;
    hmf__flush_attend(job, false);
    if (job->rank == 0)
        rc = prepare(job, how, &d, &list);
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK)
        rc = job->bcast(job->ctx, &d, sizeof d);
    if (rc != HMF_OK)
        goto free_list;
    *save = (struct hmf__save){.generation = d.generation, .level = (enum hmf__level)d.level,
                               .flush = d.flush, .reuse = d.reuse};
    hmf__reuse_step_aside(job, d.generation, &d.reuse,
                          how == HMF__SAVE_BEHIND ? HMF__SAVE_PART : "");
    if (d.levels)
        rc = prepare_nodes(job, &d, &list);
    if (rc != HMF_OK && d.level == HMF__LEVEL_SHARED)
        rc = HMF_OK;                    /* the nodes' directories do not matter to this one */
    if (rc == HMF_OK && d.level != HMF__LEVEL_SHARED)
        save->local = job->hold->local->dir;
    if (rc != HMF_OK && job->rank == 0)
        hmf__save_discard(job, save);

free_list:
    hmf__dir_list_fini(&list);
    return rc;
}

hmf_status_t hmf__save_part(const struct hmf__check_job *job, struct hmf__io *io,
                            struct hmf__blocks **blocks, const struct hmf__file_source *source,
                            const struct hmf__save *save, const char *suffix, struct hmf__file_seal *seal)
{
    char path[HMF__DIR_PATH_MAX], clone[HMF__DIR_PATH_MAX], *end;
    struct hmf__file *f;
    struct hmf__blocks *now = NULL;
    struct hmf__io_reuse reuse;
    struct hmf__file_label label = {
        .program = job->program, .generation = save->generation, .rank = job->rank,
        .nranks = job->nranks
    };
    hmf_status_t rc = save->local != NULL
        ? hmf__local_path(save->local, save->generation, false, job->rank, path)
        : hmf__dir_part(job->dir, save->generation, true, job->rank, path);
    if (rc != HMF_OK)
        return rc;
    end = path + strlen(path);
    snprintf(end, sizeof path - (size_t)(end - path), "%s", suffix);
    if (job->rank != 0 && save->local == NULL)
        rc = hmf__save_await_dir(job, save->generation, HMF__DIR_TMP);
    if (rc != HMF_OK)
        return rc;
    bool some = hmf__reuse_find(job, &save->reuse, *blocks, path, clone, &reuse);
    if (!some && save->reuse.recycled != 0)
        unlink(path);
    rc = hmf__file_rewrite(io, path, &label, source, some ? &reuse : NULL, seal,
                           save->reuse.on ? &now : NULL);
    if (rc == HMF_OK)
        rc = hmf__file_open(path, seal, &f);
    if (rc != HMF_OK) {
        hmf__blocks_free(now);
        return rc;
    }
    hmf__log(HMF__LOG_DEBUG, "%s: %" PRIu64 " of %" PRIu64 " bytes were written", path,
             hmf__io_written(io), f->bytes);
    hmf__file_close(f);
    if (now != NULL)
        hmf__blocks_push(blocks, now, job->keep + 1);
    return HMF_OK;
}

hmf_status_t hmf__save_publish(const struct hmf__check_job *job, struct hmf__io *io,
                               struct hmf__global *global, const struct hmf__save *save,
                               struct hmf__file_seal *seals, struct hmf__file_seal *global_seal)
{
    char path[HMF__DIR_PATH_MAX];
    unsigned form = form_of(save->level);
    struct hmf__manifest m = {
        .program = (char *)(uintptr_t)job->program, .generation = save->generation,
        .nranks = job->nranks, .level = save->level, .seals = seals
    };
    hmf_status_t rc = hmf__dir_name(job->dir, save->generation, form, path);
    if (rc == HMF_OK && save->level != HMF__LEVEL_SHARED) {
        m.nodes = job->hold->local->nodes;
        m.partners = save->level == HMF__LEVEL_PARTNER ? job->hold->local->partner : NULL;
    }
    if (rc == HMF_OK && global != NULL)
        rc = hmf__global_write(global, job, io, path, save->generation, &m.global);
    if (rc == HMF_OK)
        rc = hmf__manifest_write(path, &m);
    if (rc == HMF_OK)
        rc = hmf__dir_publish(job->dir, save->generation, form);
    *global_seal = m.global;
    return rc;
}

/* ---- what is too old ---- */

/* An intact generation, of one of the two kinds. */
struct kept {
    uint64_t generation;
    enum hmf__level level;
};

static bool intact(const struct hmf__check_job *job, uint64_t generation, unsigned form,
                   enum hmf__level *level)
{
    char path[HMF__DIR_PATH_MAX];
    struct hmf__manifest *m;
    if (hmf__check_is_damaged(job, generation)
        || hmf__dir_name(job->dir, generation, form, path) != HMF_OK
        || hmf__manifest_read(path, &m) != HMF_OK)
        return false;
    *level = m->level;
    hmf__manifest_free(m);
    return true;
}

/* Are there enough newer ones that survive as much? */
static bool too_old(const struct hmf__check_job *job, const struct kept *kept, size_t n,
                    uint64_t generation, enum hmf__level level)
{
    uint64_t before = 0;
    int newer = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept[i].generation <= generation || kept[i].level < level
            || kept[i].generation == before)
            continue;
        before = kept[i].generation;
        newer++;
    }
    return newer >= job->keep + hmf__reuse_surplus(job);
}

/* Goes through both kinds, newest first, the shared one of a number before the local one. Failures
   to remove are only told: the new generation counts. */
void hmf__save_remove_old(const struct hmf__check_job *job)
{
    struct hmf__dir_list list;
    size_t i = 0, k = 0, n = 0;
    if (hmf__dir_clear_finished(job->dir) != HMF_OK)
        hmf__log(HMF__LOG_WARN, "%s", hmf_error_text());
    if (hmf__dir_list(job->dir, &list) != HMF_OK)
        return;
    struct kept *kept = hmf__calloc(list.ngenerations + list.nlocals + 1, sizeof(*kept));
    while (kept != NULL && i + k < list.ngenerations + list.nlocals) {
        bool local = i == list.ngenerations
            || (k < list.nlocals && list.locals[k] > list.generations[i]);
        struct kept now = {local ? list.locals[k++] : list.generations[i++], HMF__LEVEL_SHARED};
        unsigned form = local ? HMF__DIR_LOCAL : 0;
        bool whole = intact(job, now.generation, form, &now.level);
        if (local && now.generation == hmf__flush_generation(job->hold->flush))
            continue;
        if (!whole && local)
            now.level = HMF__LEVEL_LOCAL;
        if (too_old(job, kept, n, now.generation, now.level)) {
            if (hmf__dir_remove(job->dir, now.generation, form) != HMF_OK)
                hmf__log(HMF__LOG_WARN, "%s", hmf_error_text());
        } else if (whole) {
            kept[n++] = now;
        }
    }
    hmf__free(kept);
    hmf__dir_list_fini(&list);
}

void hmf__save_discard(const struct hmf__check_job *job, const struct hmf__save *save)
{
    char text[HMF__CHECK_TEXT_MAX];
    snprintf(text, sizeof text, "%s", hmf_error_text());
    if (hmf__dir_remove(job->dir, save->generation, form_of(save->level)) != HMF_OK)
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
static hmf_status_t save_at(struct hmf__check_job *job, const struct hmf__file_source *source,
                            struct hmf__global *global, const struct hmf__save *save)
{
    struct hmf__file_seal seal = {0, 0}, global_seal = {0, 0}, *seals = NULL;
    hmf_status_t rc = HMF_OK;
    if (job->rank == 0) {
        seals = hmf__calloc((size_t)job->nranks, sizeof(*seals));
        if (seals == NULL)
            rc = hmf__fail(HMF_ERR_NOMEM, "no memory for the manifest");
    }
    if (rc == HMF_OK && job->hold->io == NULL)
        rc = hmf__io_new(&job->hold->io);
    if (rc == HMF_OK)
        rc = hmf__save_part(job, job->hold->io, &job->hold->blocks, source, save, "", &seal);
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK && save->level == HMF__LEVEL_PARTNER)
        rc = hmf__local_copy_parts(job, job->hold->local, save->generation, &seal);
    if (rc == HMF_OK) {
        rc = job->gather(job->ctx, &seal, sizeof seal, seals);
        if (rc == HMF_OK && job->rank == 0)
            rc = hmf__save_publish(job, job->hold->io, global, save, seals, &global_seal);
        rc = hmf__check_agree(job, rc);
    }
    if (rc == HMF_OK && save->flush)
        hmf__flush_begin(job, save, &seal, seals, &global_seal);
    hmf__free(seals);
    return rc;
}

hmf_status_t hmf__save_rest(struct hmf__check_job *job, const hmf_image_t *image,
                            const struct hmf__file_source *source, struct hmf__save *save)
{
    struct hmf__global *global = NULL;
    hmf_status_t rc = hmf__global_make(job, image, &global);
    if (rc == HMF_OK)
        rc = save_at(job, source, global, save);
    hmf__global_free(global);
    if (rc != HMF_OK && job->rank == 0)
        hmf__save_discard(job, save);
    if (rc == HMF_OK && job->rank == 0)
        hmf__save_remove_old(job);
    return rc;
}

hmf_status_t hmf__check_write(struct hmf__check_job *job, const hmf_image_t *image, uint64_t *out)
{
    uint64_t generation;
    struct hmf__file_source source;
    struct hmf__save save;
    /* One that is still being written comes first; whether it failed has been asked for, or
       never is. */
    (void)hmf__check_complete(job, &generation);
    hmf_status_t rc = hmf__save_begin(job, hmf__save_source(image, &source), HMF__SAVE_BY_LEVEL,
                                      &save);
    if (rc == HMF_OK)
        rc = hmf__save_rest(job, image, &source, &save);
    if (rc != HMF_OK && save.level != HMF__LEVEL_SHARED) {
        /* A node's directory is full or gone: the state is still here. */
        if (job->rank == 0)
            hmf__log(HMF__LOG_WARN, "a checkpoint in the nodes' directories failed (%s): it goes to "
                     "%s", hmf_error_text(), job->dir);
        rc = hmf__save_begin(job, HMF_OK, HMF__SAVE_SHARED, &save);
        if (rc == HMF_OK)
            rc = hmf__save_rest(job, image, &source, &save);
    }
    if (rc == HMF_OK) {
        job->hold->no_local = false;
        *out = save.generation;
    }
    hmf__free(source.segments);
    return rc;
}

/* ---- a job for a thread ---- */

hmf_status_t hmf__save_job_init(struct hmf__check_job *copy, const struct hmf__check_job *job)
{
    *copy = *job;
    copy->hold = NULL;
    copy->dir = hmf__strdup(job->dir);
    copy->program = hmf__strdup(job->program);
    if (copy->dir != NULL && copy->program != NULL)
        return HMF_OK;
    hmf__save_job_fini(copy);
    return hmf__fail(HMF_ERR_NOMEM, "no memory for a thread");
}

void hmf__save_job_fini(struct hmf__check_job *copy)
{
    hmf__free((char *)(uintptr_t)copy->dir);
    hmf__free((char *)(uintptr_t)copy->program);
    copy->dir = copy->program = NULL;
}
