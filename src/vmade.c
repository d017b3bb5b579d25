/* What ops and error handlers are made of; see vmade.h. */
#include "config.h"

#include "vmade.h"

#include <pthread.h>
#include <string.h>

#include "function.h"
#include "handle.h"
#include "typemap.h"
#include "verror.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hmf__made *made;

static struct hmf__made *find(int number, const void *handle)
{
    struct hmf__made *m = made;

    while (m != NULL && (m->number != number || m->handle != handle))
        m = m->next;
    return m;
}

hmf_status_t hmf__made_note(int number, const void *handle, void (*function)(void), int commutes)
{
    hmf_status_t status = HMF_OK;
    struct hmf__made *m;

    pthread_mutex_lock(&lock);
    m = find(number, handle);
    if (m == NULL && (m = hmf__malloc(sizeof(*m))) != NULL) {
        m->next = made;
        made = m;
    }
    if (m != NULL) {
        m->number = number;
        m->handle = handle;
        m->function = function;
        m->commutes = commutes;
    } else {
        status = hmf__fail(HMF_ERR_NOMEM, "no memory to note the function of an %s",
                           hmf__handle_type((uint32_t) number));
    }
    pthread_mutex_unlock(&lock);
    return status;
}

const struct hmf__made *hmf__made_find(int number, const void *handle)
{
    const struct hmf__made *m;

    pthread_mutex_lock(&lock);
    m = find(number, handle);
    pthread_mutex_unlock(&lock);
    return m;
}

hmf_status_t hmf__made_text(int number, const void *handle, struct hmf__buf *out)
{
    const struct hmf__made *m = hmf__made_find(number, handle);
    const char *name, *kind = hmf__handle_type((uint32_t) number);

    if (m == NULL)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "an %s that the program did not make cannot be "
                         "carried", kind);
    name = hmf__function_name(m->function);
    if (name == NULL)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "an %s is made of a function without a name: see "
                         "hmf_function_define, or link with -rdynamic", kind);
    if (number == typeMPI_OP && m->commutes)
        hmf__buf_put_bytes(out, "commuting ", 10);
    if (number == typeMPI_ERRHANDLER && m->commutes == HMF__VERROR_WIN)
        hmf__buf_put_bytes(out, "window ", 7);
    if (number == typeMPI_ERRHANDLER && m->commutes == HMF__VERROR_FILE)
        hmf__buf_put_bytes(out, "file ", 5);
    hmf__buf_put_bytes(out, "function ", 9);
    hmf__buf_put_bytes(out, name, strlen(name));
    return out->status;
}

static bool begins(const char **text, size_t *len, const char *word)
{
    size_t n = strlen(word);

    if (*len < n || memcmp(*text, word, n) != 0)
        return false;
    *text += n;
    *len -= n;
    return true;
}

hmf_status_t hmf__made_again(int number, const char *text, size_t len, void **out)
{
    int commutes = begins(&text, &len, "commuting ");
    enum hmf__verror_kind kind = begins(&text, &len, "window ") ? HMF__VERROR_WIN
        : begins(&text, &len, "file ") ? HMF__VERROR_FILE : HMF__VERROR_COMM;
    void (*function)(void);
    char name[1024];
    MPI_Op op;
    MPI_Errhandler handler;
    int rc;

    if (!begins(&text, &len, "function ") || len == 0 || len >= sizeof(name))
        return hmf__fail(HMF_ERR_FORMAT, "the description of an %s is damaged",
                         hmf__handle_type((uint32_t) number));
    memcpy(name, text, len);
    name[len] = '\0';
    function = hmf__function_find(name);
    if (function == NULL)
        return hmf__fail(HMF_ERR_NOTFOUND, "the saved state has an %s made of function %s, which "
                         "this program has not: see hmf_function_define, or link with -rdynamic",
                         hmf__handle_type((uint32_t) number), name);
    if (number == typeMPI_OP) {
        rc = PMPI_Op_create((MPI_User_function *) function, commutes, &op);
        *out = (void *) op;
    } else {
        commutes = (int) kind;
        rc = hmf__verror_create(kind, function, &handler);
        *out = (void *) handler;
    }
    if (rc != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "MPI does not make an %s again (%d)",
                         hmf__handle_type((uint32_t) number), rc);
    return hmf__made_note(number, *out, function, commutes);
}

void hmf__made_free_handler(MPI_Errhandler *handler)
{
    if (*handler != MPI_ERRHANDLER_NULL && *handler != MPI_ERRORS_ARE_FATAL &&
        *handler != MPI_ERRORS_RETURN)
        PMPI_Errhandler_free(handler);
    *handler = MPI_ERRHANDLER_NULL;
}

void hmf__made_fini(void)
{
    while (made != NULL) {
        struct hmf__made *m = made;

        made = m->next;
        hmf__free(m);
    }
}
