/* Conversion plans beside memcpy: GB/s of CPU time over warm buffers of 64 MiB, ratio to memcpy
 * of as many bytes in the same run.  The foreign machines are those of the plan's own tables. */
#include "config.h"

#include "base.h"
#include "bench.h"
#include "plan.h"
#include "typemap.h"

#include <stdint.h>
#include <string.h>

enum { TURNS = 9 };
#define BYTES ((size_t)64 << 20)

static const struct hmf__abi s390x = {1, 8, 0, 8, HMF__LD_QUAD, 16, 8};
static const struct hmf__abi i386 = {0, 4, 1, 4, HMF__LD_X87, 12, 4};
static const struct hmf__abi powerpc = {1, 4, 0, 8, HMF__LD_PAIR, 16, 16};

static char *one, *two;

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(hmf_status_t rc)
{
    if (rc != HMF_OK) {
        fprintf(stderr, "%s: %s\n", hmf_status_name(rc), hmf_error_text());
        exit(1);
    }
}

/* in: foreign to native, else native to foreign.  Figures are of the larger side's bytes. */
static void run(const char *name, const struct hmf__abi *abi, const int *d, size_t len, int in)
{
    struct hmf__types here, there;
    struct hmf__plan *plan;
    uint32_t h, t;
    double took[TURNS], copy[TURNS];

    hmf__types_init(&here, NULL);
    hmf__types_init(&there, abi);
    check(hmf__types_compile(&here, d, len, NULL, &h));
    check(hmf__types_compile(&there, d, len, NULL, &t));
    if (in)
        check(hmf__plan_make(&there, t, &here, h, &plan));
    else
        check(hmf__plan_make(&here, h, &there, t, &plan));
    size_t large = here.v[h].size > there.v[t].size ? here.v[h].size : there.v[t].size;
    size_t n = BYTES / large;
    for (int i = -1; i < TURNS; i++) { /* the first warms up */
        double a = cpu();
        memcpy(two, one, n * large);
        double b = cpu();
        check(hmf__plan_run(plan, one, two, n));
        double c = cpu();
        if (i >= 0) {
            copy[i] = b - a;
            took[i] = c - b;
        }
    }
    double m = bench_median(took, TURNS);
    bench_line(name, (double)(n * large) / m / 1e9, "GB/s", bench_median(copy, TURNS) / m,
               "memcpy's rate");
    hmf__plan_free(plan);
    hmf__types_fini(&here);
    hmf__types_fini(&there);
}

int main(void)
{
    static const int d_double[] = {typeDOUBLE}, d_long[] = {typeLONG};
    static const int d_record[] = {-4, typeINT, typeCHAR, typeARRAY, 3, typeDOUBLE, typeLONG};

    one = hmf__big_alloc(BYTES);
    two = hmf__big_alloc(BYTES);
    if (!one || !two)
        return 1;
    memset(one, 0, BYTES);
    memset(two, 0, BYTES);
    run("plan swap double", &s390x, d_double, 1, 1);
    run("plan int32 BE to int64", &powerpc, d_long, 1, 1);
    run("plan int64 to int32, check", &i386, d_long, 1, 0);
    run("plan pack records", &s390x, d_record, 7, 0);
    run("plan unpack records", &s390x, d_record, 7, 1);
    run("plan unpack records, 32 bits", &powerpc, d_record, 7, 1);
    hmf__big_free(one, BYTES);
    hmf__big_free(two, BYTES);
    return 0;
}
