/*
 * A rank's part as variables and tables with rows: what check_view.c (one checkpoint) and
 * check_diff.c (two) have in common.
 */
#ifndef HMF_CHECK_VIEW_H
#define HMF_CHECK_VIEW_H

#include "check_file.h"
#include "check_index.h"
#include "check_manifest.h"
#include "hmf/check.h"
#include "image.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows of a table that belong together: a registered variable's, or the heap blocks'. */
struct hmf__view_item {
    char *name;
    char type_text[256];
    uint32_t table, type;               /* type: of a row */
    uint64_t row, rows;                 /* in the table; heap: row counts those left over */
    uint64_t row_bytes;
    bool heap, inside;                  /* inside: within another variable; no rows of its own */
};

/* A table's segments, and what locates a row. */
struct hmf__view_table {
    uint32_t data, refs, leaves, tails; /* numbers of segments, UINT32_MAX: none */
    uint64_t *first_row;                /* per block, and one beyond; NULL: a block is a row */
    struct hmf__view_run {              /* rows that are no variable's, ascending */
        uint64_t row, rows, before;     /* before: rows in the runs before it */
    } *runs;
    size_t nruns;
};

struct hmf_check {
    char *path;
    struct hmf__manifest *manifest;
    uint64_t bytes;
    struct hmf__index *index;           /* NULL: not read yet */
    /* the rank looked at last */
    int rank;                           /* -1: none */
    struct hmf__file *file;
    hmf_meta_t *meta;
    struct hmf__view_table *tables;
    struct hmf__view_item *items;
    size_t nitems;
};

/* Opens, verifies and describes that rank's part unless it is open. */
hmf_status_t hmf__view_rank(struct hmf_check *c, int rank);

/* The item of that name; HMF_ERR_NOTFOUND. */
hmf_status_t hmf__view_find(struct hmf_check *c, const char *name,
                            const struct hmf__view_item **out);

/* A window of rows: their bytes, and where their pointers lead. */
struct hmf__view_rows {
    struct hmf_check *check;
    const struct hmf__view_item *item;
    uint64_t first, count;              /* within the item */
    uint64_t room;                      /* rows that the buffers hold */
    unsigned char *data, *refs, *leaves, *tails;
    uint64_t current;                  /* the row that hmf__view_pointer speaks of, in the window */
};

hmf_status_t hmf__view_rows_init(struct hmf__view_rows *w, struct hmf_check *c,
                                 const struct hmf__view_item *item);
void hmf__view_rows_fini(struct hmf__view_rows *w);

/* Fills the window from that row of the item on, with as many rows as it holds and there are. */
hmf_status_t hmf__view_rows_read(struct hmf__view_rows *w, uint64_t first);

/* For hmf__value_text: "NULL", "-> u[3]", "-> node[2].next"; ctx is the window.  Slot
   HMF__VALUE_TAIL: what stands behind the row. */
void hmf__view_pointer(void *ctx, uint64_t slot, char *text, size_t len);

#endif
