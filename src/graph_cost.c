/* What a move over one edge costs, from its components; the report's section 3.1.  Ways over
 * several edges are graph_route.c's. */
#include "config.h"

#include "graph_priv.h"

#include "base.h"

#include <math.h>
#include <string.h>

/* a * b with 0 * infinite = 0: what does not happen costs nothing. */
static double times(double a, double b)
{
    return a > 0 && b > 0 ? a * b : 0;
}

double hmf_graph_message(const hmf_graph_t *g, size_t i, size_t j, double bytes)
{
    const struct hmf_edge *e = hmf_graph_edge(g, i, j);

    if (!e)
        e = hmf_graph_edge(g, j, i);
    if (!e)
        return INFINITY;
    return g->vertex[i].send_us + times(e->us_per_byte, bytes) + g->vertex[j].receive_us;
}

static double direct_rate(const hmf_graph_t *g, const char *a, const char *b)
{
    for (size_t i = 0; i < g->ntranslations; i++)
        if (!strcmp(g->translation[i].a, a) && !strcmp(g->translation[i].b, b))
            return g->translation[i].us_per_byte;
    return INFINITY;
}

double hmf_graph_rate(const hmf_graph_t *g, const char *a, const char *b)
{
    if (!*a || !*b || !strcmp(a, b))
        return 0;
    double best = direct_rate(g, a, b);
    if (isfinite(best))
        return best;
    for (size_t i = 0; i < g->ntranslations; i++) {
        const struct hmf__translation *t = &g->translation[i];
        if (!strcmp(t->a, a))
            best = fmin(best, t->us_per_byte + direct_rate(g, t->b, b));
    }
    return best;
}

/* Sending so many bytes in units of a page. */
static double in_pages(const hmf_graph_t *g, size_t i, size_t j, double bytes)
{
    double page = g->process.page_bytes;

    if (!(bytes > 0))
        return 0;
    if (page == 0 || bytes <= page)
        return hmf_graph_message(g, i, j, bytes);
    double full = floor(bytes / page), rest = bytes - full * page;
    return full * hmf_graph_message(g, i, j, page) +
           (rest > 0 ? hmf_graph_message(g, i, j, rest) : 0);
}

/* Reading on reference: each page is asked for. */
static double on_reference(const hmf_graph_t *g, size_t q, size_t j, double bytes)
{
    double page = g->process.page_bytes, n;

    if (!(bytes > 0))
        return 0;
    n = page > 0 ? ceil(bytes / page) : 1;
    return n * hmf_graph_message(g, j, q, g->process.message_bytes) + in_pages(g, q, j, bytes);
}

/* Rounds of copying while the process runs: each copies what was dirtied during the one before, at
 * most everything; the last, for which it stands still, ends it. */
static void precopy(const hmf_graph_t *g, size_t i, size_t q, struct hmf_edge_cost *c)
{
    const struct hmf_process *p = &g->process;
    double bytes = p->state_bytes, d;

    for (int round = 0; bytes > 0 && round < (int)p->precopy_rounds; round++) {
        d = in_pages(g, i, q, bytes);
        c->write_bytes += bytes;
        c->write_us += d;
        c->overlap_us += d;
        bytes = fmin(p->state_bytes, times(p->dirty_bytes_per_us, d));
    }
    c->write_bytes += bytes;
    c->write_us += in_pages(g, i, q, bytes);
}

/* Only what runs can be copied while it runs, and only what will run again touches its pages. */
static enum hmf_mechanism mechanism(const hmf_graph_t *g, size_t i, size_t j)
{
    enum hmf_mechanism m = g->process.mechanism;

    if ((m == HMF_MOVE_PRECOPY && g->vertex[i].kind != HMF_VERTEX_HOST) ||
        (m == HMF_MOVE_ON_REFERENCE && g->vertex[j].kind != HMF_VERTEX_HOST))
        return HMF_MOVE_WHOLE;
    return m;
}

/* VAW, VAR, and what goes between q0 and q1. */
static void transfer(const hmf_graph_t *g, size_t i, size_t j, size_t q0, size_t q1,
                     struct hmf_edge_cost *c)
{
    const struct hmf_process *p = &g->process;
    enum hmf_mechanism m = mechanism(g, i, j);
    int direct = q0 == j && q1 == i;

    if (m == HMF_MOVE_PRECOPY) {
        precopy(g, i, q0, c);
    } else if (!direct || m == HMF_MOVE_WHOLE) {
        c->write_bytes = p->state_bytes;
        c->write_us = in_pages(g, i, q0, p->state_bytes);
    }
    if (m == HMF_MOVE_ON_REFERENCE) {
        c->read_bytes = p->state_bytes * p->touched;
        c->read_us = on_reference(g, q1, j, c->read_bytes);
    } else if (!direct) {
        c->read_bytes = p->state_bytes;
        c->read_us = in_pages(g, q1, j, c->read_bytes);
    }
    if (!direct && q0 != q1)
        c->between_us = in_pages(g, q0, q1, c->write_bytes);
}

/* A place that keeps bytes as they come holds them in the format of the one who wrote them. */
static double translation(const hmf_graph_t *g, size_t i, size_t j, size_t q0, size_t q1,
                          const struct hmf_edge_cost *c)
{
    const struct hmf_process *p = &g->process;
    const char *kept = g->vertex[q1].data[0] ? g->vertex[q1].data : g->vertex[i].data;
    double wanted = p->demand_translation ? p->state_bytes * p->touched : INFINITY;

    return times(fmin(c->write_bytes, wanted),
                 hmf_graph_rate(g, g->vertex[i].data, g->vertex[q0].data)) +
           times(fmin(c->read_bytes, wanted), hmf_graph_rate(g, kept, g->vertex[j].data));
}

hmf_status_t hmf_graph_cost(const hmf_graph_t *g, size_t i, size_t j, struct hmf_edge_cost *cost)
{
    const struct hmf_process *p = &g->process;
    const struct hmf_edge *e;
    struct hmf_edge_cost c = {0};

    if (i >= g->n || j >= g->n)
        return hmf__fail(HMF_ERR_ARG, "there is no vertex %zu or %zu, only %zu", i, j, g->n);
    if (!(e = hmf_graph_edge(g, i, j)))
        return hmf__fail(HMF_ERR_NOTFOUND, "no edge leads from %s to %s", g->vertex[i].name,
                         g->vertex[j].name);
    if (e->weight_us >= 0) {
        c.total_us = e->weight_us;
        *cost = c;
        return HMF_OK;
    }
    const struct hmf_vertex *a = &g->vertex[i], *b = &g->vertex[j];
    size_t q0 = e->q0 == HMF_NO_VERTEX ? j : e->q0, q1 = e->q1 == HMF_NO_VERTEX ? i : e->q1;
    c.negotiation_us = times(a->negotiations, hmf_graph_message(g, i, j, p->message_bytes)) +
                       times(b->negotiations, hmf_graph_message(g, j, i, p->message_bytes));
    c.removal_us = a->remove_us;
    c.creation_us = b->create_us;
    transfer(g, i, j, q0, q1, &c);
    c.translation_us = translation(g, i, j, q0, q1, &c);
    if (b->kind == HMF_VERTEX_HOST && !b->has_code)
        c.code_us = hmf_graph_message(g, i, j, p->code_bytes) + b->compile_us;
    c.forwarding_us = times(p->forwarded, hmf_graph_message(g, i, j, p->forwarded_bytes));
    c.residual_us = p->links * p->link_us +
                    times(p->calls, hmf_graph_message(g, j, i, p->call_bytes) +
                                        hmf_graph_message(g, i, j, p->call_bytes));
    c.total_us = c.negotiation_us + c.removal_us + c.creation_us + c.write_us + c.read_us +
                 c.between_us + c.translation_us + c.code_us + c.forwarding_us + c.residual_us;
    *cost = c;
    return HMF_OK;
}

double hmf_graph_edge_weight(const hmf_graph_t *g, size_t i, size_t j)
{
    struct hmf_edge_cost c;

    if (!hmf_graph_edge(g, i, j) || hmf_graph_cost(g, i, j, &c))
        return INFINITY;
    return c.total_us;
}

double hmf_graph_vertex_weight(const hmf_graph_t *g, size_t i, double t_us)
{
    return i < g->n ? hmf_weight_at(&g->vertex[i].weight, t_us) : INFINITY;
}
