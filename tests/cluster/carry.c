/* A job whose ranks have so many bytes of state each and do next to nothing, for measuring what moves cost: carry BYTES STOP.
 * It ends when the file STOP is there, with 0 if no byte has changed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <mpi.h>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

static uint8_t expected(size_t i, int rank)
{
    return (uint8_t)(i * 2654435761u >> 13) + (uint8_t)rank;
}

int main(int argc, char **argv)
{
    int type[] = {typeCHAR}, step_type[] = {typeINT}, rank, ranks, step = 0, stop = 0, wrong = 0, sum;
    size_t n = argc > 2 ? (size_t)strtoull(argv[1], NULL, 10) : 0;
    struct timespec nap = {.tv_nsec = 1000000};
    uint8_t *state = malloc(n ? n : 1);

    if (!n || !state) {
        fprintf(stderr, "usage: carry BYTES STOP\n");
        return 2;
    }
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    auto_init(argv[0]);
    for (size_t i = 0; i < n && !hmf_newcomer(); i++)
        state[i] = expected(i, rank);
    auto_track("state", state, n, type, 1);
    auto_track("step", &step, sizeof step, step_type, 1);
    auto_read(AUTO_MIGR);
    for (; !stop; step++) {
        if (auto_poll(AUTO_MIGR) & AUTO_MIGR)
            break;
        nanosleep(&nap, NULL);
        stop = rank == 0 && access(argv[2], F_OK) == 0;
        MPI_Bcast(&stop, 1, MPI_INT, 0, MPI_COMM_WORLD);
    }
    if (stop) {
        for (size_t i = 0; i < n; i++)
            wrong += state[i] != expected(i, rank);
        MPI_Allreduce(&wrong, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        if (rank == 0)
            printf("%d bytes wrong after %d steps\n", sum, step);
    }
    auto_done();
    MPI_Finalize();
    free(state);
    return wrong != 0;
}
