/* See CUnit.h beside this. */
#include "CUnit.h"
