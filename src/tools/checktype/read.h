/* hmf-checktype: what the files that read the compiler's tree share.  They alone know libclang:
 * read.c goes through the declarations, readcode.c through variables and the bodies of functions,
 * readtype.c has C's types, readrecord.c structs and unions. */
#ifndef CHECKTYPE_READ_H
#define CHECKTYPE_READ_H

#include "model.h"

#include <clang-c/Index.h>

struct named { /* a type that marks may name */
    const char *name;
    CXType type;
};

struct cursor { /* what a record's `cursor` leads to */
    CXCursor c;
};

struct reader {
    struct ct_source *s;
    const struct ct_options *o;
    size_t nread; /* records whose fields are read */
    struct named *names;
    size_t nnames, names_cap;
    struct ct_record **roots; /* marked */
    size_t nroots, roots_cap;
};

/* ---- readtype.c ---- */
/* A copy for good of a text of libclang's, which is given back. */
char *ct_keep(CXString s);
/* Where the source says it: of something made by a macro, where the macro is used. */
struct ct_place ct_place_of(CXCursor c);
bool ct_in_system(CXCursor c);
/* The marks at a declaration; returns what HMF_TRACK says there, or NULL. */
const char *ct_notes_of(struct reader *rd, CXCursor c, struct ct_notes *out);
/* The model's type; `path` is an expression of that type for what has no name, or NULL. */
struct ct_type *ct_type_of(struct reader *rd, CXType t, const char *path);

/* ---- readrecord.c ---- */
struct ct_record *ct_record_of(struct reader *rd, CXType t, const char *path);
/* The fields of all records that are known by now, and of those that they lead to. */
void ct_read_fields(struct reader *rd);

/* ---- readcode.c ---- */
/* A variable's declaration, `top` outside of functions: is it to be tracked? */
void ct_read_variable(struct reader *rd, CXCursor c, bool top);
/* Bodies and initial values: variables tracked there, functions whose address is taken.  `data` is
 * the reader. */
enum CXChildVisitResult ct_visit_body(CXCursor c, CXCursor parent, CXClientData data);

#endif
