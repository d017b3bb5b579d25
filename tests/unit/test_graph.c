/* Graphs at random: blocks of vertices with pointers to any others, into them, behind them, into
 * globals and into registered variables; what is restored must have the same shape.  Every block
 * is freed, so that tests/valgrind.sh, which runs this program too, sees what is lost.
 * The seed is printed; give another one as argument. */
#include "config.h"

#include "carry.h"
#include "typemap.h"

#include "hmf/type.h"
#include "unit.h"

#include <stdio.h>

enum { BLOCKS = 60, MOST = 6, GLOBALS = 9, OUT = 3, VERTEX = 10100, KINDS = 5 };

struct vertex {
    int id;
    double weight[2];
    struct vertex *to[OUT]; /* any vertex: shared, cyclic, in the middle of a block, or NULL */
    double *inside;         /* a weight of any vertex */
    struct vertex *end;     /* behind a block, or behind the globals */
    void *any;              /* any vertex, weight or registered variable */
};

/* One side of a test: everything that it registers. */
struct side {
    struct {
        int n;
        struct vertex *v;
    } block[BLOCKS];
    struct vertex *globals;
    double field[7];
    struct vertex *first; /* a variable that leads into another one */
    double *into_field, *behind_field;
    void *variable;       /* to another variable itself */
    hmf_state_t *state;
};

static struct vertex globals_from[GLOBALS], globals_to[GLOBALS];
static uint64_t seed = 20261122, x;

static unsigned pick(unsigned n)
{
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return (unsigned)(x >> 33) % n;
}

static void define(void)
{
    static const int d[] = {-6, typeINT, typeARRAY, 2, typeDOUBLE, typeARRAY, OUT, typePOINTER,
                            VERTEX, typePOINTER, typeDOUBLE, typePOINTER, VERTEX, typePOINTER,
                            typeVOID};
    static const char *const names[] = {"id", "weight", "to", "inside", "end", "any", NULL};

    CU_ASSERT_EQUAL_FATAL(hmf_type_define(VERTEX, "vertex", d, LEN(d), names, NULL), HMF_OK);
}

static void add(struct side *s, const char *name, void *addr, size_t size, const int *d, size_t n)
{
    hmf_status_t rc = hmf_state_add(s->state, name, addr, size, d, n, NULL);

    if (rc != HMF_OK)
        printf("\n%s\n", hmf_error_text());
    CU_ASSERT_EQUAL_FATAL(rc, HMF_OK);
}

static void enroll(struct side *s, struct vertex *globals)
{
    static const int d_blocks[] = {-2, typeINT, typeCOUNTED, 0, VERTEX}, d_vertex[] = {VERTEX},
                     d_double[] = {typeDOUBLE}, d_first[] = {typePOINTER, VERTEX},
                     d_pdouble[] = {typePOINTER, typeDOUBLE}, d_any[] = {typePOINTER, typeVOID};

    memset(s, 0, sizeof *s);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&s->state), HMF_OK);
    s->globals = globals;
    add(s, "first", &s->first, sizeof s->first, d_first, LEN(d_first));
    add(s, "block", s->block, sizeof s->block, d_blocks, LEN(d_blocks));
    add(s, "globals", globals, GLOBALS * sizeof *globals, d_vertex, LEN(d_vertex));
    add(s, "field", s->field, sizeof s->field, d_double, LEN(d_double));
    add(s, "into", &s->into_field, sizeof s->into_field, d_pdouble, LEN(d_pdouble));
    add(s, "behind", &s->behind_field, sizeof s->behind_field, d_pdouble, LEN(d_pdouble));
    add(s, "variable", &s->variable, sizeof s->variable, d_any, LEN(d_any));
}

static struct vertex *any_vertex(struct side *s)
{
    unsigned b = pick(BLOCKS + 3);

    if (b >= BLOCKS)
        return &s->globals[pick(GLOBALS)];
    return &s->block[b].v[pick((unsigned)s->block[b].n)];
}

static void fill(struct side *s, struct vertex *v, int id)
{
    v->id = id;
    v->weight[0] = id + 0.25;
    v->weight[1] = -id;
    for (int k = 0; k < OUT; k++)
        v->to[k] = pick(5) ? any_vertex(s) : NULL;
    v->inside = pick(3) ? &any_vertex(s)->weight[pick(2)] : NULL;
    unsigned b = pick(BLOCKS + 2);
    v->end = b >= BLOCKS ? s->globals + GLOBALS
             : s->block[b].n > 1 ? s->block[b].v + s->block[b].n : NULL;
    v->any = pick(2) ? (void *)any_vertex(s) : pick(2) ? (void *)&s->field[pick(7)]
                                                       : (void *)&any_vertex(s)->weight[1];
}

static void build(struct side *s)
{
    int id = 0;

    for (int i = 0; i < BLOCKS; i++) {
        s->block[i].n = 1 + (int)pick(MOST);
        s->block[i].v = malloc((size_t)s->block[i].n * sizeof *s->block[i].v);
    }
    for (int i = 0; i < BLOCKS; i++)
        for (int k = 0; k < s->block[i].n; k++)
            fill(s, &s->block[i].v[k], id++);
    for (int k = 0; k < GLOBALS; k++)
        fill(s, &s->globals[k], id++);
    for (int k = 0; k < 7; k++)
        s->field[k] = k * 1.5;
    s->first = any_vertex(s);
    s->into_field = &s->field[3];
    s->behind_field = s->field + 7;
    s->variable = &s->into_field;
}

/* A place as a number that both sides have in common. */
static long place(const struct side *s, const void *p)
{
    uintptr_t a = (uintptr_t)p, start;

    if (!p)
        return -1;
    for (int i = 0; i < BLOCKS; i++) {
        start = (uintptr_t)s->block[i].v;
        if (a >= start && a <= start + (size_t)s->block[i].n * sizeof *s->block[i].v)
            return (long)(a - start) + i * 10000L;
    }
    start = (uintptr_t)s->globals;
    if (a >= start && a <= start + GLOBALS * sizeof *s->globals)
        return (long)(a - start) + 1000000;
    start = (uintptr_t)s;
    if (a >= start && a < start + sizeof *s)
        return (long)(a - start) + 2000000;
    return -2;
}

static int differ(const struct side *s, const struct vertex *v, const struct side *t,
                  const struct vertex *w)
{
    int n = v->id != w->id || memcmp(v->weight, w->weight, sizeof v->weight) ||
            place(s, v->inside) != place(t, w->inside) || place(s, v->end) != place(t, w->end) ||
            place(s, v->any) != place(t, w->any);

    for (int k = 0; k < OUT; k++)
        n |= place(s, v->to[k]) != place(t, w->to[k]);
    return n;
}

static int compare(const struct side *s, const struct side *t)
{
    int n = 0;

    for (int i = 0; i < BLOCKS; i++) {
        n += s->block[i].n != t->block[i].n;
        for (int k = 0; k < s->block[i].n && !n; k++)
            n += differ(s, &s->block[i].v[k], t, &t->block[i].v[k]);
    }
    for (int k = 0; k < GLOBALS; k++)
        n += differ(s, &s->globals[k], t, &t->globals[k]);
    n += memcmp(s->field, t->field, sizeof s->field) != 0;
    n += place(s, s->first) != place(t, t->first) || place(s, s->first) < 0;
    n += place(s, s->into_field) != place(t, t->into_field);
    n += place(s, s->behind_field) != place(t, t->behind_field);
    return n + (place(s, s->variable) != place(t, t->variable));
}

static void drop(struct side *s)
{
    for (int i = 0; i < BLOCKS; i++)
        free(s->block[i].v);
    hmf_state_free(s->state);
}

static void random_graphs(void)
{
    static struct side s, t;

    define();
    printf("seed %llu ", (unsigned long long)seed);
    x = seed;
    for (int turn = 0; turn < 40; turn++) {
        enroll(&s, globals_from);
        enroll(&t, globals_to);
        build(&s);
        hmf_status_t rc = carry(s.state, t.state);
        if (rc != HMF_OK)
            printf("\nturn %d: %s\n", turn, hmf_error_text());
        CU_ASSERT_EQUAL_FATAL(rc, HMF_OK);
        CU_ASSERT_EQUAL(compare(&s, &t), 0);
        drop(&s);
        drop(&t);
    }
}

/* A restore that is given up half way frees what it made. */
static void given_up(void)
{
    static struct side s, t;
    struct carried c;

    x = seed + 1;
    enroll(&s, globals_from);
    enroll(&t, globals_to);
    build(&s);
    CU_ASSERT_EQUAL_FATAL(carry_take(s.state, &c), HMF_OK);
    for (size_t stop = 0; stop < c.nsegments; stop++) {
        hmf_restore_t *r;
        CU_ASSERT_EQUAL_FATAL(hmf_restore_begin(t.state, c.meta, c.meta_len, &r), HMF_OK);
        for (size_t i = 0; i < stop; i++) {
            const struct iovec *iov;
            size_t niov;
            uint64_t bytes, at = 0;
            CU_ASSERT_EQUAL(hmf_restore_segment(r, i, &iov, &niov, &bytes), HMF_OK);
            for (size_t k = 0; k < niov; at += iov[k++].iov_len)
                memcpy(iov[k].iov_base, c.segment[i] + at, iov[k].iov_len);
            CU_ASSERT_EQUAL(hmf_restore_segment_done(r, i), HMF_OK);
        }
        hmf_restore_abort(r);
    }
    carry_drop(&c);
    memset(t.block, 0, sizeof t.block);
    drop(&s);
    drop(&t);
    CU_ASSERT_EQUAL(hmf_type_undefine(VERTEX), HMF_OK);
}

static const struct unit_test tests[] = {
    {"graphs at random", random_graphs},
    {"restores given up", given_up},
};

int main(int argc, char **argv)
{
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0) | 1;
    return unit_main("graph", tests, LEN(tests));
}
