/* The parts of the virtual world one by one, on two ranks or more: handles, groups, attributes,
 * stashes, what forbids a move, and what the drain finds wrong. */
#include "moves.h"

#include "drain.h"
#include "typemap.h"
#include "vattr.h"
#include "vgroup.h"
#include "vlocal.h"

static MPI_Comm dup_of(MPI_Comm c)
{
    MPI_Comm real, out;

    PMPI_Comm_dup(hmf__comm_real(c), &real);
    CHECK(hmf__vcomm_adopt(real, c, 0, &out) == HMF_OK);
    return out;
}

static void handles(void)
{
    MPI_Comm a = dup_of(MPI_COMM_WORLD), b = dup_of(a), stale = a, c;
    struct hmf__vcomm *v = hmf__vcomm_of(a), *w = hmf__vcomm_of(b);
    char text[128];

    CHECK(a != b && v != NULL && w != NULL && v->gid != w->gid && v->id + 1 == w->id);
    CHECK(v->members == hmf__vcomm_world.members);
    CHECK(hmf__vcomm_of(MPI_COMM_NULL) == NULL && hmf__comm_real(MPI_COMM_NULL) == MPI_COMM_NULL);
    CHECK(hmf__comm_real(MPI_COMM_SELF) == MPI_COMM_SELF);
    CHECK(hmf__vcomm_of(hmf__world_universe()) == NULL);
    CHECK(hmf__vcomm_by_id(v->id) == v && hmf__vcomm_by_id(0) == &hmf__vcomm_world);
    CHECK(hmf__vcomm_f2c(hmf__vcomm_c2f(a)) == a);
    CHECK(hmf__vcomm_c2f(MPI_COMM_WORLD) == PMPI_Comm_c2f(MPI_COMM_WORLD));
    CHECK(hmf__vcomm_f2c(PMPI_Comm_c2f(MPI_COMM_SELF)) == MPI_COMM_SELF);
    PMPI_Comm_set_name(hmf__comm_real(b), "second");
    CHECK(strstr(hmf__vcomm_text(w, text, sizeof(text)), "\"second\"") != NULL);
    CHECK(hmf__vcomm_adopt(MPI_COMM_NULL, MPI_COMM_WORLD, 0, &c) == HMF_OK && c == MPI_COMM_NULL);
    /* A pending request keeps a freed communicator; a move has to wait. */
    CHECK(hmf__world_movable() == HMF_OK);
    hmf__vcomm_hold(v);
    CHECK(hmf__vcomm_free(&a, false) == MPI_SUCCESS && a == MPI_COMM_NULL);
    CHECK(v->real != MPI_COMM_NULL && hmf__world_movable() == HMF_ERR_BUSY);
    hmf__vcomm_release(v);
    CHECK(hmf__comm_real(stale) == MPI_COMM_NULL && hmf__world_movable() == HMF_OK);
    CHECK(hmf__vcomm_free(&stale, false) == MPI_ERR_COMM);
    CHECK(hmf__vcomm_free(&b, true) == MPI_SUCCESS);
    c = MPI_COMM_WORLD;
    CHECK(hmf__vcomm_free(&c, false) == MPI_ERR_COMM && c == MPI_COMM_WORLD);
    /* What the start-up phase freed keeps its number, members and rank. */
    hmf__vcomm_recording(true);
    a = dup_of(MPI_COMM_WORLD);
    v = hmf__vcomm_of(a);
    hmf__vcomm_recording(false);
    hmf__vcomm_free(&a, false);
    CHECK(hmf__vcomm_by_id(v->id) == v && v->real == MPI_COMM_NULL);
    CHECK(v->flags & HMF__COMM_GHOST && v->size == hmf__world_size());
}

static void groups(void)
{
    int n = hmf__world_size(), rank = hmf__world_rank(), got, *backwards = calloc((size_t) n, 4);
    int procs[2], first = 0;
    MPI_Group world, some, real, again, universe;

    for (int i = 0; i < n; i++)
        backwards[i] = n - 1 - i;
    CHECK(hmf__group_of_comm(MPI_COMM_WORLD, &world) == MPI_SUCCESS);
    CHECK(hmf__group_rank(world, &got) == MPI_SUCCESS && got == rank);
    PMPI_Group_incl(world, n, backwards, &some);
    CHECK(hmf__group_rank(some, &got) == MPI_SUCCESS && got == n - 1 - rank);
    CHECK(hmf__group_to_procs(some, &real) == MPI_SUCCESS);
    PMPI_Comm_group(hmf__world_universe(), &universe);
    PMPI_Group_translate_ranks(real, 1, &first, universe, procs);
    CHECK(procs[0] == hmf__world_proc_of(n - 1));
    CHECK(hmf__group_from_procs(real, &again) == MPI_SUCCESS);
    PMPI_Group_compare(again, some, &got);
    CHECK(got == MPI_IDENT);
    PMPI_Group_free(&again);
    PMPI_Group_free(&real);
    PMPI_Group_free(&some);
    CHECK(hmf__group_of_comm(MPI_COMM_SELF, &some) == MPI_SUCCESS);
    PMPI_Group_translate_ranks(some, 1, &first, world, &got);
    CHECK(got == rank);
    PMPI_Group_free(&some);
    CHECK(hmf__group_to_procs(MPI_GROUP_EMPTY, &real) == MPI_SUCCESS);
    PMPI_Group_size(real, &got);
    CHECK(got == 0);
    if (hmf__world_nprocs() > n) {
        CHECK(hmf__group_from_procs(universe, &again) == MPI_ERR_GROUP);
        CHECK(hmf__group_to_procs(universe, &again) == MPI_ERR_GROUP);
    }
    PMPI_Group_free(&world);
    PMPI_Group_free(&universe);
    free(backwards);
}

static long log_sum;
static MPI_Comm seen;

static int copy(MPI_Comm c, int keyval, void *extra, void *in, void *out, int *flag)
{
    (void) keyval;
    seen = c;
    *(long *) out = (long) in + *(long *) extra;
    *flag = (long) in != 13;
    return MPI_SUCCESS;
}

static int forget(MPI_Comm c, int keyval, void *value, void *extra)
{
    (void) keyval;
    (void) extra;
    seen = c;
    log_sum = log_sum * 100 + (long) value;
    return (long) value == 99 ? MPI_ERR_OTHER : MPI_SUCCESS;
}

static void attributes(void)
{
    MPI_Comm a = dup_of(MPI_COMM_WORLD), b, before = a;
    static long extra = 1;
    int k1, k2, k3, flag, keep;
    void *value;

    CHECK(hmf__attr_keyval_create(copy, forget, &k1, &extra) == MPI_SUCCESS);
    CHECK(hmf__attr_keyval_create(MPI_COMM_NULL_COPY_FN, forget, &k2, NULL) == MPI_SUCCESS);
    CHECK(hmf__attr_keyval_create(copy, MPI_COMM_NULL_DELETE_FN, &k3, &extra) == MPI_SUCCESS);
    CHECK(k1 != k2 && hmf__attr_is_ours(a, k1) && !hmf__attr_is_ours(a, MPI_TAG_UB));
    CHECK(hmf__attr_set(a, k1, (void *) 10) == MPI_SUCCESS);
    CHECK(hmf__attr_set(a, k2, (void *) 20) == MPI_SUCCESS);
    CHECK(hmf__attr_set(a, k3, (void *) 13) == MPI_SUCCESS);
    CHECK(hmf__attr_get(a, k1, &value, &flag) == MPI_SUCCESS && flag && (long) value == 10);
    keep = k1;
    CHECK(hmf__attr_keyval_free(&k1) == MPI_SUCCESS && k1 == MPI_KEYVAL_INVALID);
    b = dup_of(a);
    CHECK(hmf__attr_copy(a, b) == MPI_SUCCESS && seen == a);
    CHECK(hmf__attr_get(b, keep, &value, &flag) == MPI_SUCCESS && flag && (long) value == 11);
    CHECK(hmf__attr_get(b, k2, &value, &flag) == MPI_SUCCESS && !flag);
    CHECK(hmf__attr_get(b, k3, &value, &flag) == MPI_SUCCESS && !flag);
    log_sum = 0;
    CHECK(hmf__attr_set(a, k2, (void *) 99) == MPI_SUCCESS && log_sum == 20);
    /* A callback that refuses: the communicator stays. */
    CHECK(hmf__vcomm_free(&a, false) == MPI_ERR_OTHER && a == before);
    CHECK(hmf__attr_set(a, k2, (void *) 21) == MPI_ERR_OTHER);
    hmf__vcomm_of(a)->flags |= 0;
    hmf__attr_forget(hmf__vcomm_of(a));
    CHECK(hmf__vcomm_free(&a, false) == MPI_SUCCESS);
    log_sum = 0;
    CHECK(hmf__attr_delete(b, keep) == MPI_SUCCESS && log_sum == 11 && seen == b);
    CHECK(hmf__attr_set(b, k2, (void *) 5) == MPI_SUCCESS);
    CHECK(hmf__vcomm_free(&b, false) == MPI_SUCCESS && log_sum == 1105);
    CHECK(hmf__attr_keyval_free(&k2) == MPI_SUCCESS && hmf__attr_keyval_free(&k3) == MPI_SUCCESS);
}

static void stashes(void)
{
    static const int sources[] = { 1, 0, 1, 1 }, tags[] = { 5, 6, 7, 5 };
    struct hmf__vcomm *v = &hmf__vcomm_world;
    struct hmf__stashed *m;
    struct hmf__buf b = HMF__BUF_INIT;

    for (int i = 0; i < 4; i++) {
        m = hmf__stash_new(sources[i], tags[i], 4);
        memcpy(m->data, &i, 4);
        hmf__stash_put(v, m);
    }
    CHECK(hmf__stash_total == 4 && v->stash_count == 4);
    CHECK(hmf__stash_pack(v, &b) == HMF_OK);
    CHECK(hmf__stash_find(v, MPI_ANY_SOURCE, 9) == NULL);
    CHECK(hmf__stash_find(v, MPI_ANY_SOURCE, MPI_ANY_TAG)->tag == 5);
    m = hmf__stash_take(v, 1, MPI_ANY_TAG);
    CHECK(m->data[0] == 0);
    hmf__stash_free(m);
    m = hmf__stash_take(v, MPI_ANY_SOURCE, 5);
    CHECK(m->data[0] == 3);
    hmf__stash_free(m);
    hmf__stash_clear(v);
    CHECK(hmf__stash_total == 0 && v->stash == NULL);
    CHECK(hmf__stash_unpack(v, &b) == HMF_OK && v->stash_count == 4 && v->stash->data[0] == 0);
    hmf__stash_clear(v);
    for (size_t cut = 0; cut < b.len; cut += 3) {
        struct hmf__buf part;
        hmf__buf_borrow(&part, b.data, cut);
        CHECK(hmf__stash_unpack(v, &part) != HMF_OK);
        hmf__stash_clear(v);
    }
    hmf__buf_fini(&b);
    CHECK(hmf__stash_new(0, 0, UINT64_MAX) == NULL);
}

static void objects(void)
{
    int file, window;

    CHECK(hmf__world_object_add("file", &file, "out.dat") == HMF_OK);
    CHECK(hmf__world_object_add("window", &window, NULL) == HMF_OK);
    CHECK(hmf__world_movable() == HMF_ERR_UNSUPPORTED);
    CHECK(strstr(hmf_error_text(), "window") != NULL);
    hmf__world_object_remove(&window);
    CHECK(hmf__world_movable() == HMF_ERR_UNSUPPORTED);
    CHECK(strstr(hmf_error_text(), "out.dat") != NULL);
    hmf__world_object_remove(&file);
    hmf__world_object_remove(&file);
    CHECK(hmf__world_movable() == HMF_OK);
}

/* What a newcomer could not have. */
static void late(void)
{
    MPI_Comm c = dup_of(MPI_COMM_WORLD);
    struct hmf__buf b = HMF__BUF_INIT;
    int key, type_comm[] = { typeMPI_COMM }, type_int[] = { typeINT }, value = 3;
    hmf_state_t *state;

    CHECK(hmf_state_new(&state) == HMF_OK);
    CHECK(hmf__vlocal_rehearse(state) == HMF_ERR_UNSUPPORTED);
    CHECK(strstr(hmf_error_text(), "after auto_read") != NULL);
    CHECK(hmf_state_add(state, "c", &c, sizeof(c), type_comm, 1, NULL) == HMF_OK);
    CHECK(hmf__vlocal_rehearse(state) == HMF_OK);
    hmf__vcomm_free(&c, false);
    CHECK(hmf__vlocal_rehearse(state) == HMF_OK);
    CHECK(hmf__attr_keyval_create(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &key, NULL)
          == MPI_SUCCESS);
    CHECK(hmf__attr_set(MPI_COMM_WORLD, key, &value) == MPI_SUCCESS);
    CHECK(hmf__vlocal_rehearse(state) == HMF_ERR_UNSUPPORTED);
    CHECK(strstr(hmf_error_text(), "attribute") != NULL);
    CHECK(hmf_state_add(state, "value", &value, sizeof(value), type_int, 1, NULL) == HMF_OK);
    CHECK(hmf__vlocal_rehearse(state) == HMF_OK);
    CHECK(hmf_state_count(state) == 2);
    CHECK(hmf__attr_delete(MPI_COMM_WORLD, key) == MPI_SUCCESS);
    CHECK(hmf__world_pack(&b) == HMF_OK);
    hmf__vlocal_end(state);
    hmf__attr_keyval_free(&key);
    hmf_state_free(state);
    hmf__buf_fini(&b);
}

static void faults(void)
{
    int rank = hmf__world_rank(), wrong[8] = { 0 };
    MPI_Comm c = dup_of(MPI_COMM_WORLD);
    struct hmf__vcomm *v;

    PMPI_Comm_set_name(hmf__comm_real(c), "grid");
    CHECK(hmf__world_drain() == HMF_OK);
    hmf__world_rollback();
    /* One rank is behind by a collective call. */
    if (rank != 1)
        hmf__count_collective(c);
    CHECK(hmf__world_drain() == HMF_ERR_BUSY);
    CHECK(strstr(hmf_error_text(), "grid") != NULL && strstr(hmf_error_text(), "rank 1") != NULL);
    hmf__world_rollback();
    if (rank == 1)
        hmf__count_collective(c);
    CHECK(hmf__world_drain() == HMF_OK);
    hmf__world_rollback();
    /* A message that nobody ever sees. */
    if (rank == 0)
        hmf__count_sent(c);
    CHECK(hmf__world_drain() == HMF_ERR_TIMEOUT);
    CHECK(strstr(hmf_error_text(), "grid") != NULL);
    hmf__world_rollback();
    if (rank == 1)
        hmf__count_received(c);
    CHECK(hmf__world_drain() == HMF_OK);
    hmf__world_rollback();
    CHECK(hmf__world_quiet() == HMF_OK);
    if (rank == 1)
        test_send("x", 1, 0, 8, c);
    CHECK(hmf__world_quiet() == HMF_ERR_BUSY && strstr(hmf_error_text(), "1 messages on") != NULL);
    CHECK(hmf__world_drain() == HMF_OK);
    hmf__world_rollback();
    CHECK(hmf__world_quiet() == HMF_ERR_BUSY && strstr(hmf_error_text(), "grid") != NULL);
    if (rank == 0) {
        int from = 1, tag = 8;
        char x;
        CHECK(test_recv(&x, 1, &from, &tag, c) == 1 && x == 'x');
    }
    CHECK(hmf__world_quiet() == HMF_OK);
    /* Made at one rank only. */
    v = NULL;
    if (rank == 0) {
        CHECK(hmf__vcomm_insert(hmf__vcomm_next_id(), &v) == HMF_OK);
        v->gid = 4711;
        v->rank = 0;
        v->size = 2;
        v->real = hmf__comm_real(MPI_COMM_WORLD);
    }
    CHECK(hmf__world_drain() == HMF_ERR_BUSY);
    CHECK(strstr(hmf_error_text(), "1 of its 2 members") != NULL);
    hmf__world_rollback();
    if (v != NULL)
        hmf__vcomm_destroy(v);
    hmf__vcomm_free(&c, false);
    /* A map that cannot be. */
    CHECK(hmf__world_prepare(wrong) == (rank == 0 ? HMF_ERR_ARG : HMF_ERR_STATE));
}

int main(int argc, char **argv)
{
    int n, spares = argc > 1 ? atoi(argv[1]) : 0, *map;

    setenv("HMF_TIMEOUT", "0.5", 1);
    PMPI_Init(&argc, &argv);
    PMPI_Comm_size(MPI_COMM_WORLD, &n);
    n -= spares;
    map = malloc((size_t) n * sizeof(int));
    for (int i = 0; i < n; i++)
        map[i] = i;
    map[0] = spares + n;
    CHECK(hmf__world_init(n, map) == HMF_ERR_ARG);
    map[0] = 1;
    CHECK(hmf__world_init(n, map) == HMF_ERR_ARG);
    map[0] = 0;
    CHECK(hmf__world_init(n + spares + 1, map) == HMF_ERR_ARG);
    CHECK(hmf__world_init(n, map) == HMF_OK);
    hmf__startup_begin(1);
    hmf__startup_end();
    if (hmf__world_rank() >= 0) {
        handles();
        groups();
        attributes();
        stashes();
        objects();
        late();
        faults();
    } else {
        CHECK(hmf__world_drain() == HMF_ERR_STATE);
        CHECK(hmf__comm_real(MPI_COMM_WORLD) == MPI_COMM_NULL);
    }
    PMPI_Allreduce(MPI_IN_PLACE, &failures, 1, MPI_INT, MPI_SUM, hmf__world_universe());
    hmf__world_fini();
    CHECK(hmf__comm_real(MPI_COMM_WORLD) == MPI_COMM_WORLD);
    PMPI_Finalize();
    free(map);
    return failures != 0;
}
