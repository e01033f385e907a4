/* checks.c - THE list of checks.   Declared in verify/engine/check.h.
 *
 * In the order in which they run: `small` first, because what it finds is small already; then cheap ones before dear
 * ones.
 */
#include "verify/checks/checks.h"

const struct check *const all_checks[] = {
    &check_small, &check_threads, &check_turns, &check_probes, &check_real, &check_special, &check_covering, &check_limits,
    &check_routes, &check_large, &check_seams, &check_huge, &check_layers, NULL
};
_Static_assert(sizeof all_checks / sizeof *all_checks - 1 <= CONV_MOST_CHECKS,
               "struct conv_verification must have room for all checks");
