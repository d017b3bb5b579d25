/* The table of types: basic types on any ABI, nodes, natural layout, texts.
 * Descriptions are parsed in desc.c, classes are made in typeclass.c. */
#include "config.h"

#include "type.h"

#include "base.h"
#include "handle.h"
#include "typecache.h"

#include "typemap.h"

#include <float.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* How wide a basic type is on an ABI. */
enum width { W1 = 1, W2 = 2, W4 = 4, W8 = 8, WLONG = 100, WLD = 101, W2LD = 102 };

static const struct basic {
    uint32_t number;
    enum hmf__kind kind;
    bool is_signed;
    enum width width;
    uint8_t align; /* 0: as the width */
    const char *name;
} basics[] = {
    {typeCHAR, HMF__KIND_INT, true, W1, 0, "char"},
    {typeDOUBLE, HMF__KIND_FLOAT, true, W8, 0, "double"},
    {typeFLOAT, HMF__KIND_FLOAT, true, W4, 0, "float"},
    {typeINT, HMF__KIND_INT, true, W4, 0, "int"},
    {typeLONG, HMF__KIND_INT, true, WLONG, 0, "long"},
    {typeSHORT, HMF__KIND_INT, true, W2, 0, "short"},
    {typeUINT, HMF__KIND_INT, false, W4, 0, "unsigned int"},
    {typeULONG, HMF__KIND_INT, false, WLONG, 0, "unsigned long"},
    {typeUSHORT, HMF__KIND_INT, false, W2, 0, "unsigned short"},
    {typeSCHAR, HMF__KIND_INT, true, W1, 0, "signed char"},
    {typeUCHAR, HMF__KIND_INT, false, W1, 0, "unsigned char"},
    {typeLLONG, HMF__KIND_INT, true, W8, 0, "long long"},
    {typeULLONG, HMF__KIND_INT, false, W8, 0, "unsigned long long"},
    {typeBOOL, HMF__KIND_INT, false, W1, 0, "bool"},
    {typeLDOUBLE, HMF__KIND_FLOAT, true, WLD, 0, "long double"},
    {typeINT8, HMF__KIND_INT, true, W1, 0, "int8_t"},
    {typeUINT8, HMF__KIND_INT, false, W1, 0, "uint8_t"},
    {typeINT16, HMF__KIND_INT, true, W2, 0, "int16_t"},
    {typeUINT16, HMF__KIND_INT, false, W2, 0, "uint16_t"},
    {typeINT32, HMF__KIND_INT, true, W4, 0, "int32_t"},
    {typeUINT32, HMF__KIND_INT, false, W4, 0, "uint32_t"},
    {typeINT64, HMF__KIND_INT, true, W8, 0, "int64_t"},
    {typeUINT64, HMF__KIND_INT, false, W8, 0, "uint64_t"},
    {typeSIZE, HMF__KIND_INT, false, WLONG, 0, "size_t"},
    {typeSSIZE, HMF__KIND_INT, true, WLONG, 0, "ssize_t"},
    {typePTRDIFF, HMF__KIND_INT, true, WLONG, 0, "ptrdiff_t"},
    {typeINTPTR, HMF__KIND_INT, true, WLONG, 0, "intptr_t"},
    {typeUINTPTR, HMF__KIND_INT, false, WLONG, 0, "uintptr_t"},
    {typeWCHAR, HMF__KIND_INT, true, W4, 0, "wchar_t"},
    {typeTIME, HMF__KIND_INT, true, WLONG, 0, "time_t"},
    {typeOFF, HMF__KIND_INT, true, WLONG, 0, "off_t"},
    {typeFCOMPLEX, HMF__KIND_COMPLEX, true, W8, 4, "float complex"},
    {typeDCOMPLEX, HMF__KIND_COMPLEX, true, 16, 8, "double complex"},
    {typeLDCOMPLEX, HMF__KIND_COMPLEX, true, W2LD, 0, "long double complex"},
    {typeENUM, HMF__KIND_INT, true, W4, 0, "enum"},
};

static const struct basic *find_basic(uint32_t number)
{
    for (size_t i = 0; i < sizeof basics / sizeof basics[0]; i++)
        if (basics[i].number == number)
            return &basics[i];
    return NULL;
}

const char *hmf__basic_name(uint32_t number)
{
    const struct basic *b = find_basic(number);

    return b ? b->name : hmf__handle_type(number);
}

void hmf__abi_native(struct hmf__abi *out)
{
    struct with_int64 { char c; int64_t v; };
    struct with_ldouble { char c; long double v; };

    memset(out, 0, sizeof *out);
    out->big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    out->pointer_size = sizeof(void *);
    out->char_signed = CHAR_MIN < 0;
    out->max_align = (uint8_t)offsetof(struct with_int64, v);
    out->ldouble = LDBL_MANT_DIG == 53    ? HMF__LD_DOUBLE
                   : LDBL_MANT_DIG == 64  ? HMF__LD_X87
                   : LDBL_MANT_DIG == 113 ? HMF__LD_QUAD
                                          : HMF__LD_PAIR;
    out->ldouble_size = sizeof(long double);
    out->ldouble_align = (uint8_t)offsetof(struct with_ldouble, v);
}

static bool power_of_two(uint64_t n)
{
    return n && !(n & (n - 1));
}

hmf_status_t hmf__abi_check(const struct hmf__abi *abi)
{
    bool ld = false;

    switch (abi->ldouble) {
    case HMF__LD_DOUBLE:
        ld = abi->ldouble_size == 8;
        break;
    case HMF__LD_X87:
        ld = abi->ldouble_size == 12 || abi->ldouble_size == 16;
        break;
    case HMF__LD_QUAD:
    case HMF__LD_PAIR:
        ld = abi->ldouble_size == 16;
        break;
    }
    if (abi->big_endian > 1 || abi->char_signed > 1 || !ld ||
        (abi->pointer_size != 4 && abi->pointer_size != 8) || !power_of_two(abi->max_align) ||
        abi->max_align > 8 || !power_of_two(abi->ldouble_align) || abi->ldouble_align > 16)
        return hmf__fail(HMF_ERR_FORMAT, "the bytes name a machine that cannot be (pointers of %u "
                         "bytes, long double %u of %u bytes): they are damaged",
                         abi->pointer_size, abi->ldouble, abi->ldouble_size);
    return HMF_OK;
}

void hmf__types_init(struct hmf__types *t, const struct hmf__abi *abi)
{
    memset(t, 0, sizeof *t);
    if (abi)
        t->abi = *abi;
    else
        hmf__abi_native(&t->abi);
}

/* Free what the nodes from `first` on own and forget them. */
void hmf__types_cut(struct hmf__types *t, uint32_t first)
{
    for (uint32_t i = first; i < t->n; i++) {
        for (uint32_t f = 0; f < t->v[i].nfields && t->v[i].fields; f++)
            hmf__free(t->v[i].fields[f].name);
        hmf__free(t->v[i].fields);
        hmf__free(t->v[i].name);
    }
    t->n = first;
    if (t->nclassed > first)
        t->nclassed = 0;
}

void hmf__types_fini(struct hmf__types *t)
{
    hmf__types_cut(t, 0);
    hmf__free(t->v);
    hmf__free(t->classes);
    hmf__types_cache_free(t->cache);
    memset(t, 0, sizeof *t);
}

hmf_status_t hmf__types_add(struct hmf__types *t, const struct hmf__type *node, uint32_t *out)
{
    hmf_status_t rc;

    if (t->n == t->cap) {
        uint32_t cap = t->cap ? 2 * t->cap : 16;
        struct hmf__type *v = NULL;
        if (t->n >= HMF__MAX_TYPES) {
            rc = hmf__fail(HMF_ERR_LIMIT, "more than %d types", HMF__MAX_TYPES);
            goto drop_node;
        }
        v = hmf__realloc(t->v, cap * sizeof *v);
        if (!v) {
            rc = hmf__fail(HMF_ERR_NOMEM, "no memory for %u types", cap);
            goto drop_node;
        }
        t->v = v;
        t->cap = cap;
    }
    t->v[t->n] = *node;
    *out = t->n++;
    return HMF_OK;

drop_node:
    for (uint32_t f = 0; f < node->nfields && node->fields; f++)
        hmf__free(node->fields[f].name);
    hmf__free(node->fields);
    hmf__free(node->name);
    return rc;
}

bool hmf__types_basic(const struct hmf__types *t, uint32_t number, struct hmf__type *out)
{
    const struct basic *b = find_basic(number);

    if (!b)
        return false;
    memset(out, 0, sizeof *out);
    out->kind = b->kind;
    out->number = number;
    out->is_signed = number == typeCHAR ? t->abi.char_signed : b->is_signed;
    out->elem = HMF__TYPE_NONE;
    out->nleaves = out->width = 1;
    switch (b->width) {
    case WLONG:
        out->size = t->abi.pointer_size;
        break;
    case WLD:
        out->size = t->abi.ldouble_size;
        break;
    case W2LD:
        out->size = 2u * t->abi.ldouble_size;
        break;
    default:
        out->size = b->width;
    }
    if (b->width == WLD || b->width == W2LD) {
        out->align = t->abi.ldouble_align;
    } else {
        out->align = b->align ? b->align : (uint32_t)out->size;
        if (out->align > t->abi.max_align)
            out->align = t->abi.max_align;
    }
    return true;
}

/* Sum up one more by-value child; false: too large. */
static bool add_child(struct hmf__type *node, const struct hmf__type *child, uint64_t times)
{
    uint64_t leaves, slots;

    if (hmf__mul_overflow_u64(child->nleaves, times, &leaves) ||
        hmf__mul_overflow_u64(child->nslots, times, &slots) ||
        hmf__add_overflow_u64(node->nleaves, leaves, &node->nleaves) ||
        hmf__add_overflow_u64(node->nslots, slots, &node->nslots))
        return false;
    if (child->width > HMF__MAX_WIDTH - node->width)
        return false;
    node->width += child->width;
    if (child->align > node->align)
        node->align = child->align;
    if (child->depth > node->depth)
        node->depth = child->depth;
    node->special |= child->special;
    return node->nleaves <= HMF__MAX_SIZE && child->size <= HMF__MAX_SIZE;
}

static bool finish_struct(const struct hmf__types *t, struct hmf__type *node, bool keep_layout)
{
    uint64_t at = 0, given_align = node->align;

    uint64_t widest = 1;
    for (uint32_t i = 0; i < node->nfields; i++) {
        struct hmf__field *f = &node->fields[i];
        const struct hmf__type *child = &t->v[f->type];
        if (!add_child(node, child, 1))
            return false;
        uint64_t align = node->packed ? 1 : child->align;
        if (f->align > align)
            align = f->align;
        if (align > widest)
            widest = align;
        if (!keep_layout)
            f->offset = (at + align - 1) & ~(align - 1);
        else if (f->offset < at) /* fields stand in order and do not overlap */
            return false;
        if (f->offset > HMF__MAX_SIZE)
            return false;
        at = f->offset + child->size;
        if (at > HMF__MAX_SIZE)
            return false;
    }
    if (keep_layout) {
        node->align = (uint32_t)given_align;
        return node->size >= at && node->size <= HMF__MAX_SIZE;
    }
    node->align = (uint32_t)widest;
    node->size = (at + node->align - 1) & ~((uint64_t)node->align - 1);
    return true;
}

hmf_status_t hmf__types_finish(struct hmf__types *t, uint32_t id, bool keep_layout)
{
    struct hmf__type *node = &t->v[id];
    bool good = true, nests = node->kind == HMF__KIND_STRUCT || node->kind == HMF__KIND_ARRAY;

    node->nleaves = node->nslots = 0;
    node->depth = node->width = 0;
    node->special = false;
    switch (node->kind) {
    case HMF__KIND_STRUCT:
        good = finish_struct(t, node, keep_layout);
        break;
    case HMF__KIND_ARRAY:
        node->align = 1;
        good = add_child(node, &t->v[node->elem], node->count) &&
               !hmf__mul_overflow_u64(t->v[node->elem].size, node->count, &node->size) &&
               node->size <= HMF__MAX_SIZE;
        break;
    case HMF__KIND_FSTRING:
        node->align = 1;
        node->size = node->nleaves = node->count;
        good = node->size <= HMF__MAX_SIZE;
        break;
    case HMF__KIND_POINTER:
    case HMF__KIND_FUNCTION:
    case HMF__KIND_HANDLE:
        node->size = t->abi.pointer_size;
        node->align = t->abi.pointer_size < t->abi.max_align ? t->abi.pointer_size
                                                             : t->abi.max_align;
        node->nleaves = node->nslots = 1;
        node->special = true;
        break;
    case HMF__KIND_CSTRING:
        node->size = node->align = 1;
        node->nleaves = 1;
        break;
    case HMF__KIND_VOID:
        node->align = 1;
        break;
    case HMF__KIND_OPAQUE:
        node->size = node->count;
        node->align = 1;
        node->nleaves = 1;
        break;
    case HMF__KIND_TRANSIENT:
        node->size = t->v[node->elem].size;
        node->align = t->v[node->elem].align;
        node->nleaves = 1;
        break;
    default:
        node->nleaves = 1;
    }
    node->depth += nests;
    if (!node->width)
        node->width = 1;
    if (node->depth > HMF__MAX_DEPTH)
        return hmf__fail(HMF_ERR_LIMIT, "types are nested more than %d deep", HMF__MAX_DEPTH);
    return good ? HMF_OK
                : hmf__fail(keep_layout ? HMF_ERR_FORMAT : HMF_ERR_LIMIT,
                            "a type is too large or its fields do not fit into it");
}

void hmf__types_flatten(const struct hmf__types *t, uint32_t id, uint32_t *elem, uint64_t *count)
{
    uint64_t n = 1;

    while (t->v[id].kind == HMF__KIND_ARRAY) { /* the product is bounded: see types_finish */
        n *= t->v[id].count;
        id = t->v[id].elem;
    }
    *elem = id;
    *count = n;
}

bool hmf__type_is_ldouble(const struct hmf__type *y)
{
    return y->number == typeLDOUBLE || y->number == typeLDCOMPLEX;
}

const char *hmf__type_text(const struct hmf__types *t, uint32_t id, char *buf, size_t size)
{
    const struct hmf__type *y = &t->v[id];
    char inner[200];
    uint64_t n;

    switch (y->kind) {
    case HMF__KIND_ARRAY:
        snprintf(buf, size, "%s [%llu]", hmf__type_text(t, y->elem, inner, sizeof inner),
                 (unsigned long long)y->count);
        break;
    case HMF__KIND_POINTER:
        hmf__types_flatten(t, y->elem, &id, &n); /* recursion may go on through pointers only */
        snprintf(buf, size, "pointer to %s",
                 t->v[id].kind == HMF__KIND_POINTER ? "a pointer"
                                                    : hmf__type_text(t, id, inner, sizeof inner));
        break;
    case HMF__KIND_STRUCT:
        if (y->name)
            snprintf(buf, size, "struct %s", y->name);
        else
            snprintf(buf, size, "struct of %u fields", y->nfields);
        break;
    case HMF__KIND_UNION:
        snprintf(buf, size, "union %s", y->name ? y->name : "");
        break;
    case HMF__KIND_FSTRING:
        snprintf(buf, size, "text [%llu]", (unsigned long long)y->count);
        break;
    case HMF__KIND_CSTRING:
        snprintf(buf, size, "string");
        break;
    case HMF__KIND_VOID:
        snprintf(buf, size, "void");
        break;
    case HMF__KIND_FUNCTION:
        snprintf(buf, size, "pointer to function");
        break;
    case HMF__KIND_OPAQUE:
        snprintf(buf, size, "opaque [%llu]", (unsigned long long)y->count);
        break;
    case HMF__KIND_TRANSIENT:
        snprintf(buf, size, "transient");
        break;
    default:
        snprintf(buf, size, "%s", hmf__basic_name(y->number) ? hmf__basic_name(y->number)
                                                              : "unknown type");
    }
    return buf;
}
