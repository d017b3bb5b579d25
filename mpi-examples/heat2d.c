/* heat2d.c: heat spreads through the rooms of a floor plan.
 *
 *   HMF_SPARES=1 mpirun -np 5 ./heat2d floorplan.pgm       (4 ranks compute, 1 process is spare)
 *
 * The plan is a picture: black is wall and keeps heat in, white is a heater, see heat2d_files.h. An
 * explicit scheme on a cartesian grid of ranks with halo exchange; the result goes to heat2d.h5 and
 * heat2d.png. What makes it migratable is marked with (1) to (5). */
#include "heat2d_files.h"

#include "auto.h"
#include <hmf/checktype.h>

#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPEED 0.24 /* share of a difference that flows to a neighbour in a step; stable below 1/4 */

struct options {
    const char *plan;     /* input picture */
    const char *out;      /* prefix of the output files */
    const char *progress; /* file that gets a line per step and rank, or NULL */
    int steps, refine;
    int frames; /* a picture after every so many steps, 0 for the last only */
    int wait_ms; /* in every step: to look on, or to have time to interfere */
};

/* The part of the grid that this rank owns, with a halo of one cell around it. */
struct part {
    MPI_Comm cart;
    int rank, nranks;
    int x0, y0, nx, ny; /* own cells, in the coordinates of the plan */
    int west, east, north, south;
    MPI_Datatype column;
    double *rate; /* SPEED for air, 0 where the temperature is given */
    double *open; /* 1 where heat can go, 0 in walls and outside of the plan */
};

/* Seconds on the clock that hosts share. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [-s steps] [-x cells per pixel side] [-o output prefix]\n"
            "       [-f steps between pictures] [-p progress file] [-w milliseconds to wait in each step]\n"
            "       plan.pgm\n",
            program);
}

static int options_read(int argc, char **argv, struct options *opt)
{
    int c;

    *opt = (struct options){.out = "heat2d", .steps = 4000, .refine = 1};
    while ((c = getopt(argc, argv, "s:x:o:f:p:w:")) != -1) {
        if (c == 's')
            opt->steps = atoi(optarg);
        else if (c == 'x')
            opt->refine = atoi(optarg);
        else if (c == 'o')
            opt->out = optarg;
        else if (c == 'f')
            opt->frames = atoi(optarg);
        else if (c == 'p')
            opt->progress = optarg;
        else if (c == 'w')
            opt->wait_ms = atoi(optarg);
        else
            return -1;
    }
    if (optind != argc - 1 || opt->steps < 0 || opt->refine < 1 || opt->refine > 64 ||
        opt->frames < 0 || opt->wait_ms < 0)
        return -1;
    opt->plan = argv[optind];
    return 0;
}

/* Rank 0 reads the plan and everybody gets it. */
static int plan_share(const struct options *opt, struct plan *plan)
{
    int rank, size[2] = {0, 0};

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0 && plan_read(opt->plan, opt->refine, plan) == 0) {
        size[0] = plan->width;
        size[1] = plan->height;
    }
    MPI_Bcast(size, 2, MPI_INT, 0, MPI_COMM_WORLD);
    if (size[0] == 0)
        return -1;
    if (rank != 0) {
        plan->width = size[0];
        plan->height = size[1];
        plan->cells = malloc((size_t)size[0] * size[1]);
    }
    MPI_Bcast(plan->cells, size[0] * size[1], MPI_UNSIGNED_CHAR, 0, MPI_COMM_WORLD);
    return 0;
}

/* Cells [first, last) of n that belong to the i-th of p. */
static void share(int n, int p, int i, int *first, int *last)
{
    *first = (int)((long)n * i / p);
    *last = (int)((long)n * (i + 1) / p);
}

static void part_bounds(const struct part *part, int rank, const struct plan *plan, int bounds[4])
{
    int dims[2], periods[2], coords[2];

    MPI_Cart_get(part->cart, 2, dims, periods, coords);
    MPI_Cart_coords(part->cart, rank, 2, coords);
    share(plan->height, dims[0], coords[0], &bounds[0], &bounds[1]);
    share(plan->width, dims[1], coords[1], &bounds[2], &bounds[3]);
}

/* -1 if the plan is too small for so many ranks. */
static int part_init(struct part *part, const struct plan *plan)
{
    int dims[2] = {0, 0}, periods[2] = {0, 0}, bounds[4];
    size_t cells;

    MPI_Comm_size(MPI_COMM_WORLD, &part->nranks);
    MPI_Dims_create(part->nranks, 2, dims);
    if (dims[0] > plan->height || dims[1] > plan->width) {
        fprintf(stderr, "heat2d: %d x %d cells are too few for %d ranks\n", plan->width, plan->height,
                part->nranks);
        return -1;
    }
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &part->cart);
    MPI_Comm_rank(part->cart, &part->rank);
    MPI_Cart_shift(part->cart, 0, 1, &part->north, &part->south);
    MPI_Cart_shift(part->cart, 1, 1, &part->west, &part->east);
    part_bounds(part, part->rank, plan, bounds);
    part->y0 = bounds[0];
    part->ny = bounds[1] - bounds[0];
    part->x0 = bounds[2];
    part->nx = bounds[3] - bounds[2];
    MPI_Type_vector(part->ny, 1, part->nx + 2, MPI_DOUBLE, &part->column);
    MPI_Type_commit(&part->column);

    cells = (size_t)(part->nx + 2) * (part->ny + 2);
    part->rate = calloc(cells, sizeof(double));
    part->open = calloc(cells, sizeof(double));
    for (int y = 0; y < part->ny + 2; y++) {
        for (int x = 0; x < part->nx + 2; x++) {
            int px = part->x0 + x - 1, py = part->y0 + y - 1;
            int kind = px < 0 || py < 0 || px >= plan->width || py >= plan->height
                           ? PLAN_WALL
                           : plan->cells[(size_t)py * plan->width + px];
            size_t i = (size_t)y * (part->nx + 2) + x;

            part->open[i] = kind == PLAN_WALL ? 0.0 : 1.0;
            part->rate[i] =
                kind == PLAN_WALL || kind == PLAN_COLD || kind == PLAN_HEATER ? 0.0 : SPEED;
        }
    }
    return 0;
}

static double *initial(const struct part *part, const struct plan *plan)
{
    double *u = calloc((size_t)(part->nx + 2) * (part->ny + 2), sizeof(double));

    for (int y = 0; y < part->ny; y++) {
        for (int x = 0; x < part->nx; x++) {
            int kind = plan->cells[(size_t)(part->y0 + y) * plan->width + part->x0 + x];

            u[(size_t)(y + 1) * (part->nx + 2) + x + 1] = kind == PLAN_COLD ? 0.0 : kind / 255.0;
        }
    }
    return u;
}

static void exchange_halo(const struct part *part, double *u)
{
    int nx = part->nx, ny = part->ny, row = nx + 2;

    MPI_Sendrecv(u + row + 1, nx, MPI_DOUBLE, part->north, 0,
                 u + (ny + 1) * row + 1, nx, MPI_DOUBLE, part->south, 0,
                 part->cart, MPI_STATUS_IGNORE);
    MPI_Sendrecv(u + ny * row + 1, nx, MPI_DOUBLE, part->south, 1,
                 u + 1, nx, MPI_DOUBLE, part->north, 1,
                 part->cart, MPI_STATUS_IGNORE);
    MPI_Sendrecv(u + row + 1, 1, part->column, part->west, 2,
                 u + row + nx + 1, 1, part->column, part->east, 2,
                 part->cart, MPI_STATUS_IGNORE);
    MPI_Sendrecv(u + row + nx, 1, part->column, part->east, 3,
                 u + row, 1, part->column, part->west, 3,
                 part->cart, MPI_STATUS_IGNORE);
}

/* One step: each cell of air comes closer to its neighbours, walls let nothing through. */
static void relax(const struct part *part, const double *restrict u, double *restrict next)
{
    int row = part->nx + 2;

    for (int y = 1; y <= part->ny; y++) {
        for (int i = y * row + 1; i <= y * row + part->nx; i++) {
            double flow = part->open[i - row] * (u[i - row] - u[i]) +
                          part->open[i + row] * (u[i + row] - u[i]) +
                          part->open[i - 1] * (u[i - 1] - u[i]) +
                          part->open[i + 1] * (u[i + 1] - u[i]);

            next[i] = u[i] + part->rate[i] * flow;
        }
    }
}

/* The whole grid at rank 0 (malloced), NULL elsewhere. */
static double *gather(const struct part *part, const struct plan *plan, const double *u)
{
    double *own = malloc((size_t)part->nx * part->ny * sizeof(double)), *all, *block;

    for (int y = 0; y < part->ny; y++)
        memcpy(own + (size_t)y * part->nx, u + (size_t)(y + 1) * (part->nx + 2) + 1,
               part->nx * sizeof(double));
    if (part->rank != 0) {
        MPI_Send(own, part->nx * part->ny, MPI_DOUBLE, 0, 4, part->cart);
        free(own);
        return NULL;
    }
    all = malloc((size_t)plan->width * plan->height * sizeof(double));
    for (int rank = 0; rank < part->nranks; rank++) {
        int bounds[4], count;

        part_bounds(part, rank, plan, bounds);
        count = (bounds[1] - bounds[0]) * (bounds[3] - bounds[2]);
        block = rank == 0 ? own : malloc(count * sizeof(double));
        if (rank != 0)
            MPI_Recv(block, count, MPI_DOUBLE, rank, 4, part->cart, MPI_STATUS_IGNORE);
        for (int y = bounds[0]; y < bounds[1]; y++)
            memcpy(all + (size_t)y * plan->width + bounds[2],
                   block + (size_t)(y - bounds[0]) * (bounds[3] - bounds[2]),
                   (bounds[3] - bounds[2]) * sizeof(double));
        free(block);
    }
    return all;
}

/* Writes what there is after so many steps; collective.  Only the last call writes the grid. */
static int output(const struct options *opt, const struct part *part, const struct plan *plan,
                  const double *u, int step)
{
    double *all = gather(part, plan, u), total = 0;
    char path[4096];
    int status = 0;

    if (!all)
        return 0;
    if (step < opt->steps) {
        snprintf(path, sizeof path, "%s-%06d", opt->out, step);
        status = heat_write_picture(path, plan, all);
    } else {
        for (size_t i = 0; i < (size_t)plan->width * plan->height; i++)
            total += all[i];
        printf("%d x %d cells, %d steps, mean temperature %a = %.6f\n", plan->width, plan->height,
               step, total / plan->width / plan->height, total / plan->width / plan->height);
        snprintf(path, sizeof path, "%s.h5", opt->out);
        status = heat_write_hdf5(path, plan, all, step);
        status |= heat_write_picture(opt->out, plan, all);
    }
    free(all);
    return status;
}

int main(int argc, char **argv)
{
    struct options opt;
    struct plan plan;
    struct part part;
    double *u = NULL, *next, *swap;
    int step = 0, left = 0, status = 0, progress = -1;
    char host[MPI_MAX_PROCESSOR_NAME];
    int host_len;

    MPI_Init(&argc, &argv);
    if (options_read(argc, argv, &opt)) {
        usage(argv[0]);
        MPI_Finalize();
        return 2;
    }
    if (plan_share(&opt, &plan) || part_init(&part, &plan)) {
        MPI_Finalize();
        return 1;
    }
    next = initial(&part, &plan);
    MPI_Get_processor_name(host, &host_len);
    if (opt.progress)
        progress = open(opt.progress, O_WRONLY | O_CREAT | O_APPEND, 0666);

    /* (1) say what the state is: the step, and the grid that u points to */
    auto_init(argv[0]);
    HMF_TRACK(step);
    HMF_TRACK_POINTER(u, (part.nx + 2) * (part.ny + 2));

    /* (2) a rank that arrives, or a job that goes on, has its state already */
    if (!auto_read(AUTO_ALL))
        u = initial(&part, &plan);

    while (step < opt.steps) {
        double start, middle, end;

        /* (3) here, and only here, a rank may leave; then it must not communicate any more */
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            left = 1;
            break;
        }
        start = now();
        exchange_halo(&part, u);
        middle = now();
        relax(&part, u, next);
        end = now();
        swap = u, u = next, next = swap;
        step++;
        if (progress >= 0)
            dprintf(progress, "step %d rank %d host %s pid %d compute %.6f halo %.6f time %.6f\n",
                    step, part.rank, host, (int)getpid(), end - middle, middle - start, end);
        if (opt.wait_ms)
            nanosleep(&(struct timespec){.tv_sec = opt.wait_ms / 1000,
                                         .tv_nsec = opt.wait_ms % 1000 * 1000000L}, NULL);
        if (opt.frames && step % opt.frames == 0 && step < opt.steps)
            status |= output(&opt, &part, &plan, u, step);
    }

    /* (4) whoever has left leaves the end to its successor */
    if (!left) {
        status |= output(&opt, &part, &plan, u, step);
        MPI_Type_free(&part.column);
        MPI_Comm_free(&part.cart);
    }
    free(u);
    free(next);
    free(part.rate);
    free(part.open);
    free(plan.cells);
    if (progress >= 0)
        close(progress);
    auto_done(); /* (5) */
    MPI_Finalize();
    return status ? 1 : 0;
}
