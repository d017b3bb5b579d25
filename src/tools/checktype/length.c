/* hmf-checktype: lengths of pointers and flexible arrays, as HMF_LEN says them.
 *
 *   length := product { ('+' | '-') product }
 *   product := factor { ('*' | '/') factor }
 *   factor := number | enumerator | '(' length ')' | field { '.' field | '[' number ']' }
 *
 * What holds no field is left to the compiler: it becomes C that compiles to a constant. */
#include "config.h"

#include "resolve.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

const struct ct_field *ct_field_named(const struct ct_record *r, const char *name)
{
    for (int i = 0; i < r->nfields; i++)
        if (!strcmp(r->fields[i].name, name))
            return &r->fields[i];
    return NULL;
}

enum ct_length_op {
    CT_LEN_CONSTANT,
    CT_LEN_FIELD,
    CT_LEN_SUM,
    CT_LEN_DIFFERENCE,
    CT_LEN_PRODUCT,
    CT_LEN_QUOTIENT
};
struct ct_step {                  /* to a field of a record, or an element of an array */
    struct ct_record *record;
    const struct ct_field *field;
    const char *index;            /* of the element: C that compiles to a constant; else NULL */
};
struct ct_length {
    enum ct_length_op op;
    const char *constant;         /* CONSTANT: C that compiles to one */
    struct ct_step steps[CT_MAX_LEVELS]; /* FIELD: the first is one of the up-th record around */
    int nsteps, up;
    struct ct_length *a, *b;      /* the others */
};

struct parse {
    struct ct_source *s;
    struct ct_record *const *around;
    int naround;
    struct ct_place place;
    const char *note, *what, *text, *p; /* note: HMF_LEN or HMF_SWITCH */
    int depth;
    bool failed;
};

static const char unknown[] = "a length is made of fields of the same struct and numbers, with "
                              "+ - * / and parentheses; keep any other in a field of its own";

static struct ct_length *fail(struct parse *q, const char *why)
{
    if (!q->failed)
        ct_find(q->s, q->place, false, "%s: %s(%s): %s", q->what, q->note, q->text, why);
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
        const char *sign = op == CT_LEN_SUM          ? "+"
                           : op == CT_LEN_DIFFERENCE ? "-"
                           : op == CT_LEN_PRODUCT    ? "*"
                                                     : "/";
        return constant(ct_format(op == CT_LEN_PRODUCT ? "%s %s %s" : "(%s %s %s)", a->constant,
                                  sign, b->constant));
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

/* "[2]" behind an array: its type's element. */
static const struct ct_type *element(struct parse *q, const struct ct_type *t, struct ct_step *step)
{
    q->p++;
    space(q);
    const char *index = word_at(q);
    space(q);
    if (*q->p != ']' || !*index || (!isdigit((unsigned char)*index) && !is_constant(q->s, index))) {
        fail(q, "an index is a number");
        return NULL;
    }
    q->p++;
    if (t->kind != CT_ARRAY) {
        fail(q, ct_format("%s has no elements", t->spelled));
        return NULL;
    }
    step->index = index;
    return t->elem;
}

/* The steps into a field: members of structs within it, elements of arrays. */
static bool walk(struct parse *q, struct ct_length *n)
{
    const struct ct_type *t = n->steps[0].field->type;

    for (space(q); *q->p == '.' || *q->p == '['; space(q)) {
        if (n->nsteps == CT_MAX_LEVELS)
            return fail(q, "a field that lies too deep"), false;
        struct ct_step *step = &n->steps[n->nsteps++];
        if (*q->p == '[') {
            if (!(t = element(q, t, step)))
                return false;
            continue;
        }
        q->p++;
        const char *word = word_at(q);
        if (t->kind != CT_RECORD || t->record->is_union)
            return fail(q, ct_format("%s has no member that is always there", t->spelled)), false;
        step->record = t->record;
        step->field = ct_field_named(t->record, word);
        if (!step->field)
            return fail(q, ct_format("%s has no field \"%s\"", t->record->name, word)), false;
        t = step->field->type;
    }
    for (int i = 0; i < n->nsteps; i++) {
        const struct ct_field *f = n->steps[i].field;
        if (f && (f->notes.transient || f->notes.opaque))
            return fail(q, ct_format("the field \"%s\" is not saved as a number", f->name)), false;
    }
    if (!t->is_integer || t->kind == CT_ARRAY)
        return fail(q, ct_format("the field \"%s\" is %s, not an integer",
                                 n->steps[0].field->name, t->spelled)), false;
    return true;
}

static struct ct_length *field(struct parse *q, const char *word)
{
    const struct ct_field *f = NULL;
    int up = 0;

    for (; up < q->naround && !(f = ct_field_named(q->around[up], word)); up++)
        ;
    if (!f && is_constant(q->s, word))
        return constant(word);
    if (!f)
        return fail(q, q->naround ? ct_format("%s has no field \"%s\"", q->around[0]->name, word)
                                  : "only fields know the fields beside them");
    struct ct_length *n = ct_alloc(sizeof *n);
    n->op = CT_LEN_FIELD;
    n->steps[0] = (struct ct_step){q->around[up], f, NULL};
    n->nsteps = 1;
    n->up = up;
    return walk(q, n) ? n : NULL;
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
            return fail(q, unknown);
        q->p += n != NULL;
        q->depth--;
        return n;
    }
    const char *word = word_at(q);
    if (!*word)
        return fail(q, unknown);
    if (!isdigit((unsigned char)*word))
        return field(q, word);
    if (strtoull(word, NULL, 0) > INT_MAX)
        return fail(q, "a number that is too large");
    return constant(word);
}

static struct ct_length *product(struct parse *q)
{
    struct ct_length *n = factor(q);

    for (space(q); n && (*q->p == '*' || *q->p == '/'); space(q)) {
        enum ct_length_op op = *q->p++ == '*' ? CT_LEN_PRODUCT : CT_LEN_QUOTIENT;
        struct ct_length *by = factor(q);
        if (by && op == CT_LEN_QUOTIENT && by->op == CT_LEN_CONSTANT && !strcmp(by->constant, "0"))
            return fail(q, "a division by zero");
        n = combine(op, n, by);
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

static const struct ct_length *length_of(struct subject *j, int naround, const char *text)
{
    struct parse q = {.note = "HMF_LEN", .s = j->s, .around = j->around, .naround = naround, .place = j->place,
                      .what = j->what, .text = text, .p = text};
    struct ct_length *n = sum(&q);

    if (n && *q.p)
        return fail(&q, unknown);
    return n;
}

/* ---- as descriptions say it ---- */

/* Takes the numbers of a product apart from the rest of it. */
static const struct ct_length *split_product(const struct ct_length *n, const char **number)
{
    if (n->op == CT_LEN_CONSTANT) {
        *number = *number ? ct_format("%s * %s", *number, n->constant) : n->constant;
        return NULL;
    }
    if (n->op != CT_LEN_PRODUCT)
        return n;
    const struct ct_length *a = split_product(n->a, number), *b = split_product(n->b, number);
    if (!a || !b)
        return a ? a : b;
    struct ct_length *both = ct_alloc(sizeof *both);
    *both = (struct ct_length){.op = CT_LEN_PRODUCT, .a = (struct ct_length *)a,
                               .b = (struct ct_length *)b};
    return both;
}

static const char *field_of_length(const struct ct_length *n)
{
    const char *tokens = ct_format("%d", n->up * 65536 + n->steps[0].field->number);

    if (n->nsteps == 1)
        return tokens;
    tokens = ct_format("typePATH, %d, %s", n->nsteps, tokens);
    for (int i = 1; i < n->nsteps; i++) {
        const struct ct_step *step = &n->steps[i];
        if (step->index) {
            tokens = ct_format("%s, (int)(%s)", tokens, step->index);
        } else {
            ct_number_fields(step->record);
            tokens = ct_format("%s, %d", tokens, step->field->number);
        }
    }
    return tokens;
}

static const char *expression(const struct ct_length *n)
{
    switch (n->op) {
    case CT_LEN_CONSTANT:
        return ct_format("typeNUMBER, (int)(%s)", n->constant);
    case CT_LEN_FIELD:
        return field_of_length(n);
    case CT_LEN_SUM:
        return ct_format("typeADD, %s, %s", expression(n->a), expression(n->b));
    case CT_LEN_DIFFERENCE:
        return ct_format("typeSUB, %s, %s", expression(n->a), expression(n->b));
    case CT_LEN_PRODUCT:
        return ct_format("typeMUL, %s, %s", expression(n->a), expression(n->b));
    case CT_LEN_QUOTIENT:
        break;
    }
    return ct_format("typeDIV, %s, %s", expression(n->a), expression(n->b));
}

const char *ct_discriminant(struct subject *j, const char *text)
{
    struct parse q = {.note = "HMF_SWITCH", .s = j->s, .around = j->around, .naround = j->naround,
                      .place = j->place, .what = j->what, .text = text, .p = text};

    space(&q);
    const char *word = word_at(&q);
    const struct ct_length *n = field(&q, word);
    if (n && (*q.p || n->op != CT_LEN_FIELD))
        return fail(&q, "a field, or a path to one like head.kind, tells which member holds"), NULL;
    return n ? field_of_length(n) : NULL;
}

bool ct_count_of(struct subject *j, const char *text, int naround, struct ct_count *out)
{
    const struct ct_length *n = length_of(j, naround, text);

    *out = (struct ct_count){0};
    if (!n)
        return false;
    n = split_product(n, &out->array);
    if (!n)
        return true;
    out->count = expression(n);
    return true;
}
