/* Collective calls that some ranks begin before a poll and others after it. Where none of the ranks that
 * take part moves, a move does not mind; where a later poll comes without, the move is made there; where
 * every poll has one, the rank stays, the communicator is named, and no spare is spent.
 * launch: limit=60 */
#include "shim.h"

#include <unistd.h>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

enum { ASIDE, SOMETIMES, ALWAYS, NEVER, OVER, MAX_STEPS = 200000 };

static struct state {
    int step, phase, asked, moves;
    int part, sum, word, begun, after;  /* the last: steps after the last phase */
    MPI_Request request;
} s;

static int type_state[] = {-10, typeINT, typeINT, typeINT, typeINT, typeINT, typeINT, typeINT,
                           typeINT, typeINT, typeMPI_REQUEST};

static MPI_Comm half;

static MPI_Comm whose(void)
{
    return s.phase == ASIDE ? half : MPI_COMM_WORLD;
}

static int spans(void)
{
    return s.phase == ASIDE ? rank > 1 : s.phase == SOMETIMES ? s.step % 4 != 3 : s.phase == ALWAYS;
}

/* Who is early begins before the poll, the others after it; without spanning nobody is late. */
static int early(void)
{
    return !spans() || rank % 2 == 0;
}

static void begin(void)
{
    if (s.begun)
        return;
    s.begun = 1;
    s.part = 10 * s.step + rank;
    s.sum = -1;
    OK(MPI_Iallreduce(&s.part, &s.sum, 1, MPI_INT, MPI_SUM, whose(), &s.request));
    /* A blocking call that its root returns from before the others have come. */
    s.word = s.step;
    if (rank == 0 && s.phase != ASIDE && spans())
        OK(MPI_Bcast(&s.word, 1, MPI_INT, 0, MPI_COMM_WORLD));
}

static void end(void)
{
    int want = 0;

    begin();
    if (s.phase != ASIDE && (rank != 0 || !spans())) {
        OK(MPI_Bcast(&s.word, 1, MPI_INT, 0, MPI_COMM_WORLD));
        CHECK(s.word == s.step);
    }
    OK(MPI_Wait(&s.request, MPI_STATUS_IGNORE));
    for (int r = 0; r < size; r++)
        if (s.phase != ASIDE || r / 2 == rank / 2)
            want += 10 * s.step + r;
    CHECK(s.sum == want);
    s.begun = 0;
}

int main(int argc, char **argv)
{
    int err = err_file(), gone = 0;

    test_begin(&argc, &argv);
    OK(MPI_Comm_split(MPI_COMM_WORLD, rank / 2, 0, &half));
    auto_init(argv[0]);
    auto_track("state", &s, sizeof s, type_state, sizeof type_state / sizeof type_state[0]);
    s.moves += auto_read(AUTO_MIGR) != 0;
    if (err >= 0)
        dup2(err, 2);
    for (; s.step < MAX_STEPS && s.after < 10; s.step++) {
        int mine[2] = {s.moves, 0}, all[2];

        if (early() && s.phase != OVER)
            begin();
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            gone = 1;
            break;
        }
        if (s.phase == OVER)
            s.after++;
        else
            end();
        if (s.phase != OVER && !s.asked) {
            if (rank == 3)
                OK(hmf_request_move(s.phase < ALWAYS ? s.phase : 2, NULL));
            s.asked = 1;
        }
        mine[1] = told("MPI_COMM_WORLD");
        OK(MPI_Allreduce(mine, all, 2, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        if ((s.phase == ASIDE && all[0] == 1) || (s.phase == SOMETIMES && all[0] == 2) ||
            (s.phase == ALWAYS && all[1]) || (s.phase == NEVER && all[0] == 3)) {
            CHECK(s.phase != SOMETIMES || !all[1]);
            CHECK(s.phase != ALWAYS || all[0] == 2);
            s.phase++;
            s.asked = 0;
        }
    }
    if (!gone)
        CHECK(s.phase == OVER);
    OK(MPI_Comm_free(&half));
    auto_done();
    MPI_Finalize();
    return failures != 0;
}
