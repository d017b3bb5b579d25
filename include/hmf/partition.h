/* hmf/partition.h - which part of a global array a rank's variable is, so that a checkpoint can be
 * continued on another number of ranks, or with the array shared out in another way.
 *
 * Not collective.  Called after the variable's registration and before auto_read; again whenever
 * the program shares the array out anew.  A checkpoint holds what every rank has said by then.
 * A restart on as many ranks with the same parts does not need it and restores all variables; one
 * on another number of ranks, or with other parts, gives
 *   - a variable that was declared a part, here and there: the elements that its pieces name,
 *     from whichever ranks had them; elements that no piece names stay as they are;
 *   - one that was declared equal on all ranks: what rank 0 had;
 * and is refused with a message that names the variable if any was declared neither way.
 *
 * The elements are those of the innermost type: a variable `double v[n][3]` has n * 3 of them, so
 * the global array has a last dimension of 3.  They hold no pointers.  A variable that is a pointer
 * stands for what it points to, at the time of the checkpoint and of the restart: memory that is
 * filled in, or, if it is NULL at the restart, allocated by malloc, zeroed, with as many elements
 * as its description says, or as its pieces need if that is more.
 *
 *     double *u;                       // rows x N of a global N x N, a ghost row above and below
 *     auto_track("u", &u, sizeof u, (int[]){typePOINTER, typeARRAY, (rows + 2) * N, typeDOUBLE}, 4);
 *     hmf_partition("u", 2, (uint64_t[]){N, N}, 1, &(struct hmf_piece){
 *         .offset = {first, 0}, .extent = {rows, N}, .first = N});
 *     hmf_replicated("step");
 */
#ifndef HMF_PARTITION_H
#define HMF_PARTITION_H

#include <hmf/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HMF_PARTITION_DIMS 8            /* dimensions of a global array, at most */

/* A box of the global array and where it stands in the variable. */
struct hmf_piece {
    uint64_t offset[HMF_PARTITION_DIMS]; /* where it begins, counted from 0 */
    uint64_t extent[HMF_PARTITION_DIMS]; /* 0 in one of them: an empty piece */
    uint64_t first;                     /* element of the variable that its first element is */
    /* Elements of the variable from one index to the next, in each dimension. All 0: the box is
       dense, the last dimension runs fastest (C's order). Fortran's order is 1, extent[0], ... */
    uint64_t stride[HMF_PARTITION_DIMS];
    /* 1: a copy of what another rank owns (ghost cells). Never saved from here, but filled in. */
    int halo;
};

/* Declares a registered variable to be the part of a global array that the pieces say.
 *   shape     ndims extents of the global array, the same on all ranks
 *   pieces    npieces of them, 0 if this rank has no part; copied. Each element of the global array
 *             belongs to one piece that is not a halo, of one rank; those of no piece cannot be
 *             asked for at a restart.
 * Replaces what was declared for the variable before.
 * HMF_ERR_STATE (before auto_init), HMF_ERR_NOTFOUND (no such variable), HMF_ERR_TYPE (its elements
 * hold pointers), HMF_ERR_ARG (a piece lies outside of the array or of the variable: the text says
 * which), HMF_ERR_LIMIT, HMF_ERR_NOMEM. */
hmf_status_t hmf_partition(const char *name, int ndims, const uint64_t *shape, size_t npieces,
                           const struct hmf_piece *pieces);

/* The same for a list: element i of the variable is element indices[i] of a global array of
 * `length` elements. Ascending indices that follow each other make one piece of 40 bytes or so in
 * every checkpoint: lists that jump at each element are dear. */
hmf_status_t hmf_partition_list(const char *name, uint64_t length, size_t n,
                                const uint64_t *indices);

/* Declares that a registered variable, with all that its pointers lead to, is equal on all ranks.
 * HMF_ERR_STATE, HMF_ERR_NOTFOUND, HMF_ERR_NOMEM. */
hmf_status_t hmf_replicated(const char *name);

#ifdef __cplusplus
}
#endif
#endif
