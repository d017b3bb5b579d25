/*
 * Threads of all ranks that make a generation together; see check_behind.h.
 */
#include "config.h"

#include "check_behind.h"

#include "base.h"
#include "check_sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PAUSE_MIN_NS 1000000
#define PAUSE_MAX_NS 50000000

enum { PART, WHOLE, FINISHED };         /* phases */

void hmf__behind_init(struct hmf__behind *b)
{
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
}

void hmf__behind_fini(struct hmf__behind *b)
{
    hmf__behind_stop(b);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
}

static void enter_phase(struct hmf__behind *b, int phase)
{
    pthread_mutex_lock(&b->lock);
    atomic_store(&b->phase, phase);
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static void *run(void *arg)
{
    struct hmf__behind *b = arg;
    hmf__sys_step_back();
    b->part_status = b->part(b->ctx);
    if (b->part_status != HMF_OK)
        snprintf(b->text, sizeof b->text, "%s", hmf_error_text());
    enter_phase(b, WHOLE);
    if (b->part_status == HMF_OK && b->rank == 0) {
        b->whole_status = b->whole(b->ctx);
        if (b->whole_status != HMF_OK)
            snprintf(b->text, sizeof b->text, "%s", hmf_error_text());
    }
    enter_phase(b, FINISHED);
    return NULL;
}

hmf_status_t hmf__behind_start(struct hmf__behind *b)
{
    b->part_status = b->whole_status = HMF_OK;
    b->text[0] = '\0';
    atomic_store(&b->phase, PART);
    atomic_store(&b->give_up, false);
    int err = hmf__sys_thread(&b->thread, run, b);
    b->under_way = err == 0;
    return err == 0 ? HMF_OK : hmf__fail(HMF_ERR_NOMEM, "cannot start a thread: %s", strerror(err));
}

void hmf__behind_stop(struct hmf__behind *b)
{
    if (!b->under_way)
        return;
    atomic_store(&b->give_up, true);
    pthread_join(b->thread, NULL);
    b->under_way = false;
}

int hmf__behind_look(const struct hmf__behind *b)
{
    int phase = b->under_way ? atomic_load(&b->phase) : FINISHED;
    if (phase >= WHOLE && b->part_status != HMF_OK)
        return HMF__BEHIND_FAILED;
    return phase == FINISHED ? HMF__BEHIND_DONE : HMF__BEHIND_BUSY;
}

static hmf_status_t own_status(const struct hmf__behind *b, hmf_status_t status)
{
    return status == HMF_OK ? HMF_OK : hmf__fail(status, "%s", b->text);
}

hmf_status_t hmf__behind_complete(struct hmf__behind *b, struct hmf__check_job *job)
{
    if (!b->under_way)
        return HMF_OK;
    pthread_mutex_lock(&b->lock);
    while (atomic_load(&b->phase) == PART)
        pthread_cond_wait(&b->changed, &b->lock);
    pthread_mutex_unlock(&b->lock);
    hmf_status_t rc = hmf__check_agree(job, own_status(b, b->part_status));
    if (rc != HMF_OK)
        atomic_store(&b->give_up, true);
    pthread_join(b->thread, NULL);
    b->under_way = false;
    return rc == HMF_OK ? hmf__check_agree(job, own_status(b, b->whole_status)) : rc;
}

hmf_status_t hmf__behind_await(struct hmf__behind *b, const char *path, int rank)
{
    struct stat st;
    struct timespec pause = {0, PAUSE_MIN_NS};
    while (stat(path, &st) != 0) {
        if (errno != ENOENT)
            return hmf__fail(HMF_ERR_IO, "cannot see %s: %s", path, strerror(errno));
        if (atomic_load(&b->give_up))
            return hmf__fail(HMF_ERR_PEER, "rank %d did not finish its part of a checkpoint", rank);
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < PAUSE_MAX_NS)
            pause.tv_nsec += pause.tv_nsec / 2;
    }
    return HMF_OK;
}
