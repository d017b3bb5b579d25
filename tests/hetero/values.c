/* Scalars of every type, floating-point values by their bits, and structs as compilers lay them out;
 * then values that are too large for some machines. */
#include "config.h"

#include "cases.h"
#include "hmf/type.h"
#include "typemap.h"

#include <complex.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <wchar.h>

/* ---- integers: smallest, largest, and some between; what is `long` somewhere holds 32 bits ---- */

enum colour { RED = -3, GREEN = 0, BLUE = 70000 };
typedef long as_long; /* off_t of a program that was compiled without 64-bit offsets */

#define INTS(X)                                                                                   \
    X(c, char, typeCHAR, 0, 127)                                                                  \
    X(sc, signed char, typeSCHAR, SCHAR_MIN, SCHAR_MAX)                                           \
    X(uc, unsigned char, typeUCHAR, 0, UCHAR_MAX)                                                 \
    X(b, bool, typeBOOL, 0, 1)                                                                    \
    X(s, short, typeSHORT, SHRT_MIN, SHRT_MAX)                                                    \
    X(us, unsigned short, typeUSHORT, 0, USHRT_MAX)                                               \
    X(i, int, typeINT, INT_MIN, INT_MAX)                                                          \
    X(u, unsigned, typeUINT, 0, UINT_MAX)                                                         \
    X(l, long, typeLONG, INT32_MIN, INT32_MAX)                                                    \
    X(ul, unsigned long, typeULONG, 0, UINT32_MAX)                                                \
    X(ll, long long, typeLLONG, LLONG_MIN, LLONG_MAX)                                             \
    X(ull, unsigned long long, typeULLONG, 0, ULLONG_MAX)                                         \
    X(i8, int8_t, typeINT8, INT8_MIN, INT8_MAX)                                                   \
    X(u8, uint8_t, typeUINT8, 0, UINT8_MAX)                                                       \
    X(i16, int16_t, typeINT16, INT16_MIN, INT16_MAX)                                              \
    X(u16, uint16_t, typeUINT16, 0, UINT16_MAX)                                                   \
    X(i32, int32_t, typeINT32, INT32_MIN, INT32_MAX)                                              \
    X(u32, uint32_t, typeUINT32, 0, UINT32_MAX)                                                   \
    X(i64, int64_t, typeINT64, INT64_MIN, INT64_MAX)                                              \
    X(u64, uint64_t, typeUINT64, 0, UINT64_MAX)                                                   \
    X(size, size_t, typeSIZE, 0, UINT32_MAX)                                                      \
    X(ssize, ssize_t, typeSSIZE, INT32_MIN, INT32_MAX)                                            \
    X(diff, ptrdiff_t, typePTRDIFF, INT32_MIN, INT32_MAX)                                         \
    X(ip, intptr_t, typeINTPTR, INT32_MIN, INT32_MAX)                                             \
    X(up, uintptr_t, typeUINTPTR, 0, UINT32_MAX)                                                  \
    X(w, wchar_t, typeWCHAR, 0, 0x10ffff)                                                         \
    X(t, time_t, typeTIME, INT32_MIN, INT32_MAX)                                                  \
    X(off, as_long, typeOFF, INT32_MIN, INT32_MAX)                                                \
    X(e, enum colour, typeENUM, RED, BLUE)

#define EACH 6

#define FIELD(name, type, number, lo, hi) type name[EACH];
static struct ints { INTS(FIELD) } ints;

#define ONE(name, type, number, lo, hi) +1
#define DESC(name, type, number, lo, hi) typeARRAY, EACH, number,
static const int ints_desc[] = {-(0 INTS(ONE)), INTS(DESC)};
#define NAME(name, type, number, lo, hi) #name,
static const char *const ints_names[] = {INTS(NAME) NULL};

static hmf_status_t ints_add(hmf_state_t *s)
{
    return hmf_state_add(s, "ints", &ints, sizeof ints, ints_desc, HETERO_LEN(ints_desc),
                         ints_names);
}

/* The k-th value of a type from lo to hi. */
#define PICK(type, lo, hi, k)                                                                     \
    ((k) == 0   ? (type)(lo)                                                                      \
     : (k) == 1 ? (type)(hi)                                                                      \
     : (k) == 2 ? (type)0                                                                         \
     : (k) == 3 ? (type)1                                                                         \
     : (k) == 4 ? (type)((hi) / 3)                                                                \
                : (type)((lo) / 3))

static void ints_fill(void)
{
#define FILL(name, type, number, lo, hi)                                                          \
    for (int k = 0; k < EACH; k++)                                                                \
        ints.name[k] = PICK(type, lo, hi, k);
    INTS(FILL)
}

static int ints_check(void)
{
    int bad = 0;
#define COMPARE(name, type, number, lo, hi)                                                       \
    for (int k = 0; k < EACH; k++)                                                                \
        HETERO_CHECK(ints.name[k] == PICK(type, lo, hi, k));
    INTS(COMPARE)
    return bad;
}

static void ints_poison(void)
{
    memset(&ints, 0x55, sizeof ints);
}

const struct hetero_case hetero_values = {"ints", ints_add, ints_fill, ints_check, ints_poison};

/* ---- floating point: by bits, so that no processor gets to quieten a NaN ---- */

static const uint32_t float_bits[] = {
    0, 0x80000000u, 0x3f800000u, 0xbf800000u, 1, 0x807fffffu /* subnormal */, 0x7f7fffffu,
    0x7f800000u, 0xff800000u /* infinite */, 0x7fc00000u, 0xffc12345u, 0x7fa00001u /* signalling */,
    0x7f800001u, 0x3dcccccdu};
static const uint64_t double_bits[] = {
    0, UINT64_C(1) << 63, UINT64_C(0x3ff0000000000000), 1, UINT64_C(0x800fffffffffffff),
    UINT64_C(0x7fefffffffffffff), UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000),
    UINT64_C(0x7ff8000000000000), UINT64_C(0xfff8123456789abc), UINT64_C(0x7ff4000000000001),
    UINT64_C(0x7ff0000000000001), UINT64_C(0x3fb999999999999a), UINT64_C(0x400921fb54442d18)};
/* Every format of long double has these exactly. */
static const long double ldoubles[] = {0, 1, -1, 0.5L, -0.375L, 123456789.25L, 0x1p-900L,
                                       -0x1.fffffffffffffp900L, 0x1.8p-60L, 0x1.0000000000001p0L};

static struct {
    float f[HETERO_LEN(float_bits)];
    double d[HETERO_LEN(double_bits)];
    long double ld[HETERO_LEN(ldoubles)];
    long double ldzero, ldinf, ldnan;
    float complex fc[3];
    double complex dc[3];
    long double complex ldc[2];
} fl;
static const int fl_desc[] = {
    -9, typeARRAY, HETERO_LEN(float_bits), typeFLOAT, typeARRAY, HETERO_LEN(double_bits), typeDOUBLE,
    typeARRAY, HETERO_LEN(ldoubles), typeLDOUBLE, typeLDOUBLE, typeLDOUBLE, typeLDOUBLE,
    typeARRAY, 3, typeFCOMPLEX, typeARRAY, 3, typeDCOMPLEX, typeARRAY, 2, typeLDCOMPLEX};
static const char *const fl_names[] = {"f", "d", "ld", "ldzero", "ldinf", "ldnan", "fc", "dc", "ldc",
                                       NULL};

static hmf_status_t fl_add(hmf_state_t *s)
{
    return hmf_state_add(s, "floats", &fl, sizeof fl, fl_desc, HETERO_LEN(fl_desc), fl_names);
}

static void fl_fill(void)
{
    memset(&fl, 0, sizeof fl);
    memcpy(fl.f, float_bits, sizeof fl.f);
    memcpy(fl.d, double_bits, sizeof fl.d);
    for (size_t k = 0; k < HETERO_LEN(ldoubles); k++)
        fl.ld[k] = ldoubles[k];
    fl.ldzero = -0.0L;
    fl.ldinf = -INFINITY;
    fl.ldnan = NAN;
    for (int k = 0; k < 3; k++) {
        memcpy((char *)&fl.fc[k], &float_bits[2 * k], 8);
        memcpy((char *)&fl.dc[k], &double_bits[2 * k + 1], 16);
    }
    ((long double *)fl.ldc)[0] = 1.5L;
    ((long double *)fl.ldc)[1] = -0.0L;
    ((long double *)fl.ldc)[2] = INFINITY;
    ((long double *)fl.ldc)[3] = 0x1p-60L;
}

static int fl_check(void)
{
    const long double *z = (const long double *)fl.ldc;
    int bad = 0;

    for (size_t k = 0; k < HETERO_LEN(float_bits); k++)
        HETERO_CHECK(!memcmp(&fl.f[k], &float_bits[k], 4));
    for (size_t k = 0; k < HETERO_LEN(double_bits); k++)
        HETERO_CHECK(!memcmp(&fl.d[k], &double_bits[k], 8));
    for (size_t k = 0; k < HETERO_LEN(ldoubles); k++)
        HETERO_CHECK(fl.ld[k] == ldoubles[k] && !signbit(fl.ld[k]) == !signbit(ldoubles[k]));
    HETERO_CHECK(fl.ldzero == 0 && signbit(fl.ldzero));
    HETERO_CHECK(isinf(fl.ldinf) && signbit(fl.ldinf));
    HETERO_CHECK(isnan(fl.ldnan));
    for (int k = 0; k < 3; k++) {
        HETERO_CHECK(!memcmp(&fl.fc[k], &float_bits[2 * k], 8));
        HETERO_CHECK(!memcmp(&fl.dc[k], &double_bits[2 * k + 1], 16));
    }
    HETERO_CHECK(z[0] == 1.5L && z[1] == 0 && signbit(z[1]) && isinf(z[2]) && z[3] == 0x1p-60L);
    return bad;
}

static void fl_poison(void)
{
    memset(&fl, 0x55, sizeof fl);
}

const struct hetero_case hetero_floats = {"floats", fl_add, fl_fill, fl_check, fl_poison};

/* ---- structs as compilers lay them out ---- */

enum { NATURAL_TYPE = 10100 };

struct inner { char c; double d; short s; };
struct __attribute__((packed)) packed { char c; double d; short s; int64_t q; };
struct aligned { char c; _Alignas(16) int i; char d; _Alignas(8) short s; };
/* Offsets as the compiler says: an over-aligned struct of which the description knows nothing. */
struct odd { char c; double d __attribute__((aligned(32))); int i; } __attribute__((aligned(64)));

static struct {
    char c;
    struct inner in[2][3];
    long l;
    struct packed p;
    struct aligned al;
    char text[7];
    unsigned char raw[5];
    int cache; /* transient */
    struct { struct { char x; int64_t q; } deep; char y; } nest;
    int last[2][2][3];
} st;
static struct odd odds[2];
static const int st_desc[] = {
    -10, typeCHAR, typeARRAY, 2, typeARRAY, 3, -3, typeCHAR, typeDOUBLE, typeSHORT, typeLONG,
    typePACKED, -4, typeCHAR, typeDOUBLE, typeSHORT, typeINT64,
    -4, typeCHAR, typeALIGNED, 16, typeINT, typeCHAR, typeALIGNED, 8, typeSHORT,
    typeFSTRING, 7, typeOPAQUE, 5, typeTRANSIENT, typeINT,
    -2, -2, typeCHAR, typeINT64, typeCHAR,
    typeARRAY, 2, typeARRAY, 2, typeARRAY, 3, typeINT};

static hmf_status_t st_add(hmf_state_t *s)
{
    static const int odd_desc[] = {-3, typeCHAR, typeDOUBLE, typeINT}, use[] = {NATURAL_TYPE};
    static const char *const names[] = {"c", "d", "i", NULL};
    static const size_t at[] = {offsetof(struct odd, c), offsetof(struct odd, d),
                                offsetof(struct odd, i)};
    static const struct hmf_type_layout layout = {sizeof(struct odd), _Alignof(struct odd), at, 3};
    hmf_status_t rc = hmf_type_define(NATURAL_TYPE, "odd", odd_desc, 4, names, &layout);

    if (rc == HMF_OK)
        rc = hmf_state_add(s, "odds", odds, sizeof odds, use, 1, NULL);
    return rc == HMF_OK
               ? hmf_state_add(s, "structs", &st, sizeof st, st_desc, HETERO_LEN(st_desc), NULL)
               : rc;
}

static void st_fill(void)
{
    memset(&st, 0, sizeof st);
    memset(odds, 0, sizeof odds);
    st.c = 'x';
    for (int i = 0; i < 6; i++)
        st.in[i / 3][i % 3] = (struct inner){(char)('a' + i), i / 8.0, (short)(-1000 * i)};
    st.l = -2000000000;
    st.p = (struct packed){'p', -0.125, 12345, -INT64_C(0x123456789abcdef)};
    st.al = (struct aligned){'a', 77777, 'b', -77};
    memcpy(st.text, "h\xc3\xa4llo", 7); /* bytes above 127 are the same bytes everywhere */
    memcpy(st.raw, "\1\2\3\4\xff", 5);
    st.cache = 99;
    st.nest.deep.x = 'q';
    st.nest.deep.q = INT64_MIN;
    st.nest.y = 'z';
    for (int i = 0; i < 12; i++)
        st.last[i / 6][i / 3 % 2][i % 3] = i * 1000003;
    for (int i = 0; i < 2; i++)
        odds[i] = (struct odd){(char)('A' + i), 1.0 / (i + 3), -i};
}

static int st_check(void)
{
    int bad = 0;

    HETERO_CHECK(st.c == 'x' && st.l == -2000000000);
    for (int i = 0; i < 6; i++) {
        const struct inner *in = &st.in[i / 3][i % 3];
        HETERO_CHECK(in->c == 'a' + i && in->d == i / 8.0 && in->s == -1000 * i);
    }
    HETERO_CHECK(st.p.c == 'p' && st.p.d == -0.125 && st.p.s == 12345 &&
                 st.p.q == -INT64_C(0x123456789abcdef));
    HETERO_CHECK(st.al.c == 'a' && st.al.i == 77777 && st.al.d == 'b' && st.al.s == -77);
    HETERO_CHECK(!memcmp(st.text, "h\xc3\xa4llo", 7) && !memcmp(st.raw, "\1\2\3\4\xff", 5));
    HETERO_CHECK(st.cache == 0);
    HETERO_CHECK(st.nest.deep.x == 'q' && st.nest.deep.q == INT64_MIN && st.nest.y == 'z');
    for (int i = 0; i < 12; i++)
        HETERO_CHECK(st.last[i / 6][i / 3 % 2][i % 3] == i * 1000003);
    for (int i = 0; i < 2; i++)
        HETERO_CHECK(odds[i].c == 'A' + i && odds[i].d == 1.0 / (i + 3) && odds[i].i == -i);
    return bad;
}

static void st_poison(void)
{
    memset(&st, 0x55, sizeof st);
    memset(odds, 0x55, sizeof odds);
}

const struct hetero_case hetero_structs = {"structs", st_add, st_fill, st_check, st_poison};

/* ---- too large for some ---- */

static struct { int i; long v[3]; } wide_long;
static struct { size_t n; uintptr_t u; } wide_size;
static long double wide_ldouble[2];

static hmf_status_t wide_long_add(hmf_state_t *s)
{
    static const int d[] = {-2, typeINT, typeARRAY, 3, typeLONG};
    static const char *const names[] = {"i", "v", NULL};

    return hmf_state_add(s, "wide_long", &wide_long, sizeof wide_long, d, 5, names);
}

static bool is_64(void)
{
    return sizeof(long) == 8;
}

static bool wide_long_fill(void)
{
    wide_long.v[0] = 1;
    wide_long.v[1] = -1;
    wide_long.v[2] = (long)(INT64_C(-5000000000) * (is_64() ? 1 : 0));
    return is_64();
}

static int wide_long_check(void)
{
    int bad = 0;
    HETERO_CHECK(wide_long.v[0] == 1 && wide_long.v[1] == -1);
    HETERO_CHECK(wide_long.v[2] == INT64_C(-5000000000));
    return bad;
}

static hmf_status_t wide_size_add(hmf_state_t *s)
{
    static const int d[] = {-2, typeSIZE, typeUINTPTR};
    static const char *const names[] = {"n", "u", NULL};

    return hmf_state_add(s, "wide_size", &wide_size, sizeof wide_size, d, 3, names);
}

static bool wide_size_fill(void)
{
    wide_size.n = UINT32_MAX;
    wide_size.u = (uintptr_t)(is_64() ? UINT64_C(4294967296) : 0);
    return is_64();
}

static int wide_size_check(void)
{
    int bad = 0;
    HETERO_CHECK(wide_size.n == UINT32_MAX && wide_size.u == UINT64_C(4294967296));
    return bad;
}

static hmf_status_t wide_ldouble_add(hmf_state_t *s)
{
    static const int d[] = {typeLDOUBLE};

    return hmf_state_add(s, "wide_ldouble", wide_ldouble, sizeof wide_ldouble, d, 1, NULL);
}

static bool long_exponent(void)
{
    return LDBL_MAX_EXP > DBL_MAX_EXP;
}

static long double huge_one(void)
{
    long double x = 1.5L;

    for (int i = 0; i < 12; i++) /* 2^4096; a constant would not compile everywhere */
        x = i ? x * x : 2;
    return x * x;
}

static bool wide_ldouble_fill(void)
{
    wide_ldouble[0] = -1;
    wide_ldouble[1] = huge_one();
    return long_exponent();
}

static int wide_ldouble_check(void)
{
    int bad = 0;
    HETERO_CHECK(wide_ldouble[0] == -1 && wide_ldouble[1] == huge_one());
    return bad;
}

const struct hetero_wide hetero_wides[] = {
    {"wide_long", "-5000000000", wide_long_add, wide_long_fill, is_64, wide_long_check},
    {"wide_size", "4294967296", wide_size_add, wide_size_fill, is_64, wide_size_check},
    {"wide_ldouble", "long double", wide_ldouble_add, wide_ldouble_fill, long_exponent,
     wide_ldouble_check},
};
const size_t hetero_nwides = HETERO_LEN(hetero_wides);
