/* Communicators that stand for a node (MPI_Comm_split_type): when ranks move, who shares a node with
 * whom is another matter, so these get other members instead of the same ones elsewhere.
 *
 * Who called for it with which key is known to all members since it was made; the new members are
 * computed from that and from where the ranks are, without a message.
 */
#ifndef HMF__VNODE_H
#define HMF__VNODE_H

#include <mpi.h>

#include "vcomm.h"

/* After the adoption of what MPI_Comm_split_type gave (`v`, NULL where it gave none); collective over
 * the real parent.  MPI error code. */
int hmf__vnode_note(struct hmf__vcomm *v, MPI_Comm parent, int split_type, int key);

/* In prepare, local: gives all communicators of nodes the members that they have with this map.
 * HMF_ERR_BUSY: one that would change has messages or requests pending; HMF_ERR_NOMEM. */
hmf_status_t hmf__vnode_turn(const int *new_proc_of);

/* After it: the new members are for good, or the old ones come back. */
void hmf__vnode_settle(bool commit);

#endif
