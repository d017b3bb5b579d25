/* buf: what is written comes back; no read passes the end. */
#include "config.h"

#include "base.h"

#include "unit.h"

#include <string.h>

static void round_trip(void)
{
    struct hmf__buf b, r;

    hmf__buf_init(&b);
    hmf__buf_put_u8(&b, 1);
    hmf__buf_put_u16(&b, 0x1234);
    hmf__buf_put_u32(&b, 0xdeadbeef);
    hmf__buf_put_u64(&b, 0x0123456789abcdefull);
    hmf__buf_put_i32(&b, -5);
    hmf__buf_put_i64(&b, INT64_MIN);
    hmf__buf_put_string(&b, "hello");
    hmf__buf_put_string(&b, NULL);
    hmf__buf_put_bytes(&b, "xyz", 3);
    CU_ASSERT_EQUAL(b.status, HMF_OK);
    CU_ASSERT_EQUAL(b.data[1], 0x34);
    hmf__buf_borrow(&r, b.data, b.len);
    CU_ASSERT_EQUAL(hmf__buf_get_u8(&r), 1);
    CU_ASSERT_EQUAL(hmf__buf_get_u16(&r), 0x1234);
    CU_ASSERT_EQUAL(hmf__buf_get_u32(&r), 0xdeadbeef);
    CU_ASSERT_EQUAL(hmf__buf_get_u64(&r), 0x0123456789abcdefull);
    CU_ASSERT_EQUAL(hmf__buf_get_i32(&r), -5);
    CU_ASSERT_EQUAL(hmf__buf_get_i64(&r), INT64_MIN);
    char *s = hmf__buf_get_string(&r, 5);
    CU_ASSERT_STRING_EQUAL(s, "hello");
    hmf__free(s);
    s = hmf__buf_get_string(&r, 5);
    CU_ASSERT_STRING_EQUAL(s, "");
    hmf__free(s);
    CU_ASSERT_EQUAL(hmf__buf_left(&r), 3);
    CU_ASSERT_EQUAL(memcmp(hmf__buf_get_bytes(&r, 3), "xyz", 3), 0);
    CU_ASSERT_EQUAL(r.status, HMF_OK);
    CU_ASSERT_EQUAL(hmf__buf_get_u8(&r), 0);
    CU_ASSERT_EQUAL(r.status, HMF_ERR_FORMAT);
    CU_ASSERT_EQUAL(hmf__buf_left(&r), 0);
    hmf__buf_fini(&b);
}

static void every_cut_is_an_error(void)
{
    struct hmf__buf b, r;

    hmf__buf_init(&b);
    hmf__buf_put_u32(&b, 77);
    hmf__buf_put_string(&b, "abc");
    for (size_t n = 0; n < b.len; n++) {
        unsigned char *exact = malloc(n ? n : 1); /* so that a sanitizer sees a read too far */
        memcpy(exact, b.data, n);
        hmf__buf_borrow(&r, exact, n);
        hmf__buf_get_u32(&r);
        char *s = hmf__buf_get_string(&r, 100);
        CU_ASSERT_PTR_NULL(s);
        CU_ASSERT_EQUAL(r.status, HMF_ERR_FORMAT);
        free(exact);
    }
    hmf__buf_borrow(&r, b.data, b.len);
    hmf__buf_get_u32(&r);
    CU_ASSERT_PTR_NULL(hmf__buf_get_string(&r, 2));
    hmf__buf_fini(&b);
    hmf__buf_init(&b);
    hmf__buf_put_u32(&b, 2);
    hmf__buf_put_bytes(&b, "a", 2);
    hmf__buf_borrow(&r, b.data, b.len);
    CU_ASSERT_PTR_NULL(hmf__buf_get_string(&r, 2));
    CU_ASSERT_EQUAL(r.status, HMF_ERR_FORMAT);
    hmf__buf_fini(&b);
}

static void no_memory(void)
{
    struct hmf__buf b;
    size_t n;

    hmf__buf_init(&b);
    hmf__alloc_fail_at(1);
    hmf__buf_put_u32(&b, 1);
    hmf__alloc_fail_at(0);
    CU_ASSERT_EQUAL(b.status, HMF_ERR_NOMEM);
    hmf__buf_put_u32(&b, 1);
    CU_ASSERT_EQUAL(b.len, 0);
    CU_ASSERT_PTR_NULL(hmf__buf_take(&b, &n));
    hmf__buf_fini(&b);
    hmf__buf_init(&b);
    unsigned char *p = hmf__buf_take(&b, &n);
    CU_ASSERT_PTR_NOT_NULL(p);
    CU_ASSERT_EQUAL(n, 0);
    hmf__free(p);
}

static const struct unit_test tests[] = {
    {"round trip", round_trip},
    {"every cut is an error", every_cut_is_an_error},
    {"no memory", no_memory},
};

UNIT_MAIN("buf", tests)
