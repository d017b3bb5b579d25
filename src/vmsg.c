/* Matched messages; see vmsg.h. */
#include "config.h"

#include "vmsg.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "shim/shim.h"
#include "stash.h"

static struct hmf__vmsg *messages;
static uint32_t serial;
static pthread_mutex_t messages_lock = PTHREAD_MUTEX_INITIALIZER;

struct hmf__vmsg *hmf__vmsg_of(MPI_Message message)
{
    struct hmf__vmsg *g;

    pthread_mutex_lock(&messages_lock);
    for (g = messages; g != NULL && (void *) g != (void *) message; g = g->next)
        ;
    pthread_mutex_unlock(&messages_lock);
    return g;
}

MPI_Message hmf__vmsg_new(struct hmf__vcomm *v, MPI_Message real, struct hmf__stashed *m,
                          const MPI_Status *status)
{
    struct hmf__vmsg *g = hmf__calloc(1, sizeof *g);

    if (g == NULL)
        return MPI_MESSAGE_NULL;
    g->real = real;
    g->m = m;
    g->vcomm = v;
    if (status != NULL)
        g->status = *status;
    if (!(v->flags & HMF__COMM_FIXED))
        hmf__vcomm_hold(v);
    pthread_mutex_lock(&messages_lock);
    g->serial = ++serial & 0x3fffffff;
    g->next = messages;
    if (messages != NULL)
        messages->prev = g;
    messages = g;
    pthread_mutex_unlock(&messages_lock);
    return (MPI_Message) (void *) g;
}

void hmf__vmsg_drop(struct hmf__vmsg *g)
{
    pthread_mutex_lock(&messages_lock);
    if (g->prev != NULL)
        g->prev->next = g->next;
    else
        messages = g->next;
    if (g->next != NULL)
        g->next->prev = g->prev;
    pthread_mutex_unlock(&messages_lock);
    if (!(g->vcomm->flags & HMF__COMM_FIXED))
        hmf__vcomm_release(g->vcomm);
    if (g->m != NULL)
        hmf__stash_free(g->m);
    hmf__free(g);
}

hmf_status_t hmf__vmsg_suspend(void)
{
    for (struct hmf__vmsg *g = messages; g != NULL; g = g->next) {
        MPI_Count bytes = 0;
        int rc;

        if (g->real == MPI_MESSAGE_NULL || g->real == MPI_MESSAGE_NO_PROC)
            continue;
        PMPI_Get_elements_x(&g->status, MPI_BYTE, &bytes);
        g->m = hmf__stash_new(g->status.MPI_SOURCE, g->status.MPI_TAG, (uint64_t) bytes);
        if (g->m == NULL)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a matched message of %lld bytes",
                             (long long) bytes);
        rc = hmf__shim_take_bytes(g->m->data, (uint64_t) bytes, &g->real);
        if (rc != MPI_SUCCESS) {
            hmf__stash_free(g->m);
            g->m = NULL;
            return hmf__fail(HMF_ERR_MPI, "a matched message could not be received at the cut"
                             " (MPI error %d)", rc);
        }
        g->real = MPI_MESSAGE_NULL;
    }
    return HMF_OK;
}

void hmf__vmsg_fini(void)
{
    /* At the end of a process, also of one that has left: the communicators are gone already. */
    while (messages != NULL) {
        struct hmf__vmsg *g = messages;

        messages = g->next;
        if (g->m != NULL)
            hmf__stash_free(g->m);
        hmf__free(g);
    }
}

bool hmf__vmsg_serial(MPI_Message message, uint32_t *out)
{
    struct hmf__vmsg *g = hmf__vmsg_of(message);

    if (g != NULL)
        *out = g->serial;
    return g != NULL;
}

MPI_Message hmf__vmsg_by_serial(uint32_t number)
{
    struct hmf__vmsg *g = messages;

    while (g != NULL && g->serial != number)
        g = g->next;
    return (MPI_Message) (void *) g;
}

uint32_t hmf__vmsg_next_serial(void)
{
    return serial + 1;
}

bool hmf__vmsg_unknown(uint32_t started, bool (*known)(MPI_Message m), char *text, size_t len)
{
    char name[160];

    for (struct hmf__vmsg *g = messages; g != NULL; g = g->next) {
        if (g->serial < started || known((MPI_Message) (void *) g))
            continue;
        snprintf(text, len, "a message from rank %d with tag %d on %s matched by MPI_Mprobe",
                 g->status.MPI_SOURCE, g->status.MPI_TAG,
                 hmf__vcomm_text(g->vcomm, name, sizeof name));
        return true;
    }
    return false;
}

void hmf__vmsg_pack(struct hmf__buf *b)
{
    uint32_t n = 0;

    for (const struct hmf__vmsg *g = messages; g != NULL; g = g->next)
        n += g->m != NULL;
    hmf__buf_put_u32(b, serial);
    hmf__buf_put_u32(b, n);
    for (const struct hmf__vmsg *g = messages; g != NULL; g = g->next) {
        if (g->m == NULL)
            continue;
        hmf__buf_put_u32(b, g->serial);
        hmf__buf_put_u32(b, g->vcomm->id);
        hmf__buf_put_i32(b, g->m->source);
        hmf__buf_put_i32(b, g->m->tag);
        hmf__buf_put_u64(b, g->m->bytes);
        hmf__buf_put_bytes(b, g->m->data, (size_t) g->m->bytes);
    }
}

static hmf_status_t unpack_one(struct hmf__buf *b)
{
    uint32_t number = hmf__buf_get_u32(b), id = hmf__buf_get_u32(b);
    int source = hmf__buf_get_i32(b), tag = hmf__buf_get_i32(b);
    uint64_t bytes = hmf__buf_get_u64(b);
    const void *data = bytes <= hmf__buf_left(b) ? hmf__buf_get_bytes(b, (size_t) bytes) : NULL;
    struct hmf__vcomm *v = hmf__vcomm_by_id(id);
    struct hmf__vmsg *g = hmf__vmsg_of(hmf__vmsg_by_serial(number));
    struct hmf__stashed *m;
    MPI_Status status;

    if (b->status != HMF_OK || data == NULL || v == NULL || v->real == MPI_COMM_NULL || source < 0
        || source >= (v->remote_size > 0 ? v->remote_size : v->size) || tag < 0)
        return hmf__fail(HMF_ERR_FORMAT, "a matched message from the rank's old process is damaged");
    m = hmf__stash_new(source, tag, bytes);
    if (m == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a matched message of %llu bytes",
                         (unsigned long long) bytes);
    memcpy(m->data, data, (size_t) bytes);
    hmf__shim_set_status(&status, source, tag, bytes);
    if (g == NULL)
        g = hmf__vmsg_of(hmf__vmsg_new(v, MPI_MESSAGE_NULL, NULL, NULL));
    if (g == NULL) {
        hmf__stash_free(m);
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a matched message");
    }
    g->serial = number;
    g->replay = false;
    g->m = m;
    g->status = status;
    return HMF_OK;
}

hmf_status_t hmf__vmsg_unpack(struct hmf__buf *b)
{
    uint32_t last = hmf__buf_get_u32(b), n = hmf__buf_get_u32(b);
    hmf_status_t status = b->status;

    for (uint32_t i = 0; i < n && status == HMF_OK; i++)
        status = unpack_one(b);
    serial = last;
    return status;
}

/* Fortran's numbers of our messages lie above all of Open MPI's. */
MPI_Fint MPI_Message_c2f(MPI_Message message)
{
    struct hmf__vmsg *g = hmf__vmsg_of(message);

    return g != NULL ? (MPI_Fint) (0x40000000 | g->serial) : PMPI_Message_c2f(message);
}

MPI_Message MPI_Message_f2c(MPI_Fint message)
{
    if (message >= 0x40000000)
        for (struct hmf__vmsg *g = messages; g != NULL; g = g->next)
            if ((uint32_t) message == (0x40000000 | g->serial))
                return (MPI_Message) (void *) g;
    return PMPI_Message_f2c(message);
}
