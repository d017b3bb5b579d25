/*
 * For tests of checkpoints: ranks as threads of one process, and the state of a small program that
 * each of them has. Included once per test program.
 */
#ifndef HMF_TESTS_CHECK_TEAM_H
#define HMF_TESTS_CHECK_TEAM_H

#include "base.h"
#include "check.h"
#include "check_level.h"
#include "check_sys.h"
#include "image.h"
#include "state.h"
#include "typemap.h"

#include <CUnit/Basic.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- a state with scalars, an array, a string, and a ring of nodes behind a pointer ---- */

#define TEAM_CELLS 700
#define TEAM_NODES 5

struct team_node {
    int value;
    double place[2];
    struct team_node *next;
    char tag[8];
};

struct team_vars {
    int step;
    double cells[TEAM_CELLS];
    struct team_node *ring;
    char title[16];
    short few[3];
};

static const int desc_int[] = {typeINT};
static const int desc_double[] = {typeDOUBLE};
static const int desc_short[] = {typeARRAY, 3, typeSHORT};
static const int desc_title[] = {typeFSTRING, 16};
static const int desc_ring[] = {typePOINTER, -4, typeINT, typeARRAY, 2, typeDOUBLE, typePOINTER,
                                typeSELF, 0, typeFSTRING, 8};
static const char *const ring_names[] = {"value", "place", "next", "tag", NULL};

#define TEAM_LEN(desc) (sizeof(desc) / sizeof((desc)[0]))

static inline hmf_state_t *team_state(struct team_vars *v)
{
    hmf_state_t *s = NULL;
    if (hmf_state_new(&s) != HMF_OK
        || hmf_state_add(s, "step", &v->step, sizeof(int), desc_int, 1, NULL) != HMF_OK
        || hmf_state_add(s, "cells", v->cells, sizeof v->cells, desc_double, 1, NULL) != HMF_OK
        || hmf_state_add(s, "ring", &v->ring, sizeof v->ring, desc_ring, TEAM_LEN(desc_ring),
                         ring_names) != HMF_OK
        || hmf_state_add(s, "title", v->title, sizeof v->title, desc_title, 2, NULL) != HMF_OK
        || hmf_state_add(s, "few", v->few, sizeof v->few, desc_short, 3, NULL) != HMF_OK) {
        fprintf(stderr, "team_state: %s\n", hmf_error_text());
        hmf_state_free(s);
        return NULL;
    }
    return s;
}

static inline void team_free_ring(struct team_vars *v)
{
    struct team_node *n = v->ring;
    for (int i = 0; i < TEAM_NODES && n != NULL; i++) {
        struct team_node *next = n->next;
        free(n);
        n = next;
    }
    v->ring = NULL;
}

/* The state at that step of that rank: another value everywhere. */
static inline void team_fill(struct team_vars *v, int rank, int step)
{
    struct team_node *nodes[TEAM_NODES];
    memset(v, 0, sizeof(*v));
    v->step = step;
    for (int i = 0; i < TEAM_CELLS; i++)
        v->cells[i] = rank * 1e6 + step * 1e3 + i * 0.5;
    snprintf(v->title, sizeof v->title, "r%d s%d", rank, step);
    for (int i = 0; i < 3; i++)
        v->few[i] = (short)(rank + step + i);
    for (int i = 0; i < TEAM_NODES; i++) {
        nodes[i] = calloc(1, sizeof(struct team_node));
        nodes[i]->value = rank * 100 + step * 10 + i;
        nodes[i]->place[1] = i + step;
        snprintf(nodes[i]->tag, sizeof nodes[i]->tag, "n%d", i);
    }
    for (int i = 0; i < TEAM_NODES; i++)
        nodes[i]->next = nodes[(i + 1) % TEAM_NODES];
    v->ring = nodes[0];
}

static inline int team_equal(const struct team_vars *v, int rank, int step)
{
    struct team_vars want;
    team_fill(&want, rank, step);
    int same = v->step == want.step && memcmp(v->cells, want.cells, sizeof v->cells) == 0
        && memcmp(v->title, want.title, sizeof v->title) == 0
        && memcmp(v->few, want.few, sizeof v->few) == 0;
    const struct team_node *n = v->ring, *w = want.ring;
    for (int i = 0; i < TEAM_NODES && same; i++, w = w->next) {
        same = n != NULL && n->value == w->value && n->place[1] == w->place[1]
            && strcmp(n->tag, w->tag) == 0;
        n = n != NULL ? n->next : NULL;
    }
    same = same && n == v->ring;
    team_free_ring(&want);
    return same;
}

/* ---- from rank to rank: one message at a time between two, also of processes that share it ---- */

struct team_mail {
    atomic_int full;
    size_t len;
    char data[HMF__TRADE_MAX];
};

static inline void team_await(atomic_int *flag, int value)
{
    struct timespec pause = {0, 20000};
    while (atomic_load(flag) != value)
        nanosleep(&pause, NULL);
}

/* mail: nranks * nranks of them. */
static inline hmf_status_t team_mail_trade(struct team_mail *mail, int nranks, int me, int to,
                                           const void *out, size_t out_len, int from, void *in,
                                           size_t in_len)
{
    if (to >= 0) {
        struct team_mail *m = &mail[me * nranks + to];
        team_await(&m->full, 0);
        memcpy(m->data, out, out_len);
        m->len = out_len;
        atomic_store(&m->full, 1);
    }
    if (from >= 0) {
        struct team_mail *m = &mail[from * nranks + me];
        team_await(&m->full, 1);
        if (m->len != in_len)
            abort();
        memcpy(in, m->data, in_len);
        atomic_store(&m->full, 0);
    }
    return HMF_OK;
}

/* ---- ranks as threads ---- */

#define TEAM_MAX 8

struct team {
    int nranks;
    pthread_barrier_t barrier;
    hmf_status_t status[TEAM_MAX];
    char text[TEAM_MAX][1024];
    const void *data[TEAM_MAX];
    struct team_mail *mail;
};

struct team_member {
    struct team *team;
    int rank;
};

static inline hmf_status_t team_agree(void *ctx, hmf_status_t mine, char *text, size_t len)
{
    struct team_member *m = ctx;
    struct team *t = m->team;
    int worst = 0;
    t->status[m->rank] = mine;
    snprintf(t->text[m->rank], sizeof t->text[0], "%s", text);
    pthread_barrier_wait(&t->barrier);
    for (int i = 1; i < t->nranks; i++)
        worst = t->status[i] > t->status[worst] ? i : worst;
    hmf_status_t all = t->status[worst];
    snprintf(text, len, "%s", t->text[worst]);
    pthread_barrier_wait(&t->barrier);
    return all;
}

static inline hmf_status_t team_gather(void *ctx, const void *mine, size_t len, void *all)
{
    struct team_member *m = ctx;
    m->team->data[m->rank] = mine;
    pthread_barrier_wait(&m->team->barrier);
    for (int i = 0; i < m->team->nranks && m->rank == 0; i++)
        memcpy((char *)all + (size_t)i * len, m->team->data[i], len);
    pthread_barrier_wait(&m->team->barrier);
    return HMF_OK;
}

static inline hmf_status_t team_bcast(void *ctx, void *data, size_t len)
{
    struct team_member *m = ctx;
    if (m->rank == 0)
        m->team->data[0] = data;
    pthread_barrier_wait(&m->team->barrier);
    if (m->rank != 0)
        memcpy(data, m->team->data[0], len);
    pthread_barrier_wait(&m->team->barrier);
    return HMF_OK;
}

static inline hmf_status_t team_trade(void *ctx, int to, const void *out, size_t out_len, int from,
                                      void *in, size_t in_len)
{
    struct team_member *m = ctx;
    return team_mail_trade(m->team->mail, m->team->nranks, m->rank, to, out, out_len, from, in,
                           in_len);
}

static inline hmf_status_t team_least(void *ctx, int *numbers, size_t n)
{
    struct team_member *m = ctx;
    m->team->data[m->rank] = numbers;
    pthread_barrier_wait(&m->team->barrier);
    int *least = malloc(n * sizeof(int));
    memcpy(least, numbers, n * sizeof(int));
    for (int r = 0; r < m->team->nranks; r++) {
        for (size_t i = 0; i < n; i++) {
            int x = ((const int *)m->team->data[r])[i];
            least[i] = x < least[i] ? x : least[i];
        }
    }
    pthread_barrier_wait(&m->team->barrier);
    memcpy(numbers, least, n * sizeof(int));
    free(least);
    return HMF_OK;
}

/* What every rank runs: job is its own, arg common to all. */
typedef void team_body(struct hmf__check_job *job, void *arg);

struct team_start {
    struct team_member member;
    struct hmf__check_job job;
    team_body *body;
    void *arg;
};

static inline void *team_thread(void *p)
{
    struct team_start *s = p;
    s->body(&s->job, s->arg);
    hmf__check_release(&s->job);
    return NULL;
}

/* levels: of each rank, or NULL. */
static inline void team_run_on(int nranks, const char *dir, const struct hmf__levels *levels,
                               team_body *body, void *arg)
{
    struct team team = {.nranks = nranks};
    struct team_start start[TEAM_MAX];
    pthread_t thread[TEAM_MAX];
    team.mail = calloc((size_t)(nranks * nranks), sizeof(*team.mail));
    pthread_barrier_init(&team.barrier, NULL, (unsigned)nranks);
    for (int i = 0; i < nranks; i++) {
        start[i] = (struct team_start){
            {&team, i},
            {.rank = i, .nranks = nranks, .dir = dir, .program = "sample", .keep = 2,
             .agree = team_agree, .gather = team_gather, .bcast = team_bcast,
             .trade = team_trade, .least = team_least,
             .levels = levels != NULL ? &levels[i] : NULL},
            body, arg
        };
        start[i].job.ctx = &start[i].member;
        if (i > 0)
            pthread_create(&thread[i], NULL, team_thread, &start[i]);
    }
    team_thread(&start[0]);
    for (int i = 1; i < nranks; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&team.barrier);
    free(team.mail);
}

static inline void team_run(int nranks, const char *dir, team_body *body, void *arg)
{
    team_run_on(nranks, dir, NULL, body, arg);
}

/* ---- one rank, no threads ---- */

static inline hmf_status_t alone_agree(void *ctx, hmf_status_t mine, char *text, size_t len)
{
    (void)ctx, (void)text, (void)len;
    return mine;
}

static inline hmf_status_t alone_gather(void *ctx, const void *mine, size_t len, void *all)
{
    (void)ctx;
    memcpy(all, mine, len);
    return HMF_OK;
}

static inline hmf_status_t alone_bcast(void *ctx, void *data, size_t len)
{
    (void)ctx, (void)data, (void)len;
    return HMF_OK;
}

static inline struct hmf__check_job alone(const char *dir)
{
    return (struct hmf__check_job){
        .rank = 0, .nranks = 1, .dir = dir, .program = "sample", .keep = 2,
        .agree = alone_agree, .gather = alone_gather, .bcast = alone_bcast
    };
}

/* Writes the state of that step; the generation in *g. */
static inline hmf_status_t team_write(struct hmf__check_job *job, int step, uint64_t *g)
{
    struct team_vars v;
    hmf_image_t *image = NULL;
    team_fill(&v, job->rank, step);
    hmf_state_t *s = team_state(&v);
    hmf_status_t rc = hmf_image_capture(s, &image);
    if (rc == HMF_OK)
        rc = hmf__check_write(job, image, g);
    hmf_image_free(image);
    hmf_state_free(s);
    team_free_ring(&v);
    return rc;
}

/* Restores; *step is that of the state if it is right in every byte, -1 if it is wrong, -2 if the
   variables are as they were. */
static inline hmf_status_t team_load(struct hmf__check_job *job, long wanted, int *step,
                                     uint64_t *g)
{
    struct team_vars v;
    team_fill(&v, job->rank, 77);
    struct team_node *old = v.ring;
    hmf_state_t *s = team_state(&v);
    hmf_status_t rc = hmf__check_load(job, wanted, s, g);
    *step = team_equal(&v, job->rank, v.step) ? v.step : -1;
    if (v.step == 77 && v.ring == old && *step == 77)
        *step = -2;
    hmf_state_free(s);
    if (v.ring != old) {
        struct team_vars before = {.ring = old};
        team_free_ring(&before);
    }
    if (rc == HMF_OK || v.ring == old)
        team_free_ring(&v);
    return rc;
}

static inline int team_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Removes a tree of files; for scratch directories only. */
static inline void team_clear(const char *dir)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0)
        fprintf(stderr, "cannot clear %s\n", dir);
}

#endif
