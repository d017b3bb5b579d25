/* op.h - what is done at a cut: one checkpoint, or some moves; and what asks for it.
 *
 * Plain data with its encoding on the wire of the agents.  Nothing here decides or waits. */
#ifndef HMF_OP_H
#define HMF_OP_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "hmf/status.h"

enum hmf__op_kind { HMF__OP_CHECKPOINT = 1, HMF__OP_MOVE = 2 };

enum hmf__ask_source { HMF__ASK_SIGNAL, HMF__ASK_PROGRAM, HMF__ASK_CONTROL, HMF__ASK_SCHEDULE,
                       HMF__ASK_POLICY };

/* A wish, sent to the coordinator. */
struct hmf__ask {
    uint32_t kind;          /* enum hmf__op_kind */
    uint32_t source;        /* enum hmf__ask_source */
    uint32_t stop;          /* checkpoint: end the job after it */
    int32_t rank;           /* move: logical rank that is to leave its place */
    uint64_t token;         /* control: names the connection that waits for the outcome; else 0 */
    char node[64];          /* move: where to, "" for anywhere */
};

struct hmf__move { int32_t rank, from, to; };   /* logical rank, processes */

/* The plan of one cut, known to every agent that takes part. */
struct hmf__op {
    uint64_t epoch;         /* number of the operation, grows */
    uint32_t kind;          /* enum hmf__op_kind */
    uint32_t stop;
    uint32_t wait;          /* checkpoint: somebody waits until it is on disk */
    uint64_t cut;           /* number of the poll at which all stop */
    uint32_t nmoves;
    struct hmf__move *moves;
};

hmf_status_t hmf__ask_put(struct hmf__buf *out, const struct hmf__ask *ask);
hmf_status_t hmf__ask_get(struct hmf__buf *in, struct hmf__ask *out);

hmf_status_t hmf__op_put(struct hmf__buf *out, const struct hmf__op *op);
/* `nranks`, `nprocs`: bounds of the numbers in it.  On success `out` owns its moves. */
hmf_status_t hmf__op_get(struct hmf__buf *in, int nranks, int nprocs, struct hmf__op *out);
hmf_status_t hmf__op_copy(const struct hmf__op *op, struct hmf__op *out);
void hmf__op_clear(struct hmf__op *op);

/* The move that takes a process's rank away, or gives it one; NULL if it is not concerned. */
const struct hmf__move *hmf__op_leaves(const struct hmf__op *op, int proc);
const struct hmf__move *hmf__op_enters(const struct hmf__op *op, int proc);

#endif
