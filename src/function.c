/* The process's list of named functions; what is not in it is asked of the dynamic linker. */
#include "config.h"

#include "function.h"

#include "base.h"
#include "type.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

struct entry {
    char *name;
    hmf_function_t function;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries;
static size_t nentries, cap;

/* C has no conversion between pointers to functions and to objects; POSIX says they are alike. */
static hmf_function_t to_function(void *p)
{
    hmf_function_t f;

    memcpy(&f, &p, sizeof f);
    return f;
}

static void *to_object(hmf_function_t f)
{
    void *p;

    memcpy(&p, &f, sizeof p);
    return p;
}

hmf_status_t hmf_function_define(const char *name, hmf_function_t function)
{
    hmf_status_t rc = HMF_OK;
    char *copy;

    if (!name || !*name || strlen(name) > HMF__MAX_NAME || !function)
        return hmf__fail(HMF_ERR_ARG, "a function needs a name of 1 to %d bytes and an address",
                         HMF__MAX_NAME);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < nentries; i++) {
        bool same = !strcmp(entries[i].name, name);
        if (same && entries[i].function == function)
            goto unlock;
        if (same || entries[i].function == function) {
            rc = hmf__fail(HMF_ERR_NAME, "function %s: %s is already defined otherwise", name,
                           entries[i].name);
            goto unlock;
        }
    }
    if (nentries == cap) {
        size_t more = cap ? 2 * cap : 16;
        void *v = hmf__realloc(entries, more * sizeof *entries);
        if (!v) {
            rc = hmf__fail(HMF_ERR_NOMEM, "no memory to define function %s", name);
            goto unlock;
        }
        entries = v;
        cap = more;
    }
    if (!(copy = hmf__strdup(name)))
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to define function %s", name);
    else
        entries[nentries++] = (struct entry){copy, function};
unlock:
    pthread_mutex_unlock(&lock);
    return rc;
}

hmf_status_t hmf_function_undefine(const char *name)
{
    hmf_status_t rc = HMF_ERR_NOTFOUND;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < nentries && rc != HMF_OK; i++)
        if (!strcmp(entries[i].name, name)) {
            hmf__free(entries[i].name);
            entries[i] = entries[--nentries];
            rc = HMF_OK;
        }
    if (!nentries) { /* nothing is left behind */
        hmf__free(entries);
        entries = NULL;
        cap = 0;
    }
    pthread_mutex_unlock(&lock);
    return rc == HMF_OK ? rc : hmf__fail(rc, "no function %s is defined", name);
}

const char *hmf__function_name(hmf_function_t function)
{
    const char *name = NULL;
    Dl_info info;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < nentries && !name; i++)
        if (entries[i].function == function)
            name = entries[i].name;
    pthread_mutex_unlock(&lock);
    if (!name && dladdr(to_object(function), &info) && info.dli_sname &&
        dlsym(RTLD_DEFAULT, info.dli_sname) == to_object(function))
        name = info.dli_sname;
    return name;
}

hmf_function_t hmf__function_find(const char *name)
{
    hmf_function_t function = NULL;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < nentries && !function; i++)
        if (!strcmp(entries[i].name, name))
            function = entries[i].function;
    pthread_mutex_unlock(&lock);
    return function ? function : to_function(dlsym(RTLD_DEFAULT, name));
}
