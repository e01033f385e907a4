/* bwd_weights_01_direct.c - step 1 of the ladder of weight gradients: each weight asks where it was used.
 *
 * Changed since the reference (ref_backward_weights.c): sums in float, and the outputs whose tap lies inside the
 *     image are known before the loops over them.
 * Why it is faster: floats are half as wide as doubles, and nobody asks at each product.
 * What it costs: one chain of sums, so a multiply-add waits for the one before it; and the whole image is read again
 *     for each weight.
 * Applies to: weight and bias gradients of any convolution, 1-D to 3-D, in NCHW.
 * Explained in docs/ladder-gradients.md, step 1 of the weights.
 */
#include <convref/kernel.h>

/* SUM dy[z][p][q] * x[z * stride - pad + t * dilation][.][.] over one image, for one weight */
static float one_image(const struct conv_problem *conv, const float *image_dy, const float *image_x, int64_t t,
                       int64_t r, int64_t s)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*dy)[H.out][W.out] = (const void *)image_dy;
    const float (*x)[H.in][W.in] = (const void *)image_x;
    const struct conv_range Z = conv_outputs_inside(&D, t), P = conv_outputs_inside(&H, r);
    const struct conv_range Q = conv_outputs_inside(&W, s);
    float sum = 0;
    for (int64_t z = Z.begin; z < Z.end; z++)
        for (int64_t p = P.begin; p < P.end; p++)
            for (int64_t q = Q.begin; q < Q.end; q++)
                sum += dy[z][p][q] * x[conv_input_at(&D, z, t)][conv_input_at(&H, p, r)][conv_input_at(&W, q, s)];
    return sum;
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    const int64_t outputs = D.out * H.out * W.out;
    const float (*x)[conv->c][D.in * H.in * W.in] = operands->x;
    const float (*dy)[conv->k][outputs] = operands->y;
    float *dw = operands->w, *dbias = operands->bias;   /* dw[k][c][t][r][s], written in this order */
    (void)workspace;

    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t c = 0; c < channels; c++)
    for (int64_t t = 0; t < D.filter; t++)
    for (int64_t r = 0; r < H.filter; r++)
    for (int64_t s = 0; s < W.filter; s++) {
        float sum = 0;
        for (int64_t n = 0; n < conv->n; n++)
            sum += one_image(conv, dy[n][k], x[n][k / filters * channels + c], t, r, s);
        *dw++ = sum;
    }
    for (int64_t k = 0; dbias && k < conv->k; k++) {
        dbias[k] = 0;
        for (int64_t n = 0; n < conv->n; n++)
            for (int64_t i = 0; i < outputs; i++)
                dbias[k] += dy[n][k][i];
    }
}

CONV_KERNEL(bwd_weights_01_direct,
    .title = "each weight asks where it was used",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .run = run,
);
