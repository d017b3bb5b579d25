/* coord_view.c - the live graph and the policies, for the control socket: what is known of hosts and
 * ranks, and what being in each place and moving there would cost.  Decides nothing (coord_decide.c). */
#include "config.h"

#include "coord_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "decide.h"
#include "decider.h"
#include "events.h"

static const char nobody[] =
    "this job was started without HMF_POLICY, so nothing is measured: start it with HMF_POLICY=manual to measure "
    "and let nothing but requests move ranks, or with the policies that are to decide";

/* Weights as of now, also before the first round. */
static hmf_status_t look(struct hmf__coord *c)
{
    bool *free = hmf__calloc((size_t)c->a->nprocs, sizeof *free);

    if (!free)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to look at %d processes", c->a->nprocs);
    hmf__coord_free_spares(c, free);
    for (int r = 0; r < c->a->nranks; r++)
        c->decide->rank[r].proc = c->a->proc_of[r];
    hmf__decide_weights(c->decide, c->a->proc_of, free, hmf__now_ns());
    hmf__free(free);
    return HMF_OK;
}

static void line(struct hmf__buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void line(struct hmf__buf *out, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    hmf__buf_put_bytes(out, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

/* "place RANK HOST move_ms .. run_s .. total_s ..": each place that the rank could be in, the present one first. */
static hmf_status_t places(struct hmf__coord *c, int rank, uint64_t now, struct hmf__buf *out)
{
    double now_us = (double)now * 1e-3, remaining_us = hmf__decide_remaining_us(c->decide, now);
    int host[HMF__DECIDE_PLACES];
    struct hmf_outlook x;
    hmf_graph_t *g;
    hmf_status_t st = hmf__decide_graph(c->decide, rank, now, hmf__coord_wall_s(), &g, host,
                                        HMF__DECIDE_PLACES);

    if (st)
        return st;
    for (size_t v = 0; v < hmf_graph_count(g); v++)
        if (!hmf_graph_outlook(g, v, now_us, remaining_us, &x))
            line(out, "place %d %s move_ms %.4f run_s %.4f total_s %.4f\n", rank, c->decide->host[host[v]].name,
                 x.move_us * 1e-3, x.run_us * 1e-6, x.total_us * 1e-6);
    hmf_graph_free(g);
    return HMF_OK;
}

hmf_status_t hmf__coord_graph(struct hmf__coord *c, int rank, struct hmf__buf *out)
{
    uint64_t now = hmf__now_ns();
    int host[HMF__DECIDE_PLACES];
    hmf_graph_t *g;
    char *text;
    hmf_status_t st;

    if (!c->decide)
        return hmf__fail(HMF_ERR_STATE, "%s", nobody);
    if ((st = look(c)))
        return st;
    if (rank < 0) {
        line(out, "job %s policy %s remaining_s %.1f\n", c->a->program, c->decide->policy,
             hmf__decide_remaining_us(c->decide, now) * 1e-6);
        for (int r = 0; r < c->a->nranks && !st; r++)
            st = places(c, r, now, out);
        hmf__decide_explain(c->decide, out);
        return st ? st : out->status;
    }
    st = hmf__decide_graph(c->decide, rank, now, hmf__coord_wall_s(), &g, host, HMF__DECIDE_PLACES);
    if (st)
        return st;
    if (!(st = hmf_graph_json(g, &text))) {
        hmf__buf_put_bytes(out, text, strlen(text));
        hmf__buf_put_bytes(out, "\n", 1);
        hmf_graph_text_free(text);
    }
    hmf_graph_free(g);
    return st ? st : out->status;
}

hmf_status_t hmf__coord_policy(struct hmf__coord *c, const char *names, struct hmf__buf *out)
{
    char before[sizeof c->decide->policy];
    hmf_status_t st;

    if (!c->decide)
        return hmf__fail(HMF_ERR_STATE, "%s", nobody);
    if (names[0]) {
        snprintf(before, sizeof before, "%s", c->decide->policy);
        if ((st = hmf__decide_policy(c->decide, names)))
            return st;
        hmf__decider_news(c->a);
        hmf__log(HMF__LOG_INFO, "policy %s instead of %s from now on", names, before);
        hmf__events_begin(c->a->events, "policy");
        hmf__events_text(c->a->events, "policy", names);
        hmf__events_text(c->a->events, "before", before);
        hmf__events_end(c->a->events);
    }
    line(out, "policy %s decides: asked every %.3g s, %lu moves wanted so far\n", c->decide->policy,
         (double)c->decide->interval_ns * 1e-9, c->decide->asked);
    return out->status;
}
