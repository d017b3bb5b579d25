/* What the program's heap is made of, so that pointers need no lengths.
 *
 * A description that says typePOINTER, typeDOUBLE means one double, unless the library knows the
 * heap: then it means as many as the block that the pointer leads to can hold.  Pointers that
 * lead to freed memory, or to more elements than a block has, are then errors that name the path
 * to them (HMF_ERR_POINTER), found before the memory is read.
 *
 * Two ways to let it know, which may be mixed:
 *
 *  - Link the program with -lhmf-heap, before -lhmf-mpi (pkg-config --libs hmf-heap), or start it
 *    with LD_PRELOAD=libhmf-heap.so.  That library stands before malloc and its relatives, so all
 *    blocks are known, those of other libraries too, and a pointer to freed memory is always found.
 *  - Call hmf_heap_malloc and so on for the blocks that matter, or hmf_heap_note for blocks from
 *    elsewhere (pools, MPI_Alloc_mem, mmap).  The rest of the heap is looked at as if nothing was
 *    known.
 *
 * A program that does neither pays nothing.  A noted block costs some nanoseconds when it is made
 * and when it is freed, and 4 bytes for each 16 (32-bit: 8) near its start.
 *
 * How many elements: as many whole ones as fit into the block from its start; from the pointer on
 * where that is not a multiple of elements behind the start.  A description that tells a length
 * (typeCOUNTED, typeARRAY behind typePOINTER), a registered variable and a pointer of a larger
 * type to the start of the same block take precedence.  All elements of a block are looked at, so
 * those with pointers must be initialised: calloc, or typeCOUNTED.
 *
 * Not collective.  Threads: all functions may be called from any thread.
 */
#ifndef HMF_HEAP_H
#define HMF_HEAP_H

#include "hmf/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As their namesakes without hmf_heap_, also in what they return and set errno to; the block is
 * noted.  Blocks that a restore made are freed by either hmf_heap_free or, where libhmf-heap stands
 * before malloc or nothing was ever noted, by free.  hmf_heap_free and hmf_heap_realloc accept any
 * block that malloc gave.  A block that was noted and is freed by plain free, without libhmf-heap,
 * stays noted: undefined is what a pointer to it means then. */
void *hmf_heap_malloc(size_t size);
void *hmf_heap_calloc(size_t count, size_t size);
void *hmf_heap_realloc(void *block, size_t size);
char *hmf_heap_strdup(const char *text);
void hmf_heap_free(void *block);

/* Say that `size` bytes from `block` on are a block of their own; said again: the new size holds.
 * The memory stays the caller's.  HMF_ERR_ARG: the address is NULL, no multiple of twice the size
 * of a pointer, or above 2^48.  HMF_ERR_NOMEM: it is not noted then. */
hmf_status_t hmf_heap_note(void *block, size_t size);

/* Take it back, before the memory is given away.  One that is not noted is ignored. */
void hmf_heap_forget(void *block);

/* The noted block around p: start and size in bytes (either may be NULL).
 * HMF_ERR_NOTFOUND: p is in none.  p itself is not read. */
hmf_status_t hmf_heap_find(const void *p, void **block, size_t *size);

/* Say that from now on, as before, every block of malloc is noted: only then is a pointer into the
 * heap that leads to no block an error.  libhmf-heap says so itself. */
void hmf_heap_complete(void);

#ifdef __cplusplus
}
#endif
#endif
