/* monitor_slow: slowdowns on synthetic traces.  A trace is a job of 4 to 64 ranks, up to 4 on a
 * host, over 300 iterations: noise, hiccups, unequal shares of work, phases in which all have more
 * to do, ranks whose work grows; in half of them a place becomes slow (1.2 to 4 times), by taking the
 * CPU away or by a slower clock.  All from seeds. */
#include "config.h"

#include "monitor_slow.h"

#include "unit.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define MAXR 64
#define LENGTH 300
#define WITHIN 10               /* iterations in which it is to be found */

static uint64_t state;

static double uniform(void)
{
    state ^= state << 13;                  /* xorshift64, Marsaglia 2003 */
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) * 0x1p-53;
}

static double gauss(void)
{
    return sqrt(-2 * log(1 - uniform())) * cos(2 * M_PI * uniform());
}

struct trace {
    int n, per_host, slow_host, slow_rank, slow_from;   /* slow_from LENGTH: never */
    double noise, share[MAXR], factor;
    bool clock;                         /* the whole host's clock is slower */
    double phase;
};

static void begin(struct trace *t, uint64_t seed, double noise)
{
    state = seed * 0x9e3779b97f4a7c15u + 1;
    for (int k = 0; k < 8; k++)
        uniform();
    memset(t, 0, sizeof *t);
    t->n = 4 << (int)(uniform() * 5);
    t->per_host = 4;
    t->noise = noise;
    for (int i = 0; i < t->n; i++)
        t->share[i] = 0.5 + 1.5 * uniform();
    t->phase = 1;
    t->slow_from = LENGTH;
    if (uniform() < 0.5)
        return;
    t->slow_from = 30 + (int)(uniform() * (LENGTH - 60));
    t->factor = 1.2 + (uniform() < 0.5 ? 0.1 * uniform() : 2.8 * uniform());
    t->clock = t->n > t->per_host && uniform() < 0.3;
    t->slow_rank = (int)(uniform() * t->n);
    t->slow_host = t->slow_rank / t->per_host;
}

static bool is_slow(const struct trace *t, int i, int at)
{
    return at >= t->slow_from && (t->clock ? i / t->per_host == t->slow_host : i == t->slow_rank);
}

static void iterate(struct trace *t, int at, double *busy, double *cpu)
{
    if (uniform() < 0.02)
        t->phase = exp(2 * (uniform() - 0.5));
    if (uniform() < 0.005)                 /* a rank has more or less to do from now on */
        t->share[(int)(uniform() * t->n)] *= 0.6 + uniform();
    for (int i = 0; i < t->n; i++) {
        double work = 1e-3 * t->share[i] * t->phase * exp(t->noise * gauss());
        double slow = is_slow(t, i, at) ? t->factor : 1;
        cpu[i] = t->clock ? work * slow : work;
        busy[i] = work * slow;
        if (uniform() < 0.005)             /* the system takes the core away for a while */
            busy[i] *= 1 + 3 * uniform();
    }
}

/* What the decision side does: a host on which all are slower at once is ill. */
static void hosts(const struct trace *t, const struct hmf__slow *s, bool *ill)
{
    for (int h = 0; h * t->per_host < t->n; h++) {
        int up = 0;
        for (int i = h * t->per_host; i < (h + 1) * t->per_host; i++)
            up += hmf__slow_residual(s, i) > 0.09;
        for (int i = h * t->per_host; i < (h + 1) * t->per_host; i++)
            ill[i] = up == t->per_host;
    }
}

struct score { int found, missed, wrong; double delay; };

static void run(struct score *all, uint64_t seed, double noise)
{
    struct trace t;
    struct hmf__slow s;
    double busy[MAXR], cpu[MAXR];
    bool ill[MAXR] = {false}, wrong[MAXR] = {false};
    int found = -1;

    begin(&t, seed, noise);
    CU_ASSERT_FATAL(!hmf__slow_init(&s, t.n));
    for (int at = 0; at < LENGTH && found < 0; at++) {
        iterate(&t, at, busy, cpu);
        hosts(&t, &s, ill);
        hmf__slow_round(&s, busy, cpu, NULL, ill);
        for (int i = 0; i < t.n; i++) {
            if (hmf__slow_factor(&s, i) == 1)
                continue;
            if (is_slow(&t, i, at))
                found = at;
            else
                wrong[i] = true;
        }
    }
    for (int i = 0; i < t.n; i++)
        all->wrong += wrong[i];
    if (t.slow_from < LENGTH) {
        if (found >= 0 && found - t.slow_from < WITHIN) {
            all->found++;
            all->delay += found - t.slow_from + 1;
        } else {
            all->missed++;
        }
    }
    hmf__slow_fini(&s);
}

static void test_traces(void)
{
    const double noise[] = {0.01, 0.03, 0.05};
    struct score sum = {0};

    printf("\n    noise  slow places  found within %d  precision  recall  mean delay\n", WITHIN);
    for (int k = 0; k < 3; k++) {
        struct score all = {0};
        for (uint64_t seed = 1; seed <= 600; seed++)
            run(&all, seed + 10000 * (uint64_t)k, noise[k]);
        double precision = all.found / (double)(all.found + all.wrong);
        double recall = all.found / (double)(all.found + all.missed);
        printf("    %3.0f %%  %11d  %15d  %8.2f%%  %5.2f%%  %.1f iterations\n", noise[k] * 100,
               all.found + all.missed, all.found, precision * 100, recall * 100,
               all.delay / all.found);
        sum.found += all.found;
        sum.missed += all.missed;
        sum.wrong += all.wrong;
    }
    CU_ASSERT(sum.found >= 0.99 * (sum.found + sum.wrong));
    CU_ASSERT(sum.found >= 0.99 * (sum.found + sum.missed));
}

/* Twice the work from the beginning is no slowness, nor is a common phase; a quarter less CPU is. */
static void test_by_hand(void)
{
    struct hmf__slow s;
    double busy[3], cpu[3];

    CU_ASSERT_FATAL(!hmf__slow_init(&s, 3));
    for (int at = 0; at < 60; at++) {
        double phase = at < 20 ? 1 : 3;
        for (int i = 0; i < 3; i++)
            busy[i] = cpu[i] = phase * (i == 2 ? 2 : 1);
        if (at >= 30)
            busy[1] *= 1.3333;
        hmf__slow_round(&s, busy, cpu, NULL, NULL);
        CU_ASSERT(hmf__slow_factor(&s, 0) == 1 && hmf__slow_factor(&s, 2) == 1);
        if (at < 30)
            CU_ASSERT(hmf__slow_factor(&s, 1) == 1);
        if (at >= 40)
            CU_ASSERT_DOUBLE_EQUAL(hmf__slow_factor(&s, 1), 1.3333, 0.01);
    }
    /* It has moved: a new place, a new past. */
    hmf__slow_forget(&s, 1);
    for (int at = 0; at < 30; at++) {
        for (int i = 0; i < 3; i++)
            busy[i] = cpu[i] = i == 2 ? 2 : 1;
        hmf__slow_round(&s, busy, cpu, NULL, NULL);
        CU_ASSERT(hmf__slow_factor(&s, 1) == 1);
    }
    /* Its work grows: it takes more CPU time. */
    for (int at = 0; at < 30; at++) {
        busy[1] = cpu[1] = 2;
        hmf__slow_round(&s, busy, cpu, NULL, NULL);
        CU_ASSERT(hmf__slow_factor(&s, 1) == 1);
    }
    CU_ASSERT(s.rank[1].heavier == 1);
    hmf__slow_fini(&s);
}

/* It recovers: the alarm ends. */
static void test_recovery(void)
{
    struct hmf__slow s;
    double busy[2] = {1, 1}, cpu[2] = {1, 1};

    CU_ASSERT_FATAL(!hmf__slow_init(&s, 2));
    for (int at = 0; at < 80; at++) {
        busy[0] = at >= 20 && at < 40 ? 5 : 1;
        hmf__slow_round(&s, busy, cpu, NULL, NULL);
        if (at == 39)
            CU_ASSERT_DOUBLE_EQUAL(hmf__slow_factor(&s, 0), 5, 0.1);
    }
    CU_ASSERT(hmf__slow_factor(&s, 0) == 1);
    /* Nothing new for a while is no reason for anything. */
    busy[0] = NAN;
    hmf__slow_round(&s, busy, cpu, NULL, NULL);
    CU_ASSERT(hmf__slow_factor(&s, 0) == 1);
    hmf__slow_fini(&s);
}

static const struct unit_test tests[] = {
    {"synthetic traces", test_traces},
    {"by hand", test_by_hand},
    {"recovery", test_recovery},
};

UNIT_MAIN("slow", tests)
