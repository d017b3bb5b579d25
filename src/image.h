/* The image of a state: what a move sends and what a checkpoint stores.
 *
 * An image is a small *meta* (version, ABI, types with the writer's layout and field names,
 * tables, registered names; with its own CRC) and a list of bulk *segments*.  All blocks of one
 * element type form a table.  Block ids run through the tables in order, and within a table its
 * blocks lie one after the other, so id -> (table, row) is arithmetic.  A pointer is saved as
 * (block id, leaf index in the block), never as an address or byte offset.
 *
 * Not collective.  One handle, one thread at a time.  Carriers (MPI, HDF5, streams) move meta and
 * segments as bytes and protect each segment by CRC32C.
 */
#ifndef HMF__IMAGE_H
#define HMF__IMAGE_H

#include "state.h"
#include "type.h"

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* ---- kinds of segments; numbers are part of the format, append-only ---- */

enum hmf__segment_kind {
    HMF__SEG_DATA = 1,      /* all blocks one after the other, writer's layout, pointers zero */
    HMF__SEG_COUNTS = 2,    /* u64 elements per block; absent when every block has one */
    HMF__SEG_REF_BLOCK = 3, /* u32 per pointer slot in order: 0 NULL, else 1 + block id */
    HMF__SEG_REF_LEAF = 4,  /* u64 per pointer slot: leaf in the block; absent when all zero */
    HMF__SEG_TAIL = 5       /* u32 per block: the block of the elements behind a struct with a
                             * flexible array member; 0 none, else 1 + block id */
};

/* In REF_LEAF: the pointer is one object (of what it points to) behind that leaf.  So is said one
 * past the end of an array inside a block; one past the end of the block is its number of leaves.
 */
#define HMF__LEAF_PAST ((uint64_t)1 << 63)

/* Numbers in COUNTS, TAIL, REF_BLOCK and REF_LEAF are in the writer's byte order, like all data.
 * Order of the segments: COUNTS of every table that has them; TAIL of every table whose type ends
 * in a flexible array member; then table by table DATA, REF_BLOCK, REF_LEAF. */

/* What the meta says about one segment. */
struct hmf__segment_info {
    enum hmf__segment_kind kind;
    uint32_t table;
    uint64_t bytes; /* may be 0: then there is nothing to carry */
};

/* A segment on the writing side; the pieces point into program memory wherever possible. */
struct hmf__segment {
    enum hmf__segment_kind kind;
    uint32_t table;
    uint64_t bytes;
    const struct iovec *iov; /* each piece begins with an element */
    size_t niov;
    const struct hmf__padding *padding; /* not NULL: the pieces are the program's memory, padding
                                         * included; carry what hmf__segment_copy gives */
};

/* `bytes` bytes of the k-th piece from `offset` on, as they are to be carried. */
void hmf__segment_copy(const struct hmf__segment *s, size_t k, uint64_t offset, void *to,
                       size_t bytes);

/* ---- writing side ---- */

typedef struct hmf_image hmf_image_t;

/* Capture the registered variables and everything their pointers lead to.  The program must not
 * change or free any of it until hmf_image_free().
 * HMF_ERR_POINTER (a pointer to memory that is not there or not described: the text has its
 * path), HMF_ERR_LIMIT, HMF_ERR_NOMEM. */
hmf_status_t hmf_image_capture(hmf_state_t *state, hmf_image_t **out);
/* The same while another image of the state is there, which stays as it is. */
hmf_status_t hmf__image_capture_beside(hmf_state_t *state, hmf_image_t **out);
void hmf_image_free(hmf_image_t *image); /* NULL is fine */

/* The header bytes: self-contained, versioned, with their own CRC.  Borrowed from the image. */
const void *hmf_image_meta(const hmf_image_t *image, size_t *len);
size_t hmf_image_nsegments(const hmf_image_t *image);
const struct hmf__segment *hmf_image_segment(const hmf_image_t *image, size_t i);
uint64_t hmf_image_bytes(const hmf_image_t *image); /* meta and all segments */
/* The state that it was captured from; borrowed: the caller knows that it is still there. */
hmf_state_t *hmf__image_state(const hmf_image_t *image);

/* ---- a parsed and validated meta ---- */

typedef struct hmf_meta hmf_meta_t;

/* The image's own meta, parsed.  Borrowed. */
const hmf_meta_t *hmf_image_parsed(const hmf_image_t *image);

struct hmf__table_info {
    uint32_t type;        /* element type: index into hmf_meta_types() */
    uint64_t nblocks;     /* ids first_block .. first_block + nblocks - 1 */
    uint64_t first_block;
    uint64_t nrows;       /* elements of all blocks together */
    uint64_t nslots;      /* pointer slots of one element */
    bool has_counts;      /* else every block has one element */
    bool has_leaves;      /* some reference does not lead to the start of a block */
    bool has_tails;       /* blocks are structs with a flexible array member, one row each */
    const char *name;     /* unique in the image, made of letters, digits and '_' */
};

struct hmf__root_info {
    const char *name;     /* the registered name */
    uint32_t type;        /* the variable's type as registered */
    uint64_t count;       /* elements of that type */
    uint64_t block;       /* its block id */
    uint32_t table;       /* the table that this block is in ... */
    uint64_t row;         /* ... the block's first row there (element index) ... */
    uint64_t nrows;       /* ... and its rows (nested arrays are flattened) */
    uint64_t leaf;        /* 0; or where a variable inside another one begins in that block */
    bool inside;          /* it is inside another variable: it has no rows of its own */
};

/* Any bytes give a meta or an error: HMF_ERR_FORMAT, _VERSION, _CHECKSUM, _LIMIT, _NOMEM. */
hmf_status_t hmf_meta_parse(const void *bytes, size_t len, hmf_meta_t **out);
void hmf_meta_free(hmf_meta_t *meta);
const struct hmf__types *hmf_meta_types(const hmf_meta_t *meta); /* with the writer's ABI */
size_t hmf_meta_ntables(const hmf_meta_t *meta);
const struct hmf__table_info *hmf_meta_table(const hmf_meta_t *meta, size_t i);
size_t hmf_meta_nroots(const hmf_meta_t *meta);
const struct hmf__root_info *hmf_meta_root(const hmf_meta_t *meta, size_t i);
size_t hmf_meta_nsegments(const hmf_meta_t *meta);
const struct hmf__segment_info *hmf_meta_segment(const hmf_meta_t *meta, size_t i);
uint64_t hmf_meta_bytes(const hmf_meta_t *meta); /* meta and all segments: check against the file */

/* ---- reading side ----
 * begin; then for i = 0 .. nsegments-1 in this order: restore_segment(i), put the bytes there,
 * check their CRC, segment_done(i); then finish.  Or abort at any point. */

typedef struct hmf_restore hmf_restore_t;

/* The registered names, types and sizes must be those of the image, in any order.  A registered
 * variable that the image lacks, or the other way round, is HMF_ERR_MISMATCH naming it.
 * Also HMF_ERR_FORMAT, _VERSION, _CHECKSUM, _LIMIT, _NOMEM. */
hmf_status_t hmf_restore_begin(hmf_state_t *state, const void *meta, size_t len,
                               hmf_restore_t **out);
const hmf_meta_t *hmf_restore_meta(const hmf_restore_t *r);
size_t hmf_restore_nsegments(const hmf_restore_t *r);

/* Where segment i's bytes go: straight to the destination where layouts agree, else into a
 * buffer.  Borrowed until segment_done(i).  HMF_ERR_STATE (out of order), HMF_ERR_NOMEM. */
hmf_status_t hmf_restore_segment(hmf_restore_t *r, size_t i, const struct iovec **iov,
                                 size_t *niov, uint64_t *bytes);

/* The bytes are there: convert, check.  HMF_ERR_RANGE names field and value; HMF_ERR_FORMAT. */
hmf_status_t hmf_restore_segment_done(hmf_restore_t *r, size_t i);

/* All pointers are set, everything is in place.  Frees r in any case.  Restored heap blocks are
 * malloc'ed: the program owns them and may free() each. */
hmf_status_t hmf_restore_finish(hmf_restore_t *r);

/* Free r and what it allocated; the registered memory is unspecified then.  NULL is fine. */
void hmf_restore_abort(hmf_restore_t *r);

#endif
