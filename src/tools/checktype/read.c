/* hmf-checktype: the compiler's tree of a source, read through libclang into the model: the
 * declarations, which of them are marked, and the compiler's own messages. */
#include "config.h"

#include "ctypes.h"
#include "read.h"

#include <stdio.h>
#include <string.h>

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
            return ct_type_of(rd, rd->names[i].type, NULL);
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
            ct_read_fields(rd);
        }
}

/* ---- declarations ---- */

static void mark_root(struct reader *rd, CXCursor c)
{
    struct ct_type *t = ct_type_of(rd, clang_getCursorType(c), NULL);
    const char *name = ct_keep(clang_getCursorSpelling(c));

    while (t->kind == CT_ARRAY || t->kind == CT_POINTER)
        t = t->elem;
    if (t->kind == CT_INCOMPLETE) {
        ct_find(rd->s, ct_place_of(c), false, "%s is marked, but %s is not defined in this source: "
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
        s->constants[s->nconstants++] = ct_keep(clang_getCursorSpelling(c));
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
        add_name(rd, ct_keep(clang_getCursorSpelling(c)), clang_getCursorType(c));
        ct_notes_of(rd, c, &notes);
        if (notes.marked)
            mark_root(rd, c);
        break;
    case CXCursor_StructDecl:
    case CXCursor_UnionDecl:
    case CXCursor_EnumDecl:
        if (clang_getCursorKind(c) == CXCursor_EnumDecl)
            clang_visitChildren(c, visit_enumerator, rd);
        name = ct_keep(clang_getCursorSpelling(c));
        if (*name)
            add_name(rd, ct_keep(clang_getTypeSpelling(clang_getCursorType(c))),
                     clang_getCursorType(c));
        ct_notes_of(rd, c, &notes);
        if (notes.marked)
            mark_root(rd, c);
        else if (rd->o->all && clang_getCursorKind(c) != CXCursor_EnumDecl && !ct_in_system(c) &&
                 clang_isCursorDefinition(c))
            mark_root(rd, c);
        break;
    case CXCursor_VarDecl:
        ct_read_variable(rd, c, true);
        if (!ct_in_system(c))
            clang_visitChildren(c, ct_visit_body, rd);
        break;
    case CXCursor_FunctionDecl:
        ct_notes_of(rd, c, &notes);
        if (notes.marked)
            ct_find(rd->s, ct_place_of(c), false, "checktype belongs to types and variables, %s is "
                    "a function", ct_keep(clang_getCursorSpelling(c)));
        if (!ct_in_system(c) && clang_isCursorDefinition(c))
            clang_visitChildren(c, ct_visit_body, rd);
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
    bool ours = !ct_in_system(c) || clang_Location_isFromMainFile(clang_getCursorLocation(c));

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
        unsigned as = clang_defaultDiagnosticDisplayOptions();
        const char *text = ct_keep(clang_formatDiagnostic(d, as));
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
    ct_read_fields(&rd);
    resolve_targets(&rd);
drop_tu:
    clang_disposeTranslationUnit(tu);
drop_index:
    clang_disposeIndex(index);
    return good;
}
