/* The state that is in golden images of version 2: unions, bit-fields, flexible array members; also
 * what the fuzzer restores into, and what goes round all architectures.
 * Never change it: old images must be readable for ever. */
#ifndef GOLDEN2_H
#define GOLDEN2_H

#include "hmf/status.h"
#include "hmf/type.h"
#include "state.h"
#include "typemap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct golden2_value {
    short kind;
    union {
        long i;
        double d;
        char *text;
        struct {
            char c;
            struct golden2_value *next;
            short s;
        } pair;
        unsigned char raw[3];
    } u;
};

/* What all branches begin with says which one it is; such a union stands by itself. */
union golden2_event {
    int type;
    struct {
        int type;
        double x;
        float y;
    } motion;
    struct {
        int type;
        union golden2_event *parent;
        unsigned mode : 2, : 0, rest : 7;
        union { /* told by a bit-field */
            long n;
            char *s;
        } more;
    } key;
};

struct golden2_bits {
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

struct __attribute__((packed)) golden2_tight {
    unsigned a : 3;
    char c;
    unsigned b : 30;
    unsigned d : 7;
    double x;
};

struct golden2_item {
    short s;
    struct golden2_item *other;
};

struct golden2_message {
    unsigned char n;
    char tag;
    struct golden2_message *next;
    char mark; /* what follows may begin in the padding */
    struct golden2_item items[];
};

struct golden2_text {
    int len;
    char c;
    char text[];
};

struct golden2 {
    struct golden2_value values[6];
    short *into; /* the branch that holds */
    union golden2_event events[3];
    struct golden2_bits bits[5];
    struct golden2_tight tights[2];
    struct golden2_message *message;
    struct golden2_text *texts[3];
    char *inside;              /* a string that is a flexible array's */
    struct golden2_item *item; /* into a flexible array */
    struct {
        int n;
        struct { /* anonymous */
            short m;
            double *row[70]; /* each of n, which is said outside */
        };
    } table;
    union {
        struct golden2_text t;
        char room[48];
    } fixed; /* registered with its room */
};

enum { GOLDEN2_EVENT = 10177 };

static inline hmf_status_t golden2_register(hmf_state_t *s, struct golden2 *g)
{
    static const int value[] = {-2, typeSHORT, typeUNIONELSE, 0, 4, 0, typeLONG, 1, typeDOUBLE, 7,
                                typePOINTER, typeCSTRING, -3, -3, typeCHAR, typePOINTER, typeSELF,
                                1, typeSHORT, typeARRAY, 3, typeUCHAR};
    static const char *const value_names[] = {"kind", "u", "i", "d", "text", "pair", "c", "next",
                                              "s", "raw", NULL};
    static const int into[] = {typePOINTER, typeSHORT};
    static const int event[] = {typeUNION, -1, 3, 0, typeINT, 1, -3, typeINT, typeDOUBLE,
                                typeFLOAT, 2, -6, typeINT, typePOINTER, GOLDEN2_EVENT, typeBITS, 2,
                                typeUINT, typeBITS, 0, typeUINT, typeBITS, 7, typeUINT, typeUNION,
                                2, 2, 0, typeLONG, 3, typePOINTER, typeCSTRING};
    static const int events[] = {GOLDEN2_EVENT};
    static const int bits[] = {-16, typeBITS, 3, typeINT, typeBITS, 5, typeUINT, typeBITS, 20,
                               typeUINT, typeBITS, 10, typeUINT, typeBITS, 1, typeBOOL, typeCHAR,
                               typeBITS, 9, typeUSHORT, typeBITS, 31, typeULONG, typeBITS, 33,
                               typeLLONG, typeBITS, 4, typeUCHAR, typeBITS, -2, typeUCHAR,
                               typeBITS, 1, typeUCHAR, typeBITS, 0, typeUINT, typeBITS, 32,
                               typeINT, typeBITS, 1, typeUINT, typeDOUBLE};
    static const char *const bits_names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                             "pad", "k", "cut", "l", "m", "x", NULL};
    static const int tight[] = {typePACKED, -5, typeBITS, 3, typeUINT, typeCHAR, typeBITS, 30,
                                typeUINT, typeBITS, 7, typeUINT, typeDOUBLE};
    static const int message[] = {typePOINTER, -5, typeUCHAR, typeCHAR, typePOINTER, typeSELF, 0,
                                  typeCHAR, typeFLEX, 0, -2, typeSHORT, typePOINTER, typeSELF, 0};
    static const int text[] = {typePOINTER, -3, typeINT, typeCHAR, typeFLEX, 0, typeCHAR};
    static const int string[] = {typePOINTER, typeCSTRING};
    static const int item[] = {typePOINTER, -2, typeSHORT, typePOINTER, typeSELF, 0};
    static const int table[] = {-2, typeINT, -2, typeSHORT, typeARRAY, 70, typeCOUNTED,
                                typeUP(1, 0), typeDOUBLE};
    static const char *const table_names[] = {"n", "", "m", "row", NULL};
    hmf_status_t rc = hmf_type_define(GOLDEN2_EVENT, "event", event, sizeof event / sizeof *event,
                                      NULL, NULL);
#define GOLDEN2_ADD(var, desc, names)                                                             \
    if (rc == HMF_OK)                                                                             \
        rc = hmf_state_add(s, #var, &g->var, sizeof g->var, desc, sizeof desc / sizeof *desc,     \
                           names);
    GOLDEN2_ADD(values, value, value_names)
    GOLDEN2_ADD(into, into, NULL)
    GOLDEN2_ADD(events, events, NULL)
    GOLDEN2_ADD(bits, bits, bits_names)
    GOLDEN2_ADD(tights, tight, NULL)
    GOLDEN2_ADD(message, message, NULL)
    GOLDEN2_ADD(texts, text, NULL)
    GOLDEN2_ADD(inside, string, NULL)
    GOLDEN2_ADD(item, item, NULL)
    GOLDEN2_ADD(table, table, table_names)
    if (rc == HMF_OK)
        rc = hmf_state_add(s, "fixed", &g->fixed, sizeof g->fixed, text + 1,
                           sizeof text / sizeof *text - 1, NULL);
#undef GOLDEN2_ADD
    return rc;
}

static inline struct golden2_bits golden2_bit_values(int n)
{
    struct golden2_bits p;

    memset(&p, 0, sizeof p);
    p.a = n - 3;
    p.b = (unsigned)n * 7u % 32;
    p.c = (unsigned)n * 212345u % (1u << 20);
    p.d = 1023u - (unsigned)n;
    p.e = n % 2 == 0;
    p.f = (char)('a' + n);
    p.g = (unsigned short)(511 - 100 * n);
    p.h = 0x7fffffffu - 1000003u * (unsigned)n;
    p.i = (n % 2 ? -1 : 1) * (4294967295ll - n);
    p.j = (unsigned char)(15 - n);
    p.k = n % 2;
    p.l = -2000000000 + n;
    p.m = n % 2 == 0;
    p.x = n / 8.0;
    return p;
}

static inline struct golden2_message *golden2_message(int n, char tag)
{
    struct golden2_message *m = calloc(1, sizeof *m + (size_t)n * sizeof m->items[0]);

    m->n = (unsigned char)n;
    m->tag = tag;
    m->mark = (char)(tag + 1);
    for (int i = 0; i < n; i++)
        m->items[i] = (struct golden2_item){(short)(100 * tag + i), &m->items[n - 1 - i]};
    return m;
}

static inline void golden2_set_text(struct golden2_text *t, const char *s)
{
    t->len = (int)strlen(s) + 1;
    t->c = *s;
    memcpy(t->text, s, strlen(s) + 1);
}

static inline struct golden2_text *golden2_text(const char *s)
{
    struct golden2_text *t = calloc(1, sizeof *t + strlen(s));

    golden2_set_text(t, s);
    return t;
}

static inline void golden2_fill(struct golden2 *g)
{
    memset(g, 0, sizeof *g);
    g->values[0].u.i = -77;
    g->values[1].kind = 1;
    g->values[1].u.d = 0.1;
    g->values[2].kind = 7;
    g->values[2].u.text = strdup("text");
    g->values[3].kind = -3;
    g->values[3].u.pair.c = 'p';
    g->values[3].u.pair.next = calloc(1, sizeof g->values[0]);
    g->values[3].u.pair.next->kind = 1;
    g->values[3].u.pair.next->u.d = 2.5;
    g->values[3].u.pair.s = 9;
    g->values[4].kind = 99;
    memcpy(g->values[4].u.raw, "\1\2\3", 3);
    g->values[5].kind = -3;
    g->values[5].u.pair.next = &g->values[5];
    g->into = &g->values[3].u.pair.s;
    g->events[1].motion.type = 1;
    g->events[1].motion.x = -3.5;
    g->events[1].motion.y = 0.25f;
    g->events[2].key.type = 2;
    g->events[2].key.parent = &g->events[1];
    g->events[2].key.mode = 3;
    g->events[2].key.rest = 100;
    g->events[2].key.more.s = strdup("more");
    for (int i = 0; i < 5; i++)
        g->bits[i] = golden2_bit_values(i);
    for (int i = 0; i < 2; i++)
        g->tights[i] = (struct golden2_tight){5u - 3u * (unsigned)i, (char)('c' + i),
                                              0x2aaaaaaau >> i, 100u + 27u * (unsigned)i,
                                              1.5 - 3.5 * i};
    g->message = golden2_message(20, 'a');
    g->message->next = golden2_message(0, 'b');
    g->message->next->next = golden2_message(7, 'c');
    g->message->next->next->next = g->message;
    g->item = &g->message->next->next->items[3];
    g->texts[0] = g->texts[2] = golden2_text("first text");
    g->texts[1] = golden2_text("");
    g->inside = g->texts[0]->text;
    g->table.n = 3;
    g->table.m = -4;
    for (int i = 0; i < 70; i += 23) {
        g->table.row[i] = malloc(3 * sizeof(double));
        for (int k = 0; k < 3; k++)
            g->table.row[i][k] = i + k / 4.0;
    }
    golden2_set_text(&g->fixed.t, "in a variable");
}

/* Free what golden2_fill or a restore made. */
static inline void golden2_drop(struct golden2 *g)
{
    free(g->values[2].u.text);
    free(g->values[3].u.pair.next);
    free(g->events[2].key.more.s);
    free(g->message->next->next);
    free(g->message->next);
    free(g->message);
    free(g->texts[0]);
    free(g->texts[1]);
    for (int i = 0; i < 70; i++)
        free(g->table.row[i]);
}

static inline bool golden2_good_bits(const struct golden2 *g)
{
    bool good = true;

    for (int i = 0; i < 5; i++) {
        const struct golden2_bits p = golden2_bit_values(i), *q = &g->bits[i];
        good &= p.a == q->a && p.b == q->b && p.c == q->c && p.d == q->d && p.e == q->e &&
                p.f == q->f && p.g == q->g && p.h == q->h && p.i == q->i && p.j == q->j &&
                p.k == q->k && p.l == q->l && p.m == q->m && p.x == q->x;
    }
    for (int i = 0; i < 2; i++) {
        const struct golden2_tight *t = &g->tights[i];
        good &= t->a == 5u - 3u * (unsigned)i && t->c == 'c' + i && t->b == 0x2aaaaaaau >> i &&
                t->d == 100u + 27u * (unsigned)i && t->x == 1.5 - 3.5 * i;
    }
    return good;
}

static inline bool golden2_good_unions(const struct golden2 *g)
{
    const struct golden2_value *v = g->values;
    const union golden2_event *e = g->events;

    return v[0].kind == 0 && v[0].u.i == -77 && v[1].kind == 1 && v[1].u.d == 0.1 &&
           v[2].kind == 7 && !strcmp(v[2].u.text, "text") && v[3].kind == -3 &&
           v[3].u.pair.c == 'p' && v[3].u.pair.s == 9 && v[3].u.pair.next->kind == 1 &&
           v[3].u.pair.next->u.d == 2.5 && v[4].kind == 99 && !memcmp(v[4].u.raw, "\1\2\3", 3) &&
           v[5].kind == -3 && v[5].u.pair.next == &v[5] && g->into == &v[3].u.pair.s &&
           e[0].type == 0 && e[1].motion.type == 1 && e[1].motion.x == -3.5 &&
           e[1].motion.y == 0.25f && e[2].key.type == 2 && e[2].key.parent == &e[1] &&
           e[2].key.mode == 3 && e[2].key.rest == 100 && !strcmp(e[2].key.more.s, "more");
}

static inline bool golden2_good_arrays(const struct golden2 *g)
{
    static const int count[] = {20, 0, 7};
    const struct golden2_message *m = g->message;
    bool good = true;

    for (int k = 0; k < 3; k++, m = m->next) {
        good &= m->tag == 'a' + k && m->mark == 'b' + k && m->n == count[k];
        for (int i = 0; good && i < m->n; i++)
            good &= m->items[i].s == (short)(100 * m->tag + i) &&
                    m->items[i].other == &m->items[m->n - 1 - i];
    }
    good &= m == g->message && g->item == &m->next->next->items[3];
    good &= g->texts[0]->len == 11 && g->texts[0]->c == 'f' && g->texts[1]->len == 1 &&
            !strcmp(g->texts[0]->text, "first text") && !*g->texts[1]->text &&
            g->texts[2] == g->texts[0] && g->inside == g->texts[0]->text;
    good &= g->table.n == 3 && g->table.m == -4;
    for (int i = 0; i < 70 && good; i++) {
        good &= i % 23 ? !g->table.row[i] : g->table.row[i] != NULL;
        for (int k = 0; k < 3 && good && i % 23 == 0; k++)
            good &= g->table.row[i][k] == i + k / 4.0;
    }
    return good && g->fixed.t.len == 14 && g->fixed.t.c == 'i' &&
           !strcmp(g->fixed.t.text, "in a variable");
}

static inline bool golden2_good(const struct golden2 *g)
{
    return golden2_good_unions(g) && golden2_good_bits(g) && golden2_good_arrays(g);
}

#endif
