/*
 * launch: env=HMF_LOG=error
 *
 * A checkpoint is an ordinary HDF5 file: read here with HDF5 alone, by names that a person knows.
 */
#include "config.h"

#include "check_team.h"
#include "unit.h"

#include <hdf5.h>

static hid_t open_sample(void)
{
    struct hmf__check_job job = alone("plain");
    uint64_t g;
    team_clear("plain");
    CU_ASSERT_EQUAL(team_write(&job, 6, &g), HMF_OK);
    hmf__check_release(&job);
    return H5Fopen("plain/gen-000001/rank-00000.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
}

static void variables_by_name(void)
{
    hid_t f = open_sample();
    CU_ASSERT_FATAL(f >= 0);
    double cells[TEAM_CELLS];
    int step = 0;
    char title[17] = "";
    hid_t d = H5Dopen2(f, "/state/cells", H5P_DEFAULT);
    CU_ASSERT_FATAL(d >= 0);
    hid_t space = H5Dget_space(d);
    hsize_t dims[2] = {0, 0};
    CU_ASSERT_EQUAL(H5Sget_simple_extent_dims(space, dims, NULL), 1);
    CU_ASSERT_EQUAL(dims[0], TEAM_CELLS);
    CU_ASSERT(H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) >= 0);
    CU_ASSERT_EQUAL(cells[699], 6000 + 699 * 0.5);
    H5Sclose(space);
    H5Dclose(d);
    d = H5Dopen2(f, "/state/step", H5P_DEFAULT);
    CU_ASSERT_FATAL(d >= 0);
    CU_ASSERT(H5Dread(d, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, &step) >= 0);
    CU_ASSERT_EQUAL(step, 6);
    H5Dclose(d);
    d = H5Dopen2(f, "/state/title", H5P_DEFAULT);
    CU_ASSERT_FATAL(d >= 0);
    hid_t t = H5Dget_type(d);
    CU_ASSERT_EQUAL(H5Tget_class(t), H5T_STRING);
    CU_ASSERT(H5Dread(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, title) >= 0);
    CU_ASSERT_STRING_EQUAL(title, "r0 s6");
    H5Tclose(t);
    H5Dclose(d);
    H5Fclose(f);
}

/* The name of the first link in a group that ends so. */
struct wanted {
    const char *end;
    char name[300];
};

static herr_t find_link(hid_t group, const char *name, const H5L_info_t *info, void *ctx)
{
    (void)group, (void)info;
    struct wanted *w = ctx;
    size_t n = strlen(name), k = strlen(w->end);
    if (n >= k && strcmp(name + n - k, w->end) == 0 && strncmp(name, "struct", 6) == 0) {
        snprintf(w->name, sizeof w->name, "%s", name);
        return 1;
    }
    return 0;
}

static void nodes_and_where_they_lead(void)
{
    hid_t f = open_sample();
    CU_ASSERT_FATAL(f >= 0);
    hid_t tables = H5Gopen2(f, "/tables", H5P_DEFAULT);
    struct wanted w = {".refs", ""};
    CU_ASSERT_EQUAL_FATAL(H5Literate(tables, H5_INDEX_NAME, H5_ITER_INC, NULL, find_link, &w), 1);
    uint32_t next[TEAM_NODES];
    hid_t d = H5Dopen2(tables, w.name, H5P_DEFAULT);
    hid_t t = H5Tcreate(H5T_COMPOUND, sizeof(uint32_t));
    H5Tinsert(t, "next", 0, H5T_NATIVE_UINT32);
    CU_ASSERT(H5Dread(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, next) >= 0);
    for (int i = 1; i + 1 < TEAM_NODES; i++)
        CU_ASSERT_EQUAL(next[i], next[i - 1] + 1);
    CU_ASSERT_EQUAL(next[TEAM_NODES - 1], next[0] - 1);
    H5Tclose(t);
    H5Dclose(d);
    *strrchr(w.name, '.') = '\0';

    /* two fields of four, by their C names, in an order of our own */
    struct { char tag[8]; int value; } nodes[TEAM_NODES];
    hid_t tag = H5Tcopy(H5T_C_S1);
    H5Tset_size(tag, 8);
    t = H5Tcreate(H5T_COMPOUND, sizeof nodes[0]);
    H5Tinsert(t, "tag", 0, tag);
    H5Tinsert(t, "value", 8, H5T_NATIVE_INT);
    d = H5Dopen2(tables, w.name, H5P_DEFAULT);
    CU_ASSERT_FATAL(d >= 0);
    CU_ASSERT(H5Dread(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, nodes) >= 0);
    CU_ASSERT_EQUAL(nodes[3].value, 63);
    CU_ASSERT_STRING_EQUAL(nodes[3].tag, "n3");
    hid_t own = H5Dget_type(d);
    CU_ASSERT(H5Tcommitted(own) > 0);
    H5Tclose(own);
    H5Tclose(tag);
    H5Tclose(t);
    H5Dclose(d);
    H5Gclose(tables);
    H5Fclose(f);
}

static void names_and_labels(void)
{
    hid_t f = open_sample();
    CU_ASSERT_FATAL(f >= 0);
    hid_t d = H5Dopen2(f, "/names", H5P_DEFAULT);
    CU_ASSERT_FATAL(d >= 0);
    struct { char name[32], dataset[64]; } names[5];
    memset(names, 0, sizeof names);
    hid_t s32 = H5Tcopy(H5T_C_S1), s64 = H5Tcopy(H5T_C_S1);
    H5Tset_size(s32, 32);
    H5Tset_size(s64, 64);
    hid_t t = H5Tcreate(H5T_COMPOUND, sizeof names[0]);
    H5Tinsert(t, "name", 0, s32);
    H5Tinsert(t, "dataset", 32, s64);
    CU_ASSERT(H5Dread(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, names) >= 0);
    CU_ASSERT_STRING_EQUAL(names[1].name, "cells");
    CU_ASSERT_STRING_EQUAL(names[1].dataset, "/state/cells");
    CU_ASSERT_STRING_EQUAL(names[2].name, "ring");
    CU_ASSERT_EQUAL(strncmp(names[2].dataset, "/tables/", 8), 0);
    H5Tclose(t);
    H5Tclose(s32);
    H5Tclose(s64);
    H5Dclose(d);
    uint64_t generation = 0;
    hid_t a = H5Aopen(f, "generation", H5P_DEFAULT);
    CU_ASSERT(H5Aread(a, H5T_NATIVE_UINT64, &generation) >= 0);
    CU_ASSERT_EQUAL(generation, 1);
    H5Aclose(a);
    H5Fclose(f);
}

static const struct unit_test tests[] = {
    {"variables by name", variables_by_name},
    {"nodes and where they lead", nodes_and_where_they_lead},
    {"names and labels", names_and_labels},
};

UNIT_MAIN("checkpoints as HDF5 files", tests)
