/* hmf-checktype: the generated file.  It says nothing about this machine: sizes, offsets and
 * dimensions are left to the compiler that compiles it, so one file serves all machines. */
#include "config.h"

#include "model.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool described(const struct ct_record *r)
{
    return r->resolved && !r->is_union;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* ---- numbers ---- */

static uint64_t hash(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return (h ^ 0xff) * 0x100000001b3u;
}

/* The number follows from the definition alone, so that all files and machines agree; hand-written
 * types have the numbers below 2^30. */
static int number_of(const struct ct_source *s, const struct ct_record *r)
{
    uint64_t h = hash(0xcbf29ce484222325u, r->name);

    if (!strcmp(r->place.file, s->path)) /* others may have a type of this name */
        h = hash(h, file_name(s->path));
    for (int i = 0; i < r->nfields; i++) {
        h = hash(h, r->fields[i].name);
        h = hash(h, r->fields[i].tokens ? r->fields[i].tokens : "");
    }
    h ^= h >> 32;
    return (int)(0x40000000u | (h & 0x3fffffffu));
}

static bool number_all(struct ct_source *s)
{
    for (size_t i = 0; i < s->nrecords; i++) {
        struct ct_record *r = s->records[i];
        if (!described(r))
            continue;
        r->number = number_of(s, r);
        for (size_t k = 0; k < i; k++)
            if (described(s->records[k]) && s->records[k]->number == r->number) {
                ct_find(s, r->place, false, "%s and %s happen to get the same number: rename one",
                        r->name, s->records[k]->name);
                return false;
            }
    }
    return true;
}

/* ---- parts ---- */

/* A list of tokens in lines of at most 96 columns; what goes on stands further right. */
static void write_wrapped(FILE *out, const char *tokens)
{
    size_t column = 4;

    fputs("    ", out);
    for (bool first = true; *tokens; first = false) {
        const char *p = tokens;
        int depth = 0;
        for (; *p && (depth || *p != ','); p++)
            depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
        size_t len = (size_t)(p - tokens) + (*p == ',');
        if (!first && column + 1 + len > 96) {
            fputs("\n        ", out);
            column = 8;
        } else if (!first) {
            fputc(' ', out);
            column++;
        }
        fwrite(tokens, 1, len, out);
        column += len;
        tokens += len;
        while (*tokens == ' ')
            tokens++;
    }
}

/* A field added since, where there is room for one, keeps the file from compiling. */
static void write_checks(FILE *out, const struct ct_record *r)
{
    const struct ct_field *before = NULL;

    for (int i = 0; i < r->nfields; i++) {
        const struct ct_field *f = &r->fields[i];
        if (f->empty)
            continue;
        bool plain = f->bits < 0 && *f->name;
        if (plain && before && f->type->kind != CT_FLEXIBLE)
            fprintf(out, "HMF_ASSERT_(%s_%s, HMF_NEXT_(%s, %s, %s));\n", r->ident, f->name,
                    r->c_name, before->member, f->member);
        if (i + 1 == r->nfields && plain && f->type->kind != CT_FLEXIBLE)
            fprintf(out, "HMF_ASSERT_(%s, HMF_LAST_(%s, %s));\n", r->ident, r->c_name, f->member);
        before = plain ? f : NULL;
    }
}

static void write_record(FILE *out, const struct ct_record *r)
{
    fprintf(out, "\n/* %s, %s */\n", r->name, file_name(r->place.file));
    fprintf(out, "static const int hmf_desc_%s[] = {\n    -%d,\n", r->ident, r->described);
    for (int i = 0; i < r->nfields; i++)
        if (!r->fields[i].empty) {
            write_wrapped(out, r->fields[i].tokens);
            fprintf(out, ",\n");
        }
    fprintf(out, "};\nstatic const char *const hmf_fields_%s[] = {\n", r->ident);
    char *names = ct_format("%s", "");
    for (size_t i = 0; i < r->nnames; i++)
        names = ct_format("%s\"%s\", ", names, r->names[i]);
    write_wrapped(out, ct_format("%sNULL", names));
    fprintf(out, "\n};\nstatic const size_t hmf_offsets_%s[] = {\n", r->ident);
    for (int i = 0; i < r->nfields; i++) {
        const struct ct_field *f = &r->fields[i];
        if (f->empty)
            continue;
        if (f->bits >= 0)
            fprintf(out, "    HMF_TYPE_BITS_OFFSET,\n");
        else
            fprintf(out, "    offsetof(%s, %s),\n", r->c_name, f->member);
    }
    fprintf(out, "};\n");
    write_checks(out, r);
}

static void write_types(FILE *out, const struct ct_source *s)
{
    bool first = true;

    for (size_t i = 0; i < s->nrecords; i++) {
        const struct ct_record *r = s->records[i];
        if (r->used && r->made_from)
            fprintf(out, "typedef %s %s;\n", r->made_from, r->c_name);
    }
    for (size_t i = 0; i < s->nrecords; i++)
        if (described(s->records[i])) {
            fprintf(out, "%s    HMF_TYPE_%s = %d", first ? "\nenum {\n" : ",\n",
                    s->records[i]->ident, s->records[i]->number);
            first = false;
        }
    if (!first)
        fprintf(out, "\n};\n");
    for (size_t i = 0; i < s->nrecords; i++)
        if (described(s->records[i]))
            write_record(out, s->records[i]);
    if (first)
        return;
    fprintf(out, "\nstatic const struct hmf_checktype_type hmf_types[] = {\n");
    for (size_t i = 0; i < s->nrecords; i++) {
        const struct ct_record *r = s->records[i];
        if (described(r))
            fprintf(out, "    {HMF_TYPE_%s, \"%s\", hmf_desc_%s, HMF_COUNT_(hmf_desc_%s),\n"
                    "     hmf_fields_%s, {sizeof(%s), __alignof__(%s),\n"
                    "     hmf_offsets_%s, HMF_COUNT_(hmf_offsets_%s)}},\n",
                    r->ident, r->name, r->ident, r->ident, r->ident, r->c_name, r->c_name, r->ident,
                    r->ident);
    }
    fprintf(out, "};\n");
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct ct_variable *const *)a)->name, (*(struct ct_variable *const *)b)->name);
}

static void write_variables(FILE *out, struct ct_source *s)
{
    if (!s->nvariables)
        return;
    qsort(s->variables, s->nvariables, sizeof *s->variables, by_name);
    for (size_t i = 0; i < s->nvariables; i++) {
        fprintf(out, "\n/* %s */\nstatic const int hmf_variable_%zu[] = {\n", s->variables[i]->name,
                i);
        write_wrapped(out, s->variables[i]->tokens);
        fprintf(out, ",\n};\n");
    }
    fprintf(out, "\nstatic const struct hmf_checktype_variable hmf_variables[] = {\n");
    for (size_t i = 0; i < s->nvariables; i++) {
        const struct ct_variable *v = s->variables[i];
        if (v->reachable)
            fprintf(out, "    {\"%s\", (void *)&%s, sizeof %s,", v->name, v->name, v->name);
        else
            fprintf(out, "    {\"%s\", NULL, 0,", v->name);
        fprintf(out, " hmf_variable_%zu, HMF_COUNT_(hmf_variable_%zu), %d},\n", i, i, v->tracked);
    }
    fprintf(out, "};\n");
}

static bool is_function_type(const struct ct_source *s, const char *type)
{
    for (size_t i = 0; i < s->nfunction_types; i++)
        if (!strcmp(s->function_types[i], type))
            return true;
    return false;
}

/* Functions whose address is taken somewhere and that a described pointer may lead to. */
static size_t write_functions(FILE *out, const struct ct_source *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->nfunctions; i++) {
        const struct ct_function *f = s->functions[i];
        if (!is_function_type(s, f->type))
            continue;
        if (!n++)
            fprintf(out, "\nstatic const struct hmf_checktype_function hmf_functions[] = {\n");
        if (f->is_static)
            fprintf(out, "    {\"%s:%s\", (hmf_function_t)%s},\n", file_name(s->path), f->name,
                    f->name);
        else
            fprintf(out, "    {\"%s\", (hmf_function_t)%s},\n", f->name, f->name);
    }
    if (n)
        fprintf(out, "};\n");
    return n;
}

static const char *list(const char *name, size_t n)
{
    return n ? ct_format("%s, HMF_COUNT_(%s)", name, name) : "NULL, 0";
}

char *ct_write(struct ct_source *s, const struct ct_output *o, size_t *len)
{
    char *text = NULL;
    size_t ntypes = 0, nfunctions = 0;

    if (!number_all(s))
        return NULL;
    FILE *out = open_memstream(&text, len);
    if (!out)
        return NULL;
    for (size_t i = 0; i < s->nrecords; i++)
        ntypes += described(s->records[i]);
    fprintf(out,
            "/* Descriptions of the types in %s, made by hmf-checktype: do not edit, run it again\n"
            " * when they change.  Serves all machines; nothing here is about the one it was made "
            "on. */\n", o->source);
    if (o->include)
        fprintf(out, "#include %s\n", o->include);
    fprintf(out, "#include <hmf/checktype.h>\n#include <stddef.h>\n\n");
    write_types(out, s);
    write_variables(out, s);
    if (!o->include)
        nfunctions = write_functions(out, s);
    fprintf(out,
            "\nstatic struct hmf_checktype_unit hmf_unit = {\n    1, \"%s\",\n    %s,\n    %s,\n"
            "    %s, NULL\n};\n",
            o->source, list("hmf_types", ntypes), list("hmf_variables", s->nvariables),
            list("hmf_functions", nfunctions));
    fprintf(out, "\n__attribute__((constructor)) static void hmf_unit_begin(void)\n{\n"
            "    hmf_checktype_add(&hmf_unit);\n}\n");
    if (fclose(out))
        return NULL;
    return text;
}
