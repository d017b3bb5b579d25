/* XDR handles: where the bytes go and come from, and basic values as RFC 4506 has them.
 * Strings, arrays, optional data and unions are in xdr_data.c.
 */
#include "config.h"

#include "xdr.h"

#include "base.h"
#include "convert.h"
#include "fdio.h"
#include "typemap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <wchar.h>

/* ---- handles ---- */

static hmf_status_t make(enum hmf_xdr_op op, bool good, const char *what, hmf_xdr_t **out)
{
    if (!good || (op != HMF_XDR_ENCODE && op != HMF_XDR_DECODE))
        return hmf__fail(HMF_ERR_ARG, "an XDR handle needs %s and a direction: HMF_XDR_ENCODE or "
                         "HMF_XDR_DECODE", what);
    if (!(*out = hmf__calloc(1, sizeof **out)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for an XDR handle");
    (*out)->op = op;
    return HMF_OK;
}

hmf_status_t hmf_xdr_file(enum hmf_xdr_op op, FILE *file, hmf_xdr_t **out)
{
    hmf_status_t rc = make(op, file != NULL, "a file", out);

    if (rc == HMF_OK) {
        (*out)->where = HMF__XDR_FILE;
        (*out)->file = file;
    }
    return rc;
}

hmf_status_t hmf_xdr_fd(enum hmf_xdr_op op, int fd, double limit_s, hmf_xdr_t **out)
{
    hmf_status_t rc = make(op, fd >= 0 && limit_s == limit_s, "a descriptor, a time limit", out);

    if (rc == HMF_OK) {
        (*out)->where = HMF__XDR_FD;
        (*out)->fd = fd;
        (*out)->limit_s = limit_s < 1e9 ? limit_s : 1e9;
    }
    return rc;
}

hmf_status_t hmf_xdr_memory(enum hmf_xdr_op op, void *bytes, size_t size, hmf_xdr_t **out)
{
    hmf_status_t rc = make(op, bytes || !size, "memory", out);

    if (rc == HMF_OK) {
        (*out)->where = HMF__XDR_MEMORY;
        (*out)->at = bytes;
        (*out)->left = size;
    }
    return rc;
}

hmf_status_t hmf_xdr_buffer(hmf_xdr_t **out)
{
    hmf_status_t rc = make(HMF_XDR_ENCODE, true, "nothing", out);

    if (rc == HMF_OK)
        (*out)->where = HMF__XDR_BUFFER;
    return rc;
}

hmf_status_t hmf_xdr_take(hmf_xdr_t *x, void **bytes, size_t *len)
{
    if (x->where != HMF__XDR_BUFFER)
        return hmf__fail(HMF_ERR_ARG, "only what hmf_xdr_buffer collects can be taken");
    if (x->status != HMF_OK)
        return x->status;
    if (!x->buf.data && !hmf__buf_space(&x->buf, 0)) /* never NULL */
        return hmf__xdr_fail(x, hmf__fail(HMF_ERR_NOMEM, "no memory for XDR data"));
    *bytes = hmf__buf_take(&x->buf, len);
    return HMF_OK;
}

hmf_status_t hmf_xdr_flush(hmf_xdr_t *x)
{
    hmf_status_t rc;

    if (x->status != HMF_OK || x->where != HMF__XDR_FD || x->op != HMF_XDR_ENCODE)
        return x->status;
    rc = hmf__fd_write(x->fd, x->buf.data, x->buf.len, x->limit_s);
    hmf__buf_clear(&x->buf);
    return rc == HMF_OK ? HMF_OK : hmf__xdr_fail(x, rc);
}

hmf_status_t hmf_xdr_close(hmf_xdr_t *x)
{
    hmf_status_t rc;

    if (!x)
        return HMF_OK;
    hmf_xdr_flush(x);
    rc = x->status;
    hmf__buf_fini(&x->buf);
    hmf__free(x);
    return rc;
}

enum hmf_xdr_op hmf_xdr_op_of(const hmf_xdr_t *x)
{
    return x->op;
}

hmf_status_t hmf_xdr_status(const hmf_xdr_t *x)
{
    return x->status;
}

uint64_t hmf_xdr_position(const hmf_xdr_t *x)
{
    return x->position;
}

hmf_status_t hmf__xdr_fail(hmf_xdr_t *x, hmf_status_t status)
{
    if (x->status == HMF_OK)
        x->status = status;
    return x->status;
}

hmf_status_t hmf_xdr_refuse(hmf_xdr_t *x, hmf_status_t status, const char *text)
{
    if (x->status != HMF_OK || status == HMF_OK)
        return x->status;
    return hmf__xdr_fail(x, hmf__fail(status, "byte %" PRIu64 " of XDR data: %s", x->position,
                                      text ? text : "refused"));
}

/* ---- bytes ---- */

uint64_t hmf__xdr_left(const hmf_xdr_t *x)
{
    return x->where == HMF__XDR_MEMORY ? x->left : UINT64_MAX;
}

hmf_status_t hmf__xdr_put(hmf_xdr_t *x, const void *bytes, size_t n)
{
    hmf_status_t rc = HMF_OK;

    if (x->status != HMF_OK || !n)
        return x->status;
    switch (x->where) {
    case HMF__XDR_MEMORY:
        if (n > x->left) {
            rc = hmf__fail(HMF_ERR_LIMIT, "%zu bytes of XDR data do not fit into the %zu that are "
                           "left", n, x->left);
            break;
        }
        memcpy(x->at, bytes, n);
        x->at += n;
        x->left -= n;
        break;
    case HMF__XDR_FILE:
        if (fwrite(bytes, 1, n, x->file) != n)
            rc = hmf__fail(HMF_ERR_IO, "cannot write XDR data to a file");
        break;
    default:
        hmf__buf_put_bytes(&x->buf, bytes, n);
        if (x->buf.status != HMF_OK)
            rc = hmf__fail(HMF_ERR_NOMEM, "no memory for %zu bytes of XDR data", x->buf.len + n);
        else if (x->where == HMF__XDR_FD && x->buf.len >= HMF__XDR_CHUNK)
            rc = hmf_xdr_flush(x);
    }
    if (rc != HMF_OK)
        return hmf__xdr_fail(x, rc);
    x->position += n;
    return HMF_OK;
}

hmf_status_t hmf__xdr_get(hmf_xdr_t *x, void *bytes, size_t n)
{
    hmf_status_t rc = HMF_OK;

    if (x->status != HMF_OK || !n)
        return x->status;
    switch (x->where) {
    case HMF__XDR_MEMORY:
        if (n > x->left) {
            rc = hmf__fail(HMF_ERR_FORMAT, "XDR data end too early: %zu bytes are wanted at byte %"
                           PRIu64 ", %zu are left", n, x->position, x->left);
            break;
        }
        memcpy(bytes, x->at, n);
        x->at += n;
        x->left -= n;
        break;
    case HMF__XDR_FILE:
        if (fread(bytes, 1, n, x->file) != n)
            rc = ferror(x->file)
                     ? hmf__fail(HMF_ERR_IO, "cannot read XDR data from a file")
                     : hmf__fail(HMF_ERR_FORMAT, "the file ends within XDR data: %zu bytes are "
                                 "wanted at byte %" PRIu64, n, x->position);
        break;
    default:
        rc = hmf__fd_read(x->fd, bytes, n, x->limit_s, NULL);
    }
    if (rc != HMF_OK)
        return hmf__xdr_fail(x, rc);
    x->position += n;
    return HMF_OK;
}

/* ---- basic types ---- */

enum class { INTEGER, BOOLEAN, CHARACTER, REAL, LONG_DOUBLE };

static const struct basic {
    int type;
    enum class class;
    uint8_t size, wire; /* bytes of one number */
    bool is_signed;
    uint8_t numbers;    /* complex: 2 */
} basics[] = {
#define I(number, c, wire) {number, INTEGER, sizeof(c), wire, (c)-1 < (c)1, 1}
    I(typeINT, int, 4), I(typeUINT, unsigned, 4),
    I(typeSHORT, short, 4), I(typeUSHORT, unsigned short, 4),
    I(typeSCHAR, signed char, 4), I(typeUCHAR, unsigned char, 4),
    I(typeINT8, int8_t, 4), I(typeUINT8, uint8_t, 4), I(typeINT16, int16_t, 4),
    I(typeUINT16, uint16_t, 4), I(typeINT32, int32_t, 4), I(typeUINT32, uint32_t, 4),
    I(typeWCHAR, wchar_t, 4), I(typeENUM, int, 4),
    I(typeLONG, long, 8), I(typeULONG, unsigned long, 8),
    I(typeLLONG, long long, 8), I(typeULLONG, unsigned long long, 8),
    I(typeINT64, int64_t, 8), I(typeUINT64, uint64_t, 8),
    I(typeSIZE, size_t, 8), I(typeSSIZE, ssize_t, 8), I(typePTRDIFF, ptrdiff_t, 8),
    I(typeINTPTR, intptr_t, 8), I(typeUINTPTR, uintptr_t, 8),
    I(typeTIME, time_t, 8), I(typeOFF, off_t, 8),
#undef I
    {typeCHAR, CHARACTER, 1, 4, true, 1},
    {typeBOOL, BOOLEAN, sizeof(bool), 4, false, 1},
    {typeFLOAT, REAL, 4, 4, false, 1},
    {typeDOUBLE, REAL, 8, 8, false, 1},
    {typeLDOUBLE, LONG_DOUBLE, sizeof(long double), 16, false, 1},
    {typeFCOMPLEX, REAL, 4, 4, false, 2},
    {typeDCOMPLEX, REAL, 8, 8, false, 2},
    {typeLDCOMPLEX, LONG_DOUBLE, sizeof(long double), 16, false, 2},
};

static const struct basic *find(int type)
{
    for (size_t i = 0; i < sizeof basics / sizeof *basics; i++)
        if (basics[i].type == type)
            return &basics[i];
    return NULL;
}

size_t hmf_xdr_size_of(int type)
{
    const struct basic *b = find(type);

    return b ? (size_t)b->wire * b->numbers : 0;
}

size_t hmf__xdr_memory_size(int type)
{
    const struct basic *b = find(type);

    return b ? (size_t)b->size * b->numbers : 0;
}

static void ldouble_abis(struct hmf__abi *here, struct hmf__abi *wire)
{
    hmf__abi_native(here);
    *wire = *here;
    wire->big_endian = 1;
    wire->ldouble = HMF__LD_QUAD;
    wire->ldouble_size = 16;
}

static const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

/* A char is sent as the int that it is here; other machines' chars have the other sign. */
static uint64_t characters(bool encode, char *values, char *wire, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int32_t v = values[i];
        if (encode) {
            hmf__convert_int(true, 4, false, (char *)&v, 4, 4, little, wire + 4 * i, 4, 1);
            continue;
        }
        v = (int32_t)hmf__convert_load(4, true, little, wire + 4 * i);
        if (v < -128 || v > 255)
            return i;
        values[i] = (char)v;
    }
    return HMF__ALL_GOOD;
}

static uint64_t booleans(bool encode, char *values, char *wire, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (encode) {
            memcpy(wire + 4 * i, (char[4]){0, 0, 0, values[i] != 0}, 4);
            continue;
        }
        uint64_t v = hmf__convert_load(4, false, little, wire + 4 * i);
        if (v > 1)
            return i;
        values[i] = (char)v;
    }
    return HMF__ALL_GOOD;
}

/* n numbers between memory and the representation; the first that does not fit. */
static uint64_t convert(const struct basic *b, bool encode, char *values, char *wire, size_t n)
{
    char *from = encode ? values : wire, *to = encode ? wire : values;
    unsigned fs = encode ? b->size : b->wire, ts = encode ? b->wire : b->size;
    struct hmf__abi here, outside;

    switch (b->class) {
    case CHARACTER:
        return characters(encode, values, wire, n);
    case BOOLEAN:
        return booleans(encode, values, wire, n);
    case LONG_DOUBLE:
        ldouble_abis(&here, &outside);
        return hmf__convert_ldouble(encode ? &here : &outside, from, fs,
                                    encode ? &outside : &here, to, ts, n);
    default:
        if (fs != ts)
            return hmf__convert_int(b->is_signed, fs, !encode && little, from, fs, ts,
                                    encode && little, to, ts, n);
        if (little)
            hmf__convert_swap(fs, from, fs, to, ts, n);
        else
            memcpy(to, from, n * fs);
        return HMF__ALL_GOOD;
    }
}

static hmf_status_t does_not_fit(hmf_xdr_t *x, const struct basic *b, bool encode,
                                 const char *values, const char *wire, uint64_t i)
{
    char value[40] = "a long double";

    if (b->class != LONG_DOUBLE) {
        bool is_signed = b->is_signed;
        uint64_t v = encode ? hmf__convert_load(b->size, is_signed, false, values + i * b->size)
                            : hmf__convert_load(b->wire, is_signed, little, wire + i * b->wire);
        snprintf(value, sizeof value, is_signed ? "%" PRId64 : "%" PRIu64, v);
    }
    return hmf__xdr_fail(x, hmf__fail(HMF_ERR_RANGE, "byte %" PRIu64 " of XDR data: %s does not "
                                      "fit into %s", x->position, value,
                                      encode ? "its XDR type" : hmf__basic_name((uint32_t)b->type)));
}

hmf_status_t hmf_xdr_values(hmf_xdr_t *x, int type, void *values, size_t n)
{
    const struct basic *b = find(type);
    char wire[4096], *at = values;

    if (x->status != HMF_OK || x->op == HMF_XDR_RELEASE)
        return x->status;
    if (!b)
        return hmf__xdr_fail(x, hmf__fail(HMF_ERR_ARG, "%d is no basic type that XDR knows", type));
    bool encode = x->op == HMF_XDR_ENCODE;
    if (n > SIZE_MAX / 32)
        return hmf__xdr_fail(x, hmf__fail(HMF_ERR_LIMIT, "%zu values are too many", n));
    for (size_t left = n * b->numbers, k; left; left -= k, at += k * b->size) {
        k = left < sizeof wire / b->wire ? left : sizeof wire / b->wire;
        if (!encode && hmf__xdr_get(x, wire, k * b->wire) != HMF_OK)
            return x->status;
        uint64_t bad = convert(b, encode, at, wire, k);
        if (bad != HMF__ALL_GOOD)
            return does_not_fit(x, b, encode, at, wire, bad);
        if (encode && hmf__xdr_put(x, wire, k * b->wire) != HMF_OK)
            return x->status;
    }
    return HMF_OK;
}

#define ONE(verb, number, c)                                                                      \
    hmf_status_t hmf_xdr_##verb(hmf_xdr_t *x, c *v)                                               \
    {                                                                                             \
        return hmf_xdr_values(x, number, v, 1);                                                   \
    }
ONE(char, typeCHAR, char)
ONE(short, typeSHORT, short)
ONE(ushort, typeUSHORT, unsigned short)
ONE(int, typeINT, int)
ONE(uint, typeUINT, unsigned)
ONE(long, typeLONG, long)
ONE(ulong, typeULONG, unsigned long)
ONE(int64, typeINT64, int64_t)
ONE(uint64, typeUINT64, uint64_t)
ONE(size, typeSIZE, size_t)
ONE(float, typeFLOAT, float)
ONE(double, typeDOUBLE, double)
ONE(ldouble, typeLDOUBLE, long double)

hmf_status_t hmf_xdr_bool(hmf_xdr_t *x, int *v)
{
    bool b = *v != 0;
    hmf_status_t rc = hmf_xdr_values(x, typeBOOL, &b, 1);

    if (rc == HMF_OK && x->op == HMF_XDR_DECODE)
        *v = b;
    return rc;
}
