/* Foreign handles in registered variables: the handles of MPI (typeMPI_COMM and so on).
 *
 * An image holds a text for each, which says what it stands for: "MPI_DOUBLE", "comm 5".  Making
 * a text from a handle and a handle from a text is the business of who knows them, the virtual
 * world (vhandle.c), which sets the hooks; the data side knows only that a handle is as large as a
 * pointer, and that a zero one is nobody's.
 */
#ifndef HMF__HANDLE_H
#define HMF__HANDLE_H

#include <stdint.h>

#include "hmf/status.h"

struct hmf__handle_hooks {
    /* A capture, or a restore, begins: texts and handles of an earlier one are of no use now. Both
     * may be NULL. */
    void (*text_begin)(void);
    void (*find_begin)(void);
    /* The text of a handle of the type with this number: not NULL, to stay where it is until the
     * capture that asked is over.  Any status; the text of hmf__fail names the handle. */
    hmf_status_t (*text)(int number, const void *handle, const char **out);
    /* The handle that a text stands for in this process. Any status, as above. */
    hmf_status_t (*find)(int number, const char *text, void **out);
};

/* NULL: nobody knows handles any more.  Not for several threads at once. */
void hmf__handle_hooks(const struct hmf__handle_hooks *hooks);

/* As the hooks; HMF_ERR_UNSUPPORTED without them. */
void hmf__handle_text_begin(void);
void hmf__handle_find_begin(void);
hmf_status_t hmf__handle_text(int number, const void *handle, const char **out);
hmf_status_t hmf__handle_find(int number, const char *text, void **out);

/* "MPI_Comm" for typeMPI_COMM; NULL for a number that is no handle's. */
const char *hmf__handle_type(uint32_t number);

#endif
