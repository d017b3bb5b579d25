/* What a variable is at a restart on another number of ranks: a part of a global array, or equal on
 * all ranks.  Belongs to the variable in a state.  See hmf/partition.h for the meaning.
 *
 * Not collective, no input or output: check_global.c saves it, check_reshape.c reads by it.
 */
#ifndef HMF__PARTS_H
#define HMF__PARTS_H

#include "hmf/partition.h"
#include "state.h"
#include "type.h"

#include <stdbool.h>

enum hmf__share { HMF__SHARE_EQUAL = 1, HMF__SHARE_PARTS = 2 }; /* numbers are saved */

struct hmf__parts {
    enum hmf__share share;
    int ndims;
    uint64_t shape[HMF_PARTITION_DIMS];
    size_t npieces;
    struct hmf_piece *pieces;   /* strides are filled in; freed with the parts */
};

/* As hmf_partition and its sisters, for a variable of a state. */
hmf_status_t hmf__parts_set(hmf_state_t *state, const char *name, int ndims, const uint64_t *shape,
                            size_t npieces, const struct hmf_piece *pieces);
hmf_status_t hmf__parts_set_list(hmf_state_t *state, const char *name, uint64_t length, size_t n,
                                 const uint64_t *indices);
hmf_status_t hmf__parts_set_equal(hmf_state_t *state, const char *name);
void hmf__parts_free(struct hmf__parts *parts); /* NULL is fine */

/* What was declared for the i-th variable; NULL: nothing. */
const struct hmf__parts *hmf__parts_of(const hmf_state_t *state, size_t i);

/* The elements that pieces count: of the variable, or of what it points to.  *count: how many the
 * description says. */
uint32_t hmf__parts_element(const hmf_state_t *state, const struct hmf__var *v, bool *pointer,
                            uint64_t *count);

/* Elements of the variable that the pieces need: one more than the last. */
uint64_t hmf__parts_span(const struct hmf__parts *parts);

/* Elements of a box; pieces were checked, so it fits. */
uint64_t hmf__parts_volume(int ndims, const uint64_t *extent);

/* Is the box within the array, and the span of its memory a number? */
bool hmf__parts_piece_ok(int ndims, const uint64_t *shape, const struct hmf_piece *piece);

/* Run with only those variables in the state of which keep[i] is true (no keepers, either), and all
 * of them again afterwards. */
hmf_status_t hmf__parts_with(hmf_state_t *state, const bool *keep,
                             hmf_status_t (*run)(hmf_state_t *state, void *ctx), void *ctx);

#endif
