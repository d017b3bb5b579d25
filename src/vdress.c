/* Names and error handlers for newcomers; see vdress.h.
 *
 *   u32 n, n times: u32 communicator; u8 handler; text of the program's own ("": as it is); name
 */
#include "config.h"

#include "vdress.h"

#include <string.h>

#include "shim/shim.h"
#include "typemap.h"
#include "vmade.h"
#include "vplan.h"

static hmf_status_t put_handler(struct hmf__buf *b, const struct hmf__vcomm *v)
{
    MPI_Errhandler handler = MPI_ERRHANDLER_NULL;
    struct hmf__buf text = HMF__BUF_INIT;
    hmf_status_t status = HMF_OK;
    char name[160];
    int kind;

    if (PMPI_Comm_get_errhandler(v->real, &handler) != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "MPI does not tell the error handler of %s",
                         hmf__vcomm_text(v, name, sizeof name));
    kind = handler == MPI_ERRORS_ARE_FATAL ? HMF__ERRORS_FATAL
         : handler == MPI_ERRORS_RETURN ? HMF__ERRORS_RETURN : HMF__ERRORS_OTHER;
    hmf__buf_init(&text);
    if (kind == HMF__ERRORS_OTHER)
        status = hmf__made_text(typeMPI_ERRHANDLER, (void *) handler, &text);
    if (status != HMF_OK && v->flags & (HMF__COMM_FIXED | HMF__COMM_STARTUP)) {
        status = HMF_OK; /* its start-up is believed to set it */
        hmf__buf_clear(&text);
    }
    hmf__buf_put_u8(b, (uint8_t) kind);
    hmf__buf_put_u8(&text, 0);
    hmf__buf_put_string(b, text.status == HMF_OK ? (const char *) text.data : "");
    hmf__buf_fini(&text);
    if (handler != MPI_ERRHANDLER_NULL)
        PMPI_Errhandler_free(&handler);
    return status == HMF_OK ? b->status
        : hmf__fail_prefix(status, "%s", hmf__vcomm_text(v, name, sizeof name));
}

hmf_status_t hmf__vdress_pack(struct hmf__buf *b)
{
    hmf_status_t status = HMF_OK;
    uint32_t n = 0;

    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        n += v->real != MPI_COMM_NULL;
    hmf__buf_put_u32(b, n);
    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL && status == HMF_OK; v = v->next) {
        char name[MPI_MAX_OBJECT_NAME] = "";
        int len;

        if (v->real == MPI_COMM_NULL)
            continue;
        hmf__buf_put_u32(b, v->id);
        status = put_handler(b, v);
        PMPI_Comm_get_name(v->real, name, &len);
        hmf__buf_put_string(b, name);
    }
    return status;
}

static hmf_status_t set_handler(struct hmf__vcomm *v, unsigned kind, const char *text)
{
    MPI_Errhandler handler = kind == HMF__ERRORS_RETURN ? MPI_ERRORS_RETURN : MPI_ERRORS_ARE_FATAL;
    hmf_status_t status = HMF_OK;
    void *made;
    int rc;

    if (kind == HMF__ERRORS_OTHER && text[0] == '\0')
        return HMF_OK;
    if (kind == HMF__ERRORS_OTHER) {
        status = hmf__made_again(typeMPI_ERRHANDLER, text, strlen(text), &made);
        if (status != HMF_OK)
            return status;
        handler = (MPI_Errhandler) made;
    }
    rc = PMPI_Comm_set_errhandler(v->real, handler);
    if (kind == HMF__ERRORS_OTHER)
        PMPI_Errhandler_free(&handler);
    return rc == MPI_SUCCESS ? HMF_OK
        : hmf__fail(HMF_ERR_MPI, "an error handler could not be set again (%d)", rc);
}

hmf_status_t hmf__vdress_unpack(struct hmf__buf *b, bool set)
{
    uint32_t n = hmf__buf_get_u32(b);
    hmf_status_t status = HMF_OK;

    for (uint32_t i = 0; i < n && status == HMF_OK; i++) {
        struct hmf__vcomm *v = hmf__vcomm_by_id(hmf__buf_get_u32(b));
        unsigned kind = hmf__buf_get_u8(b);
        char *text = hmf__buf_get_string(b, 1100);
        char *name = hmf__buf_get_string(b, MPI_MAX_OBJECT_NAME - 1);

        if (text == NULL || name == NULL || v == NULL || kind > HMF__ERRORS_OTHER)
            status = hmf__fail(HMF_ERR_FORMAT, "the name or error handler of a communicator from the "
                               "rank's old process is damaged");
        else if (set && v->real != MPI_COMM_NULL)
            status = set_handler(v, kind, text);
        if (status == HMF_OK && set && v->real != MPI_COMM_NULL)
            PMPI_Comm_set_name(v->real, name);
        hmf__free(text);
        hmf__free(name);
    }
    return status;
}
