/* Huge pages for malloc's fresh memory; see fresh.h.
 *
 * glibc enlarges its heap by 128 KiB at a time, too little for a huge page.  One block of many MiB,
 * allocated and freed at once, enlarges it in one step, and stays at the heap's end for the small
 * blocks to be cut from: it is not written to, so its pages do not exist yet and can be asked to
 * be huge ones.  Such a block comes from the heap only when one of its size was freed before (by
 * that malloc learns that such sizes come and go), which is what a program with large arrays does
 * all the time.
 * All this only when the heap is seen to grow: a heap with room in it is used as it is.
 */
#include "config.h"

#include "fresh.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE = 2 << 20, SPARE = 2 * HUGE_PAGE };
#define LOOK_EVERY ((uint64_t)32 << 10)
#define WORTH ((uint64_t)3 << 20)
#define MOST ((size_t)30 << 20) /* glibc learns sizes up to 32 MiB */

static char *heap_end(void)
{
    return sbrk(0);
}

void hmf__fresh_large(void *p, uint64_t bytes)
{
    uintptr_t from = ((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
    uintptr_t to = ((uintptr_t)p + (uintptr_t)bytes) & ~(uintptr_t)(HUGE_PAGE - 1);

    if (to > from)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void hmf__fresh_begin(struct hmf__fresh *f, uint64_t bytes)
{
    *f = (struct hmf__fresh){.left = bytes, .ready = LOOK_EVERY, .end = heap_end()};
    f->useless = bytes < WORTH;
}

/* Not by hmf__malloc: a failure does not matter.
 * false: the block did not come from the heap's end. */
static bool prepare(size_t bytes)
{
    char *before = heap_end(), *volatile learn = malloc(bytes + 4096);
    bool good;

    free(learn); /* as a mapping of its own, unless sizes like this were freed before */
    char *volatile p = malloc(bytes);
    good = p && p < heap_end() && p + bytes <= heap_end() && p + bytes > before;
    if (good)
        hmf__fresh_large(p, bytes);
    free(p);
    return good;
}

void hmf__fresh_look(struct hmf__fresh *f)
{
    char *end = heap_end();

    f->ready = LOOK_EVERY;
    if (f->useless || f->left < WORTH) {
        f->ready = UINT64_MAX;
        return;
    }
    if (end == f->end && !f->growing)
        return;
    /* a part of a huge page at the end stays of small ones until the next turn, which comes before
     * that is reached: rather more than is needed */
    size_t bytes = f->left + SPARE < MOST ? (size_t)f->left + SPARE : MOST;
    f->growing = prepare(bytes);
    f->useless = !f->growing;
    f->end = heap_end();
    if (f->growing)
        f->ready = bytes - SPARE;
}
