/* A rank moves, twice, with a state of unions, bit-fields and flexible arrays that it goes on
 * changing: a list of messages of which each kind holds something else. The sum at the end is that
 * of a run without moves.
 * launch: limit=60 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mpi.h>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

#define STEPS 300

struct text {
    unsigned short n;
    char s[];
};

struct message {
    unsigned kind : 3, urgent : 1, : 4, count : 24;
    union {
        double d;
        long l;
        struct text *text;
        struct message *about;
    } u;
    struct message *next;
};

static struct message *list;
static int step;
static double sum;

static struct text *new_text(int k)
{
    struct text *t = malloc(sizeof *t + 40);

    t->n = (unsigned short)(snprintf(t->s, 40, "%0*d", 1 + k % 30, k) + 1);
    return t;
}

static void add(int rank, int k)
{
    struct message *m = calloc(1, sizeof *m);

    m->kind = (unsigned)(k + rank) % 4;
    m->urgent = k % 3 == 0;
    m->count = (unsigned)k * 1000u;
    if (m->kind == 3 && !list)
        m->kind = 0;
    if (m->kind == 0)
        m->u.d = k / 3.0;
    else if (m->kind == 1)
        m->u.l = -k;
    else if (m->kind == 2)
        m->u.text = new_text(k);
    else
        m->u.about = list;
    m->next = list;
    list = m;
}

static double value(const struct message *m)
{
    double v = m->count + m->urgent;

    if (m->kind == 0)
        return v + m->u.d;
    if (m->kind == 1)
        return v + (double)m->u.l;
    if (m->kind == 2)
        return v + m->u.text->n + atof(m->u.text->s);
    return v + m->u.about->count;
}

/* Everything that the list says, and in every tenth step it begins anew. */
static double turn(int rank, int k)
{
    double v = 0;

    add(rank, k);
    for (const struct message *m = list; m; m = m->next)
        v += value(m);
    if (k % 10 == 9)
        while (list) {
            struct message *m = list;
            list = m->next;
            if (m->kind == 2)
                free(m->u.text);
            free(m);
        }
    return v;
}

int main(int argc, char **argv)
{
    static int t_int[] = {typeINT}, t_double[] = {typeDOUBLE};
    static int t_list[] = {typePOINTER, -6, typeBITS, 3, typeUINT, typeBITS, 1, typeUINT, typeBITS,
                           -4, typeUINT, typeBITS, 24, typeUINT, typeUNION, 0, 4, 0, typeDOUBLE, 1,
                           typeLONG, 2, typePOINTER, -2, typeUSHORT, typeFLEX, 0, typeCHAR, 3,
                           typePOINTER, typeSELF, 0, typePOINTER, typeSELF, 0};
    int rank, size, moved = 0, left = 0, errors = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    auto_init(argv[0]);
    auto_track("list", &list, sizeof list, t_list, sizeof t_list / sizeof *t_list);
    auto_track("step", &step, sizeof step, t_int, 1);
    auto_track("sum", &sum, sizeof sum, t_double, 1);
    auto_track("moved", &moved, sizeof moved, t_int, 1);
    if (auto_read(AUTO_MIGR))
        moved++;
    while (step < STEPS) {
        int all, due;
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            left = 1;
            break;
        }
        MPI_Allreduce(&moved, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        due = (step > 106) + (step > 205);
        if (all < due)
            continue; /* nobody goes on before what was asked for has happened */
        if ((step == 106 || step == 205) && rank == 0 && hmf_request_move(1, NULL))
            errors++;
        sum += turn(rank, step++);
    }
    if (!left) {
        double got = sum, want = 0;
        for (int k = 0; k < STEPS; k++)
            want += turn(rank, k);
        if (got != want) {
            fprintf(stderr, "rank %d: %.17g, should be %.17g\n", rank, got, want);
            errors++;
        }
        MPI_Allreduce(MPI_IN_PLACE, &errors, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        MPI_Allreduce(MPI_IN_PLACE, &moved, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        if (moved != 2)
            errors++;
        if (rank == 0)
            printf("%d moves, %d errors, of %d ranks\n", moved, errors, size);
    }
    auto_done();
    MPI_Finalize();
    return errors != 0;
}
