/* A program on FFTW's MPI transforms, as it would be without migration but for the registered array and
 * the poll: a field is transformed, damped, transformed back. Rank by rank moves; the sum at the end
 * must be the undisturbed run's. FFTW's plans are made by the start-up, a newcomer's too. */
#include <mpi.h>

#include <fftw3-mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

enum { N = 32, STEPS = 20, MOST = 20000 };

int main(int argc, char **argv)
{
    const char *setting = getenv("HMF_SPARES");
    int wanted = setting != NULL ? atoi(setting) : 0, rank, size, gone = 0, all = 0;
    int step = 0, moves = 0, asked = 0, type_int[] = {typeINT}, type_double[] = {typeDOUBLE};
    ptrdiff_t alloc, rows, first;
    double own = 0, sum = 0;
    fftw_plan there, back;
    fftw_complex *field;

    MPI_Init(&argc, &argv);
    fftw_mpi_init();
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    alloc = fftw_mpi_local_size_2d(N, N, MPI_COMM_WORLD, &rows, &first);
    field = fftw_alloc_complex((size_t)alloc);
    there = fftw_mpi_plan_dft_2d(N, N, field, field, MPI_COMM_WORLD, FFTW_FORWARD, FFTW_ESTIMATE);
    back = fftw_mpi_plan_dft_2d(N, N, field, field, MPI_COMM_WORLD, FFTW_BACKWARD, FFTW_ESTIMATE);
    for (ptrdiff_t i = 0; i < alloc; i++) {
        field[i][0] = (double)((i * 7 + rank * 13) % 11) / 8;
        field[i][1] = 0;
    }
    auto_init(argv[0]);
    auto_track("step", &step, sizeof step, type_int, 1);
    auto_track("moves", &moves, sizeof moves, type_int, 1);
    auto_track("asked", &asked, sizeof asked, type_int, 1);
    auto_track("field", field, (size_t)alloc * sizeof *field, type_double, 1);
    if (auto_read(AUTO_MIGR))
        moves++;
    for (; step < MOST && (step < STEPS || all < wanted); step++) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            gone = 1;
            break;
        }
        if (all < wanted && asked <= all && step > 2) {
            if (rank == 0)
                hmf_request_move((all + 1) % size, NULL);
            asked = all + 1;
        }
        if (step < STEPS) {
            fftw_execute(there);
            for (ptrdiff_t i = 0; i < rows * N; i++) {
                double damp = (double)(N + (i % N) % 5) / (N + 4) / (N * N);

                field[i][0] *= damp;
                field[i][1] *= damp;
            }
            fftw_execute(back);
        }
        MPI_Allreduce(&moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    }
    for (ptrdiff_t i = 0; i < rows * N; i++)
        own += field[i][0] * (double)(i % 17 + 1) + field[i][1];
    if (!gone) {
        MPI_Reduce(&own, &sum, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
        if (rank == 0)
            printf("%a\n", sum);
        if (all != wanted)
            fprintf(stderr, "rank %d: %d moves instead of %d\n", rank, all, wanted);
    }
    fftw_destroy_plan(there);
    fftw_destroy_plan(back);
    fftw_free(field);
    fftw_mpi_cleanup();
    auto_done();
    MPI_Finalize();
    return !gone && all != wanted;
}
