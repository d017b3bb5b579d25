/* The virtual world of a rank as bytes: what a newcomer must know of its predecessor's
 * communicators, kept messages and start-up phase.  Declared in world.h.
 *
 *   u32 magic, version; i32 ranks, rank; u32 next id; u64 messages sent, received on those gone
 *   u32 n, lists of members (i32 n, i32 ranks)
 *   u32 n, communicators (row, plan unless SELF, stash); u32 n, ghosts (row)
 *   requests, messages, attributes (vlocal.h)
 *   start-up log
 */
#include "config.h"

#include "world.h"

#include "procmap.h"
#include "startup.h"
#include "stash.h"
#include "vcomm.h"
#include "vlocal.h"
#include "vplan.h"
#include "wpack.h"

#define PACK_MAGIC UINT32_C(0x574d4648)
#define PACK_VERSION 3

/* Position of a list among those packed, 0 for none. */
static uint32_t list_number(struct hmf__members **lists, uint32_t n, const struct hmf__members *m)
{
    for (uint32_t i = 0; i < n; i++)
        if (lists[i] == m)
            return i + 1;
    return 0;
}

static void note_list(struct hmf__members **lists, uint32_t *n, struct hmf__members *m)
{
    if (m != NULL && list_number(lists, *n, m) == 0)
        lists[(*n)++] = m;
}

static void put_row(struct hmf__buf *b, const struct hmf__vcomm *v, struct hmf__members **lists,
                    uint32_t nlists)
{
    hmf__buf_put_u32(b, v->id);
    hmf__buf_put_u32(b, v->flags);
    hmf__buf_put_u64(b, v->gid);
    hmf__buf_put_u64(b, v->children);
    hmf__buf_put_u64(b, v->sent);
    hmf__buf_put_u64(b, v->received);
    hmf__buf_put_u64(b, v->collectives);
    hmf__buf_put_u8(b, v->kind);
    hmf__buf_put_i32(b, v->rank);
    hmf__buf_put_u32(b, list_number(lists, nlists, v->members));
    hmf__buf_put_u32(b, list_number(lists, nlists, v->remote));
    hmf__buf_put_u32(b, list_number(lists, nlists, v->callers));
    hmf__buf_put_u64(b, v->call_gid);
    hmf__buf_put_u32(b, v->changes);
}

hmf_status_t hmf__world_pack(struct hmf__buf *b)
{
    hmf_status_t status = HMF_OK;
    struct hmf__members **lists;
    uint32_t nlists = 0, nghosts = 0;
    struct hmf__vcomm *v;

    for (v = hmf__vcomm_ghosts(); v != NULL; v = v->next)
        nghosts++;
    lists = hmf__calloc(3 * (hmf__vcomm_count() + nghosts), sizeof(struct hmf__members *));
    if (lists == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to pack %zu communicators", hmf__vcomm_count());
    for (v = hmf__vcomm_first(); v != NULL; v = v->next) {
        note_list(lists, &nlists, v->members);
        note_list(lists, &nlists, v->remote);
        note_list(lists, &nlists, v->callers);
    }
    for (v = hmf__vcomm_ghosts(); v != NULL; v = v->next) {
        note_list(lists, &nlists, v->members);
        note_list(lists, &nlists, v->remote);
        note_list(lists, &nlists, v->callers);
    }
    hmf__buf_put_u32(b, PACK_MAGIC);
    hmf__buf_put_u32(b, PACK_VERSION);
    hmf__buf_put_i32(b, hmf__procmap.nranks);
    hmf__buf_put_i32(b, hmf__vcomm_world.rank);
    hmf__buf_put_u32(b, hmf__vcomm_next_id());
    hmf__buf_put_u64(b, hmf__vcomm_gone_sent);
    hmf__buf_put_u64(b, hmf__vcomm_gone_received);
    hmf__buf_put_u32(b, nlists);
    for (uint32_t i = 0; i < nlists; i++) {
        hmf__buf_put_i32(b, lists[i]->n);
        for (int k = 0; k < lists[i]->n; k++)
            hmf__buf_put_i32(b, lists[i]->rank[k]);
    }
    hmf__buf_put_u32(b, (uint32_t) hmf__vcomm_count());
    for (v = hmf__vcomm_first(); v != NULL && status == HMF_OK; v = v->next) {
        put_row(b, v, lists, nlists);
        if (v != &hmf__vcomm_self) {
            struct hmf__vplan *plan;

            status = hmf__vplan_read(v->real, &plan);
            if (status == HMF_OK)
                hmf__vplan_pack(plan, b);
            hmf__vplan_free(plan);
        }
        if (status == HMF_OK)
            status = hmf__stash_pack(v, b);
    }
    hmf__buf_put_u32(b, nghosts);
    for (v = hmf__vcomm_ghosts(); v != NULL; v = v->next)
        put_row(b, v, lists, nlists);
    hmf__free(lists);
    if (status == HMF_OK)
        status = b->status;
    if (status == HMF_ERR_NOMEM)
        hmf__fail(status, "no memory to pack the communicators and kept messages of this rank");
    if (status == HMF_OK)
        status = hmf__startup_movable();
    if (status == HMF_OK)
        status = hmf__vlocal_pack(b);
    return status == HMF_OK ? hmf__startup_pack(b) : status;
}

static hmf_status_t damaged(const char *what)
{
    return hmf__fail(HMF_ERR_FORMAT, "what came from the rank's old process is damaged: %s", what);
}

/* Each list has been given one reference, which the caller puts back. */
static hmf_status_t get_lists(struct hmf__buf *b, struct hmf__members ***out, uint32_t *nout)
{
    uint32_t n = hmf__buf_get_u32(b);
    hmf_status_t status = HMF_OK;
    struct hmf__members **lists;
    int *ranks;

    if (b->status != HMF_OK || n > hmf__buf_left(b) / 4)
        return damaged("number of lists");
    lists = hmf__calloc(n > 0 ? n : 1, sizeof(struct hmf__members *));
    ranks = hmf__calloc((size_t) hmf__procmap.nranks, sizeof(int));
    *out = lists;
    *nout = n;
    if (lists == NULL || ranks == NULL)
        status = hmf__fail(HMF_ERR_NOMEM, "no memory for %u lists of ranks", n);
    for (uint32_t i = 0; i < n && status == HMF_OK; i++) {
        int len = hmf__buf_get_i32(b);

        if (b->status != HMF_OK || len < 1 || len > hmf__procmap.nranks)
            status = damaged("length of a list of ranks");
        for (int k = 0; k < len && status == HMF_OK; k++) {
            ranks[k] = hmf__buf_get_i32(b);
            if (b->status != HMF_OK || ranks[k] < 0 || ranks[k] >= hmf__procmap.nranks)
                status = damaged("a rank in a list");
        }
        if (status == HMF_OK) {
            lists[i] = hmf__members_share(ranks, len);
            if (lists[i] == NULL)
                status = hmf__fail(HMF_ERR_NOMEM, "no memory for a list of %d ranks", len);
        }
    }
    hmf__free(ranks);
    return status;
}

static struct hmf__members *use(struct hmf__members **lists, uint32_t number)
{
    struct hmf__members *m = number > 0 ? lists[number - 1] : NULL;

    if (m != NULL)
        m->refs++;
    return m;
}

/* One row into the table; WORLD and SELF exist already. */
static hmf_status_t get_row(struct hmf__buf *b, struct hmf__members **lists, uint32_t nlists,
                            struct hmf__vcomm **out)
{
    uint32_t id = hmf__buf_get_u32(b), flags = hmf__buf_get_u32(b), members, remote;
    uint64_t gid = hmf__buf_get_u64(b), children = hmf__buf_get_u64(b);
    uint64_t sent = hmf__buf_get_u64(b), received = hmf__buf_get_u64(b);
    uint64_t collectives = hmf__buf_get_u64(b);
    unsigned kind = hmf__buf_get_u8(b);
    int rank = hmf__buf_get_i32(b);
    uint32_t callers, changes;
    uint64_t call_gid;
    struct hmf__vcomm *v;
    hmf_status_t status;

    members = hmf__buf_get_u32(b);
    remote = hmf__buf_get_u32(b);
    callers = hmf__buf_get_u32(b);
    call_gid = hmf__buf_get_u64(b);
    changes = hmf__buf_get_u32(b);
    if (b->status != HMF_OK || members < 1 || members > nlists || remote > nlists
        || callers > nlists
        || kind > HMF__COMM_INTER || (kind == HMF__COMM_INTER) != (remote > 0)
        || rank < 0 || rank >= lists[members - 1]->n
        || lists[members - 1]->rank[rank] != hmf__vcomm_world.rank)
        return damaged("a communicator");
    if (flags & HMF__COMM_FIXED) {
        v = id == 0 ? &hmf__vcomm_world : &hmf__vcomm_self;
        if (id > 1 || v->members != lists[members - 1])
            return damaged("MPI_COMM_WORLD or MPI_COMM_SELF");
    } else {
        if (id < 2 || hmf__vcomm_by_id(id) != NULL)
            return damaged("number of a communicator");
        status = hmf__vcomm_insert(id, &v);
        if (status != HMF_OK)
            return status;
        v->flags = flags & (HMF__COMM_NODE | HMF__COMM_STARTUP);
        v->kind = kind;
        v->rank = rank;
        v->members = use(lists, members);
        v->remote = use(lists, remote);
        v->callers = use(lists, callers);
        v->call_gid = call_gid;
        v->changes = changes;
        v->size = v->members->n;
        v->remote_size = v->remote != NULL ? v->remote->n : 0;
        v->gid = gid;
    }
    v->children = children;
    v->sent = sent;
    v->received = received;
    v->collectives = collectives;
    *out = v;
    return HMF_OK;
}

static hmf_status_t get_comms(struct hmf__buf *b, struct hmf__members **lists, uint32_t nlists)
{
    uint32_t n = hmf__buf_get_u32(b);
    hmf_status_t status = HMF_OK;
    struct hmf__vcomm *v;

    for (uint32_t i = 0; i < n && status == HMF_OK; i++) {
        struct hmf__vplan *plan = NULL;

        status = get_row(b, lists, nlists, &v);
        if (status == HMF_OK && v != &hmf__vcomm_self)
            status = hmf__vplan_unpack(b, v->size, &plan);
        if (status != HMF_OK)
            break;
        v->plan = plan;
        status = hmf__stash_unpack(v, b);
    }
    if (status == HMF_OK)
        n = hmf__buf_get_u32(b);
    for (uint32_t i = 0; i < n && status == HMF_OK && b->status == HMF_OK; i++) {
        status = get_row(b, lists, nlists, &v);
        if (status == HMF_OK && v->flags & HMF__COMM_FIXED)
            status = damaged("a communicator that was freed");
        if (status != HMF_OK)
            break;
        v->sent = v->received = 0;
        hmf__vcomm_ghost(v);
    }
    return status != HMF_OK ? status : b->status != HMF_OK ? damaged("it is too short") : HMF_OK;
}

hmf_status_t hmf__wpack_read(int rank, const void *data, size_t len)
{
    struct hmf__members **lists = NULL;
    struct hmf__buf b;
    uint32_t nlists = 0, next_id;
    uint64_t gone_sent, gone_received;
    hmf_status_t status;

    hmf__buf_borrow(&b, data, len);
    if (hmf__buf_get_u32(&b) != PACK_MAGIC)
        return damaged("it begins with other bytes");
    if (hmf__buf_get_u32(&b) != PACK_VERSION)
        return hmf__fail(HMF_ERR_VERSION, "the rank's old process runs another version of "
                         "libhmf-mpi");
    if (hmf__buf_get_i32(&b) != hmf__procmap.nranks || hmf__buf_get_i32(&b) != rank)
        return damaged("it is of another rank");
    next_id = hmf__buf_get_u32(&b);
    gone_sent = hmf__buf_get_u64(&b);
    gone_received = hmf__buf_get_u64(&b);
    status = get_lists(&b, &lists, &nlists);
    if (status == HMF_OK)
        status = get_comms(&b, lists, nlists);
    if (status == HMF_OK) {
        hmf__vcomm_set_next_id(next_id);
        hmf__vcomm_gone_sent = gone_sent;
        hmf__vcomm_gone_received = gone_received;
        status = hmf__vlocal_unpack(&b);
    }
    if (status == HMF_OK)
        status = hmf__startup_unpack(b.data + b.pos, hmf__buf_left(&b));
    for (uint32_t i = 0; lists != NULL && i < nlists; i++)
        hmf__members_put(lists[i]);
    hmf__free(lists);
    return status;
}
