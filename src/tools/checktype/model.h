/* What hmf-checktype knows of a source: its types, variables, marks, and what was found wrong.
 *
 * read*.c fill it from the compiler's tree, resolve.c makes descriptions, write.c prints them.
 * Everything lives until the program ends.
 */
#ifndef CHECKTYPE_MODEL_H
#define CHECKTYPE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

enum { CT_MAX_LEVELS = 8, CT_MAX_DEPTH = 64 };

struct ct_place {
    const char *file;
    unsigned line;
};

enum ct_kind {
    CT_BASIC,       /* token says it */
    CT_SYSTEM_INT,  /* an integer type whose width depends on the system */
    CT_RECORD,
    CT_POINTER,
    CT_ARRAY,
    CT_FLEXIBLE,
    CT_FUNCTION,
    CT_VOID,
    CT_INCOMPLETE,  /* a struct that is defined nowhere in the source */
    CT_MPI,         /* a handle of MPI: token, and why is its C name */
    CT_HANDLE,      /* why says what it is: a file, a lock ... */
    CT_STRANGE      /* why says what */
};

struct ct_record;

struct ct_type {
    enum ct_kind kind;
    const char *token;   /* BASIC */
    const char *spelled; /* as in the source */
    const char *why;     /* MPI, HANDLE, STRANGE */
    struct ct_type *elem;
    struct ct_record *record;
    bool is_char, is_signed;
    bool is_integer;     /* may be a length or discriminant */
};

/* The marks of a field or variable. */
struct ct_notes {
    bool marked, one, block, string, weak, transient, opaque, is_default;
    const char *lengths[CT_MAX_LEVELS]; /* outermost first */
    int nlengths;
    const char *points_to, *switch_on, *cases, *as;
    struct ct_type *target; /* what points_to names; NULL: no such type */
};

struct ct_field {
    const char *name;       /* "" for an anonymous union */
    struct ct_place place;
    struct ct_type *type;
    struct ct_notes notes;
    int bits;               /* of a bit-field, else -1 */
    bool empty;             /* takes no room */
    int number;             /* in the description, -1: left out */
    const char *tokens;     /* its description; NULL: there is none */
    const char *member;     /* how offsetof says it; NULL: it cannot */
};

struct ct_record {
    bool is_union, complete;
    const char *name;       /* as messages say it */
    const char *c_name;     /* as C and C++ say it in the generated file */
    const char *ident;      /* part of an identifier */
    const char *made_from;  /* of which c_name is a typedef in the generated file, or NULL */
    const char *owner;      /* c_name of the type whose members the fields are: its own, or, of an
                               anonymous member, that of the type around it */
    const char **names;     /* of all fields and branches in the order of the description */
    size_t nnames, names_cap;
    struct ct_place place;
    struct ct_field *fields;
    int nfields, described;
    bool wanted, resolved, seen;
    bool used;              /* generated code says its name */
    bool user;              /* not from a system header */
    int number;
    const void *cursor;     /* readrecord.c's */
};

struct ct_variable {
    const char *name;
    struct ct_place place;
    struct ct_type *type;
    struct ct_notes notes;
    bool reachable;         /* has an address at file scope */
    bool tracked;           /* by HMF_TRACK_ALL */
    const char *tokens;
    const char *ident;
};

struct ct_function {
    const char *name;
    bool is_static;
    struct ct_place place;  /* where its address is taken */
    const char *type;       /* canonical */
};

struct ct_finding {
    struct ct_place place;
    bool warning;
    const char *text;
};

struct ct_source {
    const char *path;
    struct ct_record **records;
    size_t nrecords, records_cap;
    struct ct_variable **variables;
    size_t nvariables, variables_cap;
    struct ct_function **functions;     /* whose address is taken */
    size_t nfunctions, functions_cap;
    const char **constants;             /* names of enumerators */
    size_t nconstants, constants_cap;
    const char **function_types;        /* of pointers in described types */
    size_t nfunction_types, function_types_cap;
    struct ct_finding *findings;
    size_t nfindings, findings_cap;
    size_t nerrors;
    bool marked;                        /* there are marks in it */
};

/* Memory for the life of the program; no memory ends it with a message. */
void *ct_alloc(size_t bytes);
char *ct_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *ct_grow(void *v, size_t n, size_t *cap, size_t each);

/* Notes something that keeps a type from being described (or, warning, that should be looked at).
 */
void ct_find(struct ct_source *s, struct ct_place place, bool warning, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Prints the findings in the order of the source, each once; returns the number of errors. */
size_t ct_print_findings(struct ct_source *s);

/* An identifier made of any text. */
char *ct_identifier(const char *text);

/* ---- read.c ---- */
struct ct_options {
    const char *path;
    const char *const *args;  /* for the compiler */
    int nargs;
    const char *const *types; /* names of types to be described besides the marked ones */
    size_t ntypes;
    bool all;                 /* every type of the source that is not a system's */
    bool all_if_none;         /* the same if nothing is marked */
};
/* false: the compiler's own messages were printed, or a type is not there. */
bool ct_read(const struct ct_options *o, struct ct_source *s);

/* ---- notes.c ---- */
/* One annotation's text; false: none of ours.  A malformed one is a finding. */
bool ct_notes_add(struct ct_source *s, struct ct_place place, const char *text, struct ct_notes *n);
/* Marks that contradict each other or do not fit the field. */
void ct_notes_check(struct ct_source *s, struct ct_place place, const char *what,
                    const struct ct_type *type, const struct ct_notes *n);

/* ---- resolve.c ---- */
/* Makes the descriptions of all wanted records, of what they lead to, and of the variables. */
void ct_resolve(struct ct_source *s);

/* ---- write.c ---- */
struct ct_output {
    const char *include;  /* what the generated file includes, with quotes; NULL: it is appended */
    const char *source;   /* the source's name as the generated file says it */
};
/* The whole generated text; NULL: a finding says why not. */
char *ct_write(struct ct_source *s, const struct ct_output *o, size_t *len);

#endif
