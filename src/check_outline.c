/*
 * The rule by which an image is laid out as datasets; see check_outline.h.
 */
#include "config.h"

#include "check_outline.h"

#include "base.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to this many variables each has its own dataset; beyond, those of OWN_BYTES and more, and no
   more than OWN_MAX of them: a dataset costs some 30 us, whatever its size. */
#define OWN_ALL 64
#define OWN_BYTES 4096
#define OWN_MAX 256

#define TYPE_TEXT_MAX 1024
#define NAME_TYPE_MAX 64                /* type text in /names */

/* ---- growing lists ---- */

static struct hmf__outline_dataset *add_dataset(struct hmf__outline *p, const char *path)
{
    if (p->ndatasets == p->dataset_capacity) {
        size_t n = p->dataset_capacity != 0 ? p->dataset_capacity * 2 : 64;
        struct hmf__outline_dataset *d = hmf__realloc(p->datasets, n * sizeof(*d));
        if (d == NULL)
            return NULL;
        p->datasets = d;
        p->dataset_capacity = n;
    }
    struct hmf__outline_dataset *d = &p->datasets[p->ndatasets];
    memset(d, 0, sizeof(*d));
    d->path = hmf__strdup(path);
    if (d->path == NULL)
        return NULL;
    p->ndatasets++;
    return d;
}

/* Adds a run at the end of the last dataset. */
static bool add_run(struct hmf__outline *p, uint32_t segment, uint64_t segment_offset,
                    uint64_t bytes)
{
    struct hmf__outline_dataset *d = &p->datasets[p->ndatasets - 1];
    if (bytes == 0)
        return true;
    if (p->nruns == p->run_capacity) {
        size_t n = p->run_capacity != 0 ? p->run_capacity * 2 : 64;
        struct hmf__outline_run *r = hmf__realloc(p->runs, n * sizeof(*r));
        if (r == NULL)
            return false;
        p->runs = r;
        p->run_capacity = n;
    }
    p->runs[p->nruns++] = (struct hmf__outline_run){
        .dataset = (uint32_t)(p->ndatasets - 1), .segment = segment,
        .segment_offset = segment_offset, .dataset_offset = d->bytes, .bytes = bytes
    };
    d->bytes += bytes;
    return true;
}

/* ---- the variables' own datasets ---- */

struct own {
    const struct hmf__root_info *root;
    size_t index;                       /* among the roots */
    uint64_t bytes;
    bool chosen;
    uint32_t dataset;
};

static int by_size(const void *a, const void *b)
{
    const struct own *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int by_row(const void *a, const void *b)
{
    const struct own *x = a, *y = b;
    if (x->root->table != y->root->table)
        return x->root->table < y->root->table ? -1 : 1;
    if (x->root->row != y->root->row)
        return x->root->row < y->root->row ? -1 : 1;
    /* of two at the same rows the larger comes first, the other lies within it */
    if (x->root->nrows != y->root->nrows)
        return x->root->nrows > y->root->nrows ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Marks the variables that get a dataset and sorts all by table and row. */
static void choose(struct own *own, size_t n, const hmf_meta_t *meta)
{
    size_t many = 0;
    qsort(own, n, sizeof(*own), by_size);
    for (size_t i = 0; i < n; i++) {
        const struct hmf__table_info *t = hmf_meta_table(meta, own[i].root->table);
        if (t->nslots != 0 || own[i].root->inside || own[i].bytes == 0)
            continue;
        own[i].chosen = n <= OWN_ALL || (own[i].bytes >= OWN_BYTES && many < OWN_MAX);
        many += own[i].chosen;
    }
    qsort(own, n, sizeof(*own), by_row);
    uint64_t end = 0;
    for (size_t i = 0; i < n; i++) {
        const struct hmf__root_info *r = own[i].root;
        if (i == 0 || r->table != own[i - 1].root->table)
            end = 0;
        if (own[i].chosen && r->row < end)
            own[i].chosen = false;
        if (own[i].chosen)
            end = r->row + r->nrows;
    }
}

/* A link name of HDF5 made of a registered name; unique in the plan, by a number at its end. */
static char *state_path(const struct hmf__outline *p, const char *name)
{
    size_t n = strlen(name) + 32;
    char *path = hmf__malloc(n);
    if (path == NULL)
        return NULL;
    snprintf(path, n, "/state/%s", name);
    for (char *c = path + 7; *c != '\0'; c++) {
        if (*c == '/')
            *c = '_';
    }
    if (strcmp(path + 7, ".") == 0)
        path[7] = '_';
    size_t base = strlen(path);
    for (unsigned k = 2;; k++) {
        size_t i = 0;
        while (i < p->ndatasets && strcmp(p->datasets[i].path, path) != 0)
            i++;
        if (i == p->ndatasets)
            return path;
        snprintf(path + base, n - base, "~%u", k);
    }
}

/* The extents of a variable: how many unless one, then those of its type's arrays down to the
   table's type; no extents are a scalar. */
static void set_extents(struct hmf__outline_dataset *d, const struct hmf__types *types,
                        const struct hmf__root_info *r, uint32_t element)
{
    uint64_t rows = 1;
    uint32_t type = r->type;
    d->ndims = 0;
    if (r->count != 1) {
        d->dims[d->ndims++] = r->count;
        rows = r->count;
    }
    while (type < types->n && type != element && types->v[type].kind == HMF__KIND_ARRAY
           && d->ndims < HMF__OUTLINE_MAX_DIMS) {
        d->dims[d->ndims++] = types->v[type].count;
        if (hmf__mul_overflow_u64(rows, types->v[type].count, &rows))
            break;
        type = types->v[type].elem;
    }
    if (rows != r->nrows) {
        d->ndims = 1;
        d->dims[0] = r->nrows;
    }
}

/* ---- a table's datasets ---- */

static bool set_type_text(struct hmf__outline_dataset *d, const struct hmf__types *types,
                          uint32_t type)
{
    char text[TYPE_TEXT_MAX];
    hmf__outline_type_text(types, type, text, sizeof text);
    d->text = hmf__strdup(text);
    return d->text != NULL;
}

/* The DATA segment: the chosen variables, then the rows that are left. */
static bool plan_data(struct hmf__outline *p, uint32_t segment, uint32_t table, struct own *own,
                      size_t n)
{
    const struct hmf__types *types = hmf_meta_types(p->meta);
    const struct hmf__table_info *t = hmf_meta_table(p->meta, table);
    uint64_t bytes = hmf_meta_segment(p->meta, segment)->bytes;
    uint64_t row_bytes = types->v[t->type].size;
    bool regular = row_bytes != 0 && bytes / row_bytes == t->nrows && bytes % row_bytes == 0;

    for (size_t i = 0; i < n && regular; i++) {
        const struct hmf__root_info *r = own[i].root;
        if (!own[i].chosen || r->table != table)
            continue;
        char *path = state_path(p, r->name);
        struct hmf__outline_dataset *d = path != NULL ? add_dataset(p, path) : NULL;
        hmf__free(path);
        if (d == NULL)
            return false;
        own[i].dataset = (uint32_t)(p->ndatasets - 1);
        d->form = HMF__OUTLINE_VALUES;
        d->type = t->type;
        set_extents(d, types, r, t->type);
        if (!set_type_text(d, types, r->type)
            || !add_run(p, segment, r->row * row_bytes, r->nrows * row_bytes))
            return false;
    }

    char path[HMF__PART_PATH_MAX];
    snprintf(path, sizeof path, "/tables/%s", t->name);
    struct hmf__outline_dataset *d = add_dataset(p, path);
    if (d == NULL)
        return false;
    uint64_t at = 0;
    for (size_t i = 0; i < n && regular; i++) {
        const struct hmf__root_info *r = own[i].root;
        if (!own[i].chosen || r->table != table)
            continue;
        if (!add_run(p, segment, at, r->row * row_bytes - at))
            return false;
        at = (r->row + r->nrows) * row_bytes;
    }
    if (!add_run(p, segment, at, bytes - at))
        return false;
    d = &p->datasets[p->ndatasets - 1];
    if (d->bytes == 0) {
        /* every row is a variable's own */
        hmf__free(d->path);
        p->ndatasets--;
        return true;
    }
    d->ndims = 1;
    d->form = regular ? HMF__OUTLINE_VALUES : HMF__OUTLINE_BYTES;
    d->type = t->type;
    d->dims[0] = regular ? d->bytes / row_bytes : d->bytes;
    return set_type_text(d, types, t->type);
}

static bool plan_numbers(struct hmf__outline *p, uint32_t segment, uint32_t table,
                         const char *suffix,
                         uint32_t size, bool slots)
{
    const struct hmf__table_info *t = hmf_meta_table(p->meta, table);
    uint64_t bytes = hmf_meta_segment(p->meta, segment)->bytes;
    char path[HMF__PART_PATH_MAX];
    snprintf(path, sizeof path, "/tables/%s.%s", t->name, suffix);
    struct hmf__outline_dataset *d = add_dataset(p, path);
    if (d == NULL)
        return false;
    uint64_t row, all;
    d->ndims = 1;
    d->type = t->type;
    d->size = size;
    if (slots && t->nslots != 0 && !hmf__mul_overflow_u64(t->nslots, size, &row)
        && !hmf__mul_overflow_u64(row, t->nrows, &all) && all == bytes) {
        d->form = HMF__OUTLINE_SLOTS;
        d->dims[0] = t->nrows;
    } else if (bytes % size == 0) {
        d->form = HMF__OUTLINE_UINT;
        d->dims[0] = bytes / size;
    } else {
        d->form = HMF__OUTLINE_BYTES;
        d->dims[0] = bytes;
    }
    return add_run(p, segment, 0, bytes);
}

/* ---- our own records ---- */

static uint32_t add_field(struct hmf__outline_field *f, uint32_t at, const char *name,
                          uint32_t bytes,
                          bool text)
{
    *f = (struct hmf__outline_field){name, at, bytes, text};
    return at + bytes;
}

static void put_u64(unsigned char *to, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(v >> (8 * i));
}

static void put_text(unsigned char *to, uint32_t size, const char *text)
{
    size_t n = strlen(text);
    memcpy(to, text, n < size ? n : size);
}

static bool add_record(struct hmf__outline *p, const char *path,
                       const struct hmf__outline_field *fields,
                       size_t nfields, uint32_t size, uint64_t records, uint32_t segment)
{
    struct hmf__outline_dataset *d = add_dataset(p, path);
    if (d == NULL)
        return false;
    d->form = HMF__OUTLINE_RECORD;
    d->fields = fields;
    d->nfields = nfields;
    d->size = size;
    d->ndims = 1;
    d->dims[0] = records;
    return add_run(p, segment, 0, records * size);
}

/* /image/tables: how block ids and rows are counted. */
static bool plan_tables(struct hmf__outline *p)
{
    size_t n = hmf_meta_ntables(p->meta);
    uint32_t name_max = 8;
    for (size_t i = 0; i < n; i++) {
        size_t k = strlen(hmf_meta_table(p->meta, i)->name);
        if (k > name_max)
            name_max = (uint32_t)(k < 1024 ? k : 1024);
    }
    struct hmf__outline_field *f = p->table_fields;
    uint32_t size = 0;
    size = add_field(&f[0], size, "table", name_max, true);
    size = add_field(&f[1], size, "first_block", 8, false);
    size = add_field(&f[2], size, "blocks", 8, false);
    size = add_field(&f[3], size, "rows", 8, false);
    size = add_field(&f[4], size, "row_bytes", 8, false);
    size = add_field(&f[5], size, "pointers", 8, false);
    if (n == 0)
        return true;
    p->tables = hmf__calloc(n, size);
    if (p->tables == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct hmf__table_info *t = hmf_meta_table(p->meta, i);
        unsigned char *to = p->tables + i * size;
        put_text(to, name_max, t->name);
        put_u64(to + f[1].offset, t->first_block);
        put_u64(to + f[2].offset, t->nblocks);
        put_u64(to + f[3].offset, t->nrows);
        put_u64(to + f[4].offset, hmf_meta_types(p->meta)->v[t->type].size);
        put_u64(to + f[5].offset, t->nslots);
    }
    p->tables_dataset = (uint32_t)p->ndatasets;
    return add_record(p, "/image/tables", f, 6, size, n, HMF__OUTLINE_INFO);
}

/* /names: where each registered variable is. own is in the order of table and row. */
static bool plan_names(struct hmf__outline *p, const struct own *own, size_t n)
{
    uint32_t name_max = 8, path_max = 8;
    if (n == 0)
        return true;
    for (size_t i = 0; i < n; i++) {
        size_t k = strlen(own[i].root->name);
        if (k > name_max)
            name_max = (uint32_t)(k < 1024 ? k : 1024);
    }
    for (size_t i = 0; i < p->ndatasets; i++) {
        size_t k = strlen(p->datasets[i].path);
        if (k > path_max)
            path_max = (uint32_t)(k < HMF__PART_PATH_MAX ? k : HMF__PART_PATH_MAX);
    }
    struct hmf__outline_field *f = p->name_fields;
    uint32_t size = 0;
    size = add_field(&f[0], size, "name", name_max, true);
    size = add_field(&f[1], size, "dataset", path_max, true);
    size = add_field(&f[2], size, "row", 8, false);
    size = add_field(&f[3], size, "rows", 8, false);
    size = add_field(&f[4], size, "leaf", 8, false);
    size = add_field(&f[5], size, "block", 8, false);
    size = add_field(&f[6], size, "type", NAME_TYPE_MAX, true);
    size_t total;
    if (hmf__mul_overflow(n, size, &total))
        return false;
    p->names = hmf__calloc(1, total);
    if (p->names == NULL)
        return false;
    const struct hmf__types *types = hmf_meta_types(p->meta);
    uint64_t cut = 0;                   /* rows of the table so far that are variables' own */
    const struct own *last = NULL;      /* the variable's own dataset met last in this table */
    for (size_t i = 0; i < n; i++) {
        const struct hmf__root_info *r = own[i].root;
        unsigned char *to = p->names + own[i].index * size;
        char text[NAME_TYPE_MAX + 1], path[HMF__PART_PATH_MAX];
        if (i == 0 || r->table != own[i - 1].root->table) {
            cut = 0;
            last = NULL;
        }
        snprintf(path, sizeof path, "/tables/%s", hmf_meta_table(p->meta, r->table)->name);
        uint64_t row = r->row - cut;
        if (own[i].chosen) {
            last = &own[i];
            cut += r->nrows;
        }
        if (last != NULL && r->row < last->root->row + last->root->nrows) {
            snprintf(path, sizeof path, "%s", p->datasets[last->dataset].path);
            row = r->row - last->root->row;
        }
        hmf__outline_type_text(types, r->type, text, sizeof text);
        put_text(to + f[0].offset, name_max, r->name);
        put_text(to + f[1].offset, path_max, path);
        put_u64(to + f[2].offset, row);
        put_u64(to + f[3].offset, r->nrows);
        put_u64(to + f[4].offset, r->leaf);
        put_u64(to + f[5].offset, r->block);
        put_text(to + f[6].offset, NAME_TYPE_MAX, text);
    }
    p->names_dataset = (uint32_t)p->ndatasets;
    return add_record(p, "/names", f, 7, size, n, HMF__OUTLINE_INFO);
}

/* /image/parts: one record per run of the image, filled in by check_file.c when it is written. */
static bool plan_parts(struct hmf__outline *p)
{
    uint32_t path_max = 8, nparts = 0;
    for (size_t i = 0; i < p->nruns; i++) {
        if (p->runs[i].segment == HMF__OUTLINE_INFO)
            continue;
        size_t k = strlen(p->datasets[p->runs[i].dataset].path);
        if (k > path_max)
            path_max = (uint32_t)(k < HMF__PART_PATH_MAX ? k : HMF__PART_PATH_MAX);
        nparts++;
    }
    path_max = (path_max + 7) / 8 * 8;
    struct hmf__outline_field *f = p->part_fields;
    uint32_t size = 0;
    size = add_field(&f[0], size, "offset", 8, false);
    size = add_field(&f[1], size, "bytes", 8, false);
    size = add_field(&f[2], size, "segment_offset", 8, false);
    size = add_field(&f[3], size, "segment", 4, false);
    size = add_field(&f[4], size, "crc32c", 4, false);
    size = add_field(&f[5], size, "table", 4, false);
    size = add_field(&f[6], size, "kind", 4, false);
    size = add_field(&f[7], size, "dataset", path_max, true);
    p->nparts = nparts;
    p->part_bytes = size;
    p->parts_dataset = (uint32_t)p->ndatasets;
    return add_record(p, "/image/parts", f, 8, size, nparts, HMF__OUTLINE_PARTS);
}

/* ---- the whole ---- */

static bool plan_all(struct hmf__outline *p, size_t meta_len, struct own *own, size_t nroots)
{
    choose(own, nroots, p->meta);
    for (size_t i = 0; i < hmf_meta_nsegments(p->meta); i++) {
        const struct hmf__segment_info *s = hmf_meta_segment(p->meta, i);
        uint32_t k = (uint32_t)i;
        bool ok = true;
        if (s->bytes == 0)
            continue;
        switch (s->kind) {
        case HMF__SEG_DATA:
            ok = plan_data(p, k, s->table, own, nroots);
            break;
        case HMF__SEG_COUNTS:
            ok = plan_numbers(p, k, s->table, "counts", 8, false);
            break;
        case HMF__SEG_REF_BLOCK:
            ok = plan_numbers(p, k, s->table, "refs", 4, true);
            break;
        case HMF__SEG_REF_LEAF:
            ok = plan_numbers(p, k, s->table, "leaves", 8, true);
            break;
        case HMF__SEG_TAIL:
            ok = plan_numbers(p, k, s->table, "tails", 4, false);
            break;
        }
        if (!ok)
            return false;
    }
    if (!plan_names(p, own, nroots) || !plan_tables(p))
        return false;
    struct hmf__outline_dataset *d = add_dataset(p, "/image/meta");
    if (d == NULL)
        return false;
    p->meta_dataset = (uint32_t)(p->ndatasets - 1);
    d->form = HMF__OUTLINE_BYTES;
    d->ndims = 1;
    d->dims[0] = meta_len;
    return add_run(p, HMF__OUTLINE_META, 0, meta_len) && plan_parts(p);
}

hmf_status_t hmf__outline_new(const void *meta, size_t meta_len, struct hmf__outline **out)
{
    hmf_status_t rc = HMF_ERR_NOMEM;
    struct own *own = NULL;
    struct hmf__outline *p = hmf__calloc(1, sizeof(*p));
    if (p == NULL)
        goto no_memory;
    p->names_dataset = p->tables_dataset = UINT32_MAX;
    rc = hmf_meta_parse(meta, meta_len, &p->meta);
    if (rc != HMF_OK)
        goto free_plan;
    rc = HMF_ERR_NOMEM;
    size_t n = hmf_meta_nroots(p->meta);
    own = hmf__calloc(n, sizeof(*own));
    if (own == NULL)
        goto no_memory;
    for (size_t i = 0; i < n; i++) {
        const struct hmf__root_info *r = hmf_meta_root(p->meta, i);
        const struct hmf__table_info *t = hmf_meta_table(p->meta, r->table);
        own[i].root = r;
        own[i].index = i;
        own[i].bytes = r->nrows * hmf_meta_types(p->meta)->v[t->type].size;
    }
    if (!plan_all(p, meta_len, own, n))
        goto no_memory;
    hmf__free(own);
    *out = p;
    return HMF_OK;

no_memory:
    hmf__fail(rc, "no memory to lay out a checkpoint file");
free_plan:
    hmf__free(own);
    hmf__outline_free(p);
    return rc;
}

void hmf__outline_free(struct hmf__outline *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->ndatasets; i++) {
        hmf__free(p->datasets[i].path);
        hmf__free(p->datasets[i].text);
    }
    hmf__free(p->datasets);
    hmf__free(p->runs);
    hmf__free(p->names);
    hmf__free(p->tables);
    hmf_meta_free(p->meta);
    hmf__free(p);
}
