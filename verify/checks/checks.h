/* checks.h - the checks by name.  Internal.   Read next: verify/engine/check.h */
#ifndef CONVREF_VERIFY_CHECKS_CHECKS_H
#define CONVREF_VERIFY_CHECKS_CHECKS_H

#include "verify/engine/check.h"

extern const struct check check_small, check_covering, check_seams, check_layers, check_real, check_threads, check_turns;
extern const struct check check_routes, check_large, check_probes, check_special, check_limits, check_huge;

#endif
