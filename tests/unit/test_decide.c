/* decide: whole jobs as streams of samples, without any job: what is asked for, when, and what is
 * not.  Four ranks on four hosts of four cores each, two free spares on two more hosts. */
#include "config.h"

#include "decide.h"

#include "unit.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RANKS 4
#define PROCS 6
#define SECOND 1000000000ull

static const char *const names[PROCS] = {"n0", "n1", "n2", "n3", "n4", "n5"};
static uint64_t state;

static double noise(double sigma)
{
    double sum = -6;

    for (int k = 0; k < 12; k++) {
        state = state * 6364136223846793005u + 1442695040888963407u;    /* Knuth, MMIX */
        sum += (double)(state >> 11) * 0x1p-53;
    }
    return exp(sigma * sum);
}

struct job {
    struct hmf__decide *d;
    int proc_of[RANKS];
    bool free[PROCS];
    uint64_t now;
    double slow[PROCS], stopped[PROCS], throttled[PROCS], share[RANKS];
    struct hmf__host_sample host[PROCS];
    struct hmf__ask asks[RANKS];
    int nasks;
};

static void begin(struct job *j, const char *policy)
{
    const int host_of[PROCS] = {0, 1, 2, 3, 4, 5};

    memset(j, 0, sizeof *j);
    state = 7;
    setenv("HMF_POLICY", policy, 1);
    j->now = 1000 * SECOND;
    for (int p = 0; p < PROCS; p++) {
        j->host[p] = (struct hmf__host_sample){.cores = 4, .quota = INFINITY, .running = 1, .psi_memory = 0, .clock = 1,
                                               .memory = 8e9, .memory_free = 0.5,
                                               .ends_at_s = INFINITY};
        j->free[p] = p >= RANKS;
        j->slow[p] = 1;
    }
    for (int r = 0; r < RANKS; r++) {
        j->proc_of[r] = r;
        j->share[r] = 1 + 0.3 * r;
    }
    CU_ASSERT_FATAL(!hmf__decide_new(RANKS, PROCS, PROCS, host_of, names, 1, j->now, &j->d));
}

/* A second passes; returns how many wishes there are. */
static int second(struct job *j)
{
    j->now += SECOND;
    for (int p = 0; p < PROCS; p++) {
        struct hmf__sample s = {.proc = p, .rank = -1, .part_throttled = j->throttled[p],
                                .has_host = true, .host = j->host[p], .memory = 64e6,
                                .part_cpu = 1, .late_s = j->stopped[p] > 0 ? 0.03 : 0.0001};
        for (int r = 0; r < RANKS; r++)
            if (j->proc_of[r] == p) {
                double work = 0.008 * j->share[r] * noise(0.03);
                s.rank = r;
                s.polls = 50;
                s.span_s = 1;
                s.wait_s = fmax(0, 1 - 50 * work * j->slow[p]);
                s.part_cpu = 1 - j->stopped[p];
            }
        hmf__decide_sample(j->d, &s, j->now);
    }
    j->now += SECOND / 100;
    j->nasks = hmf__decide_round(j->d, j->proc_of, j->free, NULL, j->now, 1e6 + (double)j->now * 1e-9,
                                 j->asks, RANKS);
    return j->nasks;
}

static int seconds(struct job *j, int n)
{
    for (int k = 1; k <= n; k++)
        if (second(j))
            return k;
    return 0;
}

/* What was asked for happens. */
static void obey(struct job *j)
{
    for (int i = 0; i < j->nasks; i++) {
        int rank = j->asks[i].rank, from = j->proc_of[rank], to = RANKS;
        while (to < PROCS && strcmp(names[to], j->asks[i].node))
            to++;
        CU_ASSERT_FATAL(to < PROCS && j->free[to]);
        j->free[to] = false;
        j->proc_of[rank] = to;
        hmf__decide_moved(j->d, rank, from, to, j->now);
    }
}

static void end(struct job *j)
{
    hmf__decide_free(j->d);
    unsetenv("HMF_POLICY");
}

/* Noise, unequal shares, a common phase: nothing moves in an hour. */
static void test_quiet(void)
{
    struct job j;

    begin(&j, "auto");
    for (int k = 0; k < 3600; k++) {
        if (k == 1000)
            for (int r = 0; r < RANKS; r++)
                j.share[r] *= 1.3;
        CU_ASSERT(second(&j) == 0);
    }
    CU_ASSERT(j.d->asked == 0);
    end(&j);
}

static void test_slow(void)
{
    struct job j;
    int took;

    begin(&j, "auto");
    j.host[4].running = 8;                 /* n4 is full: to n5 */
    CU_ASSERT(seconds(&j, 60) == 0);
    j.slow[2] = 1.5;
    took = seconds(&j, 60);
    /* More CPU time for each iteration: it has more to do, and would anywhere. */
    CU_ASSERT(took == 0);
    end(&j);

    begin(&j, "auto");
    j.host[4].running = 8;
    CU_ASSERT(seconds(&j, 60) == 0);
    j.stopped[2] = 0.8;
    j.slow[2] = 2;
    took = seconds(&j, 60);
    printf("\n    a rank that gets a fifth of its core is asked to leave after %d samples\n", took);
    CU_ASSERT(took > 0 && took <= 10);
    CU_ASSERT(j.nasks == 1 && j.asks[0].rank == 2 && !strcmp(j.asks[0].node, "n5"));
    CU_ASSERT(j.asks[0].kind == HMF__OP_MOVE && j.asks[0].source == HMF__ASK_POLICY);
    obey(&j);
    CU_ASSERT(seconds(&j, 600) == 0);
    CU_ASSERT(isfinite(j.d->host[2].suspected_us) == (hmf__slow_factor(&j.d->slow, 2) > 1) ||
              j.d->host[2].reason[0]);
    end(&j);
}

static void test_throttled(void)
{
    struct job j;
    int took;

    begin(&j, "least-cost");
    CU_ASSERT(seconds(&j, 60) == 0);
    j.throttled[1] = 0.8;
    took = seconds(&j, 60);
    printf("    one whose control group is denied 80 %%: after %d samples\n", took);
    CU_ASSERT(took > 0 && took <= 10);
    CU_ASSERT(j.nasks == 1 && j.asks[0].rank == 1);
    end(&j);
}

/* Others come to a host. */
static void test_contention(void)
{
    struct job j;
    int took;

    begin(&j, "auto");
    CU_ASSERT(seconds(&j, 60) == 0);
    CU_ASSERT(j.d->rank[3].weight == 1);
    j.host[3].running = 9;
    took = seconds(&j, 60);
    printf("    one to whose four cores eight others come: after %d samples\n", took);
    CU_ASSERT(took > 0 && took <= 15);
    CU_ASSERT(j.nasks == 1 && j.asks[0].rank == 3);
    end(&j);
}

/* A host that is announced to end is empty before that. */
static void test_notice(void)
{
    struct job j;
    double end_s;
    int took;

    begin(&j, "auto");
    CU_ASSERT(seconds(&j, 30) == 0);
    end_s = 1e6 + (double)j.now * 1e-9 + 60;
    j.host[1].ends_at_s = end_s;
    strcpy(j.host[1].reason, "maintenance");
    took = seconds(&j, 100);
    printf("    one whose host ends in 60 s: after %d s\n", took);
    CU_ASSERT(took > 0 && took <= 55);
    CU_ASSERT(j.nasks == 1 && j.asks[0].rank == 1);
    obey(&j);
    CU_ASSERT(seconds(&j, 100) == 0);
    end(&j);
}

/* Who must leave does so at once, as many as there are places; the rest when there are. */
static void test_must(void)
{
    const uint32_t flags[] = {HMF__HOST_OWNER, HMF__HOST_ILL, HMF__HOST_DRAINED};
    struct job j;

    for (int k = 0; k < 3; k++) {
        begin(&j, "auto");
        CU_ASSERT(seconds(&j, 20) == 0);
        for (int p = 0; p < 3; p++) {
            j.host[p].flags = flags[k];
            strcpy(j.host[p].reason, "for a reason");
        }
        CU_ASSERT(second(&j) == 2);
        CU_ASSERT(strcmp(j.asks[0].node, j.asks[1].node));
        obey(&j);
        CU_ASSERT(seconds(&j, 20) == 0);
        j.free[4] = true;                  /* the place on n4 is free again, n4 itself well */
        CU_ASSERT(seconds(&j, 20) == 1);
        end(&j);
    }
}

/* The edge of the graph comes to what is predicted; a slow link, and a host without memory, are not gone to. */
static void test_costs(void)
{
    struct hmf__costs *costs = hmf__costs_new();
    struct hmf__costs_move m = {.program = "p", .nranks = RANKS, .from = "n1", .from_kind = "", .to_kind = "",
                                .from_data = "", .to_data = "", .bytes = 64e6};
    struct hmf__phases p;
    hmf_graph_t *g;
    int host[33];
    struct job j;

    begin(&j, "least-cost");
    j.d->costs = costs;
    j.d->program = "p";
    for (double k = 1; k < 1e9; k *= 8) {
        m.to = "n4";
        hmf__costs_learn_link(costs, &m, k, 100 + 1.0 * k, 1);      /* 1 MB/s: 64 s */
        m.to = "n5";
        hmf__costs_learn_link(costs, &m, k, 100 + 0.001 * k, 1);
    }
    CU_ASSERT(seconds(&j, 20) == 0);
    CU_ASSERT_FATAL(!hmf__decide_graph(j.d, 1, j.now, 0, &g, host, 33));
    for (size_t v = 1; v < hmf_graph_count(g); v++) {
        m.to = hmf_graph_vertex(g, v)->name;
        m.step_us = j.d->rank[1].step_s * 1e6;
        hmf__costs_predict(costs, &m, &p);
        CU_ASSERT(fabs(hmf_graph_edge_weight(g, 0, v) / hmf__phases_total(&p) - 1) < 0.02);
    }
    hmf_graph_free(g);
    j.stopped[1] = 0.8;
    j.slow[1] = 2;
    CU_ASSERT(seconds(&j, 20) > 0);
    CU_ASSERT(j.nasks == 1 && !strcmp(j.asks[0].node, "n5"));
    end(&j);

    begin(&j, "eviction");
    CU_ASSERT(seconds(&j, 20) == 0);
    j.host[5].memory_free = 0.001;
    j.host[0].flags = HMF__HOST_DRAINED;
    CU_ASSERT(seconds(&j, 2) > 0);
    CU_ASSERT(j.nasks == 1 && !strcmp(j.asks[0].node, "n4"));
    end(&j);
    hmf__costs_free(costs);
}

/* Somebody refuses: it is tried again, less and less often. */
static void test_refused(void)
{
    struct job j;
    int again, later;

    begin(&j, "eviction");
    CU_ASSERT(seconds(&j, 20) == 0);
    j.host[0].flags = HMF__HOST_DRAINED;
    CU_ASSERT(second(&j) == 1);
    hmf__decide_refused(j.d, 0, false, j.now);
    again = seconds(&j, 100);
    hmf__decide_refused(j.d, 0, false, j.now);
    later = seconds(&j, 100);
    CU_ASSERT(again >= 4 && later > again);
    end(&j);
}

/* The office moves: what it knew goes with it. */
static void test_handover(void)
{
    const int host_of[PROCS] = {0, 1, 2, 3, 4, 5};
    struct hmf__decide *next;
    struct hmf__buf out = HMF__BUF_INIT, in;
    struct job j;

    begin(&j, "auto");
    CU_ASSERT(seconds(&j, 60) == 0);
    hmf__decide_moved(j.d, 1, 1, 4, j.now);
    j.proc_of[1] = 4;
    j.free[4] = false;
    hmf__decide_put(j.d, j.now, &out);
    CU_ASSERT_FATAL(!out.status);
    CU_ASSERT_FATAL(!hmf__decide_new(RANKS, PROCS, PROCS, host_of, names, 1, 5 * SECOND, &next));
    hmf__buf_borrow(&in, out.data, out.len);
    CU_ASSERT(!hmf__decide_get(next, 5000 * SECOND, &in));
    CU_ASSERT(hmf__buf_left(&in) == 0);
    CU_ASSERT(next->rank[1].history.n == 1 && next->rank[1].history.move[0].to == 4);
    CU_ASSERT(next->slow.rank[0].nfirst == HMF__SLOW_WARM && next->slow.rank[1].nfirst == 0);
    CU_ASSERT_DOUBLE_EQUAL(next->slow.rank[0].base, j.d->slow.rank[0].base, 0);
    hmf__decide_free(next);
    for (size_t len = 0; len < out.len; len += 7) {
        CU_ASSERT_FATAL(!hmf__decide_new(RANKS, PROCS, PROCS, host_of, names, 1, 5 * SECOND, &next));
        hmf__buf_borrow(&in, out.data, len);
        CU_ASSERT(hmf__decide_get(next, 5000 * SECOND, &in) == HMF_ERR_FORMAT);
        hmf__decide_free(next);
    }
    hmf__buf_fini(&out);
    end(&j);
}

static void test_words(void)
{
    struct hmf__buf out = HMF__BUF_INIT;
    struct job j;

    begin(&j, "auto");
    seconds(&j, 20);
    hmf__decide_explain(j.d, &out);
    hmf__buf_put_u8(&out, 0);
    CU_ASSERT_FATAL(!out.status);
    CU_ASSERT(strstr((char *)out.data, "rank 3 node n3 weight 1 slow 1 iteration 1") != NULL);
    CU_ASSERT(strstr((char *)out.data, "eviction: stays on n3") != NULL);
    CU_ASSERT(strstr((char *)out.data, "host n4 weight 1 with one more 1 free 1 cores 4") != NULL);
    hmf__buf_fini(&out);
    end(&j);
}

static void test_sample(void)
{
    struct hmf__sample s = {.proc = 3, .rank = 2, .polls = 7, .span_s = 2, .wait_s = 1, .memory = 5,
                            .has_host = true, .host = {.cores = 3, .flags = 5, .reason = "why"}}, t;
    struct hmf__buf out = HMF__BUF_INIT, in;

    hmf__sample_put(&out, &s);
    hmf__buf_borrow(&in, out.data, out.len);
    CU_ASSERT(!hmf__sample_get(&in, 4, 3, &t));
    CU_ASSERT(t.proc == 3 && t.rank == 2 && t.polls == 7 && t.wait_s == 1 && t.memory == 5);
    CU_ASSERT(t.has_host && t.host.cores == 3 && t.host.flags == 5 && !strcmp(t.host.reason, "why"));
    for (size_t len = 0; len < out.len; len++) {
        hmf__buf_borrow(&in, out.data, len);
        CU_ASSERT(hmf__sample_get(&in, 4, 3, &t) == HMF_ERR_FORMAT);
    }
    hmf__buf_borrow(&in, out.data, out.len);
    CU_ASSERT(hmf__sample_get(&in, 3, 3, &t) == HMF_ERR_FORMAT);
    hmf__buf_borrow(&in, out.data, out.len);
    CU_ASSERT(hmf__sample_get(&in, 4, 2, &t) == HMF_ERR_FORMAT);
    hmf__buf_fini(&out);
}

static const struct unit_test tests[] = {
    {"nothing moves without a reason", test_quiet},
    {"slow", test_slow},
    {"throttled", test_throttled},
    {"contention", test_contention},
    {"notice", test_notice},
    {"must leave", test_must},
    {"costs", test_costs},
    {"refused", test_refused},
    {"handover", test_handover},
    {"words", test_words},
    {"samples on the wire", test_sample},
};

UNIT_MAIN("decide", tests)
