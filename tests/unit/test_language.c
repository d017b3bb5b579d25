/* The forms of the type language beyond the report's: counted, void, weak and function pointers,
 * opaque and transient fields, packed and aligned structs. */
#include "config.h"

#include "handle.h"
#include "hmf/function.h"
#include "hmf/type.h"
#include "typemap.h"

#include "pair.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

static void counted(void)
{
    struct mat {
        short n;
        double *v;
        struct {
            unsigned char m;
            int *w;
        } in;
        int *also; /* counted by a field further out, of this struct */
    } x = {5, NULL, {3, NULL}, NULL}, y = {0};
    static const int d[] = {-4, typeSHORT, typeCOUNTED, 0, typeDOUBLE, -2, typeUCHAR, typeCOUNTED,
                            0, typeINT, typeCOUNTED, 0, typeINT};
    static const int d_up[] = {-2, typeINT, -1, typeCOUNTED, typeUP(1, 0), typeINT};
    struct {
        int n;
        struct {
            int *p;
        } in;
    } u = {2, {NULL}}, u2 = {0};
    hmf_image_t *image;

    begin();
    x.v = malloc(5 * sizeof *x.v);
    x.in.w = malloc(3 * sizeof *x.in.w);
    x.also = malloc(5 * sizeof *x.also);
    u.in.p = malloc(2 * sizeof *u.in.p);
    for (int i = 0; i < 5; i++)
        x.v[i] = x.also[i] = i;
    for (int i = 0; i < 3; i++)
        x.in.w[i] = -i;
    u.in.p[0] = 10;
    u.in.p[1] = 11;
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    ADD(a, "u", u, d_up);
    ADD(b, "u", u2, d_up);
    GOOD(carry(a, b));
    CU_ASSERT_EQUAL(y.n, 5);
    for (int i = 0; i < 5; i++)
        CU_ASSERT(y.v[i] == i && y.also[i] == i);
    CU_ASSERT_EQUAL(y.in.w[2], -2);
    CU_ASSERT_EQUAL(u2.in.p[1], 11);
    free(y.v);
    free(y.in.w);
    free(y.also);
    free(u2.in.p);
    x.n = -1;
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "x.f1");
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "negative");
    x.n = 0; /* nothing behind it: still a pointer that may be freed */
    GOOD(carry(a, b));
    CU_ASSERT_PTR_NOT_NULL(y.v);
    free(y.v);
    free(y.in.w);
    free(y.also);
    free(u2.in.p);
    free(x.v);
    free(x.in.w);
    free(x.also);
    free(u.in.p);
    end();
}

static void rows_and_columns(void)
{
    struct mat {
        int nrows, ncols;
        double **rows;
    } *x = malloc(sizeof *x), *y = NULL;
    static const int d[] = {typePOINTER, -3, typeINT, typeINT, typeCOUNTED, 0, typeCOUNTED, 1,
                            typeDOUBLE};

    begin();
    *x = (struct mat){4, 7, malloc(4 * sizeof *x->rows)};
    for (int i = 0; i < 4; i++) {
        x->rows[i] = i == 2 ? NULL : malloc(7 * sizeof **x->rows);
        for (int j = 0; j < 7 && i != 2; j++)
            x->rows[i][j] = 10 * i + j;
    }
    ADD(a, "mat", x, d);
    ADD(b, "mat", y, d);
    GOOD(carry(a, b));
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 7 && i != 2; j++)
            CU_ASSERT_EQUAL(y->rows[i][j], 10 * i + j);
    CU_ASSERT_PTR_NULL(y->rows[2]);
    for (int i = 0; i < 4; i++) {
        free(x->rows[i]);
        free(y->rows[i]);
    }
    free(x->rows);
    free(y->rows);
    free(x);
    free(y);
    end();
}

static void void_and_weak(void)
{
    struct cell {
        int v;
        struct cell *next;
        struct cell *last; /* weak */
        void *any;
    } *x = NULL, *one = calloc(1, sizeof *one), *y = NULL, stray = {0};
    static const int d[] = {typePOINTER, -4, typeINT, typePOINTER, typeSELF, 0, typeWEAK, typeSELF,
                            0, typePOINTER, typeVOID};
    int g = 5, g2 = 0;
    static const int d_g[] = {typeINT};
    hmf_image_t *image;

    begin();
    x = calloc(1, sizeof *x);
    x->v = 1;
    x->next = one;
    x->last = one;
    x->any = &g;
    one->v = 2;
    one->last = &stray; /* nothing else leads there */
    one->any = &x->v;
    ADD(a, "x", x, d);
    ADD(a, "g", g, d_g);
    ADD(b, "x", y, d);
    ADD(b, "g", g2, d_g);
    GOOD(carry(a, b));
    CU_ASSERT_PTR_EQUAL(y->last, y->next);
    CU_ASSERT_PTR_EQUAL(y->any, &g2);
    CU_ASSERT_PTR_NULL(y->next->last);
    CU_ASSERT_PTR_EQUAL(y->next->any, y);
    free(y->next);
    free(y);
    one->any = &stray;
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "x->f1->f3");
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "nothing describes");
    free(one);
    free(x);
    end();
}

/* Pointers into arrays of pointers, strings and arrays that other pointers of the struct tell the length of. */
static void inner_pointers(void)
{
    struct names {
        int n;
        char **all, **end, **mid;
        char *tail;
        double *weak; /* weak */
        double *values;
        struct names *self;
    } x = {.n = 3, .all = malloc(3 * sizeof *x.all), .values = calloc(3, sizeof *x.values)}, y;
    static const int d[] = {-8, typeINT, typeCOUNTED, 0, typePOINTER, typeCSTRING, typePOINTER,
                            typePOINTER, typeCSTRING, typePOINTER, typePOINTER, typeCSTRING,
                            typePOINTER, typeCHAR, typeWEAK, typeDOUBLE, typeCOUNTED, 0, typeDOUBLE,
                            typePOINTER, typeSELF, 0};

    x.all[0] = strdup("one");
    x.all[1] = NULL;
    x.all[2] = strdup("three");
    x.end = x.all + 3;
    x.mid = x.all + 2;
    x.tail = x.all[2] + 3;
    x.weak = x.values + 1;
    x.self = &x;
    begin();
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    GOOD(carry(a, b));
    CU_ASSERT(y.end == y.all + 3 && y.mid == y.all + 2 && y.tail == y.all[2] + 3);
    CU_ASSERT_STRING_EQUAL(y.tail, "ee");
    CU_ASSERT_PTR_NULL(y.all[1]);
    CU_ASSERT(y.weak == y.values + 1 && y.self == &y);
    for (int i = 0; i < 3; i++) {
        free(x.all[i]);
        free(y.all[i]);
    }
    free(x.all);
    free(y.all);
    free(x.values);
    free(y.values);
    end();
}

static int twice(int v)
{
    return 2 * v;
}

static int thrice(int v)
{
    return 3 * v;
}

static void functions(void)
{
    int (*f[4])(int) = {twice, NULL, thrice, twice}, (*f2[4])(int);
    double (*m)(double) = sqrt, (*m2)(double) = NULL;
    static const int d[] = {typeFUNCTION};
    hmf_image_t *image;

    begin();
    ADD(a, "f", f, d);
    ADD(b, "f", f2, d);
    ADD(a, "m", m, d);
    ADD(b, "m", m2, d);
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "f[0]");
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "without a name");
    GOOD(hmf_function_define("twice", (hmf_function_t)twice));
    GOOD(hmf_function_define("twice", (hmf_function_t)twice));
    BAD(hmf_function_define("twice", (hmf_function_t)thrice), HMF_ERR_NAME, "twice");
    BAD(hmf_function_define("", (hmf_function_t)thrice), HMF_ERR_ARG, "name");
    GOOD(hmf_function_define("thrice", (hmf_function_t)thrice));
    GOOD(carry(a, b));
    CU_ASSERT(f2[0] == twice && !f2[1] && f2[2] == thrice && f2[3] == twice);
    CU_ASSERT(m2 == sqrt); /* found by the dynamic linker */
    struct carried c;
    GOOD(carry_take(a, &c));
    GOOD(hmf_function_undefine("thrice"));
    BAD(carry_give(&c, b), HMF_ERR_NOTFOUND, "function thrice");
    carry_drop(&c);
    GOOD(hmf_function_undefine("twice"));
    CU_ASSERT_EQUAL(hmf_function_undefine("twice"), HMF_ERR_NOTFOUND);
    end();
}

static int comms[3];

static hmf_status_t comm_text(int number, const void *handle, const char **out)
{
    static const char *const texts[] = {"zero", "one", "two"};

    CU_ASSERT(number == typeMPI_COMM || number == typeMPI_REQUEST);
    for (int i = 0; i < 3; i++)
        if (handle == &comms[i]) {
            *out = texts[i];
            return HMF_OK;
        }
    return hmf__fail(HMF_ERR_BUSY, "that communicator is not for saving");
}

static hmf_status_t comm_find(int number, const char *text, void **out)
{
    CU_ASSERT(number == typeMPI_COMM || number == typeMPI_REQUEST);
    if (!strcmp(text, "two"))
        return hmf__fail(HMF_ERR_NOTFOUND, "no communicator two here");
    *out = &comms[!strcmp(text, "one") ? 1 : 0];
    return HMF_OK;
}

static void handles(void)
{
    static const struct hmf__handle_hooks hooks = {.text = comm_text, .find = comm_find};
    struct s {
        char c;
        void *comm[3];
        void *request;
    } x = {1, {&comms[1], NULL, &comms[0]}, &comms[1]}, y;
    static const int d[] = {-3, typeCHAR, typeARRAY, 3, typeMPI_COMM, typeMPI_REQUEST};
    static const int other[] = {-3, typeCHAR, typeARRAY, 3, typeMPI_GROUP, typeMPI_REQUEST};
    hmf_image_t *image;

    begin();
    memset(&y, 0xff, sizeof y);
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    BAD(hmf_image_capture(a, &image), HMF_ERR_UNSUPPORTED, "x.f1[0]: the MPI_Comm");
    hmf__handle_hooks(&hooks);
    GOOD(carry(a, b));
    CU_ASSERT(y.c == 1 && y.comm[0] == &comms[1] && !y.comm[1] && y.comm[2] == &comms[0]);
    CU_ASSERT_PTR_EQUAL(y.request, &comms[1]);
    x.comm[1] = &x;
    BAD(hmf_image_capture(a, &image), HMF_ERR_BUSY, "x.f1[1]: that communicator");
    x.comm[1] = &comms[2];
    BAD(carry(a, b), HMF_ERR_NOTFOUND, "no communicator two here");
    x.comm[1] = NULL;
    hmf_state_remove_name(b, "x");
    ADD(b, "x", y, other);
    BAD(carry(a, b), HMF_ERR_MISMATCH, "variable x");
    hmf__handle_hooks(NULL);
    end();
}

static void opaque_and_transient(void)
{
    struct s {
        int i;
        char key[13];
        FILE *fp;
        double d;
        int cache[20];
    } x = {1, "\1\2\3", stdout, 2.5, {1, 2, 3}}, y;
    static const int d[] = {-5, typeINT, typeOPAQUE, 13, typeTRANSIENT, typePOINTER, typeVOID,
                            typeDOUBLE, typeTRANSIENT, typeARRAY, 20, typeINT};
    size_t size;

    begin();
    GOOD(hmf_type_check(d, LEN(d), &size));
    CU_ASSERT_EQUAL(size, sizeof x);
    memset(&y, 0xff, sizeof y);
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    GOOD(carry(a, b));
    CU_ASSERT(y.i == 1 && y.d == 2.5 && !memcmp(x.key, y.key, 13));
    CU_ASSERT_PTR_NULL(y.fp);
    CU_ASSERT(y.cache[0] == 0 && y.cache[19] == 0);
    end();
}

/* A type that has no number, as bytes. */
#ifdef __SIZEOF_INT128__
static void int128(void)
{
    __extension__ typedef __int128 big;
    struct s {
        char c;
        big v;
        big *list;
    } x = {'c', -((big)3 << 70), malloc(2 * sizeof(big))}, y;
    static const int d[] = {-3, typeCHAR, typeALIGNED, 16, typeOPAQUE, 16, typePOINTER, typeARRAY, 2,
                            -1, typeALIGNED, 16, typeOPAQUE, 16};

    x.list[0] = x.v + 1;
    x.list[1] = -x.v;
    begin();
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    GOOD(carry(a, b));
    CU_ASSERT(y.c == 'c' && y.v == x.v && y.list[0] == x.v + 1 && y.list[1] == -x.v);
    CU_ASSERT_EQUAL((uintptr_t)y.list % 16, 0);
    free(x.list);
    free(y.list);
    end();
}
#endif

static void packed_and_aligned(void)
{
    struct __attribute__((packed)) p {
        char c;
        int i;
        double *q;
        short s;
    } x = {'a', -1, NULL, 7}, y;
    struct al {
        char c;
        _Alignas(32) float f;
        char e;
    } z = {'b', 1.5f, 'c'}, z2;
    static const int d[] = {typePACKED, -4, typeCHAR, typeINT, typePOINTER, typeDOUBLE,
                            typeSHORT};
    static const int d_z[] = {-3, typeCHAR, typeALIGNED, 32, typeFLOAT, typeCHAR};
    double *q = malloc(sizeof *q);

    begin();
    *q = 3;
    x.q = q;
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    ADD(a, "z", z, d_z);
    ADD(b, "z", z2, d_z);
    GOOD(carry(a, b));
    CU_ASSERT(y.c == 'a' && y.i == -1 && *y.q == 3 && y.s == 7);
    CU_ASSERT(z2.c == 'b' && z2.f == 1.5f && z2.e == 'c');
    q = y.q;
    free(q);
    q = x.q;
    free(q);
    end();
}

static const struct wrong {
    int desc[8];
    size_t len;
    const char *position;
} wrongs[] = {
    {{typeCOUNTED, 0, typeINT}, 3, "position 1"},             /* no struct around */
    {{-2, typeDOUBLE, typeCOUNTED, 0, typeINT}, 5, "position 3"}, /* length is no integer */
    {{-1, typeCOUNTED, 5, typeINT}, 4, "position 2"},         /* no such field */
    {{-1, typeCOUNTED, typeUP(1, 0), typeINT}, 4, "position 2"},
    {{-1, typeCOUNTED, -1, typeINT}, 4, "position 2"},
    {{-2, typeINT, typeCOUNTED, 0, typeCSTRING}, 5, "position 2"},
    {{-2, typeINT, typeCOUNTED, 0, typeCOUNTED, 0, typeCOUNTED, 0}, 8, "one is the most"},
    {{typeVOID}, 1, "position 0"},
    {{typeOPAQUE, 0}, 2, "position 1"},
    {{typePACKED, typeINT}, 2, "position 1"},
    {{typeALIGNED, 8, typeINT}, 3, "position 0"},
    {{-1, typeALIGNED, 3, typeINT}, 4, "position 2"},
    {{typeTRANSIENT}, 1, "position 1"},
    {{typeWEAK}, 1, "position 1"},
};

static void wrong_forms(void)
{
    for (size_t i = 0; i < LEN(wrongs); i++)
        BAD(hmf_type_check(wrongs[i].desc, wrongs[i].len, NULL), HMF_ERR_TYPE,
            wrongs[i].position);
}

/* Every form back to the ints that it came from. */
static void described(void)
{
    static const int d[] = {typePACKED, -8, typeINT, typeCOUNTED, 0, typeCOUNTED, 0, typeDOUBLE,
                            typeWEAK, typeSELF, 0, typePOINTER, typeVOID, typeFUNCTION, typeOPAQUE,
                            7, typeTRANSIENT, typeARRAY, 3, typeINT, typeALIGNED, 16, typeCHAR};
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
    {"counted pointers", counted},
    {"rows and columns", rows_and_columns},
    {"void and weak pointers", void_and_weak},
    {"pointers into arrays of pointers", inner_pointers},
    {"functions", functions},
    {"handles", handles},
    {"opaque and transient", opaque_and_transient},
#ifdef __SIZEOF_INT128__
    {"__int128", int128},
#endif
    {"packed and aligned", packed_and_aligned},
    {"wrong forms", wrong_forms},
    {"back to ints", described},
};

UNIT_MAIN("language", tests)
