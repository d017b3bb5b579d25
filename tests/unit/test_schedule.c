/* schedule: intervals, the best interval for given cost and failures, and the end of a batch job. */
#include "config.h"

#include "schedule.h"

#include "unit.h"

#include <math.h>
#include <stdlib.h>

#define S 1000000000ull

static void fresh(struct hmf__schedule *s, const char *interval, const char *mtbf, const char *end,
                  const char *margin)
{
    setenv("HMF_INTERVAL", interval, 1);
    setenv("HMF_MTBF", mtbf, 1);
    setenv("HMF_END_TIME", end, 1);
    setenv("HMF_END_MARGIN", margin, 1);
    unsetenv("SLURM_JOB_END_TIME");
    hmf__schedule_init(s, 100 * S, 1000000);
}

static double next(const struct hmf__schedule *s, double after, enum hmf__due due)
{
    uint64_t in;

    CU_ASSERT_EQUAL(hmf__schedule_next(s, 100 * S + (uint64_t)(after * 1e9), 1000000 + after, &in),
                    due);
    return (double)in * 1e-9;
}

static void nothing_is_due(void)
{
    struct hmf__schedule s;

    fresh(&s, "", "", "", "");
    next(&s, 1e6, HMF__DUE_NOTHING);
}

static void at_intervals(void)
{
    struct hmf__schedule s;

    fresh(&s, "10", "", "", "");
    CU_ASSERT_DOUBLE_EQUAL(next(&s, 4, HMF__DUE_CHECKPOINT), 6, 1e-6);
    CU_ASSERT_EQUAL(next(&s, 11, HMF__DUE_CHECKPOINT), 0);
    hmf__schedule_begun(&s, 111 * S);
    CU_ASSERT_DOUBLE_EQUAL(next(&s, 12, HMF__DUE_CHECKPOINT), 9, 1e-6);
    hmf__schedule_taken(&s, 113 * S, 2 * S);
    CU_ASSERT_DOUBLE_EQUAL(next(&s, 13, HMF__DUE_CHECKPOINT), 10, 1e-6);
}

/* Expected share of time lost with interval t: checkpoints, and half an interval per failure. */
static double lost(double t, double c, double m)
{
    return c / (t + c) + (t + c) / 2 / m;
}

static void best_interval(void)
{
    struct hmf__schedule s;
    double best = hmf__schedule_best(5, 3600);

    /* Young: sqrt(2 * 5 * 3600) = 189.7; Daly's terms: * (1 + 0.00878 + 0.0000772) - 5. */
    CU_ASSERT_DOUBLE_EQUAL(best, 186.4, 0.1);
    CU_ASSERT(lost(best, 5, 3600) < lost(best * 1.2, 5, 3600));
    CU_ASSERT(lost(best, 5, 3600) < lost(best * 0.8, 5, 3600));
    CU_ASSERT_DOUBLE_EQUAL(hmf__schedule_best(100, 40), 40, 1e-9);
    fresh(&s, "", "3600", "", "");
    hmf__schedule_taken(&s, 100 * S, 5 * S);
    CU_ASSERT_DOUBLE_EQUAL(next(&s, 0, HMF__DUE_CHECKPOINT), best, 1e-3);
    fresh(&s, "10", "3600", "", "");
    CU_ASSERT_DOUBLE_EQUAL(next(&s, 0, HMF__DUE_CHECKPOINT), 10, 1e-6);
}

static void before_the_end(void)
{
    struct hmf__schedule s;

    fresh(&s, "", "", "1001000", "60");
    CU_ASSERT_DOUBLE_EQUAL(next(&s, 0, HMF__DUE_END), 940, 1e-3);
    hmf__schedule_taken(&s, 100 * S, 20 * S); /* what writing took is allowed for twice */
    CU_ASSERT_DOUBLE_EQUAL(next(&s, 0, HMF__DUE_END), 900, 1e-3);
    CU_ASSERT_EQUAL(next(&s, 901, HMF__DUE_END), 0);
    s.end_asked_ns = 1001 * S; /* asked for after 901 s, in vain */
    CU_ASSERT_DOUBLE_EQUAL(next(&s, 903, HMF__DUE_END), 8, 1e-3);
    CU_ASSERT_EQUAL(next(&s, 912, HMF__DUE_END), 0);
    fresh(&s, "100", "", "1001000", "60");
    CU_ASSERT_DOUBLE_EQUAL(next(&s, 0, HMF__DUE_CHECKPOINT), 100, 1e-3);
}

static void ends_that_make_no_sense(void)
{
    struct hmf__schedule s;

    fresh(&s, "", "", "999000", ""); /* over already */
    next(&s, 0, HMF__DUE_NOTHING);
    fresh(&s, "", "", "1000100", "600"); /* more margin than time: the job must get somewhere */
    CU_ASSERT_DOUBLE_EQUAL(next(&s, 0, HMF__DUE_END), 90, 1e-3);
    fresh(&s, "-3", "often", "", "");
    next(&s, 0, HMF__DUE_NOTHING);
}

static const struct unit_test tests[] = {
    {"nothing is due", nothing_is_due},
    {"at intervals", at_intervals},
    {"best interval", best_interval},
    {"before the end", before_the_end},
    {"ends that make no sense", ends_that_make_no_sense},
};

UNIT_MAIN("schedule", tests)
