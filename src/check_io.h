/*
 * One file written once, from front to end, as fast as the disk takes it: pieces scattered in
 * memory are copied into aligned buffers, their checksums computed on the way, while a second
 * thread writes the buffers behind O_DIRECT where the file system has it.
 *
 * Knows nothing of HDF5 or images: what stands where is decided by check_file.c.
 */
#ifndef HMF_CHECK_IO_H
#define HMF_CHECK_IO_H

#include "check_blocks.h"

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* A run of the file's bytes. What no piece covers is written as zeros. */
struct hmf__io_piece {
    uint64_t offset, bytes;
    const struct iovec *iov;            /* where the bytes are; NULL: late, see below */
    size_t niov;
    uint64_t skip;                      /* bytes of the iov that come before the piece */
    const struct hmf__padding *padding; /* cleared of what each iov, an array of elements, holds */
    bool part;                          /* has a checksum of its own: crc */
    uint32_t crc;                       /* set by hmf__io_write for parts */
};

struct hmf__io;                      /* the buffers, reused from file to file; one user at a time */

hmf_status_t hmf__io_new(struct hmf__io **io);
void hmf__io_free(struct hmf__io *io);
/* From now on all is done by the calling thread, which writes large pieces from where they are if
   they begin on a page in memory and in the file: least work, for who is not waited for. */
void hmf__io_alone(struct hmf__io *io);

/* What a file can be made of instead of writing all of it. */
struct hmf__io_reuse {
    const char *clone;                  /* the file to begin with a copy of, whose extents are shared
                                           where the file system can; NULL: the one at the path */
    const struct hmf__blocks *old;      /* what that file holds */
};

/* Begins the file: creates it (it must not exist) with that size and reserves its blocks. With
   reuse (else NULL) of what can be reused, what is at the path is overwritten or replaced. now: gets
   what the new file holds, or NULL; freed by the caller. */
hmf_status_t hmf__io_begin(struct hmf__io *io, const char *path, uint64_t size,
                           const struct hmf__io_reuse *reuse, struct hmf__blocks *now);

/* Writes the whole file. pieces: ascending, disjoint, within the size. At most HMF__IO_LATE
   pieces are late: their content depends on the checksums of the others and follows by
   hmf__io_late. rest_crc: over all bytes of the file, in order, that are neither part nor late. */
#define HMF__IO_LATE 2
hmf_status_t hmf__io_write(struct hmf__io *io, struct hmf__io_piece *pieces, size_t n,
                           uint32_t *rest_crc);

/* The bytes of the i-th late piece; after filling them in, hmf__io_late_done writes all of them. */
void *hmf__io_late(struct hmf__io *io, size_t i);
hmf_status_t hmf__io_late_done(struct hmf__io *io);

/* Syncs and closes. After any failure hmf__io_abandon instead, which also removes the file. */
hmf_status_t hmf__io_end(struct hmf__io *io);
void hmf__io_abandon(struct hmf__io *io);

/* How the last file was written, for benchmarks and logs. */
bool hmf__io_was_direct(const struct hmf__io *io);
uint64_t hmf__io_written(const struct hmf__io *io);

/* Reads [offset, offset + bytes) of fd into the iov after skipping skip bytes of it, and continues
   *crc over them. Fails with errno set (-1), ENODATA at the file's end. */
int hmf__io_read(int fd, uint64_t offset, uint64_t bytes, const struct iovec *iov, size_t niov,
                 uint64_t skip, uint32_t *crc);

#endif
