/* explain.c - what a rejection looks like.   Declared in explain.h. */
#include "verify/engine/explain.h"

#include <convref/arithmetic.h>
#include <stdio.h>
#include <string.h>

#include "verify/engine/check.h"
#include "verify/engine/guess.h"
#include "verify/engine/shrink.h"
#include "verify/engine/ways.h"

/* After a rejection: shrink the problem, then ask which mistake explains the failing problem and the small shapes,
 * right and wrong ones.  The verdict and the evidence stay as they are. */
void explain(struct checker *checker)
{
    static const size_t most_bytes = (size_t)1 << 31; /* of x: check limits has larger ones, which are only mapped */
    if (conv_operand_bytes(&checker->shared->result.finding.problem, CONV_X) > most_bytes)
        return;

    static const double most_macs = 20e6;
    enum { MOST_PROBLEMS = 400, EVERY = 193 };   /* a sample of all ranks and kinds */
    struct conv_verification *result = &checker->shared->result;
    const struct conv_problem failed = result->finding.problem;
    const struct check_data data = checker->shared->data;
    const struct conv_problem_filter filter = check_filter(checker->kernel);
    struct conv_problem_walk *walk;
    struct suspects suspects;
    struct conv_problem problem;
    checker->shared->found = result->finding;
    checker->shared->found_with = data;
    checker->shared->explaining = true;
    shrink(checker, &data, attempt_here, checker->options.time_limit);

    const struct conv_verification found = *result;
    suspect_all(&suspects);
    checker->suspects = &suspects;
    if (check_macs(&failed) <= most_macs)
        check_exact(checker, &failed, found.finding.threads);
    if (conv_problem_walk_open(&walk, "small", 1, &filter, NULL) == CONV_OK) {
        for (int i = 0; suspects.possible && i < MOST_PROBLEMS * EVERY && conv_problem_walk_next(walk, &problem); i++)
            if (i % EVERY == 0)
                check_exact(checker, &problem, 1);
        conv_problem_walk_close(walk);
    }
    checker->suspects = NULL;
    *result = found;
    if (!found.finding.guess[0]
        && (found.finding.fault == CONV_FAULT_VALUES || found.finding.fault == CONV_FAULT_UNSTABLE))
        suspect_name(&result->finding, &suspects);
}

/* The arithmetic is named when all checks run, or the one that it belongs to; and where it explains a rejection, it
 * is the guess. */
void explain_arithmetic(struct checker *checker)
{
    struct conv_verification *result = &checker->shared->result;
    const char *only = checker->options.check;
    const bool wrong_values = result->verdict == CONV_REJECT && result->finding.fault == CONV_FAULT_VALUES;
    if (!(result->verdict == CONV_ACCEPT && checker_problems(result) > 0) && !wrong_values)
        return;
    if (!only || !strcmp(only, CHECK_PROBES) || wrong_values)
        conv_arithmetic_name(&result->arithmetic, checker->kernel, checker->options.seed, NULL);
    if (wrong_values && !result->finding.guess[0] && result->arithmetic.narrow)
        snprintf(result->finding.guess, sizeof result->finding.guess, "the kernel computes with %s",
                 result->arithmetic.words);
}
