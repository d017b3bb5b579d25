/* Images of machines that are not here: a native image as another ABI would have written it, made
 * with plans.  For tests only; the library never writes anything but its own layout. */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "carry.h"
#include "convert.h"
#include "meta.h"
#include "plan.h"

#include <stdlib.h>
#include <string.h>

static const struct hmf__abi foreign_abis[] = {
    {0, 8, 1, 8, HMF__LD_X87, 16, 16},  /* x86-64 */
    {0, 8, 0, 8, HMF__LD_QUAD, 16, 16}, /* aarch64 */
    {1, 8, 0, 8, HMF__LD_QUAD, 16, 8},  /* s390x */
    {0, 4, 1, 4, HMF__LD_X87, 12, 4},   /* i386 */
    {0, 4, 0, 8, HMF__LD_DOUBLE, 8, 8}, /* armhf */
    {1, 4, 0, 8, HMF__LD_PAIR, 16, 16}, /* powerpc */
    {1, 4, 1, 2, HMF__LD_X87, 12, 2},   /* m68k */
};
enum { FOREIGN_ABIS = sizeof foreign_abis / sizeof foreign_abis[0] };

/* What was registered: as many as the image has variables, in its order. */
struct foreign_var {
    const int *desc;
    size_t len;
};

/* Turn c into what that machine would have written.  Any status of the plan, say HMF_ERR_RANGE. */
static inline hmf_status_t foreign_turn(struct carried *c, const struct hmf__abi *abi,
                                        const struct foreign_var *vars)
{
    struct hmf__types f;
    struct hmf__buf meta = HMF__BUF_INIT;
    struct hmf__abi here;
    hmf_meta_t *m = NULL;
    hmf_status_t rc = hmf_meta_parse(c->meta, c->meta_len, &m);

    if (rc != HMF_OK)
        return rc;
    const struct hmf__types *n = hmf_meta_types(m);
    size_t nroots = hmf_meta_nroots(m), ntables = hmf_meta_ntables(m);
    struct hmf__meta_root *roots = calloc(nroots + 1, sizeof *roots);
    struct hmf__meta_table *tables = calloc(ntables + 1, sizeof *tables);
    uint32_t *map = malloc((n->n + 1) * sizeof *map), *ids = calloc(nroots + 1, sizeof *ids);
    hmf__types_init(&f, abi);
    for (size_t k = 0; k < nroots && rc == HMF_OK; k++)
        rc = hmf__types_compile(&f, vars[k].desc, vars[k].len, NULL, &ids[k]);
    if (rc == HMF_OK)
        rc = hmf__types_classes(&f);
    for (uint32_t k = 0; k < n->n; k++)
        map[k] = HMF__TYPE_NONE;
    for (size_t k = 0; k < nroots && rc == HMF_OK; k++) {
        const struct hmf__root_info *r = hmf_meta_root(m, k);
        rc = hmf__types_match(n, r->type, &f, ids[k], map);
        roots[k] = (struct hmf__meta_root){r->name, ids[k], r->count, r->block, r->row, r->leaf,
                                           r->inside};
    }
    for (size_t k = 0; k < ntables && rc == HMF_OK; k++) {
        const struct hmf__table_info *t = hmf_meta_table(m, k);
        tables[k] = (struct hmf__meta_table){map[t->type], t->nblocks, t->nrows, t->has_counts,
                                             t->has_leaves};
    }
    if (rc == HMF_OK)
        rc = hmf__meta_write(&f, tables, ntables, roots, nroots, &meta);
    hmf__abi_native(&here);
    bool swap = here.big_endian != abi->big_endian;
    for (size_t k = 0; k < c->nsegments && rc == HMF_OK; k++) {
        const struct hmf__segment_info *s = hmf_meta_segment(m, k);
        const struct hmf__table_info *t = hmf_meta_table(m, s->table);
        uint64_t bytes = c->bytes[k];
        unsigned each = s->kind == HMF__SEG_REF_BLOCK || s->kind == HMF__SEG_TAIL ? 4 : 8;
        struct hmf__plan *plan;
        if (s->kind == HMF__SEG_DATA)
            bytes = t->nrows * f.v[map[t->type]].size;
        else if (!swap)
            continue;
        unsigned char *data = malloc(bytes + 1);
        memset(data, 0x5a, bytes + 1);
        if (s->kind != HMF__SEG_DATA) {
            hmf__convert_swap(each, (char *)c->segment[k], each, (char *)data, each, bytes / each);
        } else if ((rc = hmf__plan_make(n, t->type, &f, map[t->type], &plan)) == HMF_OK) {
            rc = hmf__plan_run(plan, c->segment[k], data, t->nrows);
            hmf__plan_free(plan);
        }
        free(c->segment[k]);
        c->segment[k] = data;
        c->bytes[k] = bytes;
    }
    if (rc == HMF_OK) {
        free(c->meta);
        c->meta = malloc(meta.len);
        memcpy(c->meta, meta.data, meta.len);
        c->meta_len = meta.len;
    }
    hmf__buf_fini(&meta);
    hmf__types_fini(&f);
    hmf_meta_free(m);
    free(roots);
    free(tables);
    free(map);
    free(ids);
    return rc;
}

#endif
