/* Slots in a range of addresses; see varena.h. */
#include "config.h"

#include "varena.h"

#include <string.h>
#include <sys/mman.h>

#define FORTRAN_BASE 0x40000000

static bool open_range(struct hmf__varena *a)
{
    size_t bytes = (size_t) a->size * a->most;
    void *range = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (range == MAP_FAILED)
        return false;
    a->begin = (uintptr_t) range;
    a->span = bytes;
    return true;
}

void *hmf__varena_get(struct hmf__varena *a)
{
    struct hmf__varena_slot *slot;

    if (a->span == 0 && !open_range(a)) {
        hmf__fail(HMF_ERR_NOMEM, "cannot reserve addresses for windows or files");
        return NULL;
    }
    if (a->free != NULL) {
        slot = a->free;
        a->free = slot->next;
    } else if (a->used < a->most) {
        slot = (void *) (a->begin + (uintptr_t) a->size * a->used++);
    } else {
        hmf__fail(HMF_ERR_LIMIT, "more than %u windows or files are not possible: free some",
                  a->most);
        return NULL;
    }
    memset(slot, 0, a->size);
    if (a->first == NULL)
        a->first = slot;
    else
        a->last->next = slot;
    a->last = slot;
    return slot;
}

void hmf__varena_put(struct hmf__varena *a, void *gone)
{
    struct hmf__varena_slot *slot = gone, *before = NULL;

    for (struct hmf__varena_slot *s = a->first; s != slot; s = s->next)
        before = s;
    if (before == NULL)
        a->first = slot->next;
    else
        before->next = slot->next;
    if (a->last == slot)
        a->last = before;
    memset(slot, 0, a->size);
    if (a->free == NULL)
        a->free = slot;
    else
        a->free_last->next = slot;
    a->free_last = slot;
}

void hmf__varena_fini(struct hmf__varena *a)
{
    if (a->span != 0)
        munmap((void *) a->begin, a->span);
    *a = (struct hmf__varena) {.size = a->size, .most = a->most, .startup = UINT32_MAX};
}

int hmf__varena_number(const struct hmf__varena *a, const void *slot)
{
    uintptr_t at = (uintptr_t) slot - a->begin;

    return at < a->span ? FORTRAN_BASE + (int) (at / a->size) : -1;
}

void *hmf__varena_numbered(const struct hmf__varena *a, int number)
{
    uint32_t at = (uint32_t) number - FORTRAN_BASE;

    return number >= FORTRAN_BASE && at < a->used ? (void *) (a->begin + (uintptr_t) a->size * at)
                                                  : NULL;
}
