/* counter.c: the smallest migratable program: counts to a limit, wherever it runs.
 *
 *   HMF_SPARES=1 mpirun -np 2 ./counter [limit]
 *
 * It makes no MPI call of its own: auto_init starts MPI if the program has not, and auto_done then
 * ends it. Send the counting process SIGUSR2 and the other one goes on; SIGTERM, and the next start
 * goes on. */
#include "auto.h"
#include <hmf/checktype.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    long limit = argc > 1 ? atol(argv[1]) : 2000000000, count = 0;
    int left = 0;

    auto_init(argv[0]);
    HMF_TRACK(count);
    if (!auto_read(AUTO_ALL))
        count = 0;
    while (count < limit) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            left = 1;
            break;
        }
        count++;
    }
    if (!left)
        printf("counted to %ld\n", count);
    auto_untrack(&count);
    auto_done();
    return 0;
}
