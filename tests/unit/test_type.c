/* Descriptions: valid ones give the compiler's layout, wrong ones an error with its position. */
#include "config.h"

#include "base.h"
#include "hmf/type.h"
#include "type.h"
#include "typemap.h"

#include "unit.h"

#include <complex.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <wchar.h>

static struct hmf__types t;

static uint32_t compile(const int *desc, size_t len)
{
    uint32_t id = 0;

    CU_ASSERT_EQUAL_FATAL(hmf__types_compile(&t, desc, len, NULL, &id), HMF_OK);
    return id;
}

static void basics(void)
{
#define BASIC(number, c_type)                                                                     \
    {                                                                                             \
        struct pair {                                                                             \
            char c;                                                                               \
            c_type v;                                                                             \
        };                                                                                        \
        int d[] = {-2, typeCHAR, number};                                                         \
        uint32_t id_ = compile(d, 3);                                                             \
        const struct hmf__type *y = &t.v[id_];                                               \
        CU_ASSERT_EQUAL(y->size, sizeof(struct pair));                                            \
        CU_ASSERT_EQUAL(y->fields[1].offset, offsetof(struct pair, v));                           \
        CU_ASSERT_EQUAL(t.v[y->fields[1].type].size, sizeof(c_type));                             \
    }
    hmf__types_init(&t, NULL);
    BASIC(typeCHAR, char)
    BASIC(typeDOUBLE, double)
    BASIC(typeFLOAT, float)
    BASIC(typeINT, int)
    BASIC(typeLONG, long)
    BASIC(typeSHORT, short)
    BASIC(typeUINT, unsigned)
    BASIC(typeULONG, unsigned long)
    BASIC(typeUSHORT, unsigned short)
    BASIC(typeSCHAR, signed char)
    BASIC(typeUCHAR, unsigned char)
    BASIC(typeLLONG, long long)
    BASIC(typeULLONG, unsigned long long)
    BASIC(typeBOOL, _Bool)
    BASIC(typeLDOUBLE, long double)
    BASIC(typeINT8, int8_t)
    BASIC(typeUINT8, uint8_t)
    BASIC(typeINT16, int16_t)
    BASIC(typeUINT16, uint16_t)
    BASIC(typeINT32, int32_t)
    BASIC(typeUINT32, uint32_t)
    BASIC(typeINT64, int64_t)
    BASIC(typeUINT64, uint64_t)
    BASIC(typeSIZE, size_t)
    BASIC(typeSSIZE, ssize_t)
    BASIC(typePTRDIFF, ptrdiff_t)
    BASIC(typeINTPTR, intptr_t)
    BASIC(typeUINTPTR, uintptr_t)
    BASIC(typeWCHAR, wchar_t)
    BASIC(typeTIME, time_t)
    BASIC(typeFCOMPLEX, float complex)
    BASIC(typeDCOMPLEX, double complex)
    BASIC(typeLDCOMPLEX, long double complex)
    hmf__types_fini(&t);
}

static void report_examples(void)
{
    struct example2 {
        int uid;
        char *name;
        char passwd[8];
        int gids[16];
    };
    int d[] = {typePOINTER, -4, typeINT, typePOINTER, typeCSTRING, typeFSTRING, 8, typeARRAY, 16,
               typeINT};
    uint32_t id;

    hmf__types_init(&t, NULL);
    id = compile(d, LEN(d));
    CU_ASSERT_EQUAL(t.v[id].kind, HMF__KIND_POINTER);
    const struct hmf__type *y = &t.v[t.v[id].elem];
    CU_ASSERT_EQUAL(y->size, sizeof(struct example2));
    CU_ASSERT_EQUAL(y->fields[1].offset, offsetof(struct example2, name));
    CU_ASSERT_EQUAL(y->fields[2].offset, offsetof(struct example2, passwd));
    CU_ASSERT_EQUAL(y->fields[3].offset, offsetof(struct example2, gids));
    CU_ASSERT_STRING_EQUAL(y->fields[3].name, "f3");
    CU_ASSERT_EQUAL(y->nleaves, 1 + 1 + 8 + 16);
    CU_ASSERT_EQUAL(y->nslots, 1);
    /* the same again adds nothing */
    uint32_t n = t.n;
    CU_ASSERT_EQUAL(compile(d, LEN(d)), id);
    CU_ASSERT_EQUAL(t.n, n);
    hmf__types_fini(&t);
}

static const struct wrong {
    const char *what;
    int desc[8];
    size_t len;
    const char *position;
} wrongs[] = {
    {"no type", {99}, 1, "position 0"},
    {"zero", {0}, 1, "position 0"},
    {"reserved", {1999}, 1, "position 0"},
    {"array without length", {typeARRAY}, 1, "position 0"},
    {"array of nothing", {typeARRAY, 3}, 2, "position 2"},
    {"array of 0", {typeARRAY, 0, typeINT}, 3, "position 1"},
    {"array of -2", {typeARRAY, -2, typeINT}, 3, "position 1"},
    {"pointer to nothing", {typePOINTER}, 1, "position 1"},
    {"struct too short", {-3, typeINT, typeINT}, 3, "position 0"},
    {"struct of none", {-2, typeINT, 5}, 3, "position 2"},
    {"rest", {typeINT, typeINT}, 2, "position 1"},
    {"string by value", {typeCSTRING}, 1, "position 0"},
    {"array of strings", {typePOINTER, typeARRAY, 3, typeCSTRING}, 4, "position 1"},
    {"text of 0", {typeFSTRING, 0}, 2, "position 1"},
    {"self by value", {-1, typeSELF, 0}, 3, "position 1"},
    {"self too far", {-1, typePOINTER, typeSELF, 1}, 4, "position 3"},
    {"self outside", {typePOINTER, typeSELF, 0}, 3, "position 2"},
    {"unknown user type", {typePOINTER, 12345}, 2, "position 1"},
    {"int min", {-2147483647 - 1, typeINT}, 2, "position 0"},
};

static void wrong_descriptions(void)
{
    uint32_t id;

    hmf__types_init(&t, NULL);
    for (size_t i = 0; i < LEN(wrongs); i++) {
        hmf_status_t rc = hmf__types_compile(&t, wrongs[i].desc, wrongs[i].len, NULL, &id);
        CU_ASSERT_EQUAL(rc, HMF_ERR_TYPE);
        if (rc != HMF_ERR_TYPE || !strstr(hmf_error_text(), wrongs[i].position)) {
            printf("\n%s: %s\n", wrongs[i].what, hmf_error_text());
            CU_FAIL("wrong position");
        }
        CU_ASSERT_EQUAL(t.n, 0);
    }
    CU_ASSERT_EQUAL(hmf__types_compile(&t, NULL, 0, NULL, &id), HMF_ERR_TYPE);
    hmf__types_fini(&t);
}

static void too_much(void)
{
    enum { N = 200 };
    int deep[2 * N + 1], big[] = {typeARRAY, 2000000000, typeARRAY, 2000000000, typeARRAY, 2,
                                  typeDOUBLE};
    uint32_t id;

    for (int i = 0; i < N; i++) {
        deep[2 * i] = typeARRAY;
        deep[2 * i + 1] = 1;
    }
    deep[2 * N] = typeINT;
    hmf__types_init(&t, NULL);
    CU_ASSERT_EQUAL(hmf__types_compile(&t, deep, LEN(deep), NULL, &id), HMF_ERR_TYPE);
    for (int i = 0; i < N; i++)
        deep[i] = typePOINTER;
    deep[N] = typeINT;
    CU_ASSERT_EQUAL(hmf__types_compile(&t, deep, N + 1, NULL, &id), HMF_ERR_TYPE);
    CU_ASSERT_EQUAL(hmf__types_compile(&t, big, LEN(big), NULL, &id), HMF_ERR_LIMIT);
    CU_ASSERT_EQUAL(t.n, 0);
    hmf__types_fini(&t);
}

static void names(void)
{
    int d[] = {-2, typeINT, -2, typeINT, typeDOUBLE};
    const char *const good[] = {"a", "b", "x", "y", NULL};
    const char *const few[] = {"a", "b", "x", NULL};
    const char *const many[] = {"a", "b", "x", "y", "z", NULL};
    const char *const empty[] = {"a", "", "x", "y", NULL};
    char path[40];
    uint32_t id;

    hmf__types_init(&t, NULL);
    CU_ASSERT_EQUAL(hmf__types_compile(&t, d, LEN(d), few, &id), HMF_ERR_TYPE);
    CU_ASSERT_EQUAL(hmf__types_compile(&t, d, LEN(d), many, &id), HMF_ERR_TYPE);
    CU_ASSERT_EQUAL_FATAL(hmf__types_compile(&t, d, LEN(d), empty, &id), HMF_OK);
    CU_ASSERT_STRING_EQUAL( /* an anonymous member has no part in a path */
        hmf__layout_path(&t, id, NULL, t.v[id].fields[1].offset, 0, path, sizeof path), ".x");
    CU_ASSERT_EQUAL_FATAL(hmf__types_compile(&t, d, LEN(d), good, &id), HMF_OK);
    CU_ASSERT_STRING_EQUAL(t.v[id].fields[1].name, "b");
    CU_ASSERT_STRING_EQUAL(t.v[t.v[id].fields[1].type].fields[1].name, "y");
    hmf__types_fini(&t);
}

static void user_types(void)
{
    static const int node[] = {-2, typeINT, typePOINTER, 10000};
    static const int a[] = {-2, typeINT, typePOINTER, 10002};  /* mutually recursive */
    static const int b[] = {-2, 10001, typePOINTER, 10001};    /* holds an a by value */
    static const int loop1[] = {-1, 10004}, loop2[] = {-1, 10003};
    static const int alias[] = {typeARRAY, 3, typeDOUBLE};
    static const char *const fields[] = {"value", "next", NULL};
    static const int packed[] = {-2, typeCHAR, typeINT};
    struct __attribute__((packed)) packed_t {
        char c;
        int i;
    };
    size_t offsets[] = {offsetof(struct packed_t, c), offsetof(struct packed_t, i)}, size;
    struct hmf_type_layout layout = {sizeof(struct packed_t), 1, offsets, 2};
    int use[] = {typePOINTER, 10000}, use_b[] = {10002}, use_alias[] = {-2, typeCHAR, 10005};
    int use_loop[] = {10003}, use_packed[] = {typeARRAY, 3, 10006};
    uint32_t id;

    CU_ASSERT_EQUAL(hmf_type_define(9999, "x", node, 4, NULL, NULL), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_type_define(10000, "", node, 4, NULL, NULL), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_type_define(10000, "node", NULL, 0, NULL, NULL), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_type_define(10000, "node", node, 4, fields, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_define(10000, "node", node, 4, fields, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_define(10000, "edon", node, 4, fields, NULL), HMF_ERR_NAME);
    CU_ASSERT_EQUAL(hmf_type_define(10001, "a", a, 4, NULL, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_define(10002, "b", b, 4, NULL, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_define(10003, "loop1", loop1, 2, NULL, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_define(10004, "loop2", loop2, 2, NULL, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_define(10005, "vec3", alias, 3, NULL, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_define(10006, "packed", packed, 3, NULL, &layout), HMF_OK);

    hmf__types_init(&t, NULL);
    id = compile(use, 2);
    const struct hmf__type *y = &t.v[t.v[id].elem];
    CU_ASSERT_STRING_EQUAL(y->name, "node");
    CU_ASSERT_STRING_EQUAL(y->fields[1].name, "next");
    CU_ASSERT_EQUAL(t.v[y->fields[1].type].elem, t.v[id].elem);
    CU_ASSERT_EQUAL(y->number, 10000);
    id = compile(use_b, 1);
    y = &t.v[id];
    CU_ASSERT_EQUAL(y->size, 3 * sizeof(void *));
    id = compile(use_alias, 3);
    CU_ASSERT_EQUAL(t.v[id].size, 32);
    uint32_t n = t.n;
    CU_ASSERT_EQUAL(hmf__types_compile(&t, use_loop, 1, NULL, &id), HMF_ERR_TYPE);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "contains itself"));
    CU_ASSERT_EQUAL(t.n, n);
    id = compile(use_packed, 3);
    CU_ASSERT_EQUAL(t.v[id].size, 15);
    hmf__types_fini(&t);

    CU_ASSERT_EQUAL(hmf_type_check(use_packed, 3, &size), HMF_OK);
    CU_ASSERT_EQUAL(size, 15);
    CU_ASSERT_EQUAL(hmf_type_undefine(10000), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_undefine(10000), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(hmf_type_check(use, 2, NULL), HMF_ERR_TYPE);
    offsets[1] = 0; /* overlaps */
    CU_ASSERT_EQUAL(hmf_type_undefine(10006), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_define(10006, "packed", packed, 3, NULL, &layout), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_check(use_packed, 3, &size), HMF_ERR_TYPE);
    for (int i = 10001; i <= 10006; i++)
        CU_ASSERT_EQUAL(hmf_type_undefine(i), HMF_OK);
}

static void describe(void)
{
    int d[] = {-4, typeINT, typePOINTER, typeSELF, 0, typeARRAY, 3, -2, typeDOUBLE, typePOINTER,
               typeSELF, 1, typeFSTRING, 8};
    struct hmf__buf b = HMF__BUF_INIT;

    hmf__types_init(&t, NULL);
    uint32_t id = compile(d, LEN(d));
    CU_ASSERT_EQUAL(hmf__types_describe(&t, id, &b), HMF_OK);
    CU_ASSERT_EQUAL(b.len, 4 * LEN(d));
    for (size_t i = 0; i < LEN(d); i++)
        CU_ASSERT_EQUAL(hmf__buf_get_i32(&b), d[i]);
    hmf__buf_fini(&b);
    hmf__types_fini(&t);
}

static void classes(void)
{
    int once[] = {typePOINTER, -2, typeINT, typePOINTER, typeSELF, 0};
    int unrolled[] = {typePOINTER, -2, typeINT, typePOINTER, -2, typeINT, typePOINTER, typeSELF,
                      0};
    int other[] = {typePOINTER, -2, typeUINT, typePOINTER, typeSELF, 0};
    int array[] = {typePOINTER, typeARRAY, 5, typeINT}, array2[] = {typePOINTER, typeARRAY, 6,
                                                                     typeINT};

    hmf__types_init(&t, NULL);
    uint32_t a = compile(once, LEN(once)), b = compile(unrolled, LEN(unrolled));
    uint32_t c = compile(other, LEN(other)), d = compile(array, 4), e = compile(array2, 4);
    CU_ASSERT_EQUAL(hmf__types_classes(&t), HMF_OK);
    CU_ASSERT_NOT_EQUAL(a, b);
    CU_ASSERT_EQUAL(t.classes[a], t.classes[b]);
    CU_ASSERT_EQUAL(t.classes[t.v[a].elem], t.classes[t.v[b].elem]);
    CU_ASSERT_NOT_EQUAL(t.classes[a], t.classes[c]);
    CU_ASSERT_NOT_EQUAL(t.classes[d], t.classes[e]);
    hmf__types_fini(&t);
}

static void leaves(void)
{
    struct inner {
        char c;
        double d[2];
    };
    struct outer {
        int i;
        struct inner in[3];
        char text[5];
        short s;
    };
    int desc[] = {-4, typeINT, typeARRAY, 3, -2, typeCHAR, typeARRAY, 2, typeDOUBLE, typeFSTRING,
                  5, typeSHORT};
    char path[100];
    uint64_t leaf;

    hmf__types_init(&t, NULL);
    uint32_t id = compile(desc, LEN(desc));
    CU_ASSERT_EQUAL(t.v[id].size, sizeof(struct outer));
    CU_ASSERT_EQUAL(t.v[id].nleaves, 16);
    for (uint64_t i = 0; i < 16; i++) {
        CU_ASSERT(hmf__layout_leaf(&t, id, NULL, hmf__layout_offset(&t, id, i), &leaf));
        CU_ASSERT_EQUAL(leaf, i);
    }
    CU_ASSERT_EQUAL(hmf__layout_offset(&t, id, 5), offsetof(struct outer, in[1].d[0]));
    CU_ASSERT_EQUAL(hmf__layout_offset(&t, id, 16), sizeof(struct outer));
    CU_ASSERT_FALSE(hmf__layout_leaf(&t, id, NULL, 1, &leaf));
    CU_ASSERT_FALSE(hmf__layout_leaf(&t, id, NULL, offsetof(struct outer, in[0]) + 1, &leaf));
    CU_ASSERT_FALSE(hmf__layout_leaf(&t, id, NULL, sizeof(struct outer), &leaf));
    CU_ASSERT_STRING_EQUAL(
        hmf__layout_path(&t, id, NULL, offsetof(struct outer, in[2].d[1]), 0, path, sizeof path),
        ".f1[2].f1[1]");
    /* cut, no overrun */
    hmf__layout_path(&t, id, NULL, offsetof(struct outer, in[2].d[1]), 0, path, 6);
    CU_ASSERT(strlen(path) < 6);
    hmf__types_fini(&t);
}

static void no_memory(void)
{
    int d[] = {typePOINTER, -3, typeINT, typePOINTER, typeSELF, 0, typeARRAY, 4, typeDOUBLE};
    uint32_t id;
    hmf_status_t rc = HMF_ERR_NOMEM;

    for (long n = 1; rc != HMF_OK && n < 1000; n++) {
        hmf__types_init(&t, NULL);
        hmf__alloc_fail_at(n);
        rc = hmf__types_compile(&t, d, LEN(d), NULL, &id);
        if (rc == HMF_OK)
            rc = hmf__types_classes(&t);
        hmf__alloc_fail_at(0);
        CU_ASSERT(rc == HMF_OK || rc == HMF_ERR_NOMEM);
        hmf__types_fini(&t);
    }
    CU_ASSERT_EQUAL(rc, HMF_OK);
}

static const struct unit_test tests[] = {
    {"basic types as the compiler lays them out", basics},
    {"the report's examples", report_examples},
    {"wrong descriptions", wrong_descriptions},
    {"too deep, too large", too_much},
    {"field names", names},
    {"user types", user_types},
    {"back to ints", describe},
    {"classes", classes},
    {"leaves and paths", leaves},
    {"every allocation fails once", no_memory},
};

UNIT_MAIN("type", tests)
