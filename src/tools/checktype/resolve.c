/* hmf-checktype: from types and marks to descriptions, as the text that the generated file says;
 * and what cannot be described, with the mark to write.
 *
 * Every struct gets a user type of its own, with the layout that its compiler made, and is named
 * by number wherever it stands.  Unions are union.c's, lengths length.c's. */
#include "config.h"

#include "resolve.h"

#include <stdio.h>
#include <string.h>

static const char *describe(struct subject *j, const struct ct_type *t);

const char *ct_refuse(const struct subject *j, const char *why)
{
    ct_find(j->s, j->place, false, "%s: %s", j->what, why);
    return NULL;
}

static const char *value_of(const struct subject *j)
{
    return j->member ? ct_format("((%s *)0)->%s", j->owner, j->member) : j->lvalue;
}

static const char *dimension(const struct subject *j)
{
    return j->member ? ct_format("HMF_DIM_(%s, %s)", j->owner, j->member)
                     : ct_format("(int)(sizeof(%s) / sizeof(%s)[0])", j->lvalue, j->lvalue);
}

static const char *size_of(const struct subject *j)
{
    return j->member ? ct_format("HMF_SIZE_(%s, %s)", j->owner, j->member)
                     : ct_format("(int)sizeof(%s)", j->lvalue);
}

static struct subject element(const struct subject *j)
{
    struct subject e = *j;

    if (j->member)
        e.member = ct_format("%s[0]", j->member);
    else
        e.lvalue = ct_format("(%s)[0]", j->lvalue);
    e.depth++;
    return e;
}

/* ---- structs ---- */

/* Can `to` be reached from `from`?  Then a pointer to `to` inside of it is a link of a list, tree
 * or graph. */
static bool leads_to(struct ct_record *from, const struct ct_record *to)
{
    if (from == to)
        return true;
    if (from->seen)
        return false;
    from->seen = true;
    for (int i = 0; i < from->nfields; i++) {
        const struct ct_type *t = from->fields[i].type;
        while (t->kind == CT_POINTER || t->kind == CT_ARRAY || t->kind == CT_FLEXIBLE)
            t = t->elem;
        if (t->kind == CT_RECORD && leads_to(t->record, to))
            return true;
    }
    return false;
}

static bool is_link(struct ct_source *s, struct ct_record *target, const struct ct_record *in)
{
    for (size_t i = 0; i < s->nrecords; i++)
        s->records[i]->seen = false;
    return in && leads_to(target, in);
}

static bool has_flexible(const struct ct_record *r)
{
    return r->nfields && r->fields[r->nfields - 1].type->kind == CT_FLEXIBLE;
}

static const char *describe_record(struct subject *j, const struct ct_type *t)
{
    struct ct_record *r = t->record;

    if (r->is_union)
        return ct_describe_union(j, r);
    if (!strncmp(r->c_name, "hmf_t_", 6) && !r->made_from)
        return ct_refuse(j, ct_format("%s cannot be named here: give it a tag", r->name));
    r->wanted = true;
    return ct_format("HMF_TYPE_%s", r->ident);
}

/* Fields of a struct get their numbers before any is described: lengths refer to them. */
void ct_number_fields(struct ct_record *r)
{
    r->described = 0;
    for (int i = 0; i < r->nfields; i++)
        if (!r->fields[i].empty)
            r->fields[i].number = r->described++;
}

void ct_add_name(struct ct_record *r, const char *name)
{
    r->names = ct_grow(r->names, r->nnames, &r->names_cap, sizeof *r->names);
    r->names[r->nnames++] = name;
}

/* The first member with a name, in a member that has none. */
static const char *first_member(const struct ct_record *r)
{
    for (int i = 0; i < r->nfields; i++) {
        const struct ct_field *f = &r->fields[i];
        const char *inner = f->name;
        if (!*inner && f->type->kind == CT_RECORD)
            inner = first_member(f->type->record);
        if (inner && *inner)
            return inner;
    }
    return NULL;
}

static const char *describe_bits(struct subject *j, const struct ct_field *f)
{
    if (f->type->kind != CT_BASIC || !f->type->is_integer)
        return ct_refuse(j, ct_format("a bit-field of %s: make it one of int, unsigned or bool",
                                      f->type->spelled));
    return ct_format("typeBITS, %d, %s", *f->name ? f->bits : -f->bits, f->type->token);
}

/* One field of a struct, or one member of a union, that stands in `in`. */
const char *ct_describe_field(const struct subject *outer, struct ct_record *in,
                                  struct ct_field *f)
{
    struct subject j = *outer;

    j.notes = &f->notes;
    j.place = f->place;
    j.what = ct_format("%s, field %s", in->name, *f->name ? f->name : "(without a name)");
    j.owner = in->owner;
    f->member = *f->name                        ? f->name
                : f->type->kind == CT_RECORD ? first_member(f->type->record)
                                             : NULL;
    j.member = f->member;
    j.lvalue = NULL;
    ct_notes_check(j.s, j.place, j.what, f->type, j.notes);
    if (!in->is_union && (f->notes.cases || f->notes.is_default))
        ct_find(j.s, j.place, false, "%s: HMF_%s belongs to members of unions", j.what,
                f->notes.cases ? "CASE" : "DEFAULT");
    if (f->bits >= 0)
        return describe_bits(&j, f);
    return describe(&j, f->type);
}

/* ---- pointers ---- */

static const char *describe_target(struct subject *j, const struct ct_type *t)
{
    struct subject e = element(j);

    e.levels++;
    return describe(&e, t);
}

/* What a pointer's length says before the type of its elements. */
static const char *counted(struct subject *j, const char *text)
{
    struct ct_count c;

    if (!ct_count_of(j, text, j->naround, &c))
        return NULL;
    if (!c.count)
        return ct_format("typePOINTER, typeARRAY, (int)(%s)", c.array);
    if (j->levels > 1)
        return ct_refuse(j, "a length that is more than two pointers away from its field");
    return c.array ? ct_format("typeCOUNTED, %s, typeARRAY, (int)(%s)", c.count, c.array)
                   : ct_format("typeCOUNTED, %s", c.count);
}

static const char *describe_void(struct subject *j)
{
    const char *to = j->notes->points_to;

    if (!to)
        return ct_refuse(j, "void *: what does it lead to? Write HMF_POINTS_TO(type), "
                            "HMF_POINTS_TO(void) if that is described elsewhere, or HMF_TRANSIENT");
    if (!strcmp(to, "void"))
        return j->notes->weak ? "typeWEAK, typeVOID" : "typePOINTER, typeVOID";
    return NULL;
}

static const char *missing_length(struct subject *j, const struct ct_type *t,
                                  const struct ct_type *elem)
{
    if (elem->is_char)
        return ct_refuse(j, ct_format("%s: write HMF_STRING for a NUL-terminated string, "
                                      "HMF_LEN(field) for so many, or HMF_ONE", t->spelled));
    return ct_refuse(j, ct_format("%s without a length: write HMF_LEN(field), or HMF_ONE if it "
                                  "leads to one only", t->spelled));
}

static const char *describe_pointer(struct subject *j, const struct ct_type *t)
{
    const struct ct_notes *n = j->notes;
    const struct ct_type *elem = t->elem;
    const char *length = j->levels < n->nlengths ? n->lengths[j->levels] : NULL, *target, *count;
    struct subject to = *j;

    if (elem->kind == CT_FUNCTION) {
        struct ct_source *s = j->s;
        s->function_types = ct_grow(s->function_types, s->nfunction_types, &s->function_types_cap,
                                    sizeof *s->function_types);
        s->function_types[s->nfunction_types++] = elem->spelled;
        return "typeFUNCTION";
    }
    if (elem->kind == CT_VOID) {
        if (!n->target)
            return describe_void(j);
        elem = n->target;
        to.member = NULL;
        to.lvalue = ct_format("(*(__typeof__(%s) **)0)", elem->spelled);
    }
    if (n->string && elem->is_char && (!length || j->levels + 1 > n->nlengths))
        return n->weak ? ct_refuse(j, "HMF_WEAK has no meaning for a string")
                       : "typePOINTER, typeCSTRING";
    if (length) {
        if (!(count = counted(j, length)))
            return NULL;
        if (elem->kind == CT_RECORD && has_flexible(elem->record))
            return ct_refuse(j, ct_format("several objects of %s, which ends in a flexible array",
                                          elem->record->name));
    } else {
        bool record = elem->kind == CT_RECORD;
        if (elem->kind == CT_INCOMPLETE)
            return ct_refuse(j, ct_format("%s is defined elsewhere, nobody here knows what is in "
                                          "it: include its definition, or write HMF_TRANSIENT and "
                                          "make it anew after auto_read", elem->record->name));
        if (!record && !n->one && !n->weak && elem->kind != CT_HANDLE && elem->kind != CT_STRANGE)
            return missing_length(j, t, elem);
        if (record && j->r && !n->one && !n->weak && !n->points_to && !elem->record->is_union &&
            j->depth == 0 && !has_flexible(elem->record) && !is_link(j->s, elem->record, j->r))
            ct_find(j->s, j->place, true, "%s: taken to lead to one %s: write HMF_ONE if that is "
                    "so, else HMF_LEN(field)", j->what, elem->record->name);
        count = n->weak ? "typeWEAK" : "typePOINTER";
    }
    if (length && n->weak)
        return ct_refuse(j, "HMF_WEAK and HMF_LEN: a weak pointer leads to what others describe, "
                            "it needs no length");
    target = describe_target(&to, elem);
    return target ? ct_format("%s, %s", count, target) : NULL;
}

/* ---- all types ---- */

/* Windows and files of MPI are carried only where there is none (doc/mpi-handles.md). */
static const char *mpi_handle(struct subject *j, const struct ct_type *t)
{
    if (!strcmp(t->why, "MPI_Win") || !strcmp(t->why, "MPI_File"))
        ct_find(j->s, j->place, true, "%s: a handle of MPI, %s: a rank that holds one cannot move; "
                "free it before, or write HMF_TRANSIENT and make it anew after auto_read", j->what,
                t->why);
    return t->token;
}

static const char *handle(struct subject *j, const struct ct_type *t)
{
    return ct_refuse(j, ct_format("%s belongs to the process that made it: write HMF_TRANSIENT, "
                                  "and make it anew after auto_read", t->why));
}

static const char *describe_flexible(struct subject *j, const struct ct_type *t)
{
    struct ct_count c;
    struct subject e = element(j);

    if (!j->notes->nlengths)
        return ct_refuse(j, "a flexible array without a length: write HMF_LEN(field)");
    if (!ct_count_of(j, j->notes->lengths[0], j->naround < 1 ? 0 : 1, &c))
        return NULL;
    if (!c.count)
        return ct_refuse(j, "the length of a flexible array depends on a field of the struct");
    const char *elem = describe(&e, t->elem);
    if (!elem)
        return NULL;
    return c.array ? ct_format("typeFLEX, %s, typeARRAY, (int)(%s), %s", c.count, c.array, elem)
                   : ct_format("typeFLEX, %s, %s", c.count, elem);
}

static const char *describe(struct subject *j, const struct ct_type *t)
{
    const struct ct_notes *n = j->notes;

    if (j->depth > CT_MAX_DEPTH / 2)
        return ct_refuse(j, "arrays and pointers are nested too deep");
    if (j->depth == 0 && n->transient && t->kind != CT_FLEXIBLE)
        return ct_format("typeTRANSIENT, typeOPAQUE, %s", size_of(j));
    if (j->depth == 0 && n->opaque && t->kind != CT_FLEXIBLE)
        return ct_format("typeOPAQUE, %s", size_of(j));
    switch (t->kind) {
    case CT_BASIC:
        return t->token;
    case CT_SYSTEM_INT:
        return ct_format("HMF_INTEGER_(%s)", value_of(j));
    case CT_ARRAY: {
        const char *dim = dimension(j);
        if (n->string && t->elem->is_char)
            return ct_format("typeFSTRING, %s", dim);
        struct subject e = element(j);
        const char *elem = describe(&e, t->elem);
        return elem ? ct_format("typeARRAY, %s, %s", dim, elem) : NULL;
    }
    case CT_RECORD:
        return describe_record(j, t);
    case CT_POINTER:
        return describe_pointer(j, t);
    case CT_FLEXIBLE:
        return describe_flexible(j, t);
    case CT_MPI:
        return mpi_handle(j, t);
    case CT_HANDLE:
        return handle(j, t);
    case CT_INCOMPLETE:
        return ct_refuse(j, ct_format("%s is not defined here", t->record->name));
    case CT_STRANGE:
        return ct_refuse(j, ct_format("%s cannot be described: write HMF_OPAQUE to carry its bytes "
                                      "between equal machines, or HMF_TRANSIENT", t->why));
    case CT_FUNCTION:
    case CT_VOID:
        break;
    }
    return ct_refuse(j, ct_format("%s cannot be described", t->spelled));
}

static void resolve_record(struct ct_source *s, struct ct_record *r)
{
    struct subject j = {.s = s, .r = r, .around = {r}, .naround = 1};

    r->used = true;
    ct_number_fields(r);
    if (!r->described)
        ct_find(s, r->place, false, "%s has no fields", r->name);
    for (int i = 0; i < r->nfields; i++) {
        struct ct_field *f = &r->fields[i];
        if (f->empty)
            continue;
        ct_add_name(r, f->name);
        f->tokens = ct_describe_field(&j, r, f);
        if (f->type->kind == CT_RECORD && has_flexible(f->type->record) && !f->notes.transient)
            ct_find(s, f->place, false,
                    "%s, field %s: %s ends in a flexible array, so it can only be pointed to",
                    r->name, f->name, f->type->record->name);
    }
}

static void resolve_variable(struct ct_source *s, struct ct_variable *v)
{
    struct subject j = {.s = s, .notes = &v->notes, .place = v->place};
    const struct ct_type *t = v->type;

    j.what = ct_format("variable %s", v->name);
    j.lvalue = v->reachable ? v->name : ct_format("(*(__typeof__(%s) *)0)", t->spelled);
    v->ident = ct_identifier(v->name);
    while (t->kind == CT_ARRAY) { /* the size given at registration says how many */
        t = t->elem;
        j = element(&j);
    }
    j.depth = 0;
    if (t->kind == CT_POINTER && !v->notes.one && !v->notes.string && !v->notes.weak &&
        !v->notes.points_to && t->elem->kind != CT_RECORD && t->elem->kind != CT_FUNCTION &&
        t->elem->kind != CT_HANDLE && t->elem->kind != CT_INCOMPLETE) {
        v->tokens = "typePOINTER, typeVOID"; /* into what HMF_TRACK_ARRAY registers */
        return;
    }
    v->tokens = describe(&j, t);
}

/* How deep a struct nests by value; a definition cannot contain itself, so this ends. */
static int depth_of(const struct ct_record *r)
{
    int depth = 0;

    for (int i = 0; i < r->nfields; i++) {
        const struct ct_type *t = r->fields[i].type;
        int d = 0;
        for (; t->kind == CT_ARRAY || t->kind == CT_FLEXIBLE; t = t->elem)
            d++;
        if (t->kind == CT_RECORD)
            d += depth_of(t->record);
        depth = d > depth ? d : depth;
    }
    return depth + 1;
}

void ct_resolve(struct ct_source *s)
{
    for (size_t i = 0; i < s->nvariables; i++)
        resolve_variable(s, s->variables[i]);
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < s->nrecords; i++) {
            struct ct_record *r = s->records[i];
            if (!r->wanted || r->resolved)
                continue;
            more = r->resolved = true;
            if (r->is_union) {
                ct_find(s, r->place, true,
                        "%s stands alone: a union is described where it is a field, beside its "
                        "discriminant", r->name);
                continue;
            }
            if (depth_of(r) > CT_MAX_DEPTH / 2)
                ct_find(s, r->place, false, "%s: structs and arrays are nested more than %d deep",
                        r->name, CT_MAX_DEPTH / 2);
            else
                resolve_record(s, r);
        }
    }
}
