/* hmf-checktype: C names that have a meaning of their own. */
#include "config.h"

#include "ctypes.h"

#include "cnames.h"

#include <stddef.h>
#include <string.h>

struct pair {
    const char *name, *what;
};

static const char *find(const struct pair *pairs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(pairs[i].name, name))
            return pairs[i].what;
    return NULL;
}

#define TOKEN(name, token) {name, #token},
#define TEXT(name, what) {name, what},

#define FIND(pairs, name) find(pairs, sizeof pairs / sizeof *pairs, name)

static const struct pair typedefs[] = {HMF__C_TYPEDEFS(TOKEN)};
static const struct pair basics[] = {HMF__C_BASICS(TOKEN)};
static const struct pair mpi_handles[] = {HMF__C_MPI_HANDLES(TOKEN)};
static const struct pair handle_typedefs[] = {HMF__C_HANDLE_TYPEDEFS(TEXT)};
static const struct pair handle_records[] = {HMF__C_HANDLE_RECORDS(TEXT)};

const char *ct_token_typedef(const char *name)
{
    return FIND(typedefs, name);
}

const char *ct_token_mpi(const char *name)
{
    return FIND(mpi_handles, name);
}

const char *ct_token_spelled(const char *name)
{
    return FIND(basics, name);
}

const char *ct_handle_typedef(const char *name)
{
    return FIND(handle_typedefs, name);
}

const char *ct_handle_record(const char *name)
{
    return FIND(handle_records, name);
}
