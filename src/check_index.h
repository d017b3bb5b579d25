/*
 * The index of a checkpoint: which rank's part holds which elements of the global arrays.
 *
 * Each rank describes its own variables (index_describe); the descriptions of all ranks one after
 * the other are the index, which stands in global.h5 (check_global.c) and is read again there
 * (check_reshape.c, tools). The bytes: doc/checkpoint-format.md, "Global arrays".
 */
#ifndef HMF_CHECK_INDEX_H
#define HMF_CHECK_INDEX_H

#include "buf.h"
#include "image.h"
#include "parts.h"

#include "hmf/status.h"

#include <stddef.h>
#include <stdint.h>

#define HMF__INDEX_NAME "hmf.index"     /* the variable of global.h5 that holds it */
#define HMF__INDEX_NOWHERE UINT32_MAX

/* One rank's share of an array. */
struct hmf__index_part {
    uint32_t segment;                   /* of the rank's image; HMF__INDEX_NOWHERE: no elements */
    uint64_t row;                       /* of the variable's first element in it */
    char *dataset;                      /* of one dimension in the rank's file, or "", and the
                                           element's row there */
    uint64_t dataset_row;
    size_t npieces;
    struct hmf_piece *pieces;           /* with strides */
};

struct hmf__index_var {
    char *name;
    enum hmf__share share;
    int ndims;
    uint64_t shape[HMF_PARTITION_DIMS];
    struct hmf__index_part *parts;      /* of each rank; NULL unless HMF__SHARE_PARTS */
};

struct hmf__index {
    int nranks;
    size_t nvars;
    struct hmf__index_var *vars;
};

/* Appends what this rank has declared, and where its image has it; nothing if nothing was declared.
   HMF_ERR_ARG (pieces beyond what a pointer leads to, a pointer within another variable),
   HMF_ERR_NOMEM. */
hmf_status_t hmf__index_describe(const hmf_image_t *image, struct hmf__buf *out);

/* Reads an index: for each rank a u64 and so many bytes. HMF_ERR_FORMAT, HMF_ERR_MISMATCH (ranks
   differ in what must be equal: the text says who), HMF_ERR_NOMEM. */
hmf_status_t hmf__index_parse(const void *bytes, size_t len, int nranks, struct hmf__index **out);
void hmf__index_free(struct hmf__index *index);

/* NULL: it has no such variable. */
const struct hmf__index_var *hmf__index_find(const struct hmf__index *index, const char *name);

/* Whether that rank's pieces are those. */
bool hmf__index_same(const struct hmf__index_var *var, int rank, const struct hmf__parts *parts);

#endif
