/* Building the communicators that a move needs; see vbuild.h.
 *
 * Creating a communicator costs Open MPI some rounds of messages to agree on an identifier, about
 * 1 ms among 8 ranks on 2 cores, whatever the call (create_group, create, dup, split); so those
 * without a member that moves are not touched.  The others are put into classes of equal members
 * and topology: the first of a class is made by MPI_Comm_create_group (and a topology call), its
 * fellows are duplicates of it.  Ten MPI_Comm_idup started together would cost hardly more than
 * one, but Open MPI 4.1 then mixes up the rounds of duplications of the same communicator and
 * hangs once in a while.
 *
 * All processes go through the classes in one total order (by a key that all members compute
 * alike), so that no two of them wait for each other in different communicators.
 */
#include "config.h"

#include "vbuild.h"

#include "base.h"
#include "procmap.h"
#include "vcomm.h"
#include "vplan.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define BUILD_TAG 1

struct job {
    struct hmf__vcomm *v;
    struct hmf__vplan *plan;
    uint64_t key;
};

static int by_key(const void *a, const void *b)
{
    const struct job *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->v->gid < y->v->gid ? -1 : x->v->gid > y->v->gid;
}

static bool among(const struct hmf__members *m, const bool *moved)
{
    for (int i = 0; m != NULL && i < m->n; i++)
        if (moved[m->rank[i]])
            return true;
    return false;
}

bool hmf__vbuild_touched(const struct hmf__vcomm *v, const bool *moved)
{
    return v != &hmf__vcomm_self && v->kind != HMF__COMM_FOREIGN &&
           (v->were != NULL || among(v->members, moved) || among(v->remote, moved));
}

static uint64_t key_of(const struct hmf__vcomm *v, const struct hmf__vplan *p)
{
    uint64_t topology = hmf__vplan_hash(p);

    /* Graphs and intercommunicators differ between members, so each is a class of its own. */
    if (topology == 0 || v->kind == HMF__COMM_INTER)
        return v->gid;
    return hmf__vcomm_mix(v->members->hash, topology);
}

static hmf_status_t collect(const bool *moved, struct job **jobs, size_t *njobs)
{
    struct job *list = hmf__calloc(hmf__vcomm_count(), sizeof(*list));
    hmf_status_t status = HMF_OK;
    size_t n = 0;

    if (list == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to rebuild %zu communicators",
                         hmf__vcomm_count());
    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL && status == HMF_OK; v = v->next) {
        if (!hmf__vbuild_touched(v, moved))
            continue;
        list[n].v = v;
        if (v->plan != NULL) {
            list[n].plan = v->plan;
            v->plan = NULL;
        } else {
            status = hmf__vplan_read(v->real, &list[n].plan);
        }
        if (status == HMF_OK)
            list[n].key = key_of(v, list[n].plan);
        n++;
    }
    qsort(list, n, sizeof(*list), by_key);
    *jobs = list;
    *njobs = n;
    return status;
}

int hmf__vbuild_plain(MPI_Comm inner, const struct hmf__members *m, MPI_Comm *out)
{
    MPI_Group all, some;
    int rc;

    if (m->n == 1)
        return PMPI_Comm_dup(MPI_COMM_SELF, out);
    rc = PMPI_Comm_group(inner, &all);
    if (rc != MPI_SUCCESS)
        return rc;
    rc = PMPI_Group_incl(all, m->n, m->rank, &some);
    PMPI_Group_free(&all);
    if (rc != MPI_SUCCESS)
        return rc;
    rc = PMPI_Comm_create_group(inner, some, BUILD_TAG, out);
    PMPI_Group_free(&some);
    return rc;
}

static int inter(MPI_Comm inner, const struct hmf__vcomm *v, MPI_Comm *out)
{
    MPI_Comm local;
    int rc = hmf__vbuild_plain(inner, v->members, &local);

    if (rc != MPI_SUCCESS)
        return rc;
    rc = PMPI_Intercomm_create(local, 0, inner, v->remote->rank[0], BUILD_TAG, out);
    PMPI_Comm_free(&local);
    return rc;
}

/* The first of a class. `*base` is what the others are duplicated from. */
static int first(MPI_Comm inner, struct job *j, MPI_Comm *base)
{
    bool whole = j->v->members == hmf__vcomm_world.members;
    MPI_Comm under = inner;
    int rc;

    if (j->v->kind == HMF__COMM_INTER)
        return inter(inner, j->v, &j->v->prepared);
    if (j->plan->topology == MPI_UNDEFINED) {
        if (whole) {
            *base = inner;
            return MPI_SUCCESS;
        }
        rc = hmf__vbuild_plain(inner, j->v->members, &j->v->prepared);
    } else {
        rc = whole ? MPI_SUCCESS : hmf__vbuild_plain(inner, j->v->members, &under);
        if (rc == MPI_SUCCESS) {
            rc = hmf__vplan_apply(j->plan, under, &j->v->prepared);
            if (!whole)
                PMPI_Comm_free(&under);
        }
    }
    *base = j->v->prepared;
    return rc;
}

/* Duplicates `base` for all jobs of a class that have nothing yet. */
static int duplicate(MPI_Comm base, struct job *jobs, size_t n)
{
    int rc = MPI_SUCCESS;

    for (size_t i = 0; i < n && rc == MPI_SUCCESS; i++)
        if (jobs[i].v->prepared == MPI_COMM_NULL)
            rc = PMPI_Comm_dup(base, &jobs[i].v->prepared);
    return rc;
}

/* What a new communicator inherits from the library's own is not what the program had set. */
static int dress(const struct job *j)
{
    MPI_Errhandler handler = MPI_ERRORS_ARE_FATAL;
    int rc;

    if (j->plan->errors == HMF__ERRORS_RETURN)
        handler = MPI_ERRORS_RETURN;
    if (j->plan->errors == HMF__ERRORS_OTHER && j->v->real != MPI_COMM_NULL) {
        rc = PMPI_Comm_get_errhandler(j->v->real, &handler);
        if (rc == MPI_SUCCESS) {
            rc = PMPI_Comm_set_errhandler(j->v->prepared, handler);
            PMPI_Errhandler_free(&handler);
        }
    } else {
        rc = PMPI_Comm_set_errhandler(j->v->prepared, handler);
    }
    if (rc == MPI_SUCCESS)
        rc = PMPI_Comm_set_name(j->v->prepared, j->plan->name);
    return rc;
}

/* What one of those who failed says, everybody says: whoever is asked first gives the reason. */
static hmf_status_t tell_why(MPI_Comm inner, hmf_status_t status)
{
    struct { int status; char text[600]; } why = { (int) status, "" };
    int rank, mine, one;

    PMPI_Comm_rank(inner, &rank);
    mine = status != HMF_OK ? rank : INT_MAX;
    if (PMPI_Allreduce(&mine, &one, 1, MPI_INT, MPI_MIN, inner) != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "ranks could not tell each other why a move is undone");
    if (rank == one)
        snprintf(why.text, sizeof(why.text), "%s", hmf_error_text());
    if (PMPI_Bcast(&why, sizeof(why), MPI_BYTE, one, inner) != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "ranks could not tell each other why a move is undone");
    why.text[sizeof(why.text) - 1] = '\0';
    return hmf__fail((hmf_status_t) why.status, "%s", why.text);
}

hmf_status_t hmf__vbuild_run(MPI_Comm inner, const bool *moved, hmf_status_t before)
{
    struct job *jobs = NULL;
    size_t n = 0;
    hmf_status_t status = before == HMF_OK ? collect(moved, &jobs, &n) : before;
    int rc, mine = status, worst;

    /* Nobody starts to build if somebody cannot: the others would wait for it for ever. */
    rc = PMPI_Allreduce(&mine, &worst, 1, MPI_INT, MPI_MAX, inner);
    if (status == HMF_OK && rc != MPI_SUCCESS)
        status = hmf__fail(HMF_ERR_MPI, "agreeing on the communicators to rebuild failed (%d)", rc);
    else if (rc == MPI_SUCCESS && worst != HMF_OK)
        status = tell_why(inner, status);
    for (size_t i = 0, end; i < n && status == HMF_OK; i = end) {
        MPI_Comm base = MPI_COMM_NULL;

        for (end = i + 1; end < n && jobs[end].key == jobs[i].key; end++)
            ;
        rc = first(inner, &jobs[i], &base);
        if (rc == MPI_SUCCESS && (base == inner || end - i > 1))
            rc = duplicate(base, &jobs[i], end - i);
        for (size_t k = i; k < end && rc == MPI_SUCCESS; k++)
            rc = dress(&jobs[k]);
        if (rc != MPI_SUCCESS) {
            char text[128];

            status = hmf__fail(rc == MPI_ERR_NO_MEM ? HMF_ERR_NOMEM : HMF_ERR_MPI,
                               "cannot rebuild %s (MPI error %d)",
                               hmf__vcomm_text(jobs[i].v, text, sizeof(text)), rc);
        }
    }
    for (size_t i = 0; i < n; i++)
        hmf__vplan_free(jobs[i].plan);
    hmf__free(jobs);
    if (status != HMF_OK)
        hmf__vbuild_drop();
    return status;
}

void hmf__vbuild_commit(void)
{
    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next) {
        MPI_Comm old = v->real;

        if (v->prepared == MPI_COMM_NULL)
            continue;
        v->real = v->prepared;
        v->prepared = MPI_COMM_NULL;
        if (old != MPI_COMM_NULL && old != MPI_COMM_WORLD)
            PMPI_Comm_free(&old);
    }
}

void hmf__vbuild_drop(void)
{
    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        if (v->prepared != MPI_COMM_NULL)
            PMPI_Comm_free(&v->prepared);
}
