/* flips.c - other data at the same addresses.   Declared in flips.h. */
#include "verify/engine/flips.h"

#include "verify/maths/activation.h"

enum conv_operand flips_last_bias(const struct conv_problem *problem)
{
    return problem->op == CONV_OP_SEPARABLE ? CONV_PW_BIAS : CONV_BIAS;
}

/* Does the first stage of a separable problem answer minus x with minus y?  Of inverted residuals it isn't asked. */
static bool is_odd_in_x(const struct conv_problem *problem)
{
    return problem->op != CONV_OP_SEPARABLE
        || (problem->mid_act == CONV_ACT_NONE && conv_problem_kind(problem) == CONV_SEPARABLE);
}

struct flips flips_choose(const struct conv_problem *problem, int64_t turn, bool together)
{
    const bool separable = problem->op == CONV_OP_SEPARABLE, forward = problem->pass == CONV_FORWARD;
    const bool expands = problem->expand > 0 && turn / FLIP_SORTS % 2 == 0;   /* its first stage, or its second */
    const enum conv_operand last = flips_last_bias(problem);
    const enum conv_operand sorts[FLIP_SORTS] = {
        problem->pass == CONV_BACKWARD_WEIGHTS ? CONV_Y : separable ? CONV_PW : CONV_WEIGHTS,
        problem->pass == CONV_BACKWARD_DATA ? CONV_Y : CONV_X,
        problem->pass == CONV_BACKWARD_WEIGHTS ? CONV_Y : expands ? CONV_EW : CONV_WEIGHTS,
        last,
    };
    const enum conv_operand sort = sorts[turn % FLIP_SORTS];
    const bool possible = sort != last || (forward && problem->bias && !together);
    struct flips flips = { .of = { false } };
    flips.of[possible ? sort : sorts[0]] = true;
    if (!forward || !problem->bias)
        return flips;
    if (separable && (flips.of[CONV_X] || flips.of[CONV_WEIGHTS]))
        flips.of[CONV_BIAS] = is_odd_in_x(problem);   /* so that the middle is negated as a whole */
    if (together)
        flips.of[last] = true;
    return flips;
}

void flips_apply(const struct conv_operands *operands, const struct conv_problem *problem, struct flips *now,
                 struct flips wanted)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        if (wanted.of[operand] == now->of[operand] || !operands->at[operand])
            continue;
        const int64_t count = conv_operand_count(problem, operand);
        float *single = operands->at[operand];
        double *twice = operands->at[operand];
        for (int64_t i = 0; problem->type == CONV_F32 && i < count; i++)
            single[i] = -single[i];
        for (int64_t i = 0; problem->type == CONV_F64 && i < count; i++)
            twice[i] = -twice[i];
    }
    *now = wanted;
}

/* The signs of the last sum and of its bias; false if there is no telling. */
static bool signs_of(double *sum, double *bias, const struct conv_problem *problem, enum conv_operand output,
                     const struct flips *flips)
{
    const bool *of = flips->of;
    bool negative = false;
    if (output == CONV_BIAS)
        negative = of[CONV_Y];
    else if (output != CONV_Y)
        negative = of[CONV_Y] ^ (output == CONV_X ? of[CONV_WEIGHTS] : of[CONV_X]);
    else
        negative = of[CONV_X] ^ of[CONV_WEIGHTS] ^ of[CONV_PW];
    if (problem->residual)
        return false;
    if (problem->op == CONV_OP_SEPARABLE) {
        const bool middle = of[CONV_X] ^ of[CONV_WEIGHTS];
        if (of[CONV_EW] || (middle && !is_odd_in_x(problem)) || (problem->bias && middle != of[CONV_BIAS]))
            return false;
    }
    *sum = negative ? -1 : 1;
    *bias = of[flips_last_bias(problem)] ? -1 : 1;
    return true;
}

bool flips_predict(double *value, const struct conv_truth *sums, const struct conv_problem *problem,
                   enum conv_operand output, const double *bias, const struct flips *flips)
{
    double sum, own;
    if (!signs_of(&sum, &own, problem, output, flips))
        return false;
    const enum conv_activation act = output == CONV_Y ? problem->act : CONV_ACT_NONE;
    const int64_t planes = output == CONV_Y && bias ? problem->n * problem->k : 1;
    const int64_t each = sums->count / (planes > 0 ? planes : 1);
    for (int64_t plane = 0; plane < planes; plane++) {
        const double b = output == CONV_Y && bias ? bias[plane % problem->k] : 0;
        for (int64_t i = plane * each; i < (plane + 1) * each; i++)
            value[i] = activated(act, sum == own
                                 || b == 0 ? sum * sums->value[i] : sum * (sums->value[i] - b) + own * b);
    }
    return true;
}
