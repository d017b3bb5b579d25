/* Ranks that need nothing of each other: each writes "step N rank R host H" into a file (argv[1]) every few milliseconds, argv[2] steps.
 * One whose host was frozen while the job ended has nothing in MPI that would hold it up. */
#include "auto.h"
#include <hmf/checktype.h>

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long limit = argc > 2 ? atol(argv[2]) : 1000, step = 0;
    char host[64] = "";
    int rank;
    FILE *f;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    auto_init(argv[0]);
    HMF_TRACK(step);
    if (!auto_read(AUTO_ALL))
        step = 0;
    gethostname(host, sizeof host - 1);
    f = fopen(argc > 1 ? argv[1] : "progress", "a");
    while (f && step < limit && !(auto_poll(AUTO_ALL) & AUTO_MIGR)) {
        step++;
        fprintf(f, "step %ld rank %d host %s pid %ld\n", step, rank, host, (long)getpid());
        fflush(f);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    auto_untrack(&step);
    auto_done();
    MPI_Finalize();
    return f ? 0 : 1;
}
