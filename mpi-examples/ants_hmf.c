/* ants_hmf.c: ants wander about and leave scent; what doc/tutorial.md makes of ants_plain.c.
 *
 *   hmfcc ants_hmf.c -o ants_hmf && HMF_SPARES=1 mpirun -np 4 ./ants_hmf */
#include <auto.h>
#include <hmf/checktype.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum role { WORKER, SCOUT };

typedef struct ant {
    int id;
    enum role role;
    union {
        double load HMF_CASE(WORKER);
        int place[2] HMF_CASE(SCOUT);
    } job HMF_SWITCH(role);
    struct ant *next;
} ant_t;

typedef struct nest {
    int nx, ny;
    double *scent HMF_LEN(nx * ny);
    ant_t *ants HMF_ONE;
    ant_t *leader HMF_ONE;
    char *name HMF_STRING;
    FILE *log HMF_TRANSIENT;
    void (*rule)(struct nest *, ant_t *);
} nest_t;

static checktype nest_t nest;
static checktype long born;

static void wander(nest_t *n, ant_t *a)
{
    int *p = a->job.place;

    if (a->role == SCOUT) {
        p[0] = (p[0] + a->id % 3 + n->nx - 1) % n->nx;
        p[1] = (p[1] + 1) % n->ny;
        n->scent[p[1] * n->nx + p[0]] += 1;
    } else {
        a->job.load += 0.25;
    }
}

static void birth(nest_t *n)
{
    ant_t *a = calloc(1, sizeof *a);

    a->id = born++;
    a->role = a->id % 2 ? SCOUT : WORKER;
    a->next = n->ants;
    n->ants = a;
    if (a->id % 10 == 0)
        n->leader = a;
}

static void set_up(nest_t *n, int rank)
{
    n->nx = 8 + rank;
    n->ny = 6;
    n->scent = calloc(n->nx * n->ny, sizeof *n->scent);
    n->name = strdup(rank % 2 ? "odd" : "even");
    n->rule = wander;
}

int main(int argc, char **argv)
{
    int rank, step = 0, steps = argc > 1 ? atoi(argv[1]) : 3000, left = 0;
    double mine, sum = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    auto_init(argv[0]);
    HMF_TRACK_ALL();
    HMF_TRACK(step);
    if (!auto_read(AUTO_ALL))
        set_up(&nest, rank);
    for (; step < steps; step++) {
        if ((left = auto_poll(AUTO_ALL) & AUTO_MIGR))
            break;
        if (step % 50 == 0)
            birth(&nest);
        mine = 0;
        for (ant_t *a = nest.ants; a; a = a->next) {
            nest.rule(&nest, a);
            if (a->role == WORKER)
                mine += a->job.load;
        }
        mine += nest.scent[step % (nest.nx * nest.ny)];
        MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    }
    if (!left)
        printf("rank %d: nest %s, %ld ants, led by %d, sum %.2f\n", rank, nest.name, born,
               nest.leader->id, sum);
    auto_done();
    MPI_Finalize();
    return 0;
}

#ifdef HMF_INCLUDE_DESCRIPTIONS
#include "ants_hmf.types.h"
#endif
