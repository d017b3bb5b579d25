/* calibrate.c - what messages between the job's hosts cost (see calibrate.h). */
#include "config.h"

#include "calibrate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <mpi.h>

#include "costs.h"
#include "monitor.h"
#include "monitor_topology.h"
#include "plan.h"
#include "typemap.h"
#include "world.h"
#include "xfer.h"

#define ROUNDS 8
#define SIZES 5                 /* of messages in a round */
#define MOST_BYTES ((size_t)8 << 20)
#define FIRST ((size_t)16 << 10)
#define PINGS 12
#define TRIES 3
#define LONG_US 2000.0          /* one try is enough; the other side is told ... */
#define AGAIN UINT64_MAX        /* ... instead of a size: on to the next */
#define PATIENCE_NS 5000000000ull   /* for a peer that does not answer at all */
#define DAY_S 86400.0
#define NUMBERS 8192            /* converted at a time */

/* What a host's process has found out; a message of fixed size. */
struct found {
    char kind[64];
    double send_us;
    struct { int32_t peer, n; struct { double bytes, us; } at[SIZES]; } round[ROUNDS];
    struct { int32_t from; double bytes, us; } rate[4];
};

struct calibration {
    struct hmf__agent *a;
    int *host, nhosts;          /* the lowest process of each */
    int mine;                   /* number of the host that this process stands for, -1: none */
    int beside;                 /* another process of that host, -1: none */
    uint64_t budget_ns;         /* of a round */
    uint64_t deadline_ns;       /* from then on only the latency is measured */
    uint8_t *data;              /* MOST_BYTES */
    struct found found;
};

static int never(void *ctx)
{
    (void)ctx;
    return 0;
}

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- one pair -------------------- */

/* The time of a message there; and of being busy with sending it. */
static hmf_status_t ping(struct hmf__xfer *x, int begins, int n, double *one_way_us, double *send_us)
{
    uint64_t best = UINT64_MAX, busy = UINT64_MAX;
    hmf_status_t st = HMF_OK;
    char c = 0;

    for (int i = 0; i < n && !st; i++) {
        uint64_t t0 = hmf__now_ns(), t1 = t0;
        if (begins) {
            st = hmf__xfer_probe(x, &c, 1, 0);
            t1 = hmf__now_ns();
        }
        if (!st)
            st = hmf__xfer_probe(x, &c, 1, 1);
        if (!st && !begins)
            st = hmf__xfer_probe(x, &c, 1, 0);
        uint64_t all = hmf__now_ns() - t0;
        best = all < best ? all : best;
        busy = t1 - t0 < busy ? t1 - t0 : busy;
    }
    *one_way_us = (double)best * 1e-3 / 2;
    *send_us = (double)busy * 1e-3;
    return st;
}

/* One message as images are sent, and an answer when it has come. */
static hmf_status_t carry(struct hmf__xfer *x, void *data, size_t size, int begins, double *us)
{
    uint64_t t0 = hmf__now_ns();
    hmf_status_t st = hmf__xfer_probe(x, data, size, !begins);
    char answer = 0;

    if (!st)
        st = hmf__xfer_probe(x, &answer, 1, begins);
    *us = (double)(hmf__now_ns() - t0) * 1e-3;
    return st;
}

/* Of up to TRIES: somebody else used the host, or the network let the first bytes through faster than all. */
static double median(const double *us, int n)
{
    double lo = fmin(us[0], us[n - 1]), hi = fmax(us[0], us[n - 1]);

    return n < 3 ? lo : fmin(fmax(us[1], lo), hi);
}

/* Sends larger and larger messages while there is time: each is announced, a size of 0 is the end. */
static hmf_status_t pair(struct calibration *c, int round, int peer, int begins)
{
    struct hmf__xfer x = {.comm = hmf__world_universe(), .peer = peer, .limit_ns = PATIENCE_NS, .given_up = never};
    double one_way, busy, us, rate = 0;
    uint64_t begun, size;
    int n = 1;
    hmf_status_t st = ping(&x, begins, 1, &one_way, &busy);   /* connections and MPI's own buffers are made now */

    if (!st)
        st = carry(&x, c->data, FIRST, begins, &us);
    begun = hmf__now_ns();
    if (!st)
        st = ping(&x, begins, PINGS, &one_way, &busy);
    if (!st && begins) {
        c->found.round[round].peer = peer;
        c->found.round[round].n = 1;
        c->found.round[round].at[0].bytes = 1;
        c->found.round[round].at[0].us = one_way;
        c->found.send_us = c->found.send_us > 0 ? fmin(c->found.send_us, busy) : busy;
    }
    for (uint64_t next = FIRST; !st; next *= 8) {
        double took[TRIES], usual;
        int n_took = 0;
        for (int i = 0; i < TRIES && !st; i++) {
            uint64_t now = hmf__now_ns();
            double left = now < c->deadline_ns ? (double)c->budget_ns - (double)(now - begun) : -1;
            /* It must fit, in half of what is left. */
            size = next <= MOST_BYTES && left > 0 && left > 2e3 * rate * (double)next ? next : 0;
            if (i > 0 && took[0] > LONG_US)
                size = AGAIN;
            st = hmf__xfer_probe(&x, &size, sizeof size, !begins);
            if (st || size == 0 || size > MOST_BYTES)
                break;
            st = carry(&x, c->data, (size_t)size, begins, &us);
            took[n_took++] = us;
        }
        if (st || !n_took)
            break;
        usual = median(took, n_took);
        rate = usual / (double)next;
        if (begins && n < SIZES) {
            c->found.round[round].at[n].bytes = (double)next;
            c->found.round[round].at[n].us = fmax(usual - one_way, 1e-3);
            c->found.round[round].n = (int32_t)++n;
        }
        if (size == 0)
            break;
    }
    return st;
}

/* Hosts sit at a round table at which one place stays and the others move on: each meets each once.  Who is met
 * in that round; -1: nobody. */
static int opposite(int host, int nhosts, int round)
{
    int n = nhosts + nhosts % 2, turn = n - 1, other;

    if (host == n - 1)
        other = round % turn;
    else if (host == round % turn)
        other = n - 1;
    else
        other = ((2 * round - host) % turn + turn) % turn;
    if (host != n - 1 && other != n - 1 && other == host)
        other = n - 1;
    return other < nhosts ? other : -1;
}

/* ---- conversion -------------------- */

/* A machine with data of that name (job.c makes the names). */
static int machine(const char *data, struct hmf__abi *abi)
{
    int bits, align, ldouble;
    char end;

    hmf__abi_native(abi);
    if (sscanf(data, "%ce%d-%d-%d", &end, &bits, &align, &ldouble) != 4)
        return 0;
    abi->big_endian = end == 'b';
    abi->pointer_size = (uint8_t)(bits / 8);
    abi->max_align = (uint8_t)align;
    return 1;                              /* numbers of long double are not what is measured */
}

static void conversion(struct calibration *c)
{
    static const int number[] = {typeDOUBLE};
    struct hmf__agent *a = c->a;
    int n = 0;

    for (int h = 0; h < c->nhosts && n < 4; h++) {
        const char *data = a->addrs[c->host[h]].data;
        struct hmf__types from, to;
        struct hmf__plan *plan = NULL;
        struct hmf__abi abi;
        uint32_t fid, tid;
        double *in, *out;
        int seen = !strcmp(data, a->addrs[a->proc].data) || !machine(data, &abi);
        for (int i = 0; i < n; i++)
            seen |= !strcmp(data, a->addrs[c->found.rate[i].from].data);
        if (seen)
            continue;
        hmf__types_init(&from, &abi);
        hmf__types_init(&to, NULL);
        in = hmf__calloc(NUMBERS, sizeof *in);
        out = hmf__calloc(NUMBERS, sizeof *out);
        if (in && out && !hmf__types_compile(&from, number, 1, NULL, &fid) &&
            !hmf__types_compile(&to, number, 1, NULL, &tid) && !hmf__types_classes(&to) &&
            !hmf__plan_make(&from, fid, &to, tid, &plan)) {
            uint64_t best = UINT64_MAX;
            for (int i = 0; i < 10; i++) {
                uint64_t t0 = hmf__now_ns();
                if (hmf__plan_run(plan, in, out, NUMBERS))
                    break;
                best = hmf__now_ns() - t0 < best ? hmf__now_ns() - t0 : best;
            }
            c->found.rate[n].from = c->host[h];
            c->found.rate[n].bytes = NUMBERS * sizeof *in;
            c->found.rate[n++].us = (double)best * 1e-3;
        }
        hmf__plan_free(plan);
        hmf__free(out);
        hmf__free(in);
        hmf__types_fini(&to);
        hmf__types_fini(&from);
    }
}

/* ---- all of them -------------------- */

static int same_host(const struct hmf__agent *a, int p, int q)
{
    return a->addrs[p].host_key == a->addrs[q].host_key;
}

static hmf_status_t hosts(struct calibration *c)
{
    struct hmf__agent *a = c->a;

    c->mine = c->beside = -1;
    c->host = hmf__calloc((size_t)a->nprocs, sizeof *c->host);
    if (!c->host)
        return HMF_ERR_NOMEM;
    for (int p = 0; p < a->nprocs; p++) {
        int h = 0;
        while (h < c->nhosts && !same_host(a, c->host[h], p))
            h++;
        if (h == c->nhosts)
            c->host[c->nhosts++] = p;
        if (c->host[h] == a->proc)
            c->mine = h;
        if (same_host(a, p, a->proc) && p != a->proc && c->beside < 0)
            c->beside = p;
    }
    if (c->mine < 0)                       /* only the first two processes of a host have something to do */
        for (int p = 0, before = 0; p < a->proc; p++)
            if (same_host(a, p, a->proc) && ++before > 1)
                c->beside = -1;
    return HMF_OK;
}

static int rounds_of(const struct calibration *c)
{
    int n = c->nhosts > 1 ? c->nhosts + c->nhosts % 2 - 1 : 0;

    return 1 + (n < ROUNDS - 1 ? n : ROUNDS - 1);   /* the first one is within each host */
}

/* The rounds in which some link is not known well enough: rank 0's process looks into the file. */
static uint32_t stale(const struct calibration *c, const char *path)
{
    struct hmf__costs *known = hmf__costs_new();
    uint32_t needed = 0;
    double now = wall_s();

    if (path[0])
        hmf__costs_load(known, path, now);
    for (int r = 0; r < rounds_of(c); r++)
        for (int h = 0; h < c->nhosts; h++) {
            int other = r ? opposite(h, c->nhosts, r - 1) : h;
            const struct hmf__net_addr *addrs = c->a->addrs;
            if (other >= h && now - hmf__costs_link_age(known, addrs[c->host[h]].node,
                                                        addrs[c->host[other]].node) >= DAY_S)
                needed |= 1u << r;
        }
    hmf__costs_free(known);
    return needed;
}

static hmf_status_t measure(struct calibration *c, uint32_t needed)
{
    hmf_status_t st = HMF_OK;

    if (!needed || (c->mine < 0 && c->beside < 0))
        return HMF_OK;
    if (!(c->data = hmf__big_zeros(MOST_BYTES)))
        return HMF_ERR_NOMEM;
    memset(c->data, 1, MOST_BYTES);        /* pages are there from now on */
    /* Other hosts first: within one, it is the same everywhere. */
    for (int k = 1; k <= rounds_of(c) && !st; k++) {
        int r = k % rounds_of(c), other;
        if (!(needed & 1u << r))
            continue;
        if (r == 0) {
            if (c->beside >= 0)
                st = pair(c, r, c->beside, c->mine >= 0);
        } else if (c->mine >= 0 && (other = opposite(c->mine, c->nhosts, r - 1)) >= 0) {
            st = pair(c, r, c->host[other], c->mine < other);
        }
    }
    return st;
}

/* What the others have found, as costs. */
static void conclude(struct calibration *c, const struct found *all)
{
    struct hmf__agent *a = c->a;
    struct hmf__costs *costs = hmf__costs_new();
    struct hmf__buf out = HMF__BUF_INIT, text = HMF__BUF_INIT;
    double now = wall_s();

    for (int p = 0; costs && p < a->nprocs; p++) {
        const struct found *f = &all[p];
        if (f->send_us > 0)
            hmf__costs_learn_send(costs, a->addrs[p].node, f->send_us, now);
        for (int r = 0; r < ROUNDS; r++)
            for (int i = 0; i < f->round[r].n; i++) {
                int q = f->round[r].peer;
                struct hmf__costs_move m = {
                    .program = "", .from = a->addrs[p].node, .to = a->addrs[q].node, .from_kind = f->kind,
                    .to_kind = all[q].kind[0] ? all[q].kind : f->kind, .from_data = "", .to_data = ""};
                hmf__costs_learn_link(costs, &m, f->round[r].at[i].bytes, f->round[r].at[i].us, now);
            }
        for (int i = 0; i < 4 && f->rate[i].bytes > 0; i++)
            hmf__costs_learn_rate(costs, a->addrs[f->rate[i].from].data, a->addrs[p].data, f->rate[i].bytes,
                                  f->rate[i].us, now);
    }
    for (int p = 0; p < a->nprocs; p++) {
        const char *kind = "";
        for (int h = 0; h < c->nhosts; h++)
            if (same_host(a, c->host[h], p))
                kind = all[c->host[h]].kind;
        hmf__buf_put_string(&out, kind);
    }
    hmf__costs_put(costs, &text);
    hmf__buf_put_u64(&out, text.len);
    hmf__buf_put_bytes(&out, text.data, text.len);
    if (!out.status && !text.status)
        hmf__agent_tell(a, HMF__F_L_COSTS, out.data, out.len);
    hmf__buf_fini(&text);
    hmf__buf_fini(&out);
    hmf__costs_free(costs);
}

static double wanted_ms(void)
{
    double ms, usual = hmf__monitor_wanted() ? 50 : 0;

    if (hmf__param_double("HMF_CALIBRATE", 0, 10000, usual, &ms)) {
        hmf__log(HMF__LOG_ERROR, "%s: taking %g ms", hmf_error_text(), usual);
        ms = usual;
    }
    return ms;
}

void hmf__calibrate(struct hmf__agent *a)
{
    struct calibration c = {.a = a};
    double ms = wanted_ms();
    uint64_t begun = hmf__now_ns();
    uint32_t needed = 0;
    struct found *all = NULL;
    char path[4096];
    int root = a->proc_of[0], ok;

    if (ms <= 0 || a->nranks == a->nprocs)
        return;
    ok = !hosts(&c) && (a->proc != root || (all = hmf__calloc((size_t)a->nprocs, sizeof *all)));
    PMPI_Allreduce(MPI_IN_PLACE, &ok, 1, MPI_INT, MPI_MIN, hmf__world_universe());
    if (!ok)
        goto free_all;
    if (a->proc == root) {
        hmf__costs_path(path, sizeof path);
        needed = stale(&c, path);
    }
    PMPI_Bcast(&needed, 1, MPI_UINT32_T, root, hmf__world_universe());
    if (c.mine >= 0) {
        struct hmf__topology t;
        hmf__topology_read(&t);
        memcpy(c.found.kind, t.kind, sizeof c.found.kind);
        hmf__log(HMF__LOG_DEBUG, "host %s: %s, %d packages, %d cores of %d kinds (worth %.2f), %d threads, bound to "
                 "%d, cache %.0f KiB, %d memory nodes at distance %.1f, %.1f GiB", a->addrs[a->proc].node, t.kind,
                 t.packages, t.cores, t.kinds, t.worth, t.threads, t.bound, t.cache_bytes / 1024, t.nodes, t.distance,
                 t.memory_bytes / (1 << 30));
        conversion(&c);
    }
    c.deadline_ns = begun + (uint64_t)(2 * ms * 1e6);
    c.budget_ns = (uint64_t)(ms * 1e6 / (double)(needed ? __builtin_popcount(needed) : 1));
    if (measure(&c, needed))
        hmf__log(HMF__LOG_WARN, "the cost of messages could not be measured: %s", hmf_error_text());
    PMPI_Gather(&c.found, sizeof c.found, MPI_BYTE, all, sizeof c.found, MPI_BYTE, root, hmf__world_universe());
    if (a->proc == root) {
        conclude(&c, all);
        hmf__log(HMF__LOG_INFO, "calibrated %d hosts in %.1f ms: %d of %d rounds were not known yet", c.nhosts,
                 (double)(hmf__now_ns() - begun) * 1e-6, __builtin_popcount(needed), rounds_of(&c));
    }

free_all:
    if (c.data)
        hmf__big_free(c.data, MOST_BYTES);
    hmf__free(all);
    hmf__free(c.host);
}
