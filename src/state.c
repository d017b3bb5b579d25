/* The registered variables.  Types are compiled by desc.c; memory is looked at by walk.c. */
#include "config.h"

#include "state.h"

#include "base.h"
#include "parts.h"
#include "statepriv.h"
#include "type.h"

#include <string.h>

static uint64_t hash_name(const char *s)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return h;
}

hmf_status_t hmf_state_new(hmf_state_t **out)
{
    hmf_state_t *s = hmf__calloc(1, sizeof *s);

    if (!s)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a state");
    hmf__types_init(&s->types, NULL);
    *out = s;
    return HMF_OK;
}

void hmf_state_free(hmf_state_t *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->nvars; i++) {
        hmf__free(s->vars[i].name);
        hmf__parts_free(s->vars[i].parts);
    }
    for (struct hmf__keeper *k = s->keepers, *next; k; k = next) {
        next = k->next;
        k->drop(k);
    }
    hmf__free(s->vars);
    hmf__free(s->last_staged);
    hmf__types_fini(&s->types);
    hmf__free(s);
}

static size_t find_name(const hmf_state_t *s, const char *name)
{
    uint64_t hash = hash_name(name);

    for (size_t i = 0; i < s->nvars; i++)
        if (s->vars[i].hash == hash && !strcmp(s->vars[i].name, name))
            return i;
    return SIZE_MAX;
}

static size_t find_addr(const hmf_state_t *s, const void *addr)
{
    for (size_t i = 0; i < s->nvars; i++)
        if (s->vars[i].var.addr == addr)
            return i;
    return SIZE_MAX;
}

hmf_status_t hmf_state_add(hmf_state_t *s, const char *name, void *addr, size_t size,
                           const int *desc, size_t desc_len, const char *const *field_names)
{
    struct hmf__state_var v = {.var = {.addr = addr, .size = size}};
    hmf_status_t rc;
    size_t other;

    if (!name || !*name || strlen(name) > HMF__MAX_NAME)
        return hmf__fail(HMF_ERR_ARG, "a registered variable needs a name of 1 to %d bytes",
                         HMF__MAX_NAME);
    if (!addr || !size)
        return hmf__fail(HMF_ERR_ARG, "variable %s needs an address and a size", name);
    if (find_name(s, name) != SIZE_MAX)
        return hmf__fail(HMF_ERR_NAME, "variable %s is registered already: remove it first or "
                         "take another name", name);
    if ((other = find_addr(s, addr)) != SIZE_MAX)
        return hmf__fail(HMF_ERR_NAME, "variable %s has the address of the registered variable %s",
                         name, s->vars[other].name);
    rc = hmf__types_compile(&s->types, desc, desc_len, field_names, &v.var.type);
    if (rc != HMF_OK)
        return hmf__fail_prefix(rc, "variable %s", name);
    uint64_t each = s->types.v[v.var.type].size;
    bool flex = s->types.v[v.var.type].flex; /* what is behind belongs to it */
    if (!each || (flex ? size < each : size % each))
        return hmf__fail(HMF_ERR_ARG, "variable %s has %zu bytes, but its description says %llu "
                         "(or a multiple): does the description fit the variable?", name, size,
                         (unsigned long long)each);
    v.var.count = flex ? 1 : size / each;
    if (s->nvars == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 16;
        void *vars = hmf__realloc(s->vars, cap * sizeof *s->vars);
        if (!vars)
            return hmf__fail(HMF_ERR_NOMEM, "no memory to register variable %s", name);
        s->vars = vars;
        s->cap = cap;
    }
    if (!(v.name = hmf__strdup(name)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory to register variable %s", name);
    v.hash = hash_name(name);
    v.var.name = v.name;
    s->vars[s->nvars++] = v;
    return HMF_OK;
}

static void remove_at(hmf_state_t *s, size_t i)
{
    hmf__free(s->vars[i].name);
    hmf__parts_free(s->vars[i].parts);
    s->nvars--;
    memmove(s->vars + i, s->vars + i + 1, (s->nvars - i) * sizeof *s->vars);
}

hmf_status_t hmf_state_remove_name(hmf_state_t *s, const char *name)
{
    size_t i = name ? find_name(s, name) : SIZE_MAX;

    if (i == SIZE_MAX)
        return hmf__fail(HMF_ERR_NOTFOUND, "no variable %s is registered",
                         name ? name : "(null)");
    remove_at(s, i);
    return HMF_OK;
}

hmf_status_t hmf_state_remove_addr(hmf_state_t *s, const void *addr)
{
    size_t i = find_addr(s, addr);

    if (i == SIZE_MAX)
        return hmf__fail(HMF_ERR_NOTFOUND, "no variable at address %p is registered", addr);
    remove_at(s, i);
    return HMF_OK;
}

size_t hmf_state_count(const hmf_state_t *s)
{
    return s->nvars;
}

const struct hmf__var *hmf__state_var(const hmf_state_t *s, size_t i)
{
    return i < s->nvars ? &s->vars[i].var : NULL;
}

const struct hmf__var *hmf__state_find(const hmf_state_t *s, const char *name)
{
    size_t i = find_name(s, name);

    return i < s->nvars ? &s->vars[i].var : NULL;
}

struct hmf__types *hmf__state_types(hmf_state_t *s)
{
    return &s->types;
}

uint64_t hmf__state_bytes(const hmf_state_t *s, bool *open)
{
    uint64_t bytes = 0;

    *open = false;
    for (size_t i = 0; i < s->nvars; i++) {
        bytes += s->vars[i].var.size;
        *open |= s->types.v[s->vars[i].var.type].nslots > 0;
    }
    return bytes;
}
