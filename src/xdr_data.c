/* XDR of constructed data: opaque bytes, strings, arrays, optional data, unions.
 *
 * Lengths that are read decide nothing until as much has arrived: memory for them grows in steps.
 */
#include "config.h"

#include "xdr.h"

#include "base.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 64 << 10 }; /* bytes that are allocated before any has arrived */

static hmf_status_t fail(hmf_xdr_t *x, hmf_status_t status, const char *what, uint64_t n)
{
    return hmf__xdr_fail(x, hmf__fail(status, "byte %" PRIu64 " of XDR data: %s (%" PRIu64 ")",
                                      x->position, what, n));
}

static hmf_status_t no_memory(hmf_xdr_t *x, size_t n)
{
    return fail(x, HMF_ERR_NOMEM, "no memory for so many bytes", n);
}

static hmf_status_t enter(hmf_xdr_t *x)
{
    if (x->depth >= HMF_XDR_DEPTH)
        return fail(x, HMF_ERR_LIMIT, "nested too deep; send lists as arrays", x->depth);
    x->depth++;
    return HMF_OK;
}

/* A length in front of data; at most max. */
static hmf_status_t length(hmf_xdr_t *x, size_t *n, size_t max)
{
    unsigned wire = (unsigned)*n;

    if (x->op == HMF_XDR_ENCODE && (*n > max || *n > UINT32_MAX))
        return fail(x, HMF_ERR_LIMIT, "there are more elements than allowed", *n);
    if (hmf_xdr_uint(x, &wire) != HMF_OK)
        return x->status;
    if (x->op == HMF_XDR_DECODE && wire > max)
        return fail(x, HMF_ERR_LIMIT, "there are more elements than allowed", wire);
    if (x->op == HMF_XDR_DECODE)
        *n = wire;
    return HMF_OK;
}

static hmf_status_t padding(hmf_xdr_t *x, size_t n)
{
    unsigned char pad[4] = {0, 0, 0, 0};
    size_t more = -n & 3;

    if (x->op == HMF_XDR_ENCODE)
        return hmf__xdr_put(x, pad, more);
    if (hmf__xdr_get(x, pad, more) != HMF_OK)
        return x->status;
    return pad[0] | pad[1] | pad[2] ? fail(x, HMF_ERR_FORMAT, "padding is not zero", more) : HMF_OK;
}

hmf_status_t hmf_xdr_opaque(hmf_xdr_t *x, void *bytes, size_t n)
{
    if (x->status != HMF_OK || x->op == HMF_XDR_RELEASE)
        return x->status;
    if (x->op == HMF_XDR_ENCODE)
        hmf__xdr_put(x, bytes, n);
    else
        hmf__xdr_get(x, bytes, n);
    return padding(x, n);
}

/* n bytes and a NUL into fresh memory that grows with what arrives. */
static hmf_status_t get_grown(hmf_xdr_t *x, size_t n, char **out)
{
    size_t have = 0, cap = 0;
    char *p = NULL;

    if (n > hmf__xdr_left(x))
        return fail(x, HMF_ERR_FORMAT, "the data end before so many bytes", n);
    do {
        size_t want = have ? 2 * have : STEP;
        cap = want < n ? want : n;
        char *more = hmf__realloc(p, cap + 1);
        if (!more) {
            hmf__free(p);
            return no_memory(x, cap);
        }
        p = more;
        if (hmf__xdr_get(x, p + have, cap - have) != HMF_OK) {
            hmf__free(p);
            return x->status;
        }
        have = cap;
    } while (have < n);
    p[n] = '\0';
    *out = p;
    return HMF_OK;
}

static void drop(void **p)
{
    hmf__free(*p);
    *p = NULL;
}

hmf_status_t hmf_xdr_bytes(hmf_xdr_t *x, void **bytes, size_t *n, size_t max)
{
    char *p;

    if (x->status != HMF_OK)
        return x->status;
    if (x->op == HMF_XDR_RELEASE) {
        drop(bytes);
        *n = 0;
        return HMF_OK;
    }
    size_t count = *n;
    if (length(x, &count, max) != HMF_OK)
        return x->status;
    if (x->op == HMF_XDR_ENCODE)
        return hmf_xdr_opaque(x, *bytes, count);
    if (!count) {
        *bytes = NULL;
        *n = 0;
        return HMF_OK;
    }
    if (get_grown(x, count, &p) != HMF_OK)
        return x->status;
    *bytes = p;
    *n = count;
    return padding(x, count);
}

hmf_status_t hmf_xdr_string(hmf_xdr_t *x, char **text, size_t max)
{
    char *p;

    if (x->status != HMF_OK)
        return x->status;
    if (x->op == HMF_XDR_RELEASE) {
        hmf__free(*text);
        *text = NULL;
        return HMF_OK;
    }
    if (x->op == HMF_XDR_ENCODE && !*text)
        return fail(x, HMF_ERR_ARG, "a string is NULL: send it as optional data", 0);
    size_t n = x->op == HMF_XDR_ENCODE ? strlen(*text) : 0;
    if (length(x, &n, max) != HMF_OK)
        return x->status;
    if (x->op == HMF_XDR_ENCODE)
        return hmf_xdr_opaque(x, *text, n);
    if (get_grown(x, n, &p) != HMF_OK)
        return x->status;
    *text = p;
    if (strlen(p) != n)
        return fail(x, HMF_ERR_FORMAT, "a string has a NUL inside", strlen(p));
    return padding(x, n);
}

hmf_status_t hmf_xdr_vector(hmf_xdr_t *x, void *items, size_t n, size_t item_size,
                            hmf_xdr_proc *proc)
{
    char *at = items;

    for (size_t i = 0; i < n && x->status == HMF_OK; i++, at += item_size)
        hmf__xdr_fail(x, proc(x, at));
    return x->status;
}

/* Elements one by one into memory that grows; *items and *n are good for release at any time. */
static hmf_status_t get_items(hmf_xdr_t *x, void **items, size_t *n, size_t count,
                              size_t item_size, hmf_xdr_proc *proc)
{
    size_t cap = 0, first = STEP / item_size + 1;
    char *p = NULL;

    *items = NULL;
    *n = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == cap) {
            size_t want = cap ? (cap > count / 2 ? count : 2 * cap) : first, bytes;
            want = want < count ? want : count;
            char *more = hmf__mul_overflow(want, item_size, &bytes) ? NULL
                                                                    : hmf__realloc(p, bytes);
            if (!more)
                return no_memory(x, want * item_size);
            *items = p = more;
            cap = want;
        }
        memset(p + i * item_size, 0, item_size); /* what decoding and release begin with */
        *n = i + 1;
        uint64_t before = x->position;
        if (hmf__xdr_fail(x, proc(x, p + i * item_size)) != HMF_OK)
            return x->status;
        /* Elements of no bytes would let four bytes claim any amount of memory. */
        if (x->position == before && i >= STEP)
            return fail(x, HMF_ERR_LIMIT, "too many elements that take no bytes", count);
    }
    return HMF_OK;
}

hmf_status_t hmf_xdr_array(hmf_xdr_t *x, void **items, size_t *n, size_t max, size_t item_size,
                           hmf_xdr_proc *proc)
{
    size_t count = *n;

    if (x->status != HMF_OK)
        return x->status;
    if (!item_size || !proc)
        return fail(x, HMF_ERR_ARG, "an array needs the size of an element and a procedure", 0);
    if (enter(x) != HMF_OK)
        return x->status;
    if (x->op == HMF_XDR_RELEASE) {
        hmf_xdr_vector(x, *items, *items ? count : 0, item_size, proc);
        drop(items);
        *n = 0;
    } else if (length(x, &count, max) == HMF_OK) {
        if (x->op == HMF_XDR_ENCODE)
            hmf_xdr_vector(x, *items, count, item_size, proc);
        else
            get_items(x, items, n, count, item_size, proc);
    }
    x->depth--;
    return x->status;
}

/* The same for basic types, many at a time. */
static hmf_status_t get_values(hmf_xdr_t *x, int type, void **values, size_t *n, size_t count)
{
    size_t size = hmf__xdr_memory_size(type), wire = hmf_xdr_size_of(type), have = 0;
    char *p = NULL;

    if (count > hmf__xdr_left(x) / wire || count > SIZE_MAX / size)
        return fail(x, HMF_ERR_FORMAT, "the data end before so many values", count);
    while (have < count) {
        size_t want = have ? 2 * have : STEP / size;
        if (want > count)
            want = count;
        char *more = hmf__realloc(p, want * size);
        if (!more) {
            hmf__free(p);
            return no_memory(x, want * size);
        }
        p = more;
        if (hmf_xdr_values(x, type, p + have * size, want - have) != HMF_OK) {
            hmf__free(p);
            return x->status;
        }
        have = want;
    }
    *values = p;
    *n = count;
    return HMF_OK;
}

hmf_status_t hmf_xdr_value_array(hmf_xdr_t *x, int type, void **values, size_t *n, size_t max)
{
    size_t count = *n;

    if (x->status != HMF_OK)
        return x->status;
    if (!hmf_xdr_size_of(type))
        return fail(x, HMF_ERR_ARG, "this is no basic type that XDR knows", (uint64_t)type);
    if (x->op == HMF_XDR_RELEASE) {
        drop(values);
        *n = 0;
        return HMF_OK;
    }
    if (length(x, &count, max) != HMF_OK)
        return x->status;
    if (x->op == HMF_XDR_ENCODE)
        return hmf_xdr_values(x, type, *values, count);
    return get_values(x, type, values, n, count);
}

hmf_status_t hmf_xdr_optional(hmf_xdr_t *x, void **object, size_t size, hmf_xdr_proc *proc)
{
    int there = *object != NULL;

    if (x->status != HMF_OK)
        return x->status;
    if (!size || !proc)
        return fail(x, HMF_ERR_ARG, "optional data need a size and a procedure", 0);
    if (enter(x) != HMF_OK)
        return x->status;
    if (x->op == HMF_XDR_RELEASE) {
        if (there)
            hmf__xdr_fail(x, proc(x, *object));
        drop(object);
    } else if (hmf_xdr_bool(x, &there) == HMF_OK) {
        if (x->op == HMF_XDR_DECODE)
            *object = there ? hmf__calloc(1, size) : NULL;
        if (there && !*object)
            no_memory(x, size);
        else if (there)
            hmf__xdr_fail(x, proc(x, *object));
    }
    x->depth--;
    return x->status;
}

hmf_status_t hmf_xdr_union(hmf_xdr_t *x, int *discriminant, void *object,
                           const struct hmf_xdr_arm *arms, size_t narms, hmf_xdr_proc *otherwise)
{
    hmf_xdr_proc *proc = otherwise;
    bool found = false;

    if (hmf_xdr_int(x, discriminant) != HMF_OK || enter(x) != HMF_OK)
        return x->status;
    for (size_t i = 0; i < narms && !found; i++)
        if (arms[i].value == *discriminant) {
            proc = arms[i].proc;
            found = true;
        }
    if (!found && !otherwise) {
        /* nothing was decoded under such a value, so there is nothing to release */
        if (x->op != HMF_XDR_RELEASE)
            fail(x, HMF_ERR_RANGE, "no arm of the union has this discriminant",
                 (uint64_t)(int64_t)*discriminant);
    } else if (proc) {
        hmf__xdr_fail(x, proc(x, object));
    }
    x->depth--;
    return x->status;
}

hmf_status_t hmf_xdr_release(hmf_xdr_proc *proc, void *object)
{
    hmf_xdr_t x = {.op = HMF_XDR_RELEASE};

    if (!proc || !object)
        return hmf__fail(HMF_ERR_ARG, "what is to be released needs a procedure and an address");
    return hmf__xdr_fail(&x, proc(&x, object));
}
