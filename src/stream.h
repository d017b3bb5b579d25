/* An image as one sequence of bytes, through any pair of functions that put and get bytes.
 * Format: doc/image-format.md, last section.  Files, sockets and memory are the callers'.
 */
#ifndef HMF__STREAM_H
#define HMF__STREAM_H

#include "buf.h"
#include "image.h"

/* Take, or deliver, exactly len bytes; else an error, with its text. */
typedef hmf_status_t hmf__stream_put(void *ctx, const void *data, size_t len);
typedef hmf_status_t hmf__stream_get(void *ctx, void *data, size_t len);

/* HMF_ERR_NOMEM and what put returns. */
hmf_status_t hmf__stream_write(const hmf_image_t *image, hmf__stream_put *put, void *ctx);

/* Restore into the registered variables.  available: bytes that can come at most; nothing is
 * allocated for an image that claims to be larger.  After an error the variables are unspecified.
 * As hmf_restore_*, and what get returns. */
hmf_status_t hmf__stream_read(hmf_state_t *state, uint64_t available, hmf__stream_get *get,
                              void *ctx);

/* Take one image as it is, with nothing to restore into: its bytes are appended to out, all
 * checksums compared.  offsets (may be NULL): set to an array of the segments' places in out, free
 * with hmf__free.  *meta: the parsed meta, free with hmf_meta_free.
 * HMF_ERR_FORMAT, _VERSION, _CHECKSUM, _LIMIT, _NOMEM, and what get returns. */
hmf_status_t hmf__stream_take(uint64_t available, hmf__stream_get *get, void *ctx,
                              struct hmf__buf *out, size_t **offsets, hmf_meta_t **meta);

/* Memory: ctx is a struct hmf__buf, appended to or read from its position. */
hmf__stream_put hmf__stream_put_buf;
hmf__stream_get hmf__stream_get_buf;

/* Descriptors: ctx is an int. */
hmf__stream_put hmf__stream_put_fd;
hmf__stream_get hmf__stream_get_fd;

#endif
