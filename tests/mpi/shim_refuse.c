/* What cannot move is named: a sequential file, a window that no variable holds, a request of the
 * rank that is to go. A file that the newcomer cannot reach undoes the move when the locks of a
 * window have been given back already. Each move is refused and the job goes on; when the object is gone the rank
 * moves, and communication calls in the process that it left fail without waiting for anybody.
 * launch: limit=90 env=OMPI_MCA_osc=pt2pt */
#include "shim.h"

#include <unistd.h>

#include "auto.h"
#include "typemap.h"
#include "hmf/job.h"

enum { STAGES = 6 };

static int stage, moves, *cell;
static MPI_File lost = MPI_FILE_NULL;
static MPI_Win locked = MPI_WIN_NULL;

/* Each rank gives the other a number through the window that is locked all the time. */
static void pass_on(int number)
{
    int out = number + rank;

    if (locked == MPI_WIN_NULL)
        return;
    OK(MPI_Put(&out, 1, MPI_INT, 1 - rank, 0, 1, MPI_INT, locked));
    OK(MPI_Win_flush(1 - rank, locked));
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Win_sync(locked));
    CHECK(*cell == number + 1 - rank);
    OK(MPI_Barrier(MPI_COMM_WORLD));
}

int main(int argc, char **argv)
{
    static const char *const words[STAGES - 1] = {"refuse.data", "MPI_Win_allocate", "lost.data",
                                                  "MPI_Irecv from rank 1 with tag 77",
                                                  "MPI_Mprobe"};
    int t_int[] = {typeINT}, t_file[] = {typeMPI_FILE}, newcomer, gone = 0, got = 0, *memory, n, err;
    MPI_File file = MPI_FILE_NULL;
    MPI_Win win = MPI_WIN_NULL;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Message message = MPI_MESSAGE_NULL;
    MPI_Comm dup;

    err = err_file();
    test_begin(&argc, &argv);
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &dup));
    OK(MPI_Comm_set_errhandler(dup, MPI_ERRORS_RETURN));
    if (MPI_Win_allocate(64, 1, MPI_INFO_NULL, dup, &cell, &locked) != MPI_SUCCESS)
        locked = MPI_WIN_NULL; /* this MPI has no windows here */
    else
        OK(MPI_Win_lock_all(0, locked));
    auto_init(argv[0]);
    auto_track("lost", &lost, sizeof lost, t_file, 1);
    auto_track("stage", &stage, sizeof stage, t_int, 1);
    auto_track("moves", &moves, sizeof moves, t_int, 1);
    newcomer = auto_read(AUTO_MIGR);
    moves += newcomer != 0;
    if (err >= 0)
        dup2(err, 2);
    for (int asked = newcomer; stage < STAGES;) {
        int seen = 0, all = 0;

        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            gone = 1;
            break;
        }
        if (!asked) {
            if (stage == 0) {
                OK(MPI_File_open(dup, "refuse.data",
                                 MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_SEQUENTIAL,
                                 MPI_INFO_NULL, &file));
            } else if (stage == 1) {
                if (MPI_Win_allocate(64, 1, MPI_INFO_NULL, dup, &memory, &win) != MPI_SUCCESS) {
                    stage++; /* this MPI has no windows here */
                    continue;
                }
            } else if (stage == 2) {
                OK(MPI_File_open(dup, "lost.data", MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL,
                                 &lost));
                if (rank == 1)
                    CHECK(unlink("lost.data") == 0);
            } else if (stage == 3 && rank == 0) {
                OK(MPI_Irecv(&got, 1, MPI_INT, 1, 77, dup, &request));
            } else if (stage == 4) {
                if (rank == 1)
                    OK(MPI_Send(&rank, 1, MPI_INT, 0, 78, dup));
                else
                    OK(MPI_Mprobe(1, 78, dup, &message, MPI_STATUS_IGNORE));
            }
            if (rank == 1 && hmf_request_move(0, NULL) != 0)
                failures++;
            asked = 1;
        }
        seen = stage < STAGES - 1 ? told(words[stage]) : moves;
        pass_on(10 * stage);
        OK(MPI_Allreduce(&seen, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD));
        if (!all)
            continue;
        if (stage == 0)
            OK(MPI_File_close(&file));
        else if (stage == 1)
            OK(MPI_Win_free(&win));
        else if (stage == 2)
            OK(MPI_File_close(&lost));
        else if (stage == 3 && rank == 1)
            OK(MPI_Send(&rank, 1, MPI_INT, 0, 77, dup));
        else if (stage == 3)
            OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
        else if (stage == 4 && rank == 0)
            OK(MPI_Mrecv(&got, 1, MPI_INT, &message, MPI_STATUS_IGNORE));
        CHECK(stage < 3 || stage > 4 || rank != 0 || got == 1);
        stage++;
        asked = 0;
    }
    if (gone) {
        /* Its rank lives elsewhere: nothing here may reach the others, or wait for them. */
        MPI_Comm c = MPI_COMM_NULL;

        OK(MPI_Comm_rank(MPI_COMM_WORLD, &n));
        OK(MPI_Comm_size(dup, &n));
        CHECK(n == size);
        CHECK(MPI_Barrier(MPI_COMM_WORLD) != MPI_SUCCESS);
        CHECK(MPI_Send(&n, 1, MPI_INT, 1, 0, dup) != MPI_SUCCESS);
        CHECK(MPI_Recv(&n, 1, MPI_INT, 1, 0, dup, MPI_STATUS_IGNORE) != MPI_SUCCESS);
        CHECK(MPI_Irecv(&n, 1, MPI_INT, 1, 0, dup, &request) != MPI_SUCCESS);
        CHECK(MPI_Comm_dup(dup, &c) != MPI_SUCCESS);
        CHECK(MPI_Cart_get(dup, 0, NULL, NULL, NULL) != MPI_SUCCESS);
        OK(MPI_Comm_free(&dup));
        CHECK(stage == STAGES - 1);
    } else {
        OK(MPI_Allreduce(MPI_IN_PLACE, &moves, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        CHECK(moves == 1);
        if (locked != MPI_WIN_NULL)
            OK(MPI_Win_unlock_all(locked));
        OK(MPI_Comm_free(&dup));
    }
    if (locked != MPI_WIN_NULL)
        OK(MPI_Win_free(&locked));
    auto_done();
    MPI_Finalize();
    return failures != 0;
}
