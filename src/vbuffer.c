/* The buffer of MPI_Bsend; see vbuffer.h.  At the cut nothing is in it: the drain has received what was
 * sent.
 *
 *   u8 attached; u8 by the start-up; i32 size; the address as pointer
 */
#include "config.h"

#include "vbuffer.h"

#include <mpi.h>

#include "vlocal.h"

struct hmf__vbuffer hmf__vbuffer;

void hmf__vbuffer_started(void)
{
    hmf__vbuffer.startup = hmf__vbuffer.at != NULL;
}

hmf_status_t hmf__vbuffer_pack(struct hmf__buf *b)
{
    const struct hmf__vbuffer *v = &hmf__vbuffer;

    hmf__buf_put_u8(b, v->at != NULL);
    hmf__buf_put_u8(b, v->startup);
    hmf__buf_put_i32(b, v->size);
    return hmf__vlocal_put_pointer(b, v->at, v->startup, "the buffer of MPI_Buffer_attach");
}

hmf_status_t hmf__vbuffer_unpack(struct hmf__buf *b, bool attach)
{
    bool attached = hmf__buf_get_u8(b) != 0, startup = hmf__buf_get_u8(b) != 0;
    int size = hmf__buf_get_i32(b), rc = MPI_SUCCESS, old;
    struct hmf__vlocal_pointer at = hmf__vlocal_get_pointer(b);
    void *p;

    if (b->status != HMF_OK || size < 0)
        return hmf__fail(HMF_ERR_FORMAT, "the buffer for MPI_Bsend from the rank's old process is "
                         "damaged");
    if (!attach)
        return HMF_OK;
    if (hmf__vbuffer.at != NULL && !(attached && startup)) {
        rc = PMPI_Buffer_detach(&p, &old);
        hmf__vbuffer = (struct hmf__vbuffer) { NULL, 0, false };
    }
    if (rc == MPI_SUCCESS && attached && hmf__vbuffer.at == NULL) {
        hmf__vbuffer = (struct hmf__vbuffer) { hmf__vlocal_pointer(at), size, startup };
        if (hmf__vbuffer.at == NULL)
            return hmf__fail(HMF_ERR_MISMATCH, "the start-up of the new process has not attached the "
                             "buffer for MPI_Bsend that the rank's had");
        rc = PMPI_Buffer_attach(hmf__vbuffer.at, size);
    }
    hmf__vbuffer.startup = startup;
    return rc == MPI_SUCCESS ? HMF_OK
        : hmf__fail(HMF_ERR_MPI, "the buffer for MPI_Bsend cannot be attached (MPI error %d)", rc);
}
