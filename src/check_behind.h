/*
 * What all ranks do behind the program's back: each rank's thread makes its part of a generation,
 * then rank 0's thread makes the whole of it.
 *
 * No message is needed to know that all parts are there, since messages would have to wait for the
 * program: parts are files that appear by rename, and rank 0's thread waits for their names. Only
 * hmf__behind_complete is collective, and asks how it went.
 */
#ifndef HMF_CHECK_BEHIND_H
#define HMF_CHECK_BEHIND_H

#include "check.h"
#include "check_priv.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct hmf__behind {
    /* The steps: part in each rank's thread, whole in rank 0's after its part. Set before start. */
    hmf_status_t (*part)(void *ctx);
    hmf_status_t (*whole)(void *ctx);
    void *ctx;
    int rank;

    bool under_way;                     /* begun, and not yet completed */
    pthread_t thread;
    atomic_int phase;
    atomic_bool give_up;                /* another rank has failed: its part will not appear */
    hmf_status_t part_status, whole_status;     /* the thread's, valid when that step is over */
    char text[HMF__CHECK_TEXT_MAX];
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

void hmf__behind_init(struct hmf__behind *b);
/* Stops what is under way; not collective. */
void hmf__behind_fini(struct hmf__behind *b);

/* Starts this rank's thread; HMF_ERR_NOMEM. */
hmf_status_t hmf__behind_start(struct hmf__behind *b);

/* Gives up: rank 0 waits for no part any more, and the thread is joined. */
void hmf__behind_stop(struct hmf__behind *b);

/* How far this rank is: local and cheap. The least of all ranks' says whether there is something
   to be said of it: HMF__BEHIND_BUSY is the only one that is worth waiting for. */
enum { HMF__BEHIND_FAILED, HMF__BEHIND_BUSY, HMF__BEHIND_DONE };
int hmf__behind_look(const struct hmf__behind *b);

/* Collective: waits until all are done, and says how it went. HMF_OK if nothing was under way. */
hmf_status_t hmf__behind_complete(struct hmf__behind *b, struct hmf__check_job *job);

/* In the step `whole`: waits until that file is there. HMF_ERR_PEER: given up; HMF_ERR_IO. */
hmf_status_t hmf__behind_await(struct hmf__behind *b, const char *path, int rank);

#endif
