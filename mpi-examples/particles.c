/* particles.c: soft discs bounce about in a periodic box; a code made of pointers.
 *
 *   HMF_SPARES=1 mpirun -np 5 ./particles
 *
 * The box is cut into cells; each cell holds a linked list of its particles, each particle points
 * back to its cell, and each cell points to its nine neighbours.  Ranks own slabs of columns;
 * particles that cross a border travel by message, so lists grow and shrink all the time.  All this
 * is registered as one array of cells: the library follows the pointers.  What the types look like it
 * knows from particles.types.h, which hmf-checktype made of this file.  Lists are kept in order
 * of particle numbers, so that the result depends neither on where a rank runs nor on how many
 * ranks there are. */
#include "auto.h"
#include <hmf/checktype.h>

#include <fcntl.h>
#include <math.h>
#include <mpi.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS 48 /* cells of the whole box; a cell is as wide as the discs' reach, 1 */
#define ROWS 24
#define PER_CELL 4 /* particles in the beginning, on average */
#define STIFFNESS 40.0
#define DT 0.004

struct cell;

checktype typedef struct particle {
    double x[2], v[2], f[2]; /* place, velocity, force */
    long id;
    struct cell *home;
    struct particle *next;
} particle_t;

struct cell {
    int column, row; /* column 0 and the last are copies of the neighbours' border (halo) */
    struct particle *first;
    struct cell *near[9]; /* itself included */
};

/* What a particle looks like in a message: no pointers. */
struct parcel {
    double x[2], v[2];
    long id;
};

struct parcels {
    struct parcel *v;
    int n, cap;
};

struct domain {
    MPI_Comm ring;
    MPI_Datatype parcel;
    int rank, nranks, left, right;
    int first_column, ncolumns; /* own columns of the box */
    int ncells;                 /* own and halo */
    struct cell *cells;         /* column by column */
    struct particle *tracer;    /* particle 0 while it is here */
};

/* Seconds on the clock that hosts share. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static struct cell *cell_at(struct domain *d, int column, int row)
{
    return &d->cells[column * ROWS + (row + ROWS) % ROWS];
}

/* -1 if there are more ranks than columns. */
static int domain_init(struct domain *d)
{
    int periodic = 1, lengths[3] = {2, 2, 1};
    MPI_Aint places[3] = {offsetof(struct parcel, x), offsetof(struct parcel, v),
                          offsetof(struct parcel, id)};
    MPI_Datatype types[3] = {MPI_DOUBLE, MPI_DOUBLE, MPI_LONG}, packed;

    MPI_Comm_size(MPI_COMM_WORLD, &d->nranks);
    if (d->nranks > COLUMNS) {
        fprintf(stderr, "particles: %d ranks are too many, the box has %d columns\n", d->nranks,
                COLUMNS);
        return -1;
    }
    MPI_Cart_create(MPI_COMM_WORLD, 1, &d->nranks, &periodic, 0, &d->ring);
    MPI_Comm_rank(d->ring, &d->rank);
    MPI_Cart_shift(d->ring, 0, 1, &d->left, &d->right);
    MPI_Type_create_struct(3, lengths, places, types, &packed);
    MPI_Type_create_resized(packed, 0, sizeof(struct parcel), &d->parcel);
    MPI_Type_commit(&d->parcel);
    MPI_Type_free(&packed);

    d->first_column = COLUMNS * d->rank / d->nranks;
    d->ncolumns = COLUMNS * (d->rank + 1) / d->nranks - d->first_column;
    d->ncells = (d->ncolumns + 2) * ROWS;
    d->cells = calloc(d->ncells, sizeof *d->cells);
    for (int column = 0; column < d->ncolumns + 2; column++) {
        for (int row = 0; row < ROWS; row++) {
            struct cell *cell = cell_at(d, column, row);

            cell->column = column;
            cell->row = row;
            for (int i = 0; i < 9 && column > 0 && column <= d->ncolumns; i++)
                cell->near[i] = cell_at(d, column + i / 3 - 1, row + i % 3 - 1);
        }
    }
    return 0;
}

/* Puts p into the list of its cell, at its place in the order of numbers. */
static void enter(struct domain *d, struct particle *p, int column)
{
    struct particle **link;

    p->home = cell_at(d, column, (int)floor(p->x[1]));
    for (link = &p->home->first; *link && (*link)->id < p->id; link = &(*link)->next)
        ;
    p->next = *link;
    *link = p;
}

/* The column of cells for place x as this rank counts them: 0 .. ncolumns + 1 if it is near. */
static int column_of(const struct domain *d, double x)
{
    int column = (int)floor(x) - d->first_column + 1;

    if (column > d->ncolumns + 1)
        column -= COLUMNS;
    else if (column < 0)
        column += COLUMNS;
    return column;
}

static struct particle *unpack(const struct parcel *parcel)
{
    struct particle *p = calloc(1, sizeof *p);

    memcpy(p->x, parcel->x, sizeof p->x);
    memcpy(p->v, parcel->v, sizeof p->v);
    p->id = parcel->id;
    return p;
}

static void pack(struct parcels *list, const struct particle *p)
{
    struct parcel *parcel;

    if (list->n == list->cap) {
        list->cap = 2 * list->cap + 16;
        list->v = realloc(list->v, list->cap * sizeof *list->v);
    }
    parcel = &list->v[list->n++];
    memset(parcel, 0, sizeof *parcel);
    memcpy(parcel->x, p->x, sizeof p->x);
    memcpy(parcel->v, p->v, sizeof p->v);
    parcel->id = p->id;
}

/* Sends a list each way round the ring and receives one from each side; returns how many of `in`
 * came from the right, they are the first. */
static int trade(struct domain *d, struct parcels *to_left, struct parcels *to_right,
                 struct parcels *in)
{
    MPI_Request request[2];
    int from_right = 0;

    MPI_Isend(to_left->v, to_left->n, d->parcel, d->left, 1, d->ring, &request[0]);
    MPI_Isend(to_right->v, to_right->n, d->parcel, d->right, 2, d->ring, &request[1]);
    for (int side = 0; side < 2; side++) {
        int source = side ? d->left : d->right, tag = side ? 2 : 1, count;
        MPI_Status status;

        MPI_Probe(source, tag, d->ring, &status);
        MPI_Get_count(&status, d->parcel, &count);
        if (in->n + count > in->cap) {
            in->cap = in->n + count;
            in->v = realloc(in->v, in->cap * sizeof *in->v);
        }
        MPI_Recv(in->v + in->n, count, d->parcel, source, tag, d->ring, MPI_STATUS_IGNORE);
        in->n += count;
        if (side == 0)
            from_right = count;
    }
    MPI_Waitall(2, request, MPI_STATUSES_IGNORE);
    return from_right;
}

static void parcels_free(struct parcels *a, struct parcels *b, struct parcels *c)
{
    free(a->v);
    free(b->v);
    free(c->v);
}

static double wrap(double x, double length)
{
    x = x < 0 ? x + length : x;
    return x >= length ? x - length : x; /* also where the sum was rounded up to length */
}

/* Half a kick and a whole step; whoever leaves its cell goes to the next, or to the neighbour rank.
 */
static void drift(struct domain *d)
{
    struct parcels to_left = {0}, to_right = {0}, in = {0};
    struct particle *moved = NULL, *p;

    for (int i = ROWS; i < d->ncells - ROWS; i++) {
        struct particle **link = &d->cells[i].first;

        while ((p = *link)) {
            int column;

            for (int k = 0; k < 2; k++) {
                p->v[k] += 0.5 * DT * p->f[k];
                p->x[k] = wrap(p->x[k] + DT * p->v[k], k ? ROWS : COLUMNS);
            }
            column = column_of(d, p->x[0]);
            if (column == p->home->column && (int)floor(p->x[1]) == p->home->row) {
                link = &p->next;
                continue;
            }
            *link = p->next;
            if (column >= 1 && column <= d->ncolumns) {
                p->next = moved;
                moved = p;
                continue;
            }
            pack(column < 1 ? &to_left : &to_right, p);
            if (p == d->tracer)
                d->tracer = NULL;
            free(p);
        }
    }
    while ((p = moved)) {
        moved = p->next;
        enter(d, p, column_of(d, p->x[0]));
    }
    trade(d, &to_left, &to_right, &in);
    for (int i = 0; i < in.n; i++) {
        p = unpack(&in.v[i]);
        enter(d, p, column_of(d, p->x[0]));
        if (p->id == 0)
            d->tracer = p;
    }
    parcels_free(&to_left, &to_right, &in);
}

/* Fills the halo columns with copies of the neighbours' border. */
static void halo_fill(struct domain *d)
{
    struct parcels to_left = {0}, to_right = {0}, in = {0};
    int from_right;

    for (int row = 0; row < ROWS; row++) {
        for (struct particle *p = cell_at(d, 1, row)->first; p; p = p->next)
            pack(&to_left, p);
        for (struct particle *p = cell_at(d, d->ncolumns, row)->first; p; p = p->next)
            pack(&to_right, p);
    }
    from_right = trade(d, &to_left, &to_right, &in);
    for (int i = 0; i < in.n; i++)
        enter(d, unpack(&in.v[i]), i < from_right ? d->ncolumns + 1 : 0);
    parcels_free(&to_left, &to_right, &in);
}

static void cells_empty(struct cell *cells, int n)
{
    for (int i = 0; i < n; i++) {
        struct particle *p;

        while ((p = cells[i].first)) {
            cells[i].first = p->next;
            free(p);
        }
    }
}

static double nearest(double difference, double length)
{
    return difference > length / 2    ? difference - length
           : difference < -length / 2 ? difference + length
                                      : difference;
}

/* Forces on own particles and the other half of the kick; returns half of the energy in their
 * contacts. */
static double forces(struct domain *d)
{
    double energy = 0;

    halo_fill(d);
    for (int i = ROWS; i < d->ncells - ROWS; i++) {
        for (struct particle *p = d->cells[i].first; p; p = p->next) {
            p->f[0] = p->f[1] = 0;
            for (int k = 0; k < 9; k++) {
                for (struct particle *q = p->home->near[k]->first; q; q = q->next) {
                    double dx = nearest(p->x[0] - q->x[0], COLUMNS),
                           dy = nearest(p->x[1] - q->x[1], ROWS);
                    double r = sqrt(dx * dx + dy * dy);

                    if (q->id == p->id || r >= 1 || r == 0)
                        continue;
                    p->f[0] += STIFFNESS * (1 - r) / r * dx;
                    p->f[1] += STIFFNESS * (1 - r) / r * dy;
                    energy += 0.25 * STIFFNESS * (1 - r) * (1 - r);
                }
            }
            p->v[0] += 0.5 * DT * p->f[0];
            p->v[1] += 0.5 * DT * p->f[1];
        }
    }
    cells_empty(d->cells, ROWS);
    cells_empty(d->cells + d->ncells - ROWS, ROWS);
    return energy;
}

static uint64_t mix(uint64_t h)
{
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

/* Particles on a lattice with velocities that depend on their numbers only. */
static void populate(struct domain *d, int per_cell)
{
    for (int column = 1; column <= d->ncolumns; column++) {
        for (int row = 0; row < ROWS; row++) {
            for (int i = 0; i < per_cell; i++) {
                struct particle *p = calloc(1, sizeof *p);
                int place = d->first_column + column - 1;

                p->id = ((long)place * ROWS + row) * per_cell + i;
                p->x[0] = place + (i % 2 + 0.5) / 2;
                p->x[1] = row + (i / 2 + 0.5) / ((per_cell + 1) / 2);
                for (int k = 0; k < 2; k++)
                    p->v[k] = (double)(int64_t)mix(2 * p->id + k + 1) / 9223372036854775808.0;
                enter(d, p, column);
                if (p->id == 0)
                    d->tracer = p;
            }
        }
    }
}

/* Prints a fingerprint of all particles and the energies; collective. */
static void report(struct domain *d, double potential, int steps)
{
    struct {
        uint64_t sum;
        int64_t count;
        double kinetic, potential, tracer[2];
    } mine = {.potential = potential}, *all = calloc(d->nranks, sizeof *all), sum = {0};

    for (int i = ROWS; i < d->ncells - ROWS; i++) {
        for (struct particle *p = d->cells[i].first; p; p = p->next) {
            uint64_t h = mix(p->id + 1), bits[4];

            memcpy(bits, p->x, sizeof p->x);
            memcpy(bits + 2, p->v, sizeof p->v);
            for (int k = 0; k < 4; k++)
                h = mix(h ^ bits[k]);
            mine.sum += h;
            mine.count++;
            mine.kinetic += 0.5 * (p->v[0] * p->v[0] + p->v[1] * p->v[1]);
        }
    }
    if (d->tracer)
        memcpy(mine.tracer, d->tracer->x, sizeof mine.tracer);
    MPI_Gather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, 0, d->ring);
    for (int rank = 0; d->rank == 0 && rank < d->nranks; rank++) {
        sum.sum += all[rank].sum;
        sum.count += all[rank].count;
        sum.kinetic += all[rank].kinetic;
        sum.potential += all[rank].potential;
        sum.tracer[0] += all[rank].tracer[0];
        sum.tracer[1] += all[rank].tracer[1];
    }
    if (d->rank == 0) {
        printf("%ld particles, %d steps, fingerprint %016llx\n", (long)sum.count, steps,
               (unsigned long long)sum.sum);
        printf("particle 0 at %a %a\n", sum.tracer[0], sum.tracer[1]);
        printf("energy %.9f = kinetic %a + potential %a\n", sum.kinetic + sum.potential,
               sum.kinetic, sum.potential);
    }
    free(all);
}

int main(int argc, char **argv)
{
    struct domain d = {0};
    double potential = 0;
    int step = 0, steps = 2000, per_cell = PER_CELL, c, left = 0, progress = -1;

    MPI_Init(&argc, &argv);
    while ((c = getopt(argc, argv, "s:n:p:")) != -1) {
        if (c == 's')
            steps = atoi(optarg);
        else if (c == 'n')
            per_cell = atoi(optarg);
        else if (c == 'p')
            progress = open(optarg, O_WRONLY | O_CREAT | O_APPEND, 0666);
        else
            steps = -1;
    }
    if (optind != argc || steps < 0 || per_cell < 1) {
        fprintf(stderr, "usage: %s [-s steps] [-n particles per cell] [-p progress file]\n",
                argv[0]);
        MPI_Finalize();
        return 2;
    }
    if (domain_init(&d)) {
        MPI_Finalize();
        return 1;
    }

    auto_init(argv[0]);
    HMF_TRACK(step);
    HMF_TRACK(potential);
    HMF_TRACK_ARRAY(d.cells, d.ncells);
    HMF_TRACK(d.tracer);
    if (!auto_read(AUTO_ALL))
        populate(&d, per_cell);

    while (step < steps) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            left = 1;
            break;
        }
        drift(&d);
        potential = forces(&d);
        step++;
        if (progress >= 0)
            dprintf(progress, "step %d rank %d pid %d time %.6f\n", step, d.rank, (int)getpid(), now());
    }

    if (!left) {
        report(&d, potential, step);
        MPI_Type_free(&d.parcel);
        MPI_Comm_free(&d.ring);
    }
    cells_empty(d.cells, d.ncells);
    free(d.cells);
    if (progress >= 0)
        close(progress);
    auto_done();
    MPI_Finalize();
    return 0;
}

#ifdef HMF_INCLUDE_DESCRIPTIONS
#include "particles.types.h"
#endif
