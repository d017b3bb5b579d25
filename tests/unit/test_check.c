/*
 * launch: env=HMF_LOG=error limit=120
 *
 * Checkpoints of a job: written, found, read, kept, refused; on one rank and on several (as
 * threads).
 */
#include "config.h"

#include "check_team.h"
#include "unit.h"

#include <sys/wait.h>

static void one_rank_round_trip(void)
{
    team_clear("one");
    struct hmf__check_job job = alone("one");
    uint64_t g = 0;
    int step;
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(step, -2);
    CU_ASSERT_EQUAL(team_write(&job, 5, &g), HMF_OK);
    CU_ASSERT_EQUAL(g, 1);
    CU_ASSERT(team_exists("one/gen-000001/manifest.txt"));
    CU_ASSERT(team_exists("one/gen-000001/rank-00000.h5"));
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 5);
    hmf__check_release(&job);
}

static void generations_are_kept_and_removed(void)
{
    team_clear("keep");
    struct hmf__check_job job = alone("keep");
    uint64_t g = 0;
    int step;
    job.keep = 3;
    for (int i = 1; i <= 6; i++)
        CU_ASSERT_EQUAL(team_write(&job, i, &g), HMF_OK);
    CU_ASSERT_EQUAL(g, 6);
    CU_ASSERT(!team_exists("keep/gen-000003"));
    CU_ASSERT(team_exists("keep/gen-000004"));
    CU_ASSERT_EQUAL(team_load(&job, 4, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 4);
    CU_ASSERT_EQUAL(team_load(&job, 3, &step, &g), HMF_ERR_NOTFOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "generation 3 in"));
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "there are 6, 5, 4"));
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 6);
    hmf__check_release(&job);
}

static void finished_jobs_start_afresh(void)
{
    team_clear("done");
    struct hmf__check_job job = alone("done");
    uint64_t g = 0;
    int step;
    CU_ASSERT_EQUAL(hmf__check_finished(&job), HMF_OK);
    CU_ASSERT(!team_exists("done"));
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_OK);
    CU_ASSERT_EQUAL(hmf__check_finished(&job), HMF_OK);
    CU_ASSERT_EQUAL(hmf__check_find(&job, -1, &g), HMF_ERR_NOTFOUND);
    /* by number it can still be had */
    CU_ASSERT_EQUAL(team_load(&job, 1, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 1);
    CU_ASSERT_EQUAL(team_write(&job, 2, &g), HMF_OK);
    CU_ASSERT_EQUAL(g, 2);
    CU_ASSERT(!team_exists("done/finished"));
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 2);
    hmf__check_release(&job);
}

static void another_program_or_rank_count_is_refused(void)
{
    team_clear("other");
    struct hmf__check_job job = alone("other");
    uint64_t g = 0;
    int step;
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_OK);
    job.program = "another";
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_ERR_MISMATCH);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "sample"));
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "another"));
    CU_ASSERT_EQUAL(step, -2);
    job.program = "sample";
    job.nranks = 3;
    CU_ASSERT_EQUAL(hmf__check_find(&job, -1, &g), HMF_ERR_MISMATCH);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "1 ranks"));
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "has 3"));
    hmf__check_release(&job);
}

static void names_with_odd_characters(void)
{
    team_clear("odd");
    struct hmf__check_job job = alone("odd");
    job.program = "a b\n%41 \xc3\xa9";
    uint64_t g = 0;
    int step;
    CU_ASSERT_EQUAL(team_write(&job, 3, &g), HMF_OK);
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 3);
    hmf__check_release(&job);
}

static void other_variables_are_refused_by_name(void)
{
    team_clear("vars");
    struct hmf__check_job job = alone("vars");
    uint64_t g = 0;
    long step = 42;
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_OK);
    hmf_state_t *s;
    CU_ASSERT_EQUAL(hmf_state_new(&s), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(s, "tempo", &step, sizeof(int), desc_int, 1, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf__check_load(&job, -1, s, &g), HMF_ERR_MISMATCH);
    CU_ASSERT(strstr(hmf_error_text(), "tempo") != NULL || strstr(hmf_error_text(),
                                                                  "step") != NULL);
    CU_ASSERT_EQUAL(step, 42);
    hmf_state_free(s);
    hmf__check_release(&job);
}

static void bad_arguments(void)
{
    struct hmf__check_job job = alone("");
    uint64_t g = 0;
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_ERR_ARG);
    job.dir = "args";
    job.keep = 0;
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_ERR_ARG);
    hmf__check_release(&job);
}

/* ---- the lock ---- */

static int write_in_child(uint64_t job_id)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct hmf__check_job job = alone("lock");
        uint64_t g = 0;
        job.job_id = job_id;
        hmf_status_t rc = team_write(&job, 9, &g);
        if (rc == HMF_ERR_BUSY && strstr(hmf_error_text(), "process") == NULL)
            rc = HMF_ERR_FORMAT;
        _exit(rc);
    }
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void two_jobs_in_one_directory(void)
{
    team_clear("lock");
    struct hmf__check_job job = alone("lock");
    uint64_t g = 0;
    job.job_id = 7;
    CU_ASSERT_EQUAL(team_write(&job, 1, &g), HMF_OK);
    CU_ASSERT_EQUAL(write_in_child(8), HMF_ERR_BUSY);
    CU_ASSERT_EQUAL(write_in_child(0), HMF_ERR_BUSY);
    /* another process of the same job: its rank 0 has moved there */
    CU_ASSERT_EQUAL(write_in_child(7), HMF_OK);
    hmf__check_release(&job);
    CU_ASSERT_EQUAL(write_in_child(8), HMF_OK);
    /* the child is gone, and so is its lock */
    CU_ASSERT_EQUAL(team_write(&job, 2, &g), HMF_OK);
    hmf__check_release(&job);
}

/* ---- several ranks ---- */

struct several {
    int step;
    hmf_status_t status[TEAM_MAX];
    int found[TEAM_MAX];
    char text[TEAM_MAX][256];
};

static void write_three(struct hmf__check_job *job, void *arg)
{
    struct several *s = arg;
    uint64_t g = 0;
    for (int i = 1; i <= 3; i++)
        s->status[job->rank] = team_write(job, i, &g);
    s->found[job->rank] = (int)g;
}

static void load_newest(struct hmf__check_job *job, void *arg)
{
    struct several *s = arg;
    uint64_t g = 0;
    s->status[job->rank] = team_load(job, -1, &s->found[job->rank], &g);
    if (s->status[job->rank] != HMF_OK)
        snprintf(s->text[job->rank], sizeof s->text[0], "%s", hmf_error_text());
}

static void four_ranks_round_trip(void)
{
    team_clear("four");
    struct several s = {0};
    team_run(4, "four", write_three, &s);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(s.status[i], HMF_OK);
        CU_ASSERT_EQUAL(s.found[i], 3);
    }
    team_run(4, "four", load_newest, &s);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(s.status[i], HMF_OK);
        CU_ASSERT_EQUAL(s.found[i], 3);
    }
    CU_ASSERT(team_exists("four/gen-000003/rank-00003.h5"));
}

/* One rank's part is damaged: all ranks walk back to the older generation together. */
static void all_ranks_walk_back(void)
{
    team_clear("back");
    struct several s = {0};
    team_run(4, "back", write_three, &s);
    CU_ASSERT_EQUAL(truncate("back/gen-000003/rank-00002.h5", 5000), 0);
    team_run(4, "back", load_newest, &s);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(s.status[i], HMF_OK);
        CU_ASSERT_EQUAL(s.found[i], 2);
    }
    CU_ASSERT_EQUAL(unlink("back/gen-000002/rank-00001.h5"), 0);
    team_run(4, "back", load_newest, &s);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_NOT_EQUAL(s.status[i], HMF_OK);
        /* never "not found": the job must not start afresh silently */
        CU_ASSERT_NOT_EQUAL(s.status[i], HMF_ERR_NOTFOUND);
        CU_ASSERT_EQUAL(s.found[i], -2);
        CU_ASSERT_PTR_NOT_NULL(strstr(s.text[i], "rank-00002.h5"));
    }
}

/* A damaged generation does not count among those to keep. */
static void keep_walk_back_and_write(struct hmf__check_job *job, void *arg)
{
    struct several *s = arg;
    uint64_t g;
    load_newest(job, arg);
    s->status[job->rank] = team_write(job, 4, &g);
}

static void damaged_ones_do_not_displace_good_ones(void)
{
    team_clear("displace");
    struct several s = {0};
    team_run(2, "displace", write_three, &s);
    CU_ASSERT_EQUAL(truncate("displace/gen-000003/rank-00001.h5", 0), 0);
    team_run(2, "displace", keep_walk_back_and_write, &s);
    CU_ASSERT_EQUAL(s.status[0], HMF_OK);
    CU_ASSERT_EQUAL(s.found[0], 2);
    CU_ASSERT(team_exists("displace/gen-000004"));
    CU_ASSERT(team_exists("displace/gen-000002"));
}

static const struct unit_test tests[] = {
    {"one rank, round trip", one_rank_round_trip},
    {"generations are kept and removed", generations_are_kept_and_removed},
    {"finished jobs start afresh", finished_jobs_start_afresh},
    {"another program or rank count is refused", another_program_or_rank_count_is_refused},
    {"names with odd characters", names_with_odd_characters},
    {"other variables are refused by name", other_variables_are_refused_by_name},
    {"bad arguments", bad_arguments},
    {"two jobs in one directory", two_jobs_in_one_directory},
    {"four ranks, round trip", four_ranks_round_trip},
    {"all ranks walk back together", all_ranks_walk_back},
    {"damaged ones do not displace good ones", damaged_ones_do_not_displace_good_ones}
};

UNIT_MAIN("checkpoints of a job", tests)
