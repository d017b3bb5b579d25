/* Memory that malloc has not given out before, made of huge pages where the system has them.
 *
 * Each first touch of a small page costs more than restoring a hundred nodes.  Blocks must be
 * malloc's, since the program frees them; but what malloc is about to take them from can be
 * prepared.  All of it are hints: nothing is changed in what malloc does or gives.
 */
#ifndef HMF__FRESH_H
#define HMF__FRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hmf__fresh {
    uint64_t left;  /* bytes that will be asked for from here on, about */
    uint64_t ready; /* bytes until the heap is looked at again */
    char *end;      /* of the heap when it was last looked at */
    bool growing;   /* what is allocated comes from the heap's end */
    bool useless;   /* malloc is not as expected here */
};

/* So many bytes of small blocks will be allocated. */
void hmf__fresh_begin(struct hmf__fresh *f, uint64_t bytes);

void hmf__fresh_look(struct hmf__fresh *f);

/* A block of so many bytes was allocated.  Costs next to nothing. */
static inline void hmf__fresh_took(struct hmf__fresh *f, size_t bytes)
{
    bytes += 16;
    f->left -= bytes < f->left ? bytes : f->left;
    if (bytes < f->ready)
        f->ready -= bytes;
    else
        hmf__fresh_look(f);
}

/* Memory from p on will be written from its first to its last byte. */
void hmf__fresh_large(void *p, uint64_t bytes);

#endif
