/* What of this process's address space can be read, from /proc/self/maps.  Where that file is not
 * there, every pointer is believed. */
#include "config.h"

#include "walk.h"

#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { GRAIN = HMF__GRAIN, WORD = 64 }; /* bytes a bit, bits a word */

/* The whole file, NUL-terminated; NULL if it cannot be had. */
static char *read_maps(void)
{
    struct hmf__buf b = HMF__BUF_INIT;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    ssize_t n;
    size_t len;

    if (fd < 0)
        return NULL;
    do {
        size_t have = b.len;
        char *p = hmf__buf_space(&b, 16384);
        if (!p)
            break;
        n = read(fd, p, 16384);
        b.len = have + (n > 0 ? (size_t)n : 0);
    } while (n > 0 || (n < 0 && errno == EINTR));
    close(fd);
    hmf__buf_put_u8(&b, 0);
    char *text = (char *)hmf__buf_take(&b, &len);
    hmf__buf_fini(&b);
    return text;
}

static void load(struct hmf__walk *w)
{
    char *text = read_maps(), *at = text;
    size_t cap = 0;

    w->have_regions = true;
    while (at && *at) {
        char *end = at;
        uintptr_t lo = (uintptr_t)strtoull(at, &end, 16), hi = 0;
        if (*end == '-')
            hi = (uintptr_t)strtoull(end + 1, &end, 16);
        char *line_end = strchr(at, '\n');
        if (line_end && line_end - at > 6 && !strncmp(line_end - 6, "[heap]", 6)) {
            w->heap_lo = lo;
            w->heap_hi = hi;
        }
        if (hi > lo && *end == ' ' && end[1] == 'r') {
            if (w->nregions && w->regions[w->nregions - 1].hi == lo) {
                w->regions[w->nregions - 1].hi = hi;
            } else {
                if (w->nregions == cap) {
                    cap = cap ? 2 * cap : 64;
                    void *more = hmf__realloc(w->regions, cap * sizeof *w->regions);
                    if (!more) {
                        w->nregions = 0;
                        break;
                    }
                    w->regions = more;
                }
                w->regions[w->nregions++] = (struct hmf__region){.lo = lo, .hi = hi};
            }
        }
        at = line_end ? line_end + 1 : NULL;
    }
    hmf__free(text);
}

bool hmf__walk_find_readable(struct hmf__walk *w, const void *p, uint64_t bytes, uint64_t *room)
{
    uintptr_t a = (uintptr_t)p;
    struct hmf__region *r = w->last_region;

    if (!r || a < r->lo || a >= r->hi) {
        if (!w->have_regions)
            load(w);
        size_t lo = 0, hi = w->nregions;
        if (!hi) {
            if (room)
                *room = UINTPTR_MAX - a;
            return true;
        }
        while (hi - lo > 1) {
            size_t mid = lo + (hi - lo) / 2;
            if (w->regions[mid].lo <= a)
                lo = mid;
            else
                hi = mid;
        }
        r = &w->regions[lo];
        if (a < r->lo || a >= r->hi)
            return false;
        w->last_region = r;
    }
    if (room)
        *room = r->hi - a;
    return bytes <= r->hi - a;
}

static bool make_cover(struct hmf__region *r)
{
    r->cover_bytes = ((r->hi - r->lo) / ((size_t)GRAIN * WORD) + 2) * sizeof *r->cover;
    r->cover = hmf__big_zeros(r->cover_bytes);
    return r->cover != NULL;
}

struct hmf__region *hmf__walk_region(struct hmf__walk *w, const void *p)
{
    if (!hmf__walk_readable(w, p, 1, NULL) || !w->last_region)
        return NULL;
    struct hmf__region *r = w->last_region;
    if ((uintptr_t)p < r->lo || (uintptr_t)p >= r->hi)
        return NULL;
    if (!r->ids) {
        r->ids_bytes = ((r->hi - r->lo) / GRAIN + 1) * sizeof *r->ids;
        r->ids = hmf__big_zeros(r->ids_bytes);
    }
    return r->ids ? r : NULL;
}

void hmf__walk_cover_rows(struct hmf__walk *w, const void *p, uint64_t bytes)
{
    struct hmf__region *r = w->last_region;

    if (w->unsure || !bytes)
        return;
    if (!r || (uintptr_t)p < r->lo || bytes > r->hi - (uintptr_t)p ||
        (!r->cover && !make_cover(r))) {
        w->unsure = true;
        return;
    }
    size_t from = ((uintptr_t)p - r->lo) / GRAIN, to = from + (size_t)((bytes - 1) / GRAIN);
    if (((uintptr_t)p & (GRAIN - 1)) + (bytes - 1) % GRAIN >= GRAIN)
        to++; /* regions begin at pages */
    uint64_t *word = &r->cover[from / WORD], first = ~(uint64_t)0 << from % WORD;
    uint64_t last = ~(uint64_t)0 >> (WORD - 1 - to % WORD), twice;
    if (from / WORD == to / WORD) {
        twice = *word & (first & last);
        *word |= first & last;
    } else {
        uint64_t *end = &r->cover[to / WORD];
        twice = *word & first;
        *word++ |= first;
        for (; word < end; word++) {
            twice |= *word;
            *word = ~(uint64_t)0;
        }
        twice |= *end & last;
        *end |= last;
    }
    w->unsure = twice != 0;
}

void hmf__walk_regions_free(struct hmf__walk *w)
{
    for (size_t i = 0; i < w->nregions; i++) {
        hmf__big_free(w->regions[i].cover, w->regions[i].cover_bytes);
        hmf__big_free(w->regions[i].ids, w->regions[i].ids_bytes);
    }
    hmf__free(w->regions);
    w->regions = NULL;
}
