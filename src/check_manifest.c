/*
 * Writes and reads manifests; see check_manifest.h.
 */
#include "config.h"

#include "check_manifest.h"

#include "base.h"
#include "check_sys.h"
#include "hmf/version.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MANIFEST_MAX (1u << 30)
#define LAST_LINE 16                    /* "crc32c 01234567\n" */

/* Appends formatted text; the buffer remembers a lack of memory. */
__attribute__((format(printf, 2, 3)))
static void put(struct hmf__buf *b, const char *fmt, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    hmf__buf_put_bytes(b, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

/* The node that has a copy of that part, NULL: none has. */
static const char *copy_of(const struct hmf__manifest *m, int rank)
{
    return m->partners != NULL && m->partners[rank] >= 0 ? m->nodes[m->partners[rank]] : NULL;
}

static hmf_status_t write_bytes(const char *path, const unsigned char *bytes, size_t n)
{
    const char *what = "create";
    int fd = hmf__sys_open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (fd < 0)
        goto failed;
    what = "write";
    if (hmf__sys_pwrite(fd, bytes, n, 0) != 0)
        goto close_fd;
    what = "sync";
    if (hmf__sys_fsync(fd) != 0)
        goto close_fd;
    if (close(fd) == 0)
        return HMF_OK;
    goto failed;

close_fd:;
    int saved = errno;
    close(fd);
    errno = saved;
failed:
    return hmf__fail(HMF_ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

hmf_status_t hmf__manifest_write(const char *dir, const struct hmf__manifest *m)
{
    struct hmf__buf b = HMF__BUF_INIT;
    hmf__buf_init(&b);
    put(&b, "hmf-checkpoint 1\nprogram ");
    for (const unsigned char *c = (const unsigned char *)m->program; *c != '\0'; c++)
        put(&b, *c < 0x20 || *c == 0x7f || *c == '%' ? "%%%02x" : "%c", *c);
    char now_text[32] = "unknown";
    time_t now = time(NULL);
    struct tm tm;
    if (gmtime_r(&now, &tm) != NULL)
        strftime(now_text, sizeof now_text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    put(&b, "\nlibrary %s\ngeneration %" PRIu64 "\nranks %d\ntime %s\n", hmf_version(),
        m->generation,
        m->nranks, now_text);
    if (m->nodes != NULL)
        put(&b, "level %s\n", hmf__level_name(m->level));
    for (int i = 0; i < m->nranks; i++)
        put(&b, "part %d %" PRIu64 " %08" PRIx32 " rank-%05d.h5%s%s%s%s\n", i, m->seals[i].bytes,
            m->seals[i].seal, i, m->nodes != NULL ? " " : "",
            m->nodes != NULL ? m->nodes[i] : "", copy_of(m, i) != NULL ? " " : "",
            copy_of(m, i) != NULL ? copy_of(m, i) : "");
    if (m->global.bytes != 0)
        put(&b, "global %" PRIu64 " %08" PRIx32 " global.h5\n", m->global.bytes, m->global.seal);
    if (b.status == HMF_OK)
        put(&b, "crc32c %08" PRIx32 "\n", hmf__crc32c(0, b.data, b.len));

    hmf_status_t rc;
    size_t n = strlen(dir) + sizeof "/" HMF__MANIFEST_NAME;
    char *path = hmf__malloc(n);
    if (b.status != HMF_OK || path == NULL) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to write the manifest of %s", dir);
    } else {
        snprintf(path, n, "%s/" HMF__MANIFEST_NAME, dir);
        rc = write_bytes(path, b.data, b.len);
    }
    hmf__free(path);
    hmf__buf_fini(&b);
    return rc;
}

/* The whole file as text with a NUL behind it. */
static hmf_status_t read_text(const char *path, char **out, size_t *len)
{
    struct stat st;
    hmf_status_t rc = HMF_OK;
    char *text = NULL;
    int fd = hmf__sys_open(path, O_RDONLY, 0);
    if (fd < 0)
        return hmf__fail(errno == ENOENT || errno == ENOTDIR ? HMF_ERR_NOTFOUND : HMF_ERR_IO,
                         "cannot open %s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0) {
        rc = hmf__fail(HMF_ERR_IO, "cannot read %s: %s", path, strerror(errno));
        goto close_fd;
    }
    if (!S_ISREG(st.st_mode) || st.st_size <= LAST_LINE || st.st_size > MANIFEST_MAX) {
        rc = hmf__fail(HMF_ERR_FORMAT, "%s is no manifest: it has %lld bytes", path,
                       (long long)st.st_size);
        goto close_fd;
    }
    text = hmf__malloc((size_t)st.st_size + 1);
    if (text == NULL) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to read %s", path);
        goto close_fd;
    }
    if (hmf__sys_pread(fd, text, (size_t)st.st_size, 0) != 0) {
        rc = hmf__fail(HMF_ERR_IO, "cannot read %s: %s", path, strerror(errno));
        hmf__free(text);
        goto close_fd;
    }
    text[st.st_size] = '\0';
    *out = text;
    *len = (size_t)st.st_size;

close_fd:
    close(fd);
    return rc;
}

/* The rest of the line after "key ", and *text behind that line. NULL if the line is another. */
static char *value_of(char **text, const char *key)
{
    size_t n = strlen(key);
    char *line = *text, *end = strchr(line, '\n');
    if (end == NULL || strncmp(line, key, n) != 0 || line[n] != ' ')
        return NULL;
    *end = '\0';
    *text = end + 1;
    return line + n + 1;
}

static bool number_of(const char *s, int base, uint64_t max, uint64_t *out, const char **end)
{
    char *e;
    errno = 0;
    if (!((*s >= '0' && *s <= '9') || (base == 16 && *s >= 'a' && *s <= 'f')))
        return false;
    unsigned long long v = strtoull(s, &e, base);
    if (errno != 0 || v > max)
        return false;
    *out = v;
    *end = e;
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void decode(char *s)
{
    char *to = s;
    for (; *s != '\0'; s++) {
        if (*s == '%' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
            *to++ = (char)(hex_digit(s[1]) * 16 + hex_digit(s[2]));
            s += 2;
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
}

static bool parse(char *text, struct hmf__manifest *m, bool *no_memory)
{
    uint64_t n;
    const char *end, *v = value_of(&text, "hmf-checkpoint");
    char *program = value_of(&text, "program");
    if (v == NULL || program == NULL)
        return false;
    decode(program);
    m->program = hmf__strdup(program);
    if (m->program == NULL) {
        *no_memory = true;
        return false;
    }
    if ((v = value_of(&text, "library")) == NULL)
        return false;
    snprintf(m->library, sizeof m->library, "%s", v);
    if ((v = value_of(&text, "generation")) == NULL
        || !number_of(v, 10, UINT64_MAX, &m->generation, &end) || *end != '\0')
        return false;
    /* Each part has a line of more than 20 characters: no count beyond the text is believed. */
    if ((v = value_of(&text, "ranks")) == NULL || !number_of(v, 10, INT32_MAX, &n, &end)
        || *end != '\0' || n == 0 || n > MANIFEST_MAX / 20)
        return false;
    m->nranks = (int)n;
    if ((v = value_of(&text, "time")) == NULL)
        return false;
    snprintf(m->time, sizeof m->time, "%s", v);
    m->level = HMF__LEVEL_SHARED;
    if ((v = value_of(&text, "level")) != NULL) {
        m->level = strcmp(v, "local") == 0 ? HMF__LEVEL_LOCAL : HMF__LEVEL_PARTNER;
        if (strcmp(v, hmf__level_name(m->level)) != 0)
            return false;
    }
    if (strlen(text) / 20 < n)
        return false;
    if (m->level != HMF__LEVEL_SHARED) {
        m->nodes = hmf__calloc((size_t)n, sizeof(*m->nodes));
        m->copies = hmf__calloc((size_t)n, sizeof(*m->copies));
        if (m->nodes == NULL || m->copies == NULL) {
            *no_memory = true;
            return false;
        }
    }
    m->seals = hmf__calloc((size_t)n, sizeof(*m->seals));
    if (m->seals == NULL) {
        *no_memory = true;
        return false;
    }
    for (int i = 0; i < m->nranks; i++) {
        uint64_t rank, seal;
        if ((v = value_of(&text, "part")) == NULL
            || !number_of(v, 10, INT32_MAX, &rank, &end) || rank != (uint64_t)i || *end != ' '
            || !number_of(end + 1, 10, INT64_MAX, &m->seals[i].bytes, &end) || *end != ' '
            || !number_of(end + 1, 16, UINT32_MAX, &seal, &end) || *end != ' ')
            return false;
        m->seals[i].seal = (uint32_t)seal;
        if (m->nodes != NULL
            && sscanf(end + 1, "%*s %63s %63s", m->nodes[i], m->copies[i])
                   < 1 + (m->level == HMF__LEVEL_PARTNER && m->nranks > 1))
            return false;
    }
    if ((v = value_of(&text, "global")) != NULL) {
        uint64_t seal;
        if (!number_of(v, 10, INT64_MAX, &m->global.bytes, &end) || *end != ' '
            || !number_of(end + 1, 16, UINT32_MAX, &seal, &end) || *end != ' ')
            return false;
        m->global.seal = (uint32_t)seal;
    }
    return strncmp(text, "crc32c ", 7) == 0;
}

hmf_status_t hmf__manifest_read(const char *dir, struct hmf__manifest **out)
{
    char *text = NULL;
    size_t len = 0;
    bool no_memory = false;
    struct hmf__manifest *m = hmf__calloc(1, sizeof(*m));
    size_t n = strlen(dir) + sizeof "/" HMF__MANIFEST_NAME;
    char *path = hmf__malloc(n);
    hmf_status_t rc = HMF_ERR_NOMEM;
    if (m == NULL || path == NULL) {
        hmf__fail(rc, "no memory to read the manifest of %s", dir);
        goto free_manifest;
    }
    snprintf(path, n, "%s/" HMF__MANIFEST_NAME, dir);
    rc = read_text(path, &text, &len);
    if (rc != HMF_OK)
        goto free_manifest;
    const char *last = text + len - LAST_LINE;
    char last_line[LAST_LINE + 1];
    snprintf(last_line, sizeof last_line, "crc32c %08" PRIx32 "\n",
             hmf__crc32c(0, text, len - LAST_LINE));
    if (strncmp(text, "hmf-checkpoint ", 15) != 0) {
        rc = hmf__fail(HMF_ERR_FORMAT, "%s is no manifest of a checkpoint", path);
    } else if (last[-1] != '\n' || memcmp(last, last_line, LAST_LINE) != 0) {
        rc = hmf__fail(HMF_ERR_CHECKSUM, "%s is damaged: its checksum does not agree", path);
    } else if (strncmp(text + 15, "1\n", 2) != 0) {
        rc = hmf__fail(HMF_ERR_VERSION, "%s has a format version that this library does not know: "
                       "use the library version that wrote it", path);
    } else if (!parse(text, m, &no_memory)) {
        rc = no_memory ? hmf__fail(HMF_ERR_NOMEM, "no memory to read %s", path)
                       : hmf__fail(HMF_ERR_FORMAT, "%s makes no sense as a manifest", path);
    } else {
        hmf__free(text);
        hmf__free(path);
        *out = m;
        return HMF_OK;
    }

free_manifest:
    hmf__free(text);
    hmf__free(path);
    hmf__manifest_free(m);
    return rc;
}

void hmf__manifest_free(struct hmf__manifest *m)
{
    if (m == NULL)
        return;
    hmf__free(m->program);
    hmf__free(m->seals);
    hmf__free(m->nodes);
    hmf__free(m->copies);
    hmf__free(m);
}
