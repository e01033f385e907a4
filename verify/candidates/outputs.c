/* outputs.c - outputs that somebody else computed.   Declared in convref/verify.h.
 *
 * Not here: what one output can't tell (sensitivity.c), sums that leave the type's range (overflow.c), what the
 * numbers of the file itself say (storage.c).
 */
#include <convref/verify.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/candidates/outputs.h"
#include "verify/engine/judge.h"
#include "verify/findings/guess.h"

/* All inputs are integers that the class has, and no partial sum of any output reaches the limit of exact integers.
 * Nothing is known of the middle of a separable layer, which a narrow class would round. */
bool outputs_are_exact(const struct conv_problem *problem, const struct conv_operands *operands,
                       const struct conv_truth *truth, enum conv_accuracy accuracy)
{
    const double limit = conv_accuracy_largest_sum(problem, accuracy);
    const int bits = conv_accuracy_facts(accuracy)->input_bits;
    const double largest = bits > 0 ? ldexp(1, bits) : INFINITY;
    if (bits > 0 && problem->op == CONV_OP_SEPARABLE)
        return false;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        for (int64_t i = 0; conv_operand_role(problem, operand) == CONV_INPUT
                            && i < conv_operand_count(problem, operand); i++) {
            const double value = conv_get(problem->type, operands->at[operand], i);
            if (!(value == rint(value) && fabs(value) <= largest))
                return false;
        }
    for (int64_t i = 0; i < truth->count; i++)
        if (!(truth->magnitude[i] < limit))
            return false;
    return true;
}

/* What the file's numbers say of themselves comes before what they would be by a mistake. */
static void explain_values(struct conv_finding *finding, const struct testimony *said)
{
    storage_guess(finding, said->problem, said->output, said->operands, said->truth, said->got);
    if (!finding->guess[0])
        guess_from(finding, said);
}

static void judge_theirs(struct conv_verification *result, const struct conv_problem *problem,
                         enum conv_operand output, const struct conv_operands *operands,
                         const struct conv_truth *truth, double *got)
{
    struct conv_evidence *evidence = &result->evidence[0];
    const bool exact = outputs_are_exact(problem, operands, truth, result->accuracy);
    const struct judging how = { exact, result->accuracy };
    conv_operand_widen(got, problem, output, operands->at[output]);
    snprintf(result->finding.check, sizeof result->finding.check, "%s", exact ? "integers" : "bound");
    if (strcmp(evidence->check, "bound"))   /* of dw and dbias the weaker comparison is told */
        snprintf(evidence->check, sizeof evidence->check, "%s", result->finding.check);
    evidence->elements += truth->count;
    judge_rounds(got, truth->count, how);
    overflow_excuse(evidence->note, sizeof evidence->note, got, problem, output, operands, truth, result->accuracy);
    const enum judged judged = judge_output(&result->finding, &evidence->worst, problem, output, truth, got, how);
    if (judged == JUDGED_NOT) {
        result->verdict = CONV_INCONCLUSIVE;
        snprintf(result->reason, sizeof result->reason, "no memory for the bounds of outputs");
    }
    if (judged == JUDGED_WRONG) {
        result->verdict = CONV_REJECT;
        result->finding.fault = CONV_FAULT_VALUES;
        const struct testimony said = { problem, output, operands, truth, got, how, NAN };
        explain_values(&result->finding, &said);
    }
}

enum conv_status conv_verify_operands(struct conv_verification *result, const struct conv_problem *problem,
                                      const struct conv_operands *operands, enum conv_accuracy accuracy,
                                      struct conv_error *error)
{
    *result = (struct conv_verification){ .verdict = CONV_ACCEPT, .checks = 1, .accuracy = accuracy };
    result->finding.problem = *problem;
    result->evidence[0].problems = 1;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        struct conv_truth truth;
        if (conv_operand_role(problem, operand) != CONV_OUTPUT || !operands->at[operand]
            || result->verdict != CONV_ACCEPT)
            continue;
        enum conv_status status = conv_truth_compute(&truth, NULL, problem, operand, operands, error);
        if (status != CONV_OK)
            return status;
        double *got = malloc(((size_t)truth.count + 1) * sizeof *got);
        if (!got) {
            conv_truth_free(&truth);
            return conv_fail(error, CONV_NO_MEMORY, "no memory to compare %" PRId64 " outputs", truth.count);
        }
        judge_theirs(result, problem, operand, operands, &truth, got);
        free(got);
        conv_truth_free(&truth);
    }
    return CONV_OK;
}
