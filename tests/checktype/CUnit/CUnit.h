/* What a unit test needs of CUnit, for machines of other kinds that are run here under emulation
 * and have no CUnit: one suite of tests, assertions that count. */
#ifndef CHECKTYPE_CUNIT_H
#define CHECKTYPE_CUNIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct suite *CU_pSuite;
enum { CUE_SUCCESS = 0, CU_BRM_NORMAL = 1 };

struct cunit {
    unsigned asserts, failed, ran;
    void (*tests[64])(void);
};
static struct cunit cunit;

static inline void cunit_assert(int good, const char *what, const char *file, int line, int fatal)
{
    cunit.asserts++;
    if (good)
        return;
    cunit.failed++;
    printf("%s:%d: %s\n", file, line, what);
    if (fatal)
        exit(1);
}

#define CU_ASSERT_(good, fatal) cunit_assert(!!(good), #good, __FILE__, __LINE__, fatal)
#define CU_ASSERT_TRUE(a) CU_ASSERT_(a, 0)
#define CU_ASSERT_EQUAL(a, b) CU_ASSERT_((a) == (b), 0)
#define CU_ASSERT_EQUAL_FATAL(a, b) CU_ASSERT_((a) == (b), 1)
#define CU_ASSERT_NOT_EQUAL(a, b) CU_ASSERT_((a) != (b), 0)
#define CU_ASSERT_PTR_NULL(a) CU_ASSERT_(!(a), 0)
#define CU_ASSERT_PTR_NOT_NULL_FATAL(a) CU_ASSERT_(a, 1)
#define CU_ASSERT_PTR_EQUAL(a, b) CU_ASSERT_((const void *)(a) == (const void *)(b), 0)
#define CU_ASSERT_PTR_NOT_EQUAL(a, b) CU_ASSERT_((const void *)(a) != (const void *)(b), 0)
#define CU_ASSERT_STRING_EQUAL(a, b) CU_ASSERT_(!strcmp(a, b), 0)

#define CU_initialize_registry() CUE_SUCCESS
#define CU_add_suite(name, begin, end) ((void)(name), (CU_pSuite)1)
#define CU_add_test(suite, name, run) (cunit.tests[cunit.ran++] = (run))
#define CU_get_error_msg() "?"
#define CU_basic_set_mode(mode) ((void)0)
#define CU_get_number_of_failures() cunit.failed
#define CU_get_number_of_tests_failed() 0
#define CU_get_number_of_tests_run() cunit.ran
#define CU_cleanup_registry() printf("%u tests, %u assertions\n", cunit.ran, cunit.asserts)

static inline void CU_basic_run_tests(void)
{
    for (unsigned i = 0; i < cunit.ran; i++)
        cunit.tests[i]();
}

#endif
