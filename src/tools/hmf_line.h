/* Fields of lines: of the events (JSON as src/events.c writes it, one object without objects in it), and of the status
 * that a job gives ("rank 0 node n1 process 3 ..."). */
#ifndef HMF_TOOLS_LINE_H
#define HMF_TOOLS_LINE_H

#include <stddef.h>

/* The value of a field, a text without its quotes, a list with its brackets; "" if it is not there.  Cut to `len`. */
const char *hmf_line_field(const char *line, const char *key, char *out, size_t len);
double hmf_line_number(const char *line, const char *key);     /* 0 if it is not there */

/* The word behind the word `key`; "" if it is not there. */
const char *hmf_line_word(const char *line, const char *key, char *out, size_t len);

#endif
