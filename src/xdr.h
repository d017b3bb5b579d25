/* Inside of an XDR handle, for xdr.c (where bytes go, basic values) and xdr_data.c (constructed
 * data).
 */
#ifndef HMF__XDR_H
#define HMF__XDR_H

#include "hmf/xdr.h"

#include "buf.h"

#include <stdbool.h>

enum { HMF__XDR_CHUNK = 64 << 10 }; /* bytes collected before a descriptor gets them */

struct hmf_xdr {
    enum hmf_xdr_op op;
    enum { HMF__XDR_NOWHERE, HMF__XDR_MEMORY, HMF__XDR_BUFFER, HMF__XDR_FILE, HMF__XDR_FD } where;
    unsigned char *at;      /* MEMORY: what is left */
    size_t left;
    struct hmf__buf buf;    /* BUFFER: all; FD: what is not yet sent */
    FILE *file;
    int fd;
    double limit_s;
    uint64_t position;
    unsigned depth;
    hmf_status_t status;
};

/* Record the handle's first error. */
hmf_status_t hmf__xdr_fail(hmf_xdr_t *x, hmf_status_t status);

hmf_status_t hmf__xdr_put(hmf_xdr_t *x, const void *bytes, size_t n);
hmf_status_t hmf__xdr_get(hmf_xdr_t *x, void *bytes, size_t n);

/* How many bytes can follow at most. */
uint64_t hmf__xdr_left(const hmf_xdr_t *x);

/* Bytes of a value in memory; 0: no basic number. */
size_t hmf__xdr_memory_size(int type);

#endif
