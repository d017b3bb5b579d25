/* Variables by debug information, where the library was built without libdw: refused by name. */
#include "config.h"

#include "hmf/globals.h"

#include "base.h"

hmf_status_t hmf_globals_each(const char *include, const char *exclude, hmf_globals_cb each,
                              void *ctx)
{
    (void)include, (void)exclude, (void)each, (void)ctx;
    return hmf__fail(HMF_ERR_UNSUPPORTED,
                     "built without debug information: install libdw (Debian: libdw-dev), "
                     "configure and build again; or mark variables (hmf/checktype.h)");
}
