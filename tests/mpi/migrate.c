/* Single objects between ranks and over descriptors: to one and to any, large ones in pieces, with
 * refusals on either side; and to a file and back. */
#include "hmf/check.h"
#include "hmf/migrate.h"
#include "hmf/object.h"
#include "typemap.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct node {
    int value;
    struct node *next;
};

static const int node_type[] = {-2, typeINT, typePOINTER, typeSELF, 0};
static const int double_type[] = {typeDOUBLE};
static int bad, rank, size;

static void want(int good, const char *what)
{
    if (!good) {
        printf("rank %d: %s (%s)\n", rank, what, hmf_error_text());
        bad = 1;
    }
}

static hmf_object_t *object(const char *name, void *data, size_t bytes, const int *type, size_t n)
{
    hmf_object_t *o = NULL;

    if (hmf_object_new(name, data, bytes, type, n, NULL, &o))
        want(0, "object");
    return o;
}

/* Everybody sends a ring of two nodes to rank 0, which takes them from anyone. */
static void to_one(void)
{
    struct node a[2] = {{rank, &a[1]}, {-rank, &a[0]}};
    hmf_object_t *o = object("ring", a, sizeof a, node_type, 5);
    int seen = 0;
    char text[20];

    snprintf(text, sizeof text, "%d", rank);
    hmf_object_set(o, "from", text);
    if (rank)
        want(!hmf_migrate_send(o, 0, 5, MPI_COMM_WORLD, 60), "send");
    for (int i = 1; !rank && i < size; i++) {
        struct node b[2] = {{0, NULL}, {0, NULL}};
        hmf_object_t *to = object("another name", b, sizeof b, node_type, 5);
        want(!hmf_migrate_recv(to, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, 60), "recv");
        want(b[0].next == &b[1] && b[1].next == &b[0] && b[1].value == -b[0].value, "the ring");
        want(hmf_object_get(to, "from") && atoi(hmf_object_get(to, "from")) == b[0].value,
             "the attribute");
        seen += b[0].value;
        hmf_object_free(to);
    }
    want(rank || seen == size * (size - 1) / 2, "all of them");
    hmf_object_free(o);
}

/* More than one piece. */
static void large(void)
{
    size_t n = 9 << 20;
    double *u = calloc(n, sizeof *u);
    hmf_object_t *o = object("u", u, n * sizeof *u, double_type, 1);

    if (rank == 0) {
        for (size_t i = 0; i < n; i++)
            u[i] = (double)i;
        want(!hmf_migrate_send(o, 1, 6, MPI_COMM_WORLD, 60), "send much");
    } else if (rank == 1) {
        want(!hmf_migrate_recv(o, 0, 6, MPI_COMM_WORLD, 60), "receive much");
        for (size_t i = 0; i < n; i++)
            if (u[i] != (double)i) {
                want(0, "the values");
                break;
            }
    }
    hmf_object_free(o);
    free(u);
}

static void refusals(void)
{
    int v = 3;
    double d = 0;
    hmf_object_t *i = object("i", &v, sizeof v, (int[]){typeINT}, 1);
    hmf_object_t *o = object("d", &d, sizeof d, double_type, 1), *image = NULL;

    want(hmf_migrate_recv(i, rank, 99, MPI_COMM_WORLD, 0.01) == HMF_ERR_TIMEOUT, "nobody sends");
    if (rank == 0) {
        MPI_Send("this is no object", 17, MPI_CHAR, 1, 7, MPI_COMM_WORLD);
        MPI_Send("HMFOBJ01\x03\0\0\0\0\0\0\0", 16, MPI_CHAR, 1, 7, MPI_COMM_WORLD);
        MPI_Send("bad", 3, MPI_CHAR, 1, 7, MPI_COMM_WORLD);
        want(!hmf_migrate_send(i, 1, 7, MPI_COMM_WORLD, 60), "send");
        want(!hmf_migrate_send(i, 1, 7, MPI_COMM_WORLD, 60), "send");
    } else if (rank == 1) {
        want(hmf_migrate_recv(i, 0, 7, MPI_COMM_WORLD, 60) == HMF_ERR_FORMAT, "text");
        want(hmf_migrate_recv(i, 0, 7, MPI_COMM_WORLD, 60) == HMF_ERR_FORMAT, "bytes");
        want(hmf_migrate_recv(o, 0, 7, MPI_COMM_WORLD, 60) == HMF_ERR_MISMATCH, "type");
        want(!hmf_migrate_take(0, 7, MPI_COMM_WORLD, 60, &image), "take");
        want(image && hmf_object_format(image) == HMF_FORMAT_IMAGE, "an image");
        want(hmf_migrate_recv(image, 0, 7, MPI_COMM_WORLD, 60) == HMF_ERR_ARG, "into an image");
    }
    hmf_object_free(image);
    hmf_object_free(o);
    hmf_object_free(i);
}

static void descriptors(void)
{
    struct node a = {42, &a}, b = {0, NULL};
    hmf_object_t *o = object("a", &a, sizeof a, node_type, 5);
    hmf_object_t *to = object("b", &b, sizeof b, node_type, 5);
    int fd[2];

    want(!socketpair(AF_UNIX, SOCK_STREAM, 0, fd), "socketpair");
    want(!hmf_migrate_send_fd(o, fd[0], 10), "send to a socket");
    want(!hmf_migrate_recv_fd(to, fd[1], 10), "receive from a socket");
    want(b.value == 42 && b.next == &b, "what came");
    want(hmf_migrate_recv_fd(to, fd[1], 0.01) == HMF_ERR_TIMEOUT, "nothing comes");
    close(fd[0]);
    want(hmf_migrate_recv_fd(to, fd[1], 10) == HMF_ERR_NOTFOUND, "nobody there");
    want(hmf_migrate_send_fd(o, fd[1], 10) == HMF_ERR_IO, "to nobody, and no signal");
    close(fd[1]);
    hmf_object_free(o);
    hmf_object_free(to);
}

/* Two objects that share a node, on disk and back. */
static void disk(void)
{
    struct node shared = {7, NULL}, *a = &shared, *b = &shared, *p = NULL, *q = NULL;
    static const int type[] = {typePOINTER, -2, typeINT, typePOINTER, typeSELF, 0};
    hmf_object_t *o[2] = {object("a", &a, sizeof a, type, 6), object("b", &b, sizeof b, type, 6)};
    hmf_object_t *to[2] = {object("b", &q, sizeof q, type, 6), object("a", &p, sizeof p, type, 6)};
    char path[40];
    FILE *f;

    snprintf(path, sizeof path, "objects.%d.h5", rank);
    hmf_object_set(o[1], "colour", "green");
    want(!hmf_check_save(path, o, 2), "save");
    want(!hmf_check_save(path, o, 2), "save again");
    want(!hmf_check_restore(path, to, 2), "restore");
    want(p && p == q && p->value == 7, "shared again");
    want(hmf_object_get(to[0], "colour") && !strcmp(hmf_object_get(to[0], "colour"), "green"),
         "the attribute");
    free(p);
    p = NULL;
    want(hmf_check_restore(path, to, 1) == HMF_ERR_MISMATCH, "one of two");
    want(hmf_check_restore("none.h5", to, 2) == HMF_ERR_NOTFOUND, "no file");
    want(hmf_check_save("none/none.h5", o, 2) == HMF_ERR_IO, "no directory");
    want(hmf_check_save(path, o, 0) == HMF_ERR_ARG, "nothing");
    f = fopen(path, "r+");
    fseek(f, -9, SEEK_END);
    int c = fgetc(f) ^ 1;
    fseek(f, -9, SEEK_END);
    fputc(c, f);
    fclose(f);
    want(hmf_check_restore(path, to, 2) == HMF_ERR_CHECKSUM && !p, "damage");
    for (int i = 0; i < 2; i++) {
        hmf_object_free(o[i]);
        hmf_object_free(to[i]);
    }
}

int main(int argc, char **argv)
{
    int all;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    to_one();
    MPI_Barrier(MPI_COMM_WORLD);
    large();
    refusals();
    descriptors();
    disk();
    MPI_Allreduce(&bad, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Finalize();
    return all;
}
