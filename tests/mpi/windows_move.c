/* Windows of all kinds across moves. Each rank in turn moves while there are windows of its start-up
 * (on registered memory; on memory of MPI_Win_allocate, in nobody's variable and locked all the
 * time; shared with its node) and windows made later, in registered variables. Fences without an
 * access since go on over the poll, a request of MPI_Rput is pending at it, and everything that
 * was ever put into a window is looked at again in each step.
 * launch: limit=100 env=OMPI_MCA_osc=^ucx */
#include "shim.h"

#include "auto.h"
#include "hmf/function.h"
#include "hmf/job.h"
#include "typemap.h"

enum { MIN_STEPS = 24, MAX_STEPS = 100000, PAST = 8, BIG = 40000 };

/* What moves, besides the memory of windows. */
static struct state {
    int step, moves, asked, value;
    int cells[PAST], late_cells[PAST];
    MPI_Win late, late_own, dynamic;
    MPI_Request put;
} s;

static int type_state[] = {
    -10, typeINT, typeINT, typeINT, typeINT, typeARRAY, PAST, typeINT, typeARRAY, PAST, typeINT,
    typeMPI_WIN, typeMPI_WIN, typeMPI_WIN, typeMPI_REQUEST
};

static MPI_Win fenced, locked, shared;
static int *own, *mine, *theirs, left, right, caught;
static MPI_Group to, from;

static int value(int step, int who)
{
    return step * 100 + who + 1;
}

/* The step that slot `i` was last written in, before step `now` is over; -1: never. */
static int last_in(int i, int now)
{
    int step = now - (now % PAST - i + PAST) % PAST;

    return step;
}

static void check_past(const int *slots, int now, int writer, const char *what)
{
    for (int i = 0; i < PAST; i++) {
        int step = last_in(i, now), want = step < 0 ? 0 : value(step, writer);

        if (slots[i] != want) {
            failures++;
            fprintf(stderr, "rank %d, step %d: %s has %d in slot %d instead of %d\n", rank, now,
                    what, slots[i], i, want);
        }
    }
}

static void on_error(MPI_Win *w, int *code, ...)
{
    (void) w;
    (void) code;
    caught++;
}

static void start_up(void)
{
    MPI_Aint bytes;
    MPI_Comm node, world;
    MPI_Group all;
    MPI_Info info;
    MPI_Win gone;
    int unit, *memory;

    OK(MPI_Info_create(&info));
    OK(MPI_Info_set(info, "same_disp_unit", "true"));
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &world));
    OK(MPI_Win_create(s.cells, sizeof s.cells, sizeof(int), info, world, &fenced));
    OK(MPI_Info_free(&info));
    OK(MPI_Win_set_name(fenced, "cells"));
    OK(MPI_Win_allocate(16, 1, MPI_INFO_NULL, world, &memory, &gone));
    memory[0] = 1;
    OK(MPI_Win_allocate((1 + PAST + BIG) * sizeof(int), sizeof(int), MPI_INFO_NULL, world, &own,
                        &locked));
    OK(MPI_Comm_free(&world));
    OK(MPI_Win_free(&gone));
    OK(MPI_Win_lock_all(MPI_MODE_NOCHECK, locked));
    OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node));
    OK(MPI_Win_allocate_shared(PAST * sizeof(int), sizeof(int), MPI_INFO_NULL, node, &mine,
                               &shared));
    OK(MPI_Win_shared_query(shared, left, &bytes, &unit, &theirs));
    CHECK(bytes == PAST * sizeof(int) && unit == sizeof(int));
    OK(MPI_Comm_free(&node));
    OK(MPI_Win_fence(MPI_MODE_NOPRECEDE, fenced));
    OK(MPI_Comm_group(MPI_COMM_WORLD, &all));
    OK(MPI_Group_incl(all, 1, &right, &to));
    OK(MPI_Group_incl(all, 1, &left, &from));
    OK(MPI_Group_free(&all));
}

static void make_late(void)
{
    MPI_Errhandler handler;
    int *memory;

    OK(MPI_Win_create(s.late_cells, sizeof s.late_cells, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD,
                      &s.late));
    OK(MPI_Win_create_errhandler(on_error, &handler));
    OK(MPI_Win_set_errhandler(s.late, handler));
    OK(MPI_Errhandler_free(&handler));
    OK(MPI_Win_allocate(PAST * sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory,
                        &s.late_own));
    memset(memory, 0, PAST * sizeof(int));
    OK(MPI_Win_create_dynamic(MPI_INFO_NULL, MPI_COMM_WORLD, &s.dynamic));
    memset(own, 0, (1 + PAST) * sizeof(int));
    for (int i = 0; i < BIG; i++)
        own[1 + PAST + i] = i ^ rank;
    memset(mine, 0, PAST * sizeof(int));
    OK(MPI_Barrier(MPI_COMM_WORLD));
}

/* Pending at the next poll. */
static void begin(void)
{
    s.value = value(s.step, rank);
    OK(MPI_Rput(&s.value, 1, MPI_INT, right, 1 + s.step % PAST, 1, MPI_INT, locked, &s.put));
}

static void complete(void)
{
    OK(MPI_Wait(&s.put, MPI_STATUS_IGNORE));
    OK(MPI_Win_flush(right, locked));
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Win_sync(locked));
    check_past(own + 1, s.step, left, "the locked window");
    for (int i = 0; i < BIG; i += 997)
        CHECK(own[1 + PAST + i] == (i ^ rank));
}

/* A region that is attached for one step only. */
static void attach(void)
{
    static int cell;
    MPI_Aint at, there;

    cell = 0;
    OK(MPI_Win_attach(s.dynamic, &cell, sizeof cell));
    OK(MPI_Get_address(&cell, &at));
    OK(MPI_Sendrecv(&at, 1, MPI_AINT, left, 9, &there, 1, MPI_AINT, right, 9, MPI_COMM_WORLD,
                    MPI_STATUS_IGNORE));
    OK(MPI_Win_lock(MPI_LOCK_EXCLUSIVE, right, 0, s.dynamic));
    OK(MPI_Put(&s.value, 1, MPI_INT, right, there, 1, MPI_INT, s.dynamic));
    OK(MPI_Win_unlock(right, s.dynamic));
    OK(MPI_Barrier(MPI_COMM_WORLD));
    CHECK(cell == value(s.step, left));
    OK(MPI_Win_detach(s.dynamic, &cell));
}

static void step(void)
{
    int *memory, *base, *unit, flag, n, slot = s.step % PAST, got;
    char name[MPI_MAX_OBJECT_NAME];
    MPI_Aint *bytes;

    /* the last fence, a step ago, has opened this epoch */
    OK(MPI_Put(&s.value, 1, MPI_INT, right, slot, 1, MPI_INT, fenced));
    OK(MPI_Win_fence(0, fenced));
    check_past(s.cells, s.step, left, "the fenced window");
    OK(MPI_Win_get_name(fenced, name, &n));
    CHECK(strcmp(name, "cells") == 0);

    OK(MPI_Win_get_attr(s.late_own, MPI_WIN_BASE, &memory, &flag));
    CHECK(flag && memory != NULL);
    OK(MPI_Win_get_attr(s.late_own, MPI_WIN_SIZE, &bytes, &flag));
    CHECK(flag && *bytes == PAST * sizeof(int));
    OK(MPI_Win_get_attr(s.late_own, MPI_WIN_CREATE_FLAVOR, &unit, &flag));
    CHECK(flag && *unit == MPI_WIN_FLAVOR_ALLOCATE);
    OK(MPI_Win_get_attr(fenced, MPI_WIN_BASE, &base, &flag));
    CHECK(flag && base == s.cells);

    OK(MPI_Win_post(from, 0, s.late));
    OK(MPI_Win_start(to, 0, s.late));
    OK(MPI_Put(&s.value, 1, MPI_INT, right, slot, 1, MPI_INT, s.late));
    OK(MPI_Win_complete(s.late));
    OK(MPI_Win_wait(s.late));
    check_past(s.late_cells, s.step, left, "the late window");

    OK(MPI_Win_lock(MPI_LOCK_SHARED, right, 0, s.late_own));
    OK(MPI_Accumulate(&s.value, 1, MPI_INT, right, slot, 1, MPI_INT, MPI_REPLACE, s.late_own));
    OK(MPI_Win_unlock(right, s.late_own));
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Win_lock(MPI_LOCK_SHARED, rank, 0, s.late_own));
    OK(MPI_Get(&got, 1, MPI_INT, rank, slot, 1, MPI_INT, s.late_own));
    OK(MPI_Win_unlock(rank, s.late_own));
    CHECK(got == value(s.step, left));
    check_past(memory, s.step, left, "the late window of MPI's memory");

    OK(MPI_Win_lock_all(0, shared));
    mine[slot] = s.value;
    OK(MPI_Win_sync(shared));
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Win_sync(shared));
    check_past(theirs, s.step, left, "the shared window");
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Win_unlock_all(shared));
    attach();
}

int main(int argc, char **argv)
{
    const char *setting = getenv("HMF_SPARES");
    int wanted = setting != NULL ? atoi(setting) : 0, all = 0, gone = 0, newcomer;

    test_begin(&argc, &argv);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;
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
        CHECK(all == wanted);
        OK(MPI_Win_unlock_all(locked));
    }
    OK(MPI_Win_free(&fenced));
    OK(MPI_Win_free(&locked));
    OK(MPI_Win_free(&shared));
    if (s.step > 0) {
        OK(MPI_Win_free(&s.late));
        OK(MPI_Win_free(&s.late_own));
        OK(MPI_Win_free(&s.dynamic));
    }
    OK(MPI_Group_free(&to));
    OK(MPI_Group_free(&from));
    auto_done();
    MPI_Finalize();
    return failures != 0;
}
