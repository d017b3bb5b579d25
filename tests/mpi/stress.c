/* Random communicators, messages, requests and collectives across random moves.
 *
 * A seed says everything that happens, so each rank knows what it must get; what all have got is
 * also added up in a digest, which is the same without moves (tests/stress.sh compares the runs).
 * All that is pending lives in registered variables: requests of all kinds go over the polls, on
 * ranks that stay and on those that move.
 * launch: limit=120 args=40 */
#include "shim.h"

#include <stdint.h>

#include "auto.h"
#include "hmf/function.h"
#include "hmf/job.h"
#include "typemap.h"

enum { SLOTS = 5, PENDING = 24, LEN = 40, MAXN = 8, STREAM = 3, PATIENCE = 5000000 };
enum { SUM, MAX_SCAN, ALLGATHER, ALLTOALL, BCAST, SCATTERED, NEIGHBOUR, BARRIER, COLLECTIVES };
enum { KIND_NONE, KIND_SEND, KIND_RECV, KIND_LATER, KIND_PROBED, KIND_SUM, KIND_PSEND, KIND_PRECV };

static struct state {
    int step, moves, serial;
    uint64_t digest;
    int color[SLOTS][MAXN], backward[SLOTS], busy_until[SLOTS], attribute[SLOTS];
    MPI_Comm comm[SLOTS];
    MPI_Datatype type;      /* LEN / 2 pairs */
    int keyval;
    int cells[MAXN], far[2], near[2];
    MPI_Request to_far, from_far, far_sum, promise;
    struct pending {
        int kind, slot, peer, tag, n, due, serial;
        MPI_Request request;
        MPI_Message message;
        int data[LEN], result[LEN];
    } pending[PENDING];
} s;

#define INTS(n) typeARRAY, n, typeINT
static int type_state[] = {
    -19, typeINT, typeINT, typeINT, typeUINT64,
    typeARRAY, SLOTS, INTS(MAXN), INTS(SLOTS), INTS(SLOTS), INTS(SLOTS),
    typeARRAY, SLOTS, typeMPI_COMM, typeMPI_DATATYPE, typeINT,
    INTS(MAXN), INTS(2), INTS(2), typeMPI_REQUEST, typeMPI_REQUEST, typeMPI_REQUEST, typeMPI_REQUEST,
    typeARRAY, PENDING, -11, typeINT, typeINT, typeINT, typeINT, typeINT, typeINT, typeINT,
    typeMPI_REQUEST, typeMPI_MESSAGE, INTS(LEN), INTS(LEN)
};

static uint64_t seed, dice;

/* Made by the start-up: an intercommunicator of even and odd ranks, a window on registered memory, a file. */
static MPI_Comm across = MPI_COMM_NULL;
static MPI_Win window;
static MPI_File file;

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The same at all ranks within a step. */
static int draw(int n)
{
    dice = mix(dice + UINT64_C(0x9e3779b97f4a7c15));
    return (int) (dice >> 33) % n;
}

static int datum(int serial, int i)
{
    return (int) (mix(seed + (uint64_t) serial * 1000 + (uint64_t) i) & 0xfffff);
}

static void note(int serial, const int *data, int n)
{
    uint64_t h = (uint64_t) serial + seed;

    for (int i = 0; i < n; i++)
        h = mix(h + (uint64_t) (uint32_t) data[i]);
    s.digest += h;
}

/* Position of world rank r in the communicator of its color. */
static int position(int slot, int r)
{
    int at = 0;

    for (int k = 0; k < size; k++)
        if (s.color[slot][k] == s.color[slot][r] && (s.backward[slot] ? k > r : k < r))
            at++;
    return at;
}

static int members(int slot, int r)
{
    int n = 0;

    for (int k = 0; k < size; k++)
        n += s.color[slot][k] == s.color[slot][r];
    return n;
}

static int place_of(int slot, int r)
{
    return position(slot, r);
}

static struct pending *claim(void)
{
    for (int i = 0; i < PENDING; i++)
        if (s.pending[i].kind == KIND_NONE)
            return &s.pending[i];
    return NULL;
}

static int free_places(void)
{
    int n = 0;

    for (int i = 0; i < PENDING; i++)
        n += s.pending[i].kind == KIND_NONE;
    return n;
}

/* ---- communicators ---- */

static void make_comm(int slot)
{
    int kind = draw(6), ranks[MAXN], n = 0, dims[1] = {size}, periods[1] = {1};
    MPI_Comm *c = &s.comm[slot];
    MPI_Group world, some;
    MPI_Request request;

    if (*c != MPI_COMM_NULL)
        OK(MPI_Comm_free(c));
    s.backward[slot] = 0;
    for (int r = 0; r < size; r++)
        s.color[slot][r] = kind == 1 ? draw(2) : kind == 2 || kind == 3 ? draw(4) > 0 : 1;
    switch (kind) {
    case 1:
        s.backward[slot] = draw(2);
        OK(MPI_Comm_split(MPI_COMM_WORLD, s.color[slot][rank], s.backward[slot] ? -rank : rank, c));
        break;
    case 2:
    case 3: /* those without a place have MPI_COMM_NULL */
        for (int r = 0; r < size; r++)
            if (s.color[slot][r])
                ranks[n++] = r;
        OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
        OK(MPI_Group_incl(world, n, ranks, &some));
        if (kind == 2)
            OK(MPI_Comm_create(MPI_COMM_WORLD, some, c));
        else if (s.color[slot][rank])
            OK(MPI_Comm_create_group(MPI_COMM_WORLD, some, 9, c));
        OK(MPI_Group_free(&world));
        OK(MPI_Group_free(&some));
        for (int r = 0; r < size; r++)
            if (!s.color[slot][r])
                s.color[slot][r] = -1 - r; /* alone, and without a communicator */
        break;
    case 4:
        OK(MPI_Cart_create(MPI_COMM_WORLD, 1, dims, periods, 0, c));
        break;
    case 5:
        OK(MPI_Comm_idup(MPI_COMM_WORLD, c, &request));
        OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
        break;
    default:
        OK(MPI_Comm_dup(MPI_COMM_WORLD, c));
        break;
    }
    s.attribute[slot] = draw(1000);
    if (*c != MPI_COMM_NULL && s.attribute[slot] % 2)
        OK(MPI_Comm_set_attr(*c, s.keyval, (void *) (intptr_t) s.attribute[slot]));
}

static void look_at_comm(int slot)
{
    int n, me, flag;
    void *value;

    CHECK((s.comm[slot] == MPI_COMM_NULL) == (s.color[slot][rank] < 0));
    if (s.comm[slot] == MPI_COMM_NULL)
        return;
    OK(MPI_Comm_rank(s.comm[slot], &me));
    OK(MPI_Comm_size(s.comm[slot], &n));
    CHECK(me == place_of(slot, rank) && n == members(slot, rank));
    OK(MPI_Comm_get_attr(s.comm[slot], s.keyval, &value, &flag));
    CHECK(flag == s.attribute[slot] % 2 && (!flag || (intptr_t) value == s.attribute[slot]));
}

/* ---- traffic ---- */

static void send(struct pending *p, int mode)
{
    MPI_Comm c = s.comm[p->slot];
    int pairs = p->n == LEN;
    MPI_Datatype type = pairs ? s.type : MPI_INT;
    int n = pairs ? 1 : p->n;

    for (int i = 0; i < p->n; i++)
        p->data[i] = datum(p->serial, i);
    p->kind = KIND_SEND;
    if (mode == 0)
        OK(MPI_Isend(p->data, n, type, p->peer, p->tag, c, &p->request));
    else if (mode == 1)
        OK(MPI_Issend(p->data, n, type, p->peer, p->tag, c, &p->request));
    else {
        p->kind = KIND_PSEND;
        OK(MPI_Send_init(p->data, n, type, p->peer, p->tag, c, &p->request));
        OK(MPI_Start(&p->request));
    }
}

static void receive(struct pending *p, int mode)
{
    MPI_Comm c = s.comm[p->slot];
    int from = mode % 2 ? MPI_ANY_SOURCE : p->peer;

    memset(p->data, -1, sizeof p->data);
    p->kind = KIND_RECV;
    if (mode < 2) {
        OK(MPI_Irecv(p->data, LEN, MPI_INT, from, p->tag, c, &p->request));
    } else if (mode < 4) {
        p->kind = KIND_PRECV;
        OK(MPI_Recv_init(p->data, LEN, MPI_INT, from, p->tag, c, &p->request));
        OK(MPI_Start(&p->request));
    } else {
        p->kind = KIND_LATER;
    }
}

/* A synchronous send must find its receive: it is completed at the end of the step that is due. */
static void one_message(void)
{
    int slot = draw(SLOTS), from = draw(size), to = draw(size), mode = draw(3), way = draw(6);
    int n = draw(3) ? 1 + draw(LEN - 1) : LEN, due = s.step + 1 + draw(3);
    struct pending *p;

    s.serial++;
    if (from == to || s.color[slot][from] != s.color[slot][to])
        return;
    if (s.busy_until[slot] < due)
        s.busy_until[slot] = due;
    if (rank != from && rank != to)
        return;
    p = claim();
    CHECK(p != NULL);
    if (p == NULL)
        return;
    p->slot = slot;
    p->peer = place_of(slot, rank == from ? to : from);
    p->tag = 100 + s.serial % 30000;
    p->n = n;
    p->due = due;
    p->serial = s.serial;
    p->request = MPI_REQUEST_NULL;
    p->message = MPI_MESSAGE_NULL;
    if (rank == from)
        send(p, mode);
    else
        receive(p, way);
}

static int is_ring(MPI_Comm c)
{
    int topology;

    OK(MPI_Topo_test(c, &topology));
    return topology == MPI_CART;
}

static void begin_collective(struct pending *p, MPI_Comm c, int which)
{
    memset(p->result, -1, sizeof p->result);
    switch (which) {
    case SUM:
        memcpy(p->result, p->data, sizeof p->data);
        OK(MPI_Iallreduce(MPI_IN_PLACE, p->result, p->n, MPI_INT, MPI_SUM, c, &p->request));
        break;
    case MAX_SCAN:
        OK(MPI_Iscan(p->data, p->result, p->n, MPI_INT, MPI_MAX, c, &p->request));
        break;
    case ALLGATHER:
        OK(MPI_Iallgather(p->data, 1, MPI_INT, p->result, 1, MPI_INT, c, &p->request));
        break;
    case ALLTOALL:
        OK(MPI_Ialltoall(p->data, 1, MPI_INT, p->result, 1, MPI_INT, c, &p->request));
        break;
    case BCAST:
        memcpy(p->result, p->data, sizeof p->data);
        OK(MPI_Ibcast(p->result, p->n, MPI_INT, 0, c, &p->request));
        break;
    case SCATTERED:
        OK(MPI_Ireduce_scatter_block(p->data, p->result, 1, MPI_INT, MPI_SUM, c, &p->request));
        break;
    case NEIGHBOUR:
        if (is_ring(c)) {
            OK(MPI_Ineighbor_allgather(p->data, 1, MPI_INT, p->result, 1, MPI_INT, c, &p->request));
            break;
        } /* fall through */
    default:
        OK(MPI_Ibarrier(c, &p->request));
    }
}

/* What rank r of the world gives to place i of a collective call. */
static int given(const struct pending *p, int r, int i)
{
    return datum(p->serial + r, i);
}

static int expect(const struct pending *p, int i)
{
    int here = place_of(p->slot, rank), n = members(p->slot, rank), sum = 0, most = -1;

    for (int r = 0; r < size; r++) {
        int there = place_of(p->slot, r);

        if (s.color[p->slot][r] != s.color[p->slot][rank])
            continue;
        sum += given(p, r, p->peer == SCATTERED ? here : i);
        if (there <= here && given(p, r, i) > most)
            most = given(p, r, i);
        if ((p->peer == ALLGATHER && there == i) || (p->peer == BCAST && there == 0))
            return given(p, r, p->peer == BCAST ? i : 0);
        if (p->peer == ALLTOALL && there == i)
            return given(p, r, here);
        if (p->peer == NEIGHBOUR && i < 2 && is_ring(s.comm[p->slot]) &&
            there == (here + (i == 0 ? n - 1 : 1)) % n)
            return given(p, r, 0);
    }
    return p->peer == SUM ? sum : p->peer == MAX_SCAN ? most : p->peer == SCATTERED && i == 0 ? sum : -1;
}

static void one_sum(void)
{
    int slot = draw(SLOTS), due = s.step + 1 + draw(2), which = draw(COLLECTIVES);
    struct pending *p;

    s.serial++;
    if (s.busy_until[slot] < due)
        s.busy_until[slot] = due;
    if (s.comm[slot] == MPI_COMM_NULL)
        return;
    p = claim();
    CHECK(p != NULL);
    if (p == NULL)
        return;
    *p = (struct pending) {.kind = KIND_SUM, .slot = slot, .n = 8, .due = due, .serial = s.serial,
                           .peer = which, .request = MPI_REQUEST_NULL, .message = MPI_MESSAGE_NULL};
    for (int i = 0; i < p->n; i++)
        p->data[i] = datum(s.serial + rank, i);
    begin_collective(p, s.comm[slot], which);
}

/* Several with the same tag on the world: the order must hold. */
static void stream_out(void)
{
    for (int i = 0; i < STREAM; i++) {
        int v[2] = {s.step, i};

        OK(MPI_Send(v, 2, MPI_INT, (rank + 1) % size, 3, MPI_COMM_WORLD));
    }
}

static void stream_in(int step)
{
    for (int i = 0; i < STREAM; i++) {
        int v[2] = {-1, -1};

        OK(MPI_Recv(v, 2, MPI_INT, i == 1 ? MPI_ANY_SOURCE : (rank + size - 1) % size, 3,
                    MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        CHECK(v[0] == step && v[1] == i);
    }
}

/* Matches a message and leaves it in hand over the next poll. */
static void take_in_hand(struct pending *p)
{
    MPI_Status st;

    OK(MPI_Mprobe(p->peer, p->tag, s.comm[p->slot], &p->message, &st));
    CHECK(says(&st, p->peer, p->tag, p->n));
    p->kind = KIND_PROBED;
}

static void check_data(const struct pending *p, const MPI_Status *st)
{
    CHECK(says(st, p->peer, p->tag, p->n));
    for (int i = 0; i < LEN; i++)
        if (p->data[i] != (i < p->n ? datum(p->serial, i) : -1)) {
            CHECK(!"a message is not what was sent");
            break;
        }
    note(p->serial, p->data, p->n);
}

static void check_sum(const struct pending *p)
{
    for (int i = 0; i < p->n; i++)
        if (p->result[i] != expect(p, i)) {
            CHECK(!"a collective call gives what it should not");
            break;
        }
    note(p->serial, p->result, p->n);
}

static void complete(struct pending *p)
{
    MPI_Status st;
    int index, flag = 0;

    switch (p->kind) {
    case KIND_SEND:
    case KIND_PSEND:
        OK(MPI_Wait(&p->request, MPI_STATUS_IGNORE));
        break;
    case KIND_RECV:
        if (p->serial % 2)
            OK(MPI_Waitany(1, &p->request, &index, &st));
        else
            for (; !flag;)
                OK(MPI_Test(&p->request, &flag, &st));
        break;
    case KIND_PRECV:
        OK(MPI_Wait(&p->request, &st));
        break;
    case KIND_LATER:
        OK(MPI_Recv(p->data, LEN, MPI_INT, p->peer, p->tag, s.comm[p->slot], &st));
        break;
    case KIND_PROBED:
        OK(MPI_Mrecv(p->data, LEN, MPI_INT, &p->message, &st));
        break;
    default:
        OK(MPI_Wait(&p->request, MPI_STATUS_IGNORE));
        check_sum(p);
    }
    if (p->kind == KIND_PSEND || p->kind == KIND_PRECV) {
        CHECK(p->request != MPI_REQUEST_NULL);
        OK(MPI_Request_free(&p->request));
    }
    CHECK(p->request == MPI_REQUEST_NULL && p->message == MPI_MESSAGE_NULL);
    if (p->kind != KIND_SEND && p->kind != KIND_PSEND && p->kind != KIND_SUM)
        check_data(p, &st);
    p->kind = KIND_NONE;
}

/* ---- what the start-up made ---- */

static int promised(void *extra, MPI_Status *st)
{
    CHECK(extra == &s);
    OK(MPI_Status_set_elements(st, MPI_INT, s.step % 5));
    OK(MPI_Status_set_cancelled(st, 0));
    st->MPI_SOURCE = MPI_UNDEFINED;
    st->MPI_TAG = 7;
    return MPI_SUCCESS;
}

static int promise_over(void *extra)
{
    CHECK(extra == &s);
    return MPI_SUCCESS;
}

static int promise_off(void *extra, int complete)
{
    (void) complete;
    CHECK(extra == &s);
    return MPI_SUCCESS;
}

static void make_beside(void)
{
    MPI_Comm half;

    hmf_function_define("promised", (hmf_function_t) promised);
    hmf_function_define("promise_over", (hmf_function_t) promise_over);
    hmf_function_define("promise_off", (hmf_function_t) promise_off);
    if (size < 2)
        return;
    OK(MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half));
    OK(MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - rank % 2, 11, &across));
    OK(MPI_Comm_free(&half));
    OK(MPI_Win_create(s.cells, sizeof s.cells, sizeof s.cells[0], MPI_INFO_NULL, MPI_COMM_WORLD,
                      &window));
    OK(MPI_File_open(MPI_COMM_WORLD, "stress.data", MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL,
                     &file));
}

static int partner(int r)
{
    int far = r / 2, others = r % 2 ? (size + 1) / 2 : size / 2;

    return far < others ? far : others - 1;
}

/* All of it is pending over the next poll. */
static void begin_beside(void)
{
    int far = partner(rank), value = s.step * 100 + rank, to;

    if (across == MPI_COMM_NULL)
        return;
    s.near[0] = value;
    s.far[0] = s.far[1] = -1;
    if (rank / 2 < size / 2) {
        OK(MPI_Irecv(&s.far[0], 1, MPI_INT, far, 5, across, &s.from_far));
        OK(MPI_Isend(&s.near[0], 1, MPI_INT, far, 5, across, &s.to_far));
    }
    s.near[1] = value;
    OK(MPI_Iallreduce(&s.near[1], &s.far[1], 1, MPI_INT, MPI_SUM, across, &s.far_sum));
    OK(MPI_Grequest_start(promised, promise_over, promise_off, &s, &s.promise));
    if (s.step % 2)
        OK(MPI_Grequest_complete(s.promise));
    to = (rank + s.step) % size;
    OK(MPI_Win_fence(0, window));
    OK(MPI_Put(&value, 1, MPI_INT, to, rank, 1, MPI_INT, window));
    OK(MPI_Win_fence(0, window));
    OK(MPI_File_write_at(file, (MPI_Offset) (rank * (int) sizeof value), &value, 1, MPI_INT,
                         MPI_STATUS_IGNORE));
}

static void end_beside(int step)
{
    int sum = 0, n, from = ((rank - step) % size + size) % size, back = -1;
    MPI_Status st;

    if (across == MPI_COMM_NULL)
        return;
    OK(MPI_Wait(&s.from_far, MPI_STATUS_IGNORE));
    OK(MPI_Wait(&s.to_far, MPI_STATUS_IGNORE));
    OK(MPI_Wait(&s.far_sum, MPI_STATUS_IGNORE));
    for (int r = 1 - rank % 2; r < size; r += 2)
        sum += step * 100 + r;
    CHECK(s.far[1] == sum);
    if (rank / 2 < size / 2)
        CHECK(s.far[0] == step * 100 + (rank % 2 ? rank - 1 : rank + 1));
    if (step % 2 == 0)
        OK(MPI_Grequest_complete(s.promise));
    OK(MPI_Wait(&s.promise, &st));
    OK(MPI_Get_count(&st, MPI_INT, &n));
    CHECK(n == s.step % 5 && st.MPI_TAG == 7);
    CHECK(s.cells[from] == step * 100 + from);
    OK(MPI_File_read_at(file, (MPI_Offset) (rank * (int) sizeof back), &back, 1, MPI_INT,
                        MPI_STATUS_IGNORE));
    CHECK(back == step * 100 + rank);
}

/* Receives first: a synchronous send of a neighbour waits for them. */
static void complete_due(void)
{
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < PENDING; i++) {
            struct pending *p = &s.pending[i];
            int sends = p->kind == KIND_SEND || p->kind == KIND_PSEND || p->kind == KIND_SUM;

            if (p->kind != KIND_NONE && p->due <= s.step && sends == pass)
                complete(p);
            else if (p->kind == KIND_LATER && p->due == s.step + 1 && p->serial % 3 == 0 && !pass)
                take_in_hand(p);
        }
}

static void one_step(void)
{
    int room, least;

    dice = mix(seed + (uint64_t) s.step * 77777);
    if (s.step > 0) {
        stream_in(s.step - 1);
        end_beside(s.step - 1);
    }
    complete_due();
    for (int k = 0; k < SLOTS; k++)
        if (s.step == 0 || (draw(4) == 0 && s.busy_until[k] <= s.step))
            make_comm(k);
    for (int k = 0; k < SLOTS; k++)
        look_at_comm(k);
    room = free_places();
    OK(MPI_Allreduce(&room, &least, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD));
    for (int i = draw(6); i > 0 && least-- > 2; i--)
        one_message();
    if (least > 2 && draw(2))
        one_sum();
    stream_out();
    begin_beside();
}

int main(int argc, char **argv)
{
    const char *setting = getenv("HMF_SPARES"), *chosen = getenv("HMF_TEST_SEED");
    int spares = setting != NULL ? atoi(setting) : 0, steps = argc > 1 ? atoi(argv[1]) : 40;
    int gone = 0, asked = 0, all = 0, wait = 0, seen = -1;
    uint64_t total;

    test_begin(&argc, &argv);
    seed = chosen != NULL ? strtoull(chosen, NULL, 0) : 20;
    for (int k = 0; k < SLOTS; k++)
        s.comm[k] = MPI_COMM_NULL;
    s.to_far = s.from_far = s.far_sum = s.promise = MPI_REQUEST_NULL;
    make_beside();
    auto_init(argv[0]);
    auto_track("state", &s, sizeof s, type_state, sizeof type_state / sizeof type_state[0]);
    s.moves += auto_read(AUTO_MIGR) != 0;
    while (s.step < steps) {
        int want;

        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            gone = 1;
            break;
        }
        if (s.step == 0 && s.keyval == 0) {
            OK(MPI_Type_vector(LEN / 2, 2, 2, MPI_INT, &s.type));
            OK(MPI_Type_commit(&s.type));
            OK(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &s.keyval, NULL));
        }
        OK(MPI_Allreduce(&s.moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        /* By the n-th part of the way n moves have been; so the steps are the same in each run. */
        want = spares * (s.step + 1) / steps;
        if (rank == 0 && all < want && asked <= all) {
            int first = (int) (mix(seed + (uint64_t) all) % (uint64_t) size);

            /* Now and then two at once. */
            OK(hmf_request_move(first, NULL));
            if (all % 3 == 1 && all + 2 <= spares && first > 0 && first + 1 < size) {
                OK(hmf_request_move(first + 1, NULL));
                asked = all + 2;
            } else {
                asked = all + 1;
            }
        }
        if (all < want) {
            wait = all == seen ? wait + 1 : 0; /* the same at all ranks, newcomers too */
            seen = all;
            if (wait > PATIENCE) {
                CHECK(!"a move that was asked for does not come");
                break;
            }
            continue;
        }
        if (rank != 0)
            asked = all;
        one_step();
        s.step++;
    }
    if (!gone) {
        stream_in(s.step - 1);
        end_beside(s.step - 1);
        s.step += 10;
        complete_due();
        OK(MPI_Allreduce(&s.digest, &total, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD));
        OK(MPI_Allreduce(MPI_IN_PLACE, &failures, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        if (rank == 0)
            printf("seed %llu: digest %016llx, %d moves, %d failures\n", (unsigned long long) seed,
                   (unsigned long long) total, all, failures);
        CHECK(all == spares);
        if (across != MPI_COMM_NULL) {
            OK(MPI_Win_free(&window));
            OK(MPI_File_close(&file));
            OK(MPI_Comm_free(&across));
        }
    }
    auto_done();
    MPI_Finalize();
    return failures != 0;
}
