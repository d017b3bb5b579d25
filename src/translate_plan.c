/* The public face of layouts and plans; see hmf/translate.h.  What they do is in type.c, layout.c and
 * plan.c.
 */
#include "config.h"

#include "hmf/translate.h"

#include "base.h"
#include "plan.h"
#include "type.h"

#include <string.h>

/* As the ABIs' documents have them: byte order, size of pointers, sign of char, alignment of double
 * in a struct, long double's format, size and alignment. */
static const struct machine {
    const char *name;
    struct hmf__abi abi;
} machines[] = {
    {"x86-64", {0, 8, 1, 8, HMF__LD_X87, 16, 16}},
    {"i386", {0, 4, 1, 4, HMF__LD_X87, 12, 4}},
    {"arm64", {0, 8, 0, 8, HMF__LD_QUAD, 16, 16}},
    {"armhf", {0, 4, 0, 8, HMF__LD_DOUBLE, 8, 8}},
    {"s390x", {1, 8, 0, 8, HMF__LD_QUAD, 16, 8}},
    {"powerpc", {1, 4, 0, 8, HMF__LD_PAIR, 16, 16}},
    {"ppc64el", {0, 8, 0, 8, HMF__LD_PAIR, 16, 16}},
    {"riscv64", {0, 8, 0, 8, HMF__LD_QUAD, 16, 16}},
    {"mips64el", {0, 8, 1, 8, HMF__LD_QUAD, 16, 16}},
};

enum { NMACHINES = sizeof machines / sizeof *machines };

struct hmf_layout {
    struct hmf__types types;
    uint32_t id;
};

struct hmf_plan {
    struct hmf__plan *plan;
};

const char *hmf_machine_name(size_t i)
{
    return i < NMACHINES ? machines[i].name : NULL;
}

hmf_status_t hmf_layout_new(const int *desc, size_t desc_len, const char *machine,
                            hmf_layout_t **out)
{
    const struct hmf__abi *abi = NULL;
    hmf_layout_t *l;
    hmf_status_t rc;

    if (!desc || !desc_len)
        return hmf__fail(HMF_ERR_ARG, "a layout needs a type description");
    for (size_t i = 0; machine && i < NMACHINES; i++)
        if (!strcmp(machines[i].name, machine))
            abi = &machines[i].abi;
    if (machine && !abi)
        return hmf__fail(HMF_ERR_NOTFOUND, "no machine %.100s is known: hmf_machine_name has the "
                         "list", machine);
    if (!(l = hmf__calloc(1, sizeof *l)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a layout");
    hmf__types_init(&l->types, abi);
    if ((rc = hmf__types_compile(&l->types, desc, desc_len, NULL, &l->id)) != HMF_OK ||
        (rc = hmf__types_classes(&l->types)) != HMF_OK) {
        hmf_layout_free(l);
        return rc;
    }
    *out = l;
    return HMF_OK;
}

void hmf_layout_free(hmf_layout_t *l)
{
    if (!l)
        return;
    hmf__types_fini(&l->types);
    hmf__free(l);
}

size_t hmf_layout_size(const hmf_layout_t *l)
{
    return (size_t)l->types.v[l->id].size;
}

size_t hmf_layout_align(const hmf_layout_t *l)
{
    return l->types.v[l->id].align;
}

size_t hmf_layout_leaves(const hmf_layout_t *l)
{
    return (size_t)l->types.v[l->id].nleaves;
}

size_t hmf_layout_leaf(const hmf_layout_t *l, size_t i, char *path, size_t path_size)
{
    if (i >= hmf_layout_leaves(l))
        return SIZE_MAX;
    uint64_t offset = hmf__layout_offset(&l->types, l->id, i);
    if (path && path_size)
        hmf__layout_leaf_path(&l->types, l->id, i, path, path_size);
    return (size_t)offset;
}

hmf_status_t hmf_plan_new(const hmf_layout_t *from, const hmf_layout_t *to, hmf_plan_t **out)
{
    hmf_plan_t *p = hmf__calloc(1, sizeof *p);
    uint32_t *map = hmf__malloc(from->types.n * sizeof *map);
    hmf_status_t rc;

    if (!p || !map) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory for a plan");
        goto drop;
    }
    for (uint32_t i = 0; i < from->types.n; i++)
        map[i] = HMF__TYPE_NONE;
    if ((rc = hmf__types_match(&from->types, from->id, &to->types, to->id, map)) == HMF_OK)
        rc = hmf__plan_make(&from->types, from->id, &to->types, to->id, &p->plan);
drop:
    hmf__free(map);
    if (rc == HMF_OK)
        *out = p;
    else
        hmf__free(p);
    return rc;
}

void hmf_plan_free(hmf_plan_t *p)
{
    if (!p)
        return;
    hmf__plan_free(p->plan);
    hmf__free(p);
}

int hmf_plan_is_copy(const hmf_plan_t *p)
{
    return hmf__plan_same(p->plan);
}

hmf_status_t hmf_plan_run(const hmf_plan_t *p, const void *from, void *to, uint64_t n)
{
    return hmf__plan_run(p->plan, from, to, n);
}
