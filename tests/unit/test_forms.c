/* Unions with their discriminants, bit-fields, flexible array members: on this machine and from
 * images of others, value by value. */
#include "config.h"

#include "bits.h"
#include "foreign.h"
#include "hmf/type.h"
#include "typemap.h"

#include "pair.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Take a, turn it into each machine's image, give it to b, and look. */
static void from_everywhere(const struct foreign_var *vars, void (*look)(void))
{
    struct carried c;

    for (int i = -1; i < FOREIGN_ABIS; i++) {
        GOOD(carry_take(a, &c));
        if (i >= 0)
            GOOD(foreign_turn(&c, &foreign_abis[i], vars));
        GOOD(carry_give(&c, b));
        carry_drop(&c);
        look();
    }
}

/* ---- unions ---- */

struct value {
    short kind;
    union {
        long i;
        double d;
        char *text;
        struct {
            char c;
            struct value *next;
            short s;
        } pair;
        unsigned char raw[3];
    } u;
};
static const int d_value[] = {-2, typeSHORT, typeUNIONELSE, 0, 4, 0, typeLONG, 1, typeDOUBLE, 7,
                              typePOINTER, typeCSTRING, -3, -3, typeCHAR, typePOINTER, typeSELF, 1,
                              typeSHORT, typeARRAY, 3, typeUCHAR};

static struct value values[8], values2[8];
static short *into, *into2;
static const int d_into[] = {typePOINTER, typeSHORT};

static void look_values(void)
{
    CU_ASSERT(values2[0].kind == 0 && values2[0].u.i == -77);
    CU_ASSERT(values2[1].kind == 1 && values2[1].u.d == 0.1);
    CU_ASSERT(values2[2].kind == 7);
    CU_ASSERT_STRING_EQUAL(values2[2].u.text, "text");
    CU_ASSERT(values2[3].kind == -3 && values2[3].u.pair.c == 'p' && values2[3].u.pair.s == 9);
    CU_ASSERT(values2[3].u.pair.next->kind == 1 && values2[3].u.pair.next->u.d == 2.5);
    CU_ASSERT(values2[4].kind == 99 && !memcmp(values2[4].u.raw, "\1\2\3", 3));
    CU_ASSERT_PTR_EQUAL(values2[5].u.pair.next, &values2[5]);
    CU_ASSERT_PTR_EQUAL(into2, &values2[3].u.pair.s);
    free(values2[2].u.text);
    free(values2[3].u.pair.next);
    memset(values2, 0xee, sizeof values2);
}

static void unions(void)
{
    struct value heap = {1, {.d = 2.5}};
    static char text[] = "text";
    hmf_image_t *image;
    static const struct foreign_var vars[] = {{d_value, LEN(d_value)}, {d_into, LEN(d_into)}};
    size_t size;

    begin();
    GOOD(hmf_type_check(d_value, LEN(d_value), &size));
    CU_ASSERT_EQUAL(size, sizeof(struct value));
    memset(values, 0xab, sizeof values); /* what does not hold is not looked at */
    values[0].kind = 0;
    values[0].u.i = -77;
    values[1].kind = 1;
    values[1].u.d = 0.1;
    values[2].kind = 7;
    values[2].u.text = text;
    values[3].kind = -3;
    values[3].u.pair.c = 'p';
    values[3].u.pair.next = &heap;
    values[3].u.pair.s = 9;
    values[4].kind = 99;
    memcpy(values[4].u.raw, "\1\2\3", 3);
    values[5] = values[3];
    values[5].u.pair.next = &values[5];
    values[6].kind = 0;
    values[6].u.i = 5;
    values[7].kind = 1;
    into = &values[3].u.pair.s;
    ADD(a, "values", values, d_value);
    ADD(a, "into", into, d_into);
    ADD(b, "values", values2, d_value);
    ADD(b, "into", into2, d_into);
    from_everywhere(vars, look_values);
    values[2].u.text = (char *)16;
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "values[2].f1.f2");
    values[2].kind = 0; /* now it is a number */
    GOOD(hmf_image_capture(a, &image));
    hmf_image_free(image);
    end();
}

/* A discriminant that selects none, without any pointer, behind a pointer, in a large array. */
static void no_branch(void)
{
    struct one {
        int pad;
        struct {
            unsigned char kind;
            union {
                int i;
                float f;
            } u[2];
        } in[100];
    } *x = calloc(1, sizeof *x), *y = NULL;
    static const int d[] = {typePOINTER, -2, typeINT, typeARRAY, 100, -2, typeUCHAR, typeARRAY, 2,
                            typeUNION, 0, 2, 0, typeINT, 200, typeFLOAT};
    static const struct foreign_var vars[] = {{d, LEN(d)}};
    struct carried c;
    hmf_image_t *image;

    begin();
    for (int i = 0; i < 100; i++) {
        x->in[i].kind = i % 3 ? 0 : 200;
        if (i % 3)
            x->in[i].u[0].i = x->in[i].u[1].i = -i;
        else
            x->in[i].u[0].f = x->in[i].u[1].f = (float)i / 2;
    }
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    for (int k = 0; k < FOREIGN_ABIS; k++) {
        GOOD(carry_take(a, &c));
        GOOD(foreign_turn(&c, &foreign_abis[k], vars));
        GOOD(carry_give(&c, b));
        for (int i = 0; i < 100; i++)
            CU_ASSERT(y->in[i].kind == (i % 3 ? 0 : 200) &&
                      (i % 3 ? y->in[i].u[1].i == -i : y->in[i].u[1].f == (float)i / 2));
        free(y);
        y = NULL;
        /* damaged on the way: byte for byte where the machines agree, or through a plan */
        if (k == 2) {
            for (size_t s = 0; s < c.nsegments; s++)
                if (c.bytes[s] > 1000)
                    memset(c.segment[s], 7, c.bytes[s]);
            BAD(carry_give(&c, b), HMF_ERR_RANGE, "selects no branch");
        }
        carry_drop(&c);
    }
    x->in[61].kind = 3;
    BAD(hmf_image_capture(a, &image), HMF_ERR_RANGE, "x->f1[61].f1[0]");
    BAD(hmf_image_capture(a, &image), HMF_ERR_RANGE, "is 3");
    free(x);
    end();
}

/* The discriminant is what all branches begin with; nested unions; a bit-field as discriminant;
 * branches of user types that refer to each other. */
union event {
    int type;
    struct {
        int type;
        double x, y;
    } motion;
    struct {
        int type;
        union event *parent;
        unsigned mode : 2, : 0, rest : 7;
        union {
            long n;
            char *s;
        } more;
    } key;
};
static union event events[3], events2[3];

static void look_events(void)
{
    CU_ASSERT_EQUAL(events2[0].type, 0);
    CU_ASSERT(events2[1].motion.type == 1 && events2[1].motion.y == -3.5);
    CU_ASSERT(events2[2].key.type == 2 && events2[2].key.parent == &events2[1]);
    CU_ASSERT(events2[2].key.mode == 3 && events2[2].key.rest == 100);
    CU_ASSERT_STRING_EQUAL(events2[2].key.more.s, "more");
    free(events2[2].key.more.s);
}

static void leading(void)
{
    static const int d[] = {typeUNION, -1, 3, 0, typeINT, 1, -3, typeINT, typeDOUBLE, typeDOUBLE,
                            2, -6, typeINT, typePOINTER, 10077, typeBITS, 2, typeUINT, typeBITS, 0,
                            typeUINT, typeBITS, 7, typeUINT, typeUNION, 2, 2, 0, typeLONG, 3,
                            typePOINTER, typeCSTRING};
    static const int d_user[] = {10077};
    static const struct foreign_var vars[] = {{d_user, 1}};
    static char more[] = "more";
    size_t size;

    GOOD(hmf_type_define(10077, "event", d, LEN(d), NULL, NULL));
    GOOD(hmf_type_check(d_user, 1, &size));
    CU_ASSERT_EQUAL(size, sizeof(union event));
    begin();
    events[1].motion.type = 1;
    events[1].motion.y = -3.5;
    events[2].key.type = 2;
    events[2].key.parent = &events[1];
    events[2].key.mode = 3;
    events[2].key.rest = 100;
    events[2].key.more.s = more;
    ADD(a, "events", events, d_user);
    ADD(b, "events", events2, d_user);
    from_everywhere(vars, look_events);
    end();
    GOOD(hmf_type_undefine(10077));
}

/* ---- bit-fields ---- */

struct bits {
    signed int a : 3;
    unsigned b : 5, c : 20, d : 10;
    bool e : 1;
    char f;
    unsigned short g : 9;
    unsigned long h : 31;
    long long i : 33;
    unsigned char j : 4, : 2, k : 1;
    unsigned : 0;
    int l : 32;
    unsigned m : 1;
    double x;
};
static const int d_bits[] = {-16, typeBITS, 3, typeINT, typeBITS, 5, typeUINT, typeBITS, 20,
                             typeUINT, typeBITS, 10, typeUINT, typeBITS, 1, typeBOOL, typeCHAR,
                             typeBITS, 9, typeUSHORT, typeBITS, 31, typeULONG, typeBITS, 33,
                             typeLLONG, typeBITS, 4, typeUCHAR, typeBITS, -2, typeUCHAR, typeBITS,
                             1, typeUCHAR, typeBITS, 0, typeUINT, typeBITS, 32, typeINT, typeBITS,
                             1, typeUINT, typeDOUBLE};

static struct bits bits[200], bits2[200];

static void fill_bits(struct bits *p, unsigned n)
{
    memset(p, n & 1 ? 0xff : 0, sizeof *p);
    p->a = (int)(n % 8) - 4;
    p->b = n % 32;
    p->c = n * 12345 % (1u << 20);
    p->d = n % 1024;
    p->e = n % 3 == 0;
    p->f = (char)('a' + n % 26);
    p->g = n * 3 % 512;
    p->h = n * 1000003ul & 0x7fffffff;
    p->i = (n % 2 ? -1 : 1) * 4294967295ll + (long long)(n % 100);
    p->j = n % 16;
    p->k = n % 2;
    p->l = -(int)n;
    p->m = n % 2;
    p->x = n / 8.0;
}

static void look_bits(void)
{
    for (unsigned n = 0; n < LEN(bits2); n++) {
        struct bits p;
        const struct bits *q = &bits2[n];
        fill_bits(&p, n);
        CU_ASSERT(p.a == q->a && p.b == q->b && p.c == q->c && p.d == q->d && p.e == q->e &&
                  p.f == q->f && p.g == q->g && p.h == q->h && p.i == q->i && p.j == q->j &&
                  p.k == q->k && p.l == q->l && p.m == q->m && p.x == q->x);
    }
    memset(bits2, 0x3c, sizeof bits2);
}

static void bit_fields(void)
{
    static const struct foreign_var vars[] = {{d_bits, LEN(d_bits)}};
    size_t size;

    begin();
    GOOD(hmf_type_check(d_bits, LEN(d_bits), &size));
    CU_ASSERT_EQUAL(size, sizeof(struct bits));
    for (unsigned n = 0; n < LEN(bits); n++)
        fill_bits(&bits[n], n);
    ADD(a, "bits", bits, d_bits);
    ADD(b, "bits", bits2, d_bits);
    from_everywhere(vars, look_bits);
    end();
}

/* Every width at every place, both orders: what is put can be got, and nothing around changes. */
static void bits_alone(void)
{
    for (int big = 0; big < 2; big++)
        for (unsigned bit = 0; bit < 8; bit++)
            for (unsigned width = 1; width <= 64; width++) {
                unsigned char m[10], all[10];
                uint64_t v = 0x9e3779b97f4a7c15u, mask = ~(uint64_t)0 >> (64 - width);
                memset(m, 0, sizeof m);
                memset(all, 0xff, sizeof all);
                hmf__bits_store(big, m, bit, width, v);
                hmf__bits_store(big, all, bit, width, v);
                CU_ASSERT_EQUAL(hmf__bits_load(big, m, bit, width, false), v & mask);
                CU_ASSERT_EQUAL(hmf__bits_load(big, all, bit, width, false), v & mask);
                uint64_t s = hmf__bits_load(big, m, bit, width, true);
                CU_ASSERT((s & mask) == (v & mask) &&
                          (s & ~mask) == (v >> (width - 1) & 1 ? ~mask : 0));
                hmf__bits_store(big, m, bit, width, 0);
                hmf__bits_store(big, all, bit, width, ~(uint64_t)0);
                for (int k = 0; k < 10; k++)
                    CU_ASSERT(m[k] == 0 && all[k] == 0xff);
            }
    CU_ASSERT(hmf__bits_fit(7, false, 3, false) && !hmf__bits_fit(8, false, 3, false));
    CU_ASSERT(!hmf__bits_fit((uint64_t)-1, true, 3, false) && hmf__bits_fit(3, false, 3, true));
    CU_ASSERT(!hmf__bits_fit(4, false, 3, true) && hmf__bits_fit((uint64_t)-4, true, 3, true));
    CU_ASSERT(!hmf__bits_fit((uint64_t)-5, true, 3, true));
    CU_ASSERT(hmf__bits_fit(~(uint64_t)0, false, 64, false));
    CU_ASSERT(!hmf__bits_fit(~(uint64_t)0, false, 64, true));
}

/* As s390x and m68k would have a struct: from the most significant bit on. */
static void known_bits(void)
{
    struct {
        unsigned kind : 3;
        signed flag : 2;
        unsigned short rest : 11;
        unsigned char c;
    } y;
    static const int d[] = {-4, typeBITS, 3, typeUINT, typeBITS, 2, typeINT, typeBITS, 11,
                            typeUSHORT, typeUCHAR};
    static const unsigned char big[] = {0xb5, 0x55, 0x77, 0};    /* 101 10 10101010101 */
    static const unsigned char little[] = {0xb5, 0xaa, 0x77, 0}; /* 10101010101 10 101 */
    struct hmf__types n, f;
    struct hmf__plan *plan;
    uint32_t id, foreign;

    for (int k = 0; k < 2; k++) {
        hmf__types_init(&n, NULL);
        hmf__types_init(&f, &foreign_abis[k ? 3 : 2]);
        GOOD(hmf__types_compile(&n, d, LEN(d), NULL, &id));
        GOOD(hmf__types_compile(&f, d, LEN(d), NULL, &foreign));
        CU_ASSERT_EQUAL(f.v[foreign].size, 4);
        GOOD(hmf__plan_make(&f, foreign, &n, id, &plan));
        GOOD(hmf__plan_run(plan, k ? little : big, &y, 1));
        CU_ASSERT(y.kind == 5 && y.flag == -2 && y.rest == 0x555 && y.c == 0x77);
        hmf__plan_free(plan);
        hmf__types_fini(&n);
        hmf__types_fini(&f);
    }
}

/* A program whose bit-field has become narrower. */
static void narrower(void)
{
    struct wide {
        unsigned kind : 5;
        signed n : 9;
    } x[3] = {{1, -8}, {7, 7}, {31, -256}};
    struct slim {
        unsigned kind : 3;
        signed n : 4;
    } y[3];
    static const int d_wide[] = {-2, typeBITS, 5, typeUINT, typeBITS, 9, typeINT};
    static const int d_slim[] = {-2, typeBITS, 3, typeUINT, typeBITS, 4, typeINT};
    static const char *const names[] = {"kind", "n", NULL};

    begin();
    GOOD(hmf_state_add(a, "x", x, sizeof x, d_wide, LEN(d_wide), names));
    GOOD(hmf_state_add(b, "x", y, sizeof y, d_slim, LEN(d_slim), names));
    BAD(carry(a, b), HMF_ERR_RANGE, "element 2, field kind");
    BAD(carry(a, b), HMF_ERR_RANGE, "value 31 does not fit into 3 bits");
    x[2].kind = 7;
    BAD(carry(a, b), HMF_ERR_RANGE, "element 2, field n");
    BAD(carry(a, b), HMF_ERR_RANGE, "-256");
    x[2].n = -1;
    GOOD(carry(a, b));
    CU_ASSERT(y[0].n == -8 && y[1].kind == 7 && y[1].n == 7 && y[2].n == -1);
    end();
}

struct __attribute__((packed)) tight {
    unsigned a : 3;
    char c;
    unsigned b : 30;
    unsigned d : 7;
    double x;
};

/* Packed structs and user types with a layout of their own have bit-fields too. */
static struct tight tights[2] = {{5, 'c', 0x2aaaaaaa, 100, 1.5}, {2, 'd', 1, 127, -2}}, tights2[2];

static void look_tights(void)
{
    for (int i = 0; i < 2; i++)
        CU_ASSERT(tights[i].a == tights2[i].a && tights[i].c == tights2[i].c &&
                  tights[i].b == tights2[i].b && tights[i].d == tights2[i].d &&
                  tights[i].x == tights2[i].x);
    memset(tights2, 1, sizeof tights2);
}

static void packed_bits(void)
{
    static const int d[] = {typePACKED, -5, typeBITS, 3, typeUINT, typeCHAR, typeBITS, 30,
                            typeUINT, typeBITS, 7, typeUINT, typeDOUBLE};
    static const struct foreign_var vars[] = {{d, LEN(d)}};
    struct laid {
        short s;
        unsigned a : 4, b : 4;
        _Alignas(16) int i;
    } x = {1, 2, 3, 4}, y;
    static const int d_laid[] = {-4, typeSHORT, typeBITS, 4, typeUINT, typeBITS, 4, typeUINT,
                                 typeINT};
    static const size_t offsets[] = {offsetof(struct laid, s), HMF_TYPE_BITS_OFFSET,
                                     HMF_TYPE_BITS_OFFSET, offsetof(struct laid, i)};
    static const struct hmf_type_layout layout = {sizeof(struct laid), _Alignof(struct laid),
                                                  offsets, 4};
    static const int d_user[] = {10078};
    size_t size;

    begin();
    GOOD(hmf_type_check(d, LEN(d), &size));
    CU_ASSERT_EQUAL(size, sizeof(struct tight));
    ADD(a, "tights", tights, d);
    ADD(b, "tights", tights2, d);
    from_everywhere(vars, look_tights);
    end();
    begin();
    GOOD(hmf_type_define(10078, "laid", d_laid, LEN(d_laid), NULL, &layout));
    ADD(a, "x", x, d_user);
    ADD(b, "x", y, d_user);
    GOOD(carry(a, b));
    CU_ASSERT(y.s == 1 && y.a == 2 && y.b == 3 && y.i == 4);
    end();
    GOOD(hmf_type_undefine(10078));
}

/* ---- flexible array members ---- */

struct item {
    short s;
    struct item *other;
};

struct message {
    unsigned char n;
    char tag;
    struct message *next;
    char mark; /* what follows begins in the padding */
    struct item items[];
};

struct text {
    int len;
    char c;
    char text[];
};

static const int d_message[] = {typePOINTER, -5, typeUCHAR, typeCHAR, typePOINTER, typeSELF, 0,
                                typeCHAR, typeFLEX, 0, -2, typeSHORT, typePOINTER, typeSELF, 0};
static const int d_text[] = {typePOINTER, -3, typeINT, typeCHAR, typeFLEX, 0, typeCHAR};
static const int d_string[] = {typePOINTER, typeCSTRING};
static const int d_item[] = {typePOINTER, -2, typeSHORT, typePOINTER, typeSELF, 0};

static struct message *message, *message2;
static struct text *texts[3], *texts2[3];
static char *inside, *inside2;
static struct item *item, *item2;

static struct message *new_message(int n, char tag, struct message *next)
{
    struct message *m = calloc(1, sizeof *m + (size_t)n * sizeof m->items[0]);

    m->n = (unsigned char)n;
    m->tag = tag;
    m->mark = (char)(tag + 1);
    m->next = next;
    for (int i = 0; i < n; i++)
        m->items[i] = (struct item){(short)(100 * tag + i), &m->items[n - 1 - i]};
    return m;
}

static struct text *new_text(const char *s)
{
    struct text *t = malloc(sizeof *t + strlen(s));

    t->len = (int)strlen(s) + 1;
    t->c = *s;
    memcpy(t->text, s, strlen(s) + 1);
    return t;
}

static void look_messages(void)
{
    struct message *m = message2;

    for (int k = 0; k < 3; k++) {
        struct message *next = m->next;
        CU_ASSERT(m->tag == 'a' + k && m->mark == 'b' + k && m->n == (k == 1 ? 0 : 200 / (k + 1)));
        for (int i = 0; i < m->n; i++)
            CU_ASSERT(m->items[i].s == (short)(100 * m->tag + i) &&
                      m->items[i].other == &m->items[m->n - 1 - i]);
        if (k == 2) {
            CU_ASSERT_PTR_EQUAL(next, message2);
            CU_ASSERT_PTR_EQUAL(item2, &m->items[3]);
        }
        if (k)
            free(m);
        m = next;
    }
    free(message2);
    CU_ASSERT_STRING_EQUAL(texts2[0]->text, "first text");
    CU_ASSERT_STRING_EQUAL(texts2[1]->text, "");
    CU_ASSERT(texts2[0]->c == 'f' && texts2[1]->c == 0 && texts2[2] == texts2[0]);
    CU_ASSERT_PTR_EQUAL(inside2, texts2[0]->text);
    free(texts2[0]);
    free(texts2[1]);
}

static void flexible(void)
{
    static const struct foreign_var vars[] = {
        {d_message, LEN(d_message)}, {d_text, LEN(d_text)}, {d_string, 2}, {d_item, LEN(d_item)}};
    hmf_image_t *image;

    begin();
    message = new_message(200, 'a', new_message(0, 'b', new_message(66, 'c', NULL)));
    message->next->next->next = message;
    item = &message->next->next->items[3];
    texts[0] = texts[2] = new_text("first text");
    texts[1] = new_text("");
    inside = texts[0]->text; /* of exactly the same bytes */
    ADD(a, "message", message, d_message);
    ADD(a, "texts", texts, d_text);
    ADD(a, "inside", inside, d_string);
    ADD(a, "item", item, d_item);
    ADD(b, "message", message2, d_message);
    ADD(b, "texts", texts2, d_text);
    ADD(b, "inside", inside2, d_string);
    ADD(b, "item", item2, d_item);
    from_everywhere(vars, look_messages);
    texts[1]->len = -1;
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "texts[1]->f0");
    texts[1]->len = 1 << 30;
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "not there");
    free(message->next->next);
    free(message->next);
    free(message);
    free(texts[0]);
    free(texts[1]);
    end();
}

/* A registered struct has the room behind it that it is registered with. */
static void flexible_variable(void)
{
    union {
        struct text t;
        char room[40];
    } x = {.room = ""}, y, small;
    static const int d[] = {-3, typeINT, typeCHAR, typeFLEX, 0, typeCHAR};
    hmf_image_t *image;

    begin();
    x.t.len = 12;
    x.t.c = 'x';
    memcpy(x.t.text, "hello world", 12);
    GOOD(hmf_state_add(a, "x", &x, sizeof x, d, LEN(d), NULL));
    GOOD(hmf_state_add(b, "x", &y, sizeof y, d, LEN(d), NULL));
    GOOD(carry(a, b));
    CU_ASSERT(y.t.len == 12 && y.t.c == 'x' && !strcmp(y.t.text, "hello world"));
    GOOD(hmf_state_remove_name(b, "x"));
    GOOD(hmf_state_add(b, "x", &small, 12, d, LEN(d), NULL));
    BAD(carry(a, b), HMF_ERR_RANGE, "variable x");
    x.t.len = 36;
    BAD(hmf_image_capture(a, &image), HMF_ERR_RANGE, "variable x");
    BAD(hmf_state_add(b, "z", &y, 4, d, LEN(d), NULL), HMF_ERR_ARG, "z");
    end();
}

/* An image that says more than it has is refused. */
static void damaged_tail(void)
{
    struct carried c;

    begin();
    texts[0] = texts[2] = new_text("abc");
    texts[1] = new_text("defg");
    ADD(a, "texts", texts, d_text);
    ADD(b, "texts", texts2, d_text);
    for (int k = 0; k < 3; k++) {
        hmf_meta_t *m;
        GOOD(carry_take(a, &c));
        GOOD(hmf_meta_parse(c.meta, c.meta_len, &m));
        for (size_t s = 0; s < c.nsegments; s++) {
            uint32_t *tails = (uint32_t *)(void *)c.segment[s];
            if (hmf_meta_segment(m, s)->kind != HMF__SEG_TAIL)
                continue;
            CU_ASSERT_EQUAL(c.bytes[s], 8);
            if (k == 0)
                tails[1] = tails[0]; /* two claim the same */
            else if (k == 1)
                tails[1] = 1; /* no elements of that type */
            else
                tails[1] = 0; /* fewer than the field says */
        }
        BAD(carry_give(&c, b), HMF_ERR_FORMAT, "stands behind a struct");
        hmf_meta_free(m);
        carry_drop(&c);
    }
    free(texts[0]);
    free(texts[1]);
    end();
}

/* ---- lengths far away ---- */

/* A length outside of the large array whose pointers it is for. */
static void length_outside(void)
{
    struct rows {
        int n, m;
        double *row[100];
        struct {
            long **p;
        } in[90];
    } *x = calloc(1, sizeof *x), *y = NULL;
    static const int d[] = {typePOINTER, -4, typeINT, typeINT, typeARRAY, 100, typeCOUNTED, 0,
                            typeDOUBLE, typeARRAY, 90, -1, typeCOUNTED, typeUP(1, 1), typeCOUNTED,
                            typeUP(1, 0), typeLONG};

    begin();
    x->n = 3;
    x->m = 2;
    for (int i = 0; i < 100; i++) {
        x->row[i] = malloc(3 * sizeof(double));
        for (int k = 0; k < 3; k++)
            x->row[i][k] = i + k / 4.0;
    }
    for (int i = 0; i < 90; i++) {
        x->in[i].p = malloc(2 * sizeof *x->in[i].p);
        for (int k = 0; k < 2; k++) {
            x->in[i].p[k] = calloc(3, sizeof(long));
            x->in[i].p[k][2] = 10 * i + k;
        }
    }
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    GOOD(carry(a, b));
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(y->row[i][2], i + 0.5);
        free(x->row[i]);
        free(y->row[i]);
    }
    for (int i = 0; i < 90; i++) {
        for (int k = 0; k < 2; k++) {
            CU_ASSERT_EQUAL(y->in[i].p[k][2], 10 * i + k);
            free(x->in[i].p[k]);
            free(y->in[i].p[k]);
        }
        free(x->in[i].p);
        free(y->in[i].p);
    }
    free(x);
    free(y);
    end();
}

/* ---- pointers to pointers and to arrays, types that lead to each other ---- */

enum { TYPE_MAN = 10080, TYPE_HOUSE = 10081 };

struct house;
struct man {
    char *name;
    struct house *lives;
};
struct house {
    int number;
    struct man *owner;
    struct man *all[2];
};

static struct links {
    double **twice;        /* pointer to a pointer */
    int *several[3];       /* array of pointers */
    float (*rows)[4];      /* pointer to an array */
    void *stated;          /* void *, but always to a long */
    char ***deep;          /* a string three pointers away */
    struct man man;        /* mutually recursive */
} links, links2;

static const int d_links[] = {-6, typePOINTER, typePOINTER, typeDOUBLE, typeARRAY, 3, typePOINTER,
                              typeINT, typePOINTER, typeARRAY, 4, typeFLOAT, typePOINTER, typeLONG,
                              typePOINTER, typePOINTER, typePOINTER, typeCSTRING, TYPE_MAN};

static void look_links(void)
{
    struct links *l = &links2;

    CU_ASSERT(**l->twice == 2.5 && *l->several[0] == 7 && !l->several[1] &&
              l->several[2] == l->several[0] && (*l->rows)[3] == 4.5f &&
              *(long *)l->stated == -9);
    CU_ASSERT_STRING_EQUAL(**l->deep, "deep");
    CU_ASSERT_STRING_EQUAL(l->man.name, "anna");
    CU_ASSERT(l->man.lives->number == 12 && l->man.lives->owner == &l->man);
    CU_ASSERT_PTR_EQUAL(l->man.lives->all[1]->lives, l->man.lives);
    CU_ASSERT_STRING_EQUAL(l->man.lives->all[1]->name, "bert");
    free(*l->twice);
    free(l->twice);
    free(l->several[0]);
    free(l->rows);
    free(l->stated);
    free(**l->deep);
    free(*l->deep);
    free(l->deep);
    free(l->man.lives->all[1]->name);
    free(l->man.lives->all[1]);
    free(l->man.lives);
    free(l->man.name);
    memset(l, 0x33, sizeof *l);
}

static void pointers(void)
{
    static const int d_man[] = {-2, typePOINTER, typeCSTRING, typePOINTER, TYPE_HOUSE};
    static const int d_house[] = {-3, typeINT, typePOINTER, TYPE_MAN, typeARRAY, 2, typePOINTER,
                                  TYPE_MAN};
    static const struct foreign_var vars[] = {{d_links, LEN(d_links)}};
    static char anna[] = "anna", bert[] = "bert", text[] = "deep";
    double d = 2.5, *pd = &d;
    int i = 7;
    float row[1][4] = {{1.5f, 2.5f, 3.5f, 4.5f}};
    long l = -9;
    char *t = text, **tt = &t;
    struct man other = {bert, NULL};
    struct house house = {12, &links.man, {&links.man, &other}};

    GOOD(hmf_type_define(TYPE_MAN, "man", d_man, LEN(d_man), NULL, NULL));
    GOOD(hmf_type_define(TYPE_HOUSE, "house", d_house, LEN(d_house), NULL, NULL));
    other.lives = &house;
    links = (struct links){&pd, {&i, NULL, &i}, row, &l, &tt, {anna, &house}};
    begin();
    ADD(a, "links", links, d_links);
    ADD(b, "links", links2, d_links);
    from_everywhere(vars, look_links);
    end();
    GOOD(hmf_type_undefine(TYPE_MAN));
    GOOD(hmf_type_undefine(TYPE_HOUSE));
}

/* ---- what is refused ---- */

static const struct wrong {
    int desc[14];
    size_t len;
    const char *position, *words;
} wrongs[] = {
    {{typeUNION, 0, 1, 0, typeINT}, 5, "position 1", "0 structs"},
    {{-2, typeDOUBLE, typeUNION, 0, 1, 0, typeINT}, 7, "position 3", "no integer"},
    {{-2, typeINT, typeUNION, 7, 1, 0, typeINT}, 7, "position 3", "no integer"},
    {{-2, typeINT, typeUNION, 0, 2, 0, typeINT}, 7, "position 4", "2 branches"},
    {{-2, typeINT, typeUNION, 0, 0, typeINT}, 6, "position 4", "0 branches"},
    {{-2, typeINT, typeUNION, 0, 2, 5, typeINT, 5, typeLONG}, 9, "position 7", "two branches"},
    {{-2, typeINT, typeUNION, 0, 1, 0, typeCSTRING}, 7, "position 6", "typePOINTER"},
    {{-2, typeINT, typeUNIONELSE, 0, 1, 0, typeINT}, 7, "position 7", "missing"},
    {{-2, typeINT, typePOINTER, typeUNION, 0, 1, 0, typeINT}, 8, "position 4", "same one"},
    {{typeUNION, -1, 2, 0, typeINT, 1, typeDOUBLE}, 7, "position 1", "begin with"},
    {{typeUNION, -1, 2, 0, typeINT, 1, -2, typeLONG, typeINT}, 9, "position 1", "begin with"},
    {{typeUNION, -1, 1, 0, typeFLOAT}, 5, "position 1", "begin with"},
    {{-2, -1, typeINT, typeUNION, typeADD, 0, 0, 1, 0, typeINT}, 10, "position 4", "a path to one"},
    {{-2, -1, typeINT, typeUNION, typePATH, 2, 0}, 7, "position 5", "a path of 2 steps"},
    {{-2, -1, typeINT, typeUNION, typePATH, 2, 0, 1, 1, 0, typeINT}, 11, "position 6", "path leads"},
    {{-2, -1, typeDOUBLE, typeUNION, typePATH, 2, 0, 0, 1, 0, typeINT}, 11, "position 6",
     "path leads"},
    {{-2, -1, typeINT, typePOINTER, typeUNION, typePATH, 2, 0, 0, 1, 0, typeINT}, 12,
     "position 7", "same one"},
    {{typeBITS, 3, typeINT}, 3, "position 0", "of a struct"},
    {{typeARRAY, 2, typeBITS, 3, typeINT}, 5, "position 2", "of a struct"},
    {{-1, typeBITS, 33, typeINT}, 4, "position 2", "33 bits"},
    {{-1, typeBITS, 2, typeBOOL}, 4, "position 2", "2 bits"},
    {{-1, typeBITS, -65, typeLLONG}, 4, "position 2", "bits"},
    {{-1, typeBITS, 3, typeFLOAT}, 4, "position 3", "integer"},
    {{-1, typeBITS, 3}, 3, "position 1", "missing"},
    {{-1, typeBITS, 0, typeINT}, 4, "position 0", "holds nothing"},
    {{-1, typeALIGNED, 8, typeBITS, 3, typeINT}, 6, "position 3", "aligned"},
    {{-2, typeINT, typeUNION, 0, 1, 0, typeBITS, 3, typeINT}, 9, "position 6", "of a struct"},
    {{-2, typeBITS, -3, typeINT, typeCOUNTED, 0, typeINT}, 7, "position 5", "no integer"},
    {{typeFLEX, 0, typeINT}, 3, "position 0", "of a struct"},
    {{-1, typeFLEX, 0, typeINT}, 4, "position 1", "last field"},
    {{-3, typeINT, typeFLEX, 0, typeINT, typeINT}, 6, "position 2", "last field"},
    {{-2, typeINT, typeFLEX, 1, typeINT}, 5, "position 3", "no integer"},
    {{-2, typeINT, -2, typeINT, typeFLEX, typeUP(1, 0), typeINT}, 7, "position 5", "same struct"},
    {{-2, typeINT, -2, typeINT, typeFLEX, 0, typeINT}, 7, "position 2", "part of another"},
    {{typeARRAY, 2, -2, typeINT, typeFLEX, 0, typeINT}, 7, "position 0", "element"},
    {{typePOINTER, typeARRAY, 2, -2, typeINT, typeFLEX, 0, typeINT}, 8, "position 1", "element"},
    {{-2, typeINT, typeFLEX, 0, -2, typeINT, typeFLEX, 0, typeINT}, 9, "position 4", "element"},
    {{-2, typeINT, typeCOUNTED, 0, -2, typeINT, typeFLEX, 0, typeINT}, 9, "position 2",
     "known size"},
    {{-2, typeINT, typeUNION, 0, 1, 0, -2, typeINT, typeFLEX, 0, typeINT}, 11, "position 6",
     "part of another"},
    {{typeTRANSIENT, -2, typeINT, typeFLEX, 0, typeINT}, 6, "position 0", "part of another"},
    {{-2, typeINT, typeFLEX, 0, typeCSTRING}, 5, "position 4", "typePOINTER"},
};

static void wrong_forms(void)
{
    for (size_t i = 0; i < LEN(wrongs); i++) {
        BAD(hmf_type_check(wrongs[i].desc, wrongs[i].len, NULL), HMF_ERR_TYPE,
            wrongs[i].position);
        BAD(hmf_type_check(wrongs[i].desc, wrongs[i].len, NULL), HMF_ERR_TYPE, wrongs[i].words);
    }
}

/* What one program calls differently from another is no match. */
static void mismatches(void)
{
    static const int d[][8] = {
        {-2, typeINT, typeUNION, 0, 1, 0, typeINT},
        {-2, typeINT, typeUNION, 0, 1, 1, typeINT},
        {-2, typeINT, typeUNION, 0, 1, 0, typeUINT},
        {-2, typeINT, typeUNIONELSE, 0, 0, typeINT},
        {-2, typeINT, typeBITS, 3, typeINT},
        {-2, typeINT, typeBITS, 3, typeUINT},
        {-2, typeINT, typeBITS, -3, typeINT},
    };
    static const size_t len[] = {7, 7, 7, 6, 5, 5, 5};
    int x[2] = {0}, y[2];

    for (size_t i = 0; i < LEN(d); i++)
        for (size_t k = 0; k < LEN(d); k++) {
            begin();
            GOOD(hmf_state_add(a, "x", x, sizeof x, d[i], len[i], NULL));
            GOOD(hmf_state_add(b, "x", y, sizeof y, d[k], len[k], NULL));
            x[0] = i == 1;
            CU_ASSERT_EQUAL(carry(a, b), i == k ? HMF_OK : HMF_ERR_MISMATCH);
            end();
        }
}

/* Every form back to the ints that it came from. */
static void described(void)
{
    static const int d[] = {-5, typeINT, typeBITS, 3, typeUCHAR, typeBITS, -2, typeUCHAR,
                            typeUNIONELSE, 1, 2, -1, typeINT, 4, typeALIGNED, 16, typeCHAR,
                            typeUNION, -1, 1, 5, typeSHORT, typeFLEX, 0, typeARRAY, 4,
                            typeDOUBLE};
    struct hmf__types t;
    struct hmf__buf out = HMF__BUF_INIT;
    uint32_t id;

    hmf__types_init(&t, NULL);
    GOOD(hmf__types_compile(&t, d, LEN(d), NULL, &id));
    GOOD(hmf__types_describe(&t, id, &out));
    CU_ASSERT_EQUAL(out.len, 4 * LEN(d));
    for (size_t i = 0; i < LEN(d); i++)
        CU_ASSERT_EQUAL(hmf__buf_get_i32(&out), d[i]);
    hmf__buf_fini(&out);
    hmf__types_fini(&t);
}

static const struct unit_test tests[] = {
    {"unions", unions},
    {"no branch", no_branch},
    {"leading discriminant", leading},
    {"bit-fields", bit_fields},
    {"bits alone", bits_alone},
    {"known bits", known_bits},
    {"narrower bit-fields", narrower},
    {"packed bit-fields", packed_bits},
    {"flexible arrays", flexible},
    {"flexible variable", flexible_variable},
    {"damaged tails", damaged_tail},
    {"lengths outside", length_outside},
    {"pointers", pointers},
    {"wrong forms", wrong_forms},
    {"mismatches", mismatches},
    {"back to ints", described},
};

UNIT_MAIN("forms", tests)
