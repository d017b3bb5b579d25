/* Parameters from the environment, with range checks.  What a variable means is its reader's. */
#include "config.h"

#include "base.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *value_of(const char *name)
{
    const char *v = getenv(name);

    return v && *v ? v : NULL;
}

hmf_status_t hmf__param_int(const char *name, long lo, long hi, long dflt, long *out)
{
    const char *v = value_of(name);
    char *end;

    if (!v) {
        *out = dflt;
        return HMF_OK;
    }
    errno = 0;
    long n = strtol(v, &end, 10);
    if (end == v || *end)
        return hmf__fail(HMF_ERR_ARG, "%s=%s is not a whole number: give one from %ld to %ld", name,
                         v, lo, hi);
    if (errno || n < lo || n > hi)
        return hmf__fail(HMF_ERR_ARG, "%s=%s is out of range: give a number from %ld to %ld", name,
                         v, lo, hi);
    *out = n;
    return HMF_OK;
}

hmf_status_t hmf__param_size(const char *name, size_t lo, size_t hi, size_t dflt, size_t *out)
{
    static const char units[] = "KMGT";
    const char *v = value_of(name);
    char *end;

    if (!v) {
        *out = dflt;
        return HMF_OK;
    }
    errno = 0;
    unsigned long long n = strtoull(v, &end, 10);
    const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
    if (end == v || v[0] == '-' || (*end && (!unit || end[1])))
        return hmf__fail(HMF_ERR_ARG,
                         "%s=%s is not a size: give bytes, or a number with K, M, G or T", name, v);
    size_t size = (size_t)n;
    bool over = errno || size != n;
    for (const char *u = units; unit && u <= unit && !over; u++)
        over = hmf__mul_overflow(size, 1024, &size);
    if (over || size < lo || size > hi)
        return hmf__fail(HMF_ERR_ARG, "%s=%s is out of range: give %zu to %zu bytes", name, v, lo,
                         hi);
    *out = size;
    return HMF_OK;
}

hmf_status_t hmf__param_double(const char *name, double lo, double hi, double dflt, double *out)
{
    const char *v = value_of(name);
    char *end;

    if (!v) {
        *out = dflt;
        return HMF_OK;
    }
    double d = strtod(v, &end);
    if (end == v || *end || isnan(d))
        return hmf__fail(HMF_ERR_ARG, "%s=%s is not a number: give one from %g to %g", name, v, lo,
                         hi);
    if (d < lo || d > hi)
        return hmf__fail(HMF_ERR_ARG, "%s=%s is out of range: give a number from %g to %g", name,
                         v, lo, hi);
    *out = d;
    return HMF_OK;
}

hmf_status_t hmf__param_string(const char *name, const char *dflt, const char **out)
{
    const char *v = value_of(name);

    *out = v ? v : dflt;
    return HMF_OK;
}
