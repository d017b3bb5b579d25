/* The buffer of MPI_Bsend (MPI_Buffer_attach): the newcomer of a rank that moves has it attached too. */
#ifndef HMF__VBUFFER_H
#define HMF__VBUFFER_H

#include "base.h"
#include "hmf/status.h"

/* What the program has attached; at NULL: nothing.  The wrappers set it. */
extern struct hmf__vbuffer { void *at; int size; bool startup; } hmf__vbuffer
    __attribute__((visibility("hidden")));

/* auto_read of a process that began with its rank: the start-up of a newcomer attaches it again. */
void hmf__vbuffer_started(void);

/* Source.  The buffer must be registered memory, unless the start-up attached it. */
hmf_status_t hmf__vbuffer_pack(struct hmf__buf *b);

/* Newcomer: reads, and with `attach` (its state is there) attaches or detaches what its own start-up has
 * not.  HMF_ERR_FORMAT, HMF_ERR_MPI. */
hmf_status_t hmf__vbuffer_unpack(struct hmf__buf *b, bool attach);

#endif
