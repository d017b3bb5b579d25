/* A graph as a drawing for Graphviz.  Only the edges that lead away from the active vertex have
 * their weights beside them, the others are grey: a full graph of ten vertices has ninety edges. */
#include "config.h"

#include "graph_priv.h"

#include "base.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static void put(struct hmf__buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct hmf__buf *b, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n > 0)
        hmf__buf_put_bytes(b, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

#define INFINITE_SIGN "\xe2\x88\x9e"

static const char *weight_text(double w, char text[32])
{
    if (isinf(w))
        return INFINITE_SIGN;
    snprintf(text, 32, "%.3g", w);
    return text;
}

/* Microseconds in the unit that suits. */
static const char *time_text(double us, char text[32])
{
    if (isinf(us))
        return INFINITE_SIGN;
    if (us < 1000)
        snprintf(text, 32, "%.3g us", us);
    else if (us < 999.5e3)
        snprintf(text, 32, "%.3g ms", us / 1e3);
    else
        snprintf(text, 32, "%.3g s", us / 1e6);
    return text;
}

/* Two edges of one weight are drawn as one with two heads. */
static int drawn_with_its_opposite(const hmf_graph_t *g, const struct hmf_edge *e, int *both)
{
    const struct hmf_edge *back = hmf_graph_edge(g, e->to, e->from);
    double there = hmf_graph_edge_weight(g, e->from, e->to);

    *both = back && back->from != g->active &&
            hmf_graph_edge_weight(g, e->to, e->from) == there;
    return *both && e->from > e->to;
}

hmf_status_t hmf_graph_dot(const hmf_graph_t *g, double t_us, char **text)
{
    static const char *const shapes[] = {"circle", "cylinder", "folder"};
    struct hmf__buf b = HMF__BUF_INIT;
    char w[32];
    int both;

    put(&b, "digraph hmf {\n    layout=circo; mindist=1.6;\n    node [fontsize=12, width=1];"
            " edge [fontsize=11, color=gray70];\n");
    for (size_t i = 0; i < g->n; i++) {
        const struct hmf_vertex *v = &g->vertex[i];
        put(&b, "    v%zu [label=\"%s", i, v->name);
        if (v->kind != HMF_VERTEX_SERVER)
            put(&b, "\\nW = %s", weight_text(hmf_weight_at(&v->weight, t_us), w));
        put(&b, "\", shape=%s%s];\n", shapes[v->kind],
            i == g->active ? ", root=true, style=filled, fillcolor=gray30, fontcolor=white" : "");
    }
    for (size_t i = 0; i < g->nedges; i++) {
        const struct hmf_edge *e = &g->edge[i];
        double cost = hmf_graph_edge_weight(g, e->from, e->to);
        if (e->from == g->active)
            put(&b, "    v%zu -> v%zu [label=\"%s\", color=black%s];\n", e->from, e->to,
                time_text(cost, w), isinf(cost) ? ", style=dashed" : "");
        else if (!drawn_with_its_opposite(g, e, &both))
            put(&b, "    v%zu -> v%zu [%s%s];\n", e->from, e->to, both ? "dir=both" : "",
                isinf(cost) ? ", style=dashed" : "");
    }
    put(&b, "}\n");
    hmf__buf_put_u8(&b, 0);
    size_t len;
    char *taken = (char *)hmf__buf_take(&b, &len);
    if (!taken)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the graph's drawing");
    *text = taken;
    return HMF_OK;
}

void hmf_graph_text_free(char *text)
{
    hmf__free(text);
}
