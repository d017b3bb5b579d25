/* Functions that function pointers in the state may lead to.
 *
 * A function pointer (typeFUNCTION) is saved by the function's name.  Functions that the dynamic
 * linker knows (in shared libraries, or in a program linked with -rdynamic) are found by
 * themselves; all others, static ones above all, are named here, under the same name in every
 * build of the program.  The list is the process's.
 *
 * Not collective.  Threads: all functions may be called from any thread.
 */
#ifndef HMF_FUNCTION_H
#define HMF_FUNCTION_H

#include "hmf/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*hmf_function_t)(void);

/* Give a function a name (copied, 1 to 1023 bytes).  Saying the same again is fine.
 * HMF_ERR_ARG, HMF_ERR_NAME (name or function known otherwise), HMF_ERR_NOMEM. */
hmf_status_t hmf_function_define(const char *name, hmf_function_t function);

/* Forget a name.  HMF_ERR_NOTFOUND. */
hmf_status_t hmf_function_undefine(const char *name);

#ifdef __cplusplus
}
#endif
#endif
