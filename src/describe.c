/* Nodes of a type table back to a description (typemap.h), as images and files carry it.
 *
 * A recursive type is cut at the pointer that closes the circle; one that nests deeper than
 * descriptions may is abbreviated.
 */
#include "config.h"

#include "type.h"

#include "base.h"

#include "typemap.h"

enum { DESCRIBE_MAX = 4096 }; /* ints that are written before it abbreviates */

struct writer {
    const struct hmf__types *t;
    struct hmf__buf *out;
    size_t limit; /* of out->len, where abbreviation begins */
    uint32_t enclosing[HMF__MAX_DEPTH + 1];
    int nenclosing;
};

static void put_type(struct writer *w, uint32_t id, int depth);

static void put_field(struct writer *w, const struct hmf__field *f, int depth)
{
    if (f->align) {
        hmf__buf_put_i32(w->out, typeALIGNED);
        hmf__buf_put_i32(w->out, (int32_t)f->align);
    }
    put_type(w, f->type, depth + 1);
}

static void put_length(struct writer *w, const struct hmf__type *y)
{
    if (!y->nexpr)
        hmf__buf_put_i32(w->out, (int32_t)typeUP(y->len_up, y->len_field));
    for (uint32_t i = 0; i < y->nexpr; i++)
        hmf__buf_put_i32(w->out, y->expr[i]);
}

static void put_type(struct writer *w, uint32_t id, int depth)
{
    const struct hmf__type *y = &w->t->v[id];

    switch (y->kind) {
    case HMF__KIND_ARRAY:
        hmf__buf_put_i32(w->out, typeARRAY);
        hmf__buf_put_i32(w->out, (int32_t)y->count);
        put_type(w, y->elem, depth + 1);
        break;
    case HMF__KIND_POINTER:
        hmf__buf_put_i32(w->out, y->weak                  ? typeWEAK
                                 : y->len == HMF__LEN_FIXED ? typePOINTER
                                                            : typeCOUNTED);
        if (y->len != HMF__LEN_FIXED)
            put_length(w, y);
        for (int k = 0; k < w->nenclosing; k++)
            if (w->enclosing[w->nenclosing - 1 - k] == y->elem) {
                hmf__buf_put_i32(w->out, typeSELF);
                hmf__buf_put_i32(w->out, k);
                return;
            }
        /* types nest deeper than descriptions may: the rest is only said to be there */
        if (depth + w->t->v[y->elem].depth >= HMF__MAX_DEPTH || w->out->len >= w->limit)
            hmf__buf_put_i32(w->out, typeVOID);
        else
            put_type(w, y->elem, depth + 1);
        break;
    case HMF__KIND_STRUCT:
        if (y->packed)
            hmf__buf_put_i32(w->out, typePACKED);
        hmf__buf_put_i32(w->out, -(int32_t)y->nfields);
        w->enclosing[w->nenclosing++] = id;
        for (uint32_t i = 0; i < y->nfields; i++)
            put_field(w, &y->fields[i], depth);
        w->nenclosing--;
        break;
    case HMF__KIND_UNION:
        hmf__buf_put_i32(w->out, y->otherwise ? typeUNIONELSE : typeUNION);
        if (y->len == HMF__LEN_FIXED)
            hmf__buf_put_i32(w->out, -1);
        else
            put_length(w, y);
        hmf__buf_put_i32(w->out, (int32_t)(y->nfields - y->otherwise));
        for (uint32_t i = 0; i < y->nfields; i++) {
            if (i + y->otherwise < y->nfields)
                hmf__buf_put_i32(w->out, (int32_t)y->fields[i].value);
            put_field(w, &y->fields[i], depth);
        }
        break;
    case HMF__KIND_BITS:
        hmf__buf_put_i32(w->out, typeBITS);
        hmf__buf_put_i32(w->out, y->unnamed ? -(int32_t)y->count : (int32_t)y->count);
        hmf__buf_put_i32(w->out, (int32_t)y->number);
        break;
    case HMF__KIND_FLEX:
        hmf__buf_put_i32(w->out, typeFLEX);
        put_length(w, y);
        put_type(w, y->elem, depth + 1);
        break;
    case HMF__KIND_CSTRING:
        hmf__buf_put_i32(w->out, typeCSTRING);
        break;
    case HMF__KIND_VOID:
        hmf__buf_put_i32(w->out, typeVOID);
        break;
    case HMF__KIND_FSTRING:
    case HMF__KIND_OPAQUE:
        hmf__buf_put_i32(w->out, y->kind == HMF__KIND_OPAQUE ? typeOPAQUE : typeFSTRING);
        hmf__buf_put_i32(w->out, (int32_t)y->count);
        break;
    case HMF__KIND_FUNCTION:
        hmf__buf_put_i32(w->out, typeFUNCTION);
        break;
    case HMF__KIND_TRANSIENT:
        hmf__buf_put_i32(w->out, typeTRANSIENT);
        put_type(w, y->elem, depth + 1);
        break;
    default:
        hmf__buf_put_i32(w->out, (int32_t)y->number);
    }
}

hmf_status_t hmf__types_describe(const struct hmf__types *t, uint32_t id, struct hmf__buf *out)
{
    struct writer w = {.t = t, .out = out, .limit = out->len + 4 * DESCRIBE_MAX};

    put_type(&w, id, 0);
    return out->status;
}
