/* Fuzzer over the reading of checkpoints: manifest and part.
 *
 * Its input is a script of changes to a generation that it wrote itself, for what is in such a file
 * depends on the HDF5 at hand:
 *     8 bytes each: where, how, offset (2), value (4)      where: see enum where
 * Then all checksums and sizes, unless the script changes them, are made right again, in the order in
 * which they depend on each other, so that what lies behind them is reached; the generation is
 * restored and looked at.  HDF5 itself reads nothing here.  See fuzz_main.h.
 */
#include "config.h"

#include "check.h"
#include "check_file.h"
#include "check_manifest.h"
#include "golden.h"
#include "hmf/check.h"
#include "mend.h"
#include "restored.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR "fuzz.hmf"
#define GENERATION DIR "/gen-000001"
#define PART GENERATION "/rank-00000.h5"
#define MANIFEST GENERATION "/" HMF__MANIFEST_NAME

enum where { HEADER, RECORDS, META, PARTS, REST, TEXT, LENGTH, SEALS, NWHERE };
enum { STEP = 8, MOST = 1 << 20, TEXT_MOST = 4096 };

static unsigned char original[MOST], part[MOST];
static char original_text[TEXT_MOST], text[TEXT_MOST];
static size_t original_len, original_text_len, len, text_len;
static long restores; /* that went well */

static hmf_status_t agree(void *ctx, hmf_status_t mine, char *words, size_t room)
{
    (void)ctx, (void)words, (void)room;
    return mine;
}

static hmf_status_t gather(void *ctx, const void *mine, size_t n, void *all)
{
    (void)ctx;
    memcpy(all, mine, n);
    return HMF_OK;
}

static hmf_status_t bcast(void *ctx, void *data, size_t n)
{
    (void)ctx, (void)data, (void)n;
    return HMF_OK;
}

static struct hmf__check_job alone(void)
{
    return (struct hmf__check_job){.nranks = 1, .dir = DIR, .program = "fuzz", .keep = 2,
                                   .agree = agree, .gather = gather, .bcast = bcast};
}

static size_t slurp(const char *path, void *to, size_t room)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(to, 1, room, f) : 0;

    if (!n || n == room) {
        fprintf(stderr, "fuzz_check: cannot use %s\n", path);
        exit(1);
    }
    fclose(f);
    return n;
}

static void spit(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) {
        perror(path);
        exit(1);
    }
    close(fd);
}

/* The generation that all scripts change. */
static void prepare(void)
{
    struct hmf__check_job job = alone();
    static struct golden g;
    hmf_image_t *image;
    hmf_state_t *s;
    uint64_t number;

    golden_fill(&g);
    if (system("rm -rf " DIR) || hmf_state_new(&s) != HMF_OK ||
        golden_register(s, &g) != HMF_OK || hmf_image_capture(s, &image) != HMF_OK ||
        hmf__check_write(&job, image, &number) != HMF_OK) {
        fprintf(stderr, "fuzz_check: %s\n", hmf_error_text());
        exit(1);
    }
    hmf_image_free(image);
    hmf_state_free(s);
    hmf__check_release(&job);
    golden_drop(&g);
    original_len = slurp(PART, original, MOST);
    original_text_len = slurp(MANIFEST, original_text, TEXT_MOST);
}

/* ---- where things are: in any file, also in one that lies about it ---- */

static unsigned char *record(size_t i)
{
    uint64_t table = mend_get(part + 160, 8), n = mend_get(part + 168, 4),
             size = mend_get(part + 172, 4);

    if (i >= n || size < 40 || size > len || table > len || n > (len - table) / size)
        return NULL;
    return part + table + i * size;
}

/* The bytes that a record speaks of. */
static unsigned char *run(const unsigned char *r, size_t *bytes)
{
    uint64_t at = mend_get(r, 8), n = mend_get(r + 8, 8);

    if (at > len || n > len - at)
        return NULL;
    *bytes = (size_t)n;
    return part + at;
}

static unsigned char *meta(size_t *bytes)
{
    const unsigned char *r;

    for (size_t i = 0; (r = record(i)); i++)
        if (mend_get(r + 24, 4) == UINT32_MAX)
            return run(r, bytes);
    return NULL;
}

/* A place, `bytes` of which may be changed. */
static unsigned char *place(enum where where, uint32_t pick, size_t *bytes)
{
    const unsigned char *r;
    size_t n = 0;

    *bytes = 0;
    switch (where) {
    case HEADER:
        *bytes = 64;
        return part + 128;
    case RECORDS:
        *bytes = 40;
        while (record(n))
            n++;
        return n ? record(pick / 64 % n) : NULL;
    case META:
        return meta(bytes);
    case PARTS:
        while (record(n))
            n++;
        r = n ? record(pick / 4096 % n) : NULL;
        return r ? run(r, bytes) : NULL;
    case REST:
        *bytes = len;
        return part;
    case TEXT:
        *bytes = text_len;
        return (unsigned char *)text;
    default:
        return NULL;
    }
}

static void change(const unsigned char *step)
{
    size_t bytes;
    uint32_t offset = (uint32_t)mend_get(step + 2, 2), value = (uint32_t)mend_get(step + 4, 4);
    unsigned char *p = place(step[0] % NWHERE, offset, &bytes);

    if (step[0] % NWHERE == LENGTH)
        len = value % 4 ? len - offset % (len / 2) : len;
    if (!p || !bytes)
        return;
    p += offset % bytes;
    bytes -= offset % bytes;
    size_t n = step[1] % 4 == 0 ? 1 : step[1] % 4 == 1 ? 2 : step[1] % 4 == 2 ? 4 : 8;
    for (size_t k = 0; k < n && k < bytes; k++)
        p[k] = step[1] & 4 ? (unsigned char)(p[k] ^ value >> 8 * (k % 4))
                           : (unsigned char)(k < 4 ? value >> 8 * k : step[1] & 8 ? 0xff : 0);
}

/* ---- making it right ---- */

static void mend_part(void)
{
    uint64_t table = mend_get(part + 160, 8),
             table_bytes = mend_get(part + 168, 4) * mend_get(part + 172, 4), at;
    static bool taken[MOST];
    unsigned char *r, *p;
    size_t bytes;
    uint32_t rest = 0;

    if ((p = meta(&bytes)))
        mend_meta(p, bytes);
    memset(taken, 0, len);
    for (size_t i = 0; (r = record(i)); i++)
        if ((p = run(r, &bytes))) {
            mend_put(r + 28, hmf__crc32c(0, p, bytes));
            memset(taken + (p - part), 1, bytes);
        }
    if (record(0)) {
        mend_put(part + 176, hmf__crc32c(0, part + table, (size_t)table_bytes));
        memset(taken + table, 1, (size_t)table_bytes);
    }
    for (at = HMF__FILE_HEADER; at < len; at++)
        if (!taken[at]) {
            size_t n = 1;
            while (at + n < len && !taken[at + n])
                n++;
            rest = hmf__crc32c(rest, part + at, n);
            at += n - 1;
        }
    mend_put(part + 180, rest);
    mend_put(part + 152, (uint32_t)len);
    mend_put(part + HMF__FILE_HEADER - 4, hmf__crc32c(0, part, HMF__FILE_HEADER - 4));
}

/* The part's line and the last one; both keep their place. */
static void mend_text(bool seals)
{
    char line[64], *at;

    text[text_len] = '\0';
    if (seals && (at = strstr(text, "part 0 "))) {
        size_t digits = strspn(at + 7, "0123456789"); /* as many as were there */
        int n = snprintf(line, sizeof line, "part 0 %0*zu %08x", (int)digits, len,
                         (unsigned)mend_get(part + HMF__FILE_HEADER - 4, 4));
        if ((size_t)n <= strlen(at))
            memcpy(at, line, (size_t)n);
    }
    if (text_len > 16) {
        snprintf(line, sizeof line, "crc32c %08x\n", hmf__crc32c(0, text, text_len - 16));
        memcpy(text + text_len - 16, line, 16);
    }
}

/* ---- reading ---- */

static void row(void *ctx, uint64_t index, const char *words)
{
    *(size_t *)ctx += strlen(words) + (index != 0);
}

static void look(void)
{
    struct hmf_check_info info;
    struct hmf_check_var v;
    hmf_check_t *c;
    size_t n, sum = 0;

    if (hmf_check_open(GENERATION, &c) != HMF_OK)
        return;
    hmf_check_get_info(c, &info);
    if (hmf_check_count(c, 0, &n) == HMF_OK)
        for (size_t i = 0; i < n && i < 20; i++)
            if (hmf_check_var(c, 0, i, &v) == HMF_OK) {
                unsigned char bytes[256];
                (void)hmf_check_print(c, 0, v.name, 0, 20, row, &sum);
                (void)hmf_check_bytes(c, 0, v.name, 0, 1, bytes, sizeof bytes);
            }
    hmf_check_close(c);
}

static void load(void)
{
    struct hmf__check_job job = alone();
    static struct golden g;
    hmf_state_t *s;
    uint64_t number;

    memset(&g, 0, sizeof g);
    if (hmf_state_new(&s) != HMF_OK)
        return;
    if (golden_register(s, &g) == HMF_OK)
        restores += hmf__check_load(&job, 1, s, &number) == HMF_OK;
    hmf_state_free(s);
    hmf__check_release(&job);
    restored_free();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool sealed = true;

    if (!original_len)
        prepare();
    restored_begin();
    memcpy(part, original, len = original_len);
    memcpy(text, original_text, text_len = original_text_len);
    for (; size >= STEP; data += STEP, size -= STEP) {
        change(data);
        sealed &= data[0] % NWHERE != SEALS;
    }
    mend_part();
    mend_text(sealed);
    spit(PART, part, len);
    spit(MANIFEST, text, text_len);
    load();
    look();
    return 0;
}

#ifdef FUZZ_MAIN
#include "fuzz_main.h"

int main(int argc, char **argv)
{
    static unsigned char script[4 * STEP];
    int first, bad = 0;
    long runs = fuzz_arguments(argc, argv, &first);

    printf("seed %llu\n", (unsigned long long)fuzz_seed);
    fuzz_input(script, 0, 0);
    if (!restores) {
        fprintf(stderr, "the unchanged checkpoint: %s\n", hmf_error_text());
        return 1;
    }
    for (long k = 0; k < runs; k++) {
        size_t n = (1 + fuzz_random() % 4) * STEP;
        for (size_t i = 0; i < n; i++)
            script[i] = (unsigned char)fuzz_random();
        for (size_t i = 0; i < n; i += STEP) /* half of them: small numbers */
            if (script[i + 1] & 16)
                script[i + 5] = script[i + 6] = script[i + 7] = 0;
        fuzz_input(script, n, 0);
    }
    for (int i = first; i < argc; i++)
        bad |= !fuzz_file(argv[i], runs / 10);
    printf("%ld runs, %d files: %ld were restored\n", runs, argc - first, restores);
    free(restored);
    return bad;
}
#endif
