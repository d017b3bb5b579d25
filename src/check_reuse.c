/*
 * Choosing what an incremental checkpoint is made of; see check_reuse.h.
 */
#include "config.h"

#include "check_reuse.h"

#include "base.h"
#include "check_manifest.h"
#include "check_priv.h"
#include "check_sys.h"

#include <stdio.h>
#include <unistd.h>

/* The newest generation that is complete, and the one behind the `keep` newest of them. */
static void find_older(const struct hmf__check_job *job, const struct hmf__dir_list *list,
                       uint64_t *newest, uint64_t *surplus)
{
    char path[HMF__DIR_PATH_MAX];
    int complete = 0;
    *newest = *surplus = 0;
    for (size_t i = 0; i < list->ngenerations && complete <= job->keep; i++) {
        struct hmf__manifest *m;
        uint64_t g = list->generations[i];
        if (hmf__check_is_damaged(job, g) || hmf__dir_generation(job->dir, g, false, path) != HMF_OK
            || hmf__manifest_read(path, &m) != HMF_OK)
            continue;
        if (complete++ == 0)
            *newest = g;
        /* of as many ranks, so no file is left that nobody overwrites */
        *surplus = complete > job->keep && m->nranks == job->nranks ? g : 0;
        hmf__manifest_free(m);
    }
}

void hmf__reuse_choose(struct hmf__check_job *job, const struct hmf__dir_list *list, uint64_t next,
                       struct hmf__reuse *out)
{
    struct hmf__check_hold *h = job->hold;
    uint64_t newest, surplus;
    long on = 0;
    *out = (struct hmf__reuse){0};
    if (hmf__param_int("HMF_INCREMENTAL", 0, 1, 0, &on) != HMF_OK)
        hmf__log(HMF__LOG_WARN, "%s: checkpoints write everything", hmf_error_text());
    if (on == 0)
        return;
    if (!hmf__blocks_can()) {
        hmf__log(HMF__LOG_WARN, "HMF_INCREMENTAL: this library was built without libxxhash: "
                 "checkpoints write everything");
        return;
    }
    out->on = true;
    if (h->clones == HMF__CLONE_UNKNOWN)
        h->clones = hmf__dir_clones(job->dir) ? HMF__CLONE_YES : HMF__CLONE_NO;
    find_older(job, list, &newest, &surplus);
    if (h->clones == HMF__CLONE_YES)
        out->clone = newest;
    else if (surplus != 0 && hmf__dir_recycle(job->dir, surplus, next) == HMF_OK)
        out->recycled = surplus;
    else if (surplus != 0 && hmf__dir_remove(job->dir, next, HMF__DIR_TMP) != HMF_OK)
        hmf__log(HMF__LOG_INFO, "%s", hmf_error_text());
}

int hmf__reuse_surplus(const struct hmf__check_job *job)
{
    return job->hold->clones == HMF__CLONE_NO;
}

/* It may not be there, or not be seen yet by this node: then nothing is reused. */
void hmf__reuse_step_aside(const struct hmf__check_job *job, uint64_t next,
                           const struct hmf__reuse *reuse, const char *suffix)
{
    char path[HMF__DIR_PATH_MAX], aside[HMF__DIR_PATH_MAX + 16];
    if (reuse->recycled == 0 || suffix[0] == '\0'
        || hmf__dir_part(job->dir, next, true, job->rank, path) != HMF_OK)
        return;
    snprintf(aside, sizeof aside, "%s%s", path, suffix);
    if (hmf__sys_rename(path, aside) != 0)
        unlink(path);
}

bool hmf__reuse_find(const struct hmf__check_job *job, const struct hmf__reuse *reuse,
                     const struct hmf__blocks *known, const char *path, char *clone,
                     struct hmf__io_reuse *out)
{
    uint64_t from = reuse->recycled != 0 ? reuse->recycled : reuse->clone;
    struct hmf__file *f;
    out->old = hmf__blocks_find(known, from);
    out->clone = reuse->recycled != 0 ? NULL : clone;
    if (from == 0 || out->old == NULL
        || (out->clone != NULL
            && hmf__dir_part(job->dir, from, false, job->rank, clone) != HMF_OK))
        return false;
    struct hmf__file_seal seal = {out->old->bytes, out->old->seal};
    if (hmf__file_open(out->clone != NULL ? clone : path, &seal, &f) != HMF_OK)
        return false;
    bool same = f->generation == from;
    hmf__file_close(f);
    return same;
}
