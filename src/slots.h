/* Where the pointers of one element lie: a small program made once per type, run per element.
 * Shared by the walk (writer) and the restore (reader); the order of slots is that of leaves.
 */
#ifndef HMF__SLOTS_H
#define HMF__SLOTS_H

#include "type.h"

#include <string.h>

struct hmf__slotop {
    uint64_t offset;  /* of the slot; of a loop's first turn */
    uint64_t turns;   /* 0: a slot; else a loop over the nbody ops that follow */
    uint64_t stride;  /* loop: bytes from turn to turn */
    uint32_t nbody;
    uint32_t type;    /* slot: the pointer's node */
    uint32_t target;  /* slot: for the user of the program ... */
    bool small;       /* ... likewise */
    bool function;    /* slot: a pointer to a function */
    int handle;       /* slot: a foreign handle of this type number; else 0 */
    bool outer;       /* slot: as many elements as whoever led here said */
    /* slot: fields with the numbers of elements, behind this pointer and behind those that it
     * leads to; size 0: there is none.  Offsets as `offset`. */
    struct hmf__slot_length {
        uint64_t offset;
        uint8_t size;
        bool is_signed;
    } length, inner;
};

struct hmf__slots {
    struct hmf__slotop *ops;
    uint32_t nops, cap;
    bool flat;        /* no loops: ops are the slots */
};

/* Make the program for elements of type id.  HMF_ERR_NOMEM. */
hmf_status_t hmf__slots_make(const struct hmf__types *t, uint32_t id, struct hmf__slots *out);
void hmf__slots_fini(struct hmf__slots *s);

/* Call visit for each slot of the element at base, as long as it returns HMF_OK. */
typedef hmf_status_t hmf__slot_cb(void *ctx, char *slot, const struct hmf__slotop *op);
hmf_status_t hmf__slots_each(const struct hmf__slots *s, char *base, hmf__slot_cb *visit,
                             void *ctx);

/* Offset of the k-th slot in the element. */
uint64_t hmf__slots_offset(const struct hmf__slots *s, uint64_t k);

static inline void *hmf__slot_load(const char *at)
{
    void *p;

    memcpy(&p, at, sizeof p); /* packed structs: no alignment is assumed */
    return p;
}

static inline void hmf__slot_store(char *at, const void *p)
{
    memcpy(at, &p, sizeof p);
}

#endif
