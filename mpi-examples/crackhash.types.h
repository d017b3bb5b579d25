/* Descriptions of the types in crackhash.c, made by hmf-checktype: do not edit, run it again
 * when they change.  Serves all machines; nothing here is about the one it was made on. */
#include <hmf/checktype.h>
#include <stddef.h>


enum {
    HMF_TYPE_account_state = 1943194347
};

/* struct account_state, crackhash.c */
static const int hmf_desc_account_state[] = {
    -2,
    typeINT,
    typeFSTRING, HMF_DIM_(struct account_state, password),
};
static const char *const hmf_fields_account_state[] = {
    "found", "password", NULL
};
static const size_t hmf_offsets_account_state[] = {
    offsetof(struct account_state, found),
    offsetof(struct account_state, password),
};
HMF_ASSERT_(account_state_password, HMF_NEXT_(struct account_state, found, password));
HMF_ASSERT_(account_state, HMF_LAST_(struct account_state, password));

static const struct hmf_checktype_type hmf_types[] = {
    {HMF_TYPE_account_state, "struct account_state", hmf_desc_account_state, HMF_COUNT_(hmf_desc_account_state),
     hmf_fields_account_state, {sizeof(struct account_state), __alignof__(struct account_state),
     hmf_offsets_account_state, HMF_COUNT_(hmf_offsets_account_state)}},
};

/* round */
static const int hmf_variable_0[] = {
    typeLONG,
};

/* state[] */
static const int hmf_variable_1[] = {
    HMF_TYPE_account_state,
};

static const struct hmf_checktype_variable hmf_variables[] = {
    {"round", NULL, 0, hmf_variable_0, HMF_COUNT_(hmf_variable_0), 0},
    {"state[]", NULL, 0, hmf_variable_1, HMF_COUNT_(hmf_variable_1), 0},
};

static struct hmf_checktype_unit hmf_unit = {
    1, "crackhash.c",
    hmf_types, HMF_COUNT_(hmf_types),
    hmf_variables, HMF_COUNT_(hmf_variables),
    NULL, 0, NULL
};

__attribute__((constructor)) static void hmf_unit_begin(void)
{
    hmf_checktype_add(&hmf_unit);
}
