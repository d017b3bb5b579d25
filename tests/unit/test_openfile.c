/* Open files in a state: there again with path, mode and position; what cannot be carried is
 * refused by name; records that are wrong. */
#include "config.h"

#include "carry.h"
#include "openfile.h"
#include "typemap.h"

#include "unit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static hmf_state_t *a, *b;
static FILE *from, *to;
static int from_fd, to_fd;

static void begin(void)
{
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&a), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&b), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf__openfile_add(a, "log", &from, NULL), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf__openfile_add(b, "log", &to, NULL), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf__openfile_add(a, "input", NULL, &from_fd), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf__openfile_add(b, "input", NULL, &to_fd), HMF_OK);
    from = to = NULL;
    from_fd = to_fd = -1;
}

static void end(void)
{
    hmf_state_free(a);
    hmf_state_free(b);
    unlink("of.txt");
    unlink("of2.txt");
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

static void holds(const char *name, const char *text)
{
    char have[200] = "";
    FILE *f = fopen(name, "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    size_t n = fread(have, 1, sizeof have - 1, f);
    have[n] = '\0';
    CU_ASSERT_STRING_EQUAL(have, text);
    fclose(f);
}

static void writing(void)
{
    begin();
    from = fopen("of.txt", "w");
    fputs("one ", from); /* still in the buffer */
    CU_ASSERT_EQUAL(carry(a, b), HMF_OK);
    CU_ASSERT_FATAL(to != NULL && to != from);
    CU_ASSERT_EQUAL(to_fd, -1);
    fclose(from);
    fputs("two", to);
    fclose(to);
    holds("of.txt", "one two");

    /* continued from an older state: written again at the same place */
    from = fopen("of.txt", "r+");
    fseek(from, 4, SEEK_SET);
    CU_ASSERT_EQUAL(carry(a, b), HMF_OK);
    fputs("more", from);
    fclose(from);
    fputs("TW", to);
    fclose(to);
    holds("of.txt", "one TWre");

    from = fopen("of.txt", "ae");
    fputs("!", from);
    CU_ASSERT_EQUAL(carry(a, b), HMF_OK);
    fclose(from);
    CU_ASSERT_EQUAL(fcntl(fileno(to), F_GETFD), FD_CLOEXEC);
    rewind(to);
    fputs("?", to);
    fclose(to);
    holds("of.txt", "one TWre!?");
    end();
}

/* Continued from an older state, a file of one's own ends where it ended. */
static void own(void)
{
    begin();
    CU_ASSERT_EQUAL(hmf__openfile_own(a, "log"), HMF_OK);
    CU_ASSERT_EQUAL(hmf__openfile_own(a, "input"), HMF_OK);
    CU_ASSERT_EQUAL(hmf__openfile_own(b, "none"), HMF_ERR_NOTFOUND);
    put("of.txt", "old ");
    put("of2.txt", "old ");
    from = fopen("of.txt", "a");
    from_fd = open("of2.txt", O_WRONLY | O_APPEND); /* its position is 0 */
    fputs("one ", from);
    for (int mine = 0; mine < 2; mine++) { /* whoever does not say it loses nothing */
        struct carried c;
        if (mine) {
            CU_ASSERT_EQUAL(hmf__openfile_own(b, "log"), HMF_OK);
            CU_ASSERT_EQUAL(hmf__openfile_own(b, "input"), HMF_OK);
        }
        CU_ASSERT_EQUAL_FATAL(carry_take(a, &c), HMF_OK);
        fputs("later ", from);
        fflush(from);
        CU_ASSERT_EQUAL(write(from_fd, "later ", 6), 6);
        CU_ASSERT_EQUAL(carry_give(&c, b), HMF_OK);
        fputs("two", to);
        fclose(to);
        CU_ASSERT_EQUAL(write(to_fd, "two", 3), 3);
        close(to_fd);
        carry_drop(&c);
        holds("of.txt", mine ? "old one later twotwo" : "old one later two");
        holds("of2.txt", mine ? "old later twotwo" : "old later two");
    }
    fclose(from);
    close(from_fd);
    from_fd = -1;

    from = fopen("of.txt", "r+"); /* not at its end: what is behind stays */
    fseek(from, 4, SEEK_SET);
    CU_ASSERT_EQUAL(carry(a, b), HMF_OK);
    fclose(from);
    fclose(to);
    holds("of.txt", "old one later twotwo");
    end();
}

/* Streams and descriptors that are fields: transient in the description, tracked where they are. */
static void fields(void)
{
    static const int d[] = {-4, typeINT, typeTRANSIENT, typePOINTER, typeVOID, typeTRANSIENT, typeINT,
                            typeINT};
    struct run {
        int step;
        FILE *log;
        int fd, end;
    } x = {3, NULL, -1, 4}, y = {0, NULL, -1, 0};
    hmf_state_t *s, *t;

    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&s), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&t), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(s, "run", &x, sizeof x, d, sizeof d / sizeof *d, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf__openfile_add(s, "run.log", &x.log, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf__openfile_add(s, "run.fd", NULL, &x.fd), HMF_OK);
    CU_ASSERT_EQUAL(hmf__openfile_add(t, "run.log", &y.log, NULL), HMF_OK); /* in any order */
    CU_ASSERT_EQUAL(hmf__openfile_add(t, "run.fd", NULL, &y.fd), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(t, "run", &y, sizeof y, d, sizeof d / sizeof *d, NULL), HMF_OK);
    put("of2.txt", "0123456789");
    x.log = fopen("of.txt", "w");
    x.fd = open("of2.txt", O_RDONLY);
    fputs("one ", x.log);
    CU_ASSERT_EQUAL(lseek(x.fd, 5, SEEK_SET), 5);
    CU_ASSERT_EQUAL(carry(s, t), HMF_OK);
    CU_ASSERT(y.step == 3 && y.end == 4 && y.log && y.fd >= 0);
    char c = 0;
    CU_ASSERT(read(y.fd, &c, 1) == 1 && c == '5');
    fputs("two", y.log);
    fclose(y.log);
    fclose(x.log);
    close(x.fd);
    close(y.fd);
    holds("of.txt", "one two");
    hmf_state_free(s);
    hmf_state_free(t);
    unlink("of.txt");
    unlink("of2.txt");
}

static void reading(void)
{
    char line[20];

    begin();
    put("of.txt", "first\nsecond\nthird\n");
    from = fopen("of.txt", "r");
    CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof line, from)); /* read ahead by the C library */
    from_fd = open("of.txt", O_RDONLY);
    lseek(from_fd, 13, SEEK_SET);
    CU_ASSERT_EQUAL(carry(a, b), HMF_OK);
    CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof line, to));
    CU_ASSERT_STRING_EQUAL(line, "second\n");
    CU_ASSERT_EQUAL(fputc('x', to), EOF);
    CU_ASSERT_EQUAL(read(to_fd, line, 5), 5);
    CU_ASSERT_EQUAL(memcmp(line, "third", 5), 0);
    CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof line, from)); /* undisturbed */
    CU_ASSERT_STRING_EQUAL(line, "second\n");
    fclose(from);
    fclose(to);
    close(from_fd);
    close(to_fd);
    end();
}

/* Capturing fails with this status, and the text names variable and reason. */
static void refused(hmf_status_t status, const char *reason)
{
    hmf_image_t *image = NULL;

    CU_ASSERT_EQUAL(hmf_image_capture(a, &image), status);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), from ? "log" : "input"));
    if (!strstr(hmf_error_text(), reason))
        printf("\n%s: %s", reason, hmf_error_text());
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), reason));
}

static void refusals(void)
{
    int fd[2];
    char text[10] = "";
    FILE *twice = NULL;

    begin();
    CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
    from_fd = fd[0];
    refused(HMF_ERR_UNSUPPORTED, "a pipe");
    close(fd[0]);
    refused(HMF_ERR_IO, "descriptor");
    close(fd[1]);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    from_fd = fd[0];
    refused(HMF_ERR_UNSUPPORTED, "a socket");
    close(fd[0]);
    close(fd[1]);
    from_fd = open("/dev/null", O_RDWR);
    refused(HMF_ERR_UNSUPPORTED, "a device");
    close(from_fd);
    from_fd = open(".", O_RDONLY);
    refused(HMF_ERR_UNSUPPORTED, "a directory");
    close(from_fd);
    from_fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (from_fd >= 0) {
        refused(HMF_ERR_UNSUPPORTED, "a terminal");
        close(from_fd);
    }
    from_fd = -1;

    from = fmemopen(text, sizeof text, "w");
    refused(HMF_ERR_UNSUPPORTED, "memory");
    fclose(from);
    from = fopen("of.txt", "w");
    unlink("of.txt");
    refused(HMF_ERR_NOTFOUND, "deleted");
    put("of.txt", "another");
    refused(HMF_ERR_NOTFOUND, "replaced");
    fclose(from);
    from = twice = fopen("of.txt", "r");
    CU_ASSERT_EQUAL(hmf__openfile_add(a, "twice", &twice, NULL), HMF_OK);
    refused(HMF_ERR_UNSUPPORTED, "twice");
    CU_ASSERT_EQUAL(hmf__openfile_remove(a, "twice"), HMF_OK);
    CU_ASSERT_EQUAL(carry(a, b), HMF_OK);
    fclose(to);
    fclose(from);
    end();
}

static void on_the_other_side(void)
{
    struct carried c;

    begin();
    put("of.txt", "0123456789");
    from = fopen("of.txt", "r");
    fseek(from, 6, SEEK_SET);
    CU_ASSERT_EQUAL_FATAL(carry_take(a, &c), HMF_OK);
    fclose(from);
    put("of.txt", "01234");
    CU_ASSERT_EQUAL(carry_give(&c, b), HMF_ERR_MISMATCH);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "of.txt"));
    unlink("of.txt");
    CU_ASSERT_EQUAL(carry_give(&c, b), HMF_ERR_NOTFOUND);
    mkfifo("of.txt", 0600);
    CU_ASSERT_EQUAL(carry_give(&c, b), HMF_ERR_MISMATCH);
    unlink("of.txt");
    /* the record says what no file can be */
    for (size_t i = 0; i < c.nsegments; i++)
        if (c.bytes[i] > 4096)
            memset(c.segment[i], 'r', c.bytes[i]);
    CU_ASSERT_EQUAL(carry_give(&c, b), HMF_ERR_FORMAT);
    CU_ASSERT_PTR_NULL(to);
    carry_drop(&c);
    end();
}

static void registering(void)
{
    static FILE *f;
    int n;

    begin();
    CU_ASSERT_EQUAL(hmf__openfile_add(a, "log", &f, NULL), HMF_ERR_NAME);
    CU_ASSERT_EQUAL(hmf__openfile_add(a, "again", &from, NULL), HMF_ERR_NAME);
    CU_ASSERT_EQUAL(hmf__openfile_add(a, NULL, &f, NULL), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf__openfile_add(a, "none", NULL, NULL), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf__openfile_remove(a, "none"), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(hmf_state_count(a), 2);
    CU_ASSERT_EQUAL(hmf__openfile_remove(a, "log"), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_count(a), 1);
    CU_ASSERT_EQUAL(hmf__openfile_add(a, "log", &from, NULL), HMF_OK);
    for (n = 1; n < 20; n++) { /* each allocation fails once */
        hmf__alloc_fail_at(n);
        hmf_status_t rc = hmf__openfile_add(a, "f", &f, NULL);
        hmf__alloc_fail_at(0);
        if (rc == HMF_OK)
            CU_ASSERT_EQUAL(hmf__openfile_remove(a, "f"), HMF_OK);
    }
    end();
}

static const struct unit_test tests[] = {
    {"writing", writing},
    {"own", own},
    {"fields", fields},
    {"reading", reading},
    {"refusals", refusals},
    {"on the other side", on_the_other_side},
    {"registering", registering},
};

UNIT_MAIN("openfile", tests)
