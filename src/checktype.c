/* The generated descriptions of a program (hmf-checktype): which there are, and their definition
 * as user types.  Registering variables with them is track.c's. */
#include "config.h"

#include "checktype.h"

#include "base.h"

#include <pthread.h>
#include <string.h>

enum { UNIT_VERSION = 1 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hmf_checktype_unit *units; /* the one added last first */
static struct hmf_checktype_unit *defined; /* what the list was when all in it was defined */

void hmf_checktype_add(struct hmf_checktype_unit *unit)
{
    pthread_mutex_lock(&lock);
    unit->next = units;
    units = unit;
    pthread_mutex_unlock(&lock);
}

static hmf_status_t define_unit(const struct hmf_checktype_unit *u)
{
    hmf_status_t rc;

    if (u->version != UNIT_VERSION)
        return hmf__fail(HMF_ERR_VERSION,
                         "the descriptions of %s are of version %d, this library has %d: run "
                         "hmf-checktype again", u->source, u->version, UNIT_VERSION);
    for (size_t i = 0; i < u->ntypes; i++) {
        const struct hmf_checktype_type *t = &u->types[i];
        rc = hmf_type_define(t->number, t->name, t->desc, t->desc_len, t->fields, &t->layout);
        if (rc != HMF_OK)
            return hmf__fail_prefix(rc, "descriptions of %s", u->source);
    }
    for (size_t i = 0; i < u->nfunctions; i++) {
        rc = hmf_function_define(u->functions[i].name, u->functions[i].function);
        if (rc != HMF_OK && rc != HMF_ERR_NAME) /* a name of the program's own is as good */
            return hmf__fail_prefix(rc, "functions of %s", u->source);
    }
    return HMF_OK;
}

hmf_status_t hmf_checktype_define(void)
{
    hmf_status_t rc = HMF_OK;

    pthread_mutex_lock(&lock);
    struct hmf_checktype_unit *all = units, *done = defined;
    pthread_mutex_unlock(&lock);
    for (struct hmf_checktype_unit *u = all; u && u != done && rc == HMF_OK; u = u->next)
        rc = define_unit(u);
    if (rc == HMF_OK) {
        pthread_mutex_lock(&lock);
        defined = all;
        pthread_mutex_unlock(&lock);
    }
    return rc;
}

/* One description of that name, or several that are the same. */
static hmf_status_t found(const char *name, const int *desc, size_t len, const int **out,
                          size_t *out_len)
{
    if (*out && (*out_len != len || memcmp(*out, desc, len * sizeof *desc)))
        return hmf__fail(HMF_ERR_NAME,
                         "two generated files know a variable or type called '%s', and mean "
                         "different ones: rename one", name);
    *out = desc;
    *out_len = len;
    return HMF_OK;
}

hmf_status_t hmf_checktype_find(const char *name, const int **desc, size_t *desc_len)
{
    const int *d = NULL;
    size_t len = 0;
    hmf_status_t rc = hmf_checktype_define();

    if (rc != HMF_OK)
        return rc;
    if (!name || !desc || !desc_len)
        return hmf__fail(HMF_ERR_ARG, "a description is looked up by a name, and given into two "
                                      "places");
    pthread_mutex_lock(&lock);
    struct hmf_checktype_unit *all = units;
    pthread_mutex_unlock(&lock);
    for (struct hmf_checktype_unit *u = all; u && rc == HMF_OK; u = u->next) {
        for (size_t i = 0; i < u->nvariables && rc == HMF_OK; i++)
            if (!strcmp(u->variables[i].name, name))
                rc = found(name, u->variables[i].desc, u->variables[i].desc_len, &d, &len);
        for (size_t i = 0; i < u->ntypes && rc == HMF_OK; i++)
            if (!strcmp(u->types[i].name, name))
                rc = found(name, &u->types[i].number, 1, &d, &len);
    }
    if (rc != HMF_OK)
        return rc;
    if (!d)
        return hmf__fail(HMF_ERR_NOTFOUND,
                         "no generated file knows a variable or type called '%s': run "
                         "hmf-checktype on the source where it is tracked, and link what it writes",
                         name);
    *desc = d;
    *desc_len = len;
    return HMF_OK;
}

/* In the order of their names, whatever order the linker chose for the files. */
hmf_status_t hmf__checktype_each(hmf_status_t (*each)(void *ctx,
                                                      const struct hmf_checktype_variable *v),
                                 void *ctx)
{
    const struct hmf_checktype_variable *last = NULL;
    hmf_status_t rc = hmf_checktype_define();

    pthread_mutex_lock(&lock);
    struct hmf_checktype_unit *all = units;
    pthread_mutex_unlock(&lock);
    while (rc == HMF_OK) {
        const struct hmf_checktype_variable *next = NULL;
        for (struct hmf_checktype_unit *u = all; u; u = u->next)
            for (size_t i = 0; i < u->nvariables; i++) {
                const struct hmf_checktype_variable *v = &u->variables[i];
                if (v->tracked && v->address && (!last || strcmp(v->name, last->name) > 0) &&
                    (!next || strcmp(v->name, next->name) < 0))
                    next = v;
            }
        if (!next)
            break;
        rc = each(ctx, next);
        last = next;
    }
    return rc;
}
