/* Descriptions (arrays of int, typemap.h) to nodes of a type table: everything but structs; see
 * desc.h.  describe.c goes back. */
#include "config.h"

#include "desc.h"

#include "base.h"

#include "typemap.h"

#include <stdarg.h>
#include <stdio.h>

bool hmf__desc_grow(void **v, size_t *cap, size_t n, size_t each)
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

hmf_status_t hmf__desc_no_memory(void)
{
    return hmf__fail(HMF_ERR_NOMEM, "no memory to compile a type description");
}

hmf_status_t hmf__desc_wrong(const struct hmf__parser *p, size_t at, const char *fmt, ...)
{
    char what[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return hmf__fail(HMF_ERR_TYPE, "type description%s%s, position %zu: %s", p->of ? " of " : "",
                     p->of ? p->of : "", at, what);
}

hmf_status_t hmf__desc_operand(struct hmf__parser *p, size_t at, const char *what, int *out)
{
    if (p->pos == p->len)
        return hmf__desc_wrong(p, at, "%s is missing: the description ends here", what);
    *out = p->desc[p->pos++];
    return HMF_OK;
}

/* A node of its own for arrays, pointers and the like. */
static hmf_status_t add_node(struct hmf__parser *p, enum hmf__kind kind, uint32_t elem,
                             uint64_t count, uint32_t *out)
{
    struct hmf__type node = {.kind = kind, .elem = elem, .count = count};
    struct hmf__types *t = p->c->t;

    hmf_status_t rc = hmf__types_add(t, &node, out);
    if (rc != HMF_OK)
        return rc;
    if (kind == HMF__KIND_ARRAY && !t->v[elem].nleaves && t->v[elem].kind != HMF__KIND_VOID) {
        /* behind a pointer, of a type that is not complete yet */
        struct hmf__compiler *c = p->c;
        if (!hmf__desc_grow((void **)&c->late, &c->late_cap, c->nlate, sizeof *c->late))
            return hmf__desc_no_memory();
        c->late[c->nlate++] = *out;
        return HMF_OK;
    }
    return hmf__types_finish(t, *out, false);
}

static hmf_status_t add_handle(struct hmf__parser *p, uint32_t number, uint32_t *out)
{
    struct hmf__type node = {.kind = HMF__KIND_HANDLE, .number = number, .count = 1};
    hmf_status_t rc = add_node(p, HMF__KIND_CSTRING, HMF__TYPE_NONE, 0, &node.elem);

    if (rc == HMF_OK)
        rc = hmf__types_add(p->c->t, &node, out);
    return rc == HMF_OK ? hmf__types_finish(p->c->t, *out, false) : rc;
}

/* What stands behind typePOINTER, typeWEAK, typeCOUNTED field. */
static hmf_status_t parse_pointer(struct hmf__parser *p, int depth, size_t at, int word,
                                  uint32_t *out)
{
    struct hmf__type node = {.kind = HMF__KIND_POINTER, .count = 1, .weak = word == typeWEAK};
    hmf_status_t rc;

    if (word == typeCOUNTED && (rc = hmf__desc_length(p, at, 1, &node)) != HMF_OK)
        return rc;
    p->pointers++;
    rc = hmf__desc_type(p, depth + 1, true, &node.elem);
    p->pointers--;
    if (rc != HMF_OK)
        goto drop;
    enum hmf__kind kind = p->c->t->v[node.elem].kind;
    if (word == typeCOUNTED && (kind == HMF__KIND_CSTRING || kind == HMF__KIND_VOID)) {
        rc = hmf__desc_wrong(p, at, "a counted pointer leads to elements of a known size");
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
        struct hmf__compiler *c = p->c;
        if (!hmf__desc_grow((void **)&c->counted, &c->counted_cap, c->ncounted, sizeof *c->counted))
            return hmf__desc_no_memory();
        c->counted[c->ncounted++] = (struct hmf__counted){*out, at, p->of};
    }
    return hmf__types_finish(p->c->t, *out, false);
drop:
    hmf__free(node.expr);
    return rc;
}

/* typeOPAQUE n and typeFSTRING n. */
static hmf_status_t parse_bytes(struct hmf__parser *p, size_t at, enum hmf__kind kind,
                                uint32_t *out)
{
    hmf_status_t rc;
    int n = 0;

    if ((rc = hmf__desc_operand(p, at, "the length", &n)) != HMF_OK)
        return rc;
    if (n < 1)
        return hmf__desc_wrong(p, at + 1, "a length of %d bytes", n);
    return add_node(p, kind, HMF__TYPE_NONE, (uint64_t)n, out);
}

static hmf_status_t parse_array(struct hmf__parser *p, int depth, size_t at, bool pointee,
                                uint32_t *out)
{
    hmf_status_t rc;
    uint32_t elem;
    int n = 0;

    if ((rc = hmf__desc_operand(p, at, "the number of elements", &n)) != HMF_OK)
        return rc;
    if (n < 1)
        return hmf__desc_wrong(p, at + 1, "an array of %d elements", n);
    if ((rc = hmf__desc_type(p, depth + 1, pointee, &elem)) != HMF_OK)
        return rc;
    if (p->c->t->v[elem].flex)
        return hmf__desc_wrong(p, at, "a struct with a flexible array member cannot be an element");
    if (p->c->t->v[elem].kind == HMF__KIND_CSTRING || p->c->t->v[elem].kind == HMF__KIND_VOID)
        return hmf__desc_wrong(p, at,
                               "an array of strings is written typeARRAY, n, typePOINTER, "
                               "typeCSTRING");
    return add_node(p, HMF__KIND_ARRAY, elem, (uint64_t)n, out);
}

static hmf_status_t parse_self(struct hmf__parser *p, size_t at, bool pointee, uint32_t *out)
{
    hmf_status_t rc;
    int k = 0;

    if ((rc = hmf__desc_operand(p, at, "the number of the enclosing struct", &k)) != HMF_OK)
        return rc;
    if (k < 0 || k >= p->nenclosing)
        return hmf__desc_wrong(p, at + 1, "typeSELF %d, but %d structs enclose it", k,
                               p->nenclosing);
    if (!pointee)
        return hmf__desc_wrong(p, at,
                               "a struct cannot contain itself: typeSELF stands behind "
                               "typePOINTER");
    *out = p->enclosing[p->nenclosing - 1 - k];
    return HMF_OK;
}

hmf_status_t hmf__desc_type(struct hmf__parser *p, int depth, bool pointee, uint32_t *out)
{
    struct hmf__type node;
    hmf_status_t rc;
    uint32_t elem;
    int word = 0, n = 0;

    size_t at = p->pos;
    if ((rc = hmf__desc_operand(p, at, "a type", &word)) != HMF_OK)
        return rc;
    if (depth > HMF__MAX_DEPTH)
        return hmf__desc_wrong(p, at, "types are nested more than %d deep", HMF__MAX_DEPTH);
    if (word < 0 || word == typePACKED) {
        struct hmf__type none = {.elem = HMF__TYPE_NONE};
        if (word == typePACKED && hmf__desc_operand(p, at, "the struct", &n) != HMF_OK)
            return HMF_ERR_TYPE;
        if (word == typePACKED && n >= 0)
            return hmf__desc_wrong(p, at + 1, "typePACKED stands before a struct only");
        if ((rc = hmf__types_add(p->c->t, &none, out)) != HMF_OK)
            return rc;
        return hmf__desc_struct(p, depth, *out, word == typePACKED, NULL);
    }
    if (word >= typeUSER_FIRST)
        return hmf__desc_user(p, depth, at, pointee, out);
    switch (word) {
    case typeARRAY:
        return parse_array(p, depth, at, pointee, out);
    case typePOINTER:
    case typeWEAK:
    case typeCOUNTED:
        return parse_pointer(p, depth, at, word, out);
    case typeCSTRING:
        if (!pointee)
            return hmf__desc_wrong(p, at,
                                   "typeCSTRING stands behind typePOINTER only; text of fixed "
                                   "length is typeFSTRING");
        return add_node(p, HMF__KIND_CSTRING, HMF__TYPE_NONE, 0, out);
    case typeVOID:
        if (!pointee)
            return hmf__desc_wrong(p, at, "typeVOID stands behind typePOINTER only");
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
        if ((rc = hmf__desc_type(p, depth + 1, false, &elem)) != HMF_OK)
            return rc;
        if (p->c->t->v[elem].flex)
            return hmf__desc_wrong(p, at,
                                   "a struct with a flexible array member cannot be part of "
                                   "another type");
        return add_node(p, HMF__KIND_TRANSIENT, elem, 1, out);
    case typeUNION:
    case typeUNIONELSE:
        return hmf__desc_union(p, depth, at, HMF__TYPE_NONE, out);
    case typeBITS:
    case typeFLEX:
        return hmf__desc_wrong(p, at, "%s stands for a field of a struct only",
                               word == typeBITS ? "typeBITS" : "typeFLEX");
    case typeALIGNED:
        return hmf__desc_wrong(p, at,
                               "typeALIGNED stands before the type of a struct's field only");
    case typeSELF:
        return parse_self(p, at, pointee, out);
    }
    if (!hmf__types_basic(p->c->t, (uint32_t)word, &node))
        return hmf__desc_wrong(p, at, "%d is no type number", word);
    for (uint32_t i = 0; i < p->c->t->n; i++) /* leaves stand at the front mostly: found soon */
        if (p->c->t->v[i].number == (uint32_t)word && p->c->t->v[i].kind == node.kind) {
            *out = i;
            return HMF_OK;
        }
    return hmf__types_add(p->c->t, &node, out);
}

hmf_status_t hmf__desc_whole(struct hmf__parser *p, int depth, uint32_t into,
                             const struct hmf_type_layout *layout, uint32_t *out)
{
    hmf_status_t rc;

    while (p->names && p->names[p->nnames])
        p->nnames++;
    bool packed = p->len > 1 && p->desc[0] == typePACKED && p->desc[1] < 0;
    if (into != HMF__TYPE_NONE && p->len && (p->desc[0] < 0 || packed)) {
        p->pos = 1 + packed;
        *out = into;
        rc = hmf__desc_struct(p, depth, into, packed, layout);
    } else if (into != HMF__TYPE_NONE && p->len &&
               (p->desc[0] == typeUNION || p->desc[0] == typeUNIONELSE)) {
        p->pos = 1;
        rc = hmf__desc_union(p, depth, 0, into, out);
    } else {
        rc = hmf__desc_type(p, depth, false, out);
    }
    if (rc != HMF_OK)
        return rc;
    if (p->pos != p->len)
        return hmf__desc_wrong(p, p->pos, "the type is complete before, but %zu numbers follow",
                               p->len - p->pos);
    if (p->names && p->next_name != p->nnames)
        return hmf__desc_wrong(p, p->pos, "%zu field names for %zu fields", p->nnames,
                               p->next_name);
    return hmf__desc_check_lengths(p);
}
