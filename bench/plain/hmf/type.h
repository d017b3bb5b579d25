/* type.h: no user types for programs compiled with bench/plain/auto.h. */
#ifndef BENCH_PLAIN_HMF_TYPE_H
#define BENCH_PLAIN_HMF_TYPE_H

#include <stddef.h>

static inline int hmf_type_define(int number, const char *name, const int *desc, size_t desc_len,
                                  const char *const *field_names, const void *layout)
{
    (void)number, (void)name, (void)desc, (void)desc_len, (void)field_names, (void)layout;
    return 0;
}

#endif
