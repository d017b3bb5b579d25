/* Bit-fields; see bits.h.  Where they lie is the layout's: type.c. */
#include "config.h"

#include "bits.h"

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

uint64_t hmf__bits_load(bool big_endian, const void *from, unsigned bit, unsigned width,
                        bool is_signed)
{
    const unsigned char *p = from;
    uint64_t v = 0;

    for (unsigned got = 0, n; got < width; got += n, bit = 0, p++) {
        n = least(8 - bit, width - got);
        unsigned mask = (1u << n) - 1;
        if (big_endian)
            v = v << n | (*p >> (8 - bit - n) & mask);
        else
            v |= (uint64_t)(*p >> bit & mask) << got;
    }
    if (is_signed && width < 64 && v >> (width - 1) & 1)
        v |= ~(uint64_t)0 << width;
    return v;
}

void hmf__bits_store(bool big_endian, void *to, unsigned bit, unsigned width, uint64_t v)
{
    unsigned char *p = to;

    for (unsigned put = 0, n; put < width; put += n, bit = 0, p++) {
        n = least(8 - bit, width - put);
        unsigned mask = (1u << n) - 1, shift = big_endian ? 8 - bit - n : bit;
        unsigned part = (unsigned)(big_endian ? v >> (width - put - n) : v >> put) & mask;
        *p = (unsigned char)((*p & ~(mask << shift)) | part << shift);
    }
}

bool hmf__bits_fit(uint64_t v, bool from_signed, unsigned width, bool is_signed)
{
    bool negative = from_signed && v >> 63;

    if (!is_signed)
        return !negative && (width >= 64 || v >> width == 0);
    if (negative)
        return ~v >> (width - 1) == 0;
    return v >> (width - 1) == 0;
}
