/* format.c - number formats narrower than the type.   Declared in format.h. */
#include "verify/maths/format.h"

#include <math.h>

const struct format formats[FORMATS] = {
    [FORMAT_AS_IT_IS] = { "", 64, -10000, INFINITY, false },
    [FORMAT_F32] = { "f32", 24, -126, 0x1.fffffep127, false },
    [FORMAT_TF32] = { "TF32", 11, -126, 0x1.ffcp127, false },
    [FORMAT_BF16] = { "bf16", 8, -126, 0x1.fep127, false },
    [FORMAT_F16] = { "f16", 11, -14, 65504, false },
    [FORMAT_TF32_CUT] = { "TF32, cut off", 11, -126, 0x1.ffcp127, true },
    [FORMAT_BF16_CUT] = { "bf16, cut off", 8, -126, 0x1.fep127, true },
};

double format_round(const struct format *format, double value)
{
    int exponent;
    if (value == 0 || !isfinite(value) || format->bits > 53)
        return value;
    frexp(value, &exponent);   /* value is in [2^(exponent-1), 2^exponent) */
    if (exponent < format->least_exponent + 1)
        exponent = format->least_exponent + 1;
    const double units = ldexp(value, format->bits - exponent);
    const double rounded = ldexp(format->cut ? trunc(units) : rint(units), exponent - format->bits);
    return fabs(rounded) <= format->largest ? rounded : copysign(INFINITY, value);
}

double format_to_type(enum conv_type type, double value) { return type == CONV_F32 ? (double)(float)value : value; }

/* ---- one product after the other ------------------------------------------------------------------------------- */

static double add_f32(double x, double w, int64_t n, bool fused)
{
    const float a = (float)x, b = (float)w;
    volatile float product = a * b;   /* volatile: the compiler may not fuse by itself */
    float sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum = fused ? fmaf(a, b, sum) : sum + product;
    return (double)sum;
}

static double add_f64(double x, double w, int64_t n, bool fused)
{
    volatile double product = x * w;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum = fused ? fma(x, w, sum) : sum + product;
    return sum;
}

double format_add(enum conv_type type, double x, double w, int64_t n, bool fused)
{
    return type == CONV_F32 ? add_f32(x, w, n, fused) : add_f64(x, w, n, fused);
}
