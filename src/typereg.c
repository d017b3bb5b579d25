/* The process's registry of user types.  Copies definitions; what they say is desc.c's. */
#include "config.h"

#include "typereg.h"

#include "base.h"
#include "type.h"

#include "typemap.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hmf__typedef **defs; /* sorted by number */
static size_t ndefs, cap;

static void destroy(struct hmf__typedef *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->nfield_names; i++)
        hmf__free(d->field_names[i]);
    hmf__free(d->field_names);
    hmf__free(d->name);
    hmf__free(d->desc);
    hmf__free(d->offsets);
    hmf__free(d);
}

/* Where `number` is or belongs. */
static size_t place(int number)
{
    size_t lo = 0, hi = ndefs;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (defs[mid]->number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool same(const struct hmf__typedef *a, const struct hmf__typedef *b)
{
    if (strcmp(a->name, b->name) || a->desc_len != b->desc_len ||
        memcmp(a->desc, b->desc, a->desc_len * sizeof *a->desc) ||
        !a->field_names != !b->field_names || a->nfield_names != b->nfield_names ||
        a->layout.size != b->layout.size || a->layout.align != b->layout.align ||
        a->layout.noffsets != b->layout.noffsets)
        return false;
    for (size_t i = 0; i < a->nfield_names; i++)
        if (strcmp(a->field_names[i], b->field_names[i]))
            return false;
    for (size_t i = 0; i < a->layout.noffsets; i++)
        if (a->offsets[i] != b->offsets[i])
            return false;
    return true;
}

static struct hmf__typedef *copy(int number, const char *name, const int *desc, size_t desc_len,
                                 const char *const *field_names,
                                 const struct hmf_type_layout *layout)
{
    struct hmf__typedef *d = hmf__calloc(1, sizeof *d);
    size_t bytes;

    if (!d)
        return NULL;
    d->number = number;
    d->users = 1;
    d->name = hmf__strdup(name);
    if (hmf__mul_overflow(desc_len, sizeof *desc, &bytes) || !(d->desc = hmf__malloc(bytes)))
        goto drop;
    memcpy(d->desc, desc, bytes);
    d->desc_len = desc_len;
    if (field_names) {
        size_t n = 0;
        while (field_names[n])
            n++;
        d->field_names = hmf__calloc(n + 1, sizeof *d->field_names);
        if (!d->field_names)
            goto drop;
        for (; d->nfield_names < n; d->nfield_names++)
            if (!(d->field_names[d->nfield_names] = hmf__strdup(field_names[d->nfield_names])))
                goto drop;
    }
    if (layout) {
        d->layout = *layout;
        d->offsets = hmf__calloc(layout->noffsets, sizeof *d->offsets);
        if (!d->offsets)
            goto drop;
        memcpy(d->offsets, layout->offsets, layout->noffsets * sizeof *d->offsets);
        d->layout.offsets = d->offsets;
    }
    if (d->name)
        return d;
drop:
    destroy(d);
    return NULL;
}

hmf_status_t hmf_type_define(int number, const char *name, const int *desc, size_t desc_len,
                             const char *const *field_names,
                             const struct hmf_type_layout *layout)
{
    hmf_status_t rc = HMF_OK;

    if (number < typeUSER_FIRST)
        return hmf__fail(HMF_ERR_ARG, "type number %d of %s: user types are numbered %d and up",
                         number, name ? name : "(null)", typeUSER_FIRST);
    if (!name || !*name || strlen(name) > HMF__MAX_NAME)
        return hmf__fail(HMF_ERR_ARG, "type %d needs a name of 1 to %d bytes", number,
                         HMF__MAX_NAME);
    if (!desc || !desc_len)
        return hmf__fail(HMF_ERR_ARG, "type %d (%s) needs a description", number, name);
    if (layout && (desc[0] >= 0 || desc[0] < -HMF__MAX_FIELDS || !layout->offsets ||
                   layout->noffsets != (size_t)-(long)desc[0] || !layout->align ||
                   (layout->align & (layout->align - 1)) || layout->align > (1u << 28)))
        return hmf__fail(HMF_ERR_ARG, "type %d (%s): a layout needs a struct, as many offsets as "
                         "it has fields, and an alignment that is a power of two", number, name);

    struct hmf__typedef *d = copy(number, name, desc, desc_len, field_names, layout);
    if (!d)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to define type %d (%s)", number, name);
    pthread_mutex_lock(&lock);
    size_t at = place(number);
    if (at < ndefs && defs[at]->number == number) {
        if (!same(defs[at], d))
            rc = hmf__fail(HMF_ERR_NAME, "type %d is already defined differently, as %s: give %s "
                           "another number", number, defs[at]->name, name);
        goto unlock;
    }
    if (ndefs == cap) {
        size_t more = cap ? 2 * cap : 16;
        void *v = hmf__realloc(defs, more * sizeof *defs);
        if (!v) {
            rc = hmf__fail(HMF_ERR_NOMEM, "no memory to define type %d (%s)", number, name);
            goto unlock;
        }
        defs = v;
        cap = more;
    }
    memmove(defs + at + 1, defs + at, (ndefs - at) * sizeof *defs);
    defs[at] = d;
    d = NULL;
    ndefs++;
unlock:
    pthread_mutex_unlock(&lock);
    destroy(d);
    return rc;
}

hmf_status_t hmf_type_undefine(int number)
{
    hmf_status_t rc = HMF_OK;
    struct hmf__typedef *d = NULL;

    pthread_mutex_lock(&lock);
    size_t at = place(number);
    if (at < ndefs && defs[at]->number == number) {
        d = defs[at];
        ndefs--;
        memmove(defs + at, defs + at + 1, (ndefs - at) * sizeof *defs);
        if (!ndefs) { /* nothing is left behind */
            hmf__free(defs);
            defs = NULL;
            cap = 0;
        }
    } else {
        rc = hmf__fail(HMF_ERR_NOTFOUND, "type %d is not defined", number);
    }
    pthread_mutex_unlock(&lock);
    if (d)
        hmf__typereg_release(d);
    return rc;
}

struct hmf__typedef *hmf__typereg_get(int number)
{
    struct hmf__typedef *d = NULL;

    pthread_mutex_lock(&lock);
    size_t at = place(number);
    if (at < ndefs && defs[at]->number == number) {
        d = defs[at];
        d->users++;
    }
    pthread_mutex_unlock(&lock);
    return d;
}

void hmf__typereg_release(struct hmf__typedef *d)
{
    pthread_mutex_lock(&lock);
    bool last = --d->users == 0;
    pthread_mutex_unlock(&lock);
    if (last)
        destroy(d);
}
