/*
 * launch: env=HMF_LOG=error limit=120
 *
 * HMF_INCREMENTAL: of a part only the blocks that differ are written, into a file that an older
 * generation has left or a clone; what is read is right whatever happens on the way.
 */
#include "config.h"

#include "check_blocks.h"
#include "check_priv.h"
#include "check_team.h"
#include "crc32c.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CELLS (1 << 18)                 /* 2 MiB */
#define WINDOW 8192                     /* what a step changes */

struct vars {
    int step, ncells;
    double *cells;
};

/* The cells of a step differ from those of the step before in one window. */
static double cell(int rank, int step, int i)
{
    int turn = i / WINDOW, turns = CELLS / WINDOW;
    int last = step - ((step - turn) % turns + turns) % turns;
    return rank * 1e7 + (last > 0 ? last * 1e5 : 0) + i;
}

static void fill(struct vars *v, int rank, int step, int ncells)
{
    *v = (struct vars){step, ncells, malloc((size_t)ncells * sizeof(double))};
    for (int i = 0; i < ncells; i++)
        v->cells[i] = cell(rank, step, i);
}

static hmf_state_t *state_of(struct vars *v)
{
    hmf_state_t *s = NULL;
    GOOD(hmf_state_new(&s));
    GOOD(hmf_state_add(s, "step", &v->step, sizeof v->step, desc_int, 1, NULL));
    GOOD(hmf_state_add(s, "cells", v->cells, (size_t)v->ncells * sizeof(double), desc_double, 1,
                       NULL));
    return s;
}

static hmf_status_t put(struct hmf__check_job *job, int step, int ncells, bool behind)
{
    struct vars v;
    uint64_t g;
    hmf_image_t *image = NULL;
    fill(&v, job->rank, step, ncells);
    hmf_state_t *s = state_of(&v);
    hmf_status_t rc = hmf_image_capture(s, &image);
    if (rc == HMF_OK)
        rc = behind ? hmf__check_begin(job, image, &g) : hmf__check_write(job, image, &g);
    hmf_image_free(image);
    hmf_state_free(s);
    free(v.cells);
    if (behind && rc == HMF_OK)
        rc = hmf__check_complete(job, &g);
    return rc;
}

/* The step of generation `wanted`, -1 if a byte is wrong; *rc: what loading returned. */
static int get(struct hmf__check_job *job, long wanted, int ncells, hmf_status_t *rc)
{
    struct vars v;
    uint64_t g;
    fill(&v, job->rank, 0, ncells);
    hmf_state_t *s = state_of(&v);
    *rc = hmf__check_load(job, wanted, s, &g);
    bool right = true;
    for (int i = 0; i < ncells; i++)
        right = right && v.cells[i] == cell(job->rank, v.step, i);
    hmf_state_free(s);
    free(v.cells);
    return right ? v.step : -1;
}

static void expect(struct hmf__check_job *job, long wanted, int ncells, int step)
{
    hmf_status_t rc;
    int found = get(job, wanted, ncells, &rc);
    if (rc != HMF_OK || found != step)
        printf("\ngeneration %ld: step %d instead of %d: %s\n", wanted, found, step,
               rc != HMF_OK ? hmf_error_text() : "");
    CU_ASSERT_EQUAL(rc, HMF_OK);
    CU_ASSERT_EQUAL(found, step);
}

static uint64_t written(const struct hmf__check_job *job)
{
    return hmf__io_written(job->hold->io);
}

static void joined_checksums(void)
{
    unsigned char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * i + 3 * i);
    uint32_t all = hmf__crc32c(0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut += 311) {
        uint32_t a = hmf__crc32c(0, bytes, cut), b = hmf__crc32c(0, bytes + cut, sizeof bytes - cut);
        CU_ASSERT_EQUAL(hmf__crc32c_join(a, b, hmf__crc32c_shift(sizeof bytes - cut)), all);
    }
}

static void only_what_differs(void)
{
    team_clear("changes");
    struct hmf__check_job job = alone("changes");
    setenv("HMF_INCREMENTAL", "1", 1);
    for (int step = 1; step <= 9; step++) {
        GOOD(put(&job, step, CELLS, false));
        if (step <= 3)
            CU_ASSERT(written(&job) > CELLS * sizeof(double))
        else    /* three windows differ, and what holds step, header and so on */
            CU_ASSERT(written(&job) < 20 * HMF__BLOCK_BYTES);
        expect(&job, step, CELLS, step);
        if (step > 1)
            expect(&job, step - 1, CELLS, step - 1);
    }
    /* one more than HMF_KEEP is there, no other */
    CU_ASSERT(team_exists("changes/gen-000007"));
    CU_ASSERT(!team_exists("changes/gen-000006"));
    /* other sizes */
    GOOD(put(&job, 10, CELLS / 2, false));
    GOOD(put(&job, 11, CELLS, false));
    expect(&job, 10, CELLS / 2, 10);
    expect(&job, 11, CELLS, 11);
    /* another process knows nothing of them: it writes all, and so does one without the setting */
    hmf__check_release(&job);
    GOOD(put(&job, 12, CELLS, false));
    CU_ASSERT(written(&job) > CELLS * sizeof(double));
    expect(&job, -1, CELLS, 12);
    unsetenv("HMF_INCREMENTAL");
    GOOD(put(&job, 13, CELLS, false));
    CU_ASSERT(written(&job) > CELLS * sizeof(double));
    expect(&job, -1, CELLS, 13);
    hmf__check_release(&job);
}

/* A file that has another name as well, or is being read, is left alone. */
static void others_files(void)
{
    team_clear("others");
    struct hmf__check_job job = alone("others"), copy = alone("copy");
    setenv("HMF_INCREMENTAL", "1", 1);
    for (int step = 1; step <= 3; step++)
        GOOD(put(&job, step, CELLS, false));
    CU_ASSERT_EQUAL(system("rm -rf copy; cp -al others copy; rm copy/lock"), 0);
    for (int step = 4; step <= 6; step++) {
        GOOD(put(&job, step, CELLS, false));
        CU_ASSERT(written(&job) > CELLS * sizeof(double));
    }
    for (int step = 1; step <= 3; step++)
        expect(&copy, step, CELLS, step);
    hmf__check_release(&copy);
    int fd = open("others/gen-000004/rank-00000.h5", O_RDONLY);
    CU_ASSERT_FATAL(fd >= 0 && flock(fd, LOCK_SH) == 0);
    GOOD(put(&job, 7, CELLS, false));
    CU_ASSERT(written(&job) > CELLS * sizeof(double));
    close(fd);
    GOOD(put(&job, 8, CELLS, false));
    CU_ASSERT(written(&job) < 20 * HMF__BLOCK_BYTES);
    expect(&job, -1, CELLS, 8);
    /* a byte that the disk has changed in the meantime is found, and an older one is used */
    fd = open("others/gen-000006/rank-00000.h5", O_WRONLY);
    CU_ASSERT_EQUAL(pwrite(fd, "x", 1, 1000000), 1);
    close(fd);
    GOOD(put(&job, 9, CELLS, false));
    CU_ASSERT(written(&job) < 20 * HMF__BLOCK_BYTES);
    expect(&job, -1, CELLS, 8);
    unsetenv("HMF_INCREMENTAL");
    hmf__check_release(&job);
}

struct results {
    hmf_status_t rc[TEAM_MAX];
    int step[TEAM_MAX];
    bool behind;
};

static void six_and_load(struct hmf__check_job *job, void *arg)
{
    struct results *r = arg;
    for (int step = 1; step <= 6 && r->rc[job->rank] == HMF_OK; step++)
        r->rc[job->rank] = put(job, step, CELLS, r->behind);
    hmf_status_t rc;
    r->step[job->rank] = get(job, -1, CELLS, &rc);
    if (rc != HMF_OK)
        r->rc[job->rank] = rc;
}

static void several_ranks(void)
{
    setenv("HMF_INCREMENTAL", "1", 1);
    for (int behind = 0; behind < 2; behind++) {
        struct results r = {.behind = behind != 0};
        team_clear("changes4");
        team_run(4, "changes4", six_and_load, &r);
        for (int i = 0; i < 4; i++) {
            CU_ASSERT_EQUAL(r.rc[i], HMF_OK);
            CU_ASSERT_EQUAL(r.step[i], 6);
        }
        CU_ASSERT(!team_exists("changes4/gen-000006/rank-00001.h5.part"));
        CU_ASSERT(!team_exists("changes4/gen-000003"));
    }
    unsetenv("HMF_INCREMENTAL");
}

/* Small: the test makes some 40 calls a checkpoint, and as many checkpoints for each way. */
#define FEW (3 * WINDOW)

static void each_call_fails_once(void)
{
    setenv("HMF_INCREMENTAL", "1", 1);
    for (int behind = 0; behind < 2; behind++) {
        team_clear("failing");
        struct hmf__check_job job = alone("failing");
        int step = 0;
        while (step < 4)
            GOOD(put(&job, ++step, FEW, behind));
        for (long n = 1, calls = 1; n <= calls && n < 1000; n++) {
            hmf__sys_fail_at(HMF__SYS_ANY, n, n % 2 != 0 ? EIO : ENOSPC);
            hmf_status_t rc = put(&job, step + 1, FEW, behind);
            calls = hmf__sys_count(HMF__SYS_ANY);
            hmf__sys_fail_at(HMF__SYS_ANY, 0, 0);
            CU_ASSERT(rc == HMF_OK || rc == HMF_ERR_IO);
            step += rc == HMF_OK;
            expect(&job, -1, FEW, step);
        }
        for (int i = 0; i < 4; i++)
            GOOD(put(&job, ++step, FEW, behind));
        expect(&job, -1, FEW, step);
        hmf__check_release(&job);
    }
    unsetenv("HMF_INCREMENTAL");
}

/* A child writes five, the last ones into files of the first; it is killed at each of its calls. */
static void killed_at_each_call(void)
{
    setenv("HMF_INCREMENTAL", "1", 1);
    for (long n = 1; n < 1000; n++) {
        int status, pipes[2], last = 0;
        team_clear("killed");
        CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            struct hmf__check_job mine = alone("killed");
            for (int step = 1; step <= 5; step++) {
                if (step == 4)
                    hmf__sys_fail_at(HMF__SYS_ANY, n, -1);
                if (put(&mine, step, FEW, n % 2 != 0) != HMF_OK
                    || write(pipes[1], &step, sizeof step) < 0)
                    _exit(1);
            }
            _exit(0);
        }
        close(pipes[1]);
        waitpid(pid, &status, 0);
        for (int step; read(pipes[0], &step, sizeof step) == sizeof step;)
            last = step;
        close(pipes[0]);
        struct hmf__check_job after = alone("killed");
        hmf_status_t rc;
        int found = get(&after, -1, FEW, &rc);
        CU_ASSERT_EQUAL(rc, HMF_OK);
        CU_ASSERT(last >= 3 && (found == last || found == last + 1));
        expect(&after, found - 1, FEW, found - 1);
        hmf__check_release(&after);
        if (WIFEXITED(status)) {
            CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
            break;
        }
    }
    unsetenv("HMF_INCREMENTAL");
}

/* On a file system that shares extents, the newest generation is what the next is made of. */
static int on_xfs(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || system("rm -rf xfs xfs.image; mkdir xfs; truncate -s 400M xfs.image; PATH=$PATH:/sbin:"
                  "/usr/sbin; mkfs.xfs -q xfs.image && mount -o loop xfs.image xfs") != 0)
        return 77;
    struct hmf__check_job job = alone("xfs/changes");
    setenv("HMF_INCREMENTAL", "1", 1);
    for (int step = 1; step <= 6; step++) {
        hmf_status_t rc;
        if (put(&job, step, CELLS, step % 2 == 0) != HMF_OK)
            return 1;
        if (step % 2 != 0 && step > 1 && written(&job) >= 10 * HMF__BLOCK_BYTES)
            return 2;
        if (get(&job, step, CELLS, &rc) != step || rc != HMF_OK)
            return 3;
        if (step > 1 && (get(&job, step - 1, CELLS, &rc) != step - 1 || rc != HMF_OK))
            return 4;
    }
    return team_exists("xfs/changes/gen-000004") ? 5 : 0;
}

static void clones(void)
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(on_xfs());
    waitpid(pid, &status, 0);
    unlink("xfs.image");
    CU_ASSERT(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        printf("(no XFS could be mounted here: left out) ");
    else
        CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

static const struct unit_test tests[] = {
    {"joined checksums", joined_checksums},
    {"only what differs", only_what_differs},
    {"others' files", others_files},
    {"several ranks", several_ranks},
    {"each call fails once", each_call_fails_once},
    {"killed at each call", killed_at_each_call},
    {"clones", clones},
};

int main(void)
{
    if (!hmf__blocks_can()) {
        printf("built without libxxhash: nothing to test\n");
        return 77;
    }
    return unit_main("checkpoints of what differs", tests, LEN(tests));
}
