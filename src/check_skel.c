/*
 * Builds the HDF5 skeleton of a plan; see check_skel.h.
 */
#include "config.h"

#include "check_skel.h"

#include "base.h"
#include "check_arrays.h"
#include "check_h5type.h"
#include "check_vfd.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* Larger datasets begin on a page, so that O_DIRECT and page cache work on whole pages. */
#define ALIGN_FROM 65536

struct hmf__skel {
    struct hmf__vfd_store store;
};

/* Where HDF5 is not thread safe, our own threads at least do not meet in it. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* HDF5's own words for its last error: the deepest message. */
static herr_t deepest(unsigned n, const H5E_error2_t *e, void *text)
{
    (void)n;
    snprintf(text, 256, "%.120s: %.120s", e->func_name != NULL ? e->func_name : "?",
             e->desc != NULL ? e->desc : "?");
    return 0;
}

static hmf_status_t failed(const char *what)
{
    char text[256] = "no details";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, deepest, text);
    return hmf__fail(HMF_ERR_HDF5, "HDF5 cannot make %s: %s", what, text);
}

static herr_t text_attribute(hid_t object, const char *name, const char *text)
{
    size_t n = strlen(text);
    herr_t rc = -1;
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR), a = -1;
    if (type >= 0 && space >= 0 && H5Tset_size(type, n != 0 ? n : 1) >= 0
        && H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0)
        a = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (a >= 0) {
        rc = H5Awrite(a, type, n != 0 ? text : "\0");
        H5Aclose(a);
    }
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return rc;
}

static herr_t number_attribute(hid_t object, const char *name, uint64_t value)
{
    herr_t rc = -1;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = space >= 0 ? H5Acreate2(object, name, H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT)
                         : -1;
    if (a >= 0) {
        rc = H5Awrite(a, H5T_NATIVE_UINT64, &value);
        H5Aclose(a);
    }
    if (space >= 0)
        H5Sclose(space);
    return rc;
}

/* What one file needs while it is made. */
struct maker {
    hid_t file, create, link;
    const struct hmf__types *types;
    hid_t *committed;                   /* per type of the image: its named datatype, or -1 */
};

/* Structs are committed under /types, once each, named as in C or by their number. */
static hid_t commit(struct maker *m, uint32_t index, hid_t type)
{
    char name[300];
    const struct hmf__type *t = &m->types->v[index];
    if (t->kind != HMF__KIND_STRUCT || H5Tget_class(type) != H5T_COMPOUND)
        return type;
    if (m->committed[index] < 0) {
        int n = snprintf(name, sizeof name, "/types/%.255s", t->name != NULL ? t->name : "struct");
        for (char *c = name + 7; *c != '\0'; c++) {
            if (*c == '/')
                *c = '_';
        }
        htri_t there = 0;
        H5E_BEGIN_TRY {
            there = H5Lexists(m->file, "/types", H5P_DEFAULT) > 0
                && H5Lexists(m->file, name, H5P_DEFAULT) > 0;
        } H5E_END_TRY
        if (t->name == NULL || there)
            snprintf(name + n, sizeof name - (size_t)n, "_%u", (unsigned)index);
        if (H5Tcommit2(m->file, name, type, m->link, H5P_DEFAULT, H5P_DEFAULT) < 0) {
            H5Tclose(type);
            return -1;
        }
        m->committed[index] = type;
    } else {
        H5Tclose(type);
    }
    H5Iinc_ref(m->committed[index]);
    return m->committed[index];
}

static hmf_status_t make_dataset(struct maker *m, struct hmf__outline_dataset *d)
{
    hmf_status_t rc = HMF_OK;
    uint64_t columns = 1;
    hsize_t dims[HMF__OUTLINE_MAX_DIMS + 1];
    int ndims = d->ndims;
    hid_t space = -1, set = -1;
    hid_t type = hmf__h5type_of(d, m->types, &columns);
    if (type >= 0 && d->form == HMF__OUTLINE_VALUES)
        type = commit(m, d->type, type);
    if (type < 0)
        return failed(d->path);
    uint64_t total = H5Tget_size(type);
    for (int i = 0; i < d->ndims; i++) {
        dims[i] = d->dims[i];
        if (hmf__mul_overflow_u64(total, dims[i], &total))
            total = UINT64_MAX;
    }
    if (columns != 1) {
        dims[ndims++] = columns;
        total *= columns;
    }
    if (total != d->bytes) {
        rc = hmf__fail(HMF_ERR_FORMAT, "%s has %" PRIu64 " bytes, but its type and extents make %"
                       PRIu64, d->path, d->bytes, total);
        goto close_type;
    }
    space = ndims != 0 ? H5Screate_simple(ndims, dims, NULL) : H5Screate(H5S_SCALAR);
    if (space >= 0)
        set = H5Dcreate2(m->file, d->path, type, space, m->link, m->create, H5P_DEFAULT);
    if (set < 0 || (d->text != NULL && text_attribute(set, "type", d->text) < 0)) {
        rc = failed(d->path);
        goto close_set;
    }
    haddr_t at = d->bytes != 0 ? H5Dget_offset(set) : 0;
    if (at == HADDR_UNDEF) {
        rc = failed(d->path);
        goto close_set;
    }
    d->offset = at;

close_set:
    if (set >= 0)
        H5Dclose(set);
    if (space >= 0)
        H5Sclose(space);
close_type:
    H5Tclose(type);
    return rc;
}

static hmf_status_t label(hid_t file, const struct hmf__skel_labels *l)
{
    if (text_attribute(file, "format", "HMF checkpoint of one rank, version 1") < 0
        || text_attribute(file, "program", l->program) < 0
        || text_attribute(file, "library", l->library) < 0
        || number_attribute(file, "generation", l->generation) < 0
        || number_attribute(file, "rank", (uint64_t)l->rank) < 0
        || number_attribute(file, "nranks", (uint64_t)l->nranks) < 0)
        return failed("the attributes of /");
    return HMF_OK;
}

static hmf_status_t make_all(struct hmf__outline *plan, const struct hmf__skel_labels *labels,
                             struct hmf__skel *skel)
{
    hmf_status_t rc = HMF_OK;
    struct maker m = {-1, -1, -1, hmf_meta_types(plan->meta), NULL};
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file_create = H5Pcreate(H5P_FILE_CREATE);
    m.create = H5Pcreate(H5P_DATASET_CREATE);
    m.link = H5Pcreate(H5P_LINK_CREATE);
    uint32_t ntypes = m.types->n;
    m.committed = hmf__malloc(ntypes * sizeof(*m.committed));
    if (m.committed == NULL) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to lay out a checkpoint file");
        ntypes = 0;
        goto close_lists;
    }
    for (uint32_t i = 0; i < ntypes; i++)
        m.committed[i] = -1;
    /* V18 and later checksum their metadata; the default format has been seen to give wrong values
       silently when a byte flips. */
    if (access < 0 || file_create < 0 || m.create < 0 || m.link < 0
        || H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110) < 0
        || H5Pset_alignment(access, ALIGN_FROM, HMF__VFD_PAGE) < 0
        || H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0
        || hmf__vfd_use(access, &skel->store) < 0
        || H5Pset_userblock(file_create, HMF__SKEL_USER_BLOCK) < 0
        || H5Pset_create_intermediate_group(m.link, 1) < 0
        || H5Pset_alloc_time(m.create, H5D_ALLOC_TIME_EARLY) < 0
        || H5Pset_fill_time(m.create, H5D_FILL_TIME_NEVER) < 0
        || H5Pset_obj_track_times(m.create, 0) < 0) {
        rc = failed("property lists");
        goto close_lists;
    }
    m.file = H5Fcreate("checkpoint", H5F_ACC_TRUNC, file_create, access);
    if (m.file < 0) {
        rc = failed("a file");
        goto close_lists;
    }
    rc = label(m.file, labels);
    for (size_t i = 0; i < plan->ndatasets && rc == HMF_OK; i++)
        rc = make_dataset(&m, &plan->datasets[i]);
    if (rc == HMF_OK && labels->index != NULL
        && hmf__arrays_make(m.file, labels->index, labels->array_meta) < 0)
        rc = failed("a view of a global array");
    for (uint32_t i = 0; i < ntypes; i++) {
        if (m.committed[i] >= 0)
            H5Tclose(m.committed[i]);
    }
    if (H5Fclose(m.file) < 0 && rc == HMF_OK)
        rc = failed("a file");
    if (rc == HMF_OK && skel->store.failed)
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory to lay out a checkpoint file");

close_lists:
    hmf__free(m.committed);
    if (m.link >= 0)
        H5Pclose(m.link);
    if (m.create >= 0)
        H5Pclose(m.create);
    if (file_create >= 0)
        H5Pclose(file_create);
    if (access >= 0)
        H5Pclose(access);
    return rc;
}

hmf_status_t hmf__skel_new(struct hmf__outline *plan, const struct hmf__skel_labels *labels,
                           struct hmf__skel **out)
{
    struct hmf__skel *skel = hmf__calloc(1, sizeof(*skel));
    if (skel == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to lay out a checkpoint file");
    /* HDF5 prints its errors by default; here they become a status and a text. */
    H5E_auto2_t print = NULL;
    void *print_data = NULL;
    pthread_mutex_lock(&one_at_a_time);
    H5Eget_auto2(H5E_DEFAULT, &print, &print_data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hmf_status_t rc = make_all(plan, labels, skel);
    H5Eset_auto2(H5E_DEFAULT, print, print_data);
    pthread_mutex_unlock(&one_at_a_time);
    if (rc != HMF_OK) {
        hmf__skel_free(skel);
        return rc;
    }
    *out = skel;
    return HMF_OK;
}

void hmf__skel_free(struct hmf__skel *skel)
{
    if (skel == NULL)
        return;
    hmf__vfd_store_fini(&skel->store);
    hmf__free(skel);
}

uint64_t hmf__skel_size(const struct hmf__skel *skel)
{
    return skel->store.end;
}

size_t hmf__skel_npages(const struct hmf__skel *skel)
{
    return skel->store.npages;
}

const void *hmf__skel_page(const struct hmf__skel *skel, size_t i, uint64_t *offset, size_t *bytes)
{
    const struct hmf__vfd_page *p = &skel->store.pages[i];
    *offset = p->number * HMF__VFD_PAGE;
    *bytes = HMF__VFD_PAGE;
    return p->bytes;
}

bool hmf__skel_thread_safe(void)
{
    hbool_t safe = 0;
    return H5is_library_threadsafe(&safe) >= 0 && safe;
}
