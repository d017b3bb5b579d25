/* hmf-checktype: structs and unions: how generated code calls them, and their fields. */
#include "config.h"

#include "ctypes.h"
#include "read.h"

#include <string.h>

/* ---- names ---- */

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
    const char *name = ct_keep(clang_getCursorSpelling(decl));
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
    r->name = ct_keep(clang_getTypeSpelling(clang_getCursorType(decl)));
    r->ident = unique_ident(rd, ct_identifier(r->name));
    r->c_name = r->name;
    if (nested && *ct_keep(clang_getCursorSpelling(decl))) {
        const char *cxx = nested_name(decl);
        r->c_name = ct_format("hmf_t_%s", r->ident);
        r->made_from = cxx ? ct_format("HMF_NESTED_(%s, %s %s)", r->name,
                                       r->is_union ? "union" : "struct", cxx)
                           : ct_format("%s", r->name);
    }
}

struct ct_record *ct_record_of(struct reader *rd, CXType t, const char *path)
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
    r->place = ct_place_of(decl);
    r->user = !ct_in_system(decl);
    name_record(rd, r, decl, path);
    r->owner = r->c_name;
    rd->s->records = ct_grow(rd->s->records, rd->s->nrecords, &rd->s->records_cap,
                             sizeof *rd->s->records);
    return rd->s->records[rd->s->nrecords++] = r;
}

/* ---- fields ---- */

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
    const char *name = ct_keep(clang_getCursorSpelling(c));
    CXType t = clang_getCursorType(c), canonical = clang_getCanonicalType(t);
    CXCursor decl = clang_getTypeDeclaration(canonical);
    struct ct_notes notes;
    int bits = clang_getFieldDeclBitWidth(c);

    bool unnamed = canonical.kind == CXType_Record && clang_Cursor_isAnonymousRecordDecl(decl);
    ct_notes_of(v->rd, unnamed ? decl : c, &notes); /* without a name, marks belong to the type */
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
    struct ct_type *type = ct_type_of(v->rd, t,
                                   unnamed ? NULL : ct_format("((%s *)0)->%s", r->owner, name));
    if (unnamed) {
        type->record->owner = r->owner;
        type->record->made_from = NULL;
    }
    r->fields = ct_grow(r->fields, (size_t)r->nfields, &v->cap, sizeof *r->fields);
    r->fields[r->nfields++] = (struct ct_field){
        .name = name,
        .place = ct_place_of(c),
        .type = type,
        .notes = notes,
        .bits = clang_Cursor_isBitField(c) ? bits : -1,
        .empty = type->kind != CT_FLEXIBLE && !clang_Cursor_isBitField(c) &&
                 clang_Type_getSizeOf(t) == 0,
        .number = -1,
    };
    return CXVisit_Continue;
}

void ct_read_fields(struct reader *rd)
{
    for (; rd->nread < rd->s->nrecords; rd->nread++) {
        struct ct_record *r = rd->s->records[rd->nread];
        struct fields_visit v = {.rd = rd, .r = r};
        if (r->complete && !ct_handle_record(r->name))
            clang_Type_visitFields(clang_getCursorType(((const struct cursor *)r->cursor)->c),
                                   visit_field, &v);
    }
}
