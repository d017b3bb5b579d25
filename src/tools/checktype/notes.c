/* hmf-checktype: the marks of fields and variables, from the annotations that <hmf/checktype.h>
 * makes of them while hmf-checktype reads. */
#include "config.h"

#include "model.h"

#include <string.h>

/* Splits "a, f(b, c)" at its outer commas. */
static void split_lengths(struct ct_source *s, struct ct_place place, const char *text,
                          struct ct_notes *n)
{
    int depth = 0;
    const char *from = text;

    for (const char *p = text;; p++) {
        if (*p == '(' || *p == '[')
            depth++;
        if (*p == ')' || *p == ']')
            depth--;
        if (*p && (*p != ',' || depth > 0))
            continue;
        if (n->nlengths == CT_MAX_LEVELS) {
            ct_find(s, place, false, "HMF_LEN(%s): more than %d lengths", text, CT_MAX_LEVELS);
            return;
        }
        while (*from == ' ')
            from++;
        n->lengths[n->nlengths++] = ct_format("%.*s", (int)(p - from), from);
        if (!*p)
            return;
        from = p + 1;
    }
}

bool ct_notes_add(struct ct_source *s, struct ct_place place, const char *text, struct ct_notes *n)
{
    static const char prefix[] = "hmf:";

    if (strncmp(text, prefix, sizeof prefix - 1))
        return false;
    text += sizeof prefix - 1;
    const char *eq = strchr(text, '=');
    size_t len = eq ? (size_t)(eq - text) : strlen(text);
    const char *value = eq ? ct_format("%s", eq + 1) : NULL;
#define IS(word) (len == sizeof(word) - 1 && !strncmp(text, word, len))
    if (IS("checktype")) {
        n->marked = true;
    } else if (IS("one")) {
        n->one = true;
    } else if (IS("block")) {
        n->one = n->block = true;
    } else if (IS("string")) {
        n->string = true;
    } else if (IS("weak")) {
        n->weak = true;
    } else if (IS("transient")) {
        n->transient = true;
    } else if (IS("opaque")) {
        n->opaque = true;
    } else if (IS("default")) {
        n->is_default = true;
    } else if (IS("len") && value) {
        split_lengths(s, place, value, n);
    } else if (IS("points_to") && value) {
        n->points_to = value;
    } else if (IS("switch") && value) {
        n->switch_on = value;
    } else if (IS("case") && value) {
        n->cases = n->cases ? ct_format("%s, %s", n->cases, value) : value;
    } else if (IS("as") && value) {
        n->as = value;
    } else if (!IS("track")) {
        ct_find(s, place, false, "unknown annotation \"hmf:%s\": <hmf/checktype.h> lists those "
                "that there are", text);
    }
#undef IS
    return true;
}

static const struct ct_type *inside_arrays(const struct ct_type *t)
{
    while (t->kind == CT_ARRAY || t->kind == CT_FLEXIBLE)
        t = t->elem;
    return t;
}

/* How many lengths a type may have; *pointer: the last one is a pointer's. */
static int levels_of(const struct ct_type *t, bool *pointer)
{
    int levels = 0;

    for (; t->kind == CT_POINTER || t->kind == CT_ARRAY || t->kind == CT_FLEXIBLE; t = t->elem)
        if (t->kind != CT_ARRAY) {
            levels++;
            *pointer = t->kind == CT_POINTER;
        }
    return levels;
}

static void check_lengths(struct ct_source *s, struct ct_place place, const char *what,
                          const struct ct_type *type, const struct ct_notes *n)
{
    bool pointer = false;
    int levels = levels_of(type, &pointer);

    if (n->points_to || !n->nlengths || !levels)
        return;
    if (n->nlengths > levels)
        ct_find(s, place, false, "%s: %d lengths, but %s has room for %d", what, n->nlengths,
                type->spelled, levels);
    else if (n->nlengths == levels && pointer && (n->one || n->string))
        ct_find(s, place, false, "%s: HMF_LEN and HMF_%s contradict each other: write one of them",
                what, n->block ? "BLOCK" : n->one ? "ONE" : "STRING");
}

void ct_notes_check(struct ct_source *s, struct ct_place place, const char *what,
                    const struct ct_type *type, const struct ct_notes *n)
{
    const struct ct_type *t = inside_arrays(type);
    bool pointer = t->kind == CT_POINTER;
    bool is_union = t->kind == CT_RECORD && t->record->is_union;

    if (n->transient || n->opaque) {
        if (n->nlengths || n->string || n->weak || n->points_to || n->switch_on || n->as ||
            (n->transient && n->opaque))
            ct_find(s, place, true, "%s: beside HMF_%s other marks have no meaning: remove them",
                    what, n->transient ? "TRANSIENT" : "OPAQUE");
        return;
    }
    if (n->nlengths && !pointer && type->kind != CT_FLEXIBLE)
        ct_find(s, place, false, "%s: HMF_LEN belongs to pointers and flexible arrays, this is %s",
                what, type->spelled);
    check_lengths(s, place, what, type, n);
    if ((n->weak || n->one) && !pointer)
        ct_find(s, place, false, "%s: HMF_%s belongs to pointers, this is %s", what,
                n->weak ? "WEAK" : n->block ? "BLOCK" : "ONE", type->spelled);
    if (n->points_to && !(pointer && t->elem->kind == CT_VOID))
        ct_find(s, place, false, "%s: HMF_POINTS_TO belongs to void *, this is %s", what,
                type->spelled);
    if ((n->switch_on || n->as) && !is_union)
        ct_find(s, place, false, "%s: HMF_%s belongs to unions, this is %s", what,
                n->as ? "AS" : "SWITCH", type->spelled);
    if (n->string) {
        while (t->kind == CT_POINTER || t->kind == CT_ARRAY || t->kind == CT_FLEXIBLE)
            t = t->elem;
        if (!t->is_char)
            ct_find(s, place, false, "%s: HMF_STRING belongs to char * and char [n], this is %s",
                    what, type->spelled);
    }
}
