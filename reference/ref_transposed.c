/* ref_transposed.c - the transposed convolution: every input spreads over a window of outputs.
 *
 *   y[n][k][z][p][q] = bias[k] +  SUM  x[n][c][d][h][w] * w[c][k'][t][r][s]
 *                               c,t,r,s
 *
 * over the channels c of k's group and those taps for which an input exists that writes here:
 *   d * stride - pad + t * dilation = z, and the same for h, r, p and w, s, q.
 *
 * With stride 2 it doubles an image, which is why decoders use it.  It is the input gradient of the
 * convolution that has the same weights, from K channels to C: hence their order, C x K/G x T x R x S.
 * Its own gradients are that convolution's passes again, and are computed by those pages.
 * Read next: ref_separable.c
 */
#include "reference/page.h"

/* The input whose tap `tap` writes output `position`, or -1 if there is none. */
static int64_t input_of(const struct conv_axis *axis, int64_t position, int64_t tap)
{
    const int64_t steps = position + axis->pad_begin - tap * axis->dilation;
    if (steps < 0 || steps % axis->stride != 0 || steps / axis->stride >= axis->in)
        return -1;
    return steps / axis->stride;
}

int64_t PAGE(transposed)(struct conv_truth *y, const struct conv_problem *conv, const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    const double (*x)[conv->c][D.in][H.in][W.in] = (const void *)in->x;
    const double (*w)[filters][D.filter][H.filter][W.filter] = (const void *)in->w;
    int64_t output = 0, products = 0;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        const int64_t first = k / filters * channels;
        struct sum sum = { 0 };

        for (int64_t t = 0; t < D.filter; t++) {
            const int64_t plane = input_of(&D, z, t);
            if (plane < 0)
                continue;
            for (int64_t r = 0; r < H.filter; r++) {
                const int64_t row = input_of(&H, p, r);
                if (row < 0)
                    continue;
                for (int64_t s = 0; s < W.filter; s++) {
                    const int64_t col = input_of(&W, q, s);
                    for (int64_t c = first; col >= 0 && c < first + channels; c++)
                        sum_add(&sum, x[n][c][plane][row][col], w[c][k % filters][t][r][s]);
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

/* As a kernel: the pass decides which convolution's page is asked (see general_page() in truth.c). */
CONV_REFERENCE(ref_transposed, NULL,
    .title = "every input spreads over a window of outputs",
    .kinds = 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA | 1u << CONV_BACKWARD_WEIGHTS,
);
