/* Types as the library holds them: a table of nodes with layout, compiled from descriptions or
 * read from an image.  Offsets and sizes are those of one ABI, the table's.
 *
 * Knows nothing of variables, memory or pointers' values.
 */
#ifndef HMF__TYPE_H
#define HMF__TYPE_H

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of nodes; numbers are part of the image format, append-only. */
enum hmf__kind {
    HMF__KIND_NONE = 0,
    HMF__KIND_INT = 1,     /* leaf: integer, see sign; includes char, bool, enum */
    HMF__KIND_FLOAT = 2,   /* leaf: real floating point, format by size and ABI */
    HMF__KIND_COMPLEX = 3, /* leaf: two of HMF__KIND_FLOAT */
    HMF__KIND_OPAQUE = 4,  /* leaf: bytes that nobody interprets */
    HMF__KIND_POINTER = 5, /* leaf: saved as a reference; elem = what it points to */
    HMF__KIND_FUNCTION = 6,/* leaf: function pointer, saved by name */
    HMF__KIND_HANDLE = 7,  /* leaf: a foreign handle (MPI ...), saved by a hook of its number */
    HMF__KIND_BITS = 8,    /* leaf: a bit-field */
    HMF__KIND_TRANSIENT = 9, /* leaf: not saved, zero after restoring */
    HMF__KIND_ARRAY = 16,  /* count x elem */
    HMF__KIND_STRUCT = 17,
    HMF__KIND_UNION = 18,
    HMF__KIND_FSTRING = 19,/* count characters, of fixed length */
    HMF__KIND_CSTRING = 20,/* only pointed to: characters up to and with the NUL */
    HMF__KIND_VOID = 21    /* only pointed to: nothing known */
};

enum { HMF__TYPE_NONE = UINT32_MAX };

/* The conventions of the machine that a layout is for. */
struct hmf__abi {
    uint8_t big_endian;    /* 0 or 1 */
    uint8_t pointer_size;  /* 4 or 8 */
    uint8_t char_signed;   /* 0 or 1 */
    uint8_t ldouble;       /* enum hmf__ldouble */
    uint8_t ldouble_size;  /* bytes in memory */
};

enum hmf__ldouble { /* format of long double; numbers are part of the image format */
    HMF__LD_DOUBLE = 1, HMF__LD_X87 = 2, HMF__LD_QUAD = 3, HMF__LD_PAIR = 4
};

struct hmf__field {
    const char *name; /* owned by the table */
    uint64_t offset;
    uint32_t type;
};

struct hmf__type {
    enum hmf__kind kind;
    bool is_signed;       /* INT */
    uint32_t number;      /* typemap.h number: 100.. for leaves, 10000.. for a user type, else 0 */
    uint32_t align;
    uint64_t size;        /* bytes; CSTRING: 1, VOID: 0 */
    uint64_t count;       /* ARRAY, FSTRING: elements; POINTER: elements pointed to */
    uint32_t elem;        /* ARRAY, POINTER: type; else HMF__TYPE_NONE */
    uint32_t nfields;     /* STRUCT, UNION */
    struct hmf__field *fields;
    uint64_t nleaves;     /* scalars, nested ones counted */
    uint64_t nslots;      /* pointer leaves among them */
    const char *name;     /* user type's name, or NULL; owned by the table */
};

struct hmf__types {
    struct hmf__type *v;
    uint32_t n, cap;
    struct hmf__abi abi;
};

/* This process's ABI. */
void hmf__abi_native(struct hmf__abi *out);

#endif
