/* Exactly so many bytes from or to a descriptor, within a time limit, and without a signal when
 * the other end is gone.  What the bytes mean is the callers'.
 */
#ifndef HMF__FDIO_H
#define HMF__FDIO_H

#include "hmf/status.h"

#include <stddef.h>

/* limit_s: longest wait for the next byte; < 0: for ever.
 * *done (may be NULL): bytes that came, also after an error.  HMF_ERR_FORMAT: the data end before,
 * HMF_ERR_IO, HMF_ERR_TIMEOUT. */
hmf_status_t hmf__fd_read(int fd, void *data, size_t len, double limit_s, size_t *done);

/* HMF_ERR_IO (the other end is gone, the disk is full ...), HMF_ERR_TIMEOUT. */
hmf_status_t hmf__fd_write(int fd, const void *data, size_t len, double limit_s);

#endif
