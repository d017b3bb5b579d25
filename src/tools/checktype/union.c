/* hmf-checktype: unions.  They have no type of their own: they need the discriminant beside them,
 * so they are described where they stand, as are anonymous structs inside of them. */
#include "config.h"

#include "resolve.h"

#include <string.h>

/* An anonymous struct in a union: its fields where it stands, in natural layout. */
static const char *describe_inline(const struct subject *outer, struct ct_record *in)
{
    struct subject j = *outer;

    if (j.naround == CT_MAX_LEVELS)
        return ct_refuse(outer, "structs and unions are nested too deep");
    ct_number_fields(in);
    memmove(j.around + 1, j.around, (size_t)j.naround * sizeof *j.around);
    j.around[0] = in;
    j.naround++;
    const char *tokens = ct_format("-%d", in->described);
    for (int i = 0; i < in->nfields; i++) {
        if (in->fields[i].empty)
            continue;
        if (j.r)
            ct_add_name(j.r, in->fields[i].name);
        const char *field = ct_describe_field(&j, in, &in->fields[i]);
        if (!field)
            return NULL;
        tokens = ct_format("%s, %s", tokens, field);
    }
    return tokens;
}

static const char *describe_member(struct subject *j, struct ct_record *u, struct ct_field *f)
{
    if (!*f->name && f->type->kind == CT_RECORD && !f->type->record->is_union)
        return describe_inline(j, f->type->record);
    return ct_describe_field(j, u, f);
}

static bool kinds_in(const struct ct_record *u, bool *pointers, bool *others)
{
    for (int i = 0; i < u->nfields; i++) {
        const struct ct_type *t = u->fields[i].type;
        while (t->kind == CT_ARRAY)
            t = t->elem;
        *pointers |= t->kind == CT_POINTER;
        *others |= t->kind != CT_POINTER;
    }
    return *pointers && *others;
}

/* Is value one of the values, with commas between, up to `end`? */
static bool is_among(const char *values, const char *end, const char *value, size_t len)
{
    for (const char *p = values; p < end;) {
        size_t n = strcspn(p, ",");
        while (n && *p == ' ')
            p++, n--;
        if (p < end && n == len && !strncmp(p, value, n))
            return true;
        p += n + 1;
    }
    return false;
}

static bool check_case(struct subject *j, const struct ct_record *u, int member, const char *value,
                       size_t len)
{
    const struct ct_field *f = &u->fields[member];
    bool taken = false;

    for (int i = 0; i < member && !taken; i++)
        if (u->fields[i].notes.cases)
            taken = is_among(u->fields[i].notes.cases,
                             strchr(u->fields[i].notes.cases, '\0'), value, len);
    taken = taken || is_among(f->notes.cases, value, value, len);
    if (len && !taken)
        return true;
    ct_find(j->s, f->place, false, "%s, member %s: HMF_CASE(%s): %s", u->name, f->name,
            f->notes.cases, len ? ct_format("a second one of %.*s", (int)len, value)
                                : "a value is missing");
    return false;
}

static const char *describe_cases(struct subject *j, struct ct_record *u,
                                  const char *discriminant)
{
    const char *tokens = "", *otherwise = NULL, *default_name = NULL;
    size_t mark = j->r ? j->r->nnames : 0;
    bool good = true;
    int n = 0;

    for (int i = 0; i < u->nfields; i++) {
        struct ct_field *f = &u->fields[i];
        size_t first = j->r ? j->r->nnames : 0;
        if (!f->notes.cases && !f->notes.is_default) {
            ct_find(j->s, f->place, false, "%s, member %s: which value of %s selects it? Write "
                    "HMF_CASE(value), or HMF_DEFAULT", u->name, f->name, j->notes->switch_on);
            good = false;
            continue;
        }
        if (f->notes.is_default && otherwise) {
            ct_find(j->s, f->place, false, "%s, member %s: a second HMF_DEFAULT", u->name, f->name);
            good = false;
            continue;
        }
        if (j->r)
            ct_add_name(j->r, f->name);
        const char *type = describe_member(j, u, f);
        if (!type) {
            good = false;
            continue;
        }
        if (f->notes.is_default) {
            if (j->r && j->r->nnames != first + 1)
                return ct_refuse(j, "HMF_DEFAULT at an anonymous struct: give it a name");
            if (j->r)
                j->r->nnames--;
            otherwise = type;
            default_name = f->name;
            continue;
        }
        /* several values: the branch once for each */
        size_t nnames = j->r ? j->r->nnames - first : 0;
        const char *rest = f->notes.cases;
        for (int k = 0; rest; k++) {
            const char *comma = strchr(rest, ',');
            size_t len = comma ? (size_t)(comma - rest) : strlen(rest);
            for (size_t m = 0; k && m < nnames; m++)
                ct_add_name(j->r, j->r->names[first + m]);
            while (len && *rest == ' ')
                rest++, len--;
            good &= check_case(j, u, i, rest, len);
            tokens = ct_format("%s, (int)(%.*s), %s", tokens, (int)len, rest, type);
            n++;
            rest = comma ? comma + 1 : NULL;
        }
    }
    if (!good) {
        if (j->r)
            j->r->nnames = mark;
        return NULL;
    }
    if (otherwise && j->r)
        ct_add_name(j->r, default_name);
    return ct_format("%s, %s, %d%s%s%s", otherwise ? "typeUNIONELSE" : "typeUNION", discriminant, n,
                     tokens, otherwise ? ", " : "", otherwise ? otherwise : "");
}

const char *ct_describe_union(struct subject *j, struct ct_record *u)
{
    const struct ct_notes *n = j->notes;

    u->used = true;
    if (!n->as && !n->switch_on) {
        bool pointers = false, others = false;
        kinds_in(u, &pointers, &others);
        return ct_refuse(j, ct_format("a union%s: which member holds? Write HMF_SWITCH(field) here "
                                      "and HMF_CASE(value) at its members, HMF_AS(member) if it is "
                                      "always the same one, %s",
                                      pointers && others ? " of pointers and other things" : "",
                                      pointers ? "or HMF_TRANSIENT"
                                               : "HMF_OPAQUE for bytes as they are, or "
                                                 "HMF_TRANSIENT"));
    }
    if (n->as) {
        const struct ct_field *f = ct_field_named(u, n->as);
        if (!f)
            return ct_refuse(j, ct_format("HMF_AS(%s): %s has no such member", n->as, u->name));
        return describe_member(j, u, &u->fields[f - u->fields]);
    }
    const char *discriminant = ct_discriminant(j, n->switch_on);
    return discriminant ? describe_cases(j, u, discriminant) : NULL;
}
