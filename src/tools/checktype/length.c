/* hmf-checktype: lengths of pointers and flexible arrays, as HMF_LEN says them.
 *
 *   length := product { ('+' | '-') product }
 *   product := factor { '*' factor }
 *   factor := number | enumerator | field { '.' field } | '(' length ')'
 *
 * What holds no field is left to the compiler: it becomes C that compiles to a constant.  How a
 * description says a length is resolve.c's. */
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
    int depth;
    bool failed;
};

static struct ct_length *fail(struct parse *q, const char *why)
{
    if (!q->failed)
        ct_find(q->s, q->place, false, "%s: HMF_LEN(%s): %s", q->what, q->text, why);
    q->failed = true;
    return NULL;
}

static void space(struct parse *q)
{
    while (isspace((unsigned char)*q->p))
        q->p++;
}

static struct ct_length *sum(struct parse *q);

static struct ct_length *constant(const char *text)
{
    struct ct_length *n = ct_alloc(sizeof *n);

    n->op = CT_LEN_CONSTANT;
    n->constant = text;
    return n;
}

/* Numbers together stay a number. */
static struct ct_length *combine(enum ct_length_op op, struct ct_length *a, struct ct_length *b)
{
    struct ct_length *n;

    if (!a || !b)
        return NULL;
    if (a->op == CT_LEN_CONSTANT && b->op == CT_LEN_CONSTANT) {
        const char *sign = op == CT_LEN_SUM ? "+" : op == CT_LEN_DIFFERENCE ? "-" : "*";
        bool product = op == CT_LEN_PRODUCT;
        return constant(ct_format(product ? "%s %s %s" : "(%s %s %s)", a->constant, sign,
                                  b->constant));
    }
    n = ct_alloc(sizeof *n);
    n->op = op;
    n->a = a;
    n->b = b;
    return n;
}

static bool is_constant(const struct ct_source *s, const char *word)
{
    for (size_t i = 0; i < s->nconstants; i++)
        if (!strcmp(s->constants[i], word))
            return true;
    return false;
}

static const char *word_at(struct parse *q)
{
    const char *from = q->p;

    while (isalnum((unsigned char)*q->p) || *q->p == '_')
        q->p++;
    return ct_format("%.*s", (int)(q->p - from), from);
}

static struct ct_length *field(struct parse *q, const char *word)
{
    const struct ct_field *f = NULL;
    struct ct_length *n;
    int up = 0;

    for (; up < q->naround && !(f = ct_field_named(q->around[up], word)); up++)
        ;
    if (!f && is_constant(q->s, word))
        return constant(word);
    if (!f)
        return fail(q, q->naround ? ct_format("%s has no field \"%s\"", q->around[0]->name, word)
                                  : "only fields know the fields beside them");
    if (!f->type->is_integer)
        return fail(q, ct_format("the field \"%s\" is %s, a length is an integer", word,
                                 f->type->spelled));
    if (f->notes.transient || f->notes.opaque)
        return fail(q, ct_format("the field \"%s\" is not saved as a number", word));
    n = ct_alloc(sizeof *n);
    n->op = CT_LEN_FIELD;
    n->field = f;
    n->up = up;
    return n;
}

static struct ct_length *factor(struct parse *q)
{
    struct ct_length *n;

    space(q);
    if (*q->p == '(') {
        if (++q->depth > CT_MAX_LEVELS)
            return fail(q, "parentheses are nested too deep");
        q->p++;
        n = sum(q);
        space(q);
        if (n && *q->p != ')')
            return fail(q, "a parenthesis is not closed");
        q->p += n != NULL;
        q->depth--;
        return n;
    }
    const char *word = word_at(q);
    if (!*word)
        return fail(q, "a length is made of fields of the same struct and numbers, with + - * and "
                       "parentheses; keep any other in a field of its own");
    return isdigit((unsigned char)*word) ? constant(word) : field(q, word);
}

static struct ct_length *product(struct parse *q)
{
    struct ct_length *n = factor(q);

    for (space(q); n && *q->p == '*'; space(q)) {
        q->p++;
        n = combine(CT_LEN_PRODUCT, n, factor(q));
    }
    return n;
}

static struct ct_length *sum(struct parse *q)
{
    struct ct_length *n = product(q);

    for (space(q); n && (*q->p == '+' || *q->p == '-'); space(q)) {
        enum ct_length_op op = *q->p++ == '+' ? CT_LEN_SUM : CT_LEN_DIFFERENCE;
        n = combine(op, n, product(q));
    }
    return n;
}

const struct ct_length *ct_length_parse(struct ct_source *s, const struct ct_record *const *around,
                                        int naround, struct ct_place place, const char *what,
                                        const char *text)
{
    struct parse q = {.s = s, .around = around, .naround = naround, .place = place, .what = what,
                      .text = text, .p = text};
    struct ct_length *n = sum(&q);

    if (n && *q.p)
        return fail(&q, "a length is made of fields of the same struct and numbers, with + - * "
                        "and parentheses; keep any other in a field of its own");
    return n;
}
