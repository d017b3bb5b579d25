/* Start-up phases that cannot be given again: too much data for the log, a call whose result cannot
 * be kept, a newcomer that takes another way. The move is refused with a message that says why, and
 * the job goes on. By the first argument: limit, void, other, args, less, more.
 * launch: limit=60 */
#include "shim.h"

#include "auto.h"
#include "typemap.h"
#include "hmf/job.h"

enum { BIG = 4096 };

/* Has the job said that the rank stays?  tests/shim-startup.sh keeps there what it says. */
static int answered(void)
{
    FILE *f = fopen("err", "r");
    char line[1000];
    int yes = 0;

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        yes |= strstr(line, "stays") != NULL;
    if (f != NULL)
        fclose(f);
    return yes;
}

int main(int argc, char **argv)
{
    static int data[BIG];
    const char *mode = argc > 1 ? argv[1] : "none";
    int steps = argc > 2 ? atoi(argv[2]) : 100, t_int[] = {typeINT};
    int step = 0, moves = 0, all = 0, newcomer, over = 0;

    test_begin(&argc, &argv);
    if (strcmp(mode, "limit") == 0) {
        OK(MPI_Bcast(data, BIG, MPI_INT, 0, MPI_COMM_WORLD));
    } else if (strcmp(mode, "void") == 0) {
        MPI_File f;
        MPI_Info info;

        OK(MPI_File_open(MPI_COMM_WORLD, "shim_startup.data", MPI_MODE_CREATE | MPI_MODE_RDWR,
                         MPI_INFO_NULL, &f));
        OK(MPI_File_get_info(f, &info));
        MPI_Info_free(&info);
        OK(MPI_File_close(&f));
    } else if (strcmp(mode, "file") == 0) {
        MPI_File f;
        MPI_Offset bytes = 0;
        MPI_Request r;

        OK(MPI_File_open(MPI_COMM_WORLD, "shim_startup.data", MPI_MODE_CREATE | MPI_MODE_RDWR,
                         MPI_INFO_NULL, &f));
        OK(MPI_File_write_at_all(f, (MPI_Offset) (4 * rank), &rank, 1, MPI_INT, MPI_STATUS_IGNORE));
        OK(MPI_File_sync(f));
        OK(MPI_Barrier(MPI_COMM_WORLD));
        OK(MPI_File_get_size(f, &bytes));
        CHECK(bytes == 4 * size);
        OK(MPI_File_read_at_all(f, 0, data, size, MPI_INT, MPI_STATUS_IGNORE));
        CHECK(data[size - 1] == size - 1);
        data[0] = -1;
        OK(MPI_File_iread_at(f, 4, data, 1, MPI_INT, &r));
        OK(MPI_Wait(&r, MPI_STATUS_IGNORE));
        CHECK(data[0] == 1);
        OK(MPI_File_close(&f));
        if (hmf_newcomer() == 0 && rank == 0)
            MPI_File_delete("shim_startup.data", MPI_INFO_NULL);
    } else if (strcmp(mode, "other") == 0) {
        if (hmf_newcomer())
            MPI_Allreduce(MPI_IN_PLACE, data, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        else
            OK(MPI_Bcast(data, 1, MPI_INT, 0, MPI_COMM_WORLD));
    } else if (strcmp(mode, "args") == 0) {
        OK(MPI_Bcast(data, hmf_newcomer() ? 2 : 1, MPI_INT, 0, MPI_COMM_WORLD));
    } else if (strcmp(mode, "less") == 0) {
        if (!hmf_newcomer())
            OK(MPI_Barrier(MPI_COMM_WORLD));
    } else if (strcmp(mode, "more") == 0) {
        if (hmf_newcomer())
            MPI_Barrier(MPI_COMM_WORLD);
    }
    auto_init(argv[0]);
    auto_track("step", &step, sizeof step, t_int, 1);
    auto_track("moves", &moves, sizeof moves, t_int, 1);
    newcomer = auto_read(AUTO_MIGR);
    moves += newcomer != 0;
    while (step < steps && !over) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            auto_done();
            MPI_Finalize();
            return failures != 0;
        }
        if (step == 3 && rank == 0 && hmf_request_move(1, NULL) != 0)
            failures++;
        over = moves > 0 || (rank == 0 && step % 256 == 0 && answered());
        OK(MPI_Allreduce(MPI_IN_PLACE, &over, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD));
        step++;
    }
    OK(MPI_Allreduce(&moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
    if (rank == 0)
        printf("%d moves, %d steps\n", all, step);
    auto_done();
    return test_end();
}
