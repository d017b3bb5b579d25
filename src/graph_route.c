/* Ways over several edges, and what staying or going costs over a remaining time. */
#include "config.h"

#include "graph_priv.h"

#include "base.h"

#include <math.h>

/* What is known of a vertex during the search. */
struct seen {
    double weight;
    size_t moves, before;
    int final;
};

static int may_pass(const hmf_graph_t *g, size_t i, double t)
{
    return g->vertex[i].kind != HMF_VERTEX_HOST || isfinite(hmf_graph_vertex_weight(g, i, t));
}

/* Dijkstra's algorithm over a table: graphs are small and dense. */
static void search(const hmf_graph_t *g, size_t from, size_t to, double t, struct seen *s)
{
    for (size_t i = 0; i < g->n; i++)
        s[i] = (struct seen){INFINITY, 0, HMF_NO_VERTEX, 0};
    s[from].weight = 0;
    for (;;) {
        size_t at = HMF_NO_VERTEX;
        for (size_t i = 0; i < g->n; i++)
            if (!s[i].final && isfinite(s[i].weight) &&
                (at == HMF_NO_VERTEX || s[i].weight < s[at].weight ||
                 (s[i].weight == s[at].weight && s[i].moves < s[at].moves)))
                at = i;
        if (at == HMF_NO_VERTEX || at == to)
            return;
        s[at].final = 1;
        if (at != from && !may_pass(g, at, t))
            continue;
        for (size_t j = 0; j < g->n; j++) {
            if (s[j].final || !g->at[at * g->cap + j])
                continue;
            double w = s[at].weight + hmf_graph_edge_weight(g, at, j);
            if (w < s[j].weight ||
                (isfinite(w) && w == s[j].weight && s[at].moves + 1 < s[j].moves))
                s[j] = (struct seen){w, s[at].moves + 1, at, 0};
        }
    }
}

hmf_status_t hmf_graph_route(const hmf_graph_t *g, size_t from, size_t to, double t_us,
                             size_t *path, size_t cap, size_t *n, double *weight_us)
{
    if (from >= g->n || to >= g->n)
        return hmf__fail(HMF_ERR_ARG, "there is no vertex %zu or %zu, only %zu", from, to, g->n);
    struct seen *s = hmf__malloc(g->n * sizeof *s);
    if (!s)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a search over %zu vertices", g->n);
    search(g, from, to, t_us, s);
    hmf_status_t rc = HMF_OK;
    if (isinf(s[to].weight)) {
        rc = hmf__fail(HMF_ERR_NOTFOUND, "no way of finite weight leads from %s to %s",
                       g->vertex[from].name, g->vertex[to].name);
        goto free_seen;
    }
    *n = s[to].moves + 1;
    *weight_us = s[to].weight;
    if (*n > cap) {
        rc = hmf__fail(HMF_ERR_LIMIT,
                       "the way from %s to %s has %zu vertices, there is room for %zu",
                       g->vertex[from].name, g->vertex[to].name, *n, cap);
        goto free_seen;
    }
    for (size_t k = *n, i = to; k-- > 0; i = s[i].before)
        path[k] = i;

free_seen:
    hmf__free(s);
    return rc;
}

hmf_status_t hmf_graph_outlook(const hmf_graph_t *g, size_t to, double now_us, double remaining_us,
                               struct hmf_outlook *outlook)
{
    struct hmf_outlook o = {.next = to};
    struct hmf_edge_cost c;
    size_t here = g->active;
    hmf_status_t rc;

    if (to >= g->n || isnan(now_us) || isnan(remaining_us))
        return hmf__fail(HMF_ERR_ARG, "an outlook on vertex %zu of %zu at %g for %g", to, g->n,
                         now_us, remaining_us);
    if (to != here) {
        size_t *path = hmf__malloc(g->n * sizeof *path), n;
        if (!path)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a way over %zu vertices", g->n);
        rc = hmf_graph_route(g, here, to, now_us, path, g->n, &n, &o.move_us);
        if (!rc) {
            o.next = path[1];
            o.moves = n - 1;
            rc = hmf_graph_cost(g, here, path[1], &c);
        }
        hmf__free(path);
        if (rc)
            return rc;
        double w = hmf_graph_vertex_weight(g, here, now_us);
        if (c.overlap_us > 0 && w > 0)
            remaining_us = fmax(0, remaining_us - c.overlap_us / w);
    }
    o.run_us = g->vertex[to].kind == HMF_VERTEX_SERVER && remaining_us > 0
                   ? INFINITY
                   : hmf_weight_cost(&g->vertex[to].weight, now_us + o.move_us,
                                     remaining_us);
    o.total_us = o.move_us + o.run_us;
    *outlook = o;
    return HMF_OK;
}
