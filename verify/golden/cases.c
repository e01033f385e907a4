/* cases.c - THE table of golden cases, and how one is computed.
 *
 * Inputs come from the seed, outputs from the reference, rounded once to the problem's type.  Nothing here writes
 * files. Read next: quantised.c, render.c
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/golden/golden.h"

/* ---- the table ------------------------------------------------------------------------------------------------ */

/* Sizes differ from one another wherever they can: H and W, R and S, C and K, begin and end of the padding. */
static const struct { const char *name; enum golden_data data; const char *problem; } defaults[] = {
    { "std-1d", GOLDEN_INTEGERS, "n=2 c=3 in=11 k=5 filter=3 pad=1:0 bias=1" },
    { "std-1d-real", GOLDEN_REAL, "c=5 in=13 k=4 filter=4 stride=3 pad=2 dilation=2 layout=nwc" },
    { "std-2d", GOLDEN_INTEGERS, "n=2 c=3 in=8x9 k=5 filter=3x3 pad=1 bias=1 act=relu" },
    { "std-2d-real", GOLDEN_REAL, "n=2 c=3 in=8x9 k=5 filter=3x3 pad=1 bias=1 act=relu" },
    { "std-2d-valid", GOLDEN_INTEGERS, "c=4 in=9x7 k=3 filter=5x2" },
    { "std-2d-asymmetric", GOLDEN_INTEGERS, "c=3 in=10x8 k=4 filter=3x4 stride=2x1 pad=0:1x1:2 bias=1" },
    { "std-2d-same", GOLDEN_INTEGERS, "c=2 in=7x10 k=3 filter=4x2 stride=2x3 pad=same" },
    { "std-2d-dilated", GOLDEN_REAL, "c=3 in=11x12 k=2 filter=3x2 dilation=2x3 pad=2x1 bias=1 act=relu6" },
    { "std-2d-nhwc", GOLDEN_INTEGERS, "n=2 c=5 in=6x7 k=3 filter=3x2 stride=1x2 pad=1:0x0:1 layout=nhwc bias=1" },
    { "std-2d-nhwc-real", GOLDEN_REAL, "c=7 in=6x5 k=9 filter=3x3 pad=1 layout=nhwc bias=1 act=relu6" },
    { "std-2d-f64", GOLDEN_REAL, "c=3 in=6x7 k=4 filter=3x3 pad=1 bias=1 type=f64" },
    { "std-2d-f16", GOLDEN_F16, "c=6 in=7x8 k=5 filter=3x3 pad=1 bias=1" },
    { "std-2d-bf16", GOLDEN_BF16, "c=6 in=7x8 k=5 filter=3x3 pad=1 bias=1 layout=nhwc" },
    { "std-3d", GOLDEN_INTEGERS, "c=2 in=4x5x6 k=3 filter=2x3x2 stride=1x2x1 pad=1x0x1:0 bias=1" },
    { "std-3d-real", GOLDEN_REAL, "c=3 in=5x4x6 k=2 filter=3x2x3 pad=1 dilation=1x2x1 layout=ndhwc" },
    { "pw-2d", GOLDEN_INTEGERS, "n=2 c=6 in=5x4 k=7 filter=1x1 bias=1 act=relu" },
    { "pw-2d-stride", GOLDEN_INTEGERS, "c=3 in=6x7 k=4 filter=1x1 stride=2x3 pad=1" },
    { "pw-2d-nhwc-real", GOLDEN_REAL, "c=16 in=5x6 k=9 filter=1x1 layout=nhwc bias=1" },
    { "grp-2d", GOLDEN_INTEGERS, "n=2 c=6 in=7x6 k=9 filter=3x2 groups=3 pad=1 bias=1" },
    { "grp-2d-real", GOLDEN_REAL, "c=8 in=9x8 k=4 filter=3x3 groups=2 stride=2 pad=1:0x0:1 act=relu" },
    { "grp-2d-nhwc", GOLDEN_INTEGERS, "c=4 in=5x6 k=6 filter=2x3 groups=2 pad=1 layout=nhwc bias=1" },
    { "dw-2d", GOLDEN_INTEGERS, "n=2 c=5 in=7x8 k=5 filter=3x3 groups=5 pad=1 bias=1 act=relu6" },
    { "dw-2d-multiplier", GOLDEN_REAL, "c=3 in=8x7 k=6 filter=3x5 groups=3 stride=2x1 pad=1x2 bias=1" },
    { "dw-2d-nhwc", GOLDEN_INTEGERS, "c=9 in=6x5 k=9 filter=3x3 groups=9 stride=2 pad=0:1 layout=nhwc bias=1" },
    { "dw-2d-bf16", GOLDEN_BF16, "c=4 in=7x6 k=4 filter=3x3 groups=4 pad=1 bias=1" },
    { "dw-1d-dilated", GOLDEN_INTEGERS, "c=4 in=12 k=4 filter=3 groups=4 dilation=3 pad=2:4" },
    { "dw-3d", GOLDEN_INTEGERS, "c=3 in=4x5x4 k=6 filter=3x2x2 groups=3 pad=1x0x0:1" },
    { "sep-2d", GOLDEN_INTEGERS, "op=separable c=4 in=7x8 k=6 filter=3x3 pad=1 bias=1 mid_act=relu act=relu" },
    { "sep-2d-nhwc-real", GOLDEN_REAL, "op=separable c=3 in=8x6 k=5 filter=3x3 stride=2 pad=0:1 mult=2 layout=nhwc" },
    { "tr-2d", GOLDEN_INTEGERS, "op=transposed c=4 in=5x4 k=3 filter=3x4 stride=2x3 pad=1 output_pad=1x0 bias=1" },
    { "tr-2d-grouped", GOLDEN_REAL,
      "op=transposed c=4 in=4x5 k=6 filter=3x2 groups=2 stride=2 pad=0:1x0 layout=nhwc" },
    { "tr-1d", GOLDEN_INTEGERS, "op=transposed c=3 in=7 k=2 filter=4 stride=3 dilation=2 pad=2 bias=1" },
    { "q-std-s8", GOLDEN_S8, "c=5 in=8x7 k=6 filter=3x3 pad=1 bias=1" },
    { "q-std-s8-pow2", GOLDEN_S8_POW2, "c=3 in=9x8 k=4 filter=3x3 stride=2x1 pad=1 bias=1" },
    { "q-pw-s8-ties", GOLDEN_S8_TIES, "c=3 in=9x8 k=8 filter=1x1 bias=1" },
    { "q-std-u8", GOLDEN_U8, "c=4 in=7x9 k=5 filter=3x2 pad=0:1x1:0 bias=1 act=relu" },
    { "q-pw-s8-nhwc", GOLDEN_S8, "c=16 in=5x6 k=8 filter=1x1 layout=nhwc bias=1 act=relu" },
    { "q-dw-s8-nhwc", GOLDEN_S8, "c=8 in=7x6 k=8 filter=3x3 groups=8 pad=1 layout=nhwc bias=1" },
    { "q-dw-s8-pow2", GOLDEN_S8_POW2, "c=4 in=8x9 k=8 filter=3x3 groups=4 stride=2 pad=1 bias=1" },
    { "q-grp-u8", GOLDEN_U8, "c=6 in=6x7 k=4 filter=3x3 groups=2 pad=1" },
    { "q-tr-s8", GOLDEN_S8, "op=transposed c=3 in=4x5 k=4 filter=3x3 stride=2 pad=1 output_pad=1 bias=1" },
};

static const char *const data_names[GOLDEN_KINDS] = { "integers", "real", "f16", "bf16", "s8", "u8", "s8-pow2",
                                                      "s8-ties" };

int golden_default_count(void) { return sizeof defaults / sizeof *defaults; }
const char *golden_data_name(enum golden_data data) { return data_names[data]; }
bool golden_is_quantised(enum golden_data data) { return data >= GOLDEN_S8; }

enum golden_data golden_data_of_name(const char *name)
{
    enum golden_data data = 0;
    while (data < GOLDEN_KINDS && strcmp(data_names[data], name))
        data++;
    return data;
}

enum conv_status golden_default_at(struct golden_plan *plan, int index, struct conv_error *error)
{
    *plan = (struct golden_plan){ .data = defaults[index].data };
    snprintf(plan->name, sizeof plan->name, "%s", defaults[index].name);
    return conv_problem_parse(&plan->problem, defaults[index].problem, error);
}

/* ---- one case --------------------------------------------------------------------------------------------- */

/* The passes that a problem has: a separable layer has no gradients here, and neither has a quantised one. */
static int passes_of(const struct golden_plan *plan)
{
    return plan->problem.op == CONV_OP_SEPARABLE || golden_is_quantised(plan->data) ? 1 : CONV_PASSES;
}

static enum element own_element(const struct conv_problem *problem)
{
    return problem->type == CONV_F64 ? ELEMENT_F64 : ELEMENT_F32;
}

static enum element input_element(const struct golden_plan *plan, enum conv_operand operand)
{
    const bool is_bias = operand == CONV_BIAS || operand == CONV_PW_BIAS || operand == CONV_EW_BIAS;
    switch (plan->data) {
    case GOLDEN_F16: return ELEMENT_F16;
    case GOLDEN_BF16: return ELEMENT_BF16;
    case GOLDEN_U8: return is_bias ? ELEMENT_S32 : operand == CONV_X ? ELEMENT_U8 : ELEMENT_S8;
    case GOLDEN_S8:
    case GOLDEN_S8_POW2:
    case GOLDEN_S8_TIES: return is_bias ? ELEMENT_S32 : ELEMENT_S8;
    default: return own_element(&plan->problem);
    }
}

/* A whole number from least to most, evenly. */
static double whole(double uniform, double least, double most)
{
    return least + floor((uniform + 1) / 2 * (most - least + 1));
}

static double input_value(const struct golden_case *made, enum element element, const char *name, int64_t index)
{
    const bool integers = made->plan.data == GOLDEN_INTEGERS;
    const struct conv_fill fill = { integers ? CONV_FILL_INTEGERS : CONV_FILL_UNIFORM, made->settings.seed,
                                    integers ? made->range : 1, 0 };
    const double value = conv_fill_value(&fill, name, index);
    switch (element) {
    /* weights are symmetric, as in TensorFlow Lite */
    case ELEMENT_S8: return whole(value, name[0] == 'w' ? -127 : -128, 127);
    case ELEMENT_U8: return whole(value, 0, 255);
    case ELEMENT_S32: return whole(value, -5000, 5000);
    default: return element_value(element, element_bits(element, value));
    }
}

static enum conv_status no_memory(const struct golden_case *made, struct conv_error *error)
{
    return conv_fail(error, CONV_NO_MEMORY, "no memory for the case %s", made->plan.name);
}

/* The inputs of a pass that the passes before haven't had. */
static enum conv_status add_inputs(struct golden_case *made, enum conv_pass pass, struct conv_error *error)
{
    const struct conv_problem problem = golden_problem(made, pass);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        int64_t dims[CONV_MAX_RANK];
        const char *name = conv_operand_name(&problem, operand);
        if (conv_operand_role(&problem, operand) != CONV_INPUT || golden_find(made, name))
            continue;
        const enum element element = input_element(&made->plan, operand);
        struct golden_array *array = golden_add(made, name, element, conv_operand_shape(dims, &problem, operand),
                                                dims);
        if (!array)
            return no_memory(made, error);
        array->is_operand = true;
        array->operand = operand;
        for (int64_t i = 0; i < array->count; i++)
            array->values[i] = input_value(made, element, name, i);
    }
    return CONV_OK;
}

static enum conv_status add_output(struct golden_case *made, const struct conv_problem *problem,
                                   enum conv_operand operand, const struct conv_operands *operands,
                                   struct conv_error *error)
{
    int64_t dims[CONV_MAX_RANK];
    struct conv_truth truth;
    struct conv_problem order = *problem;
    struct golden_array *array = golden_add(made, conv_operand_name(problem, operand), own_element(problem),
                                            conv_operand_shape(dims, problem, operand), dims);
    if (!array)
        return no_memory(made, error);
    array->is_output = array->is_operand = true;
    array->pass = problem->pass;
    array->operand = operand;
    const enum conv_status status = conv_truth_compute(&truth, NULL, problem, operand, operands, error);
    if (status != CONV_OK)
        return status;
    order.type = CONV_F64;   /* the layout alone; what follows rounds once, to the problem's type */
    conv_operand_narrow(array->values, &order, operand, truth.value);
    for (int64_t i = 0; i < array->count; i++)
        array->values[i] = element_value(array->element, element_bits(array->element, array->values[i]));
    conv_truth_free(&truth);
    return CONV_OK;
}

static enum conv_status add_pass(struct golden_case *made, enum conv_pass pass, struct conv_error *error)
{
    const struct conv_problem problem = golden_problem(made, pass);
    struct conv_operands operands;
    enum conv_status status = golden_operands(&operands, made, pass, error);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && status == CONV_OK; operand++)
        if (conv_operand_role(&problem, operand) == CONV_OUTPUT)
            status = add_output(made, &problem, operand, &operands, error);
    golden_operands_free(&operands);
    return status;
}

/* The range that is exact in all passes: a gradient may have longer sums than the output. */
static enum conv_status choose_range(struct golden_case *made, int passes, struct conv_error *error)
{
    made->range = 8;
    for (enum conv_pass pass = 0; (int)pass < passes; pass++) {
        const struct conv_problem problem = golden_problem(made, pass);
        const int range = conv_exact_range(&problem);
        made->range = range < made->range ? range : made->range;
    }
    if (made->range > 0)
        return CONV_OK;
    return conv_fail(error, CONV_BAD_INPUT, "%s: its sums are too long for exact integers; choose --data real",
                     made->plan.name);
}

static enum conv_status check_plan(const struct golden_plan *plan, const struct golden_settings *settings,
                                   struct conv_error *error)
{
    const struct conv_problem *problem = &plan->problem;
    if (problem->pass != CONV_FORWARD)
        return conv_fail(error, CONV_BAD_INPUT,
                         "a golden problem is a forward pass; its gradients come by themselves");
    if (golden_is_quantised(plan->data)
        && (problem->op == CONV_OP_SEPARABLE || problem->act == CONV_ACT_RELU6 || problem->k > GOLDEN_MOST_CHANNELS))
        return conv_fail(error, CONV_BAD_INPUT,
                         "%s data have no op=separable, no act=relu6 and at most %d channels k",
                         golden_data_name(plan->data), GOLDEN_MOST_CHANNELS);
    if (settings->format == GOLDEN_ONNX && golden_onnx_refuses(plan))
        return conv_fail(error, CONV_BAD_INPUT, "%s: %s", plan->name, golden_onnx_refuses(plan));
    if ((plan->data == GOLDEN_F16 || plan->data == GOLDEN_BF16) && problem->type != CONV_F32)
        return conv_fail(error, CONV_BAD_INPUT, "%s data belong to type=f32: that is what they are summed in",
                         golden_data_name(plan->data));
    return CONV_OK;
}

enum conv_status golden_make(struct golden_case *made, const struct golden_plan *plan,
                             const struct golden_settings *settings, struct conv_error *error)
{
    const int passes = passes_of(plan);
    *made = (struct golden_case){ .plan = *plan, .settings = *settings };
    enum conv_status status = check_plan(plan, settings, error);
    if (status == CONV_OK && plan->data == GOLDEN_INTEGERS)
        status = choose_range(made, passes, error);
    for (enum conv_pass pass = 0; (int)pass < passes && status == CONV_OK; pass++)
        status = add_inputs(made, pass, error);
    for (enum conv_pass pass = 0; (int)pass < passes && status == CONV_OK && !golden_is_quantised(plan->data); pass++)
        status = add_pass(made, pass, error);
    if (status == CONV_OK && golden_is_quantised(plan->data))
        status = golden_quantise(made, error);
    if (status != CONV_OK)
        golden_free(made);
    return status;
}
