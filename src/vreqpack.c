/* The requests of a rank that moves, as bytes for its newcomer.  Declared in vreq.h.
 *
 * After the drain a request is complete with its outcome kept, or a receive that waits to be posted
 * again, or persistent and idle.  The last two need their buffer, which is the program's memory:
 * its address is translated with the state (vlocal.h).
 *
 *   u64 next serial; u32 n; n times
 *     u64 serial; u8 kind; i32 fn; u32 flags; u32 communicator; i32 count, peer, tag, error
 *     pointer; text of the datatype ("": none); status (i32 source, tag, error, cancelled; u64 bytes)
 *     generalised: its extra state as pointer; names of its query, free and cancel functions
 */
#include "config.h"

#include "vreq.h"

#include <string.h>

#include "shim/shim.h"
#include "typemap.h"
#include "vhandle.h"
#include "vlocal.h"

#define NO_COMM UINT32_C(0xffffffff)

enum {
    CARRIED = HMF__VREQ_PERSISTENT | HMF__VREQ_ACTIVE | HMF__VREQ_DONE | HMF__VREQ_COUNTED |
              HMF__VREQ_CANCEL | HMF__VREQ_REPOST | HMF__VREQ_MATCHED | HMF__VREQ_FULFILLED
};

static bool needs_buffer(unsigned flags)
{
    return flags & (HMF__VREQ_PERSISTENT | HMF__VREQ_REPOST);
}

/* Before the drain a pending receive may turn out to need it. */
static bool may_need_buffer(const struct hmf__vreq *q)
{
    return needs_buffer(q->flags) || (q->kind == HMF__VREQ_RECV &&
                                      !(q->flags & (HMF__VREQ_DONE | HMF__VREQ_MATCHED)));
}

static hmf_status_t carriable(const struct hmf__vreq *q, bool drained)
{
    char text[400];

    if (q->flags & HMF__VREQ_ORPHAN)
        return hmf__fail(HMF_ERR_BUSY, "the rank that is to move has freed the pending request of %s"
                         ", which can then not be carried", hmf__vreq_text(q, text, sizeof text));
    if (q->kind != HMF__VREQ_GREQ && drained && (q->flags & HMF__VREQ_ACTIVE) &&
        !(q->flags & (HMF__VREQ_DONE | HMF__VREQ_REPOST)))
        return hmf__fail(HMF_ERR_BUSY, "the rank that is to move has not completed %s: call MPI_Wait"
                         " for it before auto_poll", hmf__vreq_text(q, text, sizeof text));
    if (may_need_buffer(q) && q->buf == MPI_BOTTOM && q->count > 0)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s of the rank that is to move uses MPI_BOTTOM:"
                         " absolute addresses mean nothing in another process",
                         hmf__vreq_text(q, text, sizeof text));
    return HMF_OK;
}

static void put_status(struct hmf__buf *b, const struct hmf__vreq *q)
{
    MPI_Count bytes = 0;
    int cancelled = 0;

    if (q->flags & HMF__VREQ_DONE) {
        PMPI_Test_cancelled(&q->status, &cancelled);
        PMPI_Get_elements_x(&q->status, MPI_BYTE, &bytes);
    }
    hmf__buf_put_i32(b, q->flags & HMF__VREQ_DONE ? q->status.MPI_SOURCE : MPI_ANY_SOURCE);
    hmf__buf_put_i32(b, q->flags & HMF__VREQ_DONE ? q->status.MPI_TAG : MPI_ANY_TAG);
    hmf__buf_put_i32(b, q->flags & HMF__VREQ_DONE ? q->status.MPI_ERROR : MPI_SUCCESS);
    hmf__buf_put_i32(b, cancelled);
    hmf__buf_put_u64(b, bytes > 0 ? (uint64_t) bytes : 0);
}

/* The program completes it at the newcomer; what MPI calls for it must be found there, unless the
 * start-up has made it. A cancel function that was called has done its work in the program's state. */
static hmf_status_t put_greq(struct hmf__buf *b, const struct hmf__vreq *q, bool startup)
{
    const char *owner = "a generalised request of the rank that is to move";
    void (*function[3])(void) = {(void (*)(void)) q->greq->query, (void (*)(void)) q->greq->free,
                                 (void (*)(void)) q->greq->cancel};
    hmf_status_t status = hmf__vlocal_put_pointer(b, q->buf, startup, "the extra state of %s", owner);

    for (int i = 0; i < 3 && status == HMF_OK; i++)
        status = hmf__vlocal_put_function(b, startup ? NULL : function[i], owner);
    return status;
}

static hmf_status_t put_one(struct hmf__buf *b, const struct hmf__vreq *q, bool startup,
                            bool drained)
{
    bool buffer = drained ? needs_buffer(q->flags) : may_need_buffer(q);
    const char *type = "";
    hmf_status_t status = carriable(q, drained);
    char text[400];

    if (status == HMF_OK && buffer)
        status = hmf__vhandle_text(typeMPI_DATATYPE, (void *) q->datatype, &type);
    if (status != HMF_OK)
        return status;
    hmf__buf_put_u64(b, q->serial);
    hmf__buf_put_u8(b, (uint8_t) q->kind);
    hmf__buf_put_i32(b, q->fn);
    hmf__buf_put_u32(b, q->flags & CARRIED);
    hmf__buf_put_u32(b, q->vcomm != NULL ? q->vcomm->id : NO_COMM);
    hmf__buf_put_i32(b, q->count);
    hmf__buf_put_i32(b, q->peer);
    hmf__buf_put_i32(b, q->tag);
    hmf__buf_put_i32(b, q->error);
    status = hmf__vlocal_put_pointer(b, buffer && q->count > 0 ? q->buf : NULL, startup, "%s",
                                     hmf__vreq_text(q, text, sizeof text));
    hmf__buf_put_string(b, type);
    put_status(b, q);
    if (q->kind == HMF__VREQ_GREQ && status == HMF_OK)
        status = put_greq(b, q, startup);
    return status;
}

hmf_status_t hmf__vreq_pack(struct hmf__buf *b, bool drained)
{
    uint32_t n = 0, comms;
    uint64_t started;
    hmf_status_t status = HMF_OK;

    hmf__vhandle_startup_ids(&comms, &started);
    for (const struct hmf__vreq *q = hmf__vreq_first(); q != NULL; q = q->next)
        n += !(q->flags & HMF__VREQ_THREAD);
    hmf__buf_put_u64(b, hmf__vreq_next_serial());
    hmf__buf_put_u32(b, n);
    for (const struct hmf__vreq *q = hmf__vreq_first(); q != NULL && status == HMF_OK; q = q->next)
        if (!(q->flags & HMF__VREQ_THREAD))   /* a newcomer's thread makes the call anew */
            status = put_one(b, q, q->serial < started, drained);
    return status;
}

/* ---- back ---- */

struct record {
    uint64_t serial;
    unsigned kind, flags;
    int fn, count, peer, tag, error;
    struct hmf__vcomm *vcomm;
    struct hmf__vlocal_pointer buf;
    char *type;
    MPI_Status status;
    struct hmf__vlocal_pointer extra;
    struct hmf__greq greq;
};

static hmf_status_t damaged(void)
{
    return hmf__fail(HMF_ERR_FORMAT, "a request from the rank's old process is damaged");
}

static hmf_status_t get_greq(struct hmf__buf *b, struct record *r)
{
    void (*function[3])(void);

    r->extra = hmf__vlocal_get_pointer(b);
    for (int i = 0; i < 3; i++) {
        hmf_status_t status = hmf__vlocal_get_function(b, &function[i], "a generalised request");

        if (status != HMF_OK)
            return status;
    }
    r->greq.query = (MPI_Grequest_query_function *) function[0];
    r->greq.free = (MPI_Grequest_free_function *) function[1];
    r->greq.cancel = (MPI_Grequest_cancel_function *) function[2];
    return b->status == HMF_OK ? HMF_OK : damaged();
}

static hmf_status_t get_one(struct hmf__buf *b, struct record *r)
{
    int source, tag, error, cancelled;
    uint64_t bytes;
    uint32_t comm;

    r->serial = hmf__buf_get_u64(b);
    r->kind = hmf__buf_get_u8(b);
    r->fn = hmf__buf_get_i32(b);
    r->flags = hmf__buf_get_u32(b);
    comm = hmf__buf_get_u32(b);
    r->count = hmf__buf_get_i32(b);
    r->peer = hmf__buf_get_i32(b);
    r->tag = hmf__buf_get_i32(b);
    r->error = hmf__buf_get_i32(b);
    r->buf = hmf__vlocal_get_pointer(b);
    r->type = hmf__buf_get_string(b, HMF__VLOCAL_TEXT_MAX);
    source = hmf__buf_get_i32(b);
    tag = hmf__buf_get_i32(b);
    error = hmf__buf_get_i32(b);
    cancelled = hmf__buf_get_i32(b);
    bytes = hmf__buf_get_u64(b);
    r->vcomm = comm == NO_COMM ? NULL : hmf__vcomm_by_id(comm);
    if (b->status != HMF_OK || r->type == NULL || r->serial == 0 || r->kind > HMF__VREQ_GREQ ||
        r->fn < 0 || r->fn >= HMF__FN_COUNT || (r->flags & ~(unsigned) CARRIED) || r->count < 0 ||
        (comm != NO_COMM && r->vcomm == NULL) || (needs_buffer(r->flags) && r->vcomm == NULL)) {
        hmf__free(r->type);
        return damaged();
    }
    hmf__shim_set_status(&r->status, source, tag, bytes);
    r->status.MPI_ERROR = error;
    PMPI_Status_set_cancelled(&r->status, cancelled);
    if (r->kind == HMF__VREQ_GREQ) {
        hmf_status_t status = get_greq(b, r);

        if (status != HMF_OK)
            hmf__free(r->type);
        return status;
    }
    return HMF_OK;
}

static hmf_status_t each(struct hmf__buf *b, hmf_status_t (*visit)(const struct record *r))
{
    uint64_t next = hmf__buf_get_u64(b);
    uint32_t n = hmf__buf_get_u32(b);
    hmf_status_t status = b->status == HMF_OK && next > 0 ? HMF_OK : damaged();

    for (uint32_t i = 0; i < n && status == HMF_OK; i++) {
        struct record r;

        status = get_one(b, &r);
        if (status != HMF_OK)
            break;
        status = r.serial < next ? visit(&r) : damaged();
        hmf__free(r.type);
    }
    if (status == HMF_OK && next > hmf__vreq_next_serial())
        hmf__vreq_set_serial(next);
    return status;
}

static hmf_status_t shell(const struct record *r)
{
    struct hmf__vreq *q = hmf__vreq_by_serial(r->serial);
    char text[400];

    if (q == NULL) {
        q = hmf__vreq_new((int) r->kind, r->fn, r->vcomm);
        if (q == NULL)
            return HMF_ERR_NOMEM;
        q->serial = r->serial;
        return HMF_OK;
    }
    if (q->kind != (short) r->kind || q->fn != r->fn || q->vcomm != r->vcomm)
        return hmf__fail(HMF_ERR_MISMATCH, "the start-up of the new process made %s where the rank"
                         " had made %s: the calls before auto_read must be the same",
                         hmf__vreq_text(q, text, sizeof text), hmf__fn_name(r->fn));
    return HMF_OK;
}

/* What the start-up of this process began for real, by itself alone, or only prepared. */
static void undo_own(struct hmf__vreq *q)
{
    if (q->real == MPI_REQUEST_NULL)
        return;
    if (!(q->flags & HMF__VREQ_PERSISTENT) && q->kind == HMF__VREQ_RECV) {
        PMPI_Cancel(&q->real);
        PMPI_Wait(&q->real, MPI_STATUS_IGNORE);
    } else {
        PMPI_Request_free(&q->real);
    }
    q->real = MPI_REQUEST_NULL;
}

static hmf_status_t give_type(struct hmf__vreq *q, const char *text)
{
    hmf_status_t status;
    bool given;
    void *type;

    if (q->datatype != MPI_DATATYPE_NULL) /* its start-up has it */
        return HMF_OK;
    status = hmf__vhandle_find(typeMPI_DATATYPE, text, &type, &given);
    if (status != HMF_OK)
        return status;
    q->datatype = (MPI_Datatype) type;
    if (given || strchr(text, '#') == NULL)
        return HMF_OK;
    /* No variable has it, so nobody else will free it; others may need it too, so a copy. */
    if (PMPI_Type_dup((MPI_Datatype) type, &q->datatype) != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "MPI does not copy a datatype");
    q->flags |= HMF__VREQ_OWNTYPE;
    return HMF_OK;
}

/* One that the start-up has made is there already, and may have been completed by it. */
static hmf_status_t fill_greq(struct hmf__vreq *q, const struct record *r)
{
    int rc = MPI_SUCCESS;

    if (q->real == MPI_REQUEST_NULL) {
        q->greq = hmf__malloc(sizeof *q->greq);
        if (q->greq == NULL)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a generalised request");
        *q->greq = r->greq;
        q->buf = hmf__vlocal_pointer(r->extra);
        rc = PMPI_Grequest_start(q->greq->query, q->greq->free, q->greq->cancel, q->buf, &q->real);
    }
    if (rc == MPI_SUCCESS && (r->flags & ~q->flags & HMF__VREQ_FULFILLED))
        rc = PMPI_Grequest_complete(q->real);
    if (rc != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "a generalised request cannot be made again (MPI error %d)", rc);
    q->flags = (q->flags & HMF__VREQ_LISTED) | r->flags;
    hmf__vreq_to_end(q);
    return HMF_OK;
}

static hmf_status_t fill(const struct record *r)
{
    struct hmf__vreq *q = hmf__vreq_by_serial(r->serial);
    hmf_status_t status = HMF_OK;
    char text[400];
    void *buf;

    if (q == NULL)
        return damaged();
    if (r->kind == HMF__VREQ_GREQ)
        return fill_greq(q, r);
    undo_own(q);
    q->made_on = MPI_COMM_NULL;
    q->flags = (q->flags & (HMF__VREQ_LISTED | HMF__VREQ_OWNTYPE)) | r->flags;
    q->count = r->count;
    q->peer = r->peer;
    q->tag = r->tag;
    q->error = r->error;
    q->status = r->status;
    if (q->out != NULL)
        hmf__out_free(q->out);
    q->out = NULL;
    if (needs_buffer(r->flags)) {
        buf = hmf__vlocal_pointer(r->buf);
        /* Memory that nobody registered is still this start-up's own. */
        if (buf != NULL || r->count == 0)
            q->buf = buf;
        if (q->buf == NULL && r->count > 0)
            return hmf__fail(HMF_ERR_UNSUPPORTED, "the buffer of %s is not in registered memory",
                             hmf__vreq_text(q, text, sizeof text));
        status = give_type(q, r->type);
    }
    hmf__vreq_to_end(q);
    return status;
}

hmf_status_t hmf__vreq_shells(struct hmf__buf *b)
{
    return each(b, shell);
}

hmf_status_t hmf__vreq_fill(struct hmf__buf *b)
{
    return each(b, fill);
}
