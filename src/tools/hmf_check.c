/* hmf inspect, verify, diff, restore: looking into checkpoints. Needs no running job and no MPI. */
#include "config.h"

#include "hmf_check.h"
#include "hmf_job.h"

#include "hmf/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char hmf_check_usage[] =
    "  inspect PATH [NAME]   what a checkpoint holds; the values of variable or table NAME\n"
    "      --rank=R  of that rank (0)    --first=N --rows=N  from that row, so many (20)\n"
    "  verify PATH           reads every byte of all ranks' parts and compares the checksums\n"
    "  diff PATH PATH        how two checkpoints differ, rank by rank\n"
    "      --abs=X --rel=X  tolerances   --limit=N  differences shown (20)\n"
    "  restore PATH NAME --to=FILE   the bytes of a variable as the program had them\n"
    "                        PATH: a checkpoint directory (its newest generation), or gen-NNNNNN in it\n"
    "      --json            of these four: one object (see hmf-inspect(1))\n";

struct options {
    const char *path[2], *to;
    int npaths, rank;
    uint64_t first, rows, limit;
    double absolute, relative;
    bool json;
};

/* ---- JSON: an object is written member by member and is whole also when something fails amid it -------------------- */

static void put_text(const char *before, const char *text)
{
    fputs(before, stdout);
    if (text)
        hmf_put_json(text);
    else
        fputs("null", stdout);
}

static int failed(void)
{
    fprintf(stderr, "hmf: %s\n", hmf_error_text());
    return 1;
}

/* Ends the object. */
static int end_json(int status, const char *error)
{
    if (error)
        put_text(", \"error\": ", error);
    puts("}");
    return status;
}

/* Ends the object, or nothing, with the library's error. */
static int failed_in(const struct options *o)
{
    if (o->json)
        end_json(1, hmf_error_text());
    return failed();
}

static int wrong(const char *word)
{
    fprintf(stderr, "hmf: what is \"%s\"? See hmf --help\n", word);
    return 2;
}

static int parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.rows = 20, .limit = 20};
    for (int i = 0; i < argc; i++) {
        char *end = "", *value = strchr(argv[i], '=');
        if (strncmp(argv[i], "--", 2) != 0) {
            if (o->npaths == 2)
                return wrong(argv[i]);
            o->path[o->npaths++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
            continue;
        }
        if (value == NULL || value[1] == '\0' || value[1] == '-')
            return wrong(argv[i]);
        value++;
        if (strncmp(argv[i], "--rank=", 7) == 0)
            o->rank = (int)strtol(value, &end, 10);
        else if (strncmp(argv[i], "--first=", 8) == 0)
            o->first = strtoull(value, &end, 10);
        else if (strncmp(argv[i], "--rows=", 7) == 0)
            o->rows = strtoull(value, &end, 10);
        else if (strncmp(argv[i], "--limit=", 8) == 0)
            o->limit = strtoull(value, &end, 10);
        else if (strncmp(argv[i], "--abs=", 6) == 0)
            o->absolute = strtod(value, &end);
        else if (strncmp(argv[i], "--rel=", 6) == 0)
            o->relative = strtod(value, &end);
        else if (strncmp(argv[i], "--to=", 5) == 0)
            o->to = value;
        else
            return wrong(argv[i]);
        if (*end != '\0')
            return wrong(argv[i]);
    }
    return 0;
}

static void generation_line(void *ctx, const struct hmf_check_generation *g)
{
    (void)ctx;
    if (g->complete)
        printf("  generation %" PRIu64 "%s%s\n", g->number,
               strcmp(g->level, "shared") != 0 ? ", level " : "",
               strcmp(g->level, "shared") != 0 ? g->level : "");
    else
        printf("  generation %" PRIu64 ": cannot be used: %s\n", g->number, g->problem);
}

static void row_line(void *ctx, uint64_t index, const char *text)
{
    (void)ctx;
    printf("%10" PRIu64 "  %s\n", index, text);
}

struct list { const struct options *o; bool more; };

static const char *comma(struct list *l)
{
    const char *c = l->more ? ", " : "";
    l->more = true;
    return c;
}

static void generation_json(void *ctx, const struct hmf_check_generation *g)
{
    printf("%s{\"number\": %" PRIu64 ", \"level\": ", comma(ctx), g->number);
    put_text("", g->complete ? g->level : NULL);
    put_text(", \"problem\": ", g->complete ? NULL : g->problem);
    putchar('}');
}

static void row_json(void *ctx, uint64_t index, const char *text)
{
    printf("%s{\"row\": %" PRIu64, comma(ctx), index);
    put_text(", \"value\": ", text);
    putchar('}');
}

static void difference_json(void *ctx, const struct hmf_check_difference *d, int rank)
{
    printf("%s{\"rank\": %d", comma(ctx), rank);
    put_text(", \"name\": ", d->name);
    printf(", \"row\": %" PRIu64, d->row);
    put_text(", \"path\": ", d->path);
    put_text(", \"a\": ", d->a);
    put_text(", \"b\": ", d->b);
    putchar('}');
}

static int arrays_json(hmf_check_t *c)
{
    struct hmf_check_array a;
    size_t n, i;
    if (hmf_check_arrays(c, &n) != HMF_OK)
        return 1;
    for (i = 0; i < n && hmf_check_array(c, i, &a) == HMF_OK; i++) {
        put_text(i ? ", {\"name\": " : "{\"name\": ", a.name);
        printf(", \"equal\": %s", a.equal ? "true" : "false");
        for (int d = 0; !a.equal && d < a.ndims; d++)
            printf("%s%" PRIu64, d ? ", " : ", \"shape\": [", a.shape[d]);
        if (!a.equal)
            printf("%s, \"elements\": %" PRIu64 ", \"pieces\": %" PRIu64, a.ndims ? "]" : "", a.elements, a.pieces);
        putchar('}');
    }
    return i < n;
}

static int inspect_json(const struct options *o, hmf_check_t *c)
{
    struct hmf_check_info info;
    struct hmf_check_var var;
    struct list generations = {.o = o}, rows = {.o = o};
    size_t n = 0, i = 0;
    bool ok;
    hmf_check_get_info(c, &info);
    put_text("{\"path\": ", info.path);
    printf(", \"generation\": %" PRIu64, info.generation);
    put_text(", \"program\": ", info.program);
    printf(", \"ranks\": %d", info.nranks);
    put_text(", \"time\": ", info.time);
    put_text(", \"library\": ", info.library);
    put_text(", \"level\": ", info.level);
    printf(", \"bytes\": %" PRIu64 ", \"rank\": %d", info.bytes, o->rank);
    if (o->npaths == 2) {
        put_text(", \"name\": ", o->path[1]);
        fputs(", \"rows\": [", stdout);
        ok = hmf_check_print(c, o->rank, o->path[1], o->first, o->rows, row_json, &rows) == HMF_OK;
        putchar(']');
        return ok ? end_json(0, NULL) : failed_in(o);
    }
    fputs(", \"generations\": [", stdout);
    if (strcmp(info.path, o->path[0]) != 0)
        hmf_check_list(o->path[0], generation_json, &generations);
    fputs("], \"arrays\": [", stdout);
    if (arrays_json(c)) {
        putchar(']');
        return failed_in(o);
    }
    fputs("], \"variables\": [", stdout);
    ok = hmf_check_count(c, o->rank, &n) == HMF_OK;
    for (; ok && i < n && (ok = hmf_check_var(c, o->rank, i, &var) == HMF_OK); i++) {
        put_text(i ? ", {\"name\": " : "{\"name\": ", var.name);
        put_text(", \"type\": ", var.type);
        printf(", \"bytes\": %" PRIu64 ", \"rows\": %" PRIu64 ", \"heap\": %s}", var.bytes, var.rows, var.heap ? "true" : "false");
    }
    putchar(']');
    return ok ? end_json(0, NULL) : failed_in(o);
}

/* What a restart on another number of ranks is made of. */
static int arrays(hmf_check_t *c)
{
    struct hmf_check_array a;
    size_t n;
    if (hmf_check_arrays(c, &n) != HMF_OK)
        return failed();
    for (size_t i = 0; i < n; i++) {
        if (hmf_check_array(c, i, &a) != HMF_OK)
            return failed();
        if (i == 0)
            printf("  all ranks:\n");
        printf("    %-24s ", a.name);
        if (a.equal) {
            printf("equal on all ranks\n");
            continue;
        }
        for (int d = 0; d < a.ndims; d++)
            printf("%s%" PRIu64, d != 0 ? " x " : "global array of ", a.shape[d]);
        printf(", %" PRIu64 " elements in %" PRIu64 " piece%s\n", a.elements, a.pieces,
               a.pieces == 1 ? "" : "s");
    }
    return 0;
}

static int inspect(const struct options *o)
{
    hmf_check_t *c;
    struct hmf_check_info info;
    struct hmf_check_var var;
    size_t n;
    if (hmf_check_open(o->path[0], &c) != HMF_OK)
        return failed();
    int rc = 0;
    if (o->json) {
        rc = inspect_json(o, c);
        goto close_check;
    }
    if (o->npaths == 2) {
        if (hmf_check_print(c, o->rank, o->path[1], o->first, o->rows, row_line, NULL) != HMF_OK)
            rc = failed();
        goto close_check;
    }
    hmf_check_get_info(c, &info);
    printf("%s: generation %" PRIu64 " of %s on %d rank%s, %s, libhmf-mpi %s, %" PRIu64 " bytes\n",
           info.path, info.generation, info.program, info.nranks, info.nranks == 1 ? "" : "s",
           info.time, info.library, info.bytes);
    if (strcmp(info.level, "shared") != 0)
        printf("  level %s: the parts are in the nodes' directories\n", info.level);
    if (strcmp(info.path, o->path[0]) != 0)
        hmf_check_list(o->path[0], generation_line, NULL);
    rc = arrays(c);
    if (hmf_check_count(c, o->rank, &n) != HMF_OK) {
        rc = failed();
        goto close_check;
    }
    printf("  rank %d:\n", o->rank);
    for (size_t i = 0; i < n; i++) {
        if (hmf_check_var(c, o->rank, i, &var) != HMF_OK) {
            rc = failed();
            break;
        }
        printf("    %-24s %12" PRIu64 " bytes  %s\n", var.name, var.bytes, var.type);
        if (var.heap)
            printf("    %-24s %12" PRIu64 " rows on the heap\n", "", var.rows);
    }

close_check:
    hmf_check_close(c);
    return rc;
}

static int verify(const struct options *o)
{
    hmf_check_t *c;
    struct hmf_check_info info;
    int damaged = 0;
    if (hmf_check_open(o->path[0], &c) != HMF_OK)
        return failed();
    hmf_check_get_info(c, &info);
    if (o->json) {
        put_text("{\"path\": ", info.path);
        printf(", \"ranks\": %d, \"bytes\": %" PRIu64 ", \"damage\": [", info.nranks, info.bytes);
    }
    /* The last turn is for what all ranks' parts together must be. */
    for (int rank = 0; rank <= info.nranks; rank++) {
        size_t n;
        if ((rank < info.nranks ? hmf_check_verify(c, rank) : hmf_check_arrays(c, &n)) == HMF_OK)
            continue;
        if (o->json)
            put_text(damaged ? ", " : "", hmf_error_text());
        damaged += failed();
    }
    if (o->json)
        printf("], \"intact\": %s}\n", damaged ? "false" : "true");
    else if (damaged == 0)
        printf("%s: %d part%s, %" PRIu64 " bytes, all intact\n", info.path, info.nranks,
               info.nranks == 1 ? "" : "s", info.bytes);
    hmf_check_close(c);
    return damaged != 0;
}

struct place { struct list list; int rank; };

static void difference_line(void *ctx, const struct hmf_check_difference *d)
{
    struct place *at = ctx;
    if (at->list.o->json) {
        difference_json(&at->list, d, at->rank);
        return;
    }
    printf("rank %d  %s[%" PRIu64 "]%s: %s | %s\n", at->rank, d->name, d->row, d->path,
           d->a != NULL ? d->a : "(not there)", d->b != NULL ? d->b : "(not there)");
}

/* Exit status as diff(1): 0 equal, 1 different, 2 trouble. */
static int diff(const struct options *o)
{
    hmf_check_t *a = NULL, *b = NULL;
    struct hmf_check_info x, y;
    struct place at = {.list = {.o = o}};
    uint64_t all = 0, n;
    int rc = 2;
    if (hmf_check_open(o->path[0], &a) != HMF_OK || hmf_check_open(o->path[1], &b) != HMF_OK) {
        failed();
        goto close_checks;
    }
    hmf_check_get_info(a, &x);
    hmf_check_get_info(b, &y);
    if (o->json) {
        put_text("{\"a\": ", x.path);
        put_text(", \"b\": ", y.path);
        printf(", \"ranks\": [%d, %d], \"differences\": [", x.nranks, y.nranks);
    }
    if (x.nranks != y.nranks && o->json) {
        fputs("], \"equal\": false", stdout);
        rc = end_json(1, NULL);
        goto close_checks;
    }
    if (x.nranks != y.nranks) {
        printf("%s has %d ranks, %s has %d\n", x.path, x.nranks, y.path, y.nranks);
        rc = 1;
        goto close_checks;
    }
    for (at.rank = 0; at.rank < x.nranks; at.rank++) {
        uint64_t left = all < o->limit ? o->limit - all : 0;
        if (hmf_check_diff(a, b, at.rank, o->absolute, o->relative, left, difference_line, &at, &n)
            != HMF_OK) {
            if (o->json)
                putchar(']');
            failed_in(o);
            goto close_checks;
        }
        all += n;
    }
    if (o->json)
        printf("], \"count\": %" PRIu64 ", \"equal\": %s}\n", all, all ? "false" : "true");
    else if (all > o->limit)
        printf("... %" PRIu64 " differences in all\n", all);
    rc = all != 0;

close_checks:
    hmf_check_close(a);
    hmf_check_close(b);
    return rc;
}

static int restore(const struct options *o)
{
    hmf_check_t *c;
    struct hmf_check_var var = {0};
    size_t n, i;
    int rc = 1;
    if (hmf_check_open(o->path[0], &c) != HMF_OK)
        return failed();
    if (hmf_check_count(c, o->rank, &n) != HMF_OK) {
        failed();
        goto close_check;
    }
    for (i = 0; i < n; i++) {
        if (hmf_check_var(c, o->rank, i, &var) == HMF_OK && strcmp(var.name, o->path[1]) == 0)
            break;
    }
    if (i == n) {
        fprintf(stderr, "hmf: %s has no variable %s\n", o->path[0], o->path[1]);
        goto close_check;
    }
    void *bytes = malloc(var.bytes != 0 ? (size_t)var.bytes : 1);
    FILE *f = bytes != NULL ? fopen(o->to, "wb") : NULL;
    if (f == NULL)
        fprintf(stderr, "hmf: cannot write %s: %s\n", o->to, strerror(errno));
    else if (hmf_check_bytes(c, o->rank, var.name, 0, var.rows, bytes, (size_t)var.bytes) != HMF_OK)
        failed();
    else if (fwrite(bytes, 1, (size_t)var.bytes, f) != var.bytes || fflush(f) != 0)
        fprintf(stderr, "hmf: cannot write %s: %s\n", o->to, strerror(errno));
    else
        rc = 0;
    if (f != NULL)
        fclose(f);
    free(bytes);
    if (rc == 0 && o->json) {
        put_text("{\"name\": ", var.name);
        printf(", \"rank\": %d, \"bytes\": %" PRIu64, o->rank, var.bytes);
        put_text(", \"type\": ", var.type);
        put_text(", \"file\": ", o->to);
        end_json(0, NULL);
    } else if (rc == 0) {
        printf("%" PRIu64 " bytes, %s\n", var.bytes, var.type);
    }

close_check:
    hmf_check_close(c);
    return rc;
}

int hmf_check_command(int argc, char **argv)
{
    struct options o;
    const char *command = argv[0];
    int rc = parse(argc - 1, argv + 1, &o);
    if (rc != 0)
        return rc;
    if (strcmp(command, "inspect") == 0 && o.npaths >= 1)
        return inspect(&o);
    if (strcmp(command, "verify") == 0 && o.npaths == 1)
        return verify(&o);
    if (strcmp(command, "diff") == 0 && o.npaths == 2)
        return diff(&o);
    if (strcmp(command, "restore") == 0 && o.npaths == 2 && o.to != NULL)
        return restore(&o);
    fprintf(stderr, "hmf: %s needs %s; 'hmf --help' shows what there is\n", command,
            strcmp(command, "diff") == 0 ? "two checkpoints" :
            strcmp(command, "restore") == 0 ? "a checkpoint, a variable's name and --to=FILE" :
            strcmp(command, "verify") == 0 ? "one checkpoint" : "a checkpoint");
    return 2;
}

int hmf_check_is_command(const char *word)
{
    return strcmp(word, "inspect") == 0 || strcmp(word, "verify") == 0 || strcmp(word, "diff") == 0
        || strcmp(word, "restore") == 0;
}
