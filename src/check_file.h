/*
 * One rank's part of a checkpoint: an HDF5 file behind a 4096-byte user block.
 *
 * The user block (the "header") and the dataset /image/parts say where each run of the image's
 * bytes stands and what its CRC32C is; with them a file is read again by plain reads, every byte of
 * it checked, and no damaged byte ever reaches the HDF5 library. The bytes are described in
 * doc/checkpoint-format.md. Directories and generations are left to check_dir.c.
 */
#ifndef HMF_CHECK_FILE_H
#define HMF_CHECK_FILE_H

#include "check_io.h"
#include "image.h"
#include "state.h"

#include "hmf/status.h"

#include <stddef.h>
#include <stdint.h>

struct hmf__index;                      /* check_index.h */

#define HMF__FILE_HEADER 4096u
#define HMF__FILE_VERSION 1u
#define HMF__FILE_PROGRAM_MAX 1023

/* What the header says of the part as a whole, besides its sizes. */
struct hmf__file_label {
    const char *program;
    uint64_t generation;
    int rank, nranks;
    /* global.h5 only (else NULL): the arrays to be shown, and types[] of them. */
    const struct hmf__index *index;
    const hmf_meta_t *meta;
};

/* What the manifest keeps of a part. The seal is the header's checksum, and the header holds the
   checksums of all else: one number stands for every byte. */
struct hmf__file_seal {
    uint64_t bytes;
    uint32_t seal;
};

/* The image to be written: borrowed, and unchanged until the call returns. */
struct hmf__file_source {
    const void *meta;
    size_t meta_len;
    size_t nsegments;
    struct hmf__segment *segments;
};

/* Writes a new file (it must not exist), synced. On failure nothing is left. HMF_ERR_IO,
   HMF_ERR_HDF5, HMF_ERR_NOMEM; what hmf_meta_parse returns. Not collective. */
hmf_status_t hmf__file_write(struct hmf__io *io, const char *path,
                             const struct hmf__file_label *label,
                             const struct hmf__file_source *source, struct hmf__file_seal *seal);

/* The same; of reuse (NULL: nothing) only what differs is written, see check_io.h. *blocks: what the
   file holds now, the caller's. */
hmf_status_t hmf__file_rewrite(struct hmf__io *io, const char *path,
                               const struct hmf__file_label *label,
                               const struct hmf__file_source *source,
                               const struct hmf__io_reuse *reuse, struct hmf__file_seal *seal,
                               struct hmf__blocks **blocks);

/* A run of the image in the file. */
struct hmf__file_part {
    uint64_t offset, bytes;
    uint64_t segment_offset;
    uint32_t segment;                   /* or UINT32_MAX for the meta */
    uint32_t crc;
    uint32_t table, kind;
    const char *dataset;                /* owned by the file */
};

struct hmf__file {
    int fd;
    char *path;
    uint64_t bytes;                     /* of the whole file */
    uint32_t seal;
    uint64_t generation;
    int rank, nranks;
    char *program;
    size_t nparts;
    struct hmf__file_part *parts;       /* ordered by segment and offset in it */
    uint64_t table_offset, table_bytes; /* /image/parts in the file */
    uint32_t rest_crc;
    char *datasets;
    unsigned char *meta;
    size_t meta_len;
};

/* Opens a part and checks its header, part table and meta. seal: what the manifest says, or NULL.
   HMF_ERR_NOTFOUND, HMF_ERR_IO, HMF_ERR_FORMAT (truncated, or not such a file), HMF_ERR_VERSION,
   HMF_ERR_CHECKSUM, HMF_ERR_NOMEM; the text names the file. */
hmf_status_t hmf__file_open(const char *path, const struct hmf__file_seal *seal,
                            struct hmf__file **out);
void hmf__file_close(struct hmf__file *f);

/* Reads every byte and compares all checksums. HMF_ERR_CHECKSUM names the dataset. */
hmf_status_t hmf__file_verify(struct hmf__file *f);

/* Reads a whole segment of that many bytes to where the iov says. HMF_ERR_FORMAT if the file has
   another size of it, HMF_ERR_CHECKSUM, HMF_ERR_IO. */
hmf_status_t hmf__file_read_segment(struct hmf__file *f, uint32_t segment, const struct iovec *iov,
                                    size_t niov, uint64_t bytes);

/* Reads bytes [from, from + bytes) of a segment of a file that was verified: no checksum is
   compared again. HMF_ERR_FORMAT if the file does not have them, HMF_ERR_IO. */
hmf_status_t hmf__file_read_range(struct hmf__file *f, uint32_t segment, uint64_t from,
                                  uint64_t bytes, void *to);

/* Restores the registered variables. Their memory is unspecified after a failure; hmf__file_begin
   fails before it touches any. */
hmf_status_t hmf__file_restore(struct hmf__file *f, hmf_restore_t *restore);

#endif
