/* Descriptions of the types in particles.c, made by hmf-checktype: do not edit, run it again
 * when they change.  Serves all machines; nothing here is about the one it was made on. */
#include <hmf/checktype.h>
#include <stddef.h>


enum {
    HMF_TYPE_particle = 1592000817,
    HMF_TYPE_cell = 1669343489
};

/* struct particle, particles.c */
static const int hmf_desc_particle[] = {
    -6,
    typeARRAY, HMF_DIM_(struct particle, x), typeDOUBLE,
    typeARRAY, HMF_DIM_(struct particle, v), typeDOUBLE,
    typeARRAY, HMF_DIM_(struct particle, f), typeDOUBLE,
    typeLONG,
    typePOINTER, HMF_TYPE_cell,
    typePOINTER, HMF_TYPE_particle,
};
static const char *const hmf_fields_particle[] = {
    "x", "v", "f", "id", "home", "next", NULL
};
static const size_t hmf_offsets_particle[] = {
    offsetof(struct particle, x),
    offsetof(struct particle, v),
    offsetof(struct particle, f),
    offsetof(struct particle, id),
    offsetof(struct particle, home),
    offsetof(struct particle, next),
};
HMF_ASSERT_(particle_v, HMF_NEXT_(struct particle, x, v));
HMF_ASSERT_(particle_f, HMF_NEXT_(struct particle, v, f));
HMF_ASSERT_(particle_id, HMF_NEXT_(struct particle, f, id));
HMF_ASSERT_(particle_home, HMF_NEXT_(struct particle, id, home));
HMF_ASSERT_(particle_next, HMF_NEXT_(struct particle, home, next));
HMF_ASSERT_(particle, HMF_LAST_(struct particle, next));

/* struct cell, particles.c */
static const int hmf_desc_cell[] = {
    -4,
    typeINT,
    typeINT,
    typePOINTER, HMF_TYPE_particle,
    typeARRAY, HMF_DIM_(struct cell, near), typePOINTER, HMF_TYPE_cell,
};
static const char *const hmf_fields_cell[] = {
    "column", "row", "first", "near", NULL
};
static const size_t hmf_offsets_cell[] = {
    offsetof(struct cell, column),
    offsetof(struct cell, row),
    offsetof(struct cell, first),
    offsetof(struct cell, near),
};
HMF_ASSERT_(cell_row, HMF_NEXT_(struct cell, column, row));
HMF_ASSERT_(cell_first, HMF_NEXT_(struct cell, row, first));
HMF_ASSERT_(cell_near, HMF_NEXT_(struct cell, first, near));
HMF_ASSERT_(cell, HMF_LAST_(struct cell, near));

static const struct hmf_checktype_type hmf_types[] = {
    {HMF_TYPE_particle, "struct particle", hmf_desc_particle, HMF_COUNT_(hmf_desc_particle),
     hmf_fields_particle, {sizeof(struct particle), __alignof__(struct particle),
     hmf_offsets_particle, HMF_COUNT_(hmf_offsets_particle)}},
    {HMF_TYPE_cell, "struct cell", hmf_desc_cell, HMF_COUNT_(hmf_desc_cell),
     hmf_fields_cell, {sizeof(struct cell), __alignof__(struct cell),
     hmf_offsets_cell, HMF_COUNT_(hmf_offsets_cell)}},
};

/* d.cells[] */
static const int hmf_variable_0[] = {
    HMF_TYPE_cell,
};

/* d.tracer */
static const int hmf_variable_1[] = {
    typePOINTER, HMF_TYPE_particle,
};

/* potential */
static const int hmf_variable_2[] = {
    typeDOUBLE,
};

/* step */
static const int hmf_variable_3[] = {
    typeINT,
};

static const struct hmf_checktype_variable hmf_variables[] = {
    {"d.cells[]", NULL, 0, hmf_variable_0, HMF_COUNT_(hmf_variable_0), 0},
    {"d.tracer", NULL, 0, hmf_variable_1, HMF_COUNT_(hmf_variable_1), 0},
    {"potential", NULL, 0, hmf_variable_2, HMF_COUNT_(hmf_variable_2), 0},
    {"step", NULL, 0, hmf_variable_3, HMF_COUNT_(hmf_variable_3), 0},
};

static struct hmf_checktype_unit hmf_unit = {
    1, "particles.c",
    hmf_types, HMF_COUNT_(hmf_types),
    hmf_variables, HMF_COUNT_(hmf_variables),
    NULL, 0, NULL
};

__attribute__((constructor)) static void hmf_unit_begin(void)
{
    hmf_checktype_add(&hmf_unit);
}
