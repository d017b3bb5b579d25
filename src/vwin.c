/* The table of windows, their epochs, and the building of real windows; see vwin.h. */
#include "config.h"

#include "vwin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procmap.h"
#include "shim/shim.h"
#include "vbuild.h"
#include "vmade.h"
#include "vwinmem.h"

enum { WINDOWS_MOST = 4096 };

struct hmf__varena hmf__vwins = {
    .size = (sizeof(struct hmf__vwin) + 63) / 64 * 64, .most = WINDOWS_MOST, .startup = UINT32_MAX
};

static struct hmf__vwin *first(void)
{
    return (struct hmf__vwin *) (void *) hmf__vwins.first;
}

/* ---- table ---- */

static struct hmf__vwin *fresh(uint32_t serial)
{
    struct hmf__vwin *v = hmf__varena_get(&hmf__vwins);

    if (v == NULL)
        return NULL;
    v->real = v->old = MPI_WIN_NULL;
    v->serial = serial;
    v->info = MPI_INFO_NULL;
    v->handler = MPI_ERRHANDLER_NULL;
    v->mpi_flavor = MPI_WIN_FLAVOR_CREATE;
    v->model = MPI_WIN_SEPARATE;
    return v;
}

struct hmf__vwin *hmf__vwin_new(MPI_Comm comm, enum hmf__vwin_flavor flavor, int fn, MPI_Info info)
{
    struct hmf__vcomm *p = hmf__vcomm_of(comm);
    struct hmf__vwin *v;

    hmf__vcomm_lock();
    v = fresh(hmf__vwins.next_serial);
    if (v != NULL) {
        hmf__vwins.next_serial++;
        v->gid = hmf__vcomm_mix(hmf__vcomm_mix(p->gid, ++p->children), (uint64_t) fn);
        v->members = p->members;
        v->members->refs++;
        v->rank = p->rank;
        v->flavor = flavor;
        v->fn = fn;
        if (info != MPI_INFO_NULL && PMPI_Info_dup(info, &v->info) != MPI_SUCCESS)
            v->info = MPI_INFO_NULL;
    }
    hmf__vcomm_unlock();
    return v;
}

struct hmf__vwin *hmf__vwin_by_serial(uint32_t serial)
{
    struct hmf__vwin *v = first();

    while (v != NULL && v->serial != serial)
        v = v->next;
    return v;
}

struct hmf__vwin *hmf__vwin_replayed(uint32_t serial, MPI_Comm comm)
{
    struct hmf__vwin *v = hmf__vwin_by_serial(serial);
    struct hmf__vcomm *p = hmf__vcomm_of(comm);

    if (v != NULL)
        return v;
    v = fresh(serial);
    if (v != NULL) {
        v->flags = HMF__WIN_GHOST;
        v->members = p->members;
        v->members->refs++;
        v->rank = p->rank;
    }
    return v;
}

void hmf__vwin_drop(struct hmf__vwin *v)
{
    hmf__vcomm_lock();
    if (v->info != MPI_INFO_NULL)
        PMPI_Info_free(&v->info);
    hmf__made_free_handler(&v->handler);
    hmf__members_put(v->members);
    hmf__vwinmem_close(v);
    if (v->flags & HMF__WIN_OWNED)
        hmf__free(v->base);
    hmf__free(v->name);
    hmf__free(v->handler_text);
    hmf__free(v->locks);
    hmf__free(v->regions);
    hmf__free(v->parts);
    hmf__varena_put(&hmf__vwins, v);
    hmf__vcomm_unlock();
}

void hmf__vwin_fini(void)
{
    while (first() != NULL)
        hmf__vwin_drop(first());
    hmf__varena_fini(&hmf__vwins);
}

const char *hmf__vwin_text(const struct hmf__vwin *v, char *buf, size_t len)
{
    char name[MPI_MAX_OBJECT_NAME] = "";
    int n;

    if (v->real != MPI_WIN_NULL && v->flags & HMF__WIN_NAMED)
        PMPI_Win_get_name(v->real, name, &n);
    snprintf(buf, len, "window %u%s%s%s made by %s on %d ranks", v->serial,
             name[0] != '\0' ? " \"" : "", name, name[0] != '\0' ? "\"" : "",
             hmf__fn_name(v->fn), v->members->n);
    return buf;
}

/* ---- epochs ---- */

bool hmf__vwin_lock(struct hmf__vwin *v, int rank, int type, int assert)
{
    struct hmf__vwin_lock *locks;

    hmf__vcomm_lock();
    locks = hmf__realloc(v->locks, ((size_t) v->nlocks + 1) * sizeof *locks);
    if (locks != NULL) {
        locks[v->nlocks++] = (struct hmf__vwin_lock) { rank, type, assert };
        v->locks = locks;
        v->flags &= ~(unsigned) HMF__WIN_FENCED; /* MPI forbids both: the fence was the last one */
    }
    hmf__vcomm_unlock();
    return locks != NULL;
}

void hmf__vwin_unlock(struct hmf__vwin *v, int rank)
{
    hmf__vcomm_lock();
    for (int i = 0; i < v->nlocks; i++)
        if (v->locks[i].rank == rank) {
            v->locks[i] = v->locks[--v->nlocks];
            break;
        }
    hmf__vcomm_unlock();
}

bool hmf__vwin_attach(struct hmf__vwin *v, void *base, MPI_Aint size)
{
    struct hmf__vwin_region *regions;

    hmf__vcomm_lock();
    regions = hmf__realloc(v->regions, ((size_t) v->nregions + 1) * sizeof *regions);
    if (regions != NULL) {
        regions[v->nregions++] = (struct hmf__vwin_region) { base, size };
        v->regions = regions;
    }
    hmf__vcomm_unlock();
    return regions != NULL;
}

void hmf__vwin_detach(struct hmf__vwin *v, const void *base)
{
    hmf__vcomm_lock();
    for (int i = 0; i < v->nregions; i++)
        if (v->regions[i].base == base) {
            v->regions[i] = v->regions[--v->nregions];
            break;
        }
    hmf__vcomm_unlock();
}

static hmf_status_t movable(const struct hmf__vwin *v)
{
    char text[240];

    hmf__vwin_text(v, text, sizeof text);
    if (v->flags & HMF__WIN_STARTED)
        return hmf__fail(HMF_ERR_BUSY, "%s has an epoch open: call MPI_Win_complete before auto_poll",
                         text);
    if (v->flags & HMF__WIN_POSTED)
        return hmf__fail(HMF_ERR_BUSY, "%s has an epoch open: call MPI_Win_wait before auto_poll",
                         text);
    if ((v->flags & HMF__WIN_FENCED) && v->accesses > 0)
        return hmf__fail(HMF_ERR_BUSY, "%s was accessed since the last fence: call MPI_Win_fence "
                         "before auto_poll", text);
    if (v->attributes > 0)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s has attributes, which cannot be carried along: "
                         "delete them before auto_poll", text);
    if (v->real == MPI_WIN_NULL)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s could not be made again at an earlier move: free "
                         "it", text);
    if (v->flavor == HMF__WIN_SHARED && v->members->n > 1 && v->view == NULL)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "the memory of %s cannot be mapped a second time, so "
                         "it would not stay where the program has it: free it before auto_poll",
                         text);
    return HMF_OK;
}

hmf_status_t hmf__vwin_movable(void)
{
    hmf_status_t status = HMF_OK;

    for (const struct hmf__vwin *v = first(); v != NULL && status == HMF_OK; v = v->next)
        status = movable(v);
    return status;
}

void hmf__vwin_rest(void)
{
    for (struct hmf__vwin *v = first(); v != NULL; v = v->next) {
        if (v->nlocks == 0 || v->flags & HMF__WIN_RESTED)
            continue;
        for (int i = 0; i < v->nlocks; i++)
            if (v->locks[i].rank < 0)
                PMPI_Win_unlock_all(v->real);
            else
                PMPI_Win_unlock(v->locks[i].rank, v->real);
        v->flags |= HMF__WIN_RESTED;
    }
}

void hmf__vwin_flush(void)
{
    for (struct hmf__vwin *v = first(); v != NULL; v = v->next)
        for (int i = 0; i < v->nlocks && v->real != MPI_WIN_NULL; i++)
            if (v->locks[i].rank < 0)
                PMPI_Win_flush_all(v->real);
            else
                PMPI_Win_flush(v->locks[i].rank, v->real);
}

void hmf__vwin_resume(void)
{
    for (struct hmf__vwin *v = first(); v != NULL; v = v->next) {
        if (!(v->flags & HMF__WIN_RESTED))
            continue;
        v->flags &= ~(unsigned) HMF__WIN_RESTED;
        for (int i = 0; i < v->nlocks && v->real != MPI_WIN_NULL; i++)
            if (v->locks[i].rank < 0)
                PMPI_Win_lock_all(v->locks[i].assert, v->real);
            else
                PMPI_Win_lock(v->locks[i].type, v->locks[i].rank, v->locks[i].assert, v->real);
    }
}

/* ---- building ---- */

static bool touched(const struct hmf__vwin *v, const bool *moved)
{
    for (int i = 0; i < v->members->n; i++)
        if (moved[v->members->rank[i]])
            return true;
    return false;
}

hmf_status_t hmf__vwin_check(const bool *moved, const int *new_proc_of)
{
    char text[240];

    for (const struct hmf__vwin *v = first(); v != NULL; v = v->next) {
        if (v->flavor != HMF__WIN_SHARED || !touched(v, moved))
            continue;
        for (int i = 1; i < v->members->n; i++)
            if (hmf__procmap.node_of[new_proc_of[v->members->rank[i]]] !=
                hmf__procmap.node_of[new_proc_of[v->members->rank[0]]])
                return hmf__fail(HMF_ERR_UNSUPPORTED, "%s would have ranks on several nodes: free it "
                                 "before auto_poll", hmf__vwin_text(v, text, sizeof text));
    }
    return HMF_OK;
}

static int by_gid(const void *a, const void *b)
{
    const struct hmf__vwin *x = *(struct hmf__vwin *const *) a, *y = *(struct hmf__vwin *const *) b;

    return x->gid < y->gid ? -1 : x->gid > y->gid;
}

/* Those with a member in `moved` (NULL: all) in the order in which all members take them. */
static struct hmf__vwin **sorted(const bool *moved, size_t *n)
{
    struct hmf__vwin **list;
    size_t most = 0;

    *n = 0;
    for (const struct hmf__vwin *v = first(); v != NULL; v = v->next)
        most++;
    list = hmf__calloc(most + 1, sizeof(struct hmf__vwin *));
    if (list == NULL) {
        hmf__log(HMF__LOG_ERROR, "no memory to make %zu windows again", most);
        return NULL;
    }
    for (struct hmf__vwin *v = first(); v != NULL; v = v->next)
        if (!(v->flags & HMF__WIN_GHOST) && (moved == NULL || touched(v, moved)))
            list[(*n)++] = v;
    qsort(list, *n, sizeof(struct hmf__vwin *), by_gid);
    return list;
}

/* What MPI calls the window and what it does on errors: from the old one, or as it was packed. */
static void dress(struct hmf__vwin *v)
{
    MPI_Errhandler handler = v->handler;
    char name[MPI_MAX_OBJECT_NAME] = "";
    int n;

    if (v->old != MPI_WIN_NULL) {
        PMPI_Win_get_name(v->old, name, &n);
        PMPI_Win_get_errhandler(v->old, &handler);
    } else if (v->name != NULL) {
        snprintf(name, sizeof name, "%s", v->name);
    }
    if (v->flags & HMF__WIN_NAMED)
        PMPI_Win_set_name(v->real, name);
    if (handler != MPI_ERRHANDLER_NULL) {
        PMPI_Win_set_errhandler(v->real, handler);
        hmf__made_free_handler(&handler);
    }
    v->handler = MPI_ERRHANDLER_NULL;
}

static int make_shared(struct hmf__vwin *v, MPI_Comm comm, MPI_Win *out)
{
    char *base;
    int rc = PMPI_Win_allocate_shared(v->size, v->unit, v->info, comm, &base, out);

    if (rc != MPI_SUCCESS)
        return rc;
    if (hmf__vwinmem_turn(v, *out, comm) == HMF_OK)
        return MPI_SUCCESS;
    hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    return MPI_ERR_OTHER;
}

static int make(struct hmf__vwin *v, MPI_Comm comm, MPI_Win *out)
{
    int rc;

    if (v->flavor == HMF__WIN_SHARED && v->members->n > 1)
        return make_shared(v, comm, out);
    if (v->flavor != HMF__WIN_DYNAMIC)
        return PMPI_Win_create(v->base, v->size, v->unit, v->info, comm, out);
    rc = PMPI_Win_create_dynamic(v->info, comm, out);
    for (int i = 0; i < v->nregions && rc == MPI_SUCCESS; i++)
        rc = PMPI_Win_attach(*out, v->regions[i].base, v->regions[i].size);
    return rc;
}

static void build(struct hmf__vwin *v, MPI_Comm inner)
{
    MPI_Win real = MPI_WIN_NULL;
    MPI_Comm comm;
    char text[240];
    int rc;

    hmf__vwin_text(v, text, sizeof text);
    rc = hmf__vbuild_plain(inner, v->members, &comm);
    if (rc == MPI_SUCCESS) {
        PMPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
        rc = make(v, comm, &real);
        PMPI_Comm_free(&comm);
    }
    v->old = v->real;
    v->real = real;
    if (rc != MPI_SUCCESS) {
        v->real = MPI_WIN_NULL;
        hmf__log(HMF__LOG_ERROR, "%s could not be made again after a move (MPI error %d): it is no "
                 "window any more", text, rc);
        return;
    }
    dress(v);
    if (v->flags & HMF__WIN_FENCED)
        PMPI_Win_fence(0, v->real);
}

void hmf__vwin_build(MPI_Comm inner, const bool *moved)
{
    size_t n;
    struct hmf__vwin **list = sorted(moved, &n);

    for (size_t i = 0; list != NULL && i < n; i++)
        build(list[i], inner);
    for (size_t i = 0; list != NULL && i < n; i++) {
        if (list[i]->old != MPI_WIN_NULL)
            PMPI_Win_free(&list[i]->old);
        list[i]->old = MPI_WIN_NULL;
    }
    hmf__free(list);
    hmf__vwin_resume();
}

void hmf__vwin_leave(void)
{
    size_t n;
    struct hmf__vwin **list = sorted(NULL, &n);

    for (size_t i = 0; list != NULL && i < n; i++) {
        if (list[i]->real != MPI_WIN_NULL)
            PMPI_Win_free(&list[i]->real);
        list[i]->real = MPI_WIN_NULL;
    }
    hmf__free(list);
}
