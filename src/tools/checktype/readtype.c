/* hmf-checktype: C's types as libclang has them, in the model's words; texts, places and marks of
 * declarations.  Which names of C mean something special is in ctypes.c's tables. */
#include "config.h"

#include "ctypes.h"
#include "read.h"

#include <limits.h>
#include <string.h>

/* ---- small things of libclang ---- */

char *ct_keep(CXString s)
{
    const char *c = clang_getCString(s);
    char *copy = ct_format("%s", c ? c : "");

    clang_disposeString(s);
    return copy;
}

struct ct_place ct_place_of(CXCursor c)
{
    CXFile file;
    struct ct_place p;

    clang_getExpansionLocation(clang_getCursorLocation(c), &file, &p.line, NULL, NULL);
    p.file = file ? ct_keep(clang_getFileName(file)) : "?";
    return p;
}

bool ct_in_system(CXCursor c)
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
        const char *text = ct_keep(clang_getCursorSpelling(c));
        ct_notes_add(v->rd->s, v->place, text, v->notes);
        if (!strncmp(text, track, sizeof track - 1))
            v->track = text + sizeof track - 1;
    }
    return CXChildVisit_Continue;
}

/* The marks at a declaration; returns what HMF_TRACK says there, or NULL. */
const char *ct_notes_of(struct reader *rd, CXCursor c, struct ct_notes *out)
{
    struct notes_visit v = {.rd = rd, .notes = out};

    memset(out, 0, sizeof *out);
    if (!clang_Cursor_hasAttrs(c))
        return NULL;
    v.place = ct_place_of(c);
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
    const char *name = ct_keep(clang_getTypedefName(t));
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
    if (!integer || !ct_in_system(decl))
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

struct ct_type *ct_type_of(struct reader *rd, CXType t, const char *path)
{
    struct ct_type *y = ct_alloc(sizeof *y);

    y->spelled = ct_keep(clang_getTypeSpelling(t));
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
            y->record = ct_record_of(rd, t, path);
            y->kind = CT_RECORD;
            if ((y->why = ct_handle_record(y->record->name)))
                y->kind = CT_HANDLE;
            else if (!y->record->complete)
                y->kind = CT_INCOMPLETE;
            return y;
        case CXType_Pointer:
            y->kind = CT_POINTER;
            y->elem = ct_type_of(rd, clang_getPointeeType(t),
                                 path ? ct_format("%s[0]", path) : NULL);
            return y;
        case CXType_ConstantArray:
        case CXType_IncompleteArray:
            y->kind = t.kind == CXType_IncompleteArray || !clang_getArraySize(t) ? CT_FLEXIBLE
                                                                                : CT_ARRAY;
            y->elem = ct_type_of(rd, clang_getArrayElementType(t),
                                 path ? ct_format("%s[0]", path) : NULL);
            return y;
        case CXType_VariableArray:
            y->kind = CT_STRANGE;
            y->why = "an array of variable length: HMF_TRACK_ARRAY(name, n) registers one";
            return y;
        case CXType_FunctionProto:
        case CXType_FunctionNoProto:
            y->kind = CT_FUNCTION;
            y->spelled = ct_keep(clang_getTypeSpelling(clang_getCanonicalType(t)));
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
