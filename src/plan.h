/* Plans: how to turn elements in a writer's layout into a reader's, compiled once per type.
 *
 * A plan is a list of operations over runs: copy, swap bytes, resize integers with range check,
 * convert long double, zero; arrays of structs are loops.  Equal layouts collapse to one copy.
 * Knows nothing of blocks or pointers' values: pointers become NULL.
 */
#ifndef HMF__PLAN_H
#define HMF__PLAN_H

#include "type.h"

#include <stdbool.h>

struct hmf__plan;

/* Are the two types the same but for layout?  Fills map (one entry a writer's node, all
 * HMF__TYPE_NONE at first) with the reader's class representatives of wid and of all that it
 * leads to; the reader's table must have classes.  Behind pointers the lengths of arrays may
 * differ: they are the blocks'.
 * HMF_ERR_MISMATCH with a text that says what differs; HMF_ERR_NOMEM. */
hmf_status_t hmf__types_match(const struct hmf__types *w, uint32_t wid,
                              const struct hmf__types *r, uint32_t rid, uint32_t *map);

/* A plan for elements of two matching types.  Both tables must outlive it.  HMF_ERR_NOMEM. */
hmf_status_t hmf__plan_make(const struct hmf__types *w, uint32_t wid, const struct hmf__types *r,
                            uint32_t rid, struct hmf__plan **out);
void hmf__plan_free(struct hmf__plan *p);

/* Equal layouts: the bytes can be taken as they are. */
bool hmf__plan_same(const struct hmf__plan *p);

/* Convert n elements; the areas must not overlap.  HMF_ERR_RANGE names element, field and value,
 * and leaves the destination unspecified. */
hmf_status_t hmf__plan_run(const struct hmf__plan *p, const void *from, void *to, uint64_t n);

#endif
