/*
 * launch: env=HMF_LOG=error
 *
 * Unions, bit-fields and flexible array members in checkpoints: read back, looked into, compared,
 * and as HDF5 alone shows them.
 */
#include "config.h"

#include "check_team.h"
#include "golden2.h"
#include "hmf/check.h"
#include "unit.h"

#include <hdf5.h>

static struct golden2 here;
static hmf_state_t *state;

static void keep(const char *dir, void (*change)(struct golden2 *g))
{
    struct hmf__check_job job = alone(dir);
    hmf_image_t *image = NULL;
    uint64_t g;
    team_clear(dir);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&state), HMF_OK);
    golden2_fill(&here);
    if (change != NULL)
        change(&here);
    CU_ASSERT_EQUAL_FATAL(golden2_register(state, &here), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_image_capture(state, &image), HMF_OK);
    CU_ASSERT_EQUAL(hmf__check_write(&job, image, &g), HMF_OK);
    hmf_image_free(image);
    hmf_state_free(state);
    golden2_drop(&here);
    hmf__check_release(&job);
}

static void restored(void)
{
    struct hmf__check_job job = alone("forms");
    uint64_t g;
    keep("forms", NULL);
    memset(&here, 0x55, sizeof here);
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&state), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(golden2_register(state, &here), HMF_OK);
    hmf_status_t rc = hmf__check_load(&job, -1, state, &g);
    if (rc != HMF_OK)
        printf("\n%s\n", hmf_error_text());
    CU_ASSERT_EQUAL_FATAL(rc, HMF_OK);
    CU_ASSERT(golden2_good(&here));
    golden2_drop(&here);
    hmf_state_free(state);
    hmf__check_release(&job);
}

static char rows[8][2000];

static void keep_row(void *ctx, uint64_t index, const char *text)
{
    (void)ctx;
    if (index < 8)
        snprintf(rows[index], sizeof rows[0], "%s", text);
}

#define SHOWS(row, words)                                                                         \
    do {                                                                                          \
        if (strstr(rows[row], words) == NULL)                                                     \
            printf("\n%s\n", rows[row]);                                                          \
        CU_ASSERT_PTR_NOT_NULL(strstr(rows[row], words));                                         \
    } while (0)

/* Only the branch that holds is shown, bit-fields as numbers, and where elements are. */
static void inspected(void)
{
    hmf_check_t *c = NULL;
    struct hmf_check_var var;
    CU_ASSERT_EQUAL_FATAL(hmf_check_open("forms", &c), HMF_OK);
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "values", 0, 6, keep_row, NULL), HMF_OK);
    CU_ASSERT_STRING_EQUAL(rows[0], "{kind=0, u={i=-77}}");
    CU_ASSERT_STRING_EQUAL(rows[1], "{kind=1, u={d=0.10000000000000001}}");
    SHOWS(2, "{kind=7, u={text=-> ");
    SHOWS(3, "{kind=-3, u={pair={c=112, next=-> ");
    SHOWS(3, ", s=9}}}");
    CU_ASSERT_STRING_EQUAL(rows[4], "{kind=99, u={raw=[1, 2, 3]}}");
    SHOWS(5, "next=-> values[5], s=0}}}");
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "bits", 1, 1, keep_row, NULL), HMF_OK);
    CU_ASSERT_STRING_EQUAL(rows[1], "{a=-2, b=7, c=212345, d=1022, e=0, f=98, g=411, h=2146483644, "
                                    "i=-4294967294, j=14, k=1, l=-1999999999, m=0, x=0.125}");
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "events", 2, 1, keep_row, NULL), HMF_OK);
    SHOWS(2, "{f2={f0=2, f1=-> events[1], f2=3, f4=100, f5={f1=-> ");
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "into", 0, 1, keep_row, NULL), HMF_OK);
    SHOWS(0, "-> values[3].u.pair.s");
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "fixed", 0, 1, keep_row, NULL), HMF_OK);
    SHOWS(0, "{f0=14, f1=105, f2=-> ");
    CU_ASSERT_EQUAL(hmf_check_print(c, 0, "table", 0, 1, keep_row, NULL), HMF_OK);
    SHOWS(0, "{n=3, {m=-4, row=[-> ");
    for (size_t i = 0; hmf_check_var(c, 0, i, &var) == HMF_OK; i++)
        if (strcmp(var.name, "bits") == 0) {
            CU_ASSERT_PTR_NOT_NULL(strstr(var.type, "int a : 3; unsigned int b : 5;"));
        } else if (strcmp(var.name, "fixed") == 0) {
            CU_ASSERT_PTR_NOT_NULL(strstr(var.type, "char f2[]"));
        }
    hmf_check_close(c);
}

static char told[8][300];
static int ntold;

static void keep_difference(void *ctx, const struct hmf_check_difference *d)
{
    (void)ctx;
    if (ntold < 8)
        snprintf(told[ntold++], sizeof told[0], "%s[%d]%s: %s / %s", d->name, (int)d->row, d->path,
                 d->a != NULL ? d->a : "-", d->b != NULL ? d->b : "-");
}

static void change(struct golden2 *g)
{
    g->values[0].u.i = -78;
    g->values[1].kind = 0;
    g->values[1].u.i = 3;
    memset((char *)&g->values[4].u + 3, 0x77, 4); /* what does not hold is no difference */
    g->bits[2].l = 5;
    g->tights[1].a = 3;
    g->events[2].key.mode = 3;
    g->events[1].motion.y = 1;
}

static void compared(void)
{
    hmf_check_t *a = NULL, *b = NULL;
    uint64_t n = 0;
    static const char *const want[] = {
        "values[0].u.i: -77 / -78", "values[1].kind: 1 / 0", "values[1].u: d / i",
        "events[1].f1.f2: 0.25 / 1", "bits[2].l: -1999999998 / 5", "tights[1].f0: 2 / 3"};
    keep("forms2", change);
    CU_ASSERT_EQUAL_FATAL(hmf_check_open("forms", &a), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_check_open("forms2", &b), HMF_OK);
    CU_ASSERT_EQUAL(hmf_check_diff(a, b, 0, 0, 0, 8, keep_difference, NULL, &n), HMF_OK);
    CU_ASSERT_EQUAL(n, 6);
    for (int i = 0; i < ntold && i < 6; i++)
        CU_ASSERT_STRING_EQUAL(told[i], want[i]);
    for (int i = 0; n != 6 && i < ntold; i++)
        printf("\n%s\n", told[i]);
    hmf_check_close(a);
    hmf_check_close(b);
}

/* With HDF5 alone: a union is bytes that say how it is told, bit-fields are a number. */
static void plain_hdf5(void)
{
    hid_t f = H5Fopen("forms/gen-000001/rank-00000.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    CU_ASSERT_FATAL(f >= 0);
    hid_t d = H5Dopen2(f, "/state/bits", H5P_DEFAULT);
    CU_ASSERT_FATAL(d >= 0);
    hid_t t = H5Dget_type(d);
    int at = H5Tget_member_index(t, "a:3,b:5,c:20,d:10,e:1");
    CU_ASSERT(at >= 0);
    CU_ASSERT(H5Tget_member_index(t, "f") > 0 && H5Tget_member_index(t, "x") > 0);
    if (at >= 0) {
        hid_t m = H5Tget_member_type(t, (unsigned)at);
        CU_ASSERT_EQUAL(H5Tget_class(m), H5Tget_size(m) == 8 ? H5T_INTEGER : H5T_OPAQUE);
        H5Tclose(m);
    }
    H5Tclose(t);
    H5Dclose(d);
    /* the only union without pointers stands in no other table: by name in /types */
    t = -1;
    H5E_BEGIN_TRY {
        hid_t g = H5Gopen2(f, "/types", H5P_DEFAULT);
        H5G_info_t info;
        for (hsize_t i = 0; g >= 0 && H5Gget_info(g, &info) >= 0 && i < info.nlinks; i++) {
            char name[200];
            H5Lget_name_by_idx(g, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                               H5P_DEFAULT);
            hid_t one = H5Topen2(g, name, H5P_DEFAULT);
            if (one >= 0 && H5Tget_class(one) == H5T_COMPOUND
                && H5Tget_member_index(one, "u") >= 0)
                t = one;
            else
                H5Tclose(one);
        }
        H5Gclose(g);
    } H5E_END_TRY
    CU_ASSERT_FATAL(t >= 0);
    hid_t u = H5Tget_member_type(t, (unsigned)H5Tget_member_index(t, "u"));
    CU_ASSERT_EQUAL(H5Tget_class(u), H5T_OPAQUE);
    char *tag = H5Tget_tag(u);
    CU_ASSERT_STRING_EQUAL(tag, "union by kind: 0 i, 1 d, 7 text, -3 pair, else raw");
    H5free_memory(tag);
    H5Tclose(u);
    H5Tclose(t);
    H5Fclose(f);
}

static const struct unit_test tests[] = {
    {"restored", restored},
    {"inspected", inspected},
    {"compared", compared},
    {"plain HDF5", plain_hdf5},
};

UNIT_MAIN("forms in checkpoints", tests)
