/* A program without one mark or description: its globals and statics are found by debug
 * information, and a rank moves with them. The sum at the end is that of a run without moves.
 * launch: limit=60 */
#include "auto.h"
#include "hmf/globals.h"

#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 20000, CELLS = 100 };

static int step, rank;
static double field[2][CELLS];
struct particle {
    float x[3];
    long id;
};
struct particle swarm[10];
static unsigned char scratch[64]; /* excluded: stays as it is here */
FILE *log_file;

static long next_random(unsigned long long seed)
{
    static unsigned long long state;

    if (seed)
        state = seed;
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (long)(state >> 40);
}

static void advance(void)
{
    for (int i = 1; i + 1 < CELLS; i++)
        field[1][i] = 0.5 * field[0][i] + 0.25 * (field[0][i - 1] + field[0][i + 1]);
    memcpy(field[0], field[1], sizeof field[0]);
    field[0][CELLS / 2] += (double)(next_random(0) % 100);
    for (int i = 0; i < 10; i++) {
        swarm[i].x[i % 3] += 0.5f * (float)(i + rank);
        swarm[i].id += next_random(0) % 3;
    }
}

static double fingerprint(void)
{
    double sum = 0;

    for (int i = 0; i < CELLS; i++)
        sum += field[0][i] * (i + 1);
    for (int i = 0; i < 10; i++)
        sum += swarm[i].x[0] + swarm[i].x[1] + swarm[i].x[2] + (double)swarm[i].id;
    return sum;
}

static void begin(void)
{
    memset(field, 0, sizeof field);
    memset(swarm, 0, sizeof swarm);
    next_random(12345);
}

int main(int argc, char **argv)
{
    int left = 0, moved, bad = 0, all = 0;
    static double wanted; /* of a run without moves */

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    auto_init(argv[0]);
    int rc = hmf_globals_track(NULL, "scratch, log_file");
    if (rc == HMF_ERR_UNSUPPORTED) {
        printf("built without libdw: no variables by debug information\n");
        auto_done();
        MPI_Finalize();
        return 77;
    }
    bad |= rc != 0;
    scratch[0] = 7;
    moved = auto_read(AUTO_ALL);
    if (!moved) {
        begin();
        for (int i = 0; i < STEPS; i++)
            advance();
        wanted = fingerprint();
        begin();
    }
    bad |= scratch[0] != 7;
    for (; step < STEPS; step++) {
        if ((left = auto_poll(AUTO_ALL) & AUTO_MIGR))
            break;
        if (rank == 1 && step == 200 && !moved)
            raise(SIGUSR2);
        advance();
        MPI_Allreduce(&bad, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    }
    if (!left) {
        printf("rank %d: %s, %.6f, without moves %.6f\n", rank, moved ? "moved" : "stayed",
               fingerprint(), wanted);
        bad |= fingerprint() != wanted || moved != (rank == 1);
    }
    auto_done();
    MPI_Finalize();
    return all || bad;
}
