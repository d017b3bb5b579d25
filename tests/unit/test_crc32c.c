/* crc32c: known values, and instruction = table for every length, alignment and split. */
#include "config.h"

#include "crc32c.h"

#include "unit.h"

#include <string.h>

static void known_values(void)
{
    unsigned char zeros[32] = {0}, ones[32];

    memset(ones, 0xff, sizeof ones);
    CU_ASSERT_EQUAL(hmf__crc32c(0, "", 0), 0);
    CU_ASSERT_EQUAL(hmf__crc32c(0, "123456789", 9), 0xe3069283);
    CU_ASSERT_EQUAL(hmf__crc32c(0, zeros, 32), 0x8a9136aa);
    CU_ASSERT_EQUAL(hmf__crc32c(0, ones, 32), 0x62a8ab43);
    CU_ASSERT_EQUAL(hmf__crc32c_soft(0, "123456789", 9), 0xe3069283);
}

static void instruction_equals_table(void)
{
    enum { N = 100000 };
    unsigned char *p = malloc(N);

    for (uint32_t i = 0, x = 1; i < N; i++, x = x * 1664525 + 1013904223)
        p[i] = (unsigned char)(x >> 24);
    for (size_t len = 0; len < 1600; len += 7)
        for (size_t at = 0; at < 9; at++)
            CU_ASSERT_EQUAL(hmf__crc32c(5, p + at, len), hmf__crc32c_soft(5, p + at, len));
    for (size_t len = N - 30; len <= N; len++)
        CU_ASSERT_EQUAL(hmf__crc32c(0, p, len), hmf__crc32c_soft(0, p, len));
    for (size_t cut = 1; cut < N; cut += 9973)
        CU_ASSERT_EQUAL(hmf__crc32c(hmf__crc32c(0, p, cut), p + cut, N - cut),
                        hmf__crc32c(0, p, N));
    free(p);
}

static const struct unit_test tests[] = {
    {"known values", known_values},
    {"instruction = table", instruction_equals_table},
};

UNIT_MAIN("crc32c", tests)
