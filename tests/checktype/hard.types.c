/* Descriptions of the types in hard.h, made by hmf-checktype: do not edit, run it again
 * when they change.  Serves all machines; nothing here is about the one it was made on. */
#include "hard.h"
#include <hmf/checktype.h>
#include <stddef.h>

typedef HMF_NESTED_(struct hard_cell, struct hard_grid::hard_cell) hmf_t_hard_cell;
typedef __typeof__(((struct hard_image *)0)->pixels[0]) hmf_t_hard_image_pixels;
typedef __typeof__(((struct hard_odd *)0)->boxes[0]) hmf_t_hard_odd_boxes;
typedef __typeof__(((struct hard_odd *)0)->tight) hmf_t_hard_odd_tight;
typedef __typeof__(((struct hard_odd *)0)->wide) hmf_t_hard_odd_wide;
typedef __typeof__(((struct hard_odd *)0)->head) hmf_t_hard_odd_head;
typedef __typeof__(((struct hard_odd *)0)->by_path) hmf_t_hard_odd_by_path;
typedef __typeof__(((struct hard_odd *)0)->by_index) hmf_t_hard_odd_by_index;
typedef __typeof__(((struct hard_extent *)0)->rim) hmf_t_hard_extent_rim;
typedef __typeof__(((hmf_t_hard_odd_boxes *)0)->each[0][0]) hmf_t_hard_odd_boxes_each;
typedef __typeof__(((struct hard_odd *)0)->inner) hmf_t_hard_odd_inner;
typedef __typeof__(((hmf_t_hard_odd_head *)0)->deep) hmf_t_hard_odd_head_deep;

enum {
    HMF_TYPE_hard_grid = 1607920730,
    HMF_TYPE_hard_image = 1485938096,
    HMF_TYPE_hard_odd = 1592849326,
    HMF_TYPE_hard_extent = 2012403854,
    HMF_TYPE_hard_cell = 1278464137,
    HMF_TYPE_hard_image_pixels = 1642953580,
    HMF_TYPE_hard_odd_boxes = 1278673841,
    HMF_TYPE_hard_odd_tight = 1554110852,
    HMF_TYPE_hard_odd_wide = 1895640531,
    HMF_TYPE_hard_odd_head = 1911916303,
    HMF_TYPE_hard_extent_rim = 1432547778,
    HMF_TYPE_hard_odd_boxes_each = 1792470696,
    HMF_TYPE_hard_odd_inner = 1400789874,
    HMF_TYPE_hard_odd_head_deep = 1499813868
};

/* struct hard_grid, hard.h */
static const int hmf_desc_hard_grid[] = {
    -10,
    typeINT,
    typeINT,
    HMF_TYPE_hard_extent,
    typeCOUNTED, typeMUL, 0, 1, typeDOUBLE,
    typeCOUNTED, typeSUB, typeMUL, typeNUMBER, (int)(2), typeADD, 0, 1, typeNUMBER, (int)(4),
        typeFLOAT,
    typeCOUNTED, typeMUL, typeADD, 0, typeNUMBER, (int)(HARD_MARGIN), typeADD, 1, typeNUMBER,
        (int)(HARD_MARGIN), typeINT,
    typeCOUNTED, typeDIV, 0, typeNUMBER, (int)(2), typeCHAR,
    typeCOUNTED, typeADD, typeMUL, typeMUL, typePATH, 3, 2, 0, (int)(0), typePATH, 3, 2, 0,
        (int)(1), typePATH, 3, 2, 0, (int)(2), typePATH, 3, 2, 1, 0, typeLONG,
    typeCOUNTED, typeMUL, 0, 1, HMF_TYPE_hard_cell,
    typeCOUNTED, typePATH, 3, 2, 0, (int)(2), typeCOUNTED, typeMUL, 0, 1, typeDOUBLE,
};
static const char *const hmf_fields_hard_grid[] = {
    "nx", "ny", "extent", "cells", "rim", "padded", "half", "block", "mesh", "planes", NULL
};
static const size_t hmf_offsets_hard_grid[] = {
    offsetof(struct hard_grid, nx),
    offsetof(struct hard_grid, ny),
    offsetof(struct hard_grid, extent),
    offsetof(struct hard_grid, cells),
    offsetof(struct hard_grid, rim),
    offsetof(struct hard_grid, padded),
    offsetof(struct hard_grid, half),
    offsetof(struct hard_grid, block),
    offsetof(struct hard_grid, mesh),
    offsetof(struct hard_grid, planes),
};
HMF_ASSERT_(hard_grid_ny, HMF_NEXT_(struct hard_grid, nx, ny));
HMF_ASSERT_(hard_grid_extent, HMF_NEXT_(struct hard_grid, ny, extent));
HMF_ASSERT_(hard_grid_cells, HMF_NEXT_(struct hard_grid, extent, cells));
HMF_ASSERT_(hard_grid_rim, HMF_NEXT_(struct hard_grid, cells, rim));
HMF_ASSERT_(hard_grid_padded, HMF_NEXT_(struct hard_grid, rim, padded));
HMF_ASSERT_(hard_grid_half, HMF_NEXT_(struct hard_grid, padded, half));
HMF_ASSERT_(hard_grid_block, HMF_NEXT_(struct hard_grid, half, block));
HMF_ASSERT_(hard_grid_mesh, HMF_NEXT_(struct hard_grid, block, mesh));
HMF_ASSERT_(hard_grid_planes, HMF_NEXT_(struct hard_grid, mesh, planes));
HMF_ASSERT_(hard_grid, HMF_LAST_(struct hard_grid, planes));

/* struct hard_image, hard.h */
static const int hmf_desc_hard_image[] = {
    -3,
    typeUINT16,
    typeUINT16,
    typeFLEX, typeMUL, 0, 1, HMF_TYPE_hard_image_pixels,
};
static const char *const hmf_fields_hard_image[] = {
    "width", "height", "pixels", NULL
};
static const size_t hmf_offsets_hard_image[] = {
    offsetof(struct hard_image, width),
    offsetof(struct hard_image, height),
    offsetof(struct hard_image, pixels),
};
HMF_ASSERT_(hard_image_height, HMF_NEXT_(struct hard_image, width, height));

/* struct hard_odd, hard.h */
static const int hmf_desc_hard_odd[] = {
    -19,
    HMF_INTEGER_(((struct hard_odd *)0)->small),
    typeARRAY, HMF_DIM_(struct hard_odd, smalls),
        HMF_INTEGER_(((struct hard_odd *)0)->smalls[0]),
    typeDCOMPLEX,
    typeARRAY, HMF_DIM_(struct hard_odd, zs), typeARRAY, HMF_DIM_(struct hard_odd, zs[0]),
        typeDCOMPLEX,
    typeFCOMPLEX,
    typeARRAY, HMF_DIM_(struct hard_odd, table), typeARRAY, HMF_DIM_(struct hard_odd, table[0]),
        typeFUNCTION,
    typeFUNCTION,
    typeINT,
    typeWEAK, typeLONG,
    typeARRAY, HMF_DIM_(struct hard_odd, boxes), HMF_TYPE_hard_odd_boxes,
    HMF_TYPE_hard_odd_tight,
    HMF_TYPE_hard_odd_wide,
    typeCHAR,
    HMF_TYPE_hard_odd_inner,
    typePOINTER, HMF_TYPE_hard_image,
    HMF_TYPE_hard_grid,
    HMF_TYPE_hard_odd_head,
    typeUNIONELSE, typePATH, 3, 16, 1, 0, 1, (int)(-3), typeDOUBLE, typeARRAY,
        HMF_DIM_(hmf_t_hard_odd_by_path, pair), typeINT,
    typeUNIONELSE, typePATH, 3, 16, 0, (int)(2), 1, (int)(200), typeSHORT, typeLONG,
};
static const char *const hmf_fields_hard_odd[] = {
    "small", "smalls", "z", "zs", "w", "table", "single", "seen", "watched", "boxes", "tight",
        "wide", "after", "", "image", "grid", "head", "by_path", "real", "pair", "by_index",
        "small", "large", NULL
};
static const size_t hmf_offsets_hard_odd[] = {
    offsetof(struct hard_odd, small),
    offsetof(struct hard_odd, smalls),
    offsetof(struct hard_odd, z),
    offsetof(struct hard_odd, zs),
    offsetof(struct hard_odd, w),
    offsetof(struct hard_odd, table),
    offsetof(struct hard_odd, single),
    offsetof(struct hard_odd, seen),
    offsetof(struct hard_odd, watched),
    offsetof(struct hard_odd, boxes),
    offsetof(struct hard_odd, tight),
    offsetof(struct hard_odd, wide),
    offsetof(struct hard_odd, after),
    offsetof(struct hard_odd, inner),
    offsetof(struct hard_odd, image),
    offsetof(struct hard_odd, grid),
    offsetof(struct hard_odd, head),
    offsetof(struct hard_odd, by_path),
    offsetof(struct hard_odd, by_index),
};
HMF_ASSERT_(hard_odd_smalls, HMF_NEXT_(struct hard_odd, small, smalls));
HMF_ASSERT_(hard_odd_z, HMF_NEXT_(struct hard_odd, smalls, z));
HMF_ASSERT_(hard_odd_zs, HMF_NEXT_(struct hard_odd, z, zs));
HMF_ASSERT_(hard_odd_w, HMF_NEXT_(struct hard_odd, zs, w));
HMF_ASSERT_(hard_odd_table, HMF_NEXT_(struct hard_odd, w, table));
HMF_ASSERT_(hard_odd_single, HMF_NEXT_(struct hard_odd, table, single));
HMF_ASSERT_(hard_odd_seen, HMF_NEXT_(struct hard_odd, single, seen));
HMF_ASSERT_(hard_odd_watched, HMF_NEXT_(struct hard_odd, seen, watched));
HMF_ASSERT_(hard_odd_boxes, HMF_NEXT_(struct hard_odd, watched, boxes));
HMF_ASSERT_(hard_odd_tight, HMF_NEXT_(struct hard_odd, boxes, tight));
HMF_ASSERT_(hard_odd_wide, HMF_NEXT_(struct hard_odd, tight, wide));
HMF_ASSERT_(hard_odd_after, HMF_NEXT_(struct hard_odd, wide, after));
HMF_ASSERT_(hard_odd_grid, HMF_NEXT_(struct hard_odd, image, grid));
HMF_ASSERT_(hard_odd_head, HMF_NEXT_(struct hard_odd, grid, head));
HMF_ASSERT_(hard_odd_by_path, HMF_NEXT_(struct hard_odd, head, by_path));
HMF_ASSERT_(hard_odd_by_index, HMF_NEXT_(struct hard_odd, by_path, by_index));
HMF_ASSERT_(hard_odd, HMF_LAST_(struct hard_odd, by_index));

/* struct hard_extent, hard.h */
static const int hmf_desc_hard_extent[] = {
    -2,
    typeARRAY, HMF_DIM_(struct hard_extent, n), typeSHORT,
    HMF_TYPE_hard_extent_rim,
};
static const char *const hmf_fields_hard_extent[] = {
    "n", "rim", NULL
};
static const size_t hmf_offsets_hard_extent[] = {
    offsetof(struct hard_extent, n),
    offsetof(struct hard_extent, rim),
};
HMF_ASSERT_(hard_extent_rim, HMF_NEXT_(struct hard_extent, n, rim));
HMF_ASSERT_(hard_extent, HMF_LAST_(struct hard_extent, rim));

/* struct hard_cell, hard.h */
static const int hmf_desc_hard_cell[] = {
    -3,
    typeINT,
    typeCOUNTED, typeADD, 2, typeNUMBER, (int)(1), typeDOUBLE,
    typeUINT8,
};
static const char *const hmf_fields_hard_cell[] = {
    "owner", "moments", "order", NULL
};
static const size_t hmf_offsets_hard_cell[] = {
    offsetof(hmf_t_hard_cell, owner),
    offsetof(hmf_t_hard_cell, moments),
    offsetof(hmf_t_hard_cell, order),
};
HMF_ASSERT_(hard_cell_moments, HMF_NEXT_(hmf_t_hard_cell, owner, moments));
HMF_ASSERT_(hard_cell_order, HMF_NEXT_(hmf_t_hard_cell, moments, order));
HMF_ASSERT_(hard_cell, HMF_LAST_(hmf_t_hard_cell, order));

/* struct hard_image.pixels, hard.h */
static const int hmf_desc_hard_image_pixels[] = {
    -2,
    typeARRAY, HMF_DIM_(hmf_t_hard_image_pixels, rgb), typeUINT8,
    typeFLOAT,
};
static const char *const hmf_fields_hard_image_pixels[] = {
    "rgb", "weight", NULL
};
static const size_t hmf_offsets_hard_image_pixels[] = {
    offsetof(hmf_t_hard_image_pixels, rgb),
    offsetof(hmf_t_hard_image_pixels, weight),
};
HMF_ASSERT_(hard_image_pixels_weight, HMF_NEXT_(hmf_t_hard_image_pixels, rgb, weight));
HMF_ASSERT_(hard_image_pixels, HMF_LAST_(hmf_t_hard_image_pixels, weight));

/* struct hard_odd.boxes, hard.h */
static const int hmf_desc_hard_odd_boxes[] = {
    -2,
    typeARRAY, HMF_DIM_(hmf_t_hard_odd_boxes, a), typeARRAY,
        HMF_DIM_(hmf_t_hard_odd_boxes, a[0]), typeARRAY,
        HMF_DIM_(hmf_t_hard_odd_boxes, a[0][0]), typeINT,
    typeARRAY, HMF_DIM_(hmf_t_hard_odd_boxes, each), typeARRAY,
        HMF_DIM_(hmf_t_hard_odd_boxes, each[0]), HMF_TYPE_hard_odd_boxes_each,
};
static const char *const hmf_fields_hard_odd_boxes[] = {
    "a", "each", NULL
};
static const size_t hmf_offsets_hard_odd_boxes[] = {
    offsetof(hmf_t_hard_odd_boxes, a),
    offsetof(hmf_t_hard_odd_boxes, each),
};
HMF_ASSERT_(hard_odd_boxes_each, HMF_NEXT_(hmf_t_hard_odd_boxes, a, each));
HMF_ASSERT_(hard_odd_boxes, HMF_LAST_(hmf_t_hard_odd_boxes, each));

/* struct hard_odd.tight, hard.h */
static const int hmf_desc_hard_odd_tight[] = {
    -3,
    typeCHAR,
    typeDOUBLE,
    typeSHORT,
};
static const char *const hmf_fields_hard_odd_tight[] = {
    "tag", "value", "rest", NULL
};
static const size_t hmf_offsets_hard_odd_tight[] = {
    offsetof(hmf_t_hard_odd_tight, tag),
    offsetof(hmf_t_hard_odd_tight, value),
    offsetof(hmf_t_hard_odd_tight, rest),
};
HMF_ASSERT_(hard_odd_tight_value, HMF_NEXT_(hmf_t_hard_odd_tight, tag, value));
HMF_ASSERT_(hard_odd_tight_rest, HMF_NEXT_(hmf_t_hard_odd_tight, value, rest));
HMF_ASSERT_(hard_odd_tight, HMF_LAST_(hmf_t_hard_odd_tight, rest));

/* struct hard_odd.wide, hard.h */
static const int hmf_desc_hard_odd_wide[] = {
    -1,
    typeCHAR,
};
static const char *const hmf_fields_hard_odd_wide[] = {
    "first", NULL
};
static const size_t hmf_offsets_hard_odd_wide[] = {
    offsetof(hmf_t_hard_odd_wide, first),
};
HMF_ASSERT_(hard_odd_wide, HMF_LAST_(hmf_t_hard_odd_wide, first));

/* struct hard_odd.head, hard.h */
static const int hmf_desc_hard_odd_head[] = {
    -2,
    typeARRAY, HMF_DIM_(hmf_t_hard_odd_head, tags), typeUCHAR,
    HMF_TYPE_hard_odd_head_deep,
};
static const char *const hmf_fields_hard_odd_head[] = {
    "tags", "deep", NULL
};
static const size_t hmf_offsets_hard_odd_head[] = {
    offsetof(hmf_t_hard_odd_head, tags),
    offsetof(hmf_t_hard_odd_head, deep),
};
HMF_ASSERT_(hard_odd_head_deep, HMF_NEXT_(hmf_t_hard_odd_head, tags, deep));
HMF_ASSERT_(hard_odd_head, HMF_LAST_(hmf_t_hard_odd_head, deep));

/* struct hard_extent.rim, hard.h */
static const int hmf_desc_hard_extent_rim[] = {
    -1,
    typeUCHAR,
};
static const char *const hmf_fields_hard_extent_rim[] = {
    "ghost", NULL
};
static const size_t hmf_offsets_hard_extent_rim[] = {
    offsetof(hmf_t_hard_extent_rim, ghost),
};
HMF_ASSERT_(hard_extent_rim, HMF_LAST_(hmf_t_hard_extent_rim, ghost));

/* hard_odd_boxes.each, hard.h */
static const int hmf_desc_hard_odd_boxes_each[] = {
    -1,
    typeCHAR,
};
static const char *const hmf_fields_hard_odd_boxes_each[] = {
    "deep", NULL
};
static const size_t hmf_offsets_hard_odd_boxes_each[] = {
    offsetof(hmf_t_hard_odd_boxes_each, deep),
};
HMF_ASSERT_(hard_odd_boxes_each, HMF_LAST_(hmf_t_hard_odd_boxes_each, deep));

/* struct hard_odd.inner, hard.h */
static const int hmf_desc_hard_odd_inner[] = {
    -2,
    typeINT,
    typeUNIONELSE, 0, 1, (int)(HARD_NO), typeLONG, typeARRAY,
        HMF_DIM_(hmf_t_hard_odd_inner, parts), typeFLOAT,
};
static const char *const hmf_fields_hard_odd_inner[] = {
    "which", "", "whole", "parts", NULL
};
static const size_t hmf_offsets_hard_odd_inner[] = {
    offsetof(hmf_t_hard_odd_inner, which),
    offsetof(hmf_t_hard_odd_inner, whole),
};

/* hard_odd_head.deep, hard.h */
static const int hmf_desc_hard_odd_head_deep[] = {
    -1,
    typeBITS, 4, typeSCHAR,
};
static const char *const hmf_fields_hard_odd_head_deep[] = {
    "kind", NULL
};
static const size_t hmf_offsets_hard_odd_head_deep[] = {
    HMF_TYPE_BITS_OFFSET,
};

static const struct hmf_checktype_type hmf_types[] = {
    {HMF_TYPE_hard_grid, "struct hard_grid", hmf_desc_hard_grid, HMF_COUNT_(hmf_desc_hard_grid),
     hmf_fields_hard_grid, {sizeof(struct hard_grid), __alignof__(struct hard_grid),
     hmf_offsets_hard_grid, HMF_COUNT_(hmf_offsets_hard_grid)}},
    {HMF_TYPE_hard_image, "struct hard_image", hmf_desc_hard_image, HMF_COUNT_(hmf_desc_hard_image),
     hmf_fields_hard_image, {sizeof(struct hard_image), __alignof__(struct hard_image),
     hmf_offsets_hard_image, HMF_COUNT_(hmf_offsets_hard_image)}},
    {HMF_TYPE_hard_odd, "struct hard_odd", hmf_desc_hard_odd, HMF_COUNT_(hmf_desc_hard_odd),
     hmf_fields_hard_odd, {sizeof(struct hard_odd), __alignof__(struct hard_odd),
     hmf_offsets_hard_odd, HMF_COUNT_(hmf_offsets_hard_odd)}},
    {HMF_TYPE_hard_extent, "struct hard_extent", hmf_desc_hard_extent, HMF_COUNT_(hmf_desc_hard_extent),
     hmf_fields_hard_extent, {sizeof(struct hard_extent), __alignof__(struct hard_extent),
     hmf_offsets_hard_extent, HMF_COUNT_(hmf_offsets_hard_extent)}},
    {HMF_TYPE_hard_cell, "struct hard_cell", hmf_desc_hard_cell, HMF_COUNT_(hmf_desc_hard_cell),
     hmf_fields_hard_cell, {sizeof(hmf_t_hard_cell), __alignof__(hmf_t_hard_cell),
     hmf_offsets_hard_cell, HMF_COUNT_(hmf_offsets_hard_cell)}},
    {HMF_TYPE_hard_image_pixels, "struct hard_image.pixels", hmf_desc_hard_image_pixels, HMF_COUNT_(hmf_desc_hard_image_pixels),
     hmf_fields_hard_image_pixels, {sizeof(hmf_t_hard_image_pixels), __alignof__(hmf_t_hard_image_pixels),
     hmf_offsets_hard_image_pixels, HMF_COUNT_(hmf_offsets_hard_image_pixels)}},
    {HMF_TYPE_hard_odd_boxes, "struct hard_odd.boxes", hmf_desc_hard_odd_boxes, HMF_COUNT_(hmf_desc_hard_odd_boxes),
     hmf_fields_hard_odd_boxes, {sizeof(hmf_t_hard_odd_boxes), __alignof__(hmf_t_hard_odd_boxes),
     hmf_offsets_hard_odd_boxes, HMF_COUNT_(hmf_offsets_hard_odd_boxes)}},
    {HMF_TYPE_hard_odd_tight, "struct hard_odd.tight", hmf_desc_hard_odd_tight, HMF_COUNT_(hmf_desc_hard_odd_tight),
     hmf_fields_hard_odd_tight, {sizeof(hmf_t_hard_odd_tight), __alignof__(hmf_t_hard_odd_tight),
     hmf_offsets_hard_odd_tight, HMF_COUNT_(hmf_offsets_hard_odd_tight)}},
    {HMF_TYPE_hard_odd_wide, "struct hard_odd.wide", hmf_desc_hard_odd_wide, HMF_COUNT_(hmf_desc_hard_odd_wide),
     hmf_fields_hard_odd_wide, {sizeof(hmf_t_hard_odd_wide), __alignof__(hmf_t_hard_odd_wide),
     hmf_offsets_hard_odd_wide, HMF_COUNT_(hmf_offsets_hard_odd_wide)}},
    {HMF_TYPE_hard_odd_head, "struct hard_odd.head", hmf_desc_hard_odd_head, HMF_COUNT_(hmf_desc_hard_odd_head),
     hmf_fields_hard_odd_head, {sizeof(hmf_t_hard_odd_head), __alignof__(hmf_t_hard_odd_head),
     hmf_offsets_hard_odd_head, HMF_COUNT_(hmf_offsets_hard_odd_head)}},
    {HMF_TYPE_hard_extent_rim, "struct hard_extent.rim", hmf_desc_hard_extent_rim, HMF_COUNT_(hmf_desc_hard_extent_rim),
     hmf_fields_hard_extent_rim, {sizeof(hmf_t_hard_extent_rim), __alignof__(hmf_t_hard_extent_rim),
     hmf_offsets_hard_extent_rim, HMF_COUNT_(hmf_offsets_hard_extent_rim)}},
    {HMF_TYPE_hard_odd_boxes_each, "hard_odd_boxes.each", hmf_desc_hard_odd_boxes_each, HMF_COUNT_(hmf_desc_hard_odd_boxes_each),
     hmf_fields_hard_odd_boxes_each, {sizeof(hmf_t_hard_odd_boxes_each), __alignof__(hmf_t_hard_odd_boxes_each),
     hmf_offsets_hard_odd_boxes_each, HMF_COUNT_(hmf_offsets_hard_odd_boxes_each)}},
    {HMF_TYPE_hard_odd_inner, "struct hard_odd.inner", hmf_desc_hard_odd_inner, HMF_COUNT_(hmf_desc_hard_odd_inner),
     hmf_fields_hard_odd_inner, {sizeof(hmf_t_hard_odd_inner), __alignof__(hmf_t_hard_odd_inner),
     hmf_offsets_hard_odd_inner, HMF_COUNT_(hmf_offsets_hard_odd_inner)}},
    {HMF_TYPE_hard_odd_head_deep, "hard_odd_head.deep", hmf_desc_hard_odd_head_deep, HMF_COUNT_(hmf_desc_hard_odd_head_deep),
     hmf_fields_hard_odd_head_deep, {sizeof(hmf_t_hard_odd_head_deep), __alignof__(hmf_t_hard_odd_head_deep),
     hmf_offsets_hard_odd_head_deep, HMF_COUNT_(hmf_offsets_hard_odd_head_deep)}},
};

/* hard_variable */
static const int hmf_variable_0[] = {
    HMF_TYPE_hard_odd,
};

static const struct hmf_checktype_variable hmf_variables[] = {
    {"hard_variable", (void *)&hard_variable, sizeof hard_variable, hmf_variable_0, HMF_COUNT_(hmf_variable_0), 1},
};

static struct hmf_checktype_unit hmf_unit = {
    1, "hard.h",
    hmf_types, HMF_COUNT_(hmf_types),
    hmf_variables, HMF_COUNT_(hmf_variables),
    NULL, 0, NULL
};

__attribute__((constructor)) static void hmf_unit_begin(void)
{
    hmf_checktype_add(&hmf_unit);
}
