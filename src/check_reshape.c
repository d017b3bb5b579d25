/*
 * Restarting on another number of ranks, or with the global arrays shared out in another way.
 *
 * Every rank intersects its pieces with those in the index and reads what it needs from the files
 * of the ranks that had it; each file is verified, every byte, by one of the ranks before. The
 * variables that are equal on all ranks come from global.h5. Pictures of the rules:
 * doc/checkpoint-format.md, "Global arrays".
 */
#include "config.h"

#include "check.h"

#include "base.h"
#include "check_dir.h"
#include "check_global.h"
#include "check_locate.h"
#include "check_locate.h"
#include "check_priv.h"
#include "plan.h"
#include "statepriv.h"
#include "typemap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MIN (32u << 10)
#define WINDOW_MAX (1u << 20)

/* A box that one of my pieces and one of a writer's have in common. */
struct hit {
    int rank;                           /* the writer */
    uint32_t var;                       /* of the index */
    size_t mine, theirs;                /* pieces */
};

/* A variable of the index as this rank has it. */
struct target {
    const struct hmf__var *var;
    const struct hmf__parts *parts;
    uint32_t element;                   /* type */
    bool pointer;
    uint64_t count;                     /* elements that the description says */
    char *made;                         /* memory for a pointer that was NULL */
};

/* A file that is being read, and a window into one of its segments. */
struct source {
    struct hmf__file *file;
    hmf_meta_t *meta;
    uint32_t segment;
    uint64_t from, bytes, step;         /* the window, and how much to read next */
    unsigned char *window;
};

struct reshape {
    struct hmf__check_job *job;
    const struct hmf__check_seals *seals;
    hmf_state_t *state;
    struct hmf__index *index;
    struct target *targets;             /* as index->vars */
    struct hit *hits;
    size_t nhits, hits_capacity;
    struct source source;
};

static hmf_status_t no_memory(void)
{
    return hmf__fail(HMF_ERR_NOMEM, "no memory to share out the global arrays");
}

/* ---- what is asked for ---- */

/* Each variable that is registered here was declared here and there, and the other way round. */
static hmf_status_t match(struct reshape *r)
{
    struct hmf__index *index = r->index;
    r->targets = hmf__calloc(index->nvars + 1, sizeof(*r->targets));
    if (r->targets == NULL)
        return no_memory();
    for (size_t i = 0; i < hmf_state_count(r->state); i++) {
        const struct hmf__var *v = hmf__state_var(r->state, i);
        const struct hmf__parts *parts = hmf__parts_of(r->state, i);
        const struct hmf__index_var *there = hmf__index_find(index, v->name);
        if (parts == NULL || there == NULL)
            return hmf__fail(HMF_ERR_MISMATCH, "variable %s was %s to be a part of a global array "
                             "or equal on all ranks (hmf_partition, hmf_replicated): the state of "
                             "%d ranks cannot be shared out to %d otherwise", v->name,
                             parts == NULL ? "not declared" : "not saved as declared",
                             r->seals->nranks, r->job->nranks);
        if (parts->share != there->share)
            return hmf__fail(HMF_ERR_MISMATCH, "variable %s is declared %s here, but was %s in the "
                             "checkpoint", v->name,
                             parts->share == HMF__SHARE_PARTS ? "a part" : "equal on all ranks",
                             there->share == HMF__SHARE_PARTS ? "a part" : "equal on all ranks");
        struct target *t = &r->targets[there - index->vars];
        *t = (struct target){.var = v, .parts = parts};
        if (parts->share != HMF__SHARE_PARTS)
            continue;
        t->element = hmf__parts_element(r->state, v, &t->pointer, &t->count);
        bool same = parts->ndims == there->ndims;
        for (int d = 0; d < parts->ndims && same; d++)
            same = parts->shape[d] == there->shape[d];
        if (!same)
            return hmf__fail(HMF_ERR_MISMATCH, "the global array of variable %s had another shape "
                             "when it was saved", v->name);
    }
    for (size_t i = 0; i < index->nvars; i++) {
        if (r->targets[i].var == NULL)
            return hmf__fail(HMF_ERR_MISMATCH, "the saved state has a variable %s, which is not "
                             "registered: register it before reading the state",
                             index->vars[i].name);
    }
    return HMF_OK;
}

/* ---- intersections ---- */

struct candidate {
    int rank;
    size_t piece;
    const struct hmf_piece *p;
};

static int by_begin(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->p->offset[0] != y->p->offset[0])
        return x->p->offset[0] < y->p->offset[0] ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int by_writer(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->var != y->var)
        return x->var < y->var ? -1 : 1;
    return x->theirs < y->theirs ? -1 : x->theirs > y->theirs;
}

/* The common box of two; its volume, 0: there is none. */
static uint64_t common(int ndims, const struct hmf_piece *a, const struct hmf_piece *b,
                       uint64_t *lo, uint64_t *n)
{
    uint64_t volume = 1;
    for (int d = 0; d < ndims; d++) {
        uint64_t end_a = a->offset[d] + a->extent[d], end_b = b->offset[d] + b->extent[d];
        uint64_t end = end_a < end_b ? end_a : end_b;
        lo[d] = a->offset[d] > b->offset[d] ? a->offset[d] : b->offset[d];
        if (lo[d] >= end)
            return 0;
        n[d] = end - lo[d];
        volume *= n[d];
    }
    return volume;
}

static bool add_hit(struct reshape *r, int rank, size_t var, size_t mine, size_t theirs)
{
    if (r->nhits == r->hits_capacity) {
        size_t n = r->hits_capacity != 0 ? r->hits_capacity * 2 : 64;
        struct hit *hits = hmf__realloc(r->hits, n * sizeof(*hits));
        if (hits == NULL)
            return false;
        r->hits = hits;
        r->hits_capacity = n;
    }
    r->hits[r->nhits++] = (struct hit){rank, (uint32_t)var, mine, theirs};
    return true;
}

/* Of the boxes that a piece of mine gets, no two may be the same elements. */
static hmf_status_t check_once(const struct reshape *r, size_t var, size_t first)
{
    const struct hmf__index_var *v = &r->index->vars[var];
    uint64_t lo[HMF_PARTITION_DIMS], n[HMF_PARTITION_DIMS];
    for (size_t i = first; i < r->nhits; i++) {
        const struct hit *a = &r->hits[i];
        const struct hmf_piece *pa = &v->parts[a->rank].pieces[a->theirs];
        for (size_t k = i + 1; k < r->nhits; k++) {
            const struct hit *b = &r->hits[k];
            const struct hmf_piece *pb = &v->parts[b->rank].pieces[b->theirs];
            if (pb->offset[0] >= pa->offset[0] + pa->extent[0])
                break;                  /* they are in the order of their beginnings */
            if (common(v->ndims, pa, pb, lo, n) != 0)
                return hmf__fail(HMF_ERR_MISMATCH, "element %" PRIu64 "%s of the global array %s "
                                 "was saved twice, by ranks %d and %d: which of them holds? Pieces "
                                 "that are copies must be declared as halo", lo[0],
                                 v->ndims > 1 ? ",..." : "", v->name, a->rank, b->rank);
        }
    }
    return HMF_OK;
}

static hmf_status_t intersect(struct reshape *r, size_t var)
{
    const struct hmf__index_var *v = &r->index->vars[var];
    const struct hmf__parts *parts = r->targets[var].parts;
    uint64_t lo[HMF_PARTITION_DIMS], n[HMF_PARTITION_DIMS], longest = 0;
    size_t total = 0, used = 0;
    hmf_status_t rc = HMF_OK;
    for (int s = 0; s < r->index->nranks; s++)
        total += v->parts[s].npieces;
    struct candidate *all = hmf__calloc(total + 1, sizeof(*all));
    if (all == NULL)
        return no_memory();
    for (int s = 0; s < r->index->nranks; s++) {
        for (size_t i = 0; i < v->parts[s].npieces; i++) {
            const struct hmf_piece *p = &v->parts[s].pieces[i];
            if (p->halo || hmf__parts_volume(v->ndims, p->extent) == 0)
                continue;
            longest = p->extent[0] > longest ? p->extent[0] : longest;
            all[used++] = (struct candidate){s, i, p};
        }
    }
    qsort(all, used, sizeof(*all), by_begin);
    for (size_t i = 0; i < parts->npieces && rc == HMF_OK; i++) {
        const struct hmf_piece *p = &parts->pieces[i];
        uint64_t want = hmf__parts_volume(v->ndims, p->extent), got = 0;
        size_t a = 0, b = used, first = r->nhits;
        while (a < b) {                 /* the first that may reach into the piece */
            size_t mid = a + (b - a) / 2;
            if (all[mid].p->offset[0] + longest <= p->offset[0])
                a = mid + 1;
            else
                b = mid;
        }
        for (; a < used && want != 0 && all[a].p->offset[0] < p->offset[0] + p->extent[0]; a++) {
            uint64_t volume = common(v->ndims, p, all[a].p, lo, n);
            if (volume != 0 && !add_hit(r, all[a].rank, var, i, all[a].piece)) {
                rc = no_memory();
                break;
            }
            got += volume;
        }
        if (rc == HMF_OK)
            rc = check_once(r, var, first);
        if (rc == HMF_OK && got != want)
            rc = hmf__fail(HMF_ERR_MISMATCH, "of %" PRIu64 " elements of piece %zu of the global "
                           "array %s, %" PRIu64 " were saved: the ranks that wrote the checkpoint "
                           "had declared no piece with the others", want, i, v->name, got);
    }
    hmf__free(all);
    return rc;
}

/* ---- a writer's file ---- */

static void close_source(struct source *s)
{
    hmf_meta_free(s->meta);
    hmf__file_close(s->file);
    s->meta = NULL;
    s->file = NULL;
    s->segment = UINT32_MAX;
    s->bytes = 0;
}

static hmf_status_t open_source(struct reshape *r, int rank)
{
    struct source *s = &r->source;
    close_source(s);
    hmf_status_t rc = hmf__check_open_part(r->job, r->seals, rank, &s->file);
    if (rc == HMF_OK)
        rc = hmf_meta_parse(s->file->meta, s->file->meta_len, &s->meta);
    return rc;
}

/* The type of an array's elements in the file that is open. */
static hmf_status_t find_rows(const struct source *s, const struct hmf__index_part *part,
                              uint32_t *type)
{
    const struct hmf__segment_info *info = hmf_meta_segment(s->meta, part->segment);
    if (info == NULL || info->kind != HMF__SEG_DATA)
        return hmf__fail(HMF_ERR_FORMAT, "%s does not have what the index says", s->file->path);
    *type = hmf_meta_table(s->meta, info->table)->type;
    return HMF_OK;
}

/* Rows of the segment, as they are in the file; valid until the next call. */
static hmf_status_t fetch(struct source *s, uint32_t segment, uint64_t at, uint64_t bytes,
                          const unsigned char **out)
{
    if (segment != s->segment || at < s->from || at + bytes > s->from + s->bytes) {
        const struct hmf__segment_info *info = hmf_meta_segment(s->meta, segment);
        bool onward = segment == s->segment && at >= s->from && at <= s->from + s->bytes + 4096;
        s->step = onward ? s->step * 2 : WINDOW_MIN;
        if (s->step > WINDOW_MAX)
            s->step = WINDOW_MAX;
        uint64_t n = bytes > s->step ? bytes : s->step;
        if (at > info->bytes || bytes > info->bytes - at)
            return hmf__fail(HMF_ERR_FORMAT, "%s does not have what the index says",
                             s->file->path);
        n = n < info->bytes - at ? n : info->bytes - at;
        s->bytes = 0;
        hmf_status_t rc = hmf__file_read_range(s->file, segment, at, n, s->window);
        if (rc != HMF_OK)
            return rc;
        s->segment = segment;
        s->from = at;
        s->bytes = n;
    }
    *out = s->window + (at - s->from);
    return HMF_OK;
}

/* ---- copying a box ---- */

struct copy {
    struct hmf__plan *plan;
    uint32_t segment;
    uint64_t from_size, to_size;        /* of an element */
    uint64_t from_stride, to_stride;    /* along the run */
    char *to;
};

/* n elements along one dimension. */
static hmf_status_t copy_run(struct source *s, const struct copy *c, uint64_t from, uint64_t to,
                             uint64_t n)
{
    const unsigned char *p = NULL;
    uint64_t most = c->from_stride == 1 ? WINDOW_MAX / c->from_size : 1;
    hmf_status_t rc = HMF_OK;
    if (most == 0)
        most = 1;                       /* the window has room for one, however large */
    while (n > 0 && rc == HMF_OK) {
        uint64_t k = n < most ? n : most;
        if (c->from_stride == 1 && c->to_stride == 1 && k * c->from_size == WINDOW_MAX
            && hmf__plan_same(c->plan)) {
            /* long runs: straight to where they belong */
            k = n;
            rc = hmf__file_read_range(s->file, c->segment, from * c->from_size, k * c->from_size,
                                      c->to + to * c->to_size);
        } else {
            rc = fetch(s, c->segment, from * c->from_size, k * c->from_size, &p);
            if (rc == HMF_OK && c->to_stride == 1) {
                rc = hmf__plan_run(c->plan, p, c->to + to * c->to_size, k);
            } else {
                for (uint64_t i = 0; i < k && rc == HMF_OK; i++)
                    rc = hmf__plan_run(c->plan, p + i * c->from_size,
                                       c->to + (to + i * c->to_stride) * c->to_size, 1);
            }
        }
        from += k * c->from_stride;
        to += k * c->to_stride;
        n -= k;
    }
    return rc;
}

static hmf_status_t copy_box(struct source *s, struct copy *c, int ndims, uint64_t row,
                             const struct hmf_piece *theirs, const struct hmf_piece *mine)
{
    uint64_t lo[HMF_PARTITION_DIMS], n[HMF_PARTITION_DIMS], at[HMF_PARTITION_DIMS] = {0};
    uint64_t from = row + theirs->first, to = mine->first;
    int run = ndims - 1;
    if (common(ndims, theirs, mine, lo, n) == 0)
        return HMF_OK;
    for (int d = 0; d < ndims; d++) {
        from += (lo[d] - theirs->offset[d]) * theirs->stride[d];
        to += (lo[d] - mine->offset[d]) * mine->stride[d];
        if (n[d] > 1 && theirs->stride[d] == 1)
            run = d;
    }
    c->from_stride = theirs->stride[run];
    c->to_stride = mine->stride[run];
    for (;;) {
        hmf_status_t rc = copy_run(s, c, from, to, n[run]);
        if (rc != HMF_OK)
            return rc;
        int d = ndims - 1;
        for (; d >= 0; d--) {
            if (d == run)
                continue;
            from += theirs->stride[d];
            to += mine->stride[d];
            if (++at[d] < n[d])
                break;
            from -= n[d] * theirs->stride[d];
            to -= n[d] * mine->stride[d];
            at[d] = 0;
        }
        if (d < 0)
            return HMF_OK;
    }
}

/* The plan for a variable's elements in the file that is open. */
static hmf_status_t make_plan(struct reshape *r, size_t var, uint32_t type,
                              struct hmf__plan **out)
{
    const struct hmf__types *w = hmf_meta_types(r->source.meta);
    struct hmf__types *types = hmf__state_types(r->state);
    uint32_t *map = hmf__malloc(w->n * sizeof(*map));
    hmf_status_t rc = map == NULL ? no_memory() : hmf__types_classes(types);
    for (uint32_t i = 0; i < w->n && map != NULL; i++)
        map[i] = HMF__TYPE_NONE;
    if (rc == HMF_OK)
        rc = hmf__types_match(w, type, types, r->targets[var].element, map);
    if (rc == HMF_OK)
        rc = hmf__plan_make(w, type, types, r->targets[var].element, out);
    hmf__free(map);
    return rc == HMF_OK ? rc : hmf__fail_prefix(rc, "variable %s", r->index->vars[var].name);
}

/* All hits; check: only whether files and types are what is expected. */
static hmf_status_t run_hits(struct reshape *r, bool check)
{
    struct hmf__plan *plan = NULL;
    struct copy c = {0};
    hmf_status_t rc = HMF_OK;
    for (size_t i = 0; i < r->nhits && rc == HMF_OK; i++) {
        const struct hit *h = &r->hits[i], *before = i > 0 ? &r->hits[i - 1] : NULL;
        const struct hmf__index_var *v = &r->index->vars[h->var];
        const struct hmf__index_part *part = &v->parts[h->rank];
        const struct target *t = &r->targets[h->var];
        uint32_t type = 0;
        bool new_file = before == NULL || before->rank != h->rank;
        if (new_file)
            rc = open_source(r, h->rank);
        if (rc == HMF_OK && (new_file || before->var != h->var)) {
            hmf__plan_free(plan);
            plan = NULL;
            rc = find_rows(&r->source, part, &type);
            if (rc == HMF_OK)
                rc = make_plan(r, h->var, type, &plan);
            if (rc != HMF_OK)
                break;
            c = (struct copy){
                .plan = plan, .segment = part->segment,
                .from_size = hmf_meta_types(r->source.meta)->v[type].size,
                .to_size = hmf__state_types(r->state)->v[t->element].size,
                .to = t->pointer ? *(char **)t->var->addr : t->var->addr
            };
            if (c.from_size > WINDOW_MAX)
                rc = hmf__fail(HMF_ERR_LIMIT, "elements of the global array %s are larger than %u "
                               "bytes", v->name, WINDOW_MAX);
        }
        if (rc == HMF_OK && !check)
            rc = copy_box(&r->source, &c, v->ndims, part->row, &part->pieces[h->theirs],
                          &t->parts->pieces[h->mine]);
    }
    hmf__plan_free(plan);
    close_source(&r->source);
    return rc;
}

/* ---- the steps ---- */

/* Pointers that are NULL get memory. */
static hmf_status_t make_memory(struct reshape *r)
{
    for (size_t i = 0; i < r->index->nvars; i++) {
        struct target *t = &r->targets[i];
        if (!t->pointer || *(char **)t->var->addr != NULL)
            continue;
        uint64_t n = hmf__parts_span(t->parts);
        size_t size = (size_t)hmf__state_types(r->state)->v[t->element].size, bytes;
        n = t->count > n ? t->count : n;
        if (n > SIZE_MAX || hmf__mul_overflow((size_t)n, size, &bytes)
            || (t->made = hmf__calloc(1, bytes)) == NULL)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for %" PRIu64 " elements of variable %s", n,
                             t->var->name);
        *(char **)t->var->addr = t->made;
    }
    return HMF_OK;
}

static void drop_memory(struct reshape *r)
{
    for (size_t i = 0; i < r->index->nvars && r->targets != NULL; i++) {
        if (r->targets[i].made == NULL)
            continue;
        *(char **)r->targets[i].var->addr = NULL;
        hmf__free(r->targets[i].made);
    }
}

/* Every file is verified by one of the ranks. */
static hmf_status_t verify_some(struct reshape *r)
{
    hmf_status_t rc = HMF_OK;
    for (int s = r->job->rank; s < r->seals->nranks && rc == HMF_OK; s += r->job->nranks) {
        struct hmf__file *f = NULL;
        rc = hmf__check_open_part(r->job, r->seals, s, &f);
        if (rc == HMF_OK)
            rc = hmf__file_verify(f);
        hmf__file_close(f);
    }
    return rc;
}

struct equal {
    struct reshape *r;
    struct hmf__file *file;
};

/* The variables of global.h5; collective. */
static hmf_status_t restore_equal(hmf_state_t *state, void *ctx)
{
    struct equal *e = ctx;
    hmf_restore_t *restore = NULL;
    hmf_status_t rc = hmf_restore_begin(state, e->file->meta, e->file->meta_len, &restore);
    if (rc != HMF_OK)
        hmf__fail_prefix(rc, "%s", e->file->path);
    rc = hmf__check_agree(e->r->job, rc);
    if (rc == HMF_OK)
        rc = hmf__check_agree(e->r->job, hmf__file_restore(e->file, restore));
    if (rc == HMF_OK) {
        rc = hmf__check_agree(e->r->job, hmf_restore_finish(restore));
        restore = NULL;
    }
    hmf_restore_abort(restore);
    return rc;
}

/* With the index as one more variable, as it was saved; collective. */
static hmf_status_t read_equal(struct reshape *r, struct hmf__file *file, size_t index_bytes)
{
    static const int bytes[] = {typeUCHAR};
    struct equal e = {r, file};
    size_t n = hmf_state_count(r->state);
    unsigned char *memory = hmf__malloc(index_bytes);
    bool *keep = hmf__calloc(n + 1, sizeof(*keep));
    hmf_status_t rc = memory == NULL || keep == NULL ? no_memory() : HMF_OK;
    for (size_t i = 0; i < n && rc == HMF_OK; i++)
        keep[i] = hmf__parts_of(r->state, i)->share == HMF__SHARE_EQUAL;
    bool added = false;
    if (rc == HMF_OK) {
        keep[n] = true;
        rc = hmf_state_add(r->state, HMF__INDEX_NAME, memory, index_bytes, bytes, 1, NULL);
        added = rc == HMF_OK;
    }
    rc = hmf__check_agree(r->job, rc);
    if (rc == HMF_OK)
        rc = hmf__parts_with(r->state, keep, restore_equal, &e);
    if (added)
        hmf_state_remove_name(r->state, HMF__INDEX_NAME);
    hmf__free(memory);
    hmf__free(keep);
    return rc;
}

static hmf_status_t prepare(struct reshape *r)
{
    hmf_status_t rc = match(r);
    for (size_t i = 0; i < r->index->nvars && rc == HMF_OK; i++) {
        if (r->targets[i].parts->share == HMF__SHARE_PARTS)
            rc = intersect(r, i);
    }
    if (r->nhits > 0)
        qsort(r->hits, r->nhits, sizeof(*r->hits), by_writer);
    if (rc == HMF_OK && (r->source.window = hmf__malloc(WINDOW_MAX)) == NULL)
        rc = no_memory();
    if (rc == HMF_OK)
        rc = verify_some(r);
    return rc == HMF_OK ? run_hits(r, true) : rc;
}

/* Is this rank's share another than that of the rank of its number then? */
static bool differs(const struct reshape *r)
{
    if (r->seals->nranks != r->job->nranks)
        return true;
    for (size_t i = 0; i < hmf_state_count(r->state); i++) {
        const struct hmf__parts *parts = hmf__parts_of(r->state, i);
        const struct hmf__index_var *v =
            hmf__index_find(r->index, hmf__state_var(r->state, i)->name);
        if (parts != NULL && v != NULL && !hmf__index_same(v, r->job->rank, parts))
            return true;
    }
    return false;
}

hmf_status_t hmf__check_reshape(struct hmf__check_job *job, const struct hmf__check_seals *seals,
                                const struct hmf__manifest *manifest, hmf_state_t *state,
                                bool *other)
{
    char dir[HMF__DIR_PATH_MAX];
    struct reshape r = {.job = job, .seals = seals, .state = state};
    struct hmf__file *file = NULL;
    size_t index_bytes = 0;
    *other = false;
    if (seals->global.bytes == 0)
        return HMF_OK;
    hmf_status_t rc = hmf__dir_name(job->dir, seals->generation,
                                    seals->local ? HMF__DIR_LOCAL : 0, dir);
    if (rc == HMF_OK)
        rc = hmf__global_open(dir, &seals->global, seals->nranks, &file, &r.index, &index_bytes);
    rc = hmf__check_agree(job, rc);
    if (rc != HMF_OK)
        goto free_all;
    rc = hmf__check_agree(job, differs(&r) ? HMF_ERR_MISMATCH : HMF_OK);
    if (rc != HMF_ERR_MISMATCH)
        goto free_all;
    *other = true;
    if (seals->local)
        rc = hmf__locate_gather(job, seals, manifest);
    else
        rc = HMF_OK;
    if (rc != HMF_OK)
        goto free_all;
    rc = hmf__check_agree(job, prepare(&r));
    if (rc == HMF_OK)
        rc = read_equal(&r, file, index_bytes);
    if (rc != HMF_OK)
        goto free_all;
    for (size_t i = 0; i < r.index->nvars; i++)     /* the state may have moved them */
        r.targets[i].var = hmf__state_find(state, r.index->vars[i].name);
    rc = make_memory(&r);
    if (rc == HMF_OK)
        rc = run_hits(&r, false);
    rc = hmf__check_agree(job, rc);
    if (rc != HMF_OK)
        drop_memory(&r);

free_all:
    hmf__file_close(file);
    hmf__index_free(r.index);
    hmf__free(r.targets);
    hmf__free(r.hits);
    hmf__free(r.source.window);
    return rc;
}
