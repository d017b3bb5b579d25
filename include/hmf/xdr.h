/* External data representation by hand: values in the bytes of RFC 4506, over files, descriptors
 * and memory.
 *
 * One call serves both directions: it writes the value when the handle encodes, and reads it when
 * the handle decodes.  So one procedure per type is all that a program writes:
 *
 *     struct body { int id; double place[3]; char *name; };
 *
 *     static hmf_status_t body(hmf_xdr_t *x, void *p)
 *     {
 *         struct body *b = p;
 *
 *         hmf_xdr_int(x, &b->id);
 *         hmf_xdr_values(x, typeDOUBLE, b->place, 3);
 *         return hmf_xdr_string(x, &b->name, 255);
 *     }
 *
 *     hmf_xdr_file(HMF_XDR_ENCODE, f, &x);
 *     body(x, &b);
 *     st = hmf_xdr_close(x);
 *
 * Errors stay: after the first one every call on the handle does nothing and returns it again, so
 * that it is enough to look at the last call's status, or at hmf_xdr_close's.
 *
 * Decoding trusts nothing.  No length that is read is believed: it must be within the caller's
 * limit, memory grows only as bytes arrive, padding must be zero, a value that the variable cannot
 * hold is an error.  Nothing is read behind what was asked for, so other data may follow.
 *
 * What decoding allocates (strings, bytes, counted arrays, optional data) is from malloc and the
 * program's: free each piece, or all at once with hmf_xdr_release.  The variable that
 * receives it must be NULL (or an array's count and address both zero) before.  After an error in
 * the middle, what had been decoded is in place and may be released in the same way.
 *
 * All statuses that calls on a handle return:
 *   HMF_ERR_RANGE    a value does not fit into the variable, or is no bool
 *   HMF_ERR_FORMAT   the bytes end too early, or are not what RFC 4506 says (padding)
 *   HMF_ERR_LIMIT    longer than the limit given, than 4294967295 elements, than the memory to be
 *                    written to; or nested more than HMF_XDR_DEPTH deep
 *   HMF_ERR_IO       the file or descriptor failed
 *   HMF_ERR_TIMEOUT  nothing came, or nothing was taken, within the handle's limit
 *   HMF_ERR_NOMEM, HMF_ERR_ARG
 * hmf_error_text() says more.
 *
 * Not collective.  One handle, one thread at a time.
 */
#ifndef HMF_XDR_H
#define HMF_XDR_H

#include "hmf/status.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hmf_xdr hmf_xdr_t;

enum hmf_xdr_op {
    HMF_XDR_ENCODE, /* from variables to bytes */
    HMF_XDR_DECODE, /* from bytes to variables */
    HMF_XDR_RELEASE /* free what decoding allocated; see hmf_xdr_release */
};

enum { HMF_XDR_DEPTH = 4096 }; /* optional data, arrays and unions within each other */

/* A procedure of the program's for one type.  Must do the same calls in either direction. */
typedef hmf_status_t hmf_xdr_proc(hmf_xdr_t *x, void *object);

/* ---- handles ----
 * HMF_ERR_ARG, HMF_ERR_NOMEM; *out is set on success only. */

/* A stream of the C library's, from its position on.  It stays the caller's, who flushes and
 * closes it after hmf_xdr_close. */
hmf_status_t hmf_xdr_file(enum hmf_xdr_op op, FILE *file, hmf_xdr_t **out);

/* A descriptor: file, pipe, socket.  Stays the caller's.  Encoded bytes are collected; hmf_xdr_flush
 * and hmf_xdr_close send them.  limit_s: longest wait for the next bytes to come or to be taken, in
 * seconds; < 0: for ever. */
hmf_status_t hmf_xdr_fd(enum hmf_xdr_op op, int fd, double limit_s, hmf_xdr_t **out);

/* `size` bytes of the caller's memory, to write to or read from.  Borrowed until closed; only
 * read from when decoding. */
hmf_status_t hmf_xdr_memory(enum hmf_xdr_op op, void *bytes, size_t size, hmf_xdr_t **out);

/* Encode into memory that grows; hmf_xdr_take gives it away. */
hmf_status_t hmf_xdr_buffer(hmf_xdr_t **out);

/* The bytes encoded so far into hmf_xdr_buffer's memory: from malloc, the caller's to free.  The
 * handle goes on with none.  HMF_ERR_ARG: another kind of handle. */
hmf_status_t hmf_xdr_take(hmf_xdr_t *x, void **bytes, size_t *len);

/* Send what a descriptor's handle has collected; nothing for others. */
hmf_status_t hmf_xdr_flush(hmf_xdr_t *x);

/* Flush, free the handle, and return its first error.  NULL is fine. */
hmf_status_t hmf_xdr_close(hmf_xdr_t *x);

enum hmf_xdr_op hmf_xdr_op_of(const hmf_xdr_t *x);
hmf_status_t hmf_xdr_status(const hmf_xdr_t *x); /* the first error, or HMF_OK */
uint64_t hmf_xdr_position(const hmf_xdr_t *x);   /* bytes encoded or decoded so far */

/* For procedures: what was decoded is not acceptable.  The status becomes the handle's error, the
 * text hmf_error_text's. */
hmf_status_t hmf_xdr_refuse(hmf_xdr_t *x, hmf_status_t status, const char *text);

/* ---- basic values ----
 * Bytes in the representation: 4 for integers up to int's size, bool, enum and float; 8 (hyper) for
 * long and all others that are 64 bits wide on some machine, and for double; 16 (quadruple) for
 * long double.  All big-endian.  An int or a 4-byte integer keeps its sign. */
hmf_status_t hmf_xdr_char(hmf_xdr_t *x, char *v); /* of either machine's signedness */
hmf_status_t hmf_xdr_short(hmf_xdr_t *x, short *v);
hmf_status_t hmf_xdr_ushort(hmf_xdr_t *x, unsigned short *v);
hmf_status_t hmf_xdr_int(hmf_xdr_t *x, int *v);
hmf_status_t hmf_xdr_uint(hmf_xdr_t *x, unsigned *v);
hmf_status_t hmf_xdr_long(hmf_xdr_t *x, long *v);
hmf_status_t hmf_xdr_ulong(hmf_xdr_t *x, unsigned long *v);
hmf_status_t hmf_xdr_int64(hmf_xdr_t *x, int64_t *v);
hmf_status_t hmf_xdr_uint64(hmf_xdr_t *x, uint64_t *v);
hmf_status_t hmf_xdr_size(hmf_xdr_t *x, size_t *v);
hmf_status_t hmf_xdr_float(hmf_xdr_t *x, float *v);
hmf_status_t hmf_xdr_double(hmf_xdr_t *x, double *v);
hmf_status_t hmf_xdr_ldouble(hmf_xdr_t *x, long double *v);
/* An int that holds 0 or 1; encoding takes any other value for 1. */
hmf_status_t hmf_xdr_bool(hmf_xdr_t *x, int *v);

/* n values of a basic type (typemap.h) that follow each other in memory: RFC 4506's fixed array.
 * The fast way for large ones.  HMF_ERR_ARG: type is no basic number. */
hmf_status_t hmf_xdr_values(hmf_xdr_t *x, int type, void *values, size_t n);

/* The bytes that a value of a basic type takes in the representation; 0: no basic number. */
size_t hmf_xdr_size_of(int type);

/* ---- constructed data ---- */

/* n bytes that nobody interprets, filled up to a multiple of 4. */
hmf_status_t hmf_xdr_opaque(hmf_xdr_t *x, void *bytes, size_t n);

/* The same with their number, at most max. */
hmf_status_t hmf_xdr_bytes(hmf_xdr_t *x, void **bytes, size_t *n, size_t max);

/* A string of at most max characters, without its NUL; one that holds a NUL is refused. */
hmf_status_t hmf_xdr_string(hmf_xdr_t *x, char **text, size_t max);

/* n objects of item_size bytes that follow each other: fixed array. */
hmf_status_t hmf_xdr_vector(hmf_xdr_t *x, void *items, size_t n, size_t item_size,
                            hmf_xdr_proc *proc);

/* The same with their number, at most max: counted array.  A count of 0 gives NULL. */
hmf_status_t hmf_xdr_array(hmf_xdr_t *x, void **items, size_t *n, size_t max, size_t item_size,
                           hmf_xdr_proc *proc);

/* A counted array of a basic type. */
hmf_status_t hmf_xdr_value_array(hmf_xdr_t *x, int type, void **values, size_t *n, size_t max);

/* Optional data: NULL, or one object of `size` bytes.  With a procedure that calls itself for a
 * `next`, lists up to HMF_XDR_DEPTH; longer ones are better sent as arrays. */
hmf_status_t hmf_xdr_optional(hmf_xdr_t *x, void **object, size_t size, hmf_xdr_proc *proc);

/* A discriminated union: the discriminant, then the arm that belongs to its value.  proc NULL: an
 * arm without data (void).  A value that no arm has takes `otherwise`, or is HMF_ERR_RANGE if that
 * is NULL. */
struct hmf_xdr_arm {
    int value;
    hmf_xdr_proc *proc;
};
hmf_status_t hmf_xdr_union(hmf_xdr_t *x, int *discriminant, void *object,
                           const struct hmf_xdr_arm *arms, size_t narms, hmf_xdr_proc *otherwise);

/* Run a procedure so that it frees, and sets to NULL and 0, what decoding with it allocated.
 * HMF_ERR_LIMIT: nested too deep. */
hmf_status_t hmf_xdr_release(hmf_xdr_proc *proc, void *object);

#ifdef __cplusplus
}
#endif
#endif
