/* The heap's blocks known: the table itself, lengths taken from blocks, pointers to freed memory.
 * That libhmf-heap fills the table by itself is for tests/heap.sh. */
#include "config.h"

#include "heap.h"
#include "hmf/type.h"
#include "typemap.h"

#include "pair.h"

#include <pthread.h>
#include <stdio.h>

/* Asked by the address sanitizer, if it is there: more memory than there is gives NULL, as ever. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static size_t size_at(const void *p)
{
    size_t size = SIZE_MAX;

    return hmf_heap_find(p, NULL, &size) == HMF_OK ? size : SIZE_MAX;
}

static void functions(void)
{
    char *p = hmf_heap_malloc(100), *q = hmf_heap_calloc(3, 7), *s = hmf_heap_strdup("four");
    void *block = NULL;

    CU_ASSERT_EQUAL(size_at(p), 100);
    CU_ASSERT_EQUAL(size_at(p + 99), 100);
    CU_ASSERT_EQUAL(size_at(p + 100), SIZE_MAX);
    CU_ASSERT_EQUAL(hmf_heap_find(p + 50, &block, NULL), HMF_OK);
    CU_ASSERT_PTR_EQUAL(block, p);
    CU_ASSERT_EQUAL(size_at(q + 20), 21);
    CU_ASSERT_EQUAL(q[20], 0);
    CU_ASSERT_STRING_EQUAL(s, "four");
    CU_ASSERT_EQUAL(size_at(s), 5);
    CU_ASSERT_PTR_NULL(hmf_heap_calloc(SIZE_MAX / 2, 3));
    hmf_heap_free(q);
    CU_ASSERT_EQUAL(size_at(q), SIZE_MAX);
    p[99] = 'x';
    p = hmf_heap_realloc(p, 70000);
    CU_ASSERT_EQUAL(size_at(p + 69999), 70000);
    CU_ASSERT_EQUAL(p[99], 'x');
    p = hmf_heap_realloc(p, 10);
    CU_ASSERT_EQUAL(size_at(p), 10);
    CU_ASSERT_PTR_NULL(hmf_heap_realloc(p, SIZE_MAX / 2)); /* the block stays, and stays noted */
    CU_ASSERT_EQUAL(size_at(p), 10);
    hmf_heap_free(p);
    hmf_heap_free(s);
    hmf_heap_free(NULL);
    free(hmf_heap_realloc(hmf_heap_realloc(NULL, 5), 6));
}

/* Addresses are only numbers here: nothing reads them. */
static void table(void)
{
    char *far = (char *)((uintptr_t)1 << (sizeof(void *) > 4 ? 40 : 29));
    size_t huge = (size_t)1 << (sizeof(void *) > 4 ? 42 : 28);

    GOOD(hmf_heap_note(far, 16));
    GOOD(hmf_heap_note(far + 32, huge));
    CU_ASSERT_EQUAL(size_at(far + 15), 16);
    CU_ASSERT_EQUAL(size_at(far + 16), SIZE_MAX);
    CU_ASSERT_EQUAL(size_at(far + 32), huge);
    CU_ASSERT_EQUAL(size_at(far + 32 + huge / 2), huge);
    CU_ASSERT_EQUAL(size_at(far + 32 + huge - 1), huge);
    CU_ASSERT_EQUAL(size_at(far + 32 + huge), SIZE_MAX);
    GOOD(hmf_heap_note(far + 32, 48));
    CU_ASSERT_EQUAL(size_at(far + 33), 48);
    CU_ASSERT_EQUAL(size_at(far + 32 + 48), SIZE_MAX);
    GOOD(hmf_heap_note(far + 32, 0));
    CU_ASSERT_EQUAL(size_at(far + 32), 0);
    hmf_heap_forget(far + 32);
    hmf_heap_forget(far + 32);
    hmf_heap_forget(far + 1);
    hmf_heap_forget(NULL);
    hmf_heap_forget((void *)UINTPTR_MAX);
    CU_ASSERT_EQUAL(size_at(far + 40), SIZE_MAX);
    CU_ASSERT_EQUAL(size_at(far), 16);
    hmf_heap_forget(far);
    BAD(hmf_heap_note(NULL, 8), HMF_ERR_ARG, "cannot begin");
    BAD(hmf_heap_note(far + 1, 8), HMF_ERR_ARG, "cannot begin");
    BAD(hmf_heap_find(far, NULL, NULL), HMF_ERR_NOTFOUND, "no heap block");
    CU_ASSERT_EQUAL(size_at((void *)UINTPTR_MAX), SIZE_MAX);
}

static void *hammer(void *arg)
{
    enum { N = 2000 };
    void *v[N];
    size_t wrong = 0;

    for (int turn = 0; turn < 5; turn++) {
        for (size_t i = 0; i < N; i++)
            v[i] = hmf_heap_malloc(i);
        for (size_t i = 0; i < N; i++)
            wrong += size_at(v[i]) != i;
        for (size_t i = 0; i < N; i++)
            hmf_heap_free(v[i]);
    }
    *(size_t *)arg = wrong;
    return NULL;
}

static void threads(void)
{
    pthread_t t[4];
    size_t wrong[4];

    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&t[i], NULL, hammer, &wrong[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        CU_ASSERT_EQUAL(wrong[i], 0);
    }
}

/* double *u: as many as there are; end and middle of it; a string's tail; pointers to pointers. */
static void lengths(void)
{
    struct field {
        double *u, *end, *mid;
        char *bytes;
        double **rows;
        int *one;
    } x, y;
    int d[] = {-6, typePOINTER, typeDOUBLE, typePOINTER, typeDOUBLE, typePOINTER, typeDOUBLE,
               typePOINTER, typeCHAR, typePOINTER, typePOINTER, typeDOUBLE, typePOINTER, typeINT};

    begin();
    x.u = hmf_heap_malloc(1000 * sizeof *x.u);
    for (int i = 0; i < 1000; i++)
        x.u[i] = 0.5 * i;
    x.end = x.u + 1000;
    x.mid = x.u + 10;
    x.bytes = hmf_heap_calloc(1, 13);
    strcpy(x.bytes, "twelve chars");
    x.rows = hmf_heap_malloc(3 * sizeof *x.rows);
    for (int i = 0; i < 3; i++) {
        x.rows[i] = hmf_heap_malloc((size_t)(i + 1) * sizeof **x.rows);
        for (int j = 0; j <= i; j++)
            x.rows[i][j] = 10 * i + j;
    }
    x.one = hmf_heap_malloc(7); /* one and a part */
    *x.one = 77;
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    for (int turn = 0; turn < 2; turn++) { /* blocks that were restored are as good */
        GOOD(carry(a, b));
        CU_ASSERT_EQUAL(size_at(y.u), 8000);
        CU_ASSERT_EQUAL(y.u[999], 499.5);
        CU_ASSERT_PTR_EQUAL(y.end, y.u + 1000);
        CU_ASSERT_PTR_EQUAL(y.mid, y.u + 10);
        CU_ASSERT_EQUAL(size_at(y.bytes), 13);
        CU_ASSERT_STRING_EQUAL(y.bytes, "twelve chars");
        CU_ASSERT_EQUAL(size_at(y.rows), 3 * sizeof *y.rows);
        CU_ASSERT_EQUAL(y.rows[2][2], 22);
        CU_ASSERT_EQUAL(size_at(y.rows[2]), 24);
        CU_ASSERT_EQUAL(*y.one, 77);
        CU_ASSERT_EQUAL(size_at(y.one), sizeof(int));
        for (int i = 0; i < 3; i++)
            hmf_heap_free(x.rows[i]);
        hmf_heap_free(x.rows);
        hmf_heap_free(x.u);
        hmf_heap_free(x.bytes);
        hmf_heap_free(x.one);
        x = y;
    }
    for (int i = 0; i < 3; i++)
        hmf_heap_free(x.rows[i]);
    hmf_heap_free(x.rows);
    hmf_heap_free(x.u);
    hmf_heap_free(x.bytes);
    hmf_heap_free(x.one);
    end();
}

struct node {
    int value;
    double *u;
    struct node *next;
};

static const int d_node[] = {typePOINTER, -3, typeINT, typePOINTER, typeDOUBLE, typePOINTER,
                             typeSELF, 0};

/* What a block is: the larger type says it, whichever pointer is found first; a description's
 * length says more than the block. */
static void precedence(void)
{
    struct {
        double *u;            /* NULL */
        int *value;           /* leads to the first member of a node */
        struct node *n;
        int used, room;
        struct node *counted; /* the rest of the block is not initialised */
        struct node *pool;    /* leads into the middle of an array of nodes */
    } x = {0}, y;
    int d[] = {-7, typePOINTER, typeDOUBLE, typePOINTER, typeINT, typePOINTER, -3, typeINT,
               typePOINTER, typeDOUBLE, typePOINTER, typeSELF, 0, typeINT, typeINT, typeCOUNTED, 3,
               10777, typePOINTER, 10777};
    int d_user[] = {-3, typeINT, typePOINTER, typeDOUBLE, typePOINTER, 10777};
    int *heap_var = hmf_heap_malloc(10 * sizeof *heap_var), var[10], *alias = heap_var + 3, *alias2;
    int d_int[] = {typeINT}, d_pint[] = {typePOINTER, typeINT};

    GOOD(hmf_type_define(10777, "node", d_user, LEN(d_user), NULL, NULL));
    begin();
    x.n = hmf_heap_calloc(1, sizeof *x.n);
    x.n->value = 5;
    x.value = &x.n->value;
    x.used = 1;
    x.room = 8;
    x.counted = hmf_heap_malloc(8 * sizeof *x.counted);
    memset(x.counted, 0x5a, 8 * sizeof *x.counted);
    x.counted[0] = (struct node){1, NULL, NULL};
    x.pool = (struct node *)hmf_heap_calloc(20, sizeof *x.pool) + 7;
    x.pool[-7].value = 700;
    x.pool[12].value = 1900;
    x.pool[12].next = x.pool - 7;
    for (int i = 0; i < 10; i++)
        heap_var[i] = i;
    ADD(a, "x", x, d);
    ADD(b, "x", y, d);
    GOOD(hmf_state_add(a, "var", heap_var, 10 * sizeof *heap_var, d_int, 1, NULL));
    GOOD(hmf_state_add(b, "var", var, sizeof var, d_int, 1, NULL));
    ADD(a, "alias", alias, d_pint);
    ADD(b, "alias", alias2, d_pint);
    GOOD(carry(a, b));
    CU_ASSERT_EQUAL(size_at(y.n), sizeof *y.n);
    CU_ASSERT_PTR_EQUAL(y.value, &y.n->value);
    CU_ASSERT_EQUAL(size_at(y.counted), sizeof *y.counted);
    CU_ASSERT_EQUAL(y.counted->value, 1);
    CU_ASSERT_EQUAL(size_at(y.pool), 20 * sizeof *y.pool);
    CU_ASSERT_EQUAL(y.pool[-7].value, 700);
    CU_ASSERT_EQUAL(y.pool[12].value, 1900);
    CU_ASSERT_PTR_EQUAL(y.pool[12].next, y.pool - 7);
    CU_ASSERT_PTR_EQUAL(alias2, var + 3);
    hmf_heap_free(x.n);
    hmf_heap_free(x.counted);
    hmf_heap_free(x.pool - 7);
    hmf_heap_free(heap_var);
    hmf_heap_free(y.n);
    hmf_heap_free(y.counted);
    hmf_heap_free(y.pool - 7);
    end();
    GOOD(hmf_type_undefine(10777));
}

/* Each array leads to the next one: as many rounds of extending as there are arrays. */
static void chain(void)
{
    enum { N = 20000 };
    struct node *x = NULL, *y = NULL;
    size_t wrong = 0;

    begin();
    for (int i = 0; i < N; i++) {
        struct node *p = hmf_heap_calloc(2, sizeof *p);
        p[1] = (struct node){i, NULL, x};
        x = p;
    }
    ADD(a, "x", x, d_node);
    ADD(b, "x", y, d_node);
    GOOD(carry(a, b));
    for (int i = N - 1; i >= 0; i--) {
        struct node *p = x, *q = y;
        wrong += q[1].value != i || size_at(q) != 2 * sizeof *q;
        x = p[1].next;
        y = q[1].next;
        hmf_heap_free(p);
        hmf_heap_free(q);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_PTR_NULL(y);
    end();
}

static void too_short(void)
{
    struct node *x = hmf_heap_calloc(1, sizeof *x - 4);
    int *u = hmf_heap_malloc(12), d_int[] = {typeINT};
    struct {
        int n;
        int *v;
        char *text;
    } c = {4, u, NULL};
    int d[] = {-3, typeINT, typeCOUNTED, 0, typeINT, typePOINTER, typeCSTRING};
    hmf_image_t *image;

    begin();
    ADD(a, "list", x, d_node);
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "list");
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "the heap block there has only 20");
    ADD(b, "c", c, d);
    BAD(hmf_image_capture(b, &image), HMF_ERR_POINTER,
        "leads to 16 bytes, but the heap block there has only 12");
    c.n = 3;
    GOOD(hmf_image_capture(b, &image));
    hmf_image_free(image);
    c.text = hmf_heap_malloc(3);
    memcpy(c.text, "abc", 3);
    BAD(hmf_image_capture(b, &image), HMF_ERR_POINTER, "c.f2");
    c.text[2] = 0;
    GOOD(hmf_image_capture(b, &image));
    hmf_image_free(image);
    GOOD(hmf_state_add(b, "u", u, 12, d_int, 1, NULL));
    GOOD(hmf_image_capture(b, &image));
    hmf_image_free(image);
    CU_ASSERT_EQUAL(hmf_state_remove_name(b, "u"), HMF_OK);
    GOOD(hmf_state_add(b, "u", u, 16, d_int, 1, NULL));
    BAD(hmf_image_capture(b, &image), HMF_ERR_POINTER,
        "variable u has 16 bytes, but the heap block");
    hmf_heap_free(c.text);
    hmf_heap_free(u);
    hmf_heap_free(x);
    end();
}

/* Memory that this program gives out itself, so that what was freed stays as it was; within 16 KiB that the
 * table knows to be heap as long as any block is there. */
static void dangling(void)
{
    static _Alignas(16384) char arena[64][64];
    struct {
        struct node *list;
    } state = {(struct node *)(void *)arena[0]};
    int d[] = {-1, typePOINTER, -3, typeINT, typePOINTER, typeDOUBLE, typePOINTER, typeSELF, 0};
    const char *const names[] = {"list", "value", "u", "next", NULL};
    struct weak {
        struct node *w;
        char *text;
        void *any;
    } weak = {0}, got;
    int d_weak[] = {-3, typeWEAK, -3, typeINT, typePOINTER, typeDOUBLE, typePOINTER, typeSELF, 0,
                    typePOINTER, typeCSTRING, typePOINTER, typeVOID};
    hmf_image_t *image;
    struct node *n[5];

    for (int i = 0; i < 5; i++) {
        n[i] = (struct node *)(void *)arena[i];
        GOOD(hmf_heap_note(n[i], sizeof *n[i]));
        *n[i] = (struct node){i, NULL, NULL};
        if (i)
            n[i - 1]->next = n[i];
    }
    GOOD(hmf_heap_note(arena[40], 24));
    n[2]->u = (double *)(void *)arena[40];
    hmf_heap_complete(); /* of no use to the other tests: this one is the last */
    begin();
    GOOD(hmf_state_add(a, "state", &state, sizeof state, d, LEN(d), names));
    GOOD(hmf_image_capture(a, &image));
    hmf_image_free(image);
    hmf_heap_forget(arena[40]);
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER,
        "pointer state.list->next->next->u = ");
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "no block is in use");
    n[2]->u = (double *)(void *)(arena[40] + 16); /* not even where one began */
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "state.list->next->next->u = ");
    n[2]->u = NULL;
    memset(n[4], 0x7e, sizeof *n[4]); /* what is there now must not be looked at */
    hmf_heap_forget(n[4]);
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER,
        "pointer state.list->next->next->next->next = ");
    n[3]->next = NULL;
    GOOD(hmf_image_capture(a, &image));
    hmf_image_free(image);
    weak.w = n[4];
    ADD(a, "weak", weak, d_weak);
    ADD(b, "weak", got, d_weak);
    state.list = NULL;
    GOOD(hmf_state_remove_name(a, "state"));
    GOOD(carry(a, b));
    CU_ASSERT_PTR_NULL(got.w);
    weak.text = (char *)n[4];
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "pointer weak.f1 = ");
    weak.text = NULL;
    weak.any = n[4];
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "pointer weak.f2 = ");
    weak.any = NULL;
    GOOD(hmf_state_add(a, "gone", n[4], sizeof *n[4], d_node + 1, LEN(d_node) - 1, NULL));
    BAD(hmf_image_capture(a, &image), HMF_ERR_POINTER, "variable gone at");
    for (int i = 0; i < 4; i++)
        hmf_heap_forget(n[i]);
    end();
}

static const struct unit_test tests[] = {
    {"malloc and relatives", functions},
    {"the table", table},
    {"threads", threads},
    {"lengths from blocks", lengths},
    {"who says what a block is", precedence},
    {"a chain of arrays", chain},
    {"blocks that are too short", too_short},
    {"pointers to freed blocks", dangling},
};

UNIT_MAIN("heap", tests)
