/* ref_grouped.c - the grouped convolution: G convolutions side by side that never meet.
 *
 *   y[n][g][k][p][q] = bias[g][k] + SUM  x[n][g][c][p*stride - pad + r*dilation][q*...] * w[g][k][c][r][s]
 *                                  c,r,s
 *
 * with c and k counted from 0 in their group.  It is G times cheaper than a standard convolution: each
 * filter sees C/G channels.  AlexNet (2012) split layers so to fit them on two GPUs.
 * Read next: ref_depthwise.c, where every channel is a group of its own
 */
#include "reference/page.h"

static int64_t grouped(struct conv_truth *y, const struct conv_problem *conv, const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t G = conv->groups, C = conv->c / G, K = conv->k / G;   /* per group */
    const double (*x)[G][C][D.in][H.in][W.in] = (const void *)in->x;
    const double (*w)[K][C][D.filter][H.filter][W.filter] = (const void *)in->w;
    const double (*bias)[K] = (const void *)in->bias;
    int64_t output = 0, products = 0;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t g = 0; g < G; g++)
    for (int64_t k = 0; k < K; k++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        struct sum sum = { 0 };
        for (int64_t c = 0; c < C; c++)
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
                        sum_add(&sum, x[n][g][c][plane][row][col], w[g][k][c][t][r][s]);
                }
            }
        }
        products += sum.taps;
        if (bias)
            sum_add_bias(&sum, bias[g][k]);
        truth_set(y, output++, &sum, conv->act);
    }
    return products;
}

CONV_REFERENCE(ref_grouped, grouped,
    .title = "G convolutions side by side that never meet",
    .kinds = 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE | 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
);
