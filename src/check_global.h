/*
 * global.h5 of a checkpoint: what belongs to the job rather than to one rank. It is made like a
 * rank's part (check_file.h) and holds the index of the global arrays (check_index.h), the
 * variables that are equal on all ranks, and, for people, each global array as a view of the ranks'
 * files. There is none if nothing was declared (hmf/partition.h).
 */
#ifndef HMF_CHECK_GLOBAL_H
#define HMF_CHECK_GLOBAL_H

#include "check.h"
#include "check_file.h"
#include "check_index.h"
#include "check_io.h"

#include "hmf/status.h"

#include <stddef.h>
#include <stdint.h>

#define HMF__GLOBAL_NAME "global.h5"

struct hmf__global;

/* Collective: gathers what the ranks have declared and copies the variables that are equal, on
   rank 0; NULL on others, and if there is nothing. What the index says and HMF_ERR_NOMEM. */
hmf_status_t hmf__global_make(struct hmf__check_job *job, const hmf_image_t *image,
                              struct hmf__global **out);
void hmf__global_free(struct hmf__global *global);

/* Rank 0, in any thread: writes DIR/global.h5, synced, and reads its header back. */
hmf_status_t hmf__global_write(struct hmf__global *global, const struct hmf__check_job *job,
                               struct hmf__io *io, const char *dir, uint64_t generation,
                               struct hmf__file_seal *seal);

/* Not collective: opens and verifies DIR/global.h5 and reads its index, of so many ranks.
   *index_bytes: how large it is as a variable. */
hmf_status_t hmf__global_open(const char *dir, const struct hmf__file_seal *seal, int nranks,
                              struct hmf__file **out, struct hmf__index **index,
                              size_t *index_bytes);

#endif
