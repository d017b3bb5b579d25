/* A carrier for tests: from one state's image into another state, through plain memory. */
#ifndef CARRY_H
#define CARRY_H

#include "base.h"
#include "image.h"

#include <stdlib.h>
#include <string.h>

struct carried {
    unsigned char *meta;
    size_t meta_len, nsegments;
    unsigned char **segment; /* each exactly as large as it should be */
    uint64_t *bytes;
};

static inline hmf_status_t carry_take(hmf_state_t *from, struct carried *c)
{
    hmf_image_t *image;
    hmf_status_t rc = hmf_image_capture(from, &image);

    memset(c, 0, sizeof *c);
    if (rc != HMF_OK)
        return rc;
    const void *meta = hmf_image_meta(image, &c->meta_len);
    c->meta = malloc(c->meta_len);
    memcpy(c->meta, meta, c->meta_len);
    c->nsegments = hmf_image_nsegments(image);
    c->segment = calloc(c->nsegments + 1, sizeof *c->segment);
    c->bytes = calloc(c->nsegments + 1, sizeof *c->bytes);
    for (size_t i = 0; i < c->nsegments; i++) {
        const struct hmf__segment *s = hmf_image_segment(image, i);
        c->bytes[i] = s->bytes;
        c->segment[i] = malloc(s->bytes + 1);
        uint64_t at = 0;
        for (size_t k = 0; k < s->niov; k++) {
            hmf__segment_copy(s, k, 0, c->segment[i] + at, s->iov[k].iov_len);
            at += s->iov[k].iov_len;
        }
        if (at != s->bytes)
            abort(); /* the image contradicts itself */
    }
    hmf_image_free(image);
    return HMF_OK;
}

static inline hmf_status_t carry_give(const struct carried *c, hmf_state_t *to)
{
    hmf_restore_t *r;
    hmf_status_t rc = hmf_restore_begin(to, c->meta, c->meta_len, &r);

    if (rc != HMF_OK)
        return rc;
    for (size_t i = 0; i < hmf_restore_nsegments(r); i++) {
        const struct iovec *iov;
        size_t niov;
        uint64_t bytes, at = 0;
        if ((rc = hmf_restore_segment(r, i, &iov, &niov, &bytes)) != HMF_OK)
            goto abort;
        if (bytes != c->bytes[i]) {
            rc = hmf__fail(HMF_ERR_FORMAT, "segment %zu is cut off", i);
            goto abort;
        }
        for (size_t k = 0; k < niov; k++) {
            memcpy(iov[k].iov_base, c->segment[i] + at, iov[k].iov_len);
            at += iov[k].iov_len;
        }
        if ((rc = hmf_restore_segment_done(r, i)) != HMF_OK)
            goto abort;
    }
    return hmf_restore_finish(r);
abort:
    hmf_restore_abort(r);
    return rc;
}

static inline void carry_drop(struct carried *c)
{
    for (size_t i = 0; i < c->nsegments; i++)
        free(c->segment[i]);
    free(c->segment);
    free(c->bytes);
    free(c->meta);
    memset(c, 0, sizeof *c);
}

/* All at once. */
static inline hmf_status_t carry(hmf_state_t *from, hmf_state_t *to)
{
    struct carried c;
    hmf_status_t rc = carry_take(from, &c);

    if (rc == HMF_OK)
        rc = carry_give(&c, to);
    carry_drop(&c);
    return rc;
}

#endif
