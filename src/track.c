/* track.c - HMF_TRACK and HMF_TRACK_ALL: variables registered with generated descriptions. */
#include "config.h"

#include "checktype.h"

#include "auto.h"
#include "base.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int failed(hmf_status_t st)
{
    if (st)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    return (int)st;
}

/* auto_track copies the description, and says itself what is wrong. */
static int track(const char *name, void *address, size_t size, const int *desc, size_t len)
{
    return auto_track(name, address, size, (int *)desc, (int)len);
}

int hmf_checktype_track_as(const char *name, void *address, size_t size, const char *type_name)
{
    const int *desc;
    size_t len;
    hmf_status_t st = hmf_checktype_find(type_name, &desc, &len);

    return st ? failed(st) : track(name, address, size, desc, len);
}

int hmf_checktype_track(const char *name, void *address, size_t size)
{
    return hmf_checktype_track_as(name, address, size, name);
}

int hmf_checktype_track_pointer(const char *name, void *address, size_t n, const char *elements)
{
    const int *elem;
    size_t len;
    hmf_status_t st = hmf_checktype_find(elements, &elem, &len);

    if (st)
        return failed(st);
    if (n < 1 || n > INT_MAX)
        return failed(hmf__fail(HMF_ERR_ARG, "pointer %s to %zu elements: it can be tracked with "
                                             "1 to %d of them", name, n, INT_MAX));
    int *desc = malloc((len + 3) * sizeof *desc);
    if (!desc)
        return failed(hmf__fail(HMF_ERR_NOMEM, "no memory for the description of %s", name));
    desc[0] = typePOINTER;
    desc[1] = typeARRAY;
    desc[2] = (int)n;
    memcpy(desc + 3, elem, len * sizeof *desc);
    int rc = track(name, address, sizeof(void *), desc, len + 3);
    free(desc);
    return rc;
}

struct outcome {
    bool said; /* by auto_track */
};

static hmf_status_t track_one(void *ctx, const struct hmf_checktype_variable *v)
{
    struct outcome *o = ctx;
    int rc = track(v->name, v->address, v->size, v->desc, v->desc_len);

    o->said = rc != 0;
    return (hmf_status_t)rc;
}

int hmf_checktype_track_all(void)
{
    struct outcome o = {false};
    hmf_status_t st = hmf__checktype_each(track_one, &o);

    return o.said ? (int)st : failed(st);
}
