/* hmf-checktype: the compiler's tree of a source, read through libclang into the model.
 * The only file that knows libclang.  How C types map to ours is in ctypes.c's tables. */
#include "config.h"

#include "ctypes.h"
#include "model.h"

#include <clang-c/Index.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

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

static struct ct_type *type_of(struct reader *rd, CXType t, const char *path);

/* ---- small things of libclang ---- */

static char *keep(CXString s)
{
    const char *c = clang_getCString(s);
    char *copy = ct_format("%s", c ? c : "");

    clang_disposeString(s);
    return copy;
}

static struct ct_place place_of(CXCursor c)
{
    CXFile file;
    struct ct_place p;

    clang_getExpansionLocation(clang_getCursorLocation(c), &file, &p.line, NULL, NULL);
    p.file = file ? keep(clang_getFileName(file)) : "?";
    return p;
}

static bool in_system(CXCursor c)
{
    return clang_Location_isInSystemHeader(clang_getCursorLocation(c));
}

struct notes_visit {
    struct reader *rd;
    struct ct_place place;
    struct ct_notes *notes;
    const char *track; /* of HMF_TRACK */
};

static enum CXChildVisitResult visit_note(CXCursor c, CXCursor parent, CXClientData data)
{
    static const char track[] = "hmf:track=";
    struct notes_visit *v = data;

    (void)parent;
    if (clang_getCursorKind(c) == CXCursor_AnnotateAttr) {
        const char *text = keep(clang_getCursorSpelling(c));
        ct_notes_add(v->rd->s, v->place, text, v->notes);
        if (!strncmp(text, track, sizeof track - 1))
            v->track = text + sizeof track - 1;
    }
    return CXChildVisit_Continue;
}

/* The marks at a declaration; returns what HMF_TRACK says there, or NULL. */
static const char *notes_of(struct reader *rd, CXCursor c, struct ct_notes *out)
{
    struct notes_visit v = {.rd = rd, .notes = out};

    memset(out, 0, sizeof *out);
    if (!clang_Cursor_hasAttrs(c))
        return NULL;
    v.place = place_of(c);
    clang_visitChildren(c, visit_note, &v);
    return v.track;
}

/* ---- types ---- */

struct enum_visit {
    unsigned long long largest;
};

static enum CXChildVisitResult visit_constant(CXCursor c, CXCursor parent, CXClientData data)
{
    struct enum_visit *v = data;

    (void)parent;
    if (clang_getCursorKind(c) == CXCursor_EnumConstantDecl) {
        unsigned long long value = clang_getEnumConstantDeclUnsignedValue(c);
        if (value > v->largest)
            v->largest = value;
    }
    return CXChildVisit_Continue;
}

/* An enum is int or unsigned int by its values, unless it is packed or wider than int. */
static void enum_type(CXType t, struct ct_type *y)
{
    CXCursor decl = clang_getTypeDeclaration(t);
    CXType as = clang_getEnumDeclIntegerType(decl);
    struct enum_visit v = {0};

    y->is_integer = true;
    y->is_signed = as.kind == CXType_Int;
    clang_visitChildren(decl, visit_constant, &v);
    if (as.kind != CXType_Int && as.kind != CXType_UInt) {
        y->kind = CT_SYSTEM_INT;
        return;
    }
    y->kind = CT_BASIC;
    y->token = as.kind == CXType_UInt && v.largest > INT_MAX ? "typeUINT" : "typeENUM";
}

static bool basic_type(enum CXTypeKind kind, struct ct_type *y)
{
    static const struct {
        enum CXTypeKind kind;
        const char *token;
        bool integer, sign;
    } basics[] = {
        {CXType_Bool, "typeBOOL", true, false},
        {CXType_Char_S, "typeCHAR", true, true},
        {CXType_Char_U, "typeCHAR", true, false},
        {CXType_SChar, "typeSCHAR", true, true},
        {CXType_UChar, "typeUCHAR", true, false},
        {CXType_Short, "typeSHORT", true, true},
        {CXType_UShort, "typeUSHORT", true, false},
        {CXType_Int, "typeINT", true, true},
        {CXType_UInt, "typeUINT", true, false},
        {CXType_Long, "typeLONG", true, true},
        {CXType_ULong, "typeULONG", true, false},
        {CXType_LongLong, "typeLLONG", true, true},
        {CXType_ULongLong, "typeULLONG", true, false},
        {CXType_Float, "typeFLOAT", false, true},
        {CXType_Double, "typeDOUBLE", false, true},
        {CXType_LongDouble, "typeLDOUBLE", false, true},
    };

    for (size_t i = 0; i < sizeof basics / sizeof *basics; i++)
        if (basics[i].kind == kind) {
            y->kind = CT_BASIC;
            y->token = basics[i].token;
            y->is_integer = basics[i].integer;
            y->is_signed = basics[i].sign;
            y->is_char = kind == CXType_Char_S || kind == CXType_Char_U ||
                         kind == CXType_SChar || kind == CXType_UChar;
            return true;
        }
    return false;
}

static void complex_type(CXType t, struct ct_type *y)
{
    switch (clang_getElementType(t).kind) {
    case CXType_Float:
        y->token = "typeFCOMPLEX";
        break;
    case CXType_Double:
        y->token = "typeDCOMPLEX";
        break;
    case CXType_LongDouble:
        y->token = "typeLDCOMPLEX";
        break;
    default:
        y->kind = CT_STRANGE;
        y->why = "a complex number of an unusual kind";
        return;
    }
    y->kind = CT_BASIC;
}

/* A typedef that has a meaning of its own; false: what is behind it counts. */
static bool typedef_type(CXType t, struct ct_type *y)
{
    CXCursor decl = clang_getTypeDeclaration(t);
    const char *name = keep(clang_getTypedefName(t));
    CXType behind = clang_getCanonicalType(t);
    struct ct_type plain = {0};
    bool integer = basic_type(behind.kind, &plain) && plain.is_integer;
    const char *handle = ct_handle_typedef(name), *mpi = ct_token_mpi(name);

    if (mpi) {
        y->kind = CT_MPI;
        y->token = mpi;
        y->why = name;
        return true;
    }
    if (handle) {
        y->kind = CT_HANDLE;
        y->why = handle;
        return true;
    }
    if (!integer || !in_system(decl))
        return false;
    y->is_integer = true;
    y->is_signed = plain.is_signed;
    y->is_char = plain.is_char;
    if ((y->token = ct_token_typedef(name))) {
        y->kind = CT_BASIC;
        return true;
    }
    /* Small ones are the same everywhere; how wide the others are depends on the machine. */
    if (behind.kind != CXType_Long && behind.kind != CXType_ULong &&
        behind.kind != CXType_LongLong && behind.kind != CXType_ULongLong)
        return false;
    y->kind = CT_SYSTEM_INT;
    return true;
}

static struct ct_record *record_of(struct reader *rd, CXType t, const char *path);

static struct ct_type *type_of(struct reader *rd, CXType t, const char *path)
{
    struct ct_type *y = ct_alloc(sizeof *y);

    y->spelled = keep(clang_getTypeSpelling(t));
    for (;;) {
        switch (t.kind) {
        case CXType_Typedef:
            if (typedef_type(t, y))
                return y;
            t = clang_getTypedefDeclUnderlyingType(clang_getTypeDeclaration(t));
            continue;
        case CXType_Elaborated:
            t = clang_Type_getNamedType(t);
            continue;
        case CXType_Attributed:
            t = clang_Type_getModifiedType(t);
            continue;
        case CXType_Atomic:
            t = clang_Type_getValueType(t);
            continue;
        case CXType_Unexposed:
            if (clang_getCanonicalType(t).kind == CXType_Unexposed)
                break;
            t = clang_getCanonicalType(t);
            continue;
        case CXType_Complex:
            complex_type(t, y);
            return y;
        case CXType_Void:
            y->kind = CT_VOID;
            return y;
        case CXType_Enum:
            enum_type(t, y);
            return y;
        case CXType_Record:
            y->record = record_of(rd, t, path);
            y->kind = CT_RECORD;
            if ((y->why = ct_handle_record(y->record->name)))
                y->kind = CT_HANDLE;
            else if (!y->record->complete)
                y->kind = CT_INCOMPLETE;
            return y;
        case CXType_Pointer:
            y->kind = CT_POINTER;
            y->elem = type_of(rd, clang_getPointeeType(t), path ? ct_format("%s[0]", path) : NULL);
            return y;
        case CXType_ConstantArray:
        case CXType_IncompleteArray:
            y->kind = t.kind == CXType_IncompleteArray || !clang_getArraySize(t) ? CT_FLEXIBLE
                                                                                : CT_ARRAY;
            y->elem = type_of(rd, clang_getArrayElementType(t),
                              path ? ct_format("%s[0]", path) : NULL);
            return y;
        case CXType_VariableArray:
            y->kind = CT_STRANGE;
            y->why = "an array of variable length: HMF_TRACK_ARRAY(name, n) registers one";
            return y;
        case CXType_FunctionProto:
        case CXType_FunctionNoProto:
            y->kind = CT_FUNCTION;
            y->spelled = keep(clang_getTypeSpelling(clang_getCanonicalType(t)));
            return y;
        case CXType_Int128:
        case CXType_UInt128:
            y->kind = CT_STRANGE;
            y->why = "a 128-bit integer";
            return y;
        case CXType_Vector:
        case CXType_ExtVector:
            y->kind = CT_STRANGE;
            y->why = "a vector of the processor";
            return y;
        default:
            if (basic_type(t.kind, y))
                return y;
        }
        y->kind = CT_STRANGE;
        y->why = ct_format("the type %s", y->spelled);
        return y;
    }
}

/* ---- structs and unions ---- */

static const char *unique_ident(struct reader *rd, const char *wanted)
{
    const char *ident = wanted;

    for (int n = 2;; n++) {
        bool taken = false;
        for (size_t i = 0; i < rd->s->nrecords && !taken; i++)
            taken = !strcmp(rd->s->records[i]->ident, ident);
        if (!taken)
            return ident;
        ident = ct_format("%s_%d", wanted, n);
    }
}

/* The C++ name of a struct that is defined inside another one. */
static const char *nested_name(CXCursor decl)
{
    CXCursor outer = clang_getCursorLexicalParent(decl);
    const char *name = keep(clang_getCursorSpelling(decl));
    enum CXCursorKind kind = clang_getCursorKind(outer);

    if (kind != CXCursor_StructDecl && kind != CXCursor_UnionDecl)
        return name;
    if (clang_Cursor_isAnonymous(outer))
        return NULL;
    const char *around = nested_name(outer);
    return around && *around ? ct_format("%s::%s", around, name) : NULL;
}

/* "((struct grid *)0)->row[0]" is called "struct grid.row". */
static const char *spoken(const char *path)
{
    char *out = ct_format("%s", path), *to = out;

    for (const char *p = path; *p; p++) {
        if (!strncmp(p, " *)0)->", 7)) {
            *to++ = '.';
            p += 6;
        } else if (!strncmp(p, "[0]", 3)) {
            p += 2;
        } else if (*p != '(' && *p != ')') {
            *to++ = *p;
        }
    }
    *to = 0;
    return strncmp(out, "hmf_t_", 6) ? out : out + 6;
}

/* How generated code says this record; a typedef of the generated file where C and C++ differ or
 * there is no name at all. */
static void name_record(struct reader *rd, struct ct_record *r, CXCursor decl, const char *path)
{
    CXCursor outer = clang_getCursorLexicalParent(decl);
    enum CXCursorKind around = clang_getCursorKind(outer);
    bool nested = around == CXCursor_StructDecl || around == CXCursor_UnionDecl;

    if (clang_Cursor_isAnonymous(decl)) {
        r->name = path ? spoken(path)
                       : ct_format("%s without a name at %s:%u", r->is_union ? "union" : "struct",
                                   r->place.file, r->place.line);
        r->ident = unique_ident(rd, ct_identifier(r->name));
        r->c_name = ct_format("hmf_t_%s", r->ident);
        r->made_from = path ? ct_format("__typeof__(%s)", path) : NULL;
        return;
    }
    r->name = keep(clang_getTypeSpelling(clang_getCursorType(decl)));
    r->ident = unique_ident(rd, ct_identifier(r->name));
    r->c_name = r->name;
    if (nested && *keep(clang_getCursorSpelling(decl))) {
        const char *cxx = nested_name(decl);
        r->c_name = ct_format("hmf_t_%s", r->ident);
        r->made_from = cxx ? ct_format("HMF_NESTED_(%s, %s %s)", r->name,
                                       r->is_union ? "union" : "struct", cxx)
                           : ct_format("%s", r->name);
    }
}

static struct ct_record *record_of(struct reader *rd, CXType t, const char *path)
{
    CXCursor decl = clang_getTypeDeclaration(clang_getCanonicalType(t));
    CXCursor definition = clang_getCursorDefinition(decl);

    if (!clang_Cursor_isNull(definition))
        decl = definition;
    for (size_t i = 0; i < rd->s->nrecords; i++)
        if (clang_equalCursors(((const struct cursor *)rd->s->records[i]->cursor)->c, decl))
            return rd->s->records[i];

    struct ct_record *r = ct_alloc(sizeof *r);
    struct cursor *c = ct_alloc(sizeof *c);
    c->c = decl;
    r->cursor = c;
    r->is_union = clang_getCursorKind(decl) == CXCursor_UnionDecl;
    r->complete = !clang_Cursor_isNull(definition) &&
                  clang_Type_getSizeOf(clang_getCursorType(decl)) >= 0;
    r->place = place_of(decl);
    r->user = !in_system(decl);
    name_record(rd, r, decl, path);
    r->owner = r->c_name;
    rd->s->records = ct_grow(rd->s->records, rd->s->nrecords, &rd->s->records_cap,
                             sizeof *rd->s->records);
    return rd->s->records[rd->s->nrecords++] = r;
}

struct fields_visit {
    struct reader *rd;
    struct ct_record *r;
    size_t cap;
    const struct ct_notes *around; /* of the anonymous struct that is being taken apart */
};

static enum CXVisitorResult visit_field(CXCursor c, CXClientData data)
{
    struct fields_visit *v = data;
    struct ct_record *r = v->r;
    const char *name = keep(clang_getCursorSpelling(c));
    CXType t = clang_getCursorType(c), canonical = clang_getCanonicalType(t);
    CXCursor decl = clang_getTypeDeclaration(canonical);
    struct ct_notes notes;
    int bits = clang_getFieldDeclBitWidth(c);

    bool unnamed = canonical.kind == CXType_Record && clang_Cursor_isAnonymousRecordDecl(decl);
    notes_of(v->rd, unnamed ? decl : c, &notes); /* without a name, marks belong to the type */
    if (v->around) {
        notes.transient |= v->around->transient;
        notes.opaque |= v->around->opaque;
    }
    if (unnamed)
        name = "";
    if (unnamed && clang_getCursorKind(decl) != CXCursor_UnionDecl && !r->is_union) {
        /* members of an anonymous struct are members of the struct around it */
        const struct ct_notes *around = v->around;
        v->around = &notes;
        clang_Type_visitFields(canonical, visit_field, v);
        v->around = around;
        return CXVisit_Continue;
    }
    struct ct_type *type = type_of(v->rd, t,
                                   unnamed ? NULL : ct_format("((%s *)0)->%s", r->owner, name));
    if (unnamed) {
        type->record->owner = r->owner;
        type->record->made_from = NULL;
    }
    r->fields = ct_grow(r->fields, (size_t)r->nfields, &v->cap, sizeof *r->fields);
    r->fields[r->nfields++] = (struct ct_field){
        .name = name,
        .place = place_of(c),
        .type = type,
        .notes = notes,
        .bits = clang_Cursor_isBitField(c) ? bits : -1,
        .empty = type->kind != CT_FLEXIBLE && !clang_Cursor_isBitField(c) &&
                 clang_Type_getSizeOf(t) == 0,
        .number = -1,
    };
    return CXVisit_Continue;
}

static void read_fields(struct reader *rd)
{
    for (; rd->nread < rd->s->nrecords; rd->nread++) {
        struct ct_record *r = rd->s->records[rd->nread];
        struct fields_visit v = {.rd = rd, .r = r};
        if (r->complete && !ct_handle_record(r->name))
            clang_Type_visitFields(clang_getCursorType(((const struct cursor *)r->cursor)->c),
                                   visit_field, &v);
    }
}

/* ---- names in HMF_POINTS_TO and --type ---- */

static void add_name(struct reader *rd, const char *name, CXType type)
{
    if (!*name)
        return;
    rd->names = ct_grow(rd->names, rd->nnames, &rd->names_cap, sizeof *rd->names);
    rd->names[rd->nnames++] = (struct named){name, type};
}

static struct ct_type *type_named(struct reader *rd, const char *name)
{
    struct ct_type *y = ct_alloc(sizeof *y);

    for (size_t i = rd->nnames; i-- > 0;)
        if (!strcmp(rd->names[i].name, name))
            return type_of(rd, rd->names[i].type, NULL);
    y->spelled = name;
    if (!(y->token = ct_token_spelled(name)))
        return NULL;
    y->kind = CT_BASIC;
    return y;
}

static void resolve_targets(struct reader *rd)
{
    for (size_t i = 0; i < rd->s->nrecords; i++) /* grows on the way */
        for (int f = 0; f < rd->s->records[i]->nfields; f++) {
            struct ct_field *field = &rd->s->records[i]->fields[f];
            const char *name = field->notes.points_to;
            if (!name || !strcmp(name, "void"))
                continue;
            field->notes.target = type_named(rd, name);
            if (!field->notes.target)
                ct_find(rd->s, field->place, false, "%s, field %s: HMF_POINTS_TO(%s): there is no "
                        "type of that name here; write `struct x`, `union x` or a typedef's name",
                        rd->s->records[i]->name, field->name, name);
            read_fields(rd);
        }
}

/* ---- declarations ---- */

static void add_variable(struct reader *rd, const struct ct_variable *v)
{
    struct ct_source *s = rd->s;

    for (size_t i = 0; i < s->nvariables; i++) {
        struct ct_variable *other = s->variables[i];
        if (strcmp(other->name, v->name))
            continue;
        if (strcmp(other->type->spelled, v->type->spelled)) {
            ct_find(s, v->place, false,
                    "two variables called %s are tracked, a %s and a %s (%s:%u): names of "
                    "registered variables are unique, rename one",
                    v->name, v->type->spelled, other->type->spelled, other->place.file,
                    other->place.line);
        }
        other->reachable |= v->reachable;
        other->tracked |= v->tracked;
        return;
    }
    struct ct_variable *copy = ct_alloc(sizeof *copy);
    *copy = *v;
    s->variables = ct_grow(s->variables, s->nvariables, &s->variables_cap, sizeof *s->variables);
    s->variables[s->nvariables++] = copy;
}

static void read_variable(struct reader *rd, CXCursor c, bool top)
{
    struct ct_notes notes;
    const char *track = notes_of(rd, c, &notes);
    CXType t = clang_getCursorType(c);

    if (track) {
        CXType pointee = clang_getPointeeType(t);
        struct ct_variable v = {.name = track, .place = place_of(c), .notes = notes};
        v.type = type_of(rd, pointee, NULL);
        add_variable(rd, &v);
    } else if (notes.marked) {
        const char *name = keep(clang_getCursorSpelling(c));
        struct ct_variable v = {.name = name, .place = place_of(c), .notes = notes, .tracked = true,
                                .reachable = true};
        if (!top) {
            ct_find(rd->s, v.place, false, "variable %s: checktype marks variables outside of "
                    "functions; in a function write HMF_TRACK(%s)", name, name);
            return;
        }
        v.type = type_of(rd, t, name);
        add_variable(rd, &v);
    }
}

static void add_function(struct reader *rd, CXCursor function, CXCursor where)
{
    struct ct_source *s = rd->s;
    const char *name = keep(clang_getCursorSpelling(function));

    for (size_t i = 0; i < s->nfunctions; i++)
        if (!strcmp(s->functions[i]->name, name))
            return;
    struct ct_function *f = ct_alloc(sizeof *f);
    f->name = name;
    f->is_static = clang_Cursor_getStorageClass(function) == CX_SC_Static;
    f->place = place_of(where);
    f->type = keep(clang_getTypeSpelling(clang_getCanonicalType(clang_getCursorType(function))));
    s->functions = ct_grow(s->functions, s->nfunctions, &s->functions_cap, sizeof *s->functions);
    s->functions[s->nfunctions++] = f;
}

/* What is called is named first below a call; a function named anywhere else has its address
 * taken. */
static enum CXChildVisitResult visit_code(CXCursor c, CXCursor parent, CXClientData data)
{
    struct reader *rd = data;

    switch (clang_getCursorKind(c)) {
    case CXCursor_VarDecl:
        read_variable(rd, c, false);
        break;
    case CXCursor_DeclRefExpr: {
        CXCursor what = clang_getCursorReferenced(c);
        if (clang_getCursorKind(what) != CXCursor_FunctionDecl)
            break;
        if (clang_getCursorKind(parent) == CXCursor_CallExpr &&
            clang_equalCursors(clang_getCursorReferenced(parent), what))
            break;
        if (clang_getCursorKind(parent) == CXCursor_UnexposedExpr &&
            clang_getCursorType(parent).kind == CXType_Pointer) {
            add_function(rd, what, c);
            break;
        }
        add_function(rd, what, c);
        break;
    }
    default:
        break;
    }
    return CXChildVisit_Recurse;
}

/* A call's callee stands below an implicit conversion: calls are seen before their parts. */
static enum CXChildVisitResult visit_body(CXCursor c, CXCursor parent, CXClientData data)
{
    struct reader *rd = data;

    if (clang_getCursorKind(c) == CXCursor_CallExpr) {
        CXCursor callee = clang_getCursorReferenced(c);
        if (clang_getCursorKind(callee) == CXCursor_FunctionDecl) {
            int n = clang_Cursor_getNumArguments(c);
            for (int i = 0; i < n; i++) {
                CXCursor argument = clang_Cursor_getArgument(c, (unsigned)i);
                if (visit_body(argument, c, rd) == CXChildVisit_Recurse)
                    clang_visitChildren(argument, visit_body, rd);
            }
            return CXChildVisit_Continue;
        }
    }
    return visit_code(c, parent, data);
}

static void mark_root(struct reader *rd, CXCursor c)
{
    struct ct_type *t = type_of(rd, clang_getCursorType(c), NULL);
    const char *name = keep(clang_getCursorSpelling(c));

    while (t->kind == CT_ARRAY || t->kind == CT_POINTER)
        t = t->elem;
    if (t->kind == CT_INCOMPLETE) {
        ct_find(rd->s, place_of(c), false, "%s is marked, but %s is not defined in this source: "
                "include its definition", name, t->record->name);
        return;
    }
    if (t->kind != CT_RECORD)
        return; /* a plain number or such: nothing to describe */
    rd->roots = ct_grow(rd->roots, rd->nroots, &rd->roots_cap, sizeof *rd->roots);
    rd->roots[rd->nroots++] = t->record;
}

static enum CXChildVisitResult visit_enumerator(CXCursor c, CXCursor parent, CXClientData data)
{
    struct ct_source *s = ((struct reader *)data)->s;

    (void)parent;
    if (clang_getCursorKind(c) == CXCursor_EnumConstantDecl) {
        s->constants = ct_grow(s->constants, s->nconstants, &s->constants_cap,
                               sizeof *s->constants);
        s->constants[s->nconstants++] = keep(clang_getCursorSpelling(c));
    }
    return CXChildVisit_Continue;
}

static enum CXChildVisitResult visit_top(CXCursor c, CXCursor parent, CXClientData data)
{
    struct reader *rd = data;
    struct ct_notes notes;
    const char *name;

    (void)parent;
    switch (clang_getCursorKind(c)) {
    case CXCursor_TypedefDecl:
        add_name(rd, keep(clang_getCursorSpelling(c)), clang_getCursorType(c));
        notes_of(rd, c, &notes);
        if (notes.marked)
            mark_root(rd, c);
        break;
    case CXCursor_StructDecl:
    case CXCursor_UnionDecl:
    case CXCursor_EnumDecl:
        if (clang_getCursorKind(c) == CXCursor_EnumDecl)
            clang_visitChildren(c, visit_enumerator, rd);
        name = keep(clang_getCursorSpelling(c));
        if (*name)
            add_name(rd, keep(clang_getTypeSpelling(clang_getCursorType(c))),
                     clang_getCursorType(c));
        notes_of(rd, c, &notes);
        if (notes.marked)
            mark_root(rd, c);
        else if (rd->o->all && clang_getCursorKind(c) != CXCursor_EnumDecl && !in_system(c) &&
                 clang_isCursorDefinition(c))
            mark_root(rd, c);
        break;
    case CXCursor_VarDecl:
        read_variable(rd, c, true);
        if (!in_system(c))
            clang_visitChildren(c, visit_body, rd);
        break;
    case CXCursor_FunctionDecl:
        if (!in_system(c) && clang_isCursorDefinition(c))
            clang_visitChildren(c, visit_body, rd);
        break;
    default:
        break;
    }
    return CXChildVisit_Continue;
}

/* With nothing marked, everything that the source itself defines. */
static enum CXChildVisitResult visit_all(CXCursor c, CXCursor parent, CXClientData data)
{
    enum CXCursorKind kind = clang_getCursorKind(c);
    bool ours = !in_system(c) || clang_Location_isFromMainFile(clang_getCursorLocation(c));

    (void)parent;
    if ((kind == CXCursor_StructDecl || kind == CXCursor_UnionDecl) && ours &&
        clang_isCursorDefinition(c))
        mark_root(data, c);
    return CXChildVisit_Continue;
}

/* Prints the compiler's errors, and its warnings about marks that it cannot attach. */
static bool print_diagnostics(CXTranslationUnit tu)
{
    bool good = true;
    unsigned n = clang_getNumDiagnostics(tu);

    for (unsigned i = 0; i < n; i++) {
        CXDiagnostic d = clang_getDiagnostic(tu, i);
        enum CXDiagnosticSeverity severity = clang_getDiagnosticSeverity(d);
        const char *text = keep(clang_formatDiagnostic(d, clang_defaultDiagnosticDisplayOptions()));
        bool lost_mark = strstr(text, "'annotate' attribute") || strstr(text, "attribute "
                                                                              "'annotate'");
        if (severity >= CXDiagnostic_Error || lost_mark) {
            fprintf(stderr, "%s\n", text);
            good = false;
        }
        clang_disposeDiagnostic(d);
    }
    return good;
}

bool ct_read(const struct ct_options *o, struct ct_source *s)
{
    struct reader rd = {.s = s, .o = o};
    CXIndex index = clang_createIndex(0, 0);
    CXTranslationUnit tu = NULL;
    enum CXErrorCode e = clang_parseTranslationUnit2(index, o->path, o->args, o->nargs, NULL, 0,
                                                     CXTranslationUnit_KeepGoing, &tu);
    bool good = false;

    if (e != CXError_Success || !tu) {
        fprintf(stderr,
                "%s: cannot be read: does it exist, and are the compiler's options right?\n",
                o->path);
        goto drop_index;
    }
    good = print_diagnostics(tu);
    if (!good)
        goto drop_tu;
    clang_visitChildren(clang_getTranslationUnitCursor(tu), visit_top, &rd);
    for (size_t i = 0; i < o->ntypes; i++) {
        struct ct_type *t = type_named(&rd, o->types[i]);
        if (!t || t->kind != CT_RECORD) {
            fprintf(stderr, "%s: there is no struct or typedef of one called %s here\n", o->path,
                    o->types[i]);
            good = false;
            continue;
        }
        rd.roots = ct_grow(rd.roots, rd.nroots, &rd.roots_cap, sizeof *rd.roots);
        rd.roots[rd.nroots++] = t->record;
    }
    s->marked = rd.nroots || s->nvariables;
    if (o->all_if_none && !s->marked)
        clang_visitChildren(clang_getTranslationUnitCursor(tu), visit_all, &rd);
    for (size_t i = 0; i < rd.nroots; i++)
        rd.roots[i]->wanted = true;
    read_fields(&rd);
    resolve_targets(&rd);
drop_tu:
    clang_disposeTranslationUnit(tu);
drop_index:
    clang_disposeIndex(index);
    return good;
}
