/* ref_backward_data.c - the gradient with respect to the input: which outputs did this input feed?
 *
 *   dx[n][c][d][h][w] =  SUM  dy[n][k][z][p][q] * w[k][c'][t][r][s]
 *                      k,t,r,s
 *
 * over the filters k of c's group and those taps for which the output exists:
 *   z * stride - pad + t * dilation = d, and the same for p, r, h and q, s, w.
 * So z = (d + pad - t * dilation) / stride, if that divides and lies in 0 <= z < Z.
 *
 * The activation has no part in it: dy is the gradient at the convolution's own output.
 * Read next: ref_backward_weights.c.  The same sum as an operation of its own: ref_transposed.c
 */
#include "reference/page.h"

/* The output whose tap `tap` reads input `position`, or -1 if there is none. */
static int64_t output_of(const struct conv_axis *axis, int64_t position, int64_t tap)
{
    const int64_t steps = position + axis->pad_begin - tap * axis->dilation;
    if (steps < 0 || steps % axis->stride != 0 || steps / axis->stride >= axis->out)
        return -1;
    return steps / axis->stride;
}

int64_t PAGE(backward_data)(struct conv_truth *dx, const struct conv_problem *conv,
                            const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    const double (*dy)[conv->k][D.out][H.out][W.out] = (const void *)in->y;
    const double (*w)[channels][D.filter][H.filter][W.filter] = (const void *)in->w;
    int64_t input = 0, products = 0;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t c = 0; c < conv->c; c++)
    for (int64_t plane = 0; plane < D.in; plane++)
    for (int64_t row = 0; row < H.in; row++)
    for (int64_t col = 0; col < W.in; col++) {
        const int64_t first = c / channels * filters;   /* first filter of c's group */
        struct sum sum = { 0 };

        for (int64_t t = 0; t < D.filter; t++) {
            const int64_t z = output_of(&D, plane, t);
            if (z < 0)
                continue;
            for (int64_t r = 0; r < H.filter; r++) {
                const int64_t p = output_of(&H, row, r);
                if (p < 0)
                    continue;
                for (int64_t s = 0; s < W.filter; s++) {
                    const int64_t q = output_of(&W, col, s);
                    for (int64_t k = first; q >= 0 && k < first + filters; k++)
                        sum_add(&sum, dy[n][k][z][p][q], w[k][c % channels][t][r][s]);
                }
            }
        }
        products += sum.taps;
        truth_set(dx, input++, &sum, CONV_ACT_NONE);
    }
    return products;
}

CONV_REFERENCE(ref_backward_data, PAGE(backward_data),
    .title = "gradient with respect to the input",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_DATA,
);
