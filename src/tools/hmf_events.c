/* hmf events, hmf explain: what happened to a job, from the job itself or from the file of its events. */
#include "config.h"

#include "hmf_job.h"
#include "hmf_line.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Appends a file to the text; 0: it is not there. */
static int append(char **text, size_t *len, const char *path)
{
    FILE *f = fopen(path, "re");
    size_t n;

    if (!f)
        return 0;
    for (;;) {
        char *more = realloc(*text, *len + 65536 + 1);
        if (!more)
            break;
        *text = more;
        n = fread(*text + *len, 1, 65536, f);
        *len += n;
        (*text)[*len] = 0;
        if (!n)
            break;
    }
    fclose(f);
    return 1;
}

char *hmf_events_text(const char *job, const char *file)
{
    char older[PATH_MAX], *text = NULL;
    size_t len = 0;

    if (!file)
        return hmf_job_question(job, "events 100000\n");
    for (int k = 2; k > 0; k--)
        if (snprintf(older, sizeof older, "%s.%d", file, k) < (int)sizeof older)
            append(&text, &len, older);
    if (append(&text, &len, file) && len && text[0] == '{')
        return text;
    fprintf(stderr, "hmf: %s: %s\n", file, !len ? "no events are there" : text[0] != '{' ? "this file holds no events" : strerror(errno));
    free(text);
    return NULL;
}

/* "--file=FILE", "--json", and at most one further word; 2: wrong. */
static int parse(int argc, char **argv, const char **file, const char **word, int *json)
{
    *file = *word = NULL;
    *json = 0;
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "--file=", 7))
            *file = argv[i] + 7;
        else if (!strcmp(argv[i], "--json"))
            *json = 1;
        else if (!*word && argv[i][0] != '-')
            *word = argv[i];
        else
            return hmf_misused("what is '%s'", argv[i]);
    }
    return 0;
}

/* A number from 0 on, or -1. */
static long whole(const char *word)
{
    char *end;
    long v = strtol(word, &end, 10);

    return *end || end == word || v < 0 ? -1 : v;
}

int hmf_events_command(const char *job, int argc, char **argv)
{
    const char *file, *word, *p;
    char *text;
    long n = 20;
    int json;                              /* they are anyway */

    if (parse(argc, argv, &file, &word, &json))
        return 2;
    if (word && (n = whole(word)) < 1)
        return hmf_misused("'%s' is not a number of lines", word);
    text = hmf_events_text(job, file);
    if (!text)
        return 1;
    p = text + strlen(text);
    for (long k = 0; p > text; p--)
        if (p[-1] == '\n' && k++ == n)
            break;
    fputs(p, stdout);
    free(text);
    return 0;
}

/* ---- in words -------------------- */

static void when(const char *line)
{
    double t = hmf_line_number(line, "time");
    time_t s = (time_t)t;
    struct tm tm;
    char text[32];

    localtime_r(&s, &tm);
    strftime(text, sizeof text, "%H:%M:%S", &tm);
    printf("%s.%03d  ", text, (int)((t - (double)s) * 1e3));
}

/* The fields from `after` on, as "key value". */
static void rest(const char *line, const char *after)
{
    const char *p = strstr(line, after);
    int quoted = 0;

    p = p ? p + strlen(after) + 1 : line;  /* and the quote behind it */
    for (p += *p == ','; *p && *p != '\n'; p++) {
        if (*p == '"' && p[-1] != '\\')
            quoted = !quoted;
        else if (*p == ':' && !quoted)
            putchar(' ');
        else if (*p == ',' && !quoted)
            fputs(", ", stdout);
        else if (*p != '}')
            putchar(*p);
    }
    putchar('\n');
}

static void in_words(const char *line)
{
    char event[24], from[80], to[80], by[24], why[500], phase[24];
    double mib = hmf_line_number(line, "bytes") / 1048576;
    int rank = (int)hmf_line_number(line, "rank");

    when(line);
    hmf_line_field(line, "event", event, sizeof event);
    hmf_line_field(line, "asked_by", by, sizeof by);
    hmf_line_field(line, "reason", why, sizeof why);
    if (!strcmp(event, "move")) {
        char predicted[40] = "";
        if (hmf_line_number(line, "predicted_us") > 0)
            snprintf(predicted, sizeof predicted, " (%.1f predicted)", hmf_line_number(line, "predicted_us") * 1e-3);
        printf("rank %d moved from %s to %s, asked by %s: %.1f ms%s (negotiation %.1f, stopping %.1f, messages to rest %.1f, "
               "communicators %.1f, start-up and state %.1f, commit %.1f), %.2f MiB\n", rank,
               hmf_line_field(line, "from", from, sizeof from), hmf_line_field(line, "to", to, sizeof to), by,
               hmf_line_number(line, "total_ms"), predicted, hmf_line_number(line, "negotiate_ms"), hmf_line_number(line, "stop_ms"),
               hmf_line_number(line, "drain_ms"), hmf_line_number(line, "join_ms"), hmf_line_number(line, "restore_ms"),
               hmf_line_number(line, "commit_ms"), mib);
    } else if (!strcmp(event, "stay")) {
        hmf_line_field(line, "to", to, sizeof to);
        printf("rank %d stays on %s, asked to move by %s, while %s%s%s: %s\n", rank,
               hmf_line_field(line, "node", from, sizeof from), by, hmf_line_field(line, "phase", phase, sizeof phase),
               to[0] ? " to " : "", to, why);
    } else if (!strcmp(event, "decision")) {
        printf("rank %d on %s: %s\n", rank, hmf_line_field(line, "node", from, sizeof from), why);
    } else if (!strcmp(event, "refused")) {
        printf("a request of user %.0f was refused: %s\n", hmf_line_number(line, "uid"), why);
    } else if (!strcmp(event, "policy")) {
        printf("policy %s decides from now on, instead of %s\n", hmf_line_field(line, "policy", from, sizeof from),
               hmf_line_field(line, "before", to, sizeof to));
    } else if (!strcmp(event, "checkpoint")) {
        printf("checkpoint, asked by %s: the job was held for %.1f ms\n", by, hmf_line_number(line, "total_ms"));
    } else if (!strcmp(event, "no-checkpoint")) {
        printf("no checkpoint, asked by %s: %s\n", by, why);
    } else if (!strcmp(event, "lost") || !strcmp(event, "silent") || !strcmp(event, "back")) {
        printf("rank %d on %s %s%s\n", rank, hmf_line_field(line, "node", from, sizeof from),
               !strcmp(event, "lost") ? "is lost: " : "", why);
    } else {
        printf("%s: ", event);
        rest(line, event);
    }
}

int hmf_explain_command(const char *job, int argc, char **argv)
{
    const char *file, *word;
    char *text, *line, *save = NULL, r[16], event[24];
    long rank = -1;
    int json;

    if (parse(argc, argv, &file, &word, &json))
        return 2;
    if (word && (rank = whole(word)) < 0)
        return hmf_misused("'%s' is not a rank", word);
    text = hmf_events_text(job, file);
    if (!text)
        return 1;
    for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (!strcmp(hmf_line_field(line, "event", event, sizeof event), "steps") ||
            (word && (!hmf_line_field(line, "rank", r, sizeof r)[0] || whole(r) != rank)))
            continue;
        if (json)
            puts(line);
        else
            in_words(line);
    }
    free(text);
    return 0;
}
