/* Candidates read many at a time; see walk.h.
 *
 * What a walk costs is waiting for memory: for pages that the processor has no translation of
 * (nodes lie anywhere) and for cache lines.  The walk's own work on a node is more instructions
 * than a processor looks ahead, so waiting for one node hides little of waiting for the next.
 * Hence two short loops over many candidates: one copies their nodes, the other fetches the ids of
 * what those point to; then the walk finds everything close by.  The copies are also what an image
 * is made of: nodes are not touched again.
 */
#include "config.h"

#include "walk.h"

#include "base.h"
#include "padding.h"
#include "statepriv.h"

#include <string.h>

enum { NODE_MAX = 256 }; /* bytes of a node that is copied in a batch */

static hmf_status_t make_room(struct hmf__walk *w, uint32_t type, size_t bytes)
{
    struct hmf__stage *stage = &w->stages[type];
    size_t need;

    if (hmf__add_overflow(stage->used, bytes, &need))
        return hmf__fail(HMF_ERR_LIMIT, "too many blocks");
    if (need <= stage->cap)
        return HMF_OK;
    if (!stage->cap && type < w->state->nlast && w->state->last_staged[type] >= need)
        stage->bytes = hmf__big_alloc(stage->cap = w->state->last_staged[type]);
    else
        return hmf__walk_grow(&stage->bytes, &stage->cap, stage->used, need, 1);
    if (!stage->bytes)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for copies of %zu bytes of blocks", need);
    return HMF_OK;
}

static inline void copy_node(char *to, const char *from, size_t bytes)
{
    if (bytes % 8) {
        memcpy(to, from, bytes);
        return;
    }
    for (size_t i = 0; i < bytes; i += 8)
        memcpy(to + i, from + i, 8);
}

/* Copy candidate i, if that can be done now.  false: the walk must come to it first. */
static inline bool take(struct hmf__walk *w, const struct hmf__region *r, size_t i, char **copy)
{
    const struct hmf__cand *cand = &w->cands[i];
    const struct hmf__shape *s = &w->shapes[cand->shape];
    const struct hmf__slots *p = w->slots[s->type];
    struct hmf__stage *stage = &w->stages[s->type];

    *copy = NULL;
    if (!s->nslots)
        return true; /* is not looked into */
    if (!p || !p->flat || !stage->nwords || s->count != 1 || w->in_rows[s->type] ||
        stage->cap - stage->used < s->bytes || s->bytes > NODE_MAX ||
        (uintptr_t)cand->addr - r->lo >= r->hi - r->lo - NODE_MAX)
        return false; /* its copy, if it gets one, comes before those of later ones */
    *copy = stage->bytes + stage->used;
    stage->used += s->bytes;
    copy_node(*copy, cand->addr, s->bytes);
    return true;
}

/* Nodes of the batch after this one; there may be nothing at such an address.
 * Inlined always: gcc drops calls of a function that does nothing else. */
__attribute__((always_inline)) static inline void fetch_nodes(const struct hmf__walk *w,
                                                              size_t from, size_t to, size_t bytes)
{
    size_t last = bytes >= 8 && bytes <= NODE_MAX ? bytes - 8 : 0;

    for (; from < to; from++) {
        __builtin_prefetch(w->cands[from].addr);
        __builtin_prefetch(w->cands[from].addr + last);
    }
}

/* What will be known of a copied candidate, and of those it leads to. */
__attribute__((always_inline)) static inline void fetch_ids(const struct hmf__walk *w,
                                                            const struct hmf__region *r, size_t i,
                                                            const char *copy)
{
    const struct hmf__slots *p = w->slots[w->shapes[w->cands[i].shape].type];

    if (r->cover)
        __builtin_prefetch(hmf__walk_cover_word(r, w->cands[i].addr), 1);
    for (uint32_t k = 0; k < p->nops; k++) {
        uintptr_t q = (uintptr_t)hmf__slot_load(copy + p->ops[k].offset);
        if (q - r->lo < r->hi - r->lo)
            __builtin_prefetch(&r->ids[(q - r->lo) / HMF__GRAIN], 1);
    }
}

void hmf__walk_batch(struct hmf__walk *w, size_t c)
{
    const struct hmf__region *r = w->last_region;
    size_t end = w->ncands - c < HMF__BATCH ? w->ncands : c + HMF__BATCH, i = c;

    w->batch_begin = c;
    w->batch_end = c + 1;
    w->copies[0] = NULL;
    if (w->tracked || !r || !r->ids || r->hi - r->lo < NODE_MAX || c < w->state->nvars)
        return;
    if (end + HMF__BATCH <= w->ncands)
        fetch_nodes(w, end, end + HMF__BATCH, w->shapes[w->cands[c].shape].bytes);
    while (i < end && take(w, r, i, &w->copies[i - c]))
        i++;
    if (i - c <= 1)
        return; /* nothing to be fetched early */
    w->batch_end = i;
    for (i = c; i < w->batch_end; i++)
        if (w->copies[i - c])
            fetch_ids(w, r, i, w->copies[i - c]);
}

hmf_status_t hmf__walk_padding(struct hmf__walk *w, uint32_t type)
{
    struct hmf__stage *stage = &w->stages[type];
    hmf_status_t rc = hmf__padding_new(w->types, type, &stage->padding);

    if (rc == HMF_OK)
        stage->words = hmf__padding_words(stage->padding, &stage->nwords);
    return rc;
}

hmf_status_t hmf__walk_copy(struct hmf__walk *w, size_t c, const struct hmf__shape *s)
{
    struct hmf__stage *stage = &w->stages[s->type];
    hmf_status_t rc = make_room(w, s->type, s->bytes);

    if (rc == HMF_OK && !stage->padding)
        rc = hmf__walk_padding(w, s->type);
    if (rc != HMF_OK)
        return rc;
    char *to = stage->bytes + stage->used;
    memcpy(to, w->cands[c].addr, s->bytes);
    stage->used += s->bytes;
    hmf__padding_clear(stage->padding, to, s->count);
    return HMF_OK;
}

void hmf__walk_remember(struct hmf__walk *w)
{
    hmf_state_t *state = w->state;

    if (state->nlast < w->types->n) {
        size_t *more = hmf__realloc(state->last_staged, w->types->n * sizeof *more);
        if (!more)
            return; /* it is for speed only */
        state->last_staged = more;
        state->nlast = w->types->n;
    }
    for (uint32_t i = 0; i < state->nlast; i++)
        state->last_staged[i] = w->stages[i].used ? w->stages[i].used + NODE_MAX : 0;
}

void hmf__walk_stages_free(struct hmf__walk *w)
{
    for (uint32_t i = 0; w->stages && i < w->types->n; i++) {
        hmf__big_free(w->stages[i].bytes, w->stages[i].cap);
        hmf__padding_free(w->stages[i].padding);
    }
    hmf__free(w->stages);
    w->stages = NULL;
}
