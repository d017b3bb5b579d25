/* The table of heap blocks, as the walk sees it; filled through hmf/heap.h. */
#ifndef HMF__HEAP_H
#define HMF__HEAP_H

#include "hmf/heap.h"

#include <stdbool.h>
#include <stdint.h>

struct hmf__heap_block {
    uintptr_t start;
    size_t size; /* bytes, as asked for */
};

/* Was any block ever noted? */
bool hmf__heap_on(void);

/* The live block that holds p (a block of no bytes holds its start); none begins below `lowest`. */
bool hmf__heap_find(const void *p, uintptr_t lowest, struct hmf__heap_block *out);

/* Are all blocks of malloc in the table? */
bool hmf__heap_is_complete(void);

/* Does p, which is in no live block, lie where malloc puts its blocks: where one was freed, or
 * between others?  Only when the table is complete. */
bool hmf__heap_around(const void *p);

#endif
