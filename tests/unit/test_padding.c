/* An image has no byte that the program did not set: padding in and behind fields, unused bits, the rest
 * of unions, transient fields.  So two states of equal values make equal bytes, whatever stands
 * between them; tests/valgrind.sh runs this program too, and wants no uninitialised byte written. */
#include "config.h"

#include "hmf/type.h"
#include "stream.h"
#include "typemap.h"

#include "pair.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

enum { MANY = 9001 }; /* enough of each to be carried from where they lie, in several pieces */

struct plain {
    char c;
    double d;
    short s;
};
struct bits {
    unsigned a : 3;
    bool b : 1;
    int : 0;
    int c : 12;
    char d;
};
struct mixed {
    int kind;
    union {
        char small;
        long double large;
        struct plain plain[2];
    } u;
    long double real;
    long double _Complex two;
    short transient;
    struct bits bits[3];
};
struct large { /* too large for a mask of its own */
    struct plain rows[500];
    char end;
};
struct node {
    char c;
    struct node *next;
    struct bits bits;
    char *text;
};
struct __attribute__((packed)) packed {
    char c;
    struct plain *to;
    short s;
};

#define PLAIN -3, typeCHAR, typeDOUBLE, typeSHORT
#define BITS -5, typeBITS, 3, typeUINT, typeBITS, 1, typeBOOL, typeBITS, 0, typeINT, typeBITS, 12,\
        typeINT, typeCHAR

static const int d_plain[] = {PLAIN}, d_bits[] = {BITS},
                 d_mixed[] = {-6, typeINT, typeUNION, 0, 3, 0, typeCHAR, 1, typeLDOUBLE, 2,
                              typeARRAY, 2, PLAIN, typeLDOUBLE, typeLDCOMPLEX, typeTRANSIENT,
                              typeSHORT, typeARRAY, 3, BITS},
                 d_large[] = {-2, typeARRAY, 500, PLAIN, typeCHAR},
                 d_node[] = {-4, typeCHAR, typePOINTER, typeSELF, 0, BITS, typePOINTER,
                             typeCSTRING},
                 d_list[] = {typePOINTER, -4, typeCHAR, typePOINTER, typeSELF, 0, BITS,
                             typePOINTER, typeCSTRING},
                 d_packed[] = {typePACKED, -3, typeCHAR, typePOINTER, PLAIN, typeSHORT};

/* Everything of one side, in memory of its own. */
struct side {
    struct plain *plain;
    struct mixed *mixed;
    struct large *large;
    struct bits *bits;
    struct node *list, *array;
    struct packed *packed;
};

static void set_plain(struct plain *p, int i)
{
    p->c = (char)i;
    p->d = i / 3.0;
    p->s = (short)-i;
}

static void set_bits(struct bits *b, int i)
{
    b->a = (unsigned)i & 7;
    b->b = i & 8;
    b->c = i % 2000 - 1000;
    b->d = (char)(i + 1);
}

static void set_node(struct node *n, int i, struct node *next)
{
    n->c = (char)i;
    n->next = next;
    set_bits(&n->bits, i);
    n->text = NULL;
}

static void set_mixed(struct mixed *m, int i)
{
    m->kind = i % 3;
    if (m->kind == 0) {
        m->u.small = (char)i;
    } else if (m->kind == 1) {
        m->u.large = i;
    } else {
        set_plain(&m->u.plain[0], i);
        set_plain(&m->u.plain[1], -i);
    }
    m->real = i / 7.0L;
    ((long double *)&m->two)[0] = i;
    ((long double *)&m->two)[1] = -i;
    m->transient = (short)i;
    for (int k = 0; k < 3; k++)
        set_bits(&m->bits[k], i + k);
}

/* fill < 0: as malloc gives it. */
static void *room(size_t bytes, int fill)
{
    void *p = malloc(bytes);

    return fill >= 0 ? memset(p, fill, bytes) : p;
}

static void build(struct side *s, int fill)
{
    s->plain = room(MANY * sizeof *s->plain, fill);
    s->mixed = room(MANY * sizeof *s->mixed, fill);
    s->large = room(20 * sizeof *s->large, fill);
    s->bits = room(MANY * sizeof *s->bits, fill);
    s->array = room(30 * sizeof *s->array, fill);
    s->packed = room(3 * sizeof *s->packed, fill);
    for (int i = 0; i < MANY; i++) {
        set_plain(&s->plain[i], i);
        set_mixed(&s->mixed[i], i);
        set_bits(&s->bits[i], i);
    }
    for (int i = 0; i < 20; i++) {
        for (int k = 0; k < 500; k++)
            set_plain(&s->large[i].rows[k], i + k);
        s->large[i].end = (char)i;
    }
    s->list = NULL;
    for (int i = 0; i < 200; i++) {
        struct node *n = room(sizeof *n, fill);
        set_node(n, i, s->list);
        s->list = n;
    }
    for (int i = 0; i < 30; i++)
        set_node(&s->array[i], i, &s->array[(i + 7) % 30]);
    for (int i = 0; i < 3; i++)
        s->packed[i] = (struct packed){(char)i, &s->plain[i], (short)i};
}

static void drop(struct side *s)
{
    for (struct node *n = s->list, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    free(s->plain);
    free(s->mixed);
    free(s->large);
    free(s->bits);
    free(s->array);
    free(s->packed);
}

static void enroll(hmf_state_t *state, struct side *s)
{
    GOOD(hmf_state_add(state, "plain", s->plain, MANY * sizeof *s->plain, d_plain, LEN(d_plain), NULL));
    GOOD(hmf_state_add(state, "mixed", s->mixed, MANY * sizeof *s->mixed, d_mixed, LEN(d_mixed), NULL));
    GOOD(hmf_state_add(state, "large", s->large, 20 * sizeof *s->large, d_large, LEN(d_large), NULL));
    GOOD(hmf_state_add(state, "bits", s->bits, MANY * sizeof *s->bits, d_bits, LEN(d_bits), NULL));
    GOOD(hmf_state_add(state, "list", &s->list, sizeof s->list, d_list, LEN(d_list), NULL));
    GOOD(hmf_state_add(state, "array", s->array, 30 * sizeof *s->array, d_node, LEN(d_node), NULL));
    GOOD(hmf_state_add(state, "packed", s->packed, 3 * sizeof *s->packed, d_packed, LEN(d_packed), NULL));
}

static void stream_of(hmf_state_t *state, struct hmf__buf *out)
{
    hmf_image_t *image;

    GOOD(hmf_image_capture(state, &image));
    GOOD(hmf__stream_write(image, hmf__stream_put_buf, out));
    hmf_image_free(image);
}

static bool plain_equal(const struct plain *p, const struct plain *q)
{
    return p->c == q->c && p->d == q->d && p->s == q->s;
}

static bool mixed_equal(const struct mixed *p, const struct mixed *q)
{
    const struct plain *pp = p->u.plain, *qp = q->u.plain;

    return p->kind == q->kind && p->real == q->real && p->two == q->two && q->transient == 0 &&
           p->bits[2].c == q->bits[2].c && p->bits[0].a == q->bits[0].a &&
           (p->kind == 0   ? p->u.small == q->u.small
            : p->kind == 1 ? p->u.large == q->u.large
                           : plain_equal(pp, qp) && plain_equal(pp + 1, qp + 1));
}

static void equal_bytes(void)
{
    struct side x, y;
    struct hmf__buf one = HMF__BUF_INIT, two = HMF__BUF_INIT;
    struct carried c, d;

    build(&x, 0xaa);
    build(&y, 0x55);
    begin();
    enroll(a, &x);
    enroll(b, &y);
    stream_of(a, &one);
    stream_of(b, &two);
    CU_ASSERT_EQUAL_FATAL(one.len, two.len);
    CU_ASSERT(!memcmp(one.data, two.data, one.len));
    GOOD(carry_take(a, &c)); /* in other pieces */
    GOOD(carry_take(b, &d));
    for (size_t i = 0; i < c.nsegments; i++)
        CU_ASSERT(c.bytes[i] == d.bytes[i] && !memcmp(c.segment[i], d.segment[i], c.bytes[i]));
    memset(y.plain, 0, MANY * sizeof *y.plain);
    memset(y.mixed, 0xff, MANY * sizeof *y.mixed);
    struct node *before = y.list;
    GOOD(carry_give(&c, b));
    bool good = true;
    for (int i = 0; i < MANY; i++)
        good &= plain_equal(&x.plain[i], &y.plain[i]) && mixed_equal(&x.mixed[i], &y.mixed[i]) &&
                x.bits[i].c == y.bits[i].c && x.bits[i].a == y.bits[i].a;
    for (int i = 0; i < 20; i++)
        good &= plain_equal(&x.large[i].rows[499], &y.large[i].rows[499]);
    CU_ASSERT(good);
    CU_ASSERT(y.list != before && y.list->next->bits.c == x.list->next->bits.c);
    CU_ASSERT_PTR_EQUAL(y.array[3].next, &y.array[10]);
    CU_ASSERT_PTR_EQUAL(y.packed[2].to, &y.plain[2]);
    carry_drop(&c);
    carry_drop(&d);
    hmf__buf_fini(&one);
    hmf__buf_fini(&two);
    end();
    for (struct node *n = before, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    drop(&x);
    drop(&y);
}

static void uninitialised(void)
{
    struct side x;
    hmf_image_t *image;
    int fd = open("padding.image", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CU_ASSERT_FATAL(fd >= 0);
    build(&x, -1);
    begin();
    enroll(a, &x);
    GOOD(hmf_image_capture(a, &image));
    GOOD(hmf__stream_write(image, hmf__stream_put_fd, &fd));
    hmf_image_free(image);
    end();
    close(fd);
    unlink("padding.image");
    drop(&x);
}

/* Each allocation fails once. */
static void no_memory(void)
{
    static struct mixed few[2];
    hmf_status_t rc = HMF_ERR_NOMEM;

    begin();
    ADD(a, "few", few, d_mixed);
    for (long n = 1; rc != HMF_OK && n < 500; n++) {
        struct carried c;
        hmf__alloc_fail_at(n);
        rc = carry_take(a, &c);
        hmf__alloc_fail_at(0);
        if (rc == HMF_OK)
            carry_drop(&c);
        else
            CU_ASSERT_EQUAL(rc, HMF_ERR_NOMEM);
    }
    CU_ASSERT_EQUAL(rc, HMF_OK);
    end();
}

static const struct unit_test tests[] = {
    {"equal values, equal bytes", equal_bytes},
    {"memory as malloc gives it", uninitialised},
    {"no memory", no_memory},
};
UNIT_MAIN("padding", tests)
