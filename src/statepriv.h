/* Inside of a state, for state.c, the walk and the image. */
#ifndef HMF__STATEPRIV_H
#define HMF__STATEPRIV_H

#include "state.h"
#include "type.h"

struct hmf__state_var {
    struct hmf__var var;
    char *name; /* owned */
    uint64_t hash;
    struct hmf__parts *parts; /* owned; NULL: nothing was declared (parts.h) */
};

/* Something that takes part in the state but is no memory: its record, a registered variable, is
 * filled in before the state is captured, and followed after it was restored. */
struct hmf__keeper {
    struct hmf__keeper *next; /* in the order of registration */
    hmf_status_t (*before)(struct hmf__keeper *k, const hmf_state_t *state);
    hmf_status_t (*after)(struct hmf__keeper *k);
    void (*drop)(struct hmf__keeper *k);
};

struct hmf_state {
    struct hmf__state_var *vars;
    size_t nvars, cap;
    struct hmf__types types;
    struct hmf__keeper *keepers;
    size_t last_ncands; /* size of the last walk: the next one's tables begin that large */
    size_t last_nrefs;
    size_t *last_staged; /* likewise: bytes of each of the first nlast types' copies */
    uint32_t nlast;
};

#endif
