/*
 * Checkpoints that are written behind the program's back; see hmf__check_begin in check.h.
 *
 * The program is held for one copy of its state. A thread per rank then makes the rank's part as in
 * a synchronous checkpoint. No message is needed to know that all parts are there, since messages
 * would have to wait for the program: a part is written as rank-R.h5.part and renamed to rank-R.h5
 * when it is synced, and rank 0's thread waits for the names to appear, reads sizes and seals from
 * the headers, and publishes the generation. hmf__check_complete, which is collective, only asks
 * how it went.
 */
#include "config.h"

#include "check.h"

#include "base.h"
#include "check_dir.h"
#include "check_global.h"
#include "check_priv.h"
#include "check_skel.h"
#include "check_sys.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PAUSE_MIN_NS 1000000
#define PAUSE_MAX_NS 50000000

enum { WRITING, WRITTEN, FINISHED };

struct hmf__async {
    /* the copy of the image; the memory is kept for the next one */
    unsigned char *memory;
    size_t memory_bytes;
    struct hmf__file_source source;
    struct iovec *iov;                  /* one per segment */
    struct hmf__global *global;         /* rank 0's; NULL: nothing for it */

    bool under_way;                     /* begun, and not yet completed */
    pthread_t thread;
    struct hmf__check_job job;          /* a copy, with strings of its own, for the thread */
    struct hmf__io *io;
    uint64_t generation;
    atomic_int phase;
    atomic_bool give_up;            /* another rank has failed: rank 0 need not wait for its part */
    hmf_status_t written, published;    /* the thread's; valid from the phases of that name on */
    char text[HMF__CHECK_TEXT_MAX];
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static void forget_source(struct hmf__async *a)
{
    hmf__free((void *)(uintptr_t)a->source.meta);
    hmf__free(a->source.segments);
    hmf__free(a->iov);
    hmf__free((char *)(uintptr_t)a->job.dir);
    hmf__free((char *)(uintptr_t)a->job.program);
    hmf__global_free(a->global);
    memset(&a->source, 0, sizeof a->source);
    a->iov = NULL;
    a->global = NULL;
    a->job.dir = a->job.program = NULL;
}

void hmf__async_free(struct hmf__async *a)
{
    if (a == NULL)
        return;
    if (a->under_way) {
        atomic_store(&a->give_up, true);
        pthread_join(a->thread, NULL);
    }
    forget_source(a);
    hmf__io_free(a->io);
    hmf__big_free(a->memory, a->memory_bytes);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
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
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
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
    a->job = *job;
    a->job.hold = NULL;
    a->job.dir = hmf__strdup(job->dir);
    a->job.program = hmf__strdup(job->program);
    if (meta == NULL || a->iov == NULL || a->job.dir == NULL || a->job.program == NULL) {
        forget_source(a);
        return hmf__fail(HMF_ERR_NOMEM, "no memory to copy the state for a checkpoint");
    }
    memcpy(meta, from.meta, from.meta_len);
    unsigned char *to = a->memory;
    for (size_t i = 0; i < from.nsegments; i++) {
        struct hmf__segment *s = &from.segments[i];
        a->iov[i] = (struct iovec){to, (size_t)s->bytes};
        for (size_t k = 0; k < s->niov; k++) {
            memcpy(to, s->iov[k].iov_base, s->iov[k].iov_len);
            to += s->iov[k].iov_len;
        }
        s->iov = &a->iov[i];
        s->niov = 1;
    }
    return HMF_OK;

no_memory:
    hmf__free(from.segments);
    return hmf__fail(HMF_ERR_NOMEM, "no memory for a copy of the state (%" PRIu64 " bytes)", total);
}

/* ---- the thread ---- */

/* Rank 0: the seal of a rank's part as soon as it is there. */
static hmf_status_t await_part(struct hmf__async *a, int rank, struct hmf__file_seal *seal)
{
    char path[HMF__DIR_PATH_MAX];
    struct stat st;
    struct hmf__file *f;
    struct timespec pause = {0, PAUSE_MIN_NS};
    hmf_status_t rc = hmf__dir_part(a->job.dir, a->generation, true, rank, path);
    if (rc != HMF_OK)
        return rc;
    while (stat(path, &st) != 0) {
        if (errno != ENOENT)
            return hmf__fail(HMF_ERR_IO, "cannot see %s: %s", path, strerror(errno));
        if (atomic_load(&a->give_up))
            return hmf__fail(HMF_ERR_PEER, "rank %d did not finish its part of a checkpoint", rank);
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < PAUSE_MAX_NS)
            pause.tv_nsec += pause.tv_nsec / 2;
    }
    rc = hmf__file_open(path, NULL, &f);
    if (rc != HMF_OK)
        return rc;
    *seal = (struct hmf__file_seal){f->bytes, f->seal};
    if (f->generation != a->generation || f->rank != rank || f->nranks != a->job.nranks)
        rc = hmf__fail(HMF_ERR_FORMAT, "%s is not what rank %d wrote", path, rank);
    hmf__file_close(f);
    return rc;
}

static hmf_status_t publish(struct hmf__async *a, const struct hmf__file_seal *mine)
{
    struct hmf__file_seal *seals = hmf__calloc((size_t)a->job.nranks, sizeof(*seals));
    hmf_status_t rc = HMF_OK;
    if (seals == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the manifest");
    seals[0] = *mine;
    for (int i = 1; i < a->job.nranks && rc == HMF_OK; i++)
        rc = await_part(a, i, &seals[i]);
    if (rc == HMF_OK)
        rc = hmf__save_publish(&a->job, a->io, a->global, a->generation, seals);
    hmf__free(seals);
    return rc;
}

/* The part under a temporary name, which it loses when it is synced and checked. */
static hmf_status_t write_part(struct hmf__async *a, struct hmf__file_seal *seal)
{
    char path[HMF__DIR_PATH_MAX], tmp[HMF__DIR_PATH_MAX + 8];
    hmf_status_t rc = hmf__save_part(&a->job, a->io, &a->source, a->generation, ".part", seal);
    if (rc == HMF_OK)
        rc = hmf__dir_part(a->job.dir, a->generation, true, a->job.rank, path);
    if (rc != HMF_OK)
        return rc;
    snprintf(tmp, sizeof tmp, "%s.part", path);
    if (hmf__sys_rename(tmp, path) != 0)
        return hmf__fail(HMF_ERR_IO, "cannot rename %s: %s", tmp, strerror(errno));
    return HMF_OK;
}

static void enter_phase(struct hmf__async *a, int phase)
{
    pthread_mutex_lock(&a->lock);
    atomic_store(&a->phase, phase);
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

static void *write_behind(void *arg)
{
    struct hmf__async *a = arg;
    struct hmf__file_seal seal;
    hmf__sys_step_back();
    a->written = write_part(a, &seal);
    if (a->written != HMF_OK)
        snprintf(a->text, sizeof a->text, "%s", hmf_error_text());
    enter_phase(a, WRITTEN);
    if (a->written == HMF_OK && a->job.rank == 0) {
        a->published = publish(a, &seal);
        if (a->published != HMF_OK)
            snprintf(a->text, sizeof a->text, "%s", hmf_error_text());
    }
    enter_phase(a, FINISHED);
    return NULL;
}

/* ---- the calls ---- */

bool hmf__check_busy(const struct hmf__check_job *job)
{
    const struct hmf__async *a = job->hold != NULL ? job->hold->async : NULL;
    return a != NULL && a->under_way && atomic_load(&a->phase) != FINISHED;
}

static hmf_status_t own_status(const struct hmf__async *a, hmf_status_t status)
{
    return status == HMF_OK ? HMF_OK : hmf__fail(status, "%s", a->text);
}

hmf_status_t hmf__check_complete(struct hmf__check_job *job, uint64_t *generation)
{
    struct hmf__async *a = job->hold != NULL ? job->hold->async : NULL;
    *generation = 0;
    if (a == NULL || !a->under_way)
        return HMF_OK;
    pthread_mutex_lock(&a->lock);
    while (atomic_load(&a->phase) == WRITING)
        pthread_cond_wait(&a->changed, &a->lock);
    pthread_mutex_unlock(&a->lock);
    hmf_status_t rc = hmf__check_agree(job, own_status(a, a->written));
    if (rc != HMF_OK)
        atomic_store(&a->give_up, true);
    pthread_join(a->thread, NULL);
    a->under_way = false;
    if (rc == HMF_OK)
        rc = hmf__check_agree(job, own_status(a, a->published));
    if (rc == HMF_OK)
        *generation = a->generation;
    if (job->rank == 0 && rc == HMF_OK)
        hmf__save_remove_old(job, a->generation);
    else if (job->rank == 0)
        hmf__save_discard(job, a->generation);
    return rc;
}

hmf_status_t hmf__check_begin(struct hmf__check_job *job, const hmf_image_t *image, uint64_t *out)
{
    size_t limit;
    uint64_t generation, previous;
    struct hmf__async *a = NULL;
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
    rc = hmf__save_begin(job, HMF_OK, &generation);
    if (rc != HMF_OK)
        return rc;
    a = async_of(job);
    if (a == NULL)
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to write in the background");
    if (rc == HMF_OK && a->io == NULL)
        rc = hmf__io_new(&a->io);
    if (rc == HMF_OK)
        rc = copy_image(a, job, image);
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK)
        rc = hmf__global_make(job, image, &a->global);
    if (rc != HMF_OK)
        goto discard;
    a->generation = generation;
    a->written = a->published = HMF_OK;
    a->text[0] = '\0';
    atomic_store(&a->phase, WRITING);
    atomic_store(&a->give_up, false);
    int err = hmf__sys_thread(&a->thread, write_behind, a);
    a->under_way = err == 0;
    if (err != 0)
        rc = hmf__fail(HMF_ERR_NOMEM, "cannot start a thread: %s", strerror(err));
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK) {
        *out = generation;
        return HMF_OK;
    }
    if (a->under_way) {
        atomic_store(&a->give_up, true);
        pthread_join(a->thread, NULL);
        a->under_way = false;
    }
    rc = hmf__check_agree(job, rc);     /* nobody writes any more: rank 0 may remove it all */

discard:
    if (job->rank == 0)
        hmf__save_discard(job, generation);
    return rc;
}
