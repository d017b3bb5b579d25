/*
 * How two checkpoints differ; see hmf_check_diff in include/hmf/check.h.
 */
#include "config.h"

#include "hmf/check.h"

#include "base.h"
#include "check_value.h"
#include "check_view.h"

#include <stdio.h>
#include <string.h>

struct diff {
    hmf_check_t *a, *b;
    double absolute, relative;
    uint64_t limit, found;
    void (*each)(void *ctx, const struct hmf_check_difference *difference);
    void *ctx;
    const char *name;
    uint64_t row;
};

static void tell(struct diff *d, const char *path, const char *a, const char *b)
{
    if (d->found++ < d->limit)
        d->each(d->ctx, &(struct hmf_check_difference){d->name, d->row, path, a, b});
}

static void leaf_differs(void *ctx, const char *path, const char *a, const char *b)
{
    tell(ctx, path, a, b);
}

/* Rows that both have, window by window. */
static hmf_status_t diff_rows(struct diff *d, const struct hmf__view_item *x,
                              const struct hmf__view_item *y, uint64_t rows)
{
    struct hmf__view_rows u, v = {0};
    const struct hmf__types *tx = hmf_meta_types(d->a->meta), *ty = hmf_meta_types(d->b->meta);
    struct hmf__value_side sx = {tx, x->type, NULL, hmf__view_pointer, &u};
    struct hmf__value_side sy = {ty, y->type, NULL, hmf__view_pointer, &v};
    /* Rows without pointers that are equal in every byte need no look at their fields, if the two
       are of one layout; that they are is plain where the bytes and texts of the types agree. */
    bool same = tx->v[x->type].nslots == 0 && x->row_bytes == y->row_bytes
        && memcmp(&tx->abi, &ty->abi, sizeof tx->abi) == 0
        && strcmp(x->type_text, y->type_text) == 0;
    hmf_status_t rc = hmf__view_rows_init(&u, d->a, x);
    if (rc == HMF_OK)
        rc = hmf__view_rows_init(&v, d->b, y);
    for (uint64_t first = 0; first < rows && rc == HMF_OK;) {
        rc = hmf__view_rows_read(&u, first);
        if (rc == HMF_OK)
            rc = hmf__view_rows_read(&v, first);
        uint64_t n = u.count < v.count ? u.count : v.count;
        if (n > rows - first)
            n = rows - first;
        for (uint64_t i = 0; i < n && rc == HMF_OK; i++) {
            sx.row = u.data + i * x->row_bytes;
            sy.row = v.data + i * y->row_bytes;
            if (same && memcmp(sx.row, sy.row, (size_t)x->row_bytes) == 0)
                continue;
            u.current = v.current = i;
            d->row = first + i;
            hmf__value_compare(&sx, &sy, d->absolute, d->relative, leaf_differs, d);
        }
        if (n == 0)
            break;
        first += n;
    }
    hmf__view_rows_fini(&v);
    hmf__view_rows_fini(&u);
    return rc;
}

static const struct hmf__view_item *find(hmf_check_t *c, const char *name)
{
    for (size_t i = 0; i < c->nitems; i++) {
        if (strcmp(c->items[i].name, name) == 0)
            return &c->items[i];
    }
    return NULL;
}

static hmf_status_t diff_items(struct diff *d)
{
    char a[64], b[64];
    hmf_status_t rc = HMF_OK;
    for (size_t i = 0; i < d->a->nitems && rc == HMF_OK; i++) {
        const struct hmf__view_item *x = &d->a->items[i], *y = find(d->b, x->name);
        d->name = x->name;
        d->row = 0;
        if (y == NULL) {
            tell(d, "", x->type_text, NULL);
            continue;
        }
        uint64_t rows = x->rows < y->rows ? x->rows : y->rows;
        if (x->rows != y->rows) {
            snprintf(a, sizeof a, "%llu rows", (unsigned long long)x->rows);
            snprintf(b, sizeof b, "%llu rows", (unsigned long long)y->rows);
            d->row = rows;
            tell(d, "", a, b);
        }
        rc = diff_rows(d, x, y, rows);
    }
    for (size_t i = 0; i < d->b->nitems; i++) {
        const struct hmf__view_item *y = &d->b->items[i];
        d->name = y->name;
        d->row = 0;
        if (find(d->a, y->name) == NULL)
            tell(d, "", NULL, y->type_text);
    }
    return rc;
}

hmf_status_t hmf_check_diff(hmf_check_t *a, hmf_check_t *b, int rank, double absolute,
                            double relative, uint64_t limit,
                            void (*each)(void *ctx, const struct hmf_check_difference *difference),
                            void *ctx, uint64_t *differences)
{
    struct diff d = {a, b, absolute, relative, limit, 0, each, ctx, "", 0};
    if (a == b || !(absolute >= 0) || !(relative >= 0))
        return hmf__fail(HMF_ERR_ARG, "to compare takes two handles and tolerances that are not "
                         "negative");
    hmf_status_t rc = hmf__view_rank(a, rank);
    if (rc == HMF_OK)
        rc = hmf__view_rank(b, rank);
    if (rc == HMF_OK)
        rc = diff_items(&d);
    if (rc == HMF_OK)
        *differences = d.found;
    return rc;
}
