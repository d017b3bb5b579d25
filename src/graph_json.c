/* Graphs from JSON text and back.  Names of fields are those of hmf/graph.h; doc/policies.md shows
 * a file.  What values are allowed is graph.c's affair, this only adds the place to its messages.
 */
#include "config.h"

#include "graph_field.h"
#include "graph_json.h"
#include "graph_priv.h"

#include "base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "hmf-graph 1"

static const char *const kinds[] = {"host", "disk", "server", NULL};
static const char *const mechanisms[] = {"whole", "precopy", "on-reference", NULL};

/* The plain numbers of a vertex and of a process; `infinite`: "inf" has a meaning. */
static const struct number {
    const char *name;
    size_t offset;
    int infinite;
} vertex_numbers[] = {
    {"send_us", offsetof(struct hmf_vertex, send_us), 1},
    {"receive_us", offsetof(struct hmf_vertex, receive_us), 1},
    {"remove_us", offsetof(struct hmf_vertex, remove_us), 1},
    {"create_us", offsetof(struct hmf_vertex, create_us), 1},
    {"negotiations", offsetof(struct hmf_vertex, negotiations), 0},
    {"compile_us", offsetof(struct hmf_vertex, compile_us), 1},
    {"speed", offsetof(struct hmf_vertex, speed), 0},
    {"cores", offsetof(struct hmf_vertex, cores), 0},
    {"load", offsetof(struct hmf_vertex, load), 0},
    {"slots", offsetof(struct hmf_vertex, slots), 0},
    {"response_us", offsetof(struct hmf_vertex, response_us), 1},
    {"suspected_at_us", offsetof(struct hmf_vertex, suspected_at_us), 1},
}, process_numbers[] = {
    {"state_bytes", offsetof(struct hmf_process, state_bytes), 0},
    {"page_bytes", offsetof(struct hmf_process, page_bytes), 0},
    {"touched", offsetof(struct hmf_process, touched), 0},
    {"dirty_bytes_per_us", offsetof(struct hmf_process, dirty_bytes_per_us), 0},
    {"precopy_rounds", offsetof(struct hmf_process, precopy_rounds), 0},
    {"message_bytes", offsetof(struct hmf_process, message_bytes), 0},
    {"forwarded", offsetof(struct hmf_process, forwarded), 0},
    {"forwarded_bytes", offsetof(struct hmf_process, forwarded_bytes), 0},
    {"links", offsetof(struct hmf_process, links), 0},
    {"link_us", offsetof(struct hmf_process, link_us), 0},
    {"calls", offsetof(struct hmf_process, calls), 0},
    {"call_bytes", offsetof(struct hmf_process, call_bytes), 0},
    {"code_bytes", offsetof(struct hmf_process, code_bytes), 0},
}, weight_numbers[] = {
    {"base", offsetof(struct hmf_weight, base), 1},
    {"rise_per_us", offsetof(struct hmf_weight, rise_per_us), 0},
    {"rise_from_us", offsetof(struct hmf_weight, rise_from_us), 0},
    {"infinite_from_us", offsetof(struct hmf_weight, infinite_from_us), 1},
    {"infinite_until_us", offsetof(struct hmf_weight, infinite_until_us), 1},
};
#define LEN(a) (sizeof(a) / sizeof(a)[0])

static double *number_of(const void *base, const struct number *n)
{
    return (double *)((char *)(uintptr_t)base + n->offset);
}

static void read_numbers(struct hmf__json *f, const struct number *n, size_t count, void *base)
{
    for (size_t i = 0; i < count; i++)
        hmf__json_number(f, n[i].name, 0, n[i].infinite, number_of(base, &n[i]));
}

/* ---- reading ---- */

void hmf__graph_read_weight(struct hmf__json *f, const char *name, struct hmf_weight *w)
{
    json_t *v = hmf__json_get(f, name);

    if (!v)
        return;
    if (!json_is_object(v)) {
        *w = hmf_weight_constant(w->base);
        hmf__json_number(f, name, 0, 1, &w->base);
        return;
    }
    struct hmf__json sub = hmf__json_object(f, name);
    read_numbers(&sub, weight_numbers, LEN(weight_numbers), w);
    hmf__json_end(&sub);
}

static void read_vertex(struct hmf__json *f, hmf_graph_t *g)
{
    struct hmf_vertex v;
    int kind = 0;

    hmf_vertex_init(&v);
    hmf__json_text(f, "name", 1, v.name, sizeof v.name);
    hmf__json_word(f, "kind", kinds, &kind);
    v.kind = (enum hmf_vertex_kind)kind;
    hmf__graph_read_weight(f, "weight", &v.weight);
    read_numbers(f, vertex_numbers, LEN(vertex_numbers), &v);
    hmf__json_flag(f, "has_code", &v.has_code);
    hmf__json_flag(f, "real_time", &v.real_time);
    hmf__json_text(f, "data", 0, v.data, sizeof v.data);
    hmf__json_text(f, "resources", 0, v.resources, sizeof v.resources);
    hmf__json_end(f);
    if (!f->all->status)
        hmf__json_failed(f, hmf_graph_add(g, &v, NULL));
}

size_t hmf__graph_read_name(struct hmf__json *f, const char *field, int must, const hmf_graph_t *g)
{
    char name[64] = "";
    size_t i = HMF_NO_VERTEX;

    hmf__json_text(f, field, must, name, sizeof name);
    if (name[0] && !f->all->status && (i = hmf_graph_find(g, name)) == HMF_NO_VERTEX)
        hmf__json_wrong(f, field, "is %s: no vertex has that name", name);
    return i;
}

static void read_edge(struct hmf__json *f, hmf_graph_t *g)
{
    struct hmf_edge e = hmf_edge_between(0, 0, 0);
    int both = 0;

    e.from = hmf__graph_read_name(f, "from", 1, g);
    e.to = hmf__graph_read_name(f, "to", 1, g);
    hmf__json_number(f, "weight_us", 0, 1, &e.weight_us);
    hmf__json_number(f, "us_per_byte", 0, 1, &e.us_per_byte);
    e.q0 = hmf__graph_read_name(f, "q0", 0, g);
    e.q1 = hmf__graph_read_name(f, "q1", 0, g);
    hmf__json_flag(f, "both", &both);
    hmf__json_end(f);
    if (f->all->status)
        return;
    if (e.weight_us < 0 && json_object_get(f->object, "weight_us"))
        hmf__json_wrong(f, "weight_us", "is %g: give 0 or more", e.weight_us);
    if (e.from == e.to)
        hmf__json_wrong(f, "to", "is the vertex that the edge comes from");
    if (f->all->status)
        return;
    if (hmf_graph_edge(g, e.from, e.to) || (both && hmf_graph_edge(g, e.to, e.from))) {
        hmf__json_wrong(f, "", "is there already: %s -> %s%s", g->vertex[e.from].name,
                         g->vertex[e.to].name, both ? " or back" : "");
        return;
    }
    hmf__json_failed(f, hmf_graph_connect(g, &e));
    if (both && !f->all->status) {
        struct hmf_edge back = e;
        back.from = e.to;
        back.to = e.from;
        back.q0 = e.q1;
        back.q1 = e.q0;
        hmf__json_failed(f, hmf_graph_connect(g, &back));
    }
}

static void read_translation(struct hmf__json *f, hmf_graph_t *g)
{
    char a[32] = "", b[32] = "";
    double rate = 0;

    hmf__json_text(f, "from", 1, a, sizeof a);
    hmf__json_text(f, "to", 1, b, sizeof b);
    hmf__json_number(f, "us_per_byte", 1, 1, &rate);
    hmf__json_end(f);
    if (!f->all->status)
        hmf__json_failed(f, hmf_graph_translation(g, a, b, rate));
}

static void read_process(struct hmf__json *f, hmf_graph_t *g)
{
    struct hmf_process p;
    int mechanism = 0;

    hmf_process_init(&p);
    hmf__json_word(f, "mechanism", mechanisms, &mechanism);
    p.mechanism = (enum hmf_mechanism)mechanism;
    read_numbers(f, process_numbers, LEN(process_numbers), &p);
    hmf__json_flag(f, "demand_translation", &p.demand_translation);
    hmf__json_end(f);
    if (!f->all->status)
        hmf__json_failed(f, hmf_graph_set_process(g, &p));
}

static void read_each(struct hmf__json *f, const char *name, hmf_graph_t *g,
                      void (*read)(struct hmf__json *, hmf_graph_t *))
{
    size_t n;
    json_t *a = hmf__json_array(f, name, &n);

    for (size_t i = 0; i < n && !f->all->status; i++) {
        struct hmf__json item = hmf__json_item(f, a, name, i);
        read(&item, g);
    }
}

void hmf__graph_read(struct hmf__json *f, hmf_graph_t *g)
{
    static const char *const formats[] = {FORMAT, NULL};
    int format = 0;

    hmf__json_word(f, "format", formats, &format);
    read_each(f, "vertices", g, read_vertex);
    read_each(f, "edges", g, read_edge);
    read_each(f, "translations", g, read_translation);
    struct hmf__json process = hmf__json_object(f, "process");
    if (process.object)
        read_process(&process, g);
    size_t active = hmf__graph_read_name(f, "active", 0, g);
    if (active != HMF_NO_VERTEX && !f->all->status)
        hmf__json_failed(f, hmf_graph_set_active(g, active));
    hmf__json_end(f);
}

static hmf_status_t read_root(json_t *root, const char *where, hmf_graph_t **g)
{
    struct hmf__json_source all = {.where = where};
    hmf_graph_t *new;
    hmf_status_t rc = hmf_graph_new(&new);

    if (!rc) {
        struct hmf__json f = hmf__json_root(&all, root);
        hmf__graph_read(&f, new);
        rc = all.status;
        if (rc)
            hmf_graph_free(new);
        else
            *g = new;
    }
    json_decref(root);
    return rc;
}

hmf_status_t hmf_graph_parse(const char *json, size_t len, const char *where, hmf_graph_t **g)
{
    json_t *root;
    hmf_status_t rc = hmf__json_parse(json, len, where, &root);

    return rc ? rc : read_root(root, where, g);
}

hmf_status_t hmf_graph_load(const char *path, hmf_graph_t **g)
{
    json_t *root;
    hmf_status_t rc = hmf__json_load(path, &root);

    return rc ? rc : read_root(root, path, g);
}

/* ---- writing: jansson's calls give an error for a NULL, so that the end alone is looked at ----
 */

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_string("inf");
}

/* Only what differs from the default, so that files stay readable. */
static int put_numbers(json_t *to, const struct number *n, size_t count, const void *base,
                       const void *plain)
{
    int bad = 0;

    for (size_t i = 0; i < count; i++)
        if (*number_of(base, &n[i]) != *number_of(plain, &n[i]))
            bad |= json_object_set_new(to, n[i].name, number(*number_of(base, &n[i])));
    return bad;
}

static json_t *weight_json(const struct hmf_weight *w)
{
    struct hmf_weight plain = hmf_weight_constant(w->base);

    if (!memcmp(&plain, w, sizeof plain))
        return number(w->base);
    json_t *o = json_object();
    plain.base = -1;
    if (put_numbers(o, weight_numbers, LEN(weight_numbers), w, &plain)) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static json_t *vertex_json(const struct hmf_vertex *v)
{
    struct hmf_vertex plain;
    json_t *o = json_object();
    int bad = 0;

    hmf_vertex_init(&plain);
    bad |= json_object_set_new(o, "name", json_string(v->name));
    bad |= json_object_set_new(o, "kind", json_string(kinds[v->kind]));
    bad |= json_object_set_new(o, "weight", weight_json(&v->weight));
    bad |= put_numbers(o, vertex_numbers, LEN(vertex_numbers), v, &plain);
    if (!v->has_code)
        bad |= json_object_set_new(o, "has_code", json_false());
    if (v->real_time)
        bad |= json_object_set_new(o, "real_time", json_true());
    if (v->data[0])
        bad |= json_object_set_new(o, "data", json_string(v->data));
    if (v->resources[0])
        bad |= json_object_set_new(o, "resources", json_string(v->resources));
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *edge_json(const hmf_graph_t *g, const struct hmf_edge *e)
{
    json_t *o = json_object();
    int bad = 0;

    bad |= json_object_set_new(o, "from", json_string(g->vertex[e->from].name));
    bad |= json_object_set_new(o, "to", json_string(g->vertex[e->to].name));
    if (e->weight_us >= 0)
        bad |= json_object_set_new(o, "weight_us", number(e->weight_us));
    bad |= json_object_set_new(o, "us_per_byte", number(e->us_per_byte));
    if (e->q0 != HMF_NO_VERTEX) {
        bad |= json_object_set_new(o, "q0", json_string(g->vertex[e->q0].name));
        bad |= json_object_set_new(o, "q1", json_string(g->vertex[e->q1].name));
    }
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *process_json(const struct hmf_process *p)
{
    struct hmf_process plain;
    json_t *o = json_object();
    int bad = 0;

    hmf_process_init(&plain);
    bad |= json_object_set_new(o, "mechanism", json_string(mechanisms[p->mechanism]));
    bad |= put_numbers(o, process_numbers, LEN(process_numbers), p, &plain);
    if (p->demand_translation)
        bad |= json_object_set_new(o, "demand_translation", json_true());
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *translation_json(const struct hmf__translation *t)
{
    return json_pack("{s:s, s:s, s:o}", "from", t->a, "to", t->b, "us_per_byte",
                     number(t->us_per_byte));
}

hmf_status_t hmf_graph_json(const hmf_graph_t *g, char **text)
{
    json_t *root = json_object(), *vertices = json_array(), *edges = json_array(),
           *translations = json_array();
    char *dumped = NULL;
    int bad = 0;

    for (size_t i = 0; i < g->n; i++)
        bad |= json_array_append_new(vertices, vertex_json(&g->vertex[i]));
    for (size_t i = 0; i < g->nedges; i++)
        bad |= json_array_append_new(edges, edge_json(g, &g->edge[i]));
    for (size_t i = 0; i < g->ntranslations; i++)
        bad |= json_array_append_new(translations, translation_json(&g->translation[i]));
    bad |= json_object_set_new(root, "format", json_string(FORMAT));
    if (g->active != HMF_NO_VERTEX)
        bad |= json_object_set_new(root, "active", json_string(g->vertex[g->active].name));
    bad |= json_object_set_new(root, "process", process_json(&g->process));
    bad |= json_object_set_new(root, "translations", translations);
    bad |= json_object_set_new(root, "vertices", vertices);
    bad |= json_object_set_new(root, "edges", edges);
    if (!bad)
        dumped = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    json_decref(root);
    if (!dumped)
        return hmf__fail(HMF_ERR_NOMEM,
                         "cannot write the graph as JSON: no memory, or a name is not UTF-8");
    *text = hmf__strdup(dumped); /* one allocator for all texts that users free */
    free(dumped);
    return *text ? HMF_OK : hmf__fail(HMF_ERR_NOMEM, "no memory for the graph as JSON");
}
