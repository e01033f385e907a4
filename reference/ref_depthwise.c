/* ref_depthwise.c - the depthwise convolution: every channel has filters of its own.
 *
 *   y[n][c][m][p][q] = bias[c][m] + SUM  x[n][c][p*stride - pad + r*dilation][q*...] * w[c][m][r][s]
 *                                   r,s
 *
 * It looks around and does not mix channels.  R * S multiply-adds for each output: C times fewer than a
 * standard convolution, and so few for each number read that memory, not arithmetic, sets its pace
 * (docs/ladder-depthwise.md).  The multiplier M is the number of filters for each channel: K = M * C.
 * Read next: ref_separable.c
 */
#include "reference/page.h"

static int64_t depthwise(struct conv_truth *y, const struct conv_problem *conv, const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t M = conv->k / conv->c;
    const double (*x)[conv->c][D.in][H.in][W.in] = (const void *)in->x;
    const double (*w)[M][D.filter][H.filter][W.filter] = (const void *)in->w;
    const double (*bias)[M] = (const void *)in->bias;
    int64_t output = 0, products = 0;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t c = 0; c < conv->c; c++)
    for (int64_t m = 0; m < M; m++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        struct sum sum = { 0 };
        for (int64_t t = 0; t < D.filter; t++) {
            const int64_t plane = conv_input_at(&D, z, t);
            if (!conv_inside(&D, plane))
                continue;   /* padding adds nothing */
            for (int64_t r = 0; r < H.filter; r++) {
                const int64_t row = conv_input_at(&H, p, r);
                if (!conv_inside(&H, row))
                    continue;
                for (int64_t s = 0; s < W.filter; s++) {
                    const int64_t col = conv_input_at(&W, q, s);
                    if (conv_inside(&W, col))
                        sum_add(&sum, x[n][c][plane][row][col], w[c][m][t][r][s]);
                }
            }
        }
        products += sum.taps;
        if (bias)
            sum_add_bias(&sum, bias[c][m]);
        truth_set(y, output++, &sum, conv->act);
    }
    return products;
}

CONV_REFERENCE(ref_depthwise, depthwise,
    .title = "every channel has filters of its own",
    .kinds = 1u << CONV_DEPTHWISE,
);
