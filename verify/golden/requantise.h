/* requantise.h - from an int32 accumulator to 8 bits, in the ways that people use.  Internal.
 *
 * An integer convolution is exact; what two correct accelerators disagree about is this last step.  Each mode is one
 * short function, with its source, so that a disagreement can be named.   Read next: docs/golden.md
 */
#ifndef CONVREF_VERIFY_GOLDEN_REQUANTISE_H
#define CONVREF_VERIFY_GOLDEN_REQUANTISE_H

#include <convref/base.h>

enum requantise_mode {
    REQUANTISE_GEMMLOWP_DOUBLE, REQUANTISE_TFLITE_SINGLE, REQUANTISE_FP32_RNE, REQUANTISE_RNDNU,
    REQUANTISE_TOSA_SCALE32, REQUANTISE_SHIFTS, REQUANTISE_MODES
};

/* What one output channel needs.  0 < scale < 1. */
struct requantiser {
    double scale;          /* the real number that all modes approximate */
    int32_t multiplier;    /* scale is about multiplier * 2^(shift - 31), 2^30 <= multiplier < 2^31 */
    int shift;             /* <= 0 */
    int32_t zero_point;    /* added at the end */
    int32_t least, most;   /* and clamped to these */
};

/* "gemmlowp-double", ...; and what the mode does, in one line. */
const char *requantise_name(enum requantise_mode mode);
const char *requantise_words(enum requantise_mode mode);

/* The mode of that name; REQUANTISE_MODES if there is none. */
enum requantise_mode requantise_of_name(const char *name);

/* Fill in multiplier and shift from the scale, as TensorFlow Lite's QuantizeMultiplier() does. */
void requantiser_set_scale(struct requantiser *requantiser, double scale);

/* The 8-bit output for an accumulator. */
int32_t requantise(enum requantise_mode mode, int32_t accumulator, const struct requantiser *requantiser);

#endif
