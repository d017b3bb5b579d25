/* Communicators, groups, topologies, attributes, windows and files on the virtual world. Above all:
 * nothing ever shows a process beyond the world's size.
 * launch: env=OMPI_MCA_osc=pt2pt */
#include "shim.h"

static int copies, deletes;

static int copy_attr(MPI_Comm comm, int key, void *extra, void *in, void *out, int *flag)
{
    int r;

    (void) key;
    CHECK(MPI_Comm_rank(comm, &r) == MPI_SUCCESS);
    CHECK(extra == &copies);
    copies++;
    *(void **) out = (char *) in + 1;
    *flag = 1;
    return MPI_SUCCESS;
}

static int delete_attr(MPI_Comm comm, int key, void *value, void *extra)
{
    (void) comm;
    (void) key;
    (void) value;
    (void) extra;
    deletes++;
    return MPI_SUCCESS;
}

static void size_is(MPI_Comm c, int want)
{
    int n = -1, sum = 0, one = 1;

    OK(MPI_Comm_size(c, &n));
    CHECK(n == want);
    OK(MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, c));
    CHECK(sum == want);
}

static void constructors(void)
{
    int dims[2] = {0, 0}, periods[2] = {1, 0}, coords[2], keep[2] = {1, 0}, r, n, result;
    int index[64], edges[128], degree = 1, weights[2], source[2], dest[2];
    int nin, nout, weighted, list[64];
    MPI_Comm c, d, cart;
    MPI_Request request;
    char name[MPI_MAX_OBJECT_NAME];

    OK(MPI_Comm_dup(MPI_COMM_WORLD, &c));
    size_is(c, size);
    OK(MPI_Comm_compare(MPI_COMM_WORLD, c, &result));
    CHECK(result == MPI_CONGRUENT);
    OK(MPI_Comm_compare(c, c, &result));
    CHECK(result == MPI_IDENT);
    OK(MPI_Comm_set_name(c, "a copy"));
    OK(MPI_Comm_get_name(c, name, &n));
    CHECK(strcmp(name, "a copy") == 0);
    CHECK(MPI_Comm_f2c(MPI_Comm_c2f(c)) == c);
    CHECK(MPI_Comm_f2c(MPI_Comm_c2f(MPI_COMM_WORLD)) == MPI_COMM_WORLD);
    OK(MPI_Comm_idup(c, &d, &request));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    size_is(d, size);
    OK(MPI_Comm_free(&d));
    CHECK(d == MPI_COMM_NULL);
    OK(MPI_Comm_dup_with_info(c, MPI_INFO_NULL, &d));
    size_is(d, size);
    OK(MPI_Comm_disconnect(&d));
    OK(MPI_Comm_split(c, rank % 2, -rank, &d));
    size_is(d, (size + 1 - rank % 2) / 2);
    OK(MPI_Comm_free(&d));
    OK(MPI_Comm_split(c, rank == 0 ? MPI_UNDEFINED : 1, 0, &d));
    CHECK((d == MPI_COMM_NULL) == (rank == 0));
    if (d != MPI_COMM_NULL) {
        size_is(d, size - 1);
        OK(MPI_Comm_free(&d));
    }
    OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &d));
    OK(MPI_Comm_size(d, &n));
    CHECK(n >= 1 && n <= size);
    OK(MPI_Comm_free(&d));

    OK(MPI_Dims_create(size, 2, dims));
    OK(MPI_Cart_create(c, 2, dims, periods, 1, &cart));
    OK(MPI_Cart_get(cart, 2, dims, periods, coords));
    OK(MPI_Cart_rank(cart, coords, &r));
    OK(MPI_Comm_rank(cart, &n));
    CHECK(r == n);
    OK(MPI_Cartdim_get(cart, &n));
    CHECK(n == 2);
    OK(MPI_Cart_shift(cart, 0, 1, source, dest));
    OK(MPI_Cart_sub(cart, keep, &d));
    size_is(d, dims[0]);
    OK(MPI_Topo_test(d, &n));
    CHECK(n == MPI_CART);
    OK(MPI_Comm_free(&d));
    OK(MPI_Comm_free(&cart));

    for (int i = 0; i < size; i++) {
        index[i] = 2 * (i + 1);
        edges[2 * i] = (i + size - 1) % size;
        edges[2 * i + 1] = (i + 1) % size;
    }
    OK(MPI_Graph_create(c, size, index, edges, 0, &d));
    OK(MPI_Graph_neighbors_count(d, rank, &n));
    CHECK(n == 2);
    OK(MPI_Graphdims_get(d, &n, &r));
    CHECK(n == size && r == 2 * size);
    OK(MPI_Comm_free(&d));
    source[0] = (rank + size - 1) % size;
    dest[0] = (rank + 1) % size;
    OK(MPI_Dist_graph_create_adjacent(c, 1, source, &degree, 1, dest, &degree, MPI_INFO_NULL, 0,
                                      &d));
    OK(MPI_Dist_graph_neighbors_count(d, &nin, &nout, &weighted));
    CHECK(nin == 1 && nout == 1 && weighted);
    OK(MPI_Neighbor_allgather(&rank, 1, MPI_INT, list, 1, MPI_INT, d));
    CHECK(list[0] == source[0]);
    OK(MPI_Comm_free(&d));
    OK(MPI_Dist_graph_create(c, 1, &rank, &degree, dest, &degree, MPI_INFO_NULL, 0, &d));
    OK(MPI_Dist_graph_neighbors(d, 1, source, weights, 1, dest, weights + 1));
    CHECK(source[0] == (rank + size - 1) % size);
    OK(MPI_Comm_free(&d));
    OK(MPI_Comm_free(&c));
    OK(MPI_Comm_get_parent(&c));
    CHECK(c == MPI_COMM_NULL);
}

static void groups(void)
{
    MPI_Group world, some, rest, other;
    MPI_Comm c;
    int n, r, ranks[64], back[64], result;

    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    OK(MPI_Group_size(world, &n));
    CHECK(n == size);
    OK(MPI_Group_rank(world, &r));
    CHECK(r == rank);
    for (int i = 0; i < size; i++)
        ranks[i] = size - 1 - i;
    OK(MPI_Group_incl(world, size, ranks, &some));
    OK(MPI_Group_rank(some, &r));
    CHECK(r == size - 1 - rank);
    OK(MPI_Comm_create(MPI_COMM_WORLD, some, &c));
    OK(MPI_Comm_rank(c, &r));
    CHECK(r == size - 1 - rank);
    size_is(c, size);
    OK(MPI_Comm_group(c, &other));
    OK(MPI_Group_compare(some, other, &result));
    CHECK(result == MPI_IDENT);
    OK(MPI_Group_compare(world, other, &result));
    CHECK(result == (size > 1 ? MPI_SIMILAR : MPI_IDENT));
    OK(MPI_Group_translate_ranks(other, size, ranks, world, back));
    for (int i = 0; i < size; i++)
        CHECK(back[i] == i);
    OK(MPI_Group_free(&other));
    OK(MPI_Comm_free(&c));
    ranks[0] = 0;
    OK(MPI_Group_excl(world, 1, ranks, &rest));
    if (rank > 0) {
        OK(MPI_Comm_create_group(MPI_COMM_WORLD, rest, 9, &c));
        size_is(c, size - 1);
        OK(MPI_Comm_free(&c));
    }
    OK(MPI_Comm_create(MPI_COMM_WORLD, rank == 0 ? MPI_GROUP_EMPTY : rest, &c));
    CHECK((c == MPI_COMM_NULL) == (rank == 0));
    if (c != MPI_COMM_NULL)
        OK(MPI_Comm_free(&c));
    OK(MPI_Group_free(&some));
    OK(MPI_Group_free(&rest));
    OK(MPI_Group_free(&world));
}

static void inter(void)
{
    MPI_Comm half, inter, both;
    MPI_Group g;
    int n, flag, in = -1, low = rank < size / 2, root;

    OK(MPI_Comm_split(MPI_COMM_WORLD, low, rank, &half));
    OK(MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, low ? size / 2 : 0, 3, &inter));
    OK(MPI_Comm_test_inter(inter, &flag));
    CHECK(flag);
    OK(MPI_Comm_remote_size(inter, &n));
    CHECK(n == (low ? size - size / 2 : size / 2));
    OK(MPI_Comm_remote_group(inter, &g));
    OK(MPI_Group_size(g, &flag));
    CHECK(flag == n);
    OK(MPI_Group_free(&g));
    root = low ? (rank == 0 ? MPI_ROOT : MPI_PROC_NULL) : 0;
    if (low)
        in = 5;
    OK(MPI_Bcast(&in, 1, MPI_INT, root, inter));
    CHECK(in == 5);
    OK(MPI_Intercomm_merge(inter, !low, &both));
    size_is(both, size);
    OK(MPI_Comm_free(&both));
    OK(MPI_Comm_free(&inter));
    OK(MPI_Comm_free(&half));
}

static void attributes(void)
{
    MPI_Comm c, d;
    int key, flag, *tag_ub;
    char *value, text[4];

    OK(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &tag_ub, &flag));
    CHECK(flag && *tag_ub >= 32767);
    OK(MPI_Comm_create_keyval(copy_attr, delete_attr, &key, &copies));
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &c));
    OK(MPI_Comm_get_attr(c, MPI_TAG_UB, &tag_ub, &flag));
    CHECK(flag && *tag_ub >= 32767);
    OK(MPI_Comm_set_attr(c, key, text));
    OK(MPI_Comm_dup(c, &d));
    CHECK(copies == 1);
    OK(MPI_Comm_get_attr(d, key, &value, &flag));
    CHECK(flag && value == text + 1);
    OK(MPI_Comm_delete_attr(d, key));
    CHECK(deletes == 1);
    OK(MPI_Comm_get_attr(d, key, &value, &flag));
    CHECK(!flag);
    OK(MPI_Comm_free(&d));
    OK(MPI_Comm_free(&c));
    CHECK(deletes == 2);
    OK(MPI_Comm_free_keyval(&key));
}

static void windows(void)
{
    int memory[2] = {rank, -1}, right = (rank + 1) % size, left = (rank + size - 1) % size, got, n;
    int *shared, one = 1, old = -1;
    MPI_Group all, group;
    MPI_Win win;
    MPI_Request r;

    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    if (MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &win) !=
        MPI_SUCCESS) {
        printf("this MPI has no windows here\n");
        return;
    }
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL));
    OK(MPI_Win_get_group(win, &all));
    OK(MPI_Group_size(all, &n));
    CHECK(n == size);
    OK(MPI_Win_fence(0, win));
    OK(MPI_Put(&rank, 1, MPI_INT, right, 1, 1, MPI_INT, win));
    OK(MPI_Win_fence(0, win));
    CHECK(memory[1] == left);
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Win_lock_all(0, win));
    OK(MPI_Rget(&got, 1, MPI_INT, right, 0, 1, MPI_INT, win, &r));
    OK(MPI_Wait(&r, MPI_STATUS_IGNORE));
    CHECK(got == right);
    OK(MPI_Fetch_and_op(&one, &old, MPI_INT, right, 1, MPI_SUM, win));
    OK(MPI_Win_flush(right, win));
    CHECK(old == rank);
    OK(MPI_Win_unlock_all(win));
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Group_incl(all, 1, &left, &group));
    OK(MPI_Win_post(group, 0, win));
    OK(MPI_Group_free(&group));
    OK(MPI_Group_incl(all, 1, &right, &group));
    OK(MPI_Win_start(group, 0, win));
    got = 100 + rank;
    OK(MPI_Put(&got, 1, MPI_INT, right, 1, 1, MPI_INT, win));
    OK(MPI_Win_complete(win));
    OK(MPI_Win_wait(win));
    CHECK(memory[1] == 100 + left);
    OK(MPI_Group_free(&group));
    OK(MPI_Group_free(&all));
    OK(MPI_Win_free(&win));
    OK(MPI_Win_allocate(sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &shared, &win));
    *shared = rank;
    OK(MPI_Win_fence(0, win));
    OK(MPI_Get(&got, 1, MPI_INT, left, 0, 1, MPI_INT, win));
    OK(MPI_Win_fence(0, win));
    CHECK(got == left);
    OK(MPI_Win_free(&win));
}

static void files(void)
{
    int out[4] = {rank, rank + 1, rank + 2, rank + 3}, in[4] = {0};
    MPI_Offset bytes;
    MPI_Group g;
    MPI_File f;
    MPI_Request r;
    MPI_Status s;
    int n;

    OK(MPI_File_open(MPI_COMM_WORLD, "shim_comm.data", MPI_MODE_CREATE | MPI_MODE_RDWR,
                     MPI_INFO_NULL, &f));
    OK(MPI_File_get_group(f, &g));
    OK(MPI_Group_size(g, &n));
    CHECK(n == size);
    OK(MPI_Group_free(&g));
    OK(MPI_File_write_at_all(f, (MPI_Offset) (rank * sizeof out), out, 4, MPI_INT, &s));
    OK(MPI_Get_count(&s, MPI_INT, &n));
    CHECK(n == 4);
    OK(MPI_File_sync(f));
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_File_get_size(f, &bytes));
    CHECK(bytes == (MPI_Offset) (size * sizeof out));
    OK(MPI_File_iread_at(f, (MPI_Offset) ((size - 1 - rank) * sizeof out), in, 4, MPI_INT, &r));
    OK(MPI_Wait(&r, &s));
    CHECK(in[3] == size - 1 - rank + 3);
    OK(MPI_File_read_at_all(f, (MPI_Offset) (rank * sizeof out), in, 4, MPI_INT,
                            MPI_STATUS_IGNORE));
    CHECK(in[1] == rank + 1);
    OK(MPI_File_close(&f));
    if (rank == 0)
        MPI_File_delete("shim_comm.data", MPI_INFO_NULL);
}

int main(int argc, char **argv)
{
    test_begin(&argc, &argv);
    for (int i = 0; i < 2; i++) {
        constructors();
        groups();
        if (size > 1)
            inter();
        copies = deletes = 0;
        attributes();
    }
    files();
    windows();
    return test_end();
}
