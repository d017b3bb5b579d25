/*
 * MPI_Init to MPI_Finalize. What the process is (active, spare, newcomer) is decided by the job
 * layer between PMPI_Init and the return to the program.
 */
#include "config.h"

#include "gate.h"
#include "shim/shim.h"
#include "vattr.h"
#include "world.h"

/* By the job layer; declared here because the shim is its only caller. */
hmf_status_t hmf__job_init(int *argc, char ***argv);
bool hmf__job_finalize(void);

/* MPI_Finalize returned without MPI's own: a process had died, and MPI would wait for it for
 * ever. */
static bool ended_without_mpi;

static int begin(int *argc, char ***argv, int provided)
{
    hmf_status_t status;

    hmf__gate_init(provided);
    hmf__vreq_threads(provided == MPI_THREAD_MULTIPLE);
    status = hmf__job_init(argc, argv);
    if (status == HMF_OK)
        return MPI_SUCCESS;
    hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    PMPI_Comm_call_errhandler(MPI_COMM_WORLD, MPI_ERR_OTHER);
    return MPI_ERR_OTHER;
}

int MPI_Init(int *argc, char ***argv)
{
    int rc = PMPI_Init(argc, argv);

    return rc == MPI_SUCCESS ? begin(argc, argv, MPI_THREAD_SINGLE) : rc;
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    int rc = PMPI_Init_thread(argc, argv, required, provided);

    return rc == MPI_SUCCESS ? begin(argc, argv, *provided) : rc;
}

int MPI_Finalize(void)
{
    if (hmf__shim_phase != HMF__PHASE_LEFT)
        hmf__attr_delete_all(MPI_COMM_SELF);
    ended_without_mpi = hmf__job_finalize();
    hmf__vreq_fini();
    hmf__startup_fini();
    return ended_without_mpi ? MPI_SUCCESS : PMPI_Finalize();
}

int MPI_Finalized(int *flag)
{
    if (!ended_without_mpi)
        return PMPI_Finalized(flag);
    *flag = 1;
    return MPI_SUCCESS;
}
