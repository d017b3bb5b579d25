/*
 * Local functions that are each one of their kind: rank and size, attributes, groups at the border
 * to communicators, Fortran's handles, the freeing of datatypes.
 */
#include "config.h"

#include "shim/shim.h"
#include "typemap.h"
#include "vattr.h"
#include "verror.h"
#include "vgroup.h"
#include "vmade.h"

/* Without a real communicator (in a process that left, or one freed since the start-up that is
 * being replayed) rank, size and group are still known. */
static inline bool gone(MPI_Comm real, MPI_Comm comm)
{
    return hmf__unlikely(real == MPI_COMM_NULL) && hmf__vcomm_of(comm) != NULL &&
           hmf__shim_phase != HMF__PHASE_NORMAL;
}

int MPI_Comm_rank(MPI_Comm comm, int *rank)
{
    MPI_Comm real = hmf__comm_real(comm);

    if (gone(real, comm)) {
        *rank = hmf__vcomm_of(comm)->rank;
        return MPI_SUCCESS;
    }
    return PMPI_Comm_rank(real, rank);
}

int MPI_Comm_size(MPI_Comm comm, int *size)
{
    MPI_Comm real = hmf__comm_real(comm);

    if (gone(real, comm)) {
        *size = hmf__vcomm_of(comm)->size;
        return MPI_SUCCESS;
    }
    return PMPI_Comm_size(real, size);
}

int MPI_Comm_compare(MPI_Comm comm1, MPI_Comm comm2, int *result)
{
    MPI_Comm real1 = hmf__comm_real(comm1), real2 = hmf__comm_real(comm2);

    if (comm1 == comm2 && comm1 != MPI_COMM_NULL) {
        *result = MPI_IDENT;
        return MPI_SUCCESS;
    }
    if (gone(real1, comm1))
        return hmf__shim_no_comm(HMF__FN_Comm_compare, comm1);
    if (gone(real2, comm2))
        return hmf__shim_no_comm(HMF__FN_Comm_compare, comm2);
    return PMPI_Comm_compare(real1, real2, result);
}

int MPI_Comm_get_parent(MPI_Comm *parent)
{
    return PMPI_Comm_get_parent(parent);
}

int MPI_Abort(MPI_Comm comm, int errorcode)
{
    (void) comm;
    return PMPI_Abort(MPI_COMM_WORLD, errorcode);
}

/* ---- attributes ---- */

int MPI_Comm_create_keyval(MPI_Comm_copy_attr_function *comm_copy_attr_fn,
                           MPI_Comm_delete_attr_function *comm_delete_attr_fn, int *comm_keyval,
                           void *extra_state)
{
    return hmf__attr_keyval_create(comm_copy_attr_fn, comm_delete_attr_fn, comm_keyval,
                                   extra_state);
}

int MPI_Comm_free_keyval(int *comm_keyval)
{
    return hmf__attr_keyval_free(comm_keyval);
}

int MPI_Keyval_create(MPI_Copy_function *copy_fn, MPI_Delete_function *delete_fn, int *keyval,
                      void *extra_state)
{
    return hmf__attr_keyval_create(copy_fn, delete_fn, keyval, extra_state);
}

int MPI_Keyval_free(int *keyval)
{
    return hmf__attr_keyval_free(keyval);
}

/* The attributes that MPI itself hangs on MPI_COMM_WORLD. */
static bool predefined(int keyval)
{
    return keyval == MPI_TAG_UB || keyval == MPI_HOST || keyval == MPI_IO ||
           keyval == MPI_WTIME_IS_GLOBAL || keyval == MPI_APPNUM || keyval == MPI_UNIVERSE_SIZE ||
           keyval == MPI_LASTUSEDCODE;
}

static int raised(MPI_Comm comm, int rc, int fn)
{
    return rc == MPI_SUCCESS ? rc : hmf__shim_raise(comm, rc, fn);
}

static int get_attr(int fn, MPI_Comm comm, int keyval, void *value, int *flag)
{
    MPI_Comm real = hmf__comm_real(comm);

    if (hmf__attr_is_ours(comm, keyval))
        return raised(comm, hmf__attr_get(comm, keyval, value, flag), fn);
    if (predefined(keyval) && hmf__vcomm_of(comm) != NULL)
        return PMPI_Comm_get_attr(MPI_COMM_WORLD, keyval, value, flag);
    if (gone(real, comm))
        return hmf__shim_no_comm(fn, comm);
    return PMPI_Comm_get_attr(real, hmf__attr_real(keyval), value, flag);
}

static int set_attr(int fn, MPI_Comm comm, int keyval, void *value)
{
    MPI_Comm real = hmf__comm_real(comm);

    if (hmf__attr_is_ours(comm, keyval))
        return raised(comm, hmf__attr_set(comm, keyval, value), fn);
    if (gone(real, comm))
        return hmf__shim_no_comm(fn, comm);
    return PMPI_Comm_set_attr(real, hmf__attr_real(keyval), value);
}

static int delete_attr(int fn, MPI_Comm comm, int keyval)
{
    MPI_Comm real = hmf__comm_real(comm);

    if (hmf__attr_is_ours(comm, keyval))
        return raised(comm, hmf__attr_delete(comm, keyval), fn);
    if (gone(real, comm))
        return hmf__shim_no_comm(fn, comm);
    return PMPI_Comm_delete_attr(real, hmf__attr_real(keyval));
}

int MPI_Comm_get_attr(MPI_Comm comm, int comm_keyval, void *attribute_val, int *flag)
{
    return get_attr(HMF__FN_Comm_get_attr, comm, comm_keyval, attribute_val, flag);
}

int MPI_Comm_set_attr(MPI_Comm comm, int comm_keyval, void *attribute_val)
{
    return set_attr(HMF__FN_Comm_set_attr, comm, comm_keyval, attribute_val);
}

int MPI_Comm_delete_attr(MPI_Comm comm, int comm_keyval)
{
    return delete_attr(HMF__FN_Comm_delete_attr, comm, comm_keyval);
}

int MPI_Attr_get(MPI_Comm comm, int keyval, void *attribute_val, int *flag)
{
    return get_attr(HMF__FN_Attr_get, comm, keyval, attribute_val, flag);
}

int MPI_Attr_put(MPI_Comm comm, int keyval, void *attribute_val)
{
    return set_attr(HMF__FN_Attr_put, comm, keyval, attribute_val);
}

int MPI_Attr_delete(MPI_Comm comm, int keyval)
{
    return delete_attr(HMF__FN_Attr_delete, comm, keyval);
}

/* ---- groups ---- */

int MPI_Comm_group(MPI_Comm comm, MPI_Group *group)
{
    if (hmf__vcomm_of(comm) == NULL)
        return PMPI_Comm_group(comm, group);
    return raised(comm, hmf__group_of_comm(comm, group), HMF__FN_Comm_group);
}

int MPI_Comm_remote_group(MPI_Comm comm, MPI_Group *group)
{
    if (hmf__vcomm_of(comm) == NULL)
        return PMPI_Comm_remote_group(comm, group);
    return raised(comm, hmf__group_of_remote(comm, group), HMF__FN_Comm_remote_group);
}

int MPI_Group_rank(MPI_Group group, int *rank)
{
    return raised(MPI_COMM_WORLD, hmf__group_rank(group, rank), HMF__FN_Group_rank);
}

/* ---- Fortran's handles ---- */

MPI_Fint MPI_Comm_c2f(MPI_Comm comm)
{
    return hmf__vcomm_c2f(comm);
}

MPI_Comm MPI_Comm_f2c(MPI_Fint comm)
{
    return hmf__vcomm_f2c(comm);
}

enum { FIRST_REQUEST = 0x40000000 }; /* above all of Open MPI's numbers */

static MPI_Fint number(const struct hmf__vreq *q)
{
    return (MPI_Fint) (FIRST_REQUEST | (q->serial & (FIRST_REQUEST - 1)));
}

MPI_Fint MPI_Request_c2f(MPI_Request request)
{
    struct hmf__vreq *q = hmf__vreq_of(request);

    return q != NULL ? number(q) : PMPI_Request_c2f(request);
}

MPI_Request MPI_Request_f2c(MPI_Fint request)
{
    for (struct hmf__vreq *q = request >= FIRST_REQUEST ? hmf__vreq_first() : NULL; q != NULL;
         q = q->next)
        if (number(q) == request)
            return (MPI_Request) (void *) q;
    return PMPI_Request_f2c(request);
}

/* ---- ops and error handlers: MPI does not tell their functions, a newcomer needs them ---- */

int MPI_Op_create(MPI_User_function *function, int commute, MPI_Op *op)
{
    int rc = PMPI_Op_create(function, commute, op);

    if (rc == MPI_SUCCESS &&
        hmf__made_note(typeMPI_OP, (void *) *op, (void (*)(void)) function, commute) != HMF_OK)
        hmf__log(HMF__LOG_WARN, "%s", hmf_error_text());
    return rc;
}

static int create_errhandler(enum hmf__verror_kind kind, void (*function)(void),
                             MPI_Errhandler *errhandler)
{
    int rc = hmf__verror_create(kind, function, errhandler);

    if (rc == MPI_SUCCESS && hmf__made_note(typeMPI_ERRHANDLER, (void *) *errhandler, function,
                                            (int) kind) != HMF_OK)
        hmf__log(HMF__LOG_WARN, "%s", hmf_error_text());
    return rc;
}

int MPI_Comm_create_errhandler(MPI_Comm_errhandler_function *function, MPI_Errhandler *errhandler)
{
    return create_errhandler(HMF__VERROR_COMM, (void (*)(void)) function, errhandler);
}

int MPI_Win_create_errhandler(MPI_Win_errhandler_function *function, MPI_Errhandler *errhandler)
{
    return create_errhandler(HMF__VERROR_WIN, (void (*)(void)) function, errhandler);
}

int MPI_File_create_errhandler(MPI_File_errhandler_function *function, MPI_Errhandler *errhandler)
{
    return create_errhandler(HMF__VERROR_FILE, (void (*)(void)) function, errhandler);
}

/* ---- datatypes ---- */

int MPI_Type_free(MPI_Datatype *type)
{
    if (hmf__unlikely(hmf__vreq_first() != NULL) && *type != MPI_DATATYPE_NULL)
        hmf__vreq_keep_type(*type);
    return PMPI_Type_free(type);
}
