/* Unions, bit-fields and flexible array members as each machine's compiler lays them out: the state
 * of golden images of version 2. */
#include "config.h"

#include "cases.h"
#include "golden2.h"

static struct golden2 forms;

static hmf_status_t add(hmf_state_t *s)
{
    return golden2_register(s, &forms);
}

static void fill(void)
{
    golden2_fill(&forms);
}

static int check(void)
{
    int bad = 0;

    HETERO_CHECK(golden2_good_unions(&forms));
    HETERO_CHECK(golden2_good_bits(&forms));
    HETERO_CHECK(golden2_good_arrays(&forms));
    return bad;
}

static void poison(void)
{
    memset(&forms, 0x55, sizeof forms);
}

const struct hetero_case hetero_forms = {"forms", add, fill, check, poison};
