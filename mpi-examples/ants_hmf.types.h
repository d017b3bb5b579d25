/* Descriptions of the types in ants_hmf.c, made by hmf-checktype: do not edit, run it again
 * when they change.  Serves all machines; nothing here is about the one it was made on. */
#include <hmf/checktype.h>
#include <stddef.h>

typedef __typeof__(((struct ant *)0)->job) hmf_t_ant_job;

enum {
    HMF_TYPE_nest = 1394027845,
    HMF_TYPE_ant = 1661027561
};

/* struct nest, ants_hmf.c */
static const int hmf_desc_nest[] = {
    -8,
    typeINT,
    typeINT,
    typeCOUNTED, typeMUL, 0, 1, typeDOUBLE,
    typePOINTER, HMF_TYPE_ant,
    typePOINTER, HMF_TYPE_ant,
    typePOINTER, typeCSTRING,
    typeTRANSIENT, typeOPAQUE, HMF_SIZE_(struct nest, log),
    typeFUNCTION,
};
static const char *const hmf_fields_nest[] = {
    "nx", "ny", "scent", "ants", "leader", "name", "log", "rule", NULL
};
static const size_t hmf_offsets_nest[] = {
    offsetof(struct nest, nx),
    offsetof(struct nest, ny),
    offsetof(struct nest, scent),
    offsetof(struct nest, ants),
    offsetof(struct nest, leader),
    offsetof(struct nest, name),
    offsetof(struct nest, log),
    offsetof(struct nest, rule),
};
HMF_ASSERT_(nest_ny, HMF_NEXT_(struct nest, nx, ny));
HMF_ASSERT_(nest_scent, HMF_NEXT_(struct nest, ny, scent));
HMF_ASSERT_(nest_ants, HMF_NEXT_(struct nest, scent, ants));
HMF_ASSERT_(nest_leader, HMF_NEXT_(struct nest, ants, leader));
HMF_ASSERT_(nest_name, HMF_NEXT_(struct nest, leader, name));
HMF_ASSERT_(nest_log, HMF_NEXT_(struct nest, name, log));
HMF_ASSERT_(nest_rule, HMF_NEXT_(struct nest, log, rule));
HMF_ASSERT_(nest, HMF_LAST_(struct nest, rule));

/* struct ant, ants_hmf.c */
static const int hmf_desc_ant[] = {
    -4,
    typeINT,
    typeENUM,
    typeUNION, 1, 2, (int)(WORKER), typeDOUBLE, (int)(SCOUT), typeARRAY,
        HMF_DIM_(hmf_t_ant_job, place), typeINT,
    typePOINTER, HMF_TYPE_ant,
};
static const char *const hmf_fields_ant[] = {
    "id", "role", "job", "load", "place", "next", NULL
};
static const size_t hmf_offsets_ant[] = {
    offsetof(struct ant, id),
    offsetof(struct ant, role),
    offsetof(struct ant, job),
    offsetof(struct ant, next),
};
HMF_ASSERT_(ant_role, HMF_NEXT_(struct ant, id, role));
HMF_ASSERT_(ant_job, HMF_NEXT_(struct ant, role, job));
HMF_ASSERT_(ant_next, HMF_NEXT_(struct ant, job, next));
HMF_ASSERT_(ant, HMF_LAST_(struct ant, next));

static const struct hmf_checktype_type hmf_types[] = {
    {HMF_TYPE_nest, "struct nest", hmf_desc_nest, HMF_COUNT_(hmf_desc_nest),
     hmf_fields_nest, {sizeof(struct nest), __alignof__(struct nest),
     hmf_offsets_nest, HMF_COUNT_(hmf_offsets_nest)}},
    {HMF_TYPE_ant, "struct ant", hmf_desc_ant, HMF_COUNT_(hmf_desc_ant),
     hmf_fields_ant, {sizeof(struct ant), __alignof__(struct ant),
     hmf_offsets_ant, HMF_COUNT_(hmf_offsets_ant)}},
};

/* born */
static const int hmf_variable_0[] = {
    typeLONG,
};

/* nest */
static const int hmf_variable_1[] = {
    HMF_TYPE_nest,
};

/* step */
static const int hmf_variable_2[] = {
    typeINT,
};

static const struct hmf_checktype_variable hmf_variables[] = {
    {"born", (void *)&born, sizeof born, hmf_variable_0, HMF_COUNT_(hmf_variable_0), 1},
    {"nest", (void *)&nest, sizeof nest, hmf_variable_1, HMF_COUNT_(hmf_variable_1), 1},
    {"step", NULL, 0, hmf_variable_2, HMF_COUNT_(hmf_variable_2), 0},
};

static const struct hmf_checktype_function hmf_functions[] = {
    {"ants_hmf.c:wander", (hmf_function_t)wander},
};

static struct hmf_checktype_unit hmf_unit = {
    1, "ants_hmf.c",
    hmf_types, HMF_COUNT_(hmf_types),
    hmf_variables, HMF_COUNT_(hmf_variables),
    hmf_functions, HMF_COUNT_(hmf_functions), NULL
};

__attribute__((constructor)) static void hmf_unit_begin(void)
{
    hmf_checktype_add(&hmf_unit);
}
