/* The windows of a rank that moves, as bytes for its newcomer; see vwin.h.
 *
 *   u32 next serial, startup; u32 n; n times
 *     u32 serial, flags; u8 flavor; i32 fn; u64 gid; i32 rank; u32 n, n times i32 rank of a member
 *     i64 size; i32 unit, flavor and model for the program; text of the info ("": none)
 *     u8 error handler (0 fatal, 1 return, 2 by its text); text; name
 *     u32 n, locks (i32 rank, type, assert); u64 bytes of the view, u32 n, parts (i64, i64, i32)
 *     pointers to the first and the last element; u64 n, n bytes of memory that goes along raw
 */
#include "config.h"

#include "vwin.h"

#include <string.h>

#include "procmap.h"
#include "shim/shim.h"
#include "typemap.h"
#include "vhandle.h"
#include "vmade.h"
#include "vwinmem.h"

enum {
    CARRIED = HMF__WIN_OWNED | HMF__WIN_FENCED | HMF__WIN_RAW | HMF__WIN_RESTED |
        HMF__WIN_NAMED,
    TEXT_MOST = 1 << 20, LOCKS_MOST = 1 << 20
};

static struct hmf__vwin *first(void)
{
    return (struct hmf__vwin *) (void *) hmf__vwins.first;
}

/* ---- source ---- */

static hmf_status_t put_handler(struct hmf__buf *b, const struct hmf__vwin *v)
{
    MPI_Errhandler handler = MPI_ERRHANDLER_NULL;
    struct hmf__buf text = HMF__BUF_INIT;
    hmf_status_t status = HMF_OK;
    char name[240];

    hmf__buf_init(&text);
    PMPI_Win_get_errhandler(v->real, &handler);
    hmf__buf_put_u8(b, handler == MPI_ERRORS_RETURN ? 1 : handler == MPI_ERRORS_ARE_FATAL ? 0 : 2);
    if (handler != MPI_ERRORS_RETURN && handler != MPI_ERRORS_ARE_FATAL)
        status = hmf__made_text(typeMPI_ERRHANDLER, (void *) handler, &text);
    hmf__buf_put_u8(&text, 0);
    hmf__buf_put_string(b, text.status == HMF_OK ? (const char *) text.data : "");
    hmf__buf_fini(&text);
    hmf__made_free_handler(&handler);
    return status == HMF_OK ? status
        : hmf__fail_prefix(status, "%s", hmf__vwin_text(v, name, sizeof name));
}

static void put_memory(struct hmf__buf *b, struct hmf__vwin *v, bool drained)
{
    bool has = v->flavor != HMF__WIN_DYNAMIC && v->size > 0;
    MPI_Aint end = v->unit > 0 && v->size >= v->unit ? v->size - v->unit : 0;
    char text[240];

    hmf__vwin_text(v, text, sizeof text);
    hmf__vlocal_put_pointer(b, has ? v->base : NULL, true, "%s", text);
    v->begin = hmf__vlocal_last_pointer();
    hmf__vlocal_put_pointer(b, has ? (char *) v->base + end : NULL, true, "%s", text);
    v->end = hmf__vlocal_last_pointer();
    if (drained && has && v->flags & HMF__WIN_RAW) {
        hmf__buf_put_u64(b, (uint64_t) v->size);
        hmf__buf_put_bytes(b, v->base, (size_t) v->size);
    } else {
        hmf__buf_put_u64(b, 0);
    }
}

static hmf_status_t put_one(struct hmf__buf *b, struct hmf__vwin *v, bool drained)
{
    char name[MPI_MAX_OBJECT_NAME] = "", text[240];
    const char *info = "";
    hmf_status_t status = HMF_OK;
    int n;

    if (v->nregions > 0)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s has memory attached at the rank that is to move, "
                         "whose addresses would become others: detach it before auto_poll",
                         hmf__vwin_text(v, text, sizeof text));
    if (v->info != MPI_INFO_NULL)
        status = hmf__vhandle_text(typeMPI_INFO, (void *) v->info, &info);
    if (status != HMF_OK)
        return status;
    PMPI_Win_get_name(v->real, name, &n);
    hmf__buf_put_u32(b, v->serial);
    hmf__buf_put_u32(b, (v->flags & CARRIED) | (v->nlocks > 0 ? HMF__WIN_RESTED : 0));
    hmf__buf_put_u8(b, (uint8_t) v->flavor);
    hmf__buf_put_i32(b, v->fn);
    hmf__buf_put_u64(b, v->gid);
    hmf__buf_put_i32(b, v->rank);
    hmf__buf_put_u32(b, (uint32_t) v->members->n);
    for (int i = 0; i < v->members->n; i++)
        hmf__buf_put_i32(b, v->members->rank[i]);
    hmf__buf_put_i64(b, v->size);
    hmf__buf_put_i32(b, v->unit);
    hmf__buf_put_i32(b, v->mpi_flavor);
    hmf__buf_put_i32(b, v->model);
    hmf__buf_put_string(b, info);
    status = put_handler(b, v);
    hmf__buf_put_string(b, name);
    hmf__buf_put_u32(b, (uint32_t) v->nlocks);
    for (int i = 0; i < v->nlocks; i++) {
        hmf__buf_put_i32(b, v->locks[i].rank);
        hmf__buf_put_i32(b, v->locks[i].type);
        hmf__buf_put_i32(b, v->locks[i].assert);
    }
    hmf__buf_put_u64(b, v->view_bytes);
    hmf__buf_put_u32(b, v->parts != NULL ? (uint32_t) v->members->n : 0);
    for (int i = 0; v->parts != NULL && i < v->members->n; i++) {
        hmf__buf_put_i64(b, v->parts[i].at);
        hmf__buf_put_i64(b, v->parts[i].size);
        hmf__buf_put_i32(b, v->parts[i].unit);
    }
    put_memory(b, v, drained);
    return status;
}

hmf_status_t hmf__vwin_pack(struct hmf__buf *b, bool drained)
{
    hmf_status_t status = HMF_OK;
    uint32_t n = 0;

    for (const struct hmf__vwin *v = first(); v != NULL; v = v->next)
        n += !(v->flags & HMF__WIN_GHOST);
    hmf__buf_put_u32(b, hmf__vwins.next_serial);
    hmf__buf_put_u32(b, hmf__vwins.startup);
    hmf__buf_put_u32(b, n);
    for (struct hmf__vwin *v = first(); v != NULL && status == HMF_OK; v = v->next) {
        if (!drained)
            v->flags &= ~(unsigned) HMF__WIN_RAW;
        if (!(v->flags & HMF__WIN_GHOST))
            status = put_one(b, v, drained);
    }
    return status == HMF_OK ? b->status : status;
}

static hmf_status_t rehearsed(struct hmf__vwin *v)
{
    char text[240];

    hmf__vwin_text(v, text, sizeof text);
    if (!hmf__vwin_startup(v) && !hmf__vhandle_seen(typeMPI_WIN, v))
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s of the rank that is to move was made after "
                         "auto_read, and no registered variable of typeMPI_WIN holds it: register "
                         "one, make it before auto_read, or free it before auto_poll", text);
    if (!hmf__vwin_startup(v) && v->flavor == HMF__WIN_SHARED)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s was made after auto_read: a shared window can be "
                         "carried only if the start-up makes it", text);
    if (v->flavor == HMF__WIN_DYNAMIC || v->size == 0 ||
        hmf__vlocal_one_block(v->begin, v->end))
        return HMF_OK;
    v->flags |= HMF__WIN_RAW;
    if (!hmf__vwin_startup(v) && !(v->flags & HMF__WIN_OWNED))
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s uses memory that is in no registered variable and "
                         "led to from none: register it", text);
    return HMF_OK;
}

hmf_status_t hmf__vwin_rehearsed(void)
{
    hmf_status_t status = HMF_OK;

    for (struct hmf__vwin *v = first(); v != NULL && status == HMF_OK; v = v->next)
        if (!(v->flags & HMF__WIN_GHOST))
            status = rehearsed(v);
    return status;
}

/* ---- newcomer ---- */

static hmf_status_t damaged(void)
{
    return hmf__fail(HMF_ERR_FORMAT, "a window from the rank's old process is damaged");
}

static hmf_status_t get_members(struct hmf__buf *b, struct hmf__vwin *v)
{
    uint32_t n;
    bool good;
    int *ranks;

    v->rank = hmf__buf_get_i32(b);
    n = hmf__buf_get_u32(b);
    if (b->status != HMF_OK || n < 1 || n > (uint32_t) hmf__procmap.nranks || v->rank < 0 ||
        (uint32_t) v->rank >= n)
        return damaged();
    ranks = hmf__calloc(n, sizeof *ranks);
    if (ranks == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the %u ranks of a window", n);
    good = true;
    for (uint32_t i = 0; i < n; i++) {
        ranks[i] = hmf__buf_get_i32(b);
        good &= ranks[i] >= 0 && ranks[i] < hmf__procmap.nranks;
    }
    good &= b->status == HMF_OK && ranks[v->rank] == hmf__vcomm_world.rank;
    v->members = good ? hmf__members_share(ranks, (int) n) : NULL;
    hmf__free(ranks);
    if (!good)
        return damaged();
    return v->members != NULL ? HMF_OK
        : hmf__fail(HMF_ERR_NOMEM, "no memory for the %u ranks of a window", n);
}

static hmf_status_t get_dress(struct hmf__buf *b, struct hmf__vwin *v)
{
    char *info = hmf__buf_get_string(b, TEXT_MOST);
    unsigned kind = hmf__buf_get_u8(b);
    char *text = hmf__buf_get_string(b, TEXT_MOST);
    void *made = NULL;
    hmf_status_t status = HMF_OK;
    bool given;

    v->name = hmf__buf_get_string(b, MPI_MAX_OBJECT_NAME - 1);
    if (b->status != HMF_OK || info == NULL || text == NULL || v->name == NULL || kind > 2)
        status = damaged();
    if (status == HMF_OK && info[0] != '\0') {
        status = hmf__vhandle_find(typeMPI_INFO, info, &made, &given);
        if (status == HMF_OK && PMPI_Info_dup((MPI_Info) made, &v->info) != MPI_SUCCESS)
            v->info = MPI_INFO_NULL;
    }
    if (status == HMF_OK)
        v->handler = kind == 0 ? MPI_ERRORS_ARE_FATAL : MPI_ERRORS_RETURN;
    if (status == HMF_OK && kind == 2) {
        v->handler_text = text;
        text = NULL;
    }
    hmf__free(info);
    hmf__free(text);
    return status;
}

static hmf_status_t get_locks(struct hmf__buf *b, struct hmf__vwin *v)
{
    uint32_t n = hmf__buf_get_u32(b);

    if (b->status != HMF_OK || n > LOCKS_MOST || n > hmf__buf_left(b) / 12)
        return damaged();
    for (uint32_t i = 0; i < n; i++) {
        int rank = hmf__buf_get_i32(b), type = hmf__buf_get_i32(b), assert = hmf__buf_get_i32(b);
        unsigned flags = v->flags;

        if (rank < -1 || rank >= v->members->n)
            return damaged();
        if (!hmf__vwin_lock(v, rank, type, assert))
            return hmf__fail(HMF_ERR_NOMEM, "no memory for the locks of a window");
        v->flags = flags;
    }
    return HMF_OK;
}

static hmf_status_t get_parts(struct hmf__buf *b, struct hmf__vwin *v)
{
    uint64_t bytes = hmf__buf_get_u64(b);
    uint32_t n = hmf__buf_get_u32(b);

    if (b->status != HMF_OK || (n != 0 && n != (uint32_t) v->members->n) || bytes > INT64_MAX ||
        (n == 0) != (bytes == 0))
        return damaged();
    if (n == 0)
        return HMF_OK;
    v->view_bytes = (size_t) bytes;
    v->parts = hmf__calloc(n, sizeof *v->parts);
    if (v->parts == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the parts of a window");
    for (uint32_t i = 0; i < n; i++) {
        struct hmf__vwin_part *p = &v->parts[i];

        p->at = hmf__buf_get_i64(b);
        p->size = hmf__buf_get_i64(b);
        p->unit = hmf__buf_get_i32(b);
        if (p->at < 0 || p->size < 0 || (uint64_t) p->at > bytes ||
            (uint64_t) p->size > bytes - (uint64_t) p->at)
            return damaged();
    }
    if (v->parts[v->rank].size != v->size)
        return damaged();
    return hmf__vwinmem_reserve(v);
}

static hmf_status_t get_one(struct hmf__buf *b)
{
    struct hmf__vwin *v = hmf__varena_get(&hmf__vwins);
    uint64_t raw;
    hmf_status_t status;

    if (v == NULL)
        return HMF_ERR_NOMEM;
    v->real = v->old = MPI_WIN_NULL;
    v->info = MPI_INFO_NULL;
    v->handler = MPI_ERRHANDLER_NULL;
    v->serial = hmf__buf_get_u32(b);
    v->flags = hmf__buf_get_u32(b);
    v->flavor = (enum hmf__vwin_flavor) hmf__buf_get_u8(b);
    v->fn = hmf__buf_get_i32(b);
    v->gid = hmf__buf_get_u64(b);
    status = b->status == HMF_OK && !(v->flags & ~(unsigned) CARRIED) &&
        (unsigned) v->flavor <= HMF__WIN_DYNAMIC && v->fn >= 0 && v->fn < HMF__FN_COUNT &&
        v->serial < hmf__vwins.next_serial ? get_members(b, v) : damaged();
    v->flags &= ~(unsigned) HMF__WIN_OWNED;
    if (status != HMF_OK)
        return status;
    v->size = hmf__buf_get_i64(b);
    v->unit = hmf__buf_get_i32(b);
    v->mpi_flavor = hmf__buf_get_i32(b);
    v->model = hmf__buf_get_i32(b);
    if (v->size < 0)
        return damaged();
    status = get_dress(b, v);
    if (status == HMF_OK)
        status = get_locks(b, v);
    if (status == HMF_OK)
        status = get_parts(b, v);
    if (status != HMF_OK)
        return status;
    v->begin = hmf__vlocal_get_pointer(b);
    v->end = hmf__vlocal_get_pointer(b);
    raw = hmf__buf_get_u64(b);
    if (b->status != HMF_OK || (raw != 0 && raw != (uint64_t) v->size) || raw > hmf__buf_left(b))
        return damaged();
    v->raw = raw > 0 ? hmf__buf_get_bytes(b, (size_t) raw) : NULL;
    return HMF_OK;
}

hmf_status_t hmf__vwin_unpack(struct hmf__buf *b)
{
    uint32_t next = hmf__buf_get_u32(b), startup = hmf__buf_get_u32(b), n = hmf__buf_get_u32(b);
    hmf_status_t status = b->status == HMF_OK ? HMF_OK : damaged();

    hmf__vwin_fini();
    hmf__vwins.next_serial = next;
    hmf__vwins.startup = startup;
    for (uint32_t i = 0; i < n && status == HMF_OK; i++)
        status = get_one(b);
    return status;
}

static hmf_status_t settle_handler(struct hmf__vwin *v)
{
    hmf_status_t status;
    void *made;

    if (v->handler_text == NULL)
        return HMF_OK;
    status = hmf__made_again(typeMPI_ERRHANDLER, v->handler_text, strlen(v->handler_text), &made);
    if (status == HMF_OK)
        v->handler = (MPI_Errhandler) made;
    hmf__free(v->handler_text);
    v->handler_text = NULL;
    return status;
}

static hmf_status_t settle(struct hmf__vwin *v)
{
    void *begin = hmf__vlocal_pointer(v->begin);
    hmf_status_t status = settle_handler(v);
    char text[240];

    hmf__vwin_text(v, text, sizeof text);
    if (status != HMF_OK)
        return hmf__fail_prefix(status, "%s", text);
    if (v->flavor == HMF__WIN_DYNAMIC || v->size == 0)
        return HMF_OK;
    if (hmf__vwin_startup(v) && v->base == NULL)
        return hmf__fail(HMF_ERR_MISMATCH, "the start-up of the new process did not make %s as the "
                         "rank had: the calls before auto_read must be the same", text);
    if (v->raw == NULL && begin != v->base && v->flavor == HMF__WIN_SHARED)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "the memory of %s is led to by a registered pointer: "
                         "register the memory itself", text);
    if (v->raw == NULL && begin != NULL && begin != v->base) {
        if (v->flags & HMF__WIN_OWNED)
            hmf__free(v->base);
        v->flags &= ~(unsigned) HMF__WIN_OWNED;
        v->base = begin;
    }
    if (v->base == NULL) {
        v->base = hmf__calloc(1, (size_t) v->size);
        if (v->base == NULL)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for %s", text);
        v->flags |= HMF__WIN_OWNED;
    }
    if (v->raw != NULL)
        memcpy(v->base, v->raw, (size_t) v->size);
    v->raw = NULL;
    return HMF_OK;
}

hmf_status_t hmf__vwin_settle(void)
{
    hmf_status_t status = HMF_OK;

    for (struct hmf__vwin *v = first(); v != NULL && status == HMF_OK; v = v->next)
        if (!(v->flags & HMF__WIN_GHOST))
            status = settle(v);
    return status;
}
