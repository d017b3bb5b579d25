/* hmf/job.h - requests and questions of a program that go beyond auto.h.
 *
 * Not collective.  May be called by any rank between auto_init and auto_done, from the thread that
 * called MPI_Init.  A request is only noted; it is served at a later auto_poll of all ranks.
 */
#ifndef HMF_JOB_H_PUBLIC
#define HMF_JOB_H_PUBLIC

#include "hmf/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Asks that logical rank `rank` move to a spare, on host `node` or (NULL) anywhere, other hosts
 * first. Whether it did is told by the log and by where hmf_node() says it is.
 * HMF_ERR_STATE: before auto_init.  HMF_ERR_ARG: no such rank, or the name is too long. */
hmf_status_t hmf_request_move(int rank, const char *node);

/* Asks for a checkpoint of the job; with `stop` the job ends in order after it.
 * HMF_ERR_STATE: before auto_init. */
hmf_status_t hmf_request_checkpoint(int stop);

/* 1 in a process that took its rank over from another, from MPI_Init on; 0 in one that began
 * with it. For side effects of start-up that must not happen twice (truncating an output file). */
int hmf_newcomer(void);

/* The name of the host that this process runs on.  Never NULL; static storage. */
const char *hmf_node(void);

#ifdef __cplusplus
}
#endif
#endif
