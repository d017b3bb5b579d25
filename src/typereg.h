/* The process's registry of user types, as the description compiler sees it. */
#ifndef HMF__TYPEREG_H
#define HMF__TYPEREG_H

#include "hmf/status.h"
#include "hmf/type.h"

/* A copy of a definition; free with hmf__typereg_release. */
struct hmf__typedef {
    int number;
    char *name;
    int *desc;
    size_t desc_len;
    char **field_names; /* NULL-terminated, or NULL */
    size_t nfield_names;
    struct hmf_type_layout layout; /* noffsets 0: natural */
    size_t *offsets;
    long users;         /* references, under the registry's lock */
};

/* Borrow a definition until released, even if it is undefined meanwhile; NULL: not defined. */
struct hmf__typedef *hmf__typereg_get(int number);
void hmf__typereg_release(struct hmf__typedef *d);

#endif
