/* Communicators of a node, when ranks move to another: two processes count as a node here. After
 * each poll the members are those that share a node now, in the order of their keys, and
 * hmf_comm_changes says so; what was derived from one keeps its members.
 * launch: limit=60 env=HMF_TEST_NODE_SIZE=2 */
#include "shim.h"

#include "auto.h"
#include "hmf/comm.h"
#include "hmf/job.h"
#include "typemap.h"

enum { MAXN = 8, PATIENCE = 20000 };

static struct state {
    int step, moves, asked;
    MPI_Comm late;
} s;

static int type_state[] = {-4, typeINT, typeINT, typeINT, typeMPI_COMM};

/* Who shares my node, by key -rank or rank. */
static void look(MPI_Comm c, int backward, const int *node)
{
    int want[MAXN], have[MAXN], n = 0, got, me;

    for (int k = 0; k < size; k++) {
        int r = backward ? size - 1 - k : k;

        if (node[r] == node[rank])
            want[n++] = r;
    }
    OK(MPI_Comm_size(c, &got));
    CHECK(got == n);
    if (got != n)
        return;
    OK(MPI_Allgather(&rank, 1, MPI_INT, have, 1, MPI_INT, c));
    CHECK(memcmp(want, have, (size_t) n * sizeof(int)) == 0);
    OK(MPI_Comm_rank(c, &me));
    CHECK(have[me] == rank);
}

int main(int argc, char **argv)
{
    const char *setting = getenv("HMF_SPARES"), *process = getenv("OMPI_COMM_WORLD_RANK");
    int wanted = setting != NULL ? atoi(setting) : 0, all = 0, gone = 0, node[MAXN];
    int mine = process != NULL ? atoi(process) / 2 : 0, n, first = -1;
    unsigned changes = 0, before = 0;
    MPI_Comm shared, copy;

    test_begin(&argc, &argv);
    OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, -rank, MPI_INFO_NULL, &shared));
    OK(MPI_Comm_dup(shared, &copy));
    OK(MPI_Comm_size(copy, &first));
    auto_init(argv[0]);
    auto_track("state", &s, sizeof s, type_state, sizeof type_state / sizeof type_state[0]);
    s.moves += auto_read(AUTO_MIGR) != 0;
    for (; s.step < PATIENCE && (all < wanted || s.step < 20); s.step++) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            gone = 1;
            break;
        }
        if (s.step == 0)
            OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL,
                                   &s.late));
        OK(MPI_Allgather(&mine, 1, MPI_INT, node, 1, MPI_INT, MPI_COMM_WORLD));
        look(shared, 1, node);
        look(s.late, 0, node);
        OK(hmf_comm_changes(shared, &changes));
        CHECK(changes >= before);
        before = changes;
        OK(hmf_comm_changes(MPI_COMM_WORLD, &changes));
        CHECK(changes == 0);
        OK(MPI_Allreduce(&rank, &n, 1, MPI_INT, MPI_MAX, copy));
        CHECK(n == rank || n == (rank ^ 1) || size < 4);
        OK(MPI_Allreduce(&s.moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        if (rank == 0 && all < wanted && s.asked <= all && s.step > 1) {
            OK(hmf_request_move(1 + all % (size - 1), NULL));
            s.asked = all + 1;
        }
    }
    if (!gone) {
        CHECK(all == wanted);
        OK(hmf_comm_changes(shared, &changes));
        CHECK((changes > 0) == (wanted > 0) || rank == 3);
        OK(MPI_Comm_free(&copy));
        OK(MPI_Comm_free(&shared));
        OK(MPI_Comm_free(&s.late));
    }
    auto_done();
    MPI_Finalize();
    return failures != 0;
}
