/* Single objects over MPI and descriptors; see hmf/migrate.h.
 *
 * An object is a message of 16 bytes, that says how many follow, and those in pieces, all with the
 * same tag.  The program's communicators are used, so the calls are the program's MPI_*: a move
 * of a rank in between finds these messages like any others.
 */
#include "config.h"

#include "hmf/migrate.h"

#include "base.h"
#include "hmf/translate.h"
#include "object.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#define HEAD_MAGIC "HMFOBJ01"

enum { HEAD = 16, PIECE = 64 << 20 };

struct wait {
    double limit_s;
    uint64_t begun;
    unsigned turns;
};

/* Another turn of waiting; false: the limit is reached. */
static bool go_on(struct wait *w)
{
    static const struct timespec nap = {0, 50000};

    if (!w->turns)
        w->begun = hmf__now_ns();
    if (w->limit_s >= 0 && (double)(hmf__now_ns() - w->begun) * 1e-9 > w->limit_s)
        return false;
    if (w->turns++ > 1000) /* most peers are there at once */
        nanosleep(&nap, NULL);
    return true;
}

static hmf_status_t failed(const char *call, int rc)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int len;

    MPI_Error_string(rc, text, &len);
    return hmf__fail(HMF_ERR_MPI, "%s failed for an object: %s", call, text);
}

static hmf_status_t late(const char *what, int peer, double limit_s)
{
    return hmf__fail(HMF_ERR_TIMEOUT, "rank %d did not %s within %g seconds", peer, what, limit_s);
}

/* ---- sending ---- */

struct message {
    struct hmf__buf bytes;
    unsigned char head[HEAD];
    int n;
    MPI_Request *requests;
};

static void drop_message(struct message *m)
{
    hmf__buf_fini(&m->bytes);
    hmf__free(m->requests);
    hmf__free(m);
}

static hmf_status_t make_message(const hmf_object_t *o, struct message **out)
{
    struct message *m = hmf__calloc(1, sizeof *m);
    hmf_status_t rc;

    if (!m)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to send object %s", o->name);
    if ((rc = hmf__object_write(o, hmf__stream_put_buf, &m->bytes)) != HMF_OK)
        goto drop;
    memcpy(m->head, HEAD_MAGIC, 8);
    for (int i = 0; i < 8; i++)
        m->head[8 + i] = (unsigned char)((uint64_t)m->bytes.len >> (8 * i));
    size_t pieces = 1 + (m->bytes.len + PIECE - 1) / PIECE;
    if (pieces > INT_MAX || !(m->requests = hmf__calloc(pieces, sizeof *m->requests))) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to send object %s", o->name);
        goto drop;
    }
    *out = m;
    return HMF_OK;
drop:
    drop_message(m);
    return rc;
}

static int start(struct message *m, int dest, int tag, MPI_Comm comm)
{
    int rc = MPI_Isend(m->head, HEAD, MPI_BYTE, dest, tag, comm, &m->requests[m->n]);

    if (rc == MPI_SUCCESS)
        m->n++;
    for (size_t at = 0, k; at < m->bytes.len && rc == MPI_SUCCESS; at += k) {
        k = m->bytes.len - at < PIECE ? m->bytes.len - at : PIECE;
        rc = MPI_Isend(m->bytes.data + at, (int)k, MPI_BYTE, dest, tag, comm, &m->requests[m->n]);
        if (rc == MPI_SUCCESS)
            m->n++;
    }
    return rc;
}

hmf_status_t hmf_migrate_send(const hmf_object_t *o, int dest, int tag, MPI_Comm comm,
                              double limit_s)
{
    struct wait w = {.limit_s = limit_s};
    struct message *m = NULL;
    int rc, done = 0;
    hmf_status_t st;

    if (!o)
        return hmf__fail(HMF_ERR_ARG, "there is no object to send");
    if ((st = make_message(o, &m)) != HMF_OK)
        return st;
    rc = start(m, dest, tag, comm);
    while (rc == MPI_SUCCESS && !done) {
        rc = MPI_Testall(m->n, m->requests, &done, MPI_STATUSES_IGNORE);
        if (rc == MPI_SUCCESS && !done && !go_on(&w))
            break;
    }
    if (rc == MPI_SUCCESS && done) {
        drop_message(m);
        return HMF_OK;
    }
    /* MPI may still read the memory: it stays */
    for (int i = 0; i < m->n; i++)
        if (m->requests[i] != MPI_REQUEST_NULL)
            MPI_Request_free(&m->requests[i]);
    return rc != MPI_SUCCESS ? failed("MPI_Isend", rc) : late("receive an object", dest, limit_s);
}

/* ---- receiving ---- */

/* The next message's bytes to the end of out, at most max of them; the sender and tag. */
static hmf_status_t receive(struct hmf__buf *out, size_t max, int *source, int *tag, MPI_Comm comm,
                            double limit_s)
{
    struct wait w = {.limit_s = limit_s};
    MPI_Message message;
    MPI_Status status;
    int rc, there = 0, n = 0;

    while (!there) {
        if ((rc = MPI_Improbe(*source, *tag, comm, &there, &message, &status)) != MPI_SUCCESS)
            return failed("MPI_Improbe", rc);
        if (!there && !go_on(&w))
            return late("send an object", *source, limit_s);
    }
    MPI_Get_count(&status, MPI_BYTE, &n);
    size_t bytes = n < 0 ? 0 : (size_t)n;
    void *p = hmf__buf_space(out, bytes);
    if (!p) /* to take less of the message than there is would be a fatal error */
        return out->status;
    if ((rc = MPI_Mrecv(p, n, MPI_BYTE, &message, &status)) != MPI_SUCCESS)
        return failed("MPI_Mrecv", rc);
    *source = status.MPI_SOURCE;
    *tag = status.MPI_TAG;
    return bytes <= max ? HMF_OK
                        : hmf__fail(HMF_ERR_FORMAT, "what rank %d sent is no object", *source);
}

hmf_status_t hmf_migrate_take(int source, int tag, MPI_Comm comm, double limit_s,
                              hmf_object_t **image)
{
    struct hmf__buf head = HMF__BUF_INIT, bytes = HMF__BUF_INIT;
    hmf_status_t st = receive(&head, HEAD, &source, &tag, comm, limit_s);
    uint64_t len;

    if (st != HMF_OK)
        goto drop;
    if (head.len != HEAD || memcmp(head.data, HEAD_MAGIC, 8)) {
        st = hmf__fail(HMF_ERR_FORMAT, "what rank %d sent is no object", source);
        goto drop;
    }
    head.pos = 8;
    len = hmf__buf_get_u64(&head);
    while (bytes.len < len && st == HMF_OK) {
        size_t before = bytes.len;
        uint64_t left = len - bytes.len;
        st = receive(&bytes, left > SIZE_MAX ? SIZE_MAX : (size_t)left, &source, &tag, comm,
                     limit_s);
        if (st == HMF_OK && bytes.len == before)
            st = hmf__fail(HMF_ERR_FORMAT, "what rank %d sent is no object", source);
    }
    if (st == HMF_OK)
        st = hmf__object_read(bytes.len, hmf__stream_get_buf, &bytes, image);
drop:
    hmf__buf_fini(&head);
    hmf__buf_fini(&bytes);
    return st;
}

/* Into the object, and the image is no longer needed. */
static hmf_status_t unpack(hmf_object_t *image, hmf_object_t *o)
{
    hmf_status_t st = hmf_translate_unpack(image, o);

    hmf_object_free(image);
    return st;
}

static hmf_status_t check_target(const hmf_object_t *o)
{
    return o && o->format == HMF_FORMAT_HOST
               ? HMF_OK
               : hmf__fail(HMF_ERR_ARG, "an object is received into memory of this process: see "
                           "hmf_object_new, or hmf_migrate_take");
}

hmf_status_t hmf_migrate_recv(hmf_object_t *o, int source, int tag, MPI_Comm comm, double limit_s)
{
    hmf_object_t *image = NULL;
    hmf_status_t st = check_target(o);

    if (st == HMF_OK && (st = hmf_migrate_take(source, tag, comm, limit_s, &image)) == HMF_OK)
        st = unpack(image, o);
    return st;
}

hmf_status_t hmf_migrate_send_fd(const hmf_object_t *o, int fd, double limit_s)
{
    return o ? hmf_object_write_fd(o, fd, limit_s)
             : hmf__fail(HMF_ERR_ARG, "there is no object to send");
}

hmf_status_t hmf_migrate_recv_fd(hmf_object_t *o, int fd, double limit_s)
{
    hmf_object_t *image = NULL;
    hmf_status_t st = check_target(o);

    if (st == HMF_OK && (st = hmf_object_read_fd(fd, limit_s, &image)) == HMF_OK)
        st = unpack(image, o);
    return st;
}
