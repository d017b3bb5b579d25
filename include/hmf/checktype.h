/* Descriptions made from the source itself: the marks, and what the generated files use.
 *
 * hmf-checktype(1) reads a source with these marks and writes the descriptions that one would
 * otherwise write as arrays of int (typemap.h).  To every compiler the marks are nothing.
 *
 *     checktype typedef struct grid {
 *         int nx, ny;
 *         double *row HMF_LEN(nx);
 *         char *title HMF_STRING;
 *         FILE *log HMF_TRANSIENT;
 *     } grid_t;
 *
 *     static checktype grid_t grid;              registered by HMF_TRACK_ALL()
 *     ...
 *     HMF_TRACK(step);                           any variable that has a name here
 *     HMF_TRACK_POINTER(u, n);                   the pointer u, with the n elements behind it
 *     HMF_TRACK_ARRAY(v, n);                     the n elements that v points to, where they are
 *
 * Marks stand before a typedef or variable, between `struct` and the tag, or behind the name of a
 * field:
 *
 *   checktype              describe this type, with all that it leads to; or: track this variable
 *   HMF_LEN(n)             pointer or flexible array: as many elements as the field n of the same
 *                          struct says, or an expression: HMF_LEN((nx + 2) * ny). Fields, those of
 *                          structs and arrays within the struct (size.n[0]), numbers, + - * /
 *                          and parentheses; whole numbers of at least 0 (doc/type-language.md).
 *                          A pointer to pointers has one length a level: HMF_LEN(nrows, ncols)
 *   HMF_ONE                pointer: leads to one object (said of pointers to plain numbers)
 *   HMF_BLOCK              pointer: leads to as much as its block of the heap holds, where the
 *                          library knows the heap (hmf/heap.h); elsewhere as HMF_ONE
 *   HMF_STRING             char *: a NUL-terminated string; char [n]: text of fixed length
 *   HMF_POINTS_TO(type)    void *: leads to an object of this type (with HMF_LEN: to several);
 *                          HMF_POINTS_TO(void): to something that is described elsewhere
 *   HMF_WEAK               pointer: does not keep its target; NULL unless something else leads there
 *   HMF_TRANSIENT          not saved: all bytes zero afterwards
 *   HMF_OPAQUE             carried as the bytes that it is; between equal machines only
 *   HMF_SWITCH(kind)       union: the field `kind` beside it says which member holds, or one within
 *                          a field: HMF_SWITCH(head.kind), HMF_SWITCH(tags[1]);
 *   HMF_CASE(values)       its members: this one if the field has one of these values,
 *   HMF_DEFAULT            or this one if no other fits
 *   HMF_AS(member)         union: it always is this member
 *
 * The structures below belong to generated files.  Threads: any.  Not collective.
 */
#ifndef HMF_CHECKTYPE_H
#define HMF_CHECKTYPE_H

#include "hmf/function.h"
#include "hmf/status.h"
#include "hmf/type.h"
#include "typemap.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- marks ---- */

/* hmf-checktype defines __HMF_CHECKTYPE__ while it reads. */
#ifdef __HMF_CHECKTYPE__
#define HMF_TEXT_(...) #__VA_ARGS__
#define HMF_NOTE_(text) __attribute__((annotate(text)))
#define checktype HMF_NOTE_("hmf:checktype")
#define HMF_LEN(...) HMF_NOTE_("hmf:len=" HMF_TEXT_(__VA_ARGS__))
#define HMF_ONE HMF_NOTE_("hmf:one")
#define HMF_BLOCK HMF_NOTE_("hmf:block")
#define HMF_STRING HMF_NOTE_("hmf:string")
#define HMF_POINTS_TO(...) HMF_NOTE_("hmf:points_to=" #__VA_ARGS__)
#define HMF_WEAK HMF_NOTE_("hmf:weak")
#define HMF_TRANSIENT HMF_NOTE_("hmf:transient")
#define HMF_OPAQUE HMF_NOTE_("hmf:opaque")
#define HMF_SWITCH(field) HMF_NOTE_("hmf:switch=" #field)
#define HMF_CASE(...) HMF_NOTE_("hmf:case=" #__VA_ARGS__)
#define HMF_DEFAULT HMF_NOTE_("hmf:default")
#define HMF_AS(member) HMF_NOTE_("hmf:as=" #member)
#else
#define checktype
#define HMF_LEN(...)
#define HMF_ONE
#define HMF_BLOCK
#define HMF_STRING
#define HMF_POINTS_TO(...)
#define HMF_WEAK
#define HMF_TRANSIENT
#define HMF_OPAQUE
#define HMF_SWITCH(field)
#define HMF_CASE(...)
#define HMF_DEFAULT
#define HMF_AS(member)
#endif

/* What hmf-checktype makes of grid.c, kept as a file, stands at the end of grid.c:
 *
 *     #ifdef HMF_INCLUDE_DESCRIPTIONS
 *     #include "grid.types.h"
 *     #endif
 *
 * Not defined while hmf-checktype reads, nor by hmfcc, which puts them there by itself. */
#if !defined(__HMF_CHECKTYPE__) && !defined(__HMFCC__)
#define HMF_INCLUDE_DESCRIPTIONS 1
#endif

/* ---- registering variables ---- */

/* HMF_TRACK(x): registers the variable x under the name "x", with the description that
 * hmf-checktype made for it.  x may be any expression with an address: `sim`, `*sim`, `p->grid`.
 * Value: as auto_track (auto.h), and HMF_ERR_NOTFOUND if no generated file knows x.
 *
 * HMF_TRACK_ARRAY(p, n): registers the n elements that p points to, under the name "p[]": they stay
 * where they are.  The pointer is a variable of its own: HMF_TRACK(p) if the program sets it anew.
 *
 * HMF_TRACK_POINTER(p, n): registers the pointer p under the name "p", and with it the n elements
 * (1 to INT_MAX) that it leads to whenever the state is saved, or NULL.  Read back it leads to a
 * fresh block of malloc, or into whatever variable it led into; what it led to before auto_read is
 * left alone.  So the program may set or swap it at will.  Value: as HMF_TRACK, HMF_ERR_ARG if n is
 * out of range.
 *
 * HMF_TRACK_ALL(): registers all variables that are marked with checktype, those of generated
 * files in the order of their names. */
#ifdef __HMF_CHECKTYPE__
#define HMF_TRACKED_(name, type)                                                                  \
    (__extension__({                                                                              \
        HMF_NOTE_("hmf:track=" name) type *hmf_tracked_ = 0;                                      \
        (void)hmf_tracked_;                                                                       \
        0;                                                                                        \
    }))
#define HMF_TRACK(x) HMF_TRACKED_(#x, __typeof__(x))
#define HMF_TRACK_ARRAY(p, n) ((void)(n), HMF_TRACKED_(#p "[]", __typeof__(*(p))))
#define HMF_TRACK_POINTER(p, n) HMF_TRACK_ARRAY(p, n)
#else
#define HMF_TRACK(x) hmf_checktype_track(#x, (void *)&(x), sizeof(x))
#define HMF_TRACK_ARRAY(p, n) hmf_checktype_track(#p "[]", (void *)(p), (size_t)(n) * sizeof *(p))
#define HMF_TRACK_POINTER(p, n)                                                                   \
    hmf_checktype_track_pointer(#p, (void *)&(p), (size_t)(n), #p "[]")
#endif
#define HMF_TRACK_ALL() hmf_checktype_track_all()

/* HMF_TRACK_AS(x, "struct grid"): registers x as an object of the type of that name, or as an
 * array of such. */
#define HMF_TRACK_AS(x, type_name)                                                                \
    hmf_checktype_track_as(#x, (void *)&(x), sizeof(x), type_name)

int hmf_checktype_track(const char *name, void *address, size_t size);
int hmf_checktype_track_as(const char *name, void *address, size_t size, const char *type_name);
int hmf_checktype_track_pointer(const char *name, void *address, size_t n, const char *elements);
int hmf_checktype_track_all(void);

/* ---- what generated files are made of ---- */

/* The number of elements of a member that is an array. */
#define HMF_DIM_(type, member)                                                                    \
    ((int)(sizeof((type *)0)->member / sizeof *((type *)0)->member))

#define HMF_SIZE_(type, member) ((int)sizeof(((type *)0)->member))

/* An integer type of which only the machine knows the width. */
#define HMF_INTEGER_(lvalue)                                                                      \
    ((__typeof__(lvalue))-1 < (__typeof__(lvalue))1                                               \
         ? (sizeof(lvalue) == 8   ? typeINT64                                                     \
            : sizeof(lvalue) == 4 ? typeINT32                                                     \
            : sizeof(lvalue) == 2 ? typeINT16                                                     \
                                  : typeINT8)                                                     \
         : (sizeof(lvalue) == 8   ? typeUINT64                                                    \
            : sizeof(lvalue) == 4 ? typeUINT32                                                    \
            : sizeof(lvalue) == 2 ? typeUINT16                                                    \
                                  : typeUINT8))

/* A type that is defined inside another one. */
#ifdef __cplusplus
#define HMF_NESTED_(c, cxx) cxx
#else
#define HMF_NESTED_(c, cxx) c
#endif

/* Between two fields there is no room for one that the description does not know. */
#define HMF_END_(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))
#define HMF_NEXT_(type, before, member)                                                           \
    (offsetof(type, member) < HMF_END_(type, before) + __alignof__(((type *)0)->member))
#define HMF_LAST_(type, member) (sizeof(type) < HMF_END_(type, member) + __alignof__(type))
#define HMF_ASSERT_(name, condition)                                                              \
    extern char name##_has_changed_run_hmf_checktype_again[(condition) ? 1 : -1]

#define HMF_COUNT_(array) (sizeof(array) / sizeof *(array))

struct hmf_checktype_type {
    int number;             /* 2^30 and up */
    const char *name;
    const int *desc;
    size_t desc_len;
    const char *const *fields;
    struct hmf_type_layout layout;
};

struct hmf_checktype_variable {
    const char *name;
    void *address;          /* NULL: a variable of a function, HMF_TRACK has it */
    size_t size;            /* with address */
    const int *desc;
    size_t desc_len;
    int tracked;            /* 1: by HMF_TRACK_ALL */
};

struct hmf_checktype_function {
    const char *name;
    hmf_function_t function;
};

struct hmf_checktype_unit {
    int version;            /* 1 */
    const char *source;
    const struct hmf_checktype_type *types;
    size_t ntypes;
    const struct hmf_checktype_variable *variables;
    size_t nvariables;
    const struct hmf_checktype_function *functions;
    size_t nfunctions;
    struct hmf_checktype_unit *next; /* the library's */
};

/* Makes a generated file known; it calls this before main.  The unit stays the caller's and
 * valid for good. */
void hmf_checktype_add(struct hmf_checktype_unit *unit);

/* Defines (hmf_type_define, hmf_function_define) all types and functions of the generated files
 * that are known; HMF_TRACK does so by itself.  HMF_ERR_NAME: two types want one number, or what
 * the program defined itself is in the way.  HMF_ERR_VERSION: a generated file is from another
 * version: run hmf-checktype again.  HMF_ERR_ARG, HMF_ERR_NOMEM. */
hmf_status_t hmf_checktype_define(void);

/* The description of a tracked variable or, with a type's name ("struct grid", "grid_t"), of the
 * type; for use with auto_track.  Borrowed for good.  HMF_ERR_NOTFOUND; HMF_ERR_NAME: several
 * generated files know the name with different descriptions.  As hmf_checktype_define. */
hmf_status_t hmf_checktype_find(const char *name, const int **desc, size_t *desc_len);

#ifdef __cplusplus
}
#endif
#endif
