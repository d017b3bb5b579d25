/*
 * Finding and restoring checkpoints of a whole job, collectively; see check.h.
 */
#include "config.h"

#include "check.h"

#include "base.h"
#include "check_dir.h"
#include "check_local.h"
#include "check_locate.h"
#include "check_manifest.h"
#include "check_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_MAX HMF__CHECK_TEXT_MAX

/* ---- finding ---- */

/* form: whose parts are in HMF_DIR (0), or in the nodes' directories (HMF__DIR_LOCAL). */
static hmf_status_t read_manifest(struct hmf__check_job *job, uint64_t generation, unsigned form,
                                  struct hmf__manifest **out)
{
    char path[HMF__DIR_PATH_MAX];
    hmf_status_t rc = hmf__dir_name(job->dir, generation, form, path);
    if (rc == HMF_OK)
        rc = hmf__manifest_read(path, out);
    if (rc != HMF_OK)
        return rc;
    struct hmf__manifest *m = *out;
    if (m->generation != generation)
        rc = hmf__fail(HMF_ERR_FORMAT, "%s holds generation %" PRIu64 ": it was renamed", path,
                       m->generation);
    else if (strcmp(m->program, job->program) != 0)
        rc = hmf__fail(HMF_ERR_MISMATCH, "%s was written by the program %s, this is %s: set "
                       "HMF_DIR to another directory, or HMF_RESTART=never to start afresh",
                       path, m->program, job->program);
    else if (m->nranks != job->nranks && m->global.bytes == 0)
        rc = hmf__fail(HMF_ERR_MISMATCH, "%s was written by %d ranks, this job has %d: start it "
                       "with %d ranks, or set HMF_RESTART=never to start afresh (a program that "
                       "calls hmf_partition can go on with any number)", path, m->nranks,
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
    return rc == HMF_ERR_FORMAT || rc == HMF_ERR_VERSION || rc == HMF_ERR_CHECKSUM
        || rc == HMF_ERR_IO || rc == HMF_ERR_NOTFOUND;
}

/* Of either kind: one is enough. */
static hmf_status_t look_at(struct hmf__check_job *job, uint64_t generation)
{
    struct hmf__manifest *m;
    hmf_status_t local = read_manifest(job, generation, HMF__DIR_LOCAL, &m), rc;
    char text[TEXT_MAX];
    if (local == HMF_OK) {
        hmf__manifest_free(m);
        return HMF_OK;
    }
    snprintf(text, sizeof text, "%.1000s", hmf_error_text());
    rc = read_manifest(job, generation, 0, &m);
    if (rc == HMF_OK)
        hmf__manifest_free(m);
    else if (rc == HMF_ERR_NOTFOUND && local != HMF_ERR_NOTFOUND)
        rc = hmf__fail(local, "%s", text);
    return rc;
}

/* The newest number below the bound of either kind; 0: none. */
static uint64_t next_below(const struct hmf__dir_list *list, uint64_t bound)
{
    uint64_t g = 0;
    for (size_t i = list->ngenerations; i-- > 0 && list->generations[i] < bound;)
        g = list->generations[i];
    for (size_t i = list->nlocals; i-- > 0 && list->locals[i] < bound;)
        g = list->locals[i] > g ? list->locals[i] : g;
    return g;
}

/* Rank 0: the newest generation below that bound whose manifest is intact. */
static hmf_status_t find_below(struct hmf__check_job *job, uint64_t bound, uint64_t *generation)
{
    struct hmf__dir_list list;
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
    for (uint64_t g = bound; (g = next_below(&list, g)) != 0;) {
        if (there && g <= finished) {
            rc = hmf__fail(HMF_ERR_NOTFOUND, "the job of %s has finished", job->dir);
            break;
        }
        rc = look_at(job, g);
        if (rc == HMF_OK) {
            *generation = g;
            break;
        }
        if (!is_damage(rc))
            break;
        hmf__log(HMF__LOG_WARN, "checkpoint generation %" PRIu64 " cannot be used: %s", g,
                 hmf_error_text());
        hmf__check_note_damaged(job, g);
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

/* There is no generation `wanted`: says which there are, unless it is just its manifest that is
 * missing, as the present text says. */
static hmf_status_t missing(const struct hmf__check_job *job, uint64_t wanted)
{
    struct hmf__dir_list list;
    char text[400] = "", before[TEXT_MAX];
    size_t len = 0;
    bool there = false;
    snprintf(before, sizeof before, "%.900s", hmf_error_text());
    if (hmf__dir_list(job->dir, &list) != HMF_OK)
        return HMF_ERR_NOTFOUND;
    int n = 0;
    for (uint64_t g = UINT64_MAX; (g = next_below(&list, g)) != 0; n++) {
        there |= g == wanted;
        if (len < sizeof text - 32)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%" PRIu64,
                                    n != 0 ? ", " : "", g);
    }
    if (there)
        hmf__fail(HMF_ERR_NOTFOUND, "%s", before);
    else
        hmf__fail(HMF_ERR_NOTFOUND, "there is no generation %" PRIu64 " in %s; there %s %s%s",
                  wanted, job->dir, n == 1 ? "is" : "are", n != 0 ? text : "none",
                  len >= sizeof text - 32 ? ", ..." : "");
    hmf__dir_list_fini(&list);
    return HMF_ERR_NOTFOUND;
}

static hmf_status_t find_agreed(struct hmf__check_job *job, long wanted, uint64_t bound,
                                uint64_t *out)
{
    uint64_t generation = 0;
    hmf_status_t rc = hmf__check_arguments(job);
    if (rc == HMF_OK)
        rc = hmf__check_open(job);
    if (rc == HMF_OK && job->rank == 0) {
        struct stat st;
        if (stat(job->dir, &st) != 0 && errno == ENOENT)
            rc = hmf__fail(HMF_ERR_NOTFOUND, "there is no checkpoint directory %s", job->dir);
        else
            rc = hmf__check_take_lock(job);
        if (rc == HMF_OK && wanted < 0) {
            rc = find_below(job, bound, &generation);
        } else if (rc == HMF_OK) {
            generation = (uint64_t)wanted;
            rc = look_at(job, generation);
            if (rc == HMF_ERR_NOTFOUND)
                rc = missing(job, generation);
        }
    }
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK)
        rc = job->bcast(job->ctx, &generation, sizeof generation);
    if (rc == HMF_OK)
        *out = generation;
    return rc;
}

hmf_status_t hmf__check_find(struct hmf__check_job *job, long wanted, uint64_t *generation)
{
    return find_agreed(job, wanted, UINT64_MAX, generation);
}

/* ---- reading ---- */

/* What the manifest says of the files; free seals->parts, and *manifest, which rank 0 has. */
static hmf_status_t share_seals(struct hmf__check_job *job, uint64_t generation, unsigned form,
                                struct hmf__check_seals *seals, struct hmf__manifest **manifest)
{
    struct hmf__manifest *m = NULL;
    hmf_status_t rc = HMF_OK;
    memset(seals, 0, sizeof(*seals));
    if (job->rank == 0)
        rc = read_manifest(job, generation, form, &m);
    *manifest = m;
    rc = hmf__check_agree(job, rc);
    if (rc != HMF_OK)
        return rc;
    if (m != NULL) {
        seals->generation = generation;
        seals->nranks = m->nranks;
        seals->global = m->global;
        seals->local = form == HMF__DIR_LOCAL;
    }
    rc = job->bcast(job->ctx, seals, sizeof(*seals));
    if (rc != HMF_OK)
        return rc;
    seals->parts = hmf__calloc((size_t)seals->nranks, sizeof(*seals->parts));
    if (seals->parts == NULL)
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory for the manifest");
    rc = hmf__check_agree(job, rc);
    if (rc != HMF_OK)
        return rc;
    if (m != NULL)
        memcpy(seals->parts, m->seals, (size_t)seals->nranks * sizeof(*seals->parts));
    return job->bcast(job->ctx, seals->parts, (size_t)seals->nranks * sizeof(*seals->parts));
}

hmf_status_t hmf__check_open_part(const struct hmf__check_job *job,
                                  const struct hmf__check_seals *seals, int rank,
                                  struct hmf__file **out)
{
    char path[HMF__DIR_PATH_MAX];
    struct hmf__file *f = NULL;
    hmf_status_t rc = hmf__dir_part(job->dir, seals->generation, false, rank, path);
    if (rc == HMF_OK)
        rc = hmf__file_open(path, &seals->parts[rank], &f);
    if (rc != HMF_OK)
        return rc;
    if (f->generation != seals->generation || f->rank != rank || f->nranks != seals->nranks
        || strcmp(f->program, job->program) != 0) {
        rc = hmf__fail(HMF_ERR_FORMAT, "%s is the part of rank %d of %d in generation %" PRIu64
                       " of %s: it was put there by mistake", path, f->rank, f->nranks,
                       f->generation, f->program);
        hmf__file_close(f);
        return rc;
    }
    *out = f;
    return HMF_OK;
}

/* This rank's own part, on as many ranks as wrote it. */
static hmf_status_t read_own(struct hmf__check_job *job, const struct hmf__check_seals *seals,
                             const struct hmf__manifest *manifest, hmf_state_t *state)
{
    struct hmf__file *f = NULL;
    hmf_restore_t *restore = NULL;
    hmf_status_t rc;
    if (seals->local) {
        rc = hmf__locate_own(job, seals, manifest, &f);
    } else {
        rc = hmf__check_open_part(job, seals, job->rank, &f);
        if (rc == HMF_OK)
            rc = hmf__file_verify(f);
        rc = hmf__check_agree(job, rc);
    }
    if (rc != HMF_OK)
        goto close_file;
    rc = hmf_restore_begin(state, f->meta, f->meta_len, &restore);
    if (rc != HMF_OK)
        hmf__fail_prefix(rc, "%s", f->path);
    rc = hmf__check_agree(job, rc);
    if (rc != HMF_OK)
        goto abort_restore;
    rc = hmf__check_agree(job, hmf__file_restore(f, restore));
    if (rc != HMF_OK)
        goto abort_restore;
    rc = hmf__check_agree(job, hmf_restore_finish(restore));
    restore = NULL;

abort_restore:
    hmf_restore_abort(restore);
close_file:
    hmf__file_close(f);
    return rc;
}

static hmf_status_t read_form(struct hmf__check_job *job, uint64_t generation, unsigned form,
                              hmf_state_t *state)
{
    struct hmf__check_seals seals;
    struct hmf__manifest *manifest;
    bool other = false;
    hmf_status_t rc = share_seals(job, generation, form, &seals, &manifest);
    if (rc == HMF_OK)
        rc = hmf__check_reshape(job, &seals, manifest, state, &other);
    if (rc == HMF_OK && !other)
        rc = read_own(job, &seals, manifest, state);
    hmf__manifest_free(manifest);
    hmf__free(seals.parts);
    return rc;
}

hmf_status_t hmf__check_read(struct hmf__check_job *job, uint64_t generation, hmf_state_t *state)
{
    char path[HMF__DIR_PATH_MAX];
    struct stat st;
    bool there[2] = {false, true};      /* in the nodes' directories, in HMF_DIR */
    hmf_status_t rc = hmf__check_arguments(job);
    if (rc == HMF_OK)
        rc = hmf__check_open(job);
    rc = hmf__check_agree(job, rc);
    if (rc != HMF_OK)
        return rc;
    if (job->rank == 0) {
        there[0] = hmf__dir_name(job->dir, generation, HMF__DIR_LOCAL, path) == HMF_OK
            && stat(path, &st) == 0;
        there[1] = !there[0] || (hmf__dir_name(job->dir, generation, 0, path) == HMF_OK
                                 && stat(path, &st) == 0);
    }
    rc = job->bcast(job->ctx, there, sizeof there);
    if (rc == HMF_OK && there[0]) {
        rc = read_form(job, generation, HMF__DIR_LOCAL, state);
        if (!is_damage(rc) || !there[1])
            return rc;
        if (job->rank == 0)
            hmf__log(HMF__LOG_WARN, "checkpoint generation %" PRIu64 " is read from %s, not from "
                     "the nodes' directories: %s", generation, job->dir, hmf_error_text());
        rc = HMF_OK;
    }
    return rc == HMF_OK ? read_form(job, generation, 0, state) : rc;
}

hmf_status_t hmf__check_load(struct hmf__check_job *job, long wanted, hmf_state_t *state,
                             uint64_t *out)
{
    uint64_t generation, bound = UINT64_MAX;
    hmf_status_t damage = HMF_OK;
    char text[TEXT_MAX] = "";
    for (;;) {
        hmf_status_t rc = find_agreed(job, wanted, bound, &generation);
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
            hmf__log(HMF__LOG_WARN, "checkpoint generation %" PRIu64 " cannot be used: %s",
                     generation,
                     hmf_error_text());
            hmf__check_note_damaged(job, generation);
        }
        if (damage == HMF_OK) {
            damage = rc;
            snprintf(text, sizeof text, "%.900s", hmf_error_text());
        }
        bound = generation;
    }
}
