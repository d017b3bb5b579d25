/* Descriptions: the fields that other parts depend on, as lengths and discriminants; see desc.h. */
#include "config.h"

#include "desc.h"

#include "base.h"
#include "depend.h"
#include "length.h"

#include "typemap.h"

/* A field with a number that something depends on: f, at position at, and nsteps ints behind it
 * that lead into it.  At most max_hops pointers away; *hops: how many, if told before (not -1) the
 * same. */
static hmf_status_t use_field(struct hmf__parser *p, size_t at, const char *what, int f,
                              uint32_t nsteps, int max_hops, int *hops)
{
    int up = f / 65536, field = f % 65536;

    if (f < 0 || up >= p->nenclosing)
        return hmf__desc_wrong(p, at,
                               "%s is in field %d of the struct %d around, but %d structs are "
                               "around",
                               what, field, up, p->nenclosing);
    int away = p->pointers - p->hops[p->nenclosing - 1 - up];
    if (away > max_hops)
        return hmf__desc_wrong(p, at, "%s is in a struct that is %d pointers away: %s", what, away,
                               max_hops ? "one is the most" : "it must be in the same one");
    if (*hops >= 0 && away != *hops)
        return hmf__desc_wrong(
            p, at, "%s is in fields of which some are a pointer away and some are not", what);
    *hops = away;
    if (!hmf__desc_grow((void **)&p->lengths, &p->lengths_cap, p->nlengths, sizeof *p->lengths))
        return hmf__desc_no_memory();
    p->lengths[p->nlengths++] = (struct hmf__needed){
        p->enclosing[p->nenclosing - 1 - up], (uint32_t)field, at, what, p->desc + at + 1, nsteps};
    return HMF_OK;
}

hmf_status_t hmf__desc_field(struct hmf__parser *p, size_t at, const char *what, int max_hops,
                             struct hmf__type *node)
{
    hmf_status_t rc;
    int f = 0, hops = -1;

    if ((rc = hmf__desc_operand(p, at, what, &f)) != HMF_OK ||
        (rc = use_field(p, p->pos - 1, what, f, 0, max_hops, &hops)) != HMF_OK)
        return rc;
    node->len = hops ? HMF__LEN_OUTER : HMF__LEN_FIELD;
    node->len_field = (uint32_t)(f % 65536);
    node->len_up = (uint32_t)(f / 65536);
    return HMF_OK;
}

/* What stands behind typePATH: where it leads is checked later.  *f: the field it begins with. */
static hmf_status_t parse_path(struct hmf__parser *p, const char *what, int max_hops, int *hops,
                               int *f)
{
    size_t begin = p->pos - 1;
    hmf_status_t rc;
    int n = 0;

    if ((rc = hmf__desc_operand(p, begin, "the number of steps", &n)) != HMF_OK ||
        (rc = hmf__desc_operand(p, begin, "the field", f)) != HMF_OK)
        return rc;
    if (n < 1 || (size_t)n - 1 > p->len - p->pos)
        return hmf__desc_wrong(p, begin + 1, "a path of %d steps, but %zu numbers follow", n,
                               p->len - p->pos + 1);
    rc = use_field(p, p->pos - 1, what, *f, (uint32_t)n - 1, max_hops, hops);
    p->pos += (size_t)n - 1;
    return rc;
}

/* Words [begin, pos) become the node's expression. */
static hmf_status_t take_words(const struct hmf__parser *p, size_t begin, struct hmf__type *node)
{
    if (p->pos - begin > HMF__MAX_EXPR)
        return hmf__desc_wrong(p, begin, "an expression has at most %d words", HMF__MAX_EXPR);
    node->nexpr = (uint32_t)(p->pos - begin);
    node->expr = hmf__malloc(node->nexpr * sizeof *node->expr);
    if (!node->expr)
        return hmf__desc_no_memory();
    for (uint32_t i = 0; i < node->nexpr; i++)
        node->expr[i] = p->desc[begin + i];
    return HMF_OK;
}

hmf_status_t hmf__desc_discriminant(struct hmf__parser *p, size_t at, struct hmf__type *node)
{
    static const char what[] = "the discriminant";
    size_t begin = p->pos;
    int f = 0, hops = -1;
    hmf_status_t rc;

    if (begin == p->len || p->desc[begin] >= 0)
        return hmf__desc_field(p, at, what, 0, node);
    p->pos++;
    if (p->desc[begin] == -1) /* what every branch begins with */
        return HMF_OK;
    if (p->desc[begin] != typePATH)
        return hmf__desc_wrong(p, begin, "%s is a field, a path to one, or -1 for what all branches "
                               "begin with", what);
    if ((rc = parse_path(p, what, 0, &hops, &f)) != HMF_OK)
        return rc;
    node->len = HMF__LEN_PATH;
    node->len_field = (uint32_t)(f % 65536);
    node->len_up = (uint32_t)(f / 65536);
    return take_words(p, begin, node);
}

/* One expression, from the word at p->pos on. */
static hmf_status_t parse_expression(struct hmf__parser *p, size_t at, int max_hops, int *hops)
{
    static const char what[] = "the length";
    size_t begin = p->pos;
    hmf_status_t rc;
    int word = 0, n, f;

    if (begin - at > HMF__MAX_EXPR)
        return hmf__desc_wrong(p, at + 1, "an expression has at most %d words", HMF__MAX_EXPR);
    if ((rc = hmf__desc_operand(p, at, what, &word)) != HMF_OK)
        return rc;
    if (!hmf__length_begins(word))
        return use_field(p, begin, what, word, 0, max_hops, hops);
    if (word == typeNUMBER)
        return hmf__desc_operand(p, begin, "the number", &n);
    if (word == typePATH)
        return parse_path(p, what, max_hops, hops, &f);
    rc = parse_expression(p, at, max_hops, hops);
    return rc == HMF_OK ? parse_expression(p, at, max_hops, hops) : rc;
}

hmf_status_t hmf__desc_length(struct hmf__parser *p, size_t at, int max_hops,
                              struct hmf__type *node)
{
    size_t begin = p->pos;
    int hops = -1;
    hmf_status_t rc;

    if (begin == p->len || !hmf__length_begins(p->desc[begin]))
        return hmf__desc_field(p, at, "the length", max_hops, node);
    if ((rc = parse_expression(p, at, max_hops, &hops)) != HMF_OK)
        return rc;
    if (hops < 0)
        return hmf__desc_wrong(p, begin, "the length is in no field: is it an array?");
    node->len = hops ? HMF__LEN_OUTER : HMF__LEN_FIELD;
    return take_words(p, begin, node);
}

hmf_status_t hmf__desc_check_lengths(const struct hmf__parser *p)
{
    for (size_t i = 0; i < p->nlengths; i++) {
        const struct hmf__needed *l = &p->lengths[i];
        struct hmf__around in = {l->in, 0};
        struct hmf__place place;
        if (!hmf__depend_path(p->c->t, &in, 1, 0, l->field, l->steps, l->nsteps, &place))
            return hmf__desc_wrong(p, l->at,
                                   "field %u, which should hold %s, is no integer field%s",
                                   l->field, l->what, l->nsteps ? " where the path leads" : "");
    }
    return HMF_OK;
}
