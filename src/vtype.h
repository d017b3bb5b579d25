/* MPI datatypes as texts: "MPI_INT", "vector(3,2,5;;MPI_INT)".
 *
 * A derived datatype can be asked how it was made, so its text is the whole recipe: combiner, then
 * its integers, addresses and datatypes.  Who has which handle is the business of vhandle.c.
 */
#ifndef HMF__VTYPE_H
#define HMF__VTYPE_H

#include <mpi.h>

#include "base.h"

/* Appends the text.  HMF_ERR_UNSUPPORTED (a combiner or a basic type that is not known),
 * HMF_ERR_NOMEM, HMF_ERR_MPI. */
hmf_status_t hmf__vtype_text(MPI_Datatype type, struct hmf__buf *out);

/* "MPI_INT" for MPI_INT, NULL for what is derived. */
const char *hmf__vtype_name(MPI_Datatype type);

/* Makes the datatype of the text up to `end` and commits it.  Any bytes give a datatype or
 * HMF_ERR_FORMAT, HMF_ERR_NOMEM, HMF_ERR_MPI.  A derived one is the caller's to free. */
hmf_status_t hmf__vtype_find(const char *text, size_t len, MPI_Datatype *out);

#endif
