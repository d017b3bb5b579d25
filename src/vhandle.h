/* MPI handles in the state as texts, and back: the hooks of handle.h.
 *
 *   communicator     MPI_COMM_WORLD, MPI_COMM_SELF, MPI_COMM_NULL, "comm 7" (number of creation)
 *   group            MPI_GROUP_NULL, MPI_GROUP_EMPTY, "group 0 2 5" (logical ranks)
 *   datatype         MPI_INT, "vector(3,2,5;;MPI_INT)" (vtype.h)
 *   op, errhandler   MPI_SUM, "commuting function NAME" (vmade.h)
 *   info             MPI_INFO_NULL, "info key=value ..."
 *   request          MPI_REQUEST_NULL, "request 19" (vreq.h: its serial)
 *   message          MPI_MESSAGE_NULL, "message 3"
 *   window, file     MPI_WIN_NULL, "window 2", MPI_FILE_NULL, "file 5" (numbers of creation)
 *
 * Those that are made anew by the reader end in " #n": equal numbers mean the same handle.
 *
 * A state that goes to disk is read by a program that has been started anew, so only what its
 * start-up phase makes again may be named by a number.  A state that moves meets the newcomer's
 * table of communicators and requests, which vlocal.c has filled.
 */
#ifndef HMF__VHANDLE_H
#define HMF__VHANDLE_H

#include <mpi.h>

#include "base.h"

/* From now on texts are for a newcomer, until end.  Texts of one handle stay the same meanwhile. */
void hmf__vhandle_moving(bool moving);

/* The text of a handle for use outside of the image, with the same "#n". Borrowed. */
hmf_status_t hmf__vhandle_text(int number, const void *handle, const char **out);

/* Was it in a variable of the last capture while moving? */
bool hmf__vhandle_seen(int number, const void *handle);

/* The handle of a text outside of the image.  *given: a variable has it too, or will find it. */
hmf_status_t hmf__vhandle_find(int number, const char *text, void **out, bool *given);

/* Sets the hooks; and takes them back, freeing all texts. */
void hmf__vhandle_init(void);
void hmf__vhandle_fini(void);

/* auto_read has come: what is made from now on no start-up phase makes again. */
void hmf__vhandle_started(void);
void hmf__vhandle_startup_ids(uint32_t *comms, uint64_t *requests);
void hmf__vhandle_set_startup_ids(uint32_t comms, uint64_t requests);

#endif
