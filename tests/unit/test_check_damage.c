/*
 * launch: env=HMF_LOG=error limit=120
 *
 * Damaged, truncated, foreign and crafted files: an error that names the file, or the older
 * generation; never a wrong state, never a crash.
 */
#include "config.h"

#include "check_file.h"
#include "check_team.h"
#include "unit.h"

#include <fcntl.h>

#define PART "damage/gen-000002/rank-00000.h5"
#define MANIFEST "damage/gen-000002/manifest.txt"

static unsigned char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    fseek(f, 0, SEEK_END);
    *len = (size_t)ftell(f);
    rewind(f);
    unsigned char *bytes = malloc(*len + 1);
    if (fread(bytes, 1, *len, f) != *len)
        *len = 0;
    fclose(f);
    return bytes;
}

static void spit(const char *path, const unsigned char *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    fwrite(bytes, 1, len, f);
    fclose(f);
}

static void two_generations(struct hmf__check_job *job)
{
    uint64_t g;
    team_clear("damage");
    CU_ASSERT_EQUAL(team_write(job, 1, &g), HMF_OK);
    CU_ASSERT_EQUAL(team_write(job, 2, &g), HMF_OK);
}

/* Generation 2 is damaged somehow: loading it by number fails, loading the newest gives 1. */
static int walks_back(struct hmf__check_job *job)
{
    uint64_t g;
    int step;
    hmf_status_t rc = team_load(job, 2, &step, &g);
    if (rc == HMF_OK || step != -2 || strstr(hmf_error_text(), "gen-000002") == NULL)
        return 0;
    rc = team_load(job, -1, &step, &g);
    return rc == HMF_OK && step == 1 && g == 1;
}

static void flip_all(const char *path, int whole_check_every)
{
    struct hmf__check_job job = alone("damage");
    two_generations(&job);
    size_t len, missed = 0;
    unsigned char *bytes = slurp(path, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    int fd = open(path, O_WRONLY);
    for (size_t i = 0; i < len; i++) {
        unsigned char flipped = bytes[i] ^ (unsigned char)(1u << (i % 8));
        if (pwrite(fd, &flipped, 1, (off_t)i) != 1)
            break;
        uint64_t g;
        int step;
        if (i % (size_t)whole_check_every == 0) {
            missed += !walks_back(&job);
        } else {
            hmf_status_t rc = team_load(&job, 2, &step, &g);
            missed += rc == HMF_OK || step != -2;
        }
        if (pwrite(fd, &bytes[i], 1, (off_t)i) != 1)
            break;
    }
    close(fd);
    printf("(%zu bytes flipped, %zu missed) ", len, missed);
    CU_ASSERT_EQUAL(missed, 0);
    uint64_t g;
    int step;
    CU_ASSERT_EQUAL(team_load(&job, -1, &step, &g), HMF_OK);
    CU_ASSERT_EQUAL(step, 2);
    free(bytes);
    hmf__check_release(&job);
}

static void every_byte_of_a_part_flipped(void)
{
    flip_all(PART, 97);
}

static void every_byte_of_the_manifest_flipped(void)
{
    flip_all(MANIFEST, 1);
}

static void truncated_anywhere(void)
{
    struct hmf__check_job job = alone("damage");
    two_generations(&job);
    size_t len;
    unsigned char *bytes = slurp(PART, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (size_t n = 0; n < len; n += n < 5000 ? 513 : 1777) {
        spit(PART, bytes, n);
        CU_ASSERT(walks_back(&job));
    }
    /* longer than it was */
    bytes[len] = 0;
    spit(PART, bytes, len + 1);
    CU_ASSERT(walks_back(&job));
    spit(PART, bytes, len);
    free(bytes);
    bytes = slurp(MANIFEST, &len);
    for (size_t n = 0; n < len; n++) {
        spit(MANIFEST, bytes, n);
        CU_ASSERT(walks_back(&job));
    }
    free(bytes);
    hmf__check_release(&job);
}

static void foreign_files(void)
{
    struct hmf__check_job job = alone("damage");
    two_generations(&job);
    size_t len, other_len;
    unsigned char *bytes = slurp(PART, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    unsigned char *noise = malloc(len);
    for (size_t i = 0; i < len; i++)
        noise[i] = (unsigned char)(i * 2654435761u >> 13);
    spit(PART, noise, len);
    CU_ASSERT(walks_back(&job));
    spit(PART, (const unsigned char *)"hello\n", 6);
    CU_ASSERT(walks_back(&job));
    /* the same rank's part of another generation: same length, other seal */
    unsigned char *other = slurp("damage/gen-000001/rank-00000.h5", &other_len);
    spit(PART, other, other_len);
    CU_ASSERT(walks_back(&job));
    CU_ASSERT_EQUAL(unlink(PART), 0);
    CU_ASSERT(walks_back(&job));
    CU_ASSERT_EQUAL(symlink("/", PART), 0);
    CU_ASSERT(walks_back(&job));
    CU_ASSERT_EQUAL(unlink(PART), 0);
    spit(PART, bytes, len);
    /* no manifest: the generation does not exist */
    CU_ASSERT_EQUAL(unlink(MANIFEST), 0);
    CU_ASSERT(walks_back(&job));
    free(bytes);
    free(noise);
    free(other);
    hmf__check_release(&job);
}

static void another_version_is_named(void)
{
    struct hmf__check_job job = alone("damage");
    two_generations(&job);
    size_t len;
    struct hmf__file *f;
    unsigned char *bytes = slurp(PART, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    bytes[128] = 99;
    uint32_t seal = hmf__crc32c(0, bytes, HMF__FILE_HEADER - 4);
    for (int i = 0; i < 4; i++)
        bytes[HMF__FILE_HEADER - 4 + i] = (unsigned char)(seal >> (8 * i));
    spit(PART, bytes, len);
    CU_ASSERT_EQUAL(hmf__file_open(PART, NULL, &f), HMF_ERR_VERSION);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "99"));
    free(bytes);
    hmf__check_release(&job);
}

/* A header that is sealed rightly but lies: any bytes give a value or an error. */
static void crafted_headers(void)
{
    struct hmf__check_job job = alone("damage");
    two_generations(&job);
    size_t len;
    unsigned seed = 12345;
    unsigned char *bytes = slurp(PART, &len), *bad = malloc(len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (int i = 0; i < 3000; i++) {
        memcpy(bad, bytes, len);
        size_t at = 128 + 4 * ((size_t)rand_r(&seed) % 15);
        uint32_t value = (uint32_t)rand_r(&seed) << (rand_r(&seed) % 2 ? 16 : 0);
        if (rand_r(&seed) % 4 == 0)
            value = UINT32_MAX - (uint32_t)rand_r(&seed) % 3;
        memcpy(bad + at, &value, 4);
        if (rand_r(&seed) % 2) {
            /* and a part table that lies, with its checksum */
            uint64_t table;
            uint32_t n, size;
            memcpy(&table, bytes + 160, 8);
            memcpy(&n, bytes + 168, 4);
            memcpy(&size, bytes + 172, 4);
            memcpy(bad + at, bytes + at, 4);
            size_t where = table + (size_t)rand_r(&seed) % ((size_t)n * size - 8);
            memcpy(bad + where, &value, 4);
            uint32_t crc = hmf__crc32c(0, bad + table, (size_t)n * size);
            memcpy(bad + 176, &crc, 4);
        }
        uint32_t seal = hmf__crc32c(0, bad, HMF__FILE_HEADER - 4);
        memcpy(bad + HMF__FILE_HEADER - 4, &seal, 4);
        spit(PART, bad, len);
        struct hmf__file *f = NULL;
        if (hmf__file_open(PART, NULL, &f) == HMF_OK) {
            (void)hmf__file_verify(f);
            hmf__file_close(f);
        }
    }
    free(bytes);
    free(bad);
    hmf__check_release(&job);
}

static const struct unit_test tests[] = {
    {"every byte of a part flipped", every_byte_of_a_part_flipped},
    {"every byte of the manifest flipped", every_byte_of_the_manifest_flipped},
    {"truncated anywhere", truncated_anywhere},
    {"foreign files", foreign_files},
    {"another version is named", another_version_is_named},
    {"crafted headers", crafted_headers}
};

UNIT_MAIN("damaged checkpoints", tests)
