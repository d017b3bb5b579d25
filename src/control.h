/* control.h - the Unix socket by which a job's owner steers it.
 *
 * One line of text in, some lines out, then the connection is closed:
 *   status                      who is where
 *   migrate RANK [NODE]         the rank leaves its place; answers when it has, or why not
 *   checkpoint                  answers when the checkpoint is on disk, or why not
 *   drain NODE                  its ranks leave it; answers when it is empty, or who stays
 *   resume NODE                 ranks may move there again
 *   stop                        checkpoint, then the job ends in order
 *   events [N]                  the last N (20) events, one line of JSON each (events.h)
 *   graph [RANK]                hosts, ranks and what each place costs; that of one rank as JSON
 *   policy [NAMES]              which policies decide; others from now on
 * An answer begins with "ok " or "error "; status lines come before it.
 *
 * The socket is <program>.<pid>.sock in the run directory (rundir.h); requests of other users are
 * refused and logged.
 * It lives in the process that holds logical rank 0.  Agent thread only. */
#ifndef HMF_CONTROL_H
#define HMF_CONTROL_H

#include <poll.h>

#include "agent.h"

void hmf__control_start(struct hmf__agent *a);   /* without a socket the job runs all the same */
void hmf__control_stop(struct hmf__agent *a);

int hmf__control_npollfds(const struct hmf__control *c);
int hmf__control_pollfds(struct hmf__control *c, struct pollfd *fds, int max);
void hmf__control_handle(struct hmf__control *c, const struct pollfd *fds, int n);

/* What became of the wish that connection `token` made. */
void hmf__control_answer(struct hmf__control *c, uint64_t token, int ok, const char *text);

#endif
