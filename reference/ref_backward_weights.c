/* ref_backward_weights.c - the gradient with respect to the weights, and to the bias.
 *
 *   dw[k][c][t][r][s] =  SUM   dy[n][k][z][p][q] * x[n][first + c][z*stride - pad + t*dilation][.][.]
 *                      n,z,p,q
 *
 *   dbias[k] =  SUM   dy[n][k][z][p][q]
 *             n,z,p,q
 *
 * The sums run over whole batches of images: they are the longest that a convolution has.
 * Read next: ref_transposed.c
 */
#include "reference/page.h"

int64_t PAGE(backward_weights)(struct conv_truth *dw, const struct conv_problem *conv,
                               const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    const double (*x)[conv->c][D.in][H.in][W.in] = (const void *)in->x;
    const double (*dy)[conv->k][D.out][H.out][W.out] = (const void *)in->y;
    int64_t weight = 0, products = 0;

    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t c = 0; c < channels; c++)
    for (int64_t t = 0; t < D.filter; t++)
    for (int64_t r = 0; r < H.filter; r++)
    for (int64_t s = 0; s < W.filter; s++) {
        const int64_t first = k / filters * channels;
        struct sum sum = { 0 };

        for (int64_t n = 0; n < conv->n; n++)
        for (int64_t z = 0; z < D.out; z++) {
            const int64_t plane = z * D.stride - D.pad_begin + t * D.dilation;
            if (!conv_inside(&D, plane))
                continue;
            for (int64_t p = 0; p < H.out; p++) {
                const int64_t row = p * H.stride - H.pad_begin + r * H.dilation;
                if (!conv_inside(&H, row))
                    continue;
                for (int64_t q = 0; q < W.out; q++) {
                    const int64_t col = q * W.stride - W.pad_begin + s * W.dilation;
                    if (conv_inside(&W, col))
                        sum_add(&sum, x[n][first + c][plane][row][col], dy[n][k][z][p][q]);
                }
            }
        }
        products += sum.taps;
        truth_set(dw, weight++, &sum, CONV_ACT_NONE);
    }
    return products;
}

/* The bias gradient adds and multiplies nothing: each dy counts as a product with 1. */
int64_t PAGE(bias)(struct conv_truth *dbias, const struct conv_problem *conv, const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const double (*dy)[conv->k][D.out][H.out][W.out] = (const void *)in->y;

    for (int64_t k = 0; k < conv->k; k++) {
        struct sum sum = { 0 };
        for (int64_t n = 0; n < conv->n; n++)
        for (int64_t z = 0; z < D.out; z++)
        for (int64_t p = 0; p < H.out; p++)
        for (int64_t q = 0; q < W.out; q++)
            sum_add(&sum, dy[n][k][z][p][q], 1);
        truth_set(dbias, k, &sum, CONV_ACT_NONE);
    }
    return 0;
}

CONV_REFERENCE(ref_backward_weights, PAGE(backward_weights),
    .title = "gradient with respect to the weights and the bias",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
);
