/* libhmf-heap stands before malloc: all ways to get a block are noted, those of other libraries
 * and threads too; pointers need no lengths; pointers to freed memory are errors with their path,
 * whatever malloc made of that memory since. */
#include "config.h"

#include "../unit/carry.h"
#include "heap.h"
#include "typemap.h"

#include <malloc.h>
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failures;

#define CHECK(what)                                                                               \
    do {                                                                                          \
        if (!(what)) {                                                                            \
            printf("line %d: %s does not hold (%s)\n", __LINE__, #what, hmf_error_text());        \
            failures++;                                                                           \
        }                                                                                         \
    } while (0)

static size_t size_at(const void *p)
{
    size_t size = SIZE_MAX;

    return hmf_heap_find(p, NULL, &size) == HMF_OK ? size : SIZE_MAX;
}

static void ways(void)
{
    void *p = malloc(33), *q = NULL, *volatile was;
    char *text = strdup("some text"), *printed = NULL;

    CHECK(size_at(p) == 33);
    CHECK((p = realloc(p, 5000)) && size_at((char *)p + 4999) == 5000);
    was = p;
    free(p);
    CHECK(size_at(was) == SIZE_MAX);
    CHECK((p = calloc(7, 9)) && size_at(p) == 63);
    free(p);
    CHECK(posix_memalign(&q, 4096, 100) == 0 && size_at(q) == 100);
    free(q);
    CHECK((q = aligned_alloc(64, 640)) && size_at(q) == 640);
    free(q);
    CHECK((q = memalign(256, 17)) && size_at(q) == 17);
    free(q);
    CHECK((q = malloc((size_t)64 << 20)) && size_at((char *)q + ((size_t)63 << 20)) ==
          (size_t)64 << 20); /* a mapping of its own */
    free(q);
    CHECK((q = malloc(0)) && size_at(q) == 0);
    free(q);
    CHECK(size_at(text) == 10); /* from inside of the C library */
    free(text);
    CHECK(asprintf(&printed, "%d", 123456) == 6 && size_at(printed) != SIZE_MAX);
    free(printed);
    p = malloc(8);
    CHECK(p && realloc(p, SIZE_MAX / 2) == NULL && size_at(p) == 8);
    free(p);
}

static void *thread(void *arg)
{
    size_t wrong = 0;

    for (int turn = 0; turn < 200; turn++) {
        void *v[100];
        for (size_t i = 0; i < 100; i++)
            v[i] = malloc(i * 40);
        for (size_t i = 0; i < 100; i++) {
            wrong += size_at(v[i]) != i * 40;
            v[i] = realloc(v[i], i * 80 + 1);
        }
        for (size_t i = 0; i < 100; i++) {
            wrong += size_at(v[i]) != i * 80 + 1;
            free(v[i]);
        }
    }
    *(size_t *)arg = wrong;
    return NULL;
}

static void threads(void)
{
    pthread_t t[4];
    size_t wrong[4];

    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, thread, &wrong[i]) == 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        CHECK(wrong[i] == 0);
    }
}

struct node {
    int value;
    double *u;
    struct node *next;
};

static const int d_node[] = {typePOINTER, -3, typeINT, typePOINTER, typeDOUBLE, typePOINTER,
                             typeSELF, 0};
enum { D_NODE = sizeof d_node / sizeof *d_node };
static const char *const names[] = {"value", "u", "next", NULL};

static struct node *make(int n)
{
    struct node *list = NULL;

    for (int i = n - 1; i >= 0; i--) {
        struct node *x = malloc(sizeof *x);
        *x = (struct node){i, malloc((size_t)(i + 1) * sizeof *x->u), list};
        for (int k = 0; k <= i; k++)
            x->u[k] = i * 100 + k;
        list = x;
    }
    return list;
}

static size_t drop(struct node *list)
{
    size_t wrong = 0;

    for (int i = 0; list; i++) {
        struct node *next = list->next;
        wrong += size_at(list->u) != (size_t)(i + 1) * sizeof *list->u || list->u[i] != i * 101;
        free(list->u);
        free(list);
        list = next;
    }
    return wrong;
}

static void lists(void)
{
    struct node *x = make(300), *y = NULL;
    hmf_state_t *a = NULL, *b = NULL;
    hmf_image_t *image;

    CHECK(hmf_state_new(&a) == HMF_OK && hmf_state_new(&b) == HMF_OK);
    CHECK(hmf_state_add(a, "list", &x, sizeof x, d_node, D_NODE, names) == HMF_OK);
    CHECK(hmf_state_add(b, "list", &y, sizeof y, d_node, D_NODE, names) == HMF_OK);
    CHECK(carry(a, b) == HMF_OK);
    CHECK(drop(y) == 0);

    /* the list's memory is freed, but not the pointer to it forgotten */
    struct node *second = x->next, *third = second->next;
    double *u = second->u;
    free(u);
    CHECK(hmf_image_capture(a, &image) == HMF_ERR_POINTER);
    CHECK(strstr(hmf_error_text(), "pointer list->next->u = ") != NULL);
    second->u = NULL;
    x->next = third;
    free(second);
    x->next = second;
    CHECK(hmf_image_capture(a, &image) == HMF_ERR_POINTER);
    CHECK(strstr(hmf_error_text(), "pointer list->next = ") != NULL);
    x->next = (struct node *)((char *)third + 8); /* into a block, where no node begins */
    CHECK(hmf_image_capture(a, &image) == HMF_ERR_POINTER);
    x->next = (struct node *)(void *)(uintptr_t)0xdeadbeef0;
    CHECK(hmf_image_capture(a, &image) == HMF_ERR_POINTER);
    x->next = third;
    CHECK(carry(a, b) == HMF_OK);
    CHECK(y->next->value == 2);
    hmf_state_free(a);
    hmf_state_free(b);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    CHECK(hmf__heap_is_complete());
    ways();
    threads();
    lists();
    MPI_Finalize();
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
