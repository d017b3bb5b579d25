/*
 * Making and opening global.h5; see check_global.h.
 */
#include "config.h"

#include "check_global.h"

#include "base.h"
#include "buf.h"
#include "check_priv.h"
#include "check_skel.h"
#include "typemap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct hmf__global {
    unsigned char *memory;              /* of all segments, one after the other */
    size_t memory_bytes;
    struct hmf__file_source source;
    struct iovec *iov;                  /* one per segment */
    struct hmf__index *index;
    hmf_meta_t *meta;                   /* of rank 0's image: the types of the arrays */
};

static hmf_status_t no_memory(void)
{
    return hmf__fail(HMF_ERR_NOMEM, "no memory for the global arrays of a checkpoint");
}

void hmf__global_free(struct hmf__global *g)
{
    if (g == NULL)
        return;
    hmf__free((void *)(uintptr_t)g->source.meta);
    hmf__free(g->source.segments);
    hmf__free(g->iov);
    hmf__big_free(g->memory, g->memory_bytes);
    hmf__index_free(g->index);
    hmf_meta_free(g->meta);
    hmf__free(g);
}

/* ---- making ---- */

/* A copy that outlives the image. */
static hmf_status_t copy_image(const hmf_image_t *image, struct hmf__global *g)
{
    hmf_status_t rc = hmf__save_source(image, &g->source);
    const void *meta = g->source.meta;  /* the image's */
    g->source.meta = NULL;
    if (rc != HMF_OK)
        return rc;
    uint64_t total = 0;
    for (size_t i = 0; i < g->source.nsegments; i++)
        total += g->source.segments[i].bytes;
    g->source.meta = hmf__malloc(g->source.meta_len);
    g->iov = hmf__calloc(g->source.nsegments + 1, sizeof(*g->iov));
    g->memory = total <= SIZE_MAX / 2 ? hmf__big_alloc((size_t)total + 1) : NULL;
    if (g->memory != NULL)
        g->memory_bytes = (size_t)total + 1;
    if (g->source.meta == NULL || g->iov == NULL || g->memory == NULL)
        return no_memory();
    memcpy((void *)(uintptr_t)g->source.meta, meta, g->source.meta_len);
    unsigned char *to = g->memory;
    for (size_t i = 0; i < g->source.nsegments; i++) {
        struct hmf__segment *s = &g->source.segments[i];
        g->iov[i] = (struct iovec){to, (size_t)s->bytes};
        for (size_t k = 0; k < s->niov; k++) {
            memcpy(to, s->iov[k].iov_base, s->iov[k].iov_len);
            to += s->iov[k].iov_len;
        }
        s->iov = &g->iov[i];
        s->niov = 1;
    }
    return HMF_OK;
}

static hmf_status_t capture(hmf_state_t *state, void *ctx)
{
    hmf_image_t *image = NULL;
    hmf_status_t rc = hmf__image_capture_beside(state, &image);
    if (rc != HMF_OK)
        return rc;
    rc = copy_image(image, ctx);
    hmf_image_free(image);
    return rc;
}

/* The variables that are equal, and the index as one more. */
static hmf_status_t capture_equal(hmf_state_t *state, void *index, size_t len,
                                  struct hmf__global *g)
{
    static const int bytes[] = {typeUCHAR};
    hmf_status_t rc = hmf_state_add(state, HMF__INDEX_NAME, index, len, bytes, 1, NULL);
    if (rc != HMF_OK)
        return rc;
    size_t n = hmf_state_count(state);
    bool *keep = hmf__calloc(n, sizeof(*keep));
    if (keep == NULL)
        rc = no_memory();
    for (size_t i = 0; i < n && rc == HMF_OK; i++) {
        const struct hmf__parts *parts = hmf__parts_of(state, i);
        keep[i] = i == n - 1 || (parts != NULL && parts->share == HMF__SHARE_EQUAL);
    }
    if (rc == HMF_OK)
        rc = hmf__parts_with(state, keep, capture, g);
    hmf__free(keep);
    hmf_state_remove_name(state, HMF__INDEX_NAME);
    return rc;
}

/* Rank 0: descriptions of equal room each, of lens[i] bytes, become the index. */
static hmf_status_t assemble(struct hmf__check_job *job, const hmf_image_t *image,
                             const unsigned char *all, uint64_t room, const uint64_t *lens,
                             struct hmf__global **out)
{
    struct hmf__buf b = HMF__BUF_INIT;
    struct hmf__global *g = hmf__calloc(1, sizeof(*g));
    size_t meta_len;
    const void *meta = hmf_image_meta(image, &meta_len);
    hmf__buf_init(&b);
    for (int i = 0; i < job->nranks; i++) {
        hmf__buf_put_u64(&b, lens[i]);
        hmf__buf_put_bytes(&b, all + (size_t)i * (size_t)room, (size_t)lens[i]);
    }
    hmf_status_t rc = g == NULL || b.status != HMF_OK ? no_memory() : HMF_OK;
    if (rc == HMF_OK)
        rc = hmf__index_parse(b.data, b.len, job->nranks, &g->index);
    if (rc == HMF_OK)
        rc = hmf_meta_parse(meta, meta_len, &g->meta);
    if (rc == HMF_OK)
        rc = capture_equal(hmf__image_state(image), b.data, b.len, g);
    hmf__buf_fini(&b);
    if (rc == HMF_OK)
        *out = g;
    else
        hmf__global_free(g);
    return rc;
}

hmf_status_t hmf__global_make(struct hmf__check_job *job, const hmf_image_t *image,
                              struct hmf__global **out)
{
    struct hmf__buf mine = HMF__BUF_INIT;
    uint64_t len, room = 0, *lens = NULL;
    unsigned char *padded = NULL, *all = NULL;
    *out = NULL;
    hmf__buf_init(&mine);
    hmf_status_t rc = hmf__index_describe(image, &mine);
    len = mine.len;
    if (rc == HMF_OK && job->rank == 0) {
        lens = hmf__calloc((size_t)job->nranks, sizeof(*lens));
        if (lens == NULL)
            rc = no_memory();
    }
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK)
        rc = job->gather(job->ctx, &len, sizeof len, lens);
    for (int i = 0; i < job->nranks && rc == HMF_OK && lens != NULL; i++)
        room = lens[i] > room ? lens[i] : room;
    if (rc == HMF_OK)
        rc = job->bcast(job->ctx, &room, sizeof room);
    if (rc != HMF_OK || room == 0)
        goto free_all;
    size_t total = 0;
    padded = room <= INT32_MAX ? hmf__calloc(1, (size_t)room) : NULL;
    if (padded == NULL || hmf__mul_overflow((size_t)room, (size_t)job->nranks, &total)
        || (job->rank == 0 && (all = hmf__malloc(total)) == NULL))
        rc = no_memory();
    rc = hmf__check_agree(job, rc);
    if (rc != HMF_OK)
        goto free_all;
    memcpy(padded, mine.data, mine.len);
    rc = job->gather(job->ctx, padded, (size_t)room, all);
    if (rc == HMF_OK && job->rank == 0)
        rc = assemble(job, image, all, room, lens, out);
    rc = hmf__check_agree(job, rc);

free_all:
    if (rc != HMF_OK) {
        hmf__global_free(*out);
        *out = NULL;
    }
    hmf__free(lens);
    hmf__free(padded);
    hmf__free(all);
    hmf__buf_fini(&mine);
    return rc;
}

hmf_status_t hmf__global_write(struct hmf__global *g, const struct hmf__check_job *job,
                               struct hmf__io *io, const char *dir, uint64_t generation,
                               struct hmf__file_seal *seal)
{
    char path[HMF__CHECK_TEXT_MAX * 4];
    struct hmf__file *f;
    struct hmf__file_label label = {
        .program = job->program, .generation = generation, .rank = job->nranks,
        .nranks = job->nranks, .index = g->index, .meta = g->meta
    };
    if (snprintf(path, sizeof path, "%s/" HMF__GLOBAL_NAME, dir) >= (int)sizeof path)
        return hmf__fail(HMF_ERR_LIMIT, "the path %.64s... is too long", dir);
    hmf_status_t rc = hmf__file_write(io, path, &label, &g->source, seal);
    if (rc == HMF_OK)
        rc = hmf__file_open(path, seal, &f);
    if (rc == HMF_OK)
        hmf__file_close(f);
    return rc;
}

/* ---- opening ---- */

static hmf_status_t read_index(struct hmf__file *f, int nranks, struct hmf__index **out,
                               size_t *index_bytes)
{
    hmf_meta_t *meta = NULL;
    const struct hmf__root_info *root = NULL;
    hmf_status_t rc = hmf_meta_parse(f->meta, f->meta_len, &meta);
    if (rc != HMF_OK)
        return rc;
    uint32_t segment = UINT32_MAX;
    for (size_t i = 0; i < hmf_meta_nroots(meta) && root == NULL; i++) {
        if (strcmp(hmf_meta_root(meta, i)->name, HMF__INDEX_NAME) == 0)
            root = hmf_meta_root(meta, i);
    }
    for (size_t i = 0; i < hmf_meta_nsegments(meta) && root != NULL; i++) {
        const struct hmf__segment_info *s = hmf_meta_segment(meta, i);
        if (s->table == root->table && s->kind == HMF__SEG_DATA)
            segment = (uint32_t)i;
    }
    unsigned char *bytes = NULL;
    if (root == NULL || root->inside || segment == UINT32_MAX || root->nrows > f->bytes
        || hmf_meta_types(meta)->v[hmf_meta_table(meta, root->table)->type].size != 1) {
        rc = hmf__fail(HMF_ERR_FORMAT, "%s has no index of the global arrays", f->path);
    } else if ((bytes = hmf__malloc((size_t)root->nrows)) == NULL) {
        rc = no_memory();
    } else {
        *index_bytes = (size_t)root->nrows;
        rc = hmf__file_read_range(f, segment, root->row, root->nrows, bytes);
        if (rc == HMF_OK && (rc = hmf__index_parse(bytes, *index_bytes, nranks, out)) != HMF_OK)
            hmf__fail_prefix(rc, "%s", f->path);
    }
    hmf__free(bytes);
    hmf_meta_free(meta);
    return rc;
}

hmf_status_t hmf__global_open(const char *dir, const struct hmf__file_seal *seal, int nranks,
                              struct hmf__file **out, struct hmf__index **index,
                              size_t *index_bytes)
{
    char path[HMF__CHECK_TEXT_MAX * 4];
    struct hmf__file *f;
    if (snprintf(path, sizeof path, "%s/" HMF__GLOBAL_NAME, dir) >= (int)sizeof path)
        return hmf__fail(HMF_ERR_LIMIT, "the path %.64s... is too long", dir);
    hmf_status_t rc = hmf__file_open(path, seal, &f);
    if (rc != HMF_OK)
        return rc;
    rc = hmf__file_verify(f);
    if (rc == HMF_OK)
        rc = read_index(f, nranks, index, index_bytes);
    if (rc == HMF_OK)
        *out = f;
    else
        hmf__file_close(f);
    return rc;
}
