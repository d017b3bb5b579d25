/* Status texts and the per-thread detailed error text.  Printing is log.c's. */
#include "config.h"

#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 1024 };

static _Thread_local char error_text[TEXT_BYTES]; /* last byte always NUL */

const char *hmf_strerror(hmf_status_t status)
{
    switch (status) {
#define CASE(code, number, scope, text)                                                           \
    case code:                                                                                    \
        return text;
        HMF_STATUS_MAP(CASE)
#undef CASE
    }
    return "unknown status";
}

const char *hmf_status_name(hmf_status_t status)
{
    switch (status) {
#define CASE(code, number, scope, text)                                                           \
    case code:                                                                                    \
        return #code;
        HMF_STATUS_MAP(CASE)
#undef CASE
    }
    return "HMF_ERR_?";
}

hmf_scope_t hmf_status_scope(hmf_status_t status)
{
    switch (status) {
#define CASE(code, number, scope, text)                                                           \
    case code:                                                                                    \
        return HMF_SCOPE_##scope;
        HMF_STATUS_MAP(CASE)
#undef CASE
    }
    return HMF_SCOPE_JOB;
}

const char *hmf_error_text(void)
{
    return error_text;
}

hmf_status_t hmf__fail(hmf_status_t status, const char *fmt, ...)
{
    char text[TEXT_BYTES]; /* the arguments may point into the present text */
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(error_text, text, sizeof text);
    return status;
}

hmf_status_t hmf__fail_prefix(hmf_status_t status, const char *fmt, ...)
{
    char text[2 * TEXT_BYTES + 2]; /* the prefix and the present text always fit, the end is cut */
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, TEXT_BYTES, fmt, ap);
    va_end(ap);
    size_t n = strlen(text);
    memcpy(text + n, ": ", 2);
    strcpy(text + n + 2, error_text);
    memcpy(error_text, text, TEXT_BYTES - 1);
    return status;
}
