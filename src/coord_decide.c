/* coord_decide.c - samples go to decide.h; what the policies want is asked for like anything else. */
#include "config.h"

#include "coord_priv.h"

#include "decide.h"
#include "monitor.h"

#include <string.h>

/* Hosts are those whose processes reach each other by loopback. */
hmf_status_t hmf__coord_new_decide(struct hmf__coord *c)
{
    struct hmf__agent *a = c->a;
    int *host_of = hmf__calloc((size_t)a->nprocs, sizeof *host_of), n = 0;
    int *first = hmf__calloc((size_t)a->nprocs, sizeof *first);
    const char **names = hmf__calloc((size_t)a->nprocs, sizeof *names);
    hmf_status_t st = HMF_ERR_NOMEM;

    if (!host_of || !first || !names) {
        hmf__fail(st, "no memory for the hosts of %d processes", a->nprocs);
        goto free_lists;
    }
    for (int p = 0; p < a->nprocs; p++) {
        while (host_of[p] < n && !hmf__net_same_host(a->net, first[host_of[p]], p))
            host_of[p]++;
        if (host_of[p] == n) {
            first[n] = p;
            names[n++] = hmf__coord_node(c, p);
        }
    }
    st = hmf__decide_new(a->nranks, a->nprocs, n, host_of, names, hmf__monitor_interval(a->monitor),
                         hmf__now_ns(), &c->decide);
    if (st)
        goto free_lists;
    c->decide->costs = c->costs;
    c->decide->program = a->program ? a->program : "";
    for (int p = 0; p < a->nprocs; p++)
        memcpy(c->decide->host[host_of[p]].data, a->addrs[p].data, sizeof a->addrs[p].data);

free_lists:
    hmf__free(names);
    hmf__free(first);
    hmf__free(host_of);
    return st;
}

void hmf__coord_refused(struct hmf__coord *c, const struct cand *m)
{
    if (c->decide)
        hmf__decide_refused(c->decide, m->ask.rank, hmf__now_ns());
}

void hmf__coord_samples(struct hmf__coord *c, struct hmf__buf *in)
{
    struct hmf__sample s;

    while (c->decide && hmf__buf_left(in) > 0 &&
           !hmf__sample_get(in, c->a->nprocs, c->a->nranks, &s))
        hmf__decide_sample(c->decide, &s, hmf__now_ns());
}

void hmf__coord_explain(struct hmf__coord *c, struct hmf__buf *out)
{
    if (c && c->decide)
        hmf__decide_explain(c->decide, out);
}

/* What the policies want is asked for like anything else. */
void hmf__coord_decide(struct hmf__coord *c, uint64_t now_ns)
{
    int nprocs = c->a->nprocs, n = 0;
    struct hmf__ask asks[16];
    bool *free;

    if (c->phase != IDLE || c->ending) {
        hmf__decide_disturbed(c->decide, now_ns);
        return;
    }
    if (hmf__decide_timer(c->decide, now_ns) || !atomic_load(&c->a->polls) ||
        !(free = hmf__calloc((size_t)nprocs, sizeof *free)))
        return;
    for (int p = 0; p < nprocs; p++)
        free[p] = c->spare[p] == FREE && !c->drained[p];
    n = hmf__decide_round(c->decide, c->a->proc_of, free, now_ns, hmf__coord_wall_s(), asks,
                          sizeof asks / sizeof asks[0]);
    hmf__free(free);
    for (int i = 0; i < n; i++)
        if (!hmf__coord_known(c, &asks[i]))
            hmf__coord_put_wish(c, &asks[i]);
    if (n)
        hmf__coord_kick(c);
}
