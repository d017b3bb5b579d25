/* libhmf-heap: stands before malloc and its relatives and notes every block (hmf/heap.h).
 *
 * The next definition of each function, in the C library or in another allocator, does the work.
 * It is looked up by dlsym, which may itself want memory: a small arena serves it until then.
 */
#include "config.h"

#include "hmf/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

/* Exported; not from the headers, whose attributes would let the compiler assume things. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
int posix_memalign(void **out, size_t align, size_t size);
void *aligned_alloc(size_t align, size_t size);
void *memalign(size_t align, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
} next;

enum { NEW, LOOKING, READY };
static atomic_int state;

/* ---- until the next functions are known ---- */

enum { EARLY_BYTES = 64 << 10, EARLY_ALIGN = 16 };
static _Alignas(16) char early[EARLY_BYTES];
static atomic_size_t early_used;

static void *early_alloc(size_t size)
{
    if (size > EARLY_BYTES / 2)
        return NULL;
    size_t need = (size + 2 * EARLY_ALIGN - 1) / EARLY_ALIGN * EARLY_ALIGN;
    size_t at = atomic_fetch_add(&early_used, need);
    if (at + need > EARLY_BYTES)
        return NULL;
    memcpy(early + at, &size, sizeof size);
    return early + at + EARLY_ALIGN; /* zero: it is never given twice */
}

static int is_early(const void *p)
{
    return (uintptr_t)p - (uintptr_t)early < sizeof early;
}

static void look_up(void *slot, const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);

    memcpy(slot, &f, sizeof f);
}

static int ready(void)
{
    int was = NEW;

    if (__builtin_expect(atomic_load_explicit(&state, memory_order_acquire) == READY, 1))
        return 1;
    if (!atomic_compare_exchange_strong(&state, &was, LOOKING))
        return was == READY;
    look_up(&next.malloc, "malloc");
    look_up(&next.calloc, "calloc");
    look_up(&next.realloc, "realloc");
    look_up(&next.free, "free");
    look_up(&next.posix_memalign, "posix_memalign");
    look_up(&next.aligned_alloc, "aligned_alloc");
    look_up(&next.memalign, "memalign");
    look_up(&next.valloc, "valloc");
    look_up(&next.pvalloc, "pvalloc");
    hmf_heap_complete();
    atomic_store_explicit(&state, READY, memory_order_release);
    return 1;
}

/* ---- the functions ---- */

static void *noted(void *p, size_t size)
{
    if (p)
        (void)hmf_heap_note(p, size); /* that it failed is known there */
    return p;
}

void *malloc(size_t size)
{
    return ready() ? noted(next.malloc(size), size) : early_alloc(size);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return ready() ? noted(next.calloc(count, size), bytes) : early_alloc(bytes);
}

void *realloc(void *block, size_t size)
{
    size_t old = 0;
    void *start = NULL;

    if (!block)
        return malloc(size);
    if (is_early(block)) {
        memcpy(&old, (char *)block - EARLY_ALIGN, sizeof old);
        void *p = malloc(size);
        return p ? memcpy(p, block, old < size ? old : size) : NULL;
    }
    if (!ready())
        return NULL;
    int known = hmf_heap_find(block, &start, &old) == HMF_OK && start == block;
    hmf_heap_forget(block); /* before it is free: then another thread may get and note it */
    void *p = next.realloc(block, size);
    if (!p && size && known)
        (void)hmf_heap_note(block, old);
    return noted(p, size);
}

void free(void *block)
{
    if (!block || is_early(block))
        return;
    if (!ready())
        return; /* lost: nothing that could be freed exists before */
    hmf_heap_forget(block);
    next.free(block);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    if (!ready())
        return ENOMEM;
    int rc = next.posix_memalign(out, align, size);
    if (!rc)
        noted(*out, size);
    return rc;
}

void *aligned_alloc(size_t align, size_t size)
{
    return ready() ? noted(next.aligned_alloc(align, size), size) : NULL;
}

void *memalign(size_t align, size_t size)
{
    return ready() ? noted(next.memalign(align, size), size) : NULL;
}

void *valloc(size_t size)
{
    return ready() ? noted(next.valloc(size), size) : NULL;
}

void *pvalloc(size_t size)
{
    return ready() ? noted(next.pvalloc(size), size) : NULL;
}
