/* Where restored blocks are: the variables' own memory, blocks of malloc, and behind structs with a
 * flexible array member; see restore.h. */
#include "config.h"

#include "restore.h"

#include "base.h"
#include "fresh.h"
#include "heap.h"
#include "length.h"

#include <string.h>

/* The variables' blocks are where the variables are. */
static hmf_status_t place_variables(hmf_restore_t *r)
{
    for (size_t i = 0; i < hmf_meta_nroots(r->meta); i++) {
        const struct hmf__root_info *root = hmf_meta_root(r->meta, i);
        struct hmf__rtable *t = &r->tables[root->table];
        uint64_t b = root->block - t->info->first_block;
        if (root->inside)
            continue;
        if (r->registered[root->block] || hmf__restore_rows(t, b) != root->nrows)
            return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: the size of variable %s",
                             root->name);
        r->registered[root->block] = true;
        t->addr[b] = r->vars[i]->addr;
    }
    return HMF_OK;
}

struct hmf__rtable *hmf__restore_table_of(const hmf_restore_t *r, uint64_t block)
{
    struct hmf__rtable *t = r->tables;

    while (block >= t->info->first_block + t->info->nblocks)
        t++;
    return t;
}

static hmf_status_t bad_tail(void)
{
    return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: what stands behind a struct is not "
                     "what its type says");
}

/* Blocks that stand behind structs with a flexible array member are allocated with these. */
static hmf_status_t claim_tails(hmf_restore_t *r, const struct hmf__rtable *t)
{
    const struct hmf__types *types = &r->state->types;
    const struct hmf__type *y = &types->v[t->type];
    uint32_t elem;
    uint64_t n;

    hmf__types_flatten(types, types->v[y->fields[y->nfields - 1].type].elem, &elem, &n);
    elem = types->classes[elem];
    for (uint64_t b = 0; b < t->info->nblocks; b++) {
        uint32_t ref = t->tails[b];
        if (!ref)
            continue;
        if (ref > r->nblocks || r->registered[ref - 1] ||
            types->classes[hmf__restore_table_of(r, ref - 1)->type] != elem)
            return bad_tail();
        r->registered[ref - 1] = true; /* not to be freed by itself */
    }
    return HMF_OK;
}

/* Bytes that stand behind block b. */
static uint64_t tail_bytes(const hmf_restore_t *r, const struct hmf__rtable *t, uint64_t b)
{
    if (!t->tails || !t->tails[b])
        return 0;
    const struct hmf__rtable *behind = hmf__restore_table_of(r, t->tails[b] - 1);
    return hmf__restore_rows(behind, t->tails[b] - 1 - behind->info->first_block) * behind->to_size;
}

/* Bytes of memory for block b: no less than the program's sizeof, also with nothing behind. */
static uint64_t block_bytes(const hmf_restore_t *r, const struct hmf__rtable *t, uint64_t b)
{
    uint64_t bytes = hmf__restore_rows(t, b) * t->to_size, align;

    if (!t->tails)
        return bytes; /* the product is bounded: rows are at most the table's */
    align = r->state->types.v[t->type].align;
    return (bytes + tail_bytes(r, t, b) + align - 1) & ~(align - 1);
}

static hmf_status_t place_tails(hmf_restore_t *r)
{
    for (size_t i = 0; i < hmf_meta_nroots(r->meta); i++) {
        const struct hmf__root_info *root = hmf_meta_root(r->meta, i);
        const struct hmf__rtable *t = &r->tables[root->table];
        uint64_t b = root->block - t->info->first_block;
        if (!t->tails || root->inside)
            continue;
        if (tail_bytes(r, t, b) > r->vars[i]->size - t->to_size)
            return hmf__fail(HMF_ERR_RANGE, "variable %s was saved with more elements behind it "
                             "than the %zu bytes hold that are registered", root->name,
                             r->vars[i]->size);
    }
    for (size_t i = 0; i < r->ntables; i++) {
        const struct hmf__rtable *t = &r->tables[i];
        for (uint64_t b = 0; t->tails && b < t->info->nblocks; b++)
            if (t->tails[b])
                r->addr[t->tails[b] - 1] = t->addr[b] + t->to_size;
    }
    return HMF_OK;
}

/* About how much will be allocated in small blocks. */
static uint64_t small_bytes(const hmf_restore_t *r)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < r->ntables; i++) {
        const struct hmf__rtable *t = &r->tables[i];
        if (t->info->nrows * t->to_size / (t->info->nblocks + 1) < HMF__DIRECT_BYTES)
            sum += t->info->nrows * t->to_size + 16 * t->info->nblocks;
    }
    return sum;
}

hmf_status_t hmf__restore_allocate(hmf_restore_t *r)
{
    bool note = hmf__heap_on() && !hmf__heap_is_complete(); /* else malloc does it */
    struct hmf__fresh fresh;
    uint64_t first = 0;
    hmf_status_t rc;

    if (r->nblocks > SIZE_MAX / sizeof *r->addr)
        return hmf__restore_no_memory("blocks", r->nblocks);
    size_t bytes = (size_t)r->nblocks * sizeof *r->addr;
    r->addr = hmf__big_alloc(bytes);
    r->registered = hmf__big_alloc((size_t)r->nblocks);
    if (!r->addr || !r->registered)
        return hmf__restore_no_memory("blocks", r->nblocks);
    memset(r->addr, 0, bytes);
    memset(r->registered, 0, (size_t)r->nblocks);
    for (size_t i = 0; i < r->ntables; i++) {
        r->tables[i].addr = r->addr + first;
        first += r->tables[i].info->nblocks;
    }
    if ((rc = place_variables(r)) != HMF_OK)
        return rc;
    for (size_t i = 0; i < r->ntables; i++)
        if (r->tables[i].tails && (rc = claim_tails(r, &r->tables[i])) != HMF_OK)
            return rc;
    hmf__fresh_begin(&fresh, small_bytes(r));
    for (size_t i = 0; i < r->ntables; i++) {
        struct hmf__rtable *t = &r->tables[i];
        size_t align = r->state->types.v[t->type].align;
        for (uint64_t b = 0; b < t->info->nblocks; b++) {
            if (r->registered[t->info->first_block + b])
                continue;
            size_t size = (size_t)block_bytes(r, t, b);
            t->addr[b] = hmf__malloc_aligned(align, size);
            if (!t->addr[b])
                return hmf__restore_no_memory("blocks", r->nblocks);
            if (size >= HMF__DIRECT_BYTES)
                hmf__fresh_large(t->addr[b], size);
            else
                hmf__fresh_took(&fresh, size);
            if (note)
                (void)hmf_heap_note(t->addr[b], size);
        }
    }
    return place_tails(r);
}

void hmf__restore_drop_block(char *addr)
{
    if (hmf__heap_on())
        hmf_heap_forget(addr);
    hmf__free(addr);
}

hmf_status_t hmf__restore_check_tails(const hmf_restore_t *r)
{
    const struct hmf__types *types = &r->state->types;

    for (size_t i = 0; i < r->ntables; i++) {
        const struct hmf__rtable *t = &r->tables[i];
        const struct hmf__type *y = &types->v[t->type];
        uint64_t each, n, bytes;
        if (!t->tails)
            continue;
        const struct hmf__type *flex = &types->v[y->fields[y->nfields - 1].type];
        each = types->v[flex->elem].size;
        for (uint64_t b = 0; b < t->info->nblocks; b++)
            if (!hmf__length_of(types, t->type, flex, t->addr[b], &n) ||
                hmf__mul_overflow_u64(n, each, &bytes) || bytes != tail_bytes(r, t, b))
                return bad_tail();
    }
    return HMF_OK;
}
