/* Fuzzer over everything that reads bytes of others: descriptions, metas, streams.
 *
 * The first byte says which.  For metas and streams the checksums are made right first, so that
 * what is behind them is reached.  With -DFUZZ_MAIN it is a program of its own (fuzz_main.h), else
 * an entry for libFuzzer (clang -fsanitize=fuzzer,address,undefined).
 */
#include "config.h"

#include "base.h"
#include "check_value.h"
#include "golden.h"
#include "golden2.h"
#include "golden3.h"
#include "hmf/type.h"
#include "mend.h"
#include "restored.h"
#include "stream.h"

#include <stdio.h>

enum { MAX_INTS = 4096 };

static struct golden golden;
static struct golden2 golden2;
static struct golden3 golden3;

static void try_description(const unsigned char *p, size_t len)
{
    static int desc[MAX_INTS];
    size_t n = 0, size;

    for (; len >= 2 && n < MAX_INTS; n++, p += 2, len -= 2) { /* 16 bits reach all words */
        int16_t v = (int16_t)mend_get(p, 2);
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

static void try_stream(unsigned char *p, size_t len, int version)
{
    struct hmf__buf b;
    hmf_state_t *s;

    mend_stream(p, len);
    if (hmf_state_new(&s) != HMF_OK)
        return;
    memset(&golden, 0, sizeof golden);
    memset(&golden2, 0, sizeof golden2);
    memset(&golden3, 0, sizeof golden3);
    if ((version == 3   ? golden3_register(s, &golden3)
         : version == 2 ? golden2_register(s, &golden2)
                        : golden_register(s, &golden)) == HMF_OK) {
        hmf__buf_borrow(&b, p, len);
        (void)hmf__stream_read(s, len, hmf__stream_get_buf, &b);
    }
    hmf_state_free(s);
    restored_free();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hmf_meta_t *m;

    if (!size)
        return 0;
    restored_begin();
    unsigned char *copy = malloc(size); /* exact: a read too far is seen */
    memcpy(copy, data, size);
    switch (copy[0] % 5) {
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
        try_stream(copy + 1, size - 1, copy[0] % 5 - 1);
    }
    free(copy);
    return 0;
}

#ifdef FUZZ_MAIN
#include "fuzz_main.h"

int main(int argc, char **argv)
{
    int first, bad = 0;
    long runs = fuzz_arguments(argc, argv, &first);

    for (int i = first; i < argc; i++)
        bad |= !fuzz_file(argv[i], runs);
    printf("%d files, %ld runs on each\n", argc - first, runs);
    free(restored);
    return bad;
}
#endif
