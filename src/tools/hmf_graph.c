/* hmf graph: what the edges and vertices of a graph in a file cost, the cheapest way, and what
 * staying or going would cost. Needs no running job. */
#include "config.h"

#include "hmf_graph.h"

#include "hmf/graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char hmf_graph_usage[] =
    "  graph FILE            what a graph's vertices and edges cost, and what staying or going "
    "would\n"
    "      --dot  --json  as a drawing for Graphviz, as JSON    --route A B  the cheapest way\n"
    "      --at=US  at that time (0)    --remaining=US  for so long (1e6)\n";

struct options {
    const char *file, *route[2];
    int dot, json;
    double at_us, remaining_us;
};

static int failed(void)
{
    fprintf(stderr, "hmf: %s\n", hmf_error_text());
    return 1;
}

static int parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.remaining_us = 1e6};
    for (int i = 1; i < argc; i++) {
        char *end = "";
        if (!strcmp(argv[i], "--dot")) {
            o->dot = 1;
        } else if (!strcmp(argv[i], "--json")) {
            o->json = 1;
        } else if (!strcmp(argv[i], "--route") && i + 2 < argc) {
            o->route[0] = argv[++i];
            o->route[1] = argv[++i];
        } else if (!strncmp(argv[i], "--at=", 5) && argv[i][5]) {
            o->at_us = strtod(argv[i] + 5, &end);
        } else if (!strncmp(argv[i], "--remaining=", 12) && argv[i][12]) {
            o->remaining_us = strtod(argv[i] + 12, &end);
        } else if (argv[i][0] != '-' && !o->file) {
            o->file = argv[i];
        } else {
            end = argv[i];
        }
        if (*end) {
            fprintf(stderr, "hmf: graph: what is \"%s\"? See hmf --help\n", argv[i]);
            return 2;
        }
    }
    if (!o->file || o->dot + o->json + (o->route[0] != NULL) > 1 || isnan(o->at_us) ||
        isnan(o->remaining_us)) {
        fprintf(stderr, "hmf: graph takes a file and one of --dot, --json, --route A B\n");
        return 2;
    }
    return 0;
}

static int route(const hmf_graph_t *g, const struct options *o)
{
    size_t end[2], path[HMF_GRAPH_VERTICES_MAX], n;
    double weight;

    for (int i = 0; i < 2; i++) {
        end[i] = hmf_graph_find(g, o->route[i]);
        if (end[i] == HMF_NO_VERTEX) {
            fprintf(stderr, "hmf: %s has no vertex %s\n", o->file, o->route[i]);
            return 1;
        }
    }
    if (hmf_graph_route(g, end[0], end[1], o->at_us, path, HMF_GRAPH_VERTICES_MAX, &n, &weight))
        return failed();
    for (size_t i = 0; i < n; i++)
        printf("%s%s", i ? " -> " : "", hmf_graph_vertex(g, path[i])->name);
    printf("  %.6g us (the edge itself: %.6g us)\n", weight,
           end[0] == end[1] ? 0 : hmf_graph_edge_weight(g, end[0], end[1]));
    return 0;
}

static void vertices(const hmf_graph_t *g, const struct options *o)
{
    struct hmf_outlook x;

    printf("%-16s %-6s %10s %14s %14s %14s\n", "vertex", "kind", "weight", "move us", "run us",
           "total us");
    for (size_t i = 0; i < hmf_graph_count(g); i++) {
        const struct hmf_vertex *v = hmf_graph_vertex(g, i);
        printf("%-16s %-6s %10.4g", v->name, hmf_vertex_kind_name(v->kind),
               hmf_graph_vertex_weight(g, i, o->at_us));
        if (hmf_graph_outlook(g, i, o->at_us, o->remaining_us, &x))
            printf(" %14s %14s %14s", "no way", "", "");
        else
            printf(" %14.6g %14.6g %14.6g", x.move_us, x.run_us, x.total_us);
        printf("%s\n", i == hmf_graph_active(g) ? "  active" : "");
    }
}

static void edges(const hmf_graph_t *g)
{
    static const char *const heads[] = {"N",     "CR",   "CC",      "VAW",   "VAR",  "between",
                                        "TRANSL.", "code", "F", "resid.", "E us"};
    struct hmf_edge_cost c;

    printf("\n%-24s", "edge");
    for (size_t k = 0; k < sizeof heads / sizeof heads[0]; k++)
        printf(" %9s", heads[k]);
    printf("\n");
    for (size_t i = 0; i < hmf_graph_count(g); i++)
        for (size_t j = 0; j < hmf_graph_count(g); j++) {
            char name[140];
            if (!hmf_graph_edge(g, i, j) || hmf_graph_cost(g, i, j, &c))
                continue;
            snprintf(name, sizeof name, "%s -> %s", hmf_graph_vertex(g, i)->name,
                     hmf_graph_vertex(g, j)->name);
            printf("%-24s %9.4g %9.4g %9.4g %9.4g %9.4g %9.4g %9.4g %9.4g %9.4g %9.4g %9.4g\n",
                   name, c.negotiation_us, c.removal_us, c.creation_us, c.write_us, c.read_us,
                   c.between_us, c.translation_us, c.code_us, c.forwarding_us, c.residual_us,
                   c.total_us);
        }
}

int hmf_graph_has_file(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-' || !strcmp(argv[i], "--route"))
            return 1;
    return 0;
}

int hmf_graph_command(int argc, char **argv)
{
    struct options o;
    hmf_graph_t *g;
    char *text = NULL;
    int rc = parse(argc, argv, &o);

    if (rc)
        return rc;
    if (hmf_graph_load(o.file, &g))
        return failed();
    if (o.route[0]) {
        rc = route(g, &o);
    } else if (o.dot || o.json) {
        if (o.dot ? hmf_graph_dot(g, o.at_us, &text) : hmf_graph_json(g, &text))
            rc = failed();
        else
            printf("%s%s", text, o.json ? "\n" : "");
        hmf_graph_text_free(text);
    } else {
        vertices(g, &o);
        edges(g);
    }
    hmf_graph_free(g);
    return rc;
}
