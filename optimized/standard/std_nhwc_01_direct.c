/* std_nhwc_01_direct.c - step 1 of the standard ladder for channels last: the formula, in float.
 *
 * Changed since std_01_direct: x and y have their channels last, so k is the innermost loop over outputs, and c the
 *     innermost over taps.
 * Why it is faster: it isn't meant to be.  Questions are asked once for all channels of a tap.
 * What it costs: the additions of one sum wait for each other.  The weights of neighbouring channels lie T * R * S
 *     floats apart.
 * Applies to: any standard or pointwise problem in NHWC, 1-D to 3-D.
 * Explained in docs/ladder-standard.md, step 1 for channels last.
 */
#include <convref/kernel.h>

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in][H.in][W.in][conv->c] = operands->x;
    const float (*w)[conv->c][D.filter][H.filter][W.filter] = operands->w;
    const float *bias = operands->bias;
    float (*y)[D.out][H.out][W.out][conv->k] = operands->y;
    (void)workspace;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++)
    for (int64_t k = 0; k < conv->k; k++) {
        float sum = bias ? bias[k] : 0;
        for (int64_t t = 0; t < D.filter; t++)
        for (int64_t r = 0; r < H.filter; r++)
        for (int64_t s = 0; s < W.filter; s++) {
            const int64_t plane = conv_input_at(&D, z, t), row = conv_input_at(&H, p, r);
            const int64_t col = conv_input_at(&W, q, s);
            if (!conv_inside(&D, plane) || !conv_inside(&H, row) || !conv_inside(&W, col))
                continue;
            for (int64_t c = 0; c < conv->c; c++)
                sum += x[n][plane][row][col][c] * w[k][c][t][r][s];
        }
        y[n][z][p][q][k] = conv_activate(conv->act, sum);
    }
}

CONV_KERNEL(std_nhwc_01_direct,
    .title = "the formula, in float",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .run = run,
);
