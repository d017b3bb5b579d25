/* job.c - this process's part in the job (see job.h): who is a spare, what all must know of each
 * other, and the end. */
#include "config.h"

#include "job.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <mpi.h>

#include "calibrate.h"
#include "check.h"
#include "coord.h"
#include "monitor.h"
#include "move.h"
#include "pulse.h"
#include "settings.h"
#include "startup.h"
#include "type.h"
#include "world.h"

#define CHECK_TAG 1             /* the inner communicator has no other messages */

struct hmf__job hmf__job;

/* ---- waiting -------------------- */

static void later(struct timespec *t, long ns)
{
    clock_gettime(CLOCK_MONOTONIC, t);
    t->tv_nsec += ns;
    if (t->tv_nsec >= 1000000000) {
        t->tv_nsec -= 1000000000;
        t->tv_sec++;
    }
}

/* A rank that waits must let MPI move on: another may need the rest of a message that this one
 * began to send.  Asking for a message makes MPI look at all of them. */
static void mpi_progress(void)
{
    MPI_Comm inner = hmf__world_inner();
    int flag;

    if (inner != MPI_COMM_NULL)
        PMPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, inner, &flag, MPI_STATUS_IGNORE);
}

/* One nap, woken by the agent; with the lock held.  Naps grow to `most` ns. */
static void nap(struct hmf__agent *a, long *ns, long most)
{
    struct timespec until;

    later(&until, *ns);
    pthread_cond_timedwait(&a->changed, &a->lock, &until);
    pthread_mutex_unlock(&a->lock);
    mpi_progress();
    pthread_mutex_lock(&a->lock);
    *ns = 2 * *ns < most ? 2 * *ns : most;
}

uint32_t hmf__job_wait_order(struct hmf__job *j, uint64_t epoch, uint32_t after)
{
    struct hmf__agent *a = &j->agent;
    uint32_t order;
    long ns = 50000;

    pthread_mutex_lock(&a->lock);
    while (a->op.epoch == epoch && a->order <= after)
        nap(a, &ns, 5000000);
    order = a->op.epoch == epoch ? a->order : HMF__WAVE_ABORT;
    pthread_mutex_unlock(&a->lock);
    return order;
}

int hmf__job_begun(struct hmf__job *j, uint64_t epoch, uint32_t wave)
{
    struct hmf__agent *a = &j->agent;
    int yes;

    pthread_mutex_lock(&a->lock);
    yes = a->begun_epoch == epoch && a->begun >= wave;
    pthread_mutex_unlock(&a->lock);
    return yes;
}

void hmf__job_wait_fence(struct hmf__job *j)
{
    struct hmf__agent *a = &j->agent;
    long ns = 50000;

    pthread_mutex_lock(&a->lock);
    while (a->fenced && !a->ending)
        nap(a, &ns, 5000000);
    pthread_mutex_unlock(&a->lock);
}

bool hmf__job_moved_on(struct hmf__job *j, uint64_t epoch, uint64_t cut)
{
    struct hmf__agent *a = &j->agent;
    bool on;
    long ns = 50000;

    pthread_mutex_lock(&a->lock);
    while (a->op.epoch == epoch && a->order <= HMF__WAVE_CUT && a->op.cut == cut)
        nap(a, &ns, 5000000);
    on = a->op.epoch == epoch && a->order <= HMF__WAVE_CUT;
    pthread_mutex_unlock(&a->lock);
    return on;
}

int hmf__job_given_up(struct hmf__job *j, uint64_t epoch)
{
    struct hmf__agent *a = &j->agent;
    int up;

    pthread_mutex_lock(&a->lock);
    up = a->op.epoch != epoch || a->order == HMF__WAVE_ABORT;
    pthread_mutex_unlock(&a->lock);
    return up;
}

/* ---- signals -------------------- */

static void on_signal(int sig)
{
    hmf__agent_signal(&hmf__job.agent, sig);
}

void hmf__job_signal(int sig, int on)
{
    struct sigaction now, want = {.sa_handler = on ? on_signal : SIG_DFL, .sa_flags = SA_RESTART};

    if (sigaction(sig, NULL, &now))
        return;
    if (on ? now.sa_handler == SIG_DFL : now.sa_handler == on_signal)
        sigaction(sig, &want, NULL);       /* a program's own handler stays */
}

/* ---- beginning -------------------- */

static hmf_status_t agree(hmf_status_t st)
{
    int mine = (int)st, worst = 0;

    if (PMPI_Allreduce(&mine, &worst, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD))
        return HMF_ERR_MPI;
    return (hmf_status_t)worst;
}

/* Addresses and secret go round, then the agent starts. */
static hmf_status_t start_agent(struct hmf__agent *a)
{
    struct hmf__net_addr self, *all;
    struct hmf__abi abi;
    uint64_t key[2], range[2];
    uint8_t secret[HMF__NET_SECRET + 8] = {0};   /* and the run's own number */
    hmf_status_t st;

    all = hmf__calloc((size_t)a->nprocs, sizeof *all);
    hmf__net_self(&self);
    hmf__abi_native(&abi);
    snprintf(self.data, sizeof self.data, "%s%d-%d-%d", abi.big_endian ? "be" : "le", 8 * abi.pointer_size,
             abi.max_align, abi.ldouble);
    key[0] = self.host_key;
    key[1] = ~self.host_key;
    /* All on one host: only loopback needs to listen. */
    if (PMPI_Allreduce(key, range, 2, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD))
        st = HMF_ERR_MPI;
    else
        st = hmf__agent_open(a, &self, range[0] == ~range[1]);
    if (!st && !all)
        st = hmf__fail(HMF_ERR_NOMEM, "no memory for %d addresses", a->nprocs);
    if (a->proc == 0 && getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
        st = hmf__fail(HMF_ERR_IO, "no random numbers: %s", strerror(errno));
    if (st)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    if (!(st = agree(st))) {
        PMPI_Allgather(&self, sizeof self, MPI_BYTE, all, sizeof self, MPI_BYTE, MPI_COMM_WORLD);
        PMPI_Bcast(secret, sizeof secret, MPI_BYTE, 0, MPI_COMM_WORLD);
        memcpy(&hmf__job.id, secret + HMF__NET_SECRET, sizeof hmf__job.id);
        a->id = hmf__job.id;
        st = hmf__agent_start(a, all, secret);
        if (st)
            hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
        st = agree(st);
    }
    hmf__free(all);
    return st;
}

uint64_t hmf__job_cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A spare sleeps until it is given a rank, or the job ends. */
static void wait_as_spare(struct hmf__job *j)
{
    struct hmf__agent *a = &j->agent;

    pthread_mutex_lock(&a->lock);
    while (a->role == HMF__ROLE_SPARE && !a->ending)
        pthread_cond_wait(&a->changed, &a->lock);
    pthread_mutex_unlock(&a->lock);
    if (a->role == HMF__ROLE_INCOMING && !hmf__move_enter(j))
        return;
    if (!a->ending)
        hmf__world_rollback();
    hmf__job_park(j);
}

hmf_status_t hmf__job_init(int *argc, char ***argv)
{
    struct hmf__job *j = &hmf__job;
    struct hmf__agent *a = &j->agent;
    struct hmf__settings set;
    hmf_status_t st;
    bool spare;

    (void)argc;
    (void)argv;
    PMPI_Comm_rank(MPI_COMM_WORLD, &a->proc);
    PMPI_Comm_size(MPI_COMM_WORLD, &a->nprocs);
    if ((st = agree(hmf__settings_read(&set, a->proc, a->nprocs))))
        goto without;
    a->nranks = set.nranks;
    a->limit_ns = (uint64_t)(set.timeout_s * 1e9);
    a->recovers = set.recovers;
    a->start_limit_ns = (uint64_t)(set.startup_timeout_s * 1e9);
    a->proc_of = set.proc_of;
    a->rank = -1;
    for (int r = 0; r < set.nranks; r++)
        if (set.proc_of[r] == a->proc)
            a->rank = r;
    spare = a->rank < 0;                  /* its agent may be sent a rank before we wait for one */
    a->role = spare ? HMF__ROLE_SPARE : HMF__ROLE_ACTIVE;
    a->program = hmf__strdup(set.program);
    hmf__log_identity(a->rank);
    if ((st = agree(hmf__world_init(set.nranks, set.proc_of))))
        goto without;
    j->up = true;
    if (!a->program || (st = start_agent(a))) {
        hmf__log(HMF__LOG_ERROR, "this job runs without moves and checkpoints");
        j->can_stop = false;
        if (spare)
            hmf__job_park(j);
        hmf__startup_begin(0);
        return HMF_OK;
    }
    j->can_stop = true;
    hmf__calibrate(a);
    a->size.resident_kib = hmf__agent_resident_kib();
    hmf__monitor_watch(a->monitor);
    hmf__job_signal(SIGUSR1, 1);
    hmf__job_signal(SIGUSR2, 1);
    if (spare)
        wait_as_spare(j);
    else
        hmf__startup_begin(set.nranks < a->nprocs);
    j->start_us = hmf__job_cpu_us();
    return HMF_OK;

without:
    hmf__log(HMF__LOG_ERROR, "libhmf-mpi could not start (%s): the program runs on plain MPI",
             hmf_error_text());
    hmf__world_fini();
    return HMF_OK;
}

/* ---- checkpoint callbacks over the actives -------------------- */

static hmf_status_t check_agree(void *ctx, hmf_status_t mine, char *text, size_t len)
{
    struct { int status, rank; } in, out;
    int rc;

    (void)ctx;
    in.status = (int)mine;
    in.rank = hmf__world_rank();
    rc = PMPI_Allreduce(&in, &out, 1, MPI_2INT, MPI_MAXLOC, hmf__world_inner());
    if (!rc && out.status)
        rc = PMPI_Bcast(text, (int)len, MPI_BYTE, out.rank, hmf__world_inner());
    if (rc)
        return hmf__fail(HMF_ERR_MPI, "the ranks could not agree on the outcome of a checkpoint");
    return (hmf_status_t)out.status;
}

static hmf_status_t check_gather(void *ctx, const void *mine, size_t len, void *all)
{
    (void)ctx;
    return PMPI_Gather(mine, (int)len, MPI_BYTE, all, (int)len, MPI_BYTE, 0, hmf__world_inner())
               ? hmf__fail(HMF_ERR_MPI, "rank 0 could not gather what the ranks wrote") : HMF_OK;
}

static hmf_status_t check_bcast(void *ctx, void *data, size_t len)
{
    (void)ctx;
    return PMPI_Bcast(data, (int)len, MPI_BYTE, 0, hmf__world_inner())
               ? hmf__fail(HMF_ERR_MPI, "rank 0 could not tell the others") : HMF_OK;
}

static hmf_status_t check_trade(void *ctx, int to, const void *out, size_t out_len, int from,
                                void *in, size_t in_len)
{
    (void)ctx;
    return PMPI_Sendrecv(out, (int)out_len, MPI_BYTE, to < 0 ? MPI_PROC_NULL : to, CHECK_TAG,
                         in, (int)in_len, MPI_BYTE, from < 0 ? MPI_PROC_NULL : from, CHECK_TAG,
                         hmf__world_inner(), MPI_STATUS_IGNORE)
               ? hmf__fail(HMF_ERR_MPI, "a part of a checkpoint could not be exchanged") : HMF_OK;
}

static hmf_status_t check_least(void *ctx, int *numbers, size_t n)
{
    (void)ctx;
    return PMPI_Allreduce(MPI_IN_PLACE, numbers, (int)n, MPI_INT, MPI_MIN, hmf__world_inner())
               ? hmf__fail(HMF_ERR_MPI, "the ranks could not tell each other what they have") : HMF_OK;
}

/* In any thread: the agent is the only one that writes events. */
static void check_flushed(void *ctx, uint64_t generation, hmf_status_t status, double seconds)
{
    struct hmf__buf out = HMF__BUF_INIT;

    (void)ctx;
    hmf__buf_put_u64(&out, generation);
    hmf__buf_put_u32(&out, (uint32_t)status);
    hmf__buf_put_u64(&out, (uint64_t)(seconds * 1e6));
    hmf__buf_put_string(&out, status ? hmf_error_text() : "");
    if (!out.status)
        hmf__agent_tell(&hmf__job.agent, HMF__F_L_FLUSHED, out.data, out.len);
    hmf__buf_fini(&out);
}

hmf_status_t hmf__job_agree(hmf_status_t mine)
{
    char text[1024];
    hmf_status_t st;

    snprintf(text, sizeof text, "%s", hmf_error_text());
    st = check_agree(NULL, mine, text, sizeof text);
    text[sizeof text - 1] = 0;
    return st && st != HMF_ERR_MPI ? hmf__fail(st, "%s", text) : st;
}

struct hmf__check_job *hmf__job_check(struct hmf__job *j)
{
    struct hmf__check_job *c = &j->check;

    c->rank = hmf__world_rank();
    c->nranks = hmf__world_size();
    c->dir = j->dir;
    c->program = j->agent.program;
    c->keep = (int)j->keep;
    c->job_id = j->id;
    c->agree = check_agree;
    c->gather = check_gather;
    c->bcast = check_bcast;
    c->levels = &j->levels;
    c->trade = check_trade;
    c->least = check_least;
    c->flushed = check_flushed;
    c->to_shared = false;
    return c;
}

void hmf__job_settle(struct hmf__job *j)
{
    struct hmf__check_job *check = hmf__job_check(j);
    uint64_t generation;

    if (hmf__check_complete(check, &generation) && check->rank == 0)
        hmf__log(HMF__LOG_WARN, "the checkpoint that was written in the background is not whole: %s; the one "
                 "before it stays", hmf_error_text());
    hmf__check_settle(check);
}

/* ---- the end -------------------- */

static void shut(struct hmf__job *j)
{
    struct hmf__agent *a = &j->agent;

    hmf__job_signal(SIGUSR1, 0);
    hmf__job_signal(SIGUSR2, 0);
    hmf__job_signal(SIGTERM, 0);
    if (j->can_stop)
        hmf__agent_stop(a);
    hmf__check_release(&j->check);
    hmf__levels_fini(&j->levels);
    hmf__startup_fini();
    hmf__world_fini();
    hmf__free(a->program);
    hmf__free(a->proc_of);
    a->program = NULL;
    a->proc_of = NULL;
    j->up = j->can_stop = false;
}

/* True if a process has died in this job. */
static bool wait_for_end(struct hmf__job *j)
{
    struct hmf__agent *a = &j->agent;
    long ns = 50000;
    bool lost;

    pthread_mutex_lock(&a->lock);
    a->at_end = true;
    while (!a->ending)
        nap(a, &ns, 10000000);
    lost = a->some_lost;
    pthread_mutex_unlock(&a->lock);
    return lost;
}

/* MPI_Finalize would wait for processes that are not there any more.  So only the process's own daemon is told, as
 * MPI_Finalize would: else it takes the process's end for a crash, and mpirun waits for it. */
static void leave_daemon(void)
{
    void *pmix = dlopen("libpmix.so.2", RTLD_LAZY | RTLD_NOLOAD);
    int (*finalize)(const void *, size_t) = NULL;

    if (pmix)
        *(void **)&finalize = dlsym(pmix, "PMIx_Finalize");
    for (int i = 0; finalize && i < 8 && !finalize(NULL, 0); i++)
        ;                                  /* as often as it was begun */
}

static bool is_ending(struct hmf__agent *a)
{
    bool yes;

    pthread_mutex_lock(&a->lock);
    yes = a->ending;
    pthread_mutex_unlock(&a->lock);
    return yes;
}

/* Ends a process that holds no rank any more, so that its node is free and may be switched off.  MPI is
 * not finalised: that would wait for the others. */
static void retire(struct hmf__job *j)
{
    hmf__agent_retire(&j->agent);
    shut(j);
    leave_daemon();
    fflush(NULL);
    _exit(0);
}

/* A newcomer whose move was undone stays while the rank that it was to be may still be sending to it: Open
 * MPI ends a process that has something under way to one that is gone.  Looking for messages takes them in.
 * A rank that is silent for longer is lost. */
static void linger(struct hmf__job *j)
{
    struct hmf__agent *a = &j->agent;
    uint64_t until = hmf__now_ns() + hmf__pulse_silence(a) + a->limit_ns;
    long ns = 1000000;
    int flag;

    while (!is_ending(a) && hmf__now_ns() < until) {
        PMPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, hmf__world_universe(), &flag, MPI_STATUS_IGNORE);
        pthread_mutex_lock(&a->lock);
        nap(a, &ns, 20000000);
        pthread_mutex_unlock(&a->lock);
    }
}

void hmf__job_park(struct hmf__job *j)
{
    bool lost = false;

    if (j->can_stop && j->agent.recovers && j->agent.role == HMF__ROLE_LEFT && !j->agent.retired)
        linger(j);
    if (j->can_stop && j->agent.recovers && !j->agent.ending)
        retire(j);
    if (j->can_stop)
        lost = wait_for_end(j);
    shut(j);
    if (lost)
        leave_daemon();
    else
        PMPI_Finalize();
    exit(0);
}

bool hmf__job_finalize(void)
{
    struct hmf__job *j = &hmf__job;
    struct hmf__agent *a = &j->agent;
    bool lost = false;

    if (!j->up)
        return false;
    if (j->can_stop) {
        if (a->role == HMF__ROLE_INCOMING)
            hmf__move_refuse(j, "came to MPI_Finalize without calling auto_read");
        if (!j->left || j->on_disk)
            hmf__agent_tell(a, HMF__F_L_FINISHED, NULL, 0);
        else if (a->recovers)
            retire(j);
        lost = wait_for_end(j);
        if (j->wrote && !j->left)
            hmf__job_settle(j);
        if (j->wrote && !j->left && hmf__check_finished(hmf__job_check(j)) && a->rank == 0)
            hmf__log(HMF__LOG_WARN, "%s: the next start would continue from the last checkpoint",
                     hmf_error_text());
    }
    shut(j);
    if (lost)
        leave_daemon();
    hmf__free(j->dir);
    j->dir = NULL;
    return lost;
}
