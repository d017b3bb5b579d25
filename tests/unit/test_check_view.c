/*
 * launch: env=HMF_LOG=error
 *
 * Looking into checkpoints: variables, values as text, bytes, differences.
 */
#include "config.h"

#include "check_team.h"
#include "hmf/check.h"
#include "unit.h"

#include <math.h>

static char rows[16][512];
static uint64_t nrows;

static void keep_row(void *ctx, uint64_t index, const char *text)
{
    (void)ctx;
    if (index < 16)
        snprintf(rows[index], sizeof rows[0], "%s", text);
    nrows++;
}

static char told[64][256];
static int ntold;

static void keep_difference(void *ctx, const struct hmf_check_difference *d)
{
    (void)ctx;
    if (ntold < 64)
        snprintf(told[ntold++], sizeof told[0], "%s[%d]%s: %s / %s", d->name, (int)d->row, d->path,
                 d->a != NULL ? d->a : "-", d->b != NULL ? d->b : "-");
}

static void write_steps(const char *dir, int first, int last)
{
    struct hmf__check_job job = alone(dir);
    uint64_t g;
    team_clear(dir);
    for (int i = first; i <= last; i++)
        CU_ASSERT_EQUAL(team_write(&job, i, &g), HMF_OK);
    hmf__check_release(&job);
}

static void variables_and_values(void)
{
    hmf_check_t *c = NULL;
    struct hmf_check_info info;
    struct hmf_check_var var;
    size_t n = 0, found = 0;
    write_steps("view", 3, 4);
    CU_ASSERT_EQUAL_FATAL(hmf_check_open("view", &c), HMF_OK);
    hmf_check_get_info(c, &info);
    CU_ASSERT_EQUAL(info.generation, 2);
    CU_ASSERT_EQUAL(info.nranks, 1);
    CU_ASSERT_STRING_EQUAL(info.program, "sample");
    CU_ASSERT_EQUAL(hmf_check_count(c, 0, &n), HMF_OK);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(hmf_check_var(c, 0, i, &var), HMF_OK);
        if (strcmp(var.name, "cells") == 0) {
            CU_ASSERT_STRING_EQUAL(var.type, "double[700]");
            CU_ASSERT_EQUAL(var.rows, TEAM_CELLS);
            CU_ASSERT_EQUAL(var.bytes, TEAM_CELLS * 8);
            found++;
        }
        if (var.heap) {
            CU_ASSERT_EQUAL(var.rows, TEAM_NODES);
            nrows = 0;
            CU_ASSERT_EQUAL(hmf_check_print(c, 0, var.name, 0, UINT64_MAX, keep_row, NULL), HMF_OK);
            CU_ASSERT_EQUAL(nrows, TEAM_NODES);
            CU_ASSERT_PTR_NOT_NULL(strstr(rows[1], "value=41, place=[0, 5], next=-> "));
            CU_ASSERT_PTR_NOT_NULL(strstr(rows[1], "[2], tag=\"n1\"}"));
            /* the ring closes */
            CU_ASSERT_PTR_NOT_NULL(strstr(rows[4], "[0], tag=\"n4\"}"));
            found++;
        }
    }
    CU_ASSERT_EQUAL(found, 2);
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "step", 0, 9, keep_row, NULL), HMF_OK);
    CU_ASSERT_STRING_EQUAL(rows[0], "4");
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "title", 0, 9, keep_row, NULL), HMF_OK);
    CU_ASSERT_STRING_EQUAL(rows[0], "\"r0 s4\"");
    nrows = 0;
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "cells", 1, 2, keep_row, NULL), HMF_OK);
    CU_ASSERT_STRING_EQUAL(rows[1], "4000.5");
    CU_ASSERT_EQUAL(nrows, 2);
    nrows = 0;
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "cells", 700, 1, keep_row, NULL), HMF_OK);
    CU_ASSERT_EQUAL(nrows, 0);
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "cell", 0, 1, keep_row, NULL), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(hmf_check_count(c, 1, &n), HMF_ERR_NOTFOUND);
    double two[2];
    CU_ASSERT_EQUAL(hmf_check_bytes(c, 0, "cells", 698, 2, two, sizeof two), HMF_OK);
    CU_ASSERT_EQUAL(two[1], 4000 + 699 * 0.5);
    CU_ASSERT_EQUAL(hmf_check_bytes(c, 0, "cells", 699, 2, two, sizeof two), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_check_bytes(c, 0, "cells", 0, 3, two, sizeof two), HMF_ERR_ARG);
    hmf_check_close(c);
}

static void differences(void)
{
    hmf_check_t *a = NULL, *b = NULL;
    uint64_t n = 99;
    write_steps("same1", 7, 7);
    write_steps("same2", 7, 7);
    CU_ASSERT_EQUAL_FATAL(hmf_check_open("same1", &a), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_check_open("same2", &b), HMF_OK);
    CU_ASSERT_EQUAL(hmf_check_diff(a, b, 0, 0, 0, 10, keep_difference, NULL, &n), HMF_OK);
    CU_ASSERT_EQUAL(n, 0);
    hmf_check_close(b);
    write_steps("other", 8, 8);
    CU_ASSERT_EQUAL_FATAL(hmf_check_open("other", &b), HMF_OK);
    ntold = 0;
    CU_ASSERT_EQUAL(hmf_check_diff(a, b, 0, 0, 0, 2, keep_difference, NULL, &n), HMF_OK);
    /* step, 700 cells, a title, 3 shorts, 5 nodes with a value and a place each */
    CU_ASSERT_EQUAL(n, 1 + 700 + 1 + 3 + 10);
    CU_ASSERT_EQUAL(ntold, 2);
    CU_ASSERT_STRING_EQUAL(told[0], "step[0]: 7 / 8");
    CU_ASSERT_EQUAL(hmf_check_diff(a, b, 0, 1000, 0, 0, keep_difference, NULL, &n), HMF_OK);
    CU_ASSERT_EQUAL(n, 1 + 1 + 3 + 5);
    CU_ASSERT_EQUAL(hmf_check_diff(a, b, 0, -1, 0, 0, keep_difference, NULL, &n), HMF_ERR_ARG);
    hmf_check_close(a);
    hmf_check_close(b);
}

/* A pointer that leads elsewhere is a difference, a variable that only one has is one. */
static void other_pointers_and_variables(void)
{
    struct team_node two[2] = {{.value = 1}, {.value = 2}};
    int extra = 5;
    struct team_node *p = &two[0];
    hmf_state_t *s = NULL;
    hmf_image_t *image = NULL;
    hmf_check_t *a = NULL, *b = NULL;
    uint64_t g, n;
    static const int desc_nodes[] = {-4, typeINT, typeARRAY, 2, typeDOUBLE, typePOINTER, typeSELF,
                                     0, typeFSTRING, 8};
    for (int i = 0; i < 2; i++) {
        struct hmf__check_job job = alone(i == 0 ? "ptr1" : "ptr2");
        team_clear(job.dir);
        CU_ASSERT_EQUAL_FATAL(hmf_state_new(&s), HMF_OK);
        CU_ASSERT_EQUAL(hmf_state_add(s, "nodes", two, sizeof two, desc_nodes, TEAM_LEN(desc_nodes),
                                      ring_names), HMF_OK);
        CU_ASSERT_EQUAL(hmf_state_add(s, "p", &p, sizeof p, desc_ring, TEAM_LEN(desc_ring),
                                      ring_names), HMF_OK);
        if (i == 1)
            CU_ASSERT_EQUAL(hmf_state_add(s, "extra", &extra, sizeof extra, desc_int, 1, NULL),
                            HMF_OK);
        CU_ASSERT_EQUAL_FATAL(hmf_image_capture(s, &image), HMF_OK);
        CU_ASSERT_EQUAL(hmf__check_write(&job, image, &g), HMF_OK);
        hmf_image_free(image);
        hmf_state_free(s);
        hmf__check_release(&job);
        two[0].next = &two[1];
        p = &two[1];
    }
    CU_ASSERT_EQUAL_FATAL(hmf_check_open("ptr1", &a), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_check_open("ptr2", &b), HMF_OK);
    ntold = 0;
    CU_ASSERT_EQUAL(hmf_check_diff(a, b, 0, 0, 0, 10, keep_difference, NULL, &n), HMF_OK);
    CU_ASSERT_EQUAL(n, 3);
    CU_ASSERT_STRING_EQUAL(told[0], "nodes[0].next: NULL / -> nodes[1]");
    CU_ASSERT_STRING_EQUAL(told[1], "p[0]: -> nodes[0] / -> nodes[1]");
    CU_ASSERT_STRING_EQUAL(told[2], "extra[0]: - / int");
    hmf_check_close(a);
    hmf_check_close(b);
}

static int listed, complete;

static void count_generations(void *ctx, const struct hmf_check_generation *g)
{
    (void)ctx;
    listed++;
    complete += g->complete;
    if (!g->complete)
        CU_ASSERT_PTR_NOT_NULL(strstr(g->problem, "manifest"));
}

static void list_verify_and_refuse(void)
{
    hmf_check_t *c = NULL;
    write_steps("listed", 1, 3);
    CU_ASSERT_EQUAL(hmf_check_list("listed", count_generations, NULL), HMF_OK);
    CU_ASSERT_EQUAL(listed, 2);
    CU_ASSERT_EQUAL(complete, 2);
    CU_ASSERT_EQUAL(unlink("listed/gen-000003/manifest.txt"), 0);
    listed = complete = 0;
    CU_ASSERT_EQUAL(hmf_check_list("listed", count_generations, NULL), HMF_OK);
    CU_ASSERT_EQUAL(listed, 2);
    CU_ASSERT_EQUAL(complete, 1);
    CU_ASSERT_EQUAL_FATAL(hmf_check_open("listed", &c), HMF_OK);
    CU_ASSERT_EQUAL(hmf_check_verify(c, 0), HMF_OK);
    FILE *f = fopen("listed/gen-000002/rank-00000.h5", "r+b");
    fseek(f, 9000, SEEK_SET);
    fputc(0xa5, f);
    fputc(0x5a, f);
    fclose(f);
    CU_ASSERT_EQUAL(hmf_check_verify(c, 0), HMF_ERR_CHECKSUM);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "gen-000002/rank-00000.h5"));
    hmf_check_close(c);
    CU_ASSERT_EQUAL(hmf_check_open("nowhere", &c), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(hmf_check_open("/dev/null", &c), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_check_open("/dev", &c), HMF_ERR_NOTFOUND);
}

static const struct unit_test tests[] = {
    {"variables and values", variables_and_values},
    {"differences", differences},
    {"other pointers and variables", other_pointers_and_variables},
    {"list, verify, refuse", list_verify_and_refuse},
};

UNIT_MAIN("looking into checkpoints", tests)
