/* Policies on small graphs whose costs are worked out by hand, the guard around them, and one in a
 * shared object.  The explanations tested here are the examples of doc/policies.md. */
#include "config.h"

#include "base.h"
#include "hmf/policy.h"

#include "unit.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define SAYS(words)                                                                               \
    do {                                                                                          \
        if (!strstr(d.why, words))                                                                \
            printf("\n%s\n  not: %s\n", d.why, words);                                            \
        CU_ASSERT_PTR_NOT_NULL(strstr(d.why, words));                                             \
    } while (0)
#define S 1e6

enum { N0, N1, N2, DISK };

static hmf_graph_t *g;
static struct hmf_history history;
static struct hmf_policy_options options;
static struct hmf_policy_input in;
static struct hmf_decision d;

/* Three hosts and a disk; every move costs 2 s, to the disk 5 s.  The process is on n0. */
static void begin(void)
{
    static const char *const names[] = {"n0", "n1", "n2", "disk"};
    struct hmf_vertex v;

    GOOD(hmf_graph_new(&g));
    for (int i = 0; i < 4; i++) {
        hmf_vertex_init(&v);
        strcpy(v.name, names[i]);
        v.kind = i == DISK ? HMF_VERTEX_DISK : HMF_VERTEX_HOST;
        GOOD(hmf_graph_add(g, &v, NULL));
    }
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++) {
            struct hmf_edge e = hmf_edge_between(i, j, 0);
            e.weight_us = i == DISK || j == DISK ? 5 * S : 2 * S;
            if (i != j)
                GOOD(hmf_graph_connect(g, &e));
        }
    memset(&history, 0, sizeof history);
    hmf_policy_options_init(&options);
    options.confirm = 1;
    hmf_policy_input_init(&in, g, &history, &options);
    in.now_us = 1000 * S;
    in.remaining_us = 100 * S;
}

static void change(size_t i, double weight)
{
    struct hmf_vertex v = *hmf_graph_vertex(g, i);

    v.weight = hmf_weight_constant(weight);
    GOOD(hmf_graph_set(g, i, &v));
}

static void decide(const char *names)
{
    hmf_policies_t *p;

    GOOD(hmf_policies_new(names, &p));
    GOOD(hmf_policies_decide(p, &in, &d));
    hmf_policies_free(p);
}

static void costs(void)
{
    begin();
    change(N0, 1.5);
    change(N1, 1.2);
    decide("none");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    SAYS("none: stays on n0, as always");

    /* 100 s of work: 150 s here, 2 + 100 s on n2 */
    decide("least-cost");
    CU_ASSERT_EQUAL(d.action, HMF_GO);
    CU_ASSERT_EQUAL(d.to, N2);
    CU_ASSERT_DOUBLE_EQUAL(d.stay_us, 150 * S, 1);
    CU_ASSERT_DOUBLE_EQUAL(d.go_us, 102 * S, 1);
    SAYS("least-cost: n0 costs 150 s, n2 costs 102 s with a move of 2 s");

    /* 3 s of work: 4.5 s here, 5 s there */
    in.remaining_us = 3 * S;
    decide("least-cost");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    SAYS("stays on n0 for 4.5 s, the best other place is n2 for 5 s with a move of 2 s");

    /* 4.4 s: 6.6 s here, 6.4 s there: less than a tenth */
    in.remaining_us = 4.4 * S;
    decide("least-cost");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    SAYS("a gain of 200 ms of 6.6 s is too small");

    in.remaining_us = 100 * S;
    decide("threshold");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    SAYS("threshold: stays on n0, its weight 1.5 is within 1.5");
    change(N0, 1.6);
    decide("threshold");
    CU_ASSERT_EQUAL(d.to, N2);

    in.request = N1;
    change(N0, 1);
    decide("manual");
    CU_ASSERT_EQUAL(d.to, N1);
    SAYS("manual: goes from n0 to n1 as asked, the move costs 2 s");
    in.request = HMF_NO_VERTEX;
    decide("manual");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    hmf_graph_free(g);
}

static void balancing(void)
{
    begin();
    struct hmf_vertex v = *hmf_graph_vertex(g, N0);
    v.load = 3; /* ours among them */
    v.weight = hmf_weight_constant(hmf_vertex_expected(&v, 0));
    GOOD(hmf_graph_set(g, N0, &v));
    v = *hmf_graph_vertex(g, N1);
    v.load = 1; /* two processes on two cores at speed 1 */
    v.cores = 2;
    v.weight = hmf_weight_constant(hmf_vertex_expected(&v, 1));
    GOOD(hmf_graph_set(g, N1, &v));
    v = *hmf_graph_vertex(g, N2);
    v.load = 1;
    v.weight = hmf_weight_constant(hmf_vertex_expected(&v, 1));
    GOOD(hmf_graph_set(g, N2, &v));
    decide("balance");
    CU_ASSERT_EQUAL(d.to, N1);
    SAYS("balance: n0 has load 3 per core and speed, n1 would have 1; costs 300 s and 102 s");
    v = *hmf_graph_vertex(g, N0);
    v.load = 1;
    GOOD(hmf_graph_set(g, N0, &v));
    decide("balance");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    SAYS("stays on n0, load 1 per core and speed, no host would have less");
    hmf_graph_free(g);
}

/* Twice the work on a host half as fast: exchanged, both need as long. */
static void exchanging(void)
{
    struct hmf_policy_peer peers[] = {{4, N1, 1, 1}, {5, N2, 2, 1}};

    begin();
    change(N0, 2);
    in.share = 2;
    in.peers = peers;
    in.npeers = 2;
    decide("swap");
    CU_ASSERT_EQUAL(d.action, HMF_SWAP);
    CU_ASSERT_EQUAL(d.peer, 4);
    CU_ASSERT_EQUAL(d.to, N1);
    CU_ASSERT_DOUBLE_EQUAL(d.stay_us, 400 * S, 1);
    CU_ASSERT_DOUBLE_EQUAL(d.go_us, 204 * S, 1);
    SAYS("swap: with rank 4 on n1: shares 2 and 1, weights 2 and 1, 400 s as it is, 204 s "
         "exchanged");
    in.share = 1;
    decide("swap");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    hmf_graph_free(g);
}

static void going_home(void)
{
    begin();
    in.home = N1;
    change(N0, 1.02);
    decide("home"); /* 102 s here, 2 + 100 s at home */
    CU_ASSERT_EQUAL(d.to, N1);
    SAYS("home: n0 costs 102 s, home n1 only 102 s");
    change(N1, 2);
    decide("home");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    change(N1, INFINITY);
    decide("home");
    SAYS("its home n1 is not allowed");
    in.home = N0;
    decide("home");
    SAYS("it is at home");
    hmf_graph_free(g);
}

static void leaving(void)
{
    begin();
    decide("eviction");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    change(N0, INFINITY);
    change(N1, 1.2);
    decide("eviction");
    CU_ASSERT_EQUAL(d.to, N2);
    CU_ASSERT_EQUAL(d.must, 1);
    SAYS("eviction: leaves n0, whose weight is infinite, for n2: the move costs 2 s, the rest 100 "
         "s");
    /* no host is left: the disk */
    change(N1, INFINITY);
    change(N2, INFINITY);
    decide("eviction");
    CU_ASSERT_EQUAL(d.to, DISK);
    change(DISK, INFINITY);
    decide("eviction");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    SAYS("there is no other place");

    change(N1, 3);
    change(N2, 1);
    struct hmf_vertex v = *hmf_graph_vertex(g, N2);
    v.response_us = 900;
    GOOD(hmf_graph_set(g, N2, &v));
    v = *hmf_graph_vertex(g, N1);
    v.response_us = 300;
    GOOD(hmf_graph_set(g, N1, &v));
    decide("first-response"); /* the slower one, but it was there first */
    CU_ASSERT_EQUAL(d.to, N1);
    SAYS("first-response: must leave n0, n1 answered first in 300 us, the move costs 2 s");
    v.slots = 0;
    GOOD(hmf_graph_set(g, N1, &v));
    decide("first-response");
    CU_ASSERT_EQUAL(d.to, N2);
    hmf_graph_free(g);
}

/* Notice at 1000 s of an end at 1100 s; weight 1 here, 3 elsewhere: it rises by 10 over the 100 s
 * and is 3.3 after 23 s. */
static void degrading(void)
{
    begin();
    in.remaining_us = 500 * S;
    in.notice_us = 1000 * S;
    in.ends_at_us = 1100 * S;
    change(N1, 3);
    change(N2, 4);
    in.now_us = 1020 * S;
    decide("degradation");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    SAYS("degradation: stays on n0, which ends in 80 s: weight risen to 3, on n1 it is 3");
    in.now_us = 1024 * S;
    decide("degradation");
    CU_ASSERT_EQUAL(d.to, N1);
    SAYS("leaves n0, which ends in 76 s, for n1: weight risen to 3.4, there 3, the move costs 2 s");
    /* much dearer elsewhere: at the last moment, 2 s of move and 1 s of margin before the end */
    change(N1, 30);
    change(N2, 40);
    in.now_us = 1096.9 * S;
    decide("degradation");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    in.now_us = 1097 * S;
    decide("degradation");
    CU_ASSERT_EQUAL(d.to, N1);
    /* work that ends before need not leave */
    in.remaining_us = 2 * S;
    decide("degradation");
    SAYS("the work ends in 2 s, before n0 does in 3 s");
    in.ends_at_us = INFINITY;
    decide("degradation");
    SAYS("no end of it is known");
    hmf_graph_free(g);
}

static void needing(void)
{
    begin();
    struct hmf_vertex v = *hmf_graph_vertex(g, N2);
    strcpy(v.resources, "gpu,tape");
    v.weight = hmf_weight_constant(5);
    v.real_time = 1;
    GOOD(hmf_graph_set(g, N2, &v));
    decide("affinity");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    in.needs = "gpu";
    decide("affinity");
    CU_ASSERT_EQUAL(d.to, N2);
    SAYS("affinity: leaves n0, which lacks gpu, for n2: the move costs 2 s, the rest 500 s");
    decide("least-cost"); /* no other policy goes where it is missing either */
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    in.needs = "gpu,crystal";
    decide("affinity");
    SAYS("no free host has gpu,crystal");
    in.needs = NULL;

    decide("real-time");
    SAYS("this is no real-time phase");
    in.real_time = 1;
    decide("real-time");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    SAYS("no host fit for real time is within 1.2");
    change(N2, 1.1);
    decide("real-time");
    CU_ASSERT_EQUAL(d.to, N2);
    SAYS("leaves n0, weight 1 and not fit for real time, for n2, weight 1.1: the move costs 2 s");
    hmf_graph_free(g);
}

static void waiting_on_disk(void)
{
    begin();
    change(N0, 2);
    change(N1, 3);
    change(N2, 1.6);
    decide("disk");
    CU_ASSERT_EQUAL(d.to, DISK);
    SAYS("disk: goes from n0 to disk, the least weight of a host is 1.6, above 1.5");
    GOOD(hmf_graph_set_active(g, DISK));
    change(N2, 1.4); /* not yet a tenth below */
    decide("disk");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    change(N2, 1.3);
    decide("disk");
    CU_ASSERT_EQUAL(d.to, N2);
    SAYS("goes from disk to n2, weights are down to 1.3");
    hmf_graph_free(g);
}

static void guarded(void)
{
    begin();
    change(N0, 2);
    change(N2, 1.5);
    decide("least-cost");
    CU_ASSERT_EQUAL(d.to, N1);
    /* n1 was left 10 s ago: not back there, the second best */
    hmf_history_add(&history, 990 * S, N1, N0);
    decide("least-cost");
    CU_ASSERT_EQUAL(d.to, N2);
    in.now_us = 1020 * S;
    decide("least-cost");
    CU_ASSERT_EQUAL(d.to, N1);
    /* four moves in the last ten minutes are enough */
    for (int i = 0; i < 3; i++)
        hmf_history_add(&history, 900 * S, N2, N0);
    decide("least-cost");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    SAYS("it moved 4 times in 600 s");
    /* but who must leave leaves, even to where it was */
    change(N0, INFINITY);
    change(N2, INFINITY);
    in.now_us = 991 * S;
    decide("least-cost");
    CU_ASSERT_EQUAL(d.to, N1);
    /* n1 is suspected: nothing goes there for an hour */
    struct hmf_vertex v = *hmf_graph_vertex(g, N1);
    v.suspected_at_us = 980 * S;
    GOOD(hmf_graph_set(g, N1, &v));
    decide("least-cost");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    in.request = N1;
    decide("manual");
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    SAYS("n1 is in quarantine");
    in.now_us = 4581 * S;
    decide("least-cost");
    CU_ASSERT_EQUAL(d.to, N1);
    for (int i = 0; i < 40; i++)
        hmf_history_add(&history, i, N0, N1);
    CU_ASSERT_EQUAL(history.n, HMF_HISTORY_MOVES);
    CU_ASSERT_EQUAL(history.move[HMF_HISTORY_MOVES - 1].at_us, 39);
    hmf_graph_free(g);
}

/* A gain counts when it was seen three times on end; who must leave leaves at once. */
static void confirmed(void)
{
    begin();
    options.confirm = 3;
    for (int round = 0; round < 2; round++) {
        change(N0, 3);
        decide("least-cost");
        CU_ASSERT_EQUAL(d.action, HMF_STAY);
        SAYS("stays, the gain was seen 1 of 3 times (n0 costs 300 s");
        hmf_history_decided(&history, &d);
        decide("least-cost");
        CU_ASSERT_EQUAL(d.action, HMF_STAY);
        hmf_history_decided(&history, &d);
        if (!round) { /* gone again: it counts from the beginning */
            change(N0, 1);
            decide("least-cost");
            hmf_history_decided(&history, &d);
        }
    }
    decide("least-cost");
    CU_ASSERT_EQUAL(d.to, N1);
    memset(&history, 0, sizeof history);
    change(N0, INFINITY);
    decide("least-cost");
    CU_ASSERT_EQUAL(d.to, N1);
    hmf_graph_free(g);
}

/* Two weights that change places every 20 s: it moves at most once in settle_us, at most max_moves.
 */
static void no_ping_pong(void)
{
    int moves = 0;

    begin();
    change(N2, INFINITY);
    for (int i = 0; i < 30; i++) {
        in.now_us = (1000 + 10 * i) * S;
        change(N0, i / 2 % 2 ? 1 : 5);
        change(N1, i / 2 % 2 ? 5 : 1);
        decide("least-cost");
        if (d.action == HMF_GO) {
            hmf_history_add(&history, in.now_us, hmf_graph_active(g), d.to);
            GOOD(hmf_graph_set_active(g, d.to));
            moves++;
        }
    }
    CU_ASSERT_EQUAL(moves, 4);
    hmf_graph_free(g);
}

static void several(void)
{
    hmf_policies_t *p;

    begin();
    change(N0, 3);
    decide("eviction,degradation,least-cost");
    SAYS("least-cost: n0 costs 300 s");
    change(N0, INFINITY);
    decide("eviction, least-cost");
    SAYS("eviction: leaves n0");
    change(N0, 1);
    decide("least-cost,eviction");
    SAYS("least-cost: stays on n0"); /* of those who stay the first explains */
    CU_ASSERT_EQUAL(hmf_policies_new("least-costs", &p), HMF_ERR_NAME);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(hmf_error_text(), "there are none, manual, threshold, least-cost"));
    CU_ASSERT_EQUAL(hmf_policies_new("", &p), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_policies_new("./none.so", &p), HMF_ERR_IO);
    in.graph = NULL;
    GOOD(hmf_policies_new("none", &p));
    CU_ASSERT_EQUAL(hmf_policies_decide(p, &in, &d), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    hmf_policies_free(p);
    hmf_graph_free(g);
}

/* Built with the compiler that is here, as a user would. */
static int build_plugin(char *path, size_t size, const char *body)
{
    char dir[] = "./pluginXXXXXX", file[64], command[400];

    if (!mkdtemp(dir))
        return 0;
    snprintf(file, sizeof file, "%s/p.c", dir);
    snprintf(path, size, "%s/p.so", dir);
    FILE *f = fopen(file, "w");
    if (!f)
        return 0;
    fprintf(f, "#include \"hmf/policy.h\"\n#include <string.h>\n%s", body);
    fclose(f);
    snprintf(command, sizeof command, "cc -I%s -shared -fPIC -o %s %s", INCLUDES, path, file);
    return system(command) == 0;
}

static void shared_object(void)
{
    char path[64], names[80];
    hmf_policies_t *p;
    static const char body[] =
        "static hmf_status_t last(const struct hmf_policy_input *in, struct hmf_decision *out)\n"
        "{\n"
        "    out->action = HMF_GO;\n"
        "    out->to = in->npeers ? 99 : 2;\n"
        "    out->go_us = 0;\n"
        "    strcpy(out->why, \"the last host is the best\");\n"
        "    return HMF_OK;\n"
        "}\n"
        "static const struct hmf_policy policy = {ABI, \"last\", \"\", last};\n"
        "const struct hmf_policy *hmf_policy_plugin(void);\n"
        "const struct hmf_policy *hmf_policy_plugin(void) { return &policy; }\n";
    char text[1000];

    begin();
    snprintf(text, sizeof text, "#define ABI HMF_POLICY_ABI\n%s", body);
    if (!build_plugin(path, sizeof path, text)) {
        printf("no compiler named cc, not tried ");
        hmf_graph_free(g);
        return;
    }
    snprintf(names, sizeof names, "eviction,%s", path);
    decide(names);
    CU_ASSERT_EQUAL(d.to, N2);
    SAYS("last: the last host is the best");
    /* the guard holds for it too, and its answers are checked */
    change(N2, INFINITY);
    decide(names);
    CU_ASSERT_EQUAL(d.action, HMF_STAY);
    in.npeers = 1;
    GOOD(hmf_policies_new(path, &p));
    CU_ASSERT_EQUAL(hmf_policies_decide(p, &in, &d), HMF_ERR_ARG);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(hmf_error_text(), "policy last answers action 1 to vertex 99 of 4"));
    SAYS("stays: policy last answers");
    hmf_policies_free(p);
    snprintf(text, sizeof text, "#define ABI 77\n%s", body);
    CU_ASSERT_FATAL(build_plugin(path, sizeof path, text));
    CU_ASSERT_EQUAL(hmf_policies_new(path, &p), HMF_ERR_VERSION);
    CU_ASSERT_FATAL(build_plugin(path, sizeof path, ""));
    CU_ASSERT_EQUAL(hmf_policies_new(path, &p), HMF_ERR_IO);
    hmf_graph_free(g);
}

static const struct unit_test tests[] = {
    {"none, manual, threshold, least-cost", costs},
    {"balance", balancing},
    {"swap", exchanging},
    {"home", going_home},
    {"eviction, first-response", leaving},
    {"degradation", degrading},
    {"affinity, real-time", needing},
    {"disk", waiting_on_disk},
    {"the guard", guarded},
    {"a gain is confirmed", confirmed},
    {"no ping-pong", no_ping_pong},
    {"several, and wrong names", several},
    {"a policy in a shared object", shared_object},
};
UNIT_MAIN("policy", tests)
