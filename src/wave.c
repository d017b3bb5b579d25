/* wave.c - how the agents agree (see wave.h). */
#include "config.h"

#include "wave.h"

#include <stdio.h>
#include <string.h>

#include "coord.h"

#define LOCAL (1u << 31)
#define SILENCE_NS (2ull * 1000000000)   /* a child may be this much later than its own limit */

/* ---- reports -------------------- */

void hmf__report_put(struct hmf__buf *out, const struct hmf__report *r)
{
    hmf__buf_put_u32(out, r->status);
    hmf__buf_put_i32(out, r->rank);
    hmf__buf_put_u64(out, r->lo);
    hmf__buf_put_u64(out, r->hi);
    hmf__buf_put_u64(out, r->open);
    hmf__buf_put_string(out, r->text);
}

void hmf__report_get(struct hmf__buf *in, struct hmf__report *out)
{
    char *text;

    out->status = hmf__buf_get_u32(in);
    out->rank = hmf__buf_get_i32(in);
    out->lo = hmf__buf_get_u64(in);
    out->hi = hmf__buf_get_u64(in);
    out->open = hmf__buf_get_u64(in);
    text = hmf__buf_get_string(in, sizeof out->text - 1);
    snprintf(out->text, sizeof out->text, "%s", text ? text : "");
    hmf__free(text);
    if (in->status && !out->status)
        out->status = HMF_ERR_FORMAT;
}

void hmf__report_fill(struct hmf__agent *a, struct hmf__report *r, hmf_status_t status)
{
    r->status = status;
    r->rank = status ? a->rank : -1;
    r->text[0] = 0;
    if (status)
        snprintf(r->text, sizeof r->text, "%s %d on %s: %s",
                 a->role == HMF__ROLE_INCOMING ? "newcomer of rank" : "rank", a->rank,
                 a->addrs[a->proc].node, hmf_error_text());
}

static void merge(struct hmf__report *sum, const struct hmf__report *r)
{
    if (r->status && !sum->status) {
        sum->status = r->status;
        sum->rank = r->rank;
        memcpy(sum->text, r->text, sizeof sum->text);
    }
    if (r->lo < sum->lo)
        sum->lo = r->lo;
    if (r->hi > sum->hi)
        sum->hi = r->hi;
    sum->open += r->open;
}

/* ---- the tree -------------------- */

static int children(const struct hmf__agent *a, int child[HMF__WAVE_DEGREE])
{
    int n = 0;

    if (a->rank < 0)
        return 0;
    for (int i = 1; i <= HMF__WAVE_DEGREE; i++) {
        long r = (long)a->rank * HMF__WAVE_DEGREE + i;
        if (r >= a->nranks)
            break;
        child[n++] = a->proc_of[r];
    }
    return n;
}

static hmf_status_t send_wave(struct hmf__agent *a, int to, unsigned frame, uint32_t kind,
                              const struct hmf__op *op, const char *why)
{
    struct hmf__buf out = HMF__BUF_INIT;
    hmf_status_t st;

    hmf__buf_put_u32(&out, kind);
    hmf__op_put(&out, op);
    hmf__buf_put_string(&out, why);
    st = out.status ? out.status : hmf__net_send(a->net, to, frame, out.data, out.len);
    hmf__buf_fini(&out);
    return st;
}

hmf_status_t hmf__wave_send_direct(struct hmf__agent *a, int proc, uint32_t kind,
                                   const struct hmf__op *op, const char *why)
{
    return send_wave(a, proc, HMF__F_DIRECT, kind, op, why);
}

/* All have answered: pass the sum on. */
static void complete(struct hmf__agent *a)
{
    struct hmf__wave *w = &a->wave;
    uint32_t kind = w->kind;

    w->kind = 0;
    if (w->parent < 0) {
        hmf__coord_wave_done(a->coord, kind, &w->sum);
        return;
    }
    struct hmf__buf out = HMF__BUF_INIT;
    hmf__buf_put_u32(&out, kind);
    hmf__buf_put_u64(&out, w->epoch);
    hmf__report_put(&out, &w->sum);
    if (!out.status)
        hmf__net_send(a->net, w->parent, HMF__F_UP, out.data, out.len);
    hmf__buf_fini(&out);
}

static void answered(struct hmf__agent *a, uint32_t bit, const struct hmf__report *r)
{
    struct hmf__wave *w = &a->wave;

    if (!w->kind || !(w->waiting & bit))
        return;
    w->waiting &= ~bit;
    merge(&w->sum, r);
    if (!w->waiting)
        complete(a);
}

static void answer_local(struct hmf__agent *a, const struct hmf__report *r)
{
    answered(a, LOCAL, r);
}

void hmf__wave_begun(struct hmf__agent *a, uint32_t kind)
{
    if (kind == HMF__WAVE_ABORT)
        return;
    a->begun = kind;
    a->begun_epoch = a->op.epoch;
}

/* Gives the main thread its order.  Called with the lock held. */
static void order(struct hmf__agent *a, uint32_t kind, uint64_t limit)
{
    a->order = kind;
    hmf__wave_begun(a, kind);
    hmf__agent_limit(a, limit);
    pthread_cond_broadcast(&a->changed);
}

static void apply_moves(struct hmf__agent *a)
{
    for (uint32_t i = 0; i < a->op.nmoves; i++)
        a->proc_of[a->op.moves[i].rank] = a->op.moves[i].to;
    a->coordinator = a->proc_of[0];
}

/* This process's own part.  Returns 1 if it is done at once, with *r filled. */
static int local_part(struct hmf__agent *a, uint32_t kind, const struct hmf__op *op,
                      const char *why, struct hmf__report *r)
{
    int done = 1;

    memset(r, 0, sizeof *r);
    r->rank = -1;
    r->lo = UINT64_MAX;
    pthread_mutex_lock(&a->lock);
    if (kind != HMF__WAVE_COMMIT && kind != HMF__WAVE_ABORT) {
        struct hmf__op copy;
        hmf_status_t st = HMF_OK;
        if (a->finished)
            st = hmf__fail(HMF_ERR_STATE, "its program has come to its end already");
        else if (!(st = hmf__op_copy(op, &copy))) {
            hmf__op_clear(&a->op);
            a->op = copy;
        }
        if (st) {
            hmf__report_fill(a, r, st);
            pthread_mutex_unlock(&a->lock);
            return 1;
        }
    }
    switch (kind) {
    case HMF__WAVE_HOLD:
        order(a, kind, 0);                 /* before the count is read: it cannot pass count + 1 */
        r->lo = r->hi = atomic_load(&a->polls) + 1;
        break;
    case HMF__WAVE_CUT:
        order(a, kind, op->cut);
        done = 0;
        break;
    case HMF__WAVE_WORK:
    case HMF__WAVE_JOIN:
        order(a, kind, UINT64_MAX);
        done = 0;
        break;
    case HMF__WAVE_COMMIT:
        apply_moves(a);
        if (hmf__op_leaves(&a->op, a->proc)) {
            a->role = HMF__ROLE_LEFT;
            a->rank = -1;
        }
        order(a, kind, UINT64_MAX);
        done = 0;     /* the next operation must not begin before the main thread has switched */
        break;
    default:
        snprintf(a->verdict, sizeof a->verdict, "%s", why);
        a->undone_ns = hmf__now_ns();
        order(a, HMF__WAVE_ABORT, UINT64_MAX);
        break;
    }
    pthread_mutex_unlock(&a->lock);
    return done;
}

static void begin(struct hmf__agent *a, int parent, uint32_t kind, const struct hmf__op *op,
                  const char *why)
{
    struct hmf__wave *w = &a->wave;
    struct hmf__report mine, failed = {.rank = -1, .lo = UINT64_MAX};
    int n = children(a, w->child);

    w->kind = kind;
    w->epoch = op->epoch;
    w->parent = parent;
    w->waiting = LOCAL | ((1u << n) - 1);
    w->sum = failed;
    w->deadline_ns = hmf__now_ns() + (kind == HMF__WAVE_WORK || kind == HMF__WAVE_JOIN
                                      ? a->start_limit_ns : a->limit_ns);
    for (int i = 0; i < n; i++) {
        hmf_status_t st = send_wave(a, w->child[i], HMF__F_WAVE, kind, op, why);
        if (st) {
            failed.status = st;
            snprintf(failed.text, sizeof failed.text, "%s", hmf_error_text());
            answered(a, 1u << i, &failed);
        }
    }
    if (local_part(a, kind, op, why, &mine))
        answer_local(a, &mine);
}

void hmf__wave_start(struct hmf__agent *a, uint32_t kind, const struct hmf__op *op,
                     const char *why)
{
    begin(a, -1, kind, op, why);
}

static int get_wave(struct hmf__agent *a, struct hmf__buf *in, uint32_t *kind,
                    struct hmf__op *op, char **why)
{
    *kind = hmf__buf_get_u32(in);
    if (hmf__op_get(in, a->nranks, a->nprocs, op))
        return 0;
    *why = hmf__buf_get_string(in, 1024);
    if (*why && *kind >= HMF__WAVE_HOLD && *kind <= HMF__WAVE_ABORT)
        return 1;
    hmf__free(*why);
    hmf__op_clear(op);
    return 0;
}

void hmf__wave_down(struct hmf__agent *a, int from, struct hmf__buf *in)
{
    uint32_t kind;
    struct hmf__op op;
    char *why;

    if (a->rank < 0 || !get_wave(a, in, &kind, &op, &why))
        return;
    begin(a, from, kind, &op, why);
    hmf__free(why);
    hmf__op_clear(&op);
}

void hmf__wave_direct(struct hmf__agent *a, struct hmf__buf *in)
{
    uint32_t kind;
    struct hmf__op op;
    char *why;

    if (!get_wave(a, in, &kind, &op, &why))
        return;
    pthread_mutex_lock(&a->lock);
    if (a->role == HMF__ROLE_INCOMING && op.epoch == a->op.epoch) {
        if (kind == HMF__WAVE_COMMIT) {
            apply_moves(a);
            a->role = HMF__ROLE_ACTIVE;
            hmf__agent_limit(a, UINT64_MAX);
        } else if (kind == HMF__WAVE_ABORT) {
            snprintf(a->verdict, sizeof a->verdict, "%s", why);
            a->role = HMF__ROLE_LEFT;
            a->rank = -1;
        }
        a->order = kind;
        hmf__wave_begun(a, kind);
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
    if (a->move_on && a->role == HMF__ROLE_ACTIVE) {
        struct hmf__ask ask = {.kind = HMF__OP_MOVE, .source = HMF__ASK_SIGNAL, .rank = a->rank};
        a->move_on = false;
        hmf__agent_ask(a, &ask);
    }
    hmf__free(why);
    hmf__op_clear(&op);
}

void hmf__wave_up(struct hmf__agent *a, int from, struct hmf__buf *in)
{
    struct hmf__report r;
    uint32_t kind = hmf__buf_get_u32(in);
    uint64_t epoch = hmf__buf_get_u64(in);

    hmf__report_get(in, &r);
    if (kind != a->wave.kind || epoch != a->wave.epoch)
        return;                           /* late: the wave was given up */
    for (int i = 0; i < HMF__WAVE_DEGREE; i++)
        if ((a->wave.waiting & 1u << i) && a->wave.child[i] == from) {
            answered(a, 1u << i, &r);
            return;
        }
}

void hmf__wave_local(struct hmf__agent *a, struct hmf__buf *in)
{
    struct hmf__report r;
    uint64_t epoch = hmf__buf_get_u64(in);
    uint32_t kind = hmf__buf_get_u32(in);

    hmf__report_get(in, &r);
    if (epoch == a->wave.epoch && kind == a->wave.kind)
        answer_local(a, &r);
}

/* ---- what goes wrong -------------------- */

void hmf__wave_lost(struct hmf__agent *a, int peer, const char *why)
{
    struct hmf__wave *w = &a->wave;

    if (!w->kind)
        return;
    for (int i = 0; i < HMF__WAVE_DEGREE; i++)
        if ((w->waiting & 1u << i) && w->child[i] == peer) {
            struct hmf__report r = {.status = HMF_ERR_PEER, .lo = UINT64_MAX, .rank = -1};
            snprintf(r.text, sizeof r.text, "process %d on %s is gone: %s", peer,
                     hmf__net_node(a->net, peer), why);
            answered(a, 1u << i, &r);
            return;
        }
    if (w->parent == peer) {
        /* Nobody will tell this branch how the operation ends: it was not committed here, so it
         * is off. */
        struct hmf__report r;
        struct hmf__op none = {.epoch = w->epoch};
        char text[300];
        snprintf(text, sizeof text, "process %d on %s, which led the operation, is gone", peer,
                 hmf__net_node(a->net, peer));
        w->kind = 0;
        local_part(a, HMF__WAVE_ABORT, &none, text, &r);
    }
}

void hmf__wave_tick(struct hmf__agent *a, uint64_t now_ns)
{
    struct hmf__wave *w = &a->wave;

    if (!w->kind || now_ns < w->deadline_ns)
        return;
    if (w->waiting & LOCAL) {
        struct hmf__report r = {.lo = UINT64_MAX};
        unsigned long long polls = atomic_load(&a->polls);
        if (w->kind == HMF__WAVE_CUT && polls == 0)
            hmf__fail(HMF_ERR_TIMEOUT, "it has not called auto_poll yet; the limit of %.0f s "
                      "(HMF_TIMEOUT) is over", (double)a->limit_ns * 1e-9);
        else if (w->kind == HMF__WAVE_CUT)
            hmf__fail(HMF_ERR_TIMEOUT, "it has not come to the poll at which all stop (poll %llu, it "
                      "is past %llu) within %.0f s (HMF_TIMEOUT): every rank must call auto_poll "
                      "equally often", (unsigned long long)a->op.cut, polls,
                      (double)a->limit_ns * 1e-9);
        else
            hmf__fail(HMF_ERR_TIMEOUT, "its part of the operation takes longer than %.0f s "
                      "(HMF_STARTUP_TIMEOUT)", (double)a->start_limit_ns * 1e-9);
        hmf__report_fill(a, &r, HMF_ERR_TIMEOUT);
        answer_local(a, &r);
        return;
    }
    if (now_ns < w->deadline_ns + SILENCE_NS)
        return;
    for (int i = 0; i < HMF__WAVE_DEGREE && w->kind; i++)
        if (w->waiting & 1u << i) {
            struct hmf__report r = {.status = HMF_ERR_TIMEOUT, .lo = UINT64_MAX, .rank = -1};
            snprintf(r.text, sizeof r.text, "process %d on %s does not answer", w->child[i],
                     hmf__net_node(a->net, w->child[i]));
            answered(a, 1u << i, &r);
        }
}

/* ---- the end -------------------- */

void hmf__wave_finished(struct hmf__agent *a, int from)
{
    int child[HMF__WAVE_DEGREE], n = children(a, child);

    if (a->rank < 0)
        return;
    if (from == a->proc) {
        struct hmf__report r = {.lo = UINT64_MAX};
        pthread_mutex_lock(&a->lock);
        a->finished = true;
        pthread_mutex_unlock(&a->lock);
        if (a->wave.kind && (a->wave.waiting & LOCAL)) {
            hmf__fail(HMF_ERR_STATE, "its program has come to its end");
            hmf__report_fill(a, &r, HMF_ERR_STATE);
            answer_local(a, &r);
        }
    } else {
        for (int i = 0; i < n; i++)
            if (child[i] == from)
                a->finished_below |= 1u << i;
    }
    if (!a->finished || a->finished_sent || a->finished_below != (1u << n) - 1)
        return;
    if (a->rank == 0 && !a->coord)
        return;                           /* the office is still on its way; take_over asks again */
    a->finished_sent = true;
    if (a->rank == 0)
        hmf__coord_end(a->coord);
    else
        hmf__net_send(a->net, a->proc_of[(a->rank - 1) / HMF__WAVE_DEGREE], HMF__F_FINISHED, NULL,
                      0);
}

void hmf__wave_end(struct hmf__agent *a, bool some_lost)
{
    int child[HMF__WAVE_DEGREE], n = children(a, child);
    uint8_t flag = some_lost;

    for (int i = 0; i < n; i++)
        hmf__net_send(a->net, child[i], HMF__F_END, &flag, 1);
    pthread_mutex_lock(&a->lock);
    a->ending = true;
    a->some_lost = some_lost;
    a->ended_ns = hmf__now_ns();
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}
