/* Open files as variables: a record of path, mode and position that is filled in when the state
 * is captured, and followed when it was restored.
 *
 * The record is an ordinary registered variable, so images, checkpoints and tools need to know
 * nothing of files.
 */
#include "config.h"

#include "openfile.h"

#include "base.h"
#include "statepriv.h"
#include "typemap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, MODE_BYTES = 8 };

struct record {
    char path[PATH_BYTES];
    /* As fopen's, then c if the file is the rank's own and ended at offset, e for close-on-exec;
     * "": there is no file. */
    char mode[MODE_BYTES];
    int64_t offset;
};

const int hmf__openfile_type[HMF__OPENFILE_INTS] = {-3, typeFSTRING, PATH_BYTES, typeFSTRING,
                                                    MODE_BYTES, typeINT64};

struct openfile {
    struct hmf__keeper keeper;
    char *name;
    FILE **file; /* the program's variable: this one ... */
    int *fd;     /* ... or this */
    bool own;    /* nobody else writes the file */
    struct record record;
};

static const struct mode {
    const char *text;
    int flags;
} modes[] = {
    {"r", O_RDONLY}, {"w", O_WRONLY}, {"a", O_WRONLY | O_APPEND},
    {"r+", O_RDWR}, {"a+", O_RDWR | O_APPEND},
};

/* ---- recording ---- */

static const char *kind_of(int fd, mode_t mode)
{
    if (S_ISFIFO(mode))
        return "a pipe";
    if (S_ISSOCK(mode))
        return "a socket";
    if (S_ISDIR(mode))
        return "a directory";
    return isatty(fd) ? "a terminal" : "a device";
}

/* The path under which others can open the same file. */
static hmf_status_t find_path(struct openfile *o, int fd, const struct stat *st)
{
    char link[64];
    struct stat there;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, o->record.path, PATH_BYTES);
    if (n < 0)
        return hmf__fail(HMF_ERR_IO, "open file %s: its path is not known: %s", o->name,
                         strerror(errno));
    if (n == PATH_BYTES)
        return hmf__fail(HMF_ERR_LIMIT, "open file %s: its path has %d bytes or more", o->name,
                         PATH_BYTES);
    o->record.path[n] = '\0';
    if (stat(o->record.path, &there) || there.st_dev != st->st_dev || there.st_ino != st->st_ino)
        return hmf__fail(HMF_ERR_NOTFOUND, "open file %s (%s) has been deleted or replaced: it "
                         "cannot be opened again; close it, or untrack it", o->name,
                         o->record.path);
    return HMF_OK;
}

static hmf_status_t find_mode(struct openfile *o, int fd, bool at_end)
{
    int flags = fcntl(fd, F_GETFL), close_on_exec = fcntl(fd, F_GETFD);
    size_t i = 0, n = sizeof modes / sizeof *modes;

    while (i < n && (flags < 0 || modes[i].flags != (flags & (O_ACCMODE | O_APPEND))))
        i++;
    if (i == n && flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
        i = 0; /* appending means nothing to who only reads */
    if (i == n)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "open file %s can neither be read nor written",
                         o->name);
    snprintf(o->record.mode, MODE_BYTES, "%s%s%s", modes[i].text,
             o->own && at_end && modes[i].flags != O_RDONLY ? "c" : "",
             close_on_exec > 0 && close_on_exec & FD_CLOEXEC ? "e" : "");
    /* So that other nodes, and whoever continues after a crash, find what was written. */
    if (modes[i].flags != O_RDONLY && fdatasync(fd) && errno != EINVAL && errno != EROFS)
        return hmf__fail(HMF_ERR_IO, "open file %s (%s): what was written could not be synced: %s",
                         o->name, o->record.path, strerror(errno));
    return HMF_OK;
}

static hmf_status_t shared(const struct openfile *o, const hmf_state_t *state);

static hmf_status_t record(struct hmf__keeper *k, const hmf_state_t *state)
{
    struct openfile *o = (struct openfile *)k;
    FILE *f = o->file ? *o->file : NULL;
    int fd = o->file ? -1 : *o->fd;
    struct stat st;
    hmf_status_t rc;

    memset(&o->record, 0, sizeof o->record);
    if (o->file ? !f : fd < 0)
        return HMF_OK;
    if (f && (rc = shared(o, state)) != HMF_OK)
        return rc;
    if (f && (fd = fileno(f)) < 0)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "open file %s is no file but a stream in memory: it "
                         "cannot be carried; close it, or untrack it", o->name);
    if (fstat(fd, &st))
        return hmf__fail(HMF_ERR_IO, "open file %s: descriptor %d: %s", o->name, fd,
                         strerror(errno));
    if (!S_ISREG(st.st_mode))
        return hmf__fail(HMF_ERR_UNSUPPORTED, "open file %s is %s: it cannot be carried; close "
                         "it, or untrack it", o->name, kind_of(fd, st.st_mode));
    int flags = fcntl(fd, F_GETFL);
    if (f && flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && fflush(f))
        return hmf__fail(HMF_ERR_IO, "open file %s could not be written: %s", o->name,
                         strerror(errno));
    if ((rc = find_path(o, fd, &st)) != HMF_OK)
        return rc;
    o->record.offset = f ? ftello(f) : lseek(fd, 0, SEEK_CUR);
    if (o->record.offset < 0 || fstat(fd, &st)) /* again: it was flushed */
        return hmf__fail(HMF_ERR_IO, "open file %s (%s) has no position: %s", o->name,
                         o->record.path, strerror(errno));
    /* who appends only writes at the end, wherever the position is */
    if (o->own && flags >= 0 && flags & O_APPEND && (flags & O_ACCMODE) == O_WRONLY)
        o->record.offset = st.st_size;
    return find_mode(o, fd, o->record.offset == st.st_size);
}

/* ---- opening again ---- */

/* The flags of a mode, which may come from a damaged or foreign file. */
static bool parse_mode(const struct record *r, const struct mode **mode, int *extra, bool *cut)
{
    size_t n = strnlen(r->mode, MODE_BYTES);
    bool e = n && n < MODE_BYTES && r->mode[n - 1] == 'e';

    *extra = e ? O_CLOEXEC : 0;
    n -= e;
    *cut = n && n < MODE_BYTES && r->mode[n - 1] == 'c';
    n -= *cut;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strlen(modes[i].text) == n && !memcmp(modes[i].text, r->mode, n)) {
            *mode = &modes[i];
            return true;
        }
    return false;
}

static hmf_status_t open_again(struct hmf__keeper *k)
{
    struct openfile *o = (struct openfile *)k;
    const struct record *r = &o->record;
    const struct mode *mode;
    struct stat st;
    FILE *f = NULL;
    int extra, fd;
    hmf_status_t rc;
    bool cut;

    if (!r->mode[0]) {
        if (o->file)
            *o->file = NULL;
        else
            *o->fd = -1;
        return HMF_OK;
    }
    if (!memchr(r->path, 0, PATH_BYTES) || !parse_mode(r, &mode, &extra, &cut) || r->offset < 0)
        return hmf__fail(HMF_ERR_FORMAT, "open file %s: the saved state has no good record of it",
                         o->name);
    fd = open(r->path, mode->flags | extra | O_NOCTTY | O_NONBLOCK); /* a pipe would block */
    if (fd < 0)
        return hmf__fail(errno == ENOENT ? HMF_ERR_NOTFOUND : HMF_ERR_IO,
                         "open file %s: %s cannot be opened here: %s", o->name, r->path,
                         strerror(errno));
    rc = HMF_ERR_MISMATCH;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        hmf__fail(rc, "open file %s: %s was a regular file, and is none here", o->name, r->path);
        goto close_it;
    }
    if (st.st_size < r->offset) {
        hmf__fail(rc, "open file %s: %s has %lld bytes here, but was read or written up to "
                  "byte %lld: is it the same file?", o->name, r->path, (long long)st.st_size,
                  (long long)r->offset);
        goto close_it;
    }
    rc = HMF_ERR_IO;
    if (o->own && cut && mode->flags != O_RDONLY && st.st_size > r->offset &&
        ftruncate(fd, r->offset)) {
        hmf__fail(rc, "open file %s: %s cannot be cut off at byte %lld: %s", o->name, r->path,
                  (long long)r->offset, strerror(errno));
        goto close_it;
    }
    if (fcntl(fd, F_SETFL, mode->flags & O_APPEND) || lseek(fd, r->offset, SEEK_SET) < 0 ||
        (o->file && !(f = fdopen(fd, mode->text))) || (f && fseeko(f, r->offset, SEEK_SET))) {
        hmf__fail(rc, "open file %s: %s cannot be put at byte %lld: %s", o->name, r->path,
                  (long long)r->offset, strerror(errno));
        goto close_it;
    }
    if (o->file)
        *o->file = f;
    else
        *o->fd = fd;
    return HMF_OK;
close_it:
    if (f)
        fclose(f);
    else
        close(fd);
    return rc;
}

/* ---- the variables ---- */

static void drop(struct hmf__keeper *k)
{
    struct openfile *o = (struct openfile *)k;

    hmf__free(o->name);
    hmf__free(o);
}

/* Both would have a FILE, and a buffer, of their own afterwards. */
static hmf_status_t shared(const struct openfile *o, const hmf_state_t *state)
{
    for (const struct hmf__keeper *k = state->keepers; k; k = k->next) {
        const struct openfile *other = (const struct openfile *)k;
        if (k->before == record && other != o && other->file && *other->file == *o->file)
            return hmf__fail(HMF_ERR_UNSUPPORTED, "open files %s and %s are the same stream: "
                             "track it once", o->name, other->name);
    }
    return HMF_OK;
}

hmf_status_t hmf__openfile_add(hmf_state_t *state, const char *name, FILE **file, int *fd)
{
    static const char *const fields[] = {"path", "mode", "offset", NULL};
    struct openfile *o;
    hmf_status_t rc;

    if (!name || !(file ? (void *)file : (void *)fd))
        return hmf__fail(HMF_ERR_ARG, "an open file needs a name and the address of its variable");
    for (const struct hmf__keeper *k = state->keepers; k; k = k->next) {
        const struct openfile *other = (const struct openfile *)k;
        if (k->before == record && other->file == file && other->fd == fd)
            return hmf__fail(HMF_ERR_NAME, "open file %s is tracked already, as %s", name,
                             other->name);
    }
    if (!(o = hmf__calloc(1, sizeof *o)) || !(o->name = hmf__strdup(name))) {
        hmf__free(o);
        return hmf__fail(HMF_ERR_NOMEM, "no memory to track the open file %s", name);
    }
    o->file = file;
    o->fd = fd;
    o->keeper = (struct hmf__keeper){.before = record, .after = open_again, .drop = drop};
    rc = hmf_state_add(state, name, &o->record, sizeof o->record, hmf__openfile_type,
                       HMF__OPENFILE_INTS, fields);
    if (rc != HMF_OK) {
        drop(&o->keeper);
        return rc;
    }
    struct hmf__keeper **at = &state->keepers;
    while (*at)
        at = &(*at)->next;
    *at = &o->keeper;
    return HMF_OK;
}

hmf_status_t hmf__openfile_own(hmf_state_t *state, const char *name)
{
    for (struct hmf__keeper *k = state->keepers; k; k = k->next) {
        struct openfile *o = (struct openfile *)k;
        if (k->before == record && name && !strcmp(o->name, name)) {
            o->own = true;
            return HMF_OK;
        }
    }
    return hmf__fail(HMF_ERR_NOTFOUND, "no open file %s is tracked", name ? name : "(null)");
}

hmf_status_t hmf__openfile_remove(hmf_state_t *state, const char *name)
{
    for (struct hmf__keeper **at = &state->keepers; *at; at = &(*at)->next) {
        struct hmf__keeper *k = *at;
        struct openfile *o = (struct openfile *)k;
        if (k->before != record || !name || strcmp(o->name, name))
            continue;
        *at = k->next;
        hmf_state_remove_addr(state, &o->record);
        drop(k);
        return HMF_OK;
    }
    return hmf__fail(HMF_ERR_NOTFOUND, "no open file %s is tracked", name ? name : "(null)");
}
