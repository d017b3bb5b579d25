/* Variables found by debug information; and debug information as the witness that generated
 * descriptions are right: offset and size of each field of each type that one describes. */
#include "config.h"

#include "unit.h"

#include "base.h"
#include "hmf/globals.h"
#include "hmf/type.h"
#include "type.h"
#include "typemap.h"

#include "checktype/hard.h"
#include "checktype/nasty.h"
#include "checktype/shapes.h"
#include "globals_more.h"

#include <stdlib.h>
#include <string.h>

hard_odd_t hard_variable;
value_t nasty_value;
ping_t nasty_ping;
mix shapes_mix;
tree_t shapes_trees[4];

static int same_name = 1;
double globals_numbers[2][5];
const int globals_constant = 3;
enum { DONE = 1, FAR = 300 } globals_state;
_Thread_local int globals_of_thread;
int *globals_pointer;
union { int i; float f; } globals_union;
FILE *globals_file;
int (*globals_rule)(int) = globals_more;
size_t globals_size;
value_t *globals_value;
static struct {
    char tag;
    struct globals_pair pair;
    struct {
        float x, y;
    };
    int (*rule)(int);
    uint8_t bytes[3];
} globals_mixed;
struct with_pointer {
    int n;
    double *v;
} globals_owner;
static struct __attribute__((packed)) {
    char c;
    double d;
} globals_packed;

#ifdef HAVE_LIBDW
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { MAX_FOUND = 64 };

struct found {
    struct hmf_globals_variable v[MAX_FOUND];
    char names[MAX_FOUND][64], why[MAX_FOUND][512];
    int desc[MAX_FOUND][16];
    size_t n;
};

static hmf_status_t note(void *ctx, const struct hmf_globals_variable *v)
{
    struct found *f = ctx;

    CU_ASSERT_FATAL(f->n < MAX_FOUND);
    CU_ASSERT_EQUAL(!v->desc, v->why && *v->why);
    f->v[f->n] = *v;
    snprintf(f->names[f->n], sizeof f->names[0], "%s", v->name);
    snprintf(f->why[f->n], sizeof f->why[0], "%s", v->why ? v->why : "");
    for (size_t i = 0; i < v->desc_len && i < 16; i++)
        f->desc[f->n][i] = v->desc[i];
    f->n++;
    return HMF_OK;
}

static void look(const char *include, const char *exclude, struct found *f)
{
    memset(f, 0, sizeof *f);
    hmf_status_t st = hmf_globals_each(include, exclude, note, f);
    if (st)
        printf("\n%s\n", hmf_error_text());
    CU_ASSERT_EQUAL(st, HMF_OK);
}

static size_t find(const struct found *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (!strcmp(f->names[i], name))
            return i;
    printf("\n%s is missing\n", name);
    CU_FAIL_FATAL("a variable was not found");
    return 0;
}

static void described(const struct found *f, const char *name, const void *address, size_t size)
{
    size_t i = find(f, name), have = 0;

    CU_ASSERT_PTR_EQUAL(f->v[i].address, address);
    CU_ASSERT_EQUAL(f->v[i].size, size);
    if (!f->v[i].desc)
        printf("\n%s: %s\n", name, f->why[i]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->v[i].desc);
    CU_ASSERT_EQUAL(hmf_type_check(f->desc[i], f->v[i].desc_len, &have), HMF_OK);
    CU_ASSERT_EQUAL(size % have, 0);
}

static void refused(const struct found *f, const char *name, const char *why)
{
    size_t i = find(f, name);

    CU_ASSERT_PTR_NULL(f->v[i].desc);
    if (!strstr(f->why[i], why))
        printf("\n%s: %s\n", name, f->why[i]);
    CU_ASSERT_PTR_NOT_NULL(strstr(f->why[i], why));
}

static struct found all;

static void test_variables(void)
{
    same_name++;
    globals_more(1);
    look(NULL, NULL, &all);
    described(&all, "globals_numbers", globals_numbers, sizeof globals_numbers);
    described(&all, "globals_state", &globals_state, sizeof globals_state);
    described(&all, "globals_rule", &globals_rule, sizeof globals_rule);
    described(&all, "globals_shared", &globals_shared, sizeof globals_shared);
    described(&all, "globals_size", &globals_size, sizeof globals_size);
    described(&all, "globals_value", &globals_value, sizeof globals_value);
    described(&all, "test_globals.c:globals_mixed", &globals_mixed, sizeof globals_mixed);
    described(&all, "test_globals.c:globals_packed", &globals_packed, sizeof globals_packed);
    described(&all, "test_globals.c:same_name", &same_name, sizeof same_name);
    described(&all, "nasty_value", &nasty_value, sizeof nasty_value);
    described(&all, "shapes_trees", shapes_trees, sizeof shapes_trees);
    CU_ASSERT_EQUAL(all.v[find(&all, "globals_more.c:same_name")].size, sizeof(int));
    CU_ASSERT_EQUAL(all.v[find(&all, "globals_more.c:globals_more:calls")].size, sizeof(int));
    CU_ASSERT_EQUAL(all.desc[find(&all, "globals_size")][0], typeSIZE);
    CU_ASSERT_EQUAL(all.desc[find(&all, "globals_state")][0], typeENUM);
    refused(&all, "globals_pointer", "HMF_TRACK_POINTER");
    refused(&all, "globals_union", "which member holds");
    refused(&all, "globals_file", "a pointer");
    refused(&all, "globals_owner", "field v: a pointer");
    for (size_t i = 0; i < all.n; i++) {
        CU_ASSERT(strcmp(all.names[i], "globals_constant") && strcmp(all.names[i], "globals_of_thread"));
        CU_ASSERT_PTR_NULL(strstr(all.names[i], "hmf_")); /* what generated files and the library have */
        CU_ASSERT(!i || strcmp(all.names[i - 1], all.names[i]) < 0);
        if (strncmp(all.names[i], "globals_", 8) && strncmp(all.names[i], "test_globals.c:", 15) &&
            strncmp(all.names[i], "nasty_", 6) && strncmp(all.names[i], "hard_", 5) && strncmp(all.names[i], "shapes_", 7)) {
            printf("\n%s is not ours\n", all.names[i]);
            CU_FAIL("a variable of the library");
        }
    }
}

static void test_lists(void)
{
    static struct found some;

    look("same_name", NULL, &some);
    CU_ASSERT_EQUAL(some.n, 2);
    look("globals_more.c:same_name, globals_n*", NULL, &some);
    CU_ASSERT_EQUAL(some.n, 2);
    look("globals_more.c:*", "calls", &some);
    CU_ASSERT_EQUAL(some.n, 1);
    look(NULL, "*", &some);
    CU_ASSERT_EQUAL(some.n, 0);
    CU_ASSERT_EQUAL(hmf_globals_each("same_name,nobody", NULL, note, &some), HMF_ERR_NOTFOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "'nobody'"));
    CU_ASSERT_EQUAL(hmf_globals_each(NULL, NULL, NULL, NULL), HMF_ERR_ARG);
}

/* ---- the witness ---- */

struct witness {
    const struct hmf__types *types;
    const struct hmf__type *type;
    const char *name;
    size_t fields; /* compared */
};

static const struct hmf__field *field_named(const struct hmf__type *type, const char *name)
{
    for (uint32_t i = 0; i < type->nfields; i++)
        if (type->fields[i].name && !strcmp(type->fields[i].name, name))
            return &type->fields[i];
    return NULL;
}

static void plain_type(Dwarf_Die *die, Dwarf_Die *out)
{
    Dwarf_Attribute attr;

    *out = *die;
    do
        if (!dwarf_formref_die(dwarf_attr_integrate(out, DW_AT_type, &attr), out))
            return;
    while (dwarf_tag(out) == DW_TAG_typedef || dwarf_tag(out) == DW_TAG_const_type);
}

static void compare_members(struct witness *w, Dwarf_Die *record, size_t base)
{
    Dwarf_Die member, type;
    Dwarf_Attribute attr;

    if (dwarf_child(record, &member))
        return;
    do {
        const char *name = dwarf_diename(&member);
        Dwarf_Word offset = 0, size = 0;
        if (dwarf_tag(&member) != DW_TAG_member || dwarf_hasattr(&member, DW_AT_bit_size))
            continue;
        dwarf_formudata(dwarf_attr(&member, DW_AT_data_member_location, &attr), &offset);
        plain_type(&member, &type);
        if (!name && dwarf_tag(&type) == DW_TAG_structure_type) {
            compare_members(w, &type, base + offset);
            continue;
        }
        const struct hmf__field *f = field_named(w->type, name ? name : "");
        if (!f)
            printf("\n%s has no field %s\n", w->name, name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(f);
        if (f->offset != base + offset)
            printf("\n%s.%s: offset %llu, not %llu\n", w->name, name,
                   (unsigned long long)f->offset, (unsigned long long)(base + offset));
        CU_ASSERT_EQUAL(f->offset, base + offset);
        if (!dwarf_aggregate_size(&type, &size) && w->types->v[f->type].kind != HMF__KIND_FLEX)
            CU_ASSERT_EQUAL(w->types->v[f->type].size, size);
        w->fields++;
    } while (dwarf_siblingof(&member, &member) == 0);
}

static void compare_struct(Dwarf_Die *die, const char *name, size_t *types, size_t *fields)
{
    struct hmf__types t;
    const int *desc;
    size_t len;
    uint32_t id;
    Dwarf_Word size = 0;

    if (dwarf_hasattr(die, DW_AT_declaration) || hmf_checktype_find(name, &desc, &len))
        return;
    hmf__types_init(&t, NULL);
    CU_ASSERT_EQUAL_FATAL(hmf__types_compile(&t, desc, len, NULL, &id), HMF_OK);
    struct witness w = {&t, &t.v[id], name, 0};
    dwarf_aggregate_size(die, &size);
    CU_ASSERT_EQUAL(t.v[id].size, size);
    compare_members(&w, die, 0);
    hmf__types_fini(&t);
    ++*types;
    *fields += w.fields;
}

static void test_layouts(void)
{
    static char *path;
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                             .find_debuginfo = dwfl_build_id_find_debuginfo,
                                             .debuginfo_path = &path};
    Dwfl *dwfl = dwfl_begin(&callbacks);
    size_t types = 0, fields = 0;
    Dwarf_Die *unit = NULL, die;
    Dwarf_Addr bias;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dwfl);
    CU_ASSERT_EQUAL(dwfl_linux_proc_report(dwfl, getpid()), 0);
    dwfl_report_end(dwfl, NULL, NULL);
    Dwfl_Module *module = dwfl_addrmodule(dwfl, getauxval(AT_ENTRY));
    while ((unit = dwfl_module_nextcu(module, unit, &bias))) {
        const char *source = dwarf_diename(unit);
        if (!strstr(source, ".types.c") || dwarf_child(unit, &die))
            continue;
        do {
            char name[256];
            Dwarf_Die record = die;
            snprintf(name, sizeof name, "struct %s", dwarf_diename(&die) ? dwarf_diename(&die) : "");
            if (dwarf_tag(&die) == DW_TAG_typedef) {
                plain_type(&die, &record);
                snprintf(name, sizeof name, "%s", dwarf_diename(&die));
            }
            if (dwarf_tag(&record) == DW_TAG_structure_type)
                compare_struct(&record, name, &types, &fields);
        } while (dwarf_siblingof(&die, &die) == 0);
    }
    dwfl_end(dwfl);
    printf(" %zu types, %zu fields ", types, fields);
    CU_ASSERT(types >= 18 && fields >= 110);
}

static const struct unit_test tests[] = {
    {"variables", test_variables},
    {"lists of names", test_lists},
    {"generated layouts are the compiler's", test_layouts},
};
#else
static hmf_status_t note(void *ctx, const struct hmf_globals_variable *v)
{
    (void)ctx, (void)v;
    return HMF_OK;
}

static void test_without(void)
{
    (void)globals_mixed, (void)globals_packed, (void)same_name;
    CU_ASSERT_EQUAL(hmf_globals_each(NULL, NULL, note, NULL), HMF_ERR_UNSUPPORTED);
}

static const struct unit_test tests[] = {{"without libdw", test_without}};
#endif

UNIT_MAIN("globals", tests)
