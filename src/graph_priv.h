/* What the files of the graph share: how a graph is kept.  Users see hmf/graph.h. */
#ifndef HMF__GRAPH_PRIV_H
#define HMF__GRAPH_PRIV_H

#include "hmf/graph.h"

#include <stdint.h>

struct hmf__translation {
    char a[32], b[32];
    double us_per_byte;
};

struct hmf_graph {
    struct hmf_vertex *vertex;
    size_t n, cap;
    struct hmf_edge *edge;
    size_t nedges, edges_cap;
    uint32_t *at; /* cap x cap: 1 + the edge's number at [from * cap + to], 0: none */
    struct hmf__translation *translation;
    size_t ntranslations;
    struct hmf_process process;
    size_t active;
};

#endif
