/* A program on ScaLAPACK: a dense system of equations, once a step, each solution being the next right
 * side. Matrix and right side are registered. The process grid is made in each step: it numbers its messages,
 * so that one made by a newcomer would not understand those that have been used since the start-up. Rank
 * by rank moves; the sum at the end must be the undisturbed run's. */
#include <mpi.h>

#include <stdio.h>
#include <stdlib.h>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

enum { N = 48, BLOCK = 4, STEPS = 12, MOST = 20000 };

extern void Cblacs_get(int context, int what, int *value);
extern void Cblacs_gridinit(int *context, const char *order, int rows, int columns);
extern void Cblacs_gridinfo(int context, int *rows, int *columns, int *row, int *column);
extern void Cblacs_gridexit(int context);
extern int numroc_(const int *n, const int *block, const int *at, const int *first, const int *parts);
extern void descinit_(int *desc, const int *m, const int *n, const int *mb, const int *nb, const int *row,
                      const int *column, const int *context, const int *lead, int *info);
extern void pdgesv_(const int *n, const int *nrhs, double *a, const int *ia, const int *ja, const int *da,
                    int *pivot, double *b, const int *ib, const int *jb, const int *db, int *info);

static double a[N * N], b[N];
static int pivot[N + BLOCK];

int main(int argc, char **argv)
{
    const char *setting = getenv("HMF_SPARES");
    int wanted = setting != NULL ? atoi(setting) : 0, rank, size, gone = 0, all = 0, bad = 0;
    int step = 0, moves = 0, asked = 0, type_int[] = {typeINT}, type_double[] = {typeDOUBLE};
    const int n = N, block = BLOCK, zero = 0, one = 1;
    int context, rows, columns, row, column, lead, here, da[9], db[9], info;
    double own = 0, sum = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    here = numroc_(&n, &block, &rank, &zero, &size);
    lead = here > 0 ? here : 1;
    for (int i = 0; i < here; i++)
        b[i] = (double) (i * 7 % 11 + rank) / 8 + 1;
    auto_init(argv[0]);
    auto_track("step", &step, sizeof step, type_int, 1);
    auto_track("moves", &moves, sizeof moves, type_int, 1);
    auto_track("asked", &asked, sizeof asked, type_int, 1);
    auto_track("a", a, sizeof a, type_double, 1);
    auto_track("b", b, sizeof b, type_double, 1);
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
            Cblacs_get(-1, 0, &context);
            Cblacs_gridinit(&context, "Row", size, 1);
            Cblacs_gridinfo(context, &rows, &columns, &row, &column);
            descinit_(da, &n, &n, &block, &block, &zero, &zero, &context, &lead, &info);
            descinit_(db, &n, &one, &block, &block, &zero, &zero, &context, &lead, &info);
            for (int j = 0; j < N; j++)
                for (int i = 0; i < here; i++) {
                    int global = (i / BLOCK * rows + row) * BLOCK + i % BLOCK;

                    a[j * lead + i] = global == j ? 9 : 1.0 / (1 + (global * 5 + j * 3 + step) % 13);
                }
            pdgesv_(&n, &one, a, &one, &one, da, pivot, b, &one, &one, db, &info);
            bad += info != 0 || row != rank || rows != size;
            Cblacs_gridexit(context);
        }
        MPI_Allreduce(&moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    }
    for (int i = 0; i < here; i++)
        own += b[i] * (double) (i % 17 + 1);
    if (!gone) {
        MPI_Reduce(&own, &sum, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
        if (rank == 0)
            printf("%a\n", sum);
        if (bad || all != wanted)
            fprintf(stderr, "rank %d: %d errors, %d moves instead of %d\n", rank, bad, all, wanted);
    }
    auto_done();
    MPI_Finalize();
    return bad || (!gone && all != wanted);
}
