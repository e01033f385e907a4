/* onnx_case.c - a case's stored output, and kernels on its data.   Declared in onnx_case.h.
 *
 * The truth is our own: the reference computes it from the case's inputs, in double.  The stored output has to lie
 * within the bound of it, as the output of any implementation; a kernel too, and then the two can't be further apart
 * than both bounds, which is looked at once more, with the numbers themselves.
 * Read next: engine/careful.c, docs/exactness.md
 */
#include "verify/candidates/onnx_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/engine/forked.h"
#include "verify/engine/ways.h"

enum conv_status onnx_case_judge(struct conv_verification *result, struct onnx_case *made, struct conv_error *error)
{
    const enum conv_status status = conv_verify_operands(result, &made->problem, &made->operands, CONV_DIRECT, error);
    made->exact = status == CONV_OK && !strcmp(result->evidence[0].check, "integers");
    snprintf(result->kernel, sizeof result->kernel, "%s", made->name);
    return status;
}

/* ---- kernels ------------------------------------------------------------------------------------------------ */

/* The case whose data the child's kernel sees: check_maker takes no argument of ours, and in a child there is one
 * case. */
static const struct onnx_case *current;

/* The case's own inputs; for the smaller problems that a failure is reduced to, drawn numbers of the same sort. */
static void make_input(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                       enum conv_accuracy accuracy)
{
    const int range = conv_accuracy_range(problem, accuracy);
    const struct conv_fill fill = { current->exact ? CONV_FILL_INTEGERS : CONV_FILL_UNIFORM, seed,
                                    current->exact && range > 0 ? range : 1, 0 };
    const char *name = conv_operand_name(problem, operand);
    if (conv_problem_equal(problem, &current->problem)) {
        conv_operand_widen(values, problem, operand, current->operands.at[operand]);
        return;
    }
    for (int64_t i = 0; i < conv_operand_count(problem, operand); i++)
        values[i] = conv_fill_value(&fill, name, i);
}

/* The largest distance of `got` from the stored output, in units of both bounds; NaN if there is one in it. */
static double distance(const struct conv_truth *truth, const void *got)
{
    double largest = 0;
    for (int64_t i = 0; i < truth->count; i++) {
        const double theirs = conv_get(current->problem.type, current->operands.y, i);
        const double ours = conv_get(current->problem.type, got, i);
        const double allowed = 2 * conv_truth_bound(truth, i, current->problem.type);
        const double share = ours == theirs ? 0 : fabs(ours - theirs) / allowed;
        if (!(share <= largest))
            largest = share;
    }
    return largest;
}

/* Once more, for the numbers themselves: what was accepted lies where the evidence of the stored output says. */
static void compare_with_stored(struct checker *checker)
{
    struct conv_evidence *evidence = &checker->shared->result.evidence[1];
    struct conv_operands operands = current->operands;
    struct conv_truth truth;
    struct conv_error error;
    operands.y = malloc(conv_operand_bytes(&current->problem, CONV_Y) + 1);
    enum conv_status status = operands.y ? CONV_OK : conv_fail(&error, CONV_NO_MEMORY, "no memory for an output");
    if (status == CONV_OK)
        status = conv_run(&operands, checker->kernel, &current->problem, NULL, &error);
    if (status == CONV_OK)
        status = conv_truth_compute(&truth, NULL, &current->problem, CONV_Y, &current->operands, &error);
    if (status == CONV_OK) {
        snprintf(evidence->check, sizeof evidence->check, "stored");
        evidence->elements = truth.count;
        evidence->worst = distance(&truth, operands.y);
        conv_truth_free(&truth);
    } else {
        checker_impossible(checker, error.message);
    }
    free(operands.y);
}

/* The problem of the case with its data, in all ways to place the operands. */
static void run_case(struct checker *checker)
{
    struct verification *shared = checker->shared;
    const struct check_data data = { .fill = { .seed = checker->options.seed }, .make = make_input,
                                     .exact = current->exact };
    snprintf(shared->result.evidence[0].check, sizeof shared->result.evidence[0].check, "onnx");
    snprintf(shared->check, sizeof shared->check, "onnx");
    if (!check_placements(checker, &current->problem, &data, 1))
        return;
    compare_with_stored(checker);
    shared->result.checks = 2;
}

static enum conv_status run_watched(struct conv_verification *result, const struct conv_kernel *kernel,
                                    const struct conv_verify_options *options, struct conv_error *error)
{
    struct checker checker;
    enum conv_status status = CONV_OK;
    if (!checker_open(&checker, kernel, options))
        return conv_fail(error, CONV_NO_MEMORY, "no shared memory for a verification");
    if (options->in_process)
        run_case(&checker);
    else
        status = run_forked(&checker, run_case, error);
    *result = checker.shared->result;
    checker_close(&checker);
    return status;
}

enum conv_status onnx_case_run(struct conv_verification *result, const struct onnx_case *made,
                               const struct conv_kernel *kernel, const struct conv_verify_options *options,
                               struct conv_error *error)
{
    const char *refusal = conv_kernel_refuses(kernel, &made->problem);
    enum conv_status status = CONV_OK;
    *result = (struct conv_verification){ .verdict = CONV_SKIPPED };
    current = made;
    if (refusal)
        snprintf(result->reason, sizeof result->reason, "%s", refusal);
    else
        status = run_watched(result, kernel, options, error);
    current = NULL;
    snprintf(result->kernel, sizeof result->kernel, "%s", kernel->name);
    return status;
}
