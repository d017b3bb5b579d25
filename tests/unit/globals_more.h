/* Another source with variables, for test_globals.c. */
#ifndef GLOBALS_MORE_H
#define GLOBALS_MORE_H

int globals_more(int add);

extern struct globals_pair {
    short a;
    long b[3];
} globals_shared;

#endif
