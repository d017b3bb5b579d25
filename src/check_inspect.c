/*
 * What include/hmf/check.h offers on one checkpoint: list, open, verify, print.
 */
#include "config.h"

#include "hmf/check.h"

#include "base.h"
#include "check_dir.h"
#include "check_global.h"
#include "check_manifest.h"
#include "check_value.h"
#include "check_view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ROW_TEXT 4096

/* Of both kinds newest first, and of one number that in HMF_DIR before that in the nodes'. */
static unsigned next_form(const struct hmf__dir_list *list, size_t i, size_t k)
{
    return i == list->ngenerations
           || (k < list->nlocals && list->locals[k] > list->generations[i]) ? HMF__DIR_LOCAL : 0;
}

hmf_status_t hmf_check_list(const char *dir,
                            void (*each)(void *ctx, const struct hmf_check_generation *generation),
                            void *ctx)
{
    struct hmf__dir_list list;
    char path[HMF__DIR_PATH_MAX];
    hmf_status_t rc = hmf__dir_list(dir, &list);
    if (rc != HMF_OK)
        return rc;
    size_t i = 0, k = 0;
    while (i < list.ngenerations || k < list.nlocals) {
        struct hmf__manifest *m = NULL;
        unsigned form = next_form(&list, i, k);
        struct hmf_check_generation g = {
            .number = form == 0 ? list.generations[i++] : list.locals[k++], .problem = "",
            .level = hmf__level_name(HMF__LEVEL_SHARED)
        };
        rc = hmf__dir_name(dir, g.number, form, path);
        if (rc == HMF_OK)
            rc = hmf__manifest_read(path, &m);
        g.complete = rc == HMF_OK;
        if (rc != HMF_OK)
            g.problem = hmf_error_text();
        else
            g.level = hmf__level_name(m->level);
        each(ctx, &g);
        hmf__manifest_free(m);
    }
    hmf__dir_list_fini(&list);
    return HMF_OK;
}

/* The newest generation of a job's directory whose manifest is intact. */
static hmf_status_t newest(const char *dir, char *path, struct hmf__manifest **m)
{
    struct hmf__dir_list list;
    hmf_status_t rc = hmf__dir_list(dir, &list);
    if (rc != HMF_OK)
        return rc;
    rc = hmf__fail(HMF_ERR_NOTFOUND, "%s is no checkpoint: it has no manifest and no generations",
                   dir);
    size_t i = 0, k = 0;
    while (i + k < list.ngenerations + list.nlocals && rc != HMF_OK) {
        unsigned form = next_form(&list, i, k);
        rc = hmf__dir_name(dir, form == 0 ? list.generations[i++] : list.locals[k++], form, path);
        if (rc == HMF_OK)
            rc = hmf__manifest_read(path, m);
    }
    hmf__dir_list_fini(&list);
    return rc;
}

hmf_status_t hmf_check_open(const char *name, hmf_check_t **out)
{
    char path[HMF__DIR_PATH_MAX];
    struct stat st;
    hmf_check_t *c = hmf__calloc(1, sizeof(*c));
    hmf_status_t rc = HMF_OK;
    if (c == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to open %s", name);
    c->rank = -1;
    if (stat(name, &st) != 0)
        rc = hmf__fail(errno == ENOENT ? HMF_ERR_NOTFOUND : HMF_ERR_IO, "cannot open %s: %s", name,
                       strerror(errno));
    else if (!S_ISDIR(st.st_mode) || strlen(name) >= sizeof path)
        rc = hmf__fail(HMF_ERR_ARG, "%s is no directory: give a job's checkpoint directory or one "
                       "generation of it", name);
    if (rc != HMF_OK)
        goto close_check;
    snprintf(path, sizeof path, "%s", name);
    rc = hmf__manifest_read(path, &c->manifest);
    if (rc == HMF_ERR_NOTFOUND)
        rc = newest(name, path, &c->manifest);
    if (rc != HMF_OK)
        goto close_check;
    for (int i = 0; i < c->manifest->nranks; i++)
        c->bytes += c->manifest->seals[i].bytes;
    c->bytes += c->manifest->global.bytes;
    c->path = hmf__strdup(path);
    if (c->path == NULL) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to open %s", name);
        goto close_check;
    }
    *out = c;
    return HMF_OK;

close_check:
    hmf_check_close(c);
    return rc;
}

void hmf_check_get_info(const hmf_check_t *c, struct hmf_check_info *out)
{
    *out = (struct hmf_check_info){
        .path = c->path, .program = c->manifest->program, .library = c->manifest->library,
        .time = c->manifest->time, .generation = c->manifest->generation,
        .nranks = c->manifest->nranks, .bytes = c->bytes,
        .level = hmf__level_name(c->manifest->level)
    };
}

hmf_status_t hmf_check_verify(hmf_check_t *c, int rank)
{
    if (c->rank == rank)
        return hmf__file_verify(c->file);
    return hmf__view_rank(c, rank);
}

hmf_status_t hmf_check_count(hmf_check_t *c, int rank, size_t *n)
{
    hmf_status_t rc = hmf__view_rank(c, rank);
    if (rc == HMF_OK)
        *n = c->nitems;
    return rc;
}

hmf_status_t hmf_check_var(hmf_check_t *c, int rank, size_t i, struct hmf_check_var *out)
{
    hmf_status_t rc = hmf__view_rank(c, rank);
    if (rc != HMF_OK)
        return rc;
    if (i >= c->nitems)
        return hmf__fail(HMF_ERR_NOTFOUND, "%s has %zu variables and tables", c->file->path,
                         c->nitems);
    const struct hmf__view_item *item = &c->items[i];
    *out = (struct hmf_check_var){
        .name = item->name, .type = item->type_text, .rows = item->rows,
        .bytes = item->rows * item->row_bytes, .heap = item->heap
    };
    return HMF_OK;
}

hmf_status_t hmf_check_arrays(hmf_check_t *c, size_t *n)
{
    const struct hmf__manifest *m = c->manifest;
    struct hmf__file *f = NULL;
    size_t bytes;
    *n = 0;
    if (m->global.bytes == 0)
        return HMF_OK;
    if (c->index == NULL) {
        hmf_status_t rc = hmf__global_open(c->path, &m->global, m->nranks, &f, &c->index, &bytes);
        if (rc != HMF_OK)
            return rc;
        hmf__file_close(f);
    }
    *n = c->index->nvars;
    return HMF_OK;
}

hmf_status_t hmf_check_array(hmf_check_t *c, size_t i, struct hmf_check_array *out)
{
    size_t n;
    hmf_status_t rc = hmf_check_arrays(c, &n);
    if (rc != HMF_OK)
        return rc;
    if (i >= n)
        return hmf__fail(HMF_ERR_NOTFOUND, "%s has %zu declared variables", c->path, n);
    const struct hmf__index_var *v = &c->index->vars[i];
    *out = (struct hmf_check_array){
        .name = v->name, .equal = v->share == HMF__SHARE_EQUAL, .ndims = v->ndims,
        .shape = v->shape
    };
    for (int r = 0; r < c->index->nranks && v->parts != NULL; r++) {
        for (size_t k = 0; k < v->parts[r].npieces; k++) {
            const struct hmf_piece *p = &v->parts[r].pieces[k];
            if (p->halo)
                continue;
            out->pieces++;
            out->elements += hmf__parts_volume(v->ndims, p->extent);
        }
    }
    return HMF_OK;
}

hmf_status_t hmf_check_print(hmf_check_t *c, int rank, const char *name, uint64_t first,
                             uint64_t count,
                             void (*row)(void *ctx, uint64_t index, const char *text), void *ctx)
{
    const struct hmf__view_item *item;
    struct hmf__view_rows w;
    char text[ROW_TEXT];
    hmf_status_t rc = hmf__view_rank(c, rank);
    if (rc == HMF_OK)
        rc = hmf__view_find(c, name, &item);
    if (rc == HMF_OK)
        rc = hmf__view_rows_init(&w, c, item);
    if (rc != HMF_OK)
        return rc;
    uint64_t end = first < item->rows ? item->rows : first;
    if (count < end - first)
        end = first + count;
    while (first < end && rc == HMF_OK) {
        rc = hmf__view_rows_read(&w, first);
        for (uint64_t i = 0; i < w.count && first < end && rc == HMF_OK; i++, first++) {
            w.current = i;
            hmf__value_text(hmf_meta_types(c->meta), item->type, w.data + i * item->row_bytes,
                            hmf__view_pointer, &w, text, sizeof text);
            row(ctx, first, text);
        }
    }
    hmf__view_rows_fini(&w);
    return rc;
}

hmf_status_t hmf_check_bytes(hmf_check_t *c, int rank, const char *name, uint64_t first,
                             uint64_t count, void *bytes, size_t len)
{
    const struct hmf__view_item *item;
    struct hmf__view_rows w;
    unsigned char *to = bytes;
    hmf_status_t rc = hmf__view_rank(c, rank);
    if (rc == HMF_OK)
        rc = hmf__view_find(c, name, &item);
    if (rc != HMF_OK)
        return rc;
    if (first > item->rows || count > item->rows - first
        || (item->row_bytes != 0 && count > len / item->row_bytes))
        return hmf__fail(HMF_ERR_ARG, "%s has %llu rows of %llu bytes: asked for %llu from %llu on",
                         name, (unsigned long long)item->rows, (unsigned long long)item->row_bytes,
                         (unsigned long long)count, (unsigned long long)first);
    rc = hmf__view_rows_init(&w, c, item);
    while (rc == HMF_OK && count > 0) {
        rc = hmf__view_rows_read(&w, first);
        uint64_t n = w.count < count ? w.count : count;
        if (rc == HMF_OK)
            memcpy(to, w.data, (size_t)(n * item->row_bytes));
        to += n * item->row_bytes;
        first += n;
        count -= n;
    }
    hmf__view_rows_fini(&w);
    return rc;
}
