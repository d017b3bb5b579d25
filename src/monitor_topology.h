/* monitor_topology.h - what a host is made of, by hwloc: cores and their kinds, caches, memory, NUMA nodes and the
 * distances between them, and where this process is bound.
 *
 * hwloc's own variables put another host in its place, for tests: HWLOC_SYNTHETIC, HWLOC_XMLFILE. */
#ifndef HMF_MONITOR_TOPOLOGY_H
#define HMF_MONITOR_TOPOLOGY_H

struct hmf__topology {
    int packages, cores, threads;   /* that this process may use */
    int kinds;                      /* of cores; 1: all are alike */
    double worth;                   /* of a thread, in units of one of the fastest kind: their mean */
    double cache_bytes;             /* the largest cache that a core can reach; 0: none is known */
    int nodes;                      /* NUMA nodes */
    double distance;                /* from a node to the farthest, by that to itself; 1: no difference */
    double memory_bytes;
    int bound;                      /* threads to which this process is bound; 0: to none */
    char kind[64];                  /* hosts with equal ones are alike; one word */
};

/* 0, or -1: hwloc cannot tell; *t is then one core and kind "?". */
int hmf__topology_read(struct hmf__topology *t);

#endif
