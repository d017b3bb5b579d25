/* Moves asked for by the program itself: one rank, several at once, rank 0 (whose agent is the coordinator), the same
 * rank again and again, more than there are spares. Integers go round a ring and through a reduction in every
 * step; at the end each rank computes the whole job alone and compares.
 * The newcomer finds its start-up results (a broadcast, a derived communicator) as its predecessor had them.
 * launch: limit=60 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mpi.h>

#include "auto.h"
#include "typemap.h"
#include "hmf/job.h"

#define STEPS 400
#define CELLS 1000
#define MAXN 16

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdull;
    return x ^ x >> 29;
}

struct rank_state { uint64_t cell[CELLS]; uint64_t sum; };

static void step_rank(struct rank_state *s, uint64_t from_left, uint64_t all, int k)
{
    s->cell[k % CELLS] = mix(s->cell[k % CELLS] + from_left + all);
    s->sum += s->cell[k % CELLS];
}

static void begin(struct rank_state *s, int rank, uint64_t seed)
{
    for (int i = 0; i < CELLS; i++)
        s->cell[i] = mix(seed + (uint64_t)(rank * CELLS + i));
    s->sum = 0;
}

/* The whole job by one process: what every rank must have at the end. */
static void alone(int n, uint64_t seed, uint64_t *sums)
{
    struct rank_state *all = malloc((size_t)n * sizeof *all);

    for (int r = 0; r < n; r++)
        begin(&all[r], r, seed);
    for (int k = 0; k < STEPS; k++) {
        uint64_t sent[MAXN], total = 0;
        for (int r = 0; r < n; r++)
            total += sent[r] = mix(all[r].sum + (uint64_t)k);
        for (int r = 0; r < n; r++)
            step_rank(&all[r], sent[(r + n - 1) % n], total, k);
    }
    for (int r = 0; r < n; r++)
        sums[r] = all[r].sum;
    free(all);
}

int main(int argc, char **argv)
{
    /* step at which `asker` asks that `rank` move; step -1 ends the list */
    static const struct { int step, asker, rank; } plan[] = {
        {20, 1, 2}, {60, 0, 0}, {100, 2, 1}, {100, 0, 3}, {150, 3, 2}, {200, 1, 2}, {250, 0, 0},
        {300, 2, 1}, {-1, 0, 0}};
    static struct rank_state s;
    uint64_t seed = 0, sums[MAXN];
    int rank, size, k = 0, left = 0, moves = 0, newcomer, errors = 0, ring_rank;
    int t_int[] = {typeINT}, t_u64[] = {typeULONG}, t_cells[] = {typeARRAY, CELLS, typeULONG};
    const char *setting = getenv("HMF_SPARES");
    int spares = setting ? atoi(setting) : 0;
    MPI_Comm ring;

    (void)argc;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0)
        seed = 42;
    MPI_Bcast(&seed, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    MPI_Comm_split(MPI_COMM_WORLD, 0, size - rank, &ring);      /* reversed order */
    MPI_Comm_rank(ring, &ring_rank);
    if (seed != 42 || ring_rank != size - 1 - rank) {
        fprintf(stderr, "rank %d: start-up gave seed %" PRIu64 ", ring rank %d\n", rank, seed,
                ring_rank);
        errors++;
    }
    auto_init(argv[0]);
    auto_track("step", &k, sizeof k, t_int, 1);
    auto_track("cells", s.cell, sizeof s.cell, t_cells, 3);
    auto_track("sum", &s.sum, sizeof s.sum, t_u64, 1);
    auto_track("moves", &moves, sizeof moves, t_int, 1);
    newcomer = auto_read(AUTO_MIGR);
    if (newcomer != hmf_newcomer()) {
        fprintf(stderr, "rank %d: auto_read %d, hmf_newcomer %d\n", rank, newcomer, hmf_newcomer());
        errors++;
    }
    if (newcomer)
        moves++;
    else
        begin(&s, rank, seed);
    while (k < STEPS) {
        uint64_t mine, theirs, total;
        int all_moves, asked = 0;
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            left = 1;
            break;
        }
        /* Nobody goes on before what was asked so far has happened, so that the count is certain. */
        MPI_Allreduce(&moves, &all_moves, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        for (int i = 0; plan[i].step >= 0; i++)
            asked += plan[i].step < k;
        if (all_moves < (asked < spares ? asked : spares))
            continue;
        for (int i = 0; plan[i].step >= 0; i++)
            if (plan[i].step == k && plan[i].asker == rank && hmf_request_move(plan[i].rank, NULL))
                errors++;
        mine = mix(s.sum + (uint64_t)k);
        /* on the ring, my right neighbour in the world has the next lower rank */
        MPI_Sendrecv(&mine, 1, MPI_UINT64_T, (ring_rank + size - 1) % size, 1, &theirs, 1,
                     MPI_UINT64_T, (ring_rank + 1) % size, 1, ring, MPI_STATUS_IGNORE);
        MPI_Allreduce(&mine, &total, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
        step_rank(&s, theirs, total, k++);
    }
    if (!left) {
        int all_moves = 0, all_errors = 0;
        alone(size, seed, sums);
        if (s.sum != sums[rank]) {
            fprintf(stderr, "rank %d: sum %" PRIu64 " after %d moves, should be %" PRIu64 "\n", rank,
                    s.sum, moves, sums[rank]);
            errors++;
        }
        MPI_Allreduce(&moves, &all_moves, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        MPI_Allreduce(&errors, &all_errors, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        if (rank == 0) {
            printf("%d moves, %d errors\n", all_moves, all_errors);
            if (all_moves != (spares < 8 ? spares : 8)) {
                fprintf(stderr, "%d moves, should be %d\n", all_moves, spares < 8 ? spares : 8);
                errors++;
            }
        }
        errors += all_errors;
    }
    auto_done();
    MPI_Finalize();
    return errors != 0;
}
