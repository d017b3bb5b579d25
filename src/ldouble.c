/* long double between the formats of machines: through sign, exponent and a 128-bit fraction.
 *
 * Unpacked, a finite value other than zero is  +-1.f * 2^exp  with the leading one in bit 127 of
 * the fraction.
 */
#include "config.h"

#include "convert.h"

#include <string.h>

struct number {
    enum { ZERO, FINITE, INFINITE, NAN_ } class;
    bool negative;
    int exp;
    uint64_t hi, lo; /* fraction; NaN: payload below bit 127 (bit 126: quiet) */
};

/* ---- bytes ---- */

/* A little-endian copy of a scalar of up to 16 bytes. */
static void fetch(unsigned char le[16], const char *from, unsigned size, bool big_endian)
{
    memset(le, 0, 16);
    for (unsigned i = 0; i < size; i++)
        le[i] = (unsigned char)from[big_endian ? size - 1 - i : i];
}

static void put_back(const unsigned char le[16], char *to, unsigned size, bool big_endian)
{
    for (unsigned i = 0; i < size; i++)
        to[big_endian ? size - 1 - i : i] = (char)le[i];
}

static uint64_t get64(const unsigned char *p)
{
    uint64_t v = 0;

    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static void put64(unsigned char *p, uint64_t v)
{
    for (int i = 0; i < 8; i++, v >>= 8)
        p[i] = (unsigned char)v;
}

/* x87 in 10 bytes; big-endian machines put the fraction behind 2 bytes that mean nothing. */
static void fetch_x87(unsigned char le[16], const char *from, bool big_endian)
{
    char packed[10];

    if (big_endian) {
        memcpy(packed, from, 2);
        memcpy(packed + 2, from + 4, 8);
        from = packed;
    }
    fetch(le, from, 10, big_endian);
}

static void put_back_x87(const unsigned char le[16], char *to, bool big_endian)
{
    char packed[10];

    put_back(le, packed, 10, big_endian);
    memcpy(to, packed, big_endian ? 2 : 10);
    if (big_endian)
        memcpy(to + 4, packed + 2, 8);
}

/* ---- 128-bit shifts ---- */

static void shift_left(struct number *x, int n)
{
    if (n >= 64) {
        x->hi = x->lo;
        x->lo = 0;
        n -= 64;
    }
    if (n) {
        x->hi = x->hi << n | x->lo >> (64 - n);
        x->lo <<= n;
    }
}

static void normalise(struct number *x)
{
    while (!(x->hi >> 63)) {
        int n = x->hi ? __builtin_clzll(x->hi) : 64;
        shift_left(x, n);
        x->exp -= n;
    }
}

/* Keep the topmost `bits` bits, rounded to nearest even, shifted down to the bottom. */
static void keep(struct number *x, int bits)
{
    int drop = 128 - bits;
    uint64_t rest_hi, rest_lo, hi = x->hi, lo = x->lo;

    if (drop <= 0)
        return;
    if (drop > 128) { /* far below the smallest: rounds to nothing */
        x->hi = x->lo = 0;
        return;
    }
    if (drop == 128) {
        bool up = hi > (uint64_t)1 << 63 || (hi == (uint64_t)1 << 63 && lo);
        x->hi = 0;
        x->lo = up;
        return;
    }
    struct number rest = {.hi = hi, .lo = lo};
    shift_left(&rest, bits);
    rest_hi = rest.hi;
    rest_lo = rest.lo;
    if (drop >= 64) {
        x->lo = drop == 64 ? hi : hi >> (drop - 64);
        x->hi = 0;
    } else {
        x->lo = lo >> drop | hi << (64 - drop);
        x->hi = hi >> drop;
    }
    bool half = rest_hi == (uint64_t)1 << 63 && !rest_lo;
    if ((rest_hi >> 63 && !half) || (half && (x->lo & 1)))
        if (!++x->lo)
            x->hi++;
}

/* ---- IEEE with a hidden bit: binary64 and binary128 ---- */

static void unpack_ieee(struct number *x, uint64_t hi, uint64_t lo, int exp_bits)
{
    int bias = (1 << (exp_bits - 1)) - 1, max = (1 << exp_bits) - 1;
    int e = (int)(hi << 1 >> (64 - exp_bits));

    x->negative = hi >> 63;
    x->hi = hi;
    x->lo = lo;
    shift_left(x, exp_bits); /* sign and all but the last bit of the exponent are out */
    x->hi &= UINT64_MAX >> 1;
    x->exp = e - bias;
    if (e == max) {
        x->class = x->hi | x->lo ? NAN_ : INFINITE;
    } else if (e) {
        x->class = FINITE;
        x->hi |= (uint64_t)1 << 63;
    } else if (x->hi | x->lo) {
        x->class = FINITE;
        x->exp = 1 - bias;
        normalise(x);
    } else {
        x->class = ZERO;
    }
}

/* *hi, *lo: the number in its top bits.  False: too large. */
static bool pack_ieee(struct number x, uint64_t *hi, uint64_t *lo, int exp_bits, int frac_bits)
{
    int bias = (1 << (exp_bits - 1)) - 1, max = (1 << exp_bits) - 1;
    uint64_t e = 0;
    bool good = x.class != FINITE || x.exp <= bias;

    if (!good) /* such an exponent need not fit into its bits below */
        x.class = INFINITE;
    if (x.class == FINITE) {
        int exp = x.exp + bias, bits = frac_bits + 1; /* with the leading one */
        if (exp < 1) { /* subnormal */
            bits = exp + frac_bits < -1 ? -1 : exp + frac_bits;
            exp = 0;
        }
        keep(&x, bits);
        /* the leading one, and a carry out of the fraction, count up the exponent */
        e = exp > 0 ? (uint64_t)exp - 1 : 0;
    } else {
        if (x.class == ZERO)
            x.hi = x.lo = 0;
        else
            e = (uint64_t)max;
        if (x.class == NAN_) {
            struct number payload = {.hi = x.hi << 1 | x.lo >> 63, .lo = x.lo << 1};
            if (frac_bits < 64) {
                payload.lo = payload.hi >> (64 - frac_bits);
                payload.hi = 0;
            } else {
                payload.lo = payload.lo >> (128 - frac_bits) | payload.hi << (frac_bits - 64);
                payload.hi >>= 128 - frac_bits;
            }
            if (!(payload.hi | payload.lo))
                payload.lo = 1; /* a payload lost must not become infinity */
            x.hi = payload.hi;
            x.lo = payload.lo;
        } else {
            x.hi = x.lo = 0;
        }
    }
    /* fraction stands at the bottom: add the exponent above it */
    if (frac_bits < 64) {
        x.lo += e << frac_bits;
        if (x.class == FINITE && x.lo >> frac_bits >= (uint64_t)max)
            good = false;
        *hi = x.lo | (uint64_t)x.negative << 63;
        *lo = 0;
    } else {
        x.hi += e << (frac_bits - 64);
        if (x.class == FINITE && x.hi >> (frac_bits - 64) >= (uint64_t)max)
            good = false;
        *hi = x.hi | (uint64_t)x.negative << 63;
        *lo = x.lo;
    }
    return good;
}

static void unpack_double(struct number *x, const unsigned char *p)
{
    unpack_ieee(x, get64(p), 0, 11);
}

static bool pack_double(const struct number *x, unsigned char *p)
{
    uint64_t hi, lo;
    bool good = pack_ieee(*x, &hi, &lo, 11, 52);

    put64(p, hi);
    return good;
}

/* ---- x87: explicit leading one ---- */

static void unpack_x87(struct number *x, const unsigned char *p)
{
    int e = (p[8] | p[9] << 8) & 0x7fff;

    x->negative = p[9] >> 7;
    x->hi = get64(p);
    x->lo = 0;
    x->exp = e - 16383;
    if (e == 0x7fff) {
        x->hi &= UINT64_MAX >> 1;
        x->class = x->hi ? NAN_ : INFINITE;
    } else if (x->hi) {
        x->class = FINITE;
        x->exp += e == 0;
        normalise(x);
    } else {
        x->class = ZERO;
    }
}

static bool pack_x87(struct number x, unsigned char *p)
{
    uint64_t hi = 0, lo;
    int e = 0;
    bool good = true;

    if (x.class == FINITE) {
        int bits = 64;
        e = x.exp + 16383;
        if (e < 1) {
            bits = e + 63 < -1 ? -1 : e + 63;
            e = 0;
        }
        keep(&x, bits);
        lo = x.lo;
        if (x.hi) { /* carry: 1.11..1 became 10.0..0 */
            lo = (uint64_t)1 << 63;
            e++;
        } else if (!e && lo >> 63) {
            e = 1; /* rounded up to the smallest normal one */
        }
        hi = lo;
        good = e < 0x7fff;
    } else if (x.class != ZERO) {
        e = 0x7fff;
        hi = (uint64_t)1 << 63;
        if (x.class == NAN_)
            hi |= x.hi ? x.hi : 1;
    }
    put64(p, hi);
    p[8] = (unsigned char)e;
    p[9] = (unsigned char)(e >> 8 | x.negative << 7);
    return good;
}

/* ---- a pair of doubles: their sum ---- */

/* a + b for |a| >= |b|, both finite; exact but for bits below the 128 kept. */
static void add(struct number *a, struct number b)
{
    int drop = a->exp - b.exp;

    if (b.class == ZERO || drop > 127)
        return;
    if (drop >= 64) {
        b.lo = b.hi;
        b.hi = 0;
        drop -= 64;
    }
    if (drop) {
        b.lo = b.lo >> drop | b.hi << (64 - drop);
        b.hi >>= drop;
    }
    if (a->negative == b.negative) {
        uint64_t lo = a->lo + b.lo, carry = lo < b.lo, hi = a->hi + b.hi + carry;
        bool over = hi < a->hi || (carry && hi == a->hi);
        if (over) {
            lo = lo >> 1 | hi << 63;
            hi = hi >> 1 | (uint64_t)1 << 63;
            a->exp++;
        }
        a->hi = hi;
        a->lo = lo;
        return;
    }
    uint64_t borrow = a->lo < b.lo;
    a->lo -= b.lo;
    a->hi -= b.hi + borrow;
    if (a->hi | a->lo)
        normalise(a);
    else
        a->class = ZERO;
}

static void unpack_pair(struct number *x, const unsigned char *hi, const unsigned char *lo)
{
    struct number rest;

    unpack_double(x, hi);
    unpack_double(&rest, lo);
    if (x->class == FINITE && rest.class == FINITE)
        add(x, rest);
}

static bool pack_pair(const struct number *x, unsigned char *hi, unsigned char *lo)
{
    struct number head, rest = *x;
    bool good = pack_double(x, hi);

    memset(lo, 0, 8);
    unpack_double(&head, hi);
    if (x->class != FINITE || head.class != FINITE)
        return good;
    /* rest = x - head; the one that is larger in size comes first */
    head.negative = !head.negative;
    if (head.exp > rest.exp || (head.exp == rest.exp && head.hi > rest.hi)) {
        add(&head, rest);
        rest = head;
    } else {
        add(&rest, head);
    }
    pack_double(&rest, lo);
    return good;
}

uint64_t hmf__convert_ldouble(const struct hmf__abi *from_abi, const char *from, size_t fs,
                              const struct hmf__abi *to_abi, char *to, size_t ts, uint64_t n)
{
    unsigned char le[16], lo[16];
    struct number x = {0};
    uint64_t hi64, lo64;

    for (uint64_t i = 0; i < n; i++, from += fs, to += ts) {
        bool big = from_abi->big_endian, good = true;
        switch (from_abi->ldouble) {
        case HMF__LD_DOUBLE:
            fetch(le, from, 8, big);
            unpack_double(&x, le);
            break;
        case HMF__LD_X87:
            fetch_x87(le, from, big);
            unpack_x87(&x, le);
            break;
        case HMF__LD_QUAD:
            fetch(le, from, 16, big);
            unpack_ieee(&x, get64(le + 8), get64(le), 15);
            break;
        default:
            fetch(le, from, 8, big);
            fetch(lo, from + 8, 8, big);
            unpack_pair(&x, le, lo);
        }
        big = to_abi->big_endian;
        memset(to, 0, to_abi->ldouble_size);
        switch (to_abi->ldouble) {
        case HMF__LD_DOUBLE:
            good = pack_double(&x, le);
            put_back(le, to, 8, big);
            break;
        case HMF__LD_X87:
            good = pack_x87(x, le);
            put_back_x87(le, to, big);
            break;
        case HMF__LD_QUAD:
            good = pack_ieee(x, &hi64, &lo64, 15, 112);
            put64(le, lo64);
            put64(le + 8, hi64);
            put_back(le, to, 16, big);
            break;
        default:
            good = pack_pair(&x, le, lo);
            put_back(le, to, 8, big);
            put_back(lo, to + 8, 8, big);
        }
        if (!good)
            return i;
    }
    return HMF__ALL_GOOD;
}
