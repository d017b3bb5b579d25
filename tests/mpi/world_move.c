/* Communicators of every kind across moves of ranks, by the world layer alone.  Five processes or
 * more: four ranks, the rest spares. */
#include "moves.h"

#include "vattr.h"
#include "vgroup.h"

#define NRANKS 4
#define MAX 40

static MPI_Comm comms[MAX];
static int ncomms;

static MPI_Comm adopt(MPI_Comm real, MPI_Comm parent)
{
    MPI_Comm c;

    hmf__count_collective(parent);
    CHECK(hmf__vcomm_adopt(real, parent, 0, &c) == HMF_OK);
    if (c != MPI_COMM_NULL)
        comms[ncomms++] = c;
    return c;
}

static void make(void)
{
    MPI_Comm world = hmf__comm_real(MPI_COMM_WORLD), real, cart, row, c, *where;
    int dims[2] = { 2, 2 }, periods[2] = { 1, 0 }, keep[2] = { 0, 1 };
    int index[4] = { 2, 3, 4, 6 }, edges[6] = { 1, 3, 0, 3, 0, 2 };
    int rank = hmf__world_rank(), some[3] = { 3, 0, 1 };
    int from[2] = { (rank + 3) % 4, (rank + 1) % 4 }, to[2] = { (rank + 1) % 4, (rank + 3) % 4 };
    int weights[2] = { 1 + rank, 7 };
    MPI_Group all, logical, procs;
    MPI_Request q;

    comms[ncomms++] = MPI_COMM_WORLD;
    PMPI_Comm_dup(world, &real);
    c = adopt(real, MPI_COMM_WORLD);
    PMPI_Comm_set_name(hmf__comm_real(c), "first copy");
    PMPI_Comm_set_errhandler(hmf__comm_real(c), MPI_ERRORS_RETURN);
    PMPI_Comm_split(world, rank % 2, -rank, &real);
    row = adopt(real, MPI_COMM_WORLD);
    PMPI_Comm_split(world, rank == 2 ? MPI_UNDEFINED : 1, rank, &real);
    adopt(real, MPI_COMM_WORLD);
    hmf__group_of_comm(MPI_COMM_WORLD, &all);
    PMPI_Group_incl(all, 3, some, &logical);
    CHECK(hmf__group_to_procs(logical, &procs) == MPI_SUCCESS);
    PMPI_Comm_create(world, procs, &real);
    adopt(real, MPI_COMM_WORLD);
    if (rank != 2) {
        PMPI_Comm_create_group(world, procs, 5, &real);
        CHECK(hmf__vcomm_adopt_group(real, &c) == HMF_OK);
        comms[ncomms++] = c;
    }
    PMPI_Group_free(&all);
    PMPI_Group_free(&logical);
    PMPI_Group_free(&procs);
    PMPI_Cart_create(world, 2, dims, periods, 1, &real);
    cart = adopt(real, MPI_COMM_WORLD);
    PMPI_Comm_dup(hmf__comm_real(cart), &real);
    adopt(real, cart);
    keep[0] = 0;
    PMPI_Cart_sub(hmf__comm_real(cart), keep, &real);
    adopt(real, cart);
    PMPI_Graph_create(world, 4, index, edges, 0, &real);
    adopt(real, MPI_COMM_WORLD);
    PMPI_Dist_graph_create_adjacent(world, 2, from, weights, 2, to, weights, MPI_INFO_NULL, 0,
                                    &real);
    adopt(real, MPI_COMM_WORLD);
    PMPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &real);
    adopt(real, MPI_COMM_WORLD);
    PMPI_Comm_dup(MPI_COMM_SELF, &real);
    adopt(real, MPI_COMM_SELF);
    PMPI_Comm_dup(hmf__comm_real(row), &real);
    adopt(real, row);
    CHECK(hmf__vcomm_adopt_idup(MPI_COMM_WORLD, &c, &where) == HMF_OK);
    PMPI_Comm_idup(world, where, &q);
    PMPI_Wait(&q, MPI_STATUS_IGNORE);
    comms[ncomms++] = c;
    /* Between the odd and the even ranks. */
    PMPI_Intercomm_create(hmf__comm_real(row), 0, world, rank % 2 ? 2 : 3, 9, &real);
    CHECK(hmf__vcomm_adopt_group(real, &c) == HMF_OK);
    comms[ncomms++] = c;
    PMPI_Intercomm_merge(hmf__comm_real(c), rank % 2, &real);
    adopt(real, c);
}

/* A newcomer has the handles that its predecessor had, by their numbers. */
static void take_over(void)
{
    ncomms = 0;
    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        if (v != &hmf__vcomm_self)
            comms[ncomms++] = hmf__vcomm_handle(v);
}

static void check_topology(MPI_Comm real)
{
    int kind, n = 0, dims[2], periods[2], coords[2], a[8], b[8], w[8], x[8], weighted;
    int rank = hmf__world_rank();

    PMPI_Topo_test(real, &kind);
    if (kind == MPI_CART) {
        PMPI_Cartdim_get(real, &n);
        PMPI_Cart_get(real, 2, dims, periods, coords);
        CHECK(n == 1 || (dims[0] == 2 && dims[1] == 2 && periods[0] && !periods[1]
                         && coords[0] == rank / 2 && coords[1] == rank % 2));
    } else if (kind == MPI_GRAPH) {
        PMPI_Graph_neighbors_count(real, rank, &n);
        CHECK(n == (rank == 0 || rank == 3 ? 2 : 1));
    } else if (kind == MPI_DIST_GRAPH) {
        PMPI_Dist_graph_neighbors_count(real, &n, &n, &weighted);
        CHECK(n == 2 && weighted);
        PMPI_Dist_graph_neighbors(real, 2, a, w, 2, b, x);
        CHECK(a[0] == (rank + 3) % 4 && b[0] == (rank + 1) % 4 && w[0] == rank + 1 && x[1] == 7);
    }
}

static void use(int round)
{
    int kinds[4] = { 0 }, n;
    char name[MPI_MAX_OBJECT_NAME];
    MPI_Errhandler handler;

    for (int i = 0; i < ncomms; i++) {
        struct hmf__vcomm *v = hmf__vcomm_of(comms[i]);
        MPI_Comm real = hmf__comm_real(comms[i]);
        int rank, size, inter, *all, kind;
        long sum = 0, mine = 1 + hmf__world_rank(), want = 0;

        CHECK(hmf__vcomm_f2c(hmf__vcomm_c2f(comms[i])) == comms[i]);
        PMPI_Comm_rank(real, &rank);
        PMPI_Comm_size(real, &size);
        PMPI_Comm_test_inter(real, &inter);
        CHECK(rank == v->rank && size == v->size && v->members->rank[rank] == hmf__world_rank());
        PMPI_Topo_test(real, &kind);
        kinds[kind == MPI_CART ? 1 : kind == MPI_GRAPH ? 2 : kind == MPI_DIST_GRAPH ? 3 : 0]++;
        check_topology(real);
        PMPI_Allreduce(&mine, &sum, 1, MPI_LONG, MPI_SUM, real);
        for (int k = 0; k < (inter ? v->remote_size : size); k++)
            want += 1 + (inter ? v->remote : v->members)->rank[k];
        CHECK(sum == want);
        all = malloc((size_t) (size + v->remote_size) * sizeof(int));
        n = hmf__world_rank();
        PMPI_Allgather(&n, 1, MPI_INT, all, 1, MPI_INT, real);
        CHECK(memcmp(all, (inter ? v->remote : v->members)->rank,
                     (size_t) (inter ? v->remote_size : size) * sizeof(int)) == 0);
        free(all);
    }
    CHECK(kinds[1] == 3 && kinds[2] == 1 && kinds[3] == 1);
    PMPI_Comm_get_name(hmf__comm_real(comms[1]), name, &n);
    CHECK(strcmp(name, "first copy") == 0);
    PMPI_Comm_get_errhandler(hmf__comm_real(comms[1]), &handler);
    CHECK(handler == MPI_ERRORS_RETURN);
    PMPI_Comm_get_errhandler(hmf__comm_real(comms[2]), &handler);
    CHECK(handler == MPI_ERRORS_ARE_FATAL);
    (void) round;
}

/* Messages that are on their way at the cut: to every member of every communicator, in three
 * sizes. */
static const int sizes[] = { 1, 3000, 200000 };

static int fill(int comm, int from, int k, unsigned char *data)
{
    for (int i = 0; i < sizes[k]; i++)
        data[i] = (unsigned char) (comm * 7 + from * 31 + k + i);
    return sizes[k];
}

static MPI_Request pending[MAX * NRANKS * 3];
static unsigned char *held[MAX * NRANKS * 3];
static int npending;

static void send_all(void)
{
    npending = 0;
    for (int i = 0; i < ncomms; i++) {
        struct hmf__vcomm *v = hmf__vcomm_of(comms[i]);

        for (int to = 0; to < (v->remote ? v->remote_size : v->size); to++)
            for (int k = 0; k < 3; k++) {
                held[npending] = malloc((size_t) sizes[k]);
                fill((int) v->gid, v->rank, k, held[npending]);
                PMPI_Isend(held[npending], sizes[k], MPI_BYTE, to, k, v->real, &pending[npending]);
                hmf__count_sent_v(v);
                npending++;
            }
    }
}

static void recv_all(void)
{
    unsigned char *got = malloc(200000), *want = malloc(200000);

    for (int i = 0; i < ncomms; i++) {
        struct hmf__vcomm *v = hmf__vcomm_of(comms[i]);
        int senders = v->remote ? v->remote_size : v->size, next[NRANKS] = { 0 };

        for (int n = 0; n < senders * 3; n++) {
            int from = MPI_ANY_SOURCE, tag = MPI_ANY_TAG;
            int bytes = test_recv(got, 200000, &from, &tag, comms[i]);

            CHECK(tag == next[from]++);
            CHECK(bytes == fill((int) v->gid, from, tag, want) && memcmp(got, want, bytes) == 0);
        }
    }
    free(got);
    free(want);
    if (npending > 0)
        PMPI_Waitall(npending, pending, MPI_STATUSES_IGNORE);
    for (int i = 0; i < npending; i++)
        free(held[i]);
    npending = 0;
}

/* The source's own sends have ended in the drain (here: must be ended by hand). */
static void forget_sends(void)
{
    PMPI_Waitall(npending, pending, MPI_STATUSES_IGNORE);
    for (int i = 0; i < npending; i++)
        free(held[i]);
    npending = 0;
}

int main(int argc, char **argv)
{
    int nprocs, map[NRANKS] = { 0, 1, 2, 3 }, was;

    PMPI_Init(&argc, &argv);
    PMPI_Comm_size(MPI_COMM_WORLD, &nprocs);
    CHECK(hmf__world_init(NRANKS, map) == HMF_OK);
    /* A source packs its start-up log; this one is empty. */
    hmf__startup_begin(1);
    if (hmf__world_rank() >= 0) {
        make();
        use(-1);
    }
    hmf__startup_end();
    /* One rank, then two at once, in turn, until no spare is left. */
    for (int round = 0, used = NRANKS; used < nprocs; round++) {
        int after[NRANKS], now = -1;
        double seconds;

        was = hmf__world_rank();
        memcpy(after, map, sizeof(map));
        for (int k = 0; k <= round % 2 && used < nprocs; k++)
            after[(round * 3 + k * 2) % NRANKS] = used++;
        for (int r = 0; r < NRANKS; r++)
            now = after[r] == hmf__world_proc() ? r : now;
        for (int fail = 1; fail >= 0; fail--) {
            if (was >= 0)
                send_all();
            seconds = test_move(map, after, NRANKS, fail);
            if (fail) {
                CHECK(hmf__world_rank() == was);
            } else {
                CHECK(hmf__world_rank() == now);
                for (int r = 0; r < NRANKS; r++)
                    CHECK(hmf__world_proc_of(r) == after[r]);
                memcpy(map, after, sizeof(map));
                if (was < 0 && hmf__world_rank() >= 0)
                    take_over();
            }
            if (hmf__world_has_left()) {
                forget_sends();
                CHECK(hmf__comm_real(MPI_COMM_WORLD) == MPI_COMM_NULL);
            } else if (hmf__world_rank() >= 0) {
                recv_all();
                CHECK(hmf__stash_total == 0);
                use(round);
            }
        }
        if (hmf__world_proc() == 0 && argc > 1)
            printf("move %d: %.2f ms\n", round, seconds * 1e3);
    }
    if (!hmf__world_has_left() && hmf__world_rank() >= 0)
        for (int i = ncomms - 1; i > 0; i--)
            CHECK(hmf__vcomm_free(&comms[i], false) == MPI_SUCCESS && comms[i] == MPI_COMM_NULL);
    PMPI_Allreduce(MPI_IN_PLACE, &failures, 1, MPI_INT, MPI_SUM, hmf__world_universe());
    hmf__world_fini();
    PMPI_Finalize();
    return failures != 0;
}
