/*
 * Windows and files: made on the real communicator, and made known to the world, which refuses a
 * move while they exist and names them.
 */
#include "config.h"

#include "shim/shim.h"
#include "vgroup.h"
#include "world.h"

/* Only what was made on one of our communicators concerns a move. */
static int made(int rc, MPI_Comm comm, const char *kind, const void *handle, const char *name)
{
    if (rc == MPI_SUCCESS && hmf__vcomm_of(comm) != NULL &&
        hmf__world_object_add(kind, handle, name) != HMF_OK)
        hmf__log(HMF__LOG_WARN, "a %s is not known to the migration runtime: %s", kind,
                 hmf_error_text());
    return rc;
}

int MPI_Win_create(void *base, MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm,
                   MPI_Win *win)
{
    int rc;

    if (hmf__shim_phase != HMF__PHASE_NORMAL && !hmf__shim_window(HMF__FN_Win_create))
        return MPI_ERR_COMM;
    rc = PMPI_Win_create(base, size, disp_unit, info, hmf__coll_real(comm), win);
    return made(rc, comm, "window", (void *) *win, "MPI_Win_create");
}

int MPI_Win_allocate(MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm, void *baseptr,
                     MPI_Win *win)
{
    int rc;

    if (hmf__shim_phase != HMF__PHASE_NORMAL && !hmf__shim_window(HMF__FN_Win_allocate))
        return MPI_ERR_COMM;
    rc = PMPI_Win_allocate(size, disp_unit, info, hmf__coll_real(comm), baseptr, win);
    return made(rc, comm, "window", (void *) *win, "MPI_Win_allocate");
}

int MPI_Win_allocate_shared(MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm,
                            void *baseptr, MPI_Win *win)
{
    int rc;

    if (hmf__shim_phase != HMF__PHASE_NORMAL && !hmf__shim_window(HMF__FN_Win_allocate_shared))
        return MPI_ERR_COMM;
    rc = PMPI_Win_allocate_shared(size, disp_unit, info, hmf__coll_real(comm), baseptr, win);
    return made(rc, comm, "window", (void *) *win, "MPI_Win_allocate_shared");
}

int MPI_Win_create_dynamic(MPI_Info info, MPI_Comm comm, MPI_Win *win)
{
    int rc;

    if (hmf__shim_phase != HMF__PHASE_NORMAL && !hmf__shim_window(HMF__FN_Win_create_dynamic))
        return MPI_ERR_COMM;
    rc = PMPI_Win_create_dynamic(info, hmf__coll_real(comm), win);
    return made(rc, comm, "window", (void *) *win, "MPI_Win_create_dynamic");
}

int MPI_Win_free(MPI_Win *win)
{
    void *handle = (void *) *win;
    int rc;

    if (hmf__shim_phase != HMF__PHASE_NORMAL && !hmf__shim_window(HMF__FN_Win_free))
        return MPI_ERR_WIN;
    rc = PMPI_Win_free(win);
    if (rc == MPI_SUCCESS)
        hmf__world_object_remove(handle);
    return rc;
}

static int epoch(int fn, int (*open)(MPI_Group, int, MPI_Win), MPI_Group group, int assert,
                 MPI_Win win)
{
    MPI_Group procs;
    int rc;

    if (hmf__shim_phase != HMF__PHASE_NORMAL && !hmf__shim_window(fn))
        return MPI_ERR_WIN;
    rc = hmf__group_to_procs(group, &procs);
    if (rc != MPI_SUCCESS) {
        PMPI_Win_call_errhandler(win, rc);
        return rc;
    }
    rc = open(procs, assert, win);
    if (procs != MPI_GROUP_EMPTY && procs != MPI_GROUP_NULL)
        PMPI_Group_free(&procs);
    return rc;
}

int MPI_Win_post(MPI_Group group, int assert, MPI_Win win)
{
    return epoch(HMF__FN_Win_post, PMPI_Win_post, group, assert, win);
}

int MPI_Win_start(MPI_Group group, int assert, MPI_Win win)
{
    return epoch(HMF__FN_Win_start, PMPI_Win_start, group, assert, win);
}

int MPI_File_open(MPI_Comm comm, const char *filename, int amode, MPI_Info info, MPI_File *fh)
{
    struct hmf__startup_call c;

    if (hmf__vcomm_of(comm) == NULL)
        return PMPI_File_open(comm, filename, amode, info, fh);
    if (!hmf__startup_enter_any(&c, HMF__FN_File_open))
        return c.rc;
    if (c.live) {
        c.rc = PMPI_File_open(hmf__coll_real(comm), filename, amode, info, fh);
        c.rc = made(c.rc, comm, "file", (void *) *fh, filename);
    } else {
        *fh = MPI_FILE_NULL; /* what is read from it comes from the log */
    }
    return hmf__startup_return(&c);
}

int MPI_File_close(MPI_File *fh)
{
    void *handle = (void *) *fh;
    struct hmf__startup_call c;

    if (!hmf__startup_enter_any(&c, HMF__FN_File_close))
        return c.rc;
    if (c.live) {
        c.rc = PMPI_File_close(fh);
        if (c.rc == MPI_SUCCESS)
            hmf__world_object_remove(handle);
    }
    *fh = MPI_FILE_NULL;
    return hmf__startup_return(&c);
}
