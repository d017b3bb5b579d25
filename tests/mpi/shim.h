/* For the tests of the wrappers: plain MPI programs, which know nothing of spares. */
#ifndef TEST_SHIM_H
#define TEST_SHIM_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mpi.h>

static int failures, rank, size;

#define CHECK(what)                                                                        \
    do {                                                                                   \
        if (!(what)) {                                                                     \
            failures++;                                                                    \
            fprintf(stderr, "%s:%d: rank %d: %s is false\n", __FILE__, __LINE__, rank,     \
                    #what);                                                                \
        }                                                                                  \
    } while (0)

#define OK(call) CHECK((call) == MPI_SUCCESS)

static inline void test_begin(int *argc, char ***argv)
{
    OK(MPI_Init(argc, argv));
    OK(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
    OK(MPI_Comm_size(MPI_COMM_WORLD, &size));
    if (getenv("HMF_TEST_RANKS") != NULL)
        CHECK(size == atoi(getenv("HMF_TEST_RANKS")));
}

static inline int test_end(void)
{
    int all = 0;

    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all != 0;
}

/* What stands for this process's stderr, once dup2 has put it there. */
static inline int err_file(void)
{
    const char *process = getenv("OMPI_COMM_WORLD_RANK");
    char name[64];

    snprintf(name, sizeof name, "err.%s", process != NULL ? process : "0");
    return open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
}

/* Has a process said by now that a rank stays, and why? */
static inline int told(const char *what)
{
    char name[32], line[2000];
    int found = 0;

    for (int p = 0; p < 16; p++) {
        FILE *f;

        snprintf(name, sizeof name, "err.%d", p);
        f = fopen(name, "r");
        while (f != NULL && fgets(line, sizeof line, f) != NULL)
            found |= strstr(line, what) != NULL && strstr(line, "stays") != NULL;
        if (f != NULL)
            fclose(f);
    }
    return found;
}

/* Says whether a status tells of this message. */
static inline int says(const MPI_Status *s, int source, int tag, int ints)
{
    int n = -1;

    MPI_Get_count(s, MPI_INT, &n);
    return s->MPI_SOURCE == source && s->MPI_TAG == tag && n == ints;
}

#endif
