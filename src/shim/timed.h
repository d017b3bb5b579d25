/* The PMPI calls of the wrappers that may wait for another rank, timed (progress.h): a wrapper that
 * includes this says PMPI_Recv and means it so.  Tests are among them: a program that waits by
 * testing waits as well. */
#ifndef HMF__SHIM_TIMED_H
#define HMF__SHIM_TIMED_H

#include "progress.h"

#define PMPI_Recv(...) HMF__TIMED(PMPI_Recv(__VA_ARGS__))
#define PMPI_Mrecv(...) HMF__TIMED(PMPI_Mrecv(__VA_ARGS__))
#define PMPI_Probe(...) HMF__TIMED(PMPI_Probe(__VA_ARGS__))
#define PMPI_Mprobe(...) HMF__TIMED(PMPI_Mprobe(__VA_ARGS__))
#define PMPI_Iprobe(...) HMF__TIMED(PMPI_Iprobe(__VA_ARGS__))
#define PMPI_Improbe(...) HMF__TIMED(PMPI_Improbe(__VA_ARGS__))
#define PMPI_Sendrecv(...) HMF__TIMED(PMPI_Sendrecv(__VA_ARGS__))
#define PMPI_Sendrecv_replace(...) HMF__TIMED(PMPI_Sendrecv_replace(__VA_ARGS__))
#define PMPI_Wait(...) HMF__TIMED(PMPI_Wait(__VA_ARGS__))
#define PMPI_Waitall(...) HMF__TIMED(PMPI_Waitall(__VA_ARGS__))
#define PMPI_Waitany(...) HMF__TIMED(PMPI_Waitany(__VA_ARGS__))
#define PMPI_Waitsome(...) HMF__TIMED(PMPI_Waitsome(__VA_ARGS__))
#define PMPI_Test(...) HMF__TIMED(PMPI_Test(__VA_ARGS__))
#define PMPI_Testall(...) HMF__TIMED(PMPI_Testall(__VA_ARGS__))
#define PMPI_Testany(...) HMF__TIMED(PMPI_Testany(__VA_ARGS__))
#define PMPI_Testsome(...) HMF__TIMED(PMPI_Testsome(__VA_ARGS__))

#endif
