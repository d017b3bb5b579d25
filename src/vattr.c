/* Attributes of virtual communicators; see vattr.h. */
#include "config.h"

#include "vattr.h"

#include "base.h"
#include "startup.h"

#include <pthread.h>

struct keyval {
    struct keyval *next;
    int number;
    int refs; /* the program's, and one for each attribute: the callbacks may still be needed */
    MPI_Comm_copy_attr_function *copy;
    MPI_Comm_delete_attr_function *del;
    void *extra;
};

struct hmf__attr {
    struct hmf__attr *next;
    struct keyval *key;
    void *value;
    bool late; /* set or changed after the start-up phase: a newcomer would not have it */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct keyval *keyvals;

static struct keyval *find(int number)
{
    struct keyval *k;

    pthread_mutex_lock(&lock);
    for (k = keyvals; k != NULL && k->number != number; k = k->next)
        ;
    pthread_mutex_unlock(&lock);
    return k;
}

static void put(struct keyval *k)
{
    struct keyval **at = &keyvals;

    pthread_mutex_lock(&lock);
    if (--k->refs == 0) {
        while (*at != k)
            at = &(*at)->next;
        *at = k->next;
        PMPI_Comm_free_keyval(&k->number);
        hmf__free(k);
    }
    pthread_mutex_unlock(&lock);
}

int hmf__attr_keyval_create(MPI_Comm_copy_attr_function *copy, MPI_Comm_delete_attr_function *del,
                            int *keyval, void *extra)
{
    struct keyval *k = hmf__malloc(sizeof(*k));
    int rc;

    if (k == NULL)
        return MPI_ERR_NO_MEM;
    rc = PMPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &k->number, NULL);
    if (rc != MPI_SUCCESS) {
        hmf__free(k);
        return rc;
    }
    k->refs = 1;
    k->copy = copy;
    k->del = del;
    k->extra = extra;
    pthread_mutex_lock(&lock);
    k->next = keyvals;
    keyvals = k;
    pthread_mutex_unlock(&lock);
    *keyval = k->number;
    return MPI_SUCCESS;
}

int hmf__attr_keyval_free(int *keyval)
{
    struct keyval *k = find(*keyval);

    if (k == NULL)
        return PMPI_Comm_free_keyval(keyval);
    *keyval = MPI_KEYVAL_INVALID;
    put(k);
    return MPI_SUCCESS;
}

int hmf__attr_is_ours(MPI_Comm c, int keyval)
{
    return hmf__vcomm_of(c) != NULL && find(keyval) != NULL;
}

static struct hmf__attr **locate(struct hmf__vcomm *v, int keyval)
{
    struct hmf__attr **at = &v->attrs;

    while (*at != NULL && (*at)->key->number != keyval)
        at = &(*at)->next;
    return at;
}

static int call_delete(MPI_Comm c, const struct hmf__attr *a)
{
    return a->key->del != NULL ? a->key->del(c, a->key->number, a->value, a->key->extra)
                               : MPI_SUCCESS;
}

static bool too_late(void)
{
    return hmf__shim_phase != HMF__PHASE_RECORD && hmf__shim_phase != HMF__PHASE_REPLAY;
}

static int add(struct hmf__vcomm *v, struct keyval *k, void *value)
{
    struct hmf__attr *a = hmf__malloc(sizeof(*a));

    if (a == NULL)
        return MPI_ERR_NO_MEM;
    pthread_mutex_lock(&lock);
    k->refs++;
    pthread_mutex_unlock(&lock);
    a->key = k;
    a->value = value;
    a->late = too_late();
    a->next = v->attrs;
    v->attrs = a;
    return MPI_SUCCESS;
}

int hmf__attr_set(MPI_Comm c, int keyval, void *value)
{
    struct hmf__vcomm *v = hmf__vcomm_of(c);
    struct keyval *k = find(keyval);
    struct hmf__attr **at;

    if (v == NULL)
        return MPI_ERR_COMM;
    if (k == NULL)
        return MPI_ERR_KEYVAL;
    at = locate(v, keyval);
    if (*at != NULL) {
        int rc = call_delete(c, *at);

        if (rc == MPI_SUCCESS) {
            (*at)->value = value;
            (*at)->late = too_late();
        }
        return rc;
    }
    return add(v, k, value);
}

int hmf__attr_get(MPI_Comm c, int keyval, void *value, int *flag)
{
    struct hmf__vcomm *v = hmf__vcomm_of(c);
    struct hmf__attr *a;

    if (v == NULL)
        return MPI_ERR_COMM;
    a = *locate(v, keyval);
    *flag = a != NULL;
    if (a != NULL)
        *(void **) value = a->value;
    return MPI_SUCCESS;
}

/* The callback sees the attribute still in place, as in MPI; it may have changed the list. */
static int delete_one(MPI_Comm c, struct hmf__vcomm *v, int keyval)
{
    struct hmf__attr **at = locate(v, keyval), *a = *at;
    int rc;

    if (a == NULL)
        return MPI_ERR_KEYVAL;
    rc = call_delete(c, a);
    if (rc != MPI_SUCCESS)
        return rc;
    at = locate(v, keyval);
    if (*at == a) {
        *at = a->next;
        put(a->key);
        hmf__free(a);
    }
    return MPI_SUCCESS;
}

int hmf__attr_delete(MPI_Comm c, int keyval)
{
    struct hmf__vcomm *v = hmf__vcomm_of(c);

    return v != NULL ? delete_one(c, v, keyval) : MPI_ERR_COMM;
}

int hmf__attr_copy(MPI_Comm from, MPI_Comm to)
{
    struct hmf__vcomm *v = hmf__vcomm_of(from), *w = hmf__vcomm_of(to);
    size_t n = 0;

    if (v == NULL || w == NULL)
        return MPI_SUCCESS;
    for (struct hmf__attr *a = v->attrs; a != NULL; a = a->next)
        n++;
    /* In the order in which they were set, so that the copy's list is as the original's. */
    while (n-- > 0) {
        struct hmf__attr *a = v->attrs;
        void *value = NULL;
        int flag = 0, rc;

        for (size_t i = 0; a != NULL && i < n; i++)
            a = a->next;
        if (a == NULL || a->key->copy == NULL)
            continue;
        rc = a->key->copy(from, a->key->number, a->key->extra, a->value, &value, &flag);
        if (rc == MPI_SUCCESS && flag)
            rc = add(w, a->key, value);
        if (rc != MPI_SUCCESS)
            return rc;
    }
    return MPI_SUCCESS;
}

int hmf__attr_delete_all(MPI_Comm c)
{
    struct hmf__vcomm *v = hmf__vcomm_of(c);

    while (v != NULL && v->attrs != NULL) {
        int rc = delete_one(c, v, v->attrs->key->number);

        if (rc != MPI_SUCCESS)
            return rc;
    }
    return MPI_SUCCESS;
}

bool hmf__attr_late(const struct hmf__vcomm *v, int *keyval)
{
    const struct hmf__attr *a = v->attrs;

    while (a != NULL && !a->late)
        a = a->next;
    if (a != NULL)
        *keyval = a->key->number;
    return a != NULL;
}

void hmf__attr_forget(struct hmf__vcomm *v)
{
    while (v->attrs != NULL) {
        struct hmf__attr *a = v->attrs;

        v->attrs = a->next;
        put(a->key);
        hmf__free(a);
    }
}
