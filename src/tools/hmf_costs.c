/* hmf costs: what is known of the cost of moves from earlier jobs, and the graph that follows for a job to come. Needs no
 * running job. */
#include "config.h"

#include "hmf_graph.h"

#include "costs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char hmf_costs_usage[] =
    "  costs [FILE]          what moves have cost (FILE: by default that of HMF_COSTS)\n"
    "      --graph HOST...  the graph of these hosts, as JSON, for a rank on the first of them, with\n"
    "      --program=P --ranks=N --bytes=B  and --step=MS from poll to poll\n";

struct options {
    char file[4096];
    int graph;
    const char *program;
    double ranks, bytes, step_ms;
    char **host;
    int nhosts;
};

static int failed(void)
{
    fprintf(stderr, "hmf: %s\n", hmf_error_text());
    return 1;
}

static int number(const char *word, const char *name, double *v)
{
    size_t n = strlen(name);
    char *end;

    if (strncmp(word, name, n))
        return 0;
    *v = strtod(word + n, &end);
    return word[n] && !*end && *v >= 0;
}

static int parse(int argc, char **argv, struct options *o)
{
    memset(o, 0, sizeof *o);
    o->program = "";
    o->ranks = 1;
    hmf__costs_path(o->file, sizeof o->file);
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--graph")) {
            o->graph = 1;
            o->host = argv + i + 1;
        } else if (!strncmp(argv[i], "--program=", 10)) {
            o->program = argv[i] + 10;
        } else if (number(argv[i], "--ranks=", &o->ranks) || number(argv[i], "--bytes=", &o->bytes) ||
                   number(argv[i], "--step=", &o->step_ms)) {
            continue;
        } else if (argv[i][0] == '-') {
            fprintf(stderr, "hmf: costs: what is \"%s\"? See hmf --help\n", argv[i]);
            return 2;
        } else if (o->graph) {
            o->nhosts++;
        } else {
            snprintf(o->file, sizeof o->file, "%s", argv[i]);
        }
    }
    if (o->graph && (o->nhosts < 2 || o->host + o->nhosts != argv + argc)) {
        fprintf(stderr, "hmf: costs --graph takes two hosts or more, behind everything else\n");
        return 2;
    }
    if (!o->file[0]) {
        fprintf(stderr, "hmf: costs: which file? HMF_COSTS names none\n");
        return 2;
    }
    return 0;
}

/* "KEY<TAB>TIME X:Y ...", as the file has them: a line of the table each. */
static void table(char *text)
{
    char *save = NULL;

    printf("%-56s %-16s  bytes: microseconds\n", "what", "last seen");
    for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        char *tab = strchr(l, '\t'), when[40];
        time_t t = tab ? (time_t)strtod(tab + 1, NULL) : 0;
        struct tm tm;
        if (!tab)
            continue;
        *tab = 0;
        strftime(when, sizeof when, "%Y-%m-%d %H:%M", localtime_r(&t, &tm));
        printf("%-56s %-16s %s\n", l, when, strchr(tab + 1, ' ') ? strchr(tab + 1, ' ') : "");
    }
}

/* All hosts with edges both ways.  What differs from edge to edge for one vertex is its last one's: so edges get their
 * sum as a weight. */
static hmf_status_t graph(const struct hmf__costs *c, const struct options *o, hmf_graph_t **out)
{
    struct hmf_process process;
    hmf_graph_t *g = NULL;
    hmf_status_t st = hmf_graph_new(&g);

    hmf_process_init(&process);
    process.state_bytes = hmf__costs_bytes(c, o->program, o->bytes);
    for (int h = 0; h < o->nhosts && !st; h++) {
        struct hmf_vertex v;
        hmf_vertex_init(&v);
        snprintf(v.name, sizeof v.name, "%s", o->host[h]);
        v.slots = h > 0;
        st = hmf_graph_add(g, &v, NULL);
    }
    for (int i = 0; i < o->nhosts; i++)
        for (int j = 0; j < o->nhosts && !st; j++) {
            struct hmf__costs_move m = {
                .program = o->program, .nranks = (int)o->ranks, .from = o->host[i], .to = o->host[j],
                .from_kind = "", .to_kind = "", .from_data = "", .to_data = "", .bytes = process.state_bytes,
                .step_us = o->step_ms * 1e3};
            struct hmf_edge e = hmf_edge_between((size_t)i, (size_t)j, 0);
            struct hmf__phases p;
            if (i == j)
                continue;
            hmf__costs_predict(c, &m, &p);
            e.weight_us = hmf__phases_total(&p);
            st = hmf_graph_connect(g, &e);
        }
    if (!st)
        st = hmf_graph_set_process(g, &process);
    if (st)
        hmf_graph_free(g);
    else
        *out = g;
    return st;
}

int hmf_costs_command(int argc, char **argv)
{
    struct hmf__buf text = HMF__BUF_INIT;
    struct hmf__costs *c;
    struct options o;
    hmf_graph_t *g = NULL;
    char *json = NULL;
    int rc = parse(argc, argv, &o);

    if (rc)
        return rc;
    c = hmf__costs_new();
    if (!c || hmf__costs_load(c, o.file, (double)time(NULL)) ||
        (o.graph && (graph(c, &o, &g) || hmf_graph_json(g, &json)))) {
        rc = failed();
    } else if (o.graph) {
        puts(json);
    } else {
        hmf__costs_put(c, &text);
        hmf__buf_put_u8(&text, 0);
        if (!text.status)
            table((char *)text.data);
    }
    hmf_graph_text_free(json);
    hmf_graph_free(g);
    hmf__buf_fini(&text);
    hmf__costs_free(c);
    return rc;
}
