/* The simulator against times worked out by hand: load, moves, losses, waiting for each other; and
 * the same seed giving the same output.  Seconds are 1e6, steps and decisions 1 s unless said. */
#include "config.h"

#include "base.h"
#include "sim.h"

#include "unit.h"

#include <math.h>
#include <string.h>

#define NEAR(a, b) CU_ASSERT_DOUBLE_EQUAL(a, b, 1)
#define S 1e6

static struct hmf__sim_model m;
static struct hmf__sim_rank ranks[3];
static struct hmf__sim_event events[4];
static struct hmf__sim_result r;

/* Hosts n0, n1 with a rank of 100 s each, n2 free, a disk; every move takes 2 s. */
static void begin(void)
{
    static const char *const names[] = {"n0", "n1", "n2", "disk"};
    struct hmf_vertex v;

    hmf__sim_init(&m);
    m.step_us = m.decide_us = S;
    m.restart_us = 10 * S;
    m.limit_us = 1e4 * S;
    m.options.confirm = 1;
    GOOD(hmf_graph_new(&m.graph));
    for (size_t i = 0; i < 4; i++) {
        hmf_vertex_init(&v);
        strcpy(v.name, names[i]);
        v.kind = i == 3 ? HMF_VERTEX_DISK : HMF_VERTEX_HOST;
        v.slots = i >= 2;
        GOOD(hmf_graph_add(m.graph, &v, NULL));
    }
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++) {
            struct hmf_edge e = hmf_edge_between(i, j, 0);
            e.weight_us = 2 * S;
            if (i != j)
                GOOD(hmf_graph_connect(m.graph, &e));
        }
    memset(ranks, 0, sizeof ranks);
    memset(events, 0, sizeof events);
    for (size_t k = 0; k < 3; k++)
        ranks[k] =
            (struct hmf__sim_rank){.at = k, .home = HMF_NO_VERTEX, .work_us = 100 * S, .share = 1};
    m.rank = ranks;
    m.nranks = 2;
    m.event = events;
}

static void end(void)
{
    hmf_graph_free(m.graph); /* the arrays are not the model's here */
}

static void run(const char *names)
{
    hmf_policies_t *p;

    GOOD(hmf_policies_new(names, &p));
    GOOD(hmf__sim_run(&m, p, HMF_MOVE_WHOLE, NULL, NULL, &r));
    hmf_policies_free(p);
}

static void undisturbed(void)
{
    begin();
    run("none");
    CU_ASSERT_EQUAL(r.finished, 1);
    NEAR(r.end_us, 100 * S);
    CU_ASSERT_EQUAL(r.moves, 0);
    CU_ASSERT_EQUAL(r.decisions, 200);
    run("least-cost");
    NEAR(r.end_us, 100 * S);
    CU_ASSERT_EQUAL(r.moves, 0);
    ranks[1].work_us = 50.25 * S; /* ends within a step */
    m.nranks = 1;
    ranks[0] = ranks[1];
    run("none");
    NEAR(r.end_us, 50.25 * S);
    m.limit_us = 20 * S;
    run("none");
    CU_ASSERT_EQUAL(r.finished, 0);
    NEAR(r.end_us, 20 * S);
    end();
}

/* From 20 s on three others on n0: the weight there is 4.  Staying: 20 + 80 * 4.  Going at 20: the
 * move takes 2 s, for both, since they wait for each other. */
static void slow_host(void)
{
    begin();
    events[0] =
        (struct hmf__sim_event){.at_us = 20 * S, .what = HMF__SIM_LOAD, .vertex = 0, .load = 3};
    m.nevents = 1;
    run("none");
    NEAR(r.end_us, 340 * S);
    run("least-cost");
    CU_ASSERT_EQUAL(r.moves, 1);
    NEAR(r.moving_us, 2 * S);
    NEAR(r.end_us, 102 * S);
    m.options.confirm = 3; /* seen at 20, 21, 22: 2 s of work done at a quarter */
    run("least-cost");
    NEAR(r.end_us, 22 * S + 2 * S + (80 - 0.5) * S);
    m.options.confirm = 1;
    /* if ranks do not wait for each other, the last one counts as well */
    m.independent = 1;
    run("least-cost");
    NEAR(r.end_us, 102 * S);
    /* one without place to go to */
    m.independent = 0;
    m.nranks = 3;
    run("least-cost"); /* n2's own rank was there first, its free place remains: shared, weight 2 */
    CU_ASSERT_EQUAL(r.moves, 1);
    NEAR(r.end_us, 22 * S + 160 * S);
    end();
}

/* Two ranks of shares 3 and 1 on hosts of speed 1 and 3: 300 s as it is, 100 s exchanged; the moves
 * of 2 s run at the same time. */
static void exchange(void)
{
    struct hmf_vertex v;

    begin();
    v = *hmf_graph_vertex(m.graph, 1);
    v.speed = 3;
    GOOD(hmf_graph_set(m.graph, 1, &v));
    ranks[0].share = 3;
    run("none");
    NEAR(r.end_us, 300 * S);
    run("swap");
    CU_ASSERT_EQUAL(r.moves, 2);
    NEAR(r.end_us, 102 * S);
    end();
}

/* n0 is to fail at 50 s, known from 10 s on. */
static void failing(void)
{
    begin();
    events[0] = (struct hmf__sim_event){.at_us = 10 * S, .what = HMF__SIM_ENDS, .vertex = 0,
                                        .ends_at_us = 50 * S};
    m.nevents = 1;
    run("none"); /* 50 s of work of both are lost, 10 s until it runs again on n2, 100 s */
    CU_ASSERT_EQUAL(r.losses, 1);
    NEAR(r.lost_us, 100 * S);
    NEAR(r.end_us, 160 * S);
    m.checkpoint_us = 30 * S;
    m.checkpoint_cost_us = 1 * S;
    run("none"); /* back to 30 s of work; 30 + 1 + 19 until the loss, 10 s; 70 s, and 1 s for each
                    checkpoint: at 60 when it starts again, at 90 and 120 */
    NEAR(r.lost_us, 2 * 19 * S);
    NEAR(r.end_us, 50 * S + 10 * S + 70 * S + 3 * S);
    m.checkpoint_us = 0;
    run("degradation");
    CU_ASSERT_EQUAL(r.losses, 0);
    CU_ASSERT_EQUAL(r.moves, 1);
    NEAR(r.end_us, 102 * S);
    end();
}

/* The owner of n0 comes back at 20 s and leaves at 60 s: eviction to n2, and home again at 60 s. */
static void owner(void)
{
    begin();
    ranks[0].home = 0;
    m.options.settle_us = 0;
    events[0] =
        (struct hmf__sim_event){.at_us = 20 * S, .what = HMF__SIM_OWNER, .vertex = 0, .owner = 1};
    events[1] =
        (struct hmf__sim_event){.at_us = 60 * S, .what = HMF__SIM_OWNER, .vertex = 0, .owner = 0};
    events[2] =
        (struct hmf__sim_event){.at_us = 60 * S, .what = HMF__SIM_LOAD, .vertex = 2, .load = 1};
    m.nevents = 3;
    run("eviction");
    CU_ASSERT_EQUAL(r.moves, 1);
    NEAR(r.end_us, 60 * S + 42 * 2 * S); /* 20 + 38 done at 60, the rest beside another */
    run("eviction,home");
    CU_ASSERT_EQUAL(r.moves, 2);
    NEAR(r.end_us, 104 * S);
    end();
}

static int length;
static char text[1 << 16];

static void tell(void *ctx, double at_us, size_t rank, const struct hmf_decision *d)
{
    (void)ctx;
    length += snprintf(text + length, sizeof text - (size_t)length, "%.0f %zu %s\n", at_us, rank,
                       d->why);
}

static void same_seed(void)
{
    static char before[sizeof text];
    hmf_policies_t *p;

    begin();
    m.noise = 0.3;
    GOOD(hmf_policies_new("least-cost", &p));
    GOOD(hmf__sim_run(&m, p, HMF_MOVE_WHOLE, tell, NULL, &r));
    memcpy(before, text, sizeof text);
    length = 0;
    GOOD(hmf__sim_run(&m, p, HMF_MOVE_WHOLE, tell, NULL, &r));
    CU_ASSERT_STRING_EQUAL(before, text);
    length = 0;
    m.seed = 2;
    GOOD(hmf__sim_run(&m, p, HMF_MOVE_WHOLE, tell, NULL, &r));
    CU_ASSERT_STRING_NOT_EQUAL(before, text);
    hmf_policies_free(p);
    end();
}

/* Each allocation fails once; models that make no sense. */
static void wrong(void)
{
    hmf_policies_t *p;
    hmf_status_t rc;

    begin();
    GOOD(hmf_policies_new("none", &p));
    for (long n = 1;; n++) {
        hmf__alloc_fail_at(n);
        rc = hmf__sim_run(&m, p, HMF_MOVE_WHOLE, NULL, NULL, &r);
        hmf__alloc_fail_at(0);
        if (rc != HMF_ERR_NOMEM && n > 4)
            break;
    }
    GOOD(rc);
    ranks[1].at = 3;
    CU_ASSERT_EQUAL(hmf__sim_run(&m, p, HMF_MOVE_WHOLE, NULL, NULL, &r), HMF_ERR_ARG);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "rank 1: give it a host"));
    ranks[1].at = 1;
    m.step_us = 0;
    CU_ASSERT_EQUAL(hmf__sim_run(&m, p, HMF_MOVE_WHOLE, NULL, NULL, &r), HMF_ERR_ARG);
    hmf_policies_free(p);
    end();
}

static const struct unit_test tests[] = {
    {"nothing happens", undisturbed}, {"a slow host", slow_host}, {"an exchange", exchange},
    {"a failing host", failing},      {"an owner", owner},        {"the same seed", same_seed},
    {"wrong models", wrong},
};
UNIT_MAIN("sim", tests)
