/* Conversion plans beside what else converts: memcpy, MPI_Pack_external, XDR (libtirpc), HDF5's
 * H5Tconvert.  A line a case: GB/s of CPU time over warm buffers, then how many times the rate of
 * each peer that is; all in one run, the best of several turns.  Bytes are those of the larger
 * side.  The foreign machines are those of the plan's own tables. */
#include "config.h"

#include "base.h"
#include "bench.h"
#include "plan.h"
#include "typemap.h"

#include <hdf5.h>
#include <mpi.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef HAVE_TIRPC
#include <rpc/rpc.h>
#endif

enum { TURNS = 9, PEER_TURNS = 3, RECORDS = 1000000 };
#define BYTES ((size_t)64 << 20)

static const struct hmf__abi s390x = {1, 8, 0, 8, HMF__LD_QUAD, 16, 8};
static const struct hmf__abi i386 = {0, 4, 1, 4, HMF__LD_X87, 12, 4};
static const struct hmf__abi powerpc = {1, 4, 0, 8, HMF__LD_PAIR, 16, 16};

struct record {
    int code;
    char key;
    double x[3];
    long id;
};

/* One of the ways to convert n elements from `one` to `two`; in: to this machine's form. */
struct way {
    const char *name;
    void (*begin)(int in); /* not counted; or NULL */
    void (*run)(size_t n, int in);
};

static char *one, *two;

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s: %s\n", what, hmf_error_text());
        exit(1);
    }
}

static double best(const struct way *w, int turns, size_t n, int in)
{
    double least = 1e9;

    for (int i = -1; i < turns; i++) { /* the first warms up */
        if (w->begin)
            w->begin(in);
        double t = cpu();
        w->run(n, in);
        t = cpu() - t;
        if (i >= 0 && t < least)
            least = t;
    }
    return least;
}

/* ---- the ways ---- */

static size_t copy_bytes;

static void run_memcpy(size_t n, int in)
{
    (void)n;
    (void)in;
    memcpy(two, one, copy_bytes);
}

static struct hmf__plan *plan;

static void run_plan(size_t n, int in)
{
    (void)in;
    check(hmf__plan_run(plan, one, two, n) == HMF_OK, "plan");
}

static MPI_Datatype mpi_type;
static MPI_Aint mpi_size;

static void begin_mpi(int in)
{
    MPI_Aint at = 0;

    if (in) { /* something that can be unpacked */
        memset(two, 0, BYTES);
        MPI_Pack_external("external32", two, 1, mpi_type, one, (MPI_Aint)BYTES, &at);
    }
}

static void run_mpi(size_t n, int in)
{
    MPI_Aint at = 0;

    if (in)
        MPI_Unpack_external("external32", one, mpi_size * (MPI_Aint)n, &at, two, (int)n, mpi_type);
    else
        MPI_Pack_external("external32", one, (int)n, mpi_type, two, (MPI_Aint)BYTES, &at);
}

static hid_t h5_from, h5_to, h5_record, h5_record_be;
static char *background;

static void begin_hdf5(int in)
{
    (void)in;
    memset(two, 0, BYTES); /* it converts in place */
}

static void run_hdf5(size_t n, int in)
{
    (void)in;
    check(H5Tconvert(h5_from, h5_to, n, two, background, H5P_DEFAULT) >= 0, "H5Tconvert");
}

#ifdef HAVE_TIRPC
static xdrproc_t xdr_element;
static size_t xdr_element_size;

static bool_t xdr_record(XDR *x, struct record *r)
{
    return xdr_int(x, &r->code) && xdr_char(x, &r->key) && xdr_double(x, &r->x[0]) &&
           xdr_double(x, &r->x[1]) && xdr_double(x, &r->x[2]) && xdr_long(x, &r->id);
}

static void run_xdr(size_t n, int in)
{
    XDR x;

    xdrmem_create(&x, in ? one : two, (u_int)BYTES, in ? XDR_DECODE : XDR_ENCODE);
    check(xdr_vector(&x, in ? two : one, (u_int)n, (u_int)xdr_element_size, xdr_element), "XDR");
    xdr_destroy(&x);
}
#define XDR_OF(proc, type) (xdr_element = (xdrproc_t)(proc), xdr_element_size = sizeof(type))
static const struct way xdr = {"XDR", NULL, run_xdr};
#else
#define XDR_OF(proc, type) ((void)0)
static const struct way xdr = {NULL, NULL, NULL};
#endif

static const struct way by_plan = {"plan", NULL, run_plan};
static const struct way by_memcpy = {"memcpy", NULL, run_memcpy};
static const struct way mpi = {"MPI_Pack_external", begin_mpi, run_mpi};
static const struct way hdf5 = {"H5Tconvert", begin_hdf5, run_hdf5};

/* ---- the cases ---- */

static void run(const char *name, const struct hmf__abi *abi, const int *d, size_t len, int in,
                size_t n, const struct way *const *peers)
{
    struct hmf__types here, there;
    uint32_t h, t;

    hmf__types_init(&here, NULL);
    hmf__types_init(&there, abi);
    check(hmf__types_compile(&here, d, len, NULL, &h) == HMF_OK &&
              hmf__types_compile(&there, d, len, NULL, &t) == HMF_OK, name);
    check((in ? hmf__plan_make(&there, t, &here, h, &plan)
              : hmf__plan_make(&here, h, &there, t, &plan)) == HMF_OK, name);
    size_t large = here.v[h].size > there.v[t].size ? here.v[h].size : there.v[t].size;
    if (!n)
        n = BYTES / large;
    copy_bytes = n * large;
    memset(one, 0, BYTES);
    double mine = best(&by_plan, TURNS, n, in);
    printf("%-28s %10.3f GB/s", name, (double)copy_bytes / mine / 1e9);
    printf(" %8.2f x memcpy", best(&by_memcpy, TURNS, n, in) / mine);
    for (; *peers; peers++)
        if ((*peers)->name)
            printf("  %.1f x %s", best(*peers, PEER_TURNS, n, in) / mine, (*peers)->name);
    printf("\n");
    fflush(stdout);
    hmf__plan_free(plan);
    hmf__types_fini(&here);
    hmf__types_fini(&there);
}

static void record_types(void)
{
    int lengths[] = {1, 1, 3, 1};
    MPI_Aint places[] = {offsetof(struct record, code), offsetof(struct record, key),
                         offsetof(struct record, x), offsetof(struct record, id)};
    MPI_Datatype types[] = {MPI_INT, MPI_CHAR, MPI_DOUBLE, MPI_LONG}, packed;
    hsize_t three = 3;

    MPI_Type_create_struct(4, lengths, places, types, &packed);
    MPI_Type_create_resized(packed, 0, sizeof(struct record), &mpi_type);
    MPI_Type_commit(&mpi_type);
    MPI_Type_free(&packed);
    MPI_Pack_external_size("external32", 1, mpi_type, &mpi_size);
    hid_t x = H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &three);
    hid_t x_be = H5Tarray_create2(H5T_IEEE_F64BE, 1, &three);
    h5_record = H5Tcreate(H5T_COMPOUND, sizeof(struct record));
    h5_record_be = H5Tcreate(H5T_COMPOUND, sizeof(struct record));
    H5Tinsert(h5_record, "code", (size_t)places[0], H5T_NATIVE_INT);
    H5Tinsert(h5_record, "key", (size_t)places[1], H5T_NATIVE_CHAR);
    H5Tinsert(h5_record, "x", (size_t)places[2], x);
    H5Tinsert(h5_record, "id", (size_t)places[3], H5T_NATIVE_LONG);
    H5Tinsert(h5_record_be, "code", (size_t)places[0], H5T_STD_I32BE);
    H5Tinsert(h5_record_be, "key", (size_t)places[1], H5T_STD_I8BE);
    H5Tinsert(h5_record_be, "x", (size_t)places[2], x_be);
    H5Tinsert(h5_record_be, "id", (size_t)places[3], H5T_STD_I64BE);
    H5Tclose(x);
    H5Tclose(x_be);
}

int main(int argc, char **argv)
{
    static const int d_double[] = {typeDOUBLE}, d_long[] = {typeLONG};
    static const int d_record[] = {-4, typeINT, typeCHAR, typeARRAY, 3, typeDOUBLE, typeLONG};
    static const struct way *const all[] = {&mpi, &xdr, &hdf5, NULL},
                            *const wide[] = {&xdr, &hdf5, NULL}, *const none[] = {NULL};

    MPI_Init(&argc, &argv);
    one = hmf__big_alloc(BYTES);
    two = hmf__big_alloc(BYTES);
    background = hmf__big_zeros(BYTES);
    check(one && two && background, "memory");
    mpi_type = MPI_DOUBLE;
    mpi_size = 8;
    h5_from = H5T_IEEE_F64BE;
    h5_to = H5T_NATIVE_DOUBLE;
    XDR_OF(xdr_double, double);
    run("plan swap double", &s390x, d_double, 1, 1, 0, all);
    XDR_OF(xdr_long, long);
    h5_from = H5T_STD_I32BE;
    h5_to = H5T_NATIVE_INT64;
    run("plan int32 BE to int64", &powerpc, d_long, 1, 1, 0, wide);
    h5_from = H5T_NATIVE_INT64;
    h5_to = H5T_STD_I32BE;
    run("plan int64 to int32 BE, check", &powerpc, d_long, 1, 0, 0, wide);
    run("plan int64 to int32, check", &i386, d_long, 1, 0, 0, none);
    record_types();
    XDR_OF(xdr_record, struct record);
    h5_from = h5_record;
    h5_to = h5_record_be;
    run("plan pack records", &s390x, d_record, 7, 0, RECORDS, all);
    h5_from = h5_record_be;
    h5_to = h5_record;
    run("plan unpack records", &s390x, d_record, 7, 1, RECORDS, all);
    run("plan pack records, 32 bits", &powerpc, d_record, 7, 0, RECORDS, none);
    run("plan unpack records, 32 bits", &powerpc, d_record, 7, 1, RECORDS, none);
    MPI_Type_free(&mpi_type);
    H5Tclose(h5_record);
    H5Tclose(h5_record_be);
    hmf__big_free(one, BYTES);
    hmf__big_free(two, BYTES);
    hmf__big_free(background, BYTES);
    MPI_Finalize();
    return 0;
}
