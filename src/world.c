/* The virtual world; see world.h. The state of a move is in `pending_*`: between prepare and
 * commit or rollback both the old and the new communicators exist. */
#include "config.h"

#include "world.h"

#include "drain.h"
#include "procmap.h"
#include "startup.h"
#include "stash.h"
#include "vattr.h"
#include "vbuild.h"
#include "vcomm.h"
#include "vfile.h"
#include "vhandle.h"
#include "vnode.h"
#include "vplan.h"
#include "vreq.h"
#include "vwin.h"
#include "wpack.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define INNER_TAG 2

struct object {
    struct object *next;
    const char *kind;
    const void *handle;
    char *name;
};

static struct {
    MPI_Comm inner;
    MPI_Comm pending_inner;
    int *pending_map;
    bool newcomer;      /* between unpack and commit */
    bool left;
    struct object *objects;
    pthread_mutex_t lock;
} world = {
    .inner = MPI_COMM_NULL, .pending_inner = MPI_COMM_NULL, .lock = PTHREAD_MUTEX_INITIALIZER
};

MPI_Comm hmf__world_universe(void)
{
    return hmf__procmap.universe;
}

MPI_Comm hmf__world_inner(void)
{
    return world.inner;
}

int hmf__world_proc(void)
{
    return hmf__procmap.proc;
}

int hmf__world_nprocs(void)
{
    return hmf__procmap.nprocs;
}

int hmf__world_rank(void)
{
    return hmf__vcomm_world.rank;
}

int hmf__world_size(void)
{
    return hmf__procmap.nranks;
}

int hmf__world_proc_of(int rank)
{
    return rank >= 0 && rank < hmf__procmap.nranks ? hmf__procmap.proc_of[rank] : -1;
}

int hmf__world_rank_of(int proc)
{
    return proc >= 0 && proc < hmf__procmap.nprocs ? hmf__procmap.rank_of[proc] : -1;
}

bool hmf__world_has_left(void)
{
    return world.left;
}

/* ---- begin and end ---- */

/* The communicator of the ranks' processes in order of rank, for a map. */
static int make_inner(const int *proc_of, MPI_Comm *out)
{
    MPI_Group group;
    int rc = PMPI_Group_incl(hmf__procmap.group, hmf__procmap.nranks, proc_of, &group);

    if (rc != MPI_SUCCESS)
        return rc;
    rc = PMPI_Comm_create_group(hmf__procmap.universe, group, INNER_TAG, out);
    PMPI_Group_free(&group);
    if (rc == MPI_SUCCESS)
        PMPI_Comm_set_name(*out, "hmf inner");
    return rc;
}

static hmf_status_t make_table(int rank)
{
    int level = MPI_THREAD_SINGLE;

    PMPI_Query_thread(&level);
    return hmf__vcomm_init(hmf__procmap.nranks, rank, level == MPI_THREAD_MULTIPLE);
}

/* Without spares and with ranks in their natural places, the real world will do. */
static bool plain_world(void)
{
    if (hmf__procmap.nranks != hmf__procmap.nprocs)
        return false;
    for (int r = 0; r < hmf__procmap.nranks; r++)
        if (hmf__procmap.proc_of[r] != r)
            return false;
    return true;
}

hmf_status_t hmf__world_init(int nranks, const int *proc_of_rank)
{
    hmf_status_t status = hmf__procmap_init(nranks, proc_of_rank);
    int rc = MPI_SUCCESS;

    if (status != HMF_OK)
        return status;
    status = make_table(hmf__procmap.rank);
    if (status != HMF_OK)
        goto fini_map;
    hmf__vhandle_init();
    if (hmf__procmap.rank < 0)
        return HMF_OK;
    rc = make_inner(hmf__procmap.proc_of, &world.inner);
    if (rc == MPI_SUCCESS && plain_world()) {
        hmf__vcomm_world.real = MPI_COMM_WORLD;
        return HMF_OK;
    }
    if (rc == MPI_SUCCESS)
        rc = PMPI_Comm_dup(world.inner, &hmf__vcomm_world.real);
    if (rc == MPI_SUCCESS)
        rc = PMPI_Comm_set_errhandler(hmf__vcomm_world.real, MPI_ERRORS_ARE_FATAL);
    if (rc == MPI_SUCCESS)
        rc = PMPI_Comm_set_name(hmf__vcomm_world.real, "MPI_COMM_WORLD");
    if (rc == MPI_SUCCESS)
        return HMF_OK;
    status = hmf__fail(HMF_ERR_MPI, "cannot make a communicator of the %d ranks (MPI error %d)",
                       nranks, rc);
    hmf__vcomm_fini();
fini_map:
    hmf__procmap_fini();
    return status;
}

static void free_map(void)
{
    hmf__free(world.pending_map);
    world.pending_map = NULL;
}

/* Frees what is real of all communicators; the virtual ones stay with MPI_COMM_NULL. */
static void free_real(void)
{
    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next) {
        MPI_Comm old = v->real;

        v->real = MPI_COMM_NULL;
        if (old != MPI_COMM_NULL && old != MPI_COMM_WORLD && old != MPI_COMM_SELF)
            PMPI_Comm_free(&old);
    }
    if (world.inner != MPI_COMM_NULL)
        PMPI_Comm_free(&world.inner);
}

static void forget_local(void)
{
    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next) {
        hmf__vplan_free(v->plan);
        v->plan = NULL;
        hmf__attr_forget(v);
        hmf__stash_clear(v);
    }
}

void hmf__world_fini(void)
{
    if (hmf__procmap.universe == MPI_COMM_NULL)
        return;
    hmf__vbuild_drop();
    if (world.pending_inner != MPI_COMM_NULL)
        PMPI_Comm_free(&world.pending_inner);
    free_map();
    forget_local();
    free_real();
    hmf__vhandle_fini();
    hmf__vwin_fini();
    hmf__vfile_fini();
    hmf__vcomm_fini();
    hmf__procmap_fini();
    while (world.objects != NULL) {
        struct object *o = world.objects;

        world.objects = o->next;
        hmf__free(o->name);
        hmf__free(o);
    }
    world.left = false;
    world.newcomer = false;
}

/* ---- what forbids a move ---- */

hmf_status_t hmf__world_object_add(const char *kind, const void *handle, const char *name)
{
    struct object *o = hmf__calloc(1, sizeof(*o));

    if (o != NULL && name != NULL) {
        o->name = hmf__strdup(name);
        if (o->name == NULL) {
            hmf__free(o);
            o = NULL;
        }
    }
    if (o == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to note a %s", kind);
    o->kind = kind;
    o->handle = handle;
    pthread_mutex_lock(&world.lock);
    o->next = world.objects;
    world.objects = o;
    pthread_mutex_unlock(&world.lock);
    return HMF_OK;
}

void hmf__world_object_remove(const void *handle)
{
    struct object **at = &world.objects, *o;

    pthread_mutex_lock(&world.lock);
    while (*at != NULL && (*at)->handle != handle)
        at = &(*at)->next;
    o = *at;
    if (o != NULL)
        *at = o->next;
    pthread_mutex_unlock(&world.lock);
    if (o != NULL) {
        hmf__free(o->name);
        hmf__free(o);
    }
}

static hmf_status_t object_forbids(void)
{
    hmf_status_t status = HMF_OK;

    pthread_mutex_lock(&world.lock);
    if (world.objects != NULL) {
        const struct object *o = world.objects;

        status = hmf__fail(HMF_ERR_UNSUPPORTED, "an open %s%s%s%s cannot be carried along: "
                           "close or free it before auto_poll", o->kind,
                           o->name != NULL ? " \"" : "", o->name != NULL ? o->name : "",
                           o->name != NULL ? "\"" : "");
    }
    pthread_mutex_unlock(&world.lock);
    return status;
}

hmf_status_t hmf__world_movable(void)
{
    hmf_status_t status = object_forbids();
    char text[128];

    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL && status == HMF_OK; v = v->next) {
        if (v->kind == HMF__COMM_FOREIGN)
            status = hmf__fail(HMF_ERR_UNSUPPORTED, "%s has members outside the job (made by "
                               "MPI_Comm_spawn, connect or the like): disconnect it before "
                               "auto_poll",
                               hmf__vcomm_text(v, text, sizeof(text)));
        else if (v->flags & HMF__COMM_FREED)
            status = hmf__fail(HMF_ERR_BUSY, "%s was freed while a request on it is pending: "
                               "complete the request before auto_poll",
                               hmf__vcomm_text(v, text, sizeof(text)));
    }
    if (status == HMF_OK)
        status = hmf__vwin_movable();
    if (status == HMF_OK)
        status = hmf__vfile_movable();
    return status;
}

/* ---- the move ---- */

hmf_status_t hmf__world_drain(void)
{
    uint64_t start = hmf__now_ns();
    hmf_status_t status;

    if (world.inner == MPI_COMM_NULL)
        return hmf__fail(HMF_ERR_STATE, "this process holds no rank, it has nothing to drain");
    status = hmf__drain_run();
    if (status == HMF_OK) {
        hmf__vwin_rest();
        status = hmf__vfile_rest();
    }
    hmf__log(HMF__LOG_DEBUG, "drain of %zu communicators: %.2f ms, %zu messages kept",
             hmf__vcomm_count(), (double) (hmf__now_ns() - start) * 1e-6, hmf__stash_total);
    return status;
}

hmf_status_t hmf__world_unpack(int rank, const int *proc_of_old, const void *data, size_t len)
{
    hmf_status_t status;

    if (hmf__vcomm_world.rank >= 0 || world.left || rank < 0 || rank >= hmf__procmap.nranks)
        return hmf__fail(HMF_ERR_STATE, "this process cannot become rank %d", rank);
    status = hmf__procmap_set(proc_of_old);
    if (status != HMF_OK)
        return status;
    hmf__vcomm_fini();
    status = make_table(rank);
    if (status == HMF_OK)
        status = hmf__wpack_read(rank, data, len);
    world.newcomer = true;
    if (status != HMF_OK) {
        hmf__fail_prefix(status, "taking over rank %d", rank);
        hmf__world_rollback();
    }
    return status;
}

hmf_status_t hmf__world_quiet(void)
{
    if (world.inner == MPI_COMM_NULL)
        return hmf__fail(HMF_ERR_STATE, "this process holds no rank");
    hmf__vwin_flush();
    return hmf__drain_quiet();
}

/* Ranks whose process differs between the two maps. */
static bool *moved_ranks(const int *before, const int *after)
{
    bool *moved = hmf__calloc((size_t) hmf__procmap.nranks, sizeof(*moved));

    for (int r = 0; moved != NULL && r < hmf__procmap.nranks; r++)
        moved[r] = before[r] != after[r];
    return moved;
}

uint64_t hmf__world_open(const int *new_proc_of)
{
    bool *moved = new_proc_of != NULL ? moved_ranks(hmf__procmap.proc_of, new_proc_of) : NULL;

    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next) {
        /* A node's may get other members, if none of it moves too. */
        bool still = moved != NULL && !(v->flags & HMF__COMM_NODE) && !hmf__vbuild_touched(v, moved);

        v->flags = still ? v->flags | HMF__COMM_STILL : v->flags & ~(uint32_t) HMF__COMM_STILL;
    }
    hmf__free(moved);
    return hmf__drain_open(new_proc_of == NULL);
}

hmf_status_t hmf__world_prepare(const int *new_proc_of)
{
    size_t bytes = (size_t) hmf__procmap.nranks * sizeof(int);
    uint64_t start = hmf__now_ns();
    hmf_status_t status;
    bool *moved;
    int rc;

    if (world.pending_map != NULL || hmf__vcomm_world.rank < 0
        || new_proc_of[hmf__vcomm_world.rank] != hmf__procmap.proc)
        return hmf__fail(HMF_ERR_STATE, "this process has no place in the move that is prepared");
    status = hmf__procmap_check(new_proc_of);
    if (status != HMF_OK)
        return status;
    moved = moved_ranks(hmf__procmap.proc_of, new_proc_of);
    world.pending_map = hmf__malloc(bytes);
    if (moved == NULL || world.pending_map == NULL) {
        status = hmf__fail(HMF_ERR_NOMEM, "no memory for the map of %d ranks", hmf__procmap.nranks);
        goto free_moved;
    }
    memcpy(world.pending_map, new_proc_of, bytes);
    rc = make_inner(new_proc_of, &world.pending_inner);
    if (rc != MPI_SUCCESS) {
        status = hmf__fail(HMF_ERR_MPI, "cannot make a communicator of the new places of the ranks "
                           "(MPI error %d)", rc);
        goto free_moved;
    }
    status = hmf__vnode_turn(new_proc_of);
    if (status == HMF_OK)
        status = hmf__vwin_check(moved, new_proc_of);
    if (status == HMF_OK)
        status = hmf__vfile_check();
    status = hmf__vbuild_run(world.pending_inner, moved, status);
    if (status == HMF_OK)
        status = hmf__vfile_build(world.pending_inner, moved);
    if (status != HMF_OK)
        hmf__vbuild_drop();
    if (status != HMF_OK)
        PMPI_Comm_free(&world.pending_inner);
    hmf__log(HMF__LOG_DEBUG, "new communicators: %.2f ms",
             (double) (hmf__now_ns() - start) * 1e-6);
free_moved:
    hmf__free(moved);
    if (status != HMF_OK)
        free_map();
    else if (world.newcomer)
        /* Its start-up code runs before the commit and asks its communicators. */
        hmf__vbuild_commit();
    return status;
}

void hmf__world_commit(void)
{
    bool *moved;

    if (world.pending_map == NULL)
        return;
    moved = moved_ranks(hmf__procmap.proc_of, world.pending_map);
    if (moved != NULL)
        hmf__vwin_build(world.pending_inner, moved);
    else
        hmf__log(HMF__LOG_ERROR, "no memory to make windows again");
    hmf__free(moved);
    hmf__vfile_commit();
    hmf__vbuild_commit();
    hmf__vnode_settle(true);
    if (world.inner != MPI_COMM_NULL)
        PMPI_Comm_free(&world.inner);
    world.inner = world.pending_inner;
    world.pending_inner = MPI_COMM_NULL;
    if (hmf__procmap_set(world.pending_map) != HMF_OK)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    free_map();
    if (hmf__vreq_resume(true) != HMF_OK)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    world.newcomer = false;
}

void hmf__world_rollback(void)
{
    hmf__vbuild_drop();
    hmf__vfile_drop_prepared();
    hmf__vnode_settle(false);
    if (world.pending_inner != MPI_COMM_NULL)
        PMPI_Comm_free(&world.pending_inner);
    free_map();
    if (world.newcomer) {
        world.newcomer = false;
        forget_local();
        free_real();
        hmf__vwin_fini();
        hmf__vfile_fini();
        hmf__vcomm_fini();
        if (make_table(-1) != HMF_OK)
            hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    } else if (world.inner != MPI_COMM_NULL) {
        if (hmf__vreq_resume(false) != HMF_OK)
            hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
        hmf__vwin_resume();
    }
}

void hmf__world_set_map(const int *proc_of)
{
    if (hmf__procmap_set(proc_of) != HMF_OK)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
}

void hmf__world_leave(void)
{
    hmf__vbuild_drop();
    if (world.pending_inner != MPI_COMM_NULL)
        PMPI_Comm_free(&world.pending_inner);
    free_map();
    hmf__vwin_leave();
    hmf__vfile_leave();
    forget_local();
    free_real();
    hmf__vcomm_world.rank = -1;
    hmf__startup_leave();
    world.left = true;
}
