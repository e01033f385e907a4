/* shrink.h - from a failing problem to the smallest one that still fails.  Internal. */
#ifndef CONVREF_VERIFY_FINDINGS_SHRINK_H
#define CONVREF_VERIFY_FINDINGS_SHRINK_H

#include "verify/engine/checker.h"

/* Try one problem.  If the kernel fails on it the finding is in checker->shared->result, and true is returned. */
typedef bool problem_test(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                          int threads);

/* In this process: for failures that leave it alive. */
problem_test attempt_here;

/* The same data for another problem: integers may be larger where sums are shorter. */
struct check_data data_for(const struct check_data *data, const struct conv_problem *problem,
                           enum conv_accuracy accuracy);

/* Replace the finding by that of the smallest problem that still fails, in at most `seconds`. */
void shrink(struct checker *checker, const struct check_data *data, problem_test *fails, double seconds);

#endif
