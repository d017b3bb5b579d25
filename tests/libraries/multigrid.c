/* A program on Hypre: conjugate gradients with algebraic multigrid as preconditioner on a Laplacian, once
 * a step, each solution being the next right side. Matrix, vectors and the solver's levels are made by the
 * start-up, a newcomer's too; only the solution and the counters are registered. Rank by rank moves; the
 * sum at the end must be the undisturbed run's. */
#include <mpi.h>

#include <HYPRE.h>
#include <HYPRE_IJ_mv.h>
#include <HYPRE_krylov.h>
#include <HYPRE_parcsr_ls.h>
#include <stdio.h>
#include <stdlib.h>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

enum { SIDE = 12, STEPS = 12, MOST = 20000 };

static HYPRE_IJMatrix ij;
static HYPRE_IJVector ib, ix;
static HYPRE_ParCSRMatrix a;
static HYPRE_ParVector b, x;
static HYPRE_Solver solver, amg;
static int first, rows, numbers[SIDE * SIDE];

static void make(int rank, int size)
{
    int n = SIDE * SIDE, last;

    first = n * rank / size;
    last = n * (rank + 1) / size - 1;
    rows = last - first + 1;
    HYPRE_IJMatrixCreate(MPI_COMM_WORLD, first, last, first, last, &ij);
    HYPRE_IJMatrixSetObjectType(ij, HYPRE_PARCSR);
    HYPRE_IJMatrixInitialize(ij);
    for (int i = first; i <= last; i++) {
        int column[5], k = 0;
        double value[5];

        numbers[i - first] = i;
        for (int d = 0; d < 5; d++) {
            int r = i / SIDE + (d == 1) - (d == 2), c = i % SIDE + (d == 3) - (d == 4);

            if (r < 0 || r >= SIDE || c < 0 || c >= SIDE)
                continue;
            column[k] = r * SIDE + c;
            value[k++] = d == 0 ? 4 : -1;
        }
        HYPRE_IJMatrixSetValues(ij, 1, &k, &i, column, value);
    }
    HYPRE_IJMatrixAssemble(ij);
    HYPRE_IJMatrixGetObject(ij, (void **) &a);
    HYPRE_IJVectorCreate(MPI_COMM_WORLD, first, last, &ib);
    HYPRE_IJVectorSetObjectType(ib, HYPRE_PARCSR);
    HYPRE_IJVectorInitialize(ib);
    HYPRE_IJVectorAssemble(ib);
    HYPRE_IJVectorGetObject(ib, (void **) &b);
    HYPRE_IJVectorCreate(MPI_COMM_WORLD, first, last, &ix);
    HYPRE_IJVectorSetObjectType(ix, HYPRE_PARCSR);
    HYPRE_IJVectorInitialize(ix);
    HYPRE_IJVectorAssemble(ix);
    HYPRE_IJVectorGetObject(ix, (void **) &x);
    HYPRE_ParCSRPCGCreate(MPI_COMM_WORLD, &solver);
    HYPRE_PCGSetMaxIter(solver, 20);
    HYPRE_PCGSetTol(solver, 1e-8);
    HYPRE_BoomerAMGCreate(&amg);
    HYPRE_BoomerAMGSetCoarsenType(amg, 6);
    HYPRE_BoomerAMGSetRelaxType(amg, 6);
    HYPRE_BoomerAMGSetTol(amg, 0);
    HYPRE_BoomerAMGSetMaxIter(amg, 1);
    HYPRE_PCGSetPrecond(solver, (HYPRE_PtrToSolverFcn) HYPRE_BoomerAMGSolve,
                        (HYPRE_PtrToSolverFcn) HYPRE_BoomerAMGSetup, amg);
    HYPRE_ParCSRPCGSetup(solver, a, b, x);
}

static void solve(double *u)
{
    double zero[SIDE * SIDE] = {0};

    HYPRE_IJVectorSetValues(ib, rows, numbers, u);
    HYPRE_IJVectorAssemble(ib);
    HYPRE_IJVectorSetValues(ix, rows, numbers, zero);
    HYPRE_IJVectorAssemble(ix);
    HYPRE_ParCSRPCGSolve(solver, a, b, x);
    HYPRE_IJVectorGetValues(ix, rows, numbers, u);
}

int main(int argc, char **argv)
{
    const char *setting = getenv("HMF_SPARES");
    int wanted = setting != NULL ? atoi(setting) : 0, rank, size, gone = 0, all = 0;
    int step = 0, moves = 0, asked = 0, type_int[] = {typeINT}, type_double[] = {typeDOUBLE};
    double u[SIDE * SIDE] = {0}, own = 0, sum = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    HYPRE_Init();
    make(rank, size);
    for (int i = 0; i < rows; i++)
        u[i] = (double) ((first + i) * 7 % 11) / 8 + 1;
    auto_init(argv[0]);
    auto_track("step", &step, sizeof step, type_int, 1);
    auto_track("moves", &moves, sizeof moves, type_int, 1);
    auto_track("asked", &asked, sizeof asked, type_int, 1);
    auto_track("u", u, sizeof u, type_double, 1);
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
        if (step < STEPS)
            solve(u);
        MPI_Allreduce(&moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    }
    for (int i = 0; i < rows; i++)
        own += u[i] * (double) (i % 17 + 1);
    if (!gone) {
        MPI_Reduce(&own, &sum, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
        if (rank == 0)
            printf("%a\n", sum);
        if (all != wanted)
            fprintf(stderr, "rank %d: %d moves instead of %d\n", rank, all, wanted);
        HYPRE_ParCSRPCGDestroy(solver);
        HYPRE_BoomerAMGDestroy(amg);
        HYPRE_IJMatrixDestroy(ij);
        HYPRE_IJVectorDestroy(ib);
        HYPRE_IJVectorDestroy(ix);
        HYPRE_Finalize();
    }
    auto_done();
    MPI_Finalize();
    return !gone && all != wanted;
}
