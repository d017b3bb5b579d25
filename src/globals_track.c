/* globals_track.c - hmf_globals_track: globals and statics registered without marks. */
#include "config.h"

#include "hmf/globals.h"

#include "base.h"
#include "job.h"

static int failed(hmf_status_t st)
{
    if (st)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    return (int)st;
}

static bool is_registered(const struct hmf_globals_variable *v)
{
    const char *begin = v->address, *end = begin + v->size;
    const struct hmf__var *other;

    for (size_t i = 0; (other = hmf__state_var(hmf__job.state, i)); i++) {
        const char *from = other->addr;
        if (from < end && begin < from + other->size)
            return true;
    }
    return false;
}

static hmf_status_t refuse_one(void *ctx, const struct hmf_globals_variable *v)
{
    size_t *bad = ctx;

    if (!v->desc && !is_registered(v)) {
        hmf__log(HMF__LOG_ERROR, "%s:%d: variable %s: %s", v->file, v->line, v->name, v->why);
        ++*bad;
    }
    return HMF_OK;
}

static hmf_status_t track_one(void *ctx, const struct hmf_globals_variable *v)
{
    (void)ctx;
    if (is_registered(v))
        return HMF_OK;
    return hmf_state_add(hmf__job.state, v->name, v->address, v->size, v->desc, v->desc_len, NULL);
}

int hmf_globals_track(const char *include, const char *exclude)
{
    size_t bad = 0;
    hmf_status_t st;

    if (!hmf__job.state)
        return failed(hmf__fail(HMF_ERR_STATE, "hmf_globals_track was called before auto_init"));
    if ((st = hmf_globals_each(include, exclude, refuse_one, &bad)))
        return failed(st);
    if (bad)
        return failed(hmf__fail(HMF_ERR_TYPE, "%zu of the program's variables cannot be described "
                                              "by debug information alone: nothing is registered",
                                bad));
    return failed(hmf_globals_each(include, exclude, track_one, NULL));
}
