/* decider.c - who decides about the moves of which rank (see decider.h). */
#include "config.h"

#include "decider.h"

#include <string.h>
#include <time.h>

#include "costs.h"
#include "decide.h"

#define DEGREE HMF__WAVE_DEGREE
#define MOST_ASKS 16

struct hmf__decider {
    enum hmf__who who;
    int nhosts;
    int *host_of;               /* nprocs: hosts are those whose processes reach each other by loopback */
    const char **names;         /* nhosts */
    int *list;                  /* nranks: scratch, the deciders in the order of their lowest rank */
    bool *mine;                 /* nranks: scratch */
    bool *lost;                 /* nprocs: as the coordinator sees it, which all go by */
    int *first;                 /* nhosts: scratch */
    struct hmf__buf noted;      /* coordinator: samples since the last view */
    bool news;
    struct hmf__decide *decide; /* of a decider that is not the coordinator */
    struct hmf__costs *costs;
    struct hmf__decider_cost cost;      /* so far */
    struct hmf__decider_cost told;      /* the same, behind the agent's lock */
};

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- life -------------------- */

hmf_status_t hmf__decider_new(struct hmf__agent *a, struct hmf__decider **out)
{
    static const char *const names[] = {"central", "host", "self"};
    struct hmf__decider *x = hmf__calloc(1, sizeof *x);
    const char *who;

    *out = x;
    if (x) {
        x->host_of = hmf__calloc((size_t)a->nprocs, sizeof *x->host_of);
        x->names = hmf__calloc((size_t)a->nprocs, sizeof *x->names);
        x->list = hmf__calloc((size_t)a->nranks, sizeof *x->list);
        x->mine = hmf__calloc((size_t)a->nranks, sizeof *x->mine);
        x->lost = hmf__calloc((size_t)a->nprocs, sizeof *x->lost);
        x->first = hmf__calloc((size_t)a->nprocs, sizeof *x->first);
    }
    if (!x || !x->host_of || !x->names || !x->list || !x->mine || !x->lost || !x->first)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for who decides about %d ranks", a->nranks);
    for (int p = 0; p < a->nprocs; p++) {
        while (x->host_of[p] < x->nhosts && !hmf__net_same_host(a->net, x->first[x->host_of[p]], p))
            x->host_of[p]++;
        if (x->host_of[p] == x->nhosts) {
            x->first[x->nhosts] = p;
            x->names[x->nhosts++] = a->addrs[p].node;
        }
    }
    hmf__param_string("HMF_DECIDER", names[0], &who);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(who, names[i])) {
            x->who = (enum hmf__who)i;
            return HMF_OK;
        }
    if (a->proc == 0)
        hmf__log(HMF__LOG_ERROR, "HMF_DECIDER is \"%s\": give central, host or self; taking central",
                 who);
    return HMF_OK;
}

static void resign(struct hmf__decider *x)
{
    hmf__decide_free(x->decide);
    hmf__costs_free(x->costs);
    x->decide = NULL;
    x->costs = NULL;
}

void hmf__decider_free(struct hmf__agent *a)
{
    struct hmf__decider *x = a->decider;

    if (!x)
        return;
    if (x->cost.rounds)
        hmf__log(HMF__LOG_DEBUG, "deciding took %.1f us of CPU a round here, in %lu rounds; %.1f frames of %.0f bytes "
                 "were sent for it in each", x->cost.cpu_s * 1e6 / (double)x->cost.rounds, x->cost.rounds,
                 (double)x->cost.frames / (double)x->cost.rounds,
                 x->cost.frames ? x->cost.bytes / (double)x->cost.frames : 0);
    resign(x);
    hmf__buf_fini(&x->noted);
    hmf__free(x->first);
    hmf__free(x->lost);
    hmf__free(x->mine);
    hmf__free(x->list);
    hmf__free(x->names);
    hmf__free(x->host_of);
    hmf__free(x);
    a->decider = NULL;
}

struct hmf__decider_cost hmf__decider_cost(struct hmf__agent *a)
{
    struct hmf__decider_cost cost = {0};

    pthread_mutex_lock(&a->lock);
    if (a->decider)
        cost = a->decider->told;
    pthread_mutex_unlock(&a->lock);
    return cost;
}

static void count(struct hmf__agent *a, double from_s)
{
    struct hmf__decider *x = a->decider;

    x->cost.cpu_s += cpu_s() - from_s;
    pthread_mutex_lock(&a->lock);
    x->told = x->cost;
    pthread_mutex_unlock(&a->lock);
}

hmf_status_t hmf__decider_decide(const struct hmf__agent *a, const struct hmf__costs *costs,
                                 struct hmf__decide **out)
{
    const struct hmf__decider *x = a->decider;
    hmf_status_t st = hmf__decide_new(a->nranks, a->nprocs, x->nhosts, x->host_of, x->names,
                                      hmf__monitor_interval(a->monitor), hmf__now_ns(), out);

    if (st)
        return st;
    (*out)->costs = costs;
    (*out)->program = a->program ? a->program : "";
    for (int p = 0; p < a->nprocs; p++)
        memcpy((*out)->host[x->host_of[p]].data, a->addrs[p].data, sizeof a->addrs[p].data);
    return HMF_OK;
}

/* ---- who -------------------- */

int hmf__decider_of(const struct hmf__agent *a, int rank)
{
    const struct hmf__decider *x = a->decider;

    if (x->who == HMF__WHO_CENTRAL)
        return a->proc_of[0];
    if (x->who == HMF__WHO_SELF)
        return a->proc_of[rank];
    for (int r = 0; r < a->nranks; r++)
        if (x->host_of[a->proc_of[r]] == x->host_of[a->proc_of[rank]] &&
            !x->lost[a->proc_of[r]])
            return a->proc_of[r];
    return -1;
}

/* Fills `list` and `mine`; returns how many deciders there are.  The first is the coordinator, as long as it
 * lives. */
static int appoint(const struct hmf__agent *a)
{
    struct hmf__decider *x = a->decider;
    int n = 0;

    for (int h = 0; h < x->nhosts; h++)
        x->first[h] = -1;
    for (int r = 0; r < a->nranks; r++) {
        int p = a->proc_of[r], who = p, *first = &x->first[x->host_of[p]];
        if (*first < 0 && !x->lost[p])
            *first = p;
        if (x->who != HMF__WHO_SELF)
            who = x->who == HMF__WHO_HOST ? *first : a->proc_of[0];
        if (who == p)
            x->list[n++] = p;
        x->mine[r] = who == a->proc;
    }
    return n;
}

/* Down the tree of the deciders. */
static void pass_on(struct hmf__agent *a, int n, const void *data, size_t len)
{
    struct hmf__decider *x = a->decider;
    int me = 0;

    while (me < n && x->list[me] != a->proc)
        me++;
    for (int i = DEGREE * me + 1; me < n && i <= DEGREE * me + DEGREE && i < n; i++)
        if (!hmf__net_send(a->net, x->list[i], HMF__F_VIEW, data, len)) {
            x->cost.frames++;
            x->cost.bytes += (double)len;
        }
}

/* ---- the coordinator's part -------------------- */

void hmf__decider_note(struct hmf__agent *a, const struct hmf__sample *s)
{
    if (a->decider->who != HMF__WHO_CENTRAL)
        hmf__sample_put(&a->decider->noted, s);
}

void hmf__decider_news(struct hmf__agent *a)
{
    a->decider->news = true;
}

static void put_costs(const struct hmf__costs *costs, const struct hmf__decide *d, struct hmf__buf *out)
{
    struct hmf__buf text = HMF__BUF_INIT;

    for (int h = 0; h < d->nhosts; h++)
        hmf__buf_put_string(out, d->host[h].kind);
    hmf__costs_put(costs, &text);
    hmf__buf_put_u64(out, text.status ? 0 : text.len);
    if (!text.status)
        hmf__buf_put_bytes(out, text.data, text.len);
    hmf__buf_fini(&text);
}

/* What a view says of each process. */
enum { FREE_SPARE = 1, LOST = 2 };

/* A view: a byte for each process; is the state there, and that; samples. */
static void tell(struct hmf__agent *a, int n, const struct hmf__decide *d, const struct hmf__costs *costs,
                 const bool *free, uint64_t now_ns)
{
    struct hmf__decider *x = a->decider;
    struct hmf__buf out = HMF__BUF_INIT;

    for (int p = 0; p < a->nprocs; p++)
        hmf__buf_put_u8(&out, (free[p] ? FREE_SPARE : 0) | (x->lost[p] ? LOST : 0));
    hmf__buf_put_u8(&out, x->news);
    if (x->news) {
        put_costs(costs, d, &out);
        hmf__decide_put(d, now_ns, &out);
    }
    if (!x->noted.status)
        hmf__buf_put_bytes(&out, x->noted.data, x->noted.len);
    if (!out.status) {
        pass_on(a, n, out.data, out.len);
        x->news = false;
    }
    hmf__buf_fini(&out);
    hmf__buf_clear(&x->noted);
    x->noted.status = HMF_OK;
}

int hmf__decider_round(struct hmf__agent *a, struct hmf__decide *d, const struct hmf__costs *costs,
                       const bool *free, uint64_t now_ns, double wall_s, struct hmf__ask *asks, int max)
{
    struct hmf__decider *x = a->decider;
    double from = cpu_s();
    int n;

    resign(x);                             /* it may have been another decider before it was the coordinator */
    for (int p = 0; p < a->nprocs; p++)
        x->lost[p] = hmf__net_is_lost(a->net, p);
    n = appoint(a);
    if (n > 1)
        tell(a, n, d, costs, free, now_ns);
    n = hmf__decide_round(d, a->proc_of, free, x->mine, now_ns, wall_s, asks, max);
    x->cost.rounds++;
    x->cost.asks += (unsigned long)n;
    count(a, from);
    return n;
}

/* ---- the others' part -------------------- */

static hmf_status_t take_office(struct hmf__agent *a)
{
    struct hmf__decider *x = a->decider;

    if (x->decide)
        return HMF_OK;
    x->costs = hmf__costs_new();
    if (!x->costs)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for what moves cost");
    hmf_status_t st = hmf__decider_decide(a, x->costs, &x->decide);
    if (st) {
        resign(x);
        return st;
    }
    x->decide->quiet = true;
    return HMF_OK;
}

static hmf_status_t take_state(struct hmf__decider *x, uint64_t now_ns, struct hmf__buf *in)
{
    const void *text;
    uint64_t len;

    for (int h = 0; h < x->nhosts; h++) {
        char *kind = hmf__buf_get_string(in, sizeof x->decide->host[h].kind - 1);
        memset(x->decide->host[h].kind, 0, sizeof x->decide->host[h].kind);
        if (kind)
            memcpy(x->decide->host[h].kind, kind, strlen(kind));
        hmf__free(kind);
    }
    len = hmf__buf_get_u64(in);
    text = hmf__buf_get_bytes(in, (size_t)len);
    if (text && hmf__costs_take(x->costs, text, (size_t)len))
        hmf__log(HMF__LOG_DEBUG, "costs of moves in a view: %s", hmf_error_text());
    return hmf__decide_get(x->decide, now_ns, in);
}

static void judge(struct hmf__agent *a, const bool *free, struct hmf__buf *in)
{
    struct hmf__decider *x = a->decider;
    struct hmf__ask asks[MOST_ASKS];
    uint64_t now_ns = hmf__now_ns();
    struct timespec wall;
    bool fresh = !x->decide;
    struct hmf__sample s;
    int n;

    if (take_office(a)) {
        hmf__log(HMF__LOG_ERROR, "HMF_DECIDER: %s; nobody decides about rank %d", hmf_error_text(), a->rank);
        return;
    }
    if (hmf__buf_get_u8(in)) {
        if (take_state(x, now_ns, in)) {
            hmf__log(HMF__LOG_WARN, "%s", hmf_error_text());
            return;
        }
    } else if (fresh) {
        resign(x);
        hmf__net_send(a->net, a->coordinator, HMF__F_VIEW_WANTED, NULL, 0);
        x->cost.frames++;
        return;
    }
    while (hmf__buf_left(in) > 0 && !hmf__sample_get(in, a->nprocs, a->nranks, &s))
        hmf__decide_sample(x->decide, &s, now_ns);
    x->decide->next_ns = now_ns;           /* the coordinator's clock is what counts */
    clock_gettime(CLOCK_REALTIME, &wall);
    n = hmf__decide_round(x->decide, a->proc_of, free, x->mine, now_ns,
                          (double)wall.tv_sec + (double)wall.tv_nsec * 1e-9, asks, MOST_ASKS);
    for (int i = 0; i < n; i++) {
        struct hmf__buf out = HMF__BUF_INIT;
        if (!hmf__ask_put(&out, &asks[i]) && !hmf__net_send(a->net, a->coordinator, HMF__F_ASK, out.data, out.len)) {
            x->cost.frames++;
            x->cost.bytes += (double)out.len;
        }
        hmf__buf_fini(&out);
    }
    x->cost.rounds++;
    x->cost.asks += (unsigned long)n;
}

void hmf__decider_view(struct hmf__agent *a, struct hmf__buf *in)
{
    size_t len = hmf__buf_left(in), nprocs = (size_t)a->nprocs;
    const uint8_t *data = hmf__buf_get_bytes(in, len);
    double from = cpu_s();
    struct hmf__buf rest;
    bool any = false, *free;
    int n;

    if (!a->decider || !data || len < nprocs || a->coord || a->ending)
        return;
    for (size_t p = 0; p < nprocs; p++)
        a->decider->lost[p] = (data[p] & LOST) != 0;
    n = appoint(a);
    pass_on(a, n, data, len);
    for (int r = 0; r < a->nranks; r++)
        any |= a->decider->mine[r];
    if (!any || !(free = hmf__calloc(nprocs, sizeof *free))) {
        resign(a->decider);
        return;
    }
    for (size_t p = 0; p < nprocs; p++)
        free[p] = (data[p] & FREE_SPARE) != 0;
    hmf__buf_borrow(&rest, data + nprocs, len - nprocs);
    judge(a, free, &rest);
    hmf__free(free);
    count(a, from);
}
