/* The byte buffer of buf.h. */
#include "config.h"

#include "buf.h"

#include "base.h"

#include <string.h>

void hmf__buf_init(struct hmf__buf *b)
{
    memset(b, 0, sizeof *b);
}

void hmf__buf_borrow(struct hmf__buf *b, const void *data, size_t len)
{
    memset(b, 0, sizeof *b);
    b->data = (unsigned char *)(uintptr_t)data; /* cap 0: never written through */
    b->len = len;
}

void hmf__buf_fini(struct hmf__buf *b)
{
    if (b->cap)
        hmf__free(b->data);
    memset(b, 0, sizeof *b);
}

void hmf__buf_clear(struct hmf__buf *b)
{
    b->len = b->pos = 0;
    b->status = HMF_OK;
}

unsigned char *hmf__buf_take(struct hmf__buf *b, size_t *len)
{
    unsigned char *data = NULL;

    if (b->status == HMF_OK && hmf__buf_space(b, 0)) {
        data = b->data;
        *len = b->len;
        memset(b, 0, sizeof *b);
    }
    return data;
}

void *hmf__buf_space(struct hmf__buf *b, size_t more)
{
    size_t need;

    if (b->status != HMF_OK)
        return NULL;
    if (hmf__add_overflow(b->len, more, &need)) {
        b->status = hmf__fail(HMF_ERR_NOMEM, "a buffer of %zu bytes cannot grow by %zu", b->len,
                              more);
        return NULL;
    }
    if (need > b->cap || !b->cap) {
        size_t cap = b->cap < SIZE_MAX / 2 && need < 2 * b->cap ? 2 * b->cap : need;
        if (cap < 64)
            cap = 64;
        unsigned char *data = hmf__realloc(b->cap ? b->data : NULL, cap);
        if (!data) {
            b->status = hmf__fail(HMF_ERR_NOMEM, "no memory for a buffer of %zu bytes", cap);
            return NULL;
        }
        b->data = data;
        b->cap = cap;
    }
    void *at = b->data + b->len;
    b->len = need;
    return at;
}

static void put(struct hmf__buf *b, uint64_t v, size_t bytes)
{
    unsigned char *p = hmf__buf_space(b, bytes);

    for (size_t i = 0; p && i < bytes; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

void hmf__buf_put_u8(struct hmf__buf *b, uint8_t v)
{
    put(b, v, 1);
}

void hmf__buf_put_u16(struct hmf__buf *b, uint16_t v)
{
    put(b, v, 2);
}

void hmf__buf_put_u32(struct hmf__buf *b, uint32_t v)
{
    put(b, v, 4);
}

void hmf__buf_put_u64(struct hmf__buf *b, uint64_t v)
{
    put(b, v, 8);
}

void hmf__buf_put_i32(struct hmf__buf *b, int32_t v)
{
    put(b, (uint32_t)v, 4);
}

void hmf__buf_put_i64(struct hmf__buf *b, int64_t v)
{
    put(b, (uint64_t)v, 8);
}

void hmf__buf_put_bytes(struct hmf__buf *b, const void *data, size_t len)
{
    void *p = hmf__buf_space(b, len);

    if (p && len)
        memcpy(p, data, len);
}

void hmf__buf_put_string(struct hmf__buf *b, const char *text)
{
    size_t n = text ? strlen(text) : 0;

    if (n > UINT32_MAX) {
        b->status = hmf__fail(HMF_ERR_LIMIT, "a string of %zu characters is too long", n);
        return;
    }
    hmf__buf_put_u32(b, (uint32_t)n);
    hmf__buf_put_bytes(b, text, n);
}

const void *hmf__buf_get_bytes(struct hmf__buf *b, size_t len)
{
    static const unsigned char none[1];

    if (b->status != HMF_OK)
        return NULL;
    if (len > b->len - b->pos) {
        b->status = hmf__fail(HMF_ERR_FORMAT, "%zu bytes wanted at byte %zu, but only %zu follow",
                              len, b->pos, b->len - b->pos);
        return NULL;
    }
    const void *p = b->data ? b->data + b->pos : none;
    b->pos += len;
    return p;
}

static uint64_t get(struct hmf__buf *b, size_t bytes)
{
    const unsigned char *p = hmf__buf_get_bytes(b, bytes);
    uint64_t v = 0;

    for (size_t i = 0; p && i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint8_t hmf__buf_get_u8(struct hmf__buf *b)
{
    return (uint8_t)get(b, 1);
}

uint16_t hmf__buf_get_u16(struct hmf__buf *b)
{
    return (uint16_t)get(b, 2);
}

uint32_t hmf__buf_get_u32(struct hmf__buf *b)
{
    return (uint32_t)get(b, 4);
}

uint64_t hmf__buf_get_u64(struct hmf__buf *b)
{
    return get(b, 8);
}

int32_t hmf__buf_get_i32(struct hmf__buf *b)
{
    return (int32_t)(uint32_t)get(b, 4);
}

int64_t hmf__buf_get_i64(struct hmf__buf *b)
{
    return (int64_t)get(b, 8);
}

char *hmf__buf_get_string(struct hmf__buf *b, size_t max)
{
    size_t at = b->pos, n = hmf__buf_get_u32(b);

    if (b->status == HMF_OK && n > max)
        b->status = hmf__fail(HMF_ERR_FORMAT, "the string at byte %zu has %zu characters, more "
                              "than the allowed %zu", at, n, max);
    const char *p = hmf__buf_get_bytes(b, n);
    if (p && n && memchr(p, 0, n)) {
        b->status = hmf__fail(HMF_ERR_FORMAT, "the string at byte %zu contains a NUL", at);
        p = NULL;
    }
    if (!p)
        return NULL;
    char *text = hmf__malloc(n + 1);
    if (!text) {
        b->status = hmf__fail(HMF_ERR_NOMEM, "no memory for a string of %zu characters", n);
        return NULL;
    }
    memcpy(text, p, n);
    text[n] = '\0';
    return text;
}

size_t hmf__buf_left(const struct hmf__buf *b)
{
    return b->status == HMF_OK ? b->len - b->pos : 0;
}
