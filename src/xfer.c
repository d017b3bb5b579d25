/* xfer.c - bytes and images between main threads (see xfer.h).
 *
 * A segment travels as a stream cut into chunks at fixed positions, so that both sides cut alike
 * however their memory is scattered.  Two chunks are in flight: while MPI carries one, the other's
 * checksum is made, in slices, since MPI may carry bytes only inside calls; both fit in a cache. */
#include "config.h"

#include "xfer.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "base.h"
#include "padding.h"

#define CHUNK ((size_t)1 << 20)
#define SLICE ((size_t)64 << 10)
#define SPINS 50
#define PATIENCE_NS 200000000ull       /* inside a transfer: the other side works on the same message */
#define READY_NS 5000000ull            /* before it: a program's start-up may take long */

struct head { uint64_t status, len, bytes, capture_ns; };   /* same byte order inside one MPI job */

static hmf_status_t mpi_fail(int rc, const char *what)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int len;

    PMPI_Error_string(rc, text, &len);
    return hmf__fail(HMF_ERR_MPI, "%s: %s", what, text);
}

/* Tests first without, then with a rest: the peer is at work on the same message. */
static hmf_status_t wait_one(struct hmf__xfer *x, MPI_Request *req, int receiving,
                             uint64_t patience_ns)
{
    uint64_t begun = 0;
    int done = 0;

    for (unsigned i = 1;; i++) {
        int rc = PMPI_Test(req, &done, MPI_STATUS_IGNORE);
        if (rc)
            return mpi_fail(rc, "a message of the move was not carried");
        if (done)
            return HMF_OK;
        if (i % SPINS)
            continue;
        uint64_t now = hmf__now_ns();
        if (!begun)
            begun = now;
        if (x->given_up(x->ctx) || now - begun > x->limit_ns) {
            if (receiving) {
                PMPI_Cancel(req);
                PMPI_Wait(req, MPI_STATUS_IGNORE);
            } else {
                PMPI_Request_free(req);
            }
            return hmf__fail(HMF_ERR_TIMEOUT, "process %d did not %s a message of the move in time",
                             x->peer, receiving ? "send" : "take");
        }
        if (now - begun < patience_ns) {
            sched_yield();
        } else {
            struct timespec rest = {.tv_nsec = 100000};
            nanosleep(&rest, NULL);
        }
    }
}

static hmf_status_t start(struct hmf__xfer *x, int tag, void *p, size_t len, int receiving,
                          MPI_Request *req)
{
    int rc = receiving
                 ? PMPI_Irecv(p, (int)len, MPI_BYTE, x->peer, tag, x->comm, req)
                 : PMPI_Isend(p, (int)len, MPI_BYTE, x->peer, tag, x->comm, req);
    return rc ? mpi_fail(rc, "a message of the move cannot be started") : HMF_OK;
}

static hmf_status_t one(struct hmf__xfer *x, int tag, void *p, size_t len, int receiving)
{
    MPI_Request req;
    hmf_status_t st = start(x, tag, p, len, receiving, &req);

    return st ? st : wait_one(x, &req, receiving, tag == HMF__TAG_READY ? READY_NS : PATIENCE_NS);
}

/* ---- streams -------------------- */

struct cursor { const struct iovec *iov; size_t n, i, off; const struct hmf__padding *padding; };

/* Copies between the pieces at the cursor and a flat buffer. */
static void gather(struct cursor *c, uint8_t *flat, size_t len, int into_pieces)
{
    while (len) {
        size_t left = c->iov[c->i].iov_len - c->off, n = left < len ? left : len;
        uint8_t *piece = (uint8_t *)c->iov[c->i].iov_base + c->off;
        if (n && c->padding)
            hmf__padding_copy(c->padding, c->iov[c->i].iov_base, c->off, flat, n);
        else if (n)
            memcpy(into_pieces ? piece : flat, into_pieces ? flat : piece, n);
        flat += n;
        len -= n;
        c->off += n;
        if (c->off == c->iov[c->i].iov_len) {
            c->i++;
            c->off = 0;
        }
    }
}

/* The next `len` bytes as they lie in memory, or NULL if they are in several pieces or not to be
 * carried as they are. */
static uint8_t *contiguous(struct cursor *c, size_t len)
{
    uint8_t *p;

    while (c->i < c->n && c->off == c->iov[c->i].iov_len) {
        c->i++;
        c->off = 0;
    }
    if (c->padding || c->i == c->n || c->iov[c->i].iov_len - c->off < len)
        return NULL;
    p = (uint8_t *)c->iov[c->i].iov_base + c->off;
    c->off += len;
    return p;
}

struct flight { MPI_Request req; uint8_t *at; size_t len; struct cursor back; int scattered, busy; };

/* Adds a chunk to the checksum; between the slices MPI goes on with the chunk that is under way. */
static hmf_status_t sum(const struct flight *f, struct flight *under_way, uint32_t *crc)
{
    for (size_t at = 0; at < f->len; at += SLICE) {
        int done, rc;
        *crc = hmf__crc32c(*crc, f->at + at, f->len - at < SLICE ? f->len - at : SLICE);
        if (under_way->busy && (rc = PMPI_Test(&under_way->req, &done, MPI_STATUS_IGNORE)))
            return mpi_fail(rc, "a message of the move was not carried");
    }
    return HMF_OK;
}

/* Finishes a chunk: a received one is summed, and put into its pieces. */
static hmf_status_t land(struct hmf__xfer *x, struct flight *f, struct flight *other, int receiving,
                         uint32_t *crc)
{
    hmf_status_t st;

    if (!f->busy)
        return HMF_OK;
    f->busy = 0;
    if ((st = wait_one(x, &f->req, receiving, PATIENCE_NS)) || !receiving)
        return st;
    st = sum(f, other, crc);
    if (f->scattered)
        gather(&f->back, f->at, f->len, 1);
    return st;
}

static hmf_status_t stream(struct hmf__xfer *x, const struct iovec *iov, size_t niov,
                           const struct hmf__padding *padding, uint64_t bytes, int receiving,
                           uint8_t *bounce, uint32_t *crc_out)
{
    struct cursor c = {.iov = iov, .n = niov, .padding = padding};
    struct flight f[2] = {{.busy = 0}, {.busy = 0}};
    uint32_t crc = 0;
    hmf_status_t st = HMF_OK;
    int k = 0;

    for (uint64_t at = 0; at < bytes && !st; k = !k) {
        size_t len = bytes - at < CHUNK ? (size_t)(bytes - at) : CHUNK;
        /* On the receiving side slot k's last chunk is summed here, while the other is on its
         * way. */
        if ((st = land(x, &f[k], &f[!k], receiving, &crc)))
            break;
        f[k].len = len;
        f[k].back = c;
        f[k].at = contiguous(&c, len);
        f[k].scattered = !f[k].at;
        if (f[k].scattered) {
            f[k].at = bounce + (size_t)k * CHUNK;
            f[k].back = c;
            if (receiving) {
                size_t skip = len;          /* advance: the bytes come later */
                while (skip) {
                    size_t left = c.iov[c.i].iov_len - c.off, n = left < skip ? left : skip;
                    c.off += n;
                    skip -= n;
                    if (c.off == c.iov[c.i].iov_len) {
                        c.i++;
                        c.off = 0;
                    }
                }
            } else {
                gather(&c, f[k].at, len, 0);
            }
        }
        st = start(x, HMF__TAG_IMAGE, f[k].at, len, receiving, &f[k].req);
        f[k].busy = !st;
        if (!st && !receiving)
            st = sum(&f[k], &f[k], &crc);
        at += len;
    }
    for (int i = 0; i < 2; i++, k = !k) {
        hmf_status_t last = land(x, &f[k], &f[!k], receiving, &crc);
        st = st ? st : last;
    }
    *crc_out = crc;
    return st;
}

/* ---- byte strings -------------------- */

hmf_status_t hmf__xfer_send(struct hmf__xfer *x, int tag, const void *data, size_t len)
{
    struct head h = {.len = len};
    hmf_status_t st = one(x, tag, &h, sizeof h, 0);

    for (size_t at = 0; at < len && !st; at += CHUNK)
        st = one(x, tag, (uint8_t *)data + at, len - at < CHUNK ? len - at : CHUNK, 0);
    return st;
}

hmf_status_t hmf__xfer_recv(struct hmf__xfer *x, int tag, void **data, size_t *len)
{
    struct head h;
    uint8_t *p;
    hmf_status_t st = one(x, tag, &h, sizeof h, 1);

    if (st)
        return st;
    p = hmf__big_alloc((size_t)h.len ? (size_t)h.len : 1);
    if (!p)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for %llu bytes from process %d",
                         (unsigned long long)h.len, x->peer);
    for (size_t at = 0; at < h.len && !st; at += CHUNK)
        st = one(x, tag, p + at, h.len - at < CHUNK ? (size_t)h.len - at : CHUNK, 1);
    if (st) {
        hmf__big_free(p, (size_t)h.len ? (size_t)h.len : 1);
        return st;
    }
    *data = p;
    *len = (size_t)h.len;
    return HMF_OK;
}

hmf_status_t hmf__xfer_send_ready(struct hmf__xfer *x)
{
    uint8_t byte = 1;
    return one(x, HMF__TAG_READY, &byte, 1, 0);
}

hmf_status_t hmf__xfer_wait_ready(struct hmf__xfer *x)
{
    uint8_t byte;
    return one(x, HMF__TAG_READY, &byte, 1, 1);
}

hmf_status_t hmf__xfer_probe(struct hmf__xfer *x, void *data, size_t len, int receiving)
{
    struct iovec whole = {data, len};
    uint32_t crc;

    /* Small ones as heads are sent; what is in one piece needs no buffer. */
    return len <= SLICE ? one(x, HMF__TAG_PROBE, data, len, receiving)
                        : stream(x, &whole, 1, NULL, len, receiving, NULL, &crc);
}

/* ---- images -------------------- */

/* What the receiver is told instead of an image: the status and its text. */
static hmf_status_t send_failure(struct hmf__xfer *x, hmf_status_t status)
{
    const char *text = hmf_error_text();
    struct head h = {.status = status, .len = strlen(text)};
    hmf_status_t st = one(x, HMF__TAG_IMAGE, &h, sizeof h, 0);

    if (!st)
        st = hmf__xfer_send(x, HMF__TAG_IMAGE, text, h.len);
    return st ? st : status;
}

static uint8_t *new_bounce(void)
{
    uint8_t *p = hmf__big_alloc(2 * CHUNK);
    if (!p)
        hmf__fail(HMF_ERR_NOMEM, "no memory for the buffers of a move");
    return p;
}

hmf_status_t hmf__xfer_send_image(struct hmf__xfer *x, hmf_status_t captured,
                                  const hmf_image_t *image)
{
    size_t n, len;
    const void *meta;
    struct head h = {.status = HMF_OK};
    uint32_t *crc = NULL;
    uint8_t *bounce = NULL;
    hmf_status_t st;

    if (captured)
        return send_failure(x, captured);
    n = hmf_image_nsegments(image);
    meta = hmf_image_meta(image, &len);
    crc = hmf__calloc(n ? n : 1, sizeof *crc);
    bounce = new_bounce();
    if (!crc || !bounce) {
        st = send_failure(x, HMF_ERR_NOMEM);
        goto free_buffers;
    }
    h.len = len;
    h.bytes = hmf_image_bytes(image);
    h.capture_ns = x->capture_ns;
    if ((st = one(x, HMF__TAG_IMAGE, &h, sizeof h, 0)) ||
        (st = hmf__xfer_send(x, HMF__TAG_IMAGE, meta, len)))
        goto free_buffers;
    for (size_t i = 0; i < n && !st; i++) {
        const struct hmf__segment *s = hmf_image_segment(image, i);
        st = stream(x, s->iov, s->niov, s->padding, s->bytes, 0, bounce, &crc[i]);
    }
    if (!st && n)
        st = hmf__xfer_send(x, HMF__TAG_IMAGE, crc, n * sizeof *crc);

free_buffers:
    hmf__big_free(bounce, 2 * CHUNK);
    hmf__free(crc);
    return st;
}

/* Takes the source's failure and makes it this side's. */
static hmf_status_t recv_failure(struct hmf__xfer *x, hmf_status_t status)
{
    void *text;
    size_t len;

    if (hmf__xfer_recv(x, HMF__TAG_IMAGE, &text, &len))
        return status;
    hmf__fail(status, "%.*s", (int)(len < 800 ? len : 800), (char *)text);
    hmf__big_free(text, len ? len : 1);
    return status;
}

hmf_status_t hmf__xfer_recv_image(struct hmf__xfer *x, hmf_state_t *state)
{
    struct head h;
    hmf_restore_t *r = NULL;
    void *meta = NULL, *sent = NULL;
    uint32_t *crc = NULL;
    uint8_t *bounce = NULL;
    size_t len = 0, n = 0, sent_len = 0;
    uint64_t begun = hmf__now_ns(), translated = 0, from;
    hmf_status_t st = one(x, HMF__TAG_IMAGE, &h, sizeof h, 1);

    if (st)
        return st;
    if (h.status)
        return recv_failure(x, (hmf_status_t)h.status);
    if ((st = hmf__xfer_recv(x, HMF__TAG_IMAGE, &meta, &len)))
        return st;
    if ((st = hmf_restore_begin(state, meta, len, &r)))
        goto free_meta;                   /* the source's sends are given up with the move */
    n = hmf_restore_nsegments(r);
    crc = hmf__calloc(n ? n : 1, sizeof *crc);
    bounce = new_bounce();
    if (!crc || !bounce) {
        st = HMF_ERR_NOMEM;
        goto abort_restore;
    }
    for (size_t i = 0; i < n; i++) {
        const struct iovec *iov;
        size_t niov;
        uint64_t bytes;
        if ((st = hmf_restore_segment(r, i, &iov, &niov, &bytes)) ||
            (st = stream(x, iov, niov, NULL, bytes, 1, bounce, &crc[i])))
            goto abort_restore;
        from = hmf__now_ns();
        if ((st = hmf_restore_segment_done(r, i)))
            goto abort_restore;
        translated += hmf__now_ns() - from;
        x->bytes += bytes;
    }
    if (n) {
        if ((st = hmf__xfer_recv(x, HMF__TAG_IMAGE, &sent, &sent_len)))
            goto abort_restore;
        if (sent_len != n * sizeof *crc || memcmp(sent, crc, sent_len)) {
            st = hmf__fail(HMF_ERR_CHECKSUM, "the state arrived damaged from process %d", x->peer);
            goto abort_restore;
        }
    }
    from = hmf__now_ns();
    st = hmf_restore_finish(r);
    r = NULL;
    x->translate_ns = translated + hmf__now_ns() - from;
    x->capture_ns = h.capture_ns;
    /* The clock of who receives counts: it begins when the source is told to begin. */
    x->transfer_ns = from - begun - translated;
    x->transfer_ns -= x->transfer_ns > h.capture_ns ? h.capture_ns : x->transfer_ns;

abort_restore:
    hmf_restore_abort(r);
    if (sent)
        hmf__big_free(sent, sent_len);
    hmf__big_free(bounce, 2 * CHUNK);
    hmf__free(crc);
free_meta:
    hmf__big_free(meta, len ? len : 1);
    return st;
}
