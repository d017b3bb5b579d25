/* More of unions, bit-fields and flexible array members than forms.c has: sizes compared with this
 * machine's compiler, since each ABI has rules of its own for bits, packing and alignment. */
#include "config.h"

#include "cases.h"
#include "hmf/type.h"
#include "typemap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NVALUES = 6, NITEMS = 200 };

/* ---- unions ---- */

struct value {
    short kind;
    union {
        long i;
        double d;
        char *text;
        long double ld;
        struct { char c; struct value *next; short s; } pair;
        unsigned char raw[3];
    } u;
};
static const int value_desc[] = {
    -2, typeSHORT, typeUNIONELSE, 0, 5, 0, typeLONG, 1, typeDOUBLE, 7, typePOINTER, typeCSTRING,
    8, typeLDOUBLE, -3, -3, typeCHAR, typePOINTER, typeSELF, 1, typeSHORT, typeARRAY, 3, typeUCHAR};

/* ---- bit-fields ---- */

/* Alignment by a field without a name, and bits that share a unit with what is no bit-field. */
struct gaps {
    char a; int : 0; char b; short c : 4; char d; long long : 0; unsigned char e : 3; char f;
};
static const int gaps_desc[] = {-8, typeCHAR, typeBITS, 0, typeINT, typeCHAR, typeBITS, 4, typeSHORT,
                                typeCHAR, typeBITS, 0, typeLLONG, typeBITS, 3, typeUCHAR, typeCHAR};
struct __attribute__((packed)) tight { unsigned a : 3; char b; unsigned c : 30, d : 7; double e; };
static const int tight_desc[] = {typePACKED, -5, typeBITS, 3, typeUINT, typeCHAR, typeBITS, 30,
                                 typeUINT, typeBITS, 7, typeUINT, typeDOUBLE};

/* ---- flexible array members ---- */

struct message {
    unsigned char n;
    char tag;
    struct message *next;
    char mark;
    struct item { short s; struct item *other; double w; } items[];
};
static const int message_desc[] = {
    typePOINTER, -5, typeUCHAR, typeCHAR, typePOINTER, typeSELF, 0, typeCHAR,
    typeFLEX, 0, -3, typeSHORT, typePOINTER, typeSELF, 0, typeDOUBLE};
struct text { int len; char c; char text[]; };
static const int text_desc[] = {typePOINTER, -3, typeINT, typeCHAR, typeFLEX, 0, typeCHAR};

static struct {
    struct value values[NVALUES];
    struct gaps gaps[3];
    struct tight tight[3];
    struct message *message;
    struct text *text;
    char *in_text;
} g;

static hmf_status_t add(hmf_state_t *s, const char *name, void *at, size_t len, size_t one,
                        const int *desc, size_t ndesc)
{
    size_t size = 0;
    hmf_status_t rc = hmf_type_check(desc, ndesc, &size);

    if (rc == HMF_OK && size != one)
        return hmf__fail(HMF_ERR_TYPE, "%s has %zu bytes, but its description %zu", name, one, size);
    return rc == HMF_OK ? hmf_state_add(s, name, at, len, desc, ndesc, NULL) : rc;
}

#define ADD(field, one, desc)                                                                     \
    add(s, "layouts_" #field, &g.field, sizeof g.field, sizeof(one), desc, HETERO_LEN(desc))

static hmf_status_t g_add(hmf_state_t *s)
{
    static const int string[] = {typePOINTER, typeCSTRING};
    hmf_status_t rc;

    if ((rc = ADD(values, struct value, value_desc)) ||
        (rc = ADD(gaps, struct gaps, gaps_desc)) || (rc = ADD(tight, struct tight, tight_desc)) ||
        (rc = ADD(message, g.message, message_desc)) || (rc = ADD(text, g.text, text_desc)))
        return rc;
    return ADD(in_text, g.in_text, string);
}

static struct message *new_message(int n, char tag, struct message *next)
{
    struct message *m = calloc(1, sizeof *m + (size_t)n * sizeof m->items[0]);

    m->n = (unsigned char)n;
    m->tag = tag;
    m->mark = (char)(tag + 1);
    m->next = next;
    for (int i = 0; i < n; i++)
        m->items[i] = (struct item){(short)(100 * tag + i), &m->items[n - 1 - i], i / 32.0};
    return m;
}

static void g_fill(void)
{
    memset(&g, 0, sizeof g);
    g.values[0].u.i = -77;
    g.values[1].kind = 1;
    g.values[1].u.d = 0.1;
    g.values[2].kind = 7;
    g.values[2].u.text = strdup("text of a branch");
    g.values[3].kind = -3;
    g.values[3].u.pair.c = 'p';
    g.values[3].u.pair.next = &g.values[1];
    g.values[3].u.pair.s = 9;
    g.values[4].kind = 99;
    memcpy(g.values[4].u.raw, "\1\2\3", 3);
    g.values[5].kind = 8;
    g.values[5].u.ld = -0.375L;
    for (int n = 0; n < 3; n++) {
        g.gaps[n].a = (char)('a' + n);
        g.gaps[n].b = 'b';
        g.gaps[n].c = -n;
        g.gaps[n].d = 'd';
        g.gaps[n].e = 7 - n;
        g.gaps[n].f = 'f';
        g.tight[n].a = 5 + n;
        g.tight[n].b = 't';
        g.tight[n].c = 0x2badf00 + n;
        g.tight[n].d = 99 + n;
        g.tight[n].e = n / 3.0;
    }
    g.message = new_message(NITEMS, 'a', new_message(0, 'b', new_message(66, 'c', NULL)));
    g.message->next->next->next = g.message;
    g.text = malloc(sizeof *g.text + 12);
    g.text->len = 12;
    g.text->c = 'h';
    memcpy(g.text->text, "hello world", 12);
    g.in_text = g.text->text + 6;
}

static int g_check(void)
{
    int bad = 0;

    HETERO_CHECK(g.values[0].kind == 0 && g.values[0].u.i == -77);
    HETERO_CHECK(g.values[1].kind == 1 && g.values[1].u.d == 0.1);
    HETERO_CHECK(g.values[2].kind == 7 && !strcmp(g.values[2].u.text, "text of a branch"));
    HETERO_CHECK(g.values[3].kind == -3 && g.values[3].u.pair.c == 'p' &&
                 g.values[3].u.pair.next == &g.values[1] && g.values[3].u.pair.s == 9);
    HETERO_CHECK(g.values[4].kind == 99 && !memcmp(g.values[4].u.raw, "\1\2\3", 3));
    HETERO_CHECK(g.values[5].kind == 8 && g.values[5].u.ld == -0.375L);
    for (int n = 0; n < 3; n++) {
        HETERO_CHECK(g.gaps[n].a == 'a' + n && g.gaps[n].b == 'b' && g.gaps[n].c == -n);
        HETERO_CHECK(g.gaps[n].d == 'd' && g.gaps[n].e == 7 - n && g.gaps[n].f == 'f');
        HETERO_CHECK(g.tight[n].a == 5u + n && g.tight[n].b == 't' && g.tight[n].d == 99u + n);
        HETERO_CHECK(g.tight[n].c == 0x2badf00u + n && g.tight[n].e == n / 3.0);
    }
    const struct message *m = g.message;
    for (int k = 0; k < 3; k++, m = m->next) {
        HETERO_CHECK(m->tag == 'a' + k && m->mark == 'b' + k);
        HETERO_CHECK(m->n == (k == 0 ? NITEMS : k == 1 ? 0 : 66));
        for (int i = 0; i < m->n; i++)
            HETERO_CHECK(m->items[i].s == (short)(100 * m->tag + i) && m->items[i].w == i / 32.0 &&
                         m->items[i].other == &m->items[m->n - 1 - i]);
    }
    HETERO_CHECK(m == g.message);
    HETERO_CHECK(g.text->len == 12 && g.text->c == 'h' && !strcmp(g.text->text, "hello world"));
    HETERO_CHECK(g.in_text == g.text->text + 6);
    return bad;
}

static void g_poison(void)
{
    memset(&g, 0x55, sizeof g);
}

const struct hetero_case hetero_layouts = {"layouts", g_add, g_fill, g_check, g_poison};
