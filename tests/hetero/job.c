/* A job whose ranks have states full of pointers, and whose numbers are the same on every machine: only
 * + - * / and sqrt, sums in the order of ranks. It is moved between machines while it runs, or goes
 * from one to the next by checkpoints; its last lines must be those of the undisturbed job.
 *
 *   job STEPS [move=STEP,RANK]... [back=RANK] [until=MOVES] [stop] [more=STEPS]
 *     move   asks there that the rank move
 *     back   what moved to arm64 asks to move on
 *     until  goes on beyond STEPS until so many moves were made
 *     stop   asks for a checkpoint and the end after 20 steps, and goes on until it is there
 *     more   ends after so many steps, wherever it began
 *   job STEPS away=STEP,RANK[,OUT,IN]    that rank computes 40 steps by itself there; with names of
 *                                        pipes another process does, which gets the state by OUT
 *   job 40 helper=IN,OUT                 that process, of a job of its own
 *
 * Each process says on standard error where it goes on; results are on standard output. */
#include <math.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "carriers.h"
#include "hmf/function.h"
#include "hmf/job.h"
#include "hmf/type.h"
#include "typemap.h"

#include <fcntl.h>
#include <unistd.h>

#define LEN(a) ((int)(sizeof(a) / sizeof(a)[0]))
enum { BODIES = 300, MAX_RANKS = 64, MAX_STEPS = 20000000, AWAY = 40 };

#if defined __s390x__
#define MACHINE "s390x"
#elif defined __aarch64__
#define MACHINE "arm64"
#elif defined __i386__
#define MACHINE "i386"
#else
#define MACHINE "amd64"
#endif

struct body {
    char tag;
    double x, v;
    long id;
    struct body *next, *partner;
    char *name;
};

/* A tree over the bodies by their numbers; it owns nothing. */
struct tree {
    long key;
    struct body *body;
    struct tree *less, *more;
};

typedef double (*force)(double, double);

static double pull(double a, double b)
{
    return (b - a) / sqrt(1 + (b - a) * (b - a));
}

static double push(double a, double b)
{
    return (a - b) / (2 + (b - a) * (b - a));
}

static struct {
    int step;
    struct body *first;       /* a ring */
    struct body *favourite;   /* somewhere in it */
    struct tree *root;
    force now, next;
    unsigned short ncells;
    float *cells, *marked;    /* counted; inside of it */
    double *speed;            /* inside a body */
    long double third;        /* carried, not computed with: its digits differ */
    unsigned long long made;
    char note[12];
    int arrivals;             /* how often this rank came to another process */
} s;

static int body_type[] = {-7, typeCHAR, typeDOUBLE, typeDOUBLE, typeLONG, typePOINTER, 10001,
                          typePOINTER, 10001, typePOINTER, typeCSTRING};
static int tree_type[] = {-4, typeLONG, typePOINTER, 10001, typePOINTER, 10002, typePOINTER, 10002};
static int s_type[] = {-14, typeINT, typePOINTER, 10001, typePOINTER, 10001, typePOINTER, 10002,
                       typeFUNCTION, typeFUNCTION, typeUSHORT, typeCOUNTED, 6, typeFLOAT,
                       typePOINTER, typeFLOAT, typePOINTER, typeDOUBLE, typeLDOUBLE, typeULLONG,
                       typeFSTRING, 12, typeINT};

static int describe(void)
{
    return hmf_type_define(10001, "body", body_type, LEN(body_type), NULL, NULL) ||
           hmf_type_define(10002, "tree", tree_type, LEN(tree_type), NULL, NULL) ||
           hmf_function_define("pull", (hmf_function_t)pull) ||
           hmf_function_define("push", (hmf_function_t)push) ||
           auto_track("s", &s, sizeof s, s_type, LEN(s_type));
}

static struct body *new_body(int rank, struct body *partner)
{
    struct body *b = calloc(1, sizeof *b);
    char name[40];

    b->id = (long)(s.made++ * 7919 % 100003);
    b->tag = (char)('a' + b->id % 26);
    b->x = (double)(b->id % 1000) / 7 + rank;
    b->v = (double)(b->id % 13) / 11;
    b->partner = partner ? partner : b;
    snprintf(name, sizeof name, "body %ld of %d", b->id, rank);
    b->name = b->id % 4 ? strdup(name) : NULL;
    return b;
}

static struct tree *insert(struct tree *t, struct body *b)
{
    if (!t) {
        t = calloc(1, sizeof *t);
        t->key = b->id;
        t->body = b;
    } else if (b->id < t->key) {
        t->less = insert(t->less, b);
    } else {
        t->more = insert(t->more, b);
    }
    return t;
}

static void begin(int rank)
{
    struct body *last = NULL;

    for (int k = 0; k < BODIES; k++) {
        struct body *b = new_body(rank, last);
        if (last)
            last->next = b;
        else
            s.first = b;
        last = b;
        s.root = insert(s.root, b);
    }
    last->next = s.first;
    s.favourite = last->partner;
    s.now = pull;
    s.next = push;
    s.ncells = 1000;
    s.cells = calloc(s.ncells, sizeof *s.cells);
    s.marked = s.cells + 400 + rank;
    s.speed = &s.first->next->v;
    s.third = 1.0L / 3;
    snprintf(s.note, sizeof s.note, "rank %d", rank);
}

/* New memory beside what was restored, and restored memory given back. */
static void replace_cells(void)
{
    float *cells = malloc(s.ncells * sizeof *cells);

    memcpy(cells, s.cells, s.ncells * sizeof *cells);
    s.marked = cells + (s.marked - s.cells);
    free(s.cells);
    s.cells = cells;
}

/* Gives how often ranks have moved so far. */
static int one_step(MPI_Comm comm, int rank, int size)
{
    double mine = 0, all[MAX_RANKS], sum = 0, left, dt = 1.0 / 64;
    int moved[MAX_RANKS], moves = 0;
    struct body *b = s.first;
    force f;

    do {
        b->v += dt * s.now(b->x, b->partner->x);
        b->x += dt * b->v;
        mine += b->v;
        b = b->next;
    } while (b != s.first);
    MPI_Allgather(&mine, 1, MPI_DOUBLE, all, 1, MPI_DOUBLE, comm);
    MPI_Allgather(&s.arrivals, 1, MPI_INT, moved, 1, MPI_INT, comm);
    for (int r = 0; r < size; r++) {
        sum += all[r];
        moves += moved[r];
    }
    MPI_Sendrecv(&s.favourite->x, 1, MPI_DOUBLE, (rank + 1) % size, 7, &left, 1, MPI_DOUBLE,
                 (rank + size - 1) % size, 7, comm, MPI_STATUS_IGNORE);
    s.favourite->x = (s.favourite->x + left) / 2;
    *s.speed -= sum / (1000.0 * size);
    *s.marked += (float)(sum / 8);
    s.cells[s.step % s.ncells] += (float)s.root->body->x;
    s.first = s.first->next;
    s.favourite = s.favourite->partner;
    s.speed = &s.favourite->v;
    f = s.now;
    s.now = s.next;
    s.next = f;
    if (s.step % 16 == 15)
        replace_cells();
    return moves;
}

static void some_steps(void)
{
    for (int i = 0; i < AWAY; i++)
        one_step(MPI_COMM_SELF, 0, 1);
}

/* ---- the state as a stream, out of one job and into another ---- */

/* Opening a pipe waits for the other side; the test has a limit. */
static void by_stream(const char *path, int flags, hmf_status_t carry(hmf_state_t *, int))
{
    hmf_state_t *state;
    int fd = open(path, flags);

    if (fd < 0 || hmf_state_new(&state) ||
        hmf_state_add(state, "s", &s, sizeof s, s_type, LEN(s_type), NULL) || carry(state, fd)) {
        fprintf(stderr, "%s: %s\n", path, hmf_error_text());
        exit(1);
    }
    hmf_state_free(state);
    close(fd);
}

/* pipes: ",OUT,IN", or NULL. */
static void away(char *pipes)
{
    char *out = pipes ? pipes + 1 : NULL, *in = out ? strchr(out, ',') : NULL;

    if (!in) {
        some_steps();
        return;
    }
    *in++ = 0;
    by_stream(out, O_WRONLY, put_stream);
    memset(&s, 0x55, sizeof s);
    by_stream(in, O_RDONLY, get_stream);
}

static void help(char *in)
{
    char *out = strchr(in, ',');

    *out++ = 0;
    by_stream(in, O_RDONLY, get_stream);
    fprintf(stderr, "the state of %s computes at step %d on %s\n", s.note, s.step, MACHINE);
    some_steps();
    by_stream(out, O_WRONLY, put_stream);
}

/* ---- what must be the same in the end ---- */

static uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
}

static uint64_t mix_double(uint64_t h, double d)
{
    uint64_t bits;

    memcpy(&bits, &d, 8);
    return mix(h, bits);
}

static uint64_t mix_tree(uint64_t h, const struct tree *t)
{
    if (!t)
        return mix(h, 1);
    h = mix_double(mix(h, (uint64_t)t->key), t->body->x);
    return mix_tree(mix_tree(h, t->less), t->more);
}

static void tell(int rank)
{
    const struct body *b = s.first;
    uint64_t h = 0;
    int n = 0;

    do {
        h = mix_double(mix_double(mix(h, (uint64_t)b->id), b->x), b->v);
        h = mix_double(mix(h, (unsigned char)b->tag), b->partner->v);
        for (const char *c = b->name; c && *c; c++)
            h = mix(h, (unsigned char)*c);
        n++;
        b = b->next;
    } while (b != s.first && n <= BODIES);
    h = mix_tree(h, s.root);
    for (int k = 0; k < s.ncells; k++)
        h = mix_double(h, s.cells[k]);
    h = mix(mix(h, (uint64_t)(s.marked - s.cells)), s.made);
    printf("rank %d: %d bodies, favourite %ld at %.17g, speed %.17g, third %s, %s, %s, %016llx\n", rank,
           n, s.favourite->id, s.favourite->x, *s.speed,
           s.third == 1.0L / 3 || (double)s.third == 1.0 / 3 ? "whole" : "lost",
           s.now == pull ? "pull" : s.now == push ? "push" : "no function", s.note,
           (unsigned long long)h);
}

/* ---- */

static void ask(int argc, char **argv, int rank, int came_at)
{
    int at, who;

    for (int i = 2; i < argc; i++) {
        if (sscanf(argv[i], "move=%d,%d", &at, &who) == 2 && at == s.step && rank == 0)
            hmf_request_move(who, NULL);
        if (sscanf(argv[i], "back=%d", &who) == 1 && who == rank && s.step == came_at + 10 &&
            !strcmp(MACHINE, "arm64"))
            hmf_request_move(who, NULL);
        if (!strcmp(argv[i], "stop") && s.step == came_at + 20 && rank == 0)
            hmf_request_checkpoint(1);
    }
}

int main(int argc, char **argv)
{
    int rank, size, steps = argc > 1 ? atoi(argv[1]) : 10, left = 0, until = 0, came_at, at, who;
    int stop = 0, more = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size > MAX_RANKS || auto_init(argv[0]) || describe()) {
        MPI_Finalize();
        return 1;
    }
    for (int i = 2; i < argc; i++) {
        sscanf(argv[i], "until=%d", &until);
        sscanf(argv[i], "more=%d", &more);
        stop |= !strcmp(argv[i], "stop");
    }
    if (argc > 2 && !strncmp(argv[2], "helper=", 7)) {
        help(argv[2] + 7);
        auto_done();
        MPI_Finalize();
        return 0;
    }
    if (auto_read(AUTO_ALL)) {
        fprintf(stderr, "rank %d goes on at step %d on %s\n", rank, s.step, MACHINE);
        s.arrivals++;
    } else {
        begin(rank);
    }
    came_at = s.step;
    if (more)
        steps = s.step + more;
    for (int moves = 0; s.step < steps || ((moves < until || stop) && s.step < MAX_STEPS);
         s.step++) {
        if ((left = auto_poll(AUTO_ALL) & AUTO_MIGR))
            break;
        ask(argc, argv, rank, came_at);
        for (int i = 2; i < argc; i++)
            if (sscanf(argv[i], "away=%d,%d", &at, &who) == 2 && at == s.step && who == rank)
                away(strchr(strchr(argv[i], ',') + 1, ','));
        moves = one_step(MPI_COMM_WORLD, rank, size);
    }
    if (!left)
        tell(rank);
    if (!left && rank == 0)
        fprintf(stderr, "steps: %d\n", s.step);
    auto_done();
    MPI_Finalize();
    return 0;
}
