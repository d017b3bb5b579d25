/* monitor_topology.c - what a host is made of (see monitor_topology.h). */
#include "config.h"

#include "monitor_topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <hwloc.h>

static int count(hwloc_topology_t h, hwloc_obj_type_t type)
{
    int n = hwloc_get_nbobjs_by_type(h, type);

    return n > 0 ? n : 1;
}

/* Of a kind of cores, the highest clock rate that is told; 0: none is. */
static double rate_of(hwloc_topology_t h, unsigned kind)
{
    struct hwloc_info_s *info;
    unsigned n;
    int efficiency;

    if (hwloc_cpukinds_get_info(h, kind, NULL, &efficiency, &n, &info, 0))
        return 0;
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(info[i].name, "FrequencyMaxMHz"))
            return strtod(info[i].value, NULL);
    return 0;
}

/* Cores of a slower kind count as a part of a fast one. */
static void kinds(hwloc_topology_t h, struct hmf__topology *t)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    int n = hwloc_cpukinds_get_nr(h, 0), efficiency, all = 0;
    double fastest = 0, sum = 0;

    t->kinds = n > 0 ? n : 1;
    t->worth = 1;
    for (int k = 0; k < n; k++)
        fastest = rate_of(h, (unsigned)k) > fastest ? rate_of(h, (unsigned)k) : fastest;
    for (int k = 0; set && fastest > 0 && k < n; k++) {
        double rate = rate_of(h, (unsigned)k);
        int there;
        if (hwloc_cpukinds_get_info(h, (unsigned)k, set, &efficiency, NULL, NULL, 0))
            continue;
        hwloc_bitmap_and(set, set, hwloc_topology_get_allowed_cpuset(h));
        there = hwloc_bitmap_weight(set);
        sum += there * (rate > 0 ? rate / fastest : 1);
        all += there;
    }
    if (all > 0)
        t->worth = sum / all;
    hwloc_bitmap_free(set);
}

static void caches(hwloc_topology_t h, struct hmf__topology *t)
{
    static const hwloc_obj_type_t level[] = {HWLOC_OBJ_L5CACHE, HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L3CACHE,
                                             HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L1CACHE};

    for (size_t i = 0; i < sizeof level / sizeof *level && t->cache_bytes <= 0; i++) {
        hwloc_obj_t o = hwloc_get_obj_by_type(h, level[i], 0);
        if (o && o->attr)
            t->cache_bytes = (double)o->attr->cache.size;
    }
}

static void distances(hwloc_topology_t h, struct hmf__topology *t)
{
    struct hwloc_distances_s *d = NULL;
    unsigned n = 1;

    t->distance = 1;
    if (hwloc_distances_get_by_type(h, HWLOC_OBJ_NUMANODE, &n, &d, HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) ||
        n == 0 || !d)
        return;
    for (unsigned i = 0; i < d->nbobjs; i++)
        for (unsigned j = 0; j < d->nbobjs; j++) {
            double own = (double)d->values[i * d->nbobjs + i], other = (double)d->values[i * d->nbobjs + j];
            if (own > 0 && other / own > t->distance)
                t->distance = other / own;
        }
    hwloc_distances_release(h, d);
}

static void binding(hwloc_topology_t h, struct hmf__topology *t)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();

    if (set && !hwloc_get_cpubind(h, set, HWLOC_CPUBIND_PROCESS)) {
        hwloc_bitmap_and(set, set, hwloc_topology_get_topology_cpuset(h));
        t->bound = hwloc_bitmap_weight(set);
        if (t->bound >= t->threads || t->bound < 0)
            t->bound = 0;
    }
    hwloc_bitmap_free(set);
}

/* Machine, processor, threads and memory in one word: what makes hosts alike. */
static void name(hwloc_topology_t h, struct hmf__topology *t)
{
    hwloc_obj_t package = hwloc_get_obj_by_type(h, HWLOC_OBJ_PACKAGE, 0);
    const char *model = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
    struct utsname u;
    char *out = t->kind;

    if (uname(&u))
        strcpy(u.machine, "?");
    snprintf(t->kind, sizeof t->kind, "%.8s-%.30s-%dt-%.0fG", u.machine, model ? model : "cpu", t->threads,
             t->memory_bytes / (1 << 30));
    for (const char *p = t->kind; *p; p++)
        if ((unsigned char)*p > ' ' && *p != 127)
            *out++ = *p;
    *out = 0;
}

int hmf__topology_read(struct hmf__topology *t)
{
    hwloc_topology_t h;

    *t = (struct hmf__topology){.packages = 1, .cores = 1, .threads = 1, .kinds = 1, .worth = 1, .nodes = 1,
                                .distance = 1, .kind = "?"};
    if (hwloc_topology_init(&h))
        return -1;
    /* Without devices, of which the search is slow. */
    hwloc_topology_set_io_types_filter(h, HWLOC_TYPE_FILTER_KEEP_NONE);
    if (hwloc_topology_load(h)) {
        hwloc_topology_destroy(h);
        return -1;
    }
    t->packages = count(h, HWLOC_OBJ_PACKAGE);
    t->cores = count(h, HWLOC_OBJ_CORE);
    t->threads = count(h, HWLOC_OBJ_PU);
    t->nodes = count(h, HWLOC_OBJ_NUMANODE);
    t->memory_bytes = (double)hwloc_get_root_obj(h)->total_memory;
    kinds(h, t);
    caches(h, t);
    distances(h, t);
    binding(h, t);
    name(h, t);
    hwloc_topology_destroy(h);
    return 0;
}
