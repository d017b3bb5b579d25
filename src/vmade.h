/* Ops and error handlers of the program: MPI does not tell which function they were made of, so
 * the wrappers of the calls that make them note it here.
 *
 * An entry stays when the program frees its handle, since communicators may still use what it
 * stands for; it goes when MPI gives the handle's value out again.  Local.
 */
#ifndef HMF__VMADE_H
#define HMF__VMADE_H

#include <mpi.h>

#include "base.h"

struct hmf__made {
    struct hmf__made *next;
    int number;             /* typeMPI_OP, typeMPI_ERRHANDLER */
    const void *handle;
    void (*function)(void);
    int commutes;           /* op; error handler: enum hmf__verror_kind */
};

/* HMF_ERR_NOMEM: a move will be refused that would need it. */
hmf_status_t hmf__made_note(int number, const void *handle, void (*function)(void), int commutes);

/* NULL: not made by the program. */
const struct hmf__made *hmf__made_find(int number, const void *handle);

/* The text by which another process makes the same: "function NAME", with "commuting " before it
 * for such an op, "window " or "file " for such an error handler.  HMF_ERR_UNSUPPORTED: the
 * function has no name that another process knows. */
hmf_status_t hmf__made_text(int number, const void *handle, struct hmf__buf *out);

/* Back; the handle is the caller's.  HMF_ERR_FORMAT, HMF_ERR_NOTFOUND (no such function here),
 * HMF_ERR_MPI. */
hmf_status_t hmf__made_again(int number, const char *text, size_t len, void **out);

/* Frees an error handler that MPI gave or hmf__made_again made; one of MPI's own stays. */
void hmf__made_free_handler(MPI_Errhandler *handler);

void hmf__made_fini(void);

#endif
