/* auto.h: the library's interface with nothing behind it.  An example compiled with this folder
 * first on the include path is the program as it was before it became migratable: the peer that
 * bench/ runs it against.  Meanings of the calls: include/auto.h. */
#ifndef BENCH_PLAIN_AUTO_H
#define BENCH_PLAIN_AUTO_H

#include <stddef.h>

#define AUTO_CHKP 1
#define AUTO_MIGR 2
#define AUTO_ALL 3

static inline int auto_init(const char *program)
{
    (void)program;
    return 0;
}

static inline int auto_track(const char *name, void *data, size_t len, int *type_list, int list_len)
{
    (void)name, (void)data, (void)len, (void)type_list, (void)list_len;
    return 0;
}

static inline int auto_untrack(void *data)
{
    (void)data;
    return 0;
}

static inline int auto_read(int mask)
{
    (void)mask;
    return 0;
}

static inline int auto_poll(int mask)
{
    (void)mask;
    return 0;
}

static inline int auto_done(void)
{
    return 0;
}

#endif
