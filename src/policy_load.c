/* Policies from their names: built-in ones, and those in shared objects of the user's. */
#include "config.h"

#include "policy_priv.h"

#include "base.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const struct hmf_policy *find(const char *name)
{
    const struct hmf_policy *p;

    for (size_t i = 0; (p = hmf_policy_at(i)); i++)
        if (!strcmp(p->name, name))
            return p;
    return NULL;
}

static hmf_status_t unknown(const char *name)
{
    char all[400] = "";
    const struct hmf_policy *p;

    for (size_t i = 0; (p = hmf_policy_at(i)); i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", p->name);
    return hmf__fail(HMF_ERR_NAME,
                     "there is no policy \"%s\"; there are %s, and paths of shared objects", name,
                     all);
}

static hmf_status_t load(const char *path, struct hmf__policy_loaded *l)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    hmf_policy_plugin_t get;

    if (!object)
        return hmf__fail(HMF_ERR_IO, "cannot load the policy %s: %s", path, dlerror());
    void *symbol = dlsym(object, HMF_POLICY_PLUGIN);
    memcpy(&get, &symbol, sizeof get); /* C knows no way from data to functions; POSIX does */
    const struct hmf_policy *p = symbol ? get() : NULL;
    hmf_status_t rc = HMF_OK;
    if (!p)
        rc = hmf__fail(HMF_ERR_IO, "%s has no function %s, or it gives nothing", path,
                       HMF_POLICY_PLUGIN);
    else if (p->abi != HMF_POLICY_ABI)
        rc = hmf__fail(HMF_ERR_VERSION,
                       "the policy %s is made for interface %u, this is %u: build it again", path,
                       p->abi, HMF_POLICY_ABI);
    else if (!p->name || !p->name[0] || !p->decide)
        rc = hmf__fail(HMF_ERR_ARG, "the policy %s has no name or no function", path);
    if (rc) {
        dlclose(object);
        return rc;
    }
    *l = (struct hmf__policy_loaded){p, object};
    return HMF_OK;
}

void hmf_policies_free(hmf_policies_t *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        if (p->policy[i].object)
            dlclose(p->policy[i].object);
    hmf__free(p->policy);
    hmf__free(p);
}

static hmf_status_t add(hmf_policies_t *p, const char *name)
{
    struct hmf__policy_loaded l = {0}, *more;
    hmf_status_t rc = HMF_OK;

    if (strchr(name, '/'))
        rc = load(name, &l);
    else if (!(l.what = find(name)))
        rc = unknown(name);
    if (rc)
        return rc;
    more = hmf__realloc(p->policy, (p->n + 1) * sizeof *more);
    if (!more) {
        if (l.object)
            dlclose(l.object);
        return hmf__fail(HMF_ERR_NOMEM, "no memory for policies");
    }
    p->policy = more;
    p->policy[p->n++] = l;
    return HMF_OK;
}

hmf_status_t hmf_policies_new(const char *names, hmf_policies_t **p)
{
    hmf_policies_t *new = hmf__calloc(1, sizeof *new);
    char *copy = hmf__strdup(names), *rest = NULL;
    hmf_status_t rc = HMF_OK;

    if (!new || !copy)
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory for policies");
    for (char *name = rc ? NULL : strtok_r(copy, ", ", &rest); !rc && name;
         name = strtok_r(NULL, ", ", &rest))
        rc = add(new, name);
    if (!rc && !new->n)
        rc = hmf__fail(HMF_ERR_ARG, "no policy is named: \"%s\"", names);
    hmf__free(copy);
    if (rc)
        hmf_policies_free(new);
    else
        *p = new;
    return rc;
}
