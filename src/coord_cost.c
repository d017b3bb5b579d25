/* coord_cost.c - what a move will cost, and what it did cost: for the log, the events, and the next one. */
#include "config.h"

#include "coord_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "decide.h"
#include "monitor.h"
#include "pulse.h"

/* ---- life -------------------- */

/* A job that nobody wants to decide about leaves nothing behind in the user's folders. */
static bool wanted(void)
{
    const char *calibrate, *file;

    hmf__param_string("HMF_CALIBRATE", NULL, &calibrate);
    hmf__param_string("HMF_COSTS", NULL, &file);
    return hmf__monitor_wanted() || file || (calibrate && strcmp(calibrate, "0"));
}

static void load(struct hmf__coord *c)
{
    char path[4096];
    hmf_status_t st;

    hmf__costs_path(path, sizeof path);
    if (!path[0] || !(c->keeps_costs = wanted()))
        return;
    st = hmf__costs_load(c->costs, path, hmf__coord_wall_s());
    if (st && st != HMF_ERR_NOTFOUND)
        hmf__log(HMF__LOG_WARN, "what moves cost is not known from earlier jobs: %s; it is measured anew",
                 hmf_error_text());
}

hmf_status_t hmf__coord_new_costs(struct hmf__coord *c)
{
    c->costs = hmf__costs_new();
    c->kind = hmf__calloc((size_t)c->a->nprocs, sizeof *c->kind);
    if (!c->costs || !c->kind)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for what moves cost");
    load(c);
    return HMF_OK;
}

void hmf__coord_free_costs(struct hmf__coord *c)
{
    hmf__costs_free(c->costs);
    hmf__free(c->kind);
}

void hmf__coord_save_costs(struct hmf__coord *c, double at_least_s)
{
    char path[4096];

    hmf__costs_path(path, sizeof path);
    if (!c->keeps_costs || !path[0] || hmf__coord_wall_s() - c->saved_s < at_least_s)
        return;
    c->saved_s = hmf__coord_wall_s();
    if (hmf__costs_save(c->costs, path, c->saved_s))
        hmf__log(HMF__LOG_INFO, "what moves cost is not kept for later jobs: %s", hmf_error_text());
}

/* ---- from the start, from and for other coordinators -------------------- */

static void tell_decide(struct hmf__coord *c)
{
    for (int p = 0; c->decide && p < c->a->nprocs; p++)
        snprintf(c->decide->host[c->decide->host_of[p]].kind, sizeof c->decide->host[0].kind, "%s", c->kind[p]);
}

void hmf__coord_put_costs(struct hmf__coord *c, struct hmf__buf *out)
{
    struct hmf__buf text = HMF__BUF_INIT;

    for (int p = 0; p < c->a->nprocs; p++)
        hmf__buf_put_string(out, c->kind[p]);
    hmf__costs_put(c->costs, &text);
    hmf__buf_put_u64(out, text.status ? 0 : text.len);
    if (!text.status)
        hmf__buf_put_bytes(out, text.data, text.len);
    hmf__buf_fini(&text);
}

void hmf__coord_get_costs(struct hmf__coord *c, struct hmf__buf *in)
{
    const void *text;
    uint64_t len;

    for (int p = 0; p < c->a->nprocs; p++) {
        char *kind = hmf__buf_get_string(in, HMF__COORD_KIND - 1);
        snprintf(c->kind[p], sizeof c->kind[p], "%s", kind ? kind : "");
        hmf__free(kind);
    }
    len = hmf__buf_get_u64(in);
    text = hmf__buf_get_bytes(in, (size_t)len);
    if (in->status || (text && hmf__costs_take(c->costs, text, (size_t)len)))
        hmf__log(HMF__LOG_WARN, "what is known of the cost of moves got lost: %s", hmf_error_text());
    tell_decide(c);
}

void hmf__coord_costs(struct hmf__coord *c, struct hmf__buf *in)
{
    hmf__coord_get_costs(c, in);
    hmf__coord_save_costs(c, 0);
}

/* ---- a move -------------------- */

/* As far as a glance tells; of a rank that has not been heard yet: as large as rank 0's, which is here. */
static double glance(struct hmf__coord *c, int rank)
{
    const struct hmf__beat *b = hmf__pulse_of(c->a, rank);

    return c->a->proc_of[rank] != c->a->proc && b && b->state_bytes
               ? (double)b->state_bytes : (double)hmf__agent_state_bytes(c->a);
}

struct hmf__costs_move hmf__coord_costs_move(struct hmf__coord *c, int rank, int to)
{
    const struct hmf__beat *b = hmf__pulse_of(c->a, rank);
    int from = c->a->proc_of[rank];

    return (struct hmf__costs_move){
        .program = c->a->program, .nranks = c->a->nranks,
        .from = hmf__coord_node(c, from), .to = hmf__coord_node(c, to),
        .from_kind = c->kind[from], .to_kind = c->kind[to],
        .from_data = c->a->addrs[from].data, .to_data = c->a->addrs[to].data,
        .bytes = hmf__costs_bytes(c->costs, c->a->program, glance(c, rank)),
        .step_us = b ? b->step_s * 1e6 : 0, .start_us = b ? (double)b->start_us : 0,
    };
}

void hmf__coord_predict(struct hmf__coord *c, struct cand *m)
{
    struct hmf__costs_move move = hmf__coord_costs_move(c, m->ask.rank, m->to);

    m->glance_bytes = glance(c, m->ask.rank);
    m->expected_bytes = move.bytes;
    hmf__costs_predict(c->costs, &move, &m->predicted);
    for (int p = 0; p < HMF__PHASES; p++)
        m->measured.us[p] = NAN;
}

/* A newcomer tells how long its parts took. */
void hmf__coord_carried(struct hmf__coord *c, int from, struct hmf__buf *in)
{
    static const enum hmf__phase part[] = {HMF__PHASE_CREATE, HMF__PHASE_CAPTURE, HMF__PHASE_TRANSFER,
                                           HMF__PHASE_TRANSLATE};
    uint64_t epoch = hmf__buf_get_u64(in);
    struct cand *m = hmf__coord_cand_to(c, from);

    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        uint64_t ns = hmf__buf_get_u64(in);
        if (m && epoch == c->op.epoch && !in->status)
            m->measured.us[part[i]] = (double)ns * 1e-3;
    }
}

void hmf__coord_learn(struct hmf__coord *c, struct cand *m, int from)
{
    struct hmf__costs_move move = hmf__coord_costs_move(c, m->ask.rank, m->to);
    uint64_t now = hmf__now_ns();
    double total_us = (double)(now - c->begun_ns) * 1e-3, own_us = 0;
    struct hmf__phases lesson;

    move.from = hmf__coord_node(c, from);
    move.from_kind = c->kind[from];
    move.from_data = c->a->addrs[from].data;
    move.bytes = (double)m->bytes;
    m->measured.us[HMF__PHASE_NEGOTIATE] = (double)(c->entered_ns[HOLD] - c->begun_ns) * 1e-3;
    m->measured.us[HMF__PHASE_STOP] = hmf__coord_ms(c, HOLD, WORK) * 1e3;
    m->measured.us[HMF__PHASE_DRAIN] = hmf__coord_ms(c, WORK, JOIN) * 1e3;
    m->measured.us[HMF__PHASE_COMMIT] = (double)(now - c->entered_ns[COMMIT]) * 1e-3;
    for (enum hmf__phase p = HMF__PHASE_CREATE; p <= HMF__PHASE_TRANSLATE; p++)
        own_us += isfinite(m->measured.us[p]) ? m->measured.us[p] : 0;
    /* The newcomer goes on while others still join. */
    m->measured.us[HMF__PHASE_JOIN] = fmax(0, hmf__coord_ms(c, JOIN, COMMIT) * 1e3 - own_us);
    lesson = m->measured;
    /* Several that share links tell nothing of one. */
    if (c->op.nmoves > 1)
        lesson.us[HMF__PHASE_TRANSFER] = lesson.us[HMF__PHASE_CREATE] = lesson.us[HMF__PHASE_JOIN] = NAN;
    hmf__costs_learn(c->costs, &move, &lesson, hmf__coord_wall_s());
    /* Some padding is no matter. */
    if (fabs(m->glance_bytes - move.bytes) > 4096 + 0.02 * move.bytes)
        hmf__costs_learn_bytes(c->costs, c->a->program, m->glance_bytes, move.bytes, hmf__coord_wall_s());
    hmf__log(HMF__LOG_INFO, "rank %d: the move was predicted to take %.1f ms, it took %.1f ms", m->ask.rank,
             hmf__phases_total(&m->predicted) * 1e-3, total_us * 1e-3);
}
