/* requantise.c - the rounding modes.
 *
 * All shifts of negative numbers are arithmetic: they round towards minus infinity, as every compiler and every
 * machine in question does it.
 */
#include "verify/golden/requantise.h"

#include <math.h>
#include <string.h>

/* ---- one function for each mode: accumulator -> round(accumulator * scale) ------------------------------ */

/* a * b / 2^31, ties up: -0.5 becomes 0, for all that its division is towards zero.  gemmlowp,
 * fixedpoint/fixedpoint.h, SaturatingRoundingDoublingHighMul.  Never saturates here, because b is positive. */
static int32_t doubling_high_product(int32_t a, int32_t b)
{
    const int64_t product = (int64_t)a * b, half = INT64_C(1) << 30;
    return (int32_t)((product + (product >= 0 ? half : 1 - half)) / (INT64_C(1) << 31));   /* towards 0 */
}

/* x / 2^exponent, ties away from zero.  gemmlowp, fixedpoint/fixedpoint.h, RoundingDivideByPOT. */
static int32_t divide_by_power_of_two(int32_t x, int exponent)
{
    const int64_t size = x < 0 ? -(int64_t)x : x, half = exponent > 0 ? INT64_C(1) << (exponent - 1) : 0;
    const int64_t rounded = (size + half) >> exponent;
    return (int32_t)(x < 0 ? -rounded : rounded);
}

/* Rounds twice: after the product, and after the shift.  TensorFlow Lite, kernels/internal/common.cc,
 * MultiplyByQuantizedMultiplier without TFLITE_SINGLE_ROUNDING. */
static int64_t gemmlowp_double(int32_t accumulator, const struct requantiser *r)
{
    return divide_by_power_of_two(doubling_high_product(accumulator, r->multiplier), -r->shift);
}

/* Rounds once, ties up.  The same function with TFLITE_SINGLE_ROUNDING; TOSA's apply_scale_32 without
 * double_round. */
static int64_t tflite_single(int32_t accumulator, const struct requantiser *r)
{
    const int places = 31 - r->shift;
    return ((int64_t)accumulator * r->multiplier + (INT64_C(1) << (places - 1))) >> places;
}

/* The product in f32, rounded to an integer with ties to even.  XNNPACK, src/qs8-requantization, fp32; ONNX
 * QLinearConv in most runtimes.  The clamp comes first, so that the conversion can't overflow. */
static int64_t fp32_rne(int32_t accumulator, const struct requantiser *r)
{
    float product = (float)accumulator * (float)r->scale;
    product = fmaxf(product, (float)(r->least - r->zero_point));
    product = fminf(product, (float)(r->most - r->zero_point));
    return lrintf(product);
}

/* The 24 bits of the scale in f32 as an integer; rounds once, ties up.  XNNPACK,
 * src/qs8-requantization/rndnu-scalar.c. */
static int64_t rndnu(int32_t accumulator, const struct requantiser *r)
{
    int exponent;
    const float fraction = frexpf((float)r->scale, &exponent);   /* [0.5, 1) */
    const int places = 24 - exponent;
    return ((int64_t)accumulator * (int64_t)ldexpf(fraction, 24) + (INT64_C(1) << (places - 1))) >> places;
}

/* Rounds once, with 2^30 added or taken away first where the shift is above 31, which comes near to rounding twice.
 * TOSA specification, apply_scale_32 with double_round. */
static int64_t tosa_scale32(int32_t accumulator, const struct requantiser *r)
{
    const int places = 31 - r->shift;
    int64_t round = INT64_C(1) << (places - 1);
    if (places > 31)
        round += accumulator >= 0 ? INT64_C(1) << 30 : -(INT64_C(1) << 30);
    return ((int64_t)accumulator * r->multiplier + round) >> places;
}

/* A shift by the power of two that is nearest to the scale, ties up.  CMSIS-NN's NN_ROUND and __SSAT (the q7
 * functions). */
static int64_t shifts(int32_t accumulator, const struct requantiser *r)
{
    int exponent;
    const double fraction = frexp(r->scale, &exponent);   /* [0.5, 1): nearer to 0.5 below the root of a half */
    const int places = fraction >= sqrt(0.5) ? -exponent : 1 - exponent;
    return places > 0 ? ((int64_t)accumulator + (INT64_C(1) << (places - 1))) >> places : accumulator;
}

/* ---- the table -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *words;
    int64_t (*round)(int32_t, const struct requantiser *);
} modes[REQUANTISE_MODES] = {
    [REQUANTISE_GEMMLOWP_DOUBLE] = { "gemmlowp-double",
                                     "31-bit multiplier, rounded twice: ties up, then away from zero",
                                     gemmlowp_double },
    [REQUANTISE_TFLITE_SINGLE] = { "tflite-single", "31-bit multiplier, rounded once, ties up", tflite_single },
    [REQUANTISE_FP32_RNE] = { "fp32-rne", "product in f32, then to an integer, ties to even", fp32_rne },
    [REQUANTISE_RNDNU] = { "rndnu", "24-bit multiplier, rounded once, ties up", rndnu },
    [REQUANTISE_TOSA_SCALE32] = { "tosa-scale32", "31-bit multiplier, TOSA's double_round", tosa_scale32 },
    [REQUANTISE_SHIFTS] = { "shifts", "the nearest power of two, ties up", shifts },
};

const char *requantise_name(enum requantise_mode mode) { return modes[mode].name; }
const char *requantise_words(enum requantise_mode mode) { return modes[mode].words; }

enum requantise_mode requantise_of_name(const char *name)
{
    enum requantise_mode mode = 0;
    while (mode < REQUANTISE_MODES && strcmp(modes[mode].name, name))
        mode++;
    return mode;
}

void requantiser_set_scale(struct requantiser *requantiser, double scale)
{
    int64_t multiplier = llround(frexp(scale, &requantiser->shift) * 0x1p31);
    if (multiplier == INT64_C(1) << 31) {   /* rounded up to one */
        multiplier /= 2;
        requantiser->shift++;
    }
    requantiser->scale = scale;
    requantiser->multiplier = (int32_t)multiplier;
}

int32_t requantise(enum requantise_mode mode, int32_t accumulator, const struct requantiser *requantiser)
{
    const int64_t output = modes[mode].round(accumulator, requantiser) + requantiser->zero_point;
    return (int32_t)(output < requantiser->least ? requantiser->least
                     : output > requantiser->most ? requantiser->most : output);
}
