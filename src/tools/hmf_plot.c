/* hmf plot: which rank was where and when, with moves, checkpoints, losses and step times, drawn from the events of a job as SVG,
 * or as one HTML page that needs nothing else. */
#include "config.h"

#include "hmf_job.h"
#include "hmf_line.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NODES = 512, MAX_RANKS = 4096 };
enum { LEFT = 110, WIDTH = 860, TOP = 34, LANE = 13, GAP = 8, CHART = 130 };

struct stay { int rank, node; double from, to; };   /* a rank in a place */

struct plot {
    char (*node)[64];
    int nnodes, nranks;
    int at[MAX_RANKS];          /* node of each rank now; -1: unknown */
    double since[MAX_RANKS];
    struct stay *stay;
    int nstays, room;
    double begin, end;
    char job[64];
    int base[MAX_NODES];        /* first lane of a node */
    int nlanes[MAX_NODES];
    int total_lanes;
    double top_ms;              /* largest step time */
};

static int node_index(struct plot *p, const char *name)
{
    for (int i = 0; i < p->nnodes; i++)
        if (!strcmp(p->node[i], name))
            return i;
    if (p->nnodes == MAX_NODES || !name[0])
        return -1;
    snprintf(p->node[p->nnodes], sizeof p->node[0], "%s", name);
    return p->nnodes++;
}

/* The rank leaves its place, if it was in one. */
static void leave(struct plot *p, int rank, double t)
{
    if (p->at[rank] < 0)
        return;
    if (p->nstays == p->room) {
        struct stay *more = realloc(p->stay, (size_t)(p->room ? p->room *= 2 : (p->room = 256)) * sizeof *more);
        if (!more)
            return;
        p->stay = more;
    }
    p->stay[p->nstays++] = (struct stay){rank, p->at[rank], p->since[rank], t};
    p->at[rank] = -1;
}

static void arrive(struct plot *p, int rank, const char *node, double t)
{
    p->at[rank] = node_index(p, node);
    p->since[rank] = t;
    if (rank >= p->nranks)
        p->nranks = rank + 1;
}

/* The nodes of a "start", one for each rank: ["n0","n1"]. */
static void start(struct plot *p, const char *line, double t)
{
    const char *l = strstr(line, "\"nodes\":[");
    char name[64];
    int rank = 0, n;

    for (l = l ? l + 9 : ""; rank < MAX_RANKS && sscanf(l, "\"%63[^\"]\"%n", name, &n) == 1; rank++) {
        leave(p, rank, t);
        arrive(p, rank, name, t);
        l += n;
        if (*l != ',')
            break;
        l++;
    }
}

/* The largest number of a list of step times; 0: none. */
static double largest(const char *line)
{
    const char *l = strstr(line, "\"step_ms\":[");
    double most = 0;
    char *end;

    for (l = l ? l + 11 : ""; *l && *l != ']'; l = *end == ',' ? end + 1 : end) {
        double v = strtod(l, &end);
        if (end == l)
            break;
        most = v > most ? v : most;
    }
    return most;
}

static void read_line(struct plot *p, const char *line)
{
    char event[24], name[64];
    double t = hmf_line_number(line, "time");
    int rank = (int)hmf_line_number(line, "rank");

    if (!(t > 0) || rank < 0 || rank >= MAX_RANKS)
        return;
    if (p->begin == 0)
        p->begin = t;
    p->end = t > p->end ? t : p->end;
    hmf_line_field(line, "event", event, sizeof event);
    if (!strcmp(event, "start")) {
        hmf_line_field(line, "job", p->job, sizeof p->job);
        start(p, line, t);
    } else if (!strcmp(event, "move")) {
        if (p->at[rank] < 0)               /* its beginning is not in what we have */
            arrive(p, rank, hmf_line_field(line, "from", name, sizeof name), p->begin);
        leave(p, rank, t);
        arrive(p, rank, hmf_line_field(line, "to", name, sizeof name), t);
    } else if (!strcmp(event, "lost")) {
        leave(p, rank, t);
    } else if (!strcmp(event, "end")) {
        for (int r = 0; r < p->nranks; r++)
            leave(p, r, t);
    } else if (!strcmp(event, "steps")) {
        double ms = largest(line);
        p->top_ms = ms > p->top_ms ? ms : p->top_ms;
    }
}

/* ---- places in the picture -------------------- */

static double x_of(const struct plot *p, double t)
{
    double span = p->end - p->begin;

    return LEFT + (span > 0 ? (t - p->begin) / span : 0) * WIDTH;
}

/* Each rank has a lane of its own on each node where it ever was, in the order of ranks. */
static int lane_of(const struct plot *p, int node, int rank)
{
    bool before[MAX_RANKS] = {false};
    int lane = 0;

    for (int i = 0; i < p->nstays; i++)
        if (p->stay[i].node == node && p->stay[i].rank < rank)
            before[p->stay[i].rank] = true;
    for (int r = 0; r < rank; r++)
        lane += before[r];
    return lane;
}

static void lay_out(struct plot *p)
{
    int y = 0;

    for (int n = 0; n < p->nnodes; n++) {
        p->base[n] = y;
        p->nlanes[n] = lane_of(p, n, MAX_RANKS);
        if (p->nlanes[n] < 1)
            p->nlanes[n] = 1;
        y += p->nlanes[n] * LANE + GAP;
    }
    p->total_lanes = y;
}

static double y_of(const struct plot *p, int node, int rank)
{
    return TOP + p->base[node] + lane_of(p, node, rank) * LANE;
}

/* A round number of about a fifth of the whole: 1, 2 or 5 times a power of ten. */
static double tick(double whole)
{
    double unit = pow(10, floor(log10(whole / 5)));

    return whole / 5 > 5 * unit ? 10 * unit : whole / 5 > 2 * unit ? 5 * unit : whole / 5 > unit ? 2 * unit : unit;
}

static void put_escaped(FILE *f, const char *text)
{
    for (; *text; text++)
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            fprintf(f, "&#%d;", *text);
        else
            fputc(*text, f);
}

/* ---- drawing -------------------- */

static const struct { const char *event, *colour; bool dashed; } mark[] = {
    {"move", "#000", false}, {"checkpoint", "#36c", true}, {"drain", "#c80", true}, {"silent", "#c6c", true}, {"lost", "#d00", true}};

static const char *colour_of(const char *event)
{
    for (size_t i = 1; i < sizeof mark / sizeof *mark; i++)
        if (!strcmp(event, mark[i].event))
            return mark[i].colour;
    return NULL;
}

static void draw_stays(FILE *f, const struct plot *p)
{
    for (int n = 0; n < p->nnodes; n++) {
        fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#f3f3f3\"/><text x=\"4\" y=\"%d\">", LEFT,
                TOP + p->base[n], WIDTH, p->nlanes[n] * LANE, TOP + p->base[n] + 11);
        put_escaped(f, p->node[n]);
        fprintf(f, "</text>\n");
    }
    for (int i = 0; i < p->nstays; i++) {
        const struct stay *s = &p->stay[i];
        double x = x_of(p, s->from), w = x_of(p, s->to) - x, y = y_of(p, s->node, s->rank);
        fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"2\" fill=\"hsl(%d,55%%,60%%)\"><title>rank %d on ",
                x, y + 1, w > 1 ? w : 1, LANE - 2, s->rank * 137 % 360, s->rank);
        put_escaped(f, p->node[s->node]);
        fprintf(f, ", %.2f s to %.2f s</title></rect>\n", s->from - p->begin, s->to - p->begin);
        if (w > 18)
            fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"9\">%d</text>\n", x + 3, y + 10, s->rank);
    }
}

static void draw_events(FILE *f, const struct plot *p, const char *text)
{
    char event[24], from[64], to[64];
    int bottom = TOP + p->total_lanes;

    for (const char *l = text; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL) {
        double x = x_of(p, hmf_line_number(l, "time"));
        int rank = (int)hmf_line_number(l, "rank"), a, b;
        const char *colour = colour_of(hmf_line_field(l, "event", event, sizeof event));
        if (!strcmp(event, "move") && rank >= 0 && rank < MAX_RANKS) {
            struct plot *q = (struct plot *)p;
            a = node_index(q, hmf_line_field(l, "from", from, sizeof from));
            b = node_index(q, hmf_line_field(l, "to", to, sizeof to));
            if (a >= 0 && b >= 0)
                fprintf(f, "<g stroke=\"black\" stroke-width=\"1.5\"><title>rank %d moves, %.1f ms, %.2f MiB</title>"
                        "<path d=\"M%.1f %.1fV%.1f\"/><circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/></g>\n", rank,
                        hmf_line_number(l, "total_ms"), hmf_line_number(l, "bytes") / 1048576, x, y_of(p, a, rank) + LANE / 2.,
                        y_of(p, b, rank) + LANE / 2., x, y_of(p, b, rank) + LANE / 2.);
        }
        if (colour)
            fprintf(f, "<path d=\"M%.1f %dV%d\" stroke=\"%s\" stroke-dasharray=\"3 3\"><title>%s at %.2f s</title></path>\n", x, TOP,
                    bottom, colour, event, hmf_line_number(l, "time") - p->begin);
    }
}

static void draw_steps(FILE *f, const struct plot *p, const char *text)
{
    int top = TOP + p->total_lanes + 30;
    bool first = true;
    char event[24];

    if (!(p->top_ms > 0))
        return;
    fprintf(f, "<text x=\"%d\" y=\"%d\">time of a step, slowest rank, ms</text>\n", LEFT, top - 6);
    for (double ms = 0; ms <= p->top_ms; ms += tick(p->top_ms))
        fprintf(f, "<path d=\"M%d %.1fh%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>\n", LEFT,
                top + CHART * (1 - ms / p->top_ms), WIDTH, LEFT - 4, top + CHART * (1 - ms / p->top_ms) + 4, ms);
    fprintf(f, "<path fill=\"none\" stroke=\"#248\" stroke-width=\"1.5\" d=\"");
    for (const char *l = text; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL) {
        double ms;
        if (strcmp(hmf_line_field(l, "event", event, sizeof event), "steps") || !((ms = largest(l)) > 0))
            continue;
        fprintf(f, "%s%.1f %.1f", first ? "M" : "L", x_of(p, hmf_line_number(l, "time")), top + CHART - ms / p->top_ms * CHART);
        first = false;
    }
    fprintf(f, "\"/>\n");
}

static void draw(FILE *f, const struct plot *p, const char *text)
{
    int bottom = TOP + p->total_lanes, height = bottom + 50 + (p->top_ms > 0 ? CHART + 20 : 0);

    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n<text x=\"4\" y=\"18\" font-size=\"14\">", LEFT + WIDTH + 20, height);
    put_escaped(f, p->job);
    fprintf(f, ": ranks over nodes, %.1f s</text>\n", p->end - p->begin);
    for (size_t i = 0; i < sizeof mark / sizeof *mark; i++)
        fprintf(f, "<path d=\"M%d 9v12\" stroke=\"%s\" stroke-width=\"1.5\"%s/><text x=\"%d\" y=\"18\">%s</text>\n",
                LEFT + WIDTH - 400 + (int)i * 82, mark[i].colour, mark[i].dashed ? " stroke-dasharray=\"3 3\"" : "",
                LEFT + WIDTH - 394 + (int)i * 82, mark[i].event);
    draw_stays(f, p);
    draw_events(f, p, text);
    draw_steps(f, p, text);
    for (double t = 0, step = tick(fmax(p->end - p->begin, 1e-3)); t <= p->end - p->begin; t += step)
        fprintf(f, "<path d=\"M%.1f %dv5\" stroke=\"#555\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.6g s</text>\n",
                x_of(p, p->begin + t), height - 25, x_of(p, p->begin + t), height - 8, t);
    fprintf(f, "</svg>\n");
}

/* The slowest rank's step time in the last report before a time, or the first one that has nothing of it: heartbeats tell the mean
 * since the one before.  0: there is none. */
static double step_near(const char *text, double t, bool after)
{
    double found = 0;
    char event[24];
    int skip = 1;

    for (const char *l = text; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL) {
        if (strcmp(hmf_line_field(l, "event", event, sizeof event), "steps"))
            continue;
        if (hmf_line_number(l, "time") <= t)
            found = after ? 0 : largest(l);
        else if (!after)
            break;
        else if (!skip--)
            return largest(l);
    }
    return found;
}

static void put_number(FILE *f, double ms)
{
    if (ms > 0)
        fprintf(f, "<td>%.1f</td>", ms);
    else
        fprintf(f, "<td>-</td>");
}

static void page(FILE *f, const struct plot *p, const char *text)
{
    char event[24], a[64], b[64];

    fprintf(f, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    put_escaped(f, p->job);
    fprintf(f, "</title><style>body{font-family:sans-serif;margin:1em}td,th{padding:2px 10px;text-align:right}"
            "table{border-collapse:collapse}tr:nth-child(even){background:#f3f3f3}</style></head><body>\n");
    draw(f, p, text);
    fprintf(f, "<table><tr><th>s</th><th>rank</th><th>from</th><th>to</th><th>ms</th><th>predicted</th><th>MiB</th>"
            "<th>asked by</th><th>step ms before</th><th>after</th></tr>\n");
    for (const char *l = text; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL) {
        if (strcmp(hmf_line_field(l, "event", event, sizeof event), "move"))
            continue;
        fprintf(f, "<tr><td>%.2f</td><td>%d</td><td>", hmf_line_number(l, "time") - p->begin, (int)hmf_line_number(l, "rank"));
        put_escaped(f, hmf_line_field(l, "from", a, sizeof a));
        fprintf(f, "</td><td>");
        put_escaped(f, hmf_line_field(l, "to", b, sizeof b));
        fprintf(f, "</td><td>%.1f</td>", hmf_line_number(l, "total_ms"));
        put_number(f, hmf_line_number(l, "predicted_us") * 1e-3);
        fprintf(f, "<td>%.2f</td><td>", hmf_line_number(l, "bytes") / 1048576);
        put_escaped(f, hmf_line_field(l, "asked_by", a, sizeof a));
        fprintf(f, "</td>");
        put_number(f, step_near(text, hmf_line_number(l, "time"), false));
        put_number(f, step_near(text, hmf_line_number(l, "time"), true));
        fprintf(f, "</tr>\n");
    }
    fprintf(f, "</table></body></html>\n");
}

/* Only the last run of a file that several wrote. */
static char *last_run(char *text)
{
    char *at = text, *found = text;

    while ((at = strstr(at, "\"event\":\"start\"")) != NULL) {
        found = at++;
    }
    while (found > text && found[-1] != '\n')
        found--;
    return found;
}

int hmf_plot_command(const char *job, int argc, char **argv)
{
    const char *file = NULL, *out = NULL;
    struct plot *p = calloc(1, sizeof *p);
    char *text = NULL, *run;
    FILE *f = stdout;
    int status = 1;

    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "--file=", 7)) {
            file = argv[i] + 7;
        } else if (!out && argv[i][0] != '-') {
            out = argv[i];
        } else {
            free(p);
            return hmf_misused("what is '%s'", argv[i]);
        }
    }
    if (p)
        p->node = calloc(MAX_NODES, sizeof p->node[0]);
    if (!p || !p->node || !(text = hmf_events_text(job, file)))
        goto done;
    run = last_run(text);
    for (int r = 0; r < MAX_RANKS; r++)
        p->at[r] = -1;
    for (const char *l = run; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL)
        read_line(p, l);
    for (int r = 0; r < p->nranks; r++)
        leave(p, r, p->end);
    if (!p->nstays) {
        fprintf(stderr, "hmf: no rank is in the events that there are: give --file=FILE, the one that HMF_EVENTS named\n");
        goto done;
    }
    lay_out(p);
    if (out && !(f = fopen(out, "we"))) {
        fprintf(stderr, "hmf: %s: %s\n", out, strerror(errno));
        goto done;
    }
    if (out && strlen(out) > 5 && !strcmp(out + strlen(out) - 5, ".html"))
        page(f, p, run);
    else
        draw(f, p, run);
    status = ferror(f) != 0;
    if (f != stdout)
        status |= fclose(f) != 0;
done:
    free(text);
    if (p) {
        free(p->node);
        free(p->stay);
    }
    free(p);
    return status;
}
