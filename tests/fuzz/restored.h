/* For fuzzers: blocks that a restore made belong to the program, whatever pointers lead to them by
 * then.  They are listed here and freed after each run, so that the leak check sees the library's.
 * Linked with -Wl,--wrap=hmf_heap_note,--wrap=hmf_heap_forget. */
#ifndef RESTORED_H
#define RESTORED_H

#include "heap.h"

#include <stdlib.h>

static void **restored;
static size_t nrestored, restored_cap;
static int restored_on;

hmf_status_t __real_hmf_heap_note(void *block, size_t size);
void __real_hmf_heap_forget(void *block);
hmf_status_t __wrap_hmf_heap_note(void *block, size_t size);
void __wrap_hmf_heap_forget(void *block);

hmf_status_t __wrap_hmf_heap_note(void *block, size_t size)
{
    if (restored_on) {
        if (nrestored == restored_cap) {
            restored_cap = restored_cap ? 2 * restored_cap : 64;
            restored = realloc(restored, restored_cap * sizeof *restored);
            if (!restored)
                abort();
        }
        restored[nrestored++] = block;
    }
    return __real_hmf_heap_note(block, size);
}

void __wrap_hmf_heap_forget(void *block)
{
    for (size_t i = nrestored; i--;)
        if (restored[i] == block) {
            restored[i] = restored[--nrestored];
            break;
        }
    __real_hmf_heap_forget(block);
}

/* Once, before the first run: restores note their blocks only where the heap is known. */
static inline void restored_begin(void)
{
    static void *first;

    if (!first)
        first = hmf_heap_malloc(1);
    restored_on = 1;
}

static inline void restored_free(void)
{
    while (nrestored) /* what heap.c calls itself is not wrapped */
        hmf_heap_free(restored[--nrestored]);
}

#endif
