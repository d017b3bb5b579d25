/* When the sums of the drain do not fit: which communicator is it, at which rank? */
#ifndef HMF__BLAME_H
#define HMF__BLAME_H

#include "hmf/status.h"

enum hmf__blame {
    HMF__BLAME_COLLECTIVES, /* members have made different numbers of collective calls */
    HMF__BLAME_LOST,        /* messages were sent and do not come */
    HMF__BLAME_PENDING      /* messages are not received yet, where none may be under way */
};

/* Collective over the actives.  Gives everybody the same status and text: HMF_ERR_BUSY, for lost
 * messages HMF_ERR_TIMEOUT.  Gathers all communicators of all ranks, so it is for errors only. */
hmf_status_t hmf__blame(enum hmf__blame what);

#endif
