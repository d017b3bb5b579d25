/* The two carriers of the tests between architectures: the image as a stream in a file, and a
 * checkpoint of a job of one rank (where the library was built with HDF5). */
#ifndef HETERO_CARRIERS_H
#define HETERO_CARRIERS_H

#include "state.h"
#include "stream.h"
#ifdef HETERO_HDF5
#include "check.h"
#endif

#include <string.h>

static inline hmf_status_t put_stream(hmf_state_t *s, int fd)
{
    hmf_image_t *image;
    hmf_status_t rc = hmf_image_capture(s, &image);

    if (rc != HMF_OK)
        return rc;
    rc = hmf__stream_write(image, hmf__stream_put_fd, &fd);
    hmf_image_free(image);
    return rc;
}

static inline hmf_status_t get_stream(hmf_state_t *s, int fd)
{
    return hmf__stream_read(s, UINT64_MAX, hmf__stream_get_fd, &fd);
}

#ifdef HETERO_HDF5
static inline hmf_status_t alone_agree(void *ctx, hmf_status_t mine, char *text, size_t text_len)
{
    (void)ctx;
    (void)text;
    (void)text_len;
    return mine;
}

static inline hmf_status_t alone_gather(void *ctx, const void *mine, size_t len, void *all)
{
    (void)ctx;
    memcpy(all, mine, len);
    return HMF_OK;
}

static inline hmf_status_t alone_bcast(void *ctx, void *data, size_t len)
{
    (void)ctx;
    (void)data;
    (void)len;
    return HMF_OK;
}

static inline struct hmf__check_job alone(const char *dir)
{
    return (struct hmf__check_job){.nranks = 1, .dir = dir, .program = "hetero", .keep = 1,
                                   .agree = alone_agree, .gather = alone_gather,
                                   .bcast = alone_bcast};
}

static inline hmf_status_t put_check(hmf_state_t *s, const char *dir)
{
    struct hmf__check_job job = alone(dir);
    hmf_image_t *image;
    uint64_t generation;
    hmf_status_t rc = hmf_image_capture(s, &image);

    if (rc != HMF_OK)
        return rc;
    rc = hmf__check_write(&job, image, &generation);
    hmf_image_free(image);
    hmf__check_release(&job);
    return rc;
}

static inline hmf_status_t get_check(hmf_state_t *s, const char *dir)
{
    struct hmf__check_job job = alone(dir);
    uint64_t generation;
    hmf_status_t rc = hmf__check_load(&job, -1, s, &generation);

    hmf__check_release(&job);
    return rc;
}
#endif

#endif
