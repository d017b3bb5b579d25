/* hmf sim: runs the policies and mechanisms that a model names, and prints how each would do. */
#include "config.h"

#include "hmf_graph.h"
#include "hmf_job.h"

#include "sim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char hmf_sim_usage[] =
    "  sim FILE              when the job of a model would end under each policy, and how often it "
    "moved\n"
    "      --policy=NAMES  instead of the model's (may be repeated)    --seed=N\n"
    "      --explain[=all]  each move (each decision) in a line    --json  for machines\n"
    "  policies              the policies there are\n";

enum { MAX_POLICIES = 32 };

struct options {
    const char *file, *policy[MAX_POLICIES], *seed;
    size_t npolicies;
    int json, explain; /* 1: moves, 2: all */
};

static int failed(void)
{
    fprintf(stderr, "hmf: %s\n", hmf_error_text());
    return 1;
}

static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "--policy=", 9) && o->npolicies < MAX_POLICIES)
            o->policy[o->npolicies++] = argv[i] + 9;
        else if (!strncmp(argv[i], "--seed=", 7) && strspn(argv[i] + 7, "0123456789") ==
                                                        strlen(argv[i] + 7) && argv[i][7])
            o->seed = argv[i] + 7;
        else if (!strcmp(argv[i], "--explain"))
            o->explain = 1;
        else if (!strcmp(argv[i], "--explain=all"))
            o->explain = 2;
        else if (!strcmp(argv[i], "--json"))
            o->json = 1;
        else if (argv[i][0] != '-' && !o->file)
            o->file = argv[i];
        else
            return fprintf(stderr, "hmf: sim: what is \"%s\"? See hmf --help\n", argv[i]), 2;
    }
    if (!o->file)
        return fprintf(stderr, "hmf: sim takes a file\n"), 2;
    return 0;
}

static void told(void *ctx, double at_us, size_t rank, const struct hmf_decision *d)
{
    const struct options *o = ctx;

    if (o->explain == 2 || d->action != HMF_STAY)
        printf("%12.1f s  rank %zu  %s\n", at_us / 1e6, rank, d->why);
}

static int run(const struct hmf__sim_model *m, const char *names, enum hmf_mechanism mechanism,
               struct options *o, int first)
{
    hmf_policies_t *p;
    struct hmf__sim_result r;

    if (hmf_policies_new(names, &p))
        return failed();
    hmf_status_t rc = hmf__sim_run(m, p, mechanism, o->explain && !o->json ? told : NULL, o, &r);
    hmf_policies_free(p);
    if (rc)
        return failed();
    if (o->json)
        printf(
            "%s\n {\"policy\": \"%s\", \"mechanism\": \"%s\", \"finished\": %s, \"end_us\": %.17g, "
            "\"moves\": %zu, \"moving_us\": %.17g, \"losses\": %zu, \"lost_us\": %.17g, "
            "\"decisions\": %zu}",
            first ? "[" : ",", names, hmf_mechanism_name(mechanism), r.finished ? "true" : "false",
            r.end_us, r.moves, r.moving_us, r.losses, r.lost_us, r.decisions);
    else
        printf("%-36s %-13s %s%11.1f %6zu %10.2f %7zu %10.1f\n", names,
               hmf_mechanism_name(mechanism), r.finished ? " " : ">", r.end_us / 1e6, r.moves,
               r.moving_us / 1e6, r.losses, r.lost_us / 1e6);
    return 0;
}

int hmf_sim_command(int argc, char **argv)
{
    struct options o = {0};
    struct hmf__sim_model m;
    int rc = parse(argc, argv, &o);

    if (rc)
        return rc;
    if (hmf__sim_load(o.file, &m))
        return failed();
    if (o.seed)
        m.seed = strtoull(o.seed, NULL, 10);
    if (!m.nmechanisms)
        m.mechanism[m.nmechanisms++] = hmf_graph_process(m.graph)->mechanism;
    size_t n = o.npolicies ? o.npolicies : m.npolicies;
    if (!o.json)
        printf("%-36s %-13s %12s %6s %10s %7s %10s\n", "policy", "mechanism", "end s", "moves",
               "moving s", "losses", "redone s");
    for (size_t i = 0; !rc && i < n; i++)
        for (size_t k = 0; !rc && k < m.nmechanisms; k++)
            rc = run(&m, o.npolicies ? o.policy[i] : m.policy[i], m.mechanism[k], &o, !i && !k);
    if (o.json && n && !rc)
        printf("\n]\n");
    if (!n)
        rc = fprintf(stderr, "hmf: %s names no policies; give --policy=NAMES\n", o.file) > 0;
    hmf__sim_fini(&m);
    return rc;
}

int hmf_policies_command(int argc, char **argv)
{
    const struct hmf_policy *p;
    int json = argc == 2 && !strcmp(argv[1], "--json");

    if (argc > 1 && !json)
        return hmf_misused("policies takes no further words but --json, so not '%s'", argv[1]);
    for (size_t i = 0; (p = hmf_policy_at(i)); i++)
        if (json) {
            printf("%s{\"name\": \"%s\", \"help\": ", i ? ",\n " : "[", p->name);
            hmf_put_json(p->help);
            putchar('}');
        } else {
            printf("%-16s %s\n", p->name, p->help);
        }
    if (json)
        puts("]");
    return 0;
}
