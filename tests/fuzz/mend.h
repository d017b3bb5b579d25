/* For fuzzers: checksums of metas and streams made right, so that what is behind them is reached. */
#ifndef MEND_H
#define MEND_H

#include "base.h"
#include "meta.h"

#include <string.h>

static inline void mend_put(unsigned char *p, uint32_t crc)
{
    for (int k = 0; k < 4; k++)
        p[k] = (unsigned char)(crc >> (8 * k));
}

static inline uint64_t mend_get(const unsigned char *p, int bytes)
{
    uint64_t v = 0;

    while (bytes--)
        v = v << 8 | p[bytes];
    return v;
}

static inline void mend_meta(unsigned char *p, size_t len)
{
    if (len < 20)
        return;
    memcpy(p, "HMFIMAGE", 8);
    memcpy(p + 8, p[8] == 1 ? "\1\0\0\0" : "\2\0\0\0", 4);
    mend_put(p + 12, (uint32_t)len);
    mend_put(p + len - 4, hmf__crc32c(0, p, len - 4));
}

static inline void mend_stream(unsigned char *p, size_t len)
{
    hmf_meta_t *m;
    struct hmf__buf b;

    if (len < 24)
        return;
    memcpy(p, "HMFSTREA\1\0\0\0", 12);
    hmf__buf_borrow(&b, p, len);
    b.pos = 16;
    uint64_t meta_len = hmf__buf_get_u64(&b);
    if (meta_len > len - 24)
        return;
    mend_meta(p + 24, (size_t)meta_len);
    b.pos += (size_t)meta_len;
    if (hmf_meta_parse(p + 24, (size_t)meta_len, &m) != HMF_OK)
        return;
    mend_put(p + 12, (uint32_t)hmf_meta_nsegments(m));
    for (size_t i = 0; i < hmf_meta_nsegments(m); i++) {
        uint64_t n = hmf_meta_segment(m, i)->bytes;
        if (hmf__buf_left(&b) < 12 || n > hmf__buf_left(&b) - 12)
            break;
        mend_put(b.data + b.pos, (uint32_t)n);
        mend_put(b.data + b.pos + 4, (uint32_t)(n >> 32));
        mend_put(b.data + b.pos + 8 + n, hmf__crc32c(0, b.data + b.pos + 8, (size_t)n));
        b.pos += 12 + (size_t)n;
    }
    if (hmf__buf_left(&b) >= 4)
        memcpy(b.data + b.pos, "HEND", 4);
    hmf_meta_free(m);
}

#endif
