/* The table of heap blocks: for each address at which a block can begin, the block's size.
 *
 * Neighbours in memory are neighbours in the table, so that noting a block touches the same few
 * cache lines as making it.  An address has its entry in a leaf (8 MiB of addresses), found by two
 * levels of pointers.  Leaves are mapped when first needed and never given back; their pages that
 * are not touched cost nothing.  An entry belongs to whoever owns the block, so a plain store is
 * enough, without locks; only blocks of 4 GiB and more are in a list with a lock.
 *
 * Stands below malloc when libhmf-heap is there: nothing here may allocate by it.
 */
#include "config.h"

#include "heap.h"

#include "base.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    UNIT = 2 * sizeof(void *), /* blocks begin at multiples of this: malloc's alignment */
    LEAF_BITS = 23,
    MID_BITS = 13,
    ROOT_BITS = 12,
    ENTRIES = (1 << LEAF_BITS) / UNIT,
    GROUP = 1024,              /* entries that share a bit in `used`: a page of them */
    GROUPS = ENTRIES / GROUP,
    WORD = 64
};

/* Values of entries: 0: no block begins here; else 1 + size, or one of these. */
#define FREED UINT32_MAX       /* one did, and all blocks are known */
#define LARGE (UINT32_MAX - 1) /* its size is in the list */

struct leaf {
    _Atomic uint32_t entry[ENTRIES];
    _Atomic uint64_t used[GROUPS / WORD]; /* groups that ever had a block */
};

struct mid {
    _Atomic(struct leaf *) leaf[1 << MID_BITS];
};

static _Atomic(struct mid *) root[1 << ROOT_BITS];
static atomic_bool on, complete, incomplete;

static pthread_mutex_t large_lock = PTHREAD_MUTEX_INITIALIZER;
static struct hmf__heap_block *large;
static size_t nlarge, large_cap;

static uint64_t root_index(uintptr_t a)
{
    return (uint64_t)a >> (LEAF_BITS + MID_BITS);
}

static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static struct leaf *get_leaf(uintptr_t a)
{
    if (root_index(a) >> ROOT_BITS)
        return NULL;
    struct mid *m = atomic_load_explicit(&root[root_index(a)], memory_order_acquire);
    return m ? atomic_load_explicit(&m->leaf[a >> LEAF_BITS & ((1 << MID_BITS) - 1)],
                                    memory_order_acquire)
             : NULL;
}

static struct leaf *make_leaf(uintptr_t a)
{
    struct mid *m = atomic_load(&root[root_index(a)]), *no_mid = NULL;
    struct leaf *l, *no_leaf = NULL;

    if (!m) {
        if (!(m = map(sizeof *m)))
            return NULL;
        if (!atomic_compare_exchange_strong(&root[root_index(a)], &no_mid, m)) {
            munmap(m, sizeof *m); /* another thread was faster */
            m = no_mid;
        }
    }
    _Atomic(struct leaf *) *place = &m->leaf[a >> LEAF_BITS & ((1 << MID_BITS) - 1)];
    if ((l = atomic_load(place)))
        return l;
    if (!(l = map(sizeof *l)))
        return NULL;
    if (!atomic_compare_exchange_strong(place, &no_leaf, l)) {
        munmap(l, sizeof *l);
        l = no_leaf;
    }
    return l;
}

static size_t entry_index(uintptr_t a)
{
    return (a & (((uintptr_t)1 << LEAF_BITS) - 1)) / UNIT;
}

/* ---- the few very large blocks ---- */

static bool put_large(uintptr_t a, size_t size)
{
    bool done = false;

    pthread_mutex_lock(&large_lock);
    size_t i = 0;
    while (i < nlarge && large[i].start != a)
        i++;
    if (i == large_cap) {
        size_t cap = large_cap ? 2 * large_cap : 256;
        struct hmf__heap_block *v = map(cap * sizeof *v);
        if (v && large) {
            memcpy(v, large, nlarge * sizeof *v);
            munmap(large, large_cap * sizeof *v);
        }
        if (v) {
            large = v;
            large_cap = cap;
        }
    }
    if (i < large_cap) {
        large[i] = (struct hmf__heap_block){a, size};
        nlarge += i == nlarge;
        done = true;
    }
    pthread_mutex_unlock(&large_lock);
    return done;
}

static void drop_large(uintptr_t a)
{
    pthread_mutex_lock(&large_lock);
    for (size_t i = 0; i < nlarge; i++)
        if (large[i].start == a) {
            large[i] = large[--nlarge];
            break;
        }
    pthread_mutex_unlock(&large_lock);
}

static size_t find_large(uintptr_t a)
{
    size_t size = 0;

    pthread_mutex_lock(&large_lock);
    for (size_t i = 0; i < nlarge; i++)
        if (large[i].start == a)
            size = large[i].size;
    pthread_mutex_unlock(&large_lock);
    return size;
}

/* ---- noting ---- */

static hmf_status_t not_noted(const void *block, const char *why)
{
    atomic_store(&incomplete, true); /* from here on the heap is not known any more */
    return hmf__fail(HMF_ERR_NOMEM, "no memory to note a heap block at %p: %s", block, why);
}

hmf_status_t hmf_heap_note(void *block, size_t size)
{
    uintptr_t a = (uintptr_t)block;

    if (root_index(a) >> ROOT_BITS)
        atomic_store(&incomplete, true);
    if (!a || a % UNIT || root_index(a) >> ROOT_BITS)
        return hmf__fail(HMF_ERR_ARG, "a heap block cannot begin at %p: at a multiple of %d bytes",
                         block, (int)UNIT);
    struct leaf *l = get_leaf(a);
    if (__builtin_expect(!l, 0) && !(l = make_leaf(a)))
        return not_noted(block, "pointers into it need their lengths told");
    if (!atomic_load_explicit(&on, memory_order_relaxed))
        atomic_store(&on, true);
    size_t i = entry_index(a), group = i / GROUP;
    _Atomic uint64_t *used = &l->used[group / WORD];
    uint64_t bit = (uint64_t)1 << group % WORD;
    uint32_t value = (uint32_t)size + 1;
    if (__builtin_expect(size >= LARGE - 1, 0)) {
        if (!put_large(a, size))
            return not_noted(block, "too many large ones");
        value = LARGE;
    } else if (atomic_load_explicit(&l->entry[i], memory_order_relaxed) == LARGE) {
        drop_large(a);
    }
    atomic_store_explicit(&l->entry[i], value, memory_order_release);
    if (!(atomic_load_explicit(used, memory_order_relaxed) & bit))
        atomic_fetch_or(used, bit);
    return HMF_OK;
}

void hmf_heap_forget(void *block)
{
    uintptr_t a = (uintptr_t)block;
    struct leaf *l = a % UNIT ? NULL : get_leaf(a);

    if (!a || !l)
        return;
    _Atomic uint32_t *e = &l->entry[entry_index(a)];
    uint32_t value = atomic_load_explicit(e, memory_order_relaxed);
    if (!value)
        return;
    if (value == LARGE)
        drop_large(a);
    atomic_store_explicit(e, atomic_load_explicit(&complete, memory_order_relaxed) ? FREED : 0,
                          memory_order_relaxed);
}

void hmf_heap_complete(void)
{
    atomic_store(&complete, true);
    atomic_store(&on, true);
}

/* ---- finding ---- */

bool hmf__heap_on(void)
{
    return atomic_load_explicit(&on, memory_order_relaxed);
}

bool hmf__heap_is_complete(void)
{
    return atomic_load(&complete) && !atomic_load(&incomplete);
}

/* The last block that begins in entries [from, to) of a leaf. */
static bool last_in(const struct leaf *l, size_t from, size_t to, size_t *i, uint32_t *value)
{
    while (to-- > from) {
        uint32_t v = atomic_load_explicit(&l->entry[to], memory_order_acquire);
        if (v && v != FREED) {
            *i = to;
            *value = v;
            return true;
        }
    }
    return false;
}

/* The last block that begins in a leaf before entry `to`. */
static bool last_in_leaf(const struct leaf *l, size_t to, size_t *i, uint32_t *value)
{
    while (to) {
        size_t group = (to - 1) / GROUP;
        uint64_t word = atomic_load_explicit(&l->used[group / WORD], memory_order_relaxed) <<
                        (WORD - 1 - group % WORD);
        if (!word) {
            to = group / WORD * WORD * GROUP;
            continue;
        }
        size_t skip = (size_t)__builtin_clzll(word);
        if (skip) {
            group -= skip;
            to = (group + 1) * GROUP;
        }
        if (last_in(l, group * GROUP, to, i, value))
            return true;
        to = group * GROUP;
    }
    return false;
}

bool hmf__heap_find(const void *p, uintptr_t lowest, struct hmf__heap_block *out)
{
    uintptr_t a = (uintptr_t)p, span = (uintptr_t)1 << LEAF_BITS, base = a & ~(span - 1);
    size_t to = entry_index(a) + 1, i;
    uint32_t value;

    if (root_index(a) >> ROOT_BITS)
        return false;
    for (;;) {
        const struct leaf *l = get_leaf(base);
        if (l && last_in_leaf(l, to, &i, &value)) {
            uintptr_t start = base + i * UNIT;
            size_t size = value == LARGE ? find_large(start) : value - 1;
            *out = (struct hmf__heap_block){start, size};
            return a - start < size || a == start;
        }
        if (base <= lowest || !base)
            return false;
        uintptr_t step = span; /* nothing at all in the 64 GiB around: skip them */
        if (!l && !atomic_load_explicit(&root[root_index(base)], memory_order_acquire)) {
            uintptr_t wide = (uintptr_t)1 << (LEAF_BITS + (sizeof base > 4 ? MID_BITS : 0));
            step = (base & (wide - 1)) + span;
        }
        if (step > base)
            return false;
        base -= step;
        to = ENTRIES;
    }
}

bool hmf__heap_around(const void *p)
{
    uintptr_t a = (uintptr_t)p;
    const struct leaf *l = get_leaf(a);
    size_t i = entry_index(a), from = i / GROUP * GROUP;
    uint32_t value;

    if (!hmf__heap_is_complete() || !l)
        return false;
    if (a % UNIT == 0 && atomic_load_explicit(&l->entry[i], memory_order_relaxed) == FREED)
        return true;
    return last_in(l, from, from + GROUP, &i, &value);
}

hmf_status_t hmf_heap_find(const void *p, void **block, size_t *size)
{
    struct hmf__heap_block b;

    if (!hmf__heap_find(p, 0, &b))
        return hmf__fail(HMF_ERR_NOTFOUND, "no heap block that is known has %p in it", p);
    if (block)
        *block = (void *)b.start;
    if (size)
        *size = b.size;
    return HMF_OK;
}

/* ---- malloc and relatives, noted ---- */

void *hmf_heap_malloc(size_t size)
{
    void *p = malloc(size);

    if (p && hmf_heap_note(p, size) != HMF_OK) {
        free(p);
        errno = ENOMEM;
        return NULL;
    }
    return p;
}

void *hmf_heap_calloc(size_t count, size_t size)
{
    void *p = calloc(count, size); /* refuses a product that is too large */

    if (p && hmf_heap_note(p, count * size) != HMF_OK) {
        free(p);
        errno = ENOMEM;
        return NULL;
    }
    return p;
}

void *hmf_heap_realloc(void *block, size_t size)
{
    struct hmf__heap_block old;
    bool known = block && hmf__heap_find(block, (uintptr_t)block, &old) &&
                 old.start == (uintptr_t)block;

    /* forgotten before: once it is free, another thread may get and note the same address */
    if (known)
        hmf_heap_forget(block);
    void *p = realloc(block, size);
    if (p)
        (void)hmf_heap_note(p, size); /* cannot be undone: the old block is gone */
    else if (known && size)
        (void)hmf_heap_note(block, old.size);
    return p;
}

char *hmf_heap_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = hmf_heap_malloc(n);

    return copy ? memcpy(copy, text, n) : NULL;
}

void hmf_heap_free(void *block)
{
    hmf_heap_forget(block);
    free(block);
}
