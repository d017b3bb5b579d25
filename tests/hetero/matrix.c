/* The matrix of architectures: the same state written on each machine and read on each, through the
 * image as a stream and through checkpoints.
 *
 *   matrix write FOLDER NAME           NAME.image, NAME.check/, NAME.<wide>.image
 *   matrix read FOLDER NAME...         reads what each of these machines wrote, and compares
 *   matrix pass FOLDER FROM TO         reads, compares, writes what was read under another name
 *   matrix golden FILE...              reads golden images
 *   matrix write-golden2 FILE          this machine's, of version 2; likewise write-golden3
 *
 * Exit status 1 if anything differs. Built without HDF5 it leaves checkpoints out. */
#include "config.h"

#include "carriers.h"
#include "cases.h"
#include "golden.h"
#include "golden2.h"
#include "golden3.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct hetero_case *const cases[] = {&hetero_values, &hetero_floats, &hetero_structs,
                                                  &hetero_graphs, &hetero_forms, &hetero_paths,
                                                  &hetero_layouts};
static char path[4096];

static const char *file(const char *folder, const char *name, const char *end)
{
    snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    return path;
}

static int failed(const char *what)
{
    printf("%s: %s\n", what, hmf_error_text());
    return 1;
}

static hmf_state_t *new_state(void)
{
    hmf_state_t *s;

    if (hmf_state_new(&s) != HMF_OK)
        exit(failed("state"));
    return s;
}

static hmf_state_t *everything(void)
{
    hmf_state_t *s = new_state();

    for (size_t i = 0; i < HETERO_LEN(cases); i++)
        if (cases[i]->add(s) != HMF_OK)
            exit(failed(cases[i]->name));
    return s;
}

static int put_file(hmf_state_t *s, const char *to)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    hmf_status_t rc = put_stream(s, fd);

    close(fd);
    return rc == HMF_OK ? 0 : failed(to);
}

static hmf_status_t get_file(hmf_state_t *s, const char *from)
{
    int fd = open(from, O_RDONLY);
    hmf_status_t rc = get_stream(s, fd);

    close(fd);
    return rc;
}

/* ---- what is asked for ---- */

static int compare(const char *what)
{
    int bad = 0;

    for (size_t i = 0; i < HETERO_LEN(cases); i++) {
        int n = cases[i]->check();
        if (n)
            printf("%s: %d values of %s differ\n", what, n, cases[i]->name);
        bad += n;
    }
    return bad != 0;
}

static int get(const char *folder, const char *name, const char *end,
               hmf_status_t from(hmf_state_t *, const char *))
{
    hmf_state_t *s = everything();
    int bad;

    for (size_t i = 0; i < HETERO_LEN(cases); i++)
        cases[i]->poison();
    file(folder, name, end);
    bad = from(s, path) == HMF_OK ? compare(path) : failed(path);
    hmf_state_free(s);
    return bad;
}

static int put(const char *folder, const char *name)
{
    hmf_state_t *s = everything();
    int bad = put_file(s, file(folder, name, ".image"));

#ifdef HETERO_HDF5
    if (put_check(s, file(folder, name, ".check")) != HMF_OK)
        bad = failed(path);
#endif
    hmf_state_free(s);
    return bad;
}

static int put_wides(const char *folder, const char *name)
{
    char end[64];
    int bad = 0;

    for (size_t i = 0; i < hetero_nwides; i++) {
        const struct hetero_wide *w = &hetero_wides[i];
        hmf_state_t *s = new_state();
        if (w->add(s) != HMF_OK)
            exit(failed(w->name));
        snprintf(end, sizeof end, ".%s", w->name);
        if (w->fill())
            bad |= put_file(s, file(folder, name, end));
        hmf_state_free(s);
    }
    return bad;
}

/* The value, where it fits; else an error that names variable and value. */
static int get_wide(const char *folder, const char *name, const struct hetero_wide *w)
{
    hmf_state_t *s = new_state();
    char end[64];
    hmf_status_t rc;
    int bad = 0;

    if (w->add(s) != HMF_OK)
        exit(failed(w->name));
    snprintf(end, sizeof end, ".%s", w->name);
    if (access(file(folder, name, end), F_OK)) /* cannot be written there */
        goto free_state;
    rc = get_file(s, path);
    if (w->fits()) {
        bad = rc == HMF_OK ? w->check() : failed(path);
    } else if (rc != HMF_ERR_RANGE || !strstr(hmf_error_text(), w->name) ||
               !strstr(hmf_error_text(), w->text)) {
        printf("%s: status %d is not an error of range that names %s and %s\n", path, rc, w->name,
               w->text);
        bad = failed(path);
    }
free_state:
    hmf_state_free(s);
    return bad != 0;
}

static int get_all(const char *folder, const char *name)
{
    int bad = get(folder, name, ".image", get_file);

#ifdef HETERO_HDF5
    if (!access(file(folder, name, ".check"), F_OK))
        bad |= get(folder, name, ".check", get_check);
#endif
    for (size_t i = 0; i < hetero_nwides; i++)
        bad |= get_wide(folder, name, &hetero_wides[i]);
    return bad;
}

/* By the version in its name: v2-... has other variables. */
static int golden(const char *from)
{
    const char *base = strrchr(from, '/') ? strrchr(from, '/') + 1 : from;
    hmf_state_t *s = new_state();
    struct golden g;
    struct golden2 g2;
    struct golden3 g3;
    int bad = 0, version = base[1] - '0';

    memset(&g, 0x55, sizeof g);
    memset(&g2, 0x55, sizeof g2);
    memset(&g3, 0x55, sizeof g3);
    if ((version == 3   ? golden3_register(s, &g3)
         : version == 2 ? golden2_register(s, &g2)
                        : golden_register(s, &g)) != HMF_OK ||
        get_file(s, from) != HMF_OK)
        bad = failed(from);
    else if (!(version == 3   ? golden3_good(&g3)
               : version == 2 ? golden2_good(&g2)
                              : golden_good(&g)))
        bad = printf("%s: its values are not what they were\n", from) > 0;
    hmf_state_free(s);
    return bad;
}

static int write_golden(const char *to, int version)
{
    hmf_state_t *s = new_state();
    struct golden2 g2;
    struct golden3 g3;

    golden2_fill(&g2);
    golden3_fill(&g3);
    hmf_status_t rc = version == 3 ? golden3_register(s, &g3) : golden2_register(s, &g2);
    int bad = rc != HMF_OK ? failed(to) : put_file(s, to);
    hmf_state_free(s);
    return bad;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    int bad = 0;

    if (!strcmp(what, "write") && argc == 4) {
        for (size_t i = 0; i < HETERO_LEN(cases); i++)
            cases[i]->fill();
        bad = put(argv[2], argv[3]) | put_wides(argv[2], argv[3]);
    } else if (!strcmp(what, "read")) {
        for (int i = 3; i < argc; i++)
            bad |= get_all(argv[2], argv[i]);
    } else if (!strcmp(what, "pass") && argc == 5) {
        bad = get(argv[2], argv[3], ".image", get_file) || put(argv[2], argv[4]);
    } else if (!strcmp(what, "golden")) {
        for (int i = 2; i < argc; i++)
            bad |= golden(argv[i]);
    } else if (!strcmp(what, "write-golden2") || !strcmp(what, "write-golden3")) {
        bad = write_golden(argv[2], what[12] - '0');
    } else {
        fprintf(stderr, "usage: matrix write FOLDER NAME | read FOLDER NAME... | "
                        "pass FOLDER FROM TO | golden FILE... | write-golden2 FILE | "
                        "write-golden3 FILE\n");
        return 2;
    }
    return bad;
}
