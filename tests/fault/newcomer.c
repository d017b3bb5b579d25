/* A newcomer that fails between MPI_Init and the end of auto_read, in the way that argv[1] says;
 * the job must undo the move and end with the right sum. Run by tests/fault/newcomer.sh. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "auto.h"
#include "typemap.h"
#include "hmf/job.h"

int main(int argc, char **argv)
{
    int rank, k = 0, sum = 0, left = 0, more = 0, t_int[] = {typeINT}, t_long[] = {typeLONG};
    long wide = 0;
    const char *mode = argc > 1 ? argv[1] : "";

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (hmf_newcomer() && !strcmp(mode, "die"))
        kill(getpid(), SIGKILL);
    if (hmf_newcomer() && !strcmp(mode, "exit"))
        _exit(3);
    if (hmf_newcomer() && !strcmp(mode, "hang"))
        pause();
    if (hmf_newcomer() && !strcmp(mode, "other-call"))
        MPI_Barrier(MPI_COMM_WORLD);
    auto_init(argv[0]);
    auto_track("k", &k, sizeof k, t_int, 1);
    if (hmf_newcomer() && !strcmp(mode, "type"))
        auto_track("sum", &wide, sizeof wide, t_long, 1);
    else if (hmf_newcomer() && !strcmp(mode, "name"))
        auto_track("total", &sum, sizeof sum, t_int, 1);
    else if (!hmf_newcomer() || strcmp(mode, "lacks"))
        auto_track("sum", &sum, sizeof sum, t_int, 1);
    if (hmf_newcomer() && !strcmp(mode, "more"))
        auto_track("more", &more, sizeof more, t_int, 1);
    if (!hmf_newcomer() || (strcmp(mode, "no-read") && strcmp(mode, "no-poll")))
        auto_read(AUTO_ALL);
    if (!strcmp(mode, "between"))
        MPI_Barrier(MPI_COMM_WORLD);
    for (; k < 4000 && !(hmf_newcomer() && !strcmp(mode, "no-poll")); k++) {
        int one = rank + k, all;
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            left = 1;
            break;
        }
        if (k == 100 && rank == 0)
            hmf_request_move(1, NULL);
        MPI_Allreduce(&one, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        sum = (sum + all) % 1000003;
        if (k > 100 && k < 1100)
            usleep(1000);                  /* time for the move to happen in */
    }
    if (!left && k == 4000)
        printf("rank %d newcomer %d sum %d\n", rank, hmf_newcomer(), sum);
    auto_done();
    MPI_Finalize();
    return 0;
}
