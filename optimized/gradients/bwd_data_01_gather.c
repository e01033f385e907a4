/* bwd_data_01_gather.c - step 1 of the ladder of data gradients: each input asks which outputs it fed.
 *
 * Changed since the reference (ref_backward_data.c): sums in float; transposed convolutions, which are data
 *     gradients, by the same loops.
 * Why it is faster: it isn't meant to be; it is what the next steps are measured by.
 * What it costs: a division at every tap asks whether an output exists, and with a stride of 2 in both directions
 *     the answer is no at three taps of four; and neighbouring products lie a whole image apart in dy.
 * Applies to: data gradients of any convolution, and transposed convolutions, 1-D to 3-D, in NCHW.
 * Explained in docs/ladder-gradients.md, step 1.
 */
#include <convref/kernel.h>

#include "optimized/gradients/phases.h"

/* The output whose tap `tap` reads input `position`, or -1 if there is none. */
static int64_t output_of(const struct conv_axis *axis, int64_t position, int64_t tap)
{
    const int64_t steps = position + axis->pad_begin - tap * axis->dilation;
    return steps < 0 || steps % axis->stride != 0 || steps / axis->stride >= axis->out ? -1 : steps / axis->stride;
}

/* SUM dy[i] * w[i][j] over the filters i of a group and the taps, for channel j and position (d, h, col) of dx */
static float gather(const struct spread *spread, const float *group_dy, const float *group_w, int64_t j, int64_t d,
                    int64_t h, int64_t col)
{
    const struct conv_axis D = spread->axis[CONV_D], H = spread->axis[CONV_H], W = spread->axis[CONV_W];
    const float (*dy)[D.out][H.out][W.out] = (const void *)group_dy;
    const float (*w)[spread->to][D.filter][H.filter][W.filter] = (const void *)group_w;
    float sum = 0;
    for (int64_t t = 0; t < D.filter; t++) {
        const int64_t z = output_of(&D, d, t);
        for (int64_t r = 0; z >= 0 && r < H.filter; r++) {
            const int64_t p = output_of(&H, h, r);
            for (int64_t s = 0; p >= 0 && s < W.filter; s++) {
                const int64_t q = output_of(&W, col, s);
                for (int64_t i = 0; q >= 0 && i < spread->from; i++)
                    sum += dy[i][z][p][q] * w[i][j][t][r][s];
            }
        }
    }
    return sum;
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct spread spread = spread_of(conv);
    const struct conv_axis D = spread.axis[CONV_D], H = spread.axis[CONV_H], W = spread.axis[CONV_W];
    const bool transposed = conv->op == CONV_OP_TRANSPOSED;
    const float *dy = transposed ? operands->x : operands->y;   /* dy[n][g][i][:][:][:] */
    const float *w = operands->w, *bias = transposed ? operands->bias : NULL;
    float *dx = transposed ? operands->y : operands->x;         /* dx[n][g][j][:][:][:], written in this order */
    const int64_t image = spread.from * spread.dy_positions, taps = D.filter * H.filter * W.filter;
    (void)workspace;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t g = 0; g < spread.groups; g++)
    for (int64_t j = 0; j < spread.to; j++)
    for (int64_t d = 0; d < D.in; d++)
    for (int64_t h = 0; h < H.in; h++)
    for (int64_t col = 0; col < W.in; col++) {
        const float sum = gather(&spread, dy + (n * spread.groups + g) * image,
                                 w + g * spread.from * spread.to * taps, j, d, h, col);
        *dx++ = transposed ? conv_activate(conv->act, sum + (bias ? bias[g * spread.to + j] : 0)) : sum;
    }
}

CONV_KERNEL(bwd_data_01_gather,
    .title = "each input asks which outputs it fed",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE
           | 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA,
    .applies = spread_applies,
    .run = run,
);
