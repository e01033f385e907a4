/* ref_standard.c - the standard convolution, in the words of its own formula.
 *
 *   y[n][k][p][q] = bias[k] + SUM  x[n][c][p*stride - pad + r*dilation][q*stride - pad + s*dilation]
 *                            c,r,s                                               * w[k][c][r][s]
 *
 * Every filter sees every channel: K * C * R * S multiply-adds for each output position.  In three
 * dimensions z and t join; in one, p and r leave.  This page must equal ref_forward.c bit for bit.
 * Read next: ref_pointwise.c (the filter shrinks to 1), ref_grouped.c (each filter sees fewer channels)
 */
#include "reference/page.h"

static int64_t standard(struct conv_truth *y, const struct conv_problem *conv, const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const double (*x)[conv->c][D.in][H.in][W.in] = (const void *)in->x;
    const double (*w)[conv->c][D.filter][H.filter][W.filter] = (const void *)in->w;
    int64_t output = 0, products = 0;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        struct sum sum = { 0 };
        for (int64_t c = 0; c < conv->c; c++)
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
                        sum_add(&sum, x[n][c][plane][row][col], w[k][c][t][r][s]);
                }
            }
        }
        products += sum.taps;
        if (in->bias)
            sum_add_bias(&sum, in->bias[k]);
        truth_set(y, output++, &sum, conv->act);
    }
    return products;
}

CONV_REFERENCE(ref_standard, standard,
    .title = "every filter sees every channel",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
);
