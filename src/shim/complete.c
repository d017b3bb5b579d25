/*
 * Completion and control of requests: Wait, Test and their families, Start, Cancel, Request_free.
 *
 * Fast: translate handles, one PMPI call, put the outcome back. Everything else (requests that
 * ended at a cut, cancelled ones, the start-up phase, a process that left) goes through
 * complete(), which knows all families as one: some requests, wait or test, for all, any or some.
 */
#include "config.h"

#include <string.h>

#include "shim/shim.h"
#include "shim/timed.h"

enum { ON_STACK = 64 };
enum family { ALL, ANY, SOME };

struct work {
    int n;
    MPI_Request *requests;      /* the program's */
    MPI_Request *real;
    MPI_Status *status;         /* one for each request */
    int *index;                 /* those that completed, in order */
    int done;                   /* how many; MPI_UNDEFINED: none was active */
    int flag;
    int rc;
    MPI_Request few_real[ON_STACK];
    MPI_Status few_status[ON_STACK];
    int few_index[ON_STACK];
};

static bool work_init(struct work *w, int n, MPI_Request *requests)
{
    w->n = n;
    w->requests = requests;
    w->real = w->few_real;
    w->status = w->few_status;
    w->index = w->few_index;
    w->done = 0;
    w->flag = 0;
    w->rc = MPI_SUCCESS;
    if (n <= ON_STACK)
        return true;
    w->real = hmf__malloc((size_t) n * sizeof *w->real);
    w->status = hmf__malloc((size_t) n * sizeof *w->status);
    w->index = hmf__malloc((size_t) n * sizeof *w->index);
    return w->real != NULL && w->status != NULL && w->index != NULL;
}

static void work_fini(struct work *w)
{
    if (w->real != w->few_real) {
        hmf__free(w->real);
        hmf__free(w->status);
        hmf__free(w->index);
    }
}

static void empty_status(MPI_Status *status)
{
    hmf__shim_set_status(status, MPI_ANY_SOURCE, MPI_ANY_TAG, 0);
}

static bool early(const struct hmf__vreq *q)
{
    return q != NULL && (q->flags & HMF__VREQ_DONE);
}

/* Asks MPI, or takes what ended early. Sets done, index, status, flag, rc. */
static void ask(struct work *w, enum family family, bool wait)
{
    int nearly = 0;

    for (int i = 0; i < w->n; i++) {
        struct hmf__vreq *q = hmf__vreq_of(w->requests[i]);

        w->real[i] = q == NULL ? w->requests[i] : early(q) ? MPI_REQUEST_NULL : q->real;
        nearly += early(q);
        empty_status(&w->status[i]);
    }
    if (family == ALL) {
        w->flag = 1;
        w->rc = wait ? PMPI_Waitall(w->n, w->real, w->status)
                     : PMPI_Testall(w->n, w->real, &w->flag, w->status);
        w->done = w->flag ? w->n : 0;
        for (int i = 0; i < w->done; i++)
            w->index[i] = i;
    } else if (family == ANY && nearly > 0) {
        w->flag = 1;
        w->done = 1;
        for (w->index[0] = 0; !early(hmf__vreq_of(w->requests[w->index[0]]));)
            w->index[0]++;
    } else if (family == ANY) {
        MPI_Status status;
        int index = MPI_UNDEFINED;

        w->flag = 1;
        w->rc = wait ? PMPI_Waitany(w->n, w->real, &index, &status)
                     : PMPI_Testany(w->n, w->real, &index, &w->flag, &status);
        w->done = index == MPI_UNDEFINED ? (w->flag ? MPI_UNDEFINED : 0) : 1;
        w->index[0] = index;
        if (index != MPI_UNDEFINED)
            w->status[index] = status;
    } else {
        MPI_Status *found = w->n <= ON_STACK ? (MPI_Status[ON_STACK]) {{0}} : NULL;
        MPI_Status *big = found == NULL ? hmf__malloc((size_t) w->n * sizeof *found) : NULL;
        int count = 0;

        if (found == NULL)
            found = big;
        if (found == NULL) {
            w->rc = MPI_ERR_NO_MEM;
            return;
        }
        w->rc = wait && nearly == 0
                    ? PMPI_Waitsome(w->n, w->real, &count, w->index, found)
                    : PMPI_Testsome(w->n, w->real, &count, w->index, found);
        w->done = count == MPI_UNDEFINED ? (nearly > 0 ? 0 : MPI_UNDEFINED) : count;
        for (int i = 0; i < w->done; i++)
            w->status[w->index[i]] = found[i];
        for (int i = 0; i < w->n && nearly > 0; i++)
            if (early(hmf__vreq_of(w->requests[i])))
                w->index[w->done++] = i;
        hmf__free(big);
        w->flag = w->done != 0;
    }
    for (int i = 0; i < w->done; i++) {
        struct hmf__vreq *q = hmf__vreq_of(w->requests[w->index[i]]);

        if (!early(q))
            continue;
        w->status[w->index[i]] = q->status;
        if (q->error != MPI_SUCCESS && w->rc == MPI_SUCCESS)
            w->rc = family == ANY ? q->error : MPI_ERR_IN_STATUS;
    }
}

/* Data of a completed request for the log. */
static void visit(struct hmf__startup_call *c, struct hmf__vreq *q, MPI_Status *status)
{
    int rc = c->rc;

    /* MPI says of a send only whether it was cancelled; the rest of its status may be anything. */
    if (c->record && q != NULL && q->kind == HMF__VREQ_SEND) {
        int cancelled = 0, error = status->MPI_ERROR;

        PMPI_Test_cancelled(status, &cancelled);
        empty_status(status);
        PMPI_Status_set_cancelled(status, cancelled);
        status->MPI_ERROR = error;
    }
    c->rc = MPI_SUCCESS; /* the call's code may be that of another request */
    hmf__out_status(c, status);
    c->vcomm = q != NULL ? q->vcomm : NULL;
    if (status->MPI_ERROR == MPI_SUCCESS || rc == MPI_SUCCESS) {
        if (q != NULL && q->out != NULL)
            q->out->visit(c, q->out);
        else if (q != NULL && q->kind == HMF__VREQ_RECV)
            hmf__out_got(c, q->buf, q->count, q->datatype);
    }
    c->rc = rc;
}

/* The start-up log's view: which ones completed, and with what. */
static void outcome(struct hmf__startup_call *c, struct work *w)
{
    int rc = c->rc;

    c->rc = MPI_SUCCESS;
    hmf__out_val(c, &w->flag, sizeof w->flag);
    hmf__out_val(c, &w->done, sizeof w->done);
    if (c->replay && w->done > w->n)
        w->done = 0;
    c->rc = rc;
    for (int i = 0; i < w->done; i++) {
        struct hmf__vreq *q;

        c->rc = MPI_SUCCESS;
        hmf__out_val(c, &w->index[i], sizeof w->index[i]);
        c->rc = rc;
        if (w->index[i] < 0 || w->index[i] >= w->n) {
            w->done = i;
            break;
        }
        q = hmf__vreq_of(w->requests[w->index[i]]);
        /* A request that is not in the log's world is finished for real. */
        if (c->replay && !(q != NULL && (q->flags & HMF__VREQ_REPLAY))) {
            MPI_Request *real = q != NULL ? &q->real : &w->requests[w->index[i]];

            if (*real != MPI_REQUEST_NULL)
                PMPI_Wait(real, MPI_STATUS_IGNORE);
            w->real[w->index[i]] = *real;
        }
        visit(c, q, &w->status[w->index[i]]);
    }
    c->quiet = w->done <= 0;
}

/* Gives back what completed: statuses are the caller's to hand out. */
static void put_back(struct work *w, enum family family)
{
    (void) family;
    for (int i = 0; i < w->n; i++) {
        struct hmf__vreq *q = hmf__vreq_of(w->requests[i]);

        if (q == NULL)
            w->requests[i] = w->real[i];
        else if (!early(q) && !(q->flags & HMF__VREQ_REPLAY))
            q->real = w->real[i];
    }
    for (int i = 0; i < w->done; i++) {
        struct hmf__vreq *q = hmf__vreq_of(w->requests[w->index[i]]);
        int cancelled = 0;

        if (q == NULL)
            continue;
        if (!(q->flags & (HMF__VREQ_DONE | HMF__VREQ_REPLAY)) && q->real != MPI_REQUEST_NULL &&
            (!(q->flags & HMF__VREQ_PERSISTENT) ||
             (w->rc == MPI_ERR_IN_STATUS && w->status[w->index[i]].MPI_ERROR == MPI_ERR_PENDING)))
            continue; /* an error elsewhere in the array: this one goes on */
        PMPI_Test_cancelled(&w->status[w->index[i]], &cancelled);
        if (q->flags & HMF__VREQ_REPLAY)
            cancelled = 1; /* its message was counted by the predecessor */
        hmf__vreq_finish(q, &w->requests[w->index[i]], cancelled);
    }
}

/* False: w.rc is what to return. */
static bool complete(int fn, struct work *w, enum family family, bool wait, int n,
                     MPI_Request *requests)
{
    struct hmf__startup_call c;
    bool ours = false;

    memset(&c, 0, sizeof c);
    if (!work_init(w, n, requests)) {
        w->rc = hmf__shim_raise(MPI_COMM_WORLD, MPI_ERR_NO_MEM, fn);
        return false;
    }
    for (int i = 0; i < n; i++) {
        struct hmf__vreq *q = hmf__vreq_of(requests[i]);

        ours |= q != NULL && q->vcomm != &hmf__vcomm_self;
    }
    /* Only null requests, or those of a lower layer: nothing for the log. */
    c.live = true;
    if (ours && !hmf__startup_enter_any(&c, fn)) {
        w->rc = c.rc;
        return false;
    }
    if (c.live) {
        ask(w, family, wait);
        c.rc = w->rc;
    } else {
        for (int i = 0; i < n; i++) {
            struct hmf__vreq *q = hmf__vreq_of(requests[i]);

            w->real[i] = q == NULL ? requests[i] : q->real;
            empty_status(&w->status[i]);
        }
        w->rc = c.rc;
    }
    outcome(&c, w);
    if (ours)
        w->rc = hmf__startup_return(&c);
    put_back(w, family);
    return true;
}

static void give_statuses(const struct work *w, MPI_Status *statuses, bool packed)
{
    if (statuses == MPI_STATUSES_IGNORE)
        return;
    for (int i = 0; i < w->done; i++)
        statuses[packed ? i : w->index[i]] = w->status[w->index[i]];
}

static __attribute__((noinline)) int slow_all(int fn, bool wait, int n, MPI_Request *requests,
                                              int *flag, MPI_Status *statuses)
{
    struct work w;

    if (complete(fn, &w, ALL, wait, n, requests)) {
        if (w.flag)
            give_statuses(&w, statuses, false);
        *flag = w.flag;
    }
    work_fini(&w);
    return w.rc;
}

static __attribute__((noinline)) int slow_any(int fn, bool wait, int n, MPI_Request *requests,
                                              int *index, int *flag, MPI_Status *status)
{
    struct work w;

    if (complete(fn, &w, ANY, wait, n, requests)) {
        *flag = w.flag;
        *index = w.done > 0 ? w.index[0] : MPI_UNDEFINED;
        if (status != MPI_STATUS_IGNORE && w.flag) {
            if (w.done > 0)
                *status = w.status[w.index[0]];
            else
                empty_status(status);
        }
    }
    work_fini(&w);
    return w.rc;
}

static __attribute__((noinline)) int slow_some(int fn, bool wait, int n, MPI_Request *requests,
                                               int *count, int *indices, MPI_Status *statuses)
{
    struct work w;

    if (complete(fn, &w, SOME, wait, n, requests)) {
        *count = w.done;
        for (int i = 0; i < w.done; i++)
            indices[i] = w.index[i];
        give_statuses(&w, statuses, true);
    }
    work_fini(&w);
    return w.rc;
}

/* Can the fast path take this request? Sets the real handle. */
static inline bool plain(MPI_Request request, MPI_Request *real)
{
    struct hmf__vreq *q = hmf__vreq_of(request);

    *real = q != NULL ? q->real : request;
    return q == NULL || !(q->flags & HMF__VREQ_SPECIAL);
}

/* After a PMPI call that succeeded, for a request that it completed. */
static inline void fast_done(MPI_Request *request, MPI_Request real)
{
    struct hmf__vreq *q = hmf__vreq_of(*request);

    if (q == NULL) {
        *request = real;
        return;
    }
    q->real = real;
    hmf__vreq_finish(q, request, false);
}

int MPI_Wait(MPI_Request *request, MPI_Status *status)
{
    MPI_Request real;
    int rc, index, flag;

    if (hmf__unlikely(hmf__shim_phase != HMF__PHASE_NORMAL || !plain(*request, &real)))
        return slow_any(HMF__FN_Wait, true, 1, request, &index, &flag, status);
    rc = PMPI_Wait(&real, status);
    if (hmf__likely(rc == MPI_SUCCESS || real == MPI_REQUEST_NULL))
        fast_done(request, real);
    return rc;
}

int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status)
{
    MPI_Request real;
    int rc, index;

    if (hmf__unlikely(hmf__shim_phase != HMF__PHASE_NORMAL || !plain(*request, &real)))
        return slow_any(HMF__FN_Test, false, 1, request, &index, flag, status);
    rc = PMPI_Test(&real, flag, status);
    if (rc == MPI_SUCCESS ? *flag : real == MPI_REQUEST_NULL)
        fast_done(request, real);
    return rc;
}

/* Translates an array; false: not for the fast path. The caller frees *real if it is not `few`. */
static inline bool translate(int n, MPI_Request *requests, MPI_Request *few, MPI_Request **real)
{
    *real = few;
    if (hmf__unlikely(hmf__shim_phase != HMF__PHASE_NORMAL))
        return false;
    if (n > ON_STACK && (*real = hmf__malloc((size_t) n * sizeof **real)) == NULL) {
        *real = few;
        return false;
    }
    for (int i = 0; i < n; i++)
        if (hmf__unlikely(!plain(requests[i], &(*real)[i])))
            return false;
    return true;
}

static inline void release(MPI_Request *few, MPI_Request *real)
{
    if (hmf__unlikely(real != few))
        hmf__free(real);
}

/* An error in an array: what MPI has let go of is gone for the program too. */
static __attribute__((noinline, cold)) void after_error(int n, MPI_Request *requests,
                                                        const MPI_Request *real)
{
    for (int i = 0; i < n; i++) {
        struct hmf__vreq *q = hmf__vreq_of(requests[i]);

        if (q == NULL)
            requests[i] = real[i];
        else if (real[i] == MPI_REQUEST_NULL)
            fast_done(&requests[i], real[i]);
    }
}

int MPI_Waitall(int n, MPI_Request requests[], MPI_Status *statuses)
{
    MPI_Request few[ON_STACK], *real;
    int rc, flag;

    if (hmf__unlikely(!translate(n, requests, few, &real))) {
        release(few, real);
        return slow_all(HMF__FN_Waitall, true, n, requests, &flag, statuses);
    }
    rc = PMPI_Waitall(n, real, statuses);
    if (hmf__likely(rc == MPI_SUCCESS))
        for (int i = 0; i < n; i++)
            fast_done(&requests[i], real[i]);
    else
        after_error(n, requests, real);
    release(few, real);
    return rc;
}

int MPI_Testall(int n, MPI_Request requests[], int *flag, MPI_Status statuses[])
{
    MPI_Request few[ON_STACK], *real;
    int rc;

    if (hmf__unlikely(!translate(n, requests, few, &real))) {
        release(few, real);
        return slow_all(HMF__FN_Testall, false, n, requests, flag, statuses);
    }
    rc = PMPI_Testall(n, real, flag, statuses);
    if (rc != MPI_SUCCESS)
        after_error(n, requests, real);
    else if (*flag)
        for (int i = 0; i < n; i++)
            fast_done(&requests[i], real[i]);
    release(few, real);
    return rc;
}

int MPI_Waitany(int n, MPI_Request requests[], int *index, MPI_Status *status)
{
    MPI_Request few[ON_STACK], *real;
    int rc, flag;

    if (hmf__unlikely(!translate(n, requests, few, &real))) {
        release(few, real);
        return slow_any(HMF__FN_Waitany, true, n, requests, index, &flag, status);
    }
    rc = PMPI_Waitany(n, real, index, status);
    if (rc != MPI_SUCCESS)
        after_error(n, requests, real);
    else if (*index != MPI_UNDEFINED)
        fast_done(&requests[*index], real[*index]);
    release(few, real);
    return rc;
}

int MPI_Testany(int n, MPI_Request requests[], int *index, int *flag, MPI_Status *status)
{
    MPI_Request few[ON_STACK], *real;
    int rc;

    if (hmf__unlikely(!translate(n, requests, few, &real))) {
        release(few, real);
        return slow_any(HMF__FN_Testany, false, n, requests, index, flag, status);
    }
    rc = PMPI_Testany(n, real, index, flag, status);
    if (rc != MPI_SUCCESS)
        after_error(n, requests, real);
    else if (*flag && *index != MPI_UNDEFINED)
        fast_done(&requests[*index], real[*index]);
    release(few, real);
    return rc;
}

int MPI_Waitsome(int n, MPI_Request requests[], int *count, int indices[], MPI_Status statuses[])
{
    MPI_Request few[ON_STACK], *real;
    int rc;

    if (hmf__unlikely(!translate(n, requests, few, &real))) {
        release(few, real);
        return slow_some(HMF__FN_Waitsome, true, n, requests, count, indices, statuses);
    }
    rc = PMPI_Waitsome(n, real, count, indices, statuses);
    if (rc != MPI_SUCCESS)
        after_error(n, requests, real);
    else
        for (int i = 0; i < *count; i++)
            fast_done(&requests[indices[i]], real[indices[i]]);
    release(few, real);
    return rc;
}

int MPI_Testsome(int n, MPI_Request requests[], int *count, int indices[], MPI_Status statuses[])
{
    MPI_Request few[ON_STACK], *real;
    int rc;

    if (hmf__unlikely(!translate(n, requests, few, &real))) {
        release(few, real);
        return slow_some(HMF__FN_Testsome, false, n, requests, count, indices, statuses);
    }
    rc = PMPI_Testsome(n, real, count, indices, statuses);
    if (rc != MPI_SUCCESS)
        after_error(n, requests, real);
    else
        for (int i = 0; i < *count; i++)
            fast_done(&requests[indices[i]], real[indices[i]]);
    release(few, real);
    return rc;
}

int MPI_Request_get_status(MPI_Request request, int *flag, MPI_Status *status)
{
    struct hmf__vreq *q = hmf__vreq_of(request);
    MPI_Status own, *s = status == MPI_STATUS_IGNORE ? &own : status;
    struct hmf__startup_call c;

    if (q == NULL)
        return PMPI_Request_get_status(request, flag, status);
    memset(&c, 0, sizeof c);
    c.live = true;
    if (q->vcomm != &hmf__vcomm_self && hmf__shim_phase != HMF__PHASE_NORMAL &&
        !hmf__startup_enter_any(&c, HMF__FN_Request_get_status))
        return c.rc;
    if (c.live && (q->flags & HMF__VREQ_DONE)) {
        *flag = 1;
        *s = q->status;
        c.rc = q->error;
    } else if (c.live) {
        c.rc = PMPI_Request_get_status(q->real, flag, s);
    }
    hmf__out_val(&c, flag, sizeof *flag);
    if (*flag)
        visit(&c, q, s);
    c.quiet = !*flag;
    return hmf__startup_return(&c);
}

static int start(int fn, MPI_Request *request)
{
    struct hmf__vreq *q = hmf__vreq_of(*request);
    int rc;

    if (q == NULL)
        return PMPI_Start(request);
    if (hmf__unlikely(hmf__shim_phase == HMF__PHASE_LEFT))
        return hmf__shim_left(fn);
    if (!(q->flags & HMF__VREQ_PERSISTENT) || (q->flags & HMF__VREQ_ACTIVE))
        return hmf__shim_raise(q->vcomm != NULL ? hmf__vcomm_handle(q->vcomm) : MPI_COMM_WORLD,
                               MPI_ERR_REQUEST, fn);
    if (hmf__shim_phase == HMF__PHASE_REPLAY && q->vcomm != &hmf__vcomm_self) {
        q->flags |= HMF__VREQ_ACTIVE | HMF__VREQ_REPLAY;
        return MPI_SUCCESS;
    }
    /* A receive may have its message in the stash already. */
    rc = q->kind == HMF__VREQ_RECV && q->vcomm->stash != NULL && hmf__p2p_from_stash(q)
             ? MPI_SUCCESS : PMPI_Start(&q->real);
    if (rc == MPI_SUCCESS) {
        q->flags |= HMF__VREQ_ACTIVE;
        hmf__vreq_to_end(q);
        if (q->kind == HMF__VREQ_SEND && q->peer != MPI_PROC_NULL)
            hmf__count_sent_v(q->vcomm);
    }
    return rc;
}

int MPI_Start(MPI_Request *request)
{
    return start(HMF__FN_Start, request);
}

int MPI_Startall(int n, MPI_Request requests[])
{
    for (int i = 0; i < n; i++) {
        int rc = start(HMF__FN_Startall, &requests[i]);

        if (rc != MPI_SUCCESS)
            return rc;
    }
    return MPI_SUCCESS;
}

int MPI_Cancel(MPI_Request *request)
{
    struct hmf__vreq *q = hmf__vreq_of(*request);

    if (q == NULL)
        return PMPI_Cancel(request);
    if (hmf__shim_phase == HMF__PHASE_LEFT)
        return hmf__shim_left(HMF__FN_Cancel);
    if (q->flags & (HMF__VREQ_DONE | HMF__VREQ_REPLAY))
        return MPI_SUCCESS;
    q->flags |= HMF__VREQ_CANCEL;
    return PMPI_Cancel(&q->real);
}

int MPI_Request_free(MPI_Request *request)
{
    struct hmf__vreq *q = hmf__vreq_of(*request);
    int rc = MPI_SUCCESS;

    if (q == NULL)
        return PMPI_Request_free(request);
    *request = MPI_REQUEST_NULL;
    if ((q->flags & HMF__VREQ_ACTIVE) && q->kind != HMF__VREQ_GREQ) {
        hmf__vreq_orphan(q);
        return MPI_SUCCESS;
    }
    if (q->real != MPI_REQUEST_NULL)
        rc = PMPI_Request_free(&q->real);
    hmf__vreq_drop(q);
    return rc;
}

int MPI_Grequest_start(MPI_Grequest_query_function *query_fn, MPI_Grequest_free_function *free_fn,
                       MPI_Grequest_cancel_function *cancel_fn, void *extra_state,
                       MPI_Request *request)
{
    struct hmf__vreq *q;
    int rc;

    if (!hmf__vreq_begin_other(HMF__VREQ_GREQ, HMF__FN_Grequest_start, request, &q, &rc))
        return rc;
    q->greq = hmf__malloc(sizeof *q->greq);
    q->buf = extra_state;
    rc = MPI_ERR_NO_MEM;
    if (q->greq != NULL) {
        *q->greq = (struct hmf__greq) {query_fn, free_fn, cancel_fn};
        rc = PMPI_Grequest_start(query_fn, free_fn, cancel_fn, extra_state, &q->real);
    }
    return hmf__vreq_end(q, rc, request);
}

int MPI_Grequest_complete(MPI_Request request)
{
    struct hmf__vreq *q = hmf__vreq_of(request);

    if (q == NULL)
        return PMPI_Grequest_complete(request);
    if (hmf__unlikely(hmf__shim_phase == HMF__PHASE_LEFT))
        return hmf__shim_left(HMF__FN_Grequest_complete);
    q->flags |= HMF__VREQ_FULFILLED;
    return PMPI_Grequest_complete(q->real);
}
