/* CRC32C by the processor's instruction or by table; bit-reflected polynomial 0x82f63b78.
 *
 * The instruction has a latency of three cycles and a throughput of one, so long inputs are cut
 * into three streams; their checksums are joined by the linear map "append L zero bytes", kept
 * as a table for each of two stream lengths.
 *
 * Where the processor multiplies polynomials in 64-byte registers, long inputs are folded instead:
 * four registers hold 256 bytes congruent, modulo the polynomial, to all bytes so far.  Gopal et
 * al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009.
 */
#include "config.h"

#include "crc32c.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#define HAVE_CRC_INSTRUCTION 1
#define CRC_TARGET __attribute__((target("sse4.2")))
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#define HAVE_CRC_INSTRUCTION 1
#define CRC_TARGET __attribute__((target("+crc")))
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
#endif

enum { LONG_STREAM = 8192, SHORT_STREAM = 256, POLY = 0x82f63b78 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t table[8][256];

#ifdef HAVE_CRC_INSTRUCTION
static uint32_t zeros_long[4][256], zeros_short[4][256];
static int have_instruction;

static uint32_t times(const uint32_t *m, uint32_t v)
{
    uint32_t sum = 0;

    for (; v; v >>= 1, m++)
        if (v & 1)
            sum ^= *m;
    return sum;
}

static void square(uint32_t *out, const uint32_t *m)
{
    for (int i = 0; i < 32; i++)
        out[i] = times(m, m[i]);
}

/* The table of the map that appends `len` zero bytes; len is a power of two. */
static void make_zeros(uint32_t zeros[4][256], size_t len)
{
    uint32_t even[32], odd[32];

    odd[0] = (uint32_t)POLY; /* one zero bit */
    for (int i = 1; i < 32; i++)
        odd[i] = 1u << (i - 1);
    for (size_t bits = 1; bits < 8 * len; bits *= 2) {
        square(even, odd);
        memcpy(odd, even, sizeof odd);
    }
    for (uint32_t n = 0; n < 256; n++)
        for (int k = 0; k < 4; k++)
            zeros[k][n] = times(odd, n << (8 * k));
}

static uint32_t shift(uint32_t zeros[4][256], uint32_t crc)
{
    return zeros[0][crc & 255] ^ zeros[1][crc >> 8 & 255] ^ zeros[2][crc >> 16 & 255] ^
           zeros[3][crc >> 24];
}

#if defined(__x86_64__)
#define HAVE_FOLDING 1
#define STEP64(c, v) ((uint32_t)_mm_crc32_u64(c, v))
#define STEP8(c, v) _mm_crc32_u8(c, v)
#elif defined(__i386__)
#define STEP64(c, v) _mm_crc32_u32(_mm_crc32_u32(c, (uint32_t)(v)), (uint32_t)((v) >> 32))
#define STEP8(c, v) _mm_crc32_u8(c, v)
#else
#define STEP64(c, v) __crc32cd(c, v)
#define STEP8(c, v) __crc32cb(c, v)
#endif

static inline uint64_t load64(const unsigned char *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

CRC_TARGET static uint32_t crc_instruction(uint32_t crc, const unsigned char *p, size_t len)
{
    uint32_t a = ~crc;

    for (; len && ((uintptr_t)p & 7); len--)
        a = STEP8(a, *p++);
    for (int turn = 0; turn < 2; turn++) {
        size_t stream = turn ? SHORT_STREAM : LONG_STREAM;
        uint32_t(*zeros)[256] = turn ? zeros_short : zeros_long;
        for (; len >= 3 * stream; len -= 3 * stream, p += 3 * stream) {
            uint32_t b = 0, c = 0;
            for (size_t i = 0; i < stream; i += 8) {
                a = STEP64(a, load64(p + i));
                b = STEP64(b, load64(p + stream + i));
                c = STEP64(c, load64(p + 2 * stream + i));
            }
            a = shift(zeros, a) ^ b;
            a = shift(zeros, a) ^ c;
        }
    }
    for (; len >= 8; len -= 8, p += 8)
        a = STEP64(a, load64(p));
    for (; len; len--)
        a = STEP8(a, *p++);
    return ~a;
}
#endif

#ifdef HAVE_FOLDING
enum { FOLD = 256 }; /* bytes in the four registers */

static uint64_t fold_low, fold_high; /* what the halves of 16 bytes are multiplied by */
static int have_folding;

/* x to the n-th modulo the polynomial, in the form that a product of reflected factors needs. */
static uint64_t power(int n)
{
    uint32_t v = 0x80000000u;

    for (; n; n--)
        v = v & 1 ? v >> 1 ^ (uint32_t)POLY : v >> 1;
    return (uint64_t)v << 1;
}

#define FOLDING_TARGET __attribute__((target("avx512f,pclmul,vpclmulqdq,sse4.2")))

FOLDING_TARGET static inline __m512i fold(__m512i a, __m512i by, const unsigned char *next)
{
    return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(a, by, 0x00),
                                     _mm512_clmulepi64_epi128(a, by, 0x11),
                                     _mm512_loadu_si512(next), 0x96); /* a ^ b ^ c */
}

/* len >= FOLD */
FOLDING_TARGET static uint32_t crc_folding(uint32_t crc, const unsigned char *p, size_t len)
{
    const __m512i by = _mm512_set_epi64((long long)fold_high, (long long)fold_low,
                                        (long long)fold_high, (long long)fold_low,
                                        (long long)fold_high, (long long)fold_low,
                                        (long long)fold_high, (long long)fold_low);
    __m512i a = _mm512_xor_si512(_mm512_loadu_si512(p),
                                 _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc)));
    __m512i b = _mm512_loadu_si512(p + 64), c = _mm512_loadu_si512(p + 128);
    __m512i d = _mm512_loadu_si512(p + 192);
    unsigned char rest[FOLD];

    for (len -= FOLD, p += FOLD; len >= FOLD; len -= FOLD, p += FOLD) {
        a = fold(a, by, p);
        b = fold(b, by, p + 64);
        c = fold(c, by, p + 128);
        d = fold(d, by, p + 192);
    }
    _mm512_storeu_si512(rest, a);
    _mm512_storeu_si512(rest + 64, b);
    _mm512_storeu_si512(rest + 128, c);
    _mm512_storeu_si512(rest + 192, d);
    crc = 0;
    for (size_t i = 0; i < FOLD; i += 8)
        crc = STEP64(crc, load64(rest + i));
    return crc_instruction(~crc, p, len);
}
#endif

static void prepare(void)
{
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t c = n;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ (uint32_t)POLY : c >> 1;
        table[0][n] = c;
    }
    for (uint32_t n = 0; n < 256; n++)
        for (int k = 1; k < 8; k++)
            table[k][n] = table[k - 1][n] >> 8 ^ table[0][table[k - 1][n] & 255];
#ifdef HAVE_CRC_INSTRUCTION
    make_zeros(zeros_long, LONG_STREAM);
    make_zeros(zeros_short, SHORT_STREAM);
#if defined(__aarch64__)
    have_instruction = (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#else
    have_instruction = __builtin_cpu_supports("sse4.2") != 0;
#endif
#ifdef HAVE_FOLDING
    fold_low = power(8 * FOLD + 32);
    fold_high = power(8 * FOLD - 32);
    have_folding = have_instruction && __builtin_cpu_supports("avx512f") &&
                   __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("vpclmulqdq");
#endif
#endif
}

uint32_t hmf__crc32c_soft(uint32_t crc, const void *data, size_t len)
{
    const unsigned char *p = data;
    uint32_t a = ~crc;

    pthread_once(&once, prepare);
    for (; len >= 8; len -= 8, p += 8) {
        uint32_t lo = a ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                           (uint32_t)p[3] << 24);
        a = table[7][lo & 255] ^ table[6][lo >> 8 & 255] ^ table[5][lo >> 16 & 255] ^
            table[4][lo >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    }
    for (; len; len--)
        a = a >> 8 ^ table[0][(a ^ *p++) & 255];
    return ~a;
}

uint32_t hmf__crc32c(uint32_t crc, const void *data, size_t len)
{
    pthread_once(&once, prepare);
#ifdef HAVE_FOLDING
    if (have_folding && len >= FOLD)
        return crc_folding(crc, data, len);
#endif
#ifdef HAVE_CRC_INSTRUCTION
    if (have_instruction)
        return crc_instruction(crc, data, len);
#endif
    return hmf__crc32c_soft(crc, data, len);
}

/* ---- joining: polynomials over GF(2) modulo the CRC's, bit-reflected: x^0 is the highest bit ---- */

static uint32_t multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;

    for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = b >> 1 ^ (b & 1 ? (uint32_t)POLY : 0);
    }
    return product;
}

/* x^(8 len): what appending len bytes multiplies a checksum by. */
uint32_t hmf__crc32c_shift(uint64_t len)
{
    uint32_t result = 1u << 31, power = 1u << 23; /* x^0, x^8 */

    for (; len; len >>= 1) {
        if (len & 1)
            result = multiply(result, power);
        power = multiply(power, power);
    }
    return result;
}

uint32_t hmf__crc32c_join(uint32_t a, uint32_t b, uint32_t shift)
{
    return multiply(shift, a) ^ b;
}
