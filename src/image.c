/* Capture: from the walk's candidates to tables, ids and segments.
 *
 * Large blocks of plain data are sent from where they lie.  Small ones are gathered table by table.
 * So are those that hold pointers, which are set to zero, as is all that is no value: by the walk,
 * as it reads them, or here.  Of plain data the carriers do that, which copy them anyway or can.
 */
#include "config.h"

#include "image.h"

#include "base.h"
#include "handle.h"
#include "meta.h"
#include "padding.h"
#include "statepriv.h"
#include "walk.h"

#include <string.h>

enum { DIRECT_BYTES = 64 << 10, AHEAD = 8, NO_TABLE = UINT32_MAX };

struct table {
    struct hmf__meta_table meta;
    uint64_t first_block, next_block, next_row;
    bool special;        /* elements hold pointers or the like: always gathered */
    size_t staged_bytes; /* size of staging ... */
    size_t room;         /* ... and what is allocated */
    char *staging, *at;  /* at: where the next block goes */
    bool staged;         /* the walk has copied all blocks */
    struct hmf__padding *padding; /* what is no value is cleared: here, if special, else by carriers */
    size_t ndirect;
    struct iovec *iov;
    size_t niov;
    uint64_t *counts, *leaves;
    uint32_t *refs, *tails;
    uint64_t nslots, next_slot; /* of the whole table */
    struct iovec counts_iov, refs_iov, leaves_iov, tails_iov;
};

struct hmf_image {
    hmf_state_t *state;
    struct table *tables;
    size_t ntables;
    struct hmf__segment *segments;
    size_t nsegments;
    struct hmf__buf meta_bytes;
    hmf_meta_t *meta;
};

struct capture {
    struct hmf__walk walk;
    hmf_image_t *image;
    uint32_t *table_of_type; /* by class representative */
    uint32_t *table_of_shape;
    uint64_t *row;           /* of the registered variables' blocks */
    uint32_t *block;         /* by candidate: its id */
};

static hmf_status_t no_memory(const char *what, uint64_t bytes)
{
    return hmf__fail(HMF_ERR_NOMEM, "no memory to capture the state: %llu bytes of %s",
                     (unsigned long long)bytes, what);
}

static bool is_direct(const struct table *t, uint64_t bytes)
{
    return !t->special && bytes >= DIRECT_BYTES;
}

/* Memory for n things of a size; *out NULL when n is 0. */
static hmf_status_t big(void *out, uint64_t n, size_t each, const char *what)
{
    size_t bytes;

    *(void **)out = NULL;
    if (!n)
        return HMF_OK;
    if (n > SIZE_MAX || hmf__mul_overflow((size_t)n, each, &bytes) ||
        !(*(void **)out = hmf__big_alloc(bytes)))
        return no_memory(what, n);
    return HMF_OK;
}

/* Which tables are there, and how large are they?  By shapes: they are few. */
static hmf_status_t count_tables(struct capture *c)
{
    struct hmf__walk *w = &c->walk;
    hmf_image_t *image = c->image;
    uint32_t ntypes = w->types->n;

    c->table_of_shape = hmf__malloc(w->nshapes * sizeof *c->table_of_shape);
    c->table_of_type = hmf__malloc(ntypes * sizeof *c->table_of_type);
    image->tables = hmf__calloc(ntypes, sizeof *image->tables);
    if (!c->table_of_shape || !c->table_of_type || !image->tables)
        return no_memory("tables", ntypes);
    for (uint32_t i = 0; i < ntypes; i++)
        c->table_of_type[i] = NO_TABLE;
    for (uint32_t i = 0; i < w->nshapes; i++) {
        const struct hmf__shape *s = &w->shapes[i];
        uint64_t rows, bytes;
        if (!s->nblocks)
            continue;
        if (c->table_of_type[s->type] == NO_TABLE) {
            c->table_of_type[s->type] = (uint32_t)image->ntables;
            image->tables[image->ntables].meta.type = s->type;
            image->tables[image->ntables++].special = w->types->v[s->type].special;
        }
        c->table_of_shape[i] = c->table_of_type[s->type];
        struct table *t = &image->tables[c->table_of_shape[i]];
        t->meta.nblocks += s->nblocks;
        if (hmf__mul_overflow_u64(s->count, s->nblocks, &rows) ||
            hmf__mul_overflow_u64(s->bytes, s->nblocks, &bytes) || bytes > HMF__MAX_SIZE ||
            hmf__add_overflow_u64(t->meta.nrows, rows, &t->meta.nrows))
            return hmf__fail(HMF_ERR_LIMIT, "the state is too large");
        t->meta.has_counts |= s->count != 1;
        if (is_direct(t, s->bytes))
            t->ndirect += (size_t)s->nblocks;
        else if (bytes > SIZE_MAX / 2 - t->staged_bytes)
            return hmf__fail(HMF_ERR_LIMIT, "the state is too large");
        else
            t->staged_bytes += (size_t)bytes;
    }
    return HMF_OK;
}

/* Are the walk's copies all that there is to send? */
static void take_stage(struct hmf__walk *w, struct table *t)
{
    struct hmf__stage *stage = w->stages ? &w->stages[t->meta.type] : NULL;

    if (!stage || !t->special || !stage->used || stage->used != t->staged_bytes)
        return;
    t->staging = stage->bytes;
    t->room = stage->cap;
    t->staged = true;
    stage->bytes = NULL; /* the table has it now */
    stage->used = stage->cap = 0;
}

static hmf_status_t make_tables(struct capture *c)
{
    struct hmf__walk *w = &c->walk;
    uint64_t blocks = 0;
    hmf_status_t rc;

    if (w->unstaged || w->nmerges)
        hmf__walk_stages_free(w);
    for (size_t i = 0; i < c->image->ntables; i++) {
        struct table *t = &c->image->tables[i];
        t->first_block = t->next_block = blocks;
        blocks += t->meta.nblocks;
        uint64_t per = w->types->v[t->meta.type].nslots;
        if (hmf__mul_overflow_u64(per, t->meta.nrows, &t->nslots))
            return hmf__fail(HMF_ERR_LIMIT, "the state is too large");
        take_stage(w, t);
        if (!t->staged && (rc = hmf__padding_new(w->types, t->meta.type, &t->padding)) != HMF_OK)
            return rc;
        if ((!t->staged &&
             (rc = big(&t->staging, t->room = t->staged_bytes, 1, "small blocks")) != HMF_OK) ||
            (rc = big(&t->refs, t->nslots, sizeof *t->refs, "references")) != HMF_OK ||
            (rc = big(&t->leaves, w->nmerges ? t->nslots : 0, sizeof *t->leaves,
                      "references")) != HMF_OK ||
            (rc = big(&t->counts, t->meta.has_counts ? t->meta.nblocks : 0, sizeof *t->counts,
                      "counts")) != HMF_OK ||
            (rc = big(&t->tails, w->types->v[t->meta.type].flex ? t->meta.nblocks : 0,
                      sizeof *t->tails, "counts")) != HMF_OK)
            return rc;
        t->at = t->staging;
        t->iov = hmf__calloc(2 * t->ndirect + 1, sizeof *t->iov);
        if (!t->iov)
            return no_memory("lists of blocks", t->ndirect);
    }
    if ((rc = big(&c->block, w->ncands, sizeof *c->block, "block numbers")) != HMF_OK)
        return rc;
    for (size_t i = 0; i < w->ncands; i++)
        if (!w->cands[i].merged)
            c->block[i] = (uint32_t)c->image->tables[c->table_of_shape[w->cands[i].shape]]
                              .next_block++;
    return HMF_OK;
}

static void gather(char *to, const char *from, size_t bytes)
{
    if (bytes % 8 || bytes > 64) {
        memcpy(to, from, bytes);
        return;
    }
    for (size_t i = 0; i < bytes; i += 8)
        memcpy(to + i, from + i, 8);
}

/* Candidates in the references to block ids and leaves. */
static void put_refs(const struct capture *c, struct table *t, const uint32_t *refs, uint64_t n)
{
    const struct hmf__walk *w = &c->walk;
    uint32_t *to = t->refs + t->next_slot;

    if (!w->nmerges) {
        for (uint64_t k = 0; k < n; k++)
            to[k] = refs[k] ? c->block[refs[k] - 1] + 1 : 0;
        t->next_slot += n;
        return;
    }
    uint64_t *leaves = t->leaves + t->next_slot;
    for (uint64_t k = 0; k < n; k++) {
        leaves[k] = 0;
        to[k] = 0;
        if (!refs[k])
            continue;
        uint32_t cand = refs[k] - 1, merged = w->cands[cand].merged;
        if (merged && w->merges[merged - 1].dropped)
            continue;
        if (merged) {
            cand = w->merges[merged - 1].into;
            leaves[k] = w->merges[merged - 1].leaf;
            t->meta.has_leaves |= leaves[k] != 0;
        }
        to[k] = c->block[cand] + 1;
    }
    t->next_slot += n;
}

static void put_block(struct table *t, const char *addr, const struct hmf__shape *s)
{
    struct iovec *last = t->niov ? &t->iov[t->niov - 1] : NULL;

    if (!s->bytes)
        return;
    if (is_direct(t, s->bytes)) {
        t->iov[t->niov++] = (struct iovec){(char *)(uintptr_t)addr, (size_t)s->bytes};
        return;
    }
    gather(t->at, addr, (size_t)s->bytes);
    if (last && (char *)last->iov_base + last->iov_len == t->at &&
        (char *)last->iov_base >= t->staging &&
        (char *)last->iov_base < t->staging + t->staged_bytes)
        last->iov_len += (size_t)s->bytes;
    else
        t->iov[t->niov++] = (struct iovec){t->at, (size_t)s->bytes};
    t->at += s->bytes;
}

static void put_candidate(struct capture *c, size_t i, struct table *t)
{
    const struct hmf__walk *w = &c->walk;
    const struct hmf__cand *cand = &w->cands[i];
    const struct hmf__shape *s = &w->shapes[cand->shape];
    char *copy = t->at;

    if (i < w->state->nvars)
        c->row[i] = t->next_row;
    if (t->counts)
        t->counts[c->block[i] - t->first_block] = s->count;
    t->next_row += s->count;
    if (t->staged)
        return;
    put_block(t, cand->addr, s);
    if (t->special && t->padding)
        hmf__padding_clear(t->padding, copy, s->count);
}

static void fill_tables(struct capture *c)
{
    struct hmf__walk *w = &c->walk;
    uint64_t at = 0; /* in the walk's references */

    for (size_t i = 0; i < c->image->ntables; i++) {
        struct table *t = &c->image->tables[i];
        if (t->staged)
            t->iov[t->niov++] = (struct iovec){t->staging, t->staged_bytes};
    }
    for (size_t i = 0; i < w->ncands; i++) {
        const struct hmf__cand *cand = &w->cands[i];
        const struct hmf__shape *s = &w->shapes[cand->shape];
        if (cand->merged) {
            at += w->merges[cand->merged - 1].unread ? 0 : s->nslots;
            continue;
        }
        struct table *t = &c->image->tables[c->table_of_shape[cand->shape]];
        if (!t->staged && i + AHEAD < w->ncands)
            __builtin_prefetch(w->cands[i + AHEAD].addr);
        if (!t->staged || t->counts || i < w->state->nvars)
            put_candidate(c, i, t);
        else
            t->next_row++;
        if (s->nslots) {
            put_refs(c, t, w->refs + at, s->nslots);
            at += s->nslots;
        }
    }
}

/* Which block stands behind each struct with a flexible array member. */
static void fill_tails(struct capture *c)
{
    const struct hmf__walk *w = &c->walk;

    for (size_t i = 0; i < w->ntails; i++) {
        const struct hmf__tail *tail = &w->tails[i];
        struct table *t = &c->image->tables[c->table_of_shape[w->cands[tail->head].shape]];
        t->tails[c->block[tail->head] - t->first_block] =
            tail->ref ? c->block[tail->ref - 1] + 1 : 0;
    }
}

static hmf_status_t write_meta(struct capture *c)
{
    struct hmf__walk *w = &c->walk;
    size_t nroots = w->state->nvars, ntables = c->image->ntables;
    struct hmf__meta_root *roots = hmf__calloc(nroots, sizeof *roots);
    struct hmf__meta_table *tables = hmf__calloc(ntables, sizeof *tables);
    hmf_status_t rc;

    if (!roots || !tables) {
        rc = no_memory("variables", nroots);
        goto drop;
    }
    for (size_t i = 0; i < ntables; i++)
        tables[i] = c->image->tables[i].meta;
    for (size_t i = 0; i < nroots; i++) {
        const struct hmf__var *v = &w->state->vars[i].var;
        uint32_t merged = w->cands[i].merged;
        roots[i] = (struct hmf__meta_root){.name = v->name, .type = v->type, .count = v->count};
        if (merged) {
            roots[i].inside = true;
            roots[i].block = c->block[w->merges[merged - 1].into];
            roots[i].leaf = w->merges[merged - 1].leaf;
        } else {
            roots[i].block = c->block[i];
            roots[i].row = c->row[i];
        }
    }
    rc = hmf__meta_write(w->types, tables, ntables, roots, nroots, &c->image->meta_bytes);
    if (rc == HMF_OK)
        rc = hmf_meta_parse(c->image->meta_bytes.data, c->image->meta_bytes.len, &c->image->meta);
drop:
    hmf__free(roots);
    hmf__free(tables);
    return rc;
}

/* What the meta says is there, with where it is. */
static hmf_status_t make_segments(hmf_image_t *image)
{
    image->nsegments = hmf_meta_nsegments(image->meta);
    image->segments = hmf__calloc(image->nsegments, sizeof *image->segments);
    if (!image->segments)
        return no_memory("segments", image->nsegments);
    for (size_t i = 0; i < image->nsegments; i++) {
        const struct hmf__segment_info *info = hmf_meta_segment(image->meta, i);
        struct hmf__segment *s = &image->segments[i];
        struct table *t = &image->tables[info->table];
        struct iovec *one = NULL;
        *s = (struct hmf__segment){.kind = info->kind, .table = info->table, .bytes = info->bytes};
        switch (info->kind) {
        case HMF__SEG_DATA:
            s->iov = t->iov;
            s->niov = t->niov;
            s->padding = t->special ? NULL : t->padding;
            break;
        case HMF__SEG_COUNTS:
            one = &t->counts_iov;
            one->iov_base = t->counts;
            break;
        case HMF__SEG_REF_BLOCK:
            one = &t->refs_iov;
            one->iov_base = t->refs;
            break;
        case HMF__SEG_REF_LEAF:
            one = &t->leaves_iov;
            one->iov_base = t->leaves;
            break;
        case HMF__SEG_TAIL:
            one = &t->tails_iov;
            one->iov_base = t->tails;
            break;
        }
        if (one) {
            one->iov_len = (size_t)info->bytes;
            s->iov = one;
            s->niov = 1;
        }
    }
    return HMF_OK;
}

static hmf_status_t capture(hmf_state_t *state, bool beside, hmf_image_t **out)
{
    struct capture c = {.image = hmf__calloc(1, sizeof *c.image)};
    hmf_status_t rc;

    if (!c.image)
        return no_memory("an image", sizeof *c.image);
    c.image->state = state;
    for (struct hmf__keeper *k = state->keepers; k; k = k->next)
        if ((rc = k->before(k, state)) != HMF_OK)
            goto drop;
    if (!beside)
        hmf__handle_text_begin();
    if ((rc = hmf__walk_run(&c.walk, state)) != HMF_OK || (rc = count_tables(&c)) != HMF_OK ||
        (rc = make_tables(&c)) != HMF_OK)
        goto drop;
    if (!(c.row = hmf__calloc(state->nvars, sizeof *c.row))) {
        rc = no_memory("variables", state->nvars);
        goto drop;
    }
    fill_tables(&c);
    fill_tails(&c);
    if ((rc = write_meta(&c)) == HMF_OK)
        rc = make_segments(c.image);
drop:
    hmf__big_free(c.block, c.walk.ncands * sizeof *c.block);
    hmf__walk_fini(&c.walk);
    hmf__free(c.table_of_type);
    hmf__free(c.table_of_shape);
    hmf__free(c.row);
    if (rc == HMF_OK)
        *out = c.image;
    else
        hmf_image_free(c.image);
    return rc;
}

hmf_status_t hmf_image_capture(hmf_state_t *state, hmf_image_t **out)
{
    return capture(state, false, out);
}

hmf_status_t hmf__image_capture_beside(hmf_state_t *state, hmf_image_t **out)
{
    return capture(state, true, out);
}

void hmf_image_free(hmf_image_t *image)
{
    if (!image)
        return;
    for (size_t i = 0; i < image->ntables; i++) {
        struct table *t = &image->tables[i];
        hmf__big_free(t->staging, t->room);
        hmf__big_free(t->refs, (size_t)t->nslots * sizeof *t->refs);
        hmf__big_free(t->leaves, (size_t)t->nslots * sizeof *t->leaves);
        hmf__big_free(t->counts, (size_t)t->meta.nblocks * sizeof *t->counts);
        if (t->tails)
            hmf__big_free(t->tails, (size_t)t->meta.nblocks * sizeof *t->tails);
        hmf__free(t->iov);
        hmf__padding_free(t->padding);
    }
    hmf__free(image->tables);
    hmf__free(image->segments);
    hmf__buf_fini(&image->meta_bytes);
    hmf_meta_free(image->meta);
    hmf__free(image);
}

const void *hmf_image_meta(const hmf_image_t *image, size_t *len)
{
    *len = image->meta_bytes.len;
    return image->meta_bytes.data;
}

hmf_state_t *hmf__image_state(const hmf_image_t *image)
{
    return image->state;
}

const hmf_meta_t *hmf_image_parsed(const hmf_image_t *image)
{
    return image->meta;
}

size_t hmf_image_nsegments(const hmf_image_t *image)
{
    return image->nsegments;
}

const struct hmf__segment *hmf_image_segment(const hmf_image_t *image, size_t i)
{
    return i < image->nsegments ? &image->segments[i] : NULL;
}

void hmf__segment_copy(const struct hmf__segment *s, size_t k, uint64_t offset, void *to,
                       size_t bytes)
{
    if (s->padding)
        hmf__padding_copy(s->padding, s->iov[k].iov_base, offset, to, bytes);
    else
        memcpy(to, (const char *)s->iov[k].iov_base + offset, bytes);
}

uint64_t hmf_image_bytes(const hmf_image_t *image)
{
    return hmf_meta_bytes(image->meta);
}
