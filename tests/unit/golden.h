/* The state that is in the golden images of tests/golden; also what the fuzzer restores into.
 * Never change it: old images must be readable for ever.  A new version gets a new image. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "base.h"
#include "hmf/function.h"
#include "state.h"
#include "typemap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct golden_node {
    int value;
    char mark;
    double weight;
    long id;
    struct golden_node *next;
    char *name;
};

struct golden_all {
    signed char sc;
    unsigned char uc;
    short s;
    unsigned short us;
    unsigned int u;
    unsigned long ul;
    long long ll;
    unsigned long long ull;
    float f;
    long double ld;
    bool b;
    char text[6];
    int counts;
    float *counted;
    float *end; /* one past counted's end */
    int (*function)(int);
};

struct golden {
    int i;
    double grid[3][4];
    struct golden_node *list;
    double *inside; /* into grid */
    struct golden_all all;
};

static inline int golden_function(int v)
{
    return v + 42;
}

static const int golden_list[] = {typePOINTER, -6, typeINT, typeCHAR, typeDOUBLE, typeLONG,
                                  typePOINTER, typeSELF, 0, typePOINTER, typeCSTRING};
static const int golden_all_type[] = {-16, typeSCHAR, typeUCHAR, typeSHORT, typeUSHORT, typeUINT,
                                      typeULONG, typeLLONG, typeULLONG, typeFLOAT, typeLDOUBLE,
                                      typeBOOL, typeFSTRING, 6, typeINT, typeCOUNTED, 12,
                                      typeFLOAT, typePOINTER, typeFLOAT, typeFUNCTION};
static const char *const golden_list_names[] = {"value", "mark", "weight", "id", "next", "name",
                                                NULL};
static const char *const golden_all_names[] = {
    "sc", "uc", "s", "us", "u", "ul", "ll", "ull", "f", "ld", "b", "text", "counts", "counted",
    "end", "function", NULL};

static inline hmf_status_t golden_register(hmf_state_t *s, struct golden *g)
{
    static const int d_int[] = {typeINT}, d_grid[] = {typeARRAY, 4, typeDOUBLE};
    static const int d_inside[] = {typePOINTER, typeDOUBLE};
    hmf_status_t rc;

    if ((rc = hmf_function_define("golden_function", (hmf_function_t)golden_function)) != HMF_OK ||
        (rc = hmf_state_add(s, "i", &g->i, sizeof g->i, d_int, 1, NULL)) != HMF_OK ||
        (rc = hmf_state_add(s, "grid", g->grid, sizeof g->grid, d_grid, 3, NULL)) != HMF_OK ||
        (rc = hmf_state_add(s, "list", &g->list, sizeof g->list, golden_list, 11,
                            golden_list_names)) != HMF_OK ||
        (rc = hmf_state_add(s, "inside", &g->inside, sizeof g->inside, d_inside, 2, NULL)) !=
            HMF_OK)
        return rc;
    return hmf_state_add(s, "all", &g->all, sizeof g->all, golden_all_type,
                         sizeof golden_all_type / sizeof golden_all_type[0], golden_all_names);
}

static inline void golden_fill(struct golden *g)
{
    struct golden_node **link = &g->list;

    memset(g, 0, sizeof *g);
    g->i = -123456;
    for (int k = 0; k < 12; k++)
        g->grid[k / 4][k % 4] = k * 1.25 - 3;
    for (int k = 0; k < 3; k++) {
        struct golden_node *n = calloc(1, sizeof *n);
        n->value = k;
        n->mark = (char)('a' + k);
        n->weight = k / 4.0;
        n->id = -1000000L * k;
        n->name = k == 1 ? NULL : strdup(k ? "last" : "first");
        *link = n;
        link = &n->next;
    }
    *link = g->list; /* a ring */
    g->inside = &g->grid[1][2];
    g->all = (struct golden_all){.sc = -1, .uc = 200, .s = -300, .us = 60000, .u = 4000000000u,
                                 .ul = 4000000000u, .ll = -5000000000ll,
                                 .ull = 18000000000000000000ull, .f = 0.1f, .ld = -0.375L,
                                 .b = true, .text = "text", .counts = 5,
                                 .function = golden_function};
    g->all.counted = malloc(5 * sizeof *g->all.counted);
    for (int k = 0; k < 5; k++)
        g->all.counted[k] = (float)k / 2;
    g->all.end = g->all.counted + 5;
}

/* Free what golden_fill or a restore made. */
static inline void golden_drop(struct golden *g)
{
    for (int k = 0; k < 3; k++) {
        struct golden_node *next = g->list->next;
        free(g->list->name);
        free(g->list);
        g->list = next;
    }
    free(g->all.counted);
}

static inline bool golden_good(const struct golden *g)
{
    const struct golden_node *n = g->list;
    const struct golden_all *a = &g->all;
    bool good = g->i == -123456 && g->inside == &g->grid[1][2];

    for (int k = 0; k < 12; k++)
        good &= g->grid[k / 4][k % 4] == k * 1.25 - 3;
    for (int k = 0; k < 3; k++, n = n->next) {
        good &= n->value == k && n->mark == 'a' + k && n->weight == k / 4.0 &&
                n->id == -1000000L * k;
        good &= k == 1 ? !n->name : !strcmp(n->name, k ? "last" : "first");
    }
    good &= n == g->list && a->sc == -1 && a->uc == 200 && a->s == -300 && a->us == 60000 &&
            a->u == 4000000000u && a->ul == 4000000000u && a->ll == -5000000000ll &&
            a->ull == 18000000000000000000ull && a->f == 0.1f && a->ld == -0.375L && a->b &&
            !strcmp(a->text, "text") && a->counts == 5 && a->end == a->counted + 5 &&
            a->function == golden_function;
    for (int k = 0; k < 5; k++)
        good &= a->counted[k] == (float)k / 2;
    return good;
}

#endif
