/* logbook.c: files that stay open while the rank moves. Each rank reads numbers from one text file,
 * line by line, writes the running mean of all ranks into a book of its own, book.RANK, and the same
 * as XDR through a descriptor into book.RANK.xdr.
 *
 * Shows hmf/openfile.h (files are opened again, at the same place, by the process that gets the rank)
 * and hmf/xdr.h (values in bytes that any machine reads).
 *
 * Usage: logbook NUMBERS [STEPS [PROGRESS-FILE]] */
#include "auto.h"
#include "hmf/checktype.h"
#include "hmf/openfile.h"
#include "hmf/xdr.h"

#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct entry {
    int step;
    double mean;
};

/* An entry of the book in XDR; the same procedure would read it. */
static hmf_status_t entry(hmf_xdr_t *x, struct entry *e)
{
    hmf_xdr_int(x, &e->step);
    return hmf_xdr_double(x, &e->mean);
}

static int put_entry(int fd, struct entry *e)
{
    hmf_xdr_t *x;

    if (hmf_xdr_fd(HMF_XDR_ENCODE, fd, -1, &x))
        return -1;
    entry(x, e);
    return hmf_xdr_close(x) ? -1 : 0;
}

/* Something to compute, so that a step takes a while. */
static double smooth(double v)
{
    double x = v;

    for (int i = 0; i < 50000; i++)
        x = 0.5 * (x + v / (1.0 + x * x));
    return x;
}

static void open_book(int rank, FILE **book, int *book_fd)
{
    char name[64];

    snprintf(name, sizeof name, "book.%d", rank);
    *book = fopen(name, "w");
    snprintf(name, sizeof name, "book.%d.xdr", rank);
    *book_fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
}

int main(int argc, char *argv[])
{
    int rank, size, step = 0, left = 0, steps = argc > 2 ? atoi(argv[2]) : 1000;
    FILE *numbers = NULL, *book = NULL, *progress = NULL;
    int book_fd = -1;
    double sum = 0.0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (argc < 2) {
        if (rank == 0)
            fprintf(stderr, "usage: %s numbers [steps [progress file]]\n", argv[0]);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    if (argc > 3)
        progress = fopen(argv[3], "a"); /* not tracked: every process has its own */

    auto_init(argv[0]);
    HMF_TRACK(step);
    HMF_TRACK(sum);
    hmf_openfile_track("numbers", &numbers);
    hmf_openfile_track("book", &book);
    hmf_openfile_track_fd("book.xdr", &book_fd);
    if (!auto_read(AUTO_ALL)) { /* afresh: open the files; else they are open where they were */
        numbers = fopen(argv[1], "r");
        open_book(rank, &book, &book_fd);
    }
    if (!numbers || !book || book_fd < 0) {
        fprintf(stderr, "%s: rank %d cannot open its files\n", argv[0], rank);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }

    for (; step < steps; step++) {
        double number, mean;
        struct entry e = {step, 0.0};

        if ((left = auto_poll(AUTO_ALL) & AUTO_MIGR)) /* this rank lives elsewhere now */
            break;
        if (fscanf(numbers, "%lf", &number) != 1) { /* at the end: from the beginning */
            rewind(numbers);
            number = 0.0;
        }
        sum += smooth(number + rank);
        MPI_Allreduce(&sum, &mean, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
        e.mean = mean / size / (step + 1);
        fprintf(book, "%d %.17g\n", step, e.mean); /* stays in the buffer for a while */
        if (put_entry(book_fd, &e))
            MPI_Abort(MPI_COMM_WORLD, 3);
        if (progress) {
            fprintf(progress, "step %d rank %d pid %d\n", step + 1, rank, (int)getpid());
            fflush(progress);
        }
    }
    if (!left && rank == 0)
        printf("%d steps, the last sum is %.17g\n", step, sum);
    fclose(numbers);
    fclose(book);
    close(book_fd);
    if (progress)
        fclose(progress);
    auto_done();
    MPI_Finalize();
    return 0;
}
