/* Restoring an image into the registered variables.
 *
 * Counts come first, so all heap blocks are allocated before any data arrives.  Where the
 * layouts agree, large blocks are received in place; small ones, and all of another layout, pass
 * through a buffer.  References are set as soon as a table's have arrived.
 */
#include "config.h"

#include "image.h"

#include "base.h"
#include "length.h"
#include "fresh.h"
#include "function.h"
#include "handle.h"
#include "heap.h"
#include "plan.h"
#include "slots.h"
#include "statepriv.h"

#include <stdio.h>
#include <string.h>

enum { DIRECT_BYTES = 64 << 10 };

struct table {
    const struct hmf__table_info *info;
    uint32_t type;              /* the reader's */
    uint64_t from_size, to_size;
    struct hmf__plan *plan;
    struct hmf__slots slots;
    uint64_t *counts;           /* rows of each block; NULL: one each */
    uint32_t *tails;            /* of each block: 1 + the block that stands behind it, or 0 */
    char **addr;                /* of each block */
    uint32_t *refs;             /* kept until the leaves are there, when there are leaves */
};

struct named { /* a function pointer or handle whose name is known */
    char *slot;
    const char *name;
    uint32_t block;
    int handle; /* its type number; 0: a function */
};

struct hmf_restore {
    hmf_state_t *state;
    hmf_meta_t *meta;
    struct table *tables;
    size_t ntables;
    uint32_t *map;              /* writer's node -> reader's */
    const struct hmf__var **vars; /* of each root */
    char **addr;                /* of all blocks; tables point into it */
    uint64_t nblocks;
    bool *registered;           /* by block: not ours to free */
    size_t next;                /* segment to come */
    bool asked;                 /* segment() was called for it */
    struct iovec *iov;
    size_t niov, iov_cap;
    struct named *functions;
    size_t nfunctions, functions_cap;
    char *buffer;               /* where the present segment goes in part or all */
    size_t buffer_bytes;
};

static hmf_status_t no_memory(const char *what, uint64_t n)
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
        return no_memory("variables", nroots);
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
        return no_memory("tables", n);
    for (; r->ntables < n; r->ntables++) {
        struct table *t = &r->tables[r->ntables];
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
        return no_memory("images", 1);
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

/* ---- blocks ---- */

static uint64_t rows_of(const struct table *t, uint64_t block)
{
    return t->counts ? t->counts[block] : 1;
}

/* The variables' blocks are where the variables are. */
static hmf_status_t place_variables(hmf_restore_t *r)
{
    for (size_t i = 0; i < hmf_meta_nroots(r->meta); i++) {
        const struct hmf__root_info *root = hmf_meta_root(r->meta, i);
        struct table *t = &r->tables[root->table];
        uint64_t b = root->block - t->info->first_block;
        if (root->inside)
            continue;
        if (r->registered[root->block] || rows_of(t, b) != root->nrows)
            return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: the size of variable %s",
                             root->name);
        r->registered[root->block] = true;
        t->addr[b] = r->vars[i]->addr;
    }
    return HMF_OK;
}

static struct table *table_of(const hmf_restore_t *r, uint64_t block)
{
    struct table *t = r->tables;

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
static hmf_status_t claim_tails(hmf_restore_t *r, const struct table *t)
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
            types->classes[table_of(r, ref - 1)->type] != elem)
            return bad_tail();
        r->registered[ref - 1] = true; /* not to be freed by itself */
    }
    return HMF_OK;
}

/* Bytes that stand behind block b. */
static uint64_t tail_bytes(const hmf_restore_t *r, const struct table *t, uint64_t b)
{
    if (!t->tails || !t->tails[b])
        return 0;
    const struct table *behind = table_of(r, t->tails[b] - 1);
    return rows_of(behind, t->tails[b] - 1 - behind->info->first_block) * behind->to_size;
}

/* Bytes of memory for block b: no less than the program's sizeof, also with nothing behind. */
static uint64_t block_bytes(const hmf_restore_t *r, const struct table *t, uint64_t b)
{
    uint64_t bytes = rows_of(t, b) * t->to_size, align;

    if (!t->tails)
        return bytes; /* the product is bounded: rows are at most the table's */
    align = r->state->types.v[t->type].align;
    return (bytes + tail_bytes(r, t, b) + align - 1) & ~(align - 1);
}

static hmf_status_t place_tails(hmf_restore_t *r)
{
    for (size_t i = 0; i < hmf_meta_nroots(r->meta); i++) {
        const struct hmf__root_info *root = hmf_meta_root(r->meta, i);
        const struct table *t = &r->tables[root->table];
        uint64_t b = root->block - t->info->first_block;
        if (!t->tails || root->inside)
            continue;
        if (tail_bytes(r, t, b) > r->vars[i]->size - t->to_size)
            return hmf__fail(HMF_ERR_RANGE, "variable %s was saved with more elements behind it "
                             "than the %zu bytes hold that are registered", root->name,
                             r->vars[i]->size);
    }
    for (size_t i = 0; i < r->ntables; i++) {
        const struct table *t = &r->tables[i];
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
        const struct table *t = &r->tables[i];
        if (t->info->nrows * t->to_size / (t->info->nblocks + 1) < DIRECT_BYTES)
            sum += t->info->nrows * t->to_size + 16 * t->info->nblocks;
    }
    return sum;
}

static hmf_status_t allocate(hmf_restore_t *r)
{
    bool note = hmf__heap_on() && !hmf__heap_is_complete(); /* else malloc does it */
    struct hmf__fresh fresh;
    uint64_t first = 0;
    hmf_status_t rc;

    if (r->nblocks > SIZE_MAX / sizeof *r->addr)
        return no_memory("blocks", r->nblocks);
    size_t bytes = (size_t)r->nblocks * sizeof *r->addr;
    r->addr = hmf__big_alloc(bytes);
    r->registered = hmf__big_alloc((size_t)r->nblocks);
    if (!r->addr || !r->registered)
        return no_memory("blocks", r->nblocks);
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
        struct table *t = &r->tables[i];
        for (uint64_t b = 0; b < t->info->nblocks; b++) {
            if (r->registered[t->info->first_block + b])
                continue;
            size_t size = (size_t)block_bytes(r, t, b);
            t->addr[b] = hmf__malloc(size);
            if (!t->addr[b])
                return no_memory("blocks", r->nblocks);
            if (size >= DIRECT_BYTES)
                hmf__fresh_large(t->addr[b], size);
            else
                hmf__fresh_took(&fresh, size);
            if (note)
                (void)hmf_heap_note(t->addr[b], size);
        }
    }
    return place_tails(r);
}

static void drop_block(char *addr)
{
    if (hmf__heap_on())
        hmf_heap_forget(addr);
    hmf__free(addr);
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

static bool in_place(const struct table *t, uint64_t bytes)
{
    return bytes >= DIRECT_BYTES && hmf__plan_same(t->plan);
}

static bool direct_data(hmf_restore_t *r, const struct table *t)
{
    uint64_t through = 0, bytes;

    for (uint64_t b = 0; b < t->info->nblocks; b++) {
        bytes = rows_of(t, b) * t->from_size;
        if (!in_place(t, bytes))
            through += bytes;
    }
    if (!take_buffer(r, through))
        return false;
    char *at = r->buffer;
    for (uint64_t b = 0; b < t->info->nblocks; b++) {
        bytes = rows_of(t, b) * t->from_size;
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
        (rc = allocate(r)) != HMF_OK)
        return rc;
    struct table *t = &r->tables[s->table];
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
        return no_memory("bytes", s->bytes);
    r->asked = true;
    *iov = r->iov;
    *niov = r->niov;
    *bytes = s->bytes;
    return HMF_OK;
}

static bool foreign_order(const hmf_restore_t *r)
{
    return hmf_meta_types(r->meta)->abi.big_endian != r->state->types.abi.big_endian;
}

static hmf_status_t counts_done(hmf_restore_t *r, struct table *t)
{
    uint64_t sum = 0, n = t->info->nblocks;

    for (uint64_t b = 0; b < n; b++) {
        if (foreign_order(r))
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
static const char *block_name(const hmf_restore_t *r, const struct table *t, uint64_t b, char *buf,
                              size_t size)
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

static hmf_status_t data_done(hmf_restore_t *r, struct table *t)
{
    const char *at = r->buffer;
    char name[200];
    hmf_status_t rc;

    for (uint64_t b = 0; b < t->info->nblocks; b++) {
        uint64_t rows = rows_of(t, b), bytes = rows * t->from_size;
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

/* ---- references ---- */

struct patch {
    hmf_restore_t *r;
    const uint32_t *ref;
    const uint64_t *leaf; /* NULL: all zero */
    bool swap;
};

static hmf_status_t bad_ref(void)
{
    return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: a reference leads to no block");
}

/* The address of a leaf; past: bytes of an object that lies there, if the pointer is behind it. */
static hmf_status_t leaf_address(const hmf_restore_t *r, uint32_t block, uint64_t leaf,
                                 uint64_t past, char **out)
{
    const struct table *t = table_of(r, block);

    if (leaf & HMF__LEAF_PAST)
        leaf &= ~HMF__LEAF_PAST;
    else
        past = 0;
    uint64_t b = block - t->info->first_block;
    uint64_t per = r->state->types.v[t->type].nleaves;
    if (leaf > rows_of(t, b) * per)
        return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: a reference leads beyond its "
                         "block");
    *out = t->addr[b] + leaf / per * t->to_size;
    if (leaf % per)
        *out += hmf__layout_offset(&r->state->types, t->type, leaf % per);
    if (past > (uint64_t)(t->addr[b] + rows_of(t, b) * t->to_size - *out))
        return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: a reference leads beyond its "
                         "block");
    *out += past;
    return HMF_OK;
}

/* Bytes of what a pointer points to. */
static uint64_t pointee_size(const hmf_restore_t *r, const struct hmf__slotop *op)
{
    const struct hmf__types *types = &r->state->types;
    uint32_t elem;
    uint64_t count;

    hmf__types_flatten(types, types->v[op->type].elem, &elem, &count);
    return types->v[elem].size;
}

/* A pointer to a function is saved as one to its name: found when all names are there. */
static hmf_status_t note_function(hmf_restore_t *r, char *slot, uint32_t block, const char *name,
                                  int handle)
{
    if (r->nfunctions == r->functions_cap) {
        size_t cap = r->functions_cap ? 2 * r->functions_cap : 16;
        void *v = hmf__realloc(r->functions, cap * sizeof *r->functions);
        if (!v)
            return no_memory("function pointers", cap);
        r->functions = v;
        r->functions_cap = cap;
    }
    r->functions[r->nfunctions++] = (struct named){slot, name, block, handle};
    return HMF_OK;
}

static inline hmf_status_t patch_slot(struct patch *p, char *slot, const struct hmf__slotop *op)
{
    uint32_t ref = *p->ref++;
    char *to = NULL;
    hmf_status_t rc;

    if (p->swap)
        ref = __builtin_bswap32(ref);
    if (ref) {
        if (ref > p->r->nblocks)
            return bad_ref();
        to = p->r->addr[ref - 1];
    }
    if (p->leaf) {
        uint64_t leaf = *p->leaf++;
        if (p->swap)
            leaf = __builtin_bswap64(leaf);
        if (leaf && !ref)
            return bad_ref();
        if (leaf && (rc = leaf_address(p->r, ref - 1, leaf, pointee_size(p->r, op), &to)) !=
                        HMF_OK)
            return rc;
    }
    if ((op->function || op->handle) && to)
        return note_function(p->r, slot, ref - 1, to, op->handle);
    hmf__slot_store(slot, to);
    return HMF_OK;
}

static hmf_status_t patch_cb(void *ctx, char *slot, const struct hmf__slotop *op,
                             const struct hmf__slot_frame *frame)
{
    struct patch *p = ctx;
    char path[200];

    (void)frame;
    if (op->code == HMF__SLOT_CHOICE) {
        const struct hmf__types *types = &p->r->state->types;
        return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: the discriminant of a %s selects "
                         "no branch", hmf__type_text(types, op->type, path, sizeof path));
    }
    if (slot)
        return patch_slot(p, slot, op);
    /* in a branch that does not hold */
    uint64_t leaf = p->leaf ? *p->leaf++ : 0;
    return *p->ref++ || leaf ? bad_ref() : HMF_OK;
}

static hmf_status_t set_references(hmf_restore_t *r, struct table *t, const uint32_t *refs,
                                   const uint64_t *leaves)
{
    struct patch p = {r, refs, leaves, foreign_order(r)};
    hmf_status_t rc;

    for (uint64_t b = 0; b < t->info->nblocks; b++) {
        char *at = t->addr[b];
        for (uint64_t rows = rows_of(t, b); rows; rows--, at += t->to_size) {
            if (!t->slots.flat) {
                if ((rc = hmf__slots_each(&t->slots, &r->state->types, at, patch_cb, &p)) != HMF_OK)
                    return rc;
                continue;
            }
            for (uint32_t k = 0; k < t->slots.nops; k++)
                if ((rc = patch_slot(&p, at + t->slots.ops[k].offset, &t->slots.ops[k])) !=
                    HMF_OK)
                    return rc;
        }
    }
    return HMF_OK;
}

static hmf_status_t refs_done(hmf_restore_t *r, struct table *t, uint64_t bytes)
{
    if (!t->info->has_leaves)
        return set_references(r, t, (const uint32_t *)(const void *)r->buffer, NULL);
    if (!(t->refs = hmf__big_alloc((size_t)bytes)))
        return no_memory("bytes of references", bytes);
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
    struct table *t = &r->tables[s->table];
    switch (s->kind) {
    case HMF__SEG_DATA:
        return data_done(r, t);
    case HMF__SEG_COUNTS:
        return counts_done(r, t);
    case HMF__SEG_TAIL:
        for (uint64_t b = 0; b < t->info->nblocks && foreign_order(r); b++)
            t->tails[b] = __builtin_bswap32(t->tails[b]);
        return HMF_OK;
    case HMF__SEG_REF_BLOCK:
        return refs_done(r, t, s->bytes);
    default:
        return set_references(r, t, t->refs, (const uint64_t *)(const void *)r->buffer);
    }
}

static hmf_status_t set_functions(hmf_restore_t *r)
{
    for (size_t i = 0; i < r->nfunctions; i++) {
        const struct named *n = &r->functions[i];
        const struct table *t = table_of(r, n->block);
        uint64_t b = n->block - t->info->first_block;
        const char *end = t->addr[b] + rows_of(t, b) * t->to_size;
        if (r->state->types.v[t->type].kind != HMF__KIND_CSTRING || n->name >= end ||
            !memchr(n->name, 0, (size_t)(end - n->name)))
            return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: a function has no name");
        if (n->handle) {
            void *value = NULL;
            hmf_status_t rc = hmf__handle_find(n->handle, n->name, &value);
            if (rc != HMF_OK)
                return rc;
            hmf__slot_store(n->slot, value);
            continue;
        }
        hmf_function_t f = hmf__function_find(n->name);
        if (!f)
            return hmf__fail(HMF_ERR_NOTFOUND, "the saved state has a pointer to function %s, "
                             "which this program has not: see hmf_function_define, or link with "
                             "-rdynamic", n->name);
        memcpy(n->slot, &f, sizeof f);
    }
    /* the names were ours */
    for (size_t i = 0; i < r->nfunctions; i++) {
        uint32_t block = r->functions[i].block;
        if (!r->registered[block]) {
            drop_block(r->addr[block]);
            r->addr[block] = NULL;
        }
    }
    return HMF_OK;
}

/* What a program will find behind a struct is as much as the struct says. */
static hmf_status_t check_tails(const hmf_restore_t *r)
{
    const struct hmf__types *types = &r->state->types;

    for (size_t i = 0; i < r->ntables; i++) {
        const struct table *t = &r->tables[i];
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

/* Variables inside another one that, in this process, do not lie there. */
static hmf_status_t copy_inside(hmf_restore_t *r)
{
    for (size_t i = 0; i < hmf_meta_nroots(r->meta); i++) {
        const struct hmf__root_info *root = hmf_meta_root(r->meta, i);
        const struct table *t = &r->tables[root->table];
        uint64_t rows = rows_of(t, root->block - t->info->first_block);
        char *from;
        hmf_status_t rc;
        if (!root->inside)
            continue;
        if ((rc = leaf_address(r, (uint32_t)root->block, root->leaf, 0, &from)) != HMF_OK)
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
            drop_block(r->addr[b]);
    for (size_t i = 0; i < r->ntables; i++) {
        struct table *t = &r->tables[i];
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
        rc = set_functions(r);
    if (rc == HMF_OK)
        rc = check_tails(r);
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
