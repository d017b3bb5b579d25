/*
 * launch: env=HMF_LOG=error limit=120
 *
 * Checkpoints that are continued on another number of ranks: global arrays shared out as blocks,
 * boxes with ghost cells, block-cyclic, irregular lists; behind pointers; with structs; refused
 * when something is missing. Ranks are threads.
 */
#include "config.h"

#include "check_team.h"
#include "parts.h"
#include "unit.h"

#include <hdf5.h>

#define N 24
#define M 18

static double value(uint64_t i, uint64_t j)
{
    return 1.0 / (double)(i * 100 + j + 1);
}

struct cell {
    int id;
    double heat;
};

/* One rank's share of the arrays. */
struct share {
    int step;
    double *grid;                       /* N x M, boxes with a ghost cell around, behind a pointer */
    uint64_t first, rows, left, cols;
    float cyclic[N];                    /* of N, dealt out one after the other */
    uint64_t ncyclic;
    struct cell list[N];                /* of N, in an order of its own */
    uint64_t nlist, index[N];
    int column[N * M];                  /* N x M in Fortran's order, columns shared out */
    uint64_t column_first, column_cols;
    hmf_state_t *state;
};

static const int desc_float[] = {typeFLOAT};
static const int desc_cell[] = {-2, typeINT, typeDOUBLE};

static int declare(struct share *s, int rank, int nranks, bool ghosts)
{
    static const uint64_t shape[2] = {N, M}, length = N;
    int ny = nranks % 2 == 0 ? 2 : 1, nx = nranks / ny, y = rank / nx, x = rank % nx;
    s->first = (uint64_t)(y * N / ny);
    s->rows = (uint64_t)((y + 1) * N / ny) - s->first;
    s->left = (uint64_t)(x * M / nx);
    s->cols = (uint64_t)((x + 1) * M / nx) - s->left;
    uint64_t wide = s->cols + 2;
    struct hmf_piece box[3] = {
        {.offset = {s->first, s->left}, .extent = {s->rows, s->cols}, .first = wide + 1,
         .stride = {wide, 1}},
        {.offset = {s->first + s->rows, s->left}, .extent = {1, s->cols},
         .first = (s->rows + 1) * wide + 1, .stride = {wide, 1}, .halo = 1}
    };
    bool below = ghosts && s->first + s->rows < N;
    int grid_desc[] = {typePOINTER, typeARRAY, (int)((s->rows + 2) * wide), typeDOUBLE};
    struct hmf_piece deal[N], columns = {{0}, {0}, 0, {0}, 0};
    s->ncyclic = s->nlist = 0;
    for (uint64_t i = (uint64_t)rank; i < N; i += (uint64_t)nranks, s->ncyclic++)
        deal[s->ncyclic] = (struct hmf_piece){.offset = {i}, .extent = {1}, .first = s->ncyclic};
    for (uint64_t i = 0; i < N; i++) {
        if ((i * 7 % N) % (uint64_t)nranks == (uint64_t)rank)
            s->index[s->nlist++] = i * 7 % N;
    }
    s->column_first = (uint64_t)(rank * M / nranks);
    s->column_cols = (uint64_t)((rank + 1) * M / nranks) - s->column_first;
    columns.offset[1] = s->column_first;
    columns.extent[0] = N;
    columns.extent[1] = s->column_cols;
    columns.stride[0] = 1;
    columns.stride[1] = N;
    hmf_state_t *t;
    if (hmf_state_new(&t) != HMF_OK)
        return -1;
    s->state = t;
    return hmf_state_add(t, "step", &s->step, sizeof(int), desc_int, 1, NULL)
        || hmf_state_add(t, "grid", &s->grid, sizeof s->grid, grid_desc, 4, NULL)
        || hmf_state_add(t, "cyclic", s->cyclic, sizeof s->cyclic, desc_float, 1, NULL)
        || hmf_state_add(t, "list", s->list, sizeof s->list, desc_cell, 3, NULL)
        || hmf_state_add(t, "column", s->column, sizeof s->column, desc_int, 1, NULL)
        || hmf__parts_set_equal(t, "step")
        || hmf__parts_set(t, "grid", 2, shape, below ? 2 : 1, box)
        || hmf__parts_set(t, "cyclic", 1, &length, s->ncyclic, deal)
        || hmf__parts_set_list(t, "list", N, s->nlist, s->index)
        || hmf__parts_set(t, "column", 2, shape, 1, &columns);
}

static void fill(struct share *s)
{
    uint64_t wide = s->cols + 2;
    s->step = 31;
    s->grid = malloc((s->rows + 2) * wide * sizeof(double));
    for (uint64_t i = 0; i < (s->rows + 2) * wide; i++)
        s->grid[i] = -1;
    for (uint64_t i = 0; i < s->rows; i++) {
        for (uint64_t j = 0; j < s->cols; j++)
            s->grid[(i + 1) * wide + j + 1] = value(s->first + i, s->left + j);
    }
    for (uint64_t k = 0; k < s->ncyclic; k++)
        s->cyclic[k] = 0;               /* by the caller, who knows the rank */
    for (uint64_t k = 0; k < s->nlist; k++)
        s->list[k] = (struct cell){(int)s->index[k], 0.5 * (double)s->index[k]};
    for (uint64_t j = 0; j < s->column_cols; j++) {
        for (uint64_t i = 0; i < N; i++)
            s->column[j * N + i] = (int)(i * 1000 + s->column_first + j);
    }
}

static int right(const struct share *s, int rank, int nranks, bool ghosts)
{
    uint64_t wide = s->cols + 2, end = s->rows + (ghosts && s->first + s->rows < N);
    int ok = s->step == 31 && s->grid != NULL;
    for (uint64_t i = 0; i < end && ok; i++) {
        for (uint64_t j = 0; j < s->cols; j++)
            ok &= s->grid[(i + 1) * wide + j + 1] == value(s->first + i, s->left + j);
    }
    for (uint64_t k = 0; k < s->ncyclic; k++)
        ok &= s->cyclic[k] == (float)(rank + (int)k * nranks) + 0.25f;
    for (uint64_t k = 0; k < s->nlist; k++)
        ok &= s->list[k].id == (int)s->index[k] && s->list[k].heat == 0.5 * (double)s->index[k];
    for (uint64_t j = 0; j < s->column_cols; j++) {
        for (uint64_t i = 0; i < N; i++)
            ok &= s->column[j * N + i] == (int)(i * 1000 + s->column_first + j);
    }
    return ok;
}

struct round {
    bool ghosts, behind, undeclared;
    hmf_status_t rc[TEAM_MAX];
    int right[TEAM_MAX];
    char text[1024];
};

static void save_shares(struct hmf__check_job *job, void *arg)
{
    struct round *round = arg;
    struct share s = {0};
    hmf_image_t *image = NULL;
    uint64_t g = 0;
    CU_ASSERT_EQUAL_FATAL(declare(&s, job->rank, job->nranks, round->ghosts), 0);
    fill(&s);
    for (uint64_t k = 0; k < s.ncyclic; k++)
        s.cyclic[k] = (float)(job->rank + (int)k * job->nranks) + 0.25f;
    CU_ASSERT_EQUAL_FATAL(hmf_image_capture(s.state, &image), HMF_OK);
    hmf_status_t rc = round->behind ? hmf__check_begin(job, image, &g)
                                    : hmf__check_write(job, image, &g);
    hmf_image_free(image);
    if (rc == HMF_OK && round->behind)
        rc = hmf__check_complete(job, &g);
    round->rc[job->rank] = rc;
    if (job->rank == 0)
        snprintf(round->text, sizeof round->text, "%s", hmf_error_text());
    hmf_state_free(s.state);
    free(s.grid);
}

static void load_shares(struct hmf__check_job *job, void *arg)
{
    struct round *round = arg;
    struct share s = {0};
    uint64_t g = 0;
    int extra = 0;
    CU_ASSERT_EQUAL_FATAL(declare(&s, job->rank, job->nranks, round->ghosts), 0);
    if (round->undeclared)
        CU_ASSERT_EQUAL(hmf_state_add(s.state, "extra", &extra, sizeof extra, desc_int, 1, NULL),
                        HMF_OK);
    round->rc[job->rank] = hmf__check_load(job, -1, s.state, &g);
    round->right[job->rank] = right(&s, job->rank, job->nranks, round->ghosts);
    if (job->rank == 0)
        snprintf(round->text, sizeof round->text, "%s", hmf_error_text());
    hmf_state_free(s.state);
    free(s.grid);
}

static void from_to(int from, int to, struct round *how)
{
    struct round saved = *how, loaded = *how;
    team_clear("parts");
    team_run(from, "parts", save_shares, &saved);
    team_run(to, "parts", load_shares, &loaded);
    for (int i = 0; i < from; i++)
        CU_ASSERT_EQUAL(saved.rc[i], HMF_OK);
    for (int i = 0; i < to; i++) {
        CU_ASSERT_EQUAL(loaded.rc[i], HMF_OK);
        CU_ASSERT(loaded.right[i]);
        if (loaded.rc[i] != HMF_OK || !loaded.right[i])
            fprintf(stderr, "%d -> %d ranks, rank %d: %s\n", from, to, i, loaded.text);
    }
}

static void fewer_more_and_as_many_ranks(void)
{
    static const int counts[] = {1, 2, 3, 4, 6, 8};
    for (size_t a = 0; a < 6; a++) {
        for (size_t b = 0; b < 6; b++)
            from_to(counts[a], counts[b], &(struct round){.ghosts = (a + b) % 2});
    }
}

static void written_in_the_background(void)
{
    from_to(4, 3, &(struct round){.behind = true});
    from_to(3, 3, &(struct round){.behind = true, .ghosts = true});
}

/* As many ranks, but other parts. */
static void as_many_ranks_with_other_parts(void)
{
    struct round saved = {.ghosts = false}, loaded = {.ghosts = true};
    team_clear("parts");
    team_run(4, "parts", save_shares, &saved);
    team_run(4, "parts", load_shares, &loaded);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(loaded.rc[i], HMF_OK);
        CU_ASSERT(loaded.right[i]);
    }
}

static void what_was_not_declared_is_named(void)
{
    struct round saved = {0}, loaded = {.undeclared = true};
    team_clear("parts");
    team_run(4, "parts", save_shares, &saved);
    team_run(3, "parts", load_shares, &loaded);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(loaded.rc[i], HMF_ERR_MISMATCH);
    CU_ASSERT_PTR_NOT_NULL(strstr(loaded.text, "extra"));
    CU_ASSERT_PTR_NOT_NULL(strstr(loaded.text, "hmf_partition"));
}

/* ---- what other tools see ---- */

static void read_view(hid_t file, const char *name, hid_t type, void *to)
{
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    CU_ASSERT_FATAL(set >= 0);
    CU_ASSERT(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) >= 0);
    H5Dclose(set);
}

static void arrays_are_seen_as_a_whole(void)
{
    static double grid[N][M];
    static int column[N][M];
    float cyclic[N];
    struct cell list[N];
    struct round saved = {.ghosts = true};
    team_clear("parts");
    team_run(4, "parts", save_shares, &saved);
    CU_ASSERT_EQUAL_FATAL(saved.rc[0], HMF_OK);
    hid_t file = H5Fopen("parts/gen-000001/global.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    CU_ASSERT_FATAL(file >= 0);
    hid_t cell = H5Tcreate(H5T_COMPOUND, sizeof(struct cell));
    H5Tinsert(cell, "f0", 0, H5T_NATIVE_INT);
    H5Tinsert(cell, "f1", offsetof(struct cell, heat), H5T_NATIVE_DOUBLE);
    read_view(file, "/global/grid", H5T_NATIVE_DOUBLE, grid);
    read_view(file, "/global/column", H5T_NATIVE_INT, column);
    read_view(file, "/global/cyclic", H5T_NATIVE_FLOAT, cyclic);
    read_view(file, "/global/list", cell, list);
    H5Tclose(cell);
    H5Fclose(file);
    int wrong = 0;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < M; j++) {
            wrong += grid[i][j] != value((uint64_t)i, (uint64_t)j);
            wrong += column[i][j] != i * 1000 + j;
        }
        wrong += cyclic[i] != (float)i + 0.25f;
        wrong += list[i].id != i || list[i].heat != 0.5 * i;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- memory ---- */

/* One rank saves two halves of an array and asks for all of it: another share, so the way of
   another number of ranks. Each allocation fails once. */
static void each_allocation_fails_once(void)
{
    static const uint64_t length = 40;
    struct hmf_piece halves[2] = {{.extent = {20}, .first = 20}, {.offset = {20}, .extent = {20}}};
    struct hmf_piece whole = {.extent = {40}};
    int failures = 0;
    for (int load = 0; load < 2; load++) {
        struct hmf__check_job job = alone("memory");
        for (long n = 0; n < 2000; n++) {
            double u[40];
            int step = 5;
            uint64_t g = 0;
            hmf_state_t *s = NULL;
            hmf_image_t *image = NULL;
            for (int i = 0; i < 40; i++)
                u[i] = load ? 0 : (i + 20) % 40;
            if (!load)
                team_clear("memory");
            hmf__alloc_fail_at(n);
            hmf_status_t rc = hmf_state_new(&s);
            if (rc == HMF_OK)
                rc = hmf_state_add(s, "u", u, sizeof u, desc_double, 1, NULL);
            if (rc == HMF_OK)
                rc = hmf_state_add(s, "step", &step, sizeof step, desc_int, 1, NULL);
            if (rc == HMF_OK)
                rc = hmf__parts_set_equal(s, "step");
            if (rc == HMF_OK)
                rc = hmf__parts_set(s, "u", 1, &length, load ? 1 : 2, load ? &whole : halves);
            if (rc == HMF_OK && load)
                rc = hmf__check_load(&job, -1, s, &g);
            else if (rc == HMF_OK && (rc = hmf_image_capture(s, &image)) == HMF_OK)
                rc = hmf__check_write(&job, image, &g);
            long calls = hmf__alloc_count();
            hmf__alloc_fail_at(0);
            hmf_image_free(image);
            hmf_state_free(s);
            hmf__check_release(&job);
            failures += rc != HMF_OK;
            bool told = rc == HMF_OK || rc == HMF_ERR_NOMEM || rc == HMF_ERR_HDF5
                || rc == HMF_ERR_IO;
            CU_ASSERT(told);
            if (!told)
                fprintf(stderr, "allocation %ld: %s: %s\n", n, hmf_status_name(rc),
                        hmf_error_text());
            if (rc == HMF_OK && load) {
                for (int i = 0; i < 40; i++)
                    CU_ASSERT(u[i] == i);
            }
            if (n > 0 && calls < n)
                break;
            CU_ASSERT(n < 1999);
        }
    }
    CU_ASSERT(failures > 50);
}

/* ---- damage ---- */

static void flip(const char *path, long at)
{
    FILE *f = fopen(path, "r+");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
    int c = fgetc(f);
    fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
    fputc(c ^ 0x20, f);
    fclose(f);
}

/* Each byte of global.h5, and some of each part: the older generation is used. */
static void a_damaged_file_is_never_read(void)
{
    struct round how = {0}, loaded;
    static const char *const files[] = {"global.h5", "rank-00001.h5", "manifest.txt"};
    char path[200];
    team_clear("parts");
    for (size_t i = 0; i < 3; i++) {
        team_run(2, "parts", save_shares, &how);
        team_run(2, "parts", save_shares, &how);
        for (int k = 0; k < 12; k++) {
            char newest[200] = "";
            for (int g = 1; g < 20; g++) {
                snprintf(path, sizeof path, "parts/gen-%06d/%s", g, files[i]);
                if (team_exists(path))
                    snprintf(newest, sizeof newest, "%s", path);
            }
            FILE *f = fopen(newest, "r");
            CU_ASSERT_PTR_NOT_NULL_FATAL(f);
            fseek(f, 0, SEEK_END);
            long at = ftell(f) * k / 12;
            fclose(f);
            flip(newest, at);
            loaded = (struct round){0};
            team_run(3, "parts", load_shares, &loaded);
            for (int r = 0; r < 3; r++) {
                CU_ASSERT_EQUAL(loaded.rc[r], HMF_OK);
                CU_ASSERT(loaded.right[r]);
            }
            flip(newest, at);
        }
    }
}

/* ---- declarations ---- */

static void wrong_declarations_are_refused(void)
{
    double u[10];
    double *p = u, **pp = &p;
    hmf_state_t *s;
    static const int pointer[] = {typePOINTER, typePOINTER, typeDOUBLE};
    static const uint64_t ten = 10, four = 4, big[2] = {UINT64_MAX, 2};
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&s), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(s, "u", u, sizeof u, desc_double, 1, NULL), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(s, "pp", &pp, sizeof pp, pointer, 3, NULL), HMF_OK);
    struct hmf_piece whole = {.extent = {10}}, beyond = {.offset = {5}, .extent = {6}};
    struct hmf_piece far = {.extent = {2}, .first = 9}, wide = {.extent = {3}, .stride = {5}};
    struct hmf_piece huge = {.extent = {10}, .stride = {UINT64_MAX / 2}};
    CU_ASSERT_EQUAL(hmf__parts_set(s, "u", 1, &ten, 1, &whole), HMF_OK);
    CU_ASSERT_EQUAL(hmf__parts_set(s, "none", 1, &ten, 1, &whole), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(hmf__parts_set(s, "u", 0, &ten, 1, &whole), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf__parts_set(s, "u", 9, &ten, 1, &whole), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf__parts_set(s, "u", 1, &four, 1, &whole), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf__parts_set(s, "u", 1, &ten, 1, &beyond), HMF_ERR_ARG);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "piece 0 of u"));
    CU_ASSERT_EQUAL(hmf__parts_set(s, "u", 1, &ten, 1, &far), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf__parts_set(s, "u", 1, &ten, 1, &wide), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf__parts_set(s, "u", 1, &ten, 1, &huge), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf__parts_set(s, "u", 2, big, 0, NULL), HMF_ERR_LIMIT);
    CU_ASSERT_EQUAL(hmf__parts_set(s, "pp", 1, &ten, 1, &whole), HMF_ERR_TYPE);
    CU_ASSERT_EQUAL(hmf__parts_set_equal(s, "pp"), HMF_OK);
    CU_ASSERT_EQUAL(hmf__parts_set_equal(s, "none"), HMF_ERR_NOTFOUND);
    hmf_state_free(s);
}

/* What two ranks own, or none, is told at the restart. */
struct uneven {
    uint64_t offset[4], extent[4];
    hmf_status_t rc[4];
    char text[1024];
    bool load;
};

static void uneven_shares(struct hmf__check_job *job, void *arg)
{
    struct uneven *how = arg;
    double u[100] = {0};
    static const uint64_t length = 100;
    hmf_state_t *s;
    hmf_image_t *image = NULL;
    uint64_t g = 0;
    CU_ASSERT_EQUAL_FATAL(hmf_state_new(&s), HMF_OK);
    CU_ASSERT_EQUAL(hmf_state_add(s, "u", u, sizeof u, desc_double, 1, NULL), HMF_OK);
    struct hmf_piece p = {.offset = {how->offset[job->rank]}, .extent = {how->extent[job->rank]}};
    CU_ASSERT_EQUAL(hmf__parts_set(s, "u", 1, &length, 1, &p), HMF_OK);
    if (how->load) {
        how->rc[job->rank] = hmf__check_load(job, -1, s, &g);
    } else {
        CU_ASSERT_EQUAL_FATAL(hmf_image_capture(s, &image), HMF_OK);
        how->rc[job->rank] = hmf__check_write(job, image, &g);
        hmf_image_free(image);
    }
    if (job->rank == 0)
        snprintf(how->text, sizeof how->text, "%s", hmf_error_text());
    hmf_state_free(s);
}

static void holes_and_double_owners_are_told(void)
{
    struct uneven hole = {{0, 60}, {50, 40}, {0}, "", false};
    struct uneven twice = {{0, 40}, {50, 60}, {0}, "", false};
    struct uneven all = {{0}, {100}, {0}, "", true}, some = {{60}, {30}, {0}, "", true};
    team_clear("uneven");
    team_run(2, "uneven", uneven_shares, &hole);
    CU_ASSERT_EQUAL(hole.rc[0], HMF_OK);
    team_run(1, "uneven", uneven_shares, &all);
    CU_ASSERT_EQUAL(all.rc[0], HMF_ERR_MISMATCH);
    CU_ASSERT_PTR_NOT_NULL(strstr(all.text, "of 100 elements"));
    team_run(1, "uneven", uneven_shares, &some);
    CU_ASSERT_EQUAL(some.rc[0], HMF_OK);
    team_clear("uneven");
    team_run(2, "uneven", uneven_shares, &twice);
    CU_ASSERT_EQUAL(twice.rc[0], HMF_OK);
    team_run(1, "uneven", uneven_shares, &all);
    CU_ASSERT_EQUAL(all.rc[0], HMF_ERR_MISMATCH);
    CU_ASSERT_PTR_NOT_NULL(strstr(all.text, "saved twice"));
}

static const struct unit_test tests[] = {
    {"fewer, more and as many ranks", fewer_more_and_as_many_ranks},
    {"written in the background", written_in_the_background},
    {"as many ranks with other parts", as_many_ranks_with_other_parts},
    {"what was not declared is named", what_was_not_declared_is_named},
    {"a damaged file is never read", a_damaged_file_is_never_read},
    {"arrays are seen as a whole", arrays_are_seen_as_a_whole},
    {"each allocation fails once", each_allocation_fails_once},
    {"wrong declarations are refused", wrong_declarations_are_refused},
    {"holes and double owners are told", holes_and_double_owners_are_told}
};

UNIT_MAIN("checkpoints on another number of ranks", tests)
