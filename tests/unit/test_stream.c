/* Images as streams: through memory and files, cut and damaged at every byte, and the golden
 * images of every format version and machine.  HMF_GOLDEN=path writes this machine's, HMF_GOLDEN2
 * the one with what version 2 has more. */
#include "config.h"

#include "base.h"
#include "golden.h"
#include "golden2.h"
#include "golden3.h"
#include "stream.h"

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static hmf_state_t *a, *b;
static struct golden from, to;
static struct golden2 from2, to2;
static struct golden3 from3, to3;

static void begin(void)
{
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&a), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&b), HMF_OK);
    golden_fill(&from);
    memset(&to, 0xee, sizeof to);
    CU_ASSERT_EQUAL_FATAL(golden_register(a, &from), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(golden_register(b, &to), HMF_OK);
}

static void end(void)
{
    golden_drop(&from);
    hmf_state_free(a);
    hmf_state_free(b);
    hmf_function_undefine("golden_function");
}

static void write_to(hmf__stream_put *put, void *ctx)
{
    hmf_image_t *image;

    CU_ASSERT_EQUAL_FATAL(hmf_image_capture(a, &image), HMF_OK);
    CU_ASSERT_EQUAL(hmf__stream_write(image, put, ctx), HMF_OK);
    hmf_image_free(image);
}

static void memory(void)
{
    struct hmf__buf buf = HMF__BUF_INIT, part;

    begin();
    write_to(hmf__stream_put_buf, &buf);
    CU_ASSERT_EQUAL(hmf__stream_read(b, buf.len, hmf__stream_get_buf, &buf), HMF_OK);
    CU_ASSERT_EQUAL(hmf__buf_left(&buf), 0);
    CU_ASSERT(golden_good(&to));
    golden_drop(&to);
    /* cut anywhere, told the truth or not about how much there is */
    for (size_t n = 0; n < buf.len; n++) {
        unsigned char *exact = malloc(n ? n : 1);
        memcpy(exact, buf.data, n);
        hmf__buf_borrow(&part, exact, n);
        CU_ASSERT_NOT_EQUAL(hmf__stream_read(b, n % 2 ? n : UINT64_MAX, hmf__stream_get_buf,
                                             &part), HMF_OK);
        free(exact);
    }
    /* any byte wrong */
    for (size_t n = 0; n < buf.len; n++) {
        buf.data[n] ^= 0x41;
        hmf__buf_borrow(&part, buf.data, buf.len);
        CU_ASSERT_NOT_EQUAL(hmf__stream_read(b, buf.len, hmf__stream_get_buf, &part), HMF_OK);
        buf.data[n] ^= 0x41;
    }
    hmf__buf_fini(&buf);
    end();
}

static void file(void)
{
    char name[] = "stream.XXXXXX";
    int fd = mkstemp(name), closed = -1;

    CU_ASSERT_FATAL(fd >= 0);
    unlink(name);
    begin();
    write_to(hmf__stream_put_fd, &fd);
    lseek(fd, 0, SEEK_SET);
    CU_ASSERT_EQUAL(hmf__stream_read(b, UINT64_MAX, hmf__stream_get_fd, &fd), HMF_OK);
    CU_ASSERT(golden_good(&to));
    golden_drop(&to);
    CU_ASSERT_EQUAL(hmf__stream_read(b, UINT64_MAX, hmf__stream_get_fd, &fd), HMF_ERR_FORMAT);
    CU_ASSERT_EQUAL(hmf__stream_read(b, UINT64_MAX, hmf__stream_get_fd, &closed), HMF_ERR_IO);
    hmf_image_t *image;
    CU_ASSERT_EQUAL_FATAL(hmf_image_capture(a, &image), HMF_OK);
    CU_ASSERT_EQUAL(hmf__stream_write(image, hmf__stream_put_fd, &closed), HMF_ERR_IO);
    hmf_image_free(image);
    close(fd);
    if (getenv("HMF_GOLDEN")) {
        fd = open(getenv("HMF_GOLDEN"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
        write_to(hmf__stream_put_fd, &fd);
        close(fd);
    }
    end();
}

/* The same for what only version 2 has. */
static void second_version(void)
{
    struct hmf__buf buf = HMF__BUF_INIT, part;
    hmf_status_t rc;

    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&a), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&b), HMF_OK);
    golden2_fill(&from2);
    memset(&to2, 0xee, sizeof to2);
    CU_ASSERT(golden2_good(&from2));
    CU_ASSERT_EQUAL_FATAL(golden2_register(a, &from2), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(golden2_register(b, &to2), HMF_OK);
    write_to(hmf__stream_put_buf, &buf);
    CU_ASSERT_EQUAL(buf.data[24 + 8], 2);
    rc = hmf__stream_read(b, buf.len, hmf__stream_get_buf, &buf);
    CU_ASSERT_EQUAL(rc, HMF_OK);
    if (rc == HMF_OK) {
        CU_ASSERT(golden2_good(&to2));
        golden2_drop(&to2);
    } else {
        printf("\n%s\n", hmf_error_text());
    }
    for (size_t n = 0; n < buf.len; n += 7) {
        buf.data[n] ^= 0x41;
        hmf__buf_borrow(&part, buf.data, buf.len);
        CU_ASSERT_NOT_EQUAL(hmf__stream_read(b, buf.len, hmf__stream_get_buf, &part), HMF_OK);
        buf.data[n] ^= 0x41;
    }
    if (getenv("HMF_GOLDEN2")) {
        int fd = open(getenv("HMF_GOLDEN2"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
        write_to(hmf__stream_put_fd, &fd);
        close(fd);
    }
    hmf__buf_fini(&buf);
    golden2_drop(&from2);
    hmf_state_free(a);
    hmf_state_free(b);
    hmf_type_undefine(GOLDEN2_EVENT);
}

/* The same for what only version 3 has. */
static void third_version(void)
{
    struct hmf__buf buf = HMF__BUF_INIT, part;

    GOOD(hmf_state_new(&a));
    GOOD(hmf_state_new(&b));
    golden3_fill(&from3);
    memset(&to3, 0xee, sizeof to3);
    CU_ASSERT(golden3_good(&from3));
    GOOD(golden3_register(a, &from3));
    GOOD(golden3_register(b, &to3));
    write_to(hmf__stream_put_buf, &buf);
    CU_ASSERT_EQUAL(buf.data[24 + 8], 3);
    GOOD(hmf__stream_read(b, buf.len, hmf__stream_get_buf, &buf));
    CU_ASSERT(golden3_good(&to3));
    golden3_drop(&to3, 1);
    for (size_t n = 0; n < buf.len; n += 3) {
        buf.data[n] ^= 0x41;
        hmf__buf_borrow(&part, buf.data, buf.len);
        CU_ASSERT_NOT_EQUAL(hmf__stream_read(b, buf.len, hmf__stream_get_buf, &part), HMF_OK);
        buf.data[n] ^= 0x41;
    }
    hmf__buf_fini(&buf);
    golden3_drop(&from3, 0);
    hmf_state_free(a);
    hmf_state_free(b);
    hmf_type_undefine(GOLDEN3_PACKET);
}

static hmf_status_t read_golden(const char *path, char version)
{
    int fd = open(path, O_RDONLY);
    hmf_state_t *s = b;
    hmf_status_t rc = HMF_OK;

    if (version != '1')
        GOOD(hmf_state_new(&s));
    if (version == '2')
        GOOD(golden2_register(s, &to2));
    if (version == '3')
        GOOD(golden3_register(s, &to3));
    rc = hmf__stream_read(s, UINT64_MAX, hmf__stream_get_fd, &fd);
    if (rc == HMF_OK && version == '3') {
        CU_ASSERT(golden3_good(&to3));
        golden3_drop(&to3, 1);
    } else if (rc == HMF_OK && version == '2') {
        CU_ASSERT(golden2_good(&to2));
        golden2_drop(&to2);
    } else if (rc == HMF_OK) {
        CU_ASSERT(golden_good(&to));
        golden_drop(&to);
    }
    if (version != '1')
        hmf_state_free(s);
    hmf_type_undefine(GOLDEN2_EVENT);
    hmf_type_undefine(GOLDEN3_PACKET);
    close(fd);
    return rc;
}

static void golden_images(void)
{
    const char *src = getenv("HMF_SRCDIR");
    char path[1200];
    int found = 0;

    snprintf(path, sizeof path, "%s/tests/golden", src ? src : ".");
    DIR *dir = opendir(path);
    if (!dir)
        return; /* run by hand elsewhere */
    for (struct dirent *e; (e = readdir(dir));) {
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".hmf"))
            continue;
        begin();
        snprintf(path, sizeof path, "%s/tests/golden/%s", src ? src : ".", e->d_name);
        hmf_status_t rc = read_golden(path, e->d_name[1]);
        CU_ASSERT_EQUAL(rc, HMF_OK);
        if (rc != HMF_OK)
            printf("\n%s: %s\n", e->d_name, hmf_error_text());
        end();
        found++;
    }
    closedir(dir);
    CU_ASSERT(found > 0);
}

static const struct unit_test tests[] = {
    {"memory, cut and damaged", memory},
    {"file", file},
    {"version 2", second_version},
    {"version 3", third_version},
    {"golden images", golden_images},
};

UNIT_MAIN("stream", tests)
