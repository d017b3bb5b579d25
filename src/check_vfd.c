/*
 * The HDF5 file driver that keeps a file's metadata in memory; see check_vfd.h.
 * One file at a time per store; the store is found through the driver's property.
 */
#include "config.h"

#include "check_vfd.h"

#include "base.h"

#include <string.h>

struct vfd_file {
    H5FD_t pub;                         /* HDF5 casts its H5FD_t pointer to ours: must come first */
    struct hmf__vfd_store *store;
    haddr_t eoa;
};

struct vfd_info {
    struct hmf__vfd_store *store;
};

/* The page of that number; a new zeroed one if create is set. NULL if absent or out of memory. */
static unsigned char *page_of(struct hmf__vfd_store *st, uint64_t number, bool create)
{
    size_t lo = 0, hi = st->npages;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (st->pages[mid].number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < st->npages && st->pages[lo].number == number)
        return st->pages[lo].bytes;
    if (!create)
        return NULL;
    if (st->npages == st->capacity) {
        size_t n = st->capacity != 0 ? st->capacity * 2 : 64;
        struct hmf__vfd_page *p = hmf__realloc(st->pages, n * sizeof(*p));
        if (p == NULL)
            return NULL;
        st->pages = p;
        st->capacity = n;
    }
    unsigned char *bytes = hmf__calloc(1, HMF__VFD_PAGE);
    if (bytes == NULL)
        return NULL;
    memmove(st->pages + lo + 1, st->pages + lo, (st->npages - lo) * sizeof(*st->pages));
    st->pages[lo] = (struct hmf__vfd_page){number, bytes};
    st->npages++;
    return bytes;
}

static H5FD_t *vfd_open(const char *name, unsigned flags, hid_t pl, haddr_t maxaddr)
{
    (void)name, (void)flags, (void)maxaddr;
    const struct vfd_info *info = H5Pget_driver_info(pl);
    if (info == NULL || info->store == NULL)
        return NULL;
    struct vfd_file *f = hmf__calloc(1, sizeof(*f));
    if (f == NULL)
        return NULL;
    f->store = info->store;
    return &f->pub;
}

static herr_t vfd_close(H5FD_t *file)
{
    struct vfd_file *f = (struct vfd_file *)file;
    f->store->end = f->eoa;
    hmf__free(f);
    return 0;
}

static herr_t vfd_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    if (flags != NULL)
        *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t vfd_get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const struct vfd_file *)file)->eoa;
}

static herr_t vfd_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t addr)
{
    (void)type;
    ((struct vfd_file *)file)->eoa = addr;
    return 0;
}

/* All that is allocated can be read: what was never written reads as zeros. */
static haddr_t vfd_get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const struct vfd_file *)file)->eoa;
}

static herr_t transfer(struct vfd_file *f, haddr_t addr, size_t size, unsigned char *in,
                       const unsigned char *out)
{
    if (addr > f->eoa || size > f->eoa - addr) {
        f->store->failed = true;
        return -1;
    }
    while (size > 0) {
        size_t skip = addr % HMF__VFD_PAGE;
        size_t n = HMF__VFD_PAGE - skip < size ? HMF__VFD_PAGE - skip : size;
        unsigned char *page = page_of(f->store, addr / HMF__VFD_PAGE, out != NULL);
        if (out != NULL) {
            /* Out of memory: noted, and the bytes are lost. A write that fails while the file is
               closed would leave it open inside HDF5, which comes back to it when the program
               ends: then the store is long gone. */
            if (page == NULL)
                f->store->failed = true;
            else
                memcpy(page + skip, out, n);
            out += n;
        } else {
            if (page == NULL)
                memset(in, 0, n);
            else
                memcpy(in, page + skip, n);
            in += n;
        }
        addr += n;
        size -= n;
    }
    return 0;
}

static herr_t vfd_read(H5FD_t *file, H5FD_mem_t type, hid_t pl, haddr_t addr, size_t size,
                       void *buf)
{
    (void)type, (void)pl;
    return transfer((struct vfd_file *)file, addr, size, buf, NULL);
}

static herr_t vfd_write(H5FD_t *file, H5FD_mem_t type, hid_t pl, haddr_t addr, size_t size,
                        const void *buf)
{
    (void)type, (void)pl;
    return transfer((struct vfd_file *)file, addr, size, NULL, buf);
}

static const H5FD_class_t vfd_class = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,      /* HDF5 1.14 and newer */
    .value = (H5FD_class_value_t)400,   /* within the range left to private drivers */
#endif
    .name = "hmf-skeleton",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(struct vfd_info),
    .open = vfd_open,
    .close = vfd_close,
    .query = vfd_query,
    .get_eoa = vfd_get_eoa,
    .set_eoa = vfd_set_eoa,
    .get_eof = vfd_get_eof,
    .read = vfd_read,
    .write = vfd_write,
    .fl_map = H5FD_FLMAP_DICHOTOMY
};

herr_t hmf__vfd_use(hid_t pl, struct hmf__vfd_store *store)
{
    struct vfd_info info = {store};
    hid_t driver = H5FDregister(&vfd_class);
    if (driver < 0)
        return -1;
    herr_t rc = H5Pset_driver(pl, driver, &info);
    H5FDunregister(driver);             /* the property list holds its own reference */
    return rc;
}

void hmf__vfd_store_fini(struct hmf__vfd_store *st)
{
    for (size_t i = 0; i < st->npages; i++)
        hmf__free(st->pages[i].bytes);
    hmf__free(st->pages);
    memset(st, 0, sizeof(*st));
}
