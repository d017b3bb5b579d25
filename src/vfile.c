/* The table of files and their opening again; see vfile.h. */
#include "config.h"

#include "vfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/shim.h"
#include "typemap.h"
#include "vbuild.h"
#include "vmade.h"
#include "vtype.h"

enum { FILES_MOST = 4096 };

struct hmf__varena hmf__vfiles = {
    .size = (sizeof(struct hmf__vfile) + 63) / 64 * 64, .most = FILES_MOST, .startup = UINT32_MAX
};

static struct hmf__vfile *first(void)
{
    return (struct hmf__vfile *) (void *) hmf__vfiles.first;
}

/* ---- table ---- */

static struct hmf__vfile *fresh(uint32_t serial, const char *name)
{
    struct hmf__vfile *v = hmf__varena_get(&hmf__vfiles);

    if (v == NULL)
        return NULL;
    v->real = v->prepared = MPI_FILE_NULL;
    v->serial = serial;
    v->info = MPI_INFO_NULL;
    v->name = hmf__strdup(name);
    if (v->name != NULL)
        return v;
    hmf__varena_put(&hmf__vfiles, v);
    hmf__fail(HMF_ERR_NOMEM, "no memory for the name of a file");
    return NULL;
}

struct hmf__vfile *hmf__vfile_new(MPI_Comm comm, const char *name, int amode, MPI_Info info)
{
    struct hmf__vcomm *p = hmf__vcomm_of(comm);
    struct hmf__vfile *v;

    hmf__vcomm_lock();
    v = fresh(hmf__vfiles.next_serial, name);
    if (v != NULL) {
        hmf__vfiles.next_serial++;
        v->gid = hmf__vcomm_mix(hmf__vcomm_mix(p->gid, ++p->children), HMF__FN_File_open);
        v->members = p->members;
        v->members->refs++;
        v->rank = p->rank;
        v->amode = amode;
        if (info != MPI_INFO_NULL && PMPI_Info_dup(info, &v->info) != MPI_SUCCESS)
            v->info = MPI_INFO_NULL;
    }
    hmf__vcomm_unlock();
    return v;
}

struct hmf__vfile *hmf__vfile_by_serial(uint32_t serial)
{
    struct hmf__vfile *v = first();

    while (v != NULL && v->serial != serial)
        v = v->next;
    return v;
}

struct hmf__vfile *hmf__vfile_replayed(uint32_t serial, MPI_Comm comm, const char *name)
{
    struct hmf__vfile *v = hmf__vfile_by_serial(serial);
    struct hmf__vcomm *p = hmf__vcomm_of(comm);

    if (v != NULL)
        return v;
    v = fresh(serial, name);
    if (v != NULL) {
        v->flags = HMF__FILE_GHOST;
        v->members = p->members;
        v->members->refs++;
        v->rank = p->rank;
    }
    return v;
}

static void free_look(struct hmf__vfile *v)
{
    if (v->look != NULL)
        hmf__vfile_look_free(v->look);
    hmf__free(v->look);
    v->look = NULL;
}

void hmf__vfile_drop(struct hmf__vfile *v)
{
    hmf__vcomm_lock();
    if (v->info != MPI_INFO_NULL)
        PMPI_Info_free(&v->info);
    hmf__members_put(v->members);
    hmf__free(v->name);
    free_look(v);
    hmf__varena_put(&hmf__vfiles, v);
    hmf__vcomm_unlock();
}

void hmf__vfile_fini(void)
{
    while (first() != NULL)
        hmf__vfile_drop(first());
    hmf__varena_fini(&hmf__vfiles);
}

int hmf__vfile_amode(int amode)
{
    return amode & ~MPI_MODE_DELETE_ON_CLOSE;
}

const char *hmf__vfile_text(const struct hmf__vfile *v, char *buf, size_t len)
{
    snprintf(buf, len, "file \"%.300s\" open on %d ranks", v->name, v->members->n);
    return buf;
}

hmf_status_t hmf__vfile_movable(void)
{
    char text[400];

    for (const struct hmf__vfile *v = first(); v != NULL; v = v->next) {
        if (v->flags & HMF__FILE_SPLIT)
            return hmf__fail(HMF_ERR_BUSY, "%s is within a split collective: call the _end of it "
                             "before auto_poll", hmf__vfile_text(v, text, sizeof text));
        if (v->amode & MPI_MODE_SEQUENTIAL)
            return hmf__fail(HMF_ERR_UNSUPPORTED, "%s is a sequential one (MPI_MODE_SEQUENTIAL) and "
                             "cannot be opened again where it stands: close it before auto_poll",
                             hmf__vfile_text(v, text, sizeof text));
    }
    return HMF_OK;
}

/* ---- what it is like ---- */

void hmf__vfile_look_free(struct hmf__vfile_look *look)
{
    MPI_Datatype *types[] = {&look->etype, &look->filetype};

    for (int i = 0; i < 2; i++)
        if (*types[i] != MPI_DATATYPE_NULL && hmf__vtype_name(*types[i]) == NULL)
            PMPI_Type_free(types[i]);
    hmf__made_free_handler(&look->handler);
    hmf__free(look->handler_text);
    look->handler_text = NULL;
    look->etype = look->filetype = MPI_DATATYPE_NULL;
    look->handler = MPI_ERRHANDLER_NULL;
}

hmf_status_t hmf__vfile_look(const struct hmf__vfile *v, struct hmf__vfile_look *out)
{
    char text[400];
    int rc;

    memset(out, 0, sizeof *out);
    out->etype = out->filetype = MPI_DATATYPE_NULL;
    out->handler = MPI_ERRHANDLER_NULL;
    rc = PMPI_File_get_view(v->real, &out->disp, &out->etype, &out->filetype, out->datarep);
    if (rc == MPI_SUCCESS)
        rc = PMPI_File_get_position(v->real, &out->at);
    if (rc == MPI_SUCCESS)
        rc = PMPI_File_get_atomicity(v->real, &out->atomic);
    if (rc == MPI_SUCCESS && v->flags & HMF__FILE_SHARED)
        rc = PMPI_File_get_position_shared(v->real, &out->shared_at);
    if (rc == MPI_SUCCESS)
        rc = PMPI_File_get_errhandler(v->real, &out->handler);
    if (rc == MPI_SUCCESS)
        return HMF_OK;
    hmf__vfile_look_free(out);
    return hmf__fail(HMF_ERR_MPI, "MPI does not tell view and pointers of %s (%d)",
                     hmf__vfile_text(v, text, sizeof text), rc);
}

/* ---- opening again ---- */

static bool touched(const struct hmf__vfile *v, const bool *moved)
{
    for (int i = 0; i < v->members->n; i++)
        if (moved[v->members->rank[i]])
            return true;
    return false;
}

static int by_gid(const void *a, const void *b)
{
    const struct hmf__vfile *x = *(struct hmf__vfile *const *) a;
    const struct hmf__vfile *y = *(struct hmf__vfile *const *) b;

    return x->gid < y->gid ? -1 : x->gid > y->gid;
}

/* Those with a member in `moved` (NULL: all) in the order in which all members take them. */
static hmf_status_t sorted(const bool *moved, struct hmf__vfile ***out, size_t *n)
{
    struct hmf__vfile **list;
    size_t most = 0;

    *n = 0;
    for (const struct hmf__vfile *v = first(); v != NULL; v = v->next)
        most++;
    list = hmf__calloc(most + 1, sizeof(struct hmf__vfile *));
    *out = list;
    if (list == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to open %zu files again", most);
    for (struct hmf__vfile *v = first(); v != NULL; v = v->next)
        if (!(v->flags & HMF__FILE_GHOST) && (moved == NULL || touched(v, moved)))
            list[(*n)++] = v;
    qsort(list, *n, sizeof(struct hmf__vfile *), by_gid);
    return HMF_OK;
}

hmf_status_t hmf__vfile_rest(void)
{
    struct hmf__vfile **list;
    size_t n;
    hmf_status_t status = sorted(NULL, &list, &n);
    char text[400];

    for (size_t i = 0; i < n && list != NULL; i++) {
        int rc = list[i]->amode & MPI_MODE_RDONLY ? MPI_SUCCESS : PMPI_File_sync(list[i]->real);

        if (rc != MPI_SUCCESS && status == HMF_OK)
            status = hmf__fail(HMF_ERR_IO, "%s cannot be written out (MPI error %d)",
                               hmf__vfile_text(list[i], text, sizeof text), rc);
    }
    hmf__free(list);
    return status;
}

hmf_status_t hmf__vfile_check(void)
{
    for (const struct hmf__vfile *v = first(); v != NULL; v = v->next) {
        /* ROMIO's prefixes name the file system */
        const char *colon = strchr(v->name, ':'), *slash = strchr(v->name, '/');
        const char *path = colon != NULL && (slash == NULL || colon < slash) ? colon + 1 : v->name;
        int mode = v->amode & MPI_MODE_RDWR ? R_OK | W_OK
                 : v->amode & MPI_MODE_WRONLY ? W_OK : R_OK;

        if (v->look != NULL && access(path, mode) != 0)
            return hmf__fail(HMF_ERR_IO, "the new process of the rank cannot open \"%s\", which the "
                             "rank has open: %s", v->name, strerror(errno));
    }
    return HMF_OK;
}

/* The shared pointer is the same at all, but only who has used it has asked for it. */
static int place_shared(const struct hmf__vfile *v, const struct hmf__vfile_look *look,
                        MPI_Comm comm)
{
    int64_t mine = v->flags & HMF__FILE_SHARED ? look->shared_at : -1, at;
    int rc = PMPI_Allreduce(&mine, &at, 1, MPI_INT64_T, MPI_MAX, comm);

    if (rc != MPI_SUCCESS || at < 0)
        return rc;
    return PMPI_File_seek_shared(v->prepared, at, MPI_SEEK_SET);
}

static int open_again(struct hmf__vfile *v, const struct hmf__vfile_look *look, MPI_Comm comm)
{
    int amode = v->amode & ~(MPI_MODE_CREATE | MPI_MODE_EXCL | MPI_MODE_APPEND |
                             MPI_MODE_DELETE_ON_CLOSE);
    int rc = PMPI_File_open(comm, v->name, amode, v->info, &v->prepared);

    if (rc != MPI_SUCCESS) {
        v->prepared = MPI_FILE_NULL;
        return rc;
    }
    rc = PMPI_File_set_view(v->prepared, look->disp, look->etype, look->filetype, look->datarep,
                            MPI_INFO_NULL);
    if (rc == MPI_SUCCESS)
        rc = PMPI_File_seek(v->prepared, look->at, MPI_SEEK_SET);
    if (rc == MPI_SUCCESS && look->atomic)
        rc = PMPI_File_set_atomicity(v->prepared, 1);
    if (rc == MPI_SUCCESS)
        rc = place_shared(v, look, comm);
    if (rc == MPI_SUCCESS && look->handler != MPI_ERRHANDLER_NULL)
        rc = PMPI_File_set_errhandler(v->prepared, look->handler);
    return rc;
}

static hmf_status_t build(struct hmf__vfile *v, MPI_Comm inner)
{
    struct hmf__vfile_look own, *look = v->look;
    hmf_status_t status = HMF_OK;
    char text[400];
    MPI_Comm comm;
    int rc;

    if (look == NULL) {
        look = &own;
        status = hmf__vfile_look(v, look);
    }
    if (status != HMF_OK)
        return status;
    rc = hmf__vbuild_plain(inner, v->members, &comm);
    if (rc == MPI_SUCCESS) {
        rc = open_again(v, look, comm);
        PMPI_Comm_free(&comm);
    }
    if (look == &own)
        hmf__vfile_look_free(look);
    return rc == MPI_SUCCESS ? HMF_OK
        : hmf__fail(HMF_ERR_IO, "%s cannot be opened again (MPI error %d)",
                    hmf__vfile_text(v, text, sizeof text), rc);
}

hmf_status_t hmf__vfile_build(MPI_Comm inner, const bool *moved)
{
    struct hmf__vfile **list;
    size_t n;
    hmf_status_t status = sorted(moved, &list, &n);

    for (size_t i = 0; i < n && status == HMF_OK; i++)
        status = build(list[i], inner);
    hmf__free(list);
    if (status != HMF_OK)
        hmf__vfile_drop_prepared();
    return status;
}

/* Closing is collective: by all old members, in the order of sorted. */
static void close_all(bool prepared)
{
    struct hmf__vfile **list;
    size_t n;

    if (sorted(NULL, &list, &n) != HMF_OK)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    for (size_t i = 0; i < n && list != NULL; i++) {
        MPI_File *file = prepared ? &list[i]->prepared : &list[i]->real;

        if (*file != MPI_FILE_NULL)
            PMPI_File_close(file);
        *file = MPI_FILE_NULL;
    }
    hmf__free(list);
}

/* The newcomer's program has told its functions since the file was opened. */
static void set_handler(struct hmf__vfile *v)
{
    const char *made_of = v->look != NULL ? v->look->handler_text : NULL;
    char text[400];
    void *made;

    if (made_of == NULL)
        return;
    if (hmf__made_again(typeMPI_ERRHANDLER, made_of, strlen(made_of), &made) == HMF_OK &&
        PMPI_File_set_errhandler(v->real, (MPI_Errhandler) made) == MPI_SUCCESS)
        PMPI_Errhandler_free((MPI_Errhandler *) &made);
    else
        hmf__log(HMF__LOG_WARN, "%s has lost its error handler: %s",
                 hmf__vfile_text(v, text, sizeof text), hmf_error_text());
}

void hmf__vfile_commit(void)
{
    struct hmf__vfile **list;
    size_t n;

    if (sorted(NULL, &list, &n) != HMF_OK)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    for (size_t i = 0; i < n && list != NULL; i++) {
        struct hmf__vfile *v = list[i];
        MPI_File old = v->real;

        if (v->prepared == MPI_FILE_NULL)
            continue;
        v->real = v->prepared;
        v->prepared = MPI_FILE_NULL;
        set_handler(v);
        free_look(v);
        if (old != MPI_FILE_NULL)
            PMPI_File_close(&old);
    }
    hmf__free(list);
}

void hmf__vfile_drop_prepared(void)
{
    close_all(true);
}

void hmf__vfile_leave(void)
{
    close_all(false);
}
