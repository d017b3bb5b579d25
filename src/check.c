/*
 * Checkpoints of a whole job: what writing (check_save.c, check_async.c) and reading (check_load.c)
 * have in common; see check.h.
 */
#include "config.h"

#include "check.h"

#include "base.h"
#include "check_dir.h"
#include "check_file.h"
#include "check_flush.h"
#include "check_local.h"
#include "check_priv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

hmf_status_t hmf__check_open(struct hmf__check_job *job)
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
    hmf__async_free(job->hold->async);
    hmf__flush_free(job->hold->flush);
    hmf__local_free(job->hold->local);
    if (job->hold->lock >= 0)
        close(job->hold->lock);
    hmf__io_free(job->hold->io);
    hmf__blocks_free(job->hold->blocks);
    hmf__free(job->hold->damaged);
    hmf__free(job->hold);
    job->hold = NULL;
}

bool hmf__check_is_damaged(const struct hmf__check_job *job, uint64_t generation)
{
    for (size_t i = 0; i < job->hold->ndamaged; i++) {
        if (job->hold->damaged[i] == generation)
            return true;
    }
    return false;
}

void hmf__check_note_damaged(struct hmf__check_job *job, uint64_t generation)
{
    struct hmf__check_hold *h = job->hold;
    if (hmf__check_is_damaged(job, generation))
        return;
    uint64_t *p = hmf__realloc(h->damaged, (h->ndamaged + 1) * sizeof(*p));
    if (p == NULL)
        return;                         /* then it counts among those to keep: nothing is lost */
    h->damaged = p;
    h->damaged[h->ndamaged++] = generation;
}

hmf_status_t hmf__check_agree(struct hmf__check_job *job, hmf_status_t mine)
{
    char text[HMF__CHECK_TEXT_MAX] = "";
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

hmf_status_t hmf__check_arguments(const struct hmf__check_job *job)
{
    if (job->dir == NULL || job->dir[0] == '\0' || job->program == NULL)
        return hmf__fail(HMF_ERR_ARG, "a checkpoint needs a directory and the program's name");
    if (strlen(job->program) > HMF__FILE_PROGRAM_MAX)
        return hmf__fail(HMF_ERR_LIMIT, "the program's name has more than %d bytes",
                         HMF__FILE_PROGRAM_MAX);
    if (job->rank < 0 || job->rank >= job->nranks || job->keep < 1)
        return hmf__fail(HMF_ERR_ARG, "rank %d of %d, %d generations to keep: out of range",
                         job->rank,
                         job->nranks, job->keep);
    return HMF_OK;
}

hmf_status_t hmf__check_take_lock(struct hmf__check_job *job)
{
    if (job->hold->lock >= 0)
        return HMF_OK;
    return hmf__dir_lock(job->dir, job->job_id, &job->hold->lock);
}

void hmf__check_settle(struct hmf__check_job *job)
{
    hmf__flush_attend(job, true);
}

/* Rank 0: the marker. What lies in the nodes' directories is of no use any more. *levels: there may
   be something. */
static hmf_status_t mark_finished(struct hmf__check_job *job, bool *levels)
{
    struct hmf__dir_list list;
    uint64_t newest;
    hmf_status_t rc = hmf__dir_list(job->dir, &list);
    *levels = false;
    if (rc != HMF_OK)
        return rc == HMF_ERR_NOTFOUND ? HMF_OK : rc;    /* no checkpoint was ever written */
    newest = hmf__dir_newest(&list);
    if (newest != 0)
        rc = hmf__dir_set_finished(job->dir, newest);
    for (size_t i = 0; i < list.nlocals && rc == HMF_OK; i++)
        rc = hmf__dir_remove(job->dir, list.locals[i], HMF__DIR_LOCAL);
    *levels = job->levels != NULL && job->levels->root != NULL;
    hmf__dir_list_fini(&list);
    return rc;
}

hmf_status_t hmf__check_finished(struct hmf__check_job *job)
{
    bool levels = false;
    hmf_status_t rc = hmf__check_arguments(job);
    if (rc == HMF_OK)
        rc = hmf__check_open(job);
    if (rc == HMF_OK && job->rank == 0)
        rc = mark_finished(job, &levels);
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK)
        rc = job->bcast(job->ctx, &levels, sizeof levels);
    if (rc == HMF_OK && levels)
        rc = hmf__local_open(job, &job->hold->local);
    if (rc == HMF_OK && levels && job->hold->local->mine == 0) {
        rc = hmf__local_sweep(job->hold->local, NULL, 0);
        rmdir(job->hold->local->dir);
    }
    return hmf__check_agree(job, rc);
}
