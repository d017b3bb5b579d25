/* Descriptions compiled into a table: user types by a worklist, and what was compiled before; see
 * desc.h. */
#include "config.h"

#include "desc.h"

#include "base.h"
#include "buf.h"
#include "typereg.h"

#include "typemap.h"

#include <string.h>

/* The node of a user type, queued for compilation if it is new. */
static hmf_status_t user_node(struct hmf__parser *p, size_t at, int number, size_t *out)
{
    struct hmf__types_cache *k = p->c->cache;
    struct hmf__typedef *d = hmf__typereg_get(number);
    struct hmf__type none = {.elem = HMF__TYPE_NONE};
    hmf_status_t rc;
    uint32_t node;

    if (!d)
        return hmf__desc_wrong(p, at, "user type %d is not defined: call hmf_type_define first",
                               number);
    for (size_t i = 0; i < k->nusers; i++)
        if (k->users[i].def == d) {
            hmf__typereg_release(d);
            *out = i;
            return HMF_OK;
        }
    if (!hmf__desc_grow((void **)&k->users, &k->users_cap, k->nusers, sizeof *k->users)) {
        rc = hmf__desc_no_memory();
        goto release;
    }
    if ((rc = hmf__types_add(p->c->t, &none, &node)) != HMF_OK)
        goto release;
    k->users[k->nusers] = (struct hmf__user){d, node, QUEUED};
    *out = k->nusers++;
    return HMF_OK;
release:
    hmf__typereg_release(d);
    return rc;
}

static hmf_status_t compile_user(struct hmf__compiler *c, size_t u, int depth);

hmf_status_t hmf__desc_user(struct hmf__parser *p, int depth, size_t at, bool pointee,
                            uint32_t *out)
{
    hmf_status_t rc;
    size_t u = 0;

    if ((rc = user_node(p, at, p->desc[at], &u)) != HMF_OK)
        return rc;
    struct hmf__user *user = &p->c->cache->users[u];
    *out = user->node;
    if (pointee || user->state == DONE)
        return HMF_OK;
    if (user->state == ACTIVE)
        return hmf__desc_wrong(p, at, "type %s contains itself by value", user->def->name);
    return compile_user(p->c, u, depth);
}

/* Elements of a known size stand behind counted pointers; now all types are complete. */
static hmf_status_t check_counted(const struct hmf__compiler *c)
{
    for (size_t i = 0; i < c->ncounted; i++) {
        const struct hmf__counted *k = &c->counted[i];
        struct hmf__parser p = {.of = k->of};
        if (c->t->v[c->t->v[k->node].elem].flex)
            return hmf__desc_wrong(&p, k->at,
                                   "a counted pointer leads to elements of a known size: not to a "
                                   "struct with a flexible array member");
    }
    return HMF_OK;
}

static hmf_status_t compile_user(struct hmf__compiler *c, size_t u, int depth)
{
    struct hmf__typedef *d = c->cache->users[u].def;
    uint32_t node = c->cache->users[u].node, got;
    struct hmf__parser p = {.c = c,
                            .of = d->name,
                            .desc = d->desc,
                            .len = d->desc_len,
                            .names = (const char *const *)d->field_names};

    c->cache->users[u].state = ACTIVE;
    hmf_status_t rc =
        hmf__desc_whole(&p, depth, node, d->layout.noffsets ? &d->layout : NULL, &got);
    hmf__free(p.lengths);
    if (rc != HMF_OK)
        return rc;
    struct hmf__type *y = &c->t->v[node];
    if (got != node) { /* another name for a type that is no struct */
        if (c->t->v[got].nfields)
            return hmf__desc_wrong(&p, 0,
                                   "it is another name for a user type: use that one's number");
        *y = c->t->v[got];
        if (!y->nleaves)
            return hmf__desc_wrong(&p, 0, "it is not a complete type");
    } else {
        y->number = (uint32_t)d->number;
        y->name = hmf__strdup(d->name);
        if (!y->name)
            return hmf__desc_no_memory();
    }
    c->cache->users[u].state = DONE;
    return HMF_OK;
}

static uint64_t hash_bytes(const unsigned char *p, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

/* What makes two calls of compile equal: ints and names. */
static hmf_status_t make_key(const int *desc, size_t len, const char *const *names,
                             struct hmf__buf *key)
{
    for (size_t i = 0; i < len; i++)
        hmf__buf_put_i32(key, desc[i]);
    for (; names && *names; names++)
        hmf__buf_put_string(key, *names);
    return key->status;
}

static void forget_users(struct hmf__types_cache *k, size_t from)
{
    while (k->nusers > from)
        hmf__typereg_release(k->users[--k->nusers].def);
}

hmf_status_t hmf__types_compile(struct hmf__types *t, const int *desc, size_t len,
                                const char *const *field_names, uint32_t *out)
{
    struct hmf__buf key = HMF__BUF_INIT;
    hmf_status_t rc;
    uint32_t root;

    if (!desc || !len)
        return hmf__fail(HMF_ERR_TYPE, "the type description is empty");
    if (!t->cache && !(t->cache = hmf__calloc(1, sizeof *t->cache)))
        return hmf__desc_no_memory();
    struct hmf__types_cache *k = t->cache;
    if ((rc = make_key(desc, len, field_names, &key)) != HMF_OK)
        goto drop_key;
    uint64_t hash = hash_bytes(key.data, key.len);
    bool users = false; /* the meaning of user numbers may change: no caching then */
    for (size_t i = 0; i < len; i++)
        users |= desc[i] >= typeUSER_FIRST;
    for (size_t i = 0; i < k->nentries && !users; i++)
        if (k->entries[i].hash == hash && k->entries[i].len == key.len &&
            !memcmp(k->entries[i].key, key.data, key.len)) {
            *out = k->entries[i].root;
            goto drop_key;
        }

    struct hmf__compiler c = {.t = t, .cache = k, .next_queued = k->nusers};
    struct hmf__parser p = {.c = &c, .desc = desc, .len = len, .names = field_names};
    uint32_t first_node = t->n;
    size_t first_user = k->nusers;
    rc = hmf__desc_whole(&p, 0, HMF__TYPE_NONE, NULL, &root);
    hmf__free(p.lengths);
    for (; rc == HMF_OK && c.next_queued < k->nusers; c.next_queued++)
        if (k->users[c.next_queued].state == QUEUED)
            rc = compile_user(&c, c.next_queued, 0);
    for (size_t i = 0; rc == HMF_OK && i < c.nlate; i++)
        rc = hmf__types_finish(t, c.late[i], false);
    if (rc == HMF_OK)
        rc = check_counted(&c);
    if (rc == HMF_OK && !users) {
        if (hmf__desc_grow((void **)&k->entries, &k->entries_cap, k->nentries, sizeof *k->entries))
            k->entries[k->nentries++] = (struct hmf__known){hash, key.data, key.len, root};
        else
            rc = hmf__desc_no_memory();
        if (rc == HMF_OK)
            hmf__buf_init(&key); /* the entry has it now */
    }
    if (rc == HMF_OK) {
        *out = root;
    } else {
        forget_users(k, first_user);
        hmf__types_cut(t, first_node);
    }
    hmf__free(c.late);
    hmf__free(c.counted);
drop_key:
    hmf__buf_fini(&key);
    return rc;
}

void hmf__types_cache_free(struct hmf__types_cache *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->nentries; i++)
        hmf__free(k->entries[i].key);
    hmf__free(k->entries);
    forget_users(k, 0);
    hmf__free(k->users);
    hmf__free(k);
}

hmf_status_t hmf_type_check(const int *desc, size_t desc_len, size_t *size_bytes)
{
    struct hmf__types t;
    uint32_t root;

    hmf__types_init(&t, NULL);
    hmf_status_t rc = hmf__types_compile(&t, desc, desc_len, NULL, &root);
    if (rc == HMF_OK && t.v[root].size > SIZE_MAX / 2)
        rc = hmf__fail(HMF_ERR_LIMIT, "the type is larger than this machine's memory");
    if (rc == HMF_OK && size_bytes)
        *size_bytes = (size_t)t.v[root].size;
    hmf__types_fini(&t);
    return rc;
}
