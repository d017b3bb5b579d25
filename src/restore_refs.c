/* References to pointers, names to functions and handles; see restore.h. */
#include "config.h"

#include "restore.h"

#include "base.h"
#include "function.h"
#include "handle.h"

#include <string.h>

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

hmf_status_t hmf__restore_leaf_address(const hmf_restore_t *r, uint32_t block, uint64_t leaf,
                                       uint64_t past, char **out)
{
    const struct hmf__rtable *t = hmf__restore_table_of(r, block);

    if (leaf & HMF__LEAF_PAST)
        leaf &= ~HMF__LEAF_PAST;
    else
        past = 0;
    uint64_t b = block - t->info->first_block;
    uint64_t per = r->state->types.v[t->type].nleaves;
    if (leaf > hmf__restore_rows(t, b) * per)
        return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: a reference leads beyond its "
                                         "block");
    *out = t->addr[b] + leaf / per * t->to_size;
    if (leaf % per)
        *out += hmf__layout_offset(&r->state->types, t->type, leaf % per);
    if (past > (uint64_t)(t->addr[b] + hmf__restore_rows(t, b) * t->to_size - *out))
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
            return hmf__restore_no_memory("function pointers", cap);
        r->functions = v;
        r->functions_cap = cap;
    }
    r->functions[r->nfunctions++] = (struct hmf__rname){slot, name, block, handle};
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
        if (leaf && (rc = hmf__restore_leaf_address(p->r, ref - 1, leaf, pointee_size(p->r, op),
                                                    &to)) != HMF_OK)
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
        return hmf__fail(HMF_ERR_FORMAT,
                         "the image is damaged: the discriminant of a %s selects "
                         "no branch",
                         hmf__type_text(types, op->type, path, sizeof path));
    }
    if (slot)
        return patch_slot(p, slot, op);
    /* in a branch that does not hold */
    uint64_t leaf = p->leaf ? *p->leaf++ : 0;
    return *p->ref++ || leaf ? bad_ref() : HMF_OK;
}

hmf_status_t hmf__restore_set_references(hmf_restore_t *r, struct hmf__rtable *t,
                                         const uint32_t *refs, const uint64_t *leaves)
{
    struct patch p = {r, refs, leaves, hmf__restore_foreign_order(r)};
    hmf_status_t rc;

    for (uint64_t b = 0; b < t->info->nblocks; b++) {
        char *at = t->addr[b];
        for (uint64_t rows = hmf__restore_rows(t, b); rows; rows--, at += t->to_size) {
            if (!t->slots.flat) {
                if ((rc = hmf__slots_each(&t->slots, &r->state->types, at, patch_cb, &p)) != HMF_OK)
                    return rc;
                continue;
            }
            for (uint32_t k = 0; k < t->slots.nops; k++)
                if ((rc = patch_slot(&p, at + t->slots.ops[k].offset, &t->slots.ops[k])) != HMF_OK)
                    return rc;
        }
    }
    return HMF_OK;
}

hmf_status_t hmf__restore_set_functions(hmf_restore_t *r)
{
    for (size_t i = 0; i < r->nfunctions; i++) {
        const struct hmf__rname *n = &r->functions[i];
        const struct hmf__rtable *t = hmf__restore_table_of(r, n->block);
        uint64_t b = n->block - t->info->first_block;
        const char *end = t->addr[b] + hmf__restore_rows(t, b) * t->to_size;
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
            return hmf__fail(HMF_ERR_NOTFOUND,
                             "the saved state has a pointer to function %s, "
                             "which this program has not: see hmf_function_define, or link with "
                             "-rdynamic",
                             n->name);
        memcpy(n->slot, &f, sizeof f);
    }
    /* the names were ours */
    for (size_t i = 0; i < r->nfunctions; i++) {
        uint32_t block = r->functions[i].block;
        if (!r->registered[block]) {
            hmf__restore_drop_block(r->addr[block]);
            r->addr[block] = NULL;
        }
    }
    return HMF_OK;
}
