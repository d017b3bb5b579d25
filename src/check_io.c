/*
 * The fast writer of checkpoint files; see check_io.h.
 *
 * The caller's thread fills buffer k while the second thread writes buffer k-1. Pages that hold
 * late bytes (the part table and the header, which contain checksums) are kept when they pass and
 * written again at the end, completed: with O_DIRECT only whole pages can be written.
 *
 * Where the file is made of an older one, blocks are hashed as they pass and those that the older
 * one has are left out; their checksums are known from then.
 */
#include "config.h"

#include "check_io.h"

#include "base.h"
#include "check_sys.h"
#include "crc32c.h"
#include "padding.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096u
#define BUFFER_BYTES (4u << 20)
#define NBUFFERS 3
/* Copy and checksum go over blocks that stay in the cache between the two. */
#define BLOCK (128u << 10)
/* Smaller files are written by the caller's thread, and through the page cache. */
#define THREAD_FROM (8u << 20)
#define DIRECT_FROM (4u << 20)
/* Written from where it is, if alone: at least so much, at most so much at a time. */
#define STRAIGHT_FROM (1u << 20)
#define STRAIGHT_MAX (64u << 20)

struct late {
    uint64_t offset, bytes;             /* as in the piece */
    uint64_t page_offset;
    size_t page_bytes;
    unsigned char *pages;
};

struct hmf__io {
    unsigned char *buffers[NBUFFERS];
    char *path;
    int fd;                             /* -1: no file begun */
    bool direct, was_direct, threaded, alone;
    uint64_t size, written;
    const struct hmf__blocks *old;      /* NULL: all is written */
    struct hmf__blocks *now;            /* NULL: nobody wants to know */
    uint32_t block_shift;
    struct late late[HMF__IO_LATE];
    size_t nlate;

    unsigned char *fill;                /* the buffer being filled */
    uint64_t fill_offset;
    size_t fill_bytes;

    /* between the threads */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t put, taken;                  /* buffers handed over and written, counted for ever */
    uint64_t offset[NBUFFERS];
    size_t bytes[NBUFFERS];
    bool ending;
    int error;                          /* errno of the first failed write */
};

hmf_status_t hmf__io_new(struct hmf__io **out)
{
    struct hmf__io *io = hmf__calloc(1, sizeof(*io));
    if (io == NULL)
        goto no_memory;
    for (size_t i = 0; i < NBUFFERS; i++) {
        io->buffers[i] = hmf__big_alloc(BUFFER_BYTES);
        if (io->buffers[i] == NULL || (uintptr_t)io->buffers[i] % PAGE != 0)
            goto free_io;
    }
    io->fd = -1;
    pthread_mutex_init(&io->lock, NULL);
    pthread_cond_init(&io->changed, NULL);
    *out = io;
    return HMF_OK;

free_io:
    for (size_t i = 0; i < NBUFFERS; i++) {
        if (io->buffers[i] != NULL)
            hmf__big_free(io->buffers[i], BUFFER_BYTES);
    }
    hmf__free(io);
no_memory:
    return hmf__fail(HMF_ERR_NOMEM, "no memory for the buffers of a checkpoint file");
}

static void reset(struct hmf__io *io)
{
    if (io->fd >= 0)
        close(io->fd);
    io->fd = -1;
    hmf__free(io->path);
    io->path = NULL;
    for (size_t i = 0; i < io->nlate; i++)
        hmf__free(io->late[i].pages);
    io->nlate = 0;
}

void hmf__io_free(struct hmf__io *io)
{
    if (io == NULL)
        return;
    reset(io);
    pthread_cond_destroy(&io->changed);
    pthread_mutex_destroy(&io->lock);
    for (size_t i = 0; i < NBUFFERS; i++)
        hmf__big_free(io->buffers[i], BUFFER_BYTES);
    hmf__free(io);
}

bool hmf__io_was_direct(const struct hmf__io *io)
{
    return io->was_direct;
}

uint64_t hmf__io_written(const struct hmf__io *io)
{
    return io->written;
}

void hmf__io_alone(struct hmf__io *io)
{
    io->alone = true;
}

static uint64_t whole_pages(uint64_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

/* The text for a failed call on the file being written. */
static hmf_status_t failed(const struct hmf__io *io, const char *what, int err)
{
    return hmf__fail(HMF_ERR_IO, "cannot %s %s: %s%s", what, io->path, strerror(err),
                     err == ENOSPC || err == EDQUOT
                         ? " (free some space, or set HMF_DIR to another file system)" : "");
}

/* Opens with O_DIRECT if that is wanted and there is such. */
static int open_file(struct hmf__io *io, const char *path, int flags)
{
    int fd = hmf__sys_open(path, flags | (io->direct ? O_DIRECT : 0), 0666);
    if (fd < 0 && io->direct && errno == EINVAL) {
        /* Some file systems that have no O_DIRECT create the file nevertheless. */
        io->direct = false;
        if ((flags & O_CREAT) != 0)
            unlink(path);
        fd = hmf__sys_open(path, flags, 0666);
    }
    return fd;
}

/* The file at the path, to be overwritten: not if it has another name as well, in somebody's copy
   made of links, nor if somebody reads it. */
static int open_old(struct hmf__io *io, const char *path)
{
    struct stat st;
    int fd = open_file(io, path, O_RDWR);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && hmf__sys_lock(fd) == 0)
        return fd;
    close(fd);
    return -1;
}

static int open_clone(struct hmf__io *io, const char *path, const char *from)
{
    int fd = open_file(io, path, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0 || hmf__sys_clone(from, fd) == 0)
        return fd;
    close(fd);
    unlink(path);
    return -1;
}

hmf_status_t hmf__io_begin(struct hmf__io *io, const char *path, uint64_t size,
                           const struct hmf__io_reuse *reuse, struct hmf__blocks *now)
{
    io->path = hmf__strdup(path);
    if (io->path == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to write %s", path);
    long direct;
    hmf_status_t rc = hmf__param_int("HMF_DIRECT_IO", 0, 1, size >= DIRECT_FROM, &direct);
    if (rc != HMF_OK)
        return rc;
    io->direct = direct != 0;
    io->fd = -1;
    io->old = NULL;
    io->now = now;
    io->written = 0;
    if (reuse != NULL) {
        io->fd = reuse->clone != NULL ? open_clone(io, path, reuse->clone) : open_old(io, path);
        if (io->fd >= 0)
            io->old = reuse->old;
        else
            unlink(path);
    }
    if (io->fd < 0)
        io->fd = open_file(io, path, O_RDWR | O_CREAT | O_EXCL);
    if (io->fd < 0) {
        rc = failed(io, "create", errno);
        reset(io);
        return rc;
    }
    io->was_direct = io->direct;
    io->size = size;
    if (now != NULL)
        io->block_shift = hmf__crc32c_shift(HMF__BLOCK_BYTES);
    if (hmf__sys_allocate(io->fd, whole_pages(size)) != 0) {
        rc = failed(io, "reserve space for", errno);
        hmf__io_abandon(io);
        return rc;
    }
    return HMF_OK;
}

/* Writes whole pages; without O_DIRECT from the first refusal on. Returns an errno. */
static int write_pages(struct hmf__io *io, const void *bytes, size_t n, uint64_t offset)
{
    io->written += n;
    if (hmf__sys_pwrite(io->fd, bytes, n, offset) == 0)
        return 0;
    if (errno != EINVAL || !io->direct)
        return errno;
    int flags = fcntl(io->fd, F_GETFL);
    if (flags < 0 || fcntl(io->fd, F_SETFL, flags & ~O_DIRECT) != 0)
        return EINVAL;
    io->direct = io->was_direct = false;
    return hmf__sys_pwrite(io->fd, bytes, n, offset) == 0 ? 0 : errno;
}

static void *write_behind(void *arg)
{
    struct hmf__io *io = arg;
    pthread_mutex_lock(&io->lock);
    for (;;) {
        while (io->taken == io->put && !io->ending)
            pthread_cond_wait(&io->changed, &io->lock);
        if (io->taken == io->put)
            break;
        size_t k = io->taken % NBUFFERS;
        int err = io->error;
        pthread_mutex_unlock(&io->lock);
        if (err == 0)
            err = write_pages(io, io->buffers[k], io->bytes[k], io->offset[k]);
        pthread_mutex_lock(&io->lock);
        io->error = err;
        io->taken++;
        pthread_cond_broadcast(&io->changed);
    }
    pthread_mutex_unlock(&io->lock);
    return NULL;
}

/* Keeps those pages of the full buffer that hold late bytes. */
static void keep_late(struct hmf__io *io)
{
    for (size_t i = 0; i < io->nlate; i++) {
        const struct late *l = &io->late[i];
        uint64_t lo = l->page_offset > io->fill_offset ? l->page_offset : io->fill_offset;
        uint64_t hi = l->page_offset + l->page_bytes;
        if (hi > io->fill_offset + io->fill_bytes)
            hi = io->fill_offset + io->fill_bytes;
        if (lo < hi)
            memcpy(l->pages + (lo - l->page_offset), io->fill + (lo - io->fill_offset), hi - lo);
    }
}

/* Hands the filled buffer on and takes the next. Returns an errno. */
static int flush(struct hmf__io *io)
{
    size_t padded = (size_t)whole_pages(io->fill_bytes);
    memset(io->fill + io->fill_bytes, 0, padded - io->fill_bytes);
    io->fill_bytes = padded;
    keep_late(io);
    if (padded == 0)
        return 0;
    int err;
    if (!io->threaded) {
        err = write_pages(io, io->fill, padded, io->fill_offset);
    } else {
        pthread_mutex_lock(&io->lock);
        size_t k = io->put % NBUFFERS;
        io->offset[k] = io->fill_offset;
        io->bytes[k] = padded;
        io->put++;
        pthread_cond_broadcast(&io->changed);
        while (io->put - io->taken == NBUFFERS)
            pthread_cond_wait(&io->changed, &io->lock);
        io->fill = io->buffers[io->put % NBUFFERS];
        err = io->error;
        pthread_mutex_unlock(&io->lock);
    }
    io->fill_offset += padded;
    io->fill_bytes = 0;
    return err;
}

/* ---- blocks ---- */

/* Leaves bytes out that the file has already. */
static int leave_out(struct hmf__io *io, uint64_t n)
{
    int err = io->fill_bytes != 0 ? flush(io) : 0;
    io->fill_offset += n;
    return err;
}

/* Late bytes are not known when a block passes. */
static bool has_late(const struct hmf__io *io, uint64_t offset)
{
    for (size_t i = 0; i < io->nlate; i++) {
        if (io->late[i].offset < offset + HMF__BLOCK_BYTES
            && io->late[i].offset + io->late[i].bytes > offset)
            return true;
    }
    return false;
}

/* A block of the file of which all bytes follow each other in memory. */
static int emit_block(struct hmf__io *io, const unsigned char *bytes, uint32_t *crc)
{
    size_t i = (size_t)((io->fill_offset + io->fill_bytes) / HMF__BLOCK_BYTES);
    struct hmf__block b;
    hmf__blocks_hash(bytes, &b);
    const struct hmf__block *same = hmf__blocks_same(io->old, i, &b);
    b.crc = same != NULL && same->summed ? same->crc : hmf__crc32c(0, bytes, HMF__BLOCK_BYTES);
    b.summed = true;
    if (crc != NULL)
        *crc = hmf__crc32c_join(*crc, b.crc, io->block_shift);
    io->now->v[i] = b;
    if (same != NULL)
        return leave_out(io, HMF__BLOCK_BYTES);
    memcpy(io->fill + io->fill_bytes, bytes, HMF__BLOCK_BYTES);
    io->fill_bytes += HMF__BLOCK_BYTES;
    return io->fill_bytes == BUFFER_BYTES ? flush(io) : 0;
}

/* The last block in the buffer, made of several pieces, is complete. */
static int end_block(struct hmf__io *io)
{
    uint64_t offset = io->fill_offset + io->fill_bytes - HMF__BLOCK_BYTES;
    size_t i = (size_t)(offset / HMF__BLOCK_BYTES);
    struct hmf__block *b = &io->now->v[i];
    if (i < io->now->n && !has_late(io, offset)) {
        hmf__blocks_hash(io->fill + io->fill_bytes - HMF__BLOCK_BYTES, b);
        if (hmf__blocks_same(io->old, i, b) != NULL) {
            io->fill_bytes -= HMF__BLOCK_BYTES;
            return leave_out(io, HMF__BLOCK_BYTES);
        }
    }
    return io->fill_bytes == BUFFER_BYTES ? flush(io) : 0;
}

/* ---- bytes ---- */

/* Writes as many of the bytes as can be from where they are; *done: how many. */
static int emit_straight(struct hmf__io *io, const unsigned char *bytes, uint64_t n, uint32_t *crc,
                         size_t *done)
{
    *done = 0;
    if (!io->alone || !io->direct || io->now != NULL || n < STRAIGHT_FROM
        || (uintptr_t)bytes % PAGE != 0 || io->fill_bytes % PAGE != 0)
        return 0;
    size_t k = (size_t)((n < STRAIGHT_MAX ? n : STRAIGHT_MAX) / PAGE * PAGE);
    int err = io->fill_bytes != 0 ? flush(io) : 0;
    if (err == 0 && crc != NULL)
        *crc = hmf__crc32c(*crc, bytes, k);
    if (err == 0)
        err = write_pages(io, bytes, k, io->fill_offset);
    io->fill_offset += k;
    *done = k;
    return err;
}

/* Appends at most n bytes (NULL: zeros) to the buffer and continues *crc over them unless NULL. If
   there is padding, bytes is the first element, and at what is to be skipped. */
static int emit_some(struct hmf__io *io, const unsigned char *bytes, uint64_t n, uint32_t *crc,
                     const struct hmf__padding *padding, uint64_t at, size_t *done)
{
    size_t k = n < BLOCK ? (size_t)n : BLOCK, room = BUFFER_BYTES - io->fill_bytes;
    if (io->now != NULL)
        room = HMF__BLOCK_BYTES - io->fill_bytes % HMF__BLOCK_BYTES;
    if (k > room)
        k = room;
    unsigned char *to = io->fill + io->fill_bytes;
    if (padding != NULL) {
        hmf__padding_copy(padding, bytes, at, to, k);
        if (crc != NULL)
            *crc = hmf__crc32c(*crc, to, k);
    } else if (bytes != NULL) {
        if (crc != NULL)
            *crc = hmf__crc32c(*crc, bytes, k);
        memcpy(to, bytes, k);
    } else {
        memset(to, 0, k);
        if (crc != NULL)
            *crc = hmf__crc32c(*crc, to, k);
    }
    io->fill_bytes += k;
    *done = k;
    if (io->now != NULL && io->fill_bytes % HMF__BLOCK_BYTES == 0)
        return end_block(io);
    return io->fill_bytes == BUFFER_BYTES ? flush(io) : 0;
}

/* Appends bytes to the file; see emit_some. */
static int emit(struct hmf__io *io, const unsigned char *bytes, uint64_t n, uint32_t *crc,
                const struct hmf__padding *padding, uint64_t at)
{
    int err = 0;
    while (n > 0 && err == 0) {
        size_t done = 0;
        bool plain = bytes != NULL && padding == NULL;
        if (plain && io->now != NULL && n >= HMF__BLOCK_BYTES
            && io->fill_bytes % HMF__BLOCK_BYTES == 0) {
            err = emit_block(io, bytes, crc);
            done = HMF__BLOCK_BYTES;
        } else if (plain) {
            err = emit_straight(io, bytes, n, crc, &done);
        }
        if (done == 0 && err == 0)
            err = emit_some(io, bytes, n, crc, padding, at, &done);
        if (plain)
            bytes += done;
        at += done;
        n -= done;
    }
    return err;
}

static int emit_piece(struct hmf__io *io, const struct hmf__io_piece *p, uint32_t *crc)
{
    if (p->iov == NULL)
        return emit(io, NULL, p->bytes, NULL, NULL, 0);
    uint64_t skip = p->skip, left = p->bytes;
    for (size_t i = 0; i < p->niov && left > 0; i++) {
        if (skip >= p->iov[i].iov_len) {
            skip -= p->iov[i].iov_len;
            continue;
        }
        uint64_t n = p->iov[i].iov_len - skip;
        if (n > left)
            n = left;
        const unsigned char *base = p->iov[i].iov_base;
        int err = emit(io, p->padding != NULL ? base : base + skip, n, crc, p->padding, skip);
        if (err != 0)
            return err;
        skip = 0;
        left -= n;
    }
    return left == 0 ? 0 : EFAULT;
}

static hmf_status_t remember_late(struct hmf__io *io, const struct hmf__io_piece *p)
{
    if (io->nlate == HMF__IO_LATE)
        return hmf__fail(HMF_ERR_STATE, "%s: too many late pieces", io->path);
    struct late *l = &io->late[io->nlate];
    l->offset = p->offset;
    l->bytes = p->bytes;
    l->page_offset = p->offset / PAGE * PAGE;
    l->page_bytes = (size_t)(whole_pages(p->offset + p->bytes) - l->page_offset);
    l->pages = hmf__malloc(l->page_bytes);
    if (l->pages == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to write %s", io->path);
    io->nlate++;
    return HMF_OK;
}

hmf_status_t hmf__io_write(struct hmf__io *io, struct hmf__io_piece *pieces, size_t n,
                           uint32_t *rest_crc)
{
    hmf_status_t rc;
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].iov == NULL && (rc = remember_late(io, &pieces[i])) != HMF_OK)
            return rc;
    }
    io->put = io->taken = 0;
    io->ending = false;
    io->error = 0;
    io->fill = io->buffers[0];
    io->fill_offset = 0;
    io->fill_bytes = 0;
    io->threaded = !io->alone && io->size >= THREAD_FROM
        && hmf__sys_thread(&io->thread, write_behind, io) == 0;

    int err = 0;
    uint64_t at = 0;
    uint32_t rest = 0;
    for (size_t i = 0; i < n && err == 0; i++) {
        struct hmf__io_piece *p = &pieces[i];
        err = emit(io, NULL, p->offset - at, &rest, NULL, 0);
        if (err != 0)
            break;
        p->crc = 0;
        err = emit_piece(io, p, p->part ? &p->crc : &rest);
        at = p->offset + p->bytes;
    }
    if (err == 0)
        err = emit(io, NULL, io->size - at, &rest, NULL, 0);
    if (err == 0)
        err = flush(io);
    if (io->threaded) {
        pthread_mutex_lock(&io->lock);
        io->ending = true;
        pthread_cond_broadcast(&io->changed);
        pthread_mutex_unlock(&io->lock);
        pthread_join(io->thread, NULL);
        if (err == 0)
            err = io->error;
    }
    if (err != 0)
        return failed(io, "write", err);
    *rest_crc = rest;
    return HMF_OK;
}

void *hmf__io_late(struct hmf__io *io, size_t i)
{
    return io->late[i].pages + (io->late[i].offset - io->late[i].page_offset);
}

hmf_status_t hmf__io_late_done(struct hmf__io *io)
{
    for (size_t i = 0; i < io->nlate; i++) {
        const struct late *l = &io->late[i];
        for (size_t done = 0, n; done < l->page_bytes; done += n) {
            n = l->page_bytes - done < BUFFER_BYTES ? l->page_bytes - done : BUFFER_BYTES;
            memcpy(io->buffers[0], l->pages + done, n);
            int err = write_pages(io, io->buffers[0], n, l->page_offset + done);
            if (err != 0)
                return failed(io, "write", err);
        }
    }
    return HMF_OK;
}

hmf_status_t hmf__io_end(struct hmf__io *io)
{
    if (hmf__sys_truncate(io->fd, io->size) != 0)
        return failed(io, "set the size of", errno);
    if (hmf__sys_fsync(io->fd) != 0)
        return failed(io, "sync", errno);
    int fd = io->fd;
    io->fd = -1;
    if (close(fd) != 0)
        return failed(io, "close", errno);
    reset(io);
    return HMF_OK;
}

void hmf__io_abandon(struct hmf__io *io)
{
    if (io->path != NULL)
        unlink(io->path);
    reset(io);
}

int hmf__io_read(int fd, uint64_t offset, uint64_t bytes, const struct iovec *iov, size_t niov,
                 uint64_t skip, uint32_t *crc)
{
    for (size_t i = 0; i < niov && bytes > 0; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        unsigned char *to = (unsigned char *)iov[i].iov_base + skip;
        uint64_t n = iov[i].iov_len - skip;
        if (n > bytes)
            n = bytes;
        skip = 0;
        bytes -= n;
        while (n > 0) {
            size_t k = n < BLOCK * 8 ? (size_t)n : BLOCK * 8;
            if (hmf__sys_pread(fd, to, k, offset) != 0)
                return -1;
            *crc = hmf__crc32c(*crc, to, k);
            to += k;
            offset += k;
            n -= k;
        }
    }
    if (bytes > 0) {
        errno = EFAULT;
        return -1;
    }
    return 0;
}
