/*
 * Generations, lock and marker of a checkpoint directory; see check_dir.h.
 */
#include "config.h"

#include "check_dir.h"

#include "base.h"
#include "check_sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static hmf_status_t path_of(char *path, const char *dir, const char *name)
{
    int n = snprintf(path, HMF__DIR_PATH_MAX, "%s/%s", dir, name);
    if (n < 0 || n >= HMF__DIR_PATH_MAX)
        return hmf__fail(HMF_ERR_LIMIT, "the path %.64s.../%.64s is too long", dir, name);
    return HMF_OK;
}

/* By form. */
static const char *const suffix[] = {"", ".tmp", ".local", ".local.tmp"};

hmf_status_t hmf__dir_name(const char *dir, uint64_t generation, unsigned form, char *path)
{
    char name[64];
    snprintf(name, sizeof name, "gen-%06" PRIu64 "%s", generation, suffix[form]);
    return path_of(path, dir, name);
}

hmf_status_t hmf__dir_generation(const char *dir, uint64_t generation, bool temporary, char *path)
{
    return hmf__dir_name(dir, generation, temporary ? HMF__DIR_TMP : 0, path);
}

hmf_status_t hmf__dir_part(const char *dir, uint64_t generation, bool temporary, int rank,
                           char *path)
{
    char name[96];
    snprintf(name, sizeof name, "gen-%06" PRIu64 "%s/rank-%05d.h5", generation,
             temporary ? ".tmp" : "", rank);
    return path_of(path, dir, name);
}

static hmf_status_t failed(const char *what, const char *path)
{
    int err = errno;
    const char *hint = err == EACCES || err == EROFS || err == EPERM
        ? " (set HMF_DIR to a directory that you may write)"
        : err == ENOENT ? " (set HMF_DIR to a directory whose parent exists)"
        : err == ENOTDIR ? " (HMF_DIR must name a directory, or one that can be made)" : "";
    return hmf__fail(HMF_ERR_IO, "cannot %s %s: %s%s", what, path, strerror(err), hint);
}

hmf_status_t hmf__dir_make(const char *dir)
{
    struct stat st;
    if (hmf__sys_mkdir(dir, 0777) == 0)
        return HMF_OK;
    if (errno == EEXIST && stat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
        errno = ENOTDIR;
    if (errno == EEXIST)
        return HMF_OK;
    return failed("create the checkpoint directory", dir);
}

/* ---- listing ---- */

static bool parse_name(const char *name, uint64_t *generation, unsigned *form)
{
    char *end;
    if (strncmp(name, "gen-", 4) != 0 || name[4] < '0' || name[4] > '9')
        return false;
    errno = 0;
    *generation = strtoull(name + 4, &end, 10);
    if (errno != 0 || end - name < 10)
        return false;
    for (*form = 0; *form < sizeof suffix / sizeof suffix[0]; ++*form) {
        if (strcmp(end, suffix[*form]) == 0)
            return true;
    }
    return false;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x > y ? -1 : x < y;
}

static bool append(uint64_t **list, size_t *n, uint64_t value)
{
    /* Powers of two: a list of n = 2^k entries is full. */
    if ((*n & (*n - 1)) == 0) {
        uint64_t *p = hmf__realloc(*list, (*n != 0 ? *n * 2 : 1) * sizeof(*p));
        if (p == NULL)
            return false;
        *list = p;
    }
    (*list)[(*n)++] = value;
    return true;
}

hmf_status_t hmf__dir_list(const char *dir, struct hmf__dir_list *list)
{
    struct { uint64_t **numbers; size_t *n; } of[] = {      /* by form */
        {&list->generations, &list->ngenerations}, {&list->temporaries, &list->ntemporaries},
        {&list->locals, &list->nlocals}, {&list->local_temporaries, &list->nlocal_temporaries}
    };
    memset(list, 0, sizeof(*list));
    DIR *d = opendir(dir);
    if (d == NULL) {
        if (errno == ENOENT)
            return hmf__fail(HMF_ERR_NOTFOUND, "there is no checkpoint directory %s", dir);
        return failed("read the checkpoint directory", dir);
    }
    hmf_status_t rc = HMF_OK;
    struct dirent *e;
    errno = 0;
    while ((e = readdir(d)) != NULL) {
        uint64_t generation;
        unsigned form;
        if (parse_name(e->d_name, &generation, &form)
            && !append(of[form].numbers, of[form].n, generation)) {
            rc = hmf__fail(HMF_ERR_NOMEM, "no memory to read the checkpoint directory %s", dir);
            goto close_dir;
        }
        errno = 0;
    }
    if (errno != 0) {
        rc = failed("read the checkpoint directory", dir);
        goto close_dir;
    }
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        if (*of[i].n != 0)
            qsort(*of[i].numbers, *of[i].n, sizeof(uint64_t), newest_first);
    }

close_dir:
    closedir(d);
    if (rc != HMF_OK)
        hmf__dir_list_fini(list);
    return rc;
}

void hmf__dir_list_fini(struct hmf__dir_list *list)
{
    hmf__free(list->generations);
    hmf__free(list->temporaries);
    hmf__free(list->locals);
    hmf__free(list->local_temporaries);
    memset(list, 0, sizeof(*list));
}

uint64_t hmf__dir_newest(const struct hmf__dir_list *list)
{
    uint64_t g = list->ngenerations != 0 ? list->generations[0] : 0;
    return list->nlocals != 0 && list->locals[0] > g ? list->locals[0] : g;
}

/* ---- appearing and disappearing ---- */

hmf_status_t hmf__dir_publish(const char *dir, uint64_t generation, unsigned form)
{
    char from[HMF__DIR_PATH_MAX], to[HMF__DIR_PATH_MAX];
    hmf_status_t rc = hmf__dir_name(dir, generation, form | HMF__DIR_TMP, from);
    if (rc == HMF_OK)
        rc = hmf__dir_name(dir, generation, form & ~(unsigned)HMF__DIR_TMP, to);
    if (rc != HMF_OK)
        return rc;
    /* The parts and the manifest are synced as files; now their names, then the new name. */
    if (hmf__sys_fsync_dir(from) != 0)
        return failed("sync the directory", from);
    if (hmf__sys_rename(from, to) != 0)
        return failed("rename", from);
    if (hmf__sys_fsync_dir(dir) != 0) {
        rc = failed("sync the directory", dir);
        rename(to, from);               /* nobody may count on it */
    }
    return rc;
}

hmf_status_t hmf__dir_remove(const char *dir, uint64_t generation, unsigned form)
{
    char path[HMF__DIR_PATH_MAX], tmp[HMF__DIR_PATH_MAX], file[HMF__DIR_PATH_MAX];
    hmf_status_t rc = hmf__dir_name(dir, generation, form | HMF__DIR_TMP, tmp);
    if (rc == HMF_OK)
        rc = hmf__dir_name(dir, generation, form, path);
    if (rc != HMF_OK)
        return rc;
    if ((form & HMF__DIR_TMP) == 0 && hmf__sys_rename(path, tmp) != 0)
        return failed("remove", path);
    DIR *d = opendir(tmp);
    if (d == NULL)
        return errno == ENOENT ? HMF_OK : failed("remove", tmp);
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        rc = path_of(file, tmp, e->d_name);
        if (rc == HMF_OK && hmf__sys_unlink(file) != 0 && errno != ENOENT)
            rc = failed("remove", file);
        if (rc != HMF_OK)
            break;
    }
    closedir(d);
    if (rc == HMF_OK && hmf__sys_rmdir(tmp) != 0 && errno != ENOENT)
        rc = failed("remove", tmp);
    return rc;
}

hmf_status_t hmf__dir_recycle(const char *dir, uint64_t generation, uint64_t next)
{
    static const char *const others[] = {"manifest.txt", "global.h5"};
    char from[HMF__DIR_PATH_MAX], to[HMF__DIR_PATH_MAX], file[HMF__DIR_PATH_MAX];
    hmf_status_t rc = hmf__dir_generation(dir, generation, false, from);
    if (rc == HMF_OK)
        rc = hmf__dir_generation(dir, next, true, to);
    if (rc == HMF_OK && hmf__sys_rename(from, to) != 0)
        rc = failed("rename", from);
    for (size_t i = 0; i < sizeof others / sizeof *others && rc == HMF_OK; i++) {
        rc = path_of(file, to, others[i]);
        if (rc == HMF_OK && hmf__sys_unlink(file) != 0 && errno != ENOENT)
            rc = failed("remove", file);
    }
    return rc;
}

bool hmf__dir_clones(const char *dir)
{
    char lock[HMF__DIR_PATH_MAX], tmp[HMF__DIR_PATH_MAX];
    if (path_of(lock, dir, "lock") != HMF_OK || path_of(tmp, dir, "clone.tmp") != HMF_OK)
        return false;
    int fd = hmf__sys_open(tmp, O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (fd < 0)
        return false;
    bool can = hmf__sys_clone(lock, fd) == 0;
    close(fd);
    unlink(tmp);
    return can;
}

/* ---- the lock ---- */

hmf_status_t hmf__dir_lock(const char *dir, uint64_t job_id, int *out)
{
    char path[HMF__DIR_PATH_MAX], text[160] = "", host[65] = "?";
    hmf_status_t rc = path_of(path, dir, "lock");
    if (rc != HMF_OK)
        return rc;
    *out = -1;
    int fd = hmf__sys_open(path, O_RDWR | O_CREAT, 0666);
    if (fd < 0) {
        /* A directory that cannot be written can be restarted from all the same. */
        if (errno == EROFS || errno == EACCES || errno == EPERM)
            return HMF_OK;
        return failed("open", path);
    }
    if (hmf__sys_lock(fd) != 0) {
        int err = errno;
        ssize_t n = pread(fd, text, sizeof text - 1, 0);
        close(fd);
        if (err != EWOULDBLOCK) {
            hmf__log(HMF__LOG_INFO, "no lock on %s: %s", path, strerror(err));
            return HMF_OK;
        }
        text[n > 0 ? n : 0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        unsigned long long holder = 0;
        if (job_id != 0 && sscanf(text, "job %llx", &holder) == 1 && holder == job_id)
            return HMF_OK;
        return hmf__fail(HMF_ERR_BUSY, "the checkpoint directory %s is in use by another job "
                         "(%s): set HMF_DIR to another one", dir,
                         text[0] != '\0' ? text : "unknown");
    }
    if (gethostname(host, sizeof host - 1) != 0)
        snprintf(host, sizeof host, "?");
    int n = snprintf(text, sizeof text, "job %016" PRIx64 " process %ld on %s\n", job_id,
                     (long)getpid(), host);
    /* What it says is for people and for the other processes of this job: no harm if it fails. */
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
        hmf__log(HMF__LOG_DEBUG, "cannot write %s: %s", path, strerror(errno));
    *out = fd;
    return HMF_OK;
}

/* ---- the marker ---- */

hmf_status_t hmf__dir_set_finished(const char *dir, uint64_t generation)
{
    char path[HMF__DIR_PATH_MAX], tmp[HMF__DIR_PATH_MAX], text[64];
    hmf_status_t rc = path_of(path, dir, "finished");
    if (rc == HMF_OK)
        rc = path_of(tmp, dir, "finished.tmp");
    if (rc != HMF_OK)
        return rc;
    int n = snprintf(text, sizeof text, "hmf-finished 1\ngeneration %" PRIu64 "\n", generation);
    int fd = hmf__sys_open(tmp, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0)
        return failed("create", tmp);
    if (hmf__sys_pwrite(fd, text, (size_t)n, 0) != 0 || hmf__sys_fsync(fd) != 0) {
        rc = failed("write", tmp);
        close(fd);
        unlink(tmp);
        return rc;
    }
    close(fd);
    if (hmf__sys_rename(tmp, path) != 0) {
        rc = failed("rename", tmp);
        unlink(tmp);
        return rc;
    }
    return hmf__sys_fsync_dir(dir) == 0 ? HMF_OK : failed("sync the directory", dir);
}

hmf_status_t hmf__dir_get_finished(const char *dir, bool *there, uint64_t *generation)
{
    char path[HMF__DIR_PATH_MAX], text[65];
    *there = false;
    hmf_status_t rc = path_of(path, dir, "finished");
    if (rc != HMF_OK)
        return rc;
    int fd = hmf__sys_open(path, O_RDONLY, 0);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? HMF_OK : failed("open", path);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    int err = errno;
    close(fd);
    if (n < 0) {
        errno = err;
        return failed("read", path);
    }
    text[n] = '\0';
    unsigned long long g;
    if (sscanf(text, "hmf-finished 1\ngeneration %llu", &g) != 1)
        return hmf__fail(HMF_ERR_FORMAT, "%s makes no sense: remove it to restart from the newest "
                         "checkpoint, or set HMF_RESTART=never to start afresh", path);
    *there = true;
    *generation = g;
    return HMF_OK;
}

hmf_status_t hmf__dir_clear_finished(const char *dir)
{
    char path[HMF__DIR_PATH_MAX];
    hmf_status_t rc = path_of(path, dir, "finished");
    if (rc == HMF_OK && hmf__sys_unlink(path) != 0 && errno != ENOENT)
        rc = failed("remove", path);
    return rc;
}
