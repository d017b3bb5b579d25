/* Descriptions (arrays of int, typemap.h) to nodes of a type table; describe.c goes back.
 *
 * A user type that stands behind a pointer is compiled after the type at hand (a worklist), so
 * recursion in types needs no recursion here; what is nested by value is bounded in depth.
 */
#include "config.h"

#include "type.h"

#include "base.h"
#include "depend.h"
#include "length.h"
#include "typecache.h"
#include "typereg.h"

#include "typemap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct entry { /* a description compiled before */
    uint64_t hash;
    unsigned char *key;
    size_t len;
    uint32_t root;
};

struct user { /* a user type in this table */
    struct hmf__typedef *def; /* held */
    uint32_t node;
    enum { QUEUED, ACTIVE, DONE } state;
};

struct hmf__types_cache {
    struct entry *entries;
    size_t nentries, entries_cap;
    struct user *users;
    size_t nusers, users_cap;
};

struct compiler {
    struct hmf__types *t;
    struct hmf__types_cache *cache;
    size_t next_queued;  /* users from here on may be QUEUED */
    uint32_t *late;      /* arrays behind pointers, to be finished when all types are complete */
    size_t nlate, late_cap;
    struct counted *counted;
    size_t ncounted, counted_cap;
};

struct length { /* a number said to be in a field, to be checked when the struct is complete */
    uint32_t in, field;
    size_t at;
    const char *what;
    const int *steps; /* from that field to the number, if it is within */
    uint32_t nsteps;
};

struct counted { /* a counted pointer, to be checked when what is behind it is complete */
    uint32_t node;
    size_t at;
    const char *of;
};

struct parser {
    struct compiler *c;
    const char *of;      /* name of the user type, or NULL */
    const int *desc;
    size_t len, pos;
    const char *const *names;
    size_t nnames, next_name;
    uint32_t enclosing[HMF__MAX_DEPTH + 1];
    int hops[HMF__MAX_DEPTH + 1]; /* pointers passed when that struct was entered */
    int nenclosing, pointers;
    struct length *lengths;
    size_t nlengths, lengths_cap;
};

static hmf_status_t parse_type(struct parser *p, int depth, bool pointee, uint32_t *out);
static hmf_status_t compile_user(struct compiler *c, size_t u, int depth);

static bool grow(void **v, size_t *cap, size_t n, size_t each)
{
    if (n < *cap)
        return true;
    size_t more = *cap ? 2 * *cap : 8;
    void *p = hmf__realloc(*v, more * each);
    if (!p)
        return false;
    *v = p;
    *cap = more;
    return true;
}

static hmf_status_t no_memory(void)
{
    return hmf__fail(HMF_ERR_NOMEM, "no memory to compile a type description");
}


static hmf_status_t wrong(const struct parser *p, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static hmf_status_t wrong(const struct parser *p, size_t at, const char *fmt, ...)
{
    char what[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return hmf__fail(HMF_ERR_TYPE, "type description%s%s, position %zu: %s", p->of ? " of " : "",
                     p->of ? p->of : "", at, what);
}

/* The node of a user type, queued for compilation if it is new. */
static hmf_status_t user_node(struct parser *p, size_t at, int number, size_t *out)
{
    struct hmf__types_cache *k = p->c->cache;
    struct hmf__typedef *d = hmf__typereg_get(number);
    struct hmf__type none = {.elem = HMF__TYPE_NONE};
    hmf_status_t rc;
    uint32_t node;

    if (!d)
        return wrong(p, at, "user type %d is not defined: call hmf_type_define first", number);
    for (size_t i = 0; i < k->nusers; i++)
        if (k->users[i].def == d) {
            hmf__typereg_release(d);
            *out = i;
            return HMF_OK;
        }
    if (!grow((void **)&k->users, &k->users_cap, k->nusers, sizeof *k->users)) {
        rc = no_memory();
        goto release;
    }
    if ((rc = hmf__types_add(p->c->t, &none, &node)) != HMF_OK)
        goto release;
    k->users[k->nusers] = (struct user){d, node, QUEUED};
    *out = k->nusers++;
    return HMF_OK;
release:
    hmf__typereg_release(d);
    return rc;
}

/* A node of its own for arrays, pointers and the like. */
static hmf_status_t add_node(struct parser *p, enum hmf__kind kind, uint32_t elem, uint64_t count,
                             uint32_t *out)
{
    struct hmf__type node = {.kind = kind, .elem = elem, .count = count};
    struct hmf__types *t = p->c->t;

    hmf_status_t rc = hmf__types_add(t, &node, out);
    if (rc != HMF_OK)
        return rc;
    if (kind == HMF__KIND_ARRAY && !t->v[elem].nleaves && t->v[elem].kind != HMF__KIND_VOID) {
        /* behind a pointer, of a type that is not complete yet */
        struct compiler *c = p->c;
        if (!grow((void **)&c->late, &c->late_cap, c->nlate, sizeof *c->late))
            return no_memory();
        c->late[c->nlate++] = *out;
        return HMF_OK;
    }
    return hmf__types_finish(t, *out, false);
}

static hmf_status_t add_handle(struct parser *p, uint32_t number, uint32_t *out)
{
    struct hmf__type node = {.kind = HMF__KIND_HANDLE, .number = number, .count = 1};
    hmf_status_t rc = add_node(p, HMF__KIND_CSTRING, HMF__TYPE_NONE, 0, &node.elem);

    if (rc == HMF_OK)
        rc = hmf__types_add(p->c->t, &node, out);
    return rc == HMF_OK ? hmf__types_finish(p->c->t, *out, false) : rc;
}

/* One more int of the description, as an operand of the word at `at`. */
static hmf_status_t operand(struct parser *p, size_t at, const char *what, int *out)
{
    if (p->pos == p->len)
        return wrong(p, at, "%s is missing: the description ends here", what);
    *out = p->desc[p->pos++];
    return HMF_OK;
}

static hmf_status_t field_name(struct parser *p, uint32_t i, char **out)
{
    char text[32];
    const char *name = text;

    if (p->names) {
        if (p->next_name == p->nnames)
            return wrong(p, p->pos, "there are only %zu field names, one for each field is needed",
                         p->nnames);
        name = p->names[p->next_name++];
        if (strlen(name) > HMF__MAX_NAME) /* none: an anonymous member */
            return wrong(p, p->pos, "a field name has at most %d bytes", HMF__MAX_NAME);
    } else {
        snprintf(text, sizeof text, "f%u", i);
    }
    return (*out = hmf__strdup(name)) ? HMF_OK : no_memory();
}

/* A field with a number that something depends on: f, at position at, and nsteps ints behind it
 * that lead into it.  At most max_hops pointers away; *hops: how many, if told before (not -1) the
 * same. */
static hmf_status_t use_field(struct parser *p, size_t at, const char *what, int f,
                              uint32_t nsteps, int max_hops, int *hops)
{
    int up = f / 65536, field = f % 65536;

    if (f < 0 || up >= p->nenclosing)
        return wrong(p, at, "%s is in field %d of the struct %d around, but %d structs are "
                     "around", what, field, up, p->nenclosing);
    int away = p->pointers - p->hops[p->nenclosing - 1 - up];
    if (away > max_hops)
        return wrong(p, at, "%s is in a struct that is %d pointers away: %s", what, away,
                     max_hops ? "one is the most" : "it must be in the same one");
    if (*hops >= 0 && away != *hops)
        return wrong(p, at, "%s is in fields of which some are a pointer away and some are not",
                     what);
    *hops = away;
    if (!grow((void **)&p->lengths, &p->lengths_cap, p->nlengths, sizeof *p->lengths))
        return no_memory();
    p->lengths[p->nlengths++] = (struct length){p->enclosing[p->nenclosing - 1 - up],
                                                (uint32_t)field, at, what, p->desc + at + 1,
                                                nsteps};
    return HMF_OK;
}

/* An operand that names a field: where the number is that node depends on, at most so many
 * pointers away. */
static hmf_status_t parse_field(struct parser *p, size_t at, const char *what, int max_hops,
                                struct hmf__type *node)
{
    hmf_status_t rc;
    int f = 0, hops = -1;

    if ((rc = operand(p, at, what, &f)) != HMF_OK ||
        (rc = use_field(p, p->pos - 1, what, f, 0, max_hops, &hops)) != HMF_OK)
        return rc;
    node->len = hops ? HMF__LEN_OUTER : HMF__LEN_FIELD;
    node->len_field = (uint32_t)(f % 65536);
    node->len_up = (uint32_t)(f / 65536);
    return HMF_OK;
}

/* One expression, from the word at p->pos on. */
static hmf_status_t parse_expression(struct parser *p, size_t at, int max_hops, int *hops)
{
    static const char what[] = "the length";
    size_t begin = p->pos;
    hmf_status_t rc;
    int word = 0, n = 0, f = 0;

    if (begin - at > HMF__MAX_EXPR)
        return wrong(p, at + 1, "an expression has at most %d words", HMF__MAX_EXPR);
    if ((rc = operand(p, at, what, &word)) != HMF_OK)
        return rc;
    if (!hmf__length_begins(word))
        return use_field(p, begin, what, word, 0, max_hops, hops);
    if (word == typeNUMBER)
        return operand(p, begin, "the number", &n);
    if (word == typePATH) {
        if ((rc = operand(p, begin, "the number of steps", &n)) != HMF_OK ||
            (rc = operand(p, begin, "the field", &f)) != HMF_OK)
            return rc;
        if (n < 1 || (size_t)n - 1 > p->len - p->pos)
            return wrong(p, begin + 1, "a path of %d steps, but %zu numbers follow", n,
                         p->len - p->pos + 1);
        rc = use_field(p, p->pos - 1, what, f, (uint32_t)n - 1, max_hops, hops);
        p->pos += (size_t)n - 1;
        return rc;
    }
    rc = parse_expression(p, at, max_hops, hops);
    return rc == HMF_OK ? parse_expression(p, at, max_hops, hops) : rc;
}

/* How many elements stand behind node: a field's number or an expression.  Its words become the
 * node's if something is wrong, too. */
static hmf_status_t parse_length(struct parser *p, size_t at, int max_hops, struct hmf__type *node)
{
    size_t begin = p->pos;
    int hops = -1;
    hmf_status_t rc;

    if (begin == p->len || !hmf__length_begins(p->desc[begin]))
        return parse_field(p, at, "the length", max_hops, node);
    if ((rc = parse_expression(p, at, max_hops, &hops)) != HMF_OK)
        return rc;
    if (hops < 0)
        return wrong(p, begin, "the length is in no field: is it an array?");
    if (p->pos - begin > HMF__MAX_EXPR)
        return wrong(p, begin, "an expression has at most %d words", HMF__MAX_EXPR);
    node->len = hops ? HMF__LEN_OUTER : HMF__LEN_FIELD;
    node->nexpr = (uint32_t)(p->pos - begin);
    node->expr = hmf__malloc(node->nexpr * sizeof *node->expr);
    if (!node->expr)
        return no_memory();
    for (uint32_t i = 0; i < node->nexpr; i++)
        node->expr[i] = p->desc[begin + i];
    return HMF_OK;
}

/* All fields that hold lengths and discriminants exist and are integers. */
static hmf_status_t check_lengths(const struct parser *p)
{
    for (size_t i = 0; i < p->nlengths; i++) {
        const struct length *l = &p->lengths[i];
        struct hmf__around in = {l->in, 0};
        struct hmf__place place;
        if (!hmf__depend_path(p->c->t, &in, 1, 0, l->field, l->steps, l->nsteps, &place))
            return wrong(p, l->at, "field %u, which should hold %s, is no integer field%s",
                         l->field, l->what, l->nsteps ? " where the path leads" : "");
    }
    return HMF_OK;
}

/* Elements of a known size stand behind counted pointers; now all types are complete. */
static hmf_status_t check_counted(const struct compiler *c)
{
    for (size_t i = 0; i < c->ncounted; i++) {
        const struct counted *k = &c->counted[i];
        struct parser p = {.of = k->of};
        if (c->t->v[c->t->v[k->node].elem].flex)
            return wrong(&p, k->at, "a counted pointer leads to elements of a known size: not to a "
                         "struct with a flexible array member");
    }
    return HMF_OK;
}

/* What stands behind typePOINTER, typeWEAK, typeCOUNTED field. */
static hmf_status_t parse_pointer(struct parser *p, int depth, size_t at, int word, uint32_t *out)
{
    struct hmf__type node = {.kind = HMF__KIND_POINTER, .count = 1, .weak = word == typeWEAK};
    hmf_status_t rc;

    if (word == typeCOUNTED && (rc = parse_length(p, at, 1, &node)) != HMF_OK)
        return rc;
    p->pointers++;
    rc = parse_type(p, depth + 1, true, &node.elem);
    p->pointers--;
    if (rc != HMF_OK)
        goto drop;
    enum hmf__kind kind = p->c->t->v[node.elem].kind;
    if (word == typeCOUNTED && (kind == HMF__KIND_CSTRING || kind == HMF__KIND_VOID)) {
        rc = wrong(p, at, "a counted pointer leads to elements of a known size");
        goto drop;
    }
    if (node.weak) { /* the walk sees it as a pointer to something that others describe */
        struct hmf__type none = {.kind = HMF__KIND_VOID, .elem = HMF__TYPE_NONE};
        uint32_t id;
        if ((rc = hmf__types_add(p->c->t, &none, &id)) != HMF_OK ||
            (rc = hmf__types_finish(p->c->t, id, false)) != HMF_OK)
            return rc;
        p->c->t->void_id = id;
    }
    if ((rc = hmf__types_add(p->c->t, &node, out)) != HMF_OK)
        return rc;
    if (word == typeCOUNTED) {
        struct compiler *c = p->c;
        if (!grow((void **)&c->counted, &c->counted_cap, c->ncounted, sizeof *c->counted))
            return no_memory();
        c->counted[c->ncounted++] = (struct counted){*out, at, p->of};
    }
    return hmf__types_finish(p->c->t, *out, false);
drop:
    hmf__free(node.expr);
    return rc;
}

/* typeOPAQUE n and typeFSTRING n. */
static hmf_status_t parse_bytes(struct parser *p, size_t at, enum hmf__kind kind, uint32_t *out)
{
    hmf_status_t rc;
    int n = 0;

    if ((rc = operand(p, at, "the length", &n)) != HMF_OK)
        return rc;
    if (n < 1)
        return wrong(p, at + 1, "a length of %d bytes", n);
    return add_node(p, kind, HMF__TYPE_NONE, (uint64_t)n, out);
}

/* `typeALIGNED a` before a field's type. */
static hmf_status_t parse_alignment(struct parser *p, uint32_t *align)
{
    hmf_status_t rc;
    int a = 0;

    if (p->pos == p->len || p->desc[p->pos] != typeALIGNED)
        return HMF_OK;
    size_t at = p->pos++;
    if ((rc = operand(p, at, "the alignment", &a)) != HMF_OK)
        return rc;
    if (a < 1 || a > 1 << 28 || (a & (a - 1)))
        return wrong(p, at + 1, "an alignment of %d: it must be a power of two", a);
    *align = (uint32_t)a;
    return HMF_OK;
}

/* `typeBITS w T`, a field. */
static hmf_status_t parse_bits(struct parser *p, uint32_t *out)
{
    struct hmf__type node;
    size_t at = p->pos++;
    hmf_status_t rc;
    int width = 0, word = 0;

    if ((rc = operand(p, at, "the number of bits", &width)) != HMF_OK ||
        (rc = operand(p, at, "the type of the bit-field", &word)) != HMF_OK)
        return rc;
    if (word < 0 || !hmf__types_basic(p->c->t, (uint32_t)word, &node) ||
        node.kind != HMF__KIND_INT)
        return wrong(p, at + 2, "a bit-field is of a basic integer type, not of %d", word);
    int most = word == typeBOOL ? 1 : 8 * (int)node.size;
    if (width > most || width < -most)
        return wrong(p, at + 1, "a bit-field of %d bits: %s has %d on this machine", width,
                     hmf__basic_name(node.number), most);
    node.kind = HMF__KIND_BITS;
    node.unnamed = width <= 0;
    node.count = (uint64_t)(width < 0 ? -width : width);
    if ((rc = hmf__types_add(p->c->t, &node, out)) != HMF_OK)
        return rc;
    return hmf__types_finish(p->c->t, *out, false);
}

/* `typeFLEX field T`, the last field of a struct of more than one. */
static hmf_status_t parse_flex(struct parser *p, int depth, uint32_t *out)
{
    struct hmf__type node = {.kind = HMF__KIND_FLEX, .count = 1};
    size_t at = p->pos++;
    hmf_status_t rc;

    size_t first = p->nlengths;
    if ((rc = parse_length(p, at, 0, &node)) != HMF_OK)
        return rc;
    for (size_t i = first; i < p->nlengths && rc == HMF_OK; i++)
        if (p->lengths[i].in != p->enclosing[p->nenclosing - 1])
            rc = wrong(p, p->lengths[i].at, "the length of a flexible array member is in the same "
                       "struct");
    size_t elem = p->pos;
    if (rc == HMF_OK)
        rc = parse_type(p, depth + 1, false, &node.elem);
    if (rc == HMF_OK && p->c->t->v[node.elem].flex)
        rc = wrong(p, elem, "a struct with a flexible array member cannot be an element");
    if (rc != HMF_OK) {
        hmf__free(node.expr);
        return rc;
    }
    if ((rc = hmf__types_add(p->c->t, &node, out)) != HMF_OK)
        return rc;
    return hmf__types_finish(p->c->t, *out, false);
}

/* Field i of a struct of n. */
static hmf_status_t parse_member(struct parser *p, int depth, uint32_t i, uint32_t n,
                                 struct hmf__field *f)
{
    hmf_status_t rc;

    if ((rc = parse_alignment(p, &f->align)) != HMF_OK)
        return rc;
    size_t at = p->pos;
    int word = at < p->len ? p->desc[at] : 0;
    if (word == typeBITS) {
        if (f->align)
            return wrong(p, at, "a bit-field cannot be aligned");
        return parse_bits(p, &f->type);
    }
    if (word == typeFLEX) {
        if (i + 1 != n || n < 2)
            return wrong(p, at, "typeFLEX is the last field of a struct, behind others");
        return parse_flex(p, depth, &f->type);
    }
    if ((rc = parse_type(p, depth + 1, false, &f->type)) == HMF_OK && p->c->t->v[f->type].flex)
        rc = wrong(p, at, "a struct with a flexible array member cannot be part of another type");
    return rc;
}

/* typeUNION field n v1 T1 ... vn Tn; typeUNIONELSE ... Telse; into a reserved node or a new one. */
static hmf_status_t parse_union(struct parser *p, int depth, size_t at, uint32_t into,
                                uint32_t *out)
{
    bool otherwise = p->desc[at] == typeUNIONELSE;
    struct hmf__type node = {.kind = HMF__KIND_UNION, .elem = HMF__TYPE_NONE,
                             .otherwise = otherwise};
    hmf_status_t rc = HMF_OK;
    int n = 0;

    if (p->pos < p->len && p->desc[p->pos] == -1)
        p->pos++; /* the discriminant is what every branch begins with */
    else if ((rc = parse_field(p, at, "the discriminant", 0, &node)) != HMF_OK)
        return rc;
    if ((rc = operand(p, at, "the number of branches", &n)) != HMF_OK)
        return rc;
    if (n < 1 - otherwise || n > HMF__MAX_FIELDS - 1 || (size_t)n > (p->len - p->pos) / 2)
        return wrong(p, at + 2, "a union of %d branches, but %zu numbers follow", n,
                     p->len - p->pos);
    uint32_t nfields = (uint32_t)n + otherwise;
    if (!(node.fields = hmf__calloc(nfields, sizeof *node.fields)))
        return no_memory();
    for (uint32_t i = 0; i < nfields; i++) {
        struct hmf__field *f = &node.fields[i];
        size_t value_at = p->pos;
        int value = 0;
        if ((rc = field_name(p, i, &f->name)) != HMF_OK)
            goto drop_fields;
        node.nfields++;
        if (i < (uint32_t)n && (rc = operand(p, at, "the value of a branch", &value)) != HMF_OK)
            goto drop_fields;
        f->value = value;
        for (uint32_t k = 0; k < i && i < (uint32_t)n; k++)
            if (node.fields[k].value == value) {
                rc = wrong(p, value_at, "the value %d selects two branches", value);
                goto drop_fields;
            }
        size_t type_at = p->pos;
        if ((rc = parse_alignment(p, &f->align)) != HMF_OK ||
            (rc = parse_type(p, depth + 1, false, &f->type)) != HMF_OK)
            goto drop_fields;
        if (p->c->t->v[f->type].flex) {
            rc = wrong(p, type_at, "a struct with a flexible array member cannot be part of "
                       "another type");
            goto drop_fields;
        }
    }
    if (node.len == HMF__LEN_FIXED && !hmf__depend_leads(p->c->t, &node)) {
        rc = wrong(p, at + 1, "the branches do not all begin with the same integer type, which "
                   "should be the discriminant");
        goto drop_fields;
    }
    *out = into;
    if (into != HMF__TYPE_NONE)
        p->c->t->v[into] = node;
    else if ((rc = hmf__types_add(p->c->t, &node, out)) != HMF_OK)
        return rc;
    return hmf__types_finish(p->c->t, *out, false);

drop_fields:
    for (uint32_t i = 0; i < node.nfields; i++)
        hmf__free(node.fields[i].name);
    hmf__free(node.fields);
    return rc;
}

/* `-n type1 ... typen` into node `id` (reserved), with an optional given layout. */
static hmf_status_t parse_struct(struct parser *p, int depth, uint32_t id, bool packed,
                                 const struct hmf_type_layout *layout)
{
    size_t at = p->pos - 1;
    int n = p->desc[at];
    struct hmf__types *t = p->c->t;
    hmf_status_t rc = HMF_OK;

    if (n < -HMF__MAX_FIELDS)
        return wrong(p, at, "a struct of %ld fields: more than %d are not supported", -(long)n,
                     HMF__MAX_FIELDS);
    uint32_t nfields = (uint32_t)-n;
    if (nfields > p->len - p->pos)
        return wrong(p, at, "a struct of %u fields, but only %zu numbers follow", nfields,
                     p->len - p->pos);
    struct hmf__field *fields = hmf__calloc(nfields, sizeof *fields);
    if (!fields)
        return no_memory();
    p->hops[p->nenclosing] = p->pointers;
    p->enclosing[p->nenclosing++] = id;
    uint32_t i = 0;
    for (; i < nfields; i++) {
        if ((rc = field_name(p, i, &fields[i].name)) != HMF_OK)
            goto drop_fields;
        if ((rc = parse_member(p, depth, i, nfields, &fields[i])) != HMF_OK) {
            hmf__free(fields[i].name);
            goto drop_fields;
        }
        if (layout)
            fields[i].offset = layout->offsets[i] == HMF_TYPE_BITS_OFFSET ? HMF__OFFSET_NATURAL
                                                                          : layout->offsets[i];
    }
    p->nenclosing--;
    t->v[id].kind = HMF__KIND_STRUCT;
    t->v[id].fields = fields;
    t->v[id].nfields = nfields;
    t->v[id].elem = HMF__TYPE_NONE;
    t->v[id].packed = packed;
    if (layout) {
        t->v[id].size = layout->size;
        t->v[id].align = (uint32_t)layout->align;
    }
    rc = hmf__types_finish(t, id, layout != NULL);
    if (rc == HMF_ERR_FORMAT)
        rc = wrong(p, at, "the given layout has fields that overlap, stand in another order or "
                   "reach beyond the struct's size");
    else if (rc == HMF_ERR_LIMIT && !t->v[id].size && t->v[id].width < HMF__MAX_WIDTH)
        rc = wrong(p, at, "the struct holds nothing, or is too large");
    return rc;

drop_fields:
    p->nenclosing--;
    while (i--)
        hmf__free(fields[i].name);
    hmf__free(fields);
    return rc;
}

static hmf_status_t parse_array(struct parser *p, int depth, size_t at, bool pointee,
                                uint32_t *out)
{
    hmf_status_t rc;
    uint32_t elem;
    int n = 0;

    if ((rc = operand(p, at, "the number of elements", &n)) != HMF_OK)
        return rc;
    if (n < 1)
        return wrong(p, at + 1, "an array of %d elements", n);
    if ((rc = parse_type(p, depth + 1, pointee, &elem)) != HMF_OK)
        return rc;
    if (p->c->t->v[elem].flex)
        return wrong(p, at, "a struct with a flexible array member cannot be an element");
    if (p->c->t->v[elem].kind == HMF__KIND_CSTRING || p->c->t->v[elem].kind == HMF__KIND_VOID)
        return wrong(p, at, "an array of strings is written typeARRAY, n, typePOINTER, "
                     "typeCSTRING");
    return add_node(p, HMF__KIND_ARRAY, elem, (uint64_t)n, out);
}

static hmf_status_t parse_self(struct parser *p, size_t at, bool pointee, uint32_t *out)
{
    hmf_status_t rc;
    int k = 0;

    if ((rc = operand(p, at, "the number of the enclosing struct", &k)) != HMF_OK)
        return rc;
    if (k < 0 || k >= p->nenclosing)
        return wrong(p, at + 1, "typeSELF %d, but %d structs enclose it", k, p->nenclosing);
    if (!pointee)
        return wrong(p, at, "a struct cannot contain itself: typeSELF stands behind typePOINTER");
    *out = p->enclosing[p->nenclosing - 1 - k];
    return HMF_OK;
}

static hmf_status_t parse_user(struct parser *p, int depth, size_t at, bool pointee, uint32_t *out)
{
    hmf_status_t rc;
    size_t u = 0;

    if ((rc = user_node(p, at, p->desc[at], &u)) != HMF_OK)
        return rc;
    struct user *user = &p->c->cache->users[u];
    *out = user->node;
    if (pointee || user->state == DONE)
        return HMF_OK;
    if (user->state == ACTIVE)
        return wrong(p, at, "type %s contains itself by value", user->def->name);
    return compile_user(p->c, u, depth);
}

static hmf_status_t parse_type(struct parser *p, int depth, bool pointee, uint32_t *out)
{
    struct hmf__type node;
    hmf_status_t rc;
    uint32_t elem;
    int word = 0, n = 0;

    size_t at = p->pos;
    if ((rc = operand(p, at, "a type", &word)) != HMF_OK)
        return rc;
    if (depth > HMF__MAX_DEPTH)
        return wrong(p, at, "types are nested more than %d deep", HMF__MAX_DEPTH);
    if (word < 0 || word == typePACKED) {
        struct hmf__type none = {.elem = HMF__TYPE_NONE};
        if (word == typePACKED && operand(p, at, "the struct", &n) != HMF_OK)
            return HMF_ERR_TYPE;
        if (word == typePACKED && n >= 0)
            return wrong(p, at + 1, "typePACKED stands before a struct only");
        if ((rc = hmf__types_add(p->c->t, &none, out)) != HMF_OK)
            return rc;
        return parse_struct(p, depth, *out, word == typePACKED, NULL);
    }
    if (word >= typeUSER_FIRST)
        return parse_user(p, depth, at, pointee, out);
    switch (word) {
    case typeARRAY:
        return parse_array(p, depth, at, pointee, out);
    case typePOINTER:
    case typeWEAK:
    case typeCOUNTED:
        return parse_pointer(p, depth, at, word, out);
    case typeCSTRING:
        if (!pointee)
            return wrong(p, at, "typeCSTRING stands behind typePOINTER only; text of fixed length "
                         "is typeFSTRING");
        return add_node(p, HMF__KIND_CSTRING, HMF__TYPE_NONE, 0, out);
    case typeVOID:
        if (!pointee)
            return wrong(p, at, "typeVOID stands behind typePOINTER only");
        return add_node(p, HMF__KIND_VOID, HMF__TYPE_NONE, 0, out);
    case typeMPI_COMM ... typeMPI_MESSAGE: /* likewise, a text that stands for it */
        return add_handle(p, (uint32_t)word, out);
    case typeFUNCTION: /* what it points to is, in an image, the function's name */
        if ((rc = add_node(p, HMF__KIND_CSTRING, HMF__TYPE_NONE, 0, &elem)) != HMF_OK)
            return rc;
        return add_node(p, HMF__KIND_FUNCTION, elem, 1, out);
    case typeFSTRING:
        return parse_bytes(p, at, HMF__KIND_FSTRING, out);
    case typeOPAQUE:
        return parse_bytes(p, at, HMF__KIND_OPAQUE, out);
    case typeTRANSIENT:
        if ((rc = parse_type(p, depth + 1, false, &elem)) != HMF_OK)
            return rc;
        if (p->c->t->v[elem].flex)
            return wrong(p, at, "a struct with a flexible array member cannot be part of another "
                         "type");
        return add_node(p, HMF__KIND_TRANSIENT, elem, 1, out);
    case typeUNION:
    case typeUNIONELSE:
        return parse_union(p, depth, at, HMF__TYPE_NONE, out);
    case typeBITS:
    case typeFLEX:
        return wrong(p, at, "%s stands for a field of a struct only",
                     word == typeBITS ? "typeBITS" : "typeFLEX");
    case typeALIGNED:
        return wrong(p, at, "typeALIGNED stands before the type of a struct's field only");
    case typeSELF:
        return parse_self(p, at, pointee, out);
    }
    if (!hmf__types_basic(p->c->t, (uint32_t)word, &node))
        return wrong(p, at, "%d is no type number", word);
    for (uint32_t i = 0; i < p->c->t->n; i++) /* leaves stand at the front mostly: found soon */
        if (p->c->t->v[i].number == (uint32_t)word && p->c->t->v[i].kind == node.kind) {
            *out = i;
            return HMF_OK;
        }
    return hmf__types_add(p->c->t, &node, out);
}

/* A whole description; `into` is a reserved node or HMF__TYPE_NONE. */
static hmf_status_t parse_whole(struct parser *p, int depth, uint32_t into,
                                const struct hmf_type_layout *layout, uint32_t *out)
{
    hmf_status_t rc;

    while (p->names && p->names[p->nnames])
        p->nnames++;
    bool packed = p->len > 1 && p->desc[0] == typePACKED && p->desc[1] < 0;
    if (into != HMF__TYPE_NONE && p->len && (p->desc[0] < 0 || packed)) {
        p->pos = 1 + packed;
        *out = into;
        rc = parse_struct(p, depth, into, packed, layout);
    } else if (into != HMF__TYPE_NONE && p->len &&
               (p->desc[0] == typeUNION || p->desc[0] == typeUNIONELSE)) {
        p->pos = 1;
        rc = parse_union(p, depth, 0, into, out);
    } else {
        rc = parse_type(p, depth, false, out);
    }
    if (rc != HMF_OK)
        return rc;
    if (p->pos != p->len)
        return wrong(p, p->pos, "the type is complete before, but %zu numbers follow",
                     p->len - p->pos);
    if (p->names && p->next_name != p->nnames)
        return wrong(p, p->pos, "%zu field names for %zu fields", p->nnames, p->next_name);
    return check_lengths(p);
}

static hmf_status_t compile_user(struct compiler *c, size_t u, int depth)
{
    struct hmf__typedef *d = c->cache->users[u].def;
    uint32_t node = c->cache->users[u].node, got;
    struct parser p = {.c = c, .of = d->name, .desc = d->desc, .len = d->desc_len,
                       .names = (const char *const *)d->field_names};

    c->cache->users[u].state = ACTIVE;
    hmf_status_t rc = parse_whole(&p, depth, node, d->layout.noffsets ? &d->layout : NULL, &got);
    hmf__free(p.lengths);
    if (rc != HMF_OK)
        return rc;
    struct hmf__type *y = &c->t->v[node];
    if (got != node) { /* another name for a type that is no struct */
        if (c->t->v[got].nfields)
            return wrong(&p, 0, "it is another name for a user type: use that one's number");
        *y = c->t->v[got];
        if (!y->nleaves)
            return wrong(&p, 0, "it is not a complete type");
    } else {
        y->number = (uint32_t)d->number;
        y->name = hmf__strdup(d->name);
        if (!y->name)
            return no_memory();
    }
    c->cache->users[u].state = DONE;
    return HMF_OK;
}

static uint64_t hash_bytes(const unsigned char *p, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

/* What makes two calls of compile equal: ints and names. */
static hmf_status_t make_key(const int *desc, size_t len, const char *const *names,
                             struct hmf__buf *key)
{
    for (size_t i = 0; i < len; i++)
        hmf__buf_put_i32(key, desc[i]);
    for (; names && *names; names++)
        hmf__buf_put_string(key, *names);
    return key->status;
}

static void forget_users(struct hmf__types_cache *k, size_t from)
{
    while (k->nusers > from)
        hmf__typereg_release(k->users[--k->nusers].def);
}

hmf_status_t hmf__types_compile(struct hmf__types *t, const int *desc, size_t len,
                                const char *const *field_names, uint32_t *out)
{
    struct hmf__buf key = HMF__BUF_INIT;
    hmf_status_t rc;
    uint32_t root;

    if (!desc || !len)
        return hmf__fail(HMF_ERR_TYPE, "the type description is empty");
    if (!t->cache && !(t->cache = hmf__calloc(1, sizeof *t->cache)))
        return no_memory();
    struct hmf__types_cache *k = t->cache;
    if ((rc = make_key(desc, len, field_names, &key)) != HMF_OK)
        goto drop_key;
    uint64_t hash = hash_bytes(key.data, key.len);
    bool users = false; /* the meaning of user numbers may change: no caching then */
    for (size_t i = 0; i < len; i++)
        users |= desc[i] >= typeUSER_FIRST;
    for (size_t i = 0; i < k->nentries && !users; i++)
        if (k->entries[i].hash == hash && k->entries[i].len == key.len &&
            !memcmp(k->entries[i].key, key.data, key.len)) {
            *out = k->entries[i].root;
            goto drop_key;
        }

    struct compiler c = {.t = t, .cache = k, .next_queued = k->nusers};
    struct parser p = {.c = &c, .desc = desc, .len = len, .names = field_names};
    uint32_t first_node = t->n;
    size_t first_user = k->nusers;
    rc = parse_whole(&p, 0, HMF__TYPE_NONE, NULL, &root);
    hmf__free(p.lengths);
    for (; rc == HMF_OK && c.next_queued < k->nusers; c.next_queued++)
        if (k->users[c.next_queued].state == QUEUED)
            rc = compile_user(&c, c.next_queued, 0);
    for (size_t i = 0; rc == HMF_OK && i < c.nlate; i++)
        rc = hmf__types_finish(t, c.late[i], false);
    if (rc == HMF_OK)
        rc = check_counted(&c);
    if (rc == HMF_OK && !users) {
        if (grow((void **)&k->entries, &k->entries_cap, k->nentries, sizeof *k->entries))
            k->entries[k->nentries++] = (struct entry){hash, key.data, key.len, root};
        else
            rc = no_memory();
        if (rc == HMF_OK)
            hmf__buf_init(&key); /* the entry has it now */
    }
    if (rc == HMF_OK) {
        *out = root;
    } else {
        forget_users(k, first_user);
        hmf__types_cut(t, first_node);
    }
    hmf__free(c.late);
    hmf__free(c.counted);
drop_key:
    hmf__buf_fini(&key);
    return rc;
}

void hmf__types_cache_free(struct hmf__types_cache *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->nentries; i++)
        hmf__free(k->entries[i].key);
    hmf__free(k->entries);
    forget_users(k, 0);
    hmf__free(k->users);
    hmf__free(k);
}

hmf_status_t hmf_type_check(const int *desc, size_t desc_len, size_t *size_bytes)
{
    struct hmf__types t;
    uint32_t root;

    hmf__types_init(&t, NULL);
    hmf_status_t rc = hmf__types_compile(&t, desc, desc_len, NULL, &root);
    if (rc == HMF_OK && t.v[root].size > SIZE_MAX / 2)
        rc = hmf__fail(HMF_ERR_LIMIT, "the type is larger than this machine's memory");
    if (rc == HMF_OK && size_bytes)
        *size_bytes = (size_t)t.v[root].size;
    hmf__types_fini(&t);
    return rc;
}
