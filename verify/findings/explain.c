/* explain.c - what a rejection looks like.   Declared in explain.h. */
#include "verify/findings/explain.h"

#include <convref/arithmetic.h>
#include <convref/machine.h>
#include <stdio.h>
#include <string.h>

#include "verify/engine/careful.h"
#include "verify/engine/check.h"
#include "verify/engine/ways.h"
#include "verify/findings/circumstances.h"
#include "verify/findings/guess.h"
#include "verify/findings/roomier.h"

/* How long a part of it may take, in seconds. */
static const double grow_seconds = 20, hear_seconds = 20;

/* check_placements(), and what the kernel gives is told to the suspects. */
static void hear(struct checker *checker, const struct conv_problem *problem, const struct check_data *wanted,
                 int threads)
{
    struct check_data data = data_for(wanted, problem, checker->kernel->accuracy);
    data.by_checksum = false;
    checker->runs = 0;
    check_placements(checker, problem, &data, threads);
}

/* Small shapes, of all ranks and kinds: who would be wrong where the kernel is right explains less. */
static void hear_small_ones(struct checker *checker, const struct check_data *data)
{
    enum { MOST_PROBLEMS = 100, EVERY = 193 };
    const struct conv_problem_filter filter = check_filter(checker->kernel);
    const double deadline = conv_seconds() + hear_seconds;
    struct conv_problem_walk *walk;
    struct conv_problem problem;
    if (conv_problem_walk_open(&walk, "small", 1, &filter, NULL) != CONV_OK)
        return;
    for (int i = 0; i < MOST_PROBLEMS * EVERY && conv_problem_walk_next(walk, &problem); i++)
        if (i % EVERY == 0 && conv_seconds() < deadline && !suspects_cleared(checker->suspects)) {
            const struct check_data small = data_for(data, &problem, checker->kernel->accuracy);
            check_data(checker, &problem, &small, 1);
        }
    conv_problem_walk_close(walk);
}

static bool values_are_wrong(const struct conv_finding *finding)
{
    return finding->fault == CONV_FAULT_VALUES || finding->fault == CONV_FAULT_UNSTABLE
        || finding->fault == CONV_FAULT_UNWRITTEN;
}

/* Ask which mistake explains the smallest failing problem, roomier ones, the first one, and small shapes. */
static void guess(struct checker *checker, const struct conv_problem *first, const struct check_data *data)
{
    struct conv_verification *result = &checker->shared->result;
    checker->suspects = suspects_create();
    if (!checker->suspects)
        return;
    struct conv_verification found = *result;
    hear(checker, &found.finding.problem, data, found.finding.threads);
    hear(checker, first, data, found.finding.threads);
    *result = found;
    grow(checker, data, attempt_here, grow_seconds);
    found = *result;
    hear_small_ones(checker, data);
    *result = found;
    if (!found.finding.guess[0])
        suspects_name(&result->finding, checker->suspects);
    blame_threads(checker, data);
    suspects_free(checker->suspects);
    checker->suspects = NULL;
}

/* After a rejection: shrink the problem, then explain it.  The verdict and the evidence stay as they are. */
void explain(struct checker *checker)
{
    struct conv_verification *result = &checker->shared->result;
    const struct conv_problem failed = result->finding.problem;
    const struct check_data data = checker->shared->data;
    if (!check_fits_memory(&failed))
        return;
    checker->shared->found = result->finding;
    checker->shared->found_with = data;
    checker->shared->explaining = true;
    shrink(checker, &data, attempt_here, checker->options.time_limit);
    if (values_are_wrong(&result->finding))
        guess(checker, &failed, &data);
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
