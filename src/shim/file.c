/*
 * Files: opening and closing them, and the questions that our handles answer by themselves. The real
 * file is opened on the real communicator; what is known of it is in vfile.h.
 */
#include "config.h"

#include "shim/shim.h"
#include "vfile.h"
#include "vgroup.h"
#include "world.h"

static MPI_File handle(struct hmf__vfile *v)
{
    return (MPI_File) (void *) v;
}

/* On a communicator with processes outside the job: MPI's own file, which forbids a move. */
static int pass(MPI_Comm comm, const char *name, int amode, MPI_Info info, MPI_File *fh)
{
    int rc = PMPI_File_open(hmf__comm_real(comm), name, amode, info, fh);

    if (rc == MPI_SUCCESS && hmf__vcomm_of(comm) != NULL &&
        hmf__world_object_add("file", (void *) *fh, name) != HMF_OK)
        hmf__log(HMF__LOG_WARN, "a file is not known to the migration runtime: %s",
                 hmf_error_text());
    return rc;
}

static struct hmf__vfile *open_live(MPI_Comm comm, const char *name, int amode, MPI_Info info,
                                    int *rc)
{
    struct hmf__vfile *v = hmf__vfile_new(comm, name, amode, info);

    if (v == NULL) {
        *rc = hmf__shim_raise(comm, MPI_ERR_NO_MEM, HMF__FN_File_open);
        return NULL;
    }
    *rc = PMPI_File_open(hmf__coll_real(comm), name, hmf__vfile_amode(amode), info, &v->real);
    if (*rc == MPI_SUCCESS)
        return v;
    v->real = MPI_FILE_NULL;
    hmf__vfile_drop(v);
    return NULL;
}

int MPI_File_open(MPI_Comm comm, const char *filename, int amode, MPI_Info info, MPI_File *fh)
{
    struct hmf__vcomm *p = hmf__vcomm_of(comm);
    struct hmf__vfile *v = NULL;
    struct hmf__startup_call c;
    uint32_t serial = 0;

    if (p == NULL || p->kind != HMF__COMM_INTRA)
        return pass(comm, filename, amode, info, fh);
    if (!hmf__startup_enter(&c, HMF__FN_File_open, comm, 0, 0))
        return c.rc;
    if (c.live) {
        v = open_live(comm, filename, amode, info, &c.rc);
        serial = v != NULL ? v->serial : 0;
    }
    hmf__out_val(&c, &serial, sizeof serial);
    if (!c.live && c.rc == MPI_SUCCESS) {
        v = hmf__vfile_replayed(serial, comm, filename);
        if (v == NULL)
            c.rc = hmf__shim_raise(comm, MPI_ERR_NO_MEM, HMF__FN_File_open);
    }
    *fh = v != NULL ? handle(v) : MPI_FILE_NULL;
    return hmf__startup_return(&c);
}

/* Closes for good: what MPI was not told when it was opened. */
static int close_live(struct hmf__vfile *v)
{
    int rc = v->real != MPI_FILE_NULL ? PMPI_File_close(&v->real) : MPI_SUCCESS;

    if (rc == MPI_SUCCESS && v->amode & MPI_MODE_DELETE_ON_CLOSE && v->rank == 0)
        rc = PMPI_File_delete(v->name, MPI_INFO_NULL);
    return rc;
}

int MPI_File_close(MPI_File *fh)
{
    struct hmf__vfile *v = hmf__vfile_of(*fh);
    struct hmf__startup_call c;
    void *real = (void *) *fh;
    int rc;

    if (v == NULL) {
        rc = PMPI_File_close(fh);
        if (rc == MPI_SUCCESS)
            hmf__world_object_remove(real);
        return rc;
    }
    if (hmf__shim_phase == HMF__PHASE_LEFT) {
        *fh = MPI_FILE_NULL; /* a program that tidies up after AUTO_MIGR is right */
        return MPI_SUCCESS;
    }
    if (!hmf__startup_enter_any(&c, HMF__FN_File_close))
        return c.rc;
    if (c.live)
        c.rc = close_live(v);
    if (hmf__startup_return(&c) != MPI_SUCCESS)
        return c.rc;
    if (c.live || v->flags & HMF__FILE_GHOST)
        hmf__vfile_drop(v);
    *fh = MPI_FILE_NULL;
    return MPI_SUCCESS;
}

int MPI_File_get_amode(MPI_File fh, int *amode)
{
    struct hmf__vfile *v = hmf__vfile_of(fh);
    struct hmf__startup_call c;

    if (v == NULL)
        return PMPI_File_get_amode(fh, amode);
    if (!hmf__startup_enter_any(&c, HMF__FN_File_get_amode))
        return c.rc;
    if (c.live)
        *amode = v->amode;
    hmf__out_val(&c, amode, sizeof *amode);
    return hmf__startup_return(&c);
}

int MPI_File_get_group(MPI_File fh, MPI_Group *group)
{
    struct hmf__vfile *v = hmf__vfile_of(fh);

    return v != NULL ? hmf__group_of_members(v->members, group) : PMPI_File_get_group(fh, group);
}

MPI_Fint MPI_File_c2f(MPI_File file)
{
    int number = hmf__varena_number(&hmf__vfiles, file);

    return number >= 0 ? number : PMPI_File_c2f(file);
}

MPI_File MPI_File_f2c(MPI_Fint file)
{
    void *v = hmf__varena_numbered(&hmf__vfiles, file);

    return v != NULL ? handle(v) : PMPI_File_f2c(file);
}

int hmf__shim_no_file(int fn)
{
    if (hmf__shim_phase == HMF__PHASE_LEFT)
        return hmf__shim_left(fn);
    /* The handler comes from the predecessor. */
    return hmf__shim_phase == HMF__PHASE_REPLAY ? MPI_SUCCESS : MPI_ERR_FILE;
}
