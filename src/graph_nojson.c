/* Graphs and models as JSON, where the library was built without jansson: refused by name. */
#include "config.h"

#include "hmf/graph.h"

#include "base.h"

static hmf_status_t unsupported(void)
{
    return hmf__fail(HMF_ERR_UNSUPPORTED, "built without JSON: install jansson (Debian: libjansson-dev), "
                                          "configure and build again");
}

hmf_status_t hmf_graph_parse(const char *json, size_t len, const char *where, hmf_graph_t **g)
{
    (void)json, (void)len, (void)where, (void)g;
    return unsupported();
}

hmf_status_t hmf_graph_load(const char *path, hmf_graph_t **g)
{
    (void)path, (void)g;
    return unsupported();
}

hmf_status_t hmf_graph_json(const hmf_graph_t *g, char **text)
{
    (void)g, (void)text;
    return unsupported();
}
