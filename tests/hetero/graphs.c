/* Pointers of every kind the type language has, with sharing, cycles, and targets inside of and one
 * past other things; after reading, every pointer must lead where it led. */
#include "config.h"

#include "cases.h"
#include "hmf/function.h"
#include "hmf/type.h"
#include "typemap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 200, TREE = 10, PERSON = 10101, HOUSE = 10102 };

struct list { int value; double weight; struct list *next, *back; char *name; };
struct tree { char mark; struct tree *left, *right; long long id; };
struct house;
struct person { char initial; struct house *home; struct person *friend_; };
struct house { double area; short n; struct person **who; };
struct matrix { short rows; char cols; double **v; };

typedef int (*operation)(int, int);

static int add_up(int a, int b)
{
    return a + b;
}

static int take_away(int a, int b)
{
    return a - b;
}

static struct {
    struct list *ring;           /* doubly linked, closed */
    struct tree *tree;
    struct person *me;
    struct matrix m;
    int table[20];
    int *in_table, *end_of_table; /* into a variable's own array, and one past its end */
    struct list *third;           /* shares the ring's */
    double *weight;               /* inside a node */
    struct list *weak_kept, *weak_lost;
    void *anything;               /* void * to the tree's root */
    operation op[2];
    char *text, *same_text, *empty;
    int nchunks;
    char **chunks;                /* counted array of strings */
    int **twice;                  /* pointer to a pointer into table */
    float *block, *inside_block;  /* counted; and its middle */
    unsigned nblock;
    struct list *nothing;
} g;

static const int g_desc[] = {
    -22,
    /* ring */ typePOINTER, -5, typeINT, typeDOUBLE, typePOINTER, typeSELF, 0, typePOINTER, typeSELF, 0,
    typePOINTER, typeCSTRING,
    /* tree */ typePOINTER, -4, typeCHAR, typePOINTER, typeSELF, 0, typePOINTER, typeSELF, 0, typeLLONG,
    /* me */ typePOINTER, PERSON,
    /* m */ -3, typeSHORT, typeCHAR, typeCOUNTED, 0, typeCOUNTED, 1, typeDOUBLE,
    /* table */ typeARRAY, 20, typeINT, typePOINTER, typeINT, typePOINTER, typeINT,
    /* third */ typePOINTER, -5, typeINT, typeDOUBLE, typePOINTER, typeSELF, 0, typePOINTER, typeSELF, 0,
    typePOINTER, typeCSTRING,
    /* weight */ typePOINTER, typeDOUBLE,
    /* weak */ typeWEAK, -5, typeINT, typeDOUBLE, typePOINTER, typeSELF, 0, typePOINTER, typeSELF, 0,
    typePOINTER, typeCSTRING,
    typeWEAK, -5, typeINT, typeDOUBLE, typePOINTER, typeSELF, 0, typePOINTER, typeSELF, 0,
    typePOINTER, typeCSTRING,
    /* anything */ typePOINTER, typeVOID,
    /* op */ typeARRAY, 2, typeFUNCTION,
    /* text */ typePOINTER, typeCSTRING, typePOINTER, typeCSTRING, typePOINTER, typeCSTRING,
    /* chunks */ typeINT, typeCOUNTED, 16, typePOINTER, typeCSTRING,
    /* twice */ typePOINTER, typePOINTER, typeINT,
    /* block */ typeCOUNTED, 21, typeFLOAT, typePOINTER, typeFLOAT, typeUINT,
    /* nothing */
};

static hmf_status_t g_add(hmf_state_t *s)
{
    static const int person[] = {-3, typeCHAR, typePOINTER, HOUSE, typePOINTER, PERSON};
    static const int house[] = {-3, typeDOUBLE, typeSHORT, typeCOUNTED, 1, typePOINTER, PERSON};
    static const int nothing[] = {typePOINTER, -1, typeINT};
    hmf_status_t rc;

    if ((rc = hmf_type_define(PERSON, "person", person, HETERO_LEN(person), NULL, NULL)) ||
        (rc = hmf_type_define(HOUSE, "house", house, HETERO_LEN(house), NULL, NULL)) ||
        (rc = hmf_function_define("add_up", (hmf_function_t)add_up)) ||
        (rc = hmf_function_define("take_away", (hmf_function_t)take_away)) ||
        (rc = hmf_state_add(s, "nothing", &g.nothing, sizeof g.nothing, nothing, 3, NULL)))
        return rc;
    return hmf_state_add(s, "graphs", &g, offsetof(__typeof__(g), nothing), g_desc,
                         HETERO_LEN(g_desc), NULL);
}

static struct tree *grow(int depth, long long id)
{
    struct tree *t = calloc(1, sizeof *t);

    t->mark = (char)('a' + depth);
    t->id = id * 1000003;
    t->left = depth ? grow(depth - 1, 2 * id) : NULL;
    t->right = depth && id % 3 ? grow(depth - 1, 2 * id + 1) : NULL;
    return t;
}

static int compare_tree(const struct tree *t, int depth, long long id)
{
    int bad = 0;

    HETERO_CHECK(t != NULL);
    if (!t)
        return bad;
    HETERO_CHECK(t->mark == 'a' + depth && t->id == id * 1000003);
    HETERO_CHECK(!t->left == !depth && !t->right == !(depth && id % 3));
    if (t->left)
        bad += compare_tree(t->left, depth - 1, 2 * id);
    if (t->right)
        bad += compare_tree(t->right, depth - 1, 2 * id + 1);
    return bad;
}

static void g_fill(void)
{
    struct list **v = calloc(NODES, sizeof *v);

    memset(&g, 0, sizeof g);
    for (int k = 0; k < NODES; k++)
        v[k] = calloc(1, sizeof **v);
    for (int k = 0; k < NODES; k++) {
        char text[32];
        snprintf(text, sizeof text, "node %d", k);
        *v[k] = (struct list){k, k / 16.0, v[(k + 1) % NODES], v[(k + NODES - 1) % NODES],
                              k % 3 ? strdup(text) : NULL};
    }
    g.ring = v[0];
    g.third = v[3];
    g.weight = &v[5]->weight;
    g.weak_kept = v[7];
    g.weak_lost = calloc(1, sizeof *g.weak_lost);
    g.tree = grow(TREE, 1);
    g.anything = g.tree;
    g.op[0] = add_up;
    g.op[1] = take_away;

    struct person *p[3];
    struct house *h = calloc(1, sizeof *h);
    h->area = 99.5;
    h->n = 3;
    h->who = calloc(3, sizeof *h->who);
    for (int k = 0; k < 3; k++)
        h->who[k] = p[k] = calloc(1, sizeof **p);
    for (int k = 0; k < 3; k++)
        *p[k] = (struct person){(char)('A' + k), k == 1 ? NULL : h, p[(k + 1) % 3]};
    g.me = p[0];

    g.m.rows = 4;
    g.m.cols = 5;
    g.m.v = calloc(4, sizeof *g.m.v);
    for (int i = 0; i < 4; i++) {
        g.m.v[i] = calloc(5, sizeof **g.m.v);
        for (int k = 0; k < 5; k++)
            g.m.v[i][k] = i + k / 8.0;
    }
    for (int k = 0; k < 20; k++)
        g.table[k] = 1 << k;
    g.in_table = &g.table[13];
    g.end_of_table = g.table + 20;
    g.text = g.same_text = strdup("the same \xe2\x82\xac");
    g.empty = strdup("");
    g.nchunks = 3;
    g.chunks = calloc(3, sizeof *g.chunks);
    g.chunks[0] = strdup("first");
    g.chunks[2] = strdup("third, which is longer");
    g.twice = malloc(sizeof *g.twice);
    *g.twice = &g.table[2];
    g.nblock = 1000;
    g.block = calloc(g.nblock, sizeof *g.block);
    for (unsigned k = 0; k < g.nblock; k++)
        g.block[k] = (float)k / 4;
    g.inside_block = g.block + 600;
    free(v);
}

static int g_check(void)
{
    struct list *n = g.ring;
    int bad = 0, k = 0;

    for (k = 0; k < NODES && n; k++, n = n->next) {
        char text[32];
        snprintf(text, sizeof text, "node %d", k);
        HETERO_CHECK(n->value == k && n->weight == k / 16.0 && n->next && n->next->back == n);
        HETERO_CHECK(k % 3 ? n->name && !strcmp(n->name, text) : !n->name);
        HETERO_CHECK(k != 3 || g.third == n);
        HETERO_CHECK(k != 5 || g.weight == &n->weight);
        HETERO_CHECK(k != 7 || g.weak_kept == n);
    }
    HETERO_CHECK(n == g.ring && k == NODES && !g.weak_lost && !g.nothing);
    bad += compare_tree(g.tree, TREE, 1);
    HETERO_CHECK(g.anything == g.tree);
    HETERO_CHECK(g.op[0] == add_up && g.op[1] == take_away);

    const struct person *p = g.me;
    for (k = 0; k < 3 && p; k++, p = p->friend_) {
        HETERO_CHECK(p->initial == 'A' + k && (k == 1 ? !p->home : p->home == g.me->home));
        HETERO_CHECK(g.me->home && g.me->home->who && g.me->home->who[k] == p);
    }
    HETERO_CHECK(p == g.me && g.me->home->n == 3 && g.me->home->area == 99.5);

    HETERO_CHECK(g.m.rows == 4 && g.m.cols == 5);
    for (int i = 0; i < 4; i++)
        for (k = 0; k < 5; k++)
            HETERO_CHECK(g.m.v[i][k] == i + k / 8.0);
    for (k = 0; k < 20; k++)
        HETERO_CHECK(g.table[k] == 1 << k);
    HETERO_CHECK(g.in_table == &g.table[13] && g.end_of_table == g.table + 20);
    HETERO_CHECK(g.text == g.same_text && !strcmp(g.text, "the same \xe2\x82\xac") && !*g.empty);
    HETERO_CHECK(g.nchunks == 3 && !strcmp(g.chunks[0], "first") && !g.chunks[1] &&
                 !strcmp(g.chunks[2], "third, which is longer"));
    HETERO_CHECK(*g.twice == &g.table[2]);
    HETERO_CHECK(g.nblock == 1000 && g.inside_block == g.block + 600);
    for (unsigned i = 0; i < g.nblock; i++)
        HETERO_CHECK(g.block[i] == (float)i / 4);
    return bad;
}

static void g_poison(void)
{
    memset(&g, 0x55, sizeof g);
}

const struct hetero_case hetero_graphs = {"graphs", g_add, g_fill, g_check, g_poison};
