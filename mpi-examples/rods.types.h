/* Descriptions of the types in rods.c, made by hmf-checktype: do not edit, run it again
 * when they change.  Serves all machines; nothing here is about the one it was made on. */
#include <hmf/checktype.h>
#include <stddef.h>


enum {
    HMF_TYPE_rod = 1960099866
};

/* struct rod, rods.c */
static const int hmf_desc_rod[] = {
    -4,
    typePOINTER, typeDOUBLE,
    typeWEAK, typeDOUBLE,
    typePOINTER, HMF_TYPE_rod,
    typeINT,
};
static const char *const hmf_fields_rod[] = {
    "u", "hottest", "next", "id", NULL
};
static const size_t hmf_offsets_rod[] = {
    offsetof(struct rod, u),
    offsetof(struct rod, hottest),
    offsetof(struct rod, next),
    offsetof(struct rod, id),
};
HMF_ASSERT_(rod_hottest, HMF_NEXT_(struct rod, u, hottest));
HMF_ASSERT_(rod_next, HMF_NEXT_(struct rod, hottest, next));
HMF_ASSERT_(rod_id, HMF_NEXT_(struct rod, next, id));
HMF_ASSERT_(rod, HMF_LAST_(struct rod, id));

static const struct hmf_checktype_type hmf_types[] = {
    {HMF_TYPE_rod, "struct rod", hmf_desc_rod, HMF_COUNT_(hmf_desc_rod),
     hmf_fields_rod, {sizeof(struct rod), __alignof__(struct rod),
     hmf_offsets_rod, HMF_COUNT_(hmf_offsets_rod)}},
};

/* rods */
static const int hmf_variable_0[] = {
    typePOINTER, HMF_TYPE_rod,
};

/* step */
static const int hmf_variable_1[] = {
    typeINT,
};

static const struct hmf_checktype_variable hmf_variables[] = {
    {"rods", NULL, 0, hmf_variable_0, HMF_COUNT_(hmf_variable_0), 0},
    {"step", NULL, 0, hmf_variable_1, HMF_COUNT_(hmf_variable_1), 0},
};

static struct hmf_checktype_unit hmf_unit = {
    1, "rods.c",
    hmf_types, HMF_COUNT_(hmf_types),
    hmf_variables, HMF_COUNT_(hmf_variables),
    NULL, 0, NULL
};

__attribute__((constructor)) static void hmf_unit_begin(void)
{
    hmf_checktype_add(&hmf_unit);
}
