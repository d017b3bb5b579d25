/*
 * The skeleton of a rank's HDF5 file: everything but the bulk, as bytes in memory.
 *
 * HDF5 creates the groups, types and datasets of a plan in memory (check_vfd.c); what it wrote and
 * where it will look for each dataset's bytes is the result. The bytes themselves are written by
 * check_io.c.
 */
#ifndef HMF_CHECK_SKEL_H
#define HMF_CHECK_SKEL_H

#include "check_outline.h"

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HMF__SKEL_USER_BLOCK 4096u      /* the first bytes of the file are ours (check_file.c) */

struct hmf__index;                      /* check_index.h */

/* Attributes of the root group, and what else the file shows. */
struct hmf__skel_labels {
    const char *program, *library;
    uint64_t generation;
    int rank, nranks;
    const struct hmf__index *index;     /* global.h5: the arrays to be shown, else NULL */
    const hmf_meta_t *array_meta;       /* with their types */
};

struct hmf__skel;

/* Sets the offset of each dataset of the plan. HMF_ERR_HDF5 with HDF5's own words,
   HMF_ERR_NOMEM. */
hmf_status_t hmf__skel_new(struct hmf__outline *plan, const struct hmf__skel_labels *labels,
                           struct hmf__skel **out);
void hmf__skel_free(struct hmf__skel *skel);

/* The file's size, and the pages that HDF5 wrote: n runs of bytes, ascending and disjoint. */
uint64_t hmf__skel_size(const struct hmf__skel *skel);
size_t hmf__skel_npages(const struct hmf__skel *skel);
const void *hmf__skel_page(const struct hmf__skel *skel, size_t i, uint64_t *offset, size_t *bytes);

/* Whether skeletons may be made in a thread while the program uses HDF5 in another. */
bool hmf__skel_thread_safe(void);

#endif
