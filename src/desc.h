/* Inside of the compiler of descriptions: what its files share.
 *
 * A description is read by descent: desc.c has the types, desc_struct.c structs and unions,
 * desc_depend.c what names fields in them.  A user type that stands behind a pointer is compiled
 * after the type at hand (a worklist, desc_compile.c), so recursion in types needs no recursion
 * here; what is nested by value is bounded in depth.
 */
#ifndef HMF__DESC_H
#define HMF__DESC_H

#include "type.h"
#include "typecache.h"
#include "typereg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hmf__known { /* a description compiled before */
    uint64_t hash;
    unsigned char *key;
    size_t len;
    uint32_t root;
};

struct hmf__user { /* a user type in this table */
    struct hmf__typedef *def; /* held */
    uint32_t node;
    enum { QUEUED, ACTIVE, DONE } state;
};

struct hmf__types_cache {
    struct hmf__known *entries;
    size_t nentries, entries_cap;
    struct hmf__user *users;
    size_t nusers, users_cap;
};

struct hmf__compiler {
    struct hmf__types *t;
    struct hmf__types_cache *cache;
    size_t next_queued;  /* users from here on may be QUEUED */
    uint32_t *late;      /* arrays behind pointers, to be finished when all types are complete */
    size_t nlate, late_cap;
    struct hmf__counted *counted;
    size_t ncounted, counted_cap;
};

struct hmf__needed { /* a number said to be in a field, to be checked when the struct is complete */
    uint32_t in, field;
    size_t at;
    const char *what;
    const int *steps; /* from that field to the number, if it is within */
    uint32_t nsteps;
};

struct hmf__counted { /* a counted pointer, to be checked when what is behind it is complete */
    uint32_t node;
    size_t at;
    const char *of;
};

struct hmf__parser {
    struct hmf__compiler *c;
    const char *of;      /* name of the user type, or NULL */
    const int *desc;
    size_t len, pos;
    const char *const *names;
    size_t nnames, next_name;
    uint32_t enclosing[HMF__MAX_DEPTH + 1];
    int hops[HMF__MAX_DEPTH + 1]; /* pointers passed when that struct was entered */
    int nenclosing, pointers;
    struct hmf__needed *lengths;
    size_t nlengths, lengths_cap;
};

/* ---- desc.c ---- */

/* Whatever the description says next.  pointee: it stands behind a pointer, need not be complete.
 * HMF_ERR_TYPE with the position, HMF_ERR_LIMIT, HMF_ERR_NOMEM, as for all here. */
hmf_status_t hmf__desc_type(struct hmf__parser *p, int depth, bool pointee, uint32_t *out);

/* A whole description; `into` is a reserved node or HMF__TYPE_NONE. */
hmf_status_t hmf__desc_whole(struct hmf__parser *p, int depth, uint32_t into,
                             const struct hmf_type_layout *layout, uint32_t *out);

/* One more int of the description, as an operand of the word at `at`. */
hmf_status_t hmf__desc_operand(struct hmf__parser *p, size_t at, const char *what, int *out);

hmf_status_t hmf__desc_wrong(const struct hmf__parser *p, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
hmf_status_t hmf__desc_no_memory(void);
bool hmf__desc_grow(void **v, size_t *cap, size_t n, size_t each);

/* ---- desc_struct.c ---- */

/* `-n type1 ... typen` into node `id` (reserved), with an optional given layout. */
hmf_status_t hmf__desc_struct(struct hmf__parser *p, int depth, uint32_t id, bool packed,
                              const struct hmf_type_layout *layout);

/* typeUNION field n v1 T1 ... vn Tn; typeUNIONELSE ... Telse; into a reserved node or a new one. */
hmf_status_t hmf__desc_union(struct hmf__parser *p, int depth, size_t at, uint32_t into,
                             uint32_t *out);

/* ---- desc_depend.c ---- */

/* An operand that names a field: where the number is that node depends on, at most so many
 * pointers away. */
hmf_status_t hmf__desc_field(struct hmf__parser *p, size_t at, const char *what, int max_hops,
                             struct hmf__type *node);

/* Where a union's discriminant is: a field, a path to one, or -1.  Words become the node's if something
 * is wrong, too. */
hmf_status_t hmf__desc_discriminant(struct hmf__parser *p, size_t at, struct hmf__type *node);

/* How many elements stand behind node: a field's number or an expression.  Its words become the
 * node's if something is wrong, too. */
hmf_status_t hmf__desc_length(struct hmf__parser *p, size_t at, int max_hops,
                              struct hmf__type *node);

/* All fields that hold lengths and discriminants exist and are integers. */
hmf_status_t hmf__desc_check_lengths(const struct hmf__parser *p);

/* ---- desc_compile.c ---- */

/* A user type, whose number is at position at. */
hmf_status_t hmf__desc_user(struct hmf__parser *p, int depth, size_t at, bool pointee,
                            uint32_t *out);

#endif
