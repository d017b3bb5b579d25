/* agent.c - the sleeping thread of every process (see agent.h): its loop, and who gets which
 * frame. */
#include "config.h"

#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <linux/membarrier.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "control.h"
#include "coord.h"
#include "decider.h"
#include "events.h"
#include "monitor.h"
#include "pulse.h"
#include "wave.h"

#define FLUSH_NS (5ull * 1000000000)
#define TICK_MS 100
#define EARLY_MOST 65536            /* bytes of wishes */

/* ---- frames -------------------- */

/* A spare is asked whether it would take a rank. */
static void on_reserve(struct hmf__agent *a, int from, struct hmf__buf *in)
{
    struct hmf__buf out = HMF__BUF_INIT;
    uint64_t epoch = hmf__buf_get_u64(in);
    int32_t rank = hmf__buf_get_i32(in);
    const char *refusal = "";

    pthread_mutex_lock(&a->lock);
    if (a->role != HMF__ROLE_SPARE)
        refusal = "it is not a spare any more";
    else if (a->reserved && a->reserved != epoch)
        refusal = "it is promised to another operation";
    else
        a->reserved = epoch;
    pthread_mutex_unlock(&a->lock);
    hmf__buf_put_u64(&out, epoch);
    hmf__buf_put_i32(&out, rank);
    hmf__buf_put_string(&out, refusal);
    if (!out.status)
        hmf__net_send(a->net, from, HMF__F_OFFER, out.data, out.len);
    hmf__buf_fini(&out);
}

static void on_take(struct hmf__agent *a, int from, struct hmf__buf *in)
{
    struct hmf__op op;
    const struct hmf__move *m;

    if (hmf__op_get(in, a->nranks, a->nprocs, &op))
        return;
    m = hmf__op_enters(&op, a->proc);
    pthread_mutex_lock(&a->lock);
    if (!m || a->role != HMF__ROLE_SPARE || a->reserved != op.epoch) {
        pthread_mutex_unlock(&a->lock);
        hmf__op_clear(&op);
        return;
    }
    for (int i = 0; i < a->nranks; i++) {
        int32_t p = hmf__buf_get_i32(in);
        if (p >= 0 && p < a->nprocs)
            a->proc_of[i] = p;
    }
    hmf__op_clear(&a->op);
    a->op = op;
    a->role = HMF__ROLE_INCOMING;
    a->rank = m->rank;
    a->order = HMF__WAVE_WORK;
    hmf__agent_limit(a, 0);               /* its first poll confirms the move */
    a->coordinator = a->leader = from;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

static void on_release(struct hmf__agent *a, struct hmf__buf *in)
{
    uint64_t epoch = hmf__buf_get_u64(in);

    pthread_mutex_lock(&a->lock);
    if (a->reserved == epoch && a->role == HMF__ROLE_SPARE)
        a->reserved = 0;
    pthread_mutex_unlock(&a->lock);
}

static void on_retire(struct hmf__agent *a)
{
    pthread_mutex_lock(&a->lock);
    if (a->recovers && a->role == HMF__ROLE_SPARE && !a->reserved) {
        a->role = HMF__ROLE_LEFT;
        a->retired = true;
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
}

static void hear_early(struct hmf__agent *a)
{
    struct hmf__buf in;

    hmf__buf_borrow(&in, a->early.data, a->early.len);
    while (a->coord && hmf__buf_left(&in) > 0 && !in.status)
        hmf__coord_ask(a->coord, &in);
    hmf__buf_fini(&a->early);
    hmf__buf_init(&a->early);
}

static void frame(void *ctx, int from, unsigned kind, const void *data, size_t len)
{
    struct hmf__agent *a = ctx;
    struct hmf__buf in;

    hmf__buf_borrow(&in, data, len);
    if (kind >= HMF__F_L_DONE && from != a->proc)
        return;
    switch (kind) {
    case HMF__F_ASK:
    case HMF__F_L_ASK:
        /* Whoever is not, or no longer, the coordinator knows who is. */
        if (a->coord)
            hmf__coord_ask(a->coord, &in);
        else if (a->coordinator != a->proc)
            hmf__net_send(a->net, a->coordinator, HMF__F_ASK, data, len);
        else if (a->early.len + len <= EARLY_MOST)
            hmf__buf_put_bytes(&a->early, data, len);   /* the office is on its way */
        break;
    case HMF__F_RESERVE: on_reserve(a, from, &in); break;
    case HMF__F_RELEASE: on_release(a, &in); break;
    case HMF__F_TAKE: on_take(a, from, &in); break;
    case HMF__F_WAVE: hmf__wave_down(a, from, &in); break;
    case HMF__F_UP: hmf__wave_up(a, from, &in); break;
    case HMF__F_DIRECT: hmf__wave_direct(a, &in); break;
    case HMF__F_L_DONE: hmf__wave_local(a, &in); break;
    case HMF__F_L_FINISHED: hmf__wave_finished(a, a->proc); break;
    case HMF__F_L_FLUSHED: hmf__coord_flushed(a, &in); break;
    case HMF__F_FINISHED: hmf__wave_finished(a, from); break;
    case HMF__F_END: hmf__wave_end(a, hmf__buf_get_u8(&in)); break;
    case HMF__F_L_NEWCOMER: hmf__net_send(a->net, a->leader, HMF__F_NEWCOMER, data, len); break;
    case HMF__F_SAMPLES: hmf__monitor_pass(a, &in); break;
    case HMF__F_L_CARRIED: hmf__net_send(a->net, a->leader, HMF__F_CARRIED, data, len); break;
    case HMF__F_CARRIED:
        if (a->coord)
            hmf__coord_carried(a->coord, from, &in);
        break;
    case HMF__F_L_STATE: hmf__pulse_soon(a); break;
    case HMF__F_L_COSTS:
        if (a->coord)
            hmf__coord_costs(a->coord, &in);
        break;
    case HMF__F_OFFER:
        if (a->coord)
            hmf__coord_offer(a->coord, from, &in);
        break;
    case HMF__F_NEWCOMER:
        if (a->coord)
            hmf__coord_newcomer(a->coord, from, &in);
        break;
    case HMF__F_PULSE: hmf__pulse_beat(a, from, &in); break;
    case HMF__F_PULSE_BACK: hmf__pulse_back(a, from); break;
    case HMF__F_NEWS: hmf__pulse_told(a, &in); break;
    case HMF__F_RETIRE: on_retire(a); break;
    case HMF__F_VIEW: hmf__decider_view(a, &in); break;
    case HMF__F_VIEW_WANTED:
        if (a->coord && a->decider)
            hmf__decider_news(a);
        break;
    case HMF__F_HANDOVER:
        if (!a->coord && !hmf__coord_take_over(a, &in)) {
            hmf__control_start(a);
            hear_early(a);
        }
        break;
    default:
        break;                            /* a later version's frame */
    }
}

static void lost(void *ctx, int peer, const char *why)
{
    struct hmf__agent *a = ctx;

    if (a->ending)
        return;
    hmf__log(HMF__LOG_INFO, "process %d on %s is gone: %s", peer, a->addrs[peer].node, why);
    hmf__wave_lost(a, peer, why);
    hmf__pulse_lost(a, peer, why);
    if (a->coord)
        hmf__coord_lost(a->coord, peer, why);
    pthread_mutex_lock(&a->lock);
    if (a->role == HMF__ROLE_INCOMING && peer == a->leader &&
        a->order != HMF__WAVE_COMMIT) {
        snprintf(a->verdict, sizeof a->verdict, "process %d on %s, which led the move, is gone", peer,
                 a->addrs[peer].node);
        a->order = HMF__WAVE_ABORT;
        a->role = HMF__ROLE_LEFT;
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
}

/* ---- the loop -------------------- */

static void take_signals(struct hmf__agent *a)
{
    char got[64];
    ssize_t n;

    while ((n = read(a->signal_fd[0], got, sizeof got)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            struct hmf__ask ask = {.source = HMF__ASK_SIGNAL, .rank = a->rank};
            if (got[i] == 'm' && a->role == HMF__ROLE_INCOMING)
                a->move_on = true;        /* asked again once the rank lives here */
            if (got[i] == 'm' && (a->rank < 0 || a->role != HMF__ROLE_ACTIVE)) {
                /* Not worth more: mpirun passes a signal on to every process. */
                hmf__log(HMF__LOG_INFO, "SIGUSR2 came to a process that holds no rank: nothing to "
                         "move; 'hmf status' tells which process holds which rank");
                continue;
            }
            ask.kind = got[i] == 'm' ? HMF__OP_MOVE : HMF__OP_CHECKPOINT;
            ask.stop = got[i] == 't';
            hmf__agent_ask(a, &ask);
        }
    }
}

static void take_inbox(struct hmf__agent *a)
{
    struct hmf__local *m, *next;
    uint64_t count;

    if (read(a->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return;
    pthread_mutex_lock(&a->lock);
    m = a->inbox;
    a->inbox = NULL;
    a->inbox_tail = &a->inbox;
    pthread_mutex_unlock(&a->lock);
    for (; m; m = next) {
        next = m->next;
        frame(a, a->proc, m->kind, m->data, m->len);
        hmf__free(m);
    }
}

/* The job is over and all ranks have finished, but the program of a process that holds none does
 * not come to its end: it hangs in a start-up whose move was undone, or did not go to auto_done
 * after its rank had left. The others would wait for it in MPI_Finalize for ever. */
static void end_straggler(struct hmf__agent *a, uint64_t now)
{
    bool straggler;

    pthread_mutex_lock(&a->lock);
    straggler = a->ending && !a->at_end && a->role == HMF__ROLE_LEFT &&
                now - a->ended_ns > a->limit_ns;
    pthread_mutex_unlock(&a->lock);
    if (!straggler)
        return;
    hmf__log(HMF__LOG_ERROR, "the job is over, but the program in this process, which holds no rank, has not "
             "come to MPI_Finalize within %.0f s (HMF_TIMEOUT): the process ends here",
             (double)a->limit_ns * 1e-9);
    _exit(0);
}

/* Of two times in ms; -1: never. */
static int sooner(int x, int y)
{
    return x < 0 || (y >= 0 && y < x) ? y : x;
}

static void *loop(void *arg)
{
    struct hmf__agent *a = arg;
    struct pollfd *fds = NULL;
    int cap = 0;
    uint64_t stop_at = 0;

    for (;;) {
        int need = 2 + hmf__net_npollfds(a->net) + hmf__control_npollfds(a->control);
        int busy, n, nnet, ncontrol, timer, pulse;
        uint64_t now;
        bool stop;

        if (need > cap) {
            struct pollfd *p = hmf__realloc(fds, 2 * (size_t)need * sizeof *p);
            if (!p) {                     /* keep serving what fits; poll again soon */
                usleep(10000);
                continue;
            }
            fds = p;
            cap = 2 * need;
        }
        fds[0] = (struct pollfd){.fd = a->wake_fd, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = a->signal_fd[0], .events = POLLIN};
        nnet = hmf__net_pollfds(a->net, fds + 2, cap - 2);
        ncontrol = hmf__control_pollfds(a->control, fds + 2 + nnet, cap - 2 - nnet);
        n = 2 + nnet + ncontrol;

        pthread_mutex_lock(&a->lock);
        stop = a->stop;
        if (a->retired && !a->free && !a->inbox && !a->coord && !a->wave.kind && !hmf__net_pending(a->net)) {
            a->free = true;
            pthread_cond_broadcast(&a->changed);
        }
        pthread_mutex_unlock(&a->lock);
        if (stop && !stop_at) {
            stop_at = hmf__now_ns() + FLUSH_NS;
            if (a->ending || a->retired)
                hmf__net_goodbye(a->net);
        }
        if (stop && (!hmf__net_pending(a->net) || hmf__now_ns() > stop_at))
            break;
        timer = hmf__coord_timer(a->coord, hmf__now_ns());
        pulse = hmf__pulse_tick(a, hmf__now_ns());
        timer = sooner(timer, pulse);
        timer = sooner(timer, hmf__monitor_timer(a->monitor, hmf__now_ns()));
        busy = a->wave.kind || hmf__net_pending(a->net) || stop || a->ending || hmf__coord_busy(a->coord) ||
               ncontrol > 1;
        if (poll(fds, (nfds_t)n, busy ? TICK_MS : timer) < 0 && errno != EINTR)
            usleep(10000);
        if (fds[0].revents)
            take_inbox(a);
        if (fds[1].revents)
            take_signals(a);
        hmf__net_handle(a->net, fds + 2, nnet);
        hmf__control_handle(a->control, fds + 2 + nnet, ncontrol);
        now = hmf__now_ns();
        hmf__wave_tick(a, now);
        end_straggler(a, now);
        hmf__coord_tick(a->coord, now);
        hmf__monitor_tick(a, now);
    }
    hmf__free(fds);
    return NULL;
}

/* ---- main thread's side -------------------- */

static hmf_status_t tell(struct hmf__agent *a, unsigned kind, const void *data, size_t len)
{
    uint64_t one = 1;
    struct hmf__local *m = hmf__malloc(sizeof *m + len);

    if (!m)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a message of %zu bytes to the agent", len);
    m->next = NULL;
    m->kind = kind;
    m->len = len;
    if (len)
        memcpy(m->data, data, len);
    pthread_mutex_lock(&a->lock);
    *a->inbox_tail = m;
    a->inbox_tail = &m->next;
    pthread_mutex_unlock(&a->lock);
    while (write(a->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    return HMF_OK;
}

hmf_status_t hmf__agent_tell(struct hmf__agent *a, unsigned kind, const void *data, size_t len)
{
    return tell(a, kind, data, len);
}

static void report(struct hmf__agent *a, unsigned kind, uint64_t epoch, uint32_t what,
                   hmf_status_t status, uint64_t poll, uint64_t open)
{
    struct hmf__buf out = HMF__BUF_INIT;
    struct hmf__report r;

    hmf__report_fill(a, &r, status);
    r.lo = r.hi = poll;
    r.open = open;
    hmf__buf_put_u64(&out, epoch);
    hmf__buf_put_u32(&out, what);
    hmf__report_put(&out, &r);
    if (out.status || tell(a, kind, out.data, out.len))
        hmf__log(HMF__LOG_ERROR, "out of memory while telling the others: they will give up after "
                 "%.0f s", (double)a->limit_ns * 1e-9);
    hmf__buf_fini(&out);
}

void hmf__agent_report(struct hmf__agent *a, unsigned kind, uint64_t epoch, uint32_t what,
                       hmf_status_t status, uint64_t poll)
{
    report(a, kind, epoch, what, status, poll, 0);
}

void hmf__agent_report_cut(struct hmf__agent *a, uint64_t epoch, hmf_status_t status, uint64_t poll,
                           uint64_t open)
{
    report(a, HMF__F_L_DONE, epoch, HMF__WAVE_CUT, status, poll, open);
}

hmf_status_t hmf__agent_ask(struct hmf__agent *a, const struct hmf__ask *ask)
{
    struct hmf__buf out = HMF__BUF_INIT;
    hmf_status_t st = hmf__ask_put(&out, ask);

    if (!st)
        st = tell(a, HMF__F_L_ASK, out.data, out.len);
    hmf__buf_fini(&out);
    return st;
}

void hmf__agent_retire(struct hmf__agent *a)
{
    uint64_t one = 1;
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(a->limit_ns / 1000000000) + 1;
    pthread_mutex_lock(&a->lock);
    a->retired = true;
    a->free = false;
    while (write(a->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    while (!a->free && !a->ending && !pthread_cond_timedwait(&a->changed, &a->lock, &until))
        ;
    pthread_mutex_unlock(&a->lock);
}

void hmf__agent_signal(struct hmf__agent *a, int sig)
{
    char c = sig == SIGUSR1 ? 'c' : sig == SIGUSR2 ? 'm' : 't';
    int saved = errno;
    ssize_t n = write(a->signal_fd[1], &c, 1);   /* a full pipe: the wish is there already */

    (void)n;
    errno = saved;
}

void hmf__agent_limit(struct hmf__agent *a, uint64_t limit)
{
    atomic_store(&a->limit, a->membarrier ? limit : 0);
    if (a->membarrier)
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

/* ---- life -------------------- */

hmf_status_t hmf__agent_open(struct hmf__agent *a, struct hmf__net_addr *self, int local)
{
    struct hmf__net_events ev = {.ctx = a, .frame = frame, .lost = lost};
    pthread_condattr_t attr;
    hmf_status_t st;

    a->wake_fd = a->signal_fd[0] = a->signal_fd[1] = -1;
    a->inbox_tail = &a->inbox;
    a->membarrier =
        !syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    hmf__agent_limit(a, UINT64_MAX);
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&a->changed, &attr);
    pthread_condattr_destroy(&attr);
    a->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (a->wake_fd < 0 || pipe2(a->signal_fd, O_CLOEXEC | O_NONBLOCK))
        return hmf__fail(HMF_ERR_IO, "the agent has no file descriptor left: %s", strerror(errno));
    st = hmf__net_new(self, local, &ev, &a->net);
    return st;
}

hmf_status_t hmf__agent_start(struct hmf__agent *a, const struct hmf__net_addr *all,
                              const uint8_t secret[HMF__NET_SECRET])
{
    sigset_t block, old;
    hmf_status_t st = hmf__net_peers(a->net, all, a->nprocs, a->proc, secret);
    int err;

    if (st)
        return st;
    a->addrs = hmf__malloc((size_t)a->nprocs * sizeof *all);
    if (!a->addrs)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for %d addresses", a->nprocs);
    memcpy(a->addrs, all, (size_t)a->nprocs * sizeof *all);
    a->coordinator = a->proc_of[0];
    a->events = hmf__events_new(a->program ? a->program : "", a->id);
    if ((st = hmf__pulse_new(a)))
        return st;
    if (hmf__monitor_wanted() &&
        ((st = hmf__monitor_new(&a->monitor)) || (st = hmf__decider_new(a, &a->decider))))
        return st;
    if (a->rank == 0) {
        if ((st = hmf__coord_new(a)))
            return st;
        hmf__control_start(a);
        hmf__coord_started(a->coord);
    }
    /* Signals are the program's business: none is ever delivered to the agent. */
    sigfillset(&block);
    pthread_sigmask(SIG_SETMASK, &block, &old);
    err = pthread_create(&a->thread, NULL, loop, a);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        return hmf__fail(HMF_ERR_NOMEM, "the agent's thread cannot be started: %s", strerror(err));
    a->running = true;
    return HMF_OK;
}

void hmf__agent_stop(struct hmf__agent *a)
{
    uint64_t one = 1;

    if (a->running) {
        pthread_mutex_lock(&a->lock);
        a->stop = true;
        pthread_mutex_unlock(&a->lock);
        while (write(a->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
            ;
        pthread_join(a->thread, NULL);
        a->running = false;
    }
    hmf__control_stop(a);
    hmf__coord_free(a->coord);
    a->coord = NULL;
    hmf__pulse_free(a);
    hmf__buf_fini(&a->early);
    hmf__events_free(a->events);
    a->events = NULL;
    hmf__decider_free(a);
    hmf__monitor_watch(NULL);
    hmf__monitor_free(a->monitor);
    a->monitor = NULL;
    hmf__net_free(a->net);
    a->net = NULL;
    while (a->inbox) {
        struct hmf__local *m = a->inbox;
        a->inbox = m->next;
        hmf__free(m);
    }
    hmf__op_clear(&a->op);
    hmf__free(a->addrs);
    a->addrs = NULL;
    if (a->wake_fd >= 0)
        close(a->wake_fd);
    if (a->signal_fd[0] >= 0) {
        close(a->signal_fd[0]);
        close(a->signal_fd[1]);
    }
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->changed);
}
