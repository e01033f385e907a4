/* expected.c - what the outputs of one problem should be now.   Declared in expected.h. */
#include "verify/engine/expected.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/maths/activation.h"

static bool make_values(struct expected *expected, enum conv_operand output)
{
    expected->now[output] = expected->sums[output];
    expected->now[output].value = malloc(((size_t)expected->sums[output].count + 1) * sizeof(double));
    return expected->now[output].value != NULL;
}

static bool read_bias(struct expected *expected, const struct conv_operands *operands)
{
    const struct conv_problem *problem = &expected->problem;
    const enum conv_operand last = flips_last_bias(problem);
    if (problem->pass != CONV_FORWARD || !operands->at[last])
        return true;
    expected->bias = malloc(((size_t)conv_operand_count(problem, last) + 1) * sizeof *expected->bias);
    if (expected->bias)
        conv_operand_widen(expected->bias, problem, last, operands->at[last]);
    return expected->bias != NULL;
}

/* Where x is added after it, there is no taking the activation out. */
static enum conv_activation last_activation(const struct conv_problem *problem)
{
    return problem->residual ? CONV_ACT_NONE : problem->act;
}

/* The reference's sums, for the data that lie there. */
static enum conv_status compute(struct conv_truth *sums, const struct conv_problem *problem, enum conv_operand output,
                                const struct conv_operands *operands, struct conv_error *error)
{
    struct conv_problem linear = *problem;
    linear.act = problem->residual ? problem->act : CONV_ACT_NONE;
    return conv_truth_compute(sums, NULL, &linear, output, operands, error);
}

static void activate(double *values, const struct conv_truth *sums, const struct conv_problem *problem,
                     enum conv_operand output)
{
    const enum conv_activation act = output == CONV_Y ? last_activation(problem) : CONV_ACT_NONE;
    for (int64_t i = 0; i < sums->count; i++)
        values[i] = activated(act, sums->value[i]);
}

enum conv_status expected_create(struct expected *expected, const struct conv_problem *problem,
                                 const struct conv_operands *operands, const bool wanted[CONV_OPERANDS],
                                 const struct conv_truth *given, struct conv_error *error)
{
    *expected = (struct expected){ .problem = *problem, .given = given != NULL };
    enum conv_status status = CONV_OK;
    if (!read_bias(expected, operands))
        status = conv_fail(error, CONV_NO_MEMORY, "no memory for a bias");
    for (enum conv_operand output = 0; output < CONV_OPERANDS && status == CONV_OK; output++) {
        if (!wanted[output])
            continue;
        if (given)
            expected->sums[output] = *given;
        else
            status = compute(&expected->sums[output], problem, output, operands, error);
        if (status == CONV_OK && !make_values(expected, output))
            status = conv_fail(error, CONV_NO_MEMORY, "no memory for what outputs should be");
        if (status == CONV_OK)
            activate(expected->now[output].value, &expected->sums[output], problem, output);
    }
    return status;
}

void expected_free(struct expected *expected)
{
    for (int output = 0; output < CONV_OPERANDS; output++) {
        free(expected->now[output].value);
        if (!expected->given)
            conv_truth_free(&expected->sums[output]);
    }
    free(expected->bias);
    *expected = (struct expected){ .bias = NULL };
}

/* Where nothing follows from the sums, the reference is asked again. */
static enum conv_status compute_anew(struct expected *expected, enum conv_operand output,
                                     const struct conv_operands *operands, struct conv_error *error)
{
    struct conv_truth sums;
    const enum conv_status status = compute(&sums, &expected->problem, output, operands, error);
    if (status != CONV_OK)
        return status;
    activate(expected->now[output].value, &sums, &expected->problem, output);
    conv_truth_free(&sums);
    return CONV_OK;
}

enum conv_status expected_flip(struct expected *expected, const struct conv_operands *operands, struct flips wanted,
                               struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    flips_apply(operands, &expected->problem, &expected->flips, wanted);
    for (enum conv_operand output = 0; output < CONV_OPERANDS && status == CONV_OK; output++)
        if (expected->now[output].value
            && !flips_predict(expected->now[output].value, &expected->sums[output], &expected->problem, output,
                              expected->bias, &wanted))
            status = compute_anew(expected, output, operands, error);
    return status;
}

/* The same numbers, NaN for NaN? */
static bool are_same(const double *a, const double *b, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!(a[i] == b[i] || (isnan(a[i]) && isnan(b[i]))))
            return false;
    return true;
}

/* Would these flips give this output, which isn't right? */
static bool explains(const struct expected *expected, enum conv_operand output, const double *got,
                     const struct flips *flips)
{
    const struct conv_truth *sums = &expected->sums[output];
    double *values = malloc(((size_t)sums->count + 1) * sizeof *values);
    const bool same = values && sums->count > 0
        && flips_predict(values, sums, &expected->problem, output, expected->bias, flips)
        && are_same(values, got, sums->count) && !are_same(values, expected->now[output].value, sums->count);
    free(values);
    return same;
}

bool expected_kept(char words[CONV_WORDS], const struct expected *expected, enum conv_operand output,
                   const double *got,
                   const struct flips *before)
{
    for (enum conv_operand input = 0; input < CONV_OPERANDS; input++) {
        struct flips flips = expected->flips;
        flips.of[input] = before->of[input];
        if (flips.of[input] == expected->flips.of[input] || !explains(expected, output, got, &flips))
            continue;
        snprintf(words, CONV_WORDS,
                 "something is kept from one call to the next: %s is that of the call before, or all of the output is",
                 conv_operand_name(&expected->problem, input));
        return true;
    }
    const bool all = explains(expected, output, got, before);
    if (all)
        snprintf(words, CONV_WORDS,
                 "something is kept from one call to the next: all of the output is that of the call before");
    return all;
}
