/* coord_drain.c - nodes that are to be empty, and are not moved to any more. */
#include "config.h"

#include "coord_priv.h"

#include <stdio.h>
#include <string.h>

#include "events.h"

/* A full host name and its first part mean the same. */
static bool is_node(const char *node, const char *name)
{
    size_t n = strlen(name);

    return !strncmp(node, name, n) && (!node[n] || (node[n] == '.' && !strchr(name, '.')));
}

static void retire_spares(struct hmf__coord *c, const char *node)
{
    for (int p = 0; p < c->a->nprocs; p++)
        if (c->a->recovers && c->spare[p] == FREE && is_node(hmf__coord_node(c, p), node) &&
            !hmf__net_send(c->a->net, p, HMF__F_RETIRE, NULL, 0))
            c->spare[p] = USED;
}

/* Tells who waits for a node to be empty, when nothing is on its way any more. */
void hmf__coord_settle_drain(struct hmf__coord *c)
{
    struct hmf__ask ask = {.token = c->drain.token};
    char stay[200] = "";
    size_t len = 0;

    if (!c->drain.node[0])
        return;
    for (struct wish *w = c->first; w; w = w->next)
        if (w->ask.kind == HMF__OP_MOVE &&
            is_node(hmf__coord_node(c, c->a->proc_of[w->ask.rank]), c->drain.node))
            return;
    for (int r = 0; r < c->a->nranks; r++)
        if (is_node(hmf__coord_node(c, c->a->proc_of[r]), c->drain.node) && len < sizeof stay - 16)
            len += (size_t)snprintf(stay + len, sizeof stay - len, "%s%d", len ? ", " : "", r);
    if (!len)
        retire_spares(c, c->drain.node);
    hmf__events_begin(c->a->events, len ? "not-drained" : "drained");
    hmf__events_text(c->a->events, "node", c->drain.node);
    if (len)
        hmf__events_text(c->a->events, "ranks", stay);
    hmf__events_end(c->a->events);
    if (len)
        hmf__coord_answer(c, &ask, 0,
                          "%s is not empty: rank %s stays there; 'hmf events' says why; nothing "
                          "more is moved to it",
                          c->drain.node, stay);
    else
        hmf__coord_answer(c, &ask, 1, "%s is empty%s", c->drain.node,
                          c->a->recovers ? " and may be switched off"
                                         : ": its processes wait for the job's end");
    c->drain.node[0] = 0;
}

/* Marks the processes of a node; returns how many there are. */
static int mark(struct hmf__coord *c, const char *node, bool drained)
{
    int n = 0;

    for (int p = 0; p < c->a->nprocs; p++)
        if (is_node(hmf__coord_node(c, p), node)) {
            c->drained[p] = drained;
            n++;
        }
    hmf__events_begin(c->a->events, drained ? "drain" : "resume");
    hmf__events_text(c->a->events, "node", node);
    hmf__events_int(c->a->events, "processes", n);
    hmf__events_end(c->a->events);
    return n;
}

void hmf__coord_drain(struct hmf__coord *c, const char *node, uint64_t token)
{
    struct hmf__ask ask = {.kind = HMF__OP_MOVE, .source = HMF__ASK_CONTROL, .token = token};

    if (c->drain.node[0]) {
        hmf__coord_answer(c, &ask, 0, "%s is being drained: ask again when it is", c->drain.node);
        return;
    }
    if (c->ending || !mark(c, node, true)) {
        hmf__coord_answer(c, &ask, 0,
                          c->ending ? "the job is at its end" : "no process of this job is on %s",
                          node);
        return;
    }
    ask.token = 0;                         /* the answer is about the node, not about each rank */
    snprintf(c->drain.node, sizeof c->drain.node, "%s", node);
    c->drain.token = token;
    for (ask.rank = 0; ask.rank < c->a->nranks; ask.rank++)
        if (is_node(hmf__coord_node(c, c->a->proc_of[ask.rank]), node) && !hmf__coord_known(c, &ask))
            hmf__coord_put_wish(c, &ask);
    if (c->phase == IDLE && !c->first)
        hmf__coord_settle_drain(c);
    else
        hmf__coord_kick(c);
}

void hmf__coord_resume(struct hmf__coord *c, const char *node, uint64_t token)
{
    struct hmf__ask ask = {.token = token};
    int n = mark(c, node, false), nfree = 0;

    for (int p = 0; p < c->a->nprocs; p++)
        nfree += c->spare[p] == FREE && is_node(hmf__coord_node(c, p), node);
    if (n)
        hmf__coord_answer(c, &ask, 1,
                          "%s may be used again: %d of its %d processes can take a rank", node,
                          nfree, n);
    else
        hmf__coord_answer(c, &ask, 0, "no process of this job is on %s", node);
}
