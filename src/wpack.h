/* The reading half of wpack.c: fills the table of communicators of a process that has just become
 * logical rank `rank`. After an error the table is half filled: the caller throws it away.
 * HMF_ERR_FORMAT, HMF_ERR_VERSION, HMF_ERR_NOMEM. */
#ifndef HMF__WPACK_H
#define HMF__WPACK_H

#include <stddef.h>

#include "hmf/status.h"

hmf_status_t hmf__wpack_read(int rank, const void *data, size_t len);

#endif
