/*
 * Writes one rank's part of a checkpoint: plan, skeleton, then all bytes in one pass.
 */
#include "config.h"

#include "check_file.h"

#include "base.h"
#include "check_outline.h"
#include "check_skel.h"
#include "hmf/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file as a list of pieces, made of the plan's runs and the skeleton's pages. */
struct layout {
    struct hmf__io_piece *pieces;
    struct iovec *memory;               /* beside each piece: its source, if it is in our memory */
    size_t n;
    size_t *piece_of_run;
};

struct run_ref {
    size_t run;
    uint64_t major, minor;
};

static int by_key(const void *a, const void *b)
{
    const struct run_ref *x = a, *y = b;
    if (x->major != y->major)
        return x->major < y->major ? -1 : 1;
    return x->minor < y->minor ? -1 : x->minor > y->minor;
}

static void layout_fini(struct layout *l)
{
    hmf__free(l->pieces);
    hmf__free(l->memory);
    hmf__free(l->piece_of_run);
}

static struct hmf__io_piece *add_memory(struct layout *l, uint64_t offset, uint64_t bytes,
                                        const void *memory)
{
    struct hmf__io_piece *p = &l->pieces[l->n];
    l->memory[l->n] = (struct iovec){(void *)(uintptr_t)memory, (size_t)bytes};
    *p = (struct hmf__io_piece){.offset = offset, .bytes = bytes};
    if (memory != NULL) {
        p->iov = &l->memory[l->n];
        p->niov = 1;
    }
    l->n++;
    return p;
}

/* What HDF5 wrote within [from, to) that no dataset covers. *page: the first page to look at. */
static void add_pages(struct layout *l, const struct hmf__skel *skel, uint64_t from, uint64_t to,
                      size_t *page)
{
    while (*page < hmf__skel_npages(skel)) {
        uint64_t at;
        size_t bytes;
        const unsigned char *p = hmf__skel_page(skel, *page, &at, &bytes);
        uint64_t lo = at > from ? at : from, hi = at + bytes < to ? at + bytes : to;
        if (lo < hi)
            add_memory(l, lo, hi - lo, p + (lo - at));
        if (at + bytes > to)
            break;                      /* its end belongs to a later gap */
        ++*page;
    }
}

/* Points the pieces of the image's segments into the segments' memory: one walk per segment. */
static void find_sources(const struct hmf__outline *plan, const struct hmf__file_source *source,
                         struct layout *l, struct run_ref *order)
{
    for (size_t i = 0; i < plan->nruns; i++)
        order[i] = (struct run_ref){i, plan->runs[i].segment, plan->runs[i].segment_offset};
    qsort(order, plan->nruns, sizeof(*order), by_key);
    const struct hmf__segment *s = NULL;
    size_t k = 0;
    uint64_t start = 0;                 /* of the k-th iovec in the segment */
    for (size_t i = 0; i < plan->nruns; i++) {
        const struct hmf__outline_run *r = &plan->runs[order[i].run];
        if (r->segment >= source->nsegments)
            break;
        if (s != &source->segments[r->segment]) {
            s = &source->segments[r->segment];
            k = 0;
            start = 0;
        }
        while (k < s->niov && r->segment_offset - start >= s->iov[k].iov_len)
            start += s->iov[k++].iov_len;
        struct hmf__io_piece *p = &l->pieces[l->piece_of_run[order[i].run]];
        p->iov = s->iov + k;
        p->niov = s->niov - k;
        p->skip = r->segment_offset - start;
        p->padding = s->padding;
        p->part = true;
    }
}

static hmf_status_t lay_out(const struct hmf__outline *plan, const struct hmf__skel *skel,
                            const struct hmf__file_source *source, struct layout *l)
{
    size_t n = plan->nruns * 2 + hmf__skel_npages(skel) + 4;
    struct run_ref *order = hmf__calloc(plan->nruns + 1, sizeof(*order));
    l->pieces = hmf__calloc(n, sizeof(*l->pieces));
    l->memory = hmf__calloc(n, sizeof(*l->memory));
    l->piece_of_run = hmf__calloc(plan->nruns + 1, sizeof(*l->piece_of_run));
    if (order == NULL || l->pieces == NULL || l->memory == NULL || l->piece_of_run == NULL) {
        hmf__free(order);
        return hmf__fail(HMF_ERR_NOMEM, "no memory to lay out a checkpoint file");
    }
    for (size_t i = 0; i < plan->nruns; i++) {
        const struct hmf__outline_run *r = &plan->runs[i];
        order[i] = (struct run_ref){i, plan->datasets[r->dataset].offset + r->dataset_offset, 0};
    }
    qsort(order, plan->nruns, sizeof(*order), by_key);

    hmf_status_t rc = HMF_OK;
    size_t page = 0;
    uint64_t at = HMF__FILE_HEADER;
    add_memory(l, 0, HMF__FILE_HEADER, NULL);
    for (size_t i = 0; i < plan->nruns; i++) {
        const struct hmf__outline_run *r = &plan->runs[order[i].run];
        uint64_t offset = order[i].major;
        if (offset < at || r->bytes > hmf__skel_size(skel) - offset) {
            rc = hmf__fail(HMF_ERR_HDF5, "HDF5 gave the dataset %s a place that is taken",
                           plan->datasets[r->dataset].path);
            goto free_order;
        }
        add_pages(l, skel, at, offset, &page);
        l->piece_of_run[order[i].run] = l->n;
        const void *memory = NULL;
        if (r->segment == HMF__OUTLINE_INFO)
            memory = (r->dataset == plan->names_dataset ? plan->names : plan->tables)
                + r->segment_offset;
        else if (r->segment == HMF__OUTLINE_META)
            memory = source->meta;
        struct hmf__io_piece *p = add_memory(l, offset, r->bytes, memory);
        p->part = r->segment == HMF__OUTLINE_META;
        at = offset + r->bytes;
    }
    add_pages(l, skel, at, hmf__skel_size(skel), &page);
    find_sources(plan, source, l, order);

free_order:
    hmf__free(order);
    return rc;
}

static void put_u32(unsigned char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> (8 * i));
}

static void put_u64(unsigned char *to, uint64_t v)
{
    put_u32(to, (uint32_t)v);
    put_u32(to + 4, (uint32_t)(v >> 32));
}

/* /image/parts, now that the checksums are known. */
static void fill_parts(const struct hmf__outline *plan, const struct hmf__file_source *source,
                       const struct layout *l, unsigned char *to)
{
    const struct hmf__outline_field *f = plan->part_fields;
    memset(to, 0, (size_t)plan->nparts * plan->part_bytes);
    for (size_t i = 0; i < plan->nruns; i++) {
        const struct hmf__outline_run *r = &plan->runs[i];
        const struct hmf__io_piece *p = &l->pieces[l->piece_of_run[i]];
        bool segment = r->segment < source->nsegments;
        if (!segment && r->segment != HMF__OUTLINE_META)
            continue;
        put_u64(to + f[0].offset, p->offset);
        put_u64(to + f[1].offset, p->bytes);
        put_u64(to + f[2].offset, r->segment_offset);
        put_u32(to + f[3].offset, r->segment);
        put_u32(to + f[4].offset, p->crc);
        put_u32(to + f[5].offset, segment ? source->segments[r->segment].table : 0);
        put_u32(to + f[6].offset, segment ? (uint32_t)source->segments[r->segment].kind : 0);
        const char *path = plan->datasets[r->dataset].path;
        size_t n = strlen(path);
        memcpy(to + f[7].offset, path, n < f[7].bytes ? n : f[7].bytes);
        to += plan->part_bytes;
    }
}

static uint32_t fill_header(const struct hmf__outline *plan, const struct hmf__skel *skel,
                            const struct hmf__file_label *label,
                            const struct hmf__file_source *source, const unsigned char *parts,
                            uint32_t rest_crc, unsigned char *header)
{
    static const char text[] = "HMFPART1\nOne rank's part of an HMF checkpoint: an HDF5 file "
                               "behind a user block of 4096 bytes.\n";
    size_t table = (size_t)plan->nparts * plan->part_bytes;
    memset(header, 0, HMF__FILE_HEADER);
    memcpy(header, text, sizeof text - 1);
    put_u32(header + 128, HMF__FILE_VERSION);
    put_u32(header + 132, HMF__FILE_HEADER);
    put_u64(header + 136, label->generation);
    put_u32(header + 144, (uint32_t)label->rank);
    put_u32(header + 148, (uint32_t)label->nranks);
    put_u64(header + 152, hmf__skel_size(skel));
    put_u64(header + 160, plan->datasets[plan->parts_dataset].offset);
    put_u32(header + 168, plan->nparts);
    put_u32(header + 172, plan->part_bytes);
    put_u32(header + 176, hmf__crc32c(0, parts, table));
    put_u32(header + 180, rest_crc);
    put_u32(header + 184, (uint32_t)source->nsegments);
    size_t n = strlen(label->program);
    memcpy(header + 256, label->program, n < HMF__FILE_PROGRAM_MAX ? n : HMF__FILE_PROGRAM_MAX);
    uint32_t seal = hmf__crc32c(0, header, HMF__FILE_HEADER - 4);
    put_u32(header + HMF__FILE_HEADER - 4, seal);
    return seal;
}

hmf_status_t hmf__file_rewrite(struct hmf__io *io, const char *path,
                               const struct hmf__file_label *label,
                               const struct hmf__file_source *source,
                               const struct hmf__io_reuse *reuse, struct hmf__file_seal *seal,
                               struct hmf__blocks **blocks)
{
    struct hmf__blocks *now = NULL;
    struct hmf__outline *plan = NULL;
    struct hmf__skel *skel = NULL;
    struct layout layout = {0};
    uint32_t rest_crc = 0;
    hmf_status_t rc = hmf__outline_new(source->meta, source->meta_len, &plan);
    if (rc != HMF_OK)
        return rc;
    char library[64];
    snprintf(library, sizeof library, "libhmf-mpi %s", hmf_version());
    struct hmf__skel_labels labels = {
        .program = label->program, .library = library,
        .generation = label->generation, .rank = label->rank, .nranks = label->nranks,
        .index = label->index, .array_meta = label->meta
    };
    rc = hmf__skel_new(plan, &labels, &skel);
    if (rc != HMF_OK)
        goto free_plan;
    rc = lay_out(plan, skel, source, &layout);
    if (rc != HMF_OK)
        goto free_layout;
    /* without memory for it the next file is written as a whole */
    if (blocks != NULL)
        now = hmf__blocks_new(hmf__skel_size(skel));
    rc = hmf__io_begin(io, path, hmf__skel_size(skel), now != NULL ? reuse : NULL, now);
    if (rc != HMF_OK)
        goto free_layout;
    rc = hmf__io_write(io, layout.pieces, layout.n, &rest_crc);
    if (rc != HMF_OK)
        goto abandon;
    unsigned char *header = hmf__io_late(io, 0), *parts = hmf__io_late(io, 1);
    fill_parts(plan, source, &layout, parts);
    seal->bytes = hmf__skel_size(skel);
    seal->seal = fill_header(plan, skel, label, source, parts, rest_crc, header);
    rc = hmf__io_late_done(io);
    if (rc == HMF_OK)
        rc = hmf__io_end(io);
    if (rc == HMF_OK && now != NULL) {
        now->generation = label->generation;
        now->seal = seal->seal;
        *blocks = now;
        now = NULL;
    }

abandon:
    if (rc != HMF_OK)
        hmf__io_abandon(io);
free_layout:
    hmf__blocks_free(now);
    layout_fini(&layout);
    hmf__skel_free(skel);
free_plan:
    hmf__outline_free(plan);
    return rc;
}

hmf_status_t hmf__file_write(struct hmf__io *io, const char *path,
                             const struct hmf__file_label *label,
                             const struct hmf__file_source *source, struct hmf__file_seal *seal)
{
    return hmf__file_rewrite(io, path, label, source, NULL, seal, NULL);
}
