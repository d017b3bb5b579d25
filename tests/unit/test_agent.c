/* agent, wave, coord, net: a whole job of agents in one process, with threads as main programs
 * that go round a loop in step, as a halo exchange makes them.  No MPI: what the main threads
 * would carry by MPI is a token here. */
#include "config.h"

#include "agent.h"

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coord.h"

#define MAXP 130

struct job {
    int nranks, nprocs;
    struct hmf__agent a[MAXP];
    pthread_t t[MAXP];
    _Atomic uint64_t steps;     /* iterations a rank does */
    /* the halo: a rank may be one iteration ahead of its neighbours, not more */
    pthread_mutex_t lock;
    pthread_cond_t cond;
    uint64_t at[MAXP];          /* by rank */
    /* seen */
    uint64_t stopped_at[MAXP];  /* by process: last cut */
    int moved[MAXP], came[MAXP], aborted[MAXP], worked[MAXP];
    uint32_t frames[MAXP];      /* that its agent sent or got in waves, when the job is over */
    int fail_work_of;           /* rank whose WORK fails, -1 */
    int refuse_image;           /* the newcomer reports an error */
    int vanish;                 /* the newcomer's process dies instead of restoring */
    int late_rank;              /* never polls */
    bool ask_at_once;           /* the newcomer of rank 0 asks for a move of rank 1 */
    uint64_t spans;             /* number of polls that something of ranks 1 and 2 spans; all: 1000 */
};

struct seat { struct job *j; int proc; };

static uint32_t wait_order(struct hmf__agent *a, uint64_t epoch, uint32_t after)
{
    uint32_t order;

    pthread_mutex_lock(&a->lock);
    while (a->op.epoch == epoch && a->order <= after)
        pthread_cond_wait(&a->changed, &a->lock);
    order = a->op.epoch == epoch ? a->order : HMF__WAVE_ABORT;
    pthread_mutex_unlock(&a->lock);
    return order;
}

static bool moved_on(struct hmf__agent *a, uint64_t epoch, uint64_t cut)
{
    bool on;

    pthread_mutex_lock(&a->lock);
    while (a->op.epoch == epoch && a->order <= HMF__WAVE_CUT && a->op.cut == cut)
        pthread_cond_wait(&a->changed, &a->lock);
    on = a->op.epoch == epoch && a->order <= HMF__WAVE_CUT;
    pthread_mutex_unlock(&a->lock);
    return on;
}

static void halo(struct job *j, int rank, uint64_t step)
{
    int l = (rank + j->nranks - 1) % j->nranks, r = (rank + 1) % j->nranks;

    pthread_mutex_lock(&j->lock);
    j->at[rank] = step;
    pthread_cond_broadcast(&j->cond);
    while (j->at[l] < step || j->at[r] < step)
        pthread_cond_wait(&j->cond, &j->lock);
    pthread_mutex_unlock(&j->lock);
}

static void done(struct hmf__agent *a, uint64_t epoch, uint32_t wave, hmf_status_t st, uint64_t n)
{
    hmf__agent_report(a, HMF__F_L_DONE, epoch, wave, st, n);
}

/* 1: this process's rank has left. */
static int slow_poll(struct job *j, struct hmf__agent *a, uint64_t n)
{
    struct hmf__op op;
    uint64_t epoch;
    const struct hmf__move *leaving;
    int rank = a->rank;

    for (;;) {
        pthread_mutex_lock(&a->lock);
        epoch = a->op.epoch;
        uint32_t order = a->order;
        uint64_t cut = a->op.cut;
        pthread_mutex_unlock(&a->lock);
        if (order != HMF__WAVE_HOLD && (order != HMF__WAVE_CUT || n < cut))
            return 0;
        if (order == HMF__WAVE_CUT)
            break;
        wait_order(a, epoch, HMF__WAVE_HOLD);
    }
    pthread_mutex_lock(&a->lock);
    hmf__op_copy(&a->op, &op);
    pthread_mutex_unlock(&a->lock);
    leaving = hmf__op_leaves(&op, a->proc);
    pthread_mutex_lock(&j->lock);
    j->stopped_at[a->proc] = n;
    pthread_mutex_unlock(&j->lock);
    pthread_mutex_lock(&j->lock);
    uint64_t open = rank == 1 && j->spans ? 5 : 0;
    if (open && j->spans < 1000)
        j->spans--;
    pthread_mutex_unlock(&j->lock);
    hmf__agent_report_cut(a, epoch, HMF_OK, n, open);
    if (moved_on(a, epoch, op.cut)) {
        hmf__op_clear(&op);
        return 0;
    }
    if (wait_order(a, epoch, HMF__WAVE_CUT) != HMF__WAVE_WORK) {
        j->aborted[a->proc]++;
        hmf__op_clear(&op);
        return 0;
    }
    pthread_mutex_lock(&j->lock);
    j->worked[a->proc]++;
    pthread_mutex_unlock(&j->lock);
    done(a, epoch, HMF__WAVE_WORK,
         rank == j->fail_work_of ? hmf__fail(HMF_ERR_IO, "the disk is full") : HMF_OK, n);
    int kind = (int)op.kind, to = leaving ? leaving->to : -1;
    hmf__op_clear(&op);
    if (kind == HMF__OP_CHECKPOINT)
        return 0;
    if (wait_order(a, epoch, HMF__WAVE_WORK) == HMF__WAVE_JOIN) {
        done(a, epoch, HMF__WAVE_JOIN, HMF_OK, n);
        if (wait_order(a, epoch, HMF__WAVE_JOIN) == HMF__WAVE_COMMIT) {
            done(a, epoch, HMF__WAVE_COMMIT, HMF_OK, n);
            if (to >= 0)
                j->moved[a->proc]++;
            return to >= 0;
        }
    }
    j->aborted[a->proc]++;
    return 0;
}

static void wait_end(struct hmf__agent *a)
{
    pthread_mutex_lock(&a->lock);
    while (!a->ending)
        pthread_cond_wait(&a->changed, &a->lock);
    pthread_mutex_unlock(&a->lock);
}

static void newcomer_report(struct hmf__agent *a, uint64_t epoch, uint32_t stage, hmf_status_t st)
{
    hmf__agent_report(a, HMF__F_L_NEWCOMER, epoch, stage, st, 0);
}

static void ask_move(struct job *j, int proc, int rank)
{
    struct hmf__ask ask = {.kind = HMF__OP_MOVE, .source = HMF__ASK_PROGRAM, .rank = rank};
    hmf__agent_ask(&j->a[proc], &ask);
}

/* 1: the spare has a rank now. */
static int spare(struct job *j, struct hmf__agent *a)
{
    pthread_mutex_lock(&a->lock);
    while (a->role == HMF__ROLE_SPARE && !a->ending)
        pthread_cond_wait(&a->changed, &a->lock);
    int ending = a->ending;
    uint64_t epoch = a->op.epoch, cut = a->op.cut;
    pthread_mutex_unlock(&a->lock);
    if (ending)
        return 0;
    newcomer_report(a, epoch, HMF__STAGE_PACKED, HMF_OK);
    if (wait_order(a, epoch, HMF__WAVE_WORK) != HMF__WAVE_JOIN)
        return 0;
    newcomer_report(a, epoch, HMF__STAGE_JOINED, HMF_OK);
    if (j->vanish) {
        /* its sockets close, as those of a killed process would */
        hmf__agent_stop(a);
        return -1;
    }
    atomic_store(&a->polls, cut - 1);
    newcomer_report(a, epoch, HMF__STAGE_RESTORED,
                    j->refuse_image ? hmf__fail(HMF_ERR_MISMATCH, "variable 'u' differs") : HMF_OK);
    if (wait_order(a, epoch, HMF__WAVE_JOIN) != HMF__WAVE_COMMIT)
        return 0;
    if (j->ask_at_once && a->rank == 0)                    /* rank 0 is here, its office not yet */
        ask_move(j, a->proc, 1);
    newcomer_report(a, epoch, HMF__STAGE_COMMITTED, HMF_OK);
    j->came[a->proc]++;
    return 1;
}

static void *program(void *arg)
{
    struct seat *s = arg;
    struct job *j = s->j;
    struct hmf__agent *a = &j->a[s->proc];
    int here = 1;

    if (s->proc >= j->nranks)             /* even if a rank was sent to it by now */
        here = spare(j, a);
    if (here == 1) {
        int rank = a->rank;
        uint64_t step = atomic_load(&a->polls);
        int left = 0;
        for (; step < j->steps; step++) {
            if (rank != j->late_rank) {
                uint64_t n = hmf__agent_count(a);
                if (n && (left = slow_poll(j, a, n)))
                    break;
            }
            halo(j, rank, step + 1);
        }
        if (!left)
            hmf__agent_tell(a, HMF__F_L_FINISHED, NULL, 0);
    }
    if (here >= 0) {
        wait_end(a);
        j->frames[a->proc] = hmf__net_frames(a->net, HMF__F_WAVE) +
                             hmf__net_frames(a->net, HMF__F_UP);
        hmf__agent_stop(a);
    }
    hmf__free(a->proc_of);
    hmf__free(a->program);
    free(s);
    return NULL;
}

static bool without_membarrier;

static struct job *new_job(int nranks, int nspares, uint64_t steps)
{
    struct job *j = calloc(1, sizeof *j);
    struct hmf__net_addr all[MAXP];
    uint8_t secret[HMF__NET_SECRET] = "test";

    j->nranks = nranks;
    j->nprocs = nranks + nspares;
    j->steps = steps;
    j->fail_work_of = j->late_rank = -1;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->cond, NULL);
    for (int p = 0; p < j->nprocs; p++) {
        struct hmf__agent *a = &j->a[p];
        a->proc = p;
        a->nprocs = j->nprocs;
        a->nranks = nranks;
        a->rank = p < nranks ? p : -1;
        a->role = p < nranks ? HMF__ROLE_ACTIVE : HMF__ROLE_SPARE;
        a->limit_ns = 20ull * 1000000000;
        a->start_limit_ns = 20ull * 1000000000;
        a->program = hmf__strdup("test");
        a->proc_of = hmf__malloc(sizeof(int) * (size_t)nranks);
        for (int r = 0; r < nranks; r++)
            a->proc_of[r] = r;
        hmf__net_self(&all[p]);
        CU_ASSERT_EQUAL_FATAL(hmf__agent_open(a, &all[p], 1), HMF_OK);
        if (without_membarrier) {
            a->membarrier = false;
            hmf__agent_limit(a, UINT64_MAX);
        }
    }
    for (int p = 0; p < j->nprocs; p++)
        CU_ASSERT_EQUAL_FATAL(hmf__agent_start(&j->a[p], all, secret), HMF_OK);
    return j;
}

static void go(struct job *j)
{
    for (int p = 0; p < j->nprocs; p++) {
        struct seat *s = malloc(sizeof *s);
        *s = (struct seat){j, p};
        pthread_create(&j->t[p], NULL, program, s);
    }
}

static void finish(struct job *j)
{
    for (int p = 0; p < j->nprocs; p++)
        pthread_join(j->t[p], NULL);
    free(j);
}

static void ask_checkpoint(struct job *j, int proc)
{
    struct hmf__ask ask = {.kind = HMF__OP_CHECKPOINT, .source = HMF__ASK_PROGRAM};
    hmf__agent_ask(&j->a[proc], &ask);
}

static int joined_sum(const int *v, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += v[i];
    return sum;
}

static void join_all(struct job *j)
{
    for (int p = 0; p < j->nprocs; p++)
        pthread_join(j->t[p], NULL);
}

/* Nothing asked: nobody stops, everybody ends. */
static void quiet(void)
{
    struct job *j = new_job(20, 3, 200);
    go(j);
    join_all(j);
    for (int r = 0; r < j->nranks; r++)
        CU_ASSERT_EQUAL(j->at[r], 200);
    CU_ASSERT_EQUAL(joined_sum(j->worked, MAXP), 0);
    free(j);
}

/* All ranks stop at the same poll, twenty times. */
static void checkpoints(void)
{
    struct job *j = new_job(20, 0, 1000000);
    go(j);
    for (int k = 1; k <= 20; k++) {
        ask_checkpoint(j, k % 20);
        for (;;) {                        /* bounded by the test's own time limit */
            pthread_mutex_lock(&j->lock);
            int n = joined_sum(j->worked, MAXP);
            pthread_mutex_unlock(&j->lock);
            if (n >= 20 * k)
                break;
            usleep(200);
        }
        for (int r = 1; r < 20; r++)
            CU_ASSERT_EQUAL(j->stopped_at[r], j->stopped_at[0]);
    }
    pthread_mutex_lock(&j->lock);
    j->steps = 0;                         /* ends at different steps: let the halo go */
    for (int r = 0; r < 20; r++)
        j->at[r] = UINT64_MAX / 2;
    pthread_cond_broadcast(&j->cond);
    pthread_mutex_unlock(&j->lock);
    finish(j);
}

static struct job *moves(int nranks, int nspares, uint64_t steps, const int *who, int n)
{
    struct job *j = new_job(nranks, nspares, steps);
    go(j);
    for (int i = 0; i < n; i++)
        ask_move(j, (i * 7) % nranks, who[i]);
    join_all(j);
    for (int r = 0; r < nranks; r++)
        CU_ASSERT_EQUAL(j->at[r], steps);
    return j;
}

/* A kernel, or an emulator, without membarrier: the same by the lock. */
static void no_membarrier(void)
{
    without_membarrier = true;
    checkpoints();
    free(moves(5, 2, 6000, (int[]){3, 4}, 2));
    without_membarrier = false;
}

static void one_move(void)
{
    struct job *j = moves(5, 2, 6000, (int[]){3}, 1);
    CU_ASSERT_EQUAL(j->moved[3], 1);
    CU_ASSERT_EQUAL(j->came[5] + j->came[6], 1);
    free(j);
}

static void coordinator_moves(void)
{
    struct job *j = moves(12, 3, 6000, (int[]){0, 5}, 2);
    CU_ASSERT_EQUAL(j->moved[0], 1);
    CU_ASSERT_EQUAL(j->moved[5], 1);
    CU_ASSERT_EQUAL(joined_sum(j->came, MAXP), 2);
    free(j);
}

/* What is asked of the new coordinator before it knows that it is one. */
static void asked_early(void)
{
    struct job *j = new_job(6, 2, 6000);

    j->ask_at_once = true;
    ask_move(j, 3, 0);
    go(j);
    join_all(j);
    CU_ASSERT_EQUAL(j->moved[0], 1);
    CU_ASSERT_EQUAL(j->moved[1], 1);
    free(j);
}

/* More wishes than spares: the surplus is refused and the job goes on. */
static void no_spare(void)
{
    struct job *j = moves(6, 2, 6000, (int[]){1, 2, 3, 4}, 4);
    CU_ASSERT_EQUAL(joined_sum(j->moved, MAXP), 2);
    CU_ASSERT_EQUAL(joined_sum(j->came, MAXP), 2);
    free(j);
}

static void undone(int fail_work, int refuse, int vanish)
{
    struct job *j = new_job(6, 1, 6000);
    j->fail_work_of = fail_work ? 4 : -1;
    j->refuse_image = refuse;
    j->vanish = vanish;
    go(j);
    ask_move(j, 1, 2);
    join_all(j);
    for (int r = 0; r < 6; r++)
        CU_ASSERT_EQUAL(j->at[r], 6000);
    CU_ASSERT_EQUAL(joined_sum(j->moved, MAXP), 0);
    CU_ASSERT_EQUAL(joined_sum(j->aborted, MAXP), 6);
    free(j);
}

static void work_fails(void) { undone(1, 0, 0); }
static void image_refused(void) { undone(0, 1, 0); }
static void newcomer_dies(void) { undone(0, 0, 1); }

/* Something spans the first polls: the move is made at a later one.  If it spans all of them, the ranks
 * look for it, and the spare is as free as before. */
static void spanned(void)
{
    struct job *j = new_job(20, 1, 6000);
    j->spans = 3;
    go(j);
    ask_move(j, 1, 2);
    join_all(j);
    CU_ASSERT_EQUAL(joined_sum(j->moved, MAXP), 1);
    CU_ASSERT_EQUAL(j->spans, 0);
    free(j);
    j = new_job(20, 1, 15000);
    j->spans = 1000;
    j->fail_work_of = 3;
    go(j);
    ask_move(j, 1, 2);
    while (atomic_load(&j->a[3].polls) < 3000)  /* bounded by the test's own time limit */
        usleep(200);
    CU_ASSERT_EQUAL(joined_sum(j->moved, MAXP), 0);
    pthread_mutex_lock(&j->lock);
    j->spans = 0;
    j->fail_work_of = -1;
    pthread_mutex_unlock(&j->lock);
    ask_move(j, 1, 2);
    join_all(j);
    CU_ASSERT_EQUAL(joined_sum(j->moved, MAXP), 1);
    free(j);
}

/* A rank that never polls: the others are let go after the limit, and the job ends well. */
static void never_polls(void)
{
    struct job *j = new_job(4, 1, 60000);
    for (int p = 0; p < j->nprocs; p++)
        j->a[p].limit_ns = 60000000;
    j->late_rank = 2;
    go(j);
    ask_move(j, 0, 1);
    join_all(j);
    CU_ASSERT_EQUAL(joined_sum(j->moved, MAXP), 0);
    for (int r = 0; r < 4; r++)
        CU_ASSERT_EQUAL(j->at[r], 60000);
    free(j);
}

/* A connection to agent p of the job, with the hello of process `as` or, as = -1, of nobody. */
static int caller(struct job *j, int p, int as)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(j->a[p].addrs[p].port)};
    uint8_t hello[24] = {0x31, 0x46, 0x4d, 0x48};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sin, sizeof sin), 0);
    memcpy(hello + 4, as < 0 ? "tesT" : "test", 4);
    hello[23] = (uint8_t)(as < 0 ? 0 : as);
    CU_ASSERT_EQUAL(send(fd, hello, sizeof hello, MSG_NOSIGNAL), (ssize_t)sizeof hello);
    return fd;
}

/* Who does not know the secret changes nothing: refused, and the job does its move. */
static void strangers(void)
{
    struct job *j = new_job(4, 1, 6000);
    int fd[8];
    char end;

    for (int i = 0; i < 8; i++) {
        fd[i] = caller(j, i % 5, -1);
        send(fd[i], "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL);
    }
    for (int i = 0; i < 8; i++) {
        CU_ASSERT(recv(fd[i], &end, 1, 0) <= 0);
        close(fd[i]);
    }
    go(j);
    ask_move(j, 1, 2);
    join_all(j);
    CU_ASSERT_EQUAL(j->moved[2], 1);
    free(j);
}

/* A move of a rank among N: nobody has more messages than its parent and its children cause, however
 * many ranks there are, and the tree is no deeper than log N to the base of its degree. */
static void messages(void)
{
    enum { WAVES = 5 };                   /* hold, cut, work, join, commit */
    struct rlimit files;

    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    for (int n = 4; n <= 128; n *= 2) {
        struct job *j = new_job(n, 1, 150);
        uint32_t most = 0, all = 0, depth = 0;

        ask_move(j, n / 2, n - 1);        /* before the ranks begin: they do not poll for long */
        go(j);
        join_all(j);
        CU_ASSERT_EQUAL(joined_sum(j->moved, MAXP), 1);
        for (int p = 0; p < j->nprocs; p++) {
            all += j->frames[p];
            most = j->frames[p] > most ? j->frames[p] : most;
        }
        for (int r = n - 1; r > 0; r = (r - 1) / HMF__WAVE_DEGREE)
            depth++;
        printf("\n    %3d ranks: %u frames at most at one, %.1f on average, depth %u", n, most,
               (double)all / n, depth);
        CU_ASSERT(most <= 2 * WAVES * (HMF__WAVE_DEGREE + 1));
        CU_ASSERT(all <= 2u * 2u * WAVES * (unsigned)n);
        CU_ASSERT(depth <= 3);
        free(j);
    }
}

/* Frames of every kind with random contents, from inside: no crash, no leak (sanitizers watch). */
static void random_frames(void)
{
    struct job *j = new_job(4, 2, 0);
    unsigned seed = 7;

    for (int round = 0; round < 30; round++) {
        int fd = caller(j, round % 6, 1 + round % 5);
        for (int i = 0; i < 40; i++) {
            uint8_t frame[8 + 200];
            uint32_t len = (uint32_t)(rand_r(&seed) % 200), kind = (uint32_t)(rand_r(&seed) % 70);
            uint32_t be[2];
            if (kind == HMF__F_END)
                continue;
            be[0] = htonl(i == 39 ? 0xfffffff0u : len);
            be[1] = htonl(kind);
            memcpy(frame, be, 8);
            for (uint32_t b = 0; b < len; b++)
                frame[8 + b] = (uint8_t)(rand_r(&seed) % (b % 4 ? 4 : 12));
            if (send(fd, frame, 8 + len, MSG_NOSIGNAL) < 0)
                break;
        }
        shutdown(fd, SHUT_WR);
        char end;
        while (recv(fd, &end, 1, 0) > 0)
            ;
        close(fd);
    }
    for (int p = 0; p < j->nprocs; p++) {
        hmf__agent_stop(&j->a[p]);
        hmf__free(j->a[p].proc_of);
        hmf__free(j->a[p].program);
    }
    free(j);
}

static const struct unit_test tests[] = {
    {"nothing asked", quiet},
    {"twenty checkpoints: same poll on all ranks", checkpoints},
    {"without membarrier", no_membarrier},
    {"one move", one_move},
    {"the coordinator itself moves", coordinator_moves},
    {"asked before the office has come", asked_early},
    {"more moves than spares", no_spare},
    {"work fails on one rank: undone", work_fails},
    {"the newcomer refuses the state: undone", image_refused},
    {"the newcomer dies: undone", newcomer_dies},
    {"something spans polls: later, or not at all", spanned},
    {"a rank never polls: bounded", never_polls},
    {"messages of a move among 4 to 128 ranks", messages},
    {"strangers are refused", strangers},
    {"random frames", random_frames},
};

UNIT_MAIN("agent", tests)
