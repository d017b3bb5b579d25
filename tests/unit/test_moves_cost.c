/* What moves cost: lines are found again, general ones stand in for particular ones, files survive damage
 * and other jobs. */
#include "config.h"

#include "unit.h"

#include "costs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct hmf__costs_move move_of(const char *from, const char *to, double bytes)
{
    return (struct hmf__costs_move){.program = "heat", .nranks = 4, .from = from, .to = to,
                                    .from_kind = "x86", .to_kind = "x86", .from_data = "le64",
                                    .to_data = "le64", .bytes = bytes, .step_us = 1000};
}

static double noise(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return 1 + 0.1 * ((double)(*seed >> 16 & 0x7fff) / 16384 - 1);
}

/* A link of 100 Mbit/s: from probes of at most 1 MiB the time of 256 MiB follows. */
static void test_line(void)
{
    struct hmf__costs *c = hmf__costs_new();
    struct hmf__costs_move m = move_of("a", "b", 0);
    double fixed, rate;
    unsigned seed = 1;

    for (int i = 0; i < 3; i++)
        for (double k = 1024; k <= 1 << 20; k *= 32)
            hmf__costs_learn_link(c, &m, k, (200 + 0.08 * k) * noise(&seed), 1000);
    hmf__costs_link(c, &m, &fixed, &rate);
    CU_ASSERT(fixed > 100 && fixed < 300);
    CU_ASSERT(fabs(rate / 0.08 - 1) < 0.1);
    m.bytes = 256 << 20;
    struct hmf__phases p;
    hmf__costs_predict(c, &m, &p);
    CU_ASSERT(fabs(p.us[HMF__PHASE_TRANSFER] / (0.08 * 268435456.0) - 1) < 0.1);
    hmf__costs_free(c);
}

/* What is not known of a link is taken from the other direction, then from hosts of these kinds. */
static void test_general(void)
{
    struct hmf__costs *c = hmf__costs_new();
    struct hmf__costs_move ab = move_of("a", "b", 0), ba = move_of("b", "a", 0), cd = move_of("c", "d", 0);
    double fixed, rate;

    hmf__costs_link(c, &cd, &fixed, &rate);
    CU_ASSERT_DOUBLE_EQUAL(rate, 0.001, 1e-9);
    for (double k = 1024; k <= 1 << 22; k *= 16)
        hmf__costs_learn_link(c, &ab, k, 50 + 0.02 * k, 1000);
    hmf__costs_link(c, &ba, &fixed, &rate);
    CU_ASSERT(fabs(rate / 0.02 - 1) < 0.02);
    hmf__costs_link(c, &cd, &fixed, &rate);
    CU_ASSERT(fabs(rate / 0.02 - 1) < 0.02);
    /* One that is known keeps what is known. */
    for (double k = 1024; k <= 1 << 22; k *= 16)
        hmf__costs_learn_link(c, &cd, k, 50 + 0.5 * k, 1000);
    hmf__costs_link(c, &ab, &fixed, &rate);
    CU_ASSERT(fabs(rate / 0.02 - 1) < 0.02);
    hmf__costs_free(c);
}

/* A link that has become ten times slower is believed soon. */
static void test_change(void)
{
    struct hmf__costs *c = hmf__costs_new();
    struct hmf__costs_move m = move_of("a", "b", 1 << 24);
    struct hmf__phases p;

    for (int i = 0; i < 20; i++)
        hmf__costs_learn_link(c, &m, (1 << 24) * (1 + i % 3), 0.001 * (1 << 24) * (1 + i % 3), 1000);
    for (int i = 0; i < 3; i++)
        hmf__costs_learn_link(c, &m, 1 << 24, 0.01 * (1 << 24), 1001);
    hmf__costs_predict(c, &m, &p);
    CU_ASSERT(fabs(p.us[HMF__PHASE_TRANSFER] / (0.01 * (1 << 24)) - 1) < 0.2);
    hmf__costs_free(c);
}

/* Each phase of a move is predicted as the last ones of its like were. */
static void test_phases(void)
{
    struct hmf__costs *c = hmf__costs_new();
    struct hmf__costs_move m = move_of("a", "b", 1 << 20);
    struct hmf__phases lesson, p;
    double sum = 0;

    for (int i = 0; i < HMF__PHASES; i++)
        lesson.us[i] = 1000 * (i + 1);
    for (int i = 0; i < 5; i++)
        hmf__costs_learn(c, &m, &lesson, 1000);
    hmf__costs_predict(c, &m, &p);
    for (int i = 0; i < HMF__PHASES; i++) {
        CU_ASSERT(fabs(p.us[i] / lesson.us[i] - 1) < 0.05);
        sum += p.us[i];
    }
    CU_ASSERT_DOUBLE_EQUAL(hmf__phases_total(&p), sum, 1e-6);
    /* Nothing is learned from what is not known. */
    for (int i = 0; i < HMF__PHASES; i++)
        lesson.us[i] = NAN;
    hmf__costs_learn(c, &m, &lesson, 1001);
    struct hmf__phases again;
    hmf__costs_predict(c, &m, &again);
    CU_ASSERT(!memcmp(&p, &again, sizeof p));
    /* And without any knowledge there is a prediction, too. */
    hmf__costs_predict(NULL, &m, &p);
    CU_ASSERT(hmf__phases_total(&p) > 1000 && isfinite(hmf__phases_total(&p)));
    hmf__costs_free(c);
}

static char path[300];

static struct hmf__costs *with(const char *from, double us_per_byte, double when)
{
    struct hmf__costs *c = hmf__costs_new();
    struct hmf__costs_move m = move_of(from, "z", 0);

    m.from_kind = from;
    for (double k = 1024; k <= 1 << 22; k *= 16)
        hmf__costs_learn_link(c, &m, k, 50 + us_per_byte * k, when);
    return c;
}

static double rate_of(const struct hmf__costs *c, const char *from)
{
    struct hmf__costs_move m = move_of(from, "z", 0);
    double fixed, rate;

    m.from_kind = from;
    hmf__costs_link(c, &m, &fixed, &rate);
    return rate;
}

static void test_file(void)
{
    struct hmf__costs *a = with("a", 0.02, 1e9), *b = with("b", 0.03, 1e9), *all = hmf__costs_new();

    CU_ASSERT_EQUAL(hmf__costs_load(all, path, 1e9), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(hmf__costs_save(a, path, 1e9), HMF_OK);
    CU_ASSERT_EQUAL(hmf__costs_save(b, path, 1e9), HMF_OK);
    CU_ASSERT_EQUAL(hmf__costs_load(all, path, 1e9), HMF_OK);
    CU_ASSERT_DOUBLE_EQUAL(rate_of(all, "a"), 0.02, 1e-4);
    CU_ASSERT_DOUBLE_EQUAL(rate_of(all, "b"), 0.03, 1e-4);
    hmf__costs_free(all);
    /* Two months later nothing of it counts. */
    all = hmf__costs_new();
    CU_ASSERT_EQUAL(hmf__costs_load(all, path, 1e9 + 60 * 86400.0), HMF_OK);
    CU_ASSERT_DOUBLE_EQUAL(rate_of(all, "a"), 0.001, 1e-9);
    hmf__costs_free(all);
    hmf__costs_free(a);
    hmf__costs_free(b);
    unlink(path);
}

/* Any byte wrong, any end missing: nothing is taken, and the next save replaces the file. */
static void test_damage(void)
{
    struct hmf__costs *a = with("a", 0.02, 1e9);
    char text[4096], bad[4096];
    size_t len;
    FILE *f;
    int wrong = 0;

    CU_ASSERT_FATAL(!hmf__costs_save(a, path, 1e9));
    f = fopen(path, "r");
    CU_ASSERT_FATAL(f != NULL);
    len = fread(text, 1, sizeof text, f);
    fclose(f);
    CU_ASSERT_FATAL(len > 100 && len < sizeof text);
    for (size_t i = 0; i < 2 * len; i++) {
        struct hmf__costs *c = hmf__costs_new();
        size_t n = i < len ? len : i - len;
        memcpy(bad, text, len);
        if (i < len)
            bad[i] ^= 1 << i % 7;
        f = fopen(path, "w");
        fwrite(bad, 1, n, f);
        fclose(f);
        hmf_status_t st = hmf__costs_load(c, path, 1e9);
        wrong += st != HMF_ERR_FORMAT && st != HMF_ERR_VERSION && st != HMF_ERR_CHECKSUM;
        wrong += fabs(rate_of(c, "a") - 0.001) > 1e-9;
        hmf__costs_free(c);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(hmf__costs_save(a, path, 1e9), HMF_OK);
    struct hmf__costs *c = hmf__costs_new();
    CU_ASSERT_EQUAL(hmf__costs_load(c, path, 1e9), HMF_OK);
    hmf__costs_free(c);
    hmf__costs_free(a);
    unlink(path);
}

/* Jobs that end at the same time lose nothing of each other's. */
static void test_together(void)
{
    enum { JOBS = 8, TIMES = 10 };
    struct hmf__costs *all = hmf__costs_new();
    char name[8];
    int missing = 0;

    for (int j = 0; j < JOBS; j++)
        if (!fork()) {
            int bad = 0;
            snprintf(name, sizeof name, "h%d", j);
            struct hmf__costs *c = with(name, 0.01 * (j + 1), 1e9);
            for (int i = 0; i < TIMES; i++)
                bad += hmf__costs_save(c, path, 1e9) != HMF_OK;
            _exit(bad);
        }
    for (int j = 0; j < JOBS; j++) {
        int status;
        wait(&status);
        CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    CU_ASSERT_EQUAL(hmf__costs_load(all, path, 1e9), HMF_OK);
    for (int j = 0; j < JOBS; j++) {
        snprintf(name, sizeof name, "h%d", j);
        missing += fabs(rate_of(all, name) - 0.01 * (j + 1)) > 1e-4;
    }
    CU_ASSERT_EQUAL(missing, 0);
    hmf__costs_free(all);
    unlink(path);
}

/* A cluster of many hosts does not make the table grow without end. */
static void test_many(void)
{
    struct hmf__costs *c = hmf__costs_new();
    struct hmf__buf text = HMF__BUF_INIT;
    char name[16];
    size_t lines = 0;

    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        struct hmf__costs_move m = move_of(name, "z", 0);
        hmf__costs_learn_link(c, &m, 1000, 100, i);
    }
    hmf__costs_put(c, &text);
    for (size_t i = 0; i < text.len; i++)
        lines += ((char *)text.data)[i] == '\n';
    CU_ASSERT(lines <= 4096);
    CU_ASSERT(hmf__costs_link_age(c, "n4999", "z") > 0);
    CU_ASSERT(hmf__costs_link_age(c, "n1", "z") <= 0);
    hmf__buf_fini(&text);
    hmf__costs_free(c);
}

static const struct unit_test tests[] = {
    {"line", test_line}, {"general", test_general}, {"change", test_change}, {"phases", test_phases},
    {"file", test_file}, {"damage", test_damage}, {"together", test_together}, {"many", test_many},
};

int main(void)
{
    snprintf(path, sizeof path, "%s/costs.%d", getenv("HMF_SCRATCH") ? getenv("HMF_SCRATCH") : ".", (int)getpid());
    return unit_main("costs of moves", tests, LEN(tests));
}
