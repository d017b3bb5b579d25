/*
 * HMF_INCREMENTAL: which older part a rank's new one is made of (check_io.h, "reuse").
 *
 * Where the file system shares extents, parts are cloned from the newest generation. Elsewhere one
 * generation more than HMF_KEEP is there, which nobody needs, and the next is written into its
 * files. In HMF_DIR only: jobs that use the nodes' directories write everything.
 */
#ifndef HMF_CHECK_REUSE_H
#define HMF_CHECK_REUSE_H

#include "check.h"
#include "check_dir.h"
#include "check_io.h"

/* What rank 0 has decided, the same on all ranks. */
struct hmf__reuse {
    uint64_t recycled;                  /* the generation that the directory was: its parts are there
                                           to be overwritten; 0: the directory is new */
    uint64_t clone;                     /* the generation of which parts are cloned; 0: none */
    bool on;
};

/* Rank 0, before it makes the directory of generation `next`, which may be there afterwards. */
void hmf__reuse_choose(struct hmf__check_job *job, const struct hmf__dir_list *list, uint64_t next,
                       struct hmf__reuse *out);

/* Rank 0: how many generations are kept besides `keep`. */
int hmf__reuse_surplus(const struct hmf__check_job *job);

/* Each rank: moves its part in a recycled directory out of the way of the new one's name, by the
   suffix that this one is written under. */
void hmf__reuse_step_aside(const struct hmf__check_job *job, uint64_t next,
                           const struct hmf__reuse *reuse, const char *suffix);

/* What the part at `path` can be made of, if its blocks are known and it is still that. clone: room
   for a path, used by *out. */
bool hmf__reuse_find(const struct hmf__check_job *job, const struct hmf__reuse *reuse,
                     const struct hmf__blocks *known, const char *path, char *clone,
                     struct hmf__io_reuse *out);

#endif
