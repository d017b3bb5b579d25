/* Derived communicators of all kinds, groups, attributes and messages under way, while ranks move
 * one after the other until no spare is left.  Every byte that arrives is checked.  The program
 * knows nothing of moves but the three auto_ calls; only who moves next keeps no request open
 * over the poll. */
#include <mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

#define COMMS 20
#define BIG (3 << 20)
#define STEPS 4000

enum { FIRST, SECOND, KINDS };

static MPI_Comm comms[COMMS];
static MPI_Comm cart, graph, dist, inter;
static MPI_Group evens;
static int ncomms, rank, nranks, spares, keyval;

static int step, moves, failures;
static int one_int[] = { typeINT };

static MPI_Request sends[COMMS][KINDS], recvs[COMMS][KINDS];
static unsigned char *out[COMMS][KINDS], *in[COMMS][KINDS];

#define CHECK(what)                                                                               \
    do {                                                                                          \
        if (!(what) && failures++ < 20)                                                           \
            fprintf(stderr, "%s:%d: rank %d step %d: %s is false\n", __FILE__, __LINE__, rank,    \
                    step, #what);                                                                 \
    } while (0)

static int copy_plus_one(MPI_Comm c, int key, void *extra, void *value, void *copy, int *flag)
{
    (void) c;
    (void) key;
    (void) extra;
    *(long *) copy = (long) value + 1;
    *flag = 1;
    return MPI_SUCCESS;
}

static MPI_Comm keep(MPI_Comm c)
{
    return comms[ncomms++] = c;
}

/* The start-up phase: a newcomer runs it as well. */
static void make(void)
{
    int dims[2] = { 2, nranks / 2 }, periods[2] = { 1, 0 }, keep_dims[2] = { 0, 1 }, n = 0;
    int *index = malloc(sizeof(int) * (size_t) nranks);
    int *edges = malloc(sizeof(int) * 2 * (size_t) nranks);
    int left = (rank + nranks - 1) % nranks, right = (rank + 1) % nranks;
    int sources[2] = { left, right }, weights[2] = { rank, 5 }, *list;
    MPI_Comm c, row;
    MPI_Group world;
    MPI_Request q;

    keep(MPI_COMM_WORLD);
    MPI_Comm_create_keyval(copy_plus_one, MPI_COMM_NULL_DELETE_FN, &keyval, NULL);
    MPI_Comm_set_attr(MPI_COMM_WORLD, keyval, (void *) 41);
    MPI_Comm_dup(MPI_COMM_WORLD, &c);
    MPI_Comm_set_name(keep(c), "copy of the world");
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, -rank, &row);
    keep(row);
    MPI_Comm_split(MPI_COMM_WORLD, rank == 1 ? MPI_UNDEFINED : 0, rank, &c);
    if (c != MPI_COMM_NULL)
        keep(c);
    else
        keep(MPI_COMM_SELF);
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    list = malloc(sizeof(int) * (size_t) nranks);
    for (int r = 0; r < nranks; r += 2)
        list[n++] = r;
    MPI_Group_incl(world, n, list, &evens);
    MPI_Comm_create(MPI_COMM_WORLD, evens, &c);
    keep(c != MPI_COMM_NULL ? c : MPI_COMM_SELF);
    if (rank % 2 == 0) {
        MPI_Comm_create_group(MPI_COMM_WORLD, evens, 3, &c);
        keep(c);
    } else {
        keep(MPI_COMM_SELF);
    }
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 1, &cart);
    keep(cart);
    MPI_Cart_sub(cart, keep_dims, &c);
    keep(c);
    MPI_Comm_dup(cart, &c);
    keep(c);
    for (int r = 0; r < nranks; r++) {
        index[r] = 2 * r + 2;
        edges[2 * r] = (r + 1) % nranks;
        edges[2 * r + 1] = (r + nranks - 1) % nranks;
    }
    MPI_Graph_create(MPI_COMM_WORLD, nranks, index, edges, 0, &graph);
    keep(graph);
    MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 2, sources, weights, 2, sources, weights,
                                   MPI_INFO_NULL, 0, &dist);
    keep(dist);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &c);
    keep(c);
    MPI_Comm_idup(row, &c, &q);
    MPI_Wait(&q, MPI_STATUS_IGNORE);
    keep(c);
    MPI_Intercomm_create(row, 0, MPI_COMM_WORLD, 1 - rank % 2 + (nranks - 2) / 2 * 2, 8, &inter);
    MPI_Intercomm_merge(inter, rank % 2, &c);
    keep(c);
    /* One that lives and dies in start-up. */
    MPI_Comm_dup(row, &c);
    MPI_Comm_rank(c, &n);
    MPI_Comm_free(&c);
    MPI_Group_free(&world);
    free(list);
    free(index);
    free(edges);
}

static int length(int c, int kind, int s)
{
    static const int lengths[] = { 1, 1000, 70000, 8, 300, 4097 };

    if (c == (s / 3) % ncomms && kind == FIRST)
        return BIG - s % 7;
    return lengths[(c + s + kind) % 6];
}

/* Bytes of the message that `from` (world rank) sends in step s. */
static void fill(unsigned char *p, int c, int kind, int from, int s)
{
    unsigned x = (unsigned) (c * 7919 + kind * 104729 + from * 31 + s);
    int n = length(c, kind, s);

    for (int i = 0; i < n; i++)
        p[i] = (unsigned char) ((x + (unsigned) i * 2654435761u) >> 13);
}

static int world_rank_of(MPI_Comm c, int r)
{
    MPI_Group a, b;
    int w;

    MPI_Comm_group(c, &a);
    MPI_Comm_group(MPI_COMM_WORLD, &b);
    MPI_Group_translate_ranks(a, 1, &r, b, &w);
    MPI_Group_free(&a);
    MPI_Group_free(&b);
    return w;
}

/* Who is to move next, and must not have a request open at the poll. */
static int next_mover(void)
{
    return (moves * 5 + 1) % nranks;
}

static void send_all(void)
{
    for (int i = 0; i < ncomms; i++) {
        int r, n, to, from;

        MPI_Comm_rank(comms[i], &r);
        MPI_Comm_size(comms[i], &n);
        to = (r + 1 + step % n) % n;
        from = ((r - 1 - step % n) % n + n) % n;
        for (int kind = 0; kind < KINDS; kind++) {
            int bytes = length(i, kind, step), tag = 10 * i + kind;

            fill(out[i][kind], i, kind, rank, step);
            if (rank == next_mover()) {
                /* Whatever it sends must be complete: by a buffered send. */
                MPI_Bsend(out[i][kind], bytes, MPI_BYTE, to, tag, comms[i]);
                continue;
            }
            MPI_Isend(out[i][kind], bytes, MPI_BYTE, to, tag, comms[i], &sends[i][kind]);
            if ((i + step) % 2)
                MPI_Irecv(in[i][kind], BIG, MPI_BYTE, i % 3 ? from : MPI_ANY_SOURCE,
                          tag, comms[i], &recvs[i][kind]);
        }
    }
}

/* What was sent in the step before, perhaps by a process that is gone. */
static void receive_all(int s)
{
    unsigned char *want = malloc(BIG);

    for (int i = 0; i < ncomms; i++) {
        int r, n, from, bytes;

        MPI_Comm_rank(comms[i], &r);
        MPI_Comm_size(comms[i], &n);
        from = ((r - 1 - s % n) % n + n) % n;
        for (int kind = 0; kind < KINDS; kind++) {
            MPI_Status st;

            memset(&st, 0, sizeof(st));
            if (recvs[i][kind] != MPI_REQUEST_NULL) {
                MPI_Wait(&recvs[i][kind], &st);
            } else if ((i + s) % 5 == 0) {
                MPI_Probe(from, MPI_ANY_TAG, comms[i], &st);
                CHECK(st.MPI_TAG == 10 * i + kind);
                MPI_Recv(in[i][kind], BIG, MPI_BYTE, from, st.MPI_TAG, comms[i], &st);
            } else {
                MPI_Recv(in[i][kind], BIG, MPI_BYTE, kind ? from : MPI_ANY_SOURCE,
                         10 * i + kind, comms[i], &st);
            }
            MPI_Get_count(&st, MPI_BYTE, &bytes);
            CHECK(st.MPI_SOURCE == from && st.MPI_TAG == 10 * i + kind);
            CHECK(bytes == length(i, kind, s));
            fill(want, i, kind, world_rank_of(comms[i], from), s);
            CHECK(memcmp(want, in[i][kind], (size_t) length(i, kind, s)) == 0);
            MPI_Wait(&sends[i][kind], MPI_STATUS_IGNORE);
        }
    }
    free(want);
}

static void collectives(void)
{
    for (int i = 0; i < ncomms; i++) {
        long mine = 1L << rank, sum, want = 0;
        int r, n, root, *all;

        MPI_Comm_rank(comms[i], &r);
        MPI_Comm_size(comms[i], &n);
        all = calloc((size_t) n, sizeof(int));
        for (int k = 0; k < n; k++)
            want += 1L << world_rank_of(comms[i], k);
        MPI_Allreduce(&mine, &sum, 1, MPI_LONG, MPI_SUM, comms[i]);
        CHECK(sum == want);
        root = r == step % n ? rank * 1000 + step : -1;
        MPI_Bcast(&root, 1, MPI_INT, step % n, comms[i]);
        CHECK(root == world_rank_of(comms[i], step % n) * 1000 + step);
        MPI_Allgather(&rank, 1, MPI_INT, all, 1, MPI_INT, comms[i]);
        for (int k = 0; k < n; k++)
            CHECK(all[k] == world_rank_of(comms[i], k));
        free(all);
    }
}

/* Between the even and the odd ranks. */
static void between(void)
{
    int n, sum, want = 0, *all, got = -1, me;
    MPI_Status st;

    MPI_Comm_rank(inter, &me);
    MPI_Comm_remote_size(inter, &n);
    CHECK(n == nranks / 2);
    all = calloc((size_t) n, sizeof(int));
    MPI_Allgather(&rank, 1, MPI_INT, all, 1, MPI_INT, inter);
    for (int k = 0; k < n; k++) {
        CHECK(all[k] % 2 != rank % 2);
        want += all[k];
    }
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, inter);
    CHECK(sum == want);
    MPI_Sendrecv(&rank, 1, MPI_INT, me, 4, &got, 1, MPI_INT, MPI_ANY_SOURCE, 4, inter, &st);
    CHECK(st.MPI_SOURCE == me && got == all[me]);
    free(all);
}

/* Collective calls that begin before a poll and end after it, except at the rank that moves next.
 * */
static MPI_Request begun[COMMS];
static long part[COMMS], whole[COMMS];

static void begin_collectives(void)
{
    for (int i = 0; i < ncomms; i++) {
        part[i] = (long) (rank + 1) * (step + 1);
        MPI_Iallreduce(&part[i], &whole[i], 1, MPI_LONG, MPI_SUM, comms[i], &begun[i]);
        if (rank == next_mover())
            MPI_Wait(&begun[i], MPI_STATUS_IGNORE);
    }
}

static void end_collectives(int s)
{
    for (int i = 0; i < ncomms; i++) {
        long want = 0;
        int n;

        if (begun[i] == MPI_REQUEST_NULL)
            continue; /* ended, perhaps by a predecessor */
        MPI_Wait(&begun[i], MPI_STATUS_IGNORE);
        MPI_Comm_size(comms[i], &n);
        for (int k = 0; k < n; k++)
            want += (long) (world_rank_of(comms[i], k) + 1) * (s + 1);
        CHECK(whole[i] == want);
    }
}

static void topologies(void)
{
    int dims[2], periods[2], coords[2], up, down, near[2], w[2], got[2], n, m, weighted, r;
    int left = (rank + nranks - 1) % nranks, right = (rank + 1) % nranks;

    MPI_Cart_get(cart, 2, dims, periods, coords);
    CHECK(dims[0] == 2 && dims[1] == nranks / 2 && periods[0] && !periods[1]);
    MPI_Cart_rank(cart, coords, &r);
    CHECK(r == rank && coords[0] == rank / (nranks / 2));
    MPI_Cart_shift(cart, 1, 1, &down, &up);
    CHECK(up == (coords[1] == dims[1] - 1 ? MPI_PROC_NULL : rank + 1));
    n = rank;
    m = -1;
    MPI_Sendrecv(&n, 1, MPI_INT, up, 1, &m, 1, MPI_INT, down, 1, cart, MPI_STATUS_IGNORE);
    CHECK(m == (down == MPI_PROC_NULL ? -1 : down));
    MPI_Graph_neighbors_count(graph, rank, &n);
    MPI_Graph_neighbors(graph, rank, 2, near);
    CHECK(n == 2 && near[0] == right && near[1] == left);
    MPI_Neighbor_allgather(&rank, 1, MPI_INT, got, 1, MPI_INT, graph);
    CHECK(got[0] == right && got[1] == left);
    MPI_Dist_graph_neighbors_count(dist, &n, &m, &weighted);
    CHECK(n == 2 && m == 2 && weighted);
    MPI_Dist_graph_neighbors(dist, 2, near, w, 2, near, w);
    CHECK(near[0] == left && near[1] == right && w[0] == rank && w[1] == 5);
    if (nranks > 2) {
        MPI_Neighbor_allgather(&rank, 1, MPI_INT, got, 1, MPI_INT, dist);
        CHECK(got[0] == left && got[1] == right);
    }
}

static void properties(void)
{
    char name[MPI_MAX_OBJECT_NAME];
    MPI_Group world;
    MPI_Comm c;
    void *value = NULL;
    int flag, n, r, same, *tag_ub;

    MPI_Comm_get_name(comms[1], name, &n);
    CHECK(strcmp(name, "copy of the world") == 0);
    MPI_Comm_get_attr(comms[1], keyval, &value, &flag);
    CHECK(flag && (long) value == 42);
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &tag_ub, &flag);
    CHECK(flag && *tag_ub >= 32767);
    MPI_Comm_compare(comms[0], comms[1], &same);
    CHECK(same == MPI_CONGRUENT);
    MPI_Comm_compare(comms[1], comms[1], &same);
    CHECK(same == MPI_IDENT);
    MPI_Group_rank(evens, &r);
    CHECK(r == (rank % 2 ? MPI_UNDEFINED : rank / 2));
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_compare(world, evens, &same);
    CHECK(same == (nranks == 1 ? MPI_IDENT : MPI_UNEQUAL));
    MPI_Group_free(&world);
    /* Made and freed between polls. */
    MPI_Comm_create(comms[1], evens, &c);
    CHECK((c == MPI_COMM_NULL) == (rank % 2 == 1));
    if (c != MPI_COMM_NULL) {
        MPI_Comm_rank(c, &n);
        CHECK(n == r);
        MPI_Barrier(c);
        MPI_Comm_free(&c);
    }
}

int main(int argc, char **argv)
{
    int came = 0, sum = 0;
    const char *text = getenv("HMF_SPARES");
    void *space = malloc(2 * COMMS * (BIG + 1024));
    int size = 2 * COMMS * (BIG + 1024);

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &nranks);
    spares = text != NULL ? atoi(text) : 0;
    MPI_Bcast(&spares, 1, MPI_INT, 0, MPI_COMM_WORLD);
    make();
    MPI_Buffer_attach(space, size);
    for (int i = 0; i < ncomms; i++)
        begun[i] = MPI_REQUEST_NULL;
    for (int i = 0; i < ncomms; i++)
        for (int k = 0; k < KINDS; k++) {
            sends[i][k] = recvs[i][k] = MPI_REQUEST_NULL;
            out[i][k] = malloc(BIG);
            in[i][k] = malloc(BIG);
        }
    auto_init(argv[0]);
    auto_track("step", &step, sizeof(step), one_int, 1);
    auto_track("moves", &moves, sizeof(moves), one_int, 1);
    auto_track("failures", &failures, sizeof(failures), one_int, 1);
    if (auto_read(AUTO_MIGR))
        came = 1;
    for (; step < STEPS; step++) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR)
            break;
        if (step > 0)
            receive_all(step - 1);
        if (step > 0)
            end_collectives(step - 1);
        collectives();
        between();
        topologies();
        properties();
        /* Newcomers tell once that they came; nobody moves before all know it. */
        MPI_Allreduce(&came, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        came = 0;
        moves += sum;
        if (rank == 0 && moves < spares && (sum > 0 || step == 0))
            CHECK(hmf_request_move(next_mover(), NULL) == HMF_OK);
        if (moves == spares && step > 5)
            break;
        send_all();
        begin_collectives();
    }
    if (step < STEPS && moves == spares) {
        /* Stayed to the end. */
        MPI_Allreduce(MPI_IN_PLACE, &failures, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        if (rank == 0)
            printf("%d ranks, %d moves in %d steps, %d failures\n", nranks, moves, step, failures);
        MPI_Comm_free(&inter);
        for (int i = ncomms - 1; i > 0; i--)
            if (comms[i] != MPI_COMM_SELF)
                MPI_Comm_free(&comms[i]);
        MPI_Group_free(&evens);
        MPI_Comm_free_keyval(&keyval);
    } else if (step >= STEPS) {
        failures++;
    }
    MPI_Buffer_detach(&space, &size);
    auto_done();
    MPI_Finalize();
    return failures != 0;
}
