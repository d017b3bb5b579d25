/* Matched messages in the program's hands: what it holds where MPI gives it an MPI_Message.
 *
 * Made by matched probes (shim/p2p.c), ended by the receive.  At a cut the message is received into
 * memory, and moves with its rank.
 */
#ifndef HMF__VMSG_H
#define HMF__VMSG_H

#include <stdbool.h>
#include <stdint.h>

#include <mpi.h>

#include "base.h"

struct hmf__vcomm;
struct hmf__stashed;

struct hmf__vmsg {
    MPI_Message real;           /* or MPI_MESSAGE_NULL: the message is in `m` */
    struct hmf__stashed *m;
    struct hmf__vcomm *vcomm;
    MPI_Status status;
    bool replay;                /* matched in a replay: its data comes from the start-up log */
    uint32_t serial;
    struct hmf__vmsg *next, *prev;
};

/* NULL: not one of ours, MPI's own. */
struct hmf__vmsg *hmf__vmsg_of(MPI_Message message);

/* MPI_MESSAGE_NULL: no memory. */
MPI_Message hmf__vmsg_new(struct hmf__vcomm *v, MPI_Message real, struct hmf__stashed *m,
                          const MPI_Status *status);
void hmf__vmsg_drop(struct hmf__vmsg *g);

/* At a cut, local: receives all into memory.  HMF_ERR_NOMEM, HMF_ERR_MPI. */
hmf_status_t hmf__vmsg_suspend(void);
void hmf__vmsg_fini(void);

/* Numbers in order of creation; a newcomer's start-up gives the same. */
bool hmf__vmsg_serial(MPI_Message message, uint32_t *out);
MPI_Message hmf__vmsg_by_serial(uint32_t serial);

/* Is there one that no start-up phase made and for which `known` says no? Its text. */
bool hmf__vmsg_unknown(uint32_t started, bool (*known)(MPI_Message m), char *text, size_t len);
uint32_t hmf__vmsg_next_serial(void);

/* All of them for a newcomer, after suspend; and back, in place of what start-up made.
 * HMF_ERR_FORMAT, HMF_ERR_NOMEM. */
void hmf__vmsg_pack(struct hmf__buf *b);
hmf_status_t hmf__vmsg_unpack(struct hmf__buf *b);

#endif
