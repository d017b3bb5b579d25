/*
 * At a restart: the parts of a generation that lie in the nodes' directories, wherever that is now.
 * Internal to the collective layer; all of it is collective.
 */
#ifndef HMF_CHECK_LOCATE_H
#define HMF_CHECK_LOCATE_H

#include "check_manifest.h"
#include "check_priv.h"

/* This rank's own part, verified: from this node's directory, else fetched from a rank whose node
   has it or a copy of it. manifest: rank 0's. HMF_ERR_NOTFOUND names the parts that no node of this
   job has, and the nodes that should. */
hmf_status_t hmf__locate_own(struct hmf__check_job *job, const struct hmf__check_seals *seals,
                             const struct hmf__manifest *manifest, struct hmf__file **out);

/* All parts into HMF_DIR, as that generation: for those who need other parts than their own. */
hmf_status_t hmf__locate_gather(struct hmf__check_job *job, const struct hmf__check_seals *seals,
                                const struct hmf__manifest *manifest);

#endif
