/* Descriptions from debug information: what DWARF says of a type, in the numbers of typemap.h.
 *
 * A struct that a generated file describes is named by that file's number.  Any other becomes a
 * user type of its own if its fields say all by themselves; its number is a hash of the
 * definition.  Finding the variables is globals.c's. */
#include "config.h"

#include "globals.h"

#include "base.h"
#include "cnames.h"
#include "hmf/checktype.h"
#include "hmf/type.h"
#include "type.h"
#include "typemap.h"

#include <dwarf.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

struct number {
    const char *name;
    int token;
};

static hmf_status_t refuse(struct hmf__gdesc *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static hmf_status_t refuse(struct hmf__gdesc *out, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(out->why, sizeof out->why, fmt, ap);
    va_end(ap);
    return HMF_ERR_TYPE;
}

static hmf_status_t put(struct hmf__gdesc *out, int token)
{
    if (out->n == out->cap) {
        size_t cap = out->cap ? 2 * out->cap : 16;
        int *v = hmf__realloc(out->v, cap * sizeof *v);
        if (!v)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a description");
        out->v = v;
        out->cap = cap;
    }
    out->v[out->n++] = token;
    return HMF_OK;
}

static const char *name_of(Dwarf_Die *die)
{
    const char *name = dwarf_diename(die);

    return name ? name : "";
}

bool hmf__globals_type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attr;

    return dwarf_attr_integrate(die, DW_AT_type, &attr) && dwarf_formref_die(&attr, type);
}

bool hmf__globals_plain(Dwarf_Die *type, bool *is_const)
{
    for (;;) {
        switch (dwarf_tag(type)) {
        case DW_TAG_const_type:
            *is_const = true;
            break;
        case DW_TAG_typedef:
        case DW_TAG_volatile_type:
        case DW_TAG_restrict_type:
        case DW_TAG_atomic_type:
            break;
        default:
            return true;
        }
        if (!hmf__globals_type_of(type, type))
            return false;
    }
}

/* ---- numbers ---- */

static const struct number *find(const struct number *numbers, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(numbers[i].name, name))
            return &numbers[i];
    return NULL;
}

#define PAIR(name, token) {name, token},
#define FIND(numbers, name) find(numbers, sizeof numbers / sizeof *numbers, name)

static size_t size_of(Dwarf_Die *type)
{
    Dwarf_Word size = 0;

    return dwarf_aggregate_size(type, &size) ? 0 : (size_t)size;
}

static bool is_size(int token, size_t size)
{
    size_t have = 0;

    return hmf_type_check(&token, 1, &have) == HMF_OK && have == size;
}

static hmf_status_t basic(Dwarf_Die *type, struct hmf__gdesc *out)
{
    /* gcc's names; clang's are those that C programmers write */
    static const struct number names[] = {
        HMF__C_BASICS(PAIR)
        {"long int", typeLONG}, {"long unsigned int", typeULONG},
        {"short int", typeSHORT}, {"short unsigned int", typeUSHORT},
        {"long long int", typeLLONG}, {"long long unsigned int", typeULLONG},
    };
    static const int complexes[] = {typeFCOMPLEX, typeDCOMPLEX, typeLDCOMPLEX};
    const char *name = name_of(type);
    const struct number *known = FIND(names, name);
    size_t size = size_of(type);
    Dwarf_Attribute attr;
    Dwarf_Word encoding = 0;

    if (known && is_size(known->token, size))
        return put(out, known->token);
    dwarf_formudata(dwarf_attr(type, DW_AT_encoding, &attr), &encoding);
    for (size_t i = 0; encoding == DW_ATE_complex_float && i < 3; i++)
        if (is_size(complexes[i], size))
            return put(out, complexes[i]);
    return refuse(out, "%s of %zu bytes has no number in typemap.h", name, size);
}

/* An enum's kind as hmf-checktype would say it, so that both describe the same. */
static hmf_status_t enumeration(Dwarf_Die *type, struct hmf__gdesc *out)
{
    static const int others[] = {typeUINT8, typeUINT16, typeUINT32, typeUINT64};
    bool large = false, negative = false;
    size_t size = size_of(type);
    Dwarf_Die child;

    if (dwarf_child(type, &child) == 0)
        do {
            Dwarf_Attribute attr;
            Dwarf_Sword value = 0;
            if (dwarf_formsdata(dwarf_attr(&child, DW_AT_const_value, &attr), &value))
                continue;
            large |= value > INT_MAX;
            negative |= value < 0;
        } while (dwarf_siblingof(&child, &child) == 0);
    if (size == sizeof(int))
        return put(out, large && !negative ? typeUINT : typeENUM);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_size(others[i], size))
            return put(out, negative ? others[i] - 1 : others[i]);
    return refuse(out, "an enum of %zu bytes", size);
}

/* An integer of a system header whose width is the machine's choice. */
static bool system_integer(Dwarf_Die *name, Dwarf_Die *behind, struct hmf__gdesc *out)
{
    const char *file = dwarf_decl_file(name);
    Dwarf_Attribute attr;
    Dwarf_Word encoding = 0;
    size_t size = size_of(behind);

    if (!file || strncmp(file, "/usr/", 5) || size < 4 || dwarf_tag(behind) != DW_TAG_base_type)
        return false;
    dwarf_formudata(dwarf_attr(behind, DW_AT_encoding, &attr), &encoding);
    if (strncmp(name_of(behind), "long", 4) ||
        (encoding != DW_ATE_signed && encoding != DW_ATE_unsigned))
        return false;
    bool sign = encoding == DW_ATE_signed;
    return put(out, size == 8 ? (sign ? typeINT64 : typeUINT64)
                              : (sign ? typeINT32 : typeUINT32)) == HMF_OK;
}

/* ---- structs ---- */

struct fields {
    struct hmf__gdesc desc; /* without the number of fields */
    const char **names;
    size_t *offsets;
    size_t n, cap, names_cap;
};

static hmf_status_t describe(Dwarf_Die *type, struct hmf__gdesc *out, int depth);

static hmf_status_t add_field(struct fields *f, const char *name, size_t offset)
{
    if (f->n + 1 >= f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 16;
        const char **names = hmf__realloc(f->names, cap * sizeof *names);
        if (names)
            f->names = names;
        size_t *offsets = hmf__realloc(f->offsets, cap * sizeof *offsets);
        if (offsets)
            f->offsets = offsets;
        if (!names || !offsets)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for the fields of a struct");
        f->cap = cap;
    }
    f->names[f->n] = name;
    f->offsets[f->n++] = offset;
    f->names[f->n] = NULL;
    return HMF_OK;
}

static hmf_status_t add_members(Dwarf_Die *type, size_t base, struct fields *f, int depth)
{
    struct hmf__gdesc *out = &f->desc;
    hmf_status_t st = HMF_OK;
    Dwarf_Die child, field_type, plain;

    if (dwarf_child(type, &child))
        return HMF_OK;
    do {
        Dwarf_Attribute attr;
        Dwarf_Word offset = 0;
        bool ignored = false;
        const char *name = name_of(&child);
        if (dwarf_tag(&child) != DW_TAG_member)
            continue;
        if (dwarf_hasattr(&child, DW_AT_bit_size))
            return refuse(out, "field %s: a bit-field, and debug information does not tell all of "
                               "them: mark the struct with checktype", name);
        dwarf_formudata(dwarf_attr(&child, DW_AT_data_member_location, &attr), &offset);
        if (!hmf__globals_type_of(&child, &field_type))
            return refuse(out, "field %s has no type", name);
        plain = field_type;
        hmf__globals_plain(&plain, &ignored);
        if (!*name && dwarf_tag(&plain) == DW_TAG_structure_type) {
            st = add_members(&plain, base + offset, f, depth + 1);
        } else if (size_of(&plain) == 0) {
            if (dwarf_tag(&plain) == DW_TAG_array_type)
                return refuse(out, "field %s: a flexible array: mark the struct with checktype",
                              name);
        } else if ((st = add_field(f, name, base + offset)) == HMF_OK) {
            st = describe(&field_type, out, depth + 1);
            if (st == HMF_ERR_TYPE) {
                char why[HMF__GLOBALS_WHY];
                memcpy(why, out->why, sizeof why);
                snprintf(out->why, sizeof out->why, "field %s: %.400s", name, why);
            }
        }
        if (st)
            return st;
    } while (dwarf_siblingof(&child, &child) == 0);
    return HMF_OK;
}

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
    const unsigned char *p = data;

    while (len--)
        h = (h ^ *p++) * 0x100000001b3u;
    return h;
}

/* Above hmf-checktype's numbers there is no room, so among them: a clash is found, and refused. */
static int number_of(const char *name, const struct fields *f)
{
    uint64_t h = hash(0xcbf29ce484222325u, name, strlen(name) + 1);

    for (size_t i = 0; i < f->n; i++)
        h = hash(h, f->names[i], strlen(f->names[i]) + 1);
    for (size_t i = 0; i < f->desc.n; i++) { /* byte by byte: the same in either byte order */
        unsigned char bytes[4];
        for (int k = 0; k < 4; k++)
            bytes[k] = (unsigned char)((unsigned)f->desc.v[i] >> (8 * k));
        h = hash(h, bytes, 4);
    }
    h ^= h >> 32;
    return (int)(0x40000000u | (h & 0x3fffffffu));
}

/* DWARF does not tell a struct's alignment: that of its fields, as far as they lie accordingly (in
 * packed structs they do not). */
static hmf_status_t align_of(const struct hmf__gdesc *whole, const struct fields *f, size_t size,
                             size_t *out)
{
    struct hmf__types t;
    uint32_t id;
    size_t align = 1;

    hmf__types_init(&t, NULL);
    hmf_status_t st = hmf__types_compile(&t, whole->v, whole->n, NULL, &id);
    for (size_t i = 0; st == HMF_OK && i < f->n; i++) {
        size_t a = t.v[t.v[id].fields[i].type].align;
        while (a > 1 && f->offsets[i] % a)
            a /= 2;
        align = a > align ? a : align;
    }
    while (align > 1 && size % align)
        align /= 2;
    hmf__types_fini(&t);
    *out = align;
    return st;
}

static hmf_status_t define(const char *name, size_t size, struct fields *f, struct hmf__gdesc *out)
{
    struct hmf__gdesc whole = {0};
    struct hmf_type_layout layout = {.size = size, .offsets = f->offsets, .noffsets = f->n};
    int number = number_of(name, f);
    hmf_status_t st = put(&whole, -(int)f->n);

    for (size_t i = 0; i < f->desc.n && st == HMF_OK; i++)
        st = put(&whole, f->desc.v[i]);
    if (st == HMF_OK)
        st = align_of(&whole, f, size, &layout.align);
    if (st == HMF_OK)
        st = hmf_type_define(number, name, whole.v, whole.n, f->names, &layout);
    if (st == HMF_OK)
        st = hmf_type_check(&number, 1, NULL);
    hmf__free(whole.v);
    if (st == HMF_OK)
        return put(out, number);
    return st == HMF_ERR_NOMEM ? st : refuse(out, "%s", hmf_error_text());
}

/* The number under which a generated file describes it; 0: none does. */
static hmf_status_t marked(const char *name, size_t size, int *number, struct hmf__gdesc *out)
{
    const int *known;
    size_t known_len, known_size = 0;

    *number = 0;
    if (hmf_checktype_find(name, &known, &known_len) || known_len != 1 || known[0] < 10000)
        return HMF_OK;
    if (hmf_type_check(known, known_len, &known_size))
        return refuse(out, "%s", hmf_error_text());
    if (known_size != size)
        return refuse(out, "%s has %zu bytes here, and %zu where it is marked: name them "
                           "differently", name, size, known_size);
    *number = known[0];
    return HMF_OK;
}

static void spell(Dwarf_Die *type, const char *alias, char *name, size_t room)
{
    const char *tag = name_of(type),
               *word = dwarf_tag(type) == DW_TAG_union_type ? "union" : "struct";

    if (*tag)
        snprintf(name, room, "%s %s", word, tag);
    else
        snprintf(name, room, "%s", alias ? alias : word);
}

/* By the name that the source gives it, or that of the first typedef of it. */
static hmf_status_t record(Dwarf_Die *type, const char *alias, struct hmf__gdesc *out, int depth)
{
    static const struct { const char *name, *what; } handles[] = {
#define HANDLE(name, what) {name, what},
        HMF__C_HANDLE_RECORDS(HANDLE)
    };
    char name[256];
    size_t size = size_of(type);
    int number;

    spell(type, alias, name, sizeof name);
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        if (!strcmp(name, handles[i].name))
            return refuse(out, "%s belongs to the process that made it: exclude it, and make it "
                               "anew after auto_read", handles[i].what);
    if (dwarf_tag(type) == DW_TAG_union_type)
        return refuse(out, "a union, and debug information does not tell which member holds: mark "
                           "the struct around it with checktype (hmf/checktype.h)");
    if (dwarf_hasattr(type, DW_AT_declaration))
        return refuse(out, "%s is not defined where the variable is", name);
    hmf_status_t st = marked(name, size, &number, out);
    if (st || number)
        return st ? st : put(out, number);
    struct fields f = {.desc = {.in_struct = true}};
    st = add_members(type, 0, &f, depth);
    if (st == HMF_OK && !f.n)
        st = refuse(&f.desc, "%s has no fields", name);
    if (st == HMF_OK) {
        st = define(name, size, &f, out);
    } else if (st == HMF_ERR_TYPE) {
        refuse(out, "%s, %s", name, f.desc.why);
    }
    hmf__free(f.desc.v);
    hmf__free(f.names);
    hmf__free(f.offsets);
    return st;
}

/* ---- all types ---- */

static hmf_status_t array(Dwarf_Die *type, struct hmf__gdesc *out, int depth)
{
    Dwarf_Die child, elem;
    hmf_status_t st = HMF_OK;
    size_t dims = 0;

    if (!hmf__globals_type_of(type, &elem))
        return refuse(out, "an array of nothing");
    if (dwarf_child(type, &child) == 0)
        do {
            Dwarf_Attribute attr;
            Dwarf_Word n = 0;
            if (dwarf_tag(&child) != DW_TAG_subrange_type)
                continue;
            if (!dwarf_formudata(dwarf_attr(&child, DW_AT_count, &attr), &n))
                ;
            else if (!dwarf_formudata(dwarf_attr(&child, DW_AT_upper_bound, &attr), &n))
                n++;
            if (n < 1 || n > INT_MAX)
                return refuse(out, "an array of no or too many elements");
            if ((st = put(out, typeARRAY)) || (st = put(out, (int)n)))
                return st;
            dims++;
        } while (dwarf_siblingof(&child, &child) == 0);
    return dims ? describe(&elem, out, depth + 1) : refuse(out, "an array without a length");
}

static bool plain_of(Dwarf_Die *type, Dwarf_Die *plain)
{
    bool ignored = false;

    *plain = *type;
    return hmf__globals_plain(plain, &ignored);
}

/* Behind a variable's pointer stands one object of a type that is marked, as with HMF_TRACK. */
static hmf_status_t pointer(Dwarf_Die *type, struct hmf__gdesc *out)
{
    Dwarf_Die behind, plain;
    const char *alias = NULL;
    char name[256];
    int number = 0;

    if (hmf__globals_type_of(type, &behind) && plain_of(&behind, &plain)) {
        if (dwarf_tag(&plain) == DW_TAG_subroutine_type)
            return put(out, typeFUNCTION);
        if (dwarf_tag(&behind) == DW_TAG_typedef)
            alias = name_of(&behind);
        spell(&plain, alias, name, sizeof name);
        if (dwarf_tag(&plain) == DW_TAG_structure_type && !out->in_struct) {
            hmf_status_t st = marked(name, size_of(&plain), &number, out);
            if (!st && number && !(st = put(out, typePOINTER)))
                st = put(out, number);
            if (st || number)
                return st;
        }
    }
    if (out->in_struct)
        return refuse(out, "a pointer, and debug information tells no length: mark the struct with "
                           "checktype (hmf/checktype.h)");
    return refuse(out, "a pointer, and debug information tells no length: register it with "
                       "HMF_TRACK_POINTER(p, n) (hmf/checktype.h) before, or exclude it");
}

static hmf_status_t describe(Dwarf_Die *type, struct hmf__gdesc *out, int depth)
{
    static const struct number typedefs[] = {HMF__C_TYPEDEFS(PAIR)};
    static const struct number mpi[] = {HMF__C_MPI_HANDLES(PAIR)};
    static const struct { const char *name, *what; } handles[] = {
        HMF__C_HANDLE_TYPEDEFS(HANDLE)
    };
    Dwarf_Die t = *type;
    const char *alias = NULL;

    if (depth > MAX_DEPTH)
        return refuse(out, "types are nested too deep");
    for (;;) {
        const char *name = name_of(&t);
        const struct number *known;
        Dwarf_Die behind;
        bool ignored = false;
        switch (dwarf_tag(&t)) {
        case DW_TAG_base_type:
            return basic(&t, out);
        case DW_TAG_enumeration_type:
            return enumeration(&t, out);
        case DW_TAG_array_type:
            return array(&t, out, depth);
        case DW_TAG_structure_type:
        case DW_TAG_union_type:
            return record(&t, alias, out, depth);
        case DW_TAG_pointer_type:
            return pointer(&t, out);
        case DW_TAG_typedef:
            if ((known = FIND(mpi, name)))
                return put(out, known->token);
            for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
                if (!strcmp(name, handles[i].name))
                    return refuse(out, "%s belongs to the process that made it: exclude it, and "
                                       "make it anew after auto_read", handles[i].what);
            if (!hmf__globals_type_of(&t, &behind))
                return refuse(out, "nothing is known of the type %s", name);
            alias = name;
            t = behind;
            hmf__globals_plain(&behind, &ignored);
            if (dwarf_tag(&behind) != DW_TAG_base_type)
                continue;
            if ((known = FIND(typedefs, name)) && is_size(known->token, size_of(&behind)))
                return put(out, known->token);
            if (system_integer(type, &behind, out))
                return HMF_OK;
            continue;
        case DW_TAG_const_type:
        case DW_TAG_volatile_type:
        case DW_TAG_restrict_type:
        case DW_TAG_atomic_type:
            if (!hmf__globals_type_of(&t, &behind))
                return refuse(out, "nothing is known of its type");
            t = behind;
            continue;
        default:
            return refuse(out, "a type that has no description: exclude it");
        }
    }
}

hmf_status_t hmf__globals_describe(Dwarf_Die *type, struct hmf__gdesc *out)
{
    out->n = 0;
    out->why[0] = 0;
    return describe(type, out, 0);
}
