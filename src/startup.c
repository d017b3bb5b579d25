/*
 * The log of the start-up phase and its replay. See startup.h for how wrappers use it; what an
 * output looks like in the log is in outputs.c.
 *
 * The log is a row of entries: fn u32, communicator u32, two keys i32, MPI error code i32, repeat
 * u32, length u64, then that many bytes of outputs. Unsuccessful tests that follow each other
 * are one entry with a count, so that a loop around MPI_Test costs no memory.
 */
#include "config.h"

#include "startup.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "shim/shim.h"

#define NO_COMM UINT32_C(0xffffffff)

struct header {
    uint32_t fn, comm;
    int32_t key[2];
    int32_t rc;
    uint32_t repeat;
    uint64_t len;
};

enum { HEADER_BYTES = 32, REPEAT_AT = 20 };

int hmf__shim_phase = HMF__PHASE_NORMAL;
void (*hmf__startup_on_failure)(const char *text);

static struct {
    pthread_mutex_t lock;       /* entries come from any thread */
    struct hmf__buf log;
    size_t limit;
    size_t last;                /* where the last entry begins */
    bool last_quiet;
    bool have;                  /* the log is complete so far and may be packed */
    char why_not[512];          /* else: why, for a refusal */
    unsigned calls;             /* entries replayed, for messages */
    uint32_t repeated;          /* of the present entry */
    bool read;                  /* replay: the program is past auto_read */
    bool failed;
    char failure[1024];
} startup = {.lock = PTHREAD_MUTEX_INITIALIZER,
             .why_not = "this process kept no log of its start-up phase"};

/* Recording is over before its time; the phase is then like any other. */
static void give_up(const char *why)
{
    hmf__buf_fini(&startup.log);
    startup.have = false;
    snprintf(startup.why_not, sizeof startup.why_not, "%s", why);
    if (hmf__shim_phase == HMF__PHASE_RECORD) {
        hmf__shim_phase = HMF__PHASE_NORMAL;
        hmf__vcomm_recording(false);
    }
}

static void give_up_size(int fn)
{
    char text[400];

    snprintf(text, sizeof text,
             "the start-up log grew beyond %zu bytes in %s: raise HMF_STARTUP_LIMIT, or move what"
             " receives bulk data behind auto_read, so that a moved rank takes it from its state",
             startup.limit, hmf__fn_name(fn));
    give_up(text);
}

void hmf__startup_begin(int record)
{
    hmf__startup_fini();
    if (!record)
        return;
    if (hmf__param_size("HMF_STARTUP_LIMIT", 0, SIZE_MAX / 2, (size_t) 64 << 20,
                        &startup.limit) != HMF_OK) {
        hmf__log(HMF__LOG_WARN, "%s; the default of 64M is used", hmf_error_text());
        startup.limit = (size_t) 64 << 20;
    }
    hmf__buf_init(&startup.log);
    startup.have = true;
    startup.last_quiet = false;
    hmf__vcomm_recording(true);
    hmf__shim_phase = HMF__PHASE_RECORD;
}

void hmf__startup_replay(void)
{
    startup.calls = 0;
    startup.repeated = 0;
    startup.failed = startup.read = false;
    startup.log.pos = 0;
    hmf__shim_phase = HMF__PHASE_REPLAY;
}

void hmf__startup_leave(void)
{
    hmf__shim_phase = HMF__PHASE_LEFT;
}

const char *hmf__startup_failed(void)
{
    return startup.failed ? startup.failure : NULL;
}

static void fail_replay(const char *text)
{
    if (startup.failed)
        return;
    startup.failed = true;
    snprintf(startup.failure, sizeof startup.failure, "%s", text);
    if (hmf__startup_on_failure != NULL)
        hmf__startup_on_failure(startup.failure);
}

static bool get_header(struct hmf__buf *b, struct header *h)
{
    h->fn = hmf__buf_get_u32(b);
    h->comm = hmf__buf_get_u32(b);
    h->key[0] = hmf__buf_get_i32(b);
    h->key[1] = hmf__buf_get_i32(b);
    h->rc = hmf__buf_get_i32(b);
    h->repeat = hmf__buf_get_u32(b);
    h->len = hmf__buf_get_u64(b);
    return b->status == HMF_OK && h->fn < HMF__FN_COUNT && h->repeat > 0 &&
           h->len <= hmf__buf_left(b);
}

static const char *describe(char *text, size_t len, uint32_t fn, uint32_t comm, const int32_t *key)
{
    const struct hmf__vcomm *v = comm == NO_COMM ? NULL : hmf__vcomm_by_id(comm);
    char name[160];

    if (comm == NO_COMM)
        snprintf(text, len, "%s", hmf__fn_name((int) fn));
    else
        snprintf(text, len, "%s on %s (rank %d, tag %d)", hmf__fn_name((int) fn),
                 v != NULL ? hmf__vcomm_text(v, name, sizeof name) : "a communicator unknown here",
                 key[0], key[1]);
    return text;
}

/* The next entry of the log becomes c->entry, if it is the call `c`. */
static bool take_entry(struct hmf__startup_call *c)
{
    struct hmf__buf *log = &startup.log;
    struct header h;
    char here[300], there[300], text[1024];
    size_t at = log->pos;
    const void *body;

    describe(here, sizeof here, (uint32_t) c->fn, c->comm_id, c->key);
    if (startup.read) {
        snprintf(text, sizeof text, "%s was called between auto_read and the first auto_poll, where the"
                 " other ranks wait in their poll: call it before auto_read, or behind the poll", here);
        fail_replay(text);
        return false;
    }
    if (hmf__buf_left(log) == 0) {
        snprintf(text, sizeof text, "start-up call %u of the new process is %s, but the rank made"
                 " only %u when it started: the calls before auto_read must be the same",
                 startup.calls + 1, here, startup.calls);
        fail_replay(text);
        return false;
    }
    if (!get_header(log, &h)) {
        fail_replay("the start-up log that came with the rank is damaged");
        return false;
    }
    if ((int) h.fn != c->fn || h.comm != c->comm_id || h.key[0] != c->key[0] ||
        h.key[1] != c->key[1]) {
        describe(there, sizeof there, h.fn, h.comm, h.key);
        snprintf(text, sizeof text, "start-up call %u of the new process is %s, but was %s when the"
                 " rank started: the calls before auto_read must be the same", startup.calls + 1,
                 here, there);
        log->pos = at;
        fail_replay(text);
        return false;
    }
    body = hmf__buf_get_bytes(log, (size_t) h.len);
    hmf__buf_borrow(&c->entry, body, (size_t) h.len);
    c->rc = h.rc;
    startup.calls++;
    if (++startup.repeated < h.repeat)
        log->pos = at;
    else
        startup.repeated = 0;
    return true;
}

static bool enter(struct hmf__startup_call *c)
{
    bool ok = true;

    switch (hmf__shim_phase) {
    case HMF__PHASE_RECORD:
        c->record = true;
        hmf__buf_init(&c->entry);
        break;
    case HMF__PHASE_REPLAY:
        c->live = false;
        c->replay = true;
        pthread_mutex_lock(&startup.lock);
        ok = !startup.failed && take_entry(c);
        pthread_mutex_unlock(&startup.lock);
        if (!ok)
            c->rc = MPI_ERR_OTHER;
        break;
    case HMF__PHASE_LEFT:
        c->rc = hmf__shim_left(c->fn);
        ok = false;
        break;
    default:
        break;
    }
    return ok;
}

bool hmf__startup_enter(struct hmf__startup_call *c, int fn, MPI_Comm comm, int key0, int key1)
{
    memset(c, 0, sizeof *c);
    c->fn = fn;
    c->live = true;
    c->vcomm = hmf__vcomm_of(comm);
    c->key[0] = key0;
    c->key[1] = key1;
    /* What a process says to itself alone, or on a handle that is not ours, is done for real. */
    if (c->vcomm == NULL || (c->vcomm == &hmf__vcomm_self && hmf__shim_phase != HMF__PHASE_LEFT))
        return true;
    c->comm_id = c->vcomm->id;
    return enter(c);
}

bool hmf__startup_enter_any(struct hmf__startup_call *c, int fn)
{
    memset(c, 0, sizeof *c);
    c->fn = fn;
    c->live = true;
    c->comm_id = NO_COMM;
    return enter(c);
}

static void append(struct hmf__startup_call *c)
{
    struct hmf__buf *log = &startup.log;

    if (!startup.have || hmf__shim_phase != HMF__PHASE_RECORD)
        return;
    if (c->entry.status != HMF_OK) {
        give_up("the start-up log was given up for lack of memory");
        return;
    }
    if (c->quiet && startup.last_quiet) {
        unsigned char *old = log->data + startup.last;
        struct hmf__buf b;
        struct header h;

        hmf__buf_borrow(&b, old, log->len - startup.last);
        if (get_header(&b, &h) && (int) h.fn == c->fn && h.comm == c->comm_id &&
            h.key[0] == c->key[0] && h.key[1] == c->key[1] && h.repeat < UINT32_MAX &&
            h.len == c->entry.len &&
            memcmp(old + HEADER_BYTES, c->entry.data, c->entry.len) == 0) {
            h.repeat++;
            for (int i = 0; i < 4; i++)
                old[REPEAT_AT + i] = (unsigned char) (h.repeat >> (8 * i));
            return;
        }
    }
    if (c->entry.len + HEADER_BYTES > startup.limit - log->len) {
        give_up_size(c->fn);
        return;
    }
    startup.last = log->len;
    startup.last_quiet = c->quiet;
    hmf__buf_put_u32(log, (uint32_t) c->fn);
    hmf__buf_put_u32(log, c->comm_id);
    hmf__buf_put_i32(log, c->key[0]);
    hmf__buf_put_i32(log, c->key[1]);
    hmf__buf_put_i32(log, c->rc);
    hmf__buf_put_u32(log, 1);
    hmf__buf_put_u64(log, c->entry.len);
    hmf__buf_put_bytes(log, c->entry.data, c->entry.len);
    if (log->status != HMF_OK)
        give_up("the start-up log was given up for lack of memory");
}

int hmf__startup_return(struct hmf__startup_call *c)
{
    if (c->record) {
        pthread_mutex_lock(&startup.lock);
        append(c);
        pthread_mutex_unlock(&startup.lock);
        hmf__buf_fini(&c->entry);
    } else if (c->replay && c->rc == MPI_SUCCESS &&
               (c->entry.status != HMF_OK || hmf__buf_left(&c->entry) != 0)) {
        char text[200];

        snprintf(text, sizeof text, "start-up call %u, %s, has other counts or datatypes than when"
                 " the rank started", startup.calls, hmf__fn_name(c->fn));
        fail_replay(text);
        c->rc = MPI_ERR_OTHER;
    }
    return c->rc;
}

bool hmf__startup_room(size_t bytes)
{
    return bytes <= startup.limit - startup.log.len;
}

void hmf__startup_too_big(int fn)
{
    pthread_mutex_lock(&startup.lock);
    give_up_size(fn);
    pthread_mutex_unlock(&startup.lock);
}

void hmf__startup_void(int fn)
{
    char text[300];

    if (hmf__shim_phase != HMF__PHASE_RECORD)
        return;
    snprintf(text, sizeof text, "%s was called before auto_read, and what it gave cannot be given"
             " again to a new process: call it behind auto_read", hmf__fn_name(fn));
    pthread_mutex_lock(&startup.lock);
    give_up(text);
    pthread_mutex_unlock(&startup.lock);
}

hmf_status_t hmf__startup_read(void)
{
    struct hmf__buf *log = &startup.log;

    if (hmf__shim_phase != HMF__PHASE_REPLAY)
        return HMF_OK;
    startup.read = true;
    if (startup.failed)
        return hmf__fail(HMF_ERR_MISMATCH, "%s", startup.failure);
    if (hmf__buf_left(log) > 0 && startup.repeated == 0) {
        struct header h;
        char text[300];
        size_t at = log->pos;
        bool ok = get_header(log, &h);

        log->pos = at;
        if (!ok)
            return hmf__fail(HMF_ERR_FORMAT, "the start-up log that came with the rank is damaged");
        return hmf__fail(HMF_ERR_MISMATCH, "the new process reached auto_read after %u start-up"
                         " calls; %s is missing: the calls before auto_read must be the same",
                         startup.calls, describe(text, sizeof text, h.fn, h.comm, h.key));
    }
    return HMF_OK;
}

void hmf__startup_end(void)
{
    if (hmf__shim_phase == HMF__PHASE_RECORD)
        hmf__vcomm_recording(false);
    else if (hmf__shim_phase != HMF__PHASE_REPLAY)
        return;
    hmf__shim_phase = HMF__PHASE_NORMAL;
    hmf__vreq_end_replay();
}

hmf_status_t hmf__startup_movable(void)
{
    return startup.have ? HMF_OK : hmf__fail(HMF_ERR_LIMIT, "%s", startup.why_not);
}

hmf_status_t hmf__startup_pack(struct hmf__buf *out)
{
    hmf_status_t status = hmf__startup_movable();

    if (status != HMF_OK)
        return status;
    hmf__buf_put_u64(out, startup.log.len);
    hmf__buf_put_bytes(out, startup.log.data, startup.log.len);
    return out->status;
}

hmf_status_t hmf__startup_unpack(const void *data, size_t len_bytes)
{
    struct hmf__buf in;
    uint64_t len;

    hmf__buf_borrow(&in, data, len_bytes);
    len = hmf__buf_get_u64(&in);
    if (in.status != HMF_OK || len != hmf__buf_left(&in))
        return hmf__fail(HMF_ERR_FORMAT, "start-up log of %zu bytes says another length",
                         len_bytes);
    hmf__startup_fini();
    hmf__buf_init(&startup.log);
    hmf__buf_put_bytes(&startup.log, hmf__buf_get_bytes(&in, (size_t) len), (size_t) len);
    if (startup.log.status != HMF_OK) {
        hmf__buf_fini(&startup.log);
        return HMF_ERR_NOMEM;
    }
    startup.have = true;
    return HMF_OK;
}

void hmf__startup_fini(void)
{
    hmf__buf_fini(&startup.log);
    startup.have = false;
    startup.failed = false;
    snprintf(startup.why_not, sizeof startup.why_not,
             "this process kept no log of its start-up phase");
    if (hmf__shim_phase == HMF__PHASE_RECORD)
        hmf__vcomm_recording(false);
    hmf__shim_phase = HMF__PHASE_NORMAL;
}
