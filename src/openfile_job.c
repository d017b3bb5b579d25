/* Open files of the job's registered state: the public calls of hmf/openfile.h. */
#include "config.h"

#include "openfile.h"

#include "job.h"

static hmf_status_t state(hmf_state_t **out, const char *call)
{
    *out = hmf__job.state;
    return *out ? HMF_OK
                : hmf__fail(HMF_ERR_STATE, "%s was called outside auto_init .. auto_done", call);
}

hmf_status_t hmf_openfile_track(const char *name, FILE **file)
{
    hmf_state_t *s;
    hmf_status_t rc = state(&s, "hmf_openfile_track");

    return rc == HMF_OK ? hmf__openfile_add(s, name, file, NULL) : rc;
}

hmf_status_t hmf_openfile_track_fd(const char *name, int *fd)
{
    hmf_state_t *s;
    hmf_status_t rc = state(&s, "hmf_openfile_track_fd");

    return rc == HMF_OK ? hmf__openfile_add(s, name, NULL, fd) : rc;
}

hmf_status_t hmf_openfile_own(const char *name)
{
    hmf_state_t *s;
    hmf_status_t rc = state(&s, "hmf_openfile_own");

    return rc == HMF_OK ? hmf__openfile_own(s, name) : rc;
}

hmf_status_t hmf_openfile_untrack(const char *name)
{
    hmf_state_t *s;
    hmf_status_t rc = state(&s, "hmf_openfile_untrack");

    return rc == HMF_OK ? hmf__openfile_remove(s, name) : rc;
}
