/* poll.c: what an auto_poll costs when nobody wants anything. */
#include "bench.h"

#include "auto.h"
#include "typemap.h"

#include <mpi.h>
#include <stdatomic.h>

#define CALLS 20000000
#define REPEATS 7

static atomic_long counter;

int main(int argc, char **argv)
{
    double poll[REPEATS], add[REPEATS], start;
    int i = 0, itype = typeINT;

    MPI_Init(&argc, &argv);
    auto_init(argv[0]);
    auto_track("i", &i, sizeof i, &itype, 1);
    auto_read(AUTO_ALL);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        start = bench_now();
        for (i = 0; i < CALLS; i++)
            if (auto_poll(AUTO_ALL) & AUTO_MIGR)
                break;
        poll[repeat] = (bench_now() - start) / CALLS * 1e9;
        start = bench_now();
        for (i = 0; i < CALLS; i++)
            atomic_fetch_add(&counter, 1);
        add[repeat] = (bench_now() - start) / CALLS * 1e9;
    }
    bench_line("poll/idle", bench_median(poll, REPEATS), "ns",
               bench_median(poll, REPEATS) / bench_median(add, REPEATS), "an atomic add");
    auto_done();
    MPI_Finalize();
    return 0;
}
