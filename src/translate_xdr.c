/* Described types through XDR: the external format that neither side's layout plays a part in.
 * Values by hand are xdr.c's.
 */
#include "config.h"

#include "hmf/translate.h"

#include "base.h"
#include "type.h"

#include <string.h>

struct place {
    hmf_xdr_t *x;
    const struct hmf__types *types;
};

static hmf_status_t code(struct place *p, uint32_t id, char *at, uint64_t count);

/* `count` structs in a row, field by field; types nest HMF__MAX_DEPTH deep at most. */
static hmf_status_t code_structs(struct place *p, const struct hmf__type *y, char *at,
                                 uint64_t count)
{
    hmf_status_t rc = HMF_OK;

    for (uint64_t i = 0; i < count && rc == HMF_OK; i++, at += y->size)
        for (uint32_t f = 0; f < y->nfields && rc == HMF_OK; f++) {
            rc = code(p, y->fields[f].type, at + y->fields[f].offset, 1);
            if (rc != HMF_OK && y->fields[f].name)
                hmf__fail_prefix(rc, "field %s", y->fields[f].name);
        }
    return rc;
}

static hmf_status_t code(struct place *p, uint32_t id, char *at, uint64_t count)
{
    uint64_t inner;
    hmf_status_t rc = HMF_OK;

    hmf__types_flatten(p->types, id, &id, &inner);
    const struct hmf__type *y = &p->types->v[id];
    count *= inner; /* no more than the bytes of the variable */
    switch (y->kind) {
    case HMF__KIND_INT:
    case HMF__KIND_FLOAT:
    case HMF__KIND_COMPLEX:
        return hmf_xdr_values(p->x, (int)y->number, at, (size_t)count);
    case HMF__KIND_STRUCT:
        return code_structs(p, y, at, count);
    case HMF__KIND_FSTRING:
    case HMF__KIND_OPAQUE:
        for (; count && rc == HMF_OK; count--, at += y->size)
            rc = hmf_xdr_opaque(p->x, at, (size_t)y->size);
        return rc;
    case HMF__KIND_TRANSIENT:
        if (hmf_xdr_op_of(p->x) == HMF_XDR_DECODE)
            memset(at, 0, (size_t)(y->size * count));
        return hmf_xdr_status(p->x);
    default:
        return hmf_xdr_refuse(p->x, HMF_ERR_UNSUPPORTED, "pointers, unions and the like have no "
                              "external form of their own: send an object, or write a procedure");
    }
}

hmf_status_t hmf_translate_xdr(hmf_xdr_t *x, const int *desc, size_t desc_len, void *data,
                               size_t count)
{
    struct hmf__types types;
    struct place p = {x, &types};
    uint64_t bytes;
    uint32_t id;
    hmf_status_t rc;

    if (hmf_xdr_status(x) != HMF_OK || hmf_xdr_op_of(x) == HMF_XDR_RELEASE)
        return hmf_xdr_status(x);
    if (!desc || (!data && count))
        return hmf_xdr_refuse(x, HMF_ERR_ARG, "a type description and memory are needed");
    hmf__types_init(&types, NULL);
    rc = hmf__types_compile(&types, desc, desc_len, NULL, &id);
    if (rc == HMF_OK && hmf__mul_overflow_u64(types.v[id].size, count, &bytes))
        rc = hmf__fail(HMF_ERR_LIMIT, "there are too many elements for any memory");
    if (rc == HMF_OK)
        rc = code(&p, id, data, count);
    hmf__types_fini(&types);
    return rc;
}
