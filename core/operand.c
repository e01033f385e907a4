/* operand.c - which operands a problem has, what shape they are, and what a pass does with them.
 * Declared in convref/tensor.h, where the table in words is. */
#include <convref/tensor.h>

static const char *const names[CONV_OPERANDS] = { "x", "w", "bias", "pw", "pw_bias", "y", "ew", "ew_bias" };
static const char *const gradient_names[CONV_OPERANDS] = {
    "dx", "dw", "dbias", "dpw", "dpw_bias", "dy", "dew", "dew_bias"
};

enum conv_role conv_operand_role(const struct conv_problem *problem, enum conv_operand operand)
{
    static const enum conv_role roles[CONV_PASSES][CONV_OPERANDS] = {
        [CONV_FORWARD] = { CONV_INPUT, CONV_INPUT, CONV_INPUT, CONV_INPUT, CONV_INPUT, CONV_OUTPUT, CONV_INPUT,
                           CONV_INPUT },
        [CONV_BACKWARD_DATA] = { [CONV_X] = CONV_OUTPUT, [CONV_WEIGHTS] = CONV_INPUT, [CONV_Y] = CONV_INPUT },
        [CONV_BACKWARD_WEIGHTS] = { [CONV_X] = CONV_INPUT, [CONV_WEIGHTS] = CONV_OUTPUT,
                                    [CONV_BIAS] = CONV_OUTPUT, [CONV_Y] = CONV_INPUT },
    };
    const bool is_bias = operand == CONV_BIAS || operand == CONV_PW_BIAS || operand == CONV_EW_BIAS;
    const bool is_last_stage = operand == CONV_PW || operand == CONV_PW_BIAS;
    const bool is_expansion = operand == CONV_EW || operand == CONV_EW_BIAS;
    if ((is_bias && !problem->bias) || (is_last_stage && problem->op != CONV_OP_SEPARABLE)
        || (is_expansion && problem->expand == 0))
        return CONV_UNUSED;
    return roles[problem->pass][operand];
}

/* N C D H W or N D H W C, the axes not in use left out */
static int image_shape(int64_t *dims, const struct conv_problem *problem, bool output)
{
    const bool last = problem->layout == CONV_CHANNELS_LAST;
    int rank = 0;
    dims[rank++] = problem->n;
    if (!last)
        dims[rank++] = output ? problem->k : problem->c;
    for (int a = CONV_AXES - problem->rank; a < CONV_AXES; a++)
        dims[rank++] = output ? problem->axis[a].out : problem->axis[a].in;
    if (last)
        dims[rank++] = output ? problem->k : problem->c;
    return rank;
}

static int weights_shape(int64_t *dims, const struct conv_problem *problem)
{
    int rank = 2;
    switch (problem->op) {
    case CONV_OP_SEPARABLE:
        dims[0] = conv_middle_channels(problem);
        dims[1] = 1;
        break;
    case CONV_OP_TRANSPOSED:
        dims[0] = problem->c;
        dims[1] = problem->k / problem->groups;
        break;
    default:
        dims[0] = problem->k;
        dims[1] = problem->c / problem->groups;
    }
    for (int a = CONV_AXES - problem->rank; a < CONV_AXES; a++)
        dims[rank++] = problem->axis[a].filter;
    return rank;
}

static int pointwise_shape(int64_t *dims, const struct conv_problem *problem, enum conv_operand operand)
{
    dims[0] = operand == CONV_EW ? problem->expand : problem->k;
    dims[1] = operand == CONV_EW ? problem->c : conv_middle_channels(problem);
    for (int d = 2; d < problem->rank + 2; d++)
        dims[d] = 1;
    return problem->rank + 2;
}

int conv_operand_shape(int64_t dims[CONV_MAX_RANK], const struct conv_problem *problem,
                       enum conv_operand operand)
{
    const bool separable = problem->op == CONV_OP_SEPARABLE;
    if (conv_operand_role(problem, operand) == CONV_UNUSED)
        return 0;
    switch (operand) {
    case CONV_X:
    case CONV_Y:
        return image_shape(dims, problem, operand == CONV_Y);
    case CONV_WEIGHTS:
        return weights_shape(dims, problem);
    case CONV_PW:
    case CONV_EW:
        return pointwise_shape(dims, problem, operand);
    case CONV_EW_BIAS:
        dims[0] = problem->expand;
        return 1;
    default:
        dims[0] = separable && operand == CONV_BIAS ? conv_middle_channels(problem) : problem->k;
        return 1;
    }
}

int64_t conv_operand_count(const struct conv_problem *problem, enum conv_operand operand)
{
    int64_t dims[CONV_MAX_RANK], count = 1;
    const int rank = conv_operand_shape(dims, problem, operand);
    for (int d = 0; d < rank; d++)
        count *= dims[d];
    return rank > 0 ? count : 0;
}

size_t conv_operand_bytes(const struct conv_problem *problem, enum conv_operand operand)
{
    return (size_t)conv_operand_count(problem, operand) * conv_type_facts(problem->type)->size;
}

const char *conv_operand_name(const struct conv_problem *problem, enum conv_operand operand)
{
    const bool gradient = (operand == CONV_Y && problem->pass != CONV_FORWARD)
        || (problem->pass != CONV_FORWARD && conv_operand_role(problem, operand) == CONV_OUTPUT);
    return gradient ? gradient_names[operand] : names[operand];
}
