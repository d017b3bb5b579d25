/* Loaded before a 32-bit program under a 64-bit qemu. The kernel gives 64-bit positions in folders, so
 * that readdir of a program with room for 32 fails, and Open MPI, built that way, finds no component. */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS
#include <dirent.h>
#include <string.h>

struct dirent *readdir(DIR *dir)
{
    static __thread struct dirent entry;
    struct dirent64 *e = readdir64(dir);

    if (!e)
        return NULL;
    entry = (struct dirent){.d_ino = (ino_t)e->d_ino, .d_reclen = sizeof entry, .d_type = e->d_type};
    memcpy(entry.d_name, e->d_name, sizeof entry.d_name);
    return &entry;
}
