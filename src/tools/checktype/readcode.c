/* hmf-checktype: variables that are tracked, and functions whose address is taken: what the
 * declarations of variables and the bodies of functions say. */
#include "config.h"

#include "read.h"

#include <string.h>

void add_variable(struct reader *rd, const struct ct_variable *v)
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

void ct_read_variable(struct reader *rd, CXCursor c, bool top)
{
    struct ct_notes notes;
    const char *track = ct_notes_of(rd, c, &notes);
    CXType t = clang_getCursorType(c);

    if (track) {
        CXType pointee = clang_getPointeeType(t);
        struct ct_variable v = {.name = track, .place = ct_place_of(c), .notes = notes};
        v.type = ct_type_of(rd, pointee, NULL);
        add_variable(rd, &v);
    } else if (notes.marked) {
        const char *name = ct_keep(clang_getCursorSpelling(c));
        struct ct_variable v = {.name = name, .place = ct_place_of(c), .notes = notes,
                                .tracked = true, .reachable = true};
        if (!top) {
            ct_find(rd->s, v.place, false, "variable %s: checktype marks variables outside of "
                    "functions; in a function write HMF_TRACK(%s)", name, name);
            return;
        }
        v.type = ct_type_of(rd, t, name);
        add_variable(rd, &v);
    }
}

static void add_function(struct reader *rd, CXCursor function, CXCursor where)
{
    struct ct_source *s = rd->s;
    const char *name = ct_keep(clang_getCursorSpelling(function));

    for (size_t i = 0; i < s->nfunctions; i++)
        if (!strcmp(s->functions[i]->name, name))
            return;
    struct ct_function *f = ct_alloc(sizeof *f);
    f->name = name;
    f->is_static = clang_Cursor_getStorageClass(function) == CX_SC_Static;
    f->place = ct_place_of(where);
    f->type = ct_keep(clang_getTypeSpelling(clang_getCanonicalType(clang_getCursorType(function))));
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
        ct_read_variable(rd, c, false);
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
enum CXChildVisitResult ct_visit_body(CXCursor c, CXCursor parent, CXClientData data)
{
    struct reader *rd = data;

    if (clang_getCursorKind(c) == CXCursor_CallExpr) {
        CXCursor callee = clang_getCursorReferenced(c);
        if (clang_getCursorKind(callee) == CXCursor_FunctionDecl) {
            int n = clang_Cursor_getNumArguments(c);
            for (int i = 0; i < n; i++) {
                CXCursor argument = clang_Cursor_getArgument(c, (unsigned)i);
                if (ct_visit_body(argument, c, rd) == CXChildVisit_Recurse)
                    clang_visitChildren(argument, ct_visit_body, rd);
            }
            return CXChildVisit_Continue;
        }
    }
    return visit_code(c, parent, data);
}
