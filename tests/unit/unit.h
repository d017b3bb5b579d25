/* Frame of a unit test program: a table of CUnit tests, one program a source file, exit status; and
 * assertions about calls that return a status, which show the library's own text when they fail. */
#ifndef UNIT_H
#define UNIT_H

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEN(a) (sizeof(a) / sizeof(a)[0])

#define GOOD(call)                                                                                \
    do {                                                                                          \
        hmf_status_t rc_ = call;                                                                  \
        if (rc_ != HMF_OK)                                                                        \
            printf("\n%s\n", hmf_error_text());                                                   \
        CU_ASSERT_EQUAL_FATAL(rc_, HMF_OK);                                                       \
    } while (0)

/* It fails with this code, and the text has these words. */
#define BAD(call, code, words)                                                                    \
    do {                                                                                          \
        CU_ASSERT_EQUAL(call, code);                                                              \
        if (!strstr(hmf_error_text(), words))                                                     \
            printf("\n%s\n", hmf_error_text());                                                   \
        CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), words));                                  \
    } while (0)

struct unit_test {
    const char *name;
    void (*run)(void);
};

static inline int unit_main(const char *suite_name, const struct unit_test *tests, size_t n)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; suite && i < n; i++)
        if (!CU_add_test(suite, tests[i].name, tests[i].run))
            suite = NULL;
    if (!suite) {
        fprintf(stderr, "%s\n", CU_get_error_msg());
        return EXIT_FAILURE;
    }
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures() + CU_get_number_of_tests_failed();
    unsigned ran = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    return failed || ran != n ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define UNIT_MAIN(suite_name, tests)                                                              \
    int main(void)                                                                                \
    {                                                                                             \
        return unit_main(suite_name, tests, sizeof(tests) / sizeof(tests)[0]);                    \
    }

#endif
