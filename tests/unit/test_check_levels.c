/*
 * launch: env=HMF_LOG=warn
 *
 * Checkpoints in the nodes' own directories, with copies on other nodes and behind them HMF_DIR.
 * Ranks are threads; a node is a name and a directory, and loses everything when that is removed.
 */
#include "config.h"

#include "check_team.h"
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#define RANKS 4
#define DIR "levels"
#define STEPS 8

/* Where each rank runs: a letter a node. */
struct scene {
    struct hmf__levels levels[RANKS];
    int from, to;                       /* steps to write */
    bool behind, finish;
    hmf_status_t status[RANKS], wrote[RANKS];
    int found[RANKS];
    uint64_t generation[RANKS];
    char text[RANKS][1024];
};

static void place(struct scene *s, const char *where, const char *levels)
{
    for (int r = 0; r < RANKS; r++) {
        free(s->levels[r].root);
        memset(&s->levels[r], 0, sizeof s->levels[r]);
        snprintf(s->levels[r].node, sizeof s->levels[r].node, "node%c", where[r]);
        s->levels[r].root = malloc(64);
        snprintf(s->levels[r].root, 64, "local.node%c", where[r]);
        CU_ASSERT_EQUAL(hmf__levels_parse(levels, &s->levels[r]), HMF_OK);
    }
}

static void scene_free(struct scene *s)
{
    for (int r = 0; r < RANKS; r++)
        free(s->levels[r].root);
}

static void clear_all(void)
{
    if (system("rm -rf " DIR " local.node?") != 0)
        CU_FAIL("cannot clear");
}

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
    return rc;
}

static void write_some(struct hmf__check_job *job, void *arg)
{
    struct scene *s = arg;
    uint64_t g = 0;
    s->wrote[job->rank] = HMF_OK;
    for (int i = s->from; i <= s->to && s->wrote[job->rank] == HMF_OK; i++)
        s->wrote[job->rank] = s->behind ? begin(job, i, &g) : team_write(job, i, &g);
    if (s->behind && s->wrote[job->rank] == HMF_OK)
        s->wrote[job->rank] = hmf__check_complete(job, &g);
    snprintf(s->text[job->rank], sizeof s->text[0], "%s", hmf_error_text());
    hmf__check_settle(job);
    if (s->finish)
        hmf__check_finished(job);
}

static void load(struct hmf__check_job *job, void *arg)
{
    struct scene *s = arg;
    int r = job->rank;
    s->status[r] = team_load(job, -1, &s->found[r], &s->generation[r]);
    snprintf(s->text[r], sizeof s->text[0], "%s", hmf_error_text());
}

static void written(struct scene *s, int from, int to)
{
    s->from = from;
    s->to = to;
    team_run_on(RANKS, DIR, s->levels, write_some, s);
    for (int r = 0; r < RANKS; r++) {
        CU_ASSERT_EQUAL(s->wrote[r], HMF_OK);
        if (s->wrote[r] != HMF_OK)
            printf("%s\n", s->text[r]);
    }
}

static void loaded(struct scene *s, int step)
{
    team_run_on(RANKS, DIR, s->levels, load, s);
    for (int r = 0; r < RANKS; r++) {
        CU_ASSERT_EQUAL(s->status[r], HMF_OK);
        CU_ASSERT_EQUAL(s->found[r], step);
        if (s->found[r] != step)
            printf("rank %d: step %d, not %d; %s\n", r, s->found[r], step, s->text[r]);
    }
}

static int count(const char *pattern)
{
    char command[256];
    int n = -1;
    snprintf(command, sizeof command, "ls -d %s 2>/dev/null | wc -l", pattern);
    FILE *f = popen(command, "r");
    if (f == NULL || fscanf(f, "%d", &n) != 1)
        CU_FAIL("cannot count");
    if (f != NULL)
        pclose(f);
    return n;
}

static void lose(const char *node)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf local.node%s", node);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void settings(void)
{
    struct hmf__levels l = {0};
    bool flush;
    static const char *const bad[] = {"local", "local:", "local:2", "shared:0", "partner:-1",
                                      "disk:1", "shared:4,shared:5", "shared:4,", "shared:4;",
                                      "shared:99999999999999999999"};
    for (size_t i = 0; i < LEN(bad); i++)
        BAD(hmf__levels_parse(bad[i], &l), HMF_ERR_ARG, bad[i]);
    GOOD(hmf__levels_parse("local:1,partner:4,shared:16", &l));
    CU_ASSERT_EQUAL(hmf__levels_of(&l, 5, &flush), HMF__LEVEL_SHARED);  /* no directory */
    l.root = "x";
    CU_ASSERT_EQUAL(hmf__levels_of(&l, 5, &flush), HMF__LEVEL_LOCAL);
    CU_ASSERT(!flush);
    CU_ASSERT_EQUAL(hmf__levels_of(&l, 8, &flush), HMF__LEVEL_PARTNER);
    CU_ASSERT(!flush);
    CU_ASSERT_EQUAL(hmf__levels_of(&l, 32, &flush), HMF__LEVEL_PARTNER);
    CU_ASSERT(flush);
    GOOD(hmf__levels_parse("shared:3", &l));
    CU_ASSERT_EQUAL(hmf__levels_of(&l, 4, &flush), HMF__LEVEL_LOCAL);
    CU_ASSERT_EQUAL(hmf__levels_of(&l, 9, &flush), HMF__LEVEL_LOCAL);
    CU_ASSERT(flush);
}

/* Eight checkpoints: each local, every second with a copy, every fourth in HMF_DIR as well. */
static void every_level_has_its_own(void)
{
    struct scene s = {0};
    clear_all();
    place(&s, "aabb", "local:1,partner:2,shared:4");
    for (int behind = 0; behind < 2; behind++) {
        s.behind = behind != 0;
        clear_all();
        written(&s, 1, STEPS);
        CU_ASSERT_EQUAL(count(DIR "/gen-000004/manifest.txt"), 1);
        CU_ASSERT_EQUAL(count(DIR "/gen-000008/rank-*.h5"), RANKS);
        CU_ASSERT_EQUAL(count(DIR "/gen-??????"), 2);
        CU_ASSERT_EQUAL(count(DIR "/gen-000007.local/manifest.txt"), 1);
        CU_ASSERT_EQUAL(count(DIR "/*.tmp"), 0);
        CU_ASSERT_EQUAL(count("local.node?/*/gen-000007/rank-*.h5"), RANKS);
        CU_ASSERT_EQUAL(count("local.node?/*/gen-000006/copy-*.h5"), RANKS);
        CU_ASSERT_EQUAL(count("local.nodeb/*/gen-000006/copy-0000[01].h5"), 2);
        loaded(&s, STEPS);
        written(&s, STEPS + 1, STEPS + 1);      /* old ones have gone, in HMF_DIR and the nodes */
        CU_ASSERT_EQUAL(count("local.nodea/*/gen-000005"), 0);
        loaded(&s, STEPS + 1);
    }
    s.finish = true;
    written(&s, STEPS + 2, STEPS + 3);
    CU_ASSERT_EQUAL(count("local.node?/*"), 0);
    CU_ASSERT_EQUAL(count(DIR "/*.local"), 0);
    team_run_on(RANKS, DIR, s.levels, load, &s);
    CU_ASSERT_EQUAL(s.status[0], HMF_ERR_NOTFOUND);
    scene_free(&s);
}

static void a_lost_node_is_rebuilt(void)
{
    struct scene s = {0};
    clear_all();
    place(&s, "abcc", "partner:2,shared:4");
    written(&s, 1, 6);                  /* 4 in HMF_DIR, 6 with copies */
    lose("b");
    loaded(&s, 6);
    CU_ASSERT_EQUAL(count("local.nodeb/*/gen-000006/rank-00001.h5"), 1);
    lose("c");                          /* two ranks' parts, copies of them at a and a */
    place(&s, "abde", "partner:2,shared:4");    /* and other hosts in its stead */
    loaded(&s, 6);
    place(&s, "bade", "partner:2,shared:4");    /* ranks on other nodes than before */
    loaded(&s, 6);
    lose("d");
    lose("a");                          /* rank 2 and its copy: 4 is in HMF_DIR */
    loaded(&s, 4);
    written(&s, 7, 8);                  /* 5 follows 6: numbers never go back */
    loaded(&s, 8);
    CU_ASSERT_EQUAL(s.generation[0], 8);
    scene_free(&s);
}

/* Without a copy, another node's loss takes the generation with it. */
static void local_ones_need_their_nodes(void)
{
    struct scene s = {0};
    clear_all();
    place(&s, "aabb", "local:1,shared:3");
    written(&s, 1, 5);
    loaded(&s, 5);
    lose("b");
    loaded(&s, 3);
    clear_all();
    place(&s, "aabb", "local:1");
    written(&s, 1, 2);
    place(&s, "aacc", "local:1");
    team_run_on(RANKS, DIR, s.levels, load, &s);
    for (int r = 0; r < RANKS; r++) {
        CU_ASSERT(s.status[r] != HMF_OK && s.status[r] != HMF_ERR_NOTFOUND);
        CU_ASSERT_EQUAL(s.found[r], -2);
        CU_ASSERT_PTR_NOT_NULL(strstr(s.text[r], "nodeb"));
        CU_ASSERT_PTR_NULL(strstr(s.text[r], "nodea"));
    }
    scene_free(&s);
}

static void flip(const char *pattern)
{
    char command[256];
    snprintf(command, sizeof command, "for f in %s; do printf x | dd of=$f bs=1 seek=9000 "
             "conv=notrunc status=none; done", pattern);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void damage_is_mended_by_the_copy(void)
{
    struct scene s = {0};
    clear_all();
    place(&s, "abab", "partner:1,shared:2");
    written(&s, 1, 3);
    flip("local.nodea/*/gen-000003/rank-00000.h5");
    loaded(&s, 3);
    flip("local.nodea/*/gen-000003/rank-00002.h5");
    flip("local.nodeb/*/gen-000003/copy-00002.h5");
    loaded(&s, 2);                      /* from the nodes */
    flip("local.node?/*/gen-000002/*-00001.h5");
    loaded(&s, 2);                      /* from HMF_DIR */
    scene_free(&s);
}

/* One node has no room: the checkpoint goes to HMF_DIR, and none is lost. */
static void a_full_node_falls_back(void)
{
    struct scene s = {0};
    for (int behind = 0; behind < 2; behind++) {
        clear_all();
        place(&s, "abab", "partner:2");
        s.behind = behind != 0;
        written(&s, 1, 2);
        CU_ASSERT_EQUAL(system("chmod a-w local.nodeb && rm -rf local.nodeb && echo >local.nodeb"), 0);
        written(&s, 3, 3);
        CU_ASSERT_EQUAL(count(DIR "/gen-000003/rank-*.h5"), RANKS);
        loaded(&s, 3);
        CU_ASSERT_EQUAL(system("rm local.nodeb"), 0);
        written(&s, 4, 5);
        CU_ASSERT_EQUAL(count(DIR "/gen-000005.local"), 1);
        loaded(&s, 5);
    }
    scene_free(&s);
}

/* A copy to HMF_DIR that fails leaves nothing half there, and the generation where it was. */
static void a_failing_flush(void)
{
    struct scene s = {0};
    clear_all();
    place(&s, "abab", "partner:1,shared:2");
    written(&s, 1, 1);
    CU_ASSERT_EQUAL(mkdir(DIR "/gen-000002.tmp", 0777), 0);
    for (int n = 1; n < 60; n += 7) {
        clear_all();
        written(&s, 1, 1);
        hmf__sys_fail_at(HMF__SYS_WRITE, n, ENOSPC);
        s.from = s.to = 2;
        team_run_on(RANKS, DIR, s.levels, write_some, &s);
        hmf__sys_fail_at(HMF__SYS_ANY, 0, 0);
        CU_ASSERT_EQUAL(s.wrote[0], HMF_OK);    /* whichever level it failed at */
        loaded(&s, 2);
    }
    scene_free(&s);
}

static const struct unit_test tests[] = {
    {"settings", settings},
    {"every level has its own", every_level_has_its_own},
    {"a lost node is rebuilt", a_lost_node_is_rebuilt},
    {"local ones need their nodes", local_ones_need_their_nodes},
    {"damage is mended by the copy", damage_is_mended_by_the_copy},
    {"a full node falls back", a_full_node_falls_back},
    {"a failing flush", a_failing_flush}
};

UNIT_MAIN("levels of checkpoints", tests)
