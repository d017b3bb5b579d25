/* Function pointers and names, as the walk and the restore see them. */
#ifndef HMF__FUNCTION_H
#define HMF__FUNCTION_H

#include "hmf/function.h"

/* The name under which any process of this program finds the function; NULL: it has none.
 * Borrowed until the name is undefined. */
const char *hmf__function_name(hmf_function_t function);

/* NULL: nobody has that name. */
hmf_function_t hmf__function_find(const char *name);

#endif
