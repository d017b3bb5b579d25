/* relay.c: one object by itself, without a registered state. A linked list goes round the ranks; each
 * appends a node and passes it on; rank 0 saves what comes back as an HDF5 file, reads that again, and
 * prints it.
 *
 * Shows hmf/object.h (a list with attributes), hmf/migrate.h (to another rank), the single-object calls
 * of hmf/check.h (to disk and back), hmf/translate.h (into memory that is made for it). The
 * ranks may be on different kinds of machines. relay.types.h, which hmf-checktype made of this file,
 * describes the list.
 *
 * Usage: relay [ROUNDS [FILE]] */
#include "hmf/check.h"
#include "hmf/checktype.h"
#include "hmf/migrate.h"
#include "hmf/object.h"
#include "hmf/translate.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG = 7, LIMIT_S = 60 };

struct stop {
    int rank;
    double when;
    char *what HMF_STRING;
    struct stop *next;
};

struct checktype tour {
    long length;
    struct stop *first HMF_ONE, *last HMF_ONE; /* last: into the list again */
};

static void must(hmf_status_t st, const char *what)
{
    if (!st)
        return;
    fprintf(stderr, "relay: %s: %s: %s\n", what, hmf_strerror(st), hmf_error_text());
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static hmf_object_t *object_of(struct tour *t)
{
    hmf_object_t *o;
    const int *type;
    size_t len;

    must(hmf_checktype_find("struct tour", &type, &len), "type");
    must(hmf_object_new("tour", t, sizeof *t, type, len, NULL, &o), "object");
    return o;
}

static void append(struct tour *t, int rank, int round)
{
    struct stop *s = calloc(1, sizeof *s);
    char text[64];

    snprintf(text, sizeof text, "round %d", round);
    *s = (struct stop){.rank = rank, .when = round + rank / 16.0, .what = strdup(text)};
    if (t->last)
        t->last->next = s;
    else
        t->first = s;
    t->last = s;
    t->length++;
}

static void drop(struct tour *t)
{
    for (struct stop *s = t->first, *next; s; s = next) {
        next = s->next;
        free(s->what);
        free(s);
    }
    *t = (struct tour){0};
}

static void print(const struct tour *t, const char *from)
{
    double sum = 0.0;

    for (const struct stop *s = t->first; s; s = s->next)
        sum += s->when;
    printf("%s: %ld stops, the last one on rank %d in %s, sum %g\n", from, t->length,
           t->last->rank, t->last->what, sum);
}

/* What came is saved, read into memory of its own, and as a plain image. */
static void keep(hmf_object_t *o, const char *path)
{
    struct tour again = {0};
    hmf_object_t *back = object_of(&again), *image, *fresh;

    must(hmf_check_save(path, &o, 1), "save");
    must(hmf_check_restore(path, &back, 1), "restore");
    print(&again, path);
    printf("passed on by: %s\n", hmf_object_get(back, "passed on by"));
    must(hmf_translate_pack(back, &image), "pack");
    must(hmf_translate_new(image, &fresh), "translate");
    print(hmf_object_data(fresh, NULL), "a copy");
    drop(hmf_object_data(fresh, NULL));
    free(hmf_object_data(fresh, NULL));
    hmf_object_free(fresh);
    hmf_object_free(image);
    hmf_object_free(back);
    drop(&again);
}

int main(int argc, char *argv[])
{
    int rank, size, rounds = argc > 1 ? atoi(argv[1]) : 3;
    const char *path = argc > 2 ? argv[2] : "tour.h5";
    struct tour tour = {0};
    hmf_object_t *o;
    char names[256] = "";

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    o = object_of(&tour);
    for (int round = 0; round < rounds; round++) {
        if (rank || round) { /* what the previous rank has */
            drop(&tour);
            must(hmf_migrate_recv(o, (rank + size - 1) % size, TAG, MPI_COMM_WORLD, LIMIT_S),
                 "receive");
        }
        append(&tour, rank, round);
        snprintf(names, sizeof names, "%.240s %d",
                 hmf_object_get(o, "passed on by") ? hmf_object_get(o, "passed on by") : "", rank);
        must(hmf_object_set(o, "passed on by", names), "attribute");
        must(hmf_migrate_send(o, (rank + 1) % size, TAG, MPI_COMM_WORLD, LIMIT_S), "send");
    }
    drop(&tour);
    if (rank == 0) {
        must(hmf_migrate_recv(o, size - 1, TAG, MPI_COMM_WORLD, LIMIT_S), "receive");
        print(&tour, "came back");
        keep(o, path);
        drop(&tour);
    }
    hmf_object_free(o);
    MPI_Finalize();
    return 0;
}

#ifdef HMF_INCLUDE_DESCRIPTIONS
#include "relay.types.h"
#endif
