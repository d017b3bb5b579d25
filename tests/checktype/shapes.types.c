/* Descriptions of the types in shapes.h, made by hmf-checktype: do not edit, run it again
 * when they change.  Serves all machines; nothing here is about the one it was made on. */
#include "shapes.h"
#include <hmf/checktype.h>
#include <stddef.h>

typedef __typeof__(((struct mix *)0)->inside[0]) hmf_t_mix_inside;
typedef HMF_NESTED_(struct inner, struct mix::inner) hmf_t_inner;
typedef __typeof__(((struct mix *)0)->pun) hmf_t_mix_pun;

enum {
    HMF_TYPE_tree = 1246251490,
    HMF_TYPE_plain_t = 2066519151,
    HMF_TYPE_mix = 1692357853,
    HMF_TYPE_packed = 1784874083,
    HMF_TYPE_branch = 1345921709,
    HMF_TYPE_mix_inside = 1861429893,
    HMF_TYPE_inner = 1876580408,
    HMF_TYPE_leaf = 1352086812
};

/* struct tree, shapes.h */
static const int hmf_desc_tree[] = {
    -3,
    typePOINTER, HMF_TYPE_branch,
    typeWEAK, HMF_TYPE_branch,
    typePOINTER, HMF_TYPE_tree,
};
static const char *const hmf_fields_tree[] = {
    "root", "favourite", "next", NULL
};
static const size_t hmf_offsets_tree[] = {
    offsetof(struct tree, root),
    offsetof(struct tree, favourite),
    offsetof(struct tree, next),
};
HMF_ASSERT_(tree_favourite, HMF_NEXT_(struct tree, root, favourite));
HMF_ASSERT_(tree_next, HMF_NEXT_(struct tree, favourite, next));
HMF_ASSERT_(tree, HMF_LAST_(struct tree, next));

/* plain_t, shapes.h */
static const int hmf_desc_plain_t[] = {
    -3,
    typeSCHAR,
    typeSHORT,
    typeTRANSIENT, typeOPAQUE, HMF_SIZE_(plain_t, c),
};
static const char *const hmf_fields_plain_t[] = {
    "a", "b", "c", NULL
};
static const size_t hmf_offsets_plain_t[] = {
    offsetof(plain_t, a),
    offsetof(plain_t, b),
    offsetof(plain_t, c),
};
HMF_ASSERT_(plain_t_b, HMF_NEXT_(plain_t, a, b));
HMF_ASSERT_(plain_t_c, HMF_NEXT_(plain_t, b, c));
HMF_ASSERT_(plain_t, HMF_LAST_(plain_t, c));

/* struct mix, shapes.h */
static const int hmf_desc_mix[] = {
    -46,
    typeARRAY, HMF_DIM_(struct mix, x), typeDOUBLE,
    typeARRAY, HMF_DIM_(struct mix, pair), typeARRAY, HMF_DIM_(struct mix, pair[0]), typeDOUBLE,
    typeENUM,
    typeENUM,
    typeSIZE,
    typeSSIZE,
    typePTRDIFF,
    typeINT8,
    typeUINT16,
    typeINT32,
    typeUINT64,
    typeTIME,
    HMF_INTEGER_(((struct mix *)0)->inode),
    typeLONG,
    typeULLONG,
    typeFLOAT,
    typeLDOUBLE,
    typeBOOL,
    typeFSTRING, HMF_DIM_(struct mix, title),
    typeARRAY, HMF_DIM_(struct mix, raw), typeUCHAR,
    typePOINTER, typeCSTRING,
    typeARRAY, HMF_DIM_(struct mix, names), typePOINTER, typeCSTRING,
    typeINT,
    typeINT,
    typeCOUNTED, 22, typeDOUBLE,
    typeCOUNTED, 23, typeARRAY, (int)(2), typeDOUBLE,
    typePOINTER, typeARRAY, (int)(DIMS), typeDOUBLE,
    typeCOUNTED, 22, typeCOUNTED, 23, typeDOUBLE,
    typeCOUNTED, 22, typeARRAY, HMF_DIM_(struct mix, matrix[0]), typeDOUBLE,
    typePOINTER, typeINT,
    typeWEAK, typeINT,
    typePOINTER, HMF_TYPE_leaf,
    typePOINTER, typeVOID,
    typeCOUNTED, 23, typeDOUBLE,
    typeFUNCTION,
    typeARRAY, HMF_DIM_(struct mix, steps), typeFUNCTION,
    typeTRANSIENT, typeOPAQUE, HMF_SIZE_(struct mix, log),
    typeARRAY, HMF_DIM_(struct mix, inside), HMF_TYPE_mix_inside,
    typeSHORT,
    typeSHORT,
    HMF_TYPE_inner,
    typeINT,
    typeINT,
    typeFLOAT,
    typeFLOAT,
    typePOINTER, HMF_TYPE_tree,
};
static const char *const hmf_fields_mix[] = {
    "x", "pair", "color", "wide", "size", "ssize", "distance", "i8", "u16", "i32", "u64",
        "when", "inode", "l", "ull", "f", "ld", "yes", "title", "raw", "name", "names", "n",
        "m", "v", "w", "fixed", "rows", "matrix", "one", "end", "leaf", "any", "numbers",
        "compare", "steps", "log", "inside", "anonymous_a", "anonymous_b", "inner",
        "made_value", "made_count", "pun", "aligned", "forest", NULL
};
static const size_t hmf_offsets_mix[] = {
    offsetof(struct mix, x),
    offsetof(struct mix, pair),
    offsetof(struct mix, color),
    offsetof(struct mix, wide),
    offsetof(struct mix, size),
    offsetof(struct mix, ssize),
    offsetof(struct mix, distance),
    offsetof(struct mix, i8),
    offsetof(struct mix, u16),
    offsetof(struct mix, i32),
    offsetof(struct mix, u64),
    offsetof(struct mix, when),
    offsetof(struct mix, inode),
    offsetof(struct mix, l),
    offsetof(struct mix, ull),
    offsetof(struct mix, f),
    offsetof(struct mix, ld),
    offsetof(struct mix, yes),
    offsetof(struct mix, title),
    offsetof(struct mix, raw),
    offsetof(struct mix, name),
    offsetof(struct mix, names),
    offsetof(struct mix, n),
    offsetof(struct mix, m),
    offsetof(struct mix, v),
    offsetof(struct mix, w),
    offsetof(struct mix, fixed),
    offsetof(struct mix, rows),
    offsetof(struct mix, matrix),
    offsetof(struct mix, one),
    offsetof(struct mix, end),
    offsetof(struct mix, leaf),
    offsetof(struct mix, any),
    offsetof(struct mix, numbers),
    offsetof(struct mix, compare),
    offsetof(struct mix, steps),
    offsetof(struct mix, log),
    offsetof(struct mix, inside),
    offsetof(struct mix, anonymous_a),
    offsetof(struct mix, anonymous_b),
    offsetof(struct mix, inner),
    offsetof(struct mix, made_value),
    offsetof(struct mix, made_count),
    offsetof(struct mix, pun),
    offsetof(struct mix, aligned),
    offsetof(struct mix, forest),
};
HMF_ASSERT_(mix_pair, HMF_NEXT_(struct mix, x, pair));
HMF_ASSERT_(mix_color, HMF_NEXT_(struct mix, pair, color));
HMF_ASSERT_(mix_wide, HMF_NEXT_(struct mix, color, wide));
HMF_ASSERT_(mix_size, HMF_NEXT_(struct mix, wide, size));
HMF_ASSERT_(mix_ssize, HMF_NEXT_(struct mix, size, ssize));
HMF_ASSERT_(mix_distance, HMF_NEXT_(struct mix, ssize, distance));
HMF_ASSERT_(mix_i8, HMF_NEXT_(struct mix, distance, i8));
HMF_ASSERT_(mix_u16, HMF_NEXT_(struct mix, i8, u16));
HMF_ASSERT_(mix_i32, HMF_NEXT_(struct mix, u16, i32));
HMF_ASSERT_(mix_u64, HMF_NEXT_(struct mix, i32, u64));
HMF_ASSERT_(mix_when, HMF_NEXT_(struct mix, u64, when));
HMF_ASSERT_(mix_inode, HMF_NEXT_(struct mix, when, inode));
HMF_ASSERT_(mix_l, HMF_NEXT_(struct mix, inode, l));
HMF_ASSERT_(mix_ull, HMF_NEXT_(struct mix, l, ull));
HMF_ASSERT_(mix_f, HMF_NEXT_(struct mix, ull, f));
HMF_ASSERT_(mix_ld, HMF_NEXT_(struct mix, f, ld));
HMF_ASSERT_(mix_yes, HMF_NEXT_(struct mix, ld, yes));
HMF_ASSERT_(mix_title, HMF_NEXT_(struct mix, yes, title));
HMF_ASSERT_(mix_raw, HMF_NEXT_(struct mix, title, raw));
HMF_ASSERT_(mix_name, HMF_NEXT_(struct mix, raw, name));
HMF_ASSERT_(mix_names, HMF_NEXT_(struct mix, name, names));
HMF_ASSERT_(mix_n, HMF_NEXT_(struct mix, names, n));
HMF_ASSERT_(mix_m, HMF_NEXT_(struct mix, n, m));
HMF_ASSERT_(mix_v, HMF_NEXT_(struct mix, m, v));
HMF_ASSERT_(mix_w, HMF_NEXT_(struct mix, v, w));
HMF_ASSERT_(mix_fixed, HMF_NEXT_(struct mix, w, fixed));
HMF_ASSERT_(mix_rows, HMF_NEXT_(struct mix, fixed, rows));
HMF_ASSERT_(mix_matrix, HMF_NEXT_(struct mix, rows, matrix));
HMF_ASSERT_(mix_one, HMF_NEXT_(struct mix, matrix, one));
HMF_ASSERT_(mix_end, HMF_NEXT_(struct mix, one, end));
HMF_ASSERT_(mix_leaf, HMF_NEXT_(struct mix, end, leaf));
HMF_ASSERT_(mix_any, HMF_NEXT_(struct mix, leaf, any));
HMF_ASSERT_(mix_numbers, HMF_NEXT_(struct mix, any, numbers));
HMF_ASSERT_(mix_compare, HMF_NEXT_(struct mix, numbers, compare));
HMF_ASSERT_(mix_steps, HMF_NEXT_(struct mix, compare, steps));
HMF_ASSERT_(mix_log, HMF_NEXT_(struct mix, steps, log));
HMF_ASSERT_(mix_inside, HMF_NEXT_(struct mix, log, inside));
HMF_ASSERT_(mix_anonymous_a, HMF_NEXT_(struct mix, inside, anonymous_a));
HMF_ASSERT_(mix_anonymous_b, HMF_NEXT_(struct mix, anonymous_a, anonymous_b));
HMF_ASSERT_(mix_inner, HMF_NEXT_(struct mix, anonymous_b, inner));
HMF_ASSERT_(mix_made_value, HMF_NEXT_(struct mix, inner, made_value));
HMF_ASSERT_(mix_made_count, HMF_NEXT_(struct mix, made_value, made_count));
HMF_ASSERT_(mix_pun, HMF_NEXT_(struct mix, made_count, pun));
HMF_ASSERT_(mix_aligned, HMF_NEXT_(struct mix, pun, aligned));
HMF_ASSERT_(mix_forest, HMF_NEXT_(struct mix, aligned, forest));
HMF_ASSERT_(mix, HMF_LAST_(struct mix, forest));

/* struct packed, shapes.h */
static const int hmf_desc_packed[] = {
    -4,
    typeCHAR,
    typeINT,
    typeLLONG,
    typeDOUBLE,
};
static const char *const hmf_fields_packed[] = {
    "c", "i", "ll", "d", NULL
};
static const size_t hmf_offsets_packed[] = {
    offsetof(struct packed, c),
    offsetof(struct packed, i),
    offsetof(struct packed, ll),
    offsetof(struct packed, d),
};
HMF_ASSERT_(packed_i, HMF_NEXT_(struct packed, c, i));
HMF_ASSERT_(packed_ll, HMF_NEXT_(struct packed, i, ll));
HMF_ASSERT_(packed_d, HMF_NEXT_(struct packed, ll, d));
HMF_ASSERT_(packed, HMF_LAST_(struct packed, d));

/* struct branch, shapes.h */
static const int hmf_desc_branch[] = {
    -5,
    typeCOUNTED, 1, HMF_TYPE_leaf,
    typeINT,
    typePOINTER, HMF_TYPE_branch,
    typePOINTER, HMF_TYPE_branch,
    typePOINTER, HMF_TYPE_tree,
};
static const char *const hmf_fields_branch[] = {
    "leaves", "nleaves", "left", "right", "home", NULL
};
static const size_t hmf_offsets_branch[] = {
    offsetof(struct branch, leaves),
    offsetof(struct branch, nleaves),
    offsetof(struct branch, left),
    offsetof(struct branch, right),
    offsetof(struct branch, home),
};
HMF_ASSERT_(branch_nleaves, HMF_NEXT_(struct branch, leaves, nleaves));
HMF_ASSERT_(branch_left, HMF_NEXT_(struct branch, nleaves, left));
HMF_ASSERT_(branch_right, HMF_NEXT_(struct branch, left, right));
HMF_ASSERT_(branch_home, HMF_NEXT_(struct branch, right, home));
HMF_ASSERT_(branch, HMF_LAST_(struct branch, home));

/* struct mix.inside, shapes.h */
static const int hmf_desc_mix_inside[] = {
    -2,
    typeINT,
    typeCOUNTED, 0, typeDOUBLE,
};
static const char *const hmf_fields_mix_inside[] = {
    "count", "part", NULL
};
static const size_t hmf_offsets_mix_inside[] = {
    offsetof(hmf_t_mix_inside, count),
    offsetof(hmf_t_mix_inside, part),
};
HMF_ASSERT_(mix_inside_part, HMF_NEXT_(hmf_t_mix_inside, count, part));
HMF_ASSERT_(mix_inside, HMF_LAST_(hmf_t_mix_inside, part));

/* struct inner, shapes.h */
static const int hmf_desc_inner[] = {
    -2,
    typeCHAR,
    typeLONG,
};
static const char *const hmf_fields_inner[] = {
    "c", "l", NULL
};
static const size_t hmf_offsets_inner[] = {
    offsetof(hmf_t_inner, c),
    offsetof(hmf_t_inner, l),
};
HMF_ASSERT_(inner_l, HMF_NEXT_(hmf_t_inner, c, l));
HMF_ASSERT_(inner, HMF_LAST_(hmf_t_inner, l));

/* struct leaf, shapes.h */
static const int hmf_desc_leaf[] = {
    -2,
    typeCHAR,
    typeDOUBLE,
};
static const char *const hmf_fields_leaf[] = {
    "key", "value", NULL
};
static const size_t hmf_offsets_leaf[] = {
    offsetof(struct leaf, key),
    offsetof(struct leaf, value),
};
HMF_ASSERT_(leaf_value, HMF_NEXT_(struct leaf, key, value));
HMF_ASSERT_(leaf, HMF_LAST_(struct leaf, value));

static const struct hmf_checktype_type hmf_types[] = {
    {HMF_TYPE_tree, "struct tree", hmf_desc_tree, HMF_COUNT_(hmf_desc_tree),
     hmf_fields_tree, {sizeof(struct tree), __alignof__(struct tree),
     hmf_offsets_tree, HMF_COUNT_(hmf_offsets_tree)}},
    {HMF_TYPE_plain_t, "plain_t", hmf_desc_plain_t, HMF_COUNT_(hmf_desc_plain_t),
     hmf_fields_plain_t, {sizeof(plain_t), __alignof__(plain_t),
     hmf_offsets_plain_t, HMF_COUNT_(hmf_offsets_plain_t)}},
    {HMF_TYPE_mix, "struct mix", hmf_desc_mix, HMF_COUNT_(hmf_desc_mix),
     hmf_fields_mix, {sizeof(struct mix), __alignof__(struct mix),
     hmf_offsets_mix, HMF_COUNT_(hmf_offsets_mix)}},
    {HMF_TYPE_packed, "struct packed", hmf_desc_packed, HMF_COUNT_(hmf_desc_packed),
     hmf_fields_packed, {sizeof(struct packed), __alignof__(struct packed),
     hmf_offsets_packed, HMF_COUNT_(hmf_offsets_packed)}},
    {HMF_TYPE_branch, "struct branch", hmf_desc_branch, HMF_COUNT_(hmf_desc_branch),
     hmf_fields_branch, {sizeof(struct branch), __alignof__(struct branch),
     hmf_offsets_branch, HMF_COUNT_(hmf_offsets_branch)}},
    {HMF_TYPE_mix_inside, "struct mix.inside", hmf_desc_mix_inside, HMF_COUNT_(hmf_desc_mix_inside),
     hmf_fields_mix_inside, {sizeof(hmf_t_mix_inside), __alignof__(hmf_t_mix_inside),
     hmf_offsets_mix_inside, HMF_COUNT_(hmf_offsets_mix_inside)}},
    {HMF_TYPE_inner, "struct inner", hmf_desc_inner, HMF_COUNT_(hmf_desc_inner),
     hmf_fields_inner, {sizeof(hmf_t_inner), __alignof__(hmf_t_inner),
     hmf_offsets_inner, HMF_COUNT_(hmf_offsets_inner)}},
    {HMF_TYPE_leaf, "struct leaf", hmf_desc_leaf, HMF_COUNT_(hmf_desc_leaf),
     hmf_fields_leaf, {sizeof(struct leaf), __alignof__(struct leaf),
     hmf_offsets_leaf, HMF_COUNT_(hmf_offsets_leaf)}},
};

/* shapes_mix */
static const int hmf_variable_0[] = {
    HMF_TYPE_mix,
};

/* shapes_trees */
static const int hmf_variable_1[] = {
    HMF_TYPE_tree,
};

static const struct hmf_checktype_variable hmf_variables[] = {
    {"shapes_mix", (void *)&shapes_mix, sizeof shapes_mix, hmf_variable_0, HMF_COUNT_(hmf_variable_0), 1},
    {"shapes_trees", (void *)&shapes_trees, sizeof shapes_trees, hmf_variable_1, HMF_COUNT_(hmf_variable_1), 1},
};

static struct hmf_checktype_unit hmf_unit = {
    1, "shapes.h",
    hmf_types, HMF_COUNT_(hmf_types),
    hmf_variables, HMF_COUNT_(hmf_variables),
    NULL, 0, NULL
};

__attribute__((constructor)) static void hmf_unit_begin(void)
{
    hmf_checktype_add(&hmf_unit);
}
