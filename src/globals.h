/* What debug information says of types, as descriptions (globals_type.c), for globals.c, which finds
 * the variables, and for tests. */
#ifndef HMF__GLOBALS_H
#define HMF__GLOBALS_H

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>

#include <elfutils/libdw.h>

enum { HMF__GLOBALS_WHY = 512 };

/* A description that is being made.  Begin with zeros; hmf__free(v) in the end. */
struct hmf__gdesc {
    int *v;
    size_t n, cap;
    bool in_struct;
    char why[HMF__GLOBALS_WHY]; /* after HMF_ERR_TYPE: why there is none, and what to do */
};

/* Appends the description of a variable's type.  HMF_ERR_TYPE: none can be made, out->why says why;
 * HMF_ERR_NOMEM. */
hmf_status_t hmf__globals_describe(Dwarf_Die *type, struct hmf__gdesc *out);

/* The DIE of the entity's type, without typedefs and qualifiers if so wanted; false: void. */
bool hmf__globals_type_of(Dwarf_Die *die, Dwarf_Die *type);
bool hmf__globals_plain(Dwarf_Die *type, bool *is_const);

#endif
