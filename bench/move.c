/* move.c: what it costs to move a rank: as a whole with little state, and per byte with much.
 *
 *   HMF_SPARES=S mpirun -np N+S bench/move MiB [fresh]
 *
 * The last rank holds so many MiB of doubles (0: just a few bytes) and asks to be moved S times.
 * Measured is from the moment of the request to the return of the newcomer's auto_read, and for the
 * ranks that stay how long their poll held them; the longest counts.  The time that the newcomer's
 * own start-up code takes is taken off.  A second figure, "state", is the newcomer's auto_read alone:
 * what it takes to carry the bytes, once the processes know of each other.  With "fresh" the
 * newcomer, and the peer, receive into memory that was not touched before.  Peers, measured after
 * each move: MPI_Send and MPI_Recv of as many bytes, and MPI_Comm_dup. */
#include "bench.h"

#include "auto.h"
#include "typemap.h"
#include <hmf/job.h>

#include <mpi.h>
#include <stdint.h>
#include <string.h>

#define MAX_MOVES 16
#define PEER_REPEATS 7

/* Registered as a whole: what the newcomer must know. */
struct progress {
    double asked_at;        /* time of the request under way */
    double took[MAX_MOVES]; /* seconds per move, as the rank that moves sees it */
    double read[MAX_MOVES]; /* seconds in the newcomer's auto_read */
    double send[MAX_MOVES]; /* seconds of the peers, taken after each move */
    double dup[MAX_MOVES];
    long asked, arrived;    /* moves, known to the rank that moves */
    long announced;         /* moves that all ranks know of */
};
static int progress_type[] = {
    -8,         typeDOUBLE, typeARRAY, MAX_MOVES, typeDOUBLE, typeARRAY, MAX_MOVES,
    typeDOUBLE, typeARRAY,  MAX_MOVES, typeDOUBLE, typeARRAY, MAX_MOVES, typeDOUBLE,
    typeLONG,   typeLONG,   typeLONG};

static double expected(size_t i)
{
    return (double)(i * 2654435761u % 1000003);
}

/* Seconds for n doubles from the last rank to rank 0, which has touched memory for them too, or
 * new memory each time. */
static double peer_send(int rank, int last, double *own, size_t n, int fresh)
{
    double took[PEER_REPEATS], *v = rank == last ? own : malloc(n * sizeof *v);

    for (int repeat = 0; repeat < PEER_REPEATS; repeat++) {
        double start;
        char done;

        if (fresh && rank != last) {
            free(v);
            v = malloc(n * sizeof *v);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        start = bench_now();
        if (rank == last) {
            MPI_Send(v, (int)n, MPI_DOUBLE, 0, 1, MPI_COMM_WORLD);
            MPI_Recv(&done, 1, MPI_CHAR, 0, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        } else if (rank == 0) {
            MPI_Recv(v, (int)n, MPI_DOUBLE, last, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Send(&done, 1, MPI_CHAR, last, 2, MPI_COMM_WORLD);
        }
        took[repeat] = bench_now() - start;
    }
    if (rank != last)
        free(v);
    return bench_median(took + 1, PEER_REPEATS - 1);
}

/* Before the next measurement: memory that was freed, here or by a process that left, costs the
 * kernel a while. */
static void settle(void)
{
    struct timespec rest = {.tv_nsec = 100000000};

    nanosleep(&rest, NULL);
    MPI_Barrier(MPI_COMM_WORLD);
}

static double peer_dup(void)
{
    double took[PEER_REPEATS];

    for (int repeat = 0; repeat < PEER_REPEATS; repeat++) {
        MPI_Comm dup;
        double start;

        MPI_Barrier(MPI_COMM_WORLD);
        start = bench_now();
        MPI_Comm_dup(MPI_COMM_WORLD, &dup);
        took[repeat] = bench_now() - start;
        MPI_Comm_free(&dup);
    }
    return bench_median(took, PEER_REPEATS);
}

static double median_of(const double *seconds, long n)
{
    double copy[MAX_MOVES];

    memcpy(copy, seconds, sizeof copy);
    return bench_median(copy, (int)n);
}

static void print(const struct progress *progress, int nranks, long moves, long mib, int fresh)
{
    double took = median_of(progress->took, moves), state = median_of(progress->read, moves);
    double send = median_of(progress->send, moves), dup = median_of(progress->dup, moves);
    char name[64];

    if (mib) {
        snprintf(name, sizeof name, "move/%ldMiB%s", mib, fresh ? "/fresh" : "");
        bench_line(name, took * 1e3, "ms", took / send, "MPI_Send+Recv");
        snprintf(name, sizeof name, "move/%ldMiB%s/state", mib, fresh ? "/fresh" : "");
        bench_line(name, state * 1e3, "ms", state / send, "MPI_Send+Recv");
    } else {
        snprintf(name, sizeof name, "move/fixed/%dranks", nranks);
        bench_line(name, took * 1e3, "ms", took / dup, "MPI_Comm_dup");
    }
}

int main(int argc, char **argv)
{
    struct progress progress = {0};
    const char *spares = getenv("HMF_SPARES");
    long mib = argc > 1 ? atol(argv[1]) : 0, moves = spares ? atol(spares) : 0, wrong = 0;
    int fresh = argc > 2 && strcmp(argv[2], "fresh") == 0, rank, nranks, last, moved, left = 0;
    size_t n, own; /* doubles of the last rank, and of this one */
    double start, own_start, own_code = 0, read_at, limit, *v;

    MPI_Init(&argc, &argv);
    own_start = bench_now();
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &nranks);
    last = nranks - 1;
    moves = moves > MAX_MOVES ? MAX_MOVES : moves;
    n = (size_t)mib * 131072 + 2;
    own = rank == last ? n : 1;
    v = malloc(own * sizeof *v);
    if (!fresh)
        memset(v, 0, own * sizeof *v);

    auto_init(argv[0]);
    auto_track("progress", &progress, sizeof progress, progress_type, sizeof progress_type / sizeof progress_type[0]);
    auto_track("v", v, own * sizeof *v, (int[]){typeDOUBLE}, 1);
    read_at = bench_now();
    moved = auto_read(AUTO_ALL);
    if (moved && progress.arrived < MAX_MOVES) {
        own_code = read_at - own_start;
        progress.read[progress.arrived] = bench_now() - read_at;
        progress.took[progress.arrived++] = bench_now() - progress.asked_at;
    } else {
        for (size_t i = 0; i < own; i++)
            v[i] = expected(i);
    }
    limit = bench_now() + 100;
    while (progress.announced < moves) {
        double held;
        long arrived;

        start = bench_now();
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            left = 1;
            break;
        }
        held = bench_now() - start;
        /* All look at the last rank's count; how long the others were held goes into its figure. */
        arrived = progress.arrived;
        MPI_Bcast(&arrived, 1, MPI_LONG, last, MPI_COMM_WORLD);
        if (arrived > progress.announced) {
            double longest;

            if (rank == last)
                held = progress.took[arrived - 1];
            MPI_Reduce(&held, &longest, 1, MPI_DOUBLE, MPI_MAX, last, MPI_COMM_WORLD);
            if (rank == last)
                progress.took[arrived - 1] = longest - own_code;
            progress.dup[arrived - 1] = peer_dup();
            progress.send[arrived - 1] = peer_send(rank, last, v, n, fresh);
            progress.announced = arrived;
            settle();
        }
        /* A request may be refused, for example because the one before is not quite over: ask again. */
        if (rank == last && arrived < moves &&
            (progress.asked == arrived || bench_now() - progress.asked_at > 2)) {
            progress.asked = arrived + 1;
            progress.asked_at = bench_now();
            hmf_request_move(last, NULL);
        }
        if (bench_now() > limit) {
            fprintf(stderr, "bench/move: a move did not come to pass in 100 s\n");
            break;
        }
    }
    if (!left && rank == last) {
        for (size_t i = 0; mib && i < n; i++)
            wrong += v[i] != expected(i);
        if (wrong)
            fprintf(stderr, "bench/move: %ld values are wrong after the moves\n", wrong);
        else if (progress.announced == moves && moves > 0)
            print(&progress, nranks, moves, mib, fresh);
    }
    free(v);
    auto_done();
    MPI_Finalize();
    return 0;
}
