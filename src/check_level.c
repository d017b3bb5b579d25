/*
 * Levels and what the environment says of them; see check_level.h.
 */
#include "config.h"

#include "check_level.h"

#include "base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_LEVELS "local:1,partner:4,shared:16"
#define ROOT_MAX 3000

static const char *const names[] = {"local", "partner", "shared"};

const char *hmf__level_name(enum hmf__level level)
{
    return names[level];
}

hmf_status_t hmf__levels_parse(const char *text, struct hmf__levels *out)
{
    long every[3] = {0, 0, 0};
    for (const char *p = text; *p != '\0';) {
        size_t len = strcspn(p, ":"), i = 0;
        char *end = NULL;
        while (i < 3 && (strlen(names[i]) != len || strncmp(p, names[i], len) != 0))
            i++;
        errno = 0;
        long n = i < 3 && p[len] == ':' ? strtol(p + len + 1, &end, 10) : 0;
        if (errno != 0 || n < 1 || n > 1000000 || (*end != '\0' && *end != ',') || every[i] != 0
            || (*end == ',' && end[1] == '\0'))
            return hmf__fail(HMF_ERR_ARG, "HMF_LEVELS=%.100s makes no sense at '%.20s': write "
                             "local:1,partner:N,shared:M, every so many checkpoints", text, p);
        every[i] = n;
        p = *end == ',' ? end + 1 : end;
    }
    if (every[HMF__LEVEL_LOCAL] > 1)
        return hmf__fail(HMF_ERR_ARG, "HMF_LEVELS=%.100s: a checkpoint that is at no other level is "
                         "local, so only local:1 makes sense", text);
    out->partner = every[HMF__LEVEL_PARTNER];
    out->shared = every[HMF__LEVEL_SHARED];
    return HMF_OK;
}

/* text with %h replaced; NULL with the reason recorded. */
static char *name_root(const char *text, const char *node)
{
    char *out = hmf__malloc(ROOT_MAX);
    size_t n = 0;
    if (out == NULL) {
        hmf__fail(HMF_ERR_NOMEM, "no memory for HMF_LOCAL_DIR");
        return NULL;
    }
    for (; *text != '\0' && n < ROOT_MAX - 1; text++) {
        if (text[0] == '%' && text[1] == 'h') {
            n += (size_t)snprintf(out + n, ROOT_MAX - n, "%s", node);
            text++;
        } else {
            out[n++] = *text;
        }
    }
    if (n >= ROOT_MAX - 1) {
        hmf__fail(HMF_ERR_LIMIT, "HMF_LOCAL_DIR is longer than %d characters", ROOT_MAX - 2);
        hmf__free(out);
        return NULL;
    }
    out[n] = '\0';
    return out;
}

hmf_status_t hmf__levels_read(struct hmf__levels *out)
{
    const char *root, *levels;
    hmf_status_t rc;
    memset(out, 0, sizeof(*out));
    if (gethostname(out->node, sizeof out->node - 1) != 0 || out->node[0] == '\0')
        snprintf(out->node, sizeof out->node, "unknown");
    hmf__param_string("HMF_LOCAL_DIR", NULL, &root);
    hmf__param_string("HMF_LEVELS", NULL, &levels);
    if (root == NULL)
        return levels == NULL ? HMF_OK
            : hmf__fail(HMF_ERR_ARG, "HMF_LEVELS is set, but HMF_LOCAL_DIR names no directory that "
                        "each node has for itself: all checkpoints go to HMF_DIR");
    rc = hmf__levels_parse(levels != NULL ? levels : DEFAULT_LEVELS, out);
    if (rc != HMF_OK)
        hmf__levels_parse(DEFAULT_LEVELS, out);
    hmf_status_t also = hmf__param_size("HMF_FLUSH_RATE", 1, SIZE_MAX, 0, &out->flush_rate);
    out->root = name_root(root, out->node);
    return out->root == NULL ? HMF_ERR_LIMIT : rc != HMF_OK ? rc : also;
}

void hmf__levels_fini(struct hmf__levels *levels)
{
    hmf__free(levels->root);
    memset(levels, 0, sizeof(*levels));
}

enum hmf__level hmf__levels_of(const struct hmf__levels *levels, uint64_t generation, bool *flush)
{
    *flush = false;
    if (levels->root == NULL)
        return HMF__LEVEL_SHARED;
    *flush = levels->shared != 0 && generation % (uint64_t)levels->shared == 0;
    return levels->partner != 0 && generation % (uint64_t)levels->partner == 0
        ? HMF__LEVEL_PARTNER : HMF__LEVEL_LOCAL;
}
