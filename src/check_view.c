/*
 * Rows of a rank's part; see check_view.h.
 */
#include "config.h"

#include "check_view.h"

#include "base.h"
#include "check_value.h"
#include "check_dir.h"
#include "check_local.h"
#include "check_outline.h"
#include "convert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES (1u << 20)

static void forget_rank(struct hmf_check *c)
{
    for (size_t i = 0; i < c->nitems; i++)
        hmf__free(c->items[i].name);
    for (size_t i = 0; c->tables != NULL && i < hmf_meta_ntables(c->meta); i++) {
        hmf__free(c->tables[i].first_row);
        hmf__free(c->tables[i].runs);
    }
    hmf__free(c->items);
    hmf__free(c->tables);
    hmf_meta_free(c->meta);
    hmf__file_close(c->file);
    c->items = NULL;
    c->nitems = 0;
    c->tables = NULL;
    c->meta = NULL;
    c->file = NULL;
    c->rank = -1;
}

static bool swapped(const struct hmf_check *c)
{
    struct hmf__abi native;
    hmf__abi_native(&native);
    return native.big_endian != hmf_meta_types(c->meta)->abi.big_endian;
}

static uint64_t number_at(const struct hmf_check *c, const unsigned char *p, unsigned size)
{
    return hmf__convert_load(size, false, swapped(c), (const char *)p);
}

/* Where each block of a table begins, from its COUNTS segment. */
static hmf_status_t count_blocks(struct hmf_check *c, uint32_t table, uint32_t segment)
{
    const struct hmf__table_info *t = hmf_meta_table(c->meta, table);
    uint64_t bytes = hmf_meta_segment(c->meta, segment)->bytes, sum = 0;
    if (bytes / 8 != t->nblocks || bytes > c->file->bytes)
        return hmf__fail(HMF_ERR_FORMAT, "%s is damaged: the counts of table %s are of the wrong "
                         "size", c->file->path, t->name);
    uint64_t *first = hmf__malloc((size_t)bytes + 8);
    if (first == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to look into %s", c->file->path);
    hmf_status_t rc = hmf__file_read_range(c->file, segment, 0, bytes, first);
    for (uint64_t i = 0; i < t->nblocks && rc == HMF_OK; i++) {
        uint64_t n = number_at(c, (const unsigned char *)&first[i], 8);
        first[i] = sum;
        if (n > t->nrows - sum)
            rc = hmf__fail(HMF_ERR_FORMAT, "%s is damaged: the counts of table %s are too large",
                           c->file->path, t->name);
        else
            sum += n;
    }
    first[t->nblocks] = sum;
    c->tables[table].first_row = first;
    return rc;
}

static hmf_status_t find_segments(struct hmf_check *c)
{
    size_t n = hmf_meta_ntables(c->meta);
    c->tables = hmf__calloc(n, sizeof(*c->tables));
    if (c->tables == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to look into %s", c->file->path);
    for (size_t i = 0; i < n; i++)
        c->tables[i].data = c->tables[i].refs = c->tables[i].leaves =
            c->tables[i].tails = UINT32_MAX;
    for (size_t i = 0; i < hmf_meta_nsegments(c->meta); i++) {
        const struct hmf__segment_info *s = hmf_meta_segment(c->meta, i);
        struct hmf__view_table *t = &c->tables[s->table];
        hmf_status_t rc = HMF_OK;
        switch (s->kind) {
        case HMF__SEG_DATA:
            t->data = (uint32_t)i;
            break;
        case HMF__SEG_COUNTS:
            rc = count_blocks(c, s->table, (uint32_t)i);
            break;
        case HMF__SEG_REF_BLOCK:
            t->refs = (uint32_t)i;
            break;
        case HMF__SEG_REF_LEAF:
            t->leaves = (uint32_t)i;
            break;
        case HMF__SEG_TAIL:
            t->tails = (uint32_t)i;
            break;
        }
        if (rc != HMF_OK)
            return rc;
    }
    return HMF_OK;
}

static int by_row(const void *a, const void *b)
{
    const struct hmf__root_info *x = *(const struct hmf__root_info *const *)a;
    const struct hmf__root_info *y = *(const struct hmf__root_info *const *)b;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static bool add_run(struct hmf__view_table *t, uint64_t row, uint64_t end)
{
    if (row >= end)
        return true;
    struct hmf__view_run *runs = hmf__realloc(t->runs, (t->nruns + 1) * sizeof(*runs));
    if (runs == NULL)
        return false;
    t->runs = runs;
    uint64_t before = t->nruns != 0 ? runs[t->nruns - 1].before + runs[t->nruns - 1].rows : 0;
    runs[t->nruns++] = (struct hmf__view_run){row, end - row, before};
    return true;
}

/* What is left of each table when the variables' rows are taken out. */
static bool find_runs(struct hmf_check *c)
{
    size_t n = hmf_meta_nroots(c->meta), k = 0;
    const struct hmf__root_info **roots = hmf__calloc(n, sizeof(*roots));
    if (roots == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!hmf_meta_root(c->meta, i)->inside)
            roots[k++] = hmf_meta_root(c->meta, i);
    }
    qsort(roots, k, sizeof(*roots), by_row);
    bool ok = true;
    size_t r = 0;
    for (uint32_t t = 0; t < hmf_meta_ntables(c->meta) && ok; t++) {
        uint64_t at = 0;
        for (; r < k && roots[r]->table == t && ok; r++) {
            ok = add_run(&c->tables[t], at, roots[r]->row);
            if (roots[r]->row + roots[r]->nrows > at)
                at = roots[r]->row + roots[r]->nrows;
        }
        ok = ok && add_run(&c->tables[t], at, hmf_meta_table(c->meta, t)->nrows);
    }
    hmf__free(roots);
    return ok;
}

static bool describe(struct hmf_check *c)
{
    const struct hmf__types *types = hmf_meta_types(c->meta);
    size_t nroots = hmf_meta_nroots(c->meta), ntables = hmf_meta_ntables(c->meta);
    c->items = hmf__calloc(nroots + ntables, sizeof(*c->items));
    if (c->items == NULL || !find_runs(c))
        return false;
    for (size_t i = 0; i < nroots; i++) {
        const struct hmf__root_info *r = hmf_meta_root(c->meta, i);
        struct hmf__view_item *item = &c->items[c->nitems++];
        char text[240];
        item->table = r->table;
        item->type = hmf_meta_table(c->meta, r->table)->type;
        item->row = r->row;
        item->rows = r->inside ? 0 : r->nrows;
        item->row_bytes = types->v[item->type].size;
        item->inside = r->inside;
        hmf__outline_type_text(types, r->type, text, sizeof text);
        snprintf(item->type_text, sizeof item->type_text,
                 r->count != 1 && strchr(text, '[') == NULL ? "%s[%" PRIu64 "]" : "%s", text,
                 r->count);
        if ((item->name = hmf__strdup(r->name)) == NULL)
            return false;
    }
    for (uint32_t t = 0; t < ntables; t++) {
        const struct hmf__view_table *table = &c->tables[t];
        if (table->nruns == 0)
            continue;
        const struct hmf__table_info *info = hmf_meta_table(c->meta, t);
        struct hmf__view_item *item = &c->items[c->nitems++];
        size_t len = strlen(info->name) + sizeof "/tables/";
        item->table = t;
        item->type = info->type;
        item->heap = true;
        item->rows = table->runs[table->nruns - 1].before + table->runs[table->nruns - 1].rows;
        item->row_bytes = types->v[info->type].size;
        hmf__outline_type_text(types, info->type, item->type_text, sizeof item->type_text);
        if ((item->name = hmf__malloc(len)) == NULL)
            return false;
        snprintf(item->name, len, "/tables/%s", info->name);
    }
    return true;
}

/* The part, if it lies in a node's directory: that or a copy, on this node. */
static hmf_status_t open_local(struct hmf_check *c, int rank)
{
    const struct hmf__manifest *m = c->manifest;
    const struct hmf__check_job reader = {.program = m->program};
    struct hmf__levels levels;
    char above[HMF__DIR_PATH_MAX], dir[HMF__DIR_PATH_MAX];
    bool damaged = false;
    hmf_status_t rc = hmf__levels_read(&levels);
    if (rc == HMF_OK && levels.root != NULL) {
        snprintf(above, sizeof above, "%.*s/..", HMF__DIR_PATH_MAX - 4, c->path);
        rc = hmf__local_dir(levels.root, above, dir);
        if (rc == HMF_OK)
            rc = hmf__local_find(&reader, dir, m->generation, m->nranks, rank, &m->seals[rank],
                                 &c->file, &damaged);
    }
    if (rc == HMF_OK && c->file == NULL)
        rc = HMF_ERR_NOTFOUND;
    if (rc == HMF_ERR_NOTFOUND && !damaged)
        rc = hmf__fail(rc, "%s: the part of rank %d is in the directory of %s%s%s, this is %s%s",
                       c->path, rank, m->nodes[rank], m->copies[rank][0] != '\0' ? " and of " : "",
                       m->copies[rank], levels.node,
                       levels.root == NULL ? ", and HMF_LOCAL_DIR is not set" : "");
    else if (rc == HMF_ERR_NOTFOUND)
        rc = hmf__fail(HMF_ERR_CHECKSUM, "%s: the part of rank %d in %s is damaged", c->path, rank,
                       dir);
    hmf__levels_fini(&levels);
    return rc;
}

hmf_status_t hmf__view_rank(struct hmf_check *c, int rank)
{
    char path[HMF__DIR_PATH_MAX];
    if (rank < 0 || rank >= c->manifest->nranks)
        return hmf__fail(HMF_ERR_NOTFOUND, "%s has ranks 0 to %d, not %d", c->path,
                         c->manifest->nranks - 1, rank);
    if (c->rank == rank)
        return HMF_OK;
    forget_rank(c);
    if (snprintf(path, sizeof path, "%s/rank-%05d.h5", c->path, rank) >= (int)sizeof path)
        return hmf__fail(HMF_ERR_LIMIT, "the path %.64s... is too long", c->path);
    hmf_status_t rc;
    if (c->manifest->level != HMF__LEVEL_SHARED)
        rc = open_local(c, rank);       /* verified */
    else if ((rc = hmf__file_open(path, &c->manifest->seals[rank], &c->file)) == HMF_OK)
        rc = hmf__file_verify(c->file);
    if (rc == HMF_OK && (rc = hmf_meta_parse(c->file->meta, c->file->meta_len, &c->meta)) != HMF_OK)
        hmf__fail_prefix(rc, "%s", path);
    if (rc == HMF_OK)
        rc = find_segments(c);
    if (rc == HMF_OK && !describe(c))
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to look into %s", path);
    if (rc != HMF_OK) {
        forget_rank(c);
        return rc;
    }
    c->rank = rank;
    return HMF_OK;
}

hmf_status_t hmf__view_find(struct hmf_check *c, const char *name,
                            const struct hmf__view_item **out)
{
    for (size_t i = 0; i < c->nitems; i++) {
        if (strcmp(c->items[i].name, name) == 0) {
            *out = &c->items[i];
            return HMF_OK;
        }
    }
    return hmf__fail(HMF_ERR_NOTFOUND, "%s has no variable %s", c->file->path, name);
}

/* ---- windows of rows ---- */

hmf_status_t hmf__view_rows_init(struct hmf__view_rows *w, struct hmf_check *c,
                                 const struct hmf__view_item *item)
{
    uint64_t slots = hmf_meta_table(c->meta, item->table)->nslots;
    memset(w, 0, sizeof(*w));
    w->check = c;
    w->item = item;
    w->room = item->row_bytes + slots * 12 < WINDOW_BYTES && item->row_bytes != 0
        ? WINDOW_BYTES / (item->row_bytes + slots * 12) : 1;
    if (w->room > item->rows)
        w->room = item->rows;
    uint64_t data = w->room * item->row_bytes;
    if (data > c->file->bytes || w->room * slots * 4 > c->file->bytes
        || w->room > c->file->bytes)
        return hmf__fail(HMF_ERR_FORMAT, "%s is damaged: rows of %s are larger than the file",
                         c->file->path, item->name);
    w->data = hmf__malloc((size_t)data);
    w->refs = hmf__malloc((size_t)(w->room * slots * 4));
    w->leaves = hmf__malloc((size_t)(w->room * slots * 8));
    w->tails = hmf__malloc((size_t)(w->room * 4));
    if (w->data == NULL || w->refs == NULL || w->leaves == NULL || w->tails == NULL) {
        hmf__view_rows_fini(w);
        return hmf__fail(HMF_ERR_NOMEM, "no memory to look into %s", c->file->path);
    }
    return HMF_OK;
}

void hmf__view_rows_fini(struct hmf__view_rows *w)
{
    hmf__free(w->data);
    hmf__free(w->refs);
    hmf__free(w->leaves);
    hmf__free(w->tails);
    w->data = w->refs = w->leaves = w->tails = NULL;
}

/* Rows of the table, into the window behind those that are there. */
static hmf_status_t read_run(struct hmf__view_rows *w, uint64_t row, uint64_t rows)
{
    struct hmf_check *c = w->check;
    const struct hmf__view_table *t = &c->tables[w->item->table];
    uint64_t size = w->item->row_bytes, slots = hmf_meta_table(c->meta, w->item->table)->nslots;
    hmf_status_t rc = HMF_OK;
    if (t->data != UINT32_MAX && size != 0)
        rc = hmf__file_read_range(c->file, t->data, row * size, rows * size,
                                  w->data + w->count * size);
    if (rc == HMF_OK && slots != 0 && t->refs != UINT32_MAX)
        rc = hmf__file_read_range(c->file, t->refs, row * slots * 4, rows * slots * 4,
                                  w->refs + w->count * slots * 4);
    if (rc == HMF_OK && slots != 0 && t->leaves != UINT32_MAX)
        rc = hmf__file_read_range(c->file, t->leaves, row * slots * 8, rows * slots * 8,
                                  w->leaves + w->count * slots * 8);
    if (rc == HMF_OK && t->tails != UINT32_MAX) /* a block has one row there */
        rc = hmf__file_read_range(c->file, t->tails, row * 4, rows * 4, w->tails + w->count * 4);
    w->count += rows;
    return rc;
}

hmf_status_t hmf__view_rows_read(struct hmf__view_rows *w, uint64_t first)
{
    const struct hmf__view_item *item = w->item;
    uint64_t want = item->rows - first < w->room ? item->rows - first : w->room;
    w->first = first;
    w->count = 0;
    if (!item->heap)
        return read_run(w, item->row + first, want);
    const struct hmf__view_table *t = &w->check->tables[item->table];
    hmf_status_t rc = HMF_OK;
    for (size_t i = 0; i < t->nruns && w->count < want && rc == HMF_OK; i++) {
        const struct hmf__view_run *r = &t->runs[i];
        uint64_t at = first + w->count;
        if (at >= r->before + r->rows)
            continue;
        uint64_t skip = at - r->before, n = r->rows - skip;
        rc = read_run(w, r->row + skip, n < want - w->count ? n : want - w->count);
    }
    return rc;
}

/* ---- pointers ---- */

/* The variable or heap table that a row of a table belongs to, and the row in it. */
static const char *name_row(const struct hmf_check *c, uint32_t table, uint64_t row, uint64_t *in)
{
    const struct hmf__view_table *t = &c->tables[table];
    for (size_t i = 0; i < c->nitems; i++) {
        const struct hmf__view_item *item = &c->items[i];
        if (item->table != table || item->inside)
            continue;
        if (!item->heap && row >= item->row && row - item->row < item->rows) {
            *in = row - item->row;
            return item->name;
        }
        if (!item->heap)
            continue;
        size_t lo = 0, hi = t->nruns;
        while (hi - lo > 1) {
            size_t mid = lo + (hi - lo) / 2;
            if (t->runs[mid].row <= row)
                lo = mid;
            else
                hi = mid;
        }
        *in = t->runs[lo].before + (row - t->runs[lo].row);
        return item->name + sizeof "/tables/" - 1;
    }
    *in = row;
    return "?";
}

void hmf__view_pointer(void *ctx, uint64_t slot, char *text, size_t len)
{
    const struct hmf__view_rows *w = ctx;
    const struct hmf_check *c = w->check;
    const struct hmf__view_table *t = &c->tables[w->item->table];
    uint64_t slots = hmf_meta_table(c->meta, w->item->table)->nslots;
    uint64_t at = w->current * slots + slot, leaf = 0, in;
    uint64_t id = t->refs != UINT32_MAX && slot < slots ? number_at(c, w->refs + at * 4, 4) : 0;
    bool tail = slot == HMF__VALUE_TAIL;
    if (tail)
        id = t->tails != UINT32_MAX ? number_at(c, w->tails + w->current * 4, 4) : 0;
    if (id == 0) {
        snprintf(text, len, "NULL");
        return;
    }
    id--;
    if (t->leaves != UINT32_MAX && !tail)
        leaf = number_at(c, w->leaves + at * 8, 8);
    for (uint32_t k = 0; k < hmf_meta_ntables(c->meta); k++) {
        const struct hmf__table_info *info = hmf_meta_table(c->meta, k);
        if (id - info->first_block >= info->nblocks)
            continue;
        uint64_t block = id - info->first_block;
        uint64_t row = c->tables[k].first_row != NULL ? c->tables[k].first_row[block] : block;
        const struct hmf__types *types = hmf_meta_types(c->meta);
        uint64_t nleaves = types->v[info->type].nleaves;
        char path[128] = "";
        const char *past = (leaf & HMF__LEAF_PAST) != 0 ? " + 1" : "";
        leaf &= ~HMF__LEAF_PAST;
        if (nleaves != 0) {
            row += leaf / nleaves;
            leaf %= nleaves;
        }
        if (leaf != 0)
            hmf__layout_leaf_path(types, info->type, leaf, path, sizeof path);
        const char *name = name_row(c, k, row, &in);
        snprintf(text, len, "-> %.100s[%" PRIu64 "]%s%s", name, in, path, past);
        return;
    }
    snprintf(text, len, "-> block %" PRIu64 "?", id);
}

/* ---- the end ---- */

void hmf_check_close(hmf_check_t *c)
{
    if (c == NULL)
        return;
    forget_rank(c);
    hmf__manifest_free(c->manifest);
    hmf__index_free(c->index);
    hmf__free(c->path);
    hmf__free(c);
}
