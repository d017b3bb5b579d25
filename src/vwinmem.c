/* Views of shared memory; see vwinmem.h. mremap with an old size of 0 makes a second mapping of
 * shared pages, also over what was mapped there before. */
#include "config.h"

#include "vwinmem.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where MPI has the parts: the range of whole pages around them. */
struct range {
    char *begin;
    size_t bytes;
};

static uintptr_t page_of(uintptr_t at)
{
    return at & ~((uintptr_t) sysconf(_SC_PAGESIZE) - 1);
}

static hmf_status_t range_of(MPI_Win real, int n, struct range *out)
{
    uintptr_t low = UINTPTR_MAX, high = 0;

    for (int r = 0; r < n; r++) {
        MPI_Aint size;
        char *at;
        int unit, rc = PMPI_Win_shared_query(real, r, &size, &unit, &at);

        if (rc != MPI_SUCCESS)
            return hmf__fail(HMF_ERR_MPI, "MPI does not tell the parts of a shared window (%d)", rc);
        if (size == 0)
            continue;
        low = (uintptr_t) at < low ? (uintptr_t) at : low;
        high = (uintptr_t) at + (size_t) size > high ? (uintptr_t) at + (size_t) size : high;
    }
    if (high == 0)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "a shared window without memory");
    *out = (struct range) { (char *) page_of(low), page_of(high - 1) - page_of(low) +
                            (size_t) sysconf(_SC_PAGESIZE) };
    return HMF_OK;
}

hmf_status_t hmf__vwinmem_open(struct hmf__vwin *v)
{
    hmf_status_t status;
    struct range range;
    void *view;

    v->parts = hmf__calloc((size_t) v->members->n, sizeof *v->parts);
    if (v->parts == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the parts of a shared window");
    status = range_of(v->real, v->members->n, &range);
    if (status != HMF_OK)
        return status;
    for (int r = 0; r < v->members->n; r++) {
        MPI_Aint size;
        char *at;
        int unit, rc = PMPI_Win_shared_query(v->real, r, &size, &unit, &at);

        if (rc != MPI_SUCCESS)
            return hmf__fail(HMF_ERR_MPI, "MPI does not tell the parts of a shared window (%d)", rc);
        v->parts[r] = (struct hmf__vwin_part) { size > 0 ? at - range.begin : 0, size, unit, 0 };
    }
    view = mremap(range.begin, 0, range.bytes, MREMAP_MAYMOVE);
    if (view == MAP_FAILED)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "the memory of a shared window cannot be mapped "
                         "twice");
    v->view = view;
    v->view_bytes = range.bytes;
    v->base = v->view + v->parts[v->rank].at;
    return HMF_OK;
}

hmf_status_t hmf__vwinmem_reserve(struct hmf__vwin *v)
{
    void *view = mmap(NULL, v->view_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (view == MAP_FAILED)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a shared window of %zu bytes",
                         v->view_bytes);
    v->view = view;
    v->base = v->view + v->parts[v->rank].at;
    return HMF_OK;
}

hmf_status_t hmf__vwinmem_turn(struct hmf__vwin *v, MPI_Win real, MPI_Comm comm)
{
    const struct hmf__vwin_part *own = &v->parts[v->rank];
    hmf_status_t status;
    struct range range;
    int bad, worst, rc;

    status = range_of(real, v->members->n, &range);
    if (status == HMF_OK && range.bytes != v->view_bytes)
        status = hmf__fail(HMF_ERR_UNSUPPORTED, "MPI gave a shared window another shape");
    if (status == HMF_OK && own->size > 0)
        memcpy(range.begin + own->at, v->view + own->at, (size_t) own->size);
    bad = status != HMF_OK;
    rc = PMPI_Allreduce(&bad, &worst, 1, MPI_INT, MPI_MAX, comm);
    if (rc != MPI_SUCCESS || worst)
        return status != HMF_OK ? status
            : hmf__fail(HMF_ERR_PEER, "another rank could not map a shared window again");
    if (mremap(range.begin, 0, range.bytes, MREMAP_MAYMOVE | MREMAP_FIXED, v->view) == MAP_FAILED)
        return hmf__fail(HMF_ERR_NOMEM, "a shared window could not be mapped again");
    return HMF_OK;
}

void hmf__vwinmem_close(struct hmf__vwin *v)
{
    if (v->view != NULL)
        munmap(v->view, v->view_bytes);
    v->view = NULL;
}
