/* Pointers to the edges of things: one past the end of arrays that are the last or an inner member, of
 * arrays of no or one element, with neighbours of other types directly behind; alignment. */
#include "config.h"

#include "hmf/heap.h"
#include "hmf/type.h"
#include "typemap.h"

#include "pair.h"

#include <stdio.h>

/* ---- the last member of a struct is an array ---- */

struct buffer {
    char *cur, *end;
    char buf[16];
};
static const int d_buffer[] = {-3, typePOINTER, typeCHAR, typePOINTER, typeCHAR, typeARRAY, 16,
                               typeCHAR};

struct nested {
    double *end;
    char *text_end;
    struct {
        int n;
        double v[3];
    } in;
    char text[8];
};
static const int d_nested[] = {-4, typePOINTER, typeDOUBLE, typePOINTER, typeCHAR, -2, typeINT,
                               typeARRAY, 3, typeDOUBLE, typeFSTRING, 8};

static void fill_buffer(struct buffer *b)
{
    b->cur = b->buf + 5;
    b->end = b->buf + 16;
    memcpy(b->buf, "0123456789abcdef", 16);
}

#define IS_BUFFER(b)                                                                              \
    CU_ASSERT_PTR_EQUAL((b)->cur, (b)->buf + 5);                                                  \
    CU_ASSERT_PTR_EQUAL((b)->end, (b)->buf + 16);                                                 \
    CU_ASSERT_EQUAL(memcmp((b)->buf, "0123456789abcdef", 16), 0)

static void last_array(void)
{
    int d_pointer[8 + 1] = {typePOINTER};
    struct buffer in, out, rows[3], rows2[3], *p = malloc(sizeof *p), *q = NULL;
    struct nested n = {.in.n = 3}, n2 = {0};

    memcpy(d_pointer + 1, d_buffer, sizeof d_buffer);
    fill_buffer(&in);
    fill_buffer(p);
    for (int i = 0; i < 3; i++)
        fill_buffer(&rows[i]);
    rows[0].end = rows[2].buf + 16; /* of the last one: of the array of structs, too */
    n.end = n.in.v + 3;
    n.text_end = n.text + 8;
    strcpy(n.text, "seven..");
    begin();
    ADD(a, "in", in, d_buffer);
    ADD(b, "in", out, d_buffer);
    ADD(a, "rows", rows, d_buffer);
    ADD(b, "rows", rows2, d_buffer);
    ADD(a, "p", p, d_pointer);
    ADD(b, "p", q, d_pointer);
    ADD(a, "n", n, d_nested);
    ADD(b, "n", n2, d_nested);
    GOOD(carry(a, b));
    IS_BUFFER(&out);
    IS_BUFFER(q);
    IS_BUFFER(&rows2[1]);
    IS_BUFFER(&rows2[2]);
    CU_ASSERT_PTR_EQUAL(rows2[0].end, rows2[2].buf + 16);
    CU_ASSERT_PTR_EQUAL(n2.end, n2.in.v + 3);
    CU_ASSERT_PTR_EQUAL(n2.text_end, n2.text + 8);
    free(p);
    free(q);
    end();
}

/* Elements with pointers: what stands behind them must not be looked into. */
struct node {
    long id;
    struct node *next;
};
struct pool {
    struct node *cur, *end, *inner_end;
    struct node inner[2];
    long guard[2]; /* where a pointer would be: none */
    struct node nodes[4];
};

static void last_nodes(void)
{
    static const int d[] = {-6, typePOINTER, 10200, typePOINTER, 10200, typePOINTER, 10200,
                            typeARRAY, 2, 10200, typeARRAY, 2, typeLONG, typeARRAY, 4, 10200};
    static const int d_node[] = {-2, typeLONG, typePOINTER, 10200};
    int d_pointer[LEN(d) + 1] = {typePOINTER};
    struct {
        struct pool pool;
        long behind[2];
    } *mine = malloc(sizeof *mine);
    struct pool *p = &mine->pool, *q = NULL;

    memcpy(d_pointer + 1, d, sizeof d);
    memset(mine, 0, sizeof *mine);
    mine->behind[1] = p->guard[1] = 0x5151;
    p->cur = p->nodes + 1;
    p->end = p->nodes + 4;
    p->inner_end = p->inner + 2;
    for (int i = 0; i < 4; i++)
        p->nodes[i] = (struct node){i, &p->nodes[(i + 1) % 4]};
    begin();
    GOOD(hmf_type_define(10200, "node", d_node, LEN(d_node), NULL, NULL));
    ADD(a, "p", p, d_pointer);
    ADD(b, "p", q, d_pointer);
    GOOD(carry(a, b));
    CU_ASSERT_PTR_EQUAL(q->cur, q->nodes + 1);
    CU_ASSERT_PTR_EQUAL(q->end, q->nodes + 4);
    CU_ASSERT_PTR_EQUAL(q->inner_end, q->inner + 2);
    CU_ASSERT_PTR_EQUAL(q->nodes[3].next, q->nodes);
    CU_ASSERT_EQUAL(q->guard[1], 0x5151);
    free(mine);
    free(q);
    end();
    hmf_type_undefine(10200);
}

/* ---- lengths told: 1 and 0 ---- */

struct vec {
    int n;
    int *begin, *end;
};
static const int d_vec[] = {-3, typeINT, typeCOUNTED, 0, typeINT, typePOINTER, typeINT};

static void one_element(void)
{
    struct vec v = {1, malloc(4 * sizeof *v.begin), NULL}, w = {0};
    struct {
        int n;
        char *end;
        char text[];
    } *x = malloc(sizeof *x + 1), *y = NULL;
    static const int d_x[] = {typePOINTER, -3, typeINT, typePOINTER, typeCHAR, typeFLEX, 0,
                              typeCHAR};

    v.end = v.begin + 1;
    memset(v.begin, 0, 4 * sizeof *v.begin);
    v.begin[0] = 11;
    x->n = 1;
    x->text[0] = 'x';
    x->end = x->text + 1;
    begin();
    ADD(a, "v", v, d_vec);
    ADD(b, "v", w, d_vec);
    ADD(a, "x", x, d_x);
    ADD(b, "x", y, d_x);
    GOOD(carry(a, b));
    CU_ASSERT_EQUAL(w.begin[0], 11);
    CU_ASSERT_PTR_EQUAL(w.end, w.begin + 1);
    CU_ASSERT_EQUAL(y->text[0], 'x');
    CU_ASSERT_PTR_EQUAL(y->end, y->text + 1);
    free(v.begin);
    free(w.begin);
    free(x);
    free(y);
    end();
}

static void rows_of_a_matrix(void)
{
    struct {
        double (*row)[5], (*end)[5];
        double m[4][5];
    } x, y;
    static const int d[] = {-3, typePOINTER, typeARRAY, 5, typeDOUBLE, typePOINTER, typeARRAY, 5,
                            typeDOUBLE, typeARRAY, 4, typeARRAY, 5, typeDOUBLE};

    for (int i = 0; i < 20; i++)
        x.m[i / 5][i % 5] = i;
    x.row = x.m + 1;
    x.end = x.m + 4;
    begin();
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    GOOD(carry(a, b));
    CU_ASSERT_PTR_EQUAL(y.row, y.m + 1);
    CU_ASSERT_PTR_EQUAL(y.end, y.m + 4);
    CU_ASSERT_EQUAL(y.m[3][4], 19.0);
    end();
}

/* Rows that lie in one block stay in one block if something tells its length, before the rows, behind them or in
   another variable; if nothing does, each comes back as a block. */
static void contiguous_matrix(void)
{
    struct matrix {
        int nrows, ncols;
        double *before, **rows, *behind;
    } x = {.nrows = 3, .ncols = 4}, y;
    static const int d[] = {-5, typeINT, typeINT, typeCOUNTED, typeMUL, 0, 1, typeDOUBLE, typeCOUNTED,
                            0, typeCOUNTED, 1, typeDOUBLE, typeCOUNTED, typeMUL, 0, 1, typeDOUBLE};
    static const int d_block[] = {typePOINTER, typeARRAY, 12, typeDOUBLE};
    double *block = malloc(12 * sizeof *block), *block2 = NULL;

    x.rows = malloc(3 * sizeof *x.rows);
    for (int i = 0; i < 12; i++)
        block[i] = i;
    for (int i = 0; i < 3; i++)
        x.rows[i] = block + 4 * i;
    for (int told = 0; told < 4; told++) {
        x.before = told == 1 ? block : NULL;
        x.behind = told == 2 ? block : NULL;
        begin();
        ADD(a, "x", x, d);
        ADD(b, "x", y, d);
        if (told == 3) {
            ADD(a, "block", block, d_block);
            ADD(b, "block", block2, d_block);
        }
        GOOD(carry(a, b));
        for (int i = 0; i < 12; i++)
            CU_ASSERT_EQUAL(y.rows[i / 4][i % 4], i);
        if (told) {
            CU_ASSERT_PTR_EQUAL(y.rows[0], told == 1 ? y.before : told == 2 ? y.behind : block2);
            CU_ASSERT_PTR_EQUAL(y.rows[1], y.rows[0] + 4);
            CU_ASSERT_PTR_EQUAL(y.rows[2], y.rows[0] + 8);
        }
        for (int i = 0; i < (told ? 1 : 3); i++)
            free(y.rows[i]);
        free(y.rows);
        end();
    }
    free(block);
    free(x.rows);
}

struct empties {
    int none; /* 0 */
    int *own, *at_end, *inside, *first, *elsewhere, *odd;
    int array[4];
    double other;
    char odd_place[8];
};
static const int d_empties[] = {-10, typeINT, typeCOUNTED, 0, typeINT, typeCOUNTED, 0, typeINT,
                                typeCOUNTED, 0, typeINT, typeCOUNTED, 0, typeINT, typeCOUNTED, 0,
                                typeINT, typeCOUNTED, 0, typeINT, typeARRAY, 4, typeINT,
                                typeDOUBLE, typeARRAY, 8, typeCHAR};

static void fill_empties(struct empties *x)
{
    *x = (struct empties){.own = malloc(1), .at_end = x->array + 4, .inside = x->array + 2,
                          .first = x->array, .elsewhere = (int *)(void *)&x->other,
                          .odd = (int *)(void *)((char *)&x->other + 4)};
}

static void check_empties(const struct empties *y)
{
    CU_ASSERT_PTR_NOT_NULL(y->own);
    CU_ASSERT_PTR_EQUAL(y->at_end, y->array + 4);
    CU_ASSERT_PTR_EQUAL(y->inside, y->array + 2);
    CU_ASSERT_PTR_EQUAL(y->first, y->array);
    CU_ASSERT_PTR_EQUAL(y->elsewhere, (const int *)(const void *)&y->other);
    CU_ASSERT_PTR_NOT_NULL(y->odd); /* where no member begins: a block of no elements */
}

static void no_elements(void)
{
    struct empties x, y = {0};
    struct vec v = {0}, w = {0};
    struct {
        int n;
        int *data, *behind;
    } z = {3, malloc(3 * sizeof(int)), NULL}, z2 = {0};
    static const int d_z[] = {-3, typeINT, typeCOUNTED, 0, typeINT, typeCOUNTED, typeSUB, 0,
                              typeNUMBER, 3, typeINT};
    static int freed[1]; /* as if: nothing describes it */

    fill_empties(&x);
    z.behind = z.data + 3; /* behind a block that a length tells */
    v.begin = freed;
    z.data[2] = 9;
    begin();
    ADD(a, "x", x, d_empties);
    ADD(b, "x", y, d_empties);
    ADD(a, "v", v, d_vec);
    ADD(b, "v", w, d_vec);
    ADD(a, "z", z, d_z);
    ADD(b, "z", z2, d_z);
    GOOD(carry(a, b));
    check_empties(&y);
    CU_ASSERT_PTR_NOT_NULL(w.begin);
    CU_ASSERT_PTR_EQUAL(z2.behind, z2.data + 3);
    CU_ASSERT_EQUAL(z2.data[2], 9);
    free(x.own);
    free(y.own);
    free(y.odd);
    free(w.begin);
    free(z.data);
    free(z2.data);
    end();
}

/* ---- neighbours ---- */

struct wide {
    double d[2];
};

/* Memory in which things lie directly behind each other. */
static struct {
    struct wide wides[2];
    int variable;
    float floats[2];
    int ints[3];
    double of_another_type;
    int last;
} here, there;

static void neighbours(void)
{
    static const int d_wides[] = {typePOINTER, typeARRAY, 2, -1, typeARRAY, 2, typeDOUBLE},
                     d_wide[] = {typePOINTER, -1, typeARRAY, 2, typeDOUBLE}, d_int[] = {typeINT},
                     d_ints[] = {typePOINTER, typeARRAY, 3, typeINT},
                     d_pint[] = {typePOINTER, typeINT}, d_floats[] = {typeFLOAT},
                     d_pdouble[] = {typePOINTER, typeDOUBLE}, d_pfloat[] = {typePOINTER, typeFLOAT};
    struct wide *wides = here.wides, *wides_end = here.wides + 2, *wides2, *wides_end2;
    int *ints = here.ints, *ints_end = here.ints + 3, *ints2, *ints_end2;
    double *another = &here.of_another_type, *another2;
    float *begins = here.floats, *begins2;

    here.variable = 5;
    here.of_another_type = 2.5;
    begin();
    /* a pointee larger than the variable that stands there */
    ADD(a, "wides", wides, d_wides);
    ADD(b, "wides", wides2, d_wides);
    ADD(a, "wides_end", wides_end, d_wide);
    ADD(b, "wides_end", wides_end2, d_wide);
    ADD(a, "variable", here.variable, d_int);
    ADD(b, "variable", there.variable, d_int);
    /* a variable of the pointee's type that begins there is what is meant */
    ADD(a, "floats", here.floats, d_floats);
    ADD(b, "floats", there.floats, d_floats);
    ADD(a, "begins", begins, d_pfloat);
    ADD(b, "begins", begins2, d_pfloat);
    /* a block of another type that something else leads to */
    ADD(a, "ints", ints, d_ints);
    ADD(b, "ints", ints2, d_ints);
    ADD(a, "ints_end", ints_end, d_pint);
    ADD(b, "ints_end", ints_end2, d_pint);
    ADD(a, "another", another, d_pdouble);
    ADD(b, "another", another2, d_pdouble);
    GOOD(carry(a, b));
    CU_ASSERT_PTR_EQUAL(wides_end2, wides2 + 2);
    CU_ASSERT_EQUAL(there.variable, 5);
    CU_ASSERT_PTR_EQUAL(begins2, there.floats);
    CU_ASSERT_PTR_EQUAL(ints_end2, ints2 + 3);
    CU_ASSERT_EQUAL(*another2, 2.5);
    free(wides2);
    free(ints2);
    free(another2);
    end();
}

/* ---- alignment ---- */

struct aligned {
    char c;
    _Alignas(128) double d;
};

static void alignment(void)
{
    static const int d[] = {-2, typeINT, typeCOUNTED, 0, -2, typeCHAR, typeALIGNED, 128,
                            typeDOUBLE};
    struct {
        int n;
        struct aligned *v;
    } x[8], y[8];

    for (int i = 0; i < 8; i++) {
        x[i].n = i + 1;
        if (posix_memalign((void **)&x[i].v, 128, (size_t)(i + 1) * sizeof *x[i].v))
            CU_FAIL_FATAL("no memory");
        for (int k = 0; k <= i; k++)
            x[i].v[k] = (struct aligned){'c', i + k};
    }
    begin();
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    GOOD(carry(a, b));
    for (int i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL((uintptr_t)y[i].v % 128, 0);
        CU_ASSERT_EQUAL(y[i].v[i].d, 2.0 * i);
        free(x[i].v);
        free(y[i].v);
    }
    end();
}

/* ---- the same where the heap is known; the last one, for it stays known ---- */

static void tracked(void)
{
    int d_pointer[8 + 1] = {typePOINTER};
    struct buffer *p = hmf_heap_malloc(sizeof *p), *q = NULL;
    struct vec v = {1, hmf_heap_malloc(sizeof *v.begin), NULL}, w = {0};
    struct empties x, y = {0};
    int *gone = hmf_heap_malloc(64);
    struct vec dangling = {0, gone, NULL}, dangling2 = {0};

    memcpy(d_pointer + 1, d_buffer, sizeof d_buffer);
    fill_buffer(p);
    fill_empties(&x);
    v.begin[0] = 4;
    v.end = v.begin + 1;
    hmf_heap_free(gone);
    begin();
    ADD(a, "p", p, d_pointer);
    ADD(b, "p", q, d_pointer);
    ADD(a, "v", v, d_vec);
    ADD(b, "v", w, d_vec);
    ADD(a, "x", x, d_empties);
    ADD(b, "x", y, d_empties);
    ADD(a, "dangling", dangling, d_vec); /* of no elements: nobody follows it */
    ADD(b, "dangling", dangling2, d_vec);
    GOOD(carry(a, b));
    IS_BUFFER(q);
    CU_ASSERT_EQUAL(w.begin[0], 4);
    CU_ASSERT_PTR_EQUAL(w.end, w.begin + 1);
    check_empties(&y);
    v.begin++; /* elements, it says, but behind its block */
    BAD(carry(a, b), HMF_ERR_POINTER, "v.f1");
    hmf_heap_free(p);
    hmf_heap_free(q);
    hmf_heap_free(v.begin - 1);
    hmf_heap_free(w.begin);
    free(x.own);
    hmf_heap_free(y.own);
    hmf_heap_free(y.odd);
    hmf_heap_free(dangling2.begin);
    end();
}

static const struct unit_test tests[] = {
    {"an array as the last member", last_array},
    {"an array of nodes as the last and an inner member", last_nodes},
    {"arrays of one element", one_element},
    {"rows of a matrix", rows_of_a_matrix},
    {"a matrix in one block", contiguous_matrix},
    {"arrays of no elements", no_elements},
    {"neighbours directly behind an end", neighbours},
    {"alignment", alignment},
    {"where the heap is known", tracked},
};
UNIT_MAIN("edges", tests)
