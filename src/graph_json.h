/* Reading a graph that is part of a larger JSON text, as in the simulator's models. */
#ifndef HMF__GRAPH_JSON_H
#define HMF__GRAPH_JSON_H

#include "hmf/graph.h"

#include "graph_field.h"

/* Fill an empty graph from the object.  Errors are in f->all. */
void hmf__graph_read(struct hmf__json *f, hmf_graph_t *g);

/* The vertex that the field names; HMF_NO_VERTEX if there is no field, or after an error. */
size_t hmf__graph_read_name(struct hmf__json *f, const char *field, int must,
                            const hmf_graph_t *g);

/* A weight: a number, "inf", or an object. */
void hmf__graph_read_weight(struct hmf__json *f, const char *name, struct hmf_weight *w);

#endif
