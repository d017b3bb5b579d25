/* xfer.h - bytes and images from one main thread to another, by MPI point-to-point messages.
 *
 * Every wait ends when the operation is given up (the callback says so) or after the limit. */
#ifndef HMF_XFER_H
#define HMF_XFER_H

#include <mpi.h>

#include "image.h"
#include "hmf/status.h"

struct hmf__xfer {
    MPI_Comm comm;
    int peer;
    uint64_t limit_ns;                 /* longest wait for one message */
    int (*given_up)(void *ctx);
    void *ctx;
    /* recv_image: set when it has come.  Bytes of state; and how long the source looked for its
     * blocks, until they had come, until they were converted and in place. */
    uint64_t bytes;
    uint64_t capture_ns, transfer_ns, translate_ns;
};

enum { HMF__TAG_PACK = 1, HMF__TAG_READY = 2, HMF__TAG_IMAGE = 3, HMF__TAG_PROBE = 4 };

/* A byte string of any length; recv: free *data with hmf__big_free(*data, *len). */
hmf_status_t hmf__xfer_send(struct hmf__xfer *x, int tag, const void *data, size_t len);
hmf_status_t hmf__xfer_recv(struct hmf__xfer *x, int tag, void **data, size_t *len);

/* Bytes as an image's are carried, to measure how long that takes. */
hmf_status_t hmf__xfer_probe(struct hmf__xfer *x, void *data, size_t len, int receiving);

/* The newcomer says that it is ready to take the image; the source waits for that. */
hmf_status_t hmf__xfer_send_ready(struct hmf__xfer *x);
hmf_status_t hmf__xfer_wait_ready(struct hmf__xfer *x);

/* The image, straight from and into registered memory where the layouts agree, each segment with
 * its CRC32C.  An error of either side reaches the receiver as a status; `captured` is what capture
 * returned, image is NULL if it failed; capture_ns of the handle is how long that took. */
hmf_status_t hmf__xfer_send_image(struct hmf__xfer *x, hmf_status_t captured,
                                  const hmf_image_t *image);
hmf_status_t hmf__xfer_recv_image(struct hmf__xfer *x, hmf_state_t *state);

#endif
