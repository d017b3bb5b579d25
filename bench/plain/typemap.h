/* typemap.h: type numbers for programs compiled with bench/plain/auto.h, where nobody reads them.
 */
#ifndef BENCH_PLAIN_TYPEMAP_H
#define BENCH_PLAIN_TYPEMAP_H

enum {
    typeCHAR = 100,
    typeDOUBLE = 101,
    typeFLOAT = 102,
    typeINT = 103,
    typeLONG = 104,
    typeSHORT = 105,
    typeARRAY = 1000,
    typePOINTER,
    typeCSTRING,
    typeFSTRING
};

#endif
