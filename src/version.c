/* Says which version this is; the number itself is written in VERSION only. */
#include "config.h"

#include "hmf/version.h"

const char *hmf_version(void)
{
    return PACKAGE_VERSION;
}
