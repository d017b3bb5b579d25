/* The walk over everything that the registered variables lead to.
 *
 * A *candidate* is an (address, shape) that a variable or a pointer names; a shape is an element
 * type and a count.  Candidates are numbered as found, breadth first, by a worklist; the
 * registered variables are the first ones.  At the end every candidate either is a block of its
 * own or is found to lie within another one (interior pointers, pointers to a first member, one
 * past the end).
 *
 * Reads the program's memory, never writes it.  Trusts a pointer's declared type, but not its
 * value: what is not mapped and readable, or, where the heap is known, not in use, is an error
 * with its path.
 */
#ifndef HMF__WALK_H
#define HMF__WALK_H

#include "base.h"
#include "slots.h"
#include "state.h"
#include "type.h"

#include <stdbool.h>

struct hmf__cand {
    const char *addr;
    uint32_t shape;
    uint32_t merged; /* 0: a block; else 1 + index into merges */
};

struct hmf__shape {
    uint64_t count; /* elements */
    uint64_t bytes;
    uint64_t nslots; /* pointers in all of it */
    uint64_t inner;  /* elements are pointers that lead to so many elements (HMF__LEN_OUTER) */
    uint64_t nblocks; /* candidates of this shape that are blocks; set at the end */
    uint32_t type;   /* class representative, no array */
    bool exact;      /* as many elements as a description's length says: no more, and no end */
    bool tail;       /* it ends with an array to whose end a pointer may lead ... */
    bool ends;       /* ... and some array in it holds pointers: see ends.c */
};

/* A pointer to something of unknown type is a candidate of no bytes; a weak one has this count. */
enum { HMF__WALK_WEAK = 0, HMF__WALK_VOID = 1 };

struct hmf__merge {
    uint64_t leaf;  /* in the block, as in HMF__SEG_REF_LEAF */
    uint32_t into;  /* the candidate that is the block */
    bool unread;    /* one past the end: was not looked into, has no refs */
    bool dropped;   /* weak, and nothing is there: NULL */
};

/* The elements behind a struct with a flexible array member: a candidate of their own. */
struct hmf__tail {
    uint32_t head; /* the candidate that is the struct */
    uint32_t ref;  /* 0: there are none; else 1 + candidate */
};

enum { HMF__GRAIN = 16 }; /* bytes */

enum { HMF__WALK_SMALL = 4096 }; /* bytes of candidates that go into the regions' ids */
#define HMF__NO_SHAPE UINT32_MAX
#define HMF__GOLDEN 0x9e3779b97f4a7c15u /* for hash tables */

/* Copies of all candidates of one type, in their order, pointers cleared: made while the walk reads
 * them, so that each node is touched once.  Only for types that hold pointers. */
struct hmf__stage {
    char *bytes; /* from hmf__big_alloc */
    size_t used, cap;
    struct hmf__padding *padding; /* clears what is no value; NULL before the first copy */
    const struct hmf__padding_word *words; /* likewise, inline */
    uint32_t nwords;
};

enum { HMF__BATCH = 64 };

/* A readable part of the address space.
 * cover: one bit for 16 bytes, set where a candidate was; while no bit is set twice, no two
 * candidates overlap.  ids: for 16 bytes the first small candidate that begins there (1 + number);
 * neighbours in memory are neighbours here, which a hash table would scatter. */
struct hmf__region {
    uintptr_t lo, hi;
    uint64_t *cover;
    size_t cover_bytes;
    uint32_t *ids;
    size_t ids_bytes;
};

struct hmf__walk {
    hmf_state_t *state;
    struct hmf__types *types;
    struct hmf__cand *cands;
    size_t ncands, cands_cap;
    uint32_t *refs; /* per slot of each candidate in order: 0 NULL, else 1 + candidate */
    size_t nrefs, refs_cap;
    struct hmf__shape *shapes;
    uint32_t nshapes, shapes_cap;
    uint32_t *shape_table; /* open addressing: 1 + shape */
    uint32_t shape_mask;
    struct hmf__slots **slots; /* per type, made when first needed */
    struct hmf__merge *merges;
    size_t nmerges, merges_cap;
    struct hmf__tail *tails; /* in the order of heads */
    size_t ntails, tails_cap;
    uint64_t *tail_bits; /* by candidate: it stands behind a struct; made for the overlaps */
    /* address -> candidate for those that regions' ids do not hold: open addressing over 4-byte
     * ids, keys checked in cands */
    uint32_t *table;
    size_t table_size, table_used;
    int table_shift;
    uint8_t *about; /* per type; see ends.c */
    bool chars_pointed; /* some pointer leads to characters */
    /* ends of arrays that hold pointers: such an address must not be looked into */
    struct hmf__end {
        uintptr_t addr; /* 0: free */
        uint32_t type;
    } *ends;
    size_t nends, ends_size;
    struct hmf__region *regions;
    size_t nregions;
    struct hmf__region *last_region;
    bool have_regions;
    bool unsure;    /* two candidates may overlap: overlap.c must look */
    bool tracked;   /* the heap's blocks are known: extent.c looks */
    uintptr_t heap_lo, heap_hi; /* malloc's own part of the address space; 0: unknown */
    size_t extended; /* candidates whose heap blocks have been looked at */
    bool rows;      /* some shape has such ends: they are recorded */
    bool *in_rows;  /* per type: some shape is an array of it */
    struct hmf__stage *stages;  /* per type; see batch.c */
    char *copies[HMF__BATCH];   /* of the candidates from batch_begin on; NULL: has none */
    size_t batch_begin, batch_end;
    bool unstaged;  /* stages do not hold what the blocks are: do not use them */
    size_t current; /* the candidate that is being looked into */
};

/* HMF_ERR_POINTER with the path, HMF_ERR_LIMIT, HMF_ERR_NOMEM.  Call fini in any case. */
hmf_status_t hmf__walk_run(struct hmf__walk *w, hmf_state_t *state);
void hmf__walk_fini(struct hmf__walk *w);

/* The slots of a candidate's element type; only for types with pointers. */
const struct hmf__slots *hmf__walk_slots(const struct hmf__walk *w, uint32_t type);

/* Make *cap hold `need` things of `each` bytes, of which `used` are there; *pv is from
 * hmf__big_alloc.  HMF_ERR_LIMIT, HMF_ERR_NOMEM. */
hmf_status_t hmf__walk_grow(void *pv, size_t *cap, size_t used, size_t need, size_t each);

/* ---- shared between the files of the walk ---- */

/* How a person would write the place `offset` in candidate c: "sim->boxes[3].atoms". */
const char *hmf__walk_path(const struct hmf__walk *w, size_t c, uint64_t offset, char *buf,
                           size_t size);

/* Candidate c lies in another one, or is no block for another reason.  HMF_ERR_LIMIT, _NOMEM. */
hmf_status_t hmf__walk_new_merge(struct hmf__walk *w, size_t c, const struct hmf__merge *m);

/* Find out which candidates lie within others. */
hmf_status_t hmf__walk_overlaps(struct hmf__walk *w);

/* Can `bytes` bytes from p be read?  *room (may be NULL): readable bytes from p on. */
bool hmf__walk_find_readable(struct hmf__walk *w, const void *p, uint64_t bytes, uint64_t *room);
static inline bool hmf__walk_readable(struct hmf__walk *w, const void *p, uint64_t bytes,
                                      uint64_t *room)
{
    const struct hmf__region *r = w->last_region;

    if (!room && r && (uintptr_t)p - r->lo < r->hi - r->lo && bytes <= r->hi - (uintptr_t)p)
        return true;
    return hmf__walk_find_readable(w, p, bytes, room);
}

/* The region of an address, with its ids made; NULL: not readable, or no memory for the ids. */
struct hmf__region *hmf__walk_region(struct hmf__walk *w, const void *p);

/* Note that a candidate lies there (with one byte behind it, for arrays); sets `unsure`.
 * Follows a call of readable() for the same address. */
void hmf__walk_cover_rows(struct hmf__walk *w, const void *p, uint64_t bytes);
static inline uint64_t *hmf__walk_cover_word(const struct hmf__region *r, const void *p)
{
    return &r->cover[((uintptr_t)p - r->lo) / HMF__GRAIN / 64];
}
static inline void hmf__walk_cover(struct hmf__walk *w, const void *p, uint64_t bytes)
{
    const struct hmf__region *r = w->last_region;
    uintptr_t a = (uintptr_t)p;
    uint64_t first = (a & (HMF__GRAIN - 1)) + bytes - 1, bit = a / HMF__GRAIN % 64, bits;

    /* few bits in one word; regions begin at pages */
    if (!r || !r->cover || a < r->lo || bytes > r->hi - a || first / HMF__GRAIN + bit >= 64) {
        hmf__walk_cover_rows(w, p, bytes);
        return;
    }
    bits = (((uint64_t)2 << first / HMF__GRAIN) - 1) << bit;
    uint64_t *word = hmf__walk_cover_word(r, p);
    w->unsure |= (*word & bits) != 0;
    *word |= bits;
}
void hmf__walk_regions_free(struct hmf__walk *w);

/* "pointer path = address why", of the slot at hand or of the pointer that leads to candidate c. */
hmf_status_t hmf__walk_bad(struct hmf__walk *w, size_t c, const char *why);

/* ---- shape.c ---- */

/* The shape of `count` elements of a type (a class representative, no array); inner, exact as in
 * struct hmf__shape.  HMF_ERR_LIMIT, HMF_ERR_NOMEM. */
hmf_status_t hmf__walk_shape(struct hmf__walk *w, uint32_t type, uint64_t count, uint64_t inner,
                             bool exact, uint32_t *out);

/* The same of `count` objects of type id, which may be an array. */
hmf_status_t hmf__walk_get_shape(struct hmf__walk *w, uint32_t id, uint64_t count,
                                 uint64_t inner, bool exact, uint32_t *out);

/* Where the type does not tell: the shape behind the pointer *q in a slot.  *q becomes what stands
 * for it, if something does. */
hmf_status_t hmf__walk_special_shape(struct hmf__walk *w, const char *slot,
                                     const struct hmf__slotop *op,
                                     const struct hmf__slot_frame *frame, const char **q,
                                     uint32_t *out);

extern const char hmf__walk_freed[]; /* for hmf__walk_bad */

/* ---- cands.c: from addresses to candidates ---- */

/* A new candidate; the caller has found its place in ids or table. */
static inline hmf_status_t hmf__walk_new_cand(struct hmf__walk *w, const void *addr, uint32_t shape)
{
    if (__builtin_expect(w->ncands == w->cands_cap, 0)) {
        if (w->ncands >= UINT32_MAX - 2)
            return hmf__fail(HMF_ERR_LIMIT, "the state has more than 4294967293 blocks");
        hmf_status_t rc = hmf__walk_grow(&w->cands, &w->cands_cap, w->ncands, w->ncands + 1,
                                   sizeof *w->cands);
        if (rc != HMF_OK)
            return rc;
    }
    w->cands[w->ncands++] = (struct hmf__cand){addr, shape, 0};
    return HMF_OK;
}

/* The candidate (q, shape), added if it is new.  *id: 1 + its number.  By the hash table ... */
hmf_status_t hmf__walk_find_in_table(struct hmf__walk *w, const char *q, uint32_t shape,
                                     uint32_t *id);
/* ... or where it should be: small ones in a region's ids. */
hmf_status_t hmf__walk_find(struct hmf__walk *w, const char *q, uint32_t shape, uint32_t *id);

/* Make the hash table that large, a power of two. */
hmf_status_t hmf__walk_rehash(struct hmf__walk *w, size_t size);

/* Add a candidate that no pointer names, unless it is there. */
hmf_status_t hmf__walk_add(struct hmf__walk *w, const char *addr, uint32_t shape);

/* Does some candidate at `start` say what the heap block there is, rather than candidate c, which
 * would be extended over it? */
bool hmf__walk_described(struct hmf__walk *w, const char *start, size_t c);

/* ---- ends.c: ends of arrays ---- */

/* Which types do pointers without a length lead to?  HMF_ERR_NOMEM. */
hmf_status_t hmf__walk_find_pointed(struct hmf__walk *w);

/* Set s->tail and s->ends. */
void hmf__walk_shape_ends(struct hmf__walk *w, struct hmf__shape *s);

/* Record the ends that a candidate with s->ends has.  HMF_ERR_NOMEM. */
hmf_status_t hmf__walk_note_ends(struct hmf__walk *w, const struct hmf__shape *s,
                                 const char *addr);

bool hmf__walk_is_end(const struct hmf__walk *w, const void *addr, uint32_t type);

/* ---- batch.c: candidates read many at a time ---- */

/* Begin a batch with candidate c: copy the small nodes among the next candidates, and fetch early
 * what will be needed to follow their pointers.  At least candidate c is in it. */
void hmf__walk_batch(struct hmf__walk *w, size_t c);

/* Make what clears copies of a type with pointers. */
hmf_status_t hmf__walk_padding(struct hmf__walk *w, uint32_t type);

/* Copy candidate c, of shape s, which no batch has copied. */
hmf_status_t hmf__walk_copy(struct hmf__walk *w, size_t c, const struct hmf__shape *s);

/* For the next walk: how large the copies became. */
void hmf__walk_remember(struct hmf__walk *w);
void hmf__walk_stages_free(struct hmf__walk *w);

/* ---- extent.c: only where w->tracked ---- */

enum hmf__where {
    HMF__WHERE_OUTSIDE, /* no heap, or nothing is known of it */
    HMF__WHERE_INSIDE,  /* in a heap block in use */
    HMF__WHERE_BEHIND,  /* just behind one */
    HMF__WHERE_DEAD     /* in the heap, in no block in use */
};

/* Where p lies; *room (INSIDE only, may be NULL): bytes from it to the end of its block. */
enum hmf__where hmf__walk_where(struct hmf__walk *w, const void *p, uint64_t *room);

/* Registered variables lie in blocks in use, if in the heap at all.  HMF_ERR_POINTER. */
hmf_status_t hmf__walk_check_variables(struct hmf__walk *w);

/* Candidates found since the last call that stand for more elements than one: add those of the
 * whole heap block.  When none is added, the walk is complete. */
hmf_status_t hmf__walk_extend(struct hmf__walk *w);

#endif
