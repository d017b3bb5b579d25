/* events.h - what happens to a job, one line of JSON for each event (doc/operations.md has the
 * schema).
 *
 * The lines go to the file that HMF_EVENTS names, if it does, and the last of them are kept in
 * memory for "hmf events".  One process writes: the one whose agent is the coordinator; only one that
 * sees the coordinator die says so itself.  Each line is one write(2) to a file opened for appending,
 * so who reads sees whole lines at any time.  Beyond HMF_EVENTS_SIZE bytes (16 MiB) the file is
 * renamed to FILE.1 (the older one of that name to FILE.2) and a new one begun.  Agent thread
 * only; nothing here waits for anything but the file. */
#ifndef HMF_EVENTS_H
#define HMF_EVENTS_H

#include "base.h"

struct hmf__events;

/* `program` is copied; `id` tells runs apart.  A file that cannot be written is logged when the
 * first line is lost.  NULL: out of memory, which every function here takes for "no events". */
struct hmf__events *hmf__events_new(const char *program, uint64_t id);
void hmf__events_free(struct hmf__events *e);

/* A line is begun, gets its fields in the order of the calls, and is written by end. */
void hmf__events_begin(struct hmf__events *e, const char *event);
void hmf__events_int(struct hmf__events *e, const char *key, int64_t value);
void hmf__events_real(struct hmf__events *e, const char *key, double value);  /* not finite: null */
void hmf__events_text(struct hmf__events *e, const char *key, const char *value);
void hmf__events_texts(struct hmf__events *e, const char *key, const char *const *value, int n);
void hmf__events_ints(struct hmf__events *e, const char *key, const int *value, int n);
void hmf__events_end(struct hmf__events *e);
/* The same for what comes often: to the file only, not to those in memory. */
void hmf__events_end_often(struct hmf__events *e);
bool hmf__events_to_file(const struct hmf__events *e);

void hmf__events_reals(struct hmf__events *e, const char *key, const double *value, int n);

/* The newest of the lines in memory, oldest first, at most `n` of them: for "hmf events". */
void hmf__events_recent(const struct hmf__events *e, int n, struct hmf__buf *out);

#endif
