/* coord_report.c - what the control socket, the log and the events say of the job. */
#include "config.h"

#include "coord_priv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "control.h"
#include "decide.h"
#include "events.h"
#include "pulse.h"

const char *const hmf__coord_phase_name[] = {"idle", "negotiating", "stopping", "stopping", "working",
                                             "joining", "restoring", "committing", "undoing"};

void hmf__coord_answer(struct hmf__coord *c, const struct hmf__ask *ask, int ok, const char *fmt, ...)
{
    char text[700];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    hmf__log(ok ? HMF__LOG_INFO : HMF__LOG_WARN, "%s", text);
    if (ask->token)
        hmf__control_answer(c->a->control, ask->token, ok, text);
}

static const char *asked_by(const struct hmf__ask *ask)
{
    static const char *const source[] = {"signal", "program", "operator", "schedule", "policy"};

    return ask->source < sizeof source / sizeof *source ? source[ask->source] : "other";
}

double hmf__coord_ms(const struct hmf__coord *c, enum phase from, enum phase to)
{
    return (double)(c->entered_ns[to] - c->entered_ns[from]) * 1e-6;
}

static void checkpoint_event(struct hmf__coord *c, int ok, const char *text)
{
    struct hmf__events *e = c->a->events;
    uint64_t held = hmf__now_ns() - c->begun_ns;

    *(ok ? &c->totals.checkpoints : &c->totals.failed_checkpoints) += 1;
    c->totals.holding_ns += ok ? held : 0;
    hmf__events_begin(e, ok ? "checkpoint" : "no-checkpoint");
    hmf__events_int(e, "epoch", (int64_t)c->op.epoch);
    hmf__events_text(e, "asked_by", c->unasked ? "schedule" : "operator");
    hmf__events_int(e, "stop", c->op.stop != 0);
    hmf__events_real(e, "total_ms", (double)held * 1e-6);
    if (!ok)
        hmf__events_text(e, "reason", text);
    hmf__events_end(e);
}

void hmf__coord_answer_checkpoint(struct hmf__coord *c, int ok, const char *text)
{
    struct hmf__ask ask = {.kind = HMF__OP_CHECKPOINT};

    checkpoint_event(c, ok, text);
    hmf__coord_answer(c, &ask, ok, "%s", text);
    for (int i = 0; i < c->ntokens; i++)
        hmf__control_answer(c->a->control, c->token[i], ok, text);
    c->ntokens = 0;
}

/* Only rank 0 tells of it, whose agent is the coordinator. */
void hmf__coord_flushed(struct hmf__agent *a, struct hmf__buf *in)
{
    uint64_t generation = hmf__buf_get_u64(in);
    uint32_t status = hmf__buf_get_u32(in);
    double ms = (double)hmf__buf_get_u64(in) * 1e-3;
    char *text = hmf__buf_get_string(in, 1024);

    hmf__events_begin(a->events, status ? "no-flush" : "flush");
    hmf__events_int(a->events, "generation", (int64_t)generation);
    if (status)
        hmf__events_text(a->events, "reason", text ? text : "");
    else
        hmf__events_real(a->events, "total_ms", ms);
    hmf__events_end(a->events);
    hmf__free(text);
}

/* A rank that was asked to move stays. */
void hmf__coord_stay_event(struct hmf__coord *c, const struct cand *m, const char *phase,
                           const char *why)
{
    struct hmf__events *e = c->a->events;

    c->totals.stays++;
    hmf__events_begin(e, "stay");
    hmf__events_int(e, "epoch", (int64_t)c->op.epoch);
    hmf__events_int(e, "rank", m->ask.rank);
    hmf__events_text(e, "node", hmf__coord_node(c, c->a->proc_of[m->ask.rank]));
    if (m->to >= 0) {
        hmf__events_text(e, "to", hmf__coord_node(c, m->to));
        }
    hmf__events_text(e, "asked_by", asked_by(&m->ask));
    hmf__events_text(e, "phase", phase);
    hmf__events_text(e, "reason", why);
    hmf__events_real(e, "total_ms", (double)(hmf__now_ns() - c->begun_ns) * 1e-6);
    hmf__events_end(e);
}

/* Predicted and measured, phase by phase. */
static void costs_event(struct hmf__events *e, const struct cand *m)
{
    char key[40];

    hmf__events_int(e, "predicted_bytes", (int64_t)m->expected_bytes);
    hmf__events_real(e, "predicted_us", hmf__phases_total(&m->predicted));
    for (int p = 0; p < HMF__PHASES; p++) {
        snprintf(key, sizeof key, "predicted_%s_us", hmf__phase_name[p]);
        hmf__events_real(e, key, m->predicted.us[p]);
    }
    for (int p = 0; p < HMF__PHASES; p++) {
        snprintf(key, sizeof key, "%s_us", hmf__phase_name[p]);
        hmf__events_real(e, key, m->measured.us[p]);
    }
}

void hmf__coord_move_event(struct hmf__coord *c, const struct cand *m, int from)
{
    struct hmf__events *e = c->a->events;
    uint64_t now = hmf__now_ns();

    c->totals.moves++;
    c->totals.bytes += m->bytes;
    c->totals.moving_ns += now - c->begun_ns;
    hmf__events_begin(e, "move");
    hmf__events_int(e, "epoch", (int64_t)c->op.epoch);
    hmf__events_int(e, "rank", m->ask.rank);
    hmf__events_text(e, "from", hmf__coord_node(c, from));
    hmf__events_text(e, "to", hmf__coord_node(c, m->to));
    hmf__events_int(e, "from_process", from);
    hmf__events_int(e, "to_process", m->to);
    hmf__events_text(e, "asked_by", asked_by(&m->ask));
    hmf__events_int(e, "poll", (int64_t)c->op.cut);
    hmf__events_int(e, "bytes", (int64_t)m->bytes);
    hmf__events_real(e, "total_ms", (double)(now - c->begun_ns) * 1e-6);
    hmf__events_real(e, "negotiate_ms", (double)(c->entered_ns[HOLD] - c->begun_ns) * 1e-6);
    hmf__events_real(e, "stop_ms", hmf__coord_ms(c, HOLD, WORK));
    hmf__events_real(e, "drain_ms", hmf__coord_ms(c, WORK, JOIN));
    hmf__events_real(e, "join_ms", hmf__coord_ms(c, JOIN, RESTORE));
    hmf__events_real(e, "restore_ms", hmf__coord_ms(c, RESTORE, COMMIT));
    hmf__events_real(e, "commit_ms", (double)(now - c->entered_ns[COMMIT]) * 1e-6);
    costs_event(e, m);
    hmf__events_end(e);
}

void hmf__coord_end_event(struct hmf__coord *c)
{
    struct hmf__events *e = c->a->events;

    hmf__events_begin(e, "end");
    hmf__events_text(e, "how",
                     c->totals.checkpoints && c->schedule.end_asked_ns ? "time limit" : "finished");
    hmf__events_real(e, "seconds", hmf__coord_wall_s() - c->began_s);
    hmf__events_int(e, "moves", (int64_t)c->totals.moves);
    hmf__events_int(e, "stays", (int64_t)c->totals.stays);
    hmf__events_int(e, "checkpoints", (int64_t)c->totals.checkpoints);
    hmf__events_int(e, "bytes", (int64_t)c->totals.bytes);
    hmf__events_end(e);
}

void hmf__coord_started(struct hmf__coord *c)
{
    struct hmf__agent *a = c->a;
    const char **node = hmf__calloc((size_t)a->nprocs, sizeof *node);
    int n = 0;

    if (!node)
        return;
    hmf__events_begin(a->events, "start");
    hmf__events_int(a->events, "ranks", a->nranks);
    hmf__events_int(a->events, "processes", a->nprocs);
    for (int r = 0; r < a->nranks; r++)
        node[r] = hmf__coord_node(c, a->proc_of[r]);
    hmf__events_texts(a->events, "nodes", node, a->nranks);
    for (int p = 0; p < a->nprocs; p++)
        if (c->spare[p] != NOT_SPARE)
            node[n++] = hmf__coord_node(c, p);
    hmf__events_texts(a->events, "spares", node, n);
    hmf__events_end(a->events);
    hmf__free(node);
}

void hmf__coord_status(struct hmf__coord *c, struct hmf__buf *out)
{
    static const char *const spare[] = {"", "free", "promised", "left", "gone"};
    static const char *const pulse[] = {"running", "silent", "lost"};
    const struct totals *t = &c->totals;
    char line[400];
    int n;

    n = snprintf(line, sizeof line, "job %s ranks %d processes %d %s\n", c->a->program, c->a->nranks,
                 c->a->nprocs, hmf__coord_phase_name[c->phase]);
    hmf__buf_put_bytes(out, line, (size_t)n);
    for (int r = 0; r < c->a->nranks; r++) {
        int p = c->a->proc_of[r];
        const struct hmf__beat *b = hmf__pulse_of(c->a, r);
        bool moves = false;
        for (uint32_t k = 0; c->phase != IDLE && k < c->op.nmoves; k++)
            moves |= c->op.moves[k].rank == r;
        n = snprintf(line, sizeof line, "rank %d node %s process %d pid %d state %s", r,
                     hmf__coord_node(c, p), p, (int)c->a->addrs[p].pid,
                     moves ? "moving" : pulse[hmf__pulse_state(c->a, p)]);
        hmf__buf_put_bytes(out, line, (size_t)n);
        if (c->decide) {
            n = snprintf(line, sizeof line, " weight %.3g", c->decide->rank[r].weight);
            hmf__buf_put_bytes(out, line, (size_t)n);
        }
        if (b) {
            n = snprintf(line, sizeof line, " polls %llu step_ms %.4f memory_kib %llu age_s %.1f",
                         (unsigned long long)b->polls, b->step_s * 1e3,
                         (unsigned long long)b->rss_kib,
                         (double)(hmf__now_ns() - b->heard_ns) * 1e-9);
            hmf__buf_put_bytes(out, line, (size_t)n);
        }
        hmf__buf_put_bytes(out, "\n", 1);
    }
    for (int p = 0; p < c->a->nprocs; p++)
        if (c->spare[p] != NOT_SPARE) {
            n = snprintf(line, sizeof line, "spare node %s process %d pid %d %s%s\n",
                         hmf__coord_node(c, p), p, (int)c->a->addrs[p].pid, spare[c->spare[p]],
                         c->drained[p] ? " drained" : "");
            hmf__buf_put_bytes(out, line, (size_t)n);
        }
    n = snprintf(line, sizeof line,
                 "totals moves %llu stays %llu checkpoints %llu failed_checkpoints %llu bytes %llu "
                 "moving_s %.6f holding_s %.6f running_s %.3f\n",
                 (unsigned long long)t->moves, (unsigned long long)t->stays,
                 (unsigned long long)t->checkpoints, (unsigned long long)t->failed_checkpoints,
                 (unsigned long long)t->bytes, (double)t->moving_ns * 1e-9,
                 (double)t->holding_ns * 1e-9, hmf__coord_wall_s() - c->began_s);
    hmf__buf_put_bytes(out, line, (size_t)n);
}
