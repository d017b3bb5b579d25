/* Which nodes of a table are the same type: partition refinement.
 *
 * All nodes that look alike by themselves begin in one class; a class is split as long as its
 * members' children are of different classes.  What is left equal is equal however deep one
 * follows it, through recursion too.  Names play no part.
 */
#include "config.h"

#include "type.h"

#include "base.h"
#include "typecache.h"

#include <stdlib.h>
#include <string.h>

struct sorter {
    const struct hmf__types *t;
    const uint32_t *class; /* of the round before; NULL in the first */
};

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_alone(const struct hmf__type *a, const struct hmf__type *b)
{
    int c;

    if ((c = order(a->kind, b->kind)) || (c = order(a->size, b->size)) ||
        (c = order(a->align, b->align)) || (c = order(a->count, b->count)) ||
        (c = order(a->nfields, b->nfields)) || (c = order(a->nleaves, b->nleaves)) ||
        (c = order(a->len, b->len)) || (c = order(a->len_field, b->len_field)) ||
        (c = order(a->len_up, b->len_up)) || (c = order(a->weak, b->weak)) ||
        (c = order(a->otherwise, b->otherwise)) || (c = order(a->unnamed, b->unnamed)))
        return c;
    if (a->nfields == 0 && (c = order(a->number, b->number))) /* a struct's number is a name */
        return c;
    if ((c = order(a->nexpr, b->nexpr)) ||
        (a->nexpr && (c = memcmp(a->expr, b->expr, a->nexpr * sizeof *a->expr))))
        return c;
    for (uint32_t i = 0; i < a->nfields; i++)
        if ((c = order(a->fields[i].offset, b->fields[i].offset)) ||
            (c = order((uint64_t)a->fields[i].value, (uint64_t)b->fields[i].value)))
            return c;
    return 0;
}

static int compare(const void *x, const void *y, void *ctx)
{
    const struct sorter *s = ctx;
    uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
    const struct hmf__type *a = &s->t->v[i], *b = &s->t->v[j];
    int c;

    if (!s->class)
        return compare_alone(a, b);
    if ((c = order(s->class[i], s->class[j])))
        return c;
    if (a->elem != HMF__TYPE_NONE && (c = order(s->class[a->elem], s->class[b->elem])))
        return c;
    for (uint32_t f = 0; f < a->nfields; f++)
        if ((c = order(s->class[a->fields[f].type], s->class[b->fields[f].type])))
            return c;
    return 0;
}

hmf_status_t hmf__types_classes(struct hmf__types *t)
{
    uint32_t n = t->n, nclasses = 0;

    if (t->nclassed == n && t->classes)
        return HMF_OK;
    uint32_t *index = hmf__malloc(n * sizeof *index);
    uint32_t *class = hmf__malloc(n * sizeof *class), *next = hmf__malloc(n * sizeof *next);
    hmf_status_t rc = HMF_OK;
    if (!index || !class || !next) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to compare %u types", n);
        goto drop;
    }
    for (uint32_t i = 0; i < n; i++)
        index[i] = i;
    for (bool first = true;; first = false) {
        struct sorter s = {t, first ? NULL : class};
        uint32_t found = 0;
        qsort_r(index, n, sizeof *index, compare, &s);
        for (uint32_t i = 0; i < n; i++) {
            if (i == 0 || compare(&index[i - 1], &index[i], &s))
                found++;
            next[index[i]] = found;
        }
        uint32_t *swap = class;
        class = next;
        next = swap;
        if (found == nclasses) /* no class was split */
            break;
        nclasses = found;
    }
    /* name each class by its smallest member */
    for (uint32_t i = 0; i <= nclasses && i < n; i++)
        index[i] = HMF__TYPE_NONE;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t *representative = &index[class[i] - 1];
        if (*representative == HMF__TYPE_NONE)
            *representative = i;
        next[i] = *representative;
    }
    hmf__free(t->classes);
    t->classes = next;
    t->nclassed = n;
    next = NULL;
drop:
    hmf__free(index);
    hmf__free(class);
    hmf__free(next);
    return rc;
}
