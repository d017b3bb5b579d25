/* The rank's local objects on their way to a newcomer; see vlocal.h.
 *
 *   u64 bytes; u32 number of addresses; u32, u64 first communicator and request after start-up;
 *   windows (vwin.h), files (vfile.h);
 *   key values and attributes (vattr.h); names and error handlers (vdress.h); the buffer of
 *   MPI_Bsend (vbuffer.h); requests (vreq.h);
 *   messages (vmsg.h)
 */
#include "config.h"

#include "vlocal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "function.h"
#include "image.h"
#include "typemap.h"
#include "vattr.h"
#include "vbuffer.h"
#include "vcomm.h"
#include "vdress.h"
#include "vfile.h"
#include "vhandle.h"
#include "vmsg.h"
#include "vreq.h"
#include "vwin.h"

#define LIST "hmf.addresses"

struct address {
    void *at;
    char *what;         /* source: for a refusal */
    bool optional;
    uint32_t block;     /* source, rehearsed: of the state, 0 for none */
};

static struct {
    struct address *list;
    size_t n, cap;
    void **weak;        /* the variable */
    bool registered;
    struct hmf__buf bytes; /* newcomer */
    size_t begin;       /* where what start-up code must have made before begins in it */
    size_t requests;    /* where they begin in it */
    uint32_t startup_messages; /* the first matched message that is not of the start-up phase */
} local;

static void forget(void)
{
    for (size_t i = 0; i < local.n; i++)
        hmf__free(local.list[i].what);
    hmf__free(local.list);
    local.list = NULL;
    local.n = local.cap = 0;
}

/* ---- addresses ---- */

/* Programs keep small integers where a pointer is asked for. */
static bool is_integer(const void *p)
{
    return (uintptr_t) p < 65536 || (uintptr_t) p > UINTPTR_MAX - 65536;
}

hmf_status_t hmf__vlocal_put_pointer(struct hmf__buf *b, const void *p, bool optional,
                                     const char *fmt, ...)
{
    char text[400];
    va_list ap;

    if (is_integer(p)) {
        hmf__buf_put_u8(b, 0);
        hmf__buf_put_i64(b, (int64_t) (intptr_t) p);
        return b->status;
    }
    if (local.n == local.cap) {
        size_t cap = local.cap > 0 ? 2 * local.cap : 16;
        void *list = hmf__realloc(local.list, cap * sizeof(*local.list));

        if (list == NULL)
            return hmf__fail(HMF_ERR_NOMEM, "no memory to note %zu addresses", cap);
        local.list = list;
        local.cap = cap;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    local.list[local.n] = (struct address) { (void *) (uintptr_t) p, hmf__strdup(text), optional, 0 };
    hmf__buf_put_u8(b, 1);
    hmf__buf_put_i64(b, (int64_t) local.n++);
    return b->status;
}

struct hmf__vlocal_pointer hmf__vlocal_get_pointer(struct hmf__buf *b)
{
    uint8_t kind = hmf__buf_get_u8(b);
    struct hmf__vlocal_pointer p = { kind != 0, (uint64_t) hmf__buf_get_i64(b) };

    if (b->status == HMF_OK && (kind > 1 || (kind == 1 && p.value >= local.n)))
        b->status = HMF_ERR_FORMAT;
    return p;
}

void *hmf__vlocal_pointer(struct hmf__vlocal_pointer p)
{
    return p.is_address ? local.list[p.value].at : (void *) (intptr_t) p.value;
}

hmf_status_t hmf__vlocal_put_function(struct hmf__buf *b, void (*function)(void), const char *owner)
{
    const char *name = function != NULL ? hmf__function_name(function) : "";

    if (name == NULL)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s has a callback without a name: see "
                         "hmf_function_define, or link with -rdynamic", owner);
    hmf__buf_put_string(b, name);
    return b->status;
}

hmf_status_t hmf__vlocal_get_function(struct hmf__buf *b, void (**out)(void), const char *owner)
{
    char *name = hmf__buf_get_string(b, 1023);
    hmf_status_t status = HMF_OK;

    *out = NULL;
    if (name != NULL && name[0] != '\0')
        *out = hmf__function_find(name);
    if (name == NULL)
        status = hmf__fail(HMF_ERR_FORMAT, "%s from the rank's old process is damaged", owner);
    else if (name[0] != '\0' && *out == NULL)
        status = hmf__fail(HMF_ERR_NOTFOUND, "%s has the callback %s, which this program has "
                           "not: see hmf_function_define, or link with -rdynamic", owner, name);
    hmf__free(name);
    return status;
}

struct hmf__vlocal_pointer hmf__vlocal_last_pointer(void)
{
    return (struct hmf__vlocal_pointer) { local.n > 0, local.n > 0 ? local.n - 1 : 0 };
}

bool hmf__vlocal_one_block(struct hmf__vlocal_pointer a, struct hmf__vlocal_pointer b)
{
    return a.is_address && b.is_address && local.list[a.value].block != 0 &&
           local.list[a.value].block == local.list[b.value].block;
}

static hmf_status_t register_list(hmf_state_t *state)
{
    static const int weak[] = { typeWEAK, typeCHAR };
    hmf_status_t status;

    if (local.n == 0)
        return HMF_OK;
    local.weak = hmf__calloc(local.n, sizeof(*local.weak));
    if (local.weak == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for %zu addresses", local.n);
    for (size_t i = 0; i < local.n; i++)
        local.weak[i] = local.list[i].at;
    status = hmf_state_add(state, LIST, local.weak, local.n * sizeof(*local.weak), weak, 2, NULL);
    local.registered = status == HMF_OK;
    return status;
}

static void unregister_list(hmf_state_t *state)
{
    if (local.registered)
        hmf_state_remove_name(state, LIST);
    local.registered = false;
    hmf__free(local.weak);
    local.weak = NULL;
}

/* ---- source ---- */

static hmf_status_t pack(struct hmf__buf *b, bool drained)
{
    struct hmf__buf own = HMF__BUF_INIT;
    uint32_t comms;
    uint64_t requests;
    hmf_status_t status;

    forget();
    hmf__vhandle_moving(true);
    hmf__vhandle_startup_ids(&comms, &requests);
    hmf__buf_init(&own);
    status = hmf__vwin_pack(&own, drained);
    if (status == HMF_OK)
        status = hmf__vfile_pack(&own);
    if (status == HMF_OK)
        status = hmf__attr_pack(&own);
    if (status == HMF_OK)
        status = hmf__vdress_pack(&own);
    if (status == HMF_OK)
        status = hmf__vbuffer_pack(&own);
    if (status == HMF_OK)
        status = hmf__vreq_pack(&own, drained);
    if (status == HMF_OK)
        hmf__vmsg_pack(&own);
    if (status == HMF_OK)
        status = own.status;
    if (status == HMF_OK) {
        hmf__buf_put_u64(b, own.len);
        hmf__buf_put_u32(b, (uint32_t) local.n);
        hmf__buf_put_u32(b, comms);
        hmf__buf_put_u64(b, requests);
        hmf__buf_put_u32(b, local.startup_messages);
        hmf__buf_put_bytes(b, own.data, own.len);
        status = b->status;
    }
    if (status == HMF_ERR_NOMEM)
        hmf__fail(status, "no memory to pack the requests and attributes of this rank");
    hmf__buf_fini(&own);
    if (status != HMF_OK)
        hmf__vlocal_end(NULL);
    return status;
}

hmf_status_t hmf__vlocal_pack(struct hmf__buf *b)
{
    return pack(b, true);
}

static bool message_seen(MPI_Message m)
{
    return hmf__vhandle_seen(typeMPI_MESSAGE, (void *) m);
}

/* Can the newcomer's program get at everything that was made after start-up? */
static hmf_status_t all_held(void)
{
    uint32_t comms;
    uint64_t requests;
    char text[400];

    hmf__vhandle_startup_ids(&comms, &requests);
    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        if (!(v->flags & (HMF__COMM_FIXED | HMF__COMM_STARTUP))
            && !hmf__vhandle_seen(typeMPI_COMM, (void *) hmf__vcomm_handle(v)))
            return hmf__fail(HMF_ERR_UNSUPPORTED, "%s of the rank that is to move was made after "
                             "auto_read, and no registered variable of typeMPI_COMM holds it: "
                             "register one, make it before auto_read, or free it before auto_poll",
                             hmf__vcomm_text(v, text, sizeof(text)));
    for (const struct hmf__vreq *q = hmf__vreq_first(); q != NULL; q = q->next)
        if (q->serial >= requests && !(q->flags & HMF__VREQ_THREAD) &&
            !hmf__vhandle_seen(typeMPI_REQUEST, q))
            return hmf__fail(HMF_ERR_BUSY, "the rank that is to move has not completed %s, and no "
                             "registered variable of typeMPI_REQUEST holds it: register one, or call "
                             "MPI_Wait before auto_poll", hmf__vreq_text(q, text, sizeof(text)));
    if (hmf__vmsg_unknown(local.startup_messages, message_seen, text, sizeof(text)))
        return hmf__fail(HMF_ERR_BUSY, "the rank that is to move holds %s, and no registered variable "
                         "of typeMPI_MESSAGE does: register one, or receive it before auto_poll",
                         text);
    return HMF_OK;
}

/* Which of the addresses lead nowhere in the state? */
static hmf_status_t all_there(const hmf_image_t *image)
{
    const hmf_meta_t *meta = hmf_image_parsed(image);
    const struct hmf__root_info *root = NULL;
    const uint32_t *refs = NULL;

    for (size_t i = 0; i < hmf_meta_nroots(meta) && root == NULL; i++)
        if (strcmp(hmf_meta_root(meta, i)->name, LIST) == 0)
            root = hmf_meta_root(meta, i);
    for (size_t i = 0; i < hmf_image_nsegments(image) && root != NULL; i++) {
        const struct hmf__segment *s = hmf_image_segment(image, i);

        if (s->kind == HMF__SEG_REF_BLOCK && s->table == root->table)
            refs = s->iov->iov_base;
    }
    if (root == NULL || refs == NULL || root->inside)
        return hmf__fail(HMF_ERR_STATE, "the list of addresses is not in the state");
    for (size_t i = 0; i < local.n; i++)
        local.list[i].block = refs[root->row + i];
    for (size_t i = 0; i < local.n; i++)
        if (local.list[i].block == 0 && !local.list[i].optional)
            return hmf__fail(HMF_ERR_UNSUPPORTED, "%s of the rank that is to move uses memory that "
                             "is in no registered variable and led to from none: register it, or "
                             "complete it before auto_poll",
                             local.list[i].what != NULL ? local.list[i].what : "something");
    return HMF_OK;
}

static bool something_late(void)
{
    uint32_t comms;
    uint64_t requests;

    hmf__vhandle_startup_ids(&comms, &requests);
    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        if (!(v->flags & (HMF__COMM_FIXED | HMF__COMM_STARTUP)))
            return true;
    for (const struct hmf__vreq *q = hmf__vreq_first(); q != NULL; q = q->next)
        if (q->serial >= requests)
            return true;
    return local.n > 0 || hmf__vwins.first != NULL || hmf__vfiles.first != NULL ||
         hmf__vmsg_next_serial() > local.startup_messages;
}

hmf_status_t hmf__vlocal_rehearse(hmf_state_t *state)
{
    struct hmf__buf b = HMF__BUF_INIT;
    hmf_image_t *image = NULL;
    hmf_status_t status;

    hmf__buf_init(&b);
    status = pack(&b, false);
    hmf__buf_fini(&b);
    if (status != HMF_OK)
        return status;
    if (!something_late())
        goto end;
    status = register_list(state);
    if (status == HMF_OK)
        status = hmf_image_capture(state, &image);
    /* Before communicators: a library that has a file open has one for it, which says less. */
    if (status == HMF_OK)
        status = hmf__vfile_rehearsed();
    if (status == HMF_OK)
        status = all_held();
    if (status == HMF_OK && local.n > 0)
        status = all_there(image);
    if (status == HMF_OK)
        status = hmf__vwin_rehearsed();
    hmf_image_free(image);
end:
    hmf__vlocal_end(state);
    return status;
}

hmf_status_t hmf__vlocal_list(hmf_state_t *state)
{
    return register_list(state);
}

void hmf__vlocal_end(hmf_state_t *state)
{
    unregister_list(state);
    forget();
    hmf__vhandle_moving(false);
}

/* ---- newcomer ---- */

hmf_status_t hmf__vlocal_unpack(struct hmf__buf *b)
{
    uint64_t len = hmf__buf_get_u64(b);
    uint32_t n = hmf__buf_get_u32(b), comms = hmf__buf_get_u32(b);
    uint64_t requests = hmf__buf_get_u64(b);
    uint32_t messages = hmf__buf_get_u32(b);
    hmf_status_t status;
    const void *bytes = len <= hmf__buf_left(b) ? hmf__buf_get_bytes(b, (size_t) len) : NULL;

    forget();
    hmf__buf_fini(&local.bytes);
    if (b->status != HMF_OK || bytes == NULL || n > len)
        return hmf__fail(HMF_ERR_FORMAT, "what came from the rank's old process is damaged: its "
                         "requests and attributes");
    local.list = hmf__calloc((size_t) n + 1, sizeof(*local.list));
    hmf__buf_init(&local.bytes);
    hmf__buf_put_bytes(&local.bytes, bytes, (size_t) len);
    if (local.list == NULL || local.bytes.status != HMF_OK) {
        hmf__buf_fini(&local.bytes);
        return hmf__fail(HMF_ERR_NOMEM, "no memory for %llu bytes of requests and attributes",
                         (unsigned long long) len);
    }
    local.n = local.cap = n;
    local.startup_messages = messages;
    hmf__vhandle_set_startup_ids(comms, requests);
    status = hmf__vwin_unpack(&local.bytes);
    if (status == HMF_OK)
        status = hmf__vfile_unpack(&local.bytes);
    local.begin = local.bytes.pos;
    return status;
}

void hmf__vlocal_started(void)
{
    hmf__vhandle_started();
    hmf__attr_started();
    hmf__vbuffer_started();
    hmf__vwins.startup = hmf__vwins.next_serial;
    hmf__vfiles.startup = hmf__vfiles.next_serial;
    local.startup_messages = hmf__vmsg_next_serial();
}

hmf_status_t hmf__vlocal_apply(hmf_state_t *state)
{
    struct hmf__buf *b = &local.bytes;
    hmf_status_t status;

    b->pos = local.begin;
    status = hmf__attr_unpack(b, false);
    if (status == HMF_OK)
        status = hmf__vdress_unpack(b, false);
    if (status == HMF_OK)
        status = hmf__vbuffer_unpack(b, false);
    local.requests = b->pos;
    if (status == HMF_OK)
        status = hmf__vreq_shells(b);
    if (status == HMF_OK)
        status = hmf__vmsg_unpack(b);
    if (status == HMF_OK && hmf__buf_left(b) > 0)
        status = hmf__fail(HMF_ERR_FORMAT, "what came from the rank's old process is damaged: it is "
                           "too long");
    return status == HMF_OK ? register_list(state) : status;
}

hmf_status_t hmf__vlocal_settle(hmf_state_t *state)
{
    struct hmf__buf *b = &local.bytes;
    hmf_status_t status;

    for (size_t i = 0; i < local.n; i++)
        local.list[i].at = local.weak[i];
    b->pos = local.begin;
    status = hmf__vwin_settle();
    if (status == HMF_OK)
        status = hmf__attr_unpack(b, true);
    if (status == HMF_OK)
        status = hmf__vdress_unpack(b, true);
    if (status == HMF_OK)
        status = hmf__vbuffer_unpack(b, true);
    if (status == HMF_OK) {
        b->pos = local.requests;
        status = hmf__vreq_fill(b);
    }
    unregister_list(state);
    forget();
    hmf__buf_fini(b);
    return status;
}
