/* Ten million nodes in a ring with a second pointer each, on a stack of 64 KiB: nothing recurses.
 * launch: limit=180 */
#include "config.h"

#include "carry.h"
#include "typemap.h"

#include "unit.h"

#include <limits.h>
#include <pthread.h>

enum { NODES = 10000000, STACK = 64 << 10 };

struct node {
    int value;
    struct node *next, *back; /* the one before: every node is shared */
};

static const int d[] = {typePOINTER, -3, typeINT, typePOINTER, typeSELF, 0, typePOINTER, typeSELF,
                        0};
static struct node *from, *to;
static hmf_state_t *a, *b;
static struct carried image;
static hmf_status_t rc;

static void free_ring(struct node *first)
{
    first->back->next = NULL;
    for (struct node *next; first; first = next) {
        next = first->next;
        free(first);
    }
}

static void *take(void *unused)
{
    rc = carry_take(a, &image);
    return unused;
}

static void *give(void *unused)
{
    rc = carry_give(&image, b);
    return unused;
}

static void on_small_stack(void *(*what)(void *))
{
    pthread_attr_t attr;
    pthread_t thread;
    size_t stack = PTHREAD_STACK_MIN > STACK ? (size_t)PTHREAD_STACK_MIN : STACK;

    pthread_attr_init(&attr);
    CU_ASSERT_EQUAL_FATAL(pthread_attr_setstacksize(&attr, stack), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, &attr, what, NULL), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    if (rc != HMF_OK)
        printf("\n%s\n", hmf_error_text());
    CU_ASSERT_EQUAL_FATAL(rc, HMF_OK);
}

static void ten_million(void)
{
    struct node *last = NULL;
    size_t n = 0;

    for (int i = 0; i < NODES; i++) {
        struct node *x = malloc(sizeof *x);
        CU_ASSERT_PTR_NOT_NULL_FATAL(x);
        *x = (struct node){i, NULL, last};
        if (last)
            last->next = x;
        else
            from = x;
        last = x;
    }
    last->next = from;
    from->back = last;
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&a), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&b), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_add(a, "ring", &from, sizeof from, d, sizeof d / sizeof *d,
                                        NULL), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_add(b, "ring", &to, sizeof to, d, sizeof d / sizeof *d, NULL),
                          HMF_OK);
    on_small_stack(take);
    free_ring(from);
    on_small_stack(give);
    carry_drop(&image);
    struct node *x = to;
    for (int i = 0; i < NODES; i++, x = x->next)
        n += x->value == i && x->next->back == x;
    CU_ASSERT_EQUAL(n, NODES);
    CU_ASSERT_PTR_EQUAL(x, to);
    free_ring(to);
    hmf_state_free(a);
    hmf_state_free(b);
}

static const struct unit_test tests[] = {
    {"ten million nodes", ten_million},
};

UNIT_MAIN("graph, large", tests)
