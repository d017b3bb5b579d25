/*
 * Which datasets a rank's file has and which bytes of the image stand in each.
 *
 * The rule, as doc/checkpoint-format.md tells it to users:
 *   /state/NAME         a registered variable's own dataset, with its array extents
 *   /tables/TABLE       the other rows of a table of the image (blocks of one element type)
 *   /tables/TABLE.counts, .refs, .leaves    elements per block; targets of pointers
 *   /names              where each registered variable is
 *   /image/meta, /image/tables, /image/parts    what a restart reads
 * A variable has its own dataset if its table holds no pointers and either there are few variables
 * or it is large and among the largest: 10,000 scalars do not make 10,000 datasets.
 *
 * Knows nothing of HDF5 (check_skel.c) and does no input or output.
 */
#ifndef HMF_CHECK_OUTLINE_H
#define HMF_CHECK_OUTLINE_H

#include "hmf/status.h"
#include "image.h"
#include "type.h"

#include <stddef.h>
#include <stdint.h>

#define HMF__OUTLINE_MAX_DIMS 8

/* What one element of a dataset is. */
enum hmf__outline_form {
    HMF__OUTLINE_VALUES,                   /* a type of the image in the writer's layout */
    HMF__OUTLINE_SLOTS,                    /* one integer per pointer in such a type */
    HMF__OUTLINE_UINT,                     /* integers in the writer's byte order */
    HMF__OUTLINE_RECORD,                   /* a record of ours, little-endian, see fields */
    HMF__OUTLINE_BYTES
};

/* A member of a record: a number of 4 or 8 bytes, or a string of fixed length. */
struct hmf__outline_field {
    const char *name;
    uint32_t offset, bytes;
    bool text;
};

struct hmf__outline_dataset {
    char *path;
    enum hmf__outline_form form;
    uint32_t type;                      /* VALUES, SLOTS: index into the types */
    uint32_t size;                      /* SLOTS, UINT: bytes of an integer; RECORD: of a record */
    const struct hmf__outline_field *fields;
    size_t nfields;
    int ndims;
    uint64_t dims[HMF__OUTLINE_MAX_DIMS];
    uint64_t bytes;
    uint64_t offset;                    /* in the file; set by the skeleton */
    char *text;                         /* attribute "type" for people, or NULL */
};

/* In place of a segment's number. */
#define HMF__OUTLINE_META UINT32_MAX
#define HMF__OUTLINE_INFO (UINT32_MAX - 1)
#define HMF__OUTLINE_PARTS (UINT32_MAX - 2)

/* A run of bytes that goes into a dataset; the runs of a dataset follow each other in it. */
struct hmf__outline_run {
    uint32_t dataset;
    uint32_t segment;                   /* of the image, or HMF__OUTLINE_META, _INFO, _PARTS */
    uint64_t segment_offset;
    uint64_t dataset_offset;
    uint64_t bytes;
};

/* One line of /image/parts, the table by which a file is read again. */
#define HMF__PART_FIXED 40              /* bytes before the dataset's path */
#define HMF__PART_PATH_MAX 1100

struct hmf__outline {
    hmf_meta_t *meta;
    struct hmf__outline_dataset *datasets;
    size_t ndatasets, dataset_capacity;
    struct hmf__outline_run *runs;
    size_t nruns, run_capacity;
    uint32_t parts_dataset, meta_dataset;
    uint32_t nparts, part_bytes;        /* records of /image/parts and the size of one */
    unsigned char *names, *tables;      /* the contents of /names and /image/tables (INFO) */
    uint32_t names_dataset, tables_dataset;
    struct hmf__outline_field name_fields[7], table_fields[6], part_fields[8];
};

/* Plans the file of an image whose meta is given; the plan borrows nothing.
   HMF_ERR_NOMEM; what hmf_meta_parse returns. */
hmf_status_t hmf__outline_new(const void *meta, size_t meta_len, struct hmf__outline **out);
void hmf__outline_free(struct hmf__outline *plan);

/* A type as C text, cut to the buffer: "double", "struct node {double x; struct node *next;}". */
void hmf__outline_type_text(const struct hmf__types *types, uint32_t type, char *text, size_t len);

#endif
