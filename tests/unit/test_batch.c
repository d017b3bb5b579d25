/* Many nodes at a time: copies made during the walk (src/batch.c) are in the order of the blocks,
 * whatever lies between them, and are not used where blocks turn out to lie within others. */
#include "config.h"

#include "carry.h"
#include "hmf/type.h"
#include "typemap.h"
#include "unit.h"

#include <stdio.h>

enum { NODE = 10200, LEAF = 10201, MOST = 1500, ROWS = 5 };

struct leaf {
    char *name;
    struct node *up;
    short v;
};

struct node {
    long id;
    struct node *next;  /* single nodes in a ring, now and then by way of a row */
    struct leaf *leaf;  /* NULL: has none */
    int nrows;
    struct node *rows;  /* of its own type */
    struct node *any;   /* a row of this or another node, or behind its last one */
};

struct side {
    struct node root, *ring[MOST];
    hmf_state_t *state;
};

static void define(void)
{
    static const int leaf[] = {-3, typePOINTER, typeCSTRING, typePOINTER, NODE, typeSHORT},
                     node[] = {-6, typeLONG, typePOINTER, NODE, typePOINTER, LEAF, typeINT,
                               typeCOUNTED, 3, NODE, typePOINTER, NODE};

    CU_ASSERT_EQUAL_FATAL(hmf_type_define(LEAF, "leaf", leaf, LEN(leaf), NULL, NULL), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_type_define(NODE, "node", node, LEN(node), NULL, NULL), HMF_OK);
}

static void enroll(struct side *s)
{
    static const int root[] = {NODE}, ring[] = {typePOINTER, NODE};

    memset(s, 0, sizeof *s);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&s->state), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_add(s->state, "root", &s->root, sizeof s->root, root,
                                        LEN(root), NULL), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_add(s->state, "ring", s->ring, sizeof s->ring, ring, LEN(ring),
                                        NULL), HMF_OK);
}

static struct leaf *new_leaf(struct node *up)
{
    struct leaf *l = calloc(1, sizeof *l);
    char text[32];

    snprintf(text, sizeof text, "leaf of %ld", up->id);
    l->name = strdup(text);
    l->up = up;
    l->v = (short)-up->id;
    return l;
}

/* Rows: which of the nodes have some; inside: any leads to them. */
static void build(struct side *s, int n, int rows_every, bool inside)
{
    s->root = (struct node){.id = -1};
    for (int i = 0; i < n; i++) {
        struct node *p = s->ring[i] = calloc(1, sizeof *p);
        p->id = i;
    }
    for (int i = 0; i < n; i++) {
        struct node *p = s->ring[i];
        p->next = s->ring[(i * 7 + 1) % n];
        p->leaf = i % 3 ? new_leaf(p) : NULL;
        p->any = &s->root;
        if (!rows_every || i % rows_every)
            continue;
        p->nrows = ROWS;
        p->rows = calloc(ROWS, sizeof *p->rows);
        for (int k = 0; k < ROWS; k++)
            p->rows[k] = (struct node){.id = 10000L * i + k, .next = p};
        if (inside)
            p->any = &p->rows[i % (ROWS + 1)]; /* also behind the last */
    }
    s->root.next = s->ring[0];
    s->root.any = s->ring[n - 1];
}

static void drop(struct side *s)
{
    for (int i = 0; i < MOST && s->ring[i]; i++) {
        if (s->ring[i]->leaf)
            free(s->ring[i]->leaf->name);
        free(s->ring[i]->leaf);
        free(s->ring[i]->rows);
        free(s->ring[i]);
    }
    memset(s->ring, 0, sizeof s->ring);
    memset(&s->root, 0, sizeof s->root);
}

/* Faults in what was restored. */
static int compare(const struct side *s, int n, int rows_every, bool inside)
{
    int bad = s->root.id != -1 || s->root.next != s->ring[0] || s->root.any != s->ring[n - 1];

    for (int i = 0; i < n; i++) {
        const struct node *p = s->ring[i];
        char text[32];
        snprintf(text, sizeof text, "leaf of %d", i);
        bad += p->id != i || p->next != s->ring[(i * 7 + 1) % n];
        bad += !p->leaf != !(i % 3);
        if (p->leaf)
            bad += strcmp(p->leaf->name, text) || p->leaf->up != p || p->leaf->v != -i;
        bool rows = rows_every && i % rows_every == 0;
        bad += p->nrows != (rows ? ROWS : 0) || !p->rows != !rows;
        bad += p->any != (rows && inside ? &p->rows[i % (ROWS + 1)] : &s->root);
        for (int k = 0; k < p->nrows; k++)
            bad += p->rows[k].id != 10000L * i + k || p->rows[k].next != p;
    }
    return bad;
}

/* The same state again and again: what was kept of the last time fits, or is too small. */
static void rounds(void)
{
    static const struct {
        int n, rows_every;
        bool inside;
    } round[] = {{1000, 0, false}, {1000, 0, false}, {MOST, 0, false}, {700, 9, false},
                 {700, 9, true}, {1, 0, false}, {200, 1, true}, {1000, 100, false}};
    static struct side a, b;

    define();
    enroll(&a);
    enroll(&b);
    for (size_t i = 0; i < LEN(round); i++) {
        build(&a, round[i].n, round[i].rows_every, round[i].inside);
        hmf_status_t rc = carry(a.state, b.state);
        if (rc != HMF_OK)
            printf("\nround %zu: %s\n", i, hmf_error_text());
        CU_ASSERT_EQUAL_FATAL(rc, HMF_OK);
        CU_ASSERT_EQUAL(compare(&a, round[i].n, round[i].rows_every, round[i].inside), 0);
        CU_ASSERT_EQUAL(compare(&b, round[i].n, round[i].rows_every, round[i].inside), 0);
        drop(&a);
        drop(&b);
    }
    hmf_state_free(a.state);
    hmf_state_free(b.state);
    CU_ASSERT_EQUAL(hmf_type_undefine(NODE), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_undefine(LEAF), HMF_OK);
}

static const struct unit_test tests[] = {
    {"rounds", rounds},
};
UNIT_MAIN("batch", tests)
