/* progress.h - how much of its time a rank has waited inside MPI, and what the kernel knows of its main
 * thread.
 *
 * The time that a rank computes is what tells a slow place: a rank that waits for a slow one in MPI
 * is itself not slow.  So the shim puts HMF__TIMED around every PMPI call that may wait.  When nobody
 * watches, that is one load and one branch; watched, it is two reads of the time stamp counter.
 * Each poll leaves a mark, so that whole iterations are measured.  Whoever reads (the agent) needs no lock.
 * What the numbers mean is monitor_slow.c's. */
#ifndef HMF_PROGRESS_H
#define HMF_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base.h"

struct hmf__watch {
    /* Twice the ticks waited so far, outside of a wait; inside of one, twice (that less the ticks at
     * which it began), plus 1.  All modulo 2^64. */
    _Atomic uint64_t waits;
    /* At the begin of the last poll; `seq` is odd while the three are being written. */
    _Atomic uint64_t seq, polls, ticks, waited;
};

/* Of this thread; NULL: nobody watches it.  Only the main thread has one, since two threads that
 * wait at once would not add up. */
extern _Thread_local struct hmf__watch *hmf__watched __attribute__((tls_model("initial-exec")));

/* A clock that all cores share, as cheap as can be; its unit is of no importance. */
static inline uint64_t hmf__ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t t;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
    return t;
#else
    return hmf__now_ns();
#endif
}

/* True: a wait has begun, and end must be called.  A wait within a wait does not count. */
static inline bool hmf__wait_begin(void)
{
    struct hmf__watch *w = hmf__watched;
    uint64_t v;

    if (__builtin_expect(!w, 1))
        return false;
    v = atomic_load_explicit(&w->waits, memory_order_relaxed);
    if (v & 1)
        return false;
    atomic_store_explicit(&w->waits, v - 2 * hmf__ticks() + 1, memory_order_relaxed);
    return true;
}

static inline void hmf__wait_end(void)
{
    struct hmf__watch *w = hmf__watched;
    uint64_t v = atomic_load_explicit(&w->waits, memory_order_relaxed);

    atomic_store_explicit(&w->waits, v - 1 + 2 * hmf__ticks(), memory_order_relaxed);
}

#define HMF__TIMED(call)                                                                           \
    ({                                                                                             \
        bool timed_ = hmf__wait_begin();                                                           \
        int timed_rc_ = (call);                                                                    \
        if (__builtin_expect(timed_, 0))                                                           \
            hmf__wait_end();                                                                       \
        timed_rc_;                                                                                 \
    })

/* The n-th poll begins. */
static inline void hmf__watch_poll(uint64_t n)
{
    struct hmf__watch *w = hmf__watched;
    uint64_t seq;

    if (__builtin_expect(!w, 1))
        return;
    seq = atomic_load_explicit(&w->seq, memory_order_relaxed);
    atomic_store_explicit(&w->seq, seq + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&w->polls, n, memory_order_relaxed);
    atomic_store_explicit(&w->ticks, hmf__ticks(), memory_order_relaxed);
    atomic_store_explicit(&w->waited,
                          atomic_load_explicit(&w->waits, memory_order_relaxed) >> 1,
                          memory_order_relaxed);
    atomic_store_explicit(&w->seq, seq + 2, memory_order_release);
}

struct hmf__mark { uint64_t polls, ticks, waited; };

/* Any thread: the last poll.  False: it is being written, try again later. */
static inline bool hmf__watch_read(struct hmf__watch *w, struct hmf__mark *m)
{
    uint64_t seq = atomic_load_explicit(&w->seq, memory_order_acquire);

    m->polls = atomic_load_explicit(&w->polls, memory_order_relaxed);
    m->ticks = atomic_load_explicit(&w->ticks, memory_order_relaxed);
    m->waited = atomic_load_explicit(&w->waited, memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    return !(seq & 1) && seq == atomic_load_explicit(&w->seq, memory_order_relaxed);
}

/* ---- the main thread, seen from the agent ---- */

struct hmf__thread {
    int clock;              /* its CPU clock */
    int schedstat_fd;       /* -1: the kernel does not tell */
};

/* Called by the thread that is to be watched. */
void hmf__thread_open(struct hmf__thread *t);
/* Called by any thread: seconds on a CPU, and seconds ready to run without one (*delay_s is 0 if
 * the kernel does not tell). */
void hmf__thread_read(const struct hmf__thread *t, double *cpu_s, double *delay_s);
void hmf__thread_close(struct hmf__thread *t);

#endif
