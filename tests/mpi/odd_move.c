/* Unusual but legal uses of MPI across moves: what is pending at each poll has no partner, no data, is
 * cancelled, is a duplication, goes by resized and distributed types over a grid, or lies in the buffer of MPI_Bsend;
 * handles are kept as Fortran's integers, and messages in MPI_Pack's form. A large message with a derived
 * type is under way at each poll. Its size in ints is the first argument.
 * launch: limit=60 */
#include "shim.h"

#include "auto.h"
#include "hmf/function.h"
#include "hmf/job.h"
#include "typemap.h"

enum { MIN_STEPS = 10, MAX_STEPS = 100000, N = 8, BUFFER = 4096 };

static struct state {
    int step, moves, number, fortran, deleted, packed_len;
    MPI_Comm grid, copy, some, kept;
    MPI_Datatype block, wide, dealt, pair;
    MPI_Op op;
    MPI_Request to_none, from_none, nothing, cancelled, turned, duplicated, large;
    int out[2 * N], in[2 * N], field[N * N], cell;
    char packed[64], buffer[BUFFER];
} s;

static int type_state[] = {
    -28, typeINT, typeINT, typeINT, typeINT, typeINT, typeINT,
    typeMPI_COMM, typeMPI_COMM, typeMPI_COMM, typeMPI_COMM,
    typeMPI_DATATYPE, typeMPI_DATATYPE, typeMPI_DATATYPE, typeMPI_DATATYPE, typeMPI_OP,
    typeMPI_REQUEST, typeMPI_REQUEST, typeMPI_REQUEST, typeMPI_REQUEST, typeMPI_REQUEST,
    typeMPI_REQUEST, typeMPI_REQUEST,
    typeARRAY, 2 * N, typeINT, typeARRAY, 2 * N, typeINT, typeARRAY, N * N, typeINT, typeINT,
    typeARRAY, 64, typeCHAR, typeARRAY, BUFFER, typeCHAR
};

static int left, right, large, *big_out, *big_in;

static void add_pairs(void *in, void *inout, int *n, MPI_Datatype *type)
{
    int *a = in, *b = inout;

    (void) type;
    for (int i = 0; i < *n; i++) {
        b[2 * i] += a[2 * i];
        b[2 * i + 1] = a[2 * i + 1] > b[2 * i + 1] ? a[2 * i + 1] : b[2 * i + 1];
    }
}

/* A callback that calls MPI itself. */
static int on_delete(MPI_Comm c, int key, void *value, void *extra)
{
    int n;

    (void) key;
    (void) extra;
    OK(MPI_Comm_size(c, &n));
    CHECK(n == size && value == &s.cell);
    OK(MPI_Reduce_local(&n, &s.deleted, 1, MPI_INT, MPI_SUM));
    return MPI_SUCCESS;
}

static void make(void)
{
    int dims[2] = {size, 1}, periods[2] = {1, 1}, sizes[2] = {N, N}, part[2] = {2, 3}, at[2] = {1, 2};
    int distribution[1] = {MPI_DISTRIBUTE_CYCLIC}, dealt[1] = {MPI_DISTRIBUTE_DFLT_DARG};
    int ranks[2] = {0, size - 1}, whole[1] = {2 * size}, grid[1] = {size};
    MPI_Group world, pair;

    OK(MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 1, &s.grid));
    OK(MPI_Comm_create_keyval(MPI_COMM_DUP_FN, on_delete, &s.number, NULL));
    OK(MPI_Comm_set_attr(s.grid, s.number, &s.cell));
    OK(MPI_Comm_dup(s.grid, &s.kept));
    OK(MPI_Comm_set_errhandler(s.kept, MPI_ERRORS_RETURN));
    s.fortran = (int) MPI_Comm_c2f(s.kept);
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    OK(MPI_Group_incl(world, size > 1 ? 2 : 1, ranks, &pair));
    s.some = MPI_COMM_NULL;
    if (rank == 0 || rank == size - 1)
        OK(MPI_Comm_create_group(MPI_COMM_WORLD, pair, 77, &s.some));
    OK(MPI_Group_free(&world));
    OK(MPI_Group_free(&pair));
    OK(MPI_Type_create_subarray(2, sizes, part, at, MPI_ORDER_C, MPI_INT, &s.block));
    OK(MPI_Type_commit(&s.block));
    OK(MPI_Type_create_resized(MPI_INT, 0, 3 * sizeof(int), &s.wide));
    OK(MPI_Type_commit(&s.wide));
    OK(MPI_Type_create_darray(size, rank, 1, whole, distribution, dealt, grid, MPI_ORDER_C, MPI_INT,
                              &s.dealt));
    OK(MPI_Type_commit(&s.dealt));
    OK(MPI_Type_contiguous(2, MPI_INT, &s.pair));
    OK(MPI_Type_commit(&s.pair));
    OK(MPI_Op_create(add_pairs, 1, &s.op));
    OK(MPI_Buffer_attach(s.buffer, BUFFER));
    s.copy = MPI_COMM_NULL;
}

static int value(int step, int r)
{
    return step * 100 + r;
}

/* What is pending over the next poll. */
static void begin(void)
{
    int counts[4] = {1, 1, 1, 1}, mine = value(s.step, rank);
    MPI_Aint where[4];
    MPI_Datatype types[4] = {MPI_INT, MPI_INT, MPI_INT, MPI_INT}, every_other;

    OK(MPI_Isend(&mine, 1, MPI_INT, MPI_PROC_NULL, 1, MPI_COMM_WORLD, &s.to_none));
    OK(MPI_Irecv(&s.cell, 1, MPI_INT, MPI_PROC_NULL, 1, s.grid, &s.from_none));
    OK(MPI_Irecv(NULL, 0, MPI_INT, left, 2, s.kept, &s.nothing));
    OK(MPI_Send(NULL, 0, MPI_BYTE, right, 2, s.kept));
    OK(MPI_Irecv(&s.cell, 1, MPI_INT, left, 999, s.grid, &s.cancelled));
    OK(MPI_Cancel(&s.cancelled));
    /* The second dimension has one place: both its neighbours are this rank. */
    for (int i = 0; i < 4; i++) {
        where[i] = (MPI_Aint) (i * (int) sizeof(int));
        s.out[i] = value(s.step, rank) * 4 + i;
        s.in[i] = -1;
    }
    OK(MPI_Ineighbor_alltoallw(s.out, counts, where, types, s.in, counts, where, types, s.grid,
                               &s.turned));
    OK(MPI_Comm_idup(s.kept, &s.copy, &s.duplicated));
    OK(MPI_Bsend(&mine, 1, MPI_INT, right, 3, s.grid));
    for (int i = 0; i < N * N; i++)
        s.field[i] = mine * 64 + i;
    OK(MPI_Bsend(s.field, 1, s.block, right, 4, MPI_COMM_WORLD));
    s.packed_len = 0;
    OK(MPI_Pack(&mine, 1, MPI_INT, s.packed, sizeof s.packed, &s.packed_len, s.grid));
    OK(MPI_Pack(s.out, 2, s.wide, s.packed, sizeof s.packed, &s.packed_len, s.grid));
    for (int i = 0; i < large; i++)
        big_out[i] = mine + i;
    OK(MPI_Type_vector(large / 2, 1, 2, MPI_INT, &every_other));
    OK(MPI_Type_commit(&every_other));
    OK(MPI_Isend(big_out, 1, every_other, right, 5, MPI_COMM_WORLD, &s.large));
    OK(MPI_Type_free(&every_other));
}

static void large_arrives(int step)
{
    MPI_Datatype every_other;
    int wrong = 0, ok;

    OK(MPI_Type_vector(large / 2, 1, 2, MPI_INT, &every_other));
    OK(MPI_Type_commit(&every_other));
    memset(big_in, -1, (size_t) large * sizeof(int));
    OK(MPI_Recv(big_in, 1, every_other, left, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    for (int i = 0; i < large; i++) {
        ok = big_in[i] == (i % 2 == 0 && i / 2 < large / 2 ? value(step, left) + i : -1);
        wrong += !ok;
    }
    CHECK(wrong == 0);
    OK(MPI_Wait(&s.large, MPI_STATUS_IGNORE));
    OK(MPI_Type_free(&every_other));
}

static void in_place(int step)
{
    int all[16] = {0}, one = value(step, rank), pairs[4] = {rank, rank, 1, -rank}, r[2] = {one, one};
    int counts[16], twice[32] = {0};

    all[rank] = one;
    OK(MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, 1, MPI_INT, s.grid));
    for (int i = 0; i < size; i++)
        CHECK(all[i] == value(step, i));
    for (int i = 0; i < size; i++)
        all[i] = one * 16 + i;
    OK(MPI_Alltoall(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, 1, MPI_INT, MPI_COMM_WORLD));
    for (int i = 0; i < size; i++)
        CHECK(all[i] == value(step, i) * 16 + rank);
    OK(MPI_Allreduce(MPI_IN_PLACE, pairs, 2, s.pair, s.op, s.kept));
    CHECK(pairs[0] == size * (size - 1) / 2 && pairs[1] == size - 1 && pairs[2] == size && pairs[3] == 0);
    OK(MPI_Scan(MPI_IN_PLACE, r, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD));
    CHECK(r[0] == one);
    OK(MPI_Reduce(rank == 0 ? MPI_IN_PLACE : r, r, 0, MPI_INT, MPI_SUM, 0, s.grid));
    for (int i = 0; i < size; i++) {
        counts[i] = 1;
        all[i] = 1;
    }
    OK(MPI_Reduce_scatter(MPI_IN_PLACE, all, counts, MPI_INT, MPI_SUM, s.grid));
    CHECK(all[0] == size);
    for (int i = 0; i < 2 * size; i++)
        twice[i] = i;
    OK(MPI_Sendrecv(twice, 1, s.dealt, rank, 9, all, 2, MPI_INT, rank, 9, MPI_COMM_WORLD,
                    MPI_STATUS_IGNORE));
    CHECK(all[0] == rank && all[1] == rank + size);
    if (s.some != MPI_COMM_NULL)
        OK(MPI_Barrier(s.some));
}

static void complete(int step)
{
    MPI_Request mixed[5] = {s.to_none, MPI_REQUEST_NULL, s.from_none, s.nothing, s.cancelled};
    MPI_Status st[5], one;
    int indices[5], n, done = 0, flag, got = -1, two[4], at = 0, same;
    MPI_Comm parent;

    CHECK(MPI_Comm_f2c(s.fortran) == s.kept && MPI_Comm_c2f(s.kept) == s.fortran);
    OK(MPI_Comm_get_parent(&parent));
    CHECK(parent == MPI_COMM_NULL);
    while (done < 4) {
        OK(MPI_Waitsome(5, mixed, &n, indices, st));
        CHECK(n > 0 && n <= 4);
        for (int i = 0; i < n; i++) {
            OK(MPI_Test_cancelled(&st[i], &flag));
            CHECK(flag == (indices[i] == 4));
            CHECK(indices[i] != 2 || (st[i].MPI_SOURCE == MPI_PROC_NULL && st[i].MPI_TAG == MPI_ANY_TAG));
            CHECK(indices[i] != 3 || says(&st[i], left, 2, 0));
        }
        done += n > 0 ? n : 4;
    }
    s.to_none = s.from_none = s.nothing = s.cancelled = MPI_REQUEST_NULL;
    OK(MPI_Wait(&s.turned, MPI_STATUS_IGNORE));
    CHECK(s.in[0] == value(step, left) * 4 + 1 && s.in[1] == value(step, right) * 4);
    /* On a ring of two, left and right are the same rank, and the order of their messages is theirs. */
    OK(MPI_Wait(&s.duplicated, MPI_STATUS_IGNORE));
    OK(MPI_Comm_compare(s.copy, s.kept, &same));
    CHECK(same == MPI_CONGRUENT);
    OK(MPI_Topo_test(s.copy, &same));
    CHECK(same == MPI_CART);
    OK(MPI_Comm_free(&s.copy));
    CHECK(s.copy == MPI_COMM_NULL);
    OK(MPI_Recv(&got, 1, MPI_INT, left, 3, s.grid, &one));
    CHECK(got == value(step, left) && says(&one, left, 3, 1));
    memset(s.field, -1, sizeof s.field);
    OK(MPI_Recv(s.field, 1, s.block, left, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    for (int i = 0; i < N * N; i++)
        CHECK(s.field[i] == (i / N >= 1 && i / N < 3 && i % N >= 2 && i % N < 5
                                 ? value(step, left) * 64 + i : -1));
    OK(MPI_Unpack(s.packed, s.packed_len, &at, &got, 1, MPI_INT, s.grid));
    CHECK(got == value(step, rank));
    OK(MPI_Unpack(s.packed, s.packed_len, &at, two, 1, s.wide, s.grid));
    CHECK(two[0] == value(step, rank) * 4 && at == 2 * (int) sizeof(int));
    CHECK(MPI_Send(&got, 1, MPI_INT, size, 0, s.kept) != MPI_SUCCESS);
    large_arrives(step);
    in_place(step);
}

int main(int argc, char **argv)
{
    const char *setting = getenv("HMF_SPARES");
    int wanted = setting != NULL ? atoi(setting) : 0, all = 0, gone = 0, asked = 0, n;
    void *buffer;

    large = argc > 1 ? atoi(argv[1]) : 200000;
    test_begin(&argc, &argv);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;
    big_out = calloc((size_t) large, sizeof(int));
    big_in = calloc((size_t) large, sizeof(int));
    hmf_function_define("add_pairs", (hmf_function_t) add_pairs);
    hmf_function_define("on_delete", (hmf_function_t) on_delete);
    auto_init(argv[0]);
    auto_track("state", &s, sizeof s, type_state, sizeof type_state / sizeof type_state[0]);
    s.moves += auto_read(AUTO_MIGR) != 0;
    for (; s.step < MAX_STEPS && (all < wanted || s.step < MIN_STEPS); s.step++) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            gone = 1;
            break;
        }
        if (s.step == 0)
            make();
        else
            complete(s.step - 1);
        OK(MPI_Allreduce(&s.moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        if (rank == 0 && all < wanted && asked <= all && s.step > 1) {
            OK(hmf_request_move((all + 1) % size, NULL));
            asked = all + 1;
        }
        begin();
    }
    if (!gone) {
        complete(s.step - 1);
        CHECK(all == wanted);
        OK(MPI_Buffer_detach(&buffer, &n));
        CHECK(buffer == s.buffer && n == BUFFER);
        OK(MPI_Comm_free(&s.kept));
        OK(MPI_Comm_free(&s.grid));
        CHECK(s.deleted == (s.step + 2) * size); /* the copies of each step too */
        OK(MPI_Comm_free_keyval(&s.number));
        OK(MPI_Op_free(&s.op));
        if (s.some != MPI_COMM_NULL)
            OK(MPI_Comm_free(&s.some));
    }
    free(big_out);
    free(big_in);
    auto_done();
    MPI_Finalize();
    return failures != 0;
}
