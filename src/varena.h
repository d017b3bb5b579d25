/* Handles of our own for MPI's windows and files: slots of one size in a reserved range of
 * addresses, so that telling ours from MPI's is a comparison and reads no memory that is not ours.
 *
 * A slot begins with what is real (0: nothing, a freed one) and the link to the next of its list;
 * what follows is its owner's.  Slots are used again, oldest first, so that a stale handle stays
 * stale for long.
 */
#ifndef HMF__VARENA_H
#define HMF__VARENA_H

#include <stdint.h>

#include "base.h"

struct hmf__varena_slot {
    void *real;
    struct hmf__varena_slot *next;
};

struct hmf__varena {
    uintptr_t begin, span;      /* 0 before the first slot */
    uint32_t size, most;        /* bytes of a slot, number of slots: set by the owner */
    uint32_t used;              /* slots that were ever used */
    uint32_t next_serial;       /* number of the next creation at this logical rank */
    uint32_t startup;           /* so many of the creations are of the start-up phase */
    struct hmf__varena_slot *free, *free_last;
    struct hmf__varena_slot *first, *last; /* live ones in order of creation */
};

/* A zeroed slot at the end of the list; NULL without memory or slots (recorded). */
void *hmf__varena_get(struct hmf__varena *a);

/* Takes it out of the list. */
void hmf__varena_put(struct hmf__varena *a, void *slot);

/* All slots are gone, also the addresses. */
void hmf__varena_fini(struct hmf__varena *a);

/* Fortran's integers, above all of MPI's own. -1 and NULL: none of ours. */
int hmf__varena_number(const struct hmf__varena *a, const void *slot);
void *hmf__varena_numbered(const struct hmf__varena *a, int number);

#endif
