/* The open files of a rank that moves, as bytes for its newcomer; see vfile.h.
 *
 *   u32 next serial, startup; u32 n; n times
 *     u32 serial, flags; u64 gid; i32 rank; u32 n, n times i32 rank of a member; i32 amode; name
 *     text of the info ("": none); i64 position, shared position, displacement; i32 atomic
 *     texts of etype and filetype; data representation
 *     u8 error handler (0 fatal, 1 return, 2 by its text); text
 */
#include "config.h"

#include "vfile.h"

#include <stdio.h>
#include <string.h>

#include "procmap.h"
#include "typemap.h"
#include "vhandle.h"
#include "vmade.h"
#include "vtype.h"

enum { CARRIED = HMF__FILE_SHARED, TEXT_MOST = 1 << 28 };

static struct hmf__vfile *first(void)
{
    return (struct hmf__vfile *) (void *) hmf__vfiles.first;
}

/* ---- source ---- */

static hmf_status_t put_type(struct hmf__buf *b, MPI_Datatype type)
{
    const char *name = hmf__vtype_name(type);
    struct hmf__buf text = HMF__BUF_INIT;
    hmf_status_t status = HMF_OK;

    hmf__buf_init(&text);
    if (name != NULL)
        hmf__buf_put_bytes(&text, name, strlen(name));
    else
        status = hmf__vtype_text(type, &text);
    hmf__buf_put_u8(&text, 0);
    if (status == HMF_OK)
        status = text.status;
    if (status == HMF_OK)
        hmf__buf_put_string(b, (const char *) text.data);
    hmf__buf_fini(&text);
    return status;
}

static hmf_status_t put_handler(struct hmf__buf *b, MPI_Errhandler handler)
{
    int kind = handler == MPI_ERRORS_ARE_FATAL ? 0 : handler == MPI_ERRORS_RETURN ? 1 : 2;
    struct hmf__buf text = HMF__BUF_INIT;
    hmf_status_t status = HMF_OK;

    hmf__buf_init(&text);
    if (kind == 2)
        status = hmf__made_text(typeMPI_ERRHANDLER, (void *) handler, &text);
    hmf__buf_put_u8(&text, 0);
    if (status == HMF_OK)
        status = text.status;
    hmf__buf_put_u8(b, (uint8_t) kind);
    hmf__buf_put_string(b, status == HMF_OK ? (const char *) text.data : "");
    hmf__buf_fini(&text);
    return status;
}

static hmf_status_t put_one(struct hmf__buf *b, const struct hmf__vfile *v)
{
    struct hmf__vfile_look look;
    hmf_status_t status = hmf__vfile_look(v, &look);
    const char *info = "";
    char text[400];

    if (status != HMF_OK)
        return status;
    if (v->info != MPI_INFO_NULL)
        status = hmf__vhandle_text(typeMPI_INFO, (void *) v->info, &info);
    hmf__buf_put_u32(b, v->serial);
    hmf__buf_put_u32(b, v->flags & CARRIED);
    hmf__buf_put_u64(b, v->gid);
    hmf__buf_put_i32(b, v->rank);
    hmf__buf_put_u32(b, (uint32_t) v->members->n);
    for (int i = 0; i < v->members->n; i++)
        hmf__buf_put_i32(b, v->members->rank[i]);
    hmf__buf_put_i32(b, v->amode);
    hmf__buf_put_string(b, v->name);
    hmf__buf_put_string(b, info);
    hmf__buf_put_i64(b, look.at);
    hmf__buf_put_i64(b, look.shared_at);
    hmf__buf_put_i64(b, look.disp);
    hmf__buf_put_i32(b, look.atomic);
    if (status == HMF_OK)
        status = put_type(b, look.etype);
    if (status == HMF_OK)
        status = put_type(b, look.filetype);
    hmf__buf_put_string(b, look.datarep);
    if (status == HMF_OK)
        status = put_handler(b, look.handler);
    hmf__vfile_look_free(&look);
    return status == HMF_OK ? HMF_OK
        : hmf__fail_prefix(status, "%s", hmf__vfile_text(v, text, sizeof text));
}

hmf_status_t hmf__vfile_pack(struct hmf__buf *b)
{
    hmf_status_t status = HMF_OK;
    uint32_t n = 0;

    for (const struct hmf__vfile *v = first(); v != NULL; v = v->next)
        n += !(v->flags & HMF__FILE_GHOST);
    hmf__buf_put_u32(b, hmf__vfiles.next_serial);
    hmf__buf_put_u32(b, hmf__vfiles.startup);
    hmf__buf_put_u32(b, n);
    for (const struct hmf__vfile *v = first(); v != NULL && status == HMF_OK; v = v->next)
        if (!(v->flags & HMF__FILE_GHOST))
            status = put_one(b, v);
    return status == HMF_OK ? b->status : status;
}

hmf_status_t hmf__vfile_rehearsed(void)
{
    char text[400];

    for (const struct hmf__vfile *v = first(); v != NULL; v = v->next)
        if (!(v->flags & HMF__FILE_GHOST) && !hmf__vfile_startup(v) &&
            !hmf__vhandle_seen(typeMPI_FILE, v))
            return hmf__fail(HMF_ERR_UNSUPPORTED, "%s was opened after auto_read at the rank that is "
                             "to move, and no registered variable of typeMPI_FILE holds it: "
                             "register one, or close it before auto_poll",
                             hmf__vfile_text(v, text, sizeof text));
    return HMF_OK;
}

/* ---- newcomer ---- */

static hmf_status_t damaged(void)
{
    return hmf__fail(HMF_ERR_FORMAT, "an open file from the rank's old process is damaged");
}

static hmf_status_t get_members(struct hmf__buf *b, struct hmf__vfile *v)
{
    uint32_t n;
    bool good = true;
    int *ranks;

    v->rank = hmf__buf_get_i32(b);
    n = hmf__buf_get_u32(b);
    if (b->status != HMF_OK || n < 1 || n > (uint32_t) hmf__procmap.nranks || v->rank < 0 ||
        (uint32_t) v->rank >= n)
        return damaged();
    ranks = hmf__calloc(n, sizeof *ranks);
    if (ranks == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the %u ranks of a file", n);
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
        : hmf__fail(HMF_ERR_NOMEM, "no memory for the %u ranks of a file", n);
}

static hmf_status_t get_type(struct hmf__buf *b, MPI_Datatype *out)
{
    char *text = hmf__buf_get_string(b, TEXT_MOST);
    hmf_status_t status = text == NULL ? damaged() : hmf__vtype_find(text, strlen(text), out);

    hmf__free(text);
    return status;
}

static hmf_status_t get_look(struct hmf__buf *b, struct hmf__vfile_look *look)
{
    char *datarep, *text;
    unsigned kind;
    hmf_status_t status;

    look->etype = look->filetype = MPI_DATATYPE_NULL;
    look->handler = MPI_ERRHANDLER_NULL;
    look->at = hmf__buf_get_i64(b);
    look->shared_at = hmf__buf_get_i64(b);
    look->disp = hmf__buf_get_i64(b);
    look->atomic = hmf__buf_get_i32(b);
    status = get_type(b, &look->etype);
    if (status == HMF_OK)
        status = get_type(b, &look->filetype);
    if (status != HMF_OK)
        return status;
    datarep = hmf__buf_get_string(b, sizeof look->datarep - 1);
    kind = hmf__buf_get_u8(b);
    text = hmf__buf_get_string(b, TEXT_MOST);
    if (b->status != HMF_OK || datarep == NULL || text == NULL || kind > 2)
        status = damaged();
    if (status == HMF_OK) {
        snprintf(look->datarep, sizeof look->datarep, "%s", datarep);
        look->handler = kind == 0 ? MPI_ERRORS_ARE_FATAL : MPI_ERRORS_RETURN;
    }
    if (status == HMF_OK && kind == 2) {
        look->handler_text = text;
        text = NULL;
    }
    hmf__free(datarep);
    hmf__free(text);
    return status;
}

static hmf_status_t get_one(struct hmf__buf *b)
{
    struct hmf__vfile *v = hmf__varena_get(&hmf__vfiles);
    hmf_status_t status;
    char *info = NULL;
    void *made;
    bool given;

    if (v == NULL)
        return HMF_ERR_NOMEM;
    v->real = v->prepared = MPI_FILE_NULL;
    v->info = MPI_INFO_NULL;
    v->serial = hmf__buf_get_u32(b);
    v->flags = hmf__buf_get_u32(b);
    v->gid = hmf__buf_get_u64(b);
    status = b->status == HMF_OK && !(v->flags & ~(unsigned) CARRIED) &&
        v->serial < hmf__vfiles.next_serial ? get_members(b, v) : damaged();
    if (status != HMF_OK)
        return status;
    v->amode = hmf__buf_get_i32(b);
    v->name = hmf__buf_get_string(b, TEXT_MOST);
    info = hmf__buf_get_string(b, TEXT_MOST);
    v->look = hmf__calloc(1, sizeof *v->look);
    if (v->look == NULL)
        status = hmf__fail(HMF_ERR_NOMEM, "no memory for an open file");
    else if (v->name == NULL || info == NULL)
        status = damaged();
    else
        status = get_look(b, v->look);
    if (status == HMF_OK && info[0] != '\0') {
        status = hmf__vhandle_find(typeMPI_INFO, info, &made, &given);
        if (status == HMF_OK && PMPI_Info_dup((MPI_Info) made, &v->info) != MPI_SUCCESS)
            v->info = MPI_INFO_NULL;
    }
    hmf__free(info);
    return status;
}

hmf_status_t hmf__vfile_unpack(struct hmf__buf *b)
{
    uint32_t next = hmf__buf_get_u32(b), startup = hmf__buf_get_u32(b), n = hmf__buf_get_u32(b);
    hmf_status_t status = b->status == HMF_OK ? HMF_OK : damaged();

    hmf__vfile_fini();
    hmf__vfiles.next_serial = next;
    hmf__vfiles.startup = startup;
    for (uint32_t i = 0; i < n && status == HMF_OK; i++)
        status = get_one(b);
    return status;
}
