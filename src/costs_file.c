/* costs_file.c - what moves cost, kept for the next jobs of the cluster (see costs.h).
 *
 *   hmf-costs 1
 *   link node0 node1<TAB>1795960338 1024:52.1 1048576:9034.7
 *   ...
 *   crc32c 1b2c3d4e
 *
 * A line has its name, when it was measured last (seconds since 1970), and the measurements: bytes and microseconds.
 * The last line is the checksum of everything before it. */
#include "config.h"

#include "costs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "hmf-costs 1\n"
#define TAIL "crc32c %08x\n"
#define TAIL_LEN 16
#define MOST_BYTES (4u << 20)
#define OLD_S (30 * 86400.0)
#define LOCK_TRIES 20
#define LOCK_US 10000

static void make_folders(char *path)
{
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(path, 0700);
        *p = '/';
    }
}

void hmf__costs_path(char *path, size_t len)
{
    const char *given, *cache, *home, *cluster;

    hmf__param_string("HMF_COSTS", NULL, &given);
    hmf__param_string("XDG_CACHE_HOME", NULL, &cache);
    hmf__param_string("HOME", NULL, &home);
    hmf__param_string("SLURM_CLUSTER_NAME", "local", &cluster);
    if (given)
        snprintf(path, len, "%s", strcmp(given, "none") ? given : "");
    else if (cache || home)
        snprintf(path, len, "%s%s/hmf-mpi/%.64s.costs", cache ? cache : home, cache ? "" : "/.cache", cluster);
    else
        *path = 0;
}

/* The file in memory; hmf__free(*text). */
static hmf_status_t slurp(const char *path, char **text, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t n = 0;

    if (fd < 0)
        return hmf__fail(errno == ENOENT ? HMF_ERR_NOTFOUND : HMF_ERR_IO, "%s cannot be read: %s", path,
                         strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > (off_t)MOST_BYTES) {
        close(fd);
        return hmf__fail(HMF_ERR_FORMAT, "%s is no file of costs", path);
    }
    *len = 0;
    *text = hmf__malloc((size_t)st.st_size + 1);
    while (*text && *len < (size_t)st.st_size &&
           (n = read(fd, *text + *len, (size_t)st.st_size - *len)) > 0)
        *len += (size_t)n;
    close(fd);
    if (!*text)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for %s", path);
    (*text)[*len] = 0;
    return HMF_OK;
}

static hmf_status_t check(const char *path, const char *text, size_t len)
{
    char tail[TAIL_LEN + 8];

    if (len < strlen(HEAD) + TAIL_LEN || strncmp(text, HEAD, 10))
        return hmf__fail(HMF_ERR_FORMAT, "%s is no file of costs", path);
    if (strncmp(text, HEAD, strlen(HEAD)))
        return hmf__fail(HMF_ERR_VERSION, "%s is of another version", path);
    snprintf(tail, sizeof tail, TAIL, (unsigned)hmf__crc32c(0, text, len - TAIL_LEN));
    if (memcmp(tail, text + len - TAIL_LEN, TAIL_LEN))
        return hmf__fail(HMF_ERR_CHECKSUM, "%s is damaged", path);
    return HMF_OK;
}

/* Leaves out what is too old, or from a time to come. */
static size_t fresh(char *text, size_t len, double wall_s)
{
    size_t out = 0;

    for (size_t i = 0; i < len;) {
        char *end = memchr(text + i, '\n', len - i);
        size_t n = end ? (size_t)(end - text) + 1 - i : len - i;
        char *tab = memchr(text + i, '\t', n);
        double at_s = tab ? strtod(tab + 1, NULL) : 0;
        if (at_s > wall_s - OLD_S && at_s < wall_s + 86400) {
            memmove(text + out, text + i, n);
            out += n;
        }
        i += n;
    }
    return out;
}

hmf_status_t hmf__costs_load(struct hmf__costs *c, const char *path, double wall_s)
{
    char *text = NULL;
    size_t len;
    hmf_status_t st = slurp(path, &text, &len);

    if (st)
        return st;
    st = check(path, text, len);
    if (!st) {
        char *body = text + strlen(HEAD);
        st = hmf__costs_take(c, body, fresh(body, len - strlen(HEAD) - TAIL_LEN, wall_s));
        if (st)
            hmf__fail_prefix(st, "%s", path);
    }
    hmf__free(text);
    return st;
}

/* Two that save at once would each lose what the other has learned.  A file system without locks: then so be it. */
static int lock(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    for (int i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK; i++)
        usleep(LOCK_US);
    return fd;
}

static hmf_status_t write_all(const char *path, const struct hmf__buf *b)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;
    ssize_t n = 1;

    while (fd >= 0 && done < b->len && (n = write(fd, (const char *)b->data + done, b->len - done)) > 0)
        done += (size_t)n;
    if (fd < 0 || close(fd) || done < b->len)
        return hmf__fail(HMF_ERR_IO, "%s cannot be written: %s", path, strerror(errno));
    return HMF_OK;
}

hmf_status_t hmf__costs_save(struct hmf__costs *c, const char *path, double wall_s)
{
    struct hmf__buf out = HMF__BUF_INIT;
    char temp[4200], side[4200], tail[TAIL_LEN + 8];
    hmf_status_t st;
    int fd;

    if (snprintf(side, sizeof side, "%s.lock", path) >= (int)sizeof side ||
        snprintf(temp, sizeof temp, "%s.%d", path, (int)getpid()) >= (int)sizeof temp)
        return hmf__fail(HMF_ERR_IO, "the name %.60s... is too long", path);
    make_folders(side);
    fd = lock(side);
    hmf__costs_load(c, path, wall_s);      /* none, or damaged: it is replaced */
    hmf__buf_put_bytes(&out, HEAD, strlen(HEAD));
    hmf__costs_put(c, &out);
    if (!out.status) {
        snprintf(tail, sizeof tail, TAIL, (unsigned)hmf__crc32c(0, out.data, out.len));
        hmf__buf_put_bytes(&out, tail, TAIL_LEN);
    }
    st = out.status ? hmf__fail(HMF_ERR_NOMEM, "no memory to save what moves cost") : write_all(temp, &out);
    if (!st && rename(temp, path))
        st = hmf__fail(HMF_ERR_IO, "%s cannot be written: %s", path, strerror(errno));
    if (st)
        unlink(temp);
    if (fd >= 0)
        close(fd);
    hmf__buf_fini(&out);
    return st;
}
