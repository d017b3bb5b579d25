/* Memory (with a fault hook for tests) and the clock. */
#include "config.h"

#include "base.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { BIG = 2 << 20 };

static atomic_long fail_at;
static atomic_long allocations;

static bool refused(void)
{
    long at = atomic_load_explicit(&fail_at, memory_order_relaxed);

    if (__builtin_expect(at == 0, 1))
        return false;
    return atomic_fetch_add(&allocations, 1) + 1 == at;
}

void hmf__alloc_fail_at(long n)
{
    atomic_store(&allocations, 0);
    atomic_store(&fail_at, n);
}

long hmf__alloc_count(void)
{
    return atomic_load(&allocations);
}

void *hmf__malloc(size_t size)
{
    return refused() ? NULL : malloc(size ? size : 1);
}

void *hmf__malloc_aligned(size_t align, size_t size)
{
    void *p = NULL;

    if (align <= _Alignof(max_align_t))
        return hmf__malloc(size);
    return refused() || posix_memalign(&p, align, size ? size : 1) ? NULL : p;
}

void *hmf__calloc(size_t count, size_t size)
{
    return refused() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *hmf__realloc(void *old, size_t size)
{
    return refused() ? NULL : realloc(old, size ? size : 1);
}

void hmf__free(void *p)
{
    free(p);
}

char *hmf__strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = hmf__malloc(n);

    return copy ? memcpy(copy, text, n) : NULL;
}

/* ---- big buffers ----
 * Freed ones are kept, up to a limit, for the next capture or restore: it asks for the same sizes,
 * and fresh pages cost more than what is done with them.  The system may take their pages when it
 * runs short of memory. */

enum { KEPT = 32 };
#define KEPT_BYTES ((size_t)256 << 20)

static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    void *p;
    size_t room;
} kept[KEPT];
static size_t kept_bytes;

/* What is mapped for a request: few different sizes, so that they meet again. */
static size_t room_for(size_t size)
{
    size_t step = BIG;

    while (step <= size / 16)
        step *= 2;
    return (size + step - 1) / step * step;
}

static void *take_kept(size_t room)
{
    void *p = NULL;

    pthread_mutex_lock(&kept_lock);
    for (int i = 0; i < KEPT && !p; i++)
        if (kept[i].p && kept[i].room == room) {
            p = kept[i].p;
            kept[i].p = NULL;
            kept_bytes -= room;
        }
    pthread_mutex_unlock(&kept_lock);
    return p;
}

static bool keep(void *p, size_t room)
{
    bool done = false;

    pthread_mutex_lock(&kept_lock);
    for (int i = 0; i < KEPT && !done && room <= KEPT_BYTES - kept_bytes; i++)
        if (!kept[i].p) {
            kept[i].p = p;
            kept[i].room = room;
            kept_bytes += room;
            done = true;
            (void)madvise(p, room, MADV_FREE); /* whoever needs memory more may have it */
        }
    pthread_mutex_unlock(&kept_lock);
    return done;
}

/* Huge pages need an aligned start: map more and give the ends back. */
static void *map_aligned(size_t room)
{
    char *p = mmap(NULL, room + BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    char *start = (char *)(((uintptr_t)p + BIG - 1) & ~(uintptr_t)(BIG - 1));
    if (start > p)
        munmap(p, (size_t)(start - p));
    if (start < p + BIG)
        munmap(start + room, (size_t)(p + BIG - start));
    (void)madvise(start, room, MADV_HUGEPAGE); /* a hint: small pages work as well */
    return start;
}

void *hmf__big_alloc(size_t size)
{
    if (refused())
        return NULL;
    if (size < BIG)
        return malloc(size ? size : 1);
    if (size > SIZE_MAX / 2)
        return NULL;
    size_t room = room_for(size);
    void *p = take_kept(room);
    return p ? p : map_aligned(room);
}

void *hmf__big_zeros(size_t size)
{
    if (refused())
        return NULL;
    if (size < BIG)
        return calloc(size ? size : 1, 1);
    if (size > SIZE_MAX / 2)
        return NULL;
    size_t room = room_for(size);
    void *p = take_kept(room);
    return p ? memset(p, 0, size) : map_aligned(room);
}

void hmf__big_free(void *p, size_t size)
{
    if (!p)
        return;
    if (size < BIG)
        free(p);
    else if (!keep(p, room_for(size)))
        munmap(p, room_for(size));
}

uint64_t hmf__now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
