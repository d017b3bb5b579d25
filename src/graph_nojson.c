/* Graphs and models as JSON, where the library was built without jansson: refused by name. */
#include "config.h"

#include "hmf/graph.h"

#include "sim.h"

#include "base.h"

static hmf_status_t unsupported(void)
{
    return hmf__fail(HMF_ERR_UNSUPPORTED,
                     "built without JSON: install jansson (Debian: libjansson-dev), "
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

hmf_status_t hmf__sim_parse(const char *json, size_t len, const char *where,
                            struct hmf__sim_model *m)
{
    (void)json, (void)len, (void)where, (void)m;
    return unsupported();
}

hmf_status_t hmf__sim_load(const char *path, struct hmf__sim_model *m)
{
    (void)path, (void)m;
    return unsupported();
}
