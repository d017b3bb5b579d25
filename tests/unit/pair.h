/* Two states for tests that carry what one has to the other. */
#ifndef PAIR_H
#define PAIR_H

#include "carry.h"
#include "unit.h"

static hmf_state_t *a, *b;

static inline void begin(void)
{
    GOOD(hmf_state_new(&a));
    GOOD(hmf_state_new(&b));
}

static inline void end(void)
{
    hmf_state_free(a);
    hmf_state_free(b);
}

#define ADD(s, name, var, desc)                                                                   \
    GOOD(hmf_state_add(s, name, &(var), sizeof(var), desc, LEN(desc), NULL))

#endif
