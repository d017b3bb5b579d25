/* Ranks move while their second threads are inside MPI all the time.
 *
 * "ring": the threads of the ranks that stay talk on a communicator of their own, by every blocking
 * form and by collectives; each value is known, so one that is lost, doubled or changed shows.
 * "wait": the threads of the ranks that stay wait for a message from one that moves, which comes only
 * after the move: they are held, not in the way. "serve": the rank that moves has a thread in
 * MPI_Recv, which its newcomer's thread continues. "stuck": a thread is in a barrier that others come to
 * after the poll: the move is refused, and the job goes on.
 * tests/threads.sh runs it: threads_move ring|wait|serve|stuck|plain MOVES [serialized] */
#include <mpi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

enum { BIG = 40000, MOVER = 1 };

static int rank, size, moves, level;
static atomic_int over, bad;
static MPI_Comm ring, server;
static _Atomic long rounds;

static void expect(const char *what, long got, long wanted)
{
    if (got == wanted)
        return;
    fprintf(stderr, "rank %d, round %ld: %s gave %ld, not %ld\n", rank, rounds, what, got, wanted);
    atomic_fetch_add(&bad, 1);
}

/* One round of everything; `n` is its number, the same at all. */
static void round_of(long n, int me, int all, long *big, long *in)
{
    int next = (me + 1) % all, before = (me + all - 1) % all, flag = 0;
    long one = n * 100 + me, got = -1, sum;
    MPI_Request r[2];
    MPI_Message message;
    MPI_Status status;

    if (me == 0)
        MPI_Send(&one, 1, MPI_LONG, next, 1, ring);
    MPI_Recv(&got, 1, MPI_LONG, before, 1, ring, &status);
    expect("MPI_Recv", got, n * 100 + before);
    if (me != 0)
        MPI_Ssend(&one, 1, MPI_LONG, next, 1, ring);

    big[0] = one;
    big[BIG - 1] = -one;
    MPI_Sendrecv(big, BIG, MPI_LONG, next, 2, in, BIG, MPI_LONG, before, 2, ring, &status);
    expect("MPI_Sendrecv", in[0], n * 100 + before);
    expect("the last of MPI_Sendrecv", in[BIG - 1], -(n * 100 + before));
    MPI_Sendrecv_replace(&one, 1, MPI_LONG, next, 3, before, 3, ring, &status);
    expect("MPI_Sendrecv_replace", one, n * 100 + before);

    MPI_Irecv(in, BIG, MPI_LONG, before, 4, ring, &r[0]);
    MPI_Isend(big, BIG, MPI_LONG, next, 4, ring, &r[1]);
    MPI_Waitall(2, r, MPI_STATUSES_IGNORE);
    expect("MPI_Waitall", in[0], n * 100 + before);

    MPI_Isend(big, 1, MPI_LONG, next, 5, ring, &r[0]);
    MPI_Probe(before, 5, ring, &status);
    MPI_Mprobe(before, 5, ring, &message, &status);
    MPI_Mrecv(&got, 1, MPI_LONG, &message, &status);
    expect("MPI_Mrecv", got, n * 100 + before);
    MPI_Wait(&r[0], MPI_STATUS_IGNORE);

    sum = me;
    MPI_Allreduce(&sum, &got, 1, MPI_LONG, MPI_SUM, ring);
    expect("MPI_Allreduce", got, (long) all * (all - 1) / 2);
    got = me == n % all ? n : -1;
    MPI_Bcast(&got, 1, MPI_LONG, (int) (n % all), ring);
    expect("MPI_Bcast", got, n);
    MPI_Iallreduce(&sum, &got, 1, MPI_LONG, MPI_MAX, ring, &r[0]);
    MPI_Wait(&r[0], MPI_STATUS_IGNORE);
    expect("MPI_Iallreduce", got, all - 1);
    MPI_Iprobe(MPI_ANY_SOURCE, 99, ring, &flag, &status);
    expect("MPI_Iprobe", flag, 0);
}

/* Goes on until all have heard that it is over. */
static void *talk(void *arg)
{
    long *big = calloc(2 * BIG, sizeof *big), n = 0;
    int me, all, mine, any = 0;

    (void) arg;
    MPI_Comm_rank(ring, &me);
    MPI_Comm_size(ring, &all);
    for (; !any; n++) {
        round_of(n, me, all, big, big + BIG);
        mine = atomic_load(&over);
        MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MIN, ring);
        atomic_store(&rounds, n + 1);
    }
    free(big);
    return NULL;
}

/* Answers what it is asked, until it is asked nothing, or the rank has gone elsewhere. */
static void *serve(void *arg)
{
    long ask;
    MPI_Status status;

    (void) arg;
    while (MPI_Recv(&ask, 1, MPI_LONG, MPI_ANY_SOURCE, 7, server, &status) == MPI_SUCCESS && ask >= 0) {
        ask = 2 * ask + 1;
        if (MPI_Send(&ask, 1, MPI_LONG, status.MPI_SOURCE, 8, server) != MPI_SUCCESS)
            break;
    }
    return NULL;
}

static void ask(long x)
{
    long got = -1;

    MPI_Send(&x, 1, MPI_LONG, MOVER, 7, server);
    MPI_Recv(&got, 1, MPI_LONG, MOVER, 8, server, MPI_STATUS_IGNORE);
    expect("the server", got, 2 * x + 1);
}

static void *wait_for_mover(void *arg)
{
    long got = -1;

    (void) arg;
    MPI_Recv(&got, 1, MPI_LONG, MOVER, 9, server, MPI_STATUS_IGNORE);
    expect("what the newcomer sent", got, 4711);
    return NULL;
}

static void *come_to_barrier(void *arg)
{
    (void) arg;
    MPI_Barrier(server);
    return NULL;
}

static int total_moves(void)
{
    int all;

    MPI_Allreduce(&moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    return all;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "ring";
    int want = argc > 2 ? atoi(argv[2]) : 1, step = 0, done = 0, asked = 0, left = 0, started = 0, last = 0;
    int type_int[] = {typeINT};
    pthread_t thread;

    MPI_Init_thread(&argc, &argv, argc > 3 ? MPI_THREAD_SERIALIZED : MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_split(MPI_COMM_WORLD, rank == MOVER ? MPI_UNDEFINED : 0, rank, &ring);
    MPI_Comm_dup(MPI_COMM_WORLD, &server);
    MPI_Comm_set_errhandler(server, MPI_ERRORS_RETURN);
    auto_init(argv[0]);
    auto_track("step", &step, sizeof step, type_int, 1);
    auto_track("moves", &moves, sizeof moves, type_int, 1);
    if (auto_read(AUTO_MIGR))
        moves++;
    if (strcmp(what, "ring") == 0 && rank != MOVER)
        started = !pthread_create(&thread, NULL, talk, NULL);
    if (strcmp(what, "serve") == 0 && rank == MOVER)
        started = !pthread_create(&thread, NULL, serve, NULL);
    if (strcmp(what, "wait") == 0 && rank != MOVER)
        started = !pthread_create(&thread, NULL, wait_for_mover, NULL);
    /* At MPI_THREAD_SERIALIZED this breaks MPI's rules, which is the point. */
    if (strcmp(what, "stuck") == 0 && rank == 0)
        started = !pthread_create(&thread, NULL, come_to_barrier, NULL);
    for (; !last; step++) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            left = 1;
            break;
        }
        if (strcmp(what, "serve") == 0 && rank != MOVER)
            ask(step);
        done = total_moves();
        if (rank == MOVER && moves < want && !asked && step > 3)
            asked = !hmf_request_move(MOVER, NULL);
        if (strcmp(what, "stuck") == 0) {
            usleep(10000);                /* the wish has to be heard before the end */
            last = step == 400;
        } else {
            last = done >= want && step > 50;
        }
        if (rank == 0 && step > 200000) {
            fprintf(stderr, "%d moves only\n", done);
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
    if (!left) {
        long x = strcmp(what, "wait") == 0 ? 4711 : -1;
        if (strcmp(what, "stuck") == 0 && rank != 0)
            MPI_Barrier(server);
        for (int r = 0; strcmp(what, "wait") == 0 && rank == MOVER && r < size; r++)
            if (r != MOVER)
                MPI_Send(&x, 1, MPI_LONG, r, 9, server);
        if (strcmp(what, "serve") == 0 && rank == 0)
            MPI_Send(&x, 1, MPI_LONG, MOVER, 7, server);
        atomic_store(&over, 1);
    }
    if (started)
        pthread_join(thread, NULL);
    if (!left && rank == 0)
        printf("%s: %d moves, %ld rounds of the threads\n", what, done, atomic_load(&rounds));
    if (ring != MPI_COMM_NULL)
        MPI_Comm_free(&ring);
    MPI_Comm_free(&server);
    auto_done();
    MPI_Finalize();
    return bad != 0;
}
