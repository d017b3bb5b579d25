/* spare.c: how much of a core a spare uses while it waits.
 *
 *   HMF_SPARES=S mpirun -np 1+S bench/spare FILE SECONDS
 *
 * Every process notes its id in FILE before MPI_Init; the one active rank then reads, from /proc,
 * the time that the others have used.  Peer: one core. */
#include "bench.h"

#include "auto.h"
#include "typemap.h"

#include <dirent.h>
#include <fcntl.h>
#include <mpi.h>
#include <unistd.h>

#define MAX_SPARES 64

/* Nanoseconds of processor time of all threads of a process; -1 if it cannot be told. */
static double used(long pid)
{
    char path[256];
    double sum = 0;
    struct dirent *entry;
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%ld/task", pid);
    tasks = opendir(path);
    if (!tasks)
        return -1;
    while ((entry = readdir(tasks))) {
        long long ns;
        FILE *in;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%ld/task/%.20s/schedstat", pid, entry->d_name);
        in = fopen(path, "r");
        if (in && fscanf(in, "%lld", &ns) == 1)
            sum += ns;
        if (in)
            fclose(in);
    }
    closedir(tasks);
    return sum;
}

int main(int argc, char **argv)
{
    long spares = getenv("HMF_SPARES") ? atol(getenv("HMF_SPARES")) : 0, pid[MAX_SPARES + 1];
    double seconds = argc > 2 ? atof(argv[2]) : 3, start, before = 0, after = 0;
    int i = 0, n = 0, itype = typeINT, fd;
    FILE *in;

    if (argc < 2 || spares < 1 || spares > MAX_SPARES)
        return 2;
    fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0600);
    dprintf(fd, "%ld\n", (long)getpid());
    close(fd);

    MPI_Init(&argc, &argv);
    auto_init(argv[0]);
    auto_track("i", &i, sizeof i, &itype, 1);
    auto_read(AUTO_ALL);

    in = fopen(argv[1], "r");
    while (n < spares && fscanf(in, "%ld", &pid[n]) == 1)
        n += pid[n] != getpid();
    fclose(in);
    for (int phase = 0; phase < 2; phase++) {
        double until =
            bench_now() + (phase ? seconds : 1); /* the first second is for settling down */

        if (phase)
            for (int k = 0; k < n; k++)
                before += used(pid[k]);
        for (start = bench_now(); bench_now() < until; i++) {
            auto_poll(AUTO_ALL);
            usleep(10000);
        }
    }
    for (int k = 0; k < n; k++)
        after += used(pid[k]);
    if (n)
        bench_line("spare/waiting", (after - before) / n / (bench_now() - start) / 1e7, "%",
                   (after - before) / n / (bench_now() - start) / 1e9, "one core");
    auto_done();
    MPI_Finalize();
    return 0;
}
