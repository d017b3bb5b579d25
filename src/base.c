/* Memory (with a fault hook for tests) and the clock. */
#include "config.h"

#include "base.h"

#include <stdatomic.h>
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

void *hmf__big_alloc(size_t size)
{
    if (refused())
        return NULL;
    if (size < BIG)
        return malloc(size ? size : 1);
    if (size > SIZE_MAX - BIG)
        return NULL;

    /* huge pages need an aligned start: map more and give the ends back */
    size_t want = (size + 4095) & ~(size_t)4095, room = want + BIG;
    char *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    char *start = (char *)(((uintptr_t)p + BIG - 1) & ~(uintptr_t)(BIG - 1));
    if (start > p)
        munmap(p, (size_t)(start - p));
    if (start + want < p + room)
        munmap(start + want, (size_t)(p + room - (start + want)));
    (void)madvise(start, want, MADV_HUGEPAGE); /* a hint: small pages work as well */
    return start;
}

void hmf__big_free(void *p, size_t size)
{
    if (!p)
        return;
    if (size < BIG)
        free(p);
    else
        munmap(p, (size + 4095) & ~(size_t)4095);
}

uint64_t hmf__now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
