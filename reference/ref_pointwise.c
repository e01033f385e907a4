/* ref_pointwise.c - the pointwise (1x1) convolution: a matrix product at every position.
 *
 *   y[n][k][p][q] = bias[k] + SUM  x[n][c][p*stride - pad][q*stride - pad] * w[k][c]
 *                              c
 *
 * It mixes channels and does not look around.  K * C multiply-adds for each output position.
 * Read next: ref_depthwise.c, which looks around and does not mix; together they are ref_separable.c
 */
#include "reference/page.h"

static int64_t pointwise(struct conv_truth *y, const struct conv_problem *conv, const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const double (*x)[conv->c][D.in][H.in][W.in] = (const void *)in->x;
    const double (*w)[conv->c] = (const void *)in->w;
    int64_t output = 0, products = 0;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        const int64_t plane = conv_input_at(&D, z, 0);
        const int64_t row = conv_input_at(&H, p, 0);
        const int64_t col = conv_input_at(&W, q, 0);
        struct sum sum = { 0 };
        if (conv_inside(&D, plane) && conv_inside(&H, row) && conv_inside(&W, col))
            for (int64_t c = 0; c < conv->c; c++)
                sum_add(&sum, x[n][c][plane][row][col], w[k][c]);
        products += sum.taps;
        if (in->bias)
            sum_add_bias(&sum, in->bias[k]);
        truth_set(y, output++, &sum, conv->act);
    }
    return products;
}

CONV_REFERENCE(ref_pointwise, pointwise,
    .title = "a matrix product at every position",
    .kinds = 1u << CONV_POINTWISE,
);
