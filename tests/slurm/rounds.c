/* Ends in its third start, and computes nothing: for time limits that must be met more than once, however fast
 * the machine is. */
#include <stdio.h>
#include <time.h>

#include "auto.h"
#include "typemap.h"

int main(int argc, char **argv)
{
    long starts = 0;
    int type = typeLONG, left = 0;
    const struct timespec rest = {.tv_nsec = 10000000};

    (void)argc;
    auto_init(argv[0]);
    auto_track("starts", &starts, sizeof starts, &type, 1);
    auto_read(AUTO_ALL);
    starts++;
    while (starts < 3 && !left) {
        left = auto_poll(AUTO_ALL) & AUTO_MIGR;
        nanosleep(&rest, NULL);
    }
    if (!left)
        printf("%ld starts\n", starts);
    auto_done();
    return 0;
}
