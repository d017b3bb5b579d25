/*
 * Global arrays as datasets of global.h5: views (HDF5's virtual datasets) of the ranks' files, for
 * people and other tools. The library itself never reads through them.
 *
 * Used by check_skel.c only.
 */
#ifndef HMF_CHECK_ARRAYS_H
#define HMF_CHECK_ARRAYS_H

#include "check_index.h"

#include <hdf5.h>

/* Makes /global/NAME for each array whose elements stand in datasets of one dimension and in few
   enough pieces. meta: of rank 0's image, which knows their types. Negative: HDF5 failed. */
herr_t hmf__arrays_make(hid_t file, const struct hmf__index *index, const hmf_meta_t *meta);

#endif
