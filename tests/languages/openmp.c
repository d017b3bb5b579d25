/* OpenMP and MPI: the threads of a rank communicate, each on a communicator of its own, at the level
 * that the argument names; a rank moves meanwhile. What is between polls may be parallel, the polls
 * themselves are not. */
#include <mpi.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

enum { THREADS = 3, STEPS = 12 };

static int rank, size, bad;

static void ring(MPI_Comm comm, int thread, int step)
{
    int out = step * 1000 + thread * 100 + rank, in = -1, left = (rank + size - 1) % size;
    MPI_Request request;

    MPI_Irecv(&in, 1, MPI_INT, left, thread, comm, &request);
    MPI_Send(&out, 1, MPI_INT, (rank + 1) % size, thread, comm);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    if (in != step * 1000 + thread * 100 + left) {
#pragma omp atomic
        bad++;
    }
}

/* With fewer than all threads in MPI at once a thread must not wait for one that cannot come. */
static void one_after_the_other(MPI_Comm *comm, int step, int funneled)
{
    double part[THREADS];

#pragma omp parallel num_threads(THREADS)
    {
        int t = omp_get_thread_num();

        part[t] = t + step;
#pragma omp barrier
        if (funneled) {
#pragma omp master
            for (int k = 0; k < THREADS; k++)
                ring(comm[k], k, step);
        } else {
#pragma omp for ordered schedule(static, 1)
            for (int k = 0; k < THREADS; k++) {
#pragma omp ordered
                ring(comm[k], k, step);
            }
        }
    }
    for (int t = 0; t < THREADS; t++)
        if (part[t] < t + step || part[t] > t + step)
            bad++;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "multiple";
    int level = strcmp(name, "multiple") == 0 ? MPI_THREAD_MULTIPLE
              : strcmp(name, "serialized") == 0 ? MPI_THREAD_SERIALIZED : MPI_THREAD_FUNNELED;
    int provided, step = 0, moves = 0, all = 0, gone = 0, type_int[] = {typeINT};
    MPI_Comm comm[THREADS];

    MPI_Init_thread(&argc, &argv, level, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (provided < level && rank == 0)
        printf("this MPI gives no level %s\n", name);
    for (int t = 0; t < THREADS; t++)
        MPI_Comm_dup(MPI_COMM_WORLD, &comm[t]);
    auto_init(argv[0]);
    auto_track("step", &step, sizeof step, type_int, 1);
    auto_track("moves", &moves, sizeof moves, type_int, 1);
    if (auto_read(AUTO_MIGR))
        moves++;
    for (; provided >= level && (all < 1 || step < STEPS); step++) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            gone = 1;
            break;
        }
        if (rank == 0 && step == 3)
            hmf_request_move(1, NULL);
        if (level == MPI_THREAD_MULTIPLE) {
#pragma omp parallel num_threads(THREADS)
            ring(comm[omp_get_thread_num()], omp_get_thread_num(), step);
        } else {
            one_after_the_other(comm, step, level == MPI_THREAD_FUNNELED);
        }
        MPI_Allreduce(&moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    }
    if (!gone && bad)
        fprintf(stderr, "rank %d: %d wrong messages\n", rank, bad);
    for (int t = 0; t < THREADS; t++)
        MPI_Comm_free(&comm[t]);
    auto_done();
    MPI_Finalize();
    return bad != 0;
}
