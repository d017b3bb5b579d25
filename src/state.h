/* The state of a rank: the ordered set of registered variables and the types they have.
 *
 * One handle, one thread at a time.  Not collective.  Knows nothing of images, files or MPI.
 */
#ifndef HMF__STATE_H
#define HMF__STATE_H

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hmf_state hmf_state_t;

struct hmf__types; /* type.h */

/* One registered variable.  Borrowed from the state: valid until the next add or remove. */
struct hmf__var {
    const char *name;
    void *addr;
    size_t size;      /* bytes, a multiple of the type's size; or more, see hmf_state_add */
    uint32_t type;    /* index into hmf__state_types() */
    uint64_t count;   /* elements of that type: size / type's size */
};

hmf_status_t hmf_state_new(hmf_state_t **out); /* HMF_ERR_NOMEM */
void hmf_state_free(hmf_state_t *state);       /* NULL is fine; the variables themselves stay */

/* Register a variable.
 *   name         unique in the state, 1 to 1023 bytes; copied
 *   addr, size   the variable's memory; size in bytes is a multiple of the described type's size
 *                (an array of it); a struct with a flexible array member: with all the room that
 *                there is behind it; not owned, must stay valid until removed
 *   desc         desc_len ints of a type description (typemap.h); copied and compiled here
 *   field_names  or NULL: the names of all struct fields in the order in which they stand in the
 *                description (depth first), ended by NULL; else they are called f0, f1, ...
 * HMF_ERR_ARG (no name, no address, size not a multiple), HMF_ERR_NAME (name or address already
 * registered), HMF_ERR_TYPE (the text names the position in desc), HMF_ERR_LIMIT, HMF_ERR_NOMEM. */
hmf_status_t hmf_state_add(hmf_state_t *state, const char *name, void *addr, size_t size,
                           const int *desc, size_t desc_len, const char *const *field_names);

/* Take a variable out; HMF_ERR_NOTFOUND if there is none. */
hmf_status_t hmf_state_remove_name(hmf_state_t *state, const char *name);
hmf_status_t hmf_state_remove_addr(hmf_state_t *state, const void *addr);

/* Bytes of all variables; *open: some hold pointers, so there is more. */
uint64_t hmf__state_bytes(const hmf_state_t *state, bool *open);

size_t hmf_state_count(const hmf_state_t *state);

/* The i-th variable in the order of registration; NULL when i is too large. */
const struct hmf__var *hmf__state_var(const hmf_state_t *state, size_t i);
const struct hmf__var *hmf__state_find(const hmf_state_t *state, const char *name);
struct hmf__types *hmf__state_types(hmf_state_t *state);

#endif
