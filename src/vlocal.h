/* What a rank has in its process besides communicators and registered variables: requests, matched
 * messages, key values, attributes, error handlers; packed for a newcomer and made there again.
 *
 * The bytes go with the communicators, before the newcomer's program starts.  Addresses of the
 * program in them (buffers, values of attributes) are numbers into a list that travels with the
 * state, as a variable of weak pointers: so they come out as addresses at the newcomer, wherever
 * its variables are.
 *
 *   source      rehearse (before a spare is bothered), drain, pack, list, image, end
 *   newcomer    unpack, start-up code, apply, image, settle
 */
#ifndef HMF__VLOCAL_H
#define HMF__VLOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "state.h"

enum { HMF__VLOCAL_TEXT_MAX = 1 << 28 };

/* auto_read of a process that began with its rank: what is made from now on no start-up phase
 * makes again. */
void hmf__vlocal_started(void);

/* Source, drained.  HMF_ERR_BUSY, HMF_ERR_UNSUPPORTED (the text names the object), HMF_ERR_NOMEM. */
hmf_status_t hmf__vlocal_pack(struct hmf__buf *b);

/* Source, at the cut, before the drain: could a newcomer have it all?  Captures the state on trial
 * if there is anything that only a registered variable can hand over.  HMF_ERR_BUSY,
 * HMF_ERR_UNSUPPORTED: the text names the object that none holds, or that uses memory of none. */
hmf_status_t hmf__vlocal_rehearse(hmf_state_t *state);

/* Source, after pack: the list of addresses becomes a variable of the state, until end. */
hmf_status_t hmf__vlocal_list(hmf_state_t *state);

/* Source, when the image has gone or the move is off: the state is as it was. */
void hmf__vlocal_end(hmf_state_t *state);

/* Newcomer: takes the bytes (copied). HMF_ERR_FORMAT, HMF_ERR_NOMEM. */
hmf_status_t hmf__vlocal_unpack(struct hmf__buf *b);

/* Newcomer, when its start-up is over, before the image: handles of requests and messages exist.
 * HMF_ERR_MISMATCH: the start-up made others than the rank's. */
hmf_status_t hmf__vlocal_apply(hmf_state_t *state);

/* Newcomer, with the image in place: all is as it was; then the list is no variable any more. */
hmf_status_t hmf__vlocal_settle(hmf_state_t *state);

/* ---- addresses, for those who pack and unpack ---- */

struct hmf__vlocal_pointer {
    bool is_address;
    uint64_t value;     /* the number itself, or where in the list */
};

/* Packs an address of the program. NULL and what is too small to be one stay what they are.
 * `optional`: it may turn out NULL at the newcomer; else check refuses, and names it so. */
hmf_status_t hmf__vlocal_put_pointer(struct hmf__buf *b, const void *p, bool optional,
                                     const char *fmt, ...) __attribute__((format(printf, 4, 5)));
struct hmf__vlocal_pointer hmf__vlocal_get_pointer(struct hmf__buf *b);
void *hmf__vlocal_pointer(struct hmf__vlocal_pointer p);

/* The same for a function of the program, by its name (NULL: none); `owner` says whose it is. put:
 * HMF_ERR_UNSUPPORTED, it has no name. get: HMF_ERR_FORMAT; HMF_ERR_NOTFOUND, nobody has the name. */
hmf_status_t hmf__vlocal_put_function(struct hmf__buf *b, void (*function)(void), const char *owner);
hmf_status_t hmf__vlocal_get_function(struct hmf__buf *b, void (**out)(void), const char *owner);

/* Source: the address that was packed last; and, after the capture of a rehearsal, do both lie in
 * the same block of the state? */
struct hmf__vlocal_pointer hmf__vlocal_last_pointer(void);
bool hmf__vlocal_one_block(struct hmf__vlocal_pointer a, struct hmf__vlocal_pointer b);

#endif
