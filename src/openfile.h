/* Open files as registered variables of a state; hmf/openfile.h says what is carried. */
#ifndef HMF__OPENFILE_H
#define HMF__OPENFILE_H

#include "hmf/openfile.h"

#include "state.h"

/* One of file and fd.  Beside hmf/openfile.h's: what hmf_state_add returns. */
hmf_status_t hmf__openfile_add(hmf_state_t *state, const char *name, FILE **file, int *fd);
hmf_status_t hmf__openfile_own(hmf_state_t *state, const char *name);
hmf_status_t hmf__openfile_remove(hmf_state_t *state, const char *name);

/* The type of the variable that an open file is in an image. */
enum { HMF__OPENFILE_INTS = 6 };
extern const int hmf__openfile_type[HMF__OPENFILE_INTS];

#endif
