/*
 * System calls of the checkpoint layer; see check_sys.h.
 */
#include "config.h"

#include "check_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Some file systems refuse single transfers of 2 GiB and more. */
#define TRANSFER_MAX (1u << 30)

static struct {
    atomic_long count[HMF__SYS_NOPS];
    atomic_long at[HMF__SYS_NOPS];
    atomic_int err[HMF__SYS_NOPS];
} fault;

void hmf__sys_fail_at(enum hmf__sys_op op, long n, int err)
{
    atomic_store(&fault.at[op], 0);
    atomic_store(&fault.count[op], 0);
    atomic_store(&fault.err[op], err);
    atomic_store(&fault.at[op], n);
}

long hmf__sys_count(enum hmf__sys_op op)
{
    return atomic_load(&fault.count[op]);
}

static bool fails_one(enum hmf__sys_op op)
{
    long n = atomic_fetch_add_explicit(&fault.count[op], 1, memory_order_relaxed) + 1;
    if (n != atomic_load_explicit(&fault.at[op], memory_order_relaxed))
        return false;
    int err = atomic_load(&fault.err[op]);
    if (err < 0)
        raise(SIGKILL);
    errno = err;
    return true;
}

static bool fails(enum hmf__sys_op op)
{
    bool any = fails_one(HMF__SYS_ANY);
    return fails_one(op) || any;
}

int hmf__sys_open(const char *path, int flags, mode_t mode)
{
    if (fails(HMF__SYS_OPEN))
        return -1;
    return open(path, flags | O_CLOEXEC, mode);
}

int hmf__sys_mkdir(const char *path, mode_t mode)
{
    if (fails(HMF__SYS_MKDIR))
        return -1;
    return mkdir(path, mode);
}

int hmf__sys_allocate(int fd, uint64_t size)
{
    if (fails(HMF__SYS_ALLOCATE))
        return -1;
    if (size > INT64_MAX) {
        errno = EFBIG;
        return -1;
    }
    /* fallocate, not posix_fallocate: the latter would write zeros itself where it is
       unsupported. */
    if (size != 0 && fallocate(fd, 0, 0, (off_t)size) == 0)
        return 0;
    if (size != 0 && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
        return -1;
    return ftruncate(fd, (off_t)size);
}

int hmf__sys_truncate(int fd, uint64_t size)
{
    if (fails(HMF__SYS_ALLOCATE))
        return -1;
    return ftruncate(fd, (off_t)size);
}

int hmf__sys_pwrite(int fd, const void *bytes, size_t n, uint64_t offset)
{
    const char *p = bytes;
    if (fails(HMF__SYS_WRITE))
        return -1;
    while (n > 0) {
        ssize_t w = pwrite(fd, p, n < TRANSFER_MAX ? n : TRANSFER_MAX, (off_t)offset);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0) {
            if (w == 0)
                errno = EIO;
            return -1;
        }
        p += w;
        n -= (size_t)w;
        offset += (uint64_t)w;
    }
    return 0;
}

int hmf__sys_pread(int fd, void *bytes, size_t n, uint64_t offset)
{
    char *p = bytes;
    if (fails(HMF__SYS_READ))
        return -1;
    while (n > 0) {
        ssize_t r = pread(fd, p, n < TRANSFER_MAX ? n : TRANSFER_MAX, (off_t)offset);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0) {
            if (r == 0)
                errno = ENODATA;
            return -1;
        }
        p += r;
        n -= (size_t)r;
        offset += (uint64_t)r;
    }
    return 0;
}

int hmf__sys_fsync(int fd)
{
    if (fails(HMF__SYS_FSYNC))
        return -1;
    int rc;
    do
        rc = fsync(fd);
    while (rc != 0 && errno == EINTR);
    return rc;
}

int hmf__sys_fsync_dir(const char *path)
{
    int fd = hmf__sys_open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return -1;
    int rc = hmf__sys_fsync(fd);
    /* Some file systems have no fsync on directories; their renames are in order anyway. */
    if (rc != 0 && errno == EINVAL)
        rc = 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return rc;
}

int hmf__sys_clone(const char *from, int fd)
{
    int source = hmf__sys_open(from, O_RDONLY, 0);
    if (source < 0)
        return -1;
    int rc = ioctl(fd, FICLONE, source), saved = errno;
    close(source);
    errno = saved;
    return rc;
}

int hmf__sys_rename(const char *from, const char *to)
{
    if (fails(HMF__SYS_RENAME))
        return -1;
    return rename(from, to);
}

int hmf__sys_unlink(const char *path)
{
    if (fails(HMF__SYS_REMOVE))
        return -1;
    return unlink(path);
}

int hmf__sys_rmdir(const char *path)
{
    if (fails(HMF__SYS_REMOVE))
        return -1;
    return rmdir(path);
}

int hmf__sys_lock(int fd)
{
    if (fails(HMF__SYS_LOCK))
        return -1;
    return flock(fd, LOCK_EX | LOCK_NB);
}

int hmf__sys_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int err = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return err;
}

void hmf__sys_step_back(void)
{
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    /* Best effort: the kernel takes of the set what the job's cpuset allows. On Linux a priority is
       a thread's own. */
    if (sched_setaffinity(0, sizeof all, &all) != 0 || setpriority(PRIO_PROCESS, 0, 19) != 0)
        errno = 0;
}
