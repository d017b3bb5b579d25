/* The graph against numbers worked out by hand: weights over time, messages, the components of an
 * edge for each mechanism, routes, outlooks, and graphs as text. */
#include "config.h"

#include "base.h"
#include "hmf/graph.h"

#include "unit.h"

#include <math.h>
#include <string.h>

#define NEAR(a, b) CU_ASSERT_DOUBLE_EQUAL(a, b, 1e-9 * (1 + fabs((double)(b))))

static hmf_graph_t *g;

static size_t add(const char *name, enum hmf_vertex_kind kind, double weight, double s, double r)
{
    struct hmf_vertex v;
    size_t i = 0;

    hmf_vertex_init(&v);
    snprintf(v.name, sizeof v.name, "%s", name);
    v.kind = kind;
    v.weight = hmf_weight_constant(weight);
    v.send_us = s;
    v.receive_us = r;
    GOOD(hmf_graph_add(g, &v, &i));
    return i;
}

static void join(size_t a, size_t b, double us_per_byte)
{
    struct hmf_edge e = hmf_edge_between(a, b, us_per_byte);

    GOOD(hmf_graph_connect(g, &e));
}

static void given(size_t a, size_t b, double weight)
{
    struct hmf_edge e = hmf_edge_between(a, b, 0);

    e.weight_us = weight;
    GOOD(hmf_graph_connect(g, &e));
}

static void weights(void)
{
    struct hmf_weight w = hmf_weight_constant(2);

    NEAR(hmf_weight_at(&w, 1e9), 2);
    NEAR(hmf_weight_cost(&w, 5, 10), 20);
    NEAR(hmf_weight_elapsed(&w, 5, 10), 20);
    CU_ASSERT_EQUAL(hmf_weight_cost(&w, 0, -1), 0);

    /* 1 until 100, then 0.1 more each microsecond, infinite from 200 to 300 */
    w = (struct hmf_weight){1, 0.1, 100, 200, 300};
    NEAR(hmf_weight_at(&w, 100), 1);
    NEAR(hmf_weight_at(&w, 150), 6);
    CU_ASSERT(isinf(hmf_weight_at(&w, 200)));
    CU_ASSERT(isinf(hmf_weight_at(&w, 299)));
    NEAR(hmf_weight_at(&w, 300), 21);
    NEAR(hmf_weight_cost(&w, 50, 50), 50);
    NEAR(hmf_weight_cost(&w, 50, 100), 50 + 50 + 0.05 * 50 * 50); /* 100 of base, a triangle */
    NEAR(hmf_weight_cost(&w, 120, 20), 20 + 0.05 * (40 * 40 - 20 * 20));
    CU_ASSERT(isinf(hmf_weight_cost(&w, 150, 51)));
    NEAR(hmf_weight_cost(&w, 150, 50), 50 + 0.05 * (100 * 100 - 50 * 50));
    CU_ASSERT(isinf(hmf_weight_cost(&w, 299, 1)));
    NEAR(hmf_weight_cost(&w, 300, 10), 10 + 0.05 * (210 * 210 - 200 * 200));
    /* 100 of work at weight 1, then the integral of dt/(1 + 0.1 t) = 10 ln(1 + 0.1 t) */
    NEAR(hmf_weight_elapsed(&w, 0, 100), 100);
    NEAR(hmf_weight_elapsed(&w, 0, 110), 100 + 10 * expm1(1));
    /* until 200 there is room for 10 ln 11 = 23.98 behind the first 100; the rest waits until 300
     */
    NEAR(hmf_weight_elapsed(&w, 0, 100 + 10 * log(11) + 10 * log(22.0 / 21)), 310);
    w.infinite_until_us = INFINITY;
    CU_ASSERT(isinf(hmf_weight_elapsed(&w, 0, 200)));
    w = hmf_weight_constant(INFINITY);
    CU_ASSERT(isinf(hmf_weight_elapsed(&w, 0, 1)));
    CU_ASSERT(isinf(hmf_weight_cost(&w, 0, 1)));
    CU_ASSERT_EQUAL(hmf_weight_cost(&w, 0, 0), 0);
}

static void messages_and_rates(void)
{
    GOOD(hmf_graph_new(&g));
    size_t a = add("a", HMF_VERTEX_HOST, 1, 10, 20), b = add("b", HMF_VERTEX_HOST, 1, 30, 40),
           c = add("c", HMF_VERTEX_HOST, 1, 0, 0);
    join(a, b, 0.5);
    NEAR(hmf_graph_message(g, a, b, 100), 10 + 50 + 40);
    NEAR(hmf_graph_message(g, b, a, 100), 30 + 50 + 20); /* by the rate of the edge there is */
    CU_ASSERT(isinf(hmf_graph_message(g, a, c, 0)));
    CU_ASSERT(isinf(hmf_graph_edge_weight(g, b, a)));

    GOOD(hmf_graph_translation(g, "be", "xdr", 0.1));
    GOOD(hmf_graph_translation(g, "xdr", "le", 0.3));
    GOOD(hmf_graph_translation(g, "be", "net", 0.2));
    GOOD(hmf_graph_translation(g, "net", "le", 0.15));
    NEAR(hmf_graph_rate(g, "be", "le"), 0.35); /* through net, not xdr */
    CU_ASSERT_EQUAL(hmf_graph_rate(g, "be", "be"), 0);
    CU_ASSERT_EQUAL(hmf_graph_rate(g, "", "le"), 0);
    CU_ASSERT(isinf(hmf_graph_rate(g, "le", "be")));
    GOOD(hmf_graph_translation(g, "be", "le", 0.5)); /* given: taken, though dearer */
    NEAR(hmf_graph_rate(g, "be", "le"), 0.5);
    BAD(hmf_graph_translation(g, "be", "le", NAN), HMF_ERR_ARG, "us_per_byte");
    hmf_graph_free(g);
}

/* Host a (S 10, R 20, CR 100, n 2) to b (S 30, R 40, CC 200, n 1), t = 0.5, k = 4. */
static void one_edge(size_t *a, size_t *b, struct hmf_process *p)
{
    GOOD(hmf_graph_new(&g));
    *a = add("a", HMF_VERTEX_HOST, 1, 10, 20);
    *b = add("b", HMF_VERTEX_HOST, 1, 30, 40);
    struct hmf_vertex v = *hmf_graph_vertex(g, *a);
    v.remove_us = 100;
    v.negotiations = 2;
    snprintf(v.data, sizeof v.data, "be");
    GOOD(hmf_graph_set(g, *a, &v));
    v = *hmf_graph_vertex(g, *b);
    v.create_us = 200;
    v.negotiations = 1;
    snprintf(v.data, sizeof v.data, "le");
    GOOD(hmf_graph_set(g, *b, &v));
    join(*a, *b, 0.5);
    GOOD(hmf_graph_translation(g, "be", "le", 0.25));
    hmf_process_init(p);
    p->state_bytes = 1000;
    p->page_bytes = 400;
    p->message_bytes = 4;
    GOOD(hmf_graph_set_process(g, p));
}

static void components(void)
{
    struct hmf_process p;
    struct hmf_edge_cost c;
    size_t a, b;

    one_edge(&a, &b, &p);
    GOOD(hmf_graph_cost(g, a, b, &c));
    NEAR(c.negotiation_us, 2 * (10 + 2 + 40) + (30 + 2 + 20));
    CU_ASSERT_EQUAL(c.removal_us, 100);
    CU_ASSERT_EQUAL(c.creation_us, 200);
    CU_ASSERT_EQUAL(c.write_bytes, 1000);
    NEAR(c.write_us, 3 * 50 + 500); /* pages of 400, 400, 200 */
    CU_ASSERT_EQUAL(c.read_us, 0);
    NEAR(c.translation_us, 250);
    NEAR(c.total_us, 156 + 300 + 650 + 250);
    CU_ASSERT_EQUAL(c.overlap_us, 0);

    p.touched = 0.1;
    p.demand_translation = 1;
    p.forwarded = 3;
    p.forwarded_bytes = 10;
    p.links = 2;
    p.link_us = 7;
    p.calls = 1;
    p.call_bytes = 20;
    p.code_bytes = 100;
    GOOD(hmf_graph_set_process(g, &p));
    struct hmf_vertex v = *hmf_graph_vertex(g, b);
    v.has_code = 0;
    v.compile_us = 1000;
    GOOD(hmf_graph_set(g, b, &v));
    GOOD(hmf_graph_cost(g, a, b, &c));
    NEAR(c.translation_us, 25);
    NEAR(c.forwarding_us, 3 * (50 + 5));
    NEAR(c.residual_us, 14 + (30 + 10 + 20) + (10 + 10 + 40));
    NEAR(c.code_us, 50 + 50 + 1000);
    NEAR(c.total_us, 156 + 300 + 650 + 25 + 165 + 134 + 1100);
    BAD(hmf_graph_cost(g, b, a, &c), HMF_ERR_NOTFOUND, "no edge leads from b to a");
    hmf_graph_free(g);
}

static void mechanisms(void)
{
    struct hmf_process p;
    struct hmf_edge_cost c;
    size_t a, b;

    one_edge(&a, &b, &p);
    p.mechanism = HMF_MOVE_ON_REFERENCE;
    p.touched = 0.5;
    GOOD(hmf_graph_set_process(g, &p));
    GOOD(hmf_graph_cost(g, a, b, &c));
    CU_ASSERT_EQUAL(c.write_us, 0);
    CU_ASSERT_EQUAL(c.read_bytes, 500); /* 2 pages: two requests b -> a, 400 and 100 bytes a -> b */
    NEAR(c.read_us, 2 * (30 + 2 + 20) + 2 * 50 + 250);
    NEAR(c.translation_us, 125);

    /* Pages of any size; dirties 0.2 bytes a microsecond: 1000 bytes take 550, then 110 bytes 105,
     * then the last 21 bytes 60.5. */
    p.mechanism = HMF_MOVE_PRECOPY;
    p.touched = 1;
    p.page_bytes = 0;
    p.precopy_rounds = 2;
    p.dirty_bytes_per_us = 0.2;
    GOOD(hmf_graph_set_process(g, &p));
    GOOD(hmf_graph_cost(g, a, b, &c));
    NEAR(c.write_bytes, 1000 + 110 + 21);
    NEAR(c.write_us, 550 + 105 + 60.5);
    NEAR(c.overlap_us, 655);

    /* Through a file server f (S 5, R 6) that keeps what it gets: a writes all, b reads what it
     * touches and translates. */
    size_t f = add("f", HMF_VERTEX_SERVER, 1, 5, 6);
    join(a, f, 1);
    join(f, b, 2);
    struct hmf_edge e = {a, b, -1, 0.5, f, f};
    GOOD(hmf_graph_connect(g, &e));
    p.mechanism = HMF_MOVE_ON_REFERENCE;
    p.touched = 0.3;
    GOOD(hmf_graph_set_process(g, &p));
    GOOD(hmf_graph_cost(g, a, b, &c));
    NEAR(c.write_us, 10 + 1000 + 6);
    NEAR(c.read_us, (30 + 8 + 6) + (5 + 600 + 40));
    NEAR(c.translation_us, 300 * 0.25);
    CU_ASSERT_EQUAL(c.between_us, 0);

    /* A server of an external format: both ends translate. */
    struct hmf_vertex v = *hmf_graph_vertex(g, f);
    snprintf(v.data, sizeof v.data, "xdr");
    GOOD(hmf_graph_set(g, f, &v));
    GOOD(hmf_graph_translation(g, "be", "xdr", 0.1));
    GOOD(hmf_graph_translation(g, "xdr", "le", 0.2));
    GOOD(hmf_graph_cost(g, a, b, &c));
    NEAR(c.translation_us, 1000 * 0.1 + 300 * 0.2);
    p.mechanism = HMF_MOVE_WHOLE;
    GOOD(hmf_graph_set_process(g, &p));
    GOOD(hmf_graph_cost(g, a, b, &c));
    NEAR(c.read_us, 5 + 2000 + 40);
    hmf_graph_free(g);
}

static void routes(void)
{
    size_t path[4], n = 0;
    double w = 0;

    GOOD(hmf_graph_new(&g));
    size_t a = add("a", HMF_VERTEX_HOST, 1, 0, 0), b = add("b", HMF_VERTEX_HOST, 1, 0, 0),
           c = add("c", HMF_VERTEX_HOST, INFINITY, 0, 0),
           d = add("d", HMF_VERTEX_DISK, INFINITY, 0, 0), e = add("e", HMF_VERTEX_HOST, 1, 0, 0);
    given(a, b, 10);
    given(a, c, 1);
    given(c, b, 1);
    given(a, d, 3);
    given(d, b, 4);
    given(b, e, 1);
    given(a, e, 20);
    /* through c it would be 2, but c's weight is infinite; the disk may be passed */
    GOOD(hmf_graph_route(g, a, b, 0, path, 4, &n, &w));
    CU_ASSERT_EQUAL(n, 3);
    CU_ASSERT_EQUAL(path[1], d);
    NEAR(w, 7);
    GOOD(hmf_graph_route(g, a, e, 0, path, 4, &n, &w));
    CU_ASSERT_EQUAL(n, 4);
    NEAR(w, 8);
    BAD(hmf_graph_route(g, a, e, 0, path, 2, &n, &w), HMF_ERR_LIMIT, "has 4 vertices");
    GOOD(hmf_graph_route(g, a, c, 0, path, 4, &n, &w)); /* an end may be infinite */
    NEAR(w, 1);
    GOOD(hmf_graph_route(g, a, a, 0, path, 4, &n, &w));
    CU_ASSERT_EQUAL(n, 1);
    given(b, e, INFINITY);
    given(a, e, INFINITY);
    BAD(hmf_graph_route(g, a, e, 0, path, 4, &n, &w), HMF_ERR_NOTFOUND, "from a to e");
    /* of two ways of 7 the one with fewer moves */
    given(a, b, 7);
    GOOD(hmf_graph_route(g, a, b, 0, path, 4, &n, &w));
    CU_ASSERT_EQUAL(n, 2);
    hmf_graph_free(g);
}

static void outlooks(void)
{
    struct hmf_outlook o;

    GOOD(hmf_graph_new(&g));
    size_t a = add("a", HMF_VERTEX_HOST, 3, 0, 0), b = add("b", HMF_VERTEX_HOST, 1, 0, 0);
    given(a, b, 100);
    GOOD(hmf_graph_outlook(g, a, 0, 60, &o));
    NEAR(o.total_us, 180);
    GOOD(hmf_graph_outlook(g, b, 0, 60, &o));
    NEAR(o.move_us, 100);
    NEAR(o.total_us, 160);
    CU_ASSERT_EQUAL(o.next, b);
    /* b gets bad at 130, after the arrival at 100 */
    struct hmf_vertex v = *hmf_graph_vertex(g, b);
    v.weight.infinite_from_us = 130;
    GOOD(hmf_graph_set(g, b, &v));
    GOOD(hmf_graph_outlook(g, b, 0, 30, &o));
    NEAR(o.total_us, 130);
    GOOD(hmf_graph_outlook(g, b, 0, 31, &o));
    CU_ASSERT(isinf(o.total_us));
    BAD(hmf_graph_outlook(g, 7, 0, 31, &o), HMF_ERR_ARG, "vertex 7");
    hmf_graph_free(g);

    /* what is done during pre-copy is taken off: 550 + 105 at weight 2 */
    struct hmf_process p;
    struct hmf_edge_cost c;
    one_edge(&a, &b, &p);
    p.mechanism = HMF_MOVE_PRECOPY;
    p.page_bytes = 0;
    p.precopy_rounds = 2;
    p.dirty_bytes_per_us = 0.2;
    GOOD(hmf_graph_set_process(g, &p));
    v = *hmf_graph_vertex(g, a);
    v.weight = hmf_weight_constant(2);
    GOOD(hmf_graph_set(g, a, &v));
    GOOD(hmf_graph_cost(g, a, b, &c));
    GOOD(hmf_graph_outlook(g, b, 0, 1000, &o));
    NEAR(o.run_us, 1000 - 655 / 2.0);
    NEAR(o.move_us, c.total_us);
    hmf_graph_free(g);
}

static void refusals(void)
{
    struct hmf_vertex v;
    struct hmf_edge e = hmf_edge_between(0, 0, 0);
    struct hmf_process p;

    GOOD(hmf_graph_new(&g));
    CU_ASSERT_EQUAL(hmf_graph_active(g), HMF_NO_VERTEX);
    hmf_vertex_init(&v);
    BAD(hmf_graph_add(g, &v, NULL), HMF_ERR_ARG, "needs a name");
    strcpy(v.name, "a");
    v.load = NAN;
    BAD(hmf_graph_add(g, &v, NULL), HMF_ERR_ARG, "a: load is nan");
    v.load = 0;
    v.weight.base = -1;
    BAD(hmf_graph_add(g, &v, NULL), HMF_ERR_ARG, "a: weight base is -1");
    v.weight.base = 1;
    GOOD(hmf_graph_add(g, &v, NULL));
    BAD(hmf_graph_add(g, &v, NULL), HMF_ERR_NAME, "two vertices are called a");
    BAD(hmf_graph_connect(g, &e), HMF_ERR_ARG, "makes no sense");
    BAD(hmf_graph_set_active(g, 1), HMF_ERR_ARG, "no vertex 1");
    BAD(hmf_graph_set(g, 3, &v), HMF_ERR_ARG, "no vertex 3");
    hmf_process_init(&p);
    p.touched = 1.5;
    BAD(hmf_graph_set_process(g, &p), HMF_ERR_ARG, "touched is 1.5");
    size_t f = add("f", HMF_VERTEX_SERVER, 1, 0, 0);
    BAD(hmf_graph_set_active(g, f), HMF_ERR_ARG, "file server");
    CU_ASSERT(isinf(hmf_graph_vertex_weight(g, 9, 0)));
    CU_ASSERT_PTR_NULL(hmf_graph_vertex(g, 9));
    hmf_graph_free(g);

    hmf_vertex_init(&v);
    strcpy(v.resources, "gpu, tape");
    CU_ASSERT(hmf_vertex_offers(&v, NULL));
    CU_ASSERT(hmf_vertex_offers(&v, "tape,gpu"));
    CU_ASSERT(!hmf_vertex_offers(&v, "gp"));
    CU_ASSERT(!hmf_vertex_offers(&v, "gpu,disk"));
}

/* More vertices than the first table has room for; every allocation fails once. */
static void growing(void)
{
    char name[32];
    hmf_graph_t *copy = NULL;

    GOOD(hmf_graph_new(&g));
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "n%d", i);
        add(name, HMF_VERTEX_HOST, 1, i, 0);
        if (i)
            given((size_t)i - 1, (size_t)i, i);
    }
    NEAR(hmf_graph_edge_weight(g, 2, 3), 3);
    NEAR(hmf_graph_edge_weight(g, 38, 39), 39);
    GOOD(hmf_graph_translation(g, "x", "y", 1));
    for (long n = 1;; n++) {
        hmf__alloc_fail_at(n);
        hmf_status_t rc = hmf_graph_copy(g, &copy);
        hmf__alloc_fail_at(0);
        if (rc == HMF_OK)
            break;
        CU_ASSERT_EQUAL_FATAL(rc, HMF_ERR_NOMEM);
    }
    CU_ASSERT_EQUAL(hmf_graph_count(copy), 40);
    NEAR(hmf_graph_edge_weight(copy, 38, 39), 39);
    NEAR(hmf_graph_rate(copy, "x", "y"), 1);
    hmf_graph_free(copy);
    hmf_graph_free(g);
}

static void as_text(void)
{
    static const char json[] =
        "{\"active\":\"b\", "
        "\"vertices\":[{\"name\":\"a\",\"weight\":{\"base\":1,\"rise_per_us\":0.5,"
        "\"infinite_from_us\":9}}, {\"name\":\"b\",\"weight\":\"inf\",\"has_code\":false}],"
        "\"edges\":[{\"from\":\"a\",\"to\":\"b\",\"us_per_byte\":0.1,\"both\":true}]}";
    char *text, *again;
    hmf_graph_t *h;

    hmf_status_t rc = hmf_graph_parse(json, sizeof json - 1, "it", &g);
    if (rc == HMF_ERR_UNSUPPORTED) {
        printf("built without JSON, not tried ");
        return;
    }
    GOOD(rc);
    CU_ASSERT_EQUAL(hmf_graph_active(g), 1);
    CU_ASSERT(isinf(hmf_graph_vertex_weight(g, 1, 0)));
    NEAR(hmf_graph_vertex_weight(g, 0, 4), 3);
    CU_ASSERT(isinf(hmf_graph_vertex_weight(g, 0, 9)));
    CU_ASSERT_EQUAL(hmf_graph_edge(g, 1, 0)->us_per_byte, 0.1);
    GOOD(hmf_graph_json(g, &text));
    GOOD(hmf_graph_parse(text, strlen(text), "it", &h));
    GOOD(hmf_graph_json(h, &again));
    CU_ASSERT_STRING_EQUAL(text, again);
    hmf_graph_text_free(text);
    hmf_graph_text_free(again);
    GOOD(hmf_graph_dot(h, 0, &text));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "v1 -> v0 [label=\"0 us\", color=black]")); /* no state: no cost */
    hmf_graph_text_free(text);
    hmf_graph_free(h);
    hmf_graph_free(g);
    BAD(hmf_graph_parse("[]", 2, "it", &g), HMF_ERR_FORMAT, "it:  the text is not an object");
    BAD(hmf_graph_parse("{\"vertices\":[{\"name\":\"a\",\"weight\":{\"bas\":1}}]}",
                        strlen("{'vertices':[{'name':'a','weight':{'bas':1}}]}"), "it", &g),
        HMF_ERR_FORMAT, "it: vertices[0].weight.bas is not known here");
}

static const struct unit_test tests[] = {
    {"weights of vertices over time", weights},
    {"messages and translation rates", messages_and_rates},
    {"components of an edge", components},
    {"mechanisms and file servers", mechanisms},
    {"cheapest routes", routes},
    {"staying and going", outlooks},
    {"what is refused", refusals},
    {"growing, and no memory", growing},
    {"graphs as text", as_text},
};
UNIT_MAIN("graph", tests)
