/* The generated descriptions of a program, as track.c sees them. */
#ifndef HMF__CHECKTYPE_H
#define HMF__CHECKTYPE_H

#include "hmf/checktype.h"

/* Calls each() for every variable that is marked with checktype, in the order of names, until it
 * returns anything but HMF_OK, which is then returned.  As hmf_checktype_define. */
hmf_status_t hmf__checktype_each(hmf_status_t (*each)(void *ctx,
                                                      const struct hmf_checktype_variable *v),
                                 void *ctx);

#endif
