/* partition.c - what part of a global array a variable is, as programs say it (hmf/partition.h). */
#include "config.h"

#include "hmf/partition.h"

#include "job.h"
#include "parts.h"

static hmf_status_t before(const char *name)
{
    return hmf__fail(HMF_ERR_STATE, "variable %s was declared outside auto_init .. auto_done",
                     name ? name : "(null)");
}

static hmf_status_t told(hmf_status_t st)
{
    if (st)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    return st;
}

hmf_status_t hmf_partition(const char *name, int ndims, const uint64_t *shape, size_t npieces,
                           const struct hmf_piece *pieces)
{
    hmf_state_t *state = hmf__job.state;

    return told(state ? hmf__parts_set(state, name, ndims, shape, npieces, pieces) : before(name));
}

hmf_status_t hmf_partition_list(const char *name, uint64_t length, size_t n,
                                const uint64_t *indices)
{
    hmf_state_t *state = hmf__job.state;

    return told(state ? hmf__parts_set_list(state, name, length, n, indices) : before(name));
}

hmf_status_t hmf_replicated(const char *name)
{
    hmf_state_t *state = hmf__job.state;

    return told(state ? hmf__parts_set_equal(state, name) : before(name));
}
