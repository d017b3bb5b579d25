#include "hmf/policy.h"
#include <string.h>
