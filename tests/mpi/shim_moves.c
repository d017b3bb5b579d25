/* Traffic across moves. Before each poll messages are sent that are received after it; ranks that
 * stay keep receives, sends, collectives and persistent requests pending across it; ranks that move
 * find theirs at the new place. In the first half ranks 0 and 1 move, in the second 2 and 3.
 * The start-up phase uses most kinds of calls, and every newcomer must get the same from it.
 * launch: limit=120 */
#include "shim.h"

#include <stdint.h>

#include "auto.h"
#include "typemap.h"
#include "hmf/job.h"

enum { STEPS = 120, HALF = 60, BIG = 30000, NMSG = 6, PER_HALF = 4 };

static int left, right, errors;
static int k, moves, sum; /* the state that moves */

static uint32_t mix(uint32_t a, uint32_t b)
{
    uint32_t x = a * 2654435761u ^ (b + 0x9e3779b9u);

    x ^= x >> 15;
    x *= 0x2c1b3c6du;
    return x ^ x >> 12;
}

/* Does this rank stay during this half, so that it may have requests pending at a poll? */
static int stays(int step, int r)
{
    return step < HALF ? r >= 2 : r < 2;
}

static int length(int step, int sender, int i)
{
    return 1 + (int) (mix((uint32_t) (step * 16 + i), (uint32_t) sender) % 40);
}

static void fill(int *data, int n, int step, int sender, int i)
{
    for (int j = 0; j < n; j++)
        data[j] = (int) mix((uint32_t) (step * 1000 + i * 100 + j), (uint32_t) sender);
}

static void expect(const int *data, int n, int step, int sender, int i)
{
    for (int j = 0; j < n; j++)
        if (data[j] != (int) mix((uint32_t) (step * 1000 + i * 100 + j), (uint32_t) sender)) {
            CHECK(!"a message is not the one that was sent");
            fprintf(stderr, "rank %d step %d message %d of %d from %d: wrong at %d\n", rank, step,
                    i, n, sender, j);
            return;
        }
}

static struct {
    int out[BIG], in[BIG], first[64], any[64], part, whole, pout, pin;
    MPI_Request send, recv, first_recv, coll, psend, precv;
    int active;
} held;

static MPI_Comm ring, half;
static MPI_Datatype pairs;

/* What is sent before poll number k. */
static void before(void)
{
    int data[64];

    for (int i = 0; i < NMSG; i++) {
        int n = length(k, rank, i);

        fill(data, n, k, rank, i);
        OK(MPI_Send(data, n, MPI_INT, right, 1, i % 2 ? ring : MPI_COMM_WORLD));
    }
    held.active = stays(k, rank);
    if (held.active) {
        int partner = rank ^ 1;

        fill(held.out, BIG, k, rank, 50);
        OK(MPI_Isend(held.out, BIG / 2, pairs, partner, 2, MPI_COMM_WORLD, &held.send));
        OK(MPI_Irecv(held.in, BIG, MPI_INT, partner, 2, MPI_COMM_WORLD, &held.recv));
        OK(MPI_Irecv(held.first, 64, MPI_INT, k % 2 ? left : MPI_ANY_SOURCE,
                     k % 3 ? 1 : MPI_ANY_TAG, ring, &held.first_recv));
        held.part = k + rank;
        OK(MPI_Iallreduce(&held.part, &held.whole, 1, MPI_INT, MPI_SUM, half, &held.coll));
        held.pout = k * 4 + rank;
        OK(MPI_Start(&held.precv));
        OK(MPI_Start(&held.psend));
    }
}

/* The i-th message of the left neighbour, in one of many ways. */
static void take(int i, MPI_Comm comm)
{
    int source = mix((uint32_t) k, (uint32_t) i) % 2 ? left : MPI_ANY_SOURCE;
    int data[64], flag = 0, n = length(k, left, i);
    MPI_Status s;
    MPI_Message m;
    MPI_Request r;

    memset(data, 0, sizeof data);
    switch (mix((uint32_t) (k * 8 + i), (uint32_t) rank) % 7) {
    case 0:
        OK(MPI_Recv(data, 64, MPI_INT, source, 1, comm, &s));
        break;
    case 1:
        OK(MPI_Probe(source, 1, comm, &s));
        CHECK(says(&s, left, 1, n));
        OK(MPI_Recv(data, n, MPI_INT, left, 1, comm, &s));
        break;
    case 2:
        OK(MPI_Mprobe(source, 1, comm, &m, &s));
        CHECK(says(&s, left, 1, n));
        OK(MPI_Mrecv(data, 64, MPI_INT, &m, &s));
        break;
    case 3:
        OK(MPI_Irecv(data, 64, MPI_INT, source, 1, comm, &r));
        OK(MPI_Wait(&r, &s));
        break;
    case 4:
        while (!flag)
            OK(MPI_Iprobe(source, 1, comm, &flag, &s));
        CHECK(says(&s, left, 1, n));
        OK(MPI_Irecv(data, 64, MPI_INT, source, 1, comm, &r));
        for (flag = 0; !flag;)
            OK(MPI_Test(&r, &flag, &s));
        break;
    case 5:
        while (!flag)
            OK(MPI_Improbe(source, 1, comm, &flag, &m, &s));
        OK(MPI_Imrecv(data, 64, MPI_INT, &m, &r));
        OK(MPI_Waitall(1, &r, &s));
        break;
    default:
        OK(MPI_Recv_init(data, 64, MPI_INT, source, 1, comm, &r));
        OK(MPI_Start(&r));
        OK(MPI_Wait(&r, &s));
        OK(MPI_Request_free(&r));
        break;
    }
    CHECK(says(&s, left, 1, n));
    expect(data, n, k, left, i);
    sum += data[n - 1] & 0xff;
}

/* What is received after poll number k. */
static void after(void)
{
    MPI_Status s[5];
    int n;

    if (held.active) {
        MPI_Request all[5] = {held.first_recv, held.send, held.recv, held.precv, held.psend};
        int partner = rank ^ 1, done = 0;

        if (k % 3 == 0) {
            OK(MPI_Waitall(5, all, s));
            MPI_Get_count(&s[2], MPI_INT, &n);
            CHECK(n == BIG);
            CHECK(says(&s[0], left, 1, length(k, left, 1)));
        } else {
            for (done = 0; done < 5; done++) {
                int at = -1, flag = 0;

                if (k % 3 == 1)
                    OK(MPI_Waitany(5, all, &at, s));
                else
                    while (!flag)
                        OK(MPI_Testany(5, all, &at, &flag, s));
                CHECK(at >= 0 && at < 5);
                if (at == 0)
                    CHECK(says(s, left, 1, length(k, left, 1)));
            }
        }
        expect(held.in, BIG, k, partner, 50);
        expect(held.first, length(k, left, 1), k, left, 1);
        sum += held.first[length(k, left, 1) - 1] & 0xff;
        CHECK(held.pin == k * 4 + partner);
        OK(MPI_Wait(&held.coll, MPI_STATUS_IGNORE));
        CHECK(held.whole == 2 * k + rank + partner);
    }
    for (int i = 0; i < NMSG; i += 2)
        take(i, MPI_COMM_WORLD);
    for (int i = 1; i < NMSG; i += 2)
        if (i > 1 || !held.active)
            take(i, ring);
}

/* Everything that a start-up may do, checked: a newcomer must see the same. */
static void start_up(void)
{
    int value = rank == 0 ? 1234 : -1, got = -1, all[4];
    int counts[4] = {1, 2, 3, 4}, displs[4] = {0, 1, 3, 6};
    int data[10], flag = 0, index, n, period = 1;
    MPI_Request r[4];
    MPI_Status s[4];
    MPI_Comm temporary, part;
    MPI_Message m;
    MPI_Group g;

    OK(MPI_Bcast(&value, 1, MPI_INT, 0, MPI_COMM_WORLD));
    CHECK(value == 1234);
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &temporary));
    OK(MPI_Comm_rank(temporary, &n));
    CHECK(n == rank);
    OK(MPI_Comm_group(temporary, &g));
    OK(MPI_Group_size(g, &n));
    CHECK(n == size);
    OK(MPI_Group_free(&g));
    OK(MPI_Allreduce(&rank, &got, 1, MPI_INT, MPI_SUM, temporary));
    CHECK(got == size * (size - 1) / 2);
    OK(MPI_Comm_free(&temporary));
    OK(MPI_Cart_create(MPI_COMM_WORLD, 1, &size, &period, 0, &ring));
    OK(MPI_Cart_shift(ring, 0, 1, &left, &right));
    OK(MPI_Comm_split(MPI_COMM_WORLD, rank / 2, rank, &half));
    OK(MPI_Comm_split(MPI_COMM_WORLD, rank == 1 ? MPI_UNDEFINED : 0, rank, &part));
    CHECK((part == MPI_COMM_NULL) == (rank == 1));
    OK(MPI_Sendrecv(&rank, 1, MPI_INT, right, 1, &got, 1, MPI_INT, left, 1, ring, &s[0]));
    CHECK(got == left && says(&s[0], left, 1, 1));
    OK(MPI_Allgather(&rank, 1, MPI_INT, all, 1, MPI_INT, MPI_COMM_WORLD));
    for (int i = 0; i < size; i++)
        CHECK(all[i] == i);
    for (int i = 0; i < 10; i++)
        data[i] = rank;
    OK(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, counts, displs, MPI_INT,
                      MPI_COMM_WORLD));
    CHECK(data[0] == 0 && data[1] == 1 && data[5] == 2 && data[9] == 3);
    OK(MPI_Iallreduce(&rank, &got, 1, MPI_INT, MPI_MAX, half, &r[0]));
    OK(MPI_Irecv(&data[0], 5, MPI_INT, MPI_ANY_SOURCE, 5, ring, &r[1]));
    OK(MPI_Isend(&value, 1, MPI_INT, right, 5, ring, &r[2]));
    OK(MPI_Irecv(&data[5], 5, MPI_INT, MPI_PROC_NULL, 5, ring, &r[3]));
    for (n = 0; n < 4;) {
        OK(MPI_Testany(4, r, &index, &flag, s));
        if (!flag)
            continue;
        n++;
        if (index == 1)
            CHECK(says(s, left, 5, 1) && data[0] == 1234);
    }
    CHECK(got == rank / 2 * 2 + 1);
    OK(MPI_Send(&rank, 1, MPI_INT, right, 6, ring));
    for (flag = 0; !flag;)
        OK(MPI_Iprobe(MPI_ANY_SOURCE, 6, ring, &flag, s));
    CHECK(says(s, left, 6, 1));
    OK(MPI_Mprobe(left, 6, ring, &m, s));
    OK(MPI_Mrecv(&got, 1, MPI_INT, &m, s));
    CHECK(got == left);
    OK(MPI_Type_contiguous(2, MPI_INT, &pairs));
    OK(MPI_Type_commit(&pairs));
    OK(MPI_Send_init(&held.pout, 1, MPI_INT, rank ^ 1, 9, MPI_COMM_WORLD, &held.psend));
    OK(MPI_Recv_init(&held.pin, 1, MPI_INT, rank ^ 1, 9, MPI_COMM_WORLD, &held.precv));
    held.pout = rank;
    OK(MPI_Start(&held.precv));
    OK(MPI_Start(&held.psend));
    OK(MPI_Wait(&held.psend, MPI_STATUS_IGNORE));
    OK(MPI_Wait(&held.precv, s));
    CHECK(held.pin == (rank ^ 1) && says(s, rank ^ 1, 9, 1));
    OK(MPI_Barrier(ring));
    OK(MPI_Gather(&rank, 1, MPI_INT, all, 1, MPI_INT, 2, MPI_COMM_WORLD));
    if (rank == 2)
        CHECK(all[3] == 3);
    OK(MPI_Exscan(&rank, &got, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
    CHECK(rank == 0 || got == rank * (rank - 1) / 2);
    if (part != MPI_COMM_NULL) {
        OK(MPI_Comm_size(part, &n));
        CHECK(n == size - 1);
    }
}

int main(int argc, char **argv)
{
    int t_int[] = {typeINT}, gone = 0, newcomer, wanted = 0, checksum = 0;
    const char *setting = getenv("HMF_SPARES");
    int spares = setting != NULL ? atoi(setting) : 0;

    test_begin(&argc, &argv);
    if (size != 4) {
        CHECK(!"this test wants 4 ranks");
        return test_end();
    }
    start_up();
    auto_init(argv[0]);
    auto_track("k", &k, sizeof k, t_int, 1);
    auto_track("moves", &moves, sizeof moves, t_int, 1);
    auto_track("sum", &sum, sizeof sum, t_int, 1);
    auto_track("failures", &failures, sizeof failures, t_int, 1);
    newcomer = auto_read(AUTO_MIGR);
    held.active = 0;
    if (newcomer)
        moves++;
    else
        before();
    while (k < STEPS) {
        int all_moves = 0;

        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            gone = 1;
            break;
        }
        /* What was asked for must have happened, so that the plan is the same in every run. */
        OK(MPI_Allreduce(&moves, &all_moves, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        wanted = 0;
        for (int h = 0; h < 2; h++)
            for (int i = 0; i < PER_HALF; i++)
                wanted += h * HALF + 10 * (i + 1) < k;
        if (all_moves < (wanted < spares ? wanted : spares))
            continue;
        if (k % HALF > 0 && k % 10 == 0 && k % HALF <= 10 * PER_HALF) {
            int who = (k < HALF ? 0 : 2) + k / 10 % 2;

            if (rank == (who + 1) % size && all_moves < spares && hmf_request_move(who, NULL) != 0)
                errors++;
        }
        after();
        k++;
        if (k < STEPS)
            before();
    }
    if (!gone) {
        int want = 0, all_moves = 0;

        for (int step = 0; step < STEPS; step++)
            for (int i = 0; i < NMSG; i++)
                want += (int) mix((uint32_t) (step * 1000 + i * 100 + length(step, left, i) - 1),
                                  (uint32_t) left) & 0xff;
        CHECK(sum == want);
        failures += errors;
        OK(MPI_Allreduce(&moves, &all_moves, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        CHECK(all_moves == (spares < 2 * PER_HALF ? spares : 2 * PER_HALF));
        OK(MPI_Allreduce(&failures, &checksum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        if (rank == 0)
            printf("%d moves, %d failures\n", all_moves, checksum);
    }
    auto_done();
    MPI_Finalize();
    return failures + checksum != 0;
}
