/* Declarations of parts; see parts.h. */
#include "config.h"

#include "parts.h"

#include "base.h"
#include "statepriv.h"

#include <string.h>

void hmf__parts_free(struct hmf__parts *p)
{
    if (!p)
        return;
    hmf__free(p->pieces);
    hmf__free(p);
}

const struct hmf__parts *hmf__parts_of(const hmf_state_t *s, size_t i)
{
    return i < s->nvars ? s->vars[i].parts : NULL;
}

uint32_t hmf__parts_element(const hmf_state_t *s, const struct hmf__var *v, bool *pointer,
                            uint64_t *count)
{
    uint32_t elem;
    uint64_t n;

    hmf__types_flatten(&s->types, v->type, &elem, &n);
    *pointer = n * v->count == 1 && s->types.v[elem].kind == HMF__KIND_POINTER;
    *count = n * v->count;
    if (*pointer)
        hmf__types_flatten(&s->types, s->types.v[elem].elem, &elem, count);
    return elem;
}

uint64_t hmf__parts_volume(int ndims, const uint64_t *extent)
{
    uint64_t n = 1;

    for (int d = 0; d < ndims; d++)
        n *= extent[d];
    return n;
}

bool hmf__parts_piece_ok(int ndims, const uint64_t *shape, const struct hmf_piece *p)
{
    uint64_t last = p->first, volume = 1, way;
    bool empty = false;

    for (int d = 0; d < ndims; d++)
        empty |= p->extent[d] == 0;
    for (int d = 0; d < ndims; d++) {
        if (p->offset[d] > shape[d] || p->extent[d] > shape[d] - p->offset[d])
            return false;
        if (!empty && (hmf__mul_overflow_u64(volume, p->extent[d], &volume) ||
                       hmf__mul_overflow_u64(p->extent[d] - 1, p->stride[d], &way) ||
                       hmf__add_overflow_u64(last, way, &last)))
            return false;
    }
    return last < HMF__MAX_SIZE && volume < HMF__MAX_SIZE;
}

static uint64_t piece_end(int ndims, const struct hmf_piece *p)
{
    uint64_t last = p->first;

    if (!hmf__parts_volume(ndims, p->extent))
        return 0;
    for (int d = 0; d < ndims; d++)
        last += (p->extent[d] - 1) * p->stride[d];
    return last + 1;
}

uint64_t hmf__parts_span(const struct hmf__parts *p)
{
    uint64_t span = 0;

    for (size_t i = 0; i < p->npieces; i++) {
        uint64_t end = piece_end(p->ndims, &p->pieces[i]);
        span = end > span ? end : span;
    }
    return span;
}

static hmf_status_t find(hmf_state_t *s, const char *name, struct hmf__state_var **out)
{
    for (size_t i = 0; name && i < s->nvars; i++)
        if (!strcmp(s->vars[i].name, name)) {
            *out = &s->vars[i];
            return HMF_OK;
        }
    return hmf__fail(HMF_ERR_NOTFOUND, "no variable %s is registered: register it before saying "
                     "what part it is", name ? name : "(null)");
}

static void replace(struct hmf__state_var *v, struct hmf__parts *parts)
{
    hmf__parts_free(v->parts);
    v->parts = parts;
}

static hmf_status_t no_memory(const char *name)
{
    return hmf__fail(HMF_ERR_NOMEM, "no memory to note the parts of %s", name);
}

/* Dense boxes get the strides that they have. */
static void fill_strides(int ndims, struct hmf_piece *p)
{
    uint64_t stride = 1;

    for (int d = 0; d < ndims; d++)
        if (p->stride[d])
            return;
    for (int d = ndims - 1; d >= 0; d--) {
        p->stride[d] = stride;
        if (hmf__mul_overflow_u64(stride, p->extent[d] ? p->extent[d] : 1, &stride))
            stride = UINT64_MAX; /* refused as too large */
    }
}

hmf_status_t hmf__parts_set(hmf_state_t *s, const char *name, int ndims, const uint64_t *shape,
                            size_t npieces, const struct hmf_piece *pieces)
{
    struct hmf__state_var *v;
    hmf_status_t rc = find(s, name, &v);
    uint64_t count, all = 1;
    bool pointer;

    if (rc != HMF_OK)
        return rc;
    if (ndims < 1 || ndims > HMF_PARTITION_DIMS || !shape || (npieces && !pieces))
        return hmf__fail(HMF_ERR_ARG, "the global array of %s needs 1 to %d dimensions, a shape "
                         "and pieces", name, HMF_PARTITION_DIMS);
    uint32_t elem = hmf__parts_element(s, &v->var, &pointer, &count);
    if (s->types.v[elem].special || !s->types.v[elem].size)
        return hmf__fail(HMF_ERR_TYPE, "variable %s cannot be part of a global array: its elements "
                         "are not plain data", name);
    for (int d = 0; d < ndims; d++)
        if (hmf__mul_overflow_u64(all, shape[d], &all) || all >= HMF__MAX_SIZE)
            return hmf__fail(HMF_ERR_LIMIT, "the global array of %s is too large", name);
    struct hmf__parts *p = hmf__calloc(1, sizeof *p);
    if (!p || !(p->pieces = hmf__calloc(npieces + 1, sizeof *p->pieces))) {
        hmf__parts_free(p);
        return no_memory(name);
    }
    p->share = HMF__SHARE_PARTS;
    p->ndims = ndims;
    p->npieces = npieces;
    memcpy(p->shape, shape, (size_t)ndims * sizeof *shape);
    for (size_t i = 0; i < npieces; i++) {
        struct hmf_piece *to = &p->pieces[i];
        memcpy(to->offset, pieces[i].offset, (size_t)ndims * sizeof *shape);
        memcpy(to->extent, pieces[i].extent, (size_t)ndims * sizeof *shape);
        memcpy(to->stride, pieces[i].stride, (size_t)ndims * sizeof *shape);
        to->first = pieces[i].first;
        to->halo = pieces[i].halo != 0;
        fill_strides(ndims, to);
        if (!hmf__parts_piece_ok(ndims, p->shape, to)) {
            hmf__parts_free(p);
            return hmf__fail(HMF_ERR_ARG, "piece %zu of %s lies outside of its global array", i,
                             name);
        }
        if (!pointer && piece_end(ndims, to) > count) {
            uint64_t end = piece_end(ndims, to);
            hmf__parts_free(p);
            return hmf__fail(HMF_ERR_ARG, "piece %zu of %s needs %llu elements of the variable, "
                             "which has %llu", i, name, (unsigned long long)end,
                             (unsigned long long)count);
        }
    }
    replace(v, p);
    return HMF_OK;
}

hmf_status_t hmf__parts_set_list(hmf_state_t *s, const char *name, uint64_t length, size_t n,
                                 const uint64_t *indices)
{
    struct hmf_piece *pieces = hmf__calloc(n + 1, sizeof *pieces);
    size_t used = 0;

    if (!pieces)
        return no_memory(name ? name : "(null)");
    for (size_t i = 0; i < n; i++) {
        struct hmf_piece *last = used ? &pieces[used - 1] : NULL;
        if (last && indices[i] == last->offset[0] + last->extent[0])
            last->extent[0]++;
        else
            pieces[used++] = (struct hmf_piece){
                .offset = {indices[i]}, .extent = {1}, .first = i, .stride = {1}
            };
    }
    hmf_status_t rc = hmf__parts_set(s, name, 1, &length, used, pieces);
    hmf__free(pieces);
    return rc;
}

hmf_status_t hmf__parts_set_equal(hmf_state_t *s, const char *name)
{
    struct hmf__state_var *v;
    hmf_status_t rc = find(s, name, &v);

    if (rc != HMF_OK)
        return rc;
    struct hmf__parts *p = hmf__calloc(1, sizeof *p);
    if (!p)
        return no_memory(name);
    p->share = HMF__SHARE_EQUAL;
    replace(v, p);
    return HMF_OK;
}

hmf_status_t hmf__parts_with(hmf_state_t *s, const bool *keep,
                             hmf_status_t (*run)(hmf_state_t *state, void *ctx), void *ctx)
{
    struct hmf__state_var *all = s->vars, *some = hmf__calloc(s->nvars + 1, sizeof *some);
    struct hmf__keeper *keepers = s->keepers;
    size_t nvars = s->nvars, ncands = s->last_ncands, nrefs = s->last_nrefs;
    hmf_status_t rc;

    if (!some)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a part of the variables");
    s->vars = some;
    s->nvars = 0;
    s->keepers = NULL;
    s->last_ncands = s->last_nrefs = 0;
    for (size_t i = 0; i < nvars; i++)
        if (keep[i])
            some[s->nvars++] = all[i];
    rc = run(s, ctx);
    s->vars = all;
    s->nvars = nvars;
    s->keepers = keepers;
    s->last_ncands = ncands;
    s->last_nrefs = nrefs;
    hmf__free(some);
    return rc;
}
