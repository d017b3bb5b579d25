/* Status codes of libhmf-mpi: one list makes the enumeration, the names and the texts.
 *
 * Every function that can fail returns hmf_status_t; HMF_OK (0) is success.  The scope of a code
 * says how far the damage reaches: a call's argument, an object, a message, a rank, a node, the
 * whole job.  The list is append-only: a number is never used for something else.
 *
 * Threads: all functions here may be called from any thread; the detailed text is per thread.
 */
#ifndef HMF_STATUS_H
#define HMF_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(code, number, scope, text) */
#define HMF_STATUS_MAP(X)                                                                         \
    X(HMF_OK, 0, NONE, "success")                                                                 \
    X(HMF_ERR_ARG, 1, ARGUMENT, "an argument is not valid")                                       \
    X(HMF_ERR_NOMEM, 2, RANK, "out of memory")                                                    \
    X(HMF_ERR_TYPE, 3, ARGUMENT, "a type description is not valid")                               \
    X(HMF_ERR_NAME, 4, ARGUMENT, "a name is unknown or given twice")                              \
    X(HMF_ERR_MISMATCH, 5, OBJECT, "the saved state differs from what is registered")             \
    X(HMF_ERR_RANGE, 6, OBJECT, "a value does not fit into its type on this machine")             \
    X(HMF_ERR_POINTER, 7, OBJECT, "a pointer leads to memory that nothing describes")             \
    X(HMF_ERR_FORMAT, 8, MESSAGE, "the bytes are damaged or of another kind")                     \
    X(HMF_ERR_VERSION, 9, MESSAGE, "the format's version is not known to this library")           \
    X(HMF_ERR_CHECKSUM, 10, MESSAGE, "a checksum does not agree")                                 \
    X(HMF_ERR_IO, 11, NODE, "input or output failed")                                             \
    X(HMF_ERR_NOTFOUND, 12, OBJECT, "nothing of that name exists")                                \
    X(HMF_ERR_BUSY, 13, OBJECT, "an object in use forbids it")                                    \
    X(HMF_ERR_UNSUPPORTED, 14, ARGUMENT, "this is not supported")                                 \
    X(HMF_ERR_STATE, 15, ARGUMENT, "called in the wrong order")                                   \
    X(HMF_ERR_TIMEOUT, 16, JOB, "a wait took too long")                                           \
    X(HMF_ERR_PEER, 17, JOB, "a process is gone")                                                 \
    X(HMF_ERR_NOSPARE, 18, JOB, "no spare process is free")                                       \
    X(HMF_ERR_REFUSED, 19, RANK, "the request was refused")                                       \
    X(HMF_ERR_MPI, 20, JOB, "an MPI call failed")                                                 \
    X(HMF_ERR_HDF5, 21, NODE, "an HDF5 call failed")                                              \
    X(HMF_ERR_LIMIT, 22, ARGUMENT, "a documented limit was exceeded")

/* How far the damage of an error reaches. */
typedef enum hmf_scope {
    HMF_SCOPE_NONE,     /* no error */
    HMF_SCOPE_ARGUMENT, /* the call did nothing; another call may succeed */
    HMF_SCOPE_OBJECT,   /* the named object cannot be used this way; others can */
    HMF_SCOPE_MESSAGE,  /* these bytes cannot be used; the sender may repeat them */
    HMF_SCOPE_RANK,     /* this rank cannot go on with the operation */
    HMF_SCOPE_NODE,     /* the host or its file system is at fault */
    HMF_SCOPE_JOB       /* all ranks are concerned */
} hmf_scope_t;

#define HMF__STATUS_ENUM(code, number, scope, text) code = number,
typedef enum hmf_status { HMF_STATUS_MAP(HMF__STATUS_ENUM) } hmf_status_t;
#undef HMF__STATUS_ENUM

/* A one-line English text for a code; never NULL, static storage.  Any value may be given. */
const char *hmf_strerror(hmf_status_t status);

/* The code's own name, e.g. "HMF_ERR_TYPE"; never NULL, static storage. */
const char *hmf_status_name(hmf_status_t status);

/* How far an error of this code reaches. */
hmf_scope_t hmf_status_scope(hmf_status_t status);

/* The detailed text of the last error on the calling thread: names the object and what to do
 * next.  Empty string if there was none.  Borrowed: valid until the next error on this thread.
 * A successful call leaves it as it was. */
const char *hmf_error_text(void);

#ifdef __cplusplus
}
#endif
#endif
