/* calibrate.h - what messages between the job's hosts cost, measured in the shadow of MPI_Init.
 *
 * One process of each host exchanges messages with one of another host, several pairs at a time, in at most
 * eight rounds; each then converts some numbers from the formats of the others.  All of it takes at most about
 * HMF_CALIBRATE milliseconds (default 50 with HMF_POLICY set, else 0: nothing is measured; the search of hwloc
 * comes on top).  Links that this or another job has measured within a day are left out. */
#ifndef HMF_CALIBRATE_H
#define HMF_CALIBRATE_H

#include "agent.h"

/* Collective over the universe; the agents run, no spare waits yet.  The process that holds rank 0 tells its
 * agent what came out.  What fails is logged and left out. */
void hmf__calibrate(struct hmf__agent *a);

#endif
