/* shim.c: interposed MPI calls beside the plain ones (their PMPI names) in the same processes. */
#include "bench.h"

#include "auto.h"
#include "typemap.h"

#include <mpi.h>
#include <string.h>

#define REPEATS 21

static int rank;

/* Processor time: other processes of a busy machine do not count. */
static double cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double query(int interposed, int n)
{
    double start = cpu_now();
    int r;

    for (int i = 0; i < n; i++) {
        if (interposed)
            MPI_Comm_rank(MPI_COMM_WORLD, &r);
        else
            PMPI_Comm_rank(MPI_COMM_WORLD, &r);
    }
    return (cpu_now() - start) / n * 1e9;
}

static double probe(int interposed, int n)
{
    double start = cpu_now();
    int flag;

    for (int i = 0; i < n; i++) {
        if (interposed)
            MPI_Iprobe(MPI_ANY_SOURCE, 5, MPI_COMM_SELF, &flag, MPI_STATUS_IGNORE);
        else
            PMPI_Iprobe(MPI_ANY_SOURCE, 5, MPI_COMM_SELF, &flag, MPI_STATUS_IGNORE);
    }
    return (cpu_now() - start) / n * 1e9;
}

/* A message to ourselves by Irecv, Isend, Waitall: three calls. */
static double requests(int interposed, int n)
{
    double start = cpu_now();
    char in[8], out[8] = "1234567";
    MPI_Request r[2];

    for (int i = 0; i < n; i++) {
        if (interposed) {
            MPI_Irecv(in, 8, MPI_CHAR, 0, 1, MPI_COMM_SELF, &r[0]);
            MPI_Isend(out, 8, MPI_CHAR, 0, 1, MPI_COMM_SELF, &r[1]);
            MPI_Waitall(2, r, MPI_STATUSES_IGNORE);
        } else {
            PMPI_Irecv(in, 8, MPI_CHAR, 0, 1, MPI_COMM_SELF, &r[0]);
            PMPI_Isend(out, 8, MPI_CHAR, 0, 1, MPI_COMM_SELF, &r[1]);
            PMPI_Waitall(2, r, MPI_STATUSES_IGNORE);
        }
    }
    return (cpu_now() - start) / n * 1e9;
}

/* Half the way there and back, between ranks 0 and 1. */
static double pingpong(int interposed, int n)
{
    char b[8] = "1234567";
    double start;

    if (rank > 1)
        return 0;
    MPI_Sendrecv_replace(b, 8, MPI_CHAR, !rank, 0, !rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    start = bench_now();
    for (int i = 0; i < n; i++) {
        if (interposed && rank == 0) {
            MPI_Send(b, 8, MPI_CHAR, 1, 1, MPI_COMM_WORLD);
            MPI_Recv(b, 8, MPI_CHAR, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        } else if (interposed) {
            MPI_Recv(b, 8, MPI_CHAR, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Send(b, 8, MPI_CHAR, 0, 1, MPI_COMM_WORLD);
        } else if (rank == 0) {
            PMPI_Send(b, 8, MPI_CHAR, 1, 1, MPI_COMM_WORLD);
            PMPI_Recv(b, 8, MPI_CHAR, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        } else {
            PMPI_Recv(b, 8, MPI_CHAR, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            PMPI_Send(b, 8, MPI_CHAR, 0, 1, MPI_COMM_WORLD);
        }
    }
    return (bench_now() - start) / n / 2 * 1e9;
}

static void compare(const char *name, double (*run)(int, int), int n, int local,
                    const char *peer)
{
    double ours[REPEATS], plain[REPEATS];
    char line[64];
    int at;

    run(1, n / 10 + 1);
    run(0, n / 10 + 1);
    for (int i = 0; i < REPEATS; i++) {
        ours[i] = run(1, n);
        plain[i] = run(0, n);
    }
    if (rank != 0)
        return;
    /* Local cases: the least of each, as undisturbed as it gets; else the middle. */
    at = local ? 0 : REPEATS / 2;
    qsort(ours, REPEATS, sizeof *ours, bench_compare);
    qsort(plain, REPEATS, sizeof *plain, bench_compare);
    snprintf(line, sizeof line, "shim/%s", name);
    bench_line(line, ours[at], "ns", ours[at] / plain[at], peer);
    snprintf(line, sizeof line, "shim/%s/more", name);
    bench_line(line, ours[at] - plain[at], "ns", 0, NULL);
}

int main(int argc, char **argv)
{
    int i = 0, type = typeINT, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    auto_init(argv[0]);
    auto_track("i", &i, sizeof i, &type, 1);
    auto_read(AUTO_MIGR);
    if (rank == 0) {
        compare("rank", query, 2000000, 1, "PMPI_Comm_rank");
        compare("iprobe", probe, 50000, 1, "PMPI_Iprobe");
        compare("self-message", requests, 50000, 1, "PMPI, 3 calls");
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (size > 1)
        compare("pingpong-8B", pingpong, 10000, 0, "PMPI, real world");
    auto_done();
    MPI_Finalize();
    return 0;
}
