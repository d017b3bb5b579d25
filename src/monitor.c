/* monitor.c - samples of this process and its host, and their way to the coordinator (see
 * monitor.h). */
#include "config.h"

#include "monitor.h"

#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "coord.h"
#include "monitor_command.h"

#define COMMAND_S 30            /* between two runs of a command */
#define MOST_BELOW (1u << 20)   /* bytes of samples that wait here to be passed on */

struct hmf__monitor {
    uint64_t interval_ns, next_ns;
    struct hmf__watch watch;
    struct hmf__thread thread;
    int rank;                           /* as it was at the last sample */
    uint64_t last_ns;
    struct hmf__mark mark;              /* the last poll that was told */
    uint64_t mark_ns, mark_ticks;       /* some moment by both clocks */
    double cpu_s, delay_s, throttled_s;
    struct hmf__host host;
    struct hmf__command health, nodes;
    struct hmf__buf out;                /* samples to be passed on */
};

int hmf__monitor_wanted(void)
{
    const char *policy;

    hmf__param_string("HMF_POLICY", "none", &policy);
    return strcmp(policy, "none") != 0;  /* "manual" measures and decides nothing */
}

hmf_status_t hmf__monitor_new(struct hmf__monitor **out)
{
    struct hmf__monitor *m = hmf__calloc(1, sizeof *m);
    double interval_s = 1, command_s = COMMAND_S;
    const char *slurm;

    *out = NULL;
    if (!m)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the monitors");
    if (hmf__param_double("HMF_MONITOR_INTERVAL", 0.01, 3600, 1, &interval_s))
        hmf__log(HMF__LOG_ERROR, "%s: taking 1 s", hmf_error_text());
    m->interval_ns = (uint64_t)(interval_s * 1e9);
    m->next_ns = hmf__now_ns() + m->interval_ns;
    m->rank = -1;
    hmf__host_open(&m->host);
    if (hmf__param_double("HMF_COMMAND_INTERVAL", 0.1, 86400, COMMAND_S, &command_s))
        hmf__log(HMF__LOG_ERROR, "%s: taking %d s", hmf_error_text(), COMMAND_S);
    hmf__command_init(&m->health, "HMF_HEALTH", "", command_s);
    hmf__param_string("SLURM_JOB_ID", NULL, &slurm);
    hmf__command_init(&m->nodes, "HMF_NODE_STATE", slurm ? "scontrol -o show node" : "", command_s);
    hmf__thread_open(&m->thread);
    *out = m;
    return HMF_OK;
}

void hmf__monitor_free(struct hmf__monitor *m)
{
    if (!m)
        return;
    hmf__command_fini(&m->nodes);
    hmf__command_fini(&m->health);
    hmf__thread_close(&m->thread);
    hmf__buf_fini(&m->out);
    hmf__free(m);
}

void hmf__monitor_watch(struct hmf__monitor *m)
{
    hmf__watched = m ? &m->watch : NULL;
}

double hmf__monitor_interval(const struct hmf__monitor *m)
{
    return (double)m->interval_ns * 1e-9;
}

int hmf__monitor_timer(const struct hmf__monitor *m, uint64_t now_ns)
{
    if (!m)
        return -1;
    return now_ns >= m->next_ns ? 0 : (int)((m->next_ns - now_ns) / 1000000) + 1;
}

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool bound(void)
{
    cpu_set_t set;

    return !sched_getaffinity(0, sizeof set, &set) &&
           2 * CPU_COUNT(&set) <= sysconf(_SC_NPROCESSORS_ONLN);
}

/* Whole iterations since the last sample that had some. */
static void progress(struct hmf__monitor *m, uint64_t now_ns, struct hmf__sample *s)
{
    struct hmf__mark at;
    uint64_t ticks = hmf__ticks();
    /* The unit of the ticks, from the time since the monitor began. */
    double unit = m->mark_ns && ticks > m->mark_ticks
                      ? (double)(now_ns - m->mark_ns) * 1e-9 / (double)(ticks - m->mark_ticks) : 0;

    if (!m->mark_ns) {
        m->mark_ns = now_ns;
        m->mark_ticks = ticks;
    }
    if (!hmf__watch_read(&m->watch, &at))
        return;
    if (m->mark.polls && at.polls > m->mark.polls && at.ticks > m->mark.ticks && unit > 0) {
        s->polls = at.polls - m->mark.polls;
        s->span_s = (double)(at.ticks - m->mark.ticks) * unit;
        s->wait_s = (double)(at.waited - m->mark.waited) * unit;
        s->wait_s = fmin(fmax(s->wait_s, 0), s->span_s);
    }
    m->mark = at;
}

static void take_sample(struct hmf__agent *a, uint64_t now_ns, struct hmf__sample *s)
{
    struct hmf__monitor *m = a->monitor;
    double cpu, delay, throttled = hmf__host_throttled(&m->host);
    double span = (double)(now_ns - m->last_ns) * 1e-9;

    *s = (struct hmf__sample){.proc = a->proc, .rank = a->rank, .bound = bound(),
                              .memory = (double)hmf__agent_state_bytes(a), .part_throttled = NAN};
    hmf__thread_read(&m->thread, &cpu, &delay);
    if (m->rank != a->rank) {              /* a rank has come or gone: it begins anew */
        m->rank = a->rank;
        memset(&m->mark, 0, sizeof m->mark);
    } else if (m->last_ns && span > 0) {
        progress(m, now_ns, s);
        s->part_cpu = fmin(1, (cpu - m->cpu_s) / span);
        s->part_delay = (delay - m->delay_s) / span;
        s->part_throttled = fmin(1, fmax(0, throttled - m->throttled_s) / span);
    }
    m->last_ns = now_ns;
    m->cpu_s = cpu;
    m->delay_s = delay;
    m->throttled_s = throttled;
}

/* The lowest process of a host that lives looks at it. */
static bool elected(const struct hmf__agent *a)
{
    for (int p = 0; p < a->proc; p++)
        if (hmf__net_same_host(a->net, p, a->proc) && !hmf__net_is_lost(a->net, p))
            return false;
    return true;
}

/* Where samples go from here; -1: nowhere. */
static int upward(const struct hmf__agent *a)
{
    int to = a->rank > 0 ? a->proc_of[(a->rank - 1) / HMF__WAVE_DEGREE] : a->coordinator;

    return to == a->proc ? -1 : to;
}

void hmf__monitor_tick(struct hmf__agent *a, uint64_t now_ns)
{
    struct hmf__monitor *m = a->monitor;
    struct hmf__sample s;
    char said[sizeof m->nodes.said];
    int status, to;

    if (!m || now_ns < m->next_ns || a->ending)
        return;
    take_sample(a, now_ns, &s);
    s.late_s = (double)(now_ns - m->next_ns) * 1e-9;
    m->next_ns = now_ns + m->interval_ns;
    s.has_host = elected(a);
    if (s.has_host) {
        if (hmf__command_run(&m->health, now_ns, &status, said, sizeof said))
            hmf__host_health(&m->host, status, said, wall_s());
        if (hmf__command_run(&m->nodes, now_ns, &status, said, sizeof said))
            hmf__host_batch(&m->host, status, said);
        hmf__host_read(&m->host, wall_s(), &s.host);
    }
    hmf__sample_put(&m->out, &s);
    if (!m->out.status) {
        struct hmf__buf in;
        hmf__buf_borrow(&in, m->out.data, m->out.len);
        if (a->coord)
            hmf__coord_samples(a->coord, &in);
        else if ((to = upward(a)) >= 0)
            hmf__net_send(a->net, to, HMF__F_SAMPLES, m->out.data, m->out.len);
    }
    hmf__buf_clear(&m->out);
    m->out.status = HMF_OK;
}

void hmf__monitor_pass(struct hmf__agent *a, struct hmf__buf *in)
{
    struct hmf__monitor *m = a->monitor;
    size_t len = hmf__buf_left(in);
    const void *data = hmf__buf_get_bytes(in, len);

    if (!m || !data || a->ending)
        return;
    if (a->coord) {
        struct hmf__buf all;
        hmf__buf_borrow(&all, data, len);
        hmf__coord_samples(a->coord, &all);
    } else if (a->rank < 0) {              /* it went where the coordinator was */
        int to = upward(a);
        if (to >= 0)
            hmf__net_send(a->net, to, HMF__F_SAMPLES, data, len);
    } else if (m->out.len + len <= MOST_BELOW) {
        hmf__buf_put_bytes(&m->out, data, len);
    }
}

void hmf__sample_put(struct hmf__buf *out, const struct hmf__sample *s)
{
    hmf__buf_put_i32(out, s->proc);
    hmf__buf_put_i32(out, s->rank);
    hmf__buf_put_u64(out, s->polls);
    hmf__put_double(out, s->span_s);
    hmf__put_double(out, s->wait_s);
    hmf__put_double(out, s->part_cpu);
    hmf__put_double(out, s->part_delay);
    hmf__put_double(out, s->part_throttled);
    hmf__put_double(out, s->late_s);
    hmf__put_double(out, s->memory);
    hmf__buf_put_u8(out, s->bound);
    hmf__buf_put_u8(out, s->has_host);
    if (s->has_host)
        hmf__host_put(out, &s->host);
}

hmf_status_t hmf__sample_get(struct hmf__buf *in, int nprocs, int nranks, struct hmf__sample *s)
{
    memset(s, 0, sizeof *s);
    s->proc = hmf__buf_get_i32(in);
    s->rank = hmf__buf_get_i32(in);
    s->polls = hmf__buf_get_u64(in);
    s->span_s = hmf__get_double(in);
    s->wait_s = hmf__get_double(in);
    s->part_cpu = hmf__get_double(in);
    s->part_delay = hmf__get_double(in);
    s->part_throttled = hmf__get_double(in);
    s->late_s = hmf__get_double(in);
    s->memory = hmf__get_double(in);
    s->bound = hmf__buf_get_u8(in) != 0;
    s->has_host = hmf__buf_get_u8(in) != 0;
    if (s->has_host)
        hmf__host_get(in, &s->host);
    if (in->status || s->proc < 0 || s->proc >= nprocs || s->rank < -1 || s->rank >= nranks ||
        !(s->span_s >= s->wait_s && s->wait_s >= 0) || !isfinite(s->span_s))
        return hmf__fail(HMF_ERR_FORMAT, "a sample of progress between agents is damaged");
    return HMF_OK;
}
