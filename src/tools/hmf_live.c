/* hmf graph of a running job: hosts, ranks, and what being elsewhere would cost each of them now, as a table, as JSON, for
 * Graphviz, or as a picture (SVG).  The job answers with lines (src/coord_view.c, src/decide.c); here they are read and drawn. */
#include "config.h"

#include "hmf_job.h"
#include "hmf_line.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct host { char name[80], note[120]; double weight, more, cores, running; int free, ranks; };
struct place { int rank, host; double move_ms, run_s, total_s; };
struct rank { char why[300]; int host; double weight, slow, step_ms; int stay, best; };   /* indices of places, -1 */

struct live {
    char job[80], policy[200];
    double remaining_s;
    struct host *host;
    struct rank *rank;
    struct place *place;
    int nhosts, nranks, nplaces;
};

/* ---- reading -------------------- */

static int host_of(const struct live *g, const char *name)
{
    for (int i = 0; i < g->nhosts; i++)
        if (!strcmp(g->host[i].name, name))
            return i;
    return -1;
}

static double word(const char *line, const char *key)
{
    char is[40];

    return strtod(hmf_line_word(line, key, is, sizeof is), NULL);
}

static void read_host(struct live *g, const char *line)
{
    struct host *h = &g->host[g->nhosts++];
    const char *comma = strchr(line, ',');

    hmf_line_word(line, "host", h->name, sizeof h->name);
    h->weight = word(line, "weight");
    h->more = word(line, "more");
    h->free = (int)word(line, "free");
    h->cores = word(line, "cores");
    h->running = word(line, "running");
    if (comma)
        snprintf(h->note, sizeof h->note, "%s", comma + 2);
}

static void read_rank(struct live *g, const char *line)
{
    char node[80];
    const char *colon = strstr(line, ": ");
    struct rank *r = &g->rank[g->nranks++];

    r->host = host_of(g, hmf_line_word(line, "node", node, sizeof node));
    r->weight = word(line, "weight");
    r->slow = word(line, "slow");
    r->step_ms = word(line, "iteration");
    r->stay = r->best = -1;
    if (colon)
        snprintf(r->why, sizeof r->why, "%s", colon + 2);
    if (r->host >= 0)
        g->host[r->host].ranks++;
}

static void read_place(struct live *g, const char *line)
{
    struct place *p = &g->place[g->nplaces];
    char name[80];

    if (sscanf(line, "place %d %79s move_ms %lf run_s %lf total_s %lf", &p->rank, name, &p->move_ms, &p->run_s,
               &p->total_s) != 5 || p->rank < 0 || p->rank >= g->nranks || (p->host = host_of(g, name)) < 0)
        return;
    struct rank *r = &g->rank[p->rank];
    if (r->stay < 0)
        r->stay = g->nplaces;              /* the first is where it is */
    else if (r->best < 0 || p->total_s < g->place[r->best].total_s)
        r->best = g->nplaces;
    g->nplaces++;
}

static void forget(struct live *g)
{
    free(g->host);
    free(g->rank);
    free(g->place);
}

/* The text is cut into lines.  Hosts first: the others name them. */
static bool read_all(struct live *g, char *text)
{
    size_t n = 1;
    char *save = NULL, **line;

    for (char *p = text; *p; p++)
        n += *p == '\n';
    line = calloc(n, sizeof *line);
    g->host = calloc(n, sizeof *g->host);
    g->rank = calloc(n, sizeof *g->rank);
    g->place = calloc(n, sizeof *g->place);
    if (!line || !g->host || !g->rank || !g->place) {
        free(line);
        return false;
    }
    n = 0;
    for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
        line[n++] = l;
    static const struct { const char *begins; void (*read)(struct live *, const char *); } kind[] = {
        {"host ", read_host}, {"rank ", read_rank}, {"place ", read_place}};
    for (size_t k = 0; k < sizeof kind / sizeof *kind; k++)
        for (size_t i = 0; i < n; i++)
            if (!strncmp(line[i], kind[k].begins, strlen(kind[k].begins)))
                kind[k].read(g, line[i]);
    if (n)
        sscanf(line[0], "job %79s policy %199s remaining_s %lf", g->job, g->policy, &g->remaining_s);
    free(line);
    return true;
}

/* ---- table, JSON, Graphviz -------------------- */

static void table(const struct live *g)
{
    printf("%s: policy %s, taken to run for another %.0f s\n", g->job, g->policy, g->remaining_s);
    printf("%-16s %8s %9s %5s %6s %8s\n", "HOST", "WEIGHT", "ONE MORE", "FREE", "CORES", "RUNNING");
    for (int i = 0; i < g->nhosts; i++) {
        const struct host *h = &g->host[i];
        printf("%-16s %8.2f %9.2f %5d %6.3g %8.1f  %s\n", h->name, h->weight, h->more, h->free, h->cores, h->running, h->note);
    }
    printf("%-5s %-16s %7s %7s %9s %9s  %-16s %8s %9s\n", "RANK", "NODE", "WEIGHT", "SLOW", "STEP ms", "STAYS s", "BEST ELSEWHERE",
           "MOVE ms", "TOTAL s");
    for (int r = 0; r < g->nranks; r++) {
        const struct rank *k = &g->rank[r];
        const struct place *stay = k->stay < 0 ? NULL : &g->place[k->stay], *best = k->best < 0 ? NULL : &g->place[k->best];
        printf("%-5d %-16s %7.2f %7.2f %9.3f %9.1f", r, k->host < 0 ? "?" : g->host[k->host].name, k->weight, k->slow,
               k->step_ms, stay ? stay->total_s : 0);
        if (best)
            printf("  %-16s %8.1f %9.1f", g->host[best->host].name, best->move_ms, best->total_s);
        printf("\n      %s\n", k->why);
    }
}

static void json(const struct live *g)
{
    printf("{\"job\": \"%s\", \"policy\": \"%s\", \"remaining_s\": %.1f,\n \"hosts\": [", g->job, g->policy, g->remaining_s);
    for (int i = 0; i < g->nhosts; i++) {
        const struct host *h = &g->host[i];
        printf("%s\n  {\"host\": \"%s\", \"weight\": %.4g, \"weight_with_one_more\": %.4g, \"free\": %d, \"cores\": %.4g, "
               "\"running\": %.2f, \"note\": ", i ? "," : "", h->name, h->weight, h->more, h->free, h->cores,
               isfinite(h->running) ? h->running : 0);
        hmf_put_json(h->note);
        putchar('}');
    }
    printf("],\n \"ranks\": [");
    for (int r = 0; r < g->nranks; r++) {
        const struct rank *k = &g->rank[r];
        const char *sep = "";
        printf("%s\n  {\"rank\": %d, \"node\": \"%s\", \"weight\": %.4g, \"slow\": %.4g, \"step_ms\": %.4f, \"why\": ",
               r ? "," : "", r, k->host < 0 ? "" : g->host[k->host].name, k->weight, k->slow, k->step_ms);
        hmf_put_json(k->why);
        printf(",\n   \"places\": [");
        for (int i = 0; i < g->nplaces; i++)
            if (g->place[i].rank == r) {
                printf("%s\n    {\"host\": \"%s\", \"move_ms\": %.4f, \"run_s\": %.4f, \"total_s\": %.4f}", sep,
                       g->host[g->place[i].host].name, g->place[i].move_ms, g->place[i].run_s, g->place[i].total_s);
                sep = ",";
            }
        printf("]}");
    }
    printf("]}\n");
}

static bool gains(const struct live *g, const struct rank *k)
{
    return k->stay >= 0 && k->best >= 0 && g->place[k->best].total_s < g->place[k->stay].total_s;
}

static void dot(const struct live *g)
{
    printf("digraph \"%s\" {\n  node [shape=box];\n", g->job);
    for (int i = 0; i < g->nhosts; i++) {
        const struct host *h = &g->host[i];
        const char *sep = "";
        printf("  h%d [label=\"%s\\nweight %.2f, %d free\\n", i, h->name, h->weight, h->free);
        for (int r = 0; r < g->nranks; r++)
            if (g->rank[r].host == i) {
                printf("%s%d", *sep ? sep : "ranks ", r);
                sep = ", ";
            }
        printf("\"%s];\n", h->ranks ? ", style=filled, fillcolor=lightgrey" : "");
    }
    for (int r = 0; r < g->nranks; r++) {
        const struct rank *k = &g->rank[r];
        if (k->best >= 0 && k->host >= 0)
            printf("  h%d -> h%d [label=\"rank %d: %.1f ms, %.1f s (stays %.1f s)\"%s];\n", k->host, g->place[k->best].host, r,
                   g->place[k->best].move_ms, g->place[k->best].total_s, g->place[k->stay].total_s,
                   gains(g, k) ? "" : ", style=dashed, color=grey");
    }
    printf("}\n");
}

/* ---- picture: hosts are boxes, their ranks circles in them; from each rank that would gain an arrow to its best place -------- */

enum { BOX_W = 230, BOX_GAP_X = 60, BOX_GAP_Y = 70, MARGIN = 20, HEAD = 52, DOT_R = 12, IN_ROW = 7, COLUMNS = 4, TITLE = 62 };

static int rows_of(int ranks)
{
    return ranks ? (ranks + IN_ROW - 1) / IN_ROW : 1;
}

static int box_height(const struct live *g)
{
    int most = 0;

    for (int i = 0; i < g->nhosts; i++)
        most = g->host[i].ranks > most ? g->host[i].ranks : most;
    return HEAD + rows_of(most) * (2 * DOT_R + 6) + 6;
}

static double box_x(int host) { return MARGIN + host % COLUMNS * (BOX_W + BOX_GAP_X); }
static double box_y(int host, int height) { return TITLE + (double)(host / COLUMNS) * (height + BOX_GAP_Y); }

/* Where the rank's circle is: the k-th of its host. */
static void centre(const struct live *g, int rank, int height, double *x, double *y)
{
    int host = g->rank[rank].host, k = 0;

    for (int r = 0; r < rank; r++)
        k += g->rank[r].host == host;
    *x = box_x(host) + 18 + k % IN_ROW * (2 * DOT_R + 6);
    *y = box_y(host, height) + HEAD + 10 + (double)(k / IN_ROW) * (2 * DOT_R + 6);
}

/* From green, as light as the lightest host, to red, twice as slow and more. */
static int hue(const struct live *g, double weight)
{
    double least = INFINITY, w;

    for (int i = 0; i < g->nhosts; i++)
        least = fmin(least, g->host[i].weight);
    w = isfinite(weight / least) ? fmin(2, fmax(1, weight / least)) : 2;
    return (int)(120 - (w - 1) * 120);
}

static void put_escaped(FILE *f, const char *text)
{
    for (; *text; text++)
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            fprintf(f, "&#%d;", *text);
        else
            fputc(*text, f);
}

static void draw_host(FILE *f, const struct live *g, int i, int height)
{
    const struct host *h = &g->host[i];
    double x = box_x(i), y = box_y(i, height);

    fprintf(f, "<rect x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"hsl(%d,60%%,94%%)\" stroke=\"hsl(%d,45%%,45%%)\" "
            "stroke-width=\"1.5\"><title>", x, y, BOX_W, height, hue(g, h->weight), hue(g, h->weight));
    put_escaped(f, h->note[0] ? h->note : h->name);
    fprintf(f, "</title></rect>\n<text x=\"%.0f\" y=\"%.0f\" font-weight=\"bold\">", x + 10, y + 19);
    put_escaped(f, h->name);
    fprintf(f, "</text>\n<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">weight %.2f</text>\n", x + BOX_W - 10, y + 19, h->weight);
    fprintf(f, "<text x=\"%.0f\" y=\"%.0f\" font-size=\"11\" fill=\"#555\">", x + 10, y + 36);
    if (h->cores > 0)
        fprintf(f, "%.1f running on %.3g cores, ", isfinite(h->running) ? h->running : 0, h->cores);
    fprintf(f, "%d spare%s free</text>\n", h->free, h->free == 1 ? "" : "s");
}

static void draw_rank(FILE *f, const struct live *g, int r, int height)
{
    const struct rank *k = &g->rank[r];
    double x, y;

    if (k->host < 0)
        return;
    centre(g, r, height, &x, &y);
    fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"hsl(%d,55%%,60%%)\" stroke=\"#333\"><title>rank %d: ", x, y, DOT_R,
            hue(g, k->weight), r);
    put_escaped(f, k->why);
    fprintf(f, "</title></circle><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"11\">%d</text>\n", x, y + 4, r);
}

/* Ends at the side of the box that is nearer. */
static void draw_arrow(FILE *f, const struct live *g, int r, int height)
{
    const struct rank *k = &g->rank[r];
    const struct place *to = &g->place[k->best];
    double x, y, tx, ty;
    bool gain = gains(g, k);

    centre(g, r, height, &x, &y);
    tx = box_x(to->host) + (box_x(to->host) > box_x(k->host) ? 0 : box_x(to->host) < box_x(k->host) ? BOX_W : BOX_W / 2.);
    ty = box_y(to->host, height) + (box_y(to->host, height) > box_y(k->host, height) ? 0 : height / 2.);
    fprintf(f, "<path d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s marker-end=\"url(#tip)\">"
            "<title>rank %d: a move of %.1f ms and %.1f s there, against %.1f s here</title></path>\n", x, y + DOT_R,
            x, y + height / 2. + 20, tx + (tx > x ? -60 : 60), ty + height / 2. + 20, tx, ty, gain ? "#222" : "#aaa", gain ? "2" : "1",
            gain ? "" : " stroke-dasharray=\"4 3\"", r, to->move_ms, to->total_s, g->place[k->stay].total_s);
}

static void svg(FILE *f, const struct live *g)
{
    int height = box_height(g), rows = (g->nhosts + COLUMNS - 1) / COLUMNS, n = 0;
    int across = g->nhosts < COLUMNS ? g->nhosts : COLUMNS;
    int width = 2 * MARGIN + across * BOX_W + (across - 1) * BOX_GAP_X, bottom = TITLE + rows * (height + BOX_GAP_Y) - 20, gain = 0;

    for (int r = 0; r < g->nranks; r++)
        gain += gains(g, &g->rank[r]);
    width = width < 620 ? 620 : width;
    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n"
            "<defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" orient=\"auto\">"
            "<path d=\"M0 0L8 4L0 8z\" fill=\"#444\"/></marker></defs>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
            "<text x=\"%d\" y=\"22\" font-size=\"15\">", width, bottom + gain * 15, MARGIN);
    put_escaped(f, g->job);
    fprintf(f, ": policy ");
    put_escaped(f, g->policy);
    fprintf(f, "</text>\n<text x=\"%d\" y=\"42\" fill=\"#555\">green: the fastest place, red: half as fast or less; arrows: where a rank "
            "would be done sooner (grey: later, its best place elsewhere)</text>\n", MARGIN);
    for (int i = 0; i < g->nhosts; i++)
        draw_host(f, g, i, height);
    for (int r = 0; r < g->nranks; r++)
        if (g->rank[r].best >= 0 && g->rank[r].host >= 0 && (gains(g, &g->rank[r]) || g->nranks <= 16))
            draw_arrow(f, g, r, height);
    for (int r = 0; r < g->nranks; r++)
        draw_rank(f, g, r, height);
    for (int r = 0; r < g->nranks; r++)
        if (gains(g, &g->rank[r]))
            fprintf(f, "<text x=\"%d\" y=\"%d\">rank %d to %s: the move %.1f ms, then done in %.1f s instead of %.1f s</text>\n", MARGIN,
                    bottom + 15 * n++, r, g->host[g->place[g->rank[r].best].host].name, g->place[g->rank[r].best].move_ms,
                    g->place[g->rank[r].best].total_s, g->place[g->rank[r].stay].total_s);
    fprintf(f, "</svg>\n");
}

int hmf_live_command(const char *job, int argc, char **argv)
{
    const char *form = "", *out = NULL;
    char request[40] = "graph\n", *text;
    struct live g = {.nhosts = 0};
    FILE *f = stdout;
    int rc = 1, rank = -1;

    for (int i = 1; i < argc; i++) {
        char *end = "?";
        if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "--dot") || !strcmp(argv[i], "--svg")) {
            form = argv[i] + 2;
            continue;
        }
        if (!strncmp(argv[i], "--svg=", 6) && argv[i][6]) {
            form = "svg";
            out = argv[i] + 6;
            continue;
        }
        if (!strncmp(argv[i], "--rank=", 7) && argv[i][7])
            rank = (int)strtol(argv[i] + 7, &end, 10);
        if (*end || rank < 0)
            return hmf_misused("graph of a running job takes --svg[=OUT], --dot, --json, --rank=R, so not '%s'", argv[i]);
    }
    if (rank >= 0)
        snprintf(request, sizeof request, "graph %d\n", rank);
    text = hmf_job_question(job, request);
    if (!text)
        return 1;
    if (rank >= 0) {
        fputs(text, stdout);
        free(text);
        return 0;
    }
    if (!read_all(&g, text)) {
        fprintf(stderr, "hmf: no memory for the graph\n");
    } else if (out && !(f = fopen(out, "we"))) {
        fprintf(stderr, "hmf: %s: %s\n", out, strerror(errno));
    } else {
        if (form[0] == 's')
            svg(f, &g);
        else
            (form[0] == 'j' ? json : form[0] == 'd' ? dot : table)(&g);
        rc = ferror(f) != 0;
        if (f != stdout)
            rc |= fclose(f) != 0;
    }
    forget(&g);
    free(text);
    return rc;
}
