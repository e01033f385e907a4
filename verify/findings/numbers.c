/* numbers.c - suspects: inputs are rounded to a narrower type before they are multiplied.   Declared in mistake.h.
 *
 * Not here: sums in a narrower type, which depend on the order of summation: arithmetic.h names those of kernels.
 */
#include <math.h>

#include "verify/findings/mistake.h"

static double nearest(double value) { return rint(value); }

/* To so many significant bits; exponents keep their range. */
static double rounded(double value, int bits, double (*whole)(double))
{
    int exponent;
    const double fraction = frexp(value, &exponent);
    return isfinite(value) ? ldexp(whole(ldexp(fraction, bits)), exponent - bits) : value;
}

static bool round_inputs(struct mistake *m, int64_t bits, double (*whole)(double))
{
    static const enum conv_operand factors[] = { CONV_X, CONV_WEIGHTS, CONV_Y, CONV_PW, CONV_EW };
    for (size_t f = 0; f < sizeof factors / sizeof *factors; f++) {
        const enum conv_operand factor = factors[f];
        for (int64_t i = 0; m->in[factor] && i < conv_operand_count(&m->problem, factor); i++)
            m->in[factor][i] = rounded(m->in[factor][i], (int)bits, whole);
    }
    return true;
}

static bool to_nearest(struct mistake *m, int64_t bits) { return round_inputs(m, bits, nearest); }
static bool cut_off(struct mistake *m, int64_t bits) { return round_inputs(m, bits, trunc); }

enum { OF_BF16 = 8, OF_TF32 = 11 };   /* significant bits; f16 has those of TF32 */

const struct suspect suspect_numbers[] = {
    { "inputs are rounded to TF32 or f16: --accuracy tf32 accepts it", .before = to_nearest, .number = OF_TF32 },
    { "inputs are cut off to TF32: --accuracy tf32 accepts it", .before = cut_off, .number = OF_TF32 },
    { "inputs are rounded to bf16: --accuracy bf16 accepts it", .before = to_nearest, .number = OF_BF16 },
    { "inputs are cut off to bf16", .before = cut_off, .number = OF_BF16 },
    { .words = NULL }
};
