/* hmf - see and steer a running job from the command line, through its control socket
 * (src/control.h). Here is only which word is which command; hmf_*.c do them. Links nothing of MPI. */
#include "config.h"

#include "hmf_check.h"
#include "hmf_graph.h"
#include "hmf_job.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: hmf [--job NAME] COMMAND\n"
    "\n"
    "  status                which rank runs where, how fast, and which spares are free\n"
    "      --watch[=S]  again every S (2) seconds until the job ends   --json   --prometheus\n"
    "  migrate RANK [NODE]   move a rank to a spare (on host NODE); waits until it has moved\n"
    "  drain NODE            all ranks leave a node, and none goes there; waits until it is empty\n"
    "  resume NODE           ranks may go there again\n"
    "  events [N]            the last N (20) things that happened, as lines of JSON\n"
    "      --file=FILE  from the file that HMF_EVENTS named; the job may have ended\n"
    "  explain [RANK]        the same in words: what was decided, why, and what it cost   --file=FILE\n"
    "  plot [OUT]            ranks over nodes and step times as a picture, SVG or a page (OUT ends in .html)\n"
    "      --file=FILE\n"
    "  checkpoint            write a checkpoint of the job; waits until it is on disk\n"
    "  stop                  write a checkpoint, then the job ends in order\n"
    "  policy [NAMES]        which policies decide about moves; other ones from now on (see hmf policies)\n"
    "  graph                 hosts, ranks, and what being elsewhere would cost each of them, now\n"
    "      --svg[=OUT] --dot  as a picture   --json   --rank=R  the graph of one rank, for hmf graph FILE\n"
    "  jobs                  the sockets of your running jobs\n"
    "\n";

static const char usage_end[] =
    "\n"
    "      --json            the answer as JSON: all of the above but plot, whose data are the events\n"
    "  -j, --job NAME        the job whose socket's name contains NAME; needed when there are several\n"
    "  -h, --help            this text\n"
    "\n"
    "Run it on the node where logical rank 0 of the job is. Sockets are looked for in $HMF_RUN_DIR, else\n"
    "$XDG_RUNTIME_DIR/hmf, else /tmp/hmf-UID. Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n";

static void print_usage(FILE *to)
{
    fprintf(to, "%s%s%s%s%s%s", usage, hmf_check_usage, hmf_graph_usage, hmf_costs_usage, hmf_sim_usage, usage_end);
}

int hmf_misused(const char *fmt, const char *word)
{
    fputs("hmf: ", stderr);
    fprintf(stderr, fmt, word);
    fputs("; 'hmf --help' shows what there is\n", stderr);
    return 2;
}

void hmf_put_json(const char *text)
{
    putchar('"');
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", (unsigned char)*text);
        else
            putchar(*text);
    putchar('"');
}

/* A request in a line of its own, whose answer is printed as it is, or as JSON. */
static int request(const char *job, int argc, char **argv, int json)
{
    char line[1024], *got;
    int len = 0, ok;

    for (int i = 0; i < argc; i++) {
        int n = snprintf(line + len, sizeof line - (size_t)len, "%s%s", i ? " " : "", argv[i]);
        if (n < 0 || len + n >= (int)sizeof line - 2 || strpbrk(argv[i], " \n")) {
            fprintf(stderr, "hmf: '%s' is not a rank or host name\n", argv[i]);
            return 2;
        }
        len += n;
    }
    strcpy(line + len, "\n");
    got = hmf_job_answer(job, line, &ok);
    if (!got)
        return 1;
    if (json) {
        got[strcspn(got, "\n")] = 0;
        printf("{\"request\": \"%s\", \"ok\": %s, \"text\": ", argv[0], ok ? "true" : "false");
        hmf_put_json(got);
        puts("}");
    } else {
        fprintf(ok ? stdout : stderr, "%s%s", ok ? "" : "hmf: ", got);
    }
    free(got);
    return !ok;
}

/* Takes an option out of the words; was it there? */
static int take(const char *option, int *argc, char **argv)
{
    int n = 0, before = *argc;

    for (int i = 0; i < before; i++)
        if (strcmp(argv[i], option))
            argv[n++] = argv[i];
    argv[n] = NULL;
    *argc = n;
    return n < before;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"job", required_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'}, {0}};
    static const struct { const char *word; int (*run)(const char *, int, char **); } shows[] = {
        {"status", hmf_status_command}, {"events", hmf_events_command},
        {"explain", hmf_explain_command}, {"plot", hmf_plot_command}};
    const char *job = NULL, *command;
    int opt, json;

    while ((opt = getopt_long(argc, argv, "+j:h", options, NULL)) != -1) {
        if (opt == 'h') {
            print_usage(stdout);
            return 0;
        }
        if (opt != 'j')
            return hmf_misused("wrong option%s", "");
        job = optarg;
    }
    command = argv[optind];
    argc -= optind;
    argv += optind;
    if (command && hmf_check_is_command(command))
        return hmf_check_command(argc, argv);
    if (command && !strcmp(command, "graph"))
        return hmf_graph_has_file(argc, argv) ? hmf_graph_command(argc, argv) : hmf_live_command(job, argc, argv);
    if (command && !strcmp(command, "costs"))
        return hmf_costs_command(argc, argv);
    if (command && !strcmp(command, "sim"))
        return hmf_sim_command(argc, argv);
    if (command && !strcmp(command, "policies"))
        return hmf_policies_command(argc, argv);
    for (size_t i = 0; command && i < sizeof shows / sizeof *shows; i++)
        if (!strcmp(command, shows[i].word))
            return shows[i].run(job, argc, argv);
    if (!command) {
        print_usage(stderr);
        return 2;
    }
    json = take("--json", &argc, argv);
    if (!strcmp(command, "migrate")) {
        if (argc < 2 || argc > 3)
            return hmf_misused("%s needs a rank, and may have a node behind it", command);
    } else if (!strcmp(command, "drain") || !strcmp(command, "resume")) {
        if (argc != 2)
            return hmf_misused("%s needs the name of one node", command);
    } else if (!strcmp(command, "policy")) {
        if (argc > 2)
            return hmf_misused("policy takes names with commas between them, so not '%s'", argv[2]);
    } else if (strcmp(command, "checkpoint") && strcmp(command, "stop") && strcmp(command, "jobs")) {
        return hmf_misused("there is no command '%s'", command);
    } else if (argc != 1) {
        return hmf_misused("%s takes no further words", command);
    }
    return strcmp(command, "jobs") ? request(job, argc, argv, json) : hmf_job_list(job, json);
}
