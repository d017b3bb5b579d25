/* Messages that the drain took out of MPI and that the program has not received yet.
 *
 * Each virtual communicator has one list in order of arrival, which keeps the order per sender.
 * The payload is the packed stream of bytes that MPI carried.  Receiving from a stash (unpacking
 * into the program's datatype, making the status) is the business of the point-to-point wrappers.
 */
#ifndef HMF__STASH_H
#define HMF__STASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "vcomm.h"

struct hmf__stashed {
    struct hmf__stashed *next;
    int source; /* rank in the communicator (remote group of an intercommunicator) */
    int tag;
    uint64_t bytes;
    unsigned char data[];
};

/* Number of stashed messages in the whole process: receives look at stashes only if it is not 0. */
extern size_t hmf__stash_total HMF__HIDDEN;

/* A new message with room for `bytes`, not yet in a list.  NULL: no memory. */
struct hmf__stashed *hmf__stash_new(int source, int tag, uint64_t bytes);

/* Appends; the list owns it now. */
void hmf__stash_put(struct hmf__vcomm *v, struct hmf__stashed *m);

/* First message that a receive for (source, tag) matches, wildcards allowed, or NULL.  find
 * leaves it in the list, take removes it; who took it frees it by hmf__stash_free. */
struct hmf__stashed *hmf__stash_find(struct hmf__vcomm *v, int source, int tag);
struct hmf__stashed *hmf__stash_take(struct hmf__vcomm *v, int source, int tag);

void hmf__stash_free(struct hmf__stashed *m);
void hmf__stash_clear(struct hmf__vcomm *v);

/* The whole list as bytes, for a newcomer, and back.  unpack checks everything: HMF_ERR_FORMAT. */
hmf_status_t hmf__stash_pack(const struct hmf__vcomm *v, struct hmf__buf *b);
hmf_status_t hmf__stash_unpack(struct hmf__vcomm *v, struct hmf__buf *b);

#endif
