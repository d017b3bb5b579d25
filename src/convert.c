/* The kernels of convert.h: written so that compilers vectorise the dense cases. */
#include "config.h"

#include "convert.h"

#include <string.h>

/* -O2 of gcc 12 vectorises no loop whose number of turns it does not know. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

static inline uint16_t swap2(uint16_t v)
{
    return __builtin_bswap16(v);
}

static inline uint32_t swap4(uint32_t v)
{
    return __builtin_bswap32(v);
}

static inline uint64_t swap8(uint64_t v)
{
    return __builtin_bswap64(v);
}

#define DEFINE_SWAP(type, swap)                                                                   \
    static void dense_##swap(const char *restrict from, char *restrict to, uint64_t n)           \
    {                                                                                             \
        for (uint64_t i = 0; i < n; i++) {                                                        \
            type v;                                                                               \
            memcpy(&v, from + i * sizeof v, sizeof v);                                            \
            v = swap(v);                                                                          \
            memcpy(to + i * sizeof v, &v, sizeof v);                                              \
        }                                                                                         \
    }                                                                                             \
    static void strided_##swap(const char *restrict from, size_t fs, char *restrict to,          \
                               size_t ts, uint64_t n)                                             \
    {                                                                                             \
        for (; n; n--, from += fs, to += ts) {                                                    \
            type v;                                                                               \
            memcpy(&v, from, sizeof v);                                                           \
            v = swap(v);                                                                          \
            memcpy(to, &v, sizeof v);                                                             \
        }                                                                                         \
    }

DEFINE_SWAP(uint16_t, swap2)
DEFINE_SWAP(uint32_t, swap4)
DEFINE_SWAP(uint64_t, swap8)

static void strided_swap16(const char *restrict from, size_t fs, char *restrict to, size_t ts,
                           uint64_t n)
{
    for (; n; n--, from += fs, to += ts) {
        uint64_t a, b;
        memcpy(&a, from, 8);
        memcpy(&b, from + 8, 8);
        a = swap8(a);
        b = swap8(b);
        memcpy(to, &b, 8);
        memcpy(to + 8, &a, 8);
    }
}

void hmf__convert_swap(unsigned size, const char *from, size_t fs, char *to, size_t ts, uint64_t n)
{
    bool dense = fs == size && ts == size;

    switch (size) {
    case 2:
        if (dense)
            dense_swap2(from, to, n);
        else
            strided_swap2(from, fs, to, ts, n);
        break;
    case 4:
        if (dense)
            dense_swap4(from, to, n);
        else
            strided_swap4(from, fs, to, ts, n);
        break;
    case 8:
        if (dense)
            dense_swap8(from, to, n);
        else
            strided_swap8(from, fs, to, ts, n);
        break;
    default:
        strided_swap16(from, fs, to, ts, n);
    }
}

uint64_t hmf__convert_load(unsigned size, bool is_signed, bool swap, const char *from)
{
    uint16_t s;
    uint32_t w;
    uint64_t d;

    switch (size) {
    case 1:
        return is_signed ? (uint64_t)(int8_t)*from : (uint8_t)*from;
    case 2:
        memcpy(&s, from, 2);
        s = swap ? swap2(s) : s;
        return is_signed ? (uint64_t)(int16_t)s : s;
    case 4:
        memcpy(&w, from, 4);
        w = swap ? swap4(w) : w;
        return is_signed ? (uint64_t)(int32_t)w : w;
    default:
        memcpy(&d, from, 8);
        return swap ? swap8(d) : d;
    }
}

static void store(unsigned size, bool swap, char *to, uint64_t v)
{
    uint8_t b = (uint8_t)v;
    uint16_t s = swap ? swap2((uint16_t)v) : (uint16_t)v;
    uint32_t w = swap ? swap4((uint32_t)v) : (uint32_t)v;

    switch (size) {
    case 1:
        memcpy(to, &b, 1);
        break;
    case 2:
        memcpy(to, &s, 2);
        break;
    case 4:
        memcpy(to, &w, 4);
        break;
    default:
        v = swap ? swap8(v) : v;
        memcpy(to, &v, 8);
    }
}

/* The cases that matter, long on 32- and 64-bit machines: constants make tight loops. */
static inline void widen(const char *restrict from, size_t fs, char *restrict to, size_t ts,
                         uint64_t n, bool is_signed, bool from_swap, bool to_swap)
{
    for (uint64_t i = 0; i < n; i++) {
        uint32_t v;
        memcpy(&v, from + i * fs, 4);
        v = from_swap ? swap4(v) : v;
        uint64_t x = is_signed ? (uint64_t)(int64_t)(int32_t)v : v;
        x = to_swap ? swap8(x) : x;
        memcpy(to + i * ts, &x, 8);
    }
}

static inline uint64_t narrow(const char *restrict from, size_t fs, char *restrict to, size_t ts,
                              uint64_t n, bool is_signed, bool from_swap, bool to_swap)
{
    uint64_t bad = 0;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t x;
        memcpy(&x, from + i * fs, 8);
        x = from_swap ? swap8(x) : x;
        uint32_t v = (uint32_t)x;
        bad |= x ^ (is_signed ? (uint64_t)(int64_t)(int32_t)v : v);
        v = to_swap ? swap4(v) : v;
        memcpy(to + i * ts, &v, 4);
    }
    return bad;
}

/* call(fs, ts, is_signed, from_swap, to_swap), with constants where the run is dense. */
#define EACH_ORDER(call, is_signed)                                                               \
    do {                                                                                          \
        if (from_swap)                                                                            \
            call(FS, TS, is_signed, true, false);                                                 \
        else if (to_swap)                                                                         \
            call(FS, TS, is_signed, false, true);                                                 \
        else                                                                                      \
            call(FS, TS, is_signed, false, false);                                                \
    } while (0)
#define EACH_CASE(call)                                                                           \
    do {                                                                                          \
        if (fs != FS || ts != TS || (from_swap && to_swap))                                       \
            call(fs, ts, is_signed, from_swap, to_swap);                                          \
        else if (is_signed)                                                                       \
            EACH_ORDER(call, true);                                                               \
        else                                                                                      \
            EACH_ORDER(call, false);                                                              \
    } while (0)

uint64_t hmf__convert_int(bool is_signed, unsigned from_size, bool from_swap, const char *from,
                          size_t fs, unsigned to_size, bool to_swap, char *to, size_t ts,
                          uint64_t n)
{
    if (from_size == 4 && to_size == 8) {
        enum { FS = 4, TS = 8 };
#define WIDEN(a, b, s, f, t) widen(from, a, to, b, n, s, f, t)
        EACH_CASE(WIDEN);
        return HMF__ALL_GOOD;
    }
    if (from_size == 8 && to_size == 4) {
        enum { FS = 8, TS = 4 };
        uint64_t bad = 0;
#define NARROW(a, b, s, f, t) (bad = narrow(from, a, to, b, n, s, f, t))
        EACH_CASE(NARROW);
        if (!bad)
            return HMF__ALL_GOOD;
    }
    for (uint64_t i = 0; i < n; i++) {
        uint64_t v = hmf__convert_load(from_size, is_signed, from_swap, from + i * fs);
        store(to_size, to_swap, to + i * ts, v);
        if (hmf__convert_load(to_size, is_signed, to_swap, to + i * ts) != v)
            return i;
    }
    return HMF__ALL_GOOD;
}
