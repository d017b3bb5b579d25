/*
 * launch: env=HMF_LOG=error limit=120
 *
 * Checkpoints and loss of power. The calls that change files are recorded; then, for the moment
 * after each of them, a disk is made that holds what was synced for certain, and of the rest any
 * part: writes, sizes, names, renames. From each such disk the last checkpoint that was reported as
 * written, or a later one, is read, right in every byte.
 *
 * The rules are harsher than most file systems': syncing a file does not sync its name, and names
 * of one directory may be lost in any order.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "config.h"

#include "check_team.h"
#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#define ROOT "power"
#define AFTER "after"
#define NODES 4096
#define EVENTS 16384
#define FDS 1024

/* ---- what happened ---- */

enum kind { NAME, UNNAME, RENAME, WRITE, SIZE, SYNC, DONE };

struct event {
    enum kind kind;
    int node, dir;                      /* dir: of the name */
    char name[64], to[64];
    size_t offset, bytes;               /* SIZE: bytes */
    unsigned char *data;
    int step;                           /* DONE */
};

static struct {
    pthread_mutex_t lock;
    bool on;
    struct event events[EVENTS];
    int n;
    bool is_dir[NODES];
    int nodes;                          /* 0 is ROOT */
    struct {
        int dir, node;
        char name[64];
    } names[NODES];                     /* as they are now */
    int nnames;
    int fd_node[FDS];                   /* 1 + node; 0: not ours */
} rec = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct event *add(enum kind kind, int node)
{
    if (rec.n == EVENTS || rec.nodes >= NODES || rec.nnames >= NODES) {
        fprintf(stderr, "too much to record\n");
        abort();
    }
    rec.events[rec.n] = (struct event){.kind = kind, .node = node, .dir = -1};
    return &rec.events[rec.n++];
}

static int lookup(int dir, const char *name)
{
    for (int i = 0; i < rec.nnames; i++)
        if (rec.names[i].dir == dir && strcmp(rec.names[i].name, name) == 0)
            return i;
    return -1;
}

/* The directory of a path below ROOT, and its last component; -1: it is another path. -2: ROOT. */
static int parent(const char *path, char *last)
{
    int dir = 0;
    if (strncmp(path, ROOT, strlen(ROOT)) != 0
        || (path[strlen(ROOT)] != '/' && path[strlen(ROOT)] != '\0'))
        return -1;
    path += strlen(ROOT);
    if (*path == '\0')
        return -2;
    for (;;) {
        path++;
        size_t n = strcspn(path, "/");
        snprintf(last, 64, "%.*s", (int)n, path);
        path += n;
        if (*path == '\0')
            return dir;
        int i = lookup(dir, last);
        if (i < 0)
            return -1;
        dir = rec.names[i].node;
    }
}

static int node_of(const char *path)
{
    char last[64];
    int dir = parent(path, last), i;
    if (dir < 0)
        return dir == -2 ? 0 : -1;
    i = lookup(dir, last);
    return i < 0 ? -1 : rec.names[i].node;
}

/* A new name for a new node. */
static int create(const char *path, bool is_dir)
{
    char last[64];
    int dir = parent(path, last);
    if (dir < 0 || lookup(dir, last) >= 0)
        return -1;
    int node = ++rec.nodes;
    rec.is_dir[node] = is_dir;
    rec.names[rec.nnames].dir = dir;
    rec.names[rec.nnames].node = node;
    snprintf(rec.names[rec.nnames++].name, 64, "%s", last);
    struct event *e = add(NAME, node);
    e->dir = dir;
    snprintf(e->name, sizeof e->name, "%s", last);
    return node;
}

static void removed(const char *path)
{
    char last[64];
    int dir = parent(path, last), i = dir >= 0 ? lookup(dir, last) : -1;
    if (i < 0)
        return;
    struct event *e = add(UNNAME, rec.names[i].node);
    e->dir = dir;
    snprintf(e->name, sizeof e->name, "%s", last);
    rec.names[i] = rec.names[--rec.nnames];
}

/* ---- the calls, in place of the C library's ---- */

#define REAL(name, type)                                                                          \
    static __typeof__(type) real;                                                                 \
    if (real == NULL)                                                                             \
        *(void **)&real = dlsym(RTLD_NEXT, name)

static bool ours(int fd)
{
    return rec.on && fd >= 0 && fd < FDS && rec.fd_node[fd] > 0;
}

int open(const char *path, int flags, ...)
{
    REAL("open", int (*)(const char *, int, ...));
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    pthread_mutex_lock(&rec.lock);
    int fd = real(path, flags, mode);
    if (rec.on && fd >= 0 && fd < FDS) {
        int node = node_of(path);
        if (node < 0 && flags & O_CREAT)
            node = create(path, false);
        rec.fd_node[fd] = node + 1;
        if (node >= 0 && flags & O_TRUNC)
            add(SIZE, node)->bytes = 0;
    }
    pthread_mutex_unlock(&rec.lock);
    return fd;
}

int close(int fd)
{
    REAL("close", int (*)(int));
    pthread_mutex_lock(&rec.lock);
    if (fd >= 0 && fd < FDS)
        rec.fd_node[fd] = 0;
    int rc = real(fd);
    pthread_mutex_unlock(&rec.lock);
    return rc;
}

static void sized(int fd, off_t size, bool grow)
{
    struct stat st;
    if (!ours(fd) || (grow && fstat(fd, &st) == 0 && st.st_size > size))
        return;
    add(SIZE, rec.fd_node[fd] - 1)->bytes = (size_t)size;
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
    REAL("fallocate", int (*)(int, int, off_t, off_t));
    pthread_mutex_lock(&rec.lock);
    int rc = real(fd, mode, offset, len);
    if (rc == 0)
        sized(fd, offset + len, true);
    pthread_mutex_unlock(&rec.lock);
    return rc;
}

int ftruncate(int fd, off_t size)
{
    REAL("ftruncate", int (*)(int, off_t));
    pthread_mutex_lock(&rec.lock);
    int rc = real(fd, size);
    if (rc == 0)
        sized(fd, size, false);
    pthread_mutex_unlock(&rec.lock);
    return rc;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    REAL("pwrite", ssize_t (*)(int, const void *, size_t, off_t));
    pthread_mutex_lock(&rec.lock);
    ssize_t w = real(fd, bytes, n, offset);
    if (w > 0 && ours(fd)) {
        struct event *e = add(WRITE, rec.fd_node[fd] - 1);
        e->offset = (size_t)offset;
        e->bytes = (size_t)w;
        e->data = malloc((size_t)w);
        memcpy(e->data, bytes, (size_t)w);
    }
    pthread_mutex_unlock(&rec.lock);
    return w;
}

int fsync(int fd)
{
    REAL("fsync", int (*)(int));
    pthread_mutex_lock(&rec.lock);
    int rc = rec.on ? 0 : real(fd);     /* the real one would only cost time */
    if (ours(fd))
        add(SYNC, rec.fd_node[fd] - 1);
    pthread_mutex_unlock(&rec.lock);
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    REAL("mkdir", int (*)(const char *, mode_t));
    pthread_mutex_lock(&rec.lock);
    int rc = real(path, mode);
    if (rec.on && rc == 0)
        create(path, true);
    pthread_mutex_unlock(&rec.lock);
    return rc;
}

int unlink(const char *path)
{
    REAL("unlink", int (*)(const char *));
    pthread_mutex_lock(&rec.lock);
    int rc = real(path);
    if (rec.on && rc == 0)
        removed(path);
    pthread_mutex_unlock(&rec.lock);
    return rc;
}

int rmdir(const char *path)
{
    REAL("rmdir", int (*)(const char *));
    pthread_mutex_lock(&rec.lock);
    int rc = real(path);
    if (rec.on && rc == 0)
        removed(path);
    pthread_mutex_unlock(&rec.lock);
    return rc;
}

int rename(const char *from, const char *to)
{
    REAL("rename", int (*)(const char *, const char *));
    char a[64], b[64];
    pthread_mutex_lock(&rec.lock);
    int rc = real(from, to);
    int dir = rec.on && rc == 0 ? parent(from, a) : -1;
    if (dir >= 0 && parent(to, b) == dir) {
        int old = lookup(dir, b);
        if (old >= 0)
            rec.names[old] = rec.names[--rec.nnames];
        int i = lookup(dir, a);
        struct event *e = add(RENAME, rec.names[i].node);
        e->dir = dir;
        snprintf(e->name, sizeof e->name, "%s", a);
        snprintf(e->to, sizeof e->to, "%s", b);
        snprintf(rec.names[i].name, 64, "%s", b);
    }
    pthread_mutex_unlock(&rec.lock);
    return rc;
}

/* ---- the disk after a loss ---- */

enum { KEEP_SYNCED, NO_FILE_SYNC, NO_DIR_SYNC };

static uint64_t dice = 88172645463325252u;

static uint64_t any(uint64_t below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice % below;
}

static bool synced(int k, int end, int rule)
{
    const struct event *e = &rec.events[k];
    int what = e->dir >= 0 ? e->dir : e->node;
    if (rule == (e->dir >= 0 ? NO_DIR_SYNC : NO_FILE_SYNC))
        return false;
    for (int i = k + 1; i < end; i++)
        if (rec.events[i].kind == SYNC && rec.events[i].node == what)
            return true;
    return false;
}

struct file {
    unsigned char *data;
    size_t size, room;
};

static void grow(struct file *f, size_t size)
{
    if (size > f->room) {
        f->data = realloc(f->data, size);
        memset(f->data + f->room, 0, size - f->room);
        f->room = size;
    }
}

static struct file files[NODES];
static struct {
    int dir, node;
    char name[64];
} left[NODES];
static int nleft;

static void leave(int dir, const char *name)
{
    for (int i = 0; i < nleft; i++)
        if (left[i].dir == dir && strcmp(left[i].name, name) == 0)
            left[i--] = left[--nleft];
}

static void replay(const struct event *e, bool part)
{
    struct file *f = &files[e->node];
    size_t from = 0, n = e->bytes;
    switch (e->kind) {
    case NAME:
        left[nleft].dir = e->dir;
        left[nleft].node = e->node;
        snprintf(left[nleft++].name, 64, "%s", e->name);
        break;
    case UNNAME:
        leave(e->dir, e->name);
        break;
    case RENAME:
        leave(e->dir, e->name);
        leave(e->dir, e->to);
        left[nleft].dir = e->dir;
        left[nleft].node = e->node;
        snprintf(left[nleft++].name, 64, "%s", e->to);
        break;
    case WRITE:
        if (part) {                     /* some sectors of it */
            from = any(n / 512 + 1) * 512;
            n = from + any((n - from) / 512 + 1) * 512;
        }
        grow(f, e->offset + e->bytes);
        memcpy(f->data + e->offset + from, e->data + from, n - from);
        if (e->offset + n > f->size)
            f->size = e->offset + n;
        break;
    case SIZE:
        grow(f, n);
        if (n < f->size)
            memset(f->data + n, 0, f->size - n);
        f->size = n;
        break;
    default:
        break;
    }
}

static void put(int dir, const char *path)
{
    char name[400];
    mkdir(path, 0777);
    for (int i = 0; i < nleft; i++) {
        if (left[i].dir != dir)
            continue;
        snprintf(name, sizeof name, "%s/%s", path, left[i].name);
        if (rec.is_dir[left[i].node]) {
            put(left[i].node, name);
            continue;
        }
        FILE *f = fopen(name, "w");
        CU_ASSERT_PTR_NOT_NULL_FATAL(f);
        if (files[left[i].node].size > 0)
            fwrite(files[left[i].node].data, 1, files[left[i].node].size, f);
        fclose(f);
    }
}

/* Makes AFTER as it may be when power is lost after `end` events; the last step reported. */
static int lose(int end, int rule)
{
    int step = 0;
    nleft = 0;
    for (int i = 0; i <= rec.nodes; i++)
        files[i].size = 0;
    for (int i = 0; i <= rec.nodes; i++)
        if (files[i].room != 0)
            memset(files[i].data, 0, files[i].room);
    for (int k = 0; k < end; k++) {
        const struct event *e = &rec.events[k];
        if (e->kind == DONE)
            step = e->step;
        if (synced(k, end, rule))
            replay(e, false);
        else if (any(2) == 0)
            replay(e, e->kind == WRITE && any(2) == 0);
    }
    team_clear(AFTER);
    put(0, AFTER);
    return step;
}

/* ---- the tests ---- */

#define STEPS 4

static void write_steps(struct hmf__check_job *job, void *arg)
{
    (void)arg;
    uint64_t g;
    for (int step = 1; step <= STEPS; step++) {
        CU_ASSERT_EQUAL(team_write(job, step, &g), HMF_OK);
        if (job->rank == 0) {
            pthread_mutex_lock(&rec.lock);
            add(DONE, 0)->step = step;
            pthread_mutex_unlock(&rec.lock);
        }
    }
}

struct found {
    hmf_status_t rc[TEAM_MAX];
    int step[TEAM_MAX];
    char text[1024];
};

static void load_after(struct hmf__check_job *job, void *arg)
{
    struct found *f = arg;
    uint64_t g = 0;
    f->rc[job->rank] = team_load(job, -1, &f->step[job->rank], &g);
    if (job->rank == 0)
        snprintf(f->text, sizeof f->text, "%s", hmf_error_text());
}

/* Losses at every moment under that rule: how many end with less than was reported, or wrong. */
static int losses(int nranks, int rule, int stride, bool tell)
{
    int bad = 0;
    for (int end = 0; end <= rec.n; end += stride) {
        struct found f = {0};
        int step = lose(end, rule);
        team_run(nranks, AFTER, load_after, &f);
        bool right = true;
        for (int r = 0; r < nranks; r++) {
            if (f.rc[r] == HMF_OK)
                right &= f.step[r] >= step && f.step[r] > 0 && f.step[r] == f.step[0];
            else                        /* what is damaged and never was reported is refused */
                right &= step == 0 && f.step[r] == -2;
        }
        bad += !right;
        if (!right && tell)
            fprintf(stderr, "power lost after %d of %d events: step %d was reported, rank 0 found "
                    "%d (%s: %s)\n", end, rec.n, step, f.step[0], hmf_status_name(f.rc[0]),
                    f.text);
    }
    return bad;
}

static void record(int nranks)
{
    team_clear(ROOT);
    for (int i = 0; i < rec.n; i++)
        free(rec.events[i].data);
    rec.n = rec.nodes = rec.nnames = 0;
    memset(rec.fd_node, 0, sizeof rec.fd_node);
    memset(rec.is_dir, 0, sizeof rec.is_dir);
    mkdir(ROOT, 0777);
    rec.on = true;
    team_run(nranks, ROOT, write_steps, NULL);
    rec.on = false;
    CU_ASSERT_FATAL(rec.n > 50);        /* else the calls went by us */
}

static void nothing_reported_is_lost(void)
{
    record(1);
    int n = 0;
    for (int i = 0; i < 2; i++, n += rec.n)
        CU_ASSERT_EQUAL(losses(1, KEEP_SYNCED, 1, true), 0);
    record(2);
    CU_ASSERT_EQUAL(losses(2, KEEP_SYNCED, 1, true), 0);
    printf("%d losses of power, none of a checkpoint\n", n + rec.n);
}

/* That the test can tell: without the syncs there are losses. */
static void without_syncs_there_are_losses(void)
{
    record(1);
    CU_ASSERT(losses(1, NO_FILE_SYNC, 2, false) > 0);
    CU_ASSERT(losses(1, NO_DIR_SYNC, 2, false) > 0);
}

static const struct unit_test tests[] = {
    {"nothing reported is lost", nothing_reported_is_lost},
    {"without syncs there are losses", without_syncs_there_are_losses}
};

UNIT_MAIN("checkpoints and loss of power", tests)
