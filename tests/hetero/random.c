/* Random types and values, the same on every machine for the same seed: written on one, read and
 * compared on the next, which writes what it has read.
 *
 *   random write FOLDER NAME SEED COUNT        COUNT states into NAME.images; some as NAME.check.N/
 *   random pass FOLDER FROM TO SEED COUNT      reads those of FROM, compares, writes them as TO
 *
 * This program has its own idea of how structs are laid out, from offsetof of each basic type, and
 * walks memory by it: it uses nothing of the library's to know where a value lies. */
#include "config.h"

#include "base.h"
#include "carriers.h"
#include "hmf/function.h"
#include "hmf/type.h"
#include "typemap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

enum { MAX_FIELDS = 6, MAX_DESC = 4000, MAX_VARS = 5, MAX_BLOCKS = 40, EVERY = 8, BRANCHES = 3 };

/* ---- chance ---- */

static uint64_t chance;

static uint64_t draw(void)
{
    uint64_t z = chance += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int below(int n)
{
    return (int)(draw() % (uint64_t)n);
}

/* ---- basic types ---- */

enum domain { INTEGER, BITS, LDOUBLE, BOOLEAN };

/* bits: of the values drawn, sign included; what is `long` somewhere gets 32. */
struct basic { int number; enum domain domain; int bits; bool negative; size_t size, align; };

#define BASIC(number, type, domain, bits, negative)                                               \
    {number, domain, bits, negative, sizeof(type), offsetof(struct { char c_; type x_; }, x_)}

static const struct basic basics[] = {
    BASIC(typeCHAR, char, INTEGER, 7, false),
    BASIC(typeDOUBLE, double, BITS, 64, false),
    BASIC(typeFLOAT, float, BITS, 32, false),
    BASIC(typeINT, int, INTEGER, 32, true),
    BASIC(typeLONG, long, INTEGER, 32, true),
    BASIC(typeSHORT, short, INTEGER, 16, true),
    BASIC(typeUINT, unsigned, INTEGER, 32, false),
    BASIC(typeULONG, unsigned long, INTEGER, 32, false),
    BASIC(typeUSHORT, unsigned short, INTEGER, 16, false),
    BASIC(typeSCHAR, signed char, INTEGER, 8, true),
    BASIC(typeUCHAR, unsigned char, INTEGER, 8, false),
    BASIC(typeLLONG, long long, INTEGER, 64, true),
    BASIC(typeULLONG, unsigned long long, INTEGER, 64, false),
    BASIC(typeBOOL, bool, BOOLEAN, 1, false),
    BASIC(typeLDOUBLE, long double, LDOUBLE, 0, false),
    BASIC(typeINT8, int8_t, INTEGER, 8, true),
    BASIC(typeUINT16, uint16_t, INTEGER, 16, false),
    BASIC(typeINT32, int32_t, INTEGER, 32, true),
    BASIC(typeINT64, int64_t, INTEGER, 64, true),
    BASIC(typeUINT64, uint64_t, INTEGER, 64, false),
    BASIC(typeSIZE, size_t, INTEGER, 32, false),
    BASIC(typePTRDIFF, ptrdiff_t, INTEGER, 32, true),
    BASIC(typeWCHAR, wchar_t, INTEGER, 20, false),
    BASIC(typeTIME, time_t, INTEGER, 32, true),
    BASIC(typeENUM, int, INTEGER, 32, true),
};

/* ---- types ---- */

enum form {
    SCALAR, ARRAY, STRUCT, UNION, TEXT, OPAQUE, TRANSIENT, POINTER, COUNTED, STRING, FUNCTION,
    BITFIELDS, FLEXIBLE
};

/* What cannot be laid out by offsetof is laid out by the compiler. */
struct bitfields { unsigned a : 3; int b : 12; bool c : 1; short : 0; unsigned long long d : 40; short e : 5; };
struct flexible { signed char n; short v[]; };

struct type {
    enum form form;
    const struct basic *basic;
    int n;                             /* elements, bytes, fields; pointer: objects it leads to */
    int self;                          /* pointer: typeSELF of this number, or -1 */
    int counts;                        /* COUNTED, UNION: the field that says how many, or which */
    int expression;                    /* COUNTED: how that number is meant, see amount */
    int step;                          /* UNION: that field is a struct, and this one in it says; or -1 */
    int shift;                         /* UNION: branch i holds for (i + shift) % BRANCHES */
    struct type *elem;                 /* ARRAY, TRANSIENT, POINTER, COUNTED */
    struct type *field[MAX_FIELDS];
    bool packed, aligned[MAX_FIELDS], is_count[MAX_FIELDS], is_tag[MAX_FIELDS];
    size_t size, align, at[MAX_FIELDS];
};

static struct type *pool[20000];
static size_t npool;

static struct type *new_type(enum form form)
{
    struct type *t = calloc(1, sizeof *t);

    if (!t || npool == sizeof pool / sizeof pool[0])
        exit(3);
    pool[npool++] = t;
    t->form = form;
    t->self = -1;
    t->n = 1;
    return t;
}

struct within { struct type *s; const struct within *up; }; /* the structs around */

static struct type *make(int depth, const struct within *in);

static struct type *scalar(void)
{
    struct type *t = new_type(SCALAR);

    t->basic = &basics[below((int)(sizeof basics / sizeof basics[0]))];
    t->size = t->basic->size;
    t->align = t->basic->align;
    return t;
}

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static void lay_out(struct type *t)
{
    t->size = 0;
    t->align = 1;
    for (int i = 0; i < t->n; i++) {
        size_t a = t->packed ? 1 : t->field[i]->align;
        if (t->aligned[i] && a < 16)
            a = 16;
        t->at[i] = round_up(t->size, a);
        t->size = t->at[i] + t->field[i]->size;
        if (a > t->align)
            t->align = a;
    }
    t->size = round_up(t->size, t->align);
}

static struct type *pointer_to(enum form form, int depth, const struct within *in)
{
    struct type *t = new_type(form);
    int levels = 0;

    t->size = sizeof(void *);
    t->align = _Alignof(void *);
    for (const struct within *w = in; w; w = w->up)
        levels++;
    if (form == POINTER && levels && below(3) == 0) {
        t->self = below(levels);
        for (int i = 0; i < t->self; i++)
            in = in->up;
        t->elem = in->s;
    } else {
        if (form == POINTER && below(3) == 0)
            t->n = 1 + below(6);
        do
            t->elem = make(depth - 1, in);
        while (t->elem->form == ARRAY); /* its elements, as many as said before it */
    }
    return t;
}

/* Its branches lie in field. */
static struct type *choice(int depth, const struct within *in)
{
    struct type *t = new_type(UNION);

    t->n = BRANCHES;
    t->shift = below(BRANCHES);
    t->align = 1;
    for (int i = 0; i < t->n; i++) {
        t->field[i] = make(depth - 1, in);
        if (t->field[i]->align > t->align)
            t->align = t->field[i]->align;
        if (t->field[i]->size > t->size)
            t->size = t->field[i]->size;
    }
    t->size = round_up(t->size, t->align);
    return t;
}

/* A tag within a struct, as a message's head has it. */
static struct type *head(struct type *tag)
{
    struct type *t = new_type(STRUCT);
    int at = below(2);

    t->n = 2;
    t->field[at] = tag;
    t->is_tag[at] = true;
    t->field[!at] = scalar();
    lay_out(t);
    return t;
}

static struct type *structure(int depth, const struct within *in)
{
    struct type *t = new_type(STRUCT);
    struct within me = {t, in};
    int counts = -1, tags = -1;

    t->n = 1 + below(MAX_FIELDS);
    t->packed = below(5) == 0;
    for (int i = 0; i < t->n; i++) {
        struct type *f;
        if (counts >= 0 && depth > 0 && below(3) == 0) {
            f = pointer_to(COUNTED, depth, &me);
            f->counts = counts;
            f->expression = below(5);
        } else if (tags >= 0 && depth > 0 && below(2) == 0) {
            f = choice(depth, &me);
            f->counts = tags;
            f->step = t->field[tags]->form == STRUCT ? t->field[tags]->is_tag[1] : -1;
        } else if (below(12) == 0) {
            f = new_type(TRANSIENT);
            f->elem = scalar();
            f->size = f->elem->size;
            f->align = f->elem->align;
        } else {
            f = make(depth - 1, &me);
        }
        if ((counts < 0 || tags < 0) && f->form == SCALAR && f->basic->domain == INTEGER &&
            f->basic->number != typeENUM && f->basic->number != typeCHAR &&
            f->basic->number != typeWCHAR && below(2)) {
            t->is_count[i] = counts < 0 && (tags >= 0 || below(2));
            t->is_tag[i] = !t->is_count[i];
            *(t->is_count[i] ? &counts : &tags) = i;
            if (t->is_tag[i] && below(2))
                f = head(f);
        }
        t->aligned[i] = !t->packed && below(10) == 0;
        t->field[i] = f;
    }
    lay_out(t);
    return t;
}

static struct type *make(int depth, const struct within *in)
{
    int kind = below(depth > 0 ? 16 : 8);
    struct type *t;

    if (kind == 6 && below(3) == 0) {
        t = new_type(BITFIELDS);
        t->size = sizeof(struct bitfields);
        t->align = _Alignof(struct bitfields);
    } else if (kind == 6) {
        t = new_type(below(2) ? TEXT : OPAQUE);
        t->n = 1 + below(9);
        t->size = (size_t)t->n;
        t->align = 1;
    } else if (kind == 7) {
        t = new_type(below(3) ? STRING : below(2) ? FUNCTION : FLEXIBLE);
        t->size = sizeof(void *);
        t->align = _Alignof(void *);
    } else if (kind < 8) {
        t = scalar();
    } else if (kind < 11) {
        t = new_type(ARRAY);
        t->n = 1 + below(4);
        t->elem = make(depth - 1, in);
        t->size = (size_t)t->n * t->elem->size;
        t->align = t->elem->align;
    } else if (kind < 14) {
        t = structure(depth, in);
    } else {
        t = pointer_to(POINTER, depth, in);
    }
    return t;
}

/* ---- their descriptions ---- */

static int desc[MAX_DESC];
static size_t ndesc;

static void say(int number)
{
    if (ndesc == MAX_DESC)
        exit(3);
    desc[ndesc++] = number;
}

/* The length of a counted pointer: of what the field holds, one of these. */
static int amount(int expression, int count)
{
    switch (expression) {
    case 1: return 2 * count;
    case 2: return count + 1;
    case 3: return (7 - count + count) / 2; /* 3 */
    case 4: return count * count - count + 1;
    default: return count;
    }
}

static void say_amount(int expression, int field)
{
    switch (expression) {
    case 1: say(typeMUL); say(typeNUMBER); say(2); say(field); break;
    case 2: say(typeADD); say(typePATH); say(1); say(field); say(typeNUMBER); say(1); break;
    case 3:
        say(typeDIV);
        say(typeADD); say(typeSUB); say(typeNUMBER); say(7); say(field); say(field);
        say(typeNUMBER); say(2);
        break;
    case 4:
        say(typeADD);
        say(typeSUB); say(typeMUL); say(field); say(field); say(field);
        say(typeNUMBER); say(1);
        break;
    default: say(field);
    }
}

static void describe(const struct type *t)
{
    switch (t->form) {
    case SCALAR: say(t->basic->number); break;
    case ARRAY: say(typeARRAY); say(t->n); describe(t->elem); break;
    case TEXT: say(typeFSTRING); say(t->n); break;
    case OPAQUE: say(typeOPAQUE); say(t->n); break;
    case TRANSIENT: say(typeTRANSIENT); describe(t->elem); break;
    case STRING: say(typePOINTER); say(typeCSTRING); break;
    case FUNCTION: say(typeFUNCTION); break;
    case POINTER:
        say(typePOINTER);
        if (t->n > 1) {
            say(typeARRAY);
            say(t->n);
        }
        if (t->self >= 0) {
            say(typeSELF);
            say(t->self);
        } else {
            describe(t->elem);
        }
        break;
    case COUNTED:
        say(typeCOUNTED);
        say_amount(t->expression, t->counts);
        describe(t->elem);
        break;
    case BITFIELDS:
        say(-6);
        say(typeBITS); say(3); say(typeUINT);
        say(typeBITS); say(12); say(typeINT);
        say(typeBITS); say(1); say(typeBOOL);
        say(typeBITS); say(0); say(typeSHORT);
        say(typeBITS); say(40); say(typeULLONG);
        say(typeBITS); say(5); say(typeSHORT);
        break;
    case FLEXIBLE:
        say(typePOINTER);
        say(-2);
        say(typeSCHAR);
        say(typeFLEX);
        say(0);
        say(typeSHORT);
        break;
    case UNION:
        say(typeUNION);
        if (t->step >= 0) {
            say(typePATH);
            say(2);
        }
        say(t->counts);
        if (t->step >= 0)
            say(t->step);
        say(t->n);
        for (int i = 0; i < t->n; i++) {
            say((i + t->shift) % BRANCHES);
            describe(t->field[i]);
        }
        break;
    case STRUCT:
        if (t->packed)
            say(typePACKED);
        say(-t->n);
        for (int i = 0; i < t->n; i++) {
            if (t->aligned[i]) {
                say(typeALIGNED);
                say(t->field[i]->align > 16 ? (int)t->field[i]->align : 16);
            }
            describe(t->field[i]);
        }
    }
}

/* ---- values: put there or compared, in the same order ---- */

static int f1(void) { return 1; }
static int f2(void) { return 2; }
static int (*const functions[])(void) = {f1, f2, NULL};

struct block { const struct type *type; int n; char *at; size_t len; };

static struct {
    bool fill;
    struct block block[MAX_BLOCKS + 16];
    int nblocks, done;
    int wrong;
    char where[200];
} w;

static void wrong(const char *what)
{
    if (!w.wrong++)
        printf("in %s: %s\n", w.where, what);
}

static void bytes(char *at, const void *value, size_t n, const char *what)
{
    if (w.fill)
        memcpy(at, value, n);
    else if (memcmp(at, value, n))
        wrong(what);
}

static void put_integer(char *at, const struct basic *b, uint64_t v)
{
    uint8_t v1 = (uint8_t)v;
    uint16_t v2 = (uint16_t)v;
    uint32_t v4 = (uint32_t)v;

    bytes(at, b->size == 1 ? (void *)&v1 : b->size == 2 ? (void *)&v2 : b->size == 4 ? (void *)&v4 : &v,
          b->size, "an integer");
}

static void value(char *at, const struct basic *b)
{
    uint64_t v = draw();
    long double ld;
    double d;
    float f;

    switch (b->domain) {
    case INTEGER:
        if (b->bits < 64)
            v &= ((uint64_t)1 << b->bits) - 1;
        if (b->negative && v >> (b->bits - 1) & 1 && b->bits < 64)
            v |= ~(uint64_t)0 << b->bits;
        put_integer(at, b, v);
        break;
    case BOOLEAN: put_integer(at, b, v & 1); break;
    case BITS:
        if (b->size == 4) {
            uint32_t bits = (uint32_t)v;
            memcpy(&f, &bits, 4);
            bytes(at, &bits, 4, "a float");
        } else {
            bytes(at, &v, 8, "a double");
        }
        break;
    case LDOUBLE: /* any finite double is exact in all formats, if its bits are not below a double's */
        v &= ~(UINT64_C(0x7ff) << 52);
        v |= (uint64_t)(512 + below(1024)) << 52;
        memcpy(&d, &v, 8);
        if (w.fill) {
            ld = d;
            memcpy(at, &ld, sizeof ld);
        } else {
            memcpy(&ld, at, sizeof ld);
            if (ld != d)
                wrong("a long double");
        }
    }
}

static char *get_pointer(const char *at)
{
    char *p;

    memcpy(&p, at, sizeof p);
    return p;
}

static void pointer(char *at, const struct type *elem, int n, size_t len)
{
    int choice = below(8), shared = -1, skip = 0;
    char *p = NULL;

    if (choice < 3 && w.nblocks) { /* one that is there already, if it is large enough */
        int from = below(w.nblocks);
        for (int i = 0; i < w.nblocks && shared < 0; i++) {
            const struct block *b = &w.block[(from + i) % w.nblocks];
            if (b->type == elem && b->n >= n && b->len == len)
                shared = (from + i) % w.nblocks;
        }
        if (shared >= 0)
            skip = below(w.block[shared].n - n + 1);
    }
    if (shared >= 0) {
        p = w.block[shared].at + (size_t)skip * len;
    } else if (choice == 7 || w.nblocks >= MAX_BLOCKS) {
        p = NULL;
    } else {
        p = w.fill ? calloc((size_t)n, len) : get_pointer(at);
        if (!p) {
            wrong("a pointer that is NULL now");
            return;
        }
        for (int i = 0; i < w.nblocks; i++)
            if (w.block[i].at == p)
                wrong("a pointer that leads to something else's memory");
        w.block[w.nblocks++] = (struct block){elem, n, p, len};
    }
    bytes(at, &p, sizeof p, "a pointer");
}

static void string(char *at)
{
    char text[24];
    int len = below(sizeof text - 1);
    char *p;

    for (int i = 0; i < len; i++)
        text[i] = (char)(1 + below(255));
    text[len] = 0;
    if (below(6) == 0) {
        p = NULL;
        bytes(at, &p, sizeof p, "a string that was NULL");
        return;
    }
    if (w.fill) {
        p = strdup(text);
        memcpy(at, &p, sizeof p);
    } else if (!(p = get_pointer(at)) || strcmp(p, text)) {
        wrong("a string");
    }
}

static void bitfields(char *at)
{
    struct bitfields b, want;

    memset(&want, 0, sizeof want);
    want.a = (unsigned)draw() % 8;
    want.b = below(4096) - 2048;
    want.c = draw() % 2;
    want.d = draw() & ((UINT64_C(1) << 40) - 1);
    want.e = (short)(below(32) - 16);
    if (w.fill) {
        memcpy(at, &want, sizeof want);
        return;
    }
    memcpy(&b, at, sizeof b);
    if (b.a != want.a || b.b != want.b || b.c != want.c || b.d != want.d || b.e != want.e)
        wrong("a bit-field");
}

static void flexible(char *at)
{
    int n = below(7);
    struct flexible *p = NULL;

    if (n == 6) {
        bytes(at, &p, sizeof p, "a pointer that was NULL");
        return;
    }
    if (w.fill) {
        p = calloc(1, sizeof *p + (size_t)n * sizeof p->v[0] + 2);
        p->n = (signed char)n;
        memcpy(at, &p, sizeof p);
    } else if (!(p = (struct flexible *)(void *)get_pointer(at)) || p->n != n) {
        wrong("a struct with a flexible array member");
        return;
    }
    for (int i = 0; i < n; i++) {
        short v = (short)(below(65536) - 32768);
        bytes((char *)&p->v[i], &v, sizeof v, "an element behind a struct");
    }
}

static void walk(char *at, const struct type *t)
{
    int (*fn)(void);

    switch (t->form) {
    case SCALAR: value(at, t->basic); break;
    case ARRAY:
        for (int i = 0; i < t->n; i++)
            walk(at + (size_t)i * t->elem->size, t->elem);
        break;
    case TEXT:
    case OPAQUE:
        for (int i = 0; i < t->n; i++) {
            char c = (char)draw();
            bytes(at + i, &c, 1, "a byte");
        }
        break;
    case TRANSIENT: {
        char zero[64] = "";
        if (w.fill)
            memset(at, 0x33, t->size);
        else
            bytes(at, zero, t->size, "a transient field");
        break;
    }
    case STRING: string(at); break;
    case BITFIELDS: bitfields(at); break;
    case FLEXIBLE: flexible(at); break;
    case FUNCTION:
        fn = functions[below(3)];
        bytes(at, &fn, sizeof fn, "a function");
        break;
    case POINTER: pointer(at, t->elem, t->n, t->elem->size); break;
    case COUNTED:
    case UNION: break; /* the struct does it, which has the count or tag */
    case STRUCT: {
        int count = 1 + below(6), tag = below(BRANCHES);
        for (int i = 0; i < t->n; i++) {
            const struct type *f = t->field[i];
            if (t->is_tag[i] && f->form == STRUCT)
                for (int k = 0; k < f->n; k++)
                    if (f->is_tag[k])
                        put_integer(at + t->at[i] + f->at[k], f->field[k]->basic, (uint64_t)tag);
                    else
                        walk(at + t->at[i] + f->at[k], f->field[k]);
            else if (t->is_count[i] || t->is_tag[i])
                put_integer(at + t->at[i], f->basic, (uint64_t)(t->is_tag[i] ? tag : count));
            else if (f->form == UNION)
                walk(at + t->at[i], f->field[(tag + BRANCHES - f->shift) % BRANCHES]);
            else if (f->form == COUNTED)
                pointer(at + t->at[i], f->elem, amount(f->expression, count), f->elem->size);
            else
                walk(at + t->at[i], f);
        }
    }
    }
}

/* ---- one state ---- */

struct variable { char name[16]; struct type *type; int n; char *at; };

static struct variable vars[MAX_VARS];
static int nvars;
static hmf_state_t *state;

static void fail(const char *what)
{
    printf("in %s: %s: %s\n", w.where, what, hmf_error_text());
    exit(1);
}

static void make_state(void)
{
    if (hmf_state_new(&state) != HMF_OK)
        fail("state");
    nvars = 1 + below(MAX_VARS);
    for (int i = 0; i < nvars; i++) {
        struct variable *v = &vars[i];
        size_t size;
        snprintf(v->name, sizeof v->name, "v%d", i);
        v->type = make(4, NULL);
        v->n = 1 + below(3);
        ndesc = 0;
        describe(v->type);
        if (hmf_type_check(desc, ndesc, &size) != HMF_OK)
            fail("description");
        if (size != v->type->size) {
            printf("in %s, %s: %zu bytes, but the library says %zu\n", w.where, v->name, v->type->size,
                   size);
            exit(1);
        }
        v->at = malloc((size_t)v->n * size);
        memset(v->at, 0x55, (size_t)v->n * size);
        if (hmf_state_add(state, v->name, v->at, (size_t)v->n * size, desc, ndesc, NULL) != HMF_OK)
            fail("registration");
    }
}

static void walk_state(bool fill, uint64_t seed)
{
    chance = seed;
    w.fill = fill;
    w.nblocks = w.done = w.wrong = 0;
    for (int i = 0; i < nvars; i++)
        for (int k = 0; k < vars[i].n; k++)
            walk(vars[i].at + (size_t)k * vars[i].type->size, vars[i].type);
    while (w.done < w.nblocks && !w.wrong) {
        struct block b = w.block[w.done++];
        for (int k = 0; k < b.n; k++)
            walk(b.at + (size_t)k * b.len, b.type);
    }
}

static void drop_state(void)
{
    hmf_state_free(state);
    for (int i = 0; i < nvars; i++)
        free(vars[i].at);
    for (size_t i = 0; i < npool; i++)
        free(pool[i]);
    npool = 0;
}

static int open_file(const char *folder, const char *name, int flags)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/%s.images", folder, name);
    fd = open(path, flags, 0644);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

#ifdef HETERO_HDF5
static const char *check_dir(const char *folder, const char *name, int i)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/%s.check.%d", folder, name, i);
    return path;
}
#endif

int main(int argc, char **argv)
{
    bool pass = argc == 7 && !strcmp(argv[1], "pass");
    const char *folder = argv[2], *from = argv[3];

    if (!pass && !(argc == 6 && !strcmp(argv[1], "write"))) {
        fprintf(stderr, "usage: random write FOLDER NAME SEED COUNT | pass FOLDER FROM TO SEED COUNT\n");
        return 2;
    }
    const char *to = argv[pass ? 4 : 3];
    uint64_t seed = strtoull(argv[pass ? 5 : 4], NULL, 10);
    int count = atoi(argv[pass ? 6 : 5]), in = pass ? open_file(folder, from, O_RDONLY) : -1;
    int out = open_file(folder, to, O_WRONLY | O_CREAT | O_TRUNC);

    if (hmf_function_define("f1", (hmf_function_t)f1) || hmf_function_define("f2", (hmf_function_t)f2))
        fail("functions");
    for (int i = 0; i < count; i++) {
        bool disk = i % EVERY == 0;
        chance = seed + (uint64_t)i * 1000003;
        snprintf(w.where, sizeof w.where, "state %d of seed %" PRIu64, i, seed);
        make_state();
        uint64_t values = draw();
        if (!pass) {
            walk_state(true, values);
        } else {
            if (get_stream(state, in) != HMF_OK)
                fail("reading the image");
            walk_state(false, values);
#ifdef HETERO_HDF5
            if (disk && !w.wrong && !access(check_dir(folder, from, i), F_OK)) {
                if (get_check(state, check_dir(folder, from, i)) != HMF_OK)
                    fail("reading the checkpoint");
                walk_state(false, values);
            }
#endif
        }
        if (w.wrong) {
            printf("in %s: %d values differ\n", w.where, w.wrong);
            return 1;
        }
        if (put_stream(state, out) != HMF_OK)
            fail("writing the image");
#ifdef HETERO_HDF5
        if (disk && put_check(state, check_dir(folder, to, i)) != HMF_OK)
            fail("writing the checkpoint");
#else
        (void)disk;
#endif
        drop_state();
    }
    return 0;
}
