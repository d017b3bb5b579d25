/*
 * launch: env=HMF_LOG=error limit=240
 *
 * The whole job is killed (SIGKILL, all ranks) at random instants while it writes checkpoints, and
 * started again, over and over in one directory: each start finds the last checkpoint that was
 * complete, or one that was just about to be, right in every byte on every rank. Ranks are
 * processes.
 *
 * In some lives the parts go to the directories of three nodes, with copies on another; after such
 * a life one node may be lost with all that it has.
 *
 * HMF_KILL_ROUNDS says how many rounds (default 30), HMF_KILL_SEED repeats a run.
 */
#include "config.h"

#include "check_team.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#define RANKS 3
#define DIR "killed"
#define ROOM 4096
#define LIMIT_S 60

/* What the ranks of one life and the killer share. */
struct life {
    pthread_barrier_t barrier;
    int status[RANKS];
    char text[RANKS][1024];
    char data[RANKS][ROOM];
    int least[RANKS * 64];
    /* the ranks tell: */
    atomic_int loaded[RANKS];           /* 1: nothing was there, 2: a state, 3: it was refused */
    atomic_int step[RANKS];             /* the state's, -1 if it was wrong */
    atomic_int committed;               /* the last step whose checkpoint was reported as done */
    atomic_int begun, ended;            /* checkpoints, by rank 0 */
    atomic_ullong took;                 /* nanoseconds, the last of them */
    char why[1024];
    struct team_mail mail[RANKS * RANKS];
};

/* How a life writes its checkpoints. */
struct way {
    bool behind, to_shared;
    const char *levels;
    bool outlives_a_node;
};
static const struct way ways[] = {
    {false, true, "local:1", false}, {true, true, "local:1", false},
    {false, false, "partner:1,shared:3", true}, {true, false, "local:1,partner:4,shared:3", false}
};

struct process {
    struct life *life;
    int rank;
};

static hmf_status_t agree(void *ctx, hmf_status_t mine, char *text, size_t len)
{
    struct process *p = ctx;
    struct life *l = p->life;
    int worst = 0;
    l->status[p->rank] = (int)mine;
    snprintf(l->text[p->rank], sizeof l->text[0], "%s", text);
    pthread_barrier_wait(&l->barrier);
    for (int i = 1; i < RANKS; i++)
        worst = l->status[i] > l->status[worst] ? i : worst;
    hmf_status_t all = (hmf_status_t)l->status[worst];
    snprintf(text, len, "%s", l->text[worst]);
    pthread_barrier_wait(&l->barrier);
    return all;
}

static hmf_status_t gather(void *ctx, const void *mine, size_t len, void *all)
{
    struct process *p = ctx;
    if (len > ROOM)
        return HMF_ERR_LIMIT;
    memcpy(p->life->data[p->rank], mine, len);
    pthread_barrier_wait(&p->life->barrier);
    for (int i = 0; i < RANKS && p->rank == 0; i++)
        memcpy((char *)all + (size_t)i * len, p->life->data[i], len);
    pthread_barrier_wait(&p->life->barrier);
    return HMF_OK;
}

static hmf_status_t bcast(void *ctx, void *data, size_t len)
{
    struct process *p = ctx;
    if (len > ROOM)
        return HMF_ERR_LIMIT;
    if (p->rank == 0)
        memcpy(p->life->data[0], data, len);
    pthread_barrier_wait(&p->life->barrier);
    memcpy(data, p->life->data[0], len);
    pthread_barrier_wait(&p->life->barrier);
    return HMF_OK;
}

static hmf_status_t trade(void *ctx, int to, const void *out, size_t out_len, int from, void *in,
                          size_t in_len)
{
    struct process *p = ctx;
    return team_mail_trade(p->life->mail, RANKS, p->rank, to, out, out_len, from, in, in_len);
}

static hmf_status_t least(void *ctx, int *numbers, size_t n)
{
    struct process *p = ctx;
    int all[RANKS][64];
    if (n > 64)
        return HMF_ERR_LIMIT;
    hmf_status_t rc = gather(ctx, numbers, n * sizeof(int), p->rank == 0 ? (void *)p->life->least
                                                                         : NULL);
    for (int r = 0; r < RANKS && p->rank == 0; r++)
        memcpy(all[r], &p->life->least[(size_t)r * n], n * sizeof(int));
    for (size_t i = 0; i < n && p->rank == 0; i++) {
        for (int r = 0; r < RANKS; r++)
            numbers[i] = all[r][i] < numbers[i] ? all[r][i] : numbers[i];
    }
    return rc == HMF_OK ? bcast(ctx, numbers, n * sizeof(int)) : rc;
}

static hmf_status_t begin(struct hmf__check_job *job, int step, uint64_t *g)
{
    struct team_vars v;
    hmf_image_t *image = NULL;
    team_fill(&v, job->rank, step);
    hmf_state_t *s = team_state(&v);
    hmf_status_t rc = hmf_image_capture(s, &image);
    if (rc == HMF_OK)
        rc = hmf__check_begin(job, image, g);
    hmf_image_free(image);
    hmf_state_free(s);
    team_free_ring(&v);
    return rc;
}

/* One rank's life: read, then write until it is killed. */
static void live(struct life *l, int rank, const struct way *way)
{
    struct process me = {l, rank};
    bool behind = way->behind;
    char root[32];
    struct hmf__levels levels = {.root = root};
    snprintf(root, sizeof root, "killed.node%d", rank);
    snprintf(levels.node, sizeof levels.node, "node%d", rank);
    if (hmf__levels_parse(way->levels, &levels) != HMF_OK)
        _exit(8);
    struct hmf__check_job job = {
        .rank = rank, .nranks = RANKS, .dir = DIR, .program = "sample", .keep = 2, .ctx = &me,
        .agree = agree, .gather = gather, .bcast = bcast, .trade = trade, .least = least,
        .levels = &levels, .to_shared = way->to_shared
    };
    uint64_t g = 0;
    int step = 0;
    hmf_status_t rc = team_load(&job, -1, &step, &g);
    atomic_store(&l->step[rank], step);
    if (rc != HMF_OK && rc != HMF_ERR_NOTFOUND && rank == 0)
        snprintf(l->why, sizeof l->why, "%s", hmf_error_text());
    atomic_store(&l->loaded[rank], rc == HMF_OK ? 2 : rc == HMF_ERR_NOTFOUND ? 1 : 3);
    if (rc == HMF_ERR_NOTFOUND)
        step = 99;                      /* 77 is what team_load begins with */
    while (rc == HMF_OK || rc == HMF_ERR_NOTFOUND) {
        step++;
        uint64_t start = hmf__now_ns();
        if (rank == 0)
            atomic_fetch_add(&l->begun, 1);
        if (behind && (rc = begin(&job, step, &g)) == HMF_OK)
            rc = hmf__check_complete(&job, &g);
        else if (!behind)
            rc = team_write(&job, step, &g);
        if (rank == 0 && rc == HMF_OK) {
            atomic_store(&l->took, hmf__now_ns() - start);
            atomic_fetch_add(&l->ended, 1);
            atomic_store(&l->committed, step);
        } else if (rank == 0) {
            snprintf(l->why, sizeof l->why, "step %d: %s", step, hmf_error_text());
        }
    }
    _exit(9);
}

static uint64_t state;

static uint64_t any(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void pause_ns(uint64_t ns)
{
    struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    nanosleep(&t, NULL);
}

struct counts {
    int kills, during, between, leftovers, newer, fresh, wrong, lost;
};

/* Until all ranks have read; false: one ended, or it took too long. */
static bool wait_loaded(struct life *l, const pid_t *pid)
{
    for (int ms = 0; ms < LIMIT_S * 1000; ms++) {
        int n = 0;
        for (int i = 0; i < RANKS; i++)
            n += atomic_load(&l->loaded[i]) != 0;
        if (n == RANKS)
            return true;
        if (waitpid(pid[0], NULL, WNOHANG) == pid[0])
            return false;
        pause_ns(1000000);
    }
    return false;
}

/* One life and its end. *committed: the last step known to be on disk. *took: how long checkpoints
   take. */
static void one_round(struct counts *c, const struct way *way, int *committed, uint64_t *took)
{
    pid_t pid[RANKS];
    pthread_barrierattr_t shared;
    struct life *l = mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                          0);
    CU_ASSERT_FATAL(l != MAP_FAILED);
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&l->barrier, &shared, RANKS);
    for (int i = 0; i < RANKS; i++) {
        pid[i] = fork();
        if (pid[i] == 0)
            live(l, i, way);
    }
    bool there = wait_loaded(l, pid);
    CU_ASSERT(there);
    int step = atomic_load(&l->step[0]);
    for (int i = 0; i < RANKS && there; i++) {
        int how = atomic_load(&l->loaded[i]);
        /* Nothing is there before the first checkpoint; afterwards it is the last, or the next. */
        bool good = how == 2 ? atomic_load(&l->step[i]) == step && step >= *committed && step > 0
                             : how == 1 && *committed == 0;
        c->wrong += !good;
        if (!good)
            fprintf(stderr, "rank %d: outcome %d, step %d (rank 0: %d), committed was %d: %s\n", i,
                    how, atomic_load(&l->step[i]), step, *committed, l->why);
    }
    c->fresh += there && atomic_load(&l->loaded[0]) == 1;
    c->newer += there && atomic_load(&l->loaded[0]) == 2 && step > *committed;
    if (there && atomic_load(&l->loaded[0]) == 2)
        *committed = step;

    /* Anywhere in the next few checkpoints, however long these take here and now; then one rank
       after the other, in any order. */
    pause_ns(any(*took * 4));
    int first = (int)any(RANKS);
    for (int i = 0; i < RANKS; i++) {
        kill(pid[(first + i) % RANKS], SIGKILL);
        if (any(2) == 0)
            pause_ns(any(300000));
    }
    for (int i = 0; i < RANKS; i++) {
        int how = 0;
        CU_ASSERT(waitpid(pid[i], &how, 0) == pid[i] || errno == ECHILD);
        if (WIFEXITED(how)) {
            c->wrong++;
            fprintf(stderr, "rank %d ended by itself: %s\n", i, l->why);
        }
    }
    c->kills++;
    if (atomic_load(&l->begun) > atomic_load(&l->ended))
        c->during++;
    else
        c->between++;
    if (atomic_load(&l->committed) > *committed) {
        *committed = atomic_load(&l->committed);
        if (way->outlives_a_node && any(2) == 0) {
            char node[32];
            snprintf(node, sizeof node, "killed.node%d", (int)any(RANKS));
            team_clear(node);
            c->lost++;
        }
    }
    if (atomic_load(&l->took) != 0)
        *took = (*took + atomic_load(&l->took)) / 2;
    c->leftovers += system("ls -d " DIR "/gen-*.tmp >/dev/null 2>&1") == 0;
    munmap(l, sizeof *l);               /* the barrier too: destroying it would wait for the dead */
}

static void killed_over_and_over(void)
{
    const char *rounds = getenv("HMF_KILL_ROUNDS"), *seed = getenv("HMF_KILL_SEED");
    int n = rounds != NULL ? atoi(rounds) : 30, committed = 0;
    uint64_t took = 50000000;
    struct counts c = {0};
    if (seed != NULL)
        state = strtoull(seed, NULL, 0);
    else if (getrandom(&state, sizeof state, 0) != sizeof state)
        state = 1;
    state |= 1;
    printf("seed %#llx\n", (unsigned long long)state);
    team_clear(DIR);
    for (int i = 0; i < n; i++)
        one_round(&c, &ways[i % (int)LEN(ways)], &committed, &took);
    printf("%d kills: %d while a checkpoint was written, %d between, %d left a directory behind; "
           "%d starts found a newer one than was reported, %d nothing yet; %d wrong; %d nodes lost; last step %d\n",
           c.kills, c.during, c.between, c.leftovers, c.newer, c.fresh, c.wrong, c.lost, committed);
    CU_ASSERT_EQUAL(c.wrong, 0);
    CU_ASSERT_EQUAL(c.kills, n);
}

static const struct unit_test tests[] = {
    {"killed over and over", killed_over_and_over}
};

UNIT_MAIN("checkpoints of jobs that are killed", tests)
