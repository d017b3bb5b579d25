/* Making a graph and asking for its parts: vertices, edges, translation rates, the process.  Every
 * value is checked here, so that the arithmetic elsewhere meets no NaN and no negative cost.  What
 * things cost is graph_cost.c's, when it changes graph_weight.c's. */
#include "config.h"

#include "graph_priv.h"

#include "base.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *hmf_vertex_kind_name(enum hmf_vertex_kind kind)
{
    switch (kind) {
    case HMF_VERTEX_HOST:
        return "host";
    case HMF_VERTEX_DISK:
        return "disk";
    case HMF_VERTEX_SERVER:
        return "server";
    }
    return "?";
}

const char *hmf_mechanism_name(enum hmf_mechanism mechanism)
{
    switch (mechanism) {
    case HMF_MOVE_WHOLE:
        return "whole";
    case HMF_MOVE_PRECOPY:
        return "precopy";
    case HMF_MOVE_ON_REFERENCE:
        return "on-reference";
    }
    return "?";
}

void hmf_vertex_init(struct hmf_vertex *v)
{
    *v = (struct hmf_vertex){.weight = hmf_weight_constant(1), .speed = 1, .cores = 1, .slots = 1,
                             .suspected_at_us = INFINITY, .has_code = 1};
}

double hmf_vertex_expected(const struct hmf_vertex *v, double more)
{
    return fmax(1, (v->load + more) / v->cores) / v->speed;
}

/* The length of the first word of a list, which is put to *word; 0 at the end. */
static size_t first_word(const char **list, const char **word)
{
    *list += strspn(*list, ", ");
    *word = *list;
    size_t n = strcspn(*list, ", ");
    *list += n;
    return n;
}

int hmf_vertex_offers(const struct hmf_vertex *v, const char *needs)
{
    const char *need, *have;
    size_t n, m;

    while (needs && (n = first_word(&needs, &need)) > 0) {
        const char *list = v->resources;
        while ((m = first_word(&list, &have)) > 0)
            if (m == n && !memcmp(need, have, n))
                break;
        if (!m)
            return 0;
    }
    return 1;
}

struct hmf_edge hmf_edge_between(size_t from, size_t to, double us_per_byte)
{
    return (struct hmf_edge){from, to, -1, us_per_byte, HMF_NO_VERTEX, HMF_NO_VERTEX};
}

void hmf_process_init(struct hmf_process *p)
{
    *p = (struct hmf_process){.touched = 1, .message_bytes = 64};
}

hmf_status_t hmf_graph_new(hmf_graph_t **g)
{
    hmf_graph_t *new = hmf__calloc(1, sizeof *new);

    if (!new)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a graph");
    new->active = HMF_NO_VERTEX;
    hmf_process_init(&new->process);
    *g = new;
    return HMF_OK;
}

void hmf_graph_free(hmf_graph_t *g)
{
    if (!g)
        return;
    hmf__free(g->vertex);
    hmf__free(g->edge);
    hmf__free(g->at);
    hmf__free(g->translation);
    hmf__free(g);
}

hmf_status_t hmf_graph_copy(const hmf_graph_t *g, hmf_graph_t **copy)
{
    hmf_graph_t *new = NULL;
    hmf_status_t rc = hmf_graph_new(&new);

    for (size_t i = 0; !rc && i < g->n; i++)
        rc = hmf_graph_add(new, &g->vertex[i], NULL);
    for (size_t i = 0; !rc && i < g->nedges; i++)
        rc = hmf_graph_connect(new, &g->edge[i]);
    for (size_t i = 0; !rc && i < g->ntranslations; i++)
        rc = hmf_graph_translation(new, g->translation[i].a, g->translation[i].b,
                                   g->translation[i].us_per_byte);
    if (rc) {
        hmf_graph_free(new);
        return rc;
    }
    new->process = g->process;
    new->active = g->active;
    *copy = new;
    return HMF_OK;
}

/* ---- vertices ---- */

/* A cost: not negative, not NaN. */
static hmf_status_t cost(const char *of, const char *field, double x)
{
    if (x >= 0)
        return HMF_OK;
    return hmf__fail(HMF_ERR_ARG, "%s: %s is %g: give 0 or more", of, field, x);
}

static hmf_status_t finite_cost(const char *of, const char *field, double x)
{
    if (x >= 0 && isfinite(x))
        return HMF_OK;
    return hmf__fail(HMF_ERR_ARG, "%s: %s is %g: give a number of 0 or more", of, field, x);
}

static int word_is_good(const char *word, size_t size)
{
    size_t n = strnlen(word, size);

    for (size_t i = 0; i < n; i++)
        if (iscntrl((unsigned char)word[i]) || word[i] == '"' || word[i] == '\\')
            return 0;
    return n < size;
}

static hmf_status_t check_weight(const char *name, const struct hmf_weight *w)
{
    hmf_status_t rc = cost(name, "weight base", w->base);

    if (!rc)
        rc = finite_cost(name, "weight rise_per_us", w->rise_per_us);
    if (!rc && !isfinite(w->rise_from_us))
        rc = hmf__fail(HMF_ERR_ARG, "%s: weight rise_from_us is not a time", name);
    if (!rc && (isnan(w->infinite_from_us) || isnan(w->infinite_until_us) ||
                w->infinite_until_us < w->infinite_from_us))
        rc = hmf__fail(HMF_ERR_ARG, "%s: weight is infinite from %g until %g: these are no times",
                       name, w->infinite_from_us, w->infinite_until_us);
    return rc;
}

static hmf_status_t check_vertex(const struct hmf_vertex *v)
{
    const char *name = v->name;
    hmf_status_t rc;

    if (!word_is_good(v->name, sizeof v->name) || !v->name[0])
        return hmf__fail(HMF_ERR_ARG, "a vertex needs a name of 1 to %zu printable characters",
                         sizeof v->name - 1);
    if (!word_is_good(v->data, sizeof v->data) ||
        !word_is_good(v->resources, sizeof v->resources))
        return hmf__fail(HMF_ERR_ARG, "%s: data or resources are too long or not printable", name);
    if (v->kind < HMF_VERTEX_HOST || v->kind > HMF_VERTEX_SERVER)
        return hmf__fail(HMF_ERR_ARG, "%s: kind %d is not known", name, (int)v->kind);
    if (!(v->speed > 0 && isfinite(v->speed) && v->cores > 0 && isfinite(v->cores)))
        return hmf__fail(HMF_ERR_ARG, "%s: speed %g and cores %g must be more than 0", name,
                         v->speed, v->cores);
    if (isnan(v->suspected_at_us))
        return hmf__fail(HMF_ERR_ARG, "%s: suspected_at_us is not a time", name);
    rc = check_weight(name, &v->weight);
    struct {
        const char *field;
        double x;
    } costs[] = {{"send_us", v->send_us}, {"receive_us", v->receive_us},
                 {"remove_us", v->remove_us}, {"create_us", v->create_us},
                 {"compile_us", v->compile_us}, {"response_us", v->response_us}},
      counts[] = {{"negotiations", v->negotiations}, {"load", v->load}, {"slots", v->slots}};
    for (size_t i = 0; !rc && i < sizeof costs / sizeof costs[0]; i++)
        rc = cost(name, costs[i].field, costs[i].x);
    for (size_t i = 0; !rc && i < sizeof counts / sizeof counts[0]; i++)
        rc = finite_cost(name, counts[i].field, counts[i].x);
    return rc;
}

size_t hmf_graph_find(const hmf_graph_t *g, const char *name)
{
    for (size_t i = 0; i < g->n; i++)
        if (!strcmp(g->vertex[i].name, name))
            return i;
    return HMF_NO_VERTEX;
}

/* Room for one more vertex: the table of edges is copied into a wider one. */
static hmf_status_t grow(hmf_graph_t *g)
{
    size_t cap = g->cap ? 2 * g->cap : 8;
    uint32_t *at = hmf__calloc(cap * cap, sizeof *at);
    struct hmf_vertex *v = at ? hmf__realloc(g->vertex, cap * sizeof *v) : NULL;

    if (!v) {
        hmf__free(at);
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a graph of %zu vertices", cap);
    }
    for (size_t i = 0; i < g->n; i++)
        memcpy(at + i * cap, g->at + i * g->cap, g->n * sizeof *at);
    hmf__free(g->at);
    g->at = at;
    g->vertex = v;
    g->cap = cap;
    return HMF_OK;
}

hmf_status_t hmf_graph_add(hmf_graph_t *g, const struct hmf_vertex *v, size_t *index)
{
    hmf_status_t rc = check_vertex(v);

    if (!rc && hmf_graph_find(g, v->name) != HMF_NO_VERTEX)
        rc = hmf__fail(HMF_ERR_NAME, "two vertices are called %s", v->name);
    if (!rc && g->n == HMF_GRAPH_VERTICES_MAX)
        rc = hmf__fail(HMF_ERR_LIMIT, "a graph has at most %d vertices", HMF_GRAPH_VERTICES_MAX);
    if (!rc && g->n == g->cap)
        rc = grow(g);
    if (rc)
        return rc;
    g->vertex[g->n] = *v;
    if (!g->n)
        g->active = 0;
    if (index)
        *index = g->n;
    g->n++;
    return HMF_OK;
}

hmf_status_t hmf_graph_set(hmf_graph_t *g, size_t i, const struct hmf_vertex *v)
{
    hmf_status_t rc = check_vertex(v);
    size_t same;

    if (i >= g->n)
        return hmf__fail(HMF_ERR_ARG, "there is no vertex %zu, only %zu", i, g->n);
    if (rc)
        return rc;
    if ((same = hmf_graph_find(g, v->name)) != i && same != HMF_NO_VERTEX)
        return hmf__fail(HMF_ERR_NAME, "two vertices are called %s", v->name);
    g->vertex[i] = *v;
    return HMF_OK;
}

/* ---- edges and rates ---- */

hmf_status_t hmf_graph_connect(hmf_graph_t *g, const struct hmf_edge *e)
{
    char name[160];
    hmf_status_t rc;

    if (e->from >= g->n || e->to >= g->n || e->from == e->to)
        return hmf__fail(HMF_ERR_ARG, "an edge from vertex %zu to %zu of %zu makes no sense",
                         e->from, e->to, g->n);
    snprintf(name, sizeof name, "edge %s -> %s", g->vertex[e->from].name, g->vertex[e->to].name);
    if ((e->q0 == HMF_NO_VERTEX) != (e->q1 == HMF_NO_VERTEX) ||
        (e->q0 != HMF_NO_VERTEX && (e->q0 >= g->n || e->q1 >= g->n)))
        return hmf__fail(HMF_ERR_ARG, "%s: the vertices that it goes through do not exist", name);
    if (isnan(e->weight_us))
        return hmf__fail(HMF_ERR_ARG, "%s: weight_us is not a number", name);
    if ((rc = cost(name, "us_per_byte", e->us_per_byte)))
        return rc;
    uint32_t *at = &g->at[e->from * g->cap + e->to];
    if (!*at) {
        if (g->nedges == g->edges_cap) {
            size_t cap = g->edges_cap ? 2 * g->edges_cap : 16;
            struct hmf_edge *more = hmf__realloc(g->edge, cap * sizeof *more);
            if (!more)
                return hmf__fail(HMF_ERR_NOMEM, "no memory for %zu edges", cap);
            g->edge = more;
            g->edges_cap = cap;
        }
        *at = (uint32_t)++g->nedges;
    }
    g->edge[*at - 1] = *e;
    return HMF_OK;
}

hmf_status_t hmf_graph_translation(hmf_graph_t *g, const char *a, const char *b,
                                   double us_per_byte)
{
    struct hmf__translation *t;
    size_t i;
    hmf_status_t rc = cost("translation", "us_per_byte", us_per_byte);

    if (rc)
        return rc;
    if (!word_is_good(a, sizeof t->a) || !word_is_good(b, sizeof t->b) || !*a || !*b)
        return hmf__fail(HMF_ERR_ARG, "a data format needs a name of 1 to %zu printable characters",
                         sizeof t->a - 1);
    for (i = 0; i < g->ntranslations; i++)
        if (!strcmp(g->translation[i].a, a) && !strcmp(g->translation[i].b, b))
            break;
    if (i == g->ntranslations) {
        t = hmf__realloc(g->translation, (i + 1) * sizeof *t);
        if (!t)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for translation rates");
        g->translation = t;
        memset(&t[i], 0, sizeof *t);
        strcpy(t[i].a, a);
        strcpy(t[i].b, b);
        g->ntranslations++;
    }
    g->translation[i].us_per_byte = us_per_byte;
    return HMF_OK;
}

/* ---- the process ---- */

hmf_status_t hmf_graph_set_process(hmf_graph_t *g, const struct hmf_process *p)
{
    struct {
        const char *field;
        double x, most;
    } part[] = {{"state_bytes", p->state_bytes, 1e18},
                {"page_bytes", p->page_bytes, 1e18},
                {"touched", p->touched, 1},
                {"dirty_bytes_per_us", p->dirty_bytes_per_us, 1e12},
                {"precopy_rounds", p->precopy_rounds, 64},
                {"message_bytes", p->message_bytes, 1e18},
                {"forwarded", p->forwarded, 1e18},
                {"forwarded_bytes", p->forwarded_bytes, 1e18},
                {"links", p->links, 1e18},
                {"link_us", p->link_us, 1e18},
                {"calls", p->calls, 1e18},
                {"call_bytes", p->call_bytes, 1e18},
                {"code_bytes", p->code_bytes, 1e18}};

    if (p->mechanism < HMF_MOVE_WHOLE || p->mechanism > HMF_MOVE_ON_REFERENCE)
        return hmf__fail(HMF_ERR_ARG, "process: mechanism %d is not known", (int)p->mechanism);
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        if (!(part[i].x >= 0 && part[i].x <= part[i].most))
            return hmf__fail(HMF_ERR_ARG, "process: %s is %g: give 0 to %g", part[i].field,
                             part[i].x, part[i].most);
    g->process = *p;
    return HMF_OK;
}

hmf_status_t hmf_graph_set_active(hmf_graph_t *g, size_t i)
{
    if (i >= g->n)
        return hmf__fail(HMF_ERR_ARG, "there is no vertex %zu to be active, only %zu", i, g->n);
    if (g->vertex[i].kind == HMF_VERTEX_SERVER)
        return hmf__fail(HMF_ERR_ARG, "%s is a file server, no process can be there",
                         g->vertex[i].name);
    g->active = i;
    return HMF_OK;
}

/* ---- asking ---- */

size_t hmf_graph_count(const hmf_graph_t *g)
{
    return g->n;
}

size_t hmf_graph_active(const hmf_graph_t *g)
{
    return g->active;
}

const struct hmf_vertex *hmf_graph_vertex(const hmf_graph_t *g, size_t i)
{
    return i < g->n ? &g->vertex[i] : NULL;
}

const struct hmf_edge *hmf_graph_edge(const hmf_graph_t *g, size_t from, size_t to)
{
    uint32_t at = from < g->n && to < g->n ? g->at[from * g->cap + to] : 0;

    return at ? &g->edge[at - 1] : NULL;
}

const struct hmf_process *hmf_graph_process(const hmf_graph_t *g)
{
    return &g->process;
}
