/*
 * The nodes' own directories, and files between them.
 *
 *     ROOT/heat.hmf-1a2b3c4d/           one job's on one node; ROOT is its HMF_LOCAL_DIR, the rest
 *                                       names HMF_DIR
 *       gen-000042/rank-00003.h5        a part, as it would be in HMF_DIR
 *       gen-000042/copy-00001.h5        that of a rank of another node
 *
 * Nothing here says that a generation is complete: its manifest in HMF_DIR does. What has none there
 * is left over, and goes with the next checkpoint. Internal to the collective layer.
 */
#ifndef HMF_CHECK_LOCAL_H
#define HMF_CHECK_LOCAL_H

#include "check.h"
#include "check_dir.h"
#include "check_file.h"
#include "check_level.h"

#include <stdbool.h>
#include <stdint.h>

struct hmf__local {
    char dir[HMF__DIR_PATH_MAX];        /* this node's */
    char (*nodes)[HMF__NODE_MAX];       /* of each rank */
    int *partner;                       /* of each rank: who keeps its copy, -1: nobody */
    int *turn;                          /* of each rank: the round in which its copy is sent */
    int nnodes, turns;
    int mine, ours;                     /* this rank is that one of so many on its node */
};

/* Collective: the directory, made where it is missing, and who shares it; anew at each call, since
   ranks move. HMF_ERR_IO and the like. */
hmf_status_t hmf__local_open(struct hmf__check_job *job, struct hmf__local **local);
void hmf__local_free(struct hmf__local *local);

/* For tools, on one node: the directory there of the job whose HMF_DIR is dir. HMF_ERR_IO. */
hmf_status_t hmf__local_dir(const char *root, const char *dir, char *path);

/* Where a rank's part, or its copy, of that generation stands on this node. */
hmf_status_t hmf__local_path(const char *dir, uint64_t generation, bool copy, int rank, char *path);

/* Removes all generations but those. By one rank of a node. */
hmf_status_t hmf__local_sweep(const struct hmf__local *local, const uint64_t *live, size_t nlive);

/* Both at once, between any ranks that call it with matching sizes: sends the file out_path of
   out_bytes to rank `to`, and makes in_path from in_bytes of rank `from`; -1: neither. The file that
   came is synced and compared with its seal, every byte of it. */
struct hmf__trade {
    int to;
    const char *out_path;
    uint64_t out_bytes;
    int from;
    const char *in_path;                /* replaced if it is there */
    struct hmf__file_seal in;
};
hmf_status_t hmf__local_trade(struct hmf__check_job *job, const struct hmf__trade *t);

/* Collective: each rank's part goes to its partner. seal: of this rank's part. */
hmf_status_t hmf__local_copy_parts(struct hmf__check_job *job, const struct hmf__local *local,
                                   uint64_t generation, const struct hmf__file_seal *seal);

/* Opens a part of that generation, or its copy, in this node's directory, and verifies every byte
   of it. *damaged: there is one, but it cannot be used. HMF_ERR_NOTFOUND: there is none. */
hmf_status_t hmf__local_find(const struct hmf__check_job *job, const char *dir, uint64_t generation,
                             int nranks, int rank, const struct hmf__file_seal *seal,
                             struct hmf__file **out, bool *damaged);

#endif
