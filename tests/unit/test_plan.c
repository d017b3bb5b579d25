/* Plans between machines: images of foreign writers are restored here, value by value. */
#include "config.h"

#include "carry.h"
#include "convert.h"
#include "meta.h"
#include "plan.h"
#include "typemap.h"

#include "unit.h"

#include <complex.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static const struct hmf__abi abis[] = {
    {0, 8, 1, 8, HMF__LD_X87, 16, 16},  /* x86-64 */
    {0, 8, 0, 8, HMF__LD_QUAD, 16, 16}, /* aarch64 */
    {1, 8, 0, 8, HMF__LD_QUAD, 16, 8},  /* s390x */
    {0, 4, 1, 4, HMF__LD_X87, 12, 4},   /* i386 */
    {0, 4, 0, 8, HMF__LD_DOUBLE, 8, 8}, /* armhf */
    {1, 4, 0, 8, HMF__LD_PAIR, 16, 16}, /* powerpc */
    {1, 4, 1, 2, HMF__LD_X87, 12, 2},   /* m68k */
};

struct rec {
    int code;
    char key;
    double x[3];
    long id;
    unsigned short u[2];
    bool yes;
    struct {
        float f;
        short s;
    } in[20];
    float complex z;
    unsigned long big;
};

static const int d_rec[] = {-9, typeINT, typeCHAR, typeARRAY, 3, typeDOUBLE, typeLONG, typeARRAY,
                            2, typeUSHORT, typeBOOL, typeARRAY, 20, -2, typeFLOAT, typeSHORT,
                            typeFCOMPLEX, typeULONG};

static void fill(struct rec *r, int k)
{
    memset(r, 0, sizeof *r);
    r->code = -k;
    r->key = (char)k;
    r->x[0] = k * 0.5;
    r->x[1] = -0.0;
    r->x[2] = 1e300 * k;
    r->id = -1000000L * k;
    r->u[0] = 65535;
    r->u[1] = (unsigned short)k;
    r->yes = k & 1;
    for (int i = 0; i < 20; i++) {
        r->in[i].f = (float)(i + k);
        r->in[i].s = (short)(i - k);
    }
    r->z = (float)k + 2.0f * I;
    r->big = 4000000000u;
}

/* native -> foreign -> native gives the same, on every machine, for every count. */
static void there_and_back(void)
{
    enum { N = 300 };
    struct rec *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    struct hmf__types n, f;
    struct hmf__plan *out, *in;
    uint32_t id, foreign;

    for (int k = 0; k < N; k++)
        fill(&x[k], k);
    for (size_t i = 0; i < LEN(abis); i++) {
        hmf__types_init(&n, NULL);
        hmf__types_init(&f, &abis[i]);
        GOOD(hmf__abi_check(&abis[i]));
        GOOD(hmf__types_compile(&n, d_rec, LEN(d_rec), NULL, &id));
        GOOD(hmf__types_compile(&f, d_rec, LEN(d_rec), NULL, &foreign));
        CU_ASSERT_EQUAL(n.v[id].size, sizeof(struct rec));
        GOOD(hmf__plan_make(&n, id, &f, foreign, &out));
        GOOD(hmf__plan_make(&f, foreign, &n, id, &in));
        CU_ASSERT_EQUAL(hmf__plan_same(out), i == 0 ? hmf__plan_same(in) : hmf__plan_same(out));
        for (uint64_t count = 0; count <= N; count += count < 4 ? 1 : 37) {
            char *bytes = malloc(count * f.v[foreign].size + 1);
            memset(bytes, 0xaa, count * f.v[foreign].size + 1);
            memset(y, 0, N * sizeof *y);
            GOOD(hmf__plan_run(out, x, bytes, count));
            GOOD(hmf__plan_run(in, bytes, y, count));
            for (uint64_t k = 0; k < count; k++) {
                CU_ASSERT_EQUAL(x[k].code, y[k].code);
                CU_ASSERT_EQUAL(x[k].key, y[k].key);
                CU_ASSERT_EQUAL(memcmp(x[k].x, y[k].x, sizeof x[k].x), 0);
                CU_ASSERT_EQUAL(x[k].id, y[k].id);
                CU_ASSERT_EQUAL(memcmp(x[k].u, y[k].u, sizeof x[k].u), 0);
                CU_ASSERT_EQUAL(x[k].yes, y[k].yes);
                CU_ASSERT(x[k].z == y[k].z);
                CU_ASSERT_EQUAL(x[k].big, y[k].big);
                for (int j = 0; j < 20; j++) {
                    CU_ASSERT_EQUAL(x[k].in[j].f, y[k].in[j].f);
                    CU_ASSERT_EQUAL(x[k].in[j].s, y[k].in[j].s);
                }
            }
            free(bytes);
        }
        hmf__plan_free(out);
        hmf__plan_free(in);
        hmf__types_fini(&n);
        hmf__types_fini(&f);
    }
    free(x);
    free(y);
}

/* Bytes written out by hand, as m68k and i386 have them. */
static void known_bytes(void)
{
    static const int d[] = {-3, typeCHAR, typeINT, typeLONG};
    static const unsigned char m68k[] = {7, 0, 0xff, 0xff, 0xff, 0xfe, 0x00, 0x00, 0x01, 0x00};
    static const unsigned char i386[] = {7, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0, 1, 0, 0};
    struct {
        char c;
        int i;
        long l;
    } y;
    struct hmf__types n, f;
    struct hmf__plan *plan;
    uint32_t id, foreign;

    for (int k = 0; k < 2; k++) {
        hmf__types_init(&n, NULL);
        hmf__types_init(&f, &abis[k ? 3 : 6]);
        GOOD(hmf__types_compile(&n, d, LEN(d), NULL, &id));
        GOOD(hmf__types_compile(&f, d, LEN(d), NULL, &foreign));
        CU_ASSERT_EQUAL(f.v[foreign].size, k ? sizeof i386 : sizeof m68k);
        GOOD(hmf__plan_make(&f, foreign, &n, id, &plan));
        GOOD(hmf__plan_run(plan, k ? i386 : m68k, &y, 1));
        CU_ASSERT_EQUAL(y.c, 7);
        CU_ASSERT_EQUAL(y.i, -2);
        CU_ASSERT_EQUAL(y.l, 256);
        hmf__plan_free(plan);
        hmf__types_fini(&n);
        hmf__types_fini(&f);
    }
}

static void out_of_range(void)
{
    static const int d[] = {-2, typeINT, typeARRAY, 2, typeLONG}, d_u[] = {typeULONG};
    struct {
        int i;
        long l[2];
    } x[3] = {{0}};
    static const char *const names[] = {"i", "l", NULL};
    unsigned long u[200] = {0};
    struct hmf__types n, f;
    struct hmf__plan *plan;
    uint32_t id, foreign;
    char bytes[2000];

    if (sizeof(long) == 4)
        return;
    hmf__types_init(&n, NULL);
    for (size_t i = 3; i < LEN(abis); i++) {
        hmf__types_init(&f, &abis[i]);
        GOOD(hmf__types_compile(&n, d, LEN(d), names, &id));
        GOOD(hmf__types_compile(&f, d, LEN(d), names, &foreign));
        GOOD(hmf__plan_make(&n, id, &f, foreign, &plan));
        x[2].l[1] = 2147483647;
        x[1].l[0] = -2147483647 - 1;
        GOOD(hmf__plan_run(plan, x, bytes, 3));
        x[2].l[1] = (long)5000000000ll;
        CU_ASSERT_EQUAL(hmf__plan_run(plan, x, bytes, 3), HMF_ERR_RANGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "element 2, field l[1]"));
        CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "5000000000"));
        hmf__plan_free(plan);
        GOOD(hmf__types_compile(&n, d_u, 1, NULL, &id));
        GOOD(hmf__types_compile(&f, d_u, 1, NULL, &foreign));
        GOOD(hmf__plan_make(&n, id, &f, foreign, &plan));
        u[150] = 0xffffffff;
        GOOD(hmf__plan_run(plan, u, bytes, 200));
        u[151] = (unsigned long)0x100000000ull;
        CU_ASSERT_EQUAL(hmf__plan_run(plan, u, bytes, 200), HMF_ERR_RANGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "element 151"));
        u[151] = 0;
        hmf__plan_free(plan);
        hmf__types_fini(&f);
    }
    hmf__types_fini(&n);
}

static void long_doubles(void)
{
    static const long double values[] = {0.0L, -0.0L, 1.0L, -1.5L, 3.25e10L, 1.0L / 1024, 1e-300L,
                                         1e300L, 0.1L, 123456789.123456789L, 4.9e-324L, 1e-310L};
    struct hmf__abi here;

    hmf__abi_native(&here);
    for (size_t i = 0; i < LEN(abis); i++)
        for (size_t k = 0; k < LEN(values); k++) {
            /* a double passes every format unharmed */
            long double v = (long double)(double)values[k], back = 7;
            char bytes[16];
            CU_ASSERT_EQUAL(hmf__convert_ldouble(&here, (char *)&v, sizeof v, &abis[i], bytes, 16,
                                                 1), HMF__ALL_GOOD);
            CU_ASSERT_EQUAL(hmf__convert_ldouble(&abis[i], bytes, 16, &here, (char *)&back,
                                                 sizeof v, 1), HMF__ALL_GOOD);
            if (v != back || signbit(v) != signbit(back))
                printf("\nabi %zu: %La is %La\n", i, v, back);
            CU_ASSERT(v == back && !signbit(v) == !signbit(back));
            /* binary128 holds all that we have */
            v = values[k];
            hmf__convert_ldouble(&here, (char *)&v, sizeof v, &abis[2], bytes, 16, 1);
            hmf__convert_ldouble(&abis[2], bytes, 16, &here, (char *)&back, sizeof v, 1);
            CU_ASSERT(v == back);
        }
    /* rounding to double is the machine's */
    for (size_t k = 0; k < LEN(values); k++) {
        double d;
        hmf__convert_ldouble(&here, (char *)&values[k], sizeof values[k], &abis[4], (char *)&d, 8,
                             1);
        if (!here.big_endian)
            CU_ASSERT(d == (double)values[k]);
    }
    static const unsigned char one_third[] = {0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
                                              0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xfd, 0x3f};
    long double third;
    hmf__convert_ldouble(&abis[1], (const char *)one_third, 16, &here, (char *)&third, 16, 1);
    CU_ASSERT(third == 1.0L / 3);
    static const unsigned char m68k_one_half[] = {0xbf, 0xfe, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0};
    hmf__convert_ldouble(&abis[6], (const char *)m68k_one_half, 12, &here, (char *)&third, 16, 1);
    CU_ASSERT(third == -0.5L);
    long double special[] = {INFINITY, -INFINITY, NAN}, back;
    for (size_t i = 0; i < LEN(abis); i++)
        for (size_t k = 0; k < 3; k++) {
            char bytes[16];
            CU_ASSERT_EQUAL(hmf__convert_ldouble(&here, (char *)&special[k], 16, &abis[i], bytes,
                                                 16, 1), HMF__ALL_GOOD);
            hmf__convert_ldouble(&abis[i], bytes, 16, &here, (char *)&back, 16, 1);
            CU_ASSERT(isnan(special[k]) ? isnan(back) : back == special[k]);
        }
    static const int exponents[] = {1024, 1025, 2000, 4096, 5119, 8191, 16000, 16383};
    for (size_t k = 0; LDBL_MAX_EXP > 1024 && k < LEN(exponents); k++) {
        long double huge = ldexpl(1.25L, exponents[k]);
        char bytes[16];
        for (size_t i = 0; i < LEN(abis); i++)
            if (abis[i].ldouble == HMF__LD_DOUBLE || abis[i].ldouble == HMF__LD_PAIR)
                CU_ASSERT_EQUAL(hmf__convert_ldouble(&here, (char *)&huge, 16, &abis[i], bytes, 16,
                                                     1), 0);
    }
}

/* A whole image of a foreign machine, with pointers, by plan from a native one. */
static void foreign_images(void)
{
    struct node {
        long v;
        struct node *next;
        char *name;
        double w[2];
    };
    static const int d[] = {typePOINTER, -4, typeLONG, typePOINTER, typeSELF, 0, typePOINTER,
                            typeCSTRING, typeARRAY, 2, typeDOUBLE};
    static const int d_in[] = {typePOINTER, typeDOUBLE};
    struct node n3 = {-3, NULL, "three", {3, 33}}, n2 = {2, &n3, NULL, {2, 22}};
    struct node n1 = {1, &n2, "one", {1, 11}}, *head = &n1, *got = NULL;
    double *inside = &n3.w[1], *inside2 = NULL;
    hmf_state_t *a, *b;
    struct carried c;

    n3.next = &n1;
    for (size_t i = 0; i < LEN(abis); i++) {
        struct hmf__types f;
        struct hmf__meta_table tables[8] = {{0}};
        struct hmf__meta_root roots[2];
        struct hmf__buf meta = HMF__BUF_INIT;
        hmf_meta_t *m;
        uint32_t ids[2];

        GOOD(hmf_state_new(&a));
        GOOD(hmf_state_new(&b));
        GOOD(hmf_state_add(a, "head", &head, sizeof head, d, LEN(d), NULL));
        GOOD(hmf_state_add(a, "inside", &inside, sizeof inside, d_in, 2, NULL));
        GOOD(hmf_state_add(b, "head", &got, sizeof got, d, LEN(d), NULL));
        GOOD(hmf_state_add(b, "inside", &inside2, sizeof inside2, d_in, 2, NULL));
        GOOD(carry_take(a, &c));
        GOOD(hmf_meta_parse(c.meta, c.meta_len, &m));

        /* the same image as the foreign machine would have made it */
        hmf__types_init(&f, &abis[i]);
        GOOD(hmf__types_compile(&f, d, LEN(d), NULL, &ids[0]));
        GOOD(hmf__types_compile(&f, d_in, 2, NULL, &ids[1]));
        GOOD(hmf__types_classes(&f));
        const struct hmf__types *n = hmf_meta_types(m);
        uint32_t *map = malloc(n->n * sizeof *map);
        for (uint32_t k = 0; k < n->n; k++)
            map[k] = HMF__TYPE_NONE;
        for (size_t k = 0; k < 2; k++) {
            const struct hmf__root_info *r = hmf_meta_root(m, k);
            GOOD(hmf__types_match(n, r->type, &f, ids[k], map));
            roots[k] = (struct hmf__meta_root){r->name, ids[k], r->count, r->block, r->row,
                                               r->leaf, r->inside};
        }
        for (size_t k = 0; k < hmf_meta_ntables(m); k++) {
            const struct hmf__table_info *t = hmf_meta_table(m, k);
            tables[k] = (struct hmf__meta_table){map[t->type], t->nblocks, t->nrows,
                                                 t->has_counts, t->has_leaves};
        }
        GOOD(hmf__meta_write(&f, tables, hmf_meta_ntables(m), roots, 2, &meta));
        struct hmf__abi here;
        hmf__abi_native(&here);
        bool swap = here.big_endian != abis[i].big_endian;
        for (size_t k = 0; k < c.nsegments; k++) {
            const struct hmf__segment_info *s = hmf_meta_segment(m, k);
            if (s->kind == HMF__SEG_DATA) {
                struct hmf__plan *plan;
                const struct hmf__table_info *t = hmf_meta_table(m, s->table);
                uint64_t bytes = t->nrows * f.v[map[t->type]].size;
                unsigned char *data = calloc(bytes + 1, 1);
                GOOD(hmf__plan_make(n, t->type, &f, map[t->type], &plan));
                GOOD(hmf__plan_run(plan, c.segment[k], data, t->nrows));
                hmf__plan_free(plan);
                free(c.segment[k]);
                c.segment[k] = data;
                c.bytes[k] = bytes;
            } else if (swap) {
                unsigned each = s->kind == HMF__SEG_REF_BLOCK ? 4 : 8;
                unsigned char *data = malloc(c.bytes[k] + 1);
                hmf__convert_swap(each, (char *)c.segment[k], each, (char *)data, each,
                                  c.bytes[k] / each);
                free(c.segment[k]);
                c.segment[k] = data;
            }
        }
        free(c.meta);
        c.meta = malloc(meta.len);
        memcpy(c.meta, meta.data, meta.len);
        c.meta_len = meta.len;

        GOOD(carry_give(&c, b));
        CU_ASSERT_EQUAL(got->v, 1);
        CU_ASSERT_STRING_EQUAL(got->name, "one");
        CU_ASSERT_EQUAL(got->next->v, 2);
        CU_ASSERT_PTR_NULL(got->next->name);
        CU_ASSERT_EQUAL(got->next->next->v, -3);
        CU_ASSERT_EQUAL(got->next->next->w[1], 33);
        CU_ASSERT_PTR_EQUAL(got->next->next->next, got);
        CU_ASSERT_PTR_EQUAL(inside2, &got->next->next->w[1]);
        free(got->next->next->name);
        free(got->next->next);
        free(got->next);
        free(got->name);
        free(got);
        free(map);
        hmf__buf_fini(&meta);
        hmf__types_fini(&f);
        hmf_meta_free(m);
        carry_drop(&c);
        hmf_state_free(a);
        hmf_state_free(b);
    }
}

/* Many records at once go another way than one: the same bytes, and none outside of the records.
 * Sizes of records from 3 bytes on, of which several lie in one step. */
static void records_in_bulk(void)
{
    static const int d[][8] = {
        {-4, typeINT, typeCHAR, typeARRAY, 3, typeDOUBLE, typeLONG},
        {-2, typeINT16, typeCHAR},
        {typePACKED, -2, typeINT16, typeCHAR},
        {-2, typeCHAR, typeINT64},
        {typePACKED, -3, typeDOUBLE, typeCHAR, typeINT64},
        {-3, typeINT32, typeTRANSIENT, typeINT32, typeINT32},
        {-3, typeCHAR, typeARRAY, 60, typeINT32, typeINT16},
    };
    static const size_t len[] = {7, 3, 4, 3, 5, 5, 6};

    for (size_t k = 0; k < LEN(d) * LEN(abis); k++) {
        const int *desc = d[k % LEN(d)];
        size_t n_ints = len[k % LEN(d)];
        struct hmf__types here, there;
        struct hmf__plan *plan;
        uint32_t h, t;
        hmf__types_init(&here, NULL);
        hmf__types_init(&there, &abis[k / LEN(d)]);
        GOOD(hmf__types_compile(&here, desc, n_ints, NULL, &h));
        GOOD(hmf__types_compile(&there, desc, n_ints, NULL, &t));
        GOOD(hmf__plan_make(&there, t, &here, h, &plan));
        size_t fs = (size_t)there.v[t].size, ts = (size_t)here.v[h].size;
        for (size_t n = 1; n < 40; n += n < 12 ? 1 : 9) {
            unsigned char *from = malloc(n * fs), *to = malloc(n * ts), *one = malloc(n * ts);
            unsigned char *known = malloc(n * ts); /* bytes that one record's way sets */
            for (size_t i = 0; i < n * fs; i++)
                from[i] = (unsigned char)(i * 37 + 11);
            memset(one, 0, n * ts);
            memset(known, 0xff, n * ts);
            for (size_t i = 0; i < n; i++) {
                GOOD(hmf__plan_run(plan, from + i * fs, one + i * ts, 1));
                GOOD(hmf__plan_run(plan, from + i * fs, known + i * ts, 1));
            }
            GOOD(hmf__plan_run(plan, from, to, n));
            size_t wrong = 0;
            for (size_t i = 0; i < n * ts; i++)
                wrong += one[i] == known[i] && to[i] != one[i];
            CU_ASSERT_EQUAL(wrong, 0);
            free(from);
            free(to);
            free(one);
            free(known);
        }
        hmf__plan_free(plan);
        hmf__types_fini(&here);
        hmf__types_fini(&there);
    }
}

static const struct unit_test tests[] = {
    {"there and back", there_and_back}, {"known bytes", known_bytes},
    {"out of range", out_of_range},     {"long double", long_doubles},
    {"foreign images", foreign_images}, {"records in bulk", records_in_bulk},
};

UNIT_MAIN("plan", tests)
