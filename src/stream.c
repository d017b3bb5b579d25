/* Images through streams; see stream.h. */
#include "config.h"

#include "stream.h"

#include "base.h"
#include "meta.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "HMFSTREA"
#define END "HEND"

enum { STREAM_VERSION = 1, CHUNK = 1 << 20 };

static hmf_status_t put_u64(hmf__stream_put *put, void *ctx, uint64_t v, unsigned bytes)
{
    unsigned char b[8];

    for (unsigned i = 0; i < bytes; i++)
        b[i] = (unsigned char)(v >> (8 * i));
    return put(ctx, b, bytes);
}

static hmf_status_t get_u64(hmf__stream_get *get, void *ctx, uint64_t *v, unsigned bytes)
{
    unsigned char b[8];
    hmf_status_t rc = get(ctx, b, bytes);

    *v = 0;
    for (unsigned i = bytes; i-- && rc == HMF_OK;)
        *v = *v << 8 | b[i];
    return rc;
}

static hmf_status_t put_segment(const struct hmf__segment *s, hmf__stream_put *put, void *ctx)
{
    uint32_t crc = 0;
    hmf_status_t rc = put_u64(put, ctx, s->bytes, 8);

    char *copy = s->padding ? hmf__malloc(CHUNK) : NULL;

    if (s->padding && !copy)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to write an image");
    for (size_t k = 0; k < s->niov && rc == HMF_OK; k++) {
        size_t len = s->iov[k].iov_len;
        for (size_t n, at = 0; at < len && rc == HMF_OK; at += n) { /* checksum while in cache */
            const char *p = (const char *)s->iov[k].iov_base + at;
            n = len - at < CHUNK ? len - at : CHUNK;
            if (copy) {
                hmf__segment_copy(s, k, at, copy, n);
                p = copy;
            }
            crc = hmf__crc32c(crc, p, n);
            rc = put(ctx, p, n);
        }
    }
    hmf__free(copy);
    return rc == HMF_OK ? put_u64(put, ctx, crc, 4) : rc;
}

hmf_status_t hmf__stream_write(const hmf_image_t *image, hmf__stream_put *put, void *ctx)
{
    size_t len, n = hmf_image_nsegments(image);
    const void *meta = hmf_image_meta(image, &len);
    hmf_status_t rc;

    if ((rc = put(ctx, MAGIC, 8)) != HMF_OK ||
        (rc = put_u64(put, ctx, STREAM_VERSION, 4)) != HMF_OK ||
        (rc = put_u64(put, ctx, n, 4)) != HMF_OK || (rc = put_u64(put, ctx, len, 8)) != HMF_OK ||
        (rc = put(ctx, meta, len)) != HMF_OK)
        return rc;
    for (size_t i = 0; i < n; i++)
        if ((rc = put_segment(hmf_image_segment(image, i), put, ctx)) != HMF_OK)
            return rc;
    return put(ctx, END, 4);
}

static hmf_status_t get_segment(hmf_restore_t *r, size_t i, hmf__stream_get *get, void *ctx)
{
    const struct iovec *iov;
    size_t niov;
    uint64_t bytes, length, crc;
    uint32_t sum = 0;
    hmf_status_t rc;

    if ((rc = hmf_restore_segment(r, i, &iov, &niov, &bytes)) != HMF_OK ||
        (rc = get_u64(get, ctx, &length, 8)) != HMF_OK)
        return rc;
    if (length != bytes)
        return hmf__fail(HMF_ERR_FORMAT, "the stream is damaged: segment %zu has %llu bytes, its "
                         "description says %llu", i, (unsigned long long)length,
                         (unsigned long long)bytes);
    for (size_t k = 0; k < niov; k++) {
        char *p = iov[k].iov_base;
        size_t left = iov[k].iov_len;
        for (size_t n; left; left -= n, p += n) {
            n = left < CHUNK ? left : CHUNK;
            if ((rc = get(ctx, p, n)) != HMF_OK)
                return rc;
            sum = hmf__crc32c(sum, p, n);
        }
    }
    if ((rc = get_u64(get, ctx, &crc, 4)) != HMF_OK)
        return rc;
    if (crc != sum)
        return hmf__fail(HMF_ERR_CHECKSUM, "the stream is damaged: checksum of segment %zu", i);
    return hmf_restore_segment_done(r, i);
}

/* So many bytes to the end of out, whose memory grows as they come; their checksum. */
static hmf_status_t take_bytes(hmf__stream_get *get, void *ctx, uint64_t bytes,
                               struct hmf__buf *out, uint32_t *sum)
{
    for (size_t n; bytes; bytes -= n) {
        n = bytes < CHUNK ? (size_t)bytes : CHUNK;
        void *p = hmf__buf_space(out, n);
        hmf_status_t rc = p ? get(ctx, p, n) : out->status;
        if (rc != HMF_OK)
            return rc;
        *sum = hmf__crc32c(*sum, p, n);
    }
    return HMF_OK;
}

/* The head of a stream and the meta in it. */
static hmf_status_t get_meta(uint64_t available, hmf__stream_get *get, void *ctx, void **meta,
                             uint64_t *len, uint64_t *nsegments)
{
    struct hmf__buf bytes = HMF__BUF_INIT;
    char magic[8];
    uint64_t version;
    uint32_t sum = 0; /* the meta has its own */
    size_t n;
    hmf_status_t rc;

    if ((rc = get(ctx, magic, 8)) != HMF_OK)
        return rc;
    if (memcmp(magic, MAGIC, 8))
        return hmf__fail(HMF_ERR_FORMAT, "these bytes are no stream of a state");
    if ((rc = get_u64(get, ctx, &version, 4)) != HMF_OK ||
        (rc = get_u64(get, ctx, nsegments, 4)) != HMF_OK ||
        (rc = get_u64(get, ctx, len, 8)) != HMF_OK)
        return rc;
    if (version != STREAM_VERSION)
        return hmf__fail(HMF_ERR_VERSION, "the stream has version %u, this library knows %d",
                         (unsigned)version, STREAM_VERSION);
    if (*len > HMF__META_MAX || *len > available)
        return hmf__fail(HMF_ERR_FORMAT, "the stream is damaged or cut off: its description has "
                         "%llu bytes", (unsigned long long)*len);
    if ((rc = take_bytes(get, ctx, *len, &bytes, &sum)) == HMF_OK &&
        !(*meta = hmf__buf_take(&bytes, &n)))
        rc = bytes.status;
    hmf__buf_fini(&bytes);
    return rc;
}

hmf_status_t hmf__stream_read(hmf_state_t *state, uint64_t available, hmf__stream_get *get,
                              void *ctx)
{
    void *meta = NULL;
    hmf_restore_t *r = NULL;
    uint64_t len = 0, nsegments = 0;
    char end[4];
    hmf_status_t rc = get_meta(available, get, ctx, &meta, &len, &nsegments);

    if (rc != HMF_OK || (rc = hmf_restore_begin(state, meta, (size_t)len, &r)) != HMF_OK)
        goto drop_meta;
    if (nsegments != hmf_restore_nsegments(r) ||
        hmf_meta_bytes(hmf_restore_meta(r)) > available) {
        rc = hmf__fail(HMF_ERR_FORMAT, "the stream is damaged or cut off: it should have %llu "
                       "bytes and more", (unsigned long long)hmf_meta_bytes(hmf_restore_meta(r)));
        goto abort;
    }
    for (size_t i = 0; i < nsegments; i++)
        if ((rc = get_segment(r, i, get, ctx)) != HMF_OK)
            goto abort;
    if ((rc = get(ctx, end, 4)) != HMF_OK)
        goto abort;
    if (memcmp(end, END, 4)) {
        rc = hmf__fail(HMF_ERR_FORMAT, "the stream is damaged: its end is missing");
        goto abort;
    }
    rc = hmf_restore_finish(r);
    r = NULL;
abort:
    hmf_restore_abort(r);
drop_meta:
    hmf__free(meta);
    return rc;
}

static hmf_status_t take_segment(const struct hmf__segment_info *s, size_t i,
                                 hmf__stream_get *get, void *ctx, struct hmf__buf *out,
                                 size_t *offset)
{
    uint64_t length, crc;
    uint32_t sum = 0;
    hmf_status_t rc = get_u64(get, ctx, &length, 8);

    if (rc != HMF_OK)
        return rc;
    if (length != s->bytes)
        return hmf__fail(HMF_ERR_FORMAT, "the stream is damaged: segment %zu has %llu bytes, its "
                         "description says %llu", i, (unsigned long long)length,
                         (unsigned long long)s->bytes);
    hmf__buf_put_u64(out, length);
    *offset = out->len;
    if ((rc = take_bytes(get, ctx, length, out, &sum)) != HMF_OK ||
        (rc = get_u64(get, ctx, &crc, 4)) != HMF_OK)
        return rc;
    if (crc != sum)
        return hmf__fail(HMF_ERR_CHECKSUM, "the stream is damaged: checksum of segment %zu", i);
    hmf__buf_put_u32(out, sum);
    return HMF_OK;
}

hmf_status_t hmf__stream_take(uint64_t available, hmf__stream_get *get, void *ctx,
                              struct hmf__buf *out, size_t **offsets, hmf_meta_t **parsed)
{
    void *meta = NULL;
    hmf_meta_t *m = NULL;
    size_t *places = NULL;
    uint64_t len = 0, nsegments = 0;
    char end[4];
    hmf_status_t rc = get_meta(available, get, ctx, &meta, &len, &nsegments);

    if (rc != HMF_OK || (rc = hmf_meta_parse(meta, (size_t)len, &m)) != HMF_OK)
        goto drop;
    if (nsegments != hmf_meta_nsegments(m) || hmf_meta_bytes(m) > available) {
        rc = hmf__fail(HMF_ERR_FORMAT, "the stream is damaged or cut off: it should have %llu "
                       "bytes and more", (unsigned long long)hmf_meta_bytes(m));
        goto drop;
    }
    if (!(places = hmf__calloc((size_t)nsegments, sizeof *places))) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory for a list of segments");
        goto drop;
    }
    hmf__buf_put_bytes(out, MAGIC, 8);
    hmf__buf_put_u32(out, STREAM_VERSION);
    hmf__buf_put_u32(out, (uint32_t)nsegments);
    hmf__buf_put_u64(out, len);
    hmf__buf_put_bytes(out, meta, (size_t)len);
    for (size_t i = 0; i < nsegments && rc == HMF_OK; i++)
        rc = take_segment(hmf_meta_segment(m, i), i, get, ctx, out, &places[i]);
    if (rc == HMF_OK)
        rc = get(ctx, end, 4);
    if (rc == HMF_OK && memcmp(end, END, 4))
        rc = hmf__fail(HMF_ERR_FORMAT, "the stream is damaged: its end is missing");
    hmf__buf_put_bytes(out, END, 4);
    if (rc == HMF_OK)
        rc = out->status;
drop:
    hmf__free(meta);
    if (rc == HMF_OK && offsets)
        *offsets = places;
    else
        hmf__free(places);
    if (rc == HMF_OK)
        *parsed = m;
    else
        hmf_meta_free(m);
    return rc;
}

hmf_status_t hmf__stream_put_buf(void *ctx, const void *data, size_t len)
{
    struct hmf__buf *b = ctx;

    hmf__buf_put_bytes(b, data, len);
    return b->status;
}

hmf_status_t hmf__stream_get_buf(void *ctx, void *data, size_t len)
{
    struct hmf__buf *b = ctx;
    const void *p = hmf__buf_get_bytes(b, len);

    if (p && len)
        memcpy(data, p, len);
    return b->status;
}

hmf_status_t hmf__stream_put_fd(void *ctx, const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        ssize_t n = write(*(int *)ctx, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return hmf__fail(HMF_ERR_IO, "cannot write a stream: %s", strerror(errno));
        p += n;
        len -= (size_t)n;
    }
    return HMF_OK;
}

hmf_status_t hmf__stream_get_fd(void *ctx, void *data, size_t len)
{
    char *p = data;

    while (len) {
        ssize_t n = read(*(int *)ctx, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return hmf__fail(HMF_ERR_IO, "cannot read a stream: %s", strerror(errno));
        if (n == 0)
            return hmf__fail(HMF_ERR_FORMAT, "a stream is cut off: %zu bytes are missing", len);
        p += n;
        len -= (size_t)n;
    }
    return HMF_OK;
}
