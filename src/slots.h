/* Where the pointers of one element lie: a small program made once per type, run per element.
 * Shared by the walk (writer) and the restore (reader); the order of slots is that of leaves.
 */
#ifndef HMF__SLOTS_H
#define HMF__SLOTS_H

#include "length.h"
#include "type.h"

#include <string.h>

enum hmf__slotcode {
    HMF__SLOT = 0,
    HMF__SLOT_LOOP,   /* over the nbody ops that follow */
    HMF__SLOT_CHOICE, /* a union: nbody ops follow, of which each branch's begin with ... */
    HMF__SLOT_BRANCH  /* ... this one, and nbody ops */
};

/* A number made of several integers, owned by the program. */
struct hmf__slot_expr {
    uint32_t n;
    struct {
        struct hmf__term term;
        int loops;
    } of[HMF__MAX_EXPR];
};

/* An integer in the element, or in one around it when it is outside of a loop. */
struct hmf__slot_length {
    struct hmf__place place; /* size 0: there is none */
    int loops;               /* how many loops further out its offset counts */
    struct hmf__slot_expr *expr; /* instead; then place is that of one of its fields.  Or NULL */
};

struct hmf__slotop {
    uint64_t offset;  /* of the slot; of a loop's first turn; of the union */
    uint64_t turns;   /* loop */
    uint64_t stride;  /* loop: bytes from turn to turn */
    uint32_t nbody;
    uint32_t type;    /* slot: the pointer's node; choice: the union's */
    uint32_t target;  /* slot: for the user of the program ... */
    enum hmf__slotcode code;
    bool small;       /* ... likewise */
    bool function;    /* slot: a pointer to a function */
    int handle;       /* slot: a foreign handle of this type number; else 0 */
    bool outer;       /* slot: as many elements as whoever led here said */
    /* slot: fields with the numbers of elements, behind this pointer and behind those that it
     * leads to.  choice: length is the discriminant. */
    struct hmf__slot_length length, inner;
};

struct hmf__slots {
    struct hmf__slotop *ops;
    uint32_t nops, cap;
    bool flat;        /* no loops nor choices: ops are the slots */
};

/* Make the program for elements of type id.  HMF_ERR_NOMEM. */
hmf_status_t hmf__slots_make(const struct hmf__types *t, uint32_t id, struct hmf__slots *out);
void hmf__slots_fini(struct hmf__slots *s);

/* What op->offset counts from: the element, in a loop its turn. */
struct hmf__slot_frame {
    char *base;
    const struct hmf__slot_frame *outer; /* what is around the loop; NULL: nothing */
};

/* Call visit for each slot of the element at base, as long as it returns HMF_OK.  slot is NULL for
 * those in branches of unions that do not hold now.  A union whose discriminant selects no branch
 * is itself visited, with op->code HMF__SLOT_CHOICE, and then none of its branches holds. */
typedef hmf_status_t hmf__slot_cb(void *ctx, char *slot, const struct hmf__slotop *op,
                                  const struct hmf__slot_frame *frame);
hmf_status_t hmf__slots_each(const struct hmf__slots *s, const struct hmf__types *t, char *base,
                             hmf__slot_cb *visit, void *ctx);

uint64_t hmf__slot_expression(const struct hmf__slot_length *l, const char *slot,
                              const struct hmf__slotop *op, const struct hmf__slot_frame *frame);

/* The number that a length speaks of, UINT64_MAX if an expression gives none; frame as given to
 * visit, NULL where the program is flat. */
static inline uint64_t hmf__slot_number(const struct hmf__slot_length *l, const char *slot,
                                        const struct hmf__slotop *op,
                                        const struct hmf__slot_frame *frame)
{
    if (l->expr)
        return hmf__slot_expression(l, slot, op, frame);
    for (int k = 0; k < l->loops && frame; k++)
        frame = frame->outer;
    return hmf__depend_load(&l->place, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
                            frame ? frame->base : slot - op->offset);
}

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
