/* Descriptions: structs with their fields, and unions; see desc.h. */
#include "config.h"

#include "desc.h"

#include "base.h"
#include "depend.h"

#include "typemap.h"

#include <stdio.h>
#include <string.h>

static hmf_status_t field_name(struct hmf__parser *p, uint32_t i, char **out)
{
    char text[32];
    const char *name = text;

    if (p->names) {
        if (p->next_name == p->nnames)
            return hmf__desc_wrong(p, p->pos,
                                   "there are only %zu field names, one for each field is needed",
                                   p->nnames);
        name = p->names[p->next_name++];
        if (strlen(name) > HMF__MAX_NAME) /* none: an anonymous member */
            return hmf__desc_wrong(p, p->pos, "a field name has at most %d bytes", HMF__MAX_NAME);
    } else {
        snprintf(text, sizeof text, "f%u", i);
    }
    return (*out = hmf__strdup(name)) ? HMF_OK : hmf__desc_no_memory();
}

/* `typeALIGNED a` before a field's type. */
static hmf_status_t parse_alignment(struct hmf__parser *p, uint32_t *align)
{
    hmf_status_t rc;
    int a = 0;

    if (p->pos == p->len || p->desc[p->pos] != typeALIGNED)
        return HMF_OK;
    size_t at = p->pos++;
    if ((rc = hmf__desc_operand(p, at, "the alignment", &a)) != HMF_OK)
        return rc;
    if (a < 1 || a > 1 << 28 || (a & (a - 1)))
        return hmf__desc_wrong(p, at + 1, "an alignment of %d: it must be a power of two", a);
    *align = (uint32_t)a;
    return HMF_OK;
}

/* `typeBITS w T`, a field. */
static hmf_status_t parse_bits(struct hmf__parser *p, uint32_t *out)
{
    struct hmf__type node;
    size_t at = p->pos++;
    hmf_status_t rc;
    int width = 0, word = 0;

    if ((rc = hmf__desc_operand(p, at, "the number of bits", &width)) != HMF_OK ||
        (rc = hmf__desc_operand(p, at, "the type of the bit-field", &word)) != HMF_OK)
        return rc;
    if (word < 0 || !hmf__types_basic(p->c->t, (uint32_t)word, &node) || node.kind != HMF__KIND_INT)
        return hmf__desc_wrong(p, at + 2, "a bit-field is of a basic integer type, not of %d",
                               word);
    int most = word == typeBOOL ? 1 : 8 * (int)node.size;
    if (width > most || width < -most)
        return hmf__desc_wrong(p, at + 1, "a bit-field of %d bits: %s has %d on this machine",
                               width, hmf__basic_name(node.number), most);
    node.kind = HMF__KIND_BITS;
    node.unnamed = width <= 0;
    node.count = (uint64_t)(width < 0 ? -width : width);
    if ((rc = hmf__types_add(p->c->t, &node, out)) != HMF_OK)
        return rc;
    return hmf__types_finish(p->c->t, *out, false);
}

/* `typeFLEX field T`, the last field of a struct of more than one. */
static hmf_status_t parse_flex(struct hmf__parser *p, int depth, uint32_t *out)
{
    struct hmf__type node = {.kind = HMF__KIND_FLEX, .count = 1};
    size_t at = p->pos++;
    hmf_status_t rc;

    size_t first = p->nlengths;
    if ((rc = hmf__desc_length(p, at, 0, &node)) != HMF_OK)
        return rc;
    for (size_t i = first; i < p->nlengths && rc == HMF_OK; i++)
        if (p->lengths[i].in != p->enclosing[p->nenclosing - 1])
            rc = hmf__desc_wrong(p, p->lengths[i].at,
                                 "the length of a flexible array member is in the same "
                                 "struct");
    size_t elem = p->pos;
    if (rc == HMF_OK)
        rc = hmf__desc_type(p, depth + 1, false, &node.elem);
    if (rc == HMF_OK && p->c->t->v[node.elem].flex)
        rc = hmf__desc_wrong(p, elem, "a struct with a flexible array member cannot be an element");
    if (rc != HMF_OK) {
        hmf__free(node.expr);
        return rc;
    }
    if ((rc = hmf__types_add(p->c->t, &node, out)) != HMF_OK)
        return rc;
    return hmf__types_finish(p->c->t, *out, false);
}

/* Field i of a struct of n. */
static hmf_status_t parse_member(struct hmf__parser *p, int depth, uint32_t i, uint32_t n,
                                 struct hmf__field *f)
{
    hmf_status_t rc;

    if ((rc = parse_alignment(p, &f->align)) != HMF_OK)
        return rc;
    size_t at = p->pos;
    int word = at < p->len ? p->desc[at] : 0;
    if (word == typeBITS) {
        if (f->align)
            return hmf__desc_wrong(p, at, "a bit-field cannot be aligned");
        return parse_bits(p, &f->type);
    }
    if (word == typeFLEX) {
        if (i + 1 != n || n < 2)
            return hmf__desc_wrong(p, at, "typeFLEX is the last field of a struct, behind others");
        return parse_flex(p, depth, &f->type);
    }
    if ((rc = hmf__desc_type(p, depth + 1, false, &f->type)) == HMF_OK && p->c->t->v[f->type].flex)
        rc = hmf__desc_wrong(p, at,
                             "a struct with a flexible array member cannot be part of another "
                             "type");
    return rc;
}

hmf_status_t hmf__desc_union(struct hmf__parser *p, int depth, size_t at, uint32_t into,
                             uint32_t *out)
{
    bool otherwise = p->desc[at] == typeUNIONELSE;
    struct hmf__type node = {
        .kind = HMF__KIND_UNION, .elem = HMF__TYPE_NONE, .otherwise = otherwise};
    hmf_status_t rc = HMF_OK;
    int n = 0;

    if ((rc = hmf__desc_discriminant(p, at, &node)) != HMF_OK)
        goto drop_fields;
    size_t number_at = p->pos;
    if ((rc = hmf__desc_operand(p, at, "the number of branches", &n)) != HMF_OK)
        goto drop_fields;
    if (n < 1 - otherwise || n > HMF__MAX_FIELDS - 1 || (size_t)n > (p->len - p->pos) / 2) {
        rc = hmf__desc_wrong(p, number_at, "a union of %d branches, but %zu numbers follow", n,
                             p->len - p->pos);
        goto drop_fields;
    }
    uint32_t nfields = (uint32_t)n + otherwise;
    if (!(node.fields = hmf__calloc(nfields, sizeof *node.fields))) {
        rc = hmf__desc_no_memory();
        goto drop_fields;
    }
    for (uint32_t i = 0; i < nfields; i++) {
        struct hmf__field *f = &node.fields[i];
        size_t value_at = p->pos;
        int value = 0;
        if ((rc = field_name(p, i, &f->name)) != HMF_OK)
            goto drop_fields;
        node.nfields++;
        if (i < (uint32_t)n &&
            (rc = hmf__desc_operand(p, at, "the value of a branch", &value)) != HMF_OK)
            goto drop_fields;
        f->value = value;
        for (uint32_t k = 0; k < i && i < (uint32_t)n; k++)
            if (node.fields[k].value == value) {
                rc = hmf__desc_wrong(p, value_at, "the value %d selects two branches", value);
                goto drop_fields;
            }
        size_t type_at = p->pos;
        if ((rc = parse_alignment(p, &f->align)) != HMF_OK ||
            (rc = hmf__desc_type(p, depth + 1, false, &f->type)) != HMF_OK)
            goto drop_fields;
        if (p->c->t->v[f->type].flex) {
            rc = hmf__desc_wrong(p, type_at,
                                 "a struct with a flexible array member cannot be part of "
                                 "another type");
            goto drop_fields;
        }
    }
    if (node.len == HMF__LEN_FIXED && !hmf__depend_leads(p->c->t, &node)) {
        rc = hmf__desc_wrong(p, at + 1,
                             "the branches do not all begin with the same integer type, which "
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
    hmf__free(node.expr);
    return rc;
}

hmf_status_t hmf__desc_struct(struct hmf__parser *p, int depth, uint32_t id, bool packed,
                              const struct hmf_type_layout *layout)
{
    size_t at = p->pos - 1;
    int n = p->desc[at];
    struct hmf__types *t = p->c->t;
    hmf_status_t rc = HMF_OK;

    if (n < -HMF__MAX_FIELDS)
        return hmf__desc_wrong(p, at, "a struct of %ld fields: more than %d are not supported",
                               -(long)n, HMF__MAX_FIELDS);
    uint32_t nfields = (uint32_t)-n;
    if (nfields > p->len - p->pos)
        return hmf__desc_wrong(p, at, "a struct of %u fields, but only %zu numbers follow", nfields,
                               p->len - p->pos);
    struct hmf__field *fields = hmf__calloc(nfields, sizeof *fields);
    if (!fields)
        return hmf__desc_no_memory();
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
        rc = hmf__desc_wrong(p, at,
                             "the given layout has fields that overlap, stand in another order or "
                             "reach beyond the struct's size");
    else if (rc == HMF_ERR_LIMIT && !t->v[id].size && t->v[id].width < HMF__MAX_WIDTH)
        rc = hmf__desc_wrong(p, at, "the struct holds nothing, or is too large");
    return rc;

drop_fields:
    p->nenclosing--;
    while (i--)
        hmf__free(fields[i].name);
    hmf__free(fields);
    return rc;
}
