/*
 * Finds parts in the nodes' directories; see check_locate.h.
 *
 * Nobody trusts the manifest about where a part is: nodes may be gone, and ranks elsewhere. The
 * ranks of each node look at what it has. Of each part that somebody misses, the least rank that
 * has found one intact gives it.
 */
#include "config.h"

#include "check_locate.h"

#include "base.h"
#include "check_flush.h"
#include "check_local.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct search {
    struct hmf__check_job *job;
    const struct hmf__check_seals *seals;
    const struct hmf__manifest *manifest;
    int *giver;                         /* of each part: the rank that has it, INT_MAX: none */
    bool *wanted;                       /* of each part */
};

static hmf_status_t search_init(struct search *s)
{
    size_t n = (size_t)s->seals->nranks;
    s->giver = hmf__malloc(n * sizeof(*s->giver));
    s->wanted = hmf__calloc(n, sizeof(*s->wanted));
    return hmf__check_agree(s->job, s->giver != NULL && s->wanted != NULL ? HMF_OK
                            : hmf__fail(HMF_ERR_NOMEM, "no memory to look for parts"));
}

static void search_fini(struct search *s)
{
    hmf__free(s->giver);
    hmf__free(s->wanted);
}

/* Looks for one part on this node. */
static bool look(const struct search *s, int rank, struct hmf__file **out)
{
    const struct hmf__check_seals *seals = s->seals;
    bool damaged;
    return hmf__local_find(s->job, s->job->hold->local->dir, seals->generation, seals->nranks, rank,
                           &seals->parts[rank], out, &damaged) == HMF_OK;
}

/* Who can give the wanted parts. The ranks of a node share the work. */
static hmf_status_t find_givers(struct search *s)
{
    const struct hmf__local *l = s->job->hold->local;
    for (int i = 0; i < s->seals->nranks; i++) {
        struct hmf__file *f = NULL;
        s->giver[i] = INT_MAX;
        if (s->wanted[i] && i % l->ours == l->mine && look(s, i, &f))
            s->giver[i] = s->job->rank;
        hmf__file_close(f);
    }
    return s->job->least(s->job->ctx, s->giver, (size_t)s->seals->nranks);
}

/* Rank 0 knows the nodes; the others learn the text when the ranks agree. */
static hmf_status_t say_missing(const struct search *s)
{
    const struct hmf__manifest *m = s->manifest;
    char ranks[200] = "", nodes[400] = "";
    size_t nr = 0, nn = 0;
    bool any = false;
    for (int i = 0; i < s->seals->nranks; i++) {
        if (!s->wanted[i] || s->giver[i] != INT_MAX)
            continue;
        any = true;
        if (nr < sizeof ranks - 16)
            nr += (size_t)snprintf(ranks + nr, sizeof ranks - nr, "%s%d", nr != 0 ? ", " : "", i);
        else if (ranks[nr - 1] != '.')
            nr += (size_t)snprintf(ranks + nr, sizeof ranks - nr, ", ...");
        for (int c = 0; c < 2 && m != NULL; c++) {
            const char *node = c != 0 ? m->copies[i] : m->nodes[i];
            char word[HMF__NODE_MAX + 2];
            snprintf(word, sizeof word, "%s,", node);
            char list[sizeof nodes + 2];
            snprintf(list, sizeof list, "%s,", nodes);
            const char *at = strstr(list, word);
            while (at != NULL && at != list && at[-1] != ' ')
                at = strstr(at + 1, word);
            if (node[0] != '\0' && at == NULL && nn < sizeof nodes - HMF__NODE_MAX - 4)
                nn += (size_t)snprintf(nodes + nn, sizeof nodes - nn, "%s%s", nn != 0 ? ", " : "",
                                       node);
        }
    }
    return !any ? HMF_OK
        : hmf__fail(HMF_ERR_NOTFOUND, "no node of this job has the part of rank %s of generation "
                    "%" PRIu64 "; written on %s", ranks, s->seals->generation, nodes);
}

/* Moves wanted parts, each from its giver to the rank of its number: as many at once as there are
   pairs of ranks without one in common. */
static hmf_status_t fetch(struct search *s)
{
    struct hmf__check_job *job = s->job;
    uint64_t g = s->seals->generation;
    const char *dir = job->hold->local->dir;
    char in[HMF__DIR_PATH_MAX], path[HMF__DIR_PATH_MAX] = "";
    struct hmf__file *f = NULL;
    hmf_status_t rc = hmf__dir_name(dir, g, 0, path);
    if (rc == HMF_OK)
        rc = hmf__dir_make(path);
    rc = hmf__check_agree(job, rc);
    bool *busy = hmf__malloc((size_t)job->nranks * 2 * sizeof(*busy));
    if (rc == HMF_OK)
        rc = hmf__check_agree(job, busy != NULL ? HMF_OK : hmf__fail(HMF_ERR_NOMEM, "no memory to "
                                                                    "fetch parts"));
    for (int left = 1; left != 0 && rc == HMF_OK;) {
        struct hmf__trade t = {.to = -1, .from = -1, .in_path = in, .out_path = path};
        left = 0;
        memset(busy, 0, (size_t)job->nranks * 2 * sizeof(*busy));
        for (int i = 0; i < s->seals->nranks; i++) {
            if (!s->wanted[i])
                continue;
            bool *gives = busy + 2 * s->giver[i], *gets = busy + 2 * i + 1;
            if (*gives || *gets) {
                left++;
                continue;
            }
            *gives = *gets = true;
            s->wanted[i] = false;
            if (s->giver[i] == job->rank && look(s, i, &f)) {
                t.to = i;
                snprintf(path, sizeof path, "%s", f->path);
                hmf__file_close(f);
                t.out_bytes = s->seals->parts[i].bytes;
            } else if (s->giver[i] == job->rank) {
                /* gone meanwhile: the other side finds that out by the seal */
                t.to = i;
                t.out_bytes = s->seals->parts[i].bytes;
                path[0] = '\0';
            }
            if (i == job->rank) {
                t.from = s->giver[i];
                t.in = s->seals->parts[i];
                rc = hmf__local_path(dir, g, false, i, in);
            }
            if (job->rank == 0)
                hmf__log(HMF__LOG_WARN, "the part of rank %d of checkpoint generation %" PRIu64
                         " is rebuilt on %s from what %s has", i, g, job->hold->local->nodes[i],
                         job->hold->local->nodes[s->giver[i]]);
        }
        rc = hmf__local_trade(job, &t);
    }
    hmf__free(busy);
    return rc;
}

hmf_status_t hmf__locate_own(struct hmf__check_job *job, const struct hmf__check_seals *seals,
                             const struct hmf__manifest *manifest, struct hmf__file **out)
{
    struct search s = {.job = job, .seals = seals, .manifest = manifest};
    struct hmf__file *f = NULL;
    hmf_status_t rc = hmf__local_open(job, &job->hold->local);
    if (rc == HMF_OK)
        rc = search_init(&s);
    if (rc != HMF_OK)
        goto free_search;
    bool here = look(&s, job->rank, &f), any = false;
    for (int i = 0; i < seals->nranks; i++)
        s.giver[i] = i != job->rank || here;
    rc = job->least(job->ctx, s.giver, (size_t)seals->nranks);
    for (int i = 0; i < seals->nranks; i++)
        any |= s.wanted[i] = s.giver[i] == 0;
    if (rc != HMF_OK || !any)
        goto free_search;
    rc = find_givers(&s);
    if (rc == HMF_OK)
        rc = hmf__check_agree(job, say_missing(&s));
    if (rc == HMF_OK)
        rc = fetch(&s);
    if (rc == HMF_OK && f == NULL && !look(&s, job->rank, &f))
        rc = HMF_ERR_NOTFOUND;
    rc = hmf__check_agree(job, rc);

free_search:
    search_fini(&s);
    if (rc == HMF_OK)
        *out = f;
    else
        hmf__file_close(f);
    return rc;
}

hmf_status_t hmf__locate_gather(struct hmf__check_job *job, const struct hmf__check_seals *seals,
                                const struct hmf__manifest *manifest)
{
    struct search s = {.job = job, .seals = seals, .manifest = manifest};
    hmf_status_t rc = hmf__local_open(job, &job->hold->local);
    if (rc == HMF_OK)
        rc = search_init(&s);
    if (rc != HMF_OK)
        goto free_search;
    for (int i = 0; i < seals->nranks; i++)
        s.wanted[i] = true;
    rc = find_givers(&s);
    if (rc == HMF_OK)
        rc = hmf__check_agree(job, say_missing(&s));
    if (rc == HMF_OK)
        rc = hmf__check_agree(job, job->rank == 0 ? hmf__flush_make(job, seals->generation)
                                                  : HMF_OK);
    if (rc != HMF_OK)
        goto free_search;
    for (int i = 0; i < seals->nranks && rc == HMF_OK; i++) {
        struct hmf__file *f = NULL;
        if (s.giver[i] != job->rank)
            continue;
        if (look(&s, i, &f))
            rc = hmf__flush_part(job, seals->generation, seals->nranks, i, f->path, &seals->parts[i],
                                 0, NULL);
        else
            rc = HMF_ERR_NOTFOUND;
        hmf__file_close(f);
    }
    rc = hmf__check_agree(job, rc);
    if (rc != HMF_OK)
        goto free_search;
    if (job->rank == 0)
        rc = hmf__flush_publish(job, seals->generation, seals->nranks, seals->parts,
                                &seals->global);
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK && job->rank == 0)
        hmf__log(HMF__LOG_INFO, "the parts of checkpoint generation %" PRIu64 " were gathered in %s",
                 seals->generation, job->dir);

free_search:
    search_fini(&s);
    return rc;
}
