/*
 * A heat solver whose rows are shared out over any number of ranks, for tests/mpi/reshape.sh and
 * tests/mpi/killed.sh: reshape STEPS [STOP-AT]. Rank 0 prints the sum of the whole grid, bit by
 * bit: it is the same on any number of ranks.
 */
#include "auto.h"
#include "hmf/job.h"
#include "hmf/partition.h"
#include "typemap.h"

#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 48

static int rank, size, first, rows;

static double *grid(void)
{
    double *u = malloc((size_t)(rows + 2) * N * sizeof *u);

    for (int i = 0; i < rows + 2; i++)
        for (int j = 0; j < N; j++)
            u[i * N + j] = j == 0 ? 1 : (first + i) * j % 7 / 7.0;
    return u;
}

static void step_on(const double *u, double *v)
{
    for (int i = 1; i <= rows; i++)
        for (int j = 0; j < N; j++) {
            int edge = first + i - 1 == 0 || first + i - 1 == N - 1 || j == 0 || j == N - 1;
            v[i * N + j] = edge ? u[i * N + j]
                                : 0.25 * (u[(i - 1) * N + j] + u[(i + 1) * N + j] +
                                          u[i * N + j - 1] + u[i * N + j + 1]);
        }
}

static void result(const double *u, int step)
{
    static double all[N * N];
    int count = rows * N, counts[64], starts[64];
    uint64_t sum = 14695981039346656037u;

    MPI_Gather(&count, 1, MPI_INT, counts, 1, MPI_INT, 0, MPI_COMM_WORLD);
    for (int i = 0; i < size; i++)
        starts[i] = i * N / size * N;
    MPI_Gatherv(u + N, count, MPI_DOUBLE, all, counts, starts, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    for (size_t i = 0; i < sizeof all; i++)
        sum = (sum ^ ((unsigned char *)all)[i]) * 1099511628211u;
    if (rank == 0)
        printf("steps %d result %016llx\n", step, (unsigned long long)sum);
}

int main(int argc, char **argv)
{
    int step = 0, did = 0, steps, stop;
    double *u, *v, *swap;

    MPI_Init(&argc, &argv);
    steps = argc > 1 ? atoi(argv[1]) : 100;
    stop = argc > 2 ? atoi(argv[2]) : -1;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int up = rank ? rank - 1 : MPI_PROC_NULL, down = rank < size - 1 ? rank + 1 : MPI_PROC_NULL;
    first = rank * N / size;
    rows = (rank + 1) * N / size - first;
    u = rank % 2 ? NULL : grid();       /* both ways of a restart: into memory, and into none */
    v = grid();

    auto_init(argv[0]);
    auto_track("step", &step, sizeof step, (int[]){typeINT}, 1);
    auto_track("u", &u, sizeof u, (int[]){typePOINTER, typeARRAY, (rows + 2) * N, typeDOUBLE}, 4);
    if (!getenv("UNDECLARED"))
        hmf_replicated("step");
    hmf_partition("u", 2, (uint64_t[]){N, N}, 1, &(struct hmf_piece){
        .offset = {(uint64_t)first}, .extent = {(uint64_t)rows, N}, .first = N});
    if (auto_read(AUTO_ALL) && rank == 0)
        printf("continued at %d on %d ranks\n", step, size);
    if (!u)
        u = grid();
    while (step < steps) {
        if (step == stop && rank == 0 && hmf_request_checkpoint(1))
            return 1;
        do
            did = auto_poll(AUTO_ALL);
        while (step == stop && !did);   /* the stop comes at one of the next polls */
        if (did & AUTO_MIGR)
            break;
        MPI_Sendrecv(u + N, N, MPI_DOUBLE, up, 0, u + (rows + 1) * N, N, MPI_DOUBLE, down, 0,
                     MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Sendrecv(u + rows * N, N, MPI_DOUBLE, down, 1, u, N, MPI_DOUBLE, up, 1,
                     MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        step_on(u, v);
        swap = u, u = v, v = swap;
        step++;
    }
    if (!(did & AUTO_MIGR))
        result(u, step);
    free(u);
    free(v);
    auto_done();
    MPI_Finalize();
    return 0;
}
