/* Moves of ranks by the world layer alone, for its tests: what the job layer does with agents and
 * negotiation, a script that every process knows does here.  Point-to-point calls that count and
 * look into stashes stand for the generated wrappers. */
#ifndef TEST_MOVES_H
#define TEST_MOVES_H

#include "config.h"

#include "startup.h"
#include "stash.h"
#include "vcomm.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failures;

#define CHECK(what)                                                                               \
    do {                                                                                          \
        if (!(what)) {                                                                            \
            failures++;                                                                           \
            fprintf(stderr, "%s:%d: rank %d: %s is false: %s\n", __FILE__, __LINE__,              \
                    hmf__world_rank(), #what, hmf_error_text());                                  \
        }                                                                                         \
    } while (0)

static inline void test_send(const void *data, int bytes, int to, int tag, MPI_Comm c)
{
    PMPI_Send(data, bytes, MPI_BYTE, to, tag, hmf__comm_real(c));
    hmf__count_sent(c);
}

/* Gives the number of bytes; *from and *tag are set to what came. */
static inline int test_recv(void *data, int bytes, int *from, int *tag, MPI_Comm c)
{
    struct hmf__stashed *m = hmf__stash_take(hmf__vcomm_of(c), *from, *tag);
    MPI_Status st;
    int n;

    if (m != NULL) {
        n = (int) m->bytes;
        CHECK(n <= bytes);
        memcpy(data, m->data, (size_t) n);
        *from = m->source;
        *tag = m->tag;
        hmf__stash_free(m);
        return n;
    }
    PMPI_Recv(data, bytes, MPI_BYTE, *from, *tag, hmf__comm_real(c), &st);
    hmf__count_received(c);
    PMPI_Get_count(&st, MPI_BYTE, &n);
    *from = st.MPI_SOURCE;
    *tag = st.MPI_TAG;
    return n;
}

/* Processes without a rank sleep, as in a job, instead of spinning. */
static inline void test_barrier(MPI_Comm universe)
{
    MPI_Request q;

    PMPI_Ibarrier(universe, &q);
    for (int done = 0; !done; usleep(100))
        PMPI_Test(&q, &done, MPI_STATUS_IGNORE);
}

/* Collective over the universe: the map becomes `after`.  `fail` makes it a rollback.  Gives the
 * seconds that prepare and commit took. */
static inline double test_move(const int *before, const int *after, int nranks, int fail)
{
    int me = hmf__world_proc(), was = -1, is = -1;
    MPI_Comm universe = hmf__world_universe();
    double t0, t1;

    for (int r = 0; r < nranks; r++) {
        was = before[r] == me ? r : was;
        is = after[r] == me ? r : is;
    }
    if (was >= 0) {
        CHECK(hmf__world_movable() == HMF_OK);
        CHECK(hmf__world_drain() == HMF_OK);
        CHECK(hmf__stash_total < 1000000);
    }
    if (was >= 0 && is < 0) {
        struct hmf__buf b = HMF__BUF_INIT;
        CHECK(hmf__world_pack(&b) == HMF_OK);
        PMPI_Send(b.data, (int) b.len, MPI_BYTE, after[was], 0, universe);
        hmf__buf_fini(&b);
    }
    if (was < 0 && is >= 0) {
        MPI_Status st;
        int n;
        void *data;
        PMPI_Probe(before[is], 0, universe, &st);
        PMPI_Get_count(&st, MPI_BYTE, &n);
        data = malloc((size_t) n);
        PMPI_Recv(data, n, MPI_BYTE, before[is], 0, universe, MPI_STATUS_IGNORE);
        /* Damaged bytes are refused, and the process is a spare as before. */
        for (int cut = 1; cut < n && cut < 400; cut += 13)
            CHECK(hmf__world_unpack(is, before, data, (size_t) (n - cut)) != HMF_OK);
        CHECK(hmf__world_unpack(is, before, data, (size_t) n) == HMF_OK);
        free(data);
    }
    test_barrier(universe);
    t0 = PMPI_Wtime();
    if (is >= 0)
        CHECK(hmf__world_prepare(after) == HMF_OK);
    test_barrier(universe);
    if (fail) {
        if (was >= 0 || is >= 0)
            hmf__world_rollback();
    } else if (is >= 0) {
        hmf__world_commit();
    } else if (was >= 0) {
        hmf__world_leave();
        hmf__world_set_map(after);
    } else {
        hmf__world_set_map(after);
    }
    test_barrier(universe);
    t1 = PMPI_Wtime();
    return t1 - t0;
}

#endif
