/* Type numbers for descriptions of C types, as arrays of int.
 *
 * Basic types have numbers 0-999, structured (reserved) types 1000-9999, user types 10000 and up.
 * Numbers are append-only: one that is given away is never used for something else.
 * The grammar, with the C that each form stands for, is in doc/type-language.md; in short:
 *
 *   type := basic                                   a basic type below
 *         | typeARRAY n type                        T x[n]
 *         | typePOINTER type                        T *x (NULL allowed)
 *         | typePOINTER typeARRAY n type            pointer to n elements of T
 *         | typePOINTER typeCSTRING                 char *x, a NUL-terminated string
 *         | typePOINTER typeVOID                    void *x, to something else described
 *         | typeCOUNTED field type                  T *x, as many elements as the field says
 *         | typeWEAK type                           T *x, NULL if nothing else leads there
 *         | typeFUNCTION                            a pointer to a function, saved by name
 *         | typeMPI_COMM ... typeMPI_MESSAGE        a handle of MPI, saved as what it stands for
 *         | typeFSTRING n                           char x[n] that holds text
 *         | typeOPAQUE n                            n bytes that nobody interprets
 *         | typeTRANSIENT type                      a T that is not saved: zero afterwards
 *         | -n type1 ... typen                      a struct of n fields
 *         | typePACKED -n type1 ... typen           the same, packed
 *         | typeUNION field n v1 type1 ... vn typen a union; the field says which branch holds
 *         | typeUNIONELSE field n v1 type1 ... vn typen type   likewise, with one for other values
 *         | typeBITS n type                         a field, T x : n
 *         | typeFLEX field type                     the last field, T x[]; the field says how many
 *         | typeALIGNED a type                      a field with _Alignas(a)
 *         | typeSELF k                              the k-th enclosing struct, 0 = innermost
 *         | user type number                        a type defined before (hmf/type.h)
 *
 * A field is given by its number in the enclosing struct, from 0; typeUP(k, field) means a field
 * of the k-th struct around that one.  In typeCOUNTED and typeFLEX an expression may stand there:
 *
 *   length := field | typeNUMBER n | typePATH n field step2 ... stepn
 *           | typeADD length length | typeSUB ... | typeMUL ... | typeDIV ...
 *
 * A path leads into a field: steps are numbers of fields of nested structs, or indices.
 * A union has a field or such a path for its discriminant, or -1 if it is what all its branches
 * begin with.
 */
#ifndef TYPEMAP_H
#define TYPEMAP_H

/* ---- basic types ---- */
#define typeCHAR 100
#define typeDOUBLE 101
#define typeFLOAT 102
#define typeINT 103
#define typeLONG 104
#define typeSHORT 105
#define typeUINT 106
#define typeULONG 107
#define typeUSHORT 108
#define typeSCHAR 109      /* signed char */
#define typeUCHAR 110      /* unsigned char */
#define typeLLONG 111      /* long long */
#define typeULLONG 112     /* unsigned long long */
#define typeBOOL 113       /* bool */
#define typeLDOUBLE 114    /* long double */
#define typeINT8 115       /* int8_t */
#define typeUINT8 116      /* uint8_t */
#define typeINT16 117      /* int16_t */
#define typeUINT16 118     /* uint16_t */
#define typeINT32 119      /* int32_t */
#define typeUINT32 120     /* uint32_t */
#define typeINT64 121      /* int64_t */
#define typeUINT64 122     /* uint64_t */
#define typeSIZE 123       /* size_t */
#define typeSSIZE 124      /* ssize_t */
#define typePTRDIFF 125    /* ptrdiff_t */
#define typeINTPTR 126     /* intptr_t holding a number, not an address */
#define typeUINTPTR 127    /* uintptr_t holding a number, not an address */
#define typeWCHAR 128      /* wchar_t */
#define typeTIME 129       /* time_t */
#define typeOFF 130        /* off_t */
#define typeFCOMPLEX 131   /* float complex */
#define typeDCOMPLEX 132   /* double complex */
#define typeLDCOMPLEX 133  /* long double complex */
#define typeENUM 134       /* an enum of int's size */

/* ---- handles of MPI: see doc/mpi-handles.md ---- */
#define typeMPI_COMM 140
#define typeMPI_GROUP 141
#define typeMPI_DATATYPE 142
#define typeMPI_OP 143
#define typeMPI_REQUEST 144
#define typeMPI_WIN 145
#define typeMPI_FILE 146
#define typeMPI_INFO 147
#define typeMPI_ERRHANDLER 148
#define typeMPI_MESSAGE 149

/* ---- structured types ---- */
#define typeARRAY 1000     /* typeARRAY, n, type */
#define typePOINTER 1001   /* typePOINTER, type */
#define typeCSTRING 1002   /* after typePOINTER only */
#define typeFSTRING 1003   /* typeFSTRING, n */
#define typeUNION 1004     /* typeUNION, field, n, value1, type1, ... */
#define typeSELF 1005      /* typeSELF, k */
#define typeVOID 1006      /* after typePOINTER only */
#define typeCOUNTED 1007   /* typeCOUNTED, field, type */
#define typeFLEX 1008      /* typeFLEX, field, type: last field of a struct */
#define typeBITS 1009      /* typeBITS, n, type: a field; 0 and -n: without a name */
#define typeFUNCTION 1010
#define typeWEAK 1011      /* typeWEAK, type */
#define typeOPAQUE 1012    /* typeOPAQUE, n */
#define typeTRANSIENT 1013 /* typeTRANSIENT, type */
#define typePACKED 1014    /* typePACKED, -n, ... */
#define typeALIGNED 1015   /* typeALIGNED, a, type */
#define typeUNIONELSE 1016 /* typeUNIONELSE, field, n, value1, type1, ..., type */

#define typeUP(k, field) ((k) * 65536 + (field))

/* ---- expressions: where the field stands in typeCOUNTED and typeFLEX ---- */
#define typeNUMBER (-1101) /* typeNUMBER, n */
#define typePATH (-1102)   /* typePATH, n, field, step2, ..., stepn */
#define typeADD (-1103)    /* typeADD, length, length */
#define typeSUB (-1104)
#define typeMUL (-1105)
#define typeDIV (-1106)

/* ---- user types ---- */
#define typeUSER_FIRST 10000

#endif
