/* XDR: bytes as RFC 4506 says, there and back over memory, files and pipes; lengths, ranges,
 * padding and ends that are wrong; the same bytes as libtirpc makes, where it is installed. */
#include "config.h"

#include "base.h"
#include "hmf/xdr.h"
#include "typemap.h"

#include "unit.h"

#include <complex.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_TIRPC
#include <rpc/rpc.h>
#endif

static unsigned char bytes[1 << 16];

/* Encode n values and compare with bytes written as hex; then decode them into `back`. */
static void vector(int type, const void *values, void *back, size_t size, size_t n,
                   const char *hex)
{
    hmf_xdr_t *x;
    size_t len = strlen(hex) / 2;

    memset(bytes, 0xaa, sizeof bytes);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_memory(HMF_XDR_ENCODE, bytes, len, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_values(x, type, (void *)values, n), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_position(x), len);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    for (size_t i = 0; i < len; i++) {
        unsigned b;
        sscanf(hex + 2 * i, "%2x", &b);
        if (bytes[i] != b)
            printf("\ntype %d, byte %zu: %02x, not %02x", type, i, bytes[i], b);
        CU_ASSERT_EQUAL(bytes[i], b);
    }
    memset(back, 0x55, size * n);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_memory(HMF_XDR_DECODE, bytes, len, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_values(x, type, back, n), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
}

#define VECTOR(type, c, hex, ...)                                                                 \
    do {                                                                                          \
        c in[] = {__VA_ARGS__}, out[sizeof in / sizeof *in];                                      \
        vector(type, in, out, sizeof *in, sizeof in / sizeof *in, hex);                           \
        for (size_t i = 0; i < sizeof in / sizeof *in; i++)                                       \
            CU_ASSERT(out[i] == in[i]);                                                           \
    } while (0)

/* The definitions of RFC 4506, sections 4.1 to 4.8, written out by hand. */
static void rfc_vectors(void)
{
    VECTOR(typeINT, int, "0000000000000001ffffffff7fffffff80000000ff00ff01", 0, 1, -1, INT_MAX,
           INT_MIN, -16711935);
    VECTOR(typeUINT, unsigned, "00000000ffffffff0000002a", 0, 4294967295u, 42);
    VECTOR(typeSHORT, short, "00007fffffff8000ffffffff", 32767, -32768, -1);
    VECTOR(typeUSHORT, unsigned short, "0000ffff00000000", 65535, 0);
    VECTOR(typeSCHAR, signed char, "ffffff800000007f", -128, 127);
    VECTOR(typeUCHAR, unsigned char, "000000ff", 255);
    VECTOR(typeCHAR, char, "00000041", 'A');
    VECTOR(typeBOOL, bool, "0000000100000000", true, false);
    VECTOR(typeENUM, int, "fffffffe", -2);
    VECTOR(typeINT64, int64_t, "80000000000000007fffffffffffffffffffffffffffffff0123456789abcdef",
           INT64_MIN, INT64_MAX, -1, 0x0123456789abcdef);
    VECTOR(typeUINT64, uint64_t, "ffffffffffffffff", UINT64_MAX);
    VECTOR(typeLONG, long, "ffffffffffffffff000000007fffffff", -1, 2147483647);
    VECTOR(typeULONG, unsigned long, "00000000ffffffff", 4294967295u);
    VECTOR(typeSIZE, size_t, "0000000000000003", 3);
    VECTOR(typeFLOAT, float, "3f8000008000000040490fdb007fffff7f800000", 1, -0.0f, 3.14159274f,
           1.17549421e-38f, INFINITY);
    VECTOR(typeDOUBLE, double, "3ff00000000000008000000000000000400921fb54442d180000000000000001"
           "fff0000000000000", 1, -0.0, 3.141592653589793, 4.9406564584124654e-324, -INFINITY);
    /* 4.8: sign, 15 bits of exponent with bias 16383, 112 bits of fraction */
    VECTOR(typeLDOUBLE, long double, "3fff0000000000000000000000000000"
           "c000800000000000000000000000000080000000000000000000000000000000", 1, -3, -0.0L);
    VECTOR(typeDCOMPLEX, double complex, "3ff00000000000004000000000000000", 1 + 2 * I);
    CU_ASSERT_EQUAL(hmf_xdr_size_of(typeLDCOMPLEX), 32);
    CU_ASSERT_EQUAL(hmf_xdr_size_of(typePOINTER), 0);
}

static void bits_survive(void)
{
    uint64_t nan = 0x7ff4dead0000beefu, back = 0;
    double a, b;
    hmf_xdr_t *x;

    memcpy(&a, &nan, 8);
    hmf_xdr_memory(HMF_XDR_ENCODE, bytes, 8, &x);
    hmf_xdr_double(x, &a);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    hmf_xdr_memory(HMF_XDR_DECODE, bytes, 8, &x);
    hmf_xdr_double(x, &b);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    memcpy(&back, &b, 8);
    CU_ASSERT_EQUAL(back, nan);
}

/* ---- a program's types ---- */

struct item {
    struct item *next;
    int value;
};

struct body {
    char *name;
    char text;
    short s;
    long big;
    unsigned char sum[5];
    void *blob;
    size_t nblob;
    double *place;
    size_t nplace;
    struct item *items;
    struct body *parts;
    size_t nparts;
    int which;
    union { int i; float f; } u;
};

static hmf_status_t item(hmf_xdr_t *x, void *p)
{
    struct item *it = p;
    void *next = it->next;

    hmf_xdr_int(x, &it->value);
    hmf_xdr_optional(x, &next, sizeof *it, item);
    it->next = next;
    return hmf_xdr_status(x);
}

static hmf_status_t arm_int(hmf_xdr_t *x, void *p)
{
    return hmf_xdr_int(x, p);
}

static hmf_status_t arm_float(hmf_xdr_t *x, void *p)
{
    return hmf_xdr_float(x, p);
}

static hmf_status_t body(hmf_xdr_t *x, void *p)
{
    static const struct hmf_xdr_arm arms[] = {{1, arm_int}, {2, arm_float}, {3, NULL}};
    struct body *b = p;
    void *items = b->items, *parts = b->parts, *place = b->place;

    hmf_xdr_string(x, &b->name, 20);
    hmf_xdr_char(x, &b->text);
    hmf_xdr_short(x, &b->s);
    hmf_xdr_long(x, &b->big);
    hmf_xdr_opaque(x, b->sum, sizeof b->sum);
    hmf_xdr_bytes(x, &b->blob, &b->nblob, 100000);
    hmf_xdr_value_array(x, typeDOUBLE, &place, &b->nplace, 100000);
    b->place = place;
    hmf_xdr_optional(x, &items, sizeof *b->items, item);
    b->items = items;
    hmf_xdr_array(x, &parts, &b->nparts, 10, sizeof *b->parts, body);
    b->parts = parts;
    return hmf_xdr_union(x, &b->which, &b->u, arms, 3, NULL);
}

static struct item chain[] = {{&chain[1], 1}, {&chain[2], -2}, {NULL, 3}};
static double places[30000];
static unsigned char blob[70001];
static struct body parts[] = {{.name = "a", .which = 3}, {.name = "", .which = 1, .u.i = -9}};
static struct body whole = {.name = "whole", .text = 'x', .s = -3, .big = LONG_MIN,
                            .sum = {1, 2, 3, 4, 5}, .blob = blob, .nblob = sizeof blob,
                            .place = places, .nplace = 30000, .items = chain, .parts = parts,
                            .nparts = 2, .which = 2, .u.f = 1.5f};

static void fill(void)
{
    for (int i = 0; i < 30000; i++)
        places[i] = i / 7.0;
    for (size_t i = 0; i < sizeof blob; i++)
        blob[i] = (unsigned char)(i * 37);
}

static bool same(const struct body *a, const struct body *b)
{
    const struct item *p = a->items, *q = b->items;

    for (; p && q; p = p->next, q = q->next)
        if (p->value != q->value)
            return false;
    if (p || q || strcmp(a->name, b->name) || a->text != b->text || a->s != b->s ||
        a->big != b->big || memcmp(a->sum, b->sum, sizeof a->sum) || a->nblob != b->nblob ||
        (a->nblob && memcmp(a->blob, b->blob, a->nblob)) || a->nplace != b->nplace ||
        (a->nplace && memcmp(a->place, b->place, a->nplace * sizeof *a->place)) ||
        a->nparts != b->nparts || a->which != b->which ||
        (a->which == 1 && a->u.i != b->u.i) || (a->which == 2 && a->u.f != b->u.f))
        return false;
    for (size_t i = 0; i < a->nparts; i++)
        if (!same(&a->parts[i], &b->parts[i]))
            return false;
    return true;
}

static void *encoded(size_t *len)
{
    hmf_xdr_t *x;
    void *out = NULL;

    fill();
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_buffer(&x), HMF_OK);
    CU_ASSERT_EQUAL(body(x, &whole), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_take(x, &out, len), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    return out;
}

static void memory(void)
{
    size_t len;
    void *data = encoded(&len), *exact;
    struct body back = {0};
    hmf_xdr_t *x;

    CU_ASSERT_EQUAL(len % 4, 0);
    hmf_xdr_memory(HMF_XDR_DECODE, data, len, &x);
    CU_ASSERT_EQUAL(body(x, &back), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_position(x), len);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    CU_ASSERT(same(&whole, &back));
    CU_ASSERT_EQUAL(hmf_xdr_release(body, &back), HMF_OK);
    CU_ASSERT_PTR_NULL(back.parts);
    CU_ASSERT_PTR_NULL(back.items);
    /* into memory that is too small, and from data that are cut anywhere */
    for (size_t n = 0; n < len; n += n < 200 || n + 200 > len ? 4 : 5000) {
        exact = malloc(n ? n : 1);
        hmf_xdr_memory(HMF_XDR_ENCODE, exact, n, &x);
        CU_ASSERT_EQUAL(body(x, &whole), HMF_ERR_LIMIT);
        CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_ERR_LIMIT);
        memcpy(exact, data, n);
        memset(&back, 0, sizeof back);
        hmf_xdr_memory(HMF_XDR_DECODE, exact, n, &x);
        CU_ASSERT_EQUAL(body(x, &back), HMF_ERR_FORMAT);
        CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_ERR_FORMAT);
        CU_ASSERT_EQUAL(hmf_xdr_release(body, &back), HMF_OK);
        free(exact);
    }
    free(data);
}

/* Any word changed: a value or an error, and nothing lost. */
static void hostile(void)
{
    static const uint32_t words[] = {0xffffffff, 0x7fffffff, 0x80000000, 2, 0x00010000};
    size_t len;
    unsigned char *data = encoded(&len), save[4];
    hmf_xdr_t *x;

    for (size_t at = 0; at < len; at += at < 100 || at + 300 > len ? 4 : 10000)
        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
            struct body back = {0};
            memcpy(save, data + at, 4);
            memcpy(data + at, &words[k], 4);
            hmf_xdr_memory(HMF_XDR_DECODE, data, len, &x);
            body(x, &back);
            hmf_xdr_close(x);
            CU_ASSERT_EQUAL(hmf_xdr_release(body, &back), HMF_OK);
            memcpy(data + at, save, 4);
        }
    free(data);
}

static void files(void)
{
    struct body back = {0};
    FILE *f = tmpfile();
    hmf_xdr_t *x;
    size_t len;

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    free(encoded(&len));
    fputs("before:", f);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_file(HMF_XDR_ENCODE, f, &x), HMF_OK);
    CU_ASSERT_EQUAL(body(x, &whole), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    fputs("behind", f);
    CU_ASSERT_EQUAL(ftell(f), (long)len + 13);
    fseek(f, 7, SEEK_SET);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_file(HMF_XDR_DECODE, f, &x), HMF_OK);
    CU_ASSERT_EQUAL(body(x, &back), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    CU_ASSERT(same(&whole, &back));
    hmf_xdr_release(body, &back);
    CU_ASSERT_EQUAL(fgetc(f), 'b');
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_file(HMF_XDR_DECODE, f, &x), HMF_OK);
    CU_ASSERT_EQUAL(body(x, &back), HMF_ERR_LIMIT); /* "ehin" is no length that is allowed */
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_ERR_LIMIT);
    fclose(f);
}

/* A descriptor: only what belongs to the data is read; nothing comes; nobody is there. */
static void descriptors(void)
{
    int fd[2], v = 77, back = 0;
    char c = 0;
    hmf_xdr_t *x;
    size_t len;
    void *data = encoded(&len);
    struct body b = {0};
    char name[] = "xdr.XXXXXX";

    CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_fd(HMF_XDR_ENCODE, fd[1], 5, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_int(x, &v), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    CU_ASSERT_EQUAL(write(fd[1], "z", 1), 1);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_fd(HMF_XDR_DECODE, fd[0], 5, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_int(x, &back), HMF_OK);
    CU_ASSERT_EQUAL(back, 77);
    CU_ASSERT_EQUAL(read(fd[0], &c, 1), 1);
    CU_ASSERT_EQUAL(c, 'z');
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_fd(HMF_XDR_DECODE, fd[0], 0.01, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_int(x, &back), HMF_ERR_TIMEOUT);
    hmf_xdr_close(x);
    close(fd[0]);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_fd(HMF_XDR_ENCODE, fd[1], 5, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_int(x, &v), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_ERR_IO); /* and no SIGPIPE */
    close(fd[1]);

    fd[0] = mkstemp(name);
    CU_ASSERT_FATAL(fd[0] >= 0);
    unlink(name);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_fd(HMF_XDR_ENCODE, fd[0], -1, &x), HMF_OK);
    CU_ASSERT_EQUAL(body(x, &whole), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    CU_ASSERT_EQUAL(lseek(fd[0], 0, SEEK_CUR), (off_t)len);
    lseek(fd[0], 0, SEEK_SET);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_fd(HMF_XDR_DECODE, fd[0], -1, &x), HMF_OK);
    CU_ASSERT_EQUAL(body(x, &b), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_int(x, &v), HMF_ERR_FORMAT);
    hmf_xdr_close(x);
    CU_ASSERT(same(&whole, &b));
    hmf_xdr_release(body, &b);
    close(fd[0]);
    free(data);
}

/* Decode words into something and want that status. */
static void want(hmf_status_t status, hmf_status_t (*decode)(hmf_xdr_t *x), const char *hex)
{
    hmf_xdr_t *x;
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++) {
        unsigned b;
        sscanf(hex + 2 * i, "%2x", &b);
        bytes[i] = (unsigned char)b;
    }
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_memory(HMF_XDR_DECODE, bytes, len, &x), HMF_OK);
    hmf_status_t got = decode(x);
    if (got != status)
        printf("\n%s: %s (%s)", hex, hmf_status_name(got), hmf_error_text());
    CU_ASSERT_EQUAL(got, status);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), status);
}

static hmf_status_t as_short(hmf_xdr_t *x)
{
    short v;
    return hmf_xdr_short(x, &v);
}

static hmf_status_t as_char(hmf_xdr_t *x)
{
    char v;
    return hmf_xdr_char(x, &v);
}

static hmf_status_t as_bool(hmf_xdr_t *x)
{
    int v;
    return hmf_xdr_bool(x, &v);
}

static hmf_status_t as_string(hmf_xdr_t *x)
{
    char *s = NULL;
    hmf_status_t rc = hmf_xdr_string(x, &s, 5);
    free(s);
    return rc;
}

static hmf_status_t as_opaque(hmf_xdr_t *x)
{
    char c[3];
    return hmf_xdr_opaque(x, c, 3);
}

static hmf_status_t nothing(hmf_xdr_t *x, void *p)
{
    (void)p;
    return hmf_xdr_status(x);
}

static hmf_status_t as_nothings(hmf_xdr_t *x)
{
    void *p = NULL;
    size_t n = 0;
    hmf_status_t rc = hmf_xdr_array(x, &p, &n, SIZE_MAX, 100, nothing);
    free(p);
    return rc;
}

static hmf_status_t as_union(hmf_xdr_t *x)
{
    static const struct hmf_xdr_arm arms[] = {{7, NULL}};
    int which;
    return hmf_xdr_union(x, &which, NULL, arms, 1, NULL);
}

static void refusals(void)
{
    want(HMF_OK, as_short, "ffff8000");
    want(HMF_ERR_RANGE, as_short, "00008000");
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "32768"));
    want(HMF_OK, as_char, "ffffff80");
    want(HMF_OK, as_char, "000000ff");
    want(HMF_ERR_RANGE, as_char, "00000100");
    want(HMF_ERR_RANGE, as_bool, "00000002");
    want(HMF_OK, as_string, "0000000568656c6c6f000000");
    want(HMF_ERR_FORMAT, as_string, "0000000568656c6c6f000001");
    want(HMF_ERR_FORMAT, as_string, "0000000568650a006f000000");
    want(HMF_ERR_LIMIT, as_string, "0000000668656c6c6f6f0000");
    want(HMF_ERR_FORMAT, as_string, "00000005686500");
    want(HMF_ERR_FORMAT, as_opaque, "01020304");
    want(HMF_OK, as_opaque, "01020300");
    want(HMF_ERR_LIMIT, as_nothings, "ffffffff");
    want(HMF_OK, as_union, "00000007");
    want(HMF_ERR_RANGE, as_union, "00000008");

    hmf_xdr_t *x;
    int v = 1;
    CU_ASSERT_EQUAL(hmf_xdr_file(HMF_XDR_ENCODE, NULL, &x), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_xdr_fd(HMF_XDR_RELEASE, 0, 1, &x), HMF_ERR_ARG);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_memory(HMF_XDR_ENCODE, bytes, 8, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_values(x, 99, &v, 1), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_xdr_int(x, &v), HMF_ERR_ARG); /* errors stay */
    hmf_xdr_close(x);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_memory(HMF_XDR_ENCODE, bytes, 8, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_refuse(x, HMF_ERR_TYPE, "no such thing"), HMF_ERR_TYPE);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_ERR_TYPE);
    CU_ASSERT_EQUAL(hmf_xdr_close(NULL), HMF_OK);
}

/* A list of a million by recursion would end a program with the default stack; here it is told. */
static void deep(void)
{
    enum { N = 1 << 20 };
    struct item *many = calloc(N, sizeof *many), *back = NULL;
    void *p = many;
    hmf_xdr_t *x;

    for (int i = 0; i + 1 < N; i++)
        many[i].next = &many[i + 1];
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_buffer(&x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_optional(x, &p, sizeof *many, item), HMF_ERR_LIMIT);
    hmf_xdr_close(x);
    many[HMF_XDR_DEPTH - 2].next = NULL; /* and the NULL behind it */
    void *data;
    size_t len;
    hmf_xdr_buffer(&x);
    CU_ASSERT_EQUAL(hmf_xdr_optional(x, &p, sizeof *many, item), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_take(x, &data, &len), HMF_OK);
    hmf_xdr_close(x);
    hmf_xdr_memory(HMF_XDR_DECODE, data, len, &x);
    p = back;
    CU_ASSERT_EQUAL(hmf_xdr_optional(x, &p, sizeof *many, item), HMF_OK);
    hmf_xdr_close(x);
    CU_ASSERT_EQUAL(hmf_xdr_release(item, p), HMF_OK);
    free(p);
    free(data);
    free(many);
}

/* Each allocation fails once: an error, and nothing is lost. */
static void no_memory(void)
{
    size_t len;
    void *data = encoded(&len);

    for (long n = 1; n < 60; n++) {
        struct body back = {0};
        hmf_xdr_t *x;
        hmf__alloc_fail_at(n);
        if (hmf_xdr_memory(HMF_XDR_DECODE, data, len, &x) == HMF_OK) {
            body(x, &back);
            hmf_xdr_close(x);
        }
        hmf__alloc_fail_at(0);
        hmf_xdr_release(body, &back);
    }
    free(data);
}

static void tirpc(void)
{
#ifdef HAVE_TIRPC
    XDR other;
    unsigned char theirs[256], ours[256];
    int i = -5, yes = 1;
    short s = -7;
    unsigned u = 4000000000u;
    int64_t h = -123456789012345;
    float f = -1.25f;
    double d = 3.3, v[3] = {1, -2, 1e300};
    char *text = "seven b", op[5] = {1, 2, 3, 4, 5}, c = -3;
    hmf_xdr_t *x;

    memset(theirs, 0, sizeof theirs);
    memset(ours, 0, sizeof ours);
    xdrmem_create(&other, (char *)theirs, sizeof theirs, XDR_ENCODE);
    CU_ASSERT(xdr_int(&other, &i) && xdr_short(&other, &s) && xdr_u_int(&other, &u) &&
              xdr_int64_t(&other, &h) && xdr_float(&other, &f) && xdr_double(&other, &d) &&
              xdr_bool(&other, &yes) && xdr_char(&other, &c) && xdr_string(&other, &text, 99) &&
              xdr_opaque(&other, op, 5) &&
              xdr_vector(&other, (char *)v, 3, sizeof *v, (xdrproc_t)xdr_double));
    hmf_xdr_memory(HMF_XDR_ENCODE, ours, sizeof ours, &x);
    hmf_xdr_int(x, &i);
    hmf_xdr_short(x, &s);
    hmf_xdr_uint(x, &u);
    hmf_xdr_int64(x, &h);
    hmf_xdr_float(x, &f);
    hmf_xdr_double(x, &d);
    hmf_xdr_bool(x, &yes);
    hmf_xdr_char(x, &c);
    hmf_xdr_string(x, &text, 99);
    hmf_xdr_opaque(x, op, 5);
    hmf_xdr_values(x, typeDOUBLE, v, 3);
    CU_ASSERT_EQUAL(hmf_xdr_position(x), xdr_getpos(&other));
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    CU_ASSERT_EQUAL(memcmp(ours, theirs, sizeof ours), 0);
    xdr_destroy(&other);
#else
    printf("(libtirpc is not installed: not compared with it) ");
#endif
}

static const struct unit_test tests[] = {
    {"vectors after RFC 4506", rfc_vectors},
    {"all bits survive", bits_survive},
    {"memory, cut anywhere", memory},
    {"changed bytes", hostile},
    {"files", files},
    {"descriptors", descriptors},
    {"refusals", refusals},
    {"deep lists", deep},
    {"every allocation fails", no_memory},
    {"as libtirpc", tirpc},
};

UNIT_MAIN("xdr", tests)
