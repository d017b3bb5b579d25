/* Descriptions of the types in logbook.c, made by hmf-checktype: do not edit, run it again
 * when they change.  Serves all machines; nothing here is about the one it was made on. */
#include <hmf/checktype.h>
#include <stddef.h>


/* step */
static const int hmf_variable_0[] = {
    typeINT,
};

/* sum */
static const int hmf_variable_1[] = {
    typeDOUBLE,
};

static const struct hmf_checktype_variable hmf_variables[] = {
    {"step", NULL, 0, hmf_variable_0, HMF_COUNT_(hmf_variable_0), 0},
    {"sum", NULL, 0, hmf_variable_1, HMF_COUNT_(hmf_variable_1), 0},
};

static struct hmf_checktype_unit hmf_unit = {
    1, "logbook.c",
    NULL, 0,
    hmf_variables, HMF_COUNT_(hmf_variables),
    NULL, 0, NULL
};

__attribute__((constructor)) static void hmf_unit_begin(void)
{
    hmf_checktype_add(&hmf_unit);
}
