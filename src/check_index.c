/*
 * Describing and reading the index; see check_index.h.
 */
#include "config.h"

#include "check_index.h"

#include "base.h"
#include "check_outline.h"

#include <string.h>

#define PATH_MAX_BYTES 2048

/* ---- where an image has a variable ---- */

struct place {
    uint32_t segment, table;
    uint64_t row, room;                 /* rows from there to the end of the block */
};

static const struct hmf__segment *segment_of(const hmf_image_t *image, uint32_t table,
                                             enum hmf__segment_kind kind, uint32_t *number)
{
    for (size_t i = 0; i < hmf_image_nsegments(image); i++) {
        const struct hmf__segment *s = hmf_image_segment(image, i);
        if (s->table == table && s->kind == kind) {
            *number = (uint32_t)i;
            return s;
        }
    }
    return NULL;
}

/* Bytes of a segment that its pieces hold; false: it is not that long. */
static bool peek(const struct hmf__segment *s, uint64_t at, void *to, size_t bytes)
{
    unsigned char *p = to;
    for (size_t i = 0; i < s->niov && bytes > 0; i++) {
        if (at >= s->iov[i].iov_len) {
            at -= s->iov[i].iov_len;
            continue;
        }
        size_t n = s->iov[i].iov_len - (size_t)at < bytes ? s->iov[i].iov_len - (size_t)at : bytes;
        memcpy(p, (const unsigned char *)s->iov[i].iov_base + at, n);
        p += n;
        bytes -= n;
        at = 0;
    }
    return bytes == 0;
}

/* The rows of a block of a table. */
static bool rows_of_block(const hmf_image_t *image, uint32_t table, uint64_t block, uint64_t *row,
                          uint64_t *rows)
{
    const struct hmf__table_info *t = hmf_meta_table(hmf_image_parsed(image), table);
    uint32_t number;
    uint64_t index = block - t->first_block, n;
    *row = index;
    *rows = 1;
    if (!t->has_counts)
        return true;
    const struct hmf__segment *s = segment_of(image, table, HMF__SEG_COUNTS, &number);
    *row = 0;
    for (uint64_t i = 0; s != NULL && i <= index; i++) {
        if (!peek(s, i * sizeof n, &n, sizeof n))
            return false;
        if (i == index)
            *rows = n;
        else
            *row += n;
    }
    return s != NULL;
}

/* Where in its table a leaf of a block is. */
static bool place_of(const hmf_image_t *image, uint64_t block, uint64_t leaf, struct place *out)
{
    const hmf_meta_t *meta = hmf_image_parsed(image);
    for (uint32_t i = 0; i < hmf_meta_ntables(meta); i++) {
        const struct hmf__table_info *t = hmf_meta_table(meta, i);
        uint64_t per = hmf_meta_types(meta)->v[t->type].nleaves, rows;
        if (block < t->first_block || block - t->first_block >= t->nblocks)
            continue;
        if (per == 0 || (leaf & HMF__LEAF_PAST) != 0 || leaf % per != 0
            || !rows_of_block(image, i, block, &out->row, &rows) || leaf / per > rows)
            return false;
        out->row += leaf / per;
        out->room = rows - leaf / per;
        out->table = i;
        return segment_of(image, i, HMF__SEG_DATA, &out->segment) != NULL;
    }
    return false;
}

/* Where a pointer that is a variable leads. *none: it is NULL. */
static bool follow(const hmf_image_t *image, const struct hmf__root_info *root, bool *none,
                   struct place *out)
{
    const struct hmf__table_info *t = hmf_meta_table(hmf_image_parsed(image), root->table);
    uint32_t ref, number;
    uint64_t leaf = 0;
    const struct hmf__segment *refs = segment_of(image, root->table, HMF__SEG_REF_BLOCK, &number);
    *none = false;
    if (root->inside || t->nslots != 1 || refs == NULL
        || !peek(refs, root->row * sizeof ref, &ref, sizeof ref))
        return false;
    *none = ref == 0;
    if (*none)
        return true;
    if (t->has_leaves) {
        const struct hmf__segment *s = segment_of(image, root->table, HMF__SEG_REF_LEAF, &number);
        if (s == NULL || !peek(s, root->row * sizeof leaf, &leaf, sizeof leaf))
            return false;
    }
    return place_of(image, ref - 1, leaf, out);
}

/* The dataset that holds a row of a segment. */
static void dataset_of(const struct hmf__outline *plan, uint32_t segment, uint64_t row,
                       uint64_t row_bytes, const char **path, uint64_t *dataset_row)
{
    *path = "";
    *dataset_row = 0;
    for (size_t i = 0; i < plan->nruns; i++) {
        const struct hmf__outline_run *r = &plan->runs[i];
        uint64_t at = row * row_bytes;
        if (r->segment == segment && at >= r->segment_offset
            && at - r->segment_offset < r->bytes) {
            /* one of more dimensions is not said: what uses it counts rows */
            if (plan->datasets[r->dataset].ndims == 1)
                *path = plan->datasets[r->dataset].path;
            *dataset_row = (r->dataset_offset + at - r->segment_offset) / row_bytes;
        }
    }
}

/* ---- describing ---- */

static void put_piece(struct hmf__buf *b, int ndims, const struct hmf_piece *p)
{
    hmf__buf_put_u8(b, (uint8_t)p->halo);
    hmf__buf_put_u64(b, p->first);
    for (int d = 0; d < ndims; d++) {
        hmf__buf_put_u64(b, p->offset[d]);
        hmf__buf_put_u64(b, p->extent[d]);
        hmf__buf_put_u64(b, p->stride[d]);
    }
}

static hmf_status_t describe_parts(const hmf_image_t *image, const struct hmf__outline *plan,
                                   const struct hmf__var *v, const struct hmf__parts *parts,
                                   struct hmf__buf *b)
{
    const hmf_meta_t *meta = hmf_image_parsed(image);
    const struct hmf__root_info *root = NULL;
    struct place place = {HMF__INDEX_NOWHERE, 0, 0, 0};
    bool pointer, none = false;
    uint64_t count, dataset_row = 0, span = hmf__parts_span(parts);
    const char *path = "";
    for (size_t i = 0; i < hmf_meta_nroots(meta) && root == NULL; i++) {
        if (strcmp(hmf_meta_root(meta, i)->name, v->name) == 0)
            root = hmf_meta_root(meta, i);
    }
    (void)hmf__parts_element(hmf__image_state(image), v, &pointer, &count);
    bool found = root != NULL && (pointer ? follow(image, root, &none, &place)
                                          : place_of(image, root->block, root->leaf, &place));
    if (!found)
        return hmf__fail(HMF_ERR_ARG, "cannot tell where variable %s, a part of a global array, is "
                         "saved: it lies within another variable, or leads to the middle of an "
                         "element", v->name);
    if (span > place.room)
        return hmf__fail(HMF_ERR_ARG, "the pieces of %s need %llu elements, but there are %llu",
                         v->name, (unsigned long long)span, (unsigned long long)place.room);
    if (span == 0)
        place.segment = HMF__INDEX_NOWHERE;
    else
        dataset_of(plan, place.segment, place.row,
                   hmf_meta_types(meta)->v[hmf_meta_table(meta, place.table)->type].size, &path,
                   &dataset_row);
    hmf__buf_put_u8(b, (uint8_t)parts->ndims);
    for (int d = 0; d < parts->ndims; d++)
        hmf__buf_put_u64(b, parts->shape[d]);
    hmf__buf_put_u32(b, place.segment);
    hmf__buf_put_u64(b, place.row);
    hmf__buf_put_string(b, path);
    hmf__buf_put_u64(b, dataset_row);
    hmf__buf_put_u64(b, parts->npieces);
    for (size_t i = 0; i < parts->npieces; i++)
        put_piece(b, parts->ndims, &parts->pieces[i]);
    return HMF_OK;
}

hmf_status_t hmf__index_describe(const hmf_image_t *image, struct hmf__buf *b)
{
    const hmf_state_t *state = hmf__image_state(image);
    struct hmf__outline *plan = NULL;
    hmf_status_t rc = HMF_OK;
    for (size_t i = 0; i < hmf_state_count(state) && rc == HMF_OK; i++) {
        const struct hmf__parts *parts = hmf__parts_of(state, i);
        const struct hmf__var *v = hmf__state_var(state, i);
        if (parts == NULL)
            continue;
        hmf__buf_put_string(b, v->name);
        hmf__buf_put_u8(b, (uint8_t)parts->share);
        if (parts->share != HMF__SHARE_PARTS)
            continue;
        if (plan == NULL) {
            size_t len;
            const void *meta = hmf_image_meta(image, &len);
            rc = hmf__outline_new(meta, len, &plan);
        }
        if (rc == HMF_OK)
            rc = describe_parts(image, plan, v, parts, b);
    }
    hmf__outline_free(plan);
    if (rc == HMF_OK && b->status != HMF_OK)
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory for the index of the global arrays");
    return rc;
}

/* ---- reading ---- */

static hmf_status_t no_memory(void)
{
    return hmf__fail(HMF_ERR_NOMEM, "no memory for the index of the global arrays");
}

static hmf_status_t damaged(const struct hmf__buf *b)
{
    return b->status == HMF_ERR_NOMEM
               ? no_memory()
               : hmf__fail(HMF_ERR_FORMAT, "the index of the global arrays makes no sense");
}

static hmf_status_t get_part(struct hmf__buf *b, const struct hmf__index_var *v,
                             struct hmf__index_part *part)
{
    part->segment = hmf__buf_get_u32(b);
    part->row = hmf__buf_get_u64(b);
    part->dataset = hmf__buf_get_string(b, PATH_MAX_BYTES);
    part->dataset_row = hmf__buf_get_u64(b);
    uint64_t n = hmf__buf_get_u64(b);
    if (b->status != HMF_OK || part->row >= HMF__MAX_SIZE
        || n > hmf__buf_left(b) / (9 + 24 * (size_t)v->ndims))
        return damaged(b);
    part->pieces = hmf__calloc((size_t)n + 1, sizeof(*part->pieces));
    if (part->pieces == NULL)
        return no_memory();
    for (; part->npieces < n; part->npieces++) {
        struct hmf_piece *p = &part->pieces[part->npieces];
        p->halo = hmf__buf_get_u8(b);
        p->first = hmf__buf_get_u64(b);
        for (int d = 0; d < v->ndims; d++) {
            p->offset[d] = hmf__buf_get_u64(b);
            p->extent[d] = hmf__buf_get_u64(b);
            p->stride[d] = hmf__buf_get_u64(b);
        }
        if (b->status != HMF_OK || !hmf__parts_piece_ok(v->ndims, v->shape, p))
            return damaged(b);
    }
    return HMF_OK;
}

static hmf_status_t add_var(struct hmf__index *index, char *name, enum hmf__share share)
{
    struct hmf__index_var *vars = hmf__realloc(index->vars, (index->nvars + 1) * sizeof(*vars));
    if (vars == NULL) {
        hmf__free(name);
        return no_memory();
    }
    index->vars = vars;
    vars[index->nvars] = (struct hmf__index_var){.name = name, .share = share};
    if (share == HMF__SHARE_PARTS) {
        vars[index->nvars].parts = hmf__calloc((size_t)index->nranks, sizeof(*vars->parts));
        if (vars[index->nvars].parts == NULL) {
            hmf__free(name);
            return no_memory();
        }
    }
    index->nvars++;
    return HMF_OK;
}

/* One variable of a rank's description. Rank 0's say which there are. */
static hmf_status_t get_var(struct hmf__buf *b, struct hmf__index *index, int rank, size_t nth)
{
    char *name = hmf__buf_get_string(b, HMF__MAX_NAME);
    unsigned share = hmf__buf_get_u8(b), ndims = 0;
    uint64_t shape[HMF_PARTITION_DIMS] = {0}, all = 1;
    if (name != NULL && share == HMF__SHARE_PARTS) {
        ndims = hmf__buf_get_u8(b);
        for (unsigned d = 0; d < ndims && ndims <= HMF_PARTITION_DIMS; d++) {
            shape[d] = hmf__buf_get_u64(b);
            if (hmf__mul_overflow_u64(all, shape[d], &all) || all >= HMF__MAX_SIZE)
                ndims = HMF_PARTITION_DIMS + 1;
        }
    }
    if (name == NULL || b->status != HMF_OK || ndims > HMF_PARTITION_DIMS
        || (share == HMF__SHARE_PARTS ? ndims == 0 : share != HMF__SHARE_EQUAL)) {
        hmf__free(name);
        return damaged(b);
    }
    struct hmf__index_var *v;
    if (rank == 0) {
        hmf_status_t rc = add_var(index, name, (enum hmf__share)share);
        if (rc != HMF_OK)
            return rc;
        v = &index->vars[nth];
        v->ndims = (int)ndims;
        memcpy(v->shape, shape, sizeof shape);
    } else {
        v = nth < index->nvars ? &index->vars[nth] : NULL;
        if (v == NULL || strcmp(v->name, name) != 0 || v->share != share
            || v->ndims != (int)ndims || memcmp(v->shape, shape, sizeof shape) != 0) {
            hmf_status_t rc = hmf__fail(HMF_ERR_MISMATCH, "rank %d has declared variable %s "
                                        "otherwise than rank 0, or in another order: shares and "
                                        "shapes must be the same", rank, name);
            hmf__free(name);
            return rc;
        }
        hmf__free(name);
    }
    return share == HMF__SHARE_PARTS ? get_part(b, v, &v->parts[rank]) : HMF_OK;
}

hmf_status_t hmf__index_parse(const void *bytes, size_t len, int nranks, struct hmf__index **out)
{
    struct hmf__index *index = hmf__calloc(1, sizeof(*index));
    struct hmf__buf all;
    hmf_status_t rc = HMF_OK;
    if (index == NULL)
        return no_memory();
    index->nranks = nranks;
    hmf__buf_borrow(&all, bytes, len);
    for (int r = 0; r < nranks && rc == HMF_OK; r++) {
        uint64_t n = hmf__buf_get_u64(&all);
        const void *part = n <= SIZE_MAX ? hmf__buf_get_bytes(&all, (size_t)n) : NULL;
        struct hmf__buf b;
        if (all.status != HMF_OK || part == NULL) {
            rc = damaged(&all);
            break;
        }
        hmf__buf_borrow(&b, part, (size_t)n);
        size_t nth = 0;
        for (; hmf__buf_left(&b) > 0 && rc == HMF_OK; nth++)
            rc = get_var(&b, index, r, nth);
        if (rc == HMF_OK && nth != index->nvars)
            rc = hmf__fail(HMF_ERR_MISMATCH, "rank %d has declared %zu variables to be parts of "
                           "global arrays or equal on all ranks, rank 0 has %zu", r, nth,
                           index->nvars);
    }
    if (rc != HMF_OK) {
        hmf__index_free(index);
        return rc;
    }
    *out = index;
    return HMF_OK;
}

void hmf__index_free(struct hmf__index *index)
{
    if (index == NULL)
        return;
    for (size_t i = 0; i < index->nvars; i++) {
        struct hmf__index_var *v = &index->vars[i];
        for (int r = 0; r < index->nranks && v->parts != NULL; r++) {
            hmf__free(v->parts[r].dataset);
            hmf__free(v->parts[r].pieces);
        }
        hmf__free(v->parts);
        hmf__free(v->name);
    }
    hmf__free(index->vars);
    hmf__free(index);
}

const struct hmf__index_var *hmf__index_find(const struct hmf__index *index, const char *name)
{
    for (size_t i = 0; i < index->nvars; i++) {
        if (strcmp(index->vars[i].name, name) == 0)
            return &index->vars[i];
    }
    return NULL;
}

bool hmf__index_same(const struct hmf__index_var *v, int rank, const struct hmf__parts *parts)
{
    if (v->share != parts->share)
        return false;
    if (v->share != HMF__SHARE_PARTS)
        return true;
    const struct hmf__index_part *p = &v->parts[rank];
    if (v->ndims != parts->ndims || p->npieces != parts->npieces
        || memcmp(v->shape, parts->shape, (size_t)v->ndims * sizeof(*v->shape)) != 0)
        return false;
    for (size_t i = 0; i < p->npieces; i++) {
        const struct hmf_piece *a = &p->pieces[i], *b = &parts->pieces[i];
        size_t n = (size_t)v->ndims * sizeof(*a->offset);
        if (a->halo != b->halo || a->first != b->first || memcmp(a->offset, b->offset, n) != 0
            || memcmp(a->extent, b->extent, n) != 0 || memcmp(a->stride, b->stride, n) != 0)
            return false;
    }
    return true;
}
