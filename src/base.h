/* What every layer stands on: error texts, log lines, memory, checked arithmetic, parameters
 * from the environment, the clock.  The byte buffer is in buf.h, the checksum in crc32c.h.
 * Knows nothing of types, MPI or files.
 */
#ifndef HMF__BASE_H
#define HMF__BASE_H

#include "hmf/status.h"

#include "buf.h"
#include "crc32c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- errors ---- */

/* Record a text for this thread (cut at 1 KiB) and return the status.  The function that first
 * detects an error calls it; callers pass the status up silently. */
hmf_status_t hmf__fail(hmf_status_t status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Put "<fmt>: " before this thread's present text and return the status. */
hmf_status_t hmf__fail_prefix(hmf_status_t status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- log ---- */

enum hmf__log_level { HMF__LOG_ERROR, HMF__LOG_WARN, HMF__LOG_INFO, HMF__LOG_DEBUG };

/* One line "hmf rank 3 on n12: ..." to stderr by one write(2), if HMF_LOG asks for this level
 * (default warn).  errno is kept.  Async-signal-unsafe. */
void hmf__log(enum hmf__log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool hmf__log_wants(enum hmf__log_level level);

/* The logical rank that log lines name; -1: none (the default). */
void hmf__log_identity(int logical_rank);

/* ---- memory ---- */

/* As their namesakes; NULL when out of memory.  A request for 0 bytes gives a unique pointer.
 * All of the library's own allocations go through these, so that tests can make each fail. */
void *hmf__malloc(size_t size);
void *hmf__calloc(size_t count, size_t size);
void *hmf__realloc(void *old, size_t size);
void *hmf__malloc_aligned(size_t align, size_t size); /* a power of two; free as any other */
void hmf__free(void *p);
char *hmf__strdup(const char *text);

/* Memory for big buffers: from 2 MiB on by mmap with huge pages, since first-touch page faults
 * cost more than any conversion.  Freed ones are kept for the next request, at most 64 MiB.
 * Contents are unspecified, or zero.  Free with the size asked for. */
void *hmf__big_alloc(size_t size);
void *hmf__big_zeros(size_t size);
void hmf__big_free(void *p, size_t size);

/* Tests: the n-th allocation from now on (1 = the next) fails, once; 0 switches off. */
void hmf__alloc_fail_at(long n);
/* Tests: allocations counted since the last hmf__alloc_fail_at(). */
long hmf__alloc_count(void);

/* ---- checked arithmetic: true means overflow; *out is set otherwise ---- */

static inline bool hmf__mul_overflow(size_t a, size_t b, size_t *out)
{
    return __builtin_mul_overflow(a, b, out);
}

static inline bool hmf__add_overflow(size_t a, size_t b, size_t *out)
{
    return __builtin_add_overflow(a, b, out);
}

static inline bool hmf__mul_overflow_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return __builtin_mul_overflow(a, b, out);
}

static inline bool hmf__add_overflow_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return __builtin_add_overflow(a, b, out);
}

/* ---- parameters from the environment ----
 * Unset or empty: the default.  Otherwise the value must parse completely and lie within
 * [lo, hi], else HMF_ERR_ARG with a text that names variable and value, *out unchanged. */

hmf_status_t hmf__param_int(const char *name, long lo, long hi, long dflt, long *out);
/* Bytes; an appended K, M, G or T multiplies by 1024, 1024^2, ... */
hmf_status_t hmf__param_size(const char *name, size_t lo, size_t hi, size_t dflt, size_t *out);
hmf_status_t hmf__param_double(const char *name, double lo, double hi, double dflt, double *out);
/* *out is borrowed from the environment (or is dflt, which may be NULL). */
hmf_status_t hmf__param_string(const char *name, const char *dflt, const char **out);

/* ---- clock ---- */

/* Monotonic time in nanoseconds. */
uint64_t hmf__now_ns(void);

#endif
