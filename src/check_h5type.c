/*
 * HDF5 datatypes of the image's types; see check_h5type.h.
 *
 * A struct becomes a compound with the C field names at their C offsets. Pointers are left out of
 * it, since their slots are zero: what they point to stands in the table's .refs dataset, whose
 * compound has the pointers' paths as names. What HDF5 cannot say (unions) becomes opaque bytes,
 * and bit-fields in a row one number, so that all other fields keep their names.
 */
#include "config.h"

#include "check_h5type.h"

#include "base.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* An object header message is at most 64 KiB: descriptions that would come near are not
   attempted. */
#define DESCRIPTION_MAX 48000
#define NAMED_SLOTS_MAX 64
#define MAX_DEPTH 32

struct builder {
    const struct hmf__types *types;
    size_t described;                   /* estimated bytes of the datatype's description */
    const struct hmf__type *around;     /* the struct whose field is built */
};

static hid_t opaque(uint64_t size, const char *tag)
{
    hid_t t = H5Tcreate(H5T_OPAQUE, (size_t)size);
    if (t >= 0)
        H5Tset_tag(t, tag);
    return t;
}

/* Ends at the first NUL, or at its full length where there is none. */
static hid_t string(uint64_t size)
{
    hid_t t = H5Tcopy(H5T_C_S1);
    if (t >= 0 && (H5Tset_size(t, (size_t)size) < 0 || H5Tset_strpad(t, H5T_STR_NULLTERM) < 0)) {
        H5Tclose(t);
        t = -1;
    }
    return t;
}

static hid_t integer(uint64_t size, bool is_signed, bool big_endian)
{
    hid_t t = H5Tcopy(is_signed ? H5T_STD_I8LE : H5T_STD_U8LE);
    if (t < 0)
        return t;
    if (H5Tset_size(t, (size_t)size) < 0 || H5Tset_precision(t, (size_t)size * 8) < 0
        || H5Tset_order(t, big_endian ? H5T_ORDER_BE : H5T_ORDER_LE) < 0) {
        H5Tclose(t);
        return -1;
    }
    return t;
}

static hid_t long_double(const struct hmf__abi *abi, uint64_t size)
{
    bool x87 = abi->ldouble == HMF__LD_X87;
    if (!x87 && abi->ldouble != HMF__LD_QUAD)
        return opaque(size, "long double");
    hid_t t = H5Tcopy(abi->big_endian ? H5T_IEEE_F64BE : H5T_IEEE_F64LE);
    if (t < 0)
        return t;
    /* Each step must leave a type that makes sense: grow first, then move the fields, then cut. */
    herr_t rc = H5Tset_size(t, (size_t)size);
    if (rc >= 0)
        rc = H5Tset_precision(t, x87 ? 80 : 128);
    if (rc >= 0)
        rc = x87 ? H5Tset_fields(t, 79, 64, 15, 0, 64) : H5Tset_fields(t, 127, 112, 15, 0, 112);
    if (rc >= 0)
        rc = H5Tset_ebias(t, 16383);
    if (rc >= 0)
        rc = H5Tset_norm(t, x87 ? H5T_NORM_NONE : H5T_NORM_IMPLIED);
    if (rc < 0) {
        H5Tclose(t);
        return opaque(size, "long double");
    }
    return t;
}

static hid_t floating(const struct hmf__abi *abi, uint64_t size)
{
    if (size == 4)
        return H5Tcopy(abi->big_endian ? H5T_IEEE_F32BE : H5T_IEEE_F32LE);
    if (size == 8)
        return H5Tcopy(abi->big_endian ? H5T_IEEE_F64BE : H5T_IEEE_F64LE);
    return long_double(abi, size);
}

static hid_t complex_number(const struct hmf__abi *abi, uint64_t size)
{
    hid_t part = floating(abi, size / 2), t = H5Tcreate(H5T_COMPOUND, (size_t)size);
    /* r and i: what h5py takes for a complex number */
    if (part < 0 || t < 0 || H5Tinsert(t, "r", 0, part) < 0
        || H5Tinsert(t, "i", (size_t)size / 2, part) < 0) {
        if (t >= 0)
            H5Tclose(t);
        t = -1;
    }
    if (part >= 0)
        H5Tclose(part);
    return t;
}

static hid_t build(struct builder *b, uint32_t index, int depth);

static bool is_pointer_only(const struct hmf__types *types, uint32_t index)
{
    const struct hmf__type *t = &types->v[index];
    while (t->kind == HMF__KIND_ARRAY && t->elem < types->n)
        t = &types->v[t->elem];
    return hmf__kind_refers(t->kind);
}

static hid_t array(struct builder *b, uint32_t index, int depth)
{
    hsize_t dims[H5S_MAX_RANK];
    unsigned n = 0;
    const struct hmf__type *t = &b->types->v[index];
    while (t->kind == HMF__KIND_ARRAY && n < H5S_MAX_RANK) {
        dims[n++] = t->count;
        index = t->elem;
        if (index >= b->types->n)
            return -1;
        t = &b->types->v[index];
    }
    hid_t elem = build(b, index, depth + 1);
    if (elem < 0)
        return elem;
    hid_t a = H5Tarray_create2(elem, n, dims);
    H5Tclose(elem);
    b->described += 16 + 4 * n;
    return a;
}

/* A member's name that is not in the compound yet. */
static void member_name(hid_t t, const char *wanted, uint32_t number, char *name, size_t len)
{
    if (wanted != NULL && wanted[0] != '\0')
        snprintf(name, len, "%s", wanted);
    else
        snprintf(name, len, "f%u", (unsigned)number);
    size_t used = strlen(name);
    if (used > len - 12)
        used = len - 12;
    for (unsigned k = 2; H5Tget_member_index(t, name) >= 0; k++)
        snprintf(name + used, len - used, "~%u", k);
}

/* Bit-fields in a row share bytes, which HDF5's members may not: they become one member of all
   their bytes, which is called as they are in C ("kind:3,flag:1"). *last is the last of them. */
static hid_t bit_run(struct builder *b, const struct hmf__type *s, uint32_t first, uint32_t *last,
                     char *name, size_t len, uint64_t *bytes)
{
    size_t used = 0;
    uint64_t end = 0;
    name[0] = '\0';
    for (*last = first; *last < s->nfields; (*last)++) {
        const struct hmf__field *f = &s->fields[*last];
        const struct hmf__type *t = &b->types->v[f->type];
        if (t->kind != HMF__KIND_BITS)
            break;
        end = f->offset + ((uint64_t)f->value + t->count + 7) / 8;
        if (used + 24 >= len) /* the names of the others are in /types and in the description */
            continue;
        int n = snprintf(name + used, len - used, "%s%.100s:%" PRIu64, used != 0 ? "," : "",
                         t->unnamed || f->name == NULL ? "" : f->name, t->count);
        used = n > 0 && (size_t)n < len - used ? used + (size_t)n : len - 1;
    }
    (*last)--;
    *bytes = end - s->fields[first].offset;
    if (*bytes == 1 || *bytes == 2 || *bytes == 4 || *bytes == 8)
        return integer(*bytes, false, b->types->abi.big_endian != 0);
    return *bytes != 0 ? opaque(*bytes, "bit-fields") : -1;
}

static hid_t structure(struct builder *b, const struct hmf__type *s, int depth)
{
    hid_t t = H5Tcreate(H5T_COMPOUND, (size_t)s->size);
    if (t < 0)
        return t;
    uint64_t end = 0;
    for (uint32_t i = 0; i < s->nfields; i++) {
        const struct hmf__field *f = &s->fields[i];
        char name[256], bits[200];
        const char *wanted = f->name;
        const struct hmf__type *ft = &b->types->v[f->type];
        uint64_t bytes = ft->size;
        hid_t m;
        if (ft->kind == HMF__KIND_BITS) {
            m = bit_run(b, s, i, &i, bits, sizeof bits, &bytes);
            wanted = bits;
            if (bytes == 0)
                continue;
        } else if (bytes == 0 || f->offset < end || is_pointer_only(b->types, f->type)) {
            continue;
        } else {
            b->around = s;
            m = build(b, f->type, depth + 1);
        }
        if (m < 0)
            goto fail;
        H5E_BEGIN_TRY {
            member_name(t, wanted, i, name, sizeof name);
        } H5E_END_TRY
        herr_t rc = H5Tinsert(t, name, (size_t)f->offset, m);
        H5Tclose(m);
        if (rc < 0)
            goto fail;
        b->described += strlen(name) + 16;
        if (b->described > DESCRIPTION_MAX)
            goto fail;
        end = f->offset + bytes;
    }
    if (H5Tget_nmembers(t) <= 0)
        goto fail;
    return t;

fail:
    H5Tclose(t);
    return opaque(s->size, s->name != NULL ? s->name : "struct");
}

/* Branches of a union share bytes as well: they are opaque, and the tag says which branch holds for
   which value, "union kind: 0 i, 1 d, else raw". */
static hid_t union_bytes(const struct hmf__type *u, const struct hmf__type *around)
{
    char tag[240];
    const char *by = "first member";
    if (u->len != HMF__LEN_FIXED)
        by = u->len_up == 0 && around != NULL && u->len_field < around->nfields
            ? around->fields[u->len_field].name : "a field around";
    int used = snprintf(tag, sizeof tag, "union%s%.60s by %.60s:", u->name != NULL ? " " : "",
                        u->name != NULL ? u->name : "", by);
    for (uint32_t i = 0; i < u->nfields && used > 0 && (size_t)used + 90 < sizeof tag; i++) {
        if (u->otherwise && i + 1 == u->nfields)
            used += snprintf(tag + used, sizeof tag - (size_t)used, " else %.60s",
                             u->fields[i].name);
        else
            used += snprintf(tag + used, sizeof tag - (size_t)used, " %lld %.60s%s",
                             (long long)u->fields[i].value, u->fields[i].name,
                             i + 1 < u->nfields ? "," : "");
    }
    return opaque(u->size, tag);
}

static hid_t build(struct builder *b, uint32_t index, int depth)
{
    const struct hmf__type *t = &b->types->v[index];
    bool big = b->types->abi.big_endian != 0;
    b->described += 24;
    if (depth > MAX_DEPTH || b->described > DESCRIPTION_MAX)
        return opaque(t->size, "bytes");
    switch (t->kind) {
    case HMF__KIND_INT:
        return integer(t->size, t->is_signed, big);
    case HMF__KIND_FLOAT:
        return floating(&b->types->abi, t->size);
    case HMF__KIND_COMPLEX:
        return complex_number(&b->types->abi, t->size);
    case HMF__KIND_POINTER:
        return integer(t->size, false, big);
    case HMF__KIND_ARRAY:
        return array(b, index, depth);
    case HMF__KIND_STRUCT:
        return structure(b, t, depth);
    case HMF__KIND_FSTRING:
    case HMF__KIND_CSTRING:
        return string(t->size);
    case HMF__KIND_UNION:
        return union_bytes(t, b->around);
    case HMF__KIND_FUNCTION:
        return opaque(t->size, "function");
    case HMF__KIND_HANDLE:
        return opaque(t->size, "handle");
    default:
        return opaque(t->size, "bytes");
    }
}

/* ---- slots: one integer per pointer, named by its path ---- */

struct slots {
    const struct hmf__types *types;
    hid_t compound;
    hid_t integer;
    size_t size, at;
    bool failed;
};

static void slot_members(struct slots *s, uint32_t index, const char *path, int depth)
{
    const struct hmf__type *t = &s->types->v[index];
    char name[256];
    if (s->failed || t->nslots == 0)
        return;
    if (depth > MAX_DEPTH) {
        s->failed = true;
        return;
    }
    switch (t->kind) {
    case HMF__KIND_POINTER:
    case HMF__KIND_FUNCTION: /* refers to its name */
    case HMF__KIND_HANDLE:   /* likewise */
        if (H5Tinsert(s->compound, path[0] != '\0' ? path : "target", s->at, s->integer) < 0)
            s->failed = true;
        s->at += s->size;
        break;
    case HMF__KIND_ARRAY:
        for (uint64_t i = 0; i < t->count && !s->failed; i++) {
            snprintf(name, sizeof name, "%.200s[%llu]", path, (unsigned long long)i);
            slot_members(s, t->elem, name, depth + 1);
        }
        break;
    case HMF__KIND_STRUCT:
    case HMF__KIND_UNION:
        for (uint32_t i = 0; i < t->nfields && !s->failed; i++) {
            const char *f = t->fields[i].name;
            char number[16];
            snprintf(number, sizeof number, "f%u", (unsigned)i);
            snprintf(name, sizeof name, "%.180s%s%.60s", path, path[0] != '\0' ? "." : "",
                     f != NULL && f[0] != '\0' ? f : number);
            slot_members(s, t->fields[i].type, name, depth + 1);
        }
        break;
    default:
        s->failed = true;
    }
}

static hid_t slots(const struct hmf__outline_dataset *d, const struct hmf__types *types,
                   uint64_t *columns)
{
    const struct hmf__type *t = &types->v[d->type];
    hid_t number = integer(d->size, false, types->abi.big_endian != 0);
    if (number < 0 || hmf__kind_refers(t->kind))
        return number;
    if (t->nslots <= NAMED_SLOTS_MAX) {
        struct slots s = {types, H5Tcreate(H5T_COMPOUND, (size_t)t->nslots * d->size), number,
                          d->size, 0, false};
        s.failed = s.compound < 0;
        H5E_BEGIN_TRY {
            slot_members(&s, d->type, "", 0);
        } H5E_END_TRY
        if (!s.failed && s.at == t->nslots * d->size) {
            H5Tclose(number);
            return s.compound;
        }
        if (s.compound >= 0)
            H5Tclose(s.compound);
    }
    *columns = t->nslots;
    return number;
}

/* ---- records of our own ---- */

static hid_t record(const struct hmf__outline_dataset *d)
{
    hid_t t = H5Tcreate(H5T_COMPOUND, d->size);
    for (size_t i = 0; i < d->nfields && t >= 0; i++) {
        const struct hmf__outline_field *f = &d->fields[i];
        hid_t m = f->text ? string(f->bytes) : integer(f->bytes, false, false);
        if (m < 0 || H5Tinsert(t, f->name, f->offset, m) < 0) {
            H5Tclose(t);
            t = -1;
        }
        if (m >= 0)
            H5Tclose(m);
    }
    return t;
}

hid_t hmf__h5type_of(const struct hmf__outline_dataset *d, const struct hmf__types *types,
                     uint64_t *columns)
{
    struct builder b = {types, 0, NULL};
    *columns = 1;
    switch (d->form) {
    case HMF__OUTLINE_VALUES:
        return build(&b, d->type, 0);
    case HMF__OUTLINE_SLOTS:
        return slots(d, types, columns);
    case HMF__OUTLINE_UINT:
        return integer(d->size, false, types->abi.big_endian != 0);
    case HMF__OUTLINE_RECORD:
        return record(d);
    case HMF__OUTLINE_BYTES:
        break;
    }
    return H5Tcopy(H5T_STD_U8LE);
}
