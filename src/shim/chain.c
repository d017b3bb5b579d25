/*
 * libhmf-pmpi: where a PMPI call goes; see chain.h. The library is loaded before all others, is
 * linked to nothing, and does nothing in programs without libhmf-mpi.
 */
#include "config.h"

#include "shim/chain.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The code of libhmf-mpi: found once, the range of a loaded library does not change. */
static struct {
    uintptr_t begin, end;
    void *library;
    bool looked;
} hmf;

static int find(struct dl_phdr_info *info, size_t size, void *name)
{
    const char *slash = strrchr(info->dlpi_name, '/');

    (void) size;
    if (strncmp(slash != NULL ? slash + 1 : info->dlpi_name, "libhmf-mpi.so", 13) != 0)
        return 0;
    snprintf(name, 4096, "%s", info->dlpi_name);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
            continue;
        hmf.begin = info->dlpi_addr + p->p_vaddr;
        hmf.end = hmf.begin + p->p_memsz;
    }
    return 1;
}

static void look(void)
{
    char name[4096] = "";

    if (dl_iterate_phdr(find, name) == 1)
        hmf.library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    hmf.looked = true;
}

/* What a program gets that is linked with something else than MPI. */
static int missing(void)
{
    return 16; /* MPI_ERR_OTHER of Open MPI; any code but 0 will do */
}

static hmf__chain_fn symbol(void *where, const char *name)
{
    void *at = dlsym(where, name);
    hmf__chain_fn f;

    memcpy(&f, &at, sizeof f); /* ISO C knows no cast from the one to the other */
    if (f == NULL) {
        fprintf(stderr, "hmf: libhmf-pmpi finds no %s: is the program linked with MPI?\n", name);
        return (hmf__chain_fn) missing;
    }
    return f;
}

bool hmf__chain_outside(const void *caller)
{
    uintptr_t at = (uintptr_t) caller;

    if (!hmf.looked)
        look();
    return hmf.library != NULL && (at < hmf.begin || at >= hmf.end);
}

hmf__chain_fn hmf__chain_next(struct hmf__chain_slots *slots, const char *name, bool ours)
{
    if (!ours) {
        if (slots->real == NULL)
            slots->real = symbol(RTLD_NEXT, name);
        return slots->real;
    }
    if (slots->ours == NULL)
        slots->ours = symbol(hmf.library, name + 1);
    return slots->ours;
}
