/* Inside the type layer: what type.c, desc.c and typeclass.c share. */
#ifndef HMF__TYPECACHE_H
#define HMF__TYPECACHE_H

#include "type.h"

/* Descriptions compiled before, so that registering the same type again adds no nodes. */
struct hmf__types_cache;

void hmf__types_cache_free(struct hmf__types_cache *cache); /* NULL is fine */

/* Forget the nodes from `first` on. */
void hmf__types_cut(struct hmf__types *t, uint32_t first);

#endif
