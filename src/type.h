/* Types as the library holds them: a table of nodes with layout, compiled from descriptions or
 * read from an image.  Offsets and sizes are those of one ABI, the table's.
 *
 * Knows nothing of variables, memory or pointers' values.  One table, one thread at a time.
 */
#ifndef HMF__TYPE_H
#define HMF__TYPE_H

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hmf__buf;

/* Limits, all documented in doc/type-language.md. */
enum {
    HMF__MAX_DEPTH = 64,      /* nested structs, arrays, pointers in one description */
    HMF__MAX_FIELDS = 65535,  /* of one struct */
    HMF__MAX_WIDTH = 1 << 20, /* fields of a struct with those of structs nested in it */
    HMF__MAX_NAME = 1023,     /* bytes of a name */
    HMF__MAX_TYPES = 1 << 20  /* nodes of a table */
};
#define HMF__OFFSET_NATURAL UINT64_MAX /* of a bit-field in a given layout: behind the one before */
#define HMF__MAX_SIZE ((uint64_t)1 << 60) /* bytes of one element or variable; also leaves */

/* Kinds of nodes; numbers are part of the image format, append-only. */
enum hmf__kind {
    HMF__KIND_NONE = 0,
    HMF__KIND_INT = 1,     /* leaf: integer, see is_signed; includes char, bool, enum */
    HMF__KIND_FLOAT = 2,   /* leaf: real floating point, format by size and ABI */
    HMF__KIND_COMPLEX = 3, /* leaf: two of HMF__KIND_FLOAT */
    HMF__KIND_OPAQUE = 4,  /* leaf: bytes that nobody interprets */
    HMF__KIND_POINTER = 5, /* leaf: saved as a reference; elem = what it points to */
    HMF__KIND_FUNCTION = 6, /* leaf: function pointer, saved by name */
    HMF__KIND_HANDLE = 7,  /* leaf: a foreign handle (MPI ...), saved by a hook of its number */
    HMF__KIND_BITS = 8,    /* leaf: a bit-field of count bits; only a field of a struct */
    HMF__KIND_TRANSIENT = 9, /* leaf: not saved, zero after restoring */
    HMF__KIND_ARRAY = 16,  /* count x elem */
    HMF__KIND_STRUCT = 17,
    HMF__KIND_UNION = 18,  /* fields are its branches; an integer tells which one holds */
    HMF__KIND_FSTRING = 19, /* count characters, of fixed length */
    HMF__KIND_CSTRING = 20, /* only pointed to: characters up to and with the NUL */
    HMF__KIND_VOID = 21,   /* only pointed to: nothing known */
    HMF__KIND_FLEX = 22    /* last field of a struct: elements behind it, a block of their own */
};

/* Leaves that are saved as references: one of a type's nslots. */
static inline bool hmf__kind_refers(enum hmf__kind kind)
{
    return kind == HMF__KIND_POINTER || kind == HMF__KIND_FUNCTION || kind == HMF__KIND_HANDLE;
}

enum { HMF__TYPE_NONE = UINT32_MAX };

/* Formats of long double; numbers are part of the image format. */
enum hmf__ldouble {
    HMF__LD_DOUBLE = 1, /* IEEE binary64 */
    HMF__LD_X87 = 2,    /* 80-bit extended, in 12 or 16 bytes */
    HMF__LD_QUAD = 3,   /* IEEE binary128 */
    HMF__LD_PAIR = 4    /* sum of two binary64 */
};

/* The conventions of the machine that a layout is for. */
struct hmf__abi {
    uint8_t big_endian;   /* 0 or 1 */
    uint8_t pointer_size; /* 4 or 8; long has the same */
    uint8_t char_signed;  /* 0 or 1 */
    uint8_t max_align;    /* alignment of double and int64_t in a struct */
    uint8_t ldouble;      /* enum hmf__ldouble */
    uint8_t ldouble_size; /* bytes in memory */
    uint8_t ldouble_align;
};

/* Where the number is that a type depends on: of the elements behind a pointer or a struct, or a
 * union's discriminant.  Numbers are part of the image format. */
enum hmf__length {
    HMF__LEN_FIXED = 0, /* one object behind it; union: the integer that each branch begins with */
    HMF__LEN_FIELD = 1, /* in a field of the len_up-th struct around */
    HMF__LEN_OUTER = 2, /* likewise, of the struct whose pointer led to this pointer's block */
    HMF__LEN_PATH = 3   /* union: likewise, within that field: by expr */
};

struct hmf__field {
    char *name; /* owned by the table */
    uint64_t offset;
    uint32_t type;
    uint32_t align; /* natural layout: at least this; 0: the type's */
    int64_t value;  /* union: the discriminant's value for this branch; bit-field: how many bits of
                     * the byte at offset belong to fields before it */
};

struct hmf__type {
    enum hmf__kind kind;
    bool is_signed;       /* INT */
    bool special;         /* some leaf is not plain data: it must not be sent as it is */
    uint32_t number;      /* typemap.h number: 100.. for leaves, 10000.. for a user type, else 0 */
    uint32_t align;
    uint32_t depth;       /* nesting of structs and arrays: 0 for leaves */
    uint32_t width;       /* fields all told when written out, an array's element once */
    uint64_t size;        /* bytes; CSTRING: 1, VOID, FLEX: 0; a struct with FLEX ends there */
    uint64_t count;       /* ARRAY, FSTRING: elements; BITS: bits */
    uint32_t elem;        /* ARRAY, POINTER, FLEX: type; else HMF__TYPE_NONE */
    uint32_t nfields;     /* STRUCT, UNION */
    struct hmf__field *fields;
    uint64_t nleaves;     /* scalars, those of nested types counted */
    uint64_t nslots;      /* pointers among them */
    char *name;           /* user type's name, or NULL; owned by the table */
    enum hmf__length len; /* POINTER, FLEX, UNION */
    uint32_t len_field, len_up;
    int32_t *expr;        /* POINTER, FLEX: instead, the words of an expression (length.h); UNION:
                           * those of typePATH ... */
    uint32_t nexpr;       /* ... or 0; owned by the table */
    bool weak;            /* POINTER */
    bool packed;          /* STRUCT: natural layout without padding */
    bool otherwise;       /* UNION: the last branch holds for all other values */
    bool unnamed;         /* BITS: padding that holds no value */
    bool flex;            /* STRUCT: the last field is FLEX */
    bool choice;          /* some part is a union */
};

/* Open for reading; changed only by the functions below. */
struct hmf__types {
    struct hmf__type *v;
    uint32_t n, cap;
    struct hmf__abi abi;
    uint32_t *classes;  /* see hmf__types_classes */
    uint32_t nclassed;  /* nodes that classes[] covers */
    uint32_t void_id;   /* a VOID node, if there are weak pointers */
    struct hmf__types_cache *cache; /* descriptions compiled before */
};

/* This process's ABI. */
void hmf__abi_native(struct hmf__abi *out);

/* HMF_ERR_FORMAT if no machine is like that. */
hmf_status_t hmf__abi_check(const struct hmf__abi *abi);

void hmf__types_init(struct hmf__types *t, const struct hmf__abi *abi); /* NULL: native */
void hmf__types_fini(struct hmf__types *t);

/* Compile a description (typemap.h).  The table is unchanged after an error.
 * HMF_ERR_TYPE (text: position and what is wrong there), HMF_ERR_LIMIT, HMF_ERR_NOMEM. */
hmf_status_t hmf__types_compile(struct hmf__types *t, const int *desc, size_t len,
                                const char *const *field_names, uint32_t *out);

/* The description of a node, appended as i32 fields; the same ints that could be compiled again
 * (nested user types are written out, recursion as typeSELF). */
hmf_status_t hmf__types_describe(const struct hmf__types *t, uint32_t id, struct hmf__buf *out);

/* Append a node; the fields, expression and name become the table's also after an error.  For compilers. */
hmf_status_t hmf__types_add(struct hmf__types *t, const struct hmf__type *node, uint32_t *out);

/* A leaf of a basic number with this table's layout; HMF__TYPE_NONE size: no such number. */
bool hmf__types_basic(const struct hmf__types *t, uint32_t number, struct hmf__type *out);

/* Set size, align, nleaves, ... of node id from its children, which must be complete.
 * keep_layout: offsets and size are given (and checked), else natural alignment is laid out. */
hmf_status_t hmf__types_finish(struct hmf__types *t, uint32_t id, bool keep_layout);

/* Nodes of one class are the same type: equal structure and layout, whatever their names.
 * classes[id] is the smallest such node.  Computed when needed; HMF_ERR_NOMEM. */
hmf_status_t hmf__types_classes(struct hmf__types *t);

/* Take arrays off: `count` elements of *elem. */
void hmf__types_flatten(const struct hmf__types *t, uint32_t id, uint32_t *elem, uint64_t *count);

/* Short C-like text for messages: "double", "struct node", "int [4]", "pointer to ...". */
const char *hmf__type_text(const struct hmf__types *t, uint32_t id, char *buf, size_t size);

/* Is this long double, or complex of it? */
bool hmf__type_is_ldouble(const struct hmf__type *y);

/* Name of a basic number as C writes it, or NULL. */
const char *hmf__basic_name(uint32_t number);

/* ---- layout.c: leaves, offsets, paths ---- */

/* Where a branch of a union is meant, `memory` (may be NULL) is the element, in the table's ABI,
 * from which its discriminant is read; without it, or where that selects none, it is the first. */

/* Offset of leaf `leaf` (< nleaves, or = nleaves: the size) in one element of type id. */
uint64_t hmf__layout_offset(const struct hmf__types *t, uint32_t id, uint64_t leaf);

/* The leaf that starts at `offset` (< size); false: no leaf starts there. */
bool hmf__layout_leaf(const struct hmf__types *t, uint32_t id, const void *memory,
                      uint64_t offset, uint64_t *leaf);

/* Is there, at `offset` of an array of elements of type id, an object of type `want` (a class
 * representative that is no array)?  *room: how many of them follow each other there.
 * memory: of the whole array. */
bool hmf__layout_holds(const struct hmf__types *t, uint32_t id, uint64_t count,
                       const void *memory, uint64_t offset, uint32_t want, uint64_t *room);

/* Path of the leaf at or around `offset`, e.g. ".boxes[3].x"; cut to size.  bit: of that byte, for
 * a bit-field; else 0. */
const char *hmf__layout_path(const struct hmf__types *t, uint32_t id, const void *memory,
                             uint64_t offset, unsigned bit, char *buf, size_t size);

/* Path of a leaf. */
const char *hmf__layout_leaf_path(const struct hmf__types *t, uint32_t id, uint64_t leaf,
                                  char *buf, size_t size);

#endif
