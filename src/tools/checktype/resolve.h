/* hmf-checktype: what the files that make descriptions share. */
#ifndef CHECKTYPE_RESOLVE_H
#define CHECKTYPE_RESOLVE_H

#include "model.h"

/* The field or variable at hand. */
struct subject {
    struct ct_source *s;
    struct ct_record *r;     /* whose description is being made, or NULL: a variable */
    struct ct_record *around[CT_MAX_LEVELS]; /* innermost first, with fields to refer to */
    int naround;
    const struct ct_notes *notes;
    struct ct_place place;
    const char *what;        /* "struct node, field kids" */
    const char *owner;       /* of a field: the C type and the member, as offsetof takes them */
    const char *member;
    const char *lvalue;      /* else an expression of this type, never evaluated */
    int levels;              /* of pointers passed */
    int depth;               /* of arrays and pointers */
};

/* ---- resolve.c ---- */
/* A finding about the subject; NULL. */
const char *ct_refuse(const struct subject *j, const char *why);
/* One field of a struct, or one member of a union, that stands in `in`; NULL: a finding says why
 * not. */
const char *ct_describe_field(const struct subject *outer, struct ct_record *in,
                              struct ct_field *f);
/* Fields get their numbers before any is described: lengths refer to them. */
void ct_number_fields(struct ct_record *r);
/* The name of the next field or branch in the order of the description. */
void ct_add_name(struct ct_record *r, const char *name);

/* ---- union.c ---- */
const char *ct_describe_union(struct subject *j, struct ct_record *u);

/* ---- length.c ---- */
/* A length as descriptions say it: that many times `array` elements of the type behind. */
struct ct_count {
    const char *count; /* the argument of typeCOUNTED and typeFLEX; NULL: a fixed number */
    const char *array; /* C that compiles to a number; NULL: 1 */
};
/* What HMF_LEN's expression `text` means over the fields of the innermost naround records; false: a
 * finding says why that is nothing. */
bool ct_count_of(struct subject *j, const char *text, int naround, struct ct_count *out);
/* Likewise HMF_SWITCH's field, as unions are told by it; NULL: a finding says why there is none. */
const char *ct_discriminant(struct subject *j, const char *text);
const struct ct_field *ct_field_named(const struct ct_record *r, const char *name);

#endif
