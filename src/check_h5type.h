/*
 * The image's types as HDF5 datatypes, in the writer's layout, so that a dataset's bytes are the
 * program's bytes and HDF5 never converts. Knows nothing of files.
 */
#ifndef HMF_CHECK_H5TYPE_H
#define HMF_CHECK_H5TYPE_H

#include "check_outline.h"

#include <hdf5.h>

/* The datatype of a dataset's elements. Its size is the bytes of one element. *slots (may be NULL):
   for HMF__OUTLINE_SLOTS the integers of one row that could not be named and become a dimension,
   else 1. Negative: HDF5 failed. The caller closes it. */
hid_t hmf__h5type_of(const struct hmf__outline_dataset *d, const struct hmf__types *types,
                     uint64_t *columns);

#endif
