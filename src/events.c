/* events.c - what happens to a job, as lines of JSON (see events.h). */
#include "config.h"

#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RECENT 256              /* lines kept in memory */
#define LINE_MAX_BYTES 65536    /* a list of very many ranks is cut */

struct hmf__events {
    char *program, *file;
    uint64_t id;
    size_t limit;
    bool failed;                /* has been logged */
    struct hmf__buf line;
    char *recent[RECENT];       /* ring; `next` is the oldest */
    unsigned next;
};

struct hmf__events *hmf__events_new(const char *program, uint64_t id)
{
    struct hmf__events *e = hmf__calloc(1, sizeof *e);
    const char *file = NULL;

    if (!e)
        return NULL;
    hmf__param_string("HMF_EVENTS", NULL, &file);
    if (hmf__param_size("HMF_EVENTS_SIZE", 4096, SIZE_MAX, (size_t)16 << 20, &e->limit)) {
        hmf__log(HMF__LOG_ERROR, "%s: taking 16M", hmf_error_text());
        e->limit = (size_t)16 << 20;
    }
    e->program = hmf__strdup(program);
    e->file = file ? hmf__strdup(file) : NULL;
    e->id = id;
    if (!e->program || (file && !e->file)) {
        hmf__events_free(e);
        return NULL;
    }
    return e;
}

void hmf__events_free(struct hmf__events *e)
{
    if (!e)
        return;
    for (int i = 0; i < RECENT; i++)
        hmf__free(e->recent[i]);
    hmf__buf_fini(&e->line);
    hmf__free(e->program);
    hmf__free(e->file);
    hmf__free(e);
}

/* ---- a line -------------------- */

static void put(struct hmf__events *e, const char *text)
{
    hmf__buf_put_bytes(&e->line, text, strlen(text));
}

static void put_text(struct hmf__events *e, const char *text)
{
    char code[8];

    put(e, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            snprintf(code, sizeof code, "\\%c", *p);
        else if (*p < 0x20 || *p >= 0x7f)  /* host names and our own texts are plain ASCII */
            snprintf(code, sizeof code, "\\u%04x", *p);
        else
            snprintf(code, sizeof code, "%c", *p);
        put(e, code);
    }
    put(e, "\"");
}

static bool put_key(struct hmf__events *e, const char *key)
{
    if (!e || e->line.len > LINE_MAX_BYTES)
        return false;
    if (e->line.len > 1)
        put(e, ",");
    put_text(e, key);
    put(e, ":");
    return true;
}

void hmf__events_int(struct hmf__events *e, const char *key, int64_t value)
{
    char text[32];

    if (!put_key(e, key))
        return;
    snprintf(text, sizeof text, "%lld", (long long)value);
    put(e, text);
}

void hmf__events_real(struct hmf__events *e, const char *key, double value)
{
    char text[40];

    if (!put_key(e, key))
        return;
    snprintf(text, sizeof text, isfinite(value) ? "%.6f" : "null", value);
    put(e, text);
}

void hmf__events_text(struct hmf__events *e, const char *key, const char *value)
{
    if (put_key(e, key))
        put_text(e, value);
}

void hmf__events_texts(struct hmf__events *e, const char *key, const char *const *value, int n)
{
    if (!put_key(e, key))
        return;
    for (int i = 0; i < n; i++) {
        put(e, i ? "," : "[");
        put_text(e, value[i]);
    }
    put(e, n ? "]" : "[]");
}

void hmf__events_ints(struct hmf__events *e, const char *key, const int *value, int n)
{
    char text[16];

    if (!put_key(e, key))
        return;
    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%s%d", i ? "," : "[", value[i]);
        put(e, text);
    }
    put(e, n ? "]" : "[]");
}

void hmf__events_reals(struct hmf__events *e, const char *key, const double *value, int n)
{
    char text[32];

    if (!put_key(e, key))
        return;
    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text, isfinite(value[i]) ? "%s%.4f" : "%snull", i ? "," : "[", value[i]);
        put(e, text);
    }
    put(e, n ? "]" : "[]");
}

void hmf__events_begin(struct hmf__events *e, const char *event)
{
    struct timespec now;
    char id[20];

    if (!e)
        return;
    hmf__buf_clear(&e->line);
    e->line.status = HMF_OK;
    clock_gettime(CLOCK_REALTIME, &now);
    put(e, "{");
    hmf__events_int(e, "v", 1);
    hmf__events_real(e, "time", (double)now.tv_sec + (double)now.tv_nsec * 1e-9);
    hmf__events_text(e, "job", e->program);
    snprintf(id, sizeof id, "%016llx", (unsigned long long)e->id);
    hmf__events_text(e, "run", id);
    hmf__events_text(e, "event", event);
}

/* ---- the file -------------------- */

static void rotate(const struct hmf__events *e)
{
    size_t len = strlen(e->file) + 3;
    char *older = hmf__malloc(len), *oldest = hmf__malloc(len);

    if (older && oldest) {
        snprintf(older, len, "%s.1", e->file);
        snprintf(oldest, len, "%s.2", e->file);
        rename(older, oldest);
        rename(e->file, older);
    }
    hmf__free(older);
    hmf__free(oldest);
}

/* Opened for each line: events are rare, and whoever is the coordinator next finds it closed. */
static int append(struct hmf__events *e)
{
    struct stat st;
    ssize_t n;
    int fd;

    if (!stat(e->file, &st) && (size_t)st.st_size + e->line.len > e->limit)
        rotate(e);
    fd = open(e->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
    if (fd < 0)
        return -1;
    n = write(fd, e->line.data, e->line.len);
    if (n >= 0 && (size_t)n < e->line.len)
        errno = ENOSPC;
    if (close(fd))
        return -1;
    return n == (ssize_t)e->line.len ? 0 : -1;
}

bool hmf__events_to_file(const struct hmf__events *e)
{
    return e && e->file;
}

static void to_file(struct hmf__events *e)
{
    if (!e->file || !append(e) || e->failed)
        return;
    e->failed = true;
    hmf__log(HMF__LOG_WARN, "events are lost: %s cannot be written (%s); HMF_EVENTS names the file", e->file,
             strerror(errno));
}

void hmf__events_end_often(struct hmf__events *e)
{
    if (!e)
        return;
    put(e, "}\n");
    if (!e->line.status)
        to_file(e);
}

void hmf__events_end(struct hmf__events *e)
{
    char *copy;

    if (!e)
        return;
    put(e, "}\n");
    if (e->line.status)
        return;
    copy = hmf__malloc(e->line.len + 1);
    if (copy) {
        memcpy(copy, e->line.data, e->line.len);
        copy[e->line.len] = 0;
        hmf__free(e->recent[e->next]);
        e->recent[e->next] = copy;
        e->next = (e->next + 1) % RECENT;
    }
    to_file(e);
}

void hmf__events_recent(const struct hmf__events *e, int n, struct hmf__buf *out)
{
    if (!e)
        return;
    for (unsigned i = 0; i < RECENT; i++) {
        const char *line = e->recent[(e->next + i) % RECENT];
        if (line && (int)(RECENT - i) <= n)
            hmf__buf_put_bytes(out, line, strlen(line));
    }
}
