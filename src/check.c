/*
 * Checkpoints of a whole job; see check.h.
 *
 * Writing, step by step (rank 0 does the directory's part; "agree" is where all ranks learn of a
 * failure and leave together):
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
#include "check_file.h"
#include "check_io.h"
#include "check_manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 1024
/* How long another node may take to see a directory that rank 0 has made. */
#define VISIBLE_NS 2000000000ull

struct hmf__check_hold {
    int lock;                           /* descriptor, -1: not held */
    struct hmf__io *io;
    uint64_t *damaged;                  /* generations that a restart found damaged: they do not count
                                           among those to keep */
    size_t ndamaged;
};

static hmf_status_t hold(struct hmf__check_job *job)
{
    if (job->hold != NULL)
        return HMF_OK;
    job->hold = hmf__calloc(1, sizeof(*job->hold));
    if (job->hold == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for checkpoints");
    job->hold->lock = -1;
    return HMF_OK;
}

void hmf__check_release(struct hmf__check_job *job)
{
    if (job->hold == NULL)
        return;
    if (job->hold->lock >= 0)
        close(job->hold->lock);
    hmf__io_free(job->hold->io);
    hmf__free(job->hold->damaged);
    hmf__free(job->hold);
    job->hold = NULL;
}

static bool is_damaged(const struct hmf__check_job *job, uint64_t generation)
{
    for (size_t i = 0; i < job->hold->ndamaged; i++) {
        if (job->hold->damaged[i] == generation)
            return true;
    }
    return false;
}

static void note_damaged(struct hmf__check_job *job, uint64_t generation)
{
    struct hmf__check_hold *h = job->hold;
    if (is_damaged(job, generation))
        return;
    uint64_t *p = hmf__realloc(h->damaged, (h->ndamaged + 1) * sizeof(*p));
    if (p == NULL)
        return;                         /* then it counts among those to keep: nothing is lost */
    h->damaged = p;
    h->damaged[h->ndamaged++] = generation;
}

/* All ranks get the worst status and its text, which names the rank. */
static hmf_status_t agree(struct hmf__check_job *job, hmf_status_t mine)
{
    char text[TEXT_MAX] = "";
    if (mine != HMF_OK && job->nranks > 1 && job->rank != 0)
        snprintf(text, sizeof text, "rank %d: %.990s", job->rank, hmf_error_text());
    else if (mine != HMF_OK)
        snprintf(text, sizeof text, "%s", hmf_error_text());
    hmf_status_t all = job->agree(job->ctx, mine, text, sizeof text);
    text[sizeof text - 1] = '\0';
    if (all != HMF_OK)
        hmf__fail(all, "%s", text[0] != '\0' ? text : hmf_strerror(all));
    return all;
}

static hmf_status_t check_arguments(const struct hmf__check_job *job)
{
    if (job->dir == NULL || job->dir[0] == '\0' || job->program == NULL)
        return hmf__fail(HMF_ERR_ARG, "a checkpoint needs a directory and the program's name");
    if (strlen(job->program) > HMF__FILE_PROGRAM_MAX)
        return hmf__fail(HMF_ERR_LIMIT, "the program's name has more than %d bytes",
                         HMF__FILE_PROGRAM_MAX);
    if (job->rank < 0 || job->rank >= job->nranks || job->keep < 1)
        return hmf__fail(HMF_ERR_ARG, "rank %d of %d, %d generations to keep: out of range", job->rank,
                         job->nranks, job->keep);
    return HMF_OK;
}

static hmf_status_t take_lock(struct hmf__check_job *job)
{
    if (job->hold->lock >= 0)
        return HMF_OK;
    return hmf__dir_lock(job->dir, job->job_id, &job->hold->lock);
}

/* ---- writing ---- */

/* Rank 0: directory, lock, the next number, its temporary directory. */
static hmf_status_t prepare(struct hmf__check_job *job, uint64_t *generation)
{
    char path[HMF__DIR_PATH_MAX];
    struct hmf__dir_list list;
    hmf_status_t rc = hmf__dir_make(job->dir);
    if (rc == HMF_OK)
        rc = take_lock(job);
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

static hmf_status_t write_part(struct hmf__check_job *job, const struct hmf__file_source *source,
                               uint64_t generation, struct hmf__file_seal *seal)
{
    char path[HMF__DIR_PATH_MAX];
    struct hmf__file *f;
    struct hmf__file_label label = {job->program, generation, job->rank, job->nranks};
    hmf_status_t rc = hmf__dir_part(job->dir, generation, true, job->rank, path);
    if (rc == HMF_OK && job->rank != 0)
        rc = wait_visible(job, generation);
    if (rc == HMF_OK && job->hold->io == NULL)
        rc = hmf__io_new(&job->hold->io);
    if (rc == HMF_OK)
        rc = hmf__file_write(job->hold->io, path, &label, source, seal);
    if (rc == HMF_OK)
        rc = hmf__file_open(path, seal, &f);
    if (rc == HMF_OK)
        hmf__file_close(f);
    return rc;
}

/* Rank 0: the manifest, and the generation appears. */
static hmf_status_t publish(struct hmf__check_job *job, uint64_t generation,
                            struct hmf__file_seal *seals)
{
    char path[HMF__DIR_PATH_MAX];
    struct hmf__manifest m = {
        .program = (char *)(uintptr_t)job->program, .generation = generation,
        .nranks = job->nranks, .seals = seals
    };
    hmf_status_t rc = hmf__dir_generation(job->dir, generation, true, path);
    if (rc == HMF_OK)
        rc = hmf__manifest_write(path, &m);
    if (rc == HMF_OK)
        rc = hmf__dir_publish(job->dir, generation);
    return rc;
}

/* Rank 0: what is older than the `keep` newest intact generations goes. Its failures are only told:
   the new generation counts. */
static void remove_old(struct hmf__check_job *job, uint64_t newest)
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
        if (!is_damaged(job, g) && hmf__dir_generation(job->dir, g, false, path) == HMF_OK
            && hmf__manifest_read(path, &m) == HMF_OK) {
            hmf__manifest_free(m);
            kept++;
        }
    }
    hmf__dir_list_fini(&list);
}

static hmf_status_t write_source(struct hmf__check_job *job, const struct hmf__file_source *source,
                                 hmf_status_t rc, uint64_t *out)
{
    uint64_t generation = 0;
    struct hmf__file_seal seal = {0, 0}, *seals = NULL;
    if (rc == HMF_OK)
        rc = check_arguments(job);
    if (rc == HMF_OK)
        rc = hold(job);
    if (rc == HMF_OK && job->rank == 0) {
        rc = prepare(job, &generation);
        seals = hmf__calloc((size_t)job->nranks, sizeof(*seals));
        if (rc == HMF_OK && seals == NULL)
            rc = hmf__fail(HMF_ERR_NOMEM, "no memory for the manifest");
    }
    rc = agree(job, rc);
    if (rc != HMF_OK)
        goto free_seals;
    rc = job->bcast(job->ctx, &generation, sizeof generation);
    if (rc == HMF_OK)
        rc = write_part(job, source, generation, &seal);
    rc = agree(job, rc);
    if (rc != HMF_OK)
        goto remove_parts;
    rc = job->gather(job->ctx, &seal, sizeof seal, seals);
    if (rc == HMF_OK && job->rank == 0)
        rc = publish(job, generation, seals);
    rc = agree(job, rc);
    if (rc != HMF_OK)
        goto remove_parts;
    if (job->rank == 0)
        remove_old(job, generation);
    *out = generation;
    goto free_seals;

remove_parts:
    if (job->rank == 0) {
        char text[TEXT_MAX];
        snprintf(text, sizeof text, "%s", hmf_error_text());
        if (hmf__dir_remove(job->dir, generation, true) != HMF_OK)
            hmf__log(HMF__LOG_INFO, "%s", hmf_error_text());
        hmf__fail(rc, "%s", text);
    }
free_seals:
    hmf__free(seals);
    return rc;
}

hmf_status_t hmf__check_write(struct hmf__check_job *job, const hmf_image_t *image,
                              uint64_t *generation)
{
    hmf_status_t rc = HMF_OK;
    struct hmf__file_source source = {0};
    source.meta = hmf_image_meta(image, &source.meta_len);
    source.nsegments = hmf_image_nsegments(image);
    struct hmf__segment *segments = hmf__calloc(source.nsegments, sizeof(*segments));
    if (segments == NULL)
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to write a checkpoint");
    for (size_t i = 0; i < source.nsegments && rc == HMF_OK; i++)
        segments[i] = *hmf_image_segment(image, i);
    source.segments = segments;
    rc = write_source(job, &source, rc, generation);
    hmf__free(segments);
    return rc;
}

/* ---- finding ---- */

static hmf_status_t read_manifest(struct hmf__check_job *job, uint64_t generation,
                                  struct hmf__manifest **out)
{
    char path[HMF__DIR_PATH_MAX];
    hmf_status_t rc = hmf__dir_generation(job->dir, generation, false, path);
    if (rc == HMF_OK)
        rc = hmf__manifest_read(path, out);
    if (rc != HMF_OK)
        return rc;
    struct hmf__manifest *m = *out;
    if (m->generation != generation)
        rc = hmf__fail(HMF_ERR_FORMAT, "%s holds generation %" PRIu64 ": it was renamed", path,
                       m->generation);
    else if (strcmp(m->program, job->program) != 0)
        rc = hmf__fail(HMF_ERR_MISMATCH, "%s was written by the program %s, this is %s: set HMF_DIR to "
                       "another directory, or HMF_RESTART=never to start afresh", path, m->program,
                       job->program);
    else if (m->nranks != job->nranks)
        rc = hmf__fail(HMF_ERR_MISMATCH, "%s was written by %d ranks, this job has %d: start it with "
                       "%d ranks, or set HMF_RESTART=never to start afresh", path, m->nranks,
                       job->nranks, m->nranks);
    if (rc != HMF_OK) {
        hmf__manifest_free(m);
        *out = NULL;
    }
    return rc;
}

/* Of these an older generation may be free. */
static bool is_damage(hmf_status_t rc)
{
    return rc == HMF_ERR_FORMAT || rc == HMF_ERR_VERSION || rc == HMF_ERR_CHECKSUM || rc == HMF_ERR_IO
        || rc == HMF_ERR_NOTFOUND;
}

/* Rank 0: the newest generation below that bound whose manifest is intact. */
static hmf_status_t find_below(struct hmf__check_job *job, uint64_t bound, uint64_t *generation)
{
    struct hmf__dir_list list;
    struct hmf__manifest *m;
    bool there = false;
    uint64_t finished = 0;
    hmf_status_t rc = hmf__dir_list(job->dir, &list), damage = HMF_OK;
    char text[TEXT_MAX] = "";
    if (rc != HMF_OK)
        return rc;
    rc = hmf__dir_get_finished(job->dir, &there, &finished);
    if (rc != HMF_OK)
        goto free_list;
    rc = hmf__fail(HMF_ERR_NOTFOUND, "there is no checkpoint in %s", job->dir);
    for (size_t i = 0; i < list.ngenerations; i++) {
        uint64_t g = list.generations[i];
        if (g >= bound)
            continue;
        if (there && g <= finished) {
            rc = hmf__fail(HMF_ERR_NOTFOUND, "the job of %s has finished", job->dir);
            break;
        }
        rc = read_manifest(job, g, &m);
        if (rc == HMF_OK) {
            hmf__manifest_free(m);
            *generation = g;
            break;
        }
        if (!is_damage(rc))
            break;
        hmf__log(HMF__LOG_WARN, "checkpoint generation %" PRIu64 " cannot be used: %s", g,
                 hmf_error_text());
        note_damaged(job, g);
        if (damage == HMF_OK) {
            damage = rc == HMF_ERR_NOTFOUND ? HMF_ERR_FORMAT : rc;
            snprintf(text, sizeof text, "%.900s", hmf_error_text());
        }
        rc = HMF_ERR_NOTFOUND;
    }
    if (rc == HMF_ERR_NOTFOUND && damage != HMF_OK)
        rc = hmf__fail(damage, "no checkpoint in %s is intact (%.700s); to start afresh set "
                       "HMF_RESTART=never", job->dir, text);

free_list:
    hmf__dir_list_fini(&list);
    return rc;
}

static hmf_status_t find(struct hmf__check_job *job, long wanted, uint64_t bound, uint64_t *out)
{
    struct hmf__manifest *m;
    uint64_t generation = 0;
    hmf_status_t rc = check_arguments(job);
    if (rc == HMF_OK)
        rc = hold(job);
    if (rc == HMF_OK && job->rank == 0) {
        struct stat st;
        if (stat(job->dir, &st) != 0 && errno == ENOENT)
            rc = hmf__fail(HMF_ERR_NOTFOUND, "there is no checkpoint directory %s", job->dir);
        else
            rc = take_lock(job);
        if (rc == HMF_OK && wanted < 0) {
            rc = find_below(job, bound, &generation);
        } else if (rc == HMF_OK) {
            generation = (uint64_t)wanted;
            rc = read_manifest(job, generation, &m);
            if (rc == HMF_OK)
                hmf__manifest_free(m);
        }
    }
    rc = agree(job, rc);
    if (rc == HMF_OK)
        rc = job->bcast(job->ctx, &generation, sizeof generation);
    if (rc == HMF_OK)
        *out = generation;
    return rc;
}

hmf_status_t hmf__check_find(struct hmf__check_job *job, long wanted, uint64_t *generation)
{
    return find(job, wanted, UINT64_MAX, generation);
}

/* ---- reading ---- */

/* Every rank's seal, from the manifest that rank 0 reads. */
static hmf_status_t share_seals(struct hmf__check_job *job, uint64_t generation,
                                struct hmf__file_seal *mine)
{
    struct hmf__manifest *m = NULL;
    struct hmf__file_seal *seals = hmf__calloc((size_t)job->nranks, sizeof(*seals));
    hmf_status_t rc = HMF_OK;
    if (seals == NULL)
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory for the manifest");
    else if (job->rank == 0)
        rc = read_manifest(job, generation, &m);
    rc = agree(job, rc);
    if (rc == HMF_OK) {
        if (m != NULL)
            memcpy(seals, m->seals, (size_t)job->nranks * sizeof(*seals));
        rc = job->bcast(job->ctx, seals, (size_t)job->nranks * sizeof(*seals));
        *mine = seals[job->rank];
    }
    hmf__manifest_free(m);
    hmf__free(seals);
    return rc;
}

static hmf_status_t open_part(const struct hmf__check_job *job, uint64_t generation,
                              const struct hmf__file_seal *seal, struct hmf__file **out)
{
    char path[HMF__DIR_PATH_MAX];
    struct hmf__file *f = NULL;
    hmf_status_t rc = hmf__dir_part(job->dir, generation, false, job->rank, path);
    if (rc == HMF_OK)
        rc = hmf__file_open(path, seal, &f);
    if (rc != HMF_OK)
        return rc;
    if (f->generation != generation || f->rank != job->rank || f->nranks != job->nranks
        || strcmp(f->program, job->program) != 0)
        rc = hmf__fail(HMF_ERR_FORMAT, "%s is the part of rank %d of %d in generation %" PRIu64
                       " of %s: it was put there by mistake", path, f->rank, f->nranks, f->generation,
                       f->program);
    if (rc == HMF_OK)
        rc = hmf__file_verify(f);
    if (rc != HMF_OK) {
        hmf__file_close(f);
        return rc;
    }
    *out = f;
    return HMF_OK;
}

hmf_status_t hmf__check_read(struct hmf__check_job *job, uint64_t generation, hmf_state_t *state)
{
    struct hmf__file_seal seal;
    struct hmf__file *f = NULL;
    hmf_restore_t *restore = NULL;
    hmf_status_t rc = agree(job, check_arguments(job));
    if (rc == HMF_OK)
        rc = share_seals(job, generation, &seal);
    if (rc != HMF_OK)
        return rc;
    rc = agree(job, open_part(job, generation, &seal, &f));
    if (rc != HMF_OK)
        goto close_file;
    rc = agree(job, hmf_restore_begin(state, f->meta, f->meta_len, &restore));
    if (rc != HMF_OK)
        goto abort_restore;
    rc = agree(job, hmf__file_restore(f, restore));
    if (rc != HMF_OK)
        goto abort_restore;
    rc = agree(job, hmf_restore_finish(restore));
    restore = NULL;

abort_restore:
    hmf_restore_abort(restore);
close_file:
    hmf__file_close(f);
    return rc;
}

hmf_status_t hmf__check_load(struct hmf__check_job *job, long wanted, hmf_state_t *state,
                             uint64_t *out)
{
    uint64_t generation, bound = UINT64_MAX;
    hmf_status_t damage = HMF_OK;
    char text[TEXT_MAX] = "";
    for (;;) {
        hmf_status_t rc = find(job, wanted, bound, &generation);
        if (rc == HMF_ERR_NOTFOUND && damage != HMF_OK)
            return hmf__fail(damage, "no checkpoint in %s is intact (%.700s); to start afresh set "
                             "HMF_RESTART=never", job->dir, text);
        if (rc != HMF_OK)
            return rc;
        rc = hmf__check_read(job, generation, state);
        if (rc == HMF_OK) {
            *out = generation;
            return HMF_OK;
        }
        if (!is_damage(rc))
            return rc;
        if (rc == HMF_ERR_NOTFOUND)
            rc = hmf__fail(HMF_ERR_FORMAT, "%.900s", hmf_error_text());
        if (wanted >= 0)
            return rc;
        if (job->rank == 0) {
            hmf__log(HMF__LOG_WARN, "checkpoint generation %" PRIu64 " cannot be used: %s", generation,
                     hmf_error_text());
            note_damaged(job, generation);
        }
        if (damage == HMF_OK) {
            damage = rc;
            snprintf(text, sizeof text, "%.900s", hmf_error_text());
        }
        bound = generation;
    }
}

hmf_status_t hmf__check_finished(struct hmf__check_job *job)
{
    hmf_status_t rc = check_arguments(job);
    if (rc == HMF_OK && job->rank == 0) {
        struct hmf__dir_list list;
        rc = hmf__dir_list(job->dir, &list);
        if (rc == HMF_OK) {
            if (list.ngenerations != 0)
                rc = hmf__dir_set_finished(job->dir, list.generations[0]);
            hmf__dir_list_fini(&list);
        } else if (rc == HMF_ERR_NOTFOUND) {
            rc = HMF_OK;                /* no checkpoint was ever written */
        }
    }
    return agree(job, rc);
}
