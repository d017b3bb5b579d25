/*
 * Reads one rank's part of a checkpoint by its header and part table; see check_file.h.
 * Nothing that is read is believed before it was checked against the file's size and a checksum.
 */
#include "config.h"

#include "check_file.h"

#include "base.h"
#include "check_outline.h"
#include "check_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (1u << 20)

static uint32_t get_u32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get_u64(const unsigned char *p)
{
    return get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

/* The text for a read that failed; errno is the cause. */
static hmf_status_t failed_read(const struct hmf__file *f)
{
    if (errno == ENODATA)
        return hmf__fail(HMF_ERR_FORMAT, "%s became shorter while it was read", f->path);
    return hmf__fail(HMF_ERR_IO, "cannot read %s: %s", f->path, strerror(errno));
}

static hmf_status_t read_header(struct hmf__file *f, const struct hmf__file_seal *seal,
                                uint32_t *nparts,
                                uint32_t *part_bytes, uint32_t *table_crc)
{
    unsigned char h[HMF__FILE_HEADER];
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return failed_read(f);
    f->bytes = (uint64_t)st.st_size;
    if (seal != NULL && f->bytes != seal->bytes)
        return hmf__fail(HMF_ERR_FORMAT, "%s has %" PRIu64 " bytes, its manifest says %" PRIu64
                         ": it was truncated or replaced", f->path, f->bytes, seal->bytes);
    if (!S_ISREG(st.st_mode) || f->bytes < HMF__FILE_HEADER)
        return hmf__fail(HMF_ERR_FORMAT, "%s is no part of a checkpoint: it has %" PRIu64 " bytes",
                         f->path, f->bytes);
    if (hmf__sys_pread(f->fd, h, sizeof h, 0) != 0)
        return failed_read(f);
    f->seal = get_u32(h + HMF__FILE_HEADER - 4);
    bool intact = hmf__crc32c(0, h, HMF__FILE_HEADER - 4) == f->seal;
    if (memcmp(h, "HMFPART", 7) != 0)
        return hmf__fail(HMF_ERR_FORMAT, "%s is no part of a checkpoint (it does not begin with "
                         "HMFPART)", f->path);
    if (!intact || (seal != NULL && seal->seal != f->seal))
        return hmf__fail(HMF_ERR_CHECKSUM, "%s is damaged: the checksum of its header does not "
                         "agree",
                         f->path);
    if (get_u32(h + 128) != HMF__FILE_VERSION || get_u32(h + 132) != HMF__FILE_HEADER)
        return hmf__fail(HMF_ERR_VERSION, "%s has format version %" PRIu32 ", this library reads "
                         "%u: "
                         "use the library version that wrote it", f->path, get_u32(h + 128),
                         HMF__FILE_VERSION);
    f->generation = get_u64(h + 136);
    f->rank = (int)(get_u32(h + 144) & INT32_MAX);
    f->nranks = (int)(get_u32(h + 148) & INT32_MAX);
    f->table_offset = get_u64(h + 160);
    *nparts = get_u32(h + 168);
    *part_bytes = get_u32(h + 172);
    *table_crc = get_u32(h + 176);
    f->rest_crc = get_u32(h + 180);
    f->table_bytes = (uint64_t)*nparts * *part_bytes;
    if (get_u64(h + 152) != f->bytes || *nparts == 0 || *part_bytes <= HMF__PART_FIXED
        || *part_bytes > HMF__PART_FIXED + HMF__PART_PATH_MAX || f->table_offset < HMF__FILE_HEADER
        || f->table_offset > f->bytes || f->table_bytes > f->bytes - f->table_offset)
        return hmf__fail(HMF_ERR_FORMAT, "%s is damaged: its header makes no sense", f->path);
    h[256 + HMF__FILE_PROGRAM_MAX] = '\0';
    f->program = hmf__strdup((const char *)h + 256);
    return f->program != NULL ? HMF_OK : hmf__fail(HMF_ERR_NOMEM, "no memory to read %s", f->path);
}

static int by_segment(const void *a, const void *b)
{
    const struct hmf__file_part *x = a, *y = b;
    if (x->segment != y->segment)
        return x->segment < y->segment ? -1 : 1;
    return x->segment_offset < y->segment_offset ? -1 : x->segment_offset > y->segment_offset;
}

static int by_offset(const void *a, const void *b)
{
    const struct hmf__file_part *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static hmf_status_t read_parts(struct hmf__file *f, uint32_t nparts, uint32_t part_bytes,
                               uint32_t table_crc)
{
    uint32_t path_bytes = part_bytes - HMF__PART_FIXED;
    unsigned char *records = hmf__malloc((size_t)f->table_bytes);
    f->parts = hmf__calloc(nparts, sizeof(*f->parts));
    f->datasets = hmf__calloc(nparts, path_bytes + 1);
    hmf_status_t rc = HMF_OK;
    if (records == NULL || f->parts == NULL || f->datasets == NULL) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to read %s", f->path);
        goto free_records;
    }
    if (hmf__sys_pread(f->fd, records, (size_t)f->table_bytes, f->table_offset) != 0) {
        rc = failed_read(f);
        goto free_records;
    }
    if (hmf__crc32c(0, records, (size_t)f->table_bytes) != table_crc) {
        rc = hmf__fail(HMF_ERR_CHECKSUM, "%s is damaged: the checksum of /image/parts does not "
                       "agree",
                       f->path);
        goto free_records;
    }
    for (uint32_t i = 0; i < nparts; i++) {
        const unsigned char *r = records + (size_t)i * part_bytes;
        char *name = f->datasets + (size_t)i * (path_bytes + 1);
        memcpy(name, r + HMF__PART_FIXED, path_bytes);
        f->parts[i] = (struct hmf__file_part){
            .offset = get_u64(r), .bytes = get_u64(r + 8), .segment_offset = get_u64(r + 16),
            .segment = get_u32(r + 24), .crc = get_u32(r + 28), .table = get_u32(r + 32),
            .kind = get_u32(r + 36), .dataset = name
        };
    }
    f->nparts = nparts;
    /* No two parts may share bytes, nor may one reach into the header or the part table. */
    qsort(f->parts, nparts, sizeof(*f->parts), by_offset);
    uint64_t at = HMF__FILE_HEADER;
    for (uint32_t i = 0; i < nparts; i++) {
        const struct hmf__file_part *p = &f->parts[i];
        if (p->offset < at || p->offset > f->bytes || p->bytes > f->bytes - p->offset
            || (p->offset < f->table_offset + f->table_bytes
                && p->offset + p->bytes > f->table_offset)) {
            rc = hmf__fail(HMF_ERR_FORMAT, "%s is damaged: the place of %s makes no sense", f->path,
                           p->dataset);
            goto free_records;
        }
        at = p->offset + p->bytes;
    }
    qsort(f->parts, nparts, sizeof(*f->parts), by_segment);

free_records:
    hmf__free(records);
    return rc;
}

static hmf_status_t read_meta(struct hmf__file *f)
{
    const struct hmf__file_part *p = &f->parts[f->nparts - 1];
    if (p->segment != HMF__OUTLINE_META || p->segment_offset != 0 || p->bytes > SIZE_MAX
        || (f->nparts > 1 && p[-1].segment == HMF__OUTLINE_META))
        return hmf__fail(HMF_ERR_FORMAT, "%s is damaged: it has no /image/meta", f->path);
    f->meta = hmf__malloc((size_t)p->bytes);
    if (f->meta == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to read %s", f->path);
    f->meta_len = (size_t)p->bytes;
    struct iovec iov = {f->meta, f->meta_len};
    return hmf__file_read_segment(f, HMF__OUTLINE_META, &iov, 1, p->bytes);
}

hmf_status_t hmf__file_open(const char *path, const struct hmf__file_seal *seal,
                            struct hmf__file **out)
{
    uint32_t nparts, part_bytes, table_crc;
    struct hmf__file *f = hmf__calloc(1, sizeof(*f));
    if (f == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to read %s", path);
    hmf_status_t rc = HMF_OK;
    f->fd = -1;
    f->path = hmf__strdup(path);
    if (f->path == NULL) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to read %s", path);
        goto close_file;
    }
    f->fd = hmf__sys_open(path, O_RDONLY, 0);
    if (f->fd < 0) {
        rc = hmf__fail(errno == ENOENT ? HMF_ERR_NOTFOUND : HMF_ERR_IO, "cannot open %s: %s", path,
                       strerror(errno));
        goto close_file;
    }
    /* So that a writer does not overwrite it meanwhile (check_io.c). */
    (void)flock(f->fd, LOCK_SH | LOCK_NB);
    rc = read_header(f, seal, &nparts, &part_bytes, &table_crc);
    if (rc == HMF_OK)
        rc = read_parts(f, nparts, part_bytes, table_crc);
    if (rc == HMF_OK)
        rc = read_meta(f);
    if (rc != HMF_OK)
        goto close_file;
    *out = f;
    return HMF_OK;

close_file:
    hmf__file_close(f);
    return rc;
}

void hmf__file_close(struct hmf__file *f)
{
    if (f == NULL)
        return;
    if (f->fd >= 0)
        close(f->fd);
    hmf__free(f->path);
    hmf__free(f->program);
    hmf__free(f->parts);
    hmf__free(f->datasets);
    hmf__free(f->meta);
    hmf__free(f);
}

/* Continues *crc over [from, to) of the file. */
static hmf_status_t sum(struct hmf__file *f, unsigned char *buffer, uint64_t from, uint64_t to,
                        uint32_t *crc)
{
    while (from < to) {
        size_t n = to - from < READ_BYTES ? (size_t)(to - from) : READ_BYTES;
        if (hmf__sys_pread(f->fd, buffer, n, from) != 0)
            return failed_read(f);
        *crc = hmf__crc32c(*crc, buffer, n);
        from += n;
    }
    return HMF_OK;
}

static hmf_status_t verify_all(struct hmf__file *f, unsigned char *buffer)
{
    hmf_status_t rc;
    uint32_t rest = 0;
    uint64_t at = HMF__FILE_HEADER;
    bool table_passed = false;
    for (size_t i = 0; i < f->nparts; i++) {
        const struct hmf__file_part *p = &f->parts[i];
        uint32_t crc = 0;
        if (!table_passed && f->table_offset < p->offset) {
            rc = sum(f, buffer, at, f->table_offset, &rest);
            if (rc != HMF_OK)
                return rc;
            at = f->table_offset + f->table_bytes;
            table_passed = true;
        }
        rc = sum(f, buffer, at, p->offset, &rest);
        if (rc == HMF_OK)
            rc = sum(f, buffer, p->offset, p->offset + p->bytes, &crc);
        if (rc != HMF_OK)
            return rc;
        if (crc != p->crc)
            return hmf__fail(HMF_ERR_CHECKSUM, "%s is damaged: the checksum of %s does not agree",
                             f->path, p->dataset);
        at = p->offset + p->bytes;
    }
    if (!table_passed) {
        rc = sum(f, buffer, at, f->table_offset, &rest);
        if (rc != HMF_OK)
            return rc;
        at = f->table_offset + f->table_bytes;
    }
    rc = sum(f, buffer, at, f->bytes, &rest);
    if (rc == HMF_OK && rest != f->rest_crc)
        rc = hmf__fail(HMF_ERR_CHECKSUM, "%s is damaged: the checksum of its HDF5 metadata does "
                       "not "
                       "agree", f->path);
    return rc;
}

hmf_status_t hmf__file_verify(struct hmf__file *f)
{
    unsigned char *buffer = hmf__malloc(READ_BYTES);
    if (buffer == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to verify %s", f->path);
    qsort(f->parts, f->nparts, sizeof(*f->parts), by_offset);
    hmf_status_t rc = verify_all(f, buffer);
    qsort(f->parts, f->nparts, sizeof(*f->parts), by_segment);
    hmf__free(buffer);
    return rc;
}

/* The first part of that segment, or the end. */
static size_t first_part(const struct hmf__file *f, uint32_t segment)
{
    size_t lo = 0, hi = f->nparts;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (f->parts[mid].segment < segment)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

hmf_status_t hmf__file_read_segment(struct hmf__file *f, uint32_t segment, const struct iovec *iov,
                                    size_t niov, uint64_t bytes)
{
    uint64_t at = 0, start = 0;         /* start: of iov[0] in the segment */
    for (size_t i = first_part(f, segment); i < f->nparts && f->parts[i].segment == segment; i++) {
        const struct hmf__file_part *p = &f->parts[i];
        uint32_t crc = 0;
        if (p->segment_offset != at || p->bytes > bytes - at)
            return hmf__fail(HMF_ERR_FORMAT, "%s is damaged: %s does not fit into the image",
                             f->path,
                             p->dataset);
        while (niov > 0 && at - start >= iov->iov_len) {
            start += iov->iov_len;
            iov++;
            niov--;
        }
        if (hmf__io_read(f->fd, p->offset, p->bytes, iov, niov, at - start, &crc) != 0)
            return failed_read(f);
        if (crc != p->crc)
            return hmf__fail(HMF_ERR_CHECKSUM, "%s is damaged: the checksum of %s does not agree",
                             f->path, p->dataset);
        at += p->bytes;
    }
    if (at != bytes)
        return hmf__fail(HMF_ERR_FORMAT, "%s is damaged: it has %" PRIu64 " of %" PRIu64
                         " bytes of segment %" PRIu32, f->path, at, bytes, segment);
    return HMF_OK;
}

hmf_status_t hmf__file_read_range(struct hmf__file *f, uint32_t segment, uint64_t from,
                                  uint64_t bytes, void *to)
{
    unsigned char *p = to;
    for (size_t i = first_part(f, segment); i < f->nparts && bytes > 0; i++) {
        const struct hmf__file_part *part = &f->parts[i];
        if (part->segment != segment || part->segment_offset > from)
            break;
        uint64_t skip = from - part->segment_offset;
        if (skip >= part->bytes)
            continue;
        uint64_t n = part->bytes - skip < bytes ? part->bytes - skip : bytes;
        if (hmf__sys_pread(f->fd, p, (size_t)n, part->offset + skip) != 0)
            return failed_read(f);
        p += n;
        from += n;
        bytes -= n;
    }
    if (bytes > 0)
        return hmf__fail(HMF_ERR_FORMAT, "%s is damaged: it lacks a piece of segment %" PRIu32,
                         f->path, segment);
    return HMF_OK;
}

hmf_status_t hmf__file_restore(struct hmf__file *f, hmf_restore_t *restore)
{
    for (size_t i = 0; i < hmf_restore_nsegments(restore); i++) {
        const struct iovec *iov;
        size_t niov;
        uint64_t bytes;
        hmf_status_t rc = hmf_restore_segment(restore, i, &iov, &niov, &bytes);
        if (rc == HMF_OK)
            rc = hmf__file_read_segment(f, (uint32_t)i, iov, niov, bytes);
        if (rc == HMF_OK)
            rc = hmf_restore_segment_done(restore, i);
        if (rc != HMF_OK)
            return rc;
    }
    return HMF_OK;
}
