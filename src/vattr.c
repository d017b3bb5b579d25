/* Attributes of virtual communicators; see vattr.h. */
#include "config.h"

#include "vattr.h"

#include "base.h"
#include "startup.h"
#include "vlocal.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>

enum { FIRST_NUMBER = 0x20000000 }; /* above all of Open MPI's */

struct keyval {
    struct keyval *next;
    int number;
    int real; /* MPI's */
    int refs; /* the program's, and one for each attribute: the callbacks may still be needed */
    bool freed; /* the program's is gone */
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
static int next_number = FIRST_NUMBER;
static int started = INT_MAX; /* the first that is not of the start-up phase */

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
        PMPI_Comm_free_keyval(&k->real);
        hmf__free(k);
    }
    pthread_mutex_unlock(&lock);
}

int hmf__attr_keyval_create(MPI_Comm_copy_attr_function *copy, MPI_Comm_delete_attr_function *del,
                            int *keyval, void *extra)
{
    struct keyval *k = hmf__calloc(1, sizeof(*k));
    int rc;

    if (k == NULL)
        return MPI_ERR_NO_MEM;
    rc = PMPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &k->real, NULL);
    if (rc != MPI_SUCCESS) {
        hmf__free(k);
        return rc;
    }
    k->refs = 1;
    k->copy = copy;
    k->del = del;
    k->extra = extra;
    pthread_mutex_lock(&lock);
    k->number = next_number++;
    k->next = keyvals;
    keyvals = k;
    pthread_mutex_unlock(&lock);
    *keyval = k->number;
    return MPI_SUCCESS;
}

int hmf__attr_real(int keyval)
{
    struct keyval *k = keyval >= FIRST_NUMBER ? find(keyval) : NULL;

    return k != NULL ? k->real : keyval;
}

void hmf__attr_started(void)
{
    started = next_number;
}

int hmf__attr_keyval_free(int *keyval)
{
    struct keyval *k = find(*keyval);

    if (k == NULL || k->freed)
        return PMPI_Comm_free_keyval(keyval);
    *keyval = MPI_KEYVAL_INVALID;
    k->freed = true;
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

void hmf__attr_forget(struct hmf__vcomm *v)
{
    while (v->attrs != NULL) {
        struct hmf__attr *a = v->attrs;

        v->attrs = a->next;
        put(a->key);
        hmf__free(a);
    }
}

/* ---- for newcomers ----
 *
 *   i32 next number, first after start-up
 *   u32 n key values, oldest first: i32 number; u8 freed; u8 named; if so names of copy and delete
 *       callbacks ("": none), extra state
 *   u32 n communicators with attributes: u32 id; u32 n, newest first: i32 number; u8 late; if so
 *       the value
 */

static hmf_status_t pack_keyval(struct hmf__buf *b, const struct keyval *k)
{
    hmf_status_t status;
    char owner[32];

    snprintf(owner, sizeof(owner), "key value %d", k->number);
    hmf__buf_put_i32(b, k->number);
    hmf__buf_put_u8(b, k->freed);
    hmf__buf_put_u8(b, k->number >= started);
    if (k->number < started)
        return b->status;
    status = hmf__vlocal_put_function(b, (void (*)(void)) k->copy, owner);
    if (status == HMF_OK)
        status = hmf__vlocal_put_function(b, (void (*)(void)) k->del, owner);
    return status != HMF_OK ? status
        : hmf__vlocal_put_pointer(b, k->extra, false, "the extra state of key value %d", k->number);
}

/* How a library has itself called at MPI_Finalize: an attribute of MPI_COMM_SELF whose key nobody has
 * any more.  It belongs to the library's state in this process; in the newcomer's it makes its own. */
static bool is_exit_hook(const struct keyval *k)
{
    if (!k->freed || k->number < started)
        return false;
    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        for (const struct hmf__attr *a = v->attrs; a != NULL; a = a->next)
            if (a->key == k && v != &hmf__vcomm_self)
                return false;
    return true;
}

static uint32_t count_attrs(const struct hmf__vcomm *v)
{
    uint32_t n = 0;

    for (const struct hmf__attr *a = v->attrs; a != NULL; a = a->next)
        n += !is_exit_hook(a->key);
    return n;
}

static hmf_status_t pack_attrs(struct hmf__buf *b, const struct hmf__vcomm *v)
{
    hmf_status_t status = HMF_OK;
    char text[160];

    hmf__buf_put_u32(b, v->id);
    hmf__buf_put_u32(b, count_attrs(v));
    for (const struct hmf__attr *a = v->attrs; a != NULL && status == HMF_OK; a = a->next) {
        if (is_exit_hook(a->key))
            continue;
        hmf__buf_put_i32(b, a->key->number);
        hmf__buf_put_u8(b, a->late);
        if (a->late)
            status = hmf__vlocal_put_pointer(b, a->value, false, "the attribute with key value %d "
                                             "of %s", a->key->number,
                                             hmf__vcomm_text(v, text, sizeof(text)));
    }
    return status;
}

hmf_status_t hmf__attr_pack(struct hmf__buf *b)
{
    hmf_status_t status = HMF_OK;
    uint32_t nkeys = 0, ncomms = 0, hooks = 0;

    for (const struct keyval *k = keyvals; k != NULL; k = k->next)
        nkeys++;
    for (const struct keyval *k = keyvals; k != NULL; k = k->next)
        hooks += is_exit_hook(k);
    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        ncomms += count_attrs(v) > 0;
    hmf__buf_put_i32(b, next_number);
    hmf__buf_put_i32(b, started);
    hmf__buf_put_u32(b, nkeys - hooks);
    for (uint32_t i = nkeys; i > 0 && status == HMF_OK; i--) {
        const struct keyval *k = keyvals;

        for (uint32_t j = 1; j < i; j++)
            k = k->next;
        if (!is_exit_hook(k))
            status = pack_keyval(b, k);
    }
    hmf__buf_put_u32(b, ncomms);
    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL && status == HMF_OK; v = v->next)
        if (count_attrs(v) > 0)
            status = pack_attrs(b, v);
    return status;
}

/* One that no start-up has made. */
static hmf_status_t make_keyval(int number, void (*copy)(void), void (*del)(void), void *extra)
{
    int next = next_number, keyval, rc;

    next_number = number;
    rc = hmf__attr_keyval_create((MPI_Comm_copy_attr_function *) copy,
                                 (MPI_Comm_delete_attr_function *) del, &keyval, extra);
    next_number = next;
    return rc == MPI_SUCCESS ? HMF_OK
        : hmf__fail(rc == MPI_ERR_NO_MEM ? HMF_ERR_NOMEM : HMF_ERR_MPI, "key value %d cannot be made "
                    "again (MPI error %d)", number, rc);
}

static hmf_status_t unpack_keyval(struct hmf__buf *b, bool values, int next, int *number)
{
    bool freed, named;
    void (*copy)(void) = NULL, (*del)(void) = NULL;
    struct hmf__vlocal_pointer extra = { false, 0 };
    hmf_status_t status = HMF_OK;
    struct keyval *k;

    *number = hmf__buf_get_i32(b);
    freed = hmf__buf_get_u8(b) != 0;
    named = hmf__buf_get_u8(b) != 0;
    if (named)
        status = hmf__vlocal_get_function(b, &copy, "a key value");
    if (named && status == HMF_OK)
        status = hmf__vlocal_get_function(b, &del, "a key value");
    if (named && status == HMF_OK)
        extra = hmf__vlocal_get_pointer(b);
    if (status == HMF_OK && (b->status != HMF_OK || *number < FIRST_NUMBER || *number >= next))
        status = hmf__fail(HMF_ERR_FORMAT, "a key value from the rank's old process is damaged");
    if (status != HMF_OK || !values)
        return status;
    k = find(*number);
    if (k == NULL && !named)
        return hmf__fail(HMF_ERR_MISMATCH, "the start-up of the new process did not make key value "
                         "%d: it must do what the rank's did", *number);
    if (k == NULL)
        status = make_keyval(*number, copy, del, hmf__vlocal_pointer(extra));
    k = find(*number);
    if (status == HMF_OK && freed && k != NULL && !k->freed) {
        /* Attributes that follow still need it; drop_others lets it go. */
        k->freed = true;
    }
    return status;
}

/* Takes the attribute that the start-up set, or makes one. */
static struct hmf__attr *grab(struct hmf__vcomm *v, struct keyval *k)
{
    struct hmf__attr **at = locate(v, k->number), *a = *at;

    if (a != NULL) {
        *at = a->next;
        return a;
    }
    a = hmf__calloc(1, sizeof(*a));
    if (a != NULL) {
        a->key = k;
        k->refs++;
    }
    return a;
}

static hmf_status_t unpack_attrs(struct hmf__buf *b, bool values)
{
    uint32_t id = hmf__buf_get_u32(b), n = hmf__buf_get_u32(b);
    struct hmf__vcomm *v = hmf__vcomm_by_id(id);
    struct hmf__attr *list = NULL, **tail = &list;
    hmf_status_t status = HMF_OK;

    if (v == NULL)
        return hmf__fail(HMF_ERR_FORMAT, "an attribute from the rank's old process is damaged");
    for (uint32_t i = 0; i < n && status == HMF_OK; i++) {
        int number = hmf__buf_get_i32(b);
        bool late = hmf__buf_get_u8(b) != 0, mine;
        struct hmf__vlocal_pointer value = { false, 0 };
        struct keyval *k;
        struct hmf__attr *a;

        if (late)
            value = hmf__vlocal_get_pointer(b);
        k = find(number);
        if (b->status != HMF_OK || (values && k == NULL))
            status = hmf__fail(HMF_ERR_FORMAT, "an attribute from the rank's old process is damaged");
        if (status != HMF_OK || !values)
            continue;
        mine = *locate(v, number) != NULL;
        a = grab(v, k);
        if (a == NULL) {
            status = hmf__fail(HMF_ERR_NOMEM, "no memory for an attribute");
            continue;
        }
        a->next = NULL;
        *tail = a;
        tail = &a->next;
        a->late = late;
        if (late)
            a->value = hmf__vlocal_pointer(value);
        else if (!mine)
            status = hmf__fail(HMF_ERR_MISMATCH, "the start-up of the new process did not set the "
                               "attribute with key value %d: it must do what the rank's did", number);
    }
    if (values) {
        hmf__attr_forget(v); /* deleted since the start-up */
        v->attrs = list;
    }
    return status;
}

/* Attributes of communicators that have none now, and key values that are gone. */
static void drop_others(const uint32_t *ids, uint32_t nids, const int *numbers, uint32_t n)
{
    struct keyval *next;

    for (struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next) {
        bool has = false;

        for (uint32_t i = 0; i < nids; i++)
            has |= ids[i] == v->id;
        if (!has)
            hmf__attr_forget(v);
    }
    for (struct keyval *k = keyvals; k != NULL; k = next) {
        bool lives = false;

        next = k->next;
        for (uint32_t i = 0; i < n; i++)
            lives |= numbers[i] == k->number;
        if (!lives || k->freed) {
            k->freed = true;
            put(k);
        }
    }
}

hmf_status_t hmf__attr_unpack(struct hmf__buf *b, bool values)
{
    int next = hmf__buf_get_i32(b), first = hmf__buf_get_i32(b), *numbers;
    uint32_t n = hmf__buf_get_u32(b), nids = 0, *ids = NULL;
    hmf_status_t status = HMF_OK;

    if (b->status != HMF_OK || n > hmf__buf_left(b))
        return hmf__fail(HMF_ERR_FORMAT, "key values from the rank's old process are damaged");
    numbers = hmf__calloc((size_t) n + 1, sizeof(*numbers));
    if (numbers == NULL)
        status = hmf__fail(HMF_ERR_NOMEM, "no memory for %u key values", n);
    for (uint32_t i = 0; i < n && status == HMF_OK; i++)
        status = unpack_keyval(b, values, next, &numbers[i]);
    if (status == HMF_OK) {
        nids = hmf__buf_get_u32(b);
        ids = nids <= hmf__buf_left(b) ? hmf__calloc((size_t) nids + 1, sizeof(*ids)) : NULL;
        if (ids == NULL)
            status = hmf__fail(HMF_ERR_FORMAT, "attributes from the rank's old process are damaged");
    }
    for (uint32_t i = 0; i < nids && status == HMF_OK; i++) {
        struct hmf__buf peek = *b;

        ids[i] = hmf__buf_get_u32(&peek);
        status = unpack_attrs(b, values);
    }
    if (status == HMF_OK && values) {
        drop_others(ids, nids, numbers, n);
        next_number = next;
        started = first;
    }
    hmf__free(numbers);
    hmf__free(ids);
    return status;
}
