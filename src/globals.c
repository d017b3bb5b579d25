/* The variables of the executable, found by its debug information: which there are, what they are
 * called, where they lie.  Their types are globals_type.c's, registering them globals_track.c's. */
#include "config.h"

#include "hmf/globals.h"

#include "globals.h"

#include "base.h"
#include "checktype.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

struct variable {
    char *name, *file;
    struct hmf_globals_variable told;
    struct hmf__gdesc desc;
};

struct search {
    const char *include, *exclude;
    Dwarf_Addr bias;
    const char *file;      /* of the unit at hand, without folders */
    const char *function;  /* around it, or NULL */
    struct variable *v;
    size_t n, cap;
    hmf_status_t st;
};

/* ---- lists of names ---- */

/* The next pattern of a list; false: the list is at its end, or the pattern is too long. */
static bool next_pattern(const char **list, char *out, size_t room)
{
    const char *p = *list + strspn(*list, ", ");
    size_t len = strcspn(p, ",");

    *list = p + len;
    while (len && p[len - 1] == ' ')
        len--;
    if (!len || len >= room)
        return false;
    memcpy(out, p, len);
    out[len] = 0;
    return true;
}

static bool matches(const char *pattern, const char *name)
{
    const char *own = strrchr(name, ':');

    if (!strchr(pattern, ':') && own)
        name = own + 1;
    return fnmatch(pattern, name, 0) == 0;
}

static bool listed(const char *list, const char *name)
{
    char pattern[512];

    while (next_pattern(&list, pattern, sizeof pattern))
        if (matches(pattern, name))
            return true;
    return false;
}

static hmf_status_t check_include(const struct search *s)
{
    const char *list = s->include ? s->include : "";
    char pattern[512];

    while (next_pattern(&list, pattern, sizeof pattern)) {
        bool found = false;
        for (size_t i = 0; i < s->n && !found; i++)
            found = matches(pattern, s->v[i].name);
        if (!found)
            return hmf__fail(HMF_ERR_NOTFOUND,
                             "no variable of the program is called '%s', or it was compiled "
                             "without -g where that is defined", pattern);
    }
    return HMF_OK;
}

/* ---- variables ---- */

/* Where a variable lies; false: in a register, in each thread, or nowhere. */
static bool address_of(struct search *s, Dwarf_Die *die, uintptr_t *out)
{
    Dwarf_Attribute attr, indirect;
    Dwarf_Op *op;
    size_t n;
    Dwarf_Addr address;

    if (!dwarf_attr(die, DW_AT_location, &attr) || dwarf_getlocation(&attr, &op, &n) || n != 1)
        return false;
    if (op->atom == DW_OP_addr)
        address = op->number;
    else if (op->atom != DW_OP_addrx || dwarf_getlocation_attr(&attr, op, &indirect) ||
             dwarf_formaddr(&indirect, &address))
        return false;
    *out = (uintptr_t)(address + s->bias);
    return true;
}

static bool is_known(const struct search *s, uintptr_t address)
{
    for (size_t i = 0; i < s->n; i++)
        if ((uintptr_t)s->v[i].told.address == address)
            return true;
    return false;
}

static char *full_name(const struct search *s, Dwarf_Die *die, const char *name)
{
    Dwarf_Attribute attr;
    bool external = false;
    size_t room = strlen(name) + strlen(s->file) + (s->function ? strlen(s->function) : 0) + 3;
    char *out = hmf__malloc(room);

    if (!out)
        return NULL;
    dwarf_formflag(dwarf_attr_integrate(die, DW_AT_external, &attr), &external);
    if (external)
        snprintf(out, room, "%s", name);
    else if (s->function)
        snprintf(out, room, "%s:%s:%s", s->file, s->function, name);
    else
        snprintf(out, room, "%s:%s", s->file, name);
    return out;
}

struct marked {
    const void *address;
    const struct hmf_checktype_variable *found;
};

static hmf_status_t find_marked(void *ctx, const struct hmf_checktype_variable *v)
{
    struct marked *m = ctx;

    if (v->address == m->address)
        m->found = v;
    return HMF_OK;
}

/* Marked variables have their descriptions already. */
static hmf_status_t describe(struct variable *v, Dwarf_Die *type)
{
    struct marked m = {.address = v->told.address};
    hmf_status_t st = hmf__checktype_each(find_marked, &m);

    if (st)
        return st;
    if (m.found) {
        v->told.desc = m.found->desc;
        v->told.desc_len = m.found->desc_len;
        return HMF_OK;
    }
    st = hmf__globals_describe(type, &v->desc);
    if (st == HMF_ERR_TYPE)
        return HMF_OK; /* the text is set by the time that it is told */
    return st;
}

static hmf_status_t add(struct search *s, Dwarf_Die *die)
{
    const char *name = dwarf_diename(die);
    Dwarf_Die type, plain;
    Dwarf_Word size;
    uintptr_t address;
    bool is_const = false;

    if (!name || !address_of(s, die, &address) || is_known(s, address) ||
        !hmf__globals_type_of(die, &type))
        return HMF_OK;
    plain = type;
    hmf__globals_plain(&plain, &is_const);
    while (dwarf_tag(&plain) == DW_TAG_array_type && hmf__globals_type_of(&plain, &plain))
        hmf__globals_plain(&plain, &is_const);
    if (is_const || !strncmp(name, "hmf_", 4) || !strncmp(name, "__", 2) ||
        dwarf_aggregate_size(&type, &size) || !size)
        return HMF_OK;

    char *full = full_name(s, die, name);
    if (!full)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the name of variable %s", name);
    if ((s->include && !listed(s->include, full)) || (s->exclude && listed(s->exclude, full))) {
        hmf__free(full);
        return HMF_OK;
    }
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 32;
        struct variable *v = hmf__realloc(s->v, cap * sizeof *v);
        if (!v) {
            hmf__free(full);
            return hmf__fail(HMF_ERR_NOMEM, "no memory for %zu variables", cap);
        }
        s->v = v;
        s->cap = cap;
    }
    struct variable *v = &s->v[s->n++];
    const char *file = dwarf_decl_file(die);
    *v = (struct variable){.name = full, .file = hmf__strdup(file ? file : "?")};
    v->told.address = (void *)address;
    v->told.size = (size_t)size;
    dwarf_decl_line(die, &v->told.line);
    return v->file ? describe(v, &type)
                   : hmf__fail(HMF_ERR_NOMEM, "no memory for the name of a file");
}

/* ---- units ---- */

static void look_in(struct search *s, Dwarf_Die *around)
{
    Dwarf_Die child;
    const char *function = s->function;

    if (dwarf_child(around, &child))
        return;
    do {
        switch (dwarf_tag(&child)) {
        case DW_TAG_variable:
            s->st = add(s, &child);
            break;
        case DW_TAG_subprogram:
            s->function = dwarf_diename(&child);
            look_in(s, &child);
            s->function = function;
            break;
        case DW_TAG_lexical_block:
            look_in(s, &child);
            break;
        default:
            break;
        }
    } while (!s->st && dwarf_siblingof(&child, &child) == 0);
}

/* A statically linked library's own units are those that define what only it may. */
static bool is_ours(Dwarf_Die *unit)
{
    Dwarf_Die child;

    if (dwarf_child(unit, &child))
        return false;
    do {
        Dwarf_Attribute attr;
        bool external = false;
        const char *name = dwarf_diename(&child);
        if (dwarf_tag(&child) != DW_TAG_subprogram || !name ||
            dwarf_hasattr(&child, DW_AT_declaration))
            continue;
        dwarf_formflag(dwarf_attr_integrate(&child, DW_AT_external, &attr), &external);
        if (external && (!strncmp(name, "hmf_", 4) || !strcmp(name, "auto_init") ||
                         !strcmp(name, "MPI_Init")))
            return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

static hmf_status_t look(struct search *s)
{
    /* debug information in the file itself or under /usr/lib/debug: never over the network */
    static char *path = NULL;
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_linux_proc_find_elf,
        .find_debuginfo = dwfl_build_id_find_debuginfo,
        .debuginfo_path = &path,
    };
    hmf_status_t st = HMF_OK;
    Dwfl *dwfl = dwfl_begin(&callbacks);

    if (!dwfl)
        return hmf__fail(HMF_ERR_NOMEM, "the debug information cannot be read: %s",
                         dwfl_errmsg(-1));
    if (dwfl_linux_proc_report(dwfl, getpid()) || dwfl_report_end(dwfl, NULL, NULL)) {
        st = hmf__fail(HMF_ERR_IO, "the program's memory map cannot be read: %s", dwfl_errmsg(-1));
        goto end;
    }
    Dwfl_Module *module = dwfl_addrmodule(dwfl, getauxval(AT_ENTRY));
    Dwarf_Die *unit = NULL;
    bool any = false;
    while (module && !s->st && (unit = dwfl_module_nextcu(module, unit, &s->bias))) {
        const char *name = dwarf_diename(unit), *slash = name ? strrchr(name, '/') : NULL;
        any = true;
        s->file = slash ? slash + 1 : name ? name : "?";
        if (!is_ours(unit))
            look_in(s, unit);
    }
    st = s->st;
    if (!any)
        st = hmf__fail(HMF_ERR_NOTFOUND, "the program has no debug information: compile it with "
                                         "-g, and do not strip it");
end:
    dwfl_end(dwfl);
    return st;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct variable *)a)->name, ((const struct variable *)b)->name);
}

hmf_status_t hmf_globals_each(const char *include, const char *exclude, hmf_globals_cb each,
                              void *ctx)
{
    struct search s = {.include = include, .exclude = exclude};

    if (!each)
        return hmf__fail(HMF_ERR_ARG, "hmf_globals_each needs a function to call");
    hmf_status_t st = hmf_checktype_define();
    if (st == HMF_OK)
        st = look(&s);
    if (st == HMF_OK)
        st = check_include(&s);
    if (s.n)
        qsort(s.v, s.n, sizeof *s.v, by_name);
    for (size_t i = 0; i < s.n && st == HMF_OK; i++) {
        struct variable *v = &s.v[i];
        struct hmf_globals_variable told = v->told;
        told.name = v->name;
        told.file = v->file;
        if (!told.desc && !*v->desc.why) {
            told.desc = v->desc.v;
            told.desc_len = v->desc.n;
        }
        told.why = told.desc ? NULL : v->desc.why;
        if (i && !strcmp(v->name, s.v[i - 1].name)) {
            told.desc = NULL;
            told.why = "another variable has this name: rename one, or exclude both";
        }
        st = each(ctx, &told);
    }
    for (size_t i = 0; i < s.n; i++) {
        hmf__free(s.v[i].name);
        hmf__free(s.v[i].file);
        hmf__free(s.v[i].desc.v);
    }
    hmf__free(s.v);
    return st;
}
