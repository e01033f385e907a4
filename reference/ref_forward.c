/* ref_forward.c - the convolution that everything else here is compared with.
 *
 *   y[n][k][z][p][q] = bias[k] +  SUM  x[n][first + c][z*stride - pad + t*dilation][.][.]
 *                               c,t,r,s                             * w[k][c][t][r][s]
 *
 * where c runs over the C/G channels of k's group, `first` is the first of them, and x is zero outside
 * of the image.  Standard (G = 1), grouped and depthwise (G = C) convolutions in one, two and three
 * dimensions are corners of this one formula, so this one function serves them all.
 *
 * Written to be read: one loop for each letter of the formula, no special cases.  Do not make it faster;
 * that is what optimized/ is for.
 * Read next: ref_standard.c, or the first step away from here, optimized/standard/std_01_direct.c
 */
#include "reference/page.h"

int64_t PAGE(forward)(struct conv_truth *y, const struct conv_problem *conv, const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    const double (*x)[conv->c][D.in][H.in][W.in] = (const void *)in->x;
    const double (*w)[channels][D.filter][H.filter][W.filter] = (const void *)in->w;
    int64_t output = 0, products = 0;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        const int64_t first = k / filters * channels;
        struct sum sum = { 0 };

        for (int64_t c = 0; c < channels; c++)
        for (int64_t t = 0; t < D.filter; t++) {
            const int64_t plane = z * D.stride - D.pad_begin + t * D.dilation;
            if (!conv_inside(&D, plane))
                continue;   /* padding adds nothing */
            for (int64_t r = 0; r < H.filter; r++) {
                const int64_t row = p * H.stride - H.pad_begin + r * H.dilation;
                if (!conv_inside(&H, row))
                    continue;
                for (int64_t s = 0; s < W.filter; s++) {
                    const int64_t col = q * W.stride - W.pad_begin + s * W.dilation;
                    if (conv_inside(&W, col))
                        sum_add(&sum, x[n][first + c][plane][row][col], w[k][c][t][r][s]);
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

CONV_REFERENCE(ref_forward, PAGE(forward),
    .title = "the formula, one loop for each letter",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
);
