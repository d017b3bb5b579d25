/* What the world layer's part of a move costs, by the number of derived communicators.  Not a test:
 * prints medians of moves there and back; world_cost RANKS, with one process more. */
#include "moves.h"

#define MOVES 21

static int cmp(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

static void median(const char *what, double *t)
{
    qsort(t, MOVES, sizeof(*t), cmp);
    printf("  %s %.2f", what, t[MOVES / 2] * 1e3);
}

static void measure(int nranks, int ncomms, int rows)
{
    int spare = nranks, me = hmf__world_proc(), *after;
    int *map = malloc(sizeof(int) * (size_t) nranks);
    double drain[MOVES], prepare[MOVES], commit[MOVES], t;
    MPI_Comm universe = hmf__world_universe(), real, c;
    MPI_Request q;

    after = malloc(sizeof(int) * (size_t) nranks);
    for (int r = 0; r < nranks; r++)
        map[r] = r;
    if (hmf__world_rank() >= 0)
        for (int i = 0; i < ncomms; i++) {
            if (rows)
                PMPI_Comm_split(hmf__vcomm_world.real, me >> i % 3, me, &real);
            else
                PMPI_Comm_dup(hmf__vcomm_world.real, &real);
            CHECK(hmf__vcomm_adopt(real, MPI_COMM_WORLD, 0, &c) == HMF_OK);
        }
    for (int i = 0; i < MOVES; i++) {
        memcpy(after, map, sizeof(int) * (size_t) nranks);
        after[1] = spare;
        if (me == spare) {
            char blob[20000];
            MPI_Status st;
            int n;

            PMPI_Irecv(blob, sizeof(blob), MPI_BYTE, map[1], 0, universe, &q);
            for (int done = 0; !done; usleep(50))
                PMPI_Test(&q, &done, &st);
            PMPI_Get_count(&st, MPI_BYTE, &n);
            CHECK(hmf__world_unpack(1, map, blob, (size_t) n) == HMF_OK);
        } else {
            t = PMPI_Wtime();
            CHECK(hmf__world_drain() == HMF_OK);
            drain[i] = PMPI_Wtime() - t;
            if (me == map[1]) {
                struct hmf__buf b = HMF__BUF_INIT;

                CHECK(hmf__world_pack(&b) == HMF_OK);
                PMPI_Send(b.data, (int) b.len, MPI_BYTE, spare, 0, universe);
                hmf__buf_fini(&b);
            }
        }
        if (me != map[1]) {
            t = PMPI_Wtime();
            CHECK(hmf__world_prepare(after) == HMF_OK);
            prepare[i] = PMPI_Wtime() - t;
        }
        test_barrier(universe);
        /* Back to where it was, so that there is always a spare. */
        if (me == spare || me != map[1]) {
            t = PMPI_Wtime();
            hmf__world_rollback();
            commit[i] = PMPI_Wtime() - t;
        } else {
            hmf__world_rollback();
        }
        test_barrier(universe);
    }
    if (me == 0) {
        printf("%d ranks, %2d %s:", nranks, ncomms, rows ? "splits" : "dups");
        median("drain", drain);
        median("prepare", prepare);
        median("drop", commit);
        printf(" ms\n");
    }
    if (hmf__world_rank() >= 0)
        while (hmf__vcomm_self.next != NULL) {
            c = hmf__vcomm_handle(hmf__vcomm_self.next);
            hmf__vcomm_free(&c, false);
        }
    free(map);
    free(after);
}

int main(int argc, char **argv)
{
    int nranks = argc > 1 ? atoi(argv[1]) : 4, *map = malloc(sizeof(int) * (size_t) nranks);

    PMPI_Init(&argc, &argv);
    for (int r = 0; r < nranks; r++)
        map[r] = r;
    CHECK(hmf__world_init(nranks, map) == HMF_OK);
    hmf__startup_begin(1);
    /* Never ended: all communicators count as made in start-up. */
    measure(nranks, 0, 0);
    measure(nranks, 3, 0);
    measure(nranks, 10, 0);
    measure(nranks, 3, 1);
    measure(nranks, 10, 1);
    hmf__world_fini();
    PMPI_Finalize();
    free(map);
    return failures != 0;
}
