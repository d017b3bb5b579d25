/* Finding the communicator that keeps the drain from its end; see blame.h. */
#include "config.h"

#include "blame.h"

#include "base.h"
#include "drain.h"
#include "vcomm.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* One communicator at one rank. */
struct record {
    uint64_t gid;
    uint64_t collectives;
    int64_t missing;
    int32_t rank;
    int32_t members;
};

/* Sent and not seen by the program: each message once, at one end or the other. */
static int64_t pending(const struct hmf__vcomm *v)
{
    return (int64_t) (v->sent - v->received + v->stash_count);
}

static int by_gid(const void *a, const void *b)
{
    const struct record *x = a, *y = b;

    if (x->gid != y->gid)
        return x->gid < y->gid ? -1 : 1;
    return x->rank - y->rank;
}

/* Records of all ranks, sorted.  Only used when something is wrong, so its size does not matter. */
static struct record *gather(enum hmf__blame what, size_t *n)
{
    MPI_Comm inner = hmf__world_inner();
    int size = hmf__world_size(), mine = 0, total = 0, k = 0;
    struct record *own = hmf__calloc(hmf__vcomm_count(), sizeof(*own)), *all = NULL;
    int *lengths = hmf__calloc((size_t) size, 2 * sizeof(int)), *starts = lengths + size;

    if (own == NULL || lengths == NULL)
        goto free_parts; /* the others wait; the time limit of the job layer finds it */
    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        if (hmf__drain_counts(v) && v->size + v->remote_size > 1 &&
            (what != HMF__BLAME_COLLECTIVES || !(v->flags & HMF__COMM_STILL)))
            own[k++] = (struct record) {
                v->gid, v->collectives, pending(v),
                hmf__world_rank(), v->size + v->remote_size
            };
    mine = k * (int) sizeof(*own);
    PMPI_Allgather(&mine, 1, MPI_INT, lengths, 1, MPI_INT, inner);
    for (int r = 0; r < size; r++) {
        starts[r] = total;
        total += lengths[r];
    }
    all = hmf__malloc((size_t) total);
    if (all == NULL)
        goto free_parts;
    PMPI_Allgatherv(own, mine, MPI_BYTE, all, lengths, starts, MPI_BYTE, inner);
    *n = (size_t) total / sizeof(*all);
    qsort(all, *n, sizeof(*all), by_gid);
free_parts:
    hmf__free(own);
    hmf__free(lengths);
    return all;
}

/* Rank `owner` knows what the communicator is called. */
static void name_of(uint64_t gid, int owner, char *text, int len)
{
    memset(text, 0, (size_t) len);
    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        if (v->gid == gid && hmf__world_rank() == owner)
            hmf__vcomm_text(v, text, (size_t) len);
    PMPI_Bcast(text, len, MPI_CHAR, owner, hmf__world_inner());
}

/* The first communicator that is not as it should be, by the same records the same everywhere. */
static hmf_status_t describe(enum hmf__blame what, const struct record *group, size_t n)
{
    const struct record *low = group, *high = group;
    char text[128];
    int64_t missing = 0;

    for (size_t i = 0; i < n; i++) {
        missing += group[i].missing;
        low = group[i].collectives < low->collectives ? &group[i] : low;
        high = group[i].collectives > high->collectives ? &group[i] : high;
    }
    if (what == HMF__BLAME_COLLECTIVES
            ? low->collectives == high->collectives && n == (size_t) group->members
            : missing == 0)
        return HMF_OK;
    name_of(group->gid, group->rank, text, sizeof(text));
    if (what == HMF__BLAME_LOST)
        return hmf__fail(HMF_ERR_TIMEOUT, "%lld messages sent on %s did not come within "
                         "HMF_TIMEOUT", (long long) missing, text);
    if (what == HMF__BLAME_PENDING)
        return hmf__fail(HMF_ERR_BUSY, "%lld messages on %s are sent and not received: a "
                         "checkpoint does not hold them, receive them before auto_poll",
                         (long long) missing, text);
    if (low->collectives == high->collectives)
        return hmf__fail(HMF_ERR_BUSY, "%s exists at %zu of its %d members only: it is made or "
                         "freed on both sides of the poll", text, n, group->members);
    return hmf__fail(HMF_ERR_BUSY, "rank %d has made %llu collective calls on %s, rank %d %llu: a "
                     "collective call must not span every auto_poll that a rank could move at",
                     low->rank,
                     (unsigned long long) low->collectives, text, high->rank,
                     (unsigned long long) high->collectives);
}

hmf_status_t hmf__blame(enum hmf__blame what)
{
    hmf_status_t status = HMF_OK;
    size_t n = 0;
    struct record *all = gather(what, &n);

    for (size_t i = 0, end; all != NULL && i < n && status == HMF_OK; i = end) {
        for (end = i; end < n && all[end].gid == all[i].gid; end++)
            ;
        status = describe(what, &all[i], end - i);
    }
    hmf__free(all);
    if (status != HMF_OK)
        return status;
    /* On communicators that are freed already, or of one rank alone. */
    return what == HMF__BLAME_LOST
        ? hmf__fail(HMF_ERR_TIMEOUT, "messages that were sent did not come within HMF_TIMEOUT")
        : hmf__fail(HMF_ERR_BUSY, "a collective call or a message spans the poll");
}
