/* Which candidates of a walk lie within others: one pass over them in the order of addresses.
 *
 * Candidates come mostly in ascending order already (allocation order); else they are sorted by
 * radix.  What lies within must be an object of its type there, as the outer type tells.
 */
#include "config.h"

#include "walk.h"

#include "base.h"
#include "image.h"
#include "statepriv.h"

#include <string.h>

struct key {
    uintptr_t addr;
    uint32_t shape, cand;
};

enum { DIGIT = 11, BUCKETS = 1 << DIGIT };

/* Sort by address; the result is in *keys (the two buffers may be exchanged). */
static void radix_sort(struct key **keys, struct key **spare, size_t n)
{
    uintptr_t some = 0, all = UINTPTR_MAX;
    size_t count[BUCKETS];

    for (size_t i = 0; i < n; i++) {
        some |= (*keys)[i].addr;
        all &= (*keys)[i].addr;
    }
    uintptr_t differ = some & ~all;
    for (unsigned shift = 0; shift < 8 * sizeof differ && differ >> shift; shift += DIGIT) {
        if (!(differ >> shift & (BUCKETS - 1)))
            continue;
        struct key *a = *keys, *b = *spare;
        memset(count, 0, sizeof count);
        for (size_t i = 0; i < n; i++)
            count[a[i].addr >> shift & (BUCKETS - 1)]++;
        size_t sum = 0;
        for (size_t d = 0; d < BUCKETS; d++) {
            size_t c = count[d];
            count[d] = sum;
            sum += c;
        }
        for (size_t i = 0; i < n; i++)
            b[count[a[i].addr >> shift & (BUCKETS - 1)]++] = a[i];
        *keys = b;
        *spare = a;
    }
}

/* The first `head` keys in any order, the others sorted: make them all sorted. */
static void merge_head(struct key **keys, struct key **spare, size_t head, size_t n)
{
    struct key *k = *keys, *s = *spare, *from = k;

    radix_sort(&from, &s, head);
    if (from != k)
        memcpy(k, from, head * sizeof *k);
    s = *spare;
    if (head == n || k[head - 1].addr <= k[head].addr)
        return;
    size_t i = 0, j = head;
    for (size_t at = 0; at < n; at++)
        s[at] = j == n || (i < head && k[i].addr <= k[j].addr) ? k[i++] : k[j++];
    *keys = s;
    *spare = k;
}

static hmf_status_t mark_tails(struct hmf__walk *w)
{
    if (!(w->tail_bits = hmf__calloc(w->ncands / 64 + 1, sizeof *w->tail_bits)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory to order %zu blocks", w->ncands);
    for (size_t i = 0; i < w->ntails; i++)
        if (w->tails[i].ref)
            w->tail_bits[(w->tails[i].ref - 1) / 64] |= (uint64_t)1
                                                        << (w->tails[i].ref - 1) % 64;
    return HMF_OK;
}

/* Does this candidate stand behind a struct with a flexible array member? */
static bool is_tail(const struct hmf__walk *w, uint32_t cand)
{
    return w->tail_bits && w->tail_bits[cand / 64] >> cand % 64 & 1;
}

/* At one address the one that holds the others comes first: larger, registered, deeper type; last,
 * and rare, the one that must be a block of its own. */
static bool before(const struct hmf__walk *w, const struct key *a, const struct key *b)
{
    const struct hmf__shape *s = &w->shapes[a->shape], *t = &w->shapes[b->shape];
    bool ra = a->cand < w->state->nvars, rb = b->cand < w->state->nvars;
    uint32_t da = w->types->v[s->type].depth, db = w->types->v[t->type].depth;

    if (s->bytes != t->bytes)
        return s->bytes > t->bytes;
    if (ra != rb)
        return ra;
    if (da != db)
        return da > db;
    if (is_tail(w, a->cand) != is_tail(w, b->cand))
        return is_tail(w, a->cand);
    return a->cand < b->cand;
}

static void order_equals(const struct hmf__walk *w, struct key *k, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct key me = k[i];
        size_t j = i;
        while (j > 0 && k[j - 1].addr == me.addr && before(w, &me, &k[j - 1])) {
            k[j] = k[j - 1];
            j--;
        }
        k[j] = me;
    }
}

static hmf_status_t add_merge(struct hmf__walk *w, uint32_t cand, uint32_t into, uint64_t leaf)
{
    if (w->cands[cand].merged) { /* an end that was not read: complete the entry */
        struct hmf__merge *m = &w->merges[w->cands[cand].merged - 1];
        m->into = into;
        m->leaf = leaf;
        return HMF_OK;
    }
    return hmf__walk_new_merge(w, cand, &(struct hmf__merge){.leaf = leaf, .into = into});
}

static const char *name_of(const struct hmf__walk *w, uint32_t cand, char *buf, size_t size)
{
    return hmf__walk_path(w, cand, cand < w->state->nvars ? 0 : UINT64_MAX, buf, size);
}

static hmf_status_t conflict(const struct hmf__walk *w, const struct key *in,
                             const struct key *out, const char *why)
{
    char a[300], b[300], ta[120], tb[120];
    const struct hmf__shape *s = &w->shapes[in->shape], *t = &w->shapes[out->shape];

    return hmf__fail(HMF_ERR_POINTER, "%s (%llu x %s) and %s (%llu x %s) share memory, but %s: "
                     "check both descriptions", name_of(w, in->cand, a, sizeof a),
                     (unsigned long long)s->count,
                     hmf__type_text(w->types, s->type, ta, sizeof ta),
                     name_of(w, out->cand, b, sizeof b), (unsigned long long)t->count,
                     hmf__type_text(w->types, t->type, tb, sizeof tb), why);
}

/* The leaf of the last element of what `in` points to, if `in` is the end of an array within `out`,
 * or of `out` itself. */
static bool end_within(const struct hmf__walk *w, const struct key *in, const struct key *out,
                       uint64_t *leaf)
{
    const struct hmf__shape *s = &w->shapes[in->shape], *t = &w->shapes[out->shape];
    const struct hmf__type *y = &w->types->v[t->type];
    uint64_t each = w->types->v[s->type].size, offset = in->addr - out->addr, last = offset - each;
    const char *memory = (const char *)out->addr, *row = memory + last - last % y->size;
    uint64_t room;

    if (!each || offset < each ||
        !hmf__layout_holds(w->types, t->type, t->count, memory, last, s->type, &room) ||
        !hmf__layout_leaf(w->types, t->type, row, last % y->size, leaf))
        return false;
    *leaf += last / y->size * y->nleaves;
    if (s->type == t->type)
        *leaf += y->nleaves; /* the next element's */
    else
        *leaf |= HMF__LEAF_PAST;
    return true;
}

/* `in` begins within `out`. */
static hmf_status_t merge_inside(struct hmf__walk *w, const struct key *in, const struct key *out)
{
    const struct hmf__shape *s = &w->shapes[in->shape], *t = &w->shapes[out->shape];
    const struct hmf__type *y = &w->types->v[t->type];
    uint64_t offset = in->addr - out->addr, leaf, room;
    const char *memory = (const char *)out->addr, *row = memory + offset - offset % y->size;
    bool variable = in->cand < w->state->nvars, fits = s->bytes <= t->bytes - offset;

    if (variable && out->cand >= w->state->nvars)
        return conflict(w, in, out, "the first is registered and only a part of the second: "
                        "register the whole, or only the pointer to it");
    if (fits && hmf__layout_holds(w->types, t->type, t->count, memory, offset, s->type, &room) &&
        room >= s->count && hmf__layout_leaf(w->types, t->type, row, offset % y->size, &leaf))
        return add_merge(w, in->cand, out->cand, offset / y->size * y->nleaves + leaf);
    if (!variable && (!s->exact || !s->count) && end_within(w, in, out, &leaf))
        return add_merge(w, in->cand, out->cand, leaf);
    if (!s->count && w->types->v[s->type].size) /* kept if it can be said, else of its own */
        return hmf__layout_leaf(w->types, t->type, row, offset % y->size, &leaf)
                   ? add_merge(w, in->cand, out->cand, offset / y->size * y->nleaves + leaf)
                   : HMF_OK;
    return conflict(w, in, out, fits ? "the first is no part of the second's type there"
                                     : "neither holds the other");
}

/* `c` begins where the block `b` ends: is it one past the end of an array there?  What was not read
 * is known to be an end; else arrays of two elements or more are believed to have pointers to theirs,
 * and those whose description says how many there are. */
static bool is_past_end(const struct hmf__walk *w, const struct key *c, const struct key *b)
{
    const struct hmf__shape *s = &w->shapes[c->shape], *t = &w->shapes[b->shape];
    bool known = w->cands[c->cand].merged;
    uint64_t each = w->types->v[s->type].size, elements, room;

    if (c->cand < w->state->nvars || c->addr != b->addr + t->bytes)
        return false;
    if (!s->bytes)
        return true; /* void, or no elements */
    if (!known && (s->exact || w->types->v[t->type].kind == HMF__KIND_CSTRING))
        return false;
    bool array = s->type == t->type && (t->exact || is_tail(w, b->cand));
    elements = known || array ? s->count : 2 * s->count;
    if (known && elements > t->bytes / each)
        elements = 1;
    return elements <= t->bytes / each &&
           hmf__layout_holds(w->types, t->type, t->count, (const char *)b->addr,
                             t->bytes - elements * each, s->type, &room) &&
           room >= elements;
}

static hmf_status_t merge_end(struct hmf__walk *w, const struct key *c, const struct key *b)
{
    const struct hmf__shape *t = &w->shapes[b->shape];
    uint64_t leaf;

    if (!end_within(w, c, b, &leaf))
        leaf = t->count * w->types->v[t->type].nleaves;
    return add_merge(w, c->cand, b->cand, leaf);
}

/* Is `in` no part of `out`, which begins there too, but the end of the array `b` before? */
static bool is_end_instead(const struct hmf__walk *w, const struct key *in, const struct key *out,
                           const struct key *b)
{
    const struct hmf__shape *s = &w->shapes[in->shape], *t = &w->shapes[out->shape];
    uint64_t room;

    return b && in->addr == out->addr && is_past_end(w, in, b) &&
           !(hmf__layout_holds(w->types, t->type, t->count, (const char *)out->addr, 0, s->type,
                               &room) && room >= s->count);
}

static hmf_status_t pass(struct hmf__walk *w, const struct key *k, size_t n)
{
    const struct key *out = NULL, *last = NULL; /* the block around or before; and before that */
    hmf_status_t rc = HMF_OK;

    for (size_t i = 0; i < n && rc == HMF_OK; i++) {
        const struct hmf__shape *s = &w->shapes[k[i].shape];
        if (out && k[i].addr - out->addr < w->shapes[out->shape].bytes) {
            rc = is_end_instead(w, &k[i], out, last) ? merge_end(w, &k[i], last)
                                                     : merge_inside(w, &k[i], out);
            continue;
        }
        if (out && is_past_end(w, &k[i], out)) {
            rc = merge_end(w, &k[i], out);
            continue;
        }
        if (w->types->v[s->type].kind == HMF__KIND_VOID && s->count == HMF__WALK_WEAK) {
            if ((rc = add_merge(w, k[i].cand, 0, 0)) == HMF_OK)
                w->merges[w->cands[k[i].cand].merged - 1].dropped = true;
            continue;
        }
        if (w->types->v[s->type].kind == HMF__KIND_VOID) {
            char path[300];
            return hmf__fail(HMF_ERR_POINTER, "pointer %s = %p leads to memory that nothing "
                             "describes: register what it points to",
                             name_of(w, k[i].cand, path, sizeof path), (void *)k[i].addr);
        }
        if (w->cands[k[i].cand].merged) { /* not read, yet no end of anything: cannot be */
            char path[300];
            return hmf__fail(HMF_ERR_POINTER, "pointer %s = %p leads to the end of a block, but "
                             "nothing describes an array of its type there",
                             name_of(w, k[i].cand, path, sizeof path), (void *)k[i].addr);
        }
        if (k[i].cand >= w->state->nvars && !hmf__walk_readable(w, (void *)k[i].addr, s->bytes,
                                                                NULL)) {
            char path[300];
            return hmf__fail(HMF_ERR_POINTER, "pointer %s = %p leads to memory that is not there: "
                             "is it initialised?", name_of(w, k[i].cand, path, sizeof path),
                             (void *)k[i].addr);
        }
        last = out;
        out = &k[i];
    }
    return rc;
}

/* What stands behind a struct is a block of its own: nothing else holds it. */
static hmf_status_t check_tails(const struct hmf__walk *w)
{
    char path[300];

    for (size_t i = 0; i < w->ntails; i++) {
        const struct hmf__tail *t = &w->tails[i];
        if (t->ref && (w->cands[t->ref - 1].merged || w->cands[t->head].merged))
            return hmf__fail(HMF_ERR_POINTER, "%s has a flexible array member that shares memory "
                             "with something larger: check both descriptions",
                             name_of(w, t->head, path, sizeof path));
    }
    return HMF_OK;
}

/* How many blocks each shape has. */
static void count_blocks(struct hmf__walk *w)
{
    for (size_t i = 0; i < w->ncands; i++)
        w->shapes[w->cands[i].shape].nblocks += !w->cands[i].merged;
}

hmf_status_t hmf__walk_overlaps(struct hmf__walk *w)
{
    /* when nothing is covered twice only the variables may lie within each other */
    size_t n = w->unsure ? w->ncands : w->state->nvars, head = w->state->nvars, bytes;
    bool sorted = true;
    hmf_status_t rc = HMF_OK;

    if (!n)
        goto count;
    if (w->ntails && (rc = mark_tails(w)) != HMF_OK)
        return rc;
    if (hmf__mul_overflow(n, sizeof(struct key), &bytes))
        return hmf__fail(HMF_ERR_LIMIT, "too many blocks");
    struct key *keys = hmf__big_alloc(bytes), *spare = hmf__big_alloc(bytes);
    if (!keys || !spare) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to order %zu blocks", n);
        goto drop;
    }
    for (size_t i = 0; i < n; i++) {
        keys[i] = (struct key){(uintptr_t)w->cands[i].addr, w->cands[i].shape, (uint32_t)i};
        sorted &= i <= head || keys[i].addr >= keys[i - 1].addr;
    }
    if (sorted && head) /* the registered ones are elsewhere: merge them in */
        merge_head(&keys, &spare, head, n);
    else if (!sorted)
        radix_sort(&keys, &spare, n);
    order_equals(w, keys, n);
    if ((rc = pass(w, keys, n)) == HMF_OK)
        rc = check_tails(w);
drop:
    hmf__big_free(keys, bytes);
    hmf__big_free(spare, bytes);
count:
    count_blocks(w);
    return rc;
}
