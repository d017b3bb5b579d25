/* Topology, name and error handler of communicators; see vplan.h. */
#include "config.h"

#include "vplan.h"

#include "vcomm.h"

#include <stdio.h>
#include <string.h>

/* More than any real topology has, less than what overflows. */
#define PLAN_MAX (1 << 26)

static int *ints(int n)
{
    return hmf__calloc(n > 0 ? (size_t) n : 1, sizeof(int));
}

static bool make_room(struct hmf__vplan *p)
{
    p->a = ints(p->n);
    p->b = ints(p->m);
    if (p->weighted) {
        p->wa = ints(p->n);
        p->wb = ints(p->m);
    }
    return p->a != NULL && p->b != NULL && (!p->weighted || (p->wa != NULL && p->wb != NULL));
}

static int read_sizes(MPI_Comm real, struct hmf__vplan *p)
{
    int rc = MPI_SUCCESS;

    switch (p->topology) {
    case MPI_CART:
        rc = PMPI_Cartdim_get(real, &p->n);
        p->m = p->n;
        break;
    case MPI_GRAPH:
        rc = PMPI_Graphdims_get(real, &p->n, &p->m);
        break;
    case MPI_DIST_GRAPH:
        rc = PMPI_Dist_graph_neighbors_count(real, &p->n, &p->m, &p->weighted);
        break;
    default:
        break;
    }
    return rc;
}

static int read_topology(MPI_Comm real, struct hmf__vplan *p)
{
    int rc = MPI_SUCCESS, *coords;

    switch (p->topology) {
    case MPI_CART:
        coords = ints(p->n);
        if (coords == NULL)
            return MPI_ERR_NO_MEM;
        rc = PMPI_Cart_get(real, p->n, p->a, p->b, coords);
        hmf__free(coords);
        break;
    case MPI_GRAPH:
        rc = PMPI_Graph_get(real, p->n, p->m, p->a, p->b);
        break;
    case MPI_DIST_GRAPH:
        rc = PMPI_Dist_graph_neighbors(real, p->n, p->a, p->weighted ? p->wa : MPI_UNWEIGHTED, p->m,
                                       p->b, p->weighted ? p->wb : MPI_UNWEIGHTED);
        break;
    default:
        break;
    }
    return rc;
}

hmf_status_t hmf__vplan_read(MPI_Comm real, struct hmf__vplan **out)
{
    struct hmf__vplan *p = hmf__calloc(1, sizeof(*p));
    MPI_Errhandler handler;
    int rc, n, inter = 0;

    *out = NULL;
    if (p == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the description of a communicator");
    p->topology = MPI_UNDEFINED;
    rc = PMPI_Comm_test_inter(real, &inter);
    if (rc == MPI_SUCCESS && !inter)
        rc = PMPI_Topo_test(real, &p->topology);
    if (rc == MPI_SUCCESS)
        rc = read_sizes(real, p);
    if (rc == MPI_SUCCESS && !make_room(p))
        rc = MPI_ERR_NO_MEM;
    if (rc == MPI_SUCCESS)
        rc = read_topology(real, p);
    if (rc == MPI_SUCCESS)
        rc = PMPI_Comm_get_name(real, p->name, &n);
    if (rc == MPI_SUCCESS)
        rc = PMPI_Comm_get_errhandler(real, &handler);
    if (rc != MPI_SUCCESS) {
        hmf__vplan_free(p);
        return rc == MPI_ERR_NO_MEM
            ? hmf__fail(HMF_ERR_NOMEM, "no memory for the topology of a communicator")
            : hmf__fail(HMF_ERR_MPI, "MPI does not describe a communicator (%d)", rc);
    }
    p->errors = handler == MPI_ERRORS_ARE_FATAL ? HMF__ERRORS_FATAL
              : handler == MPI_ERRORS_RETURN ? HMF__ERRORS_RETURN : HMF__ERRORS_OTHER;
    if (handler != MPI_ERRHANDLER_NULL)
        PMPI_Errhandler_free(&handler);
    *out = p;
    return HMF_OK;
}

void hmf__vplan_free(struct hmf__vplan *p)
{
    if (p == NULL)
        return;
    hmf__free(p->a);
    hmf__free(p->b);
    hmf__free(p->wa);
    hmf__free(p->wb);
    hmf__free(p);
}

static void put_ints(struct hmf__buf *b, const int *v, int n)
{
    for (int i = 0; i < n; i++)
        hmf__buf_put_i32(b, v[i]);
}

static void get_ints(struct hmf__buf *b, int *v, int n)
{
    for (int i = 0; i < n; i++)
        v[i] = hmf__buf_get_i32(b);
}

/* On the wire topologies are 0 none, 1 Cartesian, 2 graph, 3 distributed graph. */
void hmf__vplan_pack(const struct hmf__vplan *p, struct hmf__buf *b)
{
    int kind = p->topology == MPI_CART ? 1 : p->topology == MPI_GRAPH ? 2
             : p->topology == MPI_DIST_GRAPH ? 3 : 0;

    hmf__buf_put_u8(b, (uint8_t) kind);
    hmf__buf_put_u8(b, (uint8_t) p->errors);
    hmf__buf_put_string(b, p->name);
    if (kind == 0)
        return;
    hmf__buf_put_u8(b, (uint8_t) (p->weighted != 0));
    hmf__buf_put_i32(b, p->n);
    hmf__buf_put_i32(b, p->m);
    put_ints(b, p->a, p->n);
    put_ints(b, p->b, p->m);
    if (p->weighted) {
        put_ints(b, p->wa, p->n);
        put_ints(b, p->wb, p->m);
    }
}

/* Whatever MPI would refuse, or crash on, must not get that far. */
static bool sensible(const struct hmf__vplan *p, int size)
{
    long product = 1;
    int last = 0;

    switch (p->topology) {
    case MPI_CART:
        for (int i = 0; i < p->n; i++) {
            if (p->a[i] < 1 || p->a[i] > size || (product *= p->a[i]) > size)
                return false;
        }
        return product == size;
    case MPI_GRAPH:
        for (int i = 0; i < p->n; i++) {
            if (p->a[i] < last || p->a[i] > p->m)
                return false;
            last = p->a[i];
        }
        for (int i = 0; i < p->m; i++)
            if (p->b[i] < 0 || p->b[i] >= p->n)
                return false;
        return p->n == size && last == p->m;
    default:
        for (int i = 0; i < p->n; i++)
            if (p->a[i] < 0 || p->a[i] >= size)
                return false;
        for (int i = 0; i < p->m; i++)
            if (p->b[i] < 0 || p->b[i] >= size)
                return false;
        return true;
    }
}

hmf_status_t hmf__vplan_unpack(struct hmf__buf *b, int size, struct hmf__vplan **out)
{
    static const int topologies[] = { MPI_UNDEFINED, MPI_CART, MPI_GRAPH, MPI_DIST_GRAPH };
    struct hmf__vplan *p = hmf__calloc(1, sizeof(*p));
    unsigned kind = hmf__buf_get_u8(b);
    hmf_status_t status;
    char *name;

    *out = NULL;
    if (p == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the description of a communicator");
    p->errors = hmf__buf_get_u8(b);
    name = hmf__buf_get_string(b, MPI_MAX_OBJECT_NAME - 1);
    if (name != NULL)
        snprintf(p->name, sizeof(p->name), "%s", name);
    hmf__free(name);
    p->topology = kind < 4 ? topologies[kind] : MPI_UNDEFINED;
    if (kind > 0) {
        p->weighted = hmf__buf_get_u8(b) != 0;
        p->n = hmf__buf_get_i32(b);
        p->m = hmf__buf_get_i32(b);
    }
    status = b->status;
    if (status != HMF_OK)
        goto free_plan;
    status = HMF_ERR_FORMAT;
    if (kind > 3 || p->errors > HMF__ERRORS_OTHER || p->n < 0 || p->n > PLAN_MAX || p->m < 0
        || p->m > PLAN_MAX || (p->topology == MPI_CART && (p->n != p->m || p->weighted))
        || (size_t) (p->n + p->m) > hmf__buf_left(b) / 4) {
        hmf__fail(status, "the description of a communicator's topology is damaged");
        goto free_plan;
    }
    if (!make_room(p)) {
        status = hmf__fail(HMF_ERR_NOMEM, "no memory for the topology of a communicator");
        goto free_plan;
    }
    get_ints(b, p->a, p->n);
    get_ints(b, p->b, p->m);
    if (p->weighted) {
        get_ints(b, p->wa, p->n);
        get_ints(b, p->wb, p->m);
    }
    if (b->status != HMF_OK || (p->topology != MPI_UNDEFINED && !sensible(p, size))) {
        hmf__fail(status, "the description of a communicator's topology is damaged");
        goto free_plan;
    }
    *out = p;
    return HMF_OK;
free_plan:
    hmf__vplan_free(p);
    return status;
}

uint64_t hmf__vplan_hash(const struct hmf__vplan *p)
{
    uint64_t h = 1;

    if (p->topology == MPI_UNDEFINED)
        return h;
    if (p->topology != MPI_CART)
        return 0;
    h = hmf__vcomm_mix(2, (uint64_t) p->n);
    for (int i = 0; i < p->n; i++)
        h = hmf__vcomm_mix(h, (uint64_t) p->a[i] * 2 + (p->b[i] != 0));
    return h;
}

int hmf__vplan_apply(const struct hmf__vplan *p, MPI_Comm plain, MPI_Comm *out)
{
    switch (p->topology) {
    case MPI_CART:
        return PMPI_Cart_create(plain, p->n, p->a, p->b, 0, out);
    case MPI_GRAPH:
        return PMPI_Graph_create(plain, p->n, p->a, p->b, 0, out);
    default:
        return PMPI_Dist_graph_create_adjacent(plain, p->n, p->a,
                                               p->weighted ? p->wa : MPI_UNWEIGHTED, p->m, p->b,
                                               p->weighted ? p->wb : MPI_UNWEIGHTED, MPI_INFO_NULL,
                                               0, out);
    }
}
