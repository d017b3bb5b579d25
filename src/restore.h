/* Inside of a restore: what its files share.
 *
 * restore.c goes through the segments, restore_place.c has the memory for blocks,
 * restore_refs.c the pointers.
 */
#ifndef HMF__RESTORE_H
#define HMF__RESTORE_H

#include "image.h"
#include "plan.h"
#include "slots.h"
#include "statepriv.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum { HMF__DIRECT_BYTES = 64 << 10 };

struct hmf__rtable {
    const struct hmf__table_info *info;
    uint32_t type;              /* the reader's */
    uint64_t from_size, to_size;
    struct hmf__plan *plan;
    struct hmf__slots slots;
    uint64_t *counts;           /* rows of each block; NULL: one each */
    uint32_t *tails;            /* of each block: 1 + the block that stands behind it, or 0 */
    char **addr;                /* of each block */
    uint32_t *refs;             /* kept until the leaves are there, when there are leaves */
};

struct hmf__rname { /* a function pointer or handle whose name is known */
    char *slot;
    const char *name;
    uint32_t block;
    int handle; /* its type number; 0: a function */
};

struct hmf_restore {
    hmf_state_t *state;
    hmf_meta_t *meta;
    struct hmf__rtable *tables;
    size_t ntables;
    uint32_t *map;              /* writer's node -> reader's */
    const struct hmf__var **vars; /* of each root */
    char **addr;                /* of all blocks; tables point into it */
    uint64_t nblocks;
    bool *registered;           /* by block: not ours to free */
    size_t next;                /* segment to come */
    bool asked;                 /* segment() was called for it */
    struct iovec *iov;
    size_t niov, iov_cap;
    struct hmf__rname *functions;
    size_t nfunctions, functions_cap;
    char *buffer;               /* where the present segment goes in part or all */
    size_t buffer_bytes;
};

static inline bool hmf__restore_foreign_order(const hmf_restore_t *r)
{
    return hmf_meta_types(r->meta)->abi.big_endian != r->state->types.abi.big_endian;
}

static inline uint64_t hmf__restore_rows(const struct hmf__rtable *t, uint64_t block)
{
    return t->counts ? t->counts[block] : 1;
}

hmf_status_t hmf__restore_no_memory(const char *what, uint64_t n);

/* ---- restore_place.c ---- */

/* Memory for all blocks: the variables' own, else malloc's.  All counts and tails are there.
 * HMF_ERR_FORMAT, HMF_ERR_RANGE, HMF_ERR_NOMEM. */
hmf_status_t hmf__restore_allocate(hmf_restore_t *r);
void hmf__restore_drop_block(char *addr);

/* The table that a block is in. */
struct hmf__rtable *hmf__restore_table_of(const hmf_restore_t *r, uint64_t block);

/* What a program will find behind a struct is as much as the struct says.  HMF_ERR_FORMAT. */
hmf_status_t hmf__restore_check_tails(const hmf_restore_t *r);

/* ---- restore_refs.c ---- */

/* Set all pointers of a table; leaves: NULL, if all lead to the start of a block.
 * HMF_ERR_FORMAT. */
hmf_status_t hmf__restore_set_references(hmf_restore_t *r, struct hmf__rtable *t,
                                         const uint32_t *refs, const uint64_t *leaves);

/* The address of a leaf; past: bytes of an object that lies there, if the pointer is behind it. */
hmf_status_t hmf__restore_leaf_address(const hmf_restore_t *r, uint32_t block, uint64_t leaf,
                                       uint64_t past, char **out);

/* All names are there: set the pointers to functions and the handles, and drop the names.
 * HMF_ERR_FORMAT, HMF_ERR_NOTFOUND. */
hmf_status_t hmf__restore_set_functions(hmf_restore_t *r);

#endif
