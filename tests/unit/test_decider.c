/* decider: who decides, and what that costs: jobs of agents in one process, two of them on each of some hosts.  There are no
 * programs; ranks are as if they computed for ever. */
#include "config.h"

#include "decider.h"

#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAXP 66

struct job {
    int nranks, nprocs;
    struct hmf__agent a[MAXP];
    bool stopped[MAXP];
};

static struct job *begin(const char *who, int nranks, int nspares)
{
    static const uint8_t loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
    struct job *j = calloc(1, sizeof *j);
    struct hmf__net_addr all[MAXP];
    uint8_t secret[HMF__NET_SECRET] = "test";

    setenv("HMF_POLICY", "eviction", 1);
    setenv("HMF_MONITOR_INTERVAL", "0.02", 1);
    setenv("HMF_DECIDER", who, 1);
    j->nranks = nranks;
    j->nprocs = nranks + nspares;
    for (int p = 0; p < j->nprocs; p++) {
        struct hmf__agent *a = &j->a[p];
        a->proc = p;
        a->nprocs = j->nprocs;
        a->nranks = nranks;
        a->rank = p < nranks ? p : -1;
        a->role = p < nranks ? HMF__ROLE_ACTIVE : HMF__ROLE_SPARE;
        a->limit_ns = a->start_limit_ns = 20ull * 1000000000;
        a->program = hmf__strdup("test");
        a->proc_of = hmf__malloc(sizeof(int) * (size_t)nranks);
        for (int r = 0; r < nranks; r++)
            a->proc_of[r] = r;
        hmf__net_self(&all[p]);
        snprintf(all[p].node, sizeof all[p].node, "n%d", p / 2);
        all[p].host_key += (uint64_t)(p / 2);
        all[p].naddr = 1;
        memcpy(all[p].addr[0], loopback, sizeof loopback);
        CU_ASSERT_EQUAL_FATAL(hmf__agent_open(a, &all[p], 1), HMF_OK);
        atomic_store(&a->polls, 1);
    }
    for (int p = 0; p < j->nprocs; p++)
        CU_ASSERT_EQUAL_FATAL(hmf__agent_start(&j->a[p], all, secret), HMF_OK);
    return j;
}

static void stop(struct job *j, int p)
{
    if (!j->stopped[p])
        hmf__agent_stop(&j->a[p]);
    j->stopped[p] = true;
}

static void end(struct job *j)
{
    /* In order, so that nobody is missed. */
    for (int p = 0; p < j->nprocs; p++) {
        pthread_mutex_lock(&j->a[p].lock);
        j->a[p].ending = true;
        pthread_mutex_unlock(&j->a[p].lock);
    }
    for (int p = 0; p < j->nprocs; p++)
        stop(j, p);
    for (int p = 0; p < j->nprocs; p++) {
        hmf__free(j->a[p].proc_of);
        hmf__free(j->a[p].program);
    }
    free(j);
    unsetenv("HMF_POLICY");
    unsetenv("HMF_MONITOR_INTERVAL");
    unsetenv("HMF_DECIDER");
}

static unsigned long rounds(struct job *j, int p)
{
    return hmf__decider_cost(&j->a[p]).rounds;
}

/* Bounded by the test's own time limit. */
static void wait_rounds(struct job *j, int p, unsigned long n)
{
    for (n += rounds(j, p); rounds(j, p) < n;)
        usleep(1000);
}

static void costs(const char *who, int nranks, const int *deciders)
{
    struct job *j = begin(who, nranks, 2);
    unsigned long frames = 0, most = 0, all = 0;
    double cpu = 0, bytes = 0;
    int n = 0, last = 0;

    for (int p = 0; p < nranks; p++)
        last = deciders[p] ? p : last;
    wait_rounds(j, last, 25);
    for (int p = 0; p < j->nprocs; p++) {
        struct hmf__decider_cost c = hmf__decider_cost(&j->a[p]);
        CU_ASSERT((c.rounds > 0) == (p < nranks && deciders[p]));
        frames += c.frames;
        bytes += c.bytes;
        most = c.frames > most ? c.frames : most;
        cpu += c.cpu_s;
        all += c.rounds;
        n += c.rounds > 0;
    }
    unsigned long rs = rounds(j, 0);
    printf("\n    %-7s %2d ranks: %2d decide; per round %4.1f us of CPU in each, %5.1f frames of %.0f bytes, %.1f at most by one",
           who, nranks, n, cpu * 1e6 / (double)all, (double)frames / (double)rs, frames ? bytes / (double)frames : 0,
           (double)most / (double)rs);
    /* A view reaches each once; who is new asks for the state once or twice. */
    CU_ASSERT(frames <= (rs + 4) * (unsigned long)n);
    CU_ASSERT(most <= (rs + 4) * HMF__WAVE_DEGREE);
    end(j);
}

static void test_who(void)
{
    for (int nranks = 4; nranks <= 64; nranks *= 4) {
        int central[MAXP] = {1}, host[MAXP] = {0}, self[MAXP] = {0};
        for (int p = 0; p < nranks; p++) {
            host[p] = p % 2 == 0;
            self[p] = 1;
        }
        costs("central", nranks, central);
        costs("host", nranks, host);
        costs("self", nranks, self);
    }
    printf("\n");
}

/* The owner of n1 (of ranks 2 and 3) is back: as told by the process that looks at that host. */
static void owner_back(struct job *j)
{
    struct hmf__sample s = {.proc = 2, .rank = -1, .part_throttled = NAN, .has_host = true,
                            .host = {.cores = 4, .quota = INFINITY, .running = 1, .ends_at_s = INFINITY,
                                     .flags = HMF__HOST_OWNER, .reason = "its owner is back"}};
    struct hmf__buf out = HMF__BUF_INIT;

    hmf__sample_put(&out, &s);
    CU_ASSERT_EQUAL(hmf__agent_tell(&j->a[0], HMF__F_SAMPLES, out.data, out.len), HMF_OK);
    hmf__buf_fini(&out);
}

static bool reserved(struct job *j)
{
    bool some = false;

    for (int p = j->nranks; p < j->nprocs; p++) {
        pthread_mutex_lock(&j->a[p].lock);
        some |= j->a[p].reserved != 0;
        pthread_mutex_unlock(&j->a[p].lock);
    }
    return some;
}

/* Whoever decides sees it, and a spare is asked. */
static void test_asks(void)
{
    static const char *const who[] = {"central", "host", "self"};

    for (int i = 0; i < 3; i++) {
        struct job *j = begin(who[i], 4, 2);
        wait_rounds(j, 0, 3);
        while (!reserved(j)) {
            owner_back(j);
            usleep(2000);
        }
        end(j);
    }
}

/* Who decides for a host is gone: the next one there does, and knows what to do. */
static void test_lost(void)
{
    struct job *j = begin("host", 4, 2);

    wait_rounds(j, 2, 3);
    CU_ASSERT_EQUAL(rounds(j, 3), 0);
    stop(j, 2);
    wait_rounds(j, 3, 3);
    while (!hmf__decider_cost(&j->a[3]).asks) {
        owner_back(j);
        usleep(2000);
    }
    end(j);
}

/* A word that is none of them: the coordinator decides. */
static void test_wrong(void)
{
    struct job *j = begin("everybody", 4, 2);

    wait_rounds(j, 0, 3);
    CU_ASSERT_EQUAL(rounds(j, 1), 0);
    end(j);
}

static const struct unit_test tests[] = {
    {"who decides, and what it costs", test_who},
    {"they ask", test_asks},
    {"one is lost", test_lost},
    {"none of the names", test_wrong},
};

UNIT_MAIN("decider", tests)
