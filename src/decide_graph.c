/* decide_graph.c - what running in a place costs, and the graph of the places that a rank could be in
 * (see decide.h; doc/policies.md has each weight with its source). */
#include "config.h"

#include "decide.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST_LEAVE (HMF__HOST_OWNER | HMF__HOST_ILL | HMF__HOST_DRAINED)

static double bounded(double w)
{
    return isfinite(w) && w > 1 ? w : 1;
}

static double denied(double part)
{
    return isfinite(part) && part > 0.1 ? 1 / (1 - fmin(part, 0.99)) : 1;
}

void hmf__decide_weights(struct hmf__decide *d, const int *proc_of, const bool *free,
                         uint64_t now_ns)
{
    for (int h = 0; h < d->nhosts; h++) {
        struct hmf__decide_host *x = &d->host[h];
        double cores = x->known && x->s.cores > 0 ? x->s.cores : 1;
        double stall = x->known && x->s.psi_memory > 0 ? 1 / (1 - fmin(x->s.psi_memory, 0.99)) : 1;
        double clock = x->known && x->s.clock > 0 && (x->s.flags & HMF__HOST_HOT) ? 1 / x->s.clock : 1;
        double running = x->known && isfinite(x->running) ? x->running : 0, spare = 1;
        int ours = 0;

        x->free = 0;
        for (int p = 0; p < d->nprocs; p++)
            if (d->host_of[p] == h && free[p]) {
                x->free++;
                spare = denied(d->throttled[p]);
            }
        for (int r = 0; r < d->nranks; r++)
            ours += d->host_of[proc_of[r]] == h;
        if (x->known && x->s.quota > 0)
            spare = fmax(spare, bounded((ours + 1) / x->s.quota));
        /* By the same measure for hosts with and without ranks, else one kind would look better. */
        x->weight = bounded(running / cores) * stall * clock;
        x->weight_more = bounded((running + 1) / cores) * stall * clock * spare;
        x->response_us = (double)(now_ns - x->seen_ns) * 1e-3;
    }
    for (int r = 0; r < d->nranks; r++) {
        struct hmf__decide_rank *k = &d->rank[r];
        /* Who is bound to cores does not share the host's, but has those to himself, or not. */
        double own = k->bound && k->cpu > 0 ? bounded(1 + k->delay / k->cpu) : 1;
        k->weight = d->host[d->host_of[proc_of[r]]].weight *
                    fmax(fmax(hmf__slow_factor(&d->slow, r), own),
                         fmax(denied(k->throttled), k->stopped > 0.25 ? denied(k->stopped) : 1));
    }
}

static struct hmf_weight weight(const struct hmf__decide_host *x, double w, double now_us,
                                double wall_s)
{
    struct hmf_weight out = hmf_weight_constant(w);

    if (!x->known)
        return out;
    if (x->s.flags & MUST_LEAVE)
        out.infinite_from_us = now_us;
    else if (isfinite(x->s.ends_at_s))
        out.infinite_from_us = now_us + (x->s.ends_at_s - wall_s) * 1e6;
    return out;
}

static void vertex(const struct hmf__decide_host *x, const char *name,
                   double w, double now_us, double wall_s, struct hmf_vertex *v)
{
    hmf_vertex_init(v);
    snprintf(v->name, sizeof v->name, "%.63s", name);
    v->weight = weight(x, w, now_us, wall_s);
    v->slots = x->free;
    snprintf(v->data, sizeof v->data, "%s", x->data);
    v->suspected_at_us = x->suspected_us;
    v->response_us = x->response_us;
    if (x->known && x->s.cores > 0)
        v->cores = x->s.cores;
}

struct choice { int host; double weight; };

static int by_weight(const void *a, const void *b)
{
    const struct choice *x = a, *y = b;

    return x->weight != y->weight ? (x->weight > y->weight) - (x->weight < y->weight)
                                  : x->host - y->host;
}

/* The hosts worth looking at: with a free place and memory for the state, the lightest first. */
static int choices(const struct hmf__decide *d, int here, double bytes, struct choice *out)
{
    int n = 0;

    for (int h = 0; h < d->nhosts; h++) {
        const struct hmf__decide_host *x = &d->host[h];
        struct choice c = {h, h == here ? x->weight : x->weight_more};
        if (x->free < 1 || (x->known && x->s.memory * x->s.memory_free < bytes))
            continue;
        if (n < HMF__DECIDE_PLACES) {
            out[n++] = c;
        } else {
            int worst = 0;
            for (int i = 1; i < n; i++)
                if (out[i].weight > out[worst].weight)
                    worst = i;
            if (c.weight < out[worst].weight)
                out[worst] = c;
        }
    }
    qsort(out, (size_t)n, sizeof *out, by_weight);
    return n;
}

static hmf_status_t costs(const struct hmf__decide *d, int rank, const struct hmf__decide_host *to,
                          hmf_graph_t *g, struct hmf_process *process, struct hmf_vertex *here,
                          struct hmf_vertex *there, struct hmf_edge *e)
{
    const struct hmf__decide_rank *k = &d->rank[rank];
    const struct hmf__decide_host *from = &d->host[d->host_of[k->proc]];
    struct hmf__costs_move m = {
        .program = d->program, .nranks = d->nranks, .from = from->name, .to = to->name,
        .from_kind = from->kind, .to_kind = to->kind, .from_data = from->data, .to_data = to->data,
        .bytes = process->state_bytes, .step_us = k->step_s * 1e6,
    };

    return hmf__costs_components(d->costs, &m, g, process, here, there, e);
}

hmf_status_t hmf__decide_graph(struct hmf__decide *d, int rank, uint64_t now_ns, double wall_s,
                               hmf_graph_t **out, int *host, int cap)
{
    const struct hmf__decide_rank *k = &d->rank[rank];
    int here = d->host_of[k->proc], n;
    double now_us = (double)now_ns * 1e-3;
    struct choice to[HMF__DECIDE_PLACES];
    struct hmf_process process;
    struct hmf_vertex mine, v;
    hmf_graph_t *g = NULL;
    hmf_status_t st = hmf_graph_new(&g);

    hmf_process_init(&process);
    process.state_bytes = hmf__costs_bytes(d->costs, d->program, k->bytes);
    vertex(&d->host[here], d->host[here].name, k->weight, now_us, wall_s, &mine);
    mine.receive_us = 1;
    if (!st)
        st = hmf_graph_add(g, &mine, NULL);
    n = choices(d, here, process.state_bytes, to);
    host[0] = here;
    for (int i = 0; i < n && i + 1 < cap && !st; i++) {
        const struct hmf__decide_host *x = &d->host[to[i].host];
        struct hmf_edge e = hmf_edge_between(0, (size_t)i + 1, 0);
        char name[64];
        /* A place beside it on the same host is another one: only the process may be held up. */
        snprintf(name, sizeof name, to[i].host == here ? "%.50s (beside)" : "%.63s", x->name);
        vertex(x, name, to[i].weight, now_us, wall_s, &v);
        if (to[i].host == here)
            v.suspected_at_us = INFINITY;
        host[i + 1] = to[i].host;
        st = costs(d, rank, x, g, &process, &mine, &v, &e);
        if (!st)
            st = hmf_graph_add(g, &v, NULL);
        if (!st)
            st = hmf_graph_connect(g, &e);
    }
    /* What is the same for all places: as the last one left it. */
    if (!st)
        st = hmf_graph_set(g, 0, &mine);
    if (!st)
        st = hmf_graph_set_process(g, &process);
    if (st) {
        hmf_graph_free(g);
        return st;
    }
    *out = g;
    return HMF_OK;
}
