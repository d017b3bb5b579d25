/* All collectives, blocking and not, on the world, on a part of it in reverse order, on a grid. */
#include "shim.h"

enum { MAX = 64 };

static int me, n; /* in the communicator under test */

/* A nonblocking call is completed at once, by another family each time. */
static void finish(MPI_Request *r)
{
    static int turn;
    int flag = 0, index, count;

    switch (turn++ % 4) {
    case 0: OK(MPI_Wait(r, MPI_STATUS_IGNORE)); break;
    case 1: while (!flag) OK(MPI_Test(r, &flag, MPI_STATUS_IGNORE)); break;
    case 2: OK(MPI_Waitall(1, r, MPI_STATUSES_IGNORE)); break;
    default: OK(MPI_Waitsome(1, r, &count, &index, MPI_STATUSES_IGNORE)); CHECK(count == 1); break;
    }
    CHECK(*r == MPI_REQUEST_NULL);
}

/* DO(Bcast, Ibcast, args): one or the other. */
#define DO(call, icall, ...)                            \
    do {                                                \
        if (blocking) {                                 \
            OK(MPI_##call(__VA_ARGS__));                \
        } else {                                        \
            MPI_Request r_;                             \
            OK(MPI_##icall(__VA_ARGS__, &r_));          \
            finish(&r_);                                \
        }                                               \
    } while (0)

static void rooted(MPI_Comm comm, int blocking)
{
    int counts[MAX], displs[MAX], out[MAX * 2], in[MAX * 2];

    for (int root = 0; root < n; root += n > 1 ? n - 1 : 1) {
        out[0] = me == root ? 17 + root : -1;
        DO(Bcast, Ibcast, out, 1, MPI_INT, root, comm);
        CHECK(out[0] == 17 + root);
        for (int i = 0; i < n; i++) {
            counts[i] = 1 + i % 2;
            displs[i] = 2 * i;
        }
        memset(in, 0xff, sizeof in);
        out[0] = 2 * me;
        out[1] = 2 * me + 1;
        DO(Gather, Igather, out, 2, MPI_INT, in, 2, MPI_INT, root, comm);
        for (int i = 0; i < 2 * n; i++)
            CHECK(in[i] == (me == root ? i : -1));
        memset(in, 0xff, sizeof in);
        DO(Gatherv, Igatherv, out, counts[me], MPI_INT, in, counts, displs, MPI_INT, root, comm);
        for (int i = 0; i < n; i++) {
            CHECK(in[2 * i] == (me == root ? 2 * i : -1));
            CHECK(in[2 * i + 1] == (me == root && i % 2 ? 2 * i + 1 : -1));
        }
        for (int i = 0; i < 2 * n; i++)
            out[i] = me == root ? 100 + i : -5;
        memset(in, 0xff, sizeof in);
        DO(Scatter, Iscatter, out, 2, MPI_INT, in, 2, MPI_INT, root, comm);
        CHECK(in[0] == 100 + 2 * me && in[1] == 101 + 2 * me && in[2] == -1);
        memset(in, 0xff, sizeof in);
        DO(Scatterv, Iscatterv, out, counts, displs, MPI_INT, in, counts[me], MPI_INT, root, comm);
        CHECK(in[0] == 100 + 2 * me && in[1] == (me % 2 ? 101 + 2 * me : -1));
        in[0] = -1;
        out[0] = 1 + me;
        DO(Reduce, Ireduce, out, in, 1, MPI_INT, MPI_SUM, root, comm);
        CHECK(in[0] == (me == root ? n * (n + 1) / 2 : -1));
        if (me == root)
            DO(Reduce, Ireduce, MPI_IN_PLACE, out, 1, MPI_INT, MPI_SUM, root, comm);
        else
            DO(Reduce, Ireduce, out, NULL, 1, MPI_INT, MPI_SUM, root, comm);
        CHECK(out[0] == (me == root ? n * (n + 1) / 2 : 1 + me));
    }
}

static void flat(MPI_Comm comm, int blocking)
{
    int counts[MAX], displs[MAX], bytes[MAX], out[MAX * 2], in[MAX * 2];
    MPI_Datatype types[MAX];

    for (int i = 0; i < n; i++) {
        counts[i] = 1;
        displs[i] = n - 1 - i;
        bytes[i] = displs[i] * (int) sizeof(int);
        out[i] = 10 * me + i;
    }
    /* Open MPI 4.1's Ialltoallw looks at as many types as a cartesian communicator has neighbours. */
    for (int i = 0; i < MAX; i++)
        types[i] = MPI_INT;
    if (blocking) {
        OK(MPI_Barrier(comm));
    } else {
        MPI_Request r;

        OK(MPI_Ibarrier(comm, &r));
        finish(&r);
    }
    DO(Allgather, Iallgather, &me, 1, MPI_INT, in, 1, MPI_INT, comm);
    for (int i = 0; i < n; i++)
        CHECK(in[i] == i);
    DO(Allgatherv, Iallgatherv, &me, 1, MPI_INT, in, counts, displs, MPI_INT, comm);
    for (int i = 0; i < n; i++)
        CHECK(in[n - 1 - i] == i);
    DO(Alltoall, Ialltoall, out, 1, MPI_INT, in, 1, MPI_INT, comm);
    for (int i = 0; i < n; i++)
        CHECK(in[i] == 10 * i + me);
    DO(Alltoallv, Ialltoallv, out, counts, displs, MPI_INT, in, counts, displs, MPI_INT, comm);
    for (int i = 0; i < n; i++)
        CHECK(in[displs[i]] == 10 * i + displs[me]);
    memset(in, 0xff, sizeof in);
    DO(Alltoallw, Ialltoallw, out, counts, bytes, types, in, counts, bytes, types, comm);
    for (int i = 0; i < n; i++)
        CHECK(in[displs[i]] == 10 * i + displs[me]);
    out[0] = 1 << me % 20;
    DO(Allreduce, Iallreduce, out, in, 1, MPI_INT, MPI_BOR, comm);
    CHECK(in[0] == (1 << n) - 1);
    out[0] = 1 + me;
    DO(Scan, Iscan, out, in, 1, MPI_INT, MPI_SUM, comm);
    CHECK(in[0] == (me + 1) * (me + 2) / 2);
    in[0] = -1;
    DO(Exscan, Iexscan, out, in, 1, MPI_INT, MPI_SUM, comm);
    CHECK(me == 0 || in[0] == me * (me + 1) / 2);
    for (int i = 0; i < 2 * n; i++)
        out[i] = i + me;
    DO(Reduce_scatter_block, Ireduce_scatter_block, out, in, 2, MPI_INT, MPI_SUM, comm);
    CHECK(in[1] == n * (2 * me + 1) + n * (n - 1) / 2);
    for (int i = 0; i < n; i++)
        counts[i] = 1 + (i == n - 1);
    DO(Reduce_scatter, Ireduce_scatter, out, in, counts, MPI_INT, MPI_SUM, comm);
    CHECK(in[0] == n * me + n * (n - 1) / 2);
}

static void neighbours(MPI_Comm ring, int blocking)
{
    int counts[2] = {1, 1}, displs[2] = {1, 0}, out[2] = {10 * me, 10 * me + 1}, in[2];
    int left = (me + n - 1) % n, right = (me + 1) % n;
    MPI_Aint bytes[2] = {0, sizeof(int)};
    MPI_Datatype types[2] = {MPI_INT, MPI_INT};

    DO(Neighbor_allgather, Ineighbor_allgather, &me, 1, MPI_INT, in, 1, MPI_INT, ring);
    CHECK(in[0] == left && in[1] == right);
    DO(Neighbor_allgatherv, Ineighbor_allgatherv, &me, 1, MPI_INT, in, counts, displs, MPI_INT,
       ring);
    CHECK(in[1] == left && in[0] == right);
    if (n <= 2)
        return; /* both neighbours are the same process: which message is which is not defined */
    DO(Neighbor_alltoall, Ineighbor_alltoall, out, 1, MPI_INT, in, 1, MPI_INT, ring);
    CHECK(in[0] == 10 * left + 1 && in[1] == 10 * right);
    displs[0] = 0;
    displs[1] = 1;
    DO(Neighbor_alltoallv, Ineighbor_alltoallv, out, counts, displs, MPI_INT, in, counts, displs,
       MPI_INT, ring);
    CHECK(in[0] == 10 * left + 1 && in[1] == 10 * right);
    DO(Neighbor_alltoallw, Ineighbor_alltoallw, out, counts, bytes, types, in, counts, bytes,
       types, ring);
    CHECK(in[0] == 10 * left + 1 && in[1] == 10 * right);
}

int main(int argc, char **argv)
{
    MPI_Comm part, ring;
    int period = 1;

    test_begin(&argc, &argv);
    OK(MPI_Comm_split(MPI_COMM_WORLD, rank == 0 && size > 2, -rank, &part));
    OK(MPI_Cart_create(MPI_COMM_WORLD, 1, &size, &period, 0, &ring));
    for (int blocking = 0; blocking < 2; blocking++) {
        MPI_Comm comms[4] = {MPI_COMM_WORLD, part, ring, MPI_COMM_SELF};

        for (int i = 0; i < 4; i++) {
            MPI_Comm_rank(comms[i], &me);
            MPI_Comm_size(comms[i], &n);
            rooted(comms[i], blocking);
            flat(comms[i], blocking);
        }
        MPI_Comm_rank(ring, &me);
        MPI_Comm_size(ring, &n);
        neighbours(ring, blocking);
    }
    OK(MPI_Comm_free(&part));
    OK(MPI_Comm_free(&ring));
    return test_end();
}
