/* move.c - the main thread's part in an operation (see move.h; agent.h has the waves). */
#include "config.h"

#include "move.h"

#include <stdio.h>
#include <string.h>

#include "auto.h"
#include "check.h"
#include "gate.h"
#include "image.h"
#include "startup.h"
#include "vlocal.h"
#include "world.h"
#include "xfer.h"

struct given_up { struct hmf__job *j; uint64_t epoch; };

static int given_up(void *ctx)
{
    struct given_up *g = ctx;
    return hmf__job_given_up(g->j, g->epoch);
}

static struct hmf__xfer peer(struct given_up *g, int proc, uint64_t limit_ns)
{
    return (struct hmf__xfer){.comm = hmf__world_universe(), .peer = proc, .limit_ns = limit_ns,
                              .given_up = given_up, .ctx = g};
}

/* The map after the operation; free with hmf__free. */
static int *new_map(const struct hmf__agent *a, const struct hmf__op *op)
{
    int *map = hmf__malloc((size_t)a->nranks * sizeof *map);

    if (!map) {
        hmf__fail(HMF_ERR_NOMEM, "no memory for the map of %d ranks", a->nranks);
        return NULL;
    }
    memcpy(map, a->proc_of, (size_t)a->nranks * sizeof *map);
    for (uint32_t i = 0; i < op->nmoves; i++)
        map[op->moves[i].rank] = op->moves[i].to;
    return map;
}

static void done(struct hmf__job *j, uint64_t epoch, uint32_t wave, hmf_status_t st, uint64_t n)
{
    hmf__agent_report(&j->agent, HMF__F_L_DONE, epoch, wave, st, n);
}

/* The state has been looked at: now it is known how large it is. */
static void captured(struct hmf__job *j, uint64_t bytes)
{
    struct hmf__size size = j->agent.size;

    size.captured = bytes;
    size.resident_kib = hmf__agent_resident_kib();
    hmf__agent_resize(&j->agent, &size);
}

/* ---- checkpoint -------------------- */

static int checkpoint(struct hmf__job *j, const struct hmf__op *op, uint64_t n)
{
    hmf_image_t *image = NULL;
    uint64_t generation;
    /* A message under way is in no rank's state: who starts from the disk would wait for it in
     * vain. */
    hmf_status_t st = hmf__world_quiet();

    if (!st && j->protect)
        st = hmf__fail(HMF_ERR_STATE, "%s could not be read when the job began, and is kept as it is: set "
                       "HMF_RESTART=never if it may go, or HMF_DIR to another directory", j->dir);
    if (!st)
        st = hmf_image_capture(j->state, &image);
    /* Writing is collective: everybody enters it with an image, or nobody. */
    if (!(st = hmf__job_agree(st))) {
        struct hmf__check_job *check = hmf__job_check(j);
        if (j->behind && !op->stop && !op->wait) {
            st = hmf__check_begin(check, image, &generation);
        } else {
            /* Somebody waits for it, or will start from it anywhere: no node's own directory. */
            hmf__job_settle(j);
            check->to_shared = op->stop || op->wait;
            st = hmf__check_write(check, image, &generation);
        }
    }
    if (!st)
        captured(j, hmf_image_bytes(image));
    hmf_image_free(image);
    done(j, op->epoch, HMF__WAVE_WORK, st, n);
    if (st)
        return 0;
    j->wrote = true;
    if (!op->stop)
        return AUTO_CHKP;
    j->left = j->on_disk = true;
    return AUTO_CHKP | AUTO_MIGR;
}

/* ---- moves: who stays and who leaves -------------------- */

/* Drains, and gives a newcomer what it needs before its program starts. */
static hmf_status_t work(struct hmf__job *j, const struct hmf__op *op,
                         const struct hmf__move *leaving)
{
    struct given_up g = {j, op->epoch};
    struct hmf__buf pack = HMF__BUF_INIT;
    hmf_status_t st;

    hmf__job_settle(j);
    st = hmf__world_drain();

    if (st || !leaving)
        return st;
    hmf__buf_put_u8(&pack, j->wrote);
    hmf__buf_put_u8(&pack, j->protect);
    st = hmf__world_pack(&pack);
    if (!st && pack.status)
        st = hmf__fail(pack.status, "no memory to pack rank %d's communicators", leaving->rank);
    if (!st)
        st = hmf__vlocal_list(j->state);
    if (!st) {
        struct hmf__xfer x = peer(&g, leaving->to, j->agent.limit_ns);
        st = hmf__xfer_send(&x, HMF__TAG_PACK, pack.data, pack.len);
    }
    hmf__buf_fini(&pack);
    return st;
}

/* The newcomer's program has come to auto_read: give it the state. */
static void give_image(struct hmf__job *j, const struct hmf__op *op, int to)
{
    struct given_up g = {j, op->epoch};
    struct hmf__xfer x = peer(&g, to, j->agent.start_limit_ns);
    hmf_image_t *image = NULL;
    uint64_t begun, found;
    hmf_status_t st;

    if (hmf__xfer_wait_ready(&x))
        return;                            /* given up, or will be: the coordinator has its own limit */
    begun = hmf__now_ns();
    st = hmf_image_capture(j->state, &image);
    found = hmf__now_ns();
    x.capture_ns = found - begun;
    x.limit_ns = j->agent.limit_ns;
    st = hmf__xfer_send_image(&x, st, image);
    if (st)
        hmf__log(HMF__LOG_INFO, "the state was not sent: %s", hmf_error_text());
    else
        hmf__log(HMF__LOG_DEBUG, "%.1f MiB of state: captured in %.1f ms, sent in %.1f ms",
                 (double)hmf_image_bytes(image) / 1048576, (double)(found - begun) * 1e-6,
                 (double)(hmf__now_ns() - found) * 1e-6);
    hmf_image_free(image);
}

/* MPI waits in there for all who make the communicators, without a limit: the agent watches (pulse.h). */
static hmf_status_t build(struct hmf__job *j, const int *map)
{
    struct hmf__agent *a = &j->agent;
    hmf_status_t st;

    pthread_mutex_lock(&a->lock);
    a->building = true;
    pthread_mutex_unlock(&a->lock);
    st = hmf__world_prepare(map);
    pthread_mutex_lock(&a->lock);
    a->building = false;
    pthread_mutex_unlock(&a->lock);
    return st;
}

static int take_part(struct hmf__job *j, const struct hmf__op *op, const int *map, uint64_t n)
{
    struct hmf__agent *a = &j->agent;
    const struct hmf__move *leaving = hmf__op_leaves(op, a->proc);
    hmf_status_t st = work(j, op, leaving);

    done(j, op->epoch, HMF__WAVE_WORK, st, n);
    if (hmf__job_wait_order(j, op->epoch, HMF__WAVE_WORK) == HMF__WAVE_ABORT &&
        !hmf__job_begun(j, op->epoch, HMF__WAVE_JOIN))
        goto undo;
    if (!leaving)
        st = build(j, map);
    done(j, op->epoch, HMF__WAVE_JOIN, st, n);
    if (leaving && !st)
        give_image(j, op, leaving->to);
    if (leaving)
        hmf__vlocal_end(j->state);
    if (hmf__job_wait_order(j, op->epoch, HMF__WAVE_JOIN) == HMF__WAVE_ABORT)
        goto undo;
    if (leaving) {
        hmf__world_set_map(map);
        hmf__world_leave();
        hmf__startup_leave();
        hmf__check_release(&j->check);
        hmf__log_identity(-1);
        j->left = true;
    } else {
        hmf__world_commit();
    }
    done(j, op->epoch, HMF__WAVE_COMMIT, HMF_OK, n);
    return leaving ? AUTO_MIGR : 0;

undo:
    if (leaving)
        hmf__vlocal_end(j->state);
    hmf__world_rollback();
    return 0;
}

static int stop(struct hmf__job *j, uint64_t n, int mask)
{
    struct hmf__agent *a = &j->agent;
    struct hmf__op op = {0};
    uint64_t epoch;
    uint32_t kind;
    hmf_status_t st = HMF_OK, busy = HMF_OK;
    bool leaving;
    uint64_t open;
    int got = 0, *map = NULL;

    hmf__job_wait_fence(j);
    for (;;) {
        uint32_t order;
        uint64_t cut;
        pthread_mutex_lock(&a->lock);
        order = a->order;
        epoch = a->op.epoch;
        kind = a->op.kind;
        cut = a->op.cut;
        pthread_mutex_unlock(&a->lock);
        if (order != HMF__WAVE_HOLD && (order != HMF__WAVE_CUT || n < cut))
            return 0;
        if (!(mask & (kind == HMF__OP_MOVE ? AUTO_MIGR : AUTO_CHKP)))
            return 0;                      /* stop at the first later poll that allows it */
        /* Waiting here makes MPI go on, which no other thread may do at the same time. */
        if (hmf__gate_on && !hmf__vcomm_threads && !busy)
            busy = hmf__gate_shut(false, a->limit_ns / 2);
        if (order == HMF__WAVE_CUT)
            break;
        hmf__job_wait_order(j, epoch, HMF__WAVE_HOLD);
    }
    pthread_mutex_lock(&a->lock);
    st = hmf__op_copy(&a->op, &op);
    pthread_mutex_unlock(&a->lock);
    if (!st && kind == HMF__OP_MOVE && !(map = new_map(a, &op)))
        st = HMF_ERR_NOMEM;
    leaving = !st && kind == HMF__OP_MOVE && hmf__op_leaves(&op, a->proc);
    if (!st && !(st = busy))
        st = hmf__gate_shut(leaving, a->limit_ns / 2);
    if (!st && kind == HMF__OP_MOVE)
        st = hmf__world_movable();
    /* Before a spare is bothered: what the rank that goes cannot take along. */
    if (!st && leaving) {
        st = hmf__startup_movable();
        if (!st)
            st = hmf__vlocal_rehearse(j->state);
    }
    open = st ? 0 : hmf__world_open(map);
    /* A rank that is not there yet may need what a thread of this one has to send; what spans the poll
     * is not known before all threads are held. */
    if (hmf__vcomm_threads) {
        hmf__gate_open();
        open = 0;
    }
    hmf__agent_report_cut(a, epoch, st, n, open);
    if (st != HMF_ERR_NOMEM && !hmf__job_moved_on(j, epoch, op.cut) &&
        hmf__job_begun(j, epoch, HMF__WAVE_WORK))
        got = kind == HMF__OP_MOVE ? take_part(j, &op, map, n) : checkpoint(j, &op, n);
    hmf__free(map);
    hmf__op_clear(&op);
    return got;
}

int hmf__move_poll(struct hmf__job *j, uint64_t n, int mask)
{
    int got = 0;

    if (j->agent.role == HMF__ROLE_INCOMING)
        hmf__move_confirm(j);
    else
        got = stop(j, n, mask);
    hmf__gate_open();
    return got;
}

/* ---- moves: who comes -------------------- */

/* In the place of a poll's number goes how large the state was. */
static void progress(struct hmf__job *j, uint64_t epoch, enum hmf__stage stage, hmf_status_t st)
{
    hmf__agent_report(&j->agent, HMF__F_L_NEWCOMER, epoch, stage, st, j->state_bytes);
}

/* The plan may be replaced by the next operation's as soon as this one is committed. */
struct arrival { uint64_t epoch, cut; struct hmf__move move; };

static struct arrival arrival(struct hmf__agent *a)
{
    struct arrival in;

    pthread_mutex_lock(&a->lock);
    in.epoch = a->op.epoch;
    in.cut = a->op.cut;
    in.move = *hmf__op_enters(&a->op, a->proc);
    pthread_mutex_unlock(&a->lock);
    return in;
}

/* The start-up code of the newcomer went another way than its predecessor's. */
static void replay_failed(const char *text)
{
    char what[1100];

    snprintf(what, sizeof what, "does not start as the rank did: %s", text);
    hmf__move_refuse(&hmf__job, what);
}

hmf_status_t hmf__move_enter(struct hmf__job *j)
{
    struct hmf__agent *a = &j->agent;
    struct arrival in = arrival(a);
    struct given_up g = {j, in.epoch};
    struct hmf__xfer x = peer(&g, in.move.from, a->limit_ns);
    void *pack = NULL;
    size_t len = 0;
    int *map = new_map(a, &a->op);
    hmf_status_t st = map ? HMF_OK : HMF_ERR_NOMEM;

    if (!st)
        st = hmf__xfer_recv(&x, HMF__TAG_PACK, &pack, &len);
    if (!st) {
        const uint8_t *flags = pack;
        if (len < 2) {
            st = hmf__fail(HMF_ERR_FORMAT, "what rank %d packed is damaged", in.move.rank);
        } else {
            j->wrote = flags[0];
            j->protect = flags[1];
            st = hmf__world_unpack(in.move.rank, a->proc_of, flags + 2, len - 2);
        }
        hmf__big_free(pack, len ? len : 1);
    }
    progress(j, in.epoch, HMF__STAGE_PACKED, st);
    if (!st && hmf__job_wait_order(j, in.epoch, HMF__WAVE_WORK) == HMF__WAVE_ABORT &&
        !hmf__job_begun(j, in.epoch, HMF__WAVE_JOIN))
        st = hmf__fail(HMF_ERR_REFUSED, "the move was undone: %s", a->verdict);
    if (!st) {
        hmf__log_identity(in.move.rank);
        st = hmf__world_prepare(map);
        progress(j, in.epoch, HMF__STAGE_JOINED, st);
        j->since_ns = hmf__now_ns();
    }
    if (!st && hmf__job_given_up(j, in.epoch))
        st = hmf__fail(HMF_ERR_REFUSED, "the move was undone: %s", a->verdict);
    if (!st) {
        hmf__startup_replay();
        hmf__startup_on_failure = replay_failed;
        j->newcomer = true;
    }
    hmf__free(map);
    return st;
}

void hmf__move_refuse(struct hmf__job *j, const char *what)
{
    struct arrival in = arrival(&j->agent);

    progress(j, in.epoch, HMF__STAGE_RESTORED,
             hmf__fail(HMF_ERR_STATE, "the program of the newcomer %s", what));
    hmf__job_wait_order(j, in.epoch, HMF__WAVE_JOIN);
    hmf__job_park(j);
}

void hmf__move_restore(struct hmf__job *j)
{
    struct hmf__agent *a = &j->agent;
    struct arrival in = arrival(a);
    struct given_up g = {j, in.epoch};
    struct hmf__xfer x = peer(&g, in.move.from, a->limit_ns);
    hmf_status_t st = hmf__startup_read();

    if (!st)
        st = hmf__vlocal_apply(j->state);
    if (!st)
        st = hmf__xfer_send_ready(&x);
    j->carried_ns[0] = hmf__now_ns() - j->since_ns;
    if (!st)
        st = hmf__xfer_recv_image(&x, j->state);
    j->since_ns = hmf__now_ns();
    j->state_bytes = x.bytes;
    j->carried_ns[1] = x.capture_ns;
    j->carried_ns[2] = x.transfer_ns;
    j->carried_ns[3] = x.translate_ns;
    if (!st)
        st = hmf__vlocal_settle(j->state);
    captured(j, x.bytes);
    if (st) {
        progress(j, in.epoch, HMF__STAGE_RESTORED, st);
        hmf__job_wait_order(j, in.epoch, HMF__WAVE_JOIN);
        hmf__job_park(j);
    }
    /* Threads that the program starts now have nobody to talk to before the first poll. */
    hmf__gate_shut(false, a->limit_ns / 2);
    /* The loop begins with the poll at which the others stand now: it is counted again. */
    atomic_store(&a->polls, in.cut - 1);
}

/* Before it says that it has come: how long it took it. */
static void tell_times(struct hmf__job *j, uint64_t epoch)
{
    struct hmf__buf out = HMF__BUF_INIT;

    hmf__buf_put_u64(&out, epoch);
    j->carried_ns[0] += hmf__now_ns() - j->since_ns;   /* from its state to its first poll */
    for (int i = 0; i < 4; i++)
        hmf__buf_put_u64(&out, j->carried_ns[i]);
    if (!out.status)
        hmf__agent_tell(&j->agent, HMF__F_L_CARRIED, out.data, out.len);
    hmf__buf_fini(&out);
}

void hmf__move_confirm(struct hmf__job *j)
{
    struct arrival in = arrival(&j->agent);

    tell_times(j, in.epoch);
    progress(j, in.epoch, HMF__STAGE_RESTORED, HMF_OK);
    if (hmf__job_wait_order(j, in.epoch, HMF__WAVE_JOIN) == HMF__WAVE_ABORT)
        hmf__job_park(j);
    hmf__startup_end();
    hmf__world_commit();
    progress(j, in.epoch, HMF__STAGE_COMMITTED, HMF_OK);
}
