/*
 * launch: env=HMF_LOG=error limit=120
 *
 * The writer of checkpoint files: pieces anywhere in memory and file, small and of many buffers,
 * with and without O_DIRECT; and states that are large, or have very many variables.
 */
#include "config.h"

#include "check_io.h"
#include "check_team.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

/* ---- the writer alone: random pieces, compared byte by byte ---- */

#define PIECES 60

static void random_file(unsigned seed, uint64_t scale)
{
    struct hmf__io *io = NULL;
    struct hmf__io_piece pieces[PIECES];
    struct iovec iov[PIECES][3];
    uint64_t at = 4096, size;
    uint32_t rest, want_rest = 0;
    memset(pieces, 0, sizeof pieces);
    CU_ASSERT_EQUAL_FATAL(hmf__io_new(&io), HMF_OK);
    pieces[0] = (struct hmf__io_piece){.offset = 0, .bytes = 4096};
    for (int i = 1; i < PIECES; i++) {
        struct hmf__io_piece *p = &pieces[i];
        at += rand_r(&seed) % 3 != 0 ? 0 : (uint64_t)rand_r(&seed) % 9000;
        p->offset = at;
        p->bytes = 0;
        p->part = rand_r(&seed) % 4 != 0;
        if (i == PIECES / 2) {
            p->bytes = 1 + (uint64_t)rand_r(&seed) % 20000;
            p->part = false;
            at += p->bytes;
            continue;                   /* late */
        }
        for (int k = 0; k < 3; k++) {
            size_t n = 1 + (size_t)((uint64_t)rand_r(&seed) % scale);
            unsigned char *bytes = malloc(n);
            for (size_t b = 0; b < n; b++)
                bytes[b] = (unsigned char)(b * 7 + (size_t)i + (size_t)k * 31 + (b >> 9));
            iov[i][k] = (struct iovec){bytes, n};
            p->bytes += n;
        }
        p->iov = iov[i];
        p->niov = 3;
        p->skip = (uint64_t)rand_r(&seed) % iov[i][0].iov_len;
        p->bytes -= p->skip + (uint64_t)rand_r(&seed) % iov[i][2].iov_len;
        at += p->bytes;
    }
    size = at + (uint64_t)rand_r(&seed) % 5000;
    unlink("pieces");
    CU_ASSERT_EQUAL_FATAL(hmf__io_begin(io, "pieces", size, NULL, NULL), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf__io_write(io, pieces, PIECES, &rest), HMF_OK);
    memset(hmf__io_late(io, 0), 'H', 4096);
    memset(hmf__io_late(io, 1), 'P', pieces[PIECES / 2].bytes);
    CU_ASSERT_EQUAL(hmf__io_late_done(io), HMF_OK);
    CU_ASSERT_EQUAL(hmf__io_end(io), HMF_OK);

    /* the same by hand */
    unsigned char *want = calloc(1, (size_t)size), *have = malloc((size_t)size);
    bool *covered = calloc(1, (size_t)size);
    for (int i = 0; i < PIECES; i++) {
        struct hmf__io_piece *p = &pieces[i];
        if (p->iov == NULL) {
            memset(want + p->offset, i == 0 ? 'H' : 'P', (size_t)p->bytes);
            memset(covered + p->offset, 1, (size_t)p->bytes);
            continue;
        }
        uint64_t skip = p->skip, left = p->bytes, to = p->offset;
        for (int k = 0; k < 3; k++) {
            uint64_t n = iov[i][k].iov_len - skip < left ? iov[i][k].iov_len - skip : left;
            memcpy(want + to, (char *)iov[i][k].iov_base + skip, (size_t)n);
            to += n;
            left -= n;
            skip = 0;
        }
        if (p->part) {
            CU_ASSERT_EQUAL(p->crc, hmf__crc32c(0, want + p->offset, (size_t)p->bytes));
            memset(covered + p->offset, 1, (size_t)p->bytes);
        }
    }
    for (uint64_t i = 0; i < size;) {
        uint64_t j = i;
        while (j < size && covered[j] == covered[i])
            j++;
        if (!covered[i])
            want_rest = hmf__crc32c(want_rest, want + i, (size_t)(j - i));
        i = j;
    }
    CU_ASSERT_EQUAL(rest, want_rest);
    struct stat st;
    int fd = open("pieces", O_RDONLY);
    CU_ASSERT_EQUAL(fstat(fd, &st), 0);
    CU_ASSERT_EQUAL((uint64_t)st.st_size, size);
    CU_ASSERT_EQUAL(hmf__sys_pread(fd, have, (size_t)size, 0), 0);
    close(fd);
    CU_ASSERT_EQUAL(memcmp(want, have, (size_t)size), 0);
    for (int i = 1; i < PIECES; i++) {
        for (int k = 0; k < 3 && pieces[i].iov != NULL; k++)
            free(iov[i][k].iov_base);
    }
    free(want);
    free(have);
    free(covered);
    hmf__io_free(io);
}

static void writer_through_the_page_cache(void)
{
    setenv("HMF_DIRECT_IO", "0", 1);
    for (unsigned seed = 1; seed < 8; seed++)
        random_file(seed, 3000);
    random_file(100, 300000);
    unsetenv("HMF_DIRECT_IO");
}

static void writer_with_direct_io(void)
{
    setenv("HMF_DIRECT_IO", "1", 1);
    for (unsigned seed = 11; seed < 18; seed++)
        random_file(seed, 3000);
    random_file(101, 300000);
    unsetenv("HMF_DIRECT_IO");
}

/* ---- large states ---- */

static void large_state(void)
{
    size_t n = (20u << 20) / sizeof(double);
    double *u = malloc(n * sizeof(double));
    int step = 7;
    hmf_state_t *s = NULL;
    hmf_image_t *image = NULL;
    uint64_t g;
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&s), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(s, "u", u, n * sizeof(double), desc_double, 1, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(s, "step", &step, sizeof step, desc_int, 1, NULL), HMF_OK);
    for (int direct = 0; direct < 2; direct++) {
        struct hmf__check_job job = alone("large");
        team_clear("large");
        setenv("HMF_DIRECT_IO", direct ? "1" : "0", 1);
        for (size_t i = 0; i < n; i++)
            u[i] = (double)i * 0.25 + direct;
        CU_ASSERT_EQUAL_FATAL(hmf_image_capture(s, &image), HMF_OK);
        CU_ASSERT_EQUAL(hmf__check_write(&job, image, &g), HMF_OK);
        CU_ASSERT_EQUAL(hmf__check_begin(&job, image, &g), HMF_OK);
        hmf_image_free(image);
        memset(u, 0, n * sizeof(double));
        CU_ASSERT_EQUAL(hmf__check_complete(&job, &g), HMF_OK);
        for (long wanted = 1; wanted <= 2; wanted++) {
            size_t wrong = 0;
            memset(u, 0, n * sizeof(double));
            CU_ASSERT_EQUAL(hmf__check_load(&job, wanted, s, &g), HMF_OK);
            for (size_t i = 0; i < n; i++)
                wrong += u[i] != (double)i * 0.25 + direct;
            CU_ASSERT_EQUAL(wrong, 0);
        }
        /* damage far from anything structural */
        FILE *f = fopen("large/gen-000002/rank-00000.h5", "r+b");
        fseek(f, 15000000, SEEK_SET);
        int c = fgetc(f);
        fseek(f, 15000000, SEEK_SET);
        fputc(c ^ 1, f);
        fclose(f);
        CU_ASSERT_EQUAL(hmf__check_load(&job, -1, s, &g), HMF_OK);
        CU_ASSERT_EQUAL(g, 1);
        hmf__check_release(&job);
    }
    unsetenv("HMF_DIRECT_IO");
    hmf_state_free(s);
    free(u);
}

static void ten_thousand_variables(void)
{
    enum { N = 10000 };
    static long v[N];
    char name[32];
    hmf_state_t *s = NULL;
    hmf_image_t *image = NULL;
    struct hmf__check_job job = alone("many");
    uint64_t g;
    static const int desc_long[] = {typeLONG};
    team_clear("many");
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&s), HMF_OK);
    for (int i = 0; i < N; i++) {
        v[i] = 3L * i;
        snprintf(name, sizeof name, "variable %d", i);
        if (hmf_state_add(s, name, &v[i], sizeof v[i], desc_long, 1, NULL) != HMF_OK)
            CU_FAIL_FATAL("a variable was refused");
    }
    CU_ASSERT_EQUAL_FATAL(hmf_image_capture(s, &image), HMF_OK);
    CU_ASSERT_EQUAL(hmf__check_write(&job, image, &g), HMF_OK);
    hmf_image_free(image);
    memset(v, 0, sizeof v);
    CU_ASSERT_EQUAL(hmf__check_load(&job, -1, s, &g), HMF_OK);
    int wrong = 0;
    for (int i = 0; i < N; i++)
        wrong += v[i] != 3L * i;
    CU_ASSERT_EQUAL(wrong, 0);
    /* a few tables, not ten thousand datasets */
    struct stat st;
    CU_ASSERT_EQUAL(stat("many/gen-000001/rank-00000.h5", &st), 0);
    CU_ASSERT(st.st_size < 4 << 20);
    hmf__check_release(&job);
    hmf_state_free(s);
}

static const struct unit_test tests[] = {
    {"writer, through the page cache", writer_through_the_page_cache},
    {"writer, direct", writer_with_direct_io},
    {"a large state", large_state},
    {"ten thousand variables", ten_thousand_variables},
};

UNIT_MAIN("large checkpoints", tests)
