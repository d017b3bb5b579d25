/* Lengths that are expressions over fields: products, sums, parts of nested structs and arrays. */
#include "config.h"

#include "hmf/type.h"
#include "type.h"
#include "typemap.h"

#include "pair.h"

#include <limits.h>
#include <stdio.h>

static int *numbers(int n)
{
    int *v = malloc((size_t)n * sizeof *v);

    for (int i = 0; i < n; i++)
        v[i] = 7 * i - 3;
    return v;
}

/* Faults in n numbers, which are freed. */
static int differ(int *v, int n)
{
    int bad = 0;

    for (int i = 0; i < n; i++)
        bad += v[i] != 7 * i - 3;
    free(v);
    return bad;
}

/* A field of two dimensions, with a border around it, and more. */
static void of_siblings(void)
{
    struct grid {
        int nx;
        unsigned char ny;
        int *u;      /* nx * ny */
        int *border; /* 2 * (nx + ny) - 4 */
        int *half;   /* (nx + 1) / 2 */
        struct {
            long dims[3];
            struct {
                short n : 9;
            } in;
        } shape;
        int *cube;   /* dims[0] * dims[1] * dims[2] */
        int *bits;   /* shape.in.n - nx */
    } x = {7, 5, numbers(35), numbers(20), numbers(4), {{2, 3, 4}, {200}}, numbers(24),
           numbers(193)}, y = {0};
    static const int d[] = {
        -8, typeINT, typeUCHAR, typeCOUNTED, typeMUL, 0, 1, typeINT,
        typeCOUNTED, typeSUB, typeMUL, typeNUMBER, 2, typeADD, 0, 1, typeNUMBER, 4, typeINT,
        typeCOUNTED, typeDIV, typeADD, 0, typeNUMBER, 1, typeNUMBER, 2, typeINT,
        -2, typeARRAY, 3, typeLONG, -1, typeBITS, 9, typeSHORT,
        typeCOUNTED, typeMUL, typePATH, 3, 5, 0, 0, typeMUL, typePATH, 3, 5, 0, 1, typePATH, 3, 5,
        0, 2, typeINT,
        typeCOUNTED, typeSUB, typePATH, 3, 5, 1, 0, 0, typeINT};

    begin();
    ADD(a, "grid", x, d);
    ADD(b, "grid", y, d);
    GOOD(carry(a, b));
    CU_ASSERT(y.nx == 7 && y.ny == 5 && y.shape.dims[2] == 4 && y.shape.in.n == 200);
    CU_ASSERT_EQUAL(differ(y.u, 35), 0);
    CU_ASSERT_EQUAL(differ(y.border, 20), 0);
    CU_ASSERT_EQUAL(differ(y.half, 4), 0);
    CU_ASSERT_EQUAL(differ(y.cube, 24), 0);
    CU_ASSERT_EQUAL(differ(y.bits, 193), 0);
    x.nx = 0; /* no elements: a pointer to nothing */
    x.shape.in.n = 3;
    x.ny = 4;
    GOOD(carry(a, b));
    CU_ASSERT_EQUAL(differ(y.u, 0) + differ(y.border, 4) + differ(y.half, 0) +
                        differ(y.cube, 24) + differ(y.bits, 3), 0);
    x.ny = 1; /* 2 * (0 + 1) - 4 */
    BAD(carry(a, b), HMF_ERR_POINTER, "grid.f3");
    x.ny = 5;
    x.shape.dims[0] = LONG_MAX;
    BAD(carry(a, b), HMF_ERR_POINTER, "grid.f6");
    CU_ASSERT_EQUAL(differ(x.u, 35) + differ(x.border, 20) + differ(x.half, 4) +
                        differ(x.cube, 24) + differ(x.bits, 193), 0);
    end();
}

/* Rows that have as many elements as an expression of the outer struct says; in an array, whose
 * elements' lengths come from the struct around. */
static void of_outer(void)
{
    struct mat {
        int rows, cols, factor;
        int **v;       /* rows + 1 pointers to cols * factor */
        struct {
            int n;
            int *w;    /* n * factor of the struct around */
        } part[100];   /* so many that slots become a loop */
    } x = {.rows = 3, .cols = 4, .factor = 2}, y = {0};
    static const int d[] = {
        -5, typeINT, typeINT, typeINT,
        typeCOUNTED, typeADD, 0, typeNUMBER, 1, typeCOUNTED, typeMUL, 1, 2, typeINT,
        typeARRAY, 100, -2, typeINT, typeCOUNTED, typeMUL, 0, typeUP(1, 2), typeINT};

    x.v = malloc(4 * sizeof *x.v);
    for (int i = 0; i < 4; i++)
        x.v[i] = numbers(8);
    for (int i = 0; i < 100; i++) {
        x.part[i].n = i;
        x.part[i].w = i ? numbers(2 * i) : NULL;
    }
    begin();
    ADD(a, "mat", x, d);
    ADD(b, "mat", y, d);
    GOOD(carry(a, b));
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(differ(x.v[i], 8) + differ(y.v[i], 8), 0);
    for (int i = 1; i < 100; i++)
        CU_ASSERT_EQUAL(differ(x.part[i].w, 2 * i) + differ(y.part[i].w, 2 * i), 0);
    free(x.v);
    free(y.v);
    end();
}

static void behind_a_struct(void)
{
    struct rows {
        struct {
            int n, m;
        } of;
        int v[];
    } *x = calloc(1, sizeof *x + 12 * sizeof(int)), *y = NULL;
    static const int d[] = {typePOINTER, -2, -2, typeINT, typeINT, typeFLEX, typeMUL, typePATH, 2,
                            0, 0, typePATH, 2, 0, 1, typeINT};

    x->of.n = 3;
    x->of.m = 4;
    for (int i = 0; i < 12; i++)
        x->v[i] = 7 * i - 3;
    begin();
    ADD(a, "rows", x, d);
    ADD(b, "rows", y, d);
    GOOD(carry(a, b));
    CU_ASSERT(y->of.n == 3 && y->of.m == 4);
    CU_ASSERT_EQUAL(memcmp(x, y, sizeof *x + 12 * sizeof(int)), 0);
    x->of.m = -1;
    BAD(carry(a, b), HMF_ERR_POINTER, "negative");
    free(x);
    free(y);
    end();
}

/* An image says how many there are; a reader that knows no expressions needs none. */
static void without(void)
{
    struct pair {
        int n;
        int *v;
    } x = {6, numbers(12)}, y = {0};
    static const int with[] = {-2, typeINT, typeCOUNTED, typeMUL, 0, typeNUMBER, 2, typeINT},
                     plain[] = {-2, typeINT, typePOINTER, typeINT};
    struct carried c;

    begin();
    ADD(a, "pair", x, with);
    ADD(b, "pair", y, plain);
    GOOD(carry_take(a, &c));
    CU_ASSERT_EQUAL(c.meta[8], 1); /* the first version of images */
    GOOD(carry_give(&c, b));
    CU_ASSERT_EQUAL(differ(x.v, 12) + differ(y.v, 12), 0);
    carry_drop(&c);
    end();
}

static void wrong_forms(void)
{
#define WRONG(words, ...)                                                                         \
    do {                                                                                          \
        static const int d_[] = {__VA_ARGS__};                                                    \
        BAD(hmf_type_check(d_, LEN(d_), NULL), HMF_ERR_TYPE, words);                              \
    } while (0)

    WRONG("no field", -2, typeINT, typeCOUNTED, typeNUMBER, 5, typeINT);
    WRONG("0 structs are around", typeCOUNTED, typeMUL, 0, 0, typeINT);
    WRONG("no integer field", -2, typeDOUBLE, typeCOUNTED, typeADD, 0, 0, typeINT);
    WRONG("where the path leads", -2, -1, typeINT, typeCOUNTED, typePATH, 2, 0, 1, typeINT);
    WRONG("where the path leads", -2, typeARRAY, 2, typeINT, typeCOUNTED, typePATH, 2, 0, 2,
          typeINT);
    WRONG("where the path leads", -2, typeINT, typeCOUNTED, typePATH, 2, 0, 0, typeINT);
    WRONG("a path of 9 steps", -2, typeINT, typeCOUNTED, typePATH, 9, 0, 0, typeINT);
    WRONG("a path of 0 steps", -2, typeINT, typeCOUNTED, typePATH, 0, 0, typeINT);
    WRONG("the length is missing", -2, typeINT, typeCOUNTED, typeMUL, 0);
    WRONG("the number is missing", -2, typeINT, typeCOUNTED, typeNUMBER);
    WRONG("some are not", -3, typeINT, typeINT, typeCOUNTED, 0, -2, typeINT, typeCOUNTED, typeADD,
          0, typeUP(1, 0), typeINT);
    WRONG("in the same struct", -2, typeINT, -2, typeINT, typeFLEX, typeADD, 0, typeUP(1, 0),
          typeINT);
#undef WRONG
    int d[300] = {-2, typeINT, typeCOUNTED}, n = 3;

    while (n < 200) { /* the limit is one of words */
        d[n++] = typeADD;
        d[n++] = 0;
    }
    d[n++] = 0;
    d[n++] = typeINT;
    BAD(hmf_type_check(d, (size_t)n, NULL), HMF_ERR_TYPE, "at most 64 words");
}

/* What is written about a type is the description again. */
static void described(void)
{
    static const int d[] = {-4, typeINT, -2, typeARRAY, 2, typeINT, typeINT, typeCOUNTED, typeDIV,
                            typeSUB, 0, typeNUMBER, -1, typePATH, 3, 1, 0, 1, typeDOUBLE,
                            typeFLEX, typeMUL, 0, typePATH, 2, 1, 1, typeCHAR};
    struct hmf__types t;
    struct hmf__buf text = HMF__BUF_INIT;
    uint32_t id, same, other;
    int changed[LEN(d)];

    hmf__types_init(&t, NULL);
    GOOD(hmf__types_compile(&t, d, LEN(d), NULL, &id));
    GOOD(hmf__types_describe(&t, id, &text));
    CU_ASSERT_EQUAL_FATAL(text.len, sizeof d);
    text.pos = 0;
    for (size_t i = 0; i < LEN(d); i++)
        CU_ASSERT_EQUAL(hmf__buf_get_i32(&text), d[i]);
    memcpy(changed, d, sizeof d);
    changed[12] = -2;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", NULL};
    GOOD(hmf__types_compile(&t, d, LEN(d), names, &same));
    GOOD(hmf__types_compile(&t, changed, LEN(d), NULL, &other));
    GOOD(hmf__types_classes(&t));
    CU_ASSERT_EQUAL(t.classes[id], t.classes[same]);
    CU_ASSERT_NOT_EQUAL(t.classes[id], t.classes[other]);
    hmf__buf_fini(&text);
    hmf__types_fini(&t);
}

static const struct unit_test tests[] = {
    {"of siblings", of_siblings},
    {"of an outer struct", of_outer},
    {"behind a struct", behind_a_struct},
    {"without", without},
    {"wrong forms", wrong_forms},
    {"described", described},
};
UNIT_MAIN("length", tests)
