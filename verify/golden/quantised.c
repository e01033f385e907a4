/* quantised.c - cases in 8 bits: exact accumulators, and outputs by a named rounding.
 *
 *   acc[n][k][...] = bias[k] + SUM (x - x_zero_point) * w          exact in s32; outside the image x = x_zero_point
 *   y = clamp(round(acc * scale[k]) + y_zero_point)                round: requantise.c
 *
 * Scales are chosen from the accumulators so that the outputs fill their range.  The truth is the reference's, in
 * f64.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/golden/golden.h"

/* Zero points that no code gets right by accident: not 0, not 128, not each other. */
static const struct { int x, y, least, most; enum element element; } kinds[GOLDEN_KINDS] = {
    [GOLDEN_S8] = { -5, 7, -128, 127, ELEMENT_S8 },
    [GOLDEN_U8] = { 131, 117, 0, 255, ELEMENT_U8 },
    [GOLDEN_S8_POW2] = { 0, 0, -128, 127, ELEMENT_S8 },
    [GOLDEN_S8_TIES] = { 3, -2, -128, 127, ELEMENT_S8 },
};

static int64_t positions_of(const struct conv_problem *problem)
{
    int64_t positions = 1;
    for (int a = 0; a < CONV_AXES; a++)
        positions *= problem->axis[a].out;
    return positions;
}

/* The accumulators, channels first. */
static enum conv_status accumulate(struct conv_truth *truth, const struct golden_case *made, struct conv_error *error)
{
    struct golden_case shifted = *made;   /* shares the arrays; the type alone differs */
    struct conv_operands operands;
    shifted.plan.problem.type = CONV_F64;
    shifted.plan.problem.act = CONV_ACT_NONE;
    const struct conv_problem *problem = &shifted.plan.problem;
    enum conv_status status = golden_operands(&operands, &shifted, CONV_FORWARD, error);
    if (status != CONV_OK)
        return status;
    double *x = operands.x;
    for (int64_t i = 0; i < conv_operand_count(problem, CONV_X); i++)
        x[i] -= made->x_zero_point;
    status = conv_truth_compute(truth, NULL, problem, CONV_Y, &operands, error);
    golden_operands_free(&operands);
    for (int64_t i = 0; status == CONV_OK && i < truth->count; i++)
        if (!(truth->magnitude[i] < 0x1p31)) {
            conv_truth_free(truth);
            status = conv_fail(error, CONV_BAD_INPUT, "%s: its sums don't fit into 32 bits", made->plan.name);
        }
    return status;
}

/* A scale that brings the largest accumulator of a channel to about 100; at most 0.75, as some modes demand less than
 * 1. */
static double plain_scale(double largest)
{
    return fmin(100 / (largest > 0 ? largest : 1), 0.75);
}

static double power_of_two_scale(double largest)
{
    int exponent;
    frexp(plain_scale(largest), &exponent);
    return ldexp(1, exponent - 1);
}

/* Do 24 bits of the scale and 31 bits of it give different outputs for this accumulator? */
static bool bits_matter(const struct golden_case *made, double accumulator, double scale)
{
    struct requantiser requantiser = { .zero_point = made->y_zero_point, .least = made->least, .most = made->most };
    requantiser_set_scale(&requantiser, scale);
    return requantise(REQUANTISE_TFLITE_SINGLE, (int32_t)accumulator, &requantiser)
        != requantise(REQUANTISE_RNDNU, (int32_t)accumulator, &requantiser);
}

/* A scale that brings an accumulator of channel k so near to a tie that 24 bits of the scale fall on the other side;
 * the plain scale if there is none. */
static double near_tie_scale(const struct golden_case *made, const struct conv_truth *truth, int64_t k,
                             double largest)
{
    const int64_t positions = positions_of(&made->plan.problem), channels = made->plan.problem.k;
    for (int64_t i = 0; i < truth->count; i++) {
        const double size = fabs(truth->value[i]);
        if (i / positions % channels != k || size < 100)
            continue;
        const double tie = (floor(size * plain_scale(largest)) + 0.5) / size;
        for (int side = -1; side <= 1; side += 2)
            if (tie < 0.75 && bits_matter(made, truth->value[i], tie * (1 + side * 0x1p-27)))
                return tie * (1 + side * 0x1p-27);
    }
    return plain_scale(largest);
}

static double scale_for(const struct golden_case *made, const struct conv_truth *truth, int64_t k, double largest,
                        double largest_of_all)
{
    switch (made->plan.data) {
    case GOLDEN_S8_POW2: return power_of_two_scale(largest_of_all);
    case GOLDEN_S8_TIES: return k % 2 ? near_tie_scale(made, truth, k, largest) : power_of_two_scale(largest);
    default: return plain_scale(largest);
    }
}

static enum conv_status add_scales(struct golden_case *made, const struct conv_truth *truth, struct conv_error *error)
{
    const struct conv_problem *problem = &made->plan.problem;
    const int64_t k = problem->k, positions = positions_of(problem);
    struct golden_array *scale = golden_add(made, "scale", ELEMENT_F64, 1, &k);
    struct golden_array *multiplier = golden_add(made, "multiplier", ELEMENT_S32, 1, &k);
    struct golden_array *shift = golden_add(made, "shift", ELEMENT_S32, 1, &k);
    double all = 0;
    if (!scale || !multiplier || !shift)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the scales of %s", made->plan.name);
    for (int64_t i = 0; i < truth->count; i++) {
        double *largest = &scale->values[i / positions % k];
        *largest = fmax(*largest, fabs(truth->value[i]));
        all = fmax(all, *largest);
    }
    for (int64_t i = 0; i < k; i++) {
        struct requantiser requantiser;
        requantiser_set_scale(&requantiser, scale_for(made, truth, i, scale->values[i], all));
        scale->values[i] = requantiser.scale;
        multiplier->values[i] = requantiser.multiplier;
        shift->values[i] = requantiser.shift;
    }
    return CONV_OK;
}

struct requantiser golden_requantiser(const struct golden_case *made, int64_t k)
{
    struct requantiser requantiser = { .zero_point = made->y_zero_point, .least = made->least, .most = made->most };
    for (int i = 0; i < made->count; i++)
        if (!strcmp(made->arrays[i].name, "scale"))
            requantiser_set_scale(&requantiser, made->arrays[i].values[k]);
    return requantiser;
}

/* acc and y, from accumulators with the channels first to the order of the layout. */
static enum conv_status add_outputs(struct golden_case *made, struct conv_truth *truth, struct conv_error *error)
{
    int64_t dims[CONV_MAX_RANK];
    struct conv_problem order = made->plan.problem;
    const int rank = conv_operand_shape(dims, &order, CONV_Y);
    const int64_t positions = positions_of(&order);
    struct golden_array *acc = golden_add(made, "acc", ELEMENT_S32, rank, dims);
    struct golden_array *y = golden_add(made, "y", kinds[made->plan.data].element, rank, dims);
    if (!acc || !y)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the outputs of %s", made->plan.name);
    acc->is_output = y->is_output = true;
    acc->operand = y->operand = CONV_Y;
    order.type = CONV_F64;
    conv_operand_narrow(acc->values, &order, CONV_Y, truth->value);
    for (int64_t i = 0; i < truth->count; i++) {
        const struct requantiser requantiser = golden_requantiser(made, i / positions % order.k);
        truth->value[i] = requantise(made->settings.mode, (int32_t)truth->value[i], &requantiser);
    }
    conv_operand_narrow(y->values, &order, CONV_Y, truth->value);
    return CONV_OK;
}

enum conv_status golden_quantise(struct golden_case *made, struct conv_error *error)
{
    struct conv_truth truth;
    made->x_zero_point = kinds[made->plan.data].x;
    made->y_zero_point = kinds[made->plan.data].y;
    made->least = kinds[made->plan.data].least;
    made->most = kinds[made->plan.data].most;
    if (made->plan.problem.act == CONV_ACT_RELU)   /* a real 0 is the zero point */
        made->least = made->y_zero_point;
    enum conv_status status = accumulate(&truth, made, error);
    if (status != CONV_OK)
        return status;
    status = add_scales(made, &truth, error);
    if (status == CONV_OK)
        status = add_outputs(made, &truth, error);
    conv_truth_free(&truth);
    return status;
}
