/* ants.c: ants wander about and leave scent; the plain program that doc/tutorial.md begins with.
 * ants_hmf.c is the same made migratable. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum role { WORKER, SCOUT };

typedef struct ant {
    int id;
    enum role role;
    union {
        double load;
        int place[2];
    } job;
    struct ant *next;
} ant_t;

typedef struct nest {
    int nx, ny;
    double *scent;
    ant_t *ants;
    ant_t *leader;
    char *name;
    FILE *log;
    void (*rule)(struct nest *, ant_t *);
} nest_t;

static nest_t nest;
static long born;

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
    int rank, step = 0, steps = argc > 1 ? atoi(argv[1]) : 3000;
    double mine, sum = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    set_up(&nest, rank);
    for (; step < steps; step++) {
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
    printf("rank %d: nest %s, %ld ants, led by %d, sum %.2f\n", rank, nest.name, born,
           nest.leader->id, sum);
    MPI_Finalize();
    return 0;
}
