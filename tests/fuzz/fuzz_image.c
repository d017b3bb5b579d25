/* Fuzzer over everything that reads bytes of others: descriptions, metas, streams.
 *
 * The first byte says which.  For metas and streams the checksums are made right first, so that
 * what is behind them is reached.  With -DFUZZ_MAIN it is a program that runs files (the
 * regression test) or mutates them by itself for a number of runs:
 *     fuzz_image FILE...        fuzz_image -n RUNS FILE...
 * else an entry for libFuzzer (clang -fsanitize=fuzzer,address,undefined).
 */
#include "config.h"

#include "base.h"
#include "check_value.h"
#include "golden.h"
#include "golden2.h"
#include "hmf/type.h"
#include "stream.h"

#include <stdio.h>

enum { MAX_INTS = 4096 };

static struct golden golden;
static struct golden2 golden2;

static void put_crc(unsigned char *p, uint32_t crc)
{
    for (int k = 0; k < 4; k++)
        p[k] = (unsigned char)(crc >> (8 * k));
}

static uint64_t get_number(const unsigned char *p, int bytes)
{
    uint64_t v = 0;

    while (bytes--)
        v = v << 8 | p[bytes];
    return v;
}

static void mend_meta(unsigned char *p, size_t len)
{
    if (len < 20)
        return;
    memcpy(p, "HMFIMAGE", 8);
    memcpy(p + 8, p[8] == 1 ? "\1\0\0\0" : "\2\0\0\0", 4);
    put_crc(p + 12, (uint32_t)len);
    put_crc(p + len - 4, hmf__crc32c(0, p, len - 4));
}

static void mend_stream(unsigned char *p, size_t len)
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
    put_crc(p + 12, (uint32_t)hmf_meta_nsegments(m));
    for (size_t i = 0; i < hmf_meta_nsegments(m); i++) {
        uint64_t n = hmf_meta_segment(m, i)->bytes;
        if (hmf__buf_left(&b) < 12 || n > hmf__buf_left(&b) - 12)
            break;
        put_crc(b.data + b.pos, (uint32_t)n);
        put_crc(b.data + b.pos + 4, (uint32_t)(n >> 32));
        put_crc(b.data + b.pos + 8 + n, hmf__crc32c(0, b.data + b.pos + 8, (size_t)n));
        b.pos += 12 + (size_t)n;
    }
    if (hmf__buf_left(&b) >= 4)
        memcpy(b.data + b.pos, "HEND", 4);
    hmf_meta_free(m);
}

static void try_description(const unsigned char *p, size_t len)
{
    static int desc[MAX_INTS];
    size_t n = 0, size;

    for (; len >= 2 && n < MAX_INTS; n++, p += 2, len -= 2) { /* 16 bits reach all words */
        int16_t v = (int16_t)get_number(p, 2);
        desc[n] = v == 0x7fff ? INT32_MAX : v == -0x7fff ? INT32_MIN : v;
    }
    if (hmf_type_check(desc, n, &size) != HMF_OK)
        return;
    struct hmf__types t;
    struct hmf__buf out = HMF__BUF_INIT;
    uint32_t id;
    char text[100];
    hmf__types_init(&t, NULL);
    if (hmf__types_compile(&t, desc, n, NULL, &id) == HMF_OK &&
        hmf__types_classes(&t) == HMF_OK) {
        hmf__types_describe(&t, id, &out);
        hmf__type_text(&t, id, text, sizeof text);
        hmf__layout_path(&t, id, NULL, size / 2, 0, text, sizeof text);
        hmf__layout_offset(&t, id, t.v[id].nleaves / 2);
    }
    hmf__buf_fini(&out);
    hmf__types_fini(&t);
}

static void no_pointer(void *ctx, uint64_t slot, char *text, size_t len)
{
    (void)ctx;
    snprintf(text, len, "%llu", (unsigned long long)slot);
}

/* What inspects checkpoints must stand any types and any values. */
static void try_values(const hmf_meta_t *m, const unsigned char *bytes, size_t len)
{
    const struct hmf__types *t = hmf_meta_types(m);
    char text[500];

    for (size_t i = 0; i < hmf_meta_ntables(m); i++) {
        uint32_t id = hmf_meta_table(m, i)->type;
        if (t->v[id].size > 1 << 16)
            continue;
        unsigned char *row = malloc((size_t)t->v[id].size);
        for (uint64_t k = 0; k < t->v[id].size; k++)
            row[k] = bytes[k % len];
        hmf__value_text(t, id, row, no_pointer, NULL, text, sizeof text);
        hmf__layout_path(t, id, row, t->v[id].size / 3, 0, text, sizeof text);
        hmf__layout_leaf_path(t, id, t->v[id].nleaves / 2, text, sizeof text);
        free(row);
    }
}

static void try_stream(unsigned char *p, size_t len, bool second)
{
    struct hmf__buf b;
    hmf_state_t *s;

    mend_stream(p, len);
    if (hmf_state_new(&s) != HMF_OK)
        return;
    memset(&golden, 0, sizeof golden);
    memset(&golden2, 0, sizeof golden2);
    if ((second ? golden2_register(s, &golden2) : golden_register(s, &golden)) == HMF_OK) {
        hmf__buf_borrow(&b, p, len);
        (void)hmf__stream_read(s, len, hmf__stream_get_buf, &b);
    }
    hmf_state_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hmf_meta_t *m;

    if (!size)
        return 0;
    unsigned char *copy = malloc(size); /* exact: a read too far is seen */
    memcpy(copy, data, size);
    switch (copy[0] % 4) {
    case 0:
        try_description(copy + 1, size - 1);
        break;
    case 1:
        mend_meta(copy + 1, size - 1);
        if (hmf_meta_parse(copy + 1, size - 1, &m) == HMF_OK) {
            try_values(m, copy + 1, size - 1);
            hmf_meta_free(m);
        }
        break;
    default:
        try_stream(copy + 1, size - 1, copy[0] % 4 == 3);
    }
    free(copy);
    return 0;
}

#ifdef FUZZ_MAIN
static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void mutate(unsigned char *p, size_t *len, size_t room)
{
    for (uint64_t n = 1 + rnd() % 4; n; n--) {
        size_t at = rnd() % *len;
        switch (rnd() % 6) {
        case 0:
            p[at] ^= (unsigned char)(1 << rnd() % 8);
            break;
        case 1:
            p[at] = (unsigned char)rnd();
            break;
        case 2:
            for (size_t k = 0; k < 4 && at + k < *len; k++)
                p[at + k] = rnd() % 2 ? 0xff : 0;
            break;
        case 3: /* a small number */
            p[at] = (unsigned char)(rnd() % 24);
            break;
        case 4:
            if (*len > 8)
                *len -= rnd() % 8;
            break;
        default:
            if (*len + 8 < room) {
                memmove(p + at + 4, p + at, *len - at);
                *len += 4;
            }
        }
    }
}

int main(int argc, char **argv)
{
    enum { ROOM = 1 << 16 };
    static unsigned char original[ROOM], work[ROOM];
    long runs = 0;
    int first = 1;

    if (argc > 2 && !strcmp(argv[1], "-n")) {
        runs = strtol(argv[2], NULL, 10);
        first = 3;
    }
    if (getenv("HMF_SEED"))
        seed = strtoull(getenv("HMF_SEED"), NULL, 10) | 1;
    for (int i = first; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) {
            perror(argv[i]);
            return 1;
        }
        size_t n = fread(original, 1, ROOM, f);
        fclose(f);
        if (!n)
            continue;
        LLVMFuzzerTestOneInput(original, n);
        for (long k = 0; k < runs; k++) {
            size_t len = n;
            memcpy(work, original, n);
            mutate(work, &len, ROOM);
            LLVMFuzzerTestOneInput(work, len);
        }
    }
    printf("%d files, %ld runs on each\n", argc - first, runs);
    return 0;
}
#endif
