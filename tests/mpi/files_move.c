/* Files opened through MPI across moves. Each rank in turn moves while open are: a file of all ranks
 * with an interleaved view, written by its individual pointers; one written in order by its shared
 * pointer; one of each rank alone; and one opened later that goes when it is closed, with a
 * nonblocking write pending at the poll. At the end every byte is read back.
 * launch: limit=90 */
#include "shim.h"

#include <unistd.h>

#include "auto.h"
#include "hmf/function.h"
#include "hmf/job.h"
#include "typemap.h"

enum { MIN_STEPS = 16, MAX_STEPS = 5000, CELLS = 3 };

static struct state {
    int step, moves, asked, late_value;
    MPI_File late, copy;
    MPI_Request write;
} s;

static int type_state[] = {-7, typeINT, typeINT, typeINT, typeINT, typeMPI_FILE, typeMPI_FILE,
                           typeMPI_REQUEST};

static MPI_File wide, order, alone;
static int caught;
static char alone_name[40];

static int value(int step, int who, int i)
{
    return (step * 16 + who) * 4 + i;
}

static void on_error(MPI_File *f, int *code, ...)
{
    caught += *f == s.late && *code != MPI_SUCCESS;
}

static void start_up(void)
{
    MPI_Datatype every;
    MPI_Comm dup;
    MPI_Info info;
    MPI_File gone;
    int first = 0, n, amode;

    OK(MPI_Comm_dup(MPI_COMM_WORLD, &dup));
    OK(MPI_Info_create(&info));
    OK(MPI_Info_set(info, "access_style", "write_mostly"));
    OK(MPI_File_open(dup, "gone.data", MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE,
                     info, &gone));
    OK(MPI_File_write_at(gone, rank * 4, &rank, 1, MPI_INT, MPI_STATUS_IGNORE));
    OK(MPI_File_close(&gone));
    CHECK(gone == MPI_FILE_NULL);
    OK(MPI_File_open(dup, "wide.data", MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_EXCL, info, &wide));
    OK(MPI_File_get_amode(wide, &amode));
    CHECK(amode == (MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_EXCL));
    OK(MPI_Info_free(&info));
    /* a header of one number, then CELLS numbers of each rank in turn */
    if (rank == 0)
        OK(MPI_File_write_at(wide, 0, &size, 1, MPI_INT, MPI_STATUS_IGNORE));
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_File_read_at(wide, 0, &first, 1, MPI_INT, MPI_STATUS_IGNORE));
    CHECK(first == size);
    OK(MPI_Type_contiguous(CELLS, MPI_INT, &every));
    OK(MPI_Type_create_resized(every, 0, (MPI_Aint) (CELLS * (size_t) size * sizeof(int)), &every));
    OK(MPI_Type_commit(&every));
    OK(MPI_File_set_view(wide, (MPI_Offset) (sizeof(int) + (size_t) rank * CELLS * sizeof(int)),
                         MPI_INT, every, "native", MPI_INFO_NULL));
    OK(MPI_Type_free(&every));
    OK(MPI_File_open(dup, "order.data", MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &order));
    OK(MPI_File_set_atomicity(order, 1));
    n = snprintf(alone_name, sizeof alone_name, "alone.%d", rank);
    CHECK(n > 0);
    OK(MPI_File_open(MPI_COMM_SELF, alone_name, MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_APPEND,
                     MPI_INFO_NULL, &alone));
    OK(MPI_Comm_free(&dup));
}

static void make_late(void)
{
    MPI_Errhandler handler;

    OK(MPI_File_open(MPI_COMM_WORLD, "late.data",
                     MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL,
                     &s.late));
    s.copy = s.late;
    OK(MPI_File_create_errhandler(on_error, &handler));
    OK(MPI_File_set_errhandler(s.late, handler));
    OK(MPI_Errhandler_free(&handler));
}

/* Pending at the next poll. */
static void begin(void)
{
    s.late_value = value(s.step, rank, 3);
    OK(MPI_File_iwrite_at(s.late, rank * 4, &s.late_value, 1, MPI_INT, &s.write));
}

static void complete(void)
{
    MPI_Status st;
    int n;

    OK(MPI_Wait(&s.write, &st));
    OK(MPI_Get_count(&st, MPI_INT, &n));
    CHECK(n == 1);
}

static void step(void)
{
    int cells[CELLS], back = -1, flag, record[2] = {rank, s.step}, unused;
    MPI_Offset at, bytes;

    CHECK(s.copy == s.late);
    OK(MPI_File_read_at(s.late, rank * 4, &back, 1, MPI_INT, MPI_STATUS_IGNORE));
    CHECK(back == value(s.step, rank, 3));
    caught = 0;
    CHECK(MPI_File_read_at(s.late, 0, &unused, -1, MPI_INT, MPI_STATUS_IGNORE) != MPI_SUCCESS);
    CHECK(caught == 1);

    OK(MPI_File_get_position(wide, &at));
    CHECK(at == (MPI_Offset) s.step * CELLS);
    for (int i = 0; i < CELLS; i++)
        cells[i] = value(s.step, rank, i);
    if (s.step % 2)
        OK(MPI_File_write_all(wide, cells, CELLS, MPI_INT, MPI_STATUS_IGNORE));
    else
        OK(MPI_File_write(wide, cells, CELLS, MPI_INT, MPI_STATUS_IGNORE));

    OK(MPI_File_get_atomicity(order, &flag));
    CHECK(flag == 1);
    OK(MPI_File_write_ordered(order, record, 2, MPI_INT, MPI_STATUS_IGNORE));

    OK(MPI_File_write(alone, &s.step, 1, MPI_INT, MPI_STATUS_IGNORE));
    OK(MPI_File_get_size(alone, &bytes));
    CHECK(bytes == (MPI_Offset) ((size_t) (s.step + 1) * sizeof(int)));
}

static void read_back(int steps)
{
    int cells[CELLS], record[2], got;

    OK(MPI_File_seek(wide, 0, MPI_SEEK_SET));
    for (int k = 0; k < steps; k++) {
        OK(MPI_File_read_all(wide, cells, CELLS, MPI_INT, MPI_STATUS_IGNORE));
        for (int i = 0; i < CELLS; i++)
            CHECK(cells[i] == value(k, rank, i));
        OK(MPI_File_read_at(order, (MPI_Offset) (((size_t) k * (size_t) size + (size_t) rank) * 8),
                            record, 2, MPI_INT, MPI_STATUS_IGNORE));
        CHECK(record[0] == rank && record[1] == k);
        OK(MPI_File_read_at(alone, (MPI_Offset) ((size_t) k * sizeof(int)), &got, 1, MPI_INT,
                            MPI_STATUS_IGNORE));
        CHECK(got == k);
    }
}

int main(int argc, char **argv)
{
    const char *setting = getenv("HMF_SPARES");
    int wanted = setting != NULL ? atoi(setting) : 0, all = 0, gone = 0, newcomer;

    test_begin(&argc, &argv);
    hmf_function_define("on_error", (hmf_function_t) on_error);
    auto_init(argv[0]);
    auto_track("state", &s, sizeof s, type_state, sizeof type_state / sizeof type_state[0]);
    start_up();
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
            step();
            s.step++;
        }
        OK(MPI_Allreduce(&s.moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        if (all < wanted && s.asked <= all && s.step > 2) {
            if (rank == 0)
                OK(hmf_request_move((all * 3 + 1) % size, NULL));
            s.asked = all + 1;
        }
        begin();
    }
    if (!gone) {
        s.step--;
        complete();
        step();
        read_back(s.step + 1);
        CHECK(all == wanted);
    }
    OK(MPI_File_close(&s.late));
    OK(MPI_File_close(&wide));
    OK(MPI_File_close(&order));
    OK(MPI_File_close(&alone));
    if (!gone) {
        OK(MPI_Barrier(MPI_COMM_WORLD));
        CHECK(access("late.data", F_OK) != 0 && access("gone.data", F_OK) != 0);
    }
    auto_done();
    MPI_Finalize();
    return failures != 0;
}
