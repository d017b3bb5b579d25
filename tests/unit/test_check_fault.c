/*
 * launch: env=HMF_LOG=error limit=120
 *
 * Checkpoints when system calls fail: the call returns an error that names the file, the job goes
 * on, the earlier generation stays, and the next checkpoint works.
 */
#include "config.h"

#include "check_team.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Generation `step` is there and intact, and a later write works. */
static void still_usable(struct hmf__check_job *job, int step)
{
    uint64_t g = 0;
    int found = 0;
    CU_ASSERT_EQUAL(team_load(job, -1, &found, &g), HMF_OK);
    CU_ASSERT_EQUAL(found, step);
}

static void each_call_fails_once(void)
{
    static const int errors[] = {ENOSPC, EIO, EDQUOT, EACCES};
    team_clear("each");
    struct hmf__check_job job = alone("each");
    uint64_t g = 0;
    int step = 1, failures = 0;
    CU_ASSERT_EQUAL(team_write(&job, step, &g), HMF_OK);
    for (long n = 1; n < 10000; n++) {
        hmf__sys_fail_at(HMF__SYS_ANY, n, errors[n % 4]);
        hmf_status_t rc = team_write(&job, step + 1, &g);
        long calls = hmf__sys_count(HMF__SYS_ANY);
        hmf__sys_fail_at(HMF__SYS_ANY, 0, 0);
        if (rc == HMF_OK)
            step++;                    /* it failed where nothing depends on it, e.g. in removing */
        else
            failures++;
        if (rc != HMF_OK && rc != HMF_ERR_IO)
            printf("call %ld: %s: %s\n", n, hmf_status_name(rc), hmf_error_text());
        CU_ASSERT(rc == HMF_OK || rc == HMF_ERR_IO);
        still_usable(&job, step);
        if (calls < n)
            break;
    }
    CU_ASSERT(failures > 10);
    CU_ASSERT_EQUAL(team_write(&job, ++step, &g), HMF_OK);
    still_usable(&job, step);
    hmf__check_release(&job);
}

/* Reading: a failed call is an error or a walk back, never a wrong state. */
static void each_call_fails_once_in_reading(void)
{
    team_clear("eachread");
    struct hmf__check_job job = alone("eachread");
    uint64_t g = 0;
    int found;
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_OK);
    CU_ASSERT_EQUAL(team_write(&job, 2, &g), HMF_OK);
    for (long n = 1; n < 10000; n++) {
        hmf__check_release(&job);
        hmf__sys_fail_at(HMF__SYS_ANY, n, EIO);
        hmf_status_t rc = team_load(&job, -1, &found, &g);
        long calls = hmf__sys_count(HMF__SYS_ANY);
        hmf__sys_fail_at(HMF__SYS_ANY, 0, 0);
        CU_ASSERT(rc == HMF_OK ? found == 2 || found == 1 : rc != HMF_ERR_NOTFOUND);
        if (calls < n)
            break;
    }
    hmf__check_release(&job);
}

static void file_size_limit(void)
{
    team_clear("limit");
    struct hmf__check_job job = alone("limit");
    uint64_t g = 0;
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_OK);
    struct rlimit old, low;
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_IGN);
    low = old;
    for (rlim_t size = 0; size < 40000; size += 3000) {
        low.rlim_cur = size;
        setrlimit(RLIMIT_FSIZE, &low);
        hmf_status_t rc = team_write(&job, 2, &g);
        setrlimit(RLIMIT_FSIZE, &old);
        if (rc == HMF_OK)
            break;
        CU_ASSERT_EQUAL(rc, HMF_ERR_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "limit/gen-000002.tmp"));
        CU_ASSERT(!team_exists("limit/gen-000002.tmp"));
        still_usable(&job, 1);
    }
    CU_ASSERT_EQUAL(team_write(&job, 2, &g), HMF_OK);
    still_usable(&job, 2);
    hmf__check_release(&job);
}

/* A file system of 100 KiB: the real thing, where a private mount is allowed. */
static int fill_small_disk(void)
{
    struct hmf__check_job job = alone("disk/ck");
    uint64_t g;
    int found, failed = 0;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount("none", "disk", "tmpfs", 0, "size=100k") != 0)
        return 77;
    if (team_write(&job, 1, &g) != HMF_OK)
        return 1;
    for (size_t ballast = 0; ballast < 100 * 1024; ballast += 4096) {
        int fd = open("disk/ballast", O_WRONLY | O_CREAT | O_APPEND, 0600);
        char bytes[4096] = {1};
        if (write(fd, bytes, sizeof bytes) != sizeof bytes)
            ballast = 100 * 1024;
        close(fd);
        hmf_status_t rc = team_write(&job, 2, &g);
        if (rc != HMF_OK && (rc != HMF_ERR_IO || strstr(hmf_error_text(), "space") == NULL))
            return 2;
        failed += rc != HMF_OK;
        if (team_load(&job, -1, &found, &g) != HMF_OK || found < 1 || found > 2)
            return 3;
        if (team_exists("disk/ck/gen-000009.tmp"))
            return 4;
    }
    unlink("disk/ballast");
    if (team_write(&job, 3, &g) != HMF_OK || team_load(&job, -1, &found, &g) != HMF_OK
        || found != 3)
        return 5;
    return failed > 3 ? 0 : 6;
}

static void disk_full(void)
{
    int status;
    mkdir("disk", 0755);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(fill_small_disk());
    waitpid(pid, &status, 0);
    CU_ASSERT(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        printf("(no private mount allowed here: left out) ");
    else
        CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

static void missing_and_foreign_directories(void)
{
    uint64_t g = 0;
    int step;
    struct hmf__check_job job = alone("no/such/parent");
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "no/such/parent"));
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_ERR_NOTFOUND);
    hmf__check_release(&job);
    FILE *f = fopen("plainfile", "w");
    fputs("hello", f);
    fclose(f);
    job = alone("plainfile");
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "plainfile"));
    hmf__check_release(&job);
}

static void unwritable_directory(void)
{
    team_clear("readonly");
    struct hmf__check_job job = alone("readonly");
    uint64_t g = 0;
    int step;
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_OK);
    hmf__check_release(&job);
    chmod("readonly", 0555);
    if (geteuid() == 0) {
        /* root may write anywhere: the same by a failing call */
        hmf__sys_fail_at(HMF__SYS_MKDIR, 2, EACCES);
    }
    CU_ASSERT_EQUAL(team_write(&job, 2, &g), HMF_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "HMF_DIR"));
    hmf__sys_fail_at(HMF__SYS_MKDIR, 0, 0);
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 1);
    chmod("readonly", 0755);
    hmf__check_release(&job);
}

static void directory_removed_under_way(void)
{
    team_clear("gone");
    struct hmf__check_job job = alone("gone");
    uint64_t g = 0;
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_OK);
    team_clear("gone");
    CU_ASSERT_EQUAL(team_write(&job, 2, &g), HMF_OK);
    still_usable(&job, 2);
    hmf__check_release(&job);
}

/* ---- kill -9 ---- */

/* A child writes generations; it is killed at its n-th system call. What is complete then
   restores. */
static void killed_at_each_call(void)
{
    team_clear("kill");
    struct hmf__check_job job = alone("kill");
    uint64_t g = 0;
    int step = 1;
    CU_ASSERT_EQUAL(team_write(&job, step, &g), HMF_OK);
    hmf__check_release(&job);
    for (long n = 1; n < 10000; n++) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            struct hmf__check_job mine = alone("kill");
            hmf__sys_fail_at(HMF__SYS_ANY, n, -1);
            _exit(team_write(&mine, step + 1, &g) == HMF_OK ? 0 : 1);
        }
        int status, found = 0;
        waitpid(pid, &status, 0);
        struct hmf__check_job after = alone("kill");
        CU_ASSERT_EQUAL(team_load(&after, -1, &found, &g), HMF_OK);
        CU_ASSERT(found == step || found == step + 1);
        hmf__check_release(&after);
        step = found > 0 ? found : step;
        if (WIFEXITED(status)) {
            CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
            CU_ASSERT_EQUAL(found, step);
            break;
        }
        CU_ASSERT_EQUAL(WTERMSIG(status), SIGKILL);
    }
}

/* The same at random instants, with a child that writes without end. */
static void killed_at_random_instants(void)
{
    team_clear("random");
    unsigned seed = (unsigned)hmf__now_ns();
    const char *given = getenv("HMF_TEST_SEED"), *rounds = getenv("HMF_TEST_KILLS");
    if (given != NULL)
        seed = (unsigned)strtoul(given, NULL, 10);
    printf("(seed %u) ", seed);
    int last = 0;
    for (int i = 0, n = rounds != NULL ? atoi(rounds) : 40; i < n; i++) {
        int pipes[2], status, found = 0, written = last;
        uint64_t g = 0;
        if (pipe(pipes) != 0)
            break;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            struct hmf__check_job mine = alone("random");
            close(pipes[0]);
            for (int step = last + 1;; step++) {
                if (team_write(&mine, step, &g) != HMF_OK || write(pipes[1], &step,
                                                                   sizeof step) < 0)
                    _exit(1);
            }
        }
        close(pipes[1]);
        /* It has written one at least; then it goes on for a random while. */
        if (read(pipes[0], &written, sizeof written) != sizeof written)
            written = last;
        usleep((useconds_t)(rand_r(&seed) % 20000));
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        CU_ASSERT(WIFSIGNALED(status));
        for (int step; read(pipes[0], &step, sizeof step) == sizeof step;)
            written = step;
        close(pipes[0]);
        struct hmf__check_job after = alone("random");
        CU_ASSERT_EQUAL(team_load(&after, -1, &found, &g), HMF_OK);
        /* all that it reported is there; one more may be */
        CU_ASSERT(found == written || found == written + 1);
        hmf__check_release(&after);
        last = found > 0 ? found : last;
    }
}

static const struct unit_test tests[] = {
    {"each call fails once", each_call_fails_once},
    {"each call fails once in reading", each_call_fails_once_in_reading},
    {"file size limit", file_size_limit},
    {"disk full", disk_full},
    {"missing and foreign directories", missing_and_foreign_directories},
    {"unwritable directory", unwritable_directory},
    {"directory removed under way", directory_removed_under_way},
    {"killed at each call", killed_at_each_call},
    {"killed at random instants", killed_at_random_instants}
};

UNIT_MAIN("checkpoints and failing system calls", tests)
