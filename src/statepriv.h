/* Inside of a state, for state.c, the walk and the image. */
#ifndef HMF__STATEPRIV_H
#define HMF__STATEPRIV_H

#include "state.h"
#include "type.h"

struct hmf__state_var {
    struct hmf__var var;
    char *name; /* owned */
    uint64_t hash;
};

struct hmf_state {
    struct hmf__state_var *vars;
    size_t nvars, cap;
    struct hmf__types types;
    size_t last_ncands; /* size of the last walk: the next one's tables begin that large */
    size_t last_nrefs;
};

#endif
