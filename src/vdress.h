/* Names and error handlers of the communicators of a rank that moves, as they are at the cut: the
 * start-up of its newcomer sets those that it had at first.
 */
#ifndef HMF__VDRESS_H
#define HMF__VDRESS_H

#include "base.h"

/* HMF_ERR_UNSUPPORTED: a handler's function has no name, and no start-up sets it again. */
hmf_status_t hmf__vdress_pack(struct hmf__buf *b);

/* Newcomer: `set` false only reads.  HMF_ERR_FORMAT, HMF_ERR_NOTFOUND (no such function),
 * HMF_ERR_MPI. */
hmf_status_t hmf__vdress_unpack(struct hmf__buf *b, bool set);

#endif
