/* hmf-checktype - writes the descriptions of a source's types, or says what keeps it from doing
 * so.  This file: the command line, and the output file. */
#include "config.h"

#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] = "usage: hmf-checktype [OPTION...] FILE... [COMPILER OPTION...] [-- "
                            "COMPILER OPTION...]\n"
                            "\n"
                            "  -o FILE           write the descriptions there; default: standard "
                            "output\n"
                            "  --include=NAME    what the output includes, \"NAME\" or <NAME>; "
                            "default: the file itself\n"
                            "  --append          the output is meant to stand at the end of the "
                            "source; default for *.c\n"
                            "  --type=NAME       describe this type, too, whether it is marked or "
                            "not (repeatable)\n"
                            "  --check           write nothing: list what cannot be described, and "
                            "the mark to write;\n"
                            "                    several FILEs are fine; if nothing is marked, all "
                            "their types are looked at\n"
                            "  --all             every type of the source and its own headers "
                            "counts as marked\n"
                            "  -h, --help        this text\n"
                            "\n"
                            "Compiler options that tell what the source means (-I -D -U -std "
                            "-include -isystem -f -m ...) are\n"
                            "handed on. Exit status: 0 good, 1 something cannot be described or "
                            "read, 2 wrong usage.\n";

struct command {
    const char *output, *include, **files, **types, **args;
    size_t nfiles, files_cap, ntypes, types_cap, nargs, args_cap;
    bool append, check, all;
};

static void add(const char ***list, size_t *n, size_t *cap, const char *text)
{
    *list = ct_grow(*list, *n, cap, sizeof **list);
    (*list)[(*n)++] = text;
}

static bool is(const char *arg, const char *prefix, const char **value)
{
    size_t len = strlen(prefix);

    if (strncmp(arg, prefix, len))
        return false;
    *value = arg + len;
    return true;
}

/* Compiler options whose value is the next argument. */
static bool takes_next(const char *arg)
{
    static const char *const names[] = {"-I", "-D", "-U", "-include", "-imacros", "-isystem",
                                        "-iquote", "-idirafter", "-iprefix", "-x", "-target",
                                        "--sysroot", "-isysroot"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(arg, names[i]))
            return true;
    return false;
}

static int parse(int argc, char **argv, struct command *c)
{
    const char *value;
    int i;

    for (i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (!strcmp(a, "-h") || !strcmp(a, "--help")) {
            fputs(usage, stdout);
            return 0;
        }
        if (!strcmp(a, "--"))
            break;
        if (!strcmp(a, "-o")) {
            if (++i == argc) {
                fprintf(stderr, "hmf-checktype: -o needs a file\n%s", usage);
                return 2;
            }
            c->output = argv[i];
        } else if (is(a, "--include=", &value)) {
            c->include = value;
        } else if (!strcmp(a, "--append")) {
            c->append = true;
        } else if (is(a, "--type=", &value)) {
            add(&c->types, &c->ntypes, &c->types_cap, value);
        } else if (!strcmp(a, "--check")) {
            c->check = true;
        } else if (!strcmp(a, "--all")) {
            c->all = true;
        } else if (a[0] == '-' && a[1] == '-' && !takes_next(a)) {
            fprintf(stderr, "hmf-checktype: %s is no option\n%s", a, usage);
            return 2;
        } else if (a[0] == '-') {
            add(&c->args, &c->nargs, &c->args_cap, a);
            if (takes_next(a) && i + 1 < argc)
                add(&c->args, &c->nargs, &c->args_cap, argv[++i]);
        } else {
            add(&c->files, &c->nfiles, &c->files_cap, a);
        }
    }
    for (i++; i < argc; i++)
        add(&c->args, &c->nargs, &c->args_cap, argv[i]);
    add(&c->args, &c->nargs, &c->args_cap, "-D__HMF_CHECKTYPE__=1");
    add(&c->args, &c->nargs, &c->args_cap, "-xc");
    if (!c->nfiles) {
        fprintf(stderr, "hmf-checktype: no file to read\n%s", usage);
        return 2;
    }
    if (!c->check && c->nfiles > 1) {
        fprintf(stderr, "hmf-checktype: one file at a time, unless with --check\n");
        return 2;
    }
    return -1;
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

/* A file appears as a whole or not at all. */
static bool put(const char *path, const char *text, size_t len)
{
    const char *aside = path ? ct_format("%s.%ld.tmp", path, (long)getpid()) : NULL;
    FILE *out = path ? fopen(aside, "w") : stdout;

    if (!out) {
        fprintf(stderr, "hmf-checktype: cannot write %s: %s\n", aside, strerror(errno));
        return false;
    }
    bool good = fwrite(text, 1, len, out) == len;
    good &= (path ? fclose(out) : fflush(out)) == 0;
    good = good && (!path || !rename(aside, path));
    if (!good) {
        fprintf(stderr, "hmf-checktype: cannot write %s: %s\n", path ? path : "the output",
                strerror(errno));
        if (path)
            remove(aside);
    }
    return good;
}

/* "dir/grid.h" for an output in dir/ is included as "grid.h". */
static const char *include_name(const struct command *c, const char *path)
{
    const char *name = c->include;

    if (name)
        return name[0] == '<' || name[0] == '"' ? name : ct_format("\"%s\"", name);
    const char *slash = strrchr(path, '/'), *out = c->output ? strrchr(c->output, '/') : NULL;
    size_t dir = slash ? (size_t)(slash - path) : 0, out_dir = out ? (size_t)(out - c->output) : 0;
    if (slash && c->output && dir == out_dir && !strncmp(path, c->output, dir))
        path = slash + 1;
    return ct_format("\"%s\"", path);
}

static bool generate(const struct command *c, struct ct_source *s)
{
    const char *slash = strrchr(s->path, '/');
    struct ct_output o = {.source = slash ? slash + 1 : s->path};
    size_t len = 0;

    if (c->include || (!c->append && !ends_in(s->path, ".c")))
        o.include = include_name(c, s->path);
    char *text = ct_write(s, &o, &len);
    if (!text) {
        ct_print_findings(s);
        return false;
    }
    bool good = put(c->output, text, len);
    free(text);
    return good;
}

static bool known(const struct ct_source *s, const char *type)
{
    for (size_t i = 0; i < s->nfunction_types; i++)
        if (!strcmp(s->function_types[i], type))
            return true;
    return false;
}

/* Static functions whose address is taken, in sources that nobody makes descriptions of: no name
 * would be known for them. */
static void check_functions(struct ct_source *all)
{
    for (size_t i = 0; i < all->nfunctions; i++) {
        const struct ct_function *f = all->functions[i];
        if (known(all, f->type))
            ct_find(all, f->place, true, "static function %s: a pointer in a described type may "
                    "lead to it: name it with hmf_function_define, or mark what is tracked in "
                    "this source and compile it with hmfcc", f->name);
    }
}

/* What the check of one source adds to that of all. */
static void gather(struct ct_source *all, const struct ct_source *s)
{
    for (size_t i = 0; i < s->nfindings; i++)
        ct_find(all, s->findings[i].place, s->findings[i].warning, "%s", s->findings[i].text);
    for (size_t i = 0; i < s->nfunctions && !s->marked; i++)
        if (s->functions[i]->is_static) {
            all->functions = ct_grow(all->functions, all->nfunctions, &all->functions_cap,
                                     sizeof *all->functions);
            all->functions[all->nfunctions++] = s->functions[i];
        }
    for (size_t i = 0; i < s->nfunction_types; i++) {
        all->function_types = ct_grow(all->function_types, all->nfunction_types,
                                      &all->function_types_cap, sizeof *all->function_types);
        all->function_types[all->nfunction_types++] = s->function_types[i];
    }
}

int main(int argc, char **argv)
{
    struct command c = {0};
    struct ct_source all = {0};
    bool good = true;
    int status = parse(argc, argv, &c);

    if (status >= 0)
        return status;
    for (size_t i = 0; i < c.nfiles; i++) {
        struct ct_source s = {.path = c.files[i]};
        struct ct_options o = {.path = c.files[i], .args = c.args, .nargs = (int)c.nargs,
                               .types = c.types, .ntypes = c.ntypes, .all = c.all,
                               .all_if_none = c.check && !c.ntypes};
        if (!ct_read(&o, &s)) {
            good = false;
            continue;
        }
        ct_resolve(&s);
        if (c.check) {
            gather(&all, &s);
            continue;
        }
        if (ct_print_findings(&s) || !generate(&c, &s))
            good = false;
    }
    check_functions(&all);
    if (ct_print_findings(&all))
        good = false;
    return good ? 0 : 1;
}
