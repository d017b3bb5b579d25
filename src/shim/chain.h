/*
 * What the generated wrappers of libhmf-pmpi stand on (chain.c).
 *
 * A profiling tool that is loaded before a program defines MPI_Send and calls PMPI_Send, and so goes
 * past our wrappers with handles that MPI does not know. This library, loaded after the tool, defines
 * PMPI_Send: a call from libhmf-mpi itself goes on to MPI, any other goes to our MPI_Send. So the
 * tool sees what the program does, and MPI what we do.
 */
#ifndef HMF__SHIM_CHAIN_H
#define HMF__SHIM_CHAIN_H

#include <stdbool.h>

/* Where a call has to go: MPI's "PMPI_name", or our "MPI_name". Kept in `slots`. */
typedef void (*hmf__chain_fn)(void);
struct hmf__chain_slots {
    hmf__chain_fn ours, real;
};

hmf__chain_fn hmf__chain_next(struct hmf__chain_slots *slots, const char *name, bool ours)
    __attribute__((visibility("hidden")));

/* Does a call that returns to `caller` come from elsewhere than libhmf-mpi? A call at the end of one
 * of our functions may return to whoever called that: so each function also knows whether it is
 * within itself. */
bool hmf__chain_outside(const void *caller) __attribute__((visibility("hidden")));

#endif
