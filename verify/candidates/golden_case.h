/* golden_case.h - somebody else's outputs of a golden case.  Internal.   Read next: golden.c (all cases of a folder) */
#ifndef CONVREF_VERIFY_CANDIDATES_GOLDEN_CASE_H
#define CONVREF_VERIFY_CANDIDATES_GOLDEN_CASE_H

#include <convref/verdict.h>

#include "verify/golden/golden.h"

/* Judge the outputs of one case that lie in `theirs`.  `result->kernel` is the case's name; SKIPPED if none is there;
 * `compared` and `missing` list names of outputs. */
enum { GOLDEN_LIST = 128 };
enum conv_status golden_judge(struct conv_verification *result, char compared[GOLDEN_LIST], char missing[GOLDEN_LIST],
                              struct golden_case *made, const char *theirs, struct conv_error *error);

/* Put into finding->guess which rounding of `acc` gives `got`, both channels first (golden_rounding.c). */
void golden_name_rounding(struct conv_finding *finding, const struct golden_case *made, const double *acc,
                          const double *got, int64_t count, bool acc_is_right);

#endif
