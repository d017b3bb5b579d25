/*
 * Windows: making and ending them, epochs, and the questions that our handles answer by themselves.
 * The real window is made on the real communicator; what is known of it is in vwin.h.
 */
#include "config.h"

#include "procmap.h"
#include "shim/shim.h"
#include "vgroup.h"
#include "vwin.h"
#include "vwinmem.h"
#include "world.h"

/* The arguments of a call that makes a window. */
struct wanted {
    int fn;
    enum hmf__vwin_flavor flavor;
    MPI_Comm comm;
    MPI_Info info;
    void *base;
    MPI_Aint size;
    int unit;
};

static MPI_Win handle(struct hmf__vwin *v)
{
    return (MPI_Win) (void *) v;
}

/* Where nobody can move MPI may place the memory as it likes. */
static bool fixed(void)
{
    return hmf__procmap.nranks == hmf__procmap.nprocs;
}

static int own_memory(struct hmf__vwin *v, MPI_Aint size)
{
    v->base = hmf__calloc(1, size > 0 ? (size_t) size : 1);
    if (v->base == NULL)
        return MPI_ERR_NO_MEM;
    v->flags |= HMF__WIN_OWNED;
    return MPI_SUCCESS;
}

static int create(const struct wanted *w, MPI_Comm real, struct hmf__vwin *v)
{
    return PMPI_Win_create(v->base, w->size, w->unit, w->info, real, &v->real);
}

static int make_real(const struct wanted *w, MPI_Comm real, struct hmf__vwin *v)
{
    int rc;

    switch (w->flavor) {
    case HMF__WIN_CREATE:
        v->base = w->base;
        return create(w, real, v);
    case HMF__WIN_ALLOCATE:
        v->mpi_flavor = MPI_WIN_FLAVOR_ALLOCATE;
        if (fixed())
            return PMPI_Win_allocate(w->size, w->unit, w->info, real, &v->base, &v->real);
        rc = own_memory(v, w->size);
        return rc == MPI_SUCCESS ? create(w, real, v) : rc;
    case HMF__WIN_SHARED:
        v->mpi_flavor = MPI_WIN_FLAVOR_SHARED;
        if (v->members->n == 1 && !fixed()) {
            rc = own_memory(v, w->size);
            return rc == MPI_SUCCESS ? create(w, real, v) : rc;
        }
        rc = PMPI_Win_allocate_shared(w->size, w->unit, w->info, real, &v->base, &v->real);
        /* Without a second view it works as well, and cannot move. */
        if (rc == MPI_SUCCESS && !fixed() && hmf__vwinmem_open(v) != HMF_OK)
            hmf__log(HMF__LOG_DEBUG, "%s", hmf_error_text());
        return rc;
    default:
        v->mpi_flavor = MPI_WIN_FLAVOR_DYNAMIC;
        return PMPI_Win_create_dynamic(w->info, real, &v->real);
    }
}

static struct hmf__vwin *make_live(const struct wanted *w, int *rc)
{
    struct hmf__vwin *v = hmf__vwin_new(w->comm, w->flavor, w->fn, w->info);
    int *model, flag = 0;

    if (v == NULL) {
        *rc = hmf__shim_raise(w->comm, MPI_ERR_NO_MEM, w->fn);
        return NULL;
    }
    v->size = w->size;
    v->unit = w->unit;
    *rc = make_real(w, hmf__coll_real(w->comm), v);
    if (*rc != MPI_SUCCESS) {
        hmf__vwin_drop(v);
        return NULL;
    }
    if (PMPI_Win_get_attr(v->real, MPI_WIN_MODEL, &model, &flag) == MPI_SUCCESS && flag)
        v->model = *model;
    return v;
}

/* The newcomer's start-up comes by: what came from its predecessor gets its memory. */
static struct hmf__vwin *make_replayed(const struct wanted *w, uint32_t serial, int *rc)
{
    struct hmf__vwin *v = hmf__vwin_replayed(serial, w->comm);

    if (v == NULL) {
        *rc = hmf__shim_raise(w->comm, MPI_ERR_NO_MEM, w->fn);
        return NULL;
    }
    if (v->flags & HMF__WIN_GHOST)
        v->size = w->size;
    if (v->size != w->size)
        return v; /* found when its memory is looked for */
    if (w->flavor == HMF__WIN_CREATE)
        v->base = w->base;
    else if (w->flavor != HMF__WIN_DYNAMIC && v->base == NULL)
        *rc = own_memory(v, w->size);
    return v;
}

/* With a communicator that is none of the job's alone: MPI's own window, which forbids a move. */
static int pass(int rc, MPI_Comm comm, MPI_Win win, int fn)
{
    if (rc == MPI_SUCCESS && hmf__vcomm_of(comm) != NULL &&
        hmf__world_object_add("window", (void *) win, hmf__fn_name(fn)) != HMF_OK)
        hmf__log(HMF__LOG_WARN, "a window is not known to the migration runtime: %s",
                 hmf_error_text());
    return rc;
}

static bool ours(MPI_Comm comm)
{
    struct hmf__vcomm *v = hmf__vcomm_of(comm);

    return v != NULL && v->kind == HMF__COMM_INTRA;
}

static int make(const struct wanted *w, void *baseptr, MPI_Win *win)
{
    struct hmf__startup_call c;
    struct hmf__vwin *v = NULL;
    uint32_t serial = 0;

    if (!hmf__startup_enter(&c, w->fn, w->comm, 0, 0))
        return c.rc;
    if (c.live) {
        v = make_live(w, &c.rc);
        serial = v != NULL ? v->serial : 0;
    }
    hmf__out_val(&c, &serial, sizeof serial);
    if (!c.live && c.rc == MPI_SUCCESS)
        v = make_replayed(w, serial, &c.rc);
    *win = v != NULL ? handle(v) : MPI_WIN_NULL;
    if (v != NULL && baseptr != NULL)
        *(void **) baseptr = v->base;
    return hmf__startup_return(&c);
}

int MPI_Win_create(void *base, MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm,
                   MPI_Win *win)
{
    if (!ours(comm))
        return pass(PMPI_Win_create(base, size, disp_unit, info, hmf__comm_real(comm), win), comm,
                    *win, HMF__FN_Win_create);
    return make(&(struct wanted) { HMF__FN_Win_create, HMF__WIN_CREATE, comm, info, base, size,
                                   disp_unit }, NULL, win);
}

int MPI_Win_allocate(MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm, void *baseptr,
                     MPI_Win *win)
{
    if (!ours(comm))
        return pass(PMPI_Win_allocate(size, disp_unit, info, hmf__comm_real(comm), baseptr, win),
                    comm, *win, HMF__FN_Win_allocate);
    return make(&(struct wanted) { HMF__FN_Win_allocate, HMF__WIN_ALLOCATE, comm, info, NULL, size,
                                   disp_unit }, baseptr, win);
}

int MPI_Win_allocate_shared(MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm,
                            void *baseptr, MPI_Win *win)
{
    if (!ours(comm))
        return pass(PMPI_Win_allocate_shared(size, disp_unit, info, hmf__comm_real(comm), baseptr,
                                             win), comm, *win, HMF__FN_Win_allocate_shared);
    return make(&(struct wanted) { HMF__FN_Win_allocate_shared, HMF__WIN_SHARED, comm, info, NULL,
                                   size, disp_unit }, baseptr, win);
}

int MPI_Win_create_dynamic(MPI_Info info, MPI_Comm comm, MPI_Win *win)
{
    if (!ours(comm))
        return pass(PMPI_Win_create_dynamic(info, hmf__comm_real(comm), win), comm, *win,
                    HMF__FN_Win_create_dynamic);
    return make(&(struct wanted) { HMF__FN_Win_create_dynamic, HMF__WIN_DYNAMIC, comm, info, NULL, 0,
                                   1 }, NULL, win);
}

int MPI_Win_free(MPI_Win *win)
{
    struct hmf__vwin *v = hmf__vwin_of(*win);
    struct hmf__startup_call c;
    void *real = (void *) *win;
    int rc;

    if (v == NULL) {
        rc = PMPI_Win_free(win);
        if (rc == MPI_SUCCESS)
            hmf__world_object_remove(real);
        return rc;
    }
    if (hmf__shim_phase == HMF__PHASE_LEFT) {
        *win = MPI_WIN_NULL; /* a program that tidies up after AUTO_MIGR is right */
        return MPI_SUCCESS;
    }
    if (!hmf__startup_enter_any(&c, HMF__FN_Win_free))
        return c.rc;
    if (c.live && v->real != MPI_WIN_NULL)
        c.rc = PMPI_Win_free(&v->real);
    if (hmf__startup_return(&c) != MPI_SUCCESS)
        return c.rc;
    if (c.live || v->flags & HMF__WIN_GHOST)
        hmf__vwin_drop(v);
    *win = MPI_WIN_NULL;
    return MPI_SUCCESS;
}

/* ---- epochs ---- */

/* A newcomer does nothing in its replay: the state that its predecessor had comes along. */
#define EPOCH(name, call, note)                                                     \
    struct hmf__vwin *v = hmf__vwin_of(win);                                        \
    MPI_Win real_ = hmf__win_real(win);                                             \
    struct hmf__startup_call c;                                                     \
                                                                                    \
    if (v == NULL || hmf__likely(hmf__shim_phase == HMF__PHASE_NORMAL)) {           \
        c.rc = call;                                                                \
        if (v == NULL || c.rc != MPI_SUCCESS)                                       \
            return c.rc;                                                            \
    } else {                                                                        \
        if (!hmf__startup_enter_any(&c, HMF__FN_##name))                            \
            return c.rc;                                                            \
        if (c.live)                                                                 \
            c.rc = call;                                                            \
        if (hmf__startup_return(&c) != MPI_SUCCESS || !c.live)                      \
            return c.rc;                                                            \
    }                                                                               \
    note;                                                                           \
    return MPI_SUCCESS

static void fenced(struct hmf__vwin *v, int assert)
{
    v->accesses = 0;
    v->flags = (v->flags & ~(unsigned) HMF__WIN_FENCED) |
               (assert & MPI_MODE_NOSUCCEED ? 0 : HMF__WIN_FENCED);
}

int MPI_Win_fence(int assert, MPI_Win win)
{
    EPOCH(Win_fence, PMPI_Win_fence(assert, real_), fenced(v, assert));
}

static int with_group(int (*open)(MPI_Group, int, MPI_Win), MPI_Group group, int assert,
                      MPI_Win real)
{
    MPI_Group procs;
    int rc = hmf__group_to_procs(group, &procs);

    if (rc != MPI_SUCCESS) {
        PMPI_Win_call_errhandler(real, rc);
        return rc;
    }
    rc = open(procs, assert, real);
    if (procs != MPI_GROUP_EMPTY && procs != MPI_GROUP_NULL)
        PMPI_Group_free(&procs);
    return rc;
}

/* Another kind of epoch: the last fence was the end of theirs. */
static void opened(struct hmf__vwin *v, unsigned flag)
{
    v->flags = (v->flags & ~(unsigned) HMF__WIN_FENCED) | flag;
}

int MPI_Win_post(MPI_Group group, int assert, MPI_Win win)
{
    EPOCH(Win_post, with_group(PMPI_Win_post, group, assert, real_), opened(v, HMF__WIN_POSTED));
}

int MPI_Win_start(MPI_Group group, int assert, MPI_Win win)
{
    EPOCH(Win_start, with_group(PMPI_Win_start, group, assert, real_),
          opened(v, HMF__WIN_STARTED));
}

int MPI_Win_complete(MPI_Win win)
{
    EPOCH(Win_complete, PMPI_Win_complete(real_), v->flags &= ~(unsigned) HMF__WIN_STARTED);
}

int MPI_Win_wait(MPI_Win win)
{
    EPOCH(Win_wait, PMPI_Win_wait(real_), v->flags &= ~(unsigned) HMF__WIN_POSTED);
}

int MPI_Win_test(MPI_Win win, int *flag)
{
    struct hmf__vwin *v = hmf__vwin_of(win);
    int rc;

    if (v != NULL && hmf__shim_phase != HMF__PHASE_NORMAL && !hmf__shim_window(HMF__FN_Win_test))
        return MPI_ERR_WIN;
    rc = PMPI_Win_test(hmf__win_real(win), flag);
    if (rc == MPI_SUCCESS && *flag && v != NULL)
        v->flags &= ~(unsigned) HMF__WIN_POSTED;
    return rc;
}

/* A lock that is not noted would be lost at a move: better none at all. */
static int noted(struct hmf__vwin *v, int rank, int type, int assert)
{
    if (hmf__vwin_lock(v, rank, type, assert))
        return MPI_SUCCESS;
    if (rank < 0)
        PMPI_Win_unlock_all(v->real);
    else
        PMPI_Win_unlock(rank, v->real);
    PMPI_Win_call_errhandler(v->real, MPI_ERR_NO_MEM);
    return MPI_ERR_NO_MEM;
}

int MPI_Win_lock(int lock_type, int rank, int assert, MPI_Win win)
{
    EPOCH(Win_lock, PMPI_Win_lock(lock_type, rank, assert, real_),
          return noted(v, rank, lock_type, assert));
}

int MPI_Win_lock_all(int assert, MPI_Win win)
{
    EPOCH(Win_lock_all, PMPI_Win_lock_all(assert, real_),
          return noted(v, -1, MPI_LOCK_SHARED, assert));
}

int MPI_Win_unlock(int rank, MPI_Win win)
{
    EPOCH(Win_unlock, PMPI_Win_unlock(rank, real_), hmf__vwin_unlock(v, rank));
}

int MPI_Win_unlock_all(MPI_Win win)
{
    EPOCH(Win_unlock_all, PMPI_Win_unlock_all(real_), hmf__vwin_unlock(v, -1));
}

/* ---- memory and attributes ---- */

int MPI_Win_attach(MPI_Win win, void *base, MPI_Aint size)
{
    struct hmf__vwin *v = hmf__vwin_of(win);
    int rc;

    if (v != NULL && hmf__shim_phase != HMF__PHASE_NORMAL && !hmf__shim_window(HMF__FN_Win_attach))
        return MPI_ERR_WIN;
    rc = PMPI_Win_attach(hmf__win_real(win), base, size);
    if (rc != MPI_SUCCESS || v == NULL || hmf__vwin_attach(v, base, size))
        return rc;
    PMPI_Win_detach(v->real, base);
    return MPI_ERR_NO_MEM;
}

int MPI_Win_detach(MPI_Win win, const void *base)
{
    struct hmf__vwin *v = hmf__vwin_of(win);
    int rc;

    if (v != NULL && hmf__shim_phase == HMF__PHASE_LEFT)
        return MPI_SUCCESS;
    rc = PMPI_Win_detach(hmf__win_real(win), base);
    if (rc == MPI_SUCCESS && v != NULL)
        hmf__vwin_detach(v, base);
    return rc;
}

int MPI_Win_shared_query(MPI_Win win, int rank, MPI_Aint *size, int *disp_unit, void *baseptr)
{
    struct hmf__vwin *v = hmf__vwin_of(win);

    if (v == NULL || v->flavor != HMF__WIN_SHARED ||
        (v->view == NULL && v->real != MPI_WIN_NULL && !(v->flags & HMF__WIN_OWNED)))
        return PMPI_Win_shared_query(hmf__win_real(win), rank, size, disp_unit, baseptr);
    if (v->view == NULL) {
        *size = v->size;
        *disp_unit = v->unit;
        *(void **) baseptr = v->base;
        return MPI_SUCCESS;
    }
    if (rank == MPI_PROC_NULL)
        for (rank = 0; rank < v->members->n - 1 && v->parts[rank].size == 0; rank++)
            ;
    if (rank < 0 || rank >= v->members->n) {
        if (v->real != MPI_WIN_NULL)
            PMPI_Win_call_errhandler(v->real, MPI_ERR_RANK);
        return MPI_ERR_RANK;
    }
    *size = (MPI_Aint) v->parts[rank].size;
    *disp_unit = v->parts[rank].unit;
    *(void **) baseptr = v->view + v->parts[rank].at;
    return MPI_SUCCESS;
}

int MPI_Win_get_attr(MPI_Win win, int win_keyval, void *attribute_val, int *flag)
{
    struct hmf__vwin *v = hmf__vwin_of(win);
    void *value = NULL;

    if (v == NULL)
        return PMPI_Win_get_attr(win, win_keyval, attribute_val, flag);
    if (win_keyval == MPI_WIN_BASE)
        value = v->base;
    else if (win_keyval == MPI_WIN_SIZE)
        value = &v->size;
    else if (win_keyval == MPI_WIN_DISP_UNIT)
        value = &v->unit;
    else if (win_keyval == MPI_WIN_CREATE_FLAVOR)
        value = &v->mpi_flavor;
    else if (win_keyval == MPI_WIN_MODEL)
        value = &v->model;
    else
        return PMPI_Win_get_attr(hmf__win_real(win), win_keyval, attribute_val, flag);
    *(void **) attribute_val = value;
    *flag = 1;
    return MPI_SUCCESS;
}

static bool has_attr(MPI_Win real, int keyval)
{
    void *value;
    int flag = 0;

    return PMPI_Win_get_attr(real, keyval, &value, &flag) == MPI_SUCCESS && flag;
}

int MPI_Win_set_attr(MPI_Win win, int win_keyval, void *attribute_val)
{
    struct hmf__vwin *v = hmf__vwin_of(win);
    MPI_Win real = hmf__win_real(win);
    bool had;
    int rc;

    if (v != NULL && hmf__shim_phase != HMF__PHASE_NORMAL && !hmf__shim_window(HMF__FN_Win_set_attr))
        return MPI_ERR_WIN;
    had = v != NULL && has_attr(real, win_keyval);
    rc = PMPI_Win_set_attr(real, win_keyval, attribute_val);
    if (rc == MPI_SUCCESS && v != NULL && !had)
        v->attributes++;
    return rc;
}

int MPI_Win_delete_attr(MPI_Win win, int win_keyval)
{
    struct hmf__vwin *v = hmf__vwin_of(win);
    int rc = PMPI_Win_delete_attr(hmf__win_real(win), win_keyval);

    if (rc == MPI_SUCCESS && v != NULL && v->attributes > 0)
        v->attributes--;
    return rc;
}

int MPI_Win_set_name(MPI_Win win, const char *win_name)
{
    struct hmf__vwin *v = hmf__vwin_of(win);
    int rc;

    if (v != NULL && v->real == MPI_WIN_NULL)
        return hmf__shim_no_window(HMF__FN_Win_set_name);
    rc = PMPI_Win_set_name(hmf__win_real(win), win_name);
    if (rc == MPI_SUCCESS && v != NULL)
        v->flags |= HMF__WIN_NAMED;
    return rc;
}

int MPI_Win_get_group(MPI_Win win, MPI_Group *group)
{
    struct hmf__vwin *v = hmf__vwin_of(win);

    return v != NULL ? hmf__group_of_members(v->members, group) : PMPI_Win_get_group(win, group);
}

int hmf__shim_no_window(int fn)
{
    if (hmf__shim_phase == HMF__PHASE_LEFT)
        return hmf__shim_left(fn);
    /* Names, handlers and infos come from the predecessor. */
    return hmf__shim_phase == HMF__PHASE_REPLAY ? MPI_SUCCESS : MPI_ERR_WIN;
}

MPI_Fint MPI_Win_c2f(MPI_Win win)
{
    int number = hmf__varena_number(&hmf__vwins, win);

    return number >= 0 ? number : PMPI_Win_c2f(win);
}

MPI_Win MPI_Win_f2c(MPI_Fint win)
{
    void *v = hmf__varena_numbered(&hmf__vwins, win);

    return v != NULL ? handle(v) : PMPI_Win_f2c(win);
}
