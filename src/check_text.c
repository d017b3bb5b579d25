/*
 * Types as C text, for the people who look into a checkpoint.
 */
#include "config.h"

#include "check_outline.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 6

struct out {
    char *text;
    size_t len, used;
};

__attribute__((format(printf, 2, 3)))
static void put(struct out *o, const char *fmt, ...)
{
    if (o->used + 1 >= o->len)
        return;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(o->text + o->used, o->len - o->used, fmt, ap);
    va_end(ap);
    if (n > 0)
        o->used += (size_t)n;
    if (o->used >= o->len) {
        o->used = o->len - 1;
        if (o->len > 4)
            memcpy(o->text + o->len - 4, "...", 4);
    }
}

static void number(struct out *o, const struct hmf__type *t, const struct hmf__types *types)
{
    const char *basic = hmf__basic_name(t->number);
    if (basic != NULL)
        put(o, "%s", basic);
    else if (t->kind == HMF__KIND_INT)
        put(o, "%sint%u", t->is_signed ? "" : "u", (unsigned)t->size * 8);
    else if (t->kind == HMF__KIND_COMPLEX)
        put(o, "complex%u", (unsigned)t->size * 8);
    else if (t->size == 4 || t->size == 8)
        put(o, "%s", t->size == 4 ? "float" : "double");
    else
        put(o, "long double%s", types->abi.ldouble == HMF__LD_X87 ? " (x87)" : "");
}

/* A declaration of name (may be "") of that type: the element type, then the name with its
   stars and brackets. */
static void declare(struct out *o, const struct hmf__types *types, uint32_t index, const char *name,
                    int depth)
{
    char around[320], inner[320];
    if (o->used + 1 >= o->len)
        return;
    snprintf(around, sizeof around, "%s", name);
    while (index < types->n) {
        const struct hmf__type *t = &types->v[index];
        if (t->kind == HMF__KIND_POINTER)
            snprintf(inner, sizeof inner, "*%.300s", around);
        else if (t->kind == HMF__KIND_ARRAY && around[0] == '*')
            snprintf(inner, sizeof inner, "(%.270s)[%" PRIu64 "]", around, t->count);
        else if (t->kind == HMF__KIND_ARRAY)
            snprintf(inner, sizeof inner, "%.270s[%" PRIu64 "]", around, t->count);
        else
            break;
        memcpy(around, inner, sizeof around);
        index = t->elem;
    }
    const char *space = around[0] != '\0' && around[0] != '[' ? " " : "";
    if (index >= types->n) {
        put(o, "?%s%s", space, around);
        return;
    }
    const struct hmf__type *t = &types->v[index];
    switch (t->kind) {
    case HMF__KIND_INT:
    case HMF__KIND_FLOAT:
    case HMF__KIND_COMPLEX:
        number(o, t, types);
        break;
    case HMF__KIND_FSTRING:
        put(o, "char%s%s[%" PRIu64 "]", space, around, t->count);
        return;
    case HMF__KIND_CSTRING:
        put(o, "char");
        break;
    case HMF__KIND_VOID:
        put(o, "void");
        break;
    case HMF__KIND_STRUCT:
    case HMF__KIND_UNION:
        put(o, "%s", t->kind == HMF__KIND_UNION ? "union" : "struct");
        if (t->name != NULL)
            put(o, " %s", t->name);
        /* Behind a pointer the name is enough; without one the fields say what it is. */
        if (depth < MAX_DEPTH && (around[0] != '*' || t->name == NULL)) {
            put(o, " {");
            for (uint32_t i = 0; i < t->nfields; i++) {
                const struct hmf__field *f = &t->fields[i];
                declare(o, types, f->type, f->name != NULL ? f->name : "",
                        around[0] == '*' ? MAX_DEPTH : depth + 1);
                put(o, ";%s", i + 1 < t->nfields ? " " : "");
            }
            put(o, "}");
        }
        break;
    case HMF__KIND_BITS:
        number(o, t, types);
        if (t->unnamed)
            put(o, " : %" PRIu64, t->count);
        else
            put(o, "%s%s : %" PRIu64, space, around, t->count);
        return;
    case HMF__KIND_FLEX:
        snprintf(inner, sizeof inner, "%.300s[]", around);
        declare(o, types, t->elem, inner, depth);
        return;
    case HMF__KIND_FUNCTION:
        put(o, "function");
        break;
    case HMF__KIND_HANDLE:
        put(o, "handle");
        break;
    default:
        put(o, "bytes%" PRIu64, t->size);
        break;
    }
    put(o, "%s%s", space, around);
}

void hmf__outline_type_text(const struct hmf__types *types, uint32_t type, char *text, size_t len)
{
    struct out o = {text, len, 0};
    text[0] = '\0';
    declare(&o, types, type, "", 0);
}
