/* Descriptions that hmf-checktype made (tests/checktype/shapes.types.c) are right: every field of
 * a struct with all that C has goes through an image and comes back.  Needs no hmf-checktype. */
#include "unit.h"

#include "base.h"
#include "carry.h"
#include "checktype.h"
#include "state.h"

#include "checktype/hard.h"
#include "checktype/nasty.h"
#include "checktype/shapes.h"
#include "hmf/struct.h"

hard_odd_t hard_variable;
value_t nasty_value;
ping_t nasty_ping;
mix shapes_mix;
tree_t shapes_trees[4];

static int up(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void step(int n)
{
    (void)n;
}

static void names_define(void)
{
    CU_ASSERT_EQUAL(hmf_function_define("up", (hmf_function_t)up), HMF_OK);
    CU_ASSERT_EQUAL(hmf_function_define("step", (hmf_function_t)step), HMF_OK);
}

/* A registered variable, as HMF_TRACK would. */
static void add(hmf_state_t *state, const char *name, void *address, size_t size)
{
    const int *desc = NULL;
    size_t len = 0;

    CU_ASSERT_EQUAL_FATAL(hmf_checktype_find(name, &desc, &len), HMF_OK);
    hmf_status_t rc = hmf_state_add(state, name, address, size, desc, len, NULL);
    if (rc != HMF_OK)
        printf("\n%s\n", hmf_error_text());
    CU_ASSERT_EQUAL_FATAL(rc, HMF_OK);
}

static double *numbers(int n, double first)
{
    double *v = malloc((size_t)n * sizeof *v);

    for (int i = 0; i < n; i++)
        v[i] = first + i;
    return v;
}

static void check_numbers(double *v, int n, double first)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    for (int i = 0; i < n; i++)
        CU_ASSERT_EQUAL(v[i], first + i);
    free(v);
}

static void fill(mix *x)
{
    memset(x, 0, sizeof *x);
    for (int i = 0; i < 3; i++) {
        x->x[i] = i + 0.5;
        x->pair[0][i] = 10 + i;
        x->pair[1][i] = 20 + i;
    }
    x->color = GREEN;
    x->wide = HIGH;
    x->size = 1u << 31;
    x->ssize = -5;
    x->distance = -6;
    x->i8 = -7;
    x->u16 = 65535;
    x->i32 = -70000;
    x->u64 = 1ull << 63;
    x->when = 1000000007;
    x->inode = 4000000000u;
    x->l = -123456;
    x->ull = ~0ull;
    x->f = 0.25f;
    x->ld = 1.0L / 3;
    x->yes = true;
    strcpy(x->title, "a title");
    memcpy(x->raw, "\1\2\3\4", 4);
    x->name = strdup("a name of any length");
    x->names[0] = strdup("first");
    x->names[1] = NULL;
    x->n = 4;
    x->m = 2;
    x->v = numbers(4, 100);
    x->w = numbers(4, 200);
    x->fixed = numbers(3, 300);
    x->rows = malloc(4 * sizeof *x->rows);
    for (int i = 0; i < 4; i++)
        x->rows[i] = numbers(2, 400 + 10 * i);
    x->matrix = (double (*)[3])numbers(12, 500);
    x->one = malloc(sizeof *x->one);
    *x->one = 77;
    x->end = &x->inside[1].count;
    struct leaf *leaf = malloc(sizeof *leaf);
    *leaf = (struct leaf){'k', 3.5};
    x->leaf = leaf;
    x->any = &x->v[2];
    x->numbers = numbers(2, 600);
    x->compare = up;
    x->steps[1] = step;
    x->log = stderr;
    for (int i = 0; i < 2; i++) {
        x->inside[i].count = i + 1;
        x->inside[i].part = numbers(i + 1, 700 + 10 * i);
    }
    x->anonymous_a = -11;
    x->anonymous_b = 12;
    x->inner = (struct inner){'i', -13};
    x->made_value = 14;
    x->made_count = 15;
    x->pun.real = 1.5f;
    x->aligned = 2.5f;
}

static void check(mix *x)
{
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(x->x[i], i + 0.5);
        CU_ASSERT_EQUAL(x->pair[0][i], 10 + i);
        CU_ASSERT_EQUAL(x->pair[1][i], 20 + i);
    }
    CU_ASSERT_EQUAL(x->color, GREEN);
    CU_ASSERT_EQUAL(x->wide, HIGH);
    CU_ASSERT_EQUAL(x->size, 1u << 31);
    CU_ASSERT_EQUAL(x->ssize, -5);
    CU_ASSERT_EQUAL(x->distance, -6);
    CU_ASSERT_EQUAL(x->i8, -7);
    CU_ASSERT_EQUAL(x->u16, 65535);
    CU_ASSERT_EQUAL(x->i32, -70000);
    CU_ASSERT_EQUAL(x->u64, 1ull << 63);
    CU_ASSERT_EQUAL(x->when, 1000000007);
    CU_ASSERT_EQUAL(x->inode, 4000000000u);
    CU_ASSERT_EQUAL(x->l, -123456);
    CU_ASSERT_EQUAL(x->ull, ~0ull);
    CU_ASSERT_EQUAL(x->f, 0.25f);
    CU_ASSERT_EQUAL(x->ld, 1.0L / 3);
    CU_ASSERT_TRUE(x->yes);
    CU_ASSERT_STRING_EQUAL(x->title, "a title");
    CU_ASSERT_EQUAL(memcmp(x->raw, "\1\2\3\4", 4), 0);
    CU_ASSERT_STRING_EQUAL(x->name, "a name of any length");
    free(x->name);
    CU_ASSERT_STRING_EQUAL(x->names[0], "first");
    free((char *)x->names[0]);
    CU_ASSERT_PTR_NULL(x->names[1]);
    CU_ASSERT_EQUAL(x->n, 4);
    CU_ASSERT_PTR_EQUAL(x->any, &x->v[2]);
    check_numbers(x->v, 4, 100);
    check_numbers(x->w, 4, 200);
    check_numbers(x->fixed, 3, 300);
    for (int i = 0; i < 4; i++)
        check_numbers(x->rows[i], 2, 400 + 10 * i);
    free(x->rows);
    check_numbers((double *)x->matrix, 12, 500);
    CU_ASSERT_EQUAL(*x->one, 77);
    free(x->one);
    CU_ASSERT_PTR_EQUAL(x->end, &x->inside[1].count);
    CU_ASSERT_EQUAL(((struct leaf *)x->leaf)->value, 3.5);
    free(x->leaf);
    check_numbers(x->numbers, 2, 600);
    CU_ASSERT_PTR_EQUAL(x->compare, up);
    CU_ASSERT_PTR_NULL(x->steps[0]);
    CU_ASSERT_PTR_EQUAL(x->steps[1], step);
    CU_ASSERT_PTR_NULL(x->log);
    for (int i = 0; i < 2; i++)
        check_numbers(x->inside[i].part, x->inside[i].count, 700 + 10 * i);
    CU_ASSERT_EQUAL(x->anonymous_a, -11);
    CU_ASSERT_EQUAL(x->anonymous_b, 12);
    CU_ASSERT_EQUAL(x->inner.c, 'i');
    CU_ASSERT_EQUAL(x->inner.l, -13);
    CU_ASSERT_EQUAL(x->made_value, 14);
    CU_ASSERT_EQUAL(x->made_count, 15);
    CU_ASSERT_EQUAL(x->pun.real, 1.5f);
    CU_ASSERT_EQUAL(x->aligned, 2.5f);
    CU_ASSERT_PTR_NULL(x->forest);
}

static void through(hmf_state_t *from, hmf_state_t *to)
{
    struct carried c;
    hmf_status_t rc = carry_take(from, &c);

    if (rc != HMF_OK)
        printf("\n%s\n", hmf_error_text());
    CU_ASSERT_EQUAL_FATAL(rc, HMF_OK);
    rc = carry_give(&c, to);
    if (rc != HMF_OK)
        printf("\n%s\n", hmf_error_text());
    CU_ASSERT_EQUAL_FATAL(rc, HMF_OK);
    carry_drop(&c);
}

static void test_everything(void)
{
    static mix copy;
    hmf_state_t *from, *to;

    names_define();
    fill(&shapes_mix);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&from), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&to), HMF_OK);
    add(from, "shapes_mix", &shapes_mix, sizeof shapes_mix);
    add(to, "shapes_mix", &copy, sizeof copy);
    through(from, to);
    check(&copy);
    shapes_mix.log = NULL;
    check(&shapes_mix); /* as before, and freed */
    hmf_state_free(from);
    hmf_state_free(to);
}

static void test_links(void)
{
    static tree_t copy[4];
    hmf_state_t *from, *to;
    struct branch *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);

    a->left = b;
    b->right = a;
    a->home = &shapes_trees[0];
    a->nleaves = 2;
    a->leaves = calloc(2, sizeof *a->leaves);
    a->leaves[1] = (struct leaf){'x', 9};
    shapes_trees[0].root = shapes_trees[1].favourite = a;
    shapes_trees[0].next = &shapes_trees[3];
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&from), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&to), HMF_OK);
    add(from, "shapes_trees", shapes_trees, sizeof shapes_trees);
    add(to, "shapes_trees", copy, sizeof copy);
    through(from, to);
    struct branch *c = copy[0].root;
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_PTR_NOT_EQUAL(c, a);
    CU_ASSERT_PTR_EQUAL(copy[1].favourite, c);
    CU_ASSERT_PTR_EQUAL(copy[0].next, &copy[3]);
    CU_ASSERT_PTR_EQUAL(c->home, &copy[0]);
    CU_ASSERT_PTR_EQUAL(c->left->right, c);
    CU_ASSERT_EQUAL(c->leaves[1].value, 9);
    for (int i = 0; i < 2; i++) {
        struct branch *root = i ? c : a;
        free(root->leaves);
        free(root->left);
        free(root);
    }
    hmf_state_free(from);
    hmf_state_free(to);
}

static void size_is(const char *name, size_t wanted)
{
    const int *desc = NULL;
    size_t len = 0, size = 0;

    CU_ASSERT_EQUAL_FATAL(hmf_checktype_find(name, &desc, &len), HMF_OK);
    CU_ASSERT_EQUAL(hmf_type_check(desc, len, &size), HMF_OK);
    CU_ASSERT_EQUAL(size, wanted);
}

static void test_types(void)
{
    const int *desc;
    size_t len;

    size_is("struct mix", sizeof(mix));
    size_is("struct tree", sizeof(tree_t));
    size_is("plain_t", sizeof(plain_t));
    size_is("struct packed", sizeof(packed_t));
    size_is("struct branch", sizeof(struct branch));
    size_is("struct inner", sizeof(struct inner));
    size_is("struct hard_odd", sizeof(hard_odd_t));
    size_is("struct hard_grid", sizeof(hard_grid_t));
    size_is("struct hard_extent", sizeof(struct hard_extent));
    CU_ASSERT_EQUAL(hmf_checktype_find("struct nobody", &desc, &len), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(hmf_checktype_find(NULL, &desc, &len), HMF_ERR_ARG);
}

static hmf_status_t note(void *ctx, const struct hmf_checktype_variable *v)
{
    strcat(ctx, v->name);
    strcat(ctx, " ");
    return HMF_OK;
}

static void test_units(void)
{
    static const int number[] = {typeINT};
    static const struct hmf_checktype_variable variables[] = {
        {"a_variable", &shapes_mix, sizeof(int), number, 1, 1},
        {"shapes_mix", NULL, 0, number, 1, 0}, /* another one of that name */
    };
    static struct hmf_checktype_unit good = {1, "good", NULL, 0, variables, 2, NULL, 0, NULL};
    static struct hmf_checktype_unit foreign = {99, "foreign", NULL, 0, NULL, 0, NULL, 0, NULL};
    char names[100] = "";
    const int *desc;
    size_t len;

    CU_ASSERT_EQUAL(hmf__checktype_each(note, names), HMF_OK);
    CU_ASSERT_STRING_EQUAL(names, "hard_variable nasty_ping nasty_value shapes_mix shapes_trees ");
    hmf_checktype_add(&good);
    names[0] = 0;
    CU_ASSERT_EQUAL(hmf__checktype_each(note, names), HMF_OK);
    CU_ASSERT_STRING_EQUAL(names, "a_variable hard_variable nasty_ping nasty_value shapes_mix shapes_trees ");
    CU_ASSERT_EQUAL(hmf_checktype_find("a_variable", &desc, &len), HMF_OK);
    CU_ASSERT_EQUAL(hmf_checktype_find("shapes_mix", &desc, &len), HMF_ERR_NAME);
    hmf_checktype_add(&foreign);
    CU_ASSERT_EQUAL(hmf_checktype_find("a_variable", &desc, &len), HMF_ERR_VERSION);
}

static value_t *value_new(enum kind kind, value_t *next)
{
    value_t *v = calloc(1, sizeof *v);

    v->kind = kind;
    v->next = next;
    return v;
}

static void test_unions(void)
{
    value_t copy = {0};
    hmf_state_t *from, *to;
    value_t *v = value_new(KIND_NUMBERS, NULL);

    v->n = 3;
    v->u.numbers = numbers(3, 5);
    v = value_new(KIND_PAIR, v);
    v->u.pair.a = -1;
    v->u.pair.b = 2;
    v = value_new(KIND_TEXT, v);
    v->u.text = strdup("text");
    v = value_new(KIND_REAL, v);
    v->u.d = 0.5;
    nasty_value = (value_t){.kind = KIND_LIST, .u.list = v};
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&from), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&to), HMF_OK);
    add(from, "nasty_value", &nasty_value, sizeof nasty_value);
    add(to, "nasty_value", &copy, sizeof copy);
    through(from, to);
    CU_ASSERT_EQUAL(copy.kind, KIND_LIST);
    for (value_t *x = copy.u.list, *y = v, *next; x; x = next) {
        CU_ASSERT_EQUAL(x->kind, y->kind);
        switch (x->kind) {
        case KIND_REAL:
            CU_ASSERT_EQUAL(x->u.d, 0.5);
            break;
        case KIND_TEXT:
            CU_ASSERT_STRING_EQUAL(x->u.text, "text");
            free(x->u.text);
            free(y->u.text);
            break;
        case KIND_PAIR:
            CU_ASSERT_EQUAL(x->u.pair.a, -1);
            CU_ASSERT_EQUAL(x->u.pair.b, 2);
            break;
        default:
            CU_ASSERT_EQUAL(x->kind, KIND_NUMBERS);
            check_numbers(x->u.numbers, x->n, 5);
            free(y->u.numbers);
        }
        next = y->next;
        free(y);
        y = next;
        next = x->next;
        free(x);
    }
    nasty_value = (value_t){.kind = 99};
    struct carried c;
    CU_ASSERT_NOT_EQUAL(carry_take(from, &c), HMF_OK); /* no member has this value */
    hmf_state_free(from);
    hmf_state_free(to);
}

static void test_bits_and_flexible(void)
{
    ping_t copy;
    hmf_state_t *from, *to;
    pong_t *pong = calloc(1, sizeof *pong);
    message_t *m = calloc(1, sizeof *m + 3 * sizeof m->items[0]);
    pack_t *pack = calloc(1, sizeof *pack + 4 * sizeof pack->pairs[0]);

    memset(&copy, 0, sizeof copy);
    memset(&nasty_ping, 0, sizeof nasty_ping);
    nasty_ping.other = pong;
    nasty_ping.events[0].what = 2;
    nasty_ping.events[0].code = -77;
    nasty_ping.events[0].second = 4;
    nasty_ping.events[1].what = 3;
    nasty_ping.events[1].x = 1.5f;
    nasty_ping.events[1].y = 2.5f;
    nasty_ping.flags = (flags_t){.small = 5, .medium = 1025, .negative = -33, .wide = 1ull << 39,
                                 .on = true, .after = 'a', .last = 1};
    pong->other = &nasty_ping;
    pong->message = m;
    m->length = 3;
    m->items[2].key = 'k';
    m->items[2].value = 7;
    pong->pack = pack;
    pack->npairs = 2;
    pack->pairs[3] = 9;
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&from), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&to), HMF_OK);
    add(from, "nasty_ping", &nasty_ping, sizeof nasty_ping);
    add(to, "nasty_ping", &copy, sizeof copy);
    through(from, to);
    CU_ASSERT_EQUAL(copy.events[0].code, -77);
    CU_ASSERT_EQUAL(copy.events[0].second, 4);
    CU_ASSERT_EQUAL(copy.events[1].x, 1.5f);
    CU_ASSERT_EQUAL(copy.events[1].y, 2.5f);
    CU_ASSERT_EQUAL(copy.flags.small, 5);
    CU_ASSERT_EQUAL(copy.flags.medium, 1025);
    CU_ASSERT_EQUAL(copy.flags.negative, -33);
    CU_ASSERT_EQUAL(copy.flags.wide, 1ull << 39);
    CU_ASSERT_TRUE(copy.flags.on);
    CU_ASSERT_EQUAL(copy.flags.after, 'a');
    CU_ASSERT_EQUAL(copy.flags.last, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy.other);
    CU_ASSERT_PTR_EQUAL(copy.other->other, &copy);
    CU_ASSERT_EQUAL(copy.other->message->length, 3);
    CU_ASSERT_EQUAL(copy.other->message->items[2].key, 'k');
    CU_ASSERT_EQUAL(copy.other->message->items[2].value, 7);
    CU_ASSERT_EQUAL(copy.other->pack->pairs[3], 9);
    for (int i = 0; i < 2; i++) {
        pong_t *x = i ? copy.other : pong;
        free(x->message);
        free(x->pack);
        free(x);
    }
    hmf_state_free(from);
    hmf_state_free(to);
}

static void *bytes(size_t n, int first)
{
    unsigned char *p = malloc(n);

    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)((size_t)first + i);
    return p;
}

static void check_bytes(void *block, size_t n, int first)
{
    unsigned char *p = block, wrong = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    for (size_t i = 0; i < n; i++)
        wrong |= p[i] != (unsigned char)((size_t)first + i);
    CU_ASSERT_EQUAL(wrong, 0);
    free(block);
}

static void fill_grid(hard_grid_t *g)
{
    g->nx = 3;
    g->ny = 4;
    g->extent = (struct hard_extent){{2, 3, 4}, {5}};
    g->cells = numbers(12, 10);
    g->rim = calloc(10, sizeof *g->rim);
    g->rim[9] = 0.5f;
    g->padded = calloc(30, sizeof *g->padded);
    g->padded[29] = -29;
    g->half = bytes(1, 'h');
    g->block = calloc(29, sizeof *g->block);
    g->block[28] = -28;
    g->mesh = calloc(12, sizeof *g->mesh);
    for (int i = 0; i < 12; i++) {
        g->mesh[i].owner = i;
        g->mesh[i].order = (uint8_t)i;
        g->mesh[i].moments = numbers(i + 1, i);
    }
    g->planes = calloc(4, sizeof *g->planes);
    for (int i = 0; i < 4; i++)
        g->planes[i] = numbers(12, 1000 * i);
}

static void check_grid(hard_grid_t *g)
{
    check_numbers(g->cells, 12, 10);
    CU_ASSERT_EQUAL(g->rim[9], 0.5f);
    CU_ASSERT_EQUAL(g->padded[29], -29);
    check_bytes(g->half, 1, 'h');
    CU_ASSERT_EQUAL(g->block[28], -28);
    for (int i = 0; i < 12; i++) {
        CU_ASSERT_EQUAL(g->mesh[i].owner, i);
        check_numbers(g->mesh[i].moments, i + 1, i);
    }
    for (int i = 0; i < 4; i++)
        check_numbers(g->planes[i], 12, 1000 * i);
    free(g->rim);
    free(g->padded);
    free(g->block);
    free(g->mesh);
    free(g->planes);
}

static int rule(int n, double x)
{
    return n + (int)x;
}

static void fill_hard(hard_odd_t *x)
{
    memset(x, 0, sizeof *x);
    x->small = x->smalls[2] = HARD_YES;
    x->z = 1.5 + 2.5 * _Complex_I;
    x->zs[1][1] = -3.5 * _Complex_I;
    x->w = 0.25f;
    x->table[1][2] = x->single = rule;
    x->seen = -7;
    x->boxes[2].a[1][2][3] = 123;
    x->boxes[2].each[1][1].deep = 'd';
    x->tight.tag = 't';
    x->tight.value = 0.1;
    x->tight.rest = -9;
    x->wide.first = 'w';
    x->after = 'a';
    x->inner.which = HARD_YES;
    x->inner.parts[1] = 8.5f;
    x->image = calloc(1, sizeof *x->image + 6 * sizeof x->image->pixels[0]);
    x->image->width = 2;
    x->image->height = 3;
    x->image->pixels[5].rgb[2] = 255;
    x->image->pixels[5].weight = 0.75f;
    x->head.deep.kind = -3;
    x->by_path.real = 0.125;
    x->head.tags[2] = 200;
    x->by_index.small = -200;
    fill_grid(&x->grid);
}

static void check_hard(hard_odd_t *x)
{
    CU_ASSERT_EQUAL(x->small, HARD_YES);
    CU_ASSERT_EQUAL(x->smalls[1], HARD_NO);
    CU_ASSERT_EQUAL(x->smalls[2], HARD_YES);
    CU_ASSERT_TRUE(x->z == 1.5 + 2.5 * _Complex_I && x->zs[1][1] == -3.5 * _Complex_I);
    CU_ASSERT_EQUAL(x->w, 0.25f);
    CU_ASSERT_PTR_EQUAL(x->table[1][2], rule);
    CU_ASSERT_PTR_NULL(x->table[1][1]);
    CU_ASSERT_PTR_EQUAL(x->single, rule);
    CU_ASSERT_EQUAL(x->seen, -7);
    CU_ASSERT_EQUAL(x->boxes[2].a[1][2][3], 123);
    CU_ASSERT_EQUAL(x->boxes[2].each[1][1].deep, 'd');
    CU_ASSERT_EQUAL(x->tight.tag, 't');
    CU_ASSERT_EQUAL(x->tight.value, 0.1);
    CU_ASSERT_EQUAL(x->tight.rest, -9);
    CU_ASSERT_EQUAL(x->wide.first, 'w');
    CU_ASSERT_EQUAL(x->after, 'a');
    CU_ASSERT_EQUAL(x->inner.which, HARD_YES);
    CU_ASSERT_EQUAL(x->inner.parts[1], 8.5f);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x->image);
    CU_ASSERT_EQUAL(x->image->pixels[5].rgb[2], 255);
    CU_ASSERT_EQUAL(x->image->pixels[5].weight, 0.75f);
    free(x->image);
    CU_ASSERT_EQUAL(x->head.deep.kind, -3);
    CU_ASSERT_EQUAL(x->by_path.real, 0.125);
    CU_ASSERT_EQUAL(x->by_index.small, -200);
    check_grid(&x->grid);
}

static void test_hard(void)
{
    static hard_odd_t copy;
    hmf_state_t *from, *to;
    hard_grid_t *g = &hard_variable.grid;
    struct carried c;

    CU_ASSERT_EQUAL(hmf_function_define("rule", (hmf_function_t)rule), HMF_OK);
    fill_hard(&hard_variable);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&from), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&to), HMF_OK);
    add(from, "hard_variable", &hard_variable, sizeof hard_variable);
    add(to, "hard_variable", &copy, sizeof copy);
    through(from, to);
    check_hard(&copy);
    g->extent.n[1] = -3; /* a length that is none */
    CU_ASSERT_NOT_EQUAL(carry_take(from, &c), HMF_OK);
    g->extent.n[1] = 3;
    check_hard(&hard_variable);
    hmf_state_free(from);
    hmf_state_free(to);
}

/* The same without the tool. */
enum { POINT = 20000, NET = 20001 };

struct point {
    double x[2];
    char tag;
};
#define POINT_FIELDS(F) F(ARRAY, x) F(VALUE, tag)
HMF_STRUCT(POINT, struct point, point, POINT_FIELDS);

struct net {
    int n, npoints;
    double *v;
    char *name, title[8];
    int *one;
    struct net *next, *both[2];
    struct point *points, corner, rest[2];
    void (*act)(int);
    FILE *log;
    uint64_t raw;
};
#define NET_FIELDS(F)                                                                             \
    F(VALUE, n) F(VALUE, npoints) F(COUNTED, v, n) F(STRING, name) F(TEXT, title) F(ONE, one)     \
    F(LINK, next, NET) F(LINK_ARRAY, both, NET) F(LINKS, points, POINT, npoints)                  \
    F(INNER, corner, POINT) F(INNER_ARRAY, rest, POINT) F(FUNCTION, act) F(TRANSIENT, log)        \
    F(OPAQUE, raw)
HMF_STRUCT(NET, struct net, net, NET_FIELDS);

static void test_list_of_fields(void)
{
    struct net net = {.n = 3, .npoints = 2, .v = numbers(3, 5), .name = strdup("net"),
                      .title = "title", .next = &net, .both = {NULL, &net},
                      .corner = {{1, 2}, 'c'}, .rest = {{{3, 4}, 'd'}, {{5, 6}, 'e'}},
                      .act = step, .log = stdout, .raw = 99}, copy = {0};
    const int *desc;
    size_t len;
    hmf_state_t *from, *to;

    names_define();
    net.one = malloc(sizeof *net.one);
    *net.one = 8;
    net.points = calloc(2, sizeof *net.points);
    net.points[1] = (struct point){{7, 8}, 'f'};
    size_is("struct net", sizeof net);
    size_is("struct point", sizeof(struct point));
    CU_ASSERT_EQUAL_FATAL(hmf_checktype_find("struct net", &desc, &len), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&from), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&to), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(from, "net", &net, sizeof net, desc, len, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(to, "net", &copy, sizeof copy, desc, len, NULL), HMF_OK);
    through(from, to);
    CU_ASSERT_EQUAL(copy.n, 3);
    check_numbers(copy.v, 3, 5);
    check_numbers(net.v, 3, 5);
    CU_ASSERT_STRING_EQUAL(copy.name, "net");
    CU_ASSERT_STRING_EQUAL(copy.title, "title");
    CU_ASSERT_EQUAL(*copy.one, 8);
    CU_ASSERT_PTR_EQUAL(copy.next, &copy);
    CU_ASSERT_PTR_EQUAL(copy.both[1], &copy);
    CU_ASSERT_EQUAL(copy.points[1].x[1], 8);
    CU_ASSERT_EQUAL(copy.corner.tag, 'c');
    CU_ASSERT_EQUAL(copy.rest[1].x[0], 5);
    CU_ASSERT_PTR_EQUAL(copy.act, step);
    CU_ASSERT_PTR_NULL(copy.log);
    CU_ASSERT_EQUAL(copy.raw, 99);
    for (int i = 0; i < 2; i++) {
        struct net *x = i ? &copy : &net;
        free(x->name);
        free(x->one);
        free(x->points);
    }
    hmf_state_free(from);
    hmf_state_free(to);
}

static const struct unit_test tests[] = {
    {"every kind of field", test_everything},
    {"lists and trees", test_links},
    {"sizes", test_types},
    {"unions", test_unions},
    {"bit-fields, flexible arrays", test_bits_and_flexible},
    {"lengths that are expressions, rarer C", test_hard},
    {"a list of fields", test_list_of_fields},
    {"several generated files", test_units},
};

UNIT_MAIN("checktype", tests)
