/* The moving rank's own objects. Each rank in turn moves while it has receives, sends, a collective,
 * persistent requests (idle and started) and a matched message in hand; with a communicator, a
 * datatype, an op, an info, a group and an attribute that were made after auto_read. All are in
 * registered variables and must be valid at the newcomer; each message is checked.
 * launch: limit=40 */
#include "shim.h"

#include "auto.h"
#include "hmf/function.h"
#include "hmf/job.h"
#include "typemap.h"

enum { MIN_STEPS = 40, MAX_STEPS = 200000, LEN = 24 };

/* Everything that moves. */
static struct state {
    int step, moves, value;
    int in[LEN], in2[LEN], out[LEN], pin[4], pout[4], sum, part, idle_in;
    MPI_Comm half, null, copies[2];
    MPI_Datatype column, again;
    MPI_Op op;
    MPI_Info info;
    MPI_Group evens;
    MPI_Errhandler handler;
    MPI_Comm guarded;
    MPI_Request recv, recv2, send, coll, precv, psend, idle, none;
    MPI_Message message;
    int keyval;
} s;

static int type_state[] = {
    -31, typeINT, typeINT, typeINT,
    typeARRAY, LEN, typeINT, typeARRAY, LEN, typeINT, typeARRAY, LEN, typeINT,
    typeARRAY, 4, typeINT, typeARRAY, 4, typeINT, typeINT, typeINT, typeINT,
    typeMPI_COMM, typeMPI_COMM, typeARRAY, 2, typeMPI_COMM,
    typeMPI_DATATYPE, typeMPI_DATATYPE, typeMPI_OP, typeMPI_INFO, typeMPI_GROUP,
    typeMPI_ERRHANDLER, typeMPI_COMM,
    typeMPI_REQUEST, typeMPI_REQUEST, typeMPI_REQUEST, typeMPI_REQUEST, typeMPI_REQUEST,
    typeMPI_REQUEST, typeMPI_REQUEST, typeMPI_REQUEST,
    typeMPI_MESSAGE, typeINT
};

static int left, right;

/* Neither min nor max: the second half of the bits of one, the first of the other. */
static void mix_op(void *in, void *inout, int *n, MPI_Datatype *type)
{
    int *a = in, *b = inout;

    (void) type;
    for (int i = 0; i < *n; i++)
        b[i] = (a[i] ^ b[i]) + 1;
}

static int deleted;

static int on_delete(MPI_Comm c, int key, void *value, void *extra)
{
    (void) c;
    (void) key;
    CHECK(value == &s.value);
    CHECK(extra == &s);
    deleted++;
    return MPI_SUCCESS;
}

static int caught;

static void on_error(MPI_Comm *c, int *code, ...)
{
    (void) c;
    (void) code;
    caught++;
}

static int expected(int step, int from, int i)
{
    return step * 1000 + from * 100 + i;
}

static void make_late(void)
{
    int ranks[2] = {0, 2};
    MPI_Group world;

    OK(MPI_Comm_split(MPI_COMM_WORLD, rank % 2, size - rank, &s.half));
    OK(MPI_Comm_set_name(s.half, "late half"));
    OK(MPI_Comm_set_errhandler(s.half, MPI_ERRORS_RETURN));
    s.null = MPI_COMM_NULL;
    s.copies[0] = MPI_COMM_WORLD;
    s.copies[1] = s.half;
    OK(MPI_Type_vector(4, 2, 6, MPI_INT, &s.column));
    OK(MPI_Type_commit(&s.column));
    s.again = s.column;
    OK(MPI_Op_create(mix_op, 0, &s.op));
    OK(MPI_Info_create(&s.info));
    OK(MPI_Info_set(s.info, "key of mine", "a = b # 5%"));
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    OK(MPI_Group_incl(world, size > 2 ? 2 : 1, ranks, &s.evens));
    OK(MPI_Group_free(&world));
    OK(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, on_delete, &s.keyval, &s));
    OK(MPI_Comm_set_attr(s.half, s.keyval, &s.value));
    s.value = 4000 + rank;
    OK(MPI_Comm_create_errhandler(on_error, &s.handler));
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &s.guarded));
    OK(MPI_Comm_set_errhandler(s.guarded, s.handler));
    OK(MPI_Comm_set_name(MPI_COMM_SELF, "myself"));
    OK(MPI_Recv_init(&s.pin, 4, MPI_INT, left, 3, MPI_COMM_WORLD, &s.precv));
    OK(MPI_Ssend_init(&s.pout, 4, MPI_INT, right, 3, MPI_COMM_WORLD, &s.psend));
    OK(MPI_Recv_init(&s.idle_in, 1, MPI_INT, left, 4, MPI_COMM_WORLD, &s.idle));
    s.none = MPI_REQUEST_NULL;
}

/* Everything below is pending at the next poll. */
static void begin(void)
{
    for (int i = 0; i < LEN; i++) {
        s.out[i] = expected(s.step, rank, i);
        s.in[i] = s.in2[i] = -1;
    }
    OK(MPI_Irecv(s.in, 1, s.column, left, 1, MPI_COMM_WORLD, &s.recv));
    OK(MPI_Irecv(s.in2, LEN, MPI_INT, MPI_ANY_SOURCE, 2, MPI_COMM_WORLD, &s.recv2));
    OK(MPI_Isend(s.out, 1, s.again, right, 1, MPI_COMM_WORLD, &s.send));
    s.part = rank + s.step;
    OK(MPI_Iallreduce(&s.part, &s.sum, 1, MPI_INT, MPI_SUM, s.half, &s.coll));
    for (int i = 0; i < 4; i++)
        s.pout[i] = expected(s.step, rank, i + 50);
    OK(MPI_Start(&s.precv));
    OK(MPI_Start(&s.psend));
    OK(MPI_Send(&s.step, 1, MPI_INT, right, 5, MPI_COMM_WORLD));
    OK(MPI_Mprobe(left, 5, MPI_COMM_WORLD, &s.message, MPI_STATUS_IGNORE));
}

static void complete(void)
{
    MPI_Status st;
    int n, flag, sum = 0, got, one = s.step, all;
    MPI_Request some[2] = {s.recv, s.none};
    void *value;

    /* Its partner sends only now. */
    OK(MPI_Send(s.out, LEN, MPI_INT, right, 2, MPI_COMM_WORLD));
    OK(MPI_Waitall(2, some, MPI_STATUSES_IGNORE));
    s.recv = some[0];
    CHECK(s.recv == MPI_REQUEST_NULL);
    for (int i = 0; i < LEN; i++)
        CHECK(s.in[i] == (i % 6 < 2 && i < 20 ? expected(s.step, left, i) : -1));
    OK(MPI_Wait(&s.recv2, &st));
    OK(MPI_Get_count(&st, MPI_INT, &n));
    CHECK(n == LEN && st.MPI_SOURCE == left && st.MPI_TAG == 2);
    for (int i = 0; i < LEN; i++)
        CHECK(s.in2[i] == expected(s.step, left, i));
    OK(MPI_Wait(&s.send, MPI_STATUS_IGNORE));
    OK(MPI_Wait(&s.coll, MPI_STATUS_IGNORE));
    for (int r = rank % 2; r < size; r += 2)
        sum += r + s.step;
    CHECK(s.sum == sum);
    OK(MPI_Wait(&s.precv, &st));
    OK(MPI_Wait(&s.psend, MPI_STATUS_IGNORE));
    CHECK(s.precv != MPI_REQUEST_NULL && s.psend != MPI_REQUEST_NULL);
    for (int i = 0; i < 4; i++)
        CHECK(s.pin[i] == expected(s.step, left, i + 50));
    OK(MPI_Mrecv(&got, 1, MPI_INT, &s.message, &st));
    CHECK(got == s.step && s.message == MPI_MESSAGE_NULL);
    OK(MPI_Start(&s.idle));
    OK(MPI_Send(&one, 1, MPI_INT, right, 4, MPI_COMM_WORLD));
    OK(MPI_Wait(&s.idle, MPI_STATUS_IGNORE));
    CHECK(s.idle_in == s.step);
    OK(MPI_Comm_get_attr(s.half, s.keyval, &value, &flag));
    CHECK(flag && value == &s.value && s.value == 4000 + rank);
    OK(MPI_Allreduce(&one, &all, 1, MPI_INT, s.op, s.half));
    CHECK(all == (size < 3 ? s.step : (s.step ^ s.step) + 1));
}

static void look(void)
{
    char text[MPI_MAX_OBJECT_NAME], info[64];
    int n, flag, ranks[2];
    MPI_Group world;
    MPI_Errhandler handler;

    CHECK(s.null == MPI_COMM_NULL && s.none == MPI_REQUEST_NULL);
    CHECK(s.copies[0] == MPI_COMM_WORLD && s.copies[1] == s.half && s.again == s.column);
    OK(MPI_Comm_get_name(s.half, text, &n));
    CHECK(strcmp(text, "late half") == 0);
    OK(MPI_Comm_get_errhandler(s.half, &handler));
    CHECK(handler == MPI_ERRORS_RETURN);
    OK(MPI_Info_get(s.info, "key of mine", sizeof info - 1, info, &flag));
    CHECK(flag && strcmp(info, "a = b # 5%") == 0);
    caught = 0;
    CHECK(MPI_Send(&n, 1, MPI_INT, size + 5, 0, s.guarded) != MPI_SUCCESS);
    CHECK(caught == 1);
    OK(MPI_Comm_set_errhandler(s.guarded, s.handler));
    OK(MPI_Comm_get_name(MPI_COMM_SELF, text, &n));
    CHECK(strcmp(text, "myself") == 0);
    OK(MPI_Op_commutative(s.op, &flag));
    CHECK(flag == 0);
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    OK(MPI_Group_size(s.evens, &n));
    CHECK(n == (size > 2 ? 2 : 1));
    OK(MPI_Group_translate_ranks(s.evens, n, (int[]) {0, 1}, world, ranks));
    CHECK(ranks[0] == 0 && (n < 2 || ranks[1] == 2));
    OK(MPI_Group_free(&world));
    OK(MPI_Type_size(s.column, &n));
    CHECK(n == 8 * (int) sizeof(int));
}

static void end(void)
{
    OK(MPI_Comm_delete_attr(s.half, s.keyval));
    CHECK(deleted == 1);
    OK(MPI_Comm_free_keyval(&s.keyval));
    OK(MPI_Request_free(&s.precv));
    OK(MPI_Request_free(&s.psend));
    OK(MPI_Request_free(&s.idle));
    OK(MPI_Comm_free(&s.half));
    OK(MPI_Comm_free(&s.guarded));
    OK(MPI_Errhandler_free(&s.handler));
    OK(MPI_Type_free(&s.column));
    OK(MPI_Op_free(&s.op));
    OK(MPI_Info_free(&s.info));
    OK(MPI_Group_free(&s.evens));
}

int main(int argc, char **argv)
{
    const char *setting = getenv("HMF_SPARES");
    int wanted = setting != NULL ? atoi(setting) : 0, all = 0, gone = 0, asked = 0, newcomer;

    test_begin(&argc, &argv);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;
    hmf_function_define("mix_op", (hmf_function_t) mix_op);
    hmf_function_define("on_error", (hmf_function_t) on_error);
    hmf_function_define("on_delete", (hmf_function_t) on_delete);
    auto_init(argv[0]);
    auto_track("state", &s, sizeof s, type_state, sizeof type_state / sizeof type_state[0]);
    newcomer = auto_read(AUTO_MIGR);
    s.moves += newcomer != 0;
    for (; s.step < MAX_STEPS && (all < wanted || s.step < MIN_STEPS); s.step++) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            gone = 1;
            break;
        }
        if (s.step == 0) {
            make_late();
        } else {
            s.step--;
            complete();
            s.step++;
            look();
        }
        OK(MPI_Allreduce(&s.moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        if (rank == 0 && all < wanted && asked <= all && s.step > 2) {
            OK(hmf_request_move((all * 3 + 1) % size, NULL));
            asked = all + 1;
        }
        begin();
    }
    if (!gone) {
        s.step--;
        complete();
        CHECK(all == wanted);
        end();
    }
    auto_done();
    MPI_Finalize();
    return failures != 0;
}
