/* Unions whose discriminant lies within a field, and pointers one past the last member: the state of
 * golden images of version 3. */
#include "config.h"

#include "cases.h"
#include "golden3.h"

static struct golden3 paths;

static hmf_status_t add(hmf_state_t *s)
{
    return golden3_register(s, &paths);
}

static void fill(void)
{
    golden3_fill(&paths);
}

static int check(void)
{
    int bad = 0;

    HETERO_CHECK(golden3_good(&paths));
    return bad;
}

static void poison(void)
{
    memset(&paths, 0x55, sizeof paths);
}

const struct hetero_case hetero_paths = {"paths", add, fill, check, poison};
