/* bench.h: clock, median and the form of a line, for the programs of this folder.
 *
 * A line is: case, figure with its unit, ratio and the peer that it is taken to. */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Seconds on a clock that all processes of a host share. */
static inline double bench_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static inline int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The middle one of n values, which get sorted. */
static inline double bench_median(double *v, int n)
{
    qsort(v, n, sizeof *v, bench_compare);
    return n % 2 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

static inline void bench_line(const char *name, double value, const char *unit, double ratio,
                              const char *peer)
{
    if (peer)
        printf("%-28s %10.3f %-4s %8.2f x %s\n", name, value, unit, ratio, peer);
    else
        printf("%-28s %10.3f %s\n", name, value, unit);
    fflush(stdout);
}

#endif
