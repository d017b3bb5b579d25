/* Who turns foreign handles into texts and back; see handle.h. */
#include "config.h"

#include "handle.h"

#include <stddef.h>

#include "base.h"
#include "typemap.h"

static const char *const types[] = {
    "MPI_Comm", "MPI_Group", "MPI_Datatype", "MPI_Op", "MPI_Request",
    "MPI_Win", "MPI_File", "MPI_Info", "MPI_Errhandler", "MPI_Message"
};

static const struct hmf__handle_hooks *known;

void hmf__handle_hooks(const struct hmf__handle_hooks *hooks)
{
    known = hooks;
}

const char *hmf__handle_type(uint32_t number)
{
    return number >= typeMPI_COMM && number <= typeMPI_MESSAGE ? types[number - typeMPI_COMM]
                                                               : NULL;
}

void hmf__handle_text_begin(void)
{
    if (known != NULL && known->text_begin != NULL)
        known->text_begin();
}

void hmf__handle_find_begin(void)
{
    if (known != NULL && known->find_begin != NULL)
        known->find_begin();
}

hmf_status_t hmf__handle_text(int number, const void *handle, const char **out)
{
    if (known != NULL)
        return known->text(number, handle, out);
    return hmf__fail(HMF_ERR_UNSUPPORTED, "the %s %p cannot be saved without MPI",
                     hmf__handle_type((uint32_t)number), handle);
}

hmf_status_t hmf__handle_find(int number, const char *text, void **out)
{
    if (known != NULL)
        return known->find(number, text, out);
    return hmf__fail(HMF_ERR_UNSUPPORTED, "the saved state has the %s \"%.200s\", which is nothing "
                     "without MPI", hmf__handle_type((uint32_t)number), text);
}
