/* A running job as the commands of hmf see it: hmf_job.c reaches it, hmf_status.c shows who is where, hmf_events.c
 * what happened, hmf_plot.c draws that, hmf_live.c the graph on which it decides. */
#ifndef HMF_TOOLS_JOB_H
#define HMF_TOOLS_JOB_H

#include <stdio.h>

/* Prints the names of the running jobs; 1 if there is none. */
int hmf_job_list(const char *job, int json);

/* A connection to the only job, or to the one whose name contains `job`; -1, said, if that is none or several. */
int hmf_job_find(const char *job);

/* Sends a line; the answer, to be freed.  NULL: none came, said. */
char *hmf_job_ask(int fd, const char *line);

/* The same of the job named so: the answer without "ok " or "error ", *ok says which; NULL: no answer, said. */
char *hmf_job_answer(const char *job, const char *line, int *ok);

/* Finds, asks, and says a refusal: NULL then. */
char *hmf_job_question(const char *job, const char *line);

int hmf_misused(const char *fmt, const char *word);     /* says what is wrong with the command line; 2 */

/* argv[0] is the command's word; the exit status. */
int hmf_status_command(const char *job, int argc, char **argv);
int hmf_events_command(const char *job, int argc, char **argv);
int hmf_explain_command(const char *job, int argc, char **argv);
int hmf_plot_command(const char *job, int argc, char **argv);
int hmf_live_command(const char *job, int argc, char **argv);      /* hmf graph without a file */

/* A text as JSON has it, with its quotes. */
void hmf_put_json(const char *text);

/* The events of a file with the older parts that were renamed, or of the job if file is NULL; to be freed. NULL: said. */
char *hmf_events_text(const char *job, const char *file);

#endif
