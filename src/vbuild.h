/* Building real communicators for a new map of ranks to processes, beside the old ones. */
#ifndef HMF__VBUILD_H
#define HMF__VBUILD_H

#include <stdbool.h>

#include <mpi.h>

#include "hmf/status.h"
#include "vcomm.h"

/* Collective over `inner`, whose rank r is logical rank r at its new place.  Builds `prepared` of
 * every virtual communicator that has a member in `moved` (one flag per logical rank); the others
 * keep what they have.  `before`: what this process already failed with, which all then hear.
 * HMF_ERR_NOMEM, HMF_ERR_MPI: what was built is dropped again. */
hmf_status_t hmf__vbuild_run(MPI_Comm inner, const bool *moved, hmf_status_t before);

/* Will it be built anew?  After hmf__vnode_turn; before it a node's communicator may yet be. */
bool hmf__vbuild_touched(const struct hmf__vcomm *v, const bool *moved);

/* Collective over `m`: a communicator of its members, in their order, by their places in `inner`. MPI
 * error code. */
int hmf__vbuild_plain(MPI_Comm inner, const struct hmf__members *m, MPI_Comm *out);

/* Local: `prepared` takes the place of `real`, which is freed; or `prepared` is dropped. */
void hmf__vbuild_commit(void);
void hmf__vbuild_drop(void);

#endif
