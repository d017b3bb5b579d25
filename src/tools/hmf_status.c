/* hmf status: who is where, as a table that can stay on the screen, as JSON, or in the text format that Prometheus
 * reads (https://prometheus.io/docs/instrumenting/exposition_formats/). */
#include "config.h"

#include "hmf_job.h"
#include "hmf_line.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum form { TABLE, JSON, PROMETHEUS };

/* Walks over the lines of an answer. */
static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end && end[1] ? end + 1 : NULL;
}

static bool begins(const char *line, const char *word)
{
    size_t n = strlen(word);

    return !strncmp(line, word, n) && line[n] == ' ';
}

static double number(const char *line, const char *key)
{
    char text[40];

    return strtod(hmf_line_word(line, key, text, sizeof text), NULL);
}

/* ---- table -------------------- */

/* The widest word behind `key` in the lines that begin with `word`. */
static int widest(const char *text, const char *word, const char *key, int least)
{
    char is[100];

    for (const char *l = text; l; l = next_line(l)) {
        int n = begins(l, word) ? (int)strlen(hmf_line_word(l, key, is, sizeof is)) : 0;
        least = n > least ? n : least;
    }
    return least;
}

/* A number of the line in a column, or "-" if it is not there. */
static void column(const char *line, const char *key, int width, int digits, double scale)
{
    char is[40];

    if (hmf_line_word(line, key, is, sizeof is)[0] && strtod(is, NULL) >= 0)
        printf("  %*.*f", width, digits, strtod(is, NULL) * scale);
    else
        printf("  %*s", width, "-");
}

static void print_rank(const char *line, int rank_wide, int node_wide)
{
    char rank[16], node[80], state[16];

    printf("%*s  %-*s  %-7s", rank_wide, hmf_line_word(line, "rank", rank, sizeof rank), node_wide,
           hmf_line_word(line, "node", node, sizeof node), hmf_line_word(line, "state", state, sizeof state));
    if (number(line, "step_ms") > 0)
        column(line, "step_ms", 10, 3, 1);
    else
        printf("  %10s", "-");
    column(line, "weight", 6, 2, 1);
    column(line, "memory_kib", 10, 1, 1. / 1024);
    column(line, "polls", 10, 0, 1);
    column(line, "process", 7, 0, 1);
    column(line, "pid", 7, 0, 1);
    column(line, "age_s", 5, 0, 1);
    putchar('\n');
}

static void table(const char *text)
{
    int rank_wide = widest(text, "rank", "rank", 4), node_wide = widest(text, "rank", "node", 4), n, ranks, processes;
    bool ranks_head = false, spares_head = false;
    char job[80], phase[40], node[80], rest[60];

    node_wide = widest(text, "spare", "node", node_wide);
    for (const char *l = text; l; l = next_line(l)) {
        if (sscanf(l, "job %79s ranks %d processes %d %39s", job, &ranks, &processes, phase) == 4) {
            printf("%s: %d ranks in %d processes, %s", job, ranks, processes, phase);
            for (const char *t = text; t; t = next_line(t))
                if (begins(t, "totals"))
                    printf("; %.0f moves, %.0f undone or refused, %.1f MiB moved; %.0f checkpoints; %.0f s",
                           number(t, "moves"), number(t, "stays"), number(t, "bytes") / 1048576,
                           number(t, "checkpoints"), number(t, "running_s"));
            putchar('\n');
        } else if (begins(l, "rank")) {
            if (!ranks_head)
                printf("%*s  %-*s  %-7s  %10s  %6s  %10s  %10s  %7s  %7s  %5s\n", rank_wide, "RANK", node_wide, "NODE", "STATE",
                       "STEP ms", "WEIGHT", "MEMORY MiB", "POLLS", "PROCESS", "PID", "HEARD");
            ranks_head = true;
            print_rank(l, rank_wide, node_wide);
        } else if (sscanf(l, "spare node %79s process %d pid %d %59[^\n]", node, &n, &processes, rest) == 4) {
            if (!spares_head)
                printf("%*s  %-*s  %-12s  %7s  %7s\n", rank_wide, "", node_wide, "SPARE", "STATE", "PROCESS", "PID");
            spares_head = true;
            printf("%*s  %-*s  %-12s  %7d  %7d\n", rank_wide, "", node_wide, node, rest, n, processes);
        }
    }
}

/* ---- JSON -------------------- */

/* The words of a line as members, from the key on; what is no number is a text. */
static void members(const char *line)
{
    char key[40], value[100], *end;
    int used, first = 1;

    while (sscanf(line, " %39[^ \n] %99[^ \n]%n", key, value, &used) == 2) {
        double v = strtod(value, &end);
        if (end > value && !*end && isfinite(v))
            printf("%s\"%s\": %s", first ? "" : ", ", key, value);
        else
            printf("%s\"%s\": \"%s\"", first ? "" : ", ", key, value);
        first = 0;
        line += used;
        if (*line == '\n')
            break;
    }
}

static void list(const char *text, const char *word, const char *name, size_t skip)
{
    const char *sep = "";

    printf("  \"%s\": [", name);
    for (const char *l = text; l; l = next_line(l))
        if (begins(l, word)) {
            printf("%s\n    {", sep);
            members(l + skip);
            putchar('}');
            sep = ",";
        }
    printf("%s]", *sep ? "\n  " : "");
}

static void json(const char *text)
{
    char job[80] = "", phase[40] = "";
    const char *l;

    sscanf(text, "job %79s ranks %*d processes %*d %39s", job, phase);
    printf("{\n  \"job\": \"%s\", \"phase\": \"%s\",\n", job, phase);
    list(text, "rank", "ranks", 0);
    printf(",\n  \"spares\": [");
    const char *sep = "";
    for (l = text; l; l = next_line(l)) {
        char node[80], state[20] = "", drained[20] = "";
        int process, pid;
        if (sscanf(l, "spare node %79s process %d pid %d %19s%*[ ]%19[a-z]", node, &process, &pid, state, drained) < 4)
            continue;
        printf("%s\n    {\"node\": \"%s\", \"process\": %d, \"pid\": %d, \"state\": \"%s\", \"drained\": %s}", sep, node,
               process, pid, state, drained[0] ? "true" : "false");
        sep = ",";
    }
    printf("%s],\n  \"totals\": {", *sep ? "\n  " : "");
    for (l = text; l; l = next_line(l))
        if (begins(l, "totals"))
            members(l + strlen("totals"));
    printf("}\n}\n");
}

/* ---- Prometheus -------------------- */

static void metric(const char *text, const char *job, const char *name, const char *type, const char *help,
                   const char *key, double scale)
{
    char rank[16], node[80], value[40];

    printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    for (const char *l = text; l; l = next_line(l))
        if (begins(l, "rank") && hmf_line_word(l, key, value, sizeof value)[0])
            printf("%s{job=\"%s\",rank=\"%s\",node=\"%s\"} %.9g\n", name, job, hmf_line_word(l, "rank", rank, sizeof rank),
                   hmf_line_word(l, "node", node, sizeof node), strtod(value, NULL) * scale);
}

static void prometheus(const char *text)
{
    static const struct { const char *key, *name, *type, *help; } total[] = {
        {"moves", "hmf_moves_total", "counter", "Ranks that were moved."},
        {"stays", "hmf_moves_undone_total", "counter", "Moves that were refused or undone."},
        {"bytes", "hmf_moved_bytes_total", "counter", "State of ranks that was moved."},
        {"moving_s", "hmf_moving_seconds_total", "counter", "Time that moves took, each counted."},
        {"checkpoints", "hmf_checkpoints_total", "counter", "Checkpoints that were taken."},
        {"failed_checkpoints", "hmf_checkpoints_failed_total", "counter", "Checkpoints that were not."},
        {"holding_s", "hmf_checkpoint_seconds_total", "counter", "Time that checkpoints held the job."},
        {"running_s", "hmf_running_seconds", "gauge", "Since the job began."},
    };
    static const char *const state[] = {"free", "promised", "left", "gone"};
    char job[80] = "job";

    sscanf(text, "job %79s", job);
    metric(text, job, "hmf_rank_polls_total", "counter", "Calls of auto_poll.", "polls", 1);
    metric(text, job, "hmf_rank_step_seconds", "gauge", "Mean time from poll to poll.", "step_ms", 1e-3);
    metric(text, job, "hmf_rank_memory_bytes", "gauge", "Resident memory of the rank's process.", "memory_kib", 1024);
    metric(text, job, "hmf_rank_heard_seconds", "gauge", "Age of the rank's last heartbeat.", "age_s", 1);
    printf("# HELP hmf_spares Processes that hold no rank, by state.\n# TYPE hmf_spares gauge\n");
    for (int i = 0; i < 4; i++) {
        int n = 0;
        for (const char *l = text; l; l = next_line(l)) {
            char is[20] = "";
            n += sscanf(l, "spare node %*s process %*d pid %*d %19s", is) == 1 && !strcmp(is, state[i]);
        }
        printf("hmf_spares{job=\"%s\",state=\"%s\"} %d\n", job, state[i], n);
    }
    for (const char *l = text; l; l = next_line(l))
        for (size_t i = 0; begins(l, "totals") && i < sizeof total / sizeof *total; i++)
            printf("# HELP %s %s\n# TYPE %s %s\n%s{job=\"%s\"} %.9g\n", total[i].name, total[i].help, total[i].name,
                   total[i].type, total[i].name, job, number(l, total[i].key));
}

int hmf_status_command(const char *job, int argc, char **argv)
{
    enum form form = TABLE;
    double every = 0;
    bool first = true;
    char *text, *end;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json")) {
            form = JSON;
        } else if (!strcmp(argv[i], "--prometheus")) {
            form = PROMETHEUS;
        } else if (!strcmp(argv[i], "--watch")) {
            every = 2;
        } else if (!strncmp(argv[i], "--watch=", 8)) {
            every = strtod(argv[i] + 8, &end);
            if (*end || !(every >= 0.1 && every <= 86400))
                return hmf_misused("'%s' is not a time in seconds", argv[i] + 8);
        } else {
            return hmf_misused("status takes no further words but --watch[=S], --json, --prometheus, so not '%s'", argv[i]);
        }
    }
    for (;; first = false) {
        int fd = hmf_job_find(job);
        if (fd < 0)
            return first ? 1 : 0;          /* who watches to the end has seen it */
        text = hmf_job_ask(fd, "status\n");
        close(fd);
        if (!text)
            return 1;
        if (every > 0 && isatty(STDOUT_FILENO))
            fputs("\033[H\033[2J", stdout);
        (form == JSON ? json : form == PROMETHEUS ? prometheus : table)(text);
        fflush(stdout);
        free(text);
        if (!(every > 0) || ferror(stdout))
            return 0;
        nanosleep(&(struct timespec){(time_t)every, (long)((every - (double)(time_t)every) * 1e9)}, NULL);
    }
}
