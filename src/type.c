/* The table of types: basic types on any ABI, nodes, natural layout, texts.
 * Descriptions are parsed in desc.c, classes are made in typeclass.c. */
#include "config.h"

#include "type.h"

#include "base.h"
#include "depend.h"
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
        hmf__free(t->v[i].expr);
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
    hmf__free(node->expr);
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
    node->choice |= child->choice;
    return node->nleaves <= HMF__MAX_SIZE && child->size <= HMF__MAX_SIZE;
}

/* Where the compilers of all our ABIs put a bit-field that may begin at bit `at` of the struct: it
 * lies in one unit of its declared type, unless packed. */
static uint64_t place_bits(const struct hmf__type *y, uint64_t declared_size, bool packed,
                           uint64_t at)
{
    uint64_t unit = 8 * (uint64_t)y->align;

    if (!y->count || (!packed && (at % unit + y->count + unit - 1) / unit >
                                     declared_size / y->align))
        at = (at + unit - 1) / unit * unit;
    return at;
}

/* Alignment that a bit-field gives its struct. */
static uint64_t bits_align(const struct hmf__type *y, bool packed)
{
#if defined(__arm__) || defined(__aarch64__)
    if (!y->count) /* `T : 0` counts there, in packed structs too */
        return y->align;
#else
    if (y->unnamed) /* padding does not count */
        return 1;
#endif
    return packed ? 1 : y->align;
}

/* Field f, a bit-field, at bit *at or where it says; *at becomes its end. */
static bool finish_bits(const struct hmf__types *t, const struct hmf__type *node,
                        struct hmf__field *f, bool keep, uint64_t *at)
{
    const struct hmf__type *child = &t->v[f->type];
    struct hmf__type declared;

    if (keep && (f->offset > HMF__MAX_SIZE || f->value < 0 || f->value > 7))
        return false;
    uint64_t begin = 8 * f->offset + (uint64_t)f->value;
    if (!keep) {
        if (!hmf__types_basic(t, child->number, &declared))
            return false;
        begin = place_bits(child, declared.size, node->packed, *at);
        f->offset = begin / 8;
        f->value = (int64_t)(begin % 8);
    } else if (begin < *at) {
        return false;
    }
    *at = begin + child->count;
    return true;
}

static bool finish_struct(const struct hmf__types *t, struct hmf__type *node, bool keep_layout)
{
    uint64_t at = 0, given_align = node->align, widest = 1; /* at: bits */

    node->flex = false;
    for (uint32_t i = 0; i < node->nfields; i++) {
        struct hmf__field *f = &node->fields[i];
        const struct hmf__type *child = &t->v[f->type];
        if (!add_child(node, child, 1) || child->flex || node->flex)
            return false;
        uint64_t align = child->kind == HMF__KIND_BITS ? bits_align(child, node->packed)
                         : node->packed                ? 1
                                                       : child->align;
        if (f->align > align)
            align = f->align;
        if (align > widest)
            widest = align;
        if (child->kind == HMF__KIND_BITS) {
            bool keep = keep_layout && f->offset != HMF__OFFSET_NATURAL;
            if (!finish_bits(t, node, f, keep, &at) || at / 8 > HMF__MAX_SIZE)
                return false;
            continue;
        }
        uint64_t end = (at + 7) / 8;
        if (!keep_layout)
            f->offset = (end + align - 1) & ~(align - 1);
        else if (f->offset < end) /* fields stand in order and do not overlap */
            return false;
        if (f->offset > HMF__MAX_SIZE - child->size)
            return false;
        at = 8 * (f->offset + child->size);
        node->flex = child->kind == HMF__KIND_FLEX;
    }
    at = (at + 7) / 8;
    if (at > HMF__MAX_SIZE)
        return false;
    node->align = (uint32_t)(keep_layout ? given_align : widest);
    if (keep_layout && (node->size < at || node->size > HMF__MAX_SIZE))
        return false;
    if (node->flex) /* what is behind is a block of its own, which may begin in the padding */
        node->size = at;
    else if (!keep_layout)
        node->size = (at + node->align - 1) & ~((uint64_t)node->align - 1);
    return node->size > 0;
}

static bool finish_union(const struct hmf__types *t, struct hmf__type *node, bool keep_layout)
{
    uint64_t given_align = node->align, largest = 0;

    node->align = 1;
    for (uint32_t i = 0; i < node->nfields; i++) {
        struct hmf__field *f = &node->fields[i];
        const struct hmf__type *child = &t->v[f->type];
        if (!add_child(node, child, 1) || child->flex || f->offset)
            return false;
        if (f->align > node->align)
            node->align = f->align;
        if (child->size > largest)
            largest = child->size;
    }
    node->choice = true;
    if (node->len == HMF__LEN_FIXED && !hmf__depend_leads(t, node))
        return false;
    if (keep_layout) {
        node->align = (uint32_t)given_align;
        return node->size >= largest && node->size <= HMF__MAX_SIZE;
    }
    node->size = (largest + node->align - 1) & ~((uint64_t)node->align - 1);
    return node->size > 0 && node->size <= HMF__MAX_SIZE;
}

hmf_status_t hmf__types_finish(struct hmf__types *t, uint32_t id, bool keep_layout)
{
    struct hmf__type *node = &t->v[id];
    bool good = true, nests = node->kind == HMF__KIND_STRUCT || node->kind == HMF__KIND_ARRAY ||
                              node->kind == HMF__KIND_UNION;

    node->nleaves = node->nslots = 0;
    node->depth = node->width = 0;
    node->special = node->choice = false;
    switch (node->kind) {
    case HMF__KIND_STRUCT:
        good = finish_struct(t, node, keep_layout);
        break;
    case HMF__KIND_UNION:
        good = finish_union(t, node, keep_layout);
        break;
    case HMF__KIND_ARRAY:
        node->align = 1;
        good = add_child(node, &t->v[node->elem], node->count) && !t->v[node->elem].flex &&
               !hmf__mul_overflow_u64(t->v[node->elem].size, node->count, &node->size) &&
               node->size <= HMF__MAX_SIZE;
        break;
    case HMF__KIND_FLEX: /* what is behind the struct is no part of it */
        node->size = 0;
        node->align = t->v[node->elem].align;
        node->depth = t->v[node->elem].depth;
        node->width = t->v[node->elem].width;
        good = !t->v[node->elem].flex;
        break;
    case HMF__KIND_BITS:
        node->size = (node->count + 7) / 8;
        node->nleaves = 1;
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
        good = !t->v[node->elem].flex;
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
        if (y->name)
            snprintf(buf, size, "union %s", y->name);
        else
            snprintf(buf, size, "union of %u branches", y->nfields);
        break;
    case HMF__KIND_BITS:
        snprintf(buf, size, "%s : %llu", hmf__basic_name(y->number),
                 (unsigned long long)y->count);
        break;
    case HMF__KIND_FLEX:
        snprintf(buf, size, "%s []", hmf__type_text(t, y->elem, inner, sizeof inner));
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
