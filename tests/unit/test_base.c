/* base: error texts, memory hook, parameters, log, clock. */
#include "config.h"

#include "base.h"

#include "unit.h"

#include <string.h>
#include <unistd.h>

static void status_list(void)
{
    CU_ASSERT_EQUAL(HMF_OK, 0);
    CU_ASSERT_STRING_EQUAL(hmf_status_name(HMF_ERR_TYPE), "HMF_ERR_TYPE");
    CU_ASSERT_STRING_EQUAL(hmf_strerror(HMF_OK), "success");
    CU_ASSERT_EQUAL(hmf_status_scope(HMF_ERR_PEER), HMF_SCOPE_JOB);
    CU_ASSERT_STRING_EQUAL(hmf_status_name((hmf_status_t)9999), "HMF_ERR_?");
    CU_ASSERT_PTR_NOT_NULL(hmf_strerror((hmf_status_t)-1));
}

static void fail_texts(void)
{
    CU_ASSERT_EQUAL(hmf__fail(HMF_ERR_ARG, "thing %d", 7), HMF_ERR_ARG);
    CU_ASSERT_STRING_EQUAL(hmf_error_text(), "thing 7");
    CU_ASSERT_EQUAL(hmf__fail_prefix(HMF_ERR_ARG, "%s", "outer"), HMF_ERR_ARG);
    CU_ASSERT_STRING_EQUAL(hmf_error_text(), "outer: thing 7");
    /* the present text as an argument of the new one */
    hmf__fail(HMF_ERR_ARG, "again: %s", hmf_error_text());
    CU_ASSERT_STRING_EQUAL(hmf_error_text(), "again: outer: thing 7");
    char big[3000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    hmf__fail(HMF_ERR_ARG, "%s", big);
    CU_ASSERT_EQUAL(strlen(hmf_error_text()), 1023);
    hmf__fail_prefix(HMF_ERR_ARG, "%s", big);
    CU_ASSERT_EQUAL(strlen(hmf_error_text()), 1023);
}

static void memory(void)
{
    hmf__alloc_fail_at(2);
    void *a = hmf__malloc(10), *b = hmf__malloc(10), *c = hmf__malloc(10);
    CU_ASSERT_PTR_NOT_NULL(a);
    CU_ASSERT_PTR_NULL(b);
    CU_ASSERT_PTR_NOT_NULL(c);
    CU_ASSERT_EQUAL(hmf__alloc_count(), 3);
    hmf__alloc_fail_at(0);
    hmf__free(a);
    hmf__free(c);
    a = hmf__malloc(0);
    CU_ASSERT_PTR_NOT_NULL(a);
    hmf__free(a);
    size_t big = 5u << 20;
    char *p = hmf__big_alloc(big);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL((uintptr_t)p % (2u << 20), 0);
    p[0] = p[big - 1] = 1;
    hmf__big_free(p, big);
    char *same = hmf__big_zeros(big - 5000); /* what was freed is used again, but zero */
    CU_ASSERT_PTR_EQUAL(same, p);
    CU_ASSERT_EQUAL(same[0], 0);
    hmf__big_free(same, big - 5000);
    p = hmf__big_alloc((size_t)300 << 20); /* too large to keep */
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    p[(size_t)300 << 20 >> 1] = 1;
    hmf__big_free(p, (size_t)300 << 20);
    p = hmf__big_alloc(100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    p[99] = 1;
    hmf__big_free(p, 100);
    hmf__big_free(NULL, 5u << 20);
    CU_ASSERT_PTR_NULL(hmf__big_alloc(SIZE_MAX - 10));
}

static void parameters(void)
{
    long n = -7;
    size_t size = 0;
    double d = 0;
    const char *s = NULL;

    unsetenv("HMF_T");
    CU_ASSERT_EQUAL(hmf__param_int("HMF_T", 0, 9, 3, &n), HMF_OK);
    CU_ASSERT_EQUAL(n, 3);
    setenv("HMF_T", "8", 1);
    CU_ASSERT_EQUAL(hmf__param_int("HMF_T", 0, 9, 3, &n), HMF_OK);
    CU_ASSERT_EQUAL(n, 8);
    static const char *const bad[] = {"-1", "10", "x", "1x", "99999999999999999999", " "};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        setenv("HMF_T", bad[i], 1);
        CU_ASSERT_EQUAL(hmf__param_int("HMF_T", 0, 9, 3, &n), HMF_ERR_ARG);
        CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "HMF_T="));
    }
    CU_ASSERT_EQUAL(n, 8);
    setenv("HMF_T", "64m", 1);
    CU_ASSERT_EQUAL(hmf__param_size("HMF_T", 0, SIZE_MAX, 3, &size), HMF_OK);
    CU_ASSERT_EQUAL(size, 64u << 20);
    setenv("HMF_T", "3K", 1);
    CU_ASSERT_EQUAL(hmf__param_size("HMF_T", 0, SIZE_MAX, 3, &size), HMF_OK);
    CU_ASSERT_EQUAL(size, 3072);
    static const char *const badsize[] = {"-1", "3KB", "K", "99999999T", "5Q"};
    for (size_t i = 0; i < sizeof badsize / sizeof badsize[0]; i++) {
        setenv("HMF_T", badsize[i], 1);
        CU_ASSERT_EQUAL(hmf__param_size("HMF_T", 0, SIZE_MAX, 3, &size), HMF_ERR_ARG);
    }
    setenv("HMF_T", "2.5", 1);
    CU_ASSERT_EQUAL(hmf__param_double("HMF_T", 0, 10, 1, &d), HMF_OK);
    CU_ASSERT_EQUAL(d, 2.5);
    setenv("HMF_T", "nan", 1);
    CU_ASSERT_EQUAL(hmf__param_double("HMF_T", 0, 10, 1, &d), HMF_ERR_ARG);
    setenv("HMF_T", "11", 1);
    CU_ASSERT_EQUAL(hmf__param_double("HMF_T", 0, 10, 1, &d), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf__param_string("HMF_T", "d", &s), HMF_OK);
    CU_ASSERT_STRING_EQUAL(s, "11");
    setenv("HMF_T", "", 1);
    CU_ASSERT_EQUAL(hmf__param_string("HMF_T", "d", &s), HMF_OK);
    CU_ASSERT_STRING_EQUAL(s, "d");
    unsetenv("HMF_T");
}

static void log_lines(void)
{
    int fd[2], keep = dup(2);
    char line[2000];

    CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
    dup2(fd[1], 2);
    hmf__log_identity(3);
    hmf__log(HMF__LOG_WARN, "a %s", "message");
    hmf__log(HMF__LOG_DEBUG, "not asked for");
    dup2(keep, 2);
    close(fd[1]);
    close(keep);
    ssize_t n = read(fd[0], line, sizeof line - 1);
    close(fd[0]);
    CU_ASSERT_FATAL(n > 0);
    line[n] = '\0';
    CU_ASSERT_EQUAL(strncmp(line, "hmf rank 3 on ", 14), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, ": a message\n"));
    CU_ASSERT_PTR_NULL(strstr(line, "asked"));
    hmf__log_identity(-1);
}

static void clock_runs(void)
{
    uint64_t a = hmf__now_ns(), b = hmf__now_ns();

    CU_ASSERT(b >= a);
}

static const struct unit_test tests[] = {
    {"status list", status_list}, {"error texts", fail_texts}, {"memory", memory},
    {"parameters", parameters},   {"log lines", log_lines},    {"clock", clock_runs},
};

UNIT_MAIN("base", tests)
