/*
 * Making the views; see check_arrays.h.
 */
#include "config.h"

#include "check_arrays.h"

#include "base.h"
#include "check_h5type.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A view of more runs than this is slow to open and of no use to people. */
#define RUNS_MAX 4096

/* n blocks of so many elements, their beginnings `stride` apart, in a dataset of one dimension;
   in the array the box from lo on with extents n of its own. */
struct run {
    uint64_t row, stride, count, block;
    uint64_t lo[HMF_PARTITION_DIMS], extent[HMF_PARTITION_DIMS];
};

static herr_t map_run(hid_t create, hid_t array, int ndims, int rank,
                      const struct hmf__index_part *part, const struct run *r)
{
    char file[32];
    hsize_t start[HMF_PARTITION_DIMS], count[HMF_PARTITION_DIMS];
    hsize_t row = r->row, stride = r->stride, blocks = r->count, block = r->block;
    hsize_t end = row + (blocks - 1) * stride + block;
    herr_t rc = -1;
    for (int d = 0; d < ndims; d++) {
        start[d] = r->lo[d];
        count[d] = r->extent[d];
    }
    snprintf(file, sizeof file, "rank-%05d.h5", rank);
    hid_t from = H5Screate_simple(1, &end, NULL);
    if (from >= 0 && H5Sselect_hyperslab(from, H5S_SELECT_SET, &row, &stride, &blocks, &block) >= 0
        && H5Sselect_hyperslab(array, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        rc = H5Pset_virtual(create, array, file, part->dataset, from);
    if (from >= 0)
        H5Sclose(from);
    return rc;
}

/* Calls map_run for each run of a piece, or (create < 0) only counts them. The dimensions are run
   over in the order of the array, so only those whose strides go with that order share a run. */
static herr_t map_piece(hid_t create, hid_t array, int ndims, int rank,
                        const struct hmf__index_part *part, const struct hmf_piece *p, size_t *n)
{
    uint64_t at[HMF_PARTITION_DIMS] = {0};
    struct run r = {.stride = 1, .count = 1, .block = 1};
    int inner = ndims - 1, outer = ndims - 2;
    for (int d = 0; d < ndims; d++) {   /* Fortran's order: along its fastest dimension */
        if (p->extent[d] > 1 && p->stride[d] < p->stride[inner])
            inner = d;
    }
    if (p->stride[inner] == 1) {
        r.block = p->extent[inner];
        if (inner != ndims - 1 || outer < 0 || p->stride[outer] < r.block)
            outer = -1;
        else
            r.stride = p->stride[outer], r.count = p->extent[outer];
    } else {
        r.stride = p->stride[inner] != 0 ? p->stride[inner] : 1;
        r.count = p->extent[inner];
        outer = -1;
    }
    for (;;) {
        r.row = part->dataset_row + p->first;
        for (int d = 0; d < ndims; d++) {
            r.row += at[d] * p->stride[d];
            r.lo[d] = p->offset[d] + at[d];
            r.extent[d] = d == inner || d == outer ? p->extent[d] : 1;
        }
        if (++*n > RUNS_MAX)
            return 0;
        if (create >= 0 && map_run(create, array, ndims, rank, part, &r) < 0)
            return -1;
        int d = ndims - 1;
        for (; d >= 0; d--) {
            if (d == inner || d == outer)
                continue;
            if (++at[d] < p->extent[d])
                break;
            at[d] = 0;
        }
        if (d < 0)
            return 0;
    }
}

/* All runs of an array. *possible: it can have a view. */
static herr_t map_all(hid_t create, hid_t array, const struct hmf__index *index,
                      const struct hmf__index_var *v, bool *possible)
{
    size_t n = 0;
    *possible = true;
    for (int r = 0; r < index->nranks; r++) {
        const struct hmf__index_part *part = &v->parts[r];
        for (size_t i = 0; i < part->npieces; i++) {
            const struct hmf_piece *p = &part->pieces[i];
            if (p->halo || hmf__parts_volume(v->ndims, p->extent) == 0)
                continue;
            if (part->dataset[0] == '\0' || n > RUNS_MAX) {
                *possible = false;
                return 0;
            }
            if (map_piece(create, array, v->ndims, r, part, p, &n) < 0)
                return -1;
        }
    }
    *possible = n > 0 && n <= RUNS_MAX;
    return 0;
}

/* The type of an array's elements; negative if no rank of this kind tells. */
static hid_t type_of(const struct hmf__index_var *v, const hmf_meta_t *meta)
{
    const struct hmf__segment_info *s = hmf_meta_segment(meta, v->parts[0].segment);
    struct hmf__outline_dataset d = {.form = HMF__OUTLINE_VALUES};
    uint64_t columns;
    if (v->parts[0].segment == HMF__INDEX_NOWHERE || s == NULL)
        return -1;
    d.type = hmf_meta_table(meta, s->table)->type;
    return hmf__h5type_of(&d, hmf_meta_types(meta), &columns);
}

/* What no rank had, or what stands in a file that is gone, is not a number. */
static herr_t set_fill(hid_t create, hid_t type)
{
    double fill = NAN;
    return H5Tget_class(type) == H5T_FLOAT
               ? H5Pset_fill_value(create, H5T_NATIVE_DOUBLE, &fill) : 0;
}

static herr_t make_one(hid_t file, const struct hmf__index *index, const struct hmf__index_var *v,
                       const hmf_meta_t *meta)
{
    char path[HMF__MAX_NAME + 16];
    hsize_t shape[HMF_PARTITION_DIMS];
    bool possible;
    herr_t rc = -1;
    if (map_all(-1, -1, index, v, &possible) < 0 || !possible)
        return 0;
    for (int d = 0; d < v->ndims; d++)
        shape[d] = v->shape[d];
    snprintf(path, sizeof path, "/global/%s", v->name);
    for (char *c = path + 8; *c != '\0'; c++) {
        if (*c == '/')
            *c = '_';
    }
    hid_t type = type_of(v, meta);
    if (type < 0)
        return 0;
    hid_t space = H5Screate_simple(v->ndims, shape, NULL), set = -1;
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), link = H5Pcreate(H5P_LINK_CREATE);
    if (space >= 0 && create >= 0 && link >= 0 && H5Pset_create_intermediate_group(link, 1) >= 0
        && H5Pset_obj_track_times(create, 0) >= 0 && set_fill(create, type) >= 0
        && map_all(create, space, index, v, &possible) >= 0)
        set = H5Dcreate2(file, path, type, space, link, create, H5P_DEFAULT);
    if (set >= 0)
        rc = H5Dclose(set);
    if (link >= 0)
        H5Pclose(link);
    if (create >= 0)
        H5Pclose(create);
    if (space >= 0)
        H5Sclose(space);
    H5Tclose(type);
    return rc;
}

herr_t hmf__arrays_make(hid_t file, const struct hmf__index *index, const hmf_meta_t *meta)
{
    for (size_t i = 0; i < index->nvars; i++) {
        if (index->vars[i].share == HMF__SHARE_PARTS
            && make_one(file, index, &index->vars[i], meta) < 0)
            return -1;
    }
    return 0;
}
