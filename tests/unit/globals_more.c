/* The other source of test_globals.c: names that it has, too. */
#include "globals_more.h"

struct globals_pair globals_shared = {1, {2, 3, 4}};
static int same_name = 2;

int globals_more(int add)
{
    static int calls;

    same_name += add;
    return ++calls + same_name;
}
