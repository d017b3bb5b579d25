/* checkpoint MB [FOLDER]: a durable and verified checkpoint of MB MiB a rank, beside a plain file of
 * of as many bytes by write, fsync, rename and fsync of the folder; taken in turns, medians. Of one of which
 * 5 % changed the number in brackets is the share that was written.
 *
 * Links the data side only: the ranks talk by plain MPI. */
#include "bench.h"

#include "base.h"
#include "check.h"
#include "check_priv.h"
#include "image.h"
#include "state.h"
#include "typemap.h"

#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 7

static int rank, nranks;

static hmf_status_t agree(void *ctx, hmf_status_t mine, char *text, size_t len)
{
    int in[2] = {(int)mine, rank}, out[2];

    (void)ctx;
    MPI_Allreduce(in, out, 1, MPI_2INT, MPI_MAXLOC, MPI_COMM_WORLD);
    if (out[0])
        MPI_Bcast(text, (int)len, MPI_CHAR, out[1], MPI_COMM_WORLD);
    return (hmf_status_t)out[0];
}

static hmf_status_t gather(void *ctx, const void *mine, size_t len, void *all)
{
    (void)ctx;
    MPI_Gather(mine, (int)len, MPI_BYTE, all, (int)len, MPI_BYTE, 0, MPI_COMM_WORLD);
    return HMF_OK;
}

static hmf_status_t bcast(void *ctx, void *data, size_t len)
{
    (void)ctx;
    MPI_Bcast(data, (int)len, MPI_BYTE, 0, MPI_COMM_WORLD);
    return HMF_OK;
}

static void stop(const char *what)
{
    fprintf(stderr, "checkpoint: %s\n", what);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* Seconds from the first rank's start to the last one's end. */
static double span(double start)
{
    double end = bench_now(), first, last;

    MPI_Allreduce(&start, &first, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
    MPI_Allreduce(&end, &last, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return last - first;
}

static double plain(const char *folder, const char *bytes, size_t n)
{
    char tmp[1100], path[1080];
    double start;

    snprintf(path, sizeof path, "%s/plain.%d", folder, rank);
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    MPI_Barrier(MPI_COMM_WORLD);
    start = bench_now();
    int fd = open(tmp, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    if (fd < 0)
        stop(strerror(errno));
    for (size_t done = 0; done < n;) {
        ssize_t w = write(fd, bytes + done, n - done);
        if (w <= 0)
            stop(strerror(errno));
        done += (size_t)w;
    }
    int dir = open(folder, O_RDONLY);
    if (fsync(fd) || close(fd) || rename(tmp, path) || fsync(dir) || close(dir))
        stop(strerror(errno));
    return span(start);
}

static double checkpoint(struct hmf__check_job *job, hmf_state_t *state)
{
    hmf_image_t *image;
    uint64_t generation;
    double start;

    MPI_Barrier(MPI_COMM_WORLD);
    start = bench_now();
    if (hmf_image_capture(state, &image) || hmf__check_write(job, image, &generation))
        stop(hmf_error_text());
    double t = span(start);
    hmf_image_free(image);
    return t;
}

/* Changes 5 % of the values, by blocks of 64 KiB: the same ones every time, or others. */
static void change(double *values, size_t n, bool others)
{
    static size_t at;
    const size_t block = 65536 / sizeof *values;
    size_t blocks = n / sizeof *values / block, first = others ? at : 0;

    for (size_t k = 0; k < blocks / 20; k++) {
        size_t b = (first + k) * 19 % blocks;               /* scattered, none twice in a row */
        for (size_t i = 0; i < block; i++)
            values[b * block + i] += 0.25;
    }
    at += blocks / 20;
}

/* A checkpoint of which 5 % differ from the one before; *share: how much of it was written. */
static double changed(struct hmf__check_job *job, hmf_state_t *state, double *values, size_t n,
                      bool others, double *share)
{
    double t, bytes, all;

    change(values, n, others);
    t = checkpoint(job, state);
    bytes = (double)hmf__io_written(job->hold->io);
    MPI_Allreduce(&bytes, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    *share = all / ((double)n * nranks);
    return t;
}

/* How long the program is held by one in the background, once the memory is there. */
static double held(struct hmf__check_job *job, hmf_state_t *state)
{
    hmf_image_t *image;
    uint64_t generation;
    double start;

    MPI_Barrier(MPI_COMM_WORLD);
    start = bench_now();
    if (hmf_image_capture(state, &image) || hmf__check_begin(job, image, &generation))
        stop(hmf_error_text());
    hmf_image_free(image);
    double t = span(start);
    if (hmf__check_complete(job, &generation))
        stop(hmf_error_text());
    return t;
}

/* Sweeps of a Jacobi solver, 4 MiB a rank, for about a second; how long one takes on the slowest
 * rank. With a checkpoint (job not NULL) one after the other is written behind it; *written: how
 * many have been by the end. */
static double jacobi(struct hmf__check_job *job, hmf_state_t *state, int *written)
{
    enum { N = 512 };
    static double u[N][N], v[N][N];
    double start, seconds, worst, sweeps = 0, held_s = 0;
    uint64_t generation;

    MPI_Barrier(MPI_COMM_WORLD);
    start = bench_now();
    for (int going = 1; going;) {
        double before = bench_now();
        /* all ranks begin and complete together: whether one is under way is asked of rank 0 */
        int busy = job && hmf__check_busy(job);
        MPI_Bcast(&busy, 1, MPI_INT, 0, MPI_COMM_WORLD);
        if (job && !busy) {
            hmf_image_t *image;
            ++*written;
            if (hmf_image_capture(state, &image) || hmf__check_begin(job, image, &generation))
                stop(hmf_error_text());
            hmf_image_free(image);
        }
        held_s += bench_now() - before;
        for (int k = 0; k < 20; k++, sweeps++) {
            for (int i = 1; i < N - 1; i++)
                for (int j = 1; j < N - 1; j++)
                    v[i][j] = 0.25 * (u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1]);
            memcpy(u, v, sizeof u);
        }
        going = bench_now() - start < 1;
        MPI_Bcast(&going, 1, MPI_INT, 0, MPI_COMM_WORLD);
    }
    seconds = (bench_now() - start - held_s) / sweeps;
    MPI_Allreduce(&seconds, &worst, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    if (job && hmf__check_busy(job))
        --*written;
    if (job && hmf__check_complete(job, &generation))
        stop(hmf_error_text());
    return worst;
}

static double copy(char *to, const char *from, size_t n)
{
    double start;

    MPI_Barrier(MPI_COMM_WORLD);
    start = bench_now();
    memcpy(to, from, n);
    return span(start);
}

int main(int argc, char **argv)
{
    static const int desc[] = {typeDOUBLE};
    double by_us[ROUNDS], by_hand[ROUNDS], behind[ROUNDS], copied[ROUNDS], alone[ROUNDS],
           beside[ROUNDS], same[ROUNDS], other[ROUNDS], share_same, share_other, load;
    char dir[1050], name[64];
    uint64_t generation;
    int written = 0;
    hmf_state_t *state;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &nranks);
    size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
    const char *folder = argc > 2 ? argv[2] : ".";
    if (mib == 0 || strlen(folder) > 1000)
        stop("usage: checkpoint MB [FOLDER]");
    size_t n = mib << 20;
    double *values = malloc(n), *expected = malloc(n);
    if (!values || !expected)
        stop("out of memory");
    for (size_t i = 0; i < n / sizeof *values; i++)
        values[i] = rank + 0.5 * (double)i;
    if (hmf_state_new(&state)
        || hmf_state_add(state, "values", values, n, desc, 1, NULL))
        stop(hmf_error_text());

    snprintf(dir, sizeof dir, "%s/checkpoints", folder);
    struct hmf__check_job job = {.rank = rank, .nranks = nranks, .dir = dir, .program = "bench",
                                 .keep = 1, .agree = agree, .gather = gather, .bcast = bcast};
    plain(folder, (const char *)values, n);
    checkpoint(&job, state);
    for (int i = 0; i < ROUNDS; i++) {
        by_hand[i] = plain(folder, (const char *)values, n);
        by_us[i] = checkpoint(&job, state);
    }
    char *memory = hmf__big_alloc(n);
    if (!memory)
        stop("out of memory");
    memset(memory, 1, n);
    held(&job, state);
    for (int i = 0; i < ROUNDS; i++) {
        copied[i] = copy(memory, (const char *)values, n);
        behind[i] = held(&job, state);
    }
    hmf__big_free(memory, n);
    for (int i = 0; i < ROUNDS; i++) {
        alone[i] = jacobi(NULL, NULL, NULL);
        beside[i] = jacobi(&job, state, &written);
    }
    setenv("HMF_INCREMENTAL", "1", 1);
    job.keep = 2;
    for (int i = 0; i < 4; i++)
        changed(&job, state, values, n, false, &share_same);
    for (int i = 0; i < ROUNDS; i++)
        same[i] = changed(&job, state, values, n, false, &share_same);
    for (int i = 0; i < 4; i++)
        changed(&job, state, values, n, true, &share_other);
    for (int i = 0; i < ROUNDS; i++)
        other[i] = changed(&job, state, values, n, true, &share_other);
    memcpy(expected, values, n);
    memset(values, 0, n);
    MPI_Barrier(MPI_COMM_WORLD);
    load = bench_now();
    if (hmf__check_load(&job, -1, state, &generation))
        stop(hmf_error_text());
    load = span(load);
    if (memcmp(values, expected, n))
        stop("a restored value is wrong");
    if (rank == 0) {
        double us = bench_median(by_us, ROUNDS), hand = bench_median(by_hand, ROUNDS);
        snprintf(name, sizeof name, "checkpoint %dx%zu MiB", nranks, mib);
        bench_line(name, us * 1e3, "ms", us / hand, "write+fsync+rename");
        double full = us;
        us = bench_median(same, ROUNDS);
        snprintf(name, sizeof name, "  5 %% changed, the same (%.3f)", share_same);
        bench_line(name, us * 1e3, "ms", us / full, "all of it");
        us = bench_median(other, ROUNDS);
        snprintf(name, sizeof name, "  5 %%, others each (%.3f)", share_other);
        bench_line(name, us * 1e3, "ms", us / full, "all of it");
        us = bench_median(behind, ROUNDS);
        snprintf(name, sizeof name, "  held, async %dx%zu MiB", nranks, mib);
        bench_line(name, us * 1e3, "ms", us / bench_median(copied, ROUNDS), "memcpy, prefaulted");
        us = bench_median(beside, ROUNDS);
        snprintf(name, sizeof name, "  sweep beside it %dx%zu MiB", nranks, mib);
        bench_line(name, us * 1e3, "ms", us / bench_median(alone, ROUNDS), "no checkpoint");
        snprintf(name, sizeof name, "  written behind it %dx%zu MiB", nranks, mib);
        bench_line(name, written * (double)n * nranks / (1 << 20) / ROUNDS, "MiB/s", 0, NULL);
        snprintf(name, sizeof name, "restart %dx%zu MiB", nranks, mib);
        bench_line(name, load * 1e3, "ms", 0, NULL);
    }
    hmf__check_release(&job);
    hmf_state_free(state);
    free(values);
    free(expected);
    MPI_Finalize();
    return 0;
}
