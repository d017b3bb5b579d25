/* Bringing point-to-point traffic to rest; see drain.h.
 *
 * Each round every rank receives what has arrived into stashes, then all add up (messages sent
 * minus received) over all ranks and communicators.  Nobody sends any more, so the sum can only
 * fall, and at zero nothing is under way.  In the same sum travels a check that all members of
 * each communicator have made equally many collective calls: member i adds h(communicator,
 * calls), the first member subtracts h times the number of the others, so that the total is 0
 * (mod 2^64) if they agree and, but for a chance of 2^-64, only then.
 */
#include "config.h"

#include "drain.h"

#include "base.h"
#include "blame.h"
#include "gate.h"
#include "stash.h"
#include "vcomm.h"
#include "vreq.h"
#include "world.h"

#include <limits.h>
#include <sched.h>
#include <string.h>

enum { SUM_MESSAGES, SUM_COLLECTIVES, SUM_SENDS, SUM_LATE, SUM_FAILED, SUMS };

/* Mrecv with a count beyond int. */
static int receive_big(void *data, MPI_Count bytes, MPI_Message *message)
{
    const int unit = 1 << 20;
    int lengths[2] = { (int) (bytes / unit), (int) (bytes % unit) }, rc;
    MPI_Aint offsets[2] = { 0, (MPI_Aint) (bytes - bytes % unit) };
    MPI_Datatype block, types[2], whole;

    rc = PMPI_Type_contiguous(unit, MPI_BYTE, &block);
    if (rc != MPI_SUCCESS)
        return rc;
    types[0] = block;
    types[1] = MPI_BYTE;
    rc = PMPI_Type_create_struct(2, lengths, offsets, types, &whole);
    PMPI_Type_free(&block);
    if (rc != MPI_SUCCESS)
        return rc;
    rc = PMPI_Type_commit(&whole);
    if (rc == MPI_SUCCESS)
        rc = PMPI_Mrecv(data, 1, whole, message, MPI_STATUS_IGNORE);
    PMPI_Type_free(&whole);
    return rc;
}

static hmf_status_t take_one(struct hmf__vcomm *v, MPI_Message *message, const MPI_Status *st)
{
    struct hmf__stashed *m;
    MPI_Count bytes;
    int rc = PMPI_Get_elements_x(st, MPI_BYTE, &bytes);

    if (rc != MPI_SUCCESS || bytes < 0)
        return hmf__fail(HMF_ERR_MPI, "MPI does not tell the size of a message (%d)", rc);
    m = hmf__stash_new(st->MPI_SOURCE, st->MPI_TAG, (uint64_t) bytes);
    if (m == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to keep a message of %lld bytes",
                         (long long) bytes);
    rc = bytes <= INT_MAX
        ? PMPI_Mrecv(m->data, (int) bytes, MPI_BYTE, message, MPI_STATUS_IGNORE)
        : receive_big(m->data, bytes, message);
    if (rc != MPI_SUCCESS) {
        hmf__stash_free(m);
        return hmf__fail(HMF_ERR_MPI, "receiving a message of %lld bytes failed (%d)",
                         (long long) bytes, rc);
    }
    hmf__stash_put(v, m);
    v->received++;
    return HMF_OK;
}

/* Everything that has arrived. */
static hmf_status_t sweep(bool *took)
{
    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next) {
        if (!hmf__drain_counts(v) || (v->flags & HMF__COMM_UNMADE))
            continue;
        for (;;) {
            MPI_Message message;
            MPI_Status st;
            hmf_status_t status;
            int flag = 0;
            int rc = PMPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, v->real, &flag, &message, &st);

            if (rc != MPI_SUCCESS)
                return hmf__fail(HMF_ERR_MPI, "MPI_Improbe failed (%d)", rc);
            if (!flag)
                break;
            status = take_one(v, &message, &st);
            if (status != HMF_OK)
                return status;
            *took = true;
        }
    }
    return HMF_OK;
}

static bool leads(const struct hmf__vcomm *v)
{
    return v->rank == 0 && (v->remote == NULL || v->members->rank[0] < v->remote->rank[0]);
}

static uint64_t collective_check(const struct hmf__vcomm *v)
{
    uint64_t h = hmf__vcomm_mix(v->gid, v->collectives);

    return leads(v) ? h - h * (uint64_t) (v->size + v->remote_size) : h;
}

static bool must_agree(const struct hmf__vcomm *v)
{
    return v->size + v->remote_size > 1 && !(v->flags & HMF__COMM_STILL);
}

uint64_t hmf__drain_collectives(void)
{
    uint64_t check = 0;

    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        if (hmf__drain_counts(v) && must_agree(v))
            check += collective_check(v);
    return check;
}

static void add_up(int64_t *sum)
{
    uint64_t messages = hmf__vcomm_gone_sent - hmf__vcomm_gone_received;

    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        if (hmf__drain_counts(v))
            messages += v->sent - v->received;
    sum[SUM_MESSAGES] = (int64_t) messages;
    sum[SUM_COLLECTIVES] = (int64_t) hmf__drain_collectives();
}

/* A sum that was given up goes on inside MPI, into memory that stays; the rank that it waited for adds
 * its part when it is back. */
static struct {
    MPI_Request request;
    int64_t mine[SUMS], all[SUMS];
} late = { .request = MPI_REQUEST_NULL };

/* Before another sum is begun on the same communicator. */
static hmf_status_t finish_late(uint64_t limit_ns)
{
    uint64_t start = hmf__now_ns();
    int done = late.request == MPI_REQUEST_NULL;

    while (!done) {
        if (PMPI_Test(&late.request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            return hmf__fail(HMF_ERR_MPI, "adding up message counts failed");
        if (!done && hmf__now_ns() - start > limit_ns)
            return hmf__fail(HMF_ERR_PEER, "an earlier drain is not over yet: a rank that was silent "
                             "then has not come to it");
        if (!done)
            sched_yield();
    }
    return HMF_OK;
}

uint64_t hmf__drain_open(bool messages)
{
    int64_t sum[SUMS] = { 0 };

    add_up(sum);
    if (!messages)
        return (uint64_t) sum[SUM_COLLECTIVES];
    /* An odd factor: no number of messages becomes 0. */
    return (uint64_t) sum[SUM_COLLECTIVES] + UINT64_C(0x9e3779b97f4a7c15) *
        ((uint64_t) sum[SUM_MESSAGES] + hmf__stash_total);
}

/* The sums of all ranks.  Waiting for them goes on receiving, since a sender may need it to get
 * here. */
static hmf_status_t exchange(const int64_t *mine, int64_t *all, uint64_t limit_ns, bool *took,
                             hmf_status_t *failed)
{
    uint64_t start = hmf__now_ns();
    int done = 0, rc;

    memcpy(late.mine, mine, sizeof late.mine);
    rc = PMPI_Iallreduce(late.mine, late.all, SUMS, MPI_INT64_T, MPI_SUM, hmf__world_inner(), &late.request);
    for (unsigned spins = 0; rc == MPI_SUCCESS && !done; spins++) {
        rc = PMPI_Test(&late.request, &done, MPI_STATUS_IGNORE);
        if (done)
            break;
        if (*failed == HMF_OK)
            *failed = sweep(took);
        if (spins > 16)
            sched_yield();
        if (hmf__now_ns() - start > limit_ns)
            return hmf__fail(HMF_ERR_PEER, "not all ranks came to the drain within %.0f s: one of "
                             "them must be gone (HMF_TIMEOUT)", (double) limit_ns * 1e-9);
    }
    for (int i = 0; i < SUMS; i++)
        all[i] = late.all[i];
    return rc == MPI_SUCCESS ? HMF_OK
                             : hmf__fail(HMF_ERR_MPI, "adding up message counts failed (%d)", rc);
}

static hmf_status_t limit_of(uint64_t *limit_ns)
{
    double seconds;
    hmf_status_t status = hmf__param_double("HMF_TIMEOUT", 0.001, 1e6, 60.0, &seconds);

    *limit_ns = (uint64_t) ((status == HMF_OK ? seconds : 60.0) * 1e9);
    return status;
}

hmf_status_t hmf__drain_run(void)
{
    uint64_t limit_ns, start = hmf__now_ns();
    hmf_status_t failed = limit_of(&limit_ns), status;
    int64_t mine[SUMS], all[SUMS] = { 0 };

    status = finish_late(limit_ns);
    if (status != HMF_OK)
        return status;
    if ((status = hmf__gate_settle(hmf__world_inner(), limit_ns / 2)) != HMF_OK)
        return status;
    if (failed == HMF_OK)
        failed = hmf__vreq_suspend();
    for (;;) {
        bool took = false;

        if (failed == HMF_OK)
            failed = sweep(&took);
        add_up(mine);
        mine[SUM_SENDS] = (int64_t) hmf__vreq_sends_pending();
        mine[SUM_LATE] = hmf__now_ns() - start > limit_ns;
        mine[SUM_FAILED] = failed != HMF_OK;
        status = exchange(mine, all, 2 * limit_ns, &took, &failed);
        if (status != HMF_OK)
            return status;
        if (all[SUM_FAILED] != 0)
            return failed != HMF_OK ? failed
                                    : hmf__fail(HMF_ERR_PEER, "the drain failed at another rank");
        if (all[SUM_COLLECTIVES] != 0)
            return hmf__blame(HMF__BLAME_COLLECTIVES);
        if (all[SUM_MESSAGES] == 0 && all[SUM_SENDS] == 0)
            return HMF_OK;
        if (all[SUM_LATE] != 0)
            return hmf__blame(HMF__BLAME_LOST);
        if (!took)
            sched_yield();
    }
}

hmf_status_t hmf__drain_quiet(void)
{
    uint64_t limit_ns;
    hmf_status_t failed = limit_of(&limit_ns), status;
    int64_t mine[SUMS] = { 0 }, all[SUMS];
    int rc;

    if (failed == HMF_OK)
        failed = finish_late(limit_ns);
    if ((status = hmf__gate_settle(hmf__world_inner(), limit_ns / 2)) != HMF_OK)
        return status;
    add_up(mine);
    mine[SUM_SENDS] = (int64_t) hmf__stash_total;
    mine[SUM_FAILED] = failed != HMF_OK;
    rc = PMPI_Allreduce(mine, all, SUMS, MPI_INT64_T, MPI_SUM, hmf__world_inner());
    if (rc != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "adding up message counts failed (%d)", rc);
    if (all[SUM_FAILED] != 0)
        return failed != HMF_OK ? failed : hmf__fail(HMF_ERR_PEER, "another rank failed");
    if (all[SUM_COLLECTIVES] != 0)
        return hmf__blame(HMF__BLAME_COLLECTIVES);
    if (all[SUM_MESSAGES] == 0 && all[SUM_SENDS] == 0)
        return HMF_OK;
    return hmf__blame(HMF__BLAME_PENDING);
}
