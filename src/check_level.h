/*
 * Where checkpoints lie: the levels, and which generation goes to which.
 *
 *     local     each rank's part in a directory of its node, HMF_LOCAL_DIR
 *     partner   that, and a copy of each part in the directory of another node
 *     shared    all parts in HMF_DIR, which all nodes see
 *
 * Whatever the level, the manifest stands in HMF_DIR and makes the generation count.
 */
#ifndef HMF_CHECK_LEVEL_H
#define HMF_CHECK_LEVEL_H

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In order of what they survive. */
enum hmf__level { HMF__LEVEL_LOCAL, HMF__LEVEL_PARTNER, HMF__LEVEL_SHARED };

#define HMF__NODE_MAX 64

struct hmf__levels {
    char *root;                         /* HMF_LOCAL_DIR on this node; NULL: all is shared */
    char node[HMF__NODE_MAX];           /* this host's name: whose directory the root is */
    long partner, shared;               /* every so many generations, 0: never */
    size_t flush_rate;                  /* bytes per second and rank on the way from local to
                                           shared, 0: no limit */
};

/* "local:1,partner:4,shared:16"; a level that is not named is never used. HMF_ERR_ARG names what is
   wrong, and *out is as it was. */
hmf_status_t hmf__levels_parse(const char *text, struct hmf__levels *out);

/* What the environment says: HMF_LOCAL_DIR (%h: the host's name), HMF_LEVELS, HMF_FLUSH_RATE. A bad
   value is named in the status's text and replaced by its default; *out is always complete. */
hmf_status_t hmf__levels_read(struct hmf__levels *out);
void hmf__levels_fini(struct hmf__levels *levels);

/* Where the parts of a generation are written. *flush: they are to be copied on to HMF_DIR. */
enum hmf__level hmf__levels_of(const struct hmf__levels *levels, uint64_t generation, bool *flush);

const char *hmf__level_name(enum hmf__level level);

#endif
