/* std_01_direct.c - step 1 of the standard ladder: the formula, in float.
 *
 * Changed since the reference (ref_standard.c): sums in float, written straight to y.
 * Why it is faster: it isn't meant to be; this is what everybody writes first.
 * What it costs: every tap asks whether it is inside; and each addition waits for the one before it, 4 cycles:
 *     at 3.2 GHz there can't be more than 0.8 GMAC/s.  A Zen 3 has 0.76.  CONV_SCALAR: for AVX-512 GCC 12 would
 *     turn the few taps of a row into masked vectors of 16, and have half.
 * Applies to: any standard or pointwise problem, 1-D to 3-D.
 * Explained in docs/ladder-standard.md, step 1.
 */
#include <convref/kernel.h>

CONV_SCALAR
static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[conv->c][D.in][H.in][W.in] = operands->x;
    const float (*w)[conv->c][D.filter][H.filter][W.filter] = operands->w;
    const float *bias = operands->bias;
    float (*y)[conv->k][D.out][H.out][W.out] = operands->y;
    (void)workspace;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        float sum = bias ? bias[k] : 0;
        for (int64_t c = 0; c < conv->c; c++)
        for (int64_t t = 0; t < D.filter; t++) {
            const int64_t plane = conv_input_at(&D, z, t);
            if (!conv_inside(&D, plane))
                continue;
            for (int64_t r = 0; r < H.filter; r++) {
                const int64_t row = conv_input_at(&H, p, r);
                if (!conv_inside(&H, row))
                    continue;
                for (int64_t s = 0; s < W.filter; s++) {
                    const int64_t col = conv_input_at(&W, q, s);
                    if (conv_inside(&W, col))
                        sum += x[n][c][plane][row][col] * w[k][c][t][r][s];
                }
            }
        }
        y[n][k][z][p][q] = conv_activate(conv->act, sum);
    }
}

CONV_KERNEL(std_01_direct,
    .title = "the formula, in float",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .run = run,
);
