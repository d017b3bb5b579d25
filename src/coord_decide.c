/* coord_decide.c - samples go to decide.h; what the policies want is asked for like anything else. */
#include "config.h"

#include "coord_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "decide.h"
#include "decider.h"
#include "events.h"
#include "monitor.h"

#define NOT_OFTENER_NS 10000000000ull   /* an event about a rank that stays */

hmf_status_t hmf__coord_new_decide(struct hmf__coord *c)
{
    return hmf__decider_decide(c->a, c->costs, &c->decide);
}

void hmf__coord_refused(struct hmf__coord *c, const struct cand *m)
{
    if (!c->decide || m->ask.source != HMF__ASK_POLICY)
        return;
    hmf__decide_refused(c->decide, m->ask.rank, c->phase == NEGOTIATE, hmf__now_ns());
    hmf__decider_news(c->a);
}

void hmf__coord_samples(struct hmf__coord *c, struct hmf__buf *in)
{
    struct hmf__sample s;

    while (c->decide && hmf__buf_left(in) > 0 &&
           !hmf__sample_get(in, c->a->nprocs, c->a->nranks, &s)) {
        if (hmf__now_ns() < c->decide->skip_until_ns)
            s.rank = -1;                   /* what ranks do during an operation is no measure */
        hmf__decide_sample(c->decide, &s, hmf__now_ns());
        hmf__decider_note(c->a, &s);
    }
}

void hmf__coord_explain(struct hmf__coord *c, struct hmf__buf *out)
{
    if (c && c->decide)
        hmf__decide_explain(c->decide, out);
}

void hmf__coord_free_spares(const struct hmf__coord *c, bool *free)
{
    for (int p = 0; p < c->a->nprocs; p++)
        free[p] = c->spare[p] == FREE && !c->drained[p];
}

static void decision_event(struct hmf__coord *c, int rank, const struct hmf_decision *what, const char *to)
{
    static const char *const action[] = {"stay", "go", "swap"};
    struct hmf__events *e = c->a->events;

    hmf__events_begin(e, "decision");
    hmf__events_int(e, "rank", rank);
    hmf__events_text(e, "node", hmf__coord_node(c, c->a->proc_of[rank]));
    hmf__events_text(e, "action", action[what->action]);
    if (to)
        hmf__events_text(e, "to", to);
    hmf__events_int(e, "must", what->must != 0);
    hmf__events_real(e, "stay_ms", what->stay_us * 1e-3);
    hmf__events_real(e, "go_ms", what->go_us * 1e-3);
    hmf__events_real(e, "predicted_ms", what->action == HMF_STAY ? NAN : what->move_us * 1e-3);
    hmf__events_text(e, "reason", what->why);
    hmf__events_end(e);
}

/* Each round says about each rank the same as the one before, nearly always: events are what is new. */
static void say_decisions(struct hmf__coord *c, const struct hmf__ask *asks, int n, uint64_t now)
{
    if (!c->said && !(c->said = hmf__calloc((size_t)c->a->nranks, sizeof *c->said)))
        return;
    for (int r = 0; r < c->a->nranks; r++) {
        const struct hmf_decision *what = &c->decide->rank[r].last;
        struct said *s = &c->said[r];
        const char *to = NULL;
        char policy[sizeof s->policy];
        for (int i = 0; i < n; i++)
            if (asks[i].rank == r)
                to = asks[i].node;
        snprintf(policy, sizeof policy, "%.*s", (int)strcspn(what->why, ":"), what->why);
        if (!what->why[0] || (!to && ((s->at_ns && now - s->at_ns < NOT_OFTENER_NS) ||
                                      (s->at_ns && s->action == (int)what->action && s->must == what->must &&
                                       !strcmp(s->policy, policy)))))
            continue;
        *s = (struct said){now, (int)what->action, what->must, ""};
        memcpy(s->policy, policy, sizeof policy);
        decision_event(c, r, what, to);
    }
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
    hmf__coord_free_spares(c, free);
    n = hmf__decider_round(c->a, c->decide, c->costs, free, now_ns, hmf__coord_wall_s(), asks,
                           sizeof asks / sizeof asks[0]);
    hmf__free(free);
    say_decisions(c, asks, n, now_ns);
    for (int i = 0; i < n; i++)
        if (!hmf__coord_known(c, &asks[i]))
            hmf__coord_put_wish(c, &asks[i]);
    if (n)
        hmf__coord_kick(c);
}
