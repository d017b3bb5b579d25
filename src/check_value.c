/*
 * Values as text, and comparison of values; see check_value.h.
 */
#include "config.h"

#include "check_value.h"

#include "bits.h"
#include "convert.h"
#include "depend.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 64
#define ARRAY_SHOWN 16                  /* elements of an array within a row */
#define BYTES_SHOWN 32                  /* of opaque values */
#define LEAF_TEXT 256

static bool swapped(const struct hmf__types *types)
{
    struct hmf__abi native;
    hmf__abi_native(&native);
    return native.big_endian != types->abi.big_endian;
}

static long double real_of(const struct hmf__types *types, uint64_t size, const unsigned char *p)
{
    uint64_t bits;
    float f;
    double d;
    if (size == 4) {
        uint32_t half = (uint32_t)hmf__convert_load(4, false, swapped(types), (const char *)p);
        memcpy(&f, &half, 4);
        return f;
    }
    if (size == 8) {
        bits = hmf__convert_load(8, false, swapped(types), (const char *)p);
        memcpy(&d, &bits, 8);
        return d;
    }
    struct hmf__abi native;
    long double value = 0;
    hmf__abi_native(&native);
    hmf__convert_ldouble(&types->abi, (const char *)p, (size_t)size, &native, (char *)&value,
                         sizeof value, 1);
    return value;
}

static void real_text(uint64_t size, long double v, char *text, size_t len)
{
    snprintf(text, len, size == 4 ? "%.9Lg" : size == 8 ? "%.17Lg" : "%.36Lg", v);
}

static void string_text(const unsigned char *p, uint64_t n, char *text, size_t len)
{
    size_t used = 0;
    text[used++] = '"';
    for (uint64_t i = 0; i < n && p[i] != 0 && used + 8 < len; i++) {
        if (p[i] == '"' || p[i] == '\\')
            used += (size_t)snprintf(text + used, len - used, "\\%c", p[i]);
        else if (p[i] < 0x20 || p[i] == 0x7f)
            used += (size_t)snprintf(text + used, len - used, "\\%03o", p[i]);
        else
            text[used++] = (char)p[i];
    }
    text[used++] = '"';
    text[used] = '\0';
}

static void integer_text(bool is_signed, uint64_t n, char *text, size_t len)
{
    if (is_signed)
        snprintf(text, len, "%" PRId64, (int64_t)n);
    else
        snprintf(text, len, "%" PRIu64, n);
}

/* Any leaf but a pointer. */
static void leaf_text(const struct hmf__types *types, uint32_t index, const unsigned char *p,
                      char *text, size_t len)
{
    const struct hmf__type *t = &types->v[index];
    uint64_t n;
    char re[64], im[64];
    switch (t->kind) {
    case HMF__KIND_INT:
        if (t->size > 8)
            break;
        n = hmf__convert_load((unsigned)t->size, t->is_signed, swapped(types), (const char *)p);
        integer_text(t->is_signed, n, text, len);
        return;
    case HMF__KIND_FLOAT:
        real_text(t->size, real_of(types, t->size, p), text, len);
        return;
    case HMF__KIND_COMPLEX:
        real_text(t->size / 2, real_of(types, t->size / 2, p), re, sizeof re);
        real_text(t->size / 2, real_of(types, t->size / 2, p + t->size / 2), im, sizeof im);
        snprintf(text, len, "(%s, %s)", re, im);
        return;
    case HMF__KIND_FSTRING:
        string_text(p, t->count, text, len);
        return;
    case HMF__KIND_CSTRING:
        string_text(p, 1, text, len);
        return;
    default:
        break;
    }
    n = t->size < BYTES_SHOWN ? t->size : BYTES_SHOWN;
    int used = snprintf(text, len, "0x");
    for (uint64_t i = 0; i < n && (size_t)used + 3 < len; i++)
        used += snprintf(text + used, len - (size_t)used, "%02x", p[i]);
    if (n < t->size)
        snprintf(text + used, len - (size_t)used, "...");
}

/* The structs around the place in a row that is looked at. */
struct spot {
    const struct hmf__types *types;
    const unsigned char *row;
    struct hmf__around around[MAX_DEPTH + 1];
    int n;
};

static uint64_t bits_of(const struct hmf__types *types, const struct hmf__field *f,
                        const unsigned char *p)
{
    const struct hmf__type *t = &types->v[f->type];
    return hmf__bits_load(types->abi.big_endian, p + f->offset, (unsigned)f->value,
                          (unsigned)t->count, t->is_signed);
}

static void enter(struct spot *s, uint32_t index, const unsigned char *p)
{
    if (s->n <= MAX_DEPTH)
        s->around[s->n] = (struct hmf__around){index, (uint64_t)(p - s->row)};
    s->n++;
}

/* The branch of a union that holds in this row; HMF__NO_BRANCH: none, or it cannot be told. */
static uint32_t branch_of(const struct spot *s, uint32_t index, const unsigned char *p)
{
    struct hmf__place place;
    if (s->n > MAX_DEPTH || !hmf__depend_union(s->types, s->around, s->n, index,
                                               (uint64_t)(p - s->row), &place))
        return HMF__NO_BRANCH;
    return hmf__depend_choose(&s->types->v[index],
                              hmf__depend_load(&place, s->types->abi.big_endian, s->row));
}

/* Pointers in the fields of a union before or from `field` on. */
static uint64_t slots_of(const struct hmf__types *types, const struct hmf__type *t, uint32_t from,
                         uint32_t to)
{
    uint64_t n = 0;
    for (uint32_t i = from; i < to && i < t->nfields; i++)
        n += types->v[t->fields[i].type].nslots;
    return n;
}

/* ---- text of a row ---- */

struct printer {
    const struct hmf__types *types;
    hmf__value_pointer *pointer;
    void *ctx;
    uint64_t slot;
    char *text;
    size_t len, used;
    struct spot spot;
};

__attribute__((format(printf, 2, 3)))
static void put(struct printer *o, const char *fmt, ...)
{
    if (o->used + 1 >= o->len)
        return;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(o->text + o->used, o->len - o->used, fmt, ap);
    va_end(ap);
    if (n > 0)
        o->used += (size_t)n;
    if (o->used >= o->len) {
        o->used = o->len - 1;
        if (o->len > 4)
            memcpy(o->text + o->len - 4, "...", 4);
    }
}

static void print(struct printer *o, uint32_t index, const unsigned char *p, int depth);

static void print_field(struct printer *o, const struct hmf__field *f, const unsigned char *p,
                        int depth)
{
    char leaf[LEAF_TEXT];
    const struct hmf__type *t = &o->types->v[f->type];
    if (f->name != NULL && f->name[0] != '\0')
        put(o, "%s=", f->name);
    if (t->kind == HMF__KIND_BITS) {
        integer_text(t->is_signed, bits_of(o->types, f, p), leaf, sizeof leaf);
        put(o, "%s", leaf);
    } else if (t->kind == HMF__KIND_FLEX) {
        o->pointer(o->ctx, HMF__VALUE_TAIL, leaf, sizeof leaf);
        put(o, "%s", leaf);
    } else {
        print(o, f->type, p + f->offset, depth + 1);
    }
}

static bool shows_nothing(const struct hmf__types *types, const struct hmf__field *f)
{
    return types->v[f->type].kind == HMF__KIND_BITS && types->v[f->type].unnamed;
}

static void print(struct printer *o, uint32_t index, const unsigned char *p, int depth)
{
    char leaf[LEAF_TEXT];
    const struct hmf__type *t = &o->types->v[index];
    uint64_t shown, slots;
    if (depth > MAX_DEPTH || o->used + 1 >= o->len)
        return;
    switch (t->kind) {
    case HMF__KIND_STRUCT:
        put(o, "{");
        enter(&o->spot, index, p);
        for (uint32_t i = 0, n = 0; i < t->nfields; i++) {
            if (shows_nothing(o->types, &t->fields[i]))
                continue;
            put(o, "%s", n++ != 0 ? ", " : "");
            print_field(o, &t->fields[i], p, depth);
        }
        o->spot.n--;
        put(o, "}");
        break;
    case HMF__KIND_UNION: {
        uint32_t branch = branch_of(&o->spot, index, p);
        o->slot += slots_of(o->types, t, 0, branch);
        put(o, "{");
        if (branch == HMF__NO_BRANCH)
            put(o, "?");
        else
            print_field(o, &t->fields[branch], p, depth);
        put(o, "}");
        o->slot += branch == HMF__NO_BRANCH ? 0 : slots_of(o->types, t, branch + 1, t->nfields);
        break;
    }
    case HMF__KIND_ARRAY:
        shown = t->count < ARRAY_SHOWN ? t->count : ARRAY_SHOWN;
        if (t->size == 0)
            shown = 0;
        slots = o->types->v[t->elem].nslots;
        put(o, "[");
        for (uint64_t i = 0; i < shown; i++) {
            put(o, "%s", i != 0 ? ", " : "");
            print(o, t->elem, p + i * o->types->v[t->elem].size, depth + 1);
        }
        if (shown < t->count)
            put(o, ", ... %" PRIu64 " more", t->count - shown);
        put(o, "]");
        o->slot += (t->count - shown) * slots;
        break;
    case HMF__KIND_POINTER:
    case HMF__KIND_FUNCTION:
    case HMF__KIND_HANDLE:
        o->pointer(o->ctx, o->slot++, leaf, sizeof leaf);
        put(o, "%s", leaf);
        break;
    default:
        leaf_text(o->types, index, p, leaf, sizeof leaf);
        put(o, "%s", leaf);
    }
}

void hmf__value_text(const struct hmf__types *types, uint32_t type, const unsigned char *row,
                     hmf__value_pointer *pointer, void *ctx, char *text, size_t len)
{
    struct printer o = {types, pointer, ctx, 0, text, len, 0, {.types = types, .row = row}};
    text[0] = '\0';
    print(&o, type, row, 0);
}

/* ---- comparison ---- */

struct comparison {
    const struct hmf__value_side *a, *b;
    long double absolute, relative;
    hmf__value_differs *differs;
    void *ctx;
    uint64_t slot_a, slot_b, found;
    struct spot in_a, in_b;
    char path[512];
};

static void report(struct comparison *c, const char *a, const char *b)
{
    c->found++;
    c->differs(c->ctx, c->path, a, b);
}

static bool near_enough(const struct comparison *c, long double x, long double y)
{
    if (x == y || (isnan(x) && isnan(y)))
        return true;
    if (!isfinite(x) || !isfinite(y))
        return false;
    return fabsl(x - y) <= c->absolute + c->relative * fmaxl(fabsl(x), fabsl(y));
}

static bool leaves_equal(const struct comparison *c, uint32_t ia, const unsigned char *pa,
                         uint32_t ib, const unsigned char *pb)
{
    const struct hmf__type *a = &c->a->types->v[ia], *b = &c->b->types->v[ib];
    const struct hmf__types *ta = c->a->types, *tb = c->b->types;
    uint64_t half_a = a->size / 2, half_b = b->size / 2;
    switch (a->kind) {
    case HMF__KIND_INT: {
        uint64_t x = hmf__convert_load((unsigned)a->size, a->is_signed, swapped(ta),
                                       (const char *)pa);
        uint64_t y = hmf__convert_load((unsigned)b->size, b->is_signed, swapped(tb),
                                       (const char *)pb);
        /* equal bits of unlike signedness are equal numbers unless they read as negative */
        return x == y && (a->is_signed == b->is_signed || (int64_t)x >= 0);
    }
    case HMF__KIND_FLOAT:
        return near_enough(c, real_of(ta, a->size, pa), real_of(tb, b->size, pb));
    case HMF__KIND_COMPLEX:
        return near_enough(c, real_of(ta, half_a, pa), real_of(tb, half_b, pb))
            && near_enough(c, real_of(ta, half_a, pa + half_a), real_of(tb, half_b, pb + half_b));
    default:
        return a->size == b->size && memcmp(pa, pb, (size_t)a->size) == 0;
    }
}

static void compare(struct comparison *c, uint32_t ia, const unsigned char *pa, uint32_t ib,
                    const unsigned char *pb, int depth);

static void compare_fields(struct comparison *c, const struct hmf__field *f,
                           const unsigned char *pa, const struct hmf__field *g,
                           const unsigned char *pb, int depth)
{
    size_t len = strlen(c->path);
    const struct hmf__type *a = &c->a->types->v[f->type], *b = &c->b->types->v[g->type];
    char x[LEAF_TEXT], y[LEAF_TEXT];
    if (f->name != NULL && f->name[0] != '\0')
        snprintf(c->path + len, sizeof c->path - len, ".%s", f->name);
    if (a->kind == HMF__KIND_BITS && b->kind == HMF__KIND_BITS) {
        integer_text(a->is_signed, bits_of(c->a->types, f, pa), x, sizeof x);
        integer_text(b->is_signed, bits_of(c->b->types, g, pb), y, sizeof y);
        if (!a->unnamed && strcmp(x, y) != 0)
            report(c, x, y);
    } else if (a->kind != HMF__KIND_FLEX || b->kind != HMF__KIND_FLEX) {
        /* what is behind a row is compared in its own table */
        compare(c, f->type, pa + f->offset, g->type, pb + g->offset, depth + 1);
    }
    c->path[len] = '\0';
}

/* Two unions: by the branch that holds in both. */
static void compare_unions(struct comparison *c, uint32_t ia, const unsigned char *pa, uint32_t ib,
                           const unsigned char *pb, int depth)
{
    const struct hmf__type *a = &c->a->types->v[ia], *b = &c->b->types->v[ib];
    uint32_t k = branch_of(&c->in_a, ia, pa), m = branch_of(&c->in_b, ib, pb);
    uint64_t slot_a = c->slot_a + a->nslots, slot_b = c->slot_b + b->nslots;
    if (k != m) {
        report(c, k == HMF__NO_BRANCH ? "?" : a->fields[k].name,
               m == HMF__NO_BRANCH ? "?" : b->fields[m].name);
    } else if (k != HMF__NO_BRANCH) {
        c->slot_a += slots_of(c->a->types, a, 0, k);
        c->slot_b += slots_of(c->b->types, b, 0, k);
        compare_fields(c, &a->fields[k], pa, &b->fields[k], pb, depth);
    }
    c->slot_a = slot_a;
    c->slot_b = slot_b;
}

static void compare(struct comparison *c, uint32_t ia, const unsigned char *pa, uint32_t ib,
                    const unsigned char *pb, int depth)
{
    const struct hmf__type *a = &c->a->types->v[ia], *b = &c->b->types->v[ib];
    char x[LEAF_TEXT], y[LEAF_TEXT];
    size_t len = strlen(c->path);
    if (depth > MAX_DEPTH)
        return;
    if (a->kind != b->kind || a->nfields != b->nfields
        || (a->kind == HMF__KIND_ARRAY && a->count != b->count)) {
        hmf__type_text(c->a->types, ia, x, sizeof x);
        hmf__type_text(c->b->types, ib, y, sizeof y);
        report(c, x, y);
        c->slot_a += a->nslots;
        c->slot_b += b->nslots;
        return;
    }
    switch (a->kind) {
    case HMF__KIND_STRUCT:
        enter(&c->in_a, ia, pa);
        enter(&c->in_b, ib, pb);
        for (uint32_t i = 0; i < a->nfields; i++)
            compare_fields(c, &a->fields[i], pa, &b->fields[i], pb, depth);
        c->in_a.n--;
        c->in_b.n--;
        break;
    case HMF__KIND_UNION:
        compare_unions(c, ia, pa, ib, pb, depth);
        break;
    case HMF__KIND_ARRAY:
        for (uint64_t i = 0; i < a->count && a->size != 0 && b->size != 0; i++) {
            snprintf(c->path + len, sizeof c->path - len, "[%" PRIu64 "]", i);
            compare(c, a->elem, pa + i * c->a->types->v[a->elem].size, b->elem,
                    pb + i * c->b->types->v[b->elem].size, depth + 1);
        }
        break;
    case HMF__KIND_POINTER:
    case HMF__KIND_FUNCTION:
    case HMF__KIND_HANDLE:
        c->a->pointer(c->a->ctx, c->slot_a++, x, sizeof x);
        c->b->pointer(c->b->ctx, c->slot_b++, y, sizeof y);
        if (strcmp(x, y) != 0)
            report(c, x, y);
        break;
    default:
        if (!leaves_equal(c, ia, pa, ib, pb)) {
            leaf_text(c->a->types, ia, pa, x, sizeof x);
            leaf_text(c->b->types, ib, pb, y, sizeof y);
            report(c, x, y);
        }
    }
    c->path[len] = '\0';
}

uint64_t hmf__value_compare(const struct hmf__value_side *a, const struct hmf__value_side *b,
                            double absolute, double relative, hmf__value_differs *differs,
                            void *ctx)
{
    struct comparison c = {.a = a, .b = b, .absolute = absolute, .relative = relative,
                           .differs = differs, .ctx = ctx,
                           .in_a = {.types = a->types, .row = a->row},
                           .in_b = {.types = b->types, .row = b->row}};
    compare(&c, a->type, a->row, b->type, b->row, 0);
    return c.found;
}
