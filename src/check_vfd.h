/*
 * An HDF5 file driver that keeps what the HDF5 library writes in memory, as sparse pages.
 *
 * HDF5 builds the skeleton of a rank's file through it: object headers, groups, types. The bulk of
 * the data never passes through HDF5, so the pages stay few, and every byte that reaches the disk
 * is written by our own code: errors of the disk are ours to see and to handle, never HDF5's. What
 * is done with the pages is left to check_skel.c.
 */
#ifndef HMF_CHECK_VFD_H
#define HMF_CHECK_VFD_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HMF__VFD_PAGE 4096u

struct hmf__vfd_page {
    uint64_t number;               /* the page holds the file's bytes from number * HMF__VFD_PAGE */
    unsigned char *bytes;
};

struct hmf__vfd_store {
    struct hmf__vfd_page *pages;        /* in ascending order of number */
    size_t npages, capacity;
    uint64_t end;                       /* the file's size as HDF5 allocated it */
    bool failed;                        /* memory ran out or a write made no sense */
};

/* Makes pl (a file access property list) use a driver that keeps the file in *store, which is
   borrowed until the file is closed. A negative return is HDF5's. */
herr_t hmf__vfd_use(hid_t pl, struct hmf__vfd_store *store);

/* Frees the pages. */
void hmf__vfd_store_fini(struct hmf__vfd_store *store);

#endif
