/* rods.c: heat runs along rods of many lengths; a code whose pointers do not say how much is there.
 *
 *   HMF_SPARES=1 mpirun -np 4 ./rods
 *
 * Each rank has a linked list of rods, each with an array of temperatures from malloc and a pointer
 * to its hottest point.  How many points an array has stands nowhere in the struct.  Linked with
 * -lhmf-heap, the program need not say: that library stands before malloc and knows the blocks.
 * What it registers is the head of the list; rods.types.h, which hmf-checktype made of this file,
 * describes a rod. */
#include "auto.h"
#include <hmf/checktype.h>

#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RODS 1000 /* of a rank */

struct rod {
    double *u HMF_BLOCK;      /* points_of(id) temperatures */
    double *hottest HMF_WEAK; /* one of them */
    struct rod *next;
    int id;
};

static int points_of(int id)
{
    return 100 + id * 37 % 400;
}

static struct rod *rods_make(int rank)
{
    struct rod *list = NULL;

    for (int i = 0; i < RODS; i++) {
        struct rod *r = malloc(sizeof *r);

        r->id = rank * RODS + i;
        r->u = malloc(points_of(r->id) * sizeof *r->u);
        for (int k = 0; k < points_of(r->id); k++)
            r->u[k] = (k * 7919 + r->id * 104729) % 1000;
        r->hottest = r->u;
        r->next = list;
        list = r;
    }
    return list;
}

/* One step; the ends of a rod are one point.  Returns the warmth of all. */
static double rod_step(struct rod *r)
{
    int n = points_of(r->id);
    double first = r->u[0], before = r->u[n - 1], sum = 0;

    r->hottest = r->u;
    for (int k = 0; k < n; k++) {
        double after = k + 1 < n ? r->u[k + 1] : first, here = r->u[k];

        r->u[k] = here + 0.25 * (before - 2 * here + after);
        before = here;
        sum += r->u[k];
        if (r->u[k] > *r->hottest)
            r->hottest = &r->u[k];
    }
    return sum;
}

/* Seconds on the clock that hosts share. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

int main(int argc, char **argv)
{
    struct rod *rods = NULL;
    double mine[2] = {0}, all[2];
    int rank, step = 0, steps = 3000, c, left = 0, progress = -1;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    while ((c = getopt(argc, argv, "s:p:")) != -1) {
        if (c == 's')
            steps = atoi(optarg);
        else if (c == 'p')
            progress = open(optarg, O_WRONLY | O_CREAT | O_APPEND, 0666);
    }
    auto_init(argv[0]);
    HMF_TRACK(step);
    HMF_TRACK(rods);
    if (!auto_read(AUTO_ALL))
        rods = rods_make(rank);

    while (step < steps) {
        if ((left = auto_poll(AUTO_ALL) & AUTO_MIGR))
            break;
        mine[0] = mine[1] = 0;
        for (struct rod *r = rods; r; r = r->next) {
            mine[0] += rod_step(r);
            mine[1] += *r->hottest * (double)(r->hottest - r->u);
        }
        MPI_Allreduce(mine, all, 2, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
        step++;
        if (progress >= 0)
            dprintf(progress, "step %d rank %d pid %d time %.6f\n", step, rank, (int)getpid(),
                    now());
    }
    if (!left && rank == 0)
        printf("%d rods a rank, %d steps, warmth %a, of the hottest %a\n", RODS, step, all[0],
               all[1]);

    while (rods) { /* restored blocks are blocks of malloc like any other */
        struct rod *r = rods;

        rods = r->next;
        free(r->u);
        free(r);
    }
    if (progress >= 0)
        close(progress);
    auto_done();
    MPI_Finalize();
    return 0;
}

#ifdef HMF_INCLUDE_DESCRIPTIONS
#include "rods.types.h"
#endif
