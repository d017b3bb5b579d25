/* A growable byte buffer, written and read as little-endian fields.  The writing side keeps a
 * sticky out-of-memory flag, the reading side a sticky bounds error, so that callers check once
 * at the end.  Knows nothing of what the bytes mean.
 */
#ifndef HMF__BUF_H
#define HMF__BUF_H

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hmf__buf {
    unsigned char *data; /* owned when cap > 0, else borrowed for reading */
    size_t len;          /* bytes that are valid */
    size_t cap;          /* bytes allocated; 0: reading from borrowed bytes */
    size_t pos;          /* read position */
    hmf_status_t status; /* first error; later calls do nothing (put) or give 0 (get) */
};

#define HMF__BUF_INIT {0}

void hmf__buf_init(struct hmf__buf *b);                          /* empty, for writing */
void hmf__buf_borrow(struct hmf__buf *b, const void *data, size_t len); /* for reading */
void hmf__buf_fini(struct hmf__buf *b);                          /* frees what it owns */
void hmf__buf_clear(struct hmf__buf *b);                         /* len = pos = 0, keeps memory */

/* Take the bytes out (free with hmf__free); the buffer is then empty.  NULL after an error. */
unsigned char *hmf__buf_take(struct hmf__buf *b, size_t *len);

/* Make room for `more` bytes and return where they go, counting them as written; NULL: error. */
void *hmf__buf_space(struct hmf__buf *b, size_t more);

void hmf__buf_put_u8(struct hmf__buf *b, uint8_t v);
void hmf__buf_put_u16(struct hmf__buf *b, uint16_t v);
void hmf__buf_put_u32(struct hmf__buf *b, uint32_t v);
void hmf__buf_put_u64(struct hmf__buf *b, uint64_t v);
void hmf__buf_put_i32(struct hmf__buf *b, int32_t v);
void hmf__buf_put_i64(struct hmf__buf *b, int64_t v);
void hmf__buf_put_bytes(struct hmf__buf *b, const void *data, size_t len);
/* u32 length, then the characters without a NUL; NULL is written as "". */
void hmf__buf_put_string(struct hmf__buf *b, const char *text);

uint8_t hmf__buf_get_u8(struct hmf__buf *b);
uint16_t hmf__buf_get_u16(struct hmf__buf *b);
uint32_t hmf__buf_get_u32(struct hmf__buf *b);
uint64_t hmf__buf_get_u64(struct hmf__buf *b);
int32_t hmf__buf_get_i32(struct hmf__buf *b);
int64_t hmf__buf_get_i64(struct hmf__buf *b);
/* A pointer into the buffer to `len` bytes, or NULL if fewer are left. */
const void *hmf__buf_get_bytes(struct hmf__buf *b, size_t len);
/* A new string (free with hmf__free), NULL on error; refuses NULs inside and length > max. */
char *hmf__buf_get_string(struct hmf__buf *b, size_t max);
size_t hmf__buf_left(const struct hmf__buf *b);

#endif
