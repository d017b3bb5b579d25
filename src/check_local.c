/*
 * The nodes' own directories, and files between them; see check_local.h.
 */
#include "config.h"

#include "check_local.h"

#include "base.h"
#include "check_priv.h"
#include "check_sys.h"
#include "crc32c.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_LEN 80

/* ---- the directory ---- */

/* A name for HMF_DIR that no other directory has. */
static hmf_status_t name_dir(const char *dir, char *name)
{
    char *full = realpath(dir, NULL);
    if (full == NULL)
        return hmf__fail(HMF_ERR_IO, "cannot find %s: %s", dir, strerror(errno));
    const char *base = strrchr(full, '/') + 1;
    size_t n = 0;
    for (; base[n] != '\0' && n < NAME_LEN - 16; n++)
        name[n] = isalnum((unsigned char)base[n]) || strchr("._-", base[n]) ? base[n] : '_';
    snprintf(name + n, NAME_LEN - n, "-%08" PRIx32, hmf__crc32c(0, full, strlen(full)));
    free(full);
    return HMF_OK;
}

static hmf_status_t join(const char *root, const char *name, char *path)
{
    int n = snprintf(path, HMF__DIR_PATH_MAX, "%s/%s", root, name);
    return n >= 0 && n < HMF__DIR_PATH_MAX ? HMF_OK
        : hmf__fail(HMF_ERR_LIMIT, "the path %.64s.../%.64s is too long", root, name);
}

hmf_status_t hmf__local_dir(const char *root, const char *dir, char *path)
{
    char name[NAME_LEN];
    hmf_status_t rc = name_dir(dir, name);
    return rc == HMF_OK ? join(root, name, path) : rc;
}

static hmf_status_t make_dir(const char *root, const char *name, char *path)
{
    struct stat st;
    if (hmf__sys_mkdir(root, 0777) != 0 && errno != EEXIST)
        return hmf__fail(HMF_ERR_IO, "cannot create the node-local directory %s: %s", root,
                         strerror(errno));
    hmf_status_t rc = join(root, name, path);
    if (rc != HMF_OK)
        return rc;
    if (hmf__sys_mkdir(path, 0700) != 0 && errno != EEXIST)
        return hmf__fail(HMF_ERR_IO, "cannot create the node-local directory %s: %s", path,
                         strerror(errno));
    /* The root may be everybody's, like /tmp. */
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return hmf__fail(HMF_ERR_IO, "%s is not a directory of this user: set HMF_LOCAL_DIR to "
                         "another one", path);
    return HMF_OK;
}

/* ---- who is where ---- */

/* Partners: of the i-th rank of a node the i-th of the next, counted round. With one node only, the
   next rank. */
static bool pair(struct hmf__local *l, int nranks)
{
    int *node = hmf__calloc((size_t)nranks, sizeof(*node));     /* of each rank */
    int *first = hmf__calloc((size_t)nranks, sizeof(*first));   /* rank of each node */
    int *index = hmf__calloc((size_t)nranks, sizeof(*index));   /* of each rank on its node */
    int *size = hmf__calloc((size_t)nranks, sizeof(*size));     /* of each node */
    bool ok = node != NULL && first != NULL && index != NULL && size != NULL;
    l->nnodes = 0;
    for (int r = 0; r < nranks && ok; r++) {
        int k = 0;
        while (k < l->nnodes && strcmp(l->nodes[first[k]], l->nodes[r]) != 0)
            k++;
        if (k == l->nnodes)
            first[l->nnodes++] = r;
        node[r] = k;
        index[r] = size[k]++;
    }
    l->turns = nranks > 1;
    for (int r = 0; r < nranks && ok; r++) {
        int next = (node[r] + 1) % l->nnodes, at = 0;
        l->partner[r] = nranks > 1 ? (r + 1) % nranks : -1;
        if (l->nnodes == 1)
            continue;
        int want = index[r] % size[next];
        for (int p = first[next]; at <= want; p++) {
            if (node[p] == next && at++ == want)
                l->partner[r] = p;
        }
        l->turn[r] = index[r] / size[next];
        l->turns = l->turn[r] + 1 > l->turns ? l->turn[r] + 1 : l->turns;
    }
    hmf__free(node);
    hmf__free(first);
    hmf__free(index);
    hmf__free(size);
    return ok;
}

hmf_status_t hmf__local_open(struct hmf__check_job *job, struct hmf__local **local)
{
    size_t n = (size_t)job->nranks;
    char name[NAME_LEN] = "";
    struct hmf__local *l = hmf__calloc(1, sizeof(*l));
    hmf_status_t rc = HMF_OK;
    hmf__local_free(*local);
    *local = l;
    if (l != NULL) {
        l->nodes = hmf__calloc(n, sizeof(*l->nodes));
        l->partner = hmf__calloc(n, sizeof(*l->partner));
        l->turn = hmf__calloc(n, sizeof(*l->turn));
    }
    if (l == NULL || l->nodes == NULL || l->partner == NULL || l->turn == NULL)
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory for the nodes of %d ranks", job->nranks);
    else if (job->levels == NULL || job->levels->root == NULL)
        rc = hmf__fail(HMF_ERR_ARG, "parts of the checkpoint lie in the nodes' own directories: set "
                       "HMF_LOCAL_DIR as it was, or HMF_RESTART to an older generation");
    if (rc == HMF_OK && job->rank == 0)
        rc = name_dir(job->dir, name);
    rc = hmf__check_agree(job, rc);
    if (rc == HMF_OK)
        rc = job->bcast(job->ctx, name, sizeof name);
    if (rc == HMF_OK)
        rc = job->gather(job->ctx, job->levels->node, HMF__NODE_MAX, l->nodes);
    if (rc == HMF_OK)
        rc = job->bcast(job->ctx, l->nodes, n * HMF__NODE_MAX);
    if (rc != HMF_OK)
        return rc;
    if (!pair(l, job->nranks))
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory for the nodes of %d ranks", job->nranks);
    for (int r = 0; r < job->nranks; r++) {
        if (strcmp(l->nodes[r], job->levels->node) != 0)
            continue;
        l->mine += r < job->rank;
        l->ours++;
    }
    if (rc == HMF_OK)
        rc = make_dir(job->levels->root, name, l->dir);
    return hmf__check_agree(job, rc);
}

void hmf__local_free(struct hmf__local *l)
{
    if (l == NULL)
        return;
    hmf__free(l->nodes);
    hmf__free(l->partner);
    hmf__free(l->turn);
    hmf__free(l);
}

hmf_status_t hmf__local_path(const char *dir, uint64_t generation, bool copy, int rank, char *path)
{
    hmf_status_t rc = hmf__dir_part(dir, generation, false, rank, path);
    if (rc == HMF_OK && copy)
        memcpy(strrchr(path, '/') + 1, "copy", 4);  /* for "rank" */
    return rc;
}

hmf_status_t hmf__local_sweep(const struct hmf__local *l, const uint64_t *live, size_t nlive)
{
    struct hmf__dir_list list;
    hmf_status_t rc = hmf__dir_list(l->dir, &list);
    if (rc != HMF_OK)
        return rc == HMF_ERR_NOTFOUND ? HMF_OK : rc;
    for (size_t i = 0; i < list.ntemporaries && rc == HMF_OK; i++)
        rc = hmf__dir_remove(l->dir, list.temporaries[i], HMF__DIR_TMP);
    for (size_t i = 0; i < list.ngenerations && rc == HMF_OK; i++) {
        bool keep = false;
        for (size_t k = 0; k < nlive; k++)
            keep |= live[k] == list.generations[i];
        if (!keep)
            rc = hmf__dir_remove(l->dir, list.generations[i], 0);
    }
    hmf__dir_list_fini(&list);
    return rc;
}

/* ---- files from rank to rank ---- */

struct ends {
    int out, in;                        /* descriptors */
    unsigned char *sent, *got;
    hmf_status_t rc;                    /* the first failure: the rest is still exchanged */
};

static void fail_io(struct ends *e, const char *what, const char *path)
{
    if (e->rc == HMF_OK)
        e->rc = hmf__fail(HMF_ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

static uint64_t chunk_of(uint64_t bytes, uint64_t at)
{
    return at >= bytes ? 0 : bytes - at < HMF__TRADE_MAX ? bytes - at : HMF__TRADE_MAX;
}

static hmf_status_t exchange(struct hmf__check_job *job, const struct hmf__trade *t, struct ends *e)
{
    uint64_t out_bytes = t->to >= 0 ? t->out_bytes : 0, in_bytes = t->from >= 0 ? t->in.bytes : 0;
    uint64_t most = out_bytes > in_bytes ? out_bytes : in_bytes;
    for (uint64_t at = 0; at < most; at += HMF__TRADE_MAX) {
        size_t out = (size_t)chunk_of(out_bytes, at), in = (size_t)chunk_of(in_bytes, at);
        if (out != 0 && e->rc == HMF_OK && hmf__sys_pread(e->out, e->sent, out, at) != 0)
            fail_io(e, "read", t->out_path);
        hmf_status_t rc = job->trade(job->ctx, out != 0 ? t->to : -1, e->sent, out,
                                     in != 0 ? t->from : -1, e->got, in);
        if (rc != HMF_OK)
            return rc;
        if (in != 0 && e->rc == HMF_OK && hmf__sys_pwrite(e->in, e->got, in, at) != 0)
            fail_io(e, "write", t->in_path);
    }
    return e->rc;
}

hmf_status_t hmf__local_trade(struct hmf__check_job *job, const struct hmf__trade *t)
{
    struct ends e = {.out = -1, .in = -1};
    struct hmf__file *f = NULL;
    e.sent = hmf__big_zeros(HMF__TRADE_MAX);
    e.got = hmf__big_alloc(HMF__TRADE_MAX);
    /* Without memory the others cannot be served: they would wait. Nobody has begun yet. */
    if (e.sent == NULL || e.got == NULL)
        e.rc = hmf__fail(HMF_ERR_NOMEM, "no memory to exchange parts of a checkpoint");
    hmf_status_t rc = hmf__check_agree(job, e.rc);
    if (rc != HMF_OK)
        goto free_buffers;
    if (t->to >= 0 && (e.out = hmf__sys_open(t->out_path, O_RDONLY, 0)) < 0)
        fail_io(&e, "open", t->out_path);
    if (t->from >= 0) {
        unlink(t->in_path);
        e.in = hmf__sys_open(t->in_path, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (e.in < 0)
            fail_io(&e, "create", t->in_path);
    }
    rc = exchange(job, t, &e);
    if (rc == HMF_OK && e.in >= 0 && hmf__sys_fsync(e.in) != 0) {
        fail_io(&e, "sync", t->in_path);
        rc = e.rc;
    }
    if (e.out >= 0)
        close(e.out);
    if (e.in >= 0)
        close(e.in);
    if (rc == HMF_OK && t->from >= 0)
        rc = hmf__file_open(t->in_path, &t->in, &f);
    if (rc == HMF_OK && f != NULL)
        rc = hmf__file_verify(f);
    hmf__file_close(f);
    if (rc != HMF_OK && t->from >= 0)
        unlink(t->in_path);

free_buffers:
    if (e.sent != NULL)
        hmf__big_free(e.sent, HMF__TRADE_MAX);
    if (e.got != NULL)
        hmf__big_free(e.got, HMF__TRADE_MAX);
    return hmf__check_agree(job, rc);
}

hmf_status_t hmf__local_copy_parts(struct hmf__check_job *job, const struct hmf__local *l,
                                   uint64_t generation, const struct hmf__file_seal *seal)
{
    char part[HMF__DIR_PATH_MAX], copy[HMF__DIR_PATH_MAX];
    hmf_status_t rc = hmf__local_path(l->dir, generation, false, job->rank, part);
    for (int turn = 0; turn < l->turns && rc == HMF_OK; turn++) {
        struct hmf__trade t = {
            .to = l->turn[job->rank] == turn ? l->partner[job->rank] : -1, .out_path = part,
            .out_bytes = seal->bytes, .from = -1, .in_path = copy
        };
        for (int r = 0; r < job->nranks; r++) {
            if (l->partner[r] == job->rank && l->turn[r] == turn)
                t.from = r;
        }
        rc = hmf__local_path(l->dir, generation, true, t.from < 0 ? 0 : t.from, copy);
        if (rc == HMF_OK)
            rc = job->trade(job->ctx, t.to, seal, sizeof *seal, t.from, &t.in, sizeof t.in);
        if (rc == HMF_OK)
            rc = hmf__local_trade(job, &t);
    }
    return rc;
}

/* ---- looking for a part ---- */

hmf_status_t hmf__local_find(const struct hmf__check_job *job, const char *dir, uint64_t generation,
                             int nranks, int rank, const struct hmf__file_seal *seal,
                             struct hmf__file **out, bool *damaged)
{
    char path[HMF__DIR_PATH_MAX];
    *out = NULL;
    *damaged = false;
    for (int copy = 0; copy < 2; copy++) {
        struct hmf__file *f = NULL;
        hmf_status_t rc = hmf__local_path(dir, generation, copy != 0, rank, path);
        if (rc == HMF_OK)
            rc = hmf__file_open(path, seal, &f);
        if (rc == HMF_OK)
            rc = hmf__file_verify(f);
        if (rc == HMF_OK && (f->generation != generation || f->rank != rank || f->nranks != nranks
                             || strcmp(f->program, job->program) != 0))
            rc = hmf__fail(HMF_ERR_FORMAT, "%s is another part: it was put there by mistake", path);
        if (rc == HMF_OK) {
            *out = f;
            return HMF_OK;
        }
        hmf__file_close(f);
        if (rc == HMF_ERR_NOTFOUND)
            continue;
        *damaged = true;
        hmf__log(HMF__LOG_WARN, "%s: looking for another copy", hmf_error_text());
    }
    return hmf__fail(HMF_ERR_NOTFOUND, "no part of rank %d in %s", rank, dir);
}
