/* Images: what is captured comes back in another state, with its shape. */
#include "config.h"

#include "typemap.h"

#include "pair.h"

#include <stdio.h>

static const int type_int[] = {typeINT};

static void state_rules(void)
{
    int x, y;

    begin();
    CU_ASSERT_EQUAL(hmf_state_add(a, "x", &x, sizeof x, type_int, 1, NULL), HMF_OK);
    BAD(hmf_state_add(a, "x", &y, sizeof y, type_int, 1, NULL), HMF_ERR_NAME, "x");
    BAD(hmf_state_add(a, "y", &x, sizeof x, type_int, 1, NULL), HMF_ERR_NAME, "x");
    BAD(hmf_state_add(a, "y", &y, 3, type_int, 1, NULL), HMF_ERR_ARG, "variable y has 3 bytes");
    BAD(hmf_state_add(a, "y", &y, 0, type_int, 1, NULL), HMF_ERR_ARG, "size");
    BAD(hmf_state_add(a, "", &y, 4, type_int, 1, NULL), HMF_ERR_ARG, "name");
    BAD(hmf_state_add(a, "y", NULL, 4, type_int, 1, NULL), HMF_ERR_ARG, "address");
    int wrong[] = {typeARRAY, 3};
    BAD(hmf_state_add(a, "y", &y, 4, wrong, 2, NULL), HMF_ERR_TYPE, "variable y: type description");
    CU_ASSERT_EQUAL(hmf_state_count(a), 1);
    CU_ASSERT_STRING_EQUAL(hmf__state_var(a, 0)->name, "x");
    CU_ASSERT_PTR_NULL(hmf__state_var(a, 1));
    CU_ASSERT_EQUAL(hmf_state_add(a, "y", &y, sizeof y, type_int, 1, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_remove_name(a, "x"), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_remove_name(a, "x"), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(hmf_state_remove_addr(a, &x), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(hmf_state_remove_addr(a, &y), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_count(a), 0);
    end();
}

static void empty(void)
{
    begin();
    GOOD(carry(a, b));
    end();
}

static void scalars(void)
{
    int i = -5, i2 = 0, d_int[] = {typeINT}, d_double[] = {typeDOUBLE};
    static double grid[100][30], grid2[100][30];
    char text[8] = "hello", text2[8] = "", c = 'x', c2 = 0;
    int d_text[] = {typeFSTRING, 8}, d_char[] = {typeCHAR};
    long double ld = 1.0L / 3, ld2 = 0;
    int d_ld[] = {typeLDOUBLE};

    begin();
    for (int k = 0; k < 3000; k++)
        grid[k / 30][k % 30] = k * 0.25;
    ADD(a, "i", i, d_int);
    ADD(a, "grid", grid, d_double);
    ADD(a, "text", text, d_text);
    ADD(a, "c", c, d_char);
    ADD(a, "ld", ld, d_ld);
    ADD(b, "ld", ld2, d_ld); /* another order */
    ADD(b, "c", c2, d_char);
    ADD(b, "text", text2, d_text);
    ADD(b, "grid", grid2, d_double);
    ADD(b, "i", i2, d_int);
    GOOD(carry(a, b));
    CU_ASSERT_EQUAL(i2, -5);
    CU_ASSERT_EQUAL(memcmp(grid, grid2, sizeof grid), 0);
    CU_ASSERT_STRING_EQUAL(text2, "hello");
    CU_ASSERT_EQUAL(c2, 'x');
    CU_ASSERT(ld == ld2);
    end();
}

static void large_in_place(void)
{
    enum { N = 1 << 20 };
    double *x = malloc(N * sizeof *x), *y = calloc(N, sizeof *y), *px = x, *py = NULL;
    int d[] = {typePOINTER, typeARRAY, N, typeDOUBLE}, d_x[] = {typeDOUBLE};
    hmf_image_t *image;

    begin();
    for (int k = 0; k < N; k++)
        x[k] = k;
    /* registered and pointed to: one block, sent from and received where it lies */
    CU_ASSERT_EQUAL(hmf_state_add(a, "x", x, N * sizeof *x, d_x, 1, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(b, "x", y, N * sizeof *x, d_x, 1, NULL), HMF_OK);
    ADD(a, "px", px, d);
    ADD(b, "px", py, d);
    GOOD(hmf_image_capture(a, &image));
    CU_ASSERT_EQUAL(hmf_meta_ntables(hmf_image_parsed(image)), 2);
    CU_ASSERT_EQUAL(hmf_image_segment(image, 1)->kind, HMF__SEG_DATA);
    CU_ASSERT_EQUAL(hmf_image_segment(image, 1)->niov, 1);
    CU_ASSERT_PTR_EQUAL(hmf_image_segment(image, 1)->iov[0].iov_base, x);
    hmf_image_free(image);
    GOOD(carry(a, b));
    CU_ASSERT_EQUAL(memcmp(x, y, N * sizeof *x), 0);
    CU_ASSERT_PTR_EQUAL(py, y);
    free(x);
    free(y);
    end();
}

struct node {
    int value;
    struct node *next, *other;
};

static const int d_list[] = {typePOINTER, -3, typeINT, typePOINTER, typeSELF, 0, typePOINTER,
                             typeSELF, 0};

static struct node *make_ring(int n)
{
    struct node *first = NULL, *last = NULL;

    for (int i = 0; i < n; i++) {
        struct node *x = calloc(1, sizeof *x);
        x->value = i;
        x->other = first;
        if (last)
            last->next = x;
        else
            first = x;
        last = x;
    }
    last->next = first;
    return first;
}

static void free_ring(struct node *first)
{
    struct node *x = first;

    do {
        struct node *next = x->next;
        free(x);
        x = next;
    } while (x != first);
}

static void rings(void)
{
    struct node *x = make_ring(1000), *y = NULL, *also = x->next->next, *also2 = NULL;

    begin();
    ADD(a, "ring", x, d_list);
    ADD(a, "also", also, d_list);
    ADD(b, "ring", y, d_list);
    ADD(b, "also", also2, d_list);
    GOOD(carry(a, b));
    struct node *p = y;
    for (int i = 0; i < 1000; i++, p = p->next) {
        CU_ASSERT_EQUAL(p->value, i);
        CU_ASSERT_PTR_EQUAL(p->other, i ? y : NULL);
    }
    CU_ASSERT_PTR_EQUAL(p, y);
    CU_ASSERT_PTR_EQUAL(also2, y->next->next);
    CU_ASSERT_PTR_NOT_EQUAL(x, y);
    free_ring(x);
    free_ring(y);
    end();
}

/* Pointers to the inside: first member, element, one past the end, registered variables. */
static void interior(void)
{
    struct pair {
        double v;
        int k;
    };
    struct all {
        struct pair in[10];
        struct pair *some, *end;
        double *first, *third;
        int *k;
        struct all *self;
        double *global;
        double *global_end;
    };
    static double g1[20], g2[20];
    struct all x = {0}, y = {0};
    double *heap = malloc(8 * sizeof *heap), *heap2 = NULL, *mid = heap + 3, *mid2 = NULL;
    double *past = heap + 8, *past2 = NULL;
    int d[] = {-9, typeARRAY, 10, -2, typeDOUBLE, typeINT, typePOINTER, -2, typeDOUBLE, typeINT,
               typePOINTER, -2, typeDOUBLE, typeINT, typePOINTER, typeDOUBLE, typePOINTER,
               typeDOUBLE, typePOINTER, typeINT, typePOINTER, typeSELF, 0, typePOINTER, typeDOUBLE,
               typePOINTER, typeDOUBLE};
    int d_heap[] = {typePOINTER, typeARRAY, 8, typeDOUBLE}, d_mid[] = {typePOINTER, typeDOUBLE};
    int d_g[] = {typeDOUBLE};

    begin();
    for (int i = 0; i < 8; i++)
        heap[i] = i;
    for (int i = 0; i < 10; i++)
        x.in[i] = (struct pair){i * 1.5, i};
    for (int i = 0; i < 20; i++)
        g1[i] = 100 + i;
    x.some = &x.in[4];
    x.end = x.in + 10;
    x.first = &x.in[0].v;
    x.third = &x.in[3].v;
    x.k = &x.in[7].k;
    x.self = &x;
    x.global = &g1[5];
    x.global_end = g1 + 20;
    ADD(a, "mid", mid, d_mid); /* before the pointer that tells its extent */
    ADD(a, "past", past, d_mid);
    ADD(a, "x", x, d);
    ADD(a, "heap", heap, d_heap);
    ADD(a, "g", g1, d_g);
    ADD(b, "mid", mid2, d_mid);
    ADD(b, "past", past2, d_mid);
    ADD(b, "x", y, d);
    ADD(b, "heap", heap2, d_heap);
    ADD(b, "g", g2, d_g);
    GOOD(carry(a, b));
    CU_ASSERT_PTR_EQUAL(y.some, &y.in[4]);
    CU_ASSERT_PTR_EQUAL(y.end, y.in + 10); /* where a field of another type begins */
    CU_ASSERT_PTR_EQUAL(y.first, &y.in[0].v);
    CU_ASSERT_PTR_EQUAL(y.third, &y.in[3].v);
    CU_ASSERT_PTR_EQUAL(y.k, &y.in[7].k);
    CU_ASSERT_PTR_EQUAL(y.self, &y);
    CU_ASSERT_PTR_EQUAL(y.global, &g2[5]);
    CU_ASSERT_PTR_EQUAL(y.global_end, g2 + 20);
    CU_ASSERT_PTR_EQUAL(mid2, heap2 + 3);
    CU_ASSERT_PTR_EQUAL(past2, heap2 + 8);
    CU_ASSERT_EQUAL(*mid2, 3);
    CU_ASSERT_EQUAL(y.in[9].v, 13.5);
    free(heap);
    free(heap2);
    end();
}

static void strings(void)
{
    char *words[4] = {strdup("one"), NULL, strdup(""), NULL}, *words2[4];
    char fixed[8] = "abcdefg", fixed2[8];
    int d[] = {typePOINTER, typeCSTRING}, d_fixed[] = {typeFSTRING, 8};

    begin();
    words[3] = words[0] + 1; /* shares the tail of "one" */
    words[1] = fixed + 2;
    ADD(a, "words", words, d);
    ADD(a, "fixed", fixed, d_fixed);
    ADD(b, "words", words2, d);
    ADD(b, "fixed", fixed2, d_fixed);
    GOOD(carry(a, b));
    CU_ASSERT_STRING_EQUAL(words2[0], "one");
    CU_ASSERT_PTR_EQUAL(words2[1], fixed2 + 2);
    CU_ASSERT_STRING_EQUAL(words2[1], "cdefg");
    CU_ASSERT_STRING_EQUAL(words2[2], "");
    CU_ASSERT_PTR_EQUAL(words2[3], words2[0] + 1);
    free(words[0]);
    free(words[2]);
    free(words2[0]);
    free(words2[2]);
    end();
}

/* A registered array of pointers, larger than what is written out; pointers to pointers. */
static void many_pointers(void)
{
    enum { N = 300 };
    struct {
        int n;
        int *p[N];
    } x = {N, {0}}, y;
    int d[] = {-2, typeINT, typeARRAY, N, typePOINTER, typeINT};
    int **pp = malloc(3 * sizeof *pp), **pp2 = NULL;
    int d_pp[] = {typePOINTER, typeARRAY, 3, typePOINTER, typeINT};

    begin();
    for (int i = 0; i < N; i++)
        if (i % 3) {
            x.p[i] = malloc(sizeof(int));
            *x.p[i] = i;
        }
    pp[0] = x.p[1];
    pp[1] = NULL;
    pp[2] = x.p[298];
    ADD(a, "x", x, d);
    ADD(a, "pp", pp, d_pp);
    ADD(b, "x", y, d);
    ADD(b, "pp", pp2, d_pp);
    GOOD(carry(a, b));
    for (int i = 0; i < N; i++)
        if (i % 3)
            CU_ASSERT_EQUAL(*y.p[i], i);
    CU_ASSERT_PTR_NULL(y.p[0]);
    CU_ASSERT_PTR_EQUAL(pp2[0], y.p[1]);
    CU_ASSERT_PTR_EQUAL(pp2[2], y.p[298]);
    for (int i = 0; i < N; i++) {
        free(x.p[i]);
        free(y.p[i]);
    }
    free(pp);
    free(pp2);
    end();
}

/* A variable inside another one. */
static void inside(void)
{
    int grid[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, grid2[10] = {0}, apart[3] = {0};

    begin();
    ADD(a, "grid", grid, type_int);
    CU_ASSERT_EQUAL(hmf_state_add(a, "part", grid + 4, 3 * sizeof(int), type_int, 1, NULL),
                    HMF_OK);
    ADD(b, "grid", grid2, type_int);
    ADD(b, "part", apart, type_int); /* here it is not inside */
    GOOD(carry(a, b));
    CU_ASSERT_EQUAL(grid2[5], 5);
    CU_ASSERT_EQUAL(apart[0], 4);
    CU_ASSERT_EQUAL(apart[2], 6);
    end();
}

static void wild_pointers(void)
{
    struct node *x = calloc(2, sizeof *x);
    struct box {
        struct node *nodes[2];
        char *text;
    } box = {0}, *pbox = &box;
    int d[] = {typePOINTER, -2, typeARRAY, 2, typePOINTER, -3, typeINT, typePOINTER, typeSELF, 0,
               typePOINTER, typeSELF, 0, typePOINTER, typeCSTRING};
    const char *const names[] = {"nodes", "text", "value", "next", "other", NULL};
    const char *const order[] = {"nodes", "value", "next", "other", "text", NULL};
    hmf_image_t *image;

    begin();
    (void)names;
    CU_ASSERT_EQUAL_FATAL(hmf_state_add(a, "sim", &pbox, sizeof pbox, d, LEN(d), order), HMF_OK);
    box.nodes[1] = x;
    x->other = (struct node *)16;
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "sim->nodes[1]->other = 0x10 leads to");
    x->other = NULL;
    box.text = (char *)24;
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "sim->text = 0x18");
    box.text = NULL;
    pbox = (struct box *)32;
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "sim = 0x20");
    pbox = &box;
    box.nodes[0] = (struct node *)((char *)x + 4); /* overlaps x, fits nothing there */
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "share memory");
    box.nodes[0] = NULL;
    GOOD(hmf_image_capture(a, &image));
    hmf_image_free(image);
    free(x);
    end();
}

static void mismatches(void)
{
    int i = 1, j = 2;
    double d = 1;
    int d_double[] = {typeDOUBLE}, d_two[] = {-2, typeINT, typeDOUBLE},
        d_other[] = {-2, typeINT, typeFLOAT};
    struct {
        int a;
        double b;
    } s = {0};
    struct {
        int a;
        float b;
    } f;
    struct node *p = NULL, *q;
    struct carried c;

    begin();
    ADD(a, "i", i, type_int);
    BAD(carry(a, b), HMF_ERR_MISMATCH, "variable i, which is not registered");
    ADD(b, "i", j, type_int);
    ADD(b, "d", d, d_double);
    BAD(carry(a, b), HMF_ERR_MISMATCH, "d is registered, but");
    CU_ASSERT_EQUAL(hmf_state_remove_name(b, "d"), HMF_OK);
    GOOD(carry(a, b));
    CU_ASSERT_EQUAL(hmf_state_remove_name(b, "i"), HMF_OK);
    ADD(b, "i", d, d_double);
    BAD(carry(a, b), HMF_ERR_MISMATCH, "variable i: saved as int, registered as double");
    CU_ASSERT_EQUAL(hmf_state_remove_name(b, "i"), HMF_OK);
    int two[2];
    ADD(b, "i", two, type_int);
    BAD(carry(a, b), HMF_ERR_MISMATCH, "saved as 1 elements");
    CU_ASSERT_EQUAL(hmf_state_remove_name(b, "i"), HMF_OK);
    ADD(b, "i", j, type_int);
    ADD(a, "s", s, d_two);
    ADD(b, "s", f, d_other);
    BAD(carry(a, b), HMF_ERR_MISMATCH, "variable s: field f1: saved as double");
    CU_ASSERT_EQUAL(hmf_state_remove_name(b, "s"), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_remove_name(a, "s"), HMF_OK);
    ADD(a, "p", p, d_list);
    int d_shorter[] = {typePOINTER, -2, typeINT, typePOINTER, typeSELF, 0};
    ADD(b, "p", q, d_shorter);
    BAD(carry(a, b), HMF_ERR_MISMATCH, "variable p");
    GOOD(carry_take(a, &c));
    c.meta[20] ^= 1;
    BAD(carry_give(&c, b), HMF_ERR_CHECKSUM, "damaged");
    c.meta[20] ^= 1;
    c.meta[8] = 99;
    BAD(carry_give(&c, b), HMF_ERR_VERSION, "version 99");
    c.meta[0] = 'X';
    BAD(carry_give(&c, b), HMF_ERR_FORMAT, "no image");
    carry_drop(&c);
    end();
}

/* Bytes that lie: counts, references, cut metas never harm; run under a sanitizer. */
static void damaged(void)
{
    struct node *x = make_ring(5), *y = NULL;
    char *words[2] = {strdup("some"), NULL}, *words2[2];
    int d[] = {typePOINTER, typeCSTRING};
    struct carried c;
    hmf_meta_t *m;

    begin();
    words[1] = words[0] + 2;
    ADD(a, "ring", x, d_list);
    ADD(a, "words", words, d);
    ADD(b, "ring", y, d_list);
    ADD(b, "words", words2, d);
    GOOD(carry_take(a, &c));
    for (size_t n = 0; n < c.meta_len; n++)
        CU_ASSERT_NOT_EQUAL(hmf_meta_parse(c.meta, n, &m), HMF_OK);
    /* every byte of the meta wrong, with a right checksum: parsed or refused, never worse */
    for (size_t n = 16; n + 4 < c.meta_len; n++)
        for (int bit = 0; bit < 8; bit++) {
            c.meta[n] ^= (unsigned char)(1 << bit);
            uint32_t crc = hmf__crc32c(0, c.meta, c.meta_len - 4);
            for (int k = 0; k < 4; k++)
                c.meta[c.meta_len - 4 + (size_t)k] = (unsigned char)(crc >> (8 * k));
            if (hmf_meta_parse(c.meta, c.meta_len, &m) == HMF_OK)
                hmf_meta_free(m);
            c.meta[n] ^= (unsigned char)(1 << bit);
        }
    uint32_t crc = hmf__crc32c(0, c.meta, c.meta_len - 4);
    for (int k = 0; k < 4; k++)
        c.meta[c.meta_len - 4 + (size_t)k] = (unsigned char)(crc >> (8 * k));
    /* every byte of counts and references wrong */
    GOOD(hmf_meta_parse(c.meta, c.meta_len, &m));
    size_t refused = 0;
    for (size_t i = 0; i < c.nsegments; i++) {
        if (hmf_meta_segment(m, i)->kind == HMF__SEG_DATA)
            continue;
        for (uint64_t at = 0; at < c.bytes[i]; at++) {
            unsigned char keep = c.segment[i][at];
            c.segment[i][at] ^= 0xff;
            if (hmf_meta_segment(m, i)->kind == HMF__SEG_COUNTS || at % 4 == 3) {
                CU_ASSERT_EQUAL(carry_give(&c, b), HMF_ERR_FORMAT);
                refused++;
            }
            c.segment[i][at] = keep;
        }
    }
    CU_ASSERT(refused > 10);
    hmf_meta_free(m);
    GOOD(carry_give(&c, b));
    CU_ASSERT_STRING_EQUAL(words2[1], "me");
    free_ring(y);
    free(words2[0]);
    carry_drop(&c);
    free_ring(x);
    free(words[0]);
    end();
}

static void wrong_order(void)
{
    int x = 1;
    hmf_image_t *image;
    hmf_restore_t *r;
    const struct iovec *iov;
    size_t len, niov;
    uint64_t bytes;

    begin();
    ADD(a, "x", x, type_int);
    GOOD(hmf_image_capture(a, &image));
    const void *meta = hmf_image_meta(image, &len);
    GOOD(hmf_restore_begin(a, meta, len, &r));
    CU_ASSERT_EQUAL(hmf_restore_segment(r, 1, &iov, &niov, &bytes), HMF_ERR_STATE);
    CU_ASSERT_EQUAL(hmf_restore_segment_done(r, 0), HMF_ERR_STATE);
    CU_ASSERT_EQUAL(hmf_restore_finish(r), HMF_ERR_STATE);
    GOOD(hmf_restore_begin(a, meta, len, &r));
    GOOD(hmf_restore_segment(r, 0, &iov, &niov, &bytes));
    CU_ASSERT_EQUAL(hmf_restore_segment(r, 0, &iov, &niov, &bytes), HMF_ERR_STATE);
    hmf_restore_abort(r);
    hmf_restore_abort(NULL);
    hmf_image_free(image);
    hmf_image_free(NULL);
    end();
}

static void no_memory(void)
{
    struct node *x = make_ring(3), *y = NULL;
    double big[3] = {1, 2, 3}, big2[3];
    int d_big[] = {typeDOUBLE};
    hmf_status_t rc = HMF_ERR_NOMEM;

    begin();
    ADD(a, "ring", x, d_list);
    ADD(a, "big", big, d_big);
    ADD(b, "ring", y, d_list);
    ADD(b, "big", big2, d_big);
    for (long n = 1; rc == HMF_ERR_NOMEM && n < 1000; n++) {
        hmf__alloc_fail_at(n);
        rc = carry(a, b);
        hmf__alloc_fail_at(0);
    }
    CU_ASSERT_EQUAL(rc, HMF_OK);
    free_ring(x);
    free_ring(y);
    end();
}

/* Long chains and wide fans on the default stack. */
static void many_nodes(void)
{
    enum { N = 200000 };
    struct node *x = make_ring(N), *y = NULL;

    begin();
    ADD(a, "ring", x, d_list);
    ADD(b, "ring", y, d_list);
    GOOD(carry(a, b));
    struct node *p = y;
    long sum = 0;
    for (int i = 0; i < N; i++, p = p->next)
        sum += p->value == i;
    CU_ASSERT_EQUAL(sum, N);
    CU_ASSERT_PTR_EQUAL(p, y);
    free_ring(x);
    free_ring(y);
    end();
}

static const struct unit_test tests[] = {
    {"rules of registering", state_rules},
    {"empty state", empty},
    {"scalars, arrays, text", scalars},
    {"large blocks in place", large_in_place},
    {"rings and sharing", rings},
    {"interior pointers", interior},
    {"strings", strings},
    {"many pointers", many_pointers},
    {"a variable inside another", inside},
    {"wild pointers", wild_pointers},
    {"mismatches", mismatches},
    {"damaged bytes", damaged},
    {"wrong order", wrong_order},
    {"every allocation fails once", no_memory},
    {"many nodes", many_nodes},
};

UNIT_MAIN("image", tests)
