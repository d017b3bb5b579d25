/* main() of fuzzers that run by themselves: files as they are, then mutated for a number of runs.
 *     fuzz_x FILE...        fuzz_x -n RUNS FILE...
 * HMF_SEED=n takes other mutations.  Included once a program, behind LLVMFuzzerTestOneInput. */
#ifndef FUZZ_MAIN_H
#define FUZZ_MAIN_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t fuzz_seed = 88172645463325252u;

static uint64_t fuzz_random(void)
{
    fuzz_seed ^= fuzz_seed << 13;
    fuzz_seed ^= fuzz_seed >> 7;
    fuzz_seed ^= fuzz_seed << 17;
    return fuzz_seed;
}

static void fuzz_mutate(unsigned char *p, size_t *len, size_t room)
{
    for (uint64_t n = 1 + fuzz_random() % 4; n; n--) {
        size_t at = fuzz_random() % *len;
        switch (fuzz_random() % 6) {
        case 0:
            p[at] ^= (unsigned char)(1 << fuzz_random() % 8);
            break;
        case 1:
            p[at] = (unsigned char)fuzz_random();
            break;
        case 2:
            for (size_t k = 0; k < 4 && at + k < *len; k++)
                p[at + k] = fuzz_random() % 2 ? 0xff : 0;
            break;
        case 3: /* a small number */
            p[at] = (unsigned char)(fuzz_random() % 24);
            break;
        case 4:
            if (*len > 8)
                *len -= fuzz_random() % 8;
            break;
        default:
            if (*len + 8 < room) {
                memmove(p + at + 4, p + at, *len - at);
                *len += 4;
            }
        }
    }
}

enum { FUZZ_ROOM = 1 << 16 };

/* One input as it is, then mutated `runs` times. */
static void fuzz_input(const unsigned char *original, size_t n, long runs)
{
    static unsigned char work[FUZZ_ROOM];

    LLVMFuzzerTestOneInput(original, n);
    for (long k = 0; k < runs; k++) {
        size_t len = n;
        memcpy(work, original, n);
        fuzz_mutate(work, &len, FUZZ_ROOM);
        LLVMFuzzerTestOneInput(work, len);
    }
}

/* Returns the number of runs that were asked for; *first: the first file among the arguments. */
static long fuzz_arguments(int argc, char **argv, int *first)
{
    long runs = 0;

    *first = 1;
    if (argc > 2 && !strcmp(argv[1], "-n")) {
        runs = strtol(argv[2], NULL, 10);
        *first = 3;
    }
    if (getenv("HMF_SEED"))
        fuzz_seed = strtoull(getenv("HMF_SEED"), NULL, 10) | 1;
    return runs;
}

/* false: there is no such file. */
static int fuzz_file(const char *path, long runs)
{
    static unsigned char original[FUZZ_ROOM];
    FILE *f = fopen(path, "rb");

    if (!f) {
        perror(path);
        return 0;
    }
    size_t n = fread(original, 1, FUZZ_ROOM, f);
    fclose(f);
    if (n)
        fuzz_input(original, n, runs);
    return 1;
}

#endif
