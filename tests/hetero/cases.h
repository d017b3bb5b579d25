/* What the matrix of architectures carries: groups of variables, each with its values and its
 * comparison. A group's variables are static; all groups are registered in one state. */
#ifndef HETERO_CASES_H
#define HETERO_CASES_H

#include "base.h"
#include "state.h"

#include <stdio.h>

struct hetero_case {
    const char *name;
    hmf_status_t (*add)(hmf_state_t *s);
    void (*fill)(void);
    int (*check)(void);   /* differences, each printed */
    void (*poison)(void); /* other values, as a program has before it reads */
};

extern const struct hetero_case hetero_values, hetero_floats, hetero_structs, hetero_graphs,
    hetero_forms, hetero_paths, hetero_layouts;

/* One that does not fit everywhere. fits: whether this machine's type holds it. */
struct hetero_wide {
    const char *name;  /* of the variable */
    const char *text;  /* what the error must name besides the variable */
    hmf_status_t (*add)(hmf_state_t *s);
    bool (*fill)(void); /* false: cannot be written here */
    bool (*fits)(void);
    int (*check)(void);
};

extern const struct hetero_wide hetero_wides[];
extern const size_t hetero_nwides;

#define HETERO_LEN(a) (sizeof(a) / sizeof(a)[0])
#define HETERO_CHECK(what)                                                                        \
    do {                                                                                          \
        if (!(what)) {                                                                            \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                             \
            bad++;                                                                                \
        }                                                                                         \
    } while (0)

#endif
