/* The table of virtual communicators and the member lists that they share.
 * How real communicators get into it is vadopt.c, how they are replaced world.c. */
#include "config.h"

#include "vcomm.h"

#include "base.h"
#include "stash.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define VCOMM_MAGIC UINT32_C(0x6d6d6f63)
/* Open MPI 4.1 itself cannot hold more communicators than 2^16. Addresses are reserved for all,
 * memory is used for those that exist. */
#define VCOMM_MAX ((uint32_t) 1 << 16)
/* Open MPI numbers handles for Fortran from 0 upwards. */
#define FORTRAN_BASE 0x40000000

struct hmf__vcomm hmf__vcomm_world = {
    .real = MPI_COMM_WORLD, .prepared = MPI_COMM_NULL, .rank = -1
};
struct hmf__vcomm hmf__vcomm_self = {
    .real = MPI_COMM_SELF, .prepared = MPI_COMM_NULL, .rank = -1
};
uintptr_t hmf__vcomm_begin;
uintptr_t hmf__vcomm_span;
bool hmf__vcomm_threads;
uint64_t hmf__vcomm_gone_sent;
uint64_t hmf__vcomm_gone_received;

static struct {
    pthread_mutex_t lock;
    struct hmf__vcomm *arena;
    uint32_t used;              /* slots that were ever used */
    struct hmf__vcomm *free;    /* oldest first, so that a stale handle stays stale for long */
    struct hmf__vcomm *free_last;
    struct hmf__vcomm *last;    /* of the live list */
    struct hmf__vcomm *ghosts;
    struct hmf__members *lists;
    size_t count;
    uint32_t next_id;
    bool recording;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

void hmf__vcomm_lock(void)
{
    if (hmf__vcomm_threads)
        pthread_mutex_lock(&table.lock);
}

void hmf__vcomm_unlock(void)
{
    if (hmf__vcomm_threads)
        pthread_mutex_unlock(&table.lock);
}

uint64_t hmf__vcomm_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a * UINT64_C(0x9e3779b97f4a7c15) + b;

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return x != 0 ? x : 1;
}

struct hmf__members *hmf__members_share(const int *ranks, int n)
{
    uint64_t hash = (uint64_t) n;
    struct hmf__members *m;

    for (int i = 0; i < n; i++)
        hash = hmf__vcomm_mix(hash, (uint64_t) (uint32_t) ranks[i]);
    for (m = table.lists; m != NULL; m = m->next)
        if (m->hash == hash && m->n == n
            && memcmp(m->rank, ranks, (size_t) n * sizeof(int)) == 0) {
            m->refs++;
            return m;
        }
    m = hmf__malloc(sizeof(*m) + (size_t) n * sizeof(int));
    if (m == NULL)
        return NULL;
    m->hash = hash;
    m->refs = 1;
    m->n = n;
    memcpy(m->rank, ranks, (size_t) n * sizeof(int));
    m->next = table.lists;
    table.lists = m;
    return m;
}

void hmf__members_put(struct hmf__members *m)
{
    struct hmf__members **at = &table.lists;

    if (m == NULL || --m->refs > 0)
        return;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    hmf__free(m);
}

int hmf__members_index(const struct hmf__members *m, int rank)
{
    for (int i = 0; i < m->n; i++)
        if (m->rank[i] == rank)
            return i;
    return -1;
}

static void link_last(struct hmf__vcomm *v)
{
    v->prev = table.last;
    v->next = NULL;
    if (table.last != NULL)
        table.last->next = v;
    table.last = v;
    table.count++;
}

static void unlink_live(struct hmf__vcomm *v)
{
    if (v->prev != NULL)
        v->prev->next = v->next;
    if (v->next != NULL)
        v->next->prev = v->prev;
    else
        table.last = v->prev;
    v->prev = v->next = NULL;
    table.count--;
}

static void fresh(struct hmf__vcomm *v, uint32_t id, uint64_t gid, unsigned flags)
{
    *v = (struct hmf__vcomm) {
        .real = MPI_COMM_NULL, .prepared = MPI_COMM_NULL, .magic = VCOMM_MAGIC, .flags = flags,
        .id = id, .refs = 1, .gid = gid, .rank = -1
    };
    v->stash_tail = &v->stash;
}

/* WORLD and SELF: their lists of members depend on the rank of this process, which a spare gets
 * later. */
static hmf_status_t fixed(int world_size, int world_rank)
{
    int *all = hmf__malloc((size_t) world_size * sizeof(int));

    if (all == NULL)
        goto no_memory;
    for (int i = 0; i < world_size; i++)
        all[i] = i;
    hmf__vcomm_world.members = hmf__members_share(all, world_size);
    hmf__vcomm_self.members = hmf__members_share(&world_rank, 1);
    hmf__free(all);
    if (hmf__vcomm_world.members == NULL || hmf__vcomm_self.members == NULL)
        goto no_memory;
    hmf__vcomm_world.size = world_size;
    hmf__vcomm_world.rank = world_rank;
    hmf__vcomm_self.size = 1;
    hmf__vcomm_self.rank = 0;
    return HMF_OK;
no_memory:
    return hmf__fail(HMF_ERR_NOMEM, "no memory for the list of %d ranks", world_size);
}

hmf_status_t hmf__vcomm_init(int world_size, int world_rank, bool threads)
{
    size_t bytes = (size_t) VCOMM_MAX * sizeof(struct hmf__vcomm);
    hmf_status_t status;

    if (table.arena == NULL) {
        void *arena = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (arena == MAP_FAILED)
            return hmf__fail(HMF_ERR_NOMEM, "cannot reserve %zu bytes of addresses for "
                             "communicators", bytes);
        table.arena = arena;
    }
    table.used = 0;
    table.free = table.free_last = NULL;
    table.last = NULL;
    table.count = 0;
    hmf__vcomm_gone_sent = hmf__vcomm_gone_received = 0;
    fresh(&hmf__vcomm_world, 0, 1, HMF__COMM_FIXED);
    fresh(&hmf__vcomm_self, 1, 2, HMF__COMM_FIXED);
    hmf__vcomm_self.real = MPI_COMM_SELF;
    status = fixed(world_size, world_rank);
    if (status != HMF_OK) {
        hmf__vcomm_fini();
        return status;
    }
    link_last(&hmf__vcomm_world);
    link_last(&hmf__vcomm_self);
    table.next_id = 2;
    hmf__vcomm_threads = threads;
    hmf__vcomm_begin = (uintptr_t) table.arena;
    hmf__vcomm_span = bytes;
    return HMF_OK;
}

/* The entry is gone, its slot may be used again. */
static void retire(struct hmf__vcomm *v)
{
    hmf__stash_clear(v);
    hmf__members_put(v->members);
    hmf__members_put(v->remote);
    hmf__members_put(v->callers);
    hmf__members_put(v->were);
    v->members = v->remote = v->callers = v->were = NULL;
    v->real = MPI_COMM_NULL;
    v->magic = 0;
    if (v->flags & HMF__COMM_FIXED)
        return;
    v->next = NULL;
    if (table.free == NULL)
        table.free = v;
    else
        table.free_last->next = v;
    table.free_last = v;
}

void hmf__vcomm_fini(void)
{
    struct hmf__vcomm *v, *next;

    for (v = table.ghosts; v != NULL; v = next) {
        next = v->next;
        retire(v);
    }
    for (v = &hmf__vcomm_world; v != NULL && table.count > 0; v = next) {
        next = v->next;
        retire(v);
    }
    retire(&hmf__vcomm_world);
    retire(&hmf__vcomm_self);
    hmf__vcomm_span = 0;
    if (table.arena != NULL)
        munmap(table.arena, (size_t) VCOMM_MAX * sizeof(struct hmf__vcomm));
    table.arena = NULL;
    table.ghosts = NULL;
    table.last = NULL;
    table.count = 0;
    hmf__vcomm_world.real = MPI_COMM_WORLD;
    hmf__vcomm_self.real = MPI_COMM_SELF;
    hmf__vcomm_world.next = hmf__vcomm_self.next = hmf__vcomm_self.prev = NULL;
}

hmf_status_t hmf__vcomm_insert(uint32_t id, struct hmf__vcomm **out)
{
    struct hmf__vcomm *v;

    if (table.free != NULL) {
        v = table.free;
        table.free = v->next;
    } else if (table.used < VCOMM_MAX) {
        v = &table.arena[table.used++];
    } else {
        return hmf__fail(HMF_ERR_LIMIT, "the program has %zu communicators, more are not possible: "
                         "free some", table.count);
    }
    fresh(v, id, 0, table.recording ? HMF__COMM_STARTUP : 0);
    link_last(v);
    *out = v;
    return HMF_OK;
}

void hmf__vcomm_destroy(struct hmf__vcomm *v)
{
    hmf__vcomm_gone_sent += v->sent;
    hmf__vcomm_gone_received += v->received;
    unlink_live(v);
    if (v->flags & HMF__COMM_STARTUP) {
        hmf__stash_clear(v);
        v->real = MPI_COMM_NULL;
        v->flags |= HMF__COMM_GHOST;
        v->sent = v->received = 0;
        v->next = table.ghosts;
        table.ghosts = v;
        return;
    }
    retire(v);
}

void hmf__vcomm_ghost(struct hmf__vcomm *v)
{
    v->flags |= HMF__COMM_STARTUP;
    hmf__vcomm_destroy(v);
}

struct hmf__vcomm *hmf__vcomm_ghosts(void)
{
    return table.ghosts;
}

struct hmf__vcomm *hmf__vcomm_by_id(uint32_t id)
{
    struct hmf__vcomm *v;

    for (v = &hmf__vcomm_world; v != NULL; v = v->next)
        if (v->id == id)
            return v;
    for (v = table.ghosts; v != NULL; v = v->next)
        if (v->id == id)
            return v;
    return NULL;
}

uint32_t hmf__vcomm_next_id(void)
{
    return table.next_id;
}

void hmf__vcomm_set_next_id(uint32_t id)
{
    table.next_id = id;
}

void hmf__vcomm_recording(bool on)
{
    table.recording = on;
}

size_t hmf__vcomm_count(void)
{
    return table.count;
}

MPI_Fint hmf__vcomm_c2f(MPI_Comm c)
{
    uintptr_t offset = (uintptr_t) c - hmf__vcomm_begin;

    if (offset < hmf__vcomm_span)
        return FORTRAN_BASE + (MPI_Fint) (offset / sizeof(struct hmf__vcomm));
    return PMPI_Comm_c2f(c);
}

MPI_Comm hmf__vcomm_f2c(MPI_Fint f)
{
    if (f >= FORTRAN_BASE && (uint32_t) (f - FORTRAN_BASE) < table.used && table.arena != NULL)
        return (MPI_Comm) (void *) &table.arena[f - FORTRAN_BASE];
    return PMPI_Comm_f2c(f);
}

const char *hmf__vcomm_text(const struct hmf__vcomm *v, char *buf, size_t len)
{
    char name[MPI_MAX_OBJECT_NAME] = "";
    int n;

    if (v == &hmf__vcomm_world || v == &hmf__vcomm_self)
        snprintf(buf, len, "%s", v == &hmf__vcomm_world ? "MPI_COMM_WORLD" : "MPI_COMM_SELF");
    else if (v->real != MPI_COMM_NULL && PMPI_Comm_get_name(v->real, name, &n) == MPI_SUCCESS
             && n > 0 && strncmp(name, "MPI COMM", 8) != 0)
        snprintf(buf, len, "communicator %u \"%s\" of %d ranks", v->id, name, v->size);
    else
        snprintf(buf, len, "communicator %u of %d ranks", v->id, v->size);
    return buf;
}
