/* Members of communicators of nodes; see vnode.h. */
#include "config.h"

#include "vnode.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "hmf/comm.h"
#include "procmap.h"
#include "stash.h"
#include "vreq.h"

struct caller {
    int key, rank, called;
    int at;             /* in the parent: the order of equal keys */
};

static int by_key(const void *a, const void *b)
{
    const struct caller *x = a, *y = b;

    return x->key != y->key ? (x->key < y->key ? -1 : 1) : x->at - y->at;
}

int hmf__vnode_note(struct hmf__vcomm *v, MPI_Comm parent, int split_type, int key)
{
    struct hmf__vcomm *p = hmf__vcomm_of(parent);
    struct caller mine = { key, hmf__vcomm_world.rank, split_type == MPI_COMM_TYPE_SHARED, p->rank };
    struct caller *all = hmf__calloc((size_t) p->size, sizeof(*all));
    int *ranks = hmf__calloc((size_t) p->size, sizeof(*ranks)), n = 0, rc = MPI_ERR_NO_MEM;

    if (all != NULL && ranks != NULL)
        rc = PMPI_Allgather(&mine, sizeof(mine), MPI_BYTE, all, sizeof(mine), MPI_BYTE, p->real);
    if (rc == MPI_SUCCESS && v != NULL && mine.called) {
        qsort(all, (size_t) p->size, sizeof(*all), by_key);
        for (int i = 0; i < p->size; i++)
            if (all[i].called)
                ranks[n++] = all[i].rank;
        hmf__vcomm_lock();
        v->callers = hmf__members_share(ranks, n);
        v->call_gid = hmf__vcomm_mix(p->gid, p->children);
        hmf__vcomm_unlock();
    }
    hmf__free(all);
    hmf__free(ranks);
    return rc;
}

/* Numbers of ranks in it would mean others afterwards. */
static hmf_status_t idle(const struct hmf__vcomm *v)
{
    bool busy = v->stash != NULL;
    char text[160];

    for (const struct hmf__vreq *q = hmf__vreq_first(); q != NULL; q = q->next)
        busy |= q->vcomm == v;
    return !busy ? HMF_OK
        : hmf__fail(HMF_ERR_BUSY, "%s was made by MPI_Comm_split_type and would have other members, but "
                    "messages or requests on it are pending: complete them before auto_poll",
                    hmf__vcomm_text(v, text, sizeof(text)));
}

static hmf_status_t turn(struct hmf__vcomm *v, const int *proc_of)
{
    int mine = hmf__vcomm_world.rank, n = 0, *ranks;
    struct hmf__members *now;
    hmf_status_t status;

    ranks = hmf__calloc((size_t) v->callers->n, sizeof(*ranks));
    if (ranks == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the ranks of a node");
    for (int i = 0; i < v->callers->n; i++) {
        int r = v->callers->rank[i];

        if (hmf__procmap.node_of[proc_of[r]] == hmf__procmap.node_of[proc_of[mine]])
            ranks[n++] = r;
    }
    now = hmf__members_share(ranks, n);
    hmf__free(ranks);
    if (now == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the ranks of a node");
    status = now != v->members ? idle(v) : HMF_OK;
    if (now == v->members || status != HMF_OK) {
        hmf__members_put(now);
        return status;
    }
    v->were = v->members;
    v->was_gid = v->gid;
    v->members = now;
    v->gid = hmf__vcomm_mix(v->call_gid, now->hash);
    return HMF_OK;
}

static void show(struct hmf__vcomm *v)
{
    v->size = v->members->n;
    v->rank = hmf__members_index(v->members, hmf__vcomm_world.rank);
}

hmf_status_t hmf__vnode_turn(const int *new_proc_of)
{
    hmf_status_t status = HMF_OK;

    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL && status == HMF_OK; v = v->next) {
        if (v->callers == NULL)
            continue;
        status = turn(v, new_proc_of);
        show(v);
    }
    return status;
}

void hmf__vnode_settle(bool commit)
{
    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next) {
        struct hmf__members *were = v->were;

        if (were == NULL)
            continue;
        v->were = NULL;
        if (commit) {
            /* Its members come from several: nothing that they counted alone is common. */
            v->collectives = v->children = 0;
            v->changes++;
        } else {
            hmf__members_put(v->members);
            v->members = were;
            v->gid = v->was_gid;
            show(v);
            continue;
        }
        hmf__members_put(were);
    }
}

hmf_status_t hmf_comm_changes(MPI_Comm comm, unsigned *changes)
{
    const struct hmf__vcomm *v = hmf__vcomm_of(comm);

    if (v == NULL || changes == NULL || v->members == NULL)
        return hmf__fail(HMF_ERR_ARG, "hmf_comm_changes needs a communicator of the program");
    *changes = v->changes;
    return HMF_OK;
}
