/*
 * The system calls that checkpoints make, in one place: whole transfers, and faults on demand.
 *
 * All functions behave as the calls that they are named after: -1 and errno on failure. Tests can
 * make the n-th call fail with a chosen errno, or end the process there as a crash would. What a
 * failure means, and its text, is left to the callers.
 */
#ifndef HMF_CHECK_SYS_H
#define HMF_CHECK_SYS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum hmf__sys_op {
    HMF__SYS_ANY,                       /* counts the calls of all kinds */
    HMF__SYS_OPEN, HMF__SYS_MKDIR, HMF__SYS_ALLOCATE, HMF__SYS_WRITE, HMF__SYS_FSYNC,
    HMF__SYS_RENAME, HMF__SYS_REMOVE, HMF__SYS_READ, HMF__SYS_LOCK,
    HMF__SYS_NOPS
};

/* Tests: the n-th call of that kind from now on (1 = the next) fails with errno err; it raises
   SIGKILL instead if err is negative. n = 0 switches off. */
void hmf__sys_fail_at(enum hmf__sys_op op, long n, int err);
/* Tests: calls of that kind since the last hmf__sys_fail_at. */
long hmf__sys_count(enum hmf__sys_op op);

int hmf__sys_open(const char *path, int flags, mode_t mode);    /* O_CLOEXEC is added */
int hmf__sys_mkdir(const char *path, mode_t mode);
/* Reserves the blocks of [0, size) and makes the file that long; where the file system cannot
   reserve, the file is only made that long. */
int hmf__sys_allocate(int fd, uint64_t size);
int hmf__sys_truncate(int fd, uint64_t size);
/* All of the bytes, whatever the kernel takes at a time. */
int hmf__sys_pwrite(int fd, const void *bytes, size_t n, uint64_t offset);
/* Exactly n bytes; the file ending before that is ENODATA. */
int hmf__sys_pread(int fd, void *bytes, size_t n, uint64_t offset);
int hmf__sys_fsync(int fd);
int hmf__sys_fsync_dir(const char *path);
/* Makes fd's file, which is empty, share all extents with that file. */
int hmf__sys_clone(const char *from, int fd);
int hmf__sys_rename(const char *from, const char *to);
int hmf__sys_unlink(const char *path);
int hmf__sys_rmdir(const char *path);
/* An exclusive lock that ends with the process; EWOULDBLOCK if another process holds it. */
int hmf__sys_lock(int fd);

/* Starts a thread that takes no signals: they are the program's. Returns 0 or an error number. */
int hmf__sys_thread(pthread_t *thread, void *(*run)(void *), void *arg);
/* The calling thread, and those that it starts, leave the processors to the program: lowest
   priority, and any processor that the process may use. Launchers bind a rank to one core; threads
   of the rank would otherwise share that core with it while others idle. */
void hmf__sys_step_back(void);

#endif
