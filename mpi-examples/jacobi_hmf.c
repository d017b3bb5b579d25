/* jacobi_hmf.c: Laplace's equation in a square by Jacobi's method, rows shared out over ranks.
 *
 * diff jacobi_plain.c jacobi_hmf.c shows the lines that make the plain code migratable. */
#include "auto.h"
#include <hmf/checktype.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define N 256

int main(int argc, char *argv[])
{
    int rank, size, up, down, first, rows, iter = 0;
    int max_iter = argc > 1 ? atoi(argv[1]) : 3000;
    FILE *trace = NULL;
    double *u, *unew, *tmp;
    double diff, diff_local;
    MPI_Status status;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    up = rank == 0 ? MPI_PROC_NULL : rank - 1;
    down = rank == size - 1 ? MPI_PROC_NULL : rank + 1;

    /* my rows, with one ghost row above and one below */
    first = rank * N / size;
    rows = (rank + 1) * N / size - first;
    u = malloc((rows + 2) * N * sizeof(double));
    unew = malloc((rows + 2) * N * sizeof(double));
    if (argc > 2)
        trace = fopen(argv[2], "a");

    /* boundary values: left side 0, right side 1, top and bottom in between */
    for (int i = 0; i < rows + 2; i++)
        for (int j = 0; j < N; j++)
            u[i * N + j] = unew[i * N + j] = j == N - 1 ? 1.0 : 0.0;
    if (rank == 0)
        for (int j = 0; j < N; j++)
            u[N + j] = unew[N + j] = (double)j / (N - 1);
    if (rank == size - 1)
        for (int j = 0; j < N; j++)
            u[rows * N + j] = unew[rows * N + j] = (double)j * j / (N - 1) / (N - 1);

    auto_init(argv[0]);
    HMF_TRACK(iter);
    HMF_TRACK_POINTER(u, (rows + 2) * N);
    auto_read(AUTO_ALL);
    while (iter < max_iter) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR)
            return auto_done(), MPI_Finalize();
        /* exchange ghost rows */
        MPI_Sendrecv(&u[N], N, MPI_DOUBLE, up, 0,
                     &u[(rows + 1) * N], N, MPI_DOUBLE, down, 0, MPI_COMM_WORLD, &status);
        MPI_Sendrecv(&u[rows * N], N, MPI_DOUBLE, down, 1,
                     &u[0], N, MPI_DOUBLE, up, 1, MPI_COMM_WORLD, &status);

        /* new value: the mean of the four neighbours */
        diff_local = 0.0;
        for (int i = 1; i <= rows; i++) {
            if (first + i - 1 == 0 || first + i - 1 == N - 1)
                continue;
            for (int j = 1; j < N - 1; j++) {
                double d;

                unew[i * N + j] = 0.25 * (u[(i - 1) * N + j] + u[(i + 1) * N + j] +
                                          u[i * N + j - 1] + u[i * N + j + 1]);
                d = unew[i * N + j] - u[i * N + j];
                diff_local += d * d;
            }
        }
        MPI_Allreduce(&diff_local, &diff, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
        tmp = u;
        u = unew;
        unew = tmp;
        iter++;
        if (trace) {
            fprintf(trace, "step %d rank %d pid %d\n", iter, rank, (int)getpid());
            fflush(trace);
        }
        if (sqrt(diff) < 1e-6)
            break;
    }

    /* the answer: the sum over the square */
    double sum = 0.0, sum_local = 0.0;
    for (int i = 1; i <= rows; i++)
        for (int j = 0; j < N; j++)
            sum_local += u[i * N + j];
    MPI_Reduce(&sum_local, &sum, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d iterations, last change %a, sum %a\n", iter, sqrt(diff), sum);

    if (trace)
        fclose(trace);
    free(u);
    free(unew);
    auto_done();
    MPI_Finalize();
    return 0;
}
