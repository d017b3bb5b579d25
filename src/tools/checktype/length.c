/* hmf-checktype: lengths of pointers and flexible arrays, as HMF_LEN says them.
 *
 *   length := factor { '*' factor }        factor := number | enumerator | field | ( length )
 *
 * with at most one field; everything else is C that compiles to a constant. */
#include "config.h"

#include "model.h"

#include <ctype.h>
#include <string.h>

const struct ct_field *ct_field_named(const struct ct_record *r, const char *name)
{
    for (int i = 0; i < r->nfields; i++)
        if (!strcmp(r->fields[i].name, name))
            return &r->fields[i];
    return NULL;
}

struct parse {
    struct ct_source *s;
    const struct ct_record *const *around;
    int naround;
    struct ct_place place;
    const char *what, *text, *p;
    const struct ct_field *field;
    const char *factor;
    bool failed;
};

static void fail(struct parse *q, const char *why)
{
    if (!q->failed)
        ct_find(q->s, q->place, false, "%s: HMF_LEN(%s): %s", q->what, q->text, why);
    q->failed = true;
}

static void space(struct parse *q)
{
    while (isspace((unsigned char)*q->p))
        q->p++;
}

static void product(struct parse *q);

static void times(struct parse *q, const char *constant)
{
    q->factor = q->factor ? ct_format("%s * %s", q->factor, constant) : constant;
}

static bool is_constant(const struct ct_source *s, const char *word)
{
    for (size_t i = 0; i < s->nconstants; i++)
        if (!strcmp(s->constants[i], word))
            return true;
    return false;
}

static void factor(struct parse *q)
{
    space(q);
    const char *from = q->p;
    if (*q->p == '(') {
        q->p++;
        product(q);
        space(q);
        if (*q->p != ')') {
            fail(q, "a parenthesis is not closed, or there is more than numbers and one field in "
                    "it");
            return;
        }
        q->p++;
        return;
    }
    while (isalnum((unsigned char)*q->p) || *q->p == '_')
        q->p++;
    const char *word = ct_format("%.*s", (int)(q->p - from), from);
    if (isdigit((unsigned char)*word)) {
        times(q, word);
        return;
    }
    const struct ct_field *f = NULL;
    for (int i = 0; i < q->naround && !f && *word; i++)
        f = ct_field_named(q->around[i], word);
    if (!f && is_constant(q->s, word)) {
        times(q, word);
    } else if (!*word) {
        fail(q, "a length is a field of the same struct, a number, or a number times a field");
    } else if (!f) {
        fail(q, q->naround ? ct_format("%s has no field \"%s\"", q->around[0]->name, word)
                              : "only fields know the fields beside them");
    } else if (!f->type->is_integer) {
        fail(q,
             ct_format("the field \"%s\" is %s, a length is an integer", word, f->type->spelled));
    } else if (f->notes.transient || f->notes.opaque) {
        fail(q, ct_format("the field \"%s\" is not saved as a number", word));
    } else if (q->field) {
        fail(q, "a product of two fields: keep it in a field of its own, say n, and write "
                "HMF_LEN(n)");
    } else {
        q->field = f;
    }
}

static void product(struct parse *q)
{
    factor(q);
    for (space(q); *q->p == '*' && !q->failed; space(q)) {
        q->p++;
        factor(q);
    }
}

bool ct_length_parse(struct ct_source *s, const struct ct_record *const *around, int naround,
                     struct ct_place place, const char *what, const char *text,
                     struct ct_length *out)
{
    struct parse q = {.s = s, .around = around, .naround = naround, .place = place, .what = what,
                      .text = text, .p = text};

    product(&q);
    if (!q.failed && *q.p)
        fail(&q, "a length is a field of the same struct, a number, or a number times a field; "
                 "keep any other in a field of its own");
    if (q.failed)
        return false;
    out->field = q.field;
    out->factor = q.factor;
    return true;
}
