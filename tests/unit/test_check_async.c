/*
 * launch: env=HMF_LOG=error limit=120
 *
 * Checkpoints written in the background: what was copied is what is stored, failures reach the
 * caller, and a kill at any moment loses nothing that was complete.
 */
#include "config.h"

#include "check_team.h"
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Begins a checkpoint of that step, and changes and frees the state at once. */
static hmf_status_t begin(struct hmf__check_job *job, int step, uint64_t *g)
{
    struct team_vars v;
    hmf_image_t *image = NULL;
    team_fill(&v, job->rank, step);
    hmf_state_t *s = team_state(&v);
    hmf_status_t rc = hmf_image_capture(s, &image);
    if (rc == HMF_OK)
        rc = hmf__check_begin(job, image, g);
    hmf_image_free(image);
    hmf_state_free(s);
    team_free_ring(&v);
    memset(&v, 0x55, sizeof v);
    return rc;
}

static void one_rank(void)
{
    team_clear("async");
    struct hmf__check_job job = alone("async");
    uint64_t g = 7, done = 7;
    int step;
    CU_ASSERT_EQUAL(hmf__check_complete(&job, &done), HMF_OK);
    CU_ASSERT_EQUAL(done, 0);
    CU_ASSERT(!hmf__check_busy(&job));
    for (int i = 1; i <= 4; i++)
        CU_ASSERT_EQUAL(begin(&job, i, &g), HMF_OK);
    CU_ASSERT_EQUAL(g, 4);
    CU_ASSERT_EQUAL(hmf__check_complete(&job, &done), HMF_OK);
    CU_ASSERT_EQUAL(done, 4);
    CU_ASSERT(!hmf__check_busy(&job));
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 4);
    CU_ASSERT_EQUAL(team_load(&job, 3, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 3);
    CU_ASSERT(!team_exists("async/gen-000002"));
    /* one of the other kind waits for it */
    CU_ASSERT_EQUAL(begin(&job, 5, &g), HMF_OK);
    CU_ASSERT_EQUAL(team_write(&job, 6, &g), HMF_OK);
    CU_ASSERT_EQUAL(g, 6);
    CU_ASSERT_EQUAL(team_load(&job, 5, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 5);
    hmf__check_release(&job);
}

/* Without any further call the generation appears: rank 0 waits for the others' files. */
static void released_while_writing(void)
{
    team_clear("release");
    struct hmf__check_job job = alone("release");
    uint64_t g;
    int step;
    CU_ASSERT_EQUAL(begin(&job, 1, &g), HMF_OK);
    while (hmf__check_busy(&job))
        usleep(1000);
    hmf__check_release(&job);
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 1);
    hmf__check_release(&job);
}

struct results {
    hmf_status_t begun[TEAM_MAX], completed[TEAM_MAX], loaded[TEAM_MAX];
    int step[TEAM_MAX];
    uint64_t generation[TEAM_MAX];
    int failing;
};

static void three_and_load(struct hmf__check_job *job, void *arg)
{
    struct results *r = arg;
    uint64_t g;
    for (int i = 1; i <= 3; i++)
        r->begun[job->rank] = begin(job, i, &g);
    r->completed[job->rank] = hmf__check_complete(job, &r->generation[job->rank]);
    r->loaded[job->rank] = team_load(job, -1, &r->step[job->rank], &g);
}

static void four_ranks(void)
{
    team_clear("async4");
    struct results r = {0};
    team_run(4, "async4", three_and_load, &r);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(r.begun[i], HMF_OK);
        CU_ASSERT_EQUAL(r.completed[i], HMF_OK);
        CU_ASSERT_EQUAL(r.generation[i], 3);
        CU_ASSERT_EQUAL(r.loaded[i], HMF_OK);
        CU_ASSERT_EQUAL(r.step[i], 3);
    }
}

/* The memory limit of one is enough: all write synchronously. */
static void limited_memory(void)
{
    team_clear("async4");
    struct results r = {0};
    setenv("HMF_ASYNC_MEMORY", "1000", 1);
    team_run(3, "async4", three_and_load, &r);
    unsetenv("HMF_ASYNC_MEMORY");
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(r.begun[i], HMF_OK);
        CU_ASSERT_EQUAL(r.generation[i], 0);
        CU_ASSERT_EQUAL(r.step[i], 3);
    }
}

/* A write fails on one rank, in the background: all learn of it, the older generation stays. */
static void one_fails(struct hmf__check_job *job, void *arg)
{
    struct results *r = arg;
    uint64_t g;
    r->begun[job->rank] = begin(job, 1, &g);
    hmf__check_complete(job, &g);
    if (job->rank == 0)
        hmf__sys_fail_at(HMF__SYS_FSYNC, r->failing, ENOSPC);
    r->begun[job->rank] = begin(job, 2, &g);
    r->completed[job->rank] = hmf__check_complete(job, &r->generation[job->rank]);
    if (job->rank == 0)
        hmf__sys_fail_at(HMF__SYS_FSYNC, 0, 0);
    r->loaded[job->rank] = team_load(job, -1, &r->step[job->rank], &g);
    if (begin(job, 3, &g) != HMF_OK || hmf__check_complete(job, &g) != HMF_OK)
        r->loaded[job->rank] = HMF_ERR_STATE;
}

static void failures_reach_all_ranks(void)
{
    /* the sync of one of the parts, of the manifest, of the directories */
    for (int n = 1; n <= 6; n++) {
        team_clear("asyncfail");
        struct results r = {.failing = n};
        team_run(3, "asyncfail", one_fails, &r);
        for (int i = 0; i < 3; i++) {
            CU_ASSERT_EQUAL(r.begun[i], HMF_OK);
            CU_ASSERT_EQUAL(r.completed[i], HMF_ERR_IO);
            CU_ASSERT_EQUAL(r.generation[i], 0);
            CU_ASSERT_EQUAL(r.loaded[i], HMF_OK);
            CU_ASSERT_EQUAL(r.step[i], 1);
        }
    }
}

static void killed_at_each_call(void)
{
    team_clear("asynckill");
    struct hmf__check_job job = alone("asynckill");
    uint64_t g = 0;
    int step = 1;
    CU_ASSERT_EQUAL(team_write(&job, step, &g), HMF_OK);
    hmf__check_release(&job);
    for (long n = 1; n < 10000; n++) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            struct hmf__check_job mine = alone("asynckill");
            hmf__sys_fail_at(HMF__SYS_ANY, n, -1);
            hmf_status_t rc = begin(&mine, step + 1, &g);
            _exit(rc == HMF_OK && hmf__check_complete(&mine, &g) == HMF_OK ? 0 : 1);
        }
        int status, found = 0;
        waitpid(pid, &status, 0);
        struct hmf__check_job after = alone("asynckill");
        CU_ASSERT_EQUAL(team_load(&after, -1, &found, &g), HMF_OK);
        CU_ASSERT(found == step || found == step + 1);
        hmf__check_release(&after);
        step = found > 0 ? found : step;
        if (WIFEXITED(status)) {
            CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
            break;
        }
    }
}

/* A rank is bound to a core, as launchers do it; what writes behind it may use the others, and is
   of the lowest priority. The rank stays as it was. */
static int processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1;
}

static void *look(void *arg)
{
    int *seen = arg;
    hmf__sys_step_back();
    seen[0] = processors();
    seen[1] = getpriority(PRIO_PROCESS, 0);
    return NULL;
}

static void beside_the_program(void)
{
    cpu_set_t all, one;
    pthread_t thread;
    int seen[2] = {0, 0}, first = 0;
    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CU_ASSERT_EQUAL_FATAL(sched_setaffinity(0, sizeof one, &one), 0);
    int before = getpriority(PRIO_PROCESS, 0);
    CU_ASSERT_EQUAL_FATAL(hmf__sys_thread(&thread, look, seen), 0);
    pthread_join(thread, NULL);
    CU_ASSERT(seen[0] >= CPU_COUNT(&all));
    CU_ASSERT_EQUAL(seen[1], 19);
    CU_ASSERT_EQUAL(processors(), 1);
    CU_ASSERT_EQUAL(getpriority(PRIO_PROCESS, 0), before);
    sched_setaffinity(0, sizeof all, &all);
}

static const struct unit_test tests[] = {
    {"beside the program", beside_the_program},
    {"one rank", one_rank},
    {"released while writing", released_while_writing},
    {"four ranks", four_ranks},
    {"limited memory", limited_memory},
    {"failures reach all ranks", failures_reach_all_ranks},
    {"killed at each call", killed_at_each_call},
};

UNIT_MAIN("checkpoints in the background", tests)
