/* judge_large.c - judging outputs of problems that are too large for the reference.   Declared in judge_large.h.
 *
 * On integers: by their checksum (maths/checksum.c).  It is linear: the problem has no activation (ways.c sees to
 * that).
 * In a separable layer the activation in the middle is no obstacle: the depthwise stage is cheap, so the reference
 * computes it, and the checksum decides the pointwise stage.  So it does with the stage in front of an inverted
 * residual, and the x that was added to y is taken away again.
 *
 * On real numbers: some outputs, each against its own bound (maths/spots.c).
 * Only when a checksum is wrong does the reference compute everything, to tell where.
 */
#include "verify/engine/judge_large.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify/engine/judge.h"
#include "verify/maths/checksum.h"
#include "verify/maths/spots.h"

struct widened { double *at[CONV_OPERANDS]; };

static void widened_free(struct widened *widened)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(widened->at[operand]);
}

/* All inputs, and the output that is judged. */
static bool widen(struct widened *widened, const struct conv_problem *problem, const struct conv_operands *operands,
                  enum conv_operand output)
{
    bool good = true;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const int64_t count = conv_operand_count(problem, operand);
        widened->at[operand] = NULL;
        if (!operands->at[operand] || (operand != output && conv_operand_role(problem, operand) != CONV_INPUT))
            continue;
        widened->at[operand] = malloc((size_t)count * sizeof(double));
        good = good && widened->at[operand];
        if (widened->at[operand])
            conv_operand_widen(widened->at[operand], problem, operand, operands->at[operand]);
    }
    return good;
}

/* ---- integers -------------------------------------------------------------------------------------------------- */

/* What a stage makes of x, as an x of the next; the caller frees it. */
static void *next_x(const struct conv_problem *stage, const struct conv_truth *truth)
{
    void *x = malloc(conv_operand_bytes(stage, CONV_Y) + 1);
    if (x)
        conv_operand_narrow(x, stage, CONV_Y, truth->value);
    return x;
}

/* The truth of the depthwise stage. */
static enum conv_status middle_of(struct conv_truth *middle, const struct conv_problem *stages, int count,
                                  const struct conv_operands *operands)
{
    const struct conv_operands first = { .x = operands->x, .w = operands->ew, .bias = operands->ew_bias };
    struct conv_operands second = { .x = operands->x, .w = operands->w, .bias = operands->bias };
    void *expanded = NULL;
    if (count == CONV_MOST_STAGES) {
        if (conv_truth_compute(middle, NULL, &stages[0], CONV_Y, &first, NULL) != CONV_OK)
            return CONV_NO_MEMORY;
        second.x = expanded = next_x(&stages[0], middle);
        conv_truth_free(middle);
        if (!expanded)
            return CONV_NO_MEMORY;
    }
    const enum conv_status status = conv_truth_compute(middle, NULL, &stages[count - 2], CONV_Y, &second, NULL);
    free(expanded);
    return status;
}

/* y without the x that was added to it; NULL: no memory.  NaN where y is no sum of x and a number. */
static double *without_x(const struct widened *widened, int64_t count)
{
    const double *x = widened->at[CONV_X], *y = widened->at[CONV_Y];
    double *sums = malloc(((size_t)count + 1) * sizeof *sums);
    for (int64_t i = 0; sums && i < count; i++)
        sums[i] = y[i] - x[i] + x[i] == y[i] ? y[i] - x[i] : NAN;
    return sums;
}

/* The last stage, with its input as the reference computes it. */
static enum checksum compare_separable(const struct conv_problem *problem, const struct conv_operands *operands,
                                       const struct widened *widened, uint64_t seed)
{
    struct conv_problem stages[CONV_MOST_STAGES];
    struct conv_truth middle;
    const int count = conv_stages(stages, problem);
    double *sums = NULL;
    if (middle_of(&middle, stages, count, operands) != CONV_OK)
        return CHECKSUM_NO_MEMORY;
    if (problem->residual)
        sums = without_x(widened, conv_operand_count(problem, CONV_Y));
    const double *const at[CONV_OPERANDS] = {
        [CONV_X] = middle.value, [CONV_WEIGHTS] = widened->at[CONV_PW], [CONV_BIAS] = widened->at[CONV_PW_BIAS],
        [CONV_Y] = problem->residual ? sums : widened->at[CONV_Y] };
    const enum checksum result = at[CONV_Y] ? checksum_compare(&stages[count - 1], CONV_Y, at, seed)
                                            : CHECKSUM_NO_MEMORY;
    conv_truth_free(&middle);
    free(sums);
    return result;
}

/* Where?  The reference is asked for everything. */
static bool locate(struct checker *checker, const struct conv_problem *problem, const struct conv_operands *operands,
                   enum conv_operand output, const double *got)
{
    struct conv_verification *result = &checker->shared->result;
    struct conv_truth truth;
    double worst = 0;
    result->verdict = CONV_REJECT;
    result->finding.fault = CONV_FAULT_VALUES;
    result->finding.operand = output;
    snprintf(result->finding.where, sizeof result->finding.where,
             "somewhere: the checksum modulo 2^61 - 1 of all elements differs");
    if (conv_truth_compute(&truth, NULL, problem, output, operands, NULL) == CONV_OK) {
        judge_output(&result->finding, &worst, problem, output, &truth, got, (struct judging){ .exact = true });
        conv_truth_free(&truth);
    }
    return false;
}

bool judge_large_integers(struct checker *checker, const struct conv_problem *problem,
                          const struct conv_operands *operands, enum conv_operand output)
{
    struct widened widened;
    enum checksum result = CHECKSUM_NO_MEMORY;
    bool good = false;
    const bool widened_all = widen(&widened, problem, operands, output);
    if (widened_all)
        judge_rounds(widened.at[output], conv_operand_count(problem, output),
                     (struct judging){ true, checker->kernel->accuracy });
    if (widened_all)
        result = problem->op == CONV_OP_SEPARABLE
            ? compare_separable(problem, operands, &widened, checker->options.seed)
            : checksum_compare(problem, output, (const double *const *)widened.at, checker->options.seed);
    if (result == CHECKSUM_NO_MEMORY)
        checker_impossible(checker, "no memory for the checksum of a large layer");
    else if (result == CHECKSUM_WRONG)
        locate(checker, problem, operands, output, widened.at[output]);
    else
        good = true;
    if (good && checker->keep && !checker->kept) {   /* the first call's */
        checker->kept = widened.at[output];
        widened.at[output] = NULL;
    }
    widened_free(&widened);
    return good;
}

/* ---- real numbers ---------------------------------------------------------------------------------------------- */

bool judge_large_spots(struct checker *checker, const struct conv_problem *problem,
                       const struct conv_operands *operands, enum conv_operand output)
{
    struct conv_verification *result = &checker->shared->result;
    struct widened widened;
    struct conv_truth truth;
    int64_t element[MOST_SPOTS];
    double got[MOST_SPOTS];
    const int count = spots_choose(element, problem, output, checker->options.seed);
    if (!widen(&widened, problem, operands, output)
        || !spots_truth(&truth, problem, output, (const double *const *)widened.at, element, count)) {
        widened_free(&widened);
        return checker_impossible(checker, "no memory for some outputs of a large layer");
    }
    for (int i = 0; i < count; i++)
        got[i] = widened.at[output][element[i]];
    const enum judged judged =
        judge_elements(&result->finding, &result->evidence[result->checks].worst, problem, output, &truth, element,
                       got,
                       (struct judging){ .accuracy = checker->kernel->accuracy });
    if (judged == JUDGED_NOT)
        checker_impossible(checker, "no memory for the bounds of outputs");
    if (judged == JUDGED_WRONG) {
        result->verdict = CONV_REJECT;
        result->finding.fault = CONV_FAULT_VALUES;
    }
    result->evidence[result->checks].elements += count;
    conv_truth_free(&truth);
    widened_free(&widened);
    return judged == JUDGED_RIGHT;
}
