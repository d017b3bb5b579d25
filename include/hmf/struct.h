/* HMF_STRUCT: a struct's description from a list of its fields, by the compiler alone.
 *
 * For machines without libclang; where hmf-checktype(1) can run it needs no list and notices more
 * mistakes.  C11 or GNU C, not C++.
 *
 *     struct grid { int nx, ny; double h[2], *row; char *title; FILE *log; struct grid *next; };
 *
 *     #define GRID_FIELDS(F) \
 *         F(VALUE, nx) F(VALUE, ny) F(ARRAY, h) F(COUNTED, row, nx) F(STRING, title) \
 *         F(TRANSIENT, log) F(LINK, next, 10000)
 *     HMF_STRUCT(10000, struct grid, grid, GRID_FIELDS)
 *
 *     HMF_TRACK_AS(g, "struct grid");
 *
 * All fields are listed, in their order; a field that is left out where there is room for one does
 * not compile.  Kinds of fields:
 *
 *   VALUE, f            a number of a basic type
 *   ARRAY, f            an array of such
 *   TEXT, f             char [n] that holds text
 *   STRING, f           char *, a NUL-terminated string
 *   ONE, f              a pointer to one number
 *   COUNTED, f, n       a pointer to as many numbers as the field n says
 *   LINK, f, type       a pointer to one object of a user type, given by its number
 *   LINKS, f, type, n   a pointer to as many as the field n says
 *   LINK_ARRAY, f, type an array of pointers to such
 *   INNER, f, type      an object of a user type
 *   INNER_ARRAY, f, type an array of such
 *   FUNCTION, f         a pointer to a function
 *   TRANSIENT, f        anything, not saved
 *   OPAQUE, f           anything, carried as its bytes between equal machines
 *
 * HMF_STRUCT(number, type, ident, FIELDS) stands outside of functions.  It defines the user type
 * `number` (10000 to 2^30 - 1, see hmf/type.h) under the name "type" before main; `ident` makes
 * names. */
#ifndef HMF_STRUCT_H
#define HMF_STRUCT_H

#include "hmf/checktype.h"

#include <stdbool.h>
#include <stdint.h>

/* Basic types by themselves: those that C has by several names are what C makes of them. */
#define HMF_BASIC_(x)                                                                             \
    _Generic((x), char: typeCHAR, signed char: typeSCHAR, unsigned char: typeUCHAR,               \
             short: typeSHORT, unsigned short: typeUSHORT, int: typeINT, unsigned: typeUINT,      \
             long: typeLONG, unsigned long: typeULONG, long long: typeLLONG,                      \
             unsigned long long: typeULLONG, float: typeFLOAT, double: typeDOUBLE,                \
             long double: typeLDOUBLE, _Bool: typeBOOL)

#define HMF_F_(f) (((hmf_this_ *)0)->f)

#define HMF_DESC_(kind, ...) HMF_DESC_##kind(__VA_ARGS__)
#define HMF_DESC_VALUE(f) , HMF_BASIC_(HMF_F_(f))
#define HMF_DESC_ARRAY(f) , typeARRAY, HMF_DIM_(hmf_this_, f), HMF_BASIC_(HMF_F_(f)[0])
#define HMF_DESC_TEXT(f) , typeFSTRING, HMF_DIM_(hmf_this_, f)
#define HMF_DESC_STRING(f) , typePOINTER, typeCSTRING
#define HMF_DESC_ONE(f) , typePOINTER, HMF_BASIC_(HMF_F_(f)[0])
#define HMF_DESC_COUNTED(f, n) , typeCOUNTED, hmf_at_##n, HMF_BASIC_(HMF_F_(f)[0])
#define HMF_DESC_LINK(f, type) , typePOINTER, type
#define HMF_DESC_LINKS(f, type, n) , typeCOUNTED, hmf_at_##n, type
#define HMF_DESC_LINK_ARRAY(f, type) , typeARRAY, HMF_DIM_(hmf_this_, f), typePOINTER, type
#define HMF_DESC_INNER(f, type) , type
#define HMF_DESC_INNER_ARRAY(f, type) , typeARRAY, HMF_DIM_(hmf_this_, f), type
#define HMF_DESC_FUNCTION(f) , typeFUNCTION
#define HMF_DESC_TRANSIENT(f) , typeTRANSIENT, typeOPAQUE, HMF_SIZE_(hmf_this_, f)
#define HMF_DESC_OPAQUE(f) , typeOPAQUE, HMF_SIZE_(hmf_this_, f)

#define HMF_FIRST_(f, ...) f
#define HMF_INDEX_(kind, ...) HMF_INDEX2_(HMF_FIRST_(__VA_ARGS__, 0))
#define HMF_INDEX2_(f) HMF_INDEX3_(f)
#define HMF_INDEX3_(f) hmf_at_##f,
#define HMF_NAME_(kind, ...) HMF_NAME2_(HMF_FIRST_(__VA_ARGS__, 0))
#define HMF_NAME2_(f) HMF_NAME3_(f)
#define HMF_NAME3_(f) #f,
#define HMF_OFFSET_(kind, ...) offsetof(hmf_this_, HMF_FIRST_(__VA_ARGS__, 0)),
#define HMF_SUM_(kind, ...) +HMF_ROUND_(HMF_FIRST_(__VA_ARGS__, 0))
#define HMF_ROUND_(f) sizeof(HMF_F_(f))

#define HMF_STRUCT(type_number, type, ident, FIELDS)                                              \
    __attribute__((constructor)) static void hmf_struct_##ident(void)                             \
    {                                                                                             \
        typedef type hmf_this_;                                                                   \
        enum { FIELDS(HMF_INDEX_) hmf_n_ };                                                       \
        static const int desc[] = {-hmf_n_ FIELDS(HMF_DESC_)};                                    \
        static const char *const fields[] = {FIELDS(HMF_NAME_) NULL};                             \
        static const size_t offsets[] = {FIELDS(HMF_OFFSET_)};                                    \
        static const struct hmf_checktype_type this_type[] = {                                    \
            {type_number, #type, desc, HMF_COUNT_(desc), fields,                                  \
             {sizeof(hmf_this_), __alignof__(hmf_this_), offsets, hmf_n_}}};                      \
        static struct hmf_checktype_unit unit = {1, #type, this_type, 1, NULL, 0, NULL, 0, NULL}; \
        /* what is not in the list is padding: less than an alignment for each field */           \
        _Static_assert(sizeof(hmf_this_) - (0 FIELDS(HMF_SUM_)) <                                 \
                           (hmf_n_) * __alignof__(hmf_this_),                                     \
                       "the list of fields of " #type " is not complete");                        \
        hmf_checktype_add(&unit);                                                                 \
    }                                                                                             \
    extern int hmf_struct_##ident##_is_defined

#endif
