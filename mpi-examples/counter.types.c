/* Descriptions of the types in counter.c, made by hmf-checktype: do not edit, run it again
 * when they change.  Serves all machines; nothing here is about the one it was made on. */
#include <hmf/checktype.h>
#include <stddef.h>


/* count */
static const int hmf_variable_0[] = {
    typeLONG,
};

static const struct hmf_checktype_variable hmf_variables[] = {
    {"count", NULL, 0, hmf_variable_0, HMF_COUNT_(hmf_variable_0), 0},
};

static struct hmf_checktype_unit hmf_unit = {
    1, "counter.c",
    NULL, 0,
    hmf_variables, HMF_COUNT_(hmf_variables),
    NULL, 0, NULL
};

__attribute__((constructor)) static void hmf_unit_begin(void)
{
    hmf_checktype_add(&hmf_unit);
}
