/* The meta of an image as bytes; shared by the capture and the parser. */
#ifndef HMF__META_H
#define HMF__META_H

#include "buf.h"
#include "image.h"
#include "type.h"

/* Version 2 has more kinds of types, version 3 unions whose discriminant lies within a field.  An
 * image has the first version that says all of it, so that those who know no other can read it. */
enum { HMF__META_VERSION_FIRST = 1, HMF__META_VERSION = 3, HMF__META_MAX = 1 << 30 };
#define HMF__META_MAGIC "HMFIMAGE"
#define HMF__MAX_BLOCKS ((uint64_t)UINT32_MAX - 1)

/* What the capture knows of a table and a root, with type ids of the writer's table. */
struct hmf__meta_table {
    uint32_t type;
    uint64_t nblocks, nrows;
    bool has_counts, has_leaves;
};

struct hmf__meta_root {
    const char *name;
    uint32_t type;
    uint64_t count, block, row, leaf;
    bool inside;
};

/* The first version of the image that has such a type. */
uint32_t hmf__meta_version_of(const struct hmf__type *y);

/* Append the meta with its checksum.  Types are written as far as the roots need them, one node
 * for each class.  HMF_ERR_NOMEM, HMF_ERR_LIMIT. */
hmf_status_t hmf__meta_write(const struct hmf__types *types, const struct hmf__meta_table *tables,
                             size_t ntables, const struct hmf__meta_root *roots, size_t nroots,
                             struct hmf__buf *out);

#endif
