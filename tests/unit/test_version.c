/* The version that the library tells is the one in VERSION. */
#include "config.h"

#include "hmf/version.h"

#include "unit.h"

#include <string.h>

static void is_the_package_version(void)
{
    CU_ASSERT_STRING_EQUAL(hmf_version(), PACKAGE_VERSION);
}

static const struct unit_test tests[] = {
    {"is the package's", is_the_package_version},
};

UNIT_MAIN("version", tests)
