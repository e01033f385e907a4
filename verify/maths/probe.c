/* probe.c - inputs made so that a particular arithmetic shows.   Declared in probe.h.
 *
 * Why one product for each output is exact in any order: the other products are 0, and x + 0 is x.
 *
 * Why the cancelling sums are: all products are integers (times one unit), and the sum of their absolute values stays
 * below 2^significand.  Every partial sum of every order, blocking or splitting is an integer not larger than that,
 * so it needs no rounding, fused or not.  With the unit at the smallest subnormal number nothing changes: subnormal
 * numbers are the integers below 2^significand times that unit, and a few more.
 */
#include <math.h>
#include <string.h>

#include "verify/maths/probe.h"

enum probe_factor probe_factor(const struct conv_problem *problem, enum conv_operand operand)
{
    switch (operand) {
    case CONV_X: return PROBE_FIRST;
    case CONV_WEIGHTS: return PROBE_SECOND;
    case CONV_PW: return PROBE_THIRD;
    case CONV_EW: return PROBE_FOURTH;
    case CONV_Y: return problem->pass == CONV_BACKWARD_DATA ? PROBE_FIRST : PROBE_SECOND;
    default: return PROBE_BIAS;
    }
}

/* 1 to `limit`, of either sign: element i of an operand. */
static double draw(uint64_t seed, const struct conv_problem *problem, enum conv_operand operand, int64_t i,
                   double limit)
{
    const struct conv_fill fill = { CONV_FILL_INTEGERS, seed, limit, 0 };
    return conv_fill_value(&fill, conv_operand_name(problem, operand), i);
}

/* An odd integer of `bits` bits, from 0.71 * 2^bits on so that the product of two has no zero in front, over
 * 2^(bits-1). */
static double wide(double drawn, int bits)
{
    const double least = ceil(ldexp(0.71, bits)), span = ldexp(1, bits) - least;
    const int64_t whole = bits == 1 ? 1 : (int64_t)(least + fmod(fabs(drawn), span)) | 1;
    return copysign(ldexp((double)whole, 1 - bits), drawn);
}

/* ---- which elements of the second factor are not 0 ------------------------------------------------------------- */

/* Element `number` of a list of `size` possibilities, another one for each output channel. */
static int64_t chosen(int64_t channel, int64_t size) { return (channel * 7 + 3) % size; }

/* Weights are rows x columns x taps.  Outputs have the channels of the rows, or those of the columns, by pass. */
static bool weight_is_used(const struct conv_problem *problem, enum conv_operand operand, int64_t i)
{
    int64_t dims[CONV_MAX_RANK], taps = 1;
    const int rank = conv_operand_shape(dims, problem, operand);
    for (int d = 2; d < rank; d++)
        taps *= dims[d];
    const int64_t tap = i % taps, column = i / taps % dims[1], row = i / taps / dims[1];
    const bool by_row = (problem->op == CONV_OP_TRANSPOSED) == (problem->pass == CONV_BACKWARD_DATA);
    if (by_row)
        return column * taps + tap == chosen(row, dims[1] * taps);
    const int64_t rows = dims[0] / problem->groups, group = row / rows;
    return row % rows * taps + tap == chosen(group * dims[1] + column, rows * taps);
}

/* Of the images that dw is made from one has a single pixel in each channel: dy, or x where the operation is
 * transposed. */
static bool pixel_is_used(const struct conv_problem *problem, enum conv_operand operand, int64_t i)
{
    const int64_t channels = operand == CONV_X ? problem->c : problem->k;
    int64_t pixels = 1;
    for (int a = 0; a < CONV_AXES; a++)
        pixels *= operand == CONV_X ? problem->axis[a].in : problem->axis[a].out;
    const int64_t pixel = i % pixels, channel = i / pixels % channels, image = i / pixels / channels;
    return image * pixels + pixel == chosen(channel, problem->n * pixels);
}

static bool is_used(const struct conv_problem *problem, enum conv_operand operand, int64_t i)
{
    const enum conv_operand sparse = problem->op == CONV_OP_TRANSPOSED ? CONV_X : CONV_Y;
    if (problem->pass != CONV_BACKWARD_WEIGHTS)
        return probe_factor(problem, operand) == PROBE_FIRST ? true : weight_is_used(problem, operand, i);
    return operand == sparse ? pixel_is_used(problem, operand, i) : true;
}

void probe_single(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                  const int bits[PROBE_BIAS])
{
    const enum probe_factor factor = probe_factor(problem, operand);
    const int64_t count = conv_operand_count(problem, operand);
    for (int64_t i = 0; i < count; i++)
        values[i] = factor != PROBE_BIAS && is_used(problem, operand, i)
            ? wide(draw(seed, problem, operand, i, 0x1p53), bits[factor]) : 0;
}

/* ---- cancelling sums ------------------------------------------------------------------------------------------- */

int64_t probe_largest(const struct conv_problem *problem, int bits)
{
    struct conv_problem stages[CONV_MOST_STAGES];
    const int count = conv_stages(stages, problem);
    double limit = ldexp(1, bits) - 1;   /* of the product of all factors, one more than there are stages */
    for (int i = 0; i < count; i++)      /* one more for the bias, and one for an x that is added */
        limit /= (double)(conv_fan_in(&stages[i]) + 1 + (i == count - 1 && problem->residual));
    return (int64_t)(count == 1 ? sqrt(limit) : count == 2 ? cbrt(limit) : sqrt(sqrt(limit)));
}

/* Does element i of the second factor belong to the second half of the sums that it is in? */
static bool comes_late(const struct conv_problem *problem, enum conv_operand operand, int64_t i)
{
    int64_t dims[CONV_MAX_RANK], inner = 1;
    const int rank = conv_operand_shape(dims, problem, operand);
    for (int d = 1; d < rank; d++)
        inner *= dims[d];
    const bool by_row = (problem->op == CONV_OP_TRANSPOSED) == (problem->pass == CONV_BACKWARD_DATA);
    const int64_t rows = dims[0] / (problem->op == CONV_OP_SEPARABLE ? 1 : problem->groups), row = i / inner;
    if (operand == CONV_Y) {   /* dw: a sum over all images and pixels; dims are N, K, ... */
        const int64_t images = dims[0], pixels = inner / problem->k;
        return images > 1 ? row >= images / 2 : i % pixels >= pixels / 2;
    }
    return by_row || rows == 1 ? i % inner >= inner / 2 : row % rows >= rows / 2;
}

void probe_cancelling(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                      int64_t largest, double unit)
{
    /* channels first, whatever the layout, because comes_late() counts that way */
    struct conv_problem first = *problem;
    first.layout = CONV_CHANNELS_FIRST;
    const enum probe_factor factor = probe_factor(problem, operand);
    const int64_t count = conv_operand_count(problem, operand), least = (largest + 1) / 2;
    for (int64_t i = 0; i < count; i++) {
        const double drawn = draw(seed, problem, operand, i, (double)(largest - least + 1));
        double size = (double)(least - 1) + fabs(drawn);
        size -= size > 1 && fmod(size, 2) == 0;   /* odd: the last bit counts */
        values[i] = factor == PROBE_BIAS ? copysign(size, drawn)
                  : factor == PROBE_SECOND && comes_late(&first, operand, i) ? -size : size;
        if (factor == PROBE_FIRST || factor == PROBE_BIAS)
            values[i] *= unit;
    }
}
