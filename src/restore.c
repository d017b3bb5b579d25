/* Restoring an image into the registered variables.
 *
 * Counts come first, so all heap blocks are allocated before any data arrives.  Where the
 * layouts agree, large blocks are received in place; small ones, and all of another layout, pass
 * through a buffer.  References are set as soon as a table's have arrived.
 */
#include "config.h"

#include "restore.h"

#include "base.h"
#include "handle.h"

#include <stdio.h>
#include <string.h>

hmf_status_t hmf__restore_no_memory(const char *what, uint64_t n)
{
    return hmf__fail(HMF_ERR_NOMEM, "no memory to restore %llu %s", (unsigned long long)n, what);
}

/* ---- begin ---- */

static hmf_status_t match_variables(hmf_restore_t *r)
{
    const struct hmf__types *w = hmf_meta_types(r->meta);
    struct hmf__types *types = &r->state->types;
    size_t nroots = hmf_meta_nroots(r->meta);
    hmf_status_t rc;

    if ((rc = hmf__types_classes(types)) != HMF_OK)
        return rc;
    r->map = hmf__malloc(w->n * sizeof *r->map);
    r->vars = hmf__calloc(nroots, sizeof *r->vars);
    if (!r->map || !r->vars)
        return hmf__restore_no_memory("variables", nroots);
    for (uint32_t i = 0; i < w->n; i++)
        r->map[i] = HMF__TYPE_NONE;
    for (size_t i = 0; i < nroots; i++) {
        const struct hmf__root_info *root = hmf_meta_root(r->meta, i);
        const struct hmf__var *v = hmf__state_find(r->state, root->name);
        if (!v)
            return hmf__fail(HMF_ERR_MISMATCH, "the saved state has a variable %s, which is not "
                             "registered: register it before reading the state", root->name);
        r->vars[i] = v;
        rc = hmf__types_match(w, root->type, types, v->type, r->map);
        if (rc != HMF_OK)
            return hmf__fail_prefix(rc, "variable %s", root->name);
        if (v->count != root->count)
            return hmf__fail(HMF_ERR_MISMATCH, "variable %s was saved as %llu elements, but %llu "
                             "are registered", root->name, (unsigned long long)root->count,
                             (unsigned long long)v->count);
    }
    for (size_t i = 0; i < r->state->nvars; i++) {
        const struct hmf__var *v = &r->state->vars[i].var;
        size_t k = 0;
        if (nroots == r->state->nvars) /* names are unique on both sides: all are there */
            break;
        while (k < nroots && r->vars[k] != v)
            k++;
        if (k == nroots)
            return hmf__fail(HMF_ERR_MISMATCH, "variable %s is registered, but the saved state has "
                             "none of that name", v->name);
    }
    return HMF_OK;
}

static hmf_status_t make_tables(hmf_restore_t *r)
{
    const struct hmf__types *w = hmf_meta_types(r->meta), *types = &r->state->types;
    size_t n = hmf_meta_ntables(r->meta);
    hmf_status_t rc;

    if (!(r->tables = hmf__calloc(n, sizeof *r->tables)))
        return hmf__restore_no_memory("tables", n);
    for (; r->ntables < n; r->ntables++) {
        struct hmf__rtable *t = &r->tables[r->ntables];
        t->info = hmf_meta_table(r->meta, r->ntables);
        t->type = r->map[t->info->type];
        if (t->type == HMF__TYPE_NONE)
            return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: no variable leads to its "
                             "table %zu", r->ntables);
        t->from_size = w->v[t->info->type].size;
        t->to_size = types->v[t->type].size;
        r->nblocks += t->info->nblocks;
        if (t->info->nrows > (uint64_t)PTRDIFF_MAX / t->to_size ||
            t->info->nrows > (uint64_t)PTRDIFF_MAX / t->from_size)
            return hmf__fail(HMF_ERR_LIMIT, "the saved state is larger than this machine's "
                             "memory");
        if ((rc = hmf__plan_make(w, t->info->type, types, t->type, &t->plan)) != HMF_OK ||
            (rc = hmf__slots_make(types, t->type, &t->slots)) != HMF_OK) {
            r->ntables++;
            return rc;
        }
    }
    return HMF_OK;
}

hmf_status_t hmf_restore_begin(hmf_state_t *state, const void *meta, size_t len,
                               hmf_restore_t **out)
{
    hmf_restore_t *r = hmf__calloc(1, sizeof *r);
    hmf_status_t rc;

    if (!r)
        return hmf__restore_no_memory("images", 1);
    r->state = state;
    hmf__handle_find_begin();
    if ((rc = hmf_meta_parse(meta, len, &r->meta)) != HMF_OK ||
        (rc = match_variables(r)) != HMF_OK || (rc = make_tables(r)) != HMF_OK) {
        hmf_restore_abort(r);
        return rc;
    }
    *out = r;
    return HMF_OK;
}

const hmf_meta_t *hmf_restore_meta(const hmf_restore_t *r)
{
    return r->meta;
}

size_t hmf_restore_nsegments(const hmf_restore_t *r)
{
    return hmf_meta_nsegments(r->meta);
}

/* ---- segments ---- */

static bool add_iov(hmf_restore_t *r, char *base, uint64_t len)
{
    struct iovec *last = r->niov ? &r->iov[r->niov - 1] : NULL;

    if (!len)
        return true;
    if (last && (char *)last->iov_base + last->iov_len == base) {
        last->iov_len += (size_t)len;
        return true;
    }
    if (r->niov == r->iov_cap) {
        size_t cap = r->iov_cap ? 2 * r->iov_cap : 16;
        void *v = hmf__realloc(r->iov, cap * sizeof *r->iov);
        if (!v)
            return false;
        r->iov = v;
        r->iov_cap = cap;
    }
    r->iov[r->niov++] = (struct iovec){base, (size_t)len};
    return true;
}

static bool take_buffer(hmf_restore_t *r, uint64_t bytes)
{
    if (bytes <= r->buffer_bytes && r->buffer)
        return true;
    hmf__big_free(r->buffer, r->buffer_bytes);
    r->buffer_bytes = 0;
    r->buffer = bytes > SIZE_MAX / 2 ? NULL : hmf__big_alloc((size_t)bytes);
    if (r->buffer)
        r->buffer_bytes = (size_t)bytes;
    return r->buffer != NULL;
}

static bool in_place(const struct hmf__rtable *t, uint64_t bytes)
{
    return bytes >= HMF__DIRECT_BYTES && hmf__plan_same(t->plan);
}

static bool direct_data(hmf_restore_t *r, const struct hmf__rtable *t)
{
    uint64_t through = 0, bytes;

    for (uint64_t b = 0; b < t->info->nblocks; b++) {
        bytes = hmf__restore_rows(t, b) * t->from_size;
        if (!in_place(t, bytes))
            through += bytes;
    }
    if (!take_buffer(r, through))
        return false;
    char *at = r->buffer;
    for (uint64_t b = 0; b < t->info->nblocks; b++) {
        bytes = hmf__restore_rows(t, b) * t->from_size;
        if (in_place(t, bytes)) {
            if (!add_iov(r, t->addr[b], bytes))
                return false;
        } else {
            if (!add_iov(r, at, bytes))
                return false;
            at += bytes;
        }
    }
    return true;
}

hmf_status_t hmf_restore_segment(hmf_restore_t *r, size_t i, const struct iovec **iov,
                                 size_t *niov, uint64_t *bytes)
{
    const struct hmf__segment_info *s = hmf_meta_segment(r->meta, i);
    hmf_status_t rc;

    if (!s || i != r->next || r->asked)
        return hmf__fail(HMF_ERR_STATE, "segment %zu of an image is asked for, but %zu is next", i,
                         r->next);
    if (s->kind != HMF__SEG_COUNTS && s->kind != HMF__SEG_TAIL && !r->addr &&
        (rc = hmf__restore_allocate(r)) != HMF_OK)
        return rc;
    struct hmf__rtable *t = &r->tables[s->table];
    bool good = true;
    r->niov = 0;
    switch (s->kind) {
    case HMF__SEG_DATA:
        good = direct_data(r, t);
        break;
    case HMF__SEG_COUNTS:
        t->counts = s->bytes > SIZE_MAX / 2 ? NULL : hmf__big_alloc((size_t)s->bytes);
        good = t->counts && add_iov(r, (char *)t->counts, s->bytes);
        break;
    case HMF__SEG_TAIL:
        t->tails = s->bytes > SIZE_MAX / 2 ? NULL : hmf__big_alloc((size_t)s->bytes);
        good = t->tails && add_iov(r, (char *)t->tails, s->bytes);
        break;
    default:
        good = take_buffer(r, s->bytes) && add_iov(r, r->buffer, s->bytes);
    }
    if (!good)
        return hmf__restore_no_memory("bytes", s->bytes);
    r->asked = true;
    *iov = r->iov;
    *niov = r->niov;
    *bytes = s->bytes;
    return HMF_OK;
}

static hmf_status_t counts_done(hmf_restore_t *r, struct hmf__rtable *t)
{
    uint64_t sum = 0, n = t->info->nblocks;

    for (uint64_t b = 0; b < n; b++) {
        if (hmf__restore_foreign_order(r))
            t->counts[b] = __builtin_bswap64(t->counts[b]);
        if (t->counts[b] > t->info->nrows - sum)
            return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: the sizes of blocks exceed "
                             "those of their table");
        sum += t->counts[b];
    }
    return sum == t->info->nrows ? HMF_OK
                                 : hmf__fail(HMF_ERR_FORMAT, "the image is damaged: blocks are "
                                             "missing from a table");
}

/* Who a block is, for messages. */
static const char *block_name(const hmf_restore_t *r, const struct hmf__rtable *t, uint64_t b,
                              char *buf, size_t size)
{
    char text[120];

    for (size_t i = 0; i < hmf_meta_nroots(r->meta); i++)
        if (hmf_meta_root(r->meta, i)->block == t->info->first_block + b) {
            snprintf(buf, size, "variable %s", r->vars[i]->name);
            return buf;
        }
    snprintf(buf, size, "block %llu of type %s", (unsigned long long)b,
             hmf__type_text(&r->state->types, t->type, text, sizeof text));
    return buf;
}

static hmf_status_t data_done(hmf_restore_t *r, struct hmf__rtable *t)
{
    const char *at = r->buffer;
    char name[200];
    hmf_status_t rc;

    for (uint64_t b = 0; b < t->info->nblocks; b++) {
        uint64_t rows = hmf__restore_rows(t, b), bytes = rows * t->from_size;
        if (in_place(t, bytes))
            continue;
        if (bytes == 24 && hmf__plan_same(t->plan))
            memcpy(t->addr[b], at, 24);
        else if ((rc = hmf__plan_run(t->plan, at, t->addr[b], rows)) != HMF_OK)
            return hmf__fail_prefix(rc, "%s", block_name(r, t, b, name, sizeof name));
        at += bytes;
    }
    return HMF_OK;
}

static hmf_status_t refs_done(hmf_restore_t *r, struct hmf__rtable *t, uint64_t bytes)
{
    if (!t->info->has_leaves)
        return hmf__restore_set_references(r, t, (const uint32_t *)(const void *)r->buffer, NULL);
    if (!(t->refs = hmf__big_alloc((size_t)bytes)))
        return hmf__restore_no_memory("bytes of references", bytes);
    memcpy(t->refs, r->buffer, (size_t)bytes);
    return HMF_OK;
}

hmf_status_t hmf_restore_segment_done(hmf_restore_t *r, size_t i)
{
    const struct hmf__segment_info *s = hmf_meta_segment(r->meta, i);

    if (!s || i != r->next || !r->asked)
        return hmf__fail(HMF_ERR_STATE, "segment %zu of an image is done, but was not asked for",
                         i);
    r->asked = false;
    r->next++;
    struct hmf__rtable *t = &r->tables[s->table];
    switch (s->kind) {
    case HMF__SEG_DATA:
        return data_done(r, t);
    case HMF__SEG_COUNTS:
        return counts_done(r, t);
    case HMF__SEG_TAIL:
        for (uint64_t b = 0; b < t->info->nblocks && hmf__restore_foreign_order(r); b++)
            t->tails[b] = __builtin_bswap32(t->tails[b]);
        return HMF_OK;
    case HMF__SEG_REF_BLOCK:
        return refs_done(r, t, s->bytes);
    default:
        return hmf__restore_set_references(r, t, t->refs,
                                           (const uint64_t *)(const void *)r->buffer);
    }
}

/* Variables inside another one that, in this process, do not lie there. */
static hmf_status_t copy_inside(hmf_restore_t *r)
{
    for (size_t i = 0; i < hmf_meta_nroots(r->meta); i++) {
        const struct hmf__root_info *root = hmf_meta_root(r->meta, i);
        const struct hmf__rtable *t = &r->tables[root->table];
        uint64_t rows = hmf__restore_rows(t, root->block - t->info->first_block);
        char *from;
        hmf_status_t rc;
        if (!root->inside)
            continue;
        rc = hmf__restore_leaf_address(r, (uint32_t)root->block, root->leaf, 0, &from);
        if (rc != HMF_OK)
            return rc;
        char *end = t->addr[root->block - t->info->first_block] + rows * t->to_size;
        if (r->vars[i]->size > (size_t)(end - from))
            return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: variable %s is larger than "
                             "what it is a part of", root->name);
        memmove(r->vars[i]->addr, from, r->vars[i]->size);
    }
    return HMF_OK;
}

static void destroy(hmf_restore_t *r, bool keep_blocks)
{
    for (uint64_t b = 0; b < r->nblocks && r->addr && r->registered && !keep_blocks; b++)
        if (!r->registered[b])
            hmf__restore_drop_block(r->addr[b]);
    for (size_t i = 0; i < r->ntables; i++) {
        struct hmf__rtable *t = &r->tables[i];
        hmf__plan_free(t->plan);
        hmf__slots_fini(&t->slots);
        if (t->counts)
            hmf__big_free(t->counts, (size_t)t->info->nblocks * sizeof *t->counts);
        if (t->tails)
            hmf__big_free(t->tails, (size_t)t->info->nblocks * sizeof *t->tails);
        if (t->refs)
            hmf__big_free(t->refs, (size_t)(t->info->nrows * t->info->nslots) * sizeof *t->refs);
    }
    hmf__free(r->tables);
    hmf__big_free(r->addr, (size_t)r->nblocks * sizeof *r->addr);
    hmf__big_free(r->registered, (size_t)r->nblocks);
    hmf__big_free(r->buffer, r->buffer_bytes);
    hmf__free(r->iov);
    hmf__free(r->functions);
    hmf__free(r->map);
    hmf__free(r->vars);
    hmf_meta_free(r->meta);
    hmf__free(r);
}

hmf_status_t hmf_restore_finish(hmf_restore_t *r)
{
    hmf_status_t rc = HMF_OK;

    if (r->next != hmf_meta_nsegments(r->meta))
        rc = hmf__fail(HMF_ERR_STATE, "an image is finished after %zu of its %zu segments",
                       r->next, hmf_meta_nsegments(r->meta));
    if (rc == HMF_OK)
        rc = hmf__restore_set_functions(r);
    if (rc == HMF_OK)
        rc = hmf__restore_check_tails(r);
    if (rc == HMF_OK)
        rc = copy_inside(r);
    for (struct hmf__keeper *k = r->state->keepers; k && rc == HMF_OK; k = k->next)
        rc = k->after(k);
    destroy(r, rc == HMF_OK);
    return rc;
}

void hmf_restore_abort(hmf_restore_t *r)
{
    if (r)
        destroy(r, false);
}
