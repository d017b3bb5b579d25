/* Holding threads off MPI while the main thread moves a rank; see gate.h. */
#include "config.h"

#include "gate.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"
#include "drain.h"
#include "shim/fn.h"

enum { BUCKETS = 128 };

struct thread {
    struct thread *next;        /* all that ever were; reused */
    _Atomic int inside;         /* enum hmf__fn + 1; 0: outside */
    _Atomic bool together;      /* ... in a collective call */
    _Atomic int within;         /* the same of a call in pieces */
    _Atomic bool must_end;      /* ... that must be over before the rank leaves */
    bool used;
    struct hmf__vcomm *wants;   /* held before a collective call on it */
};

bool hmf__gate_on;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_key_t key;          /* tells when a thread ends */
    struct thread *threads;
    _Atomic bool shut;
    _Atomic bool leaving;
    _Atomic bool catching_up;   /* only collective calls that nobody has begun are held */
    _Atomic bool fences;        /* the kernel has no membarrier */
    uint64_t ahead[BUCKETS];    /* calls made on communicators at the rank that made most */
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct thread main_thread;
static _Thread_local struct thread *me __attribute__((tls_model("initial-exec")));

static void ended(void *thread)
{
    struct thread *t = thread;

    pthread_mutex_lock(&gate.lock);
    t->used = false;
    pthread_mutex_unlock(&gate.lock);
}

void hmf__gate_init(int provided)
{
    me = &main_thread;
    if (provided <= MPI_THREAD_FUNNELED || pthread_key_create(&gate.key, ended))
        return;
    gate.fences = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0;
    hmf__gate_on = true;
}

static struct thread *find(void)
{
    struct thread *t;

    pthread_mutex_lock(&gate.lock);
    for (t = gate.threads; t != NULL && t->used; t = t->next)
        ;
    if (t == NULL && (t = hmf__calloc(1, sizeof *t)) != NULL) {
        t->next = gate.threads;
        gate.threads = t;
    }
    if (t != NULL)
        t->used = true;
    pthread_mutex_unlock(&gate.lock);
    if (t != NULL)
        pthread_setspecific(gate.key, t);
    return t;
}

bool hmf__gate_is_main(void)
{
    return me == &main_thread;
}

bool hmf__gate_outside(void)
{
    return me != &main_thread &&
           (me == NULL || !atomic_load_explicit(&me->inside, memory_order_relaxed));
}

/* Held before a collective call that others have made; with the lock. */
static bool behind(const struct thread *t)
{
    const struct hmf__vcomm *v = t->wants;

    return v != NULL &&
           gate.ahead[v->gid % BUCKETS] > __atomic_load_n(&v->collectives, __ATOMIC_RELAXED);
}

/* Held, with the lock: may it go on though the gate is shut? */
static bool may_pass(const struct thread *t)
{
    return behind(t) || (gate.catching_up && t->wants == NULL) ||
           (gate.leaving && t->within && t->must_end);
}

bool hmf__gate_enter(int fn, MPI_Comm comm)
{
    struct thread *t = me;

    if (t == NULL)
        t = me = find();
    if (t == &main_thread || t == NULL || atomic_load_explicit(&t->inside, memory_order_relaxed))
        return false;
    atomic_store_explicit(&t->together, comm != MPI_COMM_NULL, memory_order_relaxed);
    atomic_store_explicit(&t->inside, fn + 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (gate.fences)
        atomic_thread_fence(memory_order_seq_cst);
    if (__builtin_expect(!atomic_load_explicit(&gate.shut, memory_order_relaxed), 1)) {
        atomic_thread_fence(memory_order_acquire);
        return true;
    }
    pthread_mutex_lock(&gate.lock);
    atomic_store(&t->inside, 0);
    t->wants = comm != MPI_COMM_NULL ? hmf__vcomm_of(comm) : NULL;
    while (gate.shut && !may_pass(t))
        pthread_cond_wait(&gate.changed, &gate.lock);
    t->wants = NULL;
    atomic_store(&t->inside, fn + 1);
    pthread_mutex_unlock(&gate.lock);
    return true;
}

void hmf__gate_leave(void)
{
    atomic_store_explicit(&me->inside, 0, memory_order_release);
}

void hmf__gate_within(int fn, bool must_end)
{
    if (me == NULL || me == &main_thread)
        return;
    atomic_store_explicit(&me->must_end, must_end, memory_order_relaxed);
    atomic_store_explicit(&me->within, fn >= 0 ? fn + 1 : 0, memory_order_release);
}

/* How many are inside or about to be, how many of them in collective calls; *what: the call of one. */
static int count(int *what, int *together)
{
    int n = 0;

    *together = 0;

    pthread_mutex_lock(&gate.lock);
    for (struct thread *t = gate.threads; t != NULL; t = t->next) {
        int fn = atomic_load(&t->inside), within = atomic_load(&t->within);
        bool waits = gate.leaving && within && atomic_load(&t->must_end);

        if (!t->used || !(fn || waits || behind(t)))
            continue;
        n++;
        *together += behind(t) || (fn && atomic_load(&t->together));
        *what = within ? within - 1 : fn - 1;
    }
    pthread_mutex_unlock(&gate.lock);
    return n;
}

static void shut(bool leaving)
{
    pthread_mutex_lock(&gate.lock);
    gate.leaving = leaving;
    gate.catching_up = false;
    memset(gate.ahead, 0, sizeof gate.ahead);
    atomic_store(&gate.shut, true);
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
    if (!gate.fences)
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

static hmf_status_t busy(int fn)
{
    return hmf__fail(HMF_ERR_BUSY, "a thread of rank %d is inside %s and does not come out: nothing can be "
                     "done at a poll while it is there; let it end before auto_poll, or wait in MPI_Recv, "
                     "MPI_Probe or MPI_Wait", hmf__vcomm_world.rank, hmf__fn_name(fn));
}

hmf_status_t hmf__gate_shut(bool leaving, uint64_t limit_ns)
{
    uint64_t start = hmf__now_ns();
    int fn = 0, together;

    if (!hmf__gate_on)
        return HMF_OK;
    shut(leaving);
    for (unsigned i = 0; count(&fn, &together) > 0; i++) {
        if (hmf__now_ns() - start > limit_ns)
            return busy(fn);
        if (i < 100)
            sched_yield();
        else
            usleep(200);
    }
    return HMF_OK;
}

/* Who has made most collective calls on each communicator; a bucket may hold several: then somebody is
 * let in who need not be, and another round follows.  *differ: they have not all made equally many. */
static int look_ahead(MPI_Comm inner, uint64_t *ahead, bool *differ)
{
    uint64_t mine[BUCKETS] = {0}, check, sum;
    int rc;

    hmf__vcomm_lock();
    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next) {
        uint64_t n = __atomic_load_n(&v->collectives, __ATOMIC_RELAXED), *b = &mine[v->gid % BUCKETS];

        if (n > *b && hmf__drain_counts(v))
            *b = n;
    }
    check = hmf__drain_collectives();
    hmf__vcomm_unlock();
    rc = PMPI_Allreduce(mine, ahead, BUCKETS, MPI_UINT64_T, MPI_MAX, inner);
    if (rc == MPI_SUCCESS)
        rc = PMPI_Allreduce(&check, &sum, 1, MPI_UINT64_T, MPI_SUM, inner);
    *differ = rc == MPI_SUCCESS && sum != 0;
    return rc;
}

static void let_in(const uint64_t *ahead, bool catching_up)
{
    pthread_mutex_lock(&gate.lock);
    memcpy(gate.ahead, ahead, sizeof gate.ahead);
    gate.catching_up = catching_up;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

/* The text of one of the ranks at which st is not 0, at all. */
static hmf_status_t tell_all(MPI_Comm inner, hmf_status_t st)
{
    struct { int status, rank; } mine = {(int)st, hmf__vcomm_world.rank}, all;
    char text[400];
    int rc;

    snprintf(text, sizeof text, "%s", st ? hmf_error_text() : "");
    rc = PMPI_Allreduce(&mine, &all, 1, MPI_2INT, MPI_MAXLOC, inner);
    if (rc == MPI_SUCCESS && all.status)
        rc = PMPI_Bcast(text, sizeof text, MPI_CHAR, all.rank, inner);
    if (rc != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "the ranks could not agree on whose threads are inside MPI (%d)", rc);
    return all.status ? hmf__fail((hmf_status_t)all.status, "%s", text) : HMF_OK;
}

hmf_status_t hmf__gate_settle(MPI_Comm inner, uint64_t limit_ns)
{
    enum { INSIDE, TOGETHER, LATE, FAILED, SUMS };
    uint64_t start = hmf__now_ns(), ahead[BUCKETS] = {0};
    int mine[SUMS], all[SUMS], fn = 0;
    bool strict = true;                   /* nobody is let in at present */

    if (!hmf__gate_on)
        return HMF_OK;
    shut(gate.leaving);
    for (;;) {
        bool differ = false;

        mine[FAILED] = look_ahead(inner, ahead, &differ) != MPI_SUCCESS;
        mine[INSIDE] = count(&fn, &mine[TOGETHER]);
        mine[LATE] = hmf__now_ns() - start > limit_ns;
        if (PMPI_Allreduce(mine, all, SUMS, MPI_INT, MPI_SUM, inner) != MPI_SUCCESS || all[FAILED])
            return hmf__fail(HMF_ERR_MPI, "counting the threads inside MPI failed");
        if (all[INSIDE] == 0 && !differ && strict)
            return HMF_OK;
        /* Which communicator it is, where nobody is inside, the drain finds. */
        if (all[LATE] != 0 && all[INSIDE] == 0 && differ)
            return HMF_OK;
        if (all[LATE] != 0)
            return tell_all(inner, mine[INSIDE] > 0 || all[INSIDE] == 0 ? busy(fn) : HMF_OK);
        strict = !differ && all[TOGETHER] == 0;
        let_in(strict ? (uint64_t[BUCKETS]){0} : ahead, !strict);
        sched_yield();
    }
}

void hmf__gate_open(void)
{
    if (!gate.shut)
        return;
    pthread_mutex_lock(&gate.lock);
    atomic_store(&gate.shut, false);
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}
