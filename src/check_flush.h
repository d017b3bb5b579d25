/*
 * A generation that lies in the nodes' directories, copied to HMF_DIR behind the program's back.
 * Internal to the collective layer.
 */
#ifndef HMF_CHECK_FLUSH_H
#define HMF_CHECK_FLUSH_H

#include "check_local.h"
#include "check_priv.h"

#include <stdatomic.h>

struct hmf__flush;

/* Collective: begins to copy that generation, whose part of this rank stands in `dir`. One that is
   under way is completed first. seals: rank 0's, of all ranks; mine: this rank's; global: seal of
   global.h5, or of 0 bytes. What fails is told by a warning: the generation is not less there. */
void hmf__flush_begin(struct hmf__check_job *job, const struct hmf__save *save,
                      const struct hmf__file_seal *mine, const struct hmf__file_seal *seals,
                      const struct hmf__file_seal *global);

/* Collective: says how it went as soon as there is something to say; wait: until then. */
void hmf__flush_attend(struct hmf__check_job *job, bool wait);

/* The generation that is being copied, 0: none. */
uint64_t hmf__flush_generation(const struct hmf__flush *flush);
void hmf__flush_free(struct hmf__flush *flush);

/* The steps, which a restart takes as well. A part from the file `from` into gen-N.tmp of HMF_DIR,
   synced, every byte compared. rate: bytes per second, 0: no limit; *hurry, if not NULL, ends the
   limit. */
hmf_status_t hmf__flush_part(const struct hmf__check_job *job, uint64_t generation, int nranks,
                             int rank, const char *from, const struct hmf__file_seal *seal,
                             size_t rate, const atomic_bool *hurry);
/* Rank 0: gen-N.tmp made empty; and, when all parts are there, made a generation. */
hmf_status_t hmf__flush_make(const struct hmf__check_job *job, uint64_t generation);
hmf_status_t hmf__flush_publish(const struct hmf__check_job *job, uint64_t generation, int nranks,
                                const struct hmf__file_seal *seals,
                                const struct hmf__file_seal *global);

#endif
